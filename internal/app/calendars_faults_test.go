package app_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"usher/calendarbridge/calendarstest"
	"usher/internal/graph"
	"usher/internal/simulator/graphapi"
	"usher/model/outlook"
)

// onTheWire is the door to Microsoft Graph in front of the pretend Microsoft.
type onTheWire struct {
	calendarstest.World
	server *graphapi.Server
	pass   func(time.Duration) // of the tenant's clock, which is the door's as well
}

const (
	wireClientID = "0b8c7b7e-7d53-4b57-8a5c-6d1f0a0c2e11"
	wireSecret   = "s3cret"
)

func newWire(t *testing.T, retries int) onTheWire {
	t.Helper()
	tenant := newCalendarTenant()
	server, err := graphapi.Start(t.Context(), graphapi.Options{
		Calendars: tenant.Client(wireClientID), TenantID: tenant.ID(), MailboxConcurrency: 4,
		Apps: []graphapi.App{{ID: wireClientID, Secrets: []graphapi.Secret{{Value: wireSecret}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	door, err := graph.New(graph.Options{
		TenantID: tenant.ID(), ClientID: wireClientID, Credential: graph.Credential{ClientSecret: wireSecret},
		GraphURL: server.GraphURL + "/v1.0", LoginURL: server.LoginURL, RootCAs: server.RootCAs,
		PageSize: 5, Retries: retries, Now: tenant.clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	return onTheWire{tenant.world(t, door), server, tenant.pass}
}

func standUp(transaction string) outlook.Draft {
	subject := "Stand-up"
	return outlook.Draft{
		Subject: &subject, TransactionID: transaction,
		Start: &outlook.Moment{DateTime: "2026-03-10T09:00:00", TimeZone: "UTC"}, End: &outlook.Moment{DateTime: "2026-03-10T09:15:00", TimeZone: "UTC"},
	}
}

// TestFaultsOfTheWire says what becomes of each way in which an answer can go wrong.
func TestFaultsOfTheWire(t *testing.T) {
	const create = "/users/*/events"
	for _, test := range []struct {
		name  string
		fault graphapi.Fault
		want  outlook.Kind
		after time.Duration
		held  int // events in the mailbox afterwards
	}{
		{"429 with seconds", graphapi.Throttle(create, 130*time.Second), outlook.Throttled, 130 * time.Second, 0},
		{"429 without", graphapi.Throttle(create, 0), outlook.Throttled, 0, 0},
		{"503 before the work", graphapi.Broken(create, 503), outlook.Unavailable, 0, 0},
		{"504 after the work", graphapi.Broken(create, 504).Lost(), outlook.Unavailable, 0, 1},
		{"a page of HTML", graphapi.Page(create, 502), outlook.Unavailable, 0, 0},
		{"an empty body", graphapi.Bare(create, 500, ""), outlook.Unavailable, 0, 0},
		{"an object without anything", graphapi.Bare(create, 500, "{}"), outlook.Unavailable, 0, 0},
		{"a connection that is reset", graphapi.Reset(create), outlook.Unavailable, 0, 1},
		{"half an answer", graphapi.Truncated(create), outlook.Unavailable, 0, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWire(t, -1)
			remove := w.server.Fail(test.fault.For(http.MethodPost))
			cal, draft := outlook.CalendarRef{Mailbox: w.Ada.ID}, standUp("3a6b1c1e-0000-4000-8000-000000000099")
			_, err := w.Calendars.CreateEvent(t.Context(), cal, draft)
			failed := outlook.KindOf(err)
			if err == nil || failed != test.want {
				t.Errorf("got %v of kind %d, want kind %d", err, failed, test.want)
			}
			if e, ok := err.(*outlook.Error); ok && test.after != 0 && e.After != test.after { //nolint:errorlint // the door promises the type itself
				t.Errorf("to be tried after %v, want %v", e.After, test.after)
			}
			if held := len(w.Outlook(w.Ada.ID).Events()); held != test.held {
				t.Errorf("the mailbox has %d events, want %d", held, test.held)
			}
			remove()
			w.pass(test.after)
			if _, err := w.Calendars.CreateEvent(t.Context(), cal, draft); err != nil {
				t.Errorf("again: %v", err)
			}
			if held := len(w.Outlook(w.Ada.ID).Events()); held != 1 {
				t.Errorf("after the repetition the mailbox has %d events", held)
			}
		})
	}
}

// TestTokensThatEndAreReplaced has a token revoked, as continuous access evaluation does, and then the application removed.
func TestTokensThatEndAreReplaced(t *testing.T) {
	w := newWire(t, 0)
	read := func(ctx context.Context) error {
		_, err := w.Calendars.Calendars(ctx, w.Ada.ID)
		return err
	}
	if err := read(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.server.Revoke()
	if err := read(t.Context()); err != nil {
		t.Errorf("after the challenge: %v", err)
	}
	w.server.RemoveApp(wireClientID)
	w.server.Revoke()
	if err := read(t.Context()); outlook.KindOf(err) != outlook.BadCredentials {
		t.Errorf("without the application: %v", err)
	}
}
