package store

import (
	"encoding/json"
	"strings"
	"time"

	"usher/model"
)

const writeColumns = `id, organization_id, integration_id, calendar_id, event_id, op, draft, base, change_key, comment, sent, attempts,
 next_at, error, done, result_key, result_hash, created_at, updated_at`

func scanWrite(r scanner, w *model.EventWrite) error {
	var draft, base []byte
	err := r.Scan(&w.ID, &w.OrganizationID, &w.IntegrationID, &w.CalendarID, &w.EventID, &w.Op, &draft, &base, &w.ChangeKey, &w.Comment,
		&w.Sent, &w.Attempts, &w.NextAt, &w.Error, &w.Done, &w.ResultKey, &w.ResultHash, &w.CreatedAt, &w.UpdatedAt)
	inUTC(&w.NextAt, &w.CreatedAt, &w.UpdatedAt)
	for _, part := range []struct {
		raw  []byte
		into *json.RawMessage
	}{{draft, &w.Draft}, {base, &w.Base}} {
		if part.raw != nil {
			*part.into = append(json.RawMessage(nil), part.raw...)
		}
	}
	return err
}

func (r *Reader) writes(query string, args ...any) ([]model.EventWrite, error) {
	list := []model.EventWrite{}
	err := r.query(statement{
		sql: "SELECT " + writeColumns + " FROM " + query, args: args,
		scan: func(row scanner) error { return scanAppend(row, &list, scanWrite) },
	})
	return list, translate(err)
}

// InsertWrite stores a new write; ID and times are set here, NextAt where there is none. Writes of one event go in the order of
// their ids, which is the one they are made in.
func (tx *Tx) InsertWrite(w *model.EventWrite) error {
	w.ID, w.CreatedAt, w.UpdatedAt = NewID(), tx.now, tx.now
	if w.NextAt.IsZero() {
		w.NextAt = tx.now
	}
	w.NextAt = *exact(&w.NextAt)
	args := bound([]any{
		w.ID, w.OrganizationID, w.IntegrationID, w.CalendarID, w.EventID, string(w.Op), orNull(w.Draft), orNull(w.Base), w.ChangeKey, w.Comment,
		w.Sent, w.Attempts, w.NextAt, w.Error, w.Done, w.ResultKey, w.ResultHash, w.CreatedAt, w.UpdatedAt,
	})
	tx.buffer(statement{sql: "INSERT INTO event_writes (" + writeColumns + ") VALUES (?" + strings.Repeat(",?", len(args)-1) + ")", args: args})
	return nil
}

// UpdateWrite writes what became of a write, and what it is to write.
func (tx *Tx) UpdateWrite(w *model.EventWrite) error {
	if !ValidID(w.ID) || !ValidID(w.IntegrationID) {
		return notFound("write", w.ID)
	}
	w.UpdatedAt, w.NextAt = tx.now, *exact(&w.NextAt)
	tx.buffer(statement{
		sql: `UPDATE event_writes SET op = ?, draft = ?, base = ?, change_key = ?, comment = ?, sent = ?, attempts = ?, next_at = ?, error = ?,
 done = ?, result_key = ?, result_hash = ?, updated_at = ? WHERE id = ? AND ` + tx.beside("organization_id") + " AND " + tx.beside("integration_id"),
		args: bound([]any{
			string(w.Op), orNull(w.Draft), orNull(w.Base), w.ChangeKey, w.Comment, w.Sent, w.Attempts, w.NextAt, w.Error, w.Done, w.ResultKey,
			w.ResultHash, w.UpdatedAt, w.ID, w.OrganizationID, w.IntegrationID,
		}),
		affected: exactlyOne("write", w.ID),
	})
	return nil
}

// oldestOf gives a table of the writes under a condition, apart from those that wait behind another one of their event.
func oldestOf(where string) string {
	return "(SELECT *, row_number() OVER (PARTITION BY event_id ORDER BY id) AS place FROM event_writes WHERE " + where + ") w WHERE place = 1"
}

// WritesDue gives the writes of a calendar that can be sent now, in the order they were made in: of each event the oldest that
// is not done, where its time has come.
func (r *Reader) WritesDue(c model.Calendar, now time.Time, limit int) ([]model.EventWrite, error) {
	of, args, ok := r.ofCalendar(c)
	if !ok {
		return []model.EventWrite{}, nil
	}
	return r.writes(oldestOf(of+" AND done = false")+" AND next_at <= ? ORDER BY id LIMIT ?", append(args, now.UTC(), limit)...)
}

// NextWriteAt says when the next write of a calendar can be sent; ok is false where there is none.
func (r *Reader) NextWriteAt(c model.Calendar) (at time.Time, ok bool, err error) {
	of, args, valid := r.ofCalendar(c)
	if !valid {
		return time.Time{}, false, nil
	}
	err = r.query(statement{
		sql:  "SELECT next_at FROM " + oldestOf(of+" AND done = false") + " ORDER BY next_at, id LIMIT 1",
		args: args,
		scan: func(row scanner) error { ok = true; return row.Scan(&at) },
	})
	return at.UTC(), ok, translate(err)
}

// echoFor is for how long a write that is done is given with those of its event: as long as its echo may be on the way.
const echoFor = time.Hour

// WritesOfEvents gives the writes of some events of a calendar that are not done, or were done within the last hour, in the
// order they were made in.
func (r *Reader) WritesOfEvents(c model.Calendar, eventIDs []string) ([]model.EventWrite, error) {
	ids := validIDs(eventIDs)
	of, args, ok := r.besideCalendar(c)
	if !ok || len(ids) == 0 {
		return []model.EventWrite{}, nil
	}
	return r.writes("event_writes WHERE event_id"+r.anyOf("uuid", ids)+" AND (done = false OR updated_at > ?) AND "+of+" ORDER BY id",
		append([]any{r.list(ids), r.s.Now().Add(-echoFor)}, args...)...)
}

// DeleteWrites forgets writes, of all organizations, that were done before the time, and says how many there were.
func (tx *Tx) DeleteWrites(before time.Time) (deleted int, err error) {
	err = tx.query(statement{
		sql: "DELETE FROM event_writes WHERE done AND updated_at < ?", args: []any{before.UTC()},
		affected: func(n int64) error { deleted = int(n); return nil },
	})
	return deleted, translate(err)
}
