package graphapi

import (
	"html"
	"regexp"
	"strings"
	"time"

	"usher/internal/timezone"
	"usher/model/outlook"
)

// object is a JSON object on its way out.
type object = map[string]any

// stamp writes an instant as Graph does.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "0001-01-01T00:00:00Z"
	}
	return t.UTC().Format("2006-01-02T15:04:05.0000000Z")
}

func etag(changeKey string) string { return `W/"` + changeKey + `"` }

// orNull is the value, or null where it is empty.
func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func listOf(texts []string) []string {
	if texts == nil {
		return []string{}
	}
	return texts
}

// moment tells a time in the zone that was asked for. All-day events keep theirs.
func (p preferences) moment(m outlook.Moment, allDay bool) object {
	wall, zone := m.DateTime, m.TimeZone
	if !allDay {
		if loc, err := timezone.Load(m.TimeZone); err == nil {
			if at, err := timezone.Instant(m.DateTime, loc); err == nil {
				wall, zone = at.In(p.zone).Format("2006-01-02T15:04:05.0000000"), p.zoneName
			}
		}
	}
	return object{"dateTime": decimals(wall), "timeZone": zone}
}

// decimals gives a time on the wall its seven decimals.
func decimals(wall string) string {
	whole, fraction, _ := strings.Cut(wall, ".")
	return whole + "." + (fraction + "0000000")[:7]
}

// stub is what a delta tells of an occurrence.
func (p preferences) stub(e outlook.Event) object {
	return object{
		"@odata.type": "#microsoft.graph.event", "@odata.etag": etag(e.ChangeKey), "id": p.outID(e.ID),
		"seriesMasterId": orNull(p.outID(e.SeriesMasterID)), "type": e.Type,
		"start": p.moment(e.Start, e.AllDay), "end": p.moment(e.End, e.AllDay),
	}
}

// removed is what a delta tells of an item that is gone, or left the window.
func (p preferences) removed(e outlook.Event) object {
	return object{"@odata.type": "#microsoft.graph.event", "id": p.outID(e.ID), "@removed": object{"reason": e.Removed}}
}

// event is a whole event.
func (p preferences) event(e outlook.Event) object {
	o := object{
		"@odata.etag": etag(e.ChangeKey), "id": p.outID(e.ID), "changeKey": e.ChangeKey, "iCalUId": e.ICalUID,
		"createdDateTime": stamp(e.CreatedAt), "lastModifiedDateTime": stamp(e.UpdatedAt),
		"transactionId": orNull(e.TransactionID), "seriesMasterId": orNull(p.outID(e.SeriesMasterID)), "type": e.Type,
		"subject": e.Subject, "bodyPreview": e.BodyPreview, "body": p.body(e.Body),
		"start": p.moment(e.Start, e.AllDay), "end": p.moment(e.End, e.AllDay), "isAllDay": e.AllDay,
		"originalStartTimeZone": e.OriginalStartTimeZone, "originalEndTimeZone": e.OriginalEndTimeZone,
		"location": location(e.Location), "locations": locations(e.Location),
		"categories": listOf(e.Categories), "importance": orDefault(e.Importance, "normal"),
		"sensitivity": orDefault(e.Sensitivity, "normal"), "showAs": orDefault(e.ShowAs, "busy"),
		"isCancelled": e.IsCancelled, "isOrganizer": e.IsOrganizer, "isDraft": e.IsDraft,
		"responseRequested": true, "hideAttendees": false, "allowNewTimeProposals": true, "hasAttachments": false,
		"isReminderOn": true, "reminderMinutesBeforeStart": 15, "webLink": e.WebLink,
		"isOnlineMeeting": e.OnlineMeeting, "onlineMeetingProvider": "unknown", "onlineMeetingUrl": nil, "onlineMeeting": nil,
		"organizer":      object{"emailAddress": address(e.Organizer)},
		"responseStatus": object{"response": orDefault(string(e.Response), "none"), "time": stamp(time.Time{})},
		"attendees":      p.attendees(e.Attendees), "recurrence": recurrence(e.Recurrence),
	}
	if !e.OriginalStart.IsZero() {
		o["originalStart"] = e.OriginalStart.UTC().Format("2006-01-02T15:04:05Z")
	}
	if e.OnlineMeeting {
		o["onlineMeetingProvider"] = "teamsForBusiness"
		o["onlineMeeting"] = object{"joinUrl": e.OnlineMeetingURL}
	}
	return o
}

func orDefault(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func address(a outlook.Address) object { return object{"name": a.Name, "address": a.Email} }

func (p preferences) attendees(list []outlook.Attendee) []object {
	out := make([]object, 0, len(list))
	for _, a := range list {
		o := object{
			"type": a.Type, "emailAddress": address(a.Address),
			"status": object{"response": orDefault(string(a.Response), "none"), "time": stamp(a.At)},
		}
		if a.Proposed != (outlook.Span{}) {
			o["proposedNewTime"] = object{"start": p.moment(a.Proposed.Start, false), "end": p.moment(a.Proposed.End, false)}
		}
		out = append(out, o)
	}
	return out
}

func location(l outlook.Location) object {
	o := object{"displayName": l.DisplayName, "locationType": "default", "uniqueIdType": "unknown", "address": object{}, "coordinates": object{}}
	if l.Email != "" {
		o["locationEmailAddress"], o["locationType"] = l.Email, "conferenceRoom"
		o["uniqueId"], o["uniqueIdType"] = l.Email, "directory"
	}
	return o
}

func locations(l outlook.Location) []object {
	if l == (outlook.Location{}) {
		return []object{}
	}
	return []object{location(l)}
}

func recurrence(r *outlook.Recurrence) any {
	if r == nil {
		return nil
	}
	return object{
		"pattern": object{
			"type": r.Pattern.Type, "interval": r.Pattern.Interval, "month": r.Pattern.Month, "dayOfMonth": r.Pattern.DayOfMonth,
			"daysOfWeek": listOf(r.Pattern.DaysOfWeek), "firstDayOfWeek": orDefault(r.Pattern.FirstDayOfWeek, "sunday"),
			"index": orDefault(r.Pattern.Index, "first"),
		},
		"range": object{
			"type": r.Range.Type, "startDate": r.Range.StartDate, "endDate": orDefault(r.Range.EndDate, "0001-01-01"),
			"recurrenceTimeZone": r.Range.TimeZone, "numberOfOccurrences": r.Range.NumberOfOccurrences,
		},
	}
}

// body is told as HTML, unless text is asked for.
func (p preferences) body(b outlook.Body) object {
	html := strings.EqualFold(b.ContentType, "html")
	switch {
	case p.text && html:
		return object{"contentType": "text", "content": textOf(b.Content)}
	case p.text:
		return object{"contentType": "text", "content": b.Content}
	case html:
		return object{"contentType": "html", "content": b.Content}
	}
	return object{"contentType": "html", "content": htmlOf(b.Content)}
}

func htmlOf(text string) string {
	if text == "" {
		return ""
	}
	escaped := strings.ReplaceAll(html.EscapeString(text), "\n", "<br>\n")
	return `<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8"></head><body>` +
		`<div class="PlainText">` + escaped + `</div></body></html>`
}

var (
	invisible  = regexp.MustCompile(`(?is)<(head|style|script)\b.*?</(head|style|script)>`)
	lineBreaks = regexp.MustCompile(`(?i)<br\s*/?>\r?\n?|</(p|div|tr|li|h[1-6])>`)
	tags       = regexp.MustCompile(`(?s)<[^>]*>`)
)

// textOf reads HTML as text.
func textOf(content string) string {
	content = invisible.ReplaceAllString(content, "")
	content = lineBreaks.ReplaceAllString(content, "\n")
	return strings.TrimSpace(html.UnescapeString(tags.ReplaceAllString(content, "")))
}
