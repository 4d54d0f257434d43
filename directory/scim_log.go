package directory

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"usher/model"
	"usher/model/store"
)

// SCIMLogMode says which SCIM requests are kept.
type SCIMLogMode string

// The modes of the request log.
const (
	SCIMLogFull   SCIMLogMode = "full"
	SCIMLogErrors SCIMLogMode = "errors" // those with status 400 and more
	SCIMLogOff    SCIMLogMode = "off"    // none, and no refused attempts either
)

// Events of the request log for Observe.
const (
	EventSCIMLogWritten    = "scim_log_written"
	EventSCIMLogDropped    = "scim_log_dropped"
	EventSCIMRejected      = "scim_rejected"
	EventSCIMRejectedOther = "scim_rejected_unknown_integration"
)

// The bounds of what waits to be written, and when it is written.
const (
	maxWaiting      = 16384
	maxWaitingBytes = 8 << 20
	fullBatch       = 512      // entries after which is written at once
	fullBatchBytes  = 1 << 20  // bytes after which is written at once
	largeEntry      = 16 << 10 // bytes of an entry that is packed at once
	maxRejections   = 1000     // sorts of refused attempts
	flushEvery      = time.Second
	maxPause        = 15 * time.Second // between attempts on a database that does not answer
	flushTime       = 30 * time.Second // of one attempt
)

// RequestLogOptions are what a RequestLog is made of; Store must be set.
type RequestLogOptions struct {
	Store *store.Store
	Mode  SCIMLogMode      // full by default
	Log   *slog.Logger     // none by default
	Now   func() time.Time // time.Now by default
	// Observe, where set, is told how many entries were written and dropped, and how many attempts were refused.
	Observe func(event string, n int)
}

// RequestLog collects SCIM requests that were answered and writes them behind the answers, in batches. It never delays a
// request: where the database is slower than the requests, or away, what goes beyond a bounded buffer is dropped and counted.
// It is safe for concurrent use.
type RequestLog struct {
	RequestLogOptions
	packer *packer
	wake   chan struct{} // a batch is full
	flush  chan chan struct{}
	quit   chan struct{}
	done   chan struct{}
	once   sync.Once

	mu         sync.Mutex
	waiting    []waitingEntry
	bytes      int // of those that wait, and of those that are being written
	writing    int // how many are being written
	dropped    int // since that was last told
	rejections map[rejectionKey]*model.SCIMRejection
}

// NewRequestLog makes a log and begins to write; Close ends it.
func NewRequestLog(opt RequestLogOptions) *RequestLog {
	if opt.Mode == "" {
		opt.Mode = SCIMLogFull
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Observe == nil {
		opt.Observe = func(string, int) {}
	}
	l := &RequestLog{
		RequestLogOptions: opt, packer: newPacker(), wake: make(chan struct{}, 1), flush: make(chan chan struct{}),
		quit: make(chan struct{}), done: make(chan struct{}), rejections: map[rejectionKey]*model.SCIMRejection{},
	}
	go l.run()
	return l
}

// Wants says whether requests that end with the status are kept.
func (l *RequestLog) Wants(status int) bool {
	return l.Mode == SCIMLogFull || l.Mode == SCIMLogErrors && status >= 400
}

// waitingEntry is an entry that is not written yet.
type waitingEntry struct {
	model.SCIMEntry
	exchange []byte // packed; nil where that is still to be done
	size     int    // about how many bytes it occupies
}

func (e *waitingEntry) pack(p *packer) {
	if e.exchange == nil {
		x := e.Exchange()
		e.exchange = p.pack(&x)
	}
}

// Keep takes an entry to be written, or drops it where too much waits already. A large one is packed here, so that no page waits
// that is ten times as long as what is kept of it; the others are packed when they are written, behind the answers of all.
func (l *RequestLog) Keep(e model.SCIMEntry) {
	kept := waitingEntry{SCIMEntry: e, size: e.Size()}
	if kept.size > largeEntry {
		kept.pack(l.packer)
		kept.size = e.Size() + len(kept.exchange)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting)+l.writing >= maxWaiting || l.bytes+kept.size > maxWaitingBytes {
		l.dropped++
		return
	}
	l.waiting = append(l.waiting, kept)
	l.bytes += kept.size
	if len(l.waiting) >= fullBatch || l.bytes >= fullBatchBytes {
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}

// Flush writes what waits, and returns when one attempt at that was made.
func (l *RequestLog) Flush(ctx context.Context) {
	made := make(chan struct{})
	select {
	case l.flush <- made:
	case <-l.done:
		return
	case <-ctx.Done():
		return
	}
	select {
	case <-made:
	case <-l.done:
	case <-ctx.Done():
	}
}

// Close writes what waits and ends the log, at the latest when ctx ends. What comes after is dropped.
func (l *RequestLog) Close(ctx context.Context) {
	l.once.Do(func() { close(l.quit) })
	select {
	case <-l.done:
	case <-ctx.Done():
	}
}

// run writes until Close.
func (l *RequestLog) run() {
	defer close(l.done)
	w := &logWriter{log: l}
	timer := time.NewTimer(flushEvery)
	defer timer.Stop()
	for {
		var made chan struct{}
		select {
		case <-timer.C:
		case <-l.wake:
			if w.failures > 0 { // the timer says when to try again
				continue
			}
		case made = <-l.flush:
		case <-l.quit:
			w.write()
			return
		}
		w.write()
		if made != nil {
			close(made)
		}
		timer.Reset(w.pause())
	}
}

// take gives what waits, and counts it as being written.
func (l *RequestLog) take() ([]waitingEntry, []model.SCIMRejection, int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	entries, dropped := l.waiting, l.dropped
	l.waiting, l.dropped = nil, 0
	l.writing += len(entries)
	rejections := make([]model.SCIMRejection, 0, len(l.rejections))
	for _, r := range l.rejections {
		rejections = append(rejections, *r)
	}
	clear(l.rejections)
	return entries, rejections, dropped
}

// settled gives the room of entries back that were written or given up.
func (l *RequestLog) settled(entries []waitingEntry) {
	bytes := 0
	for i := range entries {
		bytes += entries[i].size
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.writing -= len(entries)
	l.bytes -= bytes
}
