package console

import (
	"slices"

	"usher/directory"
	"usher/model"
	"usher/model/store"
)

// entraView is one user of a tenant.
type entraView struct {
	tenantHead
	Person     entraRow
	Facts      []labelled
	Groups     []entraGroupRow
	Licences   []entraLicenceRow
	GroupForm  *form
	JoinGroup  picker
	SKUForm    *form
	GiveSKU    field
	Operations []operationRow
	Offboard   string
}

type labelled struct{ Name, Value string }

type entraGroupRow struct {
	ID, Name, Reason string
	Writable         bool
}

type entraLicenceRow struct {
	SKU, Name, From, Problem string
	Direct                   bool
	State                    badge
}

// shownOperations is how many operations a person's page shows.
const shownOperations = 5

func (v *visit) showEntraUser() error {
	path := v.entraPath()
	return v.entraPage(v.newForm(path+"/groups", "Put into the group"), v.newForm(path+"/licences", "Give the licence"))
}

// entraPath is the address of the user that the path names, below Base.
func (v *visit) entraPath() string {
	return "/entra/people/" + v.r.PathValue("integration") + "/" + v.r.PathValue("person")
}

func (v *visit) entraPage(groups, licences *form) error {
	i, err := v.integration()
	if err != nil {
		return err
	}
	view := entraView{tenantHead: tenantHead{ID: i.ID, Manage: v.can(model.RightManageEntra)}, GroupForm: groups, SKUForm: licences, Offboard: Base + v.entraPath() + "/offboard"}
	view.limit(i)
	crumbs := []crumb{{"Entra", "/entra?integration=" + i.ID}}
	u, err := v.svc.EntraUser(v.ctx, i.Ref(), v.r.PathValue("person"))
	if err == nil {
		err = v.fillEntraUser(&view, i, &u)
	}
	if err != nil {
		if view.Empty, err = unreachable(err, i); err != nil {
			return err
		}
		return v.render("tenant_person", page{Title: "A person in Entra", Crumbs: crumbs, Body: view})
	}
	return v.render("tenant_person", page{Title: view.Person.Name, Lead: "As Entra has this person at this moment.", Crumbs: crumbs, Body: view})
}

func (v *visit) fillEntraUser(view *entraView, i model.Integration, u *directory.EntraUser) error {
	view.Person = entraLine(i.ID, u)
	for _, f := range []labelled{
		{"Given name", u.GivenName},
		{"Family name", u.FamilyName},
		{"E-mail", u.Email},
		{"Job title", u.JobTitle},
		{"Department", u.Department},
		{"Country for licences", u.UsageLocation},
		{"Kind", u.UserType},
		{"Object id", u.ID},
	} {
		if f.Value != "" {
			view.Facts = append(view.Facts, f)
		}
	}
	groups, err := v.svc.EntraUserGroups(v.ctx, i.Ref(), u.ID)
	if err != nil {
		return err
	}
	for _, g := range groups {
		view.Groups = append(view.Groups, entraGroupRow{g.ID, orWord(g.DisplayName, g.ID), sentence(g.Reason), g.MembershipWritable})
	}
	licences, err := v.svc.EntraUserLicences(v.ctx, i.Ref(), u.ID)
	if err != nil {
		return err
	}
	for n := range licences {
		view.Licences = append(view.Licences, licenceLine(&licences[n]))
	}
	if err := v.entraChoices(view, i, licences); err != nil {
		return err
	}
	list, err := v.read.OperationsBefore(v.org, store.OperationFilter{Integration: i.ID, User: u.ID}, "", shownOperations)
	for n := range list {
		view.Operations = append(view.Operations, operationLine(&list[n]))
	}
	return err
}

func licenceLine(l *directory.EntraLicence) entraLicenceRow {
	row := entraLicenceRow{SKU: l.SKUID, Name: orWord(l.PartNumber, l.SKUID), From: "assigned to the person", Direct: l.Direct, State: badge{good, "circle-check", orWord(l.State, "Active")}}
	if !l.Direct {
		row.From = "from the group " + orWord(l.GroupName, "that is gone")
	}
	if l.Error != "" {
		row.State, row.Problem = badge{bad, "alert-circle", l.Error}, sentence(l.Advice)
	}
	return row
}

// entraChoices makes the two forms: groups that the person is not in, and products that can be given.
func (v *visit) entraChoices(view *entraView, i model.Integration, has []directory.EntraLicence) error {
	if !view.Manage {
		return nil
	}
	in := func(id string) bool {
		return slices.ContainsFunc(view.Groups, func(g entraGroupRow) bool { return g.ID == id })
	}
	var err error
	if view.JoinGroup, err = v.picker(i, view.GroupForm, "gid", "Group", in); err != nil {
		return err
	}
	view.GroupForm.rest()
	products, err := v.givable(i)
	if err != nil {
		return err
	}
	products = slices.DeleteFunc(products, func(o option) bool {
		return slices.ContainsFunc(has, func(l directory.EntraLicence) bool { return l.Direct && l.SKUID == o.Value })
	})
	view.GiveSKU = view.SKUForm.field("select", "sku", "Product").choose(append([]option{{Name: "choose a product"}}, products...)...)
	view.SKUForm.rest()
	return nil
}

// givable gives the products that have a free seat.
func (v *visit) givable(i model.Integration) ([]option, error) {
	list, err := v.svc.EntraLicences(v.ctx, i.Ref())
	var out []option
	for n := range list {
		if p := &list[n]; p.Assignable {
			out = append(out, option{Value: p.SKUID, Name: p.PartNumber + " (" + count(p.Free) + " of " + count(p.Seats) + " seats free)"})
		}
	}
	return out, err
}

// changeEntraGroups puts the person into a group, or takes the person out of it.
func (v *visit) changeEntraGroups() error {
	return v.changeEntra("gid", "choose a group", func(ref model.Ref, person, group string, remove bool) (model.Operation, error) {
		if remove {
			return v.svc.RemoveEntraMember(v.ctx, ref, group, person)
		}
		return v.svc.AddEntraMember(v.ctx, ref, group, person)
	})
}

// changeEntraLicences gives the person a product, or takes it away.
func (v *visit) changeEntraLicences() error {
	return v.changeEntra("sku", "choose a product", func(ref model.Ref, person, sku string, remove bool) (model.Operation, error) {
		if remove {
			return v.svc.RemoveEntraLicence(v.ctx, ref, person, sku)
		}
		return v.svc.AddEntraLicence(v.ctx, ref, person, sku)
	})
}

// changeEntra asks for what the field names, and shows the person's page anew where it is refused.
func (v *visit) changeEntra(name, nothing string, do func(ref model.Ref, person, target string, remove bool) (model.Operation, error)) error {
	i, err := v.integration()
	if err != nil {
		return err
	}
	var o model.Operation
	path := v.entraPath()
	if v.field("do") == "find" { // a search without JavaScript
		return v.entraPage(v.newForm(path+"/groups", "Put into the group"), v.newForm(path+"/licences", "Give the licence"))
	}
	if err = model.FieldErrorf(model.Invalid, name, "%s", nothing); v.field(name) != "" {
		o, err = do(i.Ref(), v.r.PathValue("person"), v.field(name), v.field("do") == "remove")
	}
	if err == nil {
		return v.done("/entra/operations/"+o.ID, "Entra is asked for it.")
	}
	groups, licences := v.newForm(path+"/groups", "Put into the group"), v.newForm(path+"/licences", "Give the licence")
	failed := groups
	if name == "sku" {
		failed = licences
	}
	if err := failed.fail(err); err != nil {
		return err
	}
	return v.entraPage(groups, licences)
}

func (v *visit) restoreEntraUser() error {
	i, err := v.integration()
	if err != nil {
		return err
	}
	o, err := v.svc.RestoreEntraUser(v.ctx, i.Ref(), v.r.PathValue("person"), v.checked("enable"))
	if err != nil {
		return err
	}
	return v.done("/entra/operations/"+o.ID, "Entra is asked to restore the person.")
}
