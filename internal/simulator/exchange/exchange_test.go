package exchange_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"usher/calendarbridge"
	"usher/internal/simulator/exchange"
	"usher/model/outlook"
)

var _ calendarbridge.Calendars = (*exchange.Client)(nil)

// clock is a time that stands still until it is moved.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// world is a tenant with three people, a room, and an application that has subscribed to nothing.
type world struct {
	*exchange.Tenant
	clock            *clock
	client           *exchange.Client
	ada, grace, alan exchange.Person
	ids              map[string]string // object ids by first name
	room             outlook.Room
}

func newWorld(t interface{ Helper() }, options exchange.Options) *world {
	t.Helper()
	w := &world{clock: &clock{at: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)}, ids: map[string]string{}}
	options.Now = w.clock.now
	w.Tenant = exchange.New(options)
	w.ada, w.grace, w.alan = w.add("Ada Lovelace"), w.add("Grace Hopper"), w.add("Alan Turing")
	w.room = w.AddRoom(exchange.NewRoom{Name: "Analytical Engine", Capacity: 8, Building: "Main", Floor: "2"})
	w.client = w.Client("usher")
	return w
}

func (w *world) add(name string) exchange.Person {
	u := w.AddUser(exchange.NewUser{Name: name})
	w.ids[name[:3]] = u.ID
	return w.As(u.ID)
}

func ptr[T any](value T) *T { return &value }

func moment(wall string) *outlook.Moment {
	return &outlook.Moment{DateTime: wall, TimeZone: "W. Europe Standard Time"}
}

// meeting gives a draft of an hour from the wall time on, on 2026-03-03 where it has no date.
func meeting(subject, start, end string, attendees ...string) outlook.Draft {
	d := outlook.Draft{Subject: &subject, Start: moment("2026-03-03T" + start), End: moment("2026-03-03T" + end)}
	if len(attendees) > 0 {
		d.Attendees = people(attendees...)
	}
	return d
}

func people(addresses ...string) *[]outlook.Attendee {
	list := []outlook.Attendee{}
	for _, address := range addresses {
		list = append(list, outlook.Attendee{Address: outlook.Address{Email: address}, Type: outlook.Required})
	}
	return &list
}

func daily(start string, count int) *outlook.Recurrence {
	return &outlook.Recurrence{
		Pattern: outlook.Pattern{Type: outlook.Daily, Interval: 1},
		Range:   outlook.Range{Type: outlook.Numbered, StartDate: start, NumberOfOccurrences: count},
	}
}

const (
	adaMail   = "ada.lovelace@contoso.example"
	graceMail = "grace.hopper@contoso.example"
	alanMail  = "alan.turing@contoso.example"
	roomMail  = "analytical.engine@contoso.example"
)

// march is a window over the whole month.
func march() outlook.Window {
	return outlook.Window{From: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)}
}

func must[T any](t testing.TB) func(value T, err error) T {
	t.Helper()
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func event(t testing.TB) func(outlook.Event, error) outlook.Event { return must[outlook.Event](t) }

// view gives what somebody sees in March in the default calendar.
func view(t testing.TB, p exchange.Person) []outlook.Event {
	t.Helper()
	return must[[]outlook.Event](t)(p.View("", march()))
}

// only gives the one event that somebody sees.
func only(t testing.TB, p exchange.Person) outlook.Event {
	t.Helper()
	events := view(t, p)
	if len(events) != 1 {
		t.Fatalf("there are %d events, not one: %+v", len(events), events)
	}
	return events[0]
}

func wantKind(t testing.TB, err error, kind outlook.Kind, status int, code string) {
	t.Helper()
	failure, ok := errors.AsType[*outlook.Error](err)
	if !ok || failure.Kind != kind || failure.Status != status || failure.Code != code || failure.RequestID == "" {
		t.Errorf("got %v, want kind %d, %d %s with a request id", err, kind, status, code)
	}
}

// countMails counts the mails of a kind to somebody.
func (w *world) countMails(kind exchange.MailKind, to string) int {
	n := 0
	for _, m := range w.Mails() {
		if m.Kind == kind && m.To == to {
			n++
		}
	}
	return n
}

func statusOf(err error) int {
	if failure, ok := errors.AsType[*outlook.Error](err); ok {
		return failure.Status
	}
	return 0
}
