package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"usher/internal/simulator"
)

// aDay is what happens in a tenant: somebody leaves, somebody is renamed, somebody changes departments.
func (st *story) aDay() error {
	st.heading("A day in the tenant: a leaver, a rename, a mover; then Entra's incremental cycle")
	leaver, err := st.named("Charles Babbage")
	if err != nil {
		return err
	}
	renamed, err := st.named("Grace Hopper")
	if err != nil {
		return err
	}
	mover, err := st.named("Alan Turing")
	if err != nil {
		return err
	}
	before, _, err := st.account(renamed.ID)
	if err != nil {
		return err
	}
	hr, _ := st.tenant.GroupNamed("HR")
	if err := st.tenant.SoftDelete(leaver.ID); err != nil {
		return err
	}
	if _, err := st.tenant.Rename(renamed.ID, "Grace", "Murray"); err != nil {
		return err
	}
	if err := st.tenant.AddMember(hr.ID, mover.ID); err != nil {
		return err
	}
	if err := st.cycle(st.entra.IncrementalCycle); err != nil {
		return err
	}
	return st.afterTheDay(leaver, renamed, mover, before)
}

func (st *story) afterTheDay(leaver, renamed, mover simulator.User, before account) error {
	a, u, err := st.account(leaver.ID)
	if err != nil {
		return err
	}
	st.say("  left:     %-18s the account %s is %s (%s)", leaver.DisplayName, a.Email, a.Status, u.Explanation.Scope)
	st.check(a.Status == "deactivated", "the leaver's account is %s", a.Status)
	st.check(a.Email == leaver.Mail, "the leaver's login became %q", a.Email)

	if a, _, err = st.account(renamed.ID); err != nil {
		return err
	}
	st.say("  renamed:  %-18s the same account is now %s, %s", renamed.DisplayName, a.DisplayName, a.Email)
	st.check(a.ID == before.ID, "the rename made another account")
	st.check(a.DisplayName == "Grace Murray", "the renamed account is called %q", a.DisplayName)

	if a, u, err = st.account(mover.ID); err != nil {
		return err
	}
	st.say("  moved:    %-18s roles %s, training level %s at %d sites (%d groups give roles)", mover.DisplayName,
		strings.Join(a.Roles, ", "), level(a), len(a.Permissions), len(u.Explanation.Grants))
	st.check(slices.Contains(a.Roles, "hr"), "the mover lacks the role hr")
	st.check(len(a.Permissions) == 2, "the mover has %d permissions: the site and the one that inherits from it were expected", len(a.Permissions))

	onDemand := func(ctx context.Context) (*simulator.Report, error) { return st.entra.OnDemand(ctx, mover.ID) }
	st.say("  and once more on demand, which Entra does in its older dialect:")
	return st.cycle(onDemand)
}

func level(a account) string {
	if len(a.Permissions) == 0 {
		return "none"
	}
	return a.Permissions[0].Level
}

// changeOfMind changes what a group gives, which re-evaluates everyone.
func (st *story) changeOfMind() error {
	st.heading("A change of mind: group All Employees now gives colleague instead of employee")
	if err := st.api.call(st.ctx, http.MethodPut, st.path("/group-mappings"), groupMappings("colleague"), nil); err != nil {
		return err
	}
	run, err := st.latestRun()
	if err != nil {
		return err
	}
	st.say("  the re-evaluation %s: %v", run.State, run.Counts)
	st.check(run.State == "succeeded", "the re-evaluation is %s: %s", run.State, run.Error)
	all, err := st.accounts(nil)
	if err != nil {
		return err
	}
	counts := map[string]int{}
	for _, a := range all {
		if a.Status != "active" || st.isEmployee(a) {
			continue
		}
		for _, r := range a.Roles {
			counts[r]++
		}
	}
	st.check(counts["employee"] == 0 && counts["colleague"] > 0, "after the change the roles are held so: %v", counts)
	return nil
}

// theGuard tries a settings change that would deactivate everyone, sees it held, and takes it back.
func (st *story) theGuard() error {
	st.heading("A mistake: an exclusion that matches everyone")
	var current []map[string]any
	if err := st.api.call(st.ctx, http.MethodGet, st.path("/exclusions"), nil, &current); err != nil {
		return err
	}
	mistake := append(slices.Clone(current), map[string]any{"pattern": "*@contoso.example"})
	if err := st.api.call(st.ctx, http.MethodPut, st.path("/exclusions"), mistake, nil); err != nil {
		return err
	}
	run, err := st.latestRun()
	if err != nil {
		return err
	}
	st.say("  the run is %s: it would have deactivated %d accounts, and applied nothing", run.State, run.Counts["deactivate"])
	st.check(run.State == "held", "the run that deactivates everyone is %s", run.State)
	if err := st.api.call(st.ctx, http.MethodPost, "/runs/"+run.ID+"/discard", nil, nil); err != nil {
		return err
	}
	if err := st.api.call(st.ctx, http.MethodPut, st.path("/exclusions"), current, nil); err != nil {
		return err
	}
	if run, err = st.latestRun(); err != nil {
		return err
	}
	st.say("  discarded, and the exclusion taken back: %v", run.Counts)
	st.check(run.State == "succeeded" && run.Counts["deactivate"] == 0 && run.Counts["reactivate"] == 0, "after taking it back the run %s with %v", run.State, run.Counts)
	return nil
}

// theFeed reads the change feed as an application does, and checks its order.
func (st *story) theFeed() error {
	st.heading("What an application reads")
	changes, err := list[changeView](st.ctx, st.api, "/changes", nil)
	if err != nil {
		return err
	}
	kinds, seen := map[string]int{}, map[string]bool{}
	for _, c := range changes {
		kinds[c.Type]++
		st.check(!seen[c.ID], "change %s stands twice in the feed", c.ID)
		seen[c.ID] = true
	}
	for _, kind := range []string{"directory_user.created", "account.created", "membership.added", "account.roles_changed", "account.deactivated", "run.held", "calendar.created", "event.created", "event.updated"} {
		st.say("    %5d  %s", kinds[kind], kind)
		st.check(kinds[kind] > 0, "the feed has no %s", kind)
	}
	st.say("  %s", fmt.Sprintf("%d changes in order; the next ones come with GET /api/v1/changes?after=…&wait=30s", len(changes)))
	return nil
}
