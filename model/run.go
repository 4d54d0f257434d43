package model

import "time"

// RunKind is what a run does.
type RunKind string

// The kinds of runs.
const (
	RunImport       RunKind = "import"
	RunPreview      RunKind = "preview"
	RunReevaluation RunKind = "reevaluation"
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

// A run plans without saving, then applies.
const (
	PhasePlan  RunPhase = "plan"
	PhaseApply RunPhase = "apply"
)

// Run is one import, preview or re-evaluation of one integration.
type Run struct {
	ID              string         `json:"id" gorm:"primaryKey"`
	OrganizationID  string         `json:"-"`
	IntegrationID   string         `json:"integration_id"`
	Kind            RunKind        `json:"kind"`
	State           RunState       `json:"state"`
	Phase           RunPhase       `json:"phase"`
	Progress        Progress       `json:"progress" gorm:"serializer:json"`
	Counts          map[Action]int `json:"counts" gorm:"serializer:json"` // of the plan: people by action
	Cursor          string         `json:"-"`                             // last directory user settled in this phase
	Approved        bool           `json:"-"`                             // an operator applied a held run
	CancelRequested bool           `json:"-"`
	Reason          string         `json:"reason"` // what asked for it
	Actor           string         `json:"actor"`
	Error           string         `json:"error"`
	CreatedAt       time.Time      `json:"created_at"`
	StartedAt       *time.Time     `json:"started_at"`
	FinishedAt      *time.Time     `json:"finished_at"`
	UpdatedAt       time.Time      `json:"updated_at"`
}

// Progress counts people in the run's current phase.
type Progress struct {
	Done  int `json:"done"`
	Total int `json:"total"`
}

// RunDecision is what a run's plan says about one person.
type RunDecision struct {
	RunID          string        `json:"-" gorm:"primaryKey"`
	SubjectID      string        `json:"-" gorm:"primaryKey"` // directory user
	OrganizationID string        `json:"-"`
	Email          string        `json:"-"`
	Name           string        `json:"-"`
	Action         Action        `json:"action"`
	Changes        []FieldChange `json:"changes" gorm:"serializer:json"`
	Reason         string        `json:"reason"`
}
