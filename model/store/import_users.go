package store

import (
	"slices"

	"usher/model"
)

// ImportScope says whom a round takes: everyone, or the members of groups.
type ImportScope struct {
	Everyone bool
	GroupIDs []string // of ImportGroup, whose direct members are taken
}

// memberOf is a condition that a user, named by a column, is in scope as far as the round has read. It has three arguments.
func (r *Reader) memberOf(column string, scope ImportScope) string {
	return "EXISTS (SELECT 1 FROM import_members m WHERE m.integration_id = " + r.typed("uuid") + " AND m.member_id = " + column +
		" AND m.group_id" + r.anyOf("uuid", scope.GroupIDs) + " AND NOT m.nested AND NOT m.leaving)"
}

// mirrored is a condition that a user, named by a column, is in the mirror. It has one argument.
func (r *Reader) mirrored(column string) string {
	return "EXISTS (SELECT 1 FROM directory_users u WHERE u.integration_id = " + r.typed("uuid") + " AND u.external_id = " + column +
		" AND u.external_id <> '')"
}

// StageUsers notes what a round has read of users, under a mark. Those who are neither in scope nor known are passed over, as are
// removed ones who are not known.
func (tx *Tx) StageUsers(ref model.Ref, mark int64, scope ImportScope, list []model.ImportUser) error {
	if len(list) == 0 {
		return nil
	}
	rows := make([][]any, len(list))
	for i := range list {
		u := &list[i]
		row := []any{u.ObjectID, NewID(), u.UserNameKey, nil, string(u.Gone)}
		if u.Document != nil {
			raw, err := u.Document.Raw()
			if err != nil {
				return err
			}
			row[3] = string(raw)
		}
		rows[i] = row
	}
	from, fromArgs := tx.rowsAs("object_id user_id user_name_key document gone", "text uuid text text text", rows)
	document := "x.document"
	if tx.s.dialect == postgres {
		document += "::jsonb"
	}
	args := []any{ref.IntegrationID, ref.OrganizationID, ref.IntegrationID, ref.IntegrationID, mark}
	args = append(args, fromArgs...)
	where := tx.mirrored("x.object_id") + " OR EXISTS (SELECT 1 FROM import_users s WHERE s.integration_id = " + tx.typed("uuid") +
		" AND s.object_id = x.object_id)"
	args = append(args, ref.IntegrationID, ref.IntegrationID)
	if scope.Everyone {
		where += " OR x.gone = ''"
	} else {
		where += " OR x.gone = '' AND " + tx.memberOf("x.object_id", scope)
		args = append(args, ref.IntegrationID, tx.list(scope.GroupIDs))
	}
	tx.buffer(statement{
		sql: `INSERT INTO import_users (integration_id, object_id, incoming, organization_id, user_id, user_name_key, document, gone, doubt, seen)
 SELECT ` + tx.typed("uuid") + ", x.object_id, true, " + tx.typed("uuid") + `, coalesce(
 (SELECT u.id FROM directory_users u WHERE u.integration_id = ` + tx.typed("uuid") + ` AND u.external_id = x.object_id AND u.external_id <> ''
 ORDER BY u.id LIMIT 1),
 (SELECT s.user_id FROM import_users s WHERE s.integration_id = ` + tx.typed("uuid") + ` AND s.object_id = x.object_id AND NOT s.incoming), x.user_id),
 x.user_name_key, ` + document + ", x.gone, false, " + tx.typed("bigint") + " FROM " + from + " WHERE " + where + `
 ON CONFLICT (integration_id, object_id, incoming) DO UPDATE SET document = excluded.document, gone = excluded.gone, seen = excluded.seen,
 user_name_key = excluded.user_name_key, doubt = import_users.doubt OR import_users.gone <> excluded.gone
 WHERE import_users.organization_id = excluded.organization_id`,
		args: args,
	})
	return nil
}

// ConfirmUsers notes what a look at users by id has found. Those who are there have been staged; the others, if they are known,
// count as deleted.
func (tx *Tx) ConfirmUsers(ref model.Ref, mark int64, looked, absent []string) {
	tx.buffer(statement{
		sql: "UPDATE import_users SET doubt = false, seen = ? WHERE organization_id = ? AND integration_id = ? AND incoming AND object_id" +
			tx.anyOf("text", looked),
		args: []any{mark, ref.OrganizationID, ref.IntegrationID, tx.list(looked)},
	})
	if len(absent) == 0 {
		return
	}
	rows := make([][]any, len(absent))
	for i, id := range absent {
		rows[i] = []any{id}
	}
	from, args := tx.rowsAs("object_id", "text", rows)
	tx.buffer(statement{
		sql: `INSERT INTO import_users (integration_id, object_id, incoming, organization_id, user_id, user_name_key, document, gone, doubt, seen)
 SELECT u.integration_id, u.external_id, true, u.organization_id, u.id, '', NULL, 'recycled', false, ` + tx.typed("bigint") + `
 FROM ` + from + ` JOIN directory_users u ON u.external_id = x.object_id AND u.external_id <> ''
 WHERE u.organization_id = ? AND u.integration_id = ? AND NOT (` + tombstone + `)
 ON CONFLICT (integration_id, object_id, incoming) DO UPDATE SET document = NULL, user_name_key = '', doubt = false, seen = excluded.seen,
 gone = CASE WHEN import_users.gone = '' THEN excluded.gone ELSE import_users.gone END
 WHERE import_users.organization_id = excluded.organization_id`,
		args: append(append([]any{mark}, args...), ref.OrganizationID, ref.IntegrationID),
	}, statement{
		sql: "DELETE FROM import_users WHERE organization_id = ? AND integration_id = ? AND incoming AND object_id" + tx.anyOf("text", absent) +
			" AND NOT EXISTS (SELECT 1 FROM directory_users u WHERE u.id = import_users.user_id)",
		args: []any{ref.OrganizationID, ref.IntegrationID, tx.list(absent)},
	})
}

// StageRecycled notes that users stand among the deleted ones: of those who are known, the ones that the round has not read to be
// there are deleted, and the others are doubtful.
func (tx *Tx) StageRecycled(ref model.Ref, mark int64, objectIDs []string) {
	if len(objectIDs) == 0 {
		return
	}
	rows := make([][]any, len(objectIDs))
	for i, id := range objectIDs {
		rows[i] = []any{id}
	}
	from, args := tx.rowsAs("object_id", "text", rows)
	tx.buffer(statement{
		sql: `INSERT INTO import_users (integration_id, object_id, incoming, organization_id, user_id, user_name_key, document, gone, doubt, seen)
 SELECT u.integration_id, u.external_id, true, u.organization_id, u.id, '', NULL, 'recycled', u.active, ` + tx.typed("bigint") + `
 FROM ` + from + ` JOIN directory_users u ON u.external_id = x.object_id AND u.external_id <> ''
 WHERE u.organization_id = ? AND u.integration_id = ?
 ON CONFLICT (integration_id, object_id, incoming) DO UPDATE SET doubt = import_users.doubt OR import_users.gone = ''
 WHERE import_users.organization_id = excluded.organization_id`,
		args: append(append([]any{mark}, args...), ref.OrganizationID, ref.IntegrationID),
	})
}

// scopeMembers selects, as id, the object ids behind one of whoever is in scope as far as the round has read.
func (r *Reader) scopeMembers(ref model.Ref, scope ImportScope, after string) (string, []any) {
	ids := validIDs(scope.GroupIDs)
	return "SELECT m.member_id AS id FROM import_members m WHERE m.integration_id = ? AND " + r.beside("m.organization_id") +
			" AND m.member_id > ? AND m.group_id" + r.anyOf("uuid", ids) + " AND NOT m.nested AND NOT m.leaving",
		[]any{ref.IntegrationID, ref.OrganizationID, after, r.list(ids)}
}

// CountInScope counts who is in scope as far as the round has read, up to a number.
func (r *Reader) CountInScope(ref model.Ref, scope ImportScope, most int) (int, error) {
	query, args := r.scopeMembers(ref, scope, "")
	return r.countOf("SELECT DISTINCT id FROM ("+query+") AS members"+limited(most), args...)
}

func (r *Reader) countOf(query string, args ...any) (int, error) {
	n := 0
	err := r.query(statement{
		sql: "SELECT count(*) FROM (" + query + ") AS counted", args: args,
		scan: func(row scanner) error { return row.Scan(&n) },
	})
	return n, translate(err)
}

// KnownAfter gives a page of the object ids of whoever is in scope, as far as the round has read, or in the mirror. It goes from one
// member to the next in the index, since each of them is a member of many groups.
func (r *Reader) KnownAfter(ref model.Ref, scope ImportScope, after string, limit int) ([]string, error) {
	var ids []string
	groups := validIDs(scope.GroupIDs)
	next := func(after string) string {
		return "(SELECT m.member_id FROM import_members m WHERE m.integration_id = " + r.typed("uuid") + " AND " + r.beside("m.organization_id") +
			" AND m.member_id > " + after + " AND (m.group_id" + r.anyOf("uuid", groups) +
			") IS TRUE AND NOT m.nested AND NOT m.leaving ORDER BY m.member_id LIMIT 1)"
	}
	args := func(after ...any) []any {
		return append(append([]any{ref.IntegrationID, ref.OrganizationID}, after...), r.list(groups))
	}
	err := r.query(statement{
		sql: "WITH RECURSIVE members(id) AS (SELECT " + next(r.typed("text")) + " AS id UNION ALL SELECT " + next("members.id") +
			" FROM members WHERE members.id IS NOT NULL) SELECT id FROM (SELECT id FROM (SELECT id FROM members WHERE id IS NOT NULL LIMIT ?) AS scope" +
			" UNION SELECT id FROM (SELECT u.external_id AS id FROM directory_users u WHERE u.integration_id = ? AND " +
			r.beside("u.organization_id") + " AND u.external_id > ? AND u.external_id <> '' ORDER BY id LIMIT ?) AS mirror) AS known ORDER BY id LIMIT ?",
		args: slices.Concat(args(after), args(), []any{limit, ref.IntegrationID, ref.OrganizationID, after, limit, limit}),
		scan: scanTexts(&ids),
	})
	return ids, translate(err)
}

// missing selects the members in scope that neither the mirror nor the round has.
func (r *Reader) missing(ref model.Ref, scope ImportScope, after string) (string, []any) {
	query, args := r.scopeMembers(ref, scope, after)
	return "SELECT DISTINCT id FROM (" + query + " AND NOT " + r.mirrored("m.member_id") +
			" AND NOT EXISTS (SELECT 1 FROM import_users s WHERE s.integration_id = " + r.typed("uuid") + " AND s.object_id = m.member_id)) AS missing",
		append(args, ref.IntegrationID, ref.IntegrationID)
}

// CountMissing counts the members in scope that neither the mirror nor the round has, up to a number.
func (r *Reader) CountMissing(ref model.Ref, scope ImportScope, most int) (int, error) {
	query, args := r.missing(ref, scope, "")
	return r.countOf(query+limited(most), args...)
}

// MissingAfter gives a page of the object ids of the members in scope that neither the mirror nor the round has.
func (r *Reader) MissingAfter(ref model.Ref, scope ImportScope, after string, limit int) ([]string, error) {
	var ids []string
	query, args := r.missing(ref, scope, after)
	err := r.query(statement{sql: query + " ORDER BY id LIMIT ?", args: append(args, limit), scan: scanTexts(&ids)})
	return ids, translate(err)
}

// DoubtfulAfter gives a page of the object ids of users that the round has read to be there and not to be there; of those in the
// mirror that have the user name of somebody else; and, with tombstones, of those that the mirror has as deleted.
func (r *Reader) DoubtfulAfter(ref model.Ref, tombstones bool, after string, limit int) ([]string, error) {
	var ids []string
	query := `SELECT s.object_id AS id FROM import_users s WHERE s.organization_id = ? AND s.integration_id = ? AND s.incoming AND s.doubt AND s.object_id > ?
 UNION SELECT h.external_id FROM import_users s JOIN directory_users h ON h.user_name_key = s.user_name_key AND h.integration_id = s.integration_id
 WHERE s.organization_id = ? AND s.integration_id = ? AND s.incoming AND s.user_name_key <> '' AND h.external_id > ? AND h.external_id <> s.object_id
 AND NOT EXISTS (SELECT 1 FROM import_users o WHERE o.integration_id = s.integration_id AND o.object_id = h.external_id AND o.incoming)`
	args := []any{ref.OrganizationID, ref.IntegrationID, after, ref.OrganizationID, ref.IntegrationID, after}
	if tombstones {
		query += ` UNION SELECT u.external_id FROM directory_users u WHERE u.organization_id = ? AND u.integration_id = ? AND u.external_id > ? AND ` + tombstone
		args = append(args, ref.OrganizationID, ref.IntegrationID, after)
	}
	err := r.query(statement{sql: "SELECT id FROM (" + query + ") AS doubtful ORDER BY id LIMIT ?", args: append(args, limit), scan: scanTexts(&ids)})
	return ids, translate(err)
}
