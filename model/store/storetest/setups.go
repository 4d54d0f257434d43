package storetest

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"usher/model"
	"usher/model/store"
)

func setupCases() []testCase {
	return []testCase{
		{"a set-up comes back as it was written", setupRoundTrip},
		{"a removal outlives its integration, comes back as it was written, and goes when it is old", removalRoundTrip},
		{"a token ends when it is told to, and not later than it would have", endToken},
		{"integrations of one application are counted across organizations", integrationsOfApp},
		{"what there is of an integration is counted, of that one alone", integrationCounts},
		{"what there is of an integration is counted no further than asked for, and said so", boundedCounts},
	}
}

// addSetup adds a set-up, and a removal that is under way.
func (w *world) addSetup(t *testing.T, s *store.Store, name string) {
	t.Helper()
	InTx(t, s, func(tx *store.Tx) error {
		row, err := tx.LockSetup(w.ref)
		if err != nil {
			return err
		}
		row.Error, row.Actor = name, name
		w.setup = row
		w.removal = model.Removal{IntegrationID: w.ref.IntegrationID, OrganizationID: w.org, Name: name, State: model.TaskSucceeded, Actor: name}
		return errors.Join(tx.SaveSetup(&w.setup), tx.InsertRemoval(&w.removal))
	})
}

func setupRoundTrip(t *testing.T, s suite) {
	org := Org(t, s.Store)
	ref := Integration(t, s.Store, org).Ref()
	if _, err := s.Read(t.Context()).Setup(ref); model.KindOf(err) != model.NotFound {
		t.Fatalf("before anybody asked: %v", err)
	}
	at := s.Now().Add(time.Hour)
	var want model.Setup
	InTx(t, s.Store, func(tx *store.Tx) error {
		row, err := tx.LockSetup(ref)
		if err != nil {
			return err
		}
		row.Task, row.State, row.Error, row.Actor, row.TokenID, row.Stored = model.SetupRotate, model.TaskRunning, "e", "a", "t", "s"
		row.Options = model.SetupOptions{BaseURL: "https://x", DisplayName: "n", Groups: []string{"g"}, DeleteLimit: 5, Hold: true, TokenExpiresAt: &at}
		row.Steps = []model.TaskStep{{Name: "job", State: model.StepDone, Detail: "d", Begun: &at, Ended: &at, Cursor: 7}}
		row.Entra = model.SetupEntra{DisplayName: "n", AppID: "a", JobID: "j", OwnJob: true, Tries: 2, TriedAt: &at}
		row.Job, row.JobAt, row.JobError = &model.SetupJob{State: "Active", Synchronized: map[string]int{"User": 1}}, &at, "je"
		row.SignIn = model.SetupSignIn{AskedUntil: &at, By: "b", AccessUntil: &at}
		row.SignInID, row.QuarantineTold, row.Attempts, row.Lease, row.Leased = "i", "q", 3, "l", &at
		want = row
		return tx.SaveSetup(&want)
	})
	InTx(t, s.Store, func(tx *store.Tx) error { // it is made once
		again, err := tx.LockSetup(ref)
		if err == nil && again.Lease != "l" {
			t.Errorf("locking it made another: %+v", again)
		}
		return err
	})
	got, err := s.Read(t.Context()).Setup(ref)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\n%+v, want\n%+v", err, got, want)
	}
	list, err := s.Read(t.Context()).SetupsAfter("", 10)
	if err != nil || len(list) != 1 || list[0].IntegrationID != ref.IntegrationID {
		t.Errorf("listed are %+v, %v", list, err)
	}
	if _, err := s.Read(t.Context()).Setup(model.Ref{OrganizationID: store.NewID(), IntegrationID: ref.IntegrationID}); model.KindOf(err) != model.NotFound {
		t.Errorf("another organization: %v", err)
	}
}

func removalRoundTrip(t *testing.T, s suite) {
	org := Org(t, s.Store)
	i := Integration(t, s.Store, org)
	i.CreatedAt, i.UpdatedAt, i.AlertedAt, i.OrganizationID = s.Now(), s.Now(), time.Time{}, ""
	r := model.Removal{
		IntegrationID: i.ID, OrganizationID: org, Name: "n", TenantID: "t", State: model.TaskRunning, Actor: "a", Removed: map[string]int{"events": 3},
		Steps: []model.TaskStep{{Name: "consent"}}, Left: []model.Leftover{{What: "w", Why: "y", Portal: "p", PowerShell: "s"}},
		Plan: model.RemovalPlan{Integration: i, Entra: model.SetupEntra{JobID: "j"}, Adopted: true, Keep: true}, KeyID: "k", Access: []byte{1, 2},
	}
	InTx(t, s.Store, func(tx *store.Tx) error { return errors.Join(tx.InsertRemoval(&r), tx.DeleteIntegration(r.Ref())) })
	got, err := s.Read(t.Context()).Removal(r.Ref())
	if err != nil || !reflect.DeepEqual(got, r) {
		t.Fatalf("%v\n%+v, want\n%+v", err, got, r)
	}
	if open, err := s.Read(t.Context()).OpenRemovals("", 10); err != nil || len(open) != 1 {
		t.Errorf("open are %+v, %v", open, err)
	}
	end := s.Now()
	InTx(t, s.Store, func(tx *store.Tx) error {
		row, err := tx.LockRemoval(r.Ref())
		if err != nil {
			return err
		}
		row.EndedAt, row.Access, row.KeyID = &end, nil, ""
		return tx.SaveRemoval(&row)
	})
	trim := func(before time.Time) int {
		InTx(t, s.Store, func(tx *store.Tx) error { tx.TrimRemovals(before); return nil })
		list, err := s.Read(t.Context()).RemovalsAfter(org, "", 10)
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	if open, err := s.Read(t.Context()).OpenRemovals("", 10); err != nil || len(open) != 0 {
		t.Errorf("still open are %+v, %v", open, err)
	}
	if kept, left := trim(end.Add(-time.Minute)), trim(end.Add(time.Minute)); kept != 1 || left != 0 {
		t.Errorf("%d are kept, %d when they are old", kept, left)
	}
}

func endToken(t *testing.T, s suite) {
	w := newWorld(t, s.Store, "ada")
	now := s.Now()
	endless := model.SCIMToken{ID: store.NewID(), OrganizationID: w.org, IntegrationID: w.ref.IntegrationID, Name: "x", CreatedAt: now}
	InTx(t, s.Store, func(tx *store.Tx) error { return tx.InsertSCIMToken(&endless) })
	for _, step := range []struct {
		ref  model.Ref
		at   time.Time
		want *time.Time
	}{
		{model.Ref{OrganizationID: w.org, IntegrationID: store.NewID()}, now, nil},
		{w.ref, now.Add(2 * time.Hour), new(now.Add(2 * time.Hour))},
		{w.ref, now.Add(time.Hour), new(now.Add(time.Hour))},
		{w.ref, now.Add(3 * time.Hour), new(now.Add(time.Hour))},
	} {
		InTx(t, s.Store, func(tx *store.Tx) error { return tx.EndSCIMToken(step.ref, endless.ID, step.at) })
		got, err := s.Read(t.Context()).SCIMToken(endless.ID)
		if err != nil || (got.ExpiresAt == nil) != (step.want == nil) || step.want != nil && !got.ExpiresAt.Equal(*step.want) {
			t.Errorf("told to end at %s, it ends at %v, want %v; %v", step.at, got.ExpiresAt, step.want, err)
		}
	}
}

func integrationsOfApp(t *testing.T, s suite) {
	of := func(org, tenant, client string) {
		Integration(t, s.Store, org, func(i *model.Integration) { i.TenantID, i.Graph.ClientID = tenant, client })
	}
	ours, theirs := Org(t, s.Store), Org(t, s.Store)
	of(ours, "T1", "App")
	of(theirs, "t1", "app")
	of(theirs, "t2", "app")
	of(ours, "t1", "other")
	if n, err := s.Read(t.Context()).IntegrationsOfApp("t1", "APP"); err != nil || n != 2 {
		t.Errorf("%d, %v", n, err)
	}
}

func integrationCounts(t *testing.T, s suite) {
	ada := newWorld(t, s.Store, "ada")
	before, beyond, err := s.Read(t.Context()).IntegrationCounts(ada.ref, 0)
	if err != nil || len(beyond) != 0 {
		t.Fatal(beyond, err)
	}
	newWorld(t, s.Store, "bob")
	after, _, err := s.Read(t.Context()).IntegrationCounts(ada.ref, 0)
	if err != nil || !maps.Equal(before, after) || before["directory_users"] == 0 {
		t.Errorf("%v, %v, then %v", before, err, after)
	}
	if upTo, beyond, err := s.Read(t.Context()).IntegrationCounts(ada.ref, 1000); err != nil || len(beyond) != 0 || !maps.Equal(upTo, before) {
		t.Errorf("up to more than there is: %v and more of %v, %v, want %v", upTo, beyond, err, before)
	}
	for what, n := range before {
		if n == 0 {
			t.Errorf("no %s are counted", what)
		}
	}
	more := true
	for range 10 {
		InTx(t, s.Store, func(tx *store.Tx) (err error) { more, err = tx.DeleteSCIMLog(ada.ref, 1); return err })
		if !more {
			break
		}
	}
	if left := count(t, s, "SELECT count(*) FROM scim_requests WHERE integration_id = '"+ada.ref.IntegrationID+"'"); more || left != 0 {
		t.Errorf("%d lines of the log are left, more %t", left, more)
	}
	if others := count(t, s, "SELECT count(*) FROM scim_requests"); others == 0 {
		t.Error("another organization's log is gone")
	}
}

func boundedCounts(t *testing.T, s suite) {
	ada := newWorld(t, s.Store, "ada")
	for n := range 3 {
		u := User(t, s.Store, ada.ref, fmt.Sprintf("more%d@contoso.com", n))
		Group(t, s.Store, ada.ref, fmt.Sprint("more ", n), u.ID, ada.user.ID)
	}
	all, _, err := s.Read(t.Context()).IntegrationCounts(ada.ref, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, limit := range []int{1, 2, 3} {
		got, atLeast, err := s.Read(t.Context()).IntegrationCounts(ada.ref, limit)
		if err != nil {
			t.Fatal(err)
		}
		for what, n := range all {
			beyond := slices.Contains(atLeast, what)
			if got[what] > n || got[what] > limit || !beyond && got[what] != n || beyond && n < limit && countedAlone(what) {
				t.Errorf("up to %d there are %d %s, at least %t; there are %d", limit, got[what], what, beyond, n)
			}
		}
	}
}

// countedAlone says that something is not counted by way of something else.
func countedAlone(what string) bool {
	return !slices.Contains([]string{"links", "memberships", "events"}, what)
}
