package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"

	"usher/model"
	"usher/model/store"
)

// maxWait is the longest that a reader of the feed may wait.
const maxWait = time.Minute

// changePoll is how soon a change that another process made is noticed.
const changePoll = time.Second

// ChangesInput asks for a page of the feed.
type ChangesInput struct {
	Limit int    `query:"limit" minimum:"1" maximum:"500" default:"50"`
	After string `query:"after" maxLength:"20" doc:"The next of the page before; from the beginning without it."`
	Wait  string `query:"wait" maxLength:"20" doc:"How long to wait for a change where there is none yet, at most 60s." example:"30s"`
	Types string `query:"types" maxLength:"2000" doc:"Types to give, comma separated; account.* is all of a kind." example:"account.*,run.finished"`

	position int64
	wait     time.Duration
	types    []string
}

// Resolve reads the parameters, and lets the answer take as long as it may wait.
func (in *ChangesInput) Resolve(ctx huma.Context) []error {
	var errs []error
	var err error
	if in.After != "" {
		if in.position, err = strconv.ParseInt(in.After, 10, 64); err != nil || in.position < 0 {
			errs = append(errs, &huma.ErrorDetail{Location: "query.after", Message: "is not a position in the feed"})
		}
	}
	if in.Wait != "" {
		if in.wait, err = time.ParseDuration(in.Wait); err != nil || in.wait < 0 || in.wait > maxWait {
			errs = append(errs, &huma.ErrorDetail{Location: "query.wait", Message: "is not a time between 0s and 60s, such as 30s"})
		}
	}
	for t := range strings.SplitSeq(in.Types, ",") {
		if t = strings.TrimSpace(t); t != "" {
			in.types = append(in.types, t)
		}
	}
	if in.wait > 0 && len(errs) == 0 {
		control := http.NewResponseController(humaecho.Unwrap(ctx).Response())
		_ = control.SetWriteDeadline(time.Now().Add(in.wait + writeWithin)) // a writer without deadlines has none to keep
	}
	return errs
}

// ChangeView is an entry of the feed.
type ChangeView struct {
	ID            string           `json:"id" doc:"Its position: larger than that of every entry before."`
	Type          model.ChangeType `json:"type"`
	OccurredAt    time.Time        `json:"occurred_at"`
	IntegrationID *string          `json:"integration_id"`
	Subject       ChangeSubject    `json:"subject"`
	Actor         string           `json:"actor"`
	Data          json.RawMessage  `json:"data"`
}

// ChangeSubject is what a change is about.
type ChangeSubject struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

// Feed is a page of the feed. Next is always there, so that a reader can go on from the end.
type Feed struct {
	Data []ChangeView `json:"data"`
	Next string       `json:"next" doc:"The after of the next request, at the end of the feed too."`
}

func showChange(c model.Change) ChangeView {
	v := ChangeView{
		Type: c.Type, OccurredAt: c.OccurredAt, IntegrationID: c.IntegrationID, Subject: ChangeSubject{c.SubjectType, c.SubjectID},
		Actor: c.Actor, Data: c.Data,
	}
	if c.Position != nil {
		v.ID = strconv.FormatInt(*c.Position, 10)
	}
	return v
}

func (a *API) changes() {
	o := operation{tag: tagFeed, right: model.RightRead, waits: true}
	register(a, o.with(http.MethodGet, "/changes", "Read the change feed").
		says("Every change of the organization, in order and without gaps: an entry is given only when every earlier one is."), a.readChanges)
}

func (a *API) readChanges(ctx context.Context, in *ChangesInput) (*answer[Feed], error) {
	if err := a.stillKept(ctx, in.position); err != nil {
		return nil, err
	}
	until := a.now().Add(in.wait)
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(a.stopping, cancel)()
	query := store.ChangeQuery{After: in.position, Types: in.types, Limit: in.Limit}
	for {
		list, next, err := a.store.Changes(ctx, org(ctx), query)
		if err != nil {
			return nil, err
		}
		left := until.Sub(a.now())
		if len(list) > 0 || left <= 0 || waiting.Err() != nil {
			out := Feed{Data: make([]ChangeView, len(list)), Next: strconv.FormatInt(next, 10)}
			for i, c := range list {
				out.Data[i] = showChange(c)
			}
			return &answer[Feed]{out}, nil
		}
		query.After = next // nothing up to there is of the types
		a.store.AwaitChange(waiting, min(left, changePoll))
	}
}

// stillKept refuses a reader that is behind what was deleted of the feed: it would miss changes without knowing.
func (a *API) stillKept(ctx context.Context, after int64) error {
	if after == 0 {
		return nil
	}
	pruned, err := a.store.Read(ctx).PrunedChanges()
	if err != nil || after >= pruned {
		return err
	}
	return model.FieldErrorf(model.Gone, "after", "changes up to %d are not kept any more; read the resources anew, and go on from %d", pruned, pruned)
}
