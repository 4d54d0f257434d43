package directory

import (
	"errors"
	"slices"
	"time"

	"usher/model"
	"usher/model/entra"
	"usher/model/outlook"
)

// step does one step: it notes that it is being tried, tries, and stores what came of it. It gives an error where the operation
// goes on later, or not at all.
func (x *operating) step(s *model.OperationStep) error {
	if x.held(s) {
		return x.settled(s, model.StepSkipped, "", "not done, because an earlier step failed")
	}
	x.before = s.Sent
	if err := x.save(s, func() {
		now := x.Store.Now()
		if s.StartedAt == nil {
			s.StartedAt = &now
		}
		s.Sent = true
		s.Attempts++
	}); err != nil {
		return err
	}
	state, outcome, err := x.do(s)
	switch {
	case err == nil:
		return x.settled(s, state, "", outcome)
	case x.ctx.Err() != nil:
		return err // it counts as sent: it may have been carried out
	}
	return x.notDone(s, err)
}

// held says whether a step must wait for those before it, and one of them failed: what cannot be taken back is done last, and only
// where all else was.
func (x *operating) held(s *model.OperationStep) bool {
	last := s.Action == model.StepReadLicences || s.Action == model.StepRemoveLicence || s.Action == model.StepDelete
	if !last || x.o.Kind != model.OperationOffboardUser {
		return false
	}
	for i := range x.o.Steps {
		if x.o.Steps[i].State == model.StepFailed {
			return true
		}
	}
	return false
}

// do carries a step out. Each is done only where it is not done already, so that it may be tried any number of times.
func (x *operating) do(s *model.OperationStep) (model.StepState, string, error) {
	switch s.Action {
	case model.StepCheck:
		return x.check()
	case model.StepCreate:
		return x.create(s)
	case model.StepUpdate:
		return x.update()
	case model.StepEnable:
		return x.enable(true)
	case model.StepDisable:
		return x.enable(false)
	case model.StepRevokeSessions:
		return done("Entra ended the user's sign-ins; tokens that are out already live for up to an hour", x.write.RevokeSessions(x.ctx, x.o.UserID))
	case model.StepReadGroups:
		return x.readGroups(s)
	case model.StepAddMember:
		return x.addMember(s)
	case model.StepRemoveMember:
		return x.removeMember(s)
	case model.StepReadLicences:
		return x.readLicences(s)
	case model.StepAddLicence:
		return x.addLicence(s)
	case model.StepRemoveLicence:
		return x.removeLicence(s)
	case model.StepDelete:
		return x.delete()
	case model.StepRestore:
		return x.restore()
	case model.StepDeactivateAccount: // is done before anything else
	}
	return model.StepSkipped, "nothing to do", nil
}

func done(outcome string, err error) (model.StepState, string, error) {
	return model.StepDone, outcome, err
}

func already(outcome string) (model.StepState, string, error) {
	return model.StepSkipped, outcome, nil
}

// settled stores how a step ended.
func (x *operating) settled(s *model.OperationStep, state model.StepState, code, outcome string) error {
	added := x.added
	x.added = nil
	err := x.save(s, func() {
		now := x.Store.Now()
		s.State, s.Code, s.Outcome, s.FinishedAt, s.Sent = state, code, x.clean(outcome), &now, false
		if s.Action == model.StepCreate {
			wipe(x.o)
		}
		x.o.Failures = 0
		if state == model.StepDone {
			x.user = nil // it is not as it was read
		}
	}, added...)
	if at := slices.IndexFunc(x.o.Steps, func(o model.OperationStep) bool { return o.Position == s.Position }); len(added) > 0 {
		x.o.Steps = slices.Insert(x.o.Steps, at+1, added...)
	}
	return err
}

// notDone stores that a step was not done. It gives *model.Throttled where it is tried again, and goes on to the next step where
// the others do not depend on it.
func (x *operating) notDone(s *model.OperationStep, err error) error {
	if e, ok := errors.AsType[*outlook.Error](err); ok {
		s.RequestID = e.RequestID
	}
	wait, again := waits(err, x.o.Failures)
	if _, fresh := errors.AsType[*notYet](err); fresh {
		wait, again = waitFor(err, x.o.Failures), true
	}
	if again && x.Now().Sub(*x.o.StartedAt) <= operationLife {
		return x.postpone(s, err, wait)
	}
	final := explained(s.Action, err, x.permissions(err))
	if again {
		final = refuse(codeUnreachable, "Entra did not do it within a day; the last answer: %v", err)
	}
	r, ok := errors.AsType[*refusal](final)
	if !ok {
		return err
	}
	r.Detail = x.clean(r.Detail) // while the password is known that must not stand in it
	if err := x.settled(s, model.StepFailed, r.Code, r.Detail); err != nil {
		return err
	}
	if s.Action == model.StepCheck || s.Action == model.StepCreate {
		return x.failed(r)
	}
	return nil
}

// permissions gives the permissions of the token where a failure may come from one that is missing.
func (x *operating) permissions(err error) []string {
	if outlook.KindOf(err) != outlook.Forbidden {
		return nil
	}
	list, failed := x.read.Permissions(x.ctx)
	if failed != nil {
		return nil
	}
	return append([]string{}, list...)
}

// postpone notes that a step is to be tried again.
func (x *operating) postpone(s *model.OperationStep, err error, wait time.Duration) error {
	x.Observe(EventOperationWaited, 1)
	x.Log.WarnContext(x.ctx, "a step of an operation waits", "operation", x.o.ID, "step", s.Action, "err", x.clean(err.Error()))
	saved := x.save(s, func() {
		x.o.Failures++
		x.o.NextAt = x.Now().Add(wait)
		s.Outcome = x.clean("tried again later: " + err.Error())
		if kind := outlook.KindOf(err); kind == outlook.Throttled || kind == outlook.BadCredentials {
			s.Sent = x.before // it was not carried out
		}
	})
	if saved != nil {
		return saved
	}
	return &model.Throttled{After: wait}
}

// notYet is an answer that Entra gives about a user who was made a moment ago and is not known everywhere yet.
type notYet struct{ err error }

// Error gives the answer.
func (n *notYet) Error() string { return n.err.Error() }

// Unwrap gives the answer.
func (n *notYet) Unwrap() error { return n.err }

// fresh takes a 404 about a user whom this operation made or restored for one that goes away.
func (x *operating) fresh(err error) error {
	kind := outlook.KindOf(err)
	made := x.o.Kind == model.OperationCreateUser || x.o.Kind == model.OperationRestoreUser
	if (kind == outlook.NoUser || kind == outlook.NotFound) && made && x.o.Failures < freshTries {
		return &notYet{err}
	}
	return err
}

// freshTries is how often a new user is waited for, with longer and longer times between.
const freshTries = 7

// theUser reads the user, once until something of it is changed.
func (x *operating) theUser() (*entra.User, error) {
	if x.user != nil {
		return x.user, nil
	}
	ref := x.o.UserID
	if ref == "" {
		ref = x.o.UserName
	}
	u, err := x.read.TenantUser(x.ctx, ref, nil)
	if err != nil {
		return nil, x.fresh(err)
	}
	x.user = &u
	x.o.UserID, x.o.UserName, x.o.Subject = u.ID, u.UserPrincipalName, "id:"+u.ID
	return x.user, nil
}

func (x *operating) update() (model.StepState, string, error) {
	u, err := x.theUser()
	if err != nil {
		return "", "", err
	}
	change := remaining(&x.o.Request, u)
	if x.o.Kind == model.OperationCreateUser { // all else was set when the user was made
		change = entra.UserChange{ManagerID: change.ManagerID}
	}
	names := changedNames(&change)
	if len(names) == 0 {
		return already("the user is so already")
	}
	x.o.Result["changed"] = names
	return done("Entra has the change", x.fresh(x.write.UpdateUser(x.ctx, x.o.UserID, change)))
}

func (x *operating) enable(on bool) (model.StepState, string, error) {
	u, err := x.theUser()
	if err != nil {
		return "", "", err
	}
	word := "disabled"
	if on {
		word = "enabled"
	}
	if u.AccountEnabled == on {
		return already("the user is " + word + " already")
	}
	return done("Entra "+word+" the user", x.write.UpdateUser(x.ctx, x.o.UserID, entra.UserChange{Enabled: &on}))
}

func (x *operating) delete() (model.StepState, string, error) {
	if x.o.UserID == "" { // Entra knew nobody of the name
		return already("Entra does not have the user")
	}
	err := x.write.DeleteUser(x.ctx, x.o.UserID)
	if kind := outlook.KindOf(err); err != nil && (kind == outlook.NoUser || kind == outlook.NotFound) {
		return done("the user is deleted", nil) // it was there when it was checked
	}
	return done("Entra deleted the user, who can be restored for 30 days", err)
}

func (x *operating) restore() (model.StepState, string, error) {
	u, err := x.read.TenantUser(x.ctx, x.o.UserID, nil)
	if err == nil {
		return already("the user is not deleted: " + u.UserPrincipalName)
	}
	if kind := outlook.KindOf(err); kind != outlook.NoUser && kind != outlook.NotFound {
		return "", "", err
	}
	u, err = x.write.RestoreUser(x.ctx, x.o.UserID)
	if kind := outlook.KindOf(err); err != nil && (kind == outlook.Duplicate || kind == outlook.Conflict) {
		return "", "", refuse(codeNameInUse, "another user has taken the user principal name, or an address, meanwhile: rename or delete that one first, then restore again")
	}
	if err == nil && u.UserPrincipalName != "" {
		x.o.UserName, x.o.Result["user_principal_name"] = u.UserPrincipalName, u.UserPrincipalName
	}
	return done("Entra restored the user", err)
}

func (x *operating) addMember(s *model.OperationStep) (model.StepState, string, error) {
	err := x.write.AddMember(x.ctx, s.Target, x.o.UserID)
	if kind := outlook.KindOf(err); err != nil && (kind == outlook.Duplicate || kind == outlook.Conflict) {
		return already("the user is a member already")
	}
	return done("Entra put the user into the group", x.fresh(err))
}

func (x *operating) removeMember(s *model.OperationStep) (model.StepState, string, error) {
	err := x.write.RemoveMember(x.ctx, s.Target, x.o.UserID)
	if kind := outlook.KindOf(err); err != nil && (kind == outlook.NotFound || kind == outlook.NoUser) {
		return already("the user is no member")
	}
	return done("Entra took the user out of the group", err)
}
