package console

import (
	"slices"

	"usher/directory"
	"usher/model"
)

// onboardView is the form of a new user of Entra.
type onboardView struct {
	tenantHead
	Form             *form
	UPN, Password    field
	Profile, Address []field
	Enabled          field
	Manager          field
	Groups           picker
	Licences         field
}

// onboardFields are the properties that the form asks for: name in the form, Graph's name, label, help.
func onboardFields() [][4]string {
	return [][4]string{
		{"display_name", "displayName", "Display name", ""},
		{"given_name", "givenName", "Given name", ""},
		{"family_name", "surname", "Family name", ""},
		{"job_title", "jobTitle", "Job title", ""},
		{"department", "department", "Department", ""},
		{"company_name", "companyName", "Company", ""},
		{"employee_id", "employeeId", "Employee id", "At most 16 characters."},
		{"office_location", "officeLocation", "Office", ""},
		{"mobile_phone", "mobilePhone", "Mobile phone", ""},
		{"usage_location", "usageLocation", "Country", "Two capital letters, such as DK; licences need it."},
	}
}

func (v *visit) newEntraUser() error {
	f := v.newForm("/entra/new", "On-board")
	f.set("account_enabled", "on")
	return v.onboardPage(f)
}

func (v *visit) onboardPage(f *form) error {
	head, i, err := v.tenantHead("")
	if err != nil {
		return err
	}
	view := onboardView{tenantHead: head, Form: f}
	p := page{Title: "On-board somebody", Lead: "Makes a user in Entra, with groups and licences.", Crumbs: []crumb{{"Entra", "/entra"}}}
	if head.Empty == nil && !head.Manage {
		e := empty{"not-allowed", "lock", "Nobody can be made here", "The settings of this integration do not let Usher write to Entra.", link{"Settings of " + i.Name, Base + "/integrations/" + i.ID + "/edit", ""}}
		view.Empty, view.Alerts = &e, nil
	}
	if view.Empty == nil {
		if err := v.onboardForm(&view, i); err != nil {
			return err
		}
	}
	p.Body = view
	return v.render("onboard", p)
}

func (v *visit) onboardForm(view *onboardView, i model.Integration) error {
	f := view.Form
	var products []option
	var err error
	view.Groups, err = v.picker(i, f, "groups", "Groups", nil)
	if err == nil {
		products, err = v.givable(i)
	}
	if err != nil {
		view.Empty, err = unreachable(err, i)
		return err
	}
	view.UPN = f.field("text", "user_principal_name", "User principal name")
	view.UPN.Placeholder, view.UPN.Required, view.UPN.Autocomplete = "ada@contoso.com", true, "off"
	view.UPN.Help = "The name to sign in with, in a verified domain of the tenant."
	for n, x := range onboardFields() {
		one := f.field("text", x[0], x[2])
		one.Help, one.Required, one.Autocomplete = x[3], n == 0, "off"
		view.Profile = append(view.Profile, one)
	}
	view.Password = f.field("password", "password", "First password")
	view.Password.Help, view.Password.Autocomplete = "Must be changed at the first sign-in. It goes to Entra and is kept nowhere; without one, one is made that nobody learns.", "new-password"
	view.Manager = f.field("text", "manager_id", "Manager")
	view.Manager.Help = "Object id or user principal name."
	view.Enabled = f.field("checkbox", "account_enabled", "May sign in at once")
	view.Licences = f.chooseMany(f.field("checks", "licences", "Licences"), products)
	f.rest()
	return nil
}

// chooseMany marks every chosen one among options.
func (f *form) chooseMany(x field, options []option) field {
	for n := range options {
		options[n].Chosen = slices.Contains(f.values[x.Name], options[n].Value)
	}
	x.Options = options
	return x
}

func (v *visit) createEntraUser() error {
	settings, err := v.read.Settings(v.org)
	if err != nil {
		return err
	}
	entry, ok := settings.Integrations[v.field("integration")]
	if !ok {
		return model.Errorf(model.NotFound, "There is no such integration.")
	}
	if v.field("do") == "find" { // a search without JavaScript
		return v.onboardPage(v.newForm("/entra/new", "On-board"))
	}
	enabled := v.checked("account_enabled")
	in := directory.NewEntraUser{
		UserPrincipalName: v.field("user_principal_name"), Password: v.r.PostForm.Get("password"), Profile: map[string]string{}, Enabled: &enabled,
		Groups: v.r.PostForm["groups"], Licences: v.r.PostForm["licences"],
	}
	for _, x := range onboardFields() {
		in.Profile[x[1]] = v.field(x[0])
	}
	if manager := v.field("manager_id"); manager != "" {
		in.ManagerID = &manager
	}
	o, err := v.svc.CreateEntraUser(v.ctx, entry.Integration.Ref(), in)
	if err != nil {
		f := v.newForm("/entra/new", "On-board")
		if err := f.fail(err); err != nil {
			return err
		}
		return v.onboardPage(f)
	}
	return v.done("/entra/operations/"+o.ID, "Entra is asked to make the user.")
}
