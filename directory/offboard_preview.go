package directory

import (
	"context"
	"errors"

	"usher/model"
	"usher/model/entra"
)

// PreviewOffboarding says what OffboardEntraUser would do, and does nothing: the steps with what is known of each now, and the error
// that the operation would end with. The state is planned, and there is no id.
func (s *Service) PreviewOffboarding(ctx context.Context, ref model.Ref, user string, in Offboarding) (model.Operation, error) {
	o, err := s.offboarding(ctx, ref, user, in)
	if err != nil {
		return model.Operation{}, err
	}
	i, err := s.Store.Read(ctx).Integration(ref)
	if err != nil {
		return model.Operation{}, err
	}
	if err := switchedOn(&i, o); err != nil {
		return model.Operation{}, err
	}
	o.ID, o.State, o.Open, o.Actor = "", model.OperationPlanned, false, ActorOf(ctx)
	x := &operating{Service: s, ctx: ctx, o: o}
	if x.read, err = s.reader(ctx, ref); err != nil {
		return model.Operation{}, err
	}
	if err := x.preview(); err != nil {
		r, ok := errors.AsType[*refusal](err)
		if !ok {
			return model.Operation{}, toldOf(err, "uid", "user "+user)
		}
		o.Error = &r.OperationError
	}
	return *o, nil
}

// preview reads what the steps would find.
func (x *operating) preview() error {
	u, err := x.theUser()
	if err != nil {
		return err
	}
	if err := x.previewAccount(u); err != nil {
		return err
	}
	org, err := x.read.Organization(x.ctx)
	if err != nil {
		return err
	}
	if err := errors.Join(writableTenant(&org), writableUser(u)); err != nil {
		return err
	}
	var steps []model.OperationStep
	for _, s := range x.o.Steps {
		x.added = nil
		switch {
		case s.Action == model.StepDisable && !u.AccountEnabled:
			s.State, s.Outcome = model.StepSkipped, "the user is disabled already"
		case s.Action == model.StepReadGroups:
			if _, s.Outcome, err = x.readGroups(&s); err != nil {
				return err
			}
		case s.Action == model.StepReadLicences:
			if _, s.Outcome, err = x.readLicences(&s); err != nil {
				return err
			}
		}
		steps = append(append(steps, s), x.added...)
	}
	x.o.Steps = steps
	return nil
}

// previewAccount names the account that would be deactivated.
func (x *operating) previewAccount(u *entra.User) (err error) {
	step, r := &x.o.Steps[0], x.Store.Read(x.ctx)
	if x.o.AccountID == nil {
		if x.o.AccountID, err = accountOf(r, x.o.Ref(), u); err != nil {
			return err
		}
	}
	if x.o.AccountID == nil {
		step.State, step.Outcome = model.StepSkipped, "no account is linked to the user"
		return nil
	}
	a, err := r.Account(x.o.OrganizationID, *x.o.AccountID)
	if err != nil {
		return err
	}
	step.Target, step.Name = a.ID, a.Name()
	if a.Status != model.AccountActive {
		step.Outcome = "the account is " + string(a.Status) + " already"
	}
	return nil
}
