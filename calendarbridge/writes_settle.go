package calendarbridge

import (
	"slices"
	"time"

	"usher/internal/timezone"
	"usher/model"
	"usher/model/outlook"
	"usher/model/store"
)

// inWindows turns the zone's name into Windows', and says whether that made a difference.
func inWindows(m *outlook.Moment) bool {
	name, ok := timezone.Windows(m.TimeZone)
	if !ok || name == m.TimeZone {
		return false
	}
	m.TimeZone = name
	return true
}

func inUTC(at time.Time) outlook.Moment {
	return outlook.Moment{DateTime: timezone.Wall(at, time.UTC), TimeZone: "UTC"}
}

// written stores that a write has arrived, and what Microsoft 365 made of it.
func (w *work) written(a attempt, answer outlook.Event) error {
	if a.write.Op == model.WriteCancel || a.write.Op == model.WriteDelete {
		return w.calledOff(a)
	}
	if answer.SeriesMasterID == "" && a.event.SeriesGraphID != "" && a.event.Kind != model.EventSeries {
		answer.SeriesMasterID = a.event.SeriesGraphID
	}
	remote, err := w.norm.event(w.cal, answer)
	if err != nil { // it arrived all the same; the delta brings it
		w.Log.WarnContext(w.ctx, "the answer to a write cannot be kept", "event", a.event.ID, "err", err)
		return w.settle(a, nil)
	}
	return w.settle(a, &remote)
}

// settle finishes the write, and puts those that wait behind it on top of the answer.
func (w *work) settle(a attempt, remote *model.Event) error {
	return w.inTx(func(tx *store.Tx) error {
		e, err := tx.LockEvent(w.cal.OrganizationID, a.event.ID)
		if err != nil && model.KindOf(err) != model.NotFound {
			return err
		}
		missing := err != nil
		waiting, err := unfinished(tx, w.cal, a.event.ID)
		if err != nil {
			return err
		}
		waiting = slices.DeleteFunc(waiting, func(p pending) bool { return p.write.ID == a.write.ID })
		done := a.write
		finish(&done, "", "")
		if remote != nil {
			done.ResultKey, done.ResultHash = remote.ChangeKey, remote.Hash
		}
		if err := tx.UpdateWrite(&done); err != nil || missing {
			return ignoreMissing(err)
		}
		if remote == nil {
			if len(waiting) == 0 {
				e.SyncState = model.EventSynced
			}
			return tx.UpdateEvent(&e)
		}
		return w.store(tx, e, waiting, *remote)
	})
}

// store keeps what Microsoft 365 says of an event that the application changed, beneath what is still to be sent.
func (w *work) store(tx *store.Tx, e model.Event, waiting []pending, remote model.Event) error {
	out := w.norm.over(e, waiting, remote)
	out.event.GraphID = remote.GraphID
	if e.GraphID == "" && remote.Kind == model.EventSeries || e.Kind != remote.Kind || remote.Kind == model.EventSeries {
		if err := w.markDirty(tx, w.cal.ID); err != nil { // its occurrences are to be read
			return err
		}
	}
	if err := tx.UpdateEvent(&out.event); err != nil {
		return err
	}
	ap := &applying{work: w, tx: tx}
	if err := ap.savePending(waiting, out); err != nil {
		return err
	}
	if len(out.changed) == 0 {
		return nil
	}
	return tell(tx, actorOutlook, model.EventUpdated, &out.event, "as Microsoft 365 keeps it", out.changed)
}

// absorb merges what Outlook changed into an event whose write came too late, and says whether anything is left to be sent.
func (w *work) absorb(a *attempt, current outlook.Event) (more bool, err error) {
	remote, err := w.norm.event(w.cal, current)
	if err != nil {
		return false, w.notWritten(*a, err)
	}
	err = w.inTx(func(tx *store.Tx) error {
		more = false
		e, err := tx.LockEvent(w.cal.OrganizationID, a.event.ID)
		if err != nil {
			return ignoreMissing(err)
		}
		waiting, err := unfinished(tx, w.cal, a.event.ID)
		if err != nil {
			return err
		}
		if err := w.store(tx, e, waiting, remote); err != nil {
			return err
		}
		waiting, err = unfinished(tx, w.cal, a.event.ID)
		if err != nil || len(waiting) == 0 || waiting[0].write.ID != a.write.ID {
			return err
		}
		a.pending, a.event, more = waiting[0], e, true
		a.event.ChangeKey = remote.ChangeKey
		return nil
	})
	return more, err
}

// calledOff takes an event out of the application that Microsoft 365 does not have any more.
func (w *work) calledOff(a attempt) error {
	return w.inTx(func(tx *store.Tx) error {
		done := a.write
		finish(&done, "", "")
		if err := tx.UpdateWrite(&done); err != nil {
			return ignoreMissing(err)
		}
		return w.removeWhole(tx, a.event.ID, "called off by the application")
	})
}

// removeWhole removes an event, of a series with its occurrences.
func (w *work) removeWhole(tx *store.Tx, id, reason string) error {
	e, err := tx.LockEvent(w.cal.OrganizationID, id)
	if err != nil {
		return ignoreMissing(err)
	}
	list := []model.Event{e}
	occurrences, err := tx.EventsOfSeries(w.cal, e.GraphID)
	if err != nil {
		return err
	}
	return w.remove(tx, append(list, occurrences...), actorBridge, reason)
}

// refused notes that a write can never get through. What Microsoft 365 has stands; the event says why.
func (w *work) refused(a attempt, e *outlook.Error) error {
	var remote *model.Event
	if a.event.GraphID != "" {
		current, err := w.read(a.event)
		switch {
		case outlook.KindOf(err) == outlook.NotFound:
			return w.inTx(func(tx *store.Tx) error { return w.removeWhole(tx, a.event.ID, reasonDeleted) })
		case err != nil:
			// Whether it stands is not known: the write is looked at again, and refused again.
			a.write.NextAt, a.write.Error = *w.in(around(firstWait)), sentence(e)
			return ignoreMissing(w.inTx(func(tx *store.Tx) error { return tx.UpdateWrite(&a.write) }))
		}
		if normal, err := w.norm.event(w.cal, current); err == nil {
			remote = &normal
		}
	}
	return w.inTx(func(tx *store.Tx) error {
		now, err := tx.LockEvent(w.cal.OrganizationID, a.event.ID)
		if err != nil {
			return ignoreMissing(err)
		}
		waiting, err := unfinished(tx, w.cal, a.event.ID)
		if err != nil {
			return err
		}
		for i := range waiting { // what was to follow followed from it
			finish(&waiting[i].write, "", "")
			waiting[i].write.Error = sentence(e)
			if err := tx.UpdateWrite(&waiting[i].write); err != nil {
				return err
			}
		}
		before := now
		if remote != nil {
			now = w.norm.adopt(now, *remote)
		}
		now.SyncState, now.SyncError = model.EventFailed, w.clean.text(sentence(e), maxText)
		if err := tx.UpdateEvent(&now); err != nil {
			return err
		}
		if err := tell(tx, actorOutlook, model.EventUpdated, &now, now.SyncError, w.norm.differences(before, now)); err != nil {
			return err
		}
		return tx.Log(model.Activity{
			OrganizationID: now.OrganizationID, IntegrationID: &now.IntegrationID, Actor: actorBridge, Action: "event.refused", SubjectType: "event",
			SubjectID: now.ID, Subject: now.Subject, Summary: "Microsoft 365 refused a change of the application's: " + now.SyncError,
		}, nil)
	})
}
