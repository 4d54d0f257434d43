package app

import (
	_ "embed"
	"html/template"
	"net/http"

	"github.com/labstack/echo/v4"

	"usher/directory"
	"usher/model"
)

//go:embed consent.html
var consentText string

// consent is where Entra sends an administrator back to who was asked for permissions, or to sign in for a set-up. Whoever sees the page may not be signed in to
// Usher: it tells the name of the integration alone, and that only to somebody whom Usher itself sent to Entra.
func (a *App) consent(page *template.Template) echo.HandlerFunc {
	return func(c echo.Context) error {
		ctx := directory.WithActor(c.Request().Context(), "entra")
		i, err := a.Service.FinishConsent(ctx, c.QueryParams())
		view := struct {
			Name, Problem string
			SignIn        bool
		}{Name: i.Name, SignIn: a.Service.AnswersSignIn(c.QueryParams())}
		status := http.StatusOK
		switch kind := model.KindOf(err); {
		case err == nil:
		case kind == model.Internal:
			return err
		default:
			view.Problem, status = err.Error(), http.StatusBadRequest
		}
		h := c.Response().Header()
		h.Set(echo.HeaderContentType, echo.MIMETextHTMLCharsetUTF8)
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		c.Response().WriteHeader(status)
		return page.Execute(c.Response(), view)
	}
}
