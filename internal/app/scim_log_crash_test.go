package app_test

import (
	"net/http"
	"testing"
	"time"
)

// loggedRequest is one line of the request log, as the API gives it.
type loggedRequest struct {
	ID, Summary, Subject string
	OccurredAt           time.Time `json:"occurred_at"`
	Status               int
}

// requestLog reads the whole request log of an integration, newest first.
func (c *child) requestLog(integration string) []loggedRequest {
	c.t.Helper()
	var all []loggedRequest
	after := ""
	for {
		var page struct {
			Data []loggedRequest
			Next *string
		}
		c.api(http.MethodGet, "/integrations/"+integration+"/scim-requests?limit=500&after="+after, nil, &page)
		all = append(all, page.Data...)
		if page.Next == nil {
			return all
		}
		after = *page.Next
	}
}

// mayBeLost is how much of the request log a kill may cost: the second that an entry waits, and the time that a busy machine
// takes to write it.
const mayBeLost = 5 * time.Second

// TestKilledWithARequestLog kills the server amid pushes: of what was answered before the last moments, every line is there,
// once.
func TestKilledWithARequestLog(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		c := newChild(t, url)
		c.start()
		id, base, token := c.integration()
		for n := range 20 {
			if status, raw := c.send(t.Context(), http.MethodGet, base+"/Users?count="+string(rune('0'+n%10)), token, nil); status != http.StatusOK {
				t.Fatalf("%d %s", status, raw)
			}
		}
		answered := time.Now()
		c.eventually("the lines are written", func() bool { return len(c.requestLog(id)) == 20 })
		if took := time.Since(answered); took > mayBeLost {
			t.Errorf("a line was written after %s only", took)
		}
		users, _ := c.pushUntilKilled(base, token)
		killed := time.Now()
		c.start()
		times := map[string]int{}
		for _, r := range c.requestLog(id) {
			times[r.ID]++
			if r.OccurredAt.After(killed) || r.Summary == "" || r.Status == 0 {
				t.Errorf("a line is odd: %+v", r)
			}
			if times[r.ID] > 1 {
				t.Errorf("the line %s is there twice", r.ID)
			}
		}
		if len(times) < 20 {
			t.Errorf("%d lines are left, of %d that were written and %d users that were pushed", len(times), 20, len(users))
		}
	})
}

// TestStoppedWithARequestLog stops the server at once after an answer: its line is there.
func TestStoppedWithARequestLog(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		c := newChild(t, url)
		c.start()
		id, base, token := c.integration()
		if status, raw := c.send(t.Context(), http.MethodGet, base+"/Users?filter=userName+eq+%22ada%22", token, nil); status != http.StatusOK {
			t.Fatalf("%d %s", status, raw)
		}
		c.terminate()
		c.start()
		lines := c.requestLog(id)
		if len(lines) != 1 || lines[0].Summary != "look for a user by userName ada (found none)" || lines[0].Subject != "ada" {
			t.Errorf("after a stop the log says %+v", lines)
		}
	})
}
