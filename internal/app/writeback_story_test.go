package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"usher/internal/simulator"
	"usher/internal/simulator/entraid"
	"usher/internal/simulator/graphapi"
	"usher/model/store"
)

const (
	firstPassword = "pLanted-1st-Passw0rd]6NMw"
	newcomerName  = "ada.king@contoso.example"
)

// TestWriteBackOverHTTP: an administrator has a user made with a licence and groups, changed and off-boarded, through the door to
// Microsoft Graph. Answers are lost, and the server is killed while it waits to try again; nobody is made twice, and the first
// password is where it belongs alone.
func TestWriteBackOverHTTP(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		w := newWriting(t, url)
		id := w.create()
		w.change(id)
		w.offboard(id)
		w.refuses()
		w.keepsPasswords()
	})
}

// writing is a server that may write to a pretend tenant.
type writing struct {
	*child
	url    string
	tenant *simulator.Tenant
	graph  *graphapi.Server
	team   simulator.Group
	path   string          // of the integration
	said   strings.Builder // everything that the API has answered of operations
}

func newWriting(t *testing.T, url string) *writing {
	t.Helper()
	w := &writing{child: newChild(t, url), url: url, tenant: simulator.NewTenant(simulator.Options{Seed: 9, People: 12, Domain: "contoso.example"})}
	var err error
	if w.team, err = w.tenant.AddGroup(simulator.Group{DisplayName: "Analysts", SecurityEnabled: true}); err != nil {
		t.Fatal(err)
	}
	directory := entraid.New(entraid.Options{Tenant: w.tenant, Seed: 9})
	w.graph, err = graphapi.Start(t.Context(), graphapi.Options{
		Directory: directory, TenantID: directory.ID(), Apps: []graphapi.App{{ID: wireClientID, Secrets: []graphapi.Secret{{Value: wireSecret}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.graph.Close() })
	w.env = append(w.env, "USHER_GRAPH_URL="+w.graph.GraphURL+"/v1.0", "USHER_LOGIN_URL="+w.graph.LoginURL,
		"SSL_CERT_FILE="+authority(t, w.graph), "USHER_LOG_LEVEL=debug")
	w.start()
	var made struct{ ID string }
	w.api(http.MethodPost, "/integrations", map[string]any{
		"name": "Contoso", "ingress": "graph", "scope": "everyone", "tenant_id": directory.ID(),
		"graph":      map[string]any{"client_id": wireClientID, "client_secret": wireSecret},
		"write_back": map[string]any{"create": true, "update": true, "delete": true},
	}, &made)
	w.path = "/integrations/" + made.ID
	return w
}

// operation is what the API says of one.
type operation struct {
	ID        string
	State     string
	UserID    string `json:"user_id"`
	Error     *struct{ Code, Detail string }
	StartedAt *time.Time `json:"started_at"`
	NextAt    time.Time  `json:"next_attempt_at"`
	Steps     []operationStep
}

type operationStep struct {
	Action, State, Outcome string
	Attempts               int
	FinishedAt             *string `json:"finished_at"`
}

func (o *operation) steps() string {
	text := ""
	for _, s := range o.Steps {
		text += fmt.Sprintf("%s %s after %d: %s\n", s.Action, s.State, s.Attempts, s.Outcome)
	}
	return text
}

func (w *writing) read(raw []byte, into any) {
	w.t.Helper()
	if err := json.Unmarshal(raw, into); err != nil {
		w.t.Fatalf("%v: %s", err, raw)
	}
}

// ask begins an operation.
func (w *writing) ask(method, path string, body any, key string) operation {
	w.t.Helper()
	var o operation
	status, raw := w.send(w.t.Context(), method, "/api/v1"+w.path+path, w.key, body, "Idempotency-Key: "+key)
	w.said.Write(raw)
	if status != http.StatusAccepted {
		w.t.Fatalf("%s %s answered %d: %s", method, path, status, raw)
	}
	w.read(raw, &o)
	return o
}

// done waits until an operation has succeeded, and each of its steps has left its evidence.
func (w *writing) done(id string) operation {
	w.t.Helper()
	var o operation
	w.eventually("operation "+id+" ends", func() bool {
		o = operation{}
		status, raw := w.send(w.t.Context(), http.MethodGet, "/api/v1/operations/"+id, w.key, nil)
		w.said.Write(raw)
		if status == http.StatusOK {
			w.read(raw, &o)
		}
		return o.State == "succeeded" || o.State == "failed" || o.State == "cancelled"
	})
	if o.State != "succeeded" {
		w.t.Fatalf("the operation %s: %+v\n%s", o.State, o.Error, o.steps())
	}
	for _, s := range o.Steps {
		if s.State != "done" && s.State != "skipped" || s.Outcome == "" || s.FinishedAt == nil {
			w.t.Errorf("no evidence of step %s: %+v", s.Action, s)
		}
	}
	return o
}

// waits waits until an attempt at a step has failed, and the next one is due in a while.
func (w *writing) waits(id, action string) {
	w.t.Helper()
	w.eventually("step "+action+" waits for its next attempt", func() bool {
		var o operation
		w.api(http.MethodGet, "/operations/"+id, nil, &o)
		return o.StartedAt != nil && o.NextAt.Sub(*o.StartedAt) > 4*time.Second &&
			slices.ContainsFunc(o.Steps, func(s operationStep) bool { return s.Action == action && s.Attempts == 1 })
	})
	// What dies with an operation in its hands keeps it for some minutes.
	s, err := store.Open(w.t.Context(), store.Options{URL: w.url})
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	w.eventually("nobody works at it", func() bool {
		return len(values(w.t, s, "SELECT id FROM operations WHERE lease <> ''")) == 0 && len(values(w.t, s, "SELECT id FROM river_job WHERE state = 'running'")) == 0
	})
}

// restart kills the server, and starts it again.
func (w *writing) restart() {
	w.t.Helper()
	w.kill()
	w.start()
}

func (w *writing) create() string {
	w.t.Helper()
	w.graph.Fail(graphapi.Broken("/users", http.StatusGatewayTimeout).For(http.MethodPost).Lost().AtMost(1))
	wanted := map[string]any{
		"user_principal_name": newcomerName, "display_name": "Ada King", "given_name": "Ada", "family_name": "King", "usage_location": "GB",
		"job_title": "Analyst", "password": firstPassword, "groups": []string{w.team.ID}, "licences": []string{w.tenant.SKUs()[0].ID},
	}
	begun := w.ask(http.MethodPost, "/entra/users", wanted, "make-ada")
	w.eventually("Entra has made the user, and the answer is lost", func() bool { _, there := w.tenant.UserCalled(newcomerName); return there })
	w.waits(begun.ID, "create")
	w.restart()
	if again := w.ask(http.MethodPost, "/entra/users", wanted, "make-ada"); again.ID != begun.ID {
		w.t.Errorf("asked for twice with one key: operations %s and %s", begun.ID, again.ID)
	}
	o := w.done(begun.ID)
	user, _ := w.tenant.UserCalled(newcomerName)
	if o.UserID != user.ID || !user.AccountEnabled || user.DisplayName != "Ada King" || user.UsageLocation != "GB" {
		w.t.Errorf("made was %+v for operation %+v", user, o)
	}
	if user.More == nil || user.More.Password != firstPassword {
		w.t.Error("the user does not have the password that was asked for")
	}
	if holdings := w.tenant.Holdings(user.ID); len(holdings) != 1 || !w.tenant.IsMember(w.team.ID, user.ID) {
		w.t.Errorf("licences %+v, member %v", holdings, w.tenant.IsMember(w.team.ID, user.ID))
	}
	w.alone(user.ID)
	return user.ID
}

// alone makes sure that nobody else has been made of the same.
func (w *writing) alone(id string) {
	w.t.Helper()
	n := 0
	for _, other := range w.tenant.UserIDs() {
		if u, _ := w.tenant.User(other); u.DisplayName == "Ada King" || strings.HasPrefix(u.UserPrincipalName, "ada.king") {
			n++
		}
	}
	if n != 1 {
		w.t.Errorf("%d users have been made in place of %s", n, id)
	}
	posts := 0
	for _, r := range w.graph.Journal() {
		if r.Method == http.MethodPost && strings.HasSuffix(r.Path, "/users") {
			posts++
		}
	}
	if posts != 1 {
		w.t.Errorf("Entra was asked %d times to make a user", posts)
	}
}

func (w *writing) change(id string) {
	w.t.Helper()
	w.graph.Fail(graphapi.Broken("/users/"+id, http.StatusBadGateway).For(http.MethodPatch).Lost().AtMost(1))
	o := w.done(w.ask(http.MethodPatch, "/entra/users/"+id, map[string]any{"job_title": "Countess"}, "title").ID)
	if u, _ := w.tenant.User(id); u.JobTitle != "Countess" {
		w.t.Errorf("the title is %q after\n%s", u.JobTitle, o.steps())
	}
}

// offboard has the server killed behind the first steps.
func (w *writing) offboard(id string) {
	w.t.Helper()
	w.graph.Fail(graphapi.Broken("/users/"+id+"/revokeSignInSessions", http.StatusServiceUnavailable).AtMost(4)) // as often as the door asks at once
	begun := w.ask(http.MethodPost, "/entra/users/"+id+"/offboard", map[string]any{"delete": true}, "leaver")
	w.waits(begun.ID, "revoke_sessions")
	if u, _ := w.tenant.User(id); u.AccountEnabled {
		w.t.Error("the user was not disabled before anything else")
	}
	w.restart()
	o := w.done(begun.ID)
	last := -1
	for _, action := range []string{"check", "disable", "revoke_sessions", "remove_member", "remove_licence", "delete"} {
		at := slices.IndexFunc(o.Steps, func(s operationStep) bool { return s.Action == action && s.State == "done" })
		if at <= last {
			w.t.Errorf("step %s is missing, or not in its place:\n%s", action, o.steps())
		}
		last = at
	}
	u, there := w.tenant.User(id)
	if !there || u.DeletedAt.IsZero() || u.AccountEnabled || w.tenant.IsMember(w.team.ID, id) {
		w.t.Errorf("off-boarded is %+v, member %v", u, w.tenant.IsMember(w.team.ID, id))
	}
}

// refuses: an integration that is read-only has no way to a write.
func (w *writing) refuses() {
	w.t.Helper()
	w.api(http.MethodPatch, w.path, map[string]any{"read_only": true}, nil)
	before := w.graph.Requests()
	status, raw := w.send(w.t.Context(), http.MethodPost, "/api/v1"+w.path+"/entra/users", w.key, map[string]any{
		"user_principal_name": "eve@contoso.example", "display_name": "Eve", "password": firstPassword,
	})
	w.said.Write(raw)
	if status != http.StatusConflict || !strings.Contains(string(raw), "read_only") || w.graph.Requests() != before {
		w.t.Errorf("a read-only integration answered %d %s", status, raw)
	}
}

// keepsPasswords looks for the password in whatever the server keeps or says.
func (w *writing) keepsPasswords() {
	w.t.Helper()
	for _, path := range []string{"/changes?limit=500", "/activities?limit=500", "/operations?limit=100"} {
		_, raw := w.send(w.t.Context(), http.MethodGet, "/api/v1"+path, w.key, nil)
		w.said.Write(raw)
	}
	w.kill()
	for where, text := range map[string]string{"the API": w.said.String(), "the log": w.log.String(), "the database": stored(w.t, w.url)} {
		if len(text) == 0 {
			w.t.Errorf("%s says nothing at all", where)
		}
		if strings.Contains(text, firstPassword) {
			w.t.Errorf("the password is in %s", where)
		}
	}
}

// stored gives everything that a database holds as text: every value of every table, and of SQLite the files as they are, with what
// was deleted.
func stored(t *testing.T, url string) string {
	t.Helper()
	s, err := store.Open(context.WithoutCancel(t.Context()), store.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	var b strings.Builder
	query := "SELECT name FROM sqlite_master WHERE type = 'table'"
	if s.Dialect() == "postgres" {
		query = "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'"
	}
	for _, table := range values(t, s, query) {
		for _, value := range values(t, s, "SELECT * FROM \""+table[0].(string)+"\"") { //nolint:forcetypeassert // a name
			fmt.Fprintln(&b, value...)
		}
	}
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		for _, name := range []string{path, path + "-wal"} {
			raw, err := os.ReadFile(name)
			if err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
			b.Write(raw)
		}
	}
	return b.String()
}

// values gives the rows of a query, texts as such.
func values(t *testing.T, s *store.Store, query string) [][]any {
	t.Helper()
	rows, err := s.DB().QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var list [][]any
	for rows.Next() {
		row, into := make([]any, len(names)), make([]any, len(names))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		for i, v := range row {
			if raw, ok := v.([]byte); ok {
				row[i] = string(raw)
			}
		}
		list = append(list, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}
