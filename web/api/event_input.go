package api

import (
	"encoding/json"

	"usher/calendarbridge"
	"usher/model"
)

// EventInput is what is set of an event; what is absent stays as it is, or gets its default in a new one. Whether it can be
// is for the calendar bridge to say.
type EventInput struct {
	Subject       optional[string]             `json:"subject,omitempty" doc:"At most 255 characters."`
	Body          optional[string]             `json:"body,omitempty" doc:"HTML. What could run is taken out."`
	Location      optional[string]             `json:"location,omitempty"`
	Start         optional[EventTimeInput]     `json:"start,omitempty" doc:"Required in a new event."`
	End           optional[EventTimeInput]     `json:"end,omitempty" doc:"Required in a new event."`
	AllDay        optional[bool]               `json:"all_day,omitempty" doc:"Start and end are midnights then."`
	ShowAs        optional[string]             `json:"show_as,omitempty" doc:"free, tentative, busy, oof or workingElsewhere; busy in a new event."`
	Sensitivity   optional[string]             `json:"sensitivity,omitempty" doc:"normal or private. Of a private event nothing but its time is kept."`
	Attendees     optional[[]EventPersonInput] `json:"attendees,omitempty" doc:"All of them: who is left out is invited no more."`
	RoomID        optional[string]             `json:"room_id,omitempty" doc:"Books the room by inviting it; null ends the booking."`
	Recurrence    json.RawMessage              `json:"recurrence,omitempty" doc:"Microsoft Graph's pattern and range; null makes a series a single event."`
	OnlineMeeting optional[bool]               `json:"online_meeting,omitempty"`
	Invite        bool                         `json:"send_invitations,omitempty" doc:"Must be true where attendees are concerned: Microsoft 365 writes to them whenever a meeting is made or changed."`
}

// EventTimeInput is what a clock on the wall shows in a time zone.
type EventTimeInput struct {
	DateTime string `json:"date_time" maxLength:"40" example:"2026-11-21T09:00:00"`
	TimeZone string `json:"time_zone,omitempty" maxLength:"100" example:"Europe/Copenhagen" doc:"A zone of IANA; that of start, where it is absent in end."`
}

// EventPersonInput is somebody who is invited.
type EventPersonInput struct {
	Email string `json:"email" maxLength:"320"`
	Name  string `json:"name,omitempty" maxLength:"1000"`
	Type  string `json:"type,omitempty" enum:"required,optional,resource" doc:"required, where it is absent."`
}

// given gives the value of a field where it is present; null is the value's zero.
func given[T any](o optional[T]) *T {
	if !o.set {
		return nil
	}
	return &o.value
}

func (in EventInput) fields() calendarbridge.Fields {
	f := calendarbridge.Fields{
		Subject: given(in.Subject), Body: given(in.Body), Location: given(in.Location), Start: eventTime(in.Start), End: eventTime(in.End),
		AllDay: given(in.AllDay), ShowAs: given(in.ShowAs), Sensitivity: given(in.Sensitivity), RoomID: given(in.RoomID),
		Recurrence: in.Recurrence, OnlineMeeting: given(in.OnlineMeeting), SendInvitations: in.Invite,
	}
	if in.Attendees.set {
		list := make([]model.EventPerson, 0, len(in.Attendees.value))
		for _, p := range in.Attendees.value {
			list = append(list, model.EventPerson{Email: p.Email, Name: p.Name, Type: p.Type})
		}
		f.Attendees = &list
	}
	return f
}

func eventTime(o optional[EventTimeInput]) *model.EventTime {
	if !o.set {
		return nil
	}
	return &model.EventTime{DateTime: o.value.DateTime, TimeZone: o.value.TimeZone}
}
