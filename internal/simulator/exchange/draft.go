package exchange

import (
	"slices"
	"strings"
	"time"

	"usher/internal/recurrence"
	"usher/internal/timezone"
	"usher/model/outlook"
)

// maxAttendees is Graph's limit.
const maxAttendees = 500

// apply writes what a draft has into an event.
func apply(e *outlook.Event, d outlook.Draft) {
	set(&e.Subject, d.Subject)
	set(&e.Body, d.Body)
	set(&e.Start, d.Start)
	set(&e.End, d.End)
	set(&e.AllDay, d.AllDay)
	set(&e.Location, d.Location)
	set(&e.ShowAs, d.ShowAs)
	set(&e.Sensitivity, d.Sensitivity)
	if d.Attendees != nil {
		e.Attendees = slices.Clone(*d.Attendees)
	}
	if d.Recurrence != nil {
		r := *d.Recurrence
		r.Pattern.DaysOfWeek = slices.Clone(r.Pattern.DaysOfWeek)
		e.Recurrence = &r
	}
	if d.NoRecurrence {
		e.Recurrence = nil
	}
	if d.Origin != "" {
		e.Origin = d.Origin
	}
}

func set[T any](target, value *T) {
	if value != nil {
		*target = *value
	}
}

// merge lays a later draft of an occurrence over an earlier one.
func merge(earlier, later outlook.Draft) outlook.Draft {
	over(&earlier.Subject, later.Subject)
	over(&earlier.Body, later.Body)
	over(&earlier.Start, later.Start)
	over(&earlier.End, later.End)
	over(&earlier.AllDay, later.AllDay)
	over(&earlier.Location, later.Location)
	over(&earlier.Attendees, later.Attendees)
	over(&earlier.ShowAs, later.ShowAs)
	over(&earlier.Sensitivity, later.Sensitivity)
	return earlier
}

func over[T any](target **T, value *T) {
	if value != nil {
		*target = value
	}
}

// check tells what Graph refuses of an event.
func check(e outlook.Event) error {
	for _, m := range []outlook.Moment{e.Start, e.End} {
		loc, err := timezone.Load(m.TimeZone)
		if err != nil {
			return badZone(m.TimeZone)
		}
		if _, err := timezone.Instant(m.DateTime, loc); err != nil {
			return invalid("The value '%s' of a dateTime is not valid.", m.DateTime)
		}
	}
	from, to := at(e.Start, e.AllDay), at(e.End, e.AllDay)
	switch {
	case to.Before(from):
		return failure(outlook.Invalid, 400, "ErrorCalendarEndDateIsEarlierThanStartDate", "The end date is earlier than the start date.")
	case e.AllDay && (from != from.Truncate(24*time.Hour) || to != to.Truncate(24*time.Hour) || !to.After(from) || e.Start.TimeZone != e.End.TimeZone):
		return invalid("The Event.Start and Event.End of an all-day event must be midnights of the same time zone, at least a day apart.")
	case len(e.Attendees) > maxAttendees:
		return invalid("An event may have %d attendees, not %d.", maxAttendees, len(e.Attendees))
	case !slices.Contains([]string{"free", "tentative", "busy", "oof", "workingElsewhere", "unknown"}, e.ShowAs):
		return invalid("'%s' is not a showAs.", e.ShowAs)
	case !slices.Contains([]string{"normal", "personal", "private", "confidential"}, e.Sensitivity):
		return invalid("'%s' is not a sensitivity.", e.Sensitivity)
	}
	for _, a := range e.Attendees {
		if !strings.Contains(a.Email, "@") {
			return failure(outlook.Invalid, 400, "ErrorInvalidRecipients", "At least one recipient isn't valid.")
		}
	}
	return nil
}

// checkSeries tells what Graph refuses of a series, and moves its start to the first occurrence.
func checkSeries(e *outlook.Event) error {
	if e.Recurrence == nil {
		return nil
	}
	if zone := e.Recurrence.Range.TimeZone; zone != "" {
		if _, err := timezone.Load(zone); err != nil {
			return badZone(zone)
		}
	}
	if err := recurrence.Check(e.Start, e.End, e.AllDay, *e.Recurrence); err != nil {
		return invalid("%s", err)
	}
	slots, err := recurrence.Expand(e.Start, e.End, e.AllDay, *e.Recurrence, outlook.Window{}, 1)
	if err != nil || len(slots) == 0 {
		return failure(outlook.Invalid, 400, "ErrorRecurrenceHasNoOccurrence", "The recurrence has no occurrence instances in the specified range.")
	}
	e.Start, e.End = shift(e.Start, slots[0].Start, e.AllDay), shift(e.End, slots[0].End, e.AllDay)
	return nil
}

// shift gives an instant as a moment of the same zone.
func shift(m outlook.Moment, to time.Time, allDay bool) outlook.Moment {
	loc := time.UTC
	if !allDay {
		if known, err := timezone.Load(m.TimeZone); err == nil {
			loc = known
		}
	}
	return outlook.Moment{DateTime: timezone.Wall(to, loc), TimeZone: m.TimeZone}
}

// told says of which changes attendees are told, the list of attendees aside.
func told(d outlook.Draft) bool {
	return d.Subject != nil || d.Body != nil || moves(d) || d.Location != nil || d.OnlineMeeting != nil
}

// moves says whether a draft is about when something takes place.
func moves(d outlook.Draft) bool {
	return d.Start != nil || d.End != nil || d.AllDay != nil || d.Recurrence != nil || d.NoRecurrence
}
