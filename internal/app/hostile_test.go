package app_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"usher/directory"
	"usher/internal/app"
	"usher/internal/secret"
	"usher/model"
)

// target is a running Usher under attack.
type target struct {
	t     *testing.T
	app   *app.App
	addr  string
	base  string // path of the Tenant URL
	token string
	ref   model.Ref
}

// attack runs the attacks against a server, and wants it to be as well as before: it answers a normal request at once, holds no
// connection to the database, and never answered with a failure of its own.
func attack(t *testing.T, databaseURL string, set func(*app.Config), attacks func(*target)) {
	t.Helper()
	cfg := app.Defaults()
	cfg.DatabaseURL, cfg.SecretKey, cfg.Listen, cfg.Migrate, cfg.NoWorkers = databaseURL, secret.NewKey(), "127.0.0.1:0", true, true
	cfg.SCIMRate = 0
	if set != nil {
		set(&cfg)
	}
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError}))
	a, err := app.New(t.Context(), cfg, log)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	defer func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		_ = a.Close()
	}()
	g := &target{t: t, app: a, addr: strings.TrimPrefix(a.URL(), "http://")}
	g.connect()
	g.normal()
	attacks(g)
	g.normal()
	g.unharmed()
}

func (g *target) connect() {
	g.t.Helper()
	ctx := g.t.Context()
	org, err := g.app.Store.Read(ctx).Organization(model.DefaultOrganization)
	if err != nil {
		g.t.Fatal(err)
	}
	i, err := g.app.Service.CreateIntegration(ctx, org.ID, directory.DefaultIntegration("Contoso", model.IngressSCIM), nil)
	if err != nil {
		g.t.Fatal(err)
	}
	g.ref, g.base = i.Ref(), "/scim/v2/"+i.ID
	if _, g.token, err = g.app.Service.CreateSCIMToken(ctx, g.ref, "Entra", nil); err != nil {
		g.t.Fatal(err)
	}
}

// normal asks what Entra asks first, over a connection of its own, and wants the answer within two seconds.
func (g *target) normal() {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(g.t.Context(), 2*time.Second)
	defer cancel()
	if status, body := g.send(ctx, http.MethodGet, `/Users?filter=userName+eq+%22nobody%22`, ""); status != http.StatusOK {
		g.t.Errorf("a normal request: %d %s", status, body)
	}
}

// send sends one request over a connection of its own; status 0 means that there was no answer.
func (g *target) send(ctx context.Context, method, path, body string) (int, []byte) {
	g.t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, "http://"+g.addr+g.base+path, strings.NewReader(body))
	if err != nil {
		g.t.Error(err)
		return 0, nil
	}
	req.Header.Set("Authorization", "Bearer "+g.token)
	req.Close = true
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, []byte(err.Error())
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, raw
	}
	return res.StatusCode, raw
}

// unharmed wants nothing to be left of the attacks.
func (g *target) unharmed() {
	g.t.Helper()
	http.DefaultClient.CloseIdleConnections()
	eventually(g.t, "no connection to the database is in use", func() bool { return g.app.Store.DB().Stats().InUse == 0 })
	counts, err := g.app.Answers()
	if err != nil {
		g.t.Fatal(err)
	}
	for code, n := range counts {
		if code >= "500" && code != "501" {
			g.t.Errorf("%d requests were answered %s", n, code)
		}
	}
}

// reply is an answer with its body read.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// raw sends bytes over a connection and gives the answers that came until the server closed it, or said nothing for a while.
func (g *target) raw(text string) (answers []reply, closed bool) {
	g.t.Helper()
	conn, err := net.Dial("tcp", g.addr)
	if err != nil {
		g.t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	go func() { _, _ = io.WriteString(conn, text) }() // it may be refused before it is read
	in := bufio.NewReader(conn)
	for {
		wait := 10 * time.Second
		if len(answers) > 0 {
			wait = 100 * time.Millisecond
		}
		_ = conn.SetReadDeadline(time.Now().Add(wait))
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			timeout, ok := err.(net.Error) //nolint:errorlint // as net gives it
			return answers, !ok || !timeout.Timeout()
		}
		body, err := io.ReadAll(res.Body)
		if err = errors.Join(err, res.Body.Close()); err != nil {
			g.t.Errorf("the body of an answer: %v", err)
		}
		answers = append(answers, reply{res.StatusCode, res.Header, body})
	}
}

// with puts the path of the Tenant URL, the token, and a valid user into a raw request, whose lines end as HTTP's do.
func (g *target) with(text string) string {
	return strings.NewReplacer("\n", "\r\n", "{base}", g.base, "{auth}", "Host: usher\nAuthorization: Bearer "+g.token).Replace(
		strings.ReplaceAll(text, "{auth}", "Host: usher\nAuthorization: Bearer "+g.token))
}

// TestHostile holds everything of this file against SQLite; nothing else runs meanwhile, so that goroutines can be counted.
func TestHostile(t *testing.T) {
	idle := runtime.NumGoroutine()
	attack(t, "sqlite:"+filepath.Join(t.TempDir(), "usher.db"), nil, func(g *target) {
		g.malformedHTTP()
		g.strangeButValid()
		g.hostileBodies()
		g.hostileQueries()
		g.endlessBody()
	})
	http.DefaultClient.CloseIdleConnections()
	eventually(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= idle+2 })
}

// malformedHTTP sends what is no HTTP, or HTTP that two readers could understand differently.
func (g *target) malformedHTTP() {
	for name, c := range map[string]struct {
		text string
		want string // the statuses of the answers
	}{
		"no HTTP":                     {"hello\n\n", "400"},
		"no target":                   {"GET\n\n", "400"},
		"no version":                  {"GET {base}/Users\n\n", "400"},
		"a version of the future":     {"GET {base}/Users HTTP/9.9\nHost: usher\n\n", "505"},
		"HTTP/2 without asking":       {"PRI * HTTP/2.0\n\nSM\n\n", "404"},
		"no Host":                     {"GET {base}/Users HTTP/1.1\n\n", "400"},
		"two Hosts":                   {"GET {base}/Users HTTP/1.1\nHost: a\nHost: b\n\n", "400"},
		"a Host with a blank":         {"GET {base}/Users HTTP/1.1\nHost: a b\n\n", "400"},
		"a Host with NUL":             {"GET {base}/Users HTTP/1.1\nHost: a\x00b\n\n", "400"},
		"NUL in a header":             {"GET {base}/Users HTTP/1.1\nHost: usher\nIf-Match: \x00\n\n", "400"},
		"a bare CR in a header":       {"GET {base}/Users HTTP/1.1\nHost: usher\nIf-Match: a\rX-Evil: 1\n\n", "400"},
		"a header without a name":     {"GET {base}/Users HTTP/1.1\nHost: usher\n: x\n\n", "400"},
		"a blank before the colon":    {"GET {base}/Users HTTP/1.1\nHost : usher\n\n", "400"},
		"a body of negative length":   {"POST {base}/Users HTTP/1.1\n{auth}\nContent-Length: -1\n\n", "400"},
		"a body of any length":        {"POST {base}/Users HTTP/1.1\n{auth}\nContent-Length: 99999999999999999999\n\n", "400"},
		"a body of two lengths":       {"POST {base}/Users HTTP/1.1\n{auth}\nContent-Length: 2\nContent-Length: 3\n\n{}", "400"},
		"an unknown coding":           {"POST {base}/Users HTTP/1.1\n{auth}\nTransfer-Encoding: xchunked\n\n0\n\n", "501"},
		"chunked twice":               {"POST {base}/Users HTTP/1.1\n{auth}\nTransfer-Encoding: chunked\nTransfer-Encoding: chunked\n\n0\n\n", "501"},
		"a bad chunk":                 {"POST {base}/Users HTTP/1.1\n{auth}\nTransfer-Encoding: chunked\n\nzz\n{}\n0\n\n", "400"},
		"a chunk of any size":         {"POST {base}/Users HTTP/1.1\n{auth}\nTransfer-Encoding: chunked\n\nfffffffffffffffff\n{}", "400"},
		"an escape that is none":      {"GET {base}/%zz HTTP/1.1\n{auth}\n\n", "400"},
		"an unknown expectation":      {"POST {base}/Users HTTP/1.1\n{auth}\nExpect: 200-maybe\nContent-Length: 2\n\n{}", "417"},
		"100 kB of a query":           {"GET {base}/Users?filter=" + strings.Repeat("a", 100<<10) + " HTTP/1.1\n{auth}\n\n", "431"},
		"100 kB of a header":          {"GET {base}/Users HTTP/1.1\n{auth}\nX: " + strings.Repeat("a", 100<<10) + "\n\n", "431"},
		"10,000 headers":              {"GET {base}/Users HTTP/1.1\n{auth}\n" + strings.Repeat("X: a\n", 10_000) + "\n", "431"},
		"a method of 100 kB":          {strings.Repeat("A", 100<<10) + " {base}/Users HTTP/1.1\n{auth}\n\n", "431"},
		"a body that never was":       {"GET {base}/Users HTTP/1.1\n{auth}\nConnection: close\n\n{}{}{}", "200"},
		"a smuggled request, by CL":   {"POST {base}/Bulk HTTP/1.1\n{auth}\nContent-Length: 5\nTransfer-Encoding: chunked\nConnection: close\n\n0\n\nDELETE {base}/Users/x HTTP/1.1\n{auth}\n\n", "400"},
		"a smuggled request, as TE\t": {"POST {base}/Bulk HTTP/1.1\n{auth}\nTransfer-Encoding : chunked\nContent-Length: 5\n\n0\n\n", "400"},
	} {
		answers, closed := g.raw(g.with(c.text))
		if got := statuses(answers); got != c.want || !closed {
			g.t.Errorf("%s: answered %q (closed: %t), want %q and the connection closed", name, got, closed, c.want)
		}
	}
}

func statuses(answers []reply) string {
	var list []string
	for _, res := range answers {
		list = append(list, fmt.Sprint(res.status))
	}
	return strings.Join(list, " ")
}

// strangeButValid sends what is unusual HTTP, which is answered like any other, in SCIM.
func (g *target) strangeButValid() {
	for name, c := range map[string]struct{ text, want string }{
		"absolute form":             {"GET http://elsewhere{base}/Users HTTP/1.1\n{auth}\n\n", "200"},
		"HTTP/1.0":                  {"GET {base}/Users HTTP/1.0\n{auth}\n\n", "200"},
		"all of the server":         {"OPTIONS * HTTP/1.1\n{auth}\n\n", "200"},
		"GET of all of the server":  {"GET * HTTP/1.1\n{auth}\n\n", "404"},
		"an unknown method":         {"BREW {base}/Users HTTP/1.1\n{auth}\n\n", "405"},
		"a method in small":         {"get {base}/Users HTTP/1.1\n{auth}\n\n", "405"},
		"a tunnel":                  {"CONNECT usher:443 HTTP/1.1\n{auth}\n\n", "404"},
		"waiting for a go-ahead":    {"POST {base}/Users HTTP/1.1\n{auth}\nExpect: 100-continue\nContent-Length: 2\n\n{}", "100 400"},
		"ten in a row":              {strings.Repeat("GET {base}/Users?count=0 HTTP/1.1\n{auth}\n\n", 10), strings.TrimSpace(strings.Repeat("200 ", 10))},
		"dots":                      {"GET {base}/../../../etc/passwd HTTP/1.1\n{auth}\n\n", "404"},
		"escaped dots":              {"GET {base}/%2e%2e/%2e%2e/Users HTTP/1.1\n{auth}\n\n", "404"},
		"an escaped slash":          {"GET {base}%2fUsers HTTP/1.1\n{auth}\n\n", "401"},
		"an escaped NUL":            {"GET {base}/Users/%00 HTTP/1.1\n{auth}\n\n", "404"},
		"an id that is no text":     {"GET {base}/Users/%ff%fe HTTP/1.1\n{auth}\n\n", "404"},
		"an id of 20 kB":            {"GET {base}/Users/" + strings.Repeat("a", 20<<10) + " HTTP/1.1\n{auth}\n\n", "404"},
		"many slashes":              {"GET {base}" + strings.Repeat("/", 1000) + "Users HTTP/1.1\n{auth}\n\n", "404"},
		"another integration":       {"GET /scim/v2/%00/Users HTTP/1.1\n{auth}\n\n", "401"},
		"no token":                  {"GET {base}/Users HTTP/1.1\nHost: usher\n\n", "401"},
		"a token that is no text":   {"GET {base}/Users HTTP/1.1\nHost: usher\nAuthorization: Bearer \xff\xfe\n\n", "401"},
		"a token of 20 kB":          {"GET {base}/Users HTTP/1.1\nHost: usher\nAuthorization: Bearer " + strings.Repeat("a", 20<<10) + "\n\n", "401"},
		"a version that is no text": {"GET {base}/Users/x HTTP/1.1\n{auth}\nIf-Match: \xff\n\n", "404"},
		"a Host that is no name":    {"GET {base}/Users HTTP/1.1\nHost: \xff\nAuthorization: Bearer " + g.token + "\n\n", "400"},
		"a folded header":           {"GET {base}/Users HTTP/1.1\n{auth}\nX-Long: a\n b\n\n", "200"},
	} {
		answers, _ := g.raw(g.with(c.text))
		if got := statuses(answers); got != c.want {
			g.t.Errorf("%s: answered %q, want %q", name, got, c.want)
		}
		for _, res := range answers {
			if strings.Contains(c.text, "{base}/Users") && res.status != http.StatusContinue && strings.Contains(res.header.Get("Content-Type"), "scim") {
				g.checkAnswer(name, res.status, res.header, res.body)
			}
		}
	}
}

// checkAnswer wants an error to be SCIM's, with nothing of the server's insides.
func (g *target) checkAnswer(name string, status int, header http.Header, body []byte) {
	g.t.Helper()
	if status >= 500 && status != http.StatusNotImplemented {
		g.t.Errorf("%s: answered %d %s", name, status, body)
	}
	if status < 400 {
		return
	}
	var e struct {
		Schemas        []string
		Status, Detail string
	}
	if err := json.Unmarshal(body, &e); err != nil || e.Status != fmt.Sprint(status) || e.Detail == "" ||
		!strings.HasPrefix(header.Get("Content-Type"), "application/scim+json") {
		g.t.Errorf("%s: answered %d with %q as %s, which is no error of SCIM", name, status, body, header.Get("Content-Type"))
	}
	for _, inside := range []string{"SELECT", "sqlite", "pq:", "goroutine", ".go:"} {
		if bytes.Contains(body, []byte(inside)) {
			g.t.Errorf("%s: the answer tells of %s: %s", name, inside, body)
		}
	}
}

func zipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
