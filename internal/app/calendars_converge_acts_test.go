package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"usher/calendarbridge"
	pretend "usher/internal/simulator/exchange"
	"usher/internal/simulator/graphapi"
	"usher/model/outlook"
)

// machine does random things on both sides of an office.
type machine struct {
	*office
	n      int
	deeds  []string        // what was done, for whoever reads the failure
	booked map[string]bool // events that a room was booked for afterwards
	disarm []func()        // the faults of the wire
}

func (m *machine) did(format string, args ...any) {
	m.deeds = append(m.deeds, fmt.Sprintf("%d: ", m.n)+fmt.Sprintf(format, args...))
}

// act does one thing.
func (m *machine) act() {
	m.t.Helper()
	m.n++
	switch n := m.random.IntN(40); {
	case n < 15:
		m.inOutlook()
	case n < 28:
		m.inApplication()
	case n < 31:
		m.rest(1 + m.random.IntN(30))
	case n < 33:
		m.pass(time.Duration(10+m.random.IntN(300)) * time.Second)
		m.look()
	case n < 35:
		m.mail.SetFaults(m.faults())
	case n < 37:
		m.wire()
	case n < 38:
		m.mishap()
	default:
	}
}

// look has everything looked at that is looked at every so often.
func (o *office) look() {
	o.t.Helper()
	o.enqueue(calendarbridge.SyncDue{}, calendarbridge.EnsureSubscriptions{}, calendarbridge.Discover{}, calendarbridge.CompareSubscriptions{})
}

// rest waits until the servers have sent so many requests more, or have nothing to do for the moment.
func (m *machine) rest(requests int) {
	m.t.Helper()
	enough, limit := m.mail.RequestCount()+requests, time.Now().Add(1500*time.Millisecond)
	eventually(m.t, "the servers have done something", func() bool {
		return m.mail.RequestCount() >= enough || m.idle() || time.Now().After(limit)
	})
}

func (m *machine) faults() pretend.Faults {
	p := func() float64 { return float64(m.random.IntN(3)) * 0.12 }
	maybe := func() bool { return m.random.IntN(2) == 0 }
	m.did("other faults")
	return pretend.Faults{
		Throttle: p() / 4, ThrottleAfter: time.Second, Unavailable: p() / 2, LostAnswer: p(), Conflict: p(), ReadConflict: p() / 2, SyncLost: p() / 2, EmptyPage: p(),
		Repeat: p(), Phantom: p(), Replay: p(), Shuffle: maybe(), Sparse: maybe(), NoMaster: maybe(), ReasonChanged: maybe(),
		DeltaLag: time.Duration(m.random.IntN(2)*25) * time.Second, Duplicate: p(), Spurious: p(), Reorder: p(),
		Late: p(), Missing: p(), TellMissed: maybe(), Mixed: p(), Early: p(), Mute: p(), Vanish: p(),
	}
}

// wire lets a few of the next requests go wrong between Graph and whoever asks.
func (m *machine) wire() {
	faults := []graphapi.Fault{
		graphapi.Reset("/users/**"), graphapi.Truncated("/users/**"), graphapi.Throttle("/users/**", time.Second),
		graphapi.Broken("/users/**", 504).Lost(), graphapi.Broken("/users/**", 503), graphapi.Page("/users/**", 502), graphapi.Reset("/$batch"),
	}
	f := faults[m.random.IntN(len(faults))]
	f.Skip = m.random.IntN(8)
	if m.random.IntN(2) == 0 {
		f.Method = []string{http.MethodPost, http.MethodPatch}[m.random.IntN(2)]
	}
	m.did("a fault of the wire: %s %d, lost %v, cut %v, truncated %v", f.Method, f.Status, f.After, f.Cut, f.Truncate)
	m.disarm = append(m.disarm, m.graph.Fail(f.AtMost(1+m.random.IntN(3))))
}

func (m *machine) mishap() {
	user := m.people[m.random.IntN(len(m.people))]
	switch m.random.IntN(4) {
	case 0:
		m.did("links of %s expire", user.Mail)
		m.mail.ExpireDeltaLinks(user.ID)
	case 1:
		what := []string{"missed", "subscriptionRemoved", "reauthorizationRequired"}[m.random.IntN(3)]
		m.did("lifecycle %s", what)
		m.mail.Lifecycle(what)
	case 2:
		m.graph.Revoke()
	default:
		m.did("no faults")
		m.mail.SetFaults(pretend.Faults{})
	}
}

func (m *machine) word() string { return fmt.Sprintf("Event %d", m.n) }

// when gives the wall times of something in the next weeks.
func (m *machine) when() (date, start, end string) {
	date = time.Now().AddDate(0, 0, 1+m.random.IntN(40)).Format(time.DateOnly)
	hour := m.random.IntN(20)
	return date, fmt.Sprintf("%sT%02d:00:00", date, hour), fmt.Sprintf("%sT%02d:30:00", date, hour)
}

func inBerlin(wall string) *outlook.Moment {
	return &outlook.Moment{DateTime: wall, TimeZone: "W. Europe Standard Time"}
}

func days(date string, n int) *outlook.Recurrence {
	return &outlook.Recurrence{
		Pattern: outlook.Pattern{Type: outlook.Daily, Interval: 1}, Range: outlook.Range{Type: outlook.Numbered, StartDate: date, NumberOfOccurrences: n},
	}
}

// inOutlook does what a person does. Whatever changes a meeting so that its attendees are told gives it a name that it never
// had, so that each mail can be told from the others.
func (m *machine) inOutlook() {
	user := m.people[m.random.IntN(len(m.people))]
	person, inside := m.mail.As(user.ID), []string{"", m.second[user.ID]}[m.random.IntN(2)]
	view, err := person.View(inside, m.window())
	if err != nil {
		m.t.Fatal(err)
	}
	if len(view) == 0 || m.random.IntN(3) == 0 {
		m.compose(person, user, inside)
		return
	}
	chosen := view[m.random.IntN(len(view))]
	id := chosen.ID
	if chosen.SeriesMasterID != "" && m.random.IntN(3) == 0 {
		id = chosen.SeriesMasterID
	}
	subject := m.word()
	date, start, end := m.when()
	switch m.random.IntN(9) {
	case 0:
		err = person.Delete(id) // whatever Outlook does not let one do is not done
	case 1:
		err = person.Touch(id)
	case 2:
		showAs := []string{"free", "oof", "busy"}[m.random.IntN(3)]
		_, err = person.Change(id, outlook.Draft{ShowAs: &showAs})
	case 3:
		_, err = person.ChangeFollowing(id, outlook.Draft{Subject: &subject})
	case 4:
		err = person.Answer(id, []outlook.Response{outlook.ResponseAccepted, outlook.ResponseTentative, outlook.ResponseDeclined}[m.random.IntN(3)], "")
	case 5:
		err = person.Move(id, []string{"", m.second[user.ID]}[m.random.IntN(2)])
	case 6:
		d := outlook.Draft{Subject: &subject, Start: inBerlin(start), End: inBerlin(end)}
		if id == chosen.SeriesMasterID {
			d.Recurrence = days(date, 1+m.random.IntN(6))
		}
		_, err = person.Change(id, d)
	case 7:
		err = person.Cancel(id, "It is not needed any more.")
	default:
		sensitivity := []string{"normal", "private"}[m.random.IntN(2)]
		_, err = person.Change(id, outlook.Draft{Subject: &subject, Sensitivity: &sensitivity})
	}
	m.did("%s changes %q (%s, %s): %v", user.DisplayName, chosen.Subject, chosen.Type, chosen.Start.DateTime, err)
}

func (m *machine) compose(person pretend.Person, user outlook.User, inside string) {
	date, start, end := m.when()
	subject, allDay := m.word(), true
	d := outlook.Draft{Subject: &subject, Start: inBerlin(start), End: inBerlin(end)}
	switch m.random.IntN(5) {
	case 0:
		d.Recurrence = days(date, 1+m.random.IntN(6))
	case 1:
		day, err := time.Parse(time.DateOnly, date)
		if err != nil {
			m.t.Fatal(err)
		}
		d.AllDay, d.Start, d.End = &allDay, inBerlin(date+"T00:00:00"), inBerlin(day.AddDate(0, 0, 1).Format("2006-01-02T15:04:05"))
	case 2:
		other := m.people[(slices.Index(m.people, user)+1)%len(m.people)]
		d.Attendees = &[]outlook.Attendee{{Address: outlook.Address{Email: other.Mail}, Type: outlook.Required}}
	}
	_, err := person.Create(inside, d)
	if err != nil {
		m.t.Fatal(err)
	}
	m.did("%s makes %q at %s", user.DisplayName, subject, start)
}

// entry is an event as the API shows it.
type entry struct {
	ID, Kind, Subject, Sensitivity, Origin, Status, Response string
	Start, End                                               struct {
		DateTime string `json:"date_time"`
		TimeZone string `json:"time_zone"`
	}
	ICalUID   string `json:"ical_uid"`
	AllDay    bool   `json:"all_day"`
	ShowAs    string `json:"show_as"`
	SyncState string `json:"sync_state"`
	SyncError string `json:"sync_error"`
	Organizer bool   `json:"is_organizer"`
	Attendees []struct{ Email, Response string }
	SeriesID  *string `json:"series_id"`
}

// alive is a server that runs.
func (m *machine) alive() *child {
	for {
		if c := m.at[m.random.IntN(len(m.at))]; c.cmd != nil {
			return c
		}
	}
}

// entries reads the events of a calendar over the API.
func (m *machine) entries(f folder) []entry {
	m.t.Helper()
	window := m.window()
	var all []entry
	for after := ""; ; {
		var page struct {
			Data []entry
			Next *string
		}
		m.alive().api(http.MethodGet, fmt.Sprintf("/calendars/%s/events?limit=500&after=%s&from=%s&to=%s", f.id, url.QueryEscape(after),
			window.From.Format(time.RFC3339), window.To.Format(time.RFC3339)), nil, &page)
		if all = append(all, page.Data...); page.Next == nil {
			return all
		}
		after = *page.Next
	}
}

// window is what both sides keep for sure.
func (o *office) window() outlook.Window {
	today := time.Now().UTC().Truncate(24 * time.Hour)
	return outlook.Window{From: today.AddDate(0, 0, -20), To: today.AddDate(0, 0, 300)}
}

// ask sends a change; what it cannot do is refused, with a reason.
func (m *machine) ask(method, path string, body any) {
	m.t.Helper()
	status, raw := m.alive().send(m.t.Context(), method, "/api/v1"+path, m.at[0].key, body)
	switch status {
	case http.StatusOK, http.StatusCreated, http.StatusNoContent, http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity:
	default:
		m.t.Fatalf("%s %s %v answered %d: %s", method, path, body, status, raw)
	}
	text, err := json.Marshal(body)
	if err != nil {
		m.t.Fatal(err)
	}
	m.did("%s %s %s: %d %.200s", method, path, text, status, raw)
}

func clock(wall string) map[string]any {
	return map[string]any{"date_time": wall, "time_zone": "Europe/Berlin"}
}

// inApplication does what the application does. A meeting is given names alone that it never had, for the same reason.
func (m *machine) inApplication() {
	m.t.Helper()
	own := slices.DeleteFunc(slices.Clone(m.folders), func(f folder) bool { return f.room })
	f := own[m.random.IntN(len(own))]
	list := m.entries(f)
	date, start, end := m.when()
	if n := m.random.IntN(6); n < 2 || len(list) == 0 {
		body := map[string]any{"subject": m.word(), "start": clock(start), "end": clock(end)}
		switch m.random.IntN(3) {
		case 0:
			body["recurrence"] = map[string]any{
				"pattern": map[string]any{"type": "daily", "interval": 1},
				"range":   map[string]any{"type": "numbered", "startDate": date, "numberOfOccurrences": 1 + m.random.IntN(5)},
			}
		case 1:
			body["attendees"], body["send_invitations"] = []map[string]any{{"email": m.people[m.random.IntN(len(m.people))].Mail}}, true
			if m.random.IntN(2) == 0 {
				body["room_id"] = m.room()
			}
		}
		m.ask(http.MethodPost, "/calendars/"+f.id+"/events", body)
		return
	}
	chosen := list[m.random.IntN(len(list))]
	if m.random.IntN(4) == 0 {
		m.ask(http.MethodDelete, "/events/"+chosen.ID, nil)
		return
	}
	body := map[string]any{"subject": m.word(), "send_invitations": true}
	switch n := m.random.IntN(4); {
	case len(chosen.Attendees) > 0 || strings.EqualFold(chosen.Sensitivity, "private"):
	case n == 0:
		body["start"] = clock(start)
	case n == 1:
		body = map[string]any{"show_as": []string{"free", "oof"}[m.random.IntN(2)], "send_invitations": true}
	case n == 2 && chosen.Kind == "single" && !m.booked[chosen.ID]:
		m.booked[chosen.ID] = true
		body["room_id"] = m.room()
	}
	m.ask(http.MethodPatch, "/events/"+chosen.ID, body)
}

// rename makes a meeting in the application, and gives it another name when Microsoft 365 has it.
func (m *machine) rename() {
	m.t.Helper()
	m.n++
	_, start, end := m.when()
	var made entry
	m.alive().api(http.MethodPost, "/calendars/"+m.folders[slices.IndexFunc(m.folders, func(f folder) bool { return f.graph == "" && !f.room })].id+"/events", map[string]any{
		"subject": m.word(), "start": clock(start), "end": clock(end), "room_id": m.room(), "send_invitations": true,
		"attendees": []map[string]any{{"email": m.people[1].Mail}, {"email": m.people[2].Mail}},
	}, &made)
	var now entry
	limit := time.Now().Add(5 * time.Second)
	eventually(m.t, "the meeting has been made, or waits for the lease of a server that is dead", func() bool {
		m.pass(20 * time.Second)
		m.alive().api(http.MethodGet, "/events/"+made.ID, nil, &now)
		return now.SyncState != "pending" || time.Now().After(limit)
	})
	m.n++
	m.ask(http.MethodPatch, "/events/"+made.ID, map[string]any{"subject": m.word(), "send_invitations": true})
}

// room gives the id of a room.
func (m *machine) room() string {
	m.t.Helper()
	var page struct{ Data []struct{ ID string } }
	m.alive().api(http.MethodGet, "/rooms", nil, &page)
	return page.Data[m.random.IntN(len(page.Data))].ID
}
