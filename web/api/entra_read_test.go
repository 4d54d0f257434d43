package api_test

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"usher/directory"
	"usher/model"
	"usher/model/entra"
	"usher/model/outlook"
)

// browsed is a tenant that can be looked at.
type browsed struct {
	directory.Tenant // what is not here must not be called

	fail error
}

// objectA and its kin are object ids.
const (
	objectA = "5f9e1b1c-3d6a-4b52-9e0a-0000000000a1"
	objectB = "5f9e1b1c-3d6a-4b52-9e0a-0000000000a2"
	objectC = "5f9e1b1c-3d6a-4b52-9e0a-0000000000a3"
)

func contoso() []entra.Group {
	return []entra.Group{
		{ID: objectA, DisplayName: "Everybody", Mail: "all@contoso.com", MailEnabled: true, Types: []string{"Unified"}},
		{ID: objectB, DisplayName: "Sales", SecurityEnabled: true},
		{ID: objectC, DisplayName: "sales", SecurityEnabled: true},
	}
}

func (b *browsed) FindGroups(_ context.Context, search entra.GroupSearch, next string) (entra.GroupPage, error) {
	var page entra.GroupPage
	for _, g := range contoso() {
		if search.Name == "" || strings.EqualFold(search.Name, g.DisplayName) {
			page.Groups = append(page.Groups, g)
		}
	}
	if len(page.Groups) == 3 && next == "" {
		return entra.GroupPage{Groups: page.Groups[:2], Next: "https://graph.example/next"}, b.fail
	}
	if next != "" {
		page.Groups = page.Groups[2:]
	}
	return page, b.fail
}

func (b *browsed) Group(_ context.Context, id string) (entra.Group, error) {
	for _, g := range contoso() {
		if g.ID == id {
			return g, b.fail
		}
	}
	return entra.Group{}, &outlook.Error{Kind: outlook.NotFound, Status: 404}
}

func (b *browsed) FindUsers(context.Context, string, string) (entra.UserPage, error) {
	return entra.UserPage{Users: []entra.User{{ID: objectA, UserPrincipalName: "ada@contoso.com"}}}, b.fail
}

func (b *browsed) Photo(context.Context, string, string) (entra.Photo, error) {
	var p bytes.Buffer
	err := png.Encode(&p, image.NewGray(image.Rect(0, 0, 48, 48)))
	return entra.Photo{Bytes: p.Bytes(), ContentType: "text/html", ETag: "1"}, err
}

// browses gives the path of an integration that pulls from a tenant.
func (f *fixture) browses() (string, *browsed) {
	f.t.Helper()
	tenant := &browsed{}
	f.svc.Tenants = func(context.Context, model.Ref) (directory.Tenant, error) { return tenant, nil }
	made := f.do("POST", "/integrations", map[string]any{"name": "Pulling", "ingress": "graph", "tenant_id": objectC, "scope": "everyone"}).want(http.StatusCreated)
	return "/integrations/" + str(f.t, made, "id"), tenant
}

func TestAvailableGroups(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		path, _ := f.browses()
		first := f.do("GET", path+"/available-groups?limit=1", nil).want(http.StatusOK)
		if list := objects(t, first["data"]); len(list) != 1 || list[0]["external_id"] != objectA || list[0]["can_be_list"] != true || list[0]["chosen"] != false {
			t.Fatalf("%v", first)
		}
		seen := 1
		for next := first["next"]; next != nil; seen++ {
			page := f.do("GET", path+"/available-groups?limit=1&after="+url.QueryEscape(next.(string)), nil).want(http.StatusOK)
			if next = page["next"]; len(objects(t, page["data"])) != 1 {
				t.Fatalf("%v", page)
			}
		}
		if seen != 3 {
			t.Fatalf("%d groups", seen)
		}
		f.do("GET", path+"/available-groups?after=https://evil.example", nil).wantProblem(http.StatusUnprocessableEntity, "after")

		res := f.do("PUT", path+"/chosen-groups", []any{map[string]any{"external_id": objectA}, map[string]any{"display_name": "Sales"}})
		res.wantProblem(http.StatusUnprocessableEntity, "[1].display_name")
		if list := objects(t, res.want(http.StatusUnprocessableEntity)["candidates"]); len(list) != 2 || list[0]["external_id"] != objectB || list[0]["kind"] != "security" {
			t.Fatalf("%s", res.raw)
		}
		if got := f.do("PUT", path+"/chosen-groups", []any{map[string]any{"display_name": "everybody"}}); got.StatusCode != http.StatusOK || !strings.Contains(string(got.raw), objectA) {
			t.Fatalf("%s", got.raw)
		}
		got := f.do("POST", path+"/chosen-groups/bulk", objectB+"\nSales\n", "Content-Type", "text/csv").want(http.StatusOK)
		if len(objects(t, got["added"])) != 1 || len(objects(t, objects(t, got["problems"])[0]["candidates"])) != 2 {
			t.Fatalf("%v", got)
		}
	})
}

func TestListsOfAnIntegration(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		path, _ := f.browses()
		f.do("PUT", path+"/lists", []any{map[string]any{"display_name": "Sales"}}).wantProblem(http.StatusUnprocessableEntity, "[0].display_name")
		if got := f.do("GET", path+"/lists", nil); string(got.raw) != "[]\n" {
			t.Fatalf("%s", got.raw)
		}
		dry := f.do("POST", path+"/lists/bulk?dry_run=true", "Everybody\n", "Content-Type", "text/csv").want(http.StatusOK)
		if len(objects(t, dry["added"])) != 1 || len(f.do("GET", "/lists", nil).list()) != 0 {
			t.Fatalf("%v", dry)
		}
		f.do("POST", path+"/lists/bulk", "Everybody\n", "Content-Type", "text/csv").want(http.StatusOK)
		all := f.do("GET", "/lists?q=every&limit=1", nil).list()
		if len(all) != 1 || all[0]["email"] != "all@contoso.com" || all[0]["state"] != "pending" || all[0]["kind"] != "microsoft365" || all[0]["members"] != 0.0 {
			t.Fatalf("%v", all)
		}
		one := "/lists/" + str(t, all[0], "id")
		if got := f.do("GET", one, nil).want(http.StatusOK); got["external_id"] != objectA {
			t.Fatalf("%v", got)
		}
		if got := f.do("GET", one+"/members", nil).list(); len(got) != 0 {
			t.Fatalf("%v", got)
		}
		f.do("GET", one+"/members?after=AAAA", nil).wantProblem(http.StatusUnprocessableEntity, "after")
		f.do("POST", path+"/lists/bulk", strings.Repeat("x", 5<<20), "Content-Type", "text/csv").wantProblem(http.StatusRequestEntityTooLarge, "")
		f.do("POST", path+"/lists/bulk", "{}", "Content-Type", "application/json").wantProblem(http.StatusUnsupportedMediaType, "")
		if got := f.do("PUT", path+"/lists", []any{}); string(got.raw) != "[]\n" {
			t.Fatalf("%s", got.raw)
		}
		f.do("GET", one, nil).wantProblem(http.StatusNotFound, "")
	})
}

// TestGraphFailures: what Graph refuses is told with its own words, and is never a failure of this server.
func TestGraphFailures(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		path, tenant := f.browses()
		for _, c := range []struct {
			kind   outlook.Kind
			status int
			words  string
		}{
			{outlook.Forbidden, http.StatusConflict, "permission"},
			{outlook.BadCredentials, http.StatusConflict, "credentials"},
			{outlook.Throttled, http.StatusTooManyRequests, "patience"},
			{outlook.Unavailable, http.StatusBadGateway, "try again"},
			{outlook.Invalid, http.StatusUnprocessableEntity, "does not take"},
			{outlook.NotFound, http.StatusNotFound, "does not have"},
			{outlook.Other, http.StatusBadGateway, "failed"},
		} {
			tenant.fail = &outlook.Error{Kind: c.kind, Status: 418, Code: "Some_Code", Message: "Because.", RequestID: "r-1", After: 7 * time.Second}
			res := f.do("GET", path+"/entra/users", nil)
			detail := res.wantProblem(c.status, "")
			graph, _ := res.want(c.status)["graph"].(map[string]any)
			if graph["code"] != "Some_Code" || graph["request_id"] != "r-1" || graph["status"] != 418.0 || graph["message"] != "Because." || !strings.Contains(detail, c.words) {
				t.Errorf("%s", res.raw)
			}
			if after := res.Header.Get("Retry-After"); (after == "7") != (c.kind == outlook.Throttled) {
				t.Errorf("Retry-After %q with %d", after, c.status)
			}
		}
		tenant.fail = nil
		if got := f.do("GET", path+"/entra/users", nil).list(); len(got) != 1 || got[0]["id"] != objectA || got[0]["account_id"] != nil {
			t.Fatalf("%v", got)
		}
		if g := f.do("GET", path+"/entra/groups/"+objectB, nil).want(http.StatusOK); g["membership_writable"] != true {
			t.Fatalf("%v", g)
		}
		f.svc.Tenants = nil
		if detail := f.do("GET", path+"/entra/licences", nil).wantProblem(http.StatusConflict, ""); !strings.Contains(detail, "no access to Microsoft Graph") {
			t.Fatal(detail)
		}
	})
}

func TestPhoto(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		path, _ := f.browses()
		ref := model.Ref{OrganizationID: f.org.ID, IntegrationID: strings.TrimPrefix(path, "/integrations/")}
		doc := model.NewDocument(map[string]any{"userName": "ada@contoso.com", "externalId": objectA, "displayName": "Ada"})
		u, err := f.svc.CreateUser(t.Context(), ref, model.DirectoryUser{Document: doc})
		if err != nil {
			t.Fatal(err)
		}
		photo := "/accounts/" + *u.AccountID + "/photo"
		f.do("GET", photo, nil).wantProblem(http.StatusNotFound, "")
		if err := f.svc.ReadPhotos(t.Context(), directory.ReadPhotos{OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID}); err != nil {
			t.Fatal(err)
		}
		res := f.do("GET", photo, nil)
		if _, format, err := image.Decode(bytes.NewReader(res.raw)); err != nil || format != "png" || res.Header.Get("Content-Type") != "image/png" ||
			res.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Fatalf("%d %v: %v", res.StatusCode, res.Header, err)
		}
		same := f.do("GET", photo, nil, "If-None-Match", res.Header.Get("ETag"))
		if same.StatusCode != http.StatusNotModified || len(same.raw) != 0 {
			t.Fatalf("%d with %d bytes", same.StatusCode, len(same.raw))
		}
		if other := f.do("GET", photo, nil, "If-None-Match", `"other"`); other.StatusCode != http.StatusOK {
			t.Fatalf("%d", other.StatusCode)
		}
	})
}
