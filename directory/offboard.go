package directory

import (
	"context"
	"strconv"
	"time"

	"usher/model"
	"usher/model/entra"
	"usher/model/store"
)

// Offboarding is what is to happen to a person who leaves. The sign-in is taken away in any case.
type Offboarding struct {
	model.OffboardPlan
	At *time.Time // when it is to begin; at once without
}

// offboardAhead is how far ahead an off-boarding can be asked for.
const offboardAhead = 400 * 24 * time.Hour

// OffboardEntraUser asks that a person leave: the account in Usher is deactivated, at once or when the time has come, before Entra is
// asked for anything. Then the user in Entra is disabled, and sessions, groups and licences are taken away as the plan says; what
// cannot be taken back comes last, and only where all else was done.
func (s *Service) OffboardEntraUser(ctx context.Context, ref model.Ref, user string, in Offboarding) (model.Operation, error) {
	o, err := s.offboarding(ctx, ref, user, in)
	if err != nil {
		return model.Operation{}, err
	}
	if o.AccountID == nil && o.At == nil {
		if err := s.leaver(ctx, o); err != nil {
			return model.Operation{}, err
		}
	}
	return s.ask(ctx, o, func(tx *store.Tx) error {
		if o.At != nil {
			return nil
		}
		return s.leaveUsher(ctx, tx, o)
	})
}

// offboarding gives the operation as it is asked for.
func (s *Service) offboarding(ctx context.Context, ref model.Ref, user string, in Offboarding) (*model.Operation, error) {
	who, err := s.whoIs(ctx, ref, user)
	if err != nil {
		return nil, err
	}
	o := newOperation(ref, model.OperationOffboardUser, "id:"+who.id, "offboard")
	o.UserID, o.UserName, o.AccountID, o.Request.Offboard = who.id, who.name, who.account, &in.OffboardPlan
	if in.At != nil && in.At.After(s.Now()) {
		if in.At.Sub(s.Now()) > offboardAhead {
			return nil, model.FieldErrorf(model.Invalid, "at", "is more than 400 days ahead")
		}
		at := in.At.UTC()
		o.At, o.NextAt, o.State, o.Claim = &at, at, model.OperationScheduled, "offboard later"
	} else if in.At != nil && s.Now().Sub(*in.At) > time.Hour {
		return nil, model.FieldErrorf(model.Invalid, "at", "has passed; leave it out to begin at once")
	}
	plan(o, model.StepDeactivateAccount, "")
	plan(o, model.StepCheck, "")
	plan(o, model.StepDisable, "")
	for _, part := range []struct {
		on     bool
		action model.StepAction
	}{
		{in.RevokeSessions, model.StepRevokeSessions},
		{in.RemoveGroups, model.StepReadGroups},
		{in.RemoveLicences, model.StepReadLicences},
		{in.Delete, model.StepDelete},
	} {
		if part.on {
			plan(o, part.action, "")
		}
	}
	return o, nil
}

// leaveUsher deactivates the account of an off-boarding, where that has not been done.
func (s *Service) leaveUsher(ctx context.Context, tx *store.Tx, o *model.Operation) error {
	step := &o.Steps[0]
	if step.Action != model.StepDeactivateAccount || step.State == model.StepDone {
		return nil
	}
	if o.AccountID == nil {
		var err error
		if o.AccountID, err = accountOf(&tx.Reader, o.Ref(), &entra.User{ID: o.UserID, UserPrincipalName: o.UserName}); err != nil {
			return err
		}
	}
	now := tx.Now()
	step.State, step.StartedAt, step.FinishedAt, step.Attempts = model.StepSkipped, &now, &now, 1
	step.Outcome = "no account is linked to the user"
	if o.AccountID != nil {
		if err := s.deactivateLeaver(ctx, tx, o, step); err != nil {
			return err
		}
	}
	tx.PutStep(o, step)
	return nil
}

func (s *Service) deactivateLeaver(ctx context.Context, tx *store.Tx, o *model.Operation, step *model.OperationStep) error {
	e, err := s.accountEdit(ctx, tx, o.OrganizationID, nil)
	if err != nil {
		return err
	}
	before, err := tx.LockAccount(o.OrganizationID, *o.AccountID)
	if model.KindOf(err) == model.NotFound && err != nil {
		return nil
	}
	if err != nil {
		return err
	}
	a := copyAccount(before)
	step.State, step.Target, step.Name = model.StepDone, a.ID, a.Name()
	switch a.Status {
	case model.AccountActive:
		step.Outcome = "the account was deactivated; no sync brings it back"
	case model.AccountDeactivated:
		step.Outcome = "the account was deactivated already; no sync brings it back"
	case model.AccountArchived:
		step.Outcome = "the account is archived"
		return nil
	}
	a.Status, a.StatusCause = model.AccountDeactivated, model.CauseOperator
	return e.store(&before, &a, "off-boarded in Entra: the account was deactivated")
}

// askWithin is how long Entra may take to say who a person is whom the mirror does not know by object id.
const askWithin = 5 * time.Second

// leaver looks for the account of a person whom the mirror does not know by object id: under the names that Entra has. Where Entra
// does not answer, the worker asks again.
func (s *Service) leaver(ctx context.Context, o *model.Operation) error {
	tenant, err := s.reader(ctx, o.Ref())
	if err != nil {
		return nil //nolint:nilerr // the operation says so
	}
	within, stop := context.WithTimeout(ctx, askWithin)
	defer stop()
	u, err := tenant.TenantUser(within, o.UserID, nil)
	if err != nil {
		return nil //nolint:nilerr // the worker asks again
	}
	o.UserName = u.UserPrincipalName
	o.AccountID, err = accountOf(s.Store.Read(ctx), o.Ref(), &u)
	return err
}

// accountOf finds the account of a user of Entra by what it is linked to, else by its e-mail.
func accountOf(r *store.Reader, ref model.Ref, u *entra.User) (*string, error) {
	for _, name := range []string{u.ID, u.UserPrincipalName} {
		who, err := mirrored(r, ref, name)
		if err != nil || who.account != nil {
			return who.account, err
		}
	}
	for _, email := range []string{u.Mail, u.UserPrincipalName} {
		if email == "" {
			continue
		}
		list, err := r.AccountsAfter(ref.OrganizationID, store.AccountFilter{Email: email}, "", 1)
		if err != nil {
			return nil, err
		}
		if len(list) == 1 {
			return &list[0].ID, nil
		}
	}
	return nil, nil
}

// leftLate deactivates the account of somebody whom only Entra could name.
func (x *operating) leftLate(u *entra.User) error {
	if x.o.Steps[0].State == model.StepDone {
		return nil
	}
	account, first := x.o.AccountID, x.o.Steps[0]
	x.o.UserName = u.UserPrincipalName
	return x.Store.InTx(x.ctx, func(tx *store.Tx) error {
		x.o.AccountID, x.o.Steps[0] = account, first // the transaction may run more than once
		if x.o.AccountID == nil {
			var err error
			if x.o.AccountID, err = accountOf(&tx.Reader, x.o.Ref(), u); err != nil {
				return err
			}
		}
		if err := x.leaveUsher(x.ctx, tx, x.o); err != nil {
			return err
		}
		return tx.UpdateOperation(x.o, x.lease)
	})
}

// overtake ends what else was to be done to somebody who leaves: none of it may give back what is being taken.
func (x *operating) overtake(tx *store.Tx) error {
	list, err := tx.OpenOperations(x.o.Ref(), x.o.Subject)
	if err != nil {
		return err
	}
	for i := range list {
		other := &list[i]
		if other.ID == x.o.ID {
			continue
		}
		failure := &model.OperationError{Code: codeOvertaken, Detail: "the person is being off-boarded by operation " + x.o.ID}
		if err := x.endOperation(x.ctx, tx, other, other.Lease, model.OperationCancelled, failure); err != nil {
			return err
		}
	}
	return nil
}

// readGroups adds a step for every group that the user is a member of. One that cannot be left over Graph is noted with the reason.
func (x *operating) readGroups(s *model.OperationStep) (model.StepState, string, error) {
	groups, err := x.read.GroupsOf(x.ctx, x.o.UserID)
	if err != nil {
		return "", "", err
	}
	steps, left := leavingGroups(groups)
	x.add(s, steps)
	outcome := "the user is a member of " + counted(len(groups), "group")
	if left > 0 {
		outcome += ", " + strconv.Itoa(left) + " of which cannot be left over Microsoft Graph"
	}
	return done(outcome, nil)
}

// leavingGroups gives a step per group, and says how many cannot be left.
func leavingGroups(groups []entra.Group) (steps []model.OperationStep, left int) {
	for i := range groups {
		g := &groups[i]
		step := model.OperationStep{Action: model.StepRemoveMember, Target: g.ID, Name: g.DisplayName, State: model.StepPending}
		if err := changeable(g); err != nil {
			step.State, step.Outcome = model.StepSkipped, err.Error()
			left++
		}
		steps = append(steps, step)
	}
	return steps, left
}

// add has steps done behind the one that found them needed; they are stored with its end.
func (x *operating) add(s *model.OperationStep, steps []model.OperationStep) {
	for i := range steps {
		if i >= stepGap-1 {
			break
		}
		steps[i].Position = s.Position + 1 + i
		x.added = append(x.added, steps[i])
	}
}

// CancelOperation ends an operation that has not begun; one that has is Refused.
func (s *Service) CancelOperation(ctx context.Context, organizationID, id string) (model.Operation, error) {
	var out model.Operation
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		o, err := tx.LockOperation(organizationID, id)
		if err != nil {
			return err
		}
		leased := o.LeasedUntil != nil && o.LeasedUntil.After(tx.Now())
		switch {
		case !o.Open:
			return model.Errorf(model.Refused, "operation %s has %s already", id, o.State)
		case o.StartedAt != nil || leased:
			return model.Errorf(model.Refused, "operation %s has begun, and can be cancelled no more", id)
		}
		if err := s.endOperation(ctx, tx, &o, o.Lease, model.OperationCancelled, nil); err != nil {
			return err
		}
		out = o
		return nil
	})
	if err == nil {
		s.Observe(EventOperationCancelled, 1)
	}
	return out, err
}

// Operation reads one operation with its steps.
func (s *Service) Operation(ctx context.Context, organizationID, id string) (model.Operation, error) {
	return s.Store.Read(ctx).Operation(organizationID, id)
}
