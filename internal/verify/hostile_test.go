package verify_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"usher/internal/verify"
)

const token = "s3cret-token-that-nobody-may-see"

func run(t *testing.T, o verify.Options) *verify.Report {
	t.Helper()
	o.Token = token
	report, err := verify.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// every renders the report in all formats.
func every(t *testing.T, r *verify.Report) string {
	t.Helper()
	var out strings.Builder
	for i := range r.Results {
		out.WriteString(r.Results[i].Line() + "\n")
	}
	for _, write := range []func(io.Writer) error{r.WriteSummary, r.WriteJSON, r.WriteJUnit} {
		if err := write(&out); err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

// TestHostileEndpoints asks endpoints that misbehave on purpose, and wants an orderly report of each.
func TestHostileEndpoints(t *testing.T) {
	t.Parallel()
	scimType := func(w http.ResponseWriter) { w.Header().Set("Content-Type", "application/scim+json") }
	for _, test := range []struct {
		name    string
		handler http.HandlerFunc
		want    string // among the reasons
	}{
		{"a page of HTML with status 200", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "<!DOCTYPE html><title>Welcome</title>")
		}, "a page of HTML"},
		{"nothing at all", func(http.ResponseWriter, *http.Request) {}, "no body"},
		{"a body without end", func(w http.ResponseWriter, _ *http.Request) {
			scimType(w)
			chunk := strings.Repeat("[", 1<<16)
			for {
				if _, err := io.WriteString(w, chunk); err != nil {
					return
				}
			}
		}, "larger than 4 MiB"},
		{"a depth bomb", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat(`{"a":`, 10_000))
		}, "nested deeper"},
		{"wrong types", func(w http.ResponseWriter, _ *http.Request) {
			scimType(w)
			_, _ = io.WriteString(w, `{"schemas":7,"totalResults":"many","Resources":{"a":[null,1]},"id":{"x":1},"userName":[],"patch":3}`)
		}, "schemas is 7"},
		{"nulls", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `null`) }, "no JSON object"},
		{"a list of nulls", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":1e300,"Resources":[null,null]}`)
		}, "an entry of Resources"},
		{"two documents", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{}{}`) }, "more behind its JSON"},
		{"a broken connection", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"schemas":[`)
		}, "broke off"},
		{"a header without end", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Long", strings.Repeat("x", 1<<20)) }, "server response headers exceeded"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(test.handler)
			defer server.Close()
			report := run(t, verify.Options{URL: server.URL, ReadOnly: true, Only: []string{"filter/probe", "discovery", "paging", "protocol"}})
			if report.Err() == nil {
				t.Error("the endpoint is thought well of")
			}
			if text := every(t, report); !strings.Contains(text, test.want) || report.Count(verify.Failed) < 2 {
				t.Errorf("%q is not among the reasons:\n%s", test.want, text)
			}
			if n := len(every(t, report)); n > 1<<20 {
				t.Errorf("the report has %d bytes", n)
			}
		})
	}
}

// TestRedirectsAreNotFollowed keeps the token from a host that nobody named.
func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer thief.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, thief.URL+r.URL.Path, http.StatusTemporaryRedirect)
	}))
	defer server.Close()
	report := run(t, verify.Options{URL: server.URL})
	if asked.Load() > 0 {
		t.Errorf("%d requests went where the redirect pointed", asked.Load())
	}
	if !strings.Contains(every(t, report), "307") {
		t.Error("the report does not name the redirect")
	}
}

// TestSlowEndpointIsGivenUp asks an endpoint that never answers; the run ends after a few requests and not after hundreds.
func TestSlowEndpointIsGivenUp(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	defer server.Close()
	report := run(t, verify.Options{URL: server.URL, Timeout: 20 * time.Millisecond})
	if report.Err() == nil || asked.Load() > 10 {
		t.Errorf("%d requests, %v", asked.Load(), report.Err())
	}
	if report.Count(verify.Skipped) < len(report.Results)-3 {
		t.Errorf("%s: the rest was not given up", report.Summary())
	}
}

// TestSecretsAndControlCharactersAreNotShown has the endpoint echo the token and what would steer a terminal.
func TestSecretsAndControlCharactersAreNotShown(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/"+strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		w.WriteHeader(http.StatusTeapot)
		_, _ = fmt.Fprintf(w, `{"id":"%s","userName":"%s","detail":"`+"\x1b[2J\u202egpj\x00"+`"}`, r.Header.Get("Authorization"), token)
	}))
	defer server.Close()
	text := every(t, run(t, verify.Options{URL: server.URL}))
	if strings.Contains(text, token) {
		t.Error("the token is in the report")
	}
	if strings.ContainsAny(text, "\x1b\x00\u202e") {
		t.Error("control characters are in the report")
	}
	if !strings.Contains(text, "418") {
		t.Error("the report does not show the answer")
	}
}

// careless is an endpoint that keeps users and groups and looks at nothing.
type careless struct {
	mu      sync.Mutex
	have    map[string]map[string]any
	deleted []string
	methods map[string]int
	// id, where it is set, is the id in every answer to a POST, and lose makes POSTs store but not answer.
	id   string
	lose bool
	keep bool // DELETE is refused
	n    int
}

func (c *careless) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.methods == nil {
		c.methods, c.have = map[string]int{}, map[string]map[string]any{"stranger": {"id": "stranger", "userName": "grace@contoso.example"}}
	}
	c.methods[r.Method]++
	w.Header().Set("Content-Type", "application/scim+json")
	name := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	switch r.Method {
	case http.MethodPost:
		c.post(w, r)
	case http.MethodDelete:
		if c.keep {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		c.deleted = append(c.deleted, name)
		delete(c.have, name)
		w.WriteHeader(http.StatusNoContent)
	default:
		all := []any{}
		for _, o := range c.have { // whatever the filter
			all = append(all, o)
		}
		_ = json.NewEncoder(w).Encode(map[string]any{
			"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:ListResponse"}, "totalResults": len(all), "Resources": all,
		})
	}
}

func (c *careless) post(w http.ResponseWriter, r *http.Request) {
	var o map[string]any
	if json.NewDecoder(r.Body).Decode(&o) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.n++
	id := fmt.Sprintf("r%d", c.n)
	o["id"] = id
	c.have[id] = o
	if c.lose {
		panic(http.ErrAbortHandler)
	}
	if c.id != "" {
		o = map[string]any{"id": c.id, "userName": "grace@contoso.example"}
	}
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(o)
}

// TestOnlyItsOwnIsRemoved asks endpoints that lose answers, ignore filters and name strangers, and looks what is there afterwards.
func TestOnlyItsOwnIsRemoved(t *testing.T) {
	t.Parallel()
	for name, endpoint := range map[string]*careless{
		"all goes well": {}, "POST answers with a stranger": {id: "stranger"}, "answers to POST are lost": {lose: true}, "ids are paths": {id: ".."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewUnstartedServer(endpoint)
			server.Config.ErrorLog = nil
			server.Start()
			defer server.Close()
			report := run(t, verify.Options{URL: server.URL, Only: []string{"create", "group", "protocol"}})
			endpoint.mu.Lock()
			defer endpoint.mu.Unlock()
			if endpoint.have["stranger"] == nil || len(endpoint.have) != 1 || endpoint.n == 0 {
				t.Errorf("of %d made there is left %v", endpoint.n, endpoint.have)
			}
			if len(report.Left) > 0 {
				t.Errorf("left behind: %v", report.Left)
			}
		})
	}
}

func TestWhatCannotBeRemovedIsNamed(t *testing.T) {
	t.Parallel()
	endpoint := &careless{keep: true}
	server := httptest.NewServer(endpoint)
	defer server.Close()
	report := run(t, verify.Options{URL: server.URL, Only: []string{"create/minimal"}})
	if len(report.Left) != 1 || report.Left[0].ID != "r1" || !strings.Contains(report.Left[0].Reason, "403") {
		t.Fatalf("left behind: %+v", report.Left)
	}
	if report.Err() == nil || strings.Count(every(t, report), report.Left[0].Name) < 3 {
		t.Errorf("%v\n%s", report.Err(), every(t, report))
	}
}

// TestLimitsOfRequestsAreRespected has an endpoint refuse every second request with 429.
func TestLimitsOfRequestsAreRespected(t *testing.T) {
	t.Parallel()
	endpoint := &careless{}
	var n atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1)%2 == 0 {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		endpoint.ServeHTTP(w, r)
	}))
	defer server.Close()
	if report := run(t, verify.Options{URL: server.URL, Only: []string{"create/minimal"}}); report.Err() != nil {
		t.Errorf("%v\n%s", report.Err(), every(t, report))
	}
}

// TestRemovalIsTriedAgain has an endpoint refuse the first DELETE of each resource.
func TestRemovalIsTriedAgain(t *testing.T) {
	t.Parallel()
	endpoint := &careless{}
	refused := sync.Map{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, before := refused.LoadOrStore(r.URL.Path, true); r.Method == http.MethodDelete && !before {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		endpoint.ServeHTTP(w, r)
	}))
	defer server.Close()
	report := run(t, verify.Options{URL: server.URL, Only: []string{"create/minimal"}})
	endpoint.mu.Lock()
	defer endpoint.mu.Unlock()
	if len(report.Left) > 0 || len(endpoint.deleted) == 0 || len(endpoint.have) != 1 {
		t.Errorf("left %v, there %v", report.Left, endpoint.have)
	}
}

func TestReadOnlySendsNoWrite(t *testing.T) {
	t.Parallel()
	endpoint := &careless{}
	server := httptest.NewServer(endpoint)
	defer server.Close()
	report := run(t, verify.Options{URL: server.URL, ReadOnly: true})
	endpoint.mu.Lock()
	defer endpoint.mu.Unlock()
	if len(endpoint.methods) != 1 || endpoint.methods[http.MethodGet] == 0 {
		t.Errorf("the methods are %v", endpoint.methods)
	}
	for _, r := range report.Results {
		if strings.Contains(r.Reason, "a write was stopped") {
			t.Errorf("%s writes and does not say so", r.Name)
		}
	}
}

// TestInterruptionRemovesWhatWasMade ends the run in the midst of a check.
func TestInterruptionRemovesWhatWasMade(t *testing.T) {
	t.Parallel()
	endpoint := &careless{}
	ctx, interrupt := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		endpoint.ServeHTTP(w, r)
		if r.Method == http.MethodPost {
			interrupt()
		}
	}))
	defer server.Close()
	report, err := verify.Run(ctx, verify.Options{URL: server.URL, Token: token, Only: []string{"paging"}})
	if err != nil {
		t.Fatal(err)
	}
	endpoint.mu.Lock()
	defer endpoint.mu.Unlock()
	if !report.Interrupted || report.Err() == nil || endpoint.n == 0 || len(endpoint.have) != 1 || len(report.Left) > 0 {
		t.Errorf("interrupted %v, made %d, there %v, left %v", report.Interrupted, endpoint.n, endpoint.have, report.Left)
	}
}

func TestUnsafeOptionsAreRefused(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]verify.Options{
		"plain http to another host":  {URL: "http://scim.contoso.example/v2"},
		"a password in the address":   {URL: "https://ada:secret@scim.contoso.example"},
		"no address":                  {URL: "scim"},
		"a file":                      {URL: "file:///etc/passwd"},
		"a line break in the token":   {URL: "https://scim.contoso.example", Token: "a\r\nX: y"},
		"a check that does not exist": {URL: "https://scim.contoso.example", Only: []string{"create/nothing"}},
	} {
		o.Transport = refusing{}
		if _, err := verify.Run(t.Context(), o); !errors.Is(err, verify.ErrUsage) {
			t.Errorf("%s: %v", name, err)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error shows the password: %v", name, err)
		}
	}
	report, err := verify.Run(t.Context(), verify.Options{URL: "http://scim.contoso.example", Insecure: true, Transport: refusing{}})
	if err != nil || report.Err() == nil {
		t.Errorf("plain http although told so: %v, %v", err, report.Err())
	}
}

// refusing is a network on which nothing answers.
type refusing struct{}

func (refusing) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("no route") }

func TestChecksAreDescribed(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, c := range verify.Checks() {
		if names[c.Name] || c.Asserts == "" || c.Source == "" || c.Severity == "" || !strings.Contains(c.Name, "/") {
			t.Errorf("%+v: is there twice, or says too little", c.Name)
		}
		names[c.Name] = true
	}
	if len(names) < 60 {
		t.Errorf("%d checks", len(names))
	}
}
