package store

import (
	"time"

	"usher/model"
)

// CountImportUsers counts whom the next run has to look at.
func (r *Reader) CountImportUsers(ref model.Ref) (int, error) {
	return r.countOf("SELECT 1 FROM import_users WHERE organization_id = ? AND integration_id = ? AND NOT incoming", ref.OrganizationID, ref.IntegrationID)
}

// ImportUsersAfter gives a page of the ids, of the mirror, of whom the next run has to look at.
func (r *Reader) ImportUsersAfter(ref model.Ref, after string, limit int) ([]string, error) {
	after, err := cursor(after)
	if err != nil {
		return nil, err
	}
	var ids []string
	err = r.query(statement{
		sql:  "SELECT user_id FROM import_users WHERE organization_id = ? AND integration_id = ? AND NOT incoming AND user_id > ? ORDER BY user_id LIMIT ?",
		args: []any{ref.OrganizationID, ref.IntegrationID, after, limit},
		scan: scanTexts(&ids),
	})
	return ids, translate(err)
}

// ImportUsers gives what was read of people, by the ids that they have or will have in the mirror, in the order of those.
func (r *Reader) ImportUsers(ref model.Ref, userIDs []string) ([]model.ImportUser, error) {
	ids := sortedIDs(validIDs(userIDs))
	var list []model.ImportUser
	err := r.query(statement{
		sql: "SELECT object_id, user_id, user_name_key, document, gone FROM import_users WHERE integration_id = ? AND " + r.beside("organization_id") +
			" AND NOT incoming AND user_id" + r.anyOf("uuid", ids) + " ORDER BY user_id",
		args: []any{ref.IntegrationID, ref.OrganizationID, r.list(ids)},
		scan: func(row scanner) error {
			return scanAppend(row, &list, func(r scanner, u *model.ImportUser) error {
				var raw []byte
				err := r.Scan(&u.ObjectID, &u.UserID, &u.UserNameKey, &raw, &u.Gone)
				if err != nil || raw == nil {
					return err
				}
				u.Document = &model.Document{}
				return u.Document.Scan(raw)
			})
		},
	})
	return list, translate(err)
}

// DeleteImportUsers forgets what was read of people, because the mirror has it now.
func (tx *Tx) DeleteImportUsers(ref model.Ref, userIDs []string) {
	ids := sortedIDs(validIDs(userIDs))
	tx.buffer(statement{
		sql:  "DELETE FROM import_users WHERE organization_id = ? AND integration_id = ? AND NOT incoming AND user_id" + tx.anyOf("uuid", ids),
		args: []any{ref.OrganizationID, ref.IntegrationID, tx.list(ids)},
	})
}

// ImportedGroups gives the ids, of the mirror, of the groups that people are direct members of, by the people's object ids, as of the
// end of a round.
func (r *Reader) ImportedGroups(ref model.Ref, ended int64, objectIDs []string) (map[string][]string, error) {
	groups := make(map[string][]string, len(objectIDs))
	var rows [][]any
	for _, id := range sortedIDs(objectIDs) {
		rows = append(rows, []any{id})
	}
	from, args := r.rowsAs("member_id", "text", rows)
	// One search of the index for each person, whatever the database believes of a table that has just grown: a join that began
	// with the groups would read all members once for each of them.
	memberships := "import_members m WHERE m.integration_id = " + r.typed("uuid") + " AND m.member_id = x.member_id AND NOT m.nested AND m.round <= " +
		r.typed("bigint") + " AND " + r.beside("m.organization_id")
	if r.s.dialect == postgres {
		memberships = "LATERAL (SELECT m.member_id, m.group_id FROM " + memberships + " OFFSET 0) AS m WHERE true"
	}
	err := r.query(statement{
		sql: "SELECT m.member_id, m.group_id FROM " + from + " CROSS JOIN " + memberships +
			" AND m.group_id NOT IN (SELECT g.group_id FROM import_groups g WHERE g.integration_id = ? AND g.gone <> '')",
		args: append(args, ref.IntegrationID, ended, ref.OrganizationID, ref.IntegrationID),
		scan: func(row scanner) error {
			var member, group string
			err := row.Scan(&member, &group)
			groups[member] = append(groups[member], group)
			return err
		},
	})
	return groups, translate(err)
}

// Membership is that somebody, or a group, is a member of a group of the mirror.
type Membership struct {
	GroupID string
	Member  model.Member
}

func membershipRows(list []Membership) [][]any {
	rows := make([][]any, len(list))
	for i, m := range list {
		rows[i] = []any{m.GroupID, m.Member.ID, string(m.Member.Type), m.Member.Display}
	}
	return rows
}

// AddMemberships adds members, whose Display is their name, to groups. Groups and members are of the integration, as the caller has read.
func (tx *Tx) AddMemberships(ref model.Ref, list []Membership) {
	if len(list) == 0 {
		return
	}
	from, args := tx.rowsAs("group_id member_id member_type display", "uuid uuid text text", membershipRows(list))
	tx.buffer(statement{
		sql: "INSERT INTO memberships (group_id, member_id, organization_id, integration_id, member_type, display) SELECT x.group_id, x.member_id, " +
			tx.typed("uuid") + ", " + tx.typed("uuid") + ", x.member_type, x.display FROM " + from + " WHERE true ON CONFLICT DO NOTHING",
		args: append([]any{ref.OrganizationID, ref.IntegrationID}, args...),
	})
}

// RemoveMemberships takes members out of groups.
func (tx *Tx) RemoveMemberships(ref model.Ref, list []Membership) {
	if len(list) == 0 {
		return
	}
	from, args := tx.rowsAs("group_id member_id member_type display", "uuid uuid text text", membershipRows(list))
	tx.buffer(statement{
		sql: "DELETE FROM memberships WHERE organization_id = ? AND integration_id = ? AND (group_id, member_id) IN (SELECT x.group_id, x.member_id FROM " +
			from + ")",
		args: append([]any{ref.OrganizationID, ref.IntegrationID}, args...),
	})
}

// UserNameTaker is somebody who is about to have a user name.
type UserNameTaker struct{ UserNameKey, UserID string }

// FreeUserNames lets people of the integration take user names that others still have in the mirror. Those others are known to
// have another name by now, or not to be there any more, and get it when it is their turn.
func (tx *Tx) FreeUserNames(ref model.Ref, list []UserNameTaker) {
	if len(list) == 0 {
		return
	}
	rows, keys := make([][]any, len(list)), make([]string, len(list))
	for i, t := range list {
		rows[i], keys[i] = []any{t.UserNameKey, t.UserID}, t.UserNameKey
	}
	from, args := tx.rowsAs("user_name_key id", "text uuid", rows)
	tx.buffer(statement{
		sql: "UPDATE directory_users SET user_name_key = " + tx.freed() + " WHERE organization_id = ? AND integration_id = ? AND user_name_key" +
			tx.anyOf("text", keys) + " AND EXISTS (SELECT 1 FROM " + from + " WHERE x.user_name_key = directory_users.user_name_key AND x.id <> directory_users.id)",
		args: append([]any{ref.OrganizationID, ref.IntegrationID, tx.list(keys)}, args...),
	})
}

// freed is a key that no name has: names do not begin with it, and the id is nobody else's.
func (tx *Tx) freed() string {
	if tx.s.dialect == postgres {
		return "'~' || id::text"
	}
	return "'~' || id"
}

// FreeGroupNames lets groups of the integration take the names of some groups.
func (tx *Tx) FreeGroupNames(ref model.Ref, groupIDs []string) {
	if groupIDs = validIDs(groupIDs); len(groupIDs) == 0 {
		return
	}
	tx.buffer(statement{
		sql: "UPDATE directory_groups SET display_name_key = " + tx.freed() + " WHERE organization_id = ? AND integration_id = ? AND id" +
			tx.anyOf("uuid", groupIDs),
		args: []any{ref.OrganizationID, ref.IntegrationID, tx.list(groupIDs)},
	})
}

// ImportsDue gives a page of the integrations, of every organization, that people are imported into and that have asked for no import
// since a time, in the order of their ids. Those with an import that has not ended are not among them.
func (r *Reader) ImportsDue(since time.Time, after string, limit int) ([]model.Integration, error) {
	after, err := cursor(after)
	if err != nil {
		return nil, err
	}
	db, err := r.orm()
	if err != nil {
		return nil, translate(err)
	}
	var list []model.Integration
	err = db.Where("ingress = ? AND id > ?", model.IngressGraph, after).
		Where("NOT EXISTS (SELECT 1 FROM runs r WHERE r.integration_id = integrations.id AND r.kind = ? AND (r.created_at > ? OR r.state IN ?))",
			model.RunImport, since, []model.RunState{model.RunQueued, model.RunRunning, model.RunHeld}).
		Order("id").Limit(limit).Find(&list).Error
	return list, translate(err)
}
