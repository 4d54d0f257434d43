package simulator

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
	"unicode"
)

// User is a user of the tenant, its fields named as in Microsoft Graph (resource type "user"). It is a snapshot: change
// the tenant through its methods.
type User struct {
	ID                string // object id, a UUID
	UserPrincipalName string
	DisplayName       string
	GivenName         string
	Surname           string
	Mail              string // empty for some cloud-only people
	MailNickname      string
	UserType          string // "Member" or "Guest"
	JobTitle          string
	Department        string
	CompanyName       string
	EmployeeID        string
	EmployeeType      string // "Employee", "Contractor", or empty
	UsageLocation     string // ISO 3166 alpha-2
	PreferredLanguage string // BCP 47
	MobilePhone       string
	BusinessPhone     string // the first of Graph's businessPhones
	FaxNumber         string
	ManagerID         string               // object id of the manager, or empty
	Address           *Address             // shared between people: never change it in place
	Extension         *ExtensionAttributes // shared between people: never change it in place
	More              *More                // what few people have; shared: never change it in place
	OnPremisesSync    bool                 // Active Directory is the master
	AccountEnabled    bool
	CreatedAt         time.Time
	DeletedAt         time.Time // when soft-deleted, else zero
}

// More is what few people have. Whoever changes it makes a new one.
type More struct {
	OtherMails   []string
	Aliases      []string          // further addresses of the mailbox
	Extensions   map[string]string // directory extensions by their whole name
	SessionsFrom time.Time         // sign-ins from before it have ended
	Password     string            // the last one that was set
}

// Address is where a person works.
type Address struct {
	Office, Street, City, State, PostalCode, Country string
}

// ExtensionAttributes are onPremisesExtensionAttributes: extensionAttribute1 is element 0.
type ExtensionAttributes [15]string

// SoftDeleted is Entra's IsSoftDeleted as far as the user alone decides it: deleted, or sign-in disabled.
func (u User) SoftDeleted() bool { return !u.AccountEnabled || !u.DeletedAt.IsZero() }

// person is a user and the groups that hold it directly.
type person struct {
	User
	serial   uint64
	groups   []*groupRecord
	licences []Licence // assigned to the person; shared: never change it in place
}

// hirePeople fills the tenant with n users and returns the employees' ids.
func (t *Tenant) hirePeople(n int) []string {
	services := 5 + min(n/500, 45)
	guests := max(1, n/25)
	employees := n - services - guests
	disabled := max(1, employees/50)
	staff := make([]string, 0, employees)
	teams := map[string][]string{}
	for i := range employees {
		u := t.employee(i)
		u.AccountEnabled = i < employees-disabled
		u.ManagerID = bossOf(staff, teams[u.Department])
		t.admit(u)
		staff = append(staff, u.ID)
		teams[u.Department] = append(teams[u.Department], u.ID)
	}
	for i := range guests {
		t.admit(t.guest(i))
	}
	for i := range services {
		t.admit(t.service(i))
	}
	return staff
}

// teamSize is the number of people who report to one manager.
const teamSize = 8

// bossOf places the next person of a department in the tree: its first person reports to the root, everyone else to a
// colleague who came earlier.
func bossOf(staff, team []string) string {
	switch {
	case len(staff) == 0:
		return ""
	case len(team) == 0:
		return staff[0]
	default:
		return team[(len(team)-1)/teamSize]
	}
}

// admit stores a user, making its user name unique with a number where needed. The caller holds the lock or owns the tenant.
func (t *Tenant) admit(u User) *person {
	local, domain, _ := strings.Cut(u.UserPrincipalName, "@")
	namesake := strings.ToLower(u.UserPrincipalName)
	for t.byUPN[strings.ToLower(u.UserPrincipalName)] != nil {
		t.namesakes[namesake]++
		numbered := fmt.Sprintf("%s%d", local, t.namesakes[namesake]+1)
		if strings.EqualFold(u.Mail, u.UserPrincipalName) {
			u.Mail = numbered + "@" + domain
		}
		u.UserPrincipalName, u.MailNickname = numbered+"@"+domain, numbered
	}
	return t.store(u)
}

// store keeps a new user. The caller holds the lock or owns the tenant.
func (t *Tenant) store(u User) *person {
	p := &person{User: u, serial: t.next()}
	t.people[u.ID] = p
	t.byUPN[strings.ToLower(u.UserPrincipalName)] = p
	t.order = append(t.order, p)
	return p
}

// employee draws the i-th employee.
func (t *Tenant) employee(i int) User {
	r := t.random(employeeStream, uint64(i))
	u := User{ID: objectID(r), UserType: "Member", CompanyName: "Contoso", EmployeeType: "Employee"}
	alias := ""
	office := t.offices[r.IntN(len(t.offices))]
	if named := pioneers(); i < len(named) {
		u.GivenName, u.Surname, u.Department, u.JobTitle, alias = named[i].given, named[i].family, named[i].department, named[i].title, named[i].alias
		office = t.offices[i%len(t.offices)]
	} else {
		u.GivenName, u.Surname = pick(r, givenNames()), pick(r, familyNames())
		department := pick(r, Departments())
		u.Department, u.JobTitle = department, pick(r, jobTitles(department))
	}
	if alias == "" {
		alias = t.aliasOf(u.GivenName, u.Surname)
	}
	u.DisplayName = u.GivenName + " " + u.Surname
	u.MailNickname, u.UserPrincipalName = alias, alias+"@"+t.domain
	if i%12 != 11 {
		u.Mail = u.UserPrincipalName
	}
	u.EmployeeID = fmt.Sprintf("E%06d", 100001+i)
	if i%9 == 8 {
		u.EmployeeType = "Contractor"
	}
	u.Address, u.UsageLocation, u.PreferredLanguage = office.address, office.country, office.language
	u.phones(r, office)
	if i%5 == 0 {
		u.Extension = office.extension
	}
	u.CreatedAt = epoch().AddDate(0, 0, r.IntN(2000))
	return u
}

// phones gives most people a business phone and about half a mobile.
func (u *User) phones(r *rand.Rand, office site) {
	if r.IntN(5) > 0 {
		u.BusinessPhone = fmt.Sprintf("%s 55 %04d", office.dial, r.IntN(10000))
	}
	if r.IntN(2) == 0 {
		u.MobilePhone = fmt.Sprintf("%s 99 %04d", office.dial, r.IntN(10000))
	}
}

// guest draws the i-th B2B guest, with the user name that Entra makes for it.
func (t *Tenant) guest(i int) User {
	r := t.random(guestStream, uint64(i))
	u := User{ID: objectID(r), UserType: "Guest", AccountEnabled: true, CompanyName: "Fabrikam"}
	u.GivenName, u.Surname = pick(r, givenNames()), pick(r, familyNames())
	u.DisplayName = u.GivenName + " " + u.Surname + " (Fabrikam)"
	alias := fmt.Sprintf("%s.%d", t.aliasOf(u.GivenName, u.Surname), i+1)
	u.Mail = alias + "@fabrikam.com"
	u.MailNickname = alias + "_fabrikam.com#EXT#"
	u.UserPrincipalName = u.MailNickname + "@" + t.InitialDomain()
	u.CreatedAt = epoch().AddDate(0, 0, r.IntN(2000))
	return u
}

// service draws the i-th account that is no person: services first, then meeting rooms.
func (t *Tenant) service(i int) User {
	r := t.random(serviceStream, uint64(i))
	u := User{ID: objectID(r), UserType: "Member", AccountEnabled: true, CreatedAt: epoch()}
	fixed := serviceAccounts()
	if i < len(fixed) {
		u.MailNickname, u.DisplayName = fixed[i].alias, fixed[i].name
	} else {
		u.MailNickname, u.DisplayName = fmt.Sprintf("room-%d", i-len(fixed)+1), fmt.Sprintf("Meeting room %d", i-len(fixed)+1)
	}
	u.UserPrincipalName = u.MailNickname + "@" + t.domain
	if !strings.HasPrefix(u.MailNickname, "svc-") {
		u.Mail = u.UserPrincipalName
	}
	return u
}

// epoch is the day the tenant was founded. People are created on days after it.
func epoch() time.Time { return time.Date(2020, time.January, 1, 8, 0, 0, 0, time.UTC) }

func pick(r *rand.Rand, from []string) string { return from[r.IntN(len(from))] }

// aliasOf makes the local part of a mail address: "Ángela", "Ruiz Robles" -> angela.ruiz.robles.
func (t *Tenant) aliasOf(given, family string) string {
	plain := t.plain.Replace(strings.ToLower(given + "." + family))
	return strings.Trim(strings.Map(func(c rune) rune {
		if c == '.' || c == '-' || c < unicode.MaxASCII && (unicode.IsLetter(c) || unicode.IsDigit(c)) {
			return c
		}
		return -1
	}, plain), ".")
}
