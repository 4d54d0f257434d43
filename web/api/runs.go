package api

import (
	"context"
	"net/http"

	"usher/model"
	"usher/model/store"
)

// RunsInput narrows the list of runs.
type RunsInput struct {
	PageInput
	Integration string         `query:"integration" doc:"Id of an integration."`
	Kind        model.RunKind  `query:"kind" enum:"import,preview,reevaluation"`
	State       model.RunState `query:"state" enum:"queued,running,held,succeeded,failed,cancelled"`
}

// StartedRun names a run that was asked for.
type StartedRun struct {
	ID string `json:"id"`
}

// DecisionView is what a run's plan says about one person.
type DecisionView struct {
	Subject DecisionSubject     `json:"subject"`
	Action  model.Action        `json:"action"`
	Changes []model.FieldChange `json:"changes"`
	Reason  string              `json:"reason"`
}

// DecisionSubject is whom a decision is about.
type DecisionSubject struct {
	Type  string `json:"type" enum:"directory_user,account"`
	ID    string `json:"id"`
	Email string `json:"email"`
	Name  string `json:"name"`
}

func showDecision(d model.RunDecision) DecisionView {
	return DecisionView{
		Subject: DecisionSubject{"directory_user", d.SubjectID, d.Email, d.Name},
		Action:  d.Action, Changes: present(d.Changes), Reason: d.Reason,
	}
}

func (a *API) runs() {
	o := operation{tag: tagRuns, right: model.RightRun, conflicts: true}
	start := "Answers at once; follow the run at /runs/{id} or /runs/{id}/events."
	for _, run := range []struct {
		path, summary string
		kind          model.RunKind
	}{
		{"imports", "Import people over Microsoft Graph", model.RunImport},
		{"previews", "Preview what the rules would change", model.RunPreview},
		{"reevaluations", "Decide about everyone again", model.RunReevaluation},
	} {
		register(a, o.with(http.MethodPost, "/integrations/{id}/"+run.path, run.summary).answering(http.StatusAccepted).says(start),
			func(ctx context.Context, in *IDInput) (*answer[StartedRun], error) {
				return a.startRun(ctx, in.ID, run.kind)
			})
	}
	for _, action := range []struct {
		name, summary string
		do            func(ctx context.Context, organizationID, id string) (model.Run, error)
	}{
		{"cancel", "Cancel a run", a.svc.CancelRun},
		{"apply", "Apply a held run", a.svc.ApplyRun},
		{"discard", "Discard a held run", a.svc.DiscardRun},
	} {
		register(a, o.with(http.MethodPost, "/runs/{id}/"+action.name, action.summary),
			func(ctx context.Context, in *IDInput) (*answer[model.Run], error) {
				return answered(action.do(ctx, org(ctx), in.ID))
			})
	}
	read := operation{tag: tagRuns, right: model.RightRead}
	register(a, read.with(http.MethodGet, "/runs", "List runs, newest first"), a.listRuns)
	register(a, read.with(http.MethodGet, "/runs/{id}", "Read a run"), a.readRun)
	register(a, read.with(http.MethodGet, "/runs/{id}/decisions", "List what a run decided about whom"), a.listDecisions)
}

func (a *API) startRun(ctx context.Context, id string, kind model.RunKind) (*answer[StartedRun], error) {
	ref := model.Ref{OrganizationID: org(ctx), IntegrationID: id}
	integration, err := a.store.Read(ctx).Integration(ref)
	if err != nil {
		return nil, err
	}
	if kind == model.RunImport && integration.Ingress == model.IngressGraph {
		return nil, model.Errorf(model.Refused, "importing over Microsoft Graph is not part of this version of Usher")
	}
	run, err := a.svc.StartRun(ctx, ref, kind)
	return answered(StartedRun{run.ID}, err)
}

func (a *API) listRuns(ctx context.Context, in *RunsInput) (*answer[page[model.Run]], error) {
	filter := store.RunFilter{Integration: in.Integration, Kind: in.Kind, State: in.State}
	read := func(after string, limit int) ([]model.Run, error) {
		return a.store.Read(ctx).RunsBefore(org(ctx), filter, after, limit)
	}
	return paged(in.PageInput, read, func(r model.Run) string { return r.ID }, itself)
}

func (a *API) readRun(ctx context.Context, in *IDInput) (*answer[model.Run], error) {
	return answered(a.store.Read(ctx).Run(org(ctx), in.ID))
}

func (a *API) listDecisions(ctx context.Context, in *struct {
	IDInput
	PageInput
	Action model.Action `query:"action" enum:"create,link,update,deactivate,reactivate,skip,none"`
},
) (*answer[page[DecisionView]], error) {
	run, err := a.store.Read(ctx).Run(org(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	read := func(after string, limit int) ([]model.RunDecision, error) {
		return a.store.Read(ctx).RunDecisionsAfter(org(ctx), run.ID, in.Action, after, limit)
	}
	return paged(in.PageInput, read, func(d model.RunDecision) string { return d.SubjectID }, showDecision)
}
