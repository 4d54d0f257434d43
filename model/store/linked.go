package store

import (
	"encoding/json"

	"usher/model"
)

// LockPeople keeps every writer of people in the organization out until the transaction ends, as ChangeSettings does,
// without a new version of the settings. An employee is written under it: a person who arrives at the same time either
// finds the employee, or is found by it.
func (tx *Tx) LockPeople(organizationID string) error {
	if tx.s.dialect != postgres {
		return nil // a transaction is alone anyway
	}
	return translate(tx.query(statement{
		sql:  "SELECT pg_advisory_xact_lock(hashtextextended(?, 0))",
		args: []any{"settings:" + organizationID},
	}))
}

// FindAccounts adds to f the given accounts, locked, with the directory users that they are linked to, those users'
// groups, and the employees that they are linked to. Ids of accounts that are not of the organization find nothing.
func (tx *Tx) FindAccounts(organizationID string, ids []string, f *Facts) error {
	ids = validIDs(ids)
	if len(ids) == 0 {
		return nil
	}
	err := tx.query(statement{
		sql:  "SELECT " + accountColumns + " FROM accounts WHERE organization_id = ? AND id" + tx.anyOf("uuid", ids) + " ORDER BY id" + tx.forUpdate(),
		args: []any{organizationID, tx.list(ids)},
		scan: func(row scanner) error { return scanAppend(row, &f.Candidates, scanAccount) },
	})
	if err != nil {
		return translate(err)
	}
	return tx.linkedTo(organizationID, f)
}

// LinkedUsers reads the directory users, of any integration, that are linked to an account.
func (r *Reader) LinkedUsers(organizationID, accountID string) ([]model.DirectoryUser, error) {
	if !ValidID(accountID) {
		return nil, nil
	}
	var users []model.DirectoryUser
	err := r.query(statement{
		sql:  "SELECT " + userColumns + " FROM directory_users WHERE organization_id = ? AND account_id = ? ORDER BY id",
		args: []any{organizationID, accountID},
		scan: func(row scanner) error { return scanAppend(row, &users, scanUser) },
	})
	return users, translate(err)
}

// EmployeeHolders gives the ids of the accounts that are linked to the employees, by external id.
func (r *Reader) EmployeeHolders(organizationID string, externalIDs []string) (map[string]string, error) {
	holders := map[string]string{}
	if len(externalIDs) == 0 {
		return holders, nil
	}
	err := r.query(statement{
		sql:  "SELECT employee_id, id FROM accounts WHERE organization_id = ? AND employee_id IS NOT NULL AND employee_id" + r.anyOf("text", externalIDs),
		args: []any{organizationID, r.list(externalIDs)},
		scan: func(row scanner) error {
			var employee, account string
			err := row.Scan(&employee, &account)
			holders[employee] = account
			return err
		},
	})
	return holders, translate(err)
}

// Holding is a way in which an account may refer to an entry of the catalogue.
type Holding int

// The ways in which an account refers to its catalogue.
const (
	HoldsRole Holding = iota
	HoldsDepartment
	HoldsSite
	HoldsModule
	HoldsCustomField
)

// AccountHolding gives some account, archived or not, that refers to the entry of the catalogue; ok is false where none
// does.
func (r *Reader) AccountHolding(organizationID string, how Holding, key string) (a model.Account, ok bool, err error) {
	condition, args := r.holding(how, key)
	err = r.query(statement{
		sql:  "SELECT " + accountColumns + " FROM accounts WHERE organization_id = ? AND " + condition + " ORDER BY id LIMIT 1",
		args: append([]any{organizationID}, args...),
		scan: func(row scanner) error { ok = true; return scanAccount(row, &a) },
	})
	return a, ok, translate(err)
}

func (r *Reader) holding(how Holding, key string) (string, []any) {
	switch how {
	case HoldsRole:
		condition, value := r.holdsRole(key)
		return condition, []any{value}
	case HoldsDepartment:
		return "department = ?", []any{key}
	case HoldsSite:
		return r.holdsPermission("site", key)
	case HoldsModule:
		return r.holdsPermission("module", key)
	case HoldsCustomField:
	}
	if r.s.dialect == postgres {
		return "jsonb_exists(custom_fields, ?)", []any{key}
	}
	return "EXISTS (SELECT 1 FROM json_each(accounts.custom_fields) f WHERE f.key = ?)", []any{key}
}

// holdsPermission looks at what is given by hand as well: it may be hidden behind a higher level that a mapping gives.
func (r *Reader) holdsPermission(member, key string) (string, []any) {
	if r.s.dialect == postgres {
		raw, _ := json.Marshal([]map[string]string{{member: key}}) // strings always marshal
		return "(permissions @> ?::jsonb OR hand_permissions @> ?::jsonb)", []any{string(raw), string(raw)}
	}
	in := func(column string) string {
		return "EXISTS (SELECT 1 FROM json_each(accounts." + column + ") p WHERE p.value ->> '$." + member + "' = ?)"
	}
	return "(" + in("permissions") + " OR " + in("hand_permissions") + ")", []any{key, key}
}

// BulkFilter narrows a bulk action further than AccountFilter does. Domains are folded, without the @.
type BulkFilter struct {
	AccountFilter
	InDomains    []string // the e-mail is in one of them
	NotInDomains []string // there is an e-mail, and it is in none of them
	Linked       bool     // linked to some directory user
	IDs          []string // one of these
}

// LockAccountsAfter gives a page of the accounts that a bulk action concerns, locked, in the order of ids, with their links.
func (tx *Tx) LockAccountsAfter(organizationID string, f BulkFilter, after string, limit int) ([]model.Account, error) {
	where, args := tx.accountWhere(organizationID, f.AccountFilter)
	domains := func(list []string) string {
		text := ""
		for i, d := range list {
			if i > 0 {
				text += " OR "
			}
			text += "email_key LIKE ? ESCAPE '!'"
			args = append(args, "%@"+escapeLike(d))
		}
		return "(" + text + ")"
	}
	if len(f.InDomains) > 0 {
		where += " AND " + domains(f.InDomains)
	}
	if len(f.NotInDomains) > 0 {
		where += " AND email_key <> '' AND NOT " + domains(f.NotInDomains)
	}
	if f.Linked {
		where += " AND EXISTS (SELECT 1 FROM directory_users u WHERE u.account_id = accounts.id)"
	}
	if len(f.IDs) > 0 {
		ids := validIDs(f.IDs)
		if len(ids) == 0 {
			return nil, nil
		}
		where += " AND id" + tx.anyOf("uuid", ids)
		args = append(args, tx.list(ids))
	}
	if after == "" {
		after = firstID
	}
	var accounts []model.Account
	err := tx.query(statement{
		sql:  "SELECT " + accountColumns + " FROM accounts WHERE " + where + " AND id > ? ORDER BY id LIMIT ?" + tx.forUpdate(),
		args: append(args, after, limit),
		scan: func(row scanner) error { return scanAppend(row, &accounts, scanAccount) },
		rare: true,
	})
	if err == nil {
		err = tx.fillLinks(organizationID, accounts)
	}
	return accounts, translate(err)
}
