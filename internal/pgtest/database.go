package pgtest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// invalidCatalogName is PostgreSQL's code for "no such database".
const invalidCatalogName = "3D000"

// newOwner names this process on a server that it may share with others. The
// databases of the process are called <owner>_<number>.
func newOwner() string {
	var id [6]byte
	_, _ = rand.Read(id[:]) // never fails (crypto/rand, since Go 1.24)
	return "usher_test_" + hex.EncodeToString(id[:])
}

// create makes a copy of a template for one test.
func (s *server) create(tb testing.TB, template string) string {
	tb.Helper()
	name := s.nextName()
	if err := s.exec("CREATE DATABASE " + quote(name) + " TEMPLATE " + quote(template)); err != nil {
		tb.Fatalf("pgtest: create a database: %v", err)
	}
	tb.Cleanup(func() {
		// FORCE, because the pool of the code under test may still be closing.
		if err := s.exec("DROP DATABASE IF EXISTS " + quote(name) + " WITH (FORCE)"); err != nil {
			tb.Errorf("pgtest: drop the test's database: %v", err)
		}
	})
	return s.urlOf(name)
}

// template returns the name of the database that prepare filled. Tests of other
// keys do not wait for it.
func (s *server) template(key string, prepare func(url string) error) (string, error) {
	s.mu.Lock()
	once, ok := s.templates[key]
	if !ok {
		once = sync.OnceValues(func() (string, error) { return s.fill(prepare) })
		s.templates[key] = once
	}
	s.mu.Unlock()
	return once()
}

func (s *server) fill(prepare func(url string) error) (string, error) {
	name := s.nextName()
	if err := s.exec("CREATE DATABASE " + quote(name) + " TEMPLATE template0"); err != nil {
		return "", err
	}
	if err := prepare(s.urlOf(name)); err != nil {
		return "", err
	}
	// A forgotten connection to a template would block every later copy of it,
	// so refuse new ones here and close the others.
	if err := s.exec("ALTER DATABASE " + quote(name) + " ALLOW_CONNECTIONS false"); err != nil {
		return "", err
	}
	return name, s.exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
}

func (s *server) nextName() string {
	return fmt.Sprintf("%s_%d", s.owner, s.serial.Add(1))
}

func (s *server) urlOf(database string) string {
	parsed, err := url.Parse(s.url)
	if err != nil {
		panic(err) // connect parsed the same text
	}
	parsed.Path = "/" + database
	query := parsed.Query()
	query.Del("dbname") // it would win over the path
	query.Del("database")
	parsed.RawQuery = query.Encode()
	return parsed.String()
}

// exec runs one statement on a connection of its own, so that parallel tests do
// not queue for one. It does not use the test's context, which is cancelled
// before the clean-up runs.
func (s *server) exec(statement string, arguments ...any) error {
	ctx, cancel := context.WithTimeout(context.Background(), databaseTimeout)
	defer cancel()
	connection, err := pgx.Connect(ctx, s.url)
	if err != nil {
		return err
	}
	_, err = connection.Exec(ctx, statement, arguments...)
	return errors.Join(err, connection.Close(ctx))
}

// dropAbandoned drops the databases of processes that were killed, and the
// templates of those that ended: a process lives while a connection carries its
// name. pg_stat_activity shows that name for all databases and to all roles.
func dropAbandoned(ctx context.Context, connection *pgx.Conn) error {
	rows, err := connection.Query(ctx, `
		SELECT d.datname
		FROM pg_database d
		WHERE d.datname ~ '^usher_test_[0-9a-f]{12}_[0-9]+$'
		  AND pg_has_role(d.datdba, 'MEMBER')
		  AND NOT EXISTS (SELECT 1 FROM pg_stat_activity a WHERE a.application_name = left(d.datname, 23))`)
	if err != nil {
		return fmt.Errorf("list abandoned databases: %w", err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("list abandoned databases: %w", err)
	}
	for _, name := range names {
		_, err := connection.Exec(ctx, "DROP DATABASE IF EXISTS "+quote(name)+" WITH (FORCE)")
		if failure, ok := errors.AsType[*pgconn.PgError](err); ok && failure.Code == invalidCatalogName {
			continue // another process swept it in the meantime
		}
		if err != nil {
			return fmt.Errorf("drop the abandoned database %s: %w", name, err)
		}
	}
	return nil
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }
