package graphapi

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"usher/model/outlook"
)

// Identity is what one application may do with the directory of the tenant (Microsoft: throttling limits, identity and access). 0
// is without limit.
type Identity struct {
	Units  int // resource units in ten seconds: 3,500, 5,000 or 8,000, by the size of the tenant
	Writes int // in 150 seconds: 3,000
}

// The windows over which Graph counts.
const (
	unitsWindow  = 10 * time.Second
	writesWindow = 150 * time.Second
)

// bucket is full in the beginning, and fills up again within its window.
type bucket struct {
	left float64
	at   time.Time
}

// take takes out n, unless less than the reserve would be left. It gives how long to wait then, and how much of the limit is used.
func (b *bucket) take(now time.Time, n, limit int, reserve float64, window time.Duration) (wait time.Duration, used float64) {
	rate := float64(limit) / window.Seconds()
	if b.at.IsZero() {
		b.left, b.at = float64(limit), now
	}
	b.left = min(float64(limit), b.left+rate*now.Sub(b.at).Seconds())
	b.at = now
	if short := float64(n) + reserve*float64(limit) - b.left; short > 0 {
		return time.Duration(short / rate * float64(time.Second)), 1
	}
	b.left -= float64(n)
	return 0, 1 - b.left/float64(limit)
}

// meters count what applications use.
type meters struct {
	mu     sync.Mutex
	limits Identity
	units  map[string]*bucket
	writes map[string]*bucket
}

// SetIdentityLimits changes what an application may do with the directory; everyone begins with a full bucket.
func (s *Server) SetIdentityLimits(limits Identity) {
	s.meters.mu.Lock()
	defer s.meters.mu.Unlock()
	s.meters.limits, s.meters.units, s.meters.writes = limits, map[string]*bucket{}, map[string]*bucket{}
}

func bucketOf(all map[string]*bucket, app string) *bucket {
	if all[app] == nil {
		all[app] = &bucket{}
	}
	return all[app]
}

// lowReserve is how much of the limits requests of low priority leave to others.
const lowReserve = 0.1

// spend counts a request to the directory, and refuses it where there is no more left.
func (s *Server) spend(c *call) error {
	c.units = c.cost()
	s.meters.mu.Lock()
	defer s.meters.mu.Unlock()
	reserve := 0.0
	if strings.EqualFold(c.header.Get("x-ms-throttle-priority"), "Low") {
		reserve = lowReserve
	}
	now, m := s.now(), &s.meters
	if m.limits.Writes > 0 && c.method != http.MethodGet {
		wait, used := bucketOf(m.writes, c.claims.AppID).take(now, 1, m.limits.Writes, reserve, writesWindow)
		if c.used = max(c.used, used); wait > 0 {
			return c.throttled(wait, "WriteLimitExceeded", s.opts.TenantID)
		}
	}
	if m.limits.Units > 0 {
		wait, used := bucketOf(m.units, c.claims.AppID).take(now, c.units, m.limits.Units, reserve, unitsWindow)
		if c.used = max(c.used, used); wait > 0 {
			return c.throttled(wait, "ResourceUnitLimitExceeded", s.opts.TenantID)
		}
	}
	return nil
}

func (c *call) throttled(wait time.Duration, why, tenant string) error {
	c.throttle = http.Header{}
	c.throttle.Set("x-ms-throttle-information", why)
	c.throttle.Set("x-ms-throttle-scope", "Tenant_Application/ReadWrite/"+c.claims.AppID+"/"+tenant)
	return &outlook.Error{Kind: outlook.Throttled, Code: "TooManyRequests", Message: "Too many requests.", After: max(wait, time.Second)}
}

// tell says in headers what a request has cost.
func (c *call) tell(header http.Header) {
	if c.units == 0 {
		return
	}
	header.Set("x-ms-resource-unit", strconv.Itoa(c.units))
	if c.used > 0.8 {
		header.Set("x-ms-throttle-limit-percentage", strconv.FormatFloat(c.used, 'f', 1, 64))
	}
	for name, values := range c.throttle {
		header[name] = values
	}
}

// cost is what a request costs in resource units (Microsoft: throttling limits, identity and access).
func (c *call) cost() int {
	if c.method != http.MethodGet {
		return 1
	}
	units := c.base()
	if c.query.Get("$select") != "" {
		units--
	}
	if c.query.Get("$expand") != "" {
		units++
	}
	if top, err := strconv.Atoi(c.query.Get("$top")); err == nil && top < 20 {
		units--
	}
	return max(units, 1)
}

func (c *call) base() int {
	last := ""
	if len(c.segments) > 2 {
		last = strings.ToLower(plain(c.segments[2]))
	}
	switch first := strings.ToLower(c.segments[0]); {
	case last == "transitivemembers":
		return 5
	case first == "groups" && last == "members", first == "subscribedskus":
		return 3
	case first == "users" && (last == "memberof" || last == "licensedetails"), last == "oauth2permissiongrants", strings.HasPrefix(last, "approleassign"),
		first == "users" && last == "", first == "applications":
		return 2
	}
	return 1
}
