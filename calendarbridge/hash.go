package calendarbridge

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"usher/model"
)

// hash gives the fingerprint of what matters of an event: what Exchange rewrites by itself, such as the HTML of a body or the
// order of attendees, does not change it.
func (n normalizer) hash(e model.Event) string {
	original := ""
	if e.OriginalStart != nil {
		original = e.OriginalStart.UTC().Format(time.RFC3339)
	}
	responses := make([]string, 0, len(e.Attendees))
	for _, a := range e.Attendees {
		responses = append(responses, model.Fold(a.Email)+" "+a.Response)
	}
	slices.Sort(responses)
	invitation := "" // which is no field that the application sets
	if e.MeetingURL != "" {
		invitation = n.clean.plain(e.Body)
	}
	raw, err := json.Marshal([]any{
		n.values(e), e.Kind, e.SeriesGraphID, original, e.Start.TimeZone, e.Status, e.Response, e.IsOrganizer, model.Fold(e.Organizer.Email),
		e.MeetingURL, responses, invitation,
	})
	if err != nil {
		return "" // strings and booleans can be written
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// field names what the application and Outlook may both change, and what one of them wins as a whole. Start, end and whether
// an event takes all day make sense only together.
type field string

// The fields, named as the interface names them.
const (
	fieldSubject     field = "subject"
	fieldBody        field = "body"
	fieldTime        field = "start"
	fieldLocation    field = "location"
	fieldAttendees   field = "attendees"
	fieldShowAs      field = "show_as"
	fieldSensitivity field = "sensitivity"
	fieldRecurrence  field = "recurrence"
	fieldMeeting     field = "online_meeting"
)

func fields() []field {
	return []field{
		fieldSubject, fieldBody, fieldTime, fieldLocation, fieldAttendees, fieldShowAs, fieldSensitivity, fieldRecurrence, fieldMeeting,
	}
}

// values gives each field in the form in which two of them are compared.
func (n normalizer) values(e model.Event) map[field]string {
	meeting := ""
	if e.MeetingURL != "" {
		meeting = "yes"
	}
	return map[field]string{
		fieldSubject: e.Subject, fieldBody: n.clean.plain(written(e)), fieldTime: timeKey(e), fieldLocation: e.Location,
		fieldAttendees: attendeesKey(e.Attendees), fieldShowAs: e.ShowAs, fieldSensitivity: e.Sensitivity,
		fieldRecurrence: recurrenceKey(e.Recurrence), fieldMeeting: meeting,
	}
}

func timeKey(e model.Event) string {
	key := e.Start.UTC.UTC().Format(time.RFC3339Nano) + "/" + e.End.UTC.UTC().Format(time.RFC3339Nano)
	if e.AllDay {
		key += " all day"
	}
	return key
}

func attendeesKey(list []model.EventPerson) string {
	keys := make([]string, 0, len(list))
	for _, a := range list {
		keys = append(keys, model.Fold(a.Email)+" "+orElse(a.Type, "required"))
	}
	slices.Sort(keys)
	return strings.Join(slices.Compact(keys), ",")
}

// differences gives the fields in which two events differ.
func (n normalizer) differences(a, b model.Event) []field {
	before, after := n.values(a), n.values(b)
	var out []field
	for _, f := range fields() {
		if before[f] != after[f] {
			out = append(out, f)
		}
	}
	return out
}
