package api

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"usher/model"
	"usher/model/store"
)

// ActivityInput narrows the log.
type ActivityInput struct {
	PageInput
	Integration string    `query:"integration" doc:"Id of an integration."`
	Actor       string    `query:"actor" doc:"Who acted, exactly." example:"entra"`
	Subject     string    `query:"subject" doc:"Id or exact name of what it happened to."`
	From        time.Time `query:"from" doc:"Not before."`
	To          time.Time `query:"to" doc:"Before."`
	Q           string    `query:"q" doc:"Part of the summary or of the subject's name, without case."`
	Accept      string    `header:"Accept" hidden:"true"`
}

func (in *ActivityInput) filter() store.ActivityFilter {
	return store.ActivityFilter{
		Integration: in.Integration, Actor: in.Actor, Subject: in.Subject, From: in.From, To: in.To, Search: in.Q,
	}
}

func (a *API) activities() {
	schema := a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[page[model.Activity]](), true, "")
	o := operation{tag: tagFeed, right: model.RightRead, responses: map[string]*huma.Response{"200": {
		Description: "A page of the log, or all of it as CSV.",
		Content: map[string]*huma.MediaType{
			"application/json": {Schema: schema}, "text/csv": {Schema: &huma.Schema{Type: huma.TypeString}},
		},
	}}}
	register(a, o.with(http.MethodGet, "/activity", "Read the administrator's log, newest first").
		says("With `Accept: text/csv` everything that the filters leave is given as one table; limit and after do not count then. "+
			"A cell that a spreadsheet would take for a formula begins with an apostrophe."), a.readActivity)
}

func (a *API) readActivity(ctx context.Context, in *ActivityInput) (*huma.StreamResponse, error) {
	read := func(before string, limit int) ([]model.Activity, error) {
		return a.store.Read(ctx).ActivitiesBefore(org(ctx), in.filter(), before, limit)
	}
	if format(in.Accept) == "csv" {
		return exported(ctx, a, "csv", export[model.Activity]{
			name: "activity", row: activityRow,
			head: []string{"occurred_at", "actor", "action", "subject_type", "subject_id", "subject", "summary", "integration_id"},
			read: func(after string) ([]model.Activity, string, error) {
				list, err := read(after, exportPage)
				if len(list) < exportPage {
					return list, "", err
				}
				return list, list[len(list)-1].ID, err
			},
		})
	}
	out, err := paged(in.PageInput, read, func(l model.Activity) string { return l.ID }, itself)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		hc.SetHeader("Content-Type", "application/json")
		hc.SetStatus(http.StatusOK)
		_ = json.NewEncoder(hc.BodyWriter()).Encode(out.Body) // the client is gone where this fails
	}}, nil
}

// exportPage is how many lines of a log are read at once.
const exportPage = 500

func activityRow(l model.Activity) []string {
	integration := ""
	if l.IntegrationID != nil {
		integration = *l.IntegrationID
	}
	return []string{
		l.OccurredAt.Format(time.RFC3339), l.Actor, l.Action, l.SubjectType, l.SubjectID, l.Subject, l.Summary, integration,
	}
}
