package store

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"usher/model"
)

// Tell appends an entry to the change feed. data is rendered as JSON; OccurredAt is the transaction's time; the organization
// is required of the caller, the rest of c as it applies.
func (tx *Tx) Tell(c model.Change, data any) error {
	raw, err := json.Marshal(data)
	if err != nil {
		return err
	}
	tx.told++
	tx.feed.add(c.OrganizationID, string(c.Type), c.IntegrationID, c.SubjectType, c.SubjectID, c.Actor, string(raw))
	return nil
}

// TellMany appends one entry per subject, all alike but for the subject and the data.
func (tx *Tx) TellMany(c model.Change, subjects []string, data []any) error {
	if len(subjects) != len(data) {
		return fmt.Errorf("tell %s: %d subjects with %d data", c.Type, len(subjects), len(data))
	}
	for i := range subjects {
		c.SubjectID = subjects[i]
		if err := tx.Tell(c, data[i]); err != nil {
			return err
		}
	}
	return nil
}

// ChangeQuery asks for a page of the feed behind the position After, of the given types ("account.*" for all of a
// kind); no types means all.
type ChangeQuery struct {
	After int64
	Types []string
	Limit int
}

// Changes gives a page of the organization's feed in order, and the position that the next page begins behind: that of
// the last entry looked at, given or not, so that a reader of few types does not look at the others again. Every committed
// entry is given a position before the page is read.
func (s *Store) Changes(ctx context.Context, organizationID string, q ChangeQuery) ([]model.Change, int64, error) {
	if err := s.position(ctx); err != nil {
		return nil, 0, translate(err)
	}
	r := s.Read(ctx)
	where, args := typesWhere(q.Types)
	var list []model.Change
	var last int64 // read before the page, whose entries up to it can all be read
	err := r.query(statement{
		sql:  "SELECT last_position FROM feed_state",
		scan: func(row scanner) error { return row.Scan(&last) },
	}, statement{
		sql: `SELECT seq, position, organization_id, type, occurred_at, integration_id, subject_type, subject_id, actor, data FROM changes
 WHERE organization_id = ? AND position > ?` + where + ` ORDER BY position LIMIT ?`,
		args: append(append([]any{organizationID, q.After}, args...), q.Limit),
		scan: func(row scanner) error { return scanAppend(row, &list, scanChange) },
	})
	if err != nil {
		return nil, 0, translate(err)
	}
	next := q.After
	if len(list) > 0 {
		next = *list[len(list)-1].Position
	}
	if len(list) < q.Limit {
		next = max(next, last)
	}
	return list, next, nil
}

func scanChange(r scanner, c *model.Change) error {
	var data []byte
	err := r.Scan(&c.Seq, &c.Position, &c.OrganizationID, &c.Type, &c.OccurredAt, &c.IntegrationID, &c.SubjectType, &c.SubjectID,
		&c.Actor, &data)
	c.OccurredAt, c.Data = c.OccurredAt.UTC(), data
	return err
}

func typesWhere(types []string) (string, []any) {
	if len(types) == 0 {
		return "", nil
	}
	where, args := "", []any{}
	for i, t := range types {
		if i > 0 {
			where += " OR "
		}
		if n := len(t); n > 1 && t[n-1] == '*' {
			where += "type LIKE ? ESCAPE '!'"
			args = append(args, escapeLike(t[:n-1])+"%")
		} else {
			where += "type = ?"
			args = append(args, t)
		}
	}
	return " AND (" + where + ")", args
}

// positionsPerPass bounds how many entries one transaction gives a position.
const positionsPerPass = 5000

// position gives every committed entry without a position the next one, in the order of insertion. One transaction at a
// time does so, in any replica, under the lock of feed_state's row; that is why positions become visible in their order
// and readers that page by position miss nothing. Entries of one subject keep their order, because a writer holds the
// subject's lock from before it inserts until it has committed.
func (s *Store) position(ctx context.Context) error {
	for {
		pending := false
		err := s.Read(ctx).query(statement{
			sql:  "SELECT EXISTS (SELECT 1 FROM changes WHERE position IS NULL)",
			scan: func(row scanner) error { return row.Scan(&pending) },
		})
		if err != nil || !pending {
			return err
		}
		var n int64
		if err := s.InTx(ctx, func(tx *Tx) (err error) { n, err = tx.position(); return err }); err != nil || n < positionsPerPass {
			return err
		}
	}
}

func (tx *Tx) position() (n int64, err error) {
	// The lock is taken in a statement of its own: the next one must see what the last holder has committed.
	var last int64
	err = tx.query(statement{
		sql:  "SELECT last_position FROM feed_state" + tx.forUpdate(),
		scan: func(row scanner) error { return row.Scan(&last) },
	})
	if err != nil {
		return 0, err
	}
	top := last
	err = tx.query(statement{
		sql: `UPDATE changes SET position = p.position FROM (
 SELECT seq, ` + tx.typed("bigint") + ` + row_number() OVER (ORDER BY seq) AS position FROM (
  SELECT seq FROM changes WHERE position IS NULL ORDER BY seq LIMIT ` + tx.typed("bigint") + `) AS u) AS p
 WHERE changes.seq = p.seq RETURNING changes.position`,
		args: []any{last, positionsPerPass},
		scan: func(row scanner) error {
			var position int64
			err := row.Scan(&position)
			n, top = n+1, max(top, position)
			return err
		},
	})
	if err != nil {
		return 0, err
	}
	// Not the number of rows: an entry that was deleted meanwhile leaves a gap, and its neighbours keep their positions.
	tx.buffer(statement{sql: "UPDATE feed_state SET last_position = ?", args: []any{top}})
	return n, nil
}

// AwaitChange returns when something has been appended to a feed since it was called, by this process at once and by
// another one within the poll interval, or when ctx ends.
func (s *Store) AwaitChange(ctx context.Context, poll time.Duration) {
	timer := time.NewTimer(poll)
	defer timer.Stop()
	select {
	case <-s.changed.wait():
	case <-timer.C:
	case <-ctx.Done():
	}
}

// CountPushedDeactivations counts the accounts that pushes deactivated in the integration's name since a time, up to a
// limit. What a run did has passed its guard, and does not count.
func (r *Reader) CountPushedDeactivations(ref model.Ref, since time.Time, limit int) (int, error) {
	var n int
	err := r.query(statement{
		sql: `SELECT count(*) FROM (SELECT 1 FROM changes WHERE type = 'account.deactivated' AND organization_id = ? AND
 integration_id = ? AND occurred_at > ? AND actor NOT LIKE 'run:%' LIMIT ?) AS c`,
		args: []any{ref.OrganizationID, ref.IntegrationID, since.UTC(), limit},
		scan: func(row scanner) error { return row.Scan(&n) },
	})
	return n, translate(err)
}

// broadcast wakes everyone who waits.
type broadcast struct {
	mu sync.Mutex
	ch chan struct{}
}

func (b *broadcast) wait() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ch == nil {
		b.ch = make(chan struct{})
	}
	return b.ch
}

func (b *broadcast) tell() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ch != nil {
		close(b.ch)
		b.ch = nil
	}
}

// ChangesAt gives the entries of the organization's feed that have a position of a range, both ends included, in order.
func (r *Reader) ChangesAt(organizationID string, from, to int64, limit int) ([]model.Change, error) {
	var list []model.Change
	err := r.query(statement{
		sql: `SELECT seq, position, organization_id, type, occurred_at, integration_id, subject_type, subject_id, actor, data FROM changes
 WHERE organization_id = ? AND position >= ? AND position <= ? ORDER BY position LIMIT ?`,
		args: []any{organizationID, from, to, limit}, scan: func(row scanner) error { return scanAppend(row, &list, scanChange) },
	})
	return list, translate(err)
}

// ChangesOf gives the entries of the organization's feed that have one of the positions and are kept, in order.
func (r *Reader) ChangesOf(organizationID string, positions []int64) ([]model.Change, error) {
	if len(positions) == 0 {
		return nil, nil
	}
	where, value := "position IN (SELECT value FROM json_each(?))", any(positions)
	if r.s.dialect == postgres {
		where = "position = ANY(?::bigint[])"
	} else {
		text, _ := json.Marshal(positions) // numbers always marshal
		value = string(text)
	}
	var list []model.Change
	err := r.query(statement{
		sql: `SELECT seq, position, organization_id, type, occurred_at, integration_id, subject_type, subject_id, actor, data FROM changes
 WHERE organization_id = ? AND ` + where + " ORDER BY position",
		args: []any{organizationID, value}, scan: func(row scanner) error { return scanAppend(row, &list, scanChange) },
	})
	return list, translate(err)
}

// PrunedChanges gives the position up to which entries of the feeds have been deleted because of their age.
func (r *Reader) PrunedChanges() (int64, error) {
	var pruned int64
	err := r.query(statement{sql: "SELECT pruned_position FROM feed_state", scan: func(row scanner) error { return row.Scan(&pruned) }})
	return pruned, translate(err)
}

// PruneChanges deletes entries of the feeds that are older than a time, the oldest first and at most limit, and says how many.
// Those without a position are kept: nobody can have read them.
func (tx *Tx) PruneChanges(before time.Time, limit int) (int, error) {
	var old []model.Change
	enough := false
	err := tx.query(statement{
		sql:  "SELECT seq, position, occurred_at FROM changes ORDER BY seq LIMIT ?",
		args: []any{limit},
		scan: func(row scanner) error {
			var c model.Change
			if err := row.Scan(&c.Seq, &c.Position, &c.OccurredAt); err != nil {
				return err
			}
			if enough = enough || c.Position == nil || !c.OccurredAt.Before(before); !enough {
				old = append(old, c)
			}
			return nil
		},
	})
	if err != nil || len(old) == 0 {
		return 0, translate(err)
	}
	top := int64(0)
	for _, c := range old {
		top = max(top, *c.Position)
	}
	return len(old), translate(tx.query(
		statement{sql: "DELETE FROM changes WHERE seq <= ? AND position IS NOT NULL AND occurred_at < ?", args: []any{old[len(old)-1].Seq, before.UTC()}},
		statement{sql: "UPDATE feed_state SET pruned_position = ? WHERE pruned_position < ?", args: []any{top, top}}))
}

// ChangesBefore gives entries of the organization's feed of the types, the newest first, before a position; 0 begins with the newest.
func (r *Reader) ChangesBefore(organizationID string, types []string, before int64, limit int) ([]model.Change, error) {
	where, args := typesWhere(types)
	if before > 0 {
		where, args = where+" AND position < ?", append(args, before)
	}
	var list []model.Change
	err := r.query(statement{
		sql: `SELECT seq, position, organization_id, type, occurred_at, integration_id, subject_type, subject_id, actor, data FROM changes
 WHERE organization_id = ? AND position IS NOT NULL` + where + ` ORDER BY position DESC LIMIT ?`,
		args: append(append([]any{organizationID}, args...), limit),
		scan: func(row scanner) error { return scanAppend(row, &list, scanChange) },
	})
	return list, translate(err)
}
