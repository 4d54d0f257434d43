package model

import "time"

// OperationKind is what an operation does in Entra.
type OperationKind string

// The kinds of operations.
const (
	OperationCreateUser    OperationKind = "create_user"
	OperationUpdateUser    OperationKind = "update_user"
	OperationDeleteUser    OperationKind = "delete_user"
	OperationRestoreUser   OperationKind = "restore_user"
	OperationOffboardUser  OperationKind = "offboard_user"
	OperationAddMember     OperationKind = "add_member"
	OperationRemoveMember  OperationKind = "remove_member"
	OperationAddLicence    OperationKind = "add_licence"
	OperationRemoveLicence OperationKind = "remove_licence"
)

// OperationState is where an operation stands.
type OperationState string

// The states of an operation.
const (
	OperationScheduled OperationState = "scheduled" // for a time to come
	OperationQueued    OperationState = "queued"
	OperationRunning   OperationState = "running"
	OperationSucceeded OperationState = "succeeded"
	OperationFailed    OperationState = "failed"
	OperationCancelled OperationState = "cancelled"
	OperationPlanned   OperationState = "planned" // of a preview, which is stored nowhere
)

// OperationError is why an operation failed, and what can be done about it.
type OperationError struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// Operation is something that is done in a tenant of Entra, step by step. What it holds of a password is sealed, and is nothing
// from the moment that Entra has it, that the operation fails, or that an hour has passed.
type Operation struct {
	ID             string           `json:"id"`
	OrganizationID string           `json:"-"`
	IntegrationID  string           `json:"integration_id"`
	Kind           OperationKind    `json:"kind"`
	State          OperationState   `json:"state"`
	Open           bool             `json:"-"`         // it has not ended
	Subject        string           `json:"-"`         // whom it is about: one operation of a subject is worked at a time
	Claim          string           `json:"-"`         // what of the subject no second open operation may want
	UserID         string           `json:"user_id"`   // object id in Entra; "" until a new user has one
	UserName       string           `json:"user_name"` // user principal name, as far as it is known
	AccountID      *string          `json:"account_id"`
	Automatic      bool             `json:"automatic"` // it follows from a change of an account
	Actor          string           `json:"actor"`
	Request        OperationRequest `json:"request" gorm:"serializer:json"`
	Error          *OperationError  `json:"error" gorm:"serializer:json"`
	Result         map[string]any   `json:"result" gorm:"serializer:json"`
	KeyID          string           `json:"-"` // which key sealed the password
	Sealed         []byte           `json:"-"`
	SealedUntil    *time.Time       `json:"-"`
	At             *time.Time       `json:"at"` // when it is to begin, of one that was asked for ahead of time
	NextAt         time.Time        `json:"next_attempt_at"`
	Failures       int              `json:"-"` // attempts in a row that got nowhere
	Lease          string           `json:"-"`
	LeasedUntil    *time.Time       `json:"-"`
	Steps          []OperationStep  `json:"steps" gorm:"-"`
	CreatedAt      time.Time        `json:"created_at"`
	StartedAt      *time.Time       `json:"started_at"`
	FinishedAt     *time.Time       `json:"finished_at"`
	UpdatedAt      time.Time        `json:"updated_at"`
}

// Ref names the integration that the operation belongs to.
func (o *Operation) Ref() Ref { return Ref{o.OrganizationID, o.IntegrationID} }

// OperationRequest is what an operation was asked for with. A password is never part of it.
type OperationRequest struct {
	Profile   map[string]string `json:"profile,omitempty"` // properties of a user by Graph's names; "" clears one
	ManagerID *string           `json:"manager_id,omitempty"`
	Enabled   *bool             `json:"account_enabled,omitempty"`
	Groups    []string          `json:"groups,omitempty"`
	Licences  []string          `json:"licences,omitempty"`
	Offboard  *OffboardPlan     `json:"offboard,omitempty"`
}

// OffboardPlan says what of a person who leaves is taken away, besides the sign-in itself.
type OffboardPlan struct {
	RevokeSessions bool `json:"revoke_sessions"`
	RemoveGroups   bool `json:"remove_groups"`
	RemoveLicences bool `json:"remove_licences"`
	Delete         bool `json:"delete"`
}

// StepAction is what a step does.
type StepAction string

// The actions of steps.
const (
	StepDeactivateAccount StepAction = "deactivate_account" // in Usher
	StepCheck             StepAction = "check"              // whatever can be known before anything is written
	StepCreate            StepAction = "create"
	StepUpdate            StepAction = "update"
	StepEnable            StepAction = "enable"
	StepDisable           StepAction = "disable"
	StepRevokeSessions    StepAction = "revoke_sessions"
	StepReadGroups        StepAction = "read_groups" // adds a step per group
	StepAddMember         StepAction = "add_member"
	StepRemoveMember      StepAction = "remove_member"
	StepReadLicences      StepAction = "read_licences" // adds a step per licence
	StepAddLicence        StepAction = "add_licence"
	StepRemoveLicence     StepAction = "remove_licence"
	StepDelete            StepAction = "delete"
	StepRestore           StepAction = "restore"
)

// StepState is where a step stands.
type StepState string

// The states of a step.
const (
	StepPending StepState = "pending"
	StepDone    StepState = "done"
	StepSkipped StepState = "skipped" // it was not needed, or cannot be done by anybody; Outcome says which
	StepFailed  StepState = "failed"
)

// OperationStep is one step of an operation and what is known of it: the evidence.
type OperationStep struct {
	OperationID    string     `json:"-"`
	Position       int        `json:"-"`
	OrganizationID string     `json:"-"`
	Action         StepAction `json:"action"`
	Target         string     `json:"target,omitempty"` // object id of a group, or id of a licence
	Name           string     `json:"name,omitempty"`   // of the target
	State          StepState  `json:"state"`
	Sent           bool       `json:"-"` // an attempt was begun whose answer is not known: it may have been carried out
	Attempts       int        `json:"attempts"`
	Code           string     `json:"code,omitempty"` // of a failure
	Outcome        string     `json:"outcome"`        // what happened, in words
	RequestID      string     `json:"request_id,omitempty"`
	StartedAt      *time.Time `json:"started_at"`
	FinishedAt     *time.Time `json:"finished_at"`
}
