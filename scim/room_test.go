package scim_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
	"usher/scim"
)

// ledger is a Room that writes down what it is asked for, and refuses what is named in full.
type ledger struct {
	mu    sync.Mutex
	asked []string
	full  string
}

func (l *ledger) ask(what string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked = append(l.asked, what)
	if l.full == what {
		return &model.Throttled{After: 7 * time.Second}
	}
	return nil
}

func (l *ledger) Begin(context.Context) error     { return l.ask("begin") }
func (l *ledger) Page(context.Context) error      { return l.ask("page") }
func (l *ledger) Hold(context.Context, int) error { return l.ask("hold") }
func (l *ledger) Try(context.Context, int) error  { return l.ask("try") }

// TestRoom shows what each sort of request asks for, and that it is answered 429 where there is no room for it.
func TestRoom(t *testing.T) {
	t.Parallel()
	l := &ledger{}
	w := newWorld(t, storetest.OpenSQLite(t))
	h := w.handler(scim.Options{Room: l})
	text := strings.Repeat("x", 60_000)
	large := w.made(t, h, "/Users", `{"userName":"large","urn:x:a":{"a":"`+text+`"},"urn:x:b":{"a":"`+text+`"},"urn:x:c":{"a":"`+text+`"}}`)
	for _, c := range []struct {
		name, method, path, body string
		asked                    []string
	}{
		{"a lookup", "GET", `/Users?filter=userName+eq+%22ada%22`, "", []string{"begin"}},
		{"a small body", "POST", "/Users", `{"userName":"ada"}`, []string{"begin"}},
		{"a large body", "POST", "/Users", `{"userName":"b","urn:x:a":{"a":"` + text + `","b":"` + text + `"}}`, []string{"hold", "begin"}},
		{"many values", "POST", "/Users", `{"userName":"c","urn:x:a":{"a":[` + strings.Repeat("{},", 1000) + `{}]}}`, []string{"hold", "begin"}},
		{"a large user", "GET", "/Users/" + large, "", []string{"begin", "try"}},
		{"a page of large users", "GET", "/Users", "", []string{"begin", "page", "try"}},
		{"a page of whom a filter finds", "GET", "/Users?filter=title+pr", "", []string{"begin", "page"}},
		{"a page of groups", "GET", "/Groups?count=11", "", []string{"begin", "page"}},
		{"a page of both", "POST", "/.search", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":"meta.created lt \"2020-01-01\""}`, []string{"begin", "page"}},
		{"a few groups", "GET", "/Groups?count=10", "", []string{"begin"}},
		{"a reference check", "GET", "/Groups?filter=id+eq+%22x%22+and+members+eq+%22y%22", "", []string{"begin"}},
		{"a change of a large user", "PATCH", "/Users/" + large, `{"Operations":[{"op":"add","path":"title","value":"t"}]}`, []string{"begin", "try"}},
	} {
		l.asked, l.full = nil, ""
		if got := w.ask(h, c.method, c.path, c.body); got.Code >= 300 || !slices.Equal(l.asked, c.asked) {
			t.Errorf("%s: %d, asked for %v, want %v", c.name, got.Code, l.asked, c.asked)
		}
		if l.full = c.asked[len(c.asked)-1]; c.name == "a page of large users" {
			l.full = "hold" // it waits where there is no room at once
			continue
		}
		got := w.ask(h, c.method, c.path, strings.ReplaceAll(c.body, `"userName":"`, `"userName":"again`))
		if got.Code != http.StatusTooManyRequests || got.Header().Get("Retry-After") != "7" {
			t.Errorf("%s without room: %d, Retry-After %q; want 429 and 7", c.name, got.Code, got.Header().Get("Retry-After"))
		}
	}
}

// TestPageOfLargeUsers: a page ends where it would be too large, and whoever goes on by index or cursor gets everybody once.
func TestPageOfLargeUsers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		h := w.handler(scim.Options{})
		var want []string
		for i := range 9 {
			var parts []string
			for n := range 8 {
				parts = append(parts, fmt.Sprintf(`"urn:x:%d":{"a":"%s"}`, n, strings.Repeat("x", 60_000)))
			}
			w.made(t, h, "/Users", fmt.Sprintf(`{"userName":"u%d",%s}`, i, strings.Join(parts, ",")))
			want = append(want, fmt.Sprintf("u%d", i))
		}
		for i := range 3 {
			w.made(t, h, "/Groups", fmt.Sprintf(`{"displayName":"g%d"}`, i))
			want = append(want, fmt.Sprintf("g%d", i))
		}
		for _, sortBy := range []string{"", "userName"} {
			for _, count := range []string{"500", "4", "12"} {
				var byIndex, byCursor []string
				for len(byIndex) < len(want) {
					page := w.page(t, h, 200, "", "count", count, "sortBy", sortBy, "startIndex", fmt.Sprint(len(byIndex)+1))
					if page.TotalResults != len(want) || page.ItemsPerPage != len(page.Resources) || len(page.Resources) == 0 || len(page.Resources) > 8 {
						t.Fatalf("a page of %d of %d, said to have %d", len(page.Resources), page.TotalResults, page.ItemsPerPage)
					}
					byIndex = append(byIndex, page.names()...)
				}
				for cursor, first := "", true; first || cursor != ""; first = false {
					page := w.page(t, h, 200, "", "count", count, "sortBy", sortBy, "cursor", cursor)
					byCursor = append(byCursor, page.names()...)
					cursor = page.NextCursor
				}
				if !slices.Equal(byIndex, want) || !slices.Equal(byCursor, want) {
					t.Errorf("count %s, sorted by %q: by index %v, by cursor %v, want %v", count, sortBy, byIndex, byCursor, want)
				}
			}
		}
	})
}

// TestManyReferences: groups with more members than an ordinary answer shows are shown whole, in pages that end where there would
// be too many.
func TestManyReferences(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		l := &ledger{}
		h := w.handler(scim.Options{Room: l})
		ids := storetest.Users(t, s, w.ref, 2500)
		big := storetest.Group(t, s, w.ref, "big", ids...)
		storetest.Group(t, s, w.ref, "small", ids[:3]...)
		for _, query := range []string{"", "?attributes=members.value", "?excludedAttributes=displayName,members.type"} {
			var got struct{ Members []map[string]string }
			answer := w.ask(h, "GET", "/Groups/"+big.ID+query, "")
			if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil || len(got.Members) != len(ids) {
				t.Fatalf("%s: %d members (%v), want %d", query, len(got.Members), err, len(ids))
			}
			first := got.Members[0]
			if first["value"] == "" || (first["type"] == "") != (query != "") || (first["display"] == "") != strings.Contains(query, "value") {
				t.Errorf("%s shows members as %v", query, first)
			}
		}
		if !slices.Contains(l.asked, "hold") {
			t.Errorf("asked for %v, want hold", l.asked)
		}
		l.full = "hold"
		if got := w.ask(h, "GET", "/Groups/"+big.ID, ""); got.Code != http.StatusTooManyRequests {
			t.Errorf("without room: %d", got.Code)
		}
		got := w.ask(h, "PUT", "/Groups/"+big.ID, `{"displayName":"bigger"}`)
		if got.Code != 200 || strings.Contains(got.Body.String(), `"members"`) || !strings.Contains(got.Body.String(), "bigger") {
			t.Errorf("a change without room for its answer: %d %.200s, want 200 without members", got.Code, got.Body)
		}
	})
}

// crowded is a core with groups that have as many members as it is told.
type crowded struct {
	still
	members []int
}

func (c crowded) Groups(context.Context, model.Ref, model.ResourceQuery) ([]model.DirectoryGroup, int, error) {
	list := make([]model.DirectoryGroup, len(c.members))
	for i := range list {
		list[i].ID = fmt.Sprintf("g%d", i)
	}
	return list, len(list), nil
}

func (c crowded) Group(context.Context, model.Ref, string) (model.DirectoryGroup, error) {
	return model.DirectoryGroup{ID: "g0"}, nil
}

func (c crowded) GroupWithMembers(_ context.Context, _ model.Ref, _ string, most int) (model.DirectoryGroup, []model.Member, error) {
	return model.DirectoryGroup{ID: "g0"}, make([]model.Member, most), nil
}

func (c crowded) CountMembers(context.Context, model.Ref, []string) (map[string]int, error) {
	counts := map[string]int{}
	for i, n := range c.members {
		counts[fmt.Sprintf("g%d", i)] = n
	}
	return counts, nil
}

func (c crowded) Members(_ context.Context, _ model.Ref, ids []string, most int) (map[string][]model.Member, error) {
	if most > 0 {
		return map[string][]model.Member{ids[0]: make([]model.Member, most)}, nil
	}
	found := map[string][]model.Member{}
	for _, id := range ids {
		found[id] = []model.Member{{ID: "m-" + id, Type: model.MemberUser}}
	}
	return found, nil
}

// TestTooManyReferences: what is too much for any answer is refused in words that help, and a page ends before it.
func TestTooManyReferences(t *testing.T) {
	t.Parallel()
	w := world{integration: "i", token: "t"}
	h := func(members ...int) http.Handler {
		core := crowded{members: members}
		return w.serving(core)
	}
	got := w.ask(h(100_001), "GET", "/Groups/g0", "")
	if got.Code != 400 || !strings.Contains(got.Body.String(), "tooMany") || !strings.Contains(got.Body.String(), "excludedAttributes=members") {
		t.Errorf("100,001 members: %d %s", got.Code, got.Body)
	}
	var page listed
	got = w.ask(h(60_000, 40_000, 1), "GET", "/Groups", "")
	if err := json.Unmarshal(got.Body.Bytes(), &page); err != nil || page.ItemsPerPage != 2 || page.TotalResults != 3 {
		t.Errorf("60,000, 40,000 and one: %d %s, want a page of two", got.Code, got.Body)
	}
}

// serving serves a core that is not the real one.
func (w world) serving(core interface {
	scim.Directory
	scim.Tokens
},
) http.Handler {
	e := echo.New()
	scim.New(scim.Options{Directory: core, Tokens: core, PublicURL: publicURL, Logger: discard()}).Mount(e)
	return e
}
