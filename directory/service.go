package directory

import (
	"context"
	"log/slog"
	"net/netip"
	"time"

	"golang.org/x/sync/semaphore"
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
	searches *rate.Limiter       // bounds searches for clients by what somebody claims to be
	issuers  *assertion.Keys     // keys of the issuers that SCIM clients are vouched for by
	hashing  *semaphore.Weighted // one password at a time: each takes 64 MiB
	active   activeCounts
	pushes   pushWatch
	sources  map[model.RunKind]func(*Service, *model.Run) runSource
	runPage  int
}

// Options are what a Service is made of; Store and Keys must be set.
type Options struct {
	Store *store.Store
	Keys  *secret.Keyring
	Log   *slog.Logger     // none by default
	Now   func() time.Time // time.Now by default
	// LoginURL stands in for Entra's sign-in service of every cloud, such as https://127.0.0.1:9443.
	LoginURL string
	// CheckWebhookAddress, where set, refuses addresses that no webhook may be sent to; PlainWebhooks lets them be sent over http.
	CheckWebhookAddress func(netip.Addr) error
	PlainWebhooks       bool
	// Observe, where set, is told of things worth a metric; see the Event constants.
	Observe func(event string, n int)
	// IntegrationSaved, where set, is called in the transaction that makes or changes an integration, so that others can enqueue
	// what follows from it.
	IntegrationSaved func(tx *store.Tx, i model.Integration) error
	// Tenants, where set, gives the Entra tenant of an integration, as its credentials reach it; see Service.reader and writer.
	Tenants func(ctx context.Context, ref model.Ref) (Tenant, error)
	// Provisionings, where set, gives the synchronization API of an integration's tenant, in the name of the administrator whose access
	// token is given, or as the integration's application where none is.
	Provisionings func(ctx context.Context, ref model.Ref, accessToken string) (Provisioning, error)
	// Redeem, where set, trades the code of an administrator's sign-in for an access token.
	Redeem func(ctx context.Context, ref model.Ref, code SignInCode) (SignedIn, error)
	// EndSubscriptions, where set, ends what is left of the subscriptions of an integration that is being removed, and says how many
	// Microsoft 365 refused to end.
	EndSubscriptions func(ctx context.Context, ref model.Ref) (refused int, err error)
	// EndTheirs, where set, ends subscriptions by their ids, with the access of an integration that is gone, and says how many Microsoft
	// 365 refused to end.
	EndTheirs func(ctx context.Context, access GraphAccess, subscriptions []string) (refused int, err error)
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
	EventImportFailed     = "import_failed"
	EventRunHeld          = "run_held"
	EventGroupMissing     = "group_missing"       // a group that the settings name has vanished or came back without members
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
		issuers: assertion.NewKeys(nil, opt.Now), sources: runSources(), runPage: runPage, hashing: semaphore.NewWeighted(1),
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
