package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"usher/directory"
	"usher/internal/app"
	"usher/model"
	"usher/model/store"
)

type calendarCmd struct {
	List        calendarList        `cmd:"" help:"List calendars, with how their synchronization stands."`
	Mailboxes   calendarMailboxes   `cmd:"" help:"List the mailboxes of an integration, and why one is not synchronized."`
	Enable      calendarEnable      `cmd:"" help:"Synchronize a calendar."`
	Disable     calendarDisable     `cmd:"" help:"Stop to synchronize a calendar; what it had from Outlook leaves the application."`
	Sync        calendarSync        `cmd:"" help:"Read a calendar now, although nothing was notified; a server works it."`
	Rooms       calendarRooms       `cmd:"" help:"List meeting rooms."`
	Permissions calendarPermissions `cmd:"" help:"Compare the permissions of Microsoft Graph that an integration needs with those that are granted."`
}

type calendarList struct {
	scope
	Account     string `help:"Only of this account."`
	Room        string `help:"Only of this room."`
	Integration string `help:"Only of this integration."`
	All         bool   `help:"Disabled ones as well."`
}

// Run lists calendars.
func (c calendarList) Run(ctx context.Context, con console, s *settings) error {
	f := store.CalendarFilter{Account: c.Account, Room: c.Room, Integration: c.Integration}
	if !c.All {
		enabled := true
		f.Enabled = &enabled
	}
	return listed(ctx, c.scope, con, s, []string{"ID", "NAME", "OF", "ENABLED", "SUBSCRIPTION", "UNTIL", "READ", "ERROR"},
		func(ctx context.Context, a *app.App, o model.Organization) ([]model.Calendar, error) {
			return a.Store.Read(ctx).CalendarsAfter(o.ID, f, "", listMax)
		},
		func(c model.Calendar) []string {
			of := "account " + deref(c.AccountID)
			if c.RoomID != nil {
				of = "room " + *c.RoomID
			}
			problem := c.Sync.Error
			if problem == "" {
				problem = c.Subscription.Detail
			}
			return []string{
				c.ID, c.Name, of, yes(c.Enabled), string(c.Subscription.State), shortTime(c.Subscription.ExpiresAt), shortTime(c.Sync.SyncedAt), problem,
			}
		})
}

func deref(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}

func shortTime(at *time.Time) string {
	if at == nil {
		return "never"
	}
	return at.UTC().Format("2006-01-02 15:04:05Z")
}

type calendarMailboxes struct {
	scope
	Integration string `arg:"" help:"Id of the integration."`
}

// Run lists mailboxes.
func (c calendarMailboxes) Run(ctx context.Context, con console, s *settings) error {
	return listed(ctx, c.scope, con, s, []string{"ID", "ADDRESS", "STATE", "ENABLED", "DETAIL"},
		func(ctx context.Context, a *app.App, o model.Organization) ([]model.Mailbox, error) {
			ref := model.Ref{OrganizationID: o.ID, IntegrationID: c.Integration}
			if _, err := a.Store.Read(ctx).Integration(ref); err != nil {
				return nil, err
			}
			return a.Store.Read(ctx).MailboxesAfter(ref, "", listMax)
		},
		func(m model.Mailbox) []string {
			return []string{m.ID, m.Address, string(m.State), yes(m.Enabled), m.Detail}
		})
}

// oneCalendar names a calendar.
type oneCalendar struct {
	scope
	Calendar string `arg:"" help:"Id of the calendar."`
}

func (c oneCalendar) change(ctx context.Context, con console, s *settings, fn func(context.Context, *app.App, string) error, done string) error {
	return c.within(ctx, s, func(ctx context.Context, a *app.App, o model.Organization) error {
		if err := fn(ctx, a, o.ID); err != nil {
			return err
		}
		_, err := fmt.Fprintln(con.out, done)
		return err
	})
}

type calendarEnable struct{ oneCalendar }

// Run enables a calendar.
func (c calendarEnable) Run(ctx context.Context, con console, s *settings) error {
	return c.change(ctx, con, s, c.turn(true), "enabled; a server subscribes to it and reads it")
}

func (c oneCalendar) turn(on bool) func(context.Context, *app.App, string) error {
	return func(ctx context.Context, a *app.App, organizationID string) error {
		_, err := a.Calendars.SwitchCalendar(ctx, directory.ActorOf(ctx), organizationID, c.Calendar, on)
		return err
	}
}

type calendarDisable struct{ oneCalendar }

// Run disables a calendar.
func (c calendarDisable) Run(ctx context.Context, con console, s *settings) error {
	return c.change(ctx, con, s, c.turn(false), "disabled; nothing is deleted in Microsoft 365")
}

type calendarSync struct{ oneCalendar }

// Run asks for a round.
func (c calendarSync) Run(ctx context.Context, con console, s *settings) error {
	return c.change(ctx, con, s, func(ctx context.Context, a *app.App, organizationID string) error {
		return a.Calendars.SyncNow(ctx, organizationID, c.Calendar)
	}, "asked for")
}

type calendarRooms struct{ scope }

// Run lists rooms.
func (c calendarRooms) Run(ctx context.Context, con console, s *settings) error {
	return listed(ctx, c.scope, con, s, []string{"ID", "NAME", "EMAIL", "CAPACITY", "BUILDING", "FLOOR"},
		func(ctx context.Context, a *app.App, o model.Organization) ([]model.Room, error) {
			return a.Store.Read(ctx).RoomsAfter(o.ID, store.RoomFilter{}, "", listMax)
		},
		func(r model.Room) []string {
			return []string{r.ID, r.DisplayName, r.Email, strconv.Itoa(r.Capacity), r.Building, r.Floor}
		})
}

type calendarPermissions struct {
	scope
	Integration string `arg:"" help:"Id of the integration."`
}

// Run asks Entra for a token and compares. It fails where something is missing.
func (c calendarPermissions) Run(ctx context.Context, con console, s *settings) error {
	return c.within(ctx, s, func(ctx context.Context, a *app.App, o model.Organization) error {
		ref := model.Ref{OrganizationID: o.ID, IntegrationID: c.Integration}
		entry, err := a.Service.Lists(ctx, ref)
		if err != nil {
			return err
		}
		roles, err := a.Permissions(ctx, ref)
		if err != nil {
			return err
		}
		checks, missing := directory.Preflight(directory.NeedsOf(entry), roles), 0
		rows := make([][]string, len(checks))
		for n, p := range checks {
			if !p.Granted {
				missing++
			}
			rows[n] = []string{p.Permission, yes(p.Granted), p.Feature, p.Purpose}
		}
		if err := c.print(con.out, checks, []string{"PERMISSION", "GRANTED", "FEATURE", "PURPOSE"}, rows); err != nil || missing == 0 {
			return err
		}
		page, err := a.Service.ConsentURL(ctx, ref, publicBase(a))
		if err != nil {
			return err
		}
		return fmt.Errorf("%d permissions are missing: assign them to the application in Entra, then grant them at\n%s", missing, page)
	})
}
