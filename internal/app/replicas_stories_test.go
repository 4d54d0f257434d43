package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"
)

func (r *replicas) oneCreator() {
	const rounds, each = 10, 6
	created := append([]int{http.StatusCreated}, slices.Repeat([]int{http.StatusConflict}, each-1)...)
	for round := range rounds {
		var users, groups []request
		for i := range each {
			name := fmt.Sprintf("Person%d@contoso.example", round)
			if i%2 == 0 {
				name = fmt.Sprintf("person%d@CONTOSO.example", round)
			}
			users = append(users, request{method: http.MethodPost, path: "/Users", body: scimUser(name)})
			groups = append(groups, newGroup([]string{"Sales", "SALES"}[i%2]+fmt.Sprint(round)))
		}
		r.want(r.volley(users...), created...)
		r.want(r.volley(groups...), created...)
	}
}

func (r *replicas) attributes() {
	names := []string{"title", "nickName", "displayName", "externalId", "preferredLanguage", "userType", "profileUrl", "name.givenName", "name.familyName"}
	for round := range 5 {
		id := r.users(fmt.Sprintf("round%d-", round), 1)[0]
		var list []request
		for _, name := range names {
			list = append(list, patch("/Users/"+id, map[string]any{"op": "Replace", "path": name, "value": "en"}))
		}
		r.want(r.volley(list...), http.StatusOK)
		a := r.send(request{method: http.MethodGet, path: "/Users/" + id})
		var got map[string]any
		if err := json.Unmarshal(a.body, &got); err != nil {
			r.t.Fatal(err)
		}
		if name, ok := got["name"].(map[string]any); ok {
			got["name.givenName"], got["name.familyName"] = name["givenName"], name["familyName"]
		}
		for _, name := range names {
			if got[name] != "en" {
				r.t.Errorf("round %d: %s is lost: %s", round, name, a.body)
			}
		}
	}
}

func (r *replicas) deletedWhileChanged() {
	for round := range 10 {
		ids := r.users(fmt.Sprintf("leaver%d-", round), 2)
		group, doomed := r.group(fmt.Sprintf("Stays %d", round)), r.group(fmt.Sprintf("Goes %d", round))
		r.want(r.volley(add(group, ids[0])), http.StatusNoContent)
		answers := r.volley(
			request{method: http.MethodDelete, path: "/Users/" + ids[0]},
			patch("/Users/"+ids[0], map[string]any{"op": "Replace", "path": "title", "value": "Gone"}),
			add(group, ids[0]), add(group, ids[1]), add(doomed, ids[0]),
			request{method: http.MethodDelete, path: "/Groups/" + doomed},
			add(doomed, ids[1]),
		)
		for i, allowed := range [][]int{{204}, {200, 404}, {204}, {204}, {204, 404}, {204}, {204, 404}} {
			if !slices.Contains(allowed, answers[i].status) {
				r.t.Errorf("round %d: request %d answered %d: %s", round, i, answers[i].status, answers[i].body)
			}
		}
		gone := []request{{method: http.MethodGet, path: "/Users/" + ids[0]}, {method: http.MethodGet, path: "/Groups/" + doomed}}
		r.want(r.volley(append(gone, gone...)...), http.StatusNotFound)
		r.members(group, ids[1:])
		a := r.send(request{method: http.MethodGet, path: "/Users/" + ids[1] + "?attributes=groups"})
		var u struct{ Groups []struct{ Value string } }
		if err := json.Unmarshal(a.body, &u); err != nil || len(u.Groups) != 1 || u.Groups[0].Value != group {
			r.t.Errorf("round %d: groups of who stays: %s", round, a.body)
		}
	}
}

func (r *replicas) arrivesWhileNamed() {
	for round := range 20 {
		name := fmt.Sprintf("newcomer%d@contoso.example", round)
		first, second := r.group(fmt.Sprintf("First %d", round)), r.group(fmt.Sprintf("Second %d", round))
		answers := r.volley(add(first, "x-"+name), request{method: http.MethodPost, path: "/Users", body: scimUser(name)}, add(second, name))
		r.want(answers, http.StatusNoContent, http.StatusCreated, http.StatusNoContent)
		id := idOf(r.t, answers[1].body)
		r.members(first, []string{id})
		r.members(second, []string{id})
	}
}

func (r *replicas) oneVersion() {
	user, group := r.users("versioned", 1)[0], r.group("Versioned")
	others := r.users("other", 6)
	var users, groups []request
	for i := range others {
		q := patch("/Users/"+user, map[string]any{"op": "Replace", "path": "title", "value": fmt.Sprint(i)})
		q.header = []string{`If-Match: W/"1"`}
		g := add(group, others[i])
		g.header = q.header
		users, groups = append(users, q), append(groups, g)
	}
	failed := slices.Repeat([]int{http.StatusPreconditionFailed}, len(others)-1)
	r.want(r.volley(users...), append(failed, http.StatusOK)...)
	answers := r.volley(groups...)
	r.want(answers, append(failed, http.StatusNoContent)...)
	won := slices.IndexFunc(answers, func(a answer) bool { return a.status == http.StatusNoContent })
	r.members(group, others[won:won+1])
}

// mapping says which role the group gives, by way of one replica.
func (r *replicas) mapping(at int, group, role string) {
	r.t.Helper()
	r.at[at].api(http.MethodPut, "/roles/"+role, map[string]any{"name": role}, nil)
	r.at[at].api(http.MethodPut, "/integrations/"+r.id+"/group-mappings",
		[]map[string]any{{"group": map[string]any{"display_name": group}, "role": role}}, nil)
}

// roles reads the roles of the account, by way of one replica.
func (r *replicas) roles(at int, email string) []string {
	r.t.Helper()
	var page struct{ Data []struct{ Roles []string } }
	r.at[at].api(http.MethodGet, "/accounts?email="+url.QueryEscape(email), nil, &page)
	if len(page.Data) != 1 {
		r.t.Fatalf("%d accounts have e-mail %s", len(page.Data), email)
	}
	return page.Data[0].Roles
}

// mappings changes a mapping on one replica; who joins the group by way of the other gets the new role in that request.
func (r *replicas) mappings() {
	group := r.group("Mapped")
	for round := range 12 {
		here, there := round%2, 1-round%2
		role := fmt.Sprintf("role-%d", round)
		r.mapping(here, "Mapped", role)
		name := fmt.Sprintf("mapped%d@contoso.example", round)
		status, raw := r.at[there].send(r.t.Context(), http.MethodPost, r.base+"/Users", r.token, scimUser(name))
		if status != http.StatusCreated {
			r.t.Fatalf("user: %d %s", status, raw)
		}
		if status, raw := r.at[there].send(r.t.Context(), http.MethodPatch, r.base+"/Groups/"+group, r.token, addMember(idOf(r.t, raw))); status != http.StatusNoContent {
			r.t.Fatalf("member: %d %s", status, raw)
		}
		if got := r.roles(here, name); !slices.Equal(got, []string{role}) {
			r.t.Errorf("round %d: roles %v, want %s", round, got, role)
		}
	}
}

// revocationBound is how long docs/reference/configuration.md lets another replica take a revoked token, and some for the
// requests that ask.
const revocationBound = 10*time.Second + 10*time.Second

func (r *replicas) revoked() {
	status := func(at int) int {
		code, _ := r.at[at].send(r.t.Context(), http.MethodGet, r.base+"/Users?count=0", r.token, nil)
		return code
	}
	for at := range r.at { // which remember it now
		if got := status(at); got != http.StatusOK {
			r.t.Fatalf("replica %d answered %d", at, got)
		}
	}
	var tokens struct{ Data []struct{ ID string } }
	r.at[0].api(http.MethodGet, "/integrations/"+r.id+"/scim-tokens", nil, &tokens)
	r.at[0].api(http.MethodDelete, "/integrations/"+r.id+"/scim-tokens/"+tokens.Data[0].ID, nil, nil)
	begin := time.Now()
	if got := status(0); got != http.StatusUnauthorized {
		r.t.Errorf("the replica that revoked the token answered %d", got)
	}
	eventually(r.t, "the other replica refuses the token", func() bool { return status(1) == http.StatusUnauthorized })
	if took := time.Since(begin); took > revocationBound {
		r.t.Errorf("the other replica took the token for %s", took)
	}
}

// reevaluation changes what a group gives, again and again, while people join and leave it by way of both replicas. In the
// end everybody has what the last mapping says.
func (r *replicas) reevaluation() {
	const n = 40
	r.at[0].api(http.MethodPatch, "/integrations/"+r.id, map[string]any{"role_sync": "mirror"}, nil)
	r.mapping(0, "Crew", "crew-0")
	group, users := r.group("Crew"), r.users("crew", n)
	for round := 1; round <= 4; round++ {
		var list []request
		for i, id := range users {
			if (i+round)%2 == 0 {
				list = append(list, add(group, id))
			} else {
				list = append(list, remove(group, id))
			}
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			r.want(r.volley(list...), http.StatusNoContent)
		}()
		r.mapping(round%2, "Crew", fmt.Sprintf("crew-%d", round))
		<-done
	}
	r.settled()
	for i := range users {
		var want []string
		if i%2 == 0 {
			want = []string{"crew-4"}
		}
		if got := r.roles(i/2%2, fmt.Sprintf("crew%d@contoso.example", i)); !slices.Equal(got, append([]string{}, want...)) {
			r.t.Errorf("crew%d has roles %v, want %v", i, got, want)
		}
	}
}

// settled waits until no run is left to be worked.
func (r *replicas) settled() {
	r.t.Helper()
	eventually(r.t, "the runs end", func() bool {
		var page struct {
			Data []struct {
				State       string
				Integration string `json:"integration_id"`
			}
		}
		r.at[0].api(http.MethodGet, "/runs?limit=500", nil, &page)
		for _, run := range page.Data {
			if run.Integration != r.id {
				continue
			}
			if run.State == "failed" || run.State == "held" {
				r.t.Fatalf("a run is %s", run.State)
			}
			if run.State == "queued" || run.State == "running" {
				return false
			}
		}
		return true
	})
}
