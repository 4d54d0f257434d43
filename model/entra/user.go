package entra

import "time"

// Removal says why a delta tells that something is gone.
type Removal string

// A removed object is still there, may have been deleted and can be restored, or is gone for good (Graph: @removed.reason).
const (
	Kept    Removal = ""
	Changed Removal = "changed" // of a user: it is among the deleted items, and can be restored for 30 days
	Deleted Removal = "deleted"
)

// User is a person of the tenant. Text that Graph does not have is "". In a delta every property that was asked for has its
// present value; of one that is Removed the ID alone is there.
type User struct {
	ID                string // object id
	UserPrincipalName string // of a guest alias_domain#EXT#@tenant
	Mail              string
	MailNickname      string
	OtherMails        []string
	ProxyAddresses    []string // "SMTP:" before the primary one, "smtp:" before others
	UserType          string   // Member or Guest
	AccountEnabled    bool
	OnPremisesSync    bool // hybrid: Active Directory is its master, Graph refuses changes

	DisplayName, GivenName, Surname                 string
	JobTitle, Department, CompanyName               string
	EmployeeID, EmployeeType                        string
	OfficeLocation, UsageLocation                   string // UsageLocation is of ISO 3166-1 alpha-2
	PreferredLanguage                               string
	StreetAddress, City, State, PostalCode, Country string
	MobilePhone, FaxNumber                          string
	BusinessPhones                                  []string
	ManagerID                                       string            // object id; "" without one
	ManagerUntold                                   bool              // in a delta: nothing was told of the manager, who is as before; nobody, in a round that began without link
	ExtensionAttributes                             map[string]string // extensionAttribute1 to extensionAttribute15
	Extensions                                      map[string]string // directory extensions by their whole name, extension_<application>_<name>
	CreatedAt                                       time.Time
	DeletedAt                                       time.Time // of a deleted item; else zero
	Removed                                         Removal   // in a delta
}

// UserPage is a page of users. In a delta, Next leads to the next page and the last one has Delta instead, which leads to what
// will have changed since. A page may be empty and still have Next; a user may come more than once, in any order.
type UserPage struct {
	Users       []User
	Next, Delta string
}

// NewUser is what is asked for when a user is made. Password goes to Graph and nowhere else.
type NewUser struct {
	UserChange
	UserPrincipalName string
	MailNickname      string
	Password          string
	Enabled           bool
}

// UserChange is what of a user is to be set: "" in a property that is named clears it. Names are Graph's: displayName,
// givenName, surname, mail, jobTitle, department, companyName, employeeId, officeLocation, usageLocation, preferredLanguage,
// streetAddress, city, state, postalCode, country, mobilePhone, userPrincipalName, extensionAttribute1 to 15.
type UserChange struct {
	Set            map[string]string
	BusinessPhones *[]string
	ManagerID      *string // "" takes the manager away
	Enabled        *bool
}

// Photo is a person's picture. NotModified says that it still has the tag that was asked with.
type Photo struct {
	Bytes       []byte
	ContentType string
	ETag        string
	NotModified bool
}

// Extension is a directory extension that an application of the tenant has defined.
type Extension struct {
	Name        string // extension_<application id without dashes>_<name>
	DataType    string // String, Integer, Boolean, DateTime, LargeInteger, Binary
	Application string // display name of the application
	MultiValued bool
}

// Organization is the tenant itself.
type Organization struct {
	ID             string
	DisplayName    string
	Domains        []Domain
	OnPremisesSync bool // people are synchronised from Active Directory
}

// Domain is a verified domain of the tenant.
type Domain struct {
	Name               string
	IsDefault, Initial bool
	Federated          bool // users of it need an immutable id, and passwords elsewhere
}
