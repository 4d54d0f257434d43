package outlook

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what can be done about a failure of Graph.
type Kind int

// The kinds of failures; the reference of Microsoft Graph lists its codes of each.
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
	Quota                 // 403: the mailbox has too many subscriptions, or the tenant too many objects
	NotFound              // 404: the item is not there (any more)
	NoMailbox             // 404: the person has no mailbox that Graph reaches
	NoUser                // 404: the person is not there (any more)
	Duplicate             // 409: such a subscription exists; 400: such a user or member does
	Conflict              // 409, 412: somebody else has changed the item
	SyncLost              // 410 and its kin: the delta must begin anew
	Throttled             // 429: After says when to come back
	Unavailable           // 5xx, broken answers and connections: the request may have been carried out

	AddressTaken     // 400: another object of the tenant has the mail address or alias
	BadDomain        // 400: the domain is none that the tenant has verified
	PasswordPolicy   // 400: the tenant's rules do not allow the password
	Hybrid           // 400: the object's master is elsewhere: Active Directory, or Exchange
	Unwritable       // 400: a group of a kind that Graph does not change, or whose rule decides its members
	NoSeats          // 400: the product has no free seats
	BadLocation      // 400: a product cannot be assigned without a usage location, or not in that one
	InheritedLicence // 400: the product comes from a group, and is taken away there
	PlanConflict     // 400: products exclude one another, or one needs another
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
