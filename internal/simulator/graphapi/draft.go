package graphapi

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"usher/model/outlook"
)

// maxAttendees is how many Graph takes.
const maxAttendees = 500

// written are the properties that a client may write, and some that it may send back and that are passed over.
func written() []string {
	return slices.DeleteFunc(eventProperties(), func(name string) bool {
		return name == "cancelledOccurrences" || name == "exceptionOccurrences" || name == "instances" || name == "calendar"
	})
}

// readDraft reads the body of POST and PATCH.
func (s *Server) readDraft(c *call, creating bool) (outlook.Draft, error) {
	fields, err := c.fields("event", written()...)
	if err != nil {
		return outlook.Draft{}, err
	}
	r := &reader{fields: fields}
	for _, name := range []string{"attachments", "extensions", "multiValueExtendedProperties"} {
		if r.has(name) {
			return outlook.Draft{}, notHeld(name)
		}
	}
	d := outlook.Draft{
		AllDay: r.flag("isAllDay"), OnlineMeeting: r.flag("isOnlineMeeting"),
		Start: r.moment("start"), End: r.moment("end"), Recurrence: r.recurrence(),
		NoRecurrence: !creating && r.cleared("recurrence"), TransactionID: r.text("transactionId"), Origin: s.readMark(r),
	}
	r.texts(&d, creating)
	r.people(&d, creating)
	switch {
	case r.err != nil:
		return d, r.err
	case creating && (d.Start == nil || d.End == nil):
		return d, refuse(400, "ErrorPropertyValidationFailure", "At least one property failed validation: start and end are required.")
	case !creating && d.TransactionID != "":
		return d, refuse(400, "ErrorInvalidPropertySet", "The property transactionId can only be set when the event is created.")
	}
	return d, nil
}

// texts reads what an event says. What is null becomes empty.
func (r *reader) texts(d *outlook.Draft, creating bool) {
	if r.has("subject") || !creating && r.cleared("subject") {
		subject := r.text("subject")
		if len([]rune(subject)) > 255 {
			r.fail(refuse(400, "ErrorPropertyValidationFailure", "The subject is longer than 255 characters."))
		}
		d.Subject = &subject
	}
	if r.has("body") || !creating && r.cleared("body") {
		b := r.inner("body", "itemBody", "contentType", "content")
		kind := b.choice("contentType", "text", "html")
		d.Body = &outlook.Body{ContentType: orDefault(kind, "text"), Content: b.text("content")}
		r.join(b)
	}
	if r.has("location") || !creating && r.cleared("location") {
		l := r.inner("location", "location", "displayName", "locationEmailAddress", "locationType", "locationUri", "uniqueId",
			"uniqueIdType", "address", "coordinates")
		d.Location = &outlook.Location{DisplayName: l.text("displayName"), Email: l.text("locationEmailAddress")}
		r.join(l)
	}
	if showAs := r.choice("showAs", "free", "tentative", "busy", "oof", "workingElsewhere", "unknown"); showAs != "" {
		d.ShowAs = &showAs
	}
	if sensitivity := r.choice("sensitivity", "normal", "personal", "private", "confidential"); sensitivity != "" {
		d.Sensitivity = &sensitivity
	}
}

// join hands the failure of an inner object on.
func (r *reader) join(inner *reader) {
	if inner.err != nil {
		r.fail(inner.err)
	}
}

func (r *reader) people(d *outlook.Draft, creating bool) {
	if !r.has("attendees") && (creating || !r.cleared("attendees")) {
		return
	}
	list := []outlook.Attendee{}
	for _, one := range r.objects("attendees", "attendee", "type", "status", "emailAddress", "proposedNewTime") {
		mail := one.inner("emailAddress", "emailAddress", "name", "address")
		a := outlook.Attendee{Address: outlook.Address{Email: mail.text("address"), Name: mail.text("name")}}
		a.Type = outlook.AttendeeType(orDefault(one.choice("type", "required", "optional", "resource"), "required"))
		r.join(mail)
		r.join(one)
		if a.Email == "" {
			r.fail(refuse(400, "ErrorInvalidRecipients", "At least one recipient isn't valid."))
		}
		list = append(list, a)
	}
	if len(list) > maxAttendees {
		r.fail(refuse(400, "ErrorExceededMaxRecipientLimit", "The number of attendees is greater than 500."))
	}
	d.Attendees = &list
}

var offset = regexp.MustCompile(`(?i)(z|[+-]\d\d:?\d\d)$`)

// moment reads a dateTimeTimeZone. An offset in it is passed over: the zone alone decides.
func (r *reader) moment(name string) *outlook.Moment {
	if !r.has(name) {
		return nil
	}
	m := r.inner(name, "dateTimeTimeZone", "dateTime", "timeZone")
	wall := m.text("dateTime")
	if day, clock, ok := strings.Cut(wall, "T"); ok {
		wall = day + "T" + offset.ReplaceAllString(clock, "")
	}
	out := &outlook.Moment{DateTime: wall, TimeZone: orDefault(m.text("timeZone"), "UTC")}
	r.join(m)
	if !isWall(out.DateTime) {
		r.fail(unconvertible(name+"/dateTime", "Edm.DateTime"))
	}
	return out
}

func isWall(text string) bool {
	for _, layout := range []string{"2006-01-02T15:04:05.999999999", "2006-01-02T15:04", "2006-01-02"} {
		if _, err := time.Parse(layout, text); err == nil {
			return true
		}
	}
	return false
}

// recurrence reads how a series repeats. A property that does not go with the pattern's type is refused by whoever knows the
// patterns, not here.
func (r *reader) recurrence() *outlook.Recurrence {
	if !r.has("recurrence") {
		return nil
	}
	whole := r.inner("recurrence", "patternedRecurrence", "pattern", "range")
	p := whole.inner("pattern", "recurrencePattern", "type", "interval", "month", "dayOfMonth", "daysOfWeek", "firstDayOfWeek", "index")
	g := whole.inner("range", "recurrenceRange", "type", "startDate", "endDate", "recurrenceTimeZone", "numberOfOccurrences")
	days := []string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}
	out := &outlook.Recurrence{
		Pattern: outlook.Pattern{
			Type: outlook.PatternType(p.choice("type", "daily", "weekly", "absoluteMonthly", "relativeMonthly",
				"absoluteYearly", "relativeYearly")),
			Interval: p.number("interval"), Month: p.number("month"), DayOfMonth: p.number("dayOfMonth"),
			FirstDayOfWeek: p.choice("firstDayOfWeek", days...), Index: p.choice("index", "first", "second", "third", "fourth", "last"),
		},
		Range: outlook.Range{
			Type:      outlook.RangeType(g.choice("type", "endDate", "noEnd", "numbered")),
			StartDate: g.date("startDate"), EndDate: g.date("endDate"), TimeZone: g.text("recurrenceTimeZone"),
			NumberOfOccurrences: g.number("numberOfOccurrences"),
		},
	}
	var list []string
	p.read("daysOfWeek", "Collection(microsoft.graph.dayOfWeek)", &list)
	for _, day := range list {
		if !slices.Contains(days, strings.ToLower(day)) {
			p.fail(refuse(400, "RequestBodyRead", "Requested value '"+day+"' of property 'daysOfWeek' was not found."))
		}
		out.Pattern.DaysOfWeek = append(out.Pattern.DaysOfWeek, strings.ToLower(day))
	}
	if p.err == nil && g.err == nil && (out.Pattern.Type == "" || out.Range.Type == "" || out.Range.StartDate == "") {
		r.fail(refuse(400, "ErrorPropertyValidationFailure", "The recurrence must have a type, a range and a start date."))
	}
	r.join(whole)
	r.join(p)
	r.join(g)
	return out
}

// date reads a day; the first day of all times is how Graph says that there is none.
func (r *reader) date(name string) string {
	text := r.text(name)
	if text == "" || text == "0001-01-01" {
		return ""
	}
	if _, err := time.Parse("2006-01-02", text); err != nil {
		r.fail(unconvertible(name, "Edm.Date"))
	}
	return text
}

// readMark reads the extended property.
func (s *Server) readMark(r *reader) string {
	list := r.objects("singleValueExtendedProperties", "singleValueLegacyExtendedProperty", "id", "value")
	value := ""
	for _, one := range list {
		id := one.text("id")
		value = one.text("value")
		r.join(one)
		switch {
		case !propertyFormat.MatchString(id):
			r.fail(malformedProperty())
		case !s.isMark(id):
			r.fail(notHeld("more than one extended property"))
		}
	}
	if len(list) > 1 {
		r.fail(notHeld("more than one extended property"))
	}
	return value
}
