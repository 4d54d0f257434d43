package directory_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"usher/directory"
	"usher/model"
)

const (
	tenantA = "5f9e1b1c-3d6a-4b52-9e0a-0a1b2c3d4e5f"
	tenantB = "6f9e1b1c-3d6a-4b52-9e0a-0a1b2c3d4e5f"
)

// change edits an integration.
func (w *world) change(ref model.Ref, edit func(*model.Integration)) {
	w.Helper()
	_, err := w.svc.ChangeIntegration(w.ctx, ref, func(i *model.Integration) error { edit(i); return nil }, nil)
	w.ok(err)
}

// read gives an integration as it is stored.
func (w *world) read(ref model.Ref) model.Integration {
	w.Helper()
	i, err := w.store.Read(w.ctx).Integration(ref)
	w.ok(err)
	return i
}

func TestConsent(t *testing.T) {
	each(t, func(w *world) {
		ref := w.integration("Calendars", model.RoleSyncReconcile)
		_, err := w.svc.ConsentURL(w.ctx, ref, "https://usher.contoso.example")
		w.refused(err, model.Refused, "graph.client_id", "no application (client) id")
		w.change(ref, func(i *model.Integration) { i.Graph.ClientID, i.Graph.Cloud = "app-1", "usgov" })

		page, err := w.svc.ConsentURL(w.ctx, ref, "https://usher.contoso.example")
		w.ok(err)
		u, err := url.Parse(page)
		w.ok(err)
		if got := u.Scheme + "://" + u.Host + u.Path; got != "https://login.microsoftonline.us/organizations/adminconsent" {
			w.Fatalf("the page is %s", got)
		}
		if q := u.Query(); q.Get("client_id") != "app-1" || q.Get("redirect_uri") != "https://usher.contoso.example/graph/consent" {
			w.Fatalf("%v", q)
		}
		state := u.Query().Get("state")
		if strings.Contains(state, ref.IntegrationID) {
			w.Fatal("the state can be read")
		}
		answer := func(over url.Values) error {
			q := url.Values{"state": {state}, "tenant": {tenantA}, "admin_consent": {"True"}}
			for k, v := range over {
				q[k] = v
			}
			_, err := w.svc.FinishConsent(w.ctx, q)
			return err
		}
		w.refused(answer(url.Values{"state": {"forged.AAAA"}}), model.Invalid, "state", "does not belong to a consent")
		w.refused(answer(url.Values{"error": {"consent_required"}, "error_description": {"AADSTS65004:\nuser declined"}}), model.Refused, "",
			"consent_required: AADSTS65004: user declined")
		w.refused(answer(url.Values{"admin_consent": {"False"}}), model.Invalid, "admin_consent", "did not say")
		w.refused(answer(url.Values{"tenant": {"contoso"}}), model.Invalid, "tenant", "not the id of a tenant")
		if i := w.read(ref); i.TenantID != "" {
			w.Fatalf("an answer that was refused set the tenant to %s", i.TenantID)
		}

		w.ok(answer(nil))
		if i := w.read(ref); i.TenantID != tenantA {
			w.Fatalf("the tenant is %q", i.TenantID)
		}
		w.ok(answer(nil)) // the page is loaded again
		w.refused(answer(url.Values{"tenant": {tenantB}}), model.Refused, "tenant", "belongs to tenant "+tenantA)
		w.clock.move(61 * time.Minute)
		w.refused(answer(nil), model.Invalid, "state", "more than an hour ago")
	})
}

func TestGraphAccess(t *testing.T) {
	each(t, func(w *world) {
		ref := w.integration("Calendars", model.RoleSyncReconcile)
		_, err := w.svc.GraphAccess(w.ctx, ref)
		w.refused(err, model.Refused, "tenant_id", "which tenant")
		w.change(ref, func(i *model.Integration) { i.TenantID = tenantA })
		_, err = w.svc.GraphAccess(w.ctx, ref)
		w.refused(err, model.Refused, "graph.client_id", "client")
		w.change(ref, func(i *model.Integration) { i.Graph.ClientID = "app-1" })
		_, err = w.svc.GraphAccess(w.ctx, ref)
		w.refused(err, model.Refused, "graph.client_secret", "neither")

		for _, step := range []struct {
			auth    string
			secrets map[string]string
			want    directory.GraphAccess
		}{
			{"", map[string]string{directory.SecretClientSecret: "hunter2hunter2"}, directory.GraphAccess{Auth: "secret", ClientSecret: "hunter2hunter2"}},
			{"", map[string]string{directory.SecretCertificatePEM: bothParts}, directory.GraphAccess{Auth: "certificate", CertificatePEM: bothParts}},
			{"secret", nil, directory.GraphAccess{Auth: "secret", ClientSecret: "hunter2hunter2"}},
			{"federated", nil, directory.GraphAccess{Auth: "federated"}},
			{"managed_identity", nil, directory.GraphAccess{Auth: "managed_identity"}},
		} {
			_, err := w.svc.ChangeIntegration(w.ctx, ref, func(i *model.Integration) error { i.Graph.Auth = step.auth; return nil }, step.secrets)
			w.ok(err)
			got, err := w.svc.GraphAccess(w.ctx, ref)
			w.ok(err)
			got.Integration = model.Integration{}
			if got != step.want {
				w.Errorf("auth %q: %+v, want %+v", step.auth, got, step.want)
			}
		}
		_, err = w.svc.ChangeIntegration(w.ctx, ref, func(i *model.Integration) error { i.Graph.Auth = "magic"; return nil }, nil)
		w.refused(err, model.Invalid, "graph.auth", "magic")
	})
}

func TestPreflight(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		i       model.Integration
		roles   []string
		missing string
	}{
		{"nothing switched on", model.Integration{Ingress: model.IngressSCIM}, nil, ""},
		{"calendars", model.Integration{Ingress: model.IngressSCIM, CalendarSync: true}, []string{"Calendars.ReadWrite", "Directory.Read.All"}, "Calendars.Read Place.Read.All"},
		{"calendars, read only", model.Integration{Ingress: model.IngressSCIM, CalendarSync: true, ReadOnly: true}, []string{"Calendars.Read", "User.Read.All", "Place.Read.All"}, ""},
		{"import", model.Integration{Ingress: model.IngressGraph}, []string{"User.Read.All"}, "GroupMember.Read.All"},
		{"write-back", model.Integration{Ingress: model.IngressSCIM, WriteBack: model.WriteBack{Create: true}}, []string{"Directory.ReadWrite.All"}, ""},
		{"write-back, read only", model.Integration{Ingress: model.IngressSCIM, ReadOnly: true, WriteBack: model.WriteBack{Create: true}}, nil, ""},
	} {
		var missing []string
		for _, g := range directory.Preflight(directory.NeedsOf(model.IntegrationSettings{Integration: tt.i}), tt.roles) {
			if !g.Granted {
				missing = append(missing, g.Permission)
			}
		}
		if got := strings.Join(missing, " "); got != tt.missing {
			t.Errorf("%s: missing %q, want %q", tt.name, got, tt.missing)
		}
	}
}

// bothParts is a PEM text of a certificate and a key, as far as it is looked at before it is used.
const bothParts = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
