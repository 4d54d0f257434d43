package calendarbridge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"usher/internal/secret"
	"usher/internal/simulator/exchange"
	"usher/model"
	"usher/model/outlook"
	"usher/model/store"
	"usher/model/store/storetest"
)

// clock is the time of a whole world.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// jobQueue keeps jobs in memory. What a transaction that was rolled back has enqueued stays: to look once too often does no harm.
type jobQueue struct {
	mu   sync.Mutex
	list []queued
}

type queued struct {
	kind string
	args []byte
	due  time.Time
}

func (q *jobQueue) Insert(_ context.Context, _ store.TxHandle, job store.Job) error {
	args, err := json.Marshal(job)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.list = append(q.list, queued{kind: job.Kind(), args: args})
	return err
}

// pop takes the first job that is due.
func (q *jobQueue) pop(now time.Time) (queued, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.IndexFunc(q.list, func(j queued) bool { return !j.due.After(now) })
	if i < 0 {
		return queued{}, false
	}
	j := q.list[i]
	q.list = slices.Delete(q.list, i, i+1)
	return j, true
}

func (q *jobQueue) push(j queued) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.list = append(q.list, j)
}

// world is a tenant, a store, and the bridge between them.
type world struct {
	testing.TB
	clock  *clock
	store  *store.Store
	tenant *exchange.Tenant
	svc    *Service
	queue  *jobQueue
	ref    model.Ref
	url    string
	keys   *secret.Keyring
	random *rand.Rand

	mu     sync.Mutex // of what follows, which jobs touch side by side
	counts map[string]int
	fuse   int // calls until the process dies; 0 where it does not
	died   bool
}

// begin is when every world begins: a Monday.
func begin() time.Time { return time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC) }

const publicURL = "https://usher.contoso.example"

// eachWorld runs a story on both databases.
func eachWorld(t *testing.T, story func(w *world)) {
	t.Helper()
	for name, open := range map[string]storetest.URL{"sqlite": storetest.SQLiteURL, "postgres": storetest.PostgresURL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			story(newWorld(t, open(t), 1))
		})
	}
}

func newWorld(tb testing.TB, databaseURL string, seed uint64) *world {
	tb.Helper()
	w := &world{
		TB: tb, clock: &clock{now: begin()}, queue: &jobQueue{}, counts: map[string]int{}, url: databaseURL, random: newRandom(seed),
	}
	w.store = storetest.OpenWith(tb, store.Options{URL: databaseURL, Now: w.clock.Now})
	w.store.SetQueue(w.queue)
	var err error
	if w.keys, err = secret.Parse(secret.NewKey()); err != nil {
		tb.Fatal(err)
	}
	w.tenant = exchange.New(exchange.Options{Seed: seed, Now: w.clock.Now, Deliver: w.deliver, PageSize: 7})
	w.boot()
	w.ref = storetest.Integration(tb, w.store, storetest.Org(tb, w.store), func(i *model.Integration) { i.CalendarSync, i.ReadOnly = true, false }).Ref()
	return w
}

// boot starts a process: the bridge with a connection of its own to the database.
func (w *world) boot() {
	w.Helper()
	st, err := store.Open(w.Context(), store.Options{URL: w.url, Now: w.clock.Now})
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = st.Close() }) // a process that was killed has closed it
	st.SetQueue(w.queue)
	w.died = false
	w.svc = New(Options{
		Store: st, Keys: w.keys, PublicURL: publicURL, Now: w.clock.Now, Observe: w.observe,
		Connect: func(context.Context, model.Ref) (Calendars, error) { return mortal{w.tenant.Client("usher"), w}, nil },
	})
}

func (w *world) observe(event string, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts[event] += n
}

func (w *world) count(event string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.counts[event]
}

// deliver is Graph's way to the handler.
func (w *world) deliver(ctx context.Context, to string, body []byte, token string) (int, string, error) {
	target, err := url.Parse(to)
	if err != nil {
		return 0, "", err
	}
	if token != "" {
		query := target.Query()
		query.Set("validationToken", token)
		target.RawQuery = query.Encode()
	}
	answer := w.post(ctx, target.RequestURI(), string(body))
	return answer.Code, answer.Body.String(), nil
}

func (w *world) post(ctx context.Context, uri, body string) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	w.svc.Handler().ServeHTTP(rec, httptest.NewRequestWithContext(ctx, http.MethodPost, uri, strings.NewReader(body)))
	return rec
}

// person adds somebody to the tenant whom the directory has linked to an account.
func (w *world) person(name string) (outlook.User, model.Account) {
	w.Helper()
	user := w.tenant.AddUser(exchange.NewUser{Name: name})
	account := storetest.Account(w, w.store, w.ref.OrganizationID, user.Mail)
	u := storetest.NewUser(w.ref, user.UserPrincipalName)
	u.ExternalID, u.AccountID = user.ID, &account.ID
	storetest.InTx(w, w.store, func(tx *store.Tx) error { return tx.InsertDirectoryUser(u) })
	return user, *account
}

// run works one job of the given kind.
func (w *world) run(ctx context.Context, j queued) error {
	s := w.svc
	switch j.kind {
	case SyncCalendar{}.Kind():
		return runJob(ctx, j.args, s.SyncCalendar)
	case SyncDue{}.Kind():
		return runJob(ctx, j.args, s.SyncDue)
	case WriteEvents{}.Kind():
		return runJob(ctx, j.args, s.WriteEvents)
	case Discover{}.Kind():
		return runJob(ctx, j.args, s.Discover)
	case DiscoverMailboxes{}.Kind():
		return runJob(ctx, j.args, s.DiscoverMailboxes)
	case ReviewMailboxes{}.Kind():
		return runJob(ctx, j.args, s.ReviewMailboxes)
	case FindMailbox{}.Kind():
		return runJob(ctx, j.args, s.FindMailbox)
	case EndMailbox{}.Kind():
		return runJob(ctx, j.args, s.EndMailbox)
	case EndCalendar{}.Kind():
		return runJob(ctx, j.args, s.EndCalendar)
	case DiscoverRooms{}.Kind():
		return runJob(ctx, j.args, s.DiscoverRooms)
	case SubscribeCalendar{}.Kind():
		return runJob(ctx, j.args, s.SubscribeCalendar)
	case EnsureSubscriptions{}.Kind():
		return runJob(ctx, j.args, s.EnsureSubscriptions)
	case CompareSubscriptions{}.Kind():
		return runJob(ctx, j.args, s.CompareSubscriptions)
	case EndSubscriptions{}.Kind():
		return runJob(ctx, j.args, s.EndSubscriptions)
	case FollowAccounts{}.Kind():
		return runJob(ctx, j.args, s.FollowAccounts)
	case TrimWrites{}.Kind():
		return runJob(ctx, j.args, s.TrimWrites)
	}
	return fmt.Errorf("nobody works %s", j.kind)
}

func runJob[J store.Job](ctx context.Context, args []byte, fn func(context.Context, J) error) error {
	var job J
	if err := json.Unmarshal(args, &job); err != nil {
		return err
	}
	return fn(ctx, job)
}

// drain works jobs until none is due.
func (w *world) drain() {
	w.Helper()
	for n := 0; ; n++ {
		j, ok := w.queue.pop(w.clock.Now())
		if !ok {
			return
		}
		if n > 20_000 {
			w.Fatalf("the jobs do not end; the last is %s %s", j.kind, j.args)
		}
		err := w.run(w.Context(), j)
		if w.died { // its job is given to another process later
			j.due = w.clock.Now().Add(5 * time.Minute)
			w.queue.push(j)
			w.boot()
			continue
		}
		throttled, ok := errors.AsType[*model.Throttled](err)
		switch {
		case ok:
			j.due = w.clock.Now().Add(throttled.After)
			w.queue.push(j)
		case err != nil:
			w.Fatalf("%s %s: %v", j.kind, j.args, err)
		}
	}
}

// step lets everything happen that is due after a while.
func (w *world) step(d time.Duration, periodic ...store.Job) {
	w.Helper()
	w.clock.advance(d)
	for _, job := range periodic {
		if err := w.queue.Insert(w.Context(), store.TxHandle{}, job); err != nil {
			w.Fatal(err)
		}
	}
	w.tenant.Step(w.Context())
	w.drain()
	w.tenant.Step(w.Context())
	w.drain()
}

// settle lets a few minutes pass, with everything that is periodic.
func (w *world) settle() {
	w.Helper()
	for range 8 {
		w.step(20*time.Second, SyncDue{}, EnsureSubscriptions{})
	}
}

// start finds the mailboxes and reads everything once.
func (w *world) start() {
	w.Helper()
	w.step(0, Discover{}, DiscoverRooms{})
	w.settle()
}

// calendar gives the default calendar of an account.
func (w *world) calendar(account model.Account) model.Calendar {
	w.Helper()
	list, err := w.store.Read(w.Context()).CalendarsAfter(w.ref.OrganizationID, store.CalendarFilter{Account: account.ID}, "", 100)
	if err != nil {
		w.Fatal(err)
	}
	i := slices.IndexFunc(list, func(c model.Calendar) bool { return c.IsDefault })
	if i < 0 {
		w.Fatalf("%s has no default calendar", account.Email)
	}
	return list[i]
}

// events gives what is stored of a calendar in its window, series aside.
func (w *world) events(cal model.Calendar) []model.Event {
	w.Helper()
	var out []model.Event
	from, to := begin().AddDate(-1, 0, 0), begin().AddDate(2, 0, 0)
	for after := ""; ; {
		list, err := w.store.Read(w.Context()).EventsBetween(w.ref.OrganizationID, cal.ID, from, to, store.EventFilter{}, after, 500)
		if err != nil {
			w.Fatal(err)
		}
		out = append(out, list...)
		if len(list) < 500 {
			return out
		}
		after = store.PlaceOf(list[len(list)-1])
	}
}

// subjects gives the subjects of what is stored, in order.
func (w *world) subjects(cal model.Calendar) []string {
	w.Helper()
	out := []string{}
	for _, e := range w.events(cal) {
		out = append(out, e.Subject)
	}
	return out
}

// changes gives the types of the change feed's entries about events and calendars behind a position, and the next one.
func (w *world) changes(after int64) (types []string, next int64) {
	w.Helper()
	for {
		list, position, err := w.store.Changes(w.Context(), w.ref.OrganizationID, store.ChangeQuery{After: after, Types: []string{"event.*", "calendar.*"}, Limit: 1000})
		if err != nil {
			w.Fatal(err)
		}
		for _, c := range list {
			types = append(types, string(c.Type))
		}
		if position == after || len(list) == 0 {
			return types, position
		}
		after = position
	}
}

// typed gives what somebody types into Outlook.
func typed(subject, start, end string, change ...func(*outlook.Draft)) outlook.Draft {
	d := outlook.Draft{
		Subject: &subject, Start: &outlook.Moment{DateTime: start, TimeZone: "W. Europe Standard Time"},
		End: &outlook.Moment{DateTime: end, TimeZone: "W. Europe Standard Time"},
	}
	for _, f := range change {
		f(&d)
	}
	return d
}

// at gives a wall time in Berlin.
func at(wall string) *model.EventTime {
	return &model.EventTime{DateTime: wall, TimeZone: "Europe/Berlin"}
}
