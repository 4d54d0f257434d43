package graph

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"usher/model/entra"
	"usher/model/outlook"
)

// budget is what Graph lets one application do with the directory of one tenant: resource units, of which each request costs a
// few, and writes (Graph: throttling limits of identity and access). Both are buckets there, and so they are here. What works by
// itself leaves a tenth of the units to those who wait for an answer.
type budget struct {
	units, background, writes *rate.Limiter
	longest                   time.Duration // a longer wait is told instead of waited for

	mu    sync.Mutex
	until time.Time // no request before: Graph counts those that come too early
}

// The windows over which Graph counts.
const (
	unitsWindow  = 10 * time.Second
	writesWindow = 150 * time.Second
)

func newBudget(units, writes int, longest time.Duration) *budget {
	per := func(n int, window time.Duration) *rate.Limiter {
		return rate.NewLimiter(rate.Limit(float64(n)/window.Seconds()), n)
	}
	return &budget{
		units: per(units, unitsWindow), background: per(max(units*9/10, 1), unitsWindow), writes: per(writes, writesWindow), longest: longest,
	}
}

// take waits until a request is within the budget. A wait that is too long is Throttled, with its length.
func (b *budget) take(ctx context.Context, c call, method string, p *pipeline) error {
	if c.units == 0 {
		return nil
	}
	if wait := b.pausedFor(p.now()); wait > 0 {
		if wait > b.longest || endsBefore(ctx, wait) {
			return busy(wait)
		}
		if err := p.sleep(ctx, wait); err != nil {
			return err
		}
	}
	now := p.monotonic()
	taken := []*rate.Reservation{b.units.ReserveN(now, min(c.units, b.units.Burst()))}
	if entra.PriorityOf(ctx) == entra.Low {
		taken = append(taken, b.background.ReserveN(now, min(c.units, b.background.Burst())))
	}
	if method != http.MethodGet {
		taken = append(taken, b.writes.ReserveN(now, 1))
	}
	var wait time.Duration
	for _, t := range taken {
		wait = max(wait, t.DelayFrom(now))
	}
	if wait > b.longest || endsBefore(ctx, wait) {
		for _, t := range taken {
			t.CancelAt(now)
		}
		return busy(wait)
	}
	if wait > 0 {
		return p.sleep(ctx, wait)
	}
	return nil
}

func busy(wait time.Duration) *outlook.Error {
	return &outlook.Error{
		Kind: outlook.Throttled, Code: codeBusy, After: wait, Message: "the tenant's limits allow no more requests to its directory for now",
	}
}

// settle takes what a request has cost beyond its estimate, as Graph tells in x-ms-resource-unit.
func (b *budget) settle(c call, header http.Header, now time.Time) {
	told, err := strconv.Atoi(header.Get("x-ms-resource-unit"))
	if c.units == 0 || err != nil || told <= c.units {
		return
	}
	more := min(told-c.units, b.units.Burst())
	b.units.ReserveN(now, more)
	b.background.ReserveN(now, min(more, b.background.Burst()))
}

func (b *budget) pausedFor(now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.until.Sub(now)
}

// pause keeps every request from the directory until a time.
func (b *budget) pause(until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if until.After(b.until) {
		b.until = until
	}
}

// priority is the value of x-ms-throttle-priority; "" says nothing, which is normal.
func priority(p entra.Priority) string {
	switch p {
	case entra.Low:
		return "Low"
	case entra.High:
		return "High"
	case entra.Normal:
	}
	return ""
}
