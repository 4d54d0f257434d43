package recurrence

import (
	"slices"
	"strings"
	"time"

	"usher/internal/timezone"
	"usher/model"
	"usher/model/outlook"
)

// Exchange's own limits.
const (
	maxInterval = 999
	maxCount    = 999
)

// examined is how many occurrences are laid side by side to see whether they overlap: more than four years of any pattern
// that may have occurrences close together.
const examined = 500

// Check tells what Graph would refuse of a series, as a *model.Error of kind Invalid whose Field is the path of the value at
// fault in Graph's words: start, end, recurrence.pattern.interval, recurrence.range.startDate and so on.
func Check(start, end outlook.Moment, allDay bool, r outlook.Recurrence) error {
	s, err := parse(start, end, allDay, r)
	if err != nil {
		return err
	}
	needs, _ := needsOf(r.Pattern.Type)
	for _, part := range needs.parts(r.Pattern) {
		if part.present && !part.needed {
			return invalid("recurrence.pattern."+part.field, "has no place in a pattern of type %s", r.Pattern.Type)
		}
	}
	switch {
	case r.Range.StartDate == "":
		return invalid("recurrence.range.startDate", "is required, as 2026-11-21")
	case s.days.anchor != midnight(s.begin):
		return invalid("recurrence.range.startDate", "must be the date of start, %s", s.begin.Format(time.DateOnly))
	case s.count > maxCount:
		return invalid("recurrence.range.numberOfOccurrences", "is %d; Exchange has at most %d", s.count, maxCount)
	}
	slots, err := Expand(start, end, allDay, r, outlook.Window{}, examined)
	if err != nil {
		return err
	}
	if len(slots) == 0 {
		return invalid("recurrence.range.endDate", "leaves no day on which the series takes place")
	}
	for i, slot := range slots[1:] {
		if slot.Start.Before(slots[i].End) {
			return invalid("end", "is later than the next occurrence begins")
		}
	}
	return nil
}

// parse understands a series as far as Expand needs it.
func parse(start, end outlook.Moment, allDay bool, r outlook.Recurrence) (series, error) {
	s := series{allDay: allDay}
	zone, field := start.TimeZone, "start.timeZone"
	if r.Range.TimeZone != "" {
		zone, field = r.Range.TimeZone, "recurrence.range.recurrenceTimeZone"
	}
	var err error
	if s.loc, err = timezone.Load(zone); err != nil {
		return series{}, invalid(field, "%q is no time zone that is known", zone)
	}
	if s.begin, err = wall("start", start, s.loc, allDay); err != nil {
		return series{}, err
	}
	finish, err := wall("end", end, s.loc, allDay)
	if err != nil {
		return series{}, err
	}
	s.span = finish.Sub(s.begin)
	if s.span < 0 {
		return series{}, invalid("end", "is before start")
	}
	if allDay && (s.begin != midnight(s.begin) || finish != midnight(finish) || s.span == 0) {
		return series{}, invalid("end", "an all-day event begins and ends at midnight, at least a day later")
	}
	if s.days, err = parsePattern(r.Pattern); err != nil {
		return series{}, err
	}
	s.days.anchor = midnight(s.begin)
	return s, s.parseRange(r.Range)
}

// wall gives what the clock of the series' zone shows at a moment, held in UTC. The date of an all-day event is the same in
// every zone.
func wall(field string, moment outlook.Moment, loc *time.Location, allDay bool) (time.Time, error) {
	own, err := timezone.Load(moment.TimeZone)
	if err != nil {
		return time.Time{}, invalid(field+".timeZone", "%q is no time zone that is known", moment.TimeZone)
	}
	seen, err := timezone.Instant(moment.DateTime, time.UTC)
	if err != nil {
		return time.Time{}, invalid(field+".dateTime", "%s", err)
	}
	if allDay || own.String() == loc.String() {
		return seen, nil
	}
	return timezone.Instant(timezone.Wall(timezone.Resolve(seen, own), loc), time.UTC)
}

// parseRange reads where the series begins, which moves the pattern's anchor, and where it ends.
func (s *series) parseRange(r outlook.Range) error {
	if r.StartDate != "" {
		date, err := time.Parse(time.DateOnly, r.StartDate)
		if err != nil {
			return invalid("recurrence.range.startDate", "%q is not a date such as 2026-11-21", r.StartDate)
		}
		s.days.anchor = date
	}
	switch r.Type {
	case outlook.NoEnd:
	case outlook.EndDate:
		date, err := time.Parse(time.DateOnly, r.EndDate)
		if err != nil {
			return invalid("recurrence.range.endDate", "%q is not a date such as 2026-11-21", r.EndDate)
		}
		if date.Before(s.days.anchor) {
			return invalid("recurrence.range.endDate", "is before startDate")
		}
		s.until = date
	case outlook.Numbered:
		if r.NumberOfOccurrences < 1 {
			return invalid("recurrence.range.numberOfOccurrences", "is %d; at least one is needed", r.NumberOfOccurrences)
		}
		s.count = r.NumberOfOccurrences
	default:
		return invalid("recurrence.range.type", "%q is none of endDate, noEnd and numbered", r.Type)
	}
	return nil
}

// parsePattern reads a pattern but for its anchor.
func parsePattern(p outlook.Pattern) (days, error) {
	d := days{kind: p.Type, interval: p.Interval, day: p.DayOfMonth, month: time.Month(p.Month)}
	if p.Interval < 1 || p.Interval > maxInterval {
		return d, invalid("recurrence.pattern.interval", "is %d; it is from 1 to %d", p.Interval, maxInterval)
	}
	needs, ok := needsOf(p.Type)
	if !ok {
		return d, invalid("recurrence.pattern.type", "%q is none of daily, weekly, absoluteMonthly, relativeMonthly, absoluteYearly and relativeYearly", p.Type)
	}
	for _, part := range needs.parts(p) {
		if part.needed && !part.present {
			return d, invalid("recurrence.pattern."+part.field, "is required in a pattern of type %s", p.Type)
		}
	}
	if needs.day && (p.DayOfMonth < 1 || p.DayOfMonth > 31) {
		return d, invalid("recurrence.pattern.dayOfMonth", "is %d; it is from 1 to 31", p.DayOfMonth)
	}
	if needs.month && (p.Month < 1 || p.Month > 12) {
		return d, invalid("recurrence.pattern.month", "is %d; it is from 1 to 12", p.Month)
	}
	return d.parseNames(p)
}

// parseNames reads what a pattern says in words.
func (d days) parseNames(p outlook.Pattern) (days, error) {
	for _, name := range p.DaysOfWeek {
		day, ok := weekday(name)
		if !ok {
			return d, invalid("recurrence.pattern.daysOfWeek", "%q is no day of the week", name)
		}
		d.weekdays = append(d.weekdays, day)
	}
	if p.FirstDayOfWeek != "" {
		day, ok := weekday(p.FirstDayOfWeek)
		if !ok {
			return d, invalid("recurrence.pattern.firstDayOfWeek", "%q is no day of the week", p.FirstDayOfWeek)
		}
		d.first = day
	}
	if p.Index != "" {
		d.nth = slices.Index([]string{"first", "second", "third", "fourth", "last"}, strings.ToLower(p.Index))
		if d.nth < 0 {
			return d, invalid("recurrence.pattern.index", "%q is none of first, second, third, fourth and last", p.Index)
		}
		if d.nth == 4 {
			d.nth = -1
		}
	}
	return d, nil
}

// needs says which parts a type of pattern has; Graph refuses the others.
type needs struct{ weekdays, day, month bool }

// part is one of the parts that some types need and others may not have.
type part struct {
	field           string
	needed, present bool
}

func (n needs) parts(p outlook.Pattern) []part {
	return []part{
		{"daysOfWeek", n.weekdays, len(p.DaysOfWeek) > 0},
		{"dayOfMonth", n.day, p.DayOfMonth != 0},
		{"month", n.month, p.Month != 0},
	}
}

func needsOf(kind outlook.PatternType) (needs, bool) {
	switch kind {
	case outlook.Daily:
		return needs{}, true
	case outlook.Weekly, outlook.RelativeMonthly:
		return needs{weekdays: true}, true
	case outlook.AbsoluteMonthly:
		return needs{day: true}, true
	case outlook.AbsoluteYearly:
		return needs{day: true, month: true}, true
	case outlook.RelativeYearly:
		return needs{weekdays: true, month: true}, true
	}
	return needs{}, false
}

func weekday(name string) (time.Weekday, bool) {
	for day := range time.Weekday(7) {
		if strings.EqualFold(day.String(), name) {
			return day, true
		}
	}
	return 0, false
}

func invalid(field, format string, args ...any) error {
	return model.FieldErrorf(model.Invalid, field, format, args...)
}
