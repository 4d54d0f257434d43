package jobs

import (
	"context"
	"strconv"
)

// Count is how many jobs of a kind are in a state. States are River's: available, running, scheduled, retryable, completed, cancelled
// and discarded.
type Count struct {
	Kind, State string
	Count       int
	LastError   string // of the newest job of them that failed
}

// countBound is how many of the newest jobs are counted, so that a full queue answers as fast as an empty one.
const countBound = 10_000

// Counts counts the newest jobs of the installation by kind and state.
func (q *Queue) Counts(ctx context.Context) ([]Count, error) {
	failure := "errors[array_upper(errors, 1)]->>'error'"
	if q.opt.Store.Dialect() != "postgres" {
		failure = "json_extract(json(errors), '$[#-1].error')"
	}
	rows, err := q.opt.Store.DB().QueryContext(ctx, `SELECT kind, state, count(*), coalesce(max(CASE WHEN errors IS NOT NULL THEN `+failure+` END), '')
 FROM (SELECT kind, state, errors FROM river_job ORDER BY id DESC LIMIT `+strconv.Itoa(countBound)+`) newest GROUP BY kind, state ORDER BY kind, state`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []Count
	for rows.Next() {
		var c Count
		if err := rows.Scan(&c.Kind, &c.State, &c.Count, &c.LastError); err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, rows.Err()
}
