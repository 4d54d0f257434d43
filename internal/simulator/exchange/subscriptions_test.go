package exchange_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"usher/internal/simulator/exchange"
	"usher/model/outlook"
)

// received is one notification as an application reads it.
type received struct {
	SubscriptionID                 string
	SubscriptionExpirationDateTime string
	ChangeType                     string
	Resource                       string
	ResourceData                   map[string]string
	ClientState                    string
	TenantID                       string
	LifecycleEvent                 string
	url                            string
}

// application is what notifications go to.
type application struct {
	mu          sync.Mutex
	clock       *clock
	validations []string
	calls       int
	got         []received
	status      int           // 202 where 0
	takes       time.Duration // for each answer
	answer      func(token string) (int, string, error)
}

func (a *application) deliver(_ context.Context, url string, body []byte, token string) (int, string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if token != "" {
		a.validations = append(a.validations, url)
		if a.answer != nil {
			return a.answer(token)
		}
		return 200, token, nil
	}
	a.calls++
	var call struct{ Value []received }
	if err := json.Unmarshal(body, &call); err != nil {
		return 400, "", nil
	}
	if a.takes > 0 {
		a.clock.forward(a.takes)
	}
	if a.status >= 300 {
		return a.status, "", nil
	}
	for _, r := range call.Value {
		r.url = url
		a.got = append(a.got, r)
	}
	return 202, "", nil
}

// take gives what came since, as "created" or "missed", and forgets it.
func (a *application) take() []received {
	a.mu.Lock()
	defer a.mu.Unlock()
	got := a.got
	a.got = nil
	return got
}

func words(list []received) string {
	var out []string
	for _, r := range list {
		out = append(out, r.ChangeType+r.LifecycleEvent)
	}
	return strings.Join(out, " ")
}

func subscribed(t testing.TB, options exchange.Options) (*world, *application, outlook.Subscription) {
	t.Helper()
	app := &application{}
	options.Deliver = app.deliver
	w := newWorld(t, options)
	app.clock = w.clock
	s := must[outlook.Subscription](t)(w.client.Subscribe(t.Context(), w.wish()))
	return w, app, s
}

func (w *world) wish() outlook.NewSubscription {
	return outlook.NewSubscription{
		Calendar: outlook.CalendarRef{Mailbox: adaMail}, NotificationURL: "https://usher.example/graph/notifications?cal=1",
		LifecycleURL: "https://usher.example/graph/lifecycle?cal=1", ClientState: "secret", ExpiresAt: w.clock.now().Add(7 * 24 * time.Hour),
	}
}

func TestNotifications(t *testing.T) {
	w, app, s := subscribed(t, exchange.Options{})
	if len(app.validations) != 2 || s.ID == "" || !strings.HasPrefix(s.Resource, "users/") || !s.ExpiresAt.Equal(w.clock.now().Add(7*24*time.Hour)) {
		t.Errorf("%v, %+v", app.validations, s)
	}
	made := event(t)(w.ada.Create("", meeting("Budget", "09:00:00", "10:00:00")))
	event(t)(w.grace.Create("", meeting("Elsewhere", "09:00:00", "10:00:00")))
	if w.Step(t.Context()) != 1 {
		t.Error("not one notification")
	}
	got := app.take()
	want := received{
		SubscriptionID: s.ID, SubscriptionExpirationDateTime: "2026-03-09T08:00:00.0000000+00:00", ChangeType: "created",
		Resource: "Users/" + w.ids["Ada"] + "/Events/" + made.ID, ClientState: "secret", TenantID: w.ID(), url: "https://usher.example/graph/notifications?cal=1",
	}
	data := got[0].ResourceData
	got[0].ResourceData = nil
	if fmt.Sprint(got[0]) != fmt.Sprint(want) || data["id"] != made.ID || data["@odata.etag"] != `W/"`+made.ChangeKey+`"` || data["@odata.type"] != "#Microsoft.Graph.Event" {
		t.Errorf("got %+v with %v\nwant %+v", got[0], data, want)
	}
	event(t)(w.ada.Change(made.ID, outlook.Draft{Subject: ptr("Plan")}))
	if err := w.ada.Delete(made.ID); err != nil {
		t.Fatal(err)
	}
	w.Step(t.Context())
	if got := words(app.take()); got != "updated deleted" {
		t.Errorf("got %s", got)
	}
	if err := w.client.Unsubscribe(t.Context(), s.ID); err != nil {
		t.Fatal(err)
	}
	if err := w.client.Unsubscribe(t.Context(), s.ID); err != nil {
		t.Errorf("what is gone already: %v", err)
	}
	event(t)(w.ada.Create("", meeting("Budget", "09:00:00", "10:00:00")))
	if w.Step(t.Context()) != 0 {
		t.Error("told after the end")
	}
}

func TestSubscribeRefusals(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(w *world, app *application, n *outlook.NewSubscription)
		kind   outlook.Kind
		status int
		code   string
	}{
		{"a second one", func(*world, *application, *outlook.NewSubscription) {}, outlook.Duplicate, 409, "ExtensionError"},
		{"too long", func(w *world, _ *application, n *outlook.NewSubscription) {
			n.ExpiresAt = w.clock.now().Add(10_081 * time.Minute)
		}, outlook.TooLong, 400, "InvalidRequest"},
		{"over already", func(w *world, _ *application, n *outlook.NewSubscription) { n.ExpiresAt = w.clock.now() }, outlook.Invalid, 400, "InvalidRequest"},
		{"a long state", func(_ *world, _ *application, n *outlook.NewSubscription) { n.ClientState = strings.Repeat("s", 129) }, outlook.Invalid, 400, "InvalidRequest"},
		{"nobody", func(_ *world, _ *application, n *outlook.NewSubscription) {
			n.Calendar.Mailbox = "nobody@contoso.example"
		}, outlook.NoUser, 404, "Request_ResourceNotFound"},
		{"no mailbox", func(w *world, _ *application, n *outlook.NewSubscription) {
			n.Calendar.Mailbox = graceMail
			w.SetHosting(graceMail, exchange.OnPremises)
		}, outlook.NoMailbox, 404, "MailboxNotEnabledForRESTAPI"},
		{"another answer", func(_ *world, app *application, n *outlook.NewSubscription) {
			n.Calendar.Mailbox = graceMail
			app.answer = func(token string) (int, string, error) { return 200, strings.ReplaceAll(token, " ", "+"), nil }
		}, outlook.ValidationFailed, 400, "ValidationError"},
		{"202", func(_ *world, app *application, n *outlook.NewSubscription) {
			n.Calendar.Mailbox = graceMail
			app.answer = func(token string) (int, string, error) { return 202, token, nil }
		}, outlook.ValidationFailed, 400, "ValidationError"},
		{"unreachable", func(_ *world, app *application, n *outlook.NewSubscription) {
			n.Calendar.Mailbox = graceMail
			app.answer = func(string) (int, string, error) { return 0, "", errors.New("refused") }
		}, outlook.ValidationFailed, 400, "ValidationError"},
		{"too slow", func(w *world, app *application, n *outlook.NewSubscription) {
			n.Calendar.Mailbox = graceMail
			app.answer = func(token string) (int, string, error) { w.clock.forward(11 * time.Second); return 200, token, nil }
		}, outlook.ValidationFailed, 400, "ValidationError"},
		{"the fault", func(w *world, _ *application, n *outlook.NewSubscription) {
			n.Calendar.Mailbox = graceMail
			w.SetFaults(exchange.Faults{RefuseSubscription: &outlook.Error{Kind: outlook.Forbidden, Status: 403, Code: "ExtensionError"}})
		}, outlook.Forbidden, 403, "ExtensionError"},
		{"write alone", func(w *world, _ *application, n *outlook.NewSubscription) {
			n.Calendar.Mailbox = graceMail
			w.Grant("Calendars.ReadWrite")
		}, outlook.Forbidden, 403, "ErrorAccessDenied"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w, app, _ := subscribed(t, exchange.Options{})
			n := w.wish()
			test.change(w, app, &n)
			_, err := w.client.Subscribe(t.Context(), n)
			wantKind(t, err, test.kind, test.status, test.code)
			w.Grant(exchange.AllPermissions()...)
			if page := must[outlook.SubscriptionPage](t)(w.client.Subscriptions(t.Context(), "")); len(page.Subscriptions) != 1 {
				t.Errorf("there are %d", len(page.Subscriptions))
			}
		})
	}
	t.Run("the quota", func(t *testing.T) {
		w, _, _ := subscribed(t, exchange.Options{SubscriptionQuota: 1})
		_, err := w.Client("another").Subscribe(t.Context(), w.wish())
		wantKind(t, err, outlook.Quota, 403, "ExtensionError")
	})
	t.Run("another calendar, another application", func(t *testing.T) {
		w, _, _ := subscribed(t, exchange.Options{})
		n := w.wish()
		must[outlook.Subscription](t)(w.Client("another").Subscribe(t.Context(), n))
		n.Calendar.Calendar = w.AddCalendar(adaMail, "Private")
		s := must[outlook.Subscription](t)(w.client.Subscribe(t.Context(), n))
		if !strings.Contains(s.Resource, "/calendars/"+n.Calendar.Calendar+"/events") {
			t.Errorf("resource %s", s.Resource)
		}
	})
}

// While Graph waits for the answer to a validation call, the application may ask for something else.
func TestValidationHoldsNoLock(t *testing.T) {
	var w *world
	asked := false
	w = newWorld(t, exchange.Options{Deliver: func(ctx context.Context, _ string, _ []byte, token string) (int, string, error) {
		_, err := w.client.User(ctx, adaMail)
		asked = err == nil
		return 200, token, err
	}})
	must[outlook.Subscription](t)(w.client.Subscribe(t.Context(), w.wish()))
	if !asked {
		t.Error("nothing could be asked")
	}
}

func TestLives(t *testing.T) {
	w, app, s := subscribed(t, exchange.Options{})
	renew := func(d time.Duration) outlook.Renewed {
		t.Helper()
		return must[[]outlook.Renewed](t)(w.client.Renew(t.Context(), []outlook.Renewal{{ID: s.ID, ExpiresAt: w.clock.now().Add(d)}}))[0]
	}
	if got := renew(time.Minute); got.Err != nil || !got.ExpiresAt.Equal(w.clock.now().Add(45*time.Minute)) {
		t.Errorf("a minute: %+v", got)
	}
	w.SetFaults(exchange.Faults{ShortenTo: 4230 * time.Minute, ValidateRenewals: true})
	if got := renew(10_000 * time.Minute); !got.ExpiresAt.Equal(w.clock.now().Add(4230*time.Minute)) || len(app.validations) != 3 {
		t.Errorf("shortened: %+v, %d validations", got, len(app.validations))
	}
	w.SetFaults(exchange.Faults{})
	if got := renew(10_081 * time.Minute); outlook.KindOf(got.Err) != outlook.TooLong {
		t.Errorf("too long: %+v", got)
	}
	list := must[[]outlook.Renewed](t)(w.client.Renew(t.Context(), []outlook.Renewal{{ID: "x", ExpiresAt: w.clock.now().Add(time.Hour)}, {ID: s.ID, ExpiresAt: w.clock.now().Add(time.Hour)}}))
	if outlook.KindOf(list[0].Err) != outlook.NotFound || list[1].Err != nil {
		t.Errorf("renewed %+v", list)
	}
	// A reauthorization right after a renewal costs the subscription.
	if err := w.client.Reauthorize(t.Context(), s.ID); err != nil {
		t.Fatal(err)
	}
	if got := renew(time.Hour); outlook.KindOf(got.Err) != outlook.NotFound {
		t.Errorf("it lives: %+v", got)
	}
	// Far enough apart both are well.
	s = must[outlook.Subscription](t)(w.client.Subscribe(t.Context(), w.wish()))
	for _, act := range []func() error{
		func() error { return w.client.Reauthorize(t.Context(), s.ID) },
		func() error { return renew(time.Hour).Err },
		func() error { return renew(time.Hour).Err },
	} {
		if err := act(); err != nil {
			t.Error(err)
		}
		w.clock.forward(10 * time.Minute)
	}
	w.clock.forward(time.Hour)
	if page := must[outlook.SubscriptionPage](t)(w.client.Subscriptions(t.Context(), "")); len(page.Subscriptions) != 0 {
		t.Error("it outlives its end")
	}
	s = must[outlook.Subscription](t)(w.client.Subscribe(t.Context(), w.wish()))
	w.SetFaults(exchange.Faults{Vanish: 1})
	renew(time.Hour)
	if got := renew(time.Hour); outlook.KindOf(got.Err) != outlook.NotFound || len(app.take()) != 0 {
		t.Errorf("it has not vanished: %+v", got)
	}
}

func TestLifecycle(t *testing.T) {
	w, app, s := subscribed(t, exchange.Options{TokenLifetime: time.Hour})
	w.Lifecycle("reauthorizationRequired")
	w.Step(t.Context())
	got := app.take()
	if words(got) != "reauthorizationRequired" || got[0].url != "https://usher.example/graph/lifecycle?cal=1" || got[0].ClientState != "secret" || got[0].Resource != "" {
		t.Errorf("got %+v", got)
	}
	// After the token's end notifications wait, and reminders come.
	w.clock.forward(time.Hour)
	event(t)(w.ada.Create("", meeting("Budget", "09:00:00", "10:00:00")))
	w.Step(t.Context())
	w.clock.forward(15 * time.Minute)
	w.Step(t.Context())
	if got := words(app.take()); got != "reauthorizationRequired reauthorizationRequired" {
		t.Errorf("got %s", got)
	}
	if err := w.client.Reauthorize(t.Context(), s.ID); err != nil {
		t.Fatal(err)
	}
	w.clock.forward(time.Minute)
	w.Step(t.Context())
	if got := words(app.take()); got != "created" {
		t.Errorf("after the reauthorization %s", got)
	}
	w.RemoveSubscription(s.ID, true)
	w.Step(t.Context())
	if got := words(app.take()); got != "subscriptionRemoved" {
		t.Errorf("got %s", got)
	}
	s = must[outlook.Subscription](t)(w.client.Subscribe(t.Context(), w.wish()))
	w.RemoveSubscription(s.ID, false)
	w.DeleteUser(graceMail)
	if w.Step(t.Context()); len(app.take()) != 0 {
		t.Error("a silent end was told")
	}
}
