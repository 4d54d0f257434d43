package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"usher/bench/meter"
	"usher/bench/report"
	"usher/internal/simulator"
	"usher/internal/simulator/entraid"
	"usher/internal/simulator/graphapi"
)

// Whoever is imported is in ten groups, and there is one group for 200 people.
const (
	groupsEach     = 10
	peoplePerGroup = 200
)

// pretended is a tenant that this program plays, with Microsoft Graph before it.
type pretended struct {
	tenant    *simulator.Tenant
	server    *graphapi.Server
	directory *entraid.Directory
	app       graphapi.App
	people    map[string]bool // members of a group, by id
}

// importTenant has an Usher of its own import a pretend tenant over HTTP: for the
// first time, again without any change, and after one person in a hundred has
// changed. The tenant lives in this program, so that the memory of Usher is its own.
func (b *bench) importTenant(ctx context.Context) (report.Import, error) {
	result := report.Import{
		People: b.options.users, Groups: max(1, b.options.users/peoplePerGroup), Memberships: b.options.users * groupsEach,
	}
	pretend, err := pretendTenant(ctx, &result)
	if err != nil {
		return result, err
	}
	defer func() { _ = pretend.server.Close() }()
	authority, err := pretend.authority(b.folder)
	if err != nil {
		return result, err
	}
	started, err := b.launchUsher(ctx, newTag(), "USHER_GRAPH_URL="+pretend.server.GraphURL+"/v1.0",
		"USHER_LOGIN_URL="+pretend.server.LoginURL, "SSL_CERT_FILE="+authority, "USHER_IMPORT_EVERY=24h")
	if err != nil {
		return result, err
	}
	if err := started.usher.chooseAll(ctx, pretend); err != nil {
		return result, fmt.Errorf("set Usher up: %w", err)
	}
	others := meter.Others(b.cluster)
	for _, step := range []struct {
		what   string
		before func() (want int, err error)
	}{
		{"the first", func() (int, error) { return result.InScope, nil }},
		{"nothing has changed", func() (int, error) { return 0, nil }},
		{"one in a hundred has changed", pretend.promote},
	} {
		want, err := step.before()
		if err != nil {
			return result, err
		}
		b.say("importing %d people: %s", result.People, step.what)
		run, decided, err := started.imported(ctx)
		if err == nil && decided != want {
			err = fmt.Errorf("it has decided about %d people, want %d", decided, want)
		}
		if err != nil {
			return result, fmt.Errorf("%s: %w", step.what, err)
		}
		run.What = step.what
		result.Runs = append(result.Runs, run)
	}
	result.Facts = b.facts()
	result.Notes = otherWork(others())
	return result, nil
}

// imported runs one import, counts what it asked of the database, and says about
// how many people it has decided.
func (s *server) imported(ctx context.Context) (run report.ImportRun, decided int, err error) {
	before, err := s.probe.Read(ctx)
	if err != nil {
		return run, 0, err
	}
	id := ""
	run.Run, err = s.follow(ctx, func(ctx context.Context) (string, error) {
		var err error
		id, err = s.usher.startImport(ctx)
		return id, err
	})
	if err != nil {
		return run, 0, err
	}
	after, err := s.probe.Read(ctx)
	if err != nil {
		return run, 0, err
	}
	run.Statements, run.CPU = after.Statements-before.Statements, after.CPU-before.CPU
	decided, err = s.usher.decided(ctx, id)
	return run, decided, err
}

// pretendTenant makes the tenant, and counts what is in it.
func pretendTenant(ctx context.Context, result *report.Import) (*pretended, error) {
	p := &pretended{app: graphapi.App{ID: "0d8f0c0a-6d5e-4a3c-9a55-2f1f5d4f8a11", Secrets: []graphapi.Secret{{Value: rand.Text()}}}}
	p.tenant = simulator.NewTenant(simulator.Options{
		Seed: 1, People: result.People, Groups: result.Groups, Memberships: result.Memberships, Domain: "contoso.example",
	})
	p.directory = entraid.New(entraid.Options{Tenant: p.tenant, Seed: 1, JournalLimit: 1})
	var err error
	p.server, err = graphapi.Start(ctx, graphapi.Options{
		Directory: p.directory, TenantID: p.directory.ID(), Apps: []graphapi.App{p.app}, JournalSize: 1,
	})
	result.Groups, result.Memberships, p.people = len(p.tenant.GroupIDs()), 0, map[string]bool{}
	for _, id := range p.tenant.GroupIDs() {
		members := p.tenant.Members(id)
		result.Memberships += len(members)
		for _, member := range members {
			if _, user := p.tenant.User(member); user {
				p.people[member] = true
			}
		}
	}
	result.InScope = len(p.people)
	return p, err
}

// authority writes a file of the certificates that the pretended sign-in service
// shows.
func (p *pretended) authority(folder string) (string, error) {
	connection, err := tls.Dial("tcp", strings.TrimPrefix(p.server.LoginURL, "https://"), &tls.Config{RootCAs: p.server.RootCAs, MinVersion: tls.VersionTLS12})
	if err != nil {
		return "", err
	}
	var text []byte
	for _, certificate := range connection.ConnectionState().PeerCertificates {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})...)
	}
	name := filepath.Join(folder, "authority.pem")
	return name, errors.Join(connection.Close(), os.WriteFile(name, text, 0o600))
}

// promote gives one person in a hundred another job, and says how many they are.
func (p *pretended) promote() (promoted int, err error) {
	for n, id := range p.tenant.UserIDs() {
		if n%100 != 0 || !p.people[id] {
			continue
		}
		err := p.tenant.Edit(id, func(u *simulator.User) error { u.JobTitle = "Director of benchmarks"; return nil })
		if err != nil {
			return promoted, err
		}
		promoted++
	}
	return promoted, nil
}

// chooseAll makes an integration that imports the members of every group.
func (u *usher) chooseAll(ctx context.Context, p *pretended) error {
	var integration struct{ ID string }
	err := u.call(ctx, http.MethodPost, "/integrations", map[string]any{
		"name": "Benchmark", "ingress": "graph", "tenant_id": p.directory.ID(),
		"graph": map[string]any{"client_id": p.app.ID, "client_secret": p.app.Secrets[0].Value},
	}, &integration)
	if err != nil {
		return err
	}
	u.integration = "/integrations/" + integration.ID
	chosen := []any{}
	for _, id := range p.tenant.GroupIDs() {
		chosen = append(chosen, map[string]any{"external_id": id})
	}
	return u.call(ctx, http.MethodPut, u.integration+"/chosen-groups", chosen, nil)
}

// startImport starts a run and returns its id.
func (u *usher) startImport(ctx context.Context) (string, error) {
	var started struct{ ID string }
	err := u.call(ctx, http.MethodPost, u.integration+"/imports", nil, &started)
	return started.ID, err
}

// decided says about how many people a run has decided.
func (u *usher) decided(ctx context.Context, run string) (int, error) {
	var is struct{ Counts map[string]int }
	if err := u.call(ctx, http.MethodGet, "/runs/"+run, nil, &is); err != nil {
		return 0, err
	}
	people := 0
	for _, n := range is.Counts {
		people += n
	}
	return people, nil
}
