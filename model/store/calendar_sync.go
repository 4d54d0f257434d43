package store

import (
	"context"
	"slices"
	"strings"
	"time"

	"usher/model"
)

// quietFor is how long a change of a calendar may wait for the job that was queued for it, before it is looked for again.
const quietFor = time.Minute

func exactSync(y *model.CalendarSync) {
	y.From, y.To = y.From.UTC().Truncate(time.Microsecond), y.To.UTC().Truncate(time.Microsecond)
	y.Leased, y.SyncedAt, y.ChangedAt, y.NextAt = exact(y.Leased), exact(y.SyncedAt), exact(y.ChangedAt), exact(y.NextAt)
	y.SweptAt, y.AgainAfter = exact(y.SweptAt), exact(y.AgainAfter)
}

// DirtyCalendar is a calendar for which a job is to be queued.
type DirtyCalendar struct{ OrganizationID, IntegrationID, CalendarID string }

// MarkDirty notes that calendars, of whatever organizations, have changed; of those that are disabled nothing is noted. It
// gives those that no job waits for; from now on they have one, which the caller enqueues in this transaction.
//
// It is one statement for any number of calendars. Rows are locked in the order of ids, so that two transactions with the same
// calendars wait for each other and do not block one another for good.
func (tx *Tx) MarkDirty(ids []string) (queued []DirtyCalendar, err error) {
	return tx.markDirty(ids, nil)
}

// MarkNotified is MarkDirty of what Microsoft 365 told: it also notes when that was.
func (tx *Tx) MarkNotified(ids []string) (queued []DirtyCalendar, err error) {
	return tx.markDirty(ids, &tx.now)
}

func (tx *Tx) markDirty(ids []string, notified *time.Time) (queued []DirtyCalendar, err error) {
	ids = validIDs(ids)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if len(ids) == 0 {
		return nil, nil
	}
	scan := func(row scanner) error {
		return scanAppend(row, &queued, func(row scanner, d *DirtyCalendar) error {
			return row.Scan(&d.OrganizationID, &d.IntegrationID, &d.CalendarID)
		})
	}
	if tx.s.dialect == postgres {
		err = tx.query(statement{
			sql: `WITH found AS (SELECT id, sync_queued FROM calendars WHERE id` + tx.anyOf("uuid", ids) + ` AND enabled ORDER BY id FOR NO KEY UPDATE),
 marked AS (UPDATE calendars c SET sync_dirty = sync_dirty + 1, sync_changed_at = coalesce(sync_changed_at, ?), sync_queued = true,
 sub_notified_at = coalesce(?::timestamptz, sub_notified_at)
 FROM found WHERE c.id = found.id RETURNING c.organization_id, c.integration_id, c.id, found.sync_queued AS waits)
 SELECT organization_id, integration_id, id FROM marked WHERE NOT waits ORDER BY id`,
			args: []any{tx.list(ids), tx.now, notified}, scan: scan,
		})
		return queued, translate(err)
	}
	err = tx.query( // there is one writer
		statement{
			sql: "SELECT organization_id, integration_id, id FROM calendars WHERE id" + tx.anyOf("uuid", ids) +
				" AND enabled AND NOT sync_queued ORDER BY id",
			args: []any{tx.list(ids)}, scan: scan,
		},
		statement{
			sql: "UPDATE calendars SET sync_dirty = sync_dirty + 1, sync_changed_at = coalesce(sync_changed_at, ?), sync_queued = true," +
				" sub_notified_at = coalesce(?, sub_notified_at) WHERE id" + tx.anyOf("uuid", ids) + " AND enabled",
			args: []any{tx.now, notified, tx.list(ids)},
		})
	return queued, translate(err)
}

// LeaseCalendar gives a calendar to one worker, which is known by the name of the lease, until the time; ok is false where
// another worker has it. No job waits for the calendar any more. A worker may take again what it has.
func (s *Store) LeaseCalendar(ctx context.Context, organizationID, id, lease string, until time.Time) (c model.Calendar, ok bool, err error) {
	if !ValidID(id) || lease == "" {
		return model.Calendar{}, false, notFound("calendar", id)
	}
	err = s.InTx(ctx, func(tx *Tx) error {
		list := []model.Calendar{}
		err := tx.query(
			statement{
				sql: "UPDATE calendars SET sync_leased = ?, sync_lease = ?, sync_queued = false WHERE organization_id = ? AND id = ?" +
					" AND (sync_leased IS NULL OR sync_leased <= ? OR sync_lease = ?)",
				args:     []any{exact(&until), lease, organizationID, id, tx.now, lease},
				affected: func(n int64) error { ok = n == 1; return nil },
			},
			tx.calendarsInto(&list, "organization_id = ? AND id = ?", organizationID, id))
		c, err = first(list, err, "calendar", id)
		return err
	})
	if err != nil || !ok {
		return model.Calendar{}, false, err
	}
	return c, true, nil
}

// ExtendLease keeps a calendar until a later time. It is a Conflict where the lease is over or another's, so that nothing of the
// transaction is stored.
func (tx *Tx) ExtendLease(c model.Calendar, lease string, until time.Time) error {
	if !ValidID(c.ID) || lease == "" {
		return lostLease()
	}
	tx.buffer(statement{
		sql:      "UPDATE calendars SET sync_leased = ? WHERE organization_id = ? AND id = ? AND sync_lease = ? AND sync_leased > ?",
		args:     []any{exact(&until), c.OrganizationID, c.ID, lease, tx.now},
		affected: leased,
	})
	return nil
}

// ReleaseCalendar gives a calendar back. It changes nothing where the lease is another's.
func (s *Store) ReleaseCalendar(ctx context.Context, organizationID, id, lease string) error {
	if !ValidID(id) {
		return nil
	}
	return s.InTx(ctx, func(tx *Tx) error {
		tx.buffer(statement{
			sql:  "UPDATE calendars SET sync_leased = NULL, sync_lease = '' WHERE organization_id = ? AND id = ? AND sync_lease = ? AND sync_leased IS NOT NULL",
			args: []any{organizationID, id, lease},
		})
		return nil
	})
}

func lostLease() error {
	return model.Errorf(model.Conflict, "another worker has the calendar, or nobody any more")
}

func leased(n int64) error {
	if n != 1 {
		return lostLease()
	}
	return nil
}

// SaveSync writes how far a calendar was synchronized: every column of it but Dirty, Queued, Leased and Lease, which others
// write meanwhile; Dirty and ChangedAt are read back. It is a Conflict where the lease is over or another's. ChangedAt is
// cleared where everything noted is worked off (Clean is what Dirty is by now); otherwise the given one counts, or where none
// is given what another has noted meanwhile, so that no mark is lost.
func (tx *Tx) SaveSync(c *model.Calendar, lease string) error {
	if !ValidID(c.ID) || !ValidID(c.IntegrationID) || lease == "" {
		return lostLease()
	}
	y := &c.Sync
	exactSync(y)
	return translate(tx.query(
		statement{
			sql: `UPDATE calendars SET sync_link = ?, sync_in_round = ?, sync_full = ?, sync_round = ?, sync_from = ?, sync_to = ?, sync_clean = ?,
 sync_synced_at = ?, sync_changed_at = CASE WHEN sync_dirty = ? THEN NULL ELSE coalesce(?, sync_changed_at) END, sync_failures = ?,
 sync_error = ?, sync_next_at = ?, sync_swept_at = ?, sync_pages = ?, sync_last_page = ?, sync_again_after = ?
 WHERE organization_id = ? AND integration_id = ? AND id = ? AND sync_lease = ? AND sync_leased > ?`,
			args: []any{
				y.Link, y.InRound, y.Full, y.Round, y.From, y.To, y.Clean, y.SyncedAt, y.Clean, y.ChangedAt, y.Failures, y.Error, y.NextAt,
				y.SweptAt, y.Pages, y.LastPage, y.AgainAfter, c.OrganizationID, c.IntegrationID, c.ID, lease, tx.now,
			},
			affected: leased,
		},
		statement{
			sql:  "SELECT sync_dirty, sync_changed_at FROM calendars WHERE organization_id = ? AND id = ?",
			args: []any{c.OrganizationID, c.ID},
			scan: func(row scanner) error {
				y.ChangedAt = nil
				err := row.Scan(&y.Dirty, &y.ChangedAt)
				inUTC(y.ChangedAt)
				return err
			},
		}))
}

// CalendarsDue gives, in the order of ids, enabled calendars of every organization that nobody has and that are to be
// synchronized: what was noted has waited for a minute, or the time for the next round has come.
func (r *Reader) CalendarsDue(now time.Time, after string, limit int) ([]model.Calendar, error) {
	after, err := cursor(after)
	if err != nil {
		return nil, err
	}
	behind, order := r.behind()
	now = now.UTC()
	due := r.dueBy([]dueCalendars{
		{"calendars_changed", "enabled AND sync_changed_at IS NOT NULL AND sync_changed_at <= ? AND sync_dirty <> sync_clean"},
		{"calendars_next", "enabled AND sync_next_at IS NOT NULL AND sync_next_at <= ?"},
	})
	return r.calendars(due+" AND (sync_leased IS NULL OR sync_leased <= ?) AND "+behind+order+" LIMIT ?", now.Add(-quietFor), now, now, after, limit)
}

// dueCalendars is a condition that is for an index of few calendars.
type dueCalendars struct{ index, where string }

// dueBy gives the condition that one of several holds, in a form in which each is asked of its index.
func (r *Reader) dueBy(list []dueCalendars) string {
	parts := make([]string, len(list))
	if r.s.dialect == postgres {
		for i, d := range list {
			parts[i] = "(" + d.where + ")"
		}
		return "(" + strings.Join(parts, " OR ") + ")"
	}
	for i, d := range list {
		parts[i] = "SELECT id FROM calendars" + r.indexedBy(d.index) + " WHERE " + d.where
	}
	return "id IN (" + strings.Join(parts, " UNION ") + ")"
}
