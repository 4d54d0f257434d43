package calendarbridge

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"usher/model"
	"usher/model/outlook"
)

func testNormalizer() normalizer { return normalizer{clean: newCleaner(), zone: "Europe/Copenhagen"} }

// standUp gives a plain event as Graph gives it: in UTC, made in Berlin.
func standUp(change ...func(*outlook.Event)) outlook.Event {
	e := outlook.Event{
		ID: "AAMk1", ChangeKey: "k1", ICalUID: "uid-1", Type: outlook.SingleInstance, Subject: "Stand-up",
		Body:  outlook.Body{ContentType: "html", Content: "<html><body><p>Hello <b>all</b></p></body></html>"},
		Start: outlook.Moment{DateTime: "2026-07-01T07:00:00.0000000", TimeZone: "UTC"}, End: outlook.Moment{DateTime: "2026-07-01T07:30:00.0000000", TimeZone: "UTC"},
		OriginalStartTimeZone: "W. Europe Standard Time", OriginalEndTimeZone: "W. Europe Standard Time", ShowAs: "busy", Sensitivity: "normal",
		IsOrganizer: true, Organizer: outlook.Address{Email: "ada@contoso.example"}, Response: outlook.ResponseOrganizer,
		Attendees: []outlook.Attendee{{Address: outlook.Address{Email: "grace@contoso.example"}, Type: outlook.Required, Response: outlook.NotResponded}},
	}
	for _, f := range change {
		f(&e)
	}
	return e
}

func normal(t *testing.T, e outlook.Event) model.Event {
	t.Helper()
	got, err := testNormalizer().event(model.Calendar{ID: "c"}, e)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestNormalizeTimes(t *testing.T) {
	for _, tt := range []struct {
		name                 string
		change               func(*outlook.Event)
		wall, zone, utc, end string
	}{
		{"a Windows zone", func(*outlook.Event) {}, "2026-07-01T09:00:00", "Europe/Berlin", "2026-07-01T07:00:00Z", "2026-07-01T09:30:00"},
		{"an IANA zone", func(e *outlook.Event) { e.OriginalStartTimeZone, e.OriginalEndTimeZone = "Asia/Tokyo", "Asia/Tokyo" }, "2026-07-01T16:00:00", "Asia/Tokyo", "2026-07-01T07:00:00Z", "2026-07-01T16:30:00"},
		{
			"a zone of the author's own is the mailbox's",
			func(e *outlook.Event) {
				e.OriginalStartTimeZone, e.OriginalEndTimeZone = "tzone://Microsoft/Custom", "tzone://Microsoft/Custom"
			}, "2026-07-01T09:00:00", "Europe/Copenhagen", "2026-07-01T07:00:00Z", "2026-07-01T09:30:00",
		},
		{"ends in another zone", func(e *outlook.Event) { e.OriginalEndTimeZone = "GMT Standard Time" }, "2026-07-01T09:00:00", "Europe/Berlin", "2026-07-01T07:00:00Z", "2026-07-01T08:30:00"},
		{
			"all day is a date, whatever zone it was made in",
			func(e *outlook.Event) {
				e.AllDay = true
				e.Start.DateTime, e.End.DateTime, e.OriginalStartTimeZone = "2026-07-01T00:00:00.0000000", "2026-07-02T00:00:00.0000000", "Tokyo Standard Time"
			}, "2026-07-01T00:00:00", "Asia/Tokyo", "2026-07-01T00:00:00Z", "2026-07-02T00:00:00",
		},
		{
			"all day that came as the instant of a local midnight",
			func(e *outlook.Event) {
				e.AllDay, e.Start.DateTime, e.End.DateTime = true, "2026-06-30T22:00:00", "2026-07-01T22:00:00"
			},
			"2026-07-01T00:00:00", "Europe/Berlin", "2026-07-01T00:00:00Z", "2026-07-02T00:00:00",
		},
		{
			"all day without an end takes a day",
			func(e *outlook.Event) {
				e.AllDay, e.Start.DateTime, e.End.DateTime = true, "2026-07-01T00:00:00", "2026-07-01T00:00:00"
			},
			"2026-07-01T00:00:00", "Europe/Berlin", "2026-07-01T00:00:00Z", "2026-07-02T00:00:00",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := normal(t, standUp(tt.change))
			if got.Start.DateTime != tt.wall || got.Start.TimeZone != tt.zone || got.Start.UTC.Format(time.RFC3339) != tt.utc || got.End.DateTime != tt.end {
				t.Errorf("got %+v until %+v", got.Start, got.End)
			}
		})
	}
}

func TestNormalizeRefuses(t *testing.T) {
	for name, change := range map[string]func(*outlook.Event){
		"no start":           func(e *outlook.Event) { e.Start.DateTime = "" },
		"no end":             func(e *outlook.Event) { e.End = outlook.Moment{} },
		"end before start":   func(e *outlook.Event) { e.End.DateTime = "2026-07-01T06:00:00" },
		"an offset":          func(e *outlook.Event) { e.Start.DateTime = "2026-07-01T07:00:00+02:00" },
		"no id":              func(e *outlook.Event) { e.ID = "" },
		"an id without end":  func(e *outlook.Event) { e.ID = strings.Repeat("A", 5000) },
		"a year out of mind": func(e *outlook.Event) { e.End.DateTime = "9999-12-31T23:59:59" },
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := testNormalizer().event(model.Calendar{}, standUp(change)); err == nil {
				t.Errorf("took %+v", got)
			}
		})
	}
}

func TestNormalizeKeepsLittleOfPrivateEvents(t *testing.T) {
	for _, label := range []string{"private", "confidential", "personal", "somethingNew"} {
		got := normal(t, standUp(func(e *outlook.Event) {
			e.Sensitivity, e.Location, e.OnlineMeetingURL = label, outlook.Location{DisplayName: "Here", Email: "here@contoso.example"}, "https://meet.example"
		}))
		if got.Subject+got.Body+got.Location+got.LocationEmail+got.MeetingURL+got.Organizer.Email != "" || len(got.Attendees) != 0 {
			t.Errorf("%s: kept %+v", label, got)
		}
		if got.Sensitivity != "private" || got.ShowAs != "busy" || got.Start.DateTime == "" {
			t.Errorf("%s: lost %+v", label, got)
		}
	}
}

func TestNormalizeBodies(t *testing.T) {
	for _, tt := range []struct{ kind, in, want string }{
		{"html", "<html><head><style>p{}</style></head><body><p>Hi</p><script>alert(1)</script></body></html>", "<p>Hi</p>"},
		{"html", `<a href="javascript:alert(1)">x</a><img src=x onerror=alert(1)>`, `x<img src="x">`},
		{"text", "a < b\nc", "a &lt; b<br>c"},
		{"html", "a\x00b\xff", "ab\uFFFD"},
	} {
		if got := newCleaner().body(tt.kind, tt.in); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.in, got, tt.want)
		}
	}
	huge := "<b>" + strings.Repeat("é ", 2<<20) + "</b>"
	if got := newCleaner().body("html", huge); len(got) > maxBody || !utf8.ValidString(got) || !strings.Contains(got, "é") {
		t.Errorf("a huge body has %d bytes", len(got))
	}
}

func TestHashTellsWhatMatters(t *testing.T) {
	base := normal(t, standUp())
	for name, tt := range map[string]struct {
		change func(*outlook.Event)
		same   bool
	}{
		"another change key":        {func(e *outlook.Event) { e.ChangeKey = "k2" }, true},
		"the body rewritten":        {func(e *outlook.Event) { e.Body.Content = "<div>Hello  <b>all</b></div>\r\n" }, true},
		"another time stamp":        {func(e *outlook.Event) { e.UpdatedAt = time.Now() }, true},
		"another subject":           {func(e *outlook.Event) { e.Subject = "Sit-down" }, false},
		"another body":              {func(e *outlook.Event) { e.Body.Content = "Bye" }, false},
		"another time":              {func(e *outlook.Event) { e.End.DateTime = "2026-07-01T08:00:00" }, false},
		"another zone":              {func(e *outlook.Event) { e.OriginalStartTimeZone = "Tokyo Standard Time" }, false},
		"an answer":                 {func(e *outlook.Event) { e.Attendees[0].Response = outlook.ResponseAccepted }, false},
		"cancelled":                 {func(e *outlook.Event) { e.IsCancelled = true }, false},
		"another state of the time": {func(e *outlook.Event) { e.ShowAs = "oof" }, false},
	} {
		if got := normal(t, standUp(tt.change)); (got.Hash == base.Hash) != tt.same {
			t.Errorf("%s: the hash is the same: %v", name, !tt.same)
		}
	}
}

// TestNormalizeIsSafe draws texts of all kinds: whatever comes, what is kept can be stored and is the same again.
func TestNormalizeIsSafe(t *testing.T) {
	n := testNormalizer()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }))
		e := standUp(func(e *outlook.Event) {
			e.Subject, e.Body.Content, e.Location.DisplayName = text.Draw(t, "subject"), text.Draw(t, "body"), text.Draw(t, "place")
			e.Body.ContentType = rapid.SampledFrom([]string{"html", "text", "", "other"}).Draw(t, "type")
			e.ShowAs, e.Sensitivity = text.Draw(t, "show"), rapid.SampledFrom([]string{"normal", "", "private"}).Draw(t, "sensitivity")
			e.Attendees[0].Name = text.Draw(t, "name")
		})
		got, err := n.event(model.Calendar{}, e)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []string{got.Subject, got.Body, got.Location, got.ShowAs} {
			if !utf8.ValidString(s) || strings.ContainsRune(s, 0) || len(s) > maxBody {
				t.Fatalf("kept %q", s)
			}
		}
		again, _ := n.event(model.Calendar{}, e)
		if again.Hash != got.Hash {
			t.Fatal("the hash of the same event differs")
		}
		stored := got
		stored.Body = n.clean.body("html", got.Body)
		if n.hash(stored) != got.Hash {
			t.Fatalf("the hash of what is kept differs: %q and %q", got.Body, stored.Body)
		}
	})
}

func TestRecurrenceIsOfOneForm(t *testing.T) {
	graph := outlook.Recurrence{
		Pattern: outlook.Pattern{Type: outlook.Weekly, Interval: 1, DaysOfWeek: []string{"Friday", "monday"}, DayOfMonth: 0, Index: "first"},
		Range:   outlook.Range{Type: outlook.EndDate, StartDate: "2026-07-03", EndDate: "2026-09-01", TimeZone: "W. Europe Standard Time"},
	}
	want := `{"pattern":{"type":"weekly","interval":1,"daysOfWeek":["monday","friday"],"firstDayOfWeek":"sunday"},` +
		`"range":{"type":"endDate","startDate":"2026-07-03","endDate":"2026-09-01","recurrenceTimeZone":"Europe/Berlin"}}`
	raw := writeRecurrence(graph)
	if string(raw) != want {
		t.Errorf("got %s", raw)
	}
	read, err := ParseRecurrence(raw)
	if err != nil || string(writeRecurrence(read)) != want {
		t.Errorf("read back %+v, %v", read, err)
	}
	for in, name := range map[string]string{
		`{"pattern":{"type":"daily","interval":"often"}}`:     "recurrence.pattern.interval",
		`{"pattern":{"type":"weekly","daysOfWeek":["moon"]}}`: "recurrence.pattern.daysOfWeek",
		`{"pattern":{},"rules":1}`:                            "recurrence",
		`[]`:                                                  "recurrence",
	} {
		_, err := ParseRecurrence([]byte(in))
		if e, ok := errors.AsType[*model.Error](err); !ok || e.Kind != model.Invalid || e.Field != name {
			t.Errorf("%s: got %v", in, err)
		}
	}
}

func TestHydrate(t *testing.T) {
	master := standUp(func(e *outlook.Event) {
		e.Type, e.TransactionID = outlook.SeriesMaster, "t"
		e.Recurrence = &outlook.Recurrence{Pattern: outlook.Pattern{Type: outlook.Daily, Interval: 1}}
	})
	stub := outlook.Event{
		ID: "AAMk2", ChangeKey: "k9", SeriesMasterID: "AAMk1", Type: outlook.Occurrence, Stub: true,
		Start: outlook.Moment{DateTime: "2026-07-02T07:00:00", TimeZone: "UTC"}, End: outlook.Moment{DateTime: "2026-07-02T07:30:00", TimeZone: "UTC"},
	}
	got := normal(t, hydrate(master, stub))
	if got.Subject != "Stand-up" || got.Kind != model.EventOccurrence || got.GraphID != "AAMk2" || got.ChangeKey != "k9" || got.TransactionID != "" ||
		got.SeriesGraphID != "AAMk1" || got.Start.DateTime != "2026-07-02T09:00:00" || got.OriginalStart == nil || len(got.Recurrence) != 0 {
		t.Errorf("got %+v", got)
	}
	full := hydrate(master, stub)
	full.OriginalStart = time.Date(2026, 7, 2, 7, 0, 0, 0, time.UTC)
	if normal(t, full).Hash != got.Hash {
		t.Error("an occurrence that came whole has another hash than its stub")
	}
	exception := standUp(func(e *outlook.Event) { e.ID, e.Type, e.Subject, e.ICalUID = "AAMk3", outlook.Exception, "Moved", "" })
	if got := normal(t, hydrate(master, exception)); got.Subject != "Moved" || got.SeriesGraphID != "AAMk1" || got.ICalUID != "uid-1" {
		t.Errorf("an exception became %+v", got)
	}
}
