package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"usher/model"
	"usher/model/store"
)

// estate is one of everything that has an id in an organization.
type estate struct {
	integration, token, run, account, user, group, apiKey string
	client, secret, federation, request                   string
	mailbox, calendar, event, room, list, operation       string
	endpoint, delivery                                    string
}

func (f *fixture) estate() estate {
	f.t.Helper()
	e := estate{integration: f.integration()}
	for _, path := range []string{"/roles/mine", "/departments/mine", "/sites/mine", "/modules/mine"} {
		f.do("PUT", path, map[string]any{"name": "Mine"}).want(http.StatusOK)
	}
	f.do("PUT", "/custom-fields/mine", map[string]any{"name": "Mine", "type": "text"}).want(http.StatusOK)
	f.do("PUT", "/employees/mine", map[string]any{"given_name": "Ada"}).want(http.StatusCreated)
	f.do("PUT", "/integrations/"+e.integration+"/field-mappings", `[{"source":"title","target":"job_title"}]`).entries()
	e.token = str(f.t, f.do("POST", "/integrations/"+e.integration+"/scim-tokens", map[string]any{"name": "x"}).want(http.StatusCreated), "id")
	clients := "/integrations/" + e.integration + "/scim-clients"
	made := f.do("POST", clients, map[string]any{"name": "x"}).want(http.StatusCreated)
	e.client = str(f.t, made, "client_id")
	e.secret = str(f.t, f.do("POST", clients+"/"+e.client+"/secrets", map[string]any{}).want(http.StatusCreated), "id")
	e.federation = str(f.t, f.do("POST", clients+"/"+e.client+"/federations", map[string]any{
		"tenant_id": "5f9e1b1c-3d6a-4b52-9e0a-0a1b2c3d4e5f", "subject": "ada", "audience": "x",
	}).want(http.StatusCreated), "id")
	e.request = f.logged(e.integration, model.SCIMRequest{Summary: "read user Ada"})
	user := f.push(e.integration, "ada@contoso.com")
	e.user = user.ID
	if user.AccountID != nil {
		e.account = *user.AccountID
	}
	e.group = f.group(e.integration, "HR", e.user).ID
	e.run = str(f.t, f.do("POST", "/integrations/"+e.integration+"/previews", nil).want(http.StatusAccepted), "id")
	f.office(&e)
	e.list = f.list(e.integration)
	e.operation = f.operationOf(e.integration)
	e.endpoint = str(f.t, f.do("POST", "/webhook-endpoints", map[string]any{"url": "https://app.contoso.com/hooks"}).want(http.StatusCreated), "id")
	e.delivery = str(f.t, f.do("POST", "/webhook-endpoints/"+e.endpoint+"/test", nil).want(http.StatusAccepted), "id")
	e.apiKey = str(f.t, f.do("POST", "/api-keys", map[string]any{"name": "x", "rights": []string{"read"}}).want(http.StatusCreated), "id")
	return e
}

// list stores a distribution list of an integration.
func (f *fixture) list(integrationID string) string {
	f.t.Helper()
	l := model.List{
		OrganizationID: f.org.ID, IntegrationID: integrationID, ExternalID: objectA, DisplayName: "Everybody", Kind: model.ListMicrosoft365,
		State: model.ListReady,
	}
	if err := f.svc.Store.InTx(f.t.Context(), func(tx *store.Tx) error { tx.InsertList(&l); return nil }); err != nil {
		f.t.Fatal(err)
	}
	return l.ID
}

// of gives the id that a route of the estate's owner would have.
func (e estate) of(organizationID string) func(route, string) string {
	return func(r route, name string) string {
		switch {
		case name == "number":
			return "1"
		case name == "token_id":
			return e.token
		case name == "client_id":
			return e.client
		case name == "secret_id":
			return e.secret
		case name == "request_id":
			return e.request
		case name == "federation_id":
			return e.federation
		case name == "delivery_id":
			return e.delivery
		case name == "uid":
			return e.user
		case name == "gid":
			return e.group
		case name == "key", name == "external_id":
			return "mine"
		case strings.HasPrefix(r.path, "/integrations"):
			return e.integration
		case strings.HasPrefix(r.path, "/runs"):
			return e.run
		case strings.HasPrefix(r.path, "/operations"):
			return e.operation
		case strings.HasPrefix(r.path, "/accounts"):
			return e.account
		case strings.HasPrefix(r.path, "/lists"):
			return e.list
		case strings.HasPrefix(r.path, "/calendars"):
			return e.calendar
		case strings.HasPrefix(r.path, "/events"):
			return e.event
		case strings.HasPrefix(r.path, "/mailboxes"):
			return e.mailbox
		case strings.HasPrefix(r.path, "/api-keys"):
			return e.apiKey
		case strings.HasPrefix(r.path, "/webhook-endpoints"):
			return e.endpoint
		}
		return organizationID
	}
}

// snapshot is everything that the organization's key can read, by path.
func (f *fixture) snapshot(e estate) map[string]string {
	f.t.Helper()
	all := map[string]string{}
	for _, path := range []string{
		"/integrations", "/roles", "/departments", "/sites", "/modules", "/custom-fields", "/accounts", "/employees", "/runs", "/api-keys",
		"/changes", "/activity", "/calendars", "/rooms", "/lists", "/operations", "/webhook-endpoints",
		"/webhook-endpoints/" + e.endpoint + "/deliveries",
	} {
		all[path] = string(f.do("GET", path+"?limit=500", nil).raw)
		if path == "/changes" { // where the reader goes on from is the installation's affair
			all[path], _, _ = strings.Cut(all[path], `"next":`)
		}
	}
	for _, path := range []string{"group-mappings", "field-mappings", "field-mappings/versions", "exclusions", "chosen-groups", "room-groups", "lists", "scim-tokens", "scim-clients", "directory-users", "scim-requests", "scim-rejections", "directory-groups"} {
		all[path] = string(f.do("GET", "/integrations/"+e.integration+"/"+path, nil).raw)
	}
	for _, path := range []string{
		"/mailboxes?integration=" + e.integration, "/calendars/" + e.calendar + "/events?from=2026-11-01T00:00:00Z&to=2026-12-01T00:00:00Z",
	} {
		all[path] = string(f.do("GET", path, nil).raw)
	}
	return all
}

// unchanged fails the test where the organization is not as it was.
func (f *fixture) unchanged(e estate, before map[string]string) {
	f.t.Helper()
	for path, now := range f.snapshot(e) {
		if now != before[path] {
			f.t.Errorf("%s changed from\n%s\nto\n%s", path, before[path], now)
		}
	}
}

func TestAnotherOrganizationSeesAndChangesNothing(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		e := f.estate()
		other := f.as(adminKey).do("POST", "/organizations", map[string]any{"slug": "fabrikam", "name": "Fabrikam"}).want(http.StatusCreated)
		_, routes := f.document()
		stranger := f.as(f.newKey(str(t, other, "id"), model.RightAll))
		before := f.snapshot(e)
		foreign := 0
		for _, r := range routes {
			path := r.at(e.of(f.org.ID))
			named := strings.Contains(r.path, "{") && !strings.Contains(r.path, "{key}") && !strings.Contains(r.path, "{external_id}")
			if r.Installation || r.path == "/runs/{id}/events" && !named {
				continue
			}
			body, header := r.body()
			res := stranger.do(r.method, path, body, header...)
			switch {
			case res.StatusCode >= 500:
				t.Errorf("%s %s: %d %s", r.method, path, res.StatusCode, res.raw)
			case named && res.StatusCode != http.StatusNotFound:
				t.Errorf("%s %s: %d, want 404: %s", r.method, path, res.StatusCode, res.raw)
			case named:
				foreign++
			}
			for _, id := range []string{e.account, e.run, e.group, e.calendar, e.event, e.room, e.list, e.operation, e.endpoint, e.delivery, "Ada"} {
				if !named && strings.Contains(string(res.raw), id) {
					t.Errorf("%s %s shows what belongs to another organization: %s", r.method, path, res.raw)
				}
			}
		}
		if foreign < 35 {
			t.Errorf("only %d routes were tried with foreign ids", foreign)
		}
		f.unchanged(e, before)
	})
}

func TestEveryRouteTakesBadInput(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		e := f.estate()
		_, routes := f.document()
		admin := f.as(adminKey)
		before := f.snapshot(e)
		for _, r := range routes {
			body, header := r.body()
			if strings.Contains(r.path, "{") && !strings.Contains(r.path, "{key}") && !strings.Contains(r.path, "{external_id}") {
				for _, bad := range []string{"1", "not-an-id", "%00", "%27%20OR%201=1", "%F0%9F%90%9F", "00000000-0000-0000-0000-00000000000G", strings.Repeat("x", 5000)} {
					path := r.at(func(route, string) string { return bad })
					res := admin.do(r.method, path, body, header...)
					if res.StatusCode != http.StatusNotFound && res.StatusCode != http.StatusUnprocessableEntity {
						t.Errorf("%s %s: %d: %.200s", r.method, path, res.StatusCode, res.raw)
					}
				}
			}
			if r.RequestBody == nil || header != nil {
				continue
			}
			for _, bad := range []string{`{`, `"text"`, `[1,2]`, `{"\u0000":1}`, `nonsense`, `{"a":` + strings.Repeat("[", 20000) + `}`, "\xff\xfe"} {
				res := admin.do(r.method, r.at(e.of("none")), bad)
				if res.StatusCode < 400 || res.StatusCode >= 500 {
					t.Errorf("%s %s with %.20q: %d: %.200s", r.method, r.path, bad, res.StatusCode, res.raw)
				}
				var problem map[string]any
				if err := json.Unmarshal(res.raw, &problem); err != nil || problem["detail"] == "" {
					t.Errorf("%s %s with %.20q: no problem: %.200s", r.method, r.path, bad, res.raw)
				}
			}
		}
		for _, word := range []string{"SQL", "gorm", "pgx", "json: cannot"} {
			if strings.Contains(f.log.String(), word) {
				t.Errorf("a failure of ours was logged: %s", f.log.String())
			}
		}
		f.unchanged(e, before)
	})
}
