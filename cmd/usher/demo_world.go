package main

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"time"

	"usher/internal/app"
	"usher/internal/simulator"
	"usher/internal/simulator/entraid"
	"usher/internal/simulator/exchange"
	"usher/internal/simulator/graphapi"
)

// demoClientID is what the pretend tenant knows Usher's application by.
const demoClientID = "5c1f1d9a-6f0b-4c55-9a39-1f3c5e0d7a11"

// demoWorld is the pretend Microsoft of the demonstration: mailboxes, the token endpoint and Graph, over HTTP on this machine.
type demoWorld struct {
	people *simulator.Tenant
	mail   *exchange.Tenant
	server *graphapi.Server
	secret string
	faults demoFaults
	stop   func()
}

func newDemoWorld(ctx context.Context, people int) (*demoWorld, error) {
	w := &demoWorld{secret: "demo-" + rand.Text(), people: simulator.NewTenant(simulator.Options{Seed: 1, People: people, Domain: "contoso.example"})}
	w.mail = exchange.New(exchange.Options{
		Seed: 1, Domain: "contoso.example", RoomDelay: time.Second, Deliver: exchange.OverHTTP(&http.Client{Timeout: 10 * time.Second}),
	})
	var err error
	w.server, err = graphapi.Start(ctx, graphapi.Options{
		Calendars: w.mail.Client(demoClientID), TenantID: w.mail.ID(), MailboxConcurrency: 4,
		Directory: entraid.New(entraid.Options{Tenant: w.people, ID: w.mail.ID(), Seed: 1}),
		Apps:      []graphapi.App{{ID: demoClientID, Secrets: []graphapi.Secret{{Value: w.secret}}}},
	})
	if err != nil {
		return nil, err
	}
	w.stop = w.mail.Run(ctx, 100*time.Millisecond)
	return w, nil
}

// into points an installation at the pretend Microsoft.
func (w *demoWorld) into(cfg *app.Config) {
	cfg.GraphURL, cfg.LoginURL, cfg.LoginCA = w.server.GraphURL+"/v1.0", w.server.LoginURL, w.server.RootCAs
}

func (w *demoWorld) close() error {
	w.stop()
	return errors.Join(w.server.Close())
}
