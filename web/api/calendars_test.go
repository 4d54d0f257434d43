package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
)

func someTime(clock string) map[string]any {
	return map[string]any{"date_time": "2026-11-21T" + clock, "time_zone": "Europe/Copenhagen"}
}

// office gives the account of the estate a mailbox with a calendar and an event, and the organization a room with a calendar.
func (f *fixture) office(e *estate) {
	f.t.Helper()
	ref := model.Ref{OrganizationID: f.org.ID, IntegrationID: e.integration}
	mailbox := model.Mailbox{
		OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID, AccountID: &e.account, Address: "ada@contoso.com",
		State: model.MailboxActive, Enabled: true,
	}
	room := storetest.NewRoom(ref, "Big")
	var calendar *model.Calendar
	storetest.InTx(f.t, f.svc.Store, func(tx *store.Tx) error {
		if _, err := tx.PutRoom(room); err != nil {
			return err
		}
		of := mailbox
		of.AccountID, of.RoomID = nil, &room.ID
		for _, m := range []*model.Mailbox{&of, &mailbox} {
			if err := tx.InsertMailbox(m); err != nil {
				return err
			}
			calendar = storetest.NewCalendar(*m, "graph-"+m.ID)
			now := tx.Now()
			calendar.Sync = model.CalendarSync{From: now.AddDate(-1, 0, 0), To: now.AddDate(2, 0, 0), SyncedAt: &now, SweptAt: &now}
			if err := tx.InsertCalendar(calendar); err != nil {
				return err
			}
		}
		return nil
	})
	event := storetest.Events(f.t, f.svc.Store, storetest.NewEvent(*calendar, "Ada's hour", 9*time.Hour))[0]
	e.mailbox, e.calendar, e.event, e.room = mailbox.ID, calendar.ID, event.ID, room.ID
}

// bridged is an estate whose calendars are written to.
func (f *fixture) bridged() estate {
	e := f.estate()
	f.do("PATCH", "/integrations/"+e.integration, map[string]any{"calendar_sync": true, "read_only": false}).want(http.StatusOK)
	return e
}

func TestCalendars(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		e := f.bridged()
		list := f.do("GET", "/calendars?account="+e.account, nil).list()
		if len(list) != 1 {
			t.Fatalf("calendars %v", list)
		}
		c := list[0]
		for key, want := range map[string]any{
			"id": e.calendar, "account_id": e.account, "room_id": nil, "name": "Calendar", "is_default": true, "can_edit": true, "enabled": true,
			"mailbox_id": e.mailbox, "integration_id": e.integration,
		} {
			if c[key] != want {
				t.Errorf("%s is %v, want %v", key, c[key], want)
			}
		}
		subscription, _ := c["subscription"].(map[string]any)
		if subscription["state"] != "none" || subscription["expires_at"] != nil || c["last_synced_at"] == nil {
			t.Errorf("the calendar stands like %v", c)
		}
		for _, secret := range []string{"secret", "sync_link", "graph_id", "graph-"} {
			if strings.Contains(string(f.do("GET", "/calendars", nil).raw), secret) {
				t.Errorf("calendars show %q", secret)
			}
		}
		for query, want := range map[string]int{"": 2, "?room=" + e.room: 1, "?room=x": 0, "?enabled=false": 0, "?enabled=true": 2, "?integration=" + e.integration: 2} {
			if list := f.do("GET", "/calendars"+query, nil).list(); len(list) != want {
				t.Errorf("%s: %d calendars, want %d", query, len(list), want)
			}
		}
		f.do("GET", "/calendars?enabled=maybe", nil).wantProblem(http.StatusUnprocessableEntity, "enabled")

		f.do("PATCH", "/calendars/"+e.calendar, map[string]any{}).wantProblem(http.StatusUnprocessableEntity, "enabled")
		if got := f.do("PATCH", "/calendars/"+e.calendar, map[string]any{"enabled": false}).want(http.StatusOK); got["enabled"] != false {
			t.Errorf("disabled: %v", got)
		}
		f.do("POST", "/calendars/"+e.calendar+"/events", map[string]any{"subject": "x", "start": someTime("09:00:00"), "end": someTime("10:00:00")}).
			wantProblem(http.StatusConflict, "")
		if list := f.do("GET", "/calendars?enabled=false", nil).list(); len(list) != 1 {
			t.Errorf("%d calendars are disabled, want 1", len(list))
		}
	})
}

func TestMailboxes(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		e := f.bridged()
		f.do("GET", "/mailboxes", nil).wantProblem(http.StatusUnprocessableEntity, "integration")
		f.do("GET", "/mailboxes?integration=x", nil).wantProblem(http.StatusUnprocessableEntity, "integration")
		list := f.do("GET", "/mailboxes?integration="+e.integration, nil).list()
		at := slices.IndexFunc(list, func(m map[string]any) bool { return m["id"] == e.mailbox })
		if len(list) != 2 || at < 0 || list[at]["state"] != "active" || list[at]["enabled"] != true || list[at]["account_id"] != e.account {
			t.Fatalf("mailboxes %v", list)
		}
		if got := f.do("PATCH", "/mailboxes/"+e.mailbox, map[string]any{"enabled": false}).want(http.StatusOK); got["enabled"] != false {
			t.Errorf("switched off: %v", got)
		}
		f.do("PATCH", "/mailboxes/"+e.mailbox, map[string]any{"enabled": "no"}).wantProblem(http.StatusUnprocessableEntity, "enabled")
	})
}

func TestCopiesOfAMeeting(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		e := f.bridged()
		other := storetest.Calendar(t, f.svc.Store, model.Ref{OrganizationID: f.org.ID, IntegrationID: e.integration}, "grace@contoso.com")
		its := storetest.Events(t, f.svc.Store, storetest.NewEvent(other, "Ada's hour", 9*time.Hour))[0]
		path := "/events/" + e.event + "/copies"
		if list := f.do("GET", path, nil).list(); len(list) != 1 || list[0]["id"] != its.ID || list[0]["calendar_id"] != other.ID {
			t.Errorf("copies: %v, want the one in the other calendar", list)
		}
		f.do("GET", path+"?after=AAAA", nil).wantProblem(http.StatusUnprocessableEntity, "after")
		f.do("GET", "/events/"+store.NewID()+"/copies", nil).wantProblem(http.StatusNotFound, "")
	})
}

func TestEventsOfACalendar(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		e := f.bridged()
		path := "/calendars/" + e.calendar + "/events"
		day := path + "?from=2026-11-21T00:00:00Z&to=2026-11-22T00:00:00Z"
		c, err := f.svc.Store.Read(t.Context()).Calendar(f.org.ID, e.calendar)
		if err != nil {
			t.Fatal(err)
		}
		series, occurrence := storetest.NewEvent(c, "series", -2400*time.Hour), storetest.NewEvent(c, "occurrence", 12*time.Hour)
		series.Kind, series.ID = model.EventSeries, store.NewID()
		occurrence.Kind, occurrence.SeriesID, occurrence.MeetingURL = model.EventOccurrence, &series.ID, "https://teams.contoso.com/1"
		storetest.Events(t, f.svc.Store, series, occurrence)
		subjects := func(path string) (out []string) {
			for _, x := range f.do("GET", path, nil).list() {
				out = append(out, str(t, x, "subject"))
			}
			return out
		}
		for query, want := range map[string][]string{
			"":             {"Ada's hour", "occurrence"},
			"&series=true": {"series", "Ada's hour", "occurrence"},
			"&limit=1":     {"Ada's hour"},
		} {
			if got := subjects(day + query); !slices.Equal(got, want) {
				t.Errorf("%q: %q, want %q", query, got, want)
			}
		}
		next := str(t, f.do("GET", day+"&limit=1", nil).want(http.StatusOK), "next")
		if got := subjects(day + "&limit=1&after=" + next); !slices.Equal(got, []string{"occurrence"}) {
			t.Errorf("the second page has %q", got)
		}
		for query, field := range map[string]string{
			"?from=2026-11-22T00:00:00Z&to=2026-11-21T00:00:00Z": "to", "?from=2026-11-21T00:00:00Z&to=2026-11-21T00:00:00Z": "to",
			"?from=2026-01-01T00:00:00Z&to=2027-01-02T00:00:01Z": "to", "?from=yesterday": "from", "?series=maybe": "series", "?after=%21": "after",
			"?after=AAAA": "after",
		} {
			f.do("GET", path+query, nil).wantProblem(http.StatusUnprocessableEntity, field)
		}
		f.do("GET", path+"?from=2026-01-01T00:00:00Z&to=2027-01-02T00:00:00Z", nil).want(http.StatusOK)
		f.do("GET", path+"?to=2020-01-01T00:00:00Z", nil).want(http.StatusOK)
		one := f.do("GET", "/events/"+e.event, nil).want(http.StatusOK)
		start, _ := one["start"].(map[string]any)
		if start["date_time"] != "2026-11-21T09:00:00" || start["time_zone"] != "UTC" || one["online_meeting_url"] != nil || one["series_id"] != nil ||
			one["origin"] != "outlook" || one["sync_state"] != "synced" || one["calendar_id"] != e.calendar {
			t.Errorf("the event is %v", one)
		}
		if attendees, ok := one["attendees"].([]any); !ok || len(attendees) != 0 {
			t.Errorf("attendees are %v", one["attendees"])
		}
		if last := f.do("GET", day, nil).list()[1]; last["online_meeting_url"] != "https://teams.contoso.com/1" || last["series_id"] != series.ID {
			t.Errorf("the occurrence is %v", last)
		}
	})
}

func TestEventsAreWritten(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		e := f.bridged()
		path := "/calendars/" + e.calendar + "/events"
		body := map[string]any{
			"subject": "Plan <the> launch", "body": "<p>Ada</p>", "location": "Attic", "start": someTime("09:00:00"), "end": someTime("10:30:00"),
			"attendees": []any{map[string]any{"email": "bob@contoso.com", "name": "Bob", "type": "optional"}}, "send_invitations": true,
			"recurrence": map[string]any{
				"pattern": map[string]any{"type": "weekly", "interval": 1, "daysOfWeek": []string{"saturday"}},
				"range":   map[string]any{"type": "numbered", "startDate": "2026-11-21", "numberOfOccurrences": 4},
			},
		}
		made := f.do("POST", path, body).want(http.StatusCreated)
		id := str(t, made, "id")
		start, _ := made["start"].(map[string]any)
		recurrence, _ := made["recurrence"].(map[string]any)
		if made["subject"] != "Plan <the> launch" || made["sync_state"] != "pending" || made["origin"] != "usher" || start["date_time"] != "2026-11-21T09:00:00" ||
			start["time_zone"] != "Europe/Copenhagen" || recurrence["pattern"] == nil || len(objects(t, made["attendees"])) != 1 {
			t.Errorf("made %v", made)
		}
		changed := f.do("PATCH", "/events/"+id, map[string]any{"location": nil, "subject": "Launch", "send_invitations": true}).want(http.StatusOK)
		if changed["location"] != "" || changed["subject"] != "Launch" || changed["body"] == "" {
			t.Errorf("changed %v", changed)
		}
		f.do("PATCH", "/events/"+e.event, map[string]any{"subject": "Not mine"}).wantProblem(http.StatusConflict, "subject")
		f.do("DELETE", "/events/"+e.event, nil).wantProblem(http.StatusConflict, "") // Outlook made it
		if res := f.do("DELETE", "/events/"+id+"?comment=Sorry", nil); res.StatusCode != http.StatusNoContent {
			t.Errorf("deleted: %d %s", res.StatusCode, res.raw)
		}
		f.do("GET", "/events/"+id, nil).wantProblem(http.StatusNotFound, "") // Microsoft 365 never heard of it
	})
}

func TestBadEventsNameTheField(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		e := f.bridged()
		path := "/calendars/" + e.calendar + "/events"
		before := f.snapshot(e)
		many := make([]any, 501)
		for i := range many {
			many[i] = map[string]any{"email": "ada" + strings.Repeat("a", i%50) + "@contoso.com"}
		}
		weekly := func(pattern, span map[string]any) any {
			return map[string]any{"pattern": pattern, "range": span}
		}
		for _, c := range []struct {
			field string
			set   map[string]any
		}{
			{"start.date_time", map[string]any{"start": nil, "end": nil}},
			{"start.time_zone", map[string]any{"start": map[string]any{"date_time": "2026-11-21T09:00:00", "time_zone": "Mars/Olympus"}}},
			{"start.date_time", map[string]any{"start": map[string]any{"date_time": "9 o'clock", "time_zone": "UTC"}}},
			{"start.date_time", map[string]any{"start": map[string]any{"time_zone": "UTC"}}},
			{"end", map[string]any{"end": someTime("08:00:00")}},
			{"end.time_zone", map[string]any{"end": map[string]any{"date_time": "2026-11-21T10:00:00", "time_zone": "X"}}},
			{"start.date_time", map[string]any{"all_day": true}},
			{"subject", map[string]any{"subject": strings.Repeat("x", 256)}},
			{"subject", map[string]any{"subject": 5}},
			{"show_as", map[string]any{"show_as": "absent"}},
			{"sensitivity", map[string]any{"sensitivity": "secret"}},
			{"attendees", map[string]any{"attendees": many}},
			{"attendees.email", map[string]any{"attendees": []any{map[string]any{"email": "nobody"}}}},
			{"send_invitations", map[string]any{"attendees": []any{map[string]any{"email": "bob@contoso.com"}}}},
			{"room_id", map[string]any{"room_id": "x"}},
			{"colour", map[string]any{"colour": "red"}},
			{"recurrence", map[string]any{"recurrence": "weekly"}},
			{"recurrence.pattern.interval", map[string]any{"recurrence": weekly(map[string]any{"type": "daily", "interval": 0}, map[string]any{"type": "noEnd", "startDate": "2026-11-21"})}},
			{"recurrence.pattern.daysOfWeek", map[string]any{"recurrence": weekly(map[string]any{"type": "weekly", "interval": 1}, map[string]any{"type": "noEnd", "startDate": "2026-11-21"})}},
			{"recurrence.range.startDate", map[string]any{"recurrence": weekly(map[string]any{"type": "daily", "interval": 1}, map[string]any{"type": "noEnd", "startDate": "2026-11-22"})}},
		} {
			body := map[string]any{"subject": "x", "start": someTime("09:00:00"), "end": someTime("10:00:00")}
			for key, value := range c.set {
				body[key] = value
			}
			f.do("POST", path, body).wantProblem(http.StatusUnprocessableEntity, c.field)
		}
		f.do("POST", path, map[string]any{"subject": "x"}).wantProblem(http.StatusUnprocessableEntity, "start")
		f.unchanged(e, before)
	})
}

func TestAnEventIsMadeOnceForItsKey(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		e := f.bridged()
		path := "/calendars/" + e.calendar + "/events"
		body := map[string]any{"subject": "x", "start": someTime("09:00:00"), "end": someTime("10:00:00")}
		made := f.do("POST", path, body, "Idempotency-Key", "one")
		again := f.do("POST", path, body, "Idempotency-Key", "one")
		if str(t, again.want(http.StatusCreated), "id") != str(t, made.want(http.StatusCreated), "id") || string(made.raw) != string(again.raw) {
			t.Errorf("answered\n%s and\n%s", made.raw, again.raw)
		}
		other := map[string]any{"subject": "y", "start": someTime("09:00:00"), "end": someTime("10:00:00")}
		f.do("POST", path, other, "Idempotency-Key", "one").wantProblem(http.StatusUnprocessableEntity, "Idempotency-Key")
		f.do("PATCH", "/events/"+e.event, map[string]any{"subject": "y"}, "Idempotency-Key", "one").wantProblem(http.StatusUnprocessableEntity, "Idempotency-Key")
		f.do("POST", path, map[string]any{"subject": "x"}, "Idempotency-Key", "two").wantProblem(http.StatusUnprocessableEntity, "start")
		second := f.do("POST", path, body, "Idempotency-Key", "two").want(http.StatusCreated) // what failed has used no key up
		f.do("POST", path, body, "Idempotency-Key", "a b").wantProblem(http.StatusUnprocessableEntity, "Idempotency-Key")
		if _, _, err := f.svc.Store.BeginOnce(t.Context(), f.org.ID, "three", "x"); err != nil {
			t.Fatal(err)
		}
		f.do("POST", path, body, "Idempotency-Key", "three").wantProblem(http.StatusUnprocessableEntity, "Idempotency-Key")
		for range 2 {
			if res := f.do("DELETE", "/events/"+str(t, second, "id"), nil, "Idempotency-Key", "four"); res.StatusCode != http.StatusNoContent {
				t.Errorf("deleted: %d %s", res.StatusCode, res.raw)
			}
		}
		if list := f.do("GET", path+"?from=2026-11-21T00:00:00Z&to=2026-11-22T00:00:00Z", nil).list(); len(list) != 2 {
			t.Errorf("there are %d events, want the one of before and one that was made", len(list))
		}
	})
}

func TestRoomsAndAvailability(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		e := f.bridged()
		list := f.do("GET", "/rooms?capacity=8", nil).list()
		if len(list) != 1 || list[0]["id"] != e.room || list[0]["email"] != "Big@rooms.contoso.com" || list[0]["capacity"] != float64(8) || list[0]["building"] != "Building Big" {
			t.Fatalf("rooms %v", list)
		}
		calendar := str(t, list[0], "calendar_id")
		if of := f.do("GET", "/calendars?room="+e.room, nil).list(); len(of) != 1 || of[0]["id"] != calendar {
			t.Errorf("the room's calendar is %v, not %s", of, calendar)
		}
		if list := f.do("GET", "/rooms?capacity=9", nil).list(); len(list) != 0 {
			t.Errorf("rooms for nine: %v", list)
		}
		c, err := f.svc.Store.Read(t.Context()).Calendar(f.org.ID, calendar)
		if err != nil {
			t.Fatal(err)
		}
		storetest.Events(t, f.svc.Store, storetest.NewEvent(c, "booked", 9*time.Hour))
		hours := func(from, to string) string { return "from=2026-11-21T" + from + ":00Z&to=2026-11-21T" + to + ":00Z" }
		busy := f.do("GET", "/rooms/availability?"+hours("09:30", "12:00"), nil).list()
		if len(busy) != 1 || busy[0]["free"] != false || busy[0]["room_id"] != e.room || busy[0]["account_id"] != nil || busy[0]["known"] != true {
			t.Fatalf("the room is %v", busy)
		}
		if times := objects(t, busy[0]["busy"]); len(times) != 1 || times[0]["start"] != "2026-11-21T09:30:00Z" || times[0]["end"] != "2026-11-21T10:00:00Z" {
			t.Errorf("the room is busy %v", times)
		}
		if free := f.do("GET", "/rooms/availability?"+hours("10:00", "12:00"), nil).list(); len(free) != 1 || free[0]["free"] != true {
			t.Errorf("the room is %v", free)
		}
		if none := f.do("GET", "/rooms/availability?capacity=9&"+hours("10:00", "12:00"), nil).list(); len(none) != 0 {
			t.Errorf("rooms for nine: %v", none)
		}
		both := f.do("GET", "/availability?accounts="+e.account+"&rooms="+e.room+"&"+hours("00:00", "23:00"), nil).list()
		if len(both) != 2 || both[0]["account_id"] != e.account || len(objects(t, both[0]["busy"])) != 1 || both[1]["room_id"] != e.room {
			t.Errorf("both are %v", both)
		}
		for query, field := range map[string]string{
			"/availability?accounts=" + e.account: "from", "/availability?accounts=" + e.account + "&from=2026-11-21T00:00:00Z": "to",
			"/availability?" + hours("09:00", "10:00"):                                                   "accounts",
			"/availability?accounts=x&" + hours("09:00", "10:00"):                                        "accounts",
			"/availability?accounts=" + e.account + "&" + hours("10:00", "09:00"):                        "to",
			"/availability?accounts=" + e.account + "&from=2026-01-01T00:00:00Z&to=2028-01-01T00:00:00Z": "to",
			"/availability?accounts=" + strings.Repeat("x,", 200) + "x&" + hours("09:00", "10:00"):       "accounts",
			"/rooms/availability": "from", "/rooms/availability?capacity=many&" + hours("09:00", "10:00"): "capacity",
			"/rooms?capacity=-1": "capacity",
		} {
			f.do("GET", query, nil).wantProblem(http.StatusUnprocessableEntity, field)
		}
	})
}

// TestRoomShowsTheMeeting: an entry of a room's calendar shows the subject that the organizer gave the meeting, unless one of both is
// private or the organizer's copy is not known.
func TestRoomShowsTheMeeting(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		e := f.bridged()
		rooms, err := f.svc.Store.Read(t.Context()).CalendarsOfRooms(f.org.ID, []string{e.room})
		if err != nil {
			t.Fatal(err)
		}
		calendar := func(id string) model.Calendar {
			c, err := f.svc.Store.Read(t.Context()).Calendar(f.org.ID, id)
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		ada, room := calendar(e.calendar), calendar(rooms[e.room])
		slot := time.Date(2026, 11, 21, 15, 0, 0, 0, time.UTC)
		event := func(c model.Calendar, uid, subject string, hour time.Duration, change func(*model.Event)) string {
			x := storetest.NewEvent(c, subject, hour*time.Hour)
			x.ICalUID, x.IsOrganizer, x.GraphID = uid, c.ID == ada.ID, uid+x.Start.DateTime
			change(&x)
			return storetest.Events(t, f.svc.Store, x)[0].ID
		}
		plain := func(*model.Event) {}
		hidden := func(x *model.Event) { x.Sensitivity, x.Subject = "private", "" }
		of := func(at time.Time) func(*model.Event) { return func(x *model.Event) { x.OriginalStart = &at } }
		known := event(ada, "uid-1", "Review of the tables", 10, plain)
		event(ada, "uid-2", "Doctor", 11, hidden)
		event(ada, "uid-3", "Whole", 12, plain)
		event(ada, "uid-5", "First of the series", 14, of(slot.Add(-time.Hour)))
		event(ada, "uid-5", "Second of the series", 15, of(slot))
		entry := event(room, "uid-1", "Ada Lovelace", 10, plain)
		event(room, "uid-2", "Ada Lovelace", 11, plain)
		event(room, "uid-3", "", 12, hidden)
		event(room, "uid-4", "Somebody Outside", 13, plain)
		event(room, "uid-5", "Ada Lovelace", 15, of(slot))
		want := []string{"Review of the tables", "Ada Lovelace", "", "Somebody Outside", "Second of the series"}
		var got []string
		for _, x := range f.do("GET", "/calendars/"+room.ID+"/events?from=2026-11-21T00:00:00Z&to=2026-11-22T00:00:00Z", nil).list() {
			got = append(got, str(t, x, "subject"))
		}
		if !slices.Equal(got, want) {
			t.Errorf("the room's entries are %q, want %q", got, want)
		}
		if one := f.do("GET", "/events/"+entry, nil).want(http.StatusOK); one["subject"] != want[0] || one["organizer_event_id"] != known {
			t.Errorf("the entry is %v", one)
		}
		if list := f.do("GET", "/events/"+known+"/copies", nil).list(); len(list) != 1 || list[0]["subject"] != want[0] {
			t.Errorf("the copies are %v", list)
		}
		if own := f.do("GET", "/events/"+known, nil).want(http.StatusOK); own["organizer_event_id"] != nil || own["subject"] != want[0] {
			t.Errorf("the organizer's is %v", own)
		}
	})
}
