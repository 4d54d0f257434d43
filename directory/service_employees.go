package directory

import (
	"context"
	"slices"
	"strings"
	"time"

	"usher/model"
	"usher/model/store"
)

// PutEmployee stores the HR record of a person, new or not, and settles the linked account at once: an account with the
// identical e-mail is linked, the employee owns its profile, and on the resignation date the account is deactivated.
// State is decided here. What is wrong is Invalid and names the field.
func (s *Service) PutEmployee(ctx context.Context, organizationID string, e model.Employee) (out model.Employee, created bool, err error) {
	if err := s.checkEmployee(&e); err != nil {
		return out, false, err
	}
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		w, err := s.employeeEdit(ctx, tx, organizationID)
		if err != nil {
			return err
		}
		p, err := w.put(e)
		out, created = p.employee, p.created
		return err
	})
	return out, created, err
}

// checkEmployee checks an employee, brings it into the form that is stored, and gives it its state.
func (s *Service) checkEmployee(e *model.Employee) error {
	for _, field := range []struct {
		name string
		text *string
		most int
	}{
		{"external_id", &e.ExternalID, maxNameLength},
		{"email", &e.Email, maxNameLength},
		{"given_name", &e.GivenName, maxNameLength},
		{"family_name", &e.FamilyName, maxNameLength},
		{"department", &e.Department, maxValueLength},
		{"job_title", &e.JobTitle, maxValueLength},
	} {
		*field.text = strings.TrimSpace(*field.text)
		if err := checkText(field.name, *field.text, field.most); err != nil {
			return err
		}
	}
	if e.ExternalID == "" {
		return model.FieldErrorf(model.Invalid, "external_id", "external_id is required")
	}
	if err := checkEmail("email", e.Email, false); err != nil {
		return err
	}
	if e.ResignationDate != nil {
		day := strings.TrimSpace(*e.ResignationDate)
		e.ResignationDate = &day
		if day == "" {
			e.ResignationDate = nil
		} else if _, err := time.Parse(time.DateOnly, day); err != nil {
			return model.FieldErrorf(model.Invalid, "resignation_date", "%q is not a date such as 2026-11-21", day)
		}
	}
	e.State = EmployeeState(*e, s.Now())
	return nil
}

// employeeEdit is some changes of employees within a transaction that keeps other writers of people out.
type employeeEdit struct {
	svc            *Service
	ctx            context.Context
	tx             *store.Tx
	organizationID string
	version        int64
}

func (s *Service) employeeEdit(ctx context.Context, tx *store.Tx, organizationID string) (*employeeEdit, error) {
	if err := tx.LockPeople(organizationID); err != nil {
		return nil, err
	}
	version, err := tx.HoldSettings(organizationID)
	return &employeeEdit{svc: s, ctx: ctx, tx: tx, organizationID: organizationID, version: version}, err
}

// lockEmployee begins an edit of one employee who is known.
func (s *Service) lockEmployee(ctx context.Context, tx *store.Tx, organizationID, externalID string) (*employeeEdit, model.Employee, error) {
	w, err := s.employeeEdit(ctx, tx, organizationID)
	if err != nil {
		return nil, model.Employee{}, err
	}
	e, err := tx.LockEmployee(organizationID, externalID)
	return w, e, err
}

// putEmployee is an employee that was put, with what that did.
type putEmployee struct {
	employee         model.Employee
	created, changed bool
}

func (w *employeeEdit) put(e model.Employee) (putEmployee, error) {
	e.OrganizationID = w.organizationID
	before, err := w.tx.LockEmployee(w.organizationID, e.ExternalID)
	created := err != nil && model.KindOf(err) == model.NotFound
	if err != nil && !created {
		return putEmployee{}, err
	}
	e.CreatedAt, e.UpdatedAt = before.CreatedAt, before.UpdatedAt
	changes := employeeDifferences(before, e)
	p := putEmployee{e, created, len(changes) > 0}
	if p.changed {
		w.tx.PutEmployee(&p.employee)
		if err := w.tellPut(before, p.employee, created, changes); err != nil {
			return p, err
		}
	}
	return p, w.settleAccountOf(&p.employee)
}

// employeeDifferences lists what differs between two states of an employee.
func employeeDifferences(before, after model.Employee) []model.FieldChange {
	var list []model.FieldChange
	for _, f := range []struct {
		field   string
		was, is any
	}{
		{"external_id", before.ExternalID, after.ExternalID},
		{"email", before.Email, after.Email},
		{"given_name", before.GivenName, after.GivenName},
		{"family_name", before.FamilyName, after.FamilyName},
		{"department", before.Department, after.Department},
		{"job_title", before.JobTitle, after.JobTitle},
		{"resignation_date", deref(before.ResignationDate), deref(after.ResignationDate)},
		{"state", before.State, after.State},
	} {
		if f.was != f.is {
			list = append(list, model.FieldChange{Field: f.field, Before: f.was, After: f.is})
		}
	}
	return list
}

// tellPut tells of a stored employee: that it is new or changed, and where it stands if that is another place than before.
func (w *employeeEdit) tellPut(before, e model.Employee, created bool, changes []model.FieldChange) error {
	var kinds []model.ChangeType
	moved := before.State != e.State && e.State != model.EmployeeActive
	profile := slices.ContainsFunc(changes, func(c model.FieldChange) bool { return c.Field != "state" && c.Field != "resignation_date" })
	switch {
	case created:
		kinds = append(kinds, model.EmployeeCreated)
	case profile || !moved:
		kinds = append(kinds, model.EmployeeUpdated)
	}
	if moved {
		kinds = append(kinds, map[model.EmployeeState]model.ChangeType{
			model.EmployeePending: model.EmployeeWasPending, model.EmployeeArchived: model.EmployeeWasArchived,
		}[e.State])
	}
	for _, kind := range kinds {
		if err := w.tell(kind, e, changes); err != nil {
			return err
		}
	}
	action, summary := "employee.updated", "employee "+employeeName(e)+" was updated"
	if created {
		action, summary = "employee.created", "employee "+employeeName(e)+" was created"
	}
	if moved {
		summary += "; " + employeeStands(e)
		if !created {
			action = "employee." + string(e.State)
		}
	}
	return w.log(action, e, summary, changes)
}

func employeeStands(e model.Employee) string {
	if e.State == model.EmployeePending {
		return "leaves on " + *e.ResignationDate
	}
	return "left on " + *e.ResignationDate
}

func employeeName(e model.Employee) string {
	if name := strings.TrimSpace(e.GivenName + " " + e.FamilyName); name != "" {
		return name
	}
	if e.Email != "" {
		return e.Email
	}
	return e.ExternalID
}

func (w *employeeEdit) tell(kind model.ChangeType, e model.Employee, changes []model.FieldChange) error {
	return w.tx.Tell(model.Change{
		OrganizationID: w.organizationID, Type: kind, SubjectType: "employee", SubjectID: e.ExternalID, Actor: ActorOf(w.ctx),
	}, map[string]any{"employee": e, "changes": changes})
}

func (w *employeeEdit) log(action string, e model.Employee, summary string, changes []model.FieldChange) error {
	return w.tx.Log(model.Activity{
		OrganizationID: w.organizationID, Actor: ActorOf(w.ctx), Action: action, SubjectType: "employee", SubjectID: e.ExternalID,
		Subject: employeeName(e), Summary: summary,
	}, map[string]any{"changes": changes})
}

// settleAccountOf lets the rules decide about the account of the employee, if there is one.
func (w *employeeEdit) settleAccountOf(e *model.Employee) error {
	accounts, err := w.tx.AccountsForEmployee(e)
	if err != nil || len(accounts) == 0 {
		return err
	}
	id := accounts[0].ID
	for i := range accounts {
		if accounts[i].EmployeeID != nil {
			id = accounts[i].ID
		}
	}
	return w.settleAccount(id, e, "employee "+employeeName(*e), nil)
}

// settleAccount lets the rules decide about an account with everyone it is linked to, and stores what they say. linking
// is the employee that it may be linked to, nil for none; done are changes that were made already.
func (w *employeeEdit) settleAccount(id string, linking *model.Employee, because string, done []model.FieldChange) error {
	facts := &store.Facts{
		SettingsVersion: w.version, Accounts: map[string]*model.Account{}, Others: map[string][]model.DirectoryUser{},
		Groups: map[string][]model.GroupRef{}, ByKey: map[string][]model.Employee{},
	}
	if err := w.tx.FindAccounts(w.organizationID, []string{id}, facts); err != nil {
		return err
	}
	account := facts.Accounts[id]
	if account == nil {
		return model.Errorf(model.NotFound, "account %s not found", id)
	}
	work, p, err := w.person(account, linking, facts)
	if err != nil {
		return err
	}
	d, err := work.decide(p)
	if err != nil {
		return err
	}
	before := *account
	d.Account.Links = linksOf(&p, &d)
	d.Changes = append(slices.Clone(done), d.Changes...)
	if len(d.Changes) > 0 || before.StatusCause != d.Account.StatusCause {
		if err := w.tx.UpdateAccount(d.Account); err != nil {
			return err
		}
		if err := w.svc.tellAccountChanges(w.ctx, w.tx, nil, d.Account, d.Changes); err != nil {
			return err
		}
		if err := w.logAccount(&before, &d, because); err != nil {
			return err
		}
	}
	return work.storeExplanations(&p, &d, 0)
}

// person gathers what the rules may look at for an account, whoever it is linked to.
func (w *employeeEdit) person(a *model.Account, linking *model.Employee, facts *store.Facts) (*settlement, Person, error) {
	rules, err := w.svc.rules(w.tx, w.organizationID, w.version)
	if err != nil {
		return nil, Person{}, err
	}
	ref := model.Ref{OrganizationID: w.organizationID}
	work := newSettlement(w.svc, w.ctx, w.tx, ref, rules, facts)
	work.by = nil
	p := Person{Account: a, Employee: linking, TakenEmails: map[string]string{}}
	for _, u := range facts.Others[a.ID] {
		groups, err := work.groupsOf(&u)
		if err != nil {
			return nil, p, err
		}
		p.Sources = append(p.Sources, Source{User: u, Groups: groups})
	}
	var keys []string
	for i := range p.Sources {
		keys = append(keys, LinkKeys(p.Sources[i].User)...)
	}
	if err := work.look(keys); err != nil {
		return nil, p, err
	}
	if linking == nil {
		p.Employee = work.employee(a, keys)
	}
	p.TakenEmails = work.takenEmails(keys, a)
	return work, p, nil
}

func (w *employeeEdit) logAccount(before *model.Account, d *Decision, because string) error {
	return w.tx.Log(model.Activity{
		OrganizationID: w.organizationID, Actor: ActorOf(w.ctx), Action: "account." + accountVerb(before, d.Account),
		SubjectType: "account", SubjectID: d.Account.ID, Subject: d.Account.Name(), Summary: sentence(because, d),
	}, map[string]any{"changes": d.Changes})
}

// DeleteEmployee forgets an employee. The account that it was linked to is in the hands of the sync again; one that was
// deactivated because the employee left stays so, as if an operator had done it.
func (s *Service) DeleteEmployee(ctx context.Context, organizationID, externalID string) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		w, e, err := s.lockEmployee(ctx, tx, organizationID, externalID)
		if err != nil {
			return err
		}
		accounts, err := tx.AccountsForEmployee(&e)
		if err != nil {
			return err
		}
		if err := w.tell(model.EmployeeDeleted, e, nil); err != nil {
			return err
		}
		if err := w.log("employee.deleted", e, "employee "+employeeName(e)+" was deleted", nil); err != nil {
			return err
		}
		return w.forget(&e, accounts)
	})
}

// forget removes the employee's record and takes it from the account.
func (w *employeeEdit) forget(e *model.Employee, accounts []model.Account) error {
	i := slices.IndexFunc(accounts, func(a model.Account) bool { return a.EmployeeID != nil })
	if i >= 0 && accounts[i].Status == model.AccountDeactivated && accounts[i].StatusCause == model.CauseEmployee {
		accounts[i].StatusCause = model.CauseOperator
		if err := w.tx.UpdateAccount(&accounts[i]); err != nil {
			return err
		}
	}
	w.tx.DeleteEmployee(e)
	if i < 0 {
		return nil
	}
	reason := "employee " + e.ExternalID + " was deleted"
	return w.settleAccount(accounts[i].ID, nil, reason, []model.FieldChange{
		{Field: "employee_id", Before: e.ExternalID, After: nil, Reason: reason},
	})
}
