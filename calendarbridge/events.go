package calendarbridge

import (
	"context"
	"encoding/json"
	"slices"

	"usher/model"
	"usher/model/store"
)

// CreateEvent makes an event in a calendar: stored at once with the state pending, and on its way to Microsoft 365 in the same
// transaction. Actor says who did it. Errors: Invalid names a field; Refused says what the calendar does not allow.
func (s *Service) CreateEvent(ctx context.Context, actor, organizationID, calendarID string, f Fields) (e model.Event, err error) {
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		set := f // a transaction may run again
		cal, mailbox, err := s.writable(tx, organizationID, calendarID)
		if err != nil {
			return err
		}
		if cal.RoomID != nil {
			return model.Errorf(model.Refused, "a room is booked by inviting it: give room_id in an event of a person's calendar")
		}
		e = model.Event{
			ID: store.NewID(), OrganizationID: organizationID, IntegrationID: cal.IntegrationID, CalendarID: calendarID, Kind: model.EventSingle,
			ShowAs: "busy", Sensitivity: "normal", Status: "confirmed", Response: "accepted", IsOrganizer: true, Attendees: []model.EventPerson{},
			Organizer: model.EventPerson{Email: mailbox.Address}, Origin: model.OriginUsher, SyncState: model.EventPending, Round: cal.Sync.Round,
		}
		e.TransactionID = e.ID
		if err := s.book(tx, &set, e); err != nil {
			return err
		}
		if err := s.check(&set, e); err != nil {
			return err
		}
		if string(set.Recurrence) == "null" {
			set.Recurrence = nil
		}
		if err := mayInvite(set, set.sets(), cal, e); err != nil {
			return err
		}
		set.apply(&e)
		list := []model.Event{e}
		if err := tx.InsertEvents(list); err != nil {
			return err
		}
		e = list[0]
		return s.send(tx, actor, &e, pending{write: model.EventWrite{Op: model.WriteCreate}, fields: set}, model.EventCreated, nil)
	})
	return e, err
}

// writable gives a calendar in which events may be written, or says why none may.
func (s *Service) writable(tx *store.Tx, organizationID, calendarID string) (cal model.Calendar, m model.Mailbox, err error) {
	if cal, err = tx.Calendar(organizationID, calendarID); err != nil {
		return cal, m, err
	}
	integration, err := tx.Integration(cal.Ref())
	if err != nil {
		return cal, m, err
	}
	if m, err = tx.Mailbox(cal.Ref(), cal.MailboxID); err != nil {
		return cal, m, err
	}
	switch {
	case integration.ReadOnly:
		return cal, m, model.Errorf(model.Refused, "the integration is read-only: nothing is written to Microsoft 365")
	case !integration.CalendarSync || !cal.Enabled || !m.Enabled:
		return cal, m, model.Errorf(model.Refused, "the calendar is not synchronized: enable it first")
	case !cal.CanEdit:
		return cal, m, model.Errorf(model.Refused, "Microsoft 365 does not allow the calendar to be changed")
	case m.State != model.MailboxActive && m.State != model.MailboxPending:
		return cal, m, model.Errorf(model.Refused, "the mailbox is %s: %s", m.State, m.Detail)
	}
	return cal, m, nil
}

// book turns the room that is to be booked into an attendee, beside those whom the application sets or the event has.
func (s *Service) book(tx *store.Tx, f *Fields, now model.Event) error {
	if f.RoomID == nil {
		return nil
	}
	people := now.Attendees
	if f.Attendees != nil {
		people = *f.Attendees
	}
	people = slices.DeleteFunc(slices.Clone(people), func(a model.EventPerson) bool { return a.Type == "resource" })
	place, email := "", ""
	if *f.RoomID != "" {
		room, err := tx.Room(now.OrganizationID, *f.RoomID)
		if err != nil && model.KindOf(err) != model.NotFound {
			return err
		}
		if err != nil || room.IntegrationID != now.IntegrationID {
			return invalid("room_id", "is not a room of the calendar's tenant")
		}
		people = append(people, model.EventPerson{Email: room.Email, Name: room.DisplayName, Type: "resource"})
		place, email = orElse(room.DisplayName, room.Email), room.Email
	}
	f.Attendees, f.RoomID = &people, nil
	if f.Location == nil {
		f.Location, f.locationEmail = &place, email
	}
	return nil
}

// mayInvite refuses what would have Microsoft 365 write to people unasked: it does so whenever a meeting is made or changed.
// A room is not asked before it is booked.
func mayInvite(f Fields, changed []field, cal model.Calendar, now model.Event) error {
	after := now
	f.apply(&after)
	people := func(e model.Event) bool {
		return slices.ContainsFunc(e.Attendees, func(a model.EventPerson) bool { return a.Type != "resource" })
	}
	wrote := f.Attendees != nil && slices.ContainsFunc(*f.Attendees, func(a model.EventPerson) bool { return a.Type != "resource" })
	told := slices.ContainsFunc(changed, func(name field) bool { return name != fieldShowAs && name != fieldSensitivity })
	switch {
	case !wrote && !people(after) && !people(now) || !told:
		return nil
	case !f.SendInvitations:
		return model.FieldErrorf(model.Invalid, "send_invitations", "must be true: Microsoft 365 writes to the attendees whenever a meeting is made or changed")
	case !cal.IsDefault && now.GraphID == "":
		return model.FieldErrorf(model.Refused, "attendees", "can only be invited in the default calendar, where Microsoft 365 tracks their answers")
	}
	return nil
}

// send stores a write of the event, tells of it and has it sent.
func (s *Service) send(tx *store.Tx, actor string, e *model.Event, p pending, what model.ChangeType, changed []field) error {
	if err := encodePending(&p); err != nil {
		return err
	}
	p.write.OrganizationID, p.write.IntegrationID, p.write.CalendarID, p.write.EventID = e.OrganizationID, e.IntegrationID, e.CalendarID, e.ID
	var err error
	if p.write.ID == "" {
		err = tx.InsertWrite(&p.write)
	} else {
		err = tx.UpdateWrite(&p.write)
	}
	if err != nil {
		return err
	}
	if err := tell(tx, actor, what, e, "changed in the application", changed); err != nil {
		return err
	}
	return tx.Enqueue(WriteEvents{OrganizationID: e.OrganizationID, CalendarID: e.CalendarID})
}

// UpdateEvent changes fields of an event, of whichever side it is, if Microsoft 365 lets it be changed: the organizer's copy
// alone. What is set to what it is already is not sent.
func (s *Service) UpdateEvent(ctx context.Context, actor, organizationID, id string, f Fields) (e model.Event, err error) {
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		set := f
		var cal model.Calendar
		if e, cal, err = s.lockWritable(tx, organizationID, id); err != nil {
			return err
		}
		if err := s.book(tx, &set, e); err != nil {
			return err
		}
		if err := s.check(&set, e); err != nil {
			return err
		}
		before := e
		n := normalizer{clean: s.clean}
		after := e
		set.apply(&after)
		same := n.values(before)
		for _, name := range set.sets() {
			if n.values(after)[name] == same[name] && before.Sensitivity != private && before.SyncState != model.EventFailed {
				set.drop(name)
			}
		}
		changed := set.sets()
		if len(changed) == 0 {
			return nil
		}
		if !e.IsOrganizer && slices.ContainsFunc(changed, func(name field) bool { return name != fieldShowAs && name != fieldSensitivity }) {
			return model.FieldErrorf(model.Refused, string(changed[0]), "can only be changed by the organizer, %s", e.Organizer.Email)
		}
		if err := mayInvite(set, changed, cal, e); err != nil {
			return err
		}
		return s.amend(tx, actor, cal, &e, set, changed)
	})
	return e, err
}

// lockWritable gives an event that may be changed.
func (s *Service) lockWritable(tx *store.Tx, organizationID, id string) (model.Event, model.Calendar, error) {
	e, err := tx.LockEvent(organizationID, id)
	if err != nil {
		return e, model.Calendar{}, err
	}
	cal, _, err := s.writable(tx, organizationID, e.CalendarID)
	if err == nil && e.Status == "cancelled" {
		err = model.Errorf(model.Refused, "the event has been called off")
	}
	return e, cal, err
}

// amend stores a change of an event, in the write that waits already where that was not sent yet.
func (s *Service) amend(tx *store.Tx, actor string, cal model.Calendar, e *model.Event, set Fields, changed []field) error {
	waiting, err := unfinished(tx, cal, e.ID)
	if err != nil {
		return err
	}
	n := normalizer{clean: s.clean}
	values := n.values(*e)
	p := pending{write: model.EventWrite{Op: model.WriteUpdate, ChangeKey: e.ChangeKey}, fields: set, base: map[field]string{}}
	for _, name := range changed {
		if e.Sensitivity != private || !masked(name) {
			p.base[name] = values[name]
		}
	}
	set.apply(e)
	if last := len(waiting) - 1; last >= 0 && !waiting[last].write.Sent {
		for name, value := range waiting[last].base {
			p.base[name] = value
		}
		p.write, p.fields = waiting[last].write, set.over(waiting[last].fields)
	} else if last < 0 && e.GraphID == "" { // its creation was refused: this is another attempt
		p.write.Op, p.fields, p.base = model.WriteCreate, set.over(fieldsOf(*e)), nil
	}
	e.SyncState, e.SyncError = model.EventPending, ""
	if err := tx.UpdateEvent(e); err != nil {
		return err
	}
	return s.send(tx, actor, e, p, model.EventUpdated, changed)
}

// unfinished gives the writes of an event that have not arrived, oldest first.
func unfinished(tx *store.Tx, cal model.Calendar, eventID string) ([]pending, error) {
	list, err := tx.WritesOfEvents(cal, []string{eventID})
	if err != nil {
		return nil, err
	}
	var out []pending
	for _, write := range list {
		if write.Done {
			continue
		}
		p, err := decodePending(write)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// DeleteEvent calls an event off that the application made. A meeting is cancelled, so that its attendees are told, with the
// comment; any other event is deleted. Events that Outlook made are never deleted by the application.
func (s *Service) DeleteEvent(ctx context.Context, actor, organizationID, id, comment string) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		e, cal, err := s.lockWritable(tx, organizationID, id)
		if err != nil {
			return err
		}
		if e.Origin != model.OriginUsher {
			return model.Errorf(model.Refused, "the event was made in Outlook; only events that the application made can be deleted by it")
		}
		waiting, err := unfinished(tx, cal, id)
		if err != nil {
			return err
		}
		sent := e.GraphID != ""
		for i := range waiting {
			w := &waiting[i].write
			if w.Sent {
				sent = true
				continue
			}
			finish(w, "", "")
			if err := tx.UpdateWrite(w); err != nil {
				return err
			}
		}
		if !sent { // Microsoft 365 never heard of it
			return s.remove(tx, cal, []model.Event{e}, actor, "deleted in the application")
		}
		e.Status, e.SyncState, e.SyncError = "cancelled", model.EventPending, ""
		if err := tx.UpdateEvent(&e); err != nil {
			return err
		}
		write := model.EventWrite{Op: model.WriteDelete, ChangeKey: e.ChangeKey, Comment: s.clean.text(comment, maxText), Draft: json.RawMessage("{}")}
		if e.IsOrganizer && len(e.Attendees) > 0 {
			write.Op = model.WriteCancel
		}
		return s.send(tx, actor, &e, pending{write: write}, model.EventCancelled, nil)
	})
}
