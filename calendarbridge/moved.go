package calendarbridge

import (
	"slices"
	"time"

	"usher/model"
	"usher/model/outlook"
	"usher/model/store"
)

// fieldCalendar names in the change feed that an event is in another calendar.
const fieldCalendar field = "calendar_id"

// siblings gives the other calendars of the mailbox that are synchronized, into which an event can have been moved.
func (w *work) siblings() ([]model.Calendar, error) {
	if w.beside != nil {
		return w.beside, nil
	}
	list, err := w.Store.Read(w.ctx).CalendarsOf(w.cal.Ref(), w.cal.MailboxID)
	if err != nil {
		return nil, err
	}
	w.beside = slices.DeleteFunc(list, func(c model.Calendar) bool { return c.ID == w.cal.ID || !c.Enabled })
	return w.beside, nil
}

// homeOf names a calendar of the mailbox by its id.
func (w *work) homeOf(c model.Calendar) outlook.CalendarRef {
	return outlook.CalendarRef{Mailbox: w.ref.Mailbox, Calendar: c.GraphID}
}

// arrivals looks among what Microsoft 365 tells of this calendar for events that the application made in another one of the mailbox:
// one that is not there any more was moved here, and stays the application's event. One that still is was copied; the copy is
// somebody's own.
func (w *work) arrivals(items []outlook.Event) error {
	beside, err := w.siblings()
	if err != nil || len(beside) == 0 {
		return err
	}
	whole := map[string]outlook.Event{} // by iCalUId
	var uids []string
	for _, item := range items {
		if item.Removed == "" && !item.Stub && item.IsOrganizer && item.SeriesMasterID == "" && item.ICalUID != "" {
			whole[item.ICalUID] = item
			uids = append(uids, item.ICalUID)
		}
	}
	own, err := w.Store.Read(w.ctx).OwnEvents(w.cal.Ref(), uids)
	if err != nil {
		return err
	}
	for _, e := range own {
		i := slices.IndexFunc(beside, func(c model.Calendar) bool { return c.ID == e.CalendarID })
		item := whole[e.ICalUID]
		if i < 0 {
			continue
		}
		if left, err := w.hasLeft(e, beside[i], item); err != nil || !left {
			if err != nil {
				return err
			}
			continue
		}
		if _, err := w.move(e, beside[i], w.cal, item); err != nil {
			return err
		}
	}
	return nil
}

// hasLeft says whether an event that another calendar is known to have is in this one now.
func (w *work) hasLeft(e model.Event, from model.Calendar, item outlook.Event) (bool, error) {
	if item.ID == e.GraphID { // an immutable id is in one place; a delta that lags may tell of an earlier one
		_, err := w.one(item.ID)
		return err == nil, unlessNotFound(err)
	}
	if e.GraphID == "" {
		return false, nil
	}
	_, err := w.api.Event(w.ctx, w.homeOf(from), e.GraphID)
	if outlook.KindOf(err) != outlook.NotFound {
		return false, err
	}
	list, err := w.api.Calendars(w.ctx, w.ref.Mailbox)
	return slices.ContainsFunc(list, func(c outlook.Calendar) bool { return c.ID == from.GraphID }), err
}

func unlessNotFound(err error) error {
	if outlook.KindOf(err) == outlook.NotFound {
		return nil
	}
	return err
}

// departed looks for an event that the application made, and that its calendar does not have any more, in the other calendars of the
// mailbox: by the mark that it was made with, and where a client lost that as it moved the event, by its iCalUId. It says whether
// the event was moved there. What is known there already as somebody's own is a copy, whatever mark it has.
func (w *work) departed(e model.Event) (bool, error) {
	if e.Origin != model.OriginUsher || e.GraphID == "" || e.SeriesGraphID != "" {
		return false, nil
	}
	beside, err := w.siblings()
	if err != nil {
		return false, err
	}
	for _, to := range beside {
		for _, by := range [][2]string{{e.ID, ""}, {"", e.ICalUID}} {
			if by[0] == by[1] {
				continue // it has no iCalUId
			}
			list, err := w.api.FindEvents(w.ctx, w.homeOf(to), by[0], by[1])
			if unlessNotFound(err) != nil {
				return false, err
			}
			for _, found := range list {
				if found.SeriesMasterID != "" || !found.IsOrganizer {
					continue
				}
				if moved, err := w.move(e, w.cal, to, found); err != nil || moved {
					return moved, err
				}
			}
		}
	}
	return false, nil
}

// departedSeries is departed of a series by Microsoft 365's id.
func (w *work) departedSeries(graphID string) (bool, error) {
	known, err := w.Store.Read(w.ctx).EventsByGraphID(w.cal, []string{graphID})
	if err != nil {
		return false, err
	}
	return w.departed(known[graphID])
}

// move puts an event with what waits to be written of it into the calendar in which Microsoft 365 has it now. Both calendars' leases
// are held meanwhile, so that nobody reads or writes either; where another worker has the other one, the turn ends and is
// repeated.
func (w *work) move(e model.Event, from, to model.Calendar, found outlook.Event) (moved bool, err error) {
	remote, err := w.norm.event(to, found)
	if err != nil {
		return false, nil //nolint:nilerr // an event that cannot be kept is told of where it is read
	}
	other := from
	if other.ID == w.cal.ID {
		other = to
	}
	places := map[time.Time]string{}
	if remote.Kind == model.EventSeries && remote.GraphID != e.GraphID {
		if places, err = w.places(to, found); err != nil {
			return false, err
		}
	}
	err = w.withOther(other, func(lease string) error {
		return w.inTx(func(tx *store.Tx) error {
			if moved, err = w.moveIn(tx, e.ID, from, to, remote, places); err != nil {
				return err
			}
			return tx.ExtendLease(other, lease, w.Store.Now().Add(leaseTime))
		})
	})
	return moved, err
}

// withOther takes the lease of another calendar for the time of fn.
func (w *work) withOther(cal model.Calendar, fn func(lease string) error) error {
	lease := store.NewID()
	_, ok, err := w.Store.LeaseCalendar(w.ctx, cal.OrganizationID, cal.ID, lease, w.Store.Now().Add(leaseTime))
	switch {
	case err != nil:
		return ignoreMissing(err)
	case !ok: // who has it may want this one: they do not meet again
		return &model.Throttled{After: between(leasedWait, 4*leasedWait)}
	}
	err = fn(lease)
	if failed := w.Store.ReleaseCalendar(w.ctx, cal.OrganizationID, cal.ID, lease); failed != nil {
		w.Log.WarnContext(w.ctx, "a calendar was not released; its lease ends by itself", "calendar", cal.ID, "err", failed)
	}
	return err
}

// places gives the ids of the occurrences of a series within the window, by which of them they are.
func (w *work) places(to model.Calendar, master outlook.Event) (map[time.Time]string, error) {
	ids := map[time.Time]string{}
	window := outlook.Window{From: w.cal.Sync.From, To: w.cal.Sync.To}
	if !window.From.Before(window.To) {
		window.From, window.To = w.window(w.now())
	}
	for next, pages := "", 0; pages < maxInstances; pages++ {
		page, err := w.api.Instances(w.ctx, w.homeOf(to), master.ID, window, next)
		if err != nil {
			return ids, unlessNotFound(err)
		}
		for _, item := range page.Events {
			if e, err := w.norm.event(to, hydrate(master, item)); err == nil && e.OriginalStart != nil {
				ids[*e.OriginalStart] = item.ID
			}
		}
		if next = page.Next; next == "" {
			break
		}
	}
	return ids, nil
}

// unseen is the round of what came into a calendar by a move: none of this calendar has brought it yet, the one that finds the move
// neither. What a round that brings everything does not bring then, is looked for as it ends: an occurrence may have been cancelled
// since.
const unseen = 0

func (w *work) moveIn(tx *store.Tx, id string, from, to model.Calendar, remote model.Event, places map[time.Time]string) (bool, error) {
	e, err := tx.LockEvent(from.OrganizationID, id)
	if err != nil || e.CalendarID != from.ID {
		return false, ignoreMissing(err)
	}
	if there, err := tx.EventsByGraphID(to, []string{remote.GraphID}); err != nil || len(there) > 0 {
		return false, err
	}
	waiting, err := unfinished(tx, from, id)
	if err != nil {
		return false, err
	}
	parts, err := tx.EventsOfSeries(from, e.GraphID)
	if err != nil {
		return false, err
	}
	ids := []string{id}
	for i := range parts {
		ids = append(ids, parts[i].ID)
	}
	tx.MoveEvents(from, to, ids)
	e.CalendarID = to.ID
	out := w.norm.over(e, waiting, remote)
	out.event.Round = unseen
	if err := tx.UpdateEvent(&out.event); err != nil {
		return false, err
	}
	if err := (&applying{work: w, tx: tx}).savePending(waiting, out); err != nil {
		return false, err
	}
	for i := range parts {
		p := &parts[i]
		p.CalendarID, p.SeriesGraphID, p.Round = to.ID, remote.GraphID, unseen
		if p.OriginalStart != nil {
			p.GraphID = orElse(places[*p.OriginalStart], p.GraphID)
		}
		p.Hash = w.norm.hash(*p)
	}
	if err := tx.UpdateEvents(parts); err != nil {
		return false, err
	}
	return true, w.tellMoved(tx, to, append([]model.Event{out.event}, parts...), out.changed, len(waiting) > 0)
}

// tellMoved tells that events are in another calendar, and has what waits of them written there.
func (w *work) tellMoved(tx *store.Tx, to model.Calendar, list []model.Event, changed []field, waiting bool) error {
	for i := range list {
		names := []field{fieldCalendar}
		if i == 0 {
			names = append(names, changed...)
		}
		if err := tell(tx, actorOutlook, model.EventUpdated, &list[i], "moved to another calendar in Outlook", names); err != nil {
			return err
		}
	}
	if list[0].Kind == model.EventSeries { // its occurrences are to be read there
		if err := w.markDirty(tx, to.ID); err != nil {
			return err
		}
	}
	if !waiting {
		return nil
	}
	return tx.Enqueue(WriteEvents{OrganizationID: to.OrganizationID, CalendarID: to.ID})
}
