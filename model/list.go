package model

import (
	"fmt"
	"time"
)

// GroupName is what a look-up in Entra found of a group that the settings name by its display name alone.
type GroupName struct {
	NameKey    string    // the name, folded
	ExternalID string    // object id of the group; "" where there is not exactly one
	Found      int       // how many groups have the name
	LookedAt   time.Time // zero where it was not looked for yet
}

// Unfound says why there is no id; "" where there is one.
func (n GroupName) Unfound(name string) string {
	switch {
	case n.ExternalID != "":
		return ""
	case n.LookedAt.IsZero():
		return fmt.Sprintf("group %q was not looked for in Entra yet", name)
	case n.Found == 0:
		return fmt.Sprintf("Entra has no group named %q", name)
	}
	return fmt.Sprintf("Entra has %d groups named %q; name the one that is meant by its external_id", n.Found, name)
}

// ListKind says what kind of group a distribution list is in Entra.
type ListKind string

// What can be a distribution list.
const (
	ListMicrosoft365 ListKind = "microsoft365"
	ListMailSecurity ListKind = "mail_enabled_security"
	ListDistribution ListKind = "distribution"
)

// ListState says how far a distribution list has come.
type ListState string

// A list is pending until an import has read its members first.
const (
	ListPending ListState = "pending"
	ListReady   ListState = "ready"
)

// List is a distribution list: a group of Entra whose members are known as accounts.
type List struct {
	ID             string    `json:"id"`
	OrganizationID string    `json:"-"`
	IntegrationID  string    `json:"integration_id"`
	ExternalID     string    `json:"external_id"` // object id of the group
	DisplayName    string    `json:"display_name"`
	Email          string    `json:"email"`
	Kind           ListKind  `json:"kind"`
	State          ListState `json:"state"`
	Members        int       `json:"members"`         // accounts, as of the last import
	WithoutAccount int       `json:"without_account"` // members that are not known here, or got no account
	Fingerprint    string    `json:"-"`               // of the members that are accounts
	CreatedAt      time.Time `json:"created_at"`
	UpdatedAt      time.Time `json:"updated_at"`
}
