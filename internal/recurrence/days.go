package recurrence

import (
	"slices"
	"time"

	"usher/model/outlook"
)

// days is a pattern that has been checked. Its periods are days, weeks, months or years, from that of anchor on, every
// interval-th one. Dates are midnights of UTC.
type days struct {
	kind     outlook.PatternType
	interval int
	anchor   time.Time
	weekdays []time.Weekday
	first    time.Weekday // of the week
	day      int          // of the month
	month    time.Month
	nth      int // among the days of the month that are one of weekdays; -1 is the last
}

// of gives the first day of a period and the days in it that fit the pattern, in order.
func (d days) of(period int) (first time.Time, dates []time.Time) {
	switch d.kind {
	case outlook.Weekly:
		first = d.week().AddDate(0, 0, 7*d.interval*period)
		for i := range 7 {
			if date := first.AddDate(0, 0, i); slices.Contains(d.weekdays, date.Weekday()) {
				dates = append(dates, date)
			}
		}
		return first, dates
	case outlook.AbsoluteMonthly, outlook.RelativeMonthly:
		first = time.Date(d.anchor.Year(), d.anchor.Month()+time.Month(d.interval*period), 1, 0, 0, 0, 0, time.UTC)
		return first, []time.Time{d.inMonth(first)}
	case outlook.AbsoluteYearly, outlook.RelativeYearly:
		first = time.Date(d.anchor.Year()+d.interval*period, 1, 1, 0, 0, 0, 0, time.UTC)
		return first, []time.Time{d.inMonth(first.AddDate(0, int(d.month)-1, 0))}
	default: // daily: others are refused before
		first = d.anchor.AddDate(0, 0, d.interval*period)
		return first, []time.Time{first}
	}
}

// before gives a period that begins, and ends, before the time; it may be negative.
func (d days) before(t time.Time) int {
	switch d.kind {
	case outlook.Weekly:
		return daysBetween(d.week(), t)/(7*d.interval) - 1
	case outlook.AbsoluteMonthly, outlook.RelativeMonthly:
		return ((t.Year()-d.anchor.Year())*12+int(t.Month()-d.anchor.Month()))/d.interval - 1
	case outlook.AbsoluteYearly, outlook.RelativeYearly:
		return (t.Year()-d.anchor.Year())/d.interval - 1
	default:
		return daysBetween(d.anchor, t)/d.interval - 1
	}
}

// week gives the first day of the week of anchor.
func (d days) week() time.Time {
	return d.anchor.AddDate(0, 0, -((int(d.anchor.Weekday()) - int(d.first) + 7) % 7))
}

// inMonth gives the one day of a month that fits; every month has one, since the shorter ones offer their last day.
func (d days) inMonth(first time.Time) time.Time {
	last := first.AddDate(0, 1, -1)
	if d.kind == outlook.AbsoluteMonthly || d.kind == outlook.AbsoluteYearly {
		return first.AddDate(0, 0, min(d.day, last.Day())-1)
	}
	var fit []time.Time
	for date := first; !date.After(last); date = date.AddDate(0, 0, 1) {
		if slices.Contains(d.weekdays, date.Weekday()) {
			fit = append(fit, date)
		}
	}
	if d.nth < 0 {
		return fit[len(fit)-1]
	}
	return fit[d.nth] // no month has less than four of a weekday
}

// daysBetween counts in seconds: a time.Duration ends after 292 years.
func daysBetween(from, to time.Time) int {
	return int((to.Unix() - from.Unix()) / (24 * 60 * 60))
}
