package calendarbridge

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"usher/model"
	"usher/model/outlook"
	"usher/model/store"
)

// The bounds of a round.
const (
	maxPages = 5000
	// againLeast and againMost are when a round is repeated that a notification asked for and that brought nothing: Graph may
	// tell of a change before its delta shows it.
	againLeast = 20 * time.Second
	againMost  = time.Minute
)

// errEndless says that pages come again and again without an end.
var errEndless = errors.New("the delta does not end")

// SyncCalendar works the job: rounds of delta, until nothing more was noted of the calendar. No transaction is open while
// Microsoft 365 is asked, and each page is stored with the link behind it, so that a worker that dies leaves at most one
// page to be read again.
func (s *Service) SyncCalendar(ctx context.Context, job SyncCalendar) error {
	return s.withCalendar(ctx, job.OrganizationID, job.CalendarID, func(w *work) error {
		if !w.cal.Enabled || !w.mailbox.Enabled || w.mailbox.State != model.MailboxActive {
			return nil
		}
		y := &w.cal.Sync
		now := w.now()
		if y.Failures > 0 && y.NextAt != nil && y.NextAt.After(now) {
			return nil // it is not its time again; the periodic job brings it back
		}
		if job.Full && (y.SweptAt == nil || y.SweptAt.Before(job.At)) {
			w.restart()
		}
		due := y.NextAt != nil && !y.NextAt.After(now)
		w.notified = y.Dirty-y.Clean > 1 || y.Dirty != y.Clean && !due
		w.repeated = y.AgainAfter != nil && due
		if err := w.connect(); err != nil {
			return w.failed(err)
		}
		return w.rounds()
	})
}

func (w *work) rounds() error {
	for {
		err := w.round()
		switch {
		case errors.Is(err, errEndless):
			w.Observe(EventEndless, 1)
			w.Log.WarnContext(w.ctx, "the delta of a calendar does not end; its view is read instead", "calendar", w.cal.ID)
			if err = w.view(); err != nil {
				return w.failed(err)
			}
			return nil
		case outlook.KindOf(err) == outlook.SyncLost && !w.restarted:
			w.restarted = true
			w.restart()
			continue
		case err != nil:
			if outlook.KindOf(err) == outlook.SyncLost {
				w.restart()
			}
			return w.failed(err)
		}
		if w.cal.Sync.InRound || w.cal.Sync.Dirty != w.cal.Sync.Clean {
			if w.now().After(w.until) {
				return &model.Throttled{After: leasedWait}
			}
			w.notified, w.repeated = true, false
			continue
		}
		return nil
	}
}

// restart begins everything anew with the next page.
func (w *work) restart() {
	y := &w.cal.Sync
	y.Link, y.InRound, y.Full = "", false, false
}

// round goes on with the round that was begun, or begins one, and ends it; or leaves it where the turn is over.
func (w *work) round() error {
	y := &w.cal.Sync
	switch {
	case y.InRound || y.Full:
		w.begun = y.Clean // what was noted since the round began is not known: another round follows
	default:
		w.begin()
	}
	for y.InRound {
		if err := w.page(); err != nil {
			return err
		}
		if y.InRound && w.now().After(w.until) {
			return nil
		}
		if y.Pages%50 == 0 {
			if err := w.extend(); err != nil {
				return err
			}
		}
	}
	if !y.Full {
		return nil
	}
	if err := w.catchUp(); err != nil {
		return err
	}
	return w.sweep()
}

// catchUp reads what changed while everything was read: an event that changes then leaves the round, and is not gone.
func (w *work) catchUp() error {
	y := &w.cal.Sync
	for y.Link != "" {
		got, err := w.api.Delta(w.ctx, w.ref, outlook.Window{From: y.From, To: y.To}, y.Link)
		if err != nil {
			return err
		}
		if y.Pages++; y.Pages > maxPages {
			return errEndless
		}
		loaded, err := w.load(latest(got.Events))
		if err != nil {
			return err
		}
		y.Link = orElse(got.Next, got.Delta)
		if loaded.empty() && got.Next == "" {
			break // the link is stored with the end of the round
		}
		if err := w.apply(loaded); err != nil {
			return err
		}
		if got.Next == "" {
			break
		}
	}
	return nil
}

func (w *work) begin() {
	y := &w.cal.Sync
	now := w.now()
	w.begun, w.brought = y.Dirty, 0
	old := y.SweptAt == nil || !y.SweptAt.Add(w.Periods.Full).After(now)
	if y.Link == "" || old {
		y.Link, y.Full = "", true
		y.From, y.To = w.window(now)
		w.Observe(EventFullRound, 1)
	}
	y.InRound, y.Pages, y.LastPage = true, 0, ""
	w.newRound()
	w.Observe(EventRound, 1)
}

// newRound counts a round. What the one before remembers of series is forgotten: they may have changed since, and what the new
// round does not bring of that nothing tells again.
func (w *work) newRound() {
	w.cal.Sync.Round++
	clear(w.masters)
}

// window gives the days that are kept around today.
func (w *work) window(now time.Time) (from, to time.Time) {
	today := now.Truncate(24 * time.Hour)
	return today.AddDate(0, 0, -w.DaysBack), today.AddDate(0, 0, w.DaysAhead)
}

// page reads and stores one page.
func (w *work) page() error {
	y := &w.cal.Sync
	got, err := w.api.Delta(w.ctx, w.ref, outlook.Window{From: y.From, To: y.To}, y.Link)
	if err != nil {
		return err
	}
	if got.Next == "" && got.Delta == "" {
		return &outlook.Error{Kind: outlook.Unavailable, Code: "PageWithoutLink", Message: "a page of the delta leads nowhere"}
	}
	items := latest(got.Events)
	if y.Pages++; y.Pages > maxPages {
		return errEndless
	}
	print := fingerprint(items)
	if got.Next != "" && len(items) > 0 && print == y.LastPage {
		return errEndless
	}
	y.LastPage = print
	w.brought += len(items)
	loaded, err := w.load(items)
	if err != nil {
		return err
	}
	if y.Link = got.Next; got.Next == "" {
		y.Link, y.InRound = got.Delta, false
		if !y.Full {
			w.ended()
		}
	}
	return w.apply(loaded)
}

func fingerprint(items []outlook.Event) string {
	sum := sha256.New()
	for i := range items {
		_, _ = sum.Write([]byte(items[i].ID + "\x00" + items[i].ChangeKey + "\x00" + items[i].Removed + "\x01"))
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// ended notes that the round is over.
func (w *work) ended() {
	y := &w.cal.Sync
	now := w.now()
	if y.ChangedAt != nil {
		w.Observe(EventLag, int(now.Sub(*y.ChangedAt).Milliseconds()))
	}
	y.Clean, y.SyncedAt, y.Failures, y.Error, y.AgainAfter = w.begun, &now, 0, "", nil
	period := w.Periods.Poll
	if w.cal.Subscription.State == model.SubscriptionActive {
		period = w.Periods.Sweep
	}
	y.NextAt = w.in(around(period))
	if w.notified && w.brought == 0 && !w.repeated {
		y.AgainAfter = w.in(between(againLeast, againMost))
		y.NextAt = y.AgainAfter
	}
	// What another worker noted since begun stands in ChangedAt; that this round worked off what it read does not depend on it.
	y.ChangedAt = nil
	if y.Dirty != w.begun {
		y.ChangedAt = &now
	}
}

// dueBatch is how many calendars the periodic job looks at together.
const dueBatch = 500

// queuedFor is how long a calendar may wait for the job that was queued for it before another one is.
const queuedFor = 10 * time.Minute

// SyncDue works the job.
func (s *Service) SyncDue(ctx context.Context, _ SyncDue) error {
	after := ""
	for {
		now := s.now()
		list, err := s.Store.Read(ctx).CalendarsDue(now, after, dueBatch)
		if err != nil {
			return err
		}
		err = s.Store.InTx(ctx, func(tx *store.Tx) error { return s.enqueueDue(tx, list, now) })
		if err != nil || len(list) < dueBatch {
			return err
		}
		after = list[len(list)-1].ID
	}
}

func (s *Service) enqueueDue(tx *store.Tx, list []model.Calendar, now time.Time) error {
	var ids []string
	for i := range list {
		y := &list[i].Sync
		switch {
		case y.Failures > 0 && y.NextAt != nil && y.NextAt.After(now):
		case !y.Queued:
			ids = append(ids, list[i].ID)
		case y.ChangedAt != nil && y.ChangedAt.Before(now.Add(-queuedFor)):
			if err := tx.Enqueue(SyncCalendar{OrganizationID: list[i].OrganizationID, CalendarID: list[i].ID}); err != nil {
				return err
			}
		}
	}
	queued, err := tx.MarkDirty(ids)
	if err != nil {
		return err
	}
	return enqueueAll(tx, syncJobs(queued))
}

func syncJobs(queued []store.DirtyCalendar) []SyncCalendar {
	jobs := make([]SyncCalendar, len(queued))
	for i, d := range queued {
		jobs[i] = SyncCalendar{OrganizationID: d.OrganizationID, CalendarID: d.CalendarID}
	}
	return jobs
}
