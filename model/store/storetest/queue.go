package storetest

import (
	"context"
	"encoding/json"
	"testing"

	"usher/model/store"
)

// jobsTable is no part of the schema; the templates have it besides.
const jobsTable = "storetest_jobs"

// Queue records jobs in a table, within the transaction that enqueues them, so that a rollback takes them back.
type Queue struct {
	// Dialect is "postgres" or "sqlite", as store.Store.Dialect gives it.
	Dialect string
}

var _ store.Queue = Queue{}

// RecordedJob is a job that a committed transaction has enqueued.
type RecordedJob struct {
	Kind string
	Args json.RawMessage
}

// Insert records the job.
func (q Queue) Insert(ctx context.Context, tx store.TxHandle, job store.Job) error {
	args, err := json.Marshal(job)
	if err != nil {
		return err
	}
	if tx.Postgres != nil {
		_, err = tx.Postgres.Exec(ctx, "INSERT INTO "+jobsTable+" (kind, args) VALUES ($1, $2)", job.Kind(), string(args))
		return err
	}
	_, err = tx.SQLite.ExecContext(ctx, "INSERT INTO "+jobsTable+" (kind, args) VALUES (?, ?)", job.Kind(), string(args))
	return err
}

// Jobs gives the jobs that committed transactions have enqueued, in the order of insertion.
func Jobs(tb testing.TB, s *store.Store) []RecordedJob {
	tb.Helper()
	rows, err := s.DB().QueryContext(tb.Context(), "SELECT kind, args FROM "+jobsTable+" ORDER BY n")
	if err != nil {
		tb.Fatalf("storetest: %v", err)
	}
	defer func() { _ = rows.Close() }()
	var jobs []RecordedJob
	for rows.Next() {
		var kind, args string
		if err := rows.Scan(&kind, &args); err != nil {
			tb.Fatalf("storetest: %v", err)
		}
		jobs = append(jobs, RecordedJob{kind, json.RawMessage(args)})
	}
	if err := rows.Err(); err != nil {
		tb.Fatalf("storetest: %v", err)
	}
	return jobs
}
