package calendarbridge

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"sync"

	"usher/model"
)

// The bounds of a request of Microsoft 365's.
const (
	maxNotification = 1 << 20
	maxToken        = 8 << 10
)

// The paths at which Microsoft 365 calls.
const (
	NotificationPath = "/graph/notifications"
	LifecyclePath    = "/graph/lifecycle"
)

// notification is one item of a change or lifecycle notification; every item may be of another subscription.
type notification struct {
	SubscriptionID string `json:"subscriptionId"`
	ClientState    string `json:"clientState"`
	LifecycleEvent string `json:"lifecycleEvent"`
}

// Handler answers Microsoft 365's change and lifecycle notifications, and the validation of both URLs, at any time. It asks
// Microsoft 365 nothing: what was told is noted in one transaction with the job that looks, and answered with 202. A
// notification that is not what it seems is answered with 202 as well, and counted: an answer would help whoever forged it,
// and an error make Microsoft 365 repeat it. 503 says that nothing could be stored.
func (s *Service) Handler() http.Handler {
	seen := &secrets{}
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			rw.Header().Set("Allow", http.MethodPost)
			http.Error(rw, "Microsoft Graph sends POST", http.StatusMethodNotAllowed)
			return
		}
		query := r.URL.Query()
		if query.Has("validationToken") {
			validate(rw, query.Get("validationToken"))
			return
		}
		marks := s.marksOf(r.Context(), seen, query.Get("cal"), http.MaxBytesReader(rw, r.Body, maxNotification))
		if err := s.marks.put(r.Context(), marks); err != nil {
			s.Log.ErrorContext(r.Context(), "notifications could not be stored", "n", len(marks), "err", err)
			rw.Header().Set("Retry-After", "10")
			http.Error(rw, "try again later", http.StatusServiceUnavailable)
			return
		}
		rw.WriteHeader(http.StatusAccepted)
	})
}

// validate proves to Microsoft 365 that somebody listens here. What is echoed is never taken for anything but text.
func validate(rw http.ResponseWriter, token string) {
	if len(token) > maxToken {
		http.Error(rw, "the validation token is too long", http.StatusBadRequest)
		return
	}
	rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
	rw.Header().Set("X-Content-Type-Options", "nosniff")
	rw.Header().Set("Cache-Control", "no-store")
	_, _ = io.WriteString(rw, token) // nobody else is told of a client that has gone
}

// marksOf reads a body and gives what it says of calendars that are ours.
func (s *Service) marksOf(ctx context.Context, seen *secrets, cal string, body io.Reader) []mark {
	raw, err := io.ReadAll(body)
	var list struct {
		Value []json.RawMessage `json:"value"`
	}
	if err == nil {
		err = json.Unmarshal(raw, &list)
	}
	if err != nil {
		s.Observe(EventMalformed, 1)
		return nil
	}
	var marks []mark
	for _, item := range list.Value {
		var n notification
		if err := json.Unmarshal(item, &n); err != nil {
			s.Observe(EventMalformed, 1)
			continue
		}
		id, event := s.calendarOf(ctx, seen, cal, n)
		s.Observe(event, 1)
		if id != "" {
			marks = append(marks, mark{id, n.SubscriptionID, n.LifecycleEvent})
		}
	}
	return marks
}

// calendarOf gives the calendar that a notification is of, if it proves to come from its subscription, and what to count.
func (s *Service) calendarOf(ctx context.Context, seen *secrets, key string, n notification) (id, event string) {
	event = EventUnknown
	if n.ClientState == "" || len(n.ClientState) > 255 {
		return "", EventForged
	}
	if hash, ok := seen.of(key); ok && s.Keys.Matches(n.ClientState, hash) {
		return key, eventOf(n)
	}
	read := s.Store.Read(ctx)
	for _, find := range []func() (model.Calendar, error){
		func() (model.Calendar, error) { return read.CalendarByID(key) },
		func() (model.Calendar, error) { return read.CalendarBySubscription(n.SubscriptionID) },
	} {
		c, err := find()
		if err != nil {
			if model.KindOf(err) != model.NotFound { // whether it is ours is not known: a round too many does no harm
				s.Log.WarnContext(ctx, "a notification could not be checked", "err", err)
				return key, eventOf(n)
			}
			continue
		}
		if c.Subscription.SecretHash != "" && s.Keys.Matches(n.ClientState, c.Subscription.SecretHash) {
			seen.put(c.ID, c.Subscription.SecretHash)
			return c.ID, eventOf(n)
		}
		event = EventForged
	}
	return "", event
}

func eventOf(n notification) string {
	if n.LifecycleEvent != "" {
		return EventLifecycle
	}
	return EventNotified
}

// secrets remembers the hashes of client states, so that a burst for one calendar is not as many queries. One that has been
// replaced does not match, and is read again.
type secrets struct {
	mu   sync.Mutex
	list map[string]string
}

// maxSecrets bounds what is remembered.
const maxSecrets = 20_000

func (m *secrets) of(id string) (string, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	hash, ok := m.list[id]
	return hash, ok
}

func (m *secrets) put(id, hash string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.list == nil || len(m.list) >= maxSecrets {
		m.list = map[string]string{}
	}
	m.list[id] = hash
}
