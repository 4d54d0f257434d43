package console

import (
	"fmt"
	"strings"

	"usher/directory"
	"usher/model"
)

// statusView asks before the status of an account changes, and says what that means.
type statusView struct {
	Form         *form
	Name, Back   string
	Consequences []string
	Danger       bool
}

// statusAct is one change of status: its words, and who does it.
type statusAct struct {
	name, past   string
	consequences []string
	danger       bool
	do           func(v *visit) error
}

func statusActs() map[string]statusAct {
	return map[string]statusAct{
		"deactivate": {"Deactivate", "deactivated", []string{
			"The account can no longer be used; roles and history stay.", "No sync reactivates it: only an operator does.", "Its calendars are no longer synchronized.",
		}, true, func(v *visit) error { _, err := v.svc.DeactivateAccount(v.ctx, v.org, v.accountID()); return err }},
		"reactivate": {"Reactivate", "reactivated", []string{
			"The account can be used again.", "If the directory still keeps the person out, the next sync may deactivate it again.",
		}, false, func(v *visit) error { _, err := v.svc.ReactivateAccount(v.ctx, v.org, v.accountID()); return err }},
		"archive": {"Archive", "archived", []string{
			"The account is put away; syncs leave it alone.", "Only an archived account can be deleted.",
		}, true, func(v *visit) error { _, err := v.svc.ArchiveAccount(v.ctx, v.org, v.accountID()); return err }},
		"delete": {"Delete", "deleted", []string{
			"The account is gone for good. There is no undo.", "If the person is in scope of a directory again, a new account is made.",
		}, true, func(v *visit) error { return v.svc.DeleteAccount(v.ctx, v.org, v.accountID()) }},
	}
}

func (v *visit) statusAct() (statusAct, error) {
	act, ok := statusActs()[v.r.PathValue("action")]
	if !ok {
		return act, model.Errorf(model.NotFound, "There is no page at this address.")
	}
	return act, nil
}

func (v *visit) askStatus() error { return v.statusPage(nil) }

func (v *visit) statusPage(f *form) error {
	act, err := v.statusAct()
	if err != nil {
		return err
	}
	a, err := v.read.Account(v.org, v.accountID())
	if err != nil {
		return err
	}
	path := "/people/" + a.ID
	if f == nil {
		f = v.newForm(path+"/status/"+v.r.PathValue("action"), act.name)
	}
	f.rest()
	title := act.name + " " + a.Name()
	return v.render("status", page{Title: title, Crumbs: []crumb{{"People", "/people"}, {a.Name(), path}}, Body: statusView{
		Form: f, Name: a.Name(), Back: Base + path, Consequences: act.consequences, Danger: act.danger,
	}})
}

func (v *visit) setStatus() error {
	act, err := v.statusAct()
	if err != nil {
		return err
	}
	a, err := v.read.Account(v.org, v.accountID())
	if err != nil {
		return err
	}
	if err := act.do(v); err != nil {
		f := v.newForm("/people/"+a.ID+"/status/"+v.r.PathValue("action"), act.name)
		if err := f.fail(err); err != nil {
			return err
		}
		return v.statusPage(f)
	}
	path := "/people/" + a.ID
	if act.past == "deleted" {
		path = "/people"
	}
	return v.done(path, a.Name()+" is "+act.past+".")
}

func (v *visit) setRoles() error {
	roles := v.r.PostForm["roles"]
	if roles == nil {
		roles = []string{}
	}
	a, err := v.svc.SetRoles(v.ctx, v.org, v.accountID(), roles)
	if err != nil {
		x, readErr := v.svc.Explain(v.ctx, v.org, v.accountID())
		if readErr != nil {
			return readErr
		}
		f := v.newForm("/people/"+v.accountID()+"/roles", "Save the roles")
		if err := f.fail(err); err != nil {
			return err
		}
		return v.personPage(x, f)
	}
	return v.done("/people/"+a.ID, "The roles of "+a.Name()+" are saved.")
}

// syncPerson lets the rules decide about the person now, in every integration.
func (v *visit) syncPerson() error {
	users, err := v.read.LinkedUsers(v.org, v.accountID())
	if err != nil {
		return err
	}
	if _, err := v.read.Account(v.org, v.accountID()); err != nil {
		return err
	}
	var did []string
	for i := range users {
		d, err := v.svc.SyncPerson(v.ctx, users[i].Ref(), users[i].ID)
		if err != nil {
			return err
		}
		for _, c := range d.Changes {
			did = append(did, fmt.Sprintf("%s: %s → %s", fieldName(c.Field), words(c.Before), words(c.After)))
		}
	}
	text := "The rules were asked again: everything is as they say."
	if len(did) > 0 {
		text = "The rules were asked again, and changed " + strings.Join(did[:min(len(did), 5)], "; ") + "."
	}
	return v.done("/people/"+v.accountID(), text)
}

// whatIfForm asks what would be if the person were in another group.
type whatIfForm struct {
	Action, User string
	Groups       []option // that the person is not in
	Own          []option
	More         bool // there are more groups than are offered
}

// manyChoices is how many groups can be chosen from.
const manyChoices = 500

func (v *visit) whatIfForm(accountID string, u *model.DirectoryUser, member []membership) (*whatIfForm, error) {
	groups, err := v.read.DirectoryGroupsAfter(u.Ref(), "", manyChoices)
	if err != nil {
		return nil, err
	}
	f := &whatIfForm{Action: Base + "/people/" + accountID + "/what-if", User: u.IntegrationID + "/" + u.ID, More: len(groups) == manyChoices}
	in := map[string]bool{}
	for _, m := range member {
		in[m.group.ID] = true
		if m.path == "" {
			f.Own = append(f.Own, option{Value: m.group.ID, Name: m.group.DisplayName})
		}
	}
	for _, g := range groups {
		if !in[g.ID] {
			f.Groups = append(f.Groups, option{Value: g.ID, Name: g.DisplayName})
		}
	}
	if len(f.Groups)+len(f.Own) == 0 {
		return nil, nil
	}
	return f, nil
}

// whatIfView is what the rules would decide.
type whatIfView struct {
	Sentence string
	Rows     []diffRow
	Person   string
	Back     string
}

// diffRow is one change: what, before, after, why.
type diffRow struct{ Field, Before, After, Reason string }

func diffRows(list []model.FieldChange) []diffRow {
	var rows []diffRow
	for _, c := range list {
		rows = append(rows, diffRow{fieldName(c.Field), words(c.Before), words(c.After), sentence(c.Reason)})
	}
	return rows
}

func (v *visit) whatIf() error {
	a, err := v.read.Account(v.org, v.accountID())
	if err != nil {
		return err
	}
	integration, user, _ := strings.Cut(v.query("user"), "/")
	if user == "" && len(a.Links) > 0 {
		integration, user = a.Links[0].IntegrationID, a.Links[0].DirectoryUserID
	}
	ref := model.Ref{OrganizationID: v.org, IntegrationID: integration}
	var join, leave, names []string
	for name, into := range map[string]*[]string{"join": &join, "leave": &leave} {
		if id := v.query(name); id != "" || v.query(name+"_name") != "" {
			g, err := v.groupBy(ref, id, v.query(name+"_name"))
			if err != nil {
				return err
			}
			*into = []string{g.ID}
			names = append(names, map[string]string{"join": "joined ", "leave": "left "}[name]+g.DisplayName)
		}
	}
	d, err := v.svc.WhatIf(v.ctx, ref, user, join, leave)
	if err != nil {
		return err
	}
	view := whatIfView{Rows: diffRows(d.Changes), Person: a.Name(), Back: Base + "/people/" + a.ID}
	question := "as things are"
	if len(names) > 0 {
		question = "if " + a.Name() + " " + strings.Join(names, " and ")
	}
	view.Sentence = "Nothing would change " + question + "."
	if len(view.Rows) > 0 {
		view.Sentence = strings.ToUpper(question[:1]) + question[1:] + ", the account would be " + pastOf(d) + ":"
	}
	if v.partial() {
		return v.fragment("whatif", "what-if", view)
	}
	return v.render("whatif", page{Title: "What if?", Crumbs: []crumb{{"People", "/people"}, {a.Name(), "/people/" + a.ID}}, Body: view})
}

// groupBy gives a group of the mirror by its id, or by its name where there is none.
func (v *visit) groupBy(ref model.Ref, id, name string) (model.DirectoryGroup, error) {
	if id != "" {
		return v.read.DirectoryGroup(ref, id)
	}
	list, _, err := v.svc.Groups(v.ctx, ref, model.ResourceQuery{Filter: named(model.OpEqual, name), StartIndex: 1, Count: 2})
	switch {
	case err != nil:
		return model.DirectoryGroup{}, err
	case len(list) == 0:
		return model.DirectoryGroup{}, model.Errorf(model.NotFound, "no group is called %q", name)
	case len(list) > 1:
		return model.DirectoryGroup{}, model.Errorf(model.Refused, "several groups are called %q", name)
	}
	return list[0], nil
}

func pastOf(d directory.Decision) string {
	switch d.Action {
	case model.ActionDeactivate:
		return "deactivated"
	case model.ActionReactivate:
		return "reactivated"
	case model.ActionCreate:
		return "made"
	default:
		return "changed"
	}
}

// mirroredView is a directory user without an account.
type mirroredView struct {
	Person   personRow
	Why      string
	Problems []alert
	Groups   []groupRow
	Raw      string
	External string
	Timeline []event
}

// showMirrored shows a directory user; one with an account is shown with it.
func (v *visit) showMirrored() error {
	u, err := v.svc.User(v.ctx, v.ref(), v.r.PathValue("user"))
	if err != nil {
		return err
	}
	if u.AccountID != nil {
		return v.redirect("/people/" + *u.AccountID)
	}
	settings, err := v.read.Settings(v.org)
	if err != nil {
		return err
	}
	view := mirroredView{Person: mirrorRow(&u, settings), Why: sentence(u.Explanation.Scope), Raw: pretty(&u), External: u.ExternalID}
	for _, p := range u.Explanation.Problems {
		view.Problems = append(view.Problems, alert{Tone: bad, Icon: "alert-circle", Text: sentence(p.Detail)})
	}
	member, err := v.memberships(&u)
	if err != nil {
		return err
	}
	for _, m := range member {
		view.Groups = append(view.Groups, groupRow{Name: m.group.DisplayName, Path: m.path, Link: groupPath(&u, m)})
	}
	var activities []model.Activity
	if view.Timeline, err = v.mirrorEvents(&u, &activities); err != nil {
		return err
	}
	for _, a := range activities {
		view.Timeline = append(view.Timeline, activityEvent(a))
	}
	runs, err := v.runEvents(u.ID)
	if err != nil {
		return err
	}
	view.Timeline = newestFirst(append(view.Timeline, runs...))
	return v.render("mirrored", page{Title: u.Name(), Crumbs: []crumb{{"People", "/people"}}, Body: view})
}
