package scim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
	"usher/scim"
)

// ask sends one request with a right token, unless it has its own.
func (w world) ask(h http.Handler, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/scim/v2/"+w.integration+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+w.token)
	got := httptest.NewRecorder()
	h.ServeHTTP(got, r)
	return got
}

// broken is a core in which everything goes wrong, in the way that fail says.
type broken struct {
	scim.Directory
	fail func() error
}

func (b broken) User(context.Context, model.Ref, string) (model.DirectoryUser, error) {
	return model.DirectoryUser{}, b.fail()
}

// TestFailures shows what becomes of the core's errors: the client hears what it may, the log hears the rest, and
// neither ever sees the token.
func TestFailures(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.OpenSQLite(t))
	for _, tt := range []struct {
		name   string
		fail   func() error
		status int
		says   string
		logged string
	}{
		{"not found", func() error { return model.Errorf(model.NotFound, "no user 1") }, 404, "no user 1", ""},
		{"wrapped", func() error { return fmt.Errorf("read: %w", model.FieldErrorf(model.Invalid, "title", "too odd")) }, 400, "title: too odd", ""},
		{"conflict", func() error { return model.Errorf(model.Conflict, "taken") }, 409, "uniqueness", ""},
		{"refused", func() error { return model.Errorf(model.Refused, "not now") }, 400, "not now", ""},
		{"forbidden", func() error { return model.Errorf(model.Forbidden, "not you") }, 403, "not you", ""},
		{"precondition", func() error { return model.Errorf(model.Precondition, "stale") }, 412, "stale", ""},
		{"too large", func() error { return model.Errorf(model.TooLarge, "too many") }, 413, "too many", ""},
		{"throttled", func() error { return &model.Throttled{After: 3 * time.Second} }, 429, "too many requests", ""},
		{"unknown", func() error { return errors.New("SELECT secret FROM users") }, 500, "could not answer", "SELECT secret"},
		{"panic", func() error { panic("index out of range of secret") }, 500, "could not answer", "index out of range"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			e := echo.New()
			scim.New(scim.Options{
				Directory: broken{fail: tt.fail}, Tokens: w.service, PublicURL: publicURL,
				Logger: slog.New(slog.NewTextHandler(&log, nil)),
			}).Mount(e.Group(""))
			got := w.ask(e, http.MethodGet, "/Users/1", "")
			if got.Code != tt.status || !strings.Contains(got.Body.String(), tt.says) || strings.Contains(got.Body.String(), "secret") {
				t.Errorf("%d %s; want %d and %q", got.Code, got.Body, tt.status, tt.says)
			}
			if !strings.Contains(log.String(), tt.logged) || !strings.Contains(log.String(), "route=/scim/v2/{integration}/Users/:id") {
				t.Errorf("log: %s\nwant %q", log.String(), tt.logged)
			}
			if strings.Contains(log.String(), w.token) {
				t.Error("the log holds the token")
			}
			if tt.status == 429 && got.Header().Get("Retry-After") != "3" {
				t.Errorf("Retry-After %q", got.Header().Get("Retry-After"))
			}
		})
	}
}

// TestHostile shows that odd requests get an answer of their own and never a 5xx.
func TestHostile(t *testing.T) {
	t.Parallel()
	storetest.Each(t, hostile)
}

func hostile(t *testing.T, s *store.Store) {
	w := newWorld(t, s)
	h := w.handler(scim.Options{MaxBody: 10_000})
	for _, tt := range []struct {
		method, path, body string
		status             int
	}{
		{"POST", "/Users", `{"userName":"` + strings.Repeat("x", 10_000) + `"}`, 413},
		{"POST", "/Users", `{"userName":"ada"}` + strings.Repeat(" ", 10_000), 413},
		{"POST", "/Users", "\x00", 400},
		{"POST", "/Users", `{"userName":"ada","x":[` + strings.Repeat("{},", 3000) + `{}]}`, 201},
		{"GET", "/Users/%00", "", 404},
		{"GET", "/Users/%ff%fe", "", 404},
		{"GET", "/Users/" + strings.Repeat("x", 300), "", 404},
		{"GET", "/Users/..%2f..%2fGroups", "", 404},
		{"GET", "/Users?filter=%zz", "", 400},
		{"GET", "/Users?filter=userName+eq+%22a;b%22;", "", 400},
		{"GET", "/Users?filter=userName+eq+%22a;b%22", "", 200},
		{"GET", "/Users?filter=userName+eq+%22%ff%22", "", 400},
		{"GET", "/Users?filter=" + strings.Repeat("(", 20_000), "", 400},
		{"GET", "/Users?filter=" + strings.Repeat("emails%5Btype+eq+%22x%22+and+not(value+co+%22%25'%22)%5D+or+", 120) + "title+pr", "", 200},
		{"GET", "/Users?filter=" + strings.Repeat("not(", 31) + "urn:a:2.0:User:b.c+gt+%22x%22" + strings.Repeat(")", 31), "", 200},
		{"GET", "/Users?filter=" + strings.Repeat("title+ne+null+and+", 255) + "name+pr", "", 200},
		{"GET", "/Groups?filter=members+eq+%22'%22+or+id+eq+%22';--%22+or+externalId+co+%22%25_!%22", "", 200},
		{"GET", "/Users?filter=employeeHireDate+gt+%222026-02-28%22+and+meta.lastModified+lt+%229999-12-31T23:59:59Z%22", "", 200},
		{"GET", "/Users?filter=meta.created+gt+%220000-01-01%22+and+onPremisesSyncEnabled+ne+true", "", 200},
		{"GET", "/Users?startIndex=-99999999999999999999&count=2147483648", "", 200},
		{"GET", "/Users?count=1.5", "", 400},
		{"GET", "/Users?attributes=" + strings.Repeat("[", 5000), "", 200},
		{"GET", "/Users?nosuch&&=&a=b", "", 200},
		{"HEAD", "/Users", "", 200},
		{"OPTIONS", "/Users", "", 405},
		{"TRACE", "/Schemas", "", 405},
		{"BREW", "/Users", "", 405},
		{"DELETE", "/Groups/%00", "", 404},
		{"PATCH", "/Groups/x", `{"Operations":[{"op":"add","path":"members","value":["x"]}]}`, 404},
		{"PUT", "/Groups/x", `{"displayName":"x"}`, 404},
	} {
		got := w.ask(h, tt.method, tt.path, tt.body)
		if got.Code != tt.status {
			t.Errorf("%s %.60s: %d %s, want %d", tt.method, tt.path, got.Code, got.Body, tt.status)
		}
		if ct := got.Header().Get("Content-Type"); ct != "application/scim+json; charset=utf-8" {
			t.Errorf("%s %.60s: Content-Type %q", tt.method, tt.path, ct)
		}
	}
}

// TestIsolation shows that ids and tokens of one integration mean nothing in another.
func TestIsolation(t *testing.T) {
	t.Parallel()
	db := storetest.OpenSQLite(t)
	mine, theirs := newWorld(t, db), newWorld(t, db)
	h := mine.handler(scim.Options{})
	var made struct{ ID string }
	if err := json.Unmarshal(theirs.ask(theirs.handler(scim.Options{}), "POST", "/Users", `{"userName":"ada"}`).Body.Bytes(), &made); err != nil || made.ID == "" {
		t.Fatal(err, made)
	}
	for method, body := range map[string]string{
		"GET": "", "DELETE": "", "PUT": `{"userName":"bob"}`, "PATCH": `{"Operations":[{"op":"add","path":"title","value":"x"}]}`,
	} {
		if got := mine.ask(h, method, "/Users/"+made.ID, body); got.Code != 404 {
			t.Errorf("%s: %d %s", method, got.Code, got.Body)
		}
	}
	if got := mine.ask(h, "GET", "/Users?filter=id+eq+%22"+made.ID+"%22", ""); !strings.Contains(got.Body.String(), `"totalResults":0`) {
		t.Errorf("found by id: %s", got.Body)
	}
	mine.token = theirs.token
	if got := mine.ask(h, "GET", "/Users", ""); got.Code != 401 {
		t.Errorf("a token of another integration: %d", got.Code)
	}
}

// TestObserve shows what the hook is told.
func TestObserve(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.OpenSQLite(t))
	var told []string
	h := w.handler(scim.Options{Observe: func(route string, status int, _ time.Duration, deviations []string) {
		told = append(told, fmt.Sprint(route, " ", status, " ", deviations))
	}})
	w.ask(h, "POST", "/Users", `{"userName":"ada","active":"True","emails":[{"value":"x","primary":"True"}],"manager":"m"}`)
	w.ask(h, "GET", "/Users/x", "")
	want := []string{
		"/scim/v2/{integration}/Users 201 [extension attribute without its URN string boolean string manager]",
		"/scim/v2/{integration}/Users/:id 404 []",
	}
	if !slices.Equal(told, want) {
		t.Errorf("told %q\nwant %q", told, want)
	}
}

// TestManyMembers puts 2,000 people into a group with one request and takes half of them out with another.
func TestManyMembers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.OpenSQLite(t))
	h := w.handler(scim.Options{})
	people := storetest.Users(t, w.service.Store, w.ref, 2000)
	var made struct{ ID string }
	if err := json.Unmarshal(w.ask(h, "POST", "/Groups", `{"displayName":"Everyone"}`).Body.Bytes(), &made); err != nil {
		t.Fatal(err)
	}
	var add, remove []string
	for i, id := range people {
		add = append(add, fmt.Sprintf(`{"value":%q}`, id))
		if i%2 == 0 {
			remove = append(remove, fmt.Sprintf(`{"op":"remove","path":"members[value eq \"%s\"]"}`, id))
		}
	}
	for _, ops := range []string{
		`{"op":"Add","path":"members","value":[` + strings.Join(add, ",") + `]}`, strings.Join(remove, ","),
	} {
		if got := w.ask(h, "PATCH", "/Groups/"+made.ID, `{"Operations":[`+ops+`]}`); got.Code != 204 {
			t.Fatalf("%d %.300s", got.Code, got.Body)
		}
	}
	var group struct{ Members []struct{ Value string } }
	if err := json.Unmarshal(w.ask(h, "GET", "/Groups/"+made.ID, "").Body.Bytes(), &group); err != nil || len(group.Members) != 1000 {
		t.Errorf("%d members, %v", len(group.Members), err)
	}
}

// TestSchemas shows that every schema is listed, with a location at which it is found.
func TestSchemas(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.OpenSQLite(t))
	h := w.handler(scim.Options{})
	var list struct {
		TotalResults int
		Resources    []struct {
			ID, Name string
			Meta     struct{ Location string }
		}
	}
	if err := json.Unmarshal(w.ask(h, "GET", "/Schemas", "").Body.Bytes(), &list); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range list.Resources {
		names = append(names, s.Name)
		path := strings.TrimPrefix(s.Meta.Location, publicURL+"/scim/v2/"+w.integration)
		if got := w.ask(h, "GET", path, ""); got.Code != 200 || !strings.Contains(got.Body.String(), s.ID) {
			t.Errorf("%s: %d", path, got.Code)
		}
	}
	want := []string{"User", "Enterprise User", "Usher User", "Group", "ResourceType", "ServiceProviderConfig", "Schema"}
	if !slices.Equal(names, want) || list.TotalResults != len(want) {
		t.Errorf("%q, %d; want %q", names, list.TotalResults, want)
	}
}

// still is a core that answers at once, so that a benchmark sees the edge alone.
type still struct {
	scim.Directory
	user model.DirectoryUser
}

func (s still) SCIMToken(context.Context, string, string) (model.SCIMCaller, error) {
	return model.SCIMCaller{}, nil
}

func (s still) User(context.Context, model.Ref, string) (model.DirectoryUser, error) {
	return s.user, nil
}

func (s still) Users(context.Context, model.Ref, model.ResourceQuery) ([]model.DirectoryUser, int, error) {
	return []model.DirectoryUser{s.user}, 1, nil
}

func (s still) ChangeUser(_ context.Context, _ model.Ref, _ string, edit func(*model.DirectoryUser) error) (model.DirectoryUser, error) {
	u := s.user
	return u, edit(&u)
}

func BenchmarkHandler(b *testing.B) {
	document := []byte(`{"active":true,"displayName":"Ada","emails":[{"primary":true,"type":"work","value":"ada@contoso.com"}],"externalId":"e",
"name":{"familyName":"Lovelace","givenName":"Ada"},"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"title":"Countess","userName":"ada@contoso.com"}`)
	for _, bb := range []struct{ name, method, path, body string }{
		{"get", "GET", "/Users/1", ""},
		{"filter", "GET", "/Users?filter=userName+eq+%22ada@contoso.com%22", ""},
		{"patch", "PATCH", "/Users/1", `{"Operations":[{"op":"Replace","path":"title","value":"Lady"},{"op":"Replace","path":"active","value":"False"},{"op":"Replace","path":"emails[type eq \"work\"].value","value":"king@contoso.com"}]}`},
	} {
		b.Run(bb.name, func(b *testing.B) {
			s := still{}
			e := echo.New()
			w := world{integration: "i", token: "t"}
			if err := s.user.Document.Scan(document); err != nil {
				b.Fatal(err)
			}
			scim.New(scim.Options{Directory: s, Tokens: s, PublicURL: publicURL, Logger: slog.New(slog.DiscardHandler)}).Mount(e)
			b.ReportAllocs()
			for b.Loop() {
				if got := w.ask(e, bb.method, bb.path, bb.body); got.Code != 200 {
					b.Fatal(got.Code, got.Body)
				}
			}
		})
	}
}
