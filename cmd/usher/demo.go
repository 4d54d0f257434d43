package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"usher/internal/app"
)

type demoCmd struct {
	Exit   bool   `help:"End after the first full cycle, with status 0 only if everything checked out."`
	People int    `help:"How many user objects the simulated tenant has, at least 20." default:"40"`
	Data   string `help:"Keep the database in this folder instead of a temporary one." placeholder:"DIR"`

	Faults []string `help:"What goes wrong in the simulated Microsoft 365 while calendars are synchronized: all, or names such as duplicate, lost, sync-lost; an unknown one lists them." placeholder:"NAME,..."`
}

// minPeople is the smallest tenant that has everyone the story speaks of.
const minPeople = 20

// Run starts Usher with a database of its own, provisions a simulated tenant into it over HTTP, tells what happened and
// checks it, and keeps running until it is told to stop.
func (c *demoCmd) Run(ctx context.Context, con console, s *settings) error {
	if c.People < minPeople {
		return fmt.Errorf("--people: the tenant needs at least %d", minPeople)
	}
	faults, err := parseFaults(c.Faults)
	if err != nil {
		return err
	}
	dir, remove, err := c.folder()
	if err != nil {
		return err
	}
	defer remove()
	cfg := app.Defaults()
	cfg.Version, cfg.Migrate, cfg.AdminAPIKey = version, true, "demo-"+rand.Text()
	cfg.DatabaseURL = "sqlite:" + filepath.Join(dir, "usher.db")
	if s.Listen != nil {
		cfg.Listen = *s.Listen
	} else if c.Exit {
		cfg.Listen = "127.0.0.1:0" // nobody is going to look at it
	}
	world, err := newDemoWorld(ctx, c.People)
	if err != nil {
		return err
	}
	world.faults = faults
	world.into(&cfg)
	log := slog.New(slog.NewTextHandler(con.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	a, err := app.New(ctx, cfg, log)
	if err != nil {
		return errors.Join(err, world.close())
	}
	return errors.Join(c.tell(ctx, con, a, world), world.close(), a.Close())
}

// folder gives where the database goes, and what to do in the end.
func (c *demoCmd) folder() (string, func(), error) {
	if c.Data != "" {
		return c.Data, func() {}, os.MkdirAll(c.Data, 0o700)
	}
	dir, err := os.MkdirTemp("", "usher-demo-")
	return dir, func() { _ = os.RemoveAll(dir) }, err
}

// tell runs the server and the story beside each other.
func (c *demoCmd) tell(ctx context.Context, con console, a *app.App, world *demoWorld) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return a.Run(ctx) })
	group.Go(func() error {
		st := &story{ctx: ctx, out: con.out, api: newClient(a.URL(), a.Config.AdminAPIKey), url: a.URL(), people: c.People, world: world, faults: c.Faults}
		err := st.tell()
		if err != nil || c.Exit {
			stop()
			return err
		}
		st.say("")
		st.say("Usher keeps running; press Ctrl-C to stop it. Look around:")
		link, err := a.OperatorURL(ctx, demoOperator, "Grace Hopper")
		if err != nil {
			return err
		}
		st.say("  the console           %s/console", a.URL())
		st.say("  sign in, once         %s", link)
		st.say("  the API, described    %s/api/v1/docs", a.URL())
		st.say("  with the API key      %s", a.Config.AdminAPIKey)
		st.say("  everyone's accounts   curl -H 'Authorization: Bearer %s' '%s/api/v1/accounts?limit=500'", a.Config.AdminAPIKey, a.URL())
		st.say("  what happened         curl -H 'Authorization: Bearer %s' '%s/api/v1/changes?limit=500'", a.Config.AdminAPIKey, a.URL())
		return nil
	})
	return group.Wait()
}

// demoOperator is who signs in to the console of the demonstration.
const demoOperator = "grace.hopper@contoso.example"

// demoWait bounds how long the story waits for what happens behind the scenes, and demoWaitEach what each person adds to that.
const (
	demoWait     = 2 * time.Minute
	demoWaitEach = 200 * time.Millisecond
)
