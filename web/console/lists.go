package console

import (
	"usher/model"
	"usher/model/store"
)

// listsView are the distribution lists.
type listsView struct {
	Tabs        []tab
	Query       string
	Integration field
	Lists       []listRow
	Empty       *empty
	Pager       pager
	Choose      []link // where lists are chosen
}

type listRow struct {
	Name, Email, Path, Integration, Kind string
	State                                badge
	Members, Without                     int
	UpdatedAt                            any
}

func (v *visit) showLists() error {
	settings, err := v.read.Settings(v.org)
	if err != nil {
		return err
	}
	view := listsView{Tabs: groupTabs("/groups/lists"), Query: v.query("q"), Integration: v.integrationFilter(settings)}
	list, err := v.read.ListsAfter(v.org, store.ListFilter{Integration: view.Integration.Value, Q: view.Query}, v.query("after"), groupsPage+1)
	if err != nil {
		return err
	}
	next := ""
	if len(list) > groupsPage {
		list = list[:groupsPage]
		next = list[groupsPage-1].ID
	}
	for n := range list {
		view.Lists = append(view.Lists, listLine(settings, &list[n]))
	}
	view.Pager = v.paged(next, len(list), "lists")
	for _, i := range sortedIntegrations(settings) {
		if i.Ingress == model.IngressGraph && v.can(model.RightManageSettings) {
			view.Choose = append(view.Choose, link{"Choose lists of " + i.Name, Base + "/integrations/" + i.ID + "/lists", "adjustments"})
		}
	}
	if len(list) == 0 {
		e := emptyYet("mail", "No distribution lists yet", "Groups with an address that an integration's settings name as lists appear here, with their members.", link{})
		switch {
		case len(settings.Integrations) == 0:
			e = *nothingConnected()
		case view.Query != "" || view.Integration.Value != "":
			e = emptyFiltered("No list fits", Base+"/groups/lists")
		}
		view.Empty = &e
	}
	return v.render("lists", page{Title: "Distribution lists", Lead: "Groups of Entra with an address, and who of their members has an account.", Body: view})
}

func listLine(settings *model.Settings, l *model.List) listRow {
	row := listRow{
		Name: orWord(l.DisplayName, l.ExternalID), Email: l.Email, Path: Base + "/groups/lists/" + l.ID, Integration: settings.Integrations[l.IntegrationID].Integration.Name,
		State: badge{good, "circle-check", "Ready"}, Members: l.Members, Without: l.WithoutAccount, UpdatedAt: l.UpdatedAt,
	}
	if l.State == model.ListPending {
		row.State = badge{warn, "clock", "Waits for an import"}
	}
	switch l.Kind {
	case model.ListMicrosoft365:
		row.Kind = "Microsoft 365 group"
	case model.ListMailSecurity:
		row.Kind = "Mail-enabled security group"
	case model.ListDistribution:
		row.Kind = "Distribution group"
	}
	return row
}

// listView is one distribution list with its members.
type listView struct {
	List    listRow
	ID      string
	Members []personRow
	Empty   *empty
	Pager   pager
}

func (v *visit) showList() error {
	l, err := v.read.List(v.org, v.r.PathValue("list"))
	if err != nil {
		return err
	}
	settings, err := v.read.Settings(v.org)
	if err != nil {
		return err
	}
	list, err := v.svc.ListMembers(v.ctx, v.org, l.ID, v.query("after"), groupsPage+1)
	if err != nil {
		return err
	}
	next := ""
	if len(list) > groupsPage {
		list = list[:groupsPage]
		next = list[groupsPage-1].AccountID
	}
	view := listView{List: listLine(settings, &l), ID: l.ExternalID, Pager: v.paged(next, len(list), "members")}
	for _, m := range list {
		name := orWord(m.DisplayName, m.Email)
		view.Members = append(view.Members, personRow{Name: name, Email: m.Email, Initials: initials(name), Path: Base + "/people/" + m.AccountID, Status: accountStatus(m.Status)})
	}
	if len(list) == 0 {
		e := emptyYet("users", "Nobody with an account is in it", "Members without account are counted, and not shown.", link{})
		if l.State == model.ListPending {
			e = emptyYet("clock", "Its members are not known yet", "The next import reads them.", link{"See the runs", Base + "/runs", ""})
		}
		view.Empty = &e
	}
	return v.render("list", page{Title: view.List.Name, Lead: l.Email, Crumbs: []crumb{{"Distribution lists", "/groups/lists"}}, Body: view})
}
