package graphapi

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"usher/model/outlook"
)

const span = "startDateTime=2026-11-01T00:00:00Z&endDateTime=2026-12-01T00:00:00%2B01:00"

func many(n int) []outlook.Event {
	var list []outlook.Event
	for i := range n {
		e := meeting()
		e.ID = fmt.Sprintf("id%d", i)
		list = append(list, e)
	}
	return list
}

func TestDeltaTellsStubsRemovalsAndLinks(t *testing.T) {
	stub := outlook.Event{ID: "occ", ChangeKey: "k", SeriesMasterID: "m", Type: outlook.Occurrence, Stub: true, Subject: "hidden"}
	w := &tenant{page: outlook.DeltaPage{Events: []outlook.Event{meeting(), stub, {ID: "gone", Removed: "deleted"}}, Next: "page two?&="}}
	c := start(t, w, nil)
	immutable := []string{"Prefer", `IdType="ImmutableId"`}
	got := c.do(t, "GET", "/users/u/calendars/c1/calendarView/microsoft.graph.delta()?"+strings.NewReplacer("D", "d").Replace(span), "", immutable...)
	if w.link != "" || w.cal.Calendar != "c1" || !w.window.To.Equal(time.Date(2026, 11, 30, 23, 0, 0, 0, time.UTC)) {
		t.Errorf("asked for %+v %v %q", w.cal, w.window, w.link)
	}
	if got.at("value", "0", "@odata.type") != "#microsoft.graph.event" || got.at("value", "2", "@removed", "reason") != "deleted" {
		t.Errorf("page: %s", got.raw)
	}
	if one, _ := got.at("value", "1").(map[string]any); len(one) != 7 || one["subject"] != nil {
		t.Errorf("stub: %v", one)
	}
	next, _ := got.json["@odata.nextLink"].(string)
	if !strings.HasPrefix(next, c.GraphURL+"/v1.0/users/u/calendars/c1/calendarView/") || !strings.Contains(next, "$skiptoken=") || got.json["@odata.deltaLink"] != nil {
		t.Fatalf("links: %s", got.raw)
	}
	w.page = outlook.DeltaPage{Delta: "since then"}
	got = c.do(t, "GET", next, "")
	delta, _ := got.json["@odata.deltaLink"].(string)
	if w.link != "page two?&=" || !strings.Contains(delta, "$deltatoken=") || got.json["@odata.nextLink"] != nil {
		t.Fatalf("second page: link %q, %s", w.link, got.raw)
	}
	if list, ok := got.json["value"].([]any); !ok || len(list) != 0 {
		t.Errorf("an empty page must have an empty list: %s", got.raw)
	}
	if c.do(t, "GET", delta, ""); w.link != "since then" {
		t.Errorf("delta link led to %q", w.link)
	}
	w.err = &outlook.Error{Kind: outlook.SyncLost}
	got = c.do(t, "GET", delta, "")
	got.want(t, 410, "SyncStateNotFound")
	if where := got.header.Get("Location"); !strings.HasPrefix(where, c.GraphURL) || !strings.HasSuffix(where, "?$deltatoken=") {
		t.Errorf("Location %q", where)
	}
}

func TestDeltaRefusals(t *testing.T) {
	c := start(t, &tenant{}, nil)
	c.do(t, "GET", "/users/u/calendarView/delta?$select=subject&"+span, "").want(t, 400, "ErrorInvalidUrlQuery")
	c.do(t, "GET", "/users/u/calendarView/delta", "").want(t, 400, "ErrorInvalidParameter")
	c.do(t, "GET", "/users/u/calendarView/delta?startDateTime=yesterday&endDateTime=today", "").want(t, 400, "ErrorInvalidParameter")
	c.do(t, "GET", "/users/u/calendarView/delta?startDateTime=2026-11-02T00:00:00Z&endDateTime=2026-11-01T00:00:00Z", "").want(t, 400, "ErrorInvalidParameter")
	c.do(t, "GET", "/users/u/calendarView/delta?$deltatoken=made-up", "").want(t, 400, "SyncStateInvalid")
	c.do(t, "GET", "/users/u/calendarView/delta?$skiptoken=Rmade-up", "").want(t, 410, "SyncStateNotFound")
}

func TestSmallPages(t *testing.T) {
	for _, test := range []struct {
		name, path string
		header     string
		want       int // pages
	}{
		{"a view has ten", "/users/u/calendarView?" + span, "", 3},
		{"$top", "/users/u/calendarView?$top=20&" + span, "", 2},
		{"odata.maxpagesize", "/users/u/calendarView?" + span, "odata.maxpagesize=7", 4},
		{"a delta as small as asked for", "/users/u/calendarView/delta()?" + span, "odata.maxpagesize=5", 5},
		{"a delta", "/users/u/calendarView/delta()?" + span, "", 1},
		{"a filter", "/users/u/events?$filter=iCalUId%20eq%20'uid1'", "", 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := &tenant{events: many(25), page: outlook.DeltaPage{Events: many(25), Delta: "d"}}
			c := start(t, w, nil)
			pages, seen := 0, map[any]bool{}
			for next := test.path; next != ""; pages++ {
				got := c.do(t, "GET", next, "", "Prefer", `IdType="ImmutableId"`, "Prefer", test.header)
				list, _ := got.json["value"].([]any)
				for i := range list {
					seen[got.at("value", fmt.Sprint(i), "id")] = true
				}
				next, _ = got.json["@odata.nextLink"].(string)
				if pages > 10 {
					t.Fatal("no end")
				}
			}
			if pages != test.want || len(seen) != 25 {
				t.Errorf("%d pages with %d events, want %d with 25", pages, len(seen), test.want)
			}
		})
	}
}

func TestInstancesLeadOn(t *testing.T) {
	w := &tenant{events: many(2)}
	c := start(t, w, nil)
	got := c.do(t, "GET", "/users/u/events/m1/instances?"+span, "")
	next, _ := got.json["@odata.nextLink"].(string)
	if c.do(t, "GET", next, ""); w.link != "more of m1" || w.window.From.IsZero() {
		t.Errorf("next led to %q of %v", w.link, w.window)
	}
}

func TestPermissions(t *testing.T) {
	for _, test := range []struct {
		method, path, role, code string
	}{
		{"GET", "/users/" + adaID, "User.Read.All", "Authorization_RequestDenied"},
		{"GET", "/groups/g/members", "GroupMember.Read.All", "Authorization_RequestDenied"},
		{"GET", "/users/u/calendars", "Calendars.Read", "ErrorAccessDenied"},
		{"GET", "/users/u/events/x", "Calendars.ReadWrite", "ErrorAccessDenied"},
		{"PATCH", "/users/u/events/x", "Calendars.ReadWrite", "ErrorAccessDenied"},
		{"DELETE", "/users/u/events/x", "Calendars.ReadWrite", "ErrorAccessDenied"},
		{"GET", "/places/graph.room", "Place.Read.All", "ErrorAccessDenied"},
		{"POST", "/subscriptions", "Calendars.Read", "ExtensionError"},
	} {
		body := ""
		if test.method == "PATCH" || test.method == "POST" {
			body = "{}"
		}
		t.Run(test.method+" "+test.path, func(t *testing.T) {
			c := start(t, &tenant{roles: []string{"Mail.Read"}}, nil)
			c.do(t, test.method, test.path, body).want(t, 403, test.code)
			c = start(t, &tenant{roles: []string{test.role}}, nil)
			if got := c.do(t, test.method, test.path, body); got.status == 403 {
				t.Errorf("with %s: %s", test.role, got.raw)
			}
		})
	}
	c := start(t, &tenant{roles: []string{"Calendars.Read"}}, nil)
	c.do(t, "PATCH", "/users/u/events/x", "{}").want(t, 403, "ErrorAccessDenied")
	c.token = ""
	c.do(t, "GET", "/users/u/calendars", "").want(t, 401, "InvalidAuthenticationToken")
}

func TestFailuresOfTheTenantAreDocumentedOnes(t *testing.T) {
	for kind, want := range map[outlook.Kind]struct {
		status int
		code   string
	}{
		outlook.BadZone: {400, "TimeZoneNotSupportedException"}, outlook.CrossingBoundary: {400, "ErrorOccurrenceCrossingBoundary"},
		outlook.NotOrganizer: {400, "ErrorInvalidRequest"}, outlook.Forbidden: {403, "ErrorAccessDenied"},
		outlook.NotFound: {404, "ErrorItemNotFound"}, outlook.NoMailbox: {404, "MailboxNotEnabledForRESTAPI"},
		outlook.NoUser: {404, "Request_ResourceNotFound"}, outlook.Conflict: {412, "ErrorIrresolvableConflict"},
		outlook.Throttled: {429, "ApplicationThrottled"}, outlook.Unavailable: {503, "ServiceUnavailable"}, outlook.Other: {500, "generalException"},
	} {
		w := &tenant{err: &outlook.Error{Kind: kind, After: 1500 * time.Millisecond}}
		got := start(t, w, nil).do(t, "GET", "/users/u/events/x", "", "client-request-id", "mine")
		got.want(t, want.status, want.code)
		if got.header.Get("Retry-After") != "2" || got.at("error", "innerError", "client-request-id") != "mine" || got.header.Get("client-request-id") != "mine" {
			t.Errorf("kind %d: %v %s", kind, got.header, got.raw)
		}
	}
	w := &tenant{err: &outlook.Error{Kind: outlook.Conflict, Status: 409, Code: "ConcurrentItemSave"}}
	start(t, w, nil).do(t, "GET", "/users/u/events/x", "").want(t, 409, "ConcurrentItemSave")
}

func TestPathsAsODataTakesThem(t *testing.T) {
	c := start(t, &tenant{events: many(1), list: []outlook.Calendar{{ID: "c1", IsDefault: true}}}, nil)
	for _, target := range []string{"/users/u/calendarview/delta?" + span, "/users/u/CalendarView/delta()?" + span, "/places/microsoft.graph.room", "/places/graph.room", "/users/u/calendar", "/users/u/calendars/c1"} {
		if got := c.do(t, "GET", target, ""); got.status != 200 {
			t.Errorf("%s: %d %s", target, got.status, got.raw)
		}
	}
	if got := c.do(t, "GET", c.GraphURL+"/beta/users/u/calendar", ""); got.status != 200 {
		t.Errorf("beta: %d", got.status)
	}
	c.do(t, "GET", c.GraphURL+"/v2.0/users/u/calendar", "").want(t, 400, "BadRequest")
	c.do(t, "GET", "/me/events", "").want(t, 400, "BadRequest")
	c.do(t, "GET", "/users/u/messages", "").want(t, 400, "BadRequest")
	c.do(t, "PUT", "/users/u/calendar", "{}").want(t, 405, "Request_BadRequest")
	c.do(t, "GET", "/users/u/calendars/nowhere", "").want(t, 404, "ErrorItemNotFound")
}

func TestUsers(t *testing.T) {
	w := &tenant{users: outlook.UserPage{Users: []outlook.User{{ID: "g1", AccountEnabled: true}}, Next: "more"}}
	c := start(t, w, nil)
	got := c.do(t, "GET", "/users/ada@contoso.com", "")
	if _, told := got.json["accountEnabled"]; told || got.json["id"] != adaID {
		t.Errorf("accountEnabled comes only when selected: %s", got.raw)
	}
	if got = c.do(t, "GET", "/users/ada@contoso.com?$select=id,accountEnabled", ""); got.json["accountEnabled"] != true {
		t.Errorf("selected: %s", got.raw)
	}
	c.do(t, "GET", "/users/lovelace@contoso.com", "").want(t, 404, "Request_ResourceNotFound") // the mail address is no principal name
	c.do(t, "GET", "/users/nobody", "").want(t, 404, "Request_ResourceNotFound")
	if got = c.do(t, "GET", "/users?$filter="+url.QueryEscape("mail eq 'Lovelace@contoso.com'"), ""); got.at("value", "0", "id") != adaID {
		t.Errorf("filter: %s", got.raw)
	}
	if got = c.do(t, "GET", "/users?$filter="+url.QueryEscape("mail eq 'nobody@contoso.com'"), ""); got.status != 200 || got.at("value", "0") != nil {
		t.Errorf("filter for nobody: %s", got.raw)
	}
	got = c.do(t, "GET", "/groups/g/members/microsoft.graph.user?$select=accountEnabled", "")
	next, _ := got.json["@odata.nextLink"].(string)
	if got.at("value", "0", "accountEnabled") != true || got.at("value", "0", "@odata.type") != "#microsoft.graph.user" {
		t.Errorf("members: %s", got.raw)
	}
	if c.do(t, "GET", next, ""); w.link != "more" {
		t.Errorf("next led to %q", w.link)
	}
}

func TestSubscriptions(t *testing.T) {
	until := time.Now().Add(24 * time.Hour).UTC().Truncate(time.Second)
	w := &tenant{subs: outlook.SubscriptionPage{Subscriptions: []outlook.Subscription{{ID: "s1", Resource: "users/u/events", ExpiresAt: until}}}}
	c := start(t, w, nil)
	body := func(change ...string) string {
		text := `{"changeType":"created,updated,deleted","notificationUrl":"https://usher.contoso.example/n?cal=1","lifecycleNotificationUrl":"https://usher.contoso.example/l",
			"resource":"/users/u/calendars/a%2Fb/events","clientState":"secret","expirationDateTime":"` + until.Format(time.RFC3339) + `","latestSupportedTlsVersion":"v1_2"}`
		return strings.NewReplacer(change...).Replace(text)
	}
	got := c.do(t, "POST", "/subscriptions", body())
	if got.status != 201 || got.json["clientState"] != "secret" || got.json["applicationId"] != appID {
		t.Fatalf("create: %d %s", got.status, got.raw)
	}
	if w.asked.Calendar != (outlook.CalendarRef{Mailbox: "u", Calendar: "a/b"}) || !w.asked.ExpiresAt.Equal(until) || w.asked.ClientState != "secret" {
		t.Errorf("asked %+v", w.asked)
	}
	for _, test := range []struct {
		name, from, to string
		status         int
		code           string
	}{
		{"a wrong resource", "/events\"", "/messages\"", 400, "InvalidRequest"},
		{"an event as resource", "/events\"", "/events/1\"", 400, "InvalidRequest"},
		{"an unknown change", "deleted", "moved", 400, "ValidationError"},
		{"some changes", ",updated", "", 501, "NotImplemented"},
		{"no URL", "https://usher.contoso.example/n?cal=1", "", 400, "ValidationError"},
		{"a long client state", "secret", strings.Repeat("x", 129), 400, "ValidationError"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w.subscribed = 0
			c.do(t, "POST", "/subscriptions", body(test.from, test.to)).want(t, test.status, test.code)
			if w.subscribed != 0 {
				t.Error("it was made all the same")
			}
		})
	}
	got = c.do(t, "PATCH", "/subscriptions/s1", `{"expirationDateTime":"`+until.Format(time.RFC3339)+`"}`)
	if got.status != 200 || got.json["expirationDateTime"] != stamp(until) || w.renewed.ID != "s1" {
		t.Errorf("renew: %d %s", got.status, got.raw)
	}
	if got = c.do(t, "POST", "/subscriptions/s1/reauthorize", ""); got.status != 204 {
		t.Errorf("reauthorize: %d", got.status)
	}
	if got = c.do(t, "GET", "/subscriptions", ""); got.at("value", "0", "id") != "s1" {
		t.Errorf("list: %s", got.raw)
	}
	c.do(t, "DELETE", "/subscriptions/s2", "").want(t, 404, "ResourceNotFound")
	if got = c.do(t, "DELETE", "/subscriptions/s1", ""); got.status != 204 || w.gone != "s1" {
		t.Errorf("delete: %d", got.status)
	}
	w.err = &outlook.Error{Kind: outlook.NotFound}
	c.do(t, "PATCH", "/subscriptions/s9", `{"expirationDateTime":"`+until.Format(time.RFC3339)+`"}`).want(t, 404, "ResourceNotFound")
}

func TestPlacesAndSchedules(t *testing.T) {
	from := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	w := &tenant{
		rooms: outlook.RoomPage{Rooms: []outlook.Room{{PlaceID: "p1", Email: "aquarium@contoso.com", DisplayName: "Aquarium", Capacity: 8, Floor: "2"}}},
		busy: []outlook.Schedule{
			{Address: "a@contoso.com", Busy: []outlook.Busy{{Window: outlook.Window{From: from.Add(30 * time.Minute), To: from.Add(time.Hour)}, Status: "oof"}}},
			{Address: "x@contoso.com", Err: &outlook.Error{Kind: outlook.NoUser, Code: "ErrorMailRecipientNotFound"}},
		},
	}
	c := start(t, w, nil)
	got := c.do(t, "GET", "/places/microsoft.graph.room", "")
	if got.at("value", "0", "emailAddress") != "aquarium@contoso.com" || got.at("value", "0", "capacity") != float64(8) || got.at("value", "0", "floorNumber") != float64(2) {
		t.Errorf("rooms: %s", got.raw)
	}
	body := `{"Schedules":["a@contoso.com","x@contoso.com"],"startTime":{"dateTime":"2026-11-21T10:00:00","timeZone":"W. Europe Standard Time"},
		"endTime":{"dateTime":"2026-11-21T12:00:00","timeZone":"W. Europe Standard Time"}}`
	got = c.do(t, "POST", "/users/u/calendar/getSchedule", body)
	if !w.window.From.Equal(from) || got.at("value", "0", "availabilityView") != "0300" {
		t.Errorf("window %v, view %v", w.window, got.at("value", "0", "availabilityView"))
	}
	if got.status != 200 || got.at("value", "1", "error", "responseCode") != "ErrorMailRecipientNotFound" || got.at("value", "0", "scheduleItems", "0", "status") != "oof" {
		t.Errorf("schedules: %s", got.raw)
	}
	list := strings.Repeat(`"a@contoso.com",`, 20)
	c.do(t, "POST", "/users/u/calendar/getSchedule", strings.Replace(body, `"a@contoso.com"`, list+`"a@contoso.com"`, 1)).want(t, 400, "ErrorInvalidParameter")
}
