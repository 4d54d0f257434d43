package graphapi

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"usher/internal/timezone"
	"usher/model/outlook"
)

// rooms answers a page of places that are rooms.
func (s *Server) rooms(ctx context.Context, c *call) (answer, error) {
	next := ""
	if token := c.query.Get("$skiptoken"); token != "" {
		link, _, ok := s.open(token)
		if !ok {
			return answer{}, badRequest("The skip token is invalid.")
		}
		next = link
	}
	names, err := c.selected("room", "id", "displayName", "emailAddress", "capacity", "building", "floorNumber", "floorLabel",
		"bookingType", "nickname", "label", "phone", "tags", "address", "geoCoordinates", "isWheelChairAccessible",
		"audioDeviceName", "videoDeviceName", "displayDeviceName", "placeId")
	if err != nil {
		return answer{}, err
	}
	p, err := s.world.Rooms(ctx, next)
	if err != nil {
		return answer{}, err
	}
	values := make([]object, 0, len(p.Rooms))
	for _, room := range p.Rooms {
		values = append(values, project(renderRoom(room), names))
	}
	link := ""
	if p.Next != "" {
		link = s.link(c, url.Values(maps.Clone(c.query)), "$skiptoken", linkToken(p.Next))
	}
	return jsonAnswer(http.StatusOK, s.collection(c, "places/microsoft.graph.room", values, link))
}

func renderRoom(r outlook.Room) object {
	o := object{
		"id": r.PlaceID, "placeId": r.PlaceID, "displayName": r.DisplayName, "emailAddress": r.Email, "capacity": nil,
		"building": orNull(r.Building), "floorNumber": nil, "floorLabel": orNull(r.Floor), "bookingType": "standard",
		"nickname": r.DisplayName, "label": nil, "phone": nil, "tags": []string{}, "address": nil, "geoCoordinates": nil,
		"isWheelChairAccessible": false, "audioDeviceName": nil, "videoDeviceName": nil, "displayDeviceName": nil,
	}
	if r.Capacity > 0 {
		o["capacity"] = r.Capacity
	}
	if n, err := strconv.Atoi(r.Floor); err == nil {
		o["floorNumber"] = n
	}
	return o
}

// maxSchedules is how many addresses one getSchedule may ask for.
const maxSchedules = 20

// schedules answers getSchedule: 200 also where it knows nothing of an address, which says so for itself.
func (s *Server) schedules(ctx context.Context, c *call) (answer, error) {
	fields, err := c.fields("getSchedule", "schedules", "startTime", "endTime", "availabilityViewInterval")
	if err != nil {
		return answer{}, err
	}
	r := &reader{fields: fields}
	var addresses []string
	r.read("schedules", "Collection(Edm.String)", &addresses)
	window := outlook.Window{From: r.point("startTime"), To: r.point("endTime")}
	interval := orSize(r.number("availabilityViewInterval"), 30)
	switch {
	case r.err != nil:
		return answer{}, r.err
	case len(addresses) == 0 || len(addresses) > maxSchedules:
		return answer{}, refuse(400, "ErrorInvalidParameter", "Between 1 and 20 schedules can be asked for.")
	case interval < 5 || interval > 1440:
		return answer{}, refuse(400, "ErrorInvalidMergedFreeBusyInterval", "The availabilityViewInterval must be between 5 and 1440 minutes.")
	case !window.To.After(window.From):
		return answer{}, refuse(400, "ErrorInvalidTimeInterval", "The end time must be after the start time.")
	}
	list, err := s.world.Schedules(ctx, c.vars["user"], addresses, window)
	if err != nil {
		return answer{}, err
	}
	values := make([]object, 0, len(list))
	for _, one := range list {
		values = append(values, c.prefer.schedule(one, window, time.Duration(interval)*time.Minute))
	}
	return jsonAnswer(http.StatusOK, s.collection(c, "Collection(microsoft.graph.scheduleInformation)", values, ""))
}

// point reads a dateTimeTimeZone as an instant.
func (r *reader) point(name string) time.Time {
	m := r.moment(name)
	if m == nil {
		r.fail(refuse(400, "ErrorInvalidParameter", "The property "+name+" is required."))
		return time.Time{}
	}
	loc, err := timezone.Load(m.TimeZone)
	if err != nil {
		r.fail(&outlook.Error{Kind: outlook.BadZone})
		return time.Time{}
	}
	at, err := timezone.Instant(m.DateTime, loc)
	if err != nil {
		r.fail(unconvertible(name, "Edm.DateTime"))
	}
	return at
}

func (p preferences) schedule(one outlook.Schedule, window outlook.Window, interval time.Duration) object {
	if one.Err != nil {
		code, message := "ErrorMailRecipientNotFound", one.Err.Error()
		if e, ok := errors.AsType[*outlook.Error](one.Err); ok {
			code, message = orDefault(e.Code, code), orDefault(e.Message, message)
		}
		return object{
			"scheduleId": one.Address, "availabilityView": "",
			"error": object{"message": message, "responseCode": code},
		}
	}
	items := make([]object, 0, len(one.Busy))
	for _, busy := range one.Busy {
		items = append(items, object{
			"isPrivate": false, "status": busy.Status, "subject": nil, "location": nil,
			"start": p.point(busy.From), "end": p.point(busy.To),
		})
	}
	return object{
		"scheduleId": one.Address, "availabilityView": availability(one.Busy, window, interval), "scheduleItems": items,
		"workingHours": object{
			"daysOfWeek": []string{"monday", "tuesday", "wednesday", "thursday", "friday"},
			"startTime":  "08:00:00.0000000", "endTime": "17:00:00.0000000", "timeZone": object{"name": "UTC"},
		},
	}
}

func (p preferences) point(t time.Time) object {
	return object{"dateTime": t.In(p.zone).Format("2006-01-02T15:04:05.0000000"), "timeZone": p.zoneName}
}

// availability is a digit per interval: the most engaged state that anything in it has.
func availability(list []outlook.Busy, window outlook.Window, interval time.Duration) string {
	var b strings.Builder
	for from := window.From; from.Before(window.To) && b.Len() < 10_000; from = from.Add(interval) {
		digit := byte('0')
		for _, busy := range list {
			if !busy.From.Before(from.Add(interval)) || !busy.To.After(from) {
				continue
			}
			digit = max(digit, map[string]byte{"tentative": '1', "busy": '2', "oof": '3', "workingElsewhere": '4'}[busy.Status])
		}
		b.WriteByte(digit)
	}
	return b.String()
}
