package store

import (
	"slices"

	"usher/model"
)

const groupColumns = `id, organization_id, integration_id, display_name, display_name_key, external_id, document, version,
 created_at, updated_at, pending_members`

func scanGroup(r scanner, g *model.DirectoryGroup) error {
	err := r.Scan(&g.ID, &g.OrganizationID, &g.IntegrationID, &g.DisplayName, &g.DisplayNameKey, &g.ExternalID, &g.Document,
		&g.Version, &g.CreatedAt, &g.UpdatedAt, &g.PendingMembers)
	g.CreatedAt, g.UpdatedAt = g.CreatedAt.UTC(), g.UpdatedAt.UTC()
	return err
}

// DirectoryGroup reads one group of the mirror.
func (r *Reader) DirectoryGroup(ref model.Ref, id string) (model.DirectoryGroup, error) {
	return r.directoryGroup(ref, id, "", "", nil, nil)
}

// GroupWithMembers reads one group and, in the same round trip, its members in the order of their ids: at most so many.
func (r *Reader) GroupWithMembers(ref model.Ref, id string, most int) (model.DirectoryGroup, []model.Member, error) {
	var members []model.Member
	g, err := r.directoryGroup(ref, id, "", "", nil, []statement{r.membersAfter(ref, id, firstID, most, &members)})
	return g, members, err
}

// LockGroup reads one group and keeps other writers of it out until the transaction ends; it also holds the settings and
// gives their version, as HoldSettings does, in the same statement. Steps by which the caller is going to change the members
// may be given: the first of them is taken in that round trip too, and AddMembers or RemoveMembers gives what it did. A caller
// that then does not take it must fail.
func (tx *Tx) LockGroup(ref model.Ref, id string, steps []model.MemberOp) (g model.DirectoryGroup, version int64, err error) {
	after := tx.stepAhead(ref, id, steps)
	g, err = tx.directoryGroup(ref, id, versionOf("directory_groups"), tx.forUpdate(), tx.holdLocks(ref.OrganizationID), after, &version)
	if err == nil {
		tx.s.groups.learn(&g)
		tx.learnName(g.ID, g.DisplayName)
	}
	return g, version, err
}

// versionOf is a column more: the version of the settings of the organization that a row is of. It costs less than a statement.
func versionOf(table string) string {
	return ", (SELECT settings_version FROM organizations WHERE id = " + table + ".organization_id)"
}

func (r *Reader) directoryGroup(ref model.Ref, id, columns, lock string, before, after []statement, into ...any) (model.DirectoryGroup, error) {
	var groups []model.DirectoryGroup
	if !ValidID(id) {
		return model.DirectoryGroup{}, notFound("group", id)
	}
	err := r.query(append(append(before, statement{
		sql:  "SELECT " + groupColumns + columns + " FROM directory_groups WHERE organization_id = ? AND integration_id = ? AND id = ?" + lock,
		args: []any{ref.OrganizationID, ref.IntegrationID, id}, quick: true,
		scan: func(row scanner) error { return scanAppend(more{row, into}, &groups, scanGroup) },
	}), after...)...)
	if err == nil && len(groups) == 0 {
		err = notFound("group", id)
	}
	if err != nil {
		return model.DirectoryGroup{}, translate(err)
	}
	return groups[0], nil
}

// DirectoryGroupsAfter reads a page of the groups in the order of ids.
func (r *Reader) DirectoryGroupsAfter(ref model.Ref, after string, limit int) ([]model.DirectoryGroup, error) {
	if after == "" {
		after = firstID
	}
	if !ValidID(after) {
		return nil, model.FieldErrorf(model.Invalid, "after", "is not a cursor of this list")
	}
	var groups []model.DirectoryGroup
	err := r.query(statement{
		sql: "SELECT " + groupColumns + " FROM directory_groups WHERE organization_id = ? AND integration_id = ? AND id > ?" +
			" ORDER BY id LIMIT ?",
		args: []any{ref.OrganizationID, ref.IntegrationID, after, limit},
		scan: func(row scanner) error { return scanAppend(row, &groups, scanGroup) },
	})
	return groups, translate(err)
}

// InsertDirectoryGroup stores a new group; its ID, Version and times are set here.
func (tx *Tx) InsertDirectoryGroup(g *model.DirectoryGroup) error {
	if g.ID == "" {
		g.ID = NewID()
	}
	tx.s.groups.learn(g)
	g.Version, g.CreatedAt, g.UpdatedAt = 1, tx.now, tx.now
	raw, err := g.Document.Raw()
	if err != nil {
		return err
	}
	tx.buffer(statement{
		into: "directory_groups",
		sql:  "INSERT INTO directory_groups (" + groupColumns + ") VALUES (?,?,?,?,?,?,?,?,?,?,?)",
		args: []any{
			g.ID, g.OrganizationID, g.IntegrationID, g.DisplayName, g.DisplayNameKey, g.ExternalID, string(raw),
			g.Version, g.CreatedAt, g.UpdatedAt, g.PendingMembers,
		},
	})
	return nil
}

// UpdateDirectoryGroup writes a group whose row is locked, under the next version.
func (tx *Tx) UpdateDirectoryGroup(g *model.DirectoryGroup) error {
	g.Version++
	g.UpdatedAt = tx.now
	tx.s.groups.learn(g)
	raw, err := g.Document.Raw()
	if err != nil {
		return err
	}
	tx.rename("directory_groups", g.ID, g.DisplayName)
	tx.buffer(statement{
		into: "directory_groups",
		sql: `UPDATE directory_groups SET display_name = ?, display_name_key = ?, external_id = ?, document = ?, version = ?,
 updated_at = ?, pending_members = ? WHERE organization_id = ? AND integration_id = ? AND id = ?`,
		args: []any{
			g.DisplayName, g.DisplayNameKey, g.ExternalID, string(raw), g.Version, g.UpdatedAt, g.PendingMembers, g.OrganizationID, g.IntegrationID,
			g.ID,
		},
		affected: exactlyOne("group", g.ID), locked: true,
	})
	return nil
}

// TouchDirectoryGroup gives a group whose members changed its next version.
func (tx *Tx) TouchDirectoryGroup(g *model.DirectoryGroup) {
	g.UpdatedAt = tx.now
	if tx.touched != nil && tx.touched.id == g.ID && tx.touched.into == nil {
		tx.touched.into = g
		return
	}
	g.Version++
	tx.buffer(statement{
		into: "directory_groups",
		sql: `UPDATE directory_groups SET version = ?, updated_at = ?, pending_members = ? WHERE organization_id = ?
 AND integration_id = ? AND id = ?`,
		args:     []any{g.Version, g.UpdatedAt, g.PendingMembers, g.OrganizationID, g.IntegrationID, g.ID},
		affected: exactlyOne("group", g.ID), locked: true,
	})
}

// DeleteDirectoryGroup removes a group, its memberships, whom it awaited, and it as a member of other groups. The row goes
// first, as that of a user does.
func (tx *Tx) DeleteDirectoryGroup(g *model.DirectoryGroup) {
	tx.buffer(
		statement{
			sql:      "DELETE FROM directory_groups WHERE organization_id = ? AND integration_id = ? AND id = ?",
			args:     []any{g.OrganizationID, g.IntegrationID, g.ID},
			affected: exactlyOne("group", g.ID),
		},
		tx.touchGroupsOf(g.OrganizationID, g.IntegrationID, g.ID),
		statement{sql: "DELETE FROM memberships WHERE group_id = ?", args: []any{g.ID}},
		statement{sql: "DELETE FROM memberships WHERE member_id = ?", args: []any{g.ID}},
	)
	if g.PendingMembers > 0 {
		tx.buffer(statement{
			sql:  "DELETE FROM pending_members WHERE organization_id = ? AND integration_id = ? AND group_id = ?",
			args: []any{g.OrganizationID, g.IntegrationID, g.ID},
		})
	}
}

// AddMembers adds those of values that are ids of users or groups of the integration and are not members yet, and gives
// them. It also gives the values that are the id of no such user or group. The cost does not depend on the size of the
// group.
func (tx *Tx) AddMembers(ref model.Ref, groupID string, values []string) (added []model.Member, unknown []string, err error) {
	ids := validIDs(values)
	if !ValidID(groupID) {
		return nil, nil, nil
	}
	if len(ids) == 0 {
		return nil, values, nil
	}
	if members, ok := tx.taken(model.MembersAdd, groupID, values); ok {
		added = members
	} else if err := tx.query(tx.insertMembers(ref, groupID, ids, model.MemberUser, &added)); err != nil {
		return nil, nil, translate(err)
	}
	if len(added) == len(values) {
		return added, nil, nil
	}
	is := map[string]bool{groupID: true} // no group is a member of itself
	err = tx.query(tx.insertMembers(ref, groupID, ids, model.MemberGroup, &added), statement{
		sql: "SELECT member_id FROM memberships WHERE " + tx.beside("organization_id") + " AND " + tx.beside("integration_id") +
			" AND group_id = ? AND member_id" + tx.anyOf("uuid", ids),
		args: []any{ref.OrganizationID, ref.IntegrationID, groupID, tx.list(ids)},
		scan: func(row scanner) error {
			var id string
			err := row.Scan(&id)
			is[id] = true
			return err
		},
	})
	for _, v := range values {
		if !is[v] {
			unknown = append(unknown, v)
		}
	}
	return added, unknown, translate(err)
}

// insertMembers makes those of ids that are users, or groups, of the integration members of a group of it.
func (tx *Tx) insertMembers(ref model.Ref, groupID string, ids []string, kind model.MemberType, added *[]model.Member) statement {
	table, order := "directory_users", ""
	if kind == model.MemberGroup {
		table = "directory_groups"
	}
	if len(ids) > 1 { // those that add the same people lock them in one order
		order = " ORDER BY t.id"
	}
	return statement{
		sql: `INSERT INTO memberships (group_id, member_id, organization_id, integration_id, member_type, display)
 SELECT ` + tx.typed("uuid") + `, t.id, t.organization_id, t.integration_id, '` + string(kind) + `', t.display_name FROM ` + table + ` t
 WHERE t.organization_id = ? AND t.integration_id = ? AND t.id` + tx.anyOf("uuid", ids) + ` AND t.id <> ` + tx.typed("uuid") + `
 AND EXISTS (SELECT 1 FROM directory_groups g WHERE g.id = ` + tx.typed("uuid") + ` AND g.organization_id = t.organization_id
 AND g.integration_id = t.integration_id)` + order + tx.forShare() + ` ON CONFLICT DO NOTHING RETURNING member_id`,
		args: []any{groupID, ref.OrganizationID, ref.IntegrationID, tx.list(ids), groupID, groupID},
		scan: func(row scanner) error {
			m := model.Member{Type: kind}
			err := row.Scan(&m.ID)
			*added = append(*added, m)
			return err
		},
	}
}

// typed gives a placeholder, with its type where PostgreSQL cannot see it from the context.
func (r *Reader) typed(kind string) string {
	if r.s.dialect == postgres {
		return "?::" + kind
	}
	return "?"
}

// forShare keeps the rows from being deleted until the transaction ends.
func (r *Reader) forShare() string {
	if r.s.dialect == postgres {
		return " FOR KEY SHARE OF t"
	}
	return ""
}

// RemoveMembers removes those of values that are ids of members, and gives them.
func (tx *Tx) RemoveMembers(groupID string, values []string) ([]model.Member, error) {
	if members, ok := tx.taken(model.MembersRemove, groupID, values); ok {
		return members, nil
	}
	ids := validIDs(values)
	if len(ids) == 0 || !ValidID(groupID) {
		return nil, nil
	}
	var removed []model.Member
	err := tx.query(tx.removeMembers(groupID, ids, &removed))
	return removed, translate(err)
}

func (tx *Tx) removeMembers(groupID string, ids []string, removed *[]model.Member) statement {
	return deleteMembers("group_id = ? AND member_id"+tx.anyOf("uuid", ids), removed, groupID, tx.list(ids))
}

// KeepMembers removes every member that is not among ids, and gives those removed.
func (tx *Tx) KeepMembers(groupID string, ids []string) ([]model.Member, error) {
	if !ValidID(groupID) {
		return nil, nil
	}
	var removed []model.Member
	keep := validIDs(ids)
	// An anti join and not "<> ALL", which under a plan made for any list compares every member with every id.
	st := deleteMembers("group_id = ? AND NOT EXISTS (SELECT 1 FROM unnest(?::uuid[]) AS kept (id) WHERE kept.id = member_id)", &removed,
		groupID, keep)
	if tx.s.dialect == sqliteLite {
		st = deleteMembers("group_id = ? AND NOT member_id"+tx.anyOf("uuid", keep), &removed, groupID, tx.list(keep))
	}
	err := tx.query(st)
	return removed, translate(err)
}

func deleteMembers(where string, removed *[]model.Member, args ...any) statement {
	return statement{
		sql:  "DELETE FROM memberships WHERE " + where + " RETURNING member_id, member_type",
		args: args,
		scan: func(row scanner) error { return scanAppend(row, removed, scanMember) },
	}
}

func scanMember(r scanner, m *model.Member) error { return r.Scan(&m.ID, &m.Type) }

// Members gives the members of the groups, in the order of the ids of groups and then of members: at most so many in all,
// where most is not 0.
func (r *Reader) Members(ref model.Ref, groupIDs []string, most int) (map[string][]model.Member, error) {
	members := make(map[string][]model.Member, len(groupIDs))
	ids := validIDs(groupIDs)
	err := r.query(statement{
		sql: `SELECT m.group_id, m.member_id, m.member_type, m.display FROM memberships m
 WHERE m.organization_id = ? AND m.integration_id = ? AND m.group_id` + r.anyOf("uuid", ids) + ` ORDER BY m.group_id, m.member_id` + limited(most),
		args: []any{ref.OrganizationID, ref.IntegrationID, r.list(ids)},
		scan: func(row scanner) error {
			var group string
			var m model.Member
			err := row.Scan(&group, &m.ID, &m.Type, &m.Display)
			members[group] = append(members[group], m)
			return err
		},
	})
	return members, translate(err)
}

// MembersAfter gives a page of one group's members in the order of their ids.
func (r *Reader) MembersAfter(ref model.Ref, groupID, after string, limit int) ([]model.Member, error) {
	if after == "" {
		after = firstID
	}
	var members []model.Member
	if !ValidID(groupID) || !ValidID(after) {
		return nil, notFound("group", groupID)
	}
	err := r.query(r.membersAfter(ref, groupID, after, limit, &members))
	return members, translate(err)
}

func (r *Reader) membersAfter(ref model.Ref, groupID, after string, limit int, members *[]model.Member) statement {
	return statement{
		sql: `SELECT m.member_id, m.member_type, m.display FROM memberships m
 WHERE m.organization_id = ? AND m.integration_id = ? AND m.group_id = ? AND m.member_id > ? ORDER BY m.member_id LIMIT ?`,
		args: []any{ref.OrganizationID, ref.IntegrationID, groupID, after, limit},
		scan: func(row scanner) error {
			var m model.Member
			err := row.Scan(&m.ID, &m.Type, &m.Display)
			*members = append(*members, m)
			return err
		},
	}
}

// UserMembersAfter gives the ids of the users that are direct members of a group, in pages.
func (r *Reader) UserMembersAfter(ref model.Ref, groupID, after string, limit int) ([]string, error) {
	if after == "" {
		after = firstID
	}
	var ids []string
	if !ValidID(groupID) || !ValidID(after) {
		return nil, notFound("group", groupID)
	}
	err := r.query(statement{
		sql: `SELECT member_id FROM memberships WHERE organization_id = ? AND integration_id = ? AND group_id = ?
 AND member_type = 'User' AND member_id > ? ORDER BY member_id LIMIT ?`,
		args: []any{ref.OrganizationID, ref.IntegrationID, groupID, after, limit},
		scan: func(row scanner) error {
			return scanAppend(row, &ids, func(r scanner, id *string) error { return r.Scan(id) })
		},
	})
	return ids, translate(err)
}

// GroupsOf gives the groups that each member is a direct member of, in the order of the ids of members and then of groups: at
// most so many in all, where most is not 0.
func (r *Reader) GroupsOf(ref model.Ref, memberIDs []string, most int) (map[string][]model.GroupRef, error) {
	groups := make(map[string][]model.GroupRef, len(memberIDs))
	ids := validIDs(memberIDs)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	st := r.groupsOf(groups, r.elements(ids), " AND m.organization_id = ? AND m.integration_id = ?",
		r.list(ids), ref.OrganizationID, ref.IntegrationID)
	st.sql += limited(most)
	return groups, translate(r.query(st))
}

// groupsOf reads the groups of the members that a SELECT gives, which also satisfy a condition on their memberships. On
// PostgreSQL each member's rows are looked up, whatever the planner believes of their number (OFFSET 0 forbids it to
// flatten): where it believes in many, it would read every membership there is.
func (r *Reader) groupsOf(into map[string][]model.GroupRef, members, and string, args ...any) statement {
	from := "memberships m JOIN directory_groups g ON g.id = m.group_id WHERE m.member_id IN (" + members + ")" + and
	if r.s.dialect == postgres {
		from = "(" + members + ") AS who (id) CROSS JOIN LATERAL (SELECT * FROM memberships m WHERE m.member_id = who.id" + and + " OFFSET 0) AS m" +
			" CROSS JOIN LATERAL (SELECT * FROM directory_groups WHERE id = m.group_id OFFSET 0) AS g"
	}
	return statement{
		sql:  "SELECT m.member_id, g.id, g.external_id, g.display_name FROM " + from + " ORDER BY m.member_id, g.id",
		args: args,
		scan: func(row scanner) error {
			var member string
			var g model.GroupRef
			err := row.Scan(&member, &g.ID, &g.ExternalID, &g.DisplayName)
			into[member] = append(into[member], g)
			return err
		},
	}
}
