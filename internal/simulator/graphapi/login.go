package graphapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"usher/model/outlook"
)

// refusal is what the token endpoint answers: an error of OAuth 2.0 (RFC 6749 §5.2) and Entra's number for it.
type refusal struct {
	status  int
	code    string // of OAuth
	number  int    // AADSTS
	message string
}

func (r *refusal) Error() string { return fmt.Sprintf("AADSTS%d: %s", r.number, r.message) }

// serveLogin answers what clients ask of the authority: its configuration, tokens, and the pages of consent.
func (s *Server) serveLogin(w http.ResponseWriter, r *http.Request) {
	begun := s.now()
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	id := newID()
	fault, faulted := s.faults.take(r.Method, r.URL.Path, "", false)
	fault.wait(r.Context())
	a := newAnswer(fault.Status)
	if !faulted || fault.After || fault.Status == 0 {
		a = s.loginAnswer(r, id)
	}
	if faulted {
		a = fault.spoil(a, s.now(), func(code, message string, status int) answer {
			return s.refused(id, &refusal{status, orDefault(code, "temporarily_unavailable"), 90033, message})
		})
	}
	a.header.Set("x-ms-request-id", id)
	a.header.Set("Cache-Control", "no-store, no-cache")
	s.journal.add(Request{
		At: s.now(), Took: s.now().Sub(begun), Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Status: a.status,
		RequestID: id, ClientRequestID: r.Header.Get("client-request-id"), Faulted: faulted,
	})
	write(w, a)
}

func (s *Server) loginAnswer(r *http.Request, id string) answer {
	tenant, rest, _ := strings.Cut(strings.Trim(r.URL.Path, "/"), "/")
	if !strings.EqualFold(tenant, s.opts.TenantID) && !slices.Contains([]string{"common", "organizations"}, tenant) {
		return s.refused(id, &refusal{400, "invalid_tenant", 90002, "Tenant '" + tenant + "' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud."})
	}
	switch r.Method + " " + rest {
	case "GET v2.0/.well-known/openid-configuration":
		a, _ := jsonAnswer(http.StatusOK, s.openid(tenant))
		a.header.Set("Content-Type", "application/json; charset=utf-8")
		return a
	case "POST oauth2/v2.0/token":
		return s.token(r, id)
	case "GET adminconsent", "GET v2.0/adminconsent":
		return s.adminConsent(r.URL.Query(), strings.HasPrefix(rest, "v2.0"))
	case "GET discovery/v2.0/keys":
		return s.keys()
	case "GET oauth2/v2.0/authorize", "GET oauth2/authorize":
		return s.authorize(r.URL.Query())
	}
	return s.refused(id, &refusal{404, "invalid_request", 900561, "The endpoint does not know this request."})
}

func (s *Server) openid(tenant string) object {
	base := s.LoginURL + "/" + tenant
	return object{
		"issuer": base + "/v2.0", "authorization_endpoint": base + "/oauth2/v2.0/authorize", "token_endpoint": base + "/oauth2/v2.0/token",
		"jwks_uri": base + "/discovery/v2.0/keys", "end_session_endpoint": base + "/oauth2/v2.0/logout",
		"device_authorization_endpoint":         base + "/oauth2/v2.0/devicecode",
		"response_types_supported":              []string{"code", "id_token", "code id_token", "id_token token"},
		"response_modes_supported":              []string{"query", "fragment", "form_post"},
		"scopes_supported":                      []string{"openid", "profile", "email", "offline_access"},
		"subject_types_supported":               []string{"pairwise"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "private_key_jwt", "client_secret_basic"},
		"claims_supported":                      []string{"sub", "iss", "aud", "exp", "iat", "tid"},
		"tenant_region_scope":                   "EU", "cloud_instance_name": "microsoftonline.com",
		"msgraph_host": "graph.microsoft.com",
	}
}

// refused is an answer of the token endpoint that says no.
func (s *Server) refused(id string, r *refusal) answer {
	at := s.now().UTC().Format("2006-01-02 15:04:05Z")
	a, _ := jsonAnswer(r.status, object{
		"error":             r.code,
		"error_description": fmt.Sprintf("AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s", r.number, r.message, id, id, at),
		"error_codes":       []int{r.number}, "timestamp": at, "trace_id": id, "correlation_id": id,
		"error_uri": fmt.Sprintf("%s/error?code=%d", s.LoginURL, r.number),
	})
	a.header.Set("Content-Type", "application/json; charset=utf-8")
	return a
}

// token answers client credentials (RFC 6749 §4.4) with a token that has the tenant's permissions as roles, and a code with one in
// the name of who signed in.
func (s *Server) token(r *http.Request, id string) answer {
	if err := r.ParseForm(); err != nil {
		return s.refused(id, &refusal{400, "invalid_request", 900144, "The request body is malformed."})
	}
	app, why := s.prove(r.PostForm)
	if why != nil {
		return s.refused(id, why)
	}
	if r.PostForm.Get("grant_type") == grantCode {
		return s.redeem(app, r.PostForm, id)
	}
	scope := ""
	for one := range strings.FieldsSeq(r.PostForm.Get("scope")) {
		if resource, ok := strings.CutSuffix(one, "/.default"); ok {
			scope = resource
		}
	}
	if scope == "" {
		return s.refused(id, &refusal{400, "invalid_scope", 1002012, "The provided value for scope " + r.PostForm.Get("scope") + " is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI)."})
	}
	roles, err := s.permissions(r.Context(), app)
	if err != nil {
		if outlook.KindOf(err) == outlook.BadCredentials {
			return s.refused(id, noApplication(app))
		}
		return s.refused(id, &refusal{503, "temporarily_unavailable", 90033, "A transient error has occurred. Please try again."})
	}
	text, lives := s.mint(app, scope, roles, strings.Contains(r.PostForm.Get("claims"), "cp1"))
	seconds := int(lives / time.Second)
	a, _ := jsonAnswer(http.StatusOK, object{"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": text})
	a.header.Set("Content-Type", "application/json; charset=utf-8")
	return a
}

// permissions are what the administrator has granted an application, in mailboxes and directory alike.
func (s *Server) permissions(ctx context.Context, app string) ([]string, error) {
	var roles []string
	if s.world != nil {
		granted, err := s.world.Permissions(ctx)
		if err != nil {
			return nil, err
		}
		roles = slices.Clone(granted)
	}
	if s.opts.Directory != nil {
		granted, consented := s.opts.Directory.Permissions(app)
		if !consented {
			return nil, &outlook.Error{Kind: outlook.BadCredentials}
		}
		for _, role := range granted {
			if !slices.Contains(roles, role) {
				roles = append(roles, role)
			}
		}
	}
	return roles, nil
}

func noApplication(id string) *refusal {
	return &refusal{400, "unauthorized_client", 700016, "Application with identifier '" + id + "' was not found in the directory. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant."}
}

const (
	grantClient = "client_credentials"
	grantCode   = "authorization_code"
)

// prove finds the application that proves itself by the form.
func (s *Server) prove(form url.Values) (string, *refusal) {
	id := form.Get("client_id")
	switch {
	case form.Get("grant_type") != grantClient && form.Get("grant_type") != grantCode:
		return "", &refusal{400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type '" + form.Get("grant_type") + "'."}
	case id == "":
		return "", &refusal{400, "invalid_request", 900144, "The request body must contain the following parameter: 'client_id'."}
	}
	s.mu.Lock()
	app, ok := s.apps[id]
	s.mu.Unlock()
	if !ok {
		return "", noApplication(id)
	}
	if assertion := form.Get("client_assertion"); assertion != "" {
		return id, s.proveAssertion(app, assertion, form.Get("client_assertion_type"))
	}
	secret := form.Get("client_secret")
	if secret == "" && form.Get("grant_type") == grantCode && app.Public {
		return id, nil
	}
	if secret == "" {
		return "", &refusal{401, "invalid_client", 7000218, "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."}
	}
	for _, known := range app.Secrets {
		if known.Value != secret {
			continue
		}
		if !known.EndsAt.IsZero() && !s.now().Before(known.EndsAt) {
			return "", &refusal{401, "invalid_client", 7000222, "The provided client secret keys for app '" + id + "' are expired. Visit the Azure portal to create new keys for your app."}
		}
		return id, nil
	}
	return "", &refusal{401, "invalid_client", 7000215, "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '" + id + "'."}
}

// SetApp registers an application, or changes one; so does its secret end.
func (s *Server) SetApp(app App) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apps[app.ID] = app
}

// RemoveApp takes an application out of the tenant. Tokens that it has stay good until they end.
func (s *Server) RemoveApp(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.apps, id)
}

// SetTokens changes how long new tokens live, and how far the authority's clock is ahead of everybody's.
func (s *Server) SetTokens(lifetime, skew time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lifetime, s.skew = lifetime, skew
}

// Revoke makes Graph challenge every token that there is now, as continuous access evaluation does.
func (s *Server) Revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.revoked = s.now()
}

// decodeJSON reads a part of a token.
func decodeJSON(raw []byte, into any) bool { return json.Unmarshal(raw, into) == nil }
