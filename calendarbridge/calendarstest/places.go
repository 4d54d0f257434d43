package calendarstest

import (
	"strings"
	"testing"

	"usher/model/outlook"
)

func places() []promise {
	return []promise{
		{"the rooms come in pages", roomPages},
		{"a room accepts, and declines when it is taken", roomAnswers},
		{"a room has a calendar like anybody", roomCalendar},
		{"schedules say when somebody is not free", schedules},
		{"a room that is booked is busy", bookedRoom},
	}
}

func roomPages(t *testing.T, w World) {
	seen := map[string]outlook.Room{}
	pages := 0
	for next := ""; ; {
		page := must[outlook.RoomPage](t)(w.Calendars.Rooms(t.Context(), next))
		for _, r := range page.Rooms {
			seen[strings.ToLower(r.Email)] = r
		}
		pages++
		if next = page.Next; next == "" || pages > 100 {
			break
		}
	}
	if got := seen[strings.ToLower(w.Room.Email)]; got != w.Room || len(seen) != w.Rooms || pages < 2 {
		t.Errorf("%d rooms on %d pages, want %d on several; room %+v, want %+v", len(seen), pages, w.Rooms, got, w.Room)
	}
}

func roomAnswers(t *testing.T, w World) {
	first := w.create(t, w.Ada, w.booking("first"))
	w.Settle()
	got := w.read(t, w.Ada, first.ID)
	if responseOf(got, w.Room.Email) != outlook.ResponseAccepted || got.ChangeKey == first.ChangeKey || got.Attendees[0].Type != outlook.Resource {
		t.Errorf("first: %+v", got.Attendees)
	}
	second := w.create(t, w.Grace, w.booking("second"))
	w.Settle()
	if got := w.read(t, w.Grace, second.ID); responseOf(got, w.Room.Email) != outlook.ResponseDeclined {
		t.Errorf("second: %+v", got.Attendees)
	}
}

func roomCalendar(t *testing.T, w World) {
	made := w.create(t, w.Ada, w.booking("secret plans"))
	w.Settle()
	room := must[outlook.User](t)(w.Calendars.User(t.Context(), w.Room.Email))
	got := w.view(t, room, march())
	if len(got) != 1 || got[0].ICalUID != made.ICalUID || got[0].IsOrganizer {
		t.Errorf("the room's calendar: %+v", got)
	}
	if len(got) == 1 && got[0].Subject == "secret plans" {
		t.Error("the room kept the subject")
	}
}

func schedules(t *testing.T, w World) {
	w.create(t, w.Ada, lunch("busy"))
	free := on(lunch("free"), "03-11")
	free.ShowAs = ptr("free")
	w.create(t, w.Ada, free)
	away := on(lunch("away"), "03-12")
	away.ShowAs = ptr("oof")
	w.create(t, w.Ada, every(away, 2))
	got := must[[]outlook.Schedule](t)(w.Calendars.Schedules(t.Context(), w.Grace.ID, []string{w.Ada.Mail, w.Alan.Mail, "nobody@contoso.example"},
		outlook.Window{From: utc(3, 9, 0, 0), To: utc(3, 20, 0, 0)}))
	if len(got) != 3 || !strings.EqualFold(got[0].Address, w.Ada.Mail) || !strings.EqualFold(got[1].Address, w.Alan.Mail) {
		t.Fatalf("schedules %+v", got)
	}
	busy := got[0].Busy
	if got[0].Err != nil || len(busy) != 3 || !busy[0].From.Equal(utc(3, 10, 11, 0)) || !busy[0].To.Equal(utc(3, 10, 12, 0)) || busy[0].Status != "busy" ||
		busy[1].Status != "oof" || !busy[2].From.Equal(utc(3, 13, 11, 0)) {
		t.Errorf("hers: %+v, %v", busy, got[0].Err)
	}
	if got[1].Err != nil || len(got[1].Busy) != 0 {
		t.Errorf("his: %+v", got[1])
	}
	if got[2].Err == nil {
		t.Errorf("nobody's: %+v", got[2])
	}
}

func bookedRoom(t *testing.T, w World) {
	w.create(t, w.Ada, w.booking("booked"))
	w.Settle()
	got := must[[]outlook.Schedule](t)(w.Calendars.Schedules(t.Context(), w.Ada.ID, []string{w.Room.Email}, march()))
	if len(got) != 1 || len(got[0].Busy) != 1 || !got[0].Busy[0].From.Equal(utc(3, 10, 11, 0)) {
		t.Errorf("schedule %+v", got)
	}
}

// booking is an event that asks for the room.
func (w World) booking(subject string) outlook.Draft {
	d := lunch(subject)
	d.Location = &outlook.Location{DisplayName: w.Room.DisplayName, Email: w.Room.Email}
	d.Attendees = &[]outlook.Attendee{{Address: outlook.Address{Email: w.Room.Email, Name: w.Room.DisplayName}, Type: outlook.Resource}}
	return d
}
