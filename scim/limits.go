package scim

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"usher/model"
)

// What is limited, as LimitOptions.Observe is told.
const (
	LimitIntegration = "integration" // requests of clients that are known
	LimitStranger    = "stranger"    // attempts that were refused, by the address they came from
)

// DefaultRate is how many requests per second each integration may send on and on. Entra sends 25 to 50 at most, and
// takes answers 429 that do not end for a reason to stop, so that the limit is there for runaway clients alone: it is above what one process
// answers on the machines that were measured (docs/performance.md), and a load run is not refused.
const DefaultRate = 20_000

const (
	burstSeconds = 4 // of the rate may come at once
	strangerRate = 20
	// strangerBurst is what a client with a wrong token may send before it hears 429 instead of 401.
	strangerBurst = 200
	maxBuckets    = 10000
)

// LimitOptions are what Limits are made of.
type LimitOptions struct {
	// Rate is how many requests per second an integration may send on and on, and four times as many at once; 0 is any number.
	Rate int
	Now  func() time.Time // time.Now by default
	// Observe, where set, is told what was limited.
	Observe func(limit string)
}

// Limits bounds how much one integration may ask for and how often one address may be refused, each on its own: attempts that
// are refused never take anything from a client that is known. The counts are those of this process. The nil Limits bound
// nothing. It is safe for concurrent use.
type Limits struct {
	opt LimitOptions

	mu           sync.Mutex
	integrations map[string]*rate.Limiter
	strangers    map[netip.Prefix]*rate.Limiter
}

// NewLimits makes limits of which nothing is used.
func NewLimits(opt LimitOptions) *Limits {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Observe == nil {
		opt.Observe = func(string) {}
	}
	return &Limits{opt: opt, integrations: map[string]*rate.Limiter{}, strangers: map[netip.Prefix]*rate.Limiter{}}
}

// integration is Throttled where the integration has sent too much.
func (l *Limits) integration(id string) error {
	if l == nil || l.opt.Rate == 0 {
		return nil
	}
	return take(l, l.integrations, id, l.opt.Rate, l.opt.Rate*burstSeconds, LimitIntegration)
}

// stranger is Throttled where too many attempts from the request's address were refused.
func (l *Limits) stranger(r *http.Request) error {
	if l == nil {
		return nil
	}
	return take(l, l.strangers, network(r.RemoteAddr), strangerRate, strangerBurst, LimitStranger)
}

func take[K comparable](l *Limits, buckets map[K]*rate.Limiter, key K, perSecond, burst int, name string) error {
	now := l.opt.Now()
	reservation := bucket(l, buckets, key, perSecond, burst, now).ReserveN(now, 1)
	wait := reservation.DelayFrom(now)
	if wait == 0 {
		return nil
	}
	reservation.CancelAt(now)
	l.opt.Observe(name)
	return &model.Throttled{After: max(wait.Truncate(time.Second), time.Second)}
}

// bucket finds the bucket of a key, or makes it. Where there are too many, those that are full again are as good as new
// ones; if most are not, all of them are emptied, since to let too much pass is better than to grow.
func bucket[K comparable](l *Limits, buckets map[K]*rate.Limiter, key K, perSecond, burst int, now time.Time) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := buckets[key]
	if b != nil {
		return b
	}
	if len(buckets) >= maxBuckets {
		for k, old := range buckets {
			if old.TokensAt(now) >= float64(burst) {
				delete(buckets, k)
			}
		}
		if len(buckets) > maxBuckets/2 {
			clear(buckets)
		}
	}
	b = rate.NewLimiter(rate.Limit(perSecond), burst)
	buckets[key] = b
	return b
}

// network gives what is counted as one address: an address of IPv4, and the network of 64 bits of IPv6, all of which belongs to
// one customer as a rule.
func network(remote string) netip.Prefix {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote
	}
	address, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Prefix{}
	}
	address = address.Unmap().WithZone("")
	bits := address.BitLen()
	if address.Is6() {
		bits = 64
	}
	prefix, _ := address.Prefix(bits) // the bits fit
	return prefix
}
