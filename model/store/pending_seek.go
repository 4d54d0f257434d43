package store

import (
	"slices"

	"usher/model"
)

// Sought is what is known of values that are no ids.
type Sought struct {
	Named      map[string]model.Member // by value: the user or group that has it as externalId, or the user with that userName
	Remembered map[string]bool         // those that the group remembers
	Total      int                     // how many members all groups of the integration remember
}

// MembersNamed gives whom values mean that are no ids: the one user or group that has the value as its externalId, else the
// user that has it as its userName, whatever the case.
func (r *Reader) MembersNamed(ref model.Ref, values []string) (map[string]model.Member, error) {
	if len(values) == 0 {
		return nil, nil
	}
	n := newNaming()
	err := r.query(r.naming(ref, values, n)...)
	return n.of(values), translate(err)
}

// SeekMembers is MembersNamed for values that a locked group shall remember where they mean nobody. Until the transaction
// ends nobody arrives who has one of the values.
func (tx *Tx) SeekMembers(g *model.DirectoryGroup, values []string) (Sought, error) {
	s := Sought{Remembered: map[string]bool{}}
	if len(values) == 0 {
		return s, nil
	}
	keys := make([]string, len(values))
	for i, v := range values {
		keys[i] = model.Fold(v)
	}
	ref, held, names, n := g.Ref(), false, doors(g.Ref(), keys), newNaming()
	list := append(tx.tryDoors(names, false, &held), tx.naming(ref, values, n)...)
	if g.PendingMembers > 0 {
		list = append(list, statement{
			sql: "SELECT value FROM pending_members WHERE " + tx.beside("organization_id") + " AND " + tx.beside("integration_id") +
				" AND group_id = ? AND value" + tx.anyOf("text", values),
			args: []any{g.OrganizationID, g.IntegrationID, g.ID, tx.list(values)},
			scan: func(row scanner) error {
				var value string
				err := row.Scan(&value)
				s.Remembered[value] = true
				return err
			},
		})
	}
	list = append(list, statement{
		sql:  "SELECT coalesce(sum(pending_members), 0) FROM directory_groups WHERE integration_id = ? AND organization_id = ? AND pending_members > 0",
		args: []any{g.IntegrationID, g.OrganizationID},
		scan: func(row scanner) error { return row.Scan(&s.Total) },
	})
	err := tx.query(list...)
	if err == nil && !held {
		err = closedDoors{names}
	}
	s.Named = n.of(values)
	return s, translate(err)
}

// naming collects who has which name.
type naming struct {
	byExternalID map[string]model.Member
	ambiguous    map[string]bool
	byUserName   map[string]model.Member // by key
}

func newNaming() *naming {
	return &naming{map[string]model.Member{}, map[string]bool{}, map[string]model.Member{}}
}

// naming gives the statements that read who has one of the values as a name.
func (r *Reader) naming(ref model.Ref, values []string, n *naming) []statement {
	keys := make([]string, 0, len(values))
	for _, v := range values {
		if key := model.Fold(v); key != "" {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	has := func(kind model.MemberType) func(string, string) {
		return func(externalID, id string) {
			_, taken := n.byExternalID[externalID]
			n.ambiguous[externalID] = n.ambiguous[externalID] || taken
			n.byExternalID[externalID] = model.Member{ID: id, Type: kind}
		}
	}
	return []statement{
		r.byExternalID(ref, "directory_users", values, has(model.MemberUser)),
		r.byExternalID(ref, "directory_groups", values, has(model.MemberGroup)),
		{
			sql: "SELECT user_name_key, id FROM directory_users WHERE user_name_key" + r.anyOf("text", keys) + " AND " +
				r.beside("integration_id") + " AND " + r.beside("organization_id"),
			args: []any{r.list(keys), ref.IntegrationID, ref.OrganizationID},
			scan: func(row scanner) error {
				var key, id string
				err := row.Scan(&key, &id)
				n.byUserName[key] = model.Member{ID: id, Type: model.MemberUser}
				return err
			},
		},
	}
}

func (n *naming) of(values []string) map[string]model.Member {
	named := map[string]model.Member{}
	for _, v := range values {
		if n.ambiguous[v] {
			continue
		}
		if m, ok := n.byExternalID[v]; ok {
			named[v] = m
		} else if m, ok := n.byUserName[model.Fold(v)]; ok {
			named[v] = m
		}
	}
	return named
}

// RememberMembers notes values that a locked group does not remember yet, after SeekMembers found nobody who has them. The
// caller writes the group.
func (tx *Tx) RememberMembers(g *model.DirectoryGroup, values []string) {
	if len(values) == 0 {
		return
	}
	g.PendingMembers += len(values)
	tx.buffer(statement{
		sql: "INSERT INTO pending_members (group_id, value, value_key, organization_id, integration_id, created_at) SELECT g.id, v.value, v.value_key," +
			" g.organization_id, g.integration_id, " + tx.typed("timestamptz") + " FROM directory_groups g CROSS JOIN " + tx.unpaired() +
			" WHERE g.id = ? AND g.organization_id = ? AND g.integration_id = ?",
		args: append(append([]any{tx.now}, tx.pairs(values)...), g.ID, g.OrganizationID, g.IntegrationID),
	})
}

// ForgetMembers takes values away from what a locked group remembers, and says how many it did. The caller writes the group.
func (tx *Tx) ForgetMembers(g *model.DirectoryGroup, values []string) (int, error) {
	if g.PendingMembers == 0 || len(values) == 0 {
		return 0, nil
	}
	return tx.forgetWhere(g, " AND value"+tx.anyOf("text", values), tx.list(values))
}

// ForgetOtherMembers is ForgetMembers for all values but the given ones.
func (tx *Tx) ForgetOtherMembers(g *model.DirectoryGroup, keep []string) (int, error) {
	if g.PendingMembers == 0 {
		return 0, nil
	}
	if tx.s.dialect == sqliteLite {
		return tx.forgetWhere(g, " AND NOT value"+tx.anyOf("text", keep), tx.list(keep))
	}
	if keep == nil {
		keep = []string{}
	}
	return tx.forgetWhere(g, " AND NOT EXISTS (SELECT 1 FROM unnest(?::text[]) AS kept (v) WHERE kept.v = value)", keep)
}

func (tx *Tx) forgetWhere(g *model.DirectoryGroup, which string, arg any) (int, error) {
	n := 0
	err := tx.query(statement{
		sql:      "DELETE FROM pending_members WHERE organization_id = ? AND integration_id = ? AND group_id = ?" + which,
		args:     []any{g.OrganizationID, g.IntegrationID, g.ID, arg},
		affected: func(rows int64) error { n = int(rows); return nil },
	})
	g.PendingMembers -= n
	return n, translate(err)
}

// forget is ForgetMembers for values that the group is known to remember.
func (tx *Tx) forget(g *model.DirectoryGroup, values []string) {
	g.PendingMembers -= len(values)
	tx.buffer(statement{
		sql:  "DELETE FROM pending_members WHERE organization_id = ? AND integration_id = ? AND group_id = ? AND value" + tx.anyOf("text", values),
		args: []any{g.OrganizationID, g.IntegrationID, g.ID, tx.list(values)},
	})
}

// PendingMembersAfter gives a page of the members that a group remembers, in the order of their values.
func (r *Reader) PendingMembersAfter(ref model.Ref, groupID, after string, limit int) ([]model.PendingMember, error) {
	if !ValidID(groupID) {
		return nil, notFound("group", groupID)
	}
	var list []model.PendingMember
	err := r.query(statement{
		sql: "SELECT value, created_at FROM pending_members WHERE organization_id = ? AND integration_id = ? AND group_id = ? AND value > ?" +
			" ORDER BY value LIMIT ?",
		args: []any{ref.OrganizationID, ref.IntegrationID, groupID, after, limit},
		scan: func(row scanner) error {
			var m model.PendingMember
			err := row.Scan(&m.Value, &m.CreatedAt)
			m.CreatedAt = m.CreatedAt.UTC()
			list = append(list, m)
			return err
		},
	})
	return list, translate(err)
}
