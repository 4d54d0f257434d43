package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"usher/directory"
	"usher/model"
	"usher/model/outlook"
)

// problemType is the media type of RFC 9457.
const problemType = "application/problem+json"

// Problem is how every failure looks (RFC 9457).
type Problem struct {
	Type   string       `json:"type" doc:"Always about:blank: the status says what sort of problem it is."`
	Title  string       `json:"title" doc:"The status in words."`
	Status int          `json:"status"`
	Detail string       `json:"detail" doc:"What is wrong, in a sentence."`
	Errors []FieldError `json:"errors,omitempty" doc:"The fields at fault, where there are any."`
	// Candidates are the groups that a name may have meant.
	Candidates []directory.GroupCandidate `json:"candidates,omitempty" doc:"The groups that an ambiguous name may have meant."`
	Graph      *GraphError                `json:"graph,omitempty" doc:"What Microsoft Graph said, where it failed."`

	retry int // seconds, of a 429
}

// FieldError names a field at fault, by its path in the body or its name among the parameters.
type FieldError struct {
	Field  string `json:"field" example:"[3].permissions[0].level"`
	Detail string `json:"detail"`
}

// Error gives the detail.
func (p *Problem) Error() string { return p.Detail }

// GetStatus gives huma the status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType gives huma the media type.
func (p *Problem) ContentType(string) string { return problemType }

func problem(status int, format string, args ...any) *Problem {
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: fmt.Sprintf(format, args...)}
}

// fieldProblem is a problem with one field.
func fieldProblem(status int, field, format string, args ...any) *Problem {
	p := problem(status, format, args...)
	p.Errors = []FieldError{{field, p.Detail}}
	return p
}

// unexpected is what the caller is told of a failure that is ours alone.
func unexpected() *Problem {
	return problem(http.StatusInternalServerError, "Something went wrong on our side. It was logged; try again later.")
}

// busy is what a request is answered that found no room.
func busy(t *model.Throttled) *Problem {
	p := problem(http.StatusTooManyRequests, "the server is busy with other requests; try again later")
	p.retry = max(1, int(t.After.Seconds()))
	return p
}

// statusOf says which status a kind of failure has.
func statusOf(kind model.Kind) int {
	switch kind {
	case model.Invalid:
		return http.StatusUnprocessableEntity
	case model.NotFound:
		return http.StatusNotFound
	case model.Conflict, model.Refused:
		return http.StatusConflict
	case model.Forbidden:
		return http.StatusForbidden
	case model.Unauthorized:
		return http.StatusUnauthorized
	case model.Precondition:
		return http.StatusPreconditionFailed
	case model.TooLarge:
		return http.StatusRequestEntityTooLarge
	case model.Gone:
		return http.StatusGone
	case model.Internal:
	}
	return http.StatusInternalServerError
}

// failure turns any error into a Problem; one that nobody may be told about is logged.
func (a *API) failure(ctx context.Context, err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	if t, ok := errors.AsType[*model.Throttled](err); ok {
		return busy(t)
	}
	if e, ok := errors.AsType[*directory.AmbiguousGroup](err); ok {
		p := fieldProblem(statusOf(e.Refusal.Kind), e.Refusal.Field, "%s", e.Refusal.Detail)
		p.Candidates = e.Candidates
		return p
	}
	if e, ok := errors.AsType[*model.Error](err); ok && e.Kind != model.Internal {
		if e.Field == "" {
			return problem(statusOf(e.Kind), "%s", e.Detail)
		}
		return fieldProblem(statusOf(e.Kind), e.Field, "%s", e.Detail)
	}
	if e, ok := errors.AsType[*outlook.Error](err); ok {
		return graphProblem(e)
	}
	if ctx.Err() == nil {
		a.log.ErrorContext(ctx, "request failed", "actor", directory.ActorOf(ctx), "err", err)
	}
	return unexpected()
}

// asProblem gives huma's own failures, those of reading and validating a request, the shape of all others.
func asProblem(_ huma.Context, _ string, v any) (any, error) {
	e, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	if e.Status >= http.StatusInternalServerError {
		return unexpected(), nil
	}
	p := problem(e.Status, "%s", e.Detail)
	for _, d := range e.Errors {
		if d != nil {
			p.Errors = append(p.Errors, fieldError(d))
		}
	}
	if len(p.Errors) > 0 {
		first := p.Errors[0]
		p.Detail = strings.TrimPrefix(first.Field+": "+first.Detail, ": ")
		if n := len(p.Errors) - 1; n > 0 {
			p.Detail += fmt.Sprintf(" (and %d more)", n)
		}
	}
	if p.Status == http.StatusBadRequest || p.Status == http.StatusUnsupportedMediaType {
		p.Errors = nil // about the body as a whole
	}
	return p, nil
}

var missingProperty = regexp.MustCompile(`^expected required property (\S+) to be present$`)

// fieldError translates what huma says about a place in a request to the caller's name of it.
func fieldError(d *huma.ErrorDetail) FieldError {
	field, detail := d.Location, d.Message
	for _, part := range []string{"body", "path", "query", "header"} {
		if rest, ok := strings.CutPrefix(field, part); ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			field = strings.TrimPrefix(rest, ".")
			break
		}
	}
	switch {
	case missingProperty.MatchString(detail):
		name := missingProperty.FindStringSubmatch(detail)[1]
		return FieldError{strings.TrimPrefix(field+"."+name, "."), "is required"}
	case detail == "unexpected property":
		detail = "is not a known field"
	case strings.HasPrefix(detail, "json:"):
		detail = "holds a value of another type than expected"
	}
	return FieldError{field, detail}
}
