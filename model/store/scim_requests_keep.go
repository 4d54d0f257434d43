package store

import (
	"context"
	"slices"
	"time"

	"usher/model"
)

// SCIMName asks for the name of a user or group of an integration by its id.
type SCIMName struct {
	Ref model.Ref
	ID  string
}

// SCIMNames gives the userNames of users and the displayNames of groups, and where they are gone the names that the request
// log knew them by last. What nobody knows is left out.
func (s *Store) SCIMNames(ctx context.Context, wanted []SCIMName) (map[SCIMName]string, error) {
	ids := []string{}
	asked := map[SCIMName]bool{}
	for _, w := range wanted {
		if ValidID(w.ID) && !asked[w] {
			asked[w] = true
			ids = append(ids, w.ID)
		}
	}
	found := map[SCIMName]string{}
	if len(ids) == 0 {
		return found, nil
	}
	r := s.Read(ctx)
	var of SCIMName
	var name string
	err := r.query(statement{
		sql: "SELECT organization_id, integration_id, id, user_name FROM directory_users WHERE id" + r.anyOf("uuid", ids) +
			" UNION ALL SELECT organization_id, integration_id, id, display_name FROM directory_groups WHERE id" + r.anyOf("uuid", ids),
		args: []any{r.list(ids), r.list(ids)},
		scan: func(row scanner) error {
			err := row.Scan(&of.Ref.OrganizationID, &of.Ref.IntegrationID, &of.ID, &name)
			if err == nil && asked[of] {
				found[of] = name
			}
			return err
		},
	})
	if err != nil {
		return nil, translate(err)
	}
	return found, r.lastNames(asked, found)
}

// maxLastNames bounds how many ids that are gone are looked up in one go.
const maxLastNames = 200

// lastNames adds the last names that the request log has for what is asked for and not found.
func (r *Reader) lastNames(asked map[SCIMName]bool, found map[SCIMName]string) error {
	var list []statement
	for w := range asked {
		if found[w] != "" || len(list) == maxLastNames {
			continue
		}
		list = append(list, statement{
			sql: "SELECT subject FROM scim_requests" + r.indexedBy("scim_requests_subject_id") + " WHERE " + r.beside("organization_id") +
				" AND integration_id = ? AND subject_id = ? AND subject_id <> '' AND subject <> '' ORDER BY id DESC LIMIT 1",
			args: []any{w.Ref.OrganizationID, w.Ref.IntegrationID, w.ID},
			scan: func(row scanner) error {
				var name string
				err := row.Scan(&name)
				found[w] = name
				return err
			},
		})
	}
	if len(list) == 0 {
		return nil
	}
	return translate(r.query(list...))
}

// maxSCIMRejections bounds the rows of one integration within an hour, so that a flood does not fill the disk.
const maxSCIMRejections = 100

// AddSCIMRejections adds counts of refused attempts to those of their hour. OrganizationID is found here; unknown is how many
// attempts named an integration that does not exist, which are not kept. Beyond a number of sorts within an hour, attempts
// with one cause are counted together.
func (s *Store) AddSCIMRejections(ctx context.Context, rows []model.SCIMRejection, together func(model.SCIMRejection) model.SCIMRejection) (unknown int64, err error) {
	err = s.InTx(ctx, func(tx *Tx) error {
		unknown = 0
		organizations, err := tx.organizationsOf(rows)
		if err != nil {
			return err
		}
		type hour struct {
			integration string
			at          time.Time
		}
		known := map[hour]map[string]bool{}
		for _, row := range rows {
			row.OrganizationID = organizations[row.IntegrationID]
			if row.OrganizationID == "" {
				unknown += row.Count
				continue
			}
			key := hour{row.IntegrationID, row.Hour}
			if known[key] == nil {
				if known[key], err = tx.rejectionsOf(row); err != nil {
					return err
				}
			}
			if !known[key][row.ID] && len(known[key]) >= maxSCIMRejections {
				row = together(row)
			}
			known[key][row.ID] = true
			tx.addRejection(row)
		}
		return nil
	})
	return unknown, err
}

func (tx *Tx) organizationsOf(rows []model.SCIMRejection) (map[string]string, error) {
	ids := []string{}
	for _, row := range rows {
		if ValidID(row.IntegrationID) && !slices.Contains(ids, row.IntegrationID) {
			ids = append(ids, row.IntegrationID)
		}
	}
	found := map[string]string{}
	if len(ids) == 0 {
		return found, nil
	}
	err := tx.query(statement{
		sql: "SELECT id, organization_id FROM integrations WHERE id" + tx.anyOf("uuid", ids), args: []any{tx.list(ids)},
		scan: func(row scanner) error {
			var id, organization string
			err := row.Scan(&id, &organization)
			found[id] = organization
			return err
		},
	})
	return found, translate(err)
}

func (tx *Tx) rejectionsOf(of model.SCIMRejection) (map[string]bool, error) {
	ids := map[string]bool{}
	err := tx.query(statement{
		sql:  "SELECT id FROM scim_rejections WHERE organization_id = ? AND integration_id = ? AND id >= ? AND id < ?",
		args: []any{of.OrganizationID, of.IntegrationID, earliestID(of.Hour), earliestID(of.Hour.Add(time.Hour))},
		scan: func(row scanner) error {
			var id string
			err := row.Scan(&id)
			ids[id] = true
			return err
		},
	})
	return ids, translate(err)
}

func (tx *Tx) addRejection(row model.SCIMRejection) {
	tx.buffer(statement{
		sql: `INSERT INTO scim_rejections (id, organization_id, integration_id, hour, cause, remote_address, token_id, user_agent, count, first_at, last_at)
 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (organization_id, integration_id, id) DO UPDATE SET
 count = scim_rejections.count + excluded.count, last_at = excluded.last_at`,
		args: []any{
			row.ID, row.OrganizationID, row.IntegrationID, row.Hour.UTC(), row.Cause, row.RemoteAddress, row.TokenID, row.UserAgent, row.Count,
			row.FirstAt.UTC(), row.LastAt.UTC(),
		},
	})
}

// SCIMRejectionsBefore gives a page of the refused attempts, newest hour first, of rows before the one with the id before.
func (r *Reader) SCIMRejectionsBefore(ref model.Ref, before string, limit int) ([]model.SCIMRejection, error) {
	list := []model.SCIMRejection{}
	where, args := "organization_id = ? AND integration_id = ?", []any{ref.OrganizationID, ref.IntegrationID}
	if before != "" {
		if !ValidID(before) {
			return nil, model.FieldErrorf(model.Invalid, "after", "is not a cursor of this list")
		}
		where, args = where+" AND id < ?", append(args, before)
	}
	if !ValidID(ref.IntegrationID) {
		return list, nil
	}
	err := r.query(statement{
		sql: `SELECT id, organization_id, integration_id, hour, cause, remote_address, token_id, user_agent, count, first_at, last_at
 FROM scim_rejections WHERE ` + where + " ORDER BY id DESC LIMIT ?",
		args: append(args, limit),
		scan: func(row scanner) error {
			return scanAppend(row, &list, func(row scanner, j *model.SCIMRejection) error {
				err := row.Scan(&j.ID, &j.OrganizationID, &j.IntegrationID, &j.Hour, &j.Cause, &j.RemoteAddress, &j.TokenID, &j.UserAgent,
					&j.Count, &j.FirstAt, &j.LastAt)
				j.Hour, j.FirstAt, j.LastAt = j.Hour.UTC(), j.FirstAt.UTC(), j.LastAt.UTC()
				return err
			})
		},
	})
	return list, translate(err)
}

// TrimSCIMLog deletes what the request log has from before the time, and what it has of integrations that are gone, at most
// limit rows of one integration, behind the integration after. It gives the integration that it worked on, and whether there
// may be more of it to delete; an integration "" means that there is none left.
func (s *Store) TrimSCIMLog(ctx context.Context, after model.Ref, before time.Time, limit int) (worked model.Ref, more bool, err error) {
	err = s.InTx(ctx, func(tx *Tx) error {
		worked, more = model.Ref{}, false
		exists := false
		for _, table := range scimLogTables() {
			var of model.Ref
			var there bool
			err := tx.query(statement{
				sql: "SELECT organization_id, integration_id, EXISTS (SELECT 1 FROM integrations i WHERE i.id = l.integration_id) FROM " + table +
					" l WHERE (organization_id, integration_id) > (?, ?) ORDER BY organization_id, integration_id LIMIT 1",
				args: []any{orLeast(after.OrganizationID), orLeast(after.IntegrationID)},
				scan: func(row scanner) error { return row.Scan(&of.OrganizationID, &of.IntegrationID, &there) },
			})
			if err != nil {
				return err
			}
			if of.IntegrationID != "" && (worked.IntegrationID == "" || less(of, worked)) {
				worked, exists = of, there
			}
		}
		if worked.IntegrationID == "" {
			return nil
		}
		until := earliestID(before)
		if !exists {
			until = "ffffffff-ffff-ffff-ffff-ffffffffffff"
		}
		for _, table := range scimLogTables() {
			tx.buffer(statement{
				sql: "DELETE FROM " + table + " WHERE organization_id = ? AND integration_id = ? AND id IN (SELECT id FROM " + table +
					" WHERE organization_id = ? AND integration_id = ? AND id < ? ORDER BY id LIMIT ?)",
				args: []any{worked.OrganizationID, worked.IntegrationID, worked.OrganizationID, worked.IntegrationID, until, limit},
				affected: func(n int64) error {
					more = more || n == int64(limit)
					return nil
				},
			})
		}
		return nil
	})
	return worked, more, err
}

func scimLogTables() []string { return []string{"scim_requests", "scim_rejections"} }

func less(a, b model.Ref) bool {
	if a.OrganizationID != b.OrganizationID {
		return a.OrganizationID < b.OrganizationID
	}
	return a.IntegrationID < b.IntegrationID
}

// orLeast gives an id that every other is greater than, where there is none.
func orLeast(id string) string {
	if id == "" {
		return firstID
	}
	return id
}
