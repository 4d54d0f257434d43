package console

import (
	"slices"
	"strings"

	"usher/model"
)

// picker is a part of a form that offers groups of the tenant: those that are chosen, and those that a search finds.
type picker struct {
	Name, Label, Type string // groups as checkbox, gid as radio
	Query, Error      string
	Source            string // where a live search asks
	Options           []option
	Note              string
}

// Bounds of a picker: how many groups it asks for and offers, and how many chosen ones it keeps.
const (
	pickerAsks  = 50
	pickerShown = 20
	pickerKeeps = 100
)

// picker makes the part of a form; without leaves groups out.
func (v *visit) picker(i model.Integration, f *form, name, label string, without func(id string) bool) (picker, error) {
	p := picker{
		Name: name, Label: label, Type: "checkbox", Query: f.values.Get("group_q"), Error: f.errors[name],
		Source: Base + "/integrations/" + i.ID + "/groups/choices?as=" + name,
	}
	delete(f.errors, name)
	err := v.pick(&p, i, f.values[name], f.values["named"], without)
	return p, err
}

// pick fills in the groups: the chosen ones first. named are ids with the names that they were shown with, so that they need not be
// asked for again.
func (v *visit) pick(p *picker, i model.Integration, chosen, named []string, without func(id string) bool) error {
	if p.Type = "checkbox"; p.Name == "gid" {
		p.Type = "radio"
	}
	list, err := v.svc.EntraGroups(v.ctx, i.Ref(), p.Query, "", pickerAsks)
	if err != nil {
		return err
	}
	names := map[string]string{}
	for _, n := range named[:min(len(named), 2*pickerKeeps)] {
		id, name, _ := strings.Cut(n, " ")
		names[id] = name
	}
	chosen = slices.DeleteFunc(slices.Clone(chosen), func(id string) bool { return id == "" })
	var fits []option
	for n := range list.Data {
		g := &list.Data[n]
		names[g.ID] = orWord(g.DisplayName, g.ID)
		if g.MembershipWritable && !slices.Contains(chosen, g.ID) && (without == nil || !without(g.ID)) {
			fits = append(fits, option{Value: g.ID, Name: names[g.ID], Help: g.Description})
		}
	}
	asked := 0
	for _, id := range chosen[:min(len(chosen), pickerKeeps)] {
		if names[id] == "" && asked < pickerShown {
			asked++
			if g, err := v.svc.EntraGroup(v.ctx, i.Ref(), id); err == nil { // one that is not there is refused when it is chosen
				names[id] = g.DisplayName
			}
		}
		p.Options = append(p.Options, option{Value: id, Name: orWord(names[id], id), Chosen: true})
	}
	p.Note = pickerNote(p.Query, len(fits), len(fits) > pickerShown || list.Next != "", len(list.Data))
	p.Options = append(p.Options, fits[:min(len(fits), pickerShown)]...)
	return nil
}

// pickerNote says what is not offered.
func pickerNote(query string, fits int, more bool, seen int) string {
	switch {
	case fits == 0 && more:
		return "None of the first groups can be chosen here; search for one by name."
	case more:
		return "There are more; search for one by name."
	case fits == 0 && query != "" && seen == 0:
		return "No group has words that begin so."
	case fits == 0:
		return "There is no other group here that Usher can put people into."
	}
	return ""
}

// showChoices answers a live search with the groups of a picker.
func (v *visit) showChoices() error {
	i, err := v.integration()
	if err != nil {
		return err
	}
	if !v.partial() {
		return v.redirect("/integrations/" + i.ID + "/groups")
	}
	query := v.r.URL.Query()
	p := picker{Name: "groups", Query: v.query("group_q")}
	if v.query("as") == "gid" {
		p.Name = "gid"
	}
	if err := v.pick(&p, i, query[p.Name], query["named"], nil); err != nil {
		why, err := unreachable(err, i)
		if err != nil {
			return err
		}
		p.Note = why.Title + ": " + why.Text
	}
	return v.fragment("onboard", "picked", p)
}
