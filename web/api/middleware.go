package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"usher/model"
)

// write answers with a problem, outside an operation's handler.
func write(ctx huma.Context, p *Problem) {
	switch p.Status {
	case http.StatusUnauthorized:
		ctx.SetHeader("WWW-Authenticate", `Bearer realm="usher"`)
	case http.StatusTooManyRequests:
		ctx.SetHeader("Retry-After", strconv.Itoa(p.retry))
	}
	ctx.SetHeader("Content-Type", problemType)
	ctx.SetStatus(p.Status)
	_ = json.NewEncoder(ctx.BodyWriter()).Encode(p) // the client is gone where this fails
}

// knownQuery refuses query parameters that the operation has not: a mistyped filter must not list everything.
func (a *API) knownQuery(ctx huma.Context, next func(huma.Context)) {
	u := ctx.URL()
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		write(ctx, problem(http.StatusBadRequest, "the query cannot be read"))
		return
	}
	for name, values := range query {
		switch {
		case !slices.Contains(operationOf(ctx).query, name):
			write(ctx, fieldProblem(http.StatusBadRequest, name, "is not a known query parameter"))
			return
		case len(values) > 1:
			write(ctx, fieldProblem(http.StatusBadRequest, name, "is given more than once"))
			return
		}
	}
	next(ctx)
}

// request is huma's context under a name that it can be embedded by, because it has a method Context.
type request = huma.Context

// withBody is a request whose body has been read.
type withBody struct {
	request
	body []byte
}

// BodyReader reads the body from memory.
func (c withBody) BodyReader() io.Reader { return bytes.NewReader(c.body) }

// Header takes a body without a type for JSON, and so the type that curl gives to what -d sends, which is nobody's form:
// this API takes none. A browser cannot abuse that, because it never sends the key by itself.
func (c withBody) Header(name string) string {
	value := c.request.Header(name)
	if strings.EqualFold(name, "Content-Type") && (value == "" || value == echo.MIMEApplicationForm) {
		return echo.MIMEApplicationJSON
	}
	return value
}

// Unwrap gives the request as it came.
func (c withBody) Unwrap() huma.Context { return c.request }

// buffered reads the body before the operation does, so that one that is too large, too slow or broken off is the
// client's failure, said precisely, and not ours.
func (a *API) buffered(ctx huma.Context, next func(huma.Context)) {
	o := operationOf(ctx)
	if ctx.Operation().RequestBody == nil || o.streams {
		a.begun(ctx, next)
		return
	}
	_ = ctx.SetReadDeadline(time.Now().Add(readWithin)) // a writer without deadlines has none to keep
	body, err := io.ReadAll(io.LimitReader(ctx.BodyReader(), o.maxBody+1))
	throttled, full := errors.AsType[*model.Throttled](err)
	switch {
	case full:
		write(ctx, busy(throttled))
	case isTimeout(err):
		write(ctx, problem(http.StatusRequestTimeout, "the body did not arrive within %s", readWithin))
	case err != nil:
		write(ctx, problem(http.StatusBadRequest, "the body cannot be read to its end"))
	case int64(len(body)) > o.maxBody:
		write(ctx, problem(http.StatusRequestEntityTooLarge, "the body has more than %d bytes", o.maxBody))
	default:
		a.begun(withBody{ctx, body}, next)
	}
}

// begun waits until the request may be worked on, unless it waits for something else first.
func (a *API) begun(ctx huma.Context, next func(huma.Context)) {
	if o := operationOf(ctx); a.room != nil && !o.waits && !o.streams {
		if err := a.room.Begin(ctx.Context()); err != nil {
			write(ctx, a.failure(ctx.Context(), err))
			return
		}
	}
	next(ctx)
}

func isTimeout(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
}

// unescapedParams undoes the escapes that echo leaves in path parameters where a path has escaped slashes.
func unescapedParams(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if c.Request().URL.RawPath == "" {
			return next(c)
		}
		values := slices.Clone(c.ParamValues())
		for i, v := range values {
			if plain, err := url.PathUnescape(v); err == nil {
				values[i] = plain
			}
		}
		c.SetParamValues(values...)
		return next(c)
	}
}

// secured says of every answer that it is not to be kept or guessed at.
func secured(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Response().Header().Set("Cache-Control", "no-store")
		c.Response().Header().Set("X-Content-Type-Options", "nosniff")
		return next(c)
	}
}

// recovered turns a panic into a failure like any other, and logs where it came from.
func (a *API) recovered(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if e, ok := cause.(error); ok && errors.Is(e, http.ErrAbortHandler) {
				panic(cause)
			}
			a.log.ErrorContext(c.Request().Context(), "request panicked", "cause", cause, "stack", string(debug.Stack()))
			if !c.Response().Committed {
				err = echoProblem(c, unexpected())
			}
		}()
		return next(c)
	}
}

// routeError answers where no operation was found.
func (a *API) routeError(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	p := a.failure(c.Request().Context(), err)
	if e, ok := errors.AsType[*echo.HTTPError](err); ok {
		switch e.Code {
		case http.StatusNotFound:
			p = problem(e.Code, "there is nothing at this path; see %s/docs", Base)
		case http.StatusMethodNotAllowed:
			p = problem(e.Code, "this path does not have the method %s", c.Request().Method)
		}
	}
	_ = echoProblem(c, p) // the client is gone where this fails
}

func echoProblem(c echo.Context, p *Problem) error {
	c.Response().Header().Set(echo.HeaderContentType, problemType)
	c.Response().WriteHeader(p.Status)
	return json.NewEncoder(c.Response()).Encode(p)
}
