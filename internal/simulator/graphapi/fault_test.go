package graphapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"usher/model/outlook"
)

func TestFaults(t *testing.T) {
	const target = "/users/u/events/x"
	for _, test := range []struct {
		name   string
		fault  Fault
		status int
		body   string // part of it
		wait   string // Retry-After
	}{
		{"429 with seconds", Throttle("/users/*/events/*", 130*time.Second), 429, `"code":"ApplicationThrottled"`, "130"},
		{"429 without", Throttle("/users/**", 0), 429, "ApplicationThrottled", ""},
		{"500", Broken("/**", 500), 500, "ErrorInternalServerError", ""},
		{"504", Broken("", 504), 504, "UnknownError", ""},
		{"a page of HTML", Page("", 502), 502, "<html>", ""},
		{"an empty body", Bare("", 404, ""), 404, "", ""},
		{"an object without anything", Bare("", 503, "{}"), 503, "{}", ""},
		{"a slow one", Slow("", time.Millisecond), 200, `"iCalUId"`, ""},
		{"one for another mailbox", Fault{Mailbox: "v", Status: 500}, 200, `"iCalUId"`, ""},
		{"one for another method", Broken("", 500).For("POST"), 200, `"iCalUId"`, ""},
		{"one for other paths", Broken("/users/*/calendars/**", 500), 200, `"iCalUId"`, ""},
		{"one for batches", Fault{Where: InBatch, Status: 500}, 200, `"iCalUId"`, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := start(t, &tenant{events: []outlook.Event{meeting()}}, nil)
			c.Fail(test.fault.AtMost(1))
			got := c.do(t, "GET", target, "")
			if got.status != test.status || !strings.Contains(got.raw, test.body) || got.header.Get("Retry-After") != test.wait {
				t.Errorf("got %d %q %s", got.status, got.header.Get("Retry-After"), got.raw)
			}
			if test.body == "" && got.raw != "" {
				t.Errorf("body %q", got.raw)
			}
			if again := c.do(t, "GET", target, ""); again.status != 200 {
				t.Errorf("the fault came more than once: %d", again.status)
			}
		})
	}
}

func TestThrottleUntilADate(t *testing.T) {
	c := start(t, &tenant{}, nil)
	c.Fail(ThrottleUntil("", time.Minute))
	at, err := http.ParseTime(c.do(t, "GET", "/users/u/calendars", "").header.Get("Retry-After"))
	if wait := time.Until(at); err != nil || wait < 55*time.Second || wait > 61*time.Second {
		t.Errorf("until %v: %v", at, err)
	}
}

func TestFaultsBeforeAndAfterTheWork(t *testing.T) {
	body := `{"start":{"dateTime":"2026-11-21T09:00:00"},"end":{"dateTime":"2026-11-21T10:00:00"}}`
	for _, test := range []struct {
		name  string
		fault Fault
		want  int // created
	}{
		{"before", Broken("/users/*/events", 504), 0},
		{"after", Broken("/users/*/events", 504).Lost(), 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := &tenant{events: []outlook.Event{meeting()}}
			c := start(t, w, nil)
			remove := c.Fail(test.fault)
			if got := c.do(t, "POST", "/users/u/events", body); got.status != 504 || w.created != test.want {
				t.Errorf("%d, created %d, want %d", got.status, w.created, test.want)
			}
			remove()
			if got := c.do(t, "POST", "/users/u/events", body); got.status != 201 {
				t.Errorf("after the fault: %d", got.status)
			}
		})
	}
}

func TestBrokenAnswers(t *testing.T) {
	w := &tenant{events: []outlook.Event{meeting()}}
	c := start(t, w, nil)
	c.Fail(Truncated("").AtMost(1))
	if got := c.do(t, "GET", "/users/u/events/x", ""); got.status != 200 || got.json != nil || len(got.raw) == 0 {
		t.Errorf("truncated: %d %s", got.status, got.raw)
	}
	c.Fail(Reset("").AtMost(1))
	response, err := c.http.Do(c.request(t, "PATCH", "/users/u/events/x", `{"subject":"x"}`))
	if err == nil {
		_, err = io.ReadAll(response.Body)
		_ = response.Body.Close()
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("reset: %v", err)
		}
	}
	if err == nil {
		t.Error("the connection was not reset")
	}
	if w.draft.Subject == nil {
		t.Error("the work was not done before the reset")
	}
	if list := c.Journal(); list[len(list)-1].Status != 0 || !list[len(list)-1].Faulted {
		t.Errorf("journal: %+v", list[len(list)-1])
	}
}

func TestFaultSkipsAndCounts(t *testing.T) {
	c := start(t, &tenant{}, nil)
	c.Fail(Fault{Path: "/users/*/calendars", Skip: 1, Times: 2, Status: 503})
	var seen []int
	for range 5 {
		seen = append(seen, c.do(t, "GET", "/users/u/calendars", "").status)
	}
	if fmt.Sprint(seen) != "[200 503 503 200 200]" {
		t.Errorf("statuses %v", seen)
	}
}

func TestJournal(t *testing.T) {
	c := start(t, &tenant{}, func(o *Options) { o.JournalSize = 4 })
	for range 6 {
		c.do(t, "GET", "/users/ada%40contoso.com/calendars?$top=5", "", "client-request-id", "cr1", "Prefer", "a=b", "Prefer", "c=d")
	}
	list := c.Journal()
	last := list[len(list)-1]
	if len(list) > 4 || c.Requests() != 7 { // one was for the token
		t.Errorf("%d of %d requests", len(list), c.Requests())
	}
	if last.Method != "GET" || last.Path != "/users/ada@contoso.com/calendars" || last.Query != "$top=5" || last.Status != 200 ||
		last.ClientRequestID != "cr1" || last.RequestID == "" || last.Prefer != "a=b, c=d" || last.Faulted || last.Batched {
		t.Errorf("journal: %+v", last)
	}
}

// held is a tenant whose first four answers wait until they are let go.
type held struct {
	*tenant
	count   atomic.Int32
	entered chan struct{}
	release chan struct{}
}

func TestFourAtOncePerMailbox(t *testing.T) {
	h := &held{tenant: &tenant{}, entered: make(chan struct{}, 4), release: make(chan struct{})}
	c := start(t, h.tenant, func(o *Options) { o.Calendars, o.MailboxConcurrency = h, 4 })
	var wait sync.WaitGroup
	for range 4 {
		request := c.request(t, "GET", "/users/u/calendars", "")
		wait.Go(func() { c.send(t, request) })
	}
	for range 4 {
		<-h.entered
	}
	got := c.do(t, "GET", "/users/u/calendars", "")
	got.want(t, 429, "ApplicationThrottled")
	if got.header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After %q", got.header.Get("Retry-After"))
	}
	close(h.release)
	wait.Wait()
	if got := c.do(t, "GET", "/users/u/calendars", ""); got.status != 200 || c.PeakInFlight("u") != 4 {
		t.Errorf("afterwards %d, peak %d", got.status, c.PeakInFlight("u"))
	}
}

func (h *held) Calendars(ctx context.Context, mailbox string) ([]outlook.Calendar, error) {
	if h.count.Add(1) <= 4 {
		h.entered <- struct{}{}
		<-h.release
	}
	return h.tenant.Calendars(ctx, mailbox)
}
