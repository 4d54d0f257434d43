package console

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"usher/model"
)

// Following says how what a job does is followed. Every field has a default for its zero value.
type Following struct {
	// Every is how often what is followed is read, however many look at it: once a second. Progress changes once a page of people.
	Every time.Duration
	// Alive is how long a stream is silent before it says that it is there, so that no proxy closes it: 15 seconds.
	Alive time.Duration
	// Check is how often it is asked whether the operator is still signed in and may still look: every 5 seconds.
	Check time.Duration
	// PerSession and PerServer bound the streams that are open at once: 4 of a session, since a browser keeps at most 6
	// connections to a server, and 100 of a process.
	PerSession, PerServer int
}

func (f Following) withDefaults() Following {
	for _, d := range []struct {
		value     *time.Duration
		otherwise time.Duration
	}{{&f.Every, time.Second}, {&f.Alive, 15 * time.Second}, {&f.Check, 5 * time.Second}} {
		if *d.value <= 0 {
			*d.value = d.otherwise
		}
	}
	if f.PerSession <= 0 {
		f.PerSession = 4
	}
	if f.PerServer <= 0 {
		f.PerServer = 100
	}
	return f
}

// eventWithin is how long a browser may take to accept an event, and comeAgain how long it waits before it connects anew.
const (
	eventWithin = 15 * time.Second
	comeAgain   = 3 * time.Second
)

// news is how something that is followed stands.
type news struct {
	html []byte // the part of the page that shows it
	over bool   // nothing more comes: it has ended, or it takes an operator to go on
}

// follower reads what is followed, each thing once however many look at it, and bounds how many do.
type follower struct {
	Following
	log      *slog.Logger
	stopping <-chan struct{} // closed when the server stops

	mu       sync.Mutex
	sources  map[string]*source
	sessions map[string]int // open streams by session
	streams  int
}

// source is one thing that is followed. The mutex of its follower guards it.
type source struct {
	viewers int
	stop    context.CancelFunc
	now     news
	version int           // of now; 0 before the first
	broken  bool          // it could not be read, and nobody tries any more
	changed chan struct{} // closed when any of this is another
}

func newFollower(f Following, log *slog.Logger, stopping context.Context) *follower {
	out := &follower{Following: f.withDefaults(), log: log, sources: map[string]*source{}, sessions: map[string]int{}}
	if stopping != nil {
		out.stopping = stopping.Done()
	}
	return out
}

// join gives the source of what key names, which read reads, and counts one more stream of the session. It is Throttled where
// there are enough.
func (f *follower) join(ctx context.Context, key, session string, read func(context.Context) (news, error)) (*source, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.sessions[session] >= f.PerSession || f.streams >= f.PerServer {
		return nil, &model.Throttled{After: comeAgain}
	}
	f.sessions[session]++
	f.streams++
	s := f.sources[key]
	if s == nil {
		s = &source{changed: make(chan struct{})}
		ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx)) // it outlives who came first
		f.sources[key] = s
		go f.keep(ctx, key, s, read)
	}
	s.viewers++
	return s, nil
}

// leave takes a stream away; with the last one the reading ends.
func (f *follower) leave(key, session string, s *source) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.streams--
	if f.sessions[session]--; f.sessions[session] == 0 {
		delete(f.sessions, session)
	}
	if s.viewers--; s.viewers == 0 {
		f.drop(key, s)
	}
}

// drop ends the reading of a source; whoever comes next begins another.
func (f *follower) drop(key string, s *source) {
	s.stop()
	if f.sources[key] == s {
		delete(f.sources, key)
	}
}

// look gives how a source stands, and what is closed when it changes.
func (f *follower) look(s *source) (now news, version int, broken bool, changed <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return s.now, s.version, s.broken, s.changed
}

// keep reads a source again and again until nothing more comes of it or nobody looks.
func (f *follower) keep(ctx context.Context, key string, s *source, read func(context.Context) (news, error)) {
	tick := time.NewTicker(f.Every)
	defer tick.Stop()
	for {
		n, err := safely(ctx, read)
		if ctx.Err() != nil || !f.told(ctx, key, s, n, err) {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// safely reads; a panic is an error, since it would end the program here.
func safely(ctx context.Context, read func(context.Context) (news, error)) (n news, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panicked: %v\n%s", cause, debug.Stack())
		}
	}()
	return read(ctx)
}

// told tells the viewers what was read, and says whether to read on.
func (f *follower) told(ctx context.Context, key string, s *source, n news, err error) bool {
	gone := err != nil && model.KindOf(err) == model.NotFound // it goes with its integration
	if err != nil && !gone {
		f.log.WarnContext(ctx, "following broken off", "followed", key, "err", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case gone:
		s.now.over = true
	case err != nil:
		s.broken = true
	case s.version > 0 && bytes.Equal(s.now.html, n.html) && s.now.over == n.over:
		return true
	default:
		s.now = n
	}
	s.version++
	close(s.changed)
	s.changed = make(chan struct{})
	if s.now.over || s.broken {
		f.drop(key, s)
		return false
	}
	return true
}

// follow answers with a stream of server-sent events: progress, whose data is the part of the page, whenever that is another, and
// over when nothing more comes or the operator may not look any more. It ends with the server, and the browser comes again.
func (v *visit) follow(key string, read func(context.Context) (news, error)) error {
	if v.r.Method == http.MethodHead {
		v.w.Header().Set("Content-Type", "text/event-stream")
		return nil
	}
	s, err := v.follower.join(v.ctx, key, v.who.Session.ID, read)
	if err != nil {
		return err
	}
	defer v.follower.leave(key, v.who.Session.ID, s)
	out := &eventStream{w: v.w, control: http.NewResponseController(v.w)}
	if out.begin() {
		v.tell(out, s)
	}
	return nil
}

func (v *visit) tell(out *eventStream, s *source) {
	f := v.follower
	alive, check := time.NewTicker(f.Alive), time.NewTicker(f.Check)
	defer alive.Stop()
	defer check.Stop()
	seen := 0
	for {
		now, version, broken, changed := f.look(s)
		if version != seen && len(now.html) > 0 && !out.event("progress", now.html) {
			return
		}
		if seen = version; now.over {
			out.event("over", nil)
			return
		}
		if broken {
			return
		}
		select {
		case <-changed:
		case <-alive.C:
			if !out.write([]byte(": still here\n\n")) {
				return
			}
		case <-check.C:
			if !v.mayStillLook() {
				out.event("over", nil)
				return
			}
		case <-f.stopping:
			return
		case <-v.ctx.Done():
			return
		}
	}
}

// mayStillLook says whether the session goes on and its operator has the right that every stream needs, to view. Looking keeps no session from ending.
func (v *visit) mayStillLook() bool {
	who, err := v.svc.StandingSession(v.ctx, v.sessionToken(v.r))
	if _, known := errors.AsType[*model.Error](err); err != nil && !known {
		return true // the database does not answer; the next time it may
	}
	return err == nil && who.Operator.Has(model.RightRead)
}

// eventStream is an answer of server-sent events (WHATWG HTML, §9.2).
type eventStream struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

func (s *eventStream) begin() bool {
	h := s.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // a proxy must pass events on as they come
	return s.write(fmt.Appendf(nil, "retry: %d\n\n", comeAgain.Milliseconds()))
}

// event sends one event. A carriage return would end a line as well.
func (s *eventStream) event(name string, data []byte) bool {
	b := fmt.Appendf(nil, "event: %s\n", name)
	data = bytes.ReplaceAll(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		b = append(append(append(b, "data: "...), line...), '\n')
	}
	return s.write(append(b, '\n'))
}

func (s *eventStream) write(b []byte) bool {
	_ = s.control.SetWriteDeadline(time.Now().Add(eventWithin)) // a writer without deadlines has none to keep
	if _, err := s.w.Write(b); err != nil {
		return false
	}
	return s.control.Flush() == nil
}
