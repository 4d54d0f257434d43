package storetest

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"usher/model"
	"usher/model/store"
)

// someday is the midnight that samples of calendars are about.
func someday() time.Time { return time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC) }

// NewRoom gives a room that is not stored yet.
func NewRoom(ref model.Ref, name string) *model.Room {
	return &model.Room{
		OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID, Email: name + "@rooms.contoso.com", DisplayName: name, Capacity: 8,
		Building: "Building " + name,
	}
}

// Mailbox stores a mailbox of a new account that the address is of.
func Mailbox(tb testing.TB, s *store.Store, ref model.Ref, address string) model.Mailbox {
	tb.Helper()
	a := NewAccount(ref.OrganizationID, address)
	m := model.Mailbox{
		OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID, Address: address, GraphUserID: "graph-" + address,
		State: model.MailboxActive, Enabled: true,
	}
	InTx(tb, s, func(tx *store.Tx) error {
		if err := tx.InsertAccount(a); err != nil {
			return err
		}
		m.AccountID = &a.ID
		return tx.InsertMailbox(&m)
	})
	return m
}

// NewCalendar gives an enabled calendar of a mailbox that is not stored yet.
func NewCalendar(m model.Mailbox, graphID string) *model.Calendar {
	return &model.Calendar{
		OrganizationID: m.OrganizationID, IntegrationID: m.IntegrationID, MailboxID: m.ID, AccountID: m.AccountID, RoomID: m.RoomID,
		GraphID: graphID, Name: "Calendar", IsDefault: true, CanEdit: true, Enabled: true,
	}
}

// Calendar stores an enabled calendar of a mailbox of its own, with the given changes.
func Calendar(tb testing.TB, s *store.Store, ref model.Ref, address string, change ...func(*model.Calendar)) model.Calendar {
	tb.Helper()
	c := NewCalendar(Mailbox(tb, s, ref, address), "calendar-"+address)
	for _, f := range change {
		f(c)
	}
	InTx(tb, s, func(tx *store.Tx) error { return tx.InsertCalendar(c) })
	return *c
}

// NewEvent gives a single event of an hour, as many hours behind someday as at says, that is not stored yet.
func NewEvent(c model.Calendar, graphID string, at time.Duration) model.Event {
	clock := func(t time.Time) model.EventTime {
		return model.EventTime{DateTime: t.Format("2006-01-02T15:04:05"), TimeZone: "UTC", UTC: t}
	}
	start := someday().Add(at)
	return model.Event{
		OrganizationID: c.OrganizationID, IntegrationID: c.IntegrationID, CalendarID: c.ID, GraphID: graphID, ICalUID: "uid-" + graphID,
		Kind: model.EventSingle, Subject: graphID, Start: clock(start), End: clock(start.Add(time.Hour)), ShowAs: "busy",
		Sensitivity: "normal", Status: "confirmed", Response: "accepted", Origin: model.OriginOutlook, SyncState: model.EventSynced,
	}
}

// Events stores events, which get their ids.
func Events(tb testing.TB, s *store.Store, list ...model.Event) []model.Event {
	tb.Helper()
	InTx(tb, s, func(tx *store.Tx) error { return tx.InsertEvents(list) })
	return list
}

// NewWrite gives a write of an event that is not stored yet.
func NewWrite(e model.Event, op model.WriteOp) *model.EventWrite {
	return &model.EventWrite{
		OrganizationID: e.OrganizationID, IntegrationID: e.IntegrationID, CalendarID: e.CalendarID, EventID: e.ID, Op: op,
		Draft: json.RawMessage(`{"subject":"new"}`),
	}
}

// addCalendar adds a room, the account's mailbox, and in it a calendar with an occurrence that is written; the room
// has a calendar too, with a copy of it.
func (w *world) addCalendar(t *testing.T, s *store.Store, name string) {
	t.Helper()
	w.room = *NewRoom(w.ref, name)
	w.mailbox = model.Mailbox{
		OrganizationID: w.org, IntegrationID: w.ref.IntegrationID, AccountID: &w.account.ID, Address: name, State: model.MailboxPending, Enabled: true,
	}
	InTx(t, s, func(tx *store.Tx) error {
		_, err := tx.PutRoom(&w.room)
		if err = errors.Join(err, tx.InsertMailbox(&w.mailbox)); err != nil {
			return err
		}
		w.calendar = *NewCalendar(w.mailbox, name)
		w.calendar.Name, w.calendar.Subscription.GraphID = name, name
		if err := tx.InsertCalendar(&w.calendar); err != nil {
			return err
		}
		w.event = NewEvent(w.calendar, name, 0)
		w.event.Kind, w.event.SeriesGraphID = model.EventOccurrence, name+" series"
		w.event.ICalUID, w.event.IsOrganizer, w.event.Subject = w.event.GraphID, true, "of "+w.calendar.ID
		list := []model.Event{w.event}
		err = tx.InsertEvents(list)
		w.event = list[0]
		w.write = *NewWrite(w.event, model.WriteUpdate)
		w.write.Comment = name
		of := model.Mailbox{OrganizationID: w.org, IntegrationID: w.ref.IntegrationID, RoomID: &w.room.ID, Address: name, State: model.MailboxActive}
		if err := errors.Join(err, tx.InsertWrite(&w.write), tx.InsertMailbox(&of)); err != nil {
			return err
		}
		series := NewEvent(w.calendar, name+" past", -1000)
		series.Kind = model.EventSeries
		own := NewEvent(w.calendar, name+" own", -1000)
		own.Origin, own.ICalUID = model.OriginUsher, w.event.ICalUID
		ended := NewCalendar(of, name+" ended")
		ended.Subscription.GraphID = "subscription of " + w.calendar.ID
		booked := NewCalendar(of, name)
		err = errors.Join(tx.InsertEvents([]model.Event{series, own}), tx.InsertCalendar(booked), tx.InsertCalendar(ended))
		if err != nil {
			return err
		}
		w.twin = NewEvent(*booked, name, 0)
		w.twin.Kind, w.twin.SeriesGraphID, w.twin.ICalUID = w.event.Kind, w.event.SeriesGraphID, w.event.ICalUID
		copies := []model.Event{w.twin}
		err = tx.InsertEvents(copies)
		w.twin = copies[0]
		if err == nil {
			_, err = tx.DeleteCalendar(w.ref, ended.ID)
		}
		return err
	})
	if _, _, err := s.BeginOnce(t.Context(), w.org, name, name); err != nil {
		t.Fatal(err)
	}
}
