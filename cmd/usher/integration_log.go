package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"

	"usher/internal/app"
	"usher/model"
	"usher/model/store"
)

type integrationLog struct {
	Organization string        `help:"Id or slug of the organization." default:"default"`
	ID           string        `arg:"" help:"Id of the integration."`
	Follow       bool          `short:"f" help:"Go on with what comes, until interrupted."`
	Errors       bool          `help:"Only requests with status 400 and more."`
	Subject      string        `help:"Only about this user or group: its id, or its whole name."`
	Search       string        `short:"q" help:"Only where the words, the subject's name or the error contain this."`
	Since        time.Duration `help:"Only of the last while, such as 2h."`
	Limit        int           `help:"How many lines to begin with." default:"50"`
	JSON         bool          `name:"json" help:"Print one JSON object a line."`
}

// Run prints the latest requests, oldest first.
func (c integrationLog) Run(ctx context.Context, con console, s *settings) error {
	if c.Limit < 0 || c.Limit > listMax {
		return fmt.Errorf("--limit: %d is not between 0 and %d", c.Limit, listMax)
	}
	sc := scope{Organization: c.Organization}
	return sc.within(ctx, s, func(ctx context.Context, a *app.App, o model.Organization) error {
		ref := model.Ref{OrganizationID: o.ID, IntegrationID: c.ID}
		if _, err := a.Store.Read(ctx).Integration(ref); err != nil {
			return err
		}
		p := logPrinter{out: con.out, json: c.JSON, store: a.Store, ref: ref, filter: c.filter(), seen: map[string]time.Time{}}
		if c.Follow { // what is there already is not news
			known := p
			known.out = io.Discard
			if err := known.since(ctx, p.recent()); err != nil {
				return err
			}
		}
		if err := p.latest(ctx, c.Limit); err != nil || !c.Follow {
			return err
		}
		return p.follow(ctx)
	})
}

func (c integrationLog) filter() store.SCIMRequestFilter {
	f := store.SCIMRequestFilter{Errors: c.Errors, Subject: c.Subject, Search: c.Search}
	if c.Since > 0 {
		f.From = time.Now().Add(-c.Since)
	}
	return f
}

// logPrinter prints lines of the request log.
type logPrinter struct {
	out    io.Writer
	json   bool
	store  *store.Store
	ref    model.Ref
	filter store.SCIMRequestFilter
	seen   map[string]time.Time // lines of the last followBack that were printed
}

const (
	followEvery = time.Second
	// followBack is how far back is looked for new lines: a line is written a second after its request, and by a replica that
	// could not reach the database, later.
	followBack = time.Minute
)

// latest prints the latest lines, oldest first.
func (p *logPrinter) latest(ctx context.Context, limit int) error {
	var lines []model.SCIMRequest
	before := ""
	for len(lines) < limit {
		page, next, err := p.store.Read(ctx).SCIMRequestsBefore(p.ref, p.filter, before, limit-len(lines))
		if err != nil {
			return err
		}
		lines = append(lines, page...)
		if before = next; next == "" {
			break
		}
	}
	slices.Reverse(lines)
	return p.print(lines)
}

// follow prints what comes until ctx ends.
func (p *logPrinter) follow(ctx context.Context) error {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := p.since(ctx, p.recent()); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
	}
}

// recent is the filter of what may have been written since it was last asked.
func (p *logPrinter) recent() store.SCIMRequestFilter {
	f := p.filter
	f.From = time.Now().Add(-followBack)
	return f
}

// since prints the lines that the filter leaves and that were not printed.
func (p *logPrinter) since(ctx context.Context, f store.SCIMRequestFilter) error {
	var fresh []model.SCIMRequest
	for before := ""; ; {
		page, next, err := p.store.Read(ctx).SCIMRequestsBefore(p.ref, f, before, listMax)
		if err != nil {
			return err
		}
		for _, r := range page {
			if _, known := p.seen[r.ID]; !known {
				fresh = append(fresh, r)
			}
		}
		if before = next; next == "" {
			break
		}
	}
	for id, at := range p.seen {
		if at.Before(f.From) {
			delete(p.seen, id)
		}
	}
	slices.Reverse(fresh)
	return p.print(fresh)
}

func (p *logPrinter) print(lines []model.SCIMRequest) error {
	for i := range lines {
		p.seen[lines[i].ID] = lines[i].OccurredAt
		var err error
		if p.json {
			err = json.NewEncoder(p.out).Encode(lines[i])
		} else {
			_, err = fmt.Fprintln(p.out, logLine(&lines[i]))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// logLine tells a request in a line: when, how it ended, how long it took, what was meant, and why it failed.
func logLine(r *model.SCIMRequest) string {
	line := fmt.Sprintf("%s  %d  %8.1f ms  %s", r.OccurredAt.Format("2006-01-02T15:04:05.000Z"), r.Status, float64(r.DurationUS)/1000, r.Summary)
	if r.Status >= 400 {
		line += " -> " + strings.ReplaceAll(string(r.Result), "_", " ") + " (" + r.Rule + "): " + r.Detail
	}
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || !unicode.IsPrint(c) && c != ' ' { // a client's text must not steer the terminal
			return '\uFFFD'
		}
		return c
	}, line)
}
