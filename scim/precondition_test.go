package scim_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"usher/model/store"
	"usher/model/store/storetest"
	"usher/scim"
)

// made gives the id of what the answer created.
func made(tb testing.TB, got *httptest.ResponseRecorder) string {
	tb.Helper()
	var created struct{ ID string }
	if err := json.Unmarshal(got.Body.Bytes(), &created); err != nil || got.Code != http.StatusCreated {
		tb.Fatalf("%d %s", got.Code, got.Body)
	}
	return created.ID
}

// conditional sends a request with a header.
func (w world) conditional(h http.Handler, method, path, header, value, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/scim/v2/"+w.integration+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+w.token)
	r.Header.Set(header, value)
	got := httptest.NewRecorder()
	h.ServeHTTP(got, r)
	return got
}

// TestOneOfManyWins shows that the version is compared with the locked row: of many changes of the same version at once,
// one is made.
func TestOneOfManyWins(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		h := w.handler(scim.Options{})
		user := made(t, w.ask(h, "POST", "/Users", `{"userName":"ada"}`))
		group := made(t, w.ask(h, "POST", "/Groups", `{"displayName":"Engines"}`))
		for path, op := range map[string]string{
			"/Users/" + user:   `{"op":"add","path":"title","value":"%d"}`,
			"/Groups/" + group: `{"op":"replace","path":"displayName","value":"%d"}`,
		} {
			statuses := make([]int, 8)
			var wait sync.WaitGroup
			for i := range statuses {
				wait.Go(func() {
					statuses[i] = w.conditional(h, "PATCH", path, "If-Match", `W/"1"`, `{"Operations":[`+fmt.Sprintf(op, i)+`]}`).Code
				})
			}
			wait.Wait()
			won := 0
			for _, status := range statuses {
				if status < 300 {
					won++
				} else if status != http.StatusPreconditionFailed {
					t.Errorf("%s: %d", path, status)
				}
			}
			if won != 1 {
				t.Errorf("%s: %d of %d changes of version 1 were made", path, won, len(statuses))
			}
		}
	})
}

// TestVersionsWhileMembersGo deletes people while others come into the same groups. Everything succeeds, and a group whose
// members changed has another version than before, whoever came first.
func TestVersionsWhileMembersGo(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		h := w.handler(scim.Options{})
		people := storetest.Users(t, s, w.ref, 24)
		var groups []string
		for _, name := range []string{"A", "B"} {
			var list []string
			for _, id := range people[:12] {
				list = append(list, fmt.Sprintf("%q", id))
			}
			groups = append(groups, made(t, w.ask(h, "POST", "/Groups", fmt.Sprintf(`{"displayName":%q,"members":[%s]}`, name, strings.Join(list, ",")))))
		}
		var wait sync.WaitGroup
		for i := range 12 {
			wait.Go(func() {
				if got := w.ask(h, "DELETE", "/Users/"+people[i], ""); got.Code != http.StatusNoContent {
					t.Errorf("delete: %d %s", got.Code, got.Body)
				}
			})
			wait.Go(func() {
				for _, group := range groups {
					op := fmt.Sprintf(`{"Operations":[{"op":"add","path":"members","value":[{"value":%q}]}]}`, people[12+i])
					if got := w.ask(h, "PATCH", "/Groups/"+group, op); got.Code != http.StatusNoContent {
						t.Errorf("add: %d %s", got.Code, got.Body)
					}
				}
			})
		}
		wait.Wait()
		for _, group := range groups {
			got := w.ask(h, "GET", "/Groups/"+group, "")
			var held struct{ Members []any }
			if err := json.Unmarshal(got.Body.Bytes(), &held); err != nil || len(held.Members) != 12 {
				t.Errorf("%d members, %v", len(held.Members), err)
			}
			if etag := got.Header().Get("ETag"); etag != `W/"25"` { // created, 12 came, 12 went
				t.Errorf("version %s after 24 changes of the members", etag)
			}
		}
	})
}

func zipped(tb testing.TB, text string) string {
	tb.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

// TestGzip shows that a compressed body is read, and no further than the limit of a plain one.
func TestGzip(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.OpenSQLite(t))
	h := w.handler(scim.Options{MaxBody: 10_000})
	whole := zipped(t, `{"userName":"ada@contoso.com"}`)
	for _, tt := range []struct {
		name, body string
		status     int
	}{
		{"a user", whole, 201},
		{"a bomb", zipped(t, `{"userName":"`+strings.Repeat("x", 5_000_000)+`"}`), 413},
		{"cut off", whole[:len(whole)-6], 400},
		{"no gzip", `{"userName":"bob"}`, 400},
		{"nothing", "", 400},
	} {
		got := w.conditional(h, "POST", "/Users", "Content-Encoding", "gzip", tt.body)
		if got.Code != tt.status {
			t.Errorf("%s: %d %s, want %d", tt.name, got.Code, got.Body, tt.status)
		}
	}
}
