package entra

import (
	"encoding/json"
	"time"
)

// Application is what instantiating an application template makes: an application, and its service principal.
type Application struct {
	ObjectID           string // of the application
	AppID              string // client id
	ServicePrincipalID string // object id of the service principal
	DisplayName        string
}

// ServicePrincipal is an application's instance in the tenant.
type ServicePrincipal struct {
	ID, AppID, DisplayName string
	Roles                  []AppRole
}

// AppRole is a role of an application that users and groups can be assigned to.
type AppRole struct {
	ID, Name string
	Enabled  bool
	ForUsers bool
	Platform bool // for the platform's own use, msiam_access
}

// Secret is one key and value of the stored credentials of a provisioning job: BaseAddress, SecretToken, SyncAll,
// SkipOutOfScopeDeletions, SyncNotificationSettings.
type Secret struct{ Key, Value string }

// Job is a provisioning job of a service principal (Graph: synchronizationJob).
type Job struct {
	ID         string
	TemplateID string
	State      string // of its schedule: Active, Disabled or Paused
	Interval   time.Duration
	Status     JobStatus
}

// JobStatus is how a job is getting on.
type JobStatus struct {
	Code               string // NotConfigured, NotRun, Active, Paused or Quarantine
	SuccessiveFailures int
	Last               *JobExecution
	LastSuccessful     *JobExecution
	Quarantine         *Quarantine
	SteadyStateAt      time.Time
	Synchronized       map[string]int // entries by type, User and Group
	Completed, Total   int            // of the cycle under way
	TroubleshootingURL string
}

// JobExecution is one cycle of a job.
type JobExecution struct {
	State                                  string // Succeeded, Failed or EntryLevelErrors
	Begun, Ended                           time.Time
	Imported, Exported, Escrowed, Entitled int
	ErrorCode, ErrorMessage, Action        string // Action is what the tenant can do about it
}

// Quarantine is why Entra calls an endpoint seldom or no more.
type Quarantine struct {
	Reason                  string // EncounteredQuarantineException, TooManyDeletes, …
	Begun, NextAttempt      time.Time
	ErrorCode, ErrorMessage string
}

// Schema is a job's mappings as Graph has them: they are changed as raw JSON, so that what is not known here survives.
type Schema = json.RawMessage

// Grant is a permission that an administrator has given an application: of the application itself (a role) or in the name of
// users (scopes).
type Grant struct {
	ID         string
	Delegated  bool
	ResourceID string // service principal that the permission is of
	Name       string // role id, or the scopes
}
