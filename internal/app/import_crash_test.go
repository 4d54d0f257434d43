package app_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"usher/internal/simulator"
	"usher/internal/simulator/entraid"
	"usher/internal/simulator/graphapi"
)

// TestImportSurvivesKill proves that an import over HTTP goes on after kill -9 where it was, while it reads and while it is applied,
// and gives everybody one account.
func TestImportSurvivesKill(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		const people = 1500
		tenant := simulator.NewTenant(simulator.Options{Seed: 5, People: people, Domain: "contoso.example"})
		directory := entraid.New(entraid.Options{Tenant: tenant, Seed: 5, PageSize: 20})
		server, err := graphapi.Start(t.Context(), graphapi.Options{
			Directory: directory, TenantID: directory.ID(), Apps: []graphapi.App{{ID: wireClientID, Secrets: []graphapi.Secret{{Value: wireSecret}}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = server.Close() })
		c := newChild(t, url)
		c.env = append(c.env, "USHER_GRAPH_URL="+server.GraphURL+"/v1.0", "USHER_LOGIN_URL="+server.LoginURL, "SSL_CERT_FILE="+authority(t, server))
		c.start()
		var made struct{ ID string }
		c.api(http.MethodPost, "/integrations", map[string]any{
			"name": "Contoso", "ingress": "graph", "scope": "everyone", "tenant_id": directory.ID(),
			"graph": map[string]any{"client_id": wireClientID, "client_secret": wireSecret},
		}, &made)
		var started importRun
		c.api(http.MethodPost, "/integrations/"+made.ID+"/imports", nil, &started)
		for _, phase := range []string{"read", "apply"} {
			var seen importRun
			c.eventually("the import is under way in the phase "+phase, func() bool {
				seen = c.importRun(started.ID)
				return seen.State == "succeeded" || seen.State == "failed" || seen.Phase == phase && seen.Progress.Done > 0
			})
			if seen.Phase != phase || seen.State != "running" {
				t.Fatalf("the import is %s in the phase %s before it could be killed in the phase %s: %s", seen.State, seen.Phase, phase, seen.Error)
			}
			c.kill()
			c.start()
		}
		c.eventually("the import has succeeded", func() bool { return c.importRun(started.ID).State == "succeeded" })
		told := map[string]int{}
		for _, e := range c.feed() {
			if e.Type == "directory_user.created" || e.Type == "account.created" {
				told[e.Type+" "+e.Subject.ID]++
			}
		}
		created := 0
		for what, n := range told {
			if n != 1 {
				t.Errorf("%s was told %d times", what, n)
			}
			created++
		}
		present := 0
		for _, id := range tenant.UserIDs() {
			if u, _ := tenant.User(id); u.DeletedAt.IsZero() {
				present++
			}
		}
		if mirrored := c.count("/integrations/" + made.ID + "/directory-users"); mirrored != present {
			t.Errorf("%d people in the mirror, %d in the tenant", mirrored, present)
		}
		if created < present {
			t.Errorf("%d things were told of %d people", created, present)
		}
		began := time.Now()
		c.api(http.MethodPost, "/integrations/"+made.ID+"/imports", nil, &started)
		c.eventually("the second import has succeeded", func() bool { return c.importRun(started.ID).State == "succeeded" })
		if again := c.importRun(started.ID); again.Progress.Done != 0 {
			t.Errorf("an import without change looked at %d people", again.Progress.Done)
		}
		t.Logf("the second import took %s", time.Since(began))
	})
}

type importRun struct {
	ID, State, Phase, Error string
	Progress                struct{ Done, Total int }
}

func (c *child) importRun(id string) importRun {
	c.t.Helper()
	var run importRun
	c.api(http.MethodGet, "/runs/"+id, nil, &run)
	return run
}

// count counts the things of a list.
func (c *child) count(path string) int {
	c.t.Helper()
	n, after := 0, ""
	for {
		var page struct {
			Data []struct{ ID string }
			Next *string
		}
		c.api(http.MethodGet, fmt.Sprintf("%s?limit=500&after=%s", path, after), nil, &page)
		n += len(page.Data)
		if page.Next == nil {
			return n
		}
		after = *page.Next
	}
}
