package app

import (
	"context"
	"time"

	"usher/calendarbridge"
	"usher/internal/graph"
	"usher/internal/jobs"
	"usher/model"
	"usher/model/store"
)

// What the bridge is connected to is what the bridge asks for.
var _ calendarbridge.Calendars = (*graph.Client)(nil)

// newBridge makes the calendar bridge over the doors to Microsoft Graph.
func (a *App) newBridge() *calendarbridge.Service {
	return calendarbridge.New(calendarbridge.Options{
		Store: a.Store, Keys: a.Service.Keys, PublicURL: a.Config.PublicURL, Log: a.log, Observe: a.metrics.calendarEvent,
		Connect: func(ctx context.Context, ref model.Ref) (calendarbridge.Calendars, error) {
			return a.doors.connect(ctx, ref)
		},
		Periods: calendarbridge.Periods{Sweep: a.Config.CalendarSweep},
	})
}

// calendarWork adds the jobs of the calendar bridge.
func (a *App) calendarWork(w *jobs.Work) {
	b := a.Calendars
	jobs.Add(w, b.SyncCalendar)
	jobs.Add(w, b.SyncDue)
	jobs.Add(w, b.WriteEvents)
	jobs.Add(w, b.Discover)
	jobs.Add(w, b.DiscoverMailboxes)
	jobs.Add(w, b.ReviewMailboxes)
	jobs.Add(w, b.FindMailbox)
	jobs.Add(w, b.EndMailbox)
	jobs.Add(w, b.EndCalendar)
	jobs.Add(w, b.EndSubscriptions)
	jobs.Add(w, b.FollowAccounts)
	jobs.Add(w, b.DiscoverRooms)
	jobs.Add(w, b.SubscribeCalendar)
	jobs.Add(w, b.EnsureSubscriptions)
	jobs.Add(w, b.CompareSubscriptions)
	jobs.Add(w, b.TrimWrites)
}

// How often the calendar bridge looks around by itself.
const (
	syncDueEvery   = 15 * time.Second
	followEvery    = 15 * time.Second
	subscribeEvery = time.Minute
	discoverEvery  = 5 * time.Minute
	roomsEvery     = 6 * time.Hour
)

func (a *App) calendarPeriodic() []jobs.Periodic {
	return []jobs.Periodic{
		{Every: syncDueEvery, Job: calendarbridge.SyncDue{}},
		{Every: followEvery, Job: calendarbridge.FollowAccounts{}},
		{Every: subscribeEvery, Job: calendarbridge.EnsureSubscriptions{}},
		{Every: discoverEvery, Job: calendarbridge.Discover{}},
		{Every: roomsEvery, Job: calendarbridge.DiscoverRooms{}},
		{Every: a.Config.SubscriptionCheck, Job: calendarbridge.CompareSubscriptions{}},
		{Every: trimEvery, Job: calendarbridge.TrimWrites{}},
	}
}

// discover looks for the mailboxes and rooms of an integration whose settings have changed, and ends them where its switch is off.
func discover(tx *store.Tx, i model.Integration) error {
	err := tx.Enqueue(calendarbridge.DiscoverMailboxes{OrganizationID: i.OrganizationID, IntegrationID: i.ID})
	if err != nil || !i.CalendarSync {
		return err
	}
	return tx.Enqueue(calendarbridge.DiscoverRooms{OrganizationID: i.OrganizationID, IntegrationID: i.ID})
}

// Permissions gives the application permissions of Microsoft Graph that the integration's token has.
func (a *App) Permissions(ctx context.Context, ref model.Ref) ([]string, error) {
	return a.doors.Permissions(ctx, ref)
}
