package exchange

import (
	"time"

	"usher/model/outlook"
)

// Faults is what goes wrong. Numbers are probabilities from 0 to 1, drawn from Options.Seed; the zero value is a Graph that
// behaves.
type Faults struct {
	// Throttle answers a request to a mailbox with 429, to come back after ThrottleAfter (0 says nothing).
	Throttle      float64
	ThrottleAfter time.Duration
	// Unavailable answers 503 before anything is done, LostAnswer 504 after a write was carried out.
	Unavailable, LostAnswer float64
	// Conflict answers 412 to a write with a change key that was the right one, ReadConflict to the reading of an event.
	Conflict, ReadConflict float64
	// Denied answers 403, as permissions do while they spread.
	Denied float64

	// SyncLost answers a link of a delta, also in the middle of a round, with SyncStateNotFound: 410, 400 or 404 in turn.
	SyncLost float64
	// EmptyPage puts a page without events before one that has some; Repeat gives an event of the page once more; Phantom adds
	// the removal of an id that nobody has ever seen; Replay makes a delta link lead back to where the round began.
	EmptyPage, Repeat, Phantom, Replay float64
	// Endless gives the same page again and again, under another link each time.
	Endless bool
	// Shuffle gives the events of a page in any order, exceptions and stubs before their master.
	Shuffle bool
	// Sparse leaves out the occurrences of a changed series that have not changed themselves; NoMaster leaves out the series.
	Sparse, NoMaster bool
	// ReasonChanged says "changed" where an event is out of the window; otherwise it says "deleted" there too.
	ReasonChanged bool
	// DeltaLag is how long a delta does not know what has changed.
	DeltaLag time.Duration
	// LinkPadding makes links longer by so many characters.
	LinkPadding int

	// Duplicate sends a notification two to four times within half a minute; Spurious sends an "updated" after it; Reorder
	// sends it after those that come next; Late delays it by up to LateBy (3 minutes where 0); Missing never sends it, and with
	// TellMissed the lifecycle event "missed" goes out instead.
	Duplicate, Spurious, Reorder, Late, Missing float64
	LateBy                                      time.Duration
	TellMissed                                  bool
	// Mixed sends notifications together with some of a subscription that nobody has and with a wrong clientState, and what
	// belongs to several URLs that differ in their query alone to one of them.
	Mixed float64
	// Early sends what a write brings about before the write is answered.
	Early float64

	// RefuseSubscription is answered to the creation of a subscription.
	RefuseSubscription *outlook.Error
	// Mute makes a subscription that never tells anything; Vanish takes one away, without a word, as it is renewed.
	Mute, Vanish float64
	// ShortenTo is the longest life that a subscription gets, whatever was asked for; 0 leaves it.
	ShortenTo time.Duration
	// ValidateRenewals calls the notification URL again as a subscription is renewed.
	ValidateRenewals bool
}

// trouble is what the next requests to one mailbox are answered.
type trouble struct {
	times int
	err   outlook.Error
}

// SetFaults replaces the faults. Those of the requests and notifications that are under way stay.
func (t *Tenant) SetFaults(f Faults) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.faults = f
}

// Throttle answers the next requests to a mailbox with 429; after the given time the application may come back. A request
// within it counts as well. A negative number throttles until it is called again, with 0.
func (t *Tenant) Throttle(ref string, times int, after time.Duration) {
	t.Fail(ref, times, throttled(after))
}

// Fail answers the next requests to a mailbox with the failure, all of them where times is negative. No request is carried
// out. 0 ends it.
func (t *Tenant) Fail(ref string, times int, err *outlook.Error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	u := t.must(ref)
	delete(t.trouble, u.id)
	if times != 0 {
		t.trouble[u.id] = &trouble{times, *err}
	}
}

// refusal gives what a request is answered instead of being carried out.
func (t *Tenant) refusal(mailbox string) error {
	f := t.faults
	if u := t.find(mailbox); u != nil {
		if trouble := t.trouble[u.id]; trouble != nil {
			if trouble.times--; trouble.times == 0 {
				delete(t.trouble, u.id)
			}
			err := trouble.err
			return &err
		}
	}
	switch {
	case mailbox != "" && t.chance(f.Throttle):
		return throttled(f.ThrottleAfter)
	case t.chance(f.Unavailable):
		return unavailable(503)
	case mailbox != "" && t.chance(f.Denied):
		return accessDenied()
	}
	return nil
}
