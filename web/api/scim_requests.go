package api

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"usher/model"
	"usher/model/store"
)

// SCIMRequestsInput narrows the request log of an integration.
type SCIMRequestsInput struct {
	IDInput
	PageInput
	From    time.Time `query:"from" doc:"Not before."`
	To      time.Time `query:"to" doc:"Before."`
	Status  int       `query:"status" minimum:"100" maximum:"599" doc:"Exactly." example:"409"`
	Result  string    `query:"result" enum:"success,not_found,rejected,denied,failed" doc:"How the request ended."`
	Errors  bool      `query:"errors" doc:"Only those with status 400 and more."`
	Method  string    `query:"method" maxLength:"20" example:"PATCH"`
	Subject string    `query:"subject" maxLength:"256" doc:"Id of a user or group, or its whole name at the time, without case."`
	Q       string    `query:"q" maxLength:"256" doc:"Part of the words, of the subject's name or of the error, without case."`
	Accept  string    `header:"Accept" hidden:"true"`
}

func (in *SCIMRequestsInput) filter() store.SCIMRequestFilter {
	return store.SCIMRequestFilter{
		From: in.From, To: in.To, Status: in.Status, Result: model.SCIMResult(in.Result), Errors: in.Errors,
		Method: strings.ToUpper(in.Method), Subject: in.Subject, Search: in.Q,
	}
}

// LoggedSCIMRequest is one line of the request log with what was sent and answered.
type LoggedSCIMRequest struct {
	model.SCIMRequest
	model.SCIMExchange
}

func (a *API) scimRequests() {
	const path = "/integrations/{id}/scim-requests"
	schema := a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[page[model.SCIMRequest]](), true, "")
	o := operation{tag: tagFeed, right: model.RightRead}
	list := o.with(http.MethodGet, path, "Read the SCIM request log of an integration, newest first").
		says("Every request that an authenticated client sent, in words, without its bodies. A page looks at a bounded number of lines: " +
			"where `q` or `method` leave few, it may hold fewer than `limit`, or none, although `next` is there. " +
			"With `Accept: text/csv` or `application/x-ndjson` everything that the filters leave is given; limit and after do not count then. " +
			"A cell that a spreadsheet would take for a formula begins with an apostrophe.")
	list.responses = map[string]*huma.Response{"200": {
		Description: "A page of the log, or all of it.",
		Content: map[string]*huma.MediaType{
			"application/json": {Schema: schema}, "text/csv": {Schema: &huma.Schema{Type: huma.TypeString}},
			"application/x-ndjson": {Schema: &huma.Schema{Type: huma.TypeString}},
		},
	}}
	register(a, list, a.listSCIMRequests)
	register(a, o.with(http.MethodGet, path+"/{request_id}", "Read one SCIM request with what was sent and answered").
		says("The id is what the answer carried as `X-Request-Id`. Secrets are left out; a body is kept up to 64 KiB."), a.readSCIMRequest)
	register(a, o.with(http.MethodGet, "/integrations/{id}/scim-rejections", "List attempts of SCIM clients that were not let in").
		says("Counted per hour, cause, remote address, token and user agent; newest hour first."), a.listSCIMRejections)
}

func (a *API) listSCIMRequests(ctx context.Context, in *SCIMRequestsInput) (*huma.StreamResponse, error) {
	ref, err := a.ref(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	read := func(after string, limit int) ([]model.SCIMRequest, string, error) {
		return a.store.Read(ctx).SCIMRequestsBefore(ref, in.filter(), after, limit)
	}
	if form := format(in.Accept); form != "" {
		return exported(ctx, a, form, export[model.SCIMRequest]{
			name: "scim-requests", head: scimRequestHead(), row: scimRequestRow,
			read: func(after string) ([]model.SCIMRequest, string, error) { return read(after, exportPage) },
		})
	}
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	out := page[model.SCIMRequest]{}
	next := ""
	if out.Data, next, err = read(after, in.Limit); err != nil {
		return nil, err
	}
	if next != "" {
		cursor := base64.RawURLEncoding.EncodeToString([]byte(next))
		out.Next = &cursor
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		hc.SetHeader("Content-Type", "application/json")
		hc.SetStatus(http.StatusOK)
		_ = json.NewEncoder(hc.BodyWriter()).Encode(out) // the client is gone where this fails
	}}, nil
}

func scimRequestHead() []string {
	return []string{
		"occurred_at", "summary", "result", "status", "scim_type", "rule", "detail", "subject_type", "subject_id", "subject", "method", "path",
		"duration_us", "deviations", "credential_id", "credential_name", "user_agent", "remote_address", "id",
	}
}

func scimRequestRow(r model.SCIMRequest) []string {
	return []string{
		r.OccurredAt.Format(time.RFC3339Nano), r.Summary, string(r.Result), strconv.Itoa(r.Status), r.SCIMType, r.Rule, r.Detail, r.SubjectType,
		r.SubjectID, r.Subject, r.Method, r.Path, strconv.FormatInt(r.DurationUS, 10), strings.Join(r.Deviations, "; "), r.CredentialID,
		r.CredentialName, r.UserAgent, r.RemoteAddress, r.ID,
	}
}

func (a *API) readSCIMRequest(ctx context.Context, in *struct {
	IDInput
	RequestID string `path:"request_id" maxLength:"100" doc:"Id of the request."`
},
) (*answer[LoggedSCIMRequest], error) {
	ref, err := a.ref(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	row, exchange, err := a.svc.SCIMRequest(ctx, ref, in.RequestID)
	return answered(LoggedSCIMRequest{row, exchange}, err)
}

func (a *API) listSCIMRejections(ctx context.Context, in *struct {
	IDInput
	PageInput
},
) (*answer[page[model.SCIMRejection]], error) {
	ref, err := a.ref(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	read := func(after string, limit int) ([]model.SCIMRejection, error) {
		return a.store.Read(ctx).SCIMRejectionsBefore(ref, after, limit)
	}
	return paged(in.PageInput, read, func(r model.SCIMRejection) string { return r.ID }, itself)
}
