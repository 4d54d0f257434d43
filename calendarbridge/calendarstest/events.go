package calendarstest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"usher/model/outlook"
)

func events() []promise {
	return []promise{
		{"what is written is read", whatIsWritten},
		{"an id is the same wherever it is told", oneID},
		{"text of any script survives", anyScript},
		{"five hundred attendees are kept", crowd},
		{"a big body is kept", bigBody},
		{"times are told in UTC whatever zone they were written in", timesInZones},
		{"an unknown zone is BadZone", unknownZone},
		{"an all-day event goes from midnight to midnight", allDay},
		{"an end before the start is Invalid", backwards},
		{"a transaction id twice is one event", transactionTwice},
		{"an event is found by its mark and by its iCalUId", finding},
		{"an event that is not there is NotFound", noEvent},
	}
}

func oneID(t *testing.T, w World) {
	made := w.create(t, w.Ada, lunch("one id"))
	seen := w.view(t, w.Ada, march())
	first, _ := w.round(t, w.Ada, "")
	found := w.copyOf(t, w.Ada, made)
	if len(seen) != 1 || seen[0].ID != made.ID || len(first) != 1 || first[0].ID != made.ID || found.ID != made.ID || w.read(t, w.Ada, made.ID).ID != made.ID {
		t.Errorf("made %s, view %v, delta %v, found %s", made.ID, seen, first, found.ID)
	}
}

func anyScript(t *testing.T, w World) {
	subject := "Ångström <b>&\"'</b> 会議 🚀 \u202eعربي"
	d := lunch(subject)
	d.Location = &outlook.Location{DisplayName: "Café & Bar „Zur Post“"}
	d.Body = &outlook.Body{ContentType: "text", Content: "日本語 ✓"}
	got := w.read(t, w.Ada, w.create(t, w.Ada, d).ID)
	if got.Subject != subject || got.Location.DisplayName != "Café & Bar „Zur Post“" || !strings.Contains(got.Body.Content, "日本語 ✓") {
		t.Errorf("got %q, %q, %q", got.Subject, got.Location.DisplayName, got.Body.Content)
	}
}

func crowd(t *testing.T, w World) {
	var addresses []string
	for i := range 500 {
		addresses = append(addresses, fmt.Sprintf("guest%d@fabrikam.example", i))
	}
	made := w.create(t, w.Ada, invite(lunch("crowd"), addresses...))
	if got := w.read(t, w.Ada, made.ID); len(got.Attendees) != 500 || got.Attendees[499].Email != addresses[499] {
		t.Errorf("%d attendees", len(got.Attendees))
	}
	_, err := w.Calendars.CreateEvent(t.Context(), calendarOf(w.Ada), invite(lunch("too many"), append(addresses, "one@fabrikam.example")...))
	wantKind(t, err, outlook.Invalid)
}

func bigBody(t *testing.T, w World) {
	d := lunch("long")
	d.Body = &outlook.Body{ContentType: "html", Content: "<p>" + strings.Repeat("word ", 200_000) + "end</p>"}
	got := w.read(t, w.Ada, w.create(t, w.Ada, d).ID)
	if len(got.Body.Content) < 1_000_000 || !strings.Contains(got.Body.Content, "end</p>") {
		t.Errorf("%d bytes", len(got.Body.Content))
	}
}

func unknownZone(t *testing.T, w World) {
	d := lunch("lost in time")
	d.Start = &outlook.Moment{DateTime: noon, TimeZone: "Middle Earth Standard Time"}
	d.End = &outlook.Moment{DateTime: "2026-03-10T13:00:00", TimeZone: "Middle Earth Standard Time"}
	_, err := w.Calendars.CreateEvent(t.Context(), calendarOf(w.Ada), d)
	wantKind(t, err, outlook.BadZone)
	if left := w.Outlook(w.Ada.ID).Events(); len(left) != 0 {
		t.Errorf("the mailbox has %d events", len(left))
	}
}

func backwards(t *testing.T, w World) {
	d := lunch("backwards")
	d.Start, d.End = d.End, d.Start
	_, err := w.Calendars.CreateEvent(t.Context(), calendarOf(w.Ada), d)
	wantKind(t, err, outlook.Invalid)
}

func transactionTwice(t *testing.T, w World) {
	d := lunch("once")
	d.TransactionID = "3a6b1c1e-0000-4000-8000-000000000001"
	first, second := w.create(t, w.Ada, d), w.create(t, w.Ada, d)
	if first.ID != second.ID || len(w.Outlook(w.Ada.ID).Events()) != 1 {
		t.Errorf("%s and %s", first.ID, second.ID)
	}
	d.TransactionID = "3a6b1c1e-0000-4000-8000-000000000002"
	if third := w.create(t, w.Ada, d); third.ID == first.ID {
		t.Error("another transaction id gave the same event")
	}
}

func noEvent(t *testing.T, w World) {
	made := w.create(t, w.Ada, lunch("short-lived"))
	if err := w.Calendars.DeleteEvent(t.Context(), calendarOf(w.Ada), made.ID, ""); err != nil {
		t.Fatal(err)
	}
	_, err := w.Calendars.Event(t.Context(), calendarOf(w.Ada), made.ID)
	wantKind(t, err, outlook.NotFound)
	_, err = w.Calendars.UpdateEvent(t.Context(), calendarOf(w.Ada), made.ID, outlook.Draft{Subject: ptr("x")}, "")
	wantKind(t, err, outlook.NotFound)
	wantKind(t, w.Calendars.DeleteEvent(t.Context(), calendarOf(w.Ada), made.ID, ""), outlook.NotFound)
	wantKind(t, w.Calendars.CancelEvent(t.Context(), calendarOf(w.Ada), made.ID, ""), outlook.NotFound)
}

func whatIsWritten(t *testing.T, w World) {
	d := invite(lunch("Review"), w.Grace.Mail)
	d.Body = &outlook.Body{ContentType: "text", Content: "Bring the notes"}
	d.Location = &outlook.Location{DisplayName: "Library"}
	d.ShowAs, d.Sensitivity = ptr("tentative"), ptr("private")
	d.TransactionID, d.Origin = "3a6b1c1e-0000-4000-8000-000000000003", "usher:event:1"
	made := w.create(t, w.Ada, d)
	for name, got := range map[string]outlook.Event{"create": made, "read": w.read(t, w.Ada, made.ID)} {
		if got.ID == "" || got.ChangeKey == "" || got.ICalUID == "" || got.Type != outlook.SingleInstance || got.SeriesMasterID != "" || got.Stub || got.Removed != "" {
			t.Errorf("%s: identity %+v", name, got)
		}
		if got.Subject != "Review" || !strings.Contains(got.Body.Content, "Bring the notes") || got.Location.DisplayName != "Library" || got.ShowAs != "tentative" || got.Sensitivity != "private" {
			t.Errorf("%s: content %+v", name, got)
		}
		if got.TransactionID != d.TransactionID || !got.IsOrganizer || got.IsCancelled || got.AllDay || got.Recurrence != nil || !strings.EqualFold(got.Organizer.Email, w.Ada.Mail) {
			t.Errorf("%s: state %+v", name, got)
		}
		if len(got.Attendees) != 1 || !strings.EqualFold(got.Attendees[0].Email, w.Grace.Mail) || got.Attendees[0].Type != outlook.Required {
			t.Errorf("%s: attendees %+v", name, got.Attendees)
		}
		wantStart(t, got, utc(3, 10, 11, 0))
		if end := instant(t, got.End); !end.Equal(utc(3, 10, 12, 0)) {
			t.Errorf("%s: ends at %v", name, end)
		}
		if got.CreatedAt.IsZero() || got.UpdatedAt.IsZero() {
			t.Errorf("%s: created %v, updated %v", name, got.CreatedAt, got.UpdatedAt)
		}
	}
}

func timesInZones(t *testing.T, w World) {
	for _, test := range []struct {
		zone, wall string
		told       string // the zone's Windows name, which Exchange keeps
		want       time.Time
	}{
		{"W. Europe Standard Time", "2026-03-28T12:00:00", berlin, utc(3, 28, 11, 0)},
		{"W. Europe Standard Time", "2026-03-30T12:00:00", berlin, utc(3, 30, 10, 0)}, // summer
		{"Europe/Berlin", "2026-03-30T12:00:00.0000000", berlin, utc(3, 30, 10, 0)},
		{"India Standard Time", "2026-03-10T12:00:00", "India Standard Time", utc(3, 10, 6, 30)},
		{"UTC", "2026-03-10T12:00:00", "UTC", utc(3, 10, 12, 0)},
		{"Pacific Standard Time", "2026-03-10T18:00:00", "Pacific Standard Time", utc(3, 11, 1, 0)},
	} {
		d := lunch(test.zone)
		d.Start = &outlook.Moment{DateTime: test.wall, TimeZone: test.zone}
		d.End = &outlook.Moment{DateTime: strings.Replace(test.wall, ":00:00", ":30:00", 1), TimeZone: test.zone}
		got := w.read(t, w.Ada, w.create(t, w.Ada, d).ID)
		wantStart(t, got, test.want)
		if told := got.OriginalStartTimeZone; told != test.told && told != test.zone {
			t.Errorf("made in %q, told as %q", test.zone, told)
		}
	}
}

func allDay(t *testing.T, w World) {
	d := outlook.Draft{
		Subject: ptr("Holiday"), AllDay: ptr(true),
		Start: &outlook.Moment{DateTime: "2026-03-12T00:00:00", TimeZone: berlin}, End: &outlook.Moment{DateTime: "2026-03-14T00:00:00", TimeZone: berlin},
	}
	got := w.read(t, w.Ada, w.create(t, w.Ada, d).ID)
	if !got.AllDay || !strings.HasPrefix(got.Start.DateTime, "2026-03-12T00:00:00") || !strings.HasPrefix(got.End.DateTime, "2026-03-14T00:00:00") {
		t.Errorf("got %v to %v, all day %t", got.Start, got.End, got.AllDay)
	}
	d.Start = &outlook.Moment{DateTime: "2026-03-12T09:00:00", TimeZone: berlin}
	_, err := w.Calendars.CreateEvent(t.Context(), calendarOf(w.Ada), d)
	wantKind(t, err, outlook.Invalid)
}

func finding(t *testing.T, w World) {
	d := lunch("marked")
	d.Origin = "usher:it's & 7"
	made := w.create(t, w.Ada, d)
	w.create(t, w.Ada, lunch("not marked"))
	for name, find := range map[string]struct{ origin, uid string }{"mark": {"usher:it's & 7", ""}, "iCalUId": {"", made.ICalUID}} {
		got, err := w.Calendars.FindEvents(t.Context(), calendarOf(w.Ada), find.origin, find.uid)
		if err != nil || len(got) != 1 || got[0].ID != made.ID || got[0].Subject != "marked" || got[0].Origin != "usher:it's & 7" {
			t.Errorf("by %s: %+v, %v", name, got, err)
		}
	}
	for _, find := range []struct{ origin, uid string }{{"usher:8", ""}, {"", "040000008200E00074C5B7101A82E008"}} {
		if got, err := w.Calendars.FindEvents(t.Context(), calendarOf(w.Ada), find.origin, find.uid); err != nil || len(got) != 0 {
			t.Errorf("%+v: %v, %v", find, got, err)
		}
	}
	if got, err := w.Calendars.FindEvents(t.Context(), calendarOf(w.Grace), "usher:it's & 7", ""); err != nil || len(got) != 0 {
		t.Errorf("in another mailbox: %v, %v", got, err)
	}
}
