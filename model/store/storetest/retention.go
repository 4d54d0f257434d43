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

func retentionCases() []testCase {
	return []testCase{
		{"operations go when they ended long ago, with their steps, and never open ones", pruneOperations},
		{"runs go when they ended long ago, but not the last of their kind, nor the last that succeeded", pruneRuns},
		{"the activity log goes by its age, organization by organization, in pages", pruneActivities},
		{"idempotency keys go after their day, whoever comes again", pruneOnce},
	}
}

func pruneOperations(t *testing.T, s suite) {
	ref := Integration(t, s.Store, Org(t, s.Store)).Ref()
	ago := func(days int) *time.Time { at := s.Now().AddDate(0, 0, -days); return &at }
	for name, ended := range map[string]*time.Time{"open": nil, "old": ago(100), "older": ago(120), "young": ago(80)} {
		InTx(t, s.Store, func(tx *store.Tx) error {
			o := model.Operation{
				OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID, Kind: model.OperationOffboardUser, State: model.OperationSucceeded,
				Open: ended == nil, Subject: name, UserName: name, FinishedAt: ended, Steps: []model.OperationStep{{Action: model.StepCheck, State: model.StepDone}},
			}
			_, err := tx.InsertOperation(&o)
			return err
		})
	}
	for _, want := range []string{"older", "old", ""} {
		before := operationNames(t, s, ref.OrganizationID)
		n := 0
		InTx(t, s.Store, func(tx *store.Tx) (err error) { n, err = tx.PruneOperations(*ago(90), 1); return err })
		left := operationNames(t, s, ref.OrganizationID)
		gone := slices.DeleteFunc(before, func(name string) bool { return slices.Contains(left, name) })
		if strings.Join(gone, " ") != want || n != len(gone) {
			t.Errorf("%d went, %v, want %q", n, gone, want)
		}
	}
	if left := operationNames(t, s, ref.OrganizationID); !slices.Equal(left, []string{"open", "young"}) {
		t.Errorf("%v are left", left)
	}
	if n := count(t, s, "SELECT count(*) FROM operation_steps"); n != 2 {
		t.Errorf("%d steps are left of 2 operations", n)
	}
}

func operationNames(t *testing.T, s suite, org string) (names []string) {
	t.Helper()
	list, err := s.Read(t.Context()).OperationsBefore(org, store.OperationFilter{}, "", 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range list {
		names = append(names, o.UserName)
	}
	slices.Sort(names)
	return names
}

func pruneRuns(t *testing.T, s suite) {
	org := Org(t, s.Store)
	ref, other := Integration(t, s.Store, org).Ref(), Integration(t, s.Store, org).Ref()
	add := func(ref model.Ref, kind model.RunKind, state model.RunState, daysAgo int) {
		t.Helper()
		InTx(t, s.Store, func(tx *store.Tx) error {
			run := model.Run{OrganizationID: org, IntegrationID: ref.IntegrationID, Kind: kind, State: state, Reason: fmt.Sprint(kind, " ", state, " ", daysAgo)}
			if daysAgo > 0 {
				at := s.Now().AddDate(0, 0, -daysAgo)
				run.FinishedAt = &at
			}
			return tx.InsertRun(&run)
		})
	}
	add(ref, model.RunImport, model.RunSucceeded, 200)    // goes
	add(ref, model.RunImport, model.RunFailed, 190)       // goes
	add(ref, model.RunImport, model.RunSucceeded, 180)    // the last that succeeded
	add(ref, model.RunImport, model.RunFailed, 170)       // goes: another one failed later
	add(ref, model.RunReevaluation, model.RunFailed, 160) // the last of its kind
	add(ref, model.RunImport, model.RunFailed, 20)        // young
	add(ref, model.RunPreview, model.RunSucceeded, 150)   // goes
	add(ref, model.RunPreview, model.RunSucceeded, 140)   // the last of its kind
	add(ref, model.RunImport, model.RunRunning, 0)        // open
	add(other, model.RunImport, model.RunSucceeded, 300)  // another integration's last
	total, pages := 0, 0
	for n := 3; n > 0; pages++ {
		InTx(t, s.Store, func(tx *store.Tx) (err error) { n, err = tx.PruneRuns(s.Now().AddDate(0, 0, -90), 3); return err })
		total += n
	}
	var left []string
	list, err := s.Read(t.Context()).RunsBefore(org, store.RunFilter{}, "", 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range list {
		left = append(left, r.Reason)
	}
	want := []string{
		"import succeeded 300", "import running 0", "preview succeeded 140", "import failed 20", "reevaluation failed 160", "import succeeded 180",
	}
	if !slices.Equal(left, want) || total != 4 || pages != 3 {
		t.Errorf("%d went in %d pages; left are\n%q, want\n%q", total, pages, left, want)
	}
}

func pruneActivities(t *testing.T, s suite) {
	orgs := []string{Org(t, s.Store), Org(t, s.Store)}
	for n := range 5 {
		InTx(t, s.Store, func(tx *store.Tx) error {
			return tx.Log(model.Activity{OrganizationID: orgs[n%2], Actor: "system", Action: "account.updated", Summary: fmt.Sprint(n)}, nil)
		})
	}
	prune := func(before time.Time) (went int) {
		t.Helper()
		lines := func() int { return count(t, s, "SELECT count(*) FROM activities") }
		began, after := lines(), ""
		for range 10 {
			var organization string
			more := false
			InTx(t, s.Store, func(tx *store.Tx) (err error) {
				organization, more, err = tx.PruneActivities(after, before, 2)
				return err
			})
			if organization == "" {
				return began - lines()
			}
			if !more {
				after = organization
			}
		}
		t.Error("there is no end of organizations")
		return 0
	}
	if n := prune(s.Now().Add(-time.Minute)); n != 0 {
		t.Errorf("%d lines went that are young", n)
	}
	if n := prune(s.Now().Add(time.Minute)); n != 5 {
		t.Errorf("%d of 5 lines went", n)
	}
}

func pruneOnce(t *testing.T, s suite) {
	for _, key := range []string{"a", "b"} {
		if _, _, err := s.BeginOnce(t.Context(), Org(t, s.Store), key, "print"); err != nil {
			t.Fatal(err)
		}
	}
	prune := func() (n int) {
		InTx(t, s.Store, func(tx *store.Tx) (err error) { n, err = tx.PruneOnce(1); return err })
		return n
	}
	if n := prune(); n != 0 {
		t.Errorf("%d keys of today went", n)
	}
	age := "UPDATE idempotent_requests SET created_at = ?"
	if s.postgres() {
		age = "UPDATE idempotent_requests SET created_at = $1"
	}
	if _, err := s.DB().ExecContext(t.Context(), age, s.Now().Add(-25*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if first, second, third := prune(), prune(), prune(); first != 1 || second != 1 || third != 0 {
		t.Errorf("%d, %d and %d went, want one at a time", first, second, third)
	}
}
