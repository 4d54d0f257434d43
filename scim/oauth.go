package scim

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"usher/model"
)

// TokenOptions are what a TokenEndpoint is made of.
type TokenOptions struct {
	Grants Grants // required
	Limits *Limits
	Logger *slog.Logger // slog.Default by default
	// Context, where set, prepares the context that Grants is called with.
	Context func(context.Context) context.Context
}

// TokenEndpoint gives access tokens to SCIM clients (RFC 6749 §3.2): for client credentials (§4.4), with a secret or with the
// assertion of a trusted issuer (RFC 7523 §2.2), and for an assertion as the grant itself (RFC 7523 §2.1). It is safe for
// concurrent use.
type TokenEndpoint struct{ opt TokenOptions }

// NewTokenEndpoint makes the endpoint.
func NewTokenEndpoint(opt TokenOptions) *TokenEndpoint {
	if opt.Logger == nil {
		opt.Logger = slog.Default()
	}
	if opt.Context == nil {
		opt.Context = func(ctx context.Context) context.Context { return ctx }
	}
	return &TokenEndpoint{opt}
}

// TokenPath is where the endpoint is, below the public URL. With the id of a client behind it, it is that client's alone, for
// issuers that do not send client_id with an assertion.
const TokenPath = "/oauth2/token" //nolint:gosec // a path, no token

// Mount registers the endpoint.
func (e *TokenEndpoint) Mount(r Router) {
	for _, path := range []string{TokenPath, TokenPath + "/", TokenPath + "/:client", TokenPath + "/:client/"} {
		for _, method := range methods() {
			r.Add(method, path, e.serve)
		}
	}
}

// tokenError is an error of RFC 6749 §5.2.
type tokenError struct {
	status      int
	code        string
	description string
	basic       bool // the client used the Authorization header
	retry       int  // seconds, for 429 and 503
}

// Error gives the description.
func (e *tokenError) Error() string { return e.description }

func invalidRequest(description string) *tokenError {
	return &tokenError{status: http.StatusBadRequest, code: "invalid_request", description: description}
}

// serve answers a request, and logs one line of it that has no secrets.
func (e *TokenEndpoint) serve(ec echo.Context) error {
	r := ec.Request()
	r = r.WithContext(e.opt.Context(r.Context()))
	request, err := readTokenRequest(r, ec.Param("client"))
	var grant model.SCIMGrant
	var cause model.Denial
	if err == nil {
		grant, cause, err = e.grant(r, request)
	}
	header := ec.Response().Header()
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "no-store")
	header.Set("Pragma", "no-cache")
	status, body := http.StatusOK, any(nil)
	if err != nil {
		failed := e.translate(r.Context(), err, request)
		status, body = failed.status, failed.write(header)
	} else {
		body = tokenAnswer{grant.Token, "Bearer", int(grant.Valid.Seconds()), request.scope}
	}
	e.opt.Logger.LogAttrs(r.Context(), slog.LevelInfo, "access token asked for", slog.Int("status", status), slog.String("client_id", clip(request.clientID)),
		slog.String("integration", grant.IntegrationID), slog.String("method", request.method), slog.String("cause", string(cause)))
	ec.Response().WriteHeader(status)
	if r.Method != http.MethodHead {
		_ = json.NewEncoder(ec.Response()).Encode(body) // the client is gone where this fails
	}
	return nil
}

type tokenAnswer struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int    `json:"expires_in"`
	Scope       string `json:"scope,omitempty"`
}

// grant asks the core. What is wrong with credentials is told in the same words, whatever it is; cause keeps it for the log.
func (e *TokenEndpoint) grant(r *http.Request, t tokenRequest) (grant model.SCIMGrant, cause model.Denial, err error) {
	switch {
	case t.assertion != "":
		grant, err = e.opt.Grants.AssertionGrant(r.Context(), t.clientID, t.assertion)
	default:
		grant, err = e.opt.Grants.SecretGrant(r.Context(), t.clientID, t.secret)
	}
	if err == nil {
		return grant, "", e.opt.Limits.integration(grant.IntegrationID)
	}
	if throttled, ok := errors.AsType[*model.Throttled](err); ok { // an issuer does not answer
		return grant, "", &tokenError{
			status: http.StatusServiceUnavailable, code: "temporarily_unavailable", description: "the server cannot tell now; try again later",
			retry: seconds(throttled.After),
		}
	}
	denied, ok := errors.AsType[*model.Error](err)
	if !ok || denied.Kind != model.Unauthorized {
		return grant, "", err
	}
	cause = model.Denial(denied.Detail)
	if err := e.opt.Limits.stranger(r); err != nil {
		return grant, cause, err
	}
	if t.grantType == grantAssertion { // RFC 7523 §3.1
		return grant, cause, &tokenError{status: http.StatusBadRequest, code: "invalid_grant", description: "the assertion is not one that a client of this server trusts, or has expired"}
	}
	return grant, cause, &tokenError{
		status: http.StatusUnauthorized, code: "invalid_client", description: "the client is not known, or its credentials are wrong, expired or deleted",
	}
}

// translate makes any error one of RFC 6749; what is not meant for the client is logged.
func (e *TokenEndpoint) translate(ctx context.Context, err error, t tokenRequest) *tokenError {
	if failed, ok := errors.AsType[*tokenError](err); ok {
		failed.basic = t.basic
		return failed
	}
	if throttled, ok := errors.AsType[*model.Throttled](err); ok {
		return &tokenError{
			status: http.StatusTooManyRequests, code: "temporarily_unavailable", description: "too many requests; try again later",
			retry: seconds(throttled.After),
		}
	}
	e.opt.Logger.LogAttrs(ctx, slog.LevelError, "access token failed", slog.String("client_id", clip(t.clientID)), slog.Any("err", err))
	return &tokenError{
		status: http.StatusInternalServerError, code: "server_error", description: "the server could not answer; the reason is in its log",
	}
}

// seconds gives a Retry-After.
func seconds(d time.Duration) int { return max(1, int(math.Ceil(d.Seconds()))) }

// write sets the headers of an error and gives its body.
func (e *tokenError) write(header http.Header) any {
	switch {
	case e.status == http.StatusUnauthorized && e.basic:
		header.Set("WWW-Authenticate", `Basic realm="Usher", charset="UTF-8"`)
	case e.status == http.StatusMethodNotAllowed:
		header.Set("Allow", http.MethodPost)
	case e.retry > 0:
		header.Set("Retry-After", strconv.Itoa(e.retry))
	}
	return map[string]string{"error": e.code, "error_description": ascii(e.description)}
}

// ascii keeps what error_description may hold (RFC 6749 §5.2).
func ascii(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r > 0x7e || r == '"' || r == '\\' {
			return '\''
		}
		return r
	}, s)
}
