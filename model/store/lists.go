package store

import (
	"strings"

	"usher/model"
)

const listColumns = `id, organization_id, integration_id, external_id, display_name, email, kind, state, members, without_account,
 fingerprint, created_at, updated_at`

func scanList(r scanner, l *model.List) error {
	err := r.Scan(&l.ID, &l.OrganizationID, &l.IntegrationID, &l.ExternalID, &l.DisplayName, &l.Email, &l.Kind, &l.State, &l.Members,
		&l.WithoutAccount, &l.Fingerprint, &l.CreatedAt, &l.UpdatedAt)
	inUTC(&l.CreatedAt, &l.UpdatedAt)
	return err
}

func (r *Reader) lists(where string, args ...any) ([]model.List, error) {
	lists := []model.List{}
	err := r.query(statement{
		sql: "SELECT " + listColumns + " FROM lists WHERE " + where, args: args,
		scan: func(row scanner) error { return scanAppend(row, &lists, scanList) },
	})
	return lists, translate(err)
}

// ListsOf gives the distribution lists of an integration, in the order of their object ids.
func (r *Reader) ListsOf(ref model.Ref) ([]model.List, error) {
	if !ValidID(ref.IntegrationID) {
		return nil, nil
	}
	return r.lists("integration_id = ? AND "+r.beside("organization_id")+" ORDER BY external_id", ref.IntegrationID, ref.OrganizationID)
}

// ListFilter narrows the distribution lists of an organization; the zero value is all of them.
type ListFilter struct {
	Integration string
	Q           string // part of the name or the address, without case
}

// ListsAfter gives a page of distribution lists in the order of ids.
func (r *Reader) ListsAfter(organizationID string, f ListFilter, after string, limit int) ([]model.List, error) {
	after, err := cursor(after)
	if err != nil {
		return nil, err
	}
	where, args := []string{"organization_id = ?", "id > ?"}, []any{organizationID, after}
	if f.Integration != "" {
		if !ValidID(f.Integration) {
			return []model.List{}, nil
		}
		where, args = append(where, r.beside("integration_id")), append(args, f.Integration)
	}
	if f.Q != "" {
		like := "%" + escapeLike(model.Fold(f.Q)) + "%"
		where = append(where, "("+r.fold("display_name")+" LIKE ? ESCAPE '!' OR "+r.fold("email")+" LIKE ? ESCAPE '!')")
		args = append(args, like, like)
	}
	return r.lists(strings.Join(where, " AND ")+" ORDER BY id LIMIT ?", append(args, limit)...)
}

// List reads one distribution list.
func (r *Reader) List(organizationID, id string) (model.List, error) {
	if !ValidID(id) {
		return model.List{}, notFound("list", id)
	}
	list, err := r.lists("organization_id = ? AND id = ?", organizationID, id)
	return first(list, err, "list", id)
}

// InsertList stores a new distribution list; its ID and times are set here.
func (tx *Tx) InsertList(l *model.List) {
	l.ID, l.CreatedAt, l.UpdatedAt = NewID(), tx.now, tx.now
	tx.buffer(statement{
		sql: "INSERT INTO lists (" + listColumns + ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
		args: []any{
			l.ID, l.OrganizationID, l.IntegrationID, l.ExternalID, l.DisplayName, l.Email, string(l.Kind), string(l.State), l.Members,
			l.WithoutAccount, l.Fingerprint, l.CreatedAt, l.UpdatedAt,
		},
	})
}

// UpdateList writes a distribution list.
func (tx *Tx) UpdateList(l *model.List) {
	l.UpdatedAt = tx.now
	tx.buffer(statement{
		sql: `UPDATE lists SET display_name = ?, email = ?, kind = ?, state = ?, members = ?, without_account = ?, fingerprint = ?,
 updated_at = ? WHERE organization_id = ? AND integration_id = ? AND id = ?`,
		args: []any{
			l.DisplayName, l.Email, string(l.Kind), string(l.State), l.Members, l.WithoutAccount, l.Fingerprint, l.UpdatedAt,
			l.OrganizationID, l.IntegrationID, l.ID,
		},
		affected: exactlyOne("list", l.ID),
	})
}

// DeleteList removes a distribution list.
func (tx *Tx) DeleteList(l *model.List) {
	tx.buffer(statement{
		sql:      "DELETE FROM lists WHERE organization_id = ? AND integration_id = ? AND id = ?",
		args:     []any{l.OrganizationID, l.IntegrationID, l.ID},
		affected: exactlyOne("list", l.ID),
	})
}

// LockLists keeps other writers of the integration's distribution lists out until the transaction ends.
func (tx *Tx) LockLists(ref model.Ref) error {
	return tx.alone("lists:" + ref.IntegrationID)
}

// alone keeps other transactions that name the same out until this one ends.
func (tx *Tx) alone(name string) error {
	if tx.s.dialect != postgres {
		return nil // a transaction is alone anyway
	}
	return translate(tx.query(statement{sql: "SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", args: []any{name}}))
}

// GroupNames gives what was found of the groups that the settings of an integration name by display name.
func (r *Reader) GroupNames(ref model.Ref) ([]model.GroupName, error) {
	var names []model.GroupName
	if !ValidID(ref.IntegrationID) {
		return nil, nil
	}
	err := r.query(statement{
		sql: "SELECT name_key, external_id, found, looked_at FROM group_names WHERE integration_id = ? AND " +
			r.beside("organization_id"),
		args: []any{ref.IntegrationID, ref.OrganizationID},
		scan: func(row scanner) error {
			return scanAppend(row, &names, func(r scanner, n *model.GroupName) error {
				err := r.Scan(&n.NameKey, &n.ExternalID, &n.Found, &n.LookedAt)
				inUTC(&n.LookedAt)
				return err
			})
		},
	})
	return names, translate(err)
}

// PutGroupName stores what a look-up found, in place of what one found before.
func (tx *Tx) PutGroupName(ref model.Ref, n model.GroupName) {
	tx.buffer(statement{
		sql: `INSERT INTO group_names (organization_id, integration_id, name_key, external_id, found, looked_at) VALUES (?,?,?,?,?,?)
 ON CONFLICT (integration_id, name_key) DO UPDATE SET external_id = excluded.external_id, found = excluded.found,
 looked_at = excluded.looked_at WHERE group_names.organization_id = excluded.organization_id`,
		args: []any{ref.OrganizationID, ref.IntegrationID, n.NameKey, n.ExternalID, n.Found, n.LookedAt},
	})
}

// ForgetGroupNames removes what was found of names that are not asked for any more.
func (tx *Tx) ForgetGroupNames(ref model.Ref, keys []string) {
	tx.buffer(statement{
		sql: "DELETE FROM group_names WHERE organization_id = ? AND integration_id = ? AND name_key" +
			tx.anyOf("text", keys),
		args: []any{ref.OrganizationID, ref.IntegrationID, tx.list(keys)},
	})
}

// GroupsByExternalID reads groups of the mirror by Entra's object id; those that are not mirrored are left out.
func (r *Reader) GroupsByExternalID(ref model.Ref, externalIDs []string) ([]model.DirectoryGroup, error) {
	var groups []model.DirectoryGroup
	if len(externalIDs) == 0 {
		return nil, nil
	}
	err := r.query(statement{
		sql: "SELECT " + groupColumns + " FROM directory_groups WHERE external_id <> '' AND external_id" + r.anyOf("text", externalIDs) + " AND " +
			r.beside("integration_id") + " AND " + r.beside("organization_id") + " ORDER BY id",
		args: []any{r.list(externalIDs), ref.IntegrationID, ref.OrganizationID},
		scan: func(row scanner) error { return scanAppend(row, &groups, scanGroup) },
	})
	return groups, translate(err)
}
