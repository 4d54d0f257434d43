package calendarbridge

import (
	"time"

	"usher/model/store"
)

// SyncCalendar brings a calendar up to date. Full asks for everything anew, unless that has happened since At.
type SyncCalendar struct {
	OrganizationID string    `json:"organization_id"`
	CalendarID     string    `json:"calendar_id"`
	Full           bool      `json:"full,omitempty"`
	At             time.Time `json:"at,omitzero"`
}

// Kind names the job.
func (SyncCalendar) Kind() string { return "calendar.sync" }

// Outward says that the job waits for Microsoft 365.
func (SyncCalendar) Outward() bool { return true }

// SyncDue enqueues rounds of the calendars whose time has come; it is periodic, every 15 seconds or so.
type SyncDue struct{}

// Kind names the job.
func (SyncDue) Kind() string { return "calendar.sync_due" }

// WriteEvents sends what the application changed in a calendar.
type WriteEvents struct {
	OrganizationID string `json:"organization_id"`
	CalendarID     string `json:"calendar_id"`
}

// Kind names the job.
func (WriteEvents) Kind() string { return "calendar.write" }

// Outward says that the job waits for Microsoft 365.
func (WriteEvents) Outward() bool { return true }

// Discover enqueues DiscoverMailboxes of every integration; it is periodic, every few minutes.
type Discover struct{}

// Kind names the job.
func (Discover) Kind() string { return "calendar.discover" }

// DiscoverMailboxes looks at a page of an integration's accounts, behind the account After, and goes on with the next one.
type DiscoverMailboxes struct {
	OrganizationID string `json:"organization_id"`
	IntegrationID  string `json:"integration_id"`
	After          string `json:"after,omitempty"`
}

// Kind names the job.
func (DiscoverMailboxes) Kind() string { return "calendar.discover_mailboxes" }

// ReviewMailboxes ends a page of an integration's mailboxes, behind the mailbox After, whose accounts are gone, not active
// or not linked any more, and looks again for those whose time has come.
type ReviewMailboxes struct {
	OrganizationID string `json:"organization_id"`
	IntegrationID  string `json:"integration_id"`
	After          string `json:"after,omitempty"`
}

// Kind names the job.
func (ReviewMailboxes) Kind() string { return "calendar.review_mailboxes" }

// FindMailbox finds a mailbox in Microsoft 365 and lists its calendars.
type FindMailbox struct {
	OrganizationID string `json:"organization_id"`
	IntegrationID  string `json:"integration_id"`
	MailboxID      string `json:"mailbox_id"`
}

// Kind names the job.
func (FindMailbox) Kind() string { return "calendar.find_mailbox" }

// Outward says that the job waits for Microsoft 365.
func (FindMailbox) Outward() bool { return true }

// EndMailbox ends the subscriptions of a mailbox and takes its Outlook events out of the application; with Remove it forgets
// the mailbox altogether.
type EndMailbox struct {
	OrganizationID string `json:"organization_id"`
	IntegrationID  string `json:"integration_id"`
	MailboxID      string `json:"mailbox_id"`
	Remove         bool   `json:"remove,omitempty"`
	Reason         string `json:"reason,omitempty"`
}

// Kind names the job.
func (EndMailbox) Kind() string { return "calendar.end_mailbox" }

// Outward says that the job waits for Microsoft 365.
func (EndMailbox) Outward() bool { return true }

// EndCalendar does for one calendar what EndMailbox does.
type EndCalendar struct {
	OrganizationID string `json:"organization_id"`
	CalendarID     string `json:"calendar_id"`
	Reason         string `json:"reason,omitempty"`
}

// Kind names the job.
func (EndCalendar) Kind() string { return "calendar.end" }

// Outward says that the job waits for Microsoft 365.
func (EndCalendar) Outward() bool { return true }

// DiscoverRooms reads the rooms of an integration's tenant.
type DiscoverRooms struct {
	OrganizationID string `json:"organization_id"`
	IntegrationID  string `json:"integration_id"`
}

// Kind names the job.
func (DiscoverRooms) Kind() string { return "calendar.discover_rooms" }

// Outward says that the job waits for Microsoft 365.
func (DiscoverRooms) Outward() bool { return true }

// SubscribeCalendar makes the subscription of a calendar that has none yet.
type SubscribeCalendar struct {
	OrganizationID string `json:"organization_id"`
	CalendarID     string `json:"calendar_id"`
}

// Kind names the job.
func (SubscribeCalendar) Kind() string { return "calendar.subscribe" }

// Outward says that the job waits for Microsoft 365.
func (SubscribeCalendar) Outward() bool { return true }

// EnsureSubscriptions makes and renews the subscriptions whose time has come; it is periodic, every minute.
type EnsureSubscriptions struct{}

// Kind names the job.
func (EnsureSubscriptions) Kind() string { return "calendar.ensure_subscriptions" }

// Outward says that the job waits for Microsoft 365.
func (EnsureSubscriptions) Outward() bool { return true }

// CompareSubscriptions compares our subscriptions with Graph's; it is periodic, every USHER_SUBSCRIPTION_CHECK. With an
// integration it is that one's turn; without, it enqueues one job of each.
type CompareSubscriptions struct {
	OrganizationID string `json:"organization_id,omitempty"`
	IntegrationID  string `json:"integration_id,omitempty"`
}

// Kind names the job.
func (CompareSubscriptions) Kind() string { return "calendar.compare_subscriptions" }

// Outward says that the job waits for Microsoft 365.
func (CompareSubscriptions) Outward() bool { return true }

// TrimWrites deletes what is remembered of writes that were done a day ago; it is periodic, every hour.
type TrimWrites struct{}

// Kind names the job.
func (TrimWrites) Kind() string { return "calendar.trim_writes" }

// enqueueAll enqueues jobs in the transaction.
func enqueueAll[J store.Job](tx *store.Tx, list []J) error {
	jobs := make([]store.Job, len(list))
	for i, job := range list {
		jobs[i] = job
	}
	return tx.EnqueueAll(jobs)
}
