package model

import "time"

// SetupTask is what is being done to the provisioning of an integration in Entra.
type SetupTask string

// The tasks of a set-up.
const (
	SetupInstall SetupTask = "set_up"       // everything, from the application to the start of its job
	SetupRotate  SetupTask = "rotate_token" // a new token here and there
	SetupUndo    SetupTask = "undo"         // everything that Usher made, away again
)

// TaskState is where a task stands that is done step by step.
type TaskState string

// The states of a task. One that failed or was cancelled goes on where it stopped when it is asked for again.
const (
	TaskNone      TaskState = "none"
	TaskQueued    TaskState = "queued"
	TaskRunning   TaskState = "running"
	TaskSucceeded TaskState = "succeeded"
	TaskFailed    TaskState = "failed"
	TaskCancelled TaskState = "cancelled"
)

// Open says whether somebody works on it, or will.
func (s TaskState) Open() bool { return s == TaskQueued || s == TaskRunning }

// Setup is the provisioning of one integration in Entra: what was asked for, how far it is, and what Entra says of its job. An
// integration has at most one.
type Setup struct {
	OrganizationID string       `json:"-"`
	IntegrationID  string       `json:"-" gorm:"primaryKey"`
	Task           SetupTask    `json:"task"`
	State          TaskState    `json:"state"`
	Options        SetupOptions `json:"options" gorm:"serializer:json"`
	Steps          []TaskStep   `json:"steps" gorm:"serializer:json"`
	Error          string       `json:"error"` // why the task failed, and what to do
	Actor          string       `json:"actor"`

	Entra    SetupEntra  `json:"entra" gorm:"serializer:json"`
	TokenID  string      `json:"token_id"` // SCIM token that Entra has
	Job      *SetupJob   `json:"job" gorm:"serializer:json"`
	JobAt    *time.Time  `json:"job_checked_at"` // when Entra was asked
	JobError string      `json:"job_error"`      // why Entra could not be asked
	SignIn   SetupSignIn `json:"sign_in" gorm:"serializer:json"`

	Stored   string `json:"-"` // what Entra has beside the token: the Tenant URL and settings
	SignInID string `json:"-"` // of the sign-in that was asked for and not used
	// QuarantineTold is the quarantine that was told of: when it began.
	QuarantineTold string     `json:"-"`
	Attempts       int        `json:"-"` // of the step, since it last went well
	Lease          string     `json:"-"` // who works it
	Leased         *time.Time `json:"-"` // until when
	CreatedAt      time.Time  `json:"created_at"`
	UpdatedAt      time.Time  `json:"updated_at"`
}

// Ref names the integration.
func (s *Setup) Ref() Ref { return Ref{s.OrganizationID, s.IntegrationID} }

// SetupOptions is what somebody who asks for a set-up decides.
type SetupOptions struct {
	BaseURL     string   `json:"base_url"`     // the Tenant URL
	DisplayName string   `json:"display_name"` // of the application, as it was asked for
	Groups      []string `json:"groups"`       // object ids of what is assigned
	Everyone    bool     `json:"everyone"`     // the whole tenant instead of what is assigned
	NotifyEmail string   `json:"notify_email"` // whom Entra writes to about a quarantine
	DeleteLimit int      `json:"delete_limit"` // more deletions than that in a cycle wait for somebody; 0 for no limit
	Hold        bool     `json:"hold"`         // do not start the job
	// Adopted is the service principal of an application that was there already; it is never deleted.
	Adopted string `json:"adopted"`
	// OverlapHours is how long the former token goes on working after a rotation.
	OverlapHours   int        `json:"overlap_hours"`
	TokenExpiresAt *time.Time `json:"token_expires_at"` // of the token that is made
}

// SetupEntra are the ids of what there is in Entra; "" of what there is not (yet).
type SetupEntra struct {
	DisplayName      string `json:"display_name"` // with a mark by which it is found again
	ApplicationID    string `json:"application_id"`
	AppID            string `json:"app_id"` // client id
	ServicePrincipal string `json:"service_principal_id"`
	TemplateID       string `json:"template_id"`
	JobID            string `json:"job_id"`
	OwnJob           bool   `json:"own_job"` // Usher made the job
	// Tries is how often the application was asked for, and TriedAt when that was last: the answer may have been lost.
	Tries   int        `json:"tries,omitempty"`
	TriedAt *time.Time `json:"tried_at,omitempty"`
}

// TaskStep is one step of a task.
type TaskStep struct {
	Name   string     `json:"name"`
	State  StepState  `json:"state"`
	Detail string     `json:"detail,omitempty"` // what came of it
	Begun  *time.Time `json:"begun_at,omitempty"`
	Ended  *time.Time `json:"ended_at,omitempty"`
	Cursor int        `json:"cursor,omitempty"` // how many of its parts are done
}

// SetupSignIn is the sign-in of an administrator in whose name a set-up is done.
type SetupSignIn struct {
	AskedUntil  *time.Time `json:"asked_until,omitempty"`
	By          string     `json:"by,omitempty"` // who signed in
	AccessUntil *time.Time `json:"access_until,omitempty"`
}

// SetupJob is what Entra said of the provisioning job.
type SetupJob struct {
	State              string           `json:"state"` // NotConfigured, NotRun, Active, Paused or Quarantine
	Schedule           string           `json:"schedule"`
	Says               string           `json:"says"` // the same in words
	IntervalSeconds    int              `json:"interval_seconds"`
	Failures           int              `json:"successive_failures"`
	Quarantine         *SetupQuarantine `json:"quarantine"`
	LastCycle          *SetupCycle      `json:"last_cycle"`
	LastGoodCycle      *SetupCycle      `json:"last_successful_cycle"`
	SteadyStateAt      *time.Time       `json:"steady_state_at"`
	Synchronized       map[string]int   `json:"synchronized"` // entries by type
	Progress           Progress         `json:"progress"`     // of the cycle under way
	TroubleshootingURL string           `json:"troubleshooting_url"`
}

// SetupQuarantine says why Entra calls seldom or no more.
type SetupQuarantine struct {
	Reason      string     `json:"reason"` // Graph's word
	Says        string     `json:"says"`   // the same in words, and what to do
	BegunAt     *time.Time `json:"begun_at"`
	NextAttempt *time.Time `json:"next_attempt_at"`
	EndsAt      *time.Time `json:"disabled_at"` // when Entra gives up
	ErrorCode   string     `json:"error_code"`
	Error       string     `json:"error"`
}

// SetupCycle is one cycle of the job.
type SetupCycle struct {
	State    string     `json:"state"` // Succeeded, Failed or EntryLevelErrors
	BegunAt  *time.Time `json:"begun_at"`
	EndedAt  *time.Time `json:"ended_at"`
	Imported int        `json:"imported"`
	Exported int        `json:"exported"`
	Escrowed int        `json:"escrowed"` // failed, to be tried again
	Entitled int        `json:"entitled"` // in scope
	Error    string     `json:"error"`
}

// Removal is what is left to do, and was done, of an integration that is gone. It is kept for a while after it ended.
type Removal struct {
	IntegrationID  string         `json:"integration_id" gorm:"primaryKey;column:id"`
	OrganizationID string         `json:"-"`
	Name           string         `json:"name"`
	TenantID       string         `json:"tenant_id"`
	State          TaskState      `json:"state"`
	Actor          string         `json:"actor"`
	Removed        map[string]int `json:"removed" gorm:"serializer:json"` // how many of each there were
	AtLeast        []string       `json:"at_least,omitempty" gorm:"-"`    // of what in Removed there may be more, of a removal that was not begun
	Steps          []TaskStep     `json:"steps" gorm:"serializer:json"`
	Left           []Leftover     `json:"left" gorm:"column:leftovers;serializer:json"`
	Plan           RemovalPlan    `json:"-" gorm:"serializer:json"`
	KeyID          string         `json:"-"` // which key sealed Access
	Access         []byte         `json:"-"` // what Microsoft Graph is reached with, sealed; nothing once the removal ended
	Attempts       int            `json:"-"`
	Lease          string         `json:"-"`
	Leased         *time.Time     `json:"-"`
	CreatedAt      time.Time      `json:"created_at"`
	UpdatedAt      time.Time      `json:"updated_at"`
	EndedAt        *time.Time     `json:"ended_at"`
}

// Ref names the integration that was.
func (r *Removal) Ref() Ref { return Ref{r.OrganizationID, r.IntegrationID} }

// RemovalPlan is what a removal needs of the integration that is gone.
type RemovalPlan struct {
	Integration Integration `json:"integration"` // whose JSON leaves the organization out
	Entra       SetupEntra  `json:"entra"`
	Adopted     bool        `json:"adopted"`
	Keep        bool        `json:"keep_in_entra"`
}

// Leftover is something in Entra that could not be taken away, and how somebody does that by hand.
type Leftover struct {
	What       string `json:"what"`
	Why        string `json:"why"`
	Portal     string `json:"portal"`     // where in the admin centre
	PowerShell string `json:"powershell"` // the same as a script
}
