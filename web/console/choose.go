package console

import (
	"context"
	"io"
	"net/url"
	"slices"
	"strings"

	"usher/directory"
	"usher/model"
)

// choosing is a list of groups that an integration names, and the page on which they are chosen.
type choosing struct {
	path                    string // below the integration's
	title, lead, none, word string
	mail                    bool // only groups that have an address
	imports                 bool // only where Usher reads the tenant
	asks                    bool // taking one away may deactivate people
	chosen                  func(v *visit, entry model.IntegrationSettings) ([]chosenGroup, error)
	add                     func(v *visit, entry model.IntegrationSettings, id string) error
	remove                  func(v *visit, entry model.IntegrationSettings, key string) error
	file                    func(svc *directory.Service, ctx context.Context, ref model.Ref, names io.Reader, dry bool) (directory.GroupFile, error)
}

// chosenGroup is a group that is chosen. Key names it among them: its object id, or its name where only that is known.
type chosenGroup struct {
	Key, ID, Name, Detail string
	Marks                 []badge
}

// choosings are the lists of groups that an integration has.
func choosings() []choosing {
	return []choosing{
		{
			path: "groups", title: "Groups to import", word: "group", imports: true, asks: true,
			lead: "Whose members an import takes. A mapped group is not chosen by that alone.",
			none: "No group is chosen, and an import is refused until one is.", chosen: chosenScope, add: addScope, remove: removeScope, file: (*directory.Service).ChooseGroups,
		},
		{
			path: "lists", title: "Groups that are lists", word: "list", imports: true, mail: true,
			lead: "Which groups with an address are imported as distribution lists. Who is a member of a list alone is counted, and gets no account.",
			none: "No group is a list.", chosen: chosenLists, add: addList, remove: removeList, file: (*directory.Service).AddDistributionLists,
		},
		{
			path: "room-groups", title: "Groups of rooms", word: "group", lead: "Whose members are meeting rooms, in addition to the places that Microsoft 365 lists.",
			none: "No group of rooms is named.", chosen: chosenRooms, add: addRooms, remove: removeRooms,
		},
	}
}

func (c *Console) chooseRoutes() []route {
	list := []route{get("/integrations/{integration}/groups/choices", model.RightRead, (*visit).showChoices)}
	for _, ch := range choosings() {
		one := "/integrations/{integration}/" + ch.path
		list = append(list,
			get(one, model.RightRead, func(v *visit) error { return v.showChoosing(&ch) }),
			post(one, model.RightManageSettings, func(v *visit) error { return v.choose(&ch) }))
		if ch.file != nil {
			list = append(list, post(one+"/file", model.RightManageSettings, func(v *visit) error { return v.chooseByName(&ch) }))
		}
	}
	return list
}

// choosingView is the page on which groups are chosen.
type choosingView struct {
	ID, Path, Word string
	Manage, Asks   bool
	Chosen         []chosenGroup
	Shown, None    string
	Filter         string // of the chosen ones
	Tabs           []tab
	Off            *empty // nothing is chosen here
	Alert          *alert
	found
	File   *fileView
	ByName bool // the tenant cannot be searched, and a name is taken as it is
}

// found are groups of the tenant.
type found struct {
	Path, Word, Query string
	Groups            []foundGroup
	Empty             *empty
	Pager             pager
	Manage            bool
}

// foundGroup is a group of the tenant that can be chosen.
type foundGroup struct {
	ID, Name, Email, Description, Path, Query, Word string
	Marks                                           []badge
	Chosen, Manage                                  bool
}

// Bounds of the page: how many groups of a search, and how many chosen ones it shows.
const (
	foundShown  = 25
	chosenShown = 100
)

// entry reads the integration of the path with its lists.
func (v *visit) entry() (model.IntegrationSettings, error) {
	if _, err := v.integration(); err != nil {
		return model.IntegrationSettings{}, err
	}
	return v.svc.Lists(v.ctx, v.ref())
}

func (v *visit) showChoosing(ch *choosing) error {
	entry, err := v.entry()
	if err != nil {
		return err
	}
	if v.partial() {
		view := choosingView{}
		chosen, err := ch.chosen(v, entry)
		if err != nil {
			return err
		}
		if err := v.findGroups(&view, ch, entry.Integration, chosen); err != nil {
			return err
		}
		return v.fragment("choose", "found", view.found)
	}
	return v.choosingPage(ch, entry, nil, nil)
}

// choosingPage shows the page: with what a file of names did, and with what went wrong.
func (v *visit) choosingPage(ch *choosing, entry model.IntegrationSettings, file *fileView, wrong error) error {
	i := entry.Integration
	path := "/integrations/" + i.ID + "/" + ch.path
	view := choosingView{ID: i.ID, Path: Base + path, Word: ch.word, Asks: ch.asks, Manage: v.can(model.RightManageSettings), None: ch.none, File: file, Filter: v.query("chosen")}
	for _, other := range choosings() {
		view.Tabs = append(view.Tabs, tab{Name: other.title, Path: Base + "/integrations/" + i.ID + "/" + other.path, Current: other.path == ch.path})
	}
	p := page{Title: ch.title, Lead: ch.lead, Crumbs: integrationCrumbs(&i)}
	if ch.imports && i.Ingress != model.IngressGraph {
		view.Off = new(emptyYet("bolt", "Entra decides whom it pushes", "People of this integration come over SCIM: who is assigned to the enterprise application is chosen in Entra. Groups are chosen here where Usher reads the tenant.",
			link{"Who gets an account", with("/scope", "integration", i.ID), ""}))
		p.Body = view
		return v.render("choose", p)
	}
	chosen, err := ch.chosen(v, entry)
	if err != nil {
		return err
	}
	view.showChosen(chosen)
	if wrong != nil {
		if view.Alert, err = chooseAlert(wrong, i); err != nil {
			return err
		}
	}
	if err := v.findGroups(&view, ch, i, chosen); err != nil {
		return err
	}
	view.ByName = view.Manage && ch.asks && view.Empty != nil && view.Empty.Kind == "not-connected"
	if view.File == nil && ch.file != nil && view.Manage {
		view.File = newFileView(v.newForm(path+"/file", "Look them up"))
	}
	p.Body = view
	return v.render("choose", p)
}

// showChosen keeps the chosen ones that fit the filter, as many as one page has.
func (view *choosingView) showChosen(all []chosenGroup) {
	list := slices.Clone(all)
	if view.Filter != "" {
		list = slices.DeleteFunc(list, func(g chosenGroup) bool { return !strings.Contains(model.Fold(g.Name), model.Fold(view.Filter)) })
	}
	slices.SortStableFunc(list, func(a, b chosenGroup) int { return strings.Compare(model.Fold(a.Name), model.Fold(b.Name)) })
	view.Chosen = list[:min(len(list), chosenShown)]
	switch {
	case len(view.Chosen) < len(all):
		view.Shown = count(len(view.Chosen)) + " of " + count(len(all)) + " shown"
	default:
		view.Shown = quantity(len(all), view.Word)
	}
	if view.Filter != "" && len(list) == 0 {
		view.None = "None of the chosen ones has a name with “" + view.Filter + "”."
	}
}

// chooseAlert tells why a choice was refused. What is Usher's own fault is given back.
func chooseAlert(err error, i model.Integration) (*alert, error) {
	if known, ok := asInvalid(err); ok {
		return &alert{Tone: bad, Icon: "alert-circle", Title: "Nothing was changed", Text: sentence(known.Detail)}, nil
	}
	why, err := unreachable(err, i)
	if err != nil {
		return nil, err
	}
	return &alert{Tone: bad, Icon: "alert-circle", Title: "Nothing was changed: " + why.Title, Text: why.Text, Action: why.Action}, nil
}

// findGroups asks the tenant for the groups that the search means.
func (v *visit) findGroups(view *choosingView, ch *choosing, i model.Integration, chosen []chosenGroup) error {
	path := Base + "/integrations/" + i.ID + "/" + ch.path
	view.found = found{Path: path, Word: ch.word, Query: orWord(v.query("q"), v.field("q")), Manage: v.can(model.RightManageSettings)}
	after := v.r.URL.Query().Get("after") // sealed, and longer than what else an address has
	list, err := v.svc.AvailableGroups(v.ctx, i.Ref(), view.Query, ch.mail, after, foundShown)
	if err != nil {
		view.Empty, err = unreachable(err, i)
		return err
	}
	for n := range list.Data {
		g := &list.Data[n]
		row := foundRow(g.GroupCandidate, &view.found)
		row.Chosen = slices.ContainsFunc(chosen, func(c chosenGroup) bool { return c.ID == g.ExternalID })
		if g.Dynamic {
			row.Marks = append(row.Marks, badge{calm, "adjustments", "By a rule"})
		}
		if g.OnPremisesSync {
			row.Marks = append(row.Marks, badge{calm, "building", "From Active Directory"})
		}
		if g.Mapped {
			row.Marks = append(row.Marks, badge{good, "arrows-right-left", "Mapped"})
		}
		view.Groups = append(view.Groups, row)
	}
	view.Pager = v.paged(list.Next, len(list.Data), "groups")
	if len(list.Data) == 0 {
		view.Empty = new(emptyYet("users-group", "The tenant has no such group", "Graph gives none to this application.", link{}))
		if view.Query != "" {
			view.Empty = new(emptyFiltered("No group has words that begin so", path))
		}
	}
	return nil
}

// foundRow shows a group of the tenant.
func foundRow(g directory.GroupCandidate, in *found) foundGroup {
	row := foundGroup{ID: g.ExternalID, Name: orWord(g.DisplayName, g.ExternalID), Email: g.Email, Description: g.Description, Path: in.Path, Query: in.Query, Word: in.Word, Manage: in.Manage}
	kinds := map[directory.GroupKind]string{
		directory.KindMicrosoft365: "Microsoft 365 group", directory.KindSecurity: "Security group", directory.KindMailSecurity: "Mail-enabled security group",
		directory.KindDistribution: "Distribution group",
	}
	row.Marks = []badge{{calm, "", orWord(kinds[g.Kind], string(g.Kind))}}
	return row
}

// choose adds a group or takes one away.
func (v *visit) choose(ch *choosing) error {
	entry, err := v.entry()
	if err != nil {
		return err
	}
	path := "/integrations/" + entry.Integration.ID + "/" + ch.path
	back := path
	if q := v.field("q"); q != "" {
		back += "?" + url.Values{"q": {q}}.Encode()
	}
	name := orWord(v.field("name"), v.field("gid"))
	switch gid := v.field("gid"); {
	case gid == "":
		err = model.FieldErrorf(model.Invalid, "gid", "no %s is named", ch.word)
	case v.field("do") == "remove" && ch.asks && !v.checked("confirm"):
		return v.askUnchoose(ch, entry, gid)
	case v.field("do") == "remove":
		if err = ch.remove(v, entry, gid); err == nil {
			return v.done(back, "“"+name+"” is no longer chosen.")
		}
	default:
		if err = ch.add(v, entry, gid); err == nil {
			return v.done(back, "“"+name+"” is chosen.")
		}
	}
	return v.choosingPage(ch, entry, nil, err)
}

// askUnchoose shows what would become of people if a group were not chosen any more.
func (v *visit) askUnchoose(ch *choosing, entry model.IntegrationSettings, key string) error {
	list := withoutGroup(entry.ChosenGroups, key)
	if len(list) == len(entry.ChosenGroups) {
		return v.choosingPage(ch, entry, nil, model.FieldErrorf(model.Invalid, "gid", "it is not chosen any more"))
	}
	run, err := v.svc.StartPreview(v.ctx, entry.Integration.Ref(), model.PreviewSettings{ChosenGroups: &list})
	if err != nil {
		return v.choosingPage(ch, entry, nil, err)
	}
	name := orWord(v.field("name"), key)
	says := []string{"Who is in scope by “" + name + "” alone is deactivated."}
	if len(list) == 0 {
		says = append(says, "It is the last one: without any, imports are refused until another is chosen.")
	}
	i := entry.Integration
	path := "/integrations/" + i.ID + "/" + ch.path
	return v.confirm(&i, "Take “"+name+"” out of the choice?", confirmView{
		Form: v.newForm(path, "Take it out"), Consequences: says, Back: Base + path, Run: progressOf(run), Danger: true,
		Hidden: url.Values{"do": {"remove"}, "gid": {key}, "name": {v.field("name")}},
	})
}

// confirmView asks before a change that may deactivate people. What they would become is planned meanwhile.
type confirmView struct {
	Form         *form
	Hidden       url.Values
	Consequences []string
	Changes      []changeLine
	Run          runProgress
	Back         string
	Again        bool // there is a form to go back to, with what was typed
	Danger       bool
}

func (v *visit) confirm(i *model.Integration, title string, view confirmView) error {
	return v.render("confirm", page{Title: title, Lead: "Nothing is saved yet.", Crumbs: integrationCrumbs(i), Body: view})
}
