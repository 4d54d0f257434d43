package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"testing"
)

// TestRunSurvivesKill proves that a re-evaluation goes on after kill -9 where it was, and changes everyone once.
func TestRunSurvivesKill(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		const people = 2500
		c := newChild(t, url)
		c.start()
		id, base, token := c.integration()
		c.api(http.MethodPut, "/roles/everyone", map[string]any{"name": "Everyone"}, nil)
		c.populate(base, token, people)
		c.api(http.MethodPatch, "/integrations/"+id, map[string]any{"role_sync": "mirror"}, nil)
		c.api(http.MethodPut, "/integrations/"+id+"/group-mappings",
			[]map[string]any{{"group": map[string]any{"display_name": "Everyone"}, "role": "everyone"}}, nil)

		type run struct {
			ID, State string
			Phase     string
			Progress  struct{ Done, Total int }
		}
		latest := func() run {
			var page struct{ Data []run }
			c.api(http.MethodGet, "/runs?limit=1&integration="+id, nil, &page)
			if len(page.Data) == 0 {
				return run{}
			}
			return page.Data[0]
		}
		var seen run
		c.eventually("the run has applied some of its pages", func() bool {
			seen = latest()
			return seen.State == "succeeded" || (seen.Phase == "apply" && seen.Progress.Done > 0)
		})
		if seen.State == "succeeded" {
			t.Fatal("the run ended before it could be killed: the test needs more people")
		}
		c.kill()
		c.start()
		c.eventually("the run has succeeded", func() bool { return latest().State == "succeeded" })
		c.checkRoles(people)
	})
}

// populate pushes people and one group that holds all of them.
func (c *child) populate(base, token string, people int) {
	c.t.Helper()
	ids := make([]string, people)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := w; i < people; i += 8 {
				status, raw := c.send(c.t.Context(), http.MethodPost, base+"/Users", token, scimUser(fmt.Sprintf("p%d@contoso.example", i)))
				if status != http.StatusCreated {
					c.t.Errorf("user %d: %d %s", i, status, raw)
					return
				}
				ids[i] = idOf(c.t, raw)
			}
		})
	}
	wg.Wait()
	members := make([]map[string]any, people)
	for i, id := range ids {
		members[i] = map[string]any{"value": id}
	}
	status, raw := c.send(c.t.Context(), http.MethodPost, base+"/Groups", token, map[string]any{
		"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:Group"}, "displayName": "Everyone", "members": members,
	})
	if status != http.StatusCreated {
		c.t.Fatalf("group: %d %.300s", status, raw)
	}
}

// checkRoles wants every account to hold the role, and the feed to tell of each exactly once.
func (c *child) checkRoles(people int) {
	c.t.Helper()
	told := map[string]int{}
	for _, e := range c.feed() {
		if e.Type == "account.roles_changed" {
			told[e.Subject.ID]++
		}
	}
	n, after := 0, ""
	for {
		var page struct {
			Data []struct {
				ID    string
				Roles []string
			}
			Next *string
		}
		c.api(http.MethodGet, "/accounts?limit=500&after="+after, nil, &page)
		for _, a := range page.Data {
			n++
			if len(a.Roles) != 1 || a.Roles[0] != "everyone" || told[a.ID] != 1 {
				raw, _ := json.Marshal(a)
				c.t.Errorf("account %s was told of %d times", raw, told[a.ID])
			}
		}
		if page.Next == nil {
			break
		}
		after = *page.Next
	}
	if n != people {
		c.t.Errorf("%d accounts, want %d", n, people)
	}
}
