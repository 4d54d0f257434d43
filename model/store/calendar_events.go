package store

import (
	"encoding/json"
	"strings"
	"time"

	"usher/model"
)

// eventColumns are in the order of eventValues and scanEvent.
const eventColumns = `id, organization_id, integration_id, calendar_id, graph_id, ical_uid, kind, series_id, series_graph_id,
 original_start, subject, body, location, location_email, start_date_time, start_time_zone, start_utc, end_date_time, end_time_zone,
 end_utc, all_day, show_as, sensitivity, status, response, is_organizer, organizer, attendees, recurrence, meeting_url, origin,
 sync_state, sync_error, change_key, hash, transaction_id, round, version, created_at, updated_at`

func scanEvent(r scanner, e *model.Event) error {
	var organizer, attendees, recurrence []byte
	err := r.Scan(&e.ID, &e.OrganizationID, &e.IntegrationID, &e.CalendarID, &e.GraphID, &e.ICalUID, &e.Kind, &e.SeriesID, &e.SeriesGraphID,
		&e.OriginalStart, &e.Subject, &e.Body, &e.Location, &e.LocationEmail, &e.Start.DateTime, &e.Start.TimeZone, &e.Start.UTC,
		&e.End.DateTime, &e.End.TimeZone, &e.End.UTC, &e.AllDay, &e.ShowAs, &e.Sensitivity, &e.Status, &e.Response, &e.IsOrganizer,
		&organizer, &attendees, &recurrence, &e.MeetingURL, &e.Origin, &e.SyncState, &e.SyncError, &e.ChangeKey, &e.Hash, &e.TransactionID,
		&e.Round, &e.Version, &e.CreatedAt, &e.UpdatedAt)
	if err != nil {
		return err
	}
	inUTC(e.OriginalStart, &e.Start.UTC, &e.End.UTC, &e.CreatedAt, &e.UpdatedAt)
	if recurrence != nil {
		e.Recurrence = append(json.RawMessage(nil), recurrence...) // what was scanned may be the driver's
	}
	if err := json.Unmarshal(organizer, &e.Organizer); err != nil {
		return err
	}
	return json.Unmarshal(attendees, &e.Attendees)
}

// events reads those that a condition names.
func (r *Reader) events(where string, args ...any) ([]model.Event, error) {
	return r.eventsBy("", where, args...)
}

// eventsBy is events by way of an index that SQLite is told.
func (r *Reader) eventsBy(index, where string, args ...any) ([]model.Event, error) {
	if index != "" {
		index = r.indexedBy(index)
	}
	list := []model.Event{}
	err := r.query(statement{
		sql: "SELECT " + eventColumns + " FROM events" + index + " WHERE " + where, args: args,
		scan: func(row scanner) error { return scanAppend(row, &list, scanEvent) },
	})
	return list, translate(err)
}

// Event reads one event.
func (r *Reader) Event(organizationID, id string) (model.Event, error) {
	return r.event(organizationID, id, "")
}

// LockEvent reads one event and keeps other writers of it out until the transaction ends.
func (tx *Tx) LockEvent(organizationID, id string) (model.Event, error) {
	return tx.event(organizationID, id, tx.forUpdate())
}

func (r *Reader) event(organizationID, id, lock string) (model.Event, error) {
	if !ValidID(id) {
		return model.Event{}, notFound("event", id)
	}
	list, err := r.events("id = ? AND "+r.beside("organization_id")+lock, id, organizationID)
	return first(list, err, "event", id)
}

// ofCalendar gives the condition that events are of a calendar, beside one that an index is for. What is not an id finds
// nothing.
func (r *Reader) ofCalendar(c model.Calendar) (condition string, args []any, ok bool) {
	return "calendar_id = ? AND " + r.beside("organization_id") + " AND " + r.beside("integration_id"),
		[]any{c.ID, c.OrganizationID, c.IntegrationID}, ValidID(c.ID) && ValidID(c.IntegrationID)
}

// EventsByGraphID reads those of the calendar's events that have one of Microsoft 365's ids, by these.
func (r *Reader) EventsByGraphID(c model.Calendar, ids []string) (map[string]model.Event, error) {
	found := map[string]model.Event{}
	of, args, ok := r.ofCalendar(c)
	if !ok || len(ids) == 0 {
		return found, nil
	}
	list, err := r.eventsOfEach("", "graph_id", of, args, ids, "")
	for i := range list {
		found[list[i].GraphID] = list[i]
	}
	return found, err
}

// EventsOfSeries reads the occurrences and exceptions of a series, by Microsoft 365's id of it, in the order of time.
func (r *Reader) EventsOfSeries(c model.Calendar, seriesGraphID string) ([]model.Event, error) {
	of, args, ok := r.ofCalendar(c)
	if !ok || seriesGraphID == "" {
		return []model.Event{}, nil
	}
	return r.eventsBy("events_series", of+" AND series_graph_id = ? AND series_graph_id <> '' ORDER BY start_utc, id", append(args, seriesGraphID)...)
}

// EventsOfEachSeries is EventsOfSeries of several series, by Microsoft 365's ids of them.
func (r *Reader) EventsOfEachSeries(c model.Calendar, seriesGraphIDs []string) (map[string][]model.Event, error) {
	found := map[string][]model.Event{}
	of, args, ok := r.ofCalendar(c)
	if !ok || len(seriesGraphIDs) == 0 {
		return found, nil
	}
	list, err := r.eventsOfEach("events_series", "series_graph_id", of, args, seriesGraphIDs, " ORDER BY start_utc, id")
	for i := range list {
		found[list[i].SeriesGraphID] = append(found[list[i].SeriesGraphID], list[i])
	}
	return found, err
}

// eventsOfEach reads the events of a condition of which a column has one of several values that are not empty. PostgreSQL is
// made to look for one value after the other: before it has statistics it would read the whole calendar for each page.
func (r *Reader) eventsOfEach(index, column, of string, args []any, values []string, order string) ([]model.Event, error) {
	if r.s.dialect != postgres || len(values) == 1 {
		return r.eventsBy(index, of+" AND "+column+r.anyOf("text", values)+" AND "+column+" <> ''"+order, append(args, r.list(values))...)
	}
	list := []model.Event{}
	err := r.query(statement{
		sql: "SELECT e.* FROM unnest(?::text[]) AS wanted(value) CROSS JOIN LATERAL (SELECT " + eventColumns + " FROM events WHERE " + of +
			" AND " + column + " = wanted.value COLLATE \"C\" AND " + column + " <> '' OFFSET 0) AS e" + order,
		args: append([]any{values}, args...), scan: func(row scanner) error { return scanAppend(row, &list, scanEvent) },
	})
	return list, translate(err)
}

// EventCopies gives, in the order of ids behind an id, the copies of an event in other calendars of the organization: what has
// its iCalUId and, of an occurrence, the same place in the series.
func (r *Reader) EventCopies(e model.Event, after string, limit int) ([]model.Event, error) {
	after, err := cursor(after)
	if err != nil || e.ICalUID == "" {
		return []model.Event{}, err
	}
	behind, order := r.behind()
	where, args := "original_start IS NULL", []any{e.ICalUID, e.OrganizationID, e.CalendarID}
	if e.OriginalStart != nil {
		where, args = "original_start = ?", append(args, e.OriginalStart.UTC())
	}
	return r.events("ical_uid = ? AND ical_uid <> '' AND "+r.beside("organization_id")+" AND calendar_id <> ? AND "+where+" AND "+behind+order+" LIMIT ?",
		append(args, after, limit)...)
}

// EventFilter narrows the events of a window.
type EventFilter struct {
	Series bool // also the series of which an occurrence is in the window
}

// PlaceOf gives the cursor behind an event of EventsBetween: its start in microseconds, and its id.
func PlaceOf(e model.Event) string { return e.Start.UTC.Format(placeTime) + " " + e.ID }

const placeTime = "2006-01-02T15:04:05.000000Z"

// inWindow is the condition that an event has part of a window, however long before it began. One that takes no time is in the
// window in which it begins. windowArgs gives what it binds.
const inWindow = "start_utc < ? AND end_utc >= ? AND (end_utc > ? OR start_utc >= ?)"

func windowArgs(from, to time.Time) []any {
	from = from.UTC()
	return []any{to.UTC(), from, from, from}
}

// EventsBetween gives a page of a calendar's events that have part of the window, from included and to not, in the order of
// their starts, behind the cursor that PlaceOf gave: singles, occurrences and exceptions.
func (r *Reader) EventsBetween(organizationID, calendarID string, from, to time.Time, f EventFilter, after string, limit int) ([]model.Event, error) {
	if !ValidID(calendarID) {
		return []model.Event{}, nil
	}
	where := "calendar_id = ? AND " + inWindow
	args := append([]any{calendarID}, windowArgs(from, to)...)
	if f.Series {
		where = "id" + r.amongThose("SELECT id FROM events WHERE "+where+" UNION SELECT series_id FROM events WHERE "+where+" AND series_id IS NOT NULL")
		args = append(args, args...)
	} else {
		where += " AND kind <> 'series'"
	}
	where += " AND " + r.beside("organization_id")
	args = append(args, organizationID)
	if after != "" {
		start, id, ok := strings.Cut(after, " ")
		at, err := time.Parse(placeTime, start)
		if !ok || err != nil || !ValidID(id) {
			return nil, model.FieldErrorf(model.Invalid, "after", "is not a cursor of this list")
		}
		where += " AND start_utc >= ? AND (start_utc > ? OR id > ?)"
		args = append(args, at, at, id)
	}
	return r.events(where+" ORDER BY start_utc, id LIMIT ?", append(args, limit)...)
}

// amongThose gives the condition "is one of the few that a query finds", which is asked first. PostgreSQL would otherwise expect
// many, and read a whole table for them.
func (r *Reader) amongThose(query string) string {
	if r.s.dialect == postgres {
		return " = ANY(ARRAY(" + query + "))"
	}
	return " IN (" + query + ")"
}

// EventsUnseen gives, in the order of ids behind an id, events of the calendar that have part of the window and that no round
// from the given one on has seen, though Microsoft 365 has given them an id.
func (r *Reader) EventsUnseen(c model.Calendar, round int64, from, to time.Time, after string, limit int) ([]model.Event, error) {
	after, err := cursor(after)
	of, args, ok := r.ofCalendar(c)
	if err != nil || !ok {
		return []model.Event{}, err
	}
	behind, order := r.behind()
	args = append(append(args, windowArgs(from, to)...), round, after, limit)
	return r.events(of+" AND "+inWindow+" AND round < ? AND length(graph_id) > 0 AND "+behind+order+" LIMIT ?", args...)
}

// BusyTime is a time at which the owner of a calendar is not free.
type BusyTime struct {
	CalendarID string
	Start, End time.Time
	ShowAs     string // tentative, busy, oof or workingElsewhere
}

// BusyOf gives what the enabled ones of some calendars have in the window that is neither free nor cancelled, in the order of
// calendars and time, at most limit entries.
func (r *Reader) BusyOf(organizationID string, calendarIDs []string, from, to time.Time, limit int) ([]BusyTime, error) {
	list, ids := []BusyTime{}, validIDs(calendarIDs)
	if len(ids) == 0 {
		return list, nil
	}
	err := r.query(statement{
		sql: "SELECT e.calendar_id, e.start_utc, e.end_utc, e.show_as FROM events e JOIN calendars c ON c.id = e.calendar_id AND c.enabled" +
			" WHERE e.calendar_id" + r.anyOf("uuid", ids) + " AND " + inWindow + " AND e.kind <> 'series' AND e.show_as <> 'free' AND e.status <> 'cancelled' AND " +
			r.beside("e.organization_id") + " ORDER BY e.calendar_id, e.start_utc, e.id LIMIT ?",
		args: append(append([]any{r.list(ids)}, windowArgs(from, to)...), organizationID, limit),
		scan: func(row scanner) error {
			return scanAppend(row, &list, func(row scanner, b *BusyTime) error {
				err := row.Scan(&b.CalendarID, &b.Start, &b.End, &b.ShowAs)
				inUTC(&b.Start, &b.End)
				return err
			})
		},
	})
	return list, translate(err)
}
