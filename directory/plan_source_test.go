package directory

import (
	"context"
	"strings"
	"testing"

	"usher/internal/secret"
	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
)

// TestReaderIsNoWriter makes sure that what only reads a tenant cannot be turned into what writes.
func TestReaderIsNoWriter(t *testing.T) {
	t.Parallel()
	st := storetest.OpenSQLite(t)
	ref := storetest.Ref(t, st)
	s := New(Options{Store: st})
	s.Tenants = func(context.Context, model.Ref) (Tenant, error) {
		return struct {
			TenantReader
			TenantWriter
		}{}, nil
	}
	got, err := s.reader(t.Context(), ref)
	if err != nil || got == nil {
		t.Fatalf("%v, %v", got, err)
	}
	if w, ok := got.(TenantWriter); ok {
		t.Fatalf("a reader writes: %T", w)
	}
}

// arriving is a source that brings a new title to everyone of the mirror, and knows of groups that are missing.
type arriving struct {
	mirrorSource
	missing []model.MissingGroup
	calls   *[]string
}

func (a arriving) work(ctx context.Context, tx *store.Tx, keys []string, apply bool) (*settlement, error) {
	w, err := a.mirrorSource.work(ctx, tx, keys, apply)
	if err != nil {
		return nil, err
	}
	w.gone = map[string]string{}
	for i := range w.facts.Users {
		w.gone[w.facts.Users[i].ID] = "deleted in Entra"
	}
	w.keep = func(u *model.DirectoryUser, _ *Decision) error { return tx.DeleteDirectoryUser(u) }
	return w, nil
}

func (a arriving) missingGroups(context.Context, *store.Tx) ([]model.MissingGroup, error) {
	return a.missing, nil
}

func (a arriving) before(_ context.Context, _ *store.Tx, phase model.RunPhase) error {
	*a.calls = append(*a.calls, string(phase))
	return nil
}

func (a arriving) done(context.Context, *store.Tx) error {
	*a.calls = append(*a.calls, "done")
	return nil
}

func (a arriving) discarded(context.Context, *store.Tx) error {
	*a.calls = append(*a.calls, "discarded")
	return nil
}

// reading is arriving, read from outside in two goes.
type reading struct {
	arriving
	svc *Service
}

func (r reading) read(ctx context.Context, run model.Run) (bool, error) {
	*r.calls = append(*r.calls, "read")
	err := r.svc.Store.InTx(ctx, func(tx *store.Tx) error {
		locked, err := tx.LockRun(run.OrganizationID, run.ID)
		if err != nil {
			return err
		}
		locked.Progress.Done++
		return tx.UpdateRun(&locked)
	})
	return run.Progress.Done == 1, err
}

func TestRunOfASource(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		keys, err := secret.Parse(secret.NewKey())
		if err != nil {
			t.Fatal(err)
		}
		ctx := t.Context()
		ref := storetest.Ref(t, st)
		storetest.Users(t, st, ref, 4)
		var calls []string
		alarms := 0
		s := New(Options{Store: st, Keys: keys, Observe: func(event string, _ int) {
			if event == EventGroupMissing {
				alarms++
			}
		}})
		var missing []model.MissingGroup
		s.sources = map[model.RunKind]func(*Service, *model.Run) runSource{model.RunReevaluation: func(s *Service, run *model.Run) runSource {
			return reading{arriving{mirrorSource{svc: s, ref: run.Ref()}, missing, &calls}, s}
		}}
		work := func() model.Run {
			t.Helper()
			run, err := s.StartRun(ctx, ref, model.RunReevaluation)
			if err != nil {
				t.Fatal(err)
			}
			if run.Phase != model.PhaseRead {
				t.Fatalf("begins with %s", run.Phase)
			}
			return finishRun(t, s, run)
		}
		missing = []model.MissingGroup{{DisplayName: "HR", Use: "mapped", Members: 4, Gone: true}, {ExternalID: "x", Use: "chosen", Members: 2}}
		held := work()
		if held.State != model.RunHeld || alarms != 1 || !strings.Contains(held.HeldBecause, "mapped group HR has vanished, chosen group x came back without members") {
			t.Fatalf("%+v with %d alarms", held, alarms)
		}
		if _, err := s.DiscardRun(ctx, ref.OrganizationID, held.ID, PlanChoice{}); err != nil {
			t.Fatal(err)
		}
		missing = nil
		done := work()
		if done.State != model.RunSucceeded || done.Phases[model.PhaseRead].Done != 2 || alarms != 1 {
			t.Fatalf("%+v", done)
		}
		if got := strings.Join(calls, " "); got != "read read plan discarded read read plan apply done" {
			t.Fatal(got)
		}
		if n, err := st.Read(ctx).CountDirectoryUsers(ref); err != nil || n != 0 {
			t.Fatalf("%d users are left, %v", n, err)
		}
	})
}

func finishRun(t *testing.T, s *Service, run model.Run) model.Run {
	t.Helper()
	for job := workOf(&run); ; job = workOf(&run) {
		if err := s.Work(t.Context(), job); err != nil {
			t.Fatal(err)
		}
		var err error
		if run, err = s.Store.Read(t.Context()).Run(run.OrganizationID, run.ID); err != nil {
			t.Fatal(err)
		}
		if !job.Reading {
			return run
		}
	}
}
