package graph

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"usher/model/outlook"
)

// gate lets a limited number of requests to each mailbox through at a time, so that those to one never wait for those to
// another, and keeps away from a mailbox for as long as Graph asked for: requests made meanwhile would count against it.
type gate struct {
	limit   int
	longest time.Duration // a longer pause is told instead of waited for

	mu    sync.Mutex
	boxes map[string]*box
	sweep int // number of boxes at which those that nobody needs any more are looked for
}

type box struct {
	slots chan struct{}
	users int       // holders of a slot and those who wait for one
	until time.Time // no request before
}

func newGate(limit int, longest time.Duration) *gate {
	return &gate{limit: limit, longest: longest, boxes: map[string]*box{}, sweep: 1024}
}

// enter waits for a slot of the mailbox; leave gives it back. A request that concerns no mailbox is not held.
func (g *gate) enter(ctx context.Context, mailbox string, now func() time.Time, sleep sleeper) (leave func(), err error) {
	if mailbox == "" {
		return func() {}, nil
	}
	key := strings.ToLower(mailbox)
	b := g.join(key)
	if pause := g.pausedFor(b, now()); pause > 0 {
		if pause > g.longest || endsBefore(ctx, pause) {
			g.part(key, b, now())
			return nil, &outlook.Error{
				Kind: outlook.Throttled, Code: codePaused, After: pause,
				Message: "Graph has asked for no more requests to this mailbox for now",
			}
		}
		if err := sleep(ctx, pause); err != nil {
			g.part(key, b, now())
			return nil, err
		}
	}
	select {
	case b.slots <- struct{}{}:
		return func() { <-b.slots; g.part(key, b, now()) }, nil
	case <-ctx.Done():
		g.part(key, b, now())
		return nil, ctx.Err()
	}
}

func (g *gate) join(key string) *box {
	g.mu.Lock()
	defer g.mu.Unlock()
	b := g.boxes[key]
	if b == nil {
		b = &box{slots: make(chan struct{}, g.limit)}
		g.boxes[key] = b
	}
	b.users++
	return b
}

func (g *gate) part(key string, b *box, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	b.users--
	if b.users == 0 && !b.until.After(now) {
		delete(g.boxes, key)
	}
}

func (g *gate) pausedFor(b *box, now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return b.until.Sub(now)
}

// pause keeps every request from the mailbox until a time. Boxes that outlive their last user because of a pause are removed by
// a sweep, which costs little because it waits until there are twice as many as the last one left.
func (g *gate) pause(mailbox string, until, now time.Time) {
	if mailbox == "" {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	key := strings.ToLower(mailbox)
	b := g.boxes[key]
	if b == nil {
		b = &box{slots: make(chan struct{}, g.limit)}
		g.boxes[key] = b
	}
	if until.After(b.until) {
		b.until = until
	}
	if len(g.boxes) < g.sweep {
		return
	}
	for key, b := range g.boxes {
		if b.users == 0 && !b.until.After(now) {
			delete(g.boxes, key)
		}
	}
	g.sweep = 2*len(g.boxes) + 1024
}

// sleeper waits, or gives the context's error.
type sleeper func(context.Context, time.Duration) error

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// endsBefore says that the context ends before so much time has passed, by the clock of the machine.
func endsBefore(ctx context.Context, d time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return ok && time.Until(deadline) < d
}

// longestAfter is the most that a Retry-After is believed.
const longestAfter = 24 * time.Hour

// retryAfter reads the header Retry-After: seconds or an HTTP date (RFC 9110 §10.2.3). What is missing, past or cannot be read
// is 0.
func retryAfter(header http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(header.Get("Retry-After"))
	if text == "" {
		return 0
	}
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		if !(seconds > 0) { // not a number is no number of seconds
			return 0
		}
		return time.Duration(min(seconds, longestAfter.Seconds()) * float64(time.Second))
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(at.Sub(now), 0), longestAfter)
	}
	return 0
}

// floor is the shortest wait before a repetition: Graph often says 1 second, sometimes 0, and counts what comes too early.
const floor = time.Second

// delay is the wait before the next attempt, after the given number of attempts. The jitter, of 0 to 1, keeps those who were
// refused together from coming back together.
func delay(after time.Duration, attempts int, jitter float64) time.Duration {
	if after > 0 {
		after = max(after, floor)
		return after + time.Duration(jitter*float64(min(after/5, 2*time.Second)))
	}
	wait := floor << min(attempts-1, 6)
	return wait + time.Duration(jitter*float64(wait/2))
}
