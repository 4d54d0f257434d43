package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"usher/bench/load"
	"usher/bench/meter"
	"usher/bench/report"
	"usher/internal/pgtest"
)

// bench is one run and what it started.
type bench struct {
	options  *options
	progress io.Writer

	root     string // of the module
	folder   string // temporary
	postgres *pgtest.Cluster
	cluster  *meter.Cluster // statistics of postgres; nil when nothing needs it
	programs []*program
}

// server is something that answers SCIM requests.
type server struct {
	name        string
	base, token string
	databaseURL string       // "" if not ours
	probe       *meter.Probe // nil if not ours
	program     *program     // nil if not ours
	usher       *usher       // nil if it is not Usher
}

// start finds the module and starts the database server, where anything needs one.
func (b *bench) start(ctx context.Context) error {
	output, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return fmt.Errorf("find the module: %w", err)
	}
	b.root = filepath.Dir(strings.TrimSpace(string(output)))
	if b.folder, err = os.MkdirTemp("", "usher-bench-"); err != nil {
		return err
	}
	if b.options.target != "" && b.options.skipFloor && b.options.noGo {
		return nil
	}
	return b.startPostgres(ctx)
}

func (b *bench) startPostgres(ctx context.Context) error {
	b.say("starting PostgreSQL")
	var err error
	counting := pgtest.Options{Durable: true, Settings: map[string]string{
		"shared_preload_libraries": meter.Extension,
		meter.Extension + ".max":   "10000",
	}}
	if b.postgres, err = pgtest.Start(ctx, counting); err != nil {
		// The module is in a package of its own on some systems.
		if b.postgres, err = pgtest.Start(ctx, pgtest.Options{Durable: true}); err != nil {
			return err
		}
	}
	if b.cluster, err = meter.OpenCluster(ctx, b.postgres.URL); err != nil {
		return err
	}
	return nil
}

// close ends everything that was started. It has no context: it must also work
// after the run's own has ended.
func (b *bench) close() error {
	var failures error
	for _, program := range b.programs {
		failures = errors.Join(failures, program.stop())
	}
	if b.cluster != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		failures = errors.Join(failures, b.cluster.Close(ctx))
	}
	if b.postgres != nil {
		failures = errors.Join(failures, b.postgres.Close())
	}
	if b.folder != "" {
		failures = errors.Join(failures, os.RemoveAll(b.folder))
	}
	return failures
}

func (b *bench) say(format string, values ...any) {
	_, _ = fmt.Fprintf(b.progress, format+"\n", values...) // nobody to tell if standard error is gone
}

func (b *bench) facts() report.Facts {
	facts := report.Facts{
		Command: b.options.command(), Date: time.Now(), Machine: meter.ThisMachine().String(),
	}
	if b.cluster != nil {
		facts.PostgreSQL = b.cluster.Version
	}
	return facts
}

// servers starts what is to be measured: the target first, then the floor.
func (b *bench) servers(ctx context.Context, plan load.Plan, tag string) ([]*server, error) {
	var servers []*server
	if b.options.target != "" {
		servers = append(servers, &server{name: "target", base: b.options.target, token: b.options.token})
	} else {
		started, err := b.startUsher(ctx, plan, tag)
		if err != nil {
			return nil, err
		}
		servers = append(servers, started)
	}
	if b.options.skipFloor {
		return servers, nil
	}
	started, err := b.startFloor(ctx)
	return append(servers, started), err
}

// newTag is part of every name that the run makes.
func newTag() string { return strings.ToLower(rand.Text()[:8]) }
