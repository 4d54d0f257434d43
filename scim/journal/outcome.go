package journal

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	scimerrors "github.com/elimity-com/scim/errors"

	"usher/model"
	"usher/scim/fault"
)

// ending is how a request ended, and why where it failed.
type ending struct {
	result                 model.SCIMResult
	scimType, detail, rule string
}

// ended reads how the request ended from its answer.
func (e *Entry) ended() ending {
	end := ending{result: e.result()}
	if e.Status < http.StatusBadRequest {
		return end
	}
	var told struct{ ScimType, Detail string }
	if json.Unmarshal(e.Answer, &told) == nil { // an answer of ours is JSON
		end.scimType, end.detail = Clean(told.ScimType, maxName), Clean(told.Detail, maxDetail)
	}
	end.rule = Clean(e.rule(end.scimType, end.detail), maxSubject)
	return end
}

func (e *Entry) result() model.SCIMResult {
	_, ownFault := errors.AsType[*fault.Error](e.Err)
	switch {
	case e.Status < http.StatusBadRequest:
		return model.SCIMSuccess
	case e.Status == http.StatusNotFound:
		return model.SCIMNotFound
	case e.Status == http.StatusUnauthorized, e.Status == http.StatusForbidden && !ownFault:
		return model.SCIMDenied
	case e.Status >= http.StatusInternalServerError && e.Status != http.StatusNotImplemented:
		return model.SCIMFailed
	}
	return model.SCIMRejected
}

// rule names the rule or check that refused the request.
func (e *Entry) rule(scimType, detail string) string {
	if _, ok := errors.AsType[*model.Throttled](e.Err); ok {
		return "limit of requests"
	}
	if m, ok := errors.AsType[*model.Error](e.Err); ok {
		if rule := ruleOfCore(m); rule != "" {
			return rule
		}
	}
	if rule := ruleOfType(scimerrors.ScimType(scimType), detail); rule != "" {
		return rule
	}
	return ruleOfStatus(e.Status)
}

// ruleOfCore names what the core refused by.
func ruleOfCore(m *model.Error) string {
	switch m.Kind {
	case model.Conflict:
		return strings.TrimSuffix("uniqueness of "+m.Field, " of ")
	case model.Invalid:
		return strings.TrimSuffix("schema attribute "+m.Field, " attribute ")
	case model.Refused:
		return strings.TrimSuffix("rule of Usher on "+m.Field, " on ")
	case model.Forbidden:
		return "rights of the client"
	case model.Internal, model.NotFound, model.Unauthorized, model.Precondition, model.TooLarge, model.Gone:
	}
	return ""
}

// ruleOfType names what the edge refused by; the detail of a value begins with the attribute.
func ruleOfType(scimType scimerrors.ScimType, detail string) string {
	attribute, _, found := strings.Cut(detail, ": ")
	if !found || strings.ContainsAny(attribute, " \t") {
		attribute = ""
	}
	switch scimType {
	case scimerrors.ScimTypeUniqueness:
		return "uniqueness"
	case scimerrors.ScimTypeInvalidValue:
		return strings.TrimSuffix("schema attribute "+attribute, " attribute ")
	case scimerrors.ScimTypeMutability:
		return strings.TrimSuffix("mutability of "+attribute, " of ")
	case scimerrors.ScimTypeInvalidSyntax:
		return "form of the request"
	case scimerrors.ScimTypeInvalidFilter:
		return "grammar of filters"
	case scimerrors.ScimTypeInvalidPath:
		return "paths of PATCH"
	case scimerrors.ScimTypeNoTarget:
		return "target of the path"
	default: // the status tells more than the others
		return ""
	}
}

func ruleOfStatus(status int) string {
	switch status {
	case http.StatusNotFound:
		return "existence"
	case http.StatusMethodNotAllowed:
		return "methods of the endpoint"
	case http.StatusNotAcceptable, http.StatusUnsupportedMediaType:
		return "media type"
	case http.StatusPreconditionFailed:
		return "version"
	case http.StatusRequestEntityTooLarge:
		return "limit of size"
	case http.StatusTooManyRequests:
		return "limit of requests"
	case http.StatusForbidden:
		return "rights of the client"
	case http.StatusNotImplemented:
		return "endpoints that are offered"
	}
	if status >= http.StatusInternalServerError {
		return "fault of the server"
	}
	return "form of the request"
}
