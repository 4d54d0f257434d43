package model

import (
	"encoding/json"
	"time"
)

// ChangeType names what happened; the names are part of the interface.
type ChangeType string

// The change types that exist so far.
const (
	AccountCreated            ChangeType = "account.created"
	AccountUpdated            ChangeType = "account.updated"
	AccountWasDeactivated     ChangeType = "account.deactivated"
	AccountReactivated        ChangeType = "account.reactivated"
	AccountWasArchived        ChangeType = "account.archived"
	AccountDeleted            ChangeType = "account.deleted"
	AccountRolesChanged       ChangeType = "account.roles_changed"
	AccountPermissionsChanged ChangeType = "account.permissions_changed"
	DirectoryUserCreated      ChangeType = "directory_user.created"
	DirectoryUserUpdated      ChangeType = "directory_user.updated"
	DirectoryUserDeleted      ChangeType = "directory_user.deleted"
	DirectoryGroupCreated     ChangeType = "directory_group.created"
	DirectoryGroupUpdated     ChangeType = "directory_group.updated"
	DirectoryGroupDeleted     ChangeType = "directory_group.deleted"
	MembershipAdded           ChangeType = "membership.added"
	MembershipRemoved         ChangeType = "membership.removed"
	ListCreated               ChangeType = "list.created"
	ListUpdated               ChangeType = "list.updated"
	ListDeleted               ChangeType = "list.deleted"
	EmployeeCreated           ChangeType = "employee.created"
	EmployeeUpdated           ChangeType = "employee.updated"
	EmployeeWasPending        ChangeType = "employee.pending"
	EmployeeWasArchived       ChangeType = "employee.archived"
	EmployeeDeleted           ChangeType = "employee.deleted" // the record is gone; what is known of the person otherwise stays
	RunStarted                ChangeType = "run.started"
	RunFinished               ChangeType = "run.finished"
	RunWasHeld                ChangeType = "run.held"
	IntegrationCreated        ChangeType = "integration.created"
	IntegrationUpdated        ChangeType = "integration.updated"
	IntegrationRemoved        ChangeType = "integration.removed"
	IntegrationMassDeactivate ChangeType = "integration.mass_deactivation"
	IntegrationQuarantined    ChangeType = "integration.quarantined"
	IntegrationGroupMissing   ChangeType = "integration.group_missing" // a group that the settings name has vanished or is empty
	IntegrationImportFailed   ChangeType = "integration.import_failed"
	CalendarCreated           ChangeType = "calendar.created"
	CalendarUpdated           ChangeType = "calendar.updated"
	CalendarRemoved           ChangeType = "calendar.removed"
	EventCreated              ChangeType = "event.created"
	EventUpdated              ChangeType = "event.updated"
	EventCancelled            ChangeType = "event.cancelled"
	EventDeleted              ChangeType = "event.deleted"
	OperationHasSucceeded     ChangeType = "operation.succeeded"
	OperationHasFailed        ChangeType = "operation.failed"
)

// ChangeTypes lists every type that the feed can have.
func ChangeTypes() []ChangeType {
	return []ChangeType{
		AccountCreated, AccountUpdated, AccountWasDeactivated, AccountReactivated,
		AccountWasArchived, AccountDeleted, AccountRolesChanged, AccountPermissionsChanged,
		DirectoryUserCreated, DirectoryUserUpdated, DirectoryUserDeleted, DirectoryGroupCreated,
		DirectoryGroupUpdated, DirectoryGroupDeleted, MembershipAdded, MembershipRemoved,
		ListCreated, ListUpdated, ListDeleted, EmployeeCreated,
		EmployeeUpdated, EmployeeWasPending, EmployeeWasArchived, EmployeeDeleted,
		RunStarted, RunFinished, RunWasHeld, IntegrationCreated,
		IntegrationUpdated, IntegrationRemoved, IntegrationMassDeactivate, IntegrationGroupMissing,
		CalendarCreated, CalendarUpdated, CalendarRemoved, EventCreated,
		EventUpdated, EventCancelled, EventDeleted, OperationHasSucceeded,
		OperationHasFailed,
		WebhookWasDisabled, IntegrationQuarantined, IntegrationImportFailed,
	}
}

// Change is one entry of the ordered change feed. Seq is the order of insertion, which is not the order of commit;
// Position is given once the entry is committed and is what readers page by: an entry has a position only when every
// entry of a smaller position can be read (docs/decisions/0004).
type Change struct {
	Seq            int64           `json:"-" gorm:"primaryKey;autoIncrement"`
	Position       *int64          `json:"position"`
	OrganizationID string          `json:"-"`
	Type           ChangeType      `json:"type"`
	OccurredAt     time.Time       `json:"occurred_at"`
	IntegrationID  *string         `json:"integration_id"`
	SubjectType    string          `json:"subject_type"`
	SubjectID      string          `json:"subject_id"`
	Actor          string          `json:"actor"`
	Data           json.RawMessage `json:"data"`
}

// Activity is one line of the administrator's log. It is append-only and outlives what it speaks of.
type Activity struct {
	ID             string          `json:"id" gorm:"primaryKey"`
	OrganizationID string          `json:"-"`
	IntegrationID  *string         `json:"integration_id"`
	OccurredAt     time.Time       `json:"occurred_at"`
	Actor          string          `json:"actor"`
	Action         string          `json:"action"` // account.created, group_mappings.changed, …
	SubjectType    string          `json:"subject_type"`
	SubjectID      string          `json:"subject_id"`
	Subject        string          `json:"subject"` // the name it had
	Summary        string          `json:"summary"` // what happened and why, in a sentence
	Data           json.RawMessage `json:"data"`    // before and after, where that says more
}
