package console

import (
	"slices"
	"strconv"

	"usher/directory"
	"usher/model"
)

func (c *Console) mappingRoutes() []route {
	return []route{
		get("/mappings", model.RightRead, (*visit).showMappings),
		post("/mappings", model.RightManageSettings, (*visit).saveMappings),
		get("/mappings/try", model.RightRead, (*visit).tryMapping),
		get("/mappings/{integration}/versions", model.RightRead, (*visit).showMappingVersions),
		get("/mappings/{integration}/versions/{version}", model.RightRead, (*visit).showMappingVersion),
		post("/mappings/{integration}/versions/{version}", model.RightManageSettings, (*visit).restoreMappings),
	}
}

// mappingsView are the field mappings of an integration.
type mappingsView struct {
	Integration field
	ID          string
	Form        *form
	Version     string   // of the list that the form was made from
	Typed       []string // what was sent and not saved
	Rows        []mappingRow
	Common      []model.FieldMapping
	Empty       *empty
	Manage      bool
	Versions    []versionRow
	AllVersions string
}

// mappingRow is one mapping as it is edited; an empty target takes it away.
type mappingRow struct {
	N                  int
	Target, Mode       field
	Source, Expression field
	Error              string
}

// spareRows is how many empty lines a list has for what is new.
const spareRows = 2

// chosenIntegration gives the integration that the address names, or the first one; ok is false where there is none.
func (v *visit) chosenIntegration(settings *model.Settings) (i model.Integration, f field, ok bool) {
	f = v.integrationFilter(settings)
	if f.Value == "" {
		f.Value = v.field("integration")
	}
	list := sortedIntegrations(settings)
	at := max(0, slices.IndexFunc(list, func(i model.Integration) bool { return i.ID == f.Value }))
	if len(list) == 0 {
		return i, f, false
	}
	f.Value = list[at].ID
	return list[at], f.choose(f.Options[1:]...), true
}

// nothingConnected is the place of settings that belong to an integration.
func nothingConnected() *empty {
	e := emptyNotConnected("No directory is connected", "Groups, mappings and scope belong to an integration with Entra.", link{"Set up an integration", Base + "/integrations/new", "plus"})
	return &e
}

func (v *visit) showMappings() error { return v.presentMappings("", nil) }

// presentMappings shows the mappings as they are: with what is wrong, and what was typed and not saved.
func (v *visit) presentMappings(wrong string, typed []model.FieldMapping) error {
	settings, err := v.read.Settings(v.org)
	if err != nil {
		return err
	}
	i, chosen, ok := v.chosenIntegration(settings)
	view := mappingsView{Integration: chosen, ID: i.ID, Manage: v.can(model.RightManageSettings)}
	if !ok {
		view.Empty = nothingConnected()
		return v.render("mappings", page{Title: "Field mappings", Body: view})
	}
	for n := range typed {
		view.Typed = append(view.Typed, typed[n].Target+": "+mappingInWords(&typed[n]))
	}
	list := settings.Integrations[i.ID].FieldMappings
	f := blank("/mappings", "Save", nil)
	f.Error = wrong
	f.set(versionField, directory.ListVersion(list))
	for n, m := range list {
		at := "." + strconv.Itoa(n)
		f.set("target"+at, m.Target)
		f.set("source"+at, m.Source)
		f.set("mode"+at, string(m.Mode))
		f.set("expression"+at, m.Expression)
	}
	return v.mappingsPage(view, settings, f, len(list)+spareRows)
}

func (v *visit) mappingsPage(view mappingsView, settings *model.Settings, f *form, rows int) error {
	view.Form, view.Version = f, f.values.Get(versionField)
	targets := []option{{Name: "no field"}}
	for _, t := range directory.FieldTargets(settings) {
		targets = append(targets, option{Value: t, Name: t})
	}
	named := map[string]bool{}
	for n := range rows {
		at := "." + strconv.Itoa(n)
		row := mappingRow{N: n + 1}
		row.Target = f.field("select", "target"+at, "Field").choose(targets...)
		named[row.Target.Value] = true
		row.Source = f.field("text", "source"+at, "Attribute")
		row.Source.Placeholder = "name.givenName"
		row.Mode = f.field("select", "mode"+at, "When").choose(whens()...)
		row.Expression = f.field("text", "expression"+at, "Expression")
		view.Rows = append(view.Rows, row)
	}
	f.rest()
	var err error
	if view.Versions, err = v.versionRows(model.Ref{OrganizationID: v.org, IntegrationID: view.ID}, 0, versionsBeside); err != nil {
		return err
	}
	view.Versions, view.AllVersions = view.Versions[:min(len(view.Versions), versionsBeside)], Base+"/mappings/"+view.ID+"/versions"
	for _, m := range directory.CommonMappings() {
		if !named[m.Target] {
			view.Common = append(view.Common, m)
		}
	}
	return v.render("mappings", page{Title: "Field mappings", Lead: "Which attributes of Entra fill which fields of accounts.", Body: view})
}

// mappingsOfForm reads the list that was typed. Lines without a field are left out; line gives the line of each that is there.
func (v *visit) mappingsOfForm() (list []model.FieldMapping, line []int) {
	list = []model.FieldMapping{}
	for n := range maxLines {
		at := "." + strconv.Itoa(n)
		if _, there := v.r.PostForm["target"+at]; !there {
			break
		}
		if target := v.field("target" + at); target != "" {
			list = append(list, model.FieldMapping{Target: target, Source: v.field("source" + at), Mode: model.FieldMode(v.field("mode" + at)), Expression: v.field("expression" + at)})
			line = append(line, n)
		}
	}
	return list, line
}

// maxLines is the most lines that a list has.
const maxLines = 500

func (v *visit) saveMappings() error {
	settings, err := v.read.Settings(v.org)
	if err != nil {
		return err
	}
	ref := model.Ref{OrganizationID: v.org, IntegrationID: v.field("integration")}
	list, line := v.mappingsOfForm()
	edit, run := directory.Replacing[model.FieldMapping](v.madeFrom()...), model.Run{}
	if v.field("do") == "preview" {
		if _, err = edit(settings.Integrations[ref.IntegrationID].FieldMappings, list); err == nil {
			run, err = v.svc.StartPreview(v.ctx, ref, model.PreviewSettings{FieldMappings: &list, Of: settings.Version})
		}
	} else {
		_, err = v.svc.ChangeFieldMappings(v.ctx, ref, list, edit)
	}
	switch {
	case model.KindOf(err) == model.Precondition:
		return v.presentMappings(changedMeanwhile("field mappings"), list)
	case err != nil:
		return v.mappingsFailed(settings, err, line)
	case run.ID != "":
		return v.done("/runs/"+run.ID, "This is what would change for everyone. Nothing is saved yet.")
	}
	return v.done("/mappings?integration="+ref.IntegrationID, "The mappings are saved; everyone is looked at anew.")
}

// mappingsFailed shows what was typed, with what is wrong beside its line.
func (v *visit) mappingsFailed(settings *model.Settings, err error, line []int) error {
	i, chosen, ok := v.chosenIntegration(settings)
	if !ok {
		return err
	}
	f := v.newForm("/mappings", "Save")
	if err := f.fail(lineOf(err, "field_mappings", line)); err != nil {
		return err
	}
	rows := 0
	for _, there := v.r.PostForm["target."+strconv.Itoa(rows)]; there && rows < maxLines; _, there = v.r.PostForm["target."+strconv.Itoa(rows)] {
		rows++
	}
	return v.mappingsPage(mappingsView{Integration: chosen, ID: i.ID, Manage: true}, settings, f, rows)
}

// tryView is what a mapping gives for some people.
type tryView struct {
	People []directory.Tried
	Error  string
}

// triedPeople is how many people an expression is tried with.
const triedPeople = 5

// tryMapping answers with what the line that is being typed gives: its fields come under their own names.
func (v *visit) tryMapping() error {
	m := model.FieldMapping{Mode: model.FieldAlways}
	for name, values := range v.r.URL.Query() {
		if len(values) == 0 {
			continue
		}
		switch value := values[0]; {
		case hasPrefix(name, "target."):
			m.Target = value
		case hasPrefix(name, "source."):
			m.Source = value
		case hasPrefix(name, "expression."):
			m.Expression = value
		}
	}
	var view tryView
	if m.Source == "" && m.Expression == "" {
		return v.fragment("mappings", "tried", view) // nothing was typed yet
	}
	if v.query("integration") == "" {
		return model.FieldErrorf(model.Invalid, "integration", "say of which integration")
	}
	people, err := v.svc.TryFieldMapping(v.ctx, model.Ref{OrganizationID: v.org, IntegrationID: v.query("integration")}, m, triedPeople)
	if known, ok := asInvalid(err); ok {
		view.Error = sentence(known.Detail)
	} else if err != nil {
		return err
	}
	view.People = people
	return v.fragment("mappings", "tried", view)
}
