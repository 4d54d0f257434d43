package load

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"usher/bench/entra"
	"usher/bench/floor"
	"usher/internal/pgtest"
)

func dialects() []entra.Dialect { return []entra.Dialect{{}, {Legacy: true}} }

func smallPlan() Plan {
	return Plan{Users: 130, Groups: 4, Members: 12, Sizes: []int{5, 60}, Batches: []int{20}, Workers: 4, Mapped: 0.5}
}

// floorServer returns a fresh floor behind the given door.
func floorServer(t *testing.T, door func(http.Handler) http.Handler) *httptest.Server {
	t.Helper()
	handler, err := floor.New(t.Context(), pgtest.Database(t), "token")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(handler.Close)
	server := httptest.NewServer(door(handler))
	t.Cleanup(server.Close)
	return server
}

func open(t *testing.T, door func(http.Handler) http.Handler, dialect entra.Dialect) *Session {
	t.Helper()
	session, err := Open(floorServer(t, door).URL, "token", "t", dialect, smallPlan())
	if err != nil {
		t.Fatal(err)
	}
	return session
}

func asIs(handler http.Handler) http.Handler { return handler }

// runAll runs every operation for a moment at two concurrencies, and reads back.
func runAll(ctx context.Context, t *testing.T, session *Session) {
	t.Helper()
	for _, workers := range []int{1, 4} {
		for _, operation := range Operations(session.plan) {
			round := session.Run(ctx, operation, workers, 4*time.Millisecond)
			session.Settle(ctx, operation)
			if len(round.Latencies)+round.Errors == 0 {
				t.Errorf("%s: nothing was sent", operation.Name)
			}
		}
	}
	session.Verify(ctx)
}

func TestTheFloorPassesEverything(t *testing.T) {
	for _, dialect := range dialects() {
		t.Run(dialect.String(), func(t *testing.T) {
			t.Parallel()
			session := open(t, asIs, dialect)
			loaded, err := session.Prepare(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if want := 4*12 + 5 + 60 + 5; loaded.Users != 130 || loaded.Memberships != want {
				t.Errorf("loaded %d users and %d memberships, want 130 and %d", loaded.Users, loaded.Memberships, want)
			}
			runAll(t.Context(), t, session)
			for _, failure := range session.Failures() {
				t.Errorf("%s: %d, such as %s", failure.Operation, failure.Count, failure.Samples[0])
			}
			if len(session.created) == 0 {
				t.Error("no user was created")
			}
		})
	}
}

// A door spoils what passes it once it is armed: after the loading.
type spoiler struct {
	armed atomic.Bool
	spoil func(w http.ResponseWriter, r *http.Request, next http.Handler)
}

func (s *spoiler) door(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.armed.Load() {
			s.spoil(w, r, next)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// every calls spoil for each third request that fits.
func every(fits func(*http.Request) bool, spoil func(http.ResponseWriter, *http.Request, http.Handler)) *spoiler {
	var seen atomic.Int64
	return &spoiler{spoil: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if fits(r) && seen.Add(1)%3 == 0 {
			spoil(w, r, next)
			return
		}
		next.ServeHTTP(w, r)
	}}
}

func is(method, prefix string) func(*http.Request) bool {
	return func(r *http.Request) bool { return r.Method == method && strings.HasPrefix(r.URL.Path, prefix) }
}

func acknowledge(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
	w.WriteHeader(http.StatusNoContent)
}

// rewrite changes the first such text of an answer.
func rewrite(from, to string) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		recorder := httptest.NewRecorder()
		next.ServeHTTP(recorder, r)
		w.WriteHeader(recorder.Code)
		_, _ = w.Write(bytes.Replace(recorder.Body.Bytes(), []byte(from), []byte(to), 1))
	}
}

// wrong is a server with a fault, and the failure that has to be found.
type wrong struct {
	name              string
	spoiler           *spoiler
	operation, sample string
}

func wrongServers() []wrong {
	return []wrong{
		{
			"members of a PATCH are lost", every(is("PATCH", "/Groups/"), acknowledge),
			"read back: members of sized groups", "members",
		},
		{
			"changes of users are lost", every(is("PATCH", "/Users/"), acknowledge),
			"read back: changed users", "last acknowledged",
		},
		{
			"a creation is lost", every(is("POST", "/Users"), func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
				w.WriteHeader(http.StatusCreated)
				_, _ = io.WriteString(w, `{"id":"lost"}`)
			}),
			"read back: number of users", "were acknowledged",
		},
		{
			"a creation is doubled", every(is("POST", "/Users"), double),
			"read back: number of users", "were acknowledged",
		},
		{
			"a 201 has no id", every(is("POST", "/Users"), rewrite(`"id"`, `"identifier"`)),
			"POST user", "no id",
		},
		{
			"totalResults is wrong", every(is("GET", "/Users"), rewrite(`"totalResults":1,`, `"totalResults":2,`)),
			"GET user by userName", "totalResults 2",
		},
		{
			"members in spite of excludedAttributes", every(is("GET", "/Groups/"), rewrite(`"displayName"`, `"members":[{"value":"x"}],"displayName"`)),
			"GET group without members", "in spite of",
		},
		{
			"a member is another one", every(is("GET", "/Groups/"), rewrite(`"value":"`, `"value":"0`)),
			"GET group with its 12 members", "1 acknowledged members lost",
		},
		{
			"an unexpected status", every(is("GET", "/Users/"), func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
				w.WriteHeader(http.StatusInternalServerError)
			}),
			"GET user by id", "status 500",
		},
	}
}

func TestWrongServersAreFoundOut(t *testing.T) {
	for _, test := range wrongServers() {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			session := open(t, test.spoiler.door, entra.Dialect{})
			if _, err := session.Prepare(t.Context()); err != nil {
				t.Fatal(err)
			}
			test.spoiler.armed.Store(true)
			// Once for each of three workers: one of three requests is spoilt, and no
			// later one hides it.
			for _, operation := range Operations(session.plan) {
				session.Run(t.Context(), operation, 3, 0)
			}
			test.spoiler.armed.Store(false)
			session.Verify(t.Context())
			for _, failure := range session.Failures() {
				if failure.Operation == test.operation && strings.Contains(strings.Join(failure.Samples, " "), test.sample) {
					return
				}
			}
			t.Errorf("no failure of %q with %q in %+v", test.operation, test.sample, session.Failures())
		})
	}
}

// double creates a second user under another name, as a retried request might.
func double(w http.ResponseWriter, r *http.Request, next http.Handler) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	again := r.Clone(r.Context())
	other := strings.NewReplacer(`"externalId":"`, `"externalId":"2`, `"userName":"`, `"userName":"2`).Replace(string(body))
	again.Body = io.NopCloser(strings.NewReader(other))
	next.ServeHTTP(httptest.NewRecorder(), again)
	r.Body = io.NopCloser(bytes.NewReader(body))
	next.ServeHTTP(w, r)
}

func TestPrepareStopsAtTheFirstFailure(t *testing.T) {
	refuse := &spoiler{spoil: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	}}
	refuse.armed.Store(true)
	session := open(t, refuse.door, entra.Dialect{})
	_, err := session.Prepare(t.Context())
	if err == nil || !strings.Contains(err.Error(), "status 403") {
		t.Errorf("got %v, want the refusal", err)
	}
}

func TestAHopelessOperationIsGivenUp(t *testing.T) {
	var requests atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		w.WriteHeader(http.StatusNotImplemented)
	}))
	t.Cleanup(server.Close)
	session, err := Open(server.URL, "token", "t", entra.Dialect{}, smallPlan())
	if err != nil {
		t.Fatal(err)
	}
	// Without giving up, this would go on until the test's own time limit.
	round := session.Run(t.Context(), Operations(session.plan)[0], 1, time.Hour)
	if round.Errors != hopeless || requests.Load() != hopeless {
		t.Errorf("%d errors and %d requests, want %d", round.Errors, requests.Load(), hopeless)
	}
	if failures := session.Failures(); len(failures) != 1 || len(failures[0].Samples) != samplesKept {
		t.Errorf("failures %v, want one with %d samples", failures, samplesKept)
	}
}

func TestAStoppedRunIsNoFailure(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel(fmt.Errorf("enough"))
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	session, err := Open(server.URL, "token", "t", entra.Dialect{}, smallPlan())
	if err != nil {
		t.Fatal(err)
	}
	round := session.Run(ctx, Operations(session.plan)[0], 2, time.Hour)
	if round.Errors != 0 || len(session.Failures()) != 0 {
		t.Errorf("errors %d, failures %v", round.Errors, session.Failures())
	}
}
