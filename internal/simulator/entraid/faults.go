package entraid

import (
	"slices"
	"time"

	"usher/model/outlook"
)

// Faults is what goes wrong. Numbers are probabilities from 0 to 1, drawn from Options.Seed; the zero value is a Graph that
// behaves.
type Faults struct {
	// Throttle answers a request with 429, to come back after ThrottleAfter (0 says nothing).
	Throttle      float64
	ThrottleAfter time.Duration
	// Unavailable answers 503 before anything is done, LostAnswer 504 after a write was carried out.
	Unavailable, LostAnswer float64
	// Denied answers 403, as permissions do while they spread.
	Denied float64
	// Replication is how long what was made through Graph cannot be found by its id.
	Replication time.Duration

	// SyncLost answers a link of a delta, also in the middle of a round, with SyncStateNotFound: 410, 400 or 404 in turn.
	SyncLost float64
	// EmptyPage puts an empty page before one that has something; Repeat gives an entry of the page once more; Phantom adds the
	// removal of an id that nobody has ever seen; Replay makes the delta link lead back to where the round began.
	EmptyPage, Repeat, Phantom, Replay float64
	// RemovedAtFirst tells a soft-deleted user as removed in a first round too.
	RemovedAtFirst float64
	// LateMembers holds a membership back from a round, to tell it in the next one.
	LateMembers float64
	// Shuffle gives the entries of a page in any order.
	Shuffle bool
	// SplitGroups tells members a few at a time, with other groups in between.
	SplitGroups bool
	// TellRestores has a restored user come in every delta, not only in those without a selection.
	TellRestores bool
	// GhostMembers lists soft-deleted users among the members of a group, by their ids alone.
	GhostMembers bool
	// DeltaLag is how long a delta does not know what has changed.
	DeltaLag time.Duration
	// LinkPadding makes links longer by so many characters.
	LinkPadding int
}

// SetFaults replaces the faults.
func (d *Directory) SetFaults(f Faults) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.faults = f
}

// chance tells whether something that happens with the given probability happens now. The caller holds the lock.
func (d *Directory) chance(probability float64) bool {
	return probability > 0 && d.random.Float64() < probability
}

// refusal gives what a request is answered instead of being carried out. The caller holds the lock.
func (d *Directory) refusal() error {
	switch f := d.faults; {
	case d.chance(f.Throttle):
		return throttled(f.ThrottleAfter)
	case d.chance(f.Unavailable):
		return unavailable(503)
	case d.chance(f.Denied):
		return Denied()
	}
	return nil
}

// Request is one call of an application.
type Request struct {
	At     time.Time
	App    string
	Method string // of Session: UsersDelta, CreateUser, …
	Target string // what it was about: an id, a search
	Err    string // what was answered; "" where all went well
}

// ring keeps the last requests.
type ring struct {
	values []Request
	total  int
}

func (r *ring) add(value Request, limit int) {
	if len(r.values) < limit {
		r.values = append(r.values, value)
	} else {
		r.values[r.total%limit] = value
	}
	r.total++
}

// Requests gives what applications asked so far, the oldest first.
func (d *Directory) Requests() []Request {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.requests.values) == 0 {
		return nil
	}
	first := d.requests.total % len(d.requests.values)
	return slices.Concat(d.requests.values[first:], d.requests.values[:first])
}

// RequestCount says how many requests there were, those that the journal keeps no more included.
func (d *Directory) RequestCount() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.requests.total
}

// replicated says whether what Graph made can be found by now. The caller holds the lock.
func (d *Directory) replicated(id string) bool {
	if d.faults.Replication == 0 {
		return true
	}
	at, made := d.born[id]
	return !made || d.now().Sub(at) >= d.faults.Replication
}

// seen says whether something that Graph made can be found by now.
func (d *Directory) seen(id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.replicated(id)
}

// made notes when something came into being. The caller holds the lock.
func (d *Directory) made(id string) { d.born[id] = d.now() }

// syncLost has the same code under each of the statuses that Graph was seen to give it.
func (d *Directory) syncLost() *outlook.Error {
	status := []int{410, 400, 404}[d.lost%3]
	d.lost++
	return syncLost(status)
}
