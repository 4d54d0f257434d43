package directory

import (
	"context"
	"errors"
	"fmt"
	"time"

	"usher/model"
	"usher/model/outlook"
	"usher/model/store"
)

// EndIntegration is the job that takes away what a removed integration has in Microsoft 365 and Entra.
type EndIntegration struct {
	OrganizationID string `json:"organization_id"`
	IntegrationID  string `json:"integration_id"`
}

// Kind names the job.
func (EndIntegration) Kind() string { return "directory.end_integration" }

// Outward says that the job waits for Microsoft Graph.
func (EndIntegration) Outward() bool { return true }

// removalPatience is for how long Microsoft Graph is waited for; then it is told what was left.
const removalPatience = 24 * time.Hour

// removalWork does one removal. Nobody else does while it has the lease.
type removalWork struct {
	svc   *Service
	ctx   context.Context
	row   model.Removal
	lease string
}

// removalStep is one step of a removal. What it could not do is left, and told.
type removalStep struct {
	name string
	do   func(*removalWork) (detail string, left []model.Leftover, err error)
}

// removalPlan gives the steps, in order: the one that takes our own access away comes last of what needs it. Each can be done again.
func removalPlan() []removalStep {
	return []removalStep{
		{"subscriptions", (*removalWork).subscriptions},
		{"provisioning", (*removalWork).provisioning},
		{"consent", (*removalWork).consent},
		{"request_log", (*removalWork).requestLog},
		{"credentials", (*removalWork).credentials},
	}
}

// EndIntegration works the job. What a step did is stored before the next one begins.
func (s *Service) EndIntegration(ctx context.Context, job EndIntegration) error {
	w := &removalWork{svc: s, lease: store.NewID()}
	open, err := w.begin(ctx, model.Ref{OrganizationID: job.OrganizationID, IntegrationID: job.IntegrationID})
	if err != nil || !open {
		return unlessRemoved(err)
	}
	err = w.run()
	if errors.Is(err, errSuperseded) {
		return nil
	}
	return err
}

func (w *removalWork) begin(ctx context.Context, ref model.Ref) (open bool, err error) {
	err = w.svc.Store.InTx(ctx, func(tx *store.Tx) error {
		open = false
		r, err := tx.LockRemoval(ref)
		if err != nil || r.EndedAt != nil {
			return err
		}
		if r.Leased != nil && r.Leased.After(tx.Now()) {
			return &model.Throttled{After: setupBusy}
		}
		until := tx.Now().Add(setupLease)
		r.Lease, r.Leased, r.State, open = w.lease, &until, model.TaskRunning, true
		w.row = r
		return tx.SaveRemoval(&w.row)
	})
	w.ctx = WithActor(ctx, w.row.Actor)
	return open, err
}

// save stores how far the removal is.
func (w *removalWork) save(change func(*store.Tx, *model.Removal) error) error {
	return w.svc.Store.InTx(context.WithoutCancel(w.ctx), func(tx *store.Tx) error {
		r, err := tx.LockRemoval(w.row.Ref())
		if err != nil {
			return err
		}
		if r.Lease != w.lease {
			return errSuperseded
		}
		until := tx.Now().Add(setupLease)
		r.Leased = &until
		if err := change(tx, &r); err != nil {
			return err
		}
		w.row = r
		return tx.SaveRemoval(&w.row)
	})
}

func removalStepOf(r *model.Removal, name string) *model.TaskStep {
	for i := range r.Steps {
		if r.Steps[i].Name == name {
			return &r.Steps[i]
		}
	}
	r.Steps = append(r.Steps, model.TaskStep{Name: name, State: model.StepPending})
	return &r.Steps[len(r.Steps)-1]
}

func (w *removalWork) run() error {
	for _, step := range removalPlan() {
		if removalStepOf(&w.row, step.name).State != model.StepPending {
			continue
		}
		detail, left, err := step.do(w)
		if err != nil {
			if !w.givesUp(err) {
				return w.later(step.name, err)
			}
			detail, left = "", []model.Leftover{w.leftOf(step.name, cut(err.Error(), maxSaid))}
		}
		err = w.save(func(tx *store.Tx, r *model.Removal) error {
			at, now := removalStepOf(r, step.name), tx.Now()
			at.State, at.Detail, at.Ended = model.StepDone, detail, &now
			if len(left) > 0 {
				at.State, at.Detail = model.StepFailed, left[0].Why
			}
			r.Left, r.Attempts = append(r.Left, left...), 0
			return nil
		})
		if err != nil {
			return err
		}
	}
	return w.save(w.finish)
}

// givesUp says whether a failure is told as something that is left, and not waited for.
func (w *removalWork) givesUp(err error) bool {
	if w.ctx.Err() != nil {
		return false
	}
	kind := outlook.KindOf(err)
	switch {
	case kind == outlook.Throttled || kind == outlook.Unavailable:
		return w.svc.Now().After(w.row.CreatedAt.Add(removalPatience))
	case isGraph(err):
		return true
	}
	switch model.KindOf(err) {
	case model.Refused, model.Invalid:
		return true
	default:
		return false
	}
}

// later gives the lease back. What Graph failed with is waited for here, our own failures by the queue.
func (w *removalWork) later(step string, failed error) error {
	err := w.save(func(_ *store.Tx, r *model.Removal) error {
		r.Lease, r.Leased = "", nil
		r.Attempts++
		if isGraph(failed) {
			removalStepOf(r, step).Detail = "waits for Microsoft Graph: " + cut(failed.Error(), maxSaid)
		}
		return nil
	})
	if err != nil || !isGraph(failed) {
		return errors.Join(err, failed)
	}
	after := min(setupRetry<<min(w.row.Attempts, 6), 10*time.Minute)
	if e, ok := errors.AsType[*outlook.Error](failed); ok && e.After > after {
		after = e.After
	}
	return &model.Throttled{After: after}
}

func (w *removalWork) finish(tx *store.Tx, r *model.Removal) error {
	now := tx.Now()
	r.State, r.EndedAt, r.Lease, r.Leased, r.KeyID, r.Access = model.TaskSucceeded, &now, "", nil, "", nil
	summary := "nothing of integration " + r.Name + " is left in Microsoft 365 and Entra"
	if len(r.Left) > 0 {
		summary = fmt.Sprintf("integration %s left something in Microsoft 365 or Entra that has to be deleted by hand: ", r.Name)
		for i, l := range r.Left {
			if i > 0 {
				summary += "; "
			}
			summary += l.What + " (" + l.Why + ")"
		}
	}
	return w.svc.logSetting(w.ctx, tx, r.OrganizationID, &r.IntegrationID, "integration.removal_finished", "integration", r.IntegrationID, r.Name,
		summary, map[string]any{"left": r.Left})
}
