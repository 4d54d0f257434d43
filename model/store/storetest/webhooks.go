package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"usher/model"
	"usher/model/store"
)

func webhookCases() []testCase {
	return []testCase{
		{"deliveries are paged from the newest on, by state and by type, of one endpoint alone", pageDeliveries},
		{"endpoints are paged in their order and counted", pageEndpoints},
		{"of what waits the first of each subject is due", whatWaits},
		{"old deliveries go, the oldest first, and never one that waits", pruneDeliveries},
		{"an endpoint is due when it has something to be told, to one worker at a time", dueEndpoints},
		{"what waits is to be tried when the first of it is, or at once when an endpoint works again", endpointProgress},
		{"leases are renewed of one worker, as long as they have not ended", renewLeases},
		{"endpoints of one integration are found", endpointsOfIntegration},
		{"a replaced secret ends, and no other endpoint's", endSecrets},
		{"old entries of the feed go, and readers behind them can be told so", pruneFeed},
		{"the feed is read backwards, and by a range of positions", feedBackwards},
	}
}

// addWebhooks adds an endpoint that is told of one integration's changes, with a secret and a message that waits.
func (w *world) addWebhooks(tx *store.Tx, name string) error {
	w.endpoint = model.WebhookEndpoint{
		OrganizationID: w.org, URL: "https://" + name + ".contoso.com", Description: name, IntegrationID: &w.ref.IntegrationID,
		State: model.WebhookActive, FailingSince: new(tx.Now()),
	}
	if err := tx.InsertWebhookEndpoint(&w.endpoint); err != nil {
		return err
	}
	w.webhookSecret = model.WebhookSecret{ID: store.NewID(), OrganizationID: w.org, EndpointID: w.endpoint.ID, KeyID: name, Sealed: []byte(name)}
	list := []model.WebhookDelivery{newDelivery(w.endpoint, name)}
	err := errors.Join(tx.InsertWebhookSecret(&w.webhookSecret), tx.InsertWebhookDeliveries(list))
	w.delivery = list[0]
	return err
}

// sealedAnew is the endpoint's secret as another key would have sealed it; no time of a row tells that it was stored.
func (w *world) sealedAnew() model.WebhookSecret {
	v := w.webhookSecret
	v.KeyID, v.Sealed = "changed", []byte("changed")
	return v
}

// newDelivery gives a message of a change of the subject that waits, and is not stored yet.
func newDelivery(e model.WebhookEndpoint, subject string) model.WebhookDelivery {
	return model.WebhookDelivery{
		OrganizationID: e.OrganizationID, EndpointID: e.ID, MessageID: "msg_" + subject, Type: model.AccountUpdated, Subject: subject,
		Kind: model.DeliveryOfChange, State: model.DeliveryPending,
	}
}

// webhookArguments is arguments for the types of webhooks.
func webhookArguments(in reflect.Type, org string, w *world) ([]reflect.Value, bool) {
	if in == reflect.TypeFor[[]int64]() { // positions of the feed
		list := make([]int64, 100)
		for i := range list {
			list[i] = int64(i)
		}
		return []reflect.Value{reflect.ValueOf(list)}, true
	}
	if in != reflect.TypeFor[[]model.WebhookDelivery]() {
		return nil, false
	}
	v := w.delivery
	v.ID, v.OrganizationID = "", org
	return []reflect.Value{reflect.ValueOf([]model.WebhookDelivery{v})}, true
}

// endpointOf stores an endpoint of the organization that is active.
func endpointOf(t *testing.T, s suite, org string) model.WebhookEndpoint {
	t.Helper()
	e := model.WebhookEndpoint{OrganizationID: org, URL: "https://hr.contoso.com", State: model.WebhookActive}
	InTx(t, s.Store, func(tx *store.Tx) error { return tx.InsertWebhookEndpoint(&e) })
	return e
}

// deliver stores a delivery of each subject, in one transaction; change is given the delivery and its number.
func deliver(t *testing.T, s suite, e model.WebhookEndpoint, change func(i int, d *model.WebhookDelivery), subjects ...string) {
	t.Helper()
	list := make([]model.WebhookDelivery, len(subjects))
	for i, subject := range subjects {
		list[i] = newDelivery(e, subject)
		if change != nil {
			change(i, &list[i])
		}
	}
	InTx(t, s.Store, func(tx *store.Tx) error { return tx.InsertWebhookDeliveries(list) })
}

// subjects gives what deliveries are about, in their order.
func subjects(list []model.WebhookDelivery) string {
	all := make([]string, len(list))
	for i, d := range list {
		all[i] = d.Subject
	}
	return strings.Join(all, " ")
}

func pageDeliveries(t *testing.T, s suite) {
	org := Org(t, s.Store)
	e, other := endpointOf(t, s, org), endpointOf(t, s, org)
	deliver(t, s, other, nil, "other")
	at := s.Now().Add(time.Hour)
	deliver(t, s, e, func(i int, d *model.WebhookDelivery) {
		d.Attempts = []model.WebhookAttempt{{Number: i, Status: 503, Error: "busy"}}
		if i%2 == 1 {
			d.State = model.DeliveryFailed
		} else {
			d.NextAt = &at
		}
		if i > 2 {
			d.Type, d.Position = model.AccountCreated, new(int64(i))
		}
	}, "0", "1", "2", "3", "4", "5")
	for _, c := range []struct {
		filter store.DeliveryFilter
		want   string
	}{
		{store.DeliveryFilter{}, "5 4 3 2 1 0"},
		{store.DeliveryFilter{State: model.DeliveryFailed}, "5 3 1"},
		{store.DeliveryFilter{Type: model.AccountCreated}, "5 4 3"},
		{store.DeliveryFilter{State: model.DeliveryPending, Type: model.AccountUpdated}, "2 0"},
		{store.DeliveryFilter{State: model.DeliveryDelivered}, ""},
	} {
		var all []model.WebhookDelivery
		for before := ""; ; before = all[len(all)-1].ID {
			list, err := s.Read(t.Context()).WebhookDeliveriesBefore(org, e.ID, c.filter, before, 2)
			if err != nil {
				t.Fatal(err)
			}
			if all = append(all, list...); len(list) == 0 || len(all) > 6 {
				break
			}
		}
		if got := subjects(all); got != c.want {
			t.Errorf("%+v: %q, want %q", c.filter, got, c.want)
		}
		for _, d := range all {
			one, err := s.Read(t.Context()).WebhookDelivery(org, e.ID, d.ID)
			if err != nil || !reflect.DeepEqual(one, d) || len(d.Attempts) != 1 || fmt.Sprint(d.Attempts[0].Number) != d.Subject {
				t.Errorf("%+v on its own is %+v, %v", d, one, err)
			}
			if _, err := s.Read(t.Context()).WebhookDelivery(org, other.ID, d.ID); model.KindOf(err) != model.NotFound {
				t.Errorf("as another endpoint's: %v", err)
			}
		}
	}
	if _, err := s.Read(t.Context()).WebhookDeliveriesBefore(org, e.ID, store.DeliveryFilter{}, "x", 2); model.KindOf(err) != model.Invalid {
		t.Errorf("a cursor of another list: %v, want Invalid", err)
	}
	n, err := s.Read(t.Context()).CountWebhookDeliveries(org, e.ID, s.Now().Add(-time.Hour), 7)
	if err != nil || n != (store.WebhookCounts{Pending: 3, Failed: 3}) {
		t.Errorf("counted %+v, %v", n, err)
	}
	if n, err = s.Read(t.Context()).CountWebhookDeliveries(org, e.ID, s.Now().Add(time.Hour), 7); err != nil || n != (store.WebhookCounts{}) {
		t.Errorf("counted since later: %+v, %v", n, err)
	}
	if n, err = s.Read(t.Context()).CountWebhookDeliveries(org, e.ID, s.Now().Add(-time.Hour), 2); err != nil || n.Pending+n.Failed != 2 || !n.More {
		t.Errorf("of the newest two: %+v, %v", n, err)
	}
}

func pageEndpoints(t *testing.T, s suite) {
	org, other := Org(t, s.Store), Org(t, s.Store)
	var want, got []string
	for range 3 {
		want = append(want, endpointOf(t, s, org).ID)
	}
	endpointOf(t, s, other)
	for after := ""; ; after = got[len(got)-1] {
		list, err := s.Read(t.Context()).WebhookEndpointsAfter(org, after, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range list {
			got = append(got, e.ID)
		}
		if len(list) == 0 || len(got) > 3 {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("pages of %v, want %v", got, want)
	}
	if n, err := s.Read(t.Context()).CountWebhookEndpoints(org); err != nil || n != 3 {
		t.Errorf("counted %d, %v", n, err)
	}
	if _, err := s.Read(t.Context()).WebhookEndpointsAfter(org, "x", 2); model.KindOf(err) != model.Invalid {
		t.Errorf("a cursor of another list: %v, want Invalid", err)
	}
}

func whatWaits(t *testing.T, s suite) {
	e := endpointOf(t, s, Org(t, s.Store))
	now := s.Now()
	past, later := now.Add(-time.Hour), now.Add(time.Hour)
	deliver(t, s, e, func(i int, d *model.WebhookDelivery) {
		d.NextAt = []*time.Time{&past, nil, &later, &past, nil, nil}[i]
		if i == 4 {
			d.State = model.DeliveryDelivered
		}
	}, "a", "a", "b", "b", "c", "d")
	for limit, want := range map[int]string{10: "a d", 1: "a"} {
		w, err := s.Read(t.Context()).WebhooksWaiting(e, now, limit)
		if got := subjects(w.Due); err != nil || got != want || w.Count != 5 || !reflect.DeepEqual(w.Subjects, map[string]int{"a": 2, "b": 2, "d": 1}) {
			t.Errorf("of at most %d: %q are due, want %q; %d of %v wait; %v", limit, got, want, w.Count, w.Subjects, err)
		}
	}
	w, err := s.Read(t.Context()).WebhooksWaiting(e, later, 10)
	if got := subjects(w.Due); err != nil || got != "a b d" {
		t.Errorf("later %q are due, %v", got, err)
	}
}

func pruneDeliveries(t *testing.T, s suite) {
	org := Org(t, s.Store)
	e := endpointOf(t, s, org)
	done := func(i int, d *model.WebhookDelivery) { d.State = model.DeliveryDelivered }
	for _, subject := range []string{"1", "2", "3"} {
		deliver(t, s, e, done, subject)
	}
	deliver(t, s, e, nil, "waits")
	for _, c := range []struct {
		before time.Time
		limit  int
		n      int64
		left   string
	}{
		{s.Now().Add(-time.Hour), 10, 0, "waits 3 2 1"},
		{s.Now().Add(time.Hour), 2, 2, "waits 3"},
		{s.Now().Add(time.Hour), 2, 1, "waits"},
		{s.Now().Add(time.Hour), 2, 0, "waits"},
	} {
		var n int64
		InTx(t, s.Store, func(tx *store.Tx) (err error) { n, err = tx.DeleteWebhookDeliveries(c.before, c.limit); return err })
		list, err := s.Read(t.Context()).WebhookDeliveriesBefore(org, e.ID, store.DeliveryFilter{}, "", 10)
		if got := subjects(list); err != nil || n != c.n || got != c.left {
			t.Errorf("%d were deleted and %q are left, %v, want %d and %q", n, got, err, c.n, c.left)
		}
	}
}
