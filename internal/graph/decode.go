package graph

import (
	"strings"
	"time"

	"github.com/microsoftgraph/msgraph-sdk-go/models"

	"usher/model/outlook"
)

// events reads the items of a page. What has no id cannot be told from anything else, and is left out.
func events(list []models.Eventable) []outlook.Event {
	result := make([]outlook.Event, 0, len(list))
	for _, item := range list {
		if item != nil && value(item.GetId()) != "" {
			result = append(result, event(item))
		}
	}
	return result
}

// event reads an event as Graph has it.
func event(m models.Eventable) outlook.Event {
	e := outlook.Event{
		ID:             value(m.GetId()),
		ChangeKey:      changeKey(m),
		SeriesMasterID: value(m.GetSeriesMasterId()),
		Type:           outlook.EventType(name(m.GetTypeEscaped())),
		Removed:        removed(m),
		Start:          moment(m.GetStart()),
		End:            moment(m.GetEnd()),
	}
	if e.Removed != "" {
		return outlook.Event{ID: e.ID, Removed: e.Removed}
	}
	if e.Stub = isStub(m); e.Stub {
		return e
	}
	e.ICalUID = value(m.GetICalUId())
	e.TransactionID = value(m.GetTransactionId())
	e.Subject = value(m.GetSubject())
	if body := m.GetBody(); body != nil {
		e.Body = outlook.Body{ContentType: name(body.GetContentType()), Content: value(body.GetContent())}
	}
	e.BodyPreview = value(m.GetBodyPreview())
	if location := m.GetLocation(); location != nil {
		e.Location = outlook.Location{DisplayName: value(location.GetDisplayName()), Email: value(location.GetLocationEmailAddress())}
	}
	e.AllDay = value(m.GetIsAllDay())
	e.ShowAs, e.Sensitivity, e.Importance = name(m.GetShowAs()), name(m.GetSensitivity()), name(m.GetImportance())
	e.Categories = m.GetCategories()
	e.OriginalStartTimeZone, e.OriginalEndTimeZone = value(m.GetOriginalStartTimeZone()), value(m.GetOriginalEndTimeZone())
	e.OriginalStart = moved(m.GetOriginalStart())
	e.WebLink = value(m.GetWebLink())
	e.CreatedAt, e.UpdatedAt = moved(m.GetCreatedDateTime()), moved(m.GetLastModifiedDateTime())
	e.Origin = origin(m)
	people(&e, m)
	meeting(&e, m)
	e.Recurrence = readRecurrence(m.GetRecurrence())
	e.CancelledOccurrences = m.GetCancelledOccurrences()
	if exceptions := m.GetExceptionOccurrences(); exceptions != nil {
		e.ExceptionOccurrences = events(exceptions)
	}
	return e
}

func people(e *outlook.Event, m models.Eventable) {
	e.IsOrganizer, e.IsCancelled, e.IsDraft = value(m.GetIsOrganizer()), value(m.GetIsCancelled()), value(m.GetIsDraft())
	if organizer := m.GetOrganizer(); organizer != nil {
		e.Organizer = emailAddress(organizer.GetEmailAddress())
	}
	if status := m.GetResponseStatus(); status != nil {
		e.Response = outlook.Response(name(status.GetResponse()))
	}
	for _, attendee := range m.GetAttendees() {
		if attendee == nil {
			continue
		}
		read := outlook.Attendee{Address: emailAddress(attendee.GetEmailAddress()), Type: outlook.AttendeeType(name(attendee.GetTypeEscaped()))}
		if status := attendee.GetStatus(); status != nil {
			read.Response, read.At = outlook.Response(name(status.GetResponse())), moved(status.GetTime())
		}
		if other := attendee.GetProposedNewTime(); other != nil {
			read.Proposed = outlook.Span{Start: moment(other.GetStart()), End: moment(other.GetEnd())}
		}
		e.Attendees = append(e.Attendees, read)
	}
}

func meeting(e *outlook.Event, m models.Eventable) {
	e.OnlineMeeting = value(m.GetIsOnlineMeeting())
	if online := m.GetOnlineMeeting(); online != nil {
		e.OnlineMeetingURL = value(online.GetJoinUrl())
	}
	if e.OnlineMeetingURL == "" {
		e.OnlineMeetingURL = value(m.GetOnlineMeetingUrl())
	}
}

func emailAddress(address models.EmailAddressable) outlook.Address {
	if address == nil {
		return outlook.Address{}
	}
	return outlook.Address{Email: value(address.GetAddress()), Name: value(address.GetName())}
}

func moment(m models.DateTimeTimeZoneable) outlook.Moment {
	if m == nil {
		return outlook.Moment{}
	}
	return outlook.Moment{DateTime: value(m.GetDateTime()), TimeZone: value(m.GetTimeZone())}
}

// moved gives a time in UTC. Graph writes the first instant of the year 1 where there is none, which is Go's zero.
func moved(t *time.Time) time.Time {
	if t == nil || t.IsZero() {
		return time.Time{}
	}
	return t.UTC()
}

// changeKey is the property, or the ETag W/"…" that has the same in it: a stub has no more.
func changeKey(m models.Eventable) string {
	if key := value(m.GetChangeKey()); key != "" {
		return key
	}
	etag, ok := m.GetAdditionalData()["@odata.etag"].(*string)
	if !ok {
		return ""
	}
	return strings.Trim(strings.TrimPrefix(value(etag), "W/"), `"`)
}

// removed gives the reason of @removed. A mark without a reason that can be read is a deletion all the same.
func removed(m models.Eventable) string {
	mark, ok := m.GetAdditionalData()["@removed"]
	if !ok {
		return ""
	}
	if members, ok := mark.(map[string]any); ok {
		if reason, ok := members["reason"].(*string); ok && value(reason) == "changed" {
			return "changed"
		}
	}
	return "deleted"
}

// isStub says that a delta gives no more of an occurrence than that it is there. Graph has every event's iCalUId, subject (even
// an empty one) and cancellation otherwise.
func isStub(m models.Eventable) bool {
	return value(m.GetTypeEscaped()) == models.OCCURRENCE_EVENTTYPE &&
		m.GetICalUId() == nil && m.GetSubject() == nil && m.GetIsCancelled() == nil && m.GetCreatedDateTime() == nil
}

func origin(m models.Eventable) string {
	for _, property := range m.GetSingleValueExtendedProperties() {
		if property != nil && strings.EqualFold(value(property.GetId()), originProperty) {
			return value(property.GetValue())
		}
	}
	return ""
}

// readRecurrence keeps of a pattern and a range what their types have: Graph writes zeros and the year 1 into the rest.
func readRecurrence(m models.PatternedRecurrenceable) *outlook.Recurrence {
	if m == nil || m.GetPattern() == nil || m.GetRangeEscaped() == nil {
		return nil
	}
	p, r := m.GetPattern(), m.GetRangeEscaped()
	result := &outlook.Recurrence{
		Pattern: outlook.Pattern{Type: outlook.PatternType(name(p.GetTypeEscaped())), Interval: int(value(p.GetInterval()))},
		Range:   outlook.Range{Type: outlook.RangeType(name(r.GetTypeEscaped())), TimeZone: value(r.GetRecurrenceTimeZone())},
	}
	has := shapeOf(result.Pattern.Type)
	if has.days {
		for _, day := range p.GetDaysOfWeek() {
			result.Pattern.DaysOfWeek = append(result.Pattern.DaysOfWeek, day.String())
		}
	}
	if has.firstDay {
		result.Pattern.FirstDayOfWeek = name(p.GetFirstDayOfWeek())
	}
	if has.index {
		result.Pattern.Index = name(p.GetIndex())
	}
	if has.dayOfMonth {
		result.Pattern.DayOfMonth = int(value(p.GetDayOfMonth()))
	}
	if has.month {
		result.Pattern.Month = int(value(p.GetMonth()))
	}
	if date := r.GetStartDate(); date != nil {
		result.Range.StartDate = date.String()
	}
	if date := r.GetEndDate(); date != nil && result.Range.Type == outlook.EndDate {
		result.Range.EndDate = date.String()
	}
	if result.Range.Type == outlook.Numbered {
		result.Range.NumberOfOccurrences = int(value(r.GetNumberOfOccurrences()))
	}
	return result
}

// shape says which properties a pattern has beside its interval.
type shape struct{ days, firstDay, index, dayOfMonth, month bool }

// shapeOf is the table of learn.microsoft.com/graph/api/resources/recurrencepattern. Graph refuses a property too many.
func shapeOf(pattern outlook.PatternType) shape {
	switch pattern {
	case outlook.Weekly:
		return shape{days: true, firstDay: true}
	case outlook.AbsoluteMonthly:
		return shape{dayOfMonth: true}
	case outlook.RelativeMonthly:
		return shape{days: true, index: true}
	case outlook.AbsoluteYearly:
		return shape{dayOfMonth: true, month: true}
	case outlook.RelativeYearly:
		return shape{days: true, index: true, month: true}
	case outlook.Daily:
	}
	return shape{}
}
