package exchange_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"usher/internal/simulator/exchange"
	"usher/model/outlook"
)

// reader knows a calendar by its delta alone, and asks for what a delta does not tell.
type reader struct {
	t      *rapid.T
	client *exchange.Client
	ref    outlook.CalendarRef
	events map[string]outlook.Event // single events, occurrences and exceptions of the window
	link   string
}

// ask repeats a request until it is carried out.
func ask[T any](t *rapid.T, request func() (T, error)) (T, error) {
	for range 200 {
		value, err := request()
		if kind := outlook.KindOf(err); kind != outlook.Throttled && kind != outlook.Unavailable && kind != outlook.Conflict && kind != outlook.Forbidden {
			return value, err
		}
	}
	t.Fatal("nothing is ever carried out")
	panic("unreachable")
}

// round reads until a delta link comes, and begins anew where a link is lost.
func (r *reader) round() {
	seen := map[string]bool{}
	full := r.link == ""
	series, doubtful := map[string]bool{}, map[string]bool{}
	link := r.link
	for pages := 0; ; pages++ {
		if pages > 5000 {
			r.t.Fatal("a round has no end")
		}
		page, err := ask(r.t, func() (outlook.DeltaPage, error) {
			return r.client.Delta(r.t.Context(), r.ref, march(), link)
		})
		if outlook.KindOf(err) == outlook.SyncLost {
			r.link, r.events = "", map[string]outlook.Event{}
			r.round()
			return
		}
		if err != nil {
			r.t.Fatal(err)
		}
		for _, e := range page.Events {
			seen[e.ID] = true
			switch {
			case e.Removed != "":
				if known, ok := r.events[e.ID]; ok && known.SeriesMasterID != "" {
					series[known.SeriesMasterID] = true
				}
				doubtful[e.ID] = true
			case e.Type == outlook.SeriesMaster:
				series[e.ID] = true
			case e.SeriesMasterID != "":
				series[e.SeriesMasterID] = true
			default:
				r.events[e.ID] = e
			}
		}
		if page.Delta != "" {
			r.link = page.Delta
			break
		}
		link = page.Next
	}
	for _, id := range slices.Sorted(maps.Keys(doubtful)) {
		r.confirm(id, series)
	}
	for _, id := range slices.Sorted(maps.Keys(series)) {
		r.hydrate(id)
	}
	if full {
		maps.DeleteFunc(r.events, func(id string, e outlook.Event) bool { return !seen[id] && !series[e.SeriesMasterID] })
	}
}

// confirm asks whether something that is said to be removed is there still.
func (r *reader) confirm(id string, series map[string]bool) {
	e, err := ask(r.t, func() (outlook.Event, error) { return r.client.Event(r.t.Context(), r.ref, id) })
	switch {
	case outlook.KindOf(err) == outlook.NotFound:
		maps.DeleteFunc(r.events, func(key string, e outlook.Event) bool { return key == id || e.SeriesMasterID == id })
	case err != nil:
		r.t.Fatal(err)
	case e.Type == outlook.SeriesMaster:
		series[id] = true
	case e.SeriesMasterID != "":
		series[e.SeriesMasterID] = true
	case touchesMarch(e):
		r.events[id] = e
	default:
		delete(r.events, id)
	}
}

func touchesMarch(e outlook.Event) bool {
	return e.Start.DateTime < "2026-04-01" && e.End.DateTime > "2026-03-01T00:00:00.0000000"
}

// hydrate replaces what is known of a series by its instances. It may have been a single event before.
func (r *reader) hydrate(id string) {
	maps.DeleteFunc(r.events, func(key string, e outlook.Event) bool { return key == id || e.SeriesMasterID == id })
	for next := ""; ; {
		page, err := ask(r.t, func() (outlook.EventPage, error) {
			return r.client.Instances(r.t.Context(), r.ref, id, march(), next)
		})
		switch outlook.KindOf(err) {
		case outlook.NotFound:
			return
		case outlook.Invalid: // it is a single event by now
			r.confirm(id, map[string]bool{})
			return
		default:
		}
		if err != nil {
			r.t.Fatal(err)
		}
		for _, e := range page.Events {
			r.events[e.ID] = e
		}
		if next = page.Next; next == "" {
			return
		}
	}
}

// drawFaults gives faults that a reader can live with: each ends with the time.
func drawFaults(t *rapid.T) exchange.Faults {
	often := func(label string) float64 { return rapid.SampledFrom([]float64{0, 0, 0.2, 0.5}).Draw(t, label) }
	return exchange.Faults{
		Throttle: often("throttle"), Unavailable: often("unavailable"), Denied: often("denied"), ReadConflict: often("conflict"),
		SyncLost: rapid.SampledFrom([]float64{0, 0, 0.05}).Draw(t, "lost"), EmptyPage: often("empty"), Repeat: often("repeat"), Phantom: often("phantom"), Replay: often("replay"),
		Shuffle: rapid.Bool().Draw(t, "shuffle"), Sparse: rapid.Bool().Draw(t, "sparse"), NoMaster: rapid.Bool().Draw(t, "no master"),
		ReasonChanged: rapid.Bool().Draw(t, "reason"), DeltaLag: rapid.SampledFrom([]time.Duration{0, 30 * time.Second}).Draw(t, "lag"),
	}
}

// drawDraft gives an event somewhere around March.
func drawDraft(t *rapid.T) outlook.Draft {
	day := time.Date(2026, 2, 20, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 50).Draw(t, "day"))
	start := day.Add(time.Duration(rapid.IntRange(0, 22).Draw(t, "hour")) * time.Hour)
	d := outlook.Draft{Subject: ptr(rapid.SampledFrom([]string{"Budget", "Plan", "Lunch"}).Draw(t, "subject"))}
	zone := rapid.SampledFrom([]string{"W. Europe Standard Time", "UTC", "America/New_York"}).Draw(t, "zone")
	wall := func(at time.Time) *outlook.Moment {
		return &outlook.Moment{DateTime: at.Format("2006-01-02T15:04:05"), TimeZone: zone}
	}
	d.Start, d.End = wall(start), wall(start.Add(time.Hour))
	if rapid.Bool().Draw(t, "all day") {
		d.Start, d.End, d.AllDay = wall(day), wall(day.AddDate(0, 0, 1)), ptr(true)
	}
	if rapid.Bool().Draw(t, "series") {
		d.Recurrence = daily(day.Format(time.DateOnly), rapid.IntRange(1, 12).Draw(t, "count"))
		d.Recurrence.Pattern.Interval = rapid.IntRange(1, 4).Draw(t, "interval")
	}
	if rapid.Bool().Draw(t, "with somebody") {
		d.Attendees = people(graceMail, roomMail)
	}
	return d
}

// Whatever happens to a calendar, and however badly a delta tells it: who hydrates series and confirms removals ends up with
// what a view shows.
func TestDeltaConvergesToView(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, exchange.Options{Seed: rapid.Uint64().Draw(t, "seed"), PageSize: rapid.IntRange(1, 7).Draw(t, "page")})
		other := w.AddCalendar(adaMail, "Private")
		var readers []*reader
		for _, mailbox := range []string{adaMail, graceMail, roomMail} {
			list, err := w.client.Calendars(t.Context(), mailbox)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range list { // by its id: without one an event is found wherever it lies in the mailbox
				readers = append(readers, &reader{t: t, client: w.client, ref: outlook.CalendarRef{Mailbox: mailbox, Calendar: c.ID}, events: map[string]outlook.Event{}})
			}
		}
		owners := []exchange.Person{w.ada, w.ada, w.grace, w.As(roomMail)}
		t.Repeat(actions(w, other, readers))
		w.clock.forward(time.Minute)
		w.Step(t.Context())
		w.clock.forward(time.Minute)
		for i, r := range readers {
			r.t = t
			r.round()
			compare(t, r, owners[i])
		}
		// With nothing happening and no faults, the next round is empty.
		w.SetFaults(exchange.Faults{})
		for _, r := range readers {
			r.round()
			page, err := w.client.Delta(t.Context(), r.ref, march(), r.link)
			if err != nil || len(page.Events) != 0 || page.Delta == "" {
				t.Fatalf("it goes on: %+v, %v", page, err)
			}
		}
	})
}

func compare(t *rapid.T, r *reader, owner exchange.Person) {
	truth, err := owner.View(r.ref.Calendar, march())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]outlook.Event{}
	for _, e := range truth {
		want[e.ID] = e
	}
	for id, e := range want {
		got, ok := r.events[id]
		if !ok || got.Start != e.Start || got.End != e.End || got.Subject != e.Subject || got.IsCancelled != e.IsCancelled || got.Response != e.Response {
			t.Fatalf("%s: the reader has %+v, the calendar %+v", id, got, e)
		}
	}
	for id, e := range r.events {
		if _, ok := want[id]; !ok {
			t.Fatalf("the reader has %+v, the calendar has not", e)
		}
	}
}

// pick gives a master, a single event or an occurrence of somebody's; other is a second calendar of Ada's.
func pick(t *rapid.T, p exchange.Person, other string) string {
	var ids []string
	for _, calendar := range []string{"", other} {
		whole, err := p.Series(calendar)
		if err != nil {
			continue // the calendar is Ada's alone
		}
		shown, _ := p.View(calendar, march())
		for _, e := range append(whole, shown...) {
			ids = append(ids, e.ID)
		}
	}
	if len(ids) == 0 {
		return "none"
	}
	return ids[rapid.IntRange(0, len(ids)-1).Draw(t, "which")]
}

// actions gives what can happen: Ada and Grace work, time goes by, readers read.
func actions(w *world, other string, readers []*reader) map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"create": func(t *rapid.T) {
			_, _ = w.ada.Create(rapid.SampledFrom([]string{"", other}).Draw(t, "calendar"), drawDraft(t)) // not where its days overlap
		},
		"change": func(t *rapid.T) {
			d := drawDraft(t)
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				d = outlook.Draft{Subject: d.Subject}
			case 1:
				d = outlook.Draft{Attendees: people(alanMail)}
			case 2:
				d.Recurrence = nil
			}
			_, _ = w.ada.Change(pick(t, w.ada, other), d) // what cannot be done changes nothing
		},
		"split": func(t *rapid.T) {
			_, _ = w.ada.ChangeFollowing(pick(t, w.ada, other), outlook.Draft{Subject: ptr("Later")})
		},
		"single": func(t *rapid.T) { _, _ = w.ada.Change(pick(t, w.ada, other), outlook.Draft{NoRecurrence: true}) },
		"delete": func(t *rapid.T) { _ = w.ada.Delete(pick(t, w.ada, other)) },
		"move": func(t *rapid.T) {
			_ = w.ada.Move(pick(t, w.ada, other), rapid.SampledFrom([]string{"", other}).Draw(t, "to"))
		},
		"answer": func(t *rapid.T) {
			_ = w.grace.Answer(pick(t, w.grace, other), rapid.SampledFrom([]outlook.Response{outlook.ResponseAccepted, outlook.ResponseDeclined}).Draw(t, "answer"), "")
		},
		"expire": func(t *rapid.T) { w.ExpireDeltaLinks(adaMail) },
		"faults": func(t *rapid.T) { w.SetFaults(drawFaults(t)) },
		"wait": func(t *rapid.T) {
			w.clock.forward(10 * time.Second)
			w.Step(t.Context())
		},
		"round": func(t *rapid.T) { readers[rapid.IntRange(0, len(readers)-1).Draw(t, "reader")].round() },
	}
}
