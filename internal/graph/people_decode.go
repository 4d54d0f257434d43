package graph

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"usher/model/entra"
)

// Users, groups and members are read without the SDK's models, which take 40 MiB and five times as long for a page of 999 users
// where this takes 2 MiB; an import of a large tenant is a thousand such pages.

// userJSON is a user as Graph writes it. Types are Graph's: a page in which one differs is not used at all, because what is
// missing in it would look as if it had been taken away.
type userJSON struct {
	ID                string   `json:"id"`
	UserPrincipalName string   `json:"userPrincipalName"`
	Mail              string   `json:"mail"`
	MailNickname      string   `json:"mailNickname"`
	OtherMails        []string `json:"otherMails"`
	ProxyAddresses    []string `json:"proxyAddresses"`
	UserType          string   `json:"userType"`
	AccountEnabled    *bool    `json:"accountEnabled"`
	OnPremisesSync    bool     `json:"onPremisesSyncEnabled"`
	DisplayName       string   `json:"displayName"`
	GivenName         string   `json:"givenName"`
	Surname           string   `json:"surname"`
	JobTitle          string   `json:"jobTitle"`
	Department        string   `json:"department"`
	CompanyName       string   `json:"companyName"`
	EmployeeID        string   `json:"employeeId"`
	EmployeeType      string   `json:"employeeType"`
	OfficeLocation    string   `json:"officeLocation"`
	UsageLocation     string   `json:"usageLocation"`
	PreferredLanguage string   `json:"preferredLanguage"`
	StreetAddress     string   `json:"streetAddress"`
	City              string   `json:"city"`
	State             string   `json:"state"`
	PostalCode        string   `json:"postalCode"`
	Country           string   `json:"country"`
	MobilePhone       string   `json:"mobilePhone"`
	FaxNumber         string   `json:"faxNumber"`
	BusinessPhones    []string `json:"businessPhones"`

	ExtensionAttributes map[string]string `json:"onPremisesExtensionAttributes"`
	CreatedAt           string            `json:"createdDateTime"`
	DeletedAt           string            `json:"deletedDateTime"`
	Manager             *memberJSON       `json:"manager"`
	ManagerDelta        []memberJSON      `json:"manager@delta"`
	Removed             *removedJSON      `json:"@removed"`
}

// removedJSON is the mark of a delta.
type removedJSON struct {
	Reason string `json:"reason"`
}

func (r *removedJSON) removal() entra.Removal {
	switch {
	case r == nil:
		return entra.Kept
	case r.Reason == string(entra.Changed):
		return entra.Changed
	}
	return entra.Deleted
}

// memberJSON is any object of the directory, as far as it is looked at.
type memberJSON struct {
	Type    string       `json:"@odata.type"`
	ID      string       `json:"id"`
	Removed *removedJSON `json:"@removed"`
}

func (m memberJSON) member() entra.Member {
	kind := entra.MemberOther
	switch strings.ToLower(strings.TrimPrefix(m.Type, "#microsoft.graph.")) {
	case "user":
		kind = entra.MemberUser
	case "group":
		kind = entra.MemberGroup
	case "orgcontact":
		kind = entra.MemberContact
	}
	return entra.Member{ID: m.ID, Type: kind, Removed: m.Removed != nil}
}

// groupJSON is a group as Graph writes it.
type groupJSON struct {
	Type                 string            `json:"@odata.type"`
	ID                   string            `json:"id"`
	DisplayName          string            `json:"displayName"`
	Description          string            `json:"description"`
	Mail                 string            `json:"mail"`
	MailNickname         string            `json:"mailNickname"`
	Types                []string          `json:"groupTypes"`
	MailEnabled          bool              `json:"mailEnabled"`
	SecurityEnabled      bool              `json:"securityEnabled"`
	MembershipRule       string            `json:"membershipRule"`
	RoleAssignable       bool              `json:"isAssignableToRole"`
	OnPremisesSync       bool              `json:"onPremisesSyncEnabled"`
	ManagementRestricted bool              `json:"isManagementRestricted"`
	Visibility           string            `json:"visibility"`
	Licences             []json.RawMessage `json:"assignedLicenses"`
	Members              []memberJSON      `json:"members@delta"`
	Removed              *removedJSON      `json:"@removed"`
}

// pageJSON is a page of anything.
type pageJSON[T any] struct {
	Value []T    `json:"value"`
	Next  string `json:"@odata.nextLink"`
	Delta string `json:"@odata.deltaLink"`
}

// extensionPrefix begins the names of directory extensions.
const extensionPrefix = "extension_"

// readUser reads a user, with its directory extensions where there are any. Only in a delta can nothing be told of the manager.
func readUser(text []byte, delta bool) (entra.User, error) {
	var u userJSON
	if err := json.Unmarshal(text, &u); err != nil {
		return entra.User{}, unreadable("a user is not what Graph documents")
	}
	if removal := u.Removed.removal(); removal != entra.Kept {
		return entra.User{ID: u.ID, Removed: removal}, nil
	}
	result := u.user()
	result.ManagerUntold = delta && u.ManagerDelta == nil
	if bytes.Contains(text, []byte(`"`+extensionPrefix)) {
		result.Extensions = extensions(text)
	}
	return result, nil
}

func (u userJSON) user() entra.User {
	result := entra.User{
		ID: u.ID, UserPrincipalName: u.UserPrincipalName, Mail: u.Mail, MailNickname: u.MailNickname, OtherMails: u.OtherMails,
		ProxyAddresses: u.ProxyAddresses, UserType: u.UserType, OnPremisesSync: u.OnPremisesSync,
		// What is not told is no reason to lock somebody out: Graph has it of every user, and hides it from weak permissions.
		AccountEnabled: u.AccountEnabled == nil || *u.AccountEnabled,
		DisplayName:    u.DisplayName, GivenName: u.GivenName, Surname: u.Surname, JobTitle: u.JobTitle, Department: u.Department,
		CompanyName: u.CompanyName, EmployeeID: u.EmployeeID, EmployeeType: u.EmployeeType, OfficeLocation: u.OfficeLocation,
		UsageLocation: u.UsageLocation, PreferredLanguage: u.PreferredLanguage, StreetAddress: u.StreetAddress, City: u.City,
		State: u.State, PostalCode: u.PostalCode, Country: u.Country, MobilePhone: u.MobilePhone, FaxNumber: u.FaxNumber,
		BusinessPhones: u.BusinessPhones, CreatedAt: when(u.CreatedAt), DeletedAt: when(u.DeletedAt),
	}
	maps.DeleteFunc(u.ExtensionAttributes, func(name, text string) bool { return text == "" || strings.HasPrefix(name, "@") })
	if len(u.ExtensionAttributes) > 0 {
		result.ExtensionAttributes = u.ExtensionAttributes
	}
	if u.Manager != nil {
		result.ManagerID = u.Manager.ID
	}
	for _, m := range u.ManagerDelta { // the one before comes with the new one, as removed
		if m.Removed == nil {
			result.ManagerID = m.ID
		}
	}
	return result
}

// extensions takes the directory extensions out of a user, as text: several values with semicolons between them.
func extensions(text []byte) map[string]string {
	var properties map[string]json.RawMessage
	if json.Unmarshal(text, &properties) != nil {
		return nil
	}
	var found map[string]string
	for name, raw := range properties {
		if !strings.HasPrefix(name, extensionPrefix) || strings.Contains(name, "@") {
			continue
		}
		if value := plain(raw); value != "" {
			if found == nil {
				found = map[string]string{}
			}
			found[name] = value
		}
	}
	return found
}

// plain gives a value of JSON as text.
func plain(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) == nil {
		values := make([]string, 0, len(list))
		for _, one := range list {
			values = append(values, plain(one))
		}
		return strings.Join(values, ";")
	}
	return string(raw) // a number, true or false
}

func readGroup(text []byte) (entra.Group, error) {
	var g groupJSON
	if err := json.Unmarshal(text, &g); err != nil {
		return entra.Group{}, unreadable("a group is not what Graph documents")
	}
	return g.group(), nil
}

func (g groupJSON) group() entra.Group {
	if removal := g.Removed.removal(); removal != entra.Kept {
		return entra.Group{ID: g.ID, Removed: removal}
	}
	return entra.Group{
		ID: g.ID, DisplayName: g.DisplayName, Description: g.Description, Mail: g.Mail, MailNickname: g.MailNickname, Types: g.Types,
		MailEnabled: g.MailEnabled, SecurityEnabled: g.SecurityEnabled, MembershipRule: g.MembershipRule, RoleAssignable: g.RoleAssignable,
		OnPremisesSync: g.OnPremisesSync, ManagementRestricted: g.ManagementRestricted, Visibility: g.Visibility,
		Members: members(g.Members), HasLicences: len(g.Licences) > 0,
	}
}

// members reads the members that have an id.
func members(list []memberJSON) []entra.Member {
	var result []entra.Member
	if len(list) > 0 {
		result = make([]entra.Member, 0, len(list))
	}
	for _, m := range list {
		if m.ID != "" {
			result = append(result, m.member())
		}
	}
	return slices.Clip(result)
}

// when reads a time; what is none, and the first instant of the year 1, is Go's zero.
func when(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || t.IsZero() {
		return time.Time{}
	}
	return t.UTC()
}
