package console

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"usher/model"
	"usher/model/store"
)

func (c *Console) homeRoutes() []route {
	return []route{get("/", model.RightRead, (*visit).showHome)}
}

// homeView is the first page: what needs somebody's eye comes first.
type homeView struct {
	Alerts    []alert
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
	for _, i := range integrations {
		l, err := v.integrationLight(i)
		if err != nil {
			return err
		}
		view.Lights = append(view.Lights, l)
	}
	if len(integrations) == 0 {
		view.Empty = new(emptyNotConnected("No directory is connected",
			"Connect Microsoft Entra ID, and people, roles and calendars follow by themselves. To look around first, run “usher demo”: it brings a simulated tenant.",
			link{"Set up an integration", Base + "/integrations/new", "plus"}))
	}
	for _, fill := range []func(*homeView, []model.Integration) error{v.homeAlerts, v.homeNumbers, v.homeCharts, v.homeSteps, v.homeActivity} {
		if err := fill(&view, integrations); err != nil {
			return err
		}
	}
	return v.render("home", page{Title: "Home", Lead: homeLead(view.Lights, view.Alerts), Body: view})
}

func homeLead(lights []light, alerts []alert) string {
	n := len(alerts)
	for _, l := range lights {
		if l.Attention {
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

// homeAlerts are held plans and what is about to expire.
func (v *visit) homeAlerts(view *homeView, integrations []model.Integration) error {
	held, err := v.read.RunsBefore(v.org, store.RunFilter{State: model.RunHeld}, "", 5)
	if err != nil {
		return err
	}
	for _, run := range held {
		view.Alerts = append(view.Alerts, alert{
			Tone: warn, Icon: "player-play", Title: "A plan is held",
			Text:   fmt.Sprintf("It would deactivate %s. Look at it, then apply or discard it.", quantity(run.Counts[model.ActionDeactivate], "account")),
			Action: link{"Open the plan", Base + "/runs/" + run.ID, ""},
		})
	}
	for _, i := range integrations {
		warnings, err := v.svc.Warnings(v.ctx, i.Ref())
		if err != nil {
			return err
		}
		for _, w := range warnings {
			t := warn
			if w.Days == 0 {
				t = bad
			}
			view.Alerts = append(view.Alerts, alert{Tone: t, Icon: "key", Title: i.Name, Text: sentence(w.Detail), Action: link{"Rotate it", Base + "/integrations/" + i.ID + "#tokens", ""}})
		}
	}
	return nil
}

func (v *visit) homeNumbers(view *homeView, integrations []model.Integration) error {
	if len(integrations) == 0 {
		return nil
	}
	n, err := v.numbersOf(v.ctx, v.org)
	if err != nil {
		return err
	}
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
	numbers store.OrganizationNumbers
	at      time.Time
}

// numbersOf counts what an organization has, at most twice a minute.
func (c *Console) numbersOf(ctx context.Context, organizationID string) (store.OrganizationNumbers, error) {
	c.numbers.mutex.Lock()
	known, ok := c.numbers.known[organizationID]
	c.numbers.mutex.Unlock()
	if ok && c.now().Sub(known.at) < numbersLast {
		return known.numbers, nil
	}
	n, err := c.store.Read(ctx).Numbers(organizationID)
	if err != nil {
		return n, err
	}
	c.numbers.mutex.Lock()
	defer c.numbers.mutex.Unlock()
	if c.numbers.known == nil || len(c.numbers.known) >= manyNumbers {
		c.numbers.known = map[string]counted{}
	}
	c.numbers.known[organizationID] = counted{n, c.now()}
	return n, nil
}

// homeSteps is the way from nothing to people, until it is gone.
func (v *visit) homeSteps(view *homeView, integrations []model.Integration) error {
	accounts, err := v.read.AccountsAfter(v.org, store.AccountFilter{Origin: model.OriginDirectory}, "", 1)
	if err != nil || len(accounts) > 0 {
		return err
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
		e.Icon = "player-play"
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
