package console

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"

	"usher/model"
)

// changesView is the change feed, the newest first.
type changesView struct {
	Tabs    []tab
	Kind    field
	Changes []changeRow
	Empty   *empty
	Pager   pager
}

type changeRow struct {
	Number              string
	Type, Subject, Path string
	Actor, Data         string
	At                  any
}

func (v *visit) showChanges() error {
	view := changesView{Tabs: webhookTabs("changes")}
	view.Kind = field{ID: "kind", Name: "kind", Label: "About", Type: "select", Value: v.query("kind")}
	options := []option{{Name: "Everything"}}
	for _, kind := range changeKinds() {
		options = append(options, option{Value: kind, Name: kindInWords(kind)})
	}
	view.Kind = view.Kind.choose(options...)
	var types []string
	if kind := view.Kind.Value; kind != "" {
		if !slices.Contains(changeKinds(), kind) {
			return model.FieldErrorf(model.Invalid, "kind", "there are no changes of %q", kind)
		}
		types = []string{kind + ".*"}
	}
	before, err := v.feedPlace()
	if err != nil {
		return err
	}
	if _, err := v.store.FeedEnd(v.ctx); err != nil { // so that the newest ones have their number
		return err
	}
	list, err := v.read.ChangesBefore(v.org, types, before, webhooksPage+1)
	if err != nil {
		return err
	}
	next := ""
	if len(list) > webhooksPage {
		list = list[:webhooksPage]
		next = strconv.FormatInt(*list[webhooksPage-1].Position, 10)
	}
	for _, c := range list {
		view.Changes = append(view.Changes, showChange(c))
	}
	view.Pager = v.paged(next, len(list), "changes")
	if len(list) == 0 {
		none := emptyYet("activity", "Nothing has changed yet", "Every change of people, groups, roles and calendars shows here.", link{})
		if view.Kind.Value != "" {
			none = emptyFiltered("No changes of this kind", Base+"/changes")
		}
		view.Empty = &none
	}
	if v.partial() {
		return v.fragment("changes", "change-list", view)
	}
	return v.render("changes", page{Title: "Change feed", Lead: "What applications read, in order and without gaps.", Body: view})
}

// feedPlace gives the place of the address, 0 for the end of the feed.
func (v *visit) feedPlace() (int64, error) {
	text := v.query("after")
	if text == "" {
		return 0, nil
	}
	place, err := strconv.ParseInt(text, 10, 64)
	if err != nil || place < 1 {
		return 0, model.FieldErrorf(model.Invalid, "after", "%q is not a place in the feed", text)
	}
	return place, nil
}

func showChange(c model.Change) changeRow {
	row := changeRow{
		Number: strconv.FormatInt(*c.Position, 10), Type: string(c.Type), Subject: c.SubjectType + " " + c.SubjectID, Actor: actorName(c.Actor), At: c.OccurredAt,
	}
	if c.SubjectType == "account" {
		row.Path = Base + "/people/" + c.SubjectID
	}
	var pretty bytes.Buffer
	if json.Indent(&pretty, c.Data, "", "  ") == nil {
		row.Data = pretty.String()
	}
	return row
}
