package calendarbridge

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"usher/internal/timezone"
	"usher/model"
	"usher/model/outlook"
)

// graphRecurrence is Graph's patternedRecurrence as JSON; what a type has no use for is left out.
type graphRecurrence struct {
	Pattern graphPattern `json:"pattern"`
	Range   graphRange   `json:"range"`
}

type graphPattern struct {
	Type           string   `json:"type"`
	Interval       int      `json:"interval"`
	DaysOfWeek     []string `json:"daysOfWeek,omitempty"`
	FirstDayOfWeek string   `json:"firstDayOfWeek,omitempty"`
	DayOfMonth     int      `json:"dayOfMonth,omitempty"`
	Month          int      `json:"month,omitempty"`
	Index          string   `json:"index,omitempty"`
}

type graphRange struct {
	Type                string `json:"type"`
	StartDate           string `json:"startDate"`
	EndDate             string `json:"endDate,omitempty"`
	NumberOfOccurrences int    `json:"numberOfOccurrences,omitempty"`
	RecurrenceTimeZone  string `json:"recurrenceTimeZone,omitempty"`
}

// writeRecurrence gives the recurrence as Graph writes it, in one form alone: days in the order of the week, defaults
// spelled out, nothing that the pattern's type has no use for.
func writeRecurrence(r outlook.Recurrence) json.RawMessage {
	raw, err := json.Marshal(canonical(r))
	if err != nil {
		return nil // there is nothing in it that cannot be written
	}
	return raw
}

func canonical(r outlook.Recurrence) graphRecurrence {
	p, g := r.Pattern, graphPattern{Type: string(r.Pattern.Type), Interval: max(r.Pattern.Interval, 1)}
	switch p.Type {
	case outlook.Weekly:
		g.DaysOfWeek, g.FirstDayOfWeek = inOrder(p.DaysOfWeek), orElse(strings.ToLower(p.FirstDayOfWeek), "sunday")
	case outlook.AbsoluteMonthly:
		g.DayOfMonth = p.DayOfMonth
	case outlook.RelativeMonthly:
		g.DaysOfWeek, g.Index = inOrder(p.DaysOfWeek), orElse(p.Index, "first")
	case outlook.AbsoluteYearly:
		g.DayOfMonth, g.Month = p.DayOfMonth, p.Month
	case outlook.RelativeYearly:
		g.DaysOfWeek, g.Index, g.Month = inOrder(p.DaysOfWeek), orElse(p.Index, "first"), p.Month
	case outlook.Daily:
	}
	zone := r.Range.TimeZone
	if iana, ok := timezone.IANA(zone); ok {
		zone = iana
	}
	out := graphRange{Type: string(r.Range.Type), StartDate: r.Range.StartDate, RecurrenceTimeZone: zone}
	switch r.Range.Type {
	case outlook.EndDate:
		out.EndDate = r.Range.EndDate
	case outlook.Numbered:
		out.NumberOfOccurrences = r.Range.NumberOfOccurrences
	case outlook.NoEnd:
	}
	return graphRecurrence{g, out}
}

func inOrder(days []string) []string {
	week := weekdays()
	var out []string
	for _, day := range week {
		if slices.ContainsFunc(days, func(d string) bool { return strings.EqualFold(d, day) }) {
			out = append(out, day)
		}
	}
	return out
}

func weekdays() []string {
	return []string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// ParseRecurrence reads Graph's pattern and range. Whether a series can be made of them is recurrence.Check's to say; here
// only what would be lost is an error: a *model.Error of kind Invalid that names the field.
func ParseRecurrence(raw json.RawMessage) (outlook.Recurrence, error) {
	var g graphRecurrence
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&g); err != nil {
		field := "recurrence"
		if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && e.Field != "" {
			field += "." + e.Field
		}
		return outlook.Recurrence{}, model.FieldErrorf(model.Invalid, field, "is not a recurrence of Microsoft Graph: a pattern and a range")
	}
	for _, day := range g.Pattern.DaysOfWeek {
		if !slices.ContainsFunc(weekdays(), func(d string) bool { return strings.EqualFold(d, day) }) {
			return outlook.Recurrence{}, model.FieldErrorf(model.Invalid, "recurrence.pattern.daysOfWeek", "%q is not a day of the week", day)
		}
	}
	return outlook.Recurrence{
		Pattern: outlook.Pattern{
			Type: outlook.PatternType(g.Pattern.Type), Interval: g.Pattern.Interval, DaysOfWeek: inOrder(g.Pattern.DaysOfWeek),
			FirstDayOfWeek: strings.ToLower(g.Pattern.FirstDayOfWeek), DayOfMonth: g.Pattern.DayOfMonth, Month: g.Pattern.Month, Index: g.Pattern.Index,
		},
		Range: outlook.Range{
			Type: outlook.RangeType(g.Range.Type), StartDate: g.Range.StartDate, EndDate: g.Range.EndDate,
			NumberOfOccurrences: g.Range.NumberOfOccurrences, TimeZone: g.Range.RecurrenceTimeZone,
		},
	}, nil
}

// recurrenceKey gives what two recurrences are compared by. Exchange fills in the zone, which therefore does not count.
func recurrenceKey(raw json.RawMessage) string {
	if len(raw) == 0 || string(raw) == "null" {
		return ""
	}
	r, err := ParseRecurrence(raw)
	if err != nil {
		return string(raw)
	}
	r.Range.TimeZone = ""
	return string(writeRecurrence(r))
}
