package storetest

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"usher/model"
	"usher/model/store"
)

func calendarSyncCases() []testCase {
	return []testCase{
		{"of two workers one gets a calendar, until its lease ends", leaseRace},
		{"a lease is extended and given back by its holder alone", leaseHolder},
		{"how far a calendar is synchronized is written by the holder of the lease alone", saveSyncGuarded},
		{"a mark counts once per call, queues one job, and skips what is disabled", markDirty},
		{"a mark that comes while a round ends is not lost", markDuringSave},
		{"marks and rounds at the same time lose no mark", marksAndRounds},
		{"marks of the same calendars in any order do not run again", marksInAnyOrder},
		{"calendars are due when changes have waited, or their time has come, and nobody has them", calendarsDue},
		{"subscriptions are due when they are pending, to be renewed or to be tried again", subscriptionsDue},
	}
}

// leased takes a calendar for a minute.
func leased(t *testing.T, s *store.Store, c model.Calendar, lease string) model.Calendar {
	t.Helper()
	got, ok, err := s.LeaseCalendar(t.Context(), c.OrganizationID, c.ID, lease, s.Now().Add(time.Minute))
	if err != nil || !ok {
		t.Fatalf("lease %s: %v, %v", lease, ok, err)
	}
	return got
}

func leaseRace(t *testing.T, s suite) {
	now := someday()
	s2 := OpenWith(t, store.Options{URL: s.url, Now: func() time.Time { return now }})
	c := Calendar(t, s2, Ref(t, s2), "ada@contoso.com")
	for range 10 {
		var won atomic.Int32
		var wg sync.WaitGroup
		for _, worker := range []string{"one", "two", "three"} {
			wg.Go(func() {
				got, ok, err := s2.LeaseCalendar(t.Context(), c.OrganizationID, c.ID, worker, now.Add(time.Minute))
				if err != nil {
					t.Errorf("%s: %v", worker, err)
				}
				if ok {
					won.Add(1)
					if got.ID != c.ID || got.Sync.Lease != worker || got.Sync.Leased == nil || !got.Sync.Leased.Equal(now.Add(time.Minute)) {
						t.Errorf("%s got %+v", worker, got)
					}
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Fatalf("%d workers have the calendar, want 1", won.Load())
		}
		now = now.Add(time.Minute) // the lease is over
	}
	if _, ok, err := s2.LeaseCalendar(t.Context(), c.OrganizationID, store.NewID(), "one", now); ok || model.KindOf(err) != model.NotFound {
		t.Errorf("a calendar that does not exist: %v, %v", ok, err)
	}
	if _, ok, err := s2.LeaseCalendar(t.Context(), store.NewID(), c.ID, "one", now); ok || model.KindOf(err) != model.NotFound {
		t.Errorf("another organization's calendar: %v, %v", ok, err)
	}
}

func leaseHolder(t *testing.T, s suite) {
	now := someday()
	s2 := OpenWith(t, store.Options{URL: s.url, Now: func() time.Time { return now }})
	c := Calendar(t, s2, Ref(t, s2), "ada@contoso.com")
	leased(t, s2, c, "one")
	extend := func(org, lease string) error {
		cal := c
		cal.OrganizationID = org
		return s2.InTx(t.Context(), func(tx *store.Tx) error { return tx.ExtendLease(cal, lease, now.Add(2*time.Minute)) })
	}
	for _, bad := range [][2]string{{c.OrganizationID, "two"}, {c.OrganizationID, ""}, {store.NewID(), "one"}} {
		if err := extend(bad[0], bad[1]); model.KindOf(err) != model.Conflict {
			t.Errorf("extended by %q: %v, want a Conflict", bad, err)
		}
	}
	if err := extend(c.OrganizationID, "one"); err != nil {
		t.Fatal(err)
	}
	now = now.Add(90 * time.Second)
	for _, other := range [][2]string{{c.OrganizationID, "two"}, {store.NewID(), "one"}} {
		if err := s2.ReleaseCalendar(t.Context(), other[0], c.ID, other[1]); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok, err := s2.LeaseCalendar(t.Context(), c.OrganizationID, c.ID, "two", now.Add(time.Minute)); ok || err != nil {
		t.Errorf("the extended lease does not hold: %v, %v", ok, err)
	}
	leased(t, s2, c, "one") // again
	if err := s2.ReleaseCalendar(t.Context(), c.OrganizationID, c.ID, "one"); err != nil {
		t.Fatal(err)
	}
	if err := extend(c.OrganizationID, "one"); model.KindOf(err) != model.Conflict {
		t.Errorf("extended after it was given back: %v, want a Conflict", err)
	}
	leased(t, s2, c, "two")
	now = now.Add(time.Hour)
	if err := extend(c.OrganizationID, "two"); model.KindOf(err) != model.Conflict {
		t.Errorf("extended after it was over: %v, want a Conflict", err)
	}
}

// round is some progress in every column that SaveSync writes.
func round(at time.Time) model.CalendarSync {
	next, again := at.Add(time.Hour), at.Add(time.Second)
	return model.CalendarSync{
		Link: "https://graph.contoso.com/delta?t=1", InRound: true, Full: true, Round: 7, From: at.Add(-time.Hour), To: at.Add(time.Hour),
		SyncedAt: &at, Failures: 2, Error: "it failed", NextAt: &next, SweptAt: &at, Pages: 3, LastPage: "hash", AgainAfter: &again,
	}
}

func saveSyncGuarded(t *testing.T, s suite) {
	now := someday()
	s2 := OpenWith(t, store.Options{URL: s.url, Now: func() time.Time { return now }})
	c := Calendar(t, s2, Ref(t, s2), "ada@contoso.com")
	save := func(c model.Calendar, lease string) error {
		return s2.InTx(t.Context(), func(tx *store.Tx) error { copied := c; return tx.SaveSync(&copied, lease) })
	}
	if err := save(c, ""); model.KindOf(err) != model.Conflict {
		t.Errorf("without a lease: %v, want a Conflict", err)
	}
	c = leased(t, s2, c, "one")
	want := c
	want.Sync = round(now)
	if err := save(want, "one"); err != nil {
		t.Fatal(err)
	}
	got, err := s2.Read(t.Context()).Calendar(c.OrganizationID, c.ID)
	want.Sync.Lease, want.Sync.Leased = "one", c.Sync.Leased
	if err != nil || !equalJSON(t, got.Sync, want.Sync) {
		t.Errorf("read back:\n%+v, want\n%+v (%v)", got.Sync, want.Sync, err)
	}
	foreign, sister := want, want
	foreign.OrganizationID, sister.IntegrationID = store.NewID(), store.NewID()
	for name, err := range map[string]error{
		"another's lease": save(want, "two"), "another organization": save(foreign, "one"), "another integration": save(sister, "one"),
	} {
		if model.KindOf(err) != model.Conflict {
			t.Errorf("%s: %v, want a Conflict", name, err)
		}
	}
	now = now.Add(time.Minute)
	if err := save(want, "one"); model.KindOf(err) != model.Conflict {
		t.Errorf("when the lease is over: %v, want a Conflict", err)
	}
}

func mark(t *testing.T, s *store.Store, ids ...string) []store.DirtyCalendar {
	t.Helper()
	var queued []store.DirtyCalendar
	InTx(t, s, func(tx *store.Tx) (err error) { queued, err = tx.MarkDirty(ids); return err })
	return queued
}

func markDirty(t *testing.T, s suite) {
	now := someday()
	s2 := OpenWith(t, store.Options{URL: s.url, Now: func() time.Time { return now }})
	a, b := Calendar(t, s2, Ref(t, s2), "ada@contoso.com"), Calendar(t, s2, Ref(t, s2), "bob@contoso.com")
	off := Calendar(t, s2, Ref(t, s2), "off@contoso.com", func(c *model.Calendar) { c.Enabled = false })
	of := func(c model.Calendar) store.DirtyCalendar {
		return store.DirtyCalendar{OrganizationID: c.OrganizationID, IntegrationID: c.IntegrationID, CalendarID: c.ID}
	}
	if got := mark(t, s2, b.ID, a.ID, off.ID, a.ID, "no id", store.NewID()); !slices.Equal(got, []store.DirtyCalendar{of(a), of(b)}) {
		t.Errorf("queued %v, want both that are enabled", got)
	}
	now = now.Add(time.Second)
	if got := mark(t, s2, a.ID); len(got) != 0 {
		t.Errorf("queued %v, want none while a job waits", got)
	}
	leased(t, s2, a, "one")
	if got := mark(t, s2, a.ID, b.ID); !slices.Equal(got, []store.DirtyCalendar{of(a)}) {
		t.Errorf("queued %v, want the one whose job has begun", got)
	}
	if got := mark(t, s2); len(got) != 0 {
		t.Errorf("queued %v of none", got)
	}
	for id, want := range map[string]int64{a.ID: 3, b.ID: 2, off.ID: 0} {
		c, err := s2.Read(t.Context()).CalendarByID(id)
		if err != nil || c.Sync.Dirty != want || c.Sync.Queued != (want > 0) || (c.Sync.ChangedAt != nil) != (want > 0) {
			t.Errorf("%s: %+v, %v; want %d marks", id, c.Sync, err, want)
		}
		if c.Sync.ChangedAt != nil && !c.Sync.ChangedAt.Equal(someday()) {
			t.Errorf("%s changed at %v, want the first mark's time", id, c.Sync.ChangedAt)
		}
	}
}

func markDuringSave(t *testing.T, s suite) {
	now := someday()
	s2 := OpenWith(t, store.Options{URL: s.url, Now: func() time.Time { return now }})
	c := Calendar(t, s2, Ref(t, s2), "ada@contoso.com")
	mark(t, s2, c.ID)
	c = leased(t, s2, c, "one")
	now = now.Add(time.Second)
	mark(t, s2, c.ID)
	end := func() {
		t.Helper()
		InTx(t, s2, func(tx *store.Tx) error {
			c.Sync.Clean, c.Sync.ChangedAt = c.Sync.Dirty, nil
			return tx.SaveSync(&c, "one")
		})
	}
	end()
	if c.Sync.Dirty != 2 || c.Sync.Clean != 1 || c.Sync.ChangedAt == nil {
		t.Errorf("after a round with a mark in it: %+v, want that mark left", c.Sync)
	}
	if err := s2.ReleaseCalendar(t.Context(), c.OrganizationID, c.ID, "one"); err != nil {
		t.Fatal(err)
	}
	due, err := s2.Read(t.Context()).CalendarsDue(now.Add(2*time.Minute), "", 10)
	if err != nil || len(due) != 1 {
		t.Errorf("due is %v, %v; want the calendar whose mark is left", due, err)
	}
	c = leased(t, s2, c, "one")
	end()
	if c.Sync.Dirty != 2 || c.Sync.Clean != 2 || c.Sync.ChangedAt != nil {
		t.Errorf("after a round without: %+v, want it clean", c.Sync)
	}
}

// marksAndRounds: a worker ends rounds as fast as it can while others mark. At the end every mark was counted, and either all
// are worked off, or the calendar is known to have changed.
func marksAndRounds(t *testing.T, s suite) {
	c := Calendar(t, s.Store, Ref(t, s.Store), "ada@contoso.com")
	const marks, markers = 25, 4
	id := c.ID
	var wg sync.WaitGroup
	var left atomic.Int32
	left.Store(markers)
	for range markers {
		wg.Go(func() {
			defer left.Add(-1)
			for range marks {
				if err := s.InTx(t.Context(), func(tx *store.Tx) error { _, err := tx.MarkDirty([]string{id}); return err }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	check := func(c model.Calendar) {
		if (c.Sync.Dirty == c.Sync.Clean) != (c.Sync.ChangedAt == nil) {
			t.Errorf("dirty %d, clean %d, changed at %v", c.Sync.Dirty, c.Sync.Clean, c.Sync.ChangedAt)
		}
	}
	c = leased(t, s.Store, c, "one")
	for left.Load() > 0 && !t.Failed() {
		InTx(t, s.Store, func(tx *store.Tx) error {
			ended := c
			ended.Sync.Clean, ended.Sync.ChangedAt = c.Sync.Dirty, nil
			err := tx.SaveSync(&ended, "one")
			c = ended
			return err
		})
		check(c)
	}
	wg.Wait()
	got, err := s.Read(t.Context()).Calendar(c.OrganizationID, c.ID)
	if err != nil || got.Sync.Dirty != marks*markers {
		t.Errorf("%d marks, %v; want %d", got.Sync.Dirty, err, marks*markers)
	}
	check(got)
}

func marksInAnyOrder(t *testing.T, s suite) {
	m := Mailbox(t, s.Store, Ref(t, s.Store), "ada@contoso.com")
	var ids []string
	InTx(t, s.Store, func(tx *store.Tx) error {
		for range 60 {
			c := NewCalendar(m, store.NewID())
			if err := tx.InsertCalendar(c); err != nil {
				return err
			}
			ids = append(ids, c.ID)
		}
		return nil
	})
	backwards := slices.Clone(ids)
	slices.Reverse(backwards)
	var runs, queued atomic.Int32
	var wg sync.WaitGroup
	const times = 10
	for _, order := range [][]string{ids, backwards, ids[20:], backwards[20:]} {
		wg.Go(func() {
			for range times {
				err := s.InTx(t.Context(), func(tx *store.Tx) error {
					runs.Add(1)
					list, err := tx.MarkDirty(order)
					queued.Add(int32(len(list)))
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if runs.Load() != 4*times {
		t.Errorf("%d transactions took %d runs", 4*times, runs.Load())
	}
	if queued.Load() != 60 {
		t.Errorf("%d jobs are queued for 60 calendars", queued.Load())
	}
}

func calendarsDue(t *testing.T, s suite) {
	now := someday()
	s2 := OpenWith(t, store.Options{URL: s.url, Now: func() time.Time { return now }})
	ref := Ref(t, s2)
	at := func(d time.Duration) *time.Time { x := now.Add(d); return &x }
	var want []string
	for _, c := range []struct {
		name string
		due  bool
		is   func(*model.Calendar)
	}{
		{"fresh", false, func(*model.Calendar) {}},
		{"changed long ago", true, func(c *model.Calendar) { c.Sync.Dirty, c.Sync.ChangedAt = 1, at(-time.Minute) }},
		{"changed just now", false, func(c *model.Calendar) { c.Sync.Dirty, c.Sync.ChangedAt = 1, at(-59*time.Second) }},
		{"clean", false, func(c *model.Calendar) { c.Sync.Dirty, c.Sync.Clean, c.Sync.ChangedAt = 1, 1, at(-time.Hour) }},
		{"next has come", true, func(c *model.Calendar) { c.Sync.NextAt = at(0) }},
		{"next is to come", false, func(c *model.Calendar) { c.Sync.NextAt = at(time.Second) }},
		{"both", true, func(c *model.Calendar) {
			c.Sync.Dirty, c.Sync.ChangedAt, c.Sync.NextAt = 1, at(-time.Hour), at(-time.Hour)
		}},
		{"somebody has it", false, func(c *model.Calendar) { c.Sync.NextAt, c.Sync.Lease, c.Sync.Leased = at(0), "x", at(time.Second) }},
		{"somebody had it", true, func(c *model.Calendar) { c.Sync.NextAt, c.Sync.Lease, c.Sync.Leased = at(0), "x", at(0) }},
		{"disabled", false, func(c *model.Calendar) { c.Enabled, c.Sync.NextAt = false, at(0) }},
	} {
		stored := Calendar(t, s2, ref, c.name, c.is)
		if c.due {
			want = append(want, stored.ID)
		}
	}
	pages(t, want, func(after string, limit int) ([]model.Calendar, error) {
		return s2.Read(t.Context()).CalendarsDue(now, after, limit)
	}, func(c model.Calendar) string { return c.ID })
}

func subscriptionsDue(t *testing.T, s suite) {
	now := someday()
	ref := Ref(t, s.Store)
	at := func(d time.Duration) *time.Time { x := now.Add(d); return &x }
	var want, subscribed []string
	for _, c := range []struct {
		name string
		due  bool
		is   model.CalendarSubscription
		off  bool
	}{
		{"none", false, model.CalendarSubscription{State: model.SubscriptionNone}, false},
		{"pending", true, model.CalendarSubscription{State: model.SubscriptionPending}, false},
		{"active", false, model.CalendarSubscription{State: model.SubscriptionActive, GraphID: "a", RenewAt: at(time.Second)}, false},
		{"to renew", true, model.CalendarSubscription{State: model.SubscriptionActive, GraphID: "b", RenewAt: at(0)}, false},
		{"failed", false, model.CalendarSubscription{State: model.SubscriptionFailed, RenewAt: at(time.Second)}, false},
		{"to try again", true, model.CalendarSubscription{State: model.SubscriptionFailed, GraphID: "c", RenewAt: at(0)}, false},
		{"disabled", false, model.CalendarSubscription{State: model.SubscriptionPending, GraphID: "d"}, true},
	} {
		stored := Calendar(t, s.Store, ref, c.name, func(k *model.Calendar) { k.Enabled = !c.off })
		c.is.SecretHash, c.is.Detail, c.is.Failures, c.is.Unsupported, c.is.TouchedAt, c.is.NotifiedAt, c.is.ExpiresAt = "hash", "why", 3, true, at(1), at(2), at(3000)
		stored.Subscription = c.is
		InTx(t, s.Store, func(tx *store.Tx) error { return tx.SaveSubscription(&stored) })
		got, err := s.Read(t.Context()).Calendar(ref.OrganizationID, stored.ID)
		if err != nil || !equalJSON(t, got.Subscription, stored.Subscription) {
			t.Errorf("%s: %+v, %v; want %+v", c.name, got.Subscription, err, stored.Subscription)
		}
		if c.due {
			want = append(want, stored.ID)
		}
		if c.is.GraphID == "" {
			continue
		}
		subscribed = append(subscribed, stored.ID)
		if found, err := s.Read(t.Context()).CalendarBySubscription(c.is.GraphID); err != nil || found.ID != stored.ID {
			t.Errorf("by subscription %s: %s, %v; want %s", c.is.GraphID, found.ID, err, stored.ID)
		}
	}
	for _, unknown := range []string{"", "A", "zzz"} {
		if _, err := s.Read(t.Context()).CalendarBySubscription(unknown); model.KindOf(err) != model.NotFound {
			t.Errorf("by subscription %q: %v, want NotFound", unknown, err)
		}
	}
	pages(t, want, func(after string, limit int) ([]model.Calendar, error) {
		return s.Read(t.Context()).SubscriptionsDue(now, after, limit)
	}, func(c model.Calendar) string { return c.ID })
	pages(t, subscribed, func(after string, limit int) ([]model.Calendar, error) {
		return s.Read(t.Context()).SubscribedAfter(ref, after, limit)
	}, func(c model.Calendar) string { return c.ID })
}
