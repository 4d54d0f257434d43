package graph

import (
	"math"

	"github.com/microsoft/kiota-abstractions-go/serialization"
	"github.com/microsoftgraph/msgraph-sdk-go/models"

	"usher/model/outlook"
)

// written makes the body of a creation or a change. It is always a new object with nothing in it but what the draft says: an
// object that was read sends back all it has, or nothing, depending on how it was read.
func written(d outlook.Draft, creation bool) (models.Eventable, error) {
	m := models.NewEvent()
	m.SetOdataType(nil) // the SDK names the types of events and attendees, which Graph knows by where they stand
	m.SetSubject(d.Subject)
	m.SetIsAllDay(d.AllDay)
	m.SetStart(writtenMoment(d.Start))
	m.SetEnd(writtenMoment(d.End))
	if d.Body != nil {
		kind, err := known[models.BodyType](models.ParseBodyType, d.Body.ContentType, "content type")
		if err != nil {
			return nil, err
		}
		body := models.NewItemBody()
		body.SetContentType(kind)
		body.SetContent(&d.Body.Content)
		m.SetBody(body)
	}
	if d.Location != nil {
		location := models.NewLocation()
		location.SetDisplayName(&d.Location.DisplayName)
		if d.Location.Email != "" {
			location.SetLocationEmailAddress(&d.Location.Email)
		}
		m.SetLocation(location)
	}
	if err := writeChoices(m, d); err != nil {
		return nil, err
	}
	if err := writeRecurrence(m, d); err != nil {
		return nil, err
	}
	if d.OnlineMeeting != nil {
		m.SetIsOnlineMeeting(d.OnlineMeeting)
		if *d.OnlineMeeting {
			provider := models.TEAMSFORBUSINESS_ONLINEMEETINGPROVIDERTYPE
			m.SetOnlineMeetingProvider(&provider)
		}
	}
	if creation && d.TransactionID != "" {
		m.SetTransactionId(&d.TransactionID)
	}
	if d.Origin != "" {
		id := originProperty
		property := models.NewSingleValueLegacyExtendedProperty()
		property.SetId(&id)
		property.SetValue(&d.Origin)
		m.SetSingleValueExtendedProperties([]models.SingleValueLegacyExtendedPropertyable{property})
	}
	return m, nil
}

// writeChoices writes what has one of few values, attendees among it.
func writeChoices(m *models.Event, d outlook.Draft) error {
	if d.ShowAs != nil {
		shown, err := known[models.FreeBusyStatus](models.ParseFreeBusyStatus, *d.ShowAs, "availability")
		if err != nil {
			return err
		}
		m.SetShowAs(shown)
	}
	if d.Sensitivity != nil {
		sensitivity, err := known[models.Sensitivity](models.ParseSensitivity, *d.Sensitivity, "sensitivity")
		if err != nil {
			return err
		}
		m.SetSensitivity(sensitivity)
	}
	if d.Attendees == nil {
		return nil
	}
	attendees := make([]models.Attendeeable, 0, len(*d.Attendees)) // an empty list is sent, and removes all
	for _, a := range *d.Attendees {
		kind, err := known[models.AttendeeType](models.ParseAttendeeType, string(a.Type), "type of attendee")
		if err != nil {
			return err
		}
		address := models.NewEmailAddress()
		address.SetAddress(&a.Email)
		if a.Name != "" {
			address.SetName(&a.Name)
		}
		attendee := models.NewAttendee()
		attendee.SetEmailAddress(address)
		attendee.SetTypeEscaped(kind)
		attendee.SetOdataType(nil)
		attendees = append(attendees, attendee)
	}
	m.SetAttendees(attendees)
	return nil
}

func writtenMoment(moment *outlook.Moment) models.DateTimeTimeZoneable {
	if moment == nil {
		return nil
	}
	m := models.NewDateTimeTimeZone()
	m.SetDateTime(&moment.DateTime)
	m.SetTimeZone(&moment.TimeZone)
	return m
}

// known finds a value of one of Graph's enumerations.
func known[T any](parse func(string) (any, error), text, what string) (*T, error) {
	parsed, err := parse(text)
	if result, ok := parsed.(*T); ok && err == nil {
		return result, nil
	}
	return nil, badValue("the " + what + " " + shorten(text, 50) + " is not one of Graph's")
}

// writeRecurrence writes a series in its own zone: in any other it would move with the summer time of the wrong place.
func writeRecurrence(m *models.Event, d outlook.Draft) error {
	if d.NoRecurrence {
		m.SetAdditionalData(map[string]any{"recurrence": nil})
		return nil
	}
	if d.Recurrence == nil {
		return nil
	}
	pattern, err := writtenPattern(d.Recurrence.Pattern)
	if err != nil {
		return err
	}
	span, err := writtenRange(d.Recurrence.Range)
	if err != nil {
		return err
	}
	if d.Recurrence.Range.TimeZone == "" && d.Start != nil {
		span.SetRecurrenceTimeZone(&d.Start.TimeZone)
	}
	recurrence := models.NewPatternedRecurrence()
	recurrence.SetPattern(pattern)
	recurrence.SetRangeEscaped(span)
	m.SetRecurrence(recurrence)
	return nil
}

func writtenPattern(p outlook.Pattern) (models.RecurrencePatternable, error) {
	m := models.NewRecurrencePattern()
	kind, err := known[models.RecurrencePatternType](models.ParseRecurrencePatternType, string(p.Type), "pattern")
	if err != nil {
		return nil, err
	}
	m.SetTypeEscaped(kind)
	m.SetInterval(number(p.Interval))
	has := shapeOf(p.Type)
	if has.dayOfMonth {
		m.SetDayOfMonth(number(p.DayOfMonth))
	}
	if has.month {
		m.SetMonth(number(p.Month))
	}
	if has.days {
		days := make([]models.DayOfWeek, 0, len(p.DaysOfWeek))
		for _, text := range p.DaysOfWeek {
			day, err := known[models.DayOfWeek](models.ParseDayOfWeek, text, "day")
			if err != nil {
				return nil, err
			}
			days = append(days, *day)
		}
		m.SetDaysOfWeek(days)
	}
	if has.firstDay && p.FirstDayOfWeek != "" {
		day, err := known[models.DayOfWeek](models.ParseDayOfWeek, p.FirstDayOfWeek, "day")
		if err != nil {
			return nil, err
		}
		m.SetFirstDayOfWeek(day)
	}
	if has.index && p.Index != "" {
		index, err := known[models.WeekIndex](models.ParseWeekIndex, p.Index, "index")
		if err != nil {
			return nil, err
		}
		m.SetIndex(index)
	}
	return m, nil
}

func writtenRange(r outlook.Range) (models.RecurrenceRangeable, error) {
	m := models.NewRecurrenceRange()
	kind, err := known[models.RecurrenceRangeType](models.ParseRecurrenceRangeType, string(r.Type), "range")
	if err != nil {
		return nil, err
	}
	m.SetTypeEscaped(kind)
	from, err := serialization.ParseDateOnly(r.StartDate) // nil for an empty text
	if err != nil || from == nil {
		return nil, badValue("the range has no date to start on")
	}
	m.SetStartDate(from)
	if r.Type == outlook.EndDate {
		to, err := serialization.ParseDateOnly(r.EndDate)
		if err != nil || to == nil {
			return nil, badValue("the range has no date to end on")
		}
		m.SetEndDate(to)
	}
	if r.Type == outlook.Numbered {
		m.SetNumberOfOccurrences(number(r.NumberOfOccurrences))
	}
	if r.TimeZone != "" {
		m.SetRecurrenceTimeZone(&r.TimeZone)
	}
	return m, nil
}

// number makes an Edm.Int32. What does not fit becomes the nearest, which Graph refuses.
func number(n int) *int32 {
	result := int32(min(max(n, math.MinInt32), math.MaxInt32))
	return &result
}
