package meter

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
)

// Extension is the module of PostgreSQL that counts statements. The server has to
// preload it.
const Extension = "pg_stat_statements"

// Cluster reads the statistics of a PostgreSQL server on this machine. Its one
// connection is not for use by several goroutines.
type Cluster struct {
	connection *pgx.Conn
	// Exact says that statements are counted. Without the extension transactions
	// are, which a server publishes only about once a second.
	Exact bool
	// Version is PostgreSQL's, such as "15.14".
	Version string
	process int // the postmaster; 0 when it cannot be seen
}

// OpenCluster connects to a maintenance database as a superuser. Its own
// statements do not count for other databases. Close it.
func OpenCluster(ctx context.Context, maintenanceURL string) (*Cluster, error) {
	connection, err := pgx.Connect(ctx, maintenanceURL)
	if err != nil {
		return nil, fmt.Errorf("connect to the database server: %w", err)
	}
	c := &Cluster{connection: connection}
	var backend int
	err = connection.QueryRow(ctx, "SELECT split_part(current_setting('server_version'), ' ', 1), pg_backend_pid()").Scan(&c.Version, &backend)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("ask for the server's version: %w", err), connection.Close(ctx))
	}
	if parent, err := Parent(backend); err == nil { // every backend is the postmaster's child
		c.process = parent
	}
	_, err = connection.Exec(ctx, "CREATE EXTENSION IF NOT EXISTS "+Extension)
	if err == nil {
		// It can be created without being preloaded, and then fails when read.
		_, err = connection.Exec(ctx, "SELECT count(*) FROM "+Extension)
	}
	c.Exact = err == nil
	return c, nil
}

// Close closes the connection.
func (c *Cluster) Close(ctx context.Context) error { return c.connection.Close(ctx) }

// CreateDatabase makes an empty database of that name and returns its URL.
func (c *Cluster) CreateDatabase(ctx context.Context, name string) (string, error) {
	if _, err := c.connection.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()); err != nil {
		return "", fmt.Errorf("create the database %s: %w", name, err)
	}
	return withDatabase(c.connection.Config().ConnString(), name)
}

// Tidy brings the database's statistics up to date and writes out what is dirty,
// as autovacuum and the checkpointer do a while after a loading, so that neither
// falls into a measurement.
func (c *Cluster) Tidy(ctx context.Context, databaseURL string) error {
	connection, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return fmt.Errorf("tidy a database: %w", err)
	}
	for _, statement := range []string{"VACUUM ANALYZE", "CHECKPOINT"} {
		if _, err := connection.Exec(ctx, statement); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", statement, err), connection.Close(ctx))
		}
	}
	return connection.Close(ctx)
}

// Others returns a function that says, when it is called, which share (0 to 1) of
// the machine's processors has gone to processes other than this one, its children
// and the database server since now. It is false where that cannot be seen. The
// cluster may be nil.
func Others(c *Cluster) func() (float64, bool) {
	own := []int{os.Getpid()}
	if c != nil && c.process != 0 {
		own = append(own, c.process)
	}
	read := func() (others, all time.Duration, err error) {
		used, err := ProcessorTime(own...)
		if err != nil {
			return 0, 0, err
		}
		busy, all, err := MachineTime()
		return busy - used, all, err
	}
	othersBefore, allBefore, before := read()
	return func() (float64, bool) {
		others, all, after := read()
		if before != nil || after != nil || all <= allBefore {
			return 0, false
		}
		return max(0, float64(others-othersBefore)/float64(all-allBefore)), true
	}
}

// statements returns how many statements the database has run so far, or
// transactions when statements are not counted.
func (c *Cluster) statements(ctx context.Context, database string) (int64, error) {
	query := "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = $1"
	if c.Exact {
		query = "SELECT coalesce(sum(calls), 0)::bigint FROM " + Extension +
			" WHERE dbid = (SELECT oid FROM pg_database WHERE datname = $1)"
	}
	var count int64
	if err := c.connection.QueryRow(ctx, query, database).Scan(&count); err != nil {
		return 0, fmt.Errorf("count statements: %w", err)
	}
	return count, nil
}

// Probe reads what one server and its database on the cluster use.
type Probe struct {
	Cluster  *Cluster
	Database string
	Process  int // the server's
}

// Visible reports whether this machine shows its processes.
func (p *Probe) Visible() bool { return p.Cluster.process != 0 }

// Reading is a state of the counters; the difference of two is what happened between.
type Reading struct {
	CPU        time.Duration
	Statements int64
}

// Read returns the counters now. The cluster's processor time is shared by its
// databases, so only one of them may be busy between two readings.
func (p *Probe) Read(ctx context.Context) (Reading, error) {
	statements, err := p.Cluster.statements(ctx, p.Database)
	if err != nil {
		return Reading{}, err
	}
	cpu, err := ProcessorTime(p.Process, p.Cluster.process)
	return Reading{CPU: cpu, Statements: statements}, err
}
