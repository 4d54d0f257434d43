package app_test

import (
	"context"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"usher/calendarbridge"
	"usher/directory"
	"usher/internal/app"
	"usher/internal/secret"
	"usher/internal/simulator"
	pretend "usher/internal/simulator/exchange"
	"usher/internal/simulator/graphapi"
	"usher/model"
	"usher/model/outlook"
	"usher/model/store"
)

// calendarWorld is a running Usher with a pretend tenant that pushes people over SCIM and holds their mailboxes, all over HTTP.
type calendarWorld struct {
	*world
	mail   *pretend.Tenant
	ada    model.Account
	person pretend.Person
	cal    model.Calendar
}

const calendarSecret = "s3cret-of-the-application"

func newCalendarWorld(t *testing.T, databaseURL string) *calendarWorld {
	t.Helper()
	ctx := t.Context()
	mail := pretend.New(pretend.Options{Seed: 3, Deliver: pretend.OverHTTP(http.DefaultClient), RoomDelay: 10 * time.Millisecond})
	server, err := graphapi.Start(ctx, graphapi.Options{
		Calendars: mail.Client(wireClientID), TenantID: mail.ID(), MailboxConcurrency: 4,
		Apps: []graphapi.App{{ID: wireClientID, Secrets: []graphapi.Secret{{Value: calendarSecret}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	t.Cleanup(mail.Run(ctx, 20*time.Millisecond))
	cfg := app.Defaults()
	cfg.DatabaseURL, cfg.SecretKey, cfg.Listen, cfg.Migrate = databaseURL, secret.NewKey(), "127.0.0.1:0", true
	cfg.GraphURL, cfg.LoginURL, cfg.LoginCA = server.GraphURL+"/v1.0", server.LoginURL, server.RootCAs
	a, err := app.New(ctx, cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	run, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- a.Run(run) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		_ = a.Close()
	})
	w := &calendarWorld{mail: mail, world: &world{
		t: t, app: a, tenant: simulator.NewTenant(simulator.Options{Seed: 7, People: 20, Domain: "contoso.example"}),
	}}
	w.connect("/")
	w.cycle(w.entra.InitialCycle)
	w.moveIn()
	return w
}

// moveIn gives everybody of the tenant a mailbox, and switches the calendars on.
func (w *calendarWorld) moveIn() {
	w.t.Helper()
	ctx := w.t.Context()
	for _, id := range w.tenant.UserIDs() {
		u, _ := w.tenant.User(id)
		w.mail.AddUser(pretend.NewUser{ID: u.ID, Name: u.DisplayName, UPN: u.UserPrincipalName, Mail: u.Mail, Disabled: !u.AccountEnabled})
	}
	w.mail.AddRoom(pretend.NewRoom{Name: "Aquarium", Capacity: 8, Building: "North"})
	accounts, err := w.app.Store.Read(ctx).AccountsAfter(w.ref.OrganizationID, store.AccountFilter{Search: "Ada Lovelace"}, "", 2)
	if err != nil || len(accounts) != 1 {
		w.t.Fatalf("%d accounts of Ada, %v", len(accounts), err)
	}
	w.ada = accounts[0]
	_, err = w.app.Service.ChangeIntegration(ctx, w.ref, func(i *model.Integration) error {
		i.TenantID, i.CalendarSync, i.Graph.ClientID = w.mail.ID(), true, wireClientID
		return nil
	}, map[string]string{directory.SecretClientSecret: calendarSecret})
	if err != nil {
		w.t.Fatal(err)
	}
	eventually(w.t, "Ada's calendar is subscribed to and read", func() bool {
		list, err := w.app.Store.Read(ctx).CalendarsAfter(w.ref.OrganizationID, store.CalendarFilter{Account: w.ada.ID}, "", 10)
		if err != nil {
			w.t.Fatal(err)
		}
		if len(list) != 1 {
			return false
		}
		w.cal = list[0]
		return w.cal.Subscription.State == model.SubscriptionActive && w.cal.Sync.SyncedAt != nil
	})
	w.person = w.mail.As(w.ada.Email)
}

// events gives what the application has of Ada's calendar in March 2027.
func (w *calendarWorld) events() []model.Event {
	w.t.Helper()
	from := time.Now().AddDate(0, 0, 1)
	list, err := w.app.Store.Read(w.t.Context()).EventsBetween(w.ref.OrganizationID, w.cal.ID, from, from.AddDate(0, 2, 0), store.EventFilter{}, "", 100)
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

func (w *calendarWorld) has(subject string) (model.Event, bool) {
	w.t.Helper()
	for _, e := range w.events() {
		if e.Subject == subject {
			return e, true
		}
	}
	return model.Event{}, false
}

// nextWeek gives a wall time of that day in a week.
func nextWeek(clock string) outlook.Moment {
	return outlook.Moment{DateTime: time.Now().AddDate(0, 0, 7).Format("2006-01-02") + "T" + clock, TimeZone: "Europe/Copenhagen"}
}

// TestCalendarsEndToEnd follows events both ways through the whole program.
func TestCalendarsEndToEnd(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		w := newCalendarWorld(t, url)
		w.fromOutlook()
		w.toOutlook()
		w.switchedOff()
	})
}

func (w *calendarWorld) fromOutlook() {
	w.t.Helper()
	subject, start, end := "Notes on the engine", nextWeek("09:00:00"), nextWeek("10:00:00")
	made, err := w.person.Create("", outlook.Draft{Subject: &subject, Start: &start, End: &end})
	if err != nil {
		w.t.Fatal(err)
	}
	eventually(w.t, "what Ada wrote in Outlook is in the application", func() bool { _, ok := w.has(subject); return ok })
	if e, _ := w.has(subject); e.Start.DateTime != start.DateTime || e.Start.TimeZone == "" || e.Origin != model.OriginOutlook {
		w.t.Errorf("it came as %+v", e)
	}
	moved, until := nextWeek("11:00:00"), nextWeek("12:00:00")
	if _, err := w.person.Change(made.ID, outlook.Draft{Start: &moved, End: &until}); err != nil {
		w.t.Fatal(err)
	}
	eventually(w.t, "the move is seen", func() bool { e, ok := w.has(subject); return ok && e.Start.DateTime == moved.DateTime })
	if err := w.person.Delete(made.ID); err != nil {
		w.t.Fatal(err)
	}
	eventually(w.t, "the deletion is seen", func() bool { _, ok := w.has(subject); return !ok })
}

func (w *calendarWorld) toOutlook() {
	w.t.Helper()
	ctx := w.t.Context()
	rooms, err := w.app.Store.Read(ctx).RoomsAfter(w.ref.OrganizationID, store.RoomFilter{}, "", 10)
	if err != nil || len(rooms) != 1 {
		w.t.Fatalf("%d rooms, %v", len(rooms), err)
	}
	subject := "Review of the tables"
	start, end := nextWeek("13:00:00"), nextWeek("14:00:00")
	e, err := w.app.Calendars.CreateEvent(ctx, "api-key:test", w.ref.OrganizationID, w.cal.ID, calendarbridge.Fields{
		Subject: &subject, RoomID: &rooms[0].ID, SendInvitations: true,
		Start: &model.EventTime{DateTime: start.DateTime, TimeZone: start.TimeZone}, End: &model.EventTime{DateTime: end.DateTime, TimeZone: end.TimeZone},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	eventually(w.t, "it is in Outlook, and the room has accepted", func() bool {
		e, err = w.app.Store.Read(ctx).Event(w.ref.OrganizationID, e.ID)
		if err != nil {
			w.t.Fatal(err)
		}
		return e.SyncState == model.EventSynced && len(e.Attendees) == 1 && e.Attendees[0].Response == "accepted"
	})
	there, err := w.person.Series("")
	if err != nil || len(there) != 1 || there[0].Subject != subject {
		w.t.Fatalf("Outlook has %+v, %v", there, err)
	}
	if err := w.app.Calendars.DeleteEvent(ctx, "api-key:test", w.ref.OrganizationID, e.ID, "The tables are done."); err != nil {
		w.t.Fatal(err)
	}
	eventually(w.t, "it is gone on both sides", func() bool {
		there, err := w.person.Series("")
		if err != nil {
			w.t.Fatal(err)
		}
		_, here := w.has(subject)
		return len(there) == 0 && !here
	})
}

func (w *calendarWorld) switchedOff() {
	w.t.Helper()
	ctx := w.t.Context()
	_, err := w.app.Service.ChangeIntegration(ctx, w.ref, func(i *model.Integration) error { i.CalendarSync = false; return nil }, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	eventually(w.t, "no subscription and no calendar is left", func() bool {
		page, err := w.mail.Client(wireClientID).Subscriptions(ctx, "")
		if err != nil {
			w.t.Fatal(err)
		}
		list, err := w.app.Store.Read(ctx).CalendarsAfter(w.ref.OrganizationID, store.CalendarFilter{}, "", 10)
		if err != nil {
			w.t.Fatal(err)
		}
		return len(page.Subscriptions) == 0 && len(list) == 0
	})
}
