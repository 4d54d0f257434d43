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

// The times after which silence of Entra is worth a word: it calls every 20 to 40 minutes where there is something to tell, and
// at least tests the endpoint.
const (
	quietAfter  = 2 * time.Hour
	silentAfter = 24 * time.Hour
)

// integrationLight says in a sentence how an integration is getting on.
func (v *visit) integrationLight(i model.Integration) (light, error) {
	l := light{Name: i.Name, Path: Base + "/integrations/" + i.ID, Tone: good, Icon: "circle-check"}
	var err error
	if i.Ingress == model.IngressSCIM {
		err = v.scimLight(i, &l)
	} else {
		err = v.graphLight(i, &l)
	}
	if err == nil && i.CalendarSync {
		err = v.calendarLight(i, &l)
	}
	return l, err
}

// attention gives a light the colour of something that somebody should look at.
func (l *light) attention(t tone, icon string) {
	l.Tone, l.Icon, l.Attention = t, icon, true
}

func (v *visit) scimLight(i model.Integration, l *light) error {
	last, found, err := v.read.LastSCIMRequest(i.Ref())
	if err != nil {
		return err
	}
	since := v.now().Sub(last.OccurredAt)
	switch {
	case !found:
		l.attention(warn, "clock")
		l.Sentence = "Entra has not called yet. Enter the Tenant URL and a token in Entra, then choose Test Connection."
	case last.Result == model.SCIMFailed:
		l.attention(bad, "alert-triangle")
		l.Sentence = "Entra last called " + ago(since) + ", and Usher failed to answer."
	case last.Status >= 400 && last.Status != 404:
		l.attention(warn, "alert-circle")
		l.Sentence = "Entra last called " + ago(since) + "; the last request was refused: " + sentence(last.Detail)
	case since > silentAfter:
		l.attention(bad, "alert-triangle")
		l.Sentence = "Entra last called " + ago(since) + ". That is long: look whether provisioning is on, or in quarantine."
	case since > quietAfter:
		l.attention(warn, "clock")
		l.Sentence = "Entra last called " + ago(since) + ". It usually calls every 20 to 40 minutes."
	default:
		l.Sentence = "Entra last called " + ago(since) + "; normal."
	}
	return nil
}

func (v *visit) graphLight(i model.Integration, l *light) error {
	runs, err := v.read.RunsBefore(v.org, store.RunFilter{Integration: i.ID, Kind: model.RunImport}, "", 1)
	if err != nil {
		return err
	}
	if len(runs) == 0 {
		l.attention(warn, "clock")
		l.Sentence = "Nothing has been imported yet. Choose groups, then start an import."
		return nil
	}
	run := runs[0]
	when := ago(v.now().Sub(run.UpdatedAt))
	switch run.State {
	case model.RunSucceeded:
		l.Sentence = "Last imported " + when + "; normal."
	case model.RunHeld:
		l.attention(warn, "alert-circle")
		l.Sentence = "The last import is held since " + when + ": it waits for somebody to look at it."
	case model.RunFailed:
		l.attention(bad, "alert-triangle")
		l.Sentence = "The last import failed " + when + ": " + sentence(run.Error)
	case model.RunCancelled:
		l.Sentence = "The last import was cancelled " + when + "."
	case model.RunQueued, model.RunRunning:
		l.Tone, l.Icon = fresh, "loader"
		l.Sentence = fmt.Sprintf("Importing now: %s of %s people.", count(run.Progress.Done), count(run.Progress.Total))
	}
	return nil
}

func (v *visit) calendarLight(i model.Integration, l *light) error {
	h, err := v.read.CalendarHealth(i.Ref())
	if err != nil {
		return err
	}
	lag := "in step"
	b := badge{good, "calendar", ""}
	if h.OldestWaiting != nil {
		waiting := v.now().Sub(*h.OldestWaiting)
		lag = "the oldest change waits since " + strings.TrimSuffix(ago(waiting), " ago")
		if waiting > 5*time.Minute {
			b.Tone, l.Attention = warn, true
		}
	}
	if h.Failing > 0 || h.Unsubscribed > 0 {
		b.Tone = warn
		lag += fmt.Sprintf(", %d of %d mailboxes refused", h.Failing, h.Mailboxes)
	}
	b.Text = fmt.Sprintf("%s: %s", quantity(h.Calendars, "calendar"), lag)
	l.Extra = append(l.Extra, b)
	return nil
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

// chartRows is how many rows a chart looks at at most, so that a page never waits for one.
const chartRows = 20_000

func (v *visit) homeCharts(view *homeView, integrations []model.Integration) error {
	now := v.now().UTC()
	var points []store.RequestPoint
	for _, i := range integrations {
		if i.Ingress != model.IngressSCIM {
			continue
		}
		list, err := v.read.SCIMRequestPoints(i.Ref(), now.Add(-24*time.Hour), chartRows)
		if err != nil {
			return err
		}
		points = append(points, list...)
	}
	if len(points) > 0 {
		view.Requests = new(requestChart(points, now))
	}
	times, err := v.read.ChangeTimes(v.org, chartRows)
	if err == nil && len(times) > 0 {
		view.Changes = new(changeChart(times, now))
	}
	return err
}

func requestChart(points []store.RequestPoint, now time.Time) bars {
	start := now.Truncate(time.Hour).Add(-23 * time.Hour)
	columns := make([]column, 24)
	ok, wrong := 0, 0
	for _, p := range points {
		n := int(p.At.Sub(start) / time.Hour)
		if p.At.Before(start) || n > 23 {
			continue
		}
		if p.Wrong {
			columns[n].Wrong++
			wrong++
		} else {
			columns[n].OK++
			ok++
		}
	}
	for i := range columns {
		columns[i].Title = fmt.Sprintf("%s: %s, %s refused", start.Add(time.Duration(i)*time.Hour).Format("15:04"), quantity(columns[i].OK+columns[i].Wrong, "request"), count(columns[i].Wrong))
	}
	says := fmt.Sprintf("%s in the last 24 hours, %s refused or failed.", quantity(ok+wrong, "request"), count(wrong))
	if len(points) >= chartRows {
		says = "The newest " + says
	}
	return newBars(columns, start.Format("15:04"), now.Format("15:04")+" UTC", says)
}

func changeChart(times []time.Time, now time.Time) bars {
	const days = 14
	today := now.Truncate(24 * time.Hour)
	start := today.Add(-(days - 1) * 24 * time.Hour)
	columns := make([]column, days)
	n := 0
	for _, at := range times {
		if at.Before(start) {
			continue
		}
		columns[min(days-1, int(at.Sub(start)/(24*time.Hour)))].OK++
		n++
	}
	for i := range columns {
		columns[i].Title = fmt.Sprintf("%s: %s", start.Add(time.Duration(i)*24*time.Hour).Format("2 Jan"), quantity(columns[i].OK, "change"))
	}
	says := quantity(n, "change") + " of people, groups and settings in 14 days."
	if len(times) >= chartRows {
		says = "The newest " + says
	}
	return newBars(columns, start.Format("2 Jan"), today.Format("2 Jan"), says)
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
