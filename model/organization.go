package model

import (
	"slices"
	"time"
)

// Organization is one customer of the application. Everything else belongs to exactly one.
type Organization struct {
	ID   string `json:"id" gorm:"primaryKey"`
	Slug string `json:"slug"` // unique in the installation, lower case
	Name string `json:"name"`
	// SettingsVersion rises with every change of anything the rules read (model.Settings), so that a cached copy is
	// known to be stale.
	SettingsVersion int64     `json:"-"`
	CreatedAt       time.Time `json:"created_at"`
	UpdatedAt       time.Time `json:"updated_at"`
}

// DefaultOrganization is the slug of the organization that a fresh installation has.
const DefaultOrganization = "default"

// Right is one thing an API key or an operator may do.
type Right string

// The rights. RightAll stands for every right within the organization.
const (
	RightAll                Right = "all"
	RightRead               Right = "read"                // read everything but secrets
	RightManageAccounts     Right = "accounts"            // edit accounts and employees
	RightManageSettings     Right = "settings"            // roles, sites, mappings, exclusions
	RightManageIntegrations Right = "integrations"        // create and change integrations and their tokens
	RightRemoveIntegrations Right = "remove_integrations" // remove an integration
	RightRun                Right = "runs"                // start, apply, discard and cancel runs
	RightManageKeys         Right = "api_keys"            // create and revoke API keys
	RightManageEntra        Right = "entra"               // write-back of people, groups and licences
	RightManageCalendars    Right = "calendars"           // enable calendars, write events
	RightManageOperators    Right = "operators"           // invite and remove operators, and say what they may do
)

// Rights lists every right that can be given.
func Rights() []Right {
	return []Right{
		RightAll, RightRead, RightManageAccounts, RightManageSettings, RightManageIntegrations, RightRemoveIntegrations,
		RightRun, RightManageKeys, RightManageEntra, RightManageCalendars, RightManageOperators,
	}
}

// APIKey lets an application or a script use the management API within one organization. Only a keyed hash of the
// secret is stored.
type APIKey struct {
	ID             string     `json:"id" gorm:"primaryKey"`
	OrganizationID string     `json:"-"`
	Name           string     `json:"name"`
	Rights         []Right    `json:"rights" gorm:"serializer:json"`
	Hash           string     `json:"-"`
	ExpiresAt      *time.Time `json:"expires_at"`
	LastUsedAt     *time.Time `json:"last_used_at"`
	CreatedAt      time.Time  `json:"created_at"`
}

// Operator is a person who signs in to the console.
type Operator struct {
	ID             string  `json:"id" gorm:"primaryKey"`
	OrganizationID string  `json:"-"`
	Email          string  `json:"email"`
	EmailKey       string  `json:"-"`
	Name           string  `json:"name"`
	Rights         []Right `json:"rights" gorm:"serializer:json"`
	PasswordHash   string  `json:"-"` // argon2id in PHC form; "" for one who has not chosen one
	// EntraObjectID is whom Entra knows the operator by, from the first sign-in with Entra on; "" before.
	EntraObjectID string     `json:"-"`
	Failures      int        `json:"-"` // wrong passwords since the last right one, or since the lock-out
	LockedUntil   *time.Time `json:"-"` // until when no password is taken
	SignedInAt    *time.Time `json:"signed_in_at"`
	CreatedAt     time.Time  `json:"created_at"`
	UpdatedAt     time.Time  `json:"updated_at"`
}

// Has says whether the operator has the right; RightAll is every right.
func (o Operator) Has(right Right) bool {
	return slices.Contains(o.Rights, RightAll) || slices.Contains(o.Rights, right)
}

// Actor is how the operator stands in changes and activities.
func (o Operator) Actor() string { return "operator:" + o.Email }
