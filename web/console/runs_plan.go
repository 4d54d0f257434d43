package console

import (
	"fmt"
	"slices"
	"strings"

	"usher/model"
	"usher/model/store"
)

// plan fills in the page of the plan that the address asks for.
func (v *visit) plan(view *runView) error {
	action := v.query("action")
	for _, a := range append([]option{{Name: "Everyone"}}, actionWords()...) {
		t := tab{Name: a.Name, Path: with("/runs/"+view.ID, "action", a.Value), Current: a.Value == action}
		if n := view.Run.Counts[model.Action(a.Value)]; a.Value != "" && n > 0 {
			t.Count = count(n)
		} else if a.Value != "" && !t.Current {
			continue
		}
		view.Tabs = append(view.Tabs, t)
	}
	if !slices.ContainsFunc(view.Tabs, func(t tab) bool { return t.Current }) {
		return model.FieldErrorf(model.Invalid, "action", "there is no action %q", action)
	}
	list, err := v.read.RunDecisionsAfter(v.org, view.ID, model.Action(action), v.query("after"), planPage+1)
	if err != nil {
		return err
	}
	next := ""
	if len(list) > planPage {
		list = list[:planPage]
		next = store.DecisionCursor(list[planPage-1])
	}
	for _, d := range list {
		view.People = append(view.People, planRowOf(d))
	}
	view.Pager = v.paged(next, len(list), "people")
	if len(list) == 0 {
		none := emptyYet("circle-check", "Nobody is changed", "Everyone is as the rules want it already.", link{})
		if view.Going {
			none = emptyYet("loader", "The plan is being made", "Who is changed, and why, shows here when it is complete.", link{})
		}
		view.Empty = &none
	}
	return nil
}

func planRowOf(d model.RunDecision) planRow {
	row := planRow{ID: d.SubjectID, Name: orWord(d.Name, d.Email), Email: d.Email, Reason: sentence(d.Reason), Note: sentence(d.Note), Planned: d.State == model.DecisionPlanned}
	row.Action = actionBadge(d.Action)
	switch d.State {
	case model.DecisionApplied:
		row.State = "done"
	case model.DecisionLeft:
		row.State = "left as it was"
	case model.DecisionPlanned:
		row.State = "planned"
	}
	for _, c := range d.Changes {
		row.Changes = append(row.Changes, changeLine{strings.ReplaceAll(c.Field, "_", " "), valueInWords(c.Before), valueInWords(c.After), sentence(c.Reason)})
	}
	return row
}

func actionBadge(a model.Action) badge {
	for _, o := range actionWords() {
		if o.Value != string(a) {
			continue
		}
		b := badge{fresh, "pencil", o.Name}
		switch a {
		case model.ActionDeactivate:
			b.Tone, b.Icon = bad, "user-off"
		case model.ActionReactivate, model.ActionCreate:
			b.Tone, b.Icon = good, "user-plus"
		case model.ActionLink:
			b.Icon = "link"
		case model.ActionSkip:
			b.Tone, b.Icon = calm, "eye-off"
		case model.ActionUpdate, model.ActionNone:
		}
		return b
	}
	return badge{calm, "circle-dashed", string(a)}
}

// valueInWords shows a value of a change.
func valueInWords(value any) string {
	switch x := value.(type) {
	case nil:
		return "nothing"
	case string:
		return orWord(x, "nothing")
	case []any:
		if len(x) == 0 {
			return "none"
		}
		parts := make([]string, len(x))
		for i, one := range x {
			parts[i] = valueInWords(one)
		}
		return strings.Join(parts, ", ")
	}
	return fmt.Sprint(value)
}
