package webhook

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"usher/internal/secret"
	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
)

// world is an organization with a dispatcher whose clock can be moved, and an application that takes messages.
type world struct {
	t     *testing.T
	store *store.Store
	keys  *secret.Keyring
	org   string
	d     *Dispatcher
	ahead atomic.Int64
	app   *application
}

// application takes messages, or answers what it is told to.
type application struct {
	*httptest.Server
	mu     sync.Mutex
	got    []received
	answer func(m Message) int // nil takes everything
}

type received struct {
	Message
	body   []byte
	header http.Header
}

func newApplication(t *testing.T) *application {
	t.Helper()
	a := &application{}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var m Message
		if err == nil {
			err = json.Unmarshal(body, &m)
		}
		if err != nil {
			t.Errorf("a message cannot be read: %v", err)
		}
		a.mu.Lock()
		a.got = append(a.got, received{m, body, r.Header.Clone()})
		answer := a.answer
		a.mu.Unlock()
		status := http.StatusNoContent
		if answer != nil {
			status = answer(m)
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(a.Close)
	return a
}

func (a *application) does(answer func(Message) int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answer = answer
}

// taken gives what has come, in its order: the subject's id and what happened.
func (a *application) taken() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []string
	for _, m := range a.got {
		var data struct{ N string }
		_ = json.Unmarshal(m.Data, &data)
		out = append(out, m.Subject.ID+data.N)
	}
	return strings.Join(out, " ")
}

func newWorld(t *testing.T, s *store.Store) *world {
	t.Helper()
	keys, err := secret.Parse(secret.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, store: s, keys: keys, org: storetest.Org(t, s), app: newApplication(t)}
	w.d = w.dispatcher()
	return w
}

func (w *world) dispatcher() *Dispatcher {
	return New(Options{
		Store: w.store, Keys: w.keys, Guard: Guard{Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}, Version: "test", Now: w.now,
	})
}

func (w *world) now() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }

// endpoint makes one that is told of changes from now on.
func (w *world) endpoint(url string, types ...string) (e model.WebhookEndpoint, text string) {
	w.t.Helper()
	end, err := w.store.FeedEnd(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	e = model.WebhookEndpoint{OrganizationID: w.org, URL: url, Types: types, State: model.WebhookActive, Position: end}
	storetest.InTx(w.t, w.store, func(tx *store.Tx) error { return tx.InsertWebhookEndpoint(&e) })
	return e, w.secret(e)
}

func (w *world) secret(e model.WebhookEndpoint) string {
	w.t.Helper()
	text, row := secret.NewWebhook(), model.WebhookSecret{ID: store.NewID(), OrganizationID: w.org, EndpointID: e.ID}
	row.KeyID, row.Sealed = w.keys.Seal(text, secret.WebhookUse(e.ID, row.ID))
	storetest.InTx(w.t, w.store, func(tx *store.Tx) error {
		if err := tx.InsertWebhookSecret(&row); err != nil {
			return err
		}
		tx.EndWebhookSecrets(w.org, e.ID, row.ID, tx.Now().Add(time.Hour))
		return nil
	})
	return text
}

// happens tells of a change of each of the subjects, which are written like a1: what, and which change of it.
func (w *world) happens(subjects ...string) {
	w.t.Helper()
	for _, s := range subjects {
		w.tell(model.AccountUpdated, s)
	}
}

func (w *world) tell(kind model.ChangeType, subject string) {
	w.t.Helper()
	storetest.InTx(w.t, w.store, func(tx *store.Tx) error {
		return tx.Tell(model.Change{OrganizationID: w.org, Type: kind, SubjectType: "account", SubjectID: subject[:1], Actor: "run:7"},
			map[string]string{"n": subject[1:]})
	})
}

// work does everything that is to be done now.
func (w *world) work(e model.WebhookEndpoint) {
	w.t.Helper()
	w.d.work(w.t.Context(), e, "a worker")
}

// later lets time pass.
func (w *world) later(d time.Duration) { w.ahead.Add(int64(d)) }

func (w *world) read(e model.WebhookEndpoint) model.WebhookEndpoint {
	w.t.Helper()
	e, err := w.store.Read(w.t.Context()).WebhookEndpoint(w.org, e.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

// deliveries gives them, the oldest first.
func (w *world) deliveries(e model.WebhookEndpoint) []model.WebhookDelivery {
	w.t.Helper()
	list, err := w.store.Read(w.t.Context()).WebhookDeliveriesBefore(w.org, e.ID, store.DeliveryFilter{}, "", 500)
	if err != nil {
		w.t.Fatal(err)
	}
	for i, j := 0, len(list)-1; i < j; i, j = i+1, j-1 {
		list[i], list[j] = list[j], list[i]
	}
	return list
}

func (w *world) states(e model.WebhookEndpoint) string {
	w.t.Helper()
	var out []string
	for _, d := range w.deliveries(e) {
		out = append(out, string(d.State))
	}
	return strings.Join(out, " ")
}

func verifies(t *testing.T, text string, m received) error {
	t.Helper()
	verifier, err := standardwebhooks.NewWebhook(text)
	if err != nil {
		t.Fatal(err)
	}
	return verifier.Verify(m.body, m.header)
}
