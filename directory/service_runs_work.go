package directory

import (
	"context"
	"fmt"
	"time"

	"usher/model"
	"usher/model/store"
)

// runWork is one page of a run.
type runWork struct {
	svc *Service
	ctx context.Context
	tx  *store.Tx
	run *model.Run
}

// turnWait is how long a run waits for another one of its integration.
const turnWait = 2 * time.Second

func (w *runWork) ref() model.Ref {
	return model.Ref{OrganizationID: w.run.OrganizationID, IntegrationID: w.run.IntegrationID}
}

func (w *runWork) step() (bool, error) {
	if w.run.State == model.RunQueued {
		if err := w.begin(); err != nil {
			return false, err
		}
	}
	users, err := w.tx.DirectoryUserIDsAfter(w.ref(), w.run.Cursor, runPage)
	if err != nil {
		return false, err
	}
	if len(users) > 0 {
		if err := w.page(users); err != nil {
			return false, err
		}
		w.run.Cursor = users[len(users)-1]
		w.run.Progress.Done += len(users)
		w.run.Progress.Total = max(w.run.Progress.Total, w.run.Progress.Done)
	}
	w.svc.Observe(EventRunPage, len(users))
	if len(users) == runPage {
		return false, w.tx.UpdateRun(w.run)
	}
	return w.endPhase()
}

// begin starts the run, when it is its turn: runs of one integration go one after the other, held ones aside.
func (w *runWork) begin() error {
	open, err := w.tx.OpenRuns(w.ref())
	if err != nil {
		return err
	}
	for _, other := range open {
		if other.ID < w.run.ID && other.State != model.RunHeld {
			return &model.Throttled{After: turnWait}
		}
	}
	total, err := w.tx.CountDirectoryUsers(w.ref())
	if err != nil {
		return err
	}
	now := w.tx.Now()
	w.run.State, w.run.StartedAt, w.run.Progress = model.RunRunning, &now, model.Progress{Total: total}
	return w.svc.tellRun(w.ctx, w.tx, w.run, model.RunStarted)
}

// page decides about some people; in the phase apply it also stores what was decided.
func (w *runWork) page(ids []string) error {
	work, err := w.svc.lockFacts(w.ctx, w.tx, w.ref(), ids)
	if err != nil {
		return err
	}
	if w.run.Phase == model.PhasePlan {
		return w.plan(work)
	}
	done, err := work.settleUnchanged(work.facts.Users)
	if err != nil {
		return err
	}
	for i := range done {
		if err := work.logDecision(&done[i].user, &done[i].decision, "re-evaluated because "+w.run.Reason); err != nil {
			return err
		}
	}
	return nil
}

// plan notes what would be done to each of the people, and saves nothing of it.
func (w *runWork) plan(work *settlement) error {
	var list []model.RunDecision
	for i := range work.facts.Users {
		u := &work.facts.Users[i]
		p, err := work.person(u, "")
		if err != nil {
			return err
		}
		d, err := work.decide(p)
		if err != nil {
			return err
		}
		w.run.Counts[d.Action]++
		if d.Action == model.ActionNone {
			continue
		}
		work.rememberPlanned(u, &d)
		list = append(list, model.RunDecision{
			RunID: w.run.ID, SubjectID: u.ID, OrganizationID: w.run.OrganizationID, Email: u.Email, Name: u.Name(),
			Action: d.Action, Changes: d.Changes, Reason: d.Reason,
		})
	}
	return w.tx.PutRunDecisions(list)
}

// rememberPlanned keeps the facts of a plan true as if the decision had been stored, so that two people of one page who
// would share an account are planned as they would be applied.
func (w *settlement) rememberPlanned(u *model.DirectoryUser, d *Decision) {
	if d.Account == nil {
		return
	}
	planned, account := *u, *d.Account
	if account.ID == "" {
		account.ID = store.NewID()
		account.EmailKey, account.UserNameKey = model.Fold(account.Email), model.Fold(account.UserName)
	}
	if d.Link || planned.AccountID != nil {
		planned.AccountID = &account.ID
	}
	w.remember(&planned, &Decision{Account: &account})
}

// endPhase goes from plan to apply, or ends or holds the run.
func (w *runWork) endPhase() (bool, error) {
	if w.run.Phase == model.PhaseApply || w.run.Kind == model.RunPreview {
		return true, w.svc.endRun(w.ctx, w.tx, w.run, model.RunSucceeded)
	}
	held, err := w.guard()
	if err != nil || held {
		return held, err
	}
	w.run.Phase, w.run.Cursor, w.run.Progress.Done = model.PhaseApply, "", 0
	return false, w.tx.UpdateRun(w.run)
}

// guard holds a run that would deactivate more than the integration's guard lets pass.
func (w *runWork) guard() (bool, error) {
	integration, err := w.tx.Integration(w.ref())
	if err != nil {
		return false, err
	}
	active, err := w.tx.CountActiveAccounts(w.ref())
	if err != nil {
		return false, err
	}
	limit, n := integration.Guard.Limit(active), w.run.Counts[model.ActionDeactivate]
	if n <= limit {
		return false, nil
	}
	w.run.State = model.RunHeld
	if err := w.tx.UpdateRun(w.run); err != nil {
		return false, err
	}
	if err := w.svc.tellRun(w.ctx, w.tx, w.run, model.RunWasHeld); err != nil {
		return false, err
	}
	return true, w.svc.logRun(w.ctx, w.tx, w.run, fmt.Sprintf(
		"held: it would deactivate %d of %d active accounts and the guard lets %d pass; nothing was applied", n, active, limit))
}
