package store

import (
	"encoding/json"

	"usher/model"
)

const accountColumns = `id, organization_id, email, email_key, user_name, user_name_key, display_name, given_name, family_name,
 status, status_cause, origin, department, job_title, language, time_zone, currency, roles, permissions, hand_permissions,
 custom_fields, employee_id, version, created_at, updated_at`

func scanAccount(r scanner, a *model.Account) error {
	var roles, permissions, byHand, custom []byte
	err := r.Scan(&a.ID, &a.OrganizationID, &a.Email, &a.EmailKey, &a.UserName, &a.UserNameKey, &a.DisplayName, &a.GivenName,
		&a.FamilyName, &a.Status, &a.StatusCause, &a.Origin, &a.Department, &a.JobTitle, &a.Language, &a.TimeZone, &a.Currency,
		&roles, &permissions, &byHand, &custom, &a.EmployeeID, &a.Version, &a.CreatedAt, &a.UpdatedAt)
	if err != nil {
		return err
	}
	a.CreatedAt, a.UpdatedAt = a.CreatedAt.UTC(), a.UpdatedAt.UTC()
	for _, part := range []struct {
		raw  []byte
		into any
	}{{roles, &a.Roles}, {permissions, &a.Permissions}, {byHand, &a.ByHand}, {custom, &a.CustomFields}} {
		if err := json.Unmarshal(part.raw, part.into); err != nil {
			return err
		}
	}
	return nil
}

// accountJSON renders the parts of an account that are JSON columns; absent lists are empty, not null.
func accountJSON(a *model.Account) (roles, permissions, byHand, custom string, err error) {
	if a.Roles == nil {
		a.Roles = []string{}
	}
	if a.Permissions == nil {
		a.Permissions = []model.Permission{}
	}
	if a.ByHand == nil {
		a.ByHand = []model.Permission{}
	}
	if a.CustomFields == nil {
		a.CustomFields = map[string]any{}
	}
	parts := [4]string{}
	for i, v := range []any{a.Roles, a.Permissions, a.ByHand, a.CustomFields} {
		raw, err := json.Marshal(v)
		if err != nil {
			return "", "", "", "", err
		}
		parts[i] = string(raw)
	}
	return parts[0], parts[1], parts[2], parts[3], nil
}

// InsertAccount stores a new account; its ID, Version and times are set here.
func (tx *Tx) InsertAccount(a *model.Account) error {
	if a.ID == "" {
		a.ID = NewID()
	}
	a.Version, a.CreatedAt, a.UpdatedAt = 1, tx.now, tx.now
	a.EmailKey, a.UserNameKey = model.Fold(a.Email), model.Fold(a.UserName)
	roles, permissions, byHand, custom, err := accountJSON(a)
	if err != nil {
		return err
	}
	tx.buffer(statement{
		into: "accounts",
		sql:  "INSERT INTO accounts (" + accountColumns + ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
		args: []any{
			a.ID, a.OrganizationID, a.Email, a.EmailKey, a.UserName, a.UserNameKey, a.DisplayName, a.GivenName, a.FamilyName,
			string(a.Status), string(a.StatusCause), string(a.Origin), a.Department, a.JobTitle, a.Language, a.TimeZone, a.Currency,
			roles, permissions, byHand, custom, a.EmployeeID, a.Version, a.CreatedAt, a.UpdatedAt,
		},
	})
	return nil
}

// UpdateAccount writes an account whose row is locked, under the next version.
func (tx *Tx) UpdateAccount(a *model.Account) error {
	a.Version++
	a.UpdatedAt = tx.now
	a.EmailKey, a.UserNameKey = model.Fold(a.Email), model.Fold(a.UserName)
	roles, permissions, byHand, custom, err := accountJSON(a)
	if err != nil {
		return err
	}
	tx.buffer(statement{
		into: "accounts",
		sql: `UPDATE accounts SET email = ?, email_key = ?, user_name = ?, user_name_key = ?, display_name = ?, given_name = ?,
 family_name = ?, status = ?, status_cause = ?, department = ?, job_title = ?, language = ?, time_zone = ?, currency = ?,
 roles = ?, permissions = ?, hand_permissions = ?, custom_fields = ?, employee_id = ?, version = ?, updated_at = ?
 WHERE id = ? AND organization_id = ?`,
		args: []any{
			a.Email, a.EmailKey, a.UserName, a.UserNameKey, a.DisplayName, a.GivenName, a.FamilyName, string(a.Status),
			string(a.StatusCause), a.Department, a.JobTitle, a.Language, a.TimeZone, a.Currency, roles, permissions, byHand,
			custom, a.EmployeeID, a.Version, a.UpdatedAt, a.ID, a.OrganizationID,
		},
		affected: exactlyOne("account", a.ID), locked: true,
	})
	return nil
}

// DeleteAccount removes an account, the links to it and its mailboxes.
func (tx *Tx) DeleteAccount(a *model.Account) {
	tx.buffer(
		statement{
			sql:  "UPDATE directory_users SET account_id = NULL WHERE organization_id = ? AND account_id = ?",
			args: []any{a.OrganizationID, a.ID},
		},
		statement{
			sql:      "DELETE FROM accounts WHERE organization_id = ? AND id = ?",
			args:     []any{a.OrganizationID, a.ID},
			affected: exactlyOne("account", a.ID),
		},
		tx.withoutMailbox(a), // behind the account, which whoever makes a mailbox holds
		withoutPhoto(a),
	)
}

// Account reads one account with its links.
func (r *Reader) Account(organizationID, id string) (model.Account, error) {
	return r.account(organizationID, id, "")
}

// LockAccount reads one account and keeps other writers of it out until the transaction ends.
func (tx *Tx) LockAccount(organizationID, id string) (model.Account, error) {
	return tx.account(organizationID, id, tx.forUpdate())
}

func (r *Reader) account(organizationID, id, lock string) (model.Account, error) {
	var accounts []model.Account
	if !ValidID(id) {
		return model.Account{}, notFound("account", id)
	}
	err := r.query(statement{
		sql:  "SELECT " + accountColumns + " FROM accounts WHERE organization_id = ? AND id = ?" + lock,
		args: []any{organizationID, id},
		scan: func(row scanner) error { return scanAppend(row, &accounts, scanAccount) },
	})
	if err == nil && len(accounts) == 0 {
		err = notFound("account", id)
	}
	if err == nil {
		err = r.fillLinks(organizationID, accounts)
	}
	if err != nil {
		return model.Account{}, translate(err)
	}
	return accounts[0], nil
}

// fillLinks sets Links of the accounts.
func (r *Reader) fillLinks(organizationID string, accounts []model.Account) error {
	ids := make([]string, len(accounts))
	at := make(map[string]*model.Account, len(accounts))
	for i := range accounts {
		ids[i] = accounts[i].ID
		accounts[i].Links = []model.Link{}
		at[ids[i]] = &accounts[i]
	}
	if len(ids) == 0 {
		return nil
	}
	return r.query(statement{
		sql: `SELECT account_id, integration_id, id, external_id FROM directory_users
 WHERE organization_id = ? AND account_id` + r.anyOf("uuid", ids) + ` ORDER BY id`,
		args: []any{organizationID, r.list(ids)},
		scan: func(row scanner) error {
			var account string
			var l model.Link
			err := row.Scan(&account, &l.IntegrationID, &l.DirectoryUserID, &l.ExternalID)
			if a := at[account]; a != nil {
				a.Links = append(a.Links, l)
			}
			return err
		},
	})
}

// AccountFilter narrows a list of accounts; the zero value is all of the organization.
type AccountFilter struct {
	Email       string // exact, without case
	Status      model.AccountStatus
	Role        string
	Integration string // linked to a directory user of it
	Search      string // part of e-mail, userName or display name, without case
	Unlinked    bool   // linked to no directory user
	Origin      model.Origin
	// Guests and Hybrid are those with a directory user that is a B2B guest, or whose master is an Active Directory; Integration
	// and Search are then asked of that directory user.
	Guests, Hybrid bool
}

// AccountsAfter gives a page of accounts with their links, in the order of ids.
func (r *Reader) AccountsAfter(organizationID string, f AccountFilter, after string, limit int) ([]model.Account, error) {
	where, args := r.accountWhere(organizationID, f)
	if after != "" {
		if !ValidID(after) {
			return nil, model.FieldErrorf(model.Invalid, "after", "is not a cursor of this list")
		}
		where += " AND id > ?"
		args = append(args, after)
	}
	var accounts []model.Account
	err := r.query(statement{
		sql:  "SELECT " + accountColumns + " FROM accounts WHERE " + where + " ORDER BY id LIMIT ?",
		args: append(args, limit),
		scan: func(row scanner) error { return scanAppend(row, &accounts, scanAccount) },
	})
	if err == nil {
		err = r.fillLinks(organizationID, accounts)
	}
	return accounts, translate(err)
}

func (r *Reader) accountWhere(organizationID string, f AccountFilter) (string, []any) {
	where, args := "organization_id = ?", []any{organizationID}
	add := func(condition string, values ...any) {
		where += " AND " + condition
		args = append(args, values...)
	}
	if f.Email != "" {
		add("email_key <> '' AND email_key = ?", model.Fold(f.Email)) // as the index says
	}
	if f.Status != "" {
		add("status = ?", string(f.Status))
	}
	if f.Origin != "" {
		add("origin = ?", string(f.Origin))
	}
	if f.Role != "" {
		condition, value := r.holdsRole(f.Role)
		add(condition, value)
	}
	if f.Unlinked {
		add("NOT EXISTS (SELECT 1 FROM directory_users u WHERE u.account_id = accounts.id)")
	}
	if f.Guests || f.Hybrid {
		condition, values := r.mirrorWhere(organizationID, f)
		add(condition, values...)
		return where, args
	}
	if f.Integration != "" {
		integration := f.Integration
		if !ValidID(integration) {
			integration = firstID
		}
		add("id IN (SELECT account_id FROM directory_users WHERE organization_id = ? AND integration_id = ?)", organizationID, integration)
	}
	if f.Search != "" {
		condition, values := r.searched(f.Search)
		add(condition, values...)
	}
	return where, args
}

// holdsRole gives a condition on accounts, with the value to bind.
func (r *Reader) holdsRole(key string) (string, any) {
	if r.s.dialect == postgres {
		raw, _ := json.Marshal([]string{key}) // strings always marshal
		return "roles @> ?::jsonb", string(raw)
	}
	return "EXISTS (SELECT 1 FROM json_each(accounts.roles) WHERE json_each.value = ?)", key
}

// CountRoleHolders counts the accounts, apart from one, that hold one of the roles and are not archived. The accounts
// found are locked, so that two transactions cannot each take the role from the other's last holder.
func (tx *Tx) CountRoleHolders(organizationID string, roles []string, apart string) (int, error) {
	holders := map[string]bool{}
	for _, role := range roles {
		condition, value := tx.holdsRole(role)
		err := tx.query(statement{
			sql: "SELECT id FROM accounts WHERE organization_id = ? AND status <> 'archived' AND " + condition +
				" ORDER BY id" + tx.forUpdate(),
			args: []any{organizationID, value},
			scan: func(row scanner) error {
				var id string
				err := row.Scan(&id)
				if id != apart {
					holders[id] = true
				}
				return err
			},
		})
		if err != nil {
			return 0, translate(err)
		}
	}
	return len(holders), nil
}

// CountActiveAccounts counts the active accounts that are linked to the integration.
func (r *Reader) CountActiveAccounts(ref model.Ref) (int, error) {
	return r.CountSomeActiveAccounts(ref, 0)
}

// CountSomeActiveAccounts is CountActiveAccounts that stops at most; 0 is no limit. There is a text for each limit.
func (r *Reader) CountSomeActiveAccounts(ref model.Ref, most int) (int, error) {
	var n int
	err := r.query(statement{
		sql: `SELECT count(*) FROM (SELECT 1 FROM directory_users u JOIN accounts a ON a.id = u.account_id
 WHERE u.organization_id = ? AND u.integration_id = ? AND a.status = 'active'` + limited(most) + ") AS counted",
		args: []any{ref.OrganizationID, ref.IntegrationID},
		scan: func(row scanner) error { return row.Scan(&n) },
	})
	return n, translate(err)
}
