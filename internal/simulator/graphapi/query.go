package graphapi

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"usher/model/outlook"
)

// window reads the span of time that a view needs.
func (c *call) window() (outlook.Window, error) {
	from, to := c.query.Get("startdatetime"), c.query.Get("enddatetime")
	if from == "" || to == "" {
		return outlook.Window{}, refuse(400, "ErrorInvalidParameter", "This request requires a time window specified by the query string parameters StartDateTime and EndDateTime.")
	}
	var w outlook.Window
	var err error
	if w.From, err = instant("StartDateTime", from); err != nil {
		return w, err
	}
	if w.To, err = instant("EndDateTime", to); err != nil {
		return w, err
	}
	if !w.To.After(w.From) {
		return w, refuse(400, "ErrorInvalidParameter", "The EndDateTime must be after the StartDateTime.")
	}
	return w, nil
}

// instant reads ISO 8601; without an offset it is UTC. A plus sign that was not escaped has become a space.
func instant(name, text string) (time.Time, error) {
	text = strings.Replace(text, " ", "+", 1)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04", "2006-01-02"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, refuse(400, "ErrorInvalidParameter", "The value '"+text+"' of parameter '"+name+"' is invalid.")
}

// number reads $top or $skip.
func (c *call) number(name string, otherwise, least int) (int, error) {
	text := c.query.Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > 1_000_000 {
		return 0, badRequest("Invalid value '" + text + "' for " + name + " query option found.")
	}
	return n, nil
}

// selected reads $select; nil selects everything. A name that the type does not have is refused.
func (c *call) selected(typeName string, known ...string) ([]string, error) {
	text := c.query.Get("$select")
	if text == "" {
		return nil, nil
	}
	var names []string
	for name := range strings.SplitSeq(text, ",") {
		name = strings.TrimSpace(name)
		if name == "*" {
			return nil, nil
		}
		at := slices.IndexFunc(known, func(k string) bool { return strings.EqualFold(k, name) })
		if at < 0 {
			return nil, refuse(400, "RequestBroker--ParseUri", "Could not find a property named '"+name+"' on type 'microsoft.graph."+typeName+"'.")
		}
		names = append(names, known[at])
	}
	return names, nil
}

// project keeps what is selected, the id and the annotations.
func project(o object, names []string) object {
	if names == nil {
		return o
	}
	out := object{}
	for name, value := range o {
		if strings.HasPrefix(name, "@odata.") || name == "id" || slices.Contains(names, name) {
			out[name] = value
		}
	}
	return out
}

// eventProperties are the names that Graph knows of an event.
func eventProperties() []string {
	return []string{
		"id", "createdDateTime", "lastModifiedDateTime", "changeKey", "categories", "transactionId", "originalStartTimeZone",
		"originalEndTimeZone", "iCalUId", "reminderMinutesBeforeStart", "isReminderOn", "hasAttachments", "subject",
		"bodyPreview", "importance", "sensitivity", "isAllDay", "isCancelled", "isOrganizer", "responseRequested",
		"seriesMasterId", "showAs", "type", "webLink", "onlineMeetingUrl", "isOnlineMeeting", "onlineMeetingProvider",
		"allowNewTimeProposals", "isDraft", "hideAttendees", "originalStart", "responseStatus", "body", "start", "end",
		"location", "locations", "recurrence", "attendees", "organizer", "onlineMeeting", "cancelledOccurrences",
		"exceptionOccurrences", "attachments", "extensions", "instances", "calendar", "singleValueExtendedProperties",
		"multiValueExtendedProperties",
	}
}

var (
	filterICal     = regexp.MustCompile(`(?i)^\s*iCalUId\s+eq\s+'((?:[^']|'')*)'\s*$`)
	filterMark     = regexp.MustCompile(`(?is)^\s*singleValueExtendedProperties/any\s*\(\s*(\w+)\s*:\s*(\w+)/id\s+eq\s+'((?:[^']|'')*)'\s+and\s+(\w+)/value\s+eq\s+'((?:[^']|'')*)'\s*\)\s*$`)
	filterUser     = regexp.MustCompile(`(?i)^\s*(mail|userPrincipalName|id)\s+eq\s+'((?:[^']|'')*)'\s*$`)
	expandMark     = regexp.MustCompile(`(?i)^singleValueExtendedProperties\s*\(\s*\$filter\s*=\s*id\s+eq\s+'((?:[^']|'')*)'\s*\)$`)
	propertyFormat = regexp.MustCompile(`(?i)^String \{[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\} Name .{1,200}$`)
)

// unquote undoes OData's doubling of apostrophes.
func unquote(text string) string { return strings.ReplaceAll(text, "''", "'") }

// expansions splits $expand at the commas outside of parentheses.
func (c *call) expansions() []string {
	depth := 0
	parts := strings.FieldsFunc(c.query.Get("$expand"), func(r rune) bool {
		switch r {
		case '(':
			depth++
		case ')':
			depth--
		}
		return r == ',' && depth == 0
	})
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

// link is an address on this server, with what the query keeps and the token that leads on.
func (s *Server) link(c *call, keep url.Values, token, value string) string {
	query := url.Values{}
	for name, values := range keep {
		query[name] = values
	}
	query.Set(token, value)
	return s.GraphURL + "/" + c.version + c.escaped() + "?" + strings.ReplaceAll(query.Encode(), "%24", "$")
}
