package storetest

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"usher/model"
	"usher/model/store"
)

func calendarEventCases() []testCase {
	return []testCase{
		{"an event comes back as it was written, whatever its text", eventsComeBack},
		{"text of events with NUL is refused as Invalid, or kept", eventsWithNUL},
		{"a window has what touches it, however long and however begun", eventsInWindow},
		{"a series is in the windows of its occurrences", seriesInWindow},
		{"events are found by the ids of Microsoft 365, which tell capitals from small letters", eventsByIDs},
		{"what no round has seen is found page by page", unseenEvents},
		{"of two that change an event both changes stay", eventVersions},
		{"several events are updated together, or none", eventsTogether},
		{"events are deleted and touched by their calendar alone", eventsOfOthersStay},
		{"the busy times are those of what is neither free nor cancelled nor of a disabled calendar", busyTimes},
	}
}

// equalJSON compares what two values hold, unexported tags and times' locations aside.
func equalJSON(t *testing.T, a, b any) bool {
	t.Helper()
	show := func(v any) string {
		var fields []string
		value := reflect.ValueOf(v)
		for i := range value.NumField() {
			raw, err := json.Marshal(value.Field(i).Interface())
			if err != nil {
				t.Fatal(err)
			}
			fields = append(fields, value.Type().Field(i).Name+string(raw))
		}
		return strings.Join(fields, "\n")
	}
	return show(a) == show(b)
}

// pages reads a list page by page, of one and of two entries, and whole.
func pages[T any](t *testing.T, want []string, read func(after string, limit int) ([]T, error), key func(T) string) {
	t.Helper()
	for _, limit := range []int{1, 2, 100} {
		got, after := []string{}, ""
		for {
			list, err := read(after, limit)
			if err != nil {
				t.Fatal(err)
			}
			if len(list) > limit {
				t.Fatalf("a page of %d has %d", limit, len(list))
			}
			if len(list) == 0 || len(got) > len(want) {
				break
			}
			for _, item := range list {
				got = append(got, key(item))
			}
			after = got[len(got)-1]
		}
		if !slices.Equal(got, want) {
			t.Errorf("pages of %d give %q, want %q", limit, got, want)
		}
	}
	if _, err := read("no cursor", 1); model.KindOf(err) != model.Invalid {
		t.Errorf("a page behind nonsense: %v, want Invalid", err)
	}
}

func eventsComeBack(t *testing.T, s suite) {
	c := Calendar(t, s.Store, Ref(t, s.Store), "ada@contoso.com")
	original := someday().Add(time.Minute)
	for i, text := range append(hostileTexts(), "<p>Ada &amp; Bob</p>") {
		series := store.NewID()
		e := model.Event{
			OrganizationID: c.OrganizationID, IntegrationID: c.IntegrationID, CalendarID: c.ID, GraphID: fmt.Sprint(i, text), ICalUID: text,
			Kind: model.EventException, SeriesID: &series, SeriesGraphID: text, OriginalStart: &original, Subject: text, Body: text,
			Location: text, LocationEmail: text, Start: model.EventTime{DateTime: text, TimeZone: text, UTC: someday().Add(1234 * time.Microsecond)},
			End: model.EventTime{DateTime: text, TimeZone: text, UTC: someday().Add(time.Hour)}, AllDay: true, ShowAs: text, Sensitivity: text,
			Status: text, Response: text, IsOrganizer: true, Organizer: model.EventPerson{Email: text, Name: text},
			Attendees:  []model.EventPerson{{Email: text, Name: text, Type: "required", Response: "none"}},
			Recurrence: json.RawMessage(`{"pattern": {"type":"daily"}}`), MeetingURL: text, Origin: model.OriginUsher, SyncState: model.EventFailed,
			SyncError: text, ChangeKey: text, Hash: text, TransactionID: text, Round: 9,
		}
		bare := model.Event{OrganizationID: c.OrganizationID, IntegrationID: c.IntegrationID, CalendarID: c.ID, Kind: model.EventSingle}
		list := Events(t, s.Store, e, bare)
		for _, want := range list {
			got, err := s.Read(t.Context()).Event(c.OrganizationID, want.ID)
			if err != nil || !equalJSON(t, got, want) {
				t.Errorf("%q: read back\n%+v, want\n%+v (%v)", text, got, want, err)
			}
			if want.ID == "" || want.Version != 1 || want.CreatedAt.IsZero() || got.Attendees == nil {
				t.Errorf("%q: stored %+v", text, want)
			}
		}
		changed := list[1]
		changed.Subject, changed.Attendees, changed.Recurrence, changed.SeriesID = text, e.Attendees, e.Recurrence, &series
		InTx(t, s.Store, func(tx *store.Tx) error { return tx.UpdateEvent(&changed) })
		cleared := list[0]
		cleared.Subject, cleared.Attendees, cleared.Recurrence, cleared.SeriesID, cleared.OriginalStart, cleared.AllDay = "", nil, nil, nil, nil, false
		InTx(t, s.Store, func(tx *store.Tx) error { return tx.UpdateEvent(&cleared) })
		for _, want := range []model.Event{changed, cleared} {
			got, err := s.Read(t.Context()).Event(c.OrganizationID, want.ID)
			if err != nil || got.Version != 2 || !equalJSON(t, got, want) {
				t.Errorf("%q: after the update\n%+v, want\n%+v (%v)", text, got, want, err)
			}
		}
	}
}

func eventsWithNUL(t *testing.T, s suite) {
	c := Calendar(t, s.Store, Ref(t, s.Store), "ada@contoso.com")
	stored := Events(t, s.Store, NewEvent(c, "ada", 0))[0]
	refused := map[string]func(*store.Tx) error{
		"a new event": func(tx *store.Tx) error { return tx.InsertEvents([]model.Event{NewEvent(c, "a\x00b", 0)}) },
		"an event":    func(tx *store.Tx) error { e := stored; e.Body = "a\x00b"; return tx.UpdateEvent(&e) },
		"a room": func(tx *store.Tx) error {
			_, err := tx.PutRoom(NewRoom(c.Ref(), "a\x00b"))
			return err
		},
		"a calendar": func(tx *store.Tx) error { k := c; k.Name = "a\x00b"; return tx.UpdateCalendar(&k) },
		"a write": func(tx *store.Tx) error {
			w := NewWrite(stored, model.WriteUpdate)
			w.Comment = "a\x00b"
			return tx.InsertWrite(w)
		},
		"an id asked for": func(tx *store.Tx) error { _, err := tx.EventsByGraphID(c, []string{"a\x00b"}); return err },
	}
	for _, name := range slices.Sorted(maps.Keys(refused)) {
		err := s.InTx(t.Context(), refused[name])
		if s.postgres() && model.KindOf(err) != model.Invalid {
			t.Errorf("%s with NUL: %v, want Invalid", name, err)
		}
		if !s.postgres() && err != nil {
			t.Errorf("%s with NUL: %v, want it kept", name, err)
		}
	}
}

// lasting gives an event of the kind with the given ends, in hours behind someday.
func lasting(c model.Calendar, name string, kind model.EventKind, from, to float64) model.Event {
	e := NewEvent(c, name, time.Duration(from*float64(time.Hour)))
	e.Kind, e.End.UTC = kind, someday().Add(time.Duration(to*float64(time.Hour)))
	e.AllDay = int(from)%24 == 0 && int(to)%24 == 0 && to > from
	return e
}

func eventsInWindow(t *testing.T, s suite) {
	ref := Ref(t, s.Store)
	c, other := Calendar(t, s.Store, ref, "ada@contoso.com"), Calendar(t, s.Store, ref, "bob@contoso.com")
	Events(t, s.Store,
		lasting(c, "ended at the beginning", model.EventSingle, -1, 0),
		lasting(c, "all day before", model.EventSingle, -24, 0),
		lasting(c, "a month around", model.EventSingle, -360, 360),
		lasting(c, "runs into it", model.EventSingle, -0.5, 0.5),
		lasting(c, "no time, at the beginning", model.EventSingle, 0, 0),
		lasting(c, "all day", model.EventSingle, 0, 24),
		lasting(c, "an occurrence", model.EventOccurrence, 9, 10),
		lasting(c, "an exception", model.EventException, 9, 11),
		lasting(c, "the series", model.EventSeries, 9, 10),
		lasting(c, "no time, within", model.EventSingle, 12, 12),
		lasting(c, "runs out of it", model.EventSingle, 23, 30),
		lasting(c, "no time, at the end", model.EventSingle, 24, 24),
		lasting(c, "begins at the end", model.EventSingle, 24, 25),
		lasting(other, "another calendar's", model.EventSingle, 9, 10))
	want := []string{
		"a month around", "runs into it", "no time, at the beginning", "all day", "an occurrence", "an exception", "no time, within", "runs out of it",
	}
	zone := time.FixedZone("CET", 3600)
	from, to := someday().In(zone), someday().AddDate(0, 0, 1).In(zone)
	all, err := s.Read(t.Context()).EventsBetween(ref.OrganizationID, c.ID, from, to, store.EventFilter{}, "", 100)
	if err != nil {
		t.Fatal(err)
	}
	byPlace := map[string]string{}
	places := []string{}
	for _, e := range all {
		byPlace[store.PlaceOf(e)] = e.GraphID
		places = append(places, store.PlaceOf(e))
	}
	got := []string{}
	for _, p := range places {
		got = append(got, byPlace[p])
	}
	if !slices.Equal(got, want) {
		t.Errorf("the window has\n%q, want\n%q", got, want)
	}
	pages(t, places, func(after string, limit int) ([]model.Event, error) {
		return s.Read(t.Context()).EventsBetween(ref.OrganizationID, c.ID, from, to, store.EventFilter{}, after, limit)
	}, store.PlaceOf)
	for name, ask := range map[string][2]string{"another organization": {store.NewID(), c.ID}, "no id": {ref.OrganizationID, "x"}} {
		list, err := s.Read(t.Context()).EventsBetween(ask[0], ask[1], from, to, store.EventFilter{}, "", 100)
		if err != nil || len(list) != 0 {
			t.Errorf("%s: %v, %v", name, list, err)
		}
	}
}

func seriesInWindow(t *testing.T, s suite) {
	c := Calendar(t, s.Store, Ref(t, s.Store), "ada@contoso.com")
	series := Events(t, s.Store, lasting(c, "weekly", model.EventSeries, -1000, -999), lasting(c, "new", model.EventSeries, 5, 6),
		lasting(c, "old", model.EventSeries, -1000, -999))
	of := func(e model.Event, master model.Event) model.Event {
		e.SeriesID, e.SeriesGraphID = &master.ID, master.GraphID
		return e
	}
	Events(t, s.Store, lasting(c, "single", model.EventSingle, 1, 2), of(lasting(c, "today", model.EventOccurrence, 3, 4), series[0]),
		of(lasting(c, "moved", model.EventException, 7, 8), series[0]), of(lasting(c, "long ago", model.EventOccurrence, -500, -499), series[2]))
	for with, want := range map[bool][]string{false: {"single", "today", "moved"}, true: {"weekly", "single", "today", "new", "moved"}} {
		list, err := s.Read(t.Context()).EventsBetween(c.OrganizationID, c.ID, someday(), someday().AddDate(0, 0, 1), store.EventFilter{Series: with}, "", 100)
		got := []string{}
		for _, e := range list {
			got = append(got, e.GraphID)
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("series=%v: %q, %v; want %q", with, got, err, want)
		}
	}
	list, err := s.Read(t.Context()).EventsOfSeries(c, "weekly")
	if err != nil || len(list) != 2 || list[0].GraphID != "today" || list[1].GraphID != "moved" {
		t.Errorf("of the series are %v, %v", list, err)
	}
}

func eventsByIDs(t *testing.T, s suite) {
	ref := Ref(t, s.Store)
	c, other := Calendar(t, s.Store, ref, "ada@contoso.com"), Calendar(t, s.Store, ref, "bob@contoso.com")
	Events(t, s.Store, NewEvent(c, "AAa", 0), NewEvent(c, "AAA", 1), NewEvent(c, "", 2), NewEvent(c, "", 3), NewEvent(other, "AAA", 0))
	found, err := s.Read(t.Context()).EventsByGraphID(c, []string{"AAA", "aaa", "", "zzz"})
	if err != nil || len(found) != 1 || found["AAA"].CalendarID != c.ID {
		t.Errorf("found %v, %v; want AAA alone", found, err)
	}
	foreign := c
	foreign.OrganizationID = store.NewID()
	for _, of := range []model.Calendar{foreign, {}} {
		if found, err := s.Read(t.Context()).EventsByGraphID(of, []string{"AAA"}); err != nil || len(found) != 0 {
			t.Errorf("found %v, %v in another organization's name", found, err)
		}
	}
	err = s.InTx(t.Context(), func(tx *store.Tx) error { return tx.InsertEvents([]model.Event{NewEvent(c, "AAA", 5)}) })
	if model.KindOf(err) != model.Conflict {
		t.Errorf("a second event with the id: %v, want a Conflict", err)
	}
	copies, err := s.Read(t.Context()).EventCopies(found["AAA"], "", 10)
	if err != nil || len(copies) != 1 || copies[0].CalendarID == c.ID || copies[0].ICalUID != "uid-AAA" {
		t.Errorf("copies: %v, %v, want that of the other calendar", copies, err)
	}
	for what, e := range map[string]model.Event{
		"no uid": {OrganizationID: ref.OrganizationID}, "another case": {OrganizationID: ref.OrganizationID, ICalUID: "UID-AAA"},
		"another organization": {OrganizationID: foreign.OrganizationID, ICalUID: "uid-AAA"},
		"an occurrence":        {OrganizationID: ref.OrganizationID, ICalUID: "uid-AAA", OriginalStart: new(c.CreatedAt)},
	} {
		e.CalendarID = found["AAA"].CalendarID
		if copies, err := s.Read(t.Context()).EventCopies(e, "", 10); err != nil || len(copies) != 0 {
			t.Errorf("copies of one with %s: %v, %v", what, copies, err)
		}
	}
	strange := NewEvent(c, "strange", 0)
	strange.IntegrationID = Integration(t, s.Store, ref.OrganizationID).ID
	err = s.InTx(t.Context(), func(tx *store.Tx) error { return tx.InsertEvents([]model.Event{strange}) })
	if model.KindOf(err) != model.NotFound {
		t.Errorf("an event in another integration's calendar: %v, want NotFound", err)
	}
}

func unseenEvents(t *testing.T, s suite) {
	c := Calendar(t, s.Store, Ref(t, s.Store), "ada@contoso.com")
	at := func(e model.Event, round int64) model.Event { e.Round = round; return e }
	list := Events(t, s.Store, at(NewEvent(c, "seen", 1), 5), at(NewEvent(c, "z", 3*time.Hour), 4), at(NewEvent(c, "a", 1), 1), at(NewEvent(c, "", 1), 0),
		at(NewEvent(c, "outside", 48*time.Hour), 4), at(lasting(c, "around", model.EventSingle, -99, 99), 4), at(NewEvent(c, "touched", 1), 4))
	InTx(t, s.Store, func(tx *store.Tx) error { return tx.TouchEvents(c, []string{list[6].ID, "x"}, 5) })
	pages(t, []string{list[1].ID, list[2].ID, list[5].ID}, func(after string, limit int) ([]model.Event, error) {
		return s.Read(t.Context()).EventsUnseen(c, 5, someday(), someday().AddDate(0, 0, 1), after, limit)
	}, func(e model.Event) string { return e.ID })
}

func eventVersions(t *testing.T, s suite) {
	c := Calendar(t, s.Store, Ref(t, s.Store), "ada@contoso.com")
	stored := Events(t, s.Store, NewEvent(c, "ada", 0))[0]
	edit := func(tx *store.Tx, change func(*model.Event)) error {
		e, err := tx.Event(c.OrganizationID, stored.ID)
		if err != nil {
			return err
		}
		change(&e)
		return tx.UpdateEvent(&e)
	}
	runs := 0
	InTx(t, s.Store, func(tx *store.Tx) error {
		runs++
		if runs > 1 || !s.postgres() { // SQLite has one writer: there is nobody who could be faster
			return edit(tx, func(e *model.Event) { e.Subject = "mine" })
		}
		return edit(tx, func(e *model.Event) {
			e.Subject = "mine"
			InTx(t, s.Store, func(tx *store.Tx) error { return edit(tx, func(e *model.Event) { e.Location = "theirs" }) })
		})
	})
	if !s.postgres() {
		InTx(t, s.Store, func(tx *store.Tx) error { return edit(tx, func(e *model.Event) { e.Location = "theirs" }) })
	}
	got, err := s.Read(t.Context()).Event(c.OrganizationID, stored.ID)
	if err != nil || got.Subject != "mine" || got.Location != "theirs" || got.Version != 3 {
		t.Errorf("%+v, %v; want both changes", got, err)
	}
	err = s.InTx(t.Context(), func(tx *store.Tx) error { e := stored; return tx.UpdateEvent(&e) })
	if model.KindOf(err) != model.Conflict {
		t.Errorf("an update of what was read outside, long ago: %v, want a Conflict", err)
	}
}

func eventsOfOthersStay(t *testing.T, s suite) {
	ref := Ref(t, s.Store)
	c, other := Calendar(t, s.Store, ref, "ada@contoso.com"), Calendar(t, s.Store, ref, "bob@contoso.com")
	list := Events(t, s.Store, NewEvent(c, "a", 0), NewEvent(c, "b", 0), NewEvent(other, "c", 0))
	ids := []string{list[0].ID, list[2].ID, "no id", store.NewID()}
	InTx(t, s.Store, func(tx *store.Tx) error {
		if err := tx.TouchEvents(c, ids, 3); err != nil {
			return err
		}
		for _, of := range []model.Calendar{{ID: c.ID}, {ID: c.ID, OrganizationID: store.NewID(), IntegrationID: c.IntegrationID}} {
			if n, err := tx.DeleteEvents(of, ids); n != 0 || err != nil {
				t.Errorf("%d events deleted in another's name, %v", n, err)
			}
		}
		n, err := tx.DeleteEvents(c, ids)
		if n != 1 {
			t.Errorf("%d events deleted, want 1", n)
		}
		return err
	})
	for i, want := range []bool{false, true, true} {
		e, err := s.Read(t.Context()).Event(ref.OrganizationID, list[i].ID)
		if (err == nil) != want || e.Round != 0 {
			t.Errorf("event %d: %+v, %v; want it there: %v, untouched", i, e, err, want)
		}
	}
	InTx(t, s.Store, func(tx *store.Tx) error {
		if e, err := tx.LockEvent(ref.OrganizationID, list[1].ID); err != nil || e.GraphID != "b" {
			t.Errorf("locked %+v, %v", e, err)
		}
		if _, err := tx.LockEvent(store.NewID(), list[1].ID); model.KindOf(err) != model.NotFound {
			t.Errorf("locked in another organization's name: %v", err)
		}
		n, err := tx.DeleteCalendar(ref, other.ID)
		if n != 1 {
			t.Errorf("the calendar had %d events, want 1", n)
		}
		return err
	})
}

func busyTimes(t *testing.T, s suite) {
	ref := Ref(t, s.Store)
	a, b := Calendar(t, s.Store, ref, "ada@contoso.com"), Calendar(t, s.Store, ref, "bob@contoso.com")
	off := Calendar(t, s.Store, ref, "off@contoso.com", func(c *model.Calendar) { c.Enabled = false })
	as := func(e model.Event, show, status string) model.Event { e.ShowAs, e.Status = show, status; return e }
	Events(t, s.Store, lasting(a, "1", model.EventSingle, 9, 10), lasting(a, "2", model.EventOccurrence, -24, 1), lasting(a, "3", model.EventSeries, 9, 10),
		as(lasting(a, "4", model.EventSingle, 9, 10), "free", "confirmed"), as(lasting(a, "5", model.EventSingle, 9, 10), "busy", "cancelled"),
		as(lasting(a, "6", model.EventException, 11, 12), "oof", "tentative"), lasting(a, "7", model.EventSingle, 24, 25),
		lasting(b, "1", model.EventSingle, 5, 6), lasting(off, "1", model.EventSingle, 5, 6))
	show := func(list []store.BusyTime) (out []string) {
		for _, x := range list {
			out = append(out, fmt.Sprint(map[string]string{a.ID: "a", b.ID: "b"}[x.CalendarID], x.Start.Sub(someday()).Hours(), x.End.Sub(someday()).Hours(), x.ShowAs))
		}
		return out
	}
	want := []string{"a-24 1busy", "a9 10busy", "a11 12oof", "b5 6busy"}
	ids := []string{b.ID, a.ID, off.ID, "no id"}
	for limit, want := range map[int][]string{100: want, 2: want[:2]} {
		list, err := s.Read(t.Context()).BusyOf(ref.OrganizationID, ids, someday(), someday().AddDate(0, 0, 1), limit)
		if err != nil || !slices.Equal(show(list), want) {
			t.Errorf("busy are %q, %v; want %q", show(list), err, want)
		}
	}
	for _, ask := range []struct {
		org string
		ids []string
	}{{store.NewID(), ids}, {ref.OrganizationID, nil}} {
		if list, err := s.Read(t.Context()).BusyOf(ask.org, ask.ids, someday(), someday().AddDate(0, 0, 1), 9); err != nil || len(list) != 0 {
			t.Errorf("busy are %v, %v; want nobody", list, err)
		}
	}
}
