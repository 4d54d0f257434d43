package directory

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"usher/model"
)

// The vocabulary of random worlds. It is small, so that things meet.
var (
	someGroups = []string{"HR", "IT", "Staff", "Chess"}
	someRoles  = []string{"employee", "hr", "manager", "it", "administrator", "deleted"}
)

func randomSettings(t *rapid.T) *model.Settings {
	s := catalogue()
	delete(s.Integrations, "i1")
	for i := range rapid.IntRange(1, 3).Draw(t, "integrations") {
		id := fmt.Sprintf("i%d", i+1)
		s.Integrations[id] = randomIntegration(t, id)
	}
	return s
}

func randomIntegration(t *rapid.T, id string) model.IntegrationSettings {
	integration := scimIntegration(id)
	integration.RoleSync = rapid.SampledFrom([]model.RoleSync{model.RoleSyncInitial, model.RoleSyncReconcile, model.RoleSyncMirror}).Draw(t, "mode")
	integration.DefaultRole = rapid.SampledFrom([]string{"", "guest", "administrator"}).Draw(t, "default role")
	integration.RequireGroup = rapid.Bool().Draw(t, "require group")
	integration.Priority = rapid.IntRange(0, 2).Draw(t, "priority")
	if rapid.Bool().Draw(t, "graph") {
		integration.Ingress = model.IngressGraph
	}
	is := model.IntegrationSettings{
		Integration: integration, GroupMappings: rapid.SliceOfN(rapid.Custom(randomMapping), 0, 4).Draw(t, "mappings"),
		ChosenGroups: []model.GroupSelector{{DisplayName: rapid.SampledFrom(someGroups).Draw(t, "chosen")}},
	}
	if rapid.Bool().Draw(t, "fields") {
		is.FieldMappings = []model.FieldMapping{
			{Source: "title", Target: "job_title", Mode: rapid.SampledFrom([]model.FieldMode{"always", "first_time", "skip"}).Draw(t, "field mode")},
			{Source: "extensionAttribute3", Target: "custom_fields.floor", Mode: model.FieldAlways},
			{Source: "nickName", Target: "custom_fields.badge", Mode: model.FieldFirstTime, Expression: "ToUpper(value)"},
		}
	}
	if rapid.Bool().Draw(t, "exclusion") {
		is.Exclusions = []model.Exclusion{{Attribute: "title", Operator: "equals", Value: "Bot"}}
	}
	return is
}

func randomMapping(t *rapid.T) model.GroupMapping {
	m := model.GroupMapping{
		Group:              model.GroupSelector{DisplayName: rapid.SampledFrom(someGroups).Draw(t, "group")},
		Role:               rapid.SampledFrom(append([]string{""}, someRoles...)).Draw(t, "role"),
		Department:         rapid.SampledFrom([]string{"", "sales", "research"}).Draw(t, "department"),
		Language:           rapid.SampledFrom([]string{"", "da", "nb"}).Draw(t, "language"),
		AllowAdministrator: rapid.Bool().Draw(t, "allow administrator"),
	}
	if site := rapid.SampledFrom([]string{"", "denmark", "copenhagen", "norway"}).Draw(t, "site"); site != "" {
		m.Site = site
		m.Permissions = []model.ModulePermission{{
			Module: rapid.SampledFrom([]string{"wiki", "payroll"}).Draw(t, "module"),
			Level:  rapid.SampledFrom([]model.Level{"member", "manager", "admin"}).Draw(t, "level"),
		}}
	}
	return m
}

func randomAttributes(t *rapid.T) map[string]any {
	changes := map[string]any{
		"active": rapid.SampledFrom([]any{true, true, true, false}).Draw(t, "active"),
		"title":  rapid.SampledFrom([]any{nil, "Analyst", "Bot", "Countess"}).Draw(t, "title"),
	}
	if floor := rapid.SampledFrom([]any{nil, "4", "four"}).Draw(t, "floor"); floor != nil {
		changes[usherUserSchema] = map[string]any{"extensionAttribute3": floor}
	} else {
		changes[usherUserSchema] = nil
	}
	if rapid.IntRange(0, 9).Draw(t, "tombstone") == 0 {
		changes["userName"] = strings.Repeat("0af3", 8) + "ada@contoso.com"
	}
	if rapid.IntRange(0, 9).Draw(t, "e-mail") == 0 {
		changes["emails"] = rapid.SampledFrom([]any{nil, []any{map[string]any{"value": "king@contoso.com"}}}).Draw(t, "new e-mail")
	}
	return with(adaAttributes(), changes)
}

func randomAccount(t *rapid.T) *model.Account {
	a := &model.Account{
		ID: "a1", OrganizationID: "o1", Email: "ada@contoso.com", UserName: "ada@contoso.com", JobTitle: rapid.SampledFrom([]string{"", "Poet"}).Draw(t, "job"),
		Status:      rapid.SampledFrom([]model.AccountStatus{"active", "active", "deactivated", "archived"}).Draw(t, "status"),
		StatusCause: rapid.SampledFrom([]model.StatusCause{"", "sync", "operator", "employee"}).Draw(t, "cause"),
		Roles:       rapid.SliceOfNDistinct(rapid.SampledFrom(someRoles), 0, 4, rapid.ID).Draw(t, "roles"),
	}
	slices.Sort(a.Roles)
	if rapid.Bool().Draw(t, "by hand") {
		a.ByHand = []model.Permission{{Site: "norway", Module: "wiki", Level: model.LevelManager}}
		a.Permissions = slices.Clone(a.ByHand)
	}
	return a
}

func randomPerson(t *rapid.T, s *model.Settings) Person {
	var p Person
	if rapid.Bool().Draw(t, "account") {
		p.Account = randomAccount(t)
	}
	if rapid.IntRange(0, 3).Draw(t, "employee") == 0 {
		p.Employee = &model.Employee{
			ExternalID: "7", Email: rapid.SampledFrom([]string{"ada@contoso.com", "king@contoso.com"}).Draw(t, "employee e-mail"), GivenName: "Augusta",
			ResignationDate: rapid.SampledFrom([]*string{nil, ptr("2026-01-01"), ptr("2027-01-01")}).Draw(t, "resignation"),
		}
	}
	for i, id := range []string{"i1", "i2", "i3"} {
		if _, ok := s.Integrations[id]; !ok || p.Account == nil && i > 0 {
			break
		}
		source := Source{Groups: groups(rapid.SliceOfNDistinct(rapid.SampledFrom(someGroups), 0, 4, rapid.ID).Draw(t, "groups")...)}
		source.User = model.DirectoryUser{ID: "du-" + id, OrganizationID: "o1", IntegrationID: id, Document: model.NewDocument(randomAttributes(t))}
		if err := Index(&source.User); err != nil {
			t.Fatal(err)
		}
		if p.Account != nil && (i > 0 || rapid.Bool().Draw(t, "linked")) {
			source.User.AccountID = ptr("a1")
			source.User.Explanation.InScope = rapid.Bool().Draw(t, "was in scope")
			for _, g := range source.Groups {
				if rapid.Bool().Draw(t, "granted") {
					role := rapid.SampledFrom(someRoles).Draw(t, "old role")
					source.User.Explanation.Grants = append(source.User.Explanation.Grants, model.Grant{Role: role, GroupID: g.ID, Group: g.DisplayName})
				}
			}
		}
		p.Sources = append(p.Sources, source)
	}
	return p
}

func asJSON(t testing.TB, value any) string {
	t.Helper()
	raw, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// TestDecisionsHold checks what holds of every decision in random worlds.
func TestDecisionsHold(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := randomSettings(rt)
		rules, err := Compile(s, today)
		if err != nil {
			rt.Fatal(err)
		}
		p := randomPerson(rt, s)
		before := asJSON(t, p)
		d := rules.Decide(p)
		if asJSON(t, p) != before {
			rt.Fatal("the person was changed")
		}
		if asJSON(t, rules.Decide(p)) != asJSON(t, d) {
			rt.Fatal("equal input gave different output")
		}
		if len(d.Explanations) != len(p.Sources) || d.Reason == "" {
			rt.Fatalf("%d explanations of %d sources, reason %q", len(d.Explanations), len(p.Sources), d.Reason)
		}
		checkChanges(rt, p, d)
		if d.Account != nil {
			checkRoles(rt, s, p, d)
			checkPermissions(rt, d)
			checkSettled(rt, rules, p, d)
		}
	})
}

func checkChanges(t *rapid.T, p Person, d Decision) {
	seen := map[string]bool{}
	for _, c := range d.Changes {
		if c.Reason == "" || seen[c.Field] || reflect.DeepEqual(c.Before, c.After) {
			t.Fatalf("change %+v", c)
		}
		seen[c.Field] = true
	}
	wantsChanges := d.Action != model.ActionNone && d.Action != model.ActionSkip && d.Action != model.ActionLink
	if len(d.Changes) == 0 && wantsChanges || len(d.Changes) > 0 && (d.Action == model.ActionNone || d.Action == model.ActionSkip) {
		t.Fatalf("%s with %d changes", d.Action, len(d.Changes))
	}
	if d.Action == model.ActionSkip && d.Account != nil || d.Action == model.ActionCreate && p.Account != nil {
		t.Fatalf("%s with account %v of %v", d.Action, d.Account, p.Account)
	}
	if d.Account != nil && p.Account != nil && (d.Account.Status == model.AccountArchived) != (p.Account.Status == model.AccountArchived) {
		t.Fatal("the archive was touched")
	}
}

// awaitsRoles says whether an account of the mode initial has had no group yet that gives a role.
func awaitsRoles(s *model.Settings, p Person) bool {
	had := slices.ContainsFunc(p.Sources, func(src Source) bool { return len(src.User.Explanation.Grants) > 0 })
	byHand := slices.ContainsFunc(p.Account.Roles, func(role string) bool {
		return !slices.ContainsFunc(p.Sources, func(src Source) bool {
			return s.Integrations[src.User.IntegrationID].Integration.DefaultRole == role
		})
	})
	return p.Account.Origin == model.OriginDirectory && !had && !byHand
}

// checkRoles: administrators keep their roles, an employee's roles and an initial integration's stay, what is given
// exists, and no administrator role is given without permission.
func checkRoles(t *rapid.T, s *model.Settings, p Person, d Decision) {
	var before []string
	if p.Account != nil {
		before = p.Account.Roles
	}
	allInitial := !slices.ContainsFunc(p.Sources, func(src Source) bool {
		return s.Integrations[src.User.IntegrationID].Integration.RoleSync != model.RoleSyncInitial
	})
	frozen := slices.Contains(before, "administrator") || d.Account.EmployeeID != nil || allInitial && p.Account != nil && !awaitsRoles(s, p)
	if p.Account != nil && frozen && !slices.Equal(d.Account.Roles, before) {
		t.Fatalf("roles %v became %v", before, d.Account.Roles)
	}
	for _, role := range d.Account.Roles {
		if slices.Contains(before, role) {
			continue
		}
		if _, ok := s.Roles[role]; !ok || role == "administrator" && !allowsAdministrator(s) {
			t.Fatalf("role %s was given", role)
		}
	}
	if !slices.IsSorted(d.Account.Roles) || len(slices.Compact(slices.Clone(d.Account.Roles))) != len(d.Account.Roles) {
		t.Fatalf("roles %v", d.Account.Roles)
	}
	onlyMirror := !slices.ContainsFunc(p.Sources, func(src Source) bool {
		return s.Integrations[src.User.IntegrationID].Integration.RoleSync != model.RoleSyncMirror
	})
	if onlyMirror && slices.Contains(before, "manager") && !canGive(s, p, "manager") && !slices.Contains(d.Account.Roles, "manager") {
		t.Fatal("mirror took a role that no mapping gives")
	}
}

func allowsAdministrator(s *model.Settings) bool {
	for _, is := range s.Integrations {
		for _, m := range is.GroupMappings {
			if m.AllowAdministrator {
				return true
			}
		}
	}
	return false
}

func canGive(s *model.Settings, p Person, role string) bool {
	for _, src := range p.Sources {
		for _, m := range s.Integrations[src.User.IntegrationID].GroupMappings {
			if m.Role == role {
				return true
			}
		}
		if slices.ContainsFunc(src.User.Explanation.Grants, func(g model.Grant) bool { return g.Role == role }) {
			return true
		}
	}
	return false
}

// checkPermissions: never two levels for one site and module, never less than what was given by hand.
func checkPermissions(t *rapid.T, d Decision) {
	held := map[place]model.Level{}
	for _, p := range d.Account.Permissions {
		if _, twice := held[place{p.Site, p.Module}]; twice {
			t.Fatalf("permissions %v", d.Account.Permissions)
		}
		held[place{p.Site, p.Module}] = p.Level
	}
	for _, p := range d.Account.ByHand {
		if held[place{p.Site, p.Module}].Rank() < p.Level.Rank() {
			t.Fatalf("%v given by hand, held %v", d.Account.ByHand, d.Account.Permissions)
		}
	}
}

// checkSettled: applied and decided again, whichever source goes first, nothing changes, neither the account nor
// what is explained.
func checkSettled(t *rapid.T, rules *Rules, p Person, d Decision) {
	after := applied(p, d)
	again := rules.Decide(after)
	if again.Action != model.ActionNone || len(again.Changes) > 0 {
		t.Fatalf("deciding again gives %s: %s %+v", again.Action, again.Reason, again.Changes)
	}
	settled := applied(after, again)
	third := rules.Decide(settled)
	for i := range third.Explanations {
		x, _ := json.Marshal(again.Explanations[i])
		y, _ := json.Marshal(third.Explanations[i])
		if string(x) != string(y) {
			t.Fatalf("the explanation does not settle:\n%s\n%s", x, y)
		}
	}
	slices.Reverse(settled.Sources)
	if other := rules.Decide(settled); other.Action != model.ActionNone {
		t.Fatalf("from the other side: %s: %s %+v", other.Action, other.Reason, other.Changes)
	}
}

func TestRulesAreConcurrent(t *testing.T) {
	s := benchSettings(50)
	rules := compileRules(t, s)
	p := benchPerson(t)
	want := asJSON(t, rules.Decide(p))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if got, err := json.Marshal(rules.Decide(p)); err != nil || string(got) != want {
					t.Errorf("%s %v", got, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// benchSettings is an ordinary organization: many mappings, a few exclusions, the default fields and two of its own.
func benchSettings(mappings int) *model.Settings {
	s := catalogue()
	edit(s, "i1", func(is *model.IntegrationSettings) {
		for i := range mappings {
			m := mapping(fmt.Sprintf("Group %d", i), someRoles[i%4])
			if i%5 == 0 {
				m.Site, m.Permissions = "denmark", []model.ModulePermission{{Module: "wiki", Level: model.LevelMember}}
			}
			is.GroupMappings = append(is.GroupMappings, m)
		}
		is.Exclusions = []model.Exclusion{
			{Pattern: "*service*"}, {Pattern: "*bot*"}, {Attribute: "title", Operator: model.ExcludeEquals, Value: "Bot"},
		}
	})
	return s
}

func benchPerson(t testing.TB) Person {
	p := adaWithRoles(t, []string{"employee", "hr", "it", "manager"}, nil)
	p.Sources[0].Groups = groups("Group 1", "Group 2", "Group 7", "Chess", "Everyone", "Group 10")
	return p
}

// BenchmarkDecide decides about an ordinary person: linked, six groups of which four are mapped, nothing to change
// but the permissions. "parsed" has the document's attributes at hand, "stored" parses it from its bytes.
func BenchmarkDecide(b *testing.B) {
	rules := compileRules(b, benchSettings(200))
	_, p := settle(b, rules, benchPerson(b))
	raw, err := p.Sources[0].User.Document.Raw()
	if err != nil {
		b.Fatal(err)
	}
	b.Run("parsed", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if d := rules.Decide(p); d.Action != model.ActionNone {
				b.Fatal(d.Reason)
			}
		}
	})
	b.Run("stored", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			q := p
			q.Sources = slices.Clone(p.Sources)
			if err := q.Sources[0].User.Document.Scan(raw); err != nil {
				b.Fatal(err)
			}
			if d := rules.Decide(q); d.Action != model.ActionNone {
				b.Fatal(d.Reason)
			}
		}
	})
}

// BenchmarkCompile prepares an organization with two thousand mappings.
func BenchmarkCompile(b *testing.B) {
	s := benchSettings(2000)
	for b.Loop() {
		if _, err := Compile(s, today); err != nil {
			b.Fatal(err)
		}
	}
}
