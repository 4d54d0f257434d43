package directory

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"usher/model"
	"usher/model/store"
)

// UndoRun asks for a run that takes back what a finished run applied, of every account that nobody has changed since. Its plan says
// of everyone else why not. The rules are not asked: the next sync decides by them again.
func (s *Service) UndoRun(ctx context.Context, organizationID, id string) (model.Run, error) {
	var out model.Run
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		run, err := tx.LockRun(organizationID, id)
		if err != nil {
			return err
		}
		if !run.State.Finished() {
			return model.Errorf(model.Refused, "only a run that has ended can be undone; this one is %s", run.State)
		}
		n, err := tx.CountUndoable(organizationID, id)
		if err != nil {
			return err
		}
		if n == 0 {
			return model.Errorf(model.Refused, "the run changed nobody, or it is too long ago: there is nothing to undo")
		}
		if other, ok, err := tx.UndoOf(organizationID, id); err != nil || ok {
			if err == nil {
				err = model.Errorf(model.Refused, "run %s undoes it already", other.ID)
			}
			return err
		}
		out, err = s.queueRun(ctx, tx, model.Run{
			OrganizationID: organizationID, IntegrationID: run.IntegrationID, Kind: model.RunUndo, UndoOf: &id,
			Reason: fmt.Sprintf("%s %s is to be undone, asked for by %s", run.Kind, run.ID, ActorOf(ctx)),
		})
		return err
	})
	return out, err
}

// undoing is the people whom another run changed.
type undoing struct {
	svc *Service
	run *model.Run
}

func (u undoing) total(tx *store.Tx) (int, error) {
	return tx.CountUndoable(u.run.OrganizationID, *u.run.UndoOf)
}

func (u undoing) after(tx *store.Tx, cursor string, limit int) ([]string, error) {
	list, err := tx.UndoableAfter(u.run.OrganizationID, *u.run.UndoOf, cursor, limit)
	keys := make([]string, len(list))
	for i := range list {
		keys[i] = list[i].SubjectID
	}
	return keys, err
}

func (undoing) before(context.Context, *store.Tx, model.RunPhase) error { return nil }

func (undoing) done(context.Context, *store.Tx) error { return nil }

func (undoing) discarded(context.Context, *store.Tx) error { return nil }

func (u undoing) plan(w *runWork, keys []string) ([]model.RunDecision, error) {
	list, _, err := u.each(w, keys, func(*undo) error { return nil })
	return list, err
}

func (u undoing) apply(w *runWork, keys []string) (list []model.RunDecision, deactivated int, err error) {
	return u.each(w, keys, (*undo).store)
}

// each decides about some people and calls do with those who change.
func (u undoing) each(w *runWork, keys []string, do func(*undo) error) (list []model.RunDecision, deactivated int, err error) {
	edit, err := u.svc.accountEdit(w.ctx, w.tx, u.run.OrganizationID, nil)
	if err != nil {
		return nil, 0, err
	}
	// In the order that single edits lock in: whoever may lose an administrator role is locked first.
	if _, err := w.tx.CountRoleHolders(u.run.OrganizationID, edit.rules.administratorRoles(), ""); err != nil {
		return nil, 0, err
	}
	facts, err := w.tx.LockFacts(u.run.Ref(), keys)
	if err != nil {
		return nil, 0, err
	}
	users := map[string]*model.DirectoryUser{}
	for i := range facts.Users {
		users[facts.Users[i].ID] = &facts.Users[i]
	}
	applied, err := w.tx.RunDecisionsOf(u.run.OrganizationID, *u.run.UndoOf, keys)
	if err != nil {
		return nil, 0, err
	}
	slices.SortFunc(applied, func(a, b model.RunDecision) int { return strings.Compare(a.SubjectID, b.SubjectID) })
	for i := range applied {
		one := &undo{w: w, edit: edit, applied: &applied[i], user: users[applied[i].SubjectID]}
		if err := one.decide(); err != nil {
			return nil, 0, err
		}
		row := one.row()
		if one.changes() {
			if err := do(one); err != nil {
				return nil, 0, err
			}
			row.AppliedVersion = one.after.Version
			if one.decision.Action == model.ActionDeactivate {
				deactivated++
			}
		}
		list = append(list, row)
	}
	return list, deactivated, nil
}

// undo is what becomes of one person.
type undo struct {
	w             *runWork
	edit          *accountEdit
	applied       *model.RunDecision
	user          *model.DirectoryUser // nil where it is gone
	before, after model.Account
	unlink        bool
	decision      Decision
}

func (o *undo) changes() bool {
	return o.decision.Action != model.ActionSkip && o.decision.Action != model.ActionNone
}

func (o *undo) skip(format string, args ...any) error {
	o.decision = Decision{Action: model.ActionSkip, Reason: "not undone: " + fmt.Sprintf(format, args...)}
	return nil
}

// decide compares the account with what the run left behind, and works out what it was.
func (o *undo) decide() error {
	if o.applied.AccountID == nil || o.applied.Was == nil {
		return o.skip("nothing is known of how it was")
	}
	a, err := o.w.tx.LockAccount(o.w.run.OrganizationID, *o.applied.AccountID)
	if err != nil && model.KindOf(err) == model.NotFound {
		return o.skip("the account is not there any more")
	}
	if err != nil {
		return err
	}
	o.before, o.after = a, copyAccount(a)
	if a.Version != o.applied.AppliedVersion {
		return o.skip("the account has changed since")
	}
	was := o.applied.Was
	if !was.Existed {
		return o.decideCreated()
	}
	o.unlink = !was.Linked && o.user != nil && o.user.AccountID != nil && *o.user.AccountID == a.ID
	note := o.restore(was)
	if taken, err := o.taken(); err != nil || taken != "" {
		if err == nil {
			err = o.skip("account %s has e-mail %s by now", taken, o.after.Email)
		}
		return err
	}
	if o.edit.isAdministrator(o.before.Roles) && !o.edit.isAdministrator(o.after.Roles) {
		if err := o.edit.keepAdministrator(&o.before); err != nil {
			if model.KindOf(err) == model.Refused {
				return o.skip("%s", err.Error())
			}
			return err
		}
	}
	o.conclude("as it was before the run" + note)
	return nil
}

// decideCreated puts away an account that the run made: it is not deleted, because others may know it by now, and no sync brings
// it back.
func (o *undo) decideCreated() error {
	if o.before.Status != model.AccountActive {
		return o.skip("the run made the account, and it is %s already", o.before.Status)
	}
	o.after.Status, o.after.StatusCause = model.AccountDeactivated, model.CauseOperator
	o.conclude("the run made the account; it is deactivated and not deleted, because others may know it by now")
	return nil
}

// restore makes the account what it was; the note says what could not come back.
func (o *undo) restore(was *model.AccountState) (note string) {
	a := &o.after
	a.Email, a.UserName, a.DisplayName, a.GivenName, a.FamilyName = was.Email, was.UserName, was.DisplayName, was.GivenName, was.FamilyName
	a.Department, a.JobTitle, a.Language, a.TimeZone, a.Currency = was.Department, was.JobTitle, was.Language, was.TimeZone, was.Currency
	a.Status, a.StatusCause = was.Status, was.StatusCause
	a.CustomFields, a.Permissions = maps.Clone(was.CustomFields), slices.Clone(was.Permissions)
	if was.EmployeeID == nil {
		a.EmployeeID = nil
	}
	a.Roles = []string{}
	for _, role := range was.Roles {
		if _, ok := o.edit.rules.settings.Roles[role]; ok {
			a.Roles = append(a.Roles, role)
		} else {
			note += "; role " + role + " does not exist any more"
		}
	}
	for key := range a.CustomFields {
		if _, ok := o.edit.rules.settings.CustomFields[key]; !ok {
			delete(a.CustomFields, key)
		}
	}
	a.EmailKey, a.UserNameKey = model.Fold(a.Email), model.Fold(a.UserName)
	return note
}

// taken names another account that has got the e-mail.
func (o *undo) taken() (string, error) {
	if o.after.EmailKey == o.before.EmailKey || o.after.EmailKey == "" {
		return "", nil
	}
	facts, err := o.w.tx.NewFacts(o.w.run.OrganizationID, []string{o.after.EmailKey})
	if err != nil {
		return "", err
	}
	for i := range facts.Candidates {
		if other := &facts.Candidates[i]; other.EmailKey == o.after.EmailKey && other.ID != o.before.ID {
			return other.Name(), nil
		}
	}
	return "", nil
}

func (o *undo) conclude(reason string) {
	d := &o.decision
	d.Account, d.Reason, d.Changes = &o.after, reason, differences(&o.before, &o.after, reason)
	if o.unlink {
		d.Changes = append(d.Changes, model.FieldChange{Field: "link", Before: o.user.ID, After: nil, Reason: reason})
	}
	switch {
	case o.before.Status != o.after.Status && o.after.Status == model.AccountDeactivated:
		d.Action = model.ActionDeactivate
	case o.before.Status != o.after.Status:
		d.Action = model.ActionReactivate
	case len(d.Changes) > 0:
		d.Action = model.ActionUpdate
	default:
		d.Action, d.Reason = model.ActionNone, "nothing to undo"
	}
}

// row is what the plan of the undo keeps; the subject is that of the run that is undone.
func (o *undo) row() model.RunDecision {
	user := model.DirectoryUser{ID: o.applied.SubjectID}
	if o.user != nil {
		user = *o.user
	}
	var before *model.Account
	if o.before.ID != "" {
		before = &o.before
	}
	row := o.w.decision(&user, before, &o.decision)
	row.Email, row.Name = o.applied.Email, o.applied.Name
	if o.w.run.Phase == model.PhaseApply {
		row.State = model.DecisionApplied
		if o.changes() {
			row.Was = stateOf(&user, before)
			row.Was.Linked = row.Was.Linked && user.AccountID != nil && *user.AccountID == o.before.ID
		}
	}
	return row
}

// store writes the account, and the link and the explanation of its directory user.
func (o *undo) store() error {
	tx, run := o.w.tx, o.w.run
	if o.unlink {
		o.after.Links = slices.DeleteFunc(slices.Clone(o.after.Links), func(l model.Link) bool { return l.DirectoryUserID == o.user.ID })
	}
	if err := tx.UpdateAccount(&o.after); err != nil {
		return err
	}
	if err := o.w.svc.tellAccountChanges(o.w.ctx, tx, &run.IntegrationID, &o.after, o.decision.Changes); err != nil {
		return err
	}
	if o.user != nil && o.applied.Was.Existed {
		u := *o.user
		u.Explanation = o.applied.Was.Explanation
		if o.unlink {
			u.AccountID = nil
		}
		if err := tx.SettleDirectoryUser(&u); err != nil {
			return err
		}
	}
	return tx.Log(model.Activity{
		OrganizationID: run.OrganizationID, IntegrationID: &run.IntegrationID, Actor: ActorOf(o.w.ctx),
		Action: "account." + pastTense(o.decision.Action), SubjectType: "account", SubjectID: o.after.ID, Subject: o.after.Name(),
		Summary: "run " + *run.UndoOf + " was undone: " + o.decision.Reason,
	}, map[string]any{"directory_user_id": o.applied.SubjectID, "changes": o.decision.Changes})
}
