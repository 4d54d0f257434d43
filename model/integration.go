package model

import "time"

// Ref names an integration within its organization. Every read and write of the mirror carries one.
type Ref struct{ OrganizationID, IntegrationID string }

// Ingress says how people reach the mirror.
type Ingress string

// The two ways in: Entra pushes over SCIM, or Usher pulls over Microsoft Graph.
const (
	IngressSCIM  Ingress = "scim"
	IngressGraph Ingress = "graph"
)

// RoleSync says how the roles of a person follow the groups (RULES.md §3).
type RoleSync string

// The modes of role synchronization.
const (
	RoleSyncInitial   RoleSync = "initial"   // roles are set when the account is created, never again
	RoleSyncReconcile RoleSync = "reconcile" // missing mapped roles make the roles exactly the mapped ones
	RoleSyncMirror    RoleSync = "mirror"    // mapped roles follow the groups exactly, all others stay
)

// Scope says whom a Graph import takes.
type Scope string

// A Graph import takes the members of the chosen groups, or the whole tenant if that is said explicitly.
const (
	ScopeGroups   Scope = "groups"
	ScopeEveryone Scope = "everyone"
)

// Integration is one connection of an organization to one Entra tenant.
type Integration struct {
	ID             string        `json:"id" gorm:"primaryKey"`
	OrganizationID string        `json:"-"`
	Name           string        `json:"name"`
	Ingress        Ingress       `json:"ingress"`
	TenantID       string        `json:"tenant_id"`
	RoleSync       RoleSync      `json:"role_sync"`
	DefaultRole    string        `json:"default_role"` // key of the role of an account that no mapping gives one; "" for none
	Scope          Scope         `json:"scope"`
	NestedGroups   bool          `json:"nested_groups"`
	RequireGroup   bool          `json:"require_group"`
	ReadOnly       bool          `json:"read_only"`
	WriteBack      WriteBack     `json:"write_back" gorm:"serializer:json"`
	CalendarSync   bool          `json:"calendar_sync"`
	Priority       int           `json:"priority"` // the smallest goes first where integrations disagree
	Guard          Guard         `json:"guard" gorm:"serializer:json"`
	Graph          GraphSettings `json:"graph" gorm:"serializer:json"`
	Owner          string        `json:"owner"`
	AlertedAt      time.Time     `json:"-"` // when a mass deactivation was last reported
	CreatedAt      time.Time     `json:"created_at"`
	UpdatedAt      time.Time     `json:"updated_at"`
}

// Ref names the integration.
func (i Integration) Ref() Ref { return Ref{i.OrganizationID, i.ID} }

// WriteBack are the switches of writing to Entra; all are off by default.
type WriteBack struct {
	Create bool `json:"create"`
	Update bool `json:"update"`
	Delete bool `json:"delete"`
	// ByHandOnly lets administrators do what the switches allow, and has nothing follow from changes of accounts by itself.
	ByHandOnly bool `json:"by_hand_only"`
}

// Guard bounds how many accounts one run may deactivate without being held: the larger of a number and a percentage
// of the integration's active accounts.
type Guard struct {
	Minimum int `json:"minimum"`
	Percent int `json:"percent"`
}

// Limit gives the number of deactivations that pass without a hold.
func (g Guard) Limit(active int) int { return max(g.Minimum, active*g.Percent/100) }

// Needs gives how many active accounts there must be for so many deactivations to pass; never is set where no number of them is enough.
func (g Guard) Needs(deactivations int) (active int, never bool) {
	switch {
	case deactivations <= g.Minimum:
		return 0, false
	case g.Percent <= 0:
		return 0, true
	}
	return (deactivations*100 + g.Percent - 1) / g.Percent, false
}

// GraphSettings is how Microsoft Graph is reached. The secrets are sealed and never leave the store.
type GraphSettings struct {
	ClientID       string `json:"client_id"`
	Cloud          string `json:"cloud"` // global, usgov, dod or china
	Auth           string `json:"auth"`  // secret, certificate, federated or managed_identity; "" takes the certificate where there is one
	HasSecret      bool   `json:"has_client_secret"`
	HasCertificate bool   `json:"has_certificate"`
}

// SealedSecret is a secret that must be used again, encrypted with the installation's key.
type SealedSecret struct {
	ID             string `gorm:"primaryKey"`
	OrganizationID string
	IntegrationID  string
	Name           string // client_secret, certificate_pem
	KeyID          string // which key sealed it
	Sealed         []byte
	UpdatedAt      time.Time
}

// SCIMToken is a bearer token of an integration. Only a keyed hash of it is stored.
type SCIMToken struct {
	ID             string      `json:"id" gorm:"primaryKey"`
	OrganizationID string      `json:"-"`
	IntegrationID  string      `json:"-"`
	Name           string      `json:"name"`
	Hash           string      `json:"-"`
	ExpiresAt      *time.Time  `json:"expires_at"`
	State          ExpiryState `json:"state" gorm:"-"`
	LastUsedAt     *time.Time  `json:"last_used_at"`
	CreatedAt      time.Time   `json:"created_at"`
	WarnedDays     *int        `json:"-"` // the smallest threshold of ExpiryThresholds that was warned of, or passed when it was made
}
