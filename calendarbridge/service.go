package calendarbridge

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"log/slog"
	"strings"
	"time"

	"usher/internal/secret"
	"usher/model"
	"usher/model/outlook"
	"usher/model/store"
)

// Service is the calendar bridge. It is safe for concurrent use, also by several processes that share the database.
type Service struct {
	Options
	clean *cleaner
	zones *zones
	marks *batcher
}

// Options are what a Service is made of; Store, Keys and Connect must be set.
type Options struct {
	Store *store.Store
	Keys  *secret.Keyring
	// Connect gives the tenant of an integration.
	Connect func(ctx context.Context, ref model.Ref) (Calendars, error)
	// PublicURL is where Microsoft 365 reaches this installation, such as https://usher.contoso.example.
	PublicURL string
	Log       *slog.Logger     // none by default
	Now       func() time.Time // time.Now by default
	// Observe, where set, is told of things worth a metric; see the Event constants.
	Observe func(event string, n int)
	// DaysBack and DaysAhead are the window that is kept of each calendar; 30 and 365 by default.
	DaysBack, DaysAhead int
	Periods             Periods
}

// Periods say how often things happen by themselves.
type Periods struct {
	Sweep     time.Duration // of a calendar that nothing was told of; 6 h by default
	Poll      time.Duration // of a calendar that has no subscription; 15 min by default
	Full      time.Duration // after which a round brings everything again, in a window that has moved; a week by default
	Mailbox   time.Duration // after which a mailbox that was missing is looked for again; a day by default
	Forbidden time.Duration // after which a mailbox that was refused is tried again; 2 h by default
}

// Events for Observe.
const (
	EventNotified      = "notification"           // accepted ones
	EventCoalesced     = "notification_coalesced" // those of a calendar that a job waits for already
	EventForged        = "notification_client_state"
	EventUnknown       = "notification_unknown" // of no calendar that is known
	EventMalformed     = "notification_malformed"
	EventLifecycle     = "lifecycle"
	EventStored        = "events_stored"
	EventDropped       = "events_echo" // that came back, or came again
	EventSkipped       = "events_skipped"
	EventRound         = "round"
	EventFullRound     = "full_round"
	EventLag           = "lag_milliseconds" // from the oldest notification to the end of the round that worked it off
	EventThrottled     = "throttled"
	EventEndless       = "delta_endless"
	EventWritten       = "event_write"
	EventConflict      = "event_conflict"
	EventSubscribed    = "subscribed"
	EventRenewed       = "subscription_renewed"
	EventNotSubscribed = "subscription_failed"
	EventStray         = "subscription_stray"
)

// New makes a Service.
func New(opt Options) *Service {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Observe == nil {
		opt.Observe = func(string, int) {}
	}
	orDefault(&opt.DaysBack, 30)
	orDefault(&opt.DaysAhead, 365)
	orDefault(&opt.Periods.Sweep, 6*time.Hour)
	orDefault(&opt.Periods.Poll, 15*time.Minute)
	orDefault(&opt.Periods.Full, 7*24*time.Hour)
	orDefault(&opt.Periods.Mailbox, 24*time.Hour)
	orDefault(&opt.Periods.Forbidden, 2*time.Hour)
	opt.PublicURL = strings.TrimSuffix(opt.PublicURL, "/")
	s := &Service{Options: opt, clean: newCleaner(), zones: &zones{}}
	s.marks = newBatcher(s.storeMarks)
	return s
}

func orDefault[T int | time.Duration](value *T, other T) {
	if *value <= 0 {
		*value = other
	}
}

// now gives the time in UTC, as the store keeps it.
func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }

// in gives the time a while from now.
func (s *Service) in(d time.Duration) *time.Time {
	at := s.now().Add(d)
	return &at
}

// around gives a duration of up to a tenth more or less, so that what began together does not stay together.
func around(d time.Duration) time.Duration { return between(d-d/10, d+d/10) }

// between gives a random duration.
func between(least, most time.Duration) time.Duration {
	if most <= least {
		return least
	}
	var raw [8]byte
	_, _ = rand.Read(raw[:]) // it never fails
	return least + time.Duration(binary.NativeEndian.Uint64(raw[:])%uint64(most-least))
}

// backoff gives how long to wait after so many failures in a row.
func backoff(failures int, first time.Duration) time.Duration {
	for range failures - 1 {
		if first *= 2; first >= longestWait {
			return around(longestWait)
		}
	}
	return around(first)
}

// actorOutlook stands in changes and activities that came from Microsoft 365.
const actorOutlook = "outlook"

// actorBridge stands where the bridge itself acts, such as when a mailbox is found.
const actorBridge = "calendarbridge"

// refOf names the calendar to Microsoft 365. The default calendar is named by its mailbox alone, as it may become another.
func refOf(m model.Mailbox, c model.Calendar) outlook.CalendarRef {
	ref := outlook.CalendarRef{Mailbox: orElse(m.GraphUserID, m.Address)}
	if !c.IsDefault {
		ref.Calendar = c.GraphID
	}
	return ref
}

// instantOf reads a wall time.
func instantOf(t model.EventTime, allDay bool) (time.Time, error) {
	if allDay {
		return wallIn(t.DateTime, "UTC")
	}
	return wallIn(t.DateTime, t.TimeZone)
}
