package jobs_test

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"usher/internal/jobs"
	"usher/model/store"
	"usher/model/store/storetest"
)

// errand is the job of these tests; its name says which one was worked.
type errand struct {
	Name string    `json:"name"`
	At   time.Time `json:"at"`
	Out  bool      `json:"out"`
}

// NotBefore is when it may be worked.
func (e errand) NotBefore() time.Time { return e.At }

// Outward says that it waits for another server.
func (e errand) Outward() bool { return e.Out }

// Kind names the job in the queue.
func (errand) Kind() string { return "jobs_test.errand" }

// patience bounds every wait. It is far longer than anything takes, so that only what never comes runs into it.
const patience = time.Minute

// fixture is a queue on a real database, whose jobs tell that they are worked.
type fixture struct {
	*testing.T
	store   *store.Store
	queue   *jobs.Queue
	runs    atomic.Int32
	began   chan string   // names of the jobs, each time one is begun
	release chan struct{} // closed by the test, where its jobs wait for that
}

// work is how the n-th run of a job goes, counted from 1.
type work func(ctx context.Context, f *fixture, n int) error

// well is work that succeeds at once.
func well(context.Context, *fixture, int) error { return nil }

// each runs the test on both databases.
func each(t *testing.T, how work, test func(f *fixture), periodic ...jobs.Periodic) {
	t.Helper()
	for name, url := range map[string]storetest.URL{"sqlite": storetest.SQLiteURL, "postgres": storetest.PostgresURL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(newFixture(t, url(t), how, periodic))
		})
	}
}

func newFixture(t *testing.T, url string, how work, periodic []jobs.Periodic) *fixture {
	t.Helper()
	f := &fixture{T: t, store: storetest.OpenURL(t, url), began: make(chan string, 100), release: make(chan struct{})}
	if err := jobs.Migrate(t.Context(), f.store.DB(), f.store.Dialect()); err != nil {
		t.Fatal(err)
	}
	table := jobs.NewWork()
	jobs.Add(table, func(ctx context.Context, job errand) error {
		n := int(f.runs.Add(1))
		f.began <- job.Name
		return how(ctx, f, n)
	})
	var err error
	f.queue, err = jobs.New(jobs.Options{
		Store: f.store, DatabaseURL: url, Work: table, Periodic: periodic, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	f.store.SetQueue(f.queue)
	return f
}

// start works jobs until the test ends.
func (f *fixture) start() {
	f.Helper()
	if err := f.queue.Start(f.Context()); err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := f.queue.Stop(ctx); err != nil {
			f.Errorf("stop: %v", err)
		}
	})
}

func (f *fixture) enqueue(name string) {
	f.Helper()
	storetest.InTx(f, f.store, func(tx *store.Tx) error { return tx.Enqueue(errand{Name: name}) })
}

// begins waits for the next job that is begun, and wants it to be this one.
func (f *fixture) begins(want string) {
	f.Helper()
	if got := receive(f, f.began); got != want {
		f.Fatalf("job %q is worked, want %q", got, want)
	}
}

// failsOnce is work that fails with the error the first time, and succeeds then.
func failsOnce(err error) work {
	return func(_ context.Context, _ *fixture, n int) error {
		if n == 1 {
			return err
		}
		return nil
	}
}

// receive waits for a value of the channel.
func receive[T any](f *fixture, from <-chan T) T {
	f.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case value := <-from:
		return value
	case <-limit.C:
		f.Fatalf("nothing within %s", patience)
		panic("unreachable")
	}
}

// stored is what the queue keeps of a job: left is how many attempts it has still.
type stored struct {
	state string
	left  int
}

// settles waits until the only job is in the state, and gives what is stored of it.
func (f *fixture) settles(state string) stored {
	f.Helper()
	limit, tick := time.NewTimer(patience), time.NewTicker(10*time.Millisecond)
	defer limit.Stop()
	defer tick.Stop()
	for {
		job := f.only()
		if job.state == state {
			return job
		}
		select {
		case <-tick.C:
		case <-limit.C:
			f.Fatalf("the job is %s, want %s", job.state, state)
		}
	}
}

// only reads the one job that is stored.
func (f *fixture) only() stored {
	f.Helper()
	var n int
	const query = "SELECT count(*), min(state), min(max_attempts - attempt) FROM (SELECT CAST(state AS text) AS state, max_attempts, attempt FROM river_job) AS j"
	var state sql.NullString
	var left sql.NullInt64
	if err := f.store.DB().QueryRowContext(f.Context(), query).Scan(&n, &state, &left); err != nil {
		f.Fatal(err)
	}
	if n != 1 {
		f.Fatalf("%d jobs are stored, want 1", n)
	}
	return stored{state.String, int(left.Int64)}
}

// maxAttempts is how often River tries a job.
const maxAttempts = 25

var errBoom = errors.New("boom")
