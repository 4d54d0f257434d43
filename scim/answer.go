package scim

import (
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	scimerrors "github.com/elimity-com/scim/errors"

	"usher/model"
	"usher/scim/fault"
)

// answer is what goes back.
type answer struct {
	status   int
	body     []byte
	location string // for 201
	etag     string // of a single resource
	allow    string // for 405
	retry    string // for 429, in seconds
	// challenge is what a 401 asks for.
	challenge string
	// encodings are those that a body may have, for 415 (RFC 9110 §12.5.3).
	encodings string
}

func (a answer) write(w http.ResponseWriter, method string) {
	header := w.Header()
	header.Set("Content-Type", contentType)
	for name, value := range map[string]string{
		"Location": a.location, "ETag": a.etag, "Allow": a.allow, "Retry-After": a.retry, "Accept-Encoding": a.encodings,
		"WWW-Authenticate": a.challenge,
	} {
		if value != "" {
			header.Set(name, value)
		}
	}
	bodiless := a.status == http.StatusNoContent || a.status == http.StatusNotModified
	if !bodiless {
		header.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	if method == http.MethodHead || bodiless {
		return
	}
	_, _ = w.Write(a.body) // the client is gone; there is nobody to tell
}

func failure(e *fault.Error) answer {
	body, err := e.MarshalJSON()
	if err != nil { // strings alone; it cannot fail
		body = []byte(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"500"}`)
	}
	return answer{status: e.Status, body: body}
}

// errorAnswer translates an error. What is not meant for the client is logged and answered with a general sentence.
func (h *Handler) errorAnswer(c *call, err error) answer {
	if e, ok := errors.AsType[*fault.Error](err); ok {
		a := failure(e)
		if e.Status == http.StatusUnsupportedMediaType {
			a.encodings = "gzip"
		}
		return a
	}
	if t, ok := errors.AsType[*model.Throttled](err); ok {
		a := failure(&fault.Error{Status: http.StatusTooManyRequests, Detail: "too many requests; try again later"})
		a.retry = strconv.Itoa(max(1, int(t.After.Seconds())))
		return a
	}
	if e, ok := errors.AsType[*model.Error](err); ok {
		if status, typ := translate(e.Kind); status != 0 {
			a := failure(&fault.Error{Status: status, Type: typ, Detail: e.Error()})
			if status == http.StatusUnauthorized {
				a.challenge = c.challenge()
			}
			return a
		}
	}
	if c.ctx().Err() != nil {
		return failure(&fault.Error{Status: clientGone, Detail: "the client went away before the answer; what was not done by then was not done at all"})
	}
	h.opt.Logger.LogAttrs(c.ctx(), slog.LevelError, "scim request failed",
		slog.String("method", c.request.Method), slog.String("integration", clip(c.integration)), slog.String("request_id", c.requestID),
		slog.Any("err", err))
	return failure(&fault.Error{
		Status: http.StatusInternalServerError, Detail: "the server could not answer; the reason is in its log",
	})
}

// clientGone is what the log and the metrics call a request that its client gave up; nobody is answered it.
const clientGone = 499

// translate gives the status and scimType of a kind (RFC 7644 §3.12); 0 for one that is not the client's fault. Refused
// is 400 and not 403, since Entra takes 403 for a wrong token and stops the whole job.
func translate(kind model.Kind) (status int, typ scimerrors.ScimType) {
	switch kind {
	case model.Invalid:
		return http.StatusBadRequest, scimerrors.ScimTypeInvalidValue
	case model.NotFound:
		return http.StatusNotFound, ""
	case model.Conflict:
		return http.StatusConflict, scimerrors.ScimTypeUniqueness
	case model.Refused:
		return http.StatusBadRequest, ""
	case model.Forbidden:
		return http.StatusForbidden, ""
	case model.Unauthorized:
		return http.StatusUnauthorized, ""
	case model.Precondition:
		return http.StatusPreconditionFailed, ""
	case model.TooLarge:
		return http.StatusRequestEntityTooLarge, ""
	case model.Gone:
		return http.StatusGone, ""
	case model.Internal:
	}
	return 0, ""
}
