package calendarbridge

import (
	"context"
	"errors"
	"sync"
	"time"
)

// The bounds of what notifications are gathered: for how long the first one waits for others, how many marks may wait, and
// how long storing them may take.
const (
	gatherTime = 2 * time.Millisecond
	maxMarks   = 50_000
	storeTime  = 10 * time.Second
)

// errFull says that the database is so far behind that nothing more is taken.
var errFull = errors.New("too many notifications wait to be stored")

// mark is one reason to look at a calendar.
type mark struct {
	calendarID     string
	subscriptionID string
	lifecycle      string // "" for a change
}

// batcher gathers the marks of requests that come at the same time into one transaction after the other. Each request waits
// until its own are committed.
type batcher struct {
	store func(context.Context, []mark) error

	mu      sync.Mutex
	open    *batch
	running bool
}

type batch struct {
	marks []mark
	done  chan struct{} // closed when err is known
	err   error
}

func newBatcher(store func(context.Context, []mark) error) *batcher { return &batcher{store: store} }

// put stores marks and returns once they are committed.
func (b *batcher) put(ctx context.Context, marks []mark) error {
	if len(marks) == 0 {
		return nil
	}
	b.mu.Lock()
	if b.open == nil {
		b.open = &batch{done: make(chan struct{})}
	}
	mine := b.open
	if len(mine.marks)+len(marks) > maxMarks {
		b.mu.Unlock()
		return errFull
	}
	mine.marks = append(mine.marks, marks...)
	if !b.running {
		b.running = true
		go b.run()
	}
	b.mu.Unlock()
	select {
	case <-mine.done:
		return mine.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run stores what is gathered until nothing more comes.
func (b *batcher) run() {
	for several := false; ; {
		if several { // where one comes at a time there is nothing to gather
			timer := time.NewTimer(gatherTime)
			<-timer.C
		}
		b.mu.Lock()
		full := b.open
		b.open = nil
		if full == nil {
			b.running = false
			b.mu.Unlock()
			return
		}
		b.mu.Unlock()
		several = len(full.marks) > 1
		ctx, cancel := context.WithTimeout(context.Background(), storeTime)
		full.err = b.store(ctx, full.marks)
		cancel()
		close(full.done)
	}
}
