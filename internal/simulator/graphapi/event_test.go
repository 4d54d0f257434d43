package graphapi

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"usher/model/outlook"
)

const property = "String {66f5a359-4659-4830-9070-00047ec6ac6e} Name usher"

func TestEventReadsAsGraphWritesIt(t *testing.T) {
	c := start(t, &tenant{events: []outlook.Event{meeting()}}, nil)
	got := c.do(t, "GET", "/users/ada@contoso.com/events/x", "", "Prefer", `IdType="ImmutableId"`)
	for _, test := range []struct {
		want any
		path []string
	}{
		{"AAkALgA/+=1", []string{"id"}},
		{`W/"ck1"`, []string{"@odata.etag"}},
		{c.GraphURL + "/v1.0/$metadata#users('ada@contoso.com')/events/$entity", []string{"@odata.context"}},
		{"2026-11-21T09:00:00.0000000", []string{"start", "dateTime"}},
		{"UTC", []string{"start", "timeZone"}},
		{"2026-11-21T10:00:00.5000000", []string{"end", "dateTime"}},
		{"2026-11-02T08:00:00.1234567Z", []string{"lastModifiedDateTime"}},
		{"Réunion 🚀", []string{"subject"}},
		{"html", []string{"body", "contentType"}},
		{"accepted", []string{"attendees", "0", "status", "response"}},
		{"0001-01-01T00:00:00Z", []string{"attendees", "0", "status", "time"}},
		{"ada@contoso.com", []string{"organizer", "emailAddress", "address"}},
		{nil, []string{"recurrence"}},
		{nil, []string{"seriesMasterId"}},
		{nil, []string{"transactionId"}},
		{"busy", []string{"showAs"}},
	} {
		if value := got.at(test.path...); value != test.want {
			t.Errorf("%s = %v, want %v", strings.Join(test.path, "."), value, test.want)
		}
	}
	if _, there := got.json["recurrence"]; !there {
		t.Error("recurrence is missing instead of null")
	}
	if _, there := got.json["cancelledOccurrences"]; there {
		t.Error("cancelledOccurrences came unasked")
	}
	if got.header.Get("request-id") == "" || got.header.Get("Preference-Applied") != `IdType="ImmutableId"` {
		t.Errorf("headers %v", got.header)
	}
}

func TestIdsAreImmutableOnlyWhereAsked(t *testing.T) {
	w := &tenant{events: []outlook.Event{meeting()}}
	c := start(t, w, nil)
	usual, _ := c.do(t, "GET", "/users/u/events/AAkALgA%2F%2B%3D1", "").json["id"].(string)
	if w.id != "AAkALgA/+=1" {
		t.Errorf("the escaped id arrived as %q", w.id)
	}
	if usual == "" || usual == "AAkALgA/+=1" {
		t.Errorf("without Prefer the id is %q", usual)
	}
	if c.do(t, "GET", "/users/u/events/"+strings.NewReplacer("/", "%2F", "+", "%2B", "=", "%3D").Replace(usual), ""); w.id != "AAkALgA/+=1" {
		t.Errorf("the usual id arrived as %q", w.id)
	}
}

func TestPreferencesAreRepeatedOrJoined(t *testing.T) {
	allDay := meeting()
	allDay.AllDay = true
	w := &tenant{events: []outlook.Event{meeting()}}
	c := start(t, w, nil)
	for name, headers := range map[string][]string{
		"repeated": {"Prefer", `outlook.timezone="W. Europe Standard Time"`, "Prefer", `outlook.body-content-type="text"`},
		"joined":   {"Prefer", `outlook.timezone="W. Europe Standard Time", outlook.body-content-type="text"`},
	} {
		got := c.do(t, "GET", "/users/u/events/x", "", headers...)
		if got.at("start", "dateTime") != "2026-11-21T10:00:00.0000000" || got.at("start", "timeZone") != "W. Europe Standard Time" {
			t.Errorf("%s: start %v", name, got.at("start"))
		}
		if got.at("body", "contentType") != "text" || got.at("body", "content") != "a < b\nc" {
			t.Errorf("%s: body %v", name, got.at("body"))
		}
		if applied := got.header.Get("Preference-Applied"); applied != `outlook.timezone="W. Europe Standard Time", outlook.body-content-type="text"` {
			t.Errorf("%s: applied %q", name, applied)
		}
	}
	w.events = []outlook.Event{allDay}
	got := c.do(t, "GET", "/users/u/events/x", "", "Prefer", `outlook.timezone="W. Europe Standard Time"`)
	if got.at("start", "dateTime") != "2026-11-21T09:00:00.0000000" {
		t.Errorf("an all-day event followed outlook.timezone: %v", got.at("start"))
	}
	c.do(t, "GET", "/users/u/events/x", "", "Prefer", `outlook.timezone="Middle Earth Standard Time"`).want(t, 400, "TimeZoneNotSupportedException")
}

func TestHTMLBodiesReadAsText(t *testing.T) {
	if got := textOf(`<html><head><style>p{}</style></head><body><p>a &lt; b</p>c<br>d</body></html>`); got != "a < b\nc\nd" {
		t.Errorf("got %q", got)
	}
}

func TestDraftsAreReadWhole(t *testing.T) {
	w := &tenant{events: []outlook.Event{meeting()}}
	c := start(t, w, nil)
	body := `{"@odata.type":"#microsoft.graph.event","subject":"Stand-up","body":{"contentType":"HTML","content":"<b>hi</b>"},
		"start":{"dateTime":"2026-11-21T09:00:00+00:00","timeZone":"W. Europe Standard Time"},"end":{"dateTime":"2026-11-21T09:15:00"},
		"isAllDay":false,"location":{"displayName":"Aquarium","locationEmailAddress":"aquarium@contoso.com"},
		"attendees":[{"type":"resource","emailAddress":{"address":"aquarium@contoso.com","name":"Aquarium"}}],
		"showAs":"workingelsewhere","sensitivity":"private","transactionId":"t1","isOnlineMeeting":true,"responseRequested":true,
		"recurrence":{"pattern":{"type":"weekly","interval":2,"daysOfWeek":["Monday","friday"],"firstDayOfWeek":"monday"},
			"range":{"type":"numbered","startDate":"2026-11-21","endDate":"0001-01-01","numberOfOccurrences":10,"recurrenceTimeZone":"UTC"}},
		"singleValueExtendedProperties":[{"id":"` + property + `","value":"mark-1"}]}`
	got := c.do(t, "POST", "/users/u/calendars/c1/events", body)
	if got.status != 201 || got.header.Get("Location") == "" {
		t.Fatalf("got %d %s", got.status, got.raw)
	}
	subject, showAs, private, no, yes := "Stand-up", "workingElsewhere", "private", false, true
	want := outlook.Draft{
		Subject: &subject, Body: &outlook.Body{ContentType: "html", Content: "<b>hi</b>"},
		Start: &outlook.Moment{DateTime: "2026-11-21T09:00:00", TimeZone: "W. Europe Standard Time"}, End: &outlook.Moment{DateTime: "2026-11-21T09:15:00", TimeZone: "UTC"},
		AllDay: &no, Location: &outlook.Location{DisplayName: "Aquarium", Email: "aquarium@contoso.com"},
		Attendees: &[]outlook.Attendee{{Address: outlook.Address{Email: "aquarium@contoso.com", Name: "Aquarium"}, Type: outlook.Resource}},
		ShowAs:    &showAs, Sensitivity: &private, TransactionID: "t1", OnlineMeeting: &yes, Origin: "mark-1",
		Recurrence: &outlook.Recurrence{
			Pattern: outlook.Pattern{Type: outlook.Weekly, Interval: 2, DaysOfWeek: []string{"monday", "friday"}, FirstDayOfWeek: "monday"},
			Range:   outlook.Range{Type: outlook.Numbered, StartDate: "2026-11-21", NumberOfOccurrences: 10, TimeZone: "UTC"},
		},
	}
	if !reflect.DeepEqual(w.draft, want) {
		t.Errorf("draft\n got %+v\nwant %+v", w.draft, want)
	}
	if w.cal != (outlook.CalendarRef{Mailbox: "u", Calendar: "c1"}) {
		t.Errorf("calendar %+v", w.cal)
	}
}

func TestNullClears(t *testing.T) {
	w := &tenant{events: []outlook.Event{meeting()}}
	c := start(t, w, nil)
	c.do(t, "PATCH", "/users/u/events/x", `{"recurrence":null,"subject":null,"location":null,"attendees":[]}`, "If-Match", `W/"ck1"`)
	d := w.draft
	if !d.NoRecurrence || d.Subject == nil || *d.Subject != "" || d.Location == nil || d.Attendees == nil || len(*d.Attendees) != 0 || d.Body != nil || d.Start != nil {
		t.Errorf("draft %+v", d)
	}
	if w.key != "ck1" {
		t.Errorf("change key %q", w.key)
	}
	if got := c.do(t, "DELETE", "/users/u/calendar/events/x", ""); got.status != 204 || w.key != "" {
		t.Errorf("delete: %d, key %q", got.status, w.key)
	}
	if got := c.do(t, "POST", "/users/u/events/x/microsoft.graph.cancel", `{"Comment":"ill"}`); got.status != 202 || w.comment != "ill" {
		t.Errorf("cancel: %d, comment %q", got.status, w.comment)
	}
}

func TestBadDraftsAreRefusedAndReachNobody(t *testing.T) {
	times := `"start":{"dateTime":"2026-11-21T09:00:00","timeZone":"UTC"},"end":{"dateTime":"2026-11-21T10:00:00","timeZone":"UTC"}`
	many := strings.Repeat(`{"emailAddress":{"address":"a@contoso.com"}},`, 501)
	for _, test := range []struct {
		name, body string
		status     int
		code       string
	}{
		{"no JSON", `{`, 400, "BadRequest"},
		{"an array", `[]`, 400, "BadRequest"},
		{"an unknown property", `{"subjekt":"x",` + times + `}`, 400, "RequestBodyRead"},
		{"an unknown property inside", `{"body":{"text":"x"},` + times + `}`, 400, "RequestBodyRead"},
		{"a wrong type", `{"subject":7,` + times + `}`, 400, "RequestBodyRead"},
		{"a wrong enumeration", `{"showAs":"asleep",` + times + `}`, 400, "RequestBodyRead"},
		{"no times", `{"subject":"x"}`, 400, "ErrorPropertyValidationFailure"},
		{"a time that is none", `{"start":{"dateTime":"soon"},"end":{"dateTime":"later"}}`, 400, "RequestBodyRead"},
		{"an attendee without address", `{"attendees":[{"type":"required"}],` + times + `}`, 400, "ErrorInvalidRecipients"},
		{"501 attendees", `{"attendees":[` + strings.TrimSuffix(many, ",") + `],` + times + `}`, 400, "ErrorExceededMaxRecipientLimit"},
		{"a long subject", `{"subject":"` + strings.Repeat("ü", 256) + `",` + times + `}`, 400, "ErrorPropertyValidationFailure"},
		{"a recurrence without range", `{"recurrence":{"pattern":{"type":"daily","interval":1}},` + times + `}`, 400, "ErrorPropertyValidationFailure"},
		{"a malformed extended property", `{"singleValueExtendedProperties":[{"id":"usher","value":"x"}],` + times + `}`, 400, "ErrorInvalidExtendedProperty"},
		{"attachments", `{"attachments":[{}],` + times + `}`, 501, "NotImplemented"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := &tenant{}
			c := start(t, w, nil)
			c.do(t, "POST", "/users/u/events", test.body).want(t, test.status, test.code)
			if w.created != 0 {
				t.Error("it was created all the same")
			}
		})
	}
}

func TestRequestBodiesMayBeGzip(t *testing.T) {
	w := &tenant{events: []outlook.Event{meeting()}}
	c := start(t, w, nil)
	plain := `{"subject":"zipped"}`
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write([]byte(plain))
	_ = z.Close()
	if got := c.do(t, "PATCH", "/users/u/events/x", zipped.String(), "Content-Encoding", "gzip"); got.status != 200 || *w.draft.Subject != "zipped" {
		t.Fatalf("gzip: %d %s", got.status, got.raw)
	}
	c.do(t, "PATCH", "/users/u/events/x", plain, "Content-Encoding", "gzip").want(t, 400, "BadRequest")
	c.do(t, "PATCH", "/users/u/events/x", `{"subject":"`+strings.Repeat("x", maxBody)+`"}`).want(t, 413, "RequestEntityTooLarge")
}

func TestSelectAndExpand(t *testing.T) {
	series := meeting()
	series.Type = outlook.SeriesMaster
	series.CancelledOccurrences = []string{"occ1"}
	series.ExceptionOccurrences = []outlook.Event{{ID: "exc1", Type: outlook.Exception, SeriesMasterID: series.ID}}
	w := &tenant{events: []outlook.Event{series}}
	c := start(t, w, nil)
	immutable := []string{"Prefer", `IdType="ImmutableId"`}
	got := c.do(t, "GET", "/users/u/events/x?$select=subject,cancelledOccurrences&$expand=exceptionOccurrences,singleValueExtendedProperties($filter=id%20eq%20'"+strings.ReplaceAll(property, " ", "%20")+"')", "", immutable...)
	if !w.master || got.at("cancelledOccurrences", "0") != "occ1" || got.at("exceptionOccurrences", "0", "id") != "exc1" {
		t.Errorf("master: %s", got.raw)
	}
	if got.at("singleValueExtendedProperties", "0", "value") != "mark-1" || got.at("singleValueExtendedProperties", "0", "id") != property {
		t.Errorf("property: %s", got.raw)
	}
	var keys map[string]json.RawMessage
	_ = json.Unmarshal([]byte(got.raw), &keys)
	if len(keys) != 7 { // context, etag, id, subject and the three that were asked for
		t.Errorf("$select kept %d members: %s", len(keys), got.raw)
	}
	w.master = false
	if c.do(t, "GET", "/users/u/events/x?$select=subject", ""); w.master {
		t.Error("the series was read whole though nobody asked")
	}
	c.do(t, "GET", "/users/u/events/x?$select=subjekt", "").want(t, 400, "RequestBroker--ParseUri")
	c.do(t, "GET", "/users/u/events/x?$expand=everything", "").want(t, 400, "BadRequest")
}

func TestFilters(t *testing.T) {
	w := &tenant{events: []outlook.Event{meeting()}}
	c := start(t, w, nil)
	escaped := strings.NewReplacer(" ", "%20", "'", "%27").Replace
	mark := "singleValueExtendedProperties/Any(ep: ep/id eq '" + property + "' and ep/value eq 'it''s')"
	if got := c.do(t, "GET", "/users/u/events?$filter="+escaped(mark), ""); got.status != 200 || w.origin != "it's" || w.uid != "" {
		t.Errorf("mark: %d, origin %q", got.status, w.origin)
	}
	if got := c.do(t, "GET", "/users/u/calendars/c/events?$filter="+escaped("iCalUId eq 'uid1'"), ""); got.at("value", "0", "iCalUId") != "uid1" || w.uid != "uid1" || w.origin != "" {
		t.Errorf("uid: %s", got.raw)
	}
	other := strings.ReplaceAll(mark, "usher", "another")
	if got := c.do(t, "GET", "/users/u/events?$filter="+escaped(other), ""); got.at("value", "0") != nil {
		t.Errorf("another property found %s", got.raw)
	}
	c.do(t, "GET", "/users/u/events?$filter="+escaped("subject eq 'x'"), "").want(t, 400, "ErrorInvalidUrlQueryFilter")
	c.do(t, "GET", "/users/u/events", "").want(t, 501, "NotImplemented")
}
