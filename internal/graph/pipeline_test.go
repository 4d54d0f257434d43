package graph_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"usher/internal/graph"
	"usher/model/outlook"
)

// The requests that differ in what may be repeated.
var (
	reading = func(ctx context.Context, c *graph.Client) error {
		_, err := c.Event(ctx, outlook.CalendarRef{Mailbox: ada}, "e")
		return err
	}
	deleting = func(ctx context.Context, c *graph.Client) error {
		return c.DeleteEvent(ctx, outlook.CalendarRef{Mailbox: ada}, "e", "k")
	}
	changing = func(ctx context.Context, c *graph.Client) error {
		_, err := c.UpdateEvent(ctx, outlook.CalendarRef{Mailbox: ada}, "e", outlook.Draft{Subject: pointer("Tea")}, "k")
		return err
	}
	cancels = func(ctx context.Context, c *graph.Client) error {
		return c.CancelEvent(ctx, outlook.CalendarRef{Mailbox: ada}, "e", "")
	}
	extending = func(ctx context.Context, c *graph.Client) error { return c.Reauthorize(ctx, "s1") }
	creating  = func(ctx context.Context, c *graph.Client) error {
		_, err := c.CreateEvent(ctx, outlook.CalendarRef{Mailbox: ada}, outlook.Draft{Subject: pointer("Tea")})
		return err
	}
	creatingOnce = func(ctx context.Context, c *graph.Client) error {
		_, err := c.CreateEvent(ctx, outlook.CalendarRef{Mailbox: ada}, outlook.Draft{Subject: pointer("Tea"), TransactionID: "t1"})
		return err
	}
	subscribing = func(ctx context.Context, c *graph.Client) error {
		_, err := c.Subscribe(ctx, outlook.NewSubscription{Calendar: outlook.CalendarRef{Mailbox: ada}, NotificationURL: "https://usher.contoso.example", ExpiresAt: start.Add(time.Hour)})
		return err
	}
)

const kindNone = outlook.Kind(-1)

func TestRepetition(t *testing.T) {
	later := func(status int, after string) answer {
		if after == "" {
			return refusal(status, "TooManyRequests", "Please retry again later.")
		}
		return with(refusal(status, "TooManyRequests", "Please retry again later."), "Retry-After", after)
	}
	fine, broken, event := answer{status: 204}, answer{status: -1}, ok(`{"id":"e"}`)
	seconds := func(list ...float64) []time.Duration {
		var result []time.Duration
		for _, s := range list {
			result = append(result, time.Duration(s*float64(time.Second)))
		}
		return result
	}
	for _, test := range []struct {
		name    string
		call    func(context.Context, *graph.Client) error
		answers []answer
		sleeps  []time.Duration
		want    outlook.Kind
		after   time.Duration
	}{
		{"429 of one second", reading, []answer{later(429, "1"), event}, seconds(1), kindNone, 0},
		{"429 of a date", reading, []answer{later(429, start.Add(7*time.Second).Format(http.TimeFormat)), event}, seconds(7), kindNone, 0},
		{"429 of a date that is past", reading, []answer{later(429, start.Add(-time.Hour).Format(http.TimeFormat)), event}, seconds(1), kindNone, 0},
		{"429 of nothing", reading, []answer{later(429, ""), later(429, ""), event}, seconds(1, 2), kindNone, 0},
		{"429 of nonsense", reading, []answer{later(429, "soon"), later(429, "-5"), later(429, "NaN"), event}, seconds(1, 2, 4), kindNone, 0},
		{"429 of half a second", reading, []answer{later(429, "0.5"), event}, seconds(1), kindNone, 0},
		{"429 of too long", reading, []answer{later(429, "130")}, nil, outlook.Throttled, 130 * time.Second},
		{"429 of for ever", reading, []answer{later(429, "99999999999999999999")}, nil, outlook.Throttled, 24 * time.Hour},
		{"429 of a far date", reading, []answer{later(429, start.AddDate(9, 0, 0).Format(http.TimeFormat))}, nil, outlook.Throttled, 24 * time.Hour},
		{"429 again and again", reading, []answer{later(429, "2"), later(429, "2"), later(429, "2"), later(429, "3")}, seconds(2, 2, 2), outlook.Throttled, 3 * time.Second},
		{"429 on what may not be repeated", changing, []answer{later(429, "1")}, nil, outlook.Throttled, time.Second},
		{"429 of nothing on it", changing, []answer{later(429, "")}, nil, outlook.Throttled, time.Second},
		{"503 on a read", reading, []answer{refusal(503, "ServiceUnavailable", ""), event}, seconds(1), kindNone, 0},
		{"503 of too long", reading, []answer{later(503, "60")}, nil, outlook.Unavailable, time.Minute},
		{"504 on a read, again and again", reading, []answer{refusal(504, "", ""), refusal(504, "", ""), refusal(504, "", ""), refusal(504, "", "")}, seconds(1, 2, 4), outlook.Unavailable, 0},
		{"503 on a deletion", deleting, []answer{refusal(503, "", ""), fine}, seconds(1), kindNone, 0},
		{"503 on a reauthorization", extending, []answer{refusal(503, "", ""), fine}, seconds(1), kindNone, 0},
		{"503 on a creation with a transaction id", creatingOnce, []answer{refusal(503, "", ""), event}, seconds(1), kindNone, 0},
		{"503 on a creation without", creating, []answer{refusal(503, "", "")}, nil, outlook.Unavailable, 0},
		{"504 on a change", changing, []answer{refusal(504, "", "")}, nil, outlook.Unavailable, 0},
		{"503 on a cancellation", cancels, []answer{refusal(503, "", "")}, nil, outlook.Unavailable, 0},
		{"503 on a new subscription", subscribing, []answer{refusal(503, "ExtensionError", "")}, nil, outlook.Unavailable, 0},
		{"500 is not repeated", reading, []answer{refusal(500, "ErrorInternalServerError", "")}, nil, outlook.Unavailable, 0},
		{"a broken connection on a read", reading, []answer{broken, event}, seconds(1), kindNone, 0},
		{"a broken connection on a creation", creating, []answer{broken}, nil, outlook.Unavailable, 0},
		{"a broken connection on a change", changing, []answer{broken}, nil, outlook.Unavailable, 0},
		{"412 on a read", reading, []answer{refusal(412, "ErrorIrresolvableConflict", ""), event}, seconds(1), kindNone, 0},
		{"412 on a change", changing, []answer{refusal(412, "ErrorIrresolvableConflict", "")}, nil, outlook.Conflict, 0},
		{"412 on a deletion", deleting, []answer{refusal(412, "ErrorIrresolvableConflict", "")}, nil, outlook.Conflict, 0},
		{"403 is not repeated", reading, []answer{refusal(403, "ErrorAccessDenied", "")}, nil, outlook.Forbidden, 0},
		{"401 without claims", reading, []answer{refusal(401, "InvalidAuthenticationToken", "")}, nil, outlook.BadCredentials, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, test.answers...)
			err := test.call(t.Context(), w.client())
			if (err == nil) != (test.want == kindNone) {
				t.Fatalf("error %v", err)
			}
			if failed, isOutlook := errors.AsType[*outlook.Error](err); isOutlook && (failed.Kind != test.want || failed.After != test.after) {
				t.Errorf("%v: kind %d after %v, want %d after %v", err, failed.Kind, failed.After, test.want, test.after)
			}
			if !reflect.DeepEqual(w.sleeps, test.sleeps) {
				t.Errorf("slept %v, want %v", w.sleeps, test.sleeps)
			}
			requests := w.asked(len(test.answers))
			for _, r := range requests[1:] {
				if r.Body != requests[0].Body || r.Method != requests[0].Method || r.Header.Get("Content-Length") != requests[0].Header.Get("Content-Length") {
					t.Errorf("%+v is not the first request again: %+v", r, requests[0])
				}
			}
		})
	}
}

// TestNoTimeForTheWait: a wait that the caller's time does not allow for is not begun.
func TestNoTimeForTheWait(t *testing.T) {
	w := newWorld(t, with(refusal(429, "TooManyRequests", ""), "Retry-After", "15"))
	c := w.client()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	err := reading(ctx, c)
	checkKind(t, err, outlook.Throttled)
	if len(w.sleeps) > 0 {
		t.Errorf("slept %v", w.sleeps)
	}
	w.asked(1)
}

// TestPause: a mailbox that Graph wants left alone is left alone, and the others are not.
func TestPause(t *testing.T) {
	w := newWorld(t, with(refusal(429, "ApplicationThrottled", "Application is over its MailboxConcurrency limit."), "Retry-After", "130"), ok(`{"id":"e"}`), ok(`{"id":"e"}`))
	c := w.client()
	checkKind(t, reading(t.Context(), c), outlook.Throttled)
	err := reading(t.Context(), c)
	if failed, isOutlook := errors.AsType[*outlook.Error](err); !isOutlook || failed.Kind != outlook.Throttled || failed.After != 130*time.Second || failed.Status != 0 {
		t.Errorf("%#v", err)
	}
	w.asked(1)
	if _, err := c.Event(t.Context(), outlook.CalendarRef{Mailbox: "charles"}, "e"); err != nil {
		t.Error(err)
	}
	w.now = w.now.Add(131 * time.Second)
	if err := reading(t.Context(), c); err != nil {
		t.Error(err)
	}
	w.asked(3)
	if boxes := c.Boxes(); boxes != 0 {
		t.Errorf("the gate remembers %d mailboxes that nobody uses", boxes)
	}
}

// TestPausesEnd: mailboxes that were paused once are forgotten.
func TestPausesEnd(t *testing.T) {
	w := newWorld(t)
	c := w.client()
	for i := range 100_000 {
		c.PauseMailbox(fmt.Sprint(i), start.Add(time.Second))
		w.now = w.now.Add(time.Second)
	}
	if boxes := c.Boxes(); boxes > 2100 {
		t.Errorf("the gate remembers %d mailboxes", boxes)
	}
}

// TestGate: four requests to one mailbox at a time, and a mailbox that is slow delays no other.
func TestGate(t *testing.T) {
	arrived, open := make(chan string, 100), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mailbox := strings.ToLower(strings.Split(r.URL.Path, "/")[3])
		arrived <- mailbox
		if mailbox == "slow" {
			<-open
		}
		_, _ = io.WriteString(w, `{"id":"e"}`) // the test ends when the client has its answer
	}))
	defer server.Close()
	w := newWorld(t)
	options := w.options()
	options.GraphURL = server.URL + "/v1.0"
	c := w.clientOf(options)
	ask := func(ctx context.Context, mailbox string) chan error {
		done := make(chan error, 1)
		go func() {
			_, err := c.Event(ctx, outlook.CalendarRef{Mailbox: mailbox}, "e")
			done <- err
		}()
		return done
	}
	var waiting []chan error
	for i := range 6 {
		waiting = append(waiting, ask(t.Context(), []string{"slow", "SLOW"}[i%2])) // one mailbox, whatever the case
	}
	for range 4 {
		<-arrived
	}
	for i := range 20 {
		if err := <-ask(t.Context(), fmt.Sprint("fast", i)); err != nil {
			t.Fatal(err)
		}
		if got := <-arrived; got == "slow" {
			t.Fatal("a fifth request to one mailbox was sent")
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	impatient := ask(ctx, "slow")
	cancel()
	if err := <-impatient; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	close(open)
	for _, done := range waiting {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if boxes := c.Boxes(); boxes != 0 {
		t.Errorf("the gate remembers %d mailboxes", boxes)
	}
}

// TestCancelledInFlight: what may have been carried out is told as such.
func TestCancelledInFlight(t *testing.T) {
	for name, test := range map[string]struct {
		call func(context.Context, *graph.Client) error
		want outlook.Kind
	}{"a change": {changing, outlook.Unavailable}, "a read": {reading, outlook.Other}} {
		t.Run(name, func(t *testing.T) {
			arrived, gone := make(chan struct{}), make(chan struct{})
			server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body) // the server sees that the client has gone once the body is read
				close(arrived)
				<-r.Context().Done()
				close(gone)
			}))
			defer server.Close()
			w := newWorld(t)
			options := w.options()
			options.GraphURL = server.URL + "/v1.0"
			ctx, cancel := context.WithCancel(t.Context())
			go func() { <-arrived; cancel() }()
			err := test.call(ctx, w.clientOf(options))
			if !errors.Is(err, context.Canceled) || outlook.KindOf(err) != test.want {
				t.Errorf("%v", err)
			}
			<-gone
		})
	}
}

// TestRate: the bucket holds requests back once the burst is spent.
func TestRate(t *testing.T) {
	w := newWorld(t, ok(`{"id":"e"}`), ok(`{"id":"e"}`), ok(`{"id":"e"}`), ok(`{"id":"e"}`))
	options := w.options()
	options.Rate, options.Burst = 2, 2
	c := w.clientOf(options)
	for range 4 {
		if err := reading(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	if want := []time.Duration{500 * time.Millisecond, 500 * time.Millisecond}; !reflect.DeepEqual(w.sleeps, want) {
		t.Errorf("slept %v, want %v", w.sleeps, want)
	}
}
