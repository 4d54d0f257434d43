package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"testing"
)

// TestKilledDuringPushes proves promise 1: what was acknowledged is there after kill -9, with its change entry, and
// nothing is there twice.
func TestKilledDuringPushes(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		c := newChild(t, url)
		c.start()
		_, base, token := c.integration()
		users, group := c.pushUntilKilled(base, token)
		if len(users) < 20 {
			t.Fatalf("only %d users were acknowledged before the kill", len(users))
		}
		c.start()
		c.checkUsers(base, token, users)
		c.checkMembers(base, token, group, users)
		c.checkFeed(users)
	})
}

// acknowledged is a user whose creation, and perhaps whose membership, was answered.
type acknowledged struct {
	name   string
	member bool
}

// pushUntilKilled creates users and adds each to one group, from several clients at once, and kills the server when
// enough was acknowledged. It gives the users by id, and the group's id.
func (c *child) pushUntilKilled(base, token string) (map[string]acknowledged, string) {
	c.t.Helper()
	status, raw := c.send(c.t.Context(), http.MethodPost, base+"/Groups", token, map[string]any{
		"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:Group"}, "displayName": "Everyone",
	})
	if status != http.StatusCreated {
		c.t.Fatalf("group: %d %s", status, raw)
	}
	group := idOf(c.t, raw)
	var mu sync.Mutex
	users := map[string]acknowledged{}
	ctx, stop := context.WithCancel(c.t.Context())
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				name := fmt.Sprintf("user%d-%d@contoso.example", w, n)
				status, raw := c.send(ctx, http.MethodPost, base+"/Users", token, scimUser(name))
				if status != http.StatusCreated {
					continue
				}
				id := idOf(c.t, raw)
				mu.Lock()
				users[id] = acknowledged{name: name}
				enough := len(users) == 150
				mu.Unlock()
				status, _ = c.send(ctx, http.MethodPatch, base+"/Groups/"+group, token, addMember(id))
				if status == http.StatusNoContent {
					mu.Lock()
					users[id] = acknowledged{name, true}
					mu.Unlock()
				}
				if enough {
					c.kill()
					stop()
				}
			}
		})
	}
	wg.Wait()
	stop()
	return users, group
}

func scimUser(name string) map[string]any {
	return map[string]any{
		"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:User"}, "userName": name, "externalId": "x-" + name,
		"active": true, "displayName": name, "emails": []map[string]any{{"type": "work", "primary": true, "value": name}},
	}
}

func addMember(id string) map[string]any {
	return map[string]any{
		"schemas":    []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"},
		"Operations": []map[string]any{{"op": "Add", "path": "members", "value": []map[string]any{{"value": id}}}},
	}
}

func idOf(t *testing.T, raw []byte) string {
	t.Helper()
	var r struct{ ID string }
	if err := json.Unmarshal(raw, &r); err != nil || r.ID == "" {
		t.Errorf("no id in %s", raw)
	}
	return r.ID
}

func (c *child) checkUsers(base, token string, users map[string]acknowledged) {
	c.t.Helper()
	for id, u := range users {
		status, raw := c.send(c.t.Context(), http.MethodGet, base+"/Users/"+id, token, nil)
		var got struct{ UserName string }
		if err := json.Unmarshal(raw, &got); err != nil || status != http.StatusOK || got.UserName != u.name {
			c.t.Errorf("acknowledged user %s (%s): %d %s", id, u.name, status, raw)
		}
	}
}

func (c *child) checkMembers(base, token, group string, users map[string]acknowledged) {
	c.t.Helper()
	_, raw := c.send(c.t.Context(), http.MethodGet, base+"/Groups/"+group, token, nil)
	var got struct{ Members []struct{ Value string } }
	if err := json.Unmarshal(raw, &got); err != nil {
		c.t.Fatal(err)
	}
	held := map[string]int{}
	for _, m := range got.Members {
		held[m.Value]++
	}
	for id, u := range users {
		if u.member && held[id] != 1 {
			c.t.Errorf("acknowledged member %s stands %d times in the group", u.name, held[id])
		}
	}
}

// checkFeed wants exactly one entry for the creation of each acknowledged user and account, and for each membership.
func (c *child) checkFeed(users map[string]acknowledged) {
	c.t.Helper()
	created, accounts, added := map[string]int{}, map[string]int{}, map[string]int{}
	for _, e := range c.feed() {
		switch e.Type {
		case "directory_user.created":
			created[e.Subject.ID]++
		case "account.created":
			var d struct{ Account struct{ Email string } }
			if err := json.Unmarshal(e.Data, &d); err != nil {
				c.t.Fatal(err)
			}
			accounts[d.Account.Email]++
		case "membership.added":
			var d struct{ Member struct{ ID string } }
			if err := json.Unmarshal(e.Data, &d); err != nil {
				c.t.Fatal(err)
			}
			added[d.Member.ID]++
		}
	}
	for id, u := range users {
		if created[id] != 1 || accounts[u.name] != 1 {
			c.t.Errorf("%s: %d entries of its creation, %d of its account's", u.name, created[id], accounts[u.name])
		}
		if u.member && added[id] != 1 {
			c.t.Errorf("%s: %d entries of its membership", u.name, added[id])
		}
	}
}
