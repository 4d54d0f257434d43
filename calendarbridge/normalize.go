package calendarbridge

import (
	"fmt"
	"strings"
	"time"

	"usher/internal/timezone"
	"usher/model"
	"usher/model/outlook"
)

// normalizer turns what Microsoft 365 says of an event into what Usher keeps of it. It is the same for every way in which an
// event comes, so that two hashes are equal where the event is.
type normalizer struct {
	clean *cleaner
	zones *zones // nil remembers none
	zone  string // IANA; of events whose own zone is not known. UTC where empty
}

// event gives the event as it is kept, with its hash, without what only the store knows: id, series, origin, round. The
// error names what is wrong with an event that cannot be kept, such as one without times.
func (n normalizer) event(cal model.Calendar, o outlook.Event) (model.Event, error) {
	c := n.clean
	e := model.Event{
		OrganizationID: cal.OrganizationID, IntegrationID: cal.IntegrationID, CalendarID: cal.ID,
		GraphID: o.ID, ChangeKey: o.ChangeKey, ICalUID: c.text(o.ICalUID, maxID), SeriesGraphID: o.SeriesMasterID,
		TransactionID: c.line(o.TransactionID), Kind: kindOf(o), Subject: c.line(o.Subject),
		Location: c.line(o.Location.DisplayName), LocationEmail: c.line(o.Location.Email),
		AllDay: o.AllDay, ShowAs: showAs(o.ShowAs), Sensitivity: sensitivity(o.Sensitivity), Status: status(o),
		Response: response(o.Response), IsOrganizer: o.IsOrganizer, MeetingURL: c.line(o.OnlineMeetingURL),
		Organizer: model.EventPerson{Email: c.line(o.Organizer.Email), Name: c.line(o.Organizer.Name)},
		Attendees: n.attendees(o.Attendees), Origin: model.OriginOutlook, SyncState: model.EventSynced,
	}
	if o.ID == "" || len(o.ID) > maxID {
		return e, fmt.Errorf("its id has %d bytes", len(o.ID))
	}
	if err := n.times(&e, o); err != nil {
		return e, err
	}
	if e.Kind == model.EventSeries && o.Recurrence != nil {
		e.Recurrence = writeRecurrence(*o.Recurrence)
	}
	e.OriginalStart = originalStart(e, o)
	e.Body = c.body(o.Body.ContentType, o.Body.Content)
	if e.Sensitivity == private {
		whole := e
		e.Whole = &whole
		mask(&e)
	}
	e.Hash = n.hash(e)
	return e, nil
}

// originalStart says which occurrence of its series the event is. One that was not moved starts there, whatever way it came.
func originalStart(e model.Event, o outlook.Event) *time.Time {
	at := e.Start.UTC
	switch {
	case e.Kind == model.EventOccurrence:
	case e.Kind == model.EventException && !o.OriginalStart.IsZero():
		at = o.OriginalStart.UTC().Truncate(time.Microsecond)
	default:
		return nil
	}
	return &at
}

// private is the sensitivity of events of which only the time is kept.
const private = "private"

// mask takes away what is never kept of a private event.
func mask(e *model.Event) {
	e.Subject, e.Body, e.Location, e.LocationEmail, e.MeetingURL = "", "", "", "", ""
	e.Organizer, e.Attendees = model.EventPerson{}, []model.EventPerson{}
}

// masked says whether mask takes a field away.
func masked(f field) bool {
	switch f {
	case fieldSubject, fieldBody, fieldLocation, fieldAttendees, fieldMeeting:
		return true
	case fieldTime, fieldShowAs, fieldSensitivity, fieldRecurrence, fieldCalendar:
	}
	return false
}

func (n normalizer) times(e *model.Event, o outlook.Event) error {
	zone := n.known(o.OriginalStartTimeZone, o.Start.TimeZone)
	var err error
	if e.AllDay {
		if e.Start, err = n.date(o.Start, zone); err != nil {
			return fmt.Errorf("its start: %w", err)
		}
		if e.End, err = n.date(o.End, zone); err != nil {
			return fmt.Errorf("its end: %w", err)
		}
		if !e.End.UTC.After(e.Start.UTC) {
			e.End = midnight(e.Start.UTC.AddDate(0, 0, 1), zone)
		}
		return nil
	}
	if e.Start, err = n.moment(o.Start, zone); err != nil {
		return fmt.Errorf("its start: %w", err)
	}
	if end, ok := timezone.IANA(o.OriginalEndTimeZone); ok {
		zone = end
	}
	if e.End, err = n.moment(o.End, zone); err != nil {
		return fmt.Errorf("its end: %w", err)
	}
	if e.End.UTC.Before(e.Start.UTC) {
		return fmt.Errorf("it ends at %s, before it starts at %s", e.End.UTC.Format(time.RFC3339), e.Start.UTC.Format(time.RFC3339))
	}
	return nil
}

// known gives the IANA name of the event's zone: the one it was made in, else the mailbox's, else the one that it was read
// in. A zone of its author's own making ("tzone://Microsoft/Custom") has none.
func (n normalizer) known(original, read string) string {
	for _, name := range []string{original, n.zone, read} {
		if iana, ok := timezone.IANA(name); ok && name != "" {
			return plainUTC(iana)
		}
	}
	return "UTC"
}

func plainUTC(iana string) string {
	if iana == "Etc/UTC" {
		return "UTC"
	}
	return iana
}

// moment reads a time in the zone that it came in, and gives it in the zone of the event.
func (n normalizer) moment(m outlook.Moment, zone string) (model.EventTime, error) {
	at, err := n.instant(m)
	if err != nil {
		return model.EventTime{}, err
	}
	loc, err := n.zones.load(zone)
	if err != nil {
		return model.EventTime{}, err
	}
	return model.EventTime{DateTime: timezone.Wall(at, loc), TimeZone: zone, UTC: at.UTC().Truncate(time.Microsecond)}, nil
}

func (n normalizer) instant(m outlook.Moment) (time.Time, error) {
	loc, err := n.zones.load(orElse(m.TimeZone, "UTC"))
	if err != nil {
		if loc, err = n.zones.load(n.known("", "")); err != nil {
			return time.Time{}, err
		}
	}
	at, err := timezone.Instant(m.DateTime, loc)
	if err == nil && (at.Year() < 1 || at.Year() > 9998) {
		err = fmt.Errorf("the year %d", at.Year())
	}
	return at, err
}

// date reads a date. Exchange gives whole days as midnights, whatever zone it is asked for; where a clock time comes with
// them all the same, the date is that of the event's own zone.
func (n normalizer) date(m outlook.Moment, zone string) (model.EventTime, error) {
	day, err := timezone.Instant(m.DateTime, time.UTC)
	if err != nil {
		return model.EventTime{}, err
	}
	if !day.Truncate(24 * time.Hour).Equal(day) {
		local, err := n.moment(m, zone)
		if err != nil {
			return model.EventTime{}, err
		}
		if day, err = timezone.Instant(local.DateTime, time.UTC); err != nil {
			return model.EventTime{}, err
		}
	}
	if day.Year() < 1 || day.Year() > 9998 {
		return model.EventTime{}, fmt.Errorf("the year %d", day.Year())
	}
	return midnight(day, zone), nil
}

func midnight(day time.Time, zone string) model.EventTime {
	day = day.UTC().Truncate(24 * time.Hour)
	return model.EventTime{DateTime: timezone.Wall(day, time.UTC), TimeZone: zone, UTC: day}
}

func (n normalizer) attendees(list []outlook.Attendee) []model.EventPerson {
	list = list[:min(len(list), maxAttendees)]
	out := make([]model.EventPerson, 0, len(list))
	for _, a := range list {
		kind := strings.ToLower(string(a.Type))
		if kind != string(outlook.Optional) && kind != string(outlook.Resource) {
			kind = string(outlook.Required)
		}
		out = append(out, model.EventPerson{Email: n.clean.line(a.Email), Name: n.clean.line(a.Name), Type: kind, Response: response(a.Response)})
	}
	return out
}

func kindOf(o outlook.Event) model.EventKind {
	switch o.Type {
	case outlook.Occurrence:
		return model.EventOccurrence
	case outlook.Exception:
		return model.EventException
	case outlook.SeriesMaster:
		return model.EventSeries
	case outlook.SingleInstance:
	}
	return model.EventSingle
}

// showAs takes what Graph may add one day, and its unknown, for busy: nobody is booked over by that.
func showAs(s string) string {
	switch s {
	case "free", "tentative", "busy", "oof", "workingElsewhere":
		return s
	}
	return "busy"
}

// sensitivity takes everything that is not said to be normal for private.
func sensitivity(s string) string {
	if s == "" || strings.EqualFold(s, "normal") {
		return "normal"
	}
	return private
}

func status(o outlook.Event) string {
	switch {
	case o.IsCancelled:
		return "cancelled"
	case o.ShowAs == "tentative" || o.Response == outlook.ResponseTentative:
		return "tentative"
	}
	return "confirmed"
}

func response(r outlook.Response) string {
	switch r {
	case outlook.ResponseAccepted, outlook.ResponseOrganizer:
		return "accepted"
	case outlook.ResponseTentative:
		return "tentative"
	case outlook.ResponseDeclined:
		return "declined"
	case outlook.ResponseNone, outlook.NotResponded:
	}
	return "none"
}
