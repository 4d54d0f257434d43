package outlook

import "time"

// EventType says what an event is of a series (Graph: event.type).
type EventType string

// The types of events.
const (
	SingleInstance EventType = "singleInstance"
	Occurrence     EventType = "occurrence"
	Exception      EventType = "exception"
	SeriesMaster   EventType = "seriesMaster"
)

// Moment is what a clock on the wall shows in a zone (Graph: dateTimeTimeZone). DateTime is "2026-11-21T09:00:00", without
// offset and with up to seven decimals; TimeZone is a Windows or an IANA name, as it came.
type Moment struct {
	DateTime string
	TimeZone string
}

// Span is a time from one moment to another (Graph: timeSlot); zero where there is none.
type Span struct{ Start, End Moment }

// Address is a mailbox by its SMTP address.
type Address struct{ Email, Name string }

// AttendeeType says how much an attendee is wanted.
type AttendeeType string

// The types of attendees; a room is a resource.
const (
	Required AttendeeType = "required"
	Optional AttendeeType = "optional"
	Resource AttendeeType = "resource"
)

// Response is what somebody answered to an invitation (Graph: responseStatus.response).
type Response string

// The responses.
const (
	ResponseNone      Response = "none"
	ResponseOrganizer Response = "organizer"
	ResponseTentative Response = "tentativelyAccepted"
	ResponseAccepted  Response = "accepted"
	ResponseDeclined  Response = "declined"
	NotResponded      Response = "notResponded"
)

// Attendee is somebody, or a room, that is invited.
type Attendee struct {
	Address
	Type     AttendeeType
	Response Response
	At       time.Time // of the response; zero where there is none
	Proposed Span      // another time that came with the answer (Graph: proposedNewTime)
}

// Location is where an event takes place; Email is that of a room.
type Location struct{ DisplayName, Email string }

// Body is what an event says. ContentType is "html" or "text".
type Body struct{ ContentType, Content string }

// Event is one item of a calendar as its mailbox holds it. Of an occurrence in a delta only ID, ChangeKey, SeriesMasterID,
// Type, Start and End are there (Stub); of a removed item only ID.
type Event struct {
	ID             string // immutable, of this mailbox alone, case-sensitive
	ChangeKey      string // another one after each save, also by the server
	ICalUID        string // the same in the copies of organizer and attendees
	TransactionID  string // what the creator chose; in the organizer's copy alone
	SeriesMasterID string
	Type           EventType
	Removed        string // "deleted" or "changed" where a delta says @removed: gone, or out of the window
	Stub           bool   // what is not listed above is unknown, not empty

	Subject     string
	Body        Body
	BodyPreview string
	Location    Location
	Start, End  Moment
	AllDay      bool // Start and End are midnights, End the day after
	ShowAs      string
	Sensitivity string
	Importance  string
	Categories  []string

	// The zones that the event was made in; Start and End are read in UTC. "tzone://Microsoft/Custom" says that none is known.
	OriginalStartTimeZone, OriginalEndTimeZone string
	// OriginalStart is when the occurrence would begin by the series' pattern; zero where there is no series.
	OriginalStart time.Time

	IsCancelled bool
	IsOrganizer bool
	IsDraft     bool
	Organizer   Address
	Attendees   []Attendee
	Response    Response // of the mailbox's owner
	Recurrence  *Recurrence
	// CancelledOccurrences are ids, ExceptionOccurrences whole events; both are there only in the answer of Calendars.Master.
	CancelledOccurrences []string
	ExceptionOccurrences []Event

	OnlineMeeting    bool
	OnlineMeetingURL string
	WebLink          string
	Origin           string // the mark that Usher sets; never in a delta
	CreatedAt        time.Time
	UpdatedAt        time.Time
}

// Recurrence is how a series repeats (Graph: patternedRecurrence).
type Recurrence struct {
	Pattern Pattern
	Range   Range
}

// PatternType is one of Graph's six patterns.
type PatternType string

// The patterns.
const (
	Daily           PatternType = "daily"
	Weekly          PatternType = "weekly"
	AbsoluteMonthly PatternType = "absoluteMonthly"
	RelativeMonthly PatternType = "relativeMonthly"
	AbsoluteYearly  PatternType = "absoluteYearly"
	RelativeYearly  PatternType = "relativeYearly"
)

// Pattern says on which days a series has occurrences (Graph: recurrencePattern).
type Pattern struct {
	Type           PatternType
	Interval       int
	DaysOfWeek     []string // sunday … saturday
	FirstDayOfWeek string   // of weekly; sunday where empty
	DayOfMonth     int
	Month          int
	Index          string // first, second, third, fourth, last; first where empty
}

// RangeType says how a series ends.
type RangeType string

// The ranges.
const (
	EndDate  RangeType = "endDate"
	NoEnd    RangeType = "noEnd"
	Numbered RangeType = "numbered"
)

// Range says from when to when a series repeats (Graph: recurrenceRange). Dates are "2026-11-21".
type Range struct {
	Type                RangeType
	StartDate           string // the date of the master's start
	EndDate             string // of endDate; the last day that may have one
	NumberOfOccurrences int    // of numbered
	TimeZone            string // of the dates; the event's where empty
}

// Draft is what is written of an event: what is nil stays as it is, or gets Graph's default in a new one.
type Draft struct {
	Subject       *string
	Body          *Body
	Start, End    *Moment
	AllDay        *bool
	Location      *Location
	Attendees     *[]Attendee // whole; an empty list removes all
	ShowAs        *string
	Sensitivity   *string
	Recurrence    *Recurrence
	NoRecurrence  bool // makes a series a single event
	OnlineMeeting *bool
	// TransactionID makes a creation that is repeated with it the same event; creation alone.
	TransactionID string
	// Origin is a mark that stays with the event and can be searched for; "" leaves it.
	Origin string
}
