// Package recurrence owns what Graph's patternedRecurrence means: on which days a series has occurrences, and when each begins
// and ends. It holds no exceptions: an occurrence that was moved or deleted still has its slot here. It may import
// internal/timezone, model and model/outlook.
package recurrence

import (
	"time"

	"usher/internal/timezone"
	"usher/model/outlook"
)

// Slot is one occurrence as the pattern has it.
type Slot struct {
	// Start and End are in UTC; of an all-day series they are midnights of UTC, whatever the series' zone.
	Start, End time.Time
	// Wall is what a clock in the series' zone shows at the start, "2006-01-02T15:04:05": the same time of day in each slot,
	// also where the clock was put forward past it.
	Wall string
}

// series is a recurrence as it was understood.
type series struct {
	loc    *time.Location
	allDay bool
	begin  time.Time     // the start: a wall time, held in UTC
	span   time.Duration // of each occurrence, on the wall
	until  time.Time     // the last day that may have one; zero where there is none
	count  int           // how many there are; 0 where nobody counts
	days   days
}

// Expand gives the slots of a series that touch the window, in order, at most limit. A zero From or To leaves that side open.
//
// The series repeats in the zone of its range, or of start where the range names none: its occurrences keep their time of
// day when the clock changes. As in Exchange, a month that lacks the day has the occurrence on its last day, the first
// occurrence is the first that fits the pattern on or after the start date, and an end date has an occurrence still. The
// failure is the *model.Error that Check gives, but a start date beside the date of start is taken as it is.
func Expand(start, end outlook.Moment, allDay bool, r outlook.Recurrence, window outlook.Window, limit int) ([]Slot, error) {
	s, err := parse(start, end, allDay, r)
	if err != nil {
		return nil, err
	}
	var slots []Slot
	seen := 0
	for period := s.firstPeriod(window.From); len(slots) < limit; period++ {
		first, dates := s.days.of(period)
		if first.Year() > lastYear || !s.until.IsZero() && first.After(s.until) {
			break
		}
		for _, date := range dates {
			if date.Before(s.days.anchor) {
				continue
			}
			if !s.until.IsZero() && date.After(s.until) || s.count > 0 && seen == s.count || len(slots) == limit {
				return slots, nil
			}
			seen++
			slot := s.slot(date)
			if !window.To.IsZero() && !slot.Start.Before(window.To) {
				return slots, nil
			}
			if touches(slot, window.From) {
				slots = append(slots, slot)
			}
		}
	}
	return slots, nil
}

// lastYear is the last one that Exchange has in its calendars.
const lastYear = 9999

// firstPeriod gives a period that begins before whatever touches the time. Who counts has to begin at the beginning.
func (s series) firstPeriod(from time.Time) int {
	if from.IsZero() || s.count > 0 {
		return 0
	}
	return max(0, s.days.before(from.Add(-s.span).AddDate(0, 0, -2)))
}

// slot gives the occurrence of a day.
func (s series) slot(date time.Time) Slot {
	wall := date.Add(s.begin.Sub(midnight(s.begin)))
	slot := Slot{Start: wall, End: wall.Add(s.span), Wall: timezone.Wall(wall, time.UTC)}
	if s.allDay {
		return slot
	}
	slot.Start = timezone.Resolve(wall, s.loc).UTC()
	slot.End = timezone.Resolve(wall.Add(s.span), s.loc).UTC()
	if slot.End.Before(slot.Start) { // it begins in a gap and ends right after
		slot.End = slot.Start.Add(s.span)
	}
	return slot
}

// touches tells whether a slot ends after the time; one without length is there at its start.
func touches(slot Slot, from time.Time) bool {
	return slot.End.After(from) || slot.Start.Equal(slot.End) && slot.Start.Equal(from)
}

// midnight gives the day of a wall time that is held in UTC.
func midnight(wall time.Time) time.Time {
	year, month, day := wall.Date()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}
