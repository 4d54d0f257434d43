package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"time"

	"usher/internal/app"
)

type doctorCmd struct{}

// finding is one thing that was looked at.
type finding struct {
	what, state, advice string
	bad                 bool
}

// Run looks at everything that a start needs, says what it found and what to do, and fails where something is wrong.
func (doctorCmd) Run(ctx context.Context, con console, s *settings) error {
	var findings []finding
	cfg, err := s.config()
	if err != nil {
		findings = append(findings, finding{"configuration", err.Error(), "correct the setting that is named", true})
	} else {
		findings = append(findings, finding{what: "configuration", state: "readable"})
		findings = append(findings, examine(ctx, cfg)...)
	}
	bad := 0
	for _, f := range findings {
		mark := "ok  "
		if f.bad {
			mark = "BAD "
			bad++
		}
		line := mark + f.what + ": " + f.state
		if f.advice != "" {
			line += "\n      -> " + f.advice
		}
		if _, err := fmt.Fprintln(con.out, line); err != nil {
			return err
		}
	}
	if bad > 0 {
		return fmt.Errorf("%d of %d checks found something to do", bad, len(findings))
	}
	return nil
}

func examine(ctx context.Context, cfg app.Config) []finding {
	list := []finding{publicURL(cfg)}
	if path, ok := strings.CutPrefix(cfg.DatabaseURL, "sqlite:"); ok {
		if _, err := os.Stat(path); err != nil {
			return append(list, finding{"database", "the SQLite file " + path + " is not there", "`usher migrate up` makes it", true})
		}
	}
	a, err := app.Open(ctx, cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return append(list, finding{"database", err.Error(), "check database_url and secret_key, and that the server runs", true})
	}
	defer func() { _ = a.Close() }()
	list = append(list, finding{what: "database", state: a.Store.Dialect() + " answers"}, schema(ctx, a), clock(ctx, a))
	list = append(list, finding{what: "secret key", state: "key " + a.Service.Keys.KeyID() + " seals"})
	if a.CheckSchema(ctx) != nil {
		return list
	}
	list = append(list, credentials(ctx, a)...)
	return append(list, graphAccess(ctx, a)...)
}

// urgentDays is how near its end a token or secret is when something must be done.
const urgentDays = 7

// credentials tells of tokens and secrets that end soon, or have ended and are still there.
func credentials(ctx context.Context, a *app.App) []finding {
	warnings, err := a.Service.AllWarnings(ctx)
	if err != nil {
		return []finding{{"tokens and secrets", err.Error(), "", true}}
	}
	if len(warnings) == 0 {
		return []finding{{what: "tokens and secrets", state: "none expires within 30 days"}}
	}
	var list []finding
	for i := range warnings {
		w := &warnings[i]
		list = append(list, finding{"tokens and secrets", "integration " + w.IntegrationID + ": " + w.Detail, "docs/how-to/rotate-a-token.md", w.Days <= urgentDays})
	}
	return list
}

func publicURL(cfg app.Config) finding {
	base := cfg.PublicURL
	if base == "" {
		return finding{"public URL", "not set", "set public_url to the https address that Entra reaches before you connect a real tenant", false}
	}
	if u, err := url.Parse(base); err != nil || u.Scheme != "https" {
		return finding{"public URL", base, "Entra pushes to https addresses alone: put a TLS proxy in front and name its address", true}
	}
	return finding{what: "public URL", state: base}
}

func schema(ctx context.Context, a *app.App) finding {
	if err := a.CheckSchema(ctx); err != nil {
		return finding{"schema", err.Error(), "run `usher migrate up`, or start with `usher serve --migrate`", true}
	}
	return finding{what: "schema", state: "up to date"}
}

// maxClockSkew is how far this machine's clock may be from the database's.
const maxClockSkew = 2 * time.Second

func clock(ctx context.Context, a *app.App) finding {
	theirs, err := a.Store.Clock(ctx)
	if err != nil {
		return finding{"clock", err.Error(), "", true}
	}
	skew := time.Since(theirs).Abs()
	if skew > maxClockSkew {
		return finding{"clock", fmt.Sprintf("%s away from the database's", skew.Round(time.Millisecond)), "synchronise both machines with NTP", true}
	}
	return finding{what: "clock", state: "agrees with the database's"}
}
