package graphapi

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// trusting is a client that believes the authority's certificate, and follows no redirect.
func trusting(s *Server) *http.Client {
	return &http.Client{
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.RootCAs, MinVersion: tls.VersionTLS12}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func TestTokenHasTheTenantsPermissionsAsRoles(t *testing.T) {
	c := start(t, &tenant{roles: []string{"Calendars.Read"}}, nil)
	got := c.askToken(t, url.Values{"client_secret": {"s3cret"}})
	var claims claims
	if !readPart(got.json["access_token"].(string), 1, &claims) {
		t.Fatal("the token is no JWT")
	}
	if claims.TenantID != tenantID || claims.AppID != appID || claims.Audience != "https://graph.microsoft.com" ||
		len(claims.Roles) != 1 || claims.Roles[0] != "Calendars.Read" || claims.ExpiresAt-claims.IssuedAt != 3599 {
		t.Errorf("claims: %+v", claims)
	}
	if got.json["expires_in"] != float64(3599) || got.json["token_type"] != "Bearer" {
		t.Errorf("answer: %s", got.raw)
	}
}

func TestTokenRefusals(t *testing.T) {
	c := start(t, &tenant{}, func(o *Options) {
		o.Apps[0].Secrets = append(o.Apps[0].Secrets, Secret{Value: "old", EndsAt: time.Now().Add(-time.Hour)})
	})
	for _, test := range []struct {
		name   string
		form   url.Values
		status int
		code   string
		number float64
	}{
		{"a wrong secret", url.Values{"client_secret": {"guess"}}, 401, "invalid_client", 7000215},
		{"an expired secret", url.Values{"client_secret": {"old"}}, 401, "invalid_client", 7000222},
		{"an application that is not there", url.Values{"client_id": {"nobody"}, "client_secret": {"s3cret"}}, 400, "unauthorized_client", 700016},
		{"no credentials", nil, 401, "invalid_client", 7000218},
		{"no .default scope", url.Values{"client_secret": {"s3cret"}, "scope": {"User.Read"}}, 400, "invalid_scope", 1002012},
		{"another grant", url.Values{"grant_type": {"password"}}, 400, "unsupported_grant_type", 70003},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := c.askToken(t, test.form)
			if got.status != test.status || got.json["error"] != test.code || got.at("error_codes", "0") != test.number {
				t.Errorf("got %d %s", got.status, got.raw)
			}
			if text, _ := got.json["error_description"].(string); !strings.HasPrefix(text, "AADSTS") {
				t.Errorf("description %q", text)
			}
		})
	}
}

func TestAuthorityKnowsItsTenantAlone(t *testing.T) {
	c := start(t, &tenant{}, nil)
	got := c.send(t, c.request(t, "GET", c.LoginURL+"/"+tenantID+"/v2.0/.well-known/openid-configuration", ""))
	if got.json["token_endpoint"] != c.LoginURL+"/"+tenantID+"/oauth2/v2.0/token" || got.json["issuer"] != c.LoginURL+"/"+tenantID+"/v2.0" {
		t.Errorf("configuration: %s", got.raw)
	}
	got = c.send(t, c.request(t, "GET", c.LoginURL+"/another/v2.0/.well-known/openid-configuration", ""))
	if got.status != 400 || got.at("error_codes", "0") != float64(90002) {
		t.Errorf("another tenant: %d %s", got.status, got.raw)
	}
}

func TestAssertions(t *testing.T) {
	key, certificate := keyPair(t)
	other, _ := keyPair(t)
	c := start(t, &tenant{}, func(o *Options) {
		o.Apps[0].Certificates = []*x509.Certificate{certificate}
		o.Apps[0].Federated = []Federated{{Issuer: "https://issuer.contoso.example", Subject: "workload"}}
	})
	sum := sha256.Sum256(certificate.Raw)
	thumb := base64.RawURLEncoding.EncodeToString(sum[:])
	audience := c.LoginURL + "/" + tenantID + "/oauth2/v2.0/token"
	soon := time.Now().Add(time.Minute).Unix()
	for _, test := range []struct {
		name   string
		thumb  string
		claims map[string]any
		key    *rsa.PrivateKey
		number float64 // 0 is success
	}{
		{"signed by the certificate", thumb, map[string]any{"aud": audience, "iss": appID, "sub": appID, "exp": soon}, key, 0},
		{"signed by another key", thumb, map[string]any{"aud": audience, "iss": appID, "sub": appID, "exp": soon}, other, 700027},
		{"of a certificate that is not registered", "AAAA", map[string]any{"aud": audience, "iss": appID, "sub": appID, "exp": soon}, key, 700027},
		{"over", thumb, map[string]any{"aud": audience, "iss": appID, "sub": appID, "exp": soon - 3600}, key, 700024},
		{"for another audience", thumb, map[string]any{"aud": "https://elsewhere.example", "iss": appID, "sub": appID, "exp": soon}, key, 50027},
		{"federated", "", map[string]any{"iss": "https://issuer.contoso.example", "sub": "workload", "exp": soon}, other, 0},
		{"federated, of another subject", "", map[string]any{"iss": "https://issuer.contoso.example", "sub": "else", "exp": soon}, other, 700213},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := c.askToken(t, url.Values{
				"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
				"client_assertion":      {assertion(t, test.key, test.thumb, test.claims)},
			})
			if test.number == 0 && got.status != 200 || test.number != 0 && got.at("error_codes", "0") != test.number {
				t.Errorf("got %d %s", got.status, got.raw)
			}
		})
	}
}

func keyPair(t *testing.T) (*rsa.PrivateKey, *x509.Certificate) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "usher"}, NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return key, certificate
}

func assertion(t *testing.T, key *rsa.PrivateKey, thumb string, claims map[string]any) string {
	t.Helper()
	head, _ := json.Marshal(map[string]any{"alg": "PS256", "typ": "JWT", "x5t#S256": thumb})
	body, _ := json.Marshal(claims)
	text := encode(head) + "." + encode(body)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPSS(rand.Reader, key, crypto.SHA256, sum[:], nil)
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + encode(signature)
}

func TestConsentComesBackWithStateAndTenant(t *testing.T) {
	c := start(t, &tenant{}, nil)
	ask := func(path string) *url.URL {
		got := c.send(t, c.request(t, "GET", c.LoginURL+"/"+tenantID+path+"client_id="+appID+"&state=st%26te&redirect_uri="+url.QueryEscape("https://usher.contoso.example/back?kept=1"), ""))
		target, err := url.Parse(got.header.Get("Location"))
		if got.status != 302 || err != nil {
			t.Fatalf("%s: %d %v", path, got.status, err)
		}
		return target
	}
	for _, path := range []string{"/adminconsent?", "/v2.0/adminconsent?scope=x&", "/oauth2/v2.0/authorize?prompt=admin_consent&"} {
		q := ask(path).Query()
		if q.Get("admin_consent") != "True" || q.Get("tenant") != tenantID || q.Get("state") != "st&te" || q.Get("kept") != "1" || q.Has("error") {
			t.Errorf("%s: %v", path, q)
		}
	}
	if q := ask("/oauth2/v2.0/authorize?").Query(); q.Get("error") != "login_required" || q.Get("state") != "st&te" {
		t.Errorf("authorize: %v", q)
	}
	c.DenyConsent("access_denied", "AADSTS65004: The user declined to consent to access the app.")
	if q := ask("/adminconsent?").Query(); q.Get("error") != "access_denied" || q.Get("state") != "st&te" || q.Has("tenant") {
		t.Errorf("denied: %v", q)
	}
}

func TestTokensEnd(t *testing.T) {
	var passed atomic.Int64
	begun := time.Now()
	clock := func() time.Time { return begun.Add(time.Duration(passed.Load())) }
	c := start(t, &tenant{}, func(o *Options) { o.Now, o.TokenLifetime = clock, time.Minute })
	if got := c.do(t, "GET", "/users/"+adaID, ""); got.status != 200 {
		t.Fatalf("fresh token: %d %s", got.status, got.raw)
	}
	passed.Add(int64(time.Minute))
	c.do(t, "GET", "/users/"+adaID, "").want(t, 401, "InvalidAuthenticationToken")

	c.SetTokens(time.Hour, 10*time.Minute) // not valid yet
	c.token = c.signIn(t)
	c.do(t, "GET", "/users/"+adaID, "").want(t, 401, "InvalidAuthenticationToken")

	c.SetTokens(time.Hour, 0)
	c.token = c.signIn(t)
	c.Revoke()
	got := c.do(t, "GET", "/users/"+adaID, "")
	got.want(t, 401, "InvalidAuthenticationToken")
	if challenge := got.header.Get("WWW-Authenticate"); !strings.Contains(challenge, `error="insufficient_claims", claims="`) {
		t.Errorf("challenge %q", challenge)
	}
	passed.Add(int64(time.Second))
	c.token = c.signIn(t)
	if got := c.do(t, "GET", "/users/"+adaID, ""); got.status != 200 {
		t.Errorf("after the challenge: %d %s", got.status, got.raw)
	}
	c.token = strings.TrimSuffix(c.token, c.token[len(c.token)-4:]) + "AAAA"
	c.do(t, "GET", "/users/"+adaID, "").want(t, 401, "InvalidAuthenticationToken")
}

func TestTokenEndpointFails(t *testing.T) {
	c := start(t, &tenant{}, nil)
	c.Fail(Broken("/*/oauth2/v2.0/token", 503).AtMost(1))
	if got := c.askToken(t, url.Values{"client_secret": {"s3cret"}}); got.status != 503 {
		t.Errorf("first: %d", got.status)
	}
	if got := c.askToken(t, url.Values{"client_secret": {"s3cret"}}); got.status != 200 {
		t.Errorf("second: %d", got.status)
	}
	c.RemoveApp(appID)
	if got := c.askToken(t, url.Values{"client_secret": {"s3cret"}}); got.at("error_codes", "0") != float64(700016) {
		t.Errorf("removed: %s", got.raw)
	}
}
