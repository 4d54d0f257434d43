package app_test

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"usher/directory"
	"usher/internal/app"
	"usher/internal/secret"
	"usher/internal/simulator"
	"usher/internal/simulator/entraid"
	"usher/internal/simulator/graphapi"
	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
)

// TestSetUpAndRemovalOverHTTP: an administrator of the pretend tenant signs in once, Usher sets up provisioning through Graph, Entra
// provisions people over SCIM, the token is replaced, and the removal takes everything away again, the consent too.
func TestSetUpAndRemovalOverHTTP(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]func(*testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "usher.db") },
		"postgres": func(t *testing.T) string { return storetest.PostgresURL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			setUpAndRemove(t, url(t))
		})
	}
}

func setUpAndRemove(t *testing.T, databaseURL string) {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	tenant := simulator.NewTenant(simulator.Options{Seed: 5, People: 12, Domain: "contoso.example"})
	group, err := tenant.AddGroup(simulator.Group{DisplayName: "Provisioned", SecurityEnabled: true})
	must(err)
	for _, id := range tenant.UserIDs()[:5] {
		must(tenant.AddMember(group.ID, id))
	}
	pretend := entraid.New(entraid.Options{Tenant: tenant, Seed: 5})
	own := pretend.Install(wireClientID, "Usher")
	pretend.Grant(wireClientID, "Synchronization.ReadWrite.All", "Application.ReadWrite.All")
	server, err := graphapi.Start(ctx, graphapi.Options{
		Directory: pretend, TenantID: pretend.ID(), Apps: []graphapi.App{{ID: wireClientID, Secrets: []graphapi.Secret{{Value: wireSecret}}}},
	})
	must(err)
	t.Cleanup(func() { _ = server.Close() })
	server.SignIn(&graphapi.Administrator{ID: tenant.UserIDs()[0], UserName: "admin@contoso.example", Approves: true})
	a := runApp(t, databaseURL, server)
	org, err := a.Store.Read(ctx).Organization(model.DefaultOrganization)
	must(err)
	in := directory.DefaultIntegration("Contoso", model.IngressSCIM)
	in.TenantID, in.Graph.ClientID = pretend.ID(), wireClientID
	i, err := a.Service.CreateIntegration(ctx, org.ID, in, map[string]string{directory.SecretClientSecret: wireSecret})
	must(err)

	page, err := a.Service.SignInURL(ctx, i.Ref(), a.URL())
	must(err)
	browser := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: server.RootCAs, MinVersion: tls.VersionTLS12}}}
	for n, words := range []string{"You are signed in", "You are not signed in"} { // the second time the sign-in is used up
		res, err := browser.Get(page)
		must(err)
		body, err := io.ReadAll(res.Body)
		must(err)
		_ = res.Body.Close()
		if row, err := a.Service.Setup(ctx, i.Ref()); err != nil || row.SignIn.By != "admin@contoso.example" {
			t.Fatalf("nobody signed in: %d %s, %v", res.StatusCode, body, err)
		}
		if (res.StatusCode == http.StatusOK) != (n == 0) || !strings.Contains(string(body), words) {
			t.Errorf("%d: %s", res.StatusCode, body)
		}
	}
	_, err = a.Service.StartSetup(ctx, i.Ref(), directory.SetupRequest{Groups: []model.GroupSelector{{ExternalID: group.ID}}}, a.URL())
	must(err)
	row := settled(t, a, i.Ref())
	if row.State != model.TaskSucceeded {
		t.Fatalf("%s: %s; %+v", row.State, row.Error, row.Steps)
	}
	provisioned := func() int {
		n, err := a.Store.Read(ctx).CountDirectoryUsers(i.Ref())
		must(err)
		return n
	}
	if ran := pretend.Step(ctx); ran != 1 || provisioned() != 5 {
		t.Fatalf("%d jobs ran, %d people are here", ran, provisioned())
	}
	users, err := a.Store.Read(ctx).AccountsAfter(org.ID, store.AccountFilter{Integration: i.ID}, "", 100)
	if err != nil || len(users) != 5 || tenant.UserIDs()[0] == "" {
		t.Fatalf("%d accounts, %v", len(users), err)
	}
	if seen, err := a.Service.RefreshSetup(ctx, i.Ref()); err != nil || seen.JobError != "" || seen.Job == nil || seen.Job.State != "Active" {
		t.Fatalf("Entra says %+v, %v", seen.Job, err)
	}
	former := pretend.StoredToken(row.Entra.ServicePrincipal)
	_, err = a.Service.RotateSetupToken(ctx, i.Ref(), 1, nil)
	must(err)
	if row = settled(t, a, i.Ref()); row.State != model.TaskSucceeded || pretend.StoredToken(row.Entra.ServicePrincipal) == former {
		t.Fatalf("the token was not replaced: %s %s", row.State, row.Error)
	}

	_, err = a.Service.RemoveIntegration(ctx, i.Ref(), false)
	must(err)
	var r model.Removal
	eventually(t, "the removal ends", func() bool {
		r, err = a.Service.Removal(ctx, i.Ref())
		must(err)
		return r.EndedAt != nil
	})
	if len(r.Left) != 0 {
		t.Errorf("left: %+v", r.Left)
	}
	entra := pretend.Client("anybody")
	for _, id := range []string{row.Entra.ServicePrincipal, own.ServicePrincipalID} {
		if _, err := entra.ServicePrincipal(ctx, id); err == nil {
			t.Errorf("service principal %s is there still", id)
		}
	}
}

// runApp runs the program against a pretend Microsoft.
func runApp(t *testing.T, databaseURL string, server *graphapi.Server) *app.App {
	t.Helper()
	cfg := app.Defaults()
	cfg.DatabaseURL, cfg.SecretKey, cfg.Listen, cfg.Migrate = databaseURL, secret.NewKey(), "127.0.0.1:0", true
	cfg.GraphURL, cfg.LoginURL, cfg.LoginCA = server.GraphURL+"/v1.0", server.LoginURL, server.RootCAs
	a, err := app.New(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	run, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(run) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		_ = a.Close()
	})
	return a
}

// settled waits until nobody works on a set-up.
func settled(t *testing.T, a *app.App, ref model.Ref) (row model.Setup) {
	t.Helper()
	eventually(t, "the set-up ends", func() bool {
		var err error
		if row, err = a.Service.Setup(t.Context(), ref); err != nil {
			t.Fatal(err)
		}
		return !row.State.Open()
	})
	return row
}
