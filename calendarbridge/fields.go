package calendarbridge

import (
	"encoding/json"
	"slices"

	"usher/model"
	"usher/model/outlook"
)

// Fields are what the application sets of an event; what is nil stays as it is, or gets its default in a new one. Start and End
// are wall times in the zone they name, which is IANA's.
type Fields struct {
	Subject     *string          `json:"subject,omitempty"`
	Body        *string          `json:"body,omitempty"` // HTML
	Location    *string          `json:"location,omitempty"`
	Start       *model.EventTime `json:"start,omitempty"`
	End         *model.EventTime `json:"end,omitempty"`
	AllDay      *bool            `json:"all_day,omitempty"`
	ShowAs      *string          `json:"show_as,omitempty"`
	Sensitivity *string          `json:"sensitivity,omitempty"`
	// Attendees are all of them: who is left out is invited no more.
	Attendees *[]model.EventPerson `json:"attendees,omitempty"`
	// RoomID books a room by inviting it, beside the attendees; "" ends the booking.
	RoomID *string `json:"room_id,omitempty"`
	// Recurrence is Graph's pattern and range; null makes a series a single event.
	Recurrence    json.RawMessage `json:"recurrence,omitempty"`
	OnlineMeeting *bool           `json:"online_meeting,omitempty"`
	// SendInvitations says that Microsoft 365 may write to the attendees, which it does whenever a meeting is made or changed.
	SendInvitations bool `json:"send_invitations,omitempty"`

	locationEmail string // of the room that RoomID names
}

// draft is how Fields are kept in model.EventWrite.Draft.
type draft struct {
	Fields
	LocationEmail string `json:"location_email,omitempty"`
}

func (f Fields) encode() (json.RawMessage, error) {
	f.RoomID = nil // it has become an attendee
	return json.Marshal(draft{f, f.locationEmail})
}

func decodeFields(raw json.RawMessage) (Fields, error) {
	var d draft
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &d); err != nil {
			return Fields{}, err
		}
	}
	d.Fields.locationEmail = d.LocationEmail
	if err := d.fill(); err != nil {
		return Fields{}, err
	}
	return d.Fields, nil
}

// fill computes the instants of the times, which JSON does not carry.
func (f *Fields) fill() error {
	for _, t := range []*model.EventTime{f.Start, f.End} {
		if t == nil {
			continue
		}
		at, err := instantOf(*t, f.AllDay != nil && *f.AllDay)
		if err != nil {
			return err
		}
		t.UTC = at
	}
	return nil
}

// sets says which fields are set.
func (f Fields) sets() []field {
	set := map[field]bool{
		fieldSubject: f.Subject != nil, fieldBody: f.Body != nil, fieldLocation: f.Location != nil,
		fieldTime: f.Start != nil || f.End != nil || f.AllDay != nil, fieldShowAs: f.ShowAs != nil, fieldSensitivity: f.Sensitivity != nil,
		fieldAttendees: f.Attendees != nil, fieldRecurrence: len(f.Recurrence) > 0, fieldMeeting: f.OnlineMeeting != nil,
	}
	return slices.DeleteFunc(fields(), func(name field) bool { return !set[name] })
}

// drop takes a field away.
func (f *Fields) drop(name field) {
	switch name {
	case fieldSubject:
		f.Subject = nil
	case fieldBody:
		f.Body = nil
	case fieldTime:
		f.Start, f.End, f.AllDay = nil, nil, nil
	case fieldLocation:
		f.Location, f.locationEmail = nil, ""
	case fieldAttendees:
		f.Attendees = nil
	case fieldShowAs:
		f.ShowAs = nil
	case fieldSensitivity:
		f.Sensitivity = nil
	case fieldRecurrence:
		f.Recurrence = nil
	case fieldMeeting:
		f.OnlineMeeting = nil
	case fieldCalendar: // the application sets none: it is moved by people
	}
}

// over lays what a later change sets over what an earlier one did.
func (f Fields) over(earlier Fields) Fields {
	out := earlier
	for _, name := range f.sets() {
		switch name {
		case fieldSubject:
			out.Subject = f.Subject
		case fieldBody:
			out.Body = f.Body
		case fieldTime:
			out.Start, out.End, out.AllDay = f.Start, f.End, f.AllDay
		case fieldLocation:
			out.Location, out.locationEmail = f.Location, f.locationEmail
		case fieldAttendees:
			out.Attendees = f.Attendees
		case fieldShowAs:
			out.ShowAs = f.ShowAs
		case fieldSensitivity:
			out.Sensitivity = f.Sensitivity
		case fieldRecurrence:
			out.Recurrence = f.Recurrence
		case fieldMeeting:
			out.OnlineMeeting = f.OnlineMeeting
		case fieldCalendar: // the application sets none: it is moved by people
		}
	}
	out.SendInvitations = f.SendInvitations || earlier.SendInvitations
	return out
}

// apply sets the fields in the event. The answers of attendees who stay are kept.
func (f Fields) apply(e *model.Event) {
	f.put(e)
	if e.Sensitivity == private {
		mask(e)
	}
}

// put is apply without the mask of private events.
func (f Fields) put(e *model.Event) {
	set(&e.Subject, f.Subject)
	set(&e.Body, f.Body)
	set(&e.AllDay, f.AllDay)
	set(&e.Start, f.Start)
	set(&e.End, f.End)
	set(&e.ShowAs, f.ShowAs)
	set(&e.Sensitivity, f.Sensitivity)
	if f.Location != nil {
		e.Location, e.LocationEmail = *f.Location, f.locationEmail
	}
	if f.Attendees != nil {
		answered := make(map[string]string, len(e.Attendees))
		for _, a := range e.Attendees {
			answered[model.Fold(a.Email)] = a.Response
		}
		e.Attendees = make([]model.EventPerson, 0, len(*f.Attendees))
		for _, a := range *f.Attendees {
			a.Response = orElse(answered[model.Fold(a.Email)], "none")
			e.Attendees = append(e.Attendees, a)
		}
	}
	switch {
	case string(f.Recurrence) == "null":
		e.Recurrence, e.Kind = nil, model.EventSingle
	case len(f.Recurrence) > 0:
		e.Recurrence, e.Kind = f.Recurrence, model.EventSeries
	}
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// toOutlook gives what is sent to Microsoft 365. Times go in the event's own zone, as a series in UTC would move when
// clocks do.
func (f Fields) toOutlook() (outlook.Draft, error) {
	d := outlook.Draft{
		Subject: f.Subject, AllDay: f.AllDay, ShowAs: f.ShowAs, Sensitivity: f.Sensitivity, OnlineMeeting: f.OnlineMeeting,
		NoRecurrence: string(f.Recurrence) == "null", Start: moment(f.Start), End: moment(f.End),
	}
	if f.Body != nil {
		d.Body = &outlook.Body{ContentType: "html", Content: *f.Body}
	}
	if f.Location != nil {
		d.Location = &outlook.Location{DisplayName: *f.Location, Email: f.locationEmail}
	}
	if f.Attendees != nil {
		list := make([]outlook.Attendee, 0, len(*f.Attendees))
		for _, a := range *f.Attendees {
			list = append(list, outlook.Attendee{
				Address: outlook.Address{Email: a.Email, Name: a.Name}, Type: outlook.AttendeeType(orElse(a.Type, string(outlook.Required))),
			})
		}
		d.Attendees = &list
	}
	if len(f.Recurrence) > 0 && !d.NoRecurrence {
		r, err := ParseRecurrence(f.Recurrence)
		if err != nil {
			return d, err
		}
		d.Recurrence = &r
	}
	return d, nil
}

func moment(t *model.EventTime) *outlook.Moment {
	if t == nil {
		return nil
	}
	return &outlook.Moment{DateTime: t.DateTime, TimeZone: t.TimeZone}
}
