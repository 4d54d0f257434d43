package console

import (
	"slices"

	"usher/model"
)

func (c *Console) operatorRoutes() []route {
	return []route{
		get("/settings/operators", model.RightManageOperators, (*visit).showOperators),
		post("/settings/operators", model.RightManageOperators, (*visit).inviteOperator),
		get("/settings/operators/{operator}", model.RightManageOperators, (*visit).showOperator),
		post("/settings/operators/{operator}/rights", model.RightManageOperators, (*visit).setRights),
		post("/settings/operators/{operator}/link", model.RightManageOperators, (*visit).renewLink),
		post("/settings/operators/{operator}/sign-out", model.RightManageOperators, (*visit).signOutOperator),
		post("/settings/operators/{operator}/remove", model.RightManageOperators, (*visit).removeOperator),
	}
}

// operatorsView lists operators, and invites one.
type operatorsView struct {
	Tabs                []tab
	Rows                []operatorRow
	Form                *form
	Email, Name, Rights field
	Invited, Link       string // shown this once
}

type operatorRow struct {
	Name, Email, Path string
	Rights            []string
	State             badge
	SignedIn          any
	Me                bool
}

func (v *visit) showOperators() error {
	return v.operatorsPage(v.newForm("/settings/operators", "Invite"), "", "")
}

func (v *visit) operatorsPage(f *form, invited, token string) error {
	list, err := v.read.OperatorsAfter(v.org, "", manyChoices)
	if err != nil {
		return err
	}
	view := operatorsView{Tabs: v.settingsTabs("operators"), Form: f, Invited: invited}
	if token != "" {
		view.Link = v.welcomeURL(token)
	}
	for _, o := range list {
		view.Rows = append(view.Rows, v.operatorRow(o))
	}
	view.Email, view.Name = f.field("email", "email", "E-mail"), f.field("text", "name", "Name")
	view.Email.Required, view.Email.Autocomplete, view.Name.Autocomplete = true, "off", "off"
	chosen := f.values["rights"]
	if len(chosen) == 0 {
		chosen = []string{string(model.RightRead)}
	}
	view.Rights = v.rightChoices(f, chosen)
	f.rest()
	return v.render("operators", page{Title: "Settings", Body: view})
}

func (v *visit) operatorRow(o model.Operator) operatorRow {
	row := operatorRow{Name: o.Name, Email: o.Email, Path: Base + "/settings/operators/" + o.ID, SignedIn: o.SignedInAt, Me: o.ID == v.who.Operator.ID}
	for _, r := range o.Rights {
		row.Rights = append(row.Rights, rightName(r))
	}
	switch {
	case o.LockedUntil != nil && v.now().Before(*o.LockedUntil):
		row.State = badge{bad, "lock", "Locked out"}
	case o.SignedInAt == nil && o.PasswordHash == "":
		row.State = badge{warn, "mail", "Invited"}
	case o.EntraObjectID != "":
		row.State = badge{good, "cloud", "Signs in with Entra"}
	default:
		row.State = badge{good, "key", "Has a password"}
	}
	return row
}

// welcomeURL is the address of a link that works once.
func (v *visit) welcomeURL(token string) string {
	return v.publicURL + Base + "/welcome?token=" + token
}

func (v *visit) inviteOperator() error {
	rights, err := v.rights()
	var o model.Operator
	var token string
	if err == nil {
		o, token, err = v.svc.InviteOperator(v.ctx, v.who.Operator, v.field("email"), v.field("name"), rights)
	}
	if err != nil {
		f := v.newForm("/settings/operators", "Invite")
		if err := f.fail(err); err != nil {
			return err
		}
		return v.operatorsPage(f, "", "")
	}
	return v.operatorsPage(blank("/settings/operators", "Invite", nil), o.Email, token)
}

// operatorView is one operator.
type operatorView struct {
	Row        operatorRow
	Form       *form
	Rights     field
	Sessions   []sessionRow
	Path, Link string
}

func (v *visit) operatorOfPath() (model.Operator, error) {
	return v.read.Operator(v.org, v.r.PathValue("operator"))
}

func (v *visit) showOperator() error { return v.operatorPage(nil, "") }

func (v *visit) operatorPage(f *form, token string) error {
	o, err := v.operatorOfPath()
	if err != nil {
		return err
	}
	path := "/settings/operators/" + o.ID
	if f == nil {
		f = blank(path+"/rights", "Save the rights", nil)
	}
	view := operatorView{Row: v.operatorRow(o), Form: f, Path: Base + path}
	if token != "" {
		view.Link = v.welcomeURL(token)
	}
	chosen := f.values["rights"]
	if v.r.PostForm.Get("rights-sent") == "" {
		chosen = nil
		for _, r := range o.Rights {
			chosen = append(chosen, string(r))
		}
	}
	view.Rights = v.rightChoices(f, chosen)
	f.rest()
	sessions, err := v.read.OperatorSessions(v.org, o.ID, 50)
	for _, s := range sessions {
		view.Sessions = append(view.Sessions, sessionRow{Method: methodName(s.Method), Address: s.RemoteAddress, Browser: browser(s.UserAgent), CreatedAt: s.CreatedAt, SeenAt: s.SeenAt, ExpiresAt: s.ExpiresAt})
	}
	if err != nil {
		return err
	}
	return v.render("operator", page{Title: o.Email, Crumbs: []crumb{{"Settings", "/settings"}, {"Operators", "/settings/operators"}}, Body: view})
}

// refuse shows an operator's page with what was wrong.
func (v *visit) refuse(err error) error {
	f := v.newForm("/settings/operators/"+v.r.PathValue("operator")+"/rights", "Save the rights")
	if err := f.fail(err); err != nil {
		return err
	}
	return v.operatorPage(f, "")
}

func (v *visit) setRights() error {
	before, err := v.operatorOfPath()
	if err != nil {
		return err
	}
	var rights []model.Right
	for _, name := range v.r.PostForm["rights"] {
		rights = append(rights, model.Right(name))
	}
	for _, r := range before.Rights { // what the page did not offer stays
		if !v.can(r) && !slices.Contains(rights, r) {
			rights = append(rights, r)
		}
	}
	o, err := v.svc.SetOperatorRights(v.ctx, v.who.Operator, before.ID, rights)
	if err != nil {
		return v.refuse(err)
	}
	return v.done("/settings/operators", "The rights of "+o.Email+" are saved. They hold from now on.")
}

func (v *visit) renewLink() error {
	token, err := v.svc.RenewOperatorLink(v.ctx, v.who.Operator, v.r.PathValue("operator"), model.LinkPassword)
	if err != nil {
		return v.refuse(err)
	}
	return v.operatorPage(nil, token)
}

func (v *visit) signOutOperator() error {
	o, err := v.operatorOfPath()
	if err != nil {
		return err
	}
	if err := v.svc.SignOutOperator(v.ctx, v.org, o.ID); err != nil {
		return v.refuse(err)
	}
	return v.done("/settings/operators/"+o.ID, o.Email+" is signed out everywhere.")
}

func (v *visit) removeOperator() error {
	o, err := v.operatorOfPath()
	if err != nil {
		return err
	}
	if err := v.svc.RemoveOperator(v.ctx, v.who.Operator, o.ID); err != nil {
		return v.refuse(err)
	}
	return v.done("/settings/operators", o.Email+" is removed and signed out.")
}
