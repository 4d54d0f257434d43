package directory_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"usher/directory"
	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
)

// held has a crowd of n of whom the bots, all but the first k, are to be deactivated, and gives the run that is held for it.
func (w *world) held(n, k int) (model.Run, []model.DirectoryUser) {
	w.Helper()
	users := crowd(w, n, k)
	w.excludeBots()
	run := w.run()
	if run.State != model.RunHeld || run.Hash == "" || run.ExpiresAt == nil || run.Guard == nil || !run.Guard.Holds {
		w.Fatalf("%+v", run)
	}
	return run, users
}

func (w *world) decision(run model.Run, subject string) model.RunDecision {
	w.Helper()
	list, err := w.store.Read(w.ctx).RunDecisionsOf(w.org, run.ID, []string{subject})
	w.ok(err)
	if len(list) != 1 {
		w.Fatalf("%d decisions on %s", len(list), subject)
	}
	return list[0]
}

func TestPlanIsNotAppliedToAWorldThatMoved(t *testing.T) {
	each(t, func(w *world) {
		run, users := w.held(31, 10)
		w.patch(users[12], map[string]any{"title": "Engine"}) // by the new settings, which deactivate the account
		w.patch(users[5], map[string]any{"title": "Engine"})  // who is not in the plan
		_, err := w.svc.ApplyRun(w.ctx, w.org, run.ID, directory.PlanChoice{})
		w.refused(err, model.Conflict, "", users[12].Email)
		if strings.Contains(err.Error(), users[13].Email) || strings.Contains(err.Error(), users[5].Email) {
			w.Fatalf("people are named who did not change: %v", err)
		}
		if w.run().State != model.RunHeld || w.active() != 30 {
			w.Fatalf("%+v with %d active", w.run(), w.active())
		}
		_, err = w.svc.ApplyRun(w.ctx, w.org, run.ID, directory.PlanChoice{LeaveMoved: true})
		w.ok(err)
		w.drain()
		run = w.run()
		if run.State != model.RunSucceeded || run.Applied[model.ActionDeactivate] != 20 || run.LeftAlone != 1 || w.active() != 10 {
			w.Fatalf("%+v with %d active", run, w.active())
		}
		if d := w.decision(run, users[12].ID); d.State != model.DecisionLeft || !strings.Contains(d.Note, "changed after the plan") {
			w.Fatalf("%+v", d)
		}
		if d := w.decision(run, users[13].ID); d.State != model.DecisionApplied || d.Was == nil {
			w.Fatalf("%+v", d)
		}
	})
}

func TestPlanIsNotAppliedUnderOtherSettings(t *testing.T) {
	each(t, func(w *world) {
		run, users := w.held(31, 10)
		_, err := w.svc.ChangeExclusions(w.ctx, w.ref, []model.Exclusion{{Pattern: "person01*-bot@*"}}, directory.Replacing[model.Exclusion]())
		w.ok(err)
		w.worked = len(storetest.Jobs(w, w.store)) // its re-evaluation waits
		_, err = w.svc.ApplyRun(w.ctx, w.org, run.ID, directory.PlanChoice{})
		w.refused(err, model.Conflict, "", users[20].Email)
		only := directory.PlanChoice{Subjects: ids(users[10:13])}
		_, err = w.svc.ApplyRun(w.ctx, w.org, run.ID, only) // whom the new settings exclude as well
		w.ok(err)
		w.work(directory.WorkRun{OrganizationID: w.org, RunID: run.ID})
		if w.active() != 28 {
			w.Fatalf("%d active", w.active())
		}
	})
}

func TestPlanIsAppliedUnderSettingsThatDoTheSame(t *testing.T) {
	each(t, func(w *world) {
		run, _ := w.held(31, 10)
		w.roles("hr")
		w.worked = len(storetest.Jobs(w, w.store))
		_, err := w.svc.ApplyRun(w.ctx, w.org, run.ID, directory.PlanChoice{})
		w.ok(err)
		w.drain()
		if w.active() != 10 {
			w.Fatalf("%d active", w.active())
		}
	})
}

func TestPlanThatIsNotHeldCountsItsPhases(t *testing.T) {
	each(t, func(w *world) {
		for _, name := range []string{"ada", "grace", "alan"} {
			w.user(name + "@contoso.com")
		}
		_, err := w.svc.StartRun(w.ctx, w.ref, model.RunReevaluation)
		w.ok(err)
		w.drain()
		run, all := w.run(), model.Progress{Done: 3, Total: 3}
		if run.State != model.RunSucceeded || run.Phases[model.PhasePlan] != all || run.Phases[model.PhaseApply] != all {
			w.Fatalf("%s: %+v", run.State, run.Phases)
		}
	})
}

func TestPlanOfMovedPeopleIsLeftWhileItIsApplied(t *testing.T) {
	each(t, func(w *world) {
		directory.SetRunPage(w.svc, 7)
		run, users := w.held(31, 10)
		_, err := w.svc.ApplyRun(w.ctx, w.org, run.ID, directory.PlanChoice{Hash: run.Hash})
		w.ok(err)
		w.patch(users[25], map[string]any{"title": "Engine"}) // between the word and the deed
		late := w.user("late-bot@contoso.com")                // who is excluded from the beginning
		w.drain()
		run = w.run()
		if run.State != model.RunSucceeded || run.LeftAlone != 1 || !strings.Contains(run.Error, "1 people changed") {
			w.Fatalf("%+v", run)
		}
		if d := w.decision(run, users[25].ID); d.State != model.DecisionLeft {
			w.Fatalf("%+v", d)
		}
		w.noAccount(late.Email)
		if run.Phases[model.PhasePlan].Done != 31 || run.Phases[model.PhaseApply].Done != 32 {
			w.Fatalf("%+v", run.Phases)
		}
	})
}

func TestPlanIsAppliedPerPerson(t *testing.T) {
	each(t, func(w *world) {
		run, users := w.held(31, 10)
		_, err := w.svc.ApplyRun(w.ctx, w.org, run.ID, directory.PlanChoice{Subjects: []string{users[10].ID, users[0].ID}})
		w.refused(err, model.Invalid, "subjects[1]", "nothing to apply")
		_, err = w.svc.ApplyRun(w.ctx, w.org, run.ID, directory.PlanChoice{Except: []string{"x"}})
		w.refused(err, model.Invalid, "except[0]", "not the id")
		_, err = w.svc.ApplyRun(w.ctx, w.org, run.ID, directory.PlanChoice{Hash: "other"})
		w.refused(err, model.Precondition, "hash", run.Hash)
		_, err = w.svc.ApplyRun(w.ctx, w.org, run.ID, directory.PlanChoice{Subjects: []string{users[10].ID, users[11].ID}, Hash: run.Hash})
		w.ok(err)
		w.drain()
		run = w.run()
		if run.State != model.RunSucceeded || !run.Partial || run.Applied[model.ActionDeactivate] != 2 || run.LeftAlone != 19 || run.Error != "" {
			w.Fatalf("%+v", run)
		}
		w.hasStatus(users[10].Email, model.AccountDeactivated)
		w.hasStatus(users[12].Email, model.AccountActive)
	})
}

func TestPlanIsAppliedExceptSome(t *testing.T) {
	each(t, func(w *world) {
		run, users := w.held(31, 10)
		_, err := w.svc.DiscardRun(w.ctx, w.org, run.ID, directory.PlanChoice{Subjects: []string{users[11].ID}})
		w.ok(err)
		_, err = w.svc.ApplyRun(w.ctx, w.org, run.ID, directory.PlanChoice{Except: []string{users[10].ID}})
		w.ok(err)
		w.drain()
		run = w.run()
		if run.State != model.RunSucceeded || run.Applied[model.ActionDeactivate] != 19 || run.LeftAlone != 2 {
			w.Fatalf("%+v", run)
		}
		w.hasStatus(users[10].Email, model.AccountActive)
		w.hasStatus(users[11].Email, model.AccountActive)
		if d := w.decision(run, users[11].ID); !strings.Contains(d.Note, "discarded") {
			w.Fatalf("%+v", d)
		}
	})
}

func TestPlanOfNobodyIsDiscarded(t *testing.T) {
	each(t, func(w *world) {
		run, users := w.held(31, 10)
		_, err := w.svc.DiscardRun(w.ctx, w.org, run.ID, directory.PlanChoice{Subjects: ids(users[10:])})
		w.ok(err)
		if run := w.run(); run.State != model.RunCancelled || w.active() != 31 {
			w.Fatalf("%+v", run)
		}
	})
}

func TestPlanExpires(t *testing.T) {
	each(t, func(w *world) {
		run, _ := w.held(21, 10)
		w.clock.move(7*24*time.Hour - time.Second)
		w.ok(w.svc.Tidy(w.ctx, directory.TidyRuns{}))
		if w.run().State != model.RunHeld {
			w.Fatal("it expired too early")
		}
		w.clock.move(time.Second)
		_, err := w.svc.ApplyRun(w.ctx, w.org, run.ID, directory.PlanChoice{})
		w.refused(err, model.Refused, "", "expired")
		w.ok(w.svc.Tidy(w.ctx, directory.TidyRuns{}))
		if run := w.run(); run.State != model.RunCancelled || !strings.Contains(run.Error, "expired") || w.active() != 21 {
			w.Fatalf("%+v", run)
		}
		decisions := func() int {
			list, err := w.store.Read(w.ctx).RunDecisionsAfter(w.org, run.ID, "", "", 100)
			w.ok(err)
			return len(list)
		}
		w.clock.move(89 * 24 * time.Hour)
		w.ok(w.svc.Tidy(w.ctx, directory.TidyRuns{}))
		if decisions() != 11 {
			w.Fatal("the plan was forgotten too early")
		}
		w.clock.move(2 * 24 * time.Hour)
		w.ok(w.svc.Tidy(w.ctx, directory.TidyRuns{}))
		if n := decisions(); n != 0 {
			w.Fatalf("%d decisions are kept for ever", n)
		}
	})
}

// TestPlanThatIsOvertakenIsHeld has settings change between the plan of a run, which passes the guard, and its application.
func TestPlanThatIsOvertakenIsHeld(t *testing.T) {
	each(t, func(w *world) {
		directory.SetRunPage(w.svc, 10)
		crowd(w, 40, 10)
		_, err := w.svc.ChangeExclusions(w.ctx, w.ref, []model.Exclusion{{Pattern: "person03*-bot@*"}}, directory.Replacing[model.Exclusion]())
		w.ok(err)
		run := w.run()
		job := directory.WorkRun{OrganizationID: w.org, RunID: run.ID}
		w.pages(job, 5) // all of the plan: 10 deactivations, as many as pass
		if run := w.run(); run.Phase != model.PhaseApply || run.Counts[model.ActionDeactivate] != 10 {
			w.Fatalf("%+v", run)
		}
		_, err = w.svc.ChangeExclusions(w.ctx, w.ref, []model.Exclusion{{Pattern: "*-bot@*"}}, directory.Replacing[model.Exclusion]())
		w.ok(err)
		w.work(job)
		held, err := w.store.Read(w.ctx).Run(w.org, run.ID)
		w.ok(err)
		if held.State != model.RunHeld || w.active() < 30 || held.Guard.Deactivations != 30 {
			w.Fatalf("%+v with %d active", held, w.active())
		}
		if !strings.Contains(held.HeldBecause, "would deactivate 30 of 40") {
			w.Fatal(held.HeldBecause)
		}
		before := w.active()
		_, err = w.svc.ApplyRun(w.ctx, w.org, held.ID, directory.PlanChoice{})
		w.ok(err)
		w.work(job)
		if held, err = w.store.Read(w.ctx).Run(w.org, run.ID); err != nil || held.State != model.RunSucceeded || w.active() != 10 || before == 10 {
			w.Fatalf("%+v with %d active, %v", held, w.active(), err)
		}
		_, err = w.svc.UndoRun(w.ctx, w.org, held.ID) // what was applied before it was held and after
		w.ok(err)
		w.drain()
		if run := w.run(); run.State != model.RunSucceeded || w.active() != 40 {
			w.Fatalf("%+v with %d active", run, w.active())
		}
	})
}

func TestDecisionsComeInOrder(t *testing.T) {
	each(t, func(w *world) {
		directory.SetRunPage(w.svc, 4)
		run, users := w.held(31, 10)
		storetest.Users(w, w.store, w.ref, 30) // who have no accounts yet
		_, err := w.svc.DiscardRun(w.ctx, w.org, run.ID, directory.PlanChoice{})
		w.ok(err)
		w.sync()
		run = w.run()
		var all []model.RunDecision
		for after := ""; ; {
			list, err := w.store.Read(w.ctx).RunDecisionsAfter(w.org, run.ID, "", after, 7)
			w.ok(err)
			all = append(all, list...)
			if len(list) < 7 {
				break
			}
			after = store.DecisionCursor(list[6])
		}
		if len(all) != 51 || all[20].Action != model.ActionDeactivate || all[21].Action != model.ActionCreate {
			w.Fatalf("%d decisions: %+v", len(all), all)
		}
		if !slices.IsSortedFunc(all[:21], func(a, b model.RunDecision) int { return strings.Compare(a.SubjectID, b.SubjectID) }) {
			w.Fatal("not in the order of subjects")
		}
		_, err = w.store.Read(w.ctx).RunDecisionsAfter(w.org, run.ID, "", users[0].ID, 7)
		w.refused(err, model.Invalid, "after", "not a cursor")
	})
}

func TestPlanHashIsThatOfThePlan(t *testing.T) {
	each(t, func(w *world) {
		crowd(w, 21, 10)
		w.excludeBots()
		hash := func() string {
			w.Helper()
			_, err := w.svc.StartRun(w.ctx, w.ref, model.RunPreview)
			w.ok(err)
			w.drain()
			return w.run().Hash
		}
		first := hash()
		directory.SetRunPage(w.svc, 3)
		if again := hash(); again != first || again == "" {
			w.Fatal("the same plan has two hashes")
		}
		_, err := w.svc.StartPreview(w.ctx, w.ref, model.PreviewSettings{Exclusions: &[]model.Exclusion{{Pattern: "person01*"}}})
		w.ok(err)
		w.drain()
		if other := w.run().Hash; other == first {
			w.Fatal("two plans have one hash")
		}
	})
}
