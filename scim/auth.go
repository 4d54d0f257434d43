package scim

import (
	"errors"
	"strings"
	"unicode/utf8"

	"usher/model"
)

// authenticate finds out who shows the bearer token, and sees that neither they nor strangers ask for too much. Whatever is
// wrong with the token, the answer is the same; c.denied keeps the reason for the administrator's log.
func (h *Handler) authenticate(c *call) error {
	err := h.identify(c)
	if err == nil {
		return h.opt.Limits.integration(c.ref.IntegrationID)
	}
	if c.denied != "" {
		if throttled := h.opt.Limits.stranger(c.request); throttled != nil {
			return throttled
		}
	}
	return err
}

// identify sets who calls, or why nobody is let in.
func (h *Handler) identify(c *call) error {
	header := strings.TrimSpace(c.request.Header.Get("Authorization"))
	scheme, token, _ := strings.Cut(header, " ")
	token = strings.TrimSpace(token)
	switch {
	case header == "":
		return c.deny(model.DeniedMissing)
	case !strings.EqualFold(scheme, "Bearer") || token == "" || !validText(token) || !validText(c.integration):
		return c.deny(model.DeniedMalformed)
	}
	caller, err := h.opt.Tokens.SCIMToken(c.ctx(), c.integration, token)
	if e, ok := errors.AsType[*model.Error](err); ok && (e.Kind == model.Unauthorized || e.Kind == model.NotFound) {
		return c.deny(model.Denial(e.Detail))
	}
	if err != nil {
		return err
	}
	c.caller, c.ref = caller, caller.Ref
	return nil
}

// deny keeps the reason and gives the error that says nothing of it.
func (c *call) deny(why model.Denial) error {
	c.denied = why
	return model.Errorf(model.Unauthorized, "a valid bearer token of this integration is required")
}

// challenge is what an answer 401 carries as WWW-Authenticate (RFC 6750 §3): an error only where a token was shown.
func (c *call) challenge() string {
	const realm = `Bearer realm="Usher SCIM"`
	if c.denied == "" || c.denied == model.DeniedMissing {
		return realm
	}
	return realm + `, error="invalid_token", error_description="The access token is not valid for this integration"`
}

// validText says whether every database can hold s.
func validText(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }
