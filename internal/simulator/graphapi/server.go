package graphapi

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"usher/internal/simulator/entraid"
)

// Options are what a Server is started with. Calendars or Directory, and TenantID are needed.
type Options struct {
	Calendars Calendars          // the mailboxes; without them Graph knows of no calendars
	Directory *entraid.Directory // people, groups and applications; without it Graph knows what Calendars knows of people
	TenantID  string             // a GUID; the authority answers for it alone; that of Directory where empty
	Apps      []App

	TokenLifetime      time.Duration // an hour, less a second, where it is 0
	MailboxConcurrency int           // requests in flight per mailbox before Graph answers 429; 0 is without limit
	Identity           Identity      // what an application may do with the directory
	JournalSize        int           // requests that the journal keeps; 10,000 where it is 0

	GraphAddr string // where Graph listens; 127.0.0.1:0 where it is empty
	LoginAddr string // where the authority listens; 127.0.0.1:0 where it is empty

	Now func() time.Time
	Log *slog.Logger // nothing is logged where it is nil
}

// App is an application that is registered in the tenant. It proves itself by a secret, by an assertion that one of its
// certificates has signed, or by one of a federated credential.
type App struct {
	ID           string
	Secrets      []Secret
	Certificates []*x509.Certificate
	Federated    []Federated
	RedirectURIs []string // where people may be sent back to; anywhere where there are none
	Public       bool     // trades a code for a token without proving itself
}

// Secret is a client secret; the zero EndsAt never comes.
type Secret struct {
	Value  string
	EndsAt time.Time
}

// Federated is a federated credential: an assertion with this issuer and subject is believed. Its signature is not looked at,
// since there is no issuer to ask for its keys.
type Federated struct{ Issuer, Subject string }

// Server is a running pretend Microsoft. It is safe for concurrent use.
type Server struct {
	GraphURL string         // http://127.0.0.1:port; a request goes to GraphURL + "/v1.0/…"
	LoginURL string         // https://127.0.0.1:port; the authority host
	RootCAs  *x509.CertPool // trusts LoginURL

	world    Calendars
	opts     Options
	now      func() time.Time
	log      *slog.Logger
	key      []byte // signs tokens
	graph    *http.Server
	login    *http.Server
	routes   []route
	journal  *journal
	faults   faults
	rest     remainders
	identity identity
	meters   meters
	stop     func() bool
	serving  sync.WaitGroup
	closing  sync.Once
	closeErr error

	mu       sync.Mutex // of what is below
	apps     map[string]App
	lifetime time.Duration
	skew     time.Duration
	revoked  time.Time // tokens from before it are challenged
	consent  consent

	administrator *Administrator // who sits at the browser

	codes    map[string]*code
	mark     string // id of the extended property that events have
	inFlight map[string]int
	peak     map[string]int
}

// Start serves until ctx ends or Close is called. A failure is one to listen, or to make the certificates.
func Start(ctx context.Context, opts Options) (*Server, error) {
	if opts.TenantID == "" && opts.Directory != nil {
		opts.TenantID = opts.Directory.ID()
	}
	if opts.Calendars == nil && opts.Directory == nil || opts.TenantID == "" {
		return nil, errors.New("graphapi: Calendars or Directory, and TenantID are needed")
	}
	s := newServer(opts)
	certificate, pool, err := throwawayCA(time.Now()) // TLS knows the true clock alone
	if err != nil {
		return nil, fmt.Errorf("graphapi: making certificates: %w", err)
	}
	s.RootCAs = pool
	graph, err := listen(ctx, opts.GraphAddr)
	if err != nil {
		return nil, fmt.Errorf("graphapi: listening for Graph: %w", err)
	}
	login, err := listen(ctx, opts.LoginAddr)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("graphapi: listening for the authority: %w", err), graph.Close())
	}
	s.GraphURL, s.LoginURL = "http://"+graph.Addr().String(), "https://"+login.Addr().String()
	s.graph = s.httpServer(http.HandlerFunc(s.serveGraph))
	s.login = s.httpServer(http.HandlerFunc(s.serveLogin))
	s.login.TLSConfig = certificate
	s.run(func() error { return s.graph.Serve(graph) })
	s.run(func() error { return s.login.ServeTLS(login, "", "") })
	s.stop = context.AfterFunc(ctx, func() { _ = s.Close() })
	return s, nil
}

func newServer(opts Options) *Server {
	s := &Server{
		world: opts.Calendars, opts: opts, now: opts.Now, log: opts.Log, key: make([]byte, 32), routes: routes(opts),
		lifetime: opts.TokenLifetime, apps: map[string]App{}, codes: map[string]*code{}, inFlight: map[string]int{}, peak: map[string]int{},
	}
	_, _ = rand.Read(s.key) // never fails
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.lifetime == 0 {
		s.lifetime = time.Hour - time.Second
	}
	size := opts.JournalSize
	if size == 0 {
		size = 10_000
	}
	s.journal = &journal{limit: size}
	s.SetIdentityLimits(opts.Identity)
	for _, app := range opts.Apps {
		s.apps[app.ID] = app
	}
	return s
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	if address == "" {
		address = "127.0.0.1:0"
	}
	var config net.ListenConfig
	return config.Listen(ctx, "tcp", address)
}

func (s *Server) httpServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
}

func (s *Server) run(serve func() error) {
	s.serving.Go(func() {
		if err := serve(); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("the pretend Microsoft stopped", "err", err)
		}
	})
}

// Close ends both servers and every connection to them.
func (s *Server) Close() error {
	s.closing.Do(func() {
		if s.stop != nil {
			s.stop()
		}
		s.closeErr = errors.Join(s.graph.Close(), s.login.Close())
	})
	s.serving.Wait()
	return s.closeErr
}

// enter counts a request to a mailbox; false says that there are too many.
func (s *Server) enter(mailbox string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if limit := s.opts.MailboxConcurrency; limit > 0 && s.inFlight[mailbox] >= limit {
		return false
	}
	s.inFlight[mailbox]++
	if s.inFlight[mailbox] > s.peak[mailbox] && (len(s.peak) < 10_000 || s.peak[mailbox] > 0) {
		s.peak[mailbox] = s.inFlight[mailbox]
	}
	return true
}

func (s *Server) leave(mailbox string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inFlight[mailbox]--; s.inFlight[mailbox] == 0 {
		delete(s.inFlight, mailbox)
	}
}

// PeakInFlight tells how many requests to a mailbox were in flight at once at most. The mailbox is what stood in the path, in
// lower case.
func (s *Server) PeakInFlight(mailbox string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.peak[mailbox]
}
