package console

import (
	"slices"
	"strconv"

	"usher/directory"
	"usher/model"
	"usher/model/store"
)

const (
	roleRulesPath = "/integrations/{integration}/role-rules"
	roleRulePath  = roleRulesPath + "/groups/{entry}"
)

func (c *Console) roleRuleRoutes() []route {
	return []route{
		get(roleRulesPath, model.RightRead, (*visit).showRoleRules),
		post(roleRulesPath, model.RightManageIntegrations, (*visit).saveRoleRules),
		get(roleRulePath, model.RightManageSettings, (*visit).editMissingMapping),
		post(roleRulePath, model.RightManageSettings, (*visit).saveMissingMapping),
		post("/groups/{integration}/{group}/map/try", model.RightManageSettings, (*visit).tryGroupMapping),
		post("/runs/{run}/save", model.RightRead, (*visit).saveSupposed),
	}
}

// roleRulesView is every rule by which an integration gives roles, levels and lists.
type roleRulesView struct {
	Tabs                 []tab
	Form                 *form
	RoleSync, Default    field
	RequireGroup, Nested field
	Graph                bool
	Mode                 string
	Has                  peopleNamed // who has the default role
	DefaultName          string
	Rules                []ruleRow
	Empty                *empty
	Pager                pager
	Lists                []ruleList
	Manage               bool // may change the integration
	Map                  bool // may change mappings
	Groups, AllLists     string
}

// ruleRow is one group mapping and whom it concerns now.
type ruleRow struct {
	N                int
	Group, GroupPath string
	Gives            []string
	Marks            []badge
	People           peopleNamed
	Note             string
	Edit             string
}

// peopleNamed is how many people there are, and the first of them.
type peopleNamed struct {
	Count int
	More  bool // there are more than were counted
	Names []string
	Rest  int    // how many are not named
	Path  string // of all of them
}

type ruleList struct {
	Name, Path       string
	Members, Without int
}

// Limits of the page.
const (
	rulesPage   = 20
	ruleNames   = 5
	defaultSeen = 200 // holders of the default role that are counted
)

// namedPeople keeps the first names.
func namedPeople(names []string, more bool, path string) peopleNamed {
	shown := names[:min(len(names), ruleNames)]
	return peopleNamed{Count: len(names), More: more, Names: shown, Rest: len(names) - len(shown), Path: path}
}

func scopeTabs(integration string, rules bool) []tab {
	return []tab{
		{Name: "Who is taken", Path: with("/scope", "integration", integration), Current: !rules},
		{Name: "Role rules", Path: Base + "/integrations/" + integration + "/role-rules", Current: rules},
	}
}

func (v *visit) showRoleRules() error {
	i, err := v.integration()
	if err != nil {
		return err
	}
	f := v.newForm("/integrations/"+i.ID+"/role-rules", "Save")
	f.set("role_sync", string(i.RoleSync))
	f.set("default_role", i.DefaultRole)
	for name, on := range map[string]bool{"require_group": i.RequireGroup, "nested_groups": i.NestedGroups} {
		if on {
			f.set(name, "on")
		}
	}
	return v.roleRulesPage(i, f)
}

func (v *visit) roleRulesPage(i model.Integration, f *form) error {
	settings, err := v.read.Settings(v.org)
	if err != nil {
		return err
	}
	view := roleRulesView{
		Tabs: scopeTabs(i.ID, true), Form: f, Graph: i.Ingress == model.IngressGraph, Mode: roleSyncName(i.RoleSync), Manage: v.can(model.RightManageIntegrations),
		Map: v.can(model.RightManageSettings), Groups: with("/groups", "integration", i.ID), AllLists: with("/groups/lists", "integration", i.ID),
	}
	view.RoleSync = f.field("radio", "role_sync", "How roles follow the groups").choose(
		option{Value: "reconcile", Name: "Reconcile", Help: "Where a mapped role is missing, the roles become exactly the mapped ones. Roles given beside them stay as long as none is missing."},
		option{Value: "mirror", Name: "Mirror", Help: "Roles that mappings can give follow the groups exactly; all others stay."},
		option{Value: "initial", Name: "Once", Help: "Roles are given when the account is made, and never again."})
	view.Default = f.field("select", "default_role", "Default role").choose(roleOptions(settings)...)
	view.Default.Help = "For a new account that no group gives a role."
	view.RequireGroup = f.field("checkbox", "require_group", "Only members of a mapped group get an account")
	view.Nested = f.field("checkbox", "nested_groups", "Members of nested groups count")
	f.rest()
	for _, fill := range []func(*roleRulesView, *model.Settings, model.Integration) error{v.fillRules, v.fillDefault, v.fillRuleLists} {
		if err := fill(&view, settings, i); err != nil {
			return err
		}
	}
	return v.render("role_rules", page{
		Title: "Role rules of " + i.Name, Lead: "What gives people roles, levels at sites and lists, and whom it concerns now.",
		Crumbs: integrationCrumbs(&i), Body: view,
	})
}

// fillRules shows a page of the group mappings.
func (v *visit) fillRules(view *roleRulesView, settings *model.Settings, i model.Integration) error {
	all := settings.Integrations[i.ID].GroupMappings
	from := 0
	if after := v.query("after"); after != "" {
		n, bad := strconv.Atoi(after)
		if bad != nil || n < 0 || n > len(all) {
			return model.FieldErrorf(model.Invalid, "after", "is not a cursor of this list")
		}
		from = n
	}
	part := all[from:min(len(all), from+rulesPage)]
	effects, err := v.svc.RuleEffects(v.ctx, i.Ref(), part)
	if err != nil {
		return err
	}
	for n := range part {
		view.Rules = append(view.Rules, v.ruleRow(settings, i, &part[n], &effects[n], from+n, view.Map))
	}
	next := ""
	if from+rulesPage < len(all) {
		next = strconv.Itoa(from + rulesPage)
	}
	view.Pager = v.paged(next, len(part), "rules")
	if len(all) == 0 {
		e := emptyYet("arrows-right-left", "No group is mapped", "A group that is mapped gives its members a role, or levels at a site.", link{"Choose a group to map", view.Groups, "plus"})
		view.Empty = &e
	}
	return nil
}

func (v *visit) ruleRow(settings *model.Settings, i model.Integration, m *model.GroupMapping, e *directory.RuleEffect, at int, may bool) ruleRow {
	row := ruleRow{N: at + 1, Group: orWord(m.Group.DisplayName, m.Group.ExternalID), Gives: givesInWords(settings, m)}
	if may {
		row.Edit = Base + "/integrations/" + i.ID + "/role-rules/groups/" + strconv.Itoa(at)
	}
	if len(e.Groups) == 0 {
		row.Marks = append(row.Marks, badge{warn, "alert-triangle", "Not in the directory"})
		row.Note = "Entra sent no such group, so this gives nobody anything."
		return row
	}
	g := e.Groups[0]
	path := "/groups/" + i.ID + "/" + g.ID
	row.Group, row.GroupPath = orWord(g.DisplayName, g.ExternalID), Base+path
	row.People = namedPeople(e.Given, e.More, row.GroupPath)
	if may {
		row.Edit = with(path+"/map", "entry", strconv.Itoa(at))
	}
	if m.Group.ExternalID == "" {
		row.Marks = append(row.Marks, badge{calm, "pencil", "Known by its name"})
	}
	if len(e.Groups) > 1 {
		row.Marks = append(row.Marks, badge{warn, "alert-triangle", "Several groups have this name"})
	}
	if m.AllowAdministrator && settings.Roles[m.Role].Administrator {
		row.Marks = append(row.Marks, badge{warn, "lock", "Administrator role"})
	}
	row.Note = ruleNote(m, e)
	return row
}

// ruleNote says where those who are in the group, those whom it gives something, and those who have it part.
func ruleNote(m *model.GroupMapping, e *directory.RuleEffect) string {
	text := ""
	if out := e.People - len(e.Given); out > 0 {
		text = quantity(out, "member") + " without an active account in scope. "
	}
	if lacking := len(e.Given) - e.Holding; m.Role != "" && lacking > 0 {
		text += quantity(lacking, "person") + " of them without the role now: because of how roles follow the groups, an employee record, or an administrator role."
	}
	return text
}

// fillDefault says who has the default role.
func (v *visit) fillDefault(view *roleRulesView, settings *model.Settings, i model.Integration) error {
	if i.DefaultRole == "" {
		return nil
	}
	list, next, err := v.read.PeopleAfter(v.org, store.AccountFilter{Role: i.DefaultRole, Integration: i.ID}, "", defaultSeen)
	if err != nil {
		return err
	}
	names := make([]string, len(list))
	for n := range list {
		names[n] = list[n].Name()
	}
	view.DefaultName = roleName(settings, i.DefaultRole)
	view.Has = namedPeople(names, next != "", with("/people", "role", i.DefaultRole, "integration", i.ID))
	return nil
}

func (v *visit) fillRuleLists(view *roleRulesView, _ *model.Settings, i model.Integration) error {
	lists, err := v.read.ListsOf(i.Ref())
	if err != nil {
		return err
	}
	slices.SortFunc(lists, func(a, b model.List) int {
		return slices.Compare([]string{a.DisplayName, a.ID}, []string{b.DisplayName, b.ID})
	})
	for _, l := range lists[:min(len(lists), rulesPage)] {
		view.Lists = append(view.Lists, ruleList{orWord(l.DisplayName, l.Email), Base + "/groups/lists/" + l.ID, l.Members, l.WithoutAccount})
	}
	return nil
}

// saveRoleRules saves what holds for all groups, or shows what it would change.
func (v *visit) saveRoleRules() error {
	i, err := v.integration()
	if err != nil {
		return err
	}
	would := i
	would.RoleSync, would.DefaultRole, would.RequireGroup = model.RoleSync(v.field("role_sync")), v.field("default_role"), v.checked("require_group")
	if i.Ingress == model.IngressGraph {
		would.NestedGroups = v.checked("nested_groups")
	}
	var run model.Run
	if v.field("do") == "preview" {
		run, err = v.svc.StartPreview(v.ctx, i.Ref(), model.PreviewSettings{
			RoleSync: &would.RoleSync, DefaultRole: &would.DefaultRole, RequireGroup: &would.RequireGroup, NestedGroups: &would.NestedGroups,
		})
	} else {
		_, err = v.svc.ChangeIntegration(v.ctx, i.Ref(), func(x *model.Integration) error {
			x.RoleSync, x.DefaultRole, x.RequireGroup, x.NestedGroups = would.RoleSync, would.DefaultRole, would.RequireGroup, would.NestedGroups
			return nil
		}, nil)
	}
	if err != nil {
		f := v.newForm("/integrations/"+i.ID+"/role-rules", "Save")
		if err := f.fail(err); err != nil {
			return err
		}
		return v.roleRulesPage(i, f)
	}
	if run.ID != "" {
		return v.done("/runs/"+run.ID, "This is what would change for everyone. Nothing is saved yet.")
	}
	return v.done("/integrations/"+i.ID+"/role-rules", "The rules are saved; everyone is looked at anew.")
}
