package api_test

import (
	"net/http"
	"testing"
	"time"

	"usher/model"
)

func TestOrganizations(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		admin := f.as(adminKey)
		made := admin.do("POST", "/organizations", map[string]any{"slug": "fabrikam", "name": "Fabrikam"}).want(http.StatusCreated)
		id := str(t, made, "id")
		admin.do("POST", "/organizations", map[string]any{"slug": "fabrikam", "name": "Again"}).wantProblem(http.StatusConflict, "slug")
		admin.do("POST", "/organizations", map[string]any{"slug": "Not A Slug"}).wantProblem(http.StatusUnprocessableEntity, "slug")
		if n := len(admin.do("GET", "/organizations", nil).list()); n != 2 {
			t.Errorf("%d organizations, want 2", n)
		}
		changed := admin.do("PATCH", "/organizations/"+id, map[string]any{"name": "Fabrikam A/S"}).want(http.StatusOK)
		if changed["name"] != "Fabrikam A/S" || changed["slug"] != "fabrikam" {
			t.Errorf("changed to %v", changed)
		}
		if got := admin.do("GET", "/organizations/"+id, nil).want(http.StatusOK); got["name"] != "Fabrikam A/S" {
			t.Errorf("read %v", got)
		}
		f.do("GET", "/organizations", nil).wantProblem(http.StatusForbidden, "")
		f.do("DELETE", "/organizations/"+id, nil).wantProblem(http.StatusForbidden, "")
		admin.do("DELETE", "/organizations/"+f.org.ID, nil).wantProblem(http.StatusConflict, "")
		admin.do("DELETE", "/organizations/"+id, nil).want(http.StatusNoContent)
		admin.do("GET", "/organizations/"+id, nil).wantProblem(http.StatusNotFound, "")
	})
}

func TestInstallationKeyChoosesAnOrganization(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		admin := f.as(adminKey)
		id := str(t, admin.do("POST", "/organizations", map[string]any{"slug": "fabrikam", "name": "Fabrikam"}).want(http.StatusCreated), "id")
		for _, header := range []string{"fabrikam", id} {
			admin.do("PUT", "/roles/"+header[:3], map[string]any{"name": "Role"}, "Usher-Organization", header).want(http.StatusOK)
		}
		if n := len(admin.do("GET", "/roles", nil, "Usher-Organization", "fabrikam").list()); n != 2 {
			t.Errorf("%d roles in the organization that the header names, want 2", n)
		}
		if n := len(admin.do("GET", "/roles", nil).list()); n != 0 {
			t.Errorf("%d roles in the default organization, want none", n)
		}
		admin.do("GET", "/roles", nil, "Usher-Organization", "nobody").wantProblem(http.StatusNotFound, "")

		f.do("GET", "/roles", nil, "Usher-Organization", "default").want(http.StatusOK)
		f.do("GET", "/roles", nil, "Usher-Organization", f.org.ID).want(http.StatusOK)
		foreign := f.do("GET", "/roles", nil, "Usher-Organization", id).wantProblem(http.StatusForbidden, "")
		missing := f.do("GET", "/roles", nil, "Usher-Organization", "nobody").wantProblem(http.StatusForbidden, "")
		if foreign != missing {
			t.Errorf("an organization that exists is told from one that does not: %q, %q", foreign, missing)
		}
	})
}

func TestAPIKeys(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		made := f.do("POST", "/api-keys", map[string]any{"name": "reporting", "rights": []string{"read"}}).want(http.StatusCreated)
		reader := f.as(str(t, made, "key"))
		reader.do("GET", "/accounts", nil).want(http.StatusOK)
		detail := reader.do("POST", "/accounts", map[string]any{"email": "ada@contoso.com"}).wantProblem(http.StatusForbidden, "")
		if want := `this needs the right "accounts", which the key does not have`; detail != want {
			t.Errorf("detail %q, want %q", detail, want)
		}
		for _, k := range f.do("GET", "/api-keys", nil).list() {
			if _, leaked := k["key"]; leaked || k["hash"] != nil {
				t.Errorf("a listed key shows its secret: %v", k)
			}
		}
		manager := f.as(f.newKey(f.org.ID, model.RightManageKeys))
		manager.do("POST", "/api-keys", map[string]any{"name": "more", "rights": []string{"all"}}).wantProblem(http.StatusForbidden, "rights")
		manager.do("POST", "/api-keys", map[string]any{"name": "same", "rights": []string{"api_keys"}}).want(http.StatusCreated)

		f.do("POST", "/api-keys", map[string]any{"name": "x", "rights": []string{"everything"}}).wantProblem(http.StatusUnprocessableEntity, "rights[0]")
		f.do("POST", "/api-keys", map[string]any{"name": "x", "rights": []string{}}).wantProblem(http.StatusUnprocessableEntity, "rights")
		past := time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)
		f.do("POST", "/api-keys", map[string]any{"name": "x", "rights": []string{"read"}, "expires_at": past}).
			wantProblem(http.StatusUnprocessableEntity, "expires_at")

		f.do("DELETE", "/api-keys/"+str(t, made, "id"), nil).want(http.StatusNoContent)
		res := reader.do("GET", "/accounts", nil)
		res.wantProblem(http.StatusUnauthorized, "")
		if res.Header.Get("WWW-Authenticate") == "" {
			t.Error("401 without WWW-Authenticate")
		}
	})
}

func TestActorIsTheKey(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.do("PUT", "/roles/hr", map[string]any{"name": "HR"}).want(http.StatusOK)
		f.as(adminKey).do("PUT", "/roles/it", map[string]any{"name": "IT"}).want(http.StatusOK)
		for actor, subject := range map[string]string{"api-key:test": "hr", "installation-key": "it"} {
			if lines := f.do("GET", "/activity?actor="+actor+"&subject="+subject, nil).list(); len(lines) != 1 {
				t.Errorf("%d lines of the log by %s about %s, want 1", len(lines), actor, subject)
			}
		}
	})
}
