package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"text/tabwriter"

	"usher/directory"
	"usher/internal/app"
	"usher/migrations"
	"usher/model"
)

// scope are the flags of commands that work within one organization.
type scope struct {
	Organization string `help:"Id or slug of the organization." default:"default"`
	Output       string `short:"o" help:"table or json." enum:"table,json" default:"table"`
}

// openUnchecked opens the database for one command, whatever its schema.
func openUnchecked(ctx context.Context, s *settings) (*app.App, error) {
	cfg, err := s.config()
	if err != nil {
		return nil, err
	}
	return app.Open(ctx, cfg, slog.New(slog.DiscardHandler))
}

// open opens the database for one command, with the schema checked.
func open(ctx context.Context, s *settings) (*app.App, error) {
	a, err := openUnchecked(ctx, s)
	if err != nil {
		return nil, err
	}
	if err := a.CheckSchema(ctx); err != nil {
		_ = a.Close()
		return nil, err
	}
	return a, nil
}

// within opens the database and the organization, and runs fn as the actor "cli".
func (sc scope) within(ctx context.Context, s *settings, fn func(context.Context, *app.App, model.Organization) error) error {
	a, err := open(ctx, s)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	ctx = directory.WithActor(ctx, "cli")
	if err := a.Service.EnsureDefault(ctx); err != nil {
		return err
	}
	org, err := a.Store.Read(ctx).Organization(sc.Organization)
	if err != nil {
		return err
	}
	return fn(ctx, a, org)
}

// print writes rows as a table with the head, or value as JSON.
func (sc scope) print(out io.Writer, value any, head []string, rows [][]string) error {
	if sc.Output == "json" {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		return enc.Encode(value)
	}
	tw := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	for _, row := range append([][]string{head}, rows...) {
		if _, err := fmt.Fprintln(tw, strings.Join(row, "\t")); err != nil {
			return err
		}
	}
	return tw.Flush()
}

// listed prints what read gives as one row each, under the head.
func listed[T any](ctx context.Context, sc scope, con console, s *settings, head []string,
	read func(context.Context, *app.App, model.Organization) ([]T, error), row func(T) []string,
) error {
	return sc.within(ctx, s, func(ctx context.Context, a *app.App, o model.Organization) error {
		list, err := read(ctx, a, o)
		if err != nil {
			return err
		}
		var rows [][]string
		for _, item := range list {
			rows = append(rows, row(item))
		}
		return sc.print(con.out, list, head, rows)
	})
}

// listMax bounds what a command lists; the API pages.
const listMax = 500

type migrateCmd struct {
	Up     migrateUp     `cmd:"" help:"Apply every migration that is missing."`
	Status migrateStatus `cmd:"" help:"List the migrations and whether each is applied."`
}

type migrateUp struct{}

// Run brings the schema up to date.
func (migrateUp) Run(ctx context.Context, con console, s *settings) error {
	a, err := openUnchecked(ctx, s)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	if err := a.MigrateUp(ctx); err != nil {
		return err
	}
	_, err = fmt.Fprintln(con.out, "the schema is up to date")
	return err
}

type migrateStatus struct{}

// Run lists the migrations; it fails where one is missing.
func (migrateStatus) Run(ctx context.Context, con console, s *settings) error {
	a, err := openUnchecked(ctx, s)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	list, err := migrations.Status(ctx, a.Store.DB(), a.Store.Dialect())
	if err != nil {
		return err
	}
	for _, m := range list {
		state := "missing"
		if m.Applied {
			state = "applied"
		}
		if _, err := fmt.Fprintf(con.out, "%-8s %s\n", state, m.Name); err != nil {
			return err
		}
	}
	return a.CheckSchema(ctx)
}
