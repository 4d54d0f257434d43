package calendarstest

import (
	"testing"

	"usher/model/outlook"
)

func changes() []promise {
	return []promise{
		{"a change changes what it names and nothing else", changeAlone},
		{"what is emptied is empty", emptied},
		{"times move together", movedTimes},
		{"a stale change key is Conflict and changes nothing", staleChange},
		{"a stale change key deletes nothing", staleDeletion},
		{"a mark can be set later", laterMark},
		{"a bad change is refused and changes nothing", badChange},
	}
}

func changeAlone(t *testing.T, w World) {
	d := invite(lunch("before"), w.Grace.Mail)
	d.Location, d.ShowAs = &outlook.Location{DisplayName: "Library"}, ptr("oof")
	made := w.create(t, w.Ada, d)
	got := must[outlook.Event](t)(w.Calendars.UpdateEvent(t.Context(), calendarOf(w.Ada), made.ID, outlook.Draft{Subject: ptr("after")}, made.ChangeKey))
	if got.Subject != "after" || got.ChangeKey == made.ChangeKey || got.ID != made.ID || got.ICalUID != made.ICalUID {
		t.Errorf("got %+v", got)
	}
	read := w.read(t, w.Ada, made.ID)
	if read.Subject != "after" || read.ChangeKey != got.ChangeKey || read.Location.DisplayName != "Library" || read.ShowAs != "oof" || len(read.Attendees) != 1 {
		t.Errorf("read %+v", read)
	}
	wantStart(t, read, utc(3, 10, 11, 0))
}

func emptied(t *testing.T, w World) {
	d := invite(lunch("full"), w.Grace.Mail)
	d.Location = &outlook.Location{DisplayName: "Library"}
	made := w.create(t, w.Ada, d)
	must[outlook.Event](t)(w.Calendars.UpdateEvent(t.Context(), calendarOf(w.Ada), made.ID,
		outlook.Draft{Subject: ptr(""), Location: &outlook.Location{}, Attendees: &[]outlook.Attendee{}}, ""))
	if got := w.read(t, w.Ada, made.ID); got.Subject != "" || got.Location.DisplayName != "" || len(got.Attendees) != 0 {
		t.Errorf("got %q, %+v, %+v", got.Subject, got.Location, got.Attendees)
	}
}

func movedTimes(t *testing.T, w World) {
	made := w.create(t, w.Ada, lunch("moved"))
	moved := on(lunch("moved"), "03-31")
	got := must[outlook.Event](t)(w.Calendars.UpdateEvent(t.Context(), calendarOf(w.Ada), made.ID, outlook.Draft{Start: moved.Start, End: moved.End}, made.ChangeKey))
	wantStart(t, got, utc(3, 31, 10, 0))
	if got.ID != made.ID || got.ICalUID != made.ICalUID {
		t.Errorf("identity %+v", got)
	}
}

func staleChange(t *testing.T, w World) {
	made := w.create(t, w.Ada, lunch("mine"))
	must[outlook.Event](t)(w.Outlook(w.Ada.ID).Change(made.ID, outlook.Draft{Subject: ptr("theirs")}))
	_, err := w.Calendars.UpdateEvent(t.Context(), calendarOf(w.Ada), made.ID, outlook.Draft{Subject: ptr("ours")}, made.ChangeKey)
	wantKind(t, err, outlook.Conflict)
	now := w.read(t, w.Ada, made.ID)
	if now.Subject != "theirs" {
		t.Errorf("subject %q", now.Subject)
	}
	must[outlook.Event](t)(w.Calendars.UpdateEvent(t.Context(), calendarOf(w.Ada), made.ID, outlook.Draft{Subject: ptr("ours")}, now.ChangeKey))
	got := must[outlook.Event](t)(w.Calendars.UpdateEvent(t.Context(), calendarOf(w.Ada), made.ID, outlook.Draft{Subject: ptr("anyway")}, ""))
	if got.Subject != "anyway" {
		t.Errorf("without a key: %q", got.Subject)
	}
}

func staleDeletion(t *testing.T, w World) {
	made := w.create(t, w.Ada, lunch("mine"))
	changed := must[outlook.Event](t)(w.Outlook(w.Ada.ID).Change(made.ID, outlook.Draft{Subject: ptr("theirs")}))
	wantKind(t, w.Calendars.DeleteEvent(t.Context(), calendarOf(w.Ada), made.ID, made.ChangeKey), outlook.Conflict)
	if left := w.Outlook(w.Ada.ID).Events(); len(left) != 1 {
		t.Fatalf("the mailbox has %d events", len(left))
	}
	if err := w.Calendars.DeleteEvent(t.Context(), calendarOf(w.Ada), made.ID, changed.ChangeKey); err != nil {
		t.Errorf("with the key of now: %v", err)
	}
	if left := w.Outlook(w.Ada.ID).Events(); len(left) != 0 {
		t.Errorf("the mailbox has %d events", len(left))
	}
}

func laterMark(t *testing.T, w World) {
	made := w.create(t, w.Ada, lunch("unmarked"))
	must[outlook.Event](t)(w.Calendars.UpdateEvent(t.Context(), calendarOf(w.Ada), made.ID, outlook.Draft{Origin: "usher:later"}, ""))
	got, err := w.Calendars.FindEvents(t.Context(), calendarOf(w.Ada), "usher:later", "")
	if err != nil || len(got) != 1 || got[0].ID != made.ID || got[0].Subject != "unmarked" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func badChange(t *testing.T, w World) {
	made := w.create(t, w.Ada, lunch("good"))
	_, err := w.Calendars.UpdateEvent(t.Context(), calendarOf(w.Ada), made.ID,
		outlook.Draft{Subject: ptr("bad"), Start: &outlook.Moment{DateTime: "2026-03-11T12:00:00", TimeZone: berlin}}, "")
	wantKind(t, err, outlook.Invalid) // it would start after its end
	if got := w.read(t, w.Ada, made.ID); got.Subject != "good" || got.ChangeKey != made.ChangeKey {
		t.Errorf("got %q, key changed: %t", got.Subject, got.ChangeKey != made.ChangeKey)
	}
}
