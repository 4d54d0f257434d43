package recurrence_test

import (
	"errors"
	"strings"
	"testing"

	"usher/internal/recurrence"
	"usher/model"
	"usher/model/outlook"
)

func TestCheck(t *testing.T) {
	daily := outlook.Pattern{Type: outlook.Daily, Interval: 1}
	ok := noEnd("2026-01-05")
	for _, test := range []struct {
		name   string
		start  string // with ! all day
		end    string
		r      outlook.Recurrence
		field  string
		detail string
	}{
		{"fine", "2026-01-05T09:00:00", "2026-01-05T10:00:00", outlook.Recurrence{Pattern: daily, Range: ok}, "", ""},
		{"all day", "!2026-01-05T00:00:00", "2026-01-06T00:00:00", outlook.Recurrence{Pattern: daily, Range: ok}, "", ""},
		{"the whole day between", "2026-01-05T09:00:00", "2026-01-06T09:00:00", outlook.Recurrence{Pattern: daily, Range: ok}, "", ""},
		{"start", "2026-01-05", "2026-01-05T10:00:00", outlook.Recurrence{Pattern: daily, Range: ok}, "start.dateTime", "2026-11-21T09:00:00"},
		{"end", "2026-01-05T09:00:00", "", outlook.Recurrence{Pattern: daily, Range: ok}, "end.dateTime", ""},
		{"backwards", "2026-01-05T09:00:00", "2026-01-05T08:00:00", outlook.Recurrence{Pattern: daily, Range: ok}, "end", "before start"},
		{"overlapping", "2026-01-05T09:00:00", "2026-01-06T09:00:01", outlook.Recurrence{Pattern: daily, Range: ok}, "end", "next occurrence"},
		{"all day, no midnight", "!2026-01-05T09:00:00", "2026-01-06T09:00:00", outlook.Recurrence{Pattern: daily, Range: ok}, "end", "midnight"},
		{"all day, no day", "!2026-01-05T00:00:00", "2026-01-05T00:00:00", outlook.Recurrence{Pattern: daily, Range: ok}, "end", "a day later"},
		{"another start date", "2026-01-05T09:00:00", "2026-01-05T10:00:00", outlook.Recurrence{Pattern: daily, Range: noEnd("2026-01-06")}, "recurrence.range.startDate", "2026-01-05"},
		{
			"the date in the series' zone", "2026-01-05T09:00:00", "2026-01-05T10:00:00",
			outlook.Recurrence{Pattern: daily, Range: outlook.Range{Type: outlook.NoEnd, StartDate: "2026-01-05", TimeZone: "Line Islands Standard Time"}},
			"", "",
		},
		{
			"the next day in the series' zone", "2026-01-05T13:00:00", "2026-01-05T14:00:00",
			outlook.Recurrence{Pattern: daily, Range: outlook.Range{Type: outlook.NoEnd, StartDate: "2026-01-05", TimeZone: "Line Islands Standard Time"}},
			"recurrence.range.startDate", "2026-01-06",
		},
		{"no start date", "2026-01-05T09:00:00", "2026-01-05T10:00:00", outlook.Recurrence{Pattern: daily, Range: outlook.Range{Type: outlook.NoEnd}}, "recurrence.range.startDate", "required"},
		{"a bad start date", "2026-01-05T09:00:00", "2026-01-05T10:00:00", outlook.Recurrence{Pattern: daily, Range: noEnd("5.1.2026")}, "recurrence.range.startDate", "5.1.2026"},
		{"a zone", "2026-01-05T09:00:00", "2026-01-05T10:00:00", outlook.Recurrence{Pattern: daily, Range: outlook.Range{Type: outlook.NoEnd, StartDate: "2026-01-05", TimeZone: "tzone://Microsoft/Custom"}}, "recurrence.range.recurrenceTimeZone", "Custom"},
		{"no range", "2026-01-05T09:00:00", "2026-01-05T10:00:00", outlook.Recurrence{Pattern: daily}, "recurrence.range.type", ""},
		{"an end date before", "2026-01-05T09:00:00", "2026-01-05T10:00:00", outlook.Recurrence{Pattern: daily, Range: until("2026-01-05", "2026-01-04")}, "recurrence.range.endDate", "before"},
		{"a bad end date", "2026-01-05T09:00:00", "2026-01-05T10:00:00", outlook.Recurrence{Pattern: daily, Range: until("2026-01-05", "")}, "recurrence.range.endDate", ""},
		{
			"no occurrence", "2026-01-05T09:00:00", "2026-01-05T10:00:00",
			outlook.Recurrence{Pattern: outlook.Pattern{Type: outlook.Weekly, Interval: 1, DaysOfWeek: []string{"sunday"}}, Range: until("2026-01-05", "2026-01-09")},
			"recurrence.range.endDate", "no day",
		},
		{"a number of none", "2026-01-05T09:00:00", "2026-01-05T10:00:00", outlook.Recurrence{Pattern: daily, Range: numbered("2026-01-05", 0)}, "recurrence.range.numberOfOccurrences", "at least"},
		{"a number beyond", "2026-01-05T09:00:00", "2026-01-05T10:00:00", outlook.Recurrence{Pattern: daily, Range: numbered("2026-01-05", 1000)}, "recurrence.range.numberOfOccurrences", "at most 999"},
		{"no pattern", "2026-01-05T09:00:00", "2026-01-05T10:00:00", outlook.Recurrence{Pattern: outlook.Pattern{Interval: 1}, Range: ok}, "recurrence.pattern.type", ""},
		{"no interval", "2026-01-05T09:00:00", "2026-01-05T10:00:00", outlook.Recurrence{Pattern: outlook.Pattern{Type: outlook.Daily}, Range: ok}, "recurrence.pattern.interval", "1 to 999"},
		{"an interval beyond", "2026-01-05T09:00:00", "2026-01-05T10:00:00", outlook.Recurrence{Pattern: outlook.Pattern{Type: outlook.Daily, Interval: 1 << 40}, Range: ok}, "recurrence.pattern.interval", "1 to 999"},
		{"no days", "2026-01-05T09:00:00", "2026-01-05T10:00:00", outlook.Recurrence{Pattern: outlook.Pattern{Type: outlook.Weekly, Interval: 1}, Range: ok}, "recurrence.pattern.daysOfWeek", "required"},
		{"a day", "2026-01-05T09:00:00", "2026-01-05T10:00:00", outlook.Recurrence{Pattern: outlook.Pattern{Type: outlook.Weekly, Interval: 1, DaysOfWeek: []string{"mo"}}, Range: ok}, "recurrence.pattern.daysOfWeek", `"mo"`},
		{"a day too many", "2026-01-05T09:00:00", "2026-01-05T10:00:00", outlook.Recurrence{Pattern: outlook.Pattern{Type: outlook.Daily, Interval: 1, DaysOfWeek: []string{"monday"}}, Range: ok}, "recurrence.pattern.daysOfWeek", "no place"},
		{"the week", "2026-01-05T09:00:00", "2026-01-05T10:00:00", outlook.Recurrence{Pattern: outlook.Pattern{Type: outlook.Weekly, Interval: 1, DaysOfWeek: []string{"monday"}, FirstDayOfWeek: "day"}, Range: ok}, "recurrence.pattern.firstDayOfWeek", ""},
		{"no day of the month", "2026-01-05T09:00:00", "2026-01-05T10:00:00", outlook.Recurrence{Pattern: outlook.Pattern{Type: outlook.AbsoluteMonthly, Interval: 1}, Range: ok}, "recurrence.pattern.dayOfMonth", "required"},
		{"the 32nd", "2026-01-05T09:00:00", "2026-01-05T10:00:00", outlook.Recurrence{Pattern: outlook.Pattern{Type: outlook.AbsoluteMonthly, Interval: 1, DayOfMonth: 32}, Range: ok}, "recurrence.pattern.dayOfMonth", "1 to 31"},
		{"no month", "2026-01-05T09:00:00", "2026-01-05T10:00:00", outlook.Recurrence{Pattern: outlook.Pattern{Type: outlook.AbsoluteYearly, Interval: 1, DayOfMonth: 5}, Range: ok}, "recurrence.pattern.month", "required"},
		{"month 13", "2026-01-05T09:00:00", "2026-01-05T10:00:00", outlook.Recurrence{Pattern: outlook.Pattern{Type: outlook.AbsoluteYearly, Interval: 1, DayOfMonth: 5, Month: 13}, Range: ok}, "recurrence.pattern.month", "1 to 12"},
		{"the fifth", "2026-01-05T09:00:00", "2026-01-05T10:00:00", outlook.Recurrence{Pattern: outlook.Pattern{Type: outlook.RelativeMonthly, Interval: 1, DaysOfWeek: []string{"monday"}, Index: "fifth"}, Range: ok}, "recurrence.pattern.index", "fifth"},
	} {
		t.Run(test.name, func(t *testing.T) {
			start, allDay := strings.CutPrefix(test.start, "!")
			err := recurrence.Check(at(start, "UTC"), at(test.end, "UTC"), allDay, test.r)
			if test.field == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			refused, ok := errors.AsType[*model.Error](err)
			if !ok || refused.Kind != model.Invalid || refused.Field != test.field || !strings.Contains(refused.Detail, test.detail) {
				t.Errorf("%v, want %s that says %q", err, test.field, test.detail)
			}
		})
	}
	t.Run("the start's zone", func(t *testing.T) {
		err := recurrence.Check(at("2026-01-05T09:00:00", "Nowhere"), at("2026-01-05T10:00:00", "UTC"), false, outlook.Recurrence{Pattern: daily, Range: ok})
		if refused, ok := errors.AsType[*model.Error](err); !ok || refused.Field != "start.timeZone" {
			t.Error(err)
		}
	})
}

// What Graph answers may carry more than it takes, and a start that lies elsewhere.
func TestExpandTakesWhatGraphAnswers(t *testing.T) {
	r := outlook.Recurrence{Pattern: outlook.Pattern{Type: outlook.Weekly, Interval: 1, DaysOfWeek: []string{"tuesday"}, DayOfMonth: 6, Index: "first"}, Range: numbered("2026-01-05", 1)}
	slots, err := recurrence.Expand(at("2026-01-06T09:00:00", "UTC"), at("2026-01-06T10:00:00", "UTC"), false, r, outlook.Window{}, 10)
	if err != nil || len(slots) != 1 || slots[0].Wall != "2026-01-06T09:00:00" {
		t.Errorf("%v, %v", slots, err)
	}
}
