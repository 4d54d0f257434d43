package api_test

import (
	"net/http"
	"strings"
	"testing"
)

// TestSetUpRoutes hands out what to type into Entra, refuses what cannot be done here, and tells what a removal does.
func TestSetUpRoutes(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		id := f.integration()
		path := "/integrations/" + id
		guide := f.do("GET", path+"/setup", nil)
		guide.want(http.StatusOK)
		if want := publicURL + "/scim/v2/" + id + "?aadOptscim062020"; !strings.Contains(string(guide.raw), `"tenant_url":"`+want+`"`) {
			t.Errorf("the guide lacks %s: %s", want, guide.raw)
		}
		for format, part := range map[string]string{"powershell": "Read-Host -AsSecureString", "terraform": `resource "azuread_synchronization_job"`} {
			res := f.do("GET", path+"/setup?format="+format, nil)
			if res.StatusCode != http.StatusOK || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/plain") || !strings.Contains(string(res.raw), part) {
				t.Errorf("%s: %s %s", format, res.Header.Get("Content-Type"), res.raw)
			}
		}
		f.do("GET", path+"/setup?format=bash", nil).wantProblem(http.StatusUnprocessableEntity, "format")
		stands := f.do("GET", path+"/setup/provisioning", nil).want(http.StatusOK)
		if str(t, stands, "state") != "none" {
			t.Errorf("%v", stands)
		}
		f.do("POST", path+"/setup/provisioning", map[string]any{"groups": []any{}}).wantProblem(http.StatusConflict, "")
		f.do("POST", path+"/setup/provisioning", map[string]any{"delete_limit": -1}).wantProblem(http.StatusUnprocessableEntity, "delete_limit")
		f.do("POST", path+"/setup/sign-in", nil).wantProblem(http.StatusConflict, "graph.client_id")
		f.do("POST", path+"/setup/provisioning/restart", map[string]any{"scope": "Everything"}).wantProblem(http.StatusUnprocessableEntity, "scope")
		f.do("POST", path+"/setup/provisioning/pause", nil).wantProblem(http.StatusConflict, "")
		f.do("DELETE", path+"/setup/provisioning", nil).wantProblem(http.StatusConflict, "")

		f.push(id, "ada@contoso.com")
		before := f.do("GET", path+"/removal", nil)
		if str(t, before.want(http.StatusOK), "state") != "none" || !strings.Contains(string(before.raw), `"directory_users":1`) {
			t.Errorf("%s", before.raw)
		}
		gone := f.do("DELETE", path, nil)
		gone.want(http.StatusNoContent)
		if got := gone.Header.Get("Location"); got != publicURL+"/api/v1"+path+"/removal" {
			t.Errorf("Location is %q", got)
		}
		f.do("GET", path, nil).wantProblem(http.StatusNotFound, "")
		f.do("DELETE", path, nil).wantProblem(http.StatusNotFound, "")
		if after := f.do("GET", path+"/removal", nil); str(t, after.want(http.StatusOK), "state") != "queued" || strings.Contains(string(after.raw), "access") {
			t.Errorf("%s", after.raw)
		}
		if list := f.do("GET", "/removals", nil); !strings.Contains(string(list.raw), id) {
			t.Errorf("%s", list.raw)
		}
	})
}
