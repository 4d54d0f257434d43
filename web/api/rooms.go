package api

import (
	"context"
	"net/http"
	"time"

	"usher/model"
	"usher/model/store"
)

// RoomView is a room as it is shown, with its calendar.
type RoomView struct {
	model.Room
	CalendarID *string `json:"calendar_id" doc:"Null where it has no calendar that Usher reaches."`
}

// RoomFilterInput narrows the rooms.
type RoomFilterInput struct {
	Capacity    int    `query:"capacity" minimum:"0" doc:"For at least so many. Rooms whose capacity is not known have 0."`
	Building    string `query:"building" maxLength:"256" doc:"Exactly."`
	Integration string `query:"integration" doc:"Id of an integration."`
	Q           string `query:"q" maxLength:"256" doc:"Part of name, address or building, without case."`
}

func (in RoomFilterInput) filter() store.RoomFilter {
	return store.RoomFilter{Integration: in.Integration, MinCapacity: in.Capacity, Building: in.Building, Q: in.Q}
}

// RoomsInput narrows the list of rooms.
type RoomsInput struct {
	PageInput
	RoomFilterInput
}

// RoomAvailabilityInput asks which rooms are free.
type RoomAvailabilityInput struct {
	Limit int    `query:"limit" minimum:"1" maximum:"100" default:"50" doc:"How many rooms to answer with."`
	After string `query:"after" maxLength:"1000" doc:"The cursor that the page before gave as next."`
	RoomFilterInput
	From time.Time `query:"from" required:"true"`
	To   time.Time `query:"to" required:"true" doc:"At most 62 days after from."`
}

func (a *API) rooms() {
	o := operation{tag: tagCalendars, right: model.RightRead}
	register(a, o.with(http.MethodGet, "/rooms", "List meeting rooms"), a.listRooms)
	register(a, o.with(http.MethodGet, "/rooms/availability", "Say which rooms are free").refusing(), a.roomAvailability)
}

// showRooms gives rooms with their calendars.
func (a *API) showRooms(ctx context.Context, list []model.Room) ([]RoomView, error) {
	ids := make([]string, len(list))
	for i := range list {
		ids[i] = list[i].ID
	}
	calendars, err := a.store.Read(ctx).CalendarsOfRooms(org(ctx), ids)
	if err != nil {
		return nil, err
	}
	views := make([]RoomView, len(list))
	for i := range list {
		views[i].Room = list[i]
		if id, ok := calendars[list[i].ID]; ok {
			views[i].CalendarID = &id
		}
	}
	return views, nil
}

func (a *API) roomsOf(ctx context.Context, f store.RoomFilter, p PageInput) (*answer[page[RoomView]], error) {
	read := func(after string, limit int) ([]RoomView, error) {
		list, err := a.store.Read(ctx).RoomsAfter(org(ctx), f, after, limit)
		if err != nil {
			return nil, err
		}
		return a.showRooms(ctx, list)
	}
	return paged(p, read, func(r RoomView) string { return r.ID }, itself)
}

func (a *API) listRooms(ctx context.Context, in *RoomsInput) (*answer[page[RoomView]], error) {
	return a.roomsOf(ctx, in.filter(), in.PageInput)
}

func (a *API) roomAvailability(ctx context.Context, in *RoomAvailabilityInput) (*answer[page[RoomAvailabilityView]], error) {
	if err := checkWindow(in.From, in.To); err != nil {
		return nil, err
	}
	bridge, err := a.bridge()
	if err != nil {
		return nil, err
	}
	rooms, err := a.roomsOf(ctx, in.filter(), PageInput{Limit: in.Limit, After: in.After})
	if err != nil {
		return nil, err
	}
	out := page[RoomAvailabilityView]{Data: []RoomAvailabilityView{}, Next: rooms.Body.Next}
	ids := make([]string, len(rooms.Body.Data))
	for i, r := range rooms.Body.Data {
		ids[i] = r.ID
	}
	if len(ids) == 0 {
		return answered(out, nil)
	}
	list, err := bridge.Availability(ctx, org(ctx), nil, ids, in.From, in.To)
	if err != nil {
		return nil, err
	}
	for i, one := range list {
		out.Data = append(out.Data, RoomAvailabilityView{showAvailability(one), one.Known && len(one.Busy) == 0, rooms.Body.Data[i]})
	}
	return answered(out, nil)
}
