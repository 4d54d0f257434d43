package calendarbridge

import (
	"time"

	"usher/internal/recurrence"
	"usher/model"
	"usher/model/outlook"
	"usher/model/store"
)

// keptBehind is for how long what has left the window at its beginning stays.
const keptBehind = 30 * 24 * time.Hour

// prune removes what Outlook had and what is over for so long that it is of the past: it left the window at its beginning, and was
// kept another while. Nobody is told, as nothing was deleted. What the application made stays.
func (w *work) prune() error {
	before := w.cal.Sync.From.Add(-keptBehind)
	for {
		n := 0
		err := w.inTx(func(tx *store.Tx) (err error) { n, err = tx.PruneEvents(w.cal, before, sweepPage); return err })
		if err != nil {
			return err
		}
		if n < sweepPage {
			break
		}
	}
	for after := ""; ; {
		list, err := w.Store.Read(w.ctx).SeriesWithoutParts(w.cal, before, after, sweepPage)
		if err != nil {
			return err
		}
		var over []string
		for i := range list {
			if isOver(&list[i], before) {
				over = append(over, list[i].ID)
			}
		}
		if len(over) > 0 {
			if err := w.inTx(func(tx *store.Tx) error { _, err := tx.DeleteEvents(w.cal, over); return err }); err != nil {
				return err
			}
		}
		if len(list) < sweepPage {
			return nil
		}
		after = list[len(list)-1].ID
		if len(over) == 0 {
			if err := w.extend(); err != nil {
				return err
			}
		}
	}
}

// isOver says whether a series has no occurrence after a time. One that cannot be understood is not over.
func isOver(e *model.Event, after time.Time) bool {
	r, err := ParseRecurrence(e.Recurrence)
	if err != nil {
		return false
	}
	slots, err := recurrence.Expand(*moment(&e.Start), *moment(&e.End), e.AllDay, r, outlook.Window{From: after}, 1)
	return err == nil && len(slots) == 0
}
