package directory_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"usher/directory"
	"usher/model"
	"usher/model/store"
)

// guarded is a world in which anything happens while runs are worked a page at a time.
type guarded struct {
	*world
	rt     *rapid.T
	paged  *directory.Service // ends its slice behind every page
	guard  model.Guard
	users  []model.DirectoryUser
	groups []model.DirectoryGroup
	seen   map[string]*watchedRun
	feed   int64
	n      int
}

// watchedRun is what the test knows of a run from outside.
type watchedRun struct {
	limit    int             // what the guard allowed when the plan was complete, worked out by the test
	approved map[string]bool // accounts that an operator has let it deactivate
	alone    int             // deactivations without an operator's word
}

// TestGuardHolds is the promise of the guard: whatever is pushed, set, put and worked in whatever order, no run deactivates more
// accounts than its guard lets pass, but exactly those of a plan that was held and that an operator applied.
func TestGuardHolds(t *testing.T) {
	each(t, func(w *world) {
		rapid.Check(t, func(rt *rapid.T) {
			g := newGuarded(w, rt)
			steps := rapid.IntRange(10, 30).Draw(rt, "steps")
			for range steps {
				g.act()
				g.check()
			}
			g.finish()
		})
	})
}

func newGuarded(w *world, rt *rapid.T) *guarded {
	inner := *w
	g := &guarded{world: &inner, rt: rt, seen: map[string]*watchedRun{}}
	g.guard = model.Guard{Minimum: rapid.IntRange(0, 3).Draw(rt, "minimum"), Percent: rapid.IntRange(0, 40).Draw(rt, "percent")}
	org, err := w.svc.CreateOrganization(w.ctx, "org-"+store.NewID(), "Contoso")
	g.ok(err)
	g.org = org.ID
	g.ref = g.integration("Contoso", model.RoleSyncReconcile, func(i *model.Integration) { i.Guard = g.guard })
	g.roles("hr")
	directory.SetRunPage(g.svc, 3)
	g.paged = directory.New(directory.Options{Store: w.store, Keys: w.svc.Keys, Now: w.clock.Now, Observe: func(event string, _ int) {
		if event == directory.EventRunPage {
			w.clock.move(21 * time.Second)
		}
	}})
	directory.SetRunPage(g.paged, 3)
	for range rapid.IntRange(4, 12).Draw(rt, "people") {
		g.arrive()
	}
	for _, name := range []string{"HR", "IT"} {
		g.groups = append(g.groups, g.group(name, g.users[:len(g.users)/2]...))
	}
	return g
}

func (g *guarded) ok(err error) {
	if err != nil {
		g.rt.Fatal(err)
	}
}

func (g *guarded) arrive() {
	g.n++
	g.users = append(g.users, g.user(fmt.Sprintf("p%d-%s@contoso.com", g.n, rapid.SampledFrom([]string{"a", "b", "c"}).Draw(g.rt, "kind"))))
}

func (g *guarded) pick() int { return rapid.IntRange(0, len(g.users)-1).Draw(g.rt, "who") }

// act does one thing. Refusals are as good as anything: the promise must hold.
func (g *guarded) act() {
	ctx, what := g.ctx, rapid.SampledFrom([]string{
		"work", "work", "work", "work", "exclude", "exclude", "require", "push", "push", "member", "arrive", "leave", "employee", "operator", "start",
		"apply", "apply", "discard", "undo", "guard", "cancel",
	}).Draw(g.rt, "act")
	switch what {
	case "work":
		g.work()
	case "exclude":
		g.exclude()
	case "require", "guard":
		g.set(what)
	case "push":
		u := &g.users[g.pick()]
		*u = g.patch(*u, map[string]any{"active": rapid.Bool().Draw(g.rt, "active"), "title": rapid.SampledFrom([]string{"x", "y"}).Draw(g.rt, "title")})
	case "member":
		kind := rapid.SampledFrom([]model.MemberOpKind{model.MembersAdd, model.MembersRemove}).Draw(g.rt, "step")
		g.members(rapid.SampledFrom(g.groups).Draw(g.rt, "group"), kind, g.users[g.pick()])
	case "arrive":
		g.arrive()
	case "leave":
		if i := g.pick(); len(g.users) > 2 {
			g.ok(g.svc.DeleteUser(ctx, g.ref, g.users[i].ID, nil))
			g.users = append(g.users[:i:i], g.users[i+1:]...)
		}
	case "employee":
		u, gone := g.users[g.pick()], "2026-11-20"
		e := model.Employee{ExternalID: u.ID, Email: u.Email, GivenName: "Ada"}
		if rapid.Bool().Draw(g.rt, "resigned") {
			e.ResignationDate = &gone
		}
		_, _, err := g.svc.PutEmployee(ctx, g.org, e)
		g.ok(err)
	case "operator":
		for _, a := range g.accounts(store.AccountFilter{Email: g.users[g.pick()].Email}) {
			act := rapid.SampledFrom([]string{"deactivate", "reactivate"}).Draw(g.rt, "deed")
			_, err := g.svc.BulkAccounts(ctx, g.org, act, directory.BulkFilter{Q: a.Email}, false)
			g.ok(err)
		}
	case "start":
		_, err := g.svc.StartRun(ctx, g.ref, rapid.SampledFrom([]model.RunKind{model.RunReevaluation, model.RunPreview}).Draw(g.rt, "kind of run"))
		g.ok(err)
	default:
		g.judge(what)
	}
}

func (g *guarded) exclude() {
	list := []model.Exclusion{}
	for _, kind := range []string{"a", "b", "c"} {
		if rapid.Bool().Draw(g.rt, kind) {
			list = append(list, model.Exclusion{Pattern: "*-" + kind + "@*"})
		}
	}
	_, err := g.svc.ChangeExclusions(g.ctx, g.ref, list, directory.Replacing[model.Exclusion]())
	g.ok(err)
}

func (g *guarded) set(what string) {
	_, err := g.svc.ChangeIntegration(g.ctx, g.ref, func(i *model.Integration) error {
		if what == "require" {
			i.RequireGroup = !i.RequireGroup
			return nil
		}
		g.guard.Minimum = rapid.IntRange(0, 3).Draw(g.rt, "minimum")
		i.Guard = g.guard
		return nil
	}, nil)
	g.ok(err)
	_, err = g.svc.ChangeGroupMappings(g.ctx, g.ref, []model.GroupMapping{{Group: model.GroupSelector{DisplayName: "HR"}, Role: "hr"}}, directory.Replacing[model.GroupMapping]())
	g.ok(err)
}

// judge is what an operator does to a run.
func (g *guarded) judge(what string) {
	runs, err := g.store.Read(g.ctx).RunsBefore(g.org, store.RunFilter{Integration: g.ref.IntegrationID}, "", 5)
	g.ok(err)
	if len(runs) == 0 {
		return
	}
	held := slices.DeleteFunc(slices.Clone(runs), func(r model.Run) bool { return r.State != model.RunHeld })
	if len(held) > 0 && what != "undo" {
		runs = held
	}
	run := rapid.SampledFrom(runs).Draw(g.rt, "run")
	switch what {
	case "apply":
		g.apply(run)
	case "discard":
		_, err = g.svc.DiscardRun(g.ctx, g.org, run.ID, directory.PlanChoice{})
	case "cancel":
		_, err = g.svc.CancelRun(g.ctx, g.org, run.ID)
	case "undo":
		_, err = g.svc.UndoRun(g.ctx, g.org, run.ID)
	}
	if kind := model.KindOf(err); err != nil && kind != model.Refused && kind != model.Conflict {
		g.rt.Fatal(err)
	}
}

// apply notes whom the plan names before it is applied: nobody else may be deactivated by it from then on.
func (g *guarded) apply(run model.Run) {
	choice := directory.PlanChoice{LeaveMoved: rapid.Bool().Draw(g.rt, "leave moved")}
	plan, err := g.store.Read(g.ctx).PlannedAfter(g.org, run.ID, "", 500)
	g.ok(err)
	if len(plan) > 0 && rapid.Bool().Draw(g.rt, "some") {
		choice.Subjects = []string{rapid.SampledFrom(plan).Draw(g.rt, "chosen").SubjectID}
	}
	if _, err = g.svc.ApplyRun(g.ctx, g.org, run.ID, choice); err != nil {
		if kind := model.KindOf(err); kind != model.Refused && kind != model.Conflict {
			g.rt.Fatal(err)
		}
		return
	}
	seen := g.watch(run.ID)
	seen.approved = map[string]bool{}
	for _, d := range plan {
		if d.Action == model.ActionDeactivate && (len(choice.Subjects) == 0 || choice.Subjects[0] == d.SubjectID) {
			seen.approved[*d.AccountID] = true
		}
	}
	if rapid.Bool().Draw(g.rt, "and then") { // the world moves between the word and the deed
		g.exclude()
	}
	if rapid.Bool().Draw(g.rt, "at once") {
		g.page(run)
	}
}

func (g *guarded) watch(run string) *watchedRun {
	if g.seen[run] == nil {
		g.seen[run] = &watchedRun{limit: -1}
	}
	return g.seen[run]
}

// work does one page of any open run, as a worker that may be killed behind it.
func (g *guarded) work() {
	open, err := g.store.Read(g.ctx).OpenRuns(g.ref)
	g.ok(err)
	if len(open) == 0 {
		return
	}
	g.page(rapid.SampledFrom(open).Draw(g.rt, "open run"))
}

// page works one page of the run.
func (g *guarded) page(run model.Run) {
	before, err := g.store.Read(g.ctx).Run(g.org, run.ID)
	g.ok(err)
	active, err := g.store.Read(g.ctx).CountActiveAccounts(g.ref)
	g.ok(err)
	err = g.paged.Work(g.ctx, directory.WorkRun{OrganizationID: g.org, RunID: before.ID})
	if _, again := errors.AsType[*model.Throttled](err); err != nil && !again {
		g.rt.Fatal(err)
	}
	after, err := g.store.Read(g.ctx).Run(g.org, before.ID)
	g.ok(err)
	planned := after.Phase == model.PhaseApply || after.State == model.RunHeld
	if before.State != model.RunHeld && before.Phase == model.PhasePlan && planned {
		seen := g.watch(after.ID)
		seen.limit = g.guard.Limit(active + seen.alone)
		if seen.alone+after.Counts[model.ActionDeactivate] > seen.limit && after.State != model.RunHeld {
			g.rt.Fatalf("a plan of %d deactivations, %d done, was not held at a limit of %d", after.Counts[model.ActionDeactivate], seen.alone, seen.limit)
		}
	}
}

// check reads what runs have deactivated since the last look, from the change feed.
func (g *guarded) check() {
	changes, next, err := g.store.Changes(g.ctx, g.org, store.ChangeQuery{After: g.feed, Limit: 10000, Types: []string{string(model.AccountWasDeactivated)}})
	g.ok(err)
	g.feed = next
	for _, c := range changes {
		id, ok := cutRun(c.Actor)
		if !ok {
			continue
		}
		seen := g.watch(id)
		if seen.approved != nil {
			if !seen.approved[c.SubjectID] {
				g.rt.Fatalf("run %s deactivated account %s, which nobody had approved", id, c.SubjectID)
			}
			continue
		}
		if seen.alone++; seen.alone > seen.limit {
			g.rt.Fatalf("run %s deactivated %d accounts without a hold, and the guard lets %d pass", id, seen.alone, seen.limit)
		}
	}
}

// finish works every run that is not held to its end, and looks again.
func (g *guarded) finish() {
	for range 500 {
		open, err := g.store.Read(g.ctx).OpenRuns(g.ref)
		g.ok(err)
		busy := false
		for _, run := range open {
			busy = busy || run.State != model.RunHeld
		}
		if !busy {
			return
		}
		g.work()
		g.check()
	}
	g.rt.Fatal("the runs do not end")
}

func cutRun(actor string) (string, bool) {
	const prefix = "run:"
	if len(actor) <= len(prefix) || actor[:len(prefix)] != prefix {
		return "", false
	}
	return actor[len(prefix):], true
}

func TestGroupsThatArePushedAwayRaiseTheAlarm(t *testing.T) {
	each(t, func(w *world) {
		w.roles("hr")
		users := []model.DirectoryUser{w.user(ada), w.user("grace@contoso.com")}
		hr, it, free := w.group("HR", users...), w.group("IT", users...), w.group("Free", users...)
		w.mapped("HR=hr", "IT=hr")
		const alarm = "integration.group_missing"
		alarms := func(what string, fn func(), want int) {
			w.Helper()
			if n := strings.Count(strings.Join(w.during(fn).types(), " "), alarm); n != want {
				w.Fatalf("%s: %d alarms", what, n)
			}
		}
		alarms("one member leaves", func() { w.members(hr, model.MembersRemove, users[0]) }, 0)
		alarms("the group is emptied", func() { w.members(hr, model.MembersReplace) }, 1)
		alarms("a group without a mapping is emptied", func() { w.members(free, model.MembersReplace) }, 0)
		alarms("an empty group stays empty", func() { w.members(hr, model.MembersReplace) }, 0)
		alarms("the group is deleted", func() { w.ok(w.svc.DeleteGroup(w.ctx, w.ref, it.ID, nil)) }, 1)
		alarms("a group without a mapping is deleted", func() { w.ok(w.svc.DeleteGroup(w.ctx, w.ref, free.ID, nil)) }, 0)
		log := w.log()
		if line := log[len(log)-2].Summary + log[len(log)-3].Summary; !strings.Contains(line, "mapped group IT has vanished") {
			w.Fatal(line)
		}
		if w.alarms.n[directory.EventGroupMissing] != 2 {
			w.Fatalf("%v", w.alarms.n)
		}
	})
}
