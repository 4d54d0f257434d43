package model

import "time"

// SCIMResult says how a SCIM request ended.
type SCIMResult string

// The results of SCIM requests.
const (
	SCIMSuccess  SCIMResult = "success"   // 2xx and 304; a search without hits is one too
	SCIMNotFound SCIMResult = "not_found" // 404: the resource or the endpoint is not there
	SCIMRejected SCIMResult = "rejected"  // any other 4xx, and 501: the client must send something else
	SCIMDenied   SCIMResult = "denied"    // the client lacks the right
	SCIMFailed   SCIMResult = "failed"    // 5xx: Usher's own fault
)

// SCIMResults lists every result.
func SCIMResults() []SCIMResult {
	return []SCIMResult{SCIMSuccess, SCIMNotFound, SCIMRejected, SCIMDenied, SCIMFailed}
}

// SCIMRequest is one line of the request log: a request that an authenticated SCIM client sent, told so that an
// administrator can read it. It is append-only, and kept for as many days as the installation says.
type SCIMRequest struct {
	// ID is a UUID of version 7 of the time of arrival, so that lines sort by time; the answer carried it as X-Request-Id.
	ID             string     `json:"id" gorm:"primaryKey"`
	OrganizationID string     `json:"-"`
	IntegrationID  string     `json:"integration_id"`
	OccurredAt     time.Time  `json:"occurred_at"`
	Method         string     `json:"method"`
	Path           string     `json:"path" doc:"Below the Tenant URL, with the query, as it was sent."`
	Summary        string     `json:"summary" doc:"What was meant, in words." example:"disable ada@contoso.com"`
	SubjectType    string     `json:"subject_type" doc:"User, Group, or empty."`
	SubjectID      string     `json:"subject_id"`
	Subject        string     `json:"subject" doc:"The userName or displayName that it had at the time."`
	SubjectKey     string     `json:"-"` // Fold of Subject
	Result         SCIMResult `json:"result"`
	Status         int        `json:"status"`
	SCIMType       string     `json:"scim_type" doc:"The scimType of the error (RFC 7644, table 9)."`
	Detail         string     `json:"detail" doc:"The error as the client was told it."`
	Rule           string     `json:"rule" doc:"The rule or check that caused the error." example:"uniqueness of userName"`
	DurationUS     int64      `json:"duration_us" doc:"Microseconds until the answer was written."`
	Deviations     []string   `json:"deviations" gorm:"serializer:json" doc:"Deviations from the RFC that were tolerated."`
	CredentialID   string     `json:"credential_id" doc:"The token or client that was used."`
	CredentialName string     `json:"credential_name"`
	UserAgent      string     `json:"user_agent"`
	RemoteAddress  string     `json:"remote_address"`
	Exchange       []byte     `json:"-"` // SCIMExchange, packed
}

// SCIMExchange is what was sent and what was answered, without secrets.
type SCIMExchange struct {
	Request SCIMMessage `json:"request"`
	Answer  SCIMMessage `json:"answer"`
}

// SCIMMessage is a request or an answer as the log keeps it.
type SCIMMessage struct {
	Headers []SCIMHeader `json:"headers" doc:"Those that matter; the secret of Authorization is left out."`
	Body    string       `json:"body" doc:"With every secret replaced by \"[redacted]\"."`
	Bytes   int          `json:"bytes" doc:"How long the body was."`
	Cut     bool         `json:"cut" doc:"The body was longer than what is kept of it."`
}

// SCIMHeader is one header of a message.
type SCIMHeader struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// SCIMEntry is a request that was answered and waits to be written. It is used by one goroutine at a time.
type SCIMEntry interface {
	Ref() Ref
	// Size is about how many bytes it occupies.
	Size() int
	// Exchange gives what was sent and answered. It is called once, before the methods below: the entry lets go of the bodies then.
	Exchange() SCIMExchange
	// Unnamed gives ids whose names the words want and the request itself did not tell, at most a few.
	Unnamed() []string
	// Named gives the id and name of the subject, where the request told them.
	Named() (id, name string)
	// Row puts the request into words; name gives the name that an id has, "" where that is not known.
	Row(name func(id string) string) SCIMRequest
}

// SCIMRejection counts attempts of one sort that were refused within one hour, because who sent them was not known.
type SCIMRejection struct {
	ID             string    `json:"id" gorm:"primaryKey"` // the same for the same sort within the hour
	OrganizationID string    `json:"-"`
	IntegrationID  string    `json:"integration_id"`
	Hour           time.Time `json:"hour" doc:"The hour that the attempts are counted in."`
	Cause          string    `json:"cause"`
	RemoteAddress  string    `json:"remote_address" doc:"Empty where many addresses are counted together."`
	TokenID        string    `json:"token_id" doc:"The id that the token claims, if it has the form of one."`
	UserAgent      string    `json:"user_agent"`
	Count          int64     `json:"count"`
	FirstAt        time.Time `json:"first_at"`
	LastAt         time.Time `json:"last_at"`
}
