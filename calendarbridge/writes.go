package calendarbridge

import (
	"context"
	"errors"
	"time"

	"usher/model"
	"usher/model/outlook"
	"usher/model/store"
)

// The bounds of writing.
const (
	writesAtOnce = 50
	// conflictTries is how often a write is merged and sent anew at once, when Outlook was faster.
	conflictTries = 3
	// writeLife is how long a write is tried that never gets through.
	writeLife = 7 * 24 * time.Hour
	// writeKept is how long writes that are done are remembered, to recognize what comes back.
	writeKept = 24 * time.Hour
	idleWait  = 15 * time.Minute
)

// WriteEvents works the job: what the application changed goes to Microsoft 365, the changes of one event one after the other.
// It has the calendar's lease, so that no page is read while an answer is awaited.
func (s *Service) WriteEvents(ctx context.Context, job WriteEvents) error {
	return s.withCalendar(ctx, job.OrganizationID, job.CalendarID, func(w *work) error {
		at, any, err := s.Store.Read(ctx).NextWriteAt(w.cal)
		if err != nil || !any {
			return err
		}
		if at.After(w.now()) {
			return &model.Throttled{After: max(at.Sub(w.now()), leasedWait)}
		}
		integration, err := s.Store.Read(ctx).Integration(w.cal.Ref())
		if err != nil {
			return ignoreMissing(err)
		}
		if integration.ReadOnly || !integration.CalendarSync || w.mailbox.State != model.MailboxActive || !w.mailbox.Enabled {
			return &model.Throttled{After: idleWait}
		}
		if err := w.connect(); err != nil {
			return s.later(ctx, "write events", w.cal.Ref(), err)
		}
		return w.writes()
	})
}

// TrimWrites works the job.
func (s *Service) TrimWrites(ctx context.Context, _ TrimWrites) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		tx.TrimEnded()
		_, err := tx.DeleteWrites(tx.Now().Add(-writeKept))
		return err
	})
}

// writes sends what is due until nothing is, or the turn is over.
func (w *work) writes() error {
	for {
		due, err := w.Store.Read(w.ctx).WritesDue(w.cal, w.now(), writesAtOnce)
		if err != nil {
			return err
		}
		for i := range due {
			if err := w.write(due[i].ID, due[i].EventID); err != nil {
				return lost(err)
			}
		}
		if len(due) > 0 && w.now().Before(w.until) {
			continue
		}
		at, any, err := w.Store.Read(w.ctx).NextWriteAt(w.cal)
		if err != nil || !any {
			return err
		}
		return &model.Throttled{After: max(at.Sub(w.now()), leasedWait)}
	}
}

// attempt is one write as it is sent now.
type attempt struct {
	pending
	event  model.Event
	before bool // an earlier attempt has no answer: it may have arrived
}

// write sends one write. What Microsoft 365 answers, and what it refuses, is stored; the error is of the database or the
// turn alone.
func (w *work) write(id, eventID string) error {
	a, ok, err := w.prepare(id, eventID)
	if err != nil || !ok {
		return err
	}
	w.Observe(EventWritten, 1)
	var answer outlook.Event
	switch a.write.Op {
	case model.WriteCreate:
		answer, err = w.create(a)
	case model.WriteUpdate:
		return w.update(a)
	case model.WriteCancel, model.WriteDelete:
		err = w.callOff(a)
	}
	if err != nil {
		return w.notWritten(a, err)
	}
	return w.written(a, answer)
}

// prepare marks a write as sent, before it is: a worker that dies leaves word that it may have arrived.
func (w *work) prepare(id, eventID string) (a attempt, ok bool, err error) {
	err = w.inTx(func(tx *store.Tx) error {
		ok = false
		e, missing := tx.LockEvent(w.cal.OrganizationID, eventID)
		if missing != nil && model.KindOf(missing) != model.NotFound {
			return missing
		}
		list, err := unfinished(tx, w.cal, eventID)
		if err != nil || len(list) == 0 || list[0].write.ID != id {
			return err
		}
		a = attempt{pending: list[0], event: e, before: list[0].write.Sent}
		if missing != nil || a.write.Op == model.WriteUpdate && (e.GraphID == "" || ending(list)) {
			finish(&a.write, "", "") // there is nothing left that it could change, or soon will not be
			return tx.UpdateWrite(&a.write)
		}
		a.write.Sent, ok = true, true
		a.write.Attempts++
		return tx.UpdateWrite(&a.write)
	})
	return a, ok, err
}

// create makes the event. A second creation with its transaction id is the first one's; where an answer was lost, the event
// is looked for by its mark before that, in case Exchange has forgotten the transaction id.
func (w *work) create(a attempt) (outlook.Event, error) {
	if a.event.GraphID != "" { // a page of the delta had it
		return w.api.Event(w.ctx, w.ref, a.event.GraphID)
	}
	if a.before {
		if found, ok, err := w.byMark(a); err != nil || ok {
			return found, err
		}
	}
	got, err := w.sendZoned(a.fields, func(d outlook.Draft) (outlook.Event, error) {
		d.TransactionID, d.Origin = a.event.ID, a.event.ID
		return w.api.CreateEvent(w.ctx, w.ref, d)
	})
	if kind := outlook.KindOf(err); kind == outlook.Conflict || kind == outlook.Duplicate {
		if found, ok, e := w.byMark(a); e != nil || ok {
			return found, e
		}
	}
	return got, err
}

func (w *work) byMark(a attempt) (outlook.Event, bool, error) {
	list, err := w.api.FindEvents(w.ctx, w.ref, a.event.ID, "")
	for _, found := range list {
		if found.Type != outlook.Occurrence && found.Type != outlook.Exception {
			return found, true, err
		}
	}
	return outlook.Event{}, false, err
}

// sendZoned sends a draft with the zones' IANA names, then with Windows', then, of what does not repeat, in UTC: which names
// a mailbox knows differs.
func (w *work) sendZoned(f Fields, send func(outlook.Draft) (outlook.Event, error)) (outlook.Event, error) {
	d, err := f.toOutlook()
	if err != nil {
		return outlook.Event{}, err
	}
	got, err := send(d)
	if outlook.KindOf(err) != outlook.BadZone || d.Start == nil || d.End == nil {
		return got, err
	}
	if inWindows(d.Start) && inWindows(d.End) {
		if d.Recurrence != nil {
			d.Recurrence.Range.TimeZone = d.Start.TimeZone
		}
		got, err = send(d)
	}
	if outlook.KindOf(err) != outlook.BadZone || d.Recurrence != nil || f.AllDay != nil && *f.AllDay {
		return got, err
	}
	*d.Start, *d.End = inUTC(f.Start.UTC), inUTC(f.End.UTC)
	return send(d)
}

// update changes the event where it still is as it was last seen. Where Outlook was faster, both changes are merged, and what
// is left of ours is sent again.
func (w *work) update(a attempt) error {
	for try := 1; ; try++ {
		set, err := w.keepMeeting(a)
		if err != nil {
			return w.notWritten(a, err)
		}
		answer, err := w.sendZoned(set, func(d outlook.Draft) (outlook.Event, error) {
			return w.api.UpdateEvent(w.ctx, w.ref, a.event.GraphID, d, a.write.ChangeKey)
		})
		if err == nil {
			return w.written(a, answer)
		}
		if outlook.KindOf(err) != outlook.Conflict || try == conflictTries {
			return w.notWritten(a, err)
		}
		current, err := w.read(a.event)
		if err != nil {
			return w.notWritten(a, err)
		}
		more, err := w.absorb(&a, current)
		if err != nil || !more {
			return err
		}
	}
}

// read reads an event as it is now, an occurrence with what its series says.
func (w *work) read(e model.Event) (outlook.Event, error) {
	got, err := w.one(e.GraphID)
	if err != nil || !got.Stub && e.SeriesGraphID == "" {
		return got, err
	}
	if !got.Stub {
		got.SeriesMasterID = orElse(got.SeriesMasterID, e.SeriesGraphID)
		return hydrate(outlook.Event{ID: got.SeriesMasterID}, got), nil
	}
	master, err := w.seriesAt(orElse(got.SeriesMasterID, e.SeriesGraphID))
	return hydrate(master, got), err
}

// callOff cancels a meeting, or deletes an event.
func (w *work) callOff(a attempt) error {
	if a.event.GraphID == "" { // the answer to its creation was lost, and nothing was found of it
		found, ok, err := w.byMark(a)
		if err != nil || !ok {
			return err
		}
		a.event.GraphID, a.write.ChangeKey = found.ID, found.ChangeKey
	}
	id := a.event.GraphID
	if a.write.Op == model.WriteCancel {
		err := w.api.CancelEvent(w.ctx, w.ref, id, a.write.Comment)
		if outlook.KindOf(err) != outlook.NotOrganizer {
			return err
		}
	}
	key := a.write.ChangeKey
	for range conflictTries {
		err := w.api.DeleteEvent(w.ctx, w.ref, id, key)
		if outlook.KindOf(err) != outlook.Conflict {
			return err
		}
		now, err := w.api.Event(w.ctx, w.ref, id)
		if err != nil {
			return err
		}
		key = now.ChangeKey
	}
	return &outlook.Error{Kind: outlook.Conflict, Code: "Busy", Message: "the event changed each time it was to be deleted"}
}

// notThere is for a write to an event that its calendar does not have. One that was moved to another calendar of the mailbox is
// written there; one that is to be called off has been; of any other there is nothing left to be changed.
func (w *work) notThere(a attempt, e *outlook.Error) error {
	moved, err := w.departed(a.event)
	switch {
	case err != nil && outlook.KindOf(err) == outlook.Other:
		return err
	case err != nil:
		return w.notWritten(a, err)
	case moved:
		return nil
	case a.write.Op == model.WriteCancel || a.write.Op == model.WriteDelete:
		return w.calledOff(a)
	}
	return w.refused(a, e)
}

// notWritten notes that a write did not get through: it is sent again, or it never can be.
func (w *work) notWritten(a attempt, err error) error {
	if w.ctx.Err() != nil {
		return err // it counts as sent: it may have arrived
	}
	if errors.Is(err, errMoved) {
		err = &outlook.Error{Kind: outlook.Unavailable, Code: "CalendarMoved", Message: err.Error()}
	}
	e, ok := errors.AsType[*outlook.Error](err)
	if !ok {
		e = &outlook.Error{Kind: outlook.Invalid, Message: err.Error()}
	}
	if e.Kind == outlook.NotFound {
		return w.notThere(a, e)
	}
	w.Log.WarnContext(w.ctx, "an event was not written", "calendar", w.cal.ID, "event", a.event.ID, "op", a.write.Op, "err", err)
	wait := backoff(a.write.Attempts, firstWait)
	arrived := true // it may have
	switch e.Kind {
	case outlook.Invalid, outlook.BadZone, outlook.CrossingBoundary, outlook.NotOrganizer, outlook.TooLong, outlook.Quota:
		return w.refused(a, e)
	case outlook.Throttled:
		w.Observe(EventThrottled, 1)
		wait, arrived = max(e.After, throttledWait), false
	case outlook.BadCredentials:
		wait, arrived = around(credentialsWait), false
	case outlook.Forbidden, outlook.NoMailbox, outlook.NoUser:
		wait, arrived = around(longestWait), false
	default:
	}
	if a.write.CreatedAt.Before(w.now().Add(-writeLife)) {
		return w.refused(a, e)
	}
	a.write.Sent, a.write.Error, a.write.NextAt = a.before || arrived, sentence(e), *w.in(wait)
	if err := w.inTx(func(tx *store.Tx) error { return tx.UpdateWrite(&a.write) }); err != nil {
		return ignoreMissing(err)
	}
	switch e.Kind {
	case outlook.NoMailbox, outlook.NoUser, outlook.Forbidden:
		return w.park(w.ctx, w.mailbox, e)
	case outlook.Throttled:
		return &model.Throttled{After: wait}
	default:
		return nil
	}
}
