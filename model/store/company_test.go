package store

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// trips is a company that notes who travels with whom.
type trips struct {
	company
	mu    sync.Mutex
	taken []string
	trip  func(ctx context.Context, led []*parcel) // what travelling is like
}

func newTrips(lanes int) *trips {
	t := &trips{trip: func(_ context.Context, led []*parcel) {
		for _, p := range led {
			p.err = nil
		}
	}}
	t.free = lanes
	t.travel = func(ctx context.Context, led []*parcel) {
		keys := make([]string, len(led))
		for i, p := range led {
			keys[i] = p.key
		}
		t.note(strings.Join(keys, " "))
		t.trip(ctx, led)
	}
	return t
}

func (t *trips) note(trip string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.taken = append(t.taken, trip)
}

// start sends a parcel that takes so long where it goes alone, once everything before it waits, and gives how it ends.
func (t *trips) start(ctx context.Context, p parcel, takes time.Duration) <-chan error {
	p.alone = func() error {
		t.note(p.key + " alone")
		time.Sleep(takes)
		return nil
	}
	end := make(chan error, 1)
	go func() {
		defer func() {
			if got := recover(); got != nil {
				end <- errors.New("panicked")
			}
		}()
		end <- t.run(ctx, &p)
	}()
	synctest.Wait()
	return end
}

func (t *trips) want(tb testing.TB, want ...string) {
	tb.Helper()
	t.mu.Lock()
	defer t.mu.Unlock()
	if !slices.Equal(t.taken, want) {
		tb.Errorf("trips %q, want %q", t.taken, want)
	}
}

func (t *trips) lanes() int {
	t.company.mu.Lock()
	defer t.company.mu.Unlock()
	return t.free
}

const brief = patience / 10

func TestCompanyGathersThoseWhoWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newTrips(1)
		var ends []<-chan error
		for _, key := range []string{"first", "d", "b", "c", "a"} {
			ends = append(ends, c.start(t.Context(), parcel{key: key}, brief))
		}
		for _, end := range ends {
			if err := <-end; err != nil {
				t.Error(err)
			}
		}
		c.want(t, "first alone", "a b c d")
		if err := <-c.start(t.Context(), parcel{key: "last"}, brief); err != nil || c.lanes() != 1 {
			t.Errorf("%v, %d lanes free", err, c.lanes())
		}
		c.want(t, "first alone", "a b c d", "last alone")
	})
}

func TestCompanyKeepsApart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newTrips(1)
		c.start(t.Context(), parcel{key: "first"}, brief)
		for _, p := range []parcel{{key: "a1", class: "a"}, {key: "b1", class: "b"}, {key: "a2", class: "a", apart: true}, {key: "a2", class: "a", apart: true}, {key: "b1", class: "b"}} {
			c.start(t.Context(), p, brief)
		}
		time.Sleep(time.Second)
		c.want(t, "first alone", "a1 a2", "b1 b1", "a2 alone")
	})
}

func TestCompanyIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newTrips(1)
		c.start(t.Context(), parcel{key: "first"}, brief)
		for range maxCompany + 2 {
			c.start(t.Context(), parcel{key: "x"}, brief)
		}
		time.Sleep(time.Second)
		c.want(t, "first alone", strings.TrimSpace(strings.Repeat("x ", maxCompany)), "x x")
	})
}

// TestCompanyOutlivesItsLeader: whoever gives up while they wait is left out; whoever leads and gives up ends nobody's trip.
func TestCompanyOutlivesItsLeader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newTrips(1)
		c.trip = func(ctx context.Context, led []*parcel) {
			time.Sleep(brief)
			for _, p := range led {
				p.err = ctx.Err()
			}
		}
		c.start(t.Context(), parcel{key: "first"}, brief)
		impatient, cancel := context.WithCancel(t.Context())
		gone := c.start(impatient, parcel{key: "gone"}, brief)
		cancel()
		if err := <-gone; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		leading, cancel := context.WithCancel(t.Context())
		leader := c.start(leading, parcel{key: "leader"}, brief)
		other := c.start(t.Context(), parcel{key: "other"}, brief)
		time.Sleep(brief + brief/2)
		cancel()
		if err := errors.Join(<-leader, <-other); err != nil {
			t.Error(err)
		}
		c.want(t, "first alone", "leader other")
	})
}

func TestCompanyLeavesNobodyBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newTrips(1)
		c.trip = func(context.Context, []*parcel) { panic("a row that cannot be read") }
		c.start(t.Context(), parcel{key: "first"}, brief)
		leader := c.start(t.Context(), parcel{key: "leader"}, brief)
		other := c.start(t.Context(), parcel{key: "other"}, brief)
		if err := <-leader; err == nil || err.Error() != "panicked" {
			t.Error(err)
		}
		if err := <-other; !errors.Is(err, errAlone) {
			t.Errorf("the other one ends with %v, want to go alone", err)
		}
		if c.lanes() != 1 {
			t.Errorf("%d lanes free", c.lanes())
		}
	})
}

// TestCompanyPassesASlowLane: who is slow holds up the next ones no longer than patience, and the lane is not given twice.
func TestCompanyPassesASlowLane(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newTrips(1)
		began := time.Now()
		slow := c.start(t.Context(), parcel{key: "slow"}, time.Minute)
		next := c.start(t.Context(), parcel{key: "next"}, brief)
		if err := <-next; err != nil || time.Since(began) != patience+brief {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		if err := <-slow; err != nil || c.lanes() != 1 {
			t.Errorf("%v, %d lanes free", err, c.lanes())
		}
	})
}
