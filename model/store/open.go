package store

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"runtime"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"
	gormpg "gorm.io/driver/postgres"
	gormlite "gorm.io/driver/sqlite"
	"gorm.io/gorm"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// dialect is which of the two databases is spoken to.
type dialect string

const (
	postgres   dialect = "postgres"
	sqliteLite dialect = "sqlite"
)

func (s *Store) openPostgres(ctx context.Context, opt Options) error {
	cfg, err := pgx.ParseConfig(opt.URL)
	if err != nil {
		return fmt.Errorf("database URL is not a valid PostgreSQL connection string") // pgx's text may quote the password
	}
	cfg.StatementCacheCapacity = 256
	if cfg.DefaultQueryExecMode != pgx.QueryExecModeCacheDescribe { // which the URL may ask for
		cfg.DescriptionCacheCapacity = 0
	}
	if cfg.RuntimeParams["application_name"] == "" {
		cfg.RuntimeParams["application_name"] = "usher"
	}
	db := stdlib.OpenDB(*cfg, stdlib.OptionAfterConnect(func(ctx context.Context, conn *pgx.Conn) error {
		types := conn.TypeMap()
		types.TryWrapEncodePlanFuncs = append(types.TryWrapEncodePlanFuncs, wrapUUIDText)
		types.RegisterType(&pgtype.Type{
			Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
		})
		// Statements here take milliseconds at most, unless PostgreSQL compiles one because it believes in more rows than there are.
		_, err := conn.Exec(ctx, "SET jit = off")
		return err
	}))
	conns := opt.MaxConns
	if conns <= 0 {
		conns = 16
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	if err := db.PingContext(ctx); err != nil {
		_ = db.Close()
		return fmt.Errorf("connect to PostgreSQL at %s: %w", cfg.Host, err)
	}
	s.dialect, s.write, s.read = postgres, db, db
	if s.orm, err = gorm.Open(gormpg.New(gormpg.Config{Conn: db}), gormConfig(s)); err != nil {
		_ = db.Close()
		return err
	}
	s.ormRead = s.orm
	s.travelTogether()
	return nil
}

// openSQLite opens one writing connection, as SQLite has one writer, and a few reading ones.
func (s *Store) openSQLite(ctx context.Context, path string) error {
	if err := registerFunctions(); err != nil {
		return err
	}
	// The soft limit has SQLite use its pages again, where it would otherwise take more memory than 16 MiB for all connections.
	dsn := func(extra string) string {
		return "file:" + (&url.URL{Path: path}).EscapedPath() + "?_pragma=journal_mode(wal)&_pragma=busy_timeout(10000)" +
			"&_pragma=foreign_keys(1)&_pragma=synchronous(full)&_pragma=soft_heap_limit(16777216)&_pragma=cache_size(-512)&_time_format=sqlite&_timezone=UTC" + extra
	}
	write, err := sql.Open("sqlite", dsn("&_txlock=immediate"))
	if err != nil {
		return err
	}
	write.SetMaxOpenConns(1)
	if err := write.PingContext(ctx); err != nil {
		_ = write.Close()
		return fmt.Errorf("open SQLite file %s: %w", path, err)
	}
	read, err := sql.Open("sqlite", dsn("&_pragma=query_only(1)"))
	if err != nil {
		_ = write.Close()
		return err
	}
	read.SetMaxOpenConns(max(4, runtime.GOMAXPROCS(0)))
	read.SetMaxIdleConns(max(4, runtime.GOMAXPROCS(0)))
	s.dialect, s.write, s.read = sqliteLite, write, read
	if s.orm, err = gorm.Open(gormlite.Dialector{Conn: write}, gormConfig(s)); err == nil {
		s.ormRead, err = gorm.Open(gormlite.Dialector{Conn: read}, gormConfig(s))
	}
	if err != nil {
		_, _ = write.Close(), read.Close()
	}
	return err
}
