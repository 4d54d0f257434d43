package api

import (
	"context"
	"net/http"
	"time"

	"usher/calendarbridge"
	"usher/directory"
	"usher/model"
	"usher/model/store"
)

// Calendars is the calendar bridge, as far as the API steers it.
type Calendars interface {
	// SwitchCalendar enables or disables a calendar in the name of the actor.
	SwitchCalendar(ctx context.Context, actor, organizationID, id string, enabled bool) (model.Calendar, error)
	// SwitchMailbox enables or disables all calendars of an account or a room.
	SwitchMailbox(ctx context.Context, actor, organizationID, id string, enabled bool) (model.Mailbox, error)
	// CreateEvent makes an event, which is on its way to Microsoft 365 then.
	CreateEvent(ctx context.Context, actor, organizationID, calendarID string, f calendarbridge.Fields) (model.Event, error)
	// UpdateEvent changes what is set of an event.
	UpdateEvent(ctx context.Context, actor, organizationID, id string, f calendarbridge.Fields) (model.Event, error)
	// DeleteEvent deletes an event, or calls a meeting off with a comment.
	DeleteEvent(ctx context.Context, actor, organizationID, id, comment string) error
	// Availability gives the busy times of accounts and rooms.
	Availability(ctx context.Context, organizationID string, accounts, rooms []string, from, to time.Time) ([]calendarbridge.Availability, error)
}

// bridge gives the calendar bridge where this server runs it.
func (a *API) bridge() (Calendars, error) {
	if a.calendarBridge == nil {
		return nil, model.Errorf(model.Refused, "this server does not run the calendar bridge")
	}
	return a.calendarBridge, nil
}

// CalendarView is a calendar as it is shown, with how its synchronization stands.
type CalendarView struct {
	model.Calendar
	LastSyncedAt *time.Time `json:"last_synced_at" doc:"When the last round ended; null before the first one has."`
	SyncError    string     `json:"sync_error,omitempty" doc:"What the last attempt failed with; absent after a success."`
}

func showCalendar(c model.Calendar) CalendarView {
	return CalendarView{c, c.Sync.SyncedAt, c.Sync.Error}
}

// CalendarsInput narrows the list of calendars.
type CalendarsInput struct {
	PageInput
	Account     string `query:"account" doc:"Id of the account that they belong to."`
	Room        string `query:"room" doc:"Id of the room that they belong to."`
	Integration string `query:"integration" doc:"Id of the integration."`
	Enabled     string `query:"enabled" enum:"true,false" doc:"Only those that are, or are not, synchronized."`
}

// MailboxesInput names the integration whose mailboxes are listed.
type MailboxesInput struct {
	PageInput
	Integration string `query:"integration" required:"true" doc:"Id of the integration."`
}

// SwitchInput enables or disables something.
type SwitchInput struct {
	IDInput
	Body SwitchPatch
}

// SwitchPatch says whether something is synchronized.
type SwitchPatch struct {
	Enabled bool `json:"enabled"`
}

func (a *API) calendars() {
	read, steer := operation{tag: tagCalendars, right: model.RightRead}, operation{tag: tagCalendars, right: model.RightManageCalendars, conflicts: true}
	register(a, read.with(http.MethodGet, "/calendars", "List calendars of accounts and rooms"), a.listCalendars)
	register(a, steer.with(http.MethodPatch, "/calendars/{id}", "Enable or disable a calendar").
		says("What a disabled calendar had from Outlook leaves the application; nothing of it is deleted in Microsoft 365."), a.switchCalendar)
	register(a, read.with(http.MethodGet, "/mailboxes", "List the mailboxes of an integration").
		says("The state says whether the mailbox can be synchronized, and the detail why not."), a.listMailboxes)
	register(a, steer.with(http.MethodPatch, "/mailboxes/{id}", "Enable or disable all calendars of an account or room").
		says("The mailbox is looked for anew where it is enabled."), a.switchMailbox)
}

func (a *API) listCalendars(ctx context.Context, in *CalendarsInput) (*answer[page[CalendarView]], error) {
	f := store.CalendarFilter{Account: in.Account, Room: in.Room, Integration: in.Integration}
	if in.Enabled != "" {
		enabled := in.Enabled == "true"
		f.Enabled = &enabled
	}
	read := func(after string, limit int) ([]model.Calendar, error) {
		return a.store.Read(ctx).CalendarsAfter(org(ctx), f, after, limit)
	}
	return paged(in.PageInput, read, func(c model.Calendar) string { return c.ID }, showCalendar)
}

func (a *API) switchCalendar(ctx context.Context, in *SwitchInput) (*answer[CalendarView], error) {
	bridge, err := a.bridge()
	if err != nil {
		return nil, err
	}
	c, err := bridge.SwitchCalendar(ctx, directory.ActorOf(ctx), org(ctx), in.ID, in.Body.Enabled)
	return answered(showCalendar(c), err)
}

func (a *API) listMailboxes(ctx context.Context, in *MailboxesInput) (*answer[page[model.Mailbox]], error) {
	ref, err := a.ref(ctx, in.Integration)
	if model.KindOf(err) == model.NotFound {
		return nil, model.FieldErrorf(model.Invalid, "integration", "%q is not known", in.Integration)
	}
	if err != nil {
		return nil, err
	}
	read := func(after string, limit int) ([]model.Mailbox, error) {
		return a.store.Read(ctx).MailboxesAfter(ref, after, limit)
	}
	return paged(in.PageInput, read, func(m model.Mailbox) string { return m.ID }, itself)
}

func (a *API) switchMailbox(ctx context.Context, in *SwitchInput) (*answer[model.Mailbox], error) {
	bridge, err := a.bridge()
	if err != nil {
		return nil, err
	}
	return answered(bridge.SwitchMailbox(ctx, directory.ActorOf(ctx), org(ctx), in.ID, in.Body.Enabled))
}
