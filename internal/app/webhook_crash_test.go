package app_test

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"usher/internal/pgtest"
	"usher/internal/secret"
)

// TestWebhooksSurviveKill proves promise 4: with kill -9 again and again while messages are under way every change is told at least
// once, as it stands in the feed, those of one subject in their order; to an endpoint that is slow and one that fails now and then too.
func TestWebhooksSurviveKill(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		killWhileTelling(t, "sqlite:"+filepath.Join(t.TempDir(), "usher.db"), 1)
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		killWhileTelling(t, pgtest.Database(t), 1)
	})
	t.Run("two servers on one database", func(t *testing.T) {
		t.Parallel()
		killWhileTelling(t, pgtest.Database(t), 2)
	})
}

// telling is servers that are pushed into, and tell receivers of it.
type telling struct {
	t           *testing.T
	servers     []*child
	base, token string
	good        *receiver
	all         []*receiver // that are to be told of everything
	gone        *receiver   // answers 410 at some time
	released    chan struct{}
	pushed      atomic.Int64 // requests that were answered
	turn        atomic.Int64 // whose the next request is: one that is dead is asked no more often than the other
}

const kills = 3

func killWhileTelling(t *testing.T, url string, servers int) {
	w := newTelling(t, url, servers)
	ctx, stop := context.WithCancel(t.Context())
	var pushing sync.WaitGroup
	defer pushing.Wait()
	defer stop()
	for n := range 4 {
		pushing.Go(func() { w.push(ctx, n) })
	}
	for n := range kills {
		c := w.servers[n%servers]
		w.killDuring(c, n == 0)
		if n == 0 {
			close(w.released) // what the slow one was told first had to wait until now; the good one did not
		}
		if servers > 1 {
			before := w.good.count()
			eventually(t, "the other server goes on", func() bool { return w.good.count() >= before+20 })
		}
		c.start()
	}
	stop()
	pushing.Wait()
	w.settle()
}

func newTelling(t *testing.T, url string, servers int) *telling {
	t.Helper()
	w := &telling{t: t, released: make(chan struct{})}
	w.good = newReceiver(t, "good", func(*http.Request, int, bool) int { return http.StatusNoContent })
	slow := newReceiver(t, "slow", func(r *http.Request, _ int, _ bool) int {
		select {
		case <-w.released:
		case <-r.Context().Done():
		}
		return http.StatusOK
	}, "account.*")
	moody := newReceiver(t, "moody", func(_ *http.Request, n int, again bool) int {
		if n%4 == 0 && !again {
			return http.StatusServiceUnavailable
		}
		return http.StatusAccepted
	}, "directory_user.*", "account.*")
	w.gone = newReceiver(t, "gone", func(_ *http.Request, n int, _ bool) int {
		if n >= 5 {
			return http.StatusGone
		}
		return http.StatusOK
	})
	w.all = []*receiver{w.good, slow, moody}
	key := secret.NewKey()
	for range servers {
		c := newChild(t, url)
		c.env = append(c.env, "USHER_SECRET_KEY="+key, "USHER_WEBHOOK_ALLOW=127.0.0.0/8")
		c.start()
		w.servers = append(w.servers, c)
	}
	_, w.base, w.token = w.servers[0].integration()
	for _, a := range append(w.all, w.gone) {
		a.join(w.servers[0])
	}
	return w
}

// backlog is how many requests are pushed at most before the good receiver has been told of one of them: some pages.
const backlog = 300

// push makes a person, and then changes the title of that one again and again.
func (w *telling) push(ctx context.Context, pusher int) {
	pause := time.NewTicker(20 * time.Millisecond)
	defer pause.Stop()
	for person := 0; ctx.Err() == nil; person++ {
		id := ""
		for title := 0; title < 8 && ctx.Err() == nil; {
			if c := w.servers[w.turn.Add(1)%int64(len(w.servers))]; w.pushed.Load() < int64(w.good.count()+backlog) {
				method, path, body := http.MethodPost, "/Users", any(scimUser(fmt.Sprintf("told%d-%d@contoso.example", pusher, person)))
				if id != "" {
					method, path = http.MethodPatch, "/Users/"+id
					body = patch("", map[string]any{"op": "Replace", "path": "displayName", "value": fmt.Sprint("Title ", title)}).body
				}
				status, raw := c.send(ctx, method, w.base+path, w.token, body)
				switch status {
				case http.StatusCreated:
					id = idOf(w.t, raw)
				case http.StatusConflict: // it was made before the server was killed
					title = 8
				}
				if status >= 200 && status < 300 {
					title++
					w.pushed.Add(1)
					continue
				}
			}
			select {
			case <-pause.C:
			case <-ctx.Done():
			}
		}
	}
}

// killDuring kills a server while a message is under way to the good receiver.
func (w *telling) killDuring(c *child, first bool) {
	w.t.Helper()
	killed := make(chan struct{})
	w.good.during(60, func() {
		if n := w.good.repeated(); first && n > 0 {
			w.t.Errorf("%d messages came twice although nothing was killed", n)
		}
		c.kill()
		close(killed)
	})
	eventually(w.t, "the server is killed while it tells", func() bool {
		select {
		case <-killed:
			return true
		default:
			return false
		}
	})
}

// settle waits until everybody has been told of everything, and looks at what came.
func (w *telling) settle() {
	w.t.Helper()
	c := w.servers[0]
	type endpoint struct {
		State, Reason string
		NextAt        *time.Time `json:"next_attempt_at"`
	}
	read := func(a *receiver) (e endpoint) {
		c.api(http.MethodGet, "/webhook-endpoints/"+a.id, nil, &e)
		return e
	}
	eventually(w.t, "the endpoint that answered 410 is disabled", func() bool { return read(w.gone).State == "disabled" })
	if e := read(w.gone); !strings.Contains(e.Reason, "410") {
		w.t.Errorf("it is disabled because %q", e.Reason)
	}
	feed := c.feed()
	for _, a := range w.all {
		eventually(w.t, a.name+" has been told of everything", func() bool { return a.missing(feed) == 0 && read(a).NextAt == nil })
		a.check(feed)
		if len(a.wanted(feed)) < 100 {
			w.t.Errorf("%s was to be told of %d changes: too few to prove anything", a.name, len(a.wanted(feed)))
		}
		w.t.Logf("%s: %d messages of %d changes", a.name, a.count(), len(a.wanted(feed)))
	}
	w.gone.check(feed)
}
