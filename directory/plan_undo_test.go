package directory_test

import (
	"strings"
	"testing"

	"usher/directory"
	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
)

func TestUndoTakesBackWhatARunDid(t *testing.T) {
	each(t, func(w *world) {
		w.roles("hr", "it")
		users := crowd(w, 12, 12)
		hr := w.group("HR", users[:6]...)
		w.mapped("HR=hr")
		w.hasRoles(users[0].Email, "hr")
		changed := users[1]
		_, err := w.svc.SetRoles(w.ctx, w.org, w.account(users[2].Email).ID, []string{"hr", "it"})
		w.ok(err)
		w.mapped("HR=it")
		applied := w.run()
		w.hasRoles(users[0].Email, "it")
		w.patch(changed, map[string]any{"displayName": "Grace"})
		preview, err := w.svc.StartRun(w.ctx, w.ref, model.RunPreview)
		w.ok(err)
		_, err = w.svc.UndoRun(w.ctx, w.org, preview.ID)
		w.refused(err, model.Refused, "", "that has ended")
		w.drain()
		_, err = w.svc.UndoRun(w.ctx, w.org, preview.ID)
		w.refused(err, model.Refused, "", "nothing to undo")
		e := w.during(func() {
			run, err := w.svc.UndoRun(w.ctx, w.org, applied.ID)
			w.ok(err)
			if run.Kind != model.RunUndo || run.UndoOf == nil || *run.UndoOf != applied.ID {
				w.Fatalf("%+v", run)
			}
			_, err = w.svc.UndoRun(w.ctx, w.org, applied.ID)
			w.refused(err, model.Refused, "", run.ID)
			w.drain()
		})
		w.hasRoles(users[0].Email, "hr")
		w.hasRoles(changed.Email, "it")
		w.hasRoles(users[2].Email, "hr", "it")
		run := w.run()
		if run.State != model.RunSucceeded || run.Counts[model.ActionUpdate] != 5 || run.Counts[model.ActionSkip] != 1 {
			w.Fatalf("%+v", run)
		}
		if d := w.decision(run, changed.ID); !strings.Contains(d.Reason, "changed since") {
			w.Fatalf("%+v", d)
		}
		if n := strings.Count(strings.Join(e.types(), " "), "account.roles_changed"); n != 5 {
			w.Fatal(e.types())
		}
		if g := w.mirror(users[0]).Explanation.Grants; len(g) != 1 || g[0].Role != "hr" {
			w.Fatalf("explained by %+v", g)
		}
		_ = hr
		again, err := w.svc.UndoRun(w.ctx, w.org, run.ID) // and back again
		w.ok(err)
		w.drain()
		if run := w.run(); run.ID != again.ID || run.Counts[model.ActionUpdate] != 5 {
			w.Fatalf("%+v", run)
		}
		w.hasRoles(users[0].Email, "it")
	})
}

func TestUndoOfAccountsThatARunMade(t *testing.T) {
	each(t, func(w *world) {
		storetest.Users(w, w.store, w.ref, 12)
		w.sync()
		made := w.run()
		if made.Applied[model.ActionCreate] != 12 || w.active() != 12 {
			w.Fatalf("%+v", made)
		}
		_, err := w.svc.UndoRun(w.ctx, w.org, made.ID)
		w.ok(err)
		w.drain()
		run := w.run() // the guard is for an undo as well
		if run.State != model.RunHeld || w.active() != 12 {
			w.Fatalf("%+v", run)
		}
		_, err = w.svc.ApplyRun(w.ctx, w.org, run.ID, directory.PlanChoice{Hash: run.Hash})
		w.ok(err)
		w.drain()
		if run := w.run(); run.State != model.RunSucceeded || run.Applied[model.ActionDeactivate] != 12 || w.active() != 0 {
			w.Fatalf("%+v with %d active", run, w.active())
		}
		w.sync()
		if w.active() != 0 {
			w.Fatal("a sync brought back what was undone")
		}
	})
}

func TestUndoUnlinks(t *testing.T) {
	each(t, func(w *world) {
		_, err := w.svc.ChangeExclusions(w.ctx, w.ref, []model.Exclusion{{Pattern: "ada@*"}}, directory.Replacing[model.Exclusion]())
		w.ok(err)
		_, err = w.svc.CreateAccount(w.ctx, w.org, model.Account{Email: ada, JobTitle: "Countess"})
		w.ok(err)
		u := w.user(ada, map[string]any{"title": "Engineer"})
		_, err = w.svc.ChangeExclusions(w.ctx, w.ref, []model.Exclusion{}, directory.Replacing[model.Exclusion]())
		w.ok(err)
		w.drain()
		if a := w.account(ada); w.mirror(u).AccountID == nil || *w.mirror(u).AccountID != a.ID {
			w.Fatalf("%+v is not linked", a)
		}
		linked := w.run()
		_, err = w.svc.UndoRun(w.ctx, w.org, linked.ID)
		w.ok(err)
		w.drain()
		if a := w.account(ada); w.mirror(u).AccountID != nil || a.JobTitle != "Countess" || a.Status != model.AccountActive {
			w.Fatalf("%+v", a)
		}
	})
}

func TestUndoSaysWhatItCannot(t *testing.T) {
	each(t, func(w *world) {
		w.roles("admin", "hr")
		_, err := w.svc.ChangeExclusions(w.ctx, w.ref, []model.Exclusion{{Pattern: "*@contoso.com"}}, directory.Replacing[model.Exclusion]())
		w.ok(err)
		w.drain()
		storetest.Users(w, w.store, w.ref, 3)
		w.sync()
		_, err = w.svc.ChangeExclusions(w.ctx, w.ref, []model.Exclusion{}, directory.Replacing[model.Exclusion]())
		w.ok(err)
		w.drain()
		made := w.run()
		accounts := w.accounts(store.AccountFilter{})
		if len(accounts) != 3 {
			w.Fatalf("%d accounts after %+v", len(accounts), made)
		}
		_, err = w.svc.DeactivateAccount(w.ctx, w.org, accounts[0].ID)
		w.ok(err)
		_, err = w.svc.ArchiveAccount(w.ctx, w.org, accounts[0].ID)
		w.ok(err)
		w.ok(w.svc.DeleteAccount(w.ctx, w.org, accounts[0].ID))
		_, err = w.svc.UndoRun(w.ctx, w.org, made.ID)
		w.ok(err)
		w.drain()
		run := w.run()
		if run.Applied[model.ActionDeactivate] != 2 || run.Applied[model.ActionSkip] != 1 {
			w.Fatalf("%+v", run)
		}
		list, err := w.store.Read(w.ctx).RunDecisionsAfter(w.org, run.ID, model.ActionSkip, "", 10)
		w.ok(err)
		if len(list) != 1 || !strings.Contains(list[0].Reason, "not there any more") {
			w.Fatalf("%+v", list)
		}
	})
}
