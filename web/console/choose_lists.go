package console

import (
	"errors"
	"slices"
	"strings"

	"usher/directory"
	"usher/model"
)

// chosenScope are the groups whose members an import takes, as they are called now.
func chosenScope(v *visit, entry model.IntegrationSettings) ([]chosenGroup, error) {
	var ids []string
	for _, s := range entry.ChosenGroups {
		if s.ExternalID != "" {
			ids = append(ids, s.ExternalID)
		}
	}
	mirrored, err := v.groupsByID(entry.Integration.Ref(), ids)
	if err != nil {
		return nil, err
	}
	var list []chosenGroup
	for _, s := range entry.ChosenGroups {
		g := chosenGroup{Key: orWord(s.ExternalID, s.DisplayName), ID: s.ExternalID, Name: s.String()}
		switch m, known := mirrored[s.ExternalID]; {
		case s.ExternalID == "":
			g.Marks = []badge{{warn, "clock", "By name: the next import looks for it"}}
		case !known:
			g.Marks = []badge{{calm, "clock", "Not imported yet"}}
		case m.DisplayName != "" && m.DisplayName != s.DisplayName:
			g.Name, g.Detail = m.DisplayName, "was “"+s.DisplayName+"” when it was chosen"
		}
		list = append(list, g)
	}
	return list, nil
}

// groupsByID gives the groups of the mirror by object id.
func (v *visit) groupsByID(ref model.Ref, ids []string) (map[string]model.DirectoryGroup, error) {
	list, err := v.read.GroupsByExternalID(ref, ids)
	byID := map[string]model.DirectoryGroup{}
	for n := range list {
		byID[list[n].ExternalID] = list[n]
	}
	return byID, err
}

// addScope takes an object id or, as long as the tenant cannot be searched, a name.
func addScope(v *visit, entry model.IntegrationSettings, id string) error {
	group := model.GroupSelector{ExternalID: id}
	if !directory.IsTenantID(id) {
		group = model.GroupSelector{DisplayName: id}
	}
	_, err := v.svc.ChangeChosenGroups(v.ctx, entry.Integration.Ref(), []model.GroupSelector{group}, directory.Adding)
	return err
}

func removeScope(v *visit, entry model.IntegrationSettings, key string) error {
	_, err := v.svc.ChangeChosenGroups(v.ctx, entry.Integration.Ref(), nil, without(key))
	return err
}

// without takes a group out of those that are chosen.
func without(key string) directory.ListEdit[model.GroupSelector] {
	return func(list, _ []model.GroupSelector) ([]model.GroupSelector, error) {
		return withoutGroup(list, key), nil
	}
}

func withoutGroup(list []model.GroupSelector, key string) []model.GroupSelector {
	return slices.DeleteFunc(slices.Clone(list), func(s model.GroupSelector) bool { return orWord(s.ExternalID, s.DisplayName) == key })
}

// chosenLists are the distribution lists.
func chosenLists(v *visit, entry model.IntegrationSettings) ([]chosenGroup, error) {
	lists, err := v.svc.DistributionLists(v.ctx, entry.Integration.Ref())
	var out []chosenGroup
	for n := range lists {
		l := &lists[n]
		g := chosenGroup{Key: l.ExternalID, ID: l.ExternalID, Name: orWord(l.DisplayName, l.ExternalID), Detail: l.Email}
		if l.State == model.ListPending {
			g.Marks = []badge{{calm, "clock", "Not imported yet"}}
		}
		out = append(out, g)
	}
	return out, err
}

func addList(v *visit, entry model.IntegrationSettings, id string) error {
	out, err := v.svc.AddDistributionLists(v.ctx, entry.Integration.Ref(), strings.NewReader(id), false)
	if err == nil && len(out.Problems) > 0 {
		err = model.FieldErrorf(model.Invalid, "gid", "%s", out.Problems[0].Detail)
	}
	return err
}

func removeList(v *visit, entry model.IntegrationSettings, key string) error {
	_, err := v.svc.ChangeDistributionLists(v.ctx, entry.Integration.Ref(), nil, without(key))
	return err
}

// namedRooms is how many groups of rooms the tenant is asked for by id, to tell their names.
const namedRooms = 10

// chosenRooms are the groups whose members are rooms. Their settings have ids alone.
func chosenRooms(v *visit, entry model.IntegrationSettings) ([]chosenGroup, error) {
	var ids []string
	for _, g := range entry.RoomGroups {
		ids = append(ids, g.ExternalID)
	}
	mirrored, err := v.groupsByID(entry.Integration.Ref(), ids)
	if err != nil {
		return nil, err
	}
	var out []chosenGroup
	for n, id := range ids {
		name := mirrored[id].DisplayName
		if name == "" && n < namedRooms {
			if g, err := v.svc.EntraGroup(v.ctx, entry.Integration.Ref(), id); err == nil { // else its id has to do
				name = g.DisplayName
			}
		}
		out = append(out, chosenGroup{Key: id, ID: id, Name: orWord(name, id)})
	}
	return out, nil
}

func addRooms(v *visit, entry model.IntegrationSettings, id string) error {
	_, err := v.svc.ChangeRoomGroups(v.ctx, entry.Integration.Ref(), []model.RoomGroup{{ExternalID: id}}, directory.Adding)
	return err
}

func removeRooms(v *visit, entry model.IntegrationSettings, key string) error {
	_, err := v.svc.ChangeRoomGroups(v.ctx, entry.Integration.Ref(), nil, func(list, _ []model.RoomGroup) ([]model.RoomGroup, error) {
		return slices.DeleteFunc(list, func(g model.RoomGroup) bool { return g.ExternalID == key }), nil
	})
	return err
}

// fileView is the form for names that are pasted, and what became of them.
type fileView struct {
	Form     *form
	Names    field
	Looked   bool // the names were looked up, and nothing was chosen yet
	Added    []string
	Says     string
	Problems []fileProblem
}

// fileProblem is a line that leads to no group, with those that it may mean.
type fileProblem struct {
	Sentence   string
	Candidates []foundGroup
}

func newFileView(f *form) *fileView {
	view := &fileView{Form: f, Names: f.field("textarea", "names", "Names, one a line")}
	view.Names.Help, view.Names.Rows = "Display names or object ids, at most 1,000, such as a column of a spreadsheet. A name with a comma stands in double quotes.", 6
	f.rest()
	return view
}

// chooseByName chooses the groups that pasted lines name, or says what would be chosen.
func (v *visit) chooseByName(ch *choosing) error {
	entry, err := v.entry()
	if err != nil {
		return err
	}
	i := entry.Integration
	path := "/integrations/" + i.ID + "/" + ch.path
	f := v.newForm(path+"/file", "Look them up")
	names, dry := v.r.PostForm.Get("names"), v.field("do") != "add"
	var out directory.GroupFile
	if strings.TrimSpace(names) == "" {
		err = model.FieldErrorf(model.Invalid, "names", "write one name a line")
	} else if out, err = ch.file(v.svc, v.ctx, i.Ref(), strings.NewReader(names), dry); err == nil && !dry && len(out.Problems) == 0 {
		return v.done(path, fileSays(ch, &out, dry))
	}
	if err != nil {
		if err = f.fail(namesError(err)); err != nil {
			why, err := unreachable(err, i)
			if err != nil {
				return err
			}
			f.errors["names"] = why.Text
		}
		return v.choosingPage(ch, entry, newFileView(f), nil)
	}
	if !dry {
		if entry, err = v.entry(); err != nil {
			return err
		}
	}
	view := newFileView(f)
	view.Looked, view.Says = dry, fileSays(ch, &out, dry)
	for n := range out.Added {
		view.Added = append(view.Added, orWord(out.Added[n].DisplayName, out.Added[n].ExternalID))
	}
	in := &found{Path: Base + path, Word: ch.word, Manage: true}
	for n := range out.Problems {
		view.Problems = append(view.Problems, fileProblemOf(&out.Problems[n], in))
	}
	return v.choosingPage(ch, entry, view, nil)
}

// namesError puts what is wrong with a line beside the field of all lines.
func namesError(err error) error {
	known, ok := errors.AsType[*model.Error](err)
	if !ok || known.Kind == model.NotFound || known.Kind == model.Internal {
		return err
	}
	detail := known.Detail
	if line, ok := strings.CutPrefix(known.Field, "lines["); ok {
		detail = "line " + strings.TrimSuffix(line, "]") + " " + detail
	}
	return model.FieldErrorf(known.Kind, "names", "%s", detail)
}

// fileSays tells what a file did, or would do.
func fileSays(ch *choosing, out *directory.GroupFile, dry bool) string {
	text := quantity(len(out.Added), ch.word) + map[bool]string{true: " would be added", false: " added"}[dry]
	if out.Unchanged > 0 {
		text += ", " + count(out.Unchanged) + " chosen already"
	}
	if n := len(out.Problems); n > 0 {
		text += ", " + quantity(n, "line") + " to look at"
	}
	return text + "."
}

func fileProblemOf(p *directory.GroupProblem, in *found) fileProblem {
	out := fileProblem{Sentence: "Line " + count(p.Line) + ", “" + p.Name + "”: " + sentence(p.Detail)}
	if len(p.Candidates) > 0 {
		out.Sentence = "Line " + count(p.Line) + ", “" + p.Name + "”: Entra has several groups of this name. Choose the one that you mean."
	}
	for _, c := range p.Candidates {
		row := foundRow(c, in)
		row.Description = strings.TrimPrefix(row.Description+", object id "+row.ID, ", ") // their names are the same
		out.Candidates = append(out.Candidates, row)
	}
	return out
}
