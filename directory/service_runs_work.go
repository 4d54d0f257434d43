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
	svc    *Service
	ctx    context.Context
	tx     *store.Tx
	run    *model.Run
	people runPeople
}

// runWork begins a page of the run, in the name of the run.
func (s *Service) runWork(ctx context.Context, tx *store.Tx, run *model.Run) *runWork {
	return &runWork{svc: s, ctx: WithActor(ctx, "run:"+run.ID), tx: tx, run: run, people: s.sourceOf(run)}
}

// grown says whether a run has come past 1,000, 4,000, 16,000 … of what it does: the tables that it fills are several times as large
// as they were then.
func grown(from, to int) bool {
	n := 1000
	for n <= from {
		n *= 4
	}
	return n <= to
}

// turnWait is how long a run waits for another one of its integration.
const turnWait = 2 * time.Second

func (w *runWork) step() (bool, error) {
	if w.run.State == model.RunQueued {
		if err := w.begin(); err != nil {
			return false, err
		}
	}
	if w.run.Phase == model.PhaseRead {
		return false, w.tx.UpdateRun(w.run)
	}
	keys, err := w.next()
	if err != nil {
		return false, err
	}
	if len(keys) > 0 {
		if err := w.page(keys); err != nil {
			return false, err
		}
		w.run.Cursor = keys[len(keys)-1]
		w.run.Progress.Done += len(keys)
		w.run.Progress.Total = max(w.run.Progress.Total, w.run.Progress.Done)
	}
	w.svc.Observe(EventRunPage, len(keys))
	if len(keys) == w.svc.runPage {
		return false, w.tx.UpdateRun(w.run)
	}
	return w.endPhase()
}

// next gives the next page: everyone's, or that of the people whom an operator chose.
func (w *runWork) next() ([]string, error) {
	if !w.run.Partial || w.run.Phase != model.PhaseApply {
		return w.people.after(w.tx, w.run.Cursor, w.svc.runPage)
	}
	list, err := w.tx.PlannedAfter(w.run.OrganizationID, w.run.ID, w.run.Cursor, w.svc.runPage)
	keys := make([]string, len(list))
	for i := range list {
		keys[i] = list[i].SubjectID
	}
	return keys, err
}

// begin starts the run, when it is its turn: runs of one integration go one after the other, held ones aside.
func (w *runWork) begin() error {
	open, err := w.tx.OpenRuns(w.run.Ref())
	if err != nil {
		return err
	}
	for _, other := range open {
		if other.ID < w.run.ID && other.State != model.RunHeld {
			return &model.Throttled{After: turnWait}
		}
	}
	now := w.tx.Now()
	w.run.State, w.run.StartedAt = model.RunRunning, &now
	if w.run.Phase != model.PhaseRead {
		if err := w.enter(w.run.Phase); err != nil {
			return err
		}
	}
	return w.svc.tellRun(w.ctx, w.tx, w.run, model.RunStarted)
}

// enter begins the phase plan or apply, from the first person on.
func (w *runWork) enter(phase model.RunPhase) error {
	if phase != w.run.Phase { // how far the one before came is stored with this one's beginning
		w.run.Phases[w.run.Phase] = w.run.Progress
	}
	w.run.Phase, w.run.Cursor, w.run.Progress.Done = phase, "", 0
	if phase == model.PhasePlan {
		w.run.Counts, w.run.Chain, w.run.Hash, w.run.ExpiresAt, w.run.Guard = map[model.Action]int{}, "", "", nil, nil
		version, err := w.tx.HoldSettings(w.run.OrganizationID)
		if err != nil {
			return err
		}
		if w.run.Settings == nil { // a preview of other settings can be saved in place of those that they were made from, and no others
			w.run.SettingsVersion = version
		}
	}
	if err := w.people.before(w.ctx, w.tx, phase); err != nil {
		return err
	}
	var err error
	if w.run.Partial && phase == model.PhaseApply {
		w.run.Progress.Total, err = w.tx.CountPlanned(w.run.OrganizationID, w.run.ID)
	} else {
		w.run.Progress.Total, err = w.people.total(w.tx)
	}
	if err != nil {
		return err
	}
	return w.tx.UpdateRun(w.run)
}

// page decides about some people; in the phase apply it also stores what was decided.
func (w *runWork) page(keys []string) error {
	if w.run.Phase == model.PhaseApply {
		return w.apply(keys)
	}
	list, err := w.plan(keys)
	if err != nil {
		return err
	}
	kept := list[:0]
	for i := range list {
		w.run.Counts[list[i].Action]++
		if list[i].Action != model.ActionNone {
			w.run.Chain = chained(w.run.Chain, &list[i])
			kept = append(kept, list[i])
		}
	}
	return w.tx.PutRunDecisions(kept)
}

// plan says what would be done to each of the people, and saves nothing of it.
func (w *runWork) plan(keys []string) ([]model.RunDecision, error) {
	switch people := w.people.(type) {
	case runSource:
		work, err := people.work(w.ctx, w.tx, keys, false)
		if err != nil {
			return nil, err
		}
		return w.planned(work)
	case undoing:
		return people.plan(w, keys)
	}
	return nil, fmt.Errorf("a run of kind %s has nobody to decide about", w.run.Kind)
}

func (w *runWork) planned(work *settlement) ([]model.RunDecision, error) {
	list := make([]model.RunDecision, 0, len(work.facts.Users))
	for i := range work.facts.Users {
		u := &work.facts.Users[i]
		p, err := work.person(u, work.gone[u.ID])
		if err != nil {
			return nil, err
		}
		d, err := work.decide(p)
		if err != nil {
			return nil, err
		}
		list = append(list, w.decision(u, p.Account, &d))
		if d.Action != model.ActionNone {
			work.rememberPlanned(u, &d)
		}
	}
	return list, nil
}

// decision is what the run's plan keeps of a decision; before is the account that the person had, nil for none.
func (w *runWork) decision(u *model.DirectoryUser, before *model.Account, d *Decision) model.RunDecision {
	row := model.RunDecision{
		RunID: w.run.ID, SubjectID: u.ID, OrganizationID: w.run.OrganizationID, Email: u.Email, Name: u.Name(), Action: d.Action,
		Changes: d.Changes, Reason: d.Reason, State: model.DecisionPlanned, Rank: d.Action.Rank(), UserVersion: u.Version,
		Digest: digestOf(d.Action, d.Changes),
	}
	if before != nil && before.Version > 0 {
		id := before.ID
		row.AccountID, row.AccountVersion = &id, before.Version
	}
	return row
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
	if w.run.Phase == model.PhaseApply {
		return true, w.endApply()
	}
	if err := w.completePlan(); err != nil {
		return false, err
	}
	if w.run.Kind == model.RunPreview {
		return true, w.svc.endRun(w.ctx, w.tx, w.run, model.RunSucceeded)
	}
	if w.run.Guard.Holds {
		return true, w.hold()
	}
	return false, w.enter(model.PhaseApply)
}
