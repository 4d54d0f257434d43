package scim

import (
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// The names of grants and of client authentication in requests for a token.
const (
	grantClient    = "client_credentials"                                     // RFC 6749 §4.4
	grantAssertion = "urn:ietf:params:oauth:grant-type:jwt-bearer"            // RFC 7523 §2.1
	assertionType  = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" // RFC 7523 §2.2
)

// The bounds of a request for a token, in bytes.
const (
	maxTokenRequest = 64 << 10
	maxScope        = 1000
)

// tokenRequest is a request for a token: who asks and what proves it, either a secret or an assertion.
type tokenRequest struct {
	grantType, clientID, secret, assertion, scope string

	method string // of client authentication, for the log
	basic  bool   // the Authorization header was used
}

// readTokenRequest reads a request; client is the one that the path names. Parameters of the query are passed over: a secret has
// no place in a URL.
func readTokenRequest(r *http.Request, client string) (tokenRequest, error) {
	if r.Method != http.MethodPost {
		return tokenRequest{}, &tokenError{status: http.StatusMethodNotAllowed, code: "invalid_request", description: "use POST"}
	}
	t := tokenRequest{basic: r.Header.Get("Authorization") != ""}
	form, err := readForm(r)
	if err != nil {
		return t, err
	}
	t.grantType, t.scope = form.Get("grant_type"), form.Get("scope")
	ids := []string{client, form.Get("client_id")}
	if t.basic {
		id, secret, ok := basicCredentials(r.Header.Get("Authorization"))
		if !ok {
			return t, &tokenError{status: http.StatusUnauthorized, code: "invalid_client", description: "the Authorization header must be Basic, with client_id and client_secret"}
		}
		ids, t.secret, t.method = append(ids, id), secret, "client_secret_basic"
	}
	for _, id := range ids {
		switch {
		case t.clientID == "":
			t.clientID = id
		case id != "" && id != t.clientID:
			return t, invalidRequest("the request names two different clients")
		}
	}
	if err := t.readCredentials(form); err != nil {
		return t, err
	}
	return t, t.check()
}

// readForm reads the body, which is the one place where parameters stand, each once (RFC 6749 §3.2).
func readForm(r *http.Request) (url.Values, error) {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/x-www-form-urlencoded" {
		return nil, invalidRequest("the body must be application/x-www-form-urlencoded")
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxTokenRequest+1))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge || len(body) > maxTokenRequest {
		return nil, &tokenError{status: http.StatusRequestEntityTooLarge, code: "invalid_request", description: "the body is too large"}
	}
	if err != nil {
		return nil, invalidRequest("the body could not be read to its end")
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, invalidRequest("the body cannot be decoded")
	}
	for name, values := range form {
		if len(values) > 1 {
			return nil, invalidRequest("the parameter " + clip(name) + " is given more than once")
		}
		if !validText(values[0]) {
			return nil, invalidRequest("the parameter " + clip(name) + " is not text")
		}
	}
	return form, nil
}

// basicCredentials reads client_id and client_secret of an Authorization header, where they are form-encoded (RFC 6749 §2.3.1).
func basicCredentials(header string) (id, secret string, ok bool) {
	scheme, encoded, _ := strings.Cut(strings.TrimSpace(header), " ")
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	if err != nil || !strings.EqualFold(scheme, "Basic") || !validText(string(raw)) {
		return "", "", false
	}
	id, secret, ok = strings.Cut(string(raw), ":")
	id, errID := url.QueryUnescape(id)
	secret, errSecret := url.QueryUnescape(secret)
	return id, secret, ok && errID == nil && errSecret == nil && id != "" && validText(id) && validText(secret)
}

// readCredentials finds the one thing that proves the client: a client uses no more than one way (RFC 6749 §2.3).
func (t *tokenRequest) readCredentials(form url.Values) error {
	ways := 0
	if t.basic {
		ways++
	}
	if text := form.Get("client_secret"); text != "" {
		t.secret, t.method = text, "client_secret_post"
		ways++
	}
	if form.Has("client_assertion") || form.Has("client_assertion_type") {
		if form.Get("client_assertion_type") != assertionType {
			return invalidRequest("client_assertion_type must be " + assertionType)
		}
		t.assertion, t.method = form.Get("client_assertion"), "private_key_jwt"
		if t.assertion == "" {
			return invalidRequest("client_assertion is missing")
		}
		ways++
	}
	if t.grantType == grantAssertion {
		t.assertion, t.method = form.Get("assertion"), "jwt-bearer"
		if t.assertion == "" {
			return invalidRequest("assertion is missing")
		}
		ways++
	}
	if ways > 1 {
		return invalidRequest("the request proves the client in more than one way")
	}
	return nil
}

func (t *tokenRequest) check() error {
	switch {
	case t.grantType == "":
		return invalidRequest("grant_type is missing")
	case t.grantType != grantClient && t.grantType != grantAssertion:
		return &tokenError{
			status: http.StatusBadRequest, code: "unsupported_grant_type", description: "grant_type must be " + grantClient + " or " + grantAssertion,
		}
	case t.assertion == "" && t.secret == "":
		return &tokenError{status: http.StatusUnauthorized, code: "invalid_client", description: "the request does not prove the client: send client_secret or client_assertion"}
	case t.assertion == "" && t.clientID == "":
		return invalidRequest("client_id is missing")
	}
	for _, r := range t.scope { // RFC 6749 §3.3
		if r < 0x20 || r > 0x7e || r == '"' || r == '\\' {
			return &tokenError{status: http.StatusBadRequest, code: "invalid_scope", description: "scope holds a character that is not allowed"}
		}
	}
	if len(t.scope) > maxScope {
		return &tokenError{status: http.StatusBadRequest, code: "invalid_scope", description: "scope is too long"}
	}
	return nil
}
