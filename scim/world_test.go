package scim_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

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
	begin       int64             // position of the change feed before the story
	clock       *clock            // of the service
	others      map[string]*world // the same, seen by other integrations; by their names
}

// clock is the real time until it is set; then it stands still.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.at.IsZero() {
		return time.Now()
	}
	return c.at
}

func (c *clock) set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}

func newWorld(tb testing.TB, s *store.Store) world {
	tb.Helper()
	keys, err := secret.Parse(secret.NewKey())
	if err != nil {
		tb.Fatal(err)
	}
	now := &clock{}
	service := directory.New(directory.Options{Store: s, Keys: keys, Now: now.Now})
	ref := storetest.Ref(tb, s)
	_, token, err := service.CreateSCIMToken(tb.Context(), ref, "Entra", nil)
	if err != nil {
		tb.Fatal(err)
	}
	w := world{
		service: service, ref: ref, integration: ref.IntegrationID, token: token, clock: now,
		others: map[string]*world{},
	}
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
	if opt.Cursors == nil {
		opt.Cursors = w.service.Keys
	}
	opt.Context = func(ctx context.Context) context.Context { return directory.WithActor(ctx, "entra") }
	if opt.Logger == nil {
		opt.Logger = slog.New(slog.DiscardHandler)
	}
	e := echo.New()
	scim.New(opt).Mount(e)
	return e
}

// enter gives the world as another integration of the organization sees it, which is made when it is first named; "" is
// the first one.
func (w world) enter(tb testing.TB, name string) world {
	tb.Helper()
	if name == "" {
		return w
	}
	if other, ok := w.others[name]; ok {
		return *other
	}
	made := directory.DefaultIntegration(name, model.IngressSCIM)
	made, err := w.service.CreateIntegration(tb.Context(), w.ref.OrganizationID, made, nil)
	if err != nil {
		tb.Fatal(err)
	}
	other := w
	other.ref, other.integration = made.Ref(), made.ID
	if _, other.token, err = w.service.CreateSCIMToken(tb.Context(), made.Ref(), "Entra", nil); err != nil {
		tb.Fatal(err)
	}
	w.others[name] = &other
	return other
}

// work works the runs of the organization that were enqueued and not worked yet, as the job queue would.
func (w world) work(tb testing.TB) {
	tb.Helper()
	jobs := storetest.Jobs(tb, w.service.Store)
	for i := range jobs {
		var run directory.WorkRun
		if jobs[i].Kind != run.Kind() {
			continue
		}
		if err := json.Unmarshal(jobs[i].Args, &run); err != nil {
			tb.Fatal(err)
		}
		if run.OrganizationID != w.ref.OrganizationID {
			continue
		}
		for pages := 0; ; pages++ { // a job that is done already does nothing
			err := w.service.Work(tb.Context(), run)
			if _, again := errors.AsType[*model.Throttled](err); !again || pages == 1000 {
				if err != nil {
					tb.Fatal(err)
				}
				break
			}
		}
	}
}

// newestRun reads the newest run of the organization.
func (w world) newestRun(tb testing.TB) model.Run {
	tb.Helper()
	runs, err := w.service.Store.Read(tb.Context()).RunsBefore(w.ref.OrganizationID, store.RunFilter{}, "", 1)
	if err != nil || len(runs) == 0 {
		tb.Fatalf("no run: %v", err)
	}
	return runs[0]
}

// account reads the account with the login e-mail, nil where there is none.
func (w world) account(tb testing.TB, email string) *model.Account {
	tb.Helper()
	list := w.accounts(tb, store.AccountFilter{Email: email})
	if len(list) == 0 {
		return nil
	}
	return &list[0]
}

func (w world) accounts(tb testing.TB, f store.AccountFilter) []model.Account {
	tb.Helper()
	list, err := w.service.Store.Read(tb.Context()).AccountsAfter(w.ref.OrganizationID, f, "", 1000)
	if err != nil {
		tb.Fatal(err)
	}
	return list
}
