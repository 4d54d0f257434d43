package webhook

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"usher/internal/secret"
	"usher/model"
	"usher/model/store"
)

// Dispatcher tells endpoints of changes. Any number of processes may run one on the same database: an endpoint is worked by one
// of them at a time.
type Dispatcher struct {
	Options
	leases leases
}

// Options are what a Dispatcher is made of; Store and Keys must be set.
type Options struct {
	Store   *store.Store
	Keys    *secret.Keyring
	Guard   Guard
	Version string                               // of Usher, for the User-Agent
	Now     func() time.Time                     // time.Now by default
	Log     *slog.Logger                         // none by default
	Client  *http.Client                         // NewClient(Guard) by default
	Observe func(taken bool, took time.Duration) // of each attempt
}

// New makes a Dispatcher.
func New(opt Options) *Dispatcher {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Client == nil {
		opt.Client = NewClient(opt.Guard)
	}
	if opt.Observe == nil {
		opt.Observe = func(bool, time.Duration) {}
	}
	return &Dispatcher{Options: opt}
}

// How the dispatcher looks for work.
const (
	pollEvery    = 500 * time.Millisecond
	pollAtMost   = 100 * time.Millisecond // between two looks, however much changes
	maxEndpoints = 256                    // that one process tells at once
)

// Run tells endpoints of changes until ctx ends, and returns when the steps under way have ended.
func (d *Dispatcher) Run(ctx context.Context) {
	lease := store.NewID()
	ended := make(chan struct{})
	var renewing sync.WaitGroup
	renewing.Go(func() { d.renew(context.WithoutCancel(ctx), lease, ended) })
	d.tellAll(ctx, lease)
	close(ended)
	renewing.Wait()
}

func (d *Dispatcher) tellAll(ctx context.Context, lease string) {
	var working sync.WaitGroup
	defer working.Wait()
	room := make(chan struct{}, maxEndpoints)
	d.leases.crowded = func() bool { return len(room) == cap(room) }
	var mu sync.Mutex
	busy := map[string]bool{}
	for ctx.Err() == nil {
		for _, e := range d.due(ctx) {
			mu.Lock()
			taken := busy[e.ID]
			mu.Unlock()
			if taken || len(room) == cap(room) {
				continue
			}
			room <- struct{}{}
			mu.Lock()
			busy[e.ID] = true
			mu.Unlock()
			working.Go(func() {
				d.work(ctx, e, lease)
				mu.Lock()
				delete(busy, e.ID)
				mu.Unlock()
				<-room
			})
		}
		d.rest(ctx)
	}
}

// rest waits for a change, but looks at most every pollAtMost: many changes are told of as well at once.
func (d *Dispatcher) rest(ctx context.Context) {
	soonest := time.NewTimer(pollAtMost)
	defer soonest.Stop()
	d.Store.AwaitChange(ctx, pollEvery)
	select {
	case <-soonest.C:
	case <-ctx.Done():
	}
}

// due gives the endpoints that have something to be told. Where nobody is to be told of anything the feed is left alone: giving its
// entries their positions is work that only a reader asks for.
func (d *Dispatcher) due(ctx context.Context) []model.WebhookEndpoint {
	some, err := d.Store.Read(ctx).AnyActiveWebhook()
	if err != nil {
		d.failed(ctx, "webhook endpoints could not be read", err)
	}
	if !some {
		return nil
	}
	if _, err := d.Store.FeedEnd(ctx); err != nil {
		d.failed(ctx, "the change feed could not be read for webhooks", err)
		return nil
	}
	list, err := d.Store.Read(ctx).WebhookEndpointsDue(d.Now(), 2*maxEndpoints)
	if err != nil {
		d.failed(ctx, "webhook endpoints could not be read", err)
	}
	return list
}

func (d *Dispatcher) failed(ctx context.Context, what string, err error) {
	if ctx.Err() == nil {
		d.Log.WarnContext(ctx, what, "err", err)
	}
}

// work takes an endpoint and tells it everything that is to be told now; where others wait for room, only the next part of it.
func (d *Dispatcher) work(ctx context.Context, e model.WebhookEndpoint, lease string) {
	d.leases.held.Add(1)
	defer d.leases.held.Add(-1)
	for more := true; more && ctx.Err() == nil; more = more && !d.leases.full() {
		began, ok := time.Now(), false
		err := d.Store.InTx(ctx, func(tx *store.Tx) (err error) {
			if ok, err = tx.LeaseWebhookEndpoint(e.OrganizationID, e.ID, lease, tx.Now().Add(leaseFor)); err != nil || !ok {
				return err
			}
			e, err = tx.WebhookEndpoint(e.OrganizationID, e.ID)
			return err
		})
		if err != nil || !ok {
			d.failedUnlessGone(ctx, e, err)
			return
		}
		if more, err = d.step(ctx, e, tenure{lease, began}); err != nil {
			d.failedUnlessGone(ctx, e, err)
			break
		}
	}
	if err := d.Store.InTx(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		return tx.ReleaseWebhookEndpoint(e.OrganizationID, e.ID, lease)
	}); err != nil {
		d.failedUnlessGone(ctx, e, err)
	}
}

// failedUnlessGone logs an error, unless it is that the endpoint was deleted or is another's now.
func (d *Dispatcher) failedUnlessGone(ctx context.Context, e model.WebhookEndpoint, err error) {
	if kind := model.KindOf(err); err != nil && kind != model.NotFound && kind != model.Conflict {
		d.failed(ctx, "webhook endpoint "+e.ID+" could not be told of changes", err)
	}
}

// sender gives what messages of the endpoint are sent with.
func (d *Dispatcher) sender(ctx context.Context, e model.WebhookEndpoint) (*sender, error) {
	list, err := d.Store.Read(ctx).WebhookSecrets(e.OrganizationID, e.ID, d.Now())
	if err != nil {
		return nil, err
	}
	texts, err := secrets(d.Keys, list)
	return &sender{client: d.Client, url: e.URL, secrets: texts, agent: "Usher/" + d.Version, now: d.Now}, err
}
