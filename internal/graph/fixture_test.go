package graph_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"usher/internal/graph"
	"usher/model/outlook"
)

const (
	tenant = "84bd8158-6d4d-4958-8b9f-9d6445542f95"
	client = "c6126aa3-0ed8-412f-a988-71e6cee627c4"
	secret = "s3cr3t-of-the-application"
	ada    = "622eaaff-0683-4862-9de4-f2ec83c2bd98"
)

// start is when every test begins, by the client's clock.
var start = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

// request is what a server was asked.
type request struct {
	Method, Path, Query, Body string
	Header                    http.Header
}

// answer is what a server says. A negative status breaks the connection off.
type answer struct {
	status int
	body   string
	header map[string]string
}

// world is a pretend Microsoft: a login server over TLS, and a Graph that gives prepared answers in their order.
type world struct {
	t     testing.TB
	graph *httptest.Server
	login *login
	log   *bytes.Buffer

	mu       sync.Mutex
	answers  []answer
	requests []request
	sleeps   []time.Duration
	now      time.Time
	seen     []graph.Observation
}

func newWorld(t testing.TB, answers ...answer) *world {
	t.Helper()
	w := &world{t: t, login: newLogin(t), log: &bytes.Buffer{}, answers: answers, now: start}
	w.graph = httptest.NewServer(http.HandlerFunc(w.serve))
	t.Cleanup(w.graph.Close)
	return w
}

func (w *world) serve(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.t.Errorf("body: %v", err)
	}
	w.mu.Lock()
	w.requests = append(w.requests, request{r.Method, r.URL.EscapedPath(), r.URL.RawQuery, string(body), r.Header})
	if len(w.answers) == 0 {
		w.mu.Unlock()
		w.t.Errorf("unexpected request %s %s", r.Method, r.URL)
		rw.WriteHeader(http.StatusNotImplemented)
		return
	}
	next := w.answers[0]
	w.answers = w.answers[1:]
	w.mu.Unlock()
	if next.status < 0 {
		panic(http.ErrAbortHandler)
	}
	rw.Header().Set("Content-Type", "application/json")
	for name, value := range next.header {
		rw.Header().Set(name, strings.ReplaceAll(value, "{graph}", w.graph.URL))
	}
	rw.WriteHeader(next.status)
	_, _ = io.WriteString(rw, strings.ReplaceAll(next.body, "{graph}", w.graph.URL)) // the client may have gone
}

// options are those of a client of this world, with a clock that moves only while it sleeps.
func (w *world) options() graph.Options {
	return graph.Options{
		TenantID: tenant, ClientID: client, Credential: graph.Credential{ClientSecret: secret},
		GraphURL: w.graph.URL + "/v1.0", LoginURL: w.login.server.URL, RootCAs: w.login.roots(),
		Logger: slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now: func() time.Time {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.now
		},
		Observe: func(o graph.Observation) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.seen = append(w.seen, o)
		},
	}
}

func (w *world) client() *graph.Client {
	w.t.Helper()
	return w.clientOf(w.options())
}

func (w *world) clientOf(o graph.Options) *graph.Client {
	w.t.Helper()
	c, err := graph.New(o)
	if err != nil {
		w.t.Fatal(err)
	}
	c.SetSleep(func(ctx context.Context, d time.Duration) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.sleeps = append(w.sleeps, d)
		w.now = w.now.Add(d)
		return ctx.Err()
	})
	return c
}

// asked gives the requests, of which there must be so many.
func (w *world) asked(number int) []request {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.requests) != number {
		w.t.Fatalf("%d requests, want %d: %+v", len(w.requests), number, w.requests)
	}
	return w.requests
}

// login is a pretend Entra ID: the discovery document and the token endpoint.
type login struct {
	server *httptest.Server

	mu      sync.Mutex
	answers []answer // instead of tokens, in their order
	forms   []url.Values
	roles   []string
	issued  int
}

func newLogin(t testing.TB) *login {
	t.Helper()
	l := &login{roles: []string{"Calendars.Read"}}
	l.server = httptest.NewTLSServer(http.HandlerFunc(l.serve))
	l.server.Config.ErrorLog = nil
	t.Cleanup(l.server.Close)
	return l
}

func (l *login) roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(l.server.Certificate())
	return pool
}

func (l *login) serve(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	base := l.server.URL + "/" + tenant
	if strings.HasSuffix(r.URL.Path, "/openid-configuration") {
		_, _ = fmt.Fprintf(w, `{"authorization_endpoint":"%[1]s/oauth2/v2.0/authorize","token_endpoint":"%[1]s/oauth2/v2.0/token","issuer":"%[1]s/v2.0"}`, base)
		return
	}
	if err := r.ParseForm(); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	l.forms = append(l.forms, r.Form)
	if len(l.answers) > 0 {
		next := l.answers[0]
		l.answers = l.answers[1:]
		for name, value := range next.header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(next.status)
		_, _ = fmt.Fprint(w, next.body)
		return
	}
	l.issued++
	_, _ = fmt.Fprintf(w, `{"token_type":"Bearer","expires_in":3599,"access_token":%q}`, l.token())
}

// token is a JWT with a part that tells the tokens apart.
func (l *login) token() string {
	encode := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	return encode(map[string]any{"alg": "none"}) + "." + encode(map[string]any{"roles": l.roles, "number": l.issued}) + ".signature"
}

// ok is a 200 with a body.
func ok(body string) answer { return answer{status: http.StatusOK, body: body} }

// refusal is an error as Graph writes it.
func refusal(status int, code, message string) answer {
	return answer{
		status: status, header: map[string]string{"request-id": "e4ac7b40-request"},
		body: fmt.Sprintf(`{"error":{"code":%q,"message":%q,"innerError":{"date":"2026-11-21T09:00:00","request-id":"e4ac7b40-request"}}}`, code, message),
	}
}

func with(a answer, name, value string) answer {
	header := map[string]string{name: value}
	for k, v := range a.header {
		header[k] = v
	}
	a.header = header
	return a
}

func checkKind(t *testing.T, err error, want outlook.Kind) {
	t.Helper()
	if got := outlook.KindOf(err); err == nil || got != want {
		t.Errorf("error %v is of kind %d, want %d", err, got, want)
	}
}

// sameJSON compares two texts as JSON.
func sameJSON(t *testing.T, got, want string) {
	t.Helper()
	if got == "" && want == "" {
		return
	}
	var a, b any
	if err := json.Unmarshal([]byte(got), &a); err != nil {
		t.Errorf("%s is no JSON: %v", got, err)
		return
	}
	if err := json.Unmarshal([]byte(want), &b); err != nil {
		t.Fatalf("%s is no JSON: %v", want, err)
	}
	if !reflect.DeepEqual(a, b) {
		t.Errorf("body\n%s\nwant\n%s", got, want)
	}
}

func pointer[T any](v T) *T { return &v }
