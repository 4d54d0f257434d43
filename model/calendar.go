package model

import (
	"encoding/json"
	"time"
)

// MailboxState says whether a mailbox can be synchronized.
type MailboxState string

// The states of a mailbox.
const (
	MailboxPending MailboxState = "pending" // not yet looked for in Microsoft 365
	MailboxActive  MailboxState = "active"
	MailboxMissing MailboxState = "missing" // there is no mailbox; looked for again when the person changes, and once a day
	MailboxBlocked MailboxState = "blocked" // Graph refuses access to it; tried again after hours
	MailboxOff     MailboxState = "off"     // switched off, or the account is not active
)

// Mailbox is where the calendars of an account, or of a room, are in the integration's tenant.
type Mailbox struct {
	ID             string       `json:"id" gorm:"primaryKey"`
	OrganizationID string       `json:"-"`
	IntegrationID  string       `json:"integration_id"`
	AccountID      *string      `json:"account_id"` // of one of both is the mailbox
	RoomID         *string      `json:"room_id"`
	GraphUserID    string       `json:"graph_user_id"` // object id; "" until it was found
	Address        string       `json:"address"`
	State          MailboxState `json:"state"`
	Detail         string       `json:"detail"` // why, in a sentence
	Enabled        bool         `json:"enabled"`
	TriedAt        *time.Time   `json:"tried_at"`
	RetryAt        *time.Time   `json:"retry_at"`
	CreatedAt      time.Time    `json:"created_at"`
	UpdatedAt      time.Time    `json:"updated_at"`
}

// Ref names the integration.
func (m Mailbox) Ref() Ref { return Ref{m.OrganizationID, m.IntegrationID} }

// Room is a meeting room of the tenant.
type Room struct {
	ID             string    `json:"id" gorm:"primaryKey"`
	OrganizationID string    `json:"-"`
	IntegrationID  string    `json:"integration_id"`
	Email          string    `json:"email"`
	EmailKey       string    `json:"-"`
	DisplayName    string    `json:"display_name"`
	Capacity       int       `json:"capacity"` // 0 where Microsoft 365 does not say
	Building       string    `json:"building"`
	Floor          string    `json:"floor"`
	CreatedAt      time.Time `json:"created_at"`
	UpdatedAt      time.Time `json:"updated_at"`
}

// SubscriptionState says how Microsoft 365 tells of a calendar's changes.
type SubscriptionState string

// The states of a subscription. A calendar with none, because it is disabled, has the state none; one that cannot be subscribed
// to is polled.
const (
	SubscriptionNone    SubscriptionState = "none"
	SubscriptionPending SubscriptionState = "pending"
	SubscriptionActive  SubscriptionState = "active"
	SubscriptionFailed  SubscriptionState = "failed" // polled until a later attempt succeeds; Detail says why
)

// Calendar is one calendar of a mailbox, and how far it has been synchronized.
type Calendar struct {
	ID             string    `json:"id" gorm:"primaryKey"`
	OrganizationID string    `json:"-"`
	IntegrationID  string    `json:"integration_id"`
	MailboxID      string    `json:"mailbox_id"`
	AccountID      *string   `json:"account_id"`
	RoomID         *string   `json:"room_id"`
	GraphID        string    `json:"-"`
	Name           string    `json:"name"`
	IsDefault      bool      `json:"is_default"`
	CanEdit        bool      `json:"can_edit"`
	Enabled        bool      `json:"enabled"`
	CreatedAt      time.Time `json:"created_at"`
	UpdatedAt      time.Time `json:"updated_at"`

	Sync         CalendarSync         `json:"-" gorm:"embedded;embeddedPrefix:sync_"`
	Subscription CalendarSubscription `json:"subscription" gorm:"embedded;embeddedPrefix:sub_"`
}

// Ref names the integration.
func (c Calendar) Ref() Ref { return Ref{c.OrganizationID, c.IntegrationID} }

// CalendarSync is how far a calendar has been synchronized. Dirty grows with every reason to look at it, and Clean is what Dirty
// was when the last round that ended began: the calendar is clean where both are equal.
type CalendarSync struct {
	Link       string // of the next page, or of the next round; "" begins a full round
	InRound    bool   // Link leads to a page of a round that has begun
	Full       bool   // that round brings everything, so that what it does not bring is gone
	Round      int64  // number of the round that has begun last; events carry that of when they were last seen
	From, To   time.Time
	Dirty      int64
	Clean      int64
	Queued     bool       // a job waits that has not begun
	Leased     *time.Time // until when one worker has the calendar
	Lease      string     // that worker's name for the lease
	SyncedAt   *time.Time // end of the last round
	ChangedAt  *time.Time // when the oldest reason came that is not worked off yet, for the lag
	Failures   int
	Error      string // of the last attempt; "" after a success
	NextAt     *time.Time
	SweptAt    *time.Time // when a full round last ended
	Pages      int        // of the round that has begun
	LastPage   string     // hash of the ids of the last page, to notice one that comes again
	AgainAfter *time.Time // a round that is repeated because Graph may have lagged behind its own notification
}

// CalendarSubscription is a calendar's subscription at Graph. The client state is random, per calendar, and known by its hash
// alone.
type CalendarSubscription struct {
	State       SubscriptionState `json:"state"`
	GraphID     string            `json:"-"`
	SecretHash  string            `json:"-"`
	ExpiresAt   *time.Time        `json:"expires_at"`
	RenewAt     *time.Time        `json:"-"`
	TouchedAt   *time.Time        `json:"-"`           // when it was last renewed or reauthorized: never both within ten minutes
	NotifiedAt  *time.Time        `json:"notified_at"` // when Microsoft 365 last told of a change
	Failures    int               `json:"-"`
	Detail      string            `json:"-"`
	Unsupported bool              `json:"-"` // the tenant refuses subscriptions to this kind of mailbox
}

// EventKind says what an event is of a series.
type EventKind string

// The kinds of events.
const (
	EventSingle     EventKind = "single"
	EventSeries     EventKind = "series"
	EventOccurrence EventKind = "occurrence"
	EventException  EventKind = "exception"
)

// EventOrigin says who made an event.
type EventOrigin string

// The origins.
const (
	OriginOutlook EventOrigin = "outlook"
	OriginUsher   EventOrigin = "usher"
)

// EventSync says whether both sides agree about an event.
type EventSync string

// The states of an event's synchronization.
const (
	EventSynced  EventSync = "synced"
	EventPending EventSync = "pending" // a write to Microsoft 365 is under way
	EventFailed  EventSync = "failed"  // it was refused; SyncError says why
)

// EventTime is what a clock on the wall shows in an IANA zone, and the instant that this is. All-day events have midnights, and
// their instants are those of UTC.
type EventTime struct {
	DateTime string    `json:"date_time"` // 2026-11-21T09:00:00
	TimeZone string    `json:"time_zone"` // IANA
	UTC      time.Time `json:"-"`
}

// EventPerson is an organizer or attendee.
type EventPerson struct {
	Email    string `json:"email"`
	Name     string `json:"name"`
	Type     string `json:"type,omitempty"`     // required, optional or resource; of attendees
	Response string `json:"response,omitempty"` // none, accepted, tentative or declined; of attendees
}

// Event is one event of a calendar. A private one has no subject, body, location, organizer or attendees.
type Event struct {
	ID             string          `json:"id" gorm:"primaryKey"`
	OrganizationID string          `json:"-"`
	IntegrationID  string          `json:"integration_id"`
	CalendarID     string          `json:"calendar_id"`
	GraphID        string          `json:"-"` // "" until Graph has given one
	ICalUID        string          `json:"ical_uid" gorm:"column:ical_uid"`
	Kind           EventKind       `json:"kind"`
	SeriesID       *string         `json:"series_id"`
	SeriesGraphID  string          `json:"-"`
	OriginalStart  *time.Time      `json:"original_start,omitempty"`
	Subject        string          `json:"subject"`
	Body           string          `json:"body"` // HTML, cleaned
	Location       string          `json:"location"`
	LocationEmail  string          `json:"-"`
	Start          EventTime       `json:"start" gorm:"embedded;embeddedPrefix:start_"`
	End            EventTime       `json:"end" gorm:"embedded;embeddedPrefix:end_"`
	AllDay         bool            `json:"all_day"`
	ShowAs         string          `json:"show_as"`
	Sensitivity    string          `json:"sensitivity"` // normal or private
	Status         string          `json:"status"`      // confirmed, tentative or cancelled
	Response       string          `json:"response"`    // of the mailbox's owner: none, accepted, tentative or declined
	IsOrganizer    bool            `json:"is_organizer"`
	Organizer      EventPerson     `json:"organizer" gorm:"serializer:json"`
	Attendees      []EventPerson   `json:"attendees" gorm:"serializer:json"`
	Recurrence     json.RawMessage `json:"recurrence,omitempty"` // Graph's pattern and range; of a series
	MeetingURL     string          `json:"online_meeting_url"`
	Origin         EventOrigin     `json:"origin"`
	SyncState      EventSync       `json:"sync_state"`
	SyncError      string          `json:"sync_error,omitempty"`
	ChangeKey      string          `json:"-"` // of the last state of Graph's that is known
	Hash           string          `json:"-"` // of that state's contents, normalized
	TransactionID  string          `json:"-"`
	Round          int64           `json:"-"` // in which a full round last saw it
	Version        int64           `json:"-"`
	CreatedAt      time.Time       `json:"created_at"`
	UpdatedAt      time.Time       `json:"updated_at"`
	// Whole is a private event with what is never kept of it, of a state that was just read from Microsoft 365: whether a change has
	// arrived there can be told by nothing else. It is not stored.
	Whole *Event `json:"-" gorm:"-"`
}

// Ref names the integration.
func (e Event) Ref() Ref { return Ref{e.OrganizationID, e.IntegrationID} }

// WriteOp is what an EventWrite does to an event in Microsoft 365.
type WriteOp string

// The operations.
const (
	WriteCreate WriteOp = "create"
	WriteUpdate WriteOp = "update"
	WriteCancel WriteOp = "cancel"
	WriteDelete WriteOp = "delete"
)

// EventWrite is one change of the application's that is on its way to Microsoft 365. Those of one event go one after the other.
// A write that was Sent and has no answer may have arrived: it is repeated in a form that does it once.
type EventWrite struct {
	ID             string          `gorm:"primaryKey"`
	OrganizationID string          //
	IntegrationID  string          //
	CalendarID     string          //
	EventID        string          //
	Op             WriteOp         //
	Draft          json.RawMessage // the fields that the application set, as calendarbridge writes them
	Base           json.RawMessage // what these fields were in Graph's last known state, to see what Outlook changed meanwhile
	ChangeKey      string          // of that state
	Comment        string          // of a cancellation
	Sent           bool            //
	Attempts       int             //
	NextAt         time.Time       //
	Error          string          //
	Done           bool            // it is kept for a while, to recognize its echo
	ResultKey      string          // the change key that Graph answered with
	ResultHash     string          //
	CreatedAt      time.Time       //
	UpdatedAt      time.Time       //
}
