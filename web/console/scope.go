package console

import (
	"strconv"
	"strings"

	"usher/directory"
	"usher/model"
)

func (c *Console) scopeRoutes() []route {
	return []route{
		get("/scope", model.RightRead, (*visit).showScope),
		post("/scope", model.RightManageSettings, (*visit).saveScope),
		post("/scope/try", model.RightManageSettings, (*visit).tryScope),
		get("/scope/suggestions", model.RightRead, (*visit).showSuggestions),
		post("/scope/suggestions", model.RightManageSettings, (*visit).takeSuggestion),
	}
}

// scopeView says who of an integration gets an account.
type scopeView struct {
	Tabs        []tab
	Integration field
	ID, Name    string
	Form        *form
	Version     string   // of the list that the form was made from
	Typed       []string // what was sent and not saved
	Rows        []exclusionRow
	Empty       *empty
	Manage      bool
	Whom        []string
	Excluded    string
	Edit        string
	Suggestions string
}

type exclusionRow struct {
	N                                   int
	Pattern, Attribute, Operator, Value field
}

func (v *visit) showScope() error { return v.presentScope("", nil) }

// presentScope shows the exclusions as they are: with what is wrong, and what was typed and not saved.
func (v *visit) presentScope(wrong string, typed []model.Exclusion) error {
	settings, err := v.read.Settings(v.org)
	if err != nil {
		return err
	}
	i, chosen, ok := v.chosenIntegration(settings)
	if !ok {
		return v.render("scope", page{Title: "Scope", Body: scopeView{Empty: nothingConnected()}})
	}
	f := blank("/scope", "Save", nil)
	f.Error = wrong
	list := settings.Integrations[i.ID].Exclusions
	f.set(versionField, directory.ListVersion(list))
	for n, x := range list {
		at := "." + strconv.Itoa(n)
		for name, value := range map[string]string{"pattern": x.Pattern, "attribute": x.Attribute, "operator": x.Operator, "value": x.Value} {
			f.set(name+at, value)
		}
	}
	return v.scopePage(settings, i, chosen, f, len(list)+spareRows, typed)
}

func (v *visit) scopePage(settings *model.Settings, i model.Integration, chosen field, f *form, rows int, typed []model.Exclusion) error {
	view := scopeView{
		Tabs: scopeTabs(i.ID, false), Integration: chosen, ID: i.ID, Name: i.Name, Form: f, Manage: v.can(model.RightManageSettings), Whom: whomInWords(settings.Integrations[i.ID]),
		Excluded: with("/people", "view", "excluded", "integration", i.ID), Edit: Base + "/integrations/" + i.ID + "/edit",
		Suggestions: with("/scope/suggestions", "integration", i.ID), Version: f.values.Get(versionField),
	}
	for _, x := range typed {
		view.Typed = append(view.Typed, exclusionInWords(x))
	}
	for n := range rows {
		at := "." + strconv.Itoa(n)
		row := exclusionRow{N: n + 1, Pattern: f.field("text", "pattern"+at, "Pattern"), Attribute: f.field("text", "attribute"+at, "or attribute"), Value: f.field("text", "value"+at, "Value")}
		row.Pattern.Placeholder, row.Attribute.Placeholder = "*service*", "userType"
		row.Operator = f.field("select", "operator"+at, "Comparison").choose(
			option{Name: "–"}, option{Value: model.ExcludeEquals, Name: "is"}, option{Value: model.ExcludeNotEquals, Name: "is not"},
			option{Value: model.ExcludeContains, Name: "contains"}, option{Value: model.ExcludeStartsWith, Name: "starts with"}, option{Value: model.ExcludeEmpty, Name: "is empty"})
		view.Rows = append(view.Rows, row)
	}
	f.rest()
	return v.render("scope", page{Title: "Scope", Lead: "Who of Entra's people gets an account, and who does not.", Body: view})
}

// whomInWords says whom the settings take.
func whomInWords(s model.IntegrationSettings) []string {
	var list []string
	i := s.Integration
	switch {
	case i.Ingress == model.IngressSCIM:
		list = append(list, "Everyone whom Entra pushes and who is active: who is assigned to the enterprise application decides that in Entra.")
	case i.Scope == model.ScopeEveryone:
		list = append(list, "Everyone in the tenant.")
	case len(s.ChosenGroups) == 0:
		list = append(list, "Nobody: no group is chosen, and an import is refused until one is.")
	default:
		text := "Members of "
		for n, g := range s.ChosenGroups {
			if n > 0 {
				text += ", "
			}
			text += g.String()
		}
		if i.NestedGroups {
			text += ", and of the groups within them"
		}
		list = append(list, text+".")
	}
	if i.RequireGroup {
		list = append(list, "Of those, only members of a mapped group.")
	}
	return list
}

func (v *visit) exclusionsOfForm() (list []model.Exclusion, line []int) {
	list = []model.Exclusion{}
	for n := range maxLines {
		at := "." + strconv.Itoa(n)
		if _, there := v.r.PostForm["pattern"+at]; !there {
			break
		}
		x := model.Exclusion{Pattern: v.field("pattern" + at), Attribute: v.field("attribute" + at), Operator: v.field("operator" + at), Value: v.field("value" + at)}
		if x != (model.Exclusion{}) {
			list, line = append(list, x), append(line, n)
		}
	}
	return list, line
}

// triedView is whom the exclusions that are being typed would concern.
type triedView struct {
	Rows    []triedRow
	Looked  int
	More    bool
	Outside int // whom any of them concerns
}

// triedRow is whom one line concerns.
type triedRow struct {
	N, Count, Accounts, Rest int
	Words, Names, Problem    string
}

// tryScope answers with whom the exclusions that are being typed concern, by count and name.
func (v *visit) tryScope() error {
	list, line := v.exclusionsOfForm()
	tried, err := v.svc.TryExclusions(v.ctx, model.Ref{OrganizationID: v.org, IntegrationID: v.field("integration")}, list)
	if err != nil {
		return err
	}
	view := triedView{Looked: tried.Looked, More: tried.More, Outside: tried.Looked - tried.Kept}
	for n := range tried.Lines {
		t := &tried.Lines[n]
		view.Rows = append(view.Rows, triedRow{
			N: line[n] + 1, Count: t.Count, Accounts: t.Accounts, Rest: t.Count - len(t.Names), Words: exclusionInWords(list[n]),
			Names: strings.Join(t.Names, ", "), Problem: sentence(t.Problem),
		})
	}
	return v.fragment("scope", "tried-scope", view)
}

func (v *visit) saveScope() error {
	settings, err := v.read.Settings(v.org)
	if err != nil {
		return err
	}
	i, chosen, ok := v.chosenIntegration(settings)
	if !ok || i.ID != v.field("integration") {
		return model.Errorf(model.NotFound, "There is no such integration.")
	}
	list, line := v.exclusionsOfForm()
	edit, run := directory.Replacing[model.Exclusion](v.madeFrom()...), model.Run{}
	if v.field("do") == "preview" {
		if _, err = edit(settings.Integrations[i.ID].Exclusions, list); err == nil {
			run, err = v.svc.StartPreview(v.ctx, i.Ref(), model.PreviewSettings{Exclusions: &list, Of: settings.Version})
		}
	} else {
		_, err = v.svc.ChangeExclusions(v.ctx, i.Ref(), list, edit)
	}
	if model.KindOf(err) == model.Precondition {
		return v.presentScope(changedMeanwhile("exclusions"), list)
	}
	if err != nil {
		f := v.newForm("/scope", "Save")
		if err := f.fail(lineOf(err, "exclusions", line)); err != nil {
			return err
		}
		rows := spareRows
		if len(line) > 0 {
			rows += line[len(line)-1]
		}
		return v.scopePage(settings, i, chosen, f, rows, nil)
	}
	if run.ID != "" {
		return v.done("/runs/"+run.ID, "This is what would change for everyone. Nothing is saved yet.")
	}
	return v.done("/scope?integration="+i.ID, "The exclusions are saved; everyone is looked at anew.")
}

// suggestionsView are exclusions that somebody may want.
type suggestionsView struct {
	ID          string
	Suggestions []suggestionRow
	Empty       *empty
	Manage      bool
	Back        string
	Looked      int  // how many people were looked at
	More        bool // not everybody
	Next        string
}

type suggestionRow struct {
	directory.Suggestion
	Words string
	N     int
}

func (v *visit) showSuggestions() error {
	settings, err := v.read.Settings(v.org)
	if err != nil {
		return err
	}
	i, _, ok := v.chosenIntegration(settings)
	if wanted := v.query("integration"); !ok || wanted != "" && wanted != i.ID {
		return model.Errorf(model.NotFound, "There is no such integration.")
	}
	list, looked, done, err := v.suggestions(i.Ref())
	if err != nil {
		return err
	}
	view := suggestionsView{ID: i.ID, Looked: looked, More: !done, Next: with("/scope/suggestions", "integration", i.ID), Manage: v.can(model.RightManageSettings), Back: with("/scope", "integration", i.ID)}
	for n, s := range list {
		view.Suggestions = append(view.Suggestions, suggestionRow{s, exclusionInWords(s.Exclusion), n})
	}
	if len(list) == 0 && done {
		none := emptyYet("circle-check", "Nobody looks like an account that is no person", "Names of services, bots, rooms and the like are looked for.", link{})
		view.Empty = &none
	}
	if v.partial() {
		return v.fragment("suggestions", "suggested", view)
	}
	return v.render("suggestions", page{Title: "Suggested exclusions", Lead: "Accounts of " + i.Name + " that look as if nobody stood behind them.", Crumbs: []crumb{{"Scope", "/scope?integration=" + i.ID}}, Body: view})
}

func exclusionInWords(x model.Exclusion) string {
	if x.Pattern != "" {
		return x.Pattern
	}
	words := map[string]string{model.ExcludeEquals: "is", model.ExcludeNotEquals: "is not", model.ExcludeContains: "contains", model.ExcludeStartsWith: "starts with", model.ExcludeEmpty: "is empty"}
	return x.Attribute + " " + words[x.Operator] + " " + x.Value
}

func (v *visit) takeSuggestion() error {
	settings, err := v.read.Settings(v.org)
	if err != nil {
		return err
	}
	entry, ok := settings.Integrations[v.field("integration")]
	if !ok {
		return model.Errorf(model.NotFound, "There is no such integration.")
	}
	x := model.Exclusion{Pattern: v.field("pattern"), Attribute: v.field("attribute"), Operator: v.field("operator"), Value: v.field("value")}
	if _, err := v.svc.ChangeExclusions(v.ctx, entry.Integration.Ref(), []model.Exclusion{x}, directory.Adding); err != nil {
		return err
	}
	v.surveys.forget(entry.Integration.Ref())
	return v.done("/scope?integration="+entry.Integration.ID, "“"+exclusionInWords(x)+"” is excluded; everyone is looked at anew.")
}
