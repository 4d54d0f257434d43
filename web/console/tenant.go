package console

import (
	"errors"

	"usher/directory"
	"usher/model"
	"usher/model/outlook"
)

func (c *Console) tenantRoutes() []route {
	const one, operation = "/entra/people/{integration}/{person}", "/entra/operations/{operation}"
	return []route{
		get("/entra", model.RightRead, (*visit).showTenant),
		get("/entra/licences", model.RightRead, (*visit).showProducts),
		get("/entra/new", model.RightManageEntra, (*visit).newEntraUser),
		post("/entra/new", model.RightManageEntra, (*visit).createEntraUser),
		get(one, model.RightRead, (*visit).showEntraUser),
		post(one+"/groups", model.RightManageEntra, (*visit).changeEntraGroups),
		post(one+"/licences", model.RightManageEntra, (*visit).changeEntraLicences),
		post(one+"/restore", model.RightManageEntra, (*visit).restoreEntraUser),
		get(one+"/offboard", model.RightManageEntra, (*visit).planOffboarding),
		post(one+"/offboard", model.RightManageEntra, (*visit).offboard),
		get("/entra/operations", model.RightRead, (*visit).showOperations),
		get(operation, model.RightRead, (*visit).showOperation),
		get(operation+"/events", model.RightRead, (*visit).followOperation),
		post(operation+"/cancel", model.RightManageEntra, (*visit).cancelOperation),
	}
}

// tenantHead is what every page about a tenant begins with.
type tenantHead struct {
	Tabs        []tab
	Integration field
	ID          string
	Alerts      []alert
	Empty       *empty
	Manage      bool // may change people in Entra, and the integration lets Usher do so
}

// tenantView are the users of a tenant, as they are at this moment.
type tenantView struct {
	tenantHead
	Query   string
	Deleted bool
	People  []entraRow
	Pager   pager
}

// entraRow is a user of a tenant.
type entraRow struct {
	ID, Name, UPN, Initials, Path string
	Status                        []badge
	Department, JobTitle          string
	Account                       string // path of the account's page
	DeletedAt                     any
}

// tenantPage is how many users of a tenant one page shows.
const tenantPage = 25

func (v *visit) tenantTabs(path, integration string) []tab {
	var list []tab
	for _, t := range []tab{{Name: "People", Path: "/entra"}, {Name: "Deleted", Path: "/entra?view=deleted"}, {Name: "Licences", Path: "/entra/licences"}, {Name: "Operations", Path: "/entra/operations"}} {
		to := with(t.Path, "integration", integration)
		if t.Name == "Deleted" {
			to = with("/entra", "view", "deleted", "integration", integration)
		}
		list = append(list, tab{Name: t.Name, Path: to, Current: t.Path == path})
	}
	return list
}

// tenantHead chooses the integration and says what can be done with its tenant. Its Empty is set where there is none.
func (v *visit) tenantHead(path string) (tenantHead, model.Integration, error) {
	settings, err := v.read.Settings(v.org)
	if err != nil {
		return tenantHead{}, model.Integration{}, err
	}
	i, chosen, ok := v.chosenIntegration(settings)
	head := tenantHead{Tabs: v.tenantTabs(path, i.ID), Integration: chosen, ID: i.ID, Manage: v.can(model.RightManageEntra)}
	if !ok {
		e := emptyNotConnected("No directory is connected", "People in Entra can be seen and managed as soon as an integration reaches a tenant over Microsoft Graph.", link{"Set up an integration", Base + "/integrations/new", "plus"})
		head.Empty, head.Manage = &e, false
		return head, i, nil
	}
	head.limit(i)
	return head, i, nil
}

// limit says what the integration's settings keep Usher from.
func (h *tenantHead) limit(i model.Integration) {
	edit := link{"Settings of " + i.Name, Base + "/integrations/" + i.ID + "/edit", ""}
	switch on := i.WriteBack; {
	case i.ReadOnly:
		h.Manage = false
		h.Alerts = append(h.Alerts, alert{calm, "eye", "This integration only reads", "Usher writes nothing to this tenant.", edit})
	case !on.Create && !on.Update && !on.Delete:
		h.Manage = false
		h.Alerts = append(h.Alerts, alert{calm, "lock", "Nothing is written to Entra", "Writing is switched off: people can be looked at, and not changed.", edit})
	}
}

// unreachable says why a tenant cannot be asked. What is Usher's own fault is given back.
func unreachable(err error, i model.Integration) (*empty, error) {
	permissions := link{"Compare the permissions", Base + "/integrations/" + i.ID + "/setup/permissions", ""}
	edit := link{"Settings of " + i.Name, Base + "/integrations/" + i.ID + "/edit", ""}
	if theirs, ok := errors.AsType[*outlook.Error](err); ok {
		e := emptyYet("cloud", "Microsoft Graph does not answer", "Graph failed: "+theirs.Error()+". Try again in a minute.", link{})
		switch theirs.Kind {
		case outlook.Forbidden:
			e = empty{"not-allowed", "lock", "A permission is missing", "Graph refuses this to the integration's application: " + theirs.Error() + ".", permissions}
		case outlook.BadCredentials:
			e = emptyNotConnected("Entra does not accept the credentials", "Renew the integration's secret or certificate, or have an administrator grant consent again: "+theirs.Error()+".", edit)
		case outlook.Throttled:
			e = emptyYet("clock", "Graph asks for patience", "Too much was asked of this tenant. Try again in a minute.", link{})
		default:
		}
		return &e, nil
	}
	if known, ok := errors.AsType[*model.Error](err); ok && known.Kind == model.Refused {
		e := emptyNotConnected("Graph is not connected", sentence(known.Detail), edit)
		return &e, nil
	}
	return nil, err
}

func (v *visit) showTenant() error {
	path := "/entra"
	deleted := v.query("view") == "deleted"
	if deleted {
		path = "/entra?view=deleted"
	}
	head, i, err := v.tenantHead(path)
	if err != nil {
		return err
	}
	view := tenantView{tenantHead: head, Query: v.query("q"), Deleted: deleted}
	if head.Empty == nil {
		if err := v.fillTenant(&view, i); err != nil {
			return err
		}
	}
	if v.partial() {
		return v.fragment("tenant", "tenant-list", view)
	}
	return v.render("tenant", page{Title: "Entra", Lead: "Who is in the tenant at this moment, asked of Microsoft Graph.", Body: view})
}

func (v *visit) fillTenant(view *tenantView, i model.Integration) error {
	q := view.Query
	if view.Deleted {
		q = ""
	}
	after := v.r.URL.Query().Get("after") // sealed, and longer than what else an address has
	list, err := v.svc.EntraUsers(v.ctx, i.Ref(), q, view.Deleted, after, tenantPage)
	if err != nil {
		view.Empty, err = unreachable(err, i)
		return err
	}
	for n := range list.Data {
		view.People = append(view.People, entraLine(i.ID, &list.Data[n]))
	}
	view.Pager = v.paged(list.Next, len(list.Data), "people")
	if len(list.Data) == 0 {
		e := emptyYet("users", "Nobody is in the tenant", "Graph gives no users to this application.", link{})
		switch {
		case view.Deleted:
			e = emptyYet("circle-check", "Nobody can be restored", "Users who are deleted in Entra stay here for 30 days.", link{})
		case q != "":
			e = emptyFiltered("Nobody's name, user name or address begins so", with("/entra", "integration", i.ID))
		}
		view.Empty = &e
	}
	return nil
}

func entraLine(integration string, u *directory.EntraUser) entraRow {
	name := orWord(u.DisplayName, u.UserPrincipalName)
	row := entraRow{
		ID: u.ID, Name: name, UPN: u.UserPrincipalName, Initials: initials(name), Path: Base + "/entra/people/" + integration + "/" + u.ID,
		Status: entraStatus(u), Department: u.Department, JobTitle: u.JobTitle, DeletedAt: u.DeletedAt,
	}
	if u.AccountID != nil {
		row.Account = Base + "/people/" + *u.AccountID
	}
	return row
}

func entraStatus(u *directory.EntraUser) []badge {
	list := []badge{{good, "circle-check", "May sign in"}}
	switch {
	case u.DeletedAt != nil:
		list[0] = badge{bad, "trash", "Deleted"}
	case !u.Enabled:
		list[0] = badge{warn, "ban", "Disabled"}
	}
	if u.UserType == "Guest" {
		list = append(list, badge{calm, "door", "Guest"})
	}
	if u.OnPremisesSync {
		list = append(list, badge{calm, "building", "From Active Directory"})
	}
	return list
}

// productsView are the products of a tenant with their seats.
type productsView struct {
	tenantHead
	Products []productRow
}

type productRow struct {
	Name, ID, Reason  string
	State             badge
	Seats, Used, Free int
	Plans             []string
}

func (v *visit) showProducts() error {
	head, i, err := v.tenantHead("/entra/licences")
	if err != nil {
		return err
	}
	view := productsView{tenantHead: head}
	if head.Empty == nil {
		list, err := v.svc.EntraLicences(v.ctx, i.Ref())
		if err != nil {
			if view.Empty, err = unreachable(err, i); err != nil {
				return err
			}
		} else if len(list) == 0 {
			e := emptyYet("certificate", "No products", "The tenant has subscribed to nothing.", link{})
			view.Empty = &e
		}
		for n := range list {
			view.Products = append(view.Products, productLine(&list[n]))
		}
	}
	return v.render("products", page{Title: "Licences", Lead: "The products of the tenant, and how many seats are left.", Body: view})
}

func productLine(p *directory.EntraProduct) productRow {
	row := productRow{Name: p.PartNumber, ID: p.SKUID, Reason: sentence(p.Reason), State: badge{good, "circle-check", "Can be given"}, Seats: p.Seats, Used: p.Used, Free: p.Free, Plans: p.Plans}
	if !p.Assignable {
		row.State = badge{warn, "alert-triangle", "Cannot be given"}
	}
	return row
}
