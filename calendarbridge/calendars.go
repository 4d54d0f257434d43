package calendarbridge

import (
	"context"

	"usher/model/outlook"
)

// Calendars is one tenant of Microsoft 365, as an integration's credentials reach it. Failures that Graph tells are
// *outlook.Error. Every id of an event is an immutable one. Whoever gives pages takes the Next of the last page, "" for the
// first. Requests to one mailbox never delay those to another.
type Calendars interface {
	// User finds somebody by object id, user principal name or SMTP address.
	User(ctx context.Context, ref string) (outlook.User, error)
	// GroupMembers gives the users who are members of a group, by its object id.
	GroupMembers(ctx context.Context, group, next string) (outlook.UserPage, error)

	// Calendars gives every calendar of a mailbox, shared ones included.
	Calendars(ctx context.Context, mailbox string) ([]outlook.Calendar, error)
	// Delta gives a page of what changed in the calendar's view. Without a link it begins a round over the window; a link has
	// its own window. SyncLost says that the link leads nowhere any more.
	Delta(ctx context.Context, cal outlook.CalendarRef, window outlook.Window, link string) (outlook.DeltaPage, error)
	// View gives a page of the singles, occurrences and exceptions that touch the window.
	View(ctx context.Context, cal outlook.CalendarRef, window outlook.Window, next string) (outlook.EventPage, error)
	// Event reads one event.
	Event(ctx context.Context, cal outlook.CalendarRef, id string) (outlook.Event, error)
	// Master reads a series with its cancelled occurrences and its exceptions.
	Master(ctx context.Context, cal outlook.CalendarRef, id string) (outlook.Event, error)
	// Instances gives a page of the occurrences and exceptions of a series that touch the window.
	Instances(ctx context.Context, cal outlook.CalendarRef, id string, window outlook.Window, next string) (outlook.EventPage, error)
	// FindEvents gives the events of the calendar that have the mark of Draft.Origin, or the iCalUId; one of both is empty.
	FindEvents(ctx context.Context, cal outlook.CalendarRef, origin, icalUID string) ([]outlook.Event, error)

	// CreateEvent makes an event; invitations go to its attendees at once. A second one with the transaction id of the first
	// gives the first.
	CreateEvent(ctx context.Context, cal outlook.CalendarRef, draft outlook.Draft) (outlook.Event, error)
	// UpdateEvent changes an event, or one occurrence of a series, if it still has the change key; "" changes it anyway.
	UpdateEvent(ctx context.Context, cal outlook.CalendarRef, id string, draft outlook.Draft, changeKey string) (outlook.Event, error)
	// CancelEvent calls a meeting off, and tells its attendees; the organizer's copy alone.
	CancelEvent(ctx context.Context, cal outlook.CalendarRef, id, comment string) error
	// DeleteEvent moves an event to the deleted items, if it still has the change key; "" deletes it anyway.
	DeleteEvent(ctx context.Context, cal outlook.CalendarRef, id, changeKey string) error

	// Subscribe asks to be told of changes. Graph calls both URLs before it answers.
	Subscribe(ctx context.Context, s outlook.NewSubscription) (outlook.Subscription, error)
	// Renew moves the ends of subscriptions, each for itself, in the order they are given.
	Renew(ctx context.Context, list []outlook.Renewal) ([]outlook.Renewed, error)
	// Reauthorize lets a subscription live on after its token has ended, without a later end.
	Reauthorize(ctx context.Context, id string) error
	// Unsubscribe ends a subscription; one that is gone already is no failure.
	Unsubscribe(ctx context.Context, id string) error
	// Subscriptions gives a page of all subscriptions of this application in the tenant.
	Subscriptions(ctx context.Context, next string) (outlook.SubscriptionPage, error)

	// Rooms gives a page of the tenant's rooms.
	Rooms(ctx context.Context, next string) (outlook.RoomPage, error)
	// Schedules says when up to 20 addresses are busy, asked in the name of a mailbox.
	Schedules(ctx context.Context, mailbox string, addresses []string, window outlook.Window) ([]outlook.Schedule, error)

	// Permissions gives the application permissions that the administrator has granted (the roles of the token).
	Permissions(ctx context.Context) ([]string, error)
}
