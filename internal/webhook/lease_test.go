package webhook

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
)

// leased gives the endpoint to a worker, as work does.
func (w *world) leased(e model.WebhookEndpoint, lease string, until time.Duration) model.WebhookEndpoint {
	w.t.Helper()
	storetest.InTx(w.t, w.store, func(tx *store.Tx) error {
		ok, err := tx.LeaseWebhookEndpoint(w.org, e.ID, lease, tx.Now().Add(until))
		if err == nil && !ok {
			w.t.Error("the endpoint cannot be leased")
		}
		return err
	})
	return w.read(e)
}

// TestAProcessThatStoodStillCallsNobody: its lease may be another's by now, whatever it believed when it began.
func TestAProcessThatStoodStillCallsNobody(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		e, _ := w.endpoint(w.app.URL)
		w.happens("a1", "b1")
		e = w.leased(e, "us", time.Hour)
		before := time.Now().Add(requestWithin - leaseFor - time.Millisecond)
		if _, err := w.d.step(t.Context(), e, tenure{"us", before}); err != nil {
			t.Fatal(err)
		}
		if got := w.app.taken(); got != "" || w.states(e) != "pending pending" {
			t.Errorf("told %q with a lease that may be over; %s", got, w.states(e))
		}
		w.d.renewOnce(t.Context(), "us")
		if _, err := w.d.step(t.Context(), w.read(e), tenure{"us", before}); err != nil {
			t.Fatal(err)
		}
		if got := w.app.taken(); len(strings.Fields(got)) != 2 {
			t.Errorf("told %q with a renewed lease, want both", got)
		}
	})
}

// TestLeasesAreRenewedWhileSomebodyIsTold: as long as the process lives nobody else gets its endpoint; the rest of its life is told by
// the store's own tests.
func TestLeasesAreRenewedWhileSomebodyIsTold(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		e, _ := w.endpoint(w.app.URL)
		e = w.leased(e, "us", time.Second)
		w.d.renewOnce(t.Context(), "others")
		if got := w.read(e); !got.LeasedUntil.Equal(*e.LeasedUntil) {
			t.Errorf("another process renewed the lease until %s", got.LeasedUntil)
		}
		w.d.renewOnce(t.Context(), "us")
		if got := w.read(e); got.LeasedUntil.Sub(*e.LeasedUntil) < leaseFor/2 {
			t.Errorf("renewed until %s, was %s", got.LeasedUntil, e.LeasedUntil)
		}
	})
}

// TestWhoHasMuchToTellMakesRoom: an endpoint with more than one page to be told gives its place to those that wait for one.
func TestWhoHasMuchToTellMakesRoom(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		e, _ := w.endpoint(w.app.URL)
		storetest.InTx(t, s, func(tx *store.Tx) error {
			for n := range 2*pageSize + 1 {
				c := model.Change{OrganizationID: w.org, Type: model.AccountUpdated, SubjectType: "account", SubjectID: fmt.Sprint(n), Actor: "entra"}
				if err := tx.Tell(c, nil); err != nil {
					return err
				}
			}
			return nil
		})
		w.d.leases.crowded = func() bool { return true }
		for _, want := range []int{pageSize, 2 * pageSize, 2*pageSize + 1} {
			w.work(e)
			if got := len(w.app.got); got != want {
				t.Fatalf("%d messages, want %d", got, want)
			}
		}
	})
}

// TestEndpointsOfOneHostKeepTheirConnections: an application often has an endpoint for each of its customers. What was opened for
// their requests is kept for the next ones, however many of them are made at once.
func TestEndpointsOfOneHostKeepTheirConnections(t *testing.T) {
	const endpoints, subjects = 5, 60
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		var closed atomic.Int64
		app := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
		app.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateClosed {
				closed.Add(1)
			}
		}
		app.Start()
		t.Cleanup(app.Close)
		var list []model.WebhookEndpoint
		for range endpoints {
			e, _ := w.endpoint(app.URL)
			list = append(list, e)
		}
		for n := range subjects {
			w.tell(model.AccountUpdated, string(rune('!'+n)))
		}
		var all sync.WaitGroup
		for _, e := range list {
			all.Go(func() { w.work(e) })
		}
		all.Wait()
		for _, e := range list {
			if got := strings.Count(w.states(e), "delivered"); got != subjects {
				t.Errorf("%d of %d were delivered", got, subjects)
			}
		}
		if got := closed.Load(); got > 0 {
			t.Errorf("%d connections were closed in the course of %d requests, of which at most %d are made at once", got, endpoints*subjects, endpoints*inFlight)
		}
	})
}

// TestTheEndpointOfARemovedIntegrationIsToldTheRestAndDisabled takes nothing at first; what it has not taken keeps it alive.
func TestTheEndpointOfARemovedIntegrationIsToldTheRestAndDisabled(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		e, _ := w.endpoint(w.app.URL, "account.*")
		w.happens("a1", "b1")
		e.Reason = model.WebhookIntegrationRemoved
		storetest.InTx(t, s, func(tx *store.Tx) error { return tx.UpdateWebhookEndpoint(&e) })
		w.app.does(func(m Message) int {
			if m.Subject.ID == "a" {
				return http.StatusBadGateway
			}
			return http.StatusOK
		})
		w.work(e)
		if got := w.read(e); got.State != model.WebhookActive || got.NextAt == nil {
			t.Fatalf("with a message that waits the endpoint is %s: %q", got.State, got.Reason)
		}
		w.app.does(nil)
		w.later(time.Minute)
		w.work(e)
		if got := w.read(e); got.State != model.WebhookDisabled || got.Reason != model.WebhookIntegrationRemoved {
			t.Errorf("the endpoint is %s: %q", got.State, got.Reason)
		}
		if got := strings.Fields(w.app.taken()); !slices.Contains(got, "a1") || !slices.Contains(got, "b1") {
			t.Errorf("told %q", got)
		}
		log, err := s.Read(t.Context()).ActivitiesBefore(w.org, store.ActivityFilter{Subject: e.ID}, "", 10)
		if err != nil || len(log) != 1 || !strings.HasSuffix(log[0].Summary, model.WebhookIntegrationRemoved) {
			t.Errorf("the activity log has %+v, %v", log, err)
		}
	})
}

// TestTheIdleEndpointOfARemovedIntegrationIsDue although there is nothing to tell it: it is to be disabled.
func TestTheIdleEndpointOfARemovedIntegrationIsDue(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		e, _ := w.endpoint(w.app.URL)
		e.Reason = model.WebhookIntegrationRemoved
		storetest.InTx(t, s, func(tx *store.Tx) error { return tx.UpdateWebhookEndpoint(&e) })
		if list := w.d.due(t.Context()); len(list) != 1 {
			t.Fatalf("%d are due", len(list))
		}
		w.work(e)
		if got := w.read(e); got.State != model.WebhookDisabled {
			t.Errorf("the endpoint is %s", got.State)
		}
	})
}
