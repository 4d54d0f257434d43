package store

import (
	"crypto/sha256"
	"encoding/hex"

	"usher/model"
)

// within is a relation of a group of the mirror and the groups nested in it, however deep; its placeholders are the integration,
// the organization, and the group.
func (r *Reader) within(typed string) string {
	return `WITH RECURSIVE within (id) AS (
 SELECT g.id FROM directory_groups g WHERE ` + r.beside("g.integration_id") + ` AND ` + r.beside("g.organization_id") + ` AND g.id = ` + typed + `
 UNION
 SELECT m.member_id FROM within w JOIN memberships m ON m.group_id = w.id WHERE m.member_type = 'Group')`
}

// TallyList goes through the members of a group and of the groups nested in it, each person once, without keeping them: how many
// have an account, a fingerprint of those accounts whatever their order, and how many have none, be it in the mirror or because
// they are not mirrored.
func (r *Reader) TallyList(g model.DirectoryGroup) (accounts, without int, fingerprint string, err error) {
	if !ValidID(g.ID) {
		return 0, 0, "", notFound("group", g.ID)
	}
	var sum [sha256.Size]byte
	people := 0 // as imports have read them
	err = r.query(
		statement{
			sql: r.within(r.typed("uuid")) + ` SELECT coalesce(u.account_id, u.id), u.account_id IS NOT NULL FROM directory_users u
 WHERE u.id IN (SELECT m.member_id FROM within w JOIN memberships m ON m.group_id = w.id WHERE m.member_type = 'User')`,
			args: []any{g.IntegrationID, g.OrganizationID, g.ID},
			scan: func(row scanner) error {
				var id string
				var known bool
				if err := row.Scan(&id, &known); err != nil || !known {
					without++
					return err
				}
				accounts++
				for i, b := range sha256.Sum256([]byte(id)) {
					sum[i] ^= b
				}
				return nil
			},
		},
		statement{
			sql: `WITH RECURSIVE within (id) AS (
 SELECT g.group_id FROM import_groups g WHERE g.integration_id = ` + r.typed("uuid") + ` AND ` + r.beside("g.organization_id") + ` AND g.object_id = ?
 UNION
 SELECT g.group_id FROM within w JOIN import_members m ON m.group_id = w.id JOIN import_groups g ON g.object_id = m.member_id
 WHERE m.nested AND NOT m.leaving AND g.integration_id = ` + r.typed("uuid") + `)
 SELECT count(DISTINCT m.member_id) FROM within w JOIN import_members m ON m.group_id = w.id WHERE NOT m.nested AND NOT m.leaving`,
			args: []any{g.IntegrationID, g.OrganizationID, g.ExternalID, g.IntegrationID},
			scan: func(row scanner) error { return row.Scan(&people) },
		},
	)
	return accounts, max(without, people-accounts), hex.EncodeToString(sum[:]), translate(err)
}

// ListMember is a member of a distribution list who has an account.
type ListMember struct {
	AccountID       string              `json:"account_id"`
	DirectoryUserID string              `json:"directory_user_id"`
	Email           string              `json:"email"`
	DisplayName     string              `json:"display_name"`
	Status          model.AccountStatus `json:"status"`
}

// ListMembersAfter gives a page of the accounts that are members of a group or of a group nested in it, in the order of ids. A group
// without id has none.
func (r *Reader) ListMembersAfter(g model.DirectoryGroup, after string, limit int) ([]ListMember, error) {
	after, err := cursor(after)
	if err != nil {
		return nil, err
	}
	members := []ListMember{}
	if !ValidID(g.ID) {
		return members, nil
	}
	err = r.query(statement{
		sql: r.within(r.typed("uuid")) + ` SELECT a.id, u.id, a.email, a.display_name, a.status FROM directory_users u JOIN accounts a ON a.id = u.account_id
 WHERE u.id IN (SELECT m.member_id FROM within w JOIN memberships m ON m.group_id = w.id WHERE m.member_type = 'User')
 AND a.organization_id = ? AND a.id > ? ORDER BY a.id LIMIT ?`,
		args: []any{g.IntegrationID, g.OrganizationID, g.ID, g.OrganizationID, after, limit},
		scan: func(row scanner) error {
			return scanAppend(row, &members, func(r scanner, m *ListMember) error {
				return r.Scan(&m.AccountID, &m.DirectoryUserID, &m.Email, &m.DisplayName, &m.Status)
			})
		},
	})
	return members, translate(err)
}

// GroupsAround gives the object ids of the groups of the mirror that contain one of the given ones, however deep, and of those
// themselves.
func (r *Reader) GroupsAround(ref model.Ref, externalIDs []string) (map[string]bool, error) {
	around := map[string]bool{}
	if len(externalIDs) == 0 {
		return around, nil
	}
	err := r.query(statement{
		sql: `WITH RECURSIVE around (id) AS (
 SELECT g.id FROM directory_groups g WHERE g.external_id <> '' AND g.external_id` + r.anyOf("text", externalIDs) + ` AND ` +
			r.beside("g.integration_id") + ` AND ` + r.beside("g.organization_id") + `
 UNION
 SELECT m.group_id FROM around a JOIN memberships m ON m.member_id = a.id WHERE m.member_type = 'Group')
 SELECT g.external_id FROM directory_groups g WHERE g.id IN (SELECT id FROM around)`,
		args: []any{r.list(externalIDs), ref.IntegrationID, ref.OrganizationID},
		scan: func(row scanner) error {
			var id string
			err := row.Scan(&id)
			around[id] = true
			return err
		},
	})
	return around, translate(err)
}

// MirroredUser is what the mirror knows of a user of Entra.
type MirroredUser struct {
	DirectoryUserID string
	AccountID       *string
}

// MirroredByExternalID gives the directory users that have one of the externalIds, by it.
func (r *Reader) MirroredByExternalID(ref model.Ref, externalIDs []string) (map[string]MirroredUser, error) {
	known := map[string]MirroredUser{}
	if len(externalIDs) == 0 || !ValidID(ref.IntegrationID) {
		return known, nil
	}
	err := r.query(statement{
		sql: "SELECT external_id, id, account_id FROM directory_users WHERE external_id <> '' AND external_id" + r.anyOf("text", externalIDs) +
			" AND " + r.beside("integration_id") + " AND " + r.beside("organization_id"),
		args: []any{r.list(externalIDs), ref.IntegrationID, ref.OrganizationID},
		scan: func(row scanner) error {
			var externalID string
			var m MirroredUser
			err := row.Scan(&externalID, &m.DirectoryUserID, &m.AccountID)
			known[externalID] = m
			return err
		},
	})
	return known, translate(err)
}
