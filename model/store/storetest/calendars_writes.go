package storetest

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"usher/model"
	"usher/model/store"
)

func calendarWriteCases() []testCase {
	return []testCase{
		{"of each event the oldest write is due, when its time has come", writesDue},
		{"the writes of an event are given until their echo can no longer come", writesOfEvents},
		{"a write comes back as it was written", writesComeBack},
	}
}

func writeIDs(list []model.EventWrite) []string {
	ids := []string{}
	for _, w := range list {
		ids = append(ids, w.ID)
	}
	return ids
}

func writesDue(t *testing.T, s suite) {
	now := someday()
	s2 := OpenWith(t, store.Options{URL: s.url, Now: func() time.Time { return now }})
	ref := Ref(t, s2)
	c, other := Calendar(t, s2, ref, "ada@contoso.com"), Calendar(t, s2, ref, "bob@contoso.com")
	e := Events(t, s2, NewEvent(c, "1", 0), NewEvent(c, "2", 0), NewEvent(c, "3", 0), NewEvent(other, "4", 0))
	if _, ok, err := s2.Read(t.Context()).NextWriteAt(c); ok || err != nil {
		t.Errorf("a next write before there is any: %v, %v", ok, err)
	}
	var list []*model.EventWrite
	for _, w := range []struct {
		of int
		in time.Duration
	}{{0, 0}, {0, 0}, {1, time.Minute}, {1, 0}, {2, 0}, {3, 0}} {
		write := NewWrite(e[w.of], model.WriteUpdate)
		write.NextAt = now.Add(w.in)
		InTx(t, s2, func(tx *store.Tx) error { return tx.InsertWrite(write) })
		list = append(list, write)
	}
	due := func(want ...int) {
		t.Helper()
		ids := []string{}
		for _, i := range want {
			ids = append(ids, list[i].ID)
		}
		got, err := s2.Read(t.Context()).WritesDue(c, now, 10)
		if err != nil || !slices.Equal(writeIDs(got), ids) {
			t.Errorf("due are %v, %v; want %v", writeIDs(got), err, ids)
		}
		if got, err := s2.Read(t.Context()).WritesDue(c, now, 1); err != nil || len(got) != min(1, len(want)) {
			t.Errorf("of one due are %d, %v", len(got), err)
		}
	}
	next := func(want time.Time) {
		t.Helper()
		if at, ok, err := s2.Read(t.Context()).NextWriteAt(c); !ok || err != nil || !at.Equal(want) {
			t.Errorf("next is %v, %v, %v; want %v", at, ok, err, want)
		}
	}
	finish := func(i int) {
		t.Helper()
		list[i].Done = true
		InTx(t, s2, func(tx *store.Tx) error { return tx.UpdateWrite(list[i]) })
	}
	due(0, 4) // of the second event the oldest waits, and the others behind it
	next(now)
	finish(0)
	finish(4)
	due(1)
	finish(1)
	due()
	next(now.Add(time.Minute))
	now = now.Add(time.Minute)
	due(2)
	finish(2)
	due(3)
}

func writesOfEvents(t *testing.T, s suite) {
	now := someday()
	s2 := OpenWith(t, store.Options{URL: s.url, Now: func() time.Time { return now }})
	c := Calendar(t, s2, Ref(t, s2), "ada@contoso.com")
	e := Events(t, s2, NewEvent(c, "1", 0), NewEvent(c, "2", 0))
	open, done, others := NewWrite(e[0], model.WriteCreate), NewWrite(e[0], model.WriteUpdate), NewWrite(e[1], model.WriteDelete)
	done.Done = true
	InTx(t, s2, func(tx *store.Tx) error {
		for _, w := range []*model.EventWrite{open, done, others} {
			if err := tx.InsertWrite(w); err != nil {
				return err
			}
		}
		_, err := tx.DeleteEvents(c, []string{e[0].ID})
		return err
	})
	of := func(want ...*model.EventWrite) {
		t.Helper()
		ids := []string{}
		for _, w := range want {
			ids = append(ids, w.ID)
		}
		got, err := s2.Read(t.Context()).WritesOfEvents(c, []string{e[0].ID, "no id"})
		if err != nil || !slices.Equal(writeIDs(got), ids) {
			t.Errorf("writes are %v, %v; want %v", writeIDs(got), err, ids)
		}
	}
	of(open, done)
	now = now.Add(59 * time.Minute)
	of(open, done)
	now = now.Add(time.Minute)
	of(open)
	for before, want := range map[time.Time]int{someday(): 0} {
		InTx(t, s2, func(tx *store.Tx) error {
			n, err := tx.DeleteWrites(before)
			if n != want {
				t.Errorf("%d writes forgotten, want %d", n, want)
			}
			return err
		})
	}
	InTx(t, s2, func(tx *store.Tx) error {
		n, err := tx.DeleteWrites(someday().Add(time.Second))
		if n != 1 {
			t.Errorf("%d writes forgotten, want the one that is done", n)
		}
		return err
	})
	of(open)
}

func writesComeBack(t *testing.T, s suite) {
	c := Calendar(t, s.Store, Ref(t, s.Store), "ada@contoso.com")
	e := Events(t, s.Store, NewEvent(c, "1", 0))[0]
	for _, text := range hostileTexts() {
		raw, err := json.Marshal(map[string]string{text: text})
		if err != nil {
			t.Fatal(err)
		}
		w := &model.EventWrite{
			OrganizationID: c.OrganizationID, IntegrationID: c.IntegrationID, CalendarID: c.ID, EventID: e.ID, Op: model.WriteCancel,
			Comment: text, ChangeKey: text, Base: raw,
		}
		read := func() model.EventWrite {
			t.Helper()
			list, err := s.Read(t.Context()).WritesOfEvents(c, []string{e.ID})
			if err != nil || len(list) == 0 {
				t.Fatal(list, err)
			}
			return list[len(list)-1]
		}
		InTx(t, s.Store, func(tx *store.Tx) error { return tx.InsertWrite(w) })
		if got := read(); !equalJSON(t, got, *w) || got.Draft != nil {
			t.Errorf("%q: read back %+v, want %+v", text, got, *w)
		}
		w.Draft, w.Base, w.Sent, w.Attempts, w.Error, w.ResultKey, w.ResultHash = raw, nil, true, 3, text, text, text
		w.NextAt = someday().Add(1001 * time.Microsecond)
		InTx(t, s.Store, func(tx *store.Tx) error { return tx.UpdateWrite(w) })
		if got := read(); !equalJSON(t, got, *w) {
			t.Errorf("%q: after the update %+v, want %+v", text, got, *w)
		}
	}
	foreign := NewWrite(e, model.WriteUpdate)
	foreign.OrganizationID = store.NewID()
	if err := s.InTx(t.Context(), func(tx *store.Tx) error { return tx.InsertWrite(foreign) }); model.KindOf(err) != model.NotFound {
		t.Errorf("a write to another organization's calendar: %v, want NotFound", err)
	}
}
