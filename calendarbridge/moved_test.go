package calendarbridge

import (
	"slices"
	"testing"
	"time"

	"usher/internal/simulator/exchange"
	"usher/model"
	"usher/model/outlook"
	"usher/model/store"
)

// moving is a mailbox with two calendars that are synchronized, in one of which the application has made an event.
type moving struct {
	*world
	ada    outlook.User
	person exchange.Person
	other  string // Microsoft 365's id of the second calendar
	cal    [2]model.Calendar
	made   model.Event
}

func newMoving(w *world, f Fields) *moving {
	w.Helper()
	user, account := w.person("Ada Lovelace")
	m := &moving{world: w, ada: user, person: w.tenant.As(user.ID), other: w.tenant.AddCalendar(user.ID, "Other")}
	w.start()
	m.cal[0] = w.calendar(account)
	m.cal[1] = m.enabled("Other")
	f.Subject, f.Start, f.End = ptr("Ours"), at("2026-11-12T10:00:00"), at("2026-11-12T11:00:00")
	e, err := w.svc.CreateEvent(w.Context(), "api", w.ref.OrganizationID, m.cal[0].ID, f)
	if err != nil {
		w.Fatal(err)
	}
	w.settle()
	m.made = m.event(e.ID)
	if m.made.GraphID == "" {
		w.Fatalf("%+v", m.made)
	}
	return m
}

// enabled switches a calendar on.
func (m *moving) enabled(name string) model.Calendar {
	m.Helper()
	list, err := m.store.Read(m.Context()).CalendarsAfter(m.ref.OrganizationID, store.CalendarFilter{}, "", 100)
	if err != nil {
		m.Fatal(err)
	}
	i := slices.IndexFunc(list, func(c model.Calendar) bool { return c.Name == name })
	if _, err := m.svc.SwitchCalendar(m.Context(), "test", m.ref.OrganizationID, list[i].ID, true); err != nil {
		m.Fatal(err)
	}
	m.settle()
	return list[i]
}

func (m *moving) event(id string) model.Event {
	m.Helper()
	e, err := m.store.Read(m.Context()).Event(m.ref.OrganizationID, id)
	if err != nil {
		m.Fatal(err)
	}
	return e
}

// anew moves the event as clients do that make it once more.
func anew(keepMark bool) func(m *moving, id, to string) error {
	return func(m *moving, id, to string) error { _, err := m.person.MoveAnew(id, to, keepMark); return err }
}

func inPlace(m *moving, id, to string) error { return m.person.Move(id, to) }

// TestMovedToAnotherCalendar: an event that the application made stays its event wherever in the mailbox somebody puts it, whichever
// calendar is read first, and is told of once.
func TestMovedToAnotherCalendar(t *testing.T) {
	for name, test := range map[string]struct {
		move func(m *moving, id, to string) error
		read [2]int // in which order the calendars are read
	}{
		"in place, the old calendar first":          {inPlace, [2]int{0, 1}},
		"in place, the new calendar first":          {inPlace, [2]int{1, 0}},
		"anew, with the mark, the old one first":    {anew(true), [2]int{0, 1}},
		"anew, with the mark, the new one first":    {anew(true), [2]int{1, 0}},
		"anew, without the mark, the old one first": {anew(false), [2]int{0, 1}},
		"anew, without the mark, the new one first": {anew(false), [2]int{1, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			eachWorld(t, func(w *world) {
				m := newMoving(w, Fields{})
				_, before := w.changes(0)
				w.tenant.SetFaults(exchange.Faults{Missing: 1}) // the calendars are read when the test says so
				if err := test.move(m, m.made.GraphID, m.other); err != nil {
					t.Fatal(err)
				}
				for _, i := range test.read {
					if err := w.svc.SyncNow(t.Context(), w.ref.OrganizationID, m.cal[i].ID); err != nil {
						t.Fatal(err)
					}
					w.drain()
				}
				w.settle()
				if got := m.event(m.made.ID); got.CalendarID != m.cal[1].ID || got.Origin != model.OriginUsher || got.SyncState != model.EventSynced {
					t.Errorf("it is %+v", got)
				}
				if types, _ := w.changes(before); !slices.Equal(types, []string{"event.updated"}) {
					t.Errorf("told %v", types)
				}
				if a, b := w.subjects(m.cal[0]), w.subjects(m.cal[1]); len(a) != 0 || !slices.Equal(b, []string{"Ours"}) {
					t.Errorf("stored are %v and %v", a, b)
				}
				m.stillOurs(before)
			})
		})
	}
}

// stillOurs changes the event from both sides, moves it back, and has the application delete it.
func (m *moving) stillOurs(since int64) {
	m.Helper()
	ctx, org := m.Context(), m.ref.OrganizationID
	m.tenant.SetFaults(exchange.Faults{})
	if _, err := m.svc.UpdateEvent(ctx, "api", org, m.made.ID, Fields{Subject: ptr("Still ours")}); err != nil {
		m.Fatal(err)
	}
	m.settle()
	there := m.only(m.person.Series(m.other))
	if there.Subject != "Still ours" {
		m.Errorf("in Outlook it is %q", there.Subject)
	}
	if err := m.person.Move(there.ID, ""); err != nil {
		m.Fatal(err)
	}
	m.settle()
	if got := m.event(m.made.ID); got.CalendarID != m.cal[0].ID {
		m.Errorf("moved back it is %+v", got)
	}
	if err := m.svc.DeleteEvent(ctx, "api", org, m.made.ID, ""); err != nil {
		m.Fatal(err)
	}
	m.settle()
	for _, id := range []string{"", m.other} {
		if list, err := m.person.Series(id); err != nil || len(list) != 0 {
			m.Errorf("left in Outlook: %+v, %v", list, err)
		}
	}
	if types, _ := m.changes(since); slices.Contains(types, "event.created") {
		m.Errorf("told %v", types)
	}
	requests := m.tenant.RequestCount()
	m.step(5*time.Minute, SyncDue{})
	if n := m.tenant.RequestCount() - requests; n > 0 {
		m.Errorf("%d requests though all is done", n)
	}
}

// TestCopiedToAnotherCalendar: a copy is somebody's own, whatever mark it carries, also after the original is gone.
func TestCopiedToAnotherCalendar(t *testing.T) {
	eachWorld(t, func(w *world) {
		m := newMoving(w, Fields{})
		if _, err := m.person.Copy(m.made.GraphID, m.other); err != nil {
			t.Fatal(err)
		}
		w.settle()
		copies := w.events(m.cal[1])
		if len(copies) != 1 || copies[0].Origin != model.OriginOutlook || m.event(m.made.ID).CalendarID != m.cal[0].ID {
			t.Fatalf("the copy is %+v", copies)
		}
		if err := w.svc.DeleteEvent(t.Context(), "api", w.ref.OrganizationID, copies[0].ID, ""); model.KindOf(err) != model.Refused {
			t.Errorf("the application may delete the copy: %v", err)
		}
		if err := m.person.Delete(m.made.GraphID); err != nil {
			t.Fatal(err)
		}
		w.settle()
		if got := w.events(m.cal[1]); len(got) != 1 || got[0].ID != copies[0].ID || got[0].Origin != model.OriginOutlook || len(w.events(m.cal[0])) != 0 {
			t.Errorf("left are %+v", got)
		}
	})
}

// TestSeriesMovedAnew: a series keeps its id and those of its occurrences, though Outlook gives all of them others.
func TestSeriesMovedAnew(t *testing.T) {
	for name, move := range map[string]func(*moving, string, string) error{"in place": inPlace, "anew": anew(false)} {
		t.Run(name, func(t *testing.T) {
			eachWorld(t, func(w *world) {
				m := newMoving(w, Fields{Recurrence: []byte(`{"pattern":{"type":"daily","interval":1},"range":{"type":"numbered","startDate":"2026-11-12","numberOfOccurrences":3}}`)})
				ids := func(c model.Calendar) (ids []string) {
					for _, e := range w.events(c) {
						ids = append(ids, e.ID)
					}
					return ids
				}
				was := ids(m.cal[0])
				_, before := w.changes(0)
				if err := move(m, m.made.GraphID, m.other); err != nil {
					t.Fatal(err)
				}
				w.settle()
				if got := ids(m.cal[1]); len(was) != 3 || !slices.Equal(got, was) || len(w.events(m.cal[0])) != 0 {
					t.Errorf("the occurrences were %v and are %v", was, got)
				}
				if types, _ := w.changes(before); len(types) != 4 || slices.ContainsFunc(types, func(s string) bool { return s != "event.updated" }) {
					t.Errorf("told %v", types)
				}
				for i := range m.cal {
					now, err := w.store.Read(t.Context()).Calendar(w.ref.OrganizationID, m.cal[i].ID)
					if err != nil {
						t.Fatal(err)
					}
					w.equal(m.ada, now)
				}
			})
		})
	}
}

// TestWritesFollowAMove: what the application changes or deletes while somebody moves the event reaches it where it is.
func TestWritesFollowAMove(t *testing.T) {
	for name, remove := range map[string]bool{"a change": false, "a deletion": true} {
		t.Run(name, func(t *testing.T) {
			eachWorld(t, func(w *world) {
				m := newMoving(w, Fields{})
				w.tenant.SetFaults(exchange.Faults{Missing: 1})
				if _, err := m.person.MoveAnew(m.made.GraphID, m.other, true); err != nil {
					t.Fatal(err)
				}
				var err error
				if remove {
					err = w.svc.DeleteEvent(t.Context(), "api", w.ref.OrganizationID, m.made.ID, "")
				} else {
					_, err = w.svc.UpdateEvent(t.Context(), "api", w.ref.OrganizationID, m.made.ID, Fields{Subject: ptr("Changed")})
				}
				if err != nil {
					t.Fatal(err)
				}
				w.settle()
				list, err := m.person.Series(m.other)
				if err != nil || remove && len(list) != 0 || !remove && (len(list) != 1 || list[0].Subject != "Changed") {
					t.Errorf("in Outlook is %+v, %v", list, err)
				}
				if got := w.subjects(m.cal[1]); remove && len(got) != 0 || !remove && !slices.Equal(got, []string{"Changed"}) {
					t.Errorf("stored is %v", got)
				}
			})
		})
	}
}

// TestOccurrenceGoneAsItsSeriesMoved: an occurrence that was cancelled after its series was moved is gone, also where the move is
// found by a round that brings everything, which says so only by not bringing it.
func TestOccurrenceGoneAsItsSeriesMoved(t *testing.T) {
	for name, move := range map[string]func(*moving, string, string) error{"in place": inPlace, "anew": anew(false)} {
		t.Run(name, func(t *testing.T) {
			eachWorld(t, func(w *world) {
				m := newMoving(w, Fields{Recurrence: []byte(`{"pattern":{"type":"daily","interval":1},"range":{"type":"numbered","startDate":"2026-11-12","numberOfOccurrences":3}}`)})
				w.tenant.SetFaults(exchange.Faults{Missing: 1}) // the calendars are read when the test says so
				w.ok(move(m, m.made.GraphID, m.other))
				view, err := m.person.View(m.other, outlook.Window{From: begin(), To: begin().AddDate(0, 1, 0)})
				if err != nil || len(view) != 3 {
					t.Fatalf("moved are %+v, %v", view, err)
				}
				w.ok(m.person.Delete(view[0].ID))
				w.tenant.ExpireDeltaLinks(m.ada.ID)
				for _, i := range []int{1, 0} {
					w.ok(w.svc.SyncNow(t.Context(), w.ref.OrganizationID, m.cal[i].ID))
					w.drain()
				}
				w.settle()
				if got := w.events(m.cal[1]); len(got) != 2 || got[0].Origin != model.OriginUsher {
					t.Errorf("stored are %+v", got)
				}
				if got := m.event(m.made.ID); got.CalendarID != m.cal[1].ID {
					t.Errorf("the series is %+v", got)
				}
			})
		})
	}
}
