package jobs_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"usher/internal/jobs"
	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
)

func TestJobIsWorkedIfItsTransactionCommits(t *testing.T) {
	t.Parallel()
	each(t, well, func(f *fixture) {
		f.start()
		err := f.store.InTx(f.Context(), func(tx *store.Tx) error {
			if err := tx.Enqueue(errand{Name: "rolled back"}); err != nil {
				return err
			}
			return errBoom
		})
		if !errors.Is(err, errBoom) {
			f.Fatal(err)
		}
		f.enqueue("committed")
		f.begins("committed")
		if job := f.settles("completed"); job.left != maxAttempts-1 {
			f.Errorf("%d attempts are left after the first", job.left)
		}
	})
}

func TestJobsThatWaitedAreWorkedAfterStart(t *testing.T) {
	t.Parallel()
	each(t, well, func(f *fixture) {
		f.enqueue("early")
		f.start()
		f.begins("early")
	})
}

// TestAJobWaitsForItsTime lets one job begin, so that the queue has looked, and finds the other still waiting.
func TestAJobWaitsForItsTime(t *testing.T) {
	t.Parallel()
	each(t, well, func(f *fixture) {
		storetest.InTx(f, f.store, func(tx *store.Tx) error {
			return tx.Enqueue(errand{Name: "later", At: time.Now().Add(time.Hour)})
		})
		if job := f.only(); job.state != "scheduled" {
			f.Fatalf("the job is %s", job.state)
		}
		f.start()
		f.enqueue("now")
		f.begins("now")
	})
}

// TestJobsThatAreEnqueuedTogether are as those that are enqueued one by one.
func TestJobsThatAreEnqueuedTogether(t *testing.T) {
	t.Parallel()
	each(t, well, func(f *fixture) {
		enqueue := func(end error) error {
			return f.store.InTx(f.Context(), func(tx *store.Tx) error {
				list := []store.Job{errand{Name: "first"}, errand{Name: "later", At: time.Now().Add(time.Hour)}, errand{Name: "out", Out: true}}
				if err := tx.EnqueueAll(list); err != nil {
					return err
				}
				return end
			})
		}
		if err := enqueue(errBoom); !errors.Is(err, errBoom) {
			f.Fatal(err)
		}
		if err := enqueue(nil); err != nil {
			f.Fatal(err)
		}
		f.start()
		began := map[string]bool{receive(f, f.began): true, receive(f, f.began): true}
		if !began["first"] || !began["out"] {
			f.Errorf("begun are %v", began)
		}
	})
}

// TestOutwardJobsKeepNobodyWaiting fills every worker of other servers' jobs; one that needs nobody is worked all the same.
func TestOutwardJobsKeepNobodyWaiting(t *testing.T) {
	t.Parallel()
	how := func(ctx context.Context, f *fixture, _ int) error {
		select {
		case <-f.release:
		case <-ctx.Done():
		}
		return ctx.Err()
	}
	each(t, how, func(f *fixture) {
		const most = 4 * 8 // of PostgreSQL; SQLite has fewer
		storetest.InTx(f, f.store, func(tx *store.Tx) error {
			for range most {
				if err := tx.Enqueue(errand{Name: "out", Out: true}); err != nil {
					return err
				}
			}
			return nil
		})
		f.start()
		f.begins("out")
		f.enqueue("inside")
		for receive(f, f.began) != "inside" { //nolint:revive // the others begin meanwhile
		}
		close(f.release)
	})
}

// TestHowAJobEnds: what its error means for the job, and how many of its attempts it took.
func TestHowAJobEnds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name           string
		err            error
		runs, attempts int
		state          string
	}{
		{"throttled comes back without using an attempt", &model.Throttled{After: 50 * time.Millisecond}, 2, 1, "completed"},
		{"another failure is tried again", errBoom, 2, 2, "completed"},
		{"a conflict is tried again", model.Errorf(model.Conflict, "taken"), 2, 2, "completed"},
		{"what is not found is cancelled", model.Errorf(model.NotFound, "gone"), 1, 1, "cancelled"},
		{"what is invalid is cancelled", model.Errorf(model.Invalid, "wrong"), 1, 1, "cancelled"},
		{"what is refused is cancelled", model.Errorf(model.Refused, "not now"), 1, 1, "cancelled"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			each(t, failsOnce(c.err), func(f *fixture) {
				f.start()
				f.enqueue("errand")
				for range c.runs {
					f.begins("errand")
				}
				if job := f.settles(c.state); job.left != maxAttempts-c.attempts {
					f.Errorf("%d attempts are left, want %d", job.left, maxAttempts-c.attempts)
				}
				if n := int(f.runs.Load()); n != c.runs {
					f.Errorf("it ran %d times, want %d", n, c.runs)
				}
			})
		})
	}
}

func TestPeriodicWorkBeginsAtTheStart(t *testing.T) {
	t.Parallel()
	each(t, well, func(f *fixture) {
		f.start()
		f.begins("by itself")
	}, jobs.Periodic{Every: time.Hour, Job: errand{Name: "by itself"}})
}

// asked is a context that tells when somebody begins to wait for its end.
type asked struct {
	context.Context
	once *sync.Once
	told chan struct{}
}

func (a asked) Done() <-chan struct{} {
	a.once.Do(func() { close(a.told) })
	return a.Context.Done()
}

func TestStopLetsARunningJobFinish(t *testing.T) {
	t.Parallel()
	how := func(ctx context.Context, f *fixture, _ int) error {
		<-f.release
		return ctx.Err()
	}
	each(t, how, func(f *fixture) {
		f.start()
		f.enqueue("long")
		f.begins("long")
		stopping := asked{f.Context(), &sync.Once{}, make(chan struct{})}
		stopped := make(chan error, 1)
		go func() { stopped <- f.queue.Stop(stopping) }()
		receive(f, stopping.told) // Stop waits now
		select {
		case err := <-stopped:
			f.Fatalf("Stop returned while a job ran: %v", err)
		default:
		}
		close(f.release)
		if err := receive(f, stopped); err != nil {
			f.Error(err)
		}
		if job := f.only(); job.state != "completed" {
			f.Errorf("the job is %s, want completed", job.state)
		}
	})
}

func TestStopCancelsAJobThatTakesTooLong(t *testing.T) {
	t.Parallel()
	how := func(ctx context.Context, _ *fixture, _ int) error {
		<-ctx.Done()
		return ctx.Err()
	}
	each(t, how, func(f *fixture) {
		f.start()
		f.enqueue("endless")
		f.begins("endless")
		over, cancel := context.WithCancel(f.Context())
		cancel()
		if err := f.queue.Stop(over); err != nil {
			f.Error(err)
		}
		if job := f.only(); job.state != "available" && job.state != "retryable" {
			f.Errorf("the job is %s, want it kept for another attempt", job.state)
		}
	})
}

func TestStopWithoutStart(t *testing.T) {
	t.Parallel()
	each(t, well, func(f *fixture) {
		if err := f.queue.Stop(f.Context()); err != nil {
			f.Error(err)
		}
	})
}

func TestCheckTellsWhetherTheTablesAreBehind(t *testing.T) {
	t.Parallel()
	for _, db := range storetest.Databases() {
		t.Run(db.Name, func(t *testing.T) {
			t.Parallel()
			s := db.Open(t)
			if err := jobs.Check(t.Context(), s.DB(), s.Dialect()); err == nil || !strings.Contains(err.Error(), "usher migrate up") {
				t.Errorf("without tables: %v, want what to do", err)
			}
			for range 2 { // migrating again changes nothing
				if err := jobs.Migrate(t.Context(), s.DB(), s.Dialect()); err != nil {
					t.Fatal(err)
				}
			}
			if err := jobs.Check(t.Context(), s.DB(), s.Dialect()); err != nil {
				t.Errorf("after Migrate: %v", err)
			}
		})
	}
}

// TestTheStoreAloneEndsItsTransaction: whatever River tries, it cannot end what the store began.
func TestTheStoreAloneEndsItsTransaction(t *testing.T) {
	t.Parallel()
	conn, err := pgx.Connect(t.Context(), storetest.PostgresURL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	tx := jobs.OpenTx(conn)
	if _, err := tx.Begin(t.Context()); err == nil {
		t.Error("Begin is not refused")
	}
	if err := tx.Commit(t.Context()); err == nil {
		t.Error("Commit is not refused")
	}
	if err := tx.Rollback(t.Context()); err == nil {
		t.Error("Rollback is not refused")
	}
	if tx.Conn() != conn {
		t.Error("Conn gives another connection")
	}
}
