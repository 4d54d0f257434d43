package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"usher/model/store/storetest"
)

// TestReplacingAListThatWasRead sends lists of an integration with the tags of what was read.
func TestReplacingAListThatWasRead(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.do("PUT", "/roles/hr", map[string]any{"name": "HR"}).want(http.StatusOK)
		id, _ := f.browses()
		for _, test := range []struct{ path, mine, theirs string }{
			{"group-mappings", `[{"group":{"display_name":"HR"},"role":"hr"}]`, `[{"group":{"display_name":"HR"},"language":"da"}]`},
			{"field-mappings", `[{"source":"title","target":"job_title"}]`, `[{"source":"nickName","target":"job_title"}]`},
			{"exclusions", `[{"pattern":"svc-*"}]`, `[{"pattern":"bot-*"}]`},
			{"chosen-groups", `[{"display_name":"everybody"}]`, `[{"external_id":"` + objectB + `"}]`},
			{"room-groups", `[{"external_id":"` + objectA + `"}]`, `[{"external_id":"` + objectB + `"}]`},
			{"lists", `[{"display_name":"everybody"}]`, `[]`},
		} {
			path := id + "/" + test.path
			read := f.do("GET", path, nil)
			none := read.Header.Get("ETag")
			if len(none) != 34 || strings.Trim(none, `"`) != none[1:33] {
				t.Fatalf("%s: ETag %s", path, none)
			}
			put := f.do("PUT", path, test.mine, "If-Match", none)
			mine := put.Header.Get("ETag")
			if len(put.entries()) != 1 || mine == none || f.do("GET", path, nil).Header.Get("ETag") != mine {
				t.Errorf("%s: put %s, ETag %s behind %s", path, put.raw, mine, none)
			}
			stored := f.do("GET", path, nil)
			for _, stale := range []string{none, "W/" + none, `"other"`, `""`, none + `, "other"`} {
				detail := f.do("PUT", path, test.theirs, "If-Match", stale).wantProblem(http.StatusPreconditionFailed, "If-Match")
				if !strings.Contains(detail, strings.Trim(mine, `"`)) {
					t.Errorf("%s: %s", path, detail)
				}
			}
			if got := f.do("GET", path, nil); string(got.raw) != string(stored.raw) || got.Header.Get("ETag") != mine {
				t.Errorf("%s: a stale list made it %s", path, got.raw)
			}
			for _, good := range []string{"*", "", mine, "W/" + mine, none + "," + mine} {
				if got := f.do("PUT", path, test.theirs, "If-Match", good); got.StatusCode != http.StatusOK || got.Header.Get("ETag") == mine {
					t.Errorf("%s with If-Match %s: %d %s", path, good, got.StatusCode, got.raw)
				}
				if got := f.do("PUT", path, test.mine); got.Header.Get("ETag") != mine {
					t.Errorf("%s: the same list has ETag %s and %s", path, mine, got.Header.Get("ETag"))
				}
			}
		}
	})
}

// TestListsAreDescribedWithTheirVersions looks at what OpenAPI says of them.
func TestListsAreDescribedWithTheirVersions(t *testing.T) {
	t.Parallel()
	f := newFixture(t, storetest.OpenSQLite(t)).as("")
	_, routes := f.document()
	described := 0
	for _, r := range routes {
		list := strings.HasPrefix(r.path, "/integrations/{id}/") && strings.Contains("group-mappings field-mappings exclusions chosen-groups room-groups lists", r.path[len("/integrations/{id}/"):])
		if !list || r.method != "GET" && r.method != "PUT" {
			continue
		}
		described++
		if _, ok := r.Responses["200"].Headers["ETag"]; !ok {
			t.Errorf("%s %s does not describe the ETag", r.method, r.path)
		}
		_, refuses := r.Responses["412"]
		takes := slices.ContainsFunc(r.Parameters, func(p struct{ Name, In string }) bool { return p.In == "header" && p.Name == "If-Match" })
		if put := r.method == "PUT"; refuses != put || takes != put {
			t.Errorf("%s %s: If-Match %v, 412 %v", r.method, r.path, takes, refuses)
		}
	}
	if described != 12 {
		t.Errorf("%d are described", described)
	}
}
