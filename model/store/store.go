package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// Options are what a Store is opened with.
type Options struct {
	// URL is sqlite:PATH, or postgres://….
	URL string
	// Now gives the time that rows carry; time.Now by default.
	Now func() time.Time
	// MaxConns bounds the connections to PostgreSQL; 0 means 16.
	MaxConns int
	Logger   *slog.Logger
	// Trace, where set, is told every statement that is sent, by any goroutine: tests count what a page costs with it.
	Trace func(sql string)
}

// Store is one open database. It is safe for concurrent use.
type Store struct {
	dialect dialect
	write   *sql.DB  // the one writer of SQLite, the pool of PostgreSQL
	read    *sql.DB  // readers of SQLite; the same pool on PostgreSQL
	orm     *gorm.DB // over write
	ormRead *gorm.DB // over read
	now     func() time.Time
	log     *slog.Logger
	queue   Queue
	trace   func(sql string)
	rebound sync.Map // SQL with ?, or several that are joined -> SQL with $n

	settings settingsCache
	groups   groupNames
	reads    *company // what travels together on PostgreSQL
	commits  *company
	edits    *company
	changed  broadcast

	newcomers atomic.Int64 // changes that were told of since analyzeNew looked last
}

// Job is work that is enqueued in the transaction that causes it. A room declares its own jobs; internal/jobs runs them.
type Job interface{ Kind() string }

// TxHandle is an open transaction as a queue needs it; the field of the store's database is set.
type TxHandle struct {
	SQLite   *sql.Tx
	Postgres *pgx.Conn
}

// Queue inserts jobs inside a transaction; internal/jobs satisfies it.
type Queue interface {
	Insert(ctx context.Context, tx TxHandle, job Job) error
}

// manyQueue is a queue that inserts many jobs in fewer statements than one each; internal/jobs is one.
type manyQueue interface {
	InsertMany(ctx context.Context, tx TxHandle, jobs []Job) error
}

// SetQueue gives the store the queue that Tx.Enqueue inserts into. It is called once, before the store is used.
func (s *Store) SetQueue(q Queue) { s.queue = q }

// Open connects to the database; it does not touch the schema.
func Open(ctx context.Context, opt Options) (*Store, error) {
	s := &Store{now: opt.Now, log: opt.Logger, trace: opt.Trace}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	var err error
	switch scheme, rest, _ := strings.Cut(opt.URL, ":"); scheme {
	case "sqlite":
		err = s.openSQLite(ctx, rest)
	case "postgres", "postgresql":
		err = s.openPostgres(ctx, opt)
	default:
		err = fmt.Errorf("database URL must begin with sqlite: or postgres://")
	}
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	return s, nil
}

// Close ends all connections.
func (s *Store) Close() error {
	err := s.write.Close()
	if s.read != s.write {
		if e := s.read.Close(); err == nil {
			err = e
		}
	}
	return err
}

// Ping asks the database for a sign of life.
func (s *Store) Ping(ctx context.Context) error { return s.read.PingContext(ctx) }

// Dialect says which database this is: "postgres" or "sqlite".
func (s *Store) Dialect() string { return string(s.dialect) }

// DB gives the pool that jobs are worked with.
func (s *Store) DB() *sql.DB { return s.write }

// Now gives the time in UTC, at the precision that both databases keep.
func (s *Store) Now() time.Time { return s.now().UTC().Truncate(time.Microsecond) }

// NewID gives a new identifier: a UUID of version 7, so that ids of rows made later sort later.
func NewID() string { return uuid.Must(uuid.NewV7()).String() }

// ValidID says whether s has the form of an identifier as NewID writes it, in lower case. What has not is not found, and is
// not asked of the database: PostgreSQL would refuse it or read its upper case as lower, SQLite would not.
func ValidID(s string) bool {
	return len(s) == 36 && uuid.Validate(s) == nil && !strings.ContainsAny(s, "ABCDEF")
}

func gormConfig(s *Store) *gorm.Config {
	log := logger.Discard
	if s.trace != nil {
		log = tracer{log, s}
	}
	return &gorm.Config{
		SkipDefaultTransaction: true,
		TranslateError:         false, // translate does, with the names of the constraints
		Logger:                 log,
		NowFunc:                s.Now,
	}
}

// Reader reads. It is bound to a context, and to a transaction if it came from one.
type Reader struct {
	s   *Store
	ctx context.Context
	raw runner
	tx  *Tx // the transaction that the reader is part of; nil outside one
}

// Read gives a Reader outside any transaction: each of its statements sees the latest committed state.
func (s *Store) Read(ctx context.Context) *Reader {
	return &Reader{s: s, ctx: ctx, raw: poolRunner{s, s.read}}
}

// Tx is one transaction. Its writes may be buffered until the next read or the commit, and are sent together.
type Tx struct {
	Reader
	conn    *sql.Conn
	sqlTx   *sql.Tx // SQLite's; on PostgreSQL BEGIN and COMMIT travel with the statements
	begun   bool
	pending []statement
	feed    appendix // changes
	log     appendix // activities
	now     time.Time
	told    int64 // how many changes were appended
	try     attempt
	company string            // the class in which it may commit in company; none where it may not
	ride    *ride             // that it is part of, until it commits
	ahead   *ahead            // a step that LockGroup took, or GuessGroup guessed
	touched *touched          // a group whose version a guess raises
	names   map[string]string // display names of locked users and groups, by id
	guessed func()            // doubts what was guessed; nil where nothing was
	altered bool              // settings were changed, so that what this transaction reads of them is its own until it commits
}

// Now gives the transaction's time: the same for everything it writes.
func (tx *Tx) Now() time.Time { return tx.now }

// Enqueue inserts a job that will be worked if, and only if, the transaction commits.
func (tx *Tx) Enqueue(job Job) error { return tx.EnqueueAll([]Job{job}) }

// EnqueueAll is Enqueue of several jobs.
func (tx *Tx) EnqueueAll(list []Job) error {
	if len(list) == 0 {
		return nil
	}
	if tx.s.queue == nil {
		return fmt.Errorf("enqueue %s: the store has no queue", list[0].Kind())
	}
	if err := tx.send(); err != nil {
		return err
	}
	if tx.sqlTx != nil {
		return tx.insertJobs(TxHandle{SQLite: tx.sqlTx}, list)
	}
	return pgxConn(tx.conn, func(conn *pgx.Conn) error { return tx.insertJobs(TxHandle{Postgres: conn}, list) })
}

func (tx *Tx) insertJobs(handle TxHandle, list []Job) error {
	if many, ok := tx.s.queue.(manyQueue); ok && len(list) > 1 {
		return many.InsertMany(tx.ctx, handle, list)
	}
	for _, job := range list {
		if err := tx.s.queue.Insert(tx.ctx, handle, job); err != nil {
			return err
		}
	}
	return nil
}

// maxAttempts bounds how often a transaction that lost a race is run again.
const maxAttempts = 8

// InTx runs fn in one transaction and commits it. fn may run several times, when the database aborted the transaction
// for a serialization failure or a deadlock, or when fn lost a race to link or create an account and must look again:
// it must not keep what an earlier run found. The Tx must not be used after fn returns, and the Store not within it.
func (s *Store) InTx(ctx context.Context, fn func(*Tx) error) error {
	try := attempt{guess: s.dialect == postgres, company: s.dialect == postgres}
	for n := 1; ; n++ {
		guessed, err := s.once(ctx, try, fn)
		if err == nil {
			s.analyzeNew(ctx)
		}
		if err == nil || n == maxAttempts || guessed == nil && !retryable(err) || ctx.Err() != nil {
			return outward(err)
		}
		try.company = false
		if guessed != nil { // whatever failed, it may be for the guess
			try.guess = false
		}
		if guessed != nil && errors.Is(err, errWrongGuess) {
			guessed()
		}
		if closed, ok := errors.AsType[closedDoors](err); ok {
			try.doors = slices.Compact(slices.Sorted(slices.Values(append(try.doors, closed.names...))))
		}
		s.log.DebugContext(ctx, "transaction runs again", "attempt", n, "err", err)
	}
}

// attempt is what one run of a transaction does otherwise than another.
type attempt struct {
	doors   []string // that an earlier run found closed; taken with the settings
	guess   bool     // see ArrivalFacts and GuessGroup
	company bool     // it may travel in one
}

// once runs fn in a transaction. Where fn guessed and it failed, it gives what doubts the guess.
func (s *Store) once(ctx context.Context, try attempt, fn func(*Tx) error) (guessed func(), err error) {
	tx, err := s.newTx(ctx)
	if err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	tx.try = try
	defer tx.end()
	if err := fn(tx); err != nil {
		return tx.guessed, err
	}
	if err := tx.commit(); err != nil {
		return tx.guessed, err
	}
	if tx.told > 0 {
		s.newcomers.Add(tx.told)
		s.changed.tell()
	}
	return nil, nil
}

func (s *Store) newTx(ctx context.Context) (*Tx, error) {
	tx := &Tx{Reader: Reader{s: s, ctx: ctx}, now: s.Now()}
	tx.tx = tx
	if s.dialect == postgres {
		return tx, nil // it connects when it sends something
	}
	err := tx.connect()
	if err == nil {
		tx.sqlTx, err = tx.conn.BeginTx(ctx, nil)
	}
	if err != nil {
		tx.end()
		return nil, err
	}
	tx.begun, tx.raw = true, txRunner{tx.sqlTx}
	return tx, nil
}

// connect takes a connection, unless there is one.
func (tx *Tx) connect() (err error) {
	if tx.conn == nil {
		if tx.conn, err = tx.s.write.Conn(tx.ctx); err == nil {
			tx.raw = pgxRunner{tx.s, tx.conn}
		}
	}
	return err
}

// end gives the connection back, after a rollback if nothing was committed.
func (tx *Tx) end() {
	if tx.ride != nil {
		tx.ride.leave(nil)
	}
	if tx.conn != nil {
		tx.rollback()
		_ = tx.conn.Close()
	}
}

// orm gives gorm, after what is buffered has been sent, so that a read sees the transaction's own writes.
func (r *Reader) orm() (*gorm.DB, error) {
	if r.tx == nil {
		return r.s.ormRead.WithContext(r.ctx), nil
	}
	if err := r.tx.send(); err != nil {
		return nil, err
	}
	db := r.s.orm.Session(&gorm.Session{NewDB: true, Context: r.ctx})
	if db.Statement.ConnPool = r.tx.conn; r.tx.sqlTx != nil {
		db.Statement.ConnPool = r.tx.sqlTx
	}
	return db, nil
}

// pgxConn lends the connection that database/sql holds.
func pgxConn(conn *sql.Conn, fn func(*pgx.Conn) error) error {
	return conn.Raw(func(driverConn any) error {
		c, ok := driverConn.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("unexpected driver connection %T", driverConn)
		}
		return fn(c.Conn())
	})
}
