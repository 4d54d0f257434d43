package console

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"usher/model"
	"usher/model/store"
)

func (c *Console) homeRoutes() []route {
	return []route{
		get("/", model.RightRead, (*visit).showHome),
		post("/alarms/acknowledge", model.RightManageIntegrations, (*visit).acknowledgeAlarm),
	}
}

// homeView is the first page: what needs somebody's eye comes first.
type homeView struct {
	Alarms    []alarm
	Seen      []alarm // that somebody has acknowledged
	Lights    []light
	Empty     *empty
	Numbers   []number
	Requests  *bars
	Changes   *bars
	Checklist []step
	Activity  []event
}

// light is how something is getting on: a colour, a word and a sentence.
type light struct {
	Tone      tone
	Icon      string
	Name      string
	Path      string
	Sentence  string
	Extra     []badge
	Attention bool
	// Occurrence names what asks for attention, by another name when it happens anew; Ack is its form, where it has one.
	Occurrence string
	Ack        *acknowledge
}

// number is one figure with its name.
type number struct{ Name, Value, Note, Path string }

// step is one step of a list of steps: done, to do next, or waiting for another one.
type step struct {
	State             string // done, now, later
	Title, Text, When string
	Action            link
}

// Lamp gives the colour of the step.
func (s step) Lamp() badge {
	switch s.State {
	case "done":
		return badge{good, "check", "Done"}
	case "now":
		return badge{fresh, "arrow-right", "Next"}
	}
	return badge{calm, "circle-dashed", "Later"}
}

// event is one line of a timeline.
type event struct {
	Icon    string
	Tone    tone
	Subject string // whom or what it was about; "" where the summary says it
	Summary string
	Actor   string
	At      time.Time
	Path    string
	Detail  string
}

func (v *visit) showHome() error {
	integrations, err := v.read.Integrations(v.org)
	if err != nil {
		return err
	}
	var view homeView
	var alarms []alarm
	if alarms, view.Lights, err = v.everyAlarm(integrations); err != nil {
		return err
	}
	for _, a := range alarms {
		if a.Ack.By == "" {
			view.Alarms = append(view.Alarms, a)
		} else {
			view.Seen = append(view.Seen, a)
		}
	}
	if len(integrations) == 0 {
		view.Empty = new(emptyNotConnected("No directory is connected",
			"Connect Microsoft Entra ID, and people, roles and calendars follow by themselves. The first steps are below.",
			link{"Set up an integration", Base + "/integrations/new", "plus"}))
	}
	for _, fill := range []func(*homeView, []model.Integration) error{v.homeNumbers, v.homeSteps, v.homeActivity} {
		if err := fill(&view, integrations); err != nil {
			return err
		}
	}
	return v.render("home", page{Title: "Home", Lead: homeLead(view.Lights, len(view.Alarms)), Body: view})
}

func homeLead(lights []light, alarms int) string {
	n := alarms
	for _, l := range lights {
		if l.Attention && (l.Ack == nil || l.Ack.By == "") {
			n++
		}
	}
	switch {
	case len(lights) == 0:
		return "Nothing is connected yet."
	case n == 0:
		return "All is well."
	case n == 1:
		return "One thing needs your attention."
	}
	return fmt.Sprintf("%d things need your attention.", n)
}

func (v *visit) homeNumbers(view *homeView, integrations []model.Integration) error {
	if len(integrations) == 0 {
		return nil
	}
	known, err := v.counted(integrations)
	if err != nil {
		return err
	}
	view.Requests, view.Changes = known.requests, known.changes
	n := known.numbers
	text := func(x int) string {
		if x >= n.Bound {
			return count(n.Bound) + "+"
		}
		return count(x)
	}
	view.Numbers = []number{
		{"Accounts", text(n.Accounts), "in the application", Base + "/people"},
		{"From Entra", text(n.Directory), "people in the mirror", Base + "/people"},
		{"Without account", text(n.Unlinked), "excluded, or in conflict", Base + "/people?view=excluded"},
		{"Groups", text(n.Groups), "from Entra", ""},
	}
	return nil
}

// numbersLast is how long what was counted is shown, and manyNumbers of how many organizations it is remembered.
const (
	numbersLast = 30 * time.Second
	manyNumbers = 1000
)

// numbers remembers what was counted of organizations, because counting takes longer the more there is.
type numbers struct {
	mutex sync.Mutex
	known map[string]counted
}

type counted struct {
	numbers           store.OrganizationNumbers
	requests, changes *bars
	at                time.Time
}

// counted counts what the organization has and draws its charts, at most twice a minute.
func (v *visit) counted(integrations []model.Integration) (counted, error) {
	v.numbers.mutex.Lock()
	known, ok := v.numbers.known[v.org]
	v.numbers.mutex.Unlock()
	if ok && v.now().Sub(known.at) < numbersLast {
		return known, nil
	}
	known = counted{at: v.now()}
	var err error
	if known.numbers, err = v.read.Numbers(v.org); err != nil {
		return known, err
	}
	if known.requests, known.changes, err = v.homeCharts(integrations); err != nil {
		return known, err
	}
	v.numbers.mutex.Lock()
	defer v.numbers.mutex.Unlock()
	if v.numbers.known == nil || len(v.numbers.known) >= manyNumbers {
		v.numbers.known = map[string]counted{}
	}
	v.numbers.known[v.org] = known
	return known, nil
}

// homeSteps is the way from nothing to people, until it is gone.
func (v *visit) homeSteps(view *homeView, integrations []model.Integration) error {
	for _, i := range integrations {
		people, err := v.read.DirectoryUsersAfter(i.Ref(), "", 1)
		if err != nil || len(people) > 0 {
			return err
		}
	}
	connect := step{State: "now", Title: "Connect Entra", Text: "Make an integration and give Entra its address and a token.", Action: link{"Set up an integration", Base + "/integrations/new", "plus"}}
	people := step{State: "later", Title: "See the first people", Text: "They appear by themselves as soon as Entra sends them, or an import has run."}
	if len(integrations) > 0 {
		connect.State, connect.Action = "done", link{}
		people.State, people.Action = "now", link{"Go on with " + integrations[0].Name, Base + "/integrations/" + integrations[0].ID + "/setup", "arrow-right"}
	}
	view.Checklist = []step{
		connect, people,
		{State: "later", Title: "Say what groups give", Text: "Map groups to roles, sites and departments; preview before anything changes."},
	}
	if len(integrations) == 0 {
		view.Checklist = append([]step{{State: "now", Title: "Look around first, with a simulated tenant", Text: "Run “usher demo” on any machine: it starts this console with a pretend Entra tenant, people, groups and calendars in it, and touches nothing real."}}, view.Checklist...)
	}
	return nil
}

func (v *visit) homeActivity(view *homeView, _ []model.Integration) error {
	list, err := v.read.ActivitiesBefore(v.org, store.ActivityFilter{}, "", 8)
	for _, a := range list {
		view.Activity = append(view.Activity, activityEvent(a))
	}
	return err
}

// activityEvent gives a line of the log as one of a timeline.
func activityEvent(a model.Activity) event {
	e := event{Icon: "pencil", Tone: calm, Subject: a.Subject, Summary: a.Summary, Actor: actorName(a.Actor), At: a.OccurredAt}
	if strings.Contains(a.Summary, a.Subject) {
		e.Subject, e.Summary = "", sentence(a.Summary)
	}
	kind, what, _ := strings.Cut(a.Action, ".")
	switch kind {
	case "account", "directory_user", "employee":
		e.Icon = "user"
	case "operator", "api_key":
		e.Icon = "key"
	case "integration", "scim_token", "scim_client", "consent":
		e.Icon = "plug-connected"
	case "run":
		e.Icon, e.Path, e.Subject = "player-play", Base+"/runs/"+a.SubjectID, runKind(model.RunKind(a.Subject))
		e.Summary = strings.TrimPrefix(a.Summary, a.Subject+" ")
	}
	switch {
	case strings.Contains(what, "deactivated"), strings.Contains(what, "held"), strings.Contains(what, "expir"):
		e.Tone = warn
	case strings.Contains(what, "deleted"), strings.Contains(what, "removed"), strings.Contains(what, "locked"), strings.Contains(what, "failed"):
		e.Tone = bad
	case strings.Contains(what, "created"), strings.Contains(what, "reactivated"):
		e.Tone = good
	}
	if kind == "account" {
		e.Path = Base + "/people/" + a.SubjectID
	}
	return e
}
