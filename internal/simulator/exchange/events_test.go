package exchange_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"usher/internal/simulator/exchange"
	"usher/model/outlook"
)

func TestCreateAndRead(t *testing.T) {
	w := newWorld(t, exchange.Options{})
	d := meeting("Budget", "09:00:00", "10:00:00")
	d.TransactionID, d.Origin, d.OnlineMeeting = "tx-1", "usher/1", ptr(true)
	d.Body = &outlook.Body{ContentType: "text", Content: "a < b"}
	d.Location = &outlook.Location{DisplayName: "Here"}
	ref := outlook.CalendarRef{Mailbox: adaMail}
	made := event(t)(w.client.CreateEvent(t.Context(), ref, d))

	if made.Start != (outlook.Moment{DateTime: "2026-03-03T08:00:00.0000000", TimeZone: "UTC"}) || made.OriginalStartTimeZone != "W. Europe Standard Time" {
		t.Errorf("start %v of zone %s", made.Start, made.OriginalStartTimeZone)
	}
	if made.Type != outlook.SingleInstance || !made.IsOrganizer || made.Organizer.Email != adaMail || made.Response != outlook.ResponseOrganizer ||
		made.ShowAs != "busy" || made.Sensitivity != "normal" || made.ICalUID == "" || made.ChangeKey == "" || made.CreatedAt.IsZero() {
		t.Errorf("made %+v", made)
	}
	if !strings.HasPrefix(made.Body.Content, "<html>") || !strings.Contains(made.Body.Content, "a &lt; b") || !strings.HasPrefix(made.BodyPreview, "a < b") {
		t.Errorf("body %+v, preview %q", made.Body, made.BodyPreview)
	}
	if !made.OnlineMeeting || !strings.HasPrefix(made.OnlineMeetingURL, "https://teams.microsoft.com/") || !strings.Contains(made.Body.Content, made.OnlineMeetingURL) {
		t.Errorf("online meeting %q", made.OnlineMeetingURL)
	}
	if read := event(t)(w.client.Event(t.Context(), ref, made.ID)); read.ChangeKey != made.ChangeKey || read.Origin != "usher/1" {
		t.Errorf("read %+v", read)
	}
	again := event(t)(w.client.CreateEvent(t.Context(), ref, d))
	if again.ID != made.ID || len(view(t, w.ada)) != 1 {
		t.Error("the transaction id made a second event")
	}
	for _, search := range [][2]string{{"usher/1", ""}, {"", made.ICalUID}} {
		found := must[[]outlook.Event](t)(w.client.FindEvents(t.Context(), ref, search[0], search[1]))
		if len(found) != 1 || found[0].ID != made.ID {
			t.Errorf("search %q found %+v", search, found)
		}
	}
	if found := must[[]outlook.Event](t)(w.client.FindEvents(t.Context(), ref, "usher/2", "")); len(found) != 0 {
		t.Errorf("found %+v", found)
	}
	// Who writes a body without the meeting's link unmakes the meeting.
	bare := event(t)(w.client.UpdateEvent(t.Context(), ref, made.ID, outlook.Draft{Body: &outlook.Body{ContentType: "html", Content: "<p>x</p>"}}, ""))
	if bare.OnlineMeeting || bare.OnlineMeetingURL != "" {
		t.Errorf("the meeting is still online: %+v", bare)
	}
}

func TestRefusals(t *testing.T) {
	w := newWorld(t, exchange.Options{})
	ref := outlook.CalendarRef{Mailbox: adaMail}
	for _, test := range []struct {
		name   string
		change func(d *outlook.Draft)
		kind   outlook.Kind
		code   string
	}{
		{"no start", func(d *outlook.Draft) { d.Start = nil }, outlook.Invalid, "ErrorPropertyValidationFailure"},
		{"an unknown zone", func(d *outlook.Draft) { d.Start.TimeZone = "Mars" }, outlook.BadZone, "TimeZoneNotSupportedException"},
		{"the custom zone", func(d *outlook.Draft) { d.End.TimeZone = "tzone://Microsoft/Custom" }, outlook.BadZone, "TimeZoneNotSupportedException"},
		{"the series' zone", func(d *outlook.Draft) { d.Recurrence = daily("2026-03-03", 2); d.Recurrence.Range.TimeZone = "Mars" }, outlook.BadZone, "TimeZoneNotSupportedException"},
		{"the end first", func(d *outlook.Draft) { d.End = moment("2026-03-03T08:00:00") }, outlook.Invalid, "ErrorCalendarEndDateIsEarlierThanStartDate"},
		{"all day at nine", func(d *outlook.Draft) { d.AllDay = ptr(true) }, outlook.Invalid, "ErrorPropertyValidationFailure"},
		{"a series without days", func(d *outlook.Draft) {
			d.Recurrence = &outlook.Recurrence{Pattern: outlook.Pattern{Type: outlook.Weekly, Interval: 1}, Range: outlook.Range{Type: outlook.NoEnd, StartDate: "2026-03-03"}}
		}, outlook.Invalid, "ErrorPropertyValidationFailure"},
		{"a status", func(d *outlook.Draft) { d.ShowAs = ptr("asleep") }, outlook.Invalid, "ErrorPropertyValidationFailure"},
		{"a recipient", func(d *outlook.Draft) { d.Attendees = people("nobody") }, outlook.Invalid, "ErrorInvalidRecipients"},
		{"too many", func(d *outlook.Draft) { d.Attendees = people(slices.Repeat([]string{graceMail}, 501)...) }, outlook.Invalid, "ErrorPropertyValidationFailure"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := meeting("Budget", "09:00:00", "10:00:00")
			test.change(&d)
			_, err := w.client.CreateEvent(t.Context(), ref, d)
			wantKind(t, err, test.kind, 400, test.code)
			if len(view(t, w.ada)) != 0 || len(w.Mails()) != 0 {
				t.Error("something was made")
			}
		})
	}
	t.Run("an unknown event", func(t *testing.T) {
		_, err := w.client.Event(t.Context(), ref, "AAMk")
		wantKind(t, err, outlook.NotFound, 404, "ErrorItemNotFound")
	})
}

func TestChangeKeys(t *testing.T) {
	w := newWorld(t, exchange.Options{})
	ref := outlook.CalendarRef{Mailbox: adaMail}
	made := event(t)(w.ada.Create("", meeting("Budget", "09:00:00", "10:00:00")))
	changed := event(t)(w.client.UpdateEvent(t.Context(), ref, made.ID, outlook.Draft{Subject: ptr("Plan")}, made.ChangeKey))
	if changed.ChangeKey == made.ChangeKey || changed.Subject != "Plan" || changed.ICalUID != made.ICalUID {
		t.Errorf("changed %+v", changed)
	}
	_, err := w.client.UpdateEvent(t.Context(), ref, made.ID, outlook.Draft{Subject: ptr("Late")}, made.ChangeKey)
	wantKind(t, err, outlook.Conflict, 412, "ErrorIrresolvableConflict")
	wantKind(t, w.client.DeleteEvent(t.Context(), ref, made.ID, made.ChangeKey), outlook.Conflict, 412, "ErrorIrresolvableConflict")
	if got := only(t, w.ada); got.Subject != "Plan" {
		t.Errorf("it says %q", got.Subject)
	}
	if err := w.client.DeleteEvent(t.Context(), ref, made.ID, changed.ChangeKey); err != nil {
		t.Fatal(err)
	}
	wantKind(t, w.client.DeleteEvent(t.Context(), ref, made.ID, ""), outlook.NotFound, 404, "ErrorItemNotFound")
}

func TestSeries(t *testing.T) {
	w := newWorld(t, exchange.Options{})
	ref := outlook.CalendarRef{Mailbox: adaMail}
	d := meeting("Stand-up", "09:00:00", "09:15:00")
	d.Start, d.End, d.Recurrence = moment("2026-03-27T09:00:00"), moment("2026-03-27T09:15:00"), daily("2026-03-27", 4)
	master := event(t)(w.client.CreateEvent(t.Context(), ref, d))
	if master.Type != outlook.SeriesMaster || master.Recurrence.Range.TimeZone != "W. Europe Standard Time" || master.Recurrence.Range.EndDate != "0001-01-01" {
		t.Errorf("master %+v", master)
	}
	events := view(t, w.ada)
	var starts []string
	for _, e := range events {
		starts = append(starts, e.Start.DateTime[5:16])
		if e.SeriesMasterID != master.ID || e.Type != outlook.Occurrence || e.ICalUID != master.ICalUID || e.Recurrence != nil || e.OriginalStart.IsZero() {
			t.Errorf("occurrence %+v", e)
		}
	}
	if want := []string{"03-27T08:00", "03-28T08:00", "03-29T07:00", "03-30T07:00"}; !slices.Equal(starts, want) {
		t.Errorf("starts %v across the change of the clock", starts)
	}

	moved := event(t)(w.client.UpdateEvent(t.Context(), ref, events[1].ID, outlook.Draft{Start: moment("2026-03-28T15:00:00"), End: moment("2026-03-28T15:15:00"), Subject: ptr("Late")}, events[1].ChangeKey))
	if moved.Type != outlook.Exception || moved.ID != events[1].ID || moved.Start.DateTime != "2026-03-28T14:00:00.0000000" || !moved.OriginalStart.Equal(events[1].OriginalStart) {
		t.Errorf("exception %+v", moved)
	}
	_, err := w.client.UpdateEvent(t.Context(), ref, events[2].ID, outlook.Draft{Start: moment("2026-03-28T20:00:00"), End: moment("2026-03-28T20:15:00")}, "")
	wantKind(t, err, outlook.CrossingBoundary, 400, "ErrorOccurrenceCrossingBoundary")
	_, err = w.client.UpdateEvent(t.Context(), ref, events[2].ID, outlook.Draft{Recurrence: daily("2026-03-29", 1)}, "")
	wantKind(t, err, outlook.Invalid, 400, "ErrorPropertyValidationFailure")
	if err := w.client.DeleteEvent(t.Context(), ref, events[3].ID, ""); err != nil {
		t.Fatal(err)
	}
	_, err = w.client.Event(t.Context(), ref, events[3].ID)
	wantKind(t, err, outlook.NotFound, 404, "ErrorItemNotFound")

	whole := event(t)(w.client.Master(t.Context(), ref, master.ID))
	if !slices.Equal(whole.CancelledOccurrences, []string{"OID." + master.ID + ".2026-03-30"}) || len(whole.ExceptionOccurrences) != 1 || whole.ExceptionOccurrences[0].Subject != "Late" {
		t.Errorf("%v, %v", whole.CancelledOccurrences, whole.ExceptionOccurrences)
	}
	page := must[outlook.EventPage](t)(w.client.Instances(t.Context(), ref, master.ID, march(), ""))
	if len(page.Events) != 3 || page.Next != "" {
		t.Errorf("%d instances", len(page.Events))
	}

	// The subject of the series changes what has none of its own.
	event(t)(w.client.UpdateEvent(t.Context(), ref, master.ID, outlook.Draft{Subject: ptr("Sit-down")}, ""))
	if events = view(t, w.ada); events[0].Subject != "Sit-down" || events[1].Subject != "Late" || events[1].ID != moved.ID {
		t.Errorf("%q, %q", events[0].Subject, events[1].Subject)
	}
	// Another time gives other ids and forgets exceptions.
	event(t)(w.client.UpdateEvent(t.Context(), ref, master.ID, outlook.Draft{Start: moment("2026-03-27T10:00:00"), End: moment("2026-03-27T10:15:00")}, ""))
	later := view(t, w.ada)
	if len(later) != 4 || later[0].ID == events[0].ID || later[1].Type != outlook.Occurrence {
		t.Errorf("after the move %+v", later)
	}
	// So does another pattern, also where an occurrence keeps its time.
	wider := daily("2026-03-27", 4)
	wider.Pattern.Interval = 2
	event(t)(w.client.UpdateEvent(t.Context(), ref, master.ID, outlook.Draft{Recurrence: wider}, ""))
	if got := view(t, w.ada); got[0].Start != later[0].Start || got[0].ID == later[0].ID {
		t.Errorf("after the change of the pattern %+v", got)
	}
	// No recurrence: the master is the event.
	single := event(t)(w.client.UpdateEvent(t.Context(), ref, master.ID, outlook.Draft{NoRecurrence: true}, ""))
	if got := only(t, w.ada); single.Type != outlook.SingleInstance || got.ID != master.ID || got.ICalUID != master.ICalUID {
		t.Errorf("the single is %+v", got)
	}
	again := event(t)(w.client.UpdateEvent(t.Context(), ref, master.ID, outlook.Draft{Recurrence: daily("2026-03-27", 2)}, ""))
	if again.Type != outlook.SeriesMaster || again.ICalUID != master.ICalUID || len(view(t, w.ada)) != 2 {
		t.Errorf("the series is %+v", again)
	}
}

func TestThisAndFollowing(t *testing.T) {
	w := newWorld(t, exchange.Options{})
	d := meeting("Stand-up", "09:00:00", "09:15:00", graceMail)
	d.Recurrence = daily("2026-03-03", 5)
	master := event(t)(w.ada.Create("", d))
	events := view(t, w.ada)
	second := event(t)(w.ada.ChangeFollowing(events[2].ID, outlook.Draft{Subject: ptr("Later"), Start: moment("2026-03-05T10:00:00"), End: moment("2026-03-05T10:15:00")}))
	var got []string
	for _, e := range view(t, w.ada) {
		got = append(got, e.Start.DateTime[8:13]+" "+e.Subject)
	}
	if want := []string{"03T08 Stand-up", "04T08 Stand-up", "05T09 Later", "06T09 Later", "07T09 Later"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if second.ICalUID == master.ICalUID || view(t, w.ada)[0].ID != events[0].ID || len(view(t, w.grace)) != 5 {
		t.Error("the second series is not one of its own, or the first lost its ids")
	}
	// From the first occurrence on it is the series itself.
	whole := event(t)(w.ada.ChangeFollowing(events[0].ID, outlook.Draft{Subject: ptr("All")}))
	if whole.ID != master.ID {
		t.Error("the first occurrence split the series")
	}
}

func TestAllDayPrivateAndCustomZone(t *testing.T) {
	w := newWorld(t, exchange.Options{})
	d := meeting("Holiday", "00:00:00", "00:00:00")
	d.End, d.AllDay, d.Sensitivity, d.ShowAs = moment("2026-03-05T00:00:00"), ptr(true), ptr("private"), ptr("oof")
	event(t)(w.ada.Create("", d))
	got := only(t, w.ada)
	if got.Start.DateTime != "2026-03-03T00:00:00.0000000" || got.End.DateTime != "2026-03-05T00:00:00.0000000" || !got.AllDay || got.Sensitivity != "private" {
		t.Errorf("all day: %+v", got)
	}
	d = meeting("Old", "09:00:00", "10:00:00")
	d.Start.TimeZone, d.End.TimeZone = "tzone://Microsoft/Custom", "tzone://Microsoft/Custom"
	old := event(t)(w.grace.Create("", d))
	if old.OriginalStartTimeZone != "tzone://Microsoft/Custom" || old.Start.DateTime != "2026-03-03T08:00:00.0000000" {
		t.Errorf("custom: %+v", old)
	}
}

func TestMoveBetweenCalendars(t *testing.T) {
	w := newWorld(t, exchange.Options{})
	other := w.AddCalendar(adaMail, "Private")
	made := event(t)(w.ada.Create("", meeting("Budget", "09:00:00", "10:00:00")))
	link := w.begin(t, outlook.CalendarRef{Mailbox: adaMail})
	if err := w.ada.Move(made.ID, other); err != nil {
		t.Fatal(err)
	}
	ref := outlook.CalendarRef{Mailbox: adaMail, Calendar: other}
	if got := event(t)(w.client.Event(t.Context(), ref, made.ID)); got.ICalUID != made.ICalUID {
		t.Errorf("moved: %+v", got)
	}
	page := must[outlook.DeltaPage](t)(w.client.Delta(t.Context(), outlook.CalendarRef{Mailbox: adaMail}, outlook.Window{}, link))
	if len(page.Events) != 1 || page.Events[0].ID != made.ID || page.Events[0].Removed != "deleted" {
		t.Errorf("the old calendar tells %+v", page.Events)
	}
	list := must[[]outlook.Calendar](t)(w.client.Calendars(t.Context(), adaMail))
	_, err := w.client.Event(t.Context(), outlook.CalendarRef{Mailbox: adaMail, Calendar: list[0].ID}, made.ID)
	wantKind(t, err, outlook.NotFound, 404, "ErrorItemNotFound")
}

func TestViewPages(t *testing.T) {
	w := newWorld(t, exchange.Options{PageSize: 3})
	d := meeting("Stand-up", "09:00:00", "09:15:00")
	d.Recurrence = daily("2026-03-03", 7)
	event(t)(w.ada.Create("", d))
	event(t)(w.ada.Create("", meeting("Budget", "09:00:00", "10:00:00")))
	seen := map[string]bool{}
	var last string
	next, pages := "", 0
	for {
		page := must[outlook.EventPage](t)(w.client.View(t.Context(), outlook.CalendarRef{Mailbox: adaMail}, march(), next))
		pages++
		for _, e := range page.Events {
			if seen[e.ID] || e.Start.DateTime < last {
				t.Errorf("%s comes twice or too late", e.ID)
			}
			seen[e.ID], last = true, e.Start.DateTime
		}
		if next = page.Next; next == "" {
			break
		}
	}
	if len(seen) != 8 || pages != 3 {
		t.Errorf("%d events on %d pages", len(seen), pages)
	}
	_, err := w.client.View(t.Context(), outlook.CalendarRef{Mailbox: adaMail}, outlook.Window{From: time.Now(), To: time.Now().Add(-time.Hour)}, "")
	wantKind(t, err, outlook.Invalid, 400, "ErrorInvalidParameter")
}

func TestIDsDifferByCaseAlone(t *testing.T) {
	w := newWorld(t, exchange.Options{})
	folded, exact := map[string]bool{}, map[string]bool{}
	for range 60 {
		id := event(t)(w.ada.Create("", meeting("Budget", "09:00:00", "10:00:00"))).ID
		folded[strings.ToLower(id)], exact[id] = true, true
	}
	if len(exact) != 60 || len(folded) == 60 {
		t.Errorf("%d ids, %d without case", len(exact), len(folded))
	}
}
