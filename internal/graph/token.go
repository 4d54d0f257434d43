package graph

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"usher/model"
	"usher/model/outlook"
)

// tokens gives access tokens for Graph; azidentity keeps them until shortly before they end.
type tokens struct {
	credential azcore.TokenCredential
	scope      string
	now        func() time.Time
}

// newTokens makes the credential that the options name.
func newTokens(o Options, a addresses) (*tokens, error) {
	client := azcore.ClientOptions{
		Cloud: cloud.Configuration{
			ActiveDirectoryAuthorityHost: a.login,
			Services:                     map[cloud.ServiceName]cloud.ServiceConfiguration{},
		},
		Transport: loginClient(o),
		Retry:     policy.RetryOptions{MaxRetries: -1}, // ours repeats, with a clock that can be set
		Telemetry: policy.TelemetryOptions{Disabled: true},
	}
	credential, err := newCredential(o, client, !a.microsoft)
	if err != nil {
		return nil, err
	}
	return &tokens{credential: credential, scope: a.scope, now: o.Now}, nil
}

// loginTransport is the way to the authority.
func loginTransport(o Options) *http.Transport {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if o.LoginURL != "" && o.RootCAs != nil {
		transport.TLSClientConfig = &tls.Config{RootCAs: o.RootCAs, MinVersion: tls.VersionTLS12}
	}
	return transport
}

// newCredential turns what is wrong with a credential into an error that names its field. What azidentity says of a
// certificate is not passed on, because it may quote it.
func newCredential(o Options, client azcore.ClientOptions, offline bool) (azcore.TokenCredential, error) {
	c := o.Credential
	switch {
	case c.AccessToken != "":
		return borrowed(c.AccessToken), nil
	case c.ManagedIdentity:
		options := &azidentity.ManagedIdentityCredentialOptions{ClientOptions: client}
		if o.ClientID != "" {
			options.ID = azidentity.ClientID(o.ClientID)
		}
		credential, err := azidentity.NewManagedIdentityCredential(options)
		return credential, refused(err, "graph", "the managed identity cannot be used")
	case len(c.CertificatePEM) > 0:
		chain, key, err := azidentity.ParseCertificates(c.CertificatePEM, []byte(c.CertificatePassword))
		if err != nil {
			return nil, refused(err, "graph.certificate_pem", "must hold a certificate and its private key, and the password must open it")
		}
		credential, err := azidentity.NewClientCertificateCredential(o.TenantID, o.ClientID, chain, key,
			&azidentity.ClientCertificateCredentialOptions{ClientOptions: client, DisableInstanceDiscovery: offline})
		return credential, refused(err, "graph.certificate_pem", "must hold a certificate and the RSA key that belongs to it")
	case c.ClientSecret != "":
		credential, err := azidentity.NewClientSecretCredential(o.TenantID, o.ClientID, c.ClientSecret,
			&azidentity.ClientSecretCredentialOptions{ClientOptions: client, DisableInstanceDiscovery: offline})
		return credential, refused(err, "graph.client_secret", "cannot be used")
	}
	assertion := c.Assertion
	if assertion == nil {
		assertion = func(context.Context) (string, error) {
			token, err := os.ReadFile(c.TokenFile)
			return strings.TrimSpace(string(token)), err
		}
	}
	credential, err := azidentity.NewClientAssertionCredential(o.TenantID, o.ClientID, assertion,
		&azidentity.ClientAssertionCredentialOptions{ClientOptions: client, DisableInstanceDiscovery: offline})
	return credential, refused(err, "graph", "the federated token cannot be used")
}

// borrowed is a token that somebody else has got. There is no other one, so that a challenge ends it.
type borrowed string

// GetToken satisfies azcore.TokenCredential.
func (b borrowed) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if o.Claims != "" {
		return azcore.AccessToken{}, &outlook.Error{Kind: outlook.BadCredentials, Code: "TokenEnded", Message: "the administrator must sign in again"}
	}
	return azcore.AccessToken{Token: string(b), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

func refused(err error, field, detail string) error {
	if err == nil {
		return nil
	}
	return model.FieldErrorf(model.Invalid, field, "%s", detail)
}

// get gives a token. Claims are those of a challenge of Continuous Access Evaluation, decoded; they get a new token.
func (t *tokens) get(ctx context.Context, claims string) (string, error) {
	token, err := t.credential.GetToken(ctx, policy.TokenRequestOptions{
		Scopes: []string{t.scope}, EnableCAE: true, Claims: claims,
	})
	if err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		if ended, ok := errors.AsType[*outlook.Error](err); ok {
			return "", ended
		}
		return "", tokenError(err, t.now())
	}
	return token.Token, nil
}

// tokenError says in words why there is no token. Without an answer azidentity does not tell what went wrong: that is taken
// for a way that is broken for now.
func tokenError(err error, now time.Time) *outlook.Error {
	var response *http.Response
	if failed, ok := errors.AsType[*azidentity.AuthenticationFailedError](err); ok {
		response = failed.RawResponse
	} else if failed, ok := errors.AsType[*azcore.ResponseError](err); ok {
		response = failed.RawResponse
	}
	if response == nil {
		return &outlook.Error{Kind: outlook.Unavailable, Code: "TokenUnavailable", Message: shorten(firstLine(err.Error()), 300)}
	}
	body, _ := runtime.Payload(response) // what cannot be read is empty: the status says enough
	e := &outlook.Error{Status: response.StatusCode, Kind: outlook.BadCredentials, Code: "TokenRefused"}
	switch {
	case e.Status == http.StatusTooManyRequests:
		e.Kind, e.After = outlook.Throttled, retryAfter(response.Header, now)
	case e.Status >= 500 || e.Status == http.StatusRequestTimeout || e.Status < 400:
		e.Kind, e.After = outlook.Unavailable, retryAfter(response.Header, now)
	}
	var answer struct {
		Error string `json:"error"`
		Codes []int  `json:"error_codes"`
		Trace string `json:"trace_id"`
		Text  string `json:"error_description"`
	}
	if json.Unmarshal(body, &answer) != nil {
		e.Message = "the token endpoint gave no reason"
		return e
	}
	e.RequestID = cleanCode(answer.Trace)
	if answer.Error != "" {
		e.Code = cleanCode(answer.Error)
	}
	if code := entraCode(answer.Codes, answer.Text); code != "" {
		e.Message, e.Code = e.Code+": "+entraReason(code), "AADSTS"+code
	}
	return e
}

// entraCode finds the number of Entra's error: in a field of its own, or in front of the description.
func entraCode(codes []int, text string) string {
	if len(codes) > 0 {
		return fmt.Sprint(codes[0])
	}
	after, found := strings.CutPrefix(text, "AADSTS")
	if !found {
		return ""
	}
	end := strings.IndexFunc(after, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(after)
	}
	return after[:min(end, 12)]
}

// entraReason says what Entra's commonest numbers mean for the application.
// Source: learn.microsoft.com/entra/identity-platform/reference-error-codes.
func entraReason(code string) string {
	switch code {
	case "7000215":
		return "the client secret is not right; perhaps its id was entered instead of its value"
	case "7000222":
		return "the client secret has expired"
	case "700016":
		return "the application is not known in this tenant"
	case "700027", "7000217", "700030":
		return "the certificate is not one of the application's, or has expired"
	case "700213", "70021":
		return "no federated credential of the application fits the token"
	case "700024", "700021":
		return "the assertion is not valid at this time; the clock may be wrong"
	case "90002":
		return "the tenant does not exist"
	case "7000229", "7000112":
		return "the application is disabled in this tenant, or was removed from it"
	case "500011", "65001":
		return "the administrator of the tenant has not consented to the application"
	case "53003":
		return "a Conditional Access policy of the tenant blocks the application"
	case "50196", "900144":
		return "the request was not accepted"
	case "90033", "90006":
		return "Microsoft Entra is not available for the moment"
	}
	return "Microsoft Entra refused the application's credentials"
}

// roles reads the application permissions from an access token of our own: what is not verified is not trusted for more than
// telling an administrator what has been granted.
func roles(token string) ([]string, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, unreadable("the access token is no JWT")
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return nil, unreadable("the access token is no JWT")
	}
	var claims struct {
		Roles []string `json:"roles"`
	}
	if json.Unmarshal(payload, &claims) != nil {
		return nil, unreadable("the roles of the access token cannot be read")
	}
	slices.Sort(claims.Roles)
	return slices.Compact(claims.Roles), nil
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
