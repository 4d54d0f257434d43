package entra

// Group is a group of the tenant.
type Group struct {
	ID                   string
	DisplayName          string
	Description          string
	Mail, MailNickname   string
	Types                []string // Unified for a Microsoft 365 group, DynamicMembership
	MailEnabled          bool
	SecurityEnabled      bool
	MembershipRule       string
	RoleAssignable       bool
	OnPremisesSync       bool
	ManagementRestricted bool
	Visibility           string // Public, Private or HiddenMembership
	Removed              Removal
	Members              []Member // in a delta: a slice of what joined and left; the same group may come again with more
	HasLicences          bool     // where it was asked for: licences are assigned to its members
}

// MemberType says what a member is.
type MemberType string

// What can be a member of a group.
const (
	MemberUser    MemberType = "user"
	MemberGroup   MemberType = "group"
	MemberContact MemberType = "orgContact"
	MemberOther   MemberType = "other" // a device or a service principal
)

// Member is one member of a group. In a delta, Removed says that it left (its reason tells nothing more).
type Member struct {
	ID      string
	Type    MemberType
	Removed bool
}

// GroupPage is a page of groups, with links as in UserPage.
type GroupPage struct {
	Groups      []Group
	Next, Delta string
}

// MemberPage is a page of the members of a group; Next is empty on the last one.
type MemberPage struct {
	Members []Member
	Next    string
}

// GroupSearch says which groups are looked for; the zero value is all of them.
type GroupSearch struct {
	Text        string // words that begin a word of the display name
	Name        string // the whole display name, in any case
	MailEnabled bool   // only those that have an address
}
