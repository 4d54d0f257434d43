// Package migrations holds the schema of both databases as numbered goose files, embedded in the binary, and runs them.
// It imports nothing of Usher: it is handed an open database and told which of the two it is.
package migrations

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed postgres/*.sql sqlite/*.sql
var files embed.FS

// Migration is one numbered step of the schema.
type Migration struct {
	Version int64
	Name    string
	Applied bool
}

// ErrBehind says that the database lacks migrations that this program needs.
var ErrBehind = errors.New("the database schema is behind this program: run `usher migrate up`")

func provider(db *sql.DB, dialect string) (*goose.Provider, error) {
	kind := goose.DialectPostgres
	if dialect == "sqlite" {
		kind = goose.DialectSQLite3
	}
	dir, err := fs.Sub(files, dialect)
	if err != nil {
		return nil, err
	}
	options := []goose.ProviderOption{goose.WithVerbose(false)}
	if kind == goose.DialectPostgres {
		// Replicas that start together migrate one after the other. SQLite is one process.
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 600))
		if err != nil {
			return nil, err
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	return goose.NewProvider(kind, db, dir, options...)
}

// Up brings the schema to this program's version. dialect is "postgres" or "sqlite".
func Up(ctx context.Context, db *sql.DB, dialect string) error {
	p, err := provider(db, dialect)
	if err == nil {
		_, err = p.Up(ctx)
	}
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// Down takes the schema back to nothing, with all data.
func Down(ctx context.Context, db *sql.DB, dialect string) error {
	p, err := provider(db, dialect)
	if err == nil {
		_, err = p.DownTo(ctx, 0)
	}
	if err != nil {
		return fmt.Errorf("migrate down: %w", err)
	}
	return nil
}

// Status lists the steps of the schema and whether each is applied. It writes nothing.
func Status(ctx context.Context, db *sql.DB, dialect string) ([]Migration, error) {
	p, err := provider(db, dialect)
	if err != nil {
		return nil, fmt.Errorf("migrations: %w", err)
	}
	fresh, err := isFresh(ctx, db, dialect)
	if err != nil {
		return nil, fmt.Errorf("migrations: %w", err)
	}
	list := []Migration{}
	if fresh { // goose would create its table to find nothing in it
		for _, source := range p.ListSources() {
			list = append(list, Migration{source.Version, source.Path, false})
		}
		return list, nil
	}
	status, err := p.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("migrations: %w", err)
	}
	for _, st := range status {
		list = append(list, Migration{st.Source.Version, st.Source.Path, st.State == goose.StateApplied})
	}
	return list, nil
}

// isFresh says whether no migration was ever applied.
func isFresh(ctx context.Context, db *sql.DB, dialect string) (bool, error) {
	query := "SELECT to_regclass('goose_db_version') IS NULL"
	if dialect == "sqlite" {
		query = "SELECT NOT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'goose_db_version')"
	}
	fresh := false
	err := db.QueryRowContext(ctx, query).Scan(&fresh)
	return fresh, err
}

// Check gives ErrBehind unless every migration is applied.
func Check(ctx context.Context, db *sql.DB, dialect string) error {
	list, err := Status(ctx, db, dialect)
	if err != nil {
		return err
	}
	for _, m := range list {
		if !m.Applied {
			return ErrBehind
		}
	}
	return nil
}
