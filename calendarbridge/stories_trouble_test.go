package calendarbridge

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"usher/internal/simulator/exchange"
	"usher/model"
	"usher/model/outlook"
	"usher/model/store"
)

// TestEndlessDelta: pages that come again without an end are given up, the view is read instead, and the delta is tried again.
func TestEndlessDelta(t *testing.T) {
	eachWorld(t, func(w *world) {
		ada, account := w.person("Ada Lovelace")
		for i := range 9 {
			w.must(w.tenant.As(ada.ID).Create("", typed("Meeting", fmt.Sprintf("2026-11-1%dT09:00:00", i), fmt.Sprintf("2026-11-1%dT10:00:00", i))))
		}
		w.must(w.tenant.As(ada.ID).Create("", typed("Daily", "2026-11-12T11:00:00", "2026-11-12T11:15:00", func(d *outlook.Draft) { d.Recurrence = daily("2026-11-12", 5) })))
		w.tenant.SetFaults(exchange.Faults{Endless: true})
		w.start()
		if w.count(EventEndless) == 0 {
			t.Error("nobody noticed")
		}
		w.equal(ada, w.calendar(account))
		if got := w.subjects(w.calendar(account)); len(got) != 14 {
			t.Errorf("the view brought %v", got)
		}
		if n := w.tenant.RequestCount(); n > 300 {
			t.Errorf("%d requests", n)
		}
		w.tenant.SetFaults(exchange.Faults{})
		w.must(w.tenant.As(ada.ID).Create("", typed("Later", "2026-11-25T09:00:00", "2026-11-25T10:00:00")))
		w.step(20*time.Minute, SyncDue{})
		w.settle()
		if cal := w.calendar(account); cal.Sync.Link == "" || len(w.events(cal)) != 15 {
			t.Errorf("the delta is not used again: %+v", cal.Sync)
		}
	})
}

// TestWindowMoves: after a week everything is read again, around another day; what has left the window at its beginning stays.
func TestWindowMoves(t *testing.T) {
	eachWorld(t, func(w *world) {
		ada, account := w.person("Ada Lovelace")
		person := w.tenant.As(ada.ID)
		w.must(person.Create("", typed("Long ago", "2026-10-05T09:00:00", "2026-10-05T10:00:00")))
		w.must(person.Create("", typed("Next year", "2027-11-08T09:00:00", "2027-11-08T10:00:00")))
		w.start()
		if got := w.subjects(w.calendar(account)); !slices.Equal(got, []string{"Long ago"}) {
			t.Fatalf("at first: %v", got)
		}
		rounds := w.count(EventFullRound)
		w.step(9*24*time.Hour, SyncDue{}, EnsureSubscriptions{})
		w.settle()
		if got := w.subjects(w.calendar(account)); !slices.Equal(got, []string{"Long ago", "Next year"}) || w.count(EventFullRound) != rounds+1 {
			t.Errorf("after nine days and %d full rounds: %v", w.count(EventFullRound)-rounds, got)
		}
		w.equal(ada, w.calendar(account))
	})
}

// TestLostNotification: a change that nobody told of is found by the sweep, and one whose delta lags is looked for again.
func TestLostNotification(t *testing.T) {
	eachWorld(t, func(w *world) {
		ada, account := w.person("Ada Lovelace")
		w.start()
		w.tenant.SetFaults(exchange.Faults{Missing: 1})
		w.must(w.tenant.As(ada.ID).Create("", typed("Untold", "2026-11-12T09:00:00", "2026-11-12T10:00:00")))
		w.settle()
		if got := w.subjects(w.calendar(account)); len(got) != 0 {
			t.Fatalf("found without a word: %v", got)
		}
		w.tenant.SetFaults(exchange.Faults{DeltaLag: 15 * time.Second})
		w.step(7*time.Hour, SyncDue{})
		if got := w.subjects(w.calendar(account)); len(got) != 1 {
			t.Errorf("the sweep found %v", got)
		}
		w.must(w.tenant.As(ada.ID).Create("", typed("Lagging", "2026-11-13T09:00:00", "2026-11-13T10:00:00")))
		w.step(time.Second)
		if got := w.subjects(w.calendar(account)); len(got) != 1 {
			t.Fatalf("the delta does not lag: %v", got)
		}
		w.step(70*time.Second, SyncDue{})
		if got := w.subjects(w.calendar(account)); len(got) != 2 {
			t.Errorf("nobody looked again: %v", got)
		}
	})
}

// TestCalendarsComeAndGo: other calendars are there and disabled, a new id is taken for the old calendar, a deleted one goes.
func TestCalendarsComeAndGo(t *testing.T) {
	eachWorld(t, func(w *world) {
		ada, account := w.person("Ada Lovelace")
		grace, _ := w.person("Grace Hopper")
		projects := w.tenant.AddCalendar(ada.ID, "Projects")
		if _, err := w.tenant.ShareCalendar(grace.ID, w.tenant.AddCalendar(grace.ID, "Hers"), ada.ID, true); err != nil {
			t.Fatal(err)
		}
		w.must(w.tenant.As(ada.ID).Create(projects, typed("Build", "2026-11-12T09:00:00", "2026-11-12T10:00:00")))
		w.start()
		list := func() []model.Calendar {
			list, err := w.store.Read(t.Context()).CalendarsAfter(w.ref.OrganizationID, store.CalendarFilter{Account: account.ID}, "", 10)
			if err != nil {
				t.Fatal(err)
			}
			return list
		}
		i := slices.IndexFunc(list(), func(c model.Calendar) bool { return c.Name == "Projects" && !c.Enabled && c.CanEdit })
		if i < 0 || len(list()) != 2 {
			t.Fatalf("the calendars are %+v", list())
		}
		other := list()[i]
		if _, err := w.svc.SwitchCalendar(t.Context(), "api", w.ref.OrganizationID, other.ID, true); err != nil {
			t.Fatal(err)
		}
		w.settle()
		if got := w.subjects(other); !slices.Equal(got, []string{"Build"}) {
			t.Errorf("it has %v", got)
		}
		renewed, err := w.tenant.RenewCalendarID(ada.ID, projects)
		if err != nil {
			t.Fatal(err)
		}
		w.must(w.tenant.As(ada.ID).Create(renewed, typed("More", "2026-11-13T09:00:00", "2026-11-13T10:00:00")))
		w.step(7*time.Hour, SyncDue{}, Discover{})
		w.settle()
		w.step(2*time.Hour, SyncDue{})
		w.settle()
		if got := w.subjects(other); !slices.Equal(got, []string{"Build", "More"}) {
			t.Errorf("under another id it has %v", got)
		}
		if err := w.tenant.DeleteCalendar(ada.ID, renewed); err != nil {
			t.Fatal(err)
		}
		w.step(30*time.Hour, SyncDue{}, Discover{})
		w.settle()
		if got := list(); len(got) != 1 || !got[0].IsDefault {
			t.Errorf("deleted, it is still there: %+v", got)
		}
	})
}

// TestOneWorkerAtATime: who finds a calendar taken comes back; a lease that nobody gave back ends by itself.
func TestOneWorkerAtATime(t *testing.T) {
	eachWorld(t, func(w *world) {
		ada, account := w.person("Ada Lovelace")
		w.start()
		cal := w.calendar(account)
		if _, ok, err := w.store.LeaseCalendar(t.Context(), cal.OrganizationID, cal.ID, store.NewID(), w.clock.Now().Add(3*time.Minute)); err != nil || !ok {
			t.Fatal(ok, err)
		}
		w.must(w.tenant.As(ada.ID).Create("", typed("Meeting", "2026-11-13T09:00:00", "2026-11-13T10:00:00")))
		err := w.svc.SyncCalendar(t.Context(), SyncCalendar{OrganizationID: cal.OrganizationID, CalendarID: cal.ID})
		if e, ok := errors.AsType[*model.Throttled](err); !ok || e.After != time.Second {
			t.Errorf("a second worker was told %v", err)
		}
		w.settle()
		w.settle()
		w.equal(ada, w.calendar(account))
		if len(w.events(cal)) != 1 {
			t.Error("the calendar was left to a worker that never came back")
		}
	})
}

// TestReadOnly: a read-only integration writes nothing, also of what was accepted before.
func TestReadOnly(t *testing.T) {
	eachWorld(t, func(w *world) {
		ada, account := w.person("Ada Lovelace")
		w.start()
		cal := w.calendar(account)
		f := Fields{Subject: ptr("Mine"), Start: at("2026-11-10T09:00:00"), End: at("2026-11-10T10:00:00")}
		if _, err := w.svc.CreateEvent(t.Context(), "api", w.ref.OrganizationID, cal.ID, f); err != nil {
			t.Fatal(err)
		}
		w.readOnly(true)
		w.settle()
		if list, err := w.tenant.As(ada.ID).Series(""); err != nil || len(list) != 0 {
			t.Errorf("written all the same: %+v, %v", list, err)
		}
		if _, err := w.svc.CreateEvent(t.Context(), "api", w.ref.OrganizationID, cal.ID, f); model.KindOf(err) != model.Refused {
			t.Errorf("accepted: %v", err)
		}
		w.readOnly(false)
		w.step(20*time.Minute, SyncDue{})
		w.settle()
		w.equal(ada, w.calendar(account))
		if len(w.events(cal)) != 1 {
			t.Errorf("stored is %v", w.subjects(cal))
		}
	})
}

func (w *world) readOnly(on bool) {
	w.Helper()
	w.integration(func(i *model.Integration) { i.ReadOnly = on })
}
