package console

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"

	"usher/directory"
	"usher/model"
)

// groupMapView is the form of what one group gives.
type groupMapView struct {
	Form                               *form
	Was                                string // the mapping as it was shown, "" of a new one
	By, Role, Department               field
	Language, TimeZone, Currency, Site field
	Levels                             []field
	Administrator                      field
	Back                               string
	Try                                string // says what the form would do
	Existing                           bool
	NoSites, NoModules, NoRoles        bool
	RoleHelp                           string
}

// mapPlace is the group whose mapping is edited, and where. The group may be one that the mirror does not have.
type mapPlace struct {
	group      model.DirectoryGroup
	entry      model.IntegrationSettings
	settings   *model.Settings
	path, back string // of the form, and of where it leads; below Base
	crumbs     []crumb
	try        string // address that says what the form would do; "" where the group has nobody
}

// mapPlace finds the group of the path.
func (v *visit) mapPlace() (mapPlace, error) {
	g, entry, settings, err := v.group()
	if err != nil {
		return mapPlace{}, err
	}
	path := "/groups/" + g.IntegrationID + "/" + g.ID
	return mapPlace{g, entry, settings, path + "/map", path, []crumb{{"Groups", "/groups?integration=" + g.IntegrationID}, {orWord(g.DisplayName, g.ExternalID), path}}, Base + path + "/map/try"}, nil
}

// missingPlace finds the mapping of the path by its place among the integration's, or the one that was shown wherever it stands by
// now: its group need not be in the mirror.
func (v *visit) missingPlace() (place mapPlace, at string, err error) {
	i, err := v.integration()
	if err != nil {
		return place, "", err
	}
	settings, err := v.read.Settings(v.org)
	if err != nil {
		return place, "", err
	}
	entry, at := settings.Integrations[i.ID], v.r.PathValue("entry")
	n, bad := strconv.Atoi(at)
	if was := v.field("was"); was != "" {
		if n = slices.IndexFunc(entry.GroupMappings, func(m model.GroupMapping) bool { return mappingKey(m) == was }); n < 0 {
			return place, "", mappingGone()
		}
	}
	if bad != nil || n < 0 || n >= len(entry.GroupMappings) {
		return place, "", model.Errorf(model.NotFound, "There is no such mapping any more.")
	}
	selector := entry.GroupMappings[n].Group
	back := "/integrations/" + i.ID + "/role-rules"
	return mapPlace{
		group: model.DirectoryGroup{OrganizationID: v.org, IntegrationID: i.ID, ExternalID: selector.ExternalID, DisplayName: selector.DisplayName},
		entry: entry, settings: settings, path: back + "/groups/" + at, back: back,
		crumbs: []crumb{{"Integrations", "/integrations"}, {i.Name, "/integrations/" + i.ID}, {"Role rules", back}},
	}, at, nil
}

func (v *visit) editGroupMapping() error {
	place, err := v.mapPlace()
	if err != nil {
		return err
	}
	return v.editMapping(&place, v.query("entry"))
}

func (v *visit) editMissingMapping() error {
	place, at, err := v.missingPlace()
	if err != nil {
		return err
	}
	return v.editMapping(&place, at)
}

// editMapping shows the form of a mapping, which stands at a place among the integration's; "" is for a new one.
func (v *visit) editMapping(place *mapPlace, at string) error {
	g, entry := &place.group, place.entry
	f := v.newForm(place.path, "Save")
	m, was := model.GroupMapping{}, ""
	if at != "" {
		n, bad := strconv.Atoi(at)
		if bad != nil || n < 0 || n >= len(entry.GroupMappings) || !entry.GroupMappings[n].Group.Matches(g.ExternalID, g.DisplayName) {
			return model.Errorf(model.NotFound, "There is no such mapping of this group any more.")
		}
		m = entry.GroupMappings[n]
		was = mappingKey(m)
	}
	by := "id"
	if g.ExternalID == "" || was != "" && m.Group.ExternalID == "" {
		by = "name"
	}
	for name, value := range map[string]string{
		"by": by, "role": m.Role, "department": m.Department, "language": m.Language, "time_zone": m.TimeZone, "currency": m.Currency, "site": m.Site,
	} {
		f.set(name, value)
	}
	if m.AllowAdministrator {
		f.set("allow_administrator", "on")
	}
	for _, p := range m.Permissions {
		f.set("level."+p.Module, string(p.Level))
	}
	return v.groupMapPage(place, f, was)
}

// mappingKey is a mapping as a form carries it, to be found again among others that may have come or gone.
func mappingKey(m model.GroupMapping) string {
	raw, _ := json.Marshal(m) // text and lists of it
	return string(raw)
}

func (v *visit) groupMapPage(place *mapPlace, f *form, was string) error {
	g, settings := &place.group, place.settings
	view := groupMapView{
		Form: f, Was: was, Existing: was != "", Back: Base + place.back, Try: place.try, NoSites: len(settings.Sites) == 0, NoModules: len(settings.Modules) == 0,
	}
	ways := []option{{Value: "name", Name: "by its name", Help: "A rename in Entra takes the group out of the mapping."}}
	if g.ExternalID != "" {
		ways = slices.Insert(ways, 0, option{Value: "id", Name: "by its object id", Help: "The mapping stays when the group is renamed."})
	}
	view.By = f.field("radio", "by", "Know the group").choose(ways...)
	view.Role = f.field("select", "role", "Role").choose(append([]option{{Name: "no role"}}, catalogue(settings.Roles, func(r model.Role) string { return r.Name })...)...)
	view.Department = f.field("select", "department", "Department").choose(append([]option{{Name: "no department"}}, catalogue(settings.Departments, func(d model.Department) string { return d.Name })...)...)
	view.Department.Help = "Only for accounts that have none."
	view.Administrator = f.field("checkbox", "allow_administrator", "Let this group give an administrator role")
	view.Language, view.TimeZone, view.Currency = f.field("text", "language", "Language"), f.field("text", "time_zone", "Time zone"), f.field("text", "currency", "Currency")
	view.Language.Placeholder, view.TimeZone.Placeholder, view.Currency.Placeholder = "da", "Europe/Copenhagen", "DKK"
	view.Site = f.field("select", "site", "Site").choose(append([]option{{Name: "no site"}}, siteChoices(settings)...)...)
	view.Site.Help = "Where the levels below hold: there, and at the sites that inherit from it."
	for _, m := range catalogue(settings.Modules, func(m model.Module) string { return m.Name }) {
		view.Levels = append(view.Levels, f.field("select", "level."+m.Value, m.Name).choose(option{Name: "no access"},
			option{Value: string(model.LevelMember), Name: "member"}, option{Value: string(model.LevelManager), Name: "manager"}, option{Value: string(model.LevelAdmin), Name: "admin"}))
	}
	f.rest()
	return v.render("group_map", page{Title: "Map " + orWord(g.DisplayName, g.ExternalID), Lead: "What membership of this group gives.", Crumbs: place.crumbs, Body: view})
}

// catalogue gives the entries of a part of the catalogue as choices, by name.
func catalogue[T any](entries map[string]T, name func(T) string) []option {
	var list []option
	for key, e := range entries {
		list = append(list, option{Value: key, Name: orWord(name(e), key)})
	}
	slices.SortFunc(list, func(a, b option) int { return strings.Compare(a.Name+a.Value, b.Name+b.Value) })
	return list
}

// siteChoices are the sites that are configured by themselves: the others have what their parent has.
func siteChoices(settings *model.Settings) []option {
	own := map[string]model.Site{}
	for key, s := range settings.Sites {
		if !s.Inherits() {
			own[key] = s
		}
	}
	return catalogue(own, func(s model.Site) string { return s.Name })
}

// groupMappingOfForm reads what was typed.
func (v *visit) groupMappingOfForm(settings *model.Settings, g *model.DirectoryGroup) model.GroupMapping {
	m := model.GroupMapping{
		Group: model.GroupSelector{ExternalID: g.ExternalID, DisplayName: g.DisplayName}, Role: v.field("role"), Department: v.field("department"), Language: v.field("language"),
		TimeZone: v.field("time_zone"), Currency: v.field("currency"), Site: v.field("site"), AllowAdministrator: v.checked("allow_administrator"),
	}
	if v.field("by") == "name" {
		m.Group.ExternalID = ""
	}
	for _, module := range catalogue(settings.Modules, func(m model.Module) string { return m.Name }) {
		if level := v.field("level." + module.Value); level != "" {
			m.Permissions = append(m.Permissions, model.ModulePermission{Module: module.Value, Level: model.Level(level)})
		}
	}
	return m
}

func (v *visit) saveGroupMapping() error {
	place, err := v.mapPlace()
	if err != nil {
		return err
	}
	return v.saveMapping(&place)
}

func (v *visit) saveMissingMapping() error {
	place, _, err := v.missingPlace()
	if err != nil {
		return err
	}
	return v.saveMapping(&place)
}

// mappingEdit puts what was typed in its place among the integration's mappings, or takes the mapping away.
type mappingEdit struct {
	m      model.GroupMapping
	was    string // the mapping as it was shown, "" of a new one
	remove bool
	at     int // where it stands among them, when into has run
}

func (v *visit) mappingTyped(place *mapPlace) *mappingEdit {
	return &mappingEdit{
		m: v.groupMappingOfForm(place.settings, &place.group), was: v.field("was"), remove: v.field("do") == "remove" || v.field("do") == "preview-removal",
	}
}

// into is a directory.ListEdit.
func (e *mappingEdit) into(list, _ []model.GroupMapping) ([]model.GroupMapping, error) {
	e.at = slices.IndexFunc(list, func(m model.GroupMapping) bool { return mappingKey(m) == e.was })
	switch {
	case e.was != "" && e.at < 0:
		return nil, mappingGone()
	case e.remove && e.at >= 0:
		return slices.Delete(list, e.at, e.at+1), nil
	case e.remove:
		return list, nil
	case e.at >= 0:
		list[e.at] = e.m
		return list, nil
	}
	e.at = len(list)
	return append(list, e.m), nil
}

// would gives the mappings as they would be, of those that the page has read.
func (e *mappingEdit) would(place *mapPlace) ([]model.GroupMapping, error) {
	return e.into(slices.Clone(place.entry.GroupMappings), nil)
}

func mappingGone() error {
	return model.Errorf(model.Conflict, "somebody has changed or removed this mapping since the page was opened: go back to the group and look")
}

func (v *visit) saveMapping(place *mapPlace) error {
	edit := v.mappingTyped(place)
	var run model.Run
	var list []model.GroupMapping
	var err error
	if hasPrefix(v.field("do"), "preview") {
		if list, err = edit.would(place); err == nil {
			run, err = v.svc.StartPreview(v.ctx, place.group.Ref(), model.PreviewSettings{GroupMappings: &list, Of: place.settings.Version})
		}
	} else {
		_, err = v.svc.ChangeGroupMappings(v.ctx, place.group.Ref(), nil, edit.into)
	}
	if err != nil {
		f := v.newForm(place.path, "Save")
		if err := f.fail(mappingError(err, &edit.m, edit.at)); err != nil {
			return err
		}
		return v.groupMapPage(place, f, edit.was)
	}
	if run.ID != "" {
		return v.done("/runs/"+run.ID, "This is what would change for everyone. Nothing is saved yet.")
	}
	return v.done(place.back, "The mapping is saved; everyone is looked at anew.")
}

// effectView is what a mapping that is being typed would do.
type effectView struct {
	directory.Impact
	Rows  []effectRow
	Rest  int
	Words string // how many, by what would happen to them
	Error string
}

// effectRow is what would happen to one person.
type effectRow struct {
	Name    string
	Action  badge
	Changes []diffRow
}

// tryGroupMapping answers with what the mapping that is being typed would do to members of the group.
func (v *visit) tryGroupMapping() error {
	place, err := v.mapPlace()
	if err != nil {
		return err
	}
	var view effectView
	edit := v.mappingTyped(&place)
	list, err := edit.would(&place)
	if err == nil {
		view.Impact, err = v.svc.TryGroupMappings(v.ctx, place.group.Ref(), place.group.ID, list)
	}
	if known, ok := errors.AsType[*model.Error](err); ok && known.Kind != model.Internal {
		if known, ok = errors.AsType[*model.Error](mappingError(err, &edit.m, edit.at)); ok {
			view.Error = sentence(known.Detail)
		}
	} else if err != nil {
		return err
	}
	view.Words = countsInWords(view.Counts)
	for _, c := range view.Changes {
		view.Rows = append(view.Rows, effectRow{c.Name, actionBadge(c.Action), diffRows(c.Changes)})
	}
	for _, n := range view.Counts {
		view.Rest += n
	}
	view.Rest -= len(view.Rows)
	return v.fragment("group_map", "effect", view)
}

// mappingError gives an error about the list as one about the fields of the form, which has the entry at the place.
func mappingError(err error, m *model.GroupMapping, at int) error {
	known, ok := errors.AsType[*model.Error](err)
	if !ok || known.Field == "" {
		return err
	}
	_, rest, _ := strings.Cut(known.Field, "[")
	number, name, _ := strings.Cut(rest, "]")
	if number != strconv.Itoa(at) {
		return model.Errorf(known.Kind, "another mapping of the integration (%s): %s", known.Field, known.Detail)
	}
	name = strings.TrimPrefix(name, ".")
	if inner, ok := strings.CutPrefix(name, "permissions["); ok {
		text, _, _ := strings.Cut(inner, "]")
		if n, bad := strconv.Atoi(text); bad == nil && n >= 0 && n < len(m.Permissions) {
			return model.FieldErrorf(known.Kind, "level."+m.Permissions[n].Module, "%s", known.Detail)
		}
	}
	if name, _, _ = strings.Cut(name, "."); name == "" {
		return model.Errorf(known.Kind, "%s", known.Detail)
	}
	if name == "group" {
		name = "by"
	}
	return model.FieldErrorf(known.Kind, name, "%s", known.Detail)
}
