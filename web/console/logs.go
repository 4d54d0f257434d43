package console

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"usher/model"
	"usher/model/store"
)

func (c *Console) logRoutes() []route {
	return []route{
		get("/logs", model.RightRead, (*visit).showRequests),
		get("/logs/requests/{integration}/{request}", model.RightRead, (*visit).showRequest),
		get("/logs/rejections", model.RightRead, (*visit).showRejections),
		get("/logs/activity", model.RightRead, (*visit).showActivity),
		get("/logs/activity/export", model.RightRead, (*visit).exportActivity),
	}
}

// logPage is how many lines of a log one page shows.
const logPage = 50

func logTabs(current string) []tab {
	return []tab{
		{"SCIM requests", Base + "/logs", current == "requests", ""},
		{"Not let in", Base + "/logs/rejections", current == "rejections", ""},
		{"Activity", Base + "/logs/activity", current == "activity", ""},
	}
}

// requestsView is the log of SCIM requests of one integration.
type requestsView struct {
	Tabs                       []tab
	Integration, Result, Since field
	Query                      string
	Rows                       []requestRow
	Empty                      *empty
	Pager                      pager
}

type requestRow struct {
	Path, Method, Summary, Subject, Detail, Duration string
	Status                                           badge
	At                                               time.Time
}

func (v *visit) showRequests() error {
	view, err := v.requestsView()
	if err != nil {
		return err
	}
	if v.partial() {
		return v.fragment("logs", "requests", view)
	}
	return v.render("logs", page{Title: "Logs", Lead: "Every request that Entra sent, in words; nothing secret is kept.", Body: view})
}

func (v *visit) requestsView() (requestsView, error) {
	view := requestsView{Tabs: logTabs("requests"), Query: v.query("q")}
	settings, err := v.read.Settings(v.org)
	if err != nil {
		return view, err
	}
	var integrations []option
	for _, i := range sortedIntegrations(settings) {
		if i.Ingress == model.IngressSCIM {
			integrations = append(integrations, option{Value: i.ID, Name: i.Name})
		}
	}
	if len(integrations) == 0 {
		view.Empty = new(emptyNotConnected("Nobody can call yet", "Requests appear here when Entra pushes people over SCIM.", link{"Set up an integration", Base + "/integrations/new", "plus"}))
		return view, nil
	}
	view.Integration = field{ID: "integration", Name: "integration", Value: v.query("integration")}
	if view.Integration.Value == "" {
		view.Integration.Value = integrations[0].Value
	}
	view.Integration = view.Integration.choose(integrations...)
	view.Result = field{ID: "result", Name: "result", Value: v.query("result")}.choose(
		option{Name: "Every result"}, option{Value: "errors", Name: "Refused or failed"}, option{Value: "success", Name: "Success"},
		option{Value: "rejected", Name: "Rejected"}, option{Value: "failed", Name: "Failed"})
	view.Since = field{ID: "hours", Name: "hours", Value: v.query("hours")}.choose(
		option{Name: "Any time"}, option{Value: "1", Name: "Last hour"}, option{Value: "24", Name: "Last day"}, option{Value: "168", Name: "Last week"})
	f, err := v.requestFilter(view)
	if err != nil {
		return view, err
	}
	ref := model.Ref{OrganizationID: v.org, IntegrationID: view.Integration.Value}
	if _, err := v.read.Integration(ref); err != nil {
		return view, err
	}
	list, next, err := v.read.SCIMRequestsBefore(ref, f, v.query("after"), logPage)
	for _, q := range list {
		view.Rows = append(view.Rows, requestRowOf(q))
	}
	view.Pager = v.paged(next, len(list), "requests")
	if len(list) == 0 {
		switch {
		case next != "":
			view.Pager.Note = nothingHere
		case f != (store.SCIMRequestFilter{}) || v.query("after") != "":
			view.Empty = new(emptyFiltered("No request fits", with("/logs", "integration", ref.IntegrationID)))
		default:
			view.Empty = new(emptyYet("bolt", "Entra has not called yet", "Every request appears here as soon as it is answered.", link{"Follow the set-up", Base + "/integrations/" + ref.IntegrationID + "/setup", ""}))
		}
	}
	return view, err
}

func (v *visit) requestFilter(view requestsView) (store.SCIMRequestFilter, error) {
	f := store.SCIMRequestFilter{Search: view.Query, Subject: v.query("subject")}
	switch result := model.SCIMResult(view.Result.Value); {
	case view.Result.Value == "errors":
		f.Errors = true
	case result == "" || slices.Contains(model.SCIMResults(), result):
		f.Result = result
	default:
		return f, model.FieldErrorf(model.Invalid, "result", "there is no result %q", result)
	}
	if hours := view.Since.Value; hours != "" {
		n, err := strconv.Atoi(hours)
		if err != nil || n < 1 || n > 24*3660 {
			return f, model.FieldErrorf(model.Invalid, "hours", "%q is no number of hours", hours)
		}
		f.From = v.now().Add(-time.Duration(n) * time.Hour).Truncate(time.Minute)
	}
	return f, nil
}

func requestRowOf(q model.SCIMRequest) requestRow {
	row := requestRow{
		Path: Base + "/logs/requests/" + q.IntegrationID + "/" + q.ID, Method: q.Method, Summary: sentence(q.Summary), Subject: q.Subject,
		Detail: q.Detail, Duration: (time.Duration(q.DurationUS) * time.Microsecond).Round(100 * time.Microsecond).String(), At: q.OccurredAt,
	}
	row.Status = badge{good, "circle-check", strconv.Itoa(q.Status)}
	switch {
	case q.Status >= 500:
		row.Status.Tone, row.Status.Icon = bad, "alert-triangle"
	case q.Status == http.StatusNotFound:
		row.Status.Tone, row.Status.Icon = calm, "search"
	case q.Status >= 400:
		row.Status.Tone, row.Status.Icon = warn, "alert-circle"
	}
	return row
}

// requestView is one request with what was sent and answered.
type requestView struct {
	Row            requestRow
	Facts          []Fact
	Request        string
	RequestHeaders []model.SCIMHeader
	Answer         string
	AnswerHeaders  []model.SCIMHeader
	Cut            bool
	PersonPath     string
}

func (v *visit) showRequest() error {
	i, err := v.integration()
	if err != nil {
		return err
	}
	q, x, err := v.svc.SCIMRequest(v.ctx, i.Ref(), v.r.PathValue("request"))
	if err != nil {
		return err
	}
	view := requestView{
		Row: requestRowOf(q), Request: indented(x.Request.Body), RequestHeaders: x.Request.Headers, Answer: indented(x.Answer.Body), AnswerHeaders: x.Answer.Headers,
		Cut: x.Request.Cut || x.Answer.Cut,
		Facts: []Fact{
			{Name: "When", Value: q.OccurredAt.Format("2 Jan 2006 15:04:05.000 UTC")},
			{Name: "Request", Value: q.Method + " " + q.Path},
			{Name: "Took", Value: (time.Duration(q.DurationUS) * time.Microsecond).String()},
			{Name: "Credential", Value: orDash(q.CredentialName)},
			{Name: "From", Value: orDash(q.RemoteAddress)},
			{Name: "Program", Value: orDash(q.UserAgent)},
			{Name: "Id", Value: q.ID},
		},
	}
	for name, value := range map[string]string{"Error": q.Detail, "Rule": q.Rule, "Tolerated": strings.Join(q.Deviations, "; ")} {
		if value != "" {
			view.Facts = append(view.Facts, Fact{Name: name, Value: value})
		}
	}
	if q.SubjectType == "User" && store.ValidID(q.SubjectID) {
		view.PersonPath = Base + "/integrations/" + i.ID + "/people/" + q.SubjectID
	}
	return v.render("request", page{Title: sentence(q.Summary), Crumbs: []crumb{{"Logs", "/logs"}}, Body: view})
}

func indented(body string) string {
	var value any
	if json.Unmarshal([]byte(body), &value) != nil {
		return body
	}
	raw, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return body
	}
	return string(raw)
}

// rejectionsView counts who was not let in.
type rejectionsView struct {
	Tabs  []tab
	Rows  []rejectionRow
	Empty *empty
}

type rejectionRow struct {
	Integration, Cause, Address, Agent string
	Count                              int64
	First, Last                        time.Time
}

func (v *visit) showRejections() error {
	integrations, err := v.read.Integrations(v.org)
	if err != nil {
		return err
	}
	view := rejectionsView{Tabs: logTabs("rejections")}
	for _, i := range integrations {
		list, err := v.read.SCIMRejectionsBefore(i.Ref(), "", logPage)
		if err != nil {
			return err
		}
		for _, r := range list {
			view.Rows = append(view.Rows, rejectionRow{i.Name, r.Cause, r.RemoteAddress, r.UserAgent, r.Count, r.FirstAt, r.LastAt})
		}
	}
	slices.SortFunc(view.Rows, func(a, b rejectionRow) int { return b.Last.Compare(a.Last) })
	if len(view.Rows) == 0 {
		view.Empty = new(emptyYet("shield", "Everyone who called was let in", "Attempts without a right token are counted here, by the hour.", link{}))
	}
	return v.render("rejections", page{Title: "Logs", Lead: "Attempts of SCIM clients that were refused because nobody knew who they were.", Body: view})
}

// activityView is the administrator's log.
type activityView struct {
	Tabs               []tab
	Integration, Since field
	Query, Actor       string
	Rows               []activityRow
	Empty              *empty
	Pager              pager
	Export             string
}

type activityRow struct {
	Event  event
	Action string
	Data   string // before and after
}

func (v *visit) activityFilter() (store.ActivityFilter, error) {
	f := store.ActivityFilter{Integration: v.query("integration"), Actor: v.query("actor"), Subject: v.query("subject"), Search: v.query("q")}
	if days := v.query("days"); days != "" {
		n, err := strconv.Atoi(days)
		if err != nil || n < 1 || n > 3660 {
			return f, model.FieldErrorf(model.Invalid, "days", "%q is no number of days", days)
		}
		f.From = v.now().Add(-time.Duration(n) * 24 * time.Hour).Truncate(time.Minute)
	}
	return f, nil
}

// nothingHere is told of a page of a log that looked at as many lines as it may, and found none.
const nothingHere = "Nothing fits in this part of the log; older parts may have something"

func (v *visit) showActivity() error {
	f, err := v.activityFilter()
	if err != nil {
		return err
	}
	settings, err := v.read.Settings(v.org)
	if err != nil {
		return err
	}
	list, next, err := v.read.ActivityPage(v.org, f, v.query("after"), logPage)
	if err != nil {
		return err
	}
	view := activityView{
		Tabs: logTabs("activity"), Query: f.Search, Actor: f.Actor, Integration: v.integrationFilter(settings), Pager: v.paged(next, len(list), "lines"),
		Since: field{ID: "days", Name: "days", Value: v.query("days")}.choose(
			option{Name: "Any time"}, option{Value: "1", Name: "Last day"}, option{Value: "7", Name: "Last week"}, option{Value: "30", Name: "Last 30 days"}),
		Export: with("/logs/activity/export", "q", f.Search, "actor", f.Actor, "integration", f.Integration, "days", v.query("days"), "subject", f.Subject),
	}
	for _, a := range list {
		row := activityRow{Event: activityEvent(a), Action: a.Action}
		if string(a.Data) != "null" && len(a.Data) > 0 {
			row.Data = indented(string(a.Data))
		}
		view.Rows = append(view.Rows, row)
	}
	switch {
	case len(list) > 0:
	case next != "":
		view.Pager.Note = nothingHere
	default:
		view.Empty = new(emptyFiltered("No line fits", Base+"/logs/activity"))
	}
	if v.partial() {
		return v.fragment("activity", "lines", view)
	}
	return v.render("activity", page{Title: "Logs", Lead: "What was done, by whom, and why, with before and after.", Body: view})
}

// exportActivity gives the lines that the filters leave as a table for a spreadsheet.
func (v *visit) exportActivity() error {
	f, err := v.activityFilter()
	if err != nil {
		return err
	}
	list, err := v.read.ActivitiesBefore(v.org, f, "", exportBatch)
	if err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="activity.csv"`)
	out := csv.NewWriter(v.w)
	_ = out.Write([]string{"occurred_at", "actor", "action", "subject_type", "subject_id", "subject", "summary", "data"})
	for len(list) > 0 {
		for _, a := range list {
			_ = out.Write(plain(a.OccurredAt.Format(timeCSV), a.Actor, a.Action, a.SubjectType, a.SubjectID, a.Subject, a.Summary, string(a.Data)))
		}
		if out.Flush(); out.Error() != nil || v.ctx.Err() != nil {
			return nil // the browser is gone
		}
		if list, err = v.read.ActivitiesBefore(v.org, f, list[len(list)-1].ID, exportBatch); err != nil {
			v.log.ErrorContext(v.ctx, "export broken off", "err", err)
			panic(http.ErrAbortHandler) // half a file must not look like a whole one
		}
	}
	out.Flush()
	return nil
}
