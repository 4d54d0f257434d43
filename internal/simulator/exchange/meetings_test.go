package exchange_test

import (
	"strings"
	"testing"
	"time"

	"usher/internal/simulator/exchange"
	"usher/model/outlook"
)

func TestAttendees(t *testing.T) {
	w := newWorld(t, exchange.Options{})
	ref := outlook.CalendarRef{Mailbox: adaMail}
	d := meeting("Budget", "09:00:00", "10:00:00", graceMail, "external@fabrikam.example")
	d.TransactionID, d.Origin = "tx", "usher/1"
	made := event(t)(w.client.CreateEvent(t.Context(), ref, d))
	mine := only(t, w.grace)
	if mine.ICalUID != made.ICalUID || mine.ID == made.ID || mine.IsOrganizer || mine.Organizer.Email != adaMail ||
		mine.Response != outlook.NotResponded || mine.ShowAs != "tentative" || mine.TransactionID != "" || mine.Origin != "" {
		t.Errorf("the copy is %+v", mine)
	}
	if w.countMails(exchange.Invitation, graceMail) != 1 || w.countMails(exchange.Invitation, "external@fabrikam.example") != 1 {
		t.Errorf("mails %+v", w.Mails())
	}

	if err := w.grace.Answer(mine.ID, outlook.ResponseAccepted, ""); err != nil {
		t.Fatal(err)
	}
	answered := only(t, w.ada)
	if answered.ChangeKey == made.ChangeKey || answered.Attendees[0].Response != outlook.ResponseAccepted || answered.Attendees[0].At.IsZero() {
		t.Errorf("the organizer sees %+v", answered.Attendees)
	}
	if mine = only(t, w.grace); mine.Response != outlook.ResponseAccepted || mine.ShowAs != "busy" {
		t.Errorf("the copy is %+v", mine)
	}

	// Adding somebody is told to them alone, and the answers stay.
	event(t)(w.client.UpdateEvent(t.Context(), ref, made.ID, outlook.Draft{Attendees: people(graceMail, "external@fabrikam.example", alanMail)}, ""))
	if w.countMails(exchange.Invitation, alanMail) != 1 || w.countMails(exchange.Update, graceMail) != 0 || w.countMails(exchange.Invitation, graceMail) != 1 {
		t.Errorf("mails %+v", w.Mails())
	}
	if got := only(t, w.ada); got.Attendees[0].Response != outlook.ResponseAccepted {
		t.Errorf("the answer is gone: %+v", got.Attendees)
	}
	// Another subject is told to all; another time asks them anew.
	event(t)(w.client.UpdateEvent(t.Context(), ref, made.ID, outlook.Draft{Subject: ptr("Plan")}, ""))
	if got := only(t, w.grace); got.Subject != "Plan" || got.Response != outlook.ResponseAccepted || w.countMails(exchange.Update, graceMail) != 1 {
		t.Errorf("after the subject %+v", got)
	}
	event(t)(w.client.UpdateEvent(t.Context(), ref, made.ID, outlook.Draft{Start: moment("2026-03-03T11:00:00"), End: moment("2026-03-03T12:00:00")}, ""))
	if got := only(t, w.grace); got.Response != outlook.NotResponded || got.Start.DateTime != "2026-03-03T10:00:00.0000000" || only(t, w.ada).Attendees[0].Response != outlook.ResponseNone {
		t.Errorf("after the move %+v", got)
	}
	// What changes nothing for others is told to nobody.
	before := len(w.Mails())
	event(t)(w.client.UpdateEvent(t.Context(), ref, made.ID, outlook.Draft{ShowAs: ptr("free"), Sensitivity: ptr("private")}, ""))
	if len(w.Mails()) != before {
		t.Error("a mail about the organizer's own state")
	}
	// Who is taken off the list has a cancelled meeting.
	event(t)(w.client.UpdateEvent(t.Context(), ref, made.ID, outlook.Draft{Attendees: people(graceMail)}, ""))
	if got := only(t, w.alan); !got.IsCancelled || w.countMails(exchange.Cancellation, alanMail) != 1 {
		t.Errorf("the removed attendee has %+v", got)
	}

	wantKind(t, w.client.CancelEvent(t.Context(), outlook.CalendarRef{Mailbox: graceMail}, only(t, w.grace).ID, ""), outlook.NotOrganizer, 400, "ErrorInvalidRequest")
	if err := w.client.CancelEvent(t.Context(), ref, made.ID, "No budget"); err != nil {
		t.Fatal(err)
	}
	if got := only(t, w.grace); !got.IsCancelled || !strings.HasPrefix(got.Subject, "Canceled: ") || len(view(t, w.ada)) != 0 {
		t.Errorf("after the cancellation %+v", got)
	}
	if err := w.grace.Delete(only(t, w.grace).ID); err != nil || len(view(t, w.grace)) != 0 {
		t.Errorf("the copy stays, %v", err)
	}
	if n := w.countMails(exchange.Cancellation, graceMail); n != 1 {
		t.Errorf("%d cancellations", n)
	}
}

func TestDeclineAndDeleteOfACopy(t *testing.T) {
	w := newWorld(t, exchange.Options{})
	event(t)(w.ada.Create("", meeting("Budget", "09:00:00", "10:00:00", graceMail, alanMail)))
	if err := w.grace.Answer(only(t, w.grace).ID, outlook.ResponseDeclined, "Busy"); err != nil {
		t.Fatal(err)
	}
	if err := w.client.DeleteEvent(t.Context(), outlook.CalendarRef{Mailbox: alanMail}, only(t, w.alan).ID, ""); err != nil {
		t.Fatal(err)
	}
	got := only(t, w.ada)
	if len(view(t, w.grace)) != 0 || len(view(t, w.alan)) != 0 || got.Attendees[0].Response != outlook.ResponseDeclined || got.Attendees[1].Response != outlook.ResponseNone {
		t.Errorf("the organizer has %+v", got)
	}
	if err := w.ada.Answer(got.ID, outlook.ResponseAccepted, ""); outlook.KindOf(err) != outlook.Invalid {
		t.Errorf("the organizer answered: %v", err)
	}
}

// TestProposals: another time comes with an answer that does not accept, from a start to an end in a zone that is known.
func TestProposals(t *testing.T) {
	w := newWorld(t, exchange.Options{})
	event(t)(w.ada.Create("", meeting("Budget", "09:00:00", "10:00:00", graceMail)))
	id, other := only(t, w.grace).ID, meeting("Budget", "11:00:00", "12:00:00")
	start, end := *other.Start, *other.End
	nowhere := outlook.Moment{DateTime: start.DateTime, TimeZone: "Mars Standard Time"}
	for name, tt := range map[string]struct {
		response outlook.Response
		proposed outlook.Span
		want     outlook.Kind
	}{
		"accepted":        {outlook.ResponseAccepted, outlook.Span{Start: start, End: end}, outlook.Invalid},
		"no time":         {outlook.ResponseDeclined, outlook.Span{Start: outlook.Moment{TimeZone: "UTC"}, End: end}, outlook.Invalid},
		"ends before":     {outlook.ResponseDeclined, outlook.Span{Start: end, End: start}, outlook.Invalid},
		"no zone of ours": {outlook.ResponseDeclined, outlook.Span{Start: nowhere, End: end}, outlook.BadZone},
	} {
		if err := w.grace.Propose(id, tt.response, tt.proposed); outlook.KindOf(err) != tt.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := only(t, w.ada).Attendees[0]; got.Response != outlook.ResponseNone || got.Proposed != (outlook.Span{}) {
		t.Errorf("what was refused left %+v", got)
	}
	if err := w.grace.Propose(id, outlook.ResponseDeclined, outlook.Span{Start: start, End: end}); err != nil {
		t.Fatal(err)
	}
	if got := only(t, w.ada).Attendees[0]; got.Response != outlook.ResponseDeclined || got.Proposed.Start.DateTime == "" {
		t.Errorf("the organizer sees %+v", got)
	}
}

func TestOccurrencesOfAMeeting(t *testing.T) {
	w := newWorld(t, exchange.Options{})
	d := meeting("Stand-up", "09:00:00", "09:15:00", graceMail)
	d.Recurrence = daily("2026-03-03", 4)
	event(t)(w.ada.Create("", d))
	own, hers := view(t, w.ada), view(t, w.grace)
	if len(hers) != 4 {
		t.Fatalf("%d copies", len(hers))
	}
	event(t)(w.ada.Change(own[1].ID, outlook.Draft{Start: moment("2026-03-04T14:00:00"), End: moment("2026-03-04T14:15:00")}))
	if err := w.ada.Cancel(own[2].ID, ""); err != nil {
		t.Fatal(err)
	}
	if err := w.grace.Answer(hers[3].ID, outlook.ResponseDeclined, ""); err != nil {
		t.Fatal(err)
	}
	own, hers = view(t, w.ada), view(t, w.grace)
	if len(own) != 3 || len(hers) != 3 {
		t.Fatalf("the organizer has %d, the attendee %d", len(own), len(hers))
	}
	if hers[1].Type != outlook.Exception || hers[1].Start.DateTime != "2026-03-04T13:00:00.0000000" || !hers[2].IsCancelled || hers[0].IsCancelled {
		t.Errorf("the copies are %+v", hers)
	}
	if own[2].Type != outlook.Exception || own[2].Attendees[0].Response != outlook.ResponseDeclined || own[0].Attendees[0].Response != outlook.ResponseNone {
		t.Errorf("the organizer has %+v", own[2])
	}
	if w.countMails(exchange.Update, graceMail) != 1 || w.countMails(exchange.Cancellation, graceMail) != 1 {
		t.Errorf("mails %+v", w.Mails())
	}
	// A change of the whole writes once for it and once for each exception.
	event(t)(w.ada.Change(own[0].SeriesMasterID, outlook.Draft{Subject: ptr("Sit-down")}))
	if n := w.countMails(exchange.Update, graceMail); n != 4 {
		t.Errorf("%d updates", n)
	}
	// Who is invited to one occurrence has a single event.
	event(t)(w.ada.Change(own[0].ID, outlook.Draft{Attendees: people(graceMail, alanMail)}))
	if got := only(t, w.alan); got.Type != outlook.SingleInstance || got.ICalUID != own[0].ICalUID {
		t.Errorf("the guest has %+v", got)
	}
}

func TestRooms(t *testing.T) {
	w := newWorld(t, exchange.Options{})
	room := w.As(roomMail)
	invite := func(subject, start, end string) outlook.Event {
		d := meeting(subject, start, end)
		d.Attendees = &[]outlook.Attendee{{Address: outlook.Address{Email: roomMail}, Type: outlook.Resource}}
		d.Body = &outlook.Body{ContentType: "text", Content: "secret"}
		return event(t)(w.ada.Create("", d))
	}
	first := invite("Budget", "09:00:00", "10:00:00")
	if got := only(t, room); got.Subject != "Budget" || got.Response != outlook.NotResponded {
		t.Errorf("before the answer: %+v", got)
	}
	if w.Step(t.Context()) != 0 {
		t.Error("the room answered at once")
	}
	w.clock.forward(3 * time.Second)
	if due, ok := w.NextDue(); !ok || due.After(w.clock.now()) {
		t.Errorf("next due %v, %t", due, ok)
	}
	w.Step(t.Context())
	if got := only(t, room); got.Subject != "Ada Lovelace" || got.Response != outlook.ResponseAccepted || strings.Contains(got.Body.Content, "secret") || got.ShowAs != "busy" {
		t.Errorf("the room has %+v", got)
	}
	if got := event(t)(w.ada.Event(first.ID)); got.Attendees[0].Response != outlook.ResponseAccepted || got.ChangeKey == first.ChangeKey {
		t.Errorf("the organizer sees %+v", got.Attendees)
	}

	second := invite("Plan", "09:30:00", "10:30:00")
	third := invite("Later", "10:00:00", "11:00:00")
	w.clock.forward(3 * time.Second)
	w.Step(t.Context())
	for id, want := range map[string]outlook.Response{second.ID: outlook.ResponseDeclined, third.ID: outlook.ResponseAccepted} {
		if got := event(t)(w.ada.Event(id)); got.Attendees[0].Response != want {
			t.Errorf("%s: %s, want %s", got.Subject, got.Attendees[0].Response, want)
		}
	}
	if len(view(t, room)) != 2 {
		t.Errorf("the room has %+v", view(t, room))
	}
	// Of two that wait the first one has it.
	fourth, fifth := invite("Early", "12:00:00", "13:00:00"), invite("Late", "12:30:00", "13:30:00")
	w.clock.forward(3 * time.Second)
	w.Step(t.Context())
	for id, want := range map[string]outlook.Response{fourth.ID: outlook.ResponseAccepted, fifth.ID: outlook.ResponseDeclined} {
		if got := event(t)(w.ada.Event(id)); got.Attendees[0].Response != want {
			t.Errorf("%s: %s, want %s", got.Subject, got.Attendees[0].Response, want)
		}
	}
	if err := w.ada.Cancel(fourth.ID, ""); err != nil {
		t.Fatal(err)
	}
	// A cancelled meeting leaves the room.
	if err := w.ada.Cancel(first.ID, ""); err != nil || len(view(t, room)) != 1 {
		t.Errorf("%v, the room has %d", err, len(view(t, room)))
	}

	// A series that meets a booked hour is declined as a whole.
	d := meeting("Stand-up", "10:15:00", "10:30:00", roomMail)
	d.Start, d.End, d.Recurrence = moment("2026-03-02T10:15:00"), moment("2026-03-02T10:30:00"), daily("2026-03-02", 3)
	series := event(t)(w.ada.Create("", d))
	w.clock.forward(3 * time.Second)
	w.Step(t.Context())
	if got := event(t)(w.ada.Event(series.ID)); got.Attendees[0].Response != outlook.ResponseDeclined {
		t.Errorf("the series was answered %s", got.Attendees[0].Response)
	}

	page := must[outlook.RoomPage](t)(w.client.Rooms(t.Context(), ""))
	if len(page.Rooms) != 1 || page.Rooms[0] != w.room || page.Rooms[0].Capacity != 8 {
		t.Errorf("rooms %+v", page.Rooms)
	}
}

func TestOrganizerOutside(t *testing.T) {
	w := newWorld(t, exchange.Options{})
	boole := w.Outside(outlook.Address{Email: "george.boole@fabrikam.example", Name: "George Boole"})
	made := event(t)(boole.Create("", meeting("Laws", "09:00:00", "10:00:00", graceMail)))
	mine := only(t, w.grace)
	if mine.Organizer.Email != "george.boole@fabrikam.example" || mine.IsOrganizer {
		t.Errorf("the copy is %+v", mine)
	}
	if err := w.grace.Answer(mine.ID, outlook.ResponseTentative, ""); err != nil {
		t.Fatal(err)
	}
	if got := event(t)(boole.Event(made.ID)); got.Attendees[0].Response != outlook.ResponseTentative || only(t, w.grace).ShowAs != "tentative" {
		t.Errorf("the organizer sees %+v", got.Attendees)
	}
	if err := boole.Cancel(made.ID, ""); err != nil || !only(t, w.grace).IsCancelled {
		t.Errorf("not cancelled, %v", err)
	}
	if _, err := w.client.User(t.Context(), "george.boole@fabrikam.example"); outlook.KindOf(err) != outlook.NoUser {
		t.Errorf("the tenant knows him: %v", err)
	}
}

func TestSchedules(t *testing.T) {
	w := newWorld(t, exchange.Options{})
	event(t)(w.ada.Create("", meeting("Budget", "09:00:00", "10:00:00")))
	d := meeting("Free", "11:00:00", "12:00:00")
	d.ShowAs = ptr("free")
	event(t)(w.ada.Create("", d))
	d = meeting("Away", "13:00:00", "14:00:00")
	d.ShowAs, d.Recurrence = ptr("oof"), daily("2026-03-03", 2)
	event(t)(w.ada.Create("", d))
	list := must[[]outlook.Schedule](t)(w.client.Schedules(t.Context(), graceMail, []string{adaMail, "nobody@contoso.example"}, march()))
	if len(list) != 2 || len(list[0].Busy) != 3 || list[0].Busy[0].Status != "busy" || list[0].Busy[2].Status != "oof" ||
		!list[0].Busy[0].From.Equal(time.Date(2026, 3, 3, 8, 0, 0, 0, time.UTC)) || outlook.KindOf(list[1].Err) != outlook.NoMailbox {
		t.Errorf("schedules %+v", list)
	}
	_, err := w.client.Schedules(t.Context(), graceMail, make([]string, 21), march())
	wantKind(t, err, outlook.Invalid, 400, "ErrorInvalidParameter")
}
