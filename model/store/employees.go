package store

import (
	"usher/model"
)

const employeeColumns = `organization_id, external_id, email, email_key, given_name, family_name, department, job_title,
 resignation_date, state, created_at, updated_at`

func scanEmployee(r scanner, e *model.Employee) error {
	err := r.Scan(&e.OrganizationID, &e.ExternalID, &e.Email, &e.EmailKey, &e.GivenName, &e.FamilyName, &e.Department, &e.JobTitle,
		&e.ResignationDate, &e.State, &e.CreatedAt, &e.UpdatedAt)
	e.CreatedAt, e.UpdatedAt = e.CreatedAt.UTC(), e.UpdatedAt.UTC()
	return err
}

// Employee reads one employee.
func (r *Reader) Employee(organizationID, externalID string) (model.Employee, error) {
	return r.employee(organizationID, externalID, "")
}

// LockEmployee reads one employee and keeps other writers of it out until the transaction ends.
func (tx *Tx) LockEmployee(organizationID, externalID string) (model.Employee, error) {
	return tx.employee(organizationID, externalID, tx.forUpdate())
}

func (r *Reader) employee(organizationID, externalID, lock string) (model.Employee, error) {
	var list []model.Employee
	err := r.query(statement{
		sql:  "SELECT " + employeeColumns + " FROM employees WHERE organization_id = ? AND external_id = ?" + lock,
		args: []any{organizationID, externalID},
		scan: func(row scanner) error { return scanAppend(row, &list, scanEmployee) },
	})
	if err == nil && len(list) == 0 {
		err = notFound("employee", externalID)
	}
	if err != nil {
		return model.Employee{}, translate(err)
	}
	return list[0], nil
}

// EmployeesAfter gives a page of employees in the order of external ids.
func (r *Reader) EmployeesAfter(organizationID, after string, limit int) ([]model.Employee, error) {
	var list []model.Employee
	err := r.query(statement{
		sql:  "SELECT " + employeeColumns + " FROM employees WHERE organization_id = ? AND external_id > ? ORDER BY external_id LIMIT ?",
		args: []any{organizationID, after, limit},
		scan: func(row scanner) error { return scanAppend(row, &list, scanEmployee) },
	})
	return list, translate(err)
}

// DueEmployees gives employees of every organization whose resignation date is at or before the day and who are not
// archived yet.
func (r *Reader) DueEmployees(day string, limit int) ([]model.Employee, error) {
	var list []model.Employee
	err := r.query(statement{
		sql: "SELECT " + employeeColumns + ` FROM employees WHERE state <> 'archived' AND resignation_date IS NOT NULL
 AND resignation_date <= ? ORDER BY resignation_date, organization_id, external_id LIMIT ?`,
		args: []any{day, limit},
		scan: func(row scanner) error { return scanAppend(row, &list, scanEmployee) },
	})
	return list, translate(err)
}

// PutEmployee stores the employee, new or not.
func (tx *Tx) PutEmployee(e *model.Employee) {
	if e.CreatedAt.IsZero() {
		e.CreatedAt = tx.now
	}
	e.UpdatedAt = tx.now
	e.EmailKey = model.Fold(e.Email)
	tx.buffer(statement{
		sql: "INSERT INTO employees (" + employeeColumns + `) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)
 ON CONFLICT (organization_id, external_id) DO UPDATE SET email = excluded.email, email_key = excluded.email_key,
 given_name = excluded.given_name, family_name = excluded.family_name, department = excluded.department,
 job_title = excluded.job_title, resignation_date = excluded.resignation_date, state = excluded.state,
 updated_at = excluded.updated_at`,
		args: []any{
			e.OrganizationID, e.ExternalID, e.Email, e.EmailKey, e.GivenName, e.FamilyName, e.Department, e.JobTitle,
			e.ResignationDate, string(e.State), e.CreatedAt, e.UpdatedAt,
		},
	})
}

// DeleteEmployee removes an employee; the account that it was linked to stays, without it.
func (tx *Tx) DeleteEmployee(e *model.Employee) {
	tx.buffer(
		statement{
			sql:  "UPDATE accounts SET employee_id = NULL WHERE organization_id = ? AND employee_id = ?",
			args: []any{e.OrganizationID, e.ExternalID},
		},
		statement{
			sql:      "DELETE FROM employees WHERE organization_id = ? AND external_id = ?",
			args:     []any{e.OrganizationID, e.ExternalID},
			affected: exactlyOne("employee", e.ExternalID),
		})
}

// AccountsForEmployee gives, locked, the account that is linked to the employee, else the one with the identical e-mail.
func (tx *Tx) AccountsForEmployee(e *model.Employee) ([]model.Account, error) {
	var list []model.Account
	err := tx.query(statement{
		sql: "SELECT " + accountColumns + ` FROM accounts WHERE organization_id = ? AND (employee_id = ? OR
 (employee_id IS NULL AND email_key <> '' AND email_key = ?)) ORDER BY id` + tx.forUpdate(),
		args: []any{e.OrganizationID, e.ExternalID, model.Fold(e.Email)},
		scan: func(row scanner) error { return scanAppend(row, &list, scanAccount) },
	})
	return list, translate(err)
}
