package console

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"usher/model"
)

// TestReadOnceForAll: however many look at a thing, it is read by one, and by nobody when the last one is gone.
func TestReadOnceForAll(t *testing.T) {
	t.Parallel()
	f := newFollower(Following{Every: time.Hour, PerSession: 10}, slog.New(slog.DiscardHandler), nil)
	var reads atomic.Int32
	reading := make(chan context.Context, 10)
	read := func(ctx context.Context) (news, error) {
		reads.Add(1)
		reading <- ctx
		return news{html: []byte("one")}, nil
	}
	var first *source
	for range 5 {
		s, err := f.join(t.Context(), "run/1", "session", read)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = s
		}
		if s != first {
			t.Fatal("two sources of one thing")
		}
	}
	ctx := <-reading
	for range 5 {
		f.leave("run/1", "session", first)
	}
	<-ctx.Done()
	if n := reads.Load(); n != 1 || len(f.sources)+len(f.sessions)+f.streams != 0 {
		t.Errorf("%d reads; left are %d sources, %d sessions, %d streams", n, len(f.sources), len(f.sessions), f.streams)
	}
}

// TestFollowingWhatFails: what cannot be read ends its streams, and what is gone tells them so; neither is in the way of the next.
func TestFollowingWhatFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		read         func(context.Context) (news, error)
		broken, over bool
	}{
		"an error": {read: func(context.Context) (news, error) { return news{}, errors.New("no database") }, broken: true},
		"a panic":  {read: func(context.Context) (news, error) { panic("no template") }, broken: true},
		"gone":     {read: func(context.Context) (news, error) { return news{}, model.Errorf(model.NotFound, "no run") }, over: true},
	} {
		f := newFollower(Following{Every: time.Millisecond}, slog.New(slog.DiscardHandler), nil)
		s, err := f.join(t.Context(), "run/1", "session", c.read)
		if err != nil {
			t.Fatal(err)
		}
		_, version, _, changed := f.look(s)
		if version == 0 {
			<-changed
		}
		now, _, broken, _ := f.look(s)
		if now.over != c.over || broken != c.broken {
			t.Errorf("%s: over %v, broken %v", name, now.over, broken)
		}
		next, err := f.join(t.Context(), "run/1", "session", func(context.Context) (news, error) { return news{}, nil })
		if err != nil || next == s {
			t.Errorf("%s: the next joins what is broken: %v", name, err)
		}
		f.leave("run/1", "session", s)
		f.leave("run/1", "session", next)
		if len(f.sources) != 0 {
			t.Errorf("%s: a source is left", name)
		}
	}
}

// TestHostileEvent: nothing in a part of a page begins a line of the stream.
func TestHostileEvent(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	out := &eventStream{w: w, control: http.NewResponseController(w)}
	if !out.event("progress", []byte("<p>a\rdata: b\r\n\r\nevent: over\nid: 7\n\n</p>")) {
		t.Fatal("it was not sent")
	}
	lines := strings.Split(strings.TrimSuffix(w.Body.String(), "\n\n"), "\n")
	for n, line := range lines {
		if strings.ContainsRune(line, '\r') || n > 0 && !strings.HasPrefix(line, "data: ") {
			t.Errorf("line %d is %q", n, line)
		}
	}
}
