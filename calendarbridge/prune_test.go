package calendarbridge

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"usher/internal/simulator/exchange"
	"usher/model"
	"usher/model/outlook"
	"usher/model/store"
	"usher/model/store/storetest"
)

// TestPrune: what left the window more than a month ago is forgotten without a word, a series with its last occurrence; what
// the application made, and a series that goes on, stay.
func TestPrune(t *testing.T) {
	eachWorld(t, func(w *world) {
		ada, account := w.person("Ada Lovelace")
		person := w.tenant.As(ada.ID)
		for _, d := range []outlook.Draft{
			typed("Once", "2026-11-03T09:00:00", "2026-11-03T10:00:00"),
			typed("Thrice", "2026-11-03T11:00:00", "2026-11-03T11:15:00", func(d *outlook.Draft) { d.Recurrence = daily("2026-11-03", 3) }),
			typed("Monthly", "2026-11-03T12:00:00", "2026-11-03T12:15:00", func(d *outlook.Draft) {
				d.Recurrence = &outlook.Recurrence{
					Pattern: outlook.Pattern{Type: outlook.AbsoluteMonthly, Interval: 1, DayOfMonth: 3}, Range: outlook.Range{Type: outlook.NoEnd, StartDate: "2026-11-03"},
				}
			}),
		} {
			w.must(person.Create("", d))
		}
		w.start()
		cal := w.calendar(account)
		if _, err := w.svc.CreateEvent(t.Context(), "api", w.ref.OrganizationID, cal.ID, Fields{Subject: ptr("Ours"), Start: at("2026-11-04T10:00:00"), End: at("2026-11-04T11:00:00")}); err != nil {
			t.Fatal(err)
		}
		w.settle()
		months := func(n int) {
			for range n * 4 {
				w.step(8*24*time.Hour, SyncDue{}, EnsureSubscriptions{})
				w.settle()
			}
		}
		months(1)
		early := func() (got []string) {
			for _, e := range w.events(cal) {
				if e.Start.UTC.Before(begin().AddDate(0, 0, 7)) {
					got = append(got, e.Subject)
				}
			}
			slices.Sort(got)
			return got
		}
		if got := early(); !slices.Equal(got, []string{"Monthly", "Once", "Ours", "Thrice", "Thrice", "Thrice"}) {
			t.Fatalf("after a month there is %v", got)
		}
		_, position := w.changes(0)
		months(2)
		if got := early(); !slices.Equal(got, []string{"Ours"}) {
			t.Errorf("after three months there is %v", got)
		}
		told, _ := w.changes(position)
		if slices.Contains(told, "event.deleted") {
			t.Errorf("told %v", told)
		}
		series := map[string]bool{}
		list, err := w.store.Read(t.Context()).EventsUnseen(cal, 1<<62, begin().AddDate(-1, 0, 0), begin().AddDate(2, 0, 0), "", 500)
		for _, e := range list {
			if e.Kind == model.EventSeries {
				series[e.Subject] = true
			}
		}
		if err != nil || !series["Monthly"] || series["Thrice"] {
			t.Errorf("series that are left: %v, %v", series, err)
		}
	})
}

// TestNotifiedAt: the last notification of a calendar is known.
func TestNotifiedAt(t *testing.T) {
	eachWorld(t, func(w *world) {
		ada, account := w.person("Ada Lovelace")
		w.start()
		if at := w.calendar(account).Subscription.NotifiedAt; at != nil {
			t.Fatalf("notified at %v before anything happened", at)
		}
		w.must(w.tenant.As(ada.ID).Create("", typed("New", "2026-11-20T09:00:00", "2026-11-20T10:00:00")))
		before := w.clock.Now()
		w.settle()
		first := w.calendar(account).Subscription.NotifiedAt
		if first == nil || first.Before(before) {
			t.Fatalf("notified at %v", first)
		}
		if err := w.svc.SyncNow(t.Context(), w.ref.OrganizationID, w.calendar(account).ID); err != nil {
			t.Fatal(err)
		}
		w.step(24*time.Hour, EnsureSubscriptions{}, SyncDue{}) // asked for by hand, swept and renewed
		if at := w.calendar(account).Subscription.NotifiedAt; at == nil || !at.Equal(*first) {
			t.Errorf("notified at %v, want %v", at, first)
		}
	})
}

// TestRoomGroups: members of chosen groups are rooms beside the places, and alone where places are refused, which is told once.
func TestRoomGroups(t *testing.T) {
	eachWorld(t, func(w *world) {
		place := w.tenant.AddRoom(newRoom("Library", 12))
		other := w.tenant.AddUser(newUser("Workshop"))
		group := w.tenant.AddGroup(place.Email, other.ID)
		w.roomGroups(group)
		w.step(0, DiscoverRooms{})
		w.settle()
		if got := w.rooms(); !slices.Equal(got, []string{"Library 12", "Workshop 0"}) {
			t.Fatalf("rooms %v", got)
		}
		w.tenant.Grant("Calendars.Read", "Calendars.ReadWrite", "User.Read.All", "GroupMember.Read.All")
		w.tenant.SetMembers(group, other.ID)
		for range 2 {
			w.step(time.Hour, DiscoverRooms{})
		}
		if got := w.rooms(); !slices.Equal(got, []string{"Workshop 0"}) {
			t.Errorf("without places: rooms %v", got)
		}
		log, err := w.store.Read(t.Context()).ActivitiesBefore(w.ref.OrganizationID, store.ActivityFilter{Subject: placePermission}, "", 10)
		if err != nil || len(log) != 1 {
			t.Errorf("told %d times, %v", len(log), err)
		}
		w.roomGroups(group, "00000000-0000-0000-0000-000000000000")
		w.tenant.SetMembers(group)
		w.step(time.Hour, DiscoverRooms{})
		if got := w.rooms(); !slices.Equal(got, []string{"Workshop 0"}) {
			t.Errorf("a group that is not there: rooms %v", got)
		}
	})
}

func newRoom(name string, capacity int) exchange.NewRoom {
	return exchange.NewRoom{Name: name, Capacity: capacity}
}

func newUser(name string) exchange.NewUser { return exchange.NewUser{Name: name} }

func (w *world) roomGroups(ids ...string) {
	w.Helper()
	list := []model.RoomGroup{}
	for _, id := range ids {
		list = append(list, model.RoomGroup{ExternalID: id})
	}
	storetest.InTx(w, w.store, func(tx *store.Tx) error { return tx.PutList(w.ref, store.ListRoomGroups, list) })
}

// rooms gives the rooms that are known, with their capacity.
func (w *world) rooms() []string {
	w.Helper()
	list, err := w.store.Read(w.Context()).RoomsAfter(w.ref.OrganizationID, store.RoomFilter{}, "", 100)
	if err != nil {
		w.Fatal(err)
	}
	got := []string{}
	for _, r := range list {
		got = append(got, fmt.Sprintf("%s %d", r.DisplayName, r.Capacity))
	}
	slices.Sort(got)
	return got
}
