package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"usher/internal/secret"
	"usher/model"
)

func TestSCIMClients(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		id := f.integration()
		path := "/integrations/" + id + "/scim-clients"
		end := time.Now().Add(20 * 24 * time.Hour).UTC().Format(time.RFC3339)
		made := f.do("POST", path, map[string]any{"name": "Entra", "expires_at": end, "token_minutes": 120}).want(http.StatusCreated)
		client, text := str(t, made, "client_id"), str(t, made, "client_secret")
		if !strings.HasPrefix(text, secret.PrefixClient) || str(t, made, "token_url") != publicURL+"/oauth2/token" || made["token_minutes"] != float64(120) {
			t.Errorf("%v", made)
		}
		grant, err := f.svc.SecretGrant(t.Context(), client, text)
		if err != nil || grant.Valid != 2*time.Hour {
			t.Errorf("%+v, %v", grant, err)
		}
		second := f.do("POST", path+"/"+client+"/secrets", map[string]any{}).want(http.StatusCreated)
		detail := f.do("POST", path+"/"+client+"/secrets", map[string]any{}).wantProblem(http.StatusConflict, "")
		if !strings.Contains(detail, str(t, second, "id")) { // the first one is in use
			t.Errorf("it does not say what to delete: %s", detail)
		}
		listed := f.do("GET", path, nil)
		one := f.do("GET", path+"/"+client, nil).want(http.StatusOK)
		secrets := objects(t, one["secrets"])
		if len(listed.list()) != 1 || len(secrets) != 2 || strings.Contains(string(listed.raw), text) || strings.Contains(string(listed.raw), "hash") {
			t.Errorf("%s", listed.raw)
		}
		if secrets[0]["state"] != "expiring" || secrets[1]["state"] != "live" || secrets[0]["last_used_at"] == nil || secrets[1]["last_used_at"] != nil {
			t.Errorf("%v", secrets)
		}
		f.do("DELETE", path+"/"+client+"/secrets/"+str(t, secrets[0], "id"), nil).want(http.StatusNoContent)
		f.do("DELETE", path+"/"+client+"/secrets/"+str(t, secrets[0], "id"), nil).wantProblem(http.StatusNotFound, "")
		if _, err := f.svc.SCIMToken(t.Context(), id, grant.Token); model.KindOf(err) != model.Unauthorized {
			t.Errorf("a token of a deleted secret: %v", err)
		}
		f.do("POST", path, map[string]any{"name": "x", "token_minutes": 59}).wantProblem(http.StatusUnprocessableEntity, "token_minutes")
		f.do("POST", path, map[string]any{"name": "x", "token_minutes": 361}).wantProblem(http.StatusUnprocessableEntity, "token_minutes")
		f.do("POST", path, map[string]any{"name": "x", "expires_at": "2020-01-01T00:00:00Z"}).wantProblem(http.StatusUnprocessableEntity, "expires_at")
		f.do("POST", path, map[string]any{"name": ""}).wantProblem(http.StatusUnprocessableEntity, "name")
		plain := f.do("POST", path, map[string]any{"name": "x"}).want(http.StatusCreated)
		if plain["token_minutes"] != float64(60) {
			t.Errorf("%v", plain)
		}
		graph := f.integration(map[string]any{"ingress": "graph"})
		f.do("POST", "/integrations/"+graph+"/scim-clients", map[string]any{"name": "x"}).wantProblem(http.StatusConflict, "")
		f.do("DELETE", path+"/"+client, nil).want(http.StatusNoContent)
		f.do("GET", path+"/"+client, nil).wantProblem(http.StatusNotFound, "")
	})
}

func TestSCIMFederations(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		id := f.integration()
		clients := "/integrations/" + id + "/scim-clients"
		client := str(t, f.do("POST", clients, map[string]any{"name": "Entra"}).want(http.StatusCreated), "client_id")
		path := clients + "/" + client + "/federations"
		trust := map[string]any{"tenant_id": "5F9E1B1C-3D6A-4B52-9E0A-0A1B2C3D4E5F", "subject": "ada", "audience": "api://usher"}
		made := f.do("POST", path, trust).want(http.StatusCreated)
		if str(t, made, "token_url") != publicURL+"/oauth2/token/"+client || made["cloud"] != "global" || made["tenant_id"] != "5f9e1b1c-3d6a-4b52-9e0a-0a1b2c3d4e5f" {
			t.Errorf("%v", made)
		}
		f.do("POST", path, trust).wantProblem(http.StatusConflict, "subject")
		f.do("POST", path, map[string]any{"issuer": "https://id.contoso.com", "subject": "x", "audience": "x"}).wantProblem(http.StatusUnprocessableEntity, "jwks_url")
		f.do("POST", path, map[string]any{"issuer": "https://id.contoso.com", "subject": "x", "audience": "x", "jwks_url": "http://id.contoso.com"}).
			wantProblem(http.StatusUnprocessableEntity, "jwks_url")
		f.do("POST", path, map[string]any{"tenant_id": "contoso.com", "subject": "x", "audience": "x"}).wantProblem(http.StatusUnprocessableEntity, "tenant_id")
		f.do("POST", path, map[string]any{"tenant_id": "x", "cloud": "moon", "subject": "x", "audience": "x"}).wantProblem(http.StatusUnprocessableEntity, "cloud")
		f.do("POST", path, map[string]any{"tenant_id": "x", "audience": "x"}).wantProblem(http.StatusUnprocessableEntity, "subject")
		f.do("POST", path, map[string]any{"issuer": "https://id.contoso.com", "subject": "x", "audience": "x", "jwks_url": "https://id.contoso.com/keys"}).
			want(http.StatusCreated)
		if n := len(f.do("GET", path, nil).list()); n != 2 {
			t.Errorf("%d federations", n)
		}
		f.do("DELETE", path+"/"+str(t, made, "id"), nil).want(http.StatusNoContent)
		f.do("DELETE", path+"/"+str(t, made, "id"), nil).wantProblem(http.StatusNotFound, "")
	})
}

func TestIntegrationWarns(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		id := f.integration()
		in := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(time.RFC3339) }
		for name, d := range map[string]time.Duration{"soon": 3 * 24 * time.Hour, "later": 60 * 24 * time.Hour} {
			f.do("POST", "/integrations/"+id+"/scim-tokens", map[string]any{"name": name, "expires_at": in(d)}).want(http.StatusCreated)
		}
		one := f.do("GET", "/integrations/"+id, nil).want(http.StatusOK)
		warnings := objects(t, one["warnings"])
		if len(warnings) != 1 || warnings[0]["code"] != "scim_token.expiring" || warnings[0]["name"] != "soon" || warnings[0]["days"] != float64(3) {
			t.Errorf("%v", warnings)
		}
		scim, ok := one["scim"].(map[string]any)
		if !ok || scim["token_url"] != publicURL+"/oauth2/token" {
			t.Errorf("%v", one["scim"])
		}
		if list := objects(t, f.do("GET", "/integrations/"+f.integration(), nil).want(http.StatusOK)["warnings"]); len(list) != 0 {
			t.Errorf("%v", list)
		}
		states := map[string]any{}
		for _, token := range f.do("GET", "/integrations/"+id+"/scim-tokens", nil).list() {
			states[str(t, token, "name")] = token["state"]
		}
		if states["soon"] != "expiring" || states["later"] != "live" {
			t.Errorf("%v", states)
		}
	})
}
