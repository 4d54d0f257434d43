package api_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"usher/directory"
	"usher/model"
	entraid "usher/model/entra"
	"usher/model/outlook"
	"usher/model/store"
)

// smallTenant has users, and nothing else that is asked for here.
type smallTenant struct {
	directory.Tenant // what is not here must not be called
	users            map[string]entraid.User
}

func (s *smallTenant) Organization(context.Context) (entraid.Organization, error) {
	return entraid.Organization{Domains: []entraid.Domain{{Name: "contoso.com"}}}, nil
}

func (s *smallTenant) TenantUser(_ context.Context, ref string, _ []string) (entraid.User, error) {
	for _, u := range s.users {
		if u.ID == ref || u.UserPrincipalName == ref {
			return u, nil
		}
	}
	return entraid.User{}, &outlook.Error{Kind: outlook.NoUser, Status: http.StatusNotFound}
}

func (s *smallTenant) GroupsOf(context.Context, string) ([]entraid.Group, error) {
	return []entraid.Group{
		{ID: "g1", DisplayName: "Engineers", SecurityEnabled: true},
		{ID: "g2", DisplayName: "Everyone", SecurityEnabled: true, Types: []string{"DynamicMembership"}},
	}, nil
}

func (s *smallTenant) Licences(context.Context, string) ([]entraid.Licence, error) { return nil, nil }

func (s *smallTenant) SKUs(context.Context) ([]entraid.SKU, error) { return nil, nil }

func (s *smallTenant) CreateUser(_ context.Context, in entraid.NewUser) (entraid.User, error) {
	u := entraid.User{ID: "00000000-0000-4000-8000-000000000001", UserPrincipalName: in.UserPrincipalName, AccountEnabled: in.Enabled}
	s.users[u.ID] = u
	return u, nil
}

// writing gives an integration that may write, and the path of its users in Entra.
func (f *fixture) writing() (integration, users string) {
	f.t.Helper()
	tenant := &smallTenant{users: map[string]entraid.User{}}
	f.svc.Tenants = func(context.Context, model.Ref) (directory.Tenant, error) { return tenant, nil }
	id := f.integration(map[string]any{"write_back": map[string]any{"create": true, "update": true, "delete": true}})
	return id, "/integrations/" + id + "/entra/users"
}

func (f *fixture) operate(id string) map[string]any {
	f.t.Helper()
	if err := f.svc.WorkOperation(f.t.Context(), directory.WorkOperation{OrganizationID: f.org.ID, OperationID: id}); err != nil {
		f.t.Fatal(err)
	}
	return f.do("GET", "/operations/"+id, nil).want(http.StatusOK)
}

func newAda() map[string]any {
	return map[string]any{"user_principal_name": "ada@contoso.com", "display_name": "Ada Lovelace", "password": "xWwvJ]6NMw+bWH-d"}
}

func TestEntraUserIsMade(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		_, users := f.writing()
		key := []string{"Idempotency-Key", "make-ada"}
		begun := f.do("POST", users, newAda(), key...).want(http.StatusAccepted)
		id := str(t, begun, "id")
		if begun["kind"] != "create_user" || begun["state"] != "queued" || begun["error"] != nil {
			t.Errorf("%v", begun)
		}
		if again := f.do("POST", users, newAda(), key...).want(http.StatusAccepted); again["id"] != id {
			t.Errorf("the same request began operation %v, not %v", again["id"], id)
		}
		other := newAda()
		other["password"] = "another-1-Password"
		f.do("POST", users, other, key...).wantProblem(http.StatusUnprocessableEntity, "Idempotency-Key")
		if detail := f.do("POST", users, newAda()).wantProblem(http.StatusConflict, ""); !strings.Contains(detail, id) {
			t.Errorf("the conflict does not name the operation: %s", detail)
		}
		o := f.operate(id)
		result, _ := o["result"].(map[string]any)
		if o["state"] != "succeeded" || result["user_id"] != "00000000-0000-4000-8000-000000000001" || len(objects(t, o["steps"])) != 2 {
			t.Errorf("%v", o)
		}
		if list := f.do("GET", "/operations?state=succeeded&kind=create_user", nil).list(); len(list) != 1 || list[0]["id"] != id {
			t.Errorf("%v", list)
		}
		if raw := string(f.do("GET", "/changes?types=operation.succeeded", nil).raw); !strings.Contains(raw, id) || strings.Contains(raw, "xWwvJ") {
			t.Errorf("the feed has %s", raw)
		}
	})
}

func TestEntraRequestsThatAreWrong(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		id, users := f.writing()
		for _, tt := range []struct {
			change map[string]any
			field  string
		}{
			{map[string]any{"user_principal_name": "ada"}, "user_principal_name"},
			{map[string]any{"user_principal_name": "ådä@contoso.com"}, "user_principal_name"},
			{map[string]any{"display_name": " "}, "display_name"},
			{map[string]any{"password": "short"}, "password"},
			{map[string]any{"usage_location": "Denmark"}, "usage_location"},
			{map[string]any{"licences": []string{"sku"}}, "usage_location"},
			{map[string]any{"groups": []string{"../users"}}, "groups"},
			{map[string]any{"employee_id": "12345678901234567"}, "employee_id"},
			{map[string]any{"mail": "nobody"}, "mail"},
			{map[string]any{"colour": "red"}, "colour"},
		} {
			body := newAda()
			for k, v := range tt.change {
				body[k] = v
			}
			res := f.do("POST", users, body)
			res.wantProblem(http.StatusUnprocessableEntity, tt.field)
			if strings.Contains(string(res.raw), "xWwvJ") {
				t.Errorf("the answer repeats the password: %s", res.raw)
			}
		}
		f.do("PATCH", users+"/u1", map[string]any{}).wantProblem(http.StatusUnprocessableEntity, "")
		f.do("PATCH", users+"/u1", map[string]any{"display_name": nil}).wantProblem(http.StatusUnprocessableEntity, "display_name")
		f.do("POST", users+"/u1/offboard", map[string]any{"at": "2001-01-01T00:00:00Z"}).wantProblem(http.StatusUnprocessableEntity, "at")
		f.do("DELETE", users+"/nobody@contoso.com", nil).wantProblem(http.StatusNotFound, "uid")
		f.do("PATCH", "/integrations/"+id, map[string]any{"read_only": true}).want(http.StatusOK)
		f.do("POST", users, newAda()).wantProblem(http.StatusConflict, "")
		f.do("DELETE", users+"/u1", nil).wantProblem(http.StatusConflict, "")
		if list := f.do("GET", "/operations", nil).list(); len(list) != 0 {
			t.Errorf("%v", list)
		}
	})
}

func TestOffboardingIsPreviewedAndCancelled(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		id, users := f.writing()
		f.operate(str(t, f.do("POST", users, newAda()).want(http.StatusAccepted), "id"))
		f.push(id, "ada@contoso.com")
		path := users + "/00000000-0000-4000-8000-000000000001/offboard"
		plan := f.do("POST", path, map[string]any{"dry_run": true}).want(http.StatusOK)
		var actions []string
		for _, s := range objects(t, plan["steps"]) {
			actions = append(actions, s["action"].(string)+" "+s["state"].(string))
		}
		want := "deactivate_account pending, check pending, disable pending, revoke_sessions pending, read_groups pending, remove_member pending, remove_member skipped, read_licences pending"
		if got := strings.Join(actions, ", "); plan["state"] != "planned" || got != want {
			t.Errorf("the plan is %s, want %s", got, want)
		}
		later := f.do("POST", path, map[string]any{"at": "2027-01-01T00:00:00Z"}, "Idempotency-Key", "k").want(http.StatusAccepted)
		if later["state"] != "scheduled" || later["at"] != "2027-01-01T00:00:00Z" {
			t.Errorf("%v", later)
		}
		cancelled := f.do("POST", "/operations/"+str(t, later, "id")+"/cancel", nil).want(http.StatusOK)
		if cancelled["state"] != "cancelled" {
			t.Errorf("%v", cancelled)
		}
		f.do("POST", "/operations/"+str(t, later, "id")+"/cancel", nil).wantProblem(http.StatusConflict, "")
		if now := f.do("POST", path, nil).want(http.StatusAccepted); now["state"] != "queued" {
			t.Errorf("%v", now)
		}
		if list := f.do("GET", "/accounts?email=ada@contoso.com", nil).list(); len(list) != 1 || list[0]["status"] != "deactivated" {
			t.Errorf("%v", list)
		}
	})
}

// operationOf stores an operation of an integration, as if its settings had let it be asked for.
func (f *fixture) operationOf(integrationID string) string {
	f.t.Helper()
	o := model.Operation{
		OrganizationID: f.org.ID, IntegrationID: integrationID, Kind: model.OperationUpdateUser, State: model.OperationQueued, Open: true, Subject: "id:u1",
		UserID: "u1", UserName: "grace@contoso.com", Steps: []model.OperationStep{{Position: 1, Action: model.StepCheck, State: model.StepPending}},
	}
	err := f.svc.Store.InTx(f.t.Context(), func(tx *store.Tx) error { _, err := tx.InsertOperation(&o); return err })
	if err != nil {
		f.t.Fatal(err)
	}
	return o.ID
}
