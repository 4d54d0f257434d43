package app_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"usher/directory"
	"usher/internal/secret"
	"usher/internal/simulator"
	"usher/internal/simulator/entraid"
	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
)

// TestImportConvergesWithTheSimulator lets things happen in a pretend tenant whose deltas repeat, replay, split, shuffle, come late
// and lose their links, while imports are killed between two pages. In the end the mirror is the tenant, as far as it is in scope.
func TestImportConvergesWithTheSimulator(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, s *store.Store) {
				w := newImported(t, s, seed)
				for range 12 {
					for range w.random.IntN(10) {
						w.act()
					}
					w.badly()
				}
				w.peace()
				w.compare()
			})
		})
	}
}

// imported is a pretend tenant, and a service that imports from it.
type imported struct {
	*town
	store    *store.Store
	svc      *directory.Service
	ref      model.Ref
	random   *rand.Rand
	chosen   []string
	accounts map[string]string // by object id
}

func newImported(t *testing.T, s *store.Store, seed uint64) *imported {
	t.Helper()
	w := &imported{town: newTown(t), store: s, random: rand.New(rand.NewPCG(seed, 11)), accounts: map[string]string{}} //nolint:gosec // a test repeats
	keys, err := secret.Parse(secret.NewKey())
	w.must(err)
	w.svc = directory.New(directory.Options{
		Store: s, Keys: keys, Now: w.clock,
		Tenants: func(context.Context, model.Ref) (directory.Tenant, error) {
			return w.directory.Client(wireClientID), nil
		},
	})
	ctx := t.Context()
	org, err := w.svc.CreateOrganization(ctx, "contoso", "Contoso")
	w.must(err)
	i := directory.DefaultIntegration("Contoso", model.IngressGraph)
	i.NestedGroups, i.Guard.Minimum = true, 1000
	i, err = w.svc.CreateIntegration(ctx, org.ID, i, nil)
	w.must(err)
	w.ref = i.Ref()
	for _, name := range []string{simulator.GroupHeadquarters, simulator.GroupManagers, simulator.GroupPartners} {
		g, _ := w.GroupNamed(name)
		w.chosen = append(w.chosen, g.ID)
	}
	var list []model.GroupSelector
	for _, id := range w.chosen {
		list = append(list, model.GroupSelector{ExternalID: id})
	}
	_, err = w.svc.ChangeChosenGroups(ctx, w.ref, list, directory.Replacing[model.GroupSelector]())
	w.must(err)
	return w
}

func (w *imported) user() string { return w.UserIDs()[w.random.IntN(len(w.UserIDs()))] }

func (w *imported) anyGroup() string { return w.GroupIDs()[w.random.IntN(len(w.GroupIDs()))] }

// act lets one thing happen in the tenant; what the tenant refuses does not happen.
func (w *imported) act() {
	id, group := w.user(), w.anyGroup()
	switch w.random.IntN(12) {
	case 0, 1, 2:
		_ = w.AddMember(group, id)
	case 3, 4:
		_ = w.RemoveMember(group, id)
	case 5:
		_, _ = w.Rename(id, "New", fmt.Sprint("Name", w.random.IntN(100)))
	case 6:
		_ = w.Disable(id)
	case 7:
		_ = w.Enable(id)
	case 8:
		_ = w.SoftDelete(id)
	case 9:
		_ = w.Restore(id)
	case 10:
		_, _ = w.Hire(simulator.User{GivenName: "Fresh", Surname: fmt.Sprint("Person", w.random.IntN(1000))}, group)
	case 11:
		switch w.random.IntN(5) {
		case 0:
			_ = w.HardDelete(id)
		case 1:
			_ = w.Tenant.SetManager(id, w.user())
		case 2:
			_ = w.RenameGroup(group, fmt.Sprint("Group ", w.random.IntN(1000)))
		case 3:
			w.directory.ExpireLinks()
		case 4:
			_ = w.AddMember(group, w.anyGroup())
		}
	}
}

// badly imports while Graph has every fault, and the process is killed now and then.
func (w *imported) badly() {
	w.t.Helper()
	w.directory.SetFaults(entraid.Faults{
		Throttle: 0.05, ThrottleAfter: time.Second, Unavailable: 0.05, SyncLost: 0.03, EmptyPage: 0.2, Repeat: 0.3, Phantom: 0.1, Replay: 0.1,
		RemovedAtFirst: 0.3, LateMembers: 0.2, Shuffle: true, SplitGroups: true,
	})
	w.work(30)
	w.remember()
}

// work starts an import, unless one is open, and works all runs; every so many pages the process is killed.
func (w *imported) work(pages int) {
	w.t.Helper()
	w.pass(time.Hour)
	if _, err := w.svc.StartRun(w.t.Context(), w.ref, model.RunImport); err != nil {
		w.t.Fatal(err)
	}
	for range 500 {
		open, err := w.store.Read(w.t.Context()).OpenRuns(w.ref)
		w.must(err)
		if len(open) == 0 {
			return
		}
		if open[0].State == model.RunHeld { // a group is empty now
			if _, err := w.svc.ApplyRun(w.t.Context(), w.ref.OrganizationID, open[0].ID, directory.PlanChoice{}); err != nil {
				w.t.Fatal(err)
			}
		}
		ctx, kill := context.WithCancel(w.t.Context())
		left := 1 + w.random.IntN(pages)
		w.svc.Tenants = func(context.Context, model.Ref) (directory.Tenant, error) {
			if left--; left == 0 {
				kill()
			}
			return w.directory.Client(wireClientID), nil
		}
		_ = w.svc.Work(ctx, directory.WorkRun{OrganizationID: w.ref.OrganizationID, RunID: open[0].ID})
		kill()
	}
	w.t.Fatal("the runs do not end")
}

func (w *imported) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// remember wants everybody to keep the account they have.
func (w *imported) remember() {
	w.t.Helper()
	owner := map[string]string{}
	for id, u := range w.mirror() {
		if u.AccountID == nil {
			continue
		}
		if before := w.accounts[id]; before != "" && before != *u.AccountID {
			w.t.Fatalf("%s had account %s and has %s", u.UserName, before, *u.AccountID)
		}
		if owner[*u.AccountID] != "" {
			w.t.Fatalf("%s and %s have one account", u.UserName, owner[*u.AccountID])
		}
		w.accounts[id], owner[*u.AccountID] = *u.AccountID, u.UserName
	}
}

func (w *imported) mirror() map[string]model.DirectoryUser {
	w.t.Helper()
	list, err := w.store.Read(w.t.Context()).DirectoryUsersAfter(w.ref, "", 10000)
	w.must(err)
	users := map[string]model.DirectoryUser{}
	for _, u := range list {
		users[u.ExternalID] = u
	}
	return users
}

// peace imports until nothing can be late or lost any more.
func (w *imported) peace() {
	w.t.Helper()
	w.directory.SetFaults(entraid.Faults{})
	for range 3 {
		w.pass(25 * time.Hour)
		w.work(1000)
	}
	runs, err := w.store.Read(w.t.Context()).RunsBefore(w.ref.OrganizationID, store.RunFilter{Kind: model.RunImport}, "", 1)
	w.must(err)
	if runs[0].State != model.RunSucceeded || runs[0].Progress.Done != 0 {
		w.t.Fatalf("an import without change is %s after %d people: %s", runs[0].State, runs[0].Progress.Done, runs[0].Error)
	}
	w.remember()
}

func (w *imported) compare() {
	w.t.Helper()
	in, mirror := map[string]bool{}, w.mirror()
	for _, id := range w.chosen {
		for _, member := range w.Transitive(id) {
			in[member] = true
		}
	}
	present := map[string]bool{}
	for _, id := range w.UserIDs() {
		u, _ := w.User(id)
		is, there := mirror[id]
		present[id] = u.DeletedAt.IsZero()
		switch {
		case in[id] && present[id] && !there:
			w.t.Fatalf("%s is in scope and not in the mirror", u.UserPrincipalName)
		case !there:
			continue
		case !present[id]:
			if is.Active {
				w.t.Fatalf("%s is deleted and active in the mirror", u.UserPrincipalName)
			}
			continue
		}
		w.compareUser(u, is)
		if want := in[id] && u.AccountEnabled; is.Explanation.InScope != want {
			w.t.Fatalf("%s in scope: %t, want %t: %s", u.UserPrincipalName, is.Explanation.InScope, want, is.Explanation.Scope)
		}
	}
	for id, u := range mirror {
		if !present[id] && (u.Active || u.Explanation.InScope) {
			w.t.Fatalf("%s is gone and in scope in the mirror", u.UserName)
		}
	}
	w.compareGroups(mirror)
}

func (w *imported) compareUser(u simulator.User, is model.DirectoryUser) {
	w.t.Helper()
	attrs := is.Document.Attributes()
	enterprise, _ := attrs["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"].(map[string]any)
	manager, _ := enterprise["manager"].(map[string]any)
	got := []any{is.UserName, is.DisplayName, is.Active, fmt.Sprint(manager["value"])}
	want := []any{u.UserPrincipalName, u.DisplayName, u.AccountEnabled, fmt.Sprint(map[string]any{"value": orNil(u.ManagerID)}["value"])}
	if !slices.Equal(got, want) {
		w.t.Fatalf("the mirror has %v, the tenant %v", got, want)
	}
}

func orNil(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func (w *imported) compareGroups(mirror map[string]model.DirectoryUser) {
	w.t.Helper()
	read := w.store.Read(w.t.Context())
	groups, err := read.DirectoryGroupsAfter(w.ref, "", 1000)
	w.must(err)
	object := map[string]string{}
	for id, u := range mirror {
		object[u.ID] = id
	}
	for _, g := range groups {
		members, err := read.MembersAfter(w.ref, g.ID, "", 10000)
		w.must(err)
		has, want := map[string]bool{}, map[string]bool{}
		for _, m := range members {
			if m.Type == model.MemberUser {
				has[object[m.ID]] = true
			}
		}
		for _, id := range w.Members(g.ExternalID) {
			if _, there := mirror[id]; there {
				want[id] = true
			}
		}
		is, _ := w.Group(g.ExternalID)
		if !maps.Equal(has, want) || g.DisplayName != is.DisplayName {
			w.t.Fatalf("group %s (%s) has %v, want %v", g.DisplayName, is.DisplayName, has, want)
		}
	}
}
