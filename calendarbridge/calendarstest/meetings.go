package calendarstest

import (
	"slices"
	"strings"
	"testing"

	"usher/model/outlook"
)

func meetings() []promise {
	return []promise{
		{"an invitation makes a copy of its own with the same iCalUId", invitation},
		{"an answer reaches the organizer", answered},
		{"another time that is proposed reaches the organizer", proposed},
		{"a change of the organizer reaches the copies", copiesFollow},
		{"only the organizer calls off", organizerAlone},
		{"a meeting that is called off is gone for the organizer and cancelled for the others", calledOff},
		{"an attendee who deletes takes away the own copy alone", ownCopyAlone},
		{"an online meeting has an address to join", onlineMeeting},
		{"what is made in Outlook is read like any other", byHand},
	}
}

func invitation(t *testing.T, w World) {
	d := invite(lunch("planning"), w.Grace.Mail)
	d.Origin, d.TransactionID = "usher:planning", "3a6b1c1e-0000-4000-8000-000000000010"
	made := w.create(t, w.Ada, d)
	w.Settle()
	got := w.copyOf(t, w.Grace, made)
	if got.ID == made.ID || got.IsOrganizer || !strings.EqualFold(got.Organizer.Email, w.Ada.Mail) || got.Subject != "planning" {
		t.Errorf("copy %+v", got)
	}
	if got.TransactionID != "" || got.Origin != "" {
		t.Errorf("the copy has transaction id %q and mark %q", got.TransactionID, got.Origin)
	}
	wantStart(t, got, utc(3, 10, 11, 0))
}

func answered(t *testing.T, w World) {
	made := w.create(t, w.Ada, invite(lunch("planning"), w.Grace.Mail, w.Alan.Mail))
	w.Settle()
	if err := w.Outlook(w.Grace.ID).Answer(w.copyOf(t, w.Grace, made).ID, outlook.ResponseAccepted); err != nil {
		t.Fatal(err)
	}
	w.Settle()
	got := w.read(t, w.Ada, made.ID)
	if r := responseOf(got, w.Grace.Mail); r != outlook.ResponseAccepted || responseOf(got, w.Alan.Mail) == outlook.ResponseAccepted {
		t.Errorf("attendees %+v", got.Attendees)
	}
	if got.ChangeKey == made.ChangeKey {
		t.Error("the change key is still the old one")
	}
	if mine := w.copyOf(t, w.Grace, made); mine.Response != outlook.ResponseAccepted {
		t.Errorf("her own response is %q", mine.Response)
	}
}

func proposed(t *testing.T, w World) {
	made := w.create(t, w.Ada, invite(lunch("planning"), w.Grace.Mail))
	w.Settle()
	other := on(lunch("planning"), "03-12")
	if err := w.Outlook(w.Grace.ID).Propose(w.copyOf(t, w.Grace, made).ID, outlook.ResponseTentative, outlook.Span{Start: *other.Start, End: *other.End}); err != nil {
		t.Fatal(err)
	}
	w.Settle()
	got := w.read(t, w.Ada, made.ID)
	i := slices.IndexFunc(got.Attendees, func(a outlook.Attendee) bool { return strings.EqualFold(a.Email, w.Grace.Mail) })
	if i < 0 || got.Attendees[i].Response != outlook.ResponseTentative {
		t.Fatalf("attendees %+v", got.Attendees)
	}
	span := got.Attendees[i].Proposed
	wantStart(t, outlook.Event{Start: span.Start}, utc(3, 12, 11, 0))
	wantStart(t, got, utc(3, 10, 11, 0))
}

func copiesFollow(t *testing.T, w World) {
	made := w.create(t, w.Ada, invite(lunch("planning"), w.Grace.Mail))
	moved := on(lunch("planning"), "03-11")
	must[outlook.Event](t)(w.Calendars.UpdateEvent(t.Context(), calendarOf(w.Ada), made.ID, outlook.Draft{Start: moved.Start, End: moved.End}, ""))
	w.Settle()
	wantStart(t, w.copyOf(t, w.Grace, made), utc(3, 11, 11, 0))
}

func organizerAlone(t *testing.T, w World) {
	made := w.create(t, w.Ada, invite(lunch("planning"), w.Grace.Mail))
	w.Settle()
	mine := w.copyOf(t, w.Grace, made)
	wantKind(t, w.Calendars.CancelEvent(t.Context(), calendarOf(w.Grace), mine.ID, "no"), outlook.NotOrganizer)
	if got := w.read(t, w.Ada, made.ID); got.IsCancelled {
		t.Error("it was called off all the same")
	}
}

func calledOff(t *testing.T, w World) {
	made := w.create(t, w.Ada, invite(lunch("planning"), w.Grace.Mail))
	w.Settle()
	mine := w.copyOf(t, w.Grace, made)
	if err := w.Calendars.CancelEvent(t.Context(), calendarOf(w.Ada), made.ID, "ill"); err != nil {
		t.Fatal(err)
	}
	w.Settle()
	_, err := w.Calendars.Event(t.Context(), calendarOf(w.Ada), made.ID)
	wantKind(t, err, outlook.NotFound)
	if got := w.read(t, w.Grace, mine.ID); !got.IsCancelled {
		t.Errorf("her copy: %+v", got)
	}
}

func ownCopyAlone(t *testing.T, w World) {
	made := w.create(t, w.Ada, invite(lunch("planning"), w.Grace.Mail))
	w.Settle()
	if err := w.Calendars.DeleteEvent(t.Context(), calendarOf(w.Grace), w.copyOf(t, w.Grace, made).ID, ""); err != nil {
		t.Fatal(err)
	}
	w.Settle()
	if got := w.read(t, w.Ada, made.ID); got.IsCancelled || len(got.Attendees) != 1 {
		t.Errorf("the organizer's copy: %+v", got)
	}
}

func onlineMeeting(t *testing.T, w World) {
	d := lunch("call")
	d.OnlineMeeting = ptr(true)
	got := w.read(t, w.Ada, w.create(t, w.Ada, d).ID)
	if !got.OnlineMeeting || !strings.HasPrefix(got.OnlineMeetingURL, "https://") {
		t.Errorf("online %t at %q", got.OnlineMeeting, got.OnlineMeetingURL)
	}
}

func byHand(t *testing.T, w World) {
	made := must[outlook.Event](t)(w.Outlook(w.Ada.ID).Create(lunch("by hand")))
	got := w.read(t, w.Ada, made.ID)
	if got.Subject != "by hand" || got.TransactionID != "" || got.Origin != "" {
		t.Errorf("got %+v", got)
	}
	if err := w.Outlook(w.Ada.ID).Delete(made.ID); err != nil {
		t.Fatal(err)
	}
	_, err := w.Calendars.Event(t.Context(), calendarOf(w.Ada), made.ID)
	wantKind(t, err, outlook.NotFound)
}

func responseOf(e outlook.Event, address string) outlook.Response {
	for _, a := range e.Attendees {
		if strings.EqualFold(a.Email, address) {
			return a.Response
		}
	}
	return ""
}
