package calendarbridge

import (
	"bytes"
	"encoding/json"
	"net/mail"
	"slices"
	"strings"
	"time"

	"usher/internal/recurrence"
	"usher/internal/timezone"
	"usher/model"
	"usher/model/outlook"
)

// The bounds of what the application may set.
const (
	maxSubject   = 255 // characters
	maxInvited   = 500 // Exchange's own
	maxEventTime = 5 * 366 * 24 * time.Hour
)

func invalid(name, format string, args ...any) error {
	return model.FieldErrorf(model.Invalid, name, format, args...)
}

// check makes fields that came from outside fit to be stored and sent, given the event that they are to change: a new one
// has only its defaults. The error names the field at fault.
func (s *Service) check(f *Fields, now model.Event) error {
	for _, fn := range []func(*Fields, model.Event) error{s.checkTexts, s.checkTimes, checkChoices, s.checkPeople, checkRecurrence} {
		if err := fn(f, now); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) checkTexts(f *Fields, now model.Event) error {
	if f.Subject != nil {
		text := strings.TrimSpace(s.clean.text(*f.Subject, maxText))
		if len([]rune(*f.Subject)) > maxSubject {
			return invalid("subject", "has more than %d characters", maxSubject)
		}
		f.Subject = &text
	}
	if f.Location != nil {
		text := s.clean.line(*f.Location)
		if len(*f.Location) > maxText {
			return invalid("location", "has more than %d bytes", maxText)
		}
		f.Location = &text
	}
	if f.Body != nil {
		if len(*f.Body) > maxBody {
			return invalid("body", "has more than %d bytes", maxBody)
		}
		text := s.clean.body("html", *f.Body)
		f.Body = &text
	}
	return nil
}

// checkTimes completes what was set of the time, which is sent as a whole.
func (s *Service) checkTimes(f *Fields, now model.Event) error {
	if f.Start == nil && f.End == nil && f.AllDay == nil {
		if now.Start.DateTime == "" {
			return invalid("start", "is required")
		}
		return nil
	}
	start, end, allDay := now.Start, now.End, now.AllDay
	set(&allDay, f.AllDay)
	set(&start, f.Start)
	set(&end, f.End)
	if f.Start != nil && f.End == nil && now.Start.DateTime != "" { // it moves as it is
		length := now.End.UTC.Sub(now.Start.UTC)
		at, err := instantOf(start, allDay)
		loc, zoneErr := timezone.Load(start.TimeZone)
		if allDay {
			loc = time.UTC
		}
		if err == nil && zoneErr == nil {
			end = model.EventTime{DateTime: timezone.Wall(at.Add(length), loc), TimeZone: start.TimeZone}
		}
	}
	if err := checkTime("start", &start, allDay); err != nil {
		return err
	}
	if end.TimeZone == "" {
		end.TimeZone = start.TimeZone
	}
	if err := checkTime("end", &end, allDay); err != nil {
		return err
	}
	switch {
	case end.UTC.Before(start.UTC) || allDay && !end.UTC.After(start.UTC):
		return invalid("end", "must be after start")
	case end.UTC.Sub(start.UTC) > maxEventTime:
		return invalid("end", "is more than five years after start")
	}
	f.Start, f.End, f.AllDay = &start, &end, &allDay
	return nil
}

func checkTime(name string, t *model.EventTime, allDay bool) error {
	if t.DateTime == "" {
		return invalid(name+".date_time", "is required, such as 2026-11-21T09:00:00")
	}
	iana, ok := timezone.IANA(t.TimeZone)
	if !ok || t.TimeZone == "" {
		return invalid(name+".time_zone", "%q is not a time zone such as Europe/Copenhagen", t.TimeZone)
	}
	t.TimeZone = plainUTC(iana)
	at, err := instantOf(*t, allDay)
	if err != nil {
		return invalid(name+".date_time", "%q is not a wall time such as 2026-11-21T09:00:00", t.DateTime)
	}
	if at.Year() < 1900 || at.Year() > 4500 {
		return invalid(name+".date_time", "is in the year %d; Exchange keeps 1900 to 4500", at.Year())
	}
	loc := time.UTC
	if !allDay {
		if loc, err = timezone.Load(t.TimeZone); err != nil {
			return invalid(name+".time_zone", "%q is not a time zone such as Europe/Copenhagen", t.TimeZone)
		}
	}
	if allDay && !at.Truncate(24*time.Hour).Equal(at) {
		return invalid(name+".date_time", "must be a midnight, as the event takes all day")
	}
	at = at.Truncate(time.Second)
	t.UTC, t.DateTime = at, timezone.Wall(at, loc)
	return nil
}

func checkChoices(f *Fields, _ model.Event) error {
	if f.ShowAs != nil && !slices.Contains([]string{"free", "tentative", "busy", "oof", "workingElsewhere"}, *f.ShowAs) {
		return invalid("show_as", "must be free, tentative, busy, oof or workingElsewhere")
	}
	if f.Sensitivity != nil && *f.Sensitivity != "normal" && *f.Sensitivity != private {
		return invalid("sensitivity", "must be normal or private")
	}
	return nil
}

func (s *Service) checkPeople(f *Fields, now model.Event) error {
	if f.Attendees == nil {
		return nil
	}
	list := make([]model.EventPerson, 0, len(*f.Attendees))
	if len(*f.Attendees) > maxInvited {
		return invalid("attendees", "has more than %d entries", maxInvited)
	}
	seen := map[string]bool{}
	for _, a := range *f.Attendees {
		parsed, err := mail.ParseAddress(a.Email)
		if err != nil || parsed.Address != a.Email || len(a.Email) > 320 {
			return invalid("attendees.email", "%q is not an e-mail address", s.clean.text(a.Email, 320))
		}
		a.Type = orElse(a.Type, string(outlook.Required))
		if !slices.Contains([]string{string(outlook.Required), string(outlook.Optional), string(outlook.Resource)}, a.Type) {
			return invalid("attendees.type", "must be required, optional or resource")
		}
		if key := model.Fold(a.Email); !seen[key] && key != model.Fold(now.Organizer.Email) {
			seen[key] = true
			list = append(list, model.EventPerson{Email: a.Email, Name: s.clean.line(a.Name), Type: a.Type})
		}
	}
	f.Attendees = &list
	return nil
}

func checkRecurrence(f *Fields, now model.Event) error {
	f.Recurrence = bytes.TrimSpace(f.Recurrence)
	occurrence := now.Kind == model.EventOccurrence || now.Kind == model.EventException
	switch {
	case len(f.Recurrence) == 0 && (now.Kind != model.EventSeries || f.Start == nil):
		return nil
	case occurrence:
		return model.FieldErrorf(model.Refused, "recurrence", "is that of the series; an occurrence has none")
	case string(f.Recurrence) == "null":
		if now.Kind != model.EventSeries {
			f.Recurrence = nil
		}
		return nil
	}
	after := now
	f.apply(&after)
	moved := len(f.Recurrence) == 0
	raw := f.Recurrence
	if moved {
		raw = now.Recurrence
	}
	r, err := ParseRecurrence(raw)
	if err != nil {
		return err
	}
	if day := after.Start.DateTime[:10]; moved {
		if r.Range.StartDate == day {
			return nil
		}
		r.Range.StartDate = day
	}
	r.Range.TimeZone = orElse(r.Range.TimeZone, after.Start.TimeZone)
	if err := recurrence.Check(*moment(&after.Start), *moment(&after.End), after.AllDay, r); err != nil {
		return err
	}
	f.Recurrence = writeRecurrence(r)
	return nil
}

// fieldsOf gives everything that an event has, as if the application had just set it.
func fieldsOf(e model.Event) Fields {
	f := Fields{
		Subject: &e.Subject, Body: &e.Body, Location: &e.Location, locationEmail: e.LocationEmail, Start: &e.Start, End: &e.End, AllDay: &e.AllDay,
		ShowAs: &e.ShowAs, Sensitivity: &e.Sensitivity,
	}
	if len(e.Attendees) > 0 {
		f.Attendees = &e.Attendees
	}
	if len(e.Recurrence) > 0 {
		f.Recurrence = json.RawMessage(bytes.Clone(e.Recurrence))
	}
	return f
}
