package recurrence_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"usher/internal/recurrence"
	"usher/model/outlook"
)

func at(wall, zone string) outlook.Moment { return outlook.Moment{DateTime: wall, TimeZone: zone} }

func date(t *testing.T, text string) time.Time {
	t.Helper()
	parsed, err := time.Parse(time.DateOnly, text)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func noEnd(start string) outlook.Range { return outlook.Range{Type: outlook.NoEnd, StartDate: start} }

func numbered(start string, n int) outlook.Range {
	return outlook.Range{Type: outlook.Numbered, StartDate: start, NumberOfOccurrences: n}
}

func until(start, end string) outlook.Range {
	return outlook.Range{Type: outlook.EndDate, StartDate: start, EndDate: end}
}

// Each pattern by hand: the oracle of the property test could share a misunderstanding.
func TestPatterns(t *testing.T) {
	for _, test := range []struct {
		name    string
		pattern outlook.Pattern
		span    outlook.Range
		want    string // dates
	}{
		{"every third day", outlook.Pattern{Type: outlook.Daily, Interval: 3}, numbered("2026-02-26", 3), "2026-02-26 2026-03-01 2026-03-04"},
		{
			"weekly on two days from the later one",
			outlook.Pattern{Type: outlook.Weekly, Interval: 1, DaysOfWeek: []string{"monday", "Thursday"}},
			numbered("2026-01-08", 3), "2026-01-08 2026-01-12 2026-01-15",
		},
		{
			"a start that does not fit",
			outlook.Pattern{Type: outlook.Weekly, Interval: 1, DaysOfWeek: []string{"friday"}},
			numbered("2026-01-05", 2), "2026-01-09 2026-01-16",
		},
		{ // RFC 5545's example of WKST, with Graph's default and with Monday
			"every other week from Sunday",
			outlook.Pattern{Type: outlook.Weekly, Interval: 2, DaysOfWeek: []string{"tuesday", "sunday"}},
			numbered("1997-08-05", 4), "1997-08-05 1997-08-17 1997-08-19 1997-08-31",
		},
		{
			"every other week from Monday",
			outlook.Pattern{Type: outlook.Weekly, Interval: 2, DaysOfWeek: []string{"tuesday", "sunday"}, FirstDayOfWeek: "monday"},
			numbered("1997-08-05", 4), "1997-08-05 1997-08-10 1997-08-19 1997-08-24",
		},
		{"the 31st, or the last", outlook.Pattern{Type: outlook.AbsoluteMonthly, Interval: 1, DayOfMonth: 31}, numbered("2026-01-31", 4), "2026-01-31 2026-02-28 2026-03-31 2026-04-30"},
		{
			"the first by default",
			outlook.Pattern{Type: outlook.RelativeMonthly, Interval: 2, DaysOfWeek: []string{"monday"}},
			numbered("2026-01-05", 3), "2026-01-05 2026-03-02 2026-05-04",
		},
		{
			"the last weekday",
			outlook.Pattern{Type: outlook.RelativeMonthly, Interval: 1, DaysOfWeek: []string{"monday", "tuesday", "wednesday", "thursday", "friday"}, Index: "last"},
			numbered("2026-01-30", 3), "2026-01-30 2026-02-27 2026-03-31",
		},
		{"29 February, or the last", outlook.Pattern{Type: outlook.AbsoluteYearly, Interval: 1, DayOfMonth: 29, Month: 2}, numbered("2024-02-29", 3), "2024-02-29 2025-02-28 2026-02-28"},
		{
			"the fourth Thursday of November",
			outlook.Pattern{Type: outlook.RelativeYearly, Interval: 1, DaysOfWeek: []string{"thursday"}, Month: 11, Index: "fourth"},
			numbered("2026-11-26", 2), "2026-11-26 2027-11-25",
		},
		{"an end date has an occurrence still", outlook.Pattern{Type: outlook.Daily, Interval: 1}, until("2026-01-05", "2026-01-07"), "2026-01-05 2026-01-06 2026-01-07"},
		{"one number alone", outlook.Pattern{Type: outlook.Daily, Interval: 1}, numbered("2026-01-05", 1), "2026-01-05"},
	} {
		t.Run(test.name, func(t *testing.T) {
			slots, err := recurrence.Expand(at(test.span.StartDate+"T09:00:00", "UTC"), at(test.span.StartDate+"T09:30:00", "UTC"), false,
				outlook.Recurrence{Pattern: test.pattern, Range: test.span}, outlook.Window{}, 100)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, slot := range slots {
				got = append(got, slot.Start.Format(time.DateOnly))
				if slot.Wall != slot.Start.Format("2006-01-02T15:04:05") || slot.End.Sub(slot.Start) != 30*time.Minute {
					t.Errorf("slot %+v", slot)
				}
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("got %s, want %s", strings.Join(got, " "), test.want)
			}
		})
	}
}

func TestClocksThatChange(t *testing.T) {
	daily := outlook.Pattern{Type: outlook.Daily, Interval: 1}
	for _, test := range []struct {
		name       string
		start, end outlook.Moment
		span       outlook.Range
		want       []string
	}{
		{
			"the time of day stays", at("2026-03-28T09:00:00", "W. Europe Standard Time"), at("2026-03-28T10:00:00", "W. Europe Standard Time"), numbered("2026-03-28", 2),
			[]string{"2026-03-28T09:00:00 08:00-09:00", "2026-03-29T09:00:00 07:00-08:00"},
		},
		{
			"in the gap", at("2026-03-28T02:30:00", "Europe/Berlin"), at("2026-03-28T02:45:00", "Europe/Berlin"), numbered("2026-03-28", 3),
			[]string{"2026-03-28T02:30:00 01:30-01:45", "2026-03-29T02:30:00 01:30-01:45", "2026-03-30T02:30:00 00:30-00:45"},
		},
		{
			"out of the gap", at("2026-03-28T02:30:00", "Europe/Berlin"), at("2026-03-28T03:00:00", "Europe/Berlin"), numbered("2026-03-28", 2),
			[]string{"2026-03-28T02:30:00 01:30-02:00", "2026-03-29T02:30:00 01:30-02:00"},
		},
		{
			"in the overlap", at("2026-10-24T02:30:00", "Europe/Berlin"), at("2026-10-24T03:30:00", "Europe/Berlin"), numbered("2026-10-24", 3),
			[]string{"2026-10-24T02:30:00 00:30-01:30", "2026-10-25T02:30:00 00:30-02:30", "2026-10-26T02:30:00 01:30-02:30"},
		},
		{
			"read in UTC, repeated in Berlin", at("2026-03-28T23:30:00.0000000", "UTC"), at("2026-03-29T00:30:00.0000000", "UTC"),
			outlook.Range{Type: outlook.Numbered, StartDate: "2026-03-29", NumberOfOccurrences: 2, TimeZone: "W. Europe Standard Time"},
			[]string{"2026-03-29T00:30:00 23:30-00:30", "2026-03-30T00:30:00 22:30-23:30"},
		},
		{
			"an end in another zone", at("2026-01-05T09:00:00", "Europe/Berlin"), at("2026-01-05T09:00:00", "Europe/London"), numbered("2026-01-05", 1),
			[]string{"2026-01-05T09:00:00 08:00-09:00"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			slots, err := recurrence.Expand(test.start, test.end, false, outlook.Recurrence{Pattern: daily, Range: test.span}, outlook.Window{}, 10)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, slot := range slots {
				got = append(got, fmt.Sprintf("%s %s-%s", slot.Wall, slot.Start.Format("15:04"), slot.End.Format("15:04")))
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestAllDay(t *testing.T) {
	slots, err := recurrence.Expand(at("2026-03-28T00:00:00", "W. Europe Standard Time"), at("2026-03-29T00:00:00", "W. Europe Standard Time"), true,
		outlook.Recurrence{Pattern: outlook.Pattern{Type: outlook.Daily, Interval: 1}, Range: numbered("2026-03-28", 2)}, outlook.Window{}, 10)
	if err != nil {
		t.Fatal(err)
	}
	want := []recurrence.Slot{
		{date(t, "2026-03-28"), date(t, "2026-03-29"), "2026-03-28T00:00:00"},
		{date(t, "2026-03-29"), date(t, "2026-03-30"), "2026-03-29T00:00:00"},
	}
	if !slices.Equal(slots, want) {
		t.Errorf("got %v", slots)
	}
}

func TestWindow(t *testing.T) {
	r := outlook.Recurrence{Pattern: outlook.Pattern{Type: outlook.Daily, Interval: 1}, Range: noEnd("2020-01-01")}
	hour := func(text string) time.Time {
		parsed, err := time.Parse("2006-01-02T15", text)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	for _, test := range []struct {
		name     string
		end      string
		from, to time.Time
		limit    int
		want     string // days of January 2026
	}{
		{"touching", "2020-01-01T10:00:00", hour("2026-01-05T00"), hour("2026-01-08T00"), 100, "5 6 7"},
		{"it begins inside", "2020-01-01T10:00:00", hour("2026-01-05T00"), hour("2026-01-05T10"), 100, "5"},
		{"it ends inside", "2020-01-01T10:00:00", hour("2026-01-05T09"), hour("2026-01-05T23"), 100, "5"},
		{"it ends as the window begins", "2020-01-01T10:00:00", hour("2026-01-05T10"), hour("2026-01-05T23"), 100, ""},
		{"it begins as the window ends", "2020-01-01T10:00:00", hour("2026-01-05T00"), hour("2026-01-05T09"), 100, ""},
		{"no length, at the start", "2020-01-01T09:00:00", hour("2026-01-05T09"), hour("2026-01-05T10"), 100, "5"},
		{"longer than the window", "2020-01-04T09:00:00", hour("2026-01-05T10"), hour("2026-01-05T11"), 100, "3 4 5"},
		{"the limit", "2020-01-01T10:00:00", hour("2026-01-05T00"), time.Time{}, 4, "5 6 7 8"},
		{"no room at all", "2020-01-01T10:00:00", hour("2026-01-05T00"), hour("2026-01-08T00"), 0, ""},
		{"before the series", "2020-01-01T10:00:00", hour("2019-01-05T00"), hour("2019-01-08T00"), 100, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			slots, err := recurrence.Expand(at("2020-01-01T09:00:00", "UTC"), at(test.end, "UTC"), false, r, outlook.Window{From: test.from, To: test.to}, test.limit)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, slot := range slots {
				got = append(got, slot.Start.Format("2"))
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("got %v, want %s", got, test.want)
			}
		})
	}
}

// A series ends with the calendar of Exchange, and a far window takes no walk to it.
func TestFarFuture(t *testing.T) {
	r := outlook.Recurrence{Pattern: outlook.Pattern{Type: outlook.AbsoluteYearly, Interval: 1, DayOfMonth: 1, Month: 1}, Range: noEnd("2020-01-01")}
	slots, err := recurrence.Expand(at("2020-01-01T09:00:00", "UTC"), at("2020-01-01T10:00:00", "UTC"), false, r, outlook.Window{From: date(t, "9990-01-01")}, 100)
	if err != nil || len(slots) != 10 {
		t.Errorf("%d slots, %v", len(slots), err)
	}
}
