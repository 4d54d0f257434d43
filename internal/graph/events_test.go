package graph_test

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	"usher/internal/graph"
	"usher/model/outlook"
)

func TestDrafts(t *testing.T) {
	at := func(text string) *outlook.Moment {
		return &outlook.Moment{DateTime: text, TimeZone: "W. Europe Standard Time"}
	}
	for name, test := range map[string]struct {
		draft outlook.Draft
		want  string
	}{
		"nothing is nothing": {outlook.Draft{}, `{}`},
		"everything": {
			outlook.Draft{
				Subject: pointer("Tea"), Body: &outlook.Body{ContentType: "html", Content: "<p>Tea</p>"}, Start: at("2026-11-23T09:00:00"), End: at("2026-11-23T10:00:00"),
				AllDay: pointer(false), Location: &outlook.Location{DisplayName: "Tea room", Email: "tea@contoso.com"}, ShowAs: pointer("oof"), Sensitivity: pointer("private"),
				Attendees:     &[]outlook.Attendee{{Address: outlook.Address{Email: "tea@contoso.com"}, Type: outlook.Resource}, {Address: outlook.Address{Email: "c@contoso.com", Name: "Charles"}, Type: outlook.Required}},
				OnlineMeeting: pointer(true), Origin: "w1",
			},
			`{"subject":"Tea","body":{"contentType":"html","content":"<p>Tea</p>"},"start":{"dateTime":"2026-11-23T09:00:00","timeZone":"W. Europe Standard Time"},
			"end":{"dateTime":"2026-11-23T10:00:00","timeZone":"W. Europe Standard Time"},"isAllDay":false,"location":{"displayName":"Tea room","locationEmailAddress":"tea@contoso.com"},
			"showAs":"oof","sensitivity":"private","attendees":[{"type":"resource","emailAddress":{"address":"tea@contoso.com"}},{"type":"required","emailAddress":{"address":"c@contoso.com","name":"Charles"}}],
			"isOnlineMeeting":true,"onlineMeetingProvider":"teamsForBusiness",
			"singleValueExtendedProperties":[{"id":"` + graph.OriginProperty + `","value":"w1"}]}`,
		},
		"what is empty is emptied": {
			outlook.Draft{Subject: pointer(""), Body: &outlook.Body{ContentType: "text"}, Location: &outlook.Location{}, Attendees: &[]outlook.Attendee{}, NoRecurrence: true, OnlineMeeting: pointer(false)},
			`{"subject":"","body":{"contentType":"text","content":""},"location":{"displayName":""},"attendees":[],"recurrence":null,"isOnlineMeeting":false}`,
		},
		"a series in the zone of its start": {
			outlook.Draft{Start: at("2026-11-23T09:00:00"), Recurrence: &outlook.Recurrence{
				Pattern: outlook.Pattern{Type: outlook.Weekly, Interval: 2, DaysOfWeek: []string{"monday", "friday"}, FirstDayOfWeek: "monday", DayOfMonth: 5, Month: 6, Index: "last"},
				Range:   outlook.Range{Type: outlook.EndDate, StartDate: "2026-11-23", EndDate: "2027-01-31", NumberOfOccurrences: 9},
			}},
			`{"start":{"dateTime":"2026-11-23T09:00:00","timeZone":"W. Europe Standard Time"},"recurrence":{
			"pattern":{"type":"weekly","interval":2,"daysOfWeek":["monday","friday"],"firstDayOfWeek":"monday"},
			"range":{"type":"endDate","startDate":"2026-11-23","endDate":"2027-01-31","recurrenceTimeZone":"W. Europe Standard Time"}}}`,
		},
		"a yearly series without end, in its own zone": {
			outlook.Draft{Start: at("2026-11-23T09:00:00"), Recurrence: &outlook.Recurrence{
				Pattern: outlook.Pattern{Type: outlook.RelativeYearly, Interval: 1, DaysOfWeek: []string{"monday"}, Index: "last", Month: 11, DayOfMonth: 3},
				Range:   outlook.Range{Type: outlook.NoEnd, StartDate: "2026-11-23", TimeZone: "Europe/Copenhagen", EndDate: "0001-01-01"},
			}},
			`{"start":{"dateTime":"2026-11-23T09:00:00","timeZone":"W. Europe Standard Time"},"recurrence":{"pattern":{"type":"relativeYearly","interval":1,"daysOfWeek":["monday"],"index":"last","month":11},
			"range":{"type":"noEnd","startDate":"2026-11-23","recurrenceTimeZone":"Europe/Copenhagen"}}}`,
		},
		"a number of days": {
			outlook.Draft{Recurrence: &outlook.Recurrence{
				Pattern: outlook.Pattern{Type: outlook.Daily, Interval: 1, DaysOfWeek: []string{"monday"}},
				Range:   outlook.Range{Type: outlook.Numbered, StartDate: "2026-11-23", NumberOfOccurrences: 10},
			}},
			`{"recurrence":{"pattern":{"type":"daily","interval":1},"range":{"type":"numbered","startDate":"2026-11-23","numberOfOccurrences":10}}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, ok(`{"id":"e","changeKey":"k2"}`))
			got, err := w.client().UpdateEvent(t.Context(), outlook.CalendarRef{Mailbox: ada}, "e", test.draft, "k1")
			if err != nil || !reflect.DeepEqual(got, outlook.Event{ID: "e", ChangeKey: "k2", Origin: test.draft.Origin}) {
				t.Errorf("%+v, %v", got, err)
			}
			checkRequest(t, w.asked(1)[0], story{method: "PATCH", path: "/v1.0/users/" + ada + "/events/e", prefer: single, ifMatch: `W/"k1"`, body: test.want})
		})
	}
}

func TestCreate(t *testing.T) {
	run(t, []story{
		{
			name: "in the default calendar",
			call: func(ctx context.Context, c *graph.Client) (any, error) {
				return c.CreateEvent(ctx, outlook.CalendarRef{Mailbox: ada}, outlook.Draft{Subject: pointer("Tea"), TransactionID: "t1"})
			},
			method: "POST", path: "/v1.0/users/" + ada + "/events", prefer: single, body: `{"subject":"Tea","transactionId":"t1"}`,
			answer: answer{status: 201, body: `{"id":"e","transactionId":"t1"}`}, want: outlook.Event{ID: "e", TransactionID: "t1"},
		},
		{
			name: "in another one",
			call: func(ctx context.Context, c *graph.Client) (any, error) {
				return c.CreateEvent(ctx, outlook.CalendarRef{Mailbox: ada, Calendar: "c1"}, outlook.Draft{Subject: pointer("Tea")})
			},
			method: "POST", path: "/v1.0/users/" + ada + "/calendars/c1/events", prefer: single, body: `{"subject":"Tea"}`,
			answer: answer{status: 201, body: `{"id":"e"}`}, want: outlook.Event{ID: "e"},
		},
	})
	t.Run("the transaction id is for creations", func(t *testing.T) {
		w := newWorld(t, ok(`{"id":"e"}`))
		if _, err := w.client().UpdateEvent(t.Context(), outlook.CalendarRef{Mailbox: ada}, "e", outlook.Draft{TransactionID: "t1"}, ""); err != nil {
			t.Fatal(err)
		}
		checkRequest(t, w.asked(1)[0], story{method: "PATCH", path: "/v1.0/users/" + ada + "/events/e", prefer: single, body: `{}`})
	})
}

func TestDraftsThatGraphDoesNotHave(t *testing.T) {
	series := func(p outlook.Pattern, r outlook.Range) outlook.Draft {
		return outlook.Draft{Recurrence: &outlook.Recurrence{Pattern: p, Range: r}}
	}
	forever := outlook.Range{Type: outlook.NoEnd, StartDate: "2026-11-23"}
	for name, draft := range map[string]outlook.Draft{
		"availability": {ShowAs: pointer("asleep")},
		"sensitivity":  {Sensitivity: pointer("secret")},
		"content type": {Body: &outlook.Body{ContentType: "markdown"}},
		"attendee":     {Attendees: &[]outlook.Attendee{{Type: "guest"}}},
		"pattern":      series(outlook.Pattern{Type: "hourly"}, forever),
		"day":          series(outlook.Pattern{Type: outlook.Weekly, DaysOfWeek: []string{"Caturday"}}, forever),
		"first day":    series(outlook.Pattern{Type: outlook.Weekly, FirstDayOfWeek: "x"}, forever),
		"index":        series(outlook.Pattern{Type: outlook.RelativeMonthly, Index: "fifth"}, forever),
		"range":        series(outlook.Pattern{Type: outlook.Daily}, outlook.Range{Type: "sometimes", StartDate: "2026-11-23"}),
		"first date":   series(outlook.Pattern{Type: outlook.Daily}, outlook.Range{Type: outlook.NoEnd, StartDate: "tomorrow"}),
		"last date":    series(outlook.Pattern{Type: outlook.Daily}, outlook.Range{Type: outlook.EndDate, StartDate: "2026-11-23"}),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			_, err := w.client().CreateEvent(t.Context(), outlook.CalendarRef{Mailbox: ada}, draft)
			checkKind(t, err, outlook.Invalid)
		})
	}
}

const fullEvent = `{"@odata.type":"#microsoft.graph.event","@odata.etag":"W/\"ck\"","id":"e","createdDateTime":"2026-11-20T08:00:00.1234567Z","lastModifiedDateTime":"2026-11-20T10:00:00+01:00",
	"changeKey":"ck","categories":["Red"],"transactionId":null,"originalStartTimeZone":"W. Europe Standard Time","originalEndTimeZone":"tzone://Microsoft/Custom","iCalUId":"040A",
	"uid":"040A","occurrenceId":"x","reminderMinutesBeforeStart":15,"subject":"Tea ☕","bodyPreview":"p","importance":"high","sensitivity":"private","isAllDay":false,"isCancelled":true,
	"isDraft":true,"isOrganizer":true,"responseRequested":true,"seriesMasterId":null,"showAs":"workingElsewhere","type":"seriesMaster","webLink":"https://outlook.office365.com/e",
	"onlineMeetingUrl":null,"isOnlineMeeting":true,"onlineMeetingProvider":"carrierPigeon","onlineMeeting":{"joinUrl":"https://teams.microsoft.com/l/1"},"hideAttendees":false,
	"originalStart":"2026-11-23T08:00:00Z","responseStatus":{"response":"organizer","time":"0001-01-01T00:00:00Z"},"body":{"contentType":"html","content":"<html></html>"},
	"start":{"dateTime":"2026-11-23T08:00:00.0000000","timeZone":"UTC"},"end":{"dateTime":"2026-11-23T09:00:00.0000000","timeZone":"UTC"},
	"location":{"displayName":"Tea room","locationEmailAddress":"tea@contoso.com","locationType":"default","uniqueIdType":"private","address":{},"coordinates":{}},"locations":[{"displayName":"Tea room"}],
	"recurrence":{"pattern":{"type":"relativeMonthly","interval":1,"month":0,"dayOfMonth":0,"daysOfWeek":["monday"],"firstDayOfWeek":"sunday","index":"last"},
		"range":{"type":"noEnd","startDate":"2026-11-23","endDate":"0001-01-01","recurrenceTimeZone":"W. Europe Standard Time","numberOfOccurrences":0}},
	"attendees":[null,{"type":"required","status":{"response":"accepted","time":"2026-11-20T09:00:00Z"},"emailAddress":{"name":"Charles","address":"c@contoso.com"}},{"type":"optional","status":null,"emailAddress":null}],
	"organizer":{"emailAddress":{"name":"Ada Lovelace","address":"ada@contoso.com"}}}`

func TestDecode(t *testing.T) {
	utc := func(hour int) outlook.Moment {
		return outlook.Moment{DateTime: "2026-11-23T0" + string(rune('0'+hour)) + ":00:00.0000000", TimeZone: "UTC"}
	}
	full := outlook.Event{
		ID: "e", ChangeKey: "ck", ICalUID: "040A", Type: outlook.SeriesMaster, Subject: "Tea ☕", Body: outlook.Body{ContentType: "html", Content: "<html></html>"}, BodyPreview: "p",
		Location: outlook.Location{DisplayName: "Tea room", Email: "tea@contoso.com"}, Start: utc(8), End: utc(9), ShowAs: "workingElsewhere", Sensitivity: "private", Importance: "high",
		Categories: []string{"Red"}, OriginalStartTimeZone: "W. Europe Standard Time", OriginalEndTimeZone: "tzone://Microsoft/Custom", OriginalStart: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC),
		IsCancelled: true, IsOrganizer: true, IsDraft: true, Organizer: outlook.Address{Email: "ada@contoso.com", Name: "Ada Lovelace"}, Response: outlook.ResponseOrganizer,
		Attendees: []outlook.Attendee{
			{Address: outlook.Address{Email: "c@contoso.com", Name: "Charles"}, Type: outlook.Required, Response: outlook.ResponseAccepted, At: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)},
			{Type: outlook.Optional},
		},
		Recurrence: &outlook.Recurrence{
			Pattern: outlook.Pattern{Type: outlook.RelativeMonthly, Interval: 1, DaysOfWeek: []string{"monday"}, Index: "last"},
			Range:   outlook.Range{Type: outlook.NoEnd, StartDate: "2026-11-23", TimeZone: "W. Europe Standard Time"},
		},
		OnlineMeeting: true, OnlineMeetingURL: "https://teams.microsoft.com/l/1", WebLink: "https://outlook.office365.com/e",
		CreatedAt: time.Date(2026, 11, 20, 8, 0, 0, 123456700, time.UTC), UpdatedAt: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC),
	}
	for name, test := range map[string]struct {
		text string
		want outlook.Event
	}{
		"everything": {fullEvent, full},
		"a stub": {
			`{"@odata.type":"#microsoft.graph.event","@odata.etag":"W/\"ck\"","seriesMasterId":"m","type":"occurrence","id":"o","start":{"dateTime":"2026-11-23T08:00:00.0000000","timeZone":"UTC"},"end":{"dateTime":"2026-11-23T09:00:00.0000000","timeZone":"UTC"}}`,
			outlook.Event{ID: "o", ChangeKey: "ck", SeriesMasterID: "m", Type: outlook.Occurrence, Stub: true, Start: utc(8), End: utc(9)},
		},
		"an occurrence in full": {
			`{"id":"o","type":"occurrence","subject":"","isCancelled":false,"iCalUId":"040A"}`,
			outlook.Event{ID: "o", Type: outlook.Occurrence, ICalUID: "040A"},
		},
		"what was deleted":   {`{"@odata.type":"#microsoft.graph.event","id":"e","@removed":{"reason":"deleted"}}`, outlook.Event{ID: "e", Removed: "deleted"}},
		"what left":          {`{"id":"e","@removed":{"reason":"changed"}}`, outlook.Event{ID: "e", Removed: "changed"}},
		"removed, no reason": {`{"id":"e","@removed":{"because":["x"]}}`, outlook.Event{ID: "e", Removed: "deleted"}},
		"words of tomorrow":  {`{"id":"e","type":"brandNew","showAs":"unknownFutureValue","importance":"x"}`, outlook.Event{ID: "e"}},
		"a series of a number": {
			`{"id":"e","recurrence":{"pattern":{"type":"absoluteYearly","interval":2,"dayOfMonth":5,"month":11,"daysOfWeek":[],"firstDayOfWeek":"sunday","index":"first"},"range":{"type":"numbered","numberOfOccurrences":3,"startDate":"2026-11-05","endDate":"0001-01-01"}}}`,
			outlook.Event{ID: "e", Recurrence: &outlook.Recurrence{
				Pattern: outlook.Pattern{Type: outlook.AbsoluteYearly, Interval: 2, DayOfMonth: 5, Month: 11},
				Range:   outlook.Range{Type: outlook.Numbered, StartDate: "2026-11-05", NumberOfOccurrences: 3},
			}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := graph.DecodeEvent([]byte(test.text))
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("got\n%+v, %v\nwant\n%+v", got, err, test.want)
			}
		})
	}
}

// TestArguments: an empty id would turn a request about one thing into one about all of them.
func TestArguments(t *testing.T) {
	cal := outlook.CalendarRef{Mailbox: ada}
	for name, call := range map[string]func(context.Context, *graph.Client) error{
		"user":      func(ctx context.Context, c *graph.Client) error { _, err := c.User(ctx, ""); return err },
		"group":     func(ctx context.Context, c *graph.Client) error { _, err := c.GroupMembers(ctx, "", ""); return err },
		"calendars": func(ctx context.Context, c *graph.Client) error { _, err := c.Calendars(ctx, ""); return err },
		"delta": func(ctx context.Context, c *graph.Client) error {
			_, err := c.Delta(ctx, outlook.CalendarRef{}, window, "")
			return err
		},
		"empty window": func(ctx context.Context, c *graph.Client) error {
			_, err := c.Delta(ctx, cal, outlook.Window{From: start, To: start}, "")
			return err
		},
		"event": func(ctx context.Context, c *graph.Client) error { _, err := c.Event(ctx, cal, ""); return err },
		"mailbox": func(ctx context.Context, c *graph.Client) error {
			_, err := c.Event(ctx, outlook.CalendarRef{}, "e")
			return err
		},
		"instances": func(ctx context.Context, c *graph.Client) error {
			_, err := c.Instances(ctx, cal, "", window, "")
			return err
		},
		"find neither": func(ctx context.Context, c *graph.Client) error { _, err := c.FindEvents(ctx, cal, "", ""); return err },
		"find both": func(ctx context.Context, c *graph.Client) error {
			_, err := c.FindEvents(ctx, cal, "a", "b")
			return err
		},
		"update": func(ctx context.Context, c *graph.Client) error {
			_, err := c.UpdateEvent(ctx, cal, "", outlook.Draft{}, "")
			return err
		},
		"cancel":       func(ctx context.Context, c *graph.Client) error { return c.CancelEvent(ctx, cal, "", "") },
		"delete":       func(ctx context.Context, c *graph.Client) error { return c.DeleteEvent(ctx, cal, "", "") },
		"subscription": func(ctx context.Context, c *graph.Client) error { return c.Unsubscribe(ctx, "") },
		"reauthorize":  func(ctx context.Context, c *graph.Client) error { return c.Reauthorize(ctx, "") },
		"long state": func(ctx context.Context, c *graph.Client) error {
			_, err := c.Subscribe(ctx, outlook.NewSubscription{Calendar: cal, NotificationURL: "https://usher.contoso.example", ClientState: strings.Repeat("x", 129)})
			return err
		},
		"21 schedules": func(ctx context.Context, c *graph.Client) error {
			_, err := c.Schedules(ctx, ada, make([]string, 21), window)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			checkKind(t, call(t.Context(), w.client()), outlook.Invalid)
			w.asked(0)
		})
	}
}
