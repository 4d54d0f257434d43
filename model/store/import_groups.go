package store

import (
	"usher/model"
)

// ImportGroups gives the groups of the tenant that are read, in the order of their object ids.
func (r *Reader) ImportGroups(ref model.Ref) ([]model.ImportGroup, error) {
	db, err := r.orm()
	if err != nil {
		return nil, translate(err)
	}
	var list []model.ImportGroup
	err = db.Where("organization_id = ? AND integration_id = ?", ref.OrganizationID, ref.IntegrationID).Order("object_id").Find(&list).Error
	return list, translate(err)
}

// ImportGroupsOf gives the groups that one delta reads, in the order of their object ids.
func (r *Reader) ImportGroupsOf(ref model.Ref, linkID string) ([]model.ImportGroup, error) {
	db, err := r.orm()
	if err != nil || !ValidID(linkID) {
		return nil, translate(err)
	}
	var list []model.ImportGroup
	err = db.Where("organization_id = ? AND integration_id = ? AND link_id = ?", ref.OrganizationID, ref.IntegrationID, linkID).
		Order("object_id").Find(&list).Error
	return list, translate(err)
}

// AddImportGroups adds groups to those that are read. A group that the mirror has keeps its id.
func (tx *Tx) AddImportGroups(ref model.Ref, linkID string, root bool, objectIDs []string) {
	rows := make([][]any, len(objectIDs))
	for i, id := range objectIDs {
		rows[i] = []any{id, NewID()}
	}
	from, args := tx.rowsAs("object_id group_id", "text uuid", rows)
	tx.buffer(statement{
		sql: `INSERT INTO import_groups (integration_id, object_id, organization_id, group_id, link_id, root, display_name, gone, members,
 seen, touched, new_name, new_gone)
 SELECT ` + tx.typed("uuid") + ", x.object_id, " + tx.typed("uuid") + `, coalesce((SELECT g.id FROM directory_groups g
 WHERE g.external_id = x.object_id AND g.external_id <> '' AND g.integration_id = ` + tx.typed("uuid") + ` ORDER BY g.id LIMIT 1), x.group_id),
 ` + tx.typed("uuid") + ", " + tx.typed("boolean") + ", '', '', 0, 0, 0, '', '' FROM " + from + ` WHERE true
 ON CONFLICT (integration_id, object_id) DO NOTHING`,
		args: append([]any{ref.IntegrationID, ref.OrganizationID, ref.IntegrationID, linkID, root}, args...),
	})
}

// UpdateImportGroups stores what a round has read of groups, and whether the settings name them.
func (tx *Tx) UpdateImportGroups(list []model.ImportGroup) {
	for i := range list {
		g := &list[i]
		tx.buffer(statement{
			sql: "UPDATE import_groups SET root = ?, seen = ?, touched = ?, new_name = ?, new_gone = ? WHERE organization_id = ? AND integration_id = ? AND object_id = ?",
			args: []any{
				g.Root, g.Seen, g.Touched, g.NewName, g.NewGone, g.OrganizationID, g.IntegrationID, g.ObjectID,
			},
		})
	}
}

// DeleteImportGroups forgets groups that are not read any more, with their members.
func (tx *Tx) DeleteImportGroups(ref model.Ref, groupIDs []string) {
	if groupIDs = validIDs(groupIDs); len(groupIDs) == 0 {
		return
	}
	tx.buffer(
		statement{
			sql:  "DELETE FROM import_members WHERE organization_id = ? AND integration_id = ? AND group_id" + tx.anyOf("uuid", groupIDs),
			args: []any{ref.OrganizationID, ref.IntegrationID, tx.list(groupIDs)},
		},
		statement{
			sql:  "DELETE FROM import_groups WHERE organization_id = ? AND integration_id = ? AND group_id" + tx.anyOf("uuid", groupIDs),
			args: []any{ref.OrganizationID, ref.IntegrationID, tx.list(groupIDs)},
		})
}

// StageMembers notes who a round has read to be a member, under a mark, and who not to be any more.
func (tx *Tx) StageMembers(ref model.Ref, round, mark int64, joined, left []model.ImportMember) {
	if len(joined) > 0 {
		from, args := tx.rowsAs("group_id member_id nested", "uuid text boolean", memberRows(joined))
		tx.buffer(statement{
			sql: `INSERT INTO import_members (group_id, member_id, organization_id, integration_id, nested, round, leaving, seen)
 SELECT x.group_id, x.member_id, ` + tx.typed("uuid") + ", " + tx.typed("uuid") + ", x.nested, " + tx.typed("bigint") + ", false, " +
				tx.typed("bigint") + " FROM " + from + ` WHERE true
 ON CONFLICT (group_id, member_id) DO UPDATE SET seen = excluded.seen, leaving = false
 WHERE import_members.organization_id = excluded.organization_id AND import_members.integration_id = excluded.integration_id`,
			args: append([]any{ref.OrganizationID, ref.IntegrationID, round, mark}, args...),
		})
	}
	if len(left) > 0 {
		from, args := tx.rowsAs("group_id member_id nested", "uuid text boolean", memberRows(left))
		tx.leaving(ref, round, " AND (group_id, member_id) IN (SELECT x.group_id, x.member_id FROM "+from+")", args)
	}
}

// leaving has members leave: those who joined in the round are forgotten, the others count until it ends.
func (tx *Tx) leaving(ref model.Ref, round int64, who string, args []any) {
	mine := []any{ref.OrganizationID, ref.IntegrationID}
	const of = " WHERE organization_id = ? AND integration_id = ?"
	tx.buffer(
		statement{sql: "DELETE FROM import_members" + of + " AND round = ?" + who, args: append(append(mine[:2:2], round), args...)},
		statement{sql: "UPDATE import_members SET leaving = true" + of + who, args: append(mine[:2:2], args...)})
}

func memberRows(list []model.ImportMember) [][]any {
	rows := make([][]any, len(list))
	for i, m := range list {
		rows[i] = []any{m.GroupID, m.Member, m.Nested}
	}
	return rows
}

// SweepMembers notes that whoever a reading from the beginning has not found is no member of the groups any more.
func (tx *Tx) SweepMembers(ref model.Ref, round int64, groupIDs []string, mark int64) {
	groupIDs = validIDs(groupIDs)
	tx.leaving(ref, round, " AND group_id"+tx.anyOf("uuid", groupIDs)+" AND seen <> ?", []any{tx.list(groupIDs), mark})
}

// ImportEdge says that a group is nested in another one.
type ImportEdge struct {
	GroupID string // of the outer one
	Member  string // object id of the inner one
	Round   int64  // that it joined in
	Leaving bool   // in the round under way
}

// ImportEdges gives which of the groups that are read have groups as members.
func (r *Reader) ImportEdges(ref model.Ref) ([]ImportEdge, error) {
	var list []ImportEdge
	err := r.query(statement{
		sql: "SELECT group_id, member_id, round, leaving FROM import_members WHERE integration_id = ? AND nested AND " + r.beside("organization_id") +
			" ORDER BY group_id, member_id",
		args: []any{ref.IntegrationID, ref.OrganizationID},
		scan: func(row scanner) error {
			return scanAppend(row, &list, func(r scanner, e *ImportEdge) error { return r.Scan(&e.GroupID, &e.Member, &e.Round, &e.Leaving) })
		},
	})
	return list, translate(err)
}

// NestedGroups gives, of the mirror, which groups are members of which.
func (r *Reader) NestedGroups(ref model.Ref) (edges []ImportEdge, groups map[string]model.GroupRef, err error) {
	groups = map[string]model.GroupRef{}
	memberships := "memberships m WHERE m.member_id = g.id AND"
	if r.s.dialect == postgres {
		memberships = "LATERAL (SELECT m.group_id, m.member_id FROM memberships m WHERE m.member_id = g.id OFFSET 0) AS m WHERE"
	}
	err = r.query(
		statement{
			sql:  "SELECT id, external_id, display_name FROM directory_groups WHERE organization_id = ? AND integration_id = ?",
			args: []any{ref.OrganizationID, ref.IntegrationID},
			scan: func(row scanner) error {
				var g model.GroupRef
				err := row.Scan(&g.ID, &g.ExternalID, &g.DisplayName)
				groups[g.ID] = g
				return err
			},
		},
		statement{
			// One search for each group: a join may read all memberships.
			sql: "SELECT m.group_id, m.member_id FROM directory_groups g CROSS JOIN " + memberships + `
 g.organization_id = ? AND g.integration_id = ? ORDER BY m.group_id, m.member_id`,
			args: []any{ref.OrganizationID, ref.IntegrationID},
			scan: func(row scanner) error {
				return scanAppend(row, &edges, func(r scanner, e *ImportEdge) error { return r.Scan(&e.GroupID, &e.Member) })
			},
		})
	return edges, groups, translate(err)
}
