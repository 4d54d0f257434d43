package store

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"usher/model"
)

// errOvertaken says that another transaction wrote a row between this one's reading and writing it.
var errOvertaken = errors.New("another transaction was faster")

// eventValues gives what is stored of an event, in the order of eventColumns: JSON as such, and times in UTC.
func eventValues(e *model.Event) ([]any, error) {
	if e.Attendees == nil {
		e.Attendees = []model.EventPerson{}
	}
	organizer, err := json.Marshal(e.Organizer)
	if err != nil {
		return nil, err
	}
	attendees, err := json.Marshal(e.Attendees)
	if err != nil {
		return nil, err
	}
	return []any{
		e.ID, e.OrganizationID, e.IntegrationID, e.CalendarID, e.GraphID, e.ICalUID, string(e.Kind), e.SeriesID, e.SeriesGraphID,
		e.OriginalStart, e.Subject, e.Body, e.Location, e.LocationEmail, e.Start.DateTime, e.Start.TimeZone, e.Start.UTC,
		e.End.DateTime, e.End.TimeZone, e.End.UTC, e.AllDay, e.ShowAs, e.Sensitivity, e.Status, e.Response, e.IsOrganizer,
		json.RawMessage(organizer), json.RawMessage(attendees), orNull(e.Recurrence), e.MeetingURL, string(e.Origin), string(e.SyncState),
		e.SyncError, e.ChangeKey, e.Hash, e.TransactionID, e.Round, e.Version, e.CreatedAt, e.UpdatedAt,
	}, nil
}

// orNull gives JSON, or nothing where there is none.
func orNull(raw json.RawMessage) any {
	if len(raw) == 0 {
		return nil
	}
	return raw
}

// bound gives values as a statement binds them: JSON is text there.
func bound(values []any) []any {
	for i, v := range values {
		if raw, ok := v.(json.RawMessage); ok {
			values[i] = string(raw)
		}
	}
	return values
}

func exactEvent(e *model.Event) {
	e.Start.UTC, e.End.UTC = e.Start.UTC.UTC().Truncate(time.Microsecond), e.End.UTC.UTC().Truncate(time.Microsecond)
	e.CreatedAt, e.OriginalStart = e.CreatedAt.UTC().Truncate(time.Microsecond), exact(e.OriginalStart)
}

// eventsAtOnce is how many events one statement inserts at most.
const eventsAtOnce = 200

// InsertEvents stores new events; where there are none yet, ids and CreatedAt are set here, as are Version and UpdatedAt. The
// calendars must be of the organization. Where another transaction was first with one of Microsoft 365's ids, this one runs
// again.
func (tx *Tx) InsertEvents(list []model.Event) error {
	for i := range list {
		e := &list[i]
		if e.ID == "" {
			e.ID = NewID()
		}
		if e.CreatedAt.IsZero() {
			e.CreatedAt = tx.now
		}
		e.Version, e.UpdatedAt = 1, tx.now
		exactEvent(e)
	}
	if tx.s.dialect != postgres {
		for i := range list {
			values, err := eventValues(&list[i])
			if err != nil {
				return err
			}
			tx.buffer(statement{
				sql:  "INSERT INTO events (" + eventColumns + ") VALUES (?" + strings.Repeat(",?", len(values)-1) + ")",
				args: bound(values),
			})
		}
		return nil
	}
	for part := range slices.Chunk(list, eventsAtOnce) {
		from, args, err := eventArrays(part)
		if err != nil {
			return err
		}
		tx.buffer(statement{sql: "INSERT INTO events (" + eventColumns + ") " + from, args: args})
	}
	return nil
}

// eventKinds are PostgreSQL's types of eventColumns.
const eventKinds = `uuid uuid uuid uuid text text text uuid text timestamptz text text text text text text timestamptz text text
 timestamptz boolean text text text text boolean json json json text text text text text text text bigint bigint timestamptz timestamptz`

func eventColumnNames() []string {
	return strings.FieldsFunc(eventColumns, func(r rune) bool { return strings.ContainsRune(", \n", r) })
}

// eventArrays gives events as a SELECT of eventColumns with one array per column, so that the statement is the same for any
// number of them. PostgreSQL reads arrays in half of the time that it takes for JSON.
func eventArrays(list []model.Event) (text string, args []any, err error) {
	rows := make([][]any, len(list))
	for i := range list {
		values, err := eventValues(&list[i])
		if err != nil {
			return "", nil, err
		}
		rows[i] = bound(values)
	}
	names, kinds := eventColumnNames(), strings.Fields(eventKinds)
	selected, arrays := make([]string, len(names)), make([]string, len(names))
	for c, kind := range kinds {
		selected[c] = names[c]
		if kind == "json" { // an array of texts, each of which is read as JSON
			selected[c], kind = names[c]+"::json AS "+names[c], "text"
		}
		arrays[c] = "?::" + kind + "[]"
		args = append(args, eventColumn(rows, c, kind))
	}
	return "SELECT " + strings.Join(selected, ", ") + " FROM unnest(" + strings.Join(arrays, ", ") + ") AS x(" + strings.Join(names, ", ") + ")", args, nil
}

// eventColumn gives one column of rows as an array of its kind.
func eventColumn(rows [][]any, c int, kind string) any {
	switch kind {
	case "boolean":
		return columnOf[bool](rows, c)
	case "bigint":
		return columnOf[int64](rows, c)
	case "timestamptz":
		return columnOf[time.Time](rows, c)
	default:
		return columnOf[string](rows, c)
	}
}

// columnOf gives the values of a column, some of which may be absent.
func columnOf[T any](rows [][]any, c int) []*T {
	list := make([]*T, len(rows))
	for i := range rows {
		switch v := rows[i][c].(type) {
		case T:
			list[i] = &v
		case *T:
			list[i] = v
		}
	}
	return list
}

// eventIdentity is how many of eventColumns an update leaves as they are: what the event is, and whose.
const eventIdentity = 4

// UpdateEvent writes an event under the next version. Where another transaction has written it since it was read, this one
// runs again; where it was read outside, that ends as a Conflict.
func (tx *Tx) UpdateEvent(e *model.Event) error {
	if !ValidID(e.ID) || !ValidID(e.CalendarID) || !ValidID(e.IntegrationID) {
		return notFound("event", e.ID)
	}
	was := e.Version
	e.Version, e.UpdatedAt = was+1, tx.now
	exactEvent(e)
	values, err := eventValues(e)
	if err != nil {
		return err
	}
	names := eventColumnNames()[eventIdentity:]
	tx.buffer(statement{
		sql: "UPDATE events SET " + strings.Join(names, " = ?, ") + " = ? WHERE id = ? AND version = ? AND " + tx.beside("organization_id") +
			" AND " + tx.beside("integration_id") + " AND " + tx.beside("calendar_id"),
		args: append(bound(values[eventIdentity:]), e.ID, was, e.OrganizationID, e.IntegrationID, e.CalendarID),
		affected: func(n int64) error {
			if n != 1 {
				return told{model.Errorf(model.Conflict, "the event %s was changed or deleted meanwhile", e.ID), errOvertaken}
			}
			return nil
		},
	})
	return nil
}

// UpdateEvents is UpdateEvent of several events, of any calendars, each of which is there once.
func (tx *Tx) UpdateEvents(list []model.Event) error {
	if tx.s.dialect != postgres || len(list) < 2 {
		for i := range list {
			if err := tx.UpdateEvent(&list[i]); err != nil {
				return err
			}
		}
		return nil
	}
	for i := range list {
		e := &list[i]
		if !ValidID(e.ID) || !ValidID(e.CalendarID) || !ValidID(e.IntegrationID) {
			return notFound("event", e.ID)
		}
		e.Version, e.UpdatedAt = e.Version+1, tx.now
		exactEvent(e)
	}
	var set []string
	for _, name := range eventColumnNames()[eventIdentity:] {
		set = append(set, name+" = y."+name)
	}
	for part := range slices.Chunk(list, eventsAtOnce) {
		from, args, err := eventArrays(part)
		if err != nil {
			return err
		}
		tx.buffer(statement{
			sql: "UPDATE events e SET " + strings.Join(set, ", ") + " FROM (" + from + ") AS y WHERE e.id = y.id AND e.version = y.version - 1" +
				" AND e.organization_id IS NOT DISTINCT FROM y.organization_id AND e.integration_id IS NOT DISTINCT FROM y.integration_id" +
				" AND e.calendar_id IS NOT DISTINCT FROM y.calendar_id",
			args: args,
			affected: func(n int64) error {
				if n != int64(len(part)) {
					return told{model.Errorf(model.Conflict, "one of %d events was changed or deleted meanwhile", len(part)), errOvertaken}
				}
				return nil
			},
		})
	}
	return nil
}

// TouchEvents notes that a round has seen events of the calendar, by their own ids.
func (tx *Tx) TouchEvents(c model.Calendar, ids []string, round int64) error {
	ids = validIDs(ids)
	of, args, ok := tx.besideCalendar(c)
	if !ok || len(ids) == 0 {
		return nil
	}
	tx.buffer(statement{
		sql:  "UPDATE events SET round = ? WHERE id" + tx.anyOf("uuid", ids) + " AND " + of,
		args: append([]any{round, tx.list(ids)}, args...),
	})
	return nil
}

// DeleteEvents removes events of the calendar by their own ids, and says how many there were. Their writes stay.
func (tx *Tx) DeleteEvents(c model.Calendar, ids []string) (deleted int, err error) {
	ids = validIDs(ids)
	of, args, ok := tx.besideCalendar(c)
	if !ok || len(ids) == 0 {
		return 0, nil
	}
	err = tx.query(statement{
		sql: "DELETE FROM events WHERE id" + tx.anyOf("uuid", ids) + " AND " + of, args: append([]any{tx.list(ids)}, args...),
		affected: func(n int64) error { deleted = int(n); return nil },
	})
	return deleted, translate(err)
}

// besideCalendar gives the condition that events are of a calendar, where their ids are what finds them.
func (r *Reader) besideCalendar(c model.Calendar) (condition string, args []any, ok bool) {
	return r.beside("calendar_id") + " AND " + r.beside("organization_id") + " AND " + r.beside("integration_id"),
		[]any{c.ID, c.OrganizationID, c.IntegrationID}, ValidID(c.ID) && ValidID(c.IntegrationID)
}
