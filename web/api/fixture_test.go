package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"usher/calendarbridge"
	"usher/directory"
	"usher/internal/secret"
	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
	"usher/web/api"
)

const (
	adminKey  = "the-installation-key-of-the-tests"
	publicURL = "https://usher.contoso.example"
)

// fixture is the API on a real service and a real database.
type fixture struct {
	t   *testing.T
	svc *directory.Service
	url string
	key string // sent with every request
	org model.Organization
	log *bytes.Buffer
}

// newFixture serves the API to a key of the default organization that has all rights.
func newFixture(t *testing.T, s *store.Store) *fixture {
	t.Helper()
	return newFixtureWith(t, s, grants{})
}

func newFixtureWith(t *testing.T, s *store.Store, graph api.Graph) *fixture {
	t.Helper()
	ring, err := secret.Parse(secret.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{t: t, log: &bytes.Buffer{}}
	f.svc = directory.New(directory.Options{Store: s, Keys: ring})
	a := api.New(api.Options{
		Service: f.svc, PublicURL: publicURL + "/", AdminKey: adminKey, Version: "test",
		Logger: slog.New(slog.NewTextHandler(f.log, nil)), Graph: graph,
		Calendars: calendarbridge.New(calendarbridge.Options{
			Store: s, Keys: ring, PublicURL: publicURL,
			Connect: func(context.Context, model.Ref) (calendarbridge.Calendars, error) {
				return nil, errors.New("no tenant is there")
			},
		}),
	})
	e := echo.New()
	a.Mount(e)
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	f.url = server.URL
	if err := f.svc.EnsureDefault(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.org, err = s.Read(t.Context()).Organization(model.DefaultOrganization)
	if err != nil {
		t.Fatal(err)
	}
	f.key = f.newKey(f.org.ID, model.RightAll)
	return f
}

// each runs a story on both databases.
func each(t *testing.T, story func(t *testing.T, f *fixture)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) { story(t, newFixture(t, s)) })
}

func (f *fixture) newKey(organizationID string, rights ...model.Right) string {
	f.t.Helper()
	_, text, err := f.svc.CreateAPIKey(f.t.Context(), organizationID, "test", rights, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return text
}

// as gives the fixture with another key.
func (f *fixture) as(key string) *fixture {
	other := *f
	other.key = key
	return &other
}

// response is an answer with its body read.
type response struct {
	t *testing.T
	*http.Response
	raw []byte
}

// do sends a request; body is sent as it is where it is a string, else as JSON. header holds names and values in turn.
func (f *fixture) do(method, path string, body any, header ...string) response {
	f.t.Helper()
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(b)
	case io.Reader:
		reader = b
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			f.t.Fatal(err)
		}
		reader = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(f.t.Context(), method, f.url+api.Base+path, reader)
	if err != nil {
		f.t.Fatal(err)
	}
	if f.key != "" {
		req.Header.Set("Authorization", "Bearer "+f.key)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return response{f.t, res, raw}
}

// want fails the test unless the status is the given one, and gives the body as an object.
func (r response) want(status int) map[string]any {
	r.t.Helper()
	if r.StatusCode != status {
		r.t.Fatalf("%s %s: status %d, want %d: %s", r.Request.Method, r.Request.URL.Path, r.StatusCode, status, r.raw)
	}
	if len(r.raw) == 0 {
		return nil
	}
	var object map[string]any
	if err := json.Unmarshal(r.raw, &object); err != nil {
		r.t.Fatalf("%s %s: %v in %s", r.Request.Method, r.Request.URL.Path, err, r.raw)
	}
	return object
}

// wantProblem fails the test unless the answer is a problem of the status that names the field, "" for none.
func (r response) wantProblem(status int, field string) string {
	r.t.Helper()
	object := r.want(status)
	if ct := r.Header.Get("Content-Type"); ct != "application/problem+json" {
		r.t.Errorf("%s %s: content type %q", r.Request.Method, r.Request.URL.Path, ct)
	}
	detail, _ := object["detail"].(string)
	if object["status"] != float64(status) || object["title"] != http.StatusText(status) || detail == "" || object["type"] != "about:blank" {
		r.t.Errorf("%s %s: not a whole problem: %s", r.Request.Method, r.Request.URL.Path, r.raw)
	}
	var named []string
	list, _ := object["errors"].([]any)
	for _, e := range list {
		if entry, ok := e.(map[string]any); ok {
			name, _ := entry["field"].(string)
			named = append(named, name)
			if entry["detail"] == "" || entry["detail"] == nil {
				r.t.Errorf("%s %s: an error without detail: %s", r.Request.Method, r.Request.URL.Path, r.raw)
			}
		}
	}
	if field == "" && len(named) > 0 || field != "" && !contains(named, field) {
		r.t.Errorf("%s %s: errors name %q, want %q: %s", r.Request.Method, r.Request.URL.Path, named, field, r.raw)
	}
	return detail
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// list gives the data of a list.
func (r response) list() []map[string]any {
	r.t.Helper()
	return objects(r.t, r.want(http.StatusOK)["data"])
}

func objects(t *testing.T, v any) []map[string]any {
	t.Helper()
	items, ok := v.([]any)
	if !ok {
		t.Fatalf("%v is not a list", v)
	}
	out := make([]map[string]any, len(items))
	for i, item := range items {
		if out[i], ok = item.(map[string]any); !ok {
			t.Fatalf("%v is not an object", item)
		}
	}
	return out
}

func str(t *testing.T, object map[string]any, key string) string {
	t.Helper()
	s, ok := object[key].(string)
	if !ok {
		t.Fatalf("%s is %v", key, object[key])
	}
	return s
}

// integration makes one with ingress scim and gives its id.
func (f *fixture) integration(settings ...map[string]any) string {
	f.t.Helper()
	body := map[string]any{"name": "Contoso", "ingress": "scim"}
	for _, s := range settings {
		for k, v := range s {
			body[k] = v
		}
	}
	return str(f.t, f.do("POST", "/integrations", body).want(http.StatusCreated), "id")
}

// push stores a directory user as a SCIM client would have, and lets the rules decide.
func (f *fixture) push(integrationID, userName string, more ...map[string]any) model.DirectoryUser {
	f.t.Helper()
	local, _, _ := strings.Cut(userName, "@")
	document := map[string]any{
		"userName": userName, "externalId": "ext-" + local, "displayName": local, "active": true,
		"name":   map[string]any{"givenName": local, "familyName": "Contoso"},
		"emails": []any{map[string]any{"type": "work", "value": userName, "primary": true}},
	}
	for _, m := range more {
		for k, v := range m {
			document[k] = v
		}
	}
	ref := model.Ref{OrganizationID: f.org.ID, IntegrationID: integrationID}
	u, err := f.svc.CreateUser(f.t.Context(), ref, model.DirectoryUser{Document: model.NewDocument(document)})
	if err != nil {
		f.t.Fatal(err)
	}
	return u
}

// group stores a directory group with members.
func (f *fixture) group(integrationID, name string, members ...string) model.DirectoryGroup {
	f.t.Helper()
	ref := model.Ref{OrganizationID: f.org.ID, IntegrationID: integrationID}
	document := model.NewDocument(map[string]any{"displayName": name, "externalId": "ext-" + name})
	g, err := f.svc.CreateGroup(f.t.Context(), ref, model.DirectoryGroup{Document: document}, members)
	if err != nil {
		f.t.Fatal(err)
	}
	return g
}

// work works a run until it has nothing more to do, as the job would.
func (f *fixture) work(runID string) {
	f.t.Helper()
	if err := f.svc.Work(f.t.Context(), directory.WorkRun{OrganizationID: f.org.ID, RunID: runID}); err != nil {
		f.t.Fatal(err)
	}
}
