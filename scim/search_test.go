package scim_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"usher/internal/secret"
	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
	"usher/scim"
)

// listed is a page as a client reads it.
type listed struct {
	TotalResults int
	StartIndex   *int
	ItemsPerPage int
	NextCursor   string
	Resources    []struct{ ID, UserName, DisplayName string }
	ScimType     string
	Detail       string
}

func (w world) page(t *testing.T, h http.Handler, status int, path string, params ...string) listed {
	t.Helper()
	values := url.Values{}
	for i := 0; i < len(params); i += 2 {
		values.Set(params[i], params[i+1])
	}
	got := w.ask(h, http.MethodGet, path+"?"+values.Encode(), "")
	var page listed
	if err := json.Unmarshal(got.Body.Bytes(), &page); err != nil || got.Code != status {
		t.Fatalf("%s %v: %d %s (%v), want %d", path, params, got.Code, got.Body, err, status)
	}
	return page
}

func (w world) make(t *testing.T, h http.Handler, path, body string) {
	t.Helper()
	if got := w.ask(h, http.MethodPost, path, body); got.Code != 201 {
		t.Fatalf("%s: %d %s", body, got.Code, got.Body)
	}
}

func (p *listed) names() []string {
	var names []string
	for _, r := range p.Resources {
		names = append(names, r.UserName+r.DisplayName)
	}
	return names
}

// TestWalk walks through users and groups together, by cursor and by index, in pages of every size: each comes once, in
// the same order, and the pages are full.
func TestWalk(t *testing.T) {
	t.Parallel()
	storetest.Each(t, walk)
}

func walk(t *testing.T, s *store.Store) {
	w := newWorld(t, s)
	h := w.handler(scim.Options{})
	var all []string
	for i := range 7 {
		all = append(all, fmt.Sprintf("u%d", 9-i))
		w.make(t, h, "/Users", fmt.Sprintf(`{"userName":"u%d"}`, 9-i))
	}
	for i := range 4 {
		all = append(all, fmt.Sprintf("g%d", 9-i))
		w.make(t, h, "/Groups", fmt.Sprintf(`{"displayName":"g%d"}`, 9-i))
	}
	sorted := slices.Clone(all)
	slices.Sort(sorted[:7])
	slices.Sort(sorted[7:])
	for count := 1; count <= len(all)+1; count++ {
		for _, sortBy := range []string{"", "meta.created", "userName", "displayName"} {
			want := all
			switch sortBy {
			case "userName":
				want = slices.Concat(sorted[:7], all[7:])
			case "displayName": // users have none: they stay in the order in which they were made
				want = slices.Concat(all[:7], sorted[7:])
			}
			var byCursor, byIndex []string
			query := []string{"count", fmt.Sprint(count), "sortBy", sortBy}
			for cursor, pages := "", 0; pages == 0 || cursor != ""; pages++ {
				page := w.page(t, h, 200, "", append(query, "cursor", cursor)...)
				if page.StartIndex != nil || page.TotalResults != len(all) || page.NextCursor != "" && page.ItemsPerPage != count {
					t.Fatalf("count %d, page %d: %+v", count, pages, page)
				}
				byCursor = append(byCursor, page.names()...)
				cursor = page.NextCursor
			}
			for len(byIndex) < len(all) {
				page := w.page(t, h, 200, "", append(query, "startIndex", fmt.Sprint(len(byIndex)+1))...)
				if page.NextCursor != "" || *page.StartIndex != len(byIndex)+1 || page.ItemsPerPage == 0 || page.TotalResults != len(all) {
					t.Fatalf("count %d: %+v", count, page)
				}
				byIndex = append(byIndex, page.names()...)
			}
			if !slices.Equal(byCursor, want) || !slices.Equal(byIndex, want) {
				t.Errorf("count %d, sortBy %q:\nby cursor %v\nby index  %v\nwant      %v", count, sortBy, byCursor, byIndex, want)
			}
		}
	}
}

// TestHostileLists shows that lists which ask for too much, or for nonsense, get an answer of their own and never a 5xx.
func TestHostileLists(t *testing.T) {
	t.Parallel()
	storetest.Each(t, hostileLists)
}

func hostileLists(t *testing.T, s *store.Store) {
	w := newWorld(t, s)
	h := w.handler(scim.Options{})
	names := func(n int) string { return strings.TrimSuffix(strings.Repeat("a,", n), ",") }
	clauses := func(clause string) string { return strings.Repeat(clause+" or ", 255) + clause }
	for _, tt := range []struct {
		status int
		params []string
	}{
		{200, []string{"attributes", names(256)}},
		{400, []string{"attributes", names(257)}},
		{400, []string{"excludedAttributes", strings.Repeat("a", 70_000)}},
		{400, []string{"sortBy", strings.Repeat("a", 20_000)}},
		{400, []string{"sortBy", "a'; DROP TABLE directory_users; --"}},
		{400, []string{"sortBy", "urn:x:2.0:User:\x00"}},
		{200, []string{"sortBy", "urn:x:2.0:User:a.b", "sortOrder", "descending"}},
		{200, []string{"sortBy", "urn:" + strings.Repeat("x:", 500) + "a"}},
		{400, []string{"cursor", strings.Repeat("A", 100_000)}},
		{400, []string{"cursor", "\xff\xfe"}},
		{200, []string{"cursor", "", "count", "-99999999999999999999999"}},
		{400, []string{"cursor", "", "count", "99999999999999999999999"}},
		{200, []string{"startIndex", "99999999999999999999999", "sortBy", "title"}},
		{200, []string{"startIndex", "9223372036854775807", "filter", "title pr"}},
		{200, []string{"filter", clauses(`emails[type eq "x"]`), "sortBy", "emails"}},
		{200, []string{"filter", clauses(`groups[display co "%_!"]`), "cursor", ""}},
		{200, []string{"filter", clauses(`members.display ew "'"`)}},
		{200, []string{"filter", `urn:x:2.0:User:a gt 1e400 or urn:x:2.0:User:a lt -1.5E-300`}},
		{200, []string{"filter", `meta.location eq "` + strings.Repeat("x", 10_000) + `"`}},
	} {
		path := ""
		if strings.HasPrefix(strings.Join(tt.params, " "), "filter urn:x") {
			path = "/Users"
		}
		values := url.Values{}
		for i := 0; i < len(tt.params); i += 2 {
			values.Set(tt.params[i], tt.params[i+1])
		}
		got := w.ask(h, http.MethodGet, path+"?"+values.Encode(), "")
		if answered(t, got); got.Code != tt.status {
			t.Errorf("%.100q: %d %.300s, want %d", tt.params, got.Code, got.Body, tt.status)
		}
	}
}

// TestCursorExpires shows for how long a cursor can be used, and that every page gives it that time anew.
func TestCursorExpires(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.OpenSQLite(t))
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	h := w.handler(scim.Options{Now: func() time.Time { return now }})
	for i := range 4 {
		w.make(t, h, "/Users", fmt.Sprintf(`{"userName":"u%d"}`, i))
	}
	page := w.page(t, h, 200, "/Users", "cursor", "", "count", "1")
	if !regexp.MustCompile(`^[A-Za-z0-9._~-]+$`).MatchString(page.NextCursor) {
		t.Errorf("the cursor %q needs escapes in a URL", page.NextCursor)
	}
	for range 2 {
		now = now.Add(time.Hour)
		page = w.page(t, h, 200, "/Users", "cursor", page.NextCursor, "count", "1")
	}
	now = now.Add(time.Hour + time.Second)
	if page = w.page(t, h, 400, "/Users", "cursor", page.NextCursor, "count", "1"); page.ScimType != "expiredCursor" || !strings.Contains(page.Detail, "3600 seconds") {
		t.Errorf("%+v", page)
	}
}

// TestCursorKeys shows that processes with the same keys take each other's cursors, and nobody else's.
func TestCursorKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.OpenSQLite(t))
	first, second := w.handler(scim.Options{}), w.handler(scim.Options{})
	w.make(t, first, "/Users", `{"userName":"a"}`)
	w.make(t, first, "/Users", `{"userName":"b"}`)
	cursor := w.page(t, first, 200, "/Users", "cursor", "", "count", "1").NextCursor
	if page := w.page(t, second, 200, "/Users", "cursor", cursor, "count", "1"); page.names()[0] != "b" {
		t.Errorf("%+v", page)
	}
	keys, err := secret.Parse(secret.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	if page := w.page(t, w.handler(scim.Options{Cursors: keys}), 400, "/Users", "cursor", cursor, "count", "1"); page.ScimType != "invalidCursor" {
		t.Errorf("%+v", page)
	}
}

// quiet is a core without anybody in it, so that what is sent to the edge is all that there is.
type quiet struct{ scim.Directory }

func (quiet) Users(context.Context, model.Ref, model.ResourceQuery) ([]model.DirectoryUser, int, error) {
	return nil, 0, nil
}

func (quiet) Groups(context.Context, model.Ref, model.ResourceQuery) ([]model.DirectoryGroup, int, error) {
	return nil, 0, nil
}

func quietHandler(tb testing.TB) http.Handler {
	tb.Helper()
	keys, err := secret.Parse(secret.NewKey())
	if err != nil {
		tb.Fatal(err)
	}
	e := echo.New()
	scim.New(scim.Options{
		Directory: quiet{}, Tokens: still{}, Cursors: keys, PublicURL: publicURL, Logger: slog.New(slog.DiscardHandler),
	}).Mount(e)
	return e
}

// asked remembers what it was asked.
type asked struct {
	quiet
	queries *[]model.ResourceQuery
}

func (a asked) Users(_ context.Context, _ model.Ref, q model.ResourceQuery) ([]model.DirectoryUser, int, error) {
	*a.queries = append(*a.queries, q)
	return nil, 0, nil
}

// TestBounds shows how much the core is asked for, whatever the client asks for.
func TestBounds(t *testing.T) {
	t.Parallel()
	keys, err := secret.Parse(secret.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	for params, want := range map[string][2]int{ // startIndex and count
		"": {1, 100}, "?count=501": {1, 500}, "?count=99999999999999999999": {1, 500}, "?count=-1": {1, 0}, "?startIndex=0&count=7": {1, 7},
		"?startIndex=99999999999999999999": {1<<31 - 1, 100}, "?cursor": {1, 101}, "?cursor&count=500": {1, 501}, "?cursor&count=-1": {1, 0},
	} {
		core := asked{queries: &[]model.ResourceQuery{}}
		e := echo.New()
		scim.New(scim.Options{
			Directory: core, Tokens: still{}, Cursors: keys, PublicURL: publicURL, Logger: slog.New(slog.DiscardHandler),
		}).Mount(e)
		got := world{integration: "i", token: "t"}.ask(e, http.MethodGet, "/Users"+params, "")
		if queries := *core.queries; got.Code != 200 || len(queries) != 1 || queries[0].StartIndex != want[0] || queries[0].Count != want[1] {
			t.Errorf("%s: %d, asked %+v; want %v", params, got.Code, queries, want)
		}
	}
}

// answered fails unless the answer is a list or a mistake of the client, and SCIM either way.
func answered(t *testing.T, got *httptest.ResponseRecorder) listed {
	t.Helper()
	var page listed
	if err := json.Unmarshal(got.Body.Bytes(), &page); err != nil {
		t.Fatalf("%d %q: %v", got.Code, got.Body, err)
	}
	if got.Code != 200 && (got.Code < 400 || got.Code > 499 || page.Detail == "") {
		t.Fatalf("%d %s", got.Code, got.Body)
	}
	return page
}

// FuzzSearch: whatever is posted as a search, at the root or for one type, is answered or is the client's mistake.
func FuzzSearch(f *testing.F) {
	for _, seed := range []string{
		`{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":"userName eq \"x\"","count":3}`,
		`{"attributes":["userName","name.givenName"],"excludedAttributes":"x","sortBy":"emails","sortOrder":"Descending","startIndex":-4}`,
		`{"cursor":"","count":"7"}`, `{"cursor":"a.b"}`, `{"Filter":"members pr or userName pr","FILTER":null}`, `{"filter":"\ud800"}`,
		`{"count":1e400}`, `[]`, `{"schemas":null,"sortBy":"urn:x:y"}`, `{"attributes":["a[b eq \"c\"]",","]}`, "\x00", `{`,
	} {
		f.Add(seed)
	}
	w, h := world{integration: "i", token: "t"}, quietHandler(f)
	f.Fuzz(func(t *testing.T, body string) {
		for _, path := range []string{"/.search", "/Users/.search", "/Groups/.search"} {
			answered(t, w.ask(h, http.MethodPost, path, body))
		}
	})
}

// FuzzCursor: no text that the server did not write is a cursor.
func FuzzCursor(f *testing.F) {
	for _, seed := range []string{"", " ", "x", ".", "0.AAAA", "a.b.c", "%", "\x00", strings.Repeat("A", 600), "0123456789abcdef." + strings.Repeat("A", 80)} {
		f.Add(seed)
	}
	w, h := world{integration: "i", token: "t"}, quietHandler(f)
	f.Fuzz(func(t *testing.T, cursor string) {
		got := w.ask(h, http.MethodGet, "/Users?cursor="+url.QueryEscape(cursor), "")
		page := answered(t, got)
		if empty := strings.TrimSpace(cursor) == ""; empty != (got.Code == 200) || !empty && page.ScimType != "invalidCursor" {
			t.Errorf("%q: %d %s", cursor, got.Code, got.Body)
		}
	})
}
