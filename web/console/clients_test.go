package console_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// TestClients makes a client, gives it a second secret and an issuer, and takes all of it away again.
func TestClients(t *testing.T) {
	each(t, func(f *fixture) {
		i := f.contoso()
		f = f.as(f.master)
		f.get("/integrations/"+i.ID).want(http.StatusOK, "/clients", "There is none. Entra can get short-lived tokens")
		all := "/integrations/" + i.ID + "/clients"
		f.get(all).want(http.StatusOK, "There is no client yet")
		f.post(all, "name", "Entra", "expires_at", "365", "token_minutes", "7").want(http.StatusOK, `id="f-token_minutes-error"`, `value="Entra"`, `value="7"`)
		f.post(all, "name", "", "expires_at", "365", "token_minutes", "60").want(http.StatusOK, `id="f-name-error"`)
		f.post(all, "name", "Entra", "expires_at", "soon", "token_minutes", "60").want(http.StatusOK, `id="f-expires_at-error"`)
		made := f.post(all, "name", "Entra", "expires_at", "365", "token_minutes", "90").want(http.StatusOK, "cannot be shown again", "/oauth2/token", "90 minutes")
		secret := regexp.MustCompile(`id="client-secret" value="([^"]+)"`).FindStringSubmatch(made.body)[1]
		list, err := f.store.Read(t.Context()).SCIMClientsAfter(i.Ref(), "", 10)
		f.ok(err)
		one := all + "/" + list[0].ID
		f.get(all).want(http.StatusOK, "Entra", one)
		f.get(one).want(http.StatusOK, "Secrets", "Add a secret").lacks(secret)

		more := f.post(one+"/secrets", "expires_at", "90").want(http.StatusOK, "cannot be shown again")
		if strings.Contains(more.body, secret) {
			t.Error("the first secret is shown again")
		}
		f.post(one+"/secrets", "expires_at", "90").want(http.StatusConflict)
		f.post(one + "/secrets/" + list[0].Secrets[0].ID + "/delete").to("/console" + one)
		f.get(one).want(http.StatusOK, "The secret is deleted")

		f.post(one+"/issuers", "subject", "app", "audience", "usher").want(http.StatusOK, `id="f-tenant_id-error"`, `value="usher"`)
		f.post(one+"/issuers", "tenant_id", "5f9e1b1c-3d6a-4b52-9e0a-0a1b2c3d4e5f", "subject", "app-of-contoso", "audience", "usher").to("/console" + one)
		trusted := f.get(one).want(http.StatusOK, "tenant 5f9e1b1c", "app-of-contoso")
		f.post(regexp.MustCompile(`/console(/integrations/[\w/-]+/issuers/[\w-]+/delete)`).FindStringSubmatch(trusted.body)[1]).to("/console" + one)
		f.get(one).want(http.StatusOK, "trusted no more").lacks("app-of-contoso")
		f.post(one + "/delete").to("/console" + all)
		f.get(one).want(http.StatusNotFound)
	})
}
