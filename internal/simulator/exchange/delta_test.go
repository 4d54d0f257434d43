package exchange_test

import (
	"slices"
	"testing"
	"time"

	"usher/internal/simulator/exchange"
	"usher/model/outlook"
)

// begin makes a first round over March and gives its delta link.
func (w *world) begin(t testing.TB, ref outlook.CalendarRef) string {
	t.Helper()
	_, link := w.round(t, ref, "")
	return link
}

// round gives what a round brings, and its delta link.
func (w *world) round(t testing.TB, ref outlook.CalendarRef, link string) ([]outlook.Event, string) {
	t.Helper()
	var events []outlook.Event
	for range 1000 {
		page := must[outlook.DeltaPage](t)(w.client.Delta(t.Context(), ref, march(), link))
		events = append(events, page.Events...)
		if page.Delta != "" {
			if page.Next != "" {
				t.Fatal("a page with both links")
			}
			return events, page.Delta
		}
		link = page.Next
	}
	t.Fatal("the round has no end")
	return nil, ""
}

func TestDelta(t *testing.T) {
	w := newWorld(t, exchange.Options{PageSize: 2})
	ref := outlook.CalendarRef{Mailbox: adaMail}
	single := meeting("Budget", "09:00:00", "10:00:00")
	single.TransactionID, single.Origin = "tx", "usher/1"
	made := event(t)(w.ada.Create("", single))
	d := meeting("Stand-up", "11:00:00", "11:15:00")
	d.Recurrence = daily("2026-03-03", 5)
	master := event(t)(w.ada.Create("", d))
	far := meeting("Far", "09:00:00", "10:00:00")
	far.Start, far.End = moment("2027-03-03T09:00:00"), moment("2027-03-03T10:00:00")
	event(t)(w.ada.Create("", far))

	events, link := w.round(t, ref, "")
	if len(events) != 7 {
		t.Fatalf("the first round brings %d events: %+v", len(events), events)
	}
	for _, e := range events {
		if e.Origin != "" {
			t.Errorf("the mark is in a delta: %+v", e)
		}
		switch e.ID {
		case made.ID:
			if e.Stub || e.TransactionID != "tx" || e.Subject != "Budget" {
				t.Errorf("single %+v", e)
			}
		case master.ID:
			if e.Type != outlook.SeriesMaster || e.Start.DateTime != "2026-03-03T10:00:00.0000000" || e.Recurrence == nil {
				t.Errorf("master %+v", e)
			}
		default:
			want := outlook.Event{ID: e.ID, ChangeKey: e.ChangeKey, SeriesMasterID: master.ID, Type: outlook.Occurrence, Stub: true, Start: e.Start, End: e.End}
			if e.ID == "" || e.ChangeKey == "" || e.Subject != "" || e.SeriesMasterID != want.SeriesMasterID || !e.Stub || e.Type != outlook.Occurrence {
				t.Errorf("stub %+v", e)
			}
		}
	}
	if events, again := w.round(t, ref, link); len(events) != 0 || again == link {
		t.Errorf("nothing happened, told is %+v", events)
	}
}

func TestDeltaOfChanges(t *testing.T) {
	w := newWorld(t, exchange.Options{PageSize: 2})
	ref := outlook.CalendarRef{Mailbox: adaMail}
	made := event(t)(w.ada.Create("", meeting("Budget", "09:00:00", "10:00:00")))
	d := meeting("Stand-up", "11:00:00", "11:15:00")
	d.Recurrence = daily("2026-03-03", 5)
	master := event(t)(w.ada.Create("", d))
	far := meeting("Far", "09:00:00", "10:00:00")
	far.Start, far.End = moment("2027-03-03T09:00:00"), moment("2027-03-03T10:00:00")
	farID := event(t)(w.ada.Create("", far)).ID
	link := w.begin(t, ref)

	// An occurrence is deleted: the series comes, nothing marks what is missing.
	occurrences := view(t, w.ada)[1:]
	if err := w.ada.Delete(occurrences[1].ID); err != nil {
		t.Fatal(err)
	}
	events, link := w.round(t, ref, link)
	if len(events) != 5 || slices.ContainsFunc(events, func(e outlook.Event) bool { return e.Removed != "" || e.ID == occurrences[1].ID }) {
		t.Errorf("after the deletion of an occurrence %+v", events)
	}
	// An exception comes whole.
	event(t)(w.ada.Change(occurrences[2].ID, outlook.Draft{Subject: ptr("Late")}))
	events, link = w.round(t, ref, link)
	i := slices.IndexFunc(events, func(e outlook.Event) bool { return e.ID == occurrences[2].ID })
	if i < 0 || events[i].Stub || events[i].Type != outlook.Exception || events[i].Subject != "Late" {
		t.Errorf("the exception is %+v", events)
	}
	// A change far away is told as a removal of what was never seen; so is what leaves the window.
	event(t)(w.ada.Change(farID, outlook.Draft{Subject: ptr("Farther")}))
	event(t)(w.ada.Change(made.ID, outlook.Draft{Start: moment("2026-05-03T09:00:00"), End: moment("2026-05-03T10:00:00")}))
	events, link = w.round(t, ref, link)
	removed := map[string]string{}
	for _, e := range events {
		if e.Removed != "" {
			removed[e.ID] = e.Removed
		}
	}
	if len(removed) != 2 || removed[farID] != "deleted" || removed[made.ID] != "deleted" {
		t.Errorf("removed %v", removed)
	}
	// Another pattern takes the old occurrences away and brings new ones.
	event(t)(w.ada.Change(master.ID, outlook.Draft{Recurrence: daily("2026-03-03", 2), Start: moment("2026-03-03T16:00:00"), End: moment("2026-03-03T16:15:00")}))
	events, link = w.round(t, ref, link)
	gone, fresh := 0, 0
	for _, e := range events {
		switch {
		case e.Removed != "":
			gone++
		case e.Stub:
			fresh++
		}
	}
	if gone != 5 || fresh != 2 {
		t.Errorf("%d gone, %d new: %+v", gone, fresh, events)
	}
	// A series that leaves the window is removed.
	away := outlook.Draft{Recurrence: daily("2026-05-03", 2), Start: moment("2026-05-03T16:00:00"), End: moment("2026-05-03T16:15:00")}
	event(t)(w.ada.Change(master.ID, away))
	events, link = w.round(t, ref, link)
	if last := events[len(events)-1]; len(events) != 3 || last.ID != master.ID || last.Removed != "deleted" {
		t.Errorf("after the series has left %+v", events)
	}
	event(t)(w.ada.Change(master.ID, outlook.Draft{Recurrence: daily("2026-03-03", 2), Start: moment("2026-03-03T16:00:00"), End: moment("2026-03-03T16:15:00")}))
	_, link = w.round(t, ref, link)
	if err := w.ada.Delete(master.ID); err != nil {
		t.Fatal(err)
	}
	if events, _ = w.round(t, ref, link); len(events) != 3 || events[0].Removed != "deleted" {
		t.Errorf("after the deletion of the series %+v", events)
	}
}

func TestDeltaLinks(t *testing.T) {
	w := newWorld(t, exchange.Options{PageSize: 1})
	ref := outlook.CalendarRef{Mailbox: adaMail}
	for range 3 {
		event(t)(w.ada.Create("", meeting("Budget", "09:00:00", "10:00:00")))
	}
	page := must[outlook.DeltaPage](t)(w.client.Delta(t.Context(), ref, march(), ""))
	link := w.begin(t, ref)
	// The window of the link counts, not that of the call.
	event(t)(w.ada.Create("", meeting("More", "09:00:00", "10:00:00")))
	other := outlook.Window{From: march().To, To: march().To.Add(time.Hour)}
	if got := must[outlook.DeltaPage](t)(w.client.Delta(t.Context(), ref, other, link)); len(got.Events) != 1 || got.Events[0].Subject != "More" {
		t.Errorf("the link gives %+v", got)
	}
	w.ExpireDeltaLinks(adaMail)
	for _, lost := range []string{page.Next, link} { // also in the middle of a round
		_, err := w.client.Delta(t.Context(), ref, march(), lost)
		wantKind(t, err, outlook.SyncLost, 410, "SyncStateNotFound")
	}
	_, err := w.client.Delta(t.Context(), ref, march(), "nonsense")
	wantKind(t, err, outlook.SyncLost, 400, "SyncStateNotFound")
	if events, _ := w.round(t, ref, ""); len(events) != 4 {
		t.Errorf("the new round brings %d", len(events))
	}
}

func TestDeltaFaults(t *testing.T) {
	ref := outlook.CalendarRef{Mailbox: adaMail}
	for _, test := range []struct {
		name   string
		faults exchange.Faults
		check  func(t *testing.T, w *world)
	}{
		{"empty pages", exchange.Faults{EmptyPage: 0.9}, func(t *testing.T, w *world) {
			empty, events := 0, 0
			for range 10 {
				for page := (outlook.DeltaPage{}); page.Delta == ""; {
					page = must[outlook.DeltaPage](t)(w.client.Delta(t.Context(), ref, march(), page.Next))
					if events += len(page.Events); len(page.Events) == 0 && page.Next != "" {
						empty++
					}
				}
			}
			if empty == 0 || events != 30 {
				t.Errorf("%d empty pages, %d events", empty, events)
			}
		}},
		{"endless", exchange.Faults{Endless: true}, func(t *testing.T, w *world) {
			first := must[outlook.DeltaPage](t)(w.client.Delta(t.Context(), ref, march(), ""))
			second := must[outlook.DeltaPage](t)(w.client.Delta(t.Context(), ref, march(), first.Next))
			if second.Delta != "" || second.Next == first.Next || len(first.Events) == 0 || !slices.EqualFunc(first.Events, second.Events, func(a, b outlook.Event) bool { return a.ID == b.ID }) {
				t.Errorf("the pages are %+v and %+v", first, second)
			}
		}},
		{"repeats", exchange.Faults{Repeat: 1}, func(t *testing.T, w *world) {
			if events, _ := w.round(t, ref, ""); len(events) != 4 {
				t.Errorf("%d events", len(events))
			}
		}},
		{"phantoms", exchange.Faults{Phantom: 1}, func(t *testing.T, w *world) {
			events, _ := w.round(t, ref, "")
			if len(events) != 4 || events[3].Removed != "deleted" {
				t.Errorf("%d events", len(events))
			}
		}},
		{"replay", exchange.Faults{Replay: 1}, func(t *testing.T, w *world) {
			_, link := w.round(t, ref, "")
			if events, _ := w.round(t, ref, link); len(events) != 3 {
				t.Errorf("%d events come again", len(events))
			}
		}},
		{"lag", exchange.Faults{DeltaLag: 30 * time.Second}, func(t *testing.T, w *world) {
			events, link := w.round(t, ref, "")
			w.clock.forward(30 * time.Second)
			later, _ := w.round(t, ref, link)
			if len(events) != 0 || len(later) != 3 {
				t.Errorf("%d at once, %d later", len(events), len(later))
			}
		}},
		{"no master", exchange.Faults{NoMaster: true}, func(t *testing.T, w *world) {
			events, _ := w.round(t, ref, "")
			if len(events) != 2 || slices.ContainsFunc(events, func(e outlook.Event) bool { return e.Type == outlook.SeriesMaster }) {
				t.Errorf("events %+v", events)
			}
		}},
		{"sparse", exchange.Faults{Sparse: true}, func(t *testing.T, w *world) {
			events, link := w.round(t, ref, "")
			if err := w.ada.Delete(view(t, w.ada)[0].ID); err != nil {
				t.Fatal(err)
			}
			later, _ := w.round(t, ref, link)
			if len(events) != 3 || len(later) != 1 || later[0].Type != outlook.SeriesMaster {
				t.Errorf("%d, then %+v", len(events), later)
			}
		}},
		{"another reason", exchange.Faults{ReasonChanged: true}, func(t *testing.T, w *world) {
			_, link := w.round(t, ref, "")
			far := meeting("Far", "09:00:00", "10:00:00")
			far.Start, far.End = moment("2027-03-03T09:00:00"), moment("2027-03-03T10:00:00")
			event(t)(w.ada.Create("", far))
			if later, _ := w.round(t, ref, link); len(later) != 1 || later[0].Removed != "changed" {
				t.Errorf("%+v", later)
			}
		}},
		{"long links", exchange.Faults{LinkPadding: 5000}, func(t *testing.T, w *world) {
			if _, link := w.round(t, ref, ""); len(link) < 5000 {
				t.Errorf("a link of %d", len(link))
			}
		}},
		{"lost links", exchange.Faults{SyncLost: 1}, func(t *testing.T, w *world) {
			statuses := map[int]bool{}
			for range 40 {
				page := must[outlook.DeltaPage](t)(w.client.Delta(t.Context(), ref, march(), ""))
				_, err := w.client.Delta(t.Context(), ref, march(), page.Delta)
				if outlook.KindOf(err) != outlook.SyncLost {
					t.Fatalf("got %v", err)
				}
				statuses[statusOf(err)] = true
			}
			if len(statuses) != 3 {
				t.Errorf("statuses %v", statuses)
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, exchange.Options{Seed: 7})
			d := meeting("Stand-up", "11:00:00", "11:15:00")
			d.Recurrence = daily("2026-03-03", 2)
			event(t)(w.ada.Create("", d))
			w.SetFaults(test.faults)
			test.check(t, w)
		})
	}
}

// An exception may lie in the window while its slot does not, and the other way round.
func TestExceptionsAtTheBorder(t *testing.T) {
	w := newWorld(t, exchange.Options{})
	ref := outlook.CalendarRef{Mailbox: adaMail}
	d := meeting("Weekly", "09:00:00", "10:00:00")
	d.Start, d.End, d.Recurrence = moment("2026-02-26T09:00:00"), moment("2026-02-26T10:00:00"), daily("2026-02-26", 5)
	d.Recurrence.Pattern.Interval = 7
	master := event(t)(w.ada.Create("", d))
	all := must[outlook.EventPage](t)(w.client.Instances(t.Context(), ref, master.ID, outlook.Window{From: march().From.AddDate(0, -1, 0), To: march().To}, ""))
	link := w.begin(t, ref)
	event(t)(w.ada.Change(all.Events[0].ID, outlook.Draft{Start: moment("2026-03-01T09:00:00"), End: moment("2026-03-01T10:00:00")}))
	event(t)(w.ada.Change(all.Events[4].ID, outlook.Draft{Start: moment("2026-04-05T09:00:00"), End: moment("2026-04-05T10:00:00")}))
	if shown := view(t, w.ada); len(shown) != 4 || shown[0].ID != all.Events[0].ID || shown[3].ID != all.Events[3].ID {
		t.Errorf("March has %+v", shown)
	}
	events, _ := w.round(t, ref, link)
	told := map[string]string{}
	for _, e := range events {
		told[e.ID] = string(e.Type) + e.Removed
	}
	if told[all.Events[0].ID] != "exception" || told[all.Events[4].ID] != "deleted" || told[all.Events[1].ID] != "occurrence" || len(told) != 6 {
		t.Errorf("told is %v", told)
	}
}
