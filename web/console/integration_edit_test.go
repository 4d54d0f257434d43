package console_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"usher/directory"
	"usher/model"
)

// settingsForm is what a browser sends of an integration's settings, with some fields otherwise; an empty value leaves a field out.
func settingsForm(pairs ...string) []string {
	form := map[string]string{
		"name": "Contoso", "role_sync": "reconcile", "priority": "100", "guard.minimum": "10", "guard.percent": "5", "graph.cloud": "global", "scope": "groups", "do": "save",
	}
	for n := 0; n+1 < len(pairs); n += 2 {
		if form[pairs[n]] = pairs[n+1]; pairs[n+1] == "" {
			delete(form, pairs[n])
		}
	}
	var out []string
	for name, value := range form {
		out = append(out, name, value)
	}
	return out
}

// pemOf makes a certificate that ends at a time, and its key.
func pemOf(t testing.TB, ends time.Time) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	of := x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "usher"}, NotBefore: ends.AddDate(-1, 0, 0), NotAfter: ends}
	made, err := x509.CreateCertificate(rand.Reader, &of, &of, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: made})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}))
}

// TestIntegrationAccess edits how an integration reaches Graph. No secret is ever shown.
func TestIntegrationAccess(t *testing.T) {
	certificate, key := pemOf(t, time.Now().AddDate(1, 0, 0))
	each(t, func(f *fixture) {
		i := f.contoso()
		f = f.as(f.master)
		page := "/integrations/" + i.ID + "/edit"
		get := func() model.Integration {
			got, err := f.store.Read(t.Context()).Integration(i.Ref())
			f.ok(err)
			return got
		}
		f.get(page).want(http.StatusOK, "How Usher proves who it is", "Certificate with its private key", "Only what an administrator asks for").lacks("Forget the")
		for text, wrong := range map[string]string{"nonsense": "Is no PEM", certificate: "without its private key", key: "without its certificate"} {
			f.post(page, settingsForm("graph.certificate_pem", text)...).want(http.StatusOK, `id="f-graph-certificate_pem-error"`, wrong).lacks(strings.TrimSpace(text) + "</textarea>")
		}
		f.post(page, settingsForm("graph.auth", "carrier-pigeon")...).want(http.StatusOK, `id="f-graph-auth-error"`)
		f.post(page, settingsForm("graph.client_id", strings.Repeat("x", 201))...).want(http.StatusOK, `id="f-graph-client_id-error"`)
		f.post(page, settingsForm("graph.client_secret", strings.Repeat("x", 4001))...).want(http.StatusOK, `id="f-graph-client_secret-error"`)

		// A secret that was typed beside a mistake is kept, and not shown.
		again := f.post(page, settingsForm("graph.client_secret", "hunter2 is secret", "priority", "many")...).want(http.StatusOK, "is not a whole number", "What you typed is kept").lacks("hunter2")
		sealed := regexp.MustCompile(`name="sealed" value="([^"]+)"`).FindStringSubmatch(again.body)[1]
		f.as(f.master).post(page, settingsForm("sealed", sealed)...).want(http.StatusOK, "type them again") // of another session
		if get().Graph.HasSecret {
			t.Error("a secret of another session was taken")
		}
		f.post(page, settingsForm("sealed", sealed, "graph.client_id", "app", "tenant_id", "contoso.example", "write_back.update", "on", "write_back.by_hand_only", "on")...).to("/console/integrations/" + i.ID)
		if a, err := f.svc.GraphAccess(t.Context(), i.Ref()); err != nil || a.ClientSecret != "hunter2 is secret" {
			t.Errorf("the secret is %q: %v", a.ClientSecret, err)
		}
		if got := get(); !got.WriteBack.ByHandOnly || !got.WriteBack.Update {
			t.Errorf("write-back is %+v", got.WriteBack)
		}
		f.get("/integrations/"+i.ID).want(http.StatusOK, "update; only what an administrator asks for", "a client secret")
		f.get(page).want(http.StatusOK, `name="write_back.by_hand_only" value="on" checked`, "Forget the client secret", "There is one").lacks("hunter2")
		f.post(page, settingsForm("forget.graph.client_secret", "on", "graph.client_secret", "another")...).want(http.StatusOK, "do one of the two")
		f.post(page, settingsForm("forget.graph.client_secret", "on", "graph.certificate_pem", certificate+key, "graph.auth", "certificate")...).to("/console/integrations/" + i.ID)
		if got := get().Graph; got.HasSecret || !got.HasCertificate || got.Auth != directory.GraphAuthCertificate {
			t.Errorf("access is %+v", got)
		}
	})
}

// TestIntegrationConfirmed: what may deactivate people is saved only after a page has said so, with the plan.
func TestIntegrationConfirmed(t *testing.T) {
	each(t, func(f *fixture) {
		i := f.contoso()
		f = f.as(f.master)
		page := "/integrations/" + i.ID + "/edit"
		form := settingsForm("require_group", "on", "graph.client_secret", "hunter2 is secret", "name", "Contoso A/S", "guard.minimum", "20")
		ask := f.post(page, form...).want(http.StatusOK, "Save these settings?", "Who is in no mapped group is deactivated", "Only members of mapped groups", "The guard lets more people", "Contoso A/S", "Client secret", "replaced", "Queued").lacks("hunter2")
		if got, err := f.store.Read(t.Context()).Integration(i.Ref()); err != nil || got.RequireGroup || got.Graph.HasSecret {
			t.Fatalf("asking has saved %+v (%v)", got, err)
		}
		hidden := url.Values{}
		var again []string
		for _, m := range regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`).FindAllStringSubmatch(ask.body, -1) {
			if hidden.Add(m[1], m[2]); m[1] != "next" {
				again = append(again, m[1], m[2])
			}
		}
		run := f.planned(regexp.MustCompile(`/console(/runs/[\w-]+)/events`).FindStringSubmatch(ask.body)[1])
		if run.Counts[model.ActionDeactivate] != 1 { // the guest is in no group
			t.Errorf("the plan is %v", run.Counts)
		}
		f.post(page, append(again, "again", "yes")...).want(http.StatusOK, "Settings of Contoso", `value="Contoso A/S"`, `name="require_group" value="on" checked`, "What you typed is kept").lacks("hunter2")
		f.post(page, append(again, "confirm", "yes")...).to("/console/integrations/" + i.ID)
		got, err := f.store.Read(t.Context()).Integration(i.Ref())
		f.ok(err)
		if !got.RequireGroup || !got.Graph.HasSecret || got.Name != "Contoso A/S" || got.Guard.Minimum != 20 {
			t.Errorf("saved is %+v", got)
		}
		// What deactivates nobody is saved at once; it can be looked at before all the same.
		f.post(page, settingsForm("require_group", "on", "role_sync", "mirror", "do", "preview")...).want(http.StatusOK, "Save these settings?", "mirrored")
		f.post(page, settingsForm("require_group", "on", "role_sync", "sometimes", "do", "preview")...).want(http.StatusOK, `id="f-role_sync-error"`, "Settings of Contoso")
		f.post(page, settingsForm("role_sync", "mirror")...).to("/console/integrations/" + i.ID)
	})
}

// TestIntegrationChangedMeanwhile: settings that somebody else has changed are not overwritten.
func TestIntegrationChangedMeanwhile(t *testing.T) {
	each(t, func(f *fixture) {
		i := f.contoso()
		f = f.as(f.master)
		page := "/integrations/" + i.ID + "/edit"
		was := regexp.MustCompile(`name="was" value="([^"]+)"`).FindStringSubmatch(f.get(page).body)[1]
		f.post(page, settingsForm("was", was, "priority", "7")...).to("/console/integrations/" + i.ID)
		f.post(page, settingsForm("was", was, "priority", "8", "name", "Other")...).want(http.StatusOK, "Somebody has changed these settings", `value="Other"`)
		got, err := f.store.Read(t.Context()).Integration(i.Ref())
		f.ok(err)
		if got.Priority != 7 || got.Name != "Contoso" {
			t.Errorf("saved is %+v", got)
		}
	})
}

// TestImportRisks: a narrower import is asked about, a wider one is not.
func TestImportRisks(t *testing.T) {
	each(t, func(f *fixture) {
		c := f.importing(0)
		f = f.as(f.master)
		page := c.path + "/edit"
		f.post(page, settingsForm("scope", "everyone", "nested_groups", "on", "tenant_id", "contoso.example")...).to("/console" + c.path)
		f.post(page, settingsForm("scope", "groups", "tenant_id", "fabrikam.example")...).want(http.StatusOK, "everyone else is deactivated", "by another group alone leaves the scope", "Another tenant has other people", "everyone in the tenant")
		f.post(page, settingsForm("scope", "everyone", "nested_groups", "on", "tenant_id", "contoso.example", "require_group", "on", "confirm", "yes")...).to("/console" + c.path)
	})
}
