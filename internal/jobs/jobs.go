// Package jobs owns everything that is River: the queue that the store enqueues into, the workers, and the table of
// periodic work. Rooms below declare their jobs as plain structs with the method that works them; this room is the only
// one that knows River's verbs. It may import model, model/store and what declares jobs.
package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"

	"usher/model"
	"usher/model/store"
)

// Work is the table of what can be worked.
type Work struct{ workers *river.Workers }

// NewWork gives an empty table.
func NewWork() *Work { return &Work{river.NewWorkers()} }

// Add says which function works jobs of type A.
func Add[A store.Job](w *Work, run func(context.Context, A) error) {
	river.AddWorker(w.workers, &worker[A]{run: run})
}

type worker[A store.Job] struct {
	river.WorkerDefaults[A]
	run func(context.Context, A) error
}

// Work translates what a room says into what River does: *model.Throttled comes back later without using up an attempt;
// what can never succeed is cancelled; every other error is tried again with River's backoff.
func (w *worker[A]) Work(ctx context.Context, job *river.Job[A]) error {
	err := w.run(ctx, job.Args)
	if t, ok := errors.AsType[*model.Throttled](err); ok {
		return river.JobSnooze(t.After)
	}
	if kind := model.KindOf(err); err != nil && (kind == model.NotFound || kind == model.Invalid || kind == model.Refused) {
		return river.JobCancel(err)
	}
	return err
}

// Periodic is work that is enqueued every so often, by one process of all that share the database, and when it starts.
type Periodic struct {
	Every time.Duration
	Job   store.Job
}

// Options are what a Queue is made of.
type Options struct {
	Store *store.Store
	// DatabaseURL is what the store was opened with; on PostgreSQL the workers have connections of their own.
	DatabaseURL string
	Work        *Work
	Periodic    []Periodic
	// Workers bounds how many jobs this process works at once; 0 means 8, and on SQLite always fewer.
	Workers int
	Logger  *slog.Logger
}

// Queue inserts jobs inside the store's transactions and, between Start and Stop, works them.
type Queue struct {
	opt   Options
	lite  *river.Client[*sql.Tx] // inserts on SQLite
	pg    *river.Client[pgx.Tx]  // inserts on PostgreSQL
	pool  *pgxpool.Pool
	start func(context.Context) error
	stop  func(context.Context) error
	abort func(context.Context) error
}

// The bounds of a job: it may take jobTimeout, after which its context ends; one that was left running by a process that
// died is given to another worker after rescueAfter.
const (
	jobTimeout  = 2 * time.Minute
	rescueAfter = 5 * time.Minute
)

// New makes a queue; jobs can be enqueued at once, and are worked after Start.
func New(opt Options) (*Queue, error) {
	q := &Queue{opt: opt}
	if opt.Workers <= 0 {
		q.opt.Workers = 8
	}
	if opt.Logger == nil {
		q.opt.Logger = slog.New(slog.DiscardHandler)
	}
	var err error
	if opt.Store.Dialect() == "postgres" {
		q.pg, err = river.NewClient(riverpgxv5.New(nil), &river.Config{Logger: quiet(q.opt.Logger)})
	} else {
		err = q.onSQLite()
	}
	if err != nil {
		return nil, fmt.Errorf("job queue: %w", err)
	}
	return q, nil
}

// onSQLite makes one client that inserts and works over the one writing connection.
func (q *Queue) onSQLite() error {
	cfg := q.config(min(q.opt.Workers, sqliteWorkers))
	cfg.FetchPollInterval = sqlitePoll
	client, err := river.NewClient(riversqlite.New(q.opt.Store.DB()), cfg)
	if err != nil {
		return err
	}
	q.lite, q.start, q.stop, q.abort = client, client.Start, client.Stop, client.StopAndCancel
	return nil
}

// outwardWorkers is how many times as many workers there are for jobs that wait for other servers.
const outwardWorkers = 8

// sqliteWorkers bounds workers where there is one writer: more would wait for one another.
const sqliteWorkers = 2

// sqlitePoll is how often SQLite is asked for jobs, which tells nobody that there are some: it takes a tenth of a millisecond.
const sqlitePoll = 200 * time.Millisecond

func (q *Queue) config(workers int) *river.Config {
	cfg := &river.Config{
		Logger: quiet(q.opt.Logger), Workers: q.opt.Work.workers, JobTimeout: jobTimeout, RescueStuckJobsAfter: rescueAfter,
		Queues: map[string]river.QueueConfig{
			river.QueueDefault: {MaxWorkers: workers}, outwardQueue: {MaxWorkers: outwardWorkers * workers},
		},
		FetchPollInterval: time.Second,
	}
	for _, p := range q.opt.Periodic {
		cfg.PeriodicJobs = append(cfg.PeriodicJobs, river.NewPeriodicJob(river.PeriodicInterval(p.Every),
			func() (river.JobArgs, *river.InsertOpts) { return p.Job, insertOptions(p.Job) }, &river.PeriodicJobOpts{RunOnStart: true}))
	}
	return cfg
}

// quiet passes on warnings and errors alone: River tells of each of its services.
func quiet(log *slog.Logger) *slog.Logger { return slog.New(atLeastWarn{log.Handler()}) }

type atLeastWarn struct{ slog.Handler }

func (h atLeastWarn) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && h.Handler.Enabled(ctx, level)
}

func (h atLeastWarn) WithAttrs(attrs []slog.Attr) slog.Handler {
	return atLeastWarn{h.Handler.WithAttrs(attrs)}
}

func (h atLeastWarn) WithGroup(name string) slog.Handler {
	return atLeastWarn{h.Handler.WithGroup(name)}
}

// delayed is a job that has a time before which it is not to be worked; zero is at once.
type delayed interface{ NotBefore() time.Time }

// outward is a job that mostly waits for somebody else's server, and so has a queue of its own, with more workers: those who wait
// there keep nobody from working here.
type outward interface{ Outward() bool }

const outwardQueue = "outward"

func insertOptions(job store.Job) *river.InsertOpts {
	opt := &river.InsertOpts{}
	if d, ok := job.(delayed); ok {
		opt.ScheduledAt = d.NotBefore()
	}
	if o, ok := job.(outward); ok && o.Outward() {
		opt.Queue = outwardQueue
	}
	return opt
}

// Insert enqueues a job in the transaction. One with a method NotBefore() time.Time waits until then; one with a method
// Outward() bool that is true has the workers of those who wait for other servers.
func (q *Queue) Insert(ctx context.Context, tx store.TxHandle, job store.Job) error {
	var err error
	if tx.Postgres != nil {
		_, err = q.pg.InsertTx(ctx, openTx{tx.Postgres}, job, insertOptions(job))
	} else {
		_, err = q.lite.InsertTx(ctx, tx.SQLite, job, insertOptions(job))
	}
	if err != nil {
		return fmt.Errorf("enqueue %s: %w", job.Kind(), err)
	}
	return nil
}

// InsertMany is Insert of several jobs; on PostgreSQL it is one statement.
func (q *Queue) InsertMany(ctx context.Context, tx store.TxHandle, jobs []store.Job) error {
	params := make([]river.InsertManyParams, len(jobs))
	for i, job := range jobs {
		params[i] = river.InsertManyParams{Args: job, InsertOpts: insertOptions(job)}
	}
	var err error
	if tx.Postgres != nil {
		_, err = q.pg.InsertManyTx(ctx, openTx{tx.Postgres}, params)
	} else {
		_, err = q.lite.InsertManyTx(ctx, tx.SQLite, params)
	}
	if err != nil {
		return fmt.Errorf("enqueue %d jobs: %w", len(jobs), err)
	}
	return nil
}

// Start begins to work jobs. On PostgreSQL the workers listen, so that a job is picked up when it is committed; on
// SQLite they ask every sqlitePoll.
func (q *Queue) Start(ctx context.Context) error {
	if q.start == nil {
		pool, err := pgxpool.New(ctx, q.opt.DatabaseURL)
		if err != nil {
			return errors.New("job queue: the database URL is not a valid PostgreSQL connection string")
		}
		client, err := river.NewClient(riverpgxv5.New(pool), q.config(q.opt.Workers))
		if err != nil {
			pool.Close()
			return fmt.Errorf("job queue: %w", err)
		}
		q.pool, q.start, q.stop, q.abort = pool, client.Start, client.Stop, client.StopAndCancel
	}
	return q.start(context.WithoutCancel(ctx))
}

// Stop lets jobs that are being worked finish until ctx ends, then cancels them.
func (q *Queue) Stop(ctx context.Context) error {
	if q.stop == nil {
		return nil
	}
	err := q.stop(ctx)
	if err != nil {
		hard, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		err = q.abort(hard)
	}
	if q.pool != nil {
		q.pool.Close()
	}
	return err
}

// migrator works on River's own tables through the store's pool, which serves both databases as database/sql.
func migrator(db *sql.DB, dialect string) (*rivermigrate.Migrator[*sql.Tx], error) {
	var driver riverdriver.Driver[*sql.Tx] = riversqlite.New(db)
	if dialect == "postgres" {
		driver = riverdatabasesql.New(db)
	}
	return rivermigrate.New(driver, nil)
}

// Migrate brings River's own tables up to date.
func Migrate(ctx context.Context, db *sql.DB, dialect string) error {
	m, err := migrator(db, dialect)
	if err == nil {
		_, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil)
	}
	if err != nil {
		return fmt.Errorf("migrate the job queue: %w", err)
	}
	return nil
}

// Check gives an error unless River's tables are up to date.
func Check(ctx context.Context, db *sql.DB, dialect string) error {
	m, err := migrator(db, dialect)
	if err != nil {
		return fmt.Errorf("check the job queue: %w", err)
	}
	res, err := m.Validate(ctx)
	if err != nil {
		return fmt.Errorf("check the job queue: %w", err)
	}
	if !res.OK {
		return errors.New("the job queue's tables are behind this program: run `usher migrate up`")
	}
	return nil
}
