package calendarstest

import (
	"context"
	"slices"
	"testing"

	"usher/model/outlook"
)

func series() []promise {
	return []promise{
		{"a series keeps its time on the wall when the clocks change", wallTime},
		{"a view has the occurrences in the window and no master", viewOfSeries},
		{"instances come in pages, those of the window alone", instances},
		{"a change of one occurrence makes an exception", exception},
		{"an occurrence does not pass its neighbour", crossing},
		{"a deleted occurrence stands in the whole series alone", deletedOccurrence},
		{"a single event becomes a series and a single one again", toSeriesAndBack},
		{"every pattern is read as it was written", patterns},
		{"a pattern that cannot be is Invalid", badPattern},
	}
}

func wallTime(t *testing.T, w World) {
	made := w.create(t, w.Ada, every(on(lunch("daily"), "03-28"), 3))
	if made.Type != outlook.SeriesMaster || made.Recurrence == nil || made.Recurrence.Pattern.Type != outlook.Daily || made.Recurrence.Range.NumberOfOccurrences != 3 {
		t.Errorf("master %+v", made)
	}
	list := w.occurrences(t, made)
	if len(list) != 3 {
		t.Fatalf("%d occurrences, want 3", len(list))
	}
	for i, hour := range []int{11, 10, 10} {
		wantStart(t, list[i], utc(3, 28+i, hour, 0))
		if list[i].Type != outlook.Occurrence || list[i].SeriesMasterID != made.ID || list[i].Subject != "daily" {
			t.Errorf("occurrence %d: %+v", i, list[i])
		}
	}
}

func viewOfSeries(t *testing.T, w World) {
	made := w.create(t, w.Ada, every(lunch("daily"), 30))
	list := w.view(t, w.Ada, outlook.Window{From: utc(3, 12, 0, 0), To: utc(3, 15, 0, 0)})
	if len(list) != 3 {
		t.Fatalf("%d events, want 3", len(list))
	}
	for _, e := range list {
		if e.ID == made.ID || e.Type != outlook.Occurrence || e.Subject != "daily" {
			t.Errorf("event %+v", e)
		}
	}
}

func instances(t *testing.T, w World) {
	made := w.create(t, w.Ada, every(lunch("daily"), 40))
	window := outlook.Window{From: utc(3, 11, 0, 0), To: utc(4, 5, 0, 0)}
	ids := map[string]bool{}
	for _, e := range all(t, func(ctx context.Context, next string) (outlook.EventPage, error) {
		return w.Calendars.Instances(ctx, calendarOf(w.Ada), made.ID, window, next)
	}) {
		ids[e.ID] = true
		if start := instant(t, e.Start); start.Before(window.From) || !start.Before(window.To) {
			t.Errorf("%v is out of the window", start)
		}
	}
	if len(ids) != 25 {
		t.Errorf("%d instances, want 25", len(ids))
	}
}

func exception(t *testing.T, w World) {
	made := w.create(t, w.Ada, every(lunch("daily"), 5))
	second := w.occurrences(t, made)[1]
	got := must[outlook.Event](t)(w.Calendars.UpdateEvent(t.Context(), calendarOf(w.Ada), second.ID, outlook.Draft{
		Subject: ptr("special"), Start: &outlook.Moment{DateTime: "2026-03-11T15:00:00", TimeZone: berlin}, End: &outlook.Moment{DateTime: "2026-03-11T16:00:00", TimeZone: berlin},
	}, second.ChangeKey))
	if got.Type != outlook.Exception || got.SeriesMasterID != made.ID || got.Subject != "special" || !got.OriginalStart.Equal(utc(3, 11, 11, 0)) {
		t.Errorf("exception %+v", got)
	}
	list := w.occurrences(t, made)
	if len(list) != 5 || list[0].Subject != "daily" || list[1].Subject != "special" || list[2].Subject != "daily" {
		t.Errorf("series %+v", list)
	}
	wantStart(t, list[1], utc(3, 11, 14, 0))
	whole := must[outlook.Event](t)(w.Calendars.Master(t.Context(), calendarOf(w.Ada), made.ID))
	if whole.Type != outlook.SeriesMaster || len(whole.ExceptionOccurrences) != 1 || whole.ExceptionOccurrences[0].ID != got.ID ||
		whole.ExceptionOccurrences[0].Subject != "special" || len(whole.CancelledOccurrences) != 0 {
		t.Errorf("whole series %+v", whole)
	}
}

func crossing(t *testing.T, w World) {
	made := w.create(t, w.Ada, every(lunch("daily"), 5))
	second := w.occurrences(t, made)[1]
	_, err := w.Calendars.UpdateEvent(t.Context(), calendarOf(w.Ada), second.ID, outlook.Draft{
		Start: &outlook.Moment{DateTime: "2026-03-12T15:00:00", TimeZone: berlin}, End: &outlook.Moment{DateTime: "2026-03-12T16:00:00", TimeZone: berlin},
	}, "")
	wantKind(t, err, outlook.CrossingBoundary)
	wantStart(t, w.occurrences(t, made)[1], utc(3, 11, 11, 0))
}

func toSeriesAndBack(t *testing.T, w World) {
	made := w.create(t, w.Ada, lunch("now and then"))
	grown := must[outlook.Event](t)(w.Calendars.UpdateEvent(t.Context(), calendarOf(w.Ada), made.ID, outlook.Draft{Recurrence: every(lunch(""), 4).Recurrence}, ""))
	if grown.Type != outlook.SeriesMaster || grown.ICalUID != made.ICalUID || len(w.occurrences(t, grown)) != 4 {
		t.Errorf("series %+v", grown)
	}
	shrunk := must[outlook.Event](t)(w.Calendars.UpdateEvent(t.Context(), calendarOf(w.Ada), grown.ID, outlook.Draft{NoRecurrence: true}, ""))
	if shrunk.Type != outlook.SingleInstance || shrunk.Recurrence != nil || shrunk.ICalUID != made.ICalUID || len(w.view(t, w.Ada, march())) != 1 {
		t.Errorf("single %+v", shrunk)
	}
}

func badPattern(t *testing.T, w World) {
	d := every(lunch("never"), 3)
	d.Recurrence.Range.StartDate = "2026-03-09" // not the day of the start
	_, err := w.Calendars.CreateEvent(t.Context(), calendarOf(w.Ada), d)
	wantKind(t, err, outlook.Invalid)
	d = every(lunch("never"), 3)
	d.Recurrence.Pattern = outlook.Pattern{Type: outlook.Weekly, Interval: 1} // no days
	_, err = w.Calendars.CreateEvent(t.Context(), calendarOf(w.Ada), d)
	wantKind(t, err, outlook.Invalid)
	if left := w.Outlook(w.Ada.ID).Events(); len(left) != 0 {
		t.Errorf("the mailbox has %d events", len(left))
	}
}

// occurrences gives those of a series in the window of the cases, by their starts.
func (w World) occurrences(t *testing.T, master outlook.Event) []outlook.Event {
	t.Helper()
	list := all(t, func(ctx context.Context, next string) (outlook.EventPage, error) {
		return w.Calendars.Instances(ctx, calendarOf(w.Ada), master.ID, march(), next)
	})
	slices.SortFunc(list, func(a, b outlook.Event) int { return instant(t, a.Start).Compare(instant(t, b.Start)) })
	return list
}

func deletedOccurrence(t *testing.T, w World) {
	made := w.create(t, w.Ada, every(lunch("daily"), 5))
	before := w.occurrences(t, made)
	if err := w.Calendars.DeleteEvent(t.Context(), calendarOf(w.Ada), before[2].ID, ""); err != nil {
		t.Fatal(err)
	}
	if err := w.Outlook(w.Ada.ID).Delete(before[3].ID); err != nil {
		t.Fatal(err)
	}
	after := w.occurrences(t, made)
	if len(after) != 3 || after[0].ID != before[0].ID || after[2].ID != before[4].ID {
		t.Errorf("%d occurrences are left, want the first two and the last", len(after))
	}
	if len(w.view(t, w.Ada, march())) != 3 {
		t.Error("the view still has them")
	}
	whole := must[outlook.Event](t)(w.Calendars.Master(t.Context(), calendarOf(w.Ada), made.ID))
	if len(whole.CancelledOccurrences) != 2 || len(whole.ExceptionOccurrences) != 0 {
		t.Errorf("whole series: cancelled %v, exceptions %v", whole.CancelledOccurrences, whole.ExceptionOccurrences)
	}
	if got := w.read(t, w.Ada, made.ID); len(got.CancelledOccurrences) != 0 {
		t.Errorf("unasked: %v", got.CancelledOccurrences)
	}
}

func patterns(t *testing.T, w World) {
	forever := outlook.Range{Type: outlook.NoEnd, StartDate: "2026-03-10"}
	until := outlook.Range{Type: outlook.EndDate, StartDate: "2026-03-10", EndDate: "2026-12-31"}
	for _, want := range []outlook.Recurrence{
		{Pattern: outlook.Pattern{Type: outlook.Daily, Interval: 3}, Range: until},
		{Pattern: outlook.Pattern{Type: outlook.Weekly, Interval: 2, DaysOfWeek: []string{"tuesday", "friday"}, FirstDayOfWeek: "monday"}, Range: forever},
		{Pattern: outlook.Pattern{Type: outlook.AbsoluteMonthly, Interval: 1, DayOfMonth: 10}, Range: forever},
		{Pattern: outlook.Pattern{Type: outlook.RelativeMonthly, Interval: 1, DaysOfWeek: []string{"tuesday"}, Index: "second"}, Range: until},
		{Pattern: outlook.Pattern{Type: outlook.AbsoluteYearly, Interval: 1, DayOfMonth: 10, Month: 3}, Range: forever},
		{Pattern: outlook.Pattern{Type: outlook.RelativeYearly, Interval: 1, DaysOfWeek: []string{"tuesday"}, Index: "second", Month: 3}, Range: forever},
	} {
		d := lunch(string(want.Pattern.Type))
		d.Recurrence = &want
		got := w.read(t, w.Ada, w.create(t, w.Ada, d).ID).Recurrence
		if got == nil {
			t.Errorf("%s: none", want.Pattern.Type)
			continue
		}
		p := got.Pattern
		if p.Type != want.Pattern.Type || p.Interval != want.Pattern.Interval || p.DayOfMonth != want.Pattern.DayOfMonth || p.Month != want.Pattern.Month ||
			!slices.Equal(p.DaysOfWeek, want.Pattern.DaysOfWeek) || want.Pattern.Index != "" && p.Index != want.Pattern.Index ||
			want.Pattern.FirstDayOfWeek != "" && p.FirstDayOfWeek != want.Pattern.FirstDayOfWeek {
			t.Errorf("pattern %+v, want %+v", p, want.Pattern)
		}
		end := got.Range.EndDate
		if end == "0001-01-01" { // how Graph says that there is none
			end = ""
		}
		if got.Range.Type != want.Range.Type || got.Range.StartDate != want.Range.StartDate || end != want.Range.EndDate || got.Range.NumberOfOccurrences != 0 {
			t.Errorf("range %+v, want %+v", got.Range, want.Range)
		}
	}
}
