package graph

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	msal "github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	msalerrors "github.com/AzureAD/microsoft-authentication-library-for-go/apps/errors"

	"usher/model"
)

// AuthCode is what a sign-in gave, and what it is traded for a token with (RFC 6749 §4.1.3, RFC 7636 §4.5).
type AuthCode struct {
	Code, Verifier, RedirectURI string
	Scopes                      []string
}

// SignedIn is a token in somebody's name, and what the id token says of who that is. It comes from the token endpoint itself over TLS,
// so that its signature is not needed (OpenID Connect Core §3.1.3.7).
type SignedIn struct {
	AccessToken                         string
	ExpiresAt                           time.Time
	Nonce, Audience, TenantID, UserName string
}

// Redeem trades the code of a sign-in for a token, as the application that the options name. Nothing of it is kept.
func Redeem(ctx context.Context, o Options, code AuthCode) (SignedIn, error) {
	if o.Credential.ManagedIdentity || o.Credential.AccessToken != "" {
		return SignedIn{}, model.FieldErrorf(model.Invalid, "graph.auth", "somebody signs in to an application that has a client secret, a certificate or a federated credential; a managed identity is none")
	}
	if err := o.check(); err != nil {
		return SignedIn{}, err
	}
	where, err := o.addresses()
	if err != nil {
		return SignedIn{}, err
	}
	o = o.withDefaults()
	credential, err := signInCredential(o.Credential)
	if err != nil {
		return SignedIn{}, err
	}
	client, err := msal.New(strings.TrimRight(where.login, "/")+"/"+o.TenantID, o.ClientID, credential,
		msal.WithHTTPClient(loginClient(o)), msal.WithInstanceDiscovery(where.microsoft))
	if err != nil {
		return SignedIn{}, refused(err, "graph", "cannot be used to sign in with")
	}
	got, err := client.AcquireTokenByAuthCode(ctx, code.Code, code.RedirectURI, code.Scopes, msal.WithChallenge(code.Verifier))
	if err != nil {
		if ctx.Err() != nil {
			return SignedIn{}, ctx.Err()
		}
		if call, ok := errors.AsType[msalerrors.CallErr](err); ok && call.Resp != nil {
			err = &azcore.ResponseError{RawResponse: call.Resp}
		} else {
			err = errors.New("the token endpoint did not answer as it should") // what it says may quote the code
		}
		return SignedIn{}, tokenError(err, o.Now())
	}
	return SignedIn{
		AccessToken: got.AccessToken, ExpiresAt: got.ExpiresOn, Nonce: nonceOf(got.IDToken.RawToken), Audience: got.IDToken.Audience,
		TenantID: got.IDToken.TenantID, UserName: got.IDToken.PreferredUsername,
	}, nil
}

// signInCredential is the application's credential as the library takes it.
func signInCredential(c Credential) (msal.Credential, error) {
	switch {
	case len(c.CertificatePEM) > 0:
		chain, key, err := msal.CertFromPEM(c.CertificatePEM, c.CertificatePassword)
		if err != nil {
			return msal.Credential{}, refused(err, "graph.certificate_pem", "must hold a certificate and its private key")
		}
		credential, err := msal.NewCredFromCert(chain, key)
		return credential, refused(err, "graph.certificate_pem", "must hold a certificate and the key that belongs to it")
	case c.ClientSecret != "":
		credential, err := msal.NewCredFromSecret(c.ClientSecret)
		return credential, refused(err, "graph.client_secret", "cannot be used")
	}
	return msal.NewCredFromAssertionCallback(func(ctx context.Context, _ msal.AssertionRequestOptions) (string, error) {
		if c.Assertion != nil {
			return c.Assertion(ctx)
		}
		token, err := os.ReadFile(c.TokenFile)
		return strings.TrimSpace(string(token)), err
	}), nil
}

// nonceOf reads the nonce of an id token, "" where it has none.
func nonceOf(token string) string {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return ""
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return ""
	}
	var claims struct {
		Nonce string `json:"nonce"`
	}
	if json.Unmarshal(raw, &claims) != nil {
		return ""
	}
	return claims.Nonce
}

// loginClient is what the token endpoint is asked with.
func loginClient(o Options) *http.Client {
	return &http.Client{Transport: loginTransport(o), Timeout: 30 * time.Second}
}
