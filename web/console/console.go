package console

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"usher/calendarbridge"
	"usher/directory"
	"usher/model/store"
)

// Base is the path that everything of this package lies under.
const Base = "/console"

// Options are what the console works with.
type Options struct {
	Service *directory.Service
	// Calendars, where set, is the calendar bridge.
	Calendars *calendarbridge.Service
	// Graph, where set, is the door to Microsoft Graph.
	Graph Graph
	// PublicURL is the base of absolute URLs, such as https://usher.contoso.example. With https cookies are bound to it.
	PublicURL string
	Version   string
	Logger    *slog.Logger
	// Entra, where set, lets operators sign in with Entra.
	Entra *EntraSignIn
	// Room, where set, bounds what all requests hold together.
	Room Room
	// Facts are what the page of settings tells of the configuration; none of it is secret.
	Facts []Fact
	// Jobs, where set, tells what is queued.
	Jobs Jobs
	// Stopping ends when the server is told to stop: whoever follows something is let go then.
	Stopping context.Context
	// Follow says how what a job does is followed.
	Follow Following
}

// Fact is one setting of the installation, for the page of settings.
type Fact struct{ Name, Value, Help string }

// Console serves the administrators' console. It is safe for concurrent use.
type Console struct {
	svc       *directory.Service
	store     *store.Store
	calendars *calendarbridge.Service
	publicURL string
	secure    bool // the browser comes over https
	version   string
	log       *slog.Logger
	entra     *entraDoor
	graph     Graph
	room      Room
	facts     []Fact
	jobs      Jobs
	now       func() time.Time

	numbers  numbers
	surveys  surveys
	follower *follower
	assets   *assets
	pages    pages
	routes   []route
	mux      *http.ServeMux
	handler  http.Handler
}

// New makes the console with all its routes. It panics where an asset cannot be read: that is a mistake of the program.
func New(opt Options) *Console {
	c := &Console{
		svc: opt.Service, store: opt.Service.Store, calendars: opt.Calendars, publicURL: strings.TrimRight(opt.PublicURL, "/"),
		version: opt.Version, log: opt.Logger, room: opt.Room, facts: opt.Facts, jobs: opt.Jobs, graph: opt.Graph, now: opt.Service.Now,
		mux: http.NewServeMux(),
	}
	c.secure = strings.HasPrefix(c.publicURL, "https:")
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if opt.Entra != nil {
		c.entra = newEntraDoor(*opt.Entra, c.publicURL)
	}
	var err error
	if c.assets, err = newAssets(); err != nil {
		panic(err)
	}
	c.follower = newFollower(opt.Follow, c.log, opt.Stopping)
	c.routes = c.allRoutes()
	c.mount()
	c.handler = c.guarded(c.mux)
	return c
}

// ServeHTTP answers a request below Base.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.handler.ServeHTTP(w, r) }

// Mount adds the console to a server's routes.
func (c *Console) Mount(e *echo.Echo) {
	serve := echo.WrapHandler(c)
	for _, path := range []string{Base, Base + "/*"} {
		e.Any(path, serve)
		e.RouteNotFound(path, serve) // methods that echo does not know
	}
}

// guarded refuses what another site asks a browser for, and says with every answer what a browser may do with it.
func (c *Console) guarded(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	if u, err := url.Parse(c.publicURL); err == nil && u.Host != "" {
		_ = protection.AddTrustedOrigin(u.Scheme + "://" + u.Host) // what stands behind a proxy sees another host
	}
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.plainPage(w, r, http.StatusForbidden, "This came from another site", "Usher takes changes only from its own pages. Open the console and try again.")
	}))
	inner := protection.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.headers(w.Header())
		defer c.recovered(w, r)
		inner.ServeHTTP(w, r)
	})
}

// policy is what a page may load and do: everything from here, no script or style of its own.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

func (c *Console) headers(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
	h.Set("Cache-Control", "no-store")
	if c.secure {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}
