package pgtest

import (
	"errors"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func start(t *testing.T, options Options) *Cluster {
	t.Helper()
	cluster, err := Start(t.Context(), options)
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	t.Cleanup(func() { _ = cluster.Close() })
	return cluster
}

func dial(t *testing.T, address string) *pgx.Conn {
	t.Helper()
	connection, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	return connection
}

func TestOptionsDecideDurability(t *testing.T) {
	for _, test := range []struct {
		name    string
		options Options
		want    string
	}{
		{"for tests", Options{}, "off"},
		{"for benchmarks", Options{Durable: true}, "on"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			connection := dial(t, start(t, test.options).URL)
			for _, setting := range []string{"fsync", "synchronous_commit", "full_page_writes"} {
				var got string
				if err := connection.QueryRow(t.Context(), "SELECT current_setting($1)", setting).Scan(&got); err != nil {
					t.Fatal(err)
				}
				if got != test.want {
					t.Errorf("%s = %s, want %s", setting, got, test.want)
				}
			}
		})
	}
}

func TestOptionsTakeFurtherSettings(t *testing.T) {
	t.Parallel()
	connection := dial(t, start(t, Options{Settings: map[string]string{"cluster_name": "it's ours", "shared_buffers": "16MB"}}).URL)
	for name, want := range map[string]string{"cluster_name": "it's ours", "shared_buffers": "16MB"} {
		var got string
		if err := connection.QueryRow(t.Context(), "SELECT current_setting($1)", name).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%s = %s, want %s", name, got, want)
		}
	}
}

func TestCloseStopsTheServerAndRemovesItsFolder(t *testing.T) {
	cluster := start(t, Options{})
	address := cluster.URL
	if err := cluster.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	if _, err := os.Stat(cluster.folder); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("folder after close: %v, want that it does not exist", err)
	}
	if _, err := pgx.Connect(t.Context(), address); err == nil {
		t.Error("the server still answers")
	}
}

// A killed container takes the watchdog too; what then remains is for the next run.
func TestSweepEndsAbandonedClusters(t *testing.T) {
	cluster := start(t, Options{})
	connection := dial(t, cluster.URL)
	if abandoned(cluster.folder) {
		t.Fatal("a cluster in use counts as abandoned")
	}
	if err := cluster.watchdog.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cluster.watchdog.Wait()
	if err := cluster.lock.Close(); err != nil {
		t.Fatal(err)
	}
	base := filepath.Dir(cluster.folder)
	sweep(base)
	if err := connection.Ping(t.Context()); err != nil {
		t.Fatalf("the sweep ended a cluster younger than a minute: %v", err)
	}
	earlier := time.Now().Add(-2 * settleTime)
	if err := os.Chtimes(filepath.Join(cluster.folder, lockName), earlier, earlier); err != nil {
		t.Fatal(err)
	}
	// Another process may be looking at the folder, and hold its lock for that moment.
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for range 200 {
		sweep(base)
		if _, err := os.Stat(cluster.folder); errors.Is(err, fs.ErrNotExist) {
			break
		}
		<-ticker.C
	}
	if _, err := os.Stat(cluster.folder); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("folder after the sweep: %v, want that it does not exist", err)
	}
	if err := connection.Ping(t.Context()); err == nil {
		t.Error("the abandoned server still answers")
	}
}

func TestConnectDropsWhatDeadProcessesLeft(t *testing.T) {
	address := Server(t)
	dead, err := connect(t.Context(), address, nil)
	if err != nil {
		t.Fatal(err)
	}
	living, err := connect(t.Context(), address, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = living.exec("DROP DATABASE IF EXISTS " + quote(living.owner+"_1")) })
	for _, s := range []*server{dead, living} {
		if err := s.exec("CREATE DATABASE " + quote(s.nextName())); err != nil {
			t.Fatal(err)
		}
	}
	if err := dead.flag.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	later := dial(t, address)
	// The server notices the closed connection a moment later.
	for remains := true; remains && t.Context().Err() == nil; {
		if err := dropAbandoned(t.Context(), later); err != nil {
			t.Fatal(err)
		}
		const exists = "SELECT exists(SELECT FROM pg_database WHERE datname = $1)"
		if err := later.QueryRow(t.Context(), exists, dead.owner+"_1").Scan(&remains); err != nil {
			t.Fatal(err)
		}
	}
	if connection := dial(t, living.urlOf(living.owner+"_1")); connection.Close(t.Context()) != nil {
		t.Error("the database of a living process is gone")
	}
}

func TestConnectRefusesWhatIsNoURL(t *testing.T) {
	for _, address := range []string{"host=/run/postgresql dbname=usher", "sqlite:usher.db", "http://127.0.0.1", "://"} {
		if _, err := connect(t.Context(), address, nil); err == nil || !strings.Contains(err.Error(), EnvURL) {
			t.Errorf("connect(%q) = %v, want an error that names %s", address, err, EnvURL)
		}
	}
}

func TestURLOfReplacesTheDatabaseOnly(t *testing.T) {
	for _, test := range []struct{ server, want string }{
		{"postgres://u:p@db:5433/postgres?sslmode=disable", "postgres://u:p@db:5433/x?sslmode=disable"},
		{"postgres://u@/postgres?host=%2Ftmp%2Fa", "postgres://u@/x?host=%2Ftmp%2Fa"},
		{"postgres://u@db?dbname=other", "postgres://u@db/x"},
	} {
		if got := (&server{url: test.server}).urlOf("x"); got != test.want {
			t.Errorf("urlOf(%s) = %s, want %s", test.server, got, test.want)
		}
	}
}

func TestMissingProgramsNameTheRemedy(t *testing.T) {
	incomplete := t.TempDir()
	if err := os.WriteFile(filepath.Join(incomplete, "initdb"), []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := firstComplete([]string{incomplete, filepath.Join(incomplete, "absent")}); err == nil || !strings.Contains(err.Error(), "make deps") {
		t.Errorf("error = %v, want one that says `make deps`", err)
	}
}

func TestVersionIn(t *testing.T) {
	for folder, want := range map[string]int{
		"/usr/lib/postgresql/9.6/bin":             9,
		"/usr/lib/postgresql/17/bin":              17,
		"/usr/pgsql-16/bin":                       16,
		"/usr/libexec/postgresql15":               15,
		"/opt/homebrew/opt/postgresql@18/bin":     18,
		"/opt/homebrew/opt/postgresql-stable/bin": 0,
	} {
		if got := versionIn(folder); got != want {
			t.Errorf("versionIn(%s) = %d, want %d", folder, got, want)
		}
	}
}

func TestOpenToAll(t *testing.T) {
	closed := t.TempDir()
	inner := filepath.Join(closed, "inner")
	if err := os.Mkdir(inner, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	if openToAll(inner) {
		t.Error("a folder under a closed one counts as open")
	}
	if !openToAll("/") {
		t.Error("the root folder counts as closed")
	}
}

func TestServerDoesNotRunAsRoot(t *testing.T) {
	account, err := serverAccount()
	if err != nil {
		t.Fatal(err)
	}
	current, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	if isRoot := current.Uid == "0"; isRoot != (account != nil) {
		t.Errorf("as user %s the account is %v", current.Uid, account)
	}
	if account != nil && account.Uid == 0 {
		t.Error("the server would run as root")
	}
}
