package calendarbridge

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"usher/internal/simulator/exchange"
	"usher/model"
	"usher/model/outlook"
	"usher/model/store"
)

// TestRefusedInput: each mistake is told by its field, and changes nothing.
func TestRefusedInput(t *testing.T) {
	eachWorld(t, func(w *world) {
		ada, account := w.person("Ada Lovelace")
		foreign := w.tenant.Outside(outlook.Address{Email: "eve@fabrikam.example", Name: "Eve"})
		w.must(foreign.Create("", typed("Theirs", "2026-11-20T09:00:00", "2026-11-20T10:00:00", func(d *outlook.Draft) {
			d.Attendees = &[]outlook.Attendee{{Address: outlook.Address{Email: ada.Mail}, Type: outlook.Required}}
		})))
		w.start()
		cal := w.calendar(account)
		theirs := w.events(cal)[0]
		start, end := at("2026-11-10T09:00:00"), at("2026-11-10T10:00:00")
		for name, tt := range map[string]struct {
			f     Fields
			field string
		}{
			"no start":                   {Fields{End: end}, "start.date_time"},
			"no times":                   {Fields{Subject: ptr("x")}, "start"},
			"no end":                     {Fields{Start: start}, "end.date_time"},
			"unknown zone":               {Fields{Start: &model.EventTime{DateTime: start.DateTime, TimeZone: "Middle-earth"}, End: end}, "start.time_zone"},
			"an offset":                  {Fields{Start: at("2026-11-10T09:00:00Z"), End: end}, "start.date_time"},
			"backwards":                  {Fields{Start: end, End: start}, "end"},
			"all day at nine":            {Fields{Start: start, End: end, AllDay: ptr(true)}, "start.date_time"},
			"show as":                    {Fields{Start: start, End: end, ShowAs: ptr("asleep")}, "show_as"},
			"sensitivity":                {Fields{Start: start, End: end, Sensitivity: ptr("secret")}, "sensitivity"},
			"a long subject":             {Fields{Start: start, End: end, Subject: ptr(strings.Repeat("x", 256))}, "subject"},
			"no address":                 {Fields{Start: start, End: end, Attendees: &[]model.EventPerson{{Email: "Grace"}}}, "attendees.email"},
			"a strange attendee":         {Fields{Start: start, End: end, Attendees: &[]model.EventPerson{{Email: "g@contoso.example", Type: "spy"}}}, "attendees.type"},
			"people unasked":             {Fields{Start: start, End: end, Attendees: &[]model.EventPerson{{Email: "g@contoso.example"}}}, "send_invitations"},
			"no room":                    {Fields{Start: start, End: end, RoomID: ptr(store.NewID())}, "room_id"},
			"an impossible series":       {Fields{Start: start, End: end, Recurrence: json.RawMessage(`{"pattern":{"type":"weekly","interval":1},"range":{"type":"noEnd","startDate":"2026-11-10"}}`)}, "recurrence.pattern.daysOfWeek"},
			"a series from another date": {Fields{Start: start, End: end, Recurrence: json.RawMessage(`{"pattern":{"type":"daily","interval":1},"range":{"type":"noEnd","startDate":"2026-11-11"}}`)}, "recurrence.range.startDate"},
		} {
			_, err := w.svc.CreateEvent(t.Context(), "api", w.ref.OrganizationID, cal.ID, tt.f)
			if e, ok := errors.AsType[*model.Error](err); !ok || e.Kind != model.Invalid || e.Field != tt.field {
				t.Errorf("%s: got %v", name, err)
			}
		}
		if _, err := w.svc.UpdateEvent(t.Context(), "api", w.ref.OrganizationID, theirs.ID, Fields{Subject: ptr("Mine")}); model.KindOf(err) != model.Refused {
			t.Errorf("changed another's meeting: %v", err)
		}
		if err := w.svc.DeleteEvent(t.Context(), "api", w.ref.OrganizationID, theirs.ID, ""); model.KindOf(err) != model.Refused {
			t.Errorf("deleted what Outlook made: %v", err)
		}
		if _, err := w.svc.UpdateEvent(t.Context(), "api", store.NewID(), theirs.ID, Fields{ShowAs: ptr("free")}); model.KindOf(err) != model.NotFound {
			t.Errorf("another organization changed it: %v", err)
		}
		if got := w.subjects(cal); !slices.Equal(got, []string{"Theirs"}) {
			t.Errorf("stored is %v", got)
		}
	})
}

// TestRefusedByMicrosoft365: what Microsoft 365 never takes ends as failed, with the reason, and can be tried again.
func TestRefusedByMicrosoft365(t *testing.T) {
	eachWorld(t, func(w *world) {
		ada, account := w.person("Ada Lovelace")
		w.start()
		cal := w.calendar(account)
		w.tenant.Fail(ada.ID, 1, &outlook.Error{Kind: outlook.Invalid, Status: 400, Code: "ErrorPropertyValidationFailure", Message: "no"})
		e, err := w.svc.CreateEvent(t.Context(), "api", w.ref.OrganizationID, cal.ID, Fields{Subject: ptr("Bad"), Start: at("2026-11-10T09:00:00"), End: at("2026-11-10T10:00:00")})
		if err != nil {
			t.Fatal(err)
		}
		w.settle()
		got, err := w.store.Read(t.Context()).Event(w.ref.OrganizationID, e.ID)
		if err != nil || got.SyncState != model.EventFailed || !strings.Contains(got.SyncError, "ErrorPropertyValidationFailure") {
			t.Fatalf("it is %+v, %v", got, err)
		}
		if _, err := w.svc.UpdateEvent(t.Context(), "api", w.ref.OrganizationID, e.ID, Fields{Subject: ptr("Good")}); err != nil {
			t.Fatal(err)
		}
		w.settle()
		w.equal(ada, w.calendar(account))
		if got := w.subjects(cal); !slices.Equal(got, []string{"Good"}) {
			t.Errorf("stored is %v", got)
		}
	})
}

// TestPrivateEvents: of a private event only its time is stored, also where the application made it; Outlook has it whole.
func TestPrivateEvents(t *testing.T) {
	eachWorld(t, func(w *world) {
		ada, account := w.person("Ada Lovelace")
		w.start()
		cal := w.calendar(account)
		_, err := w.svc.CreateEvent(t.Context(), "api", w.ref.OrganizationID, cal.ID, Fields{
			Subject: ptr("Dentist"), Body: ptr("root canal"), Location: ptr("Clinic"), Sensitivity: ptr("private"), Start: at("2026-11-10T09:00:00"), End: at("2026-11-10T10:00:00"),
		})
		if err != nil {
			t.Fatal(err)
		}
		w.settle()
		stored := w.events(cal)
		if len(stored) != 1 || stored[0].Subject+stored[0].Body+stored[0].Location != "" || stored[0].SyncState != model.EventSynced {
			t.Fatalf("stored is %+v", stored)
		}
		if list, err := w.tenant.As(ada.ID).Series(""); err != nil || len(list) != 1 || list[0].Subject != "Dentist" {
			t.Errorf("in Outlook is %+v, %v", list, err)
		}
		writes, err := w.store.Read(t.Context()).WritesOfEvents(cal, []string{stored[0].ID})
		if err != nil || len(writes) != 1 || strings.Contains(string(writes[0].Draft), "Dentist") {
			t.Errorf("the write is kept as %+v, %v", writes, err)
		}
		w.equal(ada, w.calendar(account))
	})
}

// TestRoomsAndAvailability: a room is booked by inviting it, its answer is tracked, and both are busy then.
func TestRoomsAndAvailability(t *testing.T) {
	eachWorld(t, func(w *world) {
		_, account := w.person("Ada Lovelace")
		_, grace := w.person("Grace Hopper")
		w.tenant.AddRoom(exchange.NewRoom{Name: "Engine", Capacity: 8, Building: "North"})
		w.start()
		cal := w.calendar(account)
		rooms, err := w.store.Read(t.Context()).RoomsAfter(w.ref.OrganizationID, store.RoomFilter{}, "", 10)
		if err != nil || len(rooms) != 1 || rooms[0].Capacity != 8 {
			t.Fatalf("the rooms are %+v, %v", rooms, err)
		}
		e, err := w.svc.CreateEvent(t.Context(), "api", w.ref.OrganizationID, cal.ID, Fields{
			Subject: ptr("Demo"), RoomID: &rooms[0].ID, Start: at("2026-11-10T09:00:00"), End: at("2026-11-10T10:00:00"),
		})
		if err != nil {
			t.Fatal(err)
		}
		w.settle()
		if e, err = w.store.Read(t.Context()).Event(w.ref.OrganizationID, e.ID); err != nil || len(e.Attendees) != 1 || e.Attendees[0].Response != "accepted" || e.Location != "Engine" {
			t.Errorf("booked as %+v, %v", e, err)
		}
		from := time.Date(2026, 11, 10, 0, 0, 0, 0, time.UTC)
		check := func(what string) {
			t.Helper()
			got, err := w.svc.Availability(t.Context(), w.ref.OrganizationID, []string{account.ID, grace.ID}, []string{rooms[0].ID}, from, from.AddDate(0, 0, 1))
			if err != nil || len(got) != 3 {
				t.Fatalf("%s: %+v, %v", what, got, err)
			}
			want := outlook.Window{From: e.Start.UTC, To: e.End.UTC}
			if len(got[0].Busy) != 1 || got[0].Busy[0] != want || len(got[1].Busy) != 0 || len(got[2].Busy) != 1 || got[2].Busy[0] != want {
				t.Errorf("%s: %+v", what, got)
			}
			for _, a := range got {
				if !a.Known {
					t.Errorf("%s: not known: %+v", what, a)
				}
			}
		}
		asked := w.tenant.RequestCount()
		check("from the store")
		if n := w.tenant.RequestCount() - asked; n != 0 {
			t.Errorf("%d requests for what is stored", n)
		}
		w.forget()
		check("from Microsoft 365")
		if n := w.tenant.RequestCount() - asked; n != 1 {
			t.Errorf("%d requests for three schedules", n)
		}
		for _, bad := range []time.Time{from, from.AddDate(1, 0, 0)} {
			if _, err := w.svc.Availability(t.Context(), w.ref.OrganizationID, nil, nil, from, bad); model.KindOf(err) != model.Invalid {
				t.Errorf("until %s: %v", bad, err)
			}
		}
	})
}

// forget makes the store know nothing of how far calendars are.
func (w *world) forget() {
	w.Helper()
	list, err := w.store.Read(w.Context()).CalendarsAfter(w.ref.OrganizationID, store.CalendarFilter{}, "", 100)
	if err != nil {
		w.Fatal(err)
	}
	for i := range list {
		lease := store.NewID()
		cal, ok, err := w.store.LeaseCalendar(w.Context(), list[i].OrganizationID, list[i].ID, lease, w.clock.Now().Add(time.Minute))
		if err != nil || !ok {
			w.Fatal(ok, err)
		}
		cal.Sync.SweptAt = nil
		err = w.store.InTx(w.Context(), func(tx *store.Tx) error { return tx.SaveSync(&cal, lease) })
		if err != nil {
			w.Fatal(err)
		}
	}
}
