package calendarbridge

import (
	"context"
	"fmt"
	"testing"
	"time"

	"usher/internal/secret"
	"usher/model"
	"usher/model/outlook"
	"usher/model/store"
	"usher/model/store/storetest"
)

// pagesAsked is how many events the door to Microsoft Graph asks for per page.
const pagesAsked = 50

// script is a tenant whose pages are in memory, so that only the bridge is measured. What is not written here is not asked.
type script struct {
	graph
	events []outlook.Event
}

// Delta gives the pages of all events: once for a round that brings everything, behind which nothing has changed meanwhile, and
// once for each later one.
func (s *script) Delta(_ context.Context, _ outlook.CalendarRef, _ outlook.Window, link string) (outlook.DeltaPage, error) {
	kind, from := orElse(link, "full 0"), 0
	if kind == "meanwhile" {
		return outlook.DeltaPage{Delta: "changed 0"}, nil
	}
	if _, err := fmt.Sscanf(kind, "%s %d", &kind, &from); err != nil {
		return outlook.DeltaPage{}, err
	}
	to := min(from+pagesAsked, len(s.events))
	page := outlook.DeltaPage{Events: s.events[from:to]}
	switch {
	case to < len(s.events):
		page.Next = fmt.Sprintf("%s %d", kind, to)
	case kind == "full":
		page.Delta = "meanwhile"
	default:
		page.Delta = "changed 0"
	}
	return page, nil
}

// meetings makes single events as a delta gives them: a subject, a body as Outlook writes it, a place, two attendees.
func meetings(n, version int) []outlook.Event {
	list := make([]outlook.Event, n)
	for i := range list {
		at := begin().Add(time.Duration(i%8000) * time.Hour)
		list[i] = outlook.Event{
			ID: fmt.Sprintf("AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A%08d", i), ChangeKey: fmt.Sprintf("DwAAABYAAAC %d", version), ICalUID: fmt.Sprintf("040000008200E00074C5B7101A82E008%08d", i),
			Type: outlook.SingleInstance, Subject: fmt.Sprintf("Meeting %d, version %d", i, version),
			Body: outlook.Body{ContentType: "html", Content: "<html><head>\r\n<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\"></head><body>" +
				"<div style=\"font-family:Calibri; font-size:11pt\"><p>Dear all,</p><p>please read the <a href=\"https://contoso.com/plan\">plan</a> before we meet.</p></div></body></html>"},
			Location: outlook.Location{DisplayName: "Room Pascal"}, ShowAs: "busy", Sensitivity: "normal",
			Start:                 outlook.Moment{DateTime: at.Format("2006-01-02T15:04:05.0000000"), TimeZone: "UTC"},
			End:                   outlook.Moment{DateTime: at.Add(time.Hour).Format("2006-01-02T15:04:05.0000000"), TimeZone: "UTC"},
			OriginalStartTimeZone: "W. Europe Standard Time", OriginalEndTimeZone: "W. Europe Standard Time",
			Organizer: outlook.Address{Email: "ada.lovelace@contoso.com", Name: "Ada Lovelace"}, IsOrganizer: true, Response: outlook.ResponseOrganizer,
			Attendees: []outlook.Attendee{
				{Address: outlook.Address{Email: "ada.lovelace@contoso.com", Name: "Ada Lovelace"}, Type: outlook.Required, Response: outlook.ResponseAccepted},
				{Address: outlook.Address{Email: "pascal@contoso.com", Name: "Room Pascal"}, Type: outlook.Resource, Response: outlook.ResponseAccepted},
			},
		}
	}
	return list
}

// BenchmarkDelta applies the pages of 10,000 events of one calendar: events that are new, that were changed, and that come
// back as they are.
func BenchmarkDelta(b *testing.B) {
	const events = 10_000
	for _, db := range []struct {
		name string
		open storetest.URL
	}{{"SQLite", storetest.SQLiteURL}, {"PostgreSQL", storetest.PostgresURL}} {
		for _, what := range []string{"new", "changed", "unchanged"} {
			b.Run(what+"/"+db.name, func(b *testing.B) {
				s := newScripted(b, db.open(b))
				var took time.Duration
				for b.Loop() {
					cal := s.newCalendar()
					version := 0
					if what != "new" {
						s.script.events = meetings(events, version)
						s.sync(cal)
					}
					if what == "changed" {
						version = 1
					}
					s.script.events = meetings(events, version)
					took += s.sync(cal)
				}
				b.ReportMetric(float64(events*b.N)/took.Seconds(), "events/s")
			})
		}
	}
}

type scripted struct {
	*testing.B
	script *script
	svc    *Service
	ref    model.Ref
	n      int
}

func newScripted(b *testing.B, url string) *scripted {
	b.Helper()
	s := &scripted{B: b, script: &script{}}
	now := func() time.Time { return begin() }
	st := storetest.OpenWith(b, store.Options{URL: url, Now: now})
	keys, err := secret.Parse(secret.NewKey())
	if err != nil {
		b.Fatal(err)
	}
	s.ref = storetest.Ref(b, st)
	s.svc = New(Options{
		Store: st, Keys: keys, PublicURL: publicURL, Now: now,
		Connect: func(context.Context, model.Ref) (Calendars, error) { return s.script, nil },
	})
	return s
}

func (s *scripted) newCalendar() model.Calendar {
	s.Helper()
	s.n++
	return storetest.Calendar(s.B, s.svc.Store, s.ref, fmt.Sprintf("person%d@contoso.com", s.n), func(c *model.Calendar) { c.Enabled = true })
}

// sync works a round and says how long that took.
func (s *scripted) sync(cal model.Calendar) time.Duration {
	s.Helper()
	began := time.Now()
	err := s.svc.SyncCalendar(s.Context(), SyncCalendar{OrganizationID: cal.OrganizationID, CalendarID: cal.ID})
	took := time.Since(began)
	if err != nil {
		s.Fatal(err)
	}
	return took
}
