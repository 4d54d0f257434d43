package directory

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"usher/model"
	"usher/model/store"
)

// Why people are left as they are although the plan has a decision on them.
const (
	noteMoved     = "changed after the plan was made"
	noteUnplanned = "was not in the plan that was approved"
	noteNotChosen = "an operator applied the run to others"
	noteDiscarded = "an operator discarded the decision"
	noteNothing   = "nothing was left to do when the run was applied"
)

// worldMoved is given by a page of an approved run in which people would be changed otherwise than was approved. They are left
// as they are, and the page is worked again without them.
type worldMoved struct{ people []model.RunDecision }

// Error says how many.
func (m *worldMoved) Error() string {
	return fmt.Sprintf("%d people changed after the plan was made", len(m.people))
}

// apply does what the rules say of some people, as far as the guard lets it pass; of an approved run exactly what was approved.
func (w *runWork) apply(keys []string) error {
	var approved map[string]model.RunDecision
	if w.run.Approved {
		list, err := w.tx.RunDecisionsOf(w.run.OrganizationID, w.run.ID, keys)
		if err != nil {
			return err
		}
		approved = make(map[string]model.RunDecision, len(list))
		for _, d := range list {
			approved[d.SubjectID] = d
		}
		keys = slices.DeleteFunc(slices.Clone(keys), func(id string) bool { return approved[id].State == model.DecisionLeft })
	}
	if len(keys) == 0 {
		return nil
	}
	list, deactivated, err := w.settle(keys)
	if err != nil {
		return err
	}
	if w.run.Approved {
		if moved := unlike(list, approved); len(moved) > 0 {
			return &worldMoved{moved}
		}
	} else if w.run.Deactivated += deactivated; w.run.Guard != nil && w.run.Deactivated > w.run.Guard.Limit {
		return &beyond{w.run.Deactivated, w.run.Guard.Limit}
	}
	kept := list[:0]
	for i := range list {
		if list[i].Action != model.ActionNone {
			w.run.Applied[list[i].Action]++
			kept = append(kept, list[i])
		}
	}
	return w.tx.PutRunDecisions(kept)
}

// settle applies what is decided about some people, and gives the decisions with what stood before, and how many accounts were
// deactivated.
func (w *runWork) settle(keys []string) (list []model.RunDecision, deactivated int, err error) {
	switch people := w.people.(type) {
	case runSource:
		work, err := people.work(w.ctx, w.tx, keys, true)
		if err != nil {
			return nil, 0, err
		}
		work.was = map[string]model.Account{}
		list, err = w.settled(work)
		return list, work.deactivated, err
	case undoing:
		return people.apply(w, keys)
	}
	return nil, 0, fmt.Errorf("a run of kind %s has nobody to decide about", w.run.Kind)
}

func (w *runWork) settled(work *settlement) ([]model.RunDecision, error) {
	list := make([]model.RunDecision, 0, len(work.facts.Users))
	for i := range work.facts.Users {
		before := &work.facts.Users[i]
		u := *before
		d, err := work.settle(&u, work.gone[u.ID])
		if err != nil {
			return nil, err
		}
		var account *model.Account
		if was, ok := work.was[u.ID]; ok {
			account = &was
		}
		row := w.decision(before, account, &d)
		row.State = model.DecisionApplied
		if err := work.keepRow(before, &u, &d); err != nil {
			return nil, err
		}
		if d.Account != nil && d.Action != model.ActionNone && d.Action != model.ActionSkip {
			id := d.Account.ID
			row.Was, row.AccountID, row.AppliedVersion = stateOf(before, account), &id, d.Account.Version
			if err := work.logDecision(&u, &d, w.because()); err != nil {
				return nil, err
			}
		}
		list = append(list, row)
	}
	return list, nil
}

// because says in the log why people were looked at.
func (w *runWork) because() string {
	if w.run.Kind == model.RunImport {
		return "imported"
	}
	return "re-evaluated because " + w.run.Reason
}

// unlike gives the decisions that do something else than was approved, or to rows that are not those any more that the plan was
// made from. They carry the reason.
func unlike(list []model.RunDecision, approved map[string]model.RunDecision) []model.RunDecision {
	var moved []model.RunDecision
	for _, d := range list {
		plan, planned := approved[d.SubjectID]
		switch {
		case !planned && (d.Action == model.ActionNone || d.Action == model.ActionSkip):
			continue // neither changes an account
		case !planned:
			d.Note = noteUnplanned
		case samePerson(&plan, &d) && plan.Digest == d.Digest:
			continue
		default:
			d = plan
			d.Note = noteMoved
		}
		d.State, d.Was, d.AppliedVersion = model.DecisionLeft, nil, 0
		moved = append(moved, d)
	}
	return moved
}

// samePerson says whether two decisions were made from the same rows.
func samePerson(plan, now *model.RunDecision) bool {
	if plan.UserVersion != now.UserVersion || plan.AccountVersion != now.AccountVersion {
		return false
	}
	return plan.AccountID == nil || now.AccountID != nil && *plan.AccountID == *now.AccountID
}

// leave notes whom a page of an approved run leaves as they are.
func (w *runWork) leave(m *worldMoved) error {
	if w.run.State != model.RunRunning || w.run.Phase != model.PhaseApply {
		return nil
	}
	ids := make([]string, len(m.people))
	for i := range m.people {
		ids[i] = m.people[i].SubjectID
	}
	known, err := w.tx.RunDecisionsOf(w.run.OrganizationID, w.run.ID, ids)
	if err != nil {
		return err
	}
	for _, d := range known {
		if d.State == model.DecisionLeft { // by another worker, just now
			m.people = slices.DeleteFunc(m.people, func(p model.RunDecision) bool { return p.SubjectID == d.SubjectID })
		}
	}
	w.run.LeftAlone += len(m.people)
	if err := w.tx.PutRunDecisions(m.people); err != nil {
		return err
	}
	return w.tx.UpdateRun(w.run)
}

// afterRollback does what follows from a page that was rolled back because the world moved; any other error is given back.
func (s *Service) afterRollback(ctx context.Context, job WorkRun, cause error) error {
	moved, isMoved := errors.AsType[*worldMoved](cause)
	gone, isBeyond := errors.AsType[*beyond](cause)
	if !isMoved && !isBeyond {
		return cause
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		run, err := tx.LockRun(job.OrganizationID, job.RunID)
		if err != nil {
			return err
		}
		w := s.runWork(ctx, tx, &run)
		if isMoved {
			return w.leave(moved)
		}
		return w.replan(gone)
	})
}

// endApply ends a run that has applied everything.
func (w *runWork) endApply() error {
	idle, err := w.tx.LeaveRest(w.run.OrganizationID, w.run.ID, noteNothing)
	if err != nil {
		return err
	}
	w.run.LeftAlone += idle
	moved, err := w.tx.CountLeft(w.run.OrganizationID, w.run.ID, []string{noteMoved, noteUnplanned})
	if err != nil {
		return err
	}
	if moved > 0 {
		w.run.Error = fmt.Sprintf("%d people changed after the plan was made and were left as they are; their decisions say so", moved)
	}
	return w.svc.endRun(w.ctx, w.tx, w.run, model.RunSucceeded)
}

// stateOf gives what a run may change of a person, as it is; a is the person's account, nil for none.
func stateOf(u *model.DirectoryUser, a *model.Account) *model.AccountState {
	if a == nil {
		return &model.AccountState{Explanation: u.Explanation}
	}
	return &model.AccountState{
		Existed: true, Linked: u.AccountID != nil, Explanation: u.Explanation, Email: a.Email, UserName: a.UserName, DisplayName: a.DisplayName,
		GivenName: a.GivenName, FamilyName: a.FamilyName, Status: a.Status, StatusCause: a.StatusCause, Department: a.Department,
		JobTitle: a.JobTitle, Language: a.Language, TimeZone: a.TimeZone, Currency: a.Currency, Roles: slices.Clone(a.Roles),
		Permissions: slices.Clone(a.Permissions), CustomFields: maps.Clone(a.CustomFields), EmployeeID: a.EmployeeID,
	}
}
