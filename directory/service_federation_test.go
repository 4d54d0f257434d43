package directory_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"usher/directory"
	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
)

// entra is the sign-in service of a pretend cloud.
type entra struct {
	*httptest.Server
	key *rsa.PrivateKey
	w   *world
}

func newEntra(w *world) *entra {
	w.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	w.ok(err)
	e := &entra{key: key, w: w}
	e.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/"+tenantID+"/discovery/v2.0/keys" {
			http.NotFound(rw, r)
			return
		}
		_ = json.NewEncoder(rw).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &key.PublicKey, KeyID: "k"}}})
	}))
	w.Cleanup(e.Close)
	return e
}

// assertion is what Entra vouches with for the enterprise application, changed as the case has it.
func (e *entra) assertion(change ...func(map[string]any)) string {
	e.w.Helper()
	now := e.w.clock.Now()
	claims := map[string]any{
		"iss": e.URL + "/" + tenantID + "/v2.0", "sub": contosoTrust().Subject, "aud": contosoTrust().Audience,
		"exp": now.Add(time.Hour).Unix(), "nbf": now.Unix(), "iat": now.Unix(),
	}
	for _, fn := range change {
		fn(claims)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: e.key}, (&jose.SignerOptions{}).WithHeader("kid", "k"))
	e.w.ok(err)
	text, err := jwt.Signed(signer).Claims(claims).Serialize()
	e.w.ok(err)
	return text
}

func TestServiceFederation(t *testing.T) {
	each(t, func(w *world) {
		idp := newEntra(w)
		opt := w.svc.Options
		opt.LoginURL = idp.URL + "/"
		svc := directory.New(opt)
		client, _ := w.scimClient(0, nil)
		f, err := svc.CreateSCIMFederation(w.ctx, w.ref, client.ID, contosoTrust())
		w.ok(err)
		var access string
		for name, id := range map[string]string{"named": client.ID, "found by its subject": ""} {
			grant, err := svc.AssertionGrant(w.ctx, id, idp.assertion())
			if err != nil || grant.CredentialID != client.ID || grant.Valid != time.Hour {
				w.Fatalf("%s: %+v, %v", name, grant, err)
			}
			access = grant.Token
			w.letIn(svc, access)
		}
		for name, iss := range map[string]string{
			"version 2": idp.URL + "/" + tenantID + "/v2.0", "without version": idp.URL + "/" + tenantID, "version 1": "https://sts.windows.net/" + tenantID + "/",
		} {
			if _, err := svc.AssertionGrant(w.ctx, client.ID, idp.assertion(func(c map[string]any) { c["iss"] = iss })); err != nil {
				w.Errorf("issuer of %s: %v", name, err)
			}
		}
		for name, c := range map[string]struct {
			change func(map[string]any)
			want   string
		}{
			"another tenant":    {func(c map[string]any) { c["iss"] = idp.URL + "/" + client.ID + "/v2.0" }, "no federation trusts"},
			"another principal": {func(c map[string]any) { c["sub"] = client.ID }, "no federation trusts"},
			"another audience":  {func(c map[string]any) { c["aud"] = "api://other" }, "no federation trusts"},
			"a NUL":             {func(c map[string]any) { c["sub"] = "a\x00b" }, "no federation trusts"},
			"a NUL as audience": {func(c map[string]any) { c["aud"] = []string{"a\x00b"} }, "no federation trusts"},
			"expired":           {func(c map[string]any) { c["exp"] = 1 }, "expired"},
		} {
			for _, id := range []string{client.ID, ""} {
				_, err := svc.AssertionGrant(w.ctx, id, idp.assertion(c.change))
				if model.KindOf(err) != model.Unauthorized || !strings.Contains(err.Error(), c.want) {
					w.Errorf("%s, client %q: %v", name, id, err)
				}
			}
		}
		w.refusedAssertion(svc, client.ID, "no.token.atall", "signed")
		w.refusedAssertion(svc, store.NewID(), idp.assertion(), string(model.DeniedUnknown))

		stored, err := w.store.Read(w.ctx).SCIMClient(w.ref, client.ID)
		w.ok(err)
		if stored.Federations[0].LastUsedAt == nil {
			w.Fatalf("%+v", stored)
		}
		w.ok(svc.DeleteSCIMFederation(w.ctx, w.ref, client.ID, f.ID))
		w.denied(svc, w.ref.IntegrationID, access, model.DeniedRevoked)
		w.refusedAssertion(svc, client.ID, idp.assertion(), "no federation trusts")
	})
}

func (w *world) refusedAssertion(svc *directory.Service, id, text, want string) {
	w.Helper()
	_, err := svc.AssertionGrant(w.ctx, id, text)
	w.refused(err, model.Unauthorized, "", want)
}

// TestServiceFederationOfSeveralClients: whoever trusts the same as another one cannot take what is meant for that one.
func TestServiceFederationOfSeveralClients(t *testing.T) {
	each(t, func(w *world) {
		idp := newEntra(w)
		opt := w.svc.Options
		opt.LoginURL = idp.URL
		svc := directory.New(opt)
		mine, _ := w.scimClient(0, nil)
		_, err := svc.CreateSCIMFederation(w.ctx, w.ref, mine.ID, contosoTrust())
		w.ok(err)
		intruder := *w
		intruder.org = must(w, w.svc.CreateOrganization)(w.ctx, "intruder", "").ID
		intruder.ref = intruder.integration("Intruder", model.RoleSyncReconcile)
		theirs, _ := intruder.scimClient(0, nil)
		_, err = svc.CreateSCIMFederation(w.ctx, intruder.ref, theirs.ID, contosoTrust())
		w.ok(err)
		w.refusedAssertion(svc, "", idp.assertion(), "several clients")
		grant, err := svc.AssertionGrant(w.ctx, mine.ID, idp.assertion())
		if err != nil || grant.Ref != w.ref {
			w.Fatalf("%+v, %v", grant, err)
		}
		idp.Close()
		_, err = directory.New(opt).AssertionGrant(w.ctx, mine.ID, idp.assertion())
		var throttled *model.Throttled
		if !asThrottled(err, &throttled) {
			w.Fatalf("an issuer that does not answer: %v", err)
		}
	})
}

func asThrottled(err error, into **model.Throttled) bool {
	t, ok := err.(*model.Throttled) //nolint:errorlint // never wrapped
	*into = t
	return ok
}

// TestServiceCloudsHaveTheirOwnIssuers checks which issuer stands for a tenant of which cloud. The keys of no cloud can be
// fetched here: a trusted issuer is asked for them, any other is refused before.
func TestServiceCloudsHaveTheirOwnIssuers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLiteURL(t))
	idp := newEntra(w)
	client, _ := w.scimClient(0, nil)
	for cloud, hosts := range map[string][2]string{
		"global": {"https://login.microsoftonline.com", "https://sts.windows.net"},
		"usgov":  {"https://login.microsoftonline.us", "https://sts.windows.net"},
		"dod":    {"https://login.microsoftonline.us", "https://sts.windows.net"},
		"china":  {"https://login.partner.microsoftonline.cn", "https://sts.chinacloudapi.cn"},
	} {
		f := contosoTrust()
		f.Cloud, f.Subject, f.JWKSURL = cloud, cloud, idp.URL+"/"+tenantID+"/discovery/v2.0/keys"
		_, err := w.svc.CreateSCIMFederation(w.ctx, w.ref, client.ID, f)
		w.ok(err)
		for _, iss := range []string{hosts[0] + "/" + tenantID + "/v2.0", hosts[0] + "/" + tenantID, hosts[1] + "/" + tenantID + "/"} {
			if _, err := w.svc.AssertionGrant(w.ctx, client.ID, idp.assertion(func(c map[string]any) { c["iss"], c["sub"] = iss, cloud })); err != nil {
				t.Errorf("%s: issuer %s: %v", cloud, iss, err)
			}
		}
		w.refusedAssertion(w.svc, client.ID, idp.assertion(func(c map[string]any) { c["iss"], c["sub"] = "https://login.example/"+tenantID+"/v2.0", cloud }), "no federation")
	}
}
