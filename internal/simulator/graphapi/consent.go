package graphapi

import (
	"net/http"
	"net/url"
)

// consent is what the administrator will say. The zero value consents.
type consent struct{ code, description string }

// DenyConsent makes the administrator refuse, with the error that comes back: access_denied or permission_denied. An empty
// code lets him consent again.
func (s *Server) DenyConsent(code, description string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.consent = consent{code, description}
}

// adminConsent sends the browser back with tenant, state and admin_consent=True, or with an error. The pretend administrator
// decides at once.
func (s *Server) adminConsent(query url.Values, second bool) answer {
	s.mu.Lock()
	denied := s.consent
	_, known := s.apps[query.Get("client_id")]
	s.mu.Unlock()
	switch {
	case !known:
		why := noApplication(query.Get("client_id"))
		return page400(why.Error())
	case denied.code != "":
		return back(query, url.Values{"error": {denied.code}, "error_description": {denied.description}, "admin_consent": {"True"}})
	}
	result := url.Values{"tenant": {s.opts.TenantID}, "admin_consent": {"True"}}
	if second {
		result.Set("scope", query.Get("scope"))
	}
	return back(query, result)
}

func back(query, result url.Values) answer {
	target, err := url.Parse(query.Get("redirect_uri"))
	if err != nil || !target.IsAbs() {
		return page400("AADSTS900971: No reply address provided.")
	}
	if state := query.Get("state"); state != "" {
		result.Set("state", state)
	}
	all := target.Query()
	for name, values := range result {
		all[name] = values
	}
	target.RawQuery = all.Encode()
	a := newAnswer(http.StatusFound)
	a.header.Set("Location", target.String())
	return a
}

func page400(text string) answer {
	a := newAnswer(http.StatusBadRequest)
	a.header.Set("Content-Type", "text/plain; charset=utf-8")
	a.body = []byte(text)
	return a
}
