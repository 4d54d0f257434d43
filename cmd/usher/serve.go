package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"usher/internal/app"
)

type serveCmd struct {
	Migrate   bool `help:"Bring the schema up to date first; without it a schema that is behind is refused."`
	NoWorkers bool `help:"Answer HTTP alone; another process works the jobs."`
	NoHTTP    bool `name:"no-http" help:"Work jobs alone."`
}

// Run serves until it is told to stop.
func (c *serveCmd) Run(ctx context.Context, con console, s *settings) error {
	cfg, err := s.config()
	if err != nil {
		return err
	}
	log, err := s.logger(con)
	if err != nil {
		return err
	}
	cfg.Migrate, cfg.NoWorkers, cfg.NoHTTP = c.Migrate, c.NoWorkers, c.NoHTTP
	paceCollector(cfg.RequestMemory)
	a, err := app.New(ctx, cfg, log)
	if err != nil {
		return err
	}
	if err = c.welcome(ctx, con, a); err == nil {
		err = a.Run(ctx)
	}
	if e := a.Close(); err == nil {
		err = e
	}
	return err
}

// welcome prints the link with which somebody becomes the first operator, while there is none. It goes to the terminal and not
// to the log: whoever reads it may do everything.
func (c *serveCmd) welcome(ctx context.Context, con console, a *app.App) error {
	if c.NoHTTP {
		return nil
	}
	link, err := a.FirstOperatorURL(ctx)
	if err == nil && link != "" {
		_, err = fmt.Fprintf(con.out, "Nobody can sign in to the console yet. Become the first operator, within 24 hours:\n  %s\n", link)
	}
	return err
}

type healthcheckCmd struct{}

// Run asks the server that the configuration names, over loopback where it listens on every address.
func (healthcheckCmd) Run(ctx context.Context, s *settings) error {
	cfg, err := s.config()
	if err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(cfg.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if ip := net.ParseIP(host); host == "" || (ip != nil && ip.IsUnspecified()) {
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/healthz", nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("not alive: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("not alive: %s", res.Status)
	}
	return nil
}
