package store

import (
	"usher/model"
)

// tombstone is a condition that a row u of the mirror is of somebody who was deleted, and has the name of one.
const tombstone = "NOT u.active AND u.user_name_key LIKE replace(lower(u.external_id), '-', '') || '%'"

// SweepUsers notes that whoever a reading of everybody, which has come to its end, has not found counts as deleted, if the mirror
// has them: for good where the mirror has them as deleted already, since the reading has seen the deleted ones too.
func (tx *Tx) SweepUsers(ref model.Ref, mark int64) {
	tx.buffer(
		statement{
			sql:  "DELETE FROM import_users WHERE organization_id = ? AND integration_id = ? AND incoming AND seen <> ?",
			args: []any{ref.OrganizationID, ref.IntegrationID, mark},
		},
		statement{
			sql: `INSERT INTO import_users (integration_id, object_id, incoming, organization_id, user_id, user_name_key, document, gone, doubt, seen)
 SELECT u.integration_id, u.external_id, true, u.organization_id, u.id, '', NULL, CASE WHEN ` + tombstone + ` THEN 'deleted' ELSE 'recycled' END, false, ` +
				tx.typed("bigint") + ` FROM directory_users u WHERE u.organization_id = ? AND u.integration_id = ? AND u.external_id <> ''
 AND NOT EXISTS (SELECT 1 FROM import_users s WHERE s.integration_id = u.integration_id AND s.object_id = u.external_id AND s.incoming)
 ON CONFLICT DO NOTHING`,
			args: []any{mark, ref.OrganizationID, ref.IntegrationID},
		})
}

// SettleUsers lets what a round has read of users count, and forgets what makes no difference: users who are as the mirror has
// them, and those who are gone or out of scope and never were in the mirror. Whom the next run has to look at already stays.
func (tx *Tx) SettleUsers(ref model.Ref, scope ImportScope) {
	mine := []any{ref.OrganizationID, ref.IntegrationID}
	const of = " WHERE organization_id = ? AND integration_id = ?"
	const row = " AND EXISTS (SELECT 1 FROM directory_users u WHERE u.id = import_users.user_id AND u.integration_id = import_users.integration_id AND "
	const other = " AND EXISTS (SELECT 1 FROM import_users s WHERE s.integration_id = import_users.integration_id AND s.object_id = import_users.object_id AND "
	for _, same := range []string{
		" AND incoming AND gone = '' AND document IS NOT NULL" + row + "u.document = import_users.document AND u.user_name_key = import_users.user_name_key)",
		" AND incoming AND gone = 'recycled'" + row + tombstone + ")",
	} {
		tx.buffer(
			statement{sql: "UPDATE import_users SET document = NULL, user_name_key = '', gone = ''" + of + same + other + "NOT s.incoming)", args: mine},
			statement{sql: "DELETE FROM import_users" + of + same, args: mine})
	}
	const stranger = " AND NOT EXISTS (SELECT 1 FROM directory_users u WHERE u.id = import_users.user_id)"
	tx.buffer(
		statement{sql: "DELETE FROM import_users" + of + " AND NOT incoming" + other + "s.incoming)", args: mine},
		statement{sql: "UPDATE import_users SET incoming = false" + of + " AND incoming", args: mine},
		statement{sql: "DELETE FROM import_users" + of + " AND (gone <> '' OR document IS NULL)" + stranger, args: mine})
	if !scope.Everyone {
		tx.buffer(statement{
			sql:  "DELETE FROM import_users" + of + stranger + " AND NOT " + tx.memberOf("import_users.object_id", scope),
			args: append(mine[:2:2], ref.IntegrationID, tx.list(scope.GroupIDs)),
		})
	}
}

// Concern has the run look at everybody of the mirror whose groups are not as the round has read them, and at the members of some
// groups of which something else has changed. touched names the groups of which the round has read members, fully those that it has
// read from the beginning.
func (tx *Tx) Concern(ref model.Ref, round int64, touched, changed, fully []string) {
	touched, changed, fully = validIDs(touched), validIDs(changed), validIDs(fully)
	const insert = `INSERT INTO import_users (integration_id, object_id, incoming, organization_id, user_id, user_name_key, document, gone, doubt, seen)
 SELECT DISTINCT u.integration_id, u.external_id, false, u.organization_id, u.id, '', `
	null := "NULL"
	if tx.s.dialect == postgres {
		null = "NULL::jsonb"
	}
	const rest = `, '', false, 0 FROM `
	const members = `import_members m JOIN directory_users u ON u.integration_id = m.integration_id AND u.external_id = m.member_id AND u.external_id <> ''
 WHERE m.organization_id = ? AND m.integration_id = ? AND NOT m.nested AND `
	const has = "EXISTS (SELECT 1 FROM memberships x WHERE x.group_id = m.group_id AND x.member_id = u.id)"
	const conflict = " ON CONFLICT DO NOTHING"
	mine := []any{ref.OrganizationID, ref.IntegrationID}
	if len(touched) > 0 {
		of := members + "m.group_id" + tx.anyOf("uuid", touched)
		tx.buffer(
			statement{
				sql:  insert + null + rest + of + " AND m.round = ? AND NOT m.leaving AND NOT " + has + conflict,
				args: append(mine[:2:2], tx.list(touched), round),
			},
			statement{sql: insert + null + rest + of + " AND m.leaving AND " + has + conflict, args: append(mine[:2:2], tx.list(touched))})
	}
	if len(changed) > 0 {
		tx.buffer(statement{
			sql: insert + null + rest + members + "m.group_id" + tx.anyOf("uuid", changed) + conflict, args: append(mine[:2:2], tx.list(changed)),
		}, statement{
			sql: insert + null + rest + `memberships m JOIN directory_users u ON u.id = m.member_id
 WHERE m.organization_id = ? AND m.integration_id = ? AND m.group_id` + tx.anyOf("uuid", changed) + conflict,
			args: append(mine[:2:2], tx.list(changed)),
		})
	}
	if len(fully) > 0 {
		tx.buffer(statement{
			sql: insert + null + rest + `memberships m JOIN directory_users u ON u.id = m.member_id
 WHERE m.organization_id = ? AND m.integration_id = ? AND m.group_id` + tx.anyOf("uuid", fully) + ` AND NOT EXISTS (SELECT 1 FROM import_members s
 WHERE s.group_id = m.group_id AND s.member_id = u.external_id AND NOT s.leaving)` + conflict,
			args: append(mine[:2:2], tx.list(fully)),
		})
	}
}

// SettleMembers lets what a round has read of groups and members count.
func (tx *Tx) SettleMembers(ref model.Ref, round int64) {
	mine := []any{ref.OrganizationID, ref.IntegrationID}
	const of = " WHERE organization_id = ? AND integration_id = ?"
	tx.buffer(
		statement{
			sql: `UPDATE import_groups SET members = (SELECT count(*) FROM import_members m WHERE m.group_id = import_groups.group_id AND NOT m.leaving)` + of +
				" AND touched = ?",
			args: append(mine[:2:2], round),
		},
		statement{
			sql: "DELETE FROM import_members" + of + ` AND leaving AND group_id IN (SELECT g.group_id FROM import_groups g
 WHERE g.integration_id = ? AND g.touched = ?)`,
			args: append(mine[:2:2], ref.IntegrationID, round),
		},
		statement{
			sql:  "UPDATE import_groups SET display_name = new_name, gone = new_gone" + of + " AND (display_name <> new_name OR gone <> new_gone)",
			args: mine,
		})
}
