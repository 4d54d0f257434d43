package console

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"usher/calendarbridge"
	"usher/model"
	"usher/model/store"
)

// roomsView is the list of rooms, and which of them are free where a time was asked for.
type roomsView struct {
	Tabs                     []tab
	Query                    string
	Form                     *form
	From, Duration, Capacity field
	Asked                    bool
	Rooms                    []roomRow
	Empty                    *empty
	Pager                    pager
	Manage                   bool
}

type roomRow struct {
	Path, Name, Email, Where, Capacity string
	Free                               *badge
	Book                               string
}

func roomOf(r model.Room, calendarID string) roomRow {
	row := roomRow{Name: r.DisplayName, Email: r.Email, Where: strings.Trim(r.Building+", "+r.Floor, ", "), Capacity: "not known"}
	if r.Capacity > 0 {
		row.Capacity = strconv.Itoa(r.Capacity)
	}
	if calendarID != "" {
		row.Path = Base + "/calendars/" + calendarID
	}
	return row
}

func (v *visit) showRooms() error {
	view := roomsView{Tabs: calendarTabs("/calendars/rooms"), Query: v.query("q")}
	next, err := v.rooms(&view, store.RoomFilter{Q: view.Query}, nil)
	if err != nil {
		return err
	}
	view.Pager = v.paged(next, len(view.Rooms), "rooms")
	if len(view.Rooms) == 0 {
		none := emptyYet("door", "No rooms are known", "Rooms come from the places of Microsoft 365, or from groups that an integration names.", link{"Integrations", Base + "/integrations", "plug-connected"})
		if view.Query != "" {
			none = emptyFiltered("No room fits", Base+"/calendars/rooms")
		}
		view.Empty = &none
	}
	return v.render("rooms", page{Title: "Rooms", Lead: "Meeting rooms that people and applications can book.", Body: view})
}

// rooms reads a page of rooms; each is told to see.
func (v *visit) rooms(view *roomsView, f store.RoomFilter, see func(*roomRow, model.Room)) (next string, err error) {
	list, err := v.read.RoomsAfter(v.org, f, v.query("after"), calendarsPage+1)
	if err != nil {
		return "", err
	}
	if len(list) > calendarsPage {
		list = list[:calendarsPage]
		next = list[calendarsPage-1].ID
	}
	ids := make([]string, len(list))
	for i, r := range list {
		ids[i] = r.ID
	}
	calendars, err := v.read.CalendarsOfRooms(v.org, ids)
	if err != nil {
		return "", err
	}
	for _, r := range list {
		row := roomOf(r, calendars[r.ID])
		if see != nil {
			see(&row, r)
		}
		view.Rooms = append(view.Rooms, row)
	}
	return next, nil
}

// localTime is how browsers write a date and time without zone; pages say that it is UTC.
const localTime = "2006-01-02T15:04"

// durations are how long a meeting is looked for.
func durations() []option {
	return []option{{Value: "30", Name: "30 minutes"}, {Value: "60", Name: "1 hour"}, {Value: "90", Name: "1½ hours"}, {Value: "120", Name: "2 hours"}, {Value: "240", Name: "4 hours"}, {Value: "480", Name: "8 hours"}}
}

func (v *visit) findRoom() error {
	f := v.newForm("/calendars/find", "Find a room")
	for _, name := range []string{"from", "minutes", "capacity"} {
		f.values.Set(name, v.query(name))
	}
	asked := v.query("from") != ""
	if !asked {
		f.values.Set("from", v.now().UTC().Truncate(time.Hour).Add(time.Hour).Format(localTime))
		f.values.Set("minutes", "60")
	}
	view := roomsView{Tabs: calendarTabs("/calendars/find"), Form: f, Manage: v.can(model.RightManageCalendars)}
	if asked {
		if err := v.freeRooms(&view); err != nil {
			if err := f.fail(err); err != nil {
				return err
			}
		}
	}
	view.From, view.Duration, view.Capacity = f.field("datetime-local", "from", "From (UTC)"), f.field("select", "minutes", "For").choose(durations()...), f.field("number", "capacity", "Seats at least")
	f.rest()
	return v.render("find", page{Title: "Find a room", Lead: "Which rooms are free, as far as their calendars are known.", Body: view})
}

func (v *visit) freeRooms(view *roomsView) error {
	from, to, err := period(v.query("from"), v.query("minutes"))
	if err != nil {
		return err
	}
	filter := store.RoomFilter{}
	if text := v.query("capacity"); text != "" {
		if filter.MinCapacity, err = strconv.Atoi(text); err != nil || filter.MinCapacity < 0 {
			return model.FieldErrorf(model.Invalid, "capacity", "%q is not a number of seats", text)
		}
	}
	var ids []string
	next, err := v.rooms(view, filter, func(row *roomRow, r model.Room) {
		ids = append(ids, r.ID)
		row.Book = with("/calendars/book", "room", r.ID, "from", v.query("from"), "minutes", v.query("minutes"))
	})
	if err != nil || len(ids) == 0 {
		view.Asked = err == nil
		none := emptyFiltered("No room is large enough", Base+"/calendars/find")
		view.Empty = &none
		return err
	}
	known, err := v.calendars.Availability(v.ctx, v.org, nil, ids, from, to)
	if err != nil {
		view.Rooms = nil
		return err
	}
	for i := range view.Rooms {
		view.Rooms[i].Free = freeBadge(known[i])
	}
	view.Asked, view.Pager = true, v.paged(next, len(ids), "rooms")
	return nil
}

func freeBadge(a calendarbridge.Availability) *badge {
	switch {
	case !a.Known:
		return &badge{calm, "help", "Not known"}
	case len(a.Busy) > 0:
		return &badge{bad, "ban", "Taken"}
	}
	return &badge{good, "circle-check", "Free"}
}

// period reads when a meeting begins and ends.
func period(from, minutes string) (start, end time.Time, err error) {
	start, err = time.Parse(localTime, from)
	if err != nil {
		return start, end, model.FieldErrorf(model.Invalid, "from", "%q is not a date and time", from)
	}
	n, err := strconv.Atoi(minutes)
	if err != nil || n < 1 || n > 24*60 {
		return start, end, model.FieldErrorf(model.Invalid, "minutes", "%q is not a number of minutes up to a day", minutes)
	}
	return start, start.Add(time.Duration(n) * time.Minute), nil
}

// bookView are the fields of a booking.
type bookView struct {
	Form                                            *form
	Subject, Organizer, Room, From, Duration, Guest field
	Back                                            string
}

func (v *visit) newBooking() error {
	f := v.newForm("/calendars/book", "Book it")
	for _, name := range []string{"room", "from", "minutes", "calendar"} {
		f.values.Set(name, v.query(name))
	}
	if v.query("from") == "" {
		f.values.Set("from", v.now().UTC().Truncate(time.Hour).Add(time.Hour).Format(localTime))
		f.values.Set("minutes", "60")
	}
	return v.bookPage(f)
}

// bookChoices is how many calendars and rooms a booking offers.
const bookChoices = 200

func (v *visit) bookPage(f *form) error {
	b := bookView{Form: f, Back: Base + "/calendars/find"}
	on := true
	calendars, err := v.read.CalendarsAfter(v.org, store.CalendarFilter{Enabled: &on}, "", bookChoices)
	if err != nil {
		return err
	}
	names, err := owners(v, calendars, ownerOfCalendar)
	if err != nil {
		return err
	}
	options := []option{{Name: "Choose whose meeting it is"}}
	for _, c := range calendars {
		if c.AccountID == nil || !c.CanEdit {
			continue
		}
		options = append(options, option{Value: c.ID, Name: names.name(c.AccountID, nil) + ": " + c.Name})
	}
	rooms, err := v.read.RoomsAfter(v.org, store.RoomFilter{}, "", bookChoices)
	if err != nil {
		return err
	}
	places := []option{{Name: "No room"}}
	for _, r := range rooms {
		places = append(places, option{Value: r.ID, Name: r.DisplayName})
	}
	b.Subject = f.field("text", "subject", "Subject")
	b.Organizer, b.Room = f.field("select", "calendar", "Calendar").choose(options...), f.field("select", "room", "Room").choose(places...)
	b.From, b.Duration = f.field("datetime-local", "from", "From (UTC)"), f.field("select", "minutes", "For").choose(durations()...)
	b.Guest = f.field("text", "guests", "Others who are invited")
	b.Guest.Help = "E-mail addresses, with commas between. Microsoft 365 sends them an invitation."
	f.rest()
	return v.render("book", page{Title: "Book a room", Crumbs: []crumb{{"Calendars", "/calendars"}}, Body: b})
}

func (v *visit) book() error {
	e, err := v.booking()
	if err != nil {
		f := v.newForm("/calendars/book", "Book it")
		for from, to := range map[string]string{"start": "from", "end": "minutes", "room_id": "room", "attendees": "guests"} {
			err = renamed(err, from, to)
		}
		if err := f.fail(err); err != nil {
			return err
		}
		return v.bookPage(f)
	}
	return v.done("/calendars/"+e.CalendarID+"?week="+e.Start.UTC.Format(time.DateOnly), "The meeting is made; Microsoft 365 is being told.")
}

// renamed gives an error about a field of the event as one about the field of the form.
func renamed(err error, from, to string) error {
	if known, ok := errors.AsType[*model.Error](err); ok && strings.HasPrefix(known.Field, from) {
		return model.FieldErrorf(known.Kind, to, "%s", known.Detail)
	}
	return err
}

func (v *visit) booking() (model.Event, error) {
	start, end, err := period(v.field("from"), v.field("minutes"))
	switch {
	case err != nil:
		return model.Event{}, err
	case v.field("calendar") == "":
		return model.Event{}, model.FieldErrorf(model.Invalid, "calendar", "say whose meeting it is")
	case v.field("subject") == "":
		return model.Event{}, model.FieldErrorf(model.Invalid, "subject", "is missing")
	}
	subject := v.field("subject")
	f := calendarbridge.Fields{
		Subject: &subject, Start: &model.EventTime{DateTime: start.Format(eventTime), TimeZone: "UTC"}, End: &model.EventTime{DateTime: end.Format(eventTime), TimeZone: "UTC"},
		SendInvitations: true,
	}
	if room := v.field("room"); room != "" {
		f.RoomID = &room
	}
	var guests []model.EventPerson
	for address := range strings.SplitSeq(v.field("guests"), ",") {
		if address = strings.TrimSpace(address); address != "" {
			guests = append(guests, model.EventPerson{Email: address, Type: "required"})
		}
	}
	if len(guests) > 0 {
		f.Attendees = &guests
	}
	return v.calendars.CreateEvent(v.ctx, v.who.Operator.Actor(), v.org, v.field("calendar"), f)
}

// eventTime is how an event's wall time is written.
const eventTime = "2006-01-02T15:04:05"
