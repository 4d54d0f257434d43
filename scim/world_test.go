package scim_test

import (
	"log/slog"
	"net/http"
	"testing"

	"github.com/labstack/echo/v4"

	"usher/directory"
	"usher/internal/secret"
	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
	"usher/scim"
)

const publicURL = "https://usher.contoso.com"

// world is the real server over a fresh database, with one integration that Entra has a token of.
type world struct {
	service     *directory.Service
	ref         model.Ref
	integration string
	token       string
	begin       int64 // position of the change feed before the story
}

func newWorld(tb testing.TB, s *store.Store) world {
	tb.Helper()
	keys, err := secret.Parse(secret.NewKey())
	if err != nil {
		tb.Fatal(err)
	}
	service := directory.New(directory.Options{Store: s, Keys: keys})
	ref := storetest.Ref(tb, s)
	_, token, err := service.CreateSCIMToken(tb.Context(), ref, "Entra", nil)
	if err != nil {
		tb.Fatal(err)
	}
	w := world{service: service, ref: ref, integration: ref.IntegrationID, token: token}
	_, w.begin = w.changes(tb)
	return w
}

// changes gives the change feed after the beginning, and the position behind it.
func (w world) changes(tb testing.TB) ([]model.Change, int64) {
	tb.Helper()
	changes, next, err := w.service.Store.Changes(tb.Context(), w.ref.OrganizationID, store.ChangeQuery{After: w.begin, Limit: 1000})
	if err != nil {
		tb.Fatal(err)
	}
	return changes, next
}

// handler serves the world as the server does.
func (w world) handler(opt scim.Options) http.Handler {
	opt.Directory, opt.Tokens, opt.PublicURL = w.service, w.service, publicURL
	if opt.Logger == nil {
		opt.Logger = slog.New(slog.DiscardHandler)
	}
	e := echo.New()
	scim.New(opt).Mount(e)
	return e
}
