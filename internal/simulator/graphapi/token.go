package graphapi

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // a thumbprint's algorithm is the token's, not a choice
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"usher/model/outlook"
)

// claims are what a token says (Microsoft: access token claims, version 1.0).
type claims struct {
	Audience  string   `json:"aud"`
	Issuer    string   `json:"iss"`
	IssuedAt  int64    `json:"iat"`
	NotBefore int64    `json:"nbf"`
	ExpiresAt int64    `json:"exp"`
	AppID     string   `json:"appid"`
	AppIDACR  string   `json:"appidacr"`
	Kind      string   `json:"idtyp"`
	ObjectID  string   `json:"oid"`
	Subject   string   `json:"sub"`
	Roles     []string `json:"roles,omitempty"`
	Scopes    string   `json:"scp,omitempty"` // of a user who has signed in
	TenantID  string   `json:"tid"`
	TokenID   string   `json:"uti"`
	Version   string   `json:"ver"`
	Client    []string `json:"xms_cc,omitempty"`  // cp1: understands claims challenges
	Minted    int64    `json:"xms_sim,omitempty"` // in nanoseconds of the true clock, to tell what was revoked
}

// permissions are what the token allows.
func (c claims) permissions() []string {
	if c.Scopes != "" {
		return strings.Fields(c.Scopes)
	}
	return c.Roles
}

// userID is who has signed in; "" for an application by itself.
func (c claims) userID() string {
	if c.Scopes == "" {
		return ""
	}
	return c.ObjectID
}

func encode(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

func (s *Server) sign(text string) []byte {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// mint makes a token. Clients must not look into it, so that its signature is the server's own affair.
func (s *Server) mint(app, audience string, roles []string, cae bool) (string, time.Duration) {
	s.mu.Lock()
	lives, skew := s.lifetime, s.skew
	s.mu.Unlock()
	now := s.now().Add(skew)
	content := claims{
		Audience: audience, Issuer: "https://sts.windows.net/" + s.opts.TenantID + "/", IssuedAt: now.Unix(), NotBefore: now.Unix(),
		ExpiresAt: now.Add(lives).Unix(), AppID: app, AppIDACR: "1", Kind: "app", ObjectID: app, Subject: app, Roles: roles,
		TenantID: s.opts.TenantID, TokenID: newID(), Version: "1.0", Minted: s.now().UnixNano(),
	}
	if cae {
		content.Client = []string{"cp1"}
	}
	return s.sealed(content), lives
}

func (s *Server) sealed(content claims) string {
	body, _ := json.Marshal(content)
	text := encode([]byte(`{"typ":"JWT","alg":"HS256"}`)) + "." + encode(body)
	return text + "." + encode(s.sign(text))
}

// claimsChallenge is the refusal of a token that was revoked (Microsoft: claims challenges).
type claimsChallenge struct{ nbf int64 }

func (e *claimsChallenge) Error() string { return "TokenCreatedWithOutdatedPolicies" }

func (e *claimsChallenge) header() string {
	wanted := fmt.Sprintf(`{"access_token":{"nbf":{"essential":true,"value":"%d"}}}`, e.nbf)
	return `Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000", ` +
		`error="insufficient_claims", claims="` + base64.StdEncoding.EncodeToString([]byte(wanted)) + `"`
}

// Unwrap makes it a failure that Graph's envelope can hold.
func (e *claimsChallenge) Unwrap() error {
	return refuse(http.StatusUnauthorized, "InvalidAuthenticationToken", "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenCreatedWithOutdatedPolicies")
}

// authenticate reads the token of a request.
func (s *Server) authenticate(header string) (claims, error) {
	text, ok := strings.CutPrefix(header, "Bearer ")
	if !ok || text == "" {
		return claims{}, &outlook.Error{Kind: outlook.BadCredentials, Message: "Access token is empty."}
	}
	body, signature, ok := cutLast(text)
	raw, err := base64.RawURLEncoding.DecodeString(signature)
	if !ok || err != nil || !hmac.Equal(raw, s.sign(body)) {
		return claims{}, &outlook.Error{Kind: outlook.BadCredentials, Message: "CompactToken parsing failed with error code: 80049217"}
	}
	var c claims
	if !readPart(body, 1, &c) {
		return c, &outlook.Error{Kind: outlook.BadCredentials}
	}
	now := s.now()
	// Graph's clock may be five minutes off from the authority's.
	if now.Unix() >= c.ExpiresAt || now.Add(5*time.Minute).Unix() < c.NotBefore {
		return c, &outlook.Error{Kind: outlook.BadCredentials, Message: "Lifetime validation failed, the token is expired."}
	}
	s.mu.Lock()
	revoked := s.revoked
	s.mu.Unlock()
	if !revoked.IsZero() && c.Minted <= revoked.UnixNano() {
		return c, &claimsChallenge{nbf: revoked.Unix()}
	}
	return c, nil
}

func cutLast(text string) (before, after string, ok bool) {
	at := strings.LastIndexByte(text, '.')
	if at < 0 {
		return "", "", false
	}
	return text[:at], text[at+1:], true
}

func readPart(token string, n int, into any) bool {
	parts := strings.Split(token, ".")
	if len(parts) <= n {
		return false
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[n])
	return err == nil && decodeJSON(raw, into)
}

type assertionHeader struct {
	Algorithm string `json:"alg"`
	SHA1      string `json:"x5t"`
	SHA256    string `json:"x5t#S256"`
}

type assertionClaims struct {
	Audience  string `json:"aud"`
	Issuer    string `json:"iss"`
	Subject   string `json:"sub"`
	NotBefore int64  `json:"nbf"`
	ExpiresAt int64  `json:"exp"`
}

// proveAssertion believes an assertion (RFC 7523 §2.2) of a certificate, or of a federated credential.
func (s *Server) proveAssertion(app App, assertion, kind string) *refusal {
	invalid := func(number int, message string) *refusal {
		return &refusal{401, "invalid_client", number, message}
	}
	if kind != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
		return invalid(50027, "The client assertion type is not supported.")
	}
	body, encoded, _ := cutLast(assertion)
	signature, err := base64.RawURLEncoding.DecodeString(encoded)
	var head assertionHeader
	var content assertionClaims
	if err != nil || !readPart(body, 0, &head) || !readPart(body, 1, &content) {
		return invalid(50027, "Invalid JWT token. Token format not valid.")
	}
	now := s.now()
	if now.Unix() >= content.ExpiresAt || now.Add(5*time.Minute).Unix() < content.NotBefore {
		return invalid(700024, "Client assertion is not within its valid time range.")
	}
	for _, f := range app.Federated {
		if f.Issuer == content.Issuer && f.Subject == content.Subject {
			return nil
		}
	}
	if content.Issuer != app.ID || content.Subject != app.ID {
		return invalid(700213, "No matching federated identity record found for presented assertion subject '"+content.Subject+"'.")
	}
	if !strings.HasPrefix(content.Audience, s.LoginURL+"/") {
		return invalid(50027, "The audience of the assertion is not the token endpoint.")
	}
	for _, certificate := range app.Certificates {
		if head.names(certificate) {
			return proveSignature(certificate, head.Algorithm, body, signature, now)
		}
	}
	return invalid(700027, "The certificate with identifier used to sign the client assertion is not registered on application.")
}

func (h assertionHeader) names(certificate *x509.Certificate) bool {
	one, two := sha1.Sum(certificate.Raw), sha256.Sum256(certificate.Raw) //nolint:gosec // as above
	return is(h.SHA1, one[:]) || is(h.SHA256, two[:])
}

func is(encoded string, sum []byte) bool {
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(encoded, "="))
	return err == nil && bytes.Equal(raw, sum)
}

func proveSignature(certificate *x509.Certificate, algorithm, body string, signature []byte, now time.Time) *refusal {
	key, ok := certificate.PublicKey.(*rsa.PublicKey)
	sum := sha256.Sum256([]byte(body))
	var err error
	switch {
	case ok && algorithm == "RS256":
		err = rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature)
	case ok && algorithm == "PS256":
		err = rsa.VerifyPSS(key, crypto.SHA256, sum[:], signature, nil)
	default:
		err = x509.ErrUnsupportedAlgorithm
	}
	if err != nil {
		return &refusal{401, "invalid_client", 700027, "Client assertion failed signature validation."}
	}
	if now.After(certificate.NotAfter) {
		return &refusal{401, "invalid_client", 1000502, "The provided certificate has expired."}
	}
	return nil
}
