package console_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"usher/directory"
	"usher/model"
	"usher/model/store/storetest"
)

// TestWizard goes the way from nothing to people.
func TestWizard(t *testing.T) {
	each(t, func(f *fixture) {
		f = f.as(f.master)
		f.get("/integrations").want(http.StatusOK, `data-empty="not-connected"`)
		f.get("/integrations/new").want(http.StatusOK, "How people come")
		f.post("/integrations/new", "name", "", "ingress", "scim", "tenant_id", "typed").want(http.StatusOK, `aria-invalid="true"`, `value="typed"`)
		f.post("/integrations/new", "name", "Contoso", "ingress", "carrier-pigeon").want(http.StatusOK, "carrier-pigeon")
		made := f.post("/integrations/new", "name", "Contoso", "ingress", "scim").want(http.StatusSeeOther)
		path := strings.TrimPrefix(made.Header.Get("Location"), "/console")
		i, err := f.store.Read(f.Context()).Integrations(f.org.ID)
		f.ok(err)
		f.get(path).want(http.StatusOK, "is made. Now connect it", "Make a token", "every 2s", "Tenant URL")
		f.post(path+"/token", "name", "", "expires_at", "365").want(http.StatusOK, "Is required")
		f.post(path+"/token", "name", "Entra", "expires_at", "never").want(http.StatusOK, "Choose how long")
		token := regexp.MustCompile(`usher_scim_[\w-]+`).FindString(f.post(path+"/token", "name", "Entra", "expires_at", "365").want(http.StatusOK, "cannot be shown again").body)
		if _, err := f.svc.SCIMToken(f.Context(), i[0].ID, token); err != nil {
			t.Errorf("the token that was shown does not work: %v", err)
		}
		f.get(path).want(http.StatusOK, "Entra has something to show").lacks(token)
		f.logged(i[0].Ref(), storetest.NewRequest(i[0].Ref(), "look for nobody"))
		f.push(i[0], "ada@contoso.example", "Ada Lovelace")
		steps := f.get(path+"/steps", "HX-Request", "true").want(http.StatusOK, "Entra last called just now", "People are arriving", "Waiting for the first group")
		steps.lacks("<html")
		group := model.DirectoryGroup{Document: model.NewDocument(map[string]any{"displayName": "HR"})}
		_, err = f.svc.CreateGroup(f.Context(), i[0].Ref(), group, nil)
		f.ok(err)
		_, err = f.svc.PutRole(f.Context(), f.org.ID, model.Role{Key: "hr", Name: "HR"})
		f.ok(err)
		_, err = f.svc.ChangeGroupMappings(f.Context(), i[0].Ref(), []model.GroupMapping{{Group: model.GroupSelector{DisplayName: "HR"}, Role: "hr"}}, directory.Replacing[model.GroupMapping]())
		f.ok(err)
		f.get(path+"/steps", "HX-Request", "true").want(http.StatusOK, "All done").lacks("every 2s")
	})
}

func TestIntegration(t *testing.T) {
	each(t, func(f *fixture) {
		i := f.contoso()
		f = f.as(f.master)
		path := "/integrations/" + i.ID
		f.get(path).want(http.StatusOK, "Contoso", "/scim/v2/"+i.ID, "Remove…")
		form := []string{"name", "Contoso A/S", "role_sync", "mirror", "default_role", "guest", "priority", "7", "guard.minimum", "3", "guard.percent", "2", "graph.cloud", "global"}
		f.post(path+"/edit", append(form, "priority", "x", "name", "")...).want(http.StatusSeeOther) // the first of each counts
		f.post(path+"/edit", "name", "New", "role_sync", "mirror", "priority", "many").want(http.StatusOK, "is not a whole number", `value="New"`, `value="many"`)
		f.post(path+"/edit", "name", "New", "role_sync", "sometimes", "priority", "1", "guard.minimum", "1", "guard.percent", "1", "graph.cloud", "global").want(http.StatusOK, "sometimes")
		f.get(path).want(http.StatusOK, "Contoso A/S", "mirrored")
		token, _, err := f.svc.CreateSCIMToken(f.Context(), i.Ref(), "old", nil)
		f.ok(err)
		f.post(path + "/tokens/" + token.ID + "/revoke").to("/console" + path + "#tokens")
		f.get(path+"/remove").want(http.StatusOK, "Accounts stay as they are")
		f.post(path+"/remove", "name", "contoso").want(http.StatusOK, "not the name of the integration", `value="contoso"`)
		f.post(path+"/remove", "name", "Contoso A/S").to("/console/integrations")
		f.get("/integrations").want(http.StatusOK, "is removed")
		f.get(path).want(http.StatusNotFound)
	})
}

// TestRemovalIsForTheOwner lets the owner of an integration remove it, and nobody else who has not the right.
func TestRemovalIsForTheOwner(t *testing.T) {
	each(t, func(f *fixture) {
		rights := []model.Right{model.RightRead, model.RightManageIntegrations}
		owner, other := f.as(f.operator("owner@contoso.example", rights...)), f.as(f.operator("other@contoso.example", rights...))
		owner.post("/integrations/new", "name", "Contoso", "ingress", "scim").want(http.StatusSeeOther)
		list, err := f.store.Read(f.Context()).Integrations(f.org.ID)
		f.ok(err)
		path := "/integrations/" + list[0].ID
		other.get(path).want(http.StatusOK).lacks("Remove…")
		other.get(path+"/remove").want(http.StatusForbidden, "Only the owner of an integration (owner@contoso.example)")
		other.post(path+"/remove", "name", "Contoso").want(http.StatusForbidden)
		owner.get(path).want(http.StatusOK, "Remove…")
		owner.post(path+"/remove", "name", "Contoso").to("/console/integrations")
	})
}

func TestOperators(t *testing.T) {
	each(t, func(f *fixture) {
		m := f.as(f.master)
		m.post("/settings/operators", "email", "nonsense", "name", "Ada").want(http.StatusOK, `value="nonsense"`, `value="Ada"`, "f-email-error")
		invited := m.post("/settings/operators", "email", "ada@contoso.example", "name", "Ada", "rights", "read", "rights", "operators").want(http.StatusOK, "ada@contoso.example is invited")
		link := regexp.MustCompile(`/console/welcome\?token=(usher_link_[\w-]+)`).FindStringSubmatch(invited.body)
		ada := *f
		ada.browser = newBrowser(t)
		ada.post("/welcome", "token", link[1], "password", "short").want(http.StatusUnprocessableEntity, "at least 12")
		ada.post("/welcome", "token", link[1], "password", password).to("/console")
		ada.get("/").want(http.StatusOK)
		o, err := f.store.Read(t.Context()).OperatorByEmail(f.org.ID, "ada@contoso.example")
		f.ok(err)

		// Ada manages operators and no more: she can neither give what she has not nor become who has more.
		ada.post("/settings/operators", "email", "eve@contoso.example", "rights", "all").want(http.StatusOK, "only rights that you have yourself")
		ada.post("/settings/operators/"+o.ID+"/rights", "rights-sent", "1", "rights", "all").want(http.StatusOK, "only rights that you have yourself")
		ada.post("/settings/operators/"+f.master.ID+"/link").want(http.StatusOK, "which you have not").lacks("usher_link_")
		ada.post("/settings/operators/"+f.master.ID+"/remove").want(http.StatusOK, "which you have not")
		m.post("/settings/operators/"+f.master.ID+"/rights", "rights-sent", "1", "rights", "read").want(http.StatusOK, "the last operator with every right")
		m.post("/settings/operators/"+f.master.ID+"/remove").want(http.StatusOK, "the last operator with every right")

		m.post("/settings/operators/"+o.ID+"/rights", "rights-sent", "1", "rights", "read").to("/console/settings/operators")
		ada.get("/settings/operators").want(http.StatusForbidden)
		m.get("/logs/activity").want(http.StatusOK, "The rights of operator ada@contoso.example changed", "&#34;before&#34;")
		m.post("/settings/operators/" + o.ID + "/remove").to("/console/settings/operators")
		ada.get("/").to("/console/sign-in")
	})
}

func TestKeysAndPassword(t *testing.T) {
	each(t, func(f *fixture) {
		limited := f.as(f.operator("keys@contoso.example", model.RightRead, model.RightManageKeys))
		limited.post("/settings/api-keys", "name", "x", "rights", "all", "expires_at", "90").want(http.StatusOK, "only rights that you have yourself")
		shown := limited.post("/settings/api-keys", "name", "script", "rights", "read", "expires_at", "90").want(http.StatusOK, "cannot be shown again")
		key, err := f.svc.APIKey(f.Context(), regexp.MustCompile(`usher_api_[\w-]+`).FindString(shown.body))
		f.ok(err)
		limited.post("/settings/api-keys/" + key.ID + "/revoke").to("/console/settings/api-keys")

		m, elsewhere := f.as(f.master), f.as(f.master)
		m.post("/me/password", "present", "wrong password here", "password", "another long password").want(http.StatusOK, "not your present password")
		m.post("/me/password", "present", password, "password", "short").want(http.StatusOK, "at least 12")
		m.post("/me/password", "present", password, "password", "another long password").to("/console/me")
		m.get("/me").want(http.StatusOK, "Your password is changed")
		elsewhere.get("/").to("/console/sign-in")
	})
}

func TestLogs(t *testing.T) {
	each(t, func(f *fixture) {
		f.get("/logs").want(http.StatusSeeOther)
		m := f.as(f.master)
		m.get("/logs").want(http.StatusOK, `data-empty="not-connected"`)
		i := f.contoso()
		m.get("/logs").want(http.StatusOK, "Update user person1@contoso.example", "userName is taken", "409")
		m.get("/logs?result=errors&integration="+i.ID).want(http.StatusOK, "409").lacks(">200<")
		m.get("/logs?q=nothing+like+it").want(http.StatusOK, `data-empty="filtered"`)
		m.get("/logs/rejections").want(http.StatusOK, "expired", "192.0.2.1")
		request := regexp.MustCompile(`/console(/logs/requests/[\w/-]+)`).FindStringSubmatch(m.get("/logs").body)
		m.get(request[1]).want(http.StatusOK, "What was sent", "[redacted]", "&#34;userName&#34;: &#34;ada&#34;")
		m.get("/logs/activity?q=exclusions").want(http.StatusOK, "exclusions").lacks("Grace Visitor")
		m.get("/logs/activity/export?q=exclusions").want(http.StatusOK, "occurred_at,actor")
		f.lapse.Store(int64(90 * time.Minute))
		m.get("/logs?hours=1").want(http.StatusOK, `data-empty="filtered"`)
	})
}
