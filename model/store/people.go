package store

import (
	"slices"

	"usher/model"
)

// Facts is what the rules need to know of some directory users, read together: few statements for one user or for a
// thousand. The rows of the users and of their accounts are locked until the transaction ends.
type Facts struct {
	SettingsVersion int64
	Users           []model.DirectoryUser            // those asked for that exist, in the order of ids
	Accounts        map[string]*model.Account        // by id
	Others          map[string][]model.DirectoryUser // by account: its directory users of any integration
	Groups          map[string][]model.GroupRef      // by directory user
	Employees       []model.Employee                 // linked to one of the accounts
	Candidates      []model.Account                  // accounts with one of the keys looked for
	ByKey           map[string][]model.Employee      // employees by e-mail key looked for
}

// HoldSettings keeps the settings of the organization from changing until the transaction ends, and gives their version.
// Any number of transactions may hold them at once.
func (tx *Tx) HoldSettings(organizationID string) (int64, error) {
	var version int64
	err := tx.query(tx.holdSettings(organizationID, &version)...)
	if err == nil && version == 0 {
		err = notFound("organization", organizationID)
	}
	return version, translate(err)
}

func (tx *Tx) holdSettings(organizationID string, version *int64) []statement {
	read := statement{
		sql:  "SELECT settings_version FROM organizations WHERE id = ?",
		args: []any{organizationID},
		scan: func(row scanner) error { return row.Scan(version) },
	}
	if tx.s.dialect != postgres {
		return []statement{read}
	}
	// A lock of its own and not of the row, so that the hot path writes nothing; in a statement of its own, so that
	// the next one sees what was committed while it waited.
	return []statement{{
		sql:  "SELECT pg_advisory_xact_lock_shared(hashtextextended(?, 0))",
		args: []any{"settings:" + organizationID},
	}, read}
}

// LockFacts reads and locks the given users of an integration, with everything that the rules may look at.
func (tx *Tx) LockFacts(ref model.Ref, ids []string) (*Facts, error) {
	f := &Facts{
		Accounts: map[string]*model.Account{}, Others: map[string][]model.DirectoryUser{}, Groups: map[string][]model.GroupRef{},
		ByKey: map[string][]model.Employee{},
	}
	ids = validIDs(ids)
	slices.Sort(ids)
	list := tx.list(slices.Compact(ids))
	linked := "(SELECT account_id FROM directory_users WHERE organization_id = ? AND integration_id = ? AND id" + tx.anyOf("uuid") +
		" AND account_id IS NOT NULL)"
	linkedArgs := []any{ref.OrganizationID, ref.IntegrationID, list}
	batch := append(tx.holdSettings(ref.OrganizationID, &f.SettingsVersion),
		statement{
			sql: "SELECT " + userColumns + " FROM directory_users WHERE organization_id = ? AND integration_id = ? AND id" +
				tx.anyOf("uuid") + " ORDER BY id" + tx.forUpdate(),
			args: []any{ref.OrganizationID, ref.IntegrationID, list},
			scan: func(row scanner) error { return scanAppend(row, &f.Users, scanUser) },
		},
		statement{
			sql:  "SELECT " + accountColumns + " FROM accounts WHERE id IN " + linked + " ORDER BY id" + tx.forUpdate(),
			args: linkedArgs,
			scan: f.scanAccount,
		},
		statement{
			sql:  "SELECT " + userColumns + " FROM directory_users WHERE account_id IN " + linked + " ORDER BY id",
			args: linkedArgs,
			scan: f.scanOther,
		},
		// A union and not an OR, which would read every membership there is.
		tx.groupsOf(f.Groups, "SELECT id FROM directory_users WHERE organization_id = ? AND integration_id = ? AND id"+
			tx.anyOf("uuid")+" UNION SELECT id FROM directory_users WHERE account_id IN "+linked, "",
			append([]any{ref.OrganizationID, ref.IntegrationID, list}, linkedArgs...)...),
		statement{
			sql: `SELECT ` + employeeColumns + ` FROM employees WHERE organization_id = ? AND external_id IN
 (SELECT employee_id FROM accounts WHERE employee_id IS NOT NULL AND id IN ` + linked + `)`,
			args: append([]any{ref.OrganizationID}, linkedArgs...),
			scan: func(row scanner) error { return scanAppend(row, &f.Employees, scanEmployee) },
		})
	err := tx.query(batch...)
	if err == nil && f.SettingsVersion == 0 {
		err = notFound("organization", ref.OrganizationID)
	}
	if err != nil {
		return nil, translate(err)
	}
	return f, nil
}

func (f *Facts) scanAccount(row scanner) error {
	a := &model.Account{}
	err := scanAccount(row, a)
	f.Accounts[a.ID] = a
	return err
}

func (f *Facts) scanOther(row scanner) error {
	var u model.DirectoryUser
	if err := scanUser(row, &u); err != nil {
		return err
	}
	f.Others[*u.AccountID] = append(f.Others[*u.AccountID], u)
	return nil
}

// FindByKeys adds to f the accounts whose e-mail or userName is one of the folded keys, locked, with the directory users
// that they are linked to and those users' groups, and the employees whose e-mail is one of the keys.
func (tx *Tx) FindByKeys(organizationID string, keys []string, f *Facts) error {
	if len(keys) == 0 {
		return nil
	}
	list := tx.list(keys)
	// The indexes leave out empty keys, and are used only where the query says that it looks for none.
	match := "(SELECT id FROM accounts" + tx.indexedBy("accounts_email") + " WHERE organization_id = ? AND email_key <> '' AND email_key" + tx.anyOf("text") +
		" UNION SELECT id FROM accounts" + tx.indexedBy("accounts_user_name") + " WHERE organization_id = ? AND user_name_key <> '' AND user_name_key" + tx.anyOf("text") + ")"
	args := []any{organizationID, list, organizationID, list}
	err := tx.query(
		statement{
			sql:  "SELECT " + accountColumns + " FROM accounts WHERE id IN " + match + " ORDER BY id" + tx.forUpdate(),
			args: args,
			scan: func(row scanner) error { return scanAppend(row, &f.Candidates, scanAccount) },
		},
		statement{
			sql:  "SELECT " + employeeColumns + " FROM employees WHERE organization_id = ? AND email_key" + tx.anyOf("text"),
			args: []any{organizationID, list},
			scan: func(row scanner) error {
				var e model.Employee
				err := scanEmployee(row, &e)
				f.ByKey[e.EmailKey] = append(f.ByKey[e.EmailKey], e)
				return err
			},
		})
	if err != nil {
		return translate(err)
	}
	return tx.linkedTo(organizationID, f)
}

// linkedTo adds the directory users that candidates are linked to, where they have not been read yet, with their groups.
func (tx *Tx) linkedTo(organizationID string, f *Facts) error {
	var ids []string
	for i := range f.Candidates {
		a := &f.Candidates[i]
		if f.Accounts[a.ID] == nil {
			f.Accounts[a.ID] = a
			ids = append(ids, a.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	list := tx.list(ids)
	return translate(tx.query(
		statement{
			sql:  "SELECT " + userColumns + " FROM directory_users WHERE organization_id = ? AND account_id" + tx.anyOf("uuid") + " ORDER BY id",
			args: []any{organizationID, list},
			scan: f.scanOther,
		},
		tx.groupsOf(f.Groups, "SELECT id FROM directory_users WHERE organization_id = ? AND account_id"+tx.anyOf("uuid"), "",
			organizationID, list),
		statement{
			sql: `SELECT ` + employeeColumns + ` FROM employees WHERE organization_id = ? AND external_id IN
 (SELECT employee_id FROM accounts WHERE organization_id = ? AND employee_id IS NOT NULL AND id` + tx.anyOf("uuid") + `)`,
			args: []any{organizationID, organizationID, list},
			scan: func(row scanner) error { return scanAppend(row, &f.Employees, scanEmployee) },
		}))
}

// NewFacts gives empty facts for people who are not in the mirror yet, with the settings held.
func (tx *Tx) NewFacts(organizationID string, keys []string) (*Facts, error) {
	f := &Facts{
		Accounts: map[string]*model.Account{}, Others: map[string][]model.DirectoryUser{}, Groups: map[string][]model.GroupRef{},
		ByKey: map[string][]model.Employee{},
	}
	var err error
	if f.SettingsVersion, err = tx.HoldSettings(organizationID); err != nil {
		return nil, err
	}
	return f, tx.FindByKeys(organizationID, keys, f)
}
