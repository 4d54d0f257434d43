package app

import (
	"context"
	"errors"
	"html/template"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"usher/calendarbridge"
	"usher/directory"
	"usher/scim"
	"usher/web/api"
	"usher/web/console"
)

// routes is the one place where the rooms get their URLs.
func (a *App) routes(room *gate) http.Handler {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = a.answerError
	e.Use(a.metrics.count, a.recoverPanic)
	limits := scim.NewLimits(scim.LimitOptions{Rate: a.Config.SCIMRate, Observe: a.metrics.scimThrottled})
	scim.New(scim.Options{
		Directory: a.Service, Tokens: a.Service, Cursors: a.Service.Keys, PublicURL: a.Config.PublicURL, Logger: a.log,
		Context: func(ctx context.Context) context.Context { return directory.WithActor(ctx, "entra") },
		Observe: a.metrics.scimRequest, Log: a.scimLog, Limits: limits, Room: room,
	}).Mount(e)
	scim.NewTokenEndpoint(scim.TokenOptions{Grants: a.Service, Limits: limits, Logger: a.log}).Mount(e)
	api.New(api.Options{
		Service: a.Service, PublicURL: a.Config.PublicURL, AdminKey: a.Config.AdminAPIKey, Version: a.Config.Version, Logger: a.log,
		Stopping: a.stopping, Room: room, Graph: a.doors, Calendars: a.Calendars,
	}).Mount(e)
	bridge := echo.WrapHandler(a.Calendars.Handler())
	e.Any(calendarbridge.NotificationPath, bridge)
	e.Any(calendarbridge.LifecyclePath, bridge)
	e.GET(directory.ConsentPath, a.consent(template.Must(template.New("consent").Parse(consentText))))
	a.console(room).Mount(e)
	e.GET("/", func(c echo.Context) error { return c.Redirect(http.StatusFound, console.Base) })
	e.GET("/healthz", func(c echo.Context) error { return c.String(http.StatusOK, "alive\n") })
	e.GET("/readyz", a.ready)
	return e
}

// ready says whether this process can do its work: the database answers, the schema fits, and it is not stopping.
func (a *App) ready(c echo.Context) error {
	ctx, cancel := context.WithTimeout(c.Request().Context(), 5*time.Second)
	defer cancel()
	reason := ""
	switch {
	case a.stopping.Err() != nil:
		reason = "stopping"
	case a.Store.Ping(ctx) != nil:
		reason = "the database does not answer"
	case a.CheckSchema(ctx) != nil:
		reason = "the database schema is behind this program"
	}
	if reason != "" {
		return c.String(http.StatusServiceUnavailable, reason+"\n")
	}
	return c.String(http.StatusOK, "ready\n")
}

// recoverPanic turns a panic into a logged 500, so that one request cannot end the program.
func (a *App) recoverPanic(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler { //nolint:errorlint // a panic value, compared as net/http does
					panic(p)
				}
				a.log.ErrorContext(c.Request().Context(), "panic in a handler", "panic", p, "path", c.Path())
				err = echo.NewHTTPError(http.StatusInternalServerError)
			}
		}()
		return next(c)
	}
}

// answerError answers what no room has answered: unknown paths and methods, as problem+json (RFC 9457).
func (a *App) answerError(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	status := http.StatusInternalServerError
	if he, ok := errors.AsType[*echo.HTTPError](err); ok {
		status = he.Code
	} else {
		a.log.ErrorContext(c.Request().Context(), "unanswered error", "err", err, "path", c.Path())
	}
	c.Response().Header().Set(echo.HeaderContentType, "application/problem+json")
	if c.Request().Method == http.MethodHead {
		err = c.NoContent(status)
	} else {
		err = c.JSON(status, map[string]any{"title": http.StatusText(status), "status": status, "detail": details(status)})
	}
	if err != nil {
		a.log.DebugContext(c.Request().Context(), "answer not sent", "err", err)
	}
}

func details(status int) string {
	switch status {
	case http.StatusNotFound:
		return "There is nothing at this address. The API is described at /api/v1/docs."
	case http.StatusMethodNotAllowed:
		return "This address does not take that method."
	case http.StatusInternalServerError:
		return "Something went wrong inside Usher; its log says what."
	}
	return http.StatusText(status)
}
