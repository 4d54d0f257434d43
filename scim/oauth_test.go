package scim_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/labstack/echo/v4"

	"usher/internal/secret"
	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
	"usher/scim"
)

const (
	jwtGrant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	jwtType  = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
)

// tokens is the world with a client, and both endpoints as one server has them.
type tokens struct {
	world
	http.Handler
	client model.SCIMClient
	secret string
	log    *strings.Builder
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func newTokens(t *testing.T, db *store.Store, limits *scim.Limits) *tokens {
	t.Helper()
	w := newWorld(t, db)
	x := &tokens{world: w, log: &strings.Builder{}}
	var err error
	if x.client, x.secret, err = w.service.CreateSCIMClient(t.Context(), w.ref, "Entra", 0, nil); err != nil {
		t.Fatal(err)
	}
	e := echo.New()
	logger := slog.New(slog.NewTextHandler(x.log, nil))
	scim.New(scim.Options{
		Directory: w.service, Tokens: w.service, Cursors: w.service.Keys, PublicURL: publicURL, Logger: logger, Limits: limits,
	}).Mount(e)
	scim.NewTokenEndpoint(scim.TokenOptions{Grants: w.service, Limits: limits, Logger: logger}).Mount(e)
	x.Handler = e
	return x
}

// post sends a form to the token endpoint; header holds names and values in turn.
func (x *tokens) post(path, form string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	got := httptest.NewRecorder()
	x.ServeHTTP(got, r)
	return got
}

// form gives a form; names and values in turn.
func form(pairs ...string) string {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return v.Encode()
}

// users asks for the people with a token, and gives the status.
func (x *tokens) users(token string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/scim/v2/"+x.integration+"/Users", nil)
	if token != "" {
		r.Header.Set("Authorization", token)
	}
	got := httptest.NewRecorder()
	x.ServeHTTP(got, r)
	return got
}

type given struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int    `json:"expires_in"`
	Scope       *string
	Error       string
	Description string `json:"error_description"`
}

func read(t *testing.T, got *httptest.ResponseRecorder) given {
	t.Helper()
	var g given
	if err := json.Unmarshal(got.Body.Bytes(), &g); err != nil {
		t.Fatalf("%d %s: %v", got.Code, got.Body, err)
	}
	if h := got.Header(); h.Get("Cache-Control") != "no-store" || h.Get("Pragma") != "no-cache" || h.Get("Content-Type") != "application/json" {
		t.Errorf("headers %v", h)
	}
	return g
}

func basic(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
}

// TestClientCredentials gets tokens in every way that is right, and uses them.
func TestClientCredentials(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newTokens(t, s, nil)
		id, secretText := x.client.ID, x.secret
		for name, got := range map[string]*httptest.ResponseRecorder{
			"basic": x.post("/oauth2/token", form("grant_type", "client_credentials"), "Authorization", basic(id, secretText)),
			"post":  x.post("/oauth2/token", form("grant_type", "client_credentials", "client_id", id, "client_secret", secretText)),
			"basic, and the id again": x.post("/oauth2/token", form("grant_type", "client_credentials", "client_id", id), "Authorization",
				basic(url.QueryEscape(id), url.QueryEscape(secretText))),
			"a slash, a charset": x.post("/oauth2/token/", form("grant_type", "client_credentials", "client_id", id, "client_secret", secretText),
				"Content-Type", "application/x-www-form-urlencoded; charset=UTF-8"),
			"the client's own": x.post("/oauth2/token/"+id, form("grant_type", "client_credentials", "client_secret", secretText)),
			"with unknown parameters": x.post("/oauth2/token?x=1", form("grant_type", "client_credentials", "client_id", id, "client_secret", secretText,
				"resource", "x")),
		} {
			g := read(t, got)
			if got.Code != http.StatusOK || g.TokenType != "Bearer" || g.ExpiresIn != 3600 || g.Scope != nil || !strings.HasPrefix(g.AccessToken, secret.PrefixAccess) {
				t.Errorf("%s: %d %s", name, got.Code, got.Body)
			}
			if users := x.users("Bearer " + g.AccessToken); users.Code != http.StatusOK {
				t.Errorf("%s: the token is good for %d %s", name, users.Code, users.Body)
			}
		}
		g := read(t, x.post("/oauth2/token", form("grant_type", "client_credentials", "client_id", id, "client_secret", secretText, "scope", "scim x")))
		if g.Scope == nil || *g.Scope != "scim x" {
			t.Errorf("the scope is not echoed: %+v", g)
		}
		if err := x.service.DeleteSCIMClient(t.Context(), x.ref, id); err != nil {
			t.Fatal(err)
		}
		users := x.users("Bearer " + g.AccessToken)
		if users.Code != http.StatusUnauthorized {
			t.Errorf("a token of a client that was deleted: %d", users.Code)
		}
		if text := x.log.String(); strings.Contains(text, secretText) || strings.Contains(text, g.AccessToken) {
			t.Error("the log holds a secret")
		}
	})
}

// TestTokenErrors has one case for every way to ask wrongly.
func TestTokenErrors(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newTokens(t, s, nil)
		id, text := x.client.ID, x.secret
		good := []string{"grant_type", "client_credentials", "client_id", id, "client_secret", text}
		with := func(more ...string) string { return form(append(append([]string{}, good...), more...)...) }
		for name, c := range map[string]struct {
			form   string
			header []string
			status int
			code   string
		}{
			"nothing":                   {"", nil, 400, "invalid_request"},
			"no grant type":             {form("client_id", id, "client_secret", text), nil, 400, "invalid_request"},
			"a password grant":          {form("grant_type", "password", "client_id", id, "client_secret", text), nil, 400, "unsupported_grant_type"},
			"twice the same":            {with("grant_type", "client_credentials"), nil, 400, "invalid_request"},
			"JSON":                      {`{"grant_type":"client_credentials"}`, []string{"Content-Type", "application/json"}, 400, "invalid_request"},
			"no media type":             {with(), []string{"Content-Type", ""}, 400, "invalid_request"},
			"not decodable":             {"grant_type=%zz", nil, 400, "invalid_request"},
			"NUL":                       {with("x", "\x00"), nil, 400, "invalid_request"},
			"half a character":          {with("x", "\xff"), nil, 400, "invalid_request"},
			"too large":                 {with("x", strings.Repeat("x", 70_000)), nil, 413, "invalid_request"},
			"a scope that is none":      {with("scope", "ä"), nil, 400, "invalid_scope"},
			"a scope that is too long":  {with("scope", strings.Repeat("x", 2000)), nil, 400, "invalid_scope"},
			"no secret":                 {form("grant_type", "client_credentials", "client_id", id), nil, 401, "invalid_client"},
			"no id":                     {form("grant_type", "client_credentials", "client_secret", text), nil, 400, "invalid_request"},
			"a wrong secret":            {form("grant_type", "client_credentials", "client_id", id, "client_secret", text+"x"), nil, 401, "invalid_client"},
			"another id":                {form("grant_type", "client_credentials", "client_id", store.NewID(), "client_secret", text), nil, 401, "invalid_client"},
			"an id that is none":        {form("grant_type", "client_credentials", "client_id", "'; --", "client_secret", text), nil, 401, "invalid_client"},
			"a SCIM token":              {form("grant_type", "client_credentials", "client_id", id, "client_secret", x.token), nil, 401, "invalid_client"},
			"secret in two places":      {with(), []string{"Authorization", basic(id, text)}, 400, "invalid_request"},
			"two clients":               {form("grant_type", "client_credentials", "client_id", store.NewID()), []string{"Authorization", basic(id, text)}, 400, "invalid_request"},
			"basic, wrong":              {form("grant_type", "client_credentials"), []string{"Authorization", basic(id, "x")}, 401, "invalid_client"},
			"basic, not base64":         {form("grant_type", "client_credentials"), []string{"Authorization", "Basic ?"}, 401, "invalid_client"},
			"basic, no colon":           {form("grant_type", "client_credentials"), []string{"Authorization", "Basic eA=="}, 401, "invalid_client"},
			"bearer":                    {form("grant_type", "client_credentials"), []string{"Authorization", "Bearer " + x.token}, 401, "invalid_client"},
			"secret and assertion":      {with("client_assertion_type", jwtType, "client_assertion", "x"), nil, 400, "invalid_request"},
			"assertion of another type": {form("grant_type", "client_credentials", "client_assertion_type", "saml", "client_assertion", "x"), nil, 400, "invalid_request"},
			"assertion without type":    {form("grant_type", "client_credentials", "client_assertion", "x"), nil, 400, "invalid_request"},
			"type without assertion":    {form("grant_type", "client_credentials", "client_assertion_type", jwtType), nil, 400, "invalid_request"},
			"assertion that is none":    {form("grant_type", "client_credentials", "client_assertion_type", jwtType, "client_assertion", "x"), nil, 401, "invalid_client"},
			"grant that is none":        {form("grant_type", jwtGrant, "assertion", "x"), nil, 400, "invalid_grant"},
			"grant without assertion":   {form("grant_type", jwtGrant), nil, 400, "invalid_request"},
			"grant and secret":          {form("grant_type", jwtGrant, "assertion", "x", "client_secret", text), nil, 400, "invalid_request"},
		} {
			got := x.post("/oauth2/token", c.form, c.header...)
			g := read(t, got)
			if got.Code != c.status || g.Error != c.code || g.Description == "" || g.AccessToken != "" {
				t.Errorf("%s: %d %s, want %d %s", name, got.Code, got.Body, c.status, c.code)
			}
			challenged := got.Header().Get("WWW-Authenticate") != ""
			if used := len(c.header) > 0 && c.header[0] == "Authorization"; challenged != (used && c.status == 401) {
				t.Errorf("%s: WWW-Authenticate %q", name, got.Header().Get("WWW-Authenticate"))
			}
			if strings.Contains(got.Body.String(), text) {
				t.Errorf("%s: the answer shows the secret", name)
			}
		}
		r := httptest.NewRequest(http.MethodGet, "/oauth2/token?"+with(), nil)
		got := httptest.NewRecorder()
		x.ServeHTTP(got, r)
		if read(t, got); got.Code != http.StatusMethodNotAllowed || got.Header().Get("Allow") != "POST" {
			t.Errorf("GET: %d %v", got.Code, got.Header())
		}
		if strings.Contains(x.log.String(), text) || strings.Contains(x.log.String(), "level=ERROR") {
			t.Errorf("the log holds a secret or a failure of ours:\n%s", x.log)
		}
	})
}

// TestTokenLifetimes shows the bounds that Microsoft's gallery asks for.
func TestTokenLifetimes(t *testing.T) {
	t.Parallel()
	x := newTokens(t, storetest.OpenSQLite(t), nil)
	for _, minutes := range []int{60, 360} {
		c, text, err := x.service.CreateSCIMClient(t.Context(), x.ref, "x", minutes, nil)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		x.clock.set(start)
		g := read(t, x.post("/oauth2/token", form("grant_type", "client_credentials", "client_id", c.ID, "client_secret", text)))
		if g.ExpiresIn != minutes*60 {
			t.Errorf("%d seconds for %d minutes", g.ExpiresIn, minutes)
		}
		for after, want := range map[time.Duration]int{0: 200, time.Duration(minutes) * time.Minute: 200, time.Duration(minutes)*time.Minute + 2*time.Second: 401} {
			x.clock.set(start.Add(after))
			if got := x.users("Bearer " + g.AccessToken); got.Code != want {
				t.Errorf("a token of %d minutes after %v: %d, want %d", minutes, after, got.Code, want)
			}
		}
	}
}

// TestFederation exchanges an assertion of a trusted issuer in both forms of RFC 7523.
func TestFederation(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newTokens(t, s, nil)
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		keys := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &key.PublicKey, KeyID: "k"}}})
		}))
		t.Cleanup(keys.Close)
		const tenant = "5f9e1b1c-3d6a-4b52-9e0a-0a1b2c3d4e5f"
		if _, err := x.service.CreateSCIMFederation(t.Context(), x.ref, x.client.ID, model.SCIMClientFederation{
			TenantID: tenant, Subject: x.integration, Audience: "api://usher", JWKSURL: keys.URL,
		}); err != nil {
			t.Fatal(err)
		}
		sign := func(audience string) string {
			signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, (&jose.SignerOptions{}).WithHeader("kid", "k"))
			if err != nil {
				t.Fatal(err)
			}
			text, err := jwt.Signed(signer).Claims(jwt.Claims{
				Issuer: "https://login.microsoftonline.com/" + tenant + "/v2.0", Subject: x.integration, Audience: jwt.Audience{audience},
				Expiry: jwt.NewNumericDate(time.Now().Add(time.Hour)),
			}).Serialize()
			if err != nil {
				t.Fatal(err)
			}
			return text
		}
		good := sign("api://usher")
		for name, c := range map[string]struct{ path, form string }{
			"client assertion":           {"/oauth2/token", form("grant_type", "client_credentials", "client_assertion_type", jwtType, "client_assertion", good)},
			"client assertion, named":    {"/oauth2/token", form("grant_type", "client_credentials", "client_id", x.client.ID, "client_assertion_type", jwtType, "client_assertion", good)},
			"client assertion, own path": {"/oauth2/token/" + x.client.ID, form("grant_type", "client_credentials", "client_assertion_type", jwtType, "client_assertion", good)},
			"grant":                      {"/oauth2/token", form("grant_type", jwtGrant, "assertion", good)},
		} {
			got := x.post(c.path, c.form)
			g := read(t, got)
			if got.Code != 200 || g.ExpiresIn != 3600 || x.users("Bearer "+g.AccessToken).Code != 200 {
				t.Errorf("%s: %d %s", name, got.Code, got.Body)
			}
		}
		bad := sign("api://other")
		if got := x.post("/oauth2/token", form("grant_type", jwtGrant, "assertion", bad)); got.Code != 400 || read(t, got).Error != "invalid_grant" {
			t.Errorf("%d %s", got.Code, got.Body)
		}
		if got := x.post("/oauth2/token", form("grant_type", "client_credentials", "client_assertion_type", jwtType, "client_assertion", bad)); got.Code != 401 ||
			read(t, got).Error != "invalid_client" || strings.Contains(got.Body.String(), "api://") {
			t.Errorf("%d %s", got.Code, got.Body)
		}
		if !strings.Contains(x.log.String(), "api://other") {
			t.Error("the log does not say why")
		}
		if got := x.users("Bearer " + good); got.Code != 401 { // an assertion is no access token
			t.Errorf("the assertion itself: %d", got.Code)
		}
		keys.Close()
		y := newTokens(t, s, nil)
		if _, err := y.service.CreateSCIMFederation(t.Context(), y.ref, y.client.ID, model.SCIMClientFederation{
			TenantID: tenant, Subject: x.integration, Audience: "api://usher", JWKSURL: keys.URL,
		}); err != nil {
			t.Fatal(err)
		}
		if got := y.post("/oauth2/token/"+y.client.ID, form("grant_type", jwtGrant, "assertion", good)); got.Code != 503 || got.Header().Get("Retry-After") == "" {
			t.Errorf("an issuer that does not answer: %d %s", got.Code, got.Body)
		}
	})
}
