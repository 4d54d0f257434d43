package graphapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"usher/internal/simulator/entraid"
	"usher/model/outlook"
)

// refuse makes a failure with a status and a code of Graph's.
func refuse(status int, code, message string) *outlook.Error {
	return &outlook.Error{Status: status, Code: code, Message: message}
}

func badRequest(message string) *outlook.Error {
	return refuse(http.StatusBadRequest, "BadRequest", message)
}

// notHeld answers what Graph has and this server does not, so that nobody takes silence for success.
func notHeld(what string) *outlook.Error {
	return refuse(http.StatusNotImplemented, "NotImplemented", "The simulator does not hold "+what+".")
}

// usual is what Graph answers to each kind of failure.
func usual(kind outlook.Kind) outlook.Error {
	return map[outlook.Kind]outlook.Error{
		outlook.Other:            {Status: 500, Code: "generalException", Message: "An unspecified error has occurred."},
		outlook.Invalid:          {Status: 400, Code: "ErrorInvalidRequest", Message: "The request is invalid."},
		outlook.BadZone:          {Status: 400, Code: "TimeZoneNotSupportedException", Message: "A valid TimeZone value must be specified."},
		outlook.CrossingBoundary: {Status: 400, Code: "ErrorOccurrenceCrossingBoundary", Message: "Modified occurrence is crossing or overlapping adjacent occurrence."},
		outlook.NotOrganizer:     {Status: 400, Code: "ErrorInvalidRequest", Message: "Your request can't be completed. You need to be an organizer to cancel a meeting."},
		outlook.ValidationFailed: {Status: 400, Code: "ValidationError", Message: "Subscription validation request failed. Notification endpoint must respond with 200 OK to validation request."},
		outlook.TooLong:          {Status: 400, Code: "InvalidRequest", Message: "Subscription expiration can only be 10080 minutes in the future."},
		outlook.BadCredentials:   {Status: 401, Code: "InvalidAuthenticationToken", Message: "Access token has expired or is not yet valid."},
		outlook.Forbidden:        {Status: 403, Code: "ErrorAccessDenied", Message: "Access is denied. Check credentials and try again."},
		outlook.Quota:            {Status: 403, Code: "QuotaExceeded", Message: "The maximum number of 1000 active subscriptions of the mailbox has been reached."},
		outlook.NotFound:         {Status: 404, Code: "ErrorItemNotFound", Message: "The specified object was not found in the store."},
		outlook.NoMailbox:        {Status: 404, Code: "MailboxNotEnabledForRESTAPI", Message: "The mailbox is either inactive, soft-deleted, or is hosted on-premise."},
		outlook.NoUser:           {Status: 404, Code: "Request_ResourceNotFound", Message: "Resource does not exist or one of its queried reference-property objects are not present."},
		outlook.Duplicate:        {Status: 409, Code: "Conflict", Message: "Subscription Id <> already exists for the requested combination"},
		outlook.Conflict:         {Status: 412, Code: "ErrorIrresolvableConflict", Message: "The send or update operation could not be performed because the change key passed in the request does not match the current change key for the item."},
		outlook.SyncLost:         {Status: 410, Code: "SyncStateNotFound", Message: "The sync state generation is not found. The delta token is expired and data must be synchronized again."},
		outlook.Throttled:        {Status: 429, Code: "ApplicationThrottled", Message: "Application is over its MailboxConcurrency limit."},
		outlook.Unavailable:      {Status: 503, Code: "ServiceUnavailable", Message: "The service is temporarily unavailable."},
	}[kind]
}

// explain completes a failure by what Graph answers to its kind.
func explain(err error) outlook.Error {
	e, ok := errors.AsType[*outlook.Error](err)
	if !ok {
		e = &outlook.Error{Message: err.Error()}
	}
	full, usual := *e, usual(e.Kind)
	if full.Status == 0 {
		full.Status = usual.Status
	}
	if full.Code == "" {
		full.Code = usual.Code
	}
	if full.Message == "" {
		full.Message = usual.Message
	}
	return full
}

// answer is what goes back over HTTP, or into an item of a batch.
type answer struct {
	status int
	header http.Header
	body   []byte
	cut    bool // the connection is reset in the middle of the body
}

func newAnswer(status int) answer { return answer{status: status, header: http.Header{}} }

func jsonAnswer(status int, value any) (answer, error) {
	body, err := json.Marshal(value)
	if err != nil {
		return answer{}, err
	}
	a := newAnswer(status)
	a.body = body
	a.header.Set("Content-Type", "application/json; odata.metadata=minimal; odata.streaming=true; IEEE754Compatible=false; charset=utf-8")
	return a, nil
}

// failure is the error envelope of Graph.
func (c *call) failure(now time.Time, err error) answer {
	e := explain(err)
	inner := map[string]string{"date": now.UTC().Format("2006-01-02T15:04:05"), "request-id": c.requestID, "client-request-id": c.clientRequestID}
	envelope := map[string]any{"code": e.Code, "message": e.Message, "innerError": inner}
	if detailed, ok := errors.AsType[*entraid.Error](err); ok {
		list := []object{}
		for _, d := range detailed.Details {
			list = append(list, object{"code": d.Code, "message": d.Message, "target": d.Target})
		}
		envelope["details"] = list
	}
	a, _ := jsonAnswer(e.Status, map[string]any{"error": envelope})
	a.header.Set("Content-Type", "application/json")
	if e.After > 0 {
		seconds := int((e.After + time.Second - 1) / time.Second)
		a.header.Set("Retry-After", strconv.Itoa(seconds))
	}
	if e.Status == http.StatusUnauthorized {
		a.header.Set("WWW-Authenticate", `Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000"`)
	}
	return a
}
