package store

import (
	"maps"
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
	Awaited         bool                             // of a newcomer: groups may await it; Awaiting tells which
}

// HoldSettings keeps the settings of the organization from changing until the transaction ends, and gives their version.
// Any number of transactions may hold them at once.
func (tx *Tx) HoldSettings(organizationID string) (int64, error) {
	var version int64
	err := tx.query(tx.hold(organizationID, "", &version)...)
	if err == nil && version == 0 {
		err = notFound("organization", organizationID)
	}
	return version, translate(err)
}

// hold also reads other things of the organization, besides its version.
func (tx *Tx) hold(organizationID, besides string, into ...any) []statement {
	read := statement{
		sql:  "SELECT settings_version" + besides + " FROM organizations WHERE id = ?",
		args: []any{organizationID},
		scan: func(row scanner) error { return row.Scan(into...) },
	}
	return append(tx.holdLocks(organizationID), read)
}

// holdLocks is what hold begins with: the locks under which it reads.
func (tx *Tx) holdLocks(organizationID string) []statement {
	if tx.s.dialect != postgres { // SQLite has one writer
		return nil
	}
	return append([]statement{tx.holdShared(organizationID)}, tx.holdClosed()...)
}

const lockSettings = "SELECT pg_advisory_xact_lock_shared(hashtextextended(?, 0))"

// holdShared is a lock of its own and not of the row, so that the hot path writes nothing; in a statement of its own, so that
// the next one sees what was committed while it waited.
func (tx *Tx) holdShared(organizationID string) statement {
	return statement{
		sql:  lockSettings,
		args: []any{"settings:" + organizationID},
	}
}

// LockFacts reads and locks the given users of an integration, with everything that the rules may look at.
func (tx *Tx) LockFacts(ref model.Ref, ids []string) (*Facts, error) {
	f, err := tx.lockFacts(ref, ids)
	if err == nil {
		tx.learnNames(f.Users)
	}
	return f, err
}

func (tx *Tx) lockFacts(ref model.Ref, ids []string) (*Facts, error) {
	ids = validIDs(ids)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if f, err := tx.lockLinked(ref, ids); f != nil || err != nil {
		return f, translate(err)
	}
	f := emptyFacts()
	list, integrations := tx.list(ids), 0
	mine := []any{ref.OrganizationID, ref.IntegrationID, list}
	// For one, whose plan is kept, the condition on the link would offer the index of all links, and an order costs a node.
	isLinked, linked, order := " = ", "", ""
	if len(ids) > 1 {
		isLinked, linked, order = " IN ", " AND account_id IS NOT NULL", " ORDER BY id"
	}
	settings := []any{&f.SettingsVersion, &integrations}
	var hold []statement
	var columns string
	var into []any
	if len(ids) == 1 { // its row comes with what is read of the settings, which spares a statement
		hold, columns, into = tx.holdLocks(ref.OrganizationID), versionOf("directory_users")+besides+"directory_users.organization_id)", settings
	} else {
		hold = tx.hold(ref.OrganizationID, besides+"organizations.id)", settings...)
	}
	batch := append(hold,
		statement{
			sql: "SELECT " + userColumns + columns + " FROM directory_users WHERE organization_id = ? AND integration_id = ? AND id" +
				tx.anyOf("uuid", ids) + order + tx.forUpdate(),
			args: mine,
			scan: func(row scanner) error { return scanAppend(more{row, into}, &f.Users, scanUser) },
		},
		statement{
			sql: "SELECT " + accountColumns + " FROM accounts WHERE id" + isLinked + "(SELECT account_id FROM directory_users" +
				" WHERE organization_id = ? AND integration_id = ? AND id" + tx.anyOf("uuid", ids) + linked + ")" + order + tx.forUpdate(),
			args: mine,
			scan: f.scanAccount,
		},
		tx.groupsOf(f.Groups, tx.elements(ids), " AND m.organization_id = ? AND m.integration_id = ?", list, ref.OrganizationID, ref.IntegrationID))
	err := tx.query(batch...)
	if err == nil && f.SettingsVersion == 0 { // there is no such user, or no such organization
		f.SettingsVersion, err = tx.HoldSettings(ref.OrganizationID)
	}
	if err == nil {
		err = tx.readBeyond(ref.OrganizationID, f, integrations)
	}
	if err != nil {
		return nil, translate(err)
	}
	return f, nil
}

// besides is a column more: how many integrations an organization has.
const besides = ", (SELECT count(*) FROM integrations WHERE organization_id = "

// linkedColumns are those of a directory user, and those of their account behind them.
var linkedColumns = qualified("directory_users", userColumns) + ", " + qualified("accounts", accountColumns)

// lockLinked is LockFacts of one user who has an account, as nearly all do, in a statement less. It gives nil for another.
func (tx *Tx) lockLinked(ref model.Ref, ids []string) (*Facts, error) {
	if tx.s.dialect != postgres || len(ids) != 1 {
		return nil, nil
	}
	f, integrations := emptyFacts(), 0
	err := tx.lockTogether(ref.IntegrationID, ids[0], append(tx.holdLocks(ref.OrganizationID),
		statement{
			sql: "SELECT " + linkedColumns + versionOf("directory_users") + besides + `directory_users.organization_id)
 FROM directory_users JOIN accounts ON accounts.id = directory_users.account_id
 WHERE directory_users.organization_id = ? AND directory_users.integration_id = ? AND directory_users.id = ?::uuid
 FOR NO KEY UPDATE OF directory_users, accounts`,
			args: []any{ref.OrganizationID, ref.IntegrationID, ids[0]},
			scan: func(row scanner) error {
				return f.scanAccount(scanFunc(func(account ...any) error {
					return scanAppend(more{row, append(account, &f.SettingsVersion, &integrations)}, &f.Users, scanUser)
				}))
			},
		},
		tx.groupsOf(f.Groups, tx.elements(ids), " AND m.organization_id = ? AND m.integration_id = ?", ids[0], ref.OrganizationID, ref.IntegrationID))...)
	if err != nil || len(f.Users) == 0 {
		return nil, err
	}
	return f, tx.readBeyond(ref.OrganizationID, f, integrations)
}

// readBeyond reads what beyond asks for.
func (tx *Tx) readBeyond(organizationID string, f *Facts, integrations int) error {
	groups := map[string][]model.GroupRef{}
	list := tx.beyond(organizationID, f, groups, integrations)
	if len(list) == 0 {
		return nil
	}
	err := tx.query(list...)
	maps.Copy(f.Groups, groups)
	return err
}

// elements gives a SELECT of the ids that list makes the value of.
func (r *Reader) elements(ids []string) string {
	if r.s.dialect == postgres {
		if len(ids) == 1 {
			return "SELECT ?::uuid"
		}
		return "SELECT unnest(?::uuid[])"
	}
	return "SELECT value FROM json_each(?)"
}

// beyond gives the statements that read what few accounts have: directory users of other integrations, where the
// organization has any, and employees. It notes the directory users that were read already.
func (tx *Tx) beyond(organizationID string, f *Facts, groups map[string][]model.GroupRef, integrations int) []statement {
	var list []statement
	var accounts, employees []string
	for id, a := range f.Accounts {
		accounts = append(accounts, id)
		if a.EmployeeID != nil {
			employees = append(employees, *a.EmployeeID)
		}
	}
	slices.Sort(accounts)
	if integrations > 1 && len(accounts) > 0 {
		list = append(list, tx.linkedUsers(organizationID, accounts, f, groups)...)
	} else {
		for _, u := range f.Users {
			if u.AccountID != nil {
				f.Others[*u.AccountID] = append(f.Others[*u.AccountID], u)
			}
		}
	}
	if len(employees) > 0 {
		list = append(list, tx.employees(organizationID, employees, f))
	}
	return list
}

// linkedUsers reads the directory users of accounts, with their groups.
func (tx *Tx) linkedUsers(organizationID string, accounts []string, f *Facts, groups map[string][]model.GroupRef) []statement {
	list := tx.list(accounts)
	return []statement{
		{
			sql:  "SELECT " + userColumns + " FROM directory_users WHERE organization_id = ? AND account_id" + tx.anyOf("uuid", accounts) + " ORDER BY id",
			args: []any{organizationID, list},
			scan: f.scanOther,
		},
		tx.groupsOf(groups, "SELECT id FROM directory_users WHERE organization_id = ? AND account_id"+tx.anyOf("uuid", accounts), "",
			organizationID, list),
	}
}

func (tx *Tx) employees(organizationID string, externalIDs []string, f *Facts) statement {
	return statement{
		sql:  "SELECT " + employeeColumns + " FROM employees WHERE organization_id = ? AND external_id" + tx.anyOf("text", externalIDs),
		args: []any{organizationID, tx.list(externalIDs)},
		scan: func(row scanner) error { return scanAppend(row, &f.Employees, scanEmployee) },
	}
}

func (f *Facts) scanAccount(row scanner) error {
	a := &model.Account{}
	err := scanAccount(row, a)
	f.Accounts[a.ID] = a
	return err
}

// scanCandidate takes an account once, by whichever key it was found.
func (f *Facts) scanCandidate(row scanner) error {
	var a model.Account
	if err := scanAccount(row, &a); err != nil {
		return err
	}
	if !slices.ContainsFunc(f.Candidates, func(c model.Account) bool { return c.ID == a.ID }) {
		f.Candidates = append(f.Candidates, a)
	}
	return nil
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
	return tx.findByKeys(organizationID, keys, f)
}

// findByKeys sends some statements before its own, in the same round trip.
func (tx *Tx) findByKeys(organizationID string, keys []string, f *Facts, batch ...statement) error {
	if len(keys) == 0 {
		return translate(tx.query(batch...))
	}
	list := tx.list(keys)
	// The indexes leave out empty keys, and userNames that are the e-mail too; they are used only where the query says that
	// it looks for none of those.
	byKey := func(column, other, index string) statement {
		if len(keys) > fewKeys && tx.s.dialect == postgres {
			return tx.byEachKey(column, other, organizationID, keys, f)
		}
		return statement{
			sql: "SELECT " + accountColumns + " FROM accounts" + tx.indexedBy(index) + " WHERE " + tx.beside("organization_id") + " AND " + column + " <> " + other + " AND " +
				column + tx.anyOf("text", keys) + tx.forUpdate(),
			args: []any{organizationID, list},
			scan: f.scanCandidate,
		}
	}
	// Two statements and not one with OR or UNION, and in no order: for either the planner may read every account in the
	// order of ids, as it does for good when it plans while there are few. A deadlock is run again.
	err := tx.query(append(batch, byKey("email_key", "''", "accounts_email"), byKey("user_name_key", "email_key", "accounts_user_name"),
		statement{
			sql:  "SELECT " + employeeColumns + " FROM employees WHERE organization_id = ? AND email_key" + tx.anyOf("text", keys),
			args: []any{organizationID, list},
			scan: func(row scanner) error {
				var e model.Employee
				err := scanEmployee(row, &e)
				f.ByKey[e.EmailKey] = append(f.ByKey[e.EmailKey], e)
				return err
			},
		})...)
	if err != nil {
		return translate(err)
	}
	return tx.linkedTo(organizationID, f)
}

// fewKeys is how many keys the accounts of a person or two are looked for by.
const fewKeys = 16

// byEachKey looks for accounts by many keys, as a page of a run does: by one search of the index for each of them. Asked for any of so
// many, the planner reads the whole table where it knows little of it.
func (tx *Tx) byEachKey(column, other, organizationID string, keys []string, f *Facts) statement {
	return statement{
		sql: "SELECT " + accountColumns + " FROM unnest(?::text[]) AS x(key) CROSS JOIN LATERAL (SELECT * FROM accounts WHERE " +
			tx.beside("organization_id") + " AND " + column + " <> " + other + " AND " + column + " = x.key" + tx.forUpdate() + ") AS accounts",
		args: []any{keys, organizationID},
		scan: f.scanCandidate,
	}
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
	var employees []string
	for _, id := range ids {
		if e := f.Accounts[id].EmployeeID; e != nil {
			employees = append(employees, *e)
		}
	}
	batch := tx.linkedUsers(organizationID, ids, f, f.Groups)
	if len(employees) > 0 {
		batch = append(batch, tx.employees(organizationID, employees, f))
	}
	return translate(tx.query(batch...))
}

// NewFacts gives empty facts for people who are not in the mirror yet, with the settings held.
func (tx *Tx) NewFacts(organizationID string, keys []string) (*Facts, error) {
	f := emptyFacts()
	return tx.completed(organizationID, keys, f, tx.hold(organizationID, "", &f.SettingsVersion))
}

// ArrivalFacts is NewFacts for a directory user that arrives: it also tells whether any group may await it, and keeps groups
// from beginning to until the transaction ends.
//
// On PostgreSQL it guesses, where it may, that there is nothing to be read: no account and no employee with one of the keys,
// no group that awaits the user, and the settings as they were. The guess is checked where the transaction writes, so that
// nearly every arrival is one round trip; a wrong one makes the transaction run again, without guessing.
func (tx *Tx) ArrivalFacts(ref model.Ref, who Newcomer, keys []string) (*Facts, error) {
	f := emptyFacts()
	hold := tx.holdArrival(ref, who, &f.SettingsVersion, &f.Awaited)
	version, ok := tx.guessable(ref, who)
	if !ok || len(keys) == 0 {
		return tx.completed(ref.OrganizationID, keys, f, hold)
	}
	f.SettingsVersion = version
	beside, anyKey, list := tx.beside("organization_id"), tx.anyOf("text", keys), tx.list(keys)
	tx.guess(ref, who, version, hold, " AND NOT EXISTS (SELECT 1 FROM accounts WHERE "+beside+" AND email_key <> '' AND email_key"+anyKey+")"+
		" AND NOT EXISTS (SELECT 1 FROM accounts WHERE "+beside+" AND user_name_key <> email_key AND user_name_key"+anyKey+")"+
		" AND NOT EXISTS (SELECT 1 FROM employees WHERE organization_id = ? AND email_key"+anyKey+")",
		ref.OrganizationID, list, ref.OrganizationID, list, ref.OrganizationID, list)
	return f, nil
}

// guessable gives the version of the settings that an arrival may be guessed about with, if it may.
func (tx *Tx) guessable(ref model.Ref, who Newcomer) (int64, bool) {
	version, ok := tx.s.settings.guessable(ref.OrganizationID, tx.now)
	return version, ok && tx.try.guess && len(who.keys()) > 0
}

// guess sends what holds the settings for an arrival with the transaction's writes. Instead of the last of it, which reads them, goes
// a statement that divides by zero unless they are of that version, nobody awaits the newcomer, and the conditions hold.
func (tx *Tx) guess(ref model.Ref, who Newcomer, version int64, hold []statement, conditions string, args ...any) {
	tx.company, tx.guessed = ref.IntegrationID, func() { tx.s.settings.doubt(ref.OrganizationID, tx.now) }
	awaited, more := tx.awaited(ref, who.keys())
	tx.buffer(append(hold[:len(hold)-1], statement{
		sql:   "SELECT 1 / count(*) FROM organizations WHERE id = ? AND settings_version = ?" + conditions + " AND NOT " + awaited,
		args:  slices.Concat([]any{ref.OrganizationID, version}, args, more),
		guess: true,
	})...)
}

func emptyFacts() *Facts {
	return &Facts{
		Accounts: map[string]*model.Account{}, Others: map[string][]model.DirectoryUser{}, Groups: map[string][]model.GroupRef{},
		ByKey: map[string][]model.Employee{},
	}
}

func (tx *Tx) completed(organizationID string, keys []string, f *Facts, batch []statement) (*Facts, error) {
	err := tx.findByKeys(organizationID, keys, f, batch...)
	if err == nil && f.SettingsVersion == 0 {
		err = notFound("organization", organizationID)
	}
	return f, err
}
