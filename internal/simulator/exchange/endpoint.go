package exchange

import (
	"net/url"
	"slices"
	"time"
)

// How Graph treats an endpoint that is slow, as documented.
const (
	judged    = 10 * time.Minute // the time over which answers are counted, and for which a verdict stands
	slowDelay = 10 * time.Minute
	// enough is how many answers a verdict needs.
	enough = 10
)

// endpoint is a host that notifications go to, for all subscriptions alike.
type endpoint struct {
	answers              []timing
	slowUntil, dropUntil time.Time
}

type timing struct {
	at   time.Time
	took time.Duration
}

func (t *Tenant) endpoint(to string) *endpoint {
	host := to
	if parsed, err := url.Parse(to); err == nil {
		host = parsed.Host
	}
	e := t.endpoints[host]
	if e == nil {
		e = &endpoint{}
		t.endpoints[host] = e
	}
	return e
}

// answered counts an answer. More than a tenth of more than 3 s makes new notifications wait, more than 15 % of more than 10 s
// lets them fall.
func (e *endpoint) answered(at time.Time, took time.Duration) {
	e.answers = slices.DeleteFunc(append(e.answers, timing{at, took}), func(t timing) bool { return at.Sub(t.at) > judged })
	if len(e.answers) < enough {
		return
	}
	slow, lost := 0, 0
	for _, t := range e.answers {
		if t.took > firstAllowance {
			slow++
		}
		if t.took > retryAllowance {
			lost++
		}
	}
	if slow*100 > len(e.answers)*10 {
		e.slowUntil = at.Add(judged)
	}
	if lost*100 > len(e.answers)*15 {
		e.dropUntil = at.Add(judged)
	}
}
