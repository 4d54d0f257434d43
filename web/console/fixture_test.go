package console_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"usher/calendarbridge"
	"usher/directory"
	"usher/internal/secret"
	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
	"usher/web/console"
)

// T is a test or a benchmark.
type T = testing.TB

// fixture is a console over a database, at an address of its own, and an organization with somebody who can sign in.
type fixture struct {
	T
	svc     *directory.Service
	store   *store.Store
	org     model.Organization
	url     string
	log     *bytes.Buffer
	browser *http.Client
	lapse   *atomic.Int64 // what is added to the time
	master  model.Operator
}

const (
	masterEmail = "grace@contoso.example"
	password    = "correct horse battery staple"
)

type option func(*console.Options)

func newFixture(t testing.TB, s *store.Store, options ...option) *fixture {
	t.Helper()
	ring, err := secret.Parse(secret.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{T: t, store: s, log: &bytes.Buffer{}, lapse: new(atomic.Int64)}
	f.svc = directory.New(directory.Options{Store: s, Keys: ring, Now: func() time.Time { return time.Now().Add(time.Duration(f.lapse.Load())) }})
	opt := console.Options{
		Service: f.svc, Version: "test", Logger: slog.New(slog.NewTextHandler(f.log, nil)),
		Facts: []console.Fact{{Name: "Database", Value: s.Dialect(), Help: "USHER_DATABASE_URL"}},
		Calendars: calendarbridge.New(calendarbridge.Options{
			Store: s, Keys: ring, PublicURL: "http://127.0.0.1",
			Connect: func(context.Context, model.Ref) (calendarbridge.Calendars, error) {
				return nil, model.Errorf(model.Refused, "no tenant is there")
			},
		}),
	}
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	opt.PublicURL = server.URL
	for _, o := range options {
		o(&opt)
	}
	handler = console.New(opt)
	f.url = server.URL
	f.ok(f.svc.EnsureDefault(t.Context()))
	f.org, err = s.Read(t.Context()).Organization(model.DefaultOrganization)
	f.ok(err)
	f.browser = newBrowser(t)
	f.master = f.operator(masterEmail, model.RightAll)
	return f
}

// newBrowser gives a client that keeps cookies and does not follow redirects by itself.
func newBrowser(t testing.TB) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// each runs a story on both databases.
func each(t *testing.T, story func(f *fixture)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) { story(newFixture(t, s)) })
}

func (f *fixture) ok(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// operator makes somebody who signs in with the password.
func (f *fixture) operator(email string, rights ...model.Right) model.Operator {
	f.Helper()
	o, err := f.svc.CreateOperator(f.Context(), f.org.ID, email, "Grace Hopper", password, rights)
	f.ok(err)
	return o
}

// as gives the fixture with the browser of another operator, who is signed in by a link, which is faster than a password.
func (f *fixture) as(o model.Operator) *fixture {
	f.Helper()
	other := *f
	other.browser = newBrowser(f.T)
	by := model.Operator{OrganizationID: o.OrganizationID, Rights: []model.Right{model.RightAll}}
	token, err := f.svc.RenewOperatorLink(f.Context(), by, o.ID, model.LinkSignIn)
	f.ok(err)
	other.post("/welcome", "token", token).want(http.StatusSeeOther)
	return &other
}

// answer is what a browser got.
type answer struct {
	T
	*http.Response
	body string
}

func (f *fixture) get(path string, header ...string) answer {
	f.Helper()
	return f.do(http.MethodGet, path, nil, header...)
}

// post sends a form; pairs are names and values in turn.
func (f *fixture) post(path string, pairs ...string) answer {
	f.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return f.do(http.MethodPost, path, strings.NewReader(form.Encode()), "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin")
}

func (f *fixture) do(method, path string, body io.Reader, header ...string) answer {
	f.Helper()
	if !strings.HasPrefix(path, "http") {
		path = f.url + console.Base + strings.TrimPrefix(path, console.Base)
	}
	req, err := http.NewRequestWithContext(f.Context(), method, path, body)
	f.ok(err)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := f.browser.Do(req)
	f.ok(err)
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	f.ok(err)
	return answer{f.T, res, string(raw)}
}

var (
	mainPart = regexp.MustCompile(`(?s)<main.*</main>`)
	tags     = regexp.MustCompile(`<[^>]*>|\s+`)
)

// said is what the page says, without its marks.
func (a answer) said() string {
	text := a.body
	if m := mainPart.FindString(text); m != "" {
		text = m
	}
	text = strings.Join(strings.Fields(tags.ReplaceAllString(text, " ")), " ")
	return text[:min(len(text), 600)]
}

// want fails the test unless the status is the given one and the page says all of the texts.
func (a answer) want(status int, texts ...string) answer {
	a.Helper()
	if a.StatusCode != status {
		a.Fatalf("%s %s: status %d, want %d: %s", a.Request.Method, a.Request.URL.Path, a.StatusCode, status, a.said())
	}
	for _, text := range texts {
		if !strings.Contains(a.body, text) {
			a.Errorf("%s %s does not say %q: %s", a.Request.Method, a.Request.URL.Path, text, a.said())
		}
	}
	return a
}

// lacks fails the test if the page says one of the texts.
func (a answer) lacks(texts ...string) answer {
	a.Helper()
	for _, text := range texts {
		if strings.Contains(a.body, text) {
			a.Errorf("%s %s says %q", a.Request.Method, a.Request.URL.Path, text)
		}
	}
	return a
}

// to fails the test unless the answer leads to the path.
func (a answer) to(path string) answer {
	a.Helper()
	a.want(http.StatusSeeOther)
	if got := a.Header.Get("Location"); got != path {
		a.Errorf("%s %s leads to %q, want %q", a.Request.Method, a.Request.URL.Path, got, path)
	}
	return a
}

// integration makes one with ingress scim.
func (f *fixture) integration(name string) model.Integration {
	f.Helper()
	i, err := f.svc.CreateIntegration(f.Context(), f.org.ID, directory.DefaultIntegration(name, model.IngressSCIM), nil)
	f.ok(err)
	return i
}

// push stores somebody as a SCIM client would have, and lets the rules decide.
func (f *fixture) push(i model.Integration, userName, name string, more ...map[string]any) model.DirectoryUser {
	f.Helper()
	given, family, _ := strings.Cut(name, " ")
	document := map[string]any{
		"userName": userName, "externalId": "ext-" + userName, "displayName": name, "active": true,
		"name": map[string]any{"givenName": given, "familyName": family}, "title": "Analyst",
	}
	if !strings.Contains(userName, "#EXT#") {
		document["emails"] = []any{map[string]any{"type": "work", "value": userName, "primary": true}}
	}
	for _, m := range more {
		for k, v := range m {
			document[k] = v
		}
	}
	u, err := f.svc.CreateUser(f.Context(), i.Ref(), model.DirectoryUser{Document: model.NewDocument(document)})
	f.ok(err)
	return u
}

// account gives the account with the e-mail.
func (f *fixture) account(email string) model.Account {
	f.Helper()
	list, err := f.store.Read(f.Context()).AccountsAfter(f.org.ID, store.AccountFilter{Email: email}, "", 1)
	f.ok(err)
	if len(list) != 1 {
		f.Fatalf("%d accounts of %s", len(list), email)
	}
	return list[0]
}

// logged writes requests to the log of an integration.
func (f *fixture) logged(ref model.Ref, rows ...model.SCIMRequest) {
	f.Helper()
	said := model.SCIMExchange{
		Request: model.SCIMMessage{Headers: []model.SCIMHeader{{Name: "Authorization", Value: "Bearer [redacted]"}}, Body: `{"userName":"ada"}`, Bytes: 18},
		Answer:  model.SCIMMessage{Body: `{"id":"1","userName":"ada"}`, Bytes: 27},
	}
	l := directory.NewRequestLog(directory.RequestLogOptions{Store: f.store})
	for _, row := range rows {
		l.Keep(storetest.Entry{Of: ref, Line: row, Said: said})
	}
	l.Reject(model.SCIMRejection{IntegrationID: ref.IntegrationID, Cause: "expired", RemoteAddress: "192.0.2.1", UserAgent: "curl/8"})
	ctx, cancel := context.WithTimeout(f.Context(), time.Minute)
	defer cancel()
	l.Close(ctx)
}
