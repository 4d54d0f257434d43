package app_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"usher/calendarbridge"
	"usher/calendarbridge/calendarstest"
	"usher/internal/graph"
	pretend "usher/internal/simulator/exchange"
	"usher/internal/simulator/graphapi"
	"usher/model/outlook"
)

var (
	_ calendarbridge.Calendars = (*pretend.Client)(nil)
	_ calendarbridge.Calendars = (*graph.Client)(nil)
	_ graphapi.Calendars       = (*pretend.Client)(nil)
)

// TestCalendarsOfTheSimulator tries what the bridge relies on with the pretend tenant itself.
func TestCalendarsOfTheSimulator(t *testing.T) {
	calendarstest.Run(t, func(t *testing.T) calendarstest.World {
		tenant := newCalendarTenant()
		return tenant.world(t, tenant.Client("usher"))
	})
}

// TestCalendarsOverHTTP tries it with the door to Microsoft Graph, which speaks to the pretend Microsoft over HTTP.
func TestCalendarsOverHTTP(t *testing.T) {
	calendarstest.Run(t, func(t *testing.T) calendarstest.World { return newWire(t, -1).World })
}

// calendarTenant is a pretend tenant with the people that the promises speak of, and a clock of its own.
type calendarTenant struct {
	*pretend.Tenant

	mu  sync.Mutex
	now time.Time
}

func (c *calendarTenant) clock() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *calendarTenant) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

const (
	answeringURL = "https://usher.contoso.example/graph/notifications"
	deadURL      = "https://dead.contoso.example/graph/notifications"
)

func newCalendarTenant() *calendarTenant {
	c := &calendarTenant{now: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)}
	c.Tenant = pretend.New(pretend.Options{
		Seed: 1, Now: c.clock, PageSize: 5,
		Deliver: func(_ context.Context, url string, _ []byte, validationToken string) (int, string, error) {
			if strings.HasPrefix(url, deadURL) {
				return 404, "not found", nil
			}
			return 200, validationToken, nil
		},
	})
	return c
}

// world adds the people, and the application's way to them.
func (c *calendarTenant) world(t *testing.T, calendars calendarbridge.Calendars) calendarstest.World {
	t.Helper()
	w := calendarstest.World{
		Calendars: calendars, Now: c.clock, URL: answeringURL, DeadURL: deadURL, Rooms: 7,
		Ada: c.AddUser(pretend.NewUser{Name: "Ada Lovelace"}), Grace: c.AddUser(pretend.NewUser{Name: "Grace Hopper"}),
		Alan:        c.AddUser(pretend.NewUser{Name: "Alan Turing", Mail: "turing@contoso.example"}), // not the principal name
		NoMailbox:   c.AddUser(pretend.NewUser{Name: "George Boole", Hosting: pretend.NoLicence}),
		OutOfScope:  c.AddUser(pretend.NewUser{Name: "Hedy Lamarr"}),
		Room:        c.AddRoom(pretend.NewRoom{Name: "Aquarium", Capacity: 8, Building: "North", Floor: "2"}),
		Outlook:     func(mailbox string) calendarstest.Outlook { return desk{t, c.As(mailbox)} },
		ExpireLinks: func(mailbox string) { c.ExpireDeltaLinks(mailbox) },
		Settle: func() {
			c.pass(time.Minute)
			c.Step(t.Context())
		},
	}
	for i := range w.Rooms - 1 {
		c.AddRoom(pretend.NewRoom{Name: fmt.Sprintf("Meeting room %d", i)})
	}
	for i := range 12 {
		w.Members = append(w.Members, c.AddUser(pretend.NewUser{Name: fmt.Sprintf("Member %d", i)}).ID)
	}
	w.Group = c.AddGroup(w.Members...)
	c.Block(w.OutOfScope.ID, true)
	return w
}

// desk is somebody's Outlook, with the default calendar open.
type desk struct {
	t *testing.T
	pretend.Person
}

func (d desk) Create(draft outlook.Draft) (outlook.Event, error) {
	return d.Person.Create("", draft)
}

func (d desk) Answer(id string, response outlook.Response) error {
	return d.Person.Answer(id, response, "")
}

func (d desk) Events() []outlook.Event {
	d.t.Helper()
	list, err := d.Series("")
	if err != nil {
		d.t.Fatal(err)
	}
	return list
}
