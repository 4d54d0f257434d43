package store

import "time"

// PruneOperations deletes operations of every organization that ended before a time, with their steps, the oldest first and at most
// limit, and says how many.
func (tx *Tx) PruneOperations(before time.Time, limit int) (n int, err error) {
	err = tx.query(statement{
		sql:  `DELETE FROM operations WHERE id IN (SELECT id FROM operations WHERE NOT open AND finished_at < ? ORDER BY finished_at LIMIT ?)`,
		args: []any{before.UTC(), limit}, affected: func(got int64) error { n = int(got); return nil },
	})
	return n, translate(err)
}

// PruneRuns deletes runs of every organization that ended before a time, the oldest first and at most limit, and says how many. Of each
// kind the last run of an integration stays, and the last one that succeeded: what is next goes by them.
func (tx *Tx) PruneRuns(before time.Time, limit int) (n int, err error) {
	const later = " EXISTS (SELECT 1 FROM runs l WHERE l.integration_id = r.integration_id AND l.kind = r.kind AND l.id > r.id"
	err = tx.query(statement{
		sql: `DELETE FROM runs WHERE id IN (SELECT r.id FROM runs r WHERE r.finished_at < ? AND` + later + `)
 AND (r.state <> 'succeeded' OR` + later + ` AND l.state = 'succeeded')) ORDER BY r.finished_at LIMIT ?)`,
		args: []any{before.UTC(), limit}, affected: func(got int64) error { n = int(got); return nil },
	})
	return n, translate(err)
}

// PruneActivities deletes lines of the activity log from before a time of the first organization behind the given one ("" for the
// first of all) that has any line, at most limit. It gives that organization, "" where there is none, and whether it may have more.
func (tx *Tx) PruneActivities(after string, before time.Time, limit int) (organizationID string, more bool, err error) {
	err = tx.query(statement{
		sql:  "SELECT organization_id FROM activities WHERE organization_id > ? ORDER BY organization_id LIMIT 1",
		args: []any{orLeast(after)}, scan: func(row scanner) error { return row.Scan(&organizationID) },
	})
	if err != nil || organizationID == "" {
		return "", false, translate(err)
	}
	err = tx.query(statement{
		sql: "DELETE FROM activities WHERE organization_id = ? AND id IN (SELECT id FROM activities WHERE organization_id = ? AND id < ? ORDER BY id LIMIT ?)",
		// Ids begin with their time.
		args:     []any{organizationID, organizationID, earliestID(before), limit},
		affected: func(n int64) error { more = n >= int64(limit); return nil },
	})
	return organizationID, more, translate(err)
}

// PruneOnce forgets Idempotency-Keys of every organization whose day is over, at most limit, and says how many.
func (tx *Tx) PruneOnce(limit int) (n int, err error) {
	err = tx.query(statement{
		sql: `DELETE FROM idempotent_requests WHERE (organization_id, key) IN (SELECT organization_id, key FROM idempotent_requests
 WHERE created_at <= ? LIMIT ?)`,
		args: []any{tx.now.Add(-onceFor), limit}, affected: func(got int64) error { n = int(got); return nil },
	})
	return n, translate(err)
}
