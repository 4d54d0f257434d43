package assertion_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"usher/directory/assertion"
)

const (
	issuer   = "https://login.microsoftonline.com/5f9e1b1c-0000-4000-8000-000000000001/v2.0"
	subject  = "9a1c1d6e-0000-4000-8000-000000000002"
	audience = "api://usher.contoso.example"
)

// provider is an identity provider with keys, and a clock that stands still.
type provider struct {
	*httptest.Server
	t       *testing.T
	rsa     *rsa.PrivateKey
	ec      *ecdsa.PrivateKey
	keys    *assertion.Keys
	mu      sync.Mutex
	now     time.Time
	fetches int
	answer  http.HandlerFunc // instead of the keys, where it is set
	set     []jose.JSONWebKey
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	p := &provider{t: t, now: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}
	var err error
	if p.rsa, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	if p.ec, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	p.set = []jose.JSONWebKey{
		{Key: &p.rsa.PublicKey, KeyID: "rsa", Use: "sig"},
		{Key: &p.ec.PublicKey, KeyID: "ec"},
		{Key: &p.rsa.PublicKey, KeyID: "enc", Use: "enc"},
		{Key: &p.rsa.PublicKey, KeyID: "rs256 alone", Algorithm: "RS256"},
	}
	p.Server = httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(p.Close)
	p.keys = assertion.NewKeys(nil, p.clock)
	return p
}

func (p *provider) serve(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fetches++
	if p.answer != nil {
		p.answer(w, r)
		return
	}
	_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: p.set})
}

func (p *provider) clock() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

// change changes what the provider is or does.
func (p *provider) change(fn func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fn()
}

func (p *provider) trust() assertion.Trust {
	return assertion.Trust{
		Issuers: []string{issuer, "https://sts.windows.net/x/"}, Subject: subject, Audience: audience, JWKSURL: p.URL + "/keys",
	}
}

func (p *provider) claims() map[string]any {
	return map[string]any{
		"iss": issuer, "sub": subject, "aud": audience, "exp": p.clock().Add(time.Hour).Unix(), "nbf": p.clock().Unix(), "iat": p.clock().Unix(),
	}
}

// sign makes an assertion.
func (p *provider) sign(alg jose.SignatureAlgorithm, key any, kid string, claims any) string {
	p.t.Helper()
	opt := (&jose.SignerOptions{}).WithType("JWT")
	if kid != "" {
		opt = opt.WithHeader("kid", kid)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, opt)
	if err != nil {
		p.t.Fatal(err)
	}
	text, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		p.t.Fatal(err)
	}
	return text
}

// TestClaims shows that every claim is checked: each case differs in one thing from an assertion that is taken.
func TestClaims(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	at := func(d time.Duration) int64 { return p.clock().Add(d).Unix() }
	for name, c := range map[string]struct {
		claim string
		value any // nil takes the claim away
		want  string
	}{
		"as it should be":          {"", nil, ""},
		"one of several audiences": {"aud", []string{"x", audience}, ""},
		"the other issuer":         {"iss", "https://sts.windows.net/x/", ""},
		"expired within the skew":  {"exp", at(-30 * time.Second), ""},
		"not before, within":       {"nbf", at(30 * time.Second), ""},
		"without nbf":              {"nbf", nil, ""},
		"without iat":              {"iat", nil, ""},

		"another issuer":            {"iss", "https://login.microsoftonline.com/common/v2.0", "the issuer is"},
		"an issuer in another case": {"iss", strings.ToUpper(issuer), "the issuer is"},
		"an issuer and a slash":     {"iss", issuer + "/", "the issuer is"},
		"no issuer":                 {"iss", nil, "the issuer is"},
		"another subject":           {"sub", "eve", "the subject is"},
		"no subject":                {"sub", nil, "the subject is"},
		"another audience":          {"aud", "api://other", "the audience is"},
		"no audience":               {"aud", nil, "the audience is"},
		"an empty list":             {"aud", []string{}, "the audience is"},
		"expired":                   {"exp", at(-time.Minute), "it expired"},
		"without end":               {"exp", nil, "does not say when it expires"},
		"not yet good":              {"nbf", at(time.Minute + time.Second), "not good before"},
		"issued in the future":      {"iat", at(time.Hour), "issued in the future"},
		"a time that is none":       {"exp", "tomorrow", "claims cannot be read"},
	} {
		claims := p.claims()
		if c.value != nil {
			claims[c.claim] = c.value
		} else {
			delete(claims, c.claim)
		}
		p.expect(name, p.sign(jose.RS256, p.rsa, "rsa", claims), p.trust(), c.want)
	}
	p.expect("trust without audience", p.sign(jose.RS256, p.rsa, "rsa", p.claims()), assertion.Trust{Issuers: []string{issuer}, Subject: subject}, "the audience is")
}

// expect fails the test unless the assertion is taken, or refused with the words.
func (p *provider) expect(name, token string, trust assertion.Trust, want string) {
	p.t.Helper()
	err := p.keys.Verify(p.t.Context(), token, trust)
	if want == "" {
		if err != nil {
			p.t.Errorf("%s: %v", name, err)
		}
		return
	}
	if refusal, ok := errors.AsType[*assertion.Refusal](err); !ok || !strings.Contains(refusal.Reason, want) {
		p.t.Errorf("%s: %v, want a refusal that says %q", name, err, want)
	}
}

// TestSignatures shows which signatures are taken.
func TestSignatures(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	good := p.sign(jose.RS256, p.rsa, "rsa", p.claims())
	head, body, signature := split(t, good)
	altered, err := json.Marshal(map[string]any{"iss": issuer, "sub": subject, "aud": audience, "exp": p.clock().Add(100 * time.Hour).Unix()})
	if err != nil {
		t.Fatal(err)
	}
	part := base64.RawURLEncoding.EncodeToString
	modulus := p.rsa.N.Bytes()
	for name, c := range map[string]struct{ token, want string }{
		"RS256": {good, ""},
		"PS256": {p.sign(jose.PS256, p.rsa, "rsa", p.claims()), ""},
		"ES256": {p.sign(jose.ES256, p.ec, "ec", p.claims()), ""},

		"an unknown key":                {p.sign(jose.RS256, other, "rsa", p.claims()), "proves its signature"},
		"no key of that name":           {p.sign(jose.RS256, p.rsa, "nobody's", p.claims()), "proves its signature"},
		"no name of a key":              {p.sign(jose.RS256, p.rsa, "", p.claims()), "does not name its key"},
		"a key for encryption":          {p.sign(jose.RS256, p.rsa, "enc", p.claims()), "proves its signature"},
		"a key for another algorithm":   {p.sign(jose.PS256, p.rsa, "rs256 alone", p.claims()), "proves its signature"},
		"the other kind of key":         {p.sign(jose.RS256, p.rsa, "ec", p.claims()), "proves its signature"},
		"RS512":                         {p.sign(jose.RS512, p.rsa, "rsa", p.claims()), "RS256, PS256 or ES256"},
		"HS256 with the public key":     {p.sign(jose.HS256, modulus, "rsa", p.claims()), "RS256, PS256 or ES256"},
		"none":                          {part([]byte(`{"alg":"none","kid":"rsa"}`)) + "." + body + ".", "RS256, PS256 or ES256"},
		"None, with a signature":        {part([]byte(`{"alg":"None","kid":"rsa"}`)) + "." + body + "." + signature, "RS256, PS256 or ES256"},
		"other claims, same signature":  {head + "." + part(altered) + "." + signature, "proves its signature"},
		"without signature":             {head + "." + body + ".", "proves its signature"},
		"half of it":                    {head + "." + body, "RS256, PS256 or ES256"},
		"a key of its own":              {part([]byte(`{"alg":"RS256","kid":"x","jku":"https://eve.example"}`)) + "." + body + "." + signature, "proves its signature"},
		"an extension that is critical": {part([]byte(`{"alg":"RS256","kid":"rsa","crit":["x"],"x":1}`)) + "." + body + "." + signature, ""},
		"nothing":                       {"", "RS256, PS256 or ES256"},
		"no token":                      {"usher_scim_x", "RS256, PS256 or ES256"},
		"too large":                     {good + strings.Repeat("A", assertion.MaxSize), "larger than"},
	} {
		if name == "an extension that is critical" {
			if p.keys.Verify(t.Context(), c.token, p.trust()) == nil {
				t.Errorf("%s: taken", name)
			}
			continue
		}
		p.expect(name, c.token, p.trust(), c.want)
	}
}

func split(t *testing.T, token string) (head, body, signature string) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatal(token)
	}
	return parts[0], parts[1], parts[2]
}

func TestAShortKeyProvesNothing(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	short := shortKey(t)
	p.change(func() { p.set = append(p.set, jose.JSONWebKey{Key: &short.PublicKey, KeyID: "short"}) })
	p.expect("a key of 1024 bits", p.sign(jose.RS256, short, "short", p.claims()), p.trust(), "proves its signature")
}

func shortKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestPeek(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	claims, err := assertion.Peek(p.sign(jose.RS256, p.rsa, "rsa", p.claims()))
	if err != nil || claims.Issuer != issuer || claims.Subject != subject || len(claims.Audience) != 1 || claims.Audience[0] != audience {
		t.Errorf("%+v, %v", claims, err)
	}
	if _, err := assertion.Peek("x.y.z"); err == nil {
		t.Error("nonsense has claims")
	}
}

func FuzzPeek(f *testing.F) {
	f.Add("eyJhbGciOiJSUzI1NiIsImtpZCI6IngifQ.eyJpc3MiOiJ4In0.AAAA")
	f.Add("..")
	f.Fuzz(func(t *testing.T, token string) {
		if _, err := assertion.Peek(token); err != nil {
			if _, ok := errors.AsType[*assertion.Refusal](err); !ok {
				t.Fatalf("%v is no refusal", err)
			}
		}
	})
}
