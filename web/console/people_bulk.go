package console

import (
	"net/url"
	"slices"

	"usher/directory"
	"usher/model"
)

// bulkView says what an action would do to many people, with names, before it is done.
type bulkView struct {
	Form      *form
	Action    string
	Sentence  string
	Changed   []directory.BulkAccount
	Skipped   []directory.BulkSkip
	More      int
	Unchanged int
	Danger    bool
	Hidden    url.Values // what was asked for, to be sent again
	Back      string
}

// bulkNamed is how many people a preview names.
const bulkNamed = 50

// bulkFilter gives whom the form concerns: those that are marked, or everyone in the view.
func (v *visit) bulkFilter() (directory.BulkFilter, error) {
	f := directory.BulkFilter{}
	if v.field("whom") != "filter" {
		f.Accounts = v.r.PostForm["account"]
		if len(f.Accounts) == 0 {
			return f, model.Errorf(model.Invalid, "Nobody is marked. Go back, mark people in the list, and choose the action again.")
		}
		return f, nil
	}
	f.Q, f.Integration, f.Role = v.field("q"), v.field("integration"), v.field("role")
	switch view := v.field("view"); view {
	case "active", "deactivated", "archived":
		f.Status = view
	case "external":
		f.Unlinked, f.Origin = new(true), string(model.OriginManual)
	case "guests":
		f.Guests = true
	case "hybrid":
		f.Hybrid = true
	case "":
	default:
		return f, model.Errorf(model.Invalid, "This cannot be done to everyone in the view “%s”, whose people have no accounts or wait for a plan.", view)
	}
	return f, nil
}

func (v *visit) bulk(dry bool) (directory.BulkResult, error) {
	action := v.field("action")
	if !slices.Contains([]string{"deactivate", "reactivate", "archive"}, action) {
		return directory.BulkResult{}, model.Errorf(model.Invalid, "There is no action %q.", action)
	}
	f, err := v.bulkFilter()
	if err != nil {
		return directory.BulkResult{}, err
	}
	return v.svc.BulkAccounts(v.ctx, v.org, action, f, dry)
}

func (v *visit) previewBulk() error {
	result, err := v.bulk(true)
	if err != nil {
		return err
	}
	act := statusActs()[v.field("action")]
	view := bulkView{
		Form: v.newForm("/people/bulk", act.name+" "+quantity(result.Changed, "account")), Action: act.name, Danger: act.danger, Unchanged: result.Unchanged,
		Changed: result.Accounts[:min(len(result.Accounts), bulkNamed)], Skipped: result.Skipped[:min(len(result.Skipped), bulkNamed)],
		Hidden: url.Values{}, Back: with("/people", "q", v.field("q"), "view", v.field("view"), "integration", v.field("integration"), "role", v.field("role")),
		Sentence: quantity(result.Changed, "account") + " of " + count(result.Matched) + " would be " + act.past + ".",
	}
	view.More = result.Changed - len(view.Changed)
	for _, name := range []string{"whom", "q", "view", "integration", "role", "action", "account"} {
		view.Hidden[name] = v.r.PostForm[name]
	}
	return v.render("bulk", page{Title: act.name + " people", Lead: "Nothing has happened yet.", Crumbs: []crumb{{"People", "/people"}}, Body: view})
}

func (v *visit) applyBulk() error {
	result, err := v.bulk(false)
	if err != nil {
		return err
	}
	text := quantity(result.Changed, "account") + " " + statusActs()[v.field("action")].past
	if result.Refused > 0 {
		text += "; " + quantity(result.Refused, "account") + " refused, see the activity"
	}
	return v.done("/people", text+".")
}
