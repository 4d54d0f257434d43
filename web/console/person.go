package console

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"usher/directory"
	"usher/model"
	"usher/model/store"
)

func (c *Console) personRoutes() []route {
	return []route{
		get("/people/{account}", model.RightRead, (*visit).showPerson),
		get("/people/{account}/licences", model.RightRead, (*visit).showLicences),
		get("/people/{account}/what-if", model.RightRead, (*visit).whatIf),
		get("/people/{account}/status/{action}", model.RightManageAccounts, (*visit).askStatus),
		post("/people/{account}/status/{action}", model.RightManageAccounts, (*visit).setStatus),
		post("/people/{account}/roles", model.RightManageAccounts, (*visit).setRoles),
		post("/people/{account}/sync", model.RightRun, (*visit).syncPerson),
		get("/integrations/{integration}/people/{user}", model.RightRead, (*visit).showMirrored),
	}
}

// personView answers "why?": everything that is known of one person, each thing with its reason.
type personView struct {
	ID, Name, Initials string
	Email, UserName    string
	Status             badge
	Why                string
	Origin             string
	Employee           string
	Fields             []fieldRow
	Links              []linkRow
	Groups             []groupRow
	Roles              []reasonRow
	Permissions        []reasonRow
	Lists              []string
	Calendars          []calendarChip
	Licences           string // path of what asks Entra for them; "" where nobody is linked
	Timeline           []event
	Actions            []link
	RoleForm           *form
	RoleChoice         field
	Manage, Run        bool
	WhatIf             *whatIfForm
	Problems           []alert
}

// fieldRow is one field: what each side has, and who decides.
type fieldRow struct {
	Name, Value string
	Entra       []string // what Entra has, with where
	Owner       string   // why it is as it is
	Differs     bool
}

type linkRow struct {
	Integration, UserName, Rule, Scope string
	InScope, Hybrid                    bool
	Path                               string
	Raw                                string // the document as Entra sent it
	ExternalID                         string
}

type groupRow struct {
	Name, Integration, Path string // Path says through which group, where it is nested
	Link                    string // of the group's page
	Gives                   []string
}

// calendarChip is a calendar with how it gets on.
type calendarChip struct {
	badge
	Path string
}

type reasonRow struct {
	Name    string
	Reasons []reasonText
}

// reasonText is one reason with its kind: group, rule, hand, unknown.
type reasonText struct {
	Kind badge
	Text string
}

func (v *visit) accountID() string { return v.r.PathValue("account") }

func (v *visit) showPerson() error {
	x, err := v.svc.Explain(v.ctx, v.org, v.accountID())
	if err != nil {
		return err
	}
	return v.personPage(x, v.newForm("/people/"+x.Account.ID+"/roles", "Save the roles"))
}

func (v *visit) personPage(x directory.AccountExplanation, f *form) error {
	settings, err := v.read.Settings(v.org)
	if err != nil {
		return err
	}
	users, err := v.read.LinkedUsers(v.org, x.Account.ID)
	if err != nil {
		return err
	}
	a := x.Account
	view := personView{
		ID: a.ID, Name: a.Name(), Initials: initials(a.Name()), Email: a.Email, UserName: a.UserName, Status: accountStatus(a.Status),
		Why: sentence(x.Status.Reason), Manage: v.can(model.RightManageAccounts), Run: v.can(model.RightRun) && len(users) > 0, RoleForm: f,
	}
	view.Origin = "made by hand"
	if a.Origin == model.OriginDirectory {
		view.Origin = "came from a directory"
	}
	if x.Employee != nil {
		view.Employee = x.Employee.ExternalID + " (" + string(x.Employee.State) + ")"
	}
	view.Fields = fieldRows(x, users, settings)
	view.Roles, view.Permissions = roleRows(x, settings), permissionRows(x)
	view.Links, view.Problems = linkRows(x, users)
	view.Actions = statusActions(a)
	view.RoleChoice = v.roleChoice(f, a, settings)
	if len(users) > 0 {
		view.Licences = Base + "/people/" + a.ID + "/licences"
	}
	for _, fill := range []func(*personView, []model.DirectoryUser, *model.Settings) error{v.personGroups, v.personCalendars, v.personTimeline} {
		if err := fill(&view, users, settings); err != nil {
			return err
		}
	}
	return v.render("person", page{Title: view.Name, Lead: "", Crumbs: []crumb{{"People", "/people"}}, Body: view})
}

// fieldName gives the words for a field of the account.
func fieldName(target string) string {
	names := map[string]string{
		"email": "E-mail", "user_name": "User name", "display_name": "Display name", "given_name": "Given name", "family_name": "Family name",
		"department": "Department", "job_title": "Job title", "language": "Language", "time_zone": "Time zone", "currency": "Currency", "roles": "Roles", "permissions": "Permissions", "status": "Status", "employee_id": "Employee",
	}
	if name := names[target]; name != "" {
		return name
	}
	return strings.TrimPrefix(target, "custom_fields.")
}

func fieldRows(x directory.AccountExplanation, users []model.DirectoryUser, settings *model.Settings) []fieldRow {
	var rows []fieldRow
	at := map[string]int{}
	for _, f := range x.Fields {
		row := fieldRow{Name: fieldName(f.Field), Value: fmt.Sprint(f.Value)}
		for _, r := range f.Reasons {
			row.Owner = strings.TrimPrefix(row.Owner+"; "+r.Text, "; ")
		}
		at[f.Field] = len(rows)
		rows = append(rows, row)
	}
	for i := range users {
		u := &users[i]
		entry := settings.Integrations[u.IntegrationID]
		for _, value := range directory.FieldValues(entry, u) {
			n, known := at[value.Target]
			if !known && value.Value == "" {
				continue
			}
			if !known {
				n = len(rows)
				at[value.Target] = n
				rows = append(rows, fieldRow{Name: fieldName(value.Target), Owner: "nothing fills it"})
			}
			text := orDash(value.Value)
			if len(users) > 1 {
				text += " (" + entry.Integration.Name + ")"
			}
			rows[n].Entra = append(rows[n].Entra, text)
			rows[n].Differs = rows[n].Differs || value.Value != rows[n].Value
		}
	}
	return rows
}

func reasonTexts(list []directory.Reason) []reasonText {
	var out []reasonText
	for _, r := range list {
		kind := badge{calm, "pencil", "by hand"}
		switch r.Source {
		case directory.ReasonGroup:
			kind = badge{fresh, "users-group", "group"}
		case directory.ReasonRule:
			kind = badge{calm, "settings", "rule"}
		case directory.ReasonUnknown:
			kind = badge{warn, "help", "unknown"}
		}
		text := sentence(r.Text)
		if r.Integration != "" {
			text += " (" + r.Integration + ")"
		}
		out = append(out, reasonText{kind, text})
	}
	return out
}

func roleRows(x directory.AccountExplanation, settings *model.Settings) []reasonRow {
	var rows []reasonRow
	for _, r := range x.Roles {
		rows = append(rows, reasonRow{roleName(settings, r.Role), reasonTexts(r.Reasons)})
	}
	return rows
}

func permissionRows(x directory.AccountExplanation) []reasonRow {
	var rows []reasonRow
	for _, p := range x.Permissions {
		rows = append(rows, reasonRow{fmt.Sprintf("%s in %s at %s", p.Level, p.Module, p.Site), reasonTexts(p.Reasons)})
	}
	return rows
}

func linkRows(x directory.AccountExplanation, users []model.DirectoryUser) ([]linkRow, []alert) {
	var rows []linkRow
	var problems []alert
	for i, l := range x.Links {
		row := linkRow{
			Integration: l.Integration, UserName: l.UserName, Rule: sentence(l.Explanation.Link), Scope: sentence(l.Explanation.Scope), InScope: l.Explanation.InScope,
			Path: Base + "/integrations/" + l.IntegrationID,
		}
		if row.Rule == "" {
			row.Rule = "Linked since the account was made."
		}
		if i < len(users) {
			row.Raw, row.ExternalID, row.Hybrid = pretty(&users[i]), users[i].ExternalID, directory.Hybrid(&users[i])
		}
		for _, p := range l.Explanation.Problems {
			problems = append(problems, alert{Tone: warn, Icon: "alert-circle", Title: fieldName(p.Field), Text: sentence(p.Detail)})
		}
		rows = append(rows, row)
	}
	return rows, problems
}

// statusActions gives what can be done to an account where it stands.
func statusActions(a model.Account) []link {
	path := Base + "/people/" + a.ID + "/status/"
	switch a.Status {
	case model.AccountActive:
		return []link{{"Deactivate…", path + "deactivate", "ban"}}
	case model.AccountDeactivated:
		return []link{{"Reactivate…", path + "reactivate", "user-check"}, {"Archive…", path + "archive", "archive"}}
	case model.AccountArchived:
		return []link{{"Delete…", path + "delete", "trash"}}
	}
	return nil
}

func (v *visit) roleChoice(f *form, a model.Account, settings *model.Settings) field {
	x := f.field("checks", "roles", "Roles by hand")
	x.Help = "A sync may change them again, as the integration's way of following groups says."
	held := a.Roles
	if v.r.PostForm.Has("roles-sent") {
		held = v.r.PostForm["roles"]
	}
	for _, o := range roleOptions(settings)[1:] {
		o.Chosen = slices.Contains(held, o.Value)
		if settings.Roles[o.Value].Administrator {
			o.Help = "An administrator's role: no sync changes the roles of who holds it."
		}
		x.Options = append(x.Options, o)
	}
	return x
}

// manyGroups is how many groups the page of a person shows.
const manyGroups = 200

// personGroups are the groups with what each gives, the lists that they are, and what other groups could be tried.
func (v *visit) personGroups(view *personView, users []model.DirectoryUser, settings *model.Settings) error {
	for i := range users {
		u := &users[i]
		entry := settings.Integrations[u.IntegrationID]
		member, err := v.memberships(u)
		if err != nil {
			return err
		}
		lists, err := v.read.ListsOf(u.Ref())
		if err != nil {
			return err
		}
		for _, m := range member {
			row := groupRow{Name: m.group.DisplayName, Integration: entry.Integration.Name, Path: m.path, Gives: gives(u, m.group.ID, settings), Link: groupPath(u, m)}
			view.Groups = append(view.Groups, row)
			for _, l := range lists {
				if l.ExternalID == m.group.ExternalID && !slices.Contains(view.Lists, l.DisplayName) {
					view.Lists = append(view.Lists, l.DisplayName)
				}
			}
		}
		if view.WhatIf == nil {
			if view.WhatIf, err = v.whatIfForm(view.ID, u, member); err != nil {
				return err
			}
		}
	}
	return nil
}

// membership is a group that somebody is in, directly or through another group.
type membership struct {
	group model.GroupRef
	path  string // "" for a direct member
}

// groupPath is the address of a group that somebody is in.
func groupPath(u *model.DirectoryUser, m membership) string {
	return Base + "/groups/" + u.IntegrationID + "/" + m.group.ID
}

// nestedAtMost is how deep groups are followed for a page.
const nestedAtMost = 8

// memberships gives the groups of a directory user, the direct ones first, then those that these are nested in.
func (v *visit) memberships(u *model.DirectoryUser) ([]membership, error) {
	var all []membership
	seen := map[string]bool{}
	paths := map[string]string{u.ID: ""}
	for ids, depth := []string{u.ID}, 0; len(ids) > 0 && depth < nestedAtMost; depth++ {
		above, err := v.svc.GroupsOf(v.ctx, u.Ref(), ids, manyGroups)
		if err != nil {
			return nil, err
		}
		var next []string
		for _, id := range ids {
			for _, g := range above[id] {
				if seen[g.ID] || len(all) >= manyGroups {
					continue
				}
				seen[g.ID] = true
				all = append(all, membership{g, paths[id]})
				paths[g.ID] = strings.TrimPrefix(paths[id]+" › "+g.DisplayName, " › ")
				next = append(next, g.ID)
			}
		}
		ids = next
	}
	slices.SortStableFunc(all, func(a, b membership) int {
		return cmp.Or(cmp.Compare(min(1, len(a.path)), min(1, len(b.path))), strings.Compare(a.group.DisplayName, b.group.DisplayName))
	})
	return all, nil
}

// gives says what a group gives the person, as the rules last said.
func gives(u *model.DirectoryUser, groupID string, settings *model.Settings) []string {
	var list []string
	for _, g := range u.Explanation.Grants {
		if g.GroupID == groupID {
			list = append(list, "role "+roleName(settings, g.Role))
		}
	}
	for _, p := range u.Explanation.Permissions {
		if p.GroupID == groupID {
			list = append(list, fmt.Sprintf("%s in %s at %s", p.Level, p.Module, p.Site))
		}
	}
	return list
}

func (v *visit) personCalendars(view *personView, _ []model.DirectoryUser, _ *model.Settings) error {
	list, err := v.read.CalendarsAfter(v.org, store.CalendarFilter{Account: view.ID}, "", manyTokens)
	for _, c := range list {
		b := calendarChip{badge{good, "calendar", c.Name}, Base + "/calendars/" + c.ID}
		switch {
		case !c.Enabled:
			b.Tone, b.Text = calm, c.Name+" (off)"
		case c.Sync.Error != "":
			b.Tone, b.Text = bad, c.Name+": "+c.Sync.Error
		}
		view.Calendars = append(view.Calendars, b)
	}
	return err
}
