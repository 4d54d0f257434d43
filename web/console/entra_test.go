package console_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"usher/web/console"
)

const (
	tenantID = "5f9e1b1c-3d6a-4b52-9e0a-0a1b2c3d4e5f"
	clientID = "9a1c1d6e-3d6a-4b52-9e0a-0a1b2c3d4e5f"
	objectID = "11111111-3d6a-4b52-9e0a-0a1b2c3d4e5f"
)

// entra is Entra's OpenID Connect endpoint, as far as signing in needs it. It says of whoever comes what claims says.
type entra struct {
	*testing.T
	server *httptest.Server
	key    *rsa.PrivateKey
	mutex  sync.Mutex
	asked  url.Values // what the browser was sent with
	claims map[string]any
}

func newEntra(t *testing.T) *entra {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	e := &entra{T: t, key: key, claims: map[string]any{}}
	mux := http.NewServeMux()
	e.server = httptest.NewServer(mux)
	t.Cleanup(e.server.Close)
	answer := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v)
	}
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{
			"issuer": e.server.URL, "authorization_endpoint": e.server.URL + "/authorize", "token_endpoint": e.server.URL + "/token",
			"jwks_uri": e.server.URL + "/keys", "id_token_signing_alg_values_supported": []string{"RS256"},
		})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "1", Algorithm: "RS256", Use: "sig"}}})
	})
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("code_verifier") == "" || r.FormValue("grant_type") != "authorization_code" || r.FormValue("code") != "the-code" {
			http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
			return
		}
		answer(w, map[string]any{"access_token": "x", "token_type": "Bearer", "id_token": e.token()})
	})
	return e
}

// token gives an ID token of the claims.
func (e *entra) token() string {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	claims := map[string]any{
		"iss": e.server.URL, "aud": clientID, "sub": "subject", "exp": time.Now().Add(time.Hour).Unix(), "iat": time.Now().Unix(),
		"nonce": e.asked.Get("nonce"), "tid": tenantID, "oid": objectID,
	}
	for k, v := range e.claims {
		claims[k] = v
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: e.key, KeyID: "1"}}, nil)
	if err != nil {
		e.Error(err)
	}
	text, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		e.Error(err)
	}
	return text
}

// signIn goes to Entra and comes back, as whom the claims say.
func (e *entra) signIn(f *fixture, claims map[string]any) answer {
	f.Helper()
	there, err := url.Parse(f.get("/sign-in/entra?next=/console/people").want(http.StatusSeeOther).Header.Get("Location"))
	f.ok(err)
	e.mutex.Lock()
	e.asked, e.claims = there.Query(), claims
	e.mutex.Unlock()
	if e.asked.Get("code_challenge_method") != "S256" || e.asked.Get("redirect_uri") != f.url+"/console/sign-in/entra/return" {
		f.Errorf("Entra is asked %v", e.asked)
	}
	return f.get("/sign-in/entra/return?code=the-code&state=" + url.QueryEscape(e.asked.Get("state")))
}

func TestEntraSignIn(t *testing.T) {
	each(t, func(f *fixture) {
		e := newEntra(t)
		f = f.withEntra(e)
		f.get("/sign-in").want(http.StatusOK, "Sign in with Microsoft Entra")
		verified := map[string]any{"email": masterEmail, "xms_edov": true}
		e.signIn(f, verified).to("/console/people")
		f.get("/me").want(http.StatusOK, "Microsoft Entra")
		f.post("/sign-out")

		// From now on the object id counts, and the address no more.
		e.signIn(f, map[string]any{"email": "renamed@contoso.example", "xms_edov": true}).to("/console/people")
		f.post("/sign-out")
		e.signIn(f, map[string]any{"email": masterEmail, "xms_edov": true, "oid": "22222222-3d6a-4b52-9e0a-0a1b2c3d4e5f"}).
			want(http.StatusForbidden, "another person of Entra")
	})
}

// TestEntraSignInRefuses tries tokens that must not be believed.
func TestEntraSignInRefuses(t *testing.T) {
	each(t, func(f *fixture) {
		e := newEntra(t)
		f = f.withEntra(e)
		for name, tt := range map[string]struct {
			claims map[string]any
			status int
		}{
			"an e-mail of a domain that nobody verified": {map[string]any{"email": masterEmail}, http.StatusForbidden},
			"a guest":           {map[string]any{"preferred_username": "grace_contoso.example#EXT#@other.example"}, http.StatusForbidden},
			"nobody":            {map[string]any{"email": "eve@contoso.example", "xms_edov": true}, http.StatusForbidden},
			"another tenant":    {map[string]any{"email": masterEmail, "xms_edov": true, "tid": "6f9e1b1c-3d6a-4b52-9e0a-0a1b2c3d4e5f"}, http.StatusConflict},
			"another audience":  {map[string]any{"email": masterEmail, "xms_edov": true, "aud": "somebody-else"}, http.StatusConflict},
			"another issuer":    {map[string]any{"email": masterEmail, "xms_edov": true, "iss": "https://evil.example"}, http.StatusConflict},
			"another nonce":     {map[string]any{"email": masterEmail, "xms_edov": true, "nonce": "replayed"}, http.StatusConflict},
			"an old token":      {map[string]any{"email": masterEmail, "xms_edov": true, "exp": time.Now().Add(-time.Hour).Unix()}, http.StatusConflict},
			"without object id": {map[string]any{"email": masterEmail, "xms_edov": true, "oid": ""}, http.StatusConflict},
		} {
			if a := e.signIn(f, tt.claims); a.StatusCode != tt.status {
				t.Errorf("%s: status %d: %s", name, a.StatusCode, a.said())
			}
			f.get("/").to("/console/sign-in")
		}
		there := f.get("/sign-in/entra").Header.Get("Location")
		f.get("/sign-in/entra/return?code=the-code&state=made-up").want(http.StatusBadRequest, "was not begun here")
		if !strings.Contains(there, "nonce=") {
			t.Error(there)
		}
		f.get("/sign-in/entra/return?error=access_denied&state=x").want(http.StatusBadRequest)
	})
}

// TestEntraByUserName lets somebody in by the user name, whose domain Entra has verified always.
func TestEntraByUserName(t *testing.T) {
	each(t, func(f *fixture) {
		e := newEntra(t)
		f = f.withEntra(e)
		e.signIn(f, map[string]any{"preferred_username": strings.ToUpper(masterEmail)}).to("/console/people")
		o, err := f.store.Read(t.Context()).OperatorByEntra(f.org.ID, objectID)
		f.ok(err)
		if o.ID != f.master.ID {
			t.Error(o)
		}
	})
}

// withEntra serves the same database from a console that Entra vouches for.
func (f *fixture) withEntra(e *entra) *fixture {
	f.Helper()
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	f.Cleanup(server.Close)
	handler = console.New(console.Options{Service: f.svc, PublicURL: server.URL, Entra: &console.EntraSignIn{
		Issuer: e.server.URL, TenantID: tenantID, ClientID: clientID, ClientSecret: "secret",
	}})
	other := *f
	other.url, other.browser = server.URL, newBrowser(f.T)
	return &other
}
