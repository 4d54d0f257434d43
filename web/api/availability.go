package api

import (
	"context"
	"net/http"
	"time"

	"usher/calendarbridge"
	"usher/model"
)

// AvailabilityView says when somebody, or a room, is not free.
type AvailabilityView struct {
	AccountID *string      `json:"account_id"`
	RoomID    *string      `json:"room_id"`
	Busy      []WindowView `json:"busy" doc:"In the order of time, joined where they touch, within what was asked for."`
	Known     bool         `json:"known" doc:"False where nobody can say; busy is empty then, and detail says why."`
	Detail    string       `json:"detail,omitempty"`
}

// WindowView is a span of time.
type WindowView struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// RoomAvailabilityView says whether a room is free.
type RoomAvailabilityView struct {
	AvailabilityView
	Free bool     `json:"free" doc:"Throughout what was asked for."`
	Room RoomView `json:"room"`
}

func showAvailability(one calendarbridge.Availability) AvailabilityView {
	v := AvailabilityView{AccountID: one.AccountID, RoomID: one.RoomID, Busy: []WindowView{}, Known: one.Known, Detail: one.Detail}
	for _, w := range one.Busy {
		v.Busy = append(v.Busy, WindowView{w.From.UTC(), w.To.UTC()})
	}
	return v
}

// AvailabilityInput asks when people and rooms are free.
type AvailabilityInput struct {
	Accounts []string  `query:"accounts" maxItems:"200" doc:"Ids of accounts, with commas between."`
	Rooms    []string  `query:"rooms" maxItems:"200" doc:"Ids of rooms, with commas between."`
	From     time.Time `query:"from" required:"true"`
	To       time.Time `query:"to" required:"true" doc:"At most 62 days after from."`
}

// AvailabilityList is what is known of those who were asked for, in the order of asking, accounts first.
type AvailabilityList struct {
	Data []AvailabilityView `json:"data"`
}

func (a *API) availability() {
	o := operation{tag: tagCalendars, right: model.RightRead}
	register(a, o.with(http.MethodGet, "/availability", "Say when accounts and rooms are not free").refusing().
		says("From the calendars that are synchronized, else asked of Microsoft 365. At most 200 of both together."), a.readAvailability)
}

func (a *API) readAvailability(ctx context.Context, in *AvailabilityInput) (*answer[AvailabilityList], error) {
	if err := checkWindow(in.From, in.To); err != nil {
		return nil, err
	}
	if len(in.Accounts)+len(in.Rooms) == 0 {
		return nil, model.FieldErrorf(model.Invalid, "accounts", "names nobody")
	}
	bridge, err := a.bridge()
	if err != nil {
		return nil, err
	}
	list, err := bridge.Availability(ctx, org(ctx), in.Accounts, in.Rooms, in.From, in.To)
	if err != nil {
		return nil, err
	}
	out := AvailabilityList{Data: []AvailabilityView{}}
	for _, one := range list {
		out.Data = append(out.Data, showAvailability(one))
	}
	return answered(out, nil)
}
