package console

import (
	"time"

	"usher/model"
	"usher/model/store"
)

// weekView is one week of a calendar. Times are those of Zone.
type weekView struct {
	calendarRow
	ID                    string
	Manage, On, CanEdit   bool
	Days                  []day
	Week, Zone            string
	Earlier, Later, Today string
	Empty                 *empty
	Alert                 *alert
	Account, AccountPath  string
	Room                  *roomRow
	Book                  string
	Truncated             bool
}

type day struct {
	Name, Date string
	Today      bool
	Events     []eventBox
}

type eventBox struct {
	Time, Subject, Place, Organizer string
	State                           *badge
	Private, Free, Tentative        bool
}

// weekEvents is the most that one week shows of a calendar.
const weekEvents = 500

func (v *visit) calendar() (model.Calendar, error) {
	return v.read.Calendar(v.org, v.r.PathValue("calendar"))
}

func (v *visit) showWeek() error {
	c, err := v.calendar()
	if err != nil {
		return err
	}
	names, err := owners(v, []model.Calendar{c}, ownerOfCalendar)
	if err != nil {
		return err
	}
	row := v.calendarRow(c, names)
	view := weekView{calendarRow: row, ID: c.ID, Manage: v.can(model.RightManageCalendars), On: c.Enabled, CanEdit: c.CanEdit, Zone: "UTC"}
	zone, err := v.weekZone(c, &view)
	if err != nil {
		return err
	}
	first, err := v.weekStart(zone)
	if err != nil {
		return err
	}
	path := "/calendars/" + c.ID
	view.Week = first.Format("2 January 2006")
	view.Earlier, view.Later = with(path, "week", first.AddDate(0, 0, -7).Format(time.DateOnly)), with(path, "week", first.AddDate(0, 0, 7).Format(time.DateOnly))
	view.Today, view.Book = with(path), with("/calendars/book", "calendar", c.ID)
	if err := v.fillWeek(&view, c, first, zone); err != nil {
		return err
	}
	if row.Problem != "" {
		view.Alert = &alert{Tone: warn, Icon: "alert-triangle", Title: "The last attempt failed", Text: row.Problem}
	}
	return v.render("week", page{Title: row.Owner, Lead: c.Name, Crumbs: []crumb{{"Calendars", "/calendars"}}, Body: view})
}

// weekZone gives the zone of the calendar's owner, and says who that is.
func (v *visit) weekZone(c model.Calendar, view *weekView) (*time.Location, error) {
	if c.RoomID != nil {
		room, err := v.read.Room(v.org, *c.RoomID)
		if err != nil {
			return nil, err
		}
		shown := roomOf(room, c.ID)
		view.Room = &shown
		return time.UTC, nil
	}
	if c.AccountID == nil {
		return time.UTC, nil
	}
	a, err := v.read.Account(v.org, *c.AccountID)
	if err != nil {
		return nil, err
	}
	view.Account, view.AccountPath = a.Email, Base+"/people/"+a.ID
	if zone, err := time.LoadLocation(a.TimeZone); err == nil && a.TimeZone != "" {
		view.Zone = a.TimeZone
		return zone, nil
	}
	return time.UTC, nil
}

// weekStart gives the Monday of the week that the address asks for, or of this one.
func (v *visit) weekStart(zone *time.Location) (time.Time, error) {
	at := v.now().In(zone)
	if text := v.query("week"); text != "" {
		asked, err := time.ParseInLocation(time.DateOnly, text, zone)
		if err != nil || asked.Year() < 1970 || asked.Year() > 2200 {
			return at, model.FieldErrorf(model.Invalid, "week", "%q is not a day such as 2026-11-23", text)
		}
		at = asked
	}
	back := (int(at.Weekday()) + 6) % 7
	return time.Date(at.Year(), at.Month(), at.Day()-back, 0, 0, 0, 0, zone), nil
}

func (v *visit) fillWeek(view *weekView, c model.Calendar, first time.Time, zone *time.Location) error {
	last := first.AddDate(0, 0, 7)
	list, err := v.read.EventsBetween(v.org, c.ID, first.AddDate(0, 0, -1), last.AddDate(0, 0, 1), store.EventFilter{}, "", weekEvents+1)
	if err != nil {
		return err
	}
	if err := v.showMeetings(c, list); err != nil {
		return err
	}
	view.Truncated = len(list) > weekEvents
	today := v.now().In(zone).Format(time.DateOnly)
	some := false
	for n := range 7 {
		from := first.AddDate(0, 0, n)
		d := day{Name: from.Format("Monday"), Date: from.Format("2 Jan"), Today: from.Format(time.DateOnly) == today}
		for _, e := range list[:min(len(list), weekEvents)] {
			if box, ok := boxOn(e, from, zone); ok {
				d.Events = append(d.Events, box)
			}
		}
		some = some || len(d.Events) > 0
		view.Days = append(view.Days, d)
	}
	if !some {
		none := emptyYet("calendar", "Nothing in this week", "Events of Outlook and of the application show here.", link{})
		if !c.Enabled {
			none = emptyNotConnected("This calendar is not synchronized", "Switch it on to see what it holds.", link{"Switch it on", Base + "/calendars/" + c.ID + "/switch", "bolt"})
		}
		view.Empty = &none
	}
	return nil
}

// showMeetings gives a room's entries the subjects that the organizers gave their meetings.
func (v *visit) showMeetings(c model.Calendar, list []model.Event) error {
	if c.RoomID == nil {
		return nil
	}
	ids := make([]string, len(list))
	for i := range list {
		ids[i] = list[i].ID
	}
	meetings, err := v.read.RoomMeetings(v.org, ids)
	for i := range list {
		if m, ok := meetings[list[i].ID]; ok {
			list[i].Subject = m.Subject
		}
	}
	return err
}

// boxOn gives an event as it shows on a day, if it has part of it. All-day events have dates and no zone.
func boxOn(e model.Event, from time.Time, zone *time.Location) (eventBox, bool) {
	to := from.AddDate(0, 0, 1)
	start, end := e.Start.UTC.In(zone), e.End.UTC.In(zone)
	if e.AllDay {
		start, end = dateIn(e.Start.UTC, zone), dateIn(e.End.UTC, zone)
	}
	if !start.Before(to) || end.Before(from) || end.Equal(from) && !start.Equal(end) {
		return eventBox{}, false
	}
	box := eventBox{
		Time: "all day", Subject: orWord(e.Subject, "(no subject)"), Place: e.Location, Organizer: orWord(e.Organizer.Name, e.Organizer.Email),
		Private: e.Sensitivity == "private", Free: e.ShowAs == "free", Tentative: e.ShowAs == "tentative" || e.Status == "tentative",
	}
	if box.Private {
		box.Subject = "Private"
	}
	if !e.AllDay {
		box.Time = start.Format("15:04") + "–" + clock(end, to, "later")
		if start.Before(from) {
			box.Time = "until " + end.Format("15:04")
			if !end.Before(to) {
				box.Time = "all day"
			}
		}
	}
	switch {
	case e.Status == "cancelled":
		box.State = &badge{calm, "ban", "Cancelled"}
	case e.SyncState == model.EventPending:
		box.State = &badge{fresh, "loader", "Being sent"}
	case e.SyncState == model.EventFailed:
		box.State = &badge{bad, "alert-circle", "Not taken"}
	case e.Origin == model.OriginUsher:
		box.State = &badge{good, "check", "From the application"}
	}
	return box, true
}

func dateIn(at time.Time, zone *time.Location) time.Time {
	at = at.UTC()
	return time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, zone)
}

func clock(at, edge time.Time, beyond string) string {
	if at.After(edge) {
		return beyond
	}
	return at.Format("15:04")
}

func (v *visit) syncCalendar() error {
	c, err := v.calendar()
	if err != nil {
		return err
	}
	if err := v.calendars.SyncNow(v.ctx, v.org, c.ID); err != nil {
		return err
	}
	return v.done("/calendars/"+c.ID, "The calendar is being read.")
}

func (v *visit) askSwitchCalendar() error {
	c, err := v.calendar()
	if err != nil {
		return err
	}
	view := askView{v.newForm("/calendars/"+c.ID+"/switch", "Switch it on"), []string{
		"Its events from 30 days back to a year ahead are read and kept in step.", "Applications see them, but for private ones, of which they see the time alone.",
	}, false, Base + "/calendars/" + c.ID}
	title := "Synchronize this calendar"
	if c.Enabled {
		title = "Stop to synchronize this calendar"
		view.Form.Submit, view.Danger = "Switch it off", true
		view.Consequences = []string{"Its subscription at Microsoft 365 ends.", "Events that came from Outlook leave the application; nothing is deleted in Microsoft 365."}
	}
	return v.render("status", page{Title: title, Lead: c.Name, Crumbs: []crumb{{"Calendars", "/calendars"}}, Body: view})
}

func (v *visit) switchCalendar() error {
	c, err := v.calendar()
	if err != nil {
		return err
	}
	c, err = v.calendars.SwitchCalendar(v.ctx, v.who.Operator.Actor(), v.org, c.ID, !c.Enabled)
	if err != nil {
		return err
	}
	said := "The calendar is synchronized no more."
	if c.Enabled {
		said = "The calendar is being subscribed to and read."
	}
	return v.done("/calendars/"+c.ID, said)
}
