package app

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"usher/model"
)

// visitor gives a gate of little room, and a context as a request of it has.
func visitor(g *gate) (context.Context, *visit) {
	v := &visit{gate: g, control: http.NewResponseController(httptest.NewRecorder())}
	return context.WithValue(context.Background(), visitKey{}, v), v
}

func narrow() *gate {
	return newGate(bounds{patience: 5 * time.Second, connections: 4, working: 1, pages: 1, bodies: 4 << 20, large: 100}, func(string) {})
}

func throttled(err error) bool { _, ok := errors.AsType[*model.Throttled](err); return ok }

// TestGate: requests wait for each other no longer than they have patience, and give everything back.
func TestGate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := narrow()
		first, v1 := visitor(g)
		second, v2 := visitor(g)
		if err := errors.Join(g.Begin(first), g.Begin(first), g.Hold(first, 60)); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if err := g.Begin(second); !throttled(err) || time.Since(start) != 5*time.Second {
			t.Errorf("beside one at work: %v after %s, want Throttled after 5s", err, time.Since(start))
		}
		if err := g.Try(second, 50); !throttled(err) {
			t.Errorf("tried for too much: %v", err)
		}
		// Each wants more than both can have: the first lets go of what it has, so that one of them gets on.
		done := make(chan error, 2)
		if err := g.Try(second, 40); err != nil {
			t.Fatal(err)
		}
		go func() { done <- g.Hold(first, 80); v1.leave() }()
		go func() { <-time.After(time.Second); done <- g.Hold(second, 80); v2.leave() }()
		if err := errors.Join(<-done, <-done); err != nil {
			t.Errorf("two that want more: %v", err)
		}
		synctest.Wait()
		third, v3 := visitor(g)
		if err := errors.Join(g.Try(third, 1000), g.Begin(third)); err != nil {
			t.Errorf("when all have left: %v", err)
		}
		v3.leave()
		gone, cancel := context.WithCancel(third)
		cancel()
		if err := errors.Join(g.Begin(first), g.Begin(gone)); !errors.Is(err, context.Canceled) {
			t.Errorf("a client that went away: %v", err)
		}
	})
}

// TestGateOfPages: who waits for others' pages keeps nobody from other work, and who needs more than a page has of room lets others
// on.
func TestGateOfPages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate(bounds{patience: 5 * time.Second, connections: 4, working: 2, pages: 1, bodies: 4 << 20, large: 100}, func(string) {})
		reader, v1 := visitor(g)
		if err := errors.Join(g.Begin(reader), g.Page(reader), g.Page(reader)); err != nil {
			t.Fatal(err)
		}
		late, v2 := visitor(g)
		if err := errors.Join(g.Begin(late), g.Page(late)); !throttled(err) {
			t.Errorf("a second page: %v, want Throttled", err)
		}
		v2.leave()
		waiting := make(chan error, 3)
		for range 3 {
			ctx, v := visitor(g)
			go func() { waiting <- errors.Join(g.Begin(ctx), g.Page(ctx)); v.leave() }()
		}
		synctest.Wait()
		quick, v3 := visitor(g)
		start := time.Now()
		if err := g.Begin(quick); err != nil || time.Since(start) != 0 {
			t.Errorf("other work beside them: %v after %s", err, time.Since(start))
		}
		v3.leave()
		if err := g.Hold(reader, 50); err != nil {
			t.Error(err)
		}
		for range 3 {
			if err := <-waiting; err != nil {
				t.Errorf("when the first page turned out to be large: %v", err)
			}
		}
		v1.leave()
		if !g.pageSlots.TryAcquire(1) || !g.slots.TryAcquire(2) || !g.largeRoom.TryAcquire(100) {
			t.Error("something was not given back")
		}
	})
}

// TestMeteredBody: what is free of a body is read without a share, the rest with one, of which there is only so much.
func TestMeteredBody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := narrow()
		read := func(declared int64, size int) (*visit, error) {
			_, v := visitor(g)
			body := &meteredBody{ReadCloser: io.NopCloser(bytes.NewReader(make([]byte, size))), visit: v, declared: declared}
			raw, err := io.ReadAll(body)
			if err == nil && len(raw) != size {
				t.Errorf("%d bytes of %d", len(raw), size)
			}
			return v, err
		}
		for _, c := range []struct {
			declared int64
			size     int
			share    int64
		}{
			{100, 100, 0}, {-1, freeBody - 1, 0}, {100_000, 100_000, 100_000}, {-1, 100_000, unknownBody}, {-1, 3 << 19, 2 * unknownBody}, {64 << 20, 9 << 20, 4 << 20},
		} {
			v, err := read(c.declared, c.size)
			if err != nil || v.bodies != c.share {
				t.Errorf("%d bytes, declared as %d: %v, a share of %d, want %d", c.size, c.declared, err, v.bodies, c.share)
			}
			v.leave()
		}
		held, err := read(4<<20, 4<<20)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := read(100, 100); err != nil {
			t.Errorf("a small body beside a large one: %v", err)
		}
		if _, err := read(1<<20, 1<<20); !throttled(err) {
			t.Errorf("a large body beside a large one: %v, want Throttled", err)
		}
		held.leave()
	})
}

// TestLongWork: a request whose work takes longer than it may take to arrive is not given up.
func TestLongWork(t *testing.T) {
	t.Parallel()
	b := bounds{requestWithin: 50 * time.Millisecond, pieceWithin: 50 * time.Millisecond, answerWithin: time.Minute, connections: 4, headerBytes: 1 << 12}
	g := newGate(b, func(string) {})
	server := httptest.NewUnstartedServer(nil)
	server.Config = g.server(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		select {
		case <-r.Context().Done():
			err = errors.Join(err, r.Context().Err())
		case <-time.After(300 * time.Millisecond):
		}
		if err != nil {
			w.WriteHeader(http.StatusTeapot)
		}
	}), slog.New(slog.DiscardHandler))
	server.Listener = g.conns.listen(server.Listener)
	server.Start()
	defer server.Close()
	for _, body := range []string{"", "body"} {
		res, err := http.Post(server.URL, "text/plain", bytes.NewBufferString(body))
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != http.StatusOK || res.Body.Close() != nil {
			t.Errorf("with the body %q: %s", body, res.Status)
		}
	}
}
