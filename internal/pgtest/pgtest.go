package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// EnvURL names the variable that points the tests at a server that runs already.
const EnvURL = "USHER_TEST_POSTGRES_URL"

// minimumVersion is PostgreSQL 15 in the form of server_version_num.
const minimumVersion = 150000

// Generous, because several packages start at once on a small machine.
const (
	startTimeout    = 2 * time.Minute
	databaseTimeout = 2 * time.Minute
)

// shared is the server of this process. It is a package variable because its
// life is the process's: a package has no hook before its first or after its
// last test, and one cluster per test would cost a second each.
var shared = sync.OnceValues(connectShared)

// server is a PostgreSQL server together with what this process made on it.
type server struct {
	url     string
	owner   string    // prefix of the databases of this process
	flag    *pgx.Conn // held open: its application_name tells others that owner lives
	cluster *Cluster  // nil when the server was given by EnvURL; kept reachable for its watchdog
	serial  atomic.Int64

	mu        sync.Mutex
	templates map[string]func() (string, error)
}

// Server returns the URL of the server's maintenance database, for tests that
// concern the server itself. It starts the server on first use. Without
// PostgreSQL the test fails: a test that cannot run must not look like a pass.
func Server(tb testing.TB) string {
	tb.Helper()
	return open(tb).url
}

// Database returns the URL of a new, empty database that belongs to this test
// alone. It is dropped when the test ends, open connections or not.
func Database(tb testing.TB) string {
	tb.Helper()
	s := open(tb)
	// template0, because nobody can be connected to it and so block the copy.
	return s.create(tb, "template0")
}

// DatabaseFrom returns the URL of a new database with the content that prepare
// made. Prepare runs once per process and key, on an empty database at the URL
// it is given, and must close its connections; every test gets its own copy.
// Callers that pass one key must pass one meaning of prepare.
func DatabaseFrom(tb testing.TB, key string, prepare func(url string) error) string {
	tb.Helper()
	s := open(tb)
	template, err := s.template(key, prepare)
	if err != nil {
		tb.Fatalf("pgtest: prepare the template database %q: %v", key, err)
	}
	return s.create(tb, template)
}

func open(tb testing.TB) *server {
	tb.Helper()
	s, err := shared()
	if err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	return s
}

func connectShared() (*server, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if given := os.Getenv(EnvURL); given != "" {
		return connect(ctx, given, nil)
	}
	cluster, err := Start(ctx, Options{})
	if err != nil {
		return nil, err
	}
	s, err := connect(ctx, cluster.URL, cluster)
	if err != nil {
		return nil, errors.Join(err, cluster.Close())
	}
	return s, nil
}

// connect checks the server, marks this process as alive on it and drops what
// dead processes left there.
func connect(ctx context.Context, address string, cluster *Cluster) (*server, error) {
	parsed, err := url.Parse(address)
	if err != nil || parsed.Scheme != "postgres" && parsed.Scheme != "postgresql" {
		return nil, fmt.Errorf("%s must be a URL that starts with postgres://", EnvURL)
	}
	owner := newOwner()
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, fmt.Errorf("read the server's URL: %w", err)
	}
	config.RuntimeParams["application_name"] = owner
	flag, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connect to the test server: %w", err)
	}
	s := &server{url: address, owner: owner, flag: flag, cluster: cluster, templates: map[string]func() (string, error){}}
	if err := s.check(ctx); err != nil {
		return nil, errors.Join(err, flag.Close(ctx))
	}
	return s, nil
}

func (s *server) check(ctx context.Context) error {
	var version int
	if err := s.flag.QueryRow(ctx, "SELECT current_setting('server_version_num')::int").Scan(&version); err != nil {
		return fmt.Errorf("ask for the server's version: %w", err)
	}
	if version < minimumVersion {
		return fmt.Errorf("the test server is PostgreSQL %d; Usher needs 15 or newer", version/10000)
	}
	return dropAbandoned(ctx, s.flag)
}
