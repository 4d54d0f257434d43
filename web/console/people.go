package console

import (
	"slices"
	"strings"

	"usher/model"
	"usher/model/store"
)

func (c *Console) peopleRoutes() []route {
	return []route{
		get("/people", model.RightRead, (*visit).showPeople),
		get("/people/export", model.RightRead, (*visit).exportPeople),
		post("/people/preview", model.RightManageAccounts, (*visit).previewBulk),
		post("/people/bulk", model.RightManageAccounts, (*visit).applyBulk),
	}
}

// peopleView is the list of people: accounts, or directory users that have none.
type peopleView struct {
	Tabs        []tab
	Query       string
	View        string
	Integration field
	Role        field
	Filtered    bool
	People      []personRow
	Empty       *empty
	Pager       pager
	Manage      bool // may act on accounts, and the view has such
	Accounts    bool // the rows are accounts
	Export      string
}

// personRow is one line of the list.
type personRow struct {
	ID, Name, Email, Initials string
	Account                   string // id of the account, which actions are about; "" where there is none
	Path                      string // of the person's page
	Status                    badge
	Roles                     []string
	Where                     string // integrations, or why there is no account
	Department                string // or why somebody is in the view
	Plan                      string // path of the plan that is held
	UpdatedAt                 any
}

// peoplePage is how many people one page shows.
const peoplePage = 50

// peopleViews are the saved views by their key, in the order of the tabs.
func peopleViews() []tab {
	return []tab{
		{Name: "Everyone", Path: ""},
		{Name: "Active", Path: "active"},
		{Name: "Deactivated", Path: "deactivated"},
		{Name: "Archived", Path: "archived"},
		{Name: "External", Path: "external"},
		{Name: "Guests", Path: "guests"},
		{Name: "Hybrid", Path: "hybrid"},
		{Name: "Excluded", Path: "excluded"},
		{Name: "Conflicts", Path: "conflicts"},
		{Name: "Held", Path: "held"},
	}
}

func (v *visit) showPeople() error {
	view, err := v.peopleView()
	if err != nil {
		return err
	}
	if v.partial() {
		return v.fragment("people", "people-list", view)
	}
	return v.render("people", page{Title: "People", Lead: "Everyone Usher knows: whom Entra sent, and who was made by hand.", Body: view})
}

func (v *visit) peopleView() (peopleView, error) {
	view := peopleView{Query: v.query("q"), View: v.query("view"), Manage: v.can(model.RightManageAccounts)}
	if err := knownView(view.View); err != nil {
		return view, err
	}
	settings, err := v.read.Settings(v.org)
	if err != nil {
		return view, err
	}
	view.Integration, view.Role = v.integrationFilter(settings), v.roleFilter(settings)
	for _, t := range peopleViews() {
		t.Current = t.Path == view.View
		t.Path = with("/people", "view", t.Path, "q", view.Query, "integration", view.Integration.Value, "role", view.Role.Value)
		view.Tabs = append(view.Tabs, t)
	}
	view.Filtered = view.Query != "" || view.Integration.Value != "" || view.Role.Value != ""
	view.Export = with("/people/export", "view", view.View, "q", view.Query, "integration", view.Integration.Value, "role", view.Role.Value)
	next, err := v.fillPeople(&view, settings)
	note := view.Pager.Note
	view.Pager = v.paged(next, len(view.People), "people")
	view.Pager.Note = note
	if len(view.People) == 0 && next == "" {
		view.Empty = v.noPeople(&view, settings)
	}
	return view, err
}

// fillPeople reads a page of the view, and gives the cursor behind it.
func (v *visit) fillPeople(view *peopleView, settings *model.Settings) (string, error) {
	switch view.View {
	case "held":
		view.Manage = false
		return v.heldPage(view, settings)
	case "excluded", "conflicts":
		view.Manage = false
		return v.mirrorPage(view, settings)
	case "guests", "hybrid":
		return v.mirrorPage(view, settings)
	}
	view.Accounts = true
	return v.accountPage(view, settings)
}

func (v *visit) integrationFilter(settings *model.Settings) field {
	f := field{ID: "integration", Name: "integration", Label: "Integration", Type: "select", Value: v.query("integration")}
	options := []option{{Name: "Every integration"}}
	for _, i := range sortedIntegrations(settings) {
		options = append(options, option{Value: i.ID, Name: i.Name})
	}
	return f.choose(options...)
}

func (v *visit) roleFilter(settings *model.Settings) field {
	f := field{ID: "role", Name: "role", Label: "Role", Type: "select", Value: v.query("role")}
	options := []option{{Name: "Every role"}}
	var keys []string
	for key := range settings.Roles {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		options = append(options, option{Value: key, Name: settings.Roles[key].Name})
	}
	return f.choose(options...)
}

func sortedIntegrations(settings *model.Settings) []model.Integration {
	var list []model.Integration
	for _, i := range settings.Integrations {
		list = append(list, i.Integration)
	}
	slices.SortFunc(list, func(a, b model.Integration) int { return strings.Compare(a.Name+a.ID, b.Name+b.ID) })
	return list
}

// accountFilter gives what the address asks for.
func (v *visit) accountFilter() store.AccountFilter {
	f := store.AccountFilter{Search: v.query("q"), Integration: v.query("integration"), Role: v.query("role")}
	switch view := v.query("view"); view {
	case "active", "deactivated", "archived":
		f.Status = model.AccountStatus(view)
	case "external":
		f.Unlinked, f.Origin = true, model.OriginManual
	}
	return f
}

// accountPage reads a page of accounts. A search begins with those whose e-mail or user name begins with the text, which is quick
// however many there are; the rest is looked through page by page.
func (v *visit) accountPage(view *peopleView, settings *model.Settings) (string, error) {
	f, after := v.accountFilter(), v.query("after")
	var list []model.Account
	var next string
	var err error
	if after == "" && f == (store.AccountFilter{Search: f.Search}) && f.Search != "" {
		if list, err = v.read.PeopleNamed(v.org, f.Search, peoplePage); err != nil {
			return "", err
		}
		view.Pager.Note = "These begin with what you typed; the next page looks everywhere in names"
		next = "everywhere"
	}
	if len(list) == 0 {
		if after == "everywhere" {
			after = ""
		}
		view.Pager.Note = ""
		if list, next, err = v.read.PeopleAfter(v.org, f, after, peoplePage); err != nil {
			return "", err
		}
	}
	for i := range list {
		view.People = append(view.People, accountRow(&list[i], settings))
	}
	if view.Pager.Note == "" {
		view.partly(next)
	}
	return next, nil
}

// partly says of a page that is not full, and not the last, why it is so.
func (view *peopleView) partly(next string) {
	if next != "" && len(view.People) < peoplePage {
		view.Pager.Note = "Only a part of all people was looked through; the next page goes on"
	}
}

func accountRow(a *model.Account, settings *model.Settings) personRow {
	row := personRow{
		ID: a.ID, Account: a.ID, Name: a.Name(), Email: a.Email, Initials: initials(a.Name()), Path: Base + "/people/" + a.ID,
		Status: accountStatus(a.Status), Department: a.Department, UpdatedAt: a.UpdatedAt,
	}
	for _, key := range a.Roles {
		row.Roles = append(row.Roles, roleName(settings, key))
	}
	var names []string
	for _, l := range a.Links {
		names = append(names, settings.Integrations[l.IntegrationID].Integration.Name)
	}
	row.Where = strings.Join(slices.Compact(names), ", ")
	if row.Where == "" {
		row.Where = "made by hand"
		if a.Origin == model.OriginDirectory {
			row.Where = "no longer synced"
		}
	}
	return row
}

func roleName(settings *model.Settings, key string) string {
	if r, ok := settings.Roles[key]; ok && r.Name != "" {
		return r.Name
	}
	return key
}

// mirrorFilter gives what the address asks for in the views of directory users.
func (v *visit) mirrorFilter() store.PersonFilter {
	f := store.PersonFilter{Search: v.query("q"), Integration: v.query("integration")}
	switch view := v.query("view"); view {
	case "guests":
		f.Guests = true
	case "hybrid":
		f.Hybrid = true
	case "excluded", "conflicts":
		f.Unlinked, f.InScope = true, new(view == "conflicts")
	}
	return f
}

func (v *visit) mirrorPage(view *peopleView, settings *model.Settings) (string, error) {
	list, next, err := v.read.PeopleOfMirrorAfter(v.org, v.mirrorFilter(), v.query("after"), peoplePage)
	for i := range list {
		view.People = append(view.People, mirrorRow(&list[i], settings))
	}
	view.partly(next)
	return next, err
}

func mirrorRow(u *model.DirectoryUser, settings *model.Settings) personRow {
	row := personRow{
		ID: u.ID, Name: u.Name(), Email: u.UserName, Initials: initials(u.Name()), UpdatedAt: u.UpdatedAt,
		Path: Base + "/integrations/" + u.IntegrationID + "/people/" + u.ID, Where: settings.Integrations[u.IntegrationID].Integration.Name,
	}
	if u.AccountID != nil {
		row.Path, row.Account = Base+"/people/"+*u.AccountID, *u.AccountID
	}
	switch {
	case u.AccountID != nil:
		row.Status = badge{good, "link", "Has an account"}
	case len(u.Explanation.Problems) > 0:
		row.Status, row.Department = badge{bad, "alert-circle", "Conflict"}, u.Explanation.Problems[0].Detail
	case u.Explanation.InScope:
		row.Status, row.Department = badge{warn, "clock", "Not linked"}, u.Explanation.Link
	default:
		row.Status, row.Department = badge{calm, "filter", "No account"}, u.Explanation.Scope
	}
	return row
}

// noPeople says why the list is empty.
func (v *visit) noPeople(view *peopleView, settings *model.Settings) *empty {
	var e empty
	switch {
	case view.Filtered:
		e = emptyFiltered("Nobody fits", with("/people", "view", view.View))
	case v.query("after") != "":
		e = emptyYet("users", "That was everyone", "There is nobody behind the page before.", link{"First page", v.without("after"), ""})
	case len(settings.Integrations) == 0:
		e = emptyNotConnected("No directory is connected", "People come here from Microsoft Entra ID as soon as an integration is set up.",
			link{"Set up an integration", Base + "/integrations/new", "plus"})
	case view.View == "conflicts":
		e = emptyYet("circle-check", "No conflicts", "Everyone in scope has an account.", link{})
	case view.View == "held":
		e = emptyYet("circle-check", "No plan is held", "A run that would deactivate many people waits for somebody; whom it concerns is listed here then.", link{"Runs", Base + "/runs", ""})
	case view.View == "hybrid":
		e = emptyYet("users", "Nobody is hybrid", "People whose master is an on-premises Active Directory are listed here: Entra refuses changes of them.", link{"Everyone", Base + "/people", ""})
	case view.View == "excluded":
		e = emptyYet("circle-check", "Nobody is left out", "Everyone that Entra sent has an account.", link{})
	case view.View != "":
		e = emptyYet("users", "Nobody is in this view", "People appear here when this becomes true of them.", link{"Everyone", Base + "/people", ""})
	default:
		e = emptyYet("users", "Nobody has come yet", "The integration is there, but Entra has not sent anybody. Start provisioning in Entra, or follow the steps of the integration.",
			link{"See the integrations", Base + "/integrations", ""})
	}
	return &e
}
