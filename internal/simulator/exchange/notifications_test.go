package exchange_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"usher/internal/simulator/exchange"
	"usher/model/outlook"
)

func TestRetries(t *testing.T) {
	w, app, _ := subscribed(t, exchange.Options{})
	app.status = 503
	event(t)(w.ada.Create("", meeting("Budget", "09:00:00", "10:00:00")))
	w.Step(t.Context())
	for _, wait := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute} {
		w.clock.forward(wait - time.Second)
		if w.Step(t.Context()) != 0 {
			t.Errorf("tried before %s", wait)
		}
		w.clock.forward(time.Second)
		if w.Step(t.Context()) != 1 {
			t.Errorf("not tried after %s", wait)
		}
	}
	app.status = 0
	w.clock.forward(4 * time.Minute)
	w.Step(t.Context())
	if got := words(app.take()); got != "created" || app.calls != 5 {
		t.Errorf("got %q in %d calls", got, app.calls)
	}
	// What does not arrive within four hours is missed.
	app.status = 500
	event(t)(w.ada.Create("", meeting("Plan", "09:00:00", "10:00:00")))
	for range 4*60 + 5 {
		w.Step(t.Context())
		w.clock.forward(time.Minute)
	}
	app.status = 0
	w.clock.forward(time.Hour)
	w.Step(t.Context())
	if got := words(app.take()); got != "missed" {
		t.Errorf("got %q", got)
	}
	if _, waiting := w.NextDue(); waiting {
		t.Error("something is waiting still")
	}
}

func TestSlowEndpoint(t *testing.T) {
	w, app, _ := subscribed(t, exchange.Options{})
	create := func() string {
		t.Helper()
		return event(t)(w.ada.Create("", meeting("Budget", "09:00:00", "10:00:00"))).ID
	}
	told := func(id string) bool {
		t.Helper()
		return slices.ContainsFunc(app.take(), func(r received) bool { return r.ResourceData["id"] == id })
	}
	app.takes = 4 * time.Second
	for range 10 { // each for itself
		create()
		w.Step(t.Context())
	}
	app.takes = 0
	w.clock.forward(time.Minute)
	w.Step(t.Context())
	app.take()
	last := create()
	w.clock.forward(9 * time.Minute)
	w.Step(t.Context())
	if told(last) {
		t.Error("a slow endpoint was told at once")
	}
	w.clock.forward(time.Minute)
	w.Step(t.Context())
	if !told(last) {
		t.Error("nothing came after ten minutes")
	}

	w.clock.forward(time.Hour)
	app.takes = 11 * time.Second
	for range 10 {
		create()
		w.Step(t.Context())
	}
	app.takes = 0
	w.clock.forward(time.Minute)
	w.Step(t.Context())
	app.take()
	create()
	w.Step(t.Context())
	if got := words(app.take()); got != "missed" {
		t.Errorf("a dead endpoint was told %q", got)
	}
}

func TestNotificationFaults(t *testing.T) {
	for _, test := range []struct {
		name   string
		faults exchange.Faults
		check  func(t *testing.T, w *world, app *application)
	}{
		{"duplicates", exchange.Faults{Duplicate: 1}, func(t *testing.T, w *world, app *application) {
			w.clock.forward(30 * time.Second)
			w.Step(t.Context())
			if got := app.take(); len(got) < 2 || len(got) > 4 || got[0].ResourceData["@odata.etag"] != got[1].ResourceData["@odata.etag"] {
				t.Errorf("got %s", words(got))
			}
		}},
		{"spurious", exchange.Faults{Spurious: 1}, func(t *testing.T, w *world, app *application) {
			w.clock.forward(5 * time.Second)
			w.Step(t.Context())
			if got := words(app.take()); got != "created updated" {
				t.Errorf("got %s", got)
			}
		}},
		{"late", exchange.Faults{Late: 1}, func(t *testing.T, w *world, app *application) {
			early := w.Step(t.Context())
			w.clock.forward(3 * time.Minute)
			if w.Step(t.Context()) != 1 || early != 0 {
				t.Errorf("%d at once", early)
			}
		}},
		{"missing", exchange.Faults{Missing: 1}, func(t *testing.T, w *world, app *application) {
			w.clock.forward(5 * time.Hour)
			if w.Step(t.Context()) != 0 {
				t.Errorf("got %s", words(app.take()))
			}
		}},
		{"missed", exchange.Faults{Missing: 1, TellMissed: true}, func(t *testing.T, w *world, app *application) {
			w.Step(t.Context())
			if got := words(app.take()); got != "missed" {
				t.Errorf("got %s", got)
			}
		}},
		{"mixed", exchange.Faults{Mixed: 1}, func(t *testing.T, w *world, app *application) {
			w.Step(t.Context())
			if got := app.take(); len(got) != 3 || got[0].SubscriptionID == got[1].SubscriptionID || got[2].ClientState == "secret" || app.calls != 1 {
				t.Errorf("got %+v", got)
			}
		}},
		{"out of order", exchange.Faults{Reorder: 0.5}, func(t *testing.T, w *world, app *application) {
			for range 20 {
				event(t)(w.ada.Create("", meeting("Budget", "09:00:00", "10:00:00")))
			}
			var order, sorted []string
			for _, e := range must[[]outlook.Event](t)(w.ada.Series("")) {
				sorted = append(sorted, e.ID)
			}
			w.Step(t.Context())
			w.clock.forward(5 * time.Second)
			w.Step(t.Context())
			for _, r := range app.take() {
				order = append(order, r.ResourceData["id"])
			}
			if len(order) != 21 || fmt.Sprint(order) == fmt.Sprint(sorted) {
				t.Errorf("%d in order", len(order))
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w, app, _ := subscribed(t, exchange.Options{Seed: 3})
			w.SetFaults(test.faults)
			event(t)(w.ada.Create("", meeting("Budget", "09:00:00", "10:00:00")))
			test.check(t, w, app)
		})
	}
	t.Run("before the answer", func(t *testing.T) {
		w, app, _ := subscribed(t, exchange.Options{})
		w.SetFaults(exchange.Faults{Early: 1})
		event(t)(w.client.CreateEvent(t.Context(), outlook.CalendarRef{Mailbox: adaMail}, meeting("Budget", "09:00:00", "10:00:00")))
		if got := words(app.take()); got != "created" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("mute", func(t *testing.T) {
		w, app, s := subscribed(t, exchange.Options{})
		w.RemoveSubscription(s.ID, false)
		w.SetFaults(exchange.Faults{Mute: 1})
		must[outlook.Subscription](t)(w.client.Subscribe(t.Context(), w.wish()))
		event(t)(w.ada.Create("", meeting("Budget", "09:00:00", "10:00:00")))
		if w.Step(t.Context()); len(app.take()) != 0 {
			t.Error("it speaks")
		}
	})
}
