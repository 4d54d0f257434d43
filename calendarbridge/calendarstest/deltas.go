package calendarstest

import (
	"fmt"
	"testing"

	"usher/model/outlook"
)

func deltas() []promise {
	return []promise{
		{"the first round brings everything on several pages", firstRound},
		{"a round in which nothing happened is empty", quietRound},
		{"the next round brings what happened since, whoever did it", nextRound},
		{"a link can be used again", linkTwice},
		{"a series comes as its master and stubs, an exception whole", seriesInDelta},
		{"what leaves the window is removed and can still be read", leavesWindow},
		{"an end of the links is SyncLost and a new round begins", syncLost},
		{"a view has what touches the window", viewTouches},
		{"a view has pages that hold each event once", viewPages},
	}
}

func firstRound(t *testing.T, w World) {
	want := map[string]bool{}
	for i := range 12 {
		want[w.create(t, w.Ada, lunch(fmt.Sprintf("event %d", i))).ID] = true
	}
	page := must[outlook.DeltaPage](t)(w.Calendars.Delta(t.Context(), calendarOf(w.Ada), march(), ""))
	if page.Next == "" || page.Delta != "" {
		t.Errorf("a first page of %d events leads to next %q, delta %q", len(page.Events), page.Next, page.Delta)
	}
	got, link := w.round(t, w.Ada, "")
	for id := range got.byID() {
		delete(want, id)
	}
	if len(want) != 0 || link == "" {
		t.Errorf("%d events are missing", len(want))
	}
}

func quietRound(t *testing.T, w World) {
	w.create(t, w.Ada, lunch("quiet"))
	_, link := w.round(t, w.Ada, "")
	got, link := w.round(t, w.Ada, link)
	if len(got) != 0 || link == "" {
		t.Errorf("got %+v, link %q", got, link)
	}
}

func linkTwice(t *testing.T, w World) {
	_, link := w.round(t, w.Ada, "")
	made := w.create(t, w.Ada, lunch("twice"))
	for range 2 {
		if got, _ := w.round(t, w.Ada, link); got.byID()[made.ID].Subject != "twice" {
			t.Errorf("got %+v", got)
		}
	}
}

func seriesInDelta(t *testing.T, w World) {
	d := every(lunch("daily"), 3)
	d.TransactionID, d.Origin = "3a6b1c1e-0000-4000-8000-000000000020", "usher:series"
	made := w.create(t, w.Ada, d)
	second := w.occurrences(t, made)[1]
	must[outlook.Event](t)(w.Calendars.UpdateEvent(t.Context(), calendarOf(w.Ada), second.ID, outlook.Draft{Subject: ptr("special")}, ""))
	list, _ := w.round(t, w.Ada, "")
	got := list.byID()
	if master := got[made.ID]; master.Type != outlook.SeriesMaster || master.Recurrence == nil || master.TransactionID != d.TransactionID || master.Origin != "" || master.Stub {
		t.Errorf("master %+v", master)
	}
	stubs, exceptions := 0, 0
	for _, e := range got {
		switch {
		case e.Type == outlook.Occurrence && e.Stub && e.SeriesMasterID == made.ID && e.ChangeKey != "" && e.Subject == "":
			stubs++
		case e.Type == outlook.Exception && !e.Stub && e.SeriesMasterID == made.ID && e.Subject == "special":
			exceptions++
		}
	}
	if stubs != 2 || exceptions != 1 || len(got) != 4 {
		t.Errorf("%d stubs and %d exceptions of %d items: %+v", stubs, exceptions, len(got), got)
	}
}

func leavesWindow(t *testing.T, w World) {
	made := w.create(t, w.Ada, lunch("leaving"))
	_, link := w.round(t, w.Ada, "")
	later := on(lunch("leaving"), "09-10")
	must[outlook.Event](t)(w.Outlook(w.Ada.ID).Change(made.ID, outlook.Draft{Start: later.Start, End: later.End}))
	list, _ := w.round(t, w.Ada, link)
	if got := list.byID()[made.ID]; got.Removed == "" {
		t.Errorf("delta %+v", list)
	}
	if got := w.read(t, w.Ada, made.ID); got.Subject != "leaving" {
		t.Errorf("read %+v", got)
	}
}

func syncLost(t *testing.T, w World) {
	made := w.create(t, w.Ada, lunch("still here"))
	_, link := w.round(t, w.Ada, "")
	w.ExpireLinks(w.Ada.ID)
	_, err := w.Calendars.Delta(t.Context(), calendarOf(w.Ada), march(), link)
	wantKind(t, err, outlook.SyncLost)
	if got, _ := w.round(t, w.Ada, ""); got.byID()[made.ID].Subject != "still here" {
		t.Errorf("got %+v", got)
	}
}

func viewTouches(t *testing.T, w World) {
	w.create(t, w.Ada, on(lunch("before"), "03-09"))
	w.create(t, w.Ada, lunch("inside"))
	w.create(t, w.Ada, on(lunch("after"), "03-11"))
	got := w.view(t, w.Ada, outlook.Window{From: utc(3, 10, 11, 30), To: utc(3, 11, 11, 0)})
	if len(got) != 1 || got[0].Subject != "inside" {
		t.Errorf("got %+v", got)
	}
}

func viewPages(t *testing.T, w World) {
	for i := range 12 {
		w.create(t, w.Ada, lunch(fmt.Sprintf("event %d", i)))
	}
	seen := map[string]int{}
	for _, e := range w.view(t, w.Ada, march()) {
		seen[e.ID]++
	}
	for id, times := range seen {
		if times != 1 {
			t.Errorf("%s came %d times", id, times)
		}
	}
	if len(seen) != 12 {
		t.Errorf("%d events, want 12", len(seen))
	}
}

// changed is what a round brought, in the order it came.
type changed []outlook.Event

// byID gives the latest state of each item: the same may come several times, and the later one holds.
func (c changed) byID() map[string]outlook.Event {
	out := map[string]outlook.Event{}
	for _, e := range c {
		out[e.ID] = e
	}
	return out
}

// round walks a round of the delta to its end. Pages may be empty.
func (w World) round(t *testing.T, who outlook.User, link string) (changed, string) {
	t.Helper()
	var list changed
	for range 200 {
		page := must[outlook.DeltaPage](t)(w.Calendars.Delta(t.Context(), calendarOf(who), march(), link))
		list = append(list, page.Events...)
		if page.Delta != "" {
			return list, page.Delta
		}
		if link = page.Next; link == "" {
			t.Fatal("a page of a delta leads nowhere")
		}
	}
	t.Fatal("the round has no end")
	return nil, ""
}

func nextRound(t *testing.T, w World) {
	kept, changing, going := w.create(t, w.Ada, lunch("kept")), w.create(t, w.Ada, lunch("changing")), w.create(t, w.Ada, lunch("going"))
	_, link := w.round(t, w.Ada, "")
	people := w.Outlook(w.Ada.ID)
	byHand := must[outlook.Event](t)(people.Create(lunch("by hand")))
	byUs := w.create(t, w.Ada, lunch("by us"))
	must[outlook.Event](t)(people.Change(changing.ID, outlook.Draft{Subject: ptr("changed")}))
	if err := people.Delete(going.ID); err != nil {
		t.Fatal(err)
	}
	list, next := w.round(t, w.Ada, link)
	got := list.byID()
	if got[byHand.ID].Subject != "by hand" || got[byUs.ID].Subject != "by us" || got[changing.ID].Subject != "changed" || got[going.ID].Removed != "deleted" {
		t.Errorf("round %+v", got)
	}
	if _, there := got[kept.ID]; there || len(got) != 4 {
		t.Errorf("%d items, one of them unchanged: %t", len(got), there)
	}
	if got[byUs.ID].ChangeKey != byUs.ChangeKey {
		t.Errorf("our own change comes with key %q, was answered with %q", got[byUs.ID].ChangeKey, byUs.ChangeKey)
	}
	if again, _ := w.round(t, w.Ada, next); len(again) != 0 {
		t.Errorf("the round after brings %+v", again)
	}
}
