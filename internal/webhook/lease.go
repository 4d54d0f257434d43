package webhook

import (
	"context"
	"sync/atomic"
	"time"

	"usher/model/store"
)

// How long an endpoint is a process's. The process says again and again that it lives; where one died another takes its endpoints
// over when leaseFor has passed. It is longer than a request may take by far more than the time between two renewals, so that
// whoever still calls an endpoint still has it, also where the clocks of two machines differ by some seconds.
const (
	leaseFor   = 30 * time.Second
	renewEvery = 4 * time.Second
)

// leases is what a process knows of the endpoints that it has.
type leases struct {
	held    atomic.Int32              // endpoints that are worked
	renewed atomic.Pointer[time.Time] // when all of them were last renewed, by the clock that only goes forward
	crowded func() bool               // endpoints may be waiting for room; nil where nobody waits
}

func (l *leases) full() bool { return l.crowded != nil && l.crowded() }

// tenure is one endpoint's lease: in whose name, and since when at least.
type tenure struct {
	lease string
	since time.Time
}

// lasts says whether an endpoint is still this process's when a request that begins now ends at the latest. A process that stood
// still, or could not reach the database, stops calling before another one begins.
func (d *Dispatcher) lasts(t tenure) bool {
	since := t.since
	if renewed := d.leases.renewed.Load(); renewed != nil && renewed.After(since) {
		since = *renewed
	}
	return time.Since(since) < leaseFor-requestWithin
}

// renew renews the leases of this process until it has no more work.
func (d *Dispatcher) renew(ctx context.Context, lease string, ended <-chan struct{}) {
	tick := time.NewTicker(renewEvery)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			return
		case <-tick.C:
		}
		if d.leases.held.Load() > 0 {
			d.renewOnce(ctx, lease)
		}
	}
}

func (d *Dispatcher) renewOnce(ctx context.Context, lease string) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, renewEvery)
	defer cancel()
	err := d.Store.InTx(ctx, func(tx *store.Tx) error {
		tx.RenewWebhookLeases(lease, tx.Now().Add(leaseFor))
		return nil
	})
	if err != nil {
		d.failed(ctx, "leases of webhook endpoints could not be renewed", err)
		return
	}
	d.leases.renewed.Store(&began)
}
