package api

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/labstack/echo/v4"

	"usher/directory"
	"usher/model/store"
)

// Base is the path that everything of this package lies under.
const Base = "/api/v1"

// Options are what the API works with.
type Options struct {
	Service *directory.Service
	// PublicURL is the base of absolute URLs that are handed out, such as https://usher.contoso.example.
	PublicURL string
	// AdminKey is the installation's key (USHER_ADMIN_API_KEY); without it there is none.
	AdminKey string
	// Version of Usher, for the OpenAPI document.
	Version string
	Logger  *slog.Logger
	// Stopping ends when the server is told to stop: whoever waits for news is answered then. Without it nobody is.
	Stopping context.Context
	// Now gives the time by which waiting requests end; time.Now by default.
	Now func() time.Time
	// Graph, where set, is the door to Microsoft Graph.
	Graph Graph
	// Calendars, where set, is the calendar bridge.
	Calendars Calendars
	// Room, where set, bounds what all requests hold together.
	Room Room
	// Heartbeat is how often a stream of events gives a sign of life; 15 seconds by default.
	Heartbeat time.Duration
}

// Room is the attention that all requests share; internal/app has it, and it also bounds what of bodies is read.
type Room interface {
	// Begin waits until the request may be worked on, and gives model.Throttled where that takes too long. It is given back when the
	// answer begins.
	Begin(ctx context.Context) error
}

// API serves the management API. It is safe for concurrent use.
type API struct {
	svc       *directory.Service
	store     *store.Store
	publicURL string
	adminKey  string
	log       *slog.Logger
	now       func() time.Time
	stopping  context.Context
	heartbeat time.Duration
	room      Room
	graph     Graph

	calendarBridge Calendars

	echo *echo.Echo
	huma huma.API
}

// New makes the API with all its routes.
func New(opt Options) *API {
	a := &API{
		svc: opt.Service, store: opt.Service.Store, publicURL: strings.TrimRight(opt.PublicURL, "/"), adminKey: opt.AdminKey,
		log: opt.Logger, now: opt.Now, heartbeat: opt.Heartbeat, stopping: opt.Stopping, room: opt.Room, graph: opt.Graph, calendarBridge: opt.Calendars,
	}
	if a.stopping == nil {
		a.stopping = context.Background()
	}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	if a.now == nil {
		a.now = time.Now
	}
	if a.heartbeat <= 0 {
		a.heartbeat = 15 * time.Second
	}
	a.register(opt.Version)
	a.mountDocuments(opt.Version)
	shed(a.huma.OpenAPI())
	return a
}

// register makes all routes, with their description.
func (a *API) register(version string) {
	a.echo = echo.New()
	a.echo.HTTPErrorHandler = a.routeError
	a.echo.Use(a.recovered, unescapedParams, secured)
	a.huma = humaecho.NewWithGroup(a.echo, a.echo.Group(Base), a.config(version))
	a.huma.UseMiddleware(a.authenticate, a.knownQuery, a.buffered)
	a.routes()
	tidy(a.huma.OpenAPI())
}

// Mount adds the API to a server's routes. Within Base the API answers for itself, wrong paths, wrong methods and panics
// included.
func (a *API) Mount(e *echo.Echo) {
	serve := echo.WrapHandler(a.echo)
	for _, path := range []string{Base, Base + "/*"} {
		e.Any(path, serve)
		e.RouteNotFound(path, serve) // methods that echo does not know
	}
}

func (a *API) routes() {
	a.organizations()
	a.apiKeys()
	a.integrations()
	a.scimTokens()
	a.scimClients()
	a.scimFederations()
	a.graphAccess()
	a.setup()
	a.roles()
	a.departments()
	a.sites()
	a.modules()
	a.customFields()
	a.chosenGroups()
	a.roomGroups()
	a.lists()
	a.entraReads()
	a.entraWrites()
	a.operations()
	a.photos()
	a.groupMappings()
	a.fieldMappings()
	a.exclusions()
	a.directoryUsers()
	a.directoryGroups()
	a.runs()
	a.runEvents()
	a.accounts()
	a.accountActions()
	a.employees()
	a.changes()
	a.webhooks()
	a.activities()
	a.scimRequests()
	a.calendars()
	a.events()
	a.rooms()
	a.availability()
}
