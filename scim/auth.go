package scim

import (
	"errors"
	"strings"
	"unicode/utf8"

	"usher/model"
)

// authenticate finds the integration that the bearer token belongs to. Whatever is wrong, the answer is the same.
func (h *Handler) authenticate(c *call) error {
	scheme, token, _ := strings.Cut(strings.TrimSpace(c.request.Header.Get("Authorization")), " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" || !validText(token) || !validText(c.integration) {
		return unauthorized()
	}
	ref, err := h.opt.Tokens.SCIMToken(c.ctx(), c.integration, token)
	if e, ok := errors.AsType[*model.Error](err); ok && (e.Kind == model.Unauthorized || e.Kind == model.NotFound) {
		return unauthorized()
	}
	c.ref = ref
	return err
}

func unauthorized() error {
	return model.Errorf(model.Unauthorized, "a valid bearer token of this integration is required")
}

// validText says whether every database can hold s.
func validText(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }
