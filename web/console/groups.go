package console

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"usher/model"
)

func (c *Console) groupRoutes() []route {
	const one = "/groups/{integration}/{group}"
	return []route{
		get("/groups", model.RightRead, (*visit).showGroups),
		get("/groups/lists", model.RightRead, (*visit).showLists),
		get("/groups/lists/{list}", model.RightRead, (*visit).showList),
		get("/groups/sites", model.RightRead, (*visit).showSite),
		get(one, model.RightRead, (*visit).showGroup),
		get(one+"/map", model.RightManageSettings, (*visit).editGroupMapping),
		post(one+"/map", model.RightManageSettings, (*visit).saveGroupMapping),
	}
}

// groupsView are the directory groups of an integration.
type groupsView struct {
	Tabs        []tab
	Integration field
	ID, Query   string
	Missing     []missingRow
	Groups      []mirroredGroup
	Empty       *empty
	Pager       pager
	Manage      bool
}

// missingRow is a group that the settings name and Entra did not send, or does not have any more.
type missingRow struct {
	Name  string
	Uses  []string
	Gives []string
}

// mirroredGroup is one line of the list.
type mirroredGroup struct {
	ID, Name, Path string
	Members        int
	More           bool // there are more than that
	Pending        int
	Marks          []badge
	Gives          []string // what its mappings give, a line for each
	UpdatedAt      any
}

// groupsPage is how many groups one page shows.
const groupsPage = 50

func groupTabs(path string) []tab {
	var list []tab
	for _, t := range []tab{{Name: "Groups", Path: "/groups"}, {Name: "Distribution lists", Path: "/groups/lists"}, {Name: "Sites", Path: "/groups/sites"}} {
		list = append(list, tab{Name: t.Name, Path: Base + t.Path, Current: t.Path == path})
	}
	return list
}

func (v *visit) showGroups() error {
	settings, err := v.read.Settings(v.org)
	if err != nil {
		return err
	}
	i, chosen, ok := v.chosenIntegration(settings)
	view := groupsView{Tabs: groupTabs("/groups"), Integration: chosen, ID: i.ID, Query: v.query("q"), Manage: v.can(model.RightManageSettings)}
	p := page{Title: "Groups", Lead: "The groups that Entra sent or an import read, and what each of them grants."}
	if !ok {
		view.Empty = nothingConnected()
		p.Body = view
		return v.render("groups", p)
	}
	if err := v.fillGroups(&view, settings, i); err != nil {
		return err
	}
	if v.partial() {
		return v.fragment("groups", "group-list", view)
	}
	p.Body = view
	return v.render("groups", p)
}

func (v *visit) fillGroups(view *groupsView, settings *model.Settings, i model.Integration) error {
	list, next, err := v.groupPage(i.Ref(), view.Query)
	if err != nil {
		return err
	}
	counts, err := v.memberCounts(i.Ref(), list)
	if err != nil {
		return err
	}
	entry := settings.Integrations[i.ID]
	for n := range list {
		view.Groups = append(view.Groups, groupLine(settings, entry, &list[n], counts))
	}
	view.Pager = v.paged(next, len(list), "groups")
	if v.query("after") == "" && view.Query == "" {
		if view.Missing, err = v.missingGroups(settings, entry); err != nil {
			return err
		}
	}
	if len(list) == 0 {
		e := emptyYet("users-group", "No groups yet", "Groups come with the first import, or when Entra's provisioning sends them.", link{"See the integration", Base + "/integrations/" + i.ID, ""})
		if view.Query != "" {
			e = emptyFiltered("No group has such a name", with("/groups", "integration", i.ID))
		}
		view.Empty = &e
	}
	return nil
}

// groupPage gives a page of the groups of an integration whose name contains the text.
func (v *visit) groupPage(ref model.Ref, q string) (list []model.DirectoryGroup, next string, err error) {
	after := v.query("after")
	if q == "" {
		list, err = v.read.DirectoryGroupsAfter(ref, after, groupsPage+1)
	} else {
		list, _, err = v.svc.Groups(v.ctx, ref, model.ResourceQuery{Filter: named(model.OpContains, q), StartIndex: 1, Count: groupsPage + 1, After: after})
	}
	if len(list) > groupsPage {
		list = list[:groupsPage]
		next = list[groupsPage-1].ID
	}
	return list, next, err
}

// named compares the display name of groups, without case.
func named(op model.CompareOp, text string) model.Filter {
	return model.Compare{Path: model.AttributePath{Name: "displayName", Type: model.TypeString}, Op: op, Value: text}
}

// membersCounted is how many members of each group a list of groups counts; the page of a group counts all of its own.
const membersCounted = 2_000

func (v *visit) memberCounts(ref model.Ref, list []model.DirectoryGroup) (map[string]int, error) {
	ids := make([]string, len(list))
	for n := range list {
		ids[n] = list[n].ID
	}
	return v.read.CountSomeMembers(ref, ids, membersCounted+1)
}

func groupLine(settings *model.Settings, entry model.IntegrationSettings, g *model.DirectoryGroup, counts map[string]int) mirroredGroup {
	row := mirroredGroup{
		ID: g.ID, Name: orWord(g.DisplayName, g.ExternalID), Path: Base + "/groups/" + g.IntegrationID + "/" + g.ID,
		Members: min(counts[g.ID], membersCounted), More: counts[g.ID] > membersCounted, Pending: g.PendingMembers, UpdatedAt: g.UpdatedAt,
	}
	for n := range entry.GroupMappings {
		m := &entry.GroupMappings[n]
		if m.Group.Matches(g.ExternalID, g.DisplayName) {
			row.Gives = append(row.Gives, strings.Join(givesInWords(settings, m), ", "))
		}
	}
	row.Marks = groupMarks(entry, g, row.Members)
	return row
}

// groupMarks are what is remarkable of a group.
func groupMarks(entry model.IntegrationSettings, g *model.DirectoryGroup, members int) []badge {
	var marks []badge
	mapped, old := false, ""
	for _, m := range entry.GroupMappings {
		if m.Group.Matches(g.ExternalID, g.DisplayName) {
			mapped = true
			if m.Group.DisplayName != "" && model.Fold(m.Group.DisplayName) != model.Fold(g.DisplayName) {
				old = m.Group.DisplayName
			}
		}
	}
	chosen := slices.ContainsFunc(entry.ChosenGroups, func(s model.GroupSelector) bool { return s.Matches(g.ExternalID, g.DisplayName) })
	if mapped {
		marks = append(marks, badge{good, "arrows-right-left", "Mapped"})
	}
	if chosen {
		marks = append(marks, badge{fresh, "filter", "In scope"})
	}
	if old != "" {
		marks = append(marks, badge{warn, "pencil", "Renamed, was " + old})
	}
	if (mapped || chosen) && members == 0 {
		marks = append(marks, badge{warn, "alert-triangle", "Nobody in it"})
	}
	return marks
}

// givesInWords says what a mapping gives.
func givesInWords(settings *model.Settings, m *model.GroupMapping) []string {
	var list []string
	if m.Role != "" {
		role := settings.Roles[m.Role]
		text := "role " + roleName(settings, m.Role)
		if role.Administrator && !m.AllowAdministrator {
			text += " (an administrator role, which is not allowed here, and so not given)"
		}
		list = append(list, text)
	}
	if m.Department != "" {
		list = append(list, "department "+orWord(settings.Departments[m.Department].Name, m.Department))
	}
	for _, x := range []struct{ word, value string }{{"language ", m.Language}, {"time zone ", m.TimeZone}, {"currency ", m.Currency}} {
		if x.value != "" {
			list = append(list, x.word+x.value)
		}
	}
	for _, p := range m.Permissions {
		list = append(list, string(p.Level)+" of "+moduleName(settings, p.Module)+" at "+siteName(settings, m.Site))
	}
	if len(list) == 0 {
		list = append(list, "nothing")
	}
	return list
}

func moduleName(settings *model.Settings, key string) string {
	return orWord(settings.Modules[key].Name, key)
}

func siteName(settings *model.Settings, key string) string {
	return orWord(settings.Sites[key].Name, key)
}

// missingGroups gives the groups that mappings and scope name and the mirror does not have.
func (v *visit) missingGroups(settings *model.Settings, entry model.IntegrationSettings) ([]missingRow, error) {
	rows := map[model.GroupSelector]*missingRow{}
	add := func(s model.GroupSelector, use string) *missingRow {
		if rows[s] == nil {
			rows[s] = &missingRow{Name: s.String()}
		}
		if !slices.Contains(rows[s].Uses, use) {
			rows[s].Uses = append(rows[s].Uses, use)
		}
		return rows[s]
	}
	for n := range entry.GroupMappings {
		m := &entry.GroupMappings[n]
		row := add(m.Group, "mapped")
		row.Gives = append(row.Gives, strings.Join(givesInWords(settings, m), ", "))
	}
	for _, s := range entry.ChosenGroups {
		add(s, "in scope")
	}
	if err := v.leaveOutKnown(entry.Integration.Ref(), rows); err != nil {
		return nil, err
	}
	var list []missingRow
	for _, row := range rows {
		list = append(list, *row)
	}
	slices.SortFunc(list, func(a, b missingRow) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// namesAtOnce is how many names are looked for with one query.
const namesAtOnce = 20

// leaveOutKnown takes the groups away that the mirror has.
func (v *visit) leaveOutKnown(ref model.Ref, rows map[model.GroupSelector]*missingRow) error {
	var ids, names []string
	for s := range rows {
		if s.ExternalID != "" {
			ids = append(ids, s.ExternalID)
		} else {
			names = append(names, s.DisplayName)
		}
	}
	found, err := v.read.GroupsByExternalID(ref, ids)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(names, namesAtOnce) {
		filter := named(model.OpEqual, some[0])
		for _, name := range some[1:] {
			filter = model.Or{Left: filter, Right: named(model.OpEqual, name)}
		}
		list, _, err := v.svc.Groups(v.ctx, ref, model.ResourceQuery{Filter: filter, StartIndex: 1, Count: 2 * namesAtOnce})
		if err != nil {
			return err
		}
		found = append(found, list...)
	}
	maps.DeleteFunc(rows, func(s model.GroupSelector, _ *missingRow) bool {
		return slices.ContainsFunc(found, func(g model.DirectoryGroup) bool { return s.Matches(g.ExternalID, g.DisplayName) })
	})
	return nil
}

// groupView is one group with its members.
type groupView struct {
	ID, ExternalID, Path string
	Integration, Back    string
	Members              int
	Pending              int
	Marks                []badge
	Mappings             []groupMappingRow
	List                 []memberRow
	Empty                *empty
	Pager                pager
	Manage               bool
	UpdatedAt            any
}

// groupMappingRow is what one mapping gives, and where it is changed.
type groupMappingRow struct {
	Gives []string
	By    string
	Path  string
}

type memberRow struct{ Name, Path, Kind string }

func (v *visit) group() (model.DirectoryGroup, model.IntegrationSettings, *model.Settings, error) {
	settings, err := v.read.Settings(v.org)
	if err != nil {
		return model.DirectoryGroup{}, model.IntegrationSettings{}, nil, err
	}
	g, err := v.read.DirectoryGroup(v.ref(), v.r.PathValue("group"))
	return g, settings.Integrations[v.ref().IntegrationID], settings, err
}

func (v *visit) showGroup() error {
	g, entry, settings, err := v.group()
	if err != nil {
		return err
	}
	list, err := v.read.MembersAfter(g.Ref(), g.ID, v.query("after"), groupsPage+1)
	if err != nil {
		return err
	}
	counts, err := v.read.CountMembers(g.Ref(), []string{g.ID})
	if err != nil {
		return err
	}
	path := "/groups/" + g.IntegrationID + "/" + g.ID
	view := groupView{
		ID: g.ID, ExternalID: g.ExternalID, Path: Base + path, Integration: entry.Integration.Name, Members: counts[g.ID], Pending: g.PendingMembers,
		Marks: groupMarks(entry, &g, counts[g.ID]), Manage: v.can(model.RightManageSettings), UpdatedAt: g.UpdatedAt,
	}
	for n := range entry.GroupMappings {
		if m := &entry.GroupMappings[n]; m.Group.Matches(g.ExternalID, g.DisplayName) {
			row := groupMappingRow{Gives: givesInWords(settings, m), By: "by its object id", Path: with(path+"/map", "entry", strconv.Itoa(n))}
			if m.Group.ExternalID == "" {
				row.By = "by its name: a rename in Entra takes it out of the mapping"
			}
			view.Mappings = append(view.Mappings, row)
		}
	}
	next := ""
	if len(list) > groupsPage {
		list = list[:groupsPage]
		next = list[groupsPage-1].ID
	}
	for _, m := range list {
		view.List = append(view.List, memberLine(g.IntegrationID, m))
	}
	view.Pager = v.paged(next, len(list), "members")
	if len(list) == 0 {
		e := emptyYet("users", "Nobody is in it", "Entra sent this group without members, or all of them have left.", link{})
		view.Empty = &e
	}
	return v.render("group", page{Title: orWord(g.DisplayName, g.ExternalID), Crumbs: []crumb{{"Groups", "/groups?integration=" + g.IntegrationID}}, Body: view})
}

func memberLine(integration string, m model.Member) memberRow {
	row := memberRow{Name: orWord(m.Display, m.ID), Path: Base + "/integrations/" + integration + "/people/" + m.ID, Kind: "Person"}
	if m.Type == model.MemberGroup {
		row.Path, row.Kind = Base+"/groups/"+integration+"/"+m.ID, "Group"
	}
	return row
}
