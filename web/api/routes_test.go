package api_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"usher/model"
	"usher/model/store/storetest"
)

// document is as much of OpenAPI as the tests over every route need.
type document struct {
	OpenAPI    string `json:"openapi"`
	Paths      map[string]map[string]route
	Components struct{ Schemas map[string]any }
	Tags       []struct{ Name string }
}

type route struct {
	OperationID  string `json:"operationId"`
	Summary      string
	Tags         []string
	Right        string `json:"x-right"`
	Installation bool   `json:"x-installation"`
	Parameters   []struct{ Name, In string }
	RequestBody  *struct{ Content map[string]any }
	Responses    map[string]struct {
		Description string
		Headers     map[string]any
		Content     map[string]any
	}
	method, path string
}

func (f *fixture) document() (document, []route) {
	f.t.Helper()
	var doc document
	if err := json.Unmarshal(f.do("GET", "/openapi.json", nil).raw, &doc); err != nil {
		f.t.Fatal(err)
	}
	var routes []route
	for path, methods := range doc.Paths {
		for method, r := range methods {
			r.method, r.path = strings.ToUpper(method), path
			routes = append(routes, r)
		}
	}
	slices.SortFunc(routes, func(a, b route) int { return strings.Compare(a.path+a.method, b.path+b.method) })
	if len(routes) < 60 {
		f.t.Fatalf("only %d routes", len(routes))
	}
	return doc, routes
}

// body gives a body that the route would accept, or one that is as near as the tests need.
func (r route) body() (any, []string) {
	if r.RequestBody == nil {
		return nil, nil
	}
	if _, ok := r.RequestBody.Content["text/csv"]; ok {
		return "external_id\n1\n", []string{"Content-Type", "text/csv"}
	}
	bodies := map[string]any{
		"post-organizations": map[string]any{"slug": "fabrikam", "name": "Fabrikam"}, "patch-organizations-by-id": map[string]any{"name": "X"},
		"post-api-keys": map[string]any{"name": "x", "rights": []string{"read"}}, "post-integrations": map[string]any{"name": "x", "ingress": "scim"},
		"patch-integrations-by-id": map[string]any{"name": "x"}, "post-integrations-by-id-scim-tokens": map[string]any{"name": "x"},
		"post-integrations-by-id-scim-clients":                      map[string]any{"name": "x"},
		"post-integrations-by-id-scim-clients-by-client-id-secrets": map[string]any{},
		"post-integrations-by-id-scim-clients-by-client-id-federations": map[string]any{
			"tenant_id": "5f9e1b1c-3d6a-4b52-9e0a-0a1b2c3d4e5f", "subject": "x", "audience": "x",
		},
		"put-custom-fields-by-key": map[string]any{"name": "x", "type": "text"}, "post-accounts": map[string]any{"email": "x@contoso.example"},
		"patch-accounts-by-id": map[string]any{"job_title": "x"}, "put-accounts-by-id-roles": map[string]any{"roles": []string{}},
		"post-integrations-by-id-previews":                        map[string]any{"exclusions": []any{map[string]any{"pattern": "*x*"}}},
		"post-runs-by-id-apply":                                   map[string]any{"hash": "x"},
		"post-runs-by-id-discard":                                 map[string]any{"hash": "x"},
		"post-accounts-bulk":                                      map[string]any{"action": "deactivate", "filter": map[string]any{"q": "nobody-at-all"}},
		"put-employees-by-external-id":                            map[string]any{"given_name": "x"},
		"put-integrations-by-id-group-mappings":                   []any{},
		"put-integrations-by-id-field-mappings":                   []any{},
		"put-integrations-by-id-exclusions":                       []any{map[string]any{"pattern": "*x*"}},
		"put-integrations-by-id-chosen-groups":                    []any{map[string]any{"display_name": "x"}},
		"put-integrations-by-id-room-groups":                      []any{map[string]any{"external_id": "5f9e1b1c-3d6a-4b52-9e0a-0a1b2c3d4e5f"}},
		"put-integrations-by-id-lists":                            []any{map[string]any{"display_name": "x"}},
		"put-roles-by-key":                                        map[string]any{"name": "x"},
		"put-departments-by-key":                                  map[string]any{"name": "x"},
		"put-sites-by-key":                                        map[string]any{"name": "x"},
		"put-modules-by-key":                                      map[string]any{"name": "x"},
		"patch-calendars-by-id":                                   map[string]any{"enabled": true},
		"patch-mailboxes-by-id":                                   map[string]any{"enabled": true},
		"post-calendars-by-id-events":                             map[string]any{"subject": "x", "start": someTime("09:00:00"), "end": someTime("10:00:00")},
		"post-integrations-by-id-setup-provisioning":              map[string]any{"groups": []any{}},
		"post-integrations-by-id-setup-provisioning-restart":      map[string]any{"scope": "Full"},
		"post-integrations-by-id-setup-provisioning-rotate-token": map[string]any{"overlap_hours": 1},
		"patch-events-by-id":                                      map[string]any{"location": "x"},
		"post-integrations-by-id-entra-users":                     map[string]any{"user_principal_name": "x@contoso.com", "display_name": "x"},
		"post-webhook-endpoints":                                  map[string]any{"url": "https://app.contoso.example/hooks"},
		"patch-webhook-endpoints-by-id":                           map[string]any{"description": "x"},
		"post-webhook-endpoints-by-id-replay":                     map[string]any{"from": "1"},

		"patch-integrations-by-id-entra-users-by-uid":         map[string]any{"job_title": "x"},
		"post-integrations-by-id-entra-users-by-uid-offboard": map[string]any{"delete": true},
		"post-integrations-by-id-entra-users-by-uid-restore":  map[string]any{"enable": true},
	}
	return bodies[r.OperationID], nil
}

// at fills the path in with ids by the names of the parameters.
func (r route) at(ids func(route, string) string) string {
	path := r.path
	for _, p := range r.Parameters {
		if p.In == "path" {
			path = strings.ReplaceAll(path, "{"+p.Name+"}", ids(r, p.Name))
		}
	}
	return path
}

func TestDocument(t *testing.T) {
	t.Parallel()
	f := newFixture(t, storetest.OpenSQLite(t)).as("")
	f.t = t
	doc, routes := f.document()
	if !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Errorf("OpenAPI %s", doc.OpenAPI)
	}
	ids := map[string]bool{}
	for _, r := range routes {
		name := r.method + " " + r.path
		if r.Summary == "" || len(r.Tags) != 1 || r.Right == "" || r.OperationID == "" || ids[r.OperationID] {
			t.Errorf("%s lacks a summary, a tag, a right or an id of its own: %+v", name, r)
		}
		ids[r.OperationID] = true
		for _, status := range []string{"400", "401", "403", "404", "422", "500"} {
			if _, ok := r.Responses[status].Content["application/problem+json"]; !ok {
				t.Errorf("%s does not describe %s", name, status)
			}
		}
		if !slices.ContainsFunc([]string{"200", "201", "202", "204"}, func(s string) bool { _, ok := r.Responses[s]; return ok }) {
			t.Errorf("%s does not describe success", name)
		}
		if body, _ := r.body(); r.RequestBody != nil && body == nil {
			t.Errorf("%s has no body in the tests over every route", name)
		}
	}
	raw, err := json.Marshal(doc.Components.Schemas)
	if err != nil {
		t.Fatal(err)
	}
	whole := string(f.do("GET", "/openapi.json", nil).raw)
	for _, part := range strings.Split(whole, `"$ref":"#/components/schemas/`)[1:] {
		name, _, _ := strings.Cut(part, `"`)
		if doc.Components.Schemas[name] == nil {
			t.Errorf("schema %s is referred to and missing", name)
		}
	}
	if strings.Contains(string(raw), "ErrorModel") {
		t.Error("the library's own error type is described")
	}
	if yaml := f.do("GET", "/openapi.yaml", nil); yaml.StatusCode != http.StatusOK || !strings.HasPrefix(string(yaml.raw), "openapi: 3.1") && !strings.Contains(string(yaml.raw), "\nopenapi: 3.1") {
		t.Errorf("YAML: %d %.60s", yaml.StatusCode, yaml.raw)
	}
	for _, path := range []string{"/openapi.json", "/openapi.yaml", "/docs"} {
		// What serves has shed its descriptions by now; every answer has all of them all the same, and is not packed.
		res := f.do("GET", path, nil, "Accept-Encoding", "gzip")
		if !strings.Contains(string(res.raw), "Needs the right ") || !strings.Contains(string(res.raw), "RuleProblem") || res.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s: %v, %d bytes", path, res.Header, len(res.raw))
		}
		if again := f.do("GET", path, nil); !bytes.Equal(again.raw, res.raw) {
			t.Errorf("%s is another when it is asked for again", path)
		}
	}
}

func TestDocsPage(t *testing.T) {
	t.Parallel()
	f := newFixture(t, storetest.OpenSQLite(t)).as("")
	_, routes := f.document()
	res := f.do("GET", "/docs", nil)
	html := string(res.raw)
	for _, r := range routes {
		if !strings.Contains(html, `id="`+r.OperationID+`"`) {
			t.Errorf("the page does not show %s", r.OperationID)
		}
	}
	for _, link := range strings.Split(html, `href="#`)[1:] {
		target, _, _ := strings.Cut(link, `"`)
		if !strings.Contains(html, `id="`+target+`"`) {
			t.Errorf("a link leads to #%s, which is not there", target)
		}
	}
	for _, forbidden := range []string{"<script", "style=", "<style", `src="`, "https://unpkg", "//cdn"} {
		if strings.Contains(html, forbidden) {
			t.Errorf("the page has %s", forbidden)
		}
	}
	if csp := res.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") {
		t.Errorf("policy %q", csp)
	}
	if css := f.do("GET", "/docs/style.css", nil); css.StatusCode != http.StatusOK || !strings.HasPrefix(css.Header.Get("Content-Type"), "text/css") {
		t.Errorf("style sheet: %d %s", css.StatusCode, css.Header.Get("Content-Type"))
	}
}

func TestPromisedRoutesExist(t *testing.T) {
	t.Parallel()
	_, routes := newFixture(t, storetest.OpenSQLite(t)).document()
	have := map[string]bool{}
	for _, r := range routes {
		have[r.method+" "+r.path] = true
	}
	for _, line := range strings.Split(strings.TrimSpace(promised), "\n") {
		methods, path, _ := strings.Cut(line, " ")
		for _, method := range strings.Split(methods, "|") {
			if !have[method+" "+path] {
				t.Errorf("%s %s is missing", method, path)
			}
		}
	}
}

// promised are the routes of the interface that this version has.
const promised = `
GET|POST /organizations
GET|PATCH|DELETE /organizations/{id}
POST /api-keys
GET|POST /integrations
GET|PATCH|DELETE /integrations/{id}
GET /integrations/{id}/setup
POST /integrations/{id}/setup/sign-in
GET|POST|DELETE /integrations/{id}/setup/provisioning
POST /integrations/{id}/setup/provisioning/start
POST /integrations/{id}/setup/provisioning/pause
POST /integrations/{id}/setup/provisioning/restart
POST /integrations/{id}/setup/provisioning/check
POST /integrations/{id}/setup/provisioning/rotate-token
GET /integrations/{id}/removal
GET /removals
GET|POST /integrations/{id}/scim-tokens
DELETE /integrations/{id}/scim-tokens/{token_id}
GET|POST /integrations/{id}/scim-clients
GET|DELETE /integrations/{id}/scim-clients/{client_id}
POST /integrations/{id}/scim-clients/{client_id}/secrets
DELETE /integrations/{id}/scim-clients/{client_id}/secrets/{secret_id}
GET|POST /integrations/{id}/scim-clients/{client_id}/federations
DELETE /integrations/{id}/scim-clients/{client_id}/federations/{federation_id}
GET /roles
GET|PUT|DELETE /roles/{key}
GET /departments
GET|PUT|DELETE /departments/{key}
GET /sites
GET|PUT|DELETE /sites/{key}
GET /modules
GET|PUT|DELETE /modules/{key}
GET /custom-fields
GET|PUT|DELETE /custom-fields/{key}
GET|PUT /integrations/{id}/chosen-groups
POST /integrations/{id}/chosen-groups/bulk
GET /integrations/{id}/available-groups
GET /integrations/{id}/directory-extensions
GET|PUT /integrations/{id}/lists
POST /integrations/{id}/lists/bulk
GET /lists
GET /lists/{id}
GET /lists/{id}/members
GET /accounts/{id}/photo
GET /integrations/{id}/entra/users
GET /integrations/{id}/entra/users/{uid}
GET /integrations/{id}/entra/users/{uid}/groups
GET /integrations/{id}/entra/users/{uid}/licences
GET /integrations/{id}/entra/groups
GET /integrations/{id}/entra/groups/{gid}
GET /integrations/{id}/entra/groups/{gid}/members
GET /integrations/{id}/entra/licences
GET|PUT /integrations/{id}/room-groups
GET|PUT /integrations/{id}/group-mappings
GET|PUT /integrations/{id}/field-mappings
GET|PUT /integrations/{id}/exclusions
GET /integrations/{id}/exclusions/suggestions
GET /integrations/{id}/directory-users
GET /integrations/{id}/directory-groups
GET /integrations/{id}/directory-groups/{gid}/members
GET /integrations/{id}/directory-groups/{gid}/pending-members
POST /integrations/{id}/imports
POST /integrations/{id}/previews
POST /integrations/{id}/reevaluations
GET /runs
GET /runs/{id}
GET /runs/{id}/decisions
GET /runs/{id}/events
POST /runs/{id}/cancel
POST /runs/{id}/apply
POST /runs/{id}/discard
GET|POST /accounts
GET|PATCH|DELETE /accounts/{id}
PUT /accounts/{id}/roles
POST /accounts/{id}/deactivate
POST /accounts/{id}/reactivate
POST /accounts/{id}/archive
GET /accounts/{id}/explanation
POST /accounts/bulk
GET|PUT|DELETE /employees/{external_id}
POST /employees/import
GET /changes
GET|POST /webhook-endpoints
GET|PATCH|DELETE /webhook-endpoints/{id}
POST /webhook-endpoints/{id}/rotate-secret
POST /webhook-endpoints/{id}/test
POST /webhook-endpoints/{id}/replay
GET /webhook-endpoints/{id}/deliveries
GET /webhook-endpoints/{id}/deliveries/{delivery_id}
POST /webhook-endpoints/{id}/deliveries/{delivery_id}/resend
GET /activity
GET /integrations/{id}/scim-requests
GET /integrations/{id}/scim-requests/{request_id}
GET /integrations/{id}/scim-rejections
GET /calendars
PATCH /calendars/{id}
GET|POST /calendars/{id}/events
GET|PATCH|DELETE /events/{id}
GET /events/{id}/copies
GET /rooms
GET /rooms/availability
GET /availability
GET /mailboxes
PATCH /mailboxes/{id}
POST /integrations/{id}/entra/users
PATCH|DELETE /integrations/{id}/entra/users/{uid}
POST /integrations/{id}/entra/users/{uid}/offboard
POST /integrations/{id}/entra/users/{uid}/restore
PUT|DELETE /integrations/{id}/entra/groups/{gid}/members/{uid}
PUT|DELETE /integrations/{id}/entra/users/{uid}/licences/{sku}
GET /operations
GET /operations/{id}
POST /operations/{id}/cancel
`

func TestEveryRouteNeedsAKeyWithTheRight(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		_, routes := f.document()
		ids := func(route, string) string { return "00000000-0000-7000-8000-000000000000" }
		for _, r := range routes {
			body, header := r.body()
			res := f.as("").do(r.method, r.at(ids), body, header...)
			res.wantProblem(http.StatusUnauthorized, "")
			if res.Header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s: 401 without WWW-Authenticate", r.OperationID)
			}
			f.as(adminKey+"x").do(r.method, r.at(ids), body, header...).wantProblem(http.StatusUnauthorized, "")
			others := slices.DeleteFunc(model.Rights(), func(right model.Right) bool {
				return right == model.RightAll || string(right) == r.Right
			})
			detail := f.as(f.newKey(f.org.ID, others...)).do(r.method, r.at(ids), body, header...).wantProblem(http.StatusForbidden, "")
			if r.Installation != strings.Contains(detail, "the installation's key") || !r.Installation && !strings.Contains(detail, `"`+r.Right+`"`) {
				t.Errorf("%s: 403 says %q", r.OperationID, detail)
			}
		}
	})
}
