package graphapi

import (
	"context"

	"usher/model/outlook"
)

// Calendars is the tenant behind the server: what its mailboxes hold, and what Graph would do with it. Failures are
// *outlook.Error, of which Status and Code are answered where they are set, and those of its Kind where they are not.
// Links and Next are opaque; they travel inside Graph's own links.
type Calendars interface {
	User(ctx context.Context, ref string) (outlook.User, error)
	GroupMembers(ctx context.Context, group, next string) (outlook.UserPage, error)

	Calendars(ctx context.Context, mailbox string) ([]outlook.Calendar, error)
	Delta(ctx context.Context, cal outlook.CalendarRef, window outlook.Window, link string) (outlook.DeltaPage, error)
	View(ctx context.Context, cal outlook.CalendarRef, window outlook.Window, next string) (outlook.EventPage, error)
	Event(ctx context.Context, cal outlook.CalendarRef, id string) (outlook.Event, error)
	Master(ctx context.Context, cal outlook.CalendarRef, id string) (outlook.Event, error)
	Instances(ctx context.Context, cal outlook.CalendarRef, id string, window outlook.Window, next string) (outlook.EventPage, error)
	FindEvents(ctx context.Context, cal outlook.CalendarRef, origin, icalUID string) ([]outlook.Event, error)

	CreateEvent(ctx context.Context, cal outlook.CalendarRef, draft outlook.Draft) (outlook.Event, error)
	UpdateEvent(ctx context.Context, cal outlook.CalendarRef, id string, draft outlook.Draft, changeKey string) (outlook.Event, error)
	CancelEvent(ctx context.Context, cal outlook.CalendarRef, id, comment string) error
	DeleteEvent(ctx context.Context, cal outlook.CalendarRef, id, changeKey string) error

	Subscribe(ctx context.Context, s outlook.NewSubscription) (outlook.Subscription, error)
	Renew(ctx context.Context, list []outlook.Renewal) ([]outlook.Renewed, error)
	Reauthorize(ctx context.Context, id string) error
	Unsubscribe(ctx context.Context, id string) error
	Subscriptions(ctx context.Context, next string) (outlook.SubscriptionPage, error)

	Rooms(ctx context.Context, next string) (outlook.RoomPage, error)
	Schedules(ctx context.Context, mailbox string, addresses []string, window outlook.Window) ([]outlook.Schedule, error)

	Permissions(ctx context.Context) ([]string, error)
}
