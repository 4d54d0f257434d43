package api_test

import (
	"context"
	"strings"
	"testing"

	"usher/model"
	"usher/model/outlook"
	"usher/model/store"
	"usher/model/store/storetest"
)

// grants is a tenant whose application has some permissions, and whose second tenant refuses.
type grants struct{}

func (grants) Permissions(_ context.Context, ref model.Ref) ([]string, error) {
	if ref.IntegrationID == "" {
		return nil, model.Errorf(model.NotFound, "no integration")
	}
	return []string{"Calendars.Read", "Directory.Read.All"}, nil
}

// refuses is a tenant whose sign-in service refuses the secret.
type refuses struct{}

func (refuses) Permissions(context.Context, model.Ref) ([]string, error) {
	return nil, &outlook.Error{Kind: outlook.BadCredentials, Status: 401, Code: "invalid_client", Message: "AADSTS7000222: the secret has expired"}
}

func TestPermissions(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		path := "/integrations/" + f.integration()
		if f.do("GET", path+"/permissions", nil).want(200)["complete"] != true {
			t.Fatal("something is missing although nothing is switched on")
		}
		f.do("PATCH", path, map[string]any{"calendar_sync": true, "read_only": true}).want(200)
		got := f.do("GET", path+"/permissions", nil).want(200)
		var missing []string
		for _, p := range objects(t, got["permissions"]) {
			if p["granted"] != true {
				missing = append(missing, str(t, p, "permission"))
			}
		}
		if strings.Join(missing, " ") != "Place.Read.All" || got["complete"] != false || got["consent"] != nil {
			t.Fatalf("%v", got)
		}
		f.do("GET", path+"/consent", nil).wantProblem(409, "graph.client_id")
		f.do("PATCH", path, map[string]any{"graph": map[string]any{"client_id": "app-1"}}).want(200)
		page := str(t, f.do("GET", path+"/consent", nil).want(200), "url")
		if !strings.Contains(page, "client_id=app-1") || !strings.Contains(page, "redirect_uri=https%3A%2F%2Fusher.contoso.example%2Fgraph%2Fconsent") {
			t.Fatalf("consent is asked for at %s", page)
		}
		if got := f.do("GET", path+"/permissions", nil).want(200); !strings.Contains(str(t, got, "consent"), "client_id=app-1") {
			t.Fatalf("%v", got)
		}
	})
}

func TestPermissionsOfARefusedSecret(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		f := newFixtureWith(t, s, refuses{})
		path := "/integrations/" + f.integration(map[string]any{"calendar_sync": true})
		detail := f.do("GET", path+"/permissions", nil).wantProblem(409, "")
		if !strings.Contains(detail, "AADSTS7000222") {
			t.Errorf("the administrator is told %q", detail)
		}
	})
}
