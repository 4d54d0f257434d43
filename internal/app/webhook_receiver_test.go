package app_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// receiver is an application that is told of changes. It checks the signature of everything that comes, and that of one subject nothing
// comes while something is under way.
type receiver struct {
	*httptest.Server
	t      *testing.T
	name   string
	answer func(r *http.Request, n int, again bool) int // n counts from 1

	id       string // of the endpoint
	position int64  // of the feed, behind which it is told
	types    []string
	verifier *standardwebhooks.Webhook

	mu     sync.Mutex
	got    []arrival
	bodies map[string]string // by webhook-id
	flying map[string]int    // by subject
	at     map[int]func()    // what happens while the nth message is under way
}

// arrival is a message that came.
type arrival struct {
	ID       string
	Type     string
	Sequence int64
	Subject  struct{ Type, ID string }
	Data     json.RawMessage
}

func newReceiver(t *testing.T, name string, answer func(r *http.Request, n int, again bool) int, types ...string) *receiver {
	t.Helper()
	a := &receiver{t: t, name: name, answer: answer, types: types, bodies: map[string]string{}, flying: map[string]int{}, at: map[int]func(){}}
	a.Server = httptest.NewServer(http.HandlerFunc(a.take))
	t.Cleanup(a.Close)
	return a
}

// join makes the endpoint.
func (a *receiver) join(c *child) {
	a.t.Helper()
	var made struct {
		ID, Secret string
		Position   int64
	}
	c.api(http.MethodPost, "/webhook-endpoints", map[string]any{"url": a.URL + "/" + a.name, "types": append([]string{}, a.types...)}, &made)
	verifier, err := standardwebhooks.NewWebhook(made.Secret)
	if err != nil {
		a.t.Fatal(err)
	}
	a.id, a.position, a.verifier = made.ID, made.Position, verifier
}

func (a *receiver) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the server was killed while it sent
	}
	var m arrival
	if err := json.Unmarshal(body, &m); err != nil {
		a.t.Errorf("%s: %v in %s", a.name, err, body)
	}
	if err := a.verifier.Verify(body, r.Header); err != nil || r.Header.Get("webhook-id") != m.ID {
		a.t.Errorf("%s: message %s with the id %s: %v", a.name, r.Header.Get("webhook-id"), m.ID, err)
	}
	subject := m.Subject.Type + ":" + m.Subject.ID
	a.mu.Lock()
	was, again := a.bodies[m.ID]
	if again && was != string(body) {
		a.t.Errorf("%s: message %s came as %s and again as %s", a.name, m.ID, was, body)
	}
	a.bodies[m.ID] = string(body)
	a.got = append(a.got, m)
	n := len(a.got)
	if a.flying[subject]++; a.flying[subject] > 1 {
		a.t.Errorf("%s: two messages of %s are under way at once", a.name, subject)
	}
	meanwhile := a.at[n]
	a.mu.Unlock()
	if meanwhile != nil {
		meanwhile()
	}
	status := a.answer(r, n, again)
	a.mu.Lock()
	a.flying[subject]--
	a.mu.Unlock()
	w.WriteHeader(status)
}

func (a *receiver) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.got)
}

// repeated counts the messages that came more than once.
func (a *receiver) repeated() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.got) - len(a.bodies)
}

// during has something happen while a message is under way, so many from now.
func (a *receiver) during(after int, what func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.at[len(a.got)+after] = what
}

// wanted gives the entries of the feed that the endpoint is to be told of.
func (a *receiver) wanted(feed []feedEntry) []feedEntry {
	return slices.DeleteFunc(slices.Clone(feed), func(e feedEntry) bool {
		position, err := strconv.ParseInt(e.ID, 10, 64)
		return err != nil || position <= a.position || len(a.types) > 0 && !slices.ContainsFunc(a.types, func(t string) bool {
			return strings.HasPrefix(e.Type, strings.TrimSuffix(t, "*"))
		})
	})
}

// missing counts what of the feed has not come yet.
func (a *receiver) missing(feed []feedEntry) (n int) {
	wanted := a.wanted(feed)
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, e := range wanted {
		if _, came := a.bodies["chg_"+e.ID]; !came {
			n++
		}
	}
	return n
}

// check wants everything that came to stand in the feed as it came, and the first arrivals of each subject in the feed's order.
func (a *receiver) check(feed []feedEntry) {
	a.t.Helper()
	told := map[string]feedEntry{}
	for _, e := range a.wanted(feed) {
		told["chg_"+e.ID] = e
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	last, seen := map[string]arrival{}, map[string]bool{}
	for _, m := range a.got {
		e, ok := told[m.ID]
		if !ok || strconv.FormatInt(m.Sequence, 10) != e.ID || m.Type != e.Type || m.Subject != e.Subject || string(m.Data) != string(e.Data) {
			a.t.Errorf("%s: message %+v is not in the feed, which has %+v", a.name, m, e)
			continue
		}
		if seen[m.ID] {
			continue
		}
		seen[m.ID] = true
		subject := m.Subject.Type + ":" + m.Subject.ID
		if before := last[subject]; m.Sequence < before.Sequence {
			a.t.Errorf("%s: of %s, %s came behind %s", a.name, subject, m.ID, before.ID)
		}
		last[subject] = m
	}
}
