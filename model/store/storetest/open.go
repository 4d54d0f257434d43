package storetest

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"usher/internal/pgtest"
	"usher/migrations"
	"usher/model/store"
)

// Open is how a test opens a store on a fresh, migrated database that ends with the test.
type Open func(testing.TB) *store.Store

// OpenSQLite opens a store on a new SQLite file.
func OpenSQLite(tb testing.TB) *store.Store {
	tb.Helper()
	return OpenURL(tb, SQLiteURL(tb))
}

// OpenPostgres opens a store on a new PostgreSQL database.
func OpenPostgres(tb testing.TB) *store.Store {
	tb.Helper()
	return OpenURL(tb, PostgresURL(tb))
}

// Databases lists both databases by name, for subtests and benchmarks.
func Databases() []struct {
	Name string
	Open Open
} {
	return []struct {
		Name string
		Open Open
	}{{"sqlite", OpenSQLite}, {"postgres", OpenPostgres}}
}

// Each runs the test on both databases, in parallel.
func Each(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Helper()
	for _, db := range Databases() {
		t.Run(db.Name, func(t *testing.T) {
			t.Parallel()
			test(t, db.Open(t))
		})
	}
}

// OpenURL opens one more store on a database that SQLiteURL or PostgresURL gave, with a queue that records jobs.
func OpenURL(tb testing.TB, url string) *store.Store {
	tb.Helper()
	return OpenWith(tb, store.Options{URL: url})
}

// OpenWith is OpenURL with options.
func OpenWith(tb testing.TB, opt store.Options) *store.Store {
	tb.Helper()
	s, err := store.Open(tb.Context(), opt)
	if err != nil {
		tb.Fatalf("storetest: %v", err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("storetest: close: %v", err)
		}
	})
	s.SetQueue(Queue{s.Dialect()})
	return s
}

// SQLiteURL gives the URL of a new SQLite file with the schema in it.
func SQLiteURL(tb testing.TB) string {
	tb.Helper()
	content, err := sqliteTemplate()
	if err != nil {
		tb.Fatalf("storetest: prepare the template file: %v", err)
	}
	path := filepath.Join(tb.TempDir(), "usher.db")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		tb.Fatalf("storetest: %v", err)
	}
	return "sqlite:" + path
}

// PostgresURL gives the URL of a new PostgreSQL database with the schema in it.
func PostgresURL(tb testing.TB) string {
	tb.Helper()
	return pgtest.DatabaseFrom(tb, "storetest", prepare)
}

// sqliteTemplate is the content of a migrated file. It is a package variable because its life is the process's: every test
// gets a copy, which costs less than migrating.
var sqliteTemplate = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "usher-storetest-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "template.db")
	if err := prepare("sqlite:" + path); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// prepare migrates an empty database and adds the table that Queue writes to. It uses a context of its own because the
// template outlives the test that happens to ask first.
func prepare(url string) (err error) {
	ctx := context.Background()
	s, err := store.Open(ctx, store.Options{URL: url})
	if err != nil {
		return err
	}
	defer func() {
		if e := s.Close(); err == nil {
			err = e
		}
	}()
	if err := migrations.Up(ctx, s.DB(), s.Dialect()); err != nil {
		return err
	}
	return createJobs(ctx, s.DB(), s.Dialect())
}

func createJobs(ctx context.Context, db *sql.DB, dialect string) error {
	key := "INTEGER PRIMARY KEY AUTOINCREMENT"
	if dialect == "postgres" {
		key = "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
	}
	_, err := db.ExecContext(ctx, "CREATE TABLE "+jobsTable+" (n "+key+", kind text NOT NULL, args text NOT NULL)")
	return err
}
