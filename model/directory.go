package model

import "time"

// DirectoryUser is the mirror of one user of one integration, exactly as Entra sent it. A SCIM User is a directory user.
// The columns beside Document are copies of its attributes, kept for keys and indexes.
type DirectoryUser struct {
	ID             string   `json:"id" gorm:"primaryKey"`
	OrganizationID string   `json:"-"`
	IntegrationID  string   `json:"integration_id"`
	UserName       string   `json:"user_name"`
	UserNameKey    string   `json:"-"` // Fold of UserName; unique in the integration
	ExternalID     string   `json:"external_id"`
	Email          string   `json:"email"` // the work address, else the primary, else the first
	EmailKey       string   `json:"-"`
	DisplayName    string   `json:"display_name"`
	Active         bool     `json:"active"`
	Document       Document `json:"document"`
	Version        int64    `json:"version"` // rises with every change; the SCIM ETag
	AccountID      *string  `json:"account_id"`
	// Explanation is what the rules last said about this directory user, with every reason.
	Explanation Explanation `json:"explanation" gorm:"serializer:json"`
	CreatedAt   time.Time   `json:"created_at"`
	UpdatedAt   time.Time   `json:"updated_at"`
}

// Ref names the integration that the user belongs to.
func (u DirectoryUser) Ref() Ref { return Ref{u.OrganizationID, u.IntegrationID} }

// Name gives what a person would call the user: display name, else userName.
func (u DirectoryUser) Name() string {
	if u.DisplayName != "" {
		return u.DisplayName
	}
	return u.UserName
}

// DirectoryGroup is the mirror of one group of one integration. Its members are rows of their own.
type DirectoryGroup struct {
	ID             string    `json:"id" gorm:"primaryKey"`
	OrganizationID string    `json:"-"`
	IntegrationID  string    `json:"integration_id"`
	DisplayName    string    `json:"display_name"`
	DisplayNameKey string    `json:"-"` // Fold of DisplayName; unique in the integration
	ExternalID     string    `json:"external_id"`
	Document       Document  `json:"document"`        // every attribute but members
	PendingMembers int       `json:"pending_members"` // how many PendingMember the group has
	Version        int64     `json:"version"`
	CreatedAt      time.Time `json:"created_at"`
	UpdatedAt      time.Time `json:"updated_at"`
}

// Ref names the integration that the group belongs to.
func (g DirectoryGroup) Ref() Ref { return Ref{g.OrganizationID, g.IntegrationID} }

// MemberType says what a member is.
type MemberType string

// Members are users or, where Entra nests groups, groups.
const (
	MemberUser  MemberType = "User"
	MemberGroup MemberType = "Group"
)

// Member is one member of a directory group.
type Member struct {
	ID      string     `json:"id"`
	Type    MemberType `json:"type"`
	Display string     `json:"display,omitempty"`
}

// PendingMember is a member of a directory group that a client named before there was a user or group of that name: it
// becomes a member when one arrives.
type PendingMember struct {
	// Value is what was sent, at most 256 bytes: an externalId, a userName, or an id of nobody.
	Value     string    `json:"value"`
	CreatedAt time.Time `json:"created_at"` // when it was sent first
}

// GroupRef is as much of a directory group as the rules and a reason need.
type GroupRef struct {
	ID          string `json:"id"`
	ExternalID  string `json:"external_id,omitempty"`
	DisplayName string `json:"display_name"`
	// Through names the groups, the outermost first, by which somebody is a member who is no direct one; "" for a direct member.
	Through string `json:"through,omitempty"`
}

// Name gives the group in a reason: "HR", or "HR through Payroll".
func (g GroupRef) Name() string {
	if g.Through == "" {
		return g.DisplayName
	}
	return g.DisplayName + " through " + g.Through
}

// MemberOpKind is what a MemberOp does.
type MemberOpKind int

// Members are added, removed, or become exactly the ones named. Replacing with none empties the group.
const (
	MembersAdd MemberOpKind = iota
	MembersRemove
	MembersReplace
)

// MemberOp is one step of a change of a group's members; steps apply in order.
type MemberOp struct {
	Kind MemberOpKind
	IDs  []string
}
