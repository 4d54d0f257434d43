package api_test

import (
	"net/http"
	"strings"
	"testing"

	"usher/internal/secret"
	"usher/model"
)

func TestIntegrations(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.do("PUT", "/roles/guest", map[string]any{"name": "Guest"}).want(http.StatusOK)
		made := f.do("POST", "/integrations", map[string]any{
			"name": "Contoso", "ingress": "scim", "default_role": "guest", "guard": map[string]any{"minimum": 20},
			"graph": map[string]any{"client_id": "client", "client_secret": "s3cret"},
		}).want(http.StatusCreated)
		id := str(t, made, "id")
		scim, _ := made["scim"].(map[string]any)
		if want := publicURL + "/scim/v2/" + id; scim["base_url"] != want {
			t.Errorf("base_url %v, want %s", scim["base_url"], want)
		}
		guard, _ := made["guard"].(map[string]any)
		if guard["minimum"] != 20.0 || guard["percent"] != 5.0 || made["role_sync"] != "reconcile" || made["scope"] != "groups" {
			t.Errorf("defaults: %v", made)
		}
		graph, _ := made["graph"].(map[string]any)
		if graph["has_client_secret"] != true || graph["cloud"] != "global" {
			t.Errorf("graph: %v", graph)
		}
		if raw := string(f.do("GET", "/integrations/"+id, nil).raw); strings.Contains(raw, "s3cret") {
			t.Errorf("the secret is shown: %s", raw)
		}
		ref := model.Ref{OrganizationID: f.org.ID, IntegrationID: id}
		if _, err := f.svc.Store.Read(t.Context()).Secret(ref, "client_secret"); err != nil {
			t.Errorf("the secret was not kept: %v", err)
		}
		f.patchIntegration(id, ref)
		if n := len(f.do("GET", "/integrations", nil).list()); n != 1 {
			t.Errorf("%d integrations, want 1", n)
		}
		f.as(f.newKey(f.org.ID, model.RightManageIntegrations)).do("DELETE", "/integrations/"+id, nil).wantProblem(http.StatusForbidden, "")
		f.do("DELETE", "/integrations/"+id, nil).want(http.StatusNoContent)
		f.do("GET", "/integrations/"+id, nil).wantProblem(http.StatusNotFound, "")
	})
}

func TestIntegrationDefaults(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		input := map[string]any{"name": "Contoso", "ingress": "scim", "guard": map[string]any{"minimum": 0, "percent": 0}}
		made := f.do("POST", "/integrations", input).want(http.StatusCreated)
		if guard, _ := made["guard"].(map[string]any); guard["minimum"] != 0.0 || guard["percent"] != 0.0 {
			t.Errorf("a guard that lets nothing pass became %v", guard)
		}
		if made["priority"] != 100.0 {
			t.Errorf("priority %v, want the default", made["priority"])
		}
		input["guard"] = nil
		made = f.do("POST", "/integrations", input).want(http.StatusCreated)
		if guard, _ := made["guard"].(map[string]any); guard["minimum"] != 10.0 || guard["percent"] != 5.0 {
			t.Errorf("the guard without one that is sent is %v", guard)
		}
	})
}

// patchIntegration shows that only what is sent changes, and that null resets.
func (f *fixture) patchIntegration(id string, ref model.Ref) {
	t := f.t
	t.Helper()
	patched := f.do("PATCH", "/integrations/"+id, map[string]any{
		"role_sync": "mirror", "guard": map[string]any{"percent": 7}, "write_back": map[string]any{"update": true},
	}).want(http.StatusOK)
	guard, _ := patched["guard"].(map[string]any)
	writeBack, _ := patched["write_back"].(map[string]any)
	if guard["minimum"] != 20.0 || guard["percent"] != 7.0 || writeBack["update"] != true || writeBack["create"] != false ||
		patched["role_sync"] != "mirror" || patched["default_role"] != "guest" || patched["name"] != "Contoso" {
		t.Errorf("patched to %v", patched)
	}
	graph, _ := patched["graph"].(map[string]any)
	if graph["has_client_secret"] != true || graph["client_id"] != "client" {
		t.Errorf("the patch touched graph: %v", graph)
	}
	patched = f.do("PATCH", "/integrations/"+id, map[string]any{
		"default_role": nil, "guard": nil, "graph": map[string]any{"client_secret": nil},
	}).want(http.StatusOK)
	guard, _ = patched["guard"].(map[string]any)
	graph, _ = patched["graph"].(map[string]any)
	if patched["default_role"] != "" || guard["minimum"] != 10.0 || guard["percent"] != 5.0 || graph["has_client_secret"] != false ||
		graph["client_id"] != "client" {
		t.Errorf("null left %v", patched)
	}
	if _, err := f.svc.Store.Read(t.Context()).Secret(ref, "client_secret"); model.KindOf(err) != model.NotFound {
		t.Errorf("the secret was not forgotten: %v", err)
	}
}

func TestIntegrationsRefuse(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		valid := `"name":"Contoso","ingress":"scim"`
		for _, test := range []struct {
			name, body string
			status     int
			field      string
		}{
			{"nothing", ``, 400, ""},
			{"no object", `[]`, 422, ""},
			{"broken JSON", `{"name":`, 400, ""},
			{"two values", `{` + valid + `} {}`, 400, ""},
			{"no name", `{"ingress":"scim"}`, 422, "name"},
			{"empty name", `{"name":"","ingress":"scim"}`, 422, "name"},
			{"no ingress", `{"name":"Contoso"}`, 422, "ingress"},
			{"unknown ingress", `{"name":"Contoso","ingress":"smtp"}`, 422, "ingress"},
			{"unknown field", `{` + valid + `,"owner":"me"}`, 422, "owner"},
			{"unknown field inside", `{` + valid + `,"guard":{"maximum":1}}`, 422, "guard.maximum"},
			{"wrong type", `{` + valid + `,"priority":"first"}`, 422, "priority"},
			{"fraction", `{` + valid + `,"priority":1.5}`, 422, "priority"},
			{"huge number", `{` + valid + `,"priority":1e300}`, 422, ""},
			{"unknown role", `{` + valid + `,"default_role":"nobody"}`, 422, "default_role"},
			{"percent", `{` + valid + `,"guard":{"percent":101}}`, 422, "guard.percent"},
			{"cloud", `{` + valid + `,"graph":{"cloud":"sky"}}`, 422, "graph.cloud"},
			{"certificate", `{` + valid + `,"graph":{"certificate_pem":"pem"}}`, 422, "graph.certificate_pem"},
		} {
			t.Run(test.name, func(t *testing.T) {
				res := f.do("POST", "/integrations", test.body, "Content-Type", "application/json")
				if test.name == "no object" || test.name == "huge number" {
					res.want(test.status)
					return
				}
				res.wantProblem(test.status, test.field)
			})
		}
		if n := len(f.do("GET", "/integrations", nil).list()); n != 0 {
			t.Errorf("%d integrations were made of bad input", n)
		}
		f.do("POST", "/integrations", `{}`, "Content-Type", "text/plain").wantProblem(http.StatusUnsupportedMediaType, "")
		big := `{"name":"` + strings.Repeat("x", 1<<20) + `"}`
		f.do("POST", "/integrations", big).wantProblem(http.StatusRequestEntityTooLarge, "")
		f.do("GET", "/integrations?limit=0", nil).wantProblem(http.StatusUnprocessableEntity, "limit")
		f.do("GET", "/integrations?limit=501", nil).wantProblem(http.StatusUnprocessableEntity, "limit")
		f.do("GET", "/integrations?after=%25", nil).wantProblem(http.StatusUnprocessableEntity, "after")
		f.do("GET", "/integrations?after=bm8", nil).wantProblem(http.StatusUnprocessableEntity, "after")
		f.do("GET", "/integrations?titel=x", nil).wantProblem(http.StatusBadRequest, "titel")
		f.do("GET", "/integrations?limit=1&limit=2", nil).wantProblem(http.StatusBadRequest, "limit")
		f.do("GET", "/nowhere", nil).wantProblem(http.StatusNotFound, "")
		f.do("PUT", "/integrations", `{}`).wantProblem(http.StatusMethodNotAllowed, "")
	})
}

func TestSCIMTokens(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		id := f.integration()
		path := "/integrations/" + id + "/scim-tokens"
		made := f.do("POST", path, map[string]any{"name": "Entra"}).want(http.StatusCreated)
		token := str(t, made, "token")
		if !strings.HasPrefix(token, secret.PrefixSCIM) {
			t.Errorf("token %q", token)
		}
		if _, err := f.svc.SCIMToken(t.Context(), id, token); err != nil {
			t.Errorf("the token does not work: %v", err)
		}
		f.do("POST", path, map[string]any{"name": "second"}).want(http.StatusCreated)
		listed := f.do("GET", path, nil)
		if n := len(listed.list()); n != 2 || strings.Contains(string(listed.raw), token) {
			t.Errorf("%d tokens: %s", n, listed.raw)
		}
		f.do("DELETE", path+"/"+str(t, made, "id"), nil).want(http.StatusNoContent)
		f.do("DELETE", path+"/"+str(t, made, "id"), nil).wantProblem(http.StatusNotFound, "")
		if _, err := f.svc.SCIMToken(t.Context(), id, token); model.KindOf(err) != model.Unauthorized {
			t.Errorf("the revoked token: %v", err)
		}
		graph := f.integration(map[string]any{"ingress": "graph"})
		f.do("POST", "/integrations/"+graph+"/scim-tokens", map[string]any{"name": "x"}).wantProblem(http.StatusConflict, "")
		f.do("POST", path, map[string]any{"name": ""}).wantProblem(http.StatusUnprocessableEntity, "name")
	})
}

func TestPaging(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		for _, key := range []string{"a", "b", "c", "d/e", "f g"} {
			f.do("PUT", "/roles/"+strings.NewReplacer("/", "%2F", " ", "%20").Replace(key), map[string]any{"name": key})
		}
		want := []string{}
		for _, role := range f.do("GET", "/roles", nil).list() {
			want = append(want, str(t, role, "key"))
		}
		var got []string
		after := ""
		for page := 0; ; page++ {
			if page > len(want) {
				t.Fatal("the list does not end")
			}
			object := f.do("GET", "/roles?limit=2&after="+after, nil).want(http.StatusOK)
			for _, role := range objects(t, object["data"]) {
				got = append(got, str(t, role, "key"))
			}
			if object["next"] == nil {
				break
			}
			after = str(t, object, "next")
		}
		if strings.Join(got, ",") != strings.Join(want, ",") || len(got) < 3 {
			t.Errorf("pages gave %q, the list %q", got, want)
		}
	})
}
