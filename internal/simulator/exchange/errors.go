package exchange

import (
	"fmt"
	"time"

	"usher/model/outlook"
)

func failure(kind outlook.Kind, status int, code, format string, args ...any) *outlook.Error {
	return &outlook.Error{Kind: kind, Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

func itemNotFound() *outlook.Error {
	return failure(outlook.NotFound, 404, "ErrorItemNotFound", "The specified object was not found in the store.")
}

func noUser(ref string) *outlook.Error {
	return failure(outlook.NoUser, 404, "Request_ResourceNotFound",
		"Resource '%s' does not exist or one of its queried reference-property objects are not present.", ref)
}

func noMailbox() *outlook.Error {
	return failure(outlook.NoMailbox, 404, "MailboxNotEnabledForRESTAPI", "The mailbox is either inactive, soft-deleted, or is hosted on-premise.")
}

func staleKey() *outlook.Error {
	return failure(outlook.Conflict, 412, "ErrorIrresolvableConflict",
		"The send or update operation could not be performed because the change key passed in the request does not match the current change key for the item.")
}

func badZone(zone string) *outlook.Error {
	return failure(outlook.BadZone, 400, "TimeZoneNotSupportedException", "A valid TimeZone value must be specified. The following TimeZone value is not supported: '%s'.", zone)
}

func invalid(format string, args ...any) *outlook.Error {
	return failure(outlook.Invalid, 400, "ErrorPropertyValidationFailure", format, args...)
}

func crossing() *outlook.Error {
	return failure(outlook.CrossingBoundary, 400, "ErrorOccurrenceCrossingBoundary", "Modified occurrence is crossing or overlapping adjacent occurrence.")
}

func notOrganizer() *outlook.Error {
	return failure(outlook.NotOrganizer, 400, "ErrorInvalidRequest", "Your request can't be completed. You need to be an organizer to cancel a meeting.")
}

func accessDenied() *outlook.Error {
	return failure(outlook.Forbidden, 403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
}

func blockedByPolicy() *outlook.Error {
	return failure(outlook.Forbidden, 403, "ErrorAccessDenied", "Access to OData is disabled: [RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings.")
}

func directoryDenied() *outlook.Error {
	return failure(outlook.Forbidden, 403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
}

func badCredentials() *outlook.Error {
	return failure(outlook.BadCredentials, 401, "InvalidAuthenticationToken", "Access token validation failure.")
}

func throttled(after time.Duration) *outlook.Error {
	e := failure(outlook.Throttled, 429, "ApplicationThrottled", "Application is over its MailboxConcurrency limit.")
	e.After = after
	return e
}

func unavailable(status int) *outlook.Error {
	return failure(outlook.Unavailable, status, "ErrorInternalServerTransientError", "Cannot process the request right now. Try again later.")
}

// syncLost has the same code under each of the statuses that Graph was seen to give it.
func syncLost(status int) *outlook.Error {
	return failure(outlook.SyncLost, status, "SyncStateNotFound",
		"The sync state generation is not found. The delta token is expired and data must be synchronized again.")
}

func noSubscription(id string) *outlook.Error {
	return failure(outlook.NotFound, 404, "ResourceNotFound", "The object was not found: subscription %s.", id)
}

func tooLong() *outlook.Error {
	return failure(outlook.TooLong, 400, "InvalidRequest", "Subscription expiration can only be 10080 minutes in the future.")
}

func validationFailed(reason string) *outlook.Error {
	return failure(outlook.ValidationFailed, 400, "ValidationError", "Subscription validation request failed. %s", reason)
}
