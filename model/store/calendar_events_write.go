package store

import (
	"bytes"
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
		raw, err := eventRows(part)
		if err != nil {
			return err
		}
		tx.buffer(statement{
			sql:  "INSERT INTO events (" + eventColumns + ") SELECT " + eventColumns + " FROM json_populate_recordset(NULL::events, ?)",
			args: []any{raw},
		})
	}
	return nil
}

// eventRows gives events as one JSON value, so that the statement is the same for any number of them.
func eventRows(list []model.Event) (string, error) {
	names := strings.FieldsFunc(eventColumns, func(r rune) bool { return strings.ContainsRune(", \n", r) })
	rows := make([]map[string]any, len(list))
	for i := range list {
		values, err := eventValues(&list[i])
		if err != nil {
			return "", err
		}
		rows[i] = make(map[string]any, len(names))
		for n, name := range names {
			rows[i][name] = values[n]
		}
	}
	var raw bytes.Buffer
	encode := json.NewEncoder(&raw)
	encode.SetEscapeHTML(false) // bodies are HTML
	err := encode.Encode(rows)
	return raw.String(), err
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
	names := strings.FieldsFunc(eventColumns, func(r rune) bool { return strings.ContainsRune(", \n", r) })[eventIdentity:]
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
