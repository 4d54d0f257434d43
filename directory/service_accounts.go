package directory

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"usher/model"
	"usher/model/store"
)

// CreateAccount makes an account by hand: an external user, whom no directory knows yet. The e-mail is required, and a
// taken one is a Conflict; roles, permissions and custom fields must be of the catalogue. Permissions are read of ByHand,
// or of Permissions where that is empty. An employee with the identical e-mail is linked. What is wrong is Invalid and
// names the field.
func (s *Service) CreateAccount(ctx context.Context, organizationID string, in model.Account) (model.Account, error) {
	var out model.Account
	in.Email = strings.TrimSpace(in.Email)
	if err := checkEmail("email", in.Email, true); err != nil {
		return out, err
	}
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		e, err := s.accountEdit(ctx, tx, organizationID, []string{model.Fold(in.Email)})
		if err != nil {
			return err
		}
		a, err := e.newManual(in)
		if err != nil {
			return err
		}
		if err := e.emailIsFree(a.ID, a.Email); err != nil {
			return err
		}
		blank := model.Account{ID: a.ID}
		changes := differences(&blank, &a, "given by hand")
		d, err := e.linkEmployee(&a)
		if err != nil {
			return err
		}
		a, changes = *d.Account, append(changes, d.Changes...)
		a.Links = []model.Link{}
		if err := tx.InsertAccount(&a); err != nil {
			return err
		}
		if err := s.tellAccount(ctx, tx, nil, model.AccountCreated, &a, changes); err != nil {
			return err
		}
		out = a
		return e.log(&a, "created", "account "+a.Name()+" was made by hand", changes)
	})
	return out, err
}

// accountEdit is one change of accounts by hand within a transaction.
type accountEdit struct {
	svc            *Service
	ctx            context.Context
	tx             *store.Tx
	organizationID string
	rules          *Rules
	facts          *store.Facts
}

// accountEdit begins it; keys are the folded e-mails by which accounts are looked up, nil for none.
func (s *Service) accountEdit(ctx context.Context, tx *store.Tx, organizationID string, keys []string) (*accountEdit, error) {
	facts, err := tx.NewFacts(organizationID, keys)
	if err != nil {
		return nil, err
	}
	rules, err := s.rules(tx, organizationID, facts.SettingsVersion)
	if err != nil {
		return nil, err
	}
	return &accountEdit{svc: s, ctx: ctx, tx: tx, organizationID: organizationID, rules: rules, facts: facts}, nil
}

// newManual takes what a caller may set, and checks it.
func (e *accountEdit) newManual(in model.Account) (model.Account, error) {
	a := model.Account{
		ID: store.NewID(), OrganizationID: e.organizationID, Email: in.Email, UserName: in.UserName, DisplayName: in.DisplayName,
		GivenName: in.GivenName, FamilyName: in.FamilyName, Status: model.AccountActive, Origin: model.OriginManual,
		Department: in.Department, JobTitle: in.JobTitle, Language: in.Language, TimeZone: in.TimeZone, Currency: in.Currency,
		Roles: in.Roles, ByHand: in.ByHand, CustomFields: in.CustomFields,
	}
	if len(a.ByHand) == 0 {
		a.ByHand = in.Permissions
	}
	if a.UserName = strings.TrimSpace(a.UserName); a.UserName == "" {
		a.UserName = a.Email
	}
	err := e.rules.checkEdit(&model.Account{}, &a)
	if err == nil {
		a.Roles, err = e.rules.roleKeys(a.Roles)
	}
	a.ByHand = effective(a.ByHand, nil)
	a.Permissions = slices.Clone(a.ByHand)
	return a, err
}

func (e *accountEdit) emailIsFree(id, email string) error {
	key := model.Fold(email)
	for i := range e.facts.Candidates {
		if other := &e.facts.Candidates[i]; other.EmailKey == key && other.ID != id {
			return model.FieldErrorf(model.Conflict, "email", "account %s has e-mail %s already", other.Name(), email)
		}
	}
	return nil
}

// linkEmployee links the employee with the identical e-mail, if there is one whom no account has yet.
func (e *accountEdit) linkEmployee(a *model.Account) (Decision, error) {
	var free *model.Employee
	if a.EmployeeID == nil {
		var err error
		if free, err = freeEmployee(e.tx, e.organizationID, e.facts.ByKey[model.Fold(a.Email)]); err != nil {
			return Decision{}, err
		}
	}
	if free == nil {
		return Decision{Account: a}, nil
	}
	return e.rules.Decide(Person{Account: a, Employee: free}), nil
}

// freeEmployee gives the first of the employees who is linked to no account.
func freeEmployee(tx *store.Tx, organizationID string, list []model.Employee) (*model.Employee, error) {
	ids := make([]string, len(list))
	for i := range list {
		ids[i] = list[i].ExternalID
	}
	holders, err := tx.EmployeeHolders(organizationID, ids)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if holders[list[i].ExternalID] == "" {
			return &list[i], nil
		}
	}
	return nil, nil
}

// log writes the line of the administrator's log about an account.
func (e *accountEdit) log(a *model.Account, verb, summary string, changes []model.FieldChange) error {
	return e.tx.Log(model.Activity{
		OrganizationID: e.organizationID, Actor: ActorOf(e.ctx), Action: "account." + verb, SubjectType: "account",
		SubjectID: a.ID, Subject: a.Name(), Summary: summary,
	}, map[string]any{"changes": changes})
}

// ChangeAccount runs edit on the account inside the transaction, with its row locked. Of what edit does, the profile,
// CustomFields and ByHand count; status and roles have methods of their own, and Permissions follow: what is given by
// hand and what the mappings gave. A field that a linked employee owns is Refused. An error of edit changes nothing and is
// given back as it is.
func (s *Service) ChangeAccount(ctx context.Context, organizationID, id string, edit func(*model.Account) error) (model.Account, error) {
	return s.editAccount(ctx, organizationID, id, false, func(e *accountEdit, a *model.Account) (string, error) {
		before := copyAccount(*a)
		edited := copyAccount(*a)
		if err := edit(&edited); err != nil {
			return "", err
		}
		takeEdit(a, &edited)
		if err := e.rules.checkEdit(&before, a); err != nil {
			return "", err
		}
		if err := e.employeeOwns(&before, a); err != nil {
			return "", err
		}
		if err := e.permissions(&before, a); err != nil || a.Email == before.Email {
			return "changed by hand", err
		}
		if err := e.tx.FindByKeys(organizationID, []string{model.Fold(a.Email)}, e.facts); err != nil {
			return "", err
		}
		if err := e.emailIsFree(a.ID, a.Email); err != nil {
			return "", err
		}
		d, err := e.linkEmployee(a)
		if err == nil {
			*a = *d.Account
		}
		return "changed by hand", err
	})
}

// takeEdit takes over what may be edited by hand.
func takeEdit(a, edited *model.Account) {
	for _, target := range accountTargets() {
		*builtIn(a, target) = strings.TrimSpace(*builtIn(edited, target))
	}
	a.CustomFields, a.ByHand = edited.CustomFields, edited.ByHand
}

// employeeOwns refuses to change by hand what would come back with the next word from the employee.
func (e *accountEdit) employeeOwns(before, a *model.Account) error {
	if a.EmployeeID == nil {
		return nil
	}
	employee, err := e.tx.Employee(e.organizationID, *a.EmployeeID)
	if err != nil {
		return err
	}
	for target, owned := range map[string]string{
		targetGivenName: employee.GivenName, targetFamilyName: employee.FamilyName, targetDepartment: employee.Department,
		targetJobTitle: employee.JobTitle,
	} {
		if owned != "" && *builtIn(a, target) != *builtIn(before, target) {
			return model.FieldErrorf(model.Refused, target, "employee %s owns this field: change it there", *a.EmployeeID)
		}
	}
	return nil
}

// permissions makes the effective permissions what is given by hand now and what the mappings gave.
func (e *accountEdit) permissions(before, a *model.Account) error {
	a.ByHand = effective(a.ByHand, nil)
	if slices.Equal(a.ByHand, effective(before.ByHand, nil)) {
		a.ByHand = before.ByHand
		return nil
	}
	users, err := e.tx.LinkedUsers(e.organizationID, a.ID)
	if err != nil {
		return err
	}
	var given []model.PermissionGrant
	for i := range users {
		given = append(given, users[i].Explanation.Permissions...)
	}
	if a.EmployeeID != nil {
		given = keptPermissions(before, given)
	}
	a.Permissions = effective(a.ByHand, given)
	return nil
}

// keptPermissions gives what an account with an employee has beside what is given by hand: no sync changes its
// permissions, so that what its groups would give now counts only as far as it has it.
func keptPermissions(before *model.Account, given []model.PermissionGrant) []model.PermissionGrant {
	var kept []model.PermissionGrant
	for _, p := range before.Permissions {
		if !slices.Contains(before.ByHand, p) {
			kept = append(kept, model.PermissionGrant{Permission: p})
			continue
		}
		for i := range given {
			if g := given[i]; g.Site == p.Site && g.Module == p.Module && g.Level.Rank() <= p.Level.Rank() {
				kept = append(kept, g)
			}
		}
	}
	return kept
}

// editAccount changes one account by hand: edit changes a, and gives the summary of the log. Where atStake is set, the
// change may cost an administrator. Nothing changed: nothing is written.
func (s *Service) editAccount(ctx context.Context, organizationID, id string, atStake bool,
	edit func(*accountEdit, *model.Account) (summary string, err error),
) (model.Account, error) {
	var out model.Account
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		e, err := s.accountEdit(ctx, tx, organizationID, nil)
		if err != nil {
			return err
		}
		if atStake {
			if err := e.lockAdministrators(id); err != nil {
				return err
			}
		}
		before, err := tx.LockAccount(organizationID, id)
		if err != nil {
			return err
		}
		a := copyAccount(before)
		summary, err := edit(e, &a)
		if err != nil {
			return err
		}
		out = a
		return e.store(&before, &out, summary)
	})
	return out, err
}

// store writes an edited account, tells what changed and logs it.
func (e *accountEdit) store(before, a *model.Account, summary string) error {
	changes := differences(before, a, "by hand")
	if len(changes) == 0 && before.StatusCause == a.StatusCause {
		*a = *before
		return nil
	}
	if e.isAdministrator(before.Roles) && (!e.isAdministrator(a.Roles) || a.Status == model.AccountArchived) {
		if err := e.keepAdministrator(before); err != nil {
			return err
		}
	}
	if err := e.tx.UpdateAccount(a); err != nil {
		return err
	}
	if err := e.svc.tellAccountChanges(e.ctx, e.tx, nil, a, changes); err != nil {
		return err
	}
	if a.Status == model.AccountArchived && before.Status != model.AccountArchived {
		if err := e.endCalendars(a); err != nil {
			return err
		}
	}
	return e.log(a, accountVerb(before, a), summary, changes)
}

// accountVerb names a change for the log: the status where that changed.
func accountVerb(before, a *model.Account) string {
	if before.Status == a.Status {
		if !slices.Equal(before.Roles, a.Roles) {
			return "roles_changed"
		}
		return "updated"
	}
	if a.Status == model.AccountActive {
		return "reactivated"
	}
	return string(a.Status)
}

// differences lists what differs between two states of an account, in the order in which decisions tell it.
func differences(before, after *model.Account, reason string) []model.FieldChange {
	var list []model.FieldChange
	note := func(field string, was, is any) {
		list = append(list, model.FieldChange{Field: field, Before: was, After: is, Reason: reason})
	}
	for _, target := range accountTargets() {
		if was, is := *builtIn(before, target), *builtIn(after, target); was != is {
			note(target, was, is)
		}
	}
	for _, key := range customKeys(before, after) {
		if was, is := before.CustomFields[key], after.CustomFields[key]; !sameValue(was, is) {
			note(customPrefix+key, was, is)
		}
	}
	if was, is := fmt.Sprint(deref(before.EmployeeID)), fmt.Sprint(deref(after.EmployeeID)); was != is {
		note("employee_id", deref(before.EmployeeID), deref(after.EmployeeID))
	}
	if !slices.Equal(before.Roles, after.Roles) {
		note("roles", roleList(before.Roles), roleList(after.Roles))
	}
	if !slices.Equal(before.Permissions, after.Permissions) || !slices.Equal(before.ByHand, after.ByHand) {
		note("permissions", permissionList(before.Permissions), permissionList(after.Permissions))
	}
	if before.Status != after.Status {
		note("status", string(before.Status), string(after.Status))
	}
	return list
}

func deref(text *string) any {
	if text == nil {
		return nil
	}
	return *text
}

func customKeys(a, b *model.Account) []string {
	var keys []string
	for _, fields := range []map[string]any{a.CustomFields, b.CustomFields} {
		for key := range fields {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}
