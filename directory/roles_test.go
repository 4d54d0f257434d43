package directory

import (
	"slices"
	"strings"
	"testing"

	"usher/model"
)

func mapping(group, role string) model.GroupMapping {
	return model.GroupMapping{Group: model.GroupSelector{DisplayName: group}, Role: role}
}

func grant(group, role string) model.Grant {
	return model.Grant{Role: role, GroupID: "g-" + group, Group: group}
}

// adaWithRoles is Ada, linked to an account with these roles, whose groups gave these grants last time.
func adaWithRoles(t testing.TB, roles []string, before []model.Grant, groupNames ...string) Person {
	t.Helper()
	p := ada(t, groupNames...)
	p.Account = &model.Account{
		ID: "a1", OrganizationID: "o1", Email: "Ada@contoso.com", UserName: "ada@contoso.com", DisplayName: "Ada Lovelace",
		GivenName: "Ada", FamilyName: "Lovelace", Department: "sales", JobTitle: "Analyst", Language: "en-GB",
		Status: model.AccountActive, Roles: roles,
	}
	p.Sources[0].User.AccountID = ptr("a1")
	p.Sources[0].User.Explanation = model.Explanation{InScope: true, Grants: before}
	return p
}

func rolesSettings(mode model.RoleSync, mappings ...model.GroupMapping) *model.Settings {
	s := catalogue()
	edit(s, "i1", func(is *model.IntegrationSettings) {
		is.Integration.RoleSync, is.GroupMappings = mode, mappings
	})
	return s
}

// TestWorkedCases are the nine cases of docs/reference/rules.md.
func TestWorkedCases(t *testing.T) {
	both := []model.GroupMapping{mapping("Employee", "employee"), mapping("HR", "hr")}
	bothGrants := []model.Grant{grant("Employee", "employee"), grant("HR", "hr")}
	for _, tt := range []struct {
		name     string
		mode     model.RoleSync
		mappings []model.GroupMapping
		groups   []string
		before   []string
		grants   []model.Grant
		employee bool
		want     []string
		reason   string // in the change of roles, or in the explanation when nothing changes
	}{
		{
			"1: an employee profile is linked, so nothing changes", model.RoleSyncReconcile, both,
			[]string{"Employee", "HR"},
			[]string{"employee", "hr", "manager"},
			bothGrants, true,
			[]string{"employee", "hr", "manager"},
			"employee 7 is linked",
		},
		{
			"2: every mapped role is held, so the hand-given one stays", model.RoleSyncReconcile, both,
			[]string{"Employee", "HR"},
			[]string{"employee", "hr", "manager"},
			bothGrants, false,
			[]string{"employee", "hr", "manager"},
			"role manager is kept: no group gives it, and reconcile keeps it as long as every mapped role is held",
		},
		{
			"3: leaving a group takes no role in reconcile", model.RoleSyncReconcile, both,
			[]string{"Employee"},
			[]string{"employee", "hr", "manager"},
			bothGrants, false,
			[]string{"employee", "hr", "manager"},
			"role hr is kept",
		},
		{
			"4: a missing mapped role makes the roles exactly the mapped ones", model.RoleSyncReconcile, both,
			[]string{"Employee", "HR"},
			[]string{"manager"},
			bothGrants, false,
			[]string{"employee", "hr"},
			"group HR gives role hr",
		},
		{
			"5: a mapping that gives another role carries it over", model.RoleSyncReconcile,
			[]model.GroupMapping{mapping("Employee", "new-employee"), mapping("HR", "hr")},
			[]string{"Employee", "HR"},
			[]string{"employee", "hr", "manager"},
			bothGrants, false,
			[]string{"hr", "manager", "new-employee"},
			"the mapping of group Employee gives new-employee instead of employee now",
		},
		{
			"6: leaving a group takes its role in mirror", model.RoleSyncMirror, both,
			[]string{"Employee"},
			[]string{"employee", "hr", "manager"},
			bothGrants, false,
			[]string{"employee", "manager"},
			"no group gives role hr any more",
		},
		{
			"7: an administrator's roles never change", model.RoleSyncReconcile, both,
			[]string{"Employee", "HR"},
			[]string{"administrator", "manager"},
			bothGrants, false,
			[]string{"administrator", "manager"},
			"no sync changes the roles of an administrator",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := adaWithRoles(t, tt.before, tt.grants, tt.groups...)
			if tt.employee {
				p.Account.EmployeeID = ptr("7")
				p.Employee = &model.Employee{ExternalID: "7", Email: "ada@contoso.com"}
			}
			d, _ := settle(t, compileRules(t, rolesSettings(tt.mode, tt.mappings...)), p)
			if !slices.Equal(d.Account.Roles, tt.want) {
				t.Errorf("roles %v, want %v", d.Account.Roles, tt.want)
			}
			reason := d.Explanations[0].Roles
			if !slices.Equal(tt.before, tt.want) {
				reason = changeOf(t, d, "roles").Reason
			} else if d.Action != model.ActionNone {
				t.Errorf("action %s: %+v", d.Action, d.Changes)
			}
			if !strings.Contains(reason, tt.reason) {
				t.Errorf("reason %q lacks %q", reason, tt.reason)
			}
		})
	}
	t.Run("8: initial sets the roles of a new account and never again", func(t *testing.T) {
		rules := compileRules(t, rolesSettings(model.RoleSyncInitial, both...))
		d, p := settle(t, rules, ada(t, "HR"))
		if d.Action != model.ActionCreate || !slices.Equal(d.Account.Roles, []string{"hr"}) {
			t.Fatalf("created with %v by %s", d.Account.Roles, d.Action)
		}
		p.Sources[0].Groups = groups("HR", "Employee")
		if d, _ := settle(t, rules, p); d.Action != model.ActionNone || !slices.Equal(d.Account.Roles, []string{"hr"}) {
			t.Errorf("later %s with %v", d.Action, d.Account.Roles)
		} else if !strings.Contains(d.Explanations[0].Roles, "group Employee gives role employee, but initial sets roles only when") {
			t.Errorf("explained as %q", d.Explanations[0].Roles)
		}
	})
	t.Run("8: initial takes the first groups of an account that came before its groups", func(t *testing.T) {
		s := rolesSettings(model.RoleSyncInitial, both...)
		edit(s, "i1", func(is *model.IntegrationSettings) { is.Integration.DefaultRole = "guest" })
		rules := compileRules(t, s)
		_, p := settle(t, rules, ada(t))
		for _, step := range []struct{ groups, want []string }{
			{[]string{"HR"}, []string{"hr"}}, {[]string{"HR", "Employee"}, []string{"hr"}}, {nil, []string{"hr"}},
		} {
			p.Sources[0].Groups = groups(step.groups...)
			var d Decision
			if d, p = settle(t, rules, p); !slices.Equal(d.Account.Roles, step.want) {
				t.Errorf("in groups %v the roles are %v, want %v", step.groups, d.Account.Roles, step.want)
			}
		}
	})
	t.Run("9: a new account without mapped groups takes the default role", func(t *testing.T) {
		s := rolesSettings(model.RoleSyncReconcile, both...)
		edit(s, "i1", func(is *model.IntegrationSettings) { is.Integration.DefaultRole = "guest" })
		d, _ := settle(t, compileRules(t, s), ada(t, "Chess"))
		if !slices.Equal(d.Account.Roles, []string{"guest"}) {
			t.Errorf("roles %v", d.Account.Roles)
		}
		if reason := changeOf(t, d, "roles").Reason; !strings.Contains(reason, "guest is the default role") {
			t.Errorf("reason %q", reason)
		}
	})
}

func TestRoles(t *testing.T) {
	for _, tt := range []struct {
		name     string
		mode     model.RoleSync
		mappings []model.GroupMapping
		groups   []string
		before   []string
		grants   []model.Grant
		want     []string
	}{
		{
			"no mapped group changes nothing in reconcile", model.RoleSyncReconcile,
			[]model.GroupMapping{mapping("HR", "hr")},
			nil,
			[]string{"manager"},
			nil,
			[]string{"manager"},
		},
		{
			"a group removed from the mappings leaves its roles in reconcile", model.RoleSyncReconcile,
			[]model.GroupMapping{mapping("Employee", "employee")},
			[]string{"Employee", "HR"},
			[]string{"employee", "hr"},
			[]model.Grant{grant("Employee", "employee"), grant("HR", "hr")},
			[]string{"employee", "hr"},
		},
		{
			"a group removed from the mappings takes its roles in mirror", model.RoleSyncMirror,
			[]model.GroupMapping{mapping("Employee", "employee")},
			[]string{"Employee", "HR"},
			[]string{"employee", "hr", "manager"},
			[]model.Grant{grant("Employee", "employee"), grant("HR", "hr")},
			[]string{"employee", "manager"},
		},
		{
			"a changed mapping replaces nothing while another group gives the old role", model.RoleSyncReconcile,
			[]model.GroupMapping{mapping("HR", "it"), mapping("Staff", "hr")},
			[]string{"HR", "Staff"},
			[]string{"hr", "it", "manager"},
			[]model.Grant{grant("HR", "hr"), grant("Staff", "hr")},
			[]string{"hr", "it", "manager"},
		},
		{
			"a changed mapping replaces nothing for those who left the group", model.RoleSyncReconcile,
			[]model.GroupMapping{mapping("HR", "it")},
			nil,
			[]string{"hr", "manager"},
			[]model.Grant{grant("HR", "hr")},
			[]string{"hr", "manager"},
		},
		{
			"a changed mapping carries over in mirror", model.RoleSyncMirror,
			[]model.GroupMapping{mapping("HR", "it")},
			[]string{"HR"},
			[]string{"hr", "manager"},
			[]model.Grant{grant("HR", "hr")},
			[]string{"it", "manager"},
		},
		{
			"mirror gives back what was taken by hand", model.RoleSyncMirror,
			[]model.GroupMapping{mapping("HR", "hr")},
			[]string{"HR"},
			[]string{"manager"},
			nil,
			[]string{"hr", "manager"},
		},
		{
			"initial never follows", model.RoleSyncInitial,
			[]model.GroupMapping{mapping("HR", "it")},
			[]string{"HR"},
			[]string{"hr"},
			[]model.Grant{grant("HR", "hr")},
			[]string{"hr"},
		},
		{
			"an administrator role is not given without permission", model.RoleSyncReconcile,
			[]model.GroupMapping{mapping("HR", "administrator")},
			[]string{"HR"},
			[]string{"hr"},
			nil,
			[]string{"hr"},
		},
		{
			"an administrator role is given where the mapping allows it", model.RoleSyncMirror,
			[]model.GroupMapping{{Group: model.GroupSelector{DisplayName: "HR"}, Role: "administrator", AllowAdministrator: true}},
			[]string{"HR"},
			[]string{"hr"},
			nil,
			[]string{"administrator", "hr"},
		},
		{
			"a mapping to a role that is gone gives nothing", model.RoleSyncReconcile,
			[]model.GroupMapping{mapping("HR", "deleted")},
			[]string{"HR"},
			[]string{"hr"},
			nil,
			[]string{"hr"},
		},
		{
			"a group is found by its id whatever its name is now", model.RoleSyncReconcile,
			[]model.GroupMapping{{Group: model.GroupSelector{ExternalID: "x-HR", DisplayName: "Old name"}, Role: "hr"}},
			[]string{"HR"},
			nil, nil,
			[]string{"hr"},
		},
		{
			"a group is found by its name without case", model.RoleSyncReconcile,
			[]model.GroupMapping{mapping("hUmAn ReSoUrCeS", "hr")},
			[]string{"Human Resources"},
			nil, nil,
			[]string{"hr"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rules := compileRules(t, rolesSettings(tt.mode, tt.mappings...))
			d, _ := settle(t, rules, adaWithRoles(t, tt.before, tt.grants, tt.groups...))
			if !slices.Equal(d.Account.Roles, tt.want) {
				t.Errorf("roles %v, want %v: %+v", d.Account.Roles, tt.want, d.Changes)
			}
		})
	}
}

func TestRolesThatCannotBeGivenAreReported(t *testing.T) {
	rules := compileRules(t, rolesSettings(model.RoleSyncReconcile, mapping("HR", "deleted"), mapping("IT", "administrator")))
	d, _ := settle(t, rules, ada(t, "HR", "IT"))
	want := []model.Problem{
		{Field: "roles", Detail: "mapping of group HR: role deleted does not exist"},
		{Field: "roles", Detail: "mapping of group IT: role administrator is an administrator role, which the mapping does not allow"},
	}
	if !slices.Equal(d.Explanations[0].Problems, want) {
		t.Errorf("problems %+v", d.Explanations[0].Problems)
	}
}

// TestRolesOfSeveralIntegrations: what another integration's groups give stays.
func TestRolesOfSeveralIntegrations(t *testing.T) {
	build := func(first, second model.RoleSync) *Rules {
		s := rolesSettings(first, mapping("HR", "hr"))
		other := scimIntegration("i2")
		other.RoleSync, other.Priority = second, 5
		s.Integrations["i2"] = model.IntegrationSettings{Integration: other, GroupMappings: []model.GroupMapping{mapping("Tech", "it"), mapping("HR", "hr")}}
		return compileRules(t, s)
	}
	person := func(roles []string, active bool, firstGroups, secondGroups []string) Person {
		p := adaWithRoles(t, roles, nil, firstGroups...)
		second := userOf(t, "i2", with(adaAttributes(), map[string]any{"active": active}))
		second.AccountID = ptr("a1")
		p.Sources = append(p.Sources, Source{User: second, Groups: groups(secondGroups...)})
		return p
	}
	for _, tt := range []struct {
		name          string
		first, second model.RoleSync
		person        Person
		want          []string
	}{
		{
			"reconcile makes the roles the union", model.RoleSyncReconcile, model.RoleSyncReconcile,
			person([]string{"manager"}, true, []string{"HR"}, []string{"Tech"}),
			[]string{"hr", "it"},
		},
		{
			"reconcile keeps what an initial integration gave", model.RoleSyncReconcile, model.RoleSyncInitial,
			person([]string{"it", "manager"}, true, []string{"HR"}, []string{"Tech"}),
			[]string{"hr", "it"},
		},
		{
			"mirror keeps what the other integration gives", model.RoleSyncMirror, model.RoleSyncMirror,
			person([]string{"hr", "manager"}, true, nil, []string{"HR"}),
			[]string{"hr", "manager"},
		},
		{
			"mirror takes the roles of a source that went out of scope", model.RoleSyncMirror, model.RoleSyncMirror,
			person([]string{"hr", "it", "manager"}, false, []string{"HR"}, []string{"Tech"}),
			[]string{"hr", "manager"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rules := build(tt.first, tt.second)
			d, after := settle(t, rules, tt.person)
			if !slices.Equal(d.Account.Roles, tt.want) {
				t.Errorf("roles %v, want %v: %+v", d.Account.Roles, tt.want, d.Changes)
			}
			slices.Reverse(after.Sources)
			if again := rules.Decide(after); again.Action != model.ActionNone {
				t.Errorf("settled from the other side: %s %+v", again.Action, again.Changes)
			}
		})
	}
}

// TestEveryRoleIsExplained: however many roles an account has, the explanation names the reason of each.
func TestEveryRoleIsExplained(t *testing.T) {
	s := rolesSettings(model.RoleSyncReconcile)
	var names []string
	edit(s, "i1", func(is *model.IntegrationSettings) {
		for i := range 30 {
			name := "team" + strings.Repeat("x", i)
			s.Roles[name] = model.Role{Key: name}
			names = append(names, name)
			is.GroupMappings = append(is.GroupMappings, mapping(name, name))
		}
	})
	d, _ := settle(t, compileRules(t, s), ada(t, names...))
	for _, name := range names {
		if !strings.Contains(d.Explanations[0].Roles+";", "group "+name+" gives role "+name+";") {
			t.Errorf("%s is missing in %q", name, d.Explanations[0].Roles)
		}
	}
}
