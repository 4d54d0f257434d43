package entraid

import (
	"fmt"
	"time"

	"usher/model/outlook"
)

// Error is a failure with details, as the directory's envelopes have them (Microsoft: error.details).
type Error struct {
	Failure outlook.Error
	Details []Detail
}

// Detail says which property a failure is about.
type Detail struct{ Code, Message, Target string }

// Error names code and message.
func (e *Error) Error() string { return e.Failure.Error() }

// Unwrap makes it an *outlook.Error for whoever decides by its kind.
func (e *Error) Unwrap() error { return &e.Failure }

func failure(kind outlook.Kind, status int, code, format string, args ...any) *outlook.Error {
	return &outlook.Error{Kind: kind, Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

// Denied is the answer to whoever lacks a permission, or a role that is high enough.
func Denied() *outlook.Error {
	return failure(outlook.Forbidden, 403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
}

func gone(kind outlook.Kind, ref string) *outlook.Error {
	return failure(kind, 404, "Request_ResourceNotFound",
		"Resource '%s' does not exist or one of its queried reference-property objects are not present.", ref)
}

func noUser(ref string) *outlook.Error { return gone(outlook.NoUser, ref) }

func notFound(ref string) *outlook.Error { return gone(outlook.NotFound, ref) }

// Invalid is the answer to a request that can never succeed as it is.
func Invalid(format string, args ...any) *outlook.Error {
	return failure(outlook.Invalid, 400, "Request_BadRequest", format, args...)
}

func badValue(property string) *outlook.Error {
	return Invalid("Invalid value specified for property '%s' of resource 'User'.", property)
}

// conflict says that another object has the value.
func conflict(kind outlook.Kind, property string) error {
	message := "Another object with the same value for property " + property + " already exists."
	return &Error{
		Failure: *failure(kind, 400, "Request_BadRequest", "%s", message),
		Details: []Detail{{Code: "ObjectConflict", Message: message, Target: property}},
	}
}

// mastered is the answer to a change of what Active Directory is the master of.
func mastered() *outlook.Error {
	e := Invalid("Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration.")
	e.Kind = outlook.Hybrid
	return e
}

func badCredentials() *outlook.Error {
	return failure(outlook.BadCredentials, 401, "InvalidAuthenticationToken", "Access token validation failure.")
}

func throttled(after time.Duration) *outlook.Error {
	e := failure(outlook.Throttled, 429, "TooManyRequests", "Too many requests.")
	e.After = after
	return e
}

func unavailable(status int) *outlook.Error {
	return failure(outlook.Unavailable, status, "UnknownError", "Cannot process the request right now. Try again later.")
}

func syncLost(status int) *outlook.Error {
	return failure(outlook.SyncLost, status, "SyncStateNotFound",
		"The sync state generation is not found. The delta token is expired and data must be synchronized again.")
}
