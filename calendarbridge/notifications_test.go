package calendarbridge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"usher/internal/simulator/exchange"
	"usher/model"
	"usher/model/outlook"
	"usher/model/store"
	"usher/model/store/storetest"
)

func TestValidation(t *testing.T) {
	s := New(Options{})
	for _, tt := range []struct {
		method, uri string
		status      int
		body        string
	}{
		{http.MethodPost, NotificationPath + "?cal=x&validationToken=a%2Bb%20c", 200, "a+b c"},
		{http.MethodPost, LifecyclePath + "?validationToken=%3Cscript%3Ealert(1)%3C%2Fscript%3E", 200, "<script>alert(1)</script>"},
		{http.MethodPost, NotificationPath + "?validationToken=" + strings.Repeat("a", maxToken+1), 400, ""},
		{http.MethodGet, NotificationPath + "?validationToken=a", 405, ""},
	} {
		rec := httptest.NewRecorder()
		s.Handler().ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), tt.method, tt.uri, nil))
		if rec.Code != tt.status || tt.status == 200 && rec.Body.String() != tt.body {
			t.Errorf("%s: %d %q", tt.uri, rec.Code, rec.Body)
		}
		if h := rec.Header(); tt.status == 200 && (h.Get("Content-Type") != "text/plain; charset=utf-8" || h.Get("X-Content-Type-Options") != "nosniff") {
			t.Errorf("%s: %v", tt.uri, h)
		}
	}
}

// secretOf makes a client state that the calendar's subscription has.
func (w *world) secretOf(cal model.Calendar, state string) {
	w.Helper()
	err := w.store.InTx(w.Context(), func(tx *store.Tx) error {
		now, err := tx.Calendar(cal.OrganizationID, cal.ID)
		if err != nil {
			return err
		}
		now.Subscription.SecretHash = w.keys.Hash(state)
		return tx.SaveSubscription(&now)
	})
	if err != nil {
		w.Fatal(err)
	}
}

// TestNotificationsThatAreNotWhatTheySeem: whatever comes, the answer is 202; only what knows the client state marks a calendar.
func TestNotificationsThatAreNotWhatTheySeem(t *testing.T) {
	eachWorld(t, func(w *world) {
		_, account := w.person("Ada Lovelace")
		w.start()
		cal := w.calendar(account)
		w.secretOf(cal, "right")
		item := func(sub, state string) string {
			raw, err := json.Marshal(map[string]any{
				"subscriptionId": sub, "clientState": state, "changeType": "updated", "tenantId": "t", "somethingNew": []int{1},
				"resource": "Users/x@y/Events/1", "resourceData": map[string]any{"id": "1"},
			})
			if err != nil {
				t.Fatal(err)
			}
			return string(raw)
		}
		sub := cal.Subscription.GraphID
		ours := NotificationPath + "?cal=" + cal.ID
		for name, tt := range map[string]struct {
			uri, body, counted string
			marks              bool
		}{
			"right":                         {ours, `{"value":[` + item(sub, "right") + `]}`, EventNotified, true},
			"by the subscription alone":     {NotificationPath, `{"value":[` + item(sub, "right") + `]}`, EventNotified, true},
			"between foreign ones":          {ours, `{"value":[` + item("other", "wrong") + `,7,` + item(sub, "right") + `]}`, EventNotified, true},
			"wrong client state":            {ours, `{"value":[` + item(sub, "wrong") + `]}`, EventForged, false},
			"no client state":               {ours, `{"value":[{"subscriptionId":"` + sub + `"}]}`, EventForged, false},
			"unknown calendar":              {NotificationPath + "?cal=" + store.NewID(), `{"value":[` + item("other", "right") + `]}`, EventUnknown, false},
			"no id at all":                  {NotificationPath + "?cal=%00'--", `{"value":[` + item("", "right") + `]}`, EventUnknown, false},
			"not JSON":                      {ours, `<html>`, EventMalformed, false},
			"another shape":                 {ours, `{"value":{}}`, EventMalformed, false},
			"nothing":                       {ours, ``, EventMalformed, false},
			"too long":                      {ours, `{"value":[` + item(sub, "right") + `],"x":"` + strings.Repeat("x", maxNotification) + `"}`, EventMalformed, false},
			"a lifecycle event, right":      {LifecyclePath + "?cal=" + cal.ID, `{"value":[{"clientState":"right","lifecycleEvent":"missed","subscriptionId":"` + sub + `"}]}`, EventLifecycle, true},
			"a lifecycle event of nobody's": {LifecyclePath + "?cal=" + cal.ID, `{"value":[{"clientState":"wrong","lifecycleEvent":"subscriptionRemoved","subscriptionId":"` + sub + `"}]}`, EventForged, false},
		} {
			before, dirty := w.count(tt.counted), w.calendar(account).Sync.Dirty
			if rec := w.post(t.Context(), tt.uri, tt.body); rec.Code != http.StatusAccepted || rec.Body.Len() != 0 {
				t.Errorf("%s: answered %d %q", name, rec.Code, rec.Body)
			}
			if w.count(tt.counted) == before {
				t.Errorf("%s: not counted as %s", name, tt.counted)
			}
			if marked := w.calendar(account).Sync.Dirty > dirty; marked != tt.marks {
				t.Errorf("%s: marked: %v", name, marked)
			}
		}
	})
}

// TestManyNotificationsAreOneJob: requests at the same time are gathered, and a calendar that waits already gets no second job.
func TestManyNotificationsAreOneJob(t *testing.T) {
	eachWorld(t, func(w *world) {
		_, account := w.person("Ada Lovelace")
		w.start()
		cal := w.calendar(account)
		w.secretOf(cal, "right")
		body := fmt.Sprintf(`{"value":[{"subscriptionId":%q,"clientState":"right"}]}`, cal.Subscription.GraphID)
		var group sync.WaitGroup
		for range 100 {
			group.Go(func() {
				if rec := w.post(t.Context(), NotificationPath+"?cal="+cal.ID, body); rec.Code != http.StatusAccepted {
					t.Errorf("answered %d", rec.Code)
				}
			})
		}
		group.Wait()
		jobs := 0
		for {
			j, ok := w.queue.pop(w.clock.Now())
			if !ok {
				break
			}
			if j.kind == (SyncCalendar{}).Kind() {
				jobs++
			}
		}
		if jobs != 1 {
			t.Errorf("%d jobs for one calendar", jobs)
		}
		if err := w.svc.Store.Close(); err != nil {
			t.Fatal(err)
		}
		if rec := w.post(t.Context(), NotificationPath+"?cal="+cal.ID, body); rec.Code != http.StatusServiceUnavailable {
			t.Errorf("without a database it answered %d", rec.Code)
		}
	})
}

func TestBatcherBoundsWhatWaits(t *testing.T) {
	hold, began := make(chan struct{}), make(chan struct{}, 10)
	failed := errors.New("no")
	b := newBatcher(func(context.Context, []mark) error { began <- struct{}{}; <-hold; return failed })
	first := make(chan error, 1)
	go func() { first <- b.put(t.Context(), []mark{{calendarID: "1"}}) }()
	<-began
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.put(ctx, make([]mark, maxMarks)); !errors.Is(err, context.Canceled) {
		t.Errorf("one who went away was told %v", err)
	}
	if err := b.put(t.Context(), make([]mark, 1)); !errors.Is(err, errFull) {
		t.Errorf("one too many was told %v", err)
	}
	close(hold)
	if err := <-first; !errors.Is(err, failed) {
		t.Errorf("the failure became %v", err)
	}
}

// TestSubscriptionsLive: they are renewed at half their life, made anew where they vanish, and strays are ended.
func TestSubscriptionsLive(t *testing.T) {
	eachWorld(t, func(w *world) {
		ada, account := w.person("Ada Lovelace")
		w.start()
		sub := func() model.CalendarSubscription { return w.calendar(account).Subscription }
		listed := func() (ids []string) {
			page, err := w.tenant.Client("usher").Subscriptions(t.Context(), "")
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range page.Subscriptions {
				ids = append(ids, s.ID)
			}
			return ids
		}
		first := sub()
		if half := first.RenewAt.Sub(w.clock.Now()); half < 70*time.Hour || half > 100*time.Hour {
			t.Errorf("renewed after %s", half)
		}
		w.step(4*24*time.Hour, EnsureSubscriptions{})
		if now := sub(); !now.ExpiresAt.After(*first.ExpiresAt) || now.GraphID != first.GraphID {
			t.Errorf("not renewed: %+v", now)
		}
		renewed := w.count(EventRenewed)
		w.step(time.Hour)
		for range 4 { // a burst asks for one renewal
			w.tenant.Lifecycle("reauthorizationRequired")
			w.step(time.Minute, EnsureSubscriptions{})
		}
		if n := w.count(EventRenewed) - renewed; n != 1 {
			t.Errorf("%d renewals within ten minutes", n)
		}
		w.tenant.RemoveSubscription(sub().GraphID, false)
		w.step(time.Minute, CompareSubscriptions{})
		w.settle()
		if now := sub(); now.State != model.SubscriptionActive || now.GraphID == first.GraphID || len(listed()) != 1 {
			t.Errorf("after it vanished: %+v, %v", now, listed())
		}
		second := sub().GraphID
		w.tenant.RemoveSubscription(second, true)
		w.must(w.tenant.As(ada.ID).Create("", typed("Untold", "2026-11-20T09:00:00", "2026-11-20T10:00:00")))
		w.settle()
		if now := sub(); now.State != model.SubscriptionActive || now.GraphID == second || len(w.events(w.calendar(account))) != 1 {
			t.Errorf("after it was removed: %+v", now)
		}
		stray, err := w.tenant.Client("usher").Subscribe(t.Context(), outlook.NewSubscription{
			Calendar: outlook.CalendarRef{Mailbox: ada.ID, Calendar: w.tenant.AddCalendar(ada.ID, "Other")}, ClientState: "x", ExpiresAt: w.clock.Now().Add(time.Hour),
			NotificationURL: publicURL + NotificationPath + "?cal=" + url.QueryEscape(store.NewID()),
		})
		if err != nil {
			t.Fatal(err)
		}
		w.step(time.Minute, CompareSubscriptions{})
		if ids := listed(); len(ids) != 1 || ids[0] == stray.ID {
			t.Errorf("the stray %s is left: %v", stray.ID, ids)
		}
	})
}

// TestRefusedSubscriptionsArePolled: where there is no subscription, changes come all the same, and the reason is said.
func TestRefusedSubscriptionsArePolled(t *testing.T) {
	eachWorld(t, func(w *world) {
		ada, account := w.person("Ada Lovelace")
		w.tenant.SetFaults(exchange.Faults{RefuseSubscription: &outlook.Error{Kind: outlook.Forbidden, Status: 403, Code: "ExtensionError"}})
		w.start()
		if sub := w.calendar(account).Subscription; sub.State != model.SubscriptionFailed || !strings.Contains(sub.Detail, "polled") || !sub.Unsupported {
			t.Errorf("the subscription is %+v", sub)
		}
		w.must(w.tenant.As(ada.ID).Create("", typed("Polled", "2026-11-20T09:00:00", "2026-11-20T10:00:00")))
		w.step(20*time.Minute, SyncDue{}, EnsureSubscriptions{})
		if got := w.subjects(w.calendar(account)); len(got) != 1 {
			t.Errorf("stored are %v", got)
		}
		w.tenant.SetFaults(exchange.Faults{})
		w.step(30*time.Hour, EnsureSubscriptions{})
		if sub := w.calendar(account).Subscription; sub.State != model.SubscriptionActive || sub.Detail != "" || sub.Unsupported {
			t.Errorf("allowed, the subscription is %+v", sub)
		}
	})
}

// TestNeighboursInOneTenant: organizations that use one application of one tenant are listed each other's subscriptions, and leave
// them alone.
func TestNeighboursInOneTenant(t *testing.T) {
	eachWorld(t, func(w *world) {
		_, ada := w.person("Ada Lovelace")
		here := w.ref
		w.ref = storetest.Integration(w, w.store, storetest.Org(w, w.store), func(i *model.Integration) { i.CalendarSync, i.ReadOnly = true, false }).Ref()
		_, mary := w.person("Mary Somerville")
		there := w.ref
		w.start()
		maryHad := w.calendar(mary).Subscription
		w.ref = here
		adaHad := w.calendar(ada).Subscription
		w.step(time.Hour, CompareSubscriptions{})
		w.settle()
		page, err := w.tenant.Client("usher").Subscriptions(w.Context(), "")
		if err != nil || len(page.Subscriptions) != 2 {
			w.Fatalf("Microsoft 365 has %+v, %v", page.Subscriptions, err)
		}
		for _, sub := range page.Subscriptions {
			if sub.ID != adaHad.GraphID && sub.ID != maryHad.GraphID {
				w.Errorf("%s was made anew", sub.ID)
			}
		}
		if n := w.count(EventStray); n != 0 {
			w.Errorf("%d were taken for strays", n)
		}
		w.ref = there
		if now := w.calendar(mary).Subscription; now.GraphID != maryHad.GraphID || now.State != model.SubscriptionActive {
			w.Errorf("Mary's subscription became %+v", now)
		}
	})
}
