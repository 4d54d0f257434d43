package graph

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"usher/model/outlook"
)

// Codes of failures that are not Graph's own.
const (
	codeBroken    = "BrokenConnection"
	codeUnread    = "UnreadableAnswer"
	codeTooLarge  = "AnswerTooLarge"
	codeForeign   = "ForeignLink"
	codeRedirect  = "Redirected"
	codePaused    = "MailboxPaused"
	codeBusy      = "TenantPaused"
	codeMissing   = "MissingArgument"
	codeBadValue  = "BadArgument"
	codeAmbiguous = "AmbiguousAddress"
)

// maxErrorBody bounds what is read of the body of a failure.
const maxErrorBody = 64 << 10

func unreadable(message string) *outlook.Error {
	return &outlook.Error{Kind: outlook.Unavailable, Code: codeUnread, Message: message}
}

func missing(what string) *outlook.Error {
	return &outlook.Error{Kind: outlook.Invalid, Code: codeMissing, Message: what + " is needed"}
}

// unnamed says that a text cannot be the last step of a path that leads to one thing: without it, or with a step back, the path
// leads to all of them.
func unnamed(id string) bool { return id == "" || id == "." || id == ".." }

func badValue(message string) *outlook.Error {
	return &outlook.Error{Kind: outlook.Invalid, Code: codeBadValue, Message: message}
}

// graphError is Graph's envelope: {"error":{"code","message","innerError":{"code","request-id",…}}}. Inner errors may be nested
// and spell their name in either case, which encoding/json takes as one.
type graphError struct {
	Code       string        `json:"code"`
	Message    string        `json:"message"`
	RequestID  string        `json:"request-id"`
	InnerError *graphError   `json:"innerError"`
	Details    []errorDetail `json:"details"`
}

// errorDetail says which property a failure of the directory is about.
type errorDetail struct {
	Code   string `json:"code"`
	Target string `json:"target"`
}

// failure makes of an answer with a status of 400 or more what the caller can act upon, whatever the body is.
func failure(c call, status int, header http.Header, body []byte, now time.Time) *outlook.Error {
	var envelope struct {
		Error json.RawMessage `json:"error"`
	}
	var told graphError
	if json.Unmarshal(body, &envelope) == nil && json.Unmarshal(envelope.Error, &told) != nil {
		// A member of another type than Graph's leaves the others as they were read; a text stands for the code.
		_ = json.Unmarshal(envelope.Error, &told.Code) // where it is no text either there is no code
	}
	e := &outlook.Error{
		Status:    status,
		Code:      cleanCode(told.Code),
		Message:   shorten(told.Message, 500),
		RequestID: cleanCode(header.Get("request-id")),
		After:     retryAfter(header, now),
	}
	codes := []string{strings.ToLower(e.Code)}
	depth := 0
	for inner := told.InnerError; inner != nil && depth < 5; inner, depth = inner.InnerError, depth+1 {
		codes = append(codes, strings.ToLower(cleanCode(inner.Code)))
		if e.RequestID == "" {
			e.RequestID = cleanCode(inner.RequestID)
		}
	}
	if e.Message == "" {
		e.Message = http.StatusText(status)
	}
	message := strings.ToLower(told.Message)
	if c.units > 0 {
		if e.Kind = kindInDirectory(c.operation, status, codes, told.Details, message); e.Kind != outlook.Other {
			return e
		}
	}
	e.Kind = kindOf(c.operation, status, codes, message)
	return e
}

// kindOf decides by status and code. The message decides where Graph has the same code, or none, for different things: a
// subscription that is refused, and a cancellation that is not the organizer's.
func kindOf(operation string, status int, codes []string, message string) outlook.Kind {
	has := func(parts ...string) bool {
		for _, code := range codes {
			for _, part := range parts {
				if strings.Contains(code, part) {
					return true
				}
			}
		}
		return false
	}
	subscribing := strings.HasPrefix(operation, "subscriptions.")
	switch {
	case status == http.StatusGone || has("syncstate", "resyncrequired") && status >= 400 && status < 500:
		return outlook.SyncLost
	case status == http.StatusBadRequest:
		return kindOfBadRequest(operation, has, message)
	case status == http.StatusUnauthorized:
		return outlook.BadCredentials
	case status == http.StatusForbidden:
		if has("quota") || subscribing && (strings.Contains(message, "quota") || strings.Contains(message, "limit") || strings.Contains(message, "maximum")) {
			return outlook.Quota
		}
		return outlook.Forbidden
	case status == http.StatusNotFound:
		return kindOfMissing(operation, has)
	case status == http.StatusConflict && operation == opSubscribe:
		return outlook.Duplicate
	case status == http.StatusConflict || status == http.StatusPreconditionFailed:
		return outlook.Conflict
	case status == http.StatusTooManyRequests || status == 509: // 509: bandwidth, learn.microsoft.com/graph/errors
		return outlook.Throttled
	case status == http.StatusRequestTimeout || status == http.StatusLocked || status == http.StatusFailedDependency ||
		status == http.StatusTooEarly || status >= 500:
		return outlook.Unavailable
	case status >= 400:
		return outlook.Invalid
	}
	return outlook.Other
}

func kindOfBadRequest(operation string, has func(...string) bool, message string) outlook.Kind {
	switch {
	case has("erroroccurrencecrossingboundary"):
		return outlook.CrossingBoundary
	case has("timezonenotsupported", "errorinvalidtimezone"):
		return outlook.BadZone
	case has("errorinvalididmailboxmismatch"): // the id is another mailbox's: it is not here
		return outlook.NotFound
	case operation == opCancel && strings.Contains(message, "organizer"):
		return outlook.NotOrganizer
	case strings.HasPrefix(operation, "subscriptions.") && strings.Contains(message, "expir"):
		return outlook.TooLong
	case operation == opSubscribe && (has("validation") || strings.Contains(message, "validat")):
		return outlook.ValidationFailed
	}
	return outlook.Invalid
}

func kindOfMissing(operation string, has func(...string) bool) outlook.Kind {
	switch {
	case has("mailboxnotenabled", "mailboxnotsupported", "errornonexistentmailbox", "errorinvaliduser"):
		return outlook.NoMailbox // errorinvaliduser: an address that is no mailbox, such as a distribution list
	case operation == opUser || has("request_resourcenotfound") && !strings.HasPrefix(operation, "groups."):
		return outlook.NoUser
	}
	return outlook.NotFound
}

// outcome names a kind for metrics.
func outcome(err *outlook.Error) string {
	if err == nil {
		return "ok"
	}
	switch err.Kind {
	case outlook.Throttled:
		return "throttled"
	case outlook.Unavailable:
		return "unavailable"
	case outlook.BadCredentials:
		return "bad_credentials"
	case outlook.Forbidden, outlook.Quota:
		return "forbidden"
	case outlook.NotFound, outlook.NoMailbox, outlook.NoUser:
		return "not_found"
	case outlook.Duplicate, outlook.Conflict, outlook.AddressTaken:
		return "conflict"
	case outlook.SyncLost:
		return "sync_lost"
	case outlook.Invalid, outlook.BadZone, outlook.CrossingBoundary, outlook.NotOrganizer, outlook.ValidationFailed, outlook.TooLong,
		outlook.BadDomain, outlook.PasswordPolicy, outlook.BadLocation:
		return "invalid"
	case outlook.Hybrid, outlook.Unwritable, outlook.NoSeats, outlook.InheritedLicence, outlook.PlanConflict:
		return "refused"
	case outlook.Other:
	}
	return "other"
}

// cleanCode keeps of a code or an id what such a thing is made of, because codes are logged.
func cleanCode(text string) string {
	return shorten(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r) {
			return r
		}
		return -1
	}, text), 100)
}

// shorten cuts a text at a number of bytes, between characters.
func shorten(text string, most int) string {
	if len(text) > most {
		text = text[:most]
	}
	return strings.ToValidUTF8(text, "")
}

// asError gives the failure that Graph told, or nil.
func asError(err error) *outlook.Error {
	failed, _ := errors.AsType[*outlook.Error](err)
	return failed
}
