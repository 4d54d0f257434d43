package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"usher/internal/simulator"
	"usher/internal/simulator/exchange"
)

// story is what the demonstration does, tells and checks.
type story struct {
	ctx    context.Context //nolint:containedctx // one story, one context
	out    io.Writer
	api    *client
	url    string
	people int

	tenant      *simulator.Tenant
	entra       *simulator.Provisioner
	integration string
	world       *demoWorld
	faults      []string // that were asked for
	ada         exchange.Person
	calendar    string   // Ada's
	problems    []string // what did not check out
	checks      int
}

func (st *story) say(format string, args ...any) { _, _ = fmt.Fprintf(st.out, format+"\n", args...) }

func (st *story) heading(text string) { st.say("\n== %s", text) }

// check notes whether what ought to be is.
func (st *story) check(ok bool, format string, args ...any) {
	st.checks++
	if !ok {
		st.problems = append(st.problems, fmt.Sprintf(format, args...))
	}
}

// tell goes through the story; it gives an error where a step failed or a check did not hold.
func (st *story) tell() error {
	for _, step := range []func() error{
		st.setUp, st.initialCycle, st.whoCame, st.whoGotWhat, st.aDay, st.changeOfMind, st.theGuard, st.theImport, st.theCalendars, st.theFeed,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	st.heading("Checked")
	if len(st.problems) > 0 {
		for _, p := range st.problems {
			st.say("  WRONG: %s", p)
		}
		return fmt.Errorf("%d of %d checks did not hold", len(st.problems), st.checks)
	}
	st.say("  all %d checks hold: the mirror equals the tenant, and every account is what the rules say", st.checks)
	return nil
}

// setUp makes the catalogue, the integration and the rules, as an administrator would over the API.
func (st *story) setUp() error {
	st.heading("Setting up: roles, a site, mappings, exclusions, an employee")
	put := func(path string, body any) error { return st.api.call(st.ctx, http.MethodPut, path, body, nil) }
	for _, item := range []struct {
		path string
		body map[string]any
	}{
		{"/roles/employee", map[string]any{"name": "Employee"}},
		{"/roles/hr", map[string]any{"name": "HR"}},
		{"/roles/manager", map[string]any{"name": "Manager"}},
		{"/roles/guest", map[string]any{"name": "Guest"}},
		{"/roles/colleague", map[string]any{"name": "Colleague"}},
		{"/roles/administrator", map[string]any{"name": "Administrator", "administrator": true}},
		{"/modules/training", map[string]any{"name": "Training"}},
		{"/sites/europe", map[string]any{"name": "Europe"}},
		{"/sites/copenhagen", map[string]any{"name": "Copenhagen", "parent": "europe"}},
		{"/custom-fields/employee_number", map[string]any{"name": "Employee number", "type": "text"}},
		{"/employees/e-77", map[string]any{"email": "katherine.johnson@contoso.example", "given_name": "Katherine", "family_name": "Johnson", "department": "Flight Research", "job_title": "Mathematician"}},
	} {
		if err := put(item.path, item.body); err != nil {
			return err
		}
	}
	var made struct {
		ID   string `json:"id"`
		SCIM struct {
			BaseURL string `json:"base_url"`
		} `json:"scim"`
	}
	err := st.api.call(st.ctx, http.MethodPost, "/integrations", map[string]any{
		"name": "Contoso (simulated)", "ingress": "scim", "role_sync": "reconcile", "default_role": "guest",
	}, &made)
	if err != nil {
		return err
	}
	st.integration = made.ID
	var token struct {
		Token string `json:"token"`
	}
	if err := st.api.call(st.ctx, http.MethodPost, st.path("/scim-tokens"), map[string]any{"name": "Entra"}, &token); err != nil {
		return err
	}
	if err := put(st.path("/group-mappings"), groupMappings("employee")); err != nil {
		return err
	}
	if err := put(st.path("/exclusions"), []map[string]any{{"pattern": "svc-*"}, {"pattern": "*noreply*"}, {"pattern": "*scanner*"}, {"pattern": "room-*"}}); err != nil {
		return err
	}
	st.say("  Tenant URL    %s", made.SCIM.BaseURL)
	st.say("  Secret Token  %s… (made for the simulated tenant)", token.Token[:16])
	return st.connect(made.SCIM.BaseURL, token.Token)
}

func (st *story) path(rest string) string { return "/integrations/" + st.integration + rest }

// groupMappings says what groups give; everyone's role is named because the story changes it.
func groupMappings(everyone string) []map[string]any {
	group := func(name string) map[string]any { return map[string]any{"display_name": name} }
	return []map[string]any{
		{"group": group(simulator.GroupAllEmployees), "role": everyone, "time_zone": "Europe/Copenhagen", "currency": "DKK"},
		{"group": group("HR"), "role": "hr", "site": "europe", "permissions": []map[string]any{{"module": "training", "level": "admin"}}},
		{"group": group(simulator.GroupManagers), "role": "manager", "site": "europe", "permissions": []map[string]any{{"module": "training", "level": "manager"}}},
	}
}

// connect makes the pretend tenant and points its provisioning service at Usher, in the dialect of the flag.
func (st *story) connect(tenantURL, token string) error {
	st.tenant = st.world.people
	var err error
	st.entra, err = simulator.NewProvisioner(simulator.ProvisionerOptions{
		Tenant: st.tenant, TenantURL: tenantURL + "/?aadOptscim062020", Token: token, Scope: simulator.ScopeAll, Concurrency: 4,
	})
	if err != nil {
		return err
	}
	report, err := st.entra.TestConnection(st.ctx)
	if err == nil {
		st.say("  Test connection: %s", report)
	}
	return err
}

func (st *story) initialCycle() error {
	st.heading("Entra's initial cycle, over HTTP")
	return st.cycle(st.entra.InitialCycle)
}

// cycle runs one cycle of the provisioning service and refuses failures.
func (st *story) cycle(run func(context.Context) (*simulator.Report, error)) error {
	report, err := run(st.ctx)
	if err != nil {
		return err
	}
	st.say("  %s", report)
	for _, e := range report.Failures() {
		st.check(false, "Entra reports %s", e)
	}
	return nil
}

func (st *story) mirror() ([]directoryUser, error) {
	return list[directoryUser](st.ctx, st.api, st.path("/directory-users"), nil)
}

func (st *story) accounts(query url.Values) ([]account, error) {
	return list[account](st.ctx, st.api, "/accounts", query)
}

// account finds the account of a user of the tenant, through the mirror.
func (st *story) account(objectID string) (account, directoryUser, error) {
	var a account
	var u directoryUser
	err := st.api.call(st.ctx, http.MethodGet, st.path("/directory-users/"+st.entra.TargetID(objectID)), nil, &u)
	if err == nil && u.AccountID != nil {
		err = st.api.call(st.ctx, http.MethodGet, "/accounts/"+*u.AccountID, nil, &a)
	}
	return a, u, err
}

// named finds a user of the tenant; the names are those that every tenant has.
func (st *story) named(name string) (simulator.User, error) {
	u, ok := st.tenant.UserNamed(name)
	if !ok {
		return u, fmt.Errorf("the simulated tenant has no %s", name)
	}
	return u, nil
}

// whoCame shows the mirror and who was excluded, and compares the mirror with the tenant.
func (st *story) whoCame() error {
	st.heading("Who came")
	users, err := st.mirror()
	if err != nil {
		return err
	}
	accounts, err := st.accounts(nil)
	if err != nil {
		return err
	}
	st.say("  %d directory users are mirrored and %d accounts exist", len(users), len(accounts))
	expected := 0
	for _, id := range st.tenant.UserIDs() {
		if u, _ := st.tenant.User(id); !u.SoftDeleted() {
			expected++
		}
	}
	st.check(len(users) == expected, "%d users are mirrored, the tenant has %d to provision", len(users), expected)
	st.say("  without an account:")
	shown := 0
	for _, u := range users {
		if u.Explanation.InScope {
			st.check(u.AccountID != nil, "%s is in scope and has no account", u.DisplayName)
			continue
		}
		st.check(u.AccountID == nil, "%s is out of scope and has an account", u.DisplayName)
		if shown++; shown <= shownAtMost {
			st.say("    %-28s %s", u.DisplayName, u.Explanation.Scope)
		}
	}
	st.check(shown > 0, "nobody was excluded although the tenant has service accounts")
	return nil
}

// shownAtMost bounds the lists that the story prints.
const shownAtMost = 12

// whoGotWhat shows roles with their reasons.
func (st *story) whoGotWhat() error {
	st.heading("Who got which role, and why")
	users, err := st.mirror()
	if err != nil {
		return err
	}
	byID, err := st.accountsByID()
	if err != nil {
		return err
	}
	shown := 0
	for _, u := range users {
		if u.AccountID == nil {
			continue
		}
		a := byID[*u.AccountID]
		var why []string
		for _, g := range u.Explanation.Grants {
			why = append(why, "group "+g.Group+" gives "+g.Role)
			st.check(slices.Contains(a.Roles, g.Role) || st.isEmployee(a), "%s lacks role %s that group %s gives", a.DisplayName, g.Role, g.Group)
		}
		if len(why) == 0 {
			why = append(why, u.Explanation.Roles)
		}
		if shown++; shown <= shownAtMost {
			st.say("    %-26s %-26s %s", a.DisplayName, strings.Join(a.Roles, ", "), strings.Join(why, "; "))
		}
	}
	if shown > shownAtMost {
		st.say("    … and %d more", shown-shownAtMost)
	}
	return st.theEmployee()
}

func (st *story) isEmployee(a account) bool { return a.Email == "katherine.johnson@contoso.example" }

func (st *story) accountsByID() (map[string]account, error) {
	all, err := st.accounts(nil)
	byID := make(map[string]account, len(all))
	for _, a := range all {
		byID[a.ID] = a
	}
	return byID, err
}

// theEmployee shows that the HR record owns the profile.
func (st *story) theEmployee() error {
	found, err := st.accounts(url.Values{"email": {"katherine.johnson@contoso.example"}})
	if err != nil {
		return err
	}
	if len(found) != 1 {
		return fmt.Errorf("%d accounts of Katherine Johnson", len(found))
	}
	st.say("  Katherine Johnson is an employee: her department is %q, as HR has it, whatever Entra says", found[0].Department)
	st.check(found[0].Department == "Flight Research", "the employee's department is %q", found[0].Department)
	return nil
}

// waitRun waits until a run of the integration that is not held has ended, or one is held.
func (st *story) waitRun(id string) (runView, error) {
	ctx, cancel := context.WithTimeout(st.ctx, demoWait)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		var run runView
		if err := st.api.call(ctx, http.MethodGet, "/runs/"+id, nil, &run); err != nil {
			return run, err
		}
		if run.State != "queued" && run.State != "running" {
			return run, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return run, errors.New("the run does not end")
		}
	}
}

// latestRun waits for the run that a change of settings asked for.
func (st *story) latestRun() (runView, error) {
	runs, err := list[runView](st.ctx, st.api, "/runs", url.Values{"integration": {st.integration}})
	if err != nil {
		return runView{}, err
	}
	if len(runs) == 0 {
		return runView{}, errors.New("the change of settings asked for no run")
	}
	return st.waitRun(runs[0].ID)
}
