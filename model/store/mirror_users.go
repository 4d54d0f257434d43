package store

import (
	"encoding/json"

	"usher/model"
)

// userColumns are the columns of a directory user in the order of scanUser.
const userColumns = `id, organization_id, integration_id, user_name, user_name_key, external_id, email, email_key,
 display_name, active, document, version, account_id, explanation, created_at, updated_at`

func scanUser(r scanner, u *model.DirectoryUser) error {
	var explanation []byte
	err := r.Scan(&u.ID, &u.OrganizationID, &u.IntegrationID, &u.UserName, &u.UserNameKey, &u.ExternalID, &u.Email, &u.EmailKey,
		&u.DisplayName, &u.Active, &u.Document, &u.Version, &u.AccountID, &explanation, &u.CreatedAt, &u.UpdatedAt)
	if err != nil {
		return err
	}
	u.CreatedAt, u.UpdatedAt = u.CreatedAt.UTC(), u.UpdatedAt.UTC()
	return json.Unmarshal(explanation, &u.Explanation)
}

// DirectoryUser reads one user of the mirror.
func (r *Reader) DirectoryUser(ref model.Ref, id string) (model.DirectoryUser, error) {
	users, err := r.directoryUsers(ref, []string{id}, "")
	if err != nil {
		return model.DirectoryUser{}, err
	}
	if len(users) == 0 {
		return model.DirectoryUser{}, notFound("user", id)
	}
	return users[0], nil
}

func (r *Reader) directoryUsers(ref model.Ref, ids []string, lock string) ([]model.DirectoryUser, error) {
	var users []model.DirectoryUser
	valid := validIDs(ids)
	if len(valid) == 0 {
		return nil, nil
	}
	err := r.query(statement{
		sql: "SELECT " + userColumns + " FROM directory_users WHERE organization_id = ? AND integration_id = ? AND id" +
			r.anyOf("uuid", valid) + " ORDER BY id" + lock,
		args:  []any{ref.OrganizationID, ref.IntegrationID, r.list(valid)},
		scan:  func(row scanner) error { return scanAppend(row, &users, scanUser) },
		quick: len(valid) == 1,
	})
	return users, translate(err)
}

// DirectoryUsersAfter reads a page of the mirror in the order of ids.
func (r *Reader) DirectoryUsersAfter(ref model.Ref, after string, limit int) ([]model.DirectoryUser, error) {
	if after == "" {
		after = firstID
	}
	if !ValidID(after) {
		return nil, model.FieldErrorf(model.Invalid, "after", "is not a cursor of this list")
	}
	var users []model.DirectoryUser
	err := r.query(statement{
		sql: "SELECT " + userColumns + " FROM directory_users WHERE organization_id = ? AND integration_id = ? AND id > ?" +
			" ORDER BY id LIMIT ?",
		args: []any{ref.OrganizationID, ref.IntegrationID, after, limit},
		scan: func(row scanner) error { return scanAppend(row, &users, scanUser) },
	})
	return users, translate(err)
}

// firstID sorts before every identifier.
const firstID = "00000000-0000-0000-0000-000000000000"

// scanAppend scans the row into a new element.
func scanAppend[T any](r scanner, list *[]T, scan func(scanner, *T) error) error {
	var item T
	if err := scan(r, &item); err != nil {
		return err
	}
	*list = append(*list, item)
	return nil
}

// validIDs leaves out what cannot be an identifier, so that the database is not asked to read it as one.
func validIDs(ids []string) []string {
	valid := make([]string, 0, len(ids))
	for _, id := range ids {
		if ValidID(id) {
			valid = append(valid, id)
		}
	}
	return valid
}

// CountDirectoryUsers counts the users of an integration.
func (r *Reader) CountDirectoryUsers(ref model.Ref) (int, error) {
	var n int
	err := r.query(statement{
		sql:  "SELECT count(*) FROM directory_users WHERE organization_id = ? AND integration_id = ?",
		args: []any{ref.OrganizationID, ref.IntegrationID},
		scan: func(row scanner) error { return row.Scan(&n) },
	})
	return n, translate(err)
}

// InsertDirectoryUser stores a new user; its ID, Version and times are set here.
func (tx *Tx) InsertDirectoryUser(u *model.DirectoryUser) error {
	if u.ID == "" {
		u.ID = NewID()
	}
	u.Version, u.CreatedAt, u.UpdatedAt = 1, tx.now, tx.now
	document, explanation, err := userJSON(u)
	if err != nil {
		return err
	}
	tx.buffer(statement{
		into: "directory_users",
		sql:  "INSERT INTO directory_users (" + userColumns + ", match_keys) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
		args: []any{
			u.ID, u.OrganizationID, u.IntegrationID, u.UserName, u.UserNameKey, u.ExternalID, u.Email, u.EmailKey,
			u.DisplayName, u.Active, document, u.Version, u.AccountID, explanation, u.CreatedAt, u.UpdatedAt, tx.matchColumn(u),
		},
	})
	return nil
}

func userJSON(u *model.DirectoryUser) (document, explanation string, err error) {
	raw, err := u.Document.Raw()
	if err != nil {
		return "", "", err
	}
	why, err := json.Marshal(u.Explanation)
	return string(raw), string(why), err
}

// UpdateDirectoryUser writes the attributes of a user whose row is locked, under the next version.
func (tx *Tx) UpdateDirectoryUser(u *model.DirectoryUser) error {
	u.Version++
	u.UpdatedAt = tx.now
	document, explanation, err := userJSON(u)
	if err != nil {
		return err
	}
	tx.rename("directory_users", u.ID, u.DisplayName)
	tx.buffer(statement{
		into: "directory_users",
		sql: `UPDATE directory_users SET user_name = ?, user_name_key = ?, external_id = ?, email = ?, email_key = ?,
 display_name = ?, active = ?, document = ?, version = ?, account_id = ?, explanation = ?, updated_at = ?, match_keys = ?
 WHERE organization_id = ? AND integration_id = ? AND id = ?`,
		args: []any{
			u.UserName, u.UserNameKey, u.ExternalID, u.Email, u.EmailKey, u.DisplayName, u.Active, document, u.Version,
			u.AccountID, explanation, u.UpdatedAt, tx.matchColumn(u), u.OrganizationID, u.IntegrationID, u.ID,
		},
		affected: exactlyOne("user", u.ID), locked: true,
	})
	return nil
}

// SettleDirectoryUser writes what the rules said about a user, and to which account it is linked. It is no change of the
// user: version and time stay.
func (tx *Tx) SettleDirectoryUser(u *model.DirectoryUser) error {
	explanation, err := json.Marshal(u.Explanation)
	if err != nil {
		return err
	}
	tx.buffer(statement{
		into: "directory_users",
		sql: `UPDATE directory_users SET account_id = ?, explanation = ? WHERE organization_id = ? AND integration_id = ?
 AND id = ?`,
		args:     []any{u.AccountID, string(explanation), u.OrganizationID, u.IntegrationID, u.ID},
		affected: exactlyOne("user", u.ID), locked: true,
	})
	return nil
}

// DeleteDirectoryUser removes a user with its memberships. The row goes first: whoever is adding the user to a group holds
// it, so that the memberships are deleted when the last of them is there.
func (tx *Tx) DeleteDirectoryUser(u *model.DirectoryUser) error {
	tx.buffer(
		statement{
			sql:      "DELETE FROM directory_users WHERE organization_id = ? AND integration_id = ? AND id = ?",
			args:     []any{u.OrganizationID, u.IntegrationID, u.ID},
			affected: exactlyOne("user", u.ID),
		},
		tx.touchGroupsOf(u.OrganizationID, u.IntegrationID, u.ID),
		statement{sql: "DELETE FROM memberships WHERE member_id = ?", args: []any{u.ID}},
	)
	return nil
}

func exactlyOne(what, id string) func(int64) error {
	return func(n int64) error {
		if n != 1 {
			return notFound(what, id)
		}
		return nil
	}
}
