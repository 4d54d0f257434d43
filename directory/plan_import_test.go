package directory_test

import (
	"fmt"
	"strings"
	"testing"

	"usher/directory"
	"usher/model"
	graph "usher/model/entra"
)

func TestImportThatLostAGroupIsHeld(t *testing.T) {
	eachImporting(t, func(w *importing) {
		w.roles("hr")
		people := []string{w.tenant.person("ada"), w.tenant.person("grace")}
		all, hr := w.tenant.group("All", people...), w.tenant.group("HR", people...)
		w.choose(all)
		_, err := w.svc.ChangeGroupMappings(w.ctx, w.ref, []model.GroupMapping{{Group: model.GroupSelector{ExternalID: hr}, Role: "hr"}}, directory.Replacing[model.GroupMapping]())
		w.ok(err)
		w.imported()
		w.hasRoles("ada@contoso.com", "hr")
		for _, p := range people {
			w.tenant.leave(hr, p)
		}
		e := w.during(func() {
			if run := w.runImport(); run.State != model.RunHeld || !strings.Contains(run.HeldBecause, "mapped group HR came back without members") ||
				len(run.Guard.MissingGroups) != 1 || run.Guard.MissingGroups[0].Members != 2 {
				w.Fatalf("%+v %+v", run, run.Guard)
			}
		})
		w.wrote(e, "run.started integration.group_missing run.held", "integration.group_missing run.held")
		if w.alarms.n[directory.EventGroupMissing] != 1 {
			w.Fatalf("%v", w.alarms.n)
		}
		held := w.run()
		_, err = w.svc.StartRun(w.ctx, w.ref, model.RunImport)
		w.refused(err, model.Refused, "", held.ID)
		_, err = w.svc.ApplyRun(w.ctx, w.org, held.ID, directory.PlanChoice{})
		w.ok(err)
		w.drain()
		w.imported() // and nobody tells of it again
		w.tenant.removeGroup(all, true)
		if run := w.runImport(); run.State != model.RunHeld || !strings.Contains(run.HeldBecause, "chosen group All has vanished") {
			w.Fatalf("%+v", run)
		}
		w.hasStatus("ada@contoso.com", model.AccountActive)
	})
}

func TestImportIsAppliedPerPerson(t *testing.T) {
	eachImporting(t, func(w *importing) {
		var people []string
		for i := range 16 {
			people = append(people, w.tenant.person(fmt.Sprintf("person%02d", i)))
		}
		w.choose(w.tenant.group("All", people...))
		w.imported()
		for _, id := range people[:12] {
			w.tenant.change(id, func(u *graph.User) { u.AccountEnabled = false })
		}
		held := w.runImport()
		if held.State != model.RunHeld || held.Counts[model.ActionDeactivate] != 12 || w.activeIn() != 16 {
			w.Fatalf("%+v", held)
		}
		users := w.mirrored()
		if !users[people[0]].Active {
			w.Fatal("the mirror changed before the plan was applied")
		}
		_, err := w.svc.ApplyRun(w.ctx, w.org, held.ID, directory.PlanChoice{Subjects: []string{users[people[0]].ID, users[people[1]].ID}, Hash: held.Hash})
		w.ok(err)
		w.drain()
		if run := w.run(); run.State != model.RunSucceeded || w.activeIn() != 14 {
			w.Fatalf("%+v with %d active", run, w.activeIn())
		}
		if users = w.mirrored(); users[people[0]].Active || !users[people[2]].Active {
			w.Fatal("the mirror shows what was not applied, or not what was")
		}
		if next := w.runImport(); next.State != model.RunSucceeded || next.Counts[model.ActionDeactivate] != 10 || w.activeIn() != 4 {
			w.Fatalf("what was left is not planned again: %+v", next)
		}
	})
}

func (w *importing) activeIn() int {
	w.Helper()
	n, err := w.store.Read(w.ctx).CountActiveAccounts(w.ref)
	w.ok(err)
	return n
}
