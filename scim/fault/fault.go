// Package fault holds the one error type that every part of the SCIM edge uses to tell a client what is wrong with its
// request: an HTTP status, a scimType of RFC 7644 table 9 and a sentence. It imports elimity-com/scim's errors alone.
package fault

import (
	"fmt"
	"net/http"

	scimerrors "github.com/elimity-com/scim/errors"
)

// Error is what a client is told: its own mistake with a status from 400 to 499, or 501. Type is empty where RFC 7644 table 9 has no
// word for it. Detail is a sentence that names the attribute, path or token at fault.
type Error struct {
	Status int
	Type   scimerrors.ScimType
	Detail string
}

// Error gives the sentence.
func (e *Error) Error() string { return e.Detail }

// MarshalJSON gives the error message of RFC 7644 §3.12; status is a string there.
func (e *Error) MarshalJSON() ([]byte, error) {
	return scimerrors.ScimError{ScimType: e.Type, Detail: e.Detail, Status: e.Status}.MarshalJSON()
}

// Syntax says that the body is not the JSON that the operation asks for.
func Syntax(format string, args ...any) *Error {
	return bad(scimerrors.ScimTypeInvalidSyntax, format, args...)
}

// Value says that the value at path has the wrong type, is missing or is too long.
func Value(path, format string, args ...any) *Error {
	return bad(scimerrors.ScimTypeInvalidValue, "%s: %s", path, fmt.Sprintf(format, args...))
}

// Filter says that a filter cannot be understood or is not supported.
func Filter(format string, args ...any) *Error {
	return bad(scimerrors.ScimTypeInvalidFilter, format, args...)
}

// Path says that the path of a PATCH operation is malformed or names nothing.
func Path(path, format string, args ...any) *Error {
	return bad(scimerrors.ScimTypeInvalidPath, "path %q: %s", path, fmt.Sprintf(format, args...))
}

// NoTarget says that a path selects nothing that the operation could act on.
func NoTarget(format string, args ...any) *Error {
	return bad(scimerrors.ScimTypeNoTarget, format, args...)
}

// Mutability says that the attribute may not be changed, or not be removed.
func Mutability(path, format string, args ...any) *Error {
	return bad(scimerrors.ScimTypeMutability, "%s: %s", path, fmt.Sprintf(format, args...))
}

// TooLarge says that the request exceeds a documented limit.
func TooLarge(format string, args ...any) *Error {
	return &Error{Status: http.StatusRequestEntityTooLarge, Detail: fmt.Sprintf(format, args...)}
}

// NotFound says that there is no such resource or endpoint.
func NotFound(format string, args ...any) *Error {
	return &Error{Status: http.StatusNotFound, Detail: fmt.Sprintf(format, args...)}
}

func bad(typ scimerrors.ScimType, format string, args ...any) *Error {
	return &Error{Status: http.StatusBadRequest, Type: typ, Detail: fmt.Sprintf(format, args...)}
}
