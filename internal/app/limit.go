package app

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/semaphore"

	"usher/model"
)

// bounds are what clients, honest or not, can make this process hold and wait for. Together with 80 MiB for the program
// itself they keep it below about 150 MiB. The defaults leave more than Entra needs, which has at most some 50 requests under
// way, of 2 to 10 KiB: nobody but a flood meets them.
type bounds struct {
	// headerWithin is how long a connection may take to send the headers of a request, and idleFor how long it may then wait with
	// the next. Load balancers keep connections for 60 seconds, and must not find them closed.
	headerWithin, idleFor time.Duration
	// pieceWithin is how long 64 KiB of a body or an answer may take: slower clients hold memory for nobody's use.
	pieceWithin time.Duration
	// requestWithin and answerWithin bound the whole of either, from the first byte of the request. Provisioning services give up
	// after 60 seconds.
	requestWithin, answerWithin time.Duration
	// patience is how long a request waits for its share before it is answered 429: far less than the 60 seconds of its client.
	patience time.Duration
	// headerBytes has room for a filter of 16 KiB with its escapes.
	headerBytes int
	// connections at once, each of 10 to 50 KiB; see USHER_MAX_CONNECTIONS.
	connections int
	// working is how many SCIM requests are worked on at once: some for each connection to the database, which is what they wait
	// for then.
	working int64
	// pages is how many of these are pages of many resources, which hold far more memory than others.
	pages int64
	// bodies is how many bytes of large request bodies are received and held at once, and large how many bytes of memory all that
	// is larger than an ordinary request may come to while it is worked on; see USHER_REQUEST_MEMORY.
	bodies, large int64
}

const (
	// freeBody is what of a body needs no share: that of an ordinary request, which comes with the headers as a rule.
	freeBody = 16<<10 + 1<<10
	// unknownBody is the share of a body that does not tell its length; it grows by as much.
	unknownBody = 1 << 20
	// largestBody is the largest body that is held as a whole, that of a bulk request. What is longer is read as it comes.
	largestBody = 8 << 20
	piece       = 64 << 10
	// retryAfter is what a client is told that found no room: as long as it has waited.
	retryAfter = 5 * time.Second
)

func (c *Config) bounds() bounds {
	memory := int64(c.RequestMemory) << 20
	b := bounds{
		headerWithin: 10 * time.Second, idleFor: 2 * time.Minute, pieceWithin: 10 * time.Second, requestWithin: time.Minute,
		answerWithin: 2 * time.Minute, patience: 5 * time.Second, headerBytes: 32 << 10, connections: c.MaxConnections,
		working: c.working(), pages: c.pages(), bodies: memory / 4, large: memory - memory/4,
	}
	if c.hurry > 0 {
		for _, d := range []*time.Duration{&b.headerWithin, &b.pieceWithin, &b.patience, &b.requestWithin, &b.answerWithin, &b.idleFor} {
			*d = min(*d, c.hurry)
		}
	}
	return b
}

// working is how many SCIM requests are worked on at once. On SQLite they wait for one writer and few readers: more of them would
// only hold memory.
func (c *Config) working() int64 {
	if strings.HasPrefix(c.DatabaseURL, "sqlite:") {
		return sqliteWorking
	}
	return int64(max(64, 4*c.DatabaseConns))
}

// pages is how many pages of many resources are read at once. They keep a processor and a connection busy, and hold half a MiB
// each: more of them would be no sooner done.
func (c *Config) pages() int64 { return int64(max(4, c.DatabaseConns/2)) }

// sqliteWorking is how many SCIM requests are worked on at once on SQLite.
const sqliteWorking = 16

// gate lets requests have their share of what is bounded. It is the Room of the SCIM edge and of the management API.
type gate struct {
	bounds
	observe                               func(limit string)
	conns                                 *connections
	bodyRoom, largeRoom, slots, pageSlots *semaphore.Weighted
}

func newGate(b bounds, observe func(limit string)) *gate {
	return &gate{
		bounds: b, observe: observe, conns: newConnections(b.connections, observe), bodyRoom: semaphore.NewWeighted(b.bodies),
		largeRoom: semaphore.NewWeighted(b.large), slots: semaphore.NewWeighted(b.working), pageSlots: semaphore.NewWeighted(b.pages),
	}
}

// server gives a server whose every wait on a client is bounded, as is what it holds for all of them. It accepts from g.conns.
func (g *gate) server(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: g.guard(handler), ReadHeaderTimeout: g.headerWithin, ReadTimeout: g.requestWithin, WriteTimeout: g.answerWithin,
		IdleTimeout: g.idleFor, MaxHeaderBytes: g.headerBytes, ConnState: g.conns.state, ConnContext: g.conns.remember,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// visit is what one request has.
type visit struct {
	gate          *gate
	control       *http.ResponseController
	bodies, large int64
	working, page bool
}

type visitKey struct{}

// guard surrounds every request: what it takes on its way is given back behind it.
func (g *gate) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn := connectionOf(r.Context())
		if !g.conns.enter(conn) {
			panic(http.ErrAbortHandler) // closed to make room a moment ago; nothing was done
		}
		v := &visit{gate: g, control: http.NewResponseController(w)}
		defer v.leave()
		defer g.conns.exit(conn)
		r = r.WithContext(context.WithValue(r.Context(), visitKey{}, v))
		if r.Body != nil && r.Body != http.NoBody {
			r.Body = &meteredBody{ReadCloser: r.Body, visit: v, declared: r.ContentLength}
		}
		next.ServeHTTP(&meteredAnswer{w, v}, r)
	})
}

func (v *visit) leave() {
	v.stopWorking()
	v.gate.bodyRoom.Release(v.bodies)
	v.gate.largeRoom.Release(v.large)
}

func (v *visit) stopWorking() {
	if v.working {
		v.working = false
		v.gate.slots.Release(1)
	}
	if v.page {
		v.page = false
		v.gate.pageSlots.Release(1)
	}
}

// Begin waits until the request may be worked on. Those that wait come in their order.
func (g *gate) Begin(ctx context.Context) error {
	v, ok := ctx.Value(visitKey{}).(*visit)
	if !ok || v.working {
		return nil
	}
	err := g.take(ctx, g.slots, 1, "work")
	v.working = err == nil
	return err
}

// Page waits until the request, which has begun, may read a page of many resources. Those that wait keep no others from their work.
// A page that turns out to be large gives its place up for its share of the memory.
func (g *gate) Page(ctx context.Context) error {
	v, ok := ctx.Value(visitKey{}).(*visit)
	if !ok || v.page {
		return nil
	}
	v.stopWorking()
	if err := g.take(ctx, g.pageSlots, 1, "pages"); err != nil {
		return err
	}
	v.page = true
	return g.Begin(ctx)
}

// Hold waits until the request may hold so many bytes in all beside its body. Meanwhile it lets go of what it had, so that no two
// requests wait for each other.
func (g *gate) Hold(ctx context.Context, bytes int) error {
	v, ok := ctx.Value(visitKey{}).(*visit)
	n := min(int64(bytes), g.large)
	if !ok || n <= v.large {
		return nil
	}
	worked := v.working
	v.stopWorking()
	g.largeRoom.Release(v.large)
	v.large = 0
	if err := g.take(ctx, g.largeRoom, n, "memory"); err != nil {
		return err
	}
	v.large = n
	if worked {
		return g.Begin(ctx)
	}
	return nil
}

// Try is Hold that does not wait.
func (g *gate) Try(ctx context.Context, bytes int) error {
	v, ok := ctx.Value(visitKey{}).(*visit)
	n := min(int64(bytes), g.large)
	if !ok || n <= v.large {
		return nil
	}
	if !g.largeRoom.TryAcquire(n - v.large) {
		g.observe("memory")
		return &model.Throttled{After: retryAfter}
	}
	v.large = n
	return nil
}

// take waits for a share of one of the things that are bounded.
func (g *gate) take(ctx context.Context, of *semaphore.Weighted, n int64, name string) error {
	if of.TryAcquire(n) {
		return nil
	}
	waiting, cancel := context.WithTimeout(ctx, g.patience)
	defer cancel()
	if of.Acquire(waiting, n) == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	g.observe(name)
	return &model.Throttled{After: retryAfter}
}

// meteredBody is a request body that must keep coming, and of which no more is read than there is room for.
type meteredBody struct {
	io.ReadCloser
	visit    *visit
	declared int64 // -1 where it is not known
	got      int64
	due      int64 // when so much has come, the client gets time for the next piece
}

// Read reads on. It gives model.Throttled where there is no room.
func (b *meteredBody) Read(p []byte) (int, error) {
	if b.got >= b.due {
		b.due = b.got + piece
		_ = b.visit.control.SetReadDeadline(time.Now().Add(b.visit.gate.pieceWithin))
	}
	if b.got+int64(len(p)) > freeBody {
		if b.got < freeBody {
			p = p[:freeBody-b.got] // whether there is more is not known yet
		} else if err := b.grow(); err != nil {
			return 0, err
		}
	}
	n, err := b.ReadCloser.Read(p)
	b.got += int64(n)
	return n, err // at the end net/http lifts the deadline
}

// grow takes the share of a body of which more has come than is free.
func (b *meteredBody) grow() error {
	need := b.declared
	if need < 0 {
		need = b.got - b.got%unknownBody + unknownBody
	}
	need = min(need, largestBody, b.visit.gate.bodies)
	v := b.visit
	if need <= v.bodies {
		return nil
	}
	if err := v.gate.take(context.Background(), v.gate.bodyRoom, need-v.bodies, "memory"); err != nil {
		return err
	}
	v.bodies = need
	_ = v.control.SetReadDeadline(time.Now().Add(v.gate.pieceWithin)) // it was we who waited
	return nil
}

// meteredAnswer is an answer that the client must keep taking. With its first byte the work is done.
type meteredAnswer struct {
	http.ResponseWriter
	visit *visit
}

// Unwrap gives http.ResponseController the writer of the server.
func (a *meteredAnswer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// WriteHeader begins the answer.
func (a *meteredAnswer) WriteHeader(status int) {
	a.visit.stopWorking()
	a.ResponseWriter.WriteHeader(status)
}

// Write sends a large answer in pieces, and gives the client time for each.
func (a *meteredAnswer) Write(p []byte) (int, error) {
	a.visit.stopWorking()
	sent := 0
	for len(p)-sent > piece {
		_ = a.visit.control.SetWriteDeadline(time.Now().Add(a.visit.gate.pieceWithin))
		n, err := a.ResponseWriter.Write(p[sent : sent+piece])
		if sent += n; err != nil {
			return sent, err
		}
	}
	if sent > 0 {
		_ = a.visit.control.SetWriteDeadline(time.Now().Add(a.visit.gate.pieceWithin))
	}
	n, err := a.ResponseWriter.Write(p[sent:])
	return sent + n, err
}
