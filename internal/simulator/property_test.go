package simulator_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"usher/internal/simulator"
)

// TestTheEndpointConverges mutates the tenant and the scope at random, runs cycles over an endpoint that fails at
// random, lets it recover, and compares: after the retries every user, after a restart also every reference.
func TestTheEndpointConverges(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		w := newWorld(r)
		for range rapid.IntRange(1, 30).Draw(r, "steps") {
			w.step()
		}
		w.endpoint.fault = nil
		for range 30 {
			w.clock = w.clock.Add(25 * time.Hour)
			if report := w.cycle(w.service.IncrementalCycle); report.Escrows == 0 {
				break
			} else if report.Counts.Requests == 0 {
				r.Fatalf("%d escrows and nothing was tried", report.Escrows)
			}
		}
		w.checkUsers()
		w.cycle(func(ctx context.Context) (*simulator.Report, error) { return w.service.Restart(ctx, false) })
		w.checkUsers()
		w.checkReferences()
		if report := w.cycle(w.service.IncrementalCycle); report.Counts.Requests != 0 {
			r.Fatalf("in sync, and yet: %s", report)
		}
	})
}

// world is a scene driven by random draws.
type world struct {
	*rapid.T
	tenant   *simulator.Tenant
	endpoint *endpoint
	service  *simulator.Provisioner
	clock    time.Time
	scope    simulator.Scope
	assigned map[string]bool
	made     int
}

func newWorld(r *rapid.T) *world {
	w := &world{T: r, tenant: newTenant(20), endpoint: newEndpoint(r), clock: noon(), assigned: map[string]bool{}}
	w.scope = rapid.SampledFrom([]simulator.Scope{simulator.ScopeAll, simulator.ScopeAssigned}).Draw(r, "scope")
	options := simulator.ProvisionerOptions{
		Tenant: w.tenant, TenantURL: w.endpoint.url + rapid.SampledFrom([]string{"", "?aadOptscim062020"}).Draw(r, "flag"),
		Scope: w.scope, Now: func() time.Time { return w.clock },
		UserMatching: []string{rapid.SampledFrom([]string{"userName", "externalId"}).Draw(r, "matching")},
		Concurrency:  rapid.SampledFrom([]int{1, 4}).Draw(r, "concurrency"), MembersPerPatch: rapid.IntRange(1, 5).Draw(r, "members per patch"),
		Thresholds: simulator.Thresholds{EvaluateFrom: 1_000_000},
	}
	for _, id := range w.tenant.GroupIDs()[:4] {
		options.Assigned = append(options.Assigned, id)
		w.assigned[id] = true
	}
	service, err := simulator.NewProvisioner(options)
	if err != nil {
		r.Fatal(err)
	}
	w.service = service
	return w
}

// cycle runs a cycle that must not fail as a whole.
func (w *world) cycle(run func(context.Context) (*simulator.Report, error)) *simulator.Report {
	report, err := run(w.Context())
	if err != nil {
		w.Fatalf("%s: %v", report, err)
	}
	return report
}

// step does one random thing. Refusals of the tenant (a taken name, a dynamic group) are part of the game.
func (w *world) step() {
	users, groups := w.tenant.UserIDs(), w.tenant.GroupIDs()
	user := func() string { return rapid.SampledFrom(users).Draw(w.T, "user") }
	group := func() string { return rapid.SampledFrom(groups).Draw(w.T, "group") }
	w.made++
	allowed := func(err error) {
		if err != nil && !errors.Is(err, simulator.ErrTaken) && !errors.Is(err, simulator.ErrDynamic) && !strings.Contains(err.Error(), "delete") && !strings.Contains(err.Error(), "own manager") && !errors.Is(err, simulator.ErrNotFound) {
			w.Fatal(err)
		}
	}
	actions := []func(){
		func() { allowed(w.tenant.Disable(user())) },
		func() { allowed(w.tenant.Enable(user())) },
		func() { allowed(w.tenant.SoftDelete(user())) },
		func() { allowed(w.tenant.Restore(user())) },
		func() { allowed(w.tenant.HardDelete(user())) },
		func() { _, err := w.tenant.Rename(user(), "Lise", fmt.Sprint("Meitner", w.made%3)); allowed(err) },
		func() {
			allowed(w.tenant.SetAttribute(user(), rapid.SampledFrom([]string{"jobTitle", "city", "mobile", "department", "extensionAttribute9"}).Draw(w.T, "attribute"),
				rapid.SampledFrom([]string{"Copenhagen", `a "quoted" \ one`, "ø", "True"}).Draw(w.T, "value")))
		},
		func() {
			allowed(w.tenant.SetManager(user(), rapid.SampledFrom(append(users, "")).Draw(w.T, "manager")))
		},
		func() { allowed(w.tenant.AddMember(group(), user())) },
		func() { allowed(w.tenant.AddMember(group(), user())) },
		func() { allowed(w.tenant.AddMember(group(), group())) },
		func() { w.leave(group(), allowed) },
		func() { w.leave(group(), allowed) },
		func() { allowed(w.tenant.RenameGroup(group(), fmt.Sprint("Group ", w.made))) },
		func() {
			_, err := w.tenant.AddGroup(simulator.Group{DisplayName: fmt.Sprint("New ", w.made)})
			allowed(err)
		},
		func() { allowed(w.tenant.DeleteGroup(group())) },
		func() {
			_, err := w.tenant.Hire(simulator.User{GivenName: "Lise", Surname: "Meitner1"}, group())
			allowed(err)
		},
		func() {
			id := rapid.SampledFrom(append(users, groups...)).Draw(w.T, "assign")
			w.assigned[id] = true
			w.service.Assign(id)
		},
		func() { id := group(); delete(w.assigned, id); w.service.Unassign(id) },
		w.turmoil,
		w.turmoil,
		w.turmoil,
	}
	if len(groups) < 3 || len(users) < 5 { // keep enough to draw from
		w.turmoil()
		return
	}
	rapid.SampledFrom(actions).Draw(w.T, "action")()
}

// leave removes a random member of a group.
func (w *world) leave(group string, allowed func(error)) {
	if members := w.tenant.Members(group); len(members) > 0 {
		allowed(w.tenant.RemoveMember(group, rapid.SampledFrom(members).Draw(w.T, "member")))
	}
}

// turmoil runs a cycle over an endpoint that fails every n-th write, before or after it took effect.
func (w *world) turmoil() {
	every, status := rapid.IntRange(1, 6).Draw(w.T, "fault every"), rapid.SampledFrom([]int{500, 429, 409, -500, 0, 0}).Draw(w.T, "status")
	n := 0
	w.endpoint.fault = func(r recorded) int {
		if n++; r.method == http.MethodGet || n%every != 0 {
			return 0
		}
		if r.method == http.MethodPost && status < 0 {
			return -status // a creation whose answer is lost and whose source then goes away is an orphan, in Entra too
		}
		return status
	}
	w.clock = w.clock.Add(time.Duration(rapid.IntRange(1, 300).Draw(w.T, "minutes")) * time.Minute)
	w.cycle(w.service.IncrementalCycle)
}

// inScope is the scope in the words of the documentation.
func (w *world) inScope(id string) bool {
	if w.scope == simulator.ScopeAll || w.assigned[id] {
		return true
	}
	for _, g := range w.tenant.MemberOf(id) {
		if w.assigned[g] {
			return true
		}
	}
	return false
}

// checkUsers compares every user of the tenant with the endpoint, and every user of the endpoint with the tenant.
func (w *world) checkUsers() {
	at := byObjectID(w.T, w.endpoint.store["Users"])
	for _, id := range w.tenant.UserIDs() {
		u, _ := w.tenant.User(id)
		there, provisioned := at[id]
		delete(at, id)
		switch {
		case !w.inScope(id):
			if provisioned && there["active"] != false {
				w.Fatalf("%s is out of scope and active", u.DisplayName)
			}
			continue
		case !provisioned && u.SoftDeleted():
			continue
		case !provisioned:
			w.Fatalf("%s is in scope and missing", u.DisplayName)
		case there["active"] != !u.SoftDeleted():
			w.Fatalf("%s: active is %v", u.DisplayName, there["active"])
		}
		if u.SoftDeleted() { // may have been disabled when it left the scope, and be unmanaged since
			continue
		}
		for name, want := range map[string]string{
			"userName": u.Attribute("userPrincipalName"), "displayName": u.DisplayName, "title": u.JobTitle,
		} {
			if want != "" && there[name] != want {
				w.Fatalf("%s: %s is %v, want %s", u.DisplayName, name, there[name], want)
			}
		}
		if want := u.Attribute("extensionAttribute9"); want != "" && there[usher].(resource)["extensionAttribute9"] != want {
			w.Fatalf("%s: extensionAttribute9 is %v, want %s", u.DisplayName, there[usher], want)
		}
	}
	for id, there := range at { // deleted for good: gone, unless unmanaged before
		if w.scope == simulator.ScopeAll || there["active"] != false {
			w.Fatalf("%v (%s) is not in the tenant any more", there["displayName"], id)
		}
	}
}

// checkReferences compares groups, members and managers.
func (w *world) checkReferences() {
	users, groups := byObjectID(w.T, w.endpoint.store["Users"]), byObjectID(w.T, w.endpoint.store["Groups"])
	target := map[string]string{}
	for id, r := range users {
		target[id] = r["id"].(string)
	}
	for id, r := range groups {
		target[id] = r["id"].(string)
	}
	for _, id := range w.tenant.GroupIDs() {
		g, _ := w.tenant.Group(id)
		there, provisioned := groups[id]
		delete(groups, id)
		if want := w.scope == simulator.ScopeAll || w.assigned[id]; want != provisioned {
			w.Fatalf("group %s: in scope %v, provisioned %v", g.DisplayName, want, provisioned)
		}
		if !provisioned {
			continue
		}
		want := resource{}
		for _, member := range w.tenant.Members(id) {
			if targetID, ok := target[member]; ok {
				want[targetID] = true
			}
		}
		if got := there["members"].(resource); there["displayName"] != g.DisplayName || !maps.Equal(got, want) {
			w.Fatalf("group %s (%v) has members %v, want %v", g.DisplayName, there["displayName"], got, want)
		}
	}
	if len(groups) > 0 {
		w.Fatalf("groups that are gone: %v", groups)
	}
	w.checkManagers(users, target)
}

func (w *world) checkManagers(users map[string]resource, target map[string]string) {
	for id, there := range users {
		u, exists := w.tenant.User(id)
		if !exists || u.SoftDeleted() || !w.inScope(id) {
			continue
		}
		want, resolved := target[u.ManagerID]
		if u.ManagerID != "" && !resolved {
			continue // out of scope: left as it was
		}
		extension, _ := there[enterprise].(resource)
		manager, _ := extension["manager"].(resource)
		if got, _ := manager["value"].(string); got != want {
			w.Fatalf("%s: manager is %q, want %q", u.DisplayName, got, want)
		}
	}
}

// byObjectID indexes resources by externalId, which must be unique.
func byObjectID(t *rapid.T, store map[string]resource) map[string]resource {
	out := map[string]resource{}
	for _, r := range store {
		id := r["externalId"].(string)
		if out[id] != nil {
			t.Fatalf("two resources stand for %v", r["displayName"])
		}
		out[id] = r
	}
	return out
}
