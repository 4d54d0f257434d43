package console

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"usher/internal/webhook"
	"usher/model"
	"usher/model/store"
)

func (c *Console) webhookRoutes() []route {
	const one = "/webhooks/{endpoint}"
	return []route{
		get("/webhooks", model.RightRead, (*visit).showWebhooks),
		get("/webhooks/new", model.RightManageIntegrations, (*visit).newWebhook),
		post("/webhooks/new", model.RightManageIntegrations, (*visit).makeWebhook),
		get(one, model.RightRead, (*visit).showWebhook),
		get(one+"/edit", model.RightManageIntegrations, (*visit).editWebhook),
		post(one+"/edit", model.RightManageIntegrations, (*visit).saveWebhook),
		post(one+"/state", model.RightManageIntegrations, (*visit).switchWebhook),
		post(one+"/test", model.RightManageIntegrations, (*visit).testWebhook),
		get(one+"/rotate", model.RightManageIntegrations, (*visit).askRotateWebhook),
		post(one+"/rotate", model.RightManageIntegrations, (*visit).rotateWebhook),
		get(one+"/delete", model.RightManageIntegrations, (*visit).askDeleteWebhook),
		post(one+"/delete", model.RightManageIntegrations, (*visit).deleteWebhook),
		post(one+"/replay", model.RightManageIntegrations, (*visit).replayWebhook),
		get(one+"/deliveries/{delivery}", model.RightRead, (*visit).showDelivery),
		post(one+"/deliveries/{delivery}/resend", model.RightManageIntegrations, (*visit).resendDelivery),
		get("/changes", model.RightRead, (*visit).showChanges),
	}
}

// webhooksView is the list of endpoints.
type webhooksView struct {
	Tabs      []tab
	Endpoints []endpointRow
	Empty     *empty
	New       bool
	Pager     pager
}

type endpointRow struct {
	Path, URL, Description, Types string
	State                         badge
	LastSuccess                   any
	Counts                        store.WebhookCounts
	Problem                       string
}

// webhooksPage is how many endpoints, deliveries or changes one page shows.
const webhooksPage = 50

func webhookTabs(current string) []tab {
	return []tab{
		{Name: "Endpoints", Path: Base + "/webhooks", Current: current == "webhooks"},
		{Name: "Change feed", Path: Base + "/changes", Current: current == "changes"},
	}
}

func (v *visit) showWebhooks() error {
	list, err := v.read.WebhookEndpointsAfter(v.org, v.query("after"), webhooksPage+1)
	if err != nil {
		return err
	}
	view := webhooksView{Tabs: webhookTabs("webhooks"), New: v.can(model.RightManageIntegrations)}
	next := ""
	if len(list) > webhooksPage {
		list = list[:webhooksPage]
		next = list[webhooksPage-1].ID
	}
	for _, e := range list {
		row, err := v.endpointRow(e)
		if err != nil {
			return err
		}
		view.Endpoints = append(view.Endpoints, row)
	}
	view.Pager = v.paged(next, len(view.Endpoints), "endpoints")
	if len(view.Endpoints) == 0 {
		e := emptyYet("webhook", "No application is told of changes yet",
			"An endpoint is told of every change that it asks for, signed, in order, and again until it has taken it.", link{})
		if view.New {
			e.Action = link{"Add an endpoint", Base + "/webhooks/new", "plus"}
		}
		view.Empty = &e
	}
	return v.render("webhooks", page{Title: "Webhooks", Lead: "Applications that are told of changes as they happen.", Body: view})
}

// deliveriesCounted is how many of an endpoint's newest deliveries are counted.
const deliveriesCounted = 2_000

func (v *visit) endpointRow(e model.WebhookEndpoint) (endpointRow, error) {
	row := endpointRow{
		Path: Base + "/webhooks/" + e.ID, URL: e.URL, Description: e.Description, Types: typesInWords(e.Types), State: webhookState(e),
		LastSuccess: e.LastSuccessAt, Problem: webhookProblem(e),
	}
	var err error
	row.Counts, err = v.read.CountWebhookDeliveries(v.org, e.ID, v.now().Add(-24*time.Hour), deliveriesCounted)
	return row, err
}

func typesInWords(types []string) string {
	if len(types) == 0 {
		return "every change"
	}
	return strings.Join(types, ", ")
}

func webhookState(e model.WebhookEndpoint) badge {
	switch {
	case e.State == model.WebhookPaused:
		return badge{calm, "clock", "Paused"}
	case e.State == model.WebhookDisabled:
		return badge{bad, "ban", "Disabled"}
	case e.Reason != "":
		return badge{calm, "clock", "Ending"}
	case e.FailingSince != nil:
		return badge{warn, "alert-triangle", "Failing"}
	}
	return badge{good, "circle-check", "Active"}
}

func webhookProblem(e model.WebhookEndpoint) string {
	switch {
	case e.Reason != "":
		return sentence(e.Reason)
	case e.FailingSince != nil:
		return sentence(e.LastError)
	}
	return ""
}

// endpointView is one endpoint with its deliveries.
type endpointView struct {
	endpointRow
	ID           string
	Paused       bool
	Manage       bool
	Tabs         []tab
	Deliveries   []deliveryRow
	Empty        *empty
	Pager        pager
	Position     int64
	Replaying    string
	Replay       *form
	From, To     field
	Alert        *alert
	ChangesPath  string
	Integration  string
	FailingSince any
}

type deliveryRow struct {
	Path, Type, Subject, Message, Last string
	State                              badge
	Attempts                           int
	At                                 any
}

func (v *visit) endpoint() (model.WebhookEndpoint, error) {
	return v.read.WebhookEndpoint(v.org, v.r.PathValue("endpoint"))
}

func (v *visit) showWebhook() error {
	e, err := v.endpoint()
	if err != nil {
		return err
	}
	return v.webhookPage(e, v.newForm("/webhooks/"+e.ID+"/replay", "Tell them again"))
}

func (v *visit) webhookPage(e model.WebhookEndpoint, f *form) error {
	row, err := v.endpointRow(e)
	if err != nil {
		return err
	}
	view := endpointView{
		endpointRow: row, ID: e.ID, Paused: e.State != model.WebhookActive, Manage: v.can(model.RightManageIntegrations), Position: e.Position,
		Replay: f, ChangesPath: Base + "/changes", FailingSince: e.FailingSince,
	}
	if e.ReplayUntil != nil {
		view.Replaying = "Changes up to " + strconv.FormatInt(*e.ReplayUntil, 10) + " are being told again."
	}
	if e.IntegrationID != nil {
		i, err := v.read.Integration(model.Ref{OrganizationID: v.org, IntegrationID: *e.IntegrationID})
		if err != nil && model.KindOf(err) != model.NotFound {
			return err
		}
		view.Integration = orWord(i.Name, "an integration that was removed")
	}
	if row.Problem != "" {
		view.Alert = &alert{Tone: row.State.Tone, Icon: row.State.Icon, Title: row.State.Text, Text: row.Problem}
	}
	view.From, view.To = f.field("text", "from", "From"), f.field("text", "to", "To")
	view.From.Help, view.To.Help = "The first change's number in the feed.", "Empty for the end of the feed."
	f.rest()
	if err := v.deliveries(&view, e); err != nil {
		return err
	}
	return v.render("webhook", page{Title: hostOf(e.URL), Lead: e.URL, Crumbs: []crumb{{"Webhooks", "/webhooks"}}, Body: view})
}

// hostOf gives the part of a URL that people tell endpoints apart by.
func hostOf(url string) string {
	_, rest, _ := strings.Cut(url, "://")
	host, _, _ := strings.Cut(rest, "/")
	return host
}

func (v *visit) deliveries(view *endpointView, e model.WebhookEndpoint) error {
	state := v.query("state")
	for _, t := range []tab{{Name: "All"}, {Name: "Waiting", Path: "pending"}, {Name: "Failed", Path: "failed"}, {Name: "Delivered", Path: "delivered"}} {
		t.Current = t.Path == state
		t.Path = with("/webhooks/"+e.ID, "state", t.Path)
		view.Tabs = append(view.Tabs, t)
	}
	if !slices.ContainsFunc(view.Tabs, func(t tab) bool { return t.Current }) {
		return model.FieldErrorf(model.Invalid, "state", "there is no state %q", state)
	}
	list, err := v.read.WebhookDeliveriesBefore(v.org, e.ID, store.DeliveryFilter{State: model.DeliveryState(state)}, v.query("after"), webhooksPage+1)
	if err != nil {
		return err
	}
	next := ""
	if len(list) > webhooksPage {
		list = list[:webhooksPage]
		next = list[webhooksPage-1].ID
	}
	for _, d := range list {
		view.Deliveries = append(view.Deliveries, v.deliveryRow(d))
	}
	view.Pager = v.paged(next, len(list), "deliveries")
	if len(list) == 0 {
		none := emptyYet("send", "Nothing has been told yet", "The next change that this endpoint asks for shows here.", link{})
		if state != "" {
			none = emptyFiltered("No deliveries in this state", Base+"/webhooks/"+e.ID)
		}
		view.Empty = &none
	}
	return nil
}

func (v *visit) deliveryRow(d model.WebhookDelivery) deliveryRow {
	row := deliveryRow{
		Path: Base + "/webhooks/" + d.EndpointID + "/deliveries/" + d.ID, Type: string(d.Type), Subject: d.Subject, Message: d.MessageID,
		State: deliveryState(d.State), At: d.CreatedAt,
	}
	if n := len(d.Attempts); n > 0 {
		last := d.Attempts[n-1]
		row.Attempts, row.At, row.Last = last.Number, last.At, last.Error
		if row.Last == "" {
			row.Last = strconv.Itoa(last.Status) + " in " + strconv.FormatInt(last.Duration, 10) + " ms"
		}
	}
	return row
}

func deliveryState(s model.DeliveryState) badge {
	switch s {
	case model.DeliveryDelivered:
		return badge{good, "circle-check", "Delivered"}
	case model.DeliveryFailed:
		return badge{bad, "alert-circle", "Failed"}
	case model.DeliveryPending:
	}
	return badge{warn, "clock", "Waiting"}
}

// deliveryView is one message with its attempts.
type deliveryView struct {
	deliveryRow
	Body     string
	Tries    []model.WebhookAttempt
	NextAt   any
	Waits    bool
	Resend   string
	Manage   bool
	Endpoint string
}

func (v *visit) showDelivery() error {
	e, err := v.endpoint()
	if err != nil {
		return err
	}
	d, err := v.read.WebhookDelivery(v.org, e.ID, v.r.PathValue("delivery"))
	if err != nil {
		return err
	}
	view := deliveryView{
		deliveryRow: v.deliveryRow(d), Tries: slices.Clone(d.Attempts), NextAt: d.NextAt, Waits: d.State == model.DeliveryPending,
		Resend: Base + "/webhooks/" + e.ID + "/deliveries/" + d.ID + "/resend", Manage: v.can(model.RightManageIntegrations), Endpoint: e.URL,
	}
	slices.Reverse(view.Tries)
	body, err := webhook.Body(v.read, d)
	if err != nil {
		return err
	}
	if body != nil {
		raw, err := json.MarshalIndent(body, "", "  ")
		if err != nil {
			return err
		}
		view.Body = string(raw)
	}
	return v.render("delivery", page{
		Title: string(d.Type), Lead: "Message " + d.MessageID + " to " + e.URL,
		Crumbs: []crumb{{"Webhooks", "/webhooks"}, {hostOf(e.URL), "/webhooks/" + e.ID}}, Body: view,
	})
}

func (v *visit) resendDelivery() error {
	d, err := v.svc.ResendWebhook(v.ctx, v.org, v.r.PathValue("endpoint"), v.r.PathValue("delivery"))
	if err != nil {
		return err
	}
	return v.done("/webhooks/"+d.EndpointID+"/deliveries/"+d.ID, "The message is being sent again.")
}

func (v *visit) testWebhook() error {
	d, err := v.svc.TestWebhookEndpoint(v.ctx, v.org, v.r.PathValue("endpoint"))
	if err != nil {
		return err
	}
	return v.done("/webhooks/"+d.EndpointID+"/deliveries/"+d.ID, "A test message is on its way; look here again in a second.")
}

func (v *visit) replayWebhook() error {
	e, err := v.endpoint()
	if err != nil {
		return err
	}
	from, to, err := v.replayRange()
	if err == nil {
		_, err = v.svc.ReplayWebhooks(v.ctx, v.org, e.ID, from, to)
	}
	if err != nil {
		f := v.newForm("/webhooks/"+e.ID+"/replay", "Tell them again")
		if err := f.fail(err); err != nil {
			return err
		}
		return v.webhookPage(e, f)
	}
	return v.done("/webhooks/"+e.ID, "The range is being told again.")
}

func (v *visit) replayRange() (from, to int64, err error) {
	if from, err = strconv.ParseInt(v.field("from"), 10, 64); err != nil {
		return 0, 0, model.FieldErrorf(model.Invalid, "from", "is not a number of the change feed")
	}
	if v.field("to") == "" {
		return from, math.MaxInt64, nil
	}
	if to, err = strconv.ParseInt(v.field("to"), 10, 64); err != nil {
		return 0, 0, model.FieldErrorf(model.Invalid, "to", "is not a number of the change feed")
	}
	return from, to, nil
}
