package store

import (
	"time"

	"usher/model"
)

// PruneEvents removes up to limit single events, occurrences and exceptions of the calendar that ended before a time, and says how
// many there were. What the application made stays, and so does what is on its way to Microsoft 365.
func (tx *Tx) PruneEvents(c model.Calendar, before time.Time, limit int) (pruned int, err error) {
	of, args, ok := tx.ofCalendar(c)
	if !ok {
		return 0, nil
	}
	err = tx.query(statement{
		sql: "DELETE FROM events WHERE id" + tx.amongThose("SELECT id FROM events WHERE "+of+
			" AND start_utc < ? AND end_utc < ? AND kind <> 'series' AND origin <> 'usher' AND sync_state = 'synced' ORDER BY start_utc LIMIT ?"),
		args:     append(args, before.UTC(), before.UTC(), limit),
		affected: func(n int64) error { pruned = int(n); return nil },
	})
	return pruned, translate(err)
}

// SeriesWithoutParts gives, in the order of ids behind an id, series of the calendar that began before a time, were made in Outlook and
// of which no occurrence is stored.
func (r *Reader) SeriesWithoutParts(c model.Calendar, before time.Time, after string, limit int) ([]model.Event, error) {
	after, err := cursor(after)
	of, args, ok := r.ofCalendar(c)
	if err != nil || !ok {
		return []model.Event{}, err
	}
	behind, order := r.behind()
	return r.events(of+` AND start_utc < ? AND kind = 'series' AND origin <> 'usher' AND sync_state = 'synced' AND NOT EXISTS (
 SELECT 1 FROM events p WHERE p.calendar_id = events.calendar_id AND p.series_graph_id = events.graph_id AND p.series_graph_id <> ''
 AND p.kind <> 'series') AND `+behind+order+" LIMIT ?", append(args, before.UTC(), after, limit)...)
}
