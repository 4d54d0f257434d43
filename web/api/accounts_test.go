package api_test

import (
	"net/http"
	"testing"
)

func TestAccounts(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.do("PUT", "/roles/hr", map[string]any{"name": "HR"}).want(http.StatusOK)
		f.do("PUT", "/custom-fields/shoe", map[string]any{"name": "Shoe size", "type": "number"}).want(http.StatusOK)
		f.do("PUT", "/custom-fields/hat", map[string]any{"name": "Hat", "type": "text"}).want(http.StatusOK)
		made := f.do("POST", "/accounts", map[string]any{
			"email": "ada@contoso.example", "given_name": "Ada", "family_name": "Lovelace", "roles": []string{"hr"},
			"custom_fields": map[string]any{"shoe": 38, "hat": "top"},
		}).want(http.StatusCreated)
		one := "/accounts/" + str(t, made, "id")
		for _, key := range []string{
			"id", "email", "user_name", "display_name", "given_name", "family_name", "status", "origin", "department", "job_title", "language",
			"time_zone", "currency", "roles", "permissions", "custom_fields", "employee_id", "links", "created_at", "updated_at",
		} {
			if _, ok := made[key]; !ok {
				t.Errorf("account without %s", key)
			}
		}
		if made["origin"] != "manual" || made["status"] != "active" || made["links"] == nil || made["permissions"] == nil {
			t.Errorf("made %v", made)
		}
		f.do("POST", "/accounts", map[string]any{"email": "ADA@contoso.example"}).wantProblem(http.StatusConflict, "email")
		f.do("POST", "/accounts", map[string]any{"email": "x@contoso.example", "status": "archived"}).wantProblem(http.StatusUnprocessableEntity, "status")
		f.do("POST", "/accounts", map[string]any{"email": "x@contoso.example", "roles": []string{"king"}}).wantProblem(http.StatusUnprocessableEntity, "roles[0]")

		changed := f.do("PATCH", one, map[string]any{"job_title": "Analyst", "given_name": nil, "custom_fields": map[string]any{"hat": nil}}).want(http.StatusOK)
		custom, _ := changed["custom_fields"].(map[string]any)
		if changed["job_title"] != "Analyst" || changed["given_name"] != "" || changed["family_name"] != "Lovelace" || len(custom) != 1 || custom["shoe"] != 38.0 {
			t.Errorf("changed to %v", changed)
		}
		f.do("PATCH", one, map[string]any{"email": nil}).wantProblem(http.StatusUnprocessableEntity, "email")
		f.do("PATCH", one, map[string]any{"id": "other"}).wantProblem(http.StatusUnprocessableEntity, "id")
		if got := f.do("PUT", one+"/roles", map[string]any{"roles": []string{}}).want(http.StatusOK); len(got["roles"].([]any)) != 0 {
			t.Errorf("roles %v", got["roles"])
		}
		f.lifecycle(one)
	})
}

func (f *fixture) lifecycle(one string) {
	t := f.t
	t.Helper()
	f.do("DELETE", one, nil).wantProblem(http.StatusConflict, "")
	f.do("POST", one+"/archive", nil).wantProblem(http.StatusConflict, "")
	for _, step := range []struct{ action, status string }{
		{"deactivate", "deactivated"}, {"reactivate", "active"}, {"deactivate", "deactivated"}, {"archive", "archived"},
	} {
		if got := f.do("POST", one+"/"+step.action, nil).want(http.StatusOK); got["status"] != step.status {
			t.Errorf("after %s: %v", step.action, got["status"])
		}
	}
	f.do("DELETE", one, nil).want(http.StatusNoContent)
	f.do("GET", one, nil).wantProblem(http.StatusNotFound, "")
}

func TestAccountsAreFilteredAndExplained(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.do("PUT", "/roles/hr", map[string]any{"name": "HR"}).want(http.StatusOK)
		id := f.integration()
		f.do("PUT", "/integrations/"+id+"/group-mappings", `[{"group":{"display_name":"HR"},"role":"hr"}]`).entries()
		ada := f.push(id, "ada@contoso.com")
		f.push(id, "grace@contoso.com")
		f.group(id, "HR", ada.ID)
		manual := f.do("POST", "/accounts", map[string]any{"email": "guest@fabrikam.example"}).want(http.StatusCreated)
		f.do("POST", "/accounts/"+str(t, manual, "id")+"/deactivate", nil).want(http.StatusOK)
		for query, want := range map[string]int{
			"": 3, "email=ADA@contoso.com": 1, "status=deactivated": 1, "status=active": 2, "role=hr": 1, "integration=" + id: 2, "q=GRACE": 1,
			"origin=manual": 1, "unlinked=true": 1, "status=active&q=contoso": 2, "role=none": 0, "integration=none": 0,
		} {
			if n := len(f.do("GET", "/accounts?"+query, nil).list()); n != want {
				t.Errorf("?%s gave %d accounts, want %d", query, n, want)
			}
		}
		f.do("GET", "/accounts?status=gone", nil).wantProblem(http.StatusUnprocessableEntity, "status")
		account := f.do("GET", "/accounts?email=ada@contoso.com", nil).list()[0]
		links := objects(t, account["links"])
		if len(links) != 1 || links[0]["integration_id"] != id || links[0]["directory_user_id"] != ada.ID {
			t.Errorf("links %v", links)
		}
		why := f.do("GET", "/accounts/"+str(t, account, "id")+"/explanation", nil).want(http.StatusOK)
		if roles := objects(t, why["roles"]); len(roles) != 1 || roles[0]["role"] != "hr" {
			t.Errorf("explanation %v", why)
		}
	})
}

func TestBulk(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		for _, email := range []string{"ada@contoso.com", "grace@contoso.com", "guest@fabrikam.example"} {
			f.do("POST", "/accounts", map[string]any{"email": email}).want(http.StatusCreated)
		}
		body := map[string]any{"action": "deactivate", "filter": map[string]any{"email_not_in_domains": []string{"contoso.com"}}, "dry_run": true}
		if got := f.do("POST", "/accounts/bulk", body).want(http.StatusOK); got["matched"] != 1.0 || got["dry_run"] != true {
			t.Errorf("dry run: %v", got)
		}
		if n := len(f.do("GET", "/accounts?status=active", nil).list()); n != 3 {
			t.Errorf("%d active accounts after a dry run, want 3", n)
		}
		body["dry_run"] = false
		if got := f.do("POST", "/accounts/bulk", body).want(http.StatusOK); got["changed"] != 1.0 {
			t.Errorf("bulk: %v", got)
		}
		if list := f.do("GET", "/accounts?status=deactivated", nil).list(); len(list) != 1 || list[0]["email"] != "guest@fabrikam.example" {
			t.Errorf("deactivated: %v", list)
		}
		f.do("POST", "/accounts/bulk", map[string]any{"action": "deactivate", "filter": map[string]any{}}).want(http.StatusUnprocessableEntity)
		f.do("POST", "/accounts/bulk", map[string]any{"action": "explode", "filter": map[string]any{"q": "a"}}).wantProblem(http.StatusUnprocessableEntity, "action")
	})
}

func TestEmployees(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		one := "/employees/" + "HR%2F1%20a"
		f.do("PUT", one, map[string]any{"email": "ada@contoso.com", "given_name": "Ada"}).want(http.StatusCreated)
		put := f.do("PUT", one, map[string]any{"email": "ada@contoso.com", "given_name": "Augusta"}).want(http.StatusOK)
		if put["external_id"] != "HR/1 a" || put["given_name"] != "Augusta" || put["state"] != "active" {
			t.Errorf("stored %v", put)
		}
		if got := f.do("GET", one, nil).want(http.StatusOK); got["given_name"] != "Augusta" {
			t.Errorf("read %v", got)
		}
		f.do("PUT", one, map[string]any{"resignation_date": "soon"}).wantProblem(http.StatusUnprocessableEntity, "resignation_date")
		f.do("PUT", one, map[string]any{"state": "archived"}).wantProblem(http.StatusUnprocessableEntity, "state")
		if got := f.do("PUT", "/employees/import", map[string]any{"given_name": "I"}).want(http.StatusCreated); got["external_id"] != "import" {
			t.Errorf("an employee with the id import: %v", got)
		}
		csv := "external_id,email,given_name\n2,grace@contoso.com,Grace\n3,,Alan\n"
		if got := f.do("POST", "/employees/import", csv, "Content-Type", "text/csv").want(http.StatusOK); got["created"] != 2.0 {
			t.Errorf("import: %v", got)
		}
		bad := "external_id,email\n4,x@contoso.com\n5,not an address\n"
		f.do("POST", "/employees/import", bad, "Content-Type", "text/csv; charset=utf-8").wantProblem(http.StatusUnprocessableEntity, "lines[3].email")
		f.do("POST", "/employees/import", csv, "Content-Type", "application/json").wantProblem(http.StatusUnsupportedMediaType, "")
		f.do("POST", "/employees/import", "", "Content-Type", "text/csv").wantProblem(http.StatusUnprocessableEntity, "")
		if n := len(f.do("GET", "/employees", nil).list()); n != 4 {
			t.Errorf("%d employees, want 4", n)
		}
		f.do("DELETE", one, nil).want(http.StatusNoContent)
		f.do("DELETE", one, nil).wantProblem(http.StatusNotFound, "")
	})
}
