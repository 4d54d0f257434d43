// Package calendarstest holds the promises of calendarbridge.Calendars: what the calendar bridge relies on of Microsoft 365,
// whoever stands behind the interface. The pretend tenant must keep them, and so must the door to Microsoft Graph when it
// speaks to the pretend tenant over HTTP, so that neither can drift from what the other one expects.
//
// It imports calendarbridge, model/outlook and the standard library, and is for tests alone.
//
//	func TestCalendars(t *testing.T) { calendarstest.Run(t, newWorld) }
package calendarstest

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"usher/calendarbridge"
	"usher/model/outlook"
)

// World is a tenant that one case has for itself, with empty mailboxes. Its lists have pages of a few items only, so that
// there are several pages.
type World struct {
	Calendars calendarbridge.Calendars
	Outlook   func(mailbox string) Outlook // somebody, by object id, at his own mailbox
	Now       func() time.Time

	Ada, Grace, Alan outlook.User // have mailboxes; Alan's mail address is not his principal name
	NoMailbox        outlook.User // has none
	OutOfScope       outlook.User // has one that the application may not reach
	Room             outlook.Room // answers for itself
	Rooms            int          // of the tenant, this one included
	Group            string       // object id
	Members          []string     // of the group, by object id; more than a page

	URL     string // answers Graph's validation
	DeadURL string // does not

	// Settle makes happen what is due in the next minute: rooms answer, notifications go out.
	Settle func()
	// ExpireLinks ends all delta links of a mailbox.
	ExpireLinks func(mailbox string)
}

// Outlook is what a person does with the default calendar of his mailbox, without the application.
type Outlook interface {
	Create(draft outlook.Draft) (outlook.Event, error)
	Change(id string, draft outlook.Draft) (outlook.Event, error)
	Cancel(id, comment string) error
	Delete(id string) error
	Answer(id string, response outlook.Response) error
	Propose(id string, response outlook.Response, proposed outlook.Span) error
	// Events gives the singles and the masters that the calendar holds.
	Events() []outlook.Event
}

// promise is one case.
type promise struct {
	name string
	test func(t *testing.T, w World)
}

// Run tries every promise on a world of its own.
func Run(t *testing.T, make func(t *testing.T) World) {
	t.Helper()
	for _, list := range [][]promise{directory(), events(), changes(), meetings(), series(), deltas(), subscriptions(), places()} {
		for _, p := range list {
			t.Run(p.name, func(t *testing.T) { p.test(t, make(t)) })
		}
	}
}

const (
	berlin = "W. Europe Standard Time"
	noon   = "2026-03-10T12:00:00" // a Tuesday; the clocks go forward on the 29th
)

// march is the window that the cases look through.
func march() outlook.Window {
	return outlook.Window{From: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 4, 30, 0, 0, 0, 0, time.UTC)}
}

func calendarOf(u outlook.User) outlook.CalendarRef { return outlook.CalendarRef{Mailbox: u.ID} }

func ptr[T any](v T) *T { return &v }

// lunch is an event of an hour at noon in Berlin, which is eleven o'clock UTC.
func lunch(subject string) outlook.Draft {
	return outlook.Draft{
		Subject: &subject, Start: &outlook.Moment{DateTime: noon, TimeZone: berlin},
		End: &outlook.Moment{DateTime: "2026-03-10T13:00:00", TimeZone: berlin},
	}
}

// on moves a draft to another day of 2026, at the same times.
func on(d outlook.Draft, day string) outlook.Draft {
	d.Start = &outlook.Moment{DateTime: "2026-" + day + d.Start.DateTime[10:], TimeZone: d.Start.TimeZone}
	d.End = &outlook.Moment{DateTime: "2026-" + day + d.End.DateTime[10:], TimeZone: d.End.TimeZone}
	return d
}

// every makes a draft a series of n occurrences, one each day.
func every(d outlook.Draft, n int) outlook.Draft {
	d.Recurrence = &outlook.Recurrence{
		Pattern: outlook.Pattern{Type: outlook.Daily, Interval: 1},
		Range:   outlook.Range{Type: outlook.Numbered, StartDate: d.Start.DateTime[:10], NumberOfOccurrences: n},
	}
	return d
}

func invite(d outlook.Draft, addresses ...string) outlook.Draft {
	list := []outlook.Attendee{}
	for _, address := range addresses {
		list = append(list, outlook.Attendee{Address: outlook.Address{Email: address, Name: address}, Type: outlook.Required})
	}
	d.Attendees = &list
	return d
}

// must gives the value, or ends the case.
func must[T any](t *testing.T) func(value T, err error) T {
	t.Helper()
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func wantKind(t *testing.T, err error, want ...outlook.Kind) {
	t.Helper()
	if err == nil || !slices.Contains(want, outlook.KindOf(err)) {
		t.Errorf("got error %v of kind %d, want kind %v", err, outlook.KindOf(err), want)
	}
}

func (w World) create(t *testing.T, who outlook.User, d outlook.Draft) outlook.Event {
	t.Helper()
	return must[outlook.Event](t)(w.Calendars.CreateEvent(t.Context(), calendarOf(who), d))
}

func (w World) read(t *testing.T, who outlook.User, id string) outlook.Event {
	t.Helper()
	return must[outlook.Event](t)(w.Calendars.Event(t.Context(), calendarOf(who), id))
}

// view gives all that the calendar's view has in the window.
func (w World) view(t *testing.T, who outlook.User, window outlook.Window) []outlook.Event {
	t.Helper()
	return all(t, func(ctx context.Context, next string) (outlook.EventPage, error) {
		return w.Calendars.View(ctx, calendarOf(who), window, next)
	})
}

// all walks through the pages of events.
func all(t *testing.T, read func(ctx context.Context, next string) (outlook.EventPage, error)) []outlook.Event {
	t.Helper()
	var list []outlook.Event
	next := ""
	for range 200 {
		page := must[outlook.EventPage](t)(read(t.Context(), next))
		list = append(list, page.Events...)
		if next = page.Next; next == "" {
			return list
		}
	}
	t.Fatal("the pages have no end")
	return nil
}

// copyOf finds the copy of a meeting in somebody's calendar.
func (w World) copyOf(t *testing.T, who outlook.User, meeting outlook.Event) outlook.Event {
	t.Helper()
	list := must[[]outlook.Event](t)(w.Calendars.FindEvents(t.Context(), calendarOf(who), "", meeting.ICalUID))
	if len(list) != 1 {
		t.Fatalf("%s has %d copies of %q, want 1", who.DisplayName, len(list), meeting.Subject)
	}
	return list[0]
}

// instant reads a moment that must be in UTC.
func instant(t *testing.T, m outlook.Moment) time.Time {
	t.Helper()
	if !strings.EqualFold(m.TimeZone, "UTC") {
		t.Errorf("a time is in %q, want UTC", m.TimeZone)
	}
	at, err := time.Parse("2006-01-02T15:04:05", m.DateTime) // takes decimals as well
	if err != nil {
		t.Errorf("time %q: %v", m.DateTime, err)
	}
	return at
}

func wantStart(t *testing.T, e outlook.Event, want time.Time) {
	t.Helper()
	if got := instant(t, e.Start); !got.Equal(want) {
		t.Errorf("%q starts at %v, want %v", e.Subject, got, want)
	}
}

func utc(month time.Month, day, hour, minute int) time.Time {
	return time.Date(2026, month, day, hour, minute, 0, 0, time.UTC)
}
