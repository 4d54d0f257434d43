package recurrence_test

import (
	"slices"
	"testing"
	"time"

	"github.com/teambition/rrule-go"
	"pgregory.net/rapid"

	"usher/internal/recurrence"
	"usher/internal/timezone"
	"usher/model/outlook"
)

// The days come from an implementation of RFC 5545 that knows nothing of this one; the zones from the wall time it gives.
func TestExpandAgreesWithRFC5545(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom([]string{"UTC", "W. Europe Standard Time", "Pacific Standard Time", "Australia/Lord_Howe", "Nepal Standard Time"}).Draw(t, "zone")
		loc, err := timezone.Load(zone)
		if err != nil {
			t.Fatal(err)
		}
		first := time.Date(rapid.IntRange(1990, 2040).Draw(t, "year"), time.Month(rapid.IntRange(1, 12).Draw(t, "month")), rapid.IntRange(1, 31).Draw(t, "day"),
			rapid.IntRange(0, 23).Draw(t, "hour"), rapid.IntRange(0, 59).Draw(t, "minute"), 0, 0, time.UTC)
		allDay := rapid.Bool().Draw(t, "all day")
		span := time.Duration(rapid.IntRange(0, 23*60).Draw(t, "minutes")) * time.Minute
		if allDay {
			first, span = first.Truncate(24*time.Hour), 24*time.Hour
		}
		r, option := drawRecurrence(t, first)
		from := first.AddDate(0, 0, rapid.SampledFrom([]int{-400, -1, 0, 1, 100, 1000, 4000}).Draw(t, "from"))
		window := outlook.Window{From: from, To: from.AddDate(0, 0, rapid.SampledFrom([]int{1, 7, 90, 800}).Draw(t, "days"))}

		got, err := recurrence.Expand(at(timezone.Wall(first, time.UTC), zone), at(timezone.Wall(first.Add(span), time.UTC), zone), allDay, r, window, 10_000)
		if err != nil {
			t.Fatal(err)
		}
		rule, err := rrule.NewRRule(option)
		if err != nil {
			t.Fatal(err)
		}
		var want []recurrence.Slot
		for _, wall := range rule.Between(window.From.AddDate(0, 0, -4), window.To.AddDate(0, 0, 2), true) {
			slot := recurrence.Slot{Start: wall, End: wall.Add(span), Wall: timezone.Wall(wall, time.UTC)}
			if !allDay {
				slot.Start, slot.End = timezone.Resolve(wall, loc).UTC(), timezone.Resolve(wall.Add(span), loc).UTC()
			}
			if slot.End.Before(slot.Start) {
				slot.End = slot.Start.Add(span)
			}
			if slot.Start.Before(window.To) && (slot.End.After(window.From) || slot.Start.Equal(slot.End) && slot.Start.Equal(window.From)) {
				want = append(want, slot)
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%+v from %s\n got %d %v\nwant %d %v", r, first, len(got), got, len(want), want)
		}
		if part, err := recurrence.Expand(at(timezone.Wall(first, time.UTC), zone), at(timezone.Wall(first.Add(span), time.UTC), zone), allDay, r, window, 3); err != nil || !slices.Equal(part, want[:min(3, len(want))]) {
			t.Fatalf("with a limit of 3: %v, %v", part, err)
		}
	})
}

// drawRecurrence gives one rule in both languages. A month that is too short has the last of the days that it has.
func drawRecurrence(t *rapid.T, first time.Time) (outlook.Recurrence, rrule.ROption) {
	names := []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}
	days := []rrule.Weekday{rrule.MO, rrule.TU, rrule.WE, rrule.TH, rrule.FR, rrule.SA, rrule.SU}
	p := outlook.Pattern{
		Type:     rapid.SampledFrom([]outlook.PatternType{outlook.Daily, outlook.Weekly, outlook.AbsoluteMonthly, outlook.RelativeMonthly, outlook.AbsoluteYearly, outlook.RelativeYearly}).Draw(t, "type"),
		Interval: rapid.IntRange(1, 5).Draw(t, "interval"),
	}
	option := rrule.ROption{Dtstart: first, Interval: p.Interval, Wkst: rrule.SU}
	switch p.Type {
	case outlook.Daily:
		option.Freq = rrule.DAILY
	case outlook.Weekly:
		option.Freq = rrule.WEEKLY
		week := rapid.IntRange(0, 6).Draw(t, "week")
		p.FirstDayOfWeek, option.Wkst = names[week], days[week]
	case outlook.AbsoluteMonthly, outlook.RelativeMonthly:
		option.Freq = rrule.MONTHLY
	case outlook.AbsoluteYearly, outlook.RelativeYearly:
		option.Freq = rrule.YEARLY
		p.Month = rapid.IntRange(1, 12).Draw(t, "pattern's month")
		option.Bymonth = []int{p.Month}
	}
	switch p.Type {
	case outlook.AbsoluteMonthly, outlook.AbsoluteYearly:
		p.DayOfMonth = rapid.SampledFrom([]int{1, 5, 15, 28, 29, 30, 31}).Draw(t, "day of month")
		for day := min(p.DayOfMonth, 28); day <= p.DayOfMonth; day++ {
			option.Bymonthday = append(option.Bymonthday, day)
		}
		option.Bysetpos = []int{-1}
	case outlook.Weekly, outlook.RelativeMonthly, outlook.RelativeYearly:
		for _, i := range rapid.SliceOfNDistinct(rapid.IntRange(0, 6), 1, 7, rapid.ID).Draw(t, "days") {
			p.DaysOfWeek, option.Byweekday = append(p.DaysOfWeek, names[i]), append(option.Byweekday, days[i])
		}
		if p.Type != outlook.Weekly {
			index := rapid.IntRange(0, 4).Draw(t, "index")
			p.Index, option.Bysetpos = []string{"first", "second", "third", "fourth", "last"}[index], []int{[]int{1, 2, 3, 4, -1}[index]}
		}
	case outlook.Daily:
	}
	r := outlook.Range{Type: rapid.SampledFrom([]outlook.RangeType{outlook.NoEnd, outlook.EndDate, outlook.Numbered}).Draw(t, "range"), StartDate: first.Format(time.DateOnly)}
	switch r.Type {
	case outlook.EndDate:
		end := first.AddDate(0, 0, rapid.IntRange(0, 3000).Draw(t, "end")).Truncate(24 * time.Hour)
		r.EndDate, option.Until = end.Format(time.DateOnly), end.Add(24*time.Hour-time.Second)
	case outlook.Numbered:
		r.NumberOfOccurrences = rapid.IntRange(1, 300).Draw(t, "number")
		option.Count = r.NumberOfOccurrences
	case outlook.NoEnd:
	}
	return outlook.Recurrence{Pattern: p, Range: r}, option
}
