package store

import (
	"strconv"

	"usher/model"
)

// limited gives a LIMIT of a few different texts, which stay prepared.
func limited(most int) string {
	if most <= 0 {
		return ""
	}
	return " LIMIT " + strconv.Itoa(most)
}

// CountMembers counts the members of each of the groups; one without is not there.
func (r *Reader) CountMembers(ref model.Ref, groupIDs []string) (map[string]int, error) {
	return r.countMemberships(ref, "group_id", groupIDs)
}

// CountSomeMembers is CountMembers that stops at most for each group, as a group may have everybody.
func (r *Reader) CountSomeMembers(ref model.Ref, groupIDs []string, most int) (map[string]int, error) {
	counts := make(map[string]int, len(groupIDs))
	ids := validIDs(groupIDs)
	err := r.query(statement{
		sql: "SELECT g.id, (SELECT count(*) FROM (SELECT 1 FROM memberships m WHERE m.group_id = g.id LIMIT ?) AS counted) FROM directory_groups g WHERE " +
			r.beside("g.organization_id") + " AND " + r.beside("g.integration_id") + " AND g.id" + r.anyOf("uuid", ids),
		args: []any{most, ref.OrganizationID, ref.IntegrationID, r.list(ids)},
		scan: func(row scanner) error {
			var id string
			var n int
			err := row.Scan(&id, &n)
			counts[id] = n
			return err
		},
	})
	return counts, translate(err)
}

// CountGroupsOf counts the groups that each member is a direct member of; one without is not there.
func (r *Reader) CountGroupsOf(ref model.Ref, memberIDs []string) (map[string]int, error) {
	return r.countMemberships(ref, "member_id", memberIDs)
}

func (r *Reader) countMemberships(ref model.Ref, by string, of []string) (map[string]int, error) {
	counts := make(map[string]int, len(of))
	ids := validIDs(of)
	err := r.query(statement{
		sql: "SELECT " + by + ", count(*) FROM memberships WHERE " + r.beside("organization_id") + " AND " + r.beside("integration_id") +
			" AND " + by + r.anyOf("uuid", ids) + " GROUP BY " + by,
		args: []any{ref.OrganizationID, ref.IntegrationID, r.list(ids)},
		scan: func(row scanner) error {
			var id string
			var n int
			err := row.Scan(&id, &n)
			counts[id] = n
			return err
		},
	})
	return counts, translate(err)
}
