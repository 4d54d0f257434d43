package directory_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"usher/directory"
	"usher/model"
	graph "usher/model/entra"
	"usher/model/outlook"
)

// TestImportConverges lets random things happen in a tenant whose deltas have every documented oddity, while imports fail, lose their
// links and are killed. In the end the mirror is the tenant as far as it is in scope, and nobody has lost an account or got a second
// one.
func TestImportConverges(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			eachImporting(t, func(w *importing) {
				c := &converging{importing: w, rand: rand.New(rand.NewPCG(seed, 7)), accounts: map[string]string{}} //nolint:gosec // a test repeats
				c.begin()
				for range 20 {
					for range c.rand.IntN(8) {
						c.act()
					}
					c.importBadly()
				}
				c.finish()
			})
		})
	}
}

type converging struct {
	*importing
	rand     *rand.Rand
	people   []string
	groups   []string
	accounts map[string]string // by object id, as far as anybody had one
	everyone bool
}

func (c *converging) begin() {
	c.tenant.rand = c.rand
	c.integrationSetting(func(i *model.Integration) { i.NestedGroups, i.Guard.Minimum = c.rand.IntN(2) == 0, 1000 })
	for n := range 8 {
		c.people = append(c.people, c.tenant.person(fmt.Sprint("person", n)))
	}
	for n := range 5 {
		c.groups = append(c.groups, c.tenant.group(fmt.Sprint("group", n)))
	}
	for range 12 {
		c.tenant.join(c.some(c.groups), c.some(c.people))
	}
	c.chooseSome()
}

func (c *converging) some(list []string) string { return list[c.rand.IntN(len(list))] }

func (c *converging) chooseSome() {
	groups := slices.DeleteFunc(slices.Clone(c.groups), func(id string) bool { return c.tenant.groups[id].gone })
	if len(groups) == 0 {
		return
	}
	c.choose(slices.Compact(slices.Sorted(slices.Values([]string{c.some(groups), c.some(groups)})))...)
	var mappings []model.GroupMapping
	for _, id := range groups[:min(2, len(groups))] {
		c.roles(id)
		mappings = append(mappings, model.GroupMapping{Group: model.GroupSelector{ExternalID: id}, Role: id})
	}
	_, err := c.svc.ChangeGroupMappings(c.ctx, c.ref, mappings, directory.Replacing[model.GroupMapping]())
	c.ok(err)
}

// act lets one thing happen in the tenant, or to the settings.
func (c *converging) act() {
	id, group := c.some(c.people), c.some(c.groups)
	u := c.tenant.users[id]
	switch c.rand.IntN(16) {
	case 0, 1, 2:
		c.tenant.join(group, id)
	case 3, 4:
		c.tenant.leave(group, id)
	case 5:
		c.tenant.change(id, func(u *graph.User) { u.DisplayName = fmt.Sprint("name ", c.tenant.n) })
	case 6:
		c.tenant.change(id, func(u *graph.User) { u.AccountEnabled = !u.AccountEnabled })
	case 7:
		if !u.purged {
			c.tenant.remove(id)
		}
	case 8:
		if u.bin {
			c.tenant.restore(id, c.rand.IntN(2) == 0)
		}
	case 9:
		if u.bin {
			c.tenant.purge(id)
		}
	case 10:
		c.swapNames(id, c.some(c.people))
	case 11:
		c.people = append(c.people, c.tenant.person(fmt.Sprint("person", len(c.people))))
	case 12:
		if other := c.some(c.groups); other != group {
			c.tenant.join(group, other)
		}
	case 13:
		c.tenant.leave(group, c.some(c.groups))
	case 14:
		c.tenant.rename(group, fmt.Sprint("group ", c.tenant.n))
	case 15:
		c.settings(group)
	}
}

func (c *converging) swapNames(a, b string) {
	one, other := c.tenant.users[a], c.tenant.users[b]
	if a == b || one.purged || other.purged || one.bin || other.bin {
		return
	}
	first, second := one.UserPrincipalName, other.UserPrincipalName
	c.tenant.change(a, func(u *graph.User) { u.UserPrincipalName = second })
	c.tenant.change(b, func(u *graph.User) { u.UserPrincipalName = first })
}

func (c *converging) settings(group string) {
	switch c.rand.IntN(5) {
	case 0:
		c.tenant.removeGroup(group, !c.tenant.groups[group].gone)
	case 1:
		c.integrationSetting(func(i *model.Integration) { i.NestedGroups = !i.NestedGroups })
	case 2:
		c.everyone = !c.everyone
		c.integrationSetting(func(i *model.Integration) {
			if i.Scope = model.ScopeGroups; c.everyone {
				i.Scope = model.ScopeEveryone
			}
		})
	case 3:
		c.tenant.forget()
	case 4:
		c.chooseSome()
	}
}

// importBadly imports while everything goes wrong now and then. It also keeps in mind who has which account.
func (c *converging) importBadly() {
	c.Helper()
	ctx, kill := context.WithCancel(c.ctx)
	c.tenant.mu.Lock()
	c.tenant.failing = func(call string) error {
		switch c.rand.IntN(14) {
		case 0:
			return &outlook.Error{Kind: outlook.Unavailable, Status: 503}
		case 1:
			if strings.HasSuffix(call, "Delta") {
				return &outlook.Error{Kind: outlook.SyncLost, Status: 410, Code: "syncStateNotFound"}
			}
		case 2:
			return &outlook.Error{Kind: outlook.Forbidden, Status: 403, Code: "Authorization_RequestDenied"}
		case 3:
			kill()
			return ctx.Err()
		}
		return nil
	}
	c.tenant.mu.Unlock()
	c.clock.move(time.Hour)
	_, err := c.svc.StartRun(c.ctx, c.ref, model.RunImport)
	if err != nil && model.KindOf(err) != model.Refused {
		c.ok(err)
	}
	run := c.run()
	for range 200 {
		err := c.svc.Work(ctx, directory.WorkRun{OrganizationID: c.org, RunID: run.ID})
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			ctx, kill = context.WithCancel(c.ctx)
		}
	}
	kill()
	c.tenant.mu.Lock()
	c.tenant.failing = nil
	c.tenant.mu.Unlock()
	c.drain()
	c.answer()
	c.remember()
}

// answer applies or discards a run that is held, because a group has gone or is empty.
func (c *converging) answer() {
	c.Helper()
	run, err := c.store.Read(c.ctx).RunsBefore(c.org, importsOf(c.ref), "", 1)
	c.ok(err)
	if len(run) == 0 || run[0].State != model.RunHeld {
		return
	}
	if c.rand.IntN(2) == 0 {
		if _, err = c.svc.ApplyRun(c.ctx, c.org, run[0].ID, directory.PlanChoice{}); err == nil {
			c.drain()
			return
		}
	}
	_, err = c.svc.DiscardRun(c.ctx, c.org, run[0].ID, directory.PlanChoice{})
	c.ok(err)
}

func (c *converging) remember() {
	c.Helper()
	owner := map[string]string{}
	for id, u := range c.mirrored() {
		if u.AccountID == nil {
			continue
		}
		if before := c.accounts[id]; before != "" && before != *u.AccountID {
			c.Fatalf("%s had account %s and has %s", id, before, *u.AccountID)
		}
		if owner[*u.AccountID] != "" {
			c.Fatalf("%s and %s have one account", id, owner[*u.AccountID])
		}
		c.accounts[id], owner[*u.AccountID] = *u.AccountID, id
	}
}

// finish imports in peace, and compares.
func (c *converging) finish() {
	c.Helper()
	if !c.everyone {
		c.chooseSome() // a group that is there
	}
	c.drain()
	for range 2 {
		c.clock.move(25 * time.Hour)
		c.approved()
	}
	c.tenant.rand = nil
	c.approved()
	c.remember()
	lists, err := c.svc.Lists(c.ctx, c.ref)
	c.ok(err)
	c.compare(lists)
	if run := c.imported(); run.Progress.Done != 0 {
		c.Fatalf("an import without change looked at %d people", run.Progress.Done)
	}
}

// approved imports, and applies what is held.
func (c *converging) approved() {
	c.Helper()
	run := c.runImport()
	if run.State == model.RunHeld {
		_, err := c.svc.ApplyRun(c.ctx, c.org, run.ID, directory.PlanChoice{})
		c.ok(err)
		c.drain()
	}
}

// inScope gives who is in scope by the tenant's own account.
func (c *converging) inScope(lists model.IntegrationSettings) map[string]bool {
	in := map[string]bool{}
	if lists.Integration.Scope == model.ScopeEveryone {
		for id := range c.tenant.users {
			in[id] = true
		}
		return in
	}
	var walk func(id string, seen map[string]bool)
	walk = func(id string, seen map[string]bool) {
		g := c.tenant.groups[id]
		if g == nil || g.gone || seen[id] {
			return
		}
		seen[id] = true
		for m, is := range g.members {
			switch {
			case is.left:
			case is.kind == graph.MemberUser:
				in[m] = true
			case lists.Integration.NestedGroups:
				walk(m, seen)
			}
		}
	}
	for _, g := range lists.ChosenGroups {
		walk(g.ExternalID, map[string]bool{})
	}
	return in
}

func (c *converging) compare(lists model.IntegrationSettings) {
	c.Helper()
	in, mirror := c.inScope(lists), c.mirrored()
	for id, u := range c.tenant.users {
		is, there := mirror[id]
		exists := !u.bin && !u.purged
		switch {
		case in[id] && exists && !there:
			c.Fatalf("%s is in scope and not in the mirror", u.UserPrincipalName)
		case !there:
			continue
		case !exists && is.Active:
			c.Fatalf("%s is deleted and active in the mirror", u.UserPrincipalName)
		case exists && (is.UserName != u.UserPrincipalName || is.DisplayName != u.DisplayName || is.Active != u.AccountEnabled):
			c.Fatalf("%+v is in the mirror as %s %s %t", u.User, is.UserName, is.DisplayName, is.Active)
		}
		if want := in[id] && exists && u.AccountEnabled; is.Explanation.InScope != want {
			c.Fatalf("%s in scope: %t, want %t: %s", u.UserPrincipalName, is.Explanation.InScope, want, is.Explanation.Scope)
		}
		c.compareAccount(is)
	}
	c.compareGroups(mirror)
}

func (c *converging) compareAccount(u model.DirectoryUser) {
	c.Helper()
	if u.AccountID == nil {
		// Two people who have swapped their names may each claim the other one's account; the second is reported.
		claims := strings.Contains(u.Explanation.Roles, "of the same integration already")
		if u.Explanation.InScope && !claims {
			c.Fatalf("%s is in scope and has no account: %+v", u.UserName, u.Explanation)
		}
		return
	}
	a, err := c.store.Read(c.ctx).Account(c.org, *u.AccountID)
	c.ok(err)
	if (a.Status == model.AccountActive) != u.Explanation.InScope {
		c.Fatalf("%s in scope: %t, and its account is %s", u.UserName, u.Explanation.InScope, a.Status)
	}
}

// compareGroups compares the members of every group of the mirror with the tenant's.
func (c *converging) compareGroups(mirror map[string]model.DirectoryUser) {
	c.Helper()
	groups, err := c.store.Read(c.ctx).DirectoryGroupsAfter(c.ref, "", 100)
	c.ok(err)
	byID := map[string]string{}
	for id, u := range mirror {
		byID[u.ID] = id
	}
	for _, g := range groups {
		members, err := c.store.Read(c.ctx).MembersAfter(c.ref, g.ID, "", 1000)
		c.ok(err)
		has := map[string]bool{}
		for _, m := range members {
			if m.Type == model.MemberUser {
				has[byID[m.ID]] = true
			}
		}
		want := map[string]bool{}
		is := c.tenant.groups[g.ExternalID]
		for m, member := range is.members {
			if _, there := mirror[m]; there && !member.left && !is.gone {
				want[m] = true
			}
		}
		if !maps.Equal(has, want) || is.gone || g.DisplayName != is.DisplayName {
			c.Fatalf("group %s (%s, gone: %t) has %v, want %v", g.DisplayName, is.DisplayName, is.gone, has, want)
		}
	}
}
