package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"usher/internal/app"
	"usher/internal/pgtest"
	"usher/internal/secret"
)

// replicas are two Ushers on one PostgreSQL, with jobs on both; and an integration that Entra pushes into.
type replicas struct {
	t               *testing.T
	at              [2]*child // the API of each; their processes are this one
	id, base, token string
	turn            atomic.Int64
}

func newReplicas(t *testing.T) *replicas {
	t.Helper()
	r := &replicas{t: t}
	url, key := pgtest.Database(t), secret.NewKey()
	for i := range r.at {
		cfg := app.Defaults()
		cfg.DatabaseURL, cfg.SecretKey, cfg.Listen, cfg.Migrate = url, key, "127.0.0.1:0", true
		cfg.AdminAPIKey, cfg.SCIMRate = "admin-key-of-the-test", 0
		a, err := app.New(t.Context(), cfg, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- a.Run(ctx) }()
		t.Cleanup(func() {
			stop()
			if err := <-done; err != nil {
				t.Error(err)
			}
			_ = a.Close()
		})
		r.at[i] = &child{t: t, addr: strings.TrimPrefix(a.URL(), "http://"), key: cfg.AdminAPIKey}
	}
	r.id, r.base, r.token = r.at[0].integration()
	return r
}

// story gives the replicas with an integration of its own.
func (r *replicas) story(t *testing.T) *replicas {
	t.Helper()
	s := &replicas{t: t, at: r.at}
	for i := range s.at {
		c := *r.at[i]
		c.t = t
		s.at[i] = &c
	}
	s.id, s.base, s.token = s.at[0].integration()
	return s
}

// request is one SCIM request.
type request struct {
	method, path string
	body         any
	header       []string // "Name: value"
}

// answer is its answer.
type answer struct {
	status int
	body   []byte
}

// volley sends the requests all at once, to the replicas in turn.
func (r *replicas) volley(list ...request) []answer {
	r.t.Helper()
	answers := make([]answer, len(list))
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i, q := range list {
		wg.Go(func() {
			<-start
			answers[i] = r.send(q)
		})
	}
	close(start)
	wg.Wait()
	return answers
}

func (r *replicas) send(q request) answer {
	c := r.at[r.turn.Add(1)%2]
	status, body := c.send(r.t.Context(), q.method, r.base+q.path, r.token, q.body, q.header...)
	return answer{status, body}
}

// want fails the test unless the answers have these statuses, in any order; one status stands for all of them.
func (r *replicas) want(answers []answer, statuses ...int) {
	r.t.Helper()
	if len(statuses) == 1 {
		statuses = slices.Repeat(statuses, len(answers))
	}
	var got []int
	for _, a := range answers {
		got = append(got, a.status)
	}
	slices.Sort(got)
	slices.Sort(statuses)
	if !slices.Equal(got, statuses) {
		r.t.Fatalf("statuses %v, want %v\nlast: %s", got, statuses, answers[len(answers)-1].body)
	}
}

func (r *replicas) users(prefix string, n int) []string {
	r.t.Helper()
	var list []request
	for i := range n {
		list = append(list, request{method: http.MethodPost, path: "/Users", body: scimUser(fmt.Sprintf("%s%d@contoso.example", prefix, i))})
	}
	answers := r.volley(list...)
	r.want(answers, http.StatusCreated)
	var ids []string
	for _, a := range answers {
		ids = append(ids, idOf(r.t, a.body))
	}
	return ids
}

func newGroup(name string) request {
	return request{method: http.MethodPost, path: "/Groups", body: map[string]any{
		"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:Group"}, "displayName": name,
	}}
}

func (r *replicas) group(name string) string {
	r.t.Helper()
	a := r.send(newGroup(name))
	r.want([]answer{a}, http.StatusCreated)
	return idOf(r.t, a.body)
}

func add(group, value string) request {
	return request{method: http.MethodPatch, path: "/Groups/" + group, body: addMember(value)}
}

func remove(group, value string) request {
	return patch("/Groups/"+group, map[string]any{"op": "remove", "path": `members[value eq "` + value + `"]`})
}

func patch(path string, operations ...map[string]any) request {
	return request{method: http.MethodPatch, path: path, body: map[string]any{
		"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"}, "Operations": operations,
	}}
}

// members fails the test unless either replica says that exactly these are the members.
func (r *replicas) members(group string, want []string) {
	r.t.Helper()
	want = slices.Sorted(slices.Values(want))
	for range r.at {
		a := r.send(request{method: http.MethodGet, path: "/Groups/" + group})
		var g struct{ Members []struct{ Value string } }
		if err := json.Unmarshal(a.body, &g); err != nil || a.status != http.StatusOK {
			r.t.Fatalf("group: %d %s", a.status, a.body)
		}
		got := []string{}
		for _, m := range g.Members {
			got = append(got, m.Value)
		}
		slices.Sort(got)
		if !slices.Equal(got, append([]string{}, want...)) {
			r.t.Fatalf("%d members, want %d", len(got), len(want))
		}
	}
}

// TestReplicas sends what happens at the same time to two replicas in turn, and wants what one would have made of it.
func TestReplicas(t *testing.T) {
	t.Parallel()
	r := newReplicas(t)
	for name, story := range map[string]func(*replicas){
		"members come and go, and none is lost":                (*replicas).membersComeAndGo,
		"one of several creators wins":                         (*replicas).oneCreator,
		"changes of different attributes of one user all last": (*replicas).attributes,
		"whoever is deleted while being changed is gone":       (*replicas).deletedWhileChanged,
		"a member that arrives while it is named is a member":  (*replicas).arrivesWhileNamed,
		"of several changes of one version one is made":        (*replicas).oneVersion,
		"a changed mapping is everybody's at once":             (*replicas).mappings,
		"a revoked token is refused by all":                    (*replicas).revoked,
		"a re-evaluation and pushes agree":                     (*replicas).reevaluation,
	} {
		t.Run(name, func(t *testing.T) { story(r.story(t)) })
	}
}

func (r *replicas) membersComeAndGo() {
	const n = 50
	feeds := r.follow()
	group, users := r.group("Everybody"), r.users("member", 2*n)
	var adds, mixed []request
	for i := range n {
		adds = append(adds, add(group, users[i]))
	}
	for i := range n / 2 {
		mixed = append(mixed, remove(group, users[i]), add(group, users[n+i]))
	}
	r.want(r.volley(adds...), http.StatusNoContent)
	r.members(group, users[:n])
	r.want(r.volley(mixed...), http.StatusNoContent)
	r.members(group, users[n/2:n+n/2])
	count := map[string]int{}
	for _, e := range feeds() {
		if e.Subject.ID == group {
			count[e.Type]++
		}
	}
	if count["membership.added"] != n+n/2 || count["membership.removed"] != n/2 {
		r.t.Errorf("the feed tells of %v", count)
	}
}

// follow reads the change feed from either replica while it is written; what it gives ends that, and wants both to have read
// what the whole feed holds: nothing twice, nothing left out.
func (r *replicas) follow() func() []feedEntry {
	r.t.Helper()
	before := len(r.at[0].feed())
	var read [2][]feedEntry
	var over atomic.Bool // nothing is written any more
	var wg sync.WaitGroup
	for i := range r.at {
		wg.Go(func() {
			after := ""
			for r.t.Context().Err() == nil {
				ending := over.Load()
				var page struct {
					Data []feedEntry
					Next string
				}
				status, raw := r.at[i].send(r.t.Context(), http.MethodGet, "/api/v1/changes?limit=7&wait=1s&after="+after, r.at[i].key, nil)
				if err := json.Unmarshal(raw, &page); err != nil || status != http.StatusOK {
					r.t.Errorf("changes: %d %s", status, raw)
					return
				}
				read[i], after = append(read[i], page.Data...), page.Next
				if ending && len(page.Data) == 0 {
					return
				}
			}
		})
	}
	return func() []feedEntry {
		r.t.Helper()
		over.Store(true)
		wg.Wait()
		all := r.at[1].feed()
		for i := range read {
			if !slices.EqualFunc(read[i], all, func(a, b feedEntry) bool { return a.ID == b.ID && string(a.Data) == string(b.Data) }) {
				r.t.Errorf("a reader of replica %d read %d entries; the feed has %d", i, len(read[i]), len(all))
			}
		}
		return all[before:]
	}
}
