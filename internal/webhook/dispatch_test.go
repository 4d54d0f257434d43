package webhook

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
)

func TestChangesAreToldInOrder(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		w.happens("z0") // before there was an endpoint
		e, text := w.endpoint(w.app.URL, "account.*")
		w.happens("a1", "a2")
		w.tell(model.RunStarted, "r1")
		w.happens("a3")
		w.work(e)
		w.work(e)
		if got := w.app.taken(); got != "a1 a2 a3" {
			t.Errorf("told %q, want a1 a2 a3", got)
		}
		m := w.app.got[0]
		if err := verifies(t, text, m); err != nil {
			t.Errorf("the signature: %v", err)
		}
		if m.ID != m.header.Get("webhook-id") || m.Type != model.AccountUpdated || m.Sequence == nil || m.RunID == nil || *m.RunID != "7" || m.Actor != "run:7" {
			t.Errorf("the message is %s", m.body)
		}
		if got := w.states(e); got != "delivered delivered delivered" {
			t.Errorf("deliveries: %s", got)
		}
		if e := w.read(e); e.LastSuccessAt == nil || e.Position == 0 || e.NextAt != nil {
			t.Errorf("the endpoint is %+v", e)
		}
	})
}

func TestWhatFailsIsTriedAgainInOrder(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		e, _ := w.endpoint(w.app.URL)
		w.app.does(func(m Message) int {
			if m.Subject.ID == "a" {
				return http.StatusServiceUnavailable
			}
			return http.StatusOK
		})
		w.happens("a1", "a2", "b1")
		w.work(e)
		w.happens("a3", "b2")
		w.work(e)
		if got := strings.Count(w.app.taken(), "a"); got > 2 { // the second time since b's success says that the endpoint works
			t.Errorf("told %q: a failed, and was not waited for", w.app.taken())
		}
		w.later(time.Minute)
		w.app.does(nil)
		w.app.got = nil
		w.work(e)
		if got := w.app.taken(); got != "a1 a2 a3" {
			t.Errorf("told %q when it works again, want a1 a2 a3", got)
		}
		for _, d := range w.deliveries(e) {
			if d.State != model.DeliveryDelivered {
				t.Errorf("%s of %s is %s", d.MessageID, d.Subject, d.State)
			}
		}
		if first := w.deliveries(e)[0]; len(first.Attempts) < 2 || first.Attempts[0].Status != http.StatusServiceUnavailable || first.Attempts[0].Error == "" {
			t.Errorf("attempts: %+v", first.Attempts)
		}
	})
}

func TestPausesGrowAndEnd(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		e, _ := w.endpoint(w.app.URL)
		w.app.does(func(m Message) int {
			if m.Subject.ID == "a" {
				return http.StatusInternalServerError
			}
			return http.StatusOK
		})
		w.happens("a1")
		tried := 0
		for range 40 {
			w.happens("b1") // the endpoint works but for what it is told of a
			w.work(e)
			n := strings.Count(w.app.taken(), "a")
			if n > tried+1 {
				t.Fatalf("tried %d times at once", n-tried)
			}
			tried = n
			w.later(6 * time.Hour)
		}
		d := w.deliveries(e)[0]
		if d.State != model.DeliveryFailed || d.Attempts[len(d.Attempts)-1].Number != len(pauses())+1 {
			t.Errorf("the delivery is %s after %d attempts", d.State, len(d.Attempts))
		}
	})
}

func TestPause(t *testing.T) {
	last := time.Duration(0)
	for n := 1; n <= len(pauses()); n++ {
		after, ok := pause(n)
		if !ok || after < last*8/10 || after < 4*time.Second || after > 27*time.Hour {
			t.Errorf("behind attempt %d: %s, %v", n, after, ok)
		}
		last = after
	}
	for _, n := range []int{0, len(pauses()) + 1} {
		if _, ok := pause(n); ok {
			t.Errorf("there is a pause behind attempt %d", n)
		}
	}
}

func TestWhoWantsNoMoreIsDisabled(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for name, c := range map[string]struct {
			status int
			days   int
		}{"410": {http.StatusGone, 0}, "failing for days": {http.StatusBadGateway, 6}} {
			w := newWorld(t, s)
			e, _ := w.endpoint(w.app.URL)
			w.app.does(func(Message) int { return c.status })
			w.happens("a1")
			w.work(e)
			for range c.days * 4 {
				w.later(6 * time.Hour)
				w.happens("b1")
				w.work(e)
			}
			got := w.read(e)
			if got.State != model.WebhookDisabled || got.Reason == "" {
				t.Errorf("%s: the endpoint is %s: %q", name, got.State, got.Reason)
			}
			changes, _, err := s.Changes(t.Context(), w.org, store.ChangeQuery{Types: []string{string(model.WebhookWasDisabled)}, Limit: 10})
			if err != nil || len(changes) != 1 {
				t.Errorf("%s: told %d times, %v", name, len(changes), err)
			}
			before := len(w.app.taken())
			w.later(48 * time.Hour)
			w.work(e)
			if len(w.app.taken()) != before {
				t.Errorf("%s: it was called again", name)
			}
		}
	})
}

func TestTwoSecretsAreLive(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		e, old := w.endpoint(w.app.URL)
		fresh := w.secret(e)
		w.happens("a1")
		w.work(e)
		for name, text := range map[string]string{"old": old, "new": fresh} {
			if err := verifies(t, text, w.app.got[0]); err != nil {
				t.Errorf("the %s secret: %v", name, err)
			}
		}
		w.later(2 * time.Hour)
		w.happens("a2")
		w.work(e)
		if err := verifies(t, old, w.app.got[1]); err == nil {
			t.Error("the old secret still signs when its time is over")
		}
	})
}

func TestARangeIsToldAgain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		w.happens("a1", "a2", "a3")
		e, _ := w.endpoint(w.app.URL)
		from, until := e.Position-2, e.Position-1
		e.ReplayPosition, e.ReplayUntil = &from, &until
		storetest.InTx(t, s, func(tx *store.Tx) error { return tx.UpdateWebhookEndpoint(&e) })
		w.happens("a4")
		w.work(e)
		if got := w.app.taken(); got != "a2 a4" {
			t.Errorf("told %q, want a2 again and a4", got)
		}
		if got := w.read(e); got.ReplayPosition != nil || got.ReplayUntil != nil {
			t.Error("the range is told on and on")
		}
		if d := w.deliveries(e); d[0].Kind != model.DeliveryReplay || d[1].Kind != model.DeliveryOfChange {
			t.Errorf("kinds: %s, %s", d[0].Kind, d[1].Kind)
		}
	})
}

// TestASlowEndpointDelaysNobody has one endpoint that never answers while another is told.
func TestASlowEndpointDelaysNobody(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		hold, told := make(chan struct{}), make(chan struct{})
		slow := newApplication(t)
		slow.does(func(Message) int { <-hold; return http.StatusOK })
		w.app.does(func(Message) int { close(told); return http.StatusOK })
		w.endpoint(slow.URL)
		w.endpoint(w.app.URL)
		w.happens("a1")
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); w.d.Run(ctx) }()
		select {
		case <-told:
		case <-time.After(time.Minute):
			t.Error("nothing was told while another endpoint did not answer")
		}
		close(hold)
		stop()
		<-ended
	})
}

// TestTwoWorkers has several dispatchers on one database: nothing is told twice, and each subject in its order.
func TestTwoWorkers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		e, _ := w.endpoint(w.app.URL)
		const subjects, changes = 5, 30
		var all sync.WaitGroup
		done := make(chan struct{})
		for n := range 3 {
			all.Go(func() {
				d := w.dispatcher()
				for ended := false; !ended; {
					select {
					case <-done:
						ended = true
					default:
					}
					d.work(t.Context(), e, fmt.Sprint("worker ", n))
				}
			})
		}
		for n := range changes {
			for subject := range subjects {
				w.happens(fmt.Sprintf("%c%d", 'a'+subject, n))
			}
		}
		close(done)
		all.Wait()
		w.work(e)
		last, seen := map[string]int64{}, map[string]bool{}
		for _, m := range w.app.got {
			if seen[m.ID] {
				t.Errorf("%s was told twice", m.ID)
			}
			if seen[m.ID] = true; *m.Sequence < last[m.Subject.ID] {
				t.Errorf("%s came behind a later change of %s", m.ID, m.Subject.ID)
			}
			last[m.Subject.ID] = *m.Sequence
		}
		if len(seen) != subjects*changes {
			t.Errorf("%d changes were told, want %d", len(seen), subjects*changes)
		}
	})
}

// TestAWorkerThatLostItsLeaseStoresNothing stands for a process that stood still: another one has told the rest meanwhile.
func TestAWorkerThatLostItsLeaseStoresNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		e, _ := w.endpoint(w.app.URL)
		w.happens("a1")
		if _, err := w.d.step(t.Context(), e, tenure{"nobody's", time.Now()}); model.KindOf(err) != model.Conflict {
			t.Errorf("a step without the lease: %v, want a Conflict", err)
		}
		if w.states(e) != "" || w.read(e).Position != e.Position {
			t.Error("it has stored something")
		}
		w.work(e) // at least once
		if got := w.app.taken(); got != "a1 a1" {
			t.Errorf("told %q", got)
		}
	})
}

// TestNobodyToTellLeavesTheFeedAlone: positions are given when somebody reads, so that writers pay for no reader there is not.
func TestNobodyToTellLeavesTheFeedAlone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		e, _ := w.endpoint(w.app.URL)
		e.State = model.WebhookPaused
		storetest.InTx(t, s, func(tx *store.Tx) error { return tx.UpdateWebhookEndpoint(&e) })
		w.happens("a1")
		unread := func() bool {
			list, err := s.Read(t.Context()).ChangesBefore(w.org, []string{string(model.AccountUpdated)}, 0, 10)
			return err == nil && len(list) == 0
		}
		if list := w.d.due(t.Context()); len(list) != 0 || !unread() {
			t.Errorf("with a paused endpoint %d are due, and the entry has its position: %v", len(list), !unread())
		}
		e.State = model.WebhookActive
		storetest.InTx(t, s, func(tx *store.Tx) error { return tx.UpdateWebhookEndpoint(&e) })
		if list := w.d.due(t.Context()); len(list) != 1 || unread() {
			t.Errorf("with an active endpoint %d are due, and the entry has no position: %v", len(list), unread())
		}
	})
}
