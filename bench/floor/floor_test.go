package floor

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"usher/internal/pgtest"
)

// exchange sends one request to the server and returns the status and the decoded answer.
func exchange(t *testing.T, s *Server, method, target, body string) (int, map[string]any) {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	request.Header.Set("Authorization", "Bearer token")
	recorder := httptest.NewRecorder()
	s.ServeHTTP(recorder, request)
	var answer map[string]any
	if recorder.Body.Len() > 0 {
		if err := json.Unmarshal(recorder.Body.Bytes(), &answer); err != nil {
			t.Fatalf("%s %s: %v: %s", method, target, err, recorder.Body)
		}
	}
	return recorder.Code, answer
}

func open(t *testing.T) *Server {
	t.Helper()
	s, err := New(t.Context(), pgtest.Database(t), "token")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

const ada = `{"userName":"ada@contoso.example","externalId":"e1","displayName":"Ada","active":true,"title":"Engineer",
	"emails":[{"type":"home","value":"home@contoso.example"},{"type":"work","value":"Ada@contoso.example"}],
	"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Sales","costCenter":"7"}}`

func TestStatuses(t *testing.T) {
	s := open(t)
	if status, _ := exchange(t, s, http.MethodPost, "/Users", ada); status != http.StatusCreated {
		t.Fatalf("POST: %d", status)
	}
	const nobody = "/Users/00000000-0000-4000-8000-000000000000"
	for _, test := range []struct {
		name, method, target, body string
		want                       int
	}{
		{"a name that is taken, in another case", http.MethodPost, "/Users", strings.NewReplacer("ada@", "ADA@", "e1", "e2").Replace(ada), http.StatusConflict},
		{"an external id that is taken", http.MethodPost, "/Users", strings.Replace(ada, "ada@", "eva@", 1), http.StatusConflict},
		{"no JSON", http.MethodPost, "/Users", "{", http.StatusBadRequest},
		{"GET of nobody", http.MethodGet, nobody, "", http.StatusNotFound},
		{"PATCH of nobody", http.MethodPatch, nobody, `{"Operations":[]}`, http.StatusNotFound},
		{"PATCH of no group", http.MethodPatch, strings.Replace(nobody, "Users", "Groups", 1), `{"Operations":[]}`, http.StatusNotFound},
		{"a filter that is not sent", http.MethodGet, "/Users?filter=" + url.QueryEscape("title pr"), "", http.StatusBadRequest},
		{"a method that is not sent", http.MethodPut, nobody, "{}", http.StatusBadRequest},
		{"a resource that is not sent", http.MethodGet, "/Schemas", "", http.StatusBadRequest},
		{"adding and removing at once", http.MethodPatch, strings.Replace(nobody, "Users", "Groups", 1), `{"Operations":[{"op":"add","path":"members","value":[]},{"op":"remove","path":"members","value":[]}]}`, http.StatusBadRequest},
	} {
		if status, answer := exchange(t, s, test.method, test.target, test.body); status != test.want {
			t.Errorf("%s: %d %v, want %d", test.name, status, answer, test.want)
		}
	}
}

func TestTheTokenIsAsked(t *testing.T) {
	s := open(t)
	recorder := httptest.NewRecorder()
	s.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/Users?startIndex=1&count=1", nil))
	if recorder.Code != http.StatusUnauthorized {
		t.Errorf("without a token: %d", recorder.Code)
	}
}

func TestPatchKeepsTheRestAndMovesTheKeys(t *testing.T) {
	s := open(t)
	_, created := exchange(t, s, http.MethodPost, "/Users", ada)
	id := fmt.Sprint(created["id"])
	status, patched := exchange(t, s, http.MethodPatch, "/Users/"+id,
		`{"Operations":[{"op":"Replace","path":"active","value":"False"},{"op":"replace","value":{"displayName":"Countess","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department":"Engines"}}]}`)
	if status != http.StatusOK || patched["displayName"] != "Countess" || patched["active"] != false || patched["title"] != "Engineer" {
		t.Errorf("%d %v", status, patched)
	}
	extension, _ := patched[enterprise].(map[string]any)
	if extension["department"] != "Engines" || extension["costCenter"] != "7" {
		t.Errorf("extension %v", extension)
	}
	for filter, want := range map[string]float64{
		`emails[type eq "work"].value eq "ADA@contoso.example"`:                                                             1,
		`emails[type eq "work"].value eq "home@contoso.example"`:                                                            0,
		enterprise + `:department eq "Engines" and (title co "Engineer" or name.familyName eq "Hopper") and active eq true`: 0,
	} {
		if _, list := exchange(t, s, http.MethodGet, "/Users?count=5&filter="+url.QueryEscape(filter), ""); list["totalResults"] != want {
			t.Errorf("%s: %v, want %v", filter, list["totalResults"], want)
		}
	}
}

// A floor that did not write what a server has to write would be no bound.
func TestEveryChangeIsAudited(t *testing.T) {
	s := open(t)
	_, user := exchange(t, s, http.MethodPost, "/Users", ada)
	_, group := exchange(t, s, http.MethodPost, "/Groups", `{"displayName":"G","externalId":"g"}`)
	member := fmt.Sprintf(`{"value":%q}`, user["id"])
	for _, change := range []struct{ target, body string }{
		{fmt.Sprint("/Users/", user["id"]), `{"Operations":[{"op":"replace","path":"title","value":"Countess"}]}`},
		{fmt.Sprint("/Groups/", group["id"]), `{"Operations":[{"op":"add","path":"members","value":[` + member + `]}]}`},
		{fmt.Sprint("/Groups/", group["id"]), fmt.Sprintf(`{"Operations":[{"op":"remove","path":"members[value eq \"%s\"]"}]}`, user["id"])},
	} {
		if status, answer := exchange(t, s, http.MethodPatch, change.target, change.body); status >= 300 {
			t.Fatalf("%s: %d %v", change.target, status, answer)
		}
	}
	var actions string
	if err := s.pool.QueryRow(t.Context(), "SELECT string_agg(action, ' ' ORDER BY position) FROM audit").Scan(&actions); err != nil {
		t.Fatal(err)
	}
	if want := "user.created group.created user.updated group.members_added group.members_removed"; actions != want {
		t.Errorf("audit: %s, want %s", actions, want)
	}
	if _, read := exchange(t, s, http.MethodGet, fmt.Sprint("/Groups/", group["id"]), ""); read["members"] != nil {
		t.Errorf("members after the removal: %v", read["members"])
	}
}
