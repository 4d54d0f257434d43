package outlook

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what can be done about a failure of Graph.
type Kind int

// The kinds of failures; the page of the calendar bridge's reference lists Graph's codes of each.
const (
	Other            Kind = iota
	Invalid               // 400: the request can never succeed as it is
	BadZone               // 400: the time zone is not known to the mailbox
	CrossingBoundary      // 400: an occurrence would pass its neighbour
	NotOrganizer          // 400: only the organizer may
	ValidationFailed      // 400: the notification URL did not answer as it must
	TooLong               // 400: a subscription may not live that long
	BadCredentials        // the token endpoint refused, or 401: nothing of the tenant works
	Forbidden             // 403: a permission, or the scope of one, is missing
	Quota                 // 403: the mailbox has too many subscriptions
	NotFound              // 404: the item is not there (any more)
	NoMailbox             // 404: the person has no mailbox that Graph reaches
	NoUser                // 404: the person is not there (any more)
	Duplicate             // 409: such a subscription exists
	Conflict              // 409, 412: somebody else has changed the item
	SyncLost              // 410 and its kin: the delta must begin anew
	Throttled             // 429: After says when to come back
	Unavailable           // 5xx, broken answers and connections: the request may have been carried out
)

// Error is a failure that Graph, its token endpoint or the way to them told.
type Error struct {
	Kind      Kind
	Status    int           // of HTTP; 0 where no answer came
	Code      string        // Graph's own
	Message   string        // Graph's own; not for decisions
	RequestID string        // to tell Microsoft's support
	After     time.Duration // when to try again; 0 where nothing was said
}

// Error names code and message.
func (e *Error) Error() string {
	text := e.Code
	if e.Status != 0 {
		text = fmt.Sprintf("%d %s", e.Status, e.Code)
	}
	if e.Message != "" {
		text += ": " + e.Message
	}
	if e.RequestID != "" {
		text += " (request " + e.RequestID + ")"
	}
	return text
}

// KindOf tells the kind of any error; one that is not an *Error is Other.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Other
}
