package store

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"
)

// company has what several requests send to PostgreSQL at the same time travel together: in one round trip and, where they
// write, in one transaction. Whoever finds a lane free takes it, and waits for nobody. Whoever finds none waits, and the first of
// those who wait takes the others along when a lane comes free.
//
// Everybody waits for the slowest of a company. So only what is quick travels in one, and it waits for no lock longer than
// patience. What fails in company is done again by each alone, since somebody else may have been the cause.
type company struct {
	// travel sends several parcels, and sets the error of each: it is errAlone until then.
	travel func(ctx context.Context, led []*parcel)

	mu      sync.Mutex
	free    int // lanes
	waiting []*parcel
}

// parcel is what one request sends.
type parcel struct {
	list []statement
	// class is what those have in common who may travel together.
	class string
	// key is of the row that is locked first. Parcels travel in its order, so that companies do not wait for each other.
	key string
	// apart says that nobody with the same key may travel along.
	apart bool
	alone func() error // sends it where there is no company

	err  error
	ride *ride          // that it has become part of
	turn chan []*parcel // tells that its turn to lead these has come or, with none, that somebody else has led it
}

const (
	// maxCompany bounds how many parcels travel together.
	maxCompany = 32
	// patience is how long a company waits for a lock, and how long a lane is kept.
	patience = 100 * time.Millisecond
	// companyTime bounds how long a company may take. It does not end with the request of its leader.
	companyTime = 10 * time.Second
)

// errAlone says that what was tried in company shall be done alone.
var errAlone = errors.New("failed in company")

// run sends the parcel, in company where there is any, and gives its error: errAlone where it failed for the company's sake.
func (c *company) run(ctx context.Context, p *parcel) error {
	led, err := c.enter(ctx, p)
	if err != nil {
		return err
	}
	switch len(led) {
	case 0: // somebody else has led it
	case 1:
		defer c.lane()()
		return p.alone()
	default:
		c.lead(ctx, led)
	}
	return p.err
}

// lead takes several parcels along. Even if that panics, nobody is left behind.
func (c *company) lead(ctx context.Context, led []*parcel) {
	leader, pass := led[0], c.lane()
	defer func() {
		pass()
		for _, p := range led {
			if p != leader {
				p.turn <- nil
			}
		}
	}()
	for _, p := range led {
		p.err = errAlone
	}
	slices.SortStableFunc(led, func(a, b *parcel) int { return strings.Compare(a.key, b.key) })
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), companyTime)
	defer cancel()
	c.travel(ctx, led)
}

// enter waits for a lane and gives the parcels to lead, this one first. It gives none where somebody else has led it.
func (c *company) enter(ctx context.Context, p *parcel) ([]*parcel, error) {
	c.mu.Lock()
	if c.free > 0 {
		c.free--
		c.mu.Unlock()
		return []*parcel{p}, nil
	}
	p.turn = make(chan []*parcel, 1)
	c.waiting = append(c.waiting, p)
	c.mu.Unlock()
	select {
	case led := <-p.turn:
		return led, nil
	case <-ctx.Done():
	}
	if c.leave(p) {
		return nil, ctx.Err()
	}
	return <-p.turn, nil
}

// leave gives up waiting. It says whether the parcel was not under way yet.
func (c *company) leave(p *parcel) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.Index(c.waiting, p)
	if i >= 0 {
		c.waiting = slices.Delete(c.waiting, i, i+1)
	}
	return i >= 0
}

// lane gives what passes the caller's lane on. That happens by itself where the caller keeps it for longer than patience.
func (c *company) lane() (pass func()) {
	next := sync.OnceFunc(c.next)
	timer := time.AfterFunc(patience, next)
	return func() {
		timer.Stop()
		next()
	}
}

// next gives a lane to those who wait.
func (c *company) next() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) == 0 {
		c.free++
		return
	}
	var led, rest []*parcel
	keys := map[string]bool{}
	for _, p := range c.waiting {
		if len(led) == maxCompany || len(led) > 0 && p.class != led[0].class || p.apart && keys[p.key] {
			rest = append(rest, p)
			continue
		}
		led, keys[p.key] = append(led, p), true
	}
	c.waiting = rest
	led[0].turn <- led
}
