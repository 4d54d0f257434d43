package directory

import (
	"context"
	"log/slog"
	"time"

	"golang.org/x/time/rate"

	"usher/directory/assertion"
	"usher/internal/secret"
	"usher/model"
	"usher/model/store"
)

// Service is the one write path: whatever edits a person, a group, an account or a setting is a method of Service, which
// opens the transaction, applies the edit, lets the rules decide, and stores mirror, account, change and activity
// together. It is safe for concurrent use.
type Service struct {
	Options
	tokens tokenCache
	// unmarked bounds look-ups of tokens that do not carry the mark of this installation: those made by versions that gave
	// none, and made-up ones.
	unmarked *rate.Limiter
	searches *rate.Limiter   // bounds searches for clients by what somebody claims to be
	issuers  *assertion.Keys // keys of the issuers that SCIM clients are vouched for by
	active   activeCounts
	pushes   pushWatch
}

// Options are what a Service is made of; Store and Keys must be set.
type Options struct {
	Store *store.Store
	Keys  *secret.Keyring
	Log   *slog.Logger     // none by default
	Now   func() time.Time // time.Now by default
	// LoginURL stands in for Entra's sign-in service of every cloud, such as https://127.0.0.1:9443.
	LoginURL string
	// Observe, where set, is told of things worth a metric; see the Event constants.
	Observe func(event string, n int)
	// IntegrationSaved, where set, is called in the transaction that makes or changes an integration, so that others can enqueue
	// what follows from it.
	IntegrationSaved func(tx *store.Tx, i model.Integration) error
	// Tenants, where set, gives the Entra tenant of an integration, as its credentials reach it; see Service.reader and writer.
	Tenants func(ctx context.Context, ref model.Ref) (Tenant, error)
}

// How many look-ups of unmarked tokens there may be per second, and at once.
const (
	unmarkedPerSecond = 20
	unmarkedBurst     = 100
)

// Events for Observe.
const (
	EventMassDeactivation = "mass_deactivation"
	EventRunPage          = "run_page"
	EventCredentialEnding = "credential_expiring" // a token or secret passed a threshold of model.ExpiryThresholds
	EventCredentialEnded  = "credential_expired"
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
	if opt.IntegrationSaved == nil {
		opt.IntegrationSaved = func(*store.Tx, model.Integration) error { return nil }
	}
	return &Service{
		Options: opt, unmarked: rate.NewLimiter(unmarkedPerSecond, unmarkedBurst), searches: rate.NewLimiter(unmarkedPerSecond, unmarkedBurst),
		issuers: assertion.NewKeys(nil, opt.Now),
	}
}

type actorKey struct{}

// WithActor says who acts: "entra", "api-key:<name>", "operator:<e-mail>", "cli". It stands in every change and activity.
func WithActor(ctx context.Context, actor string) context.Context {
	return context.WithValue(ctx, actorKey{}, actor)
}

// ActorOf gives who acts, "system" where nobody was named.
func ActorOf(ctx context.Context) string {
	if actor, ok := ctx.Value(actorKey{}).(string); ok {
		return actor
	}
	return "system"
}

// rules gives the organization's rules at the version of the settings that the transaction holds.
func (s *Service) rules(tx *store.Tx, organizationID string, version int64) (*Rules, error) {
	return store.CachedSettings(tx, organizationID, version, func(settings *model.Settings) (*Rules, error) {
		return Compile(settings, s.Now)
	})
}

// integration gives the settings of the integration, or NotFound where it is not of this organization (any more).
func (r *Rules) integration(ref model.Ref) (model.IntegrationSettings, error) {
	i, ok := r.settings.Integrations[ref.IntegrationID]
	if !ok {
		return i, model.Errorf(model.NotFound, "integration %s not found", ref.IntegrationID)
	}
	return i, nil
}

// maxRemembered bounds what is remembered per integration or token, in an installation with very many of them.
const maxRemembered = 10000
