package directory

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"usher/model"
	"usher/model/store"
)

// PlanChoice says how much of a held plan an operator means.
type PlanChoice struct {
	// Subjects are the people, by the ids of their decisions' subjects; none means everyone.
	Subjects []string
	// Except are people who are left as they are; Subjects and Except are not given together.
	Except []string
	// Hash, where given, is the plan that the operator has seen: another one is a Precondition.
	Hash string
	// LeaveMoved leaves people as they are who have changed since the plan was made, where otherwise nothing is applied at all.
	LeaveMoved bool
}

// maxChosen is how many people one call may name.
const maxChosen = 10_000

// maxRechecked is how many people of a plan are decided about again before it is applied, where settings have changed since. Of a
// larger plan those who would be changed otherwise are found out when it is their turn.
const maxRechecked = 5000

func (c PlanChoice) check() error {
	for _, list := range []struct {
		name string
		ids  []string
	}{{"subjects", c.Subjects}, {"except", c.Except}} {
		if len(list.ids) > maxChosen {
			return model.FieldErrorf(model.Invalid, list.name, "names at most %d people", maxChosen)
		}
		for i, id := range list.ids {
			if !store.ValidID(id) {
				return model.FieldErrorf(model.Invalid, list.name+entryName(i), "%q is not the id of a decision's subject", cut(id, maxShown))
			}
		}
	}
	if len(c.Subjects) > 0 && len(c.Except) > 0 {
		return model.FieldErrorf(model.Invalid, "except", "subjects and except cannot be given together")
	}
	return nil
}

// ApplyRun lets a held run go on to apply what it planned, to everyone or to those chosen; it ends when they are done, and the
// others are left as they are. Exactly what was planned is applied: where the world moved since, it is a Conflict that names the
// people, and nothing is applied, unless the choice leaves them out. A plan that has expired is Refused.
func (s *Service) ApplyRun(ctx context.Context, organizationID, id string, choice PlanChoice) (model.Run, error) {
	if err := choice.check(); err != nil {
		return model.Run{}, err
	}
	if !choice.LeaveMoved {
		if err := s.checkSettings(ctx, organizationID, id, choice); err != nil {
			return model.Run{}, err
		}
	}
	return s.editRun(ctx, organizationID, id, func(tx *store.Tx, run *model.Run) error {
		if err := s.applicable(run, choice); err != nil {
			return err
		}
		if err := choose(tx, run, choice); err != nil {
			return err
		}
		if err := settleMoved(tx, run, choice); err != nil {
			return err
		}
		run.State, run.Approved = model.RunRunning, true
		if err := s.runWork(ctx, tx, run).enter(model.PhaseApply); err != nil {
			return err
		}
		summary := fmt.Sprintf("the held %s was approved: %s", run.Kind, countsInWords(run.Counts))
		if run.Partial {
			summary = fmt.Sprintf("the held %s was approved for %d people", run.Kind, run.Progress.Total)
		}
		if err := s.logRun(ctx, tx, run, summary); err != nil {
			return err
		}
		return tx.Enqueue(workOf(run))
	})
}

// applicable says why a run's plan cannot be applied.
func (s *Service) applicable(run *model.Run, choice PlanChoice) error {
	switch {
	case run.State != model.RunHeld:
		return model.Errorf(model.Refused, "only a held run can be applied; this one is %s", run.State)
	case run.ExpiresAt == nil || !s.Now().Before(*run.ExpiresAt):
		return model.Errorf(model.Refused, "the plan has expired: start another run")
	}
	return choice.seen(run)
}

func (c PlanChoice) seen(run *model.Run) error {
	if c.Hash != "" && !strings.EqualFold(c.Hash, run.Hash) {
		return model.FieldErrorf(model.Precondition, "hash", "the plan's hash is %s: it is not the plan that was looked at", run.Hash)
	}
	return nil
}

// choose keeps of the plan what the operator means.
func choose(tx *store.Tx, run *model.Run, choice PlanChoice) error {
	if len(choice.Subjects)+len(choice.Except) == 0 {
		return nil
	}
	if err := planned(tx, run, append(slices.Clone(choice.Subjects), choice.Except...), choice.field()); err != nil {
		return err
	}
	if len(choice.Subjects) > 0 {
		run.Partial = true
		left, err := tx.ChooseDecisions(run.OrganizationID, run.ID, choice.Subjects, noteNotChosen)
		run.LeftAlone += left
		return err
	}
	left, err := tx.LeaveDecisions(run.OrganizationID, run.ID, choice.Except, noteNotChosen)
	run.LeftAlone += left
	return err
}

func (c PlanChoice) field() string {
	if len(c.Subjects) > 0 {
		return "subjects"
	}
	return "except"
}

// planned wants that the plan has a decision on each of the people that is still to be applied.
func planned(tx *store.Tx, run *model.Run, ids []string, field string) error {
	known, err := tx.RunDecisionsOf(run.OrganizationID, run.ID, ids)
	if err != nil {
		return err
	}
	open := map[string]bool{}
	for _, d := range known {
		open[d.SubjectID] = d.State == model.DecisionPlanned && d.Action != model.ActionSkip
	}
	for i, id := range ids {
		if !open[strings.ToLower(id)] {
			return model.FieldErrorf(model.Invalid, field+entryName(i), "the plan has nothing to apply to %s", id)
		}
	}
	return nil
}

// settleMoved looks for people whose rows have changed since the plan was made: they are left out, or nothing is applied.
func settleMoved(tx *store.Tx, run *model.Run, choice PlanChoice) error {
	for {
		limit := maxNamed + 1
		if choice.LeaveMoved {
			limit = runPage
		}
		moved, err := tx.MovedDecisions(run.OrganizationID, run.ID, limit)
		if err != nil || len(moved) == 0 {
			return err
		}
		if !choice.LeaveMoved {
			return movedConflict(moved)
		}
		ids := make([]string, len(moved))
		for i := range moved {
			ids[i] = moved[i].SubjectID
		}
		left, err := tx.LeaveDecisions(run.OrganizationID, run.ID, ids, noteMoved)
		if err != nil {
			return err
		}
		run.LeftAlone += left
	}
}

// movedConflict names the people.
func movedConflict(moved []model.RunDecision) error {
	var names []string
	for _, d := range moved[:min(len(moved), maxNamed)] {
		name := d.Email
		if name == "" {
			name = d.Name
		}
		names = append(names, name)
	}
	text := strings.Join(names, ", ")
	if len(moved) > maxNamed {
		text += " and others"
	}
	return model.Errorf(model.Conflict, "the world has moved since the plan was made, and nothing was applied; these people changed: %s. "+
		"Start another run, or leave them out", text)
}

// checkSettings decides about the people of a plan again where the settings have changed since it was made: it is a Conflict where
// the plan would do something else now.
func (s *Service) checkSettings(ctx context.Context, organizationID, id string, choice PlanChoice) error {
	run, err := s.Store.Read(ctx).Run(organizationID, id)
	if err != nil {
		return err
	}
	if err := s.applicable(&run, choice); err != nil {
		return err
	}
	settings, err := s.Store.CurrentSettings(ctx, organizationID)
	if err != nil || settings.Version == run.SettingsVersion || run.Kind == model.RunUndo {
		return err
	}
	var moved []model.RunDecision
	after := ""
	for seen := 0; seen < maxRechecked && len(moved) <= maxNamed; {
		list, err := s.Store.Read(ctx).PlannedAfter(organizationID, id, after, runPage)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			break
		}
		seen, after = seen+len(list), list[len(list)-1].SubjectID
		list = slices.DeleteFunc(list, func(d model.RunDecision) bool {
			return len(choice.Subjects) > 0 && !slices.Contains(choice.Subjects, d.SubjectID) || slices.Contains(choice.Except, d.SubjectID)
		})
		again, err := s.otherwise(ctx, &run, list)
		if err != nil {
			return err
		}
		moved = append(moved, again...)
	}
	if len(moved) > 0 {
		return movedConflict(moved)
	}
	return nil
}

// otherwise gives those of a plan's decisions that would be others now.
func (s *Service) otherwise(ctx context.Context, run *model.Run, list []model.RunDecision) ([]model.RunDecision, error) {
	if len(list) == 0 {
		return nil, nil
	}
	keys := make([]string, len(list))
	for i := range list {
		keys[i] = list[i].SubjectID
	}
	now := map[string]string{}
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		decisions, err := s.runWork(ctx, tx, run).plan(keys)
		for i := range decisions {
			now[decisions[i].SubjectID] = decisions[i].Digest
		}
		return err
	})
	return slices.DeleteFunc(list, func(d model.RunDecision) bool { return now[d.SubjectID] == d.Digest }), err
}

// DiscardRun ends a held run without applying anything, or takes the chosen people out of its plan; it ends when nobody is left.
func (s *Service) DiscardRun(ctx context.Context, organizationID, id string, choice PlanChoice) (model.Run, error) {
	if err := choice.check(); err != nil {
		return model.Run{}, err
	}
	if len(choice.Except) > 0 || choice.LeaveMoved {
		return model.Run{}, model.FieldErrorf(model.Invalid, "except", "a discard names subjects only")
	}
	return s.editRun(ctx, organizationID, id, func(tx *store.Tx, run *model.Run) error {
		if run.State != model.RunHeld {
			return model.Errorf(model.Refused, "only a held run can be discarded; this one is %s", run.State)
		}
		if err := choice.seen(run); err != nil {
			return err
		}
		if len(choice.Subjects) == 0 {
			return s.endRun(ctx, tx, run, model.RunCancelled)
		}
		if err := planned(tx, run, choice.Subjects, "subjects"); err != nil {
			return err
		}
		left, err := tx.LeaveDecisions(organizationID, id, choice.Subjects, noteDiscarded)
		if err != nil {
			return err
		}
		run.LeftAlone += left
		rest, err := tx.CountPlanned(organizationID, id)
		if err != nil {
			return err
		}
		if rest == 0 {
			return s.endRun(ctx, tx, run, model.RunCancelled)
		}
		if err := tx.UpdateRun(run); err != nil {
			return err
		}
		return s.logRun(ctx, tx, run, fmt.Sprintf("%d people were taken out of the held %s", left, run.Kind))
	})
}
