package directory_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"usher/directory"
	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
)

// crowd pushes n people of whom all but the first k are to be excluded by the pattern "*-bot@*".
func crowd(w *world, n, k int) []model.DirectoryUser {
	w.Helper()
	var users []model.DirectoryUser
	for i := range n {
		name := fmt.Sprintf("person%03d@contoso.com", i)
		if i >= k {
			name = fmt.Sprintf("person%03d-bot@contoso.com", i)
		}
		users = append(users, w.user(name))
	}
	return users
}

func (w *world) excludeBots() {
	w.Helper()
	_, err := w.svc.ChangeExclusions(w.ctx, w.ref, []model.Exclusion{{Pattern: "*-bot@*"}}, directory.Replacing[model.Exclusion]())
	w.ok(err)
	w.drain()
}

func (w *world) active() int {
	w.Helper()
	return len(w.accounts(store.AccountFilter{Status: model.AccountActive}))
}

func TestServiceGuardLetsFewPass(t *testing.T) {
	each(t, func(w *world) {
		crowd(w, 20, 10)
		w.excludeBots()
		if run := w.run(); run.State != model.RunSucceeded || run.Counts[model.ActionDeactivate] != 10 || run.Progress != (model.Progress{Done: 20, Total: 20}) {
			w.Fatalf("%+v", run)
		}
		if n := w.active(); n != 10 {
			w.Fatalf("%d accounts are active", n)
		}
	})
}

func TestServiceGuardHoldsMany(t *testing.T) {
	each(t, func(w *world) {
		crowd(w, 21, 10)
		e := w.during(w.excludeBots)
		w.wrote(e, "run.started run.held", "exclusions.changed run.held")
		run := w.run()
		if run.State != model.RunHeld || run.Counts[model.ActionDeactivate] != 11 || w.active() != 21 {
			w.Fatalf("%+v with %d active", run, w.active())
		}
		decisions, err := w.store.Read(w.ctx).RunDecisionsAfter(w.org, run.ID, model.ActionDeactivate, "", 100)
		w.ok(err)
		if len(decisions) != 11 || !strings.Contains(decisions[0].Reason, "excluded by pattern") || decisions[0].Email == "" {
			w.Fatalf("%d decisions: %+v", len(decisions), decisions)
		}
		if line := e.activity[1].Summary; !strings.Contains(line, "would deactivate 11 of 21") {
			w.Fatal(line)
		}
	})
}

func TestServiceHeldRunIsAppliedOrDiscarded(t *testing.T) {
	each(t, func(w *world) {
		crowd(w, 21, 10)
		w.excludeBots()
		held := w.run()
		_, err := w.svc.DiscardRun(w.ctx, w.org, held.ID, directory.PlanChoice{})
		w.ok(err)
		if run := w.run(); run.State != model.RunCancelled || w.active() != 21 {
			w.Fatalf("%+v with %d active", run, w.active())
		}
		_, err = w.svc.ApplyRun(w.ctx, w.org, held.ID, directory.PlanChoice{})
		w.refused(err, model.Refused, "", "only a held run")
		w.sync()
		again := w.run()
		if again.State != model.RunHeld || again.ID == held.ID {
			w.Fatalf("%+v", again)
		}
		_, err = w.svc.ApplyRun(w.ctx, w.org, again.ID, directory.PlanChoice{})
		w.ok(err)
		e := w.during(w.drain)
		if run := w.run(); run.State != model.RunSucceeded || w.active() != 10 {
			w.Fatalf("%+v with %d active", run, w.active())
		}
		if n := strings.Count(strings.Join(e.types(), " "), "account.deactivated"); n != 11 {
			w.Fatal(e.types())
		}
		for _, c := range e.changes {
			if c.Type == model.AccountWasDeactivated && c.Actor != "run:"+again.ID {
				w.Fatal(c.Actor)
			}
		}
		_, err = w.svc.DiscardRun(w.ctx, w.org, again.ID, directory.PlanChoice{})
		w.refused(err, model.Refused, "", "only a held run")
		_, err = w.svc.CancelRun(w.ctx, w.org, again.ID)
		w.refused(err, model.Refused, "", "succeeded")
	})
}

func TestServicePreviewSavesNothing(t *testing.T) {
	each(t, func(w *world) {
		users := crowd(w, 3, 3)
		_, err := w.svc.ChangeExclusions(w.ctx, w.ref, []model.Exclusion{{Pattern: "person000@*"}}, directory.Replacing[model.Exclusion]())
		w.ok(err)
		w.worked = len(storetest.Jobs(w, w.store)) // the re-evaluation waits
		run, err := w.svc.CancelRun(w.ctx, w.org, w.run().ID)
		w.ok(err)
		if run.State != model.RunCancelled {
			w.Fatalf("%+v", run)
		}
		e := w.during(func() {
			_, err = w.svc.StartRun(w.ctx, w.ref, model.RunPreview)
			w.ok(err)
			w.drain()
		})
		w.wrote(e, "run.started run.finished", "run.succeeded")
		if run := w.run(); run.Counts[model.ActionDeactivate] != 1 || w.active() != 3 || !w.mirror(users[0]).Explanation.InScope {
			w.Fatalf("%+v", run)
		}
	})
}

func TestServiceRunIsCancelledBetweenPages(t *testing.T) {
	each(t, func(w *world) {
		storetest.Users(w, w.store, w.ref, 600)
		run, err := w.svc.StartRun(w.ctx, w.ref, model.RunReevaluation)
		w.ok(err)
		job := directory.WorkRun{OrganizationID: w.org, RunID: run.ID}
		w.pages(job, 4) // three pages of the plan, one of the application
		if n := len(w.accounts(store.AccountFilter{})); n != 250 {
			w.Fatalf("%d accounts after one page", n)
		}
		if run := w.run(); run.State != model.RunRunning || run.Phase != model.PhaseApply || run.Progress.Done != 250 || run.Progress.Total != 600 {
			w.Fatalf("%+v", run)
		}
		_, err = w.svc.CancelRun(w.ctx, w.org, run.ID)
		w.ok(err)
		w.work(job)
		if run := w.run(); run.State != model.RunCancelled || run.FinishedAt == nil {
			w.Fatalf("%+v", run)
		}
		if n := w.activeCount(); n != 250 {
			w.Fatalf("%d accounts", n)
		}
	})
}

func (w *world) activeCount() int {
	w.Helper()
	n, err := w.store.Read(w.ctx).CountActiveAccounts(w.ref)
	w.ok(err)
	return n
}

// pages works n pages of a run: the time of a slice is over after each.
func (w *world) pages(job directory.WorkRun, n int) {
	w.Helper()
	svc := directory.New(directory.Options{Store: w.store, Keys: w.svc.Keys, Now: w.clock.Now, Observe: func(event string, _ int) {
		if event == directory.EventRunPage {
			w.clock.move(21 * time.Second)
		}
	}})
	directory.SetRunPage(svc, directory.RunPage(w.svc))
	for range n {
		if _, again := errors.AsType[*model.Throttled](svc.Work(w.ctx, job)); !again {
			w.Fatal("the run ended too early")
		}
	}
}

func TestServiceRunResumesAfterACrash(t *testing.T) {
	each(t, func(w *world) {
		storetest.Users(w, w.store, w.ref, 600)
		run, err := w.svc.StartRun(w.ctx, w.ref, model.RunReevaluation)
		w.ok(err)
		w.pages(directory.WorkRun{OrganizationID: w.org, RunID: run.ID}, 5)
		w.worked = len(storetest.Jobs(w, w.store)) // the worker is gone with its job
		w.ok(w.svc.Resume(w.ctx, directory.ResumeRuns{}))
		if n := len(storetest.Jobs(w, w.store)); n != w.worked {
			w.Fatal("a run that has just moved got another worker")
		}
		w.clock.move(2 * time.Minute)
		w.ok(w.svc.Resume(w.ctx, directory.ResumeRuns{}))
		e := w.during(w.drain)
		if run := w.run(); run.State != model.RunSucceeded || run.Counts[model.ActionCreate] != 600 || w.activeCount() != 600 {
			w.Fatalf("%+v with %d accounts", run, w.activeCount())
		}
		if n := strings.Count(strings.Join(e.types(), " "), "account.created"); n != 100 {
			w.Fatalf("%d accounts were created after the crash", n)
		}
	})
}

func TestServiceTwoWorkersShareARun(t *testing.T) {
	each(t, func(w *world) {
		storetest.Users(w, w.store, w.ref, 1200)
		run, err := w.svc.StartRun(w.ctx, w.ref, model.RunReevaluation)
		w.ok(err)
		done := make(chan error, 4)
		for range cap(done) {
			go func() { done <- w.svc.Work(w.ctx, directory.WorkRun{OrganizationID: w.org, RunID: run.ID}) }()
		}
		for range cap(done) {
			w.ok(<-done)
		}
		if run := w.run(); run.State != model.RunSucceeded || run.Counts[model.ActionCreate] != 1200 || w.activeCount() != 1200 {
			w.Fatalf("%+v with %d accounts", run, w.activeCount())
		}
	})
}

func TestServiceRunsTakeTurns(t *testing.T) {
	each(t, func(w *world) {
		w.user(ada)
		first, err := w.svc.StartRun(w.ctx, w.ref, model.RunPreview)
		w.ok(err)
		second, err := w.svc.StartRun(w.ctx, w.ref, model.RunReevaluation)
		w.ok(err)
		third, err := w.svc.StartRun(w.ctx, w.ref, model.RunReevaluation)
		w.ok(err)
		if third.ID != second.ID {
			w.Fatal("a queued re-evaluation does not serve the next who asks")
		}
		waiting, ok := errors.AsType[*model.Throttled](w.svc.Work(w.ctx, directory.WorkRun{OrganizationID: w.org, RunID: second.ID}))
		if !ok || waiting.After <= 0 {
			w.Fatal("the second run did not wait for the first")
		}
		w.work(directory.WorkRun{OrganizationID: w.org, RunID: first.ID})
		w.work(directory.WorkRun{OrganizationID: w.org, RunID: second.ID})
		if run := w.run(); run.State != model.RunSucceeded {
			w.Fatalf("%+v", run)
		}
	})
}

func TestServiceRunOfARemovedIntegrationEnds(t *testing.T) {
	each(t, func(w *world) {
		w.user(ada)
		run, err := w.svc.StartRun(w.ctx, w.ref, model.RunReevaluation)
		w.ok(err)
		w.ok(w.svc.DeleteIntegration(w.ctx, w.ref))
		w.work(directory.WorkRun{OrganizationID: w.org, RunID: run.ID})
		w.hasStatus(ada, model.AccountActive)
	})
}

func TestServiceImportOfAPushedIntegrationIsRefused(t *testing.T) {
	each(t, func(w *world) {
		_, err := w.svc.StartRun(w.ctx, w.ref, model.RunImport)
		w.refused(err, model.Refused, "", "nothing to import")
	})
}

func TestServiceMassDeactivationAlarm(t *testing.T) {
	each(t, func(w *world) {
		users := crowd(w, 30, 30)
		const alarm = "integration.mass_deactivation"
		leave := func(from, to int) entries {
			return w.during(func() {
				for _, u := range users[from:to] {
					w.patch(u, map[string]any{"active": false})
				}
			})
		}
		if e := leave(0, 10); strings.Contains(strings.Join(e.types(), " "), alarm) {
			w.Fatal("the alarm came within the guard's limit")
		}
		e := leave(10, 11)
		w.wrote(e, "account.deactivated directory_user.updated "+alarm, "account.deactivated "+alarm)
		var data struct{ Deactivated, Limit, Active int }
		w.ok(json.Unmarshal(e.changes[2].Data, &data))
		if data.Limit != 10 || data.Deactivated != 11 || w.alarms.n[directory.EventMassDeactivation] != 1 {
			w.Fatalf("%+v, %v", data, w.alarms.n)
		}
		if e := leave(11, 15); strings.Contains(strings.Join(e.types(), " "), alarm) {
			w.Fatal("the alarm came twice within an hour")
		}
		w.clock.move(61 * time.Minute)
		if e := leave(15, 25); strings.Contains(strings.Join(e.types(), " "), alarm) {
			w.Fatal("deactivations of more than an hour ago count")
		}
		if e := leave(25, 27); strings.Count(strings.Join(e.types(), " "), alarm) != 1 {
			w.Fatal("no second alarm after an hour")
		}
	})
}

func TestServiceApprovedRunRaisesNoAlarm(t *testing.T) {
	each(t, func(w *world) {
		users := crowd(w, 25, 10)
		w.excludeBots()
		_, err := w.svc.ApplyRun(w.ctx, w.org, w.run().ID, directory.PlanChoice{})
		w.ok(err)
		w.drain()
		e := w.during(func() { w.patch(users[0], map[string]any{"active": false}) })
		w.wrote(e, "account.deactivated directory_user.updated", "account.deactivated")
	})
}
