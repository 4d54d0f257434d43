package pgtest_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"usher/internal/pgtest"
)

func connect(t *testing.T, address string) *pgx.Conn {
	t.Helper()
	connection, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(func() { _ = connection.Close(context.Background()) })
	return connection
}

func query[T any](t *testing.T, connection *pgx.Conn, sql string, arguments ...any) T {
	t.Helper()
	var value T
	if err := connection.QueryRow(t.Context(), sql, arguments...).Scan(&value); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return value
}

func TestDatabaseIsEmptyAndItsOwn(t *testing.T) {
	first, second := connect(t, pgtest.Database(t)), connect(t, pgtest.Database(t))
	if _, err := first.Exec(t.Context(), "CREATE TABLE people (name text)"); err != nil {
		t.Fatal(err)
	}
	const tables = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"
	if got := query[int](t, first, tables); got != 1 {
		t.Errorf("tables of the first database = %d, want 1", got)
	}
	if got := query[int](t, second, tables); got != 0 {
		t.Errorf("tables of the second database = %d, want 0", got)
	}
	if got := query[string](t, first, "SHOW server_encoding"); got != "UTF8" {
		t.Errorf("encoding = %s, want UTF8", got)
	}
}

func TestDatabaseIsDroppedThoughConnected(t *testing.T) {
	var name string
	t.Run("inner", func(t *testing.T) {
		// Not closed before the clean-up, as by a pool that is still closing.
		connection, err := pgx.Connect(context.Background(), pgtest.Database(t))
		if err != nil {
			t.Fatal(err)
		}
		name = query[string](t, connection, "SELECT current_database()")
	})
	server := connect(t, pgtest.Server(t))
	if query[bool](t, server, "SELECT exists(SELECT FROM pg_database WHERE datname = $1)", name) {
		t.Errorf("database %s outlived its test", name)
	}
}

func TestDatabaseFromPreparesOnce(t *testing.T) {
	var prepared atomic.Int64
	prepare := func(address string) error {
		prepared.Add(1)
		// Left open on purpose: a template in use could not be copied.
		connection, err := pgx.Connect(context.Background(), address)
		if err != nil {
			return err
		}
		_, err = connection.Exec(context.Background(), "CREATE TABLE people (name text); INSERT INTO people VALUES ('Ada Lovelace')")
		return err
	}
	t.Run("copies", func(t *testing.T) {
		for _, name := range []string{"first", "second", "third", "fourth"} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				connection := connect(t, pgtest.DatabaseFrom(t, "people", prepare))
				if _, err := connection.Exec(t.Context(), "INSERT INTO people VALUES ($1)", name); err != nil {
					t.Fatal(err)
				}
				if got := query[int](t, connection, "SELECT count(*) FROM people"); got != 2 {
					t.Errorf("people = %d, want the prepared one and our own", got)
				}
			})
		}
	})
	if got := prepared.Load(); got != 1 {
		t.Errorf("prepare ran %d times, want 1", got)
	}
}

// failing records a failure instead of ending the test that it is used in.
type failing struct {
	testing.TB
	message string
}

func (f *failing) Helper() {}

func (f *failing) Fatalf(format string, arguments ...any) {
	for _, argument := range arguments {
		if err, ok := argument.(error); ok {
			f.message += err.Error()
		}
	}
	panic(f)
}

func TestDatabaseFromReportsAFailedPreparation(t *testing.T) {
	for range 2 { // the second caller of the key must hear of it too
		double := &failing{TB: t}
		func() {
			defer func() {
				if recovered := recover(); recovered != double {
					t.Fatalf("recovered %v, want the double's failure", recovered)
				}
			}()
			pgtest.DatabaseFrom(double, "broken", func(string) error { return errors.New("migration 7 is broken") })
		}()
		if !strings.Contains(double.message, "migration 7 is broken") {
			t.Errorf("failure = %q, want the reason", double.message)
		}
	}
}
