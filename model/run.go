package model

import "time"

// RunKind is what a run does.
type RunKind string

// The kinds of runs.
const (
	RunImport       RunKind = "import"
	RunPreview      RunKind = "preview"
	RunReevaluation RunKind = "reevaluation"
	RunUndo         RunKind = "undo" // takes back what another run applied
)

// RunState is where a run stands.
type RunState string

// The states of a run.
const (
	RunQueued    RunState = "queued"
	RunRunning   RunState = "running"
	RunHeld      RunState = "held"
	RunSucceeded RunState = "succeeded"
	RunFailed    RunState = "failed"
	RunCancelled RunState = "cancelled"
)

// Finished says whether the run has ended for good.
func (s RunState) Finished() bool {
	return s == RunSucceeded || s == RunFailed || s == RunCancelled
}

// RunPhase is which pass over the people a run is in.
type RunPhase string

// A run reads what it brings, plans without saving, then applies. Only imports read.
const (
	PhaseRead  RunPhase = "read"
	PhasePlan  RunPhase = "plan"
	PhaseApply RunPhase = "apply"
)

// Run is one import, preview, re-evaluation or undo of one integration.
type Run struct {
	ID             string                `json:"id" gorm:"primaryKey"`
	OrganizationID string                `json:"-"`
	IntegrationID  string                `json:"integration_id"`
	Kind           RunKind               `json:"kind"`
	State          RunState              `json:"state"`
	Phase          RunPhase              `json:"phase"`
	Progress       Progress              `json:"progress" gorm:"serializer:json"`
	Phases         map[RunPhase]Progress `json:"phases" gorm:"serializer:json"`  // progress of each phase that has begun
	Counts         map[Action]int        `json:"counts" gorm:"serializer:json"`  // of the plan: people by action
	Applied        map[Action]int        `json:"applied" gorm:"serializer:json"` // people by action, as far as it has been applied
	LeftAlone      int                   `json:"left"`                           // planned people who were left as they are; their decisions say why
	Guard          *GuardVerdict         `json:"guard" gorm:"serializer:json"`   // null until the plan is complete
	HeldBecause    string                `json:"held_because"`                   // why it is or was held, in a sentence
	Hash           string                `json:"hash"`                           // of the plan; "" until it is complete
	ExpiresAt      *time.Time            `json:"expires_at"`                     // until when the plan can be applied
	UndoOf         *string               `json:"undo_of"`                        // the run that this one takes back
	Settings       *PreviewSettings      `json:"settings" gorm:"serializer:json" doc:"Of a preview: what it supposed the settings to be."`
	Partial        bool                  `json:"partial"` // an operator applied it to some people only

	Cursor          string `json:"-"` // last person settled in this phase
	Approved        bool   `json:"-"` // an operator applied a held run
	CancelRequested bool   `json:"-"`
	Deactivated     int    `json:"-"` // accounts that it has deactivated without an operator's word
	Chain           string `json:"-"` // the hash, as far as the plan goes
	SettingsVersion int64  `json:"-"` // of the organization, when the plan began; of other settings, the one that they were made from

	Reason     string     `json:"reason"` // what asked for it
	Actor      string     `json:"actor"`
	Error      string     `json:"error"`
	CreatedAt  time.Time  `json:"created_at"`
	StartedAt  *time.Time `json:"started_at"`
	FinishedAt *time.Time `json:"finished_at"`
	UpdatedAt  time.Time  `json:"updated_at"`
}

// Ref names the integration that the run is of.
func (r *Run) Ref() Ref { return Ref{OrganizationID: r.OrganizationID, IntegrationID: r.IntegrationID} }

// Progress counts people in a phase of a run.
type Progress struct {
	Done  int `json:"done"`
	Total int `json:"total"`
}

// GuardVerdict is what the guard found of a complete plan.
type GuardVerdict struct {
	Active        int            `json:"active"`        // active accounts of the integration
	Limit         int            `json:"limit"`         // how many of them may be deactivated without a hold
	Deactivations int            `json:"deactivations"` // how many the run would deactivate
	Holds         bool           `json:"holds"`         // whether the run was held, or would be if it were no preview
	MissingGroups []MissingGroup `json:"missing_groups"`
}

// MissingGroup is a group that the settings name and that an import did not find as it was before.
type MissingGroup struct {
	ExternalID  string `json:"external_id"`
	DisplayName string `json:"display_name"`
	Use         string `json:"use"`     // mapped, chosen, or list
	Members     int    `json:"members"` // how many it had
	Gone        bool   `json:"gone"`    // it was not there; else it was, without members
}

// PreviewSettings are settings of an integration that a preview supposes; nil is as they are stored.
type PreviewSettings struct {
	GroupMappings *[]GroupMapping  `json:"group_mappings,omitempty"`
	FieldMappings *[]FieldMapping  `json:"field_mappings,omitempty"`
	Exclusions    *[]Exclusion     `json:"exclusions,omitempty"`
	ChosenGroups  *[]GroupSelector `json:"chosen_groups,omitempty"`
	RoleSync      *RoleSync        `json:"role_sync,omitempty"`
	DefaultRole   *string          `json:"default_role,omitempty"`
	Scope         *Scope           `json:"scope,omitempty"`
	NestedGroups  *bool            `json:"nested_groups,omitempty"`
	RequireGroup  *bool            `json:"require_group,omitempty"`
	Priority      *int             `json:"priority,omitempty"`
	Guard         *Guard           `json:"guard,omitempty"`
	Of            int64            `json:"-"` // version of the settings that these were made from; 0 for the present one
}

// DecisionState is what became of a decision of a plan.
type DecisionState string

// The states of a decision.
const (
	DecisionPlanned DecisionState = "planned"
	DecisionApplied DecisionState = "applied"
	DecisionLeft    DecisionState = "left" // the person was left as they are, for the reason in Note
)

// RunDecision is what a run's plan says about one person, and what became of it.
type RunDecision struct {
	RunID          string        `json:"-" gorm:"primaryKey"`
	SubjectID      string        `json:"-" gorm:"primaryKey"` // directory user
	OrganizationID string        `json:"-"`
	Email          string        `json:"-"`
	Name           string        `json:"-"`
	Action         Action        `json:"action"`
	Changes        []FieldChange `json:"changes" gorm:"serializer:json"`
	Reason         string        `json:"reason"`
	State          DecisionState `json:"state"`
	Note           string        `json:"note"`
	Rank           int           `json:"-"` // Action.Rank
	// What it was decided from: a digest of the decision, the versions of the person's rows, 0 where there is none.
	Digest         string        `json:"-"`
	UserVersion    int64         `json:"-"`
	AccountID      *string       `json:"-"` // once it is applied, also of an account that it made
	AccountVersion int64         `json:"-"`
	Was            *AccountState `json:"-" gorm:"serializer:json"` // what stood before it was applied
	AppliedVersion int64         `json:"-"`                        // of the account, once it is applied
}

// AccountState is what a run may change of an account and its link, as it was.
type AccountState struct {
	Existed      bool           `json:"existed"`
	Linked       bool           `json:"linked"` // the directory user to the account
	Explanation  Explanation    `json:"explanation"`
	Email        string         `json:"email"`
	UserName     string         `json:"user_name"`
	DisplayName  string         `json:"display_name"`
	GivenName    string         `json:"given_name"`
	FamilyName   string         `json:"family_name"`
	Status       AccountStatus  `json:"status"`
	StatusCause  StatusCause    `json:"status_cause"`
	Department   string         `json:"department"`
	JobTitle     string         `json:"job_title"`
	Language     string         `json:"language"`
	TimeZone     string         `json:"time_zone"`
	Currency     string         `json:"currency"`
	Roles        []string       `json:"roles"`
	Permissions  []Permission   `json:"permissions"`
	CustomFields map[string]any `json:"custom_fields"`
	EmployeeID   *string        `json:"employee_id"`
}
