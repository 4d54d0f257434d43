package api

import (
	"context"
	"net/http"
	"time"

	"usher/directory"
	"usher/model"
	"usher/model/store"
)

// The windows of lists of events.
const (
	eventsWindow = 30 * 24 * time.Hour  // where none is asked for
	maxWindow    = 366 * 24 * time.Hour // the longest
)

// EventView is an event as it is shown.
type EventView struct {
	model.Event
	MeetingURL       *string `json:"online_meeting_url" doc:"Where an online meeting is joined; null where there is none."`
	OrganizerEventID *string `json:"organizer_event_id,omitempty" doc:"Of an entry in a room's calendar: the organizer's copy, whose subject it shows, where that is known and neither is private."`
}

func showEvent(e model.Event) EventView {
	e.Attendees = present(e.Attendees)
	v := EventView{Event: e}
	if e.MeetingURL != "" {
		v.MeetingURL = &e.MeetingURL
	}
	return v
}

// showMeetings gives events with the subjects that their organizers gave them, where Exchange wrote the organizer's name over that of a
// room's entry.
func (a *API) showMeetings(ctx context.Context, list []model.Event) ([]EventView, error) {
	views := make([]EventView, len(list))
	var invited []string
	for i := range list {
		views[i] = showEvent(list[i])
		if !list[i].IsOrganizer {
			invited = append(invited, list[i].ID)
		}
	}
	meetings, err := a.store.Read(ctx).RoomMeetings(org(ctx), invited)
	for i := range views {
		if m, ok := meetings[views[i].ID]; ok {
			views[i].Subject, views[i].OrganizerEventID = m.Subject, &m.EventID
		}
	}
	return views, err
}

// EventsInput asks for the events of a calendar within a window.
type EventsInput struct {
	IDInput
	PageInput
	From   time.Time `query:"from" doc:"Events that end after it; now, where it is absent."`
	To     time.Time `query:"to" doc:"Events that begin before it; 30 days after from, where it is absent. At most 366 days after from."`
	Series bool      `query:"series" doc:"Also the series of the occurrences within the window."`
}

// CopiesInput asks for the copies of an event.
type CopiesInput struct {
	IDInput
	PageInput
}

// NewEventInput is an event to be made in a calendar.
type NewEventInput struct {
	IDInput
	OnceInput
	Body    EventInput
	RawBody []byte
}

// ChangedEventInput is what is to be changed of an event.
type ChangedEventInput struct {
	IDInput
	OnceInput
	Body    EventInput
	RawBody []byte
}

// DeletedEventInput names an event to be deleted.
type DeletedEventInput struct {
	IDInput
	OnceInput
	Comment string `query:"comment" maxLength:"4000" doc:"What the attendees of a meeting that is called off are told."`
}

func (a *API) events() {
	const many, one = "/calendars/{id}/events", "/events/{id}"
	read, write := operation{tag: tagCalendars, right: model.RightRead}, operation{tag: tagCalendars, right: model.RightManageCalendars, conflicts: true}
	register(a, read.with(http.MethodGet, many, "List a calendar's events in a window, in the order of time").
		says("Singles, occurrences and exceptions that have any part of the window. All-day events begin and end at midnights of UTC."), a.listEvents)
	register(a, write.with(http.MethodPost, many, "Create an event").answering(http.StatusCreated).
		says("It is there at once with `sync_state` `pending`, and `synced` or `failed` when Microsoft 365 has answered."), a.createEvent)
	register(a, read.with(http.MethodGet, one, "Read an event"), a.readEvent)
	register(a, read.with(http.MethodGet, one+"/copies", "List the copies of a meeting in other calendars").
		says("Every participant whose calendar is known has one, with the same `ical_uid`; `calendar_id` tells whose it is."), a.listCopies)
	register(a, write.with(http.MethodPatch, one, "Change an event").
		says("What is absent stays as it is; `start` alone moves the event. Only the organizer's copy can be changed."), a.changeEvent)
	register(a, write.with(http.MethodDelete, one, "Delete an event, or call a meeting off").answering(http.StatusNoContent).
		says("Only events that the application made. The attendees of a meeting are told, with the comment."), a.deleteEvent)
}

func (a *API) listEvents(ctx context.Context, in *EventsInput) (*answer[page[EventView]], error) {
	c, err := a.store.Read(ctx).Calendar(org(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	if in.From.IsZero() {
		in.From = a.now().UTC().Truncate(time.Second)
		if !in.To.IsZero() && !in.To.After(in.From) {
			in.From = in.To.Add(-eventsWindow)
		}
	}
	if in.To.IsZero() {
		in.To = in.From.Add(eventsWindow)
	}
	if err := checkWindow(in.From, in.To); err != nil {
		return nil, err
	}
	read := func(after string, limit int) ([]EventView, error) {
		list, err := a.store.Read(ctx).EventsBetween(org(ctx), c.ID, in.From, in.To, store.EventFilter{Series: in.Series}, after, limit)
		if err != nil {
			return nil, err
		}
		return a.showMeetings(ctx, list)
	}
	return paged(in.PageInput, read, func(v EventView) string { return store.PlaceOf(v.Event) }, itself)
}

// checkWindow refuses a window that is none, or is too long.
func checkWindow(from, to time.Time) error {
	switch {
	case !to.After(from):
		return model.FieldErrorf(model.Invalid, "to", "must be after from")
	case to.Sub(from) > maxWindow:
		return model.FieldErrorf(model.Invalid, "to", "is more than 366 days after from")
	}
	return nil
}

func (a *API) readEvent(ctx context.Context, in *IDInput) (*answer[EventView], error) {
	e, err := a.store.Read(ctx).Event(org(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	views, err := a.showMeetings(ctx, []model.Event{e})
	if err != nil {
		return nil, err
	}
	return answered(views[0], nil)
}

func (a *API) listCopies(ctx context.Context, in *CopiesInput) (*answer[page[EventView]], error) {
	e, err := a.store.Read(ctx).Event(org(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	read := func(after string, limit int) ([]EventView, error) {
		list, err := a.store.Read(ctx).EventCopies(e, after, limit)
		if err != nil {
			return nil, err
		}
		return a.showMeetings(ctx, list)
	}
	return paged(in.PageInput, read, func(v EventView) string { return v.ID }, itself)
}

func (a *API) createEvent(ctx context.Context, in *NewEventInput) (*answer[EventView], error) {
	bridge, err := a.bridge()
	if err != nil {
		return nil, err
	}
	return once(ctx, a, in.OnceInput, "create event in "+in.ID, in.RawBody, func() (EventView, error) {
		e, err := bridge.CreateEvent(ctx, directory.ActorOf(ctx), org(ctx), in.ID, in.Body.fields())
		return showEvent(e), err
	})
}

func (a *API) changeEvent(ctx context.Context, in *ChangedEventInput) (*answer[EventView], error) {
	bridge, err := a.bridge()
	if err != nil {
		return nil, err
	}
	return once(ctx, a, in.OnceInput, "change event "+in.ID, in.RawBody, func() (EventView, error) {
		e, err := bridge.UpdateEvent(ctx, directory.ActorOf(ctx), org(ctx), in.ID, in.Body.fields())
		return showEvent(e), err
	})
}

func (a *API) deleteEvent(ctx context.Context, in *DeletedEventInput) (*nothing, error) {
	bridge, err := a.bridge()
	if err != nil {
		return nil, err
	}
	_, err = once(ctx, a, in.OnceInput, "delete event "+in.ID, []byte(in.Comment), func() (struct{}, error) {
		return struct{}{}, bridge.DeleteEvent(ctx, directory.ActorOf(ctx), org(ctx), in.ID, in.Comment)
	})
	return done(err)
}
