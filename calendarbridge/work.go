package calendarbridge

import (
	"context"
	"errors"
	"fmt"
	"time"

	"usher/internal/timezone"
	"usher/model"
	"usher/model/outlook"
	"usher/model/store"
)

// The times of a lease: how long one worker has a calendar at a time, how long it works before it lets others, and how long
// somebody who finds it taken waits.
const (
	leaseTime  = 3 * time.Minute
	workTime   = 75 * time.Second
	leasedWait = time.Second
)

// work is one worker's turn with a calendar.
type work struct {
	*Service
	ctx     context.Context
	api     Calendars
	lease   string
	cal     model.Calendar
	mailbox model.Mailbox
	ref     outlook.CalendarRef
	home    outlook.CalendarRef // the same by its id, so that an event that was moved to another calendar is not found
	norm    normalizer
	until   time.Time // when the turn ends

	masters   map[string]outlook.Event // as this turn's round has read them
	begun     int64                    // Dirty when the round began
	brought   int                      // items of this round
	notified  bool                     // somebody said that there is something new
	repeated  bool                     // the round repeats one that brought nothing
	restarted bool
	sure      bool             // the calendar's id was looked for
	looked    int              // events that a sweep looked for
	beside    []model.Calendar // see siblings
}

// withCalendar takes the calendar's lease for the time of fn. Where another worker has it, the job comes back a little
// later; where there is no such calendar, or nothing to be done for it, there is nothing to do.
func (s *Service) withCalendar(ctx context.Context, organizationID, id string, fn func(*work) error) error {
	lease := store.NewID()
	cal, ok, err := s.Store.LeaseCalendar(ctx, organizationID, id, lease, s.Store.Now().Add(leaseTime))
	switch {
	case err != nil && model.KindOf(err) == model.NotFound:
		return nil
	case err != nil:
		return err
	case !ok:
		return &model.Throttled{After: leasedWait}
	}
	defer func() {
		if err := s.Store.ReleaseCalendar(context.WithoutCancel(ctx), organizationID, id, lease); err != nil {
			s.Log.WarnContext(ctx, "a calendar was not released; its lease ends by itself", "calendar", id, "err", err)
		}
	}()
	w := &work{Service: s, ctx: ctx, lease: lease, cal: cal, until: s.now().Add(workTime), masters: map[string]outlook.Event{}}
	if w.mailbox, err = s.Store.Read(ctx).Mailbox(cal.Ref(), cal.MailboxID); err != nil {
		return ignoreMissing(err)
	}
	w.ref = refOf(w.mailbox, cal)
	w.home = outlook.CalendarRef{Mailbox: w.ref.Mailbox, Calendar: cal.GraphID}
	w.norm = normalizer{clean: s.clean, zones: s.zones, zone: s.zoneOf(ctx, cal)}
	return fn(w)
}

// ignoreMissing takes what has gone meanwhile for done.
func ignoreMissing(err error) error {
	if model.KindOf(err) == model.NotFound {
		return nil
	}
	return err
}

// zoneOf gives the zone of events that do not say theirs: that of the account.
func (s *Service) zoneOf(ctx context.Context, cal model.Calendar) string {
	if cal.AccountID == nil {
		return ""
	}
	account, err := s.Store.Read(ctx).Account(cal.OrganizationID, *cal.AccountID)
	if err != nil {
		return ""
	}
	iana, _ := timezone.IANA(account.TimeZone)
	return iana
}

// connect reaches the tenant.
func (w *work) connect() (err error) {
	w.api, err = w.Connect(w.ctx, w.cal.Ref())
	return err
}

// save stores how far the calendar is, in a transaction of its own.
func (w *work) save() error {
	return w.Store.InTx(w.ctx, func(tx *store.Tx) error { return tx.SaveSync(&w.cal, w.lease) })
}

// inTx stores something of the calendar, and keeps the calendar for another while. It stores nothing, and is a Conflict, where the
// lease is over: a request may have taken longer than that, and what the next worker has stored since then stands.
func (w *work) inTx(fn func(tx *store.Tx) error) error {
	return w.Store.InTx(w.ctx, func(tx *store.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		return tx.ExtendLease(w.cal, w.lease, w.Store.Now().Add(leaseTime))
	})
}

// extend keeps the calendar for another while.
func (w *work) extend() error { return w.inTx(func(*store.Tx) error { return nil }) }

// lost has a job brought back whose worker has lost the calendar.
func lost(err error) error {
	if model.KindOf(err) == model.Conflict {
		return &model.Throttled{After: leasedWait}
	}
	return err
}

// The waits after failures.
const (
	firstWait       = 30 * time.Second
	longestWait     = time.Hour
	credentialsWait = 15 * time.Minute
	throttledWait   = 10 * time.Second
)

// errMoved says that the calendar does not have the id any more under which it is known.
var errMoved = errors.New("the calendar has another id by now")

// failed notes why a turn ended early and when the next one is. Failures of the mailbox go to the mailbox; what only the
// database can say goes back to the queue.
func (w *work) failed(err error) error {
	if w.ctx.Err() != nil {
		return err
	}
	if errors.Is(err, errMoved) {
		err = &outlook.Error{Kind: outlook.NotFound, Code: "CalendarMoved", Message: err.Error()}
	}
	e, ok := errors.AsType[*outlook.Error](err)
	if !ok {
		if model.KindOf(err) == model.Conflict {
			w.Log.InfoContext(w.ctx, "another worker has the calendar by now", "calendar", w.cal.ID)
			return nil
		}
		return err
	}
	w.Log.WarnContext(w.ctx, "calendar: Microsoft 365 refused", "calendar", w.cal.ID, "mailbox", w.mailbox.Address, "err", err)
	y := &w.cal.Sync
	y.Error = sentence(e)
	wait := time.Duration(0)
	switch e.Kind {
	case outlook.Throttled:
		w.Observe(EventThrottled, 1)
		wait = max(e.After, throttledWait)
		y.NextAt = w.in(wait)
		if err := w.save(); err != nil {
			return ignoreConflict(err)
		}
		return &model.Throttled{After: wait}
	case outlook.NoMailbox, outlook.NoUser, outlook.Forbidden:
		if err := w.save(); err != nil {
			return ignoreConflict(err)
		}
		return w.park(w.ctx, w.mailbox, e)
	case outlook.NotFound:
		y.NextAt = w.in(around(longestWait))
		if err := w.save(); err != nil {
			return ignoreConflict(err)
		}
		return w.Store.InTx(w.ctx, func(tx *store.Tx) error {
			return tx.Enqueue(FindMailbox{w.cal.OrganizationID, w.cal.IntegrationID, w.cal.MailboxID})
		})
	case outlook.BadCredentials:
		wait = around(credentialsWait)
	default:
		wait = max(e.After, backoff(y.Failures+1, firstWait))
	}
	y.Failures++
	y.NextAt = w.in(wait)
	return ignoreConflict(w.save())
}

func ignoreConflict(err error) error {
	if model.KindOf(err) == model.Conflict {
		return nil
	}
	return err
}

// sentence says to an administrator what a failure of Microsoft 365 means.
func sentence(e *outlook.Error) string {
	switch e.Kind {
	case outlook.NoMailbox:
		return "Microsoft 365 has no mailbox for this person that can be reached: a licence may be missing, or the mailbox is kept on-premises"
	case outlook.NoUser:
		return "Microsoft 365 does not know this person any more"
	case outlook.Forbidden:
		return "Microsoft 365 refuses access to this mailbox: a permission is missing, or the mailbox is outside the scope that was granted (" + e.Code + ")"
	case outlook.BadCredentials:
		return "Microsoft 365 refuses the integration's credentials (" + e.Code + ")"
	case outlook.Throttled:
		return "Microsoft 365 asks to come back later"
	case outlook.NotFound:
		return "Microsoft 365 does not find the calendar; its mailbox is looked at again"
	default:
		return fmt.Sprintf("Microsoft 365 answered %s", e.Error())
	}
}

// one reads an event of this very calendar.
func (w *work) one(id string) (outlook.Event, error) {
	got, err := w.api.Event(w.ctx, w.home, id)
	return got, w.believe(err)
}

// seriesAt reads a series of this very calendar.
func (w *work) seriesAt(id string) (outlook.Event, error) {
	got, err := w.api.Master(w.ctx, w.home, id)
	return got, w.believe(err)
}

// believe makes sure that what is not found is not there, and not the calendar under another id: Exchange has been seen to
// change it.
func (w *work) believe(err error) error {
	if outlook.KindOf(err) != outlook.NotFound || w.sure {
		return err
	}
	list, failed := w.api.Calendars(w.ctx, w.ref.Mailbox)
	if failed != nil {
		return failed
	}
	for _, c := range list {
		if c.ID == w.cal.GraphID {
			w.sure = true
			return err
		}
	}
	return errMoved
}

// wallIn reads a wall time in a zone.
func wallIn(wall, zone string) (time.Time, error) {
	loc, err := timezone.Load(zone)
	if err != nil {
		return time.Time{}, err
	}
	at, err := timezone.Instant(wall, loc)
	return at.UTC().Truncate(time.Microsecond), err
}
