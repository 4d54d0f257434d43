package outlook

import "time"

// User is a person, or a room's account, of the tenant.
type User struct {
	ID                string // object id
	UserPrincipalName string
	Mail              string
	DisplayName       string
	AccountEnabled    bool
}

// UserPage is a page of users; Next is empty on the last one.
type UserPage struct {
	Users []User
	Next  string
}

// CalendarRef names a calendar: Mailbox is the owner's object id or address, Calendar is empty for the default one.
type CalendarRef struct{ Mailbox, Calendar string }

// Calendar is one calendar of a mailbox, its owner's or one that is shared with the owner.
type Calendar struct {
	ID        string
	Name      string
	Color     string
	IsDefault bool
	CanEdit   bool
	Owner     Address // of another mailbox where the calendar is a shared one
}

// Window is a span of time, From included, To not.
type Window struct{ From, To time.Time }

// EventPage is a page of a view or of instances; Next is empty on the last one.
type EventPage struct {
	Events []Event
	Next   string
}

// DeltaPage is a page of a delta round: Next leads to the next page; the last page has Delta instead, which leads to what will
// have changed since. A page may be empty and still have Next. Links are opaque, several kilobytes long, and keep the window
// they were begun with.
type DeltaPage struct {
	Events []Event
	Next   string
	Delta  string
}

// NewSubscription is what is asked for: to be told of every change of a calendar.
type NewSubscription struct {
	Calendar        CalendarRef
	NotificationURL string
	LifecycleURL    string
	ClientState     string // at most 128 characters
	ExpiresAt       time.Time
}

// Subscription is what Graph answers and lists.
type Subscription struct {
	ID              string
	Resource        string // as Graph writes it, in any case: users/{id}/events or users/{id}/calendars/{id}/events
	NotificationURL string
	ExpiresAt       time.Time // to be believed, whatever was asked for
}

// SubscriptionPage is a page of the subscriptions of this application; Next is empty on the last one.
type SubscriptionPage struct {
	Subscriptions []Subscription
	Next          string
}

// Renewal asks for a later end of a subscription, which also reauthorizes it.
type Renewal struct {
	ID        string
	ExpiresAt time.Time
}

// Renewed is what became of a Renewal.
type Renewed struct {
	ID        string
	ExpiresAt time.Time
	Err       error // an *Error where Graph refused
}

// Room is a room of the tenant (Graph: places).
type Room struct {
	PlaceID     string
	Email       string
	DisplayName string
	Capacity    int // 0 where it is not known
	Building    string
	Floor       string
}

// RoomPage is a page of rooms; Next is empty on the last one.
type RoomPage struct {
	Rooms []Room
	Next  string
}

// Busy is a time at which somebody is not free. Status is tentative, busy, oof or workingElsewhere.
type Busy struct {
	Window
	Status string
}

// Schedule is what getSchedule knows of one address.
type Schedule struct {
	Address string
	Busy    []Busy
	Err     error // an *Error where Graph could not say
}
