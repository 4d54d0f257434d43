package calendarbridge

import (
	"fmt"
	"iter"
	"maps"
	"strings"
	"time"

	"usher/model"
	"usher/model/outlook"
	"usher/model/store"
)

func keys(m map[string]string) iter.Seq[string] { return maps.Keys(m) }

// sweepPage is how many events a sweep looks at together.
const sweepPage = 200

// farAway bounds the time that is looked through for series that are gone, whose first day may be long past.
const farAway = 200 * 366 * 24 * time.Hour

// sweep ends a round that brought everything: what it did not bring is gone, except for what the application made, which is
// looked for first. It stands between the last page and the end of the round, so that a worker that dies in it leaves it to
// the next.
func (w *work) sweep() error {
	y := &w.cal.Sync
	if err := w.sweepThrough(y.From, y.To, func(e *model.Event) bool { return e.Kind != model.EventSeries }); err != nil {
		return err
	}
	now := w.now()
	if err := w.sweepThrough(now.Add(-farAway), now.Add(farAway), func(e *model.Event) bool { return e.Kind == model.EventSeries }); err != nil {
		return err
	}
	if y.SweptAt != nil { // there is nothing old in what was just read for the first time
		if err := w.prune(); err != nil {
			return err
		}
	}
	y.Full, y.SweptAt = false, &now
	w.ended()
	return w.save()
}

func (w *work) sweepThrough(from, to time.Time, take func(*model.Event) bool) error {
	after := ""
	for {
		list, err := w.Store.Read(w.ctx).EventsUnseen(w.cal, w.cal.Sync.Round, from, to, after, sweepPage)
		if err != nil {
			return err
		}
		got := loaded{gone: map[string]string{}}
		for i := range list {
			if !take(&list[i]) {
				continue
			}
			if err := w.unseen(&got, &list[i]); err != nil {
				return err
			}
		}
		if !got.empty() {
			if err := w.apply(got); err != nil {
				return err
			}
		}
		if len(list) < sweepPage {
			return nil
		}
		after = list[len(list)-1].ID
	}
}

// confirmedUnseen is how many of Outlook's own events a turn looks for, before it believes that what did not come is gone:
// after a mailbox was made anew that is all of them.
const confirmedUnseen = 100

// unseen says what becomes of an event that the round did not bring.
func (w *work) unseen(got *loaded, e *model.Event) error {
	if e.Kind == model.EventSeries {
		return w.unseenSeries(got, e)
	}
	if e.Origin != model.OriginUsher {
		if w.looked++; w.looked > confirmedUnseen {
			got.gone[e.GraphID] = reasonMissing
			return nil
		}
	}
	found, err := w.read(*e)
	switch {
	case outlook.KindOf(err) == outlook.NotFound:
		return w.missing(got, e)
	case err != nil:
		return err
	}
	normal, err := w.norm.event(w.cal, found)
	if err == nil && e.Origin != model.OriginUsher && !w.inWindow(normal.Start.UTC, normal.End.UTC) {
		got.gone[e.GraphID] = reasonLeft
		return nil
	}
	w.add(got, found)
	return nil
}

// missing notes that an event is not in the calendar any more, unless it was moved to another one.
func (w *work) missing(got *loaded, e *model.Event) error {
	moved, err := w.departed(*e)
	if err == nil && !moved {
		got.gone[e.GraphID] = reasonMissing
	}
	return err
}

// unseenSeries looks for a series none of whose occurrences came: its days may all lie outside the window.
func (w *work) unseenSeries(got *loaded, e *model.Event) error {
	found, err := w.seriesAt(e.GraphID)
	switch {
	case outlook.KindOf(err) == outlook.NotFound:
		return w.missing(got, e)
	case err != nil:
		return err
	}
	w.add(got, found)
	return nil
}

// logConflict tells the administrator what Outlook won.
func logConflict(tx *store.Tx, e *model.Event, conflicts []field) error {
	names := make([]string, len(conflicts))
	for i, f := range conflicts {
		names[i] = string(f)
	}
	return tx.Log(model.Activity{
		OrganizationID: e.OrganizationID, IntegrationID: &e.IntegrationID, Actor: actorOutlook, Action: "event.conflict", SubjectType: "event",
		SubjectID: e.ID, Subject: e.Subject,
		Summary: fmt.Sprintf("Outlook and the application changed the same event; Outlook's %s stands", strings.Join(names, ", ")),
	}, map[string]any{"fields": names})
}
