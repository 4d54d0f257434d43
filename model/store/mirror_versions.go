package store

import "usher/model"

// LockGroupsOf locks the groups that a user or group is a direct member of, and the group itself where it is one, before the
// transaction locks anything else of the mirror. Whoever changes the members of a group locks the group first and its
// members after it; whoever takes a member away with all its memberships must follow the same order. It holds the
// settings before that, as every writer of the mirror does. It is buffered, and so costs no round trip.
func (tx *Tx) LockGroupsOf(ref model.Ref, memberID string) {
	if tx.s.dialect != postgres || !ValidID(memberID) {
		return
	}
	tx.buffer(tx.holdShared(ref.OrganizationID), statement{
		sql: `SELECT g.id FROM directory_groups g WHERE g.organization_id = ? AND g.integration_id = ?
 AND g.id IN (SELECT ?::uuid UNION ALL SELECT m.group_id FROM memberships m WHERE m.member_id = ?::uuid) ORDER BY g.id FOR NO KEY UPDATE`,
		args: []any{ref.OrganizationID, ref.IntegrationID, memberID, memberID},
	})
}

// touchGroupsOf gives every group of which a user or group is a direct member its next version, because the member goes. It
// stands between the statement that deletes the member's row, after which nobody can add the member any more, and the one
// that deletes its memberships.
func (tx *Tx) touchGroupsOf(organizationID, integrationID, memberID string) statement {
	return statement{
		sql: `UPDATE directory_groups SET version = version + 1, updated_at = ? WHERE organization_id = ? AND integration_id = ?
 AND id IN (SELECT m.group_id FROM memberships m WHERE m.member_id = ` + tx.typed("uuid") + `)`,
		args: []any{tx.now, organizationID, integrationID, memberID},
	}
}
