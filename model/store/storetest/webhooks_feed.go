package storetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"usher/model"
	"usher/model/store"
)

// due says whether the endpoint, the only one of the database, is due.
func due(t *testing.T, s suite) bool {
	t.Helper()
	list, err := s.Read(t.Context()).WebhookEndpointsDue(s.Now(), 10)
	if err != nil {
		t.Fatal(err)
	}
	return len(list) == 1
}

// lease has a worker take an endpoint for an hour, and says whether it got it.
func lease(t *testing.T, s suite, e model.WebhookEndpoint, worker string) (ok bool) {
	t.Helper()
	InTx(t, s.Store, func(tx *store.Tx) (err error) {
		ok, err = tx.LeaseWebhookEndpoint(e.OrganizationID, e.ID, worker, tx.Now().Add(time.Hour))
		return err
	})
	return ok
}

func dueEndpoints(t *testing.T, s suite) {
	org, other := Org(t, s.Store), Org(t, s.Store)
	e := endpointOf(t, s, org)
	write := func(change func(*model.WebhookEndpoint)) {
		t.Helper()
		c := e
		change(&c)
		InTx(t, s.Store, func(tx *store.Tx) error { return tx.UpdateWebhookEndpoint(&c) })
	}
	past, later, position := s.Now().Add(-time.Hour), s.Now().Add(time.Hour), int64(0)
	for what, c := range map[string]struct {
		change func(*model.WebhookEndpoint)
		want   bool
	}{
		"nothing to be told":       {func(*model.WebhookEndpoint) {}, false},
		"a delivery's time":        {func(e *model.WebhookEndpoint) { e.NextAt = &past }, true},
		"before a delivery's time": {func(e *model.WebhookEndpoint) { e.NextAt = &later }, false},
		"a range to be told again": {func(e *model.WebhookEndpoint) { e.ReplayPosition, e.ReplayUntil = &position, &position }, true},
		"paused":                   {func(e *model.WebhookEndpoint) { e.NextAt, e.State = &past, model.WebhookPaused }, false},
		"disabled":                 {func(e *model.WebhookEndpoint) { e.NextAt, e.State = &past, model.WebhookDisabled }, false},
	} {
		if write(c.change); due(t, s) != c.want {
			t.Errorf("%s: due is %t", what, !c.want)
		}
	}
	write(func(e *model.WebhookEndpoint) { e.State = model.WebhookPaused })
	if lease(t, s, e, "ada") {
		t.Error("a paused endpoint was given to a worker")
	}
	write(func(*model.WebhookEndpoint) {})
	InTx(t, s.Store, func(tx *store.Tx) error { return tell(tx, other, "x", 1) })
	if _, err := s.FeedEnd(t.Context()); err != nil || due(t, s) {
		t.Errorf("a change of another organization makes it due, %v", err)
	}
	InTx(t, s.Store, func(tx *store.Tx) error { return tell(tx, org, "x", 1) })
	if _, err := s.FeedEnd(t.Context()); err != nil || !due(t, s) {
		t.Errorf("a change makes it not due, %v", err)
	}
	if !lease(t, s, e, "ada") || lease(t, s, e, "bob") || !lease(t, s, e, "ada") || due(t, s) {
		t.Error("two workers have the endpoint, or none")
	}
	for _, c := range []struct {
		worker string
		want   bool
	}{{"bob", false}, {"ada", true}} {
		InTx(t, s.Store, func(tx *store.Tx) error { return tx.ReleaseWebhookEndpoint(org, e.ID, c.worker) })
		if due(t, s) != c.want {
			t.Errorf("released by %s: due is %t", c.worker, !c.want)
		}
	}
	if !lease(t, s, e, "bob") {
		t.Error("a released endpoint was not given to another worker")
	}
}

func endpointProgress(t *testing.T, s suite) {
	e := endpointOf(t, s, Org(t, s.Store))
	first, second := s.Now().Add(time.Hour).Truncate(time.Microsecond), s.Now().Add(2*time.Hour)
	deliver(t, s, e, func(i int, d *model.WebhookDelivery) {
		d.NextAt = []*time.Time{&second, &first, &first}[i]
		if i == 2 {
			d.State = model.DeliveryFailed
		}
	}, "a", "b", "c")
	lease(t, s, e, "ada")
	save := func(worker string, p store.WebhookProgress) error {
		p.Until = s.Now().Add(time.Hour)
		return s.InTx(t.Context(), func(tx *store.Tx) error { return tx.SaveWebhookProgress(e, worker, p) })
	}
	read := func() model.WebhookEndpoint {
		t.Helper()
		got, err := s.Read(t.Context()).WebhookEndpoint(e.OrganizationID, e.ID)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if err := save("bob", store.WebhookProgress{Position: 8}); model.KindOf(err) != model.Conflict || read().Position != 0 {
		t.Errorf("one who has not got it: %v, want a Conflict", err)
	}
	if err := save("ada", store.WebhookProgress{Position: 7, LastError: "busy"}); err != nil {
		t.Fatal(err)
	}
	if got := read(); got.Position != 7 || got.LastError != "busy" || got.NextAt == nil || !got.NextAt.Equal(first) {
		t.Errorf("stored %+v, want the next attempt at %s", got, first)
	}
	if err := save("ada", store.WebhookProgress{Position: 7, Hurry: true}); err != nil {
		t.Fatal(err)
	}
	if got := read(); got.NextAt == nil || got.NextAt.After(s.Now()) {
		t.Errorf("in a hurry: next attempt at %v, want now", got.NextAt)
	}
}

func renewLeases(t *testing.T, s suite) {
	org := Org(t, s.Store)
	until := func(e model.WebhookEndpoint) time.Duration {
		t.Helper()
		got, err := s.Read(t.Context()).WebhookEndpoint(org, e.ID)
		if err != nil || got.LeasedUntil == nil {
			t.Fatal(got, err)
		}
		return got.LeasedUntil.Sub(s.Now())
	}
	ours, theirs, over := endpointOf(t, s, org), endpointOf(t, s, org), endpointOf(t, s, org)
	for e, c := range map[*model.WebhookEndpoint]struct {
		worker string
		until  time.Duration
	}{&ours: {"ada", time.Minute}, &theirs: {"bob", time.Minute}, &over: {"ada", -time.Minute}} {
		InTx(t, s.Store, func(tx *store.Tx) error {
			_, err := tx.LeaseWebhookEndpoint(org, e.ID, c.worker, tx.Now().Add(c.until))
			return err
		})
	}
	renew := func(by time.Duration) {
		InTx(t, s.Store, func(tx *store.Tx) error { tx.RenewWebhookLeases("ada", tx.Now().Add(by)); return nil })
	}
	renew(time.Hour)
	renew(time.Second) // never shorter
	if got := []time.Duration{until(ours), until(theirs), until(over)}; got[0] < 50*time.Minute || got[1] > time.Minute || got[2] > 0 {
		t.Errorf("the leases last %v longer, want an hour, what it had, and nothing", got)
	}
}

func endpointsOfIntegration(t *testing.T, s suite) {
	org := Org(t, s.Store)
	ref, other := Integration(t, s.Store, org).Ref(), Integration(t, s.Store, org).Ref()
	var want []string
	for i, of := range []*string{&ref.IntegrationID, &other.IntegrationID, nil, &ref.IntegrationID} {
		e := model.WebhookEndpoint{OrganizationID: org, URL: "https://hr.contoso.com", State: model.WebhookDisabled, IntegrationID: of}
		InTx(t, s.Store, func(tx *store.Tx) error { return tx.InsertWebhookEndpoint(&e) })
		if i%3 == 0 {
			want = append(want, e.ID)
		}
	}
	var got []string
	InTx(t, s.Store, func(tx *store.Tx) error {
		list, err := tx.WebhooksOfIntegration(ref)
		for _, e := range list {
			got = append(got, e.ID)
		}
		return err
	})
	if !slices.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
}

func endSecrets(t *testing.T, s suite) {
	org := Org(t, s.Store)
	e, other := endpointOf(t, s, org), endpointOf(t, s, org)
	add := func(e model.WebhookEndpoint, text string, others time.Duration) {
		t.Helper()
		InTx(t, s.Store, func(tx *store.Tx) error {
			row := model.WebhookSecret{ID: store.NewID(), OrganizationID: org, EndpointID: e.ID, KeyID: "k", Sealed: []byte(text)}
			if err := tx.InsertWebhookSecret(&row); err != nil {
				return err
			}
			tx.EndWebhookSecrets(org, e.ID, row.ID, tx.Now().Add(others))
			return nil
		})
	}
	live := func(e model.WebhookEndpoint, after time.Duration) (all string) {
		t.Helper()
		list, err := s.Read(t.Context()).WebhookSecrets(org, e.ID, s.Now().Add(after))
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range list {
			all += string(one.Sealed)
		}
		return all
	}
	add(other, "x", time.Hour)
	add(e, "1", time.Hour)
	add(e, "2", time.Hour)
	if now, later := live(e, 0), live(e, 2*time.Hour); now != "21" || later != "2" {
		t.Errorf("live are %q, later %q, want both and then the new one", now, later)
	}
	add(e, "3", 0)
	if now := live(e, 0); now != "3" {
		t.Errorf("live are %q, want the new one at once", now)
	}
	all, err := s.Read(t.Context()).WebhookSecretsAfter("", 10)
	if err != nil || len(all) != 2 {
		t.Errorf("%d secrets are kept, %v, want those that are live", len(all), err)
	}
	if now := live(other, 2*time.Hour); now != "x" {
		t.Errorf("another endpoint's are %q", now)
	}
}

// ns gives the numbers that entries were told with.
func ns(list []model.Change) string {
	all := make([]string, len(list))
	for i, c := range list {
		all[i] = string(c.Data)
	}
	return strings.Join(all, " ")
}

func pruneFeed(t *testing.T, s suite) {
	org := Org(t, s.Store)
	told := func(n int) {
		t.Helper()
		InTx(t, s.Store, func(tx *store.Tx) error { return tell(tx, org, "x", n) })
	}
	for n := range 3 {
		told(n + 1)
	}
	if _, err := s.FeedEnd(t.Context()); err != nil {
		t.Fatal(err)
	}
	told(4) // has no position yet
	for _, c := range []struct {
		before time.Time
		n      int
		pruned int64
		left   string
	}{
		{s.Now().Add(-time.Hour), 0, 0, "1 2 3"},
		{s.Now().Add(time.Hour), 2, 2, "3"},
		{s.Now().Add(time.Hour), 1, 3, ""},
		{s.Now().Add(time.Hour), 0, 3, ""},
	} {
		var n int
		InTx(t, s.Store, func(tx *store.Tx) (err error) { n, err = tx.PruneChanges(c.before, 2); return err })
		pruned, err := s.Read(t.Context()).PrunedChanges()
		if err != nil {
			t.Fatal(err)
		}
		list, err := s.Read(t.Context()).ChangesAt(org, 1, 9, 9)
		if got := ns(list); err != nil || n != c.n || pruned != c.pruned || got != c.left {
			t.Errorf("%d were deleted up to %d and %q are left, %v, want %d up to %d and %q", n, pruned, got, err, c.n, c.pruned, c.left)
		}
	}
	if list, _, err := s.Changes(t.Context(), org, store.ChangeQuery{Limit: 9}); err != nil || ns(list) != "4" || *list[0].Position != 4 {
		t.Errorf("the entry that nobody could have read is gone: %q, %v", ns(list), err)
	}
}

func feedBackwards(t *testing.T, s suite) {
	org, other := Org(t, s.Store), Org(t, s.Store)
	kinds := []model.ChangeType{model.AccountCreated, model.RunStarted, model.AccountDeleted, model.AccountCreated}
	InTx(t, s.Store, func(tx *store.Tx) error {
		for i, kind := range kinds {
			if err := tx.Tell(model.Change{OrganizationID: org, Type: kind}, i+1); err != nil {
				return err
			}
		}
		return tell(tx, other, "x", 9)
	})
	if _, err := s.FeedEnd(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		types []string
		want  []string // pages of two
	}{
		{nil, []string{"4 3", "2 1", ""}},
		{[]string{"account.*"}, []string{"4 3", "1", ""}},
		{[]string{"account.deleted", "run.*"}, []string{"3 2", ""}},
		{[]string{"none"}, []string{""}},
	} {
		var got []string
		for before := int64(0); ; {
			list, err := s.Read(t.Context()).ChangesBefore(org, c.types, before, 2)
			if err != nil {
				t.Fatal(err)
			}
			if got = append(got, ns(list)); len(list) == 0 || len(got) > 3 {
				break
			}
			before = *list[len(list)-1].Position
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("types %v: pages %q, want %q", c.types, got, c.want)
		}
	}
	for want, c := range map[string]struct {
		from, to int64
		limit    int
	}{"2 3": {2, 3, 9}, "1 2": {0, 9, 2}, "4": {4, 9, 9}, "": {6, 9, 9}} {
		list, err := s.Read(t.Context()).ChangesAt(org, c.from, c.to, c.limit)
		if got := ns(list); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", fmt.Sprint(c), got, err, want)
		}
	}
}
