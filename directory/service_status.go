package directory

import (
	"context"
	"slices"

	"usher/model"
	"usher/model/store"
)

// SetRoles makes the roles of an account the given ones. Taking an administrator role from its last holder is Refused.
func (s *Service) SetRoles(ctx context.Context, organizationID, id string, roles []string) (model.Account, error) {
	return s.editAccount(ctx, organizationID, id, true, func(e *accountEdit, a *model.Account) (string, error) {
		keys, err := e.rules.roleKeys(roles)
		a.Roles = keys
		return "roles set by hand", err
	})
}

// DeactivateAccount takes an account out of use; no sync brings it back. An account that a sync has deactivated stays
// deactivated from now on for an operator's reason.
func (s *Service) DeactivateAccount(ctx context.Context, organizationID, id string) (model.Account, error) {
	return s.setStatus(ctx, organizationID, id, bulkDeactivate)
}

// ReactivateAccount brings an account back into use, an archived one too. It is Refused while a linked employee has left.
func (s *Service) ReactivateAccount(ctx context.Context, organizationID, id string) (model.Account, error) {
	return s.setStatus(ctx, organizationID, id, bulkReactivate)
}

// ArchiveAccount puts a deactivated account away: no sync touches it any more. It is Refused for any other account, and
// for the last administrator.
func (s *Service) ArchiveAccount(ctx context.Context, organizationID, id string) (model.Account, error) {
	return s.setStatus(ctx, organizationID, id, bulkArchive)
}

func (s *Service) setStatus(ctx context.Context, organizationID, id, action string) (model.Account, error) {
	return s.editAccount(ctx, organizationID, id, action == bulkArchive, func(e *accountEdit, a *model.Account) (string, error) {
		return e.act(action, a)
	})
}

// act does to the account what an operator asks for, and gives the summary of the log.
func (e *accountEdit) act(action string, a *model.Account) (string, error) {
	switch action {
	case bulkDeactivate:
		if a.Status == model.AccountArchived {
			return "", model.Errorf(model.Refused, "account %s is archived, which is more than deactivated", a.Name())
		}
		summary := "an operator deactivated the account"
		if a.Status == model.AccountDeactivated {
			summary = "an operator confirmed the deactivation: no sync ends it"
		}
		a.Status, a.StatusCause = model.AccountDeactivated, model.CauseOperator
		return summary, nil
	case bulkReactivate:
		if a.Status == model.AccountActive {
			return "", nil
		}
		// The cause stays an operator's, so that a sync that finds the person out of scope as before leaves it be.
		a.Status, a.StatusCause = model.AccountActive, model.CauseOperator
		return "an operator reactivated the account", e.employeeStays(a)
	}
	if a.Status == model.AccountActive {
		return "", model.Errorf(model.Refused, "account %s is active; only a deactivated account can be archived", a.Name())
	}
	a.Status = model.AccountArchived
	return "an operator archived the account", nil
}

// employeeStays refuses to reactivate the account of an employee who has left: the rules would end it again.
func (e *accountEdit) employeeStays(a *model.Account) error {
	if a.EmployeeID == nil {
		return nil
	}
	employee, err := e.tx.Employee(e.organizationID, *a.EmployeeID)
	if err != nil {
		return err
	}
	if EmployeeState(employee, e.svc.Now()) == model.EmployeeArchived {
		return model.Errorf(model.Refused, "employee %s left on %s; change the resignation date to bring account %s back",
			employee.ExternalID, *employee.ResignationDate, a.Name())
	}
	return nil
}

// DeleteAccount removes an archived account for good; directory users that were linked to it have none afterwards. It is
// Refused for any other account, and for one that holds an administrator role while nobody else does.
func (s *Service) DeleteAccount(ctx context.Context, organizationID, id string) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		e, err := s.accountEdit(ctx, tx, organizationID, nil)
		if err != nil {
			return err
		}
		if err := e.lockAdministrators(id); err != nil {
			return err
		}
		a, err := tx.LockAccount(organizationID, id)
		if err != nil {
			return err
		}
		return e.delete(&a)
	})
}

func (e *accountEdit) delete(a *model.Account) error {
	if a.Status != model.AccountArchived {
		return model.Errorf(model.Refused, "account %s is %s; only an archived account can be deleted", a.Name(), a.Status)
	}
	if e.isAdministrator(a.Roles) {
		if err := e.keepAdministrator(a); err != nil {
			return err
		}
	}
	if err := e.endCalendars(a); err != nil {
		return err
	}
	e.tx.DeleteAccount(a)
	if err := e.svc.tellAccount(e.ctx, e.tx, nil, model.AccountDeleted, a, []model.FieldChange{}); err != nil {
		return err
	}
	return e.log(a, "deleted", "an operator deleted the account", nil)
}

// administratorRoles lists the roles that are marked administrator.
func (r *Rules) administratorRoles() []string {
	var keys []string
	for key, role := range r.settings.Roles {
		if role.Administrator {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

func (e *accountEdit) isAdministrator(roles []string) bool {
	return slices.ContainsFunc(roles, func(key string) bool { return e.rules.settings.Roles[key].Administrator })
}

// lockAdministrators locks every administrator, in the order of ids, when the account is one of them. Two transactions
// that each take the role from one then wait for each other here, in order, and not crosswise.
func (e *accountEdit) lockAdministrators(id string) error {
	seen, err := e.tx.Account(e.organizationID, id)
	if err != nil || !e.isAdministrator(seen.Roles) {
		return err
	}
	_, err = e.tx.CountRoleHolders(e.organizationID, e.rules.administratorRoles(), id)
	return err
}

// keepAdministrator refuses to do without an administrator who is the last one.
func (e *accountEdit) keepAdministrator(a *model.Account) error {
	others, err := e.tx.CountRoleHolders(e.organizationID, e.rules.administratorRoles(), a.ID)
	if err != nil {
		return err
	}
	if others == 0 {
		return model.Errorf(model.Refused, "account %s is the last administrator: give another account the role first", a.Name())
	}
	return nil
}
