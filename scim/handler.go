package scim

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"usher/model"
	"usher/scim/fault"
	"usher/scim/schemas"
	"usher/scim/wire"
)

// contentType is that of every answer; Microsoft's validator stops at anything else.
const contentType = "application/scim+json; charset=utf-8"

// Options are what a Handler is made of.
type Options struct {
	Directory Directory
	Tokens    Tokens
	Limits    *Limits // none by default
	// PublicURL is the base of every absolute URL, such as https://usher.contoso.com.
	PublicURL string
	Now       func() time.Time // time.Now by default
	Logger    *slog.Logger     // slog.Default by default
	MaxBody   int64            // bytes of a request body; 1 MiB by default
	// Cursors seals the cursors of lists. Where several processes serve one integration, all must have the same keys.
	Cursors Sealer
	// Context, where set, prepares the context that Directory is called with, so that the core knows who acts.
	Context func(context.Context) context.Context
	// Observe, where set, is told about every request when it is answered: its route without ids, the status, how long it
	// took, and which deviations from the RFC were tolerated.
	Observe func(route string, status int, took time.Duration, deviations []string)
	// Log, where set, keeps every request with its answer.
	Log RequestLog
	// Room, where set, bounds what all requests hold together.
	Room Room
}

// Handler serves SCIM 2.0 for every integration. It is safe for concurrent use.
type Handler struct {
	opt     Options
	table   []route
	tables  *schemas.Registry
	baseURL string // PublicURL + /scim/v2/
}

// New makes a Handler; Directory, Tokens and Cursors must be set.
func New(opt Options) *Handler {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Logger == nil {
		opt.Logger = slog.Default()
	}
	if opt.MaxBody == 0 {
		opt.MaxBody = 1 << 20
	}
	if opt.Context == nil {
		opt.Context = func(ctx context.Context) context.Context { return ctx }
	}
	h := &Handler{opt: opt, tables: schemas.New(), baseURL: strings.TrimRight(opt.PublicURL, "/") + "/scim/v2/"}
	h.table = h.routes()
	return h
}

// Router is what *echo.Echo and *echo.Group have in common.
type Router interface {
	Add(method, path string, handler echo.HandlerFunc, middleware ...echo.MiddlewareFunc) *echo.Route
	RouteNotFound(path string, handler echo.HandlerFunc, middleware ...echo.MiddlewareFunc) *echo.Route
}

// endpoint handles one request; what it returns becomes the answer.
type endpoint func(c *call) (answer, error)

// route is a path below the base of an integration with its methods. A path without methods is answered by any alone.
type route struct {
	path    string
	methods map[string]endpoint
	any     endpoint
}

// endpoint gives what answers a method there. HEAD is GET, of which net/http sends the headers alone.
func (r *route) endpoint(method string) endpoint {
	if r.any != nil {
		return r.any
	}
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if e := r.methods[method]; e != nil {
		return e
	}
	return methodNotAllowed(r.methods)
}

func (h *Handler) routes() []route {
	get := func(e endpoint) map[string]endpoint { return map[string]endpoint{http.MethodGet: e} }
	routes := []route{
		{path: "/ServiceProviderConfig", methods: get(unfiltered(h.providerConfig))},
		{path: "/ResourceTypes", methods: get(unfiltered(h.resourceTypes))},
		{path: "/ResourceTypes/:id", methods: get(unfiltered(h.resourceType))},
		{path: "/Schemas", methods: get(unfiltered(h.schemas))},
		{path: "/Schemas/:id", methods: get(unfiltered(h.schema))},
		{path: "/Users", methods: map[string]endpoint{http.MethodGet: h.listUsers, http.MethodPost: h.createUser}},
		{path: "/Users/:id", methods: map[string]endpoint{
			http.MethodGet: h.user, http.MethodPut: h.replaceUser, http.MethodPatch: h.patchUser, http.MethodDelete: h.deleteUser,
		}},
		{path: "/Groups", methods: map[string]endpoint{http.MethodGet: h.listGroups, http.MethodPost: h.createGroup}},
		{path: "/Groups/:id", methods: map[string]endpoint{
			http.MethodGet: h.group, http.MethodPut: h.replaceGroup, http.MethodPatch: h.patchGroup, http.MethodDelete: h.deleteGroup,
		}},
	}
	post := func(e endpoint) map[string]endpoint { return map[string]endpoint{http.MethodPost: e} }
	return append(
		routes,
		route{path: "", methods: get(h.listAll)}, route{path: "/.search", methods: post(posted(h.listAll))},
		route{path: "/Users/.search", methods: post(posted(h.listUsers))},
		route{path: "/Groups/.search", methods: post(posted(h.listGroups))},
		route{path: "/Bulk", methods: map[string]endpoint{http.MethodPost: h.bulk}},
		route{path: "/Me", any: noSubject}, route{path: "/Me/*", any: noSubject},
		route{path: "/*", any: h.notFound},
	)
}

// Mount registers the routes at /scim/v2/:integration, each with and without a slash at the end, and with a doubled
// slash before it: that is what comes of a Tenant URL that ends in one.
func (h *Handler) Mount(r Router) {
	for _, rt := range h.table {
		for _, path := range spellings(rt.path) {
			full := "/scim/v2/:integration" + path
			for _, method := range methods() {
				r.Add(method, full, h.serve(rt.path, rt.endpoint(method)))
			}
			if rt.any != nil {
				r.RouteNotFound(full, h.serve(rt.path, rt.any))
			}
		}
	}
}

func spellings(path string) []string {
	switch {
	case path == "":
		return []string{"", "/"}
	case strings.HasSuffix(path, "*"):
		return []string{path}
	}
	return []string{path, path + "/", "/" + path, "/" + path + "/"}
}

func methods() []string {
	return []string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodOptions, http.MethodTrace, http.MethodConnect, echo.PROPFIND, echo.REPORT,
	}
}

// call is one request on its way.
type call struct {
	request     *http.Request
	integration string // as the URL names it
	ref         model.Ref
	caller      model.SCIMCaller // who was let in
	denied      model.Denial     // why nobody was
	id          string           // of the resource, or the URN of a schema
	query       query
	maxBody     int64
	room        Room
	deviations  []string
	sent        *wire.Body // the body, where it did not come by itself: in an operation of a bulk request
	requestID   string
	told        told // for the request log
}

func (c *call) ctx() context.Context { return c.request.Context() }

// note records a tolerated deviation, once.
func (c *call) note(deviation string) {
	if !slices.Contains(c.deviations, deviation) {
		c.deviations = append(c.deviations, deviation)
	}
}

// serve wraps an endpoint with what every request needs: the token is checked before anything else is told, a panic is
// answered, and one line is logged.
func (h *Handler) serve(path string, e endpoint) echo.HandlerFunc {
	return func(ec echo.Context) error {
		start := h.opt.Now()
		request := ec.Request()
		request = request.WithContext(h.opt.Context(request.Context()))
		c := &call{request: request, integration: ec.Param("integration"), id: ec.Param("id"), maxBody: h.opt.MaxBody, room: h.opt.Room}
		c.requestID = requestID(start)
		ec.Response().Header().Set("X-Request-Id", c.requestID)
		a, err := h.guarded(c, e)
		if err != nil {
			c.told.err = err
			a = h.errorAnswer(c, err)
		}
		a.write(ec.Response(), c.request.Method)
		took := h.opt.Now().Sub(start)
		h.opt.Logger.LogAttrs(c.ctx(), slog.LevelInfo, "scim request",
			slog.String("method", c.request.Method), slog.String("route", "/scim/v2/{integration}"+path),
			slog.String("integration", clip(c.integration)), slog.Int("status", a.status),
			slog.Float64("ms", float64(took.Microseconds())/1000), slog.String("request_id", c.requestID))
		if h.opt.Observe != nil {
			h.opt.Observe("/scim/v2/{integration}"+path, a.status, took, c.deviations)
		}
		h.keep(c, path, &a, start, took)
		return nil
	}
}

func clip(s string) string {
	if len(s) > 64 {
		return strings.ToValidUTF8(s[:64], "") + "…"
	}
	return s
}

// guarded runs the endpoint for an authenticated client and turns a panic into an error.
func (h *Handler) guarded(c *call, e endpoint) (a answer, err error) {
	defer recovered(&err)
	if err := h.authenticate(c); err != nil {
		return answer{}, err
	}
	if err := c.accepts(); err != nil {
		return answer{}, err
	}
	if c.query, err = parseQuery(c.request.URL.RawQuery); err != nil {
		return answer{}, err
	}
	if len(c.id) > 256 || !validText(c.id) {
		return answer{}, fault.NotFound("there is no such resource: the id in the path is not one of this server")
	}
	switch c.request.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch: // begins when the body is there
	default:
		if err := c.begin(); err != nil {
			return answer{}, err
		}
	}
	return e(c)
}

// recovered turns a panic into an error; it is deferred.
func recovered(err *error) {
	switch r := recover(); {
	case r == http.ErrAbortHandler: //nolint:errorlint // a panic value, compared as net/http does
		panic(r)
	case r != nil:
		*err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
	}
}

// notFound answers what no route has. A method that echo does not know, such as BREW, comes here whatever its path is:
// on a path that exists it is not allowed.
func (h *Handler) notFound(c *call) (answer, error) {
	base := "/scim/v2/" + c.integration
	path := c.request.URL.Path
	if i := strings.Index(path, base); i >= 0 {
		path = path[i+len(base):]
	}
	if rt, _ := h.match(path); rt != nil && !slices.Contains(methods(), c.request.Method) {
		return rt.endpoint(c.request.Method)(c)
	}
	return answer{}, fault.NotFound("there is no endpoint %q below the Tenant URL; it ends in the id of the integration", clip(path))
}

// match finds the route of a path below the base of an integration, and the id that the path names.
func (h *Handler) match(path string) (rt *route, id string) {
	path = strings.TrimSuffix("/"+strings.Trim(path, "/"), "/")
	slash := max(0, strings.LastIndexByte(path, '/'))
	parent, last := path[:slash], strings.TrimPrefix(path[slash:], "/")
	for i := range h.table {
		if h.table[i].path == path {
			return &h.table[i], ""
		}
		if h.table[i].path == parent+"/:id" {
			rt, id = &h.table[i], last
		}
	}
	return rt, id
}

func methodNotAllowed(allowed map[string]endpoint) endpoint {
	var list []string
	for _, method := range methods() {
		if allowed[method] != nil || method == http.MethodHead && allowed[http.MethodGet] != nil {
			list = append(list, method)
		}
	}
	allow := strings.Join(list, ", ")
	return func(c *call) (answer, error) {
		a := failure(&fault.Error{
			Status: http.StatusMethodNotAllowed, Detail: "the method " + clip(c.request.Method) + " is not possible here; possible: " + allow,
		})
		a.allow = allow
		return a, nil
	}
}
