package model

import "time"

// SCIMClient is a program that gets access tokens for the SCIM endpoint of one integration at /oauth2/token, by a secret
// (RFC 6749 §4.4) or by an assertion of an issuer that is trusted (RFC 7523). Secrets and Federations are filled in where a
// client is shown.
type SCIMClient struct {
	ID             string                 `json:"client_id" gorm:"primaryKey"`
	OrganizationID string                 `json:"-"`
	IntegrationID  string                 `json:"-"`
	Name           string                 `json:"name"`
	TokenMinutes   int                    `json:"token_minutes" doc:"How long an access token of the client is good for."`
	LastUsedAt     *time.Time             `json:"last_used_at" doc:"When an access token of the client was last used, to the minute."`
	CreatedAt      time.Time              `json:"created_at"`
	Secrets        []SCIMClientSecret     `json:"secrets" gorm:"-"`
	Federations    []SCIMClientFederation `json:"federations" gorm:"-"`
}

// Ref names the client's integration.
func (c SCIMClient) Ref() Ref { return Ref{c.OrganizationID, c.IntegrationID} }

// SCIMClientSecret is one of a client's secrets. Only a keyed hash of it is stored.
type SCIMClientSecret struct {
	ID             string      `json:"id" gorm:"primaryKey"`
	OrganizationID string      `json:"-"`
	IntegrationID  string      `json:"-"`
	ClientID       string      `json:"-"`
	Hash           string      `json:"-"`
	ExpiresAt      *time.Time  `json:"expires_at"`
	State          ExpiryState `json:"state" gorm:"-"`
	LastUsedAt     *time.Time  `json:"last_used_at" doc:"When an access token was last given for it, to the minute."`
	CreatedAt      time.Time   `json:"created_at"`
	WarnedDays     *int        `json:"-"` // as of SCIMToken
}

// SCIMClientFederation is trust in an issuer: whoever shows an assertion of it with this subject and this audience is the
// client. Either TenantID (of Entra, with the Cloud that it is in) or Issuer is set.
type SCIMClientFederation struct {
	ID             string     `json:"id" gorm:"primaryKey"`
	OrganizationID string     `json:"-"`
	IntegrationID  string     `json:"-"`
	ClientID       string     `json:"-"`
	TenantID       string     `json:"tenant_id"`
	Cloud          string     `json:"cloud"` // global, usgov, dod or china; "" with Issuer
	Issuer         string     `json:"issuer"`
	Subject        string     `json:"subject"`
	Audience       string     `json:"audience"`
	JWKSURL        string     `json:"jwks_url" gorm:"column:jwks_url"` // "" for the tenant's own
	LastUsedAt     *time.Time `json:"last_used_at" doc:"When an access token was last given for an assertion, to the minute."`
	CreatedAt      time.Time  `json:"created_at"`
}

// SCIMCaller is who sent a SCIM request: the integration, and the token or client that showed it, by id and name.
type SCIMCaller struct {
	Ref
	CredentialID   string
	CredentialName string
}

// SCIMGrant is an access token that a client was given, and for how long it is good.
type SCIMGrant struct {
	SCIMCaller
	Token string
	Valid time.Duration
}

// Denial says why somebody was not let in. It is for the administrator's log alone; outwardly all of them sound the same.
type Denial string

// The reasons for a denial.
const (
	DeniedMissing     Denial = "no bearer token"
	DeniedMalformed   Denial = "not a token of Usher"
	DeniedUnknown     Denial = "not made by this installation, or with a key that is not configured any more"
	DeniedRevoked     Denial = "revoked"
	DeniedExpired     Denial = "expired"
	DeniedElsewhere   Denial = "of another integration"
	DeniedOtherClient Denial = "of another client"
)

// Denied makes the Unauthorized error that carries the reason as its detail.
func Denied(why Denial) *Error { return &Error{Kind: Unauthorized, Detail: string(why)} }

// ExpiryState says how near the end of a credential is.
type ExpiryState string

// The states of a credential; one that never ends is live.
const (
	CredentialLive     ExpiryState = "live"
	CredentialExpiring ExpiryState = "expiring" // within 30 days
	CredentialExpired  ExpiryState = "expired"
)

// CredentialKind says what sort of credential is about to expire.
type CredentialKind string

// What expires.
const (
	CredentialToken  CredentialKind = "scim_token"
	CredentialSecret CredentialKind = "scim_client_secret"
)

// Credential is a token or a client's secret that ends, with what a warning needs. Name is that of the token or of the client.
type Credential struct {
	Kind       CredentialKind
	ID         string
	ClientID   string // of a secret
	Name       string
	ExpiresAt  time.Time
	LastUsedAt *time.Time
	WarnedDays *int
	Ref
}

// ExpiryThresholds are the days before the end at which a warning is due; 0 is the end itself.
func ExpiryThresholds() []int { return []int{0, 1, 7, 14, 30} }

// DueThreshold gives the smallest threshold that is reached: 7 from seven days before the end on, until one day before it.
// ok is false where none is, and where at is nil.
func DueThreshold(at *time.Time, now time.Time) (days int, ok bool) {
	if at == nil {
		return 0, false
	}
	for _, days := range ExpiryThresholds() {
		if !now.Before(at.Add(-time.Duration(days) * 24 * time.Hour)) {
			return days, true
		}
	}
	return 0, false
}

// StateOf says how near the end is.
func StateOf(at *time.Time, now time.Time) ExpiryState {
	switch days, ok := DueThreshold(at, now); {
	case !ok:
		return CredentialLive
	case days == 0:
		return CredentialExpired
	}
	return CredentialExpiring
}

// Warning is something that an administrator should see to: a credential that ends, or has ended.
type Warning struct {
	Code          string         `json:"code" enum:"scim_token.expiring,scim_token.expired,scim_client_secret.expiring,scim_client_secret.expired"`
	Kind          CredentialKind `json:"kind" enum:"scim_token,scim_client_secret"`
	ID            string         `json:"id" doc:"Of the token or the secret."`
	ClientID      string         `json:"client_id,omitempty" doc:"Of the client that the secret belongs to."`
	Name          string         `json:"name" doc:"Of the token or the client."`
	ExpiresAt     time.Time      `json:"expires_at"`
	Days          int            `json:"days" doc:"Days that are left, begun ones included; 0 where it has ended."`
	Detail        string         `json:"detail" doc:"What is the matter and what to do, in a sentence."`
	IntegrationID string         `json:"-"`
}
