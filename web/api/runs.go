package api

import (
	"context"
	"net/http"
	"strings"

	"usher/directory"
	"usher/model"
	"usher/model/store"
)

// RunsInput narrows the list of runs.
type RunsInput struct {
	PageInput
	Integration string         `query:"integration" doc:"Id of an integration."`
	Kind        model.RunKind  `query:"kind" enum:"import,preview,reevaluation,undo"`
	State       model.RunState `query:"state" enum:"queued,running,held,succeeded,failed,cancelled"`
}

// StartedRun names a run that was asked for.
type StartedRun struct {
	ID string `json:"id"`
}

// DecisionView is what a run's plan says about one person, and what became of it.
type DecisionView struct {
	Subject DecisionSubject     `json:"subject"`
	Action  model.Action        `json:"action"`
	Changes []model.FieldChange `json:"changes"`
	Reason  string              `json:"reason"`
	State   model.DecisionState `json:"state" enum:"planned,applied,left" doc:"What became of it: not applied (yet), applied, or the person was left as they are."`
	Note    string              `json:"note,omitempty" doc:"Why the person was left as they are."`
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
		Subject: DecisionSubject{Type: "directory_user", ID: d.SubjectID, Email: d.Email, Name: d.Name},
		Action:  d.Action, Changes: present(d.Changes), Reason: d.Reason, State: d.State, Note: d.Note,
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
		{"reevaluations", "Decide about everyone again", model.RunReevaluation},
	} {
		register(a, o.with(http.MethodPost, "/integrations/{id}/"+run.path, run.summary).answering(http.StatusAccepted).says(start),
			func(ctx context.Context, in *IDInput) (*answer[StartedRun], error) {
				return startedRun(a.svc.StartRun(ctx, model.Ref{OrganizationID: org(ctx), IntegrationID: in.ID}, run.kind))
			})
	}
	preview := o.with(http.MethodPost, "/integrations/{id}/previews", "Preview what the rules would change").answering(http.StatusAccepted).
		says(start + " The body supposes settings, as they would be sent to be saved; what is absent is as it is stored. Nothing is saved, and settings that " +
			"could not be saved fail as saving them would.")
	preview.maxBody = maxListBody
	register(a, preview, a.preview)
	o.right = model.RightRun
	register(a, o.with(http.MethodPost, "/runs/{id}/cancel", "Cancel a run"), func(ctx context.Context, in *IDInput) (*answer[model.Run], error) {
		return answered(a.svc.CancelRun(ctx, org(ctx), in.ID))
	})
	register(a, o.with(http.MethodPost, "/runs/{id}/apply", "Apply a held run").matching().
		says("Applies exactly what was planned, to everyone or to some. Where people changed since the plan was made the answer is 409 and names them, and "+
			"nothing is applied. If-Match with the plan's hash, or the hash in the body, makes sure that the plan is the one that was looked at."), a.applyRun)
	register(a, o.with(http.MethodPost, "/runs/{id}/discard", "Discard a held run").matching().
		says("Ends it with nothing applied, or takes some people out of its plan."), a.discardRun)
	register(a, o.with(http.MethodPost, "/runs/{id}/undo", "Undo a run").answering(http.StatusAccepted).
		says("Starts a run that takes back what the run applied, of every account that nobody has changed since; its decisions say of the others why not. "+
			"The next sync decides by the rules as they are then: correct the settings first."),
		func(ctx context.Context, in *IDInput) (*answer[StartedRun], error) {
			return startedRun(a.svc.UndoRun(ctx, org(ctx), in.ID))
		})
	read := operation{tag: tagRuns, right: model.RightRead}
	register(a, read.with(http.MethodGet, "/runs", "List runs, newest first"), a.listRuns)
	register(a, read.with(http.MethodGet, "/runs/{id}", "Read a run"), a.readRun)
	register(a, read.with(http.MethodGet, "/runs/{id}/decisions", "List what a run decided about whom").
		says("Deactivations come first, then reactivations, new accounts, links, updates and people who get no account."), a.listDecisions)
}

func startedRun(run model.Run, err error) (*answer[StartedRun], error) {
	return answered(StartedRun{run.ID}, err)
}

// ChoiceInput is how much of a held plan is meant; without it all of it.
type ChoiceInput struct {
	Subjects []string `json:"subjects,omitempty" nullable:"false" doc:"Ids of the decisions' subjects; the others are left as they are."`
	Hash     string   `json:"hash,omitempty" maxLength:"100" doc:"The hash of the plan that was looked at; 412 if it is another one."`
}

// ApplyInput is how much of a held plan is applied.
type ApplyInput struct {
	ChoiceInput
	Except     []string `json:"except,omitempty" nullable:"false" doc:"Ids of the decisions' subjects that are left as they are."`
	LeaveMoved bool     `json:"leave_moved,omitempty" doc:"Leaves people as they are who have changed since the plan was made, where otherwise nothing is applied."`
}

func (c ChoiceInput) choice(ifMatch string) (directory.PlanChoice, error) {
	tag := entityTag(ifMatch)
	if tag == "*" {
		tag = ""
	}
	if tag != "" && c.Hash != "" && !strings.EqualFold(tag, c.Hash) {
		return directory.PlanChoice{}, model.FieldErrorf(model.Invalid, "hash", "If-Match and hash name different plans")
	}
	if c.Hash == "" {
		c.Hash = tag
	}
	if c.Subjects != nil && len(c.Subjects) == 0 {
		return directory.PlanChoice{}, model.FieldErrorf(model.Invalid, "subjects", "names nobody; leave it out to mean everyone")
	}
	return directory.PlanChoice{Subjects: c.Subjects, Hash: c.Hash}, nil
}

func (a *API) applyRun(ctx context.Context, in *struct {
	IDInput
	IfMatch string `header:"If-Match" doc:"The hash of the plan that was looked at, in quotes."`
	Body    *ApplyInput
},
) (*answer[model.Run], error) {
	if in.Body == nil {
		in.Body = &ApplyInput{}
	}
	choice, err := in.Body.choice(in.IfMatch)
	if err != nil {
		return nil, err
	}
	choice.Except, choice.LeaveMoved = in.Body.Except, in.Body.LeaveMoved
	return answered(a.svc.ApplyRun(ctx, org(ctx), in.ID, choice))
}

func (a *API) discardRun(ctx context.Context, in *struct {
	IDInput
	IfMatch string `header:"If-Match" doc:"The hash of the plan that was looked at, in quotes."`
	Body    *ChoiceInput
},
) (*answer[model.Run], error) {
	if in.Body == nil {
		in.Body = &ChoiceInput{}
	}
	choice, err := in.Body.choice(in.IfMatch)
	if err != nil {
		return nil, err
	}
	return answered(a.svc.DiscardRun(ctx, org(ctx), in.ID, choice))
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
	return paged(in.PageInput, read, store.DecisionCursor, showDecision)
}
