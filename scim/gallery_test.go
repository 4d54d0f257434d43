package scim_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"usher/model"
	"usher/model/store/storetest"
)

// mustServe is what both tests of credentials in Microsoft's gallery validation want: a token that is good for 60 to 360
// minutes, and a SCIM endpoint that takes it.
func (x *tokens) mustServe(t *testing.T, got *httptest.ResponseRecorder) {
	t.Helper()
	g := read(t, got)
	if got.Code != http.StatusOK || g.AccessToken == "" || g.TokenType != "Bearer" || g.ExpiresIn < 60*60 || g.ExpiresIn > 360*60 {
		t.Fatalf("%d %s", got.Code, got.Body)
	}
	if users := x.users("Bearer " + g.AccessToken); users.Code != http.StatusOK {
		t.Errorf("the token is good for %d %s", users.Code, users.Body)
	}
}

// TestValidateCredentials is the gallery validation's test 21, Validate_Credentials_Test: OAuth 2.0 client credentials.
func TestValidateCredentials(t *testing.T) {
	t.Parallel()
	x := newTokens(t, storetest.OpenSQLite(t), nil)
	x.mustServe(t, x.post("/oauth2/token", form("grant_type", "client_credentials", "client_id", x.client.ID, "client_secret", x.secret)))
	wrong := x.post("/oauth2/token", form("grant_type", "client_credentials", "client_id", x.client.ID, "client_secret", "wrong"))
	if wrong.Code != http.StatusUnauthorized || read(t, wrong).Error != "invalid_client" {
		t.Errorf("a wrong secret: %d %s", wrong.Code, wrong.Body)
	}
}

// TestFederatedIdentity is the gallery validation's test 22, Federated_Identity_Test: Entra shows a JWT of its own instead
// of a secret (RFC 7523).
func TestFederatedIdentity(t *testing.T) {
	t.Parallel()
	x := newTokens(t, storetest.OpenSQLite(t), nil)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	keys := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &key.PublicKey, KeyID: "k"}}})
	}))
	defer keys.Close()
	const tenant, principal, application = "5f9e1b1c-3d6a-4b52-9e0a-0a1b2c3d4e5f", "06b07648-ecfe-589f-9d2f-6325724a46ee", "8adf8e6e-67b2-4cf2-a259-e3dc5476c621"
	if _, err := x.service.CreateSCIMFederation(t.Context(), x.ref, x.client.ID, model.SCIMClientFederation{
		TenantID: tenant, Subject: principal, Audience: application, JWKSURL: keys.URL,
	}); err != nil {
		t.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, (&jose.SignerOptions{}).WithHeader("kid", "k"))
	if err != nil {
		t.Fatal(err)
	}
	assertion, err := jwt.Signed(signer).Claims(jwt.Claims{
		Issuer: "https://login.microsoftonline.com/" + tenant + "/v2.0", Subject: principal, Audience: jwt.Audience{application},
		Expiry: jwt.NewNumericDate(time.Now().Add(time.Hour)),
	}).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	x.mustServe(t, x.post("/oauth2/token", form("grant_type", "client_credentials", "client_id", x.client.ID,
		"client_assertion_type", jwtType, "client_assertion", assertion)))
}
