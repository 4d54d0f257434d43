package exchange_test

import (
	"strings"
	"testing"

	"usher/internal/simulator/exchange"
	"usher/model/outlook"
)

// TestMovedAnew: a client that makes an event once more where it is to be leaves its iCalUId, and its mark or not; nobody gets a mail.
func TestMovedAnew(t *testing.T) {
	for name, keep := range map[string]bool{"with its mark": true, "without its mark": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, exchange.Options{})
			other := outlook.CalendarRef{Mailbox: adaMail, Calendar: w.AddCalendar(adaMail, "Private")}
			d := meeting("Budget", "09:00:00", "10:00:00")
			d.Origin, d.TransactionID = "usher/1", "tx-1"
			made := event(t)(w.client.CreateEvent(t.Context(), outlook.CalendarRef{Mailbox: adaMail}, d))
			link := w.begin(t, outlook.CalendarRef{Mailbox: adaMail})
			moved := event(t)(w.ada.MoveAnew(made.ID, other.Calendar, keep))
			if moved.ID == made.ID || moved.ICalUID != made.ICalUID || moved.TransactionID != "" || moved.Subject != made.Subject {
				t.Errorf("moved: %+v", moved)
			}
			if found := must[[]outlook.Event](t)(w.client.FindEvents(t.Context(), other, "usher/1", "")); (len(found) == 1) != keep {
				t.Errorf("by its mark: %+v", found)
			}
			page := must[outlook.DeltaPage](t)(w.client.Delta(t.Context(), outlook.CalendarRef{Mailbox: adaMail}, outlook.Window{}, link))
			if len(page.Events) != 1 || page.Events[0].ID != made.ID || page.Events[0].Removed == "" || len(w.Mails()) != 0 {
				t.Errorf("the old calendar tells %+v", page.Events)
			}
			_, err := w.client.Event(t.Context(), outlook.CalendarRef{Mailbox: adaMail}, made.ID)
			wantKind(t, err, outlook.NotFound, 404, "ErrorItemNotFound")
			twin := event(t)(w.ada.Copy(moved.ID, ""))
			if twin.ICalUID != made.ICalUID || len(must[[]outlook.Event](t)(w.ada.Series(other.Calendar))) != 1 {
				t.Errorf("copied: %+v", twin)
			}
		})
	}
}

// TestOnlineMeetingLivesByItsInvitation: a body that has the invitation keeps the meeting, whatever else is in it; the link alone does not.
func TestOnlineMeetingLivesByItsInvitation(t *testing.T) {
	w := newWorld(t, exchange.Options{})
	d := meeting("Budget", "09:00:00", "10:00:00")
	d.OnlineMeeting = ptr(true)
	made := event(t)(w.ada.Create("", d))
	_, invitation, ok := strings.Cut(made.Body.Content, "<div class=\"me-email-text\"")
	if !ok {
		t.Fatalf("no invitation in %s", made.Body.Content)
	}
	change := func(content string) outlook.Event {
		return event(t)(w.ada.Change(made.ID, outlook.Draft{Body: &outlook.Body{ContentType: "html", Content: content}}))
	}
	if kept := change("<p>New</p><div class=\"me-email-text\"" + invitation); !kept.OnlineMeeting || kept.OnlineMeetingURL != made.OnlineMeetingURL {
		t.Errorf("with its invitation: %+v", kept)
	}
	if lost := change("<p>Join at " + made.OnlineMeetingURL + "</p>"); lost.OnlineMeeting {
		t.Errorf("without its invitation: %+v", lost)
	}
}
