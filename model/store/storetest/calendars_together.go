package storetest

import (
	"testing"

	"usher/model"
	"usher/model/store"
)

func eventsTogether(t *testing.T, s suite) {
	c := Calendar(t, s.Store, Ref(t, s.Store), "ada@contoso.com")
	occurrence := func(name, series string) model.Event {
		e := NewEvent(c, name, 0)
		e.Kind, e.SeriesGraphID = model.EventOccurrence, series
		return e
	}
	stored := Events(t, s.Store, occurrence("1", "A"), occurrence("2", "a"), occurrence("3", "A"), NewEvent(c, "4", 0))
	update := func(list []model.Event, subject string) error {
		return s.InTx(t.Context(), func(tx *store.Tx) error {
			again := append([]model.Event(nil), list...)
			for i := range again {
				again[i].Subject = subject + again[i].GraphID
			}
			return tx.UpdateEvents(again)
		})
	}
	want := func(subject string, version int64) {
		t.Helper()
		got, err := s.Read(t.Context()).EventsByGraphID(c, []string{"1", "2", "3", "4", "5", ""})
		if err != nil || len(got) != len(stored) {
			t.Fatalf("%d events, %v", len(got), err)
		}
		for id, e := range got {
			if e.Subject != subject+id || e.Version != version {
				t.Errorf("event %s is %q, version %d; want %q, %d", id, e.Subject, e.Version, subject+id, version)
			}
		}
	}
	if err := update(stored, "new "); err != nil {
		t.Fatal(err)
	}
	want("new ", 2)
	fresh := append([]model.Event(nil), stored...)
	for i := range fresh[1:] { // the first is an old one
		fresh[i+1].Version = 2
	}
	if err := update(fresh, "newer "); model.KindOf(err) != model.Conflict {
		t.Errorf("with one that was changed meanwhile: %v, want a Conflict", err)
	}
	want("new ", 2)
	series, err := s.Read(t.Context()).EventsOfEachSeries(c, []string{"A", "none", ""})
	if err != nil || len(series) != 1 || len(series["A"]) != 2 {
		t.Errorf("the series have %v, %v", series, err)
	}
}
