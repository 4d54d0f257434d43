package directory_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"usher/directory"
	"usher/internal/secret"
	"usher/model"
	"usher/model/store"
)

// scimClient makes a client and gives it with its secret.
func (w *world) scimClient(minutes int, expires *time.Time) (model.SCIMClient, string) {
	w.Helper()
	c, text, err := w.svc.CreateSCIMClient(w.ctx, w.ref, "Entra", minutes, expires)
	w.ok(err)
	return c, text
}

// denied fails the test unless the token is refused for that reason.
func (w *world) denied(svc *directory.Service, integration, token string, why model.Denial) {
	w.Helper()
	_, err := svc.SCIMToken(w.ctx, integration, token)
	w.refused(err, model.Unauthorized, "", string(why))
}

func (w *world) letIn(svc *directory.Service, token string) model.SCIMCaller {
	w.Helper()
	caller, err := svc.SCIMToken(w.ctx, w.ref.IntegrationID, token)
	w.ok(err)
	return caller
}

func TestServiceClientCredentials(t *testing.T) {
	each(t, func(w *world) {
		end := w.clock.Now().Add(400 * 24 * time.Hour)
		client, text := w.scimClient(90, &end)
		grant, err := w.svc.SecretGrant(w.ctx, client.ID, text)
		w.ok(err)
		if grant.Valid != 90*time.Minute || grant.Ref != w.ref || !strings.HasPrefix(grant.Token, secret.PrefixAccess) {
			w.Fatalf("%+v", grant)
		}
		caller := w.letIn(w.svc, grant.Token)
		if caller.Ref != w.ref || caller.CredentialID != client.ID || caller.CredentialName != "Entra" {
			w.Fatalf("%+v", caller)
		}
		w.denied(w.svc, w.integration("Other", model.RoleSyncReconcile).IntegrationID, grant.Token, model.DeniedElsewhere)
		w.denied(w.svc, w.ref.IntegrationID, grant.Token+"A", model.DeniedUnknown)
		stored, err := w.store.Read(w.ctx).SCIMClient(w.ref, client.ID)
		w.ok(err)
		if stored.LastUsedAt == nil || stored.Secrets[0].LastUsedAt == nil || !stored.Secrets[0].ExpiresAt.Equal(end) ||
			strings.Contains(stored.Secrets[0].Hash, text[len(text)-20:]) {
			w.Fatalf("%+v", stored)
		}
		w.clock.move(90*time.Minute - time.Second)
		w.letIn(w.svc, grant.Token)
		w.clock.move(3 * time.Second)
		w.denied(w.svc, w.ref.IntegrationID, grant.Token, model.DeniedExpired)
	})
}

// TestServiceClientSecretsThatAreNoGood tries every secret that must not be taken.
func TestServiceClientSecretsThatAreNoGood(t *testing.T) {
	each(t, func(w *world) {
		soon := w.clock.Now().Add(time.Hour)
		client, text := w.scimClient(0, &soon)
		other, otherText := w.scimClient(0, nil)
		gone, goneText := w.scimClient(0, nil)
		w.ok(w.svc.DeleteSCIMClient(w.ctx, w.ref, gone.ID))
		foreign, err := secret.Parse(secret.NewKey())
		w.ok(err)
		no := func(id, text string, why model.Denial) {
			w.Helper()
			_, err := w.svc.SecretGrant(w.ctx, id, text)
			w.refused(err, model.Unauthorized, "", string(why))
		}
		no(client.ID, "", model.DeniedMalformed)
		no(client.ID, text[:len(text)-1], model.DeniedMalformed)
		no("nobody", text, model.DeniedMalformed)
		no(client.ID, foreign.NewToken(secret.PrefixClient, client.Secrets[0].ID), model.DeniedUnknown)
		no(client.ID, w.svc.Keys.NewToken(secret.PrefixClient, client.Secrets[0].ID), model.DeniedUnknown)
		no(client.ID, otherText, model.DeniedOtherClient)
		no(other.ID, text, model.DeniedOtherClient)
		no(gone.ID, goneText, model.DeniedRevoked)
		w.clock.move(time.Hour)
		no(client.ID, text, model.DeniedExpired)
	})
}

// TestServiceClientSecretRotation replaces a secret without a gap, and ends the access tokens of the one that goes.
func TestServiceClientSecretRotation(t *testing.T) {
	each(t, func(w *world) {
		client, first := w.scimClient(0, nil)
		old := must(w, w.svc.SecretGrant)(w.ctx, client.ID, first).Token
		row, second, err := w.svc.CreateSCIMClientSecret(w.ctx, w.ref, client.ID, nil)
		w.ok(err)
		fresh := must(w, w.svc.SecretGrant)(w.ctx, client.ID, second).Token
		w.letIn(w.svc, old)
		w.letIn(w.svc, fresh)
		_, _, err = w.svc.CreateSCIMClientSecret(w.ctx, w.ref, client.ID, nil)
		w.refused(err, model.Refused, "", "delete")
		replica := directory.New(w.svc.Options)
		w.letIn(replica, old)
		w.ok(w.svc.DeleteSCIMClientSecret(w.ctx, w.ref, client.ID, client.Secrets[0].ID))
		w.denied(w.svc, w.ref.IntegrationID, old, model.DeniedRevoked)
		w.letIn(w.svc, fresh)
		w.clock.move(10 * time.Second)
		w.denied(replica, w.ref.IntegrationID, old, model.DeniedRevoked)
		w.letIn(replica, fresh)
		w.refused(w.svc.DeleteSCIMClientSecret(w.ctx, w.ref, client.ID, client.Secrets[0].ID), model.NotFound, "", "")

		w.ok(w.svc.DeleteSCIMClientSecret(w.ctx, w.ref, client.ID, row.ID))
		brief := w.clock.Now().Add(time.Minute)
		_, third, err := w.svc.CreateSCIMClientSecret(w.ctx, w.ref, client.ID, &brief)
		w.ok(err)
		lasting := must(w, w.svc.SecretGrant)(w.ctx, client.ID, third).Token
		w.clock.move(2 * time.Minute)
		w.letIn(w.svc, lasting) // a token outlives the natural end of its secret
		w.clock.move(25 * time.Hour)
		_, _, err = w.svc.CreateSCIMClientSecret(w.ctx, w.ref, client.ID, nil)
		w.ok(err)
		stored, err := w.store.Read(w.ctx).SCIMClient(w.ref, client.ID)
		w.ok(err)
		if len(stored.Secrets) != 1 {
			w.Fatalf("the secret that expired long ago stays: %+v", stored.Secrets)
		}
		for _, a := range w.log() {
			for _, text := range []string{first, second, third} {
				if strings.Contains(a.Summary+string(a.Data), text[len(text)-20:]) {
					w.Fatalf("the log shows a secret: %+v", a)
				}
			}
		}
	})
}

// TestServiceTwoReplicasAddSecretsAtOnce: of many who add a secret at the same time, one succeeds.
func TestServiceTwoReplicasAddSecretsAtOnce(t *testing.T) {
	each(t, func(w *world) {
		replicas := []*directory.Service{w.svc, directory.New(w.svc.Options)}
		for range 10 {
			client, _ := w.scimClient(0, nil)
			start := make(chan struct{})
			var wg sync.WaitGroup
			var made atomic.Int32
			for i := range 12 {
				wg.Go(func() {
					<-start
					_, _, err := replicas[i%2].CreateSCIMClientSecret(w.ctx, w.ref, client.ID, nil)
					if err == nil {
						made.Add(1)
					} else if model.KindOf(err) != model.Refused {
						w.Errorf("%v", err)
					}
				})
			}
			close(start)
			wg.Wait()
			if n := made.Load(); n != 1 {
				w.Fatalf("%d secrets were added, want 1", n)
			}
		}
	})
}

func TestServiceClientsAreChecked(t *testing.T) {
	each(t, func(w *world) {
		past := w.clock.Now()
		for field, make := range map[string]func() error{
			"token_minutes": func() error { _, _, err := w.svc.CreateSCIMClient(w.ctx, w.ref, "x", 59, nil); return err },
			"name":          func() error { _, _, err := w.svc.CreateSCIMClient(w.ctx, w.ref, " ", 60, nil); return err },
			"expires_at":    func() error { _, _, err := w.svc.CreateSCIMClient(w.ctx, w.ref, "x", 60, &past); return err },
		} {
			w.refused(make(), model.Invalid, field, "")
		}
		_, _, err := w.svc.CreateSCIMClient(w.ctx, w.ref, "x", 361, nil)
		w.refused(err, model.Invalid, "token_minutes", "360")
		graph, err := w.svc.CreateIntegration(w.ctx, w.org, directory.DefaultIntegration("Graph", model.IngressGraph), nil)
		w.ok(err)
		_, _, err = w.svc.CreateSCIMClient(w.ctx, graph.Ref(), "x", 0, nil)
		w.refused(err, model.Refused, "", "over Graph")
		for range 50 {
			w.scimClient(0, nil)
		}
		_, _, err = w.svc.CreateSCIMClient(w.ctx, w.ref, "x", 0, nil)
		w.refused(err, model.Refused, "", "50 clients")

		client := must(w, func(ref model.Ref, after string, limit int) ([]model.SCIMClient, error) {
			return w.store.Read(w.ctx).SCIMClientsAfter(ref, after, limit)
		})(w.ref, "", 1)[0]
		for name, c := range map[string]struct {
			change func(*model.SCIMClientFederation)
			field  string
		}{
			"neither":               {func(f *model.SCIMClientFederation) { f.TenantID = "" }, "tenant_id"},
			"both":                  {func(f *model.SCIMClientFederation) { f.Issuer = "https://x" }, "tenant_id"},
			"a name for an id":      {func(f *model.SCIMClientFederation) { f.TenantID = "contoso.com" }, "tenant_id"},
			"an unknown cloud":      {func(f *model.SCIMClientFederation) { f.Cloud = "moon" }, "cloud"},
			"no subject":            {func(f *model.SCIMClientFederation) { f.Subject = "" }, "subject"},
			"a subject of controls": {func(f *model.SCIMClientFederation) { f.Subject = "a\x00b" }, "subject"},
			"a long subject":        {func(f *model.SCIMClientFederation) { f.Subject = strings.Repeat("x", 501) }, "subject"},
			"no audience":           {func(f *model.SCIMClientFederation) { f.Audience = "" }, "audience"},
			"keys without TLS":      {func(f *model.SCIMClientFederation) { f.JWKSURL = "http://contoso.com/keys" }, "jwks_url"},
			"issuer without keys":   {func(f *model.SCIMClientFederation) { f.TenantID, f.Issuer = "", "https://id.contoso.com" }, "jwks_url"},
			"issuer without TLS": {func(f *model.SCIMClientFederation) {
				f.TenantID, f.Issuer, f.JWKSURL = "", "http://id.contoso.com", "https://id.contoso.com/keys"
			}, "issuer"},
			"issuer in a cloud": {func(f *model.SCIMClientFederation) {
				f.TenantID, f.Issuer, f.JWKSURL, f.Cloud = "", "https://id.contoso.com", "https://id.contoso.com/keys", "global"
			}, "cloud"},
		} {
			f := contosoTrust()
			c.change(&f)
			if _, err := w.svc.CreateSCIMFederation(w.ctx, w.ref, client.ID, f); model.KindOf(err) != model.Invalid || !strings.HasPrefix(err.Error(), c.field+": ") {
				w.Errorf("%s: %v, want a refusal of %s", name, err, c.field)
			}
		}
		f, err := w.svc.CreateSCIMFederation(w.ctx, w.ref, client.ID, contosoTrust())
		w.ok(err)
		if f.Cloud != "global" || f.ID == "" {
			w.Fatalf("%+v", f)
		}
		_, err = w.svc.CreateSCIMFederation(w.ctx, w.ref, client.ID, contosoTrust())
		w.refused(err, model.Conflict, "subject", "already")
	})
}

// TestServiceWrongTokensDoNotReachTheDatabase floods with tokens that are revoked, and with made-up ones.
func TestServiceWrongTokensDoNotReachTheDatabase(t *testing.T) {
	each(t, func(w *world) {
		row, revoked, err := w.svc.CreateSCIMToken(w.ctx, w.ref, "gone", nil)
		w.ok(err)
		w.ok(w.svc.DeleteSCIMToken(w.ctx, w.ref, row.ID))
		client, text := w.scimClient(0, nil)
		access := must(w, w.svc.SecretGrant)(w.ctx, client.ID, text).Token
		w.ok(w.svc.DeleteSCIMClient(w.ctx, w.ref, client.ID))
		for _, token := range []string{access, revoked} { // each is looked up once, after what was revoked last
			w.denied(w.svc, w.ref.IntegrationID, token, model.DeniedRevoked)
		}
		foreign, err := secret.Parse(secret.NewKey())
		w.ok(err)
		dead, cancel := context.WithCancel(w.ctx)
		cancel() // whatever asks the database now fails
		for range 50 {
			_, err := w.svc.SCIMToken(dead, w.ref.IntegrationID, revoked)
			w.refused(err, model.Unauthorized, "", string(model.DeniedRevoked))
			_, err = w.svc.SCIMToken(dead, w.ref.IntegrationID, access)
			w.refused(err, model.Unauthorized, "", string(model.DeniedRevoked))
			_, err = w.svc.SecretGrant(dead, client.ID, foreign.NewToken(secret.PrefixClient, store.NewID()))
			w.refused(err, model.Unauthorized, "", string(model.DeniedUnknown))
		}
		asked := 0
		for range 1000 {
			_, err := w.svc.SCIMToken(w.ctx, w.ref.IntegrationID, foreign.NewToken(secret.PrefixSCIM, store.NewID()))
			var throttled *model.Throttled
			if asThrottled(err, &throttled) {
				continue
			}
			w.refused(err, model.Unauthorized, "", string(model.DeniedUnknown))
			asked++
		}
		if asked > 100 { // the clock stands still
			w.Errorf("%d of 1000 made-up tokens were looked up", asked)
		}
		_, good, err := w.svc.CreateSCIMToken(w.ctx, w.ref, "good", nil)
		w.ok(err)
		w.letIn(w.svc, good) // in the middle of the flood
	})
}

// TestServiceRotationWithoutAGap: a new token works at once on every replica, the old one until it is revoked.
func TestServiceRotationWithoutAGap(t *testing.T) {
	each(t, func(w *world) {
		replica := directory.New(w.svc.Options)
		old, oldText, err := w.svc.CreateSCIMToken(w.ctx, w.ref, "2025", nil)
		w.ok(err)
		both := func(token string) {
			w.Helper()
			w.letIn(w.svc, token)
			w.letIn(replica, token)
		}
		both(oldText)
		_, newText, err := w.svc.CreateSCIMToken(w.ctx, w.ref, "2026", nil)
		w.ok(err)
		both(newText)
		both(oldText)
		w.ok(w.svc.DeleteSCIMToken(w.ctx, w.ref, old.ID))
		both(newText)
		w.denied(w.svc, w.ref.IntegrationID, oldText, model.DeniedRevoked)
		w.clock.move(10 * time.Second)
		w.denied(replica, w.ref.IntegrationID, oldText, model.DeniedRevoked)
		both(newText)
	})
}
