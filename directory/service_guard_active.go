package directory

import (
	"math/bits"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"usher/model"
	"usher/model/store"
)

// activeCounts remembers for a minute how many active accounts an integration has, so that the guard of pushes does not
// count them for every leaver. Leavers who come at once wait for one count, not each for its own.
type activeCounts struct {
	counting singleflight.Group
	mu       sync.Mutex
	at       map[string]activeCount
}

type activeCount struct {
	n    int
	all  bool // that is all; else there are at least so many
	read time.Time
}

// activeCountAge is how old a remembered count may be.
const activeCountAge = time.Minute

// maxSomeActive is from how many on they are rather counted all.
const maxSomeActive = 1 << 20

// enough asks whether the integration has so many active accounts that the guard lets so many deactivations pass. Where it has
// not, all is set, and active is how many it has.
func (c *activeCounts) enough(tx *store.Tx, ref model.Ref, guard model.Guard, deactivations int) (active int, all bool, err error) {
	need, never := guard.Needs(deactivations)
	if hit, ok := c.known(ref, tx.Now()); ok && (hit.all || !never && hit.n >= need) {
		return hit.n, hit.all && (never || hit.n < need), nil
	}
	most := 0
	if !never && need < maxSomeActive {
		most = 1 << bits.Len(uint(2*need)) //nolint:gosec // below 2^21; few different numbers, as each is a statement of its own
	}
	found, err := c.count(tx, ref, most)
	return found.n, found.all && (never || found.n < need), err
}

// count counts up to most, or all where that is 0.
func (c *activeCounts) count(tx *store.Tx, ref model.Ref, most int) (activeCount, error) {
	var ours error
	once := func() (any, error) {
		n, err := tx.CountSomeActiveAccounts(ref, most)
		found := activeCount{n, most == 0 || n < most, tx.Now()}
		if err == nil {
			c.remember(ref, found)
		}
		ours = err
		return found, err
	}
	found, err, _ := c.counting.Do(ref.IntegrationID+strconv.Itoa(most), once)
	if err != nil && ours == nil { // of another one, whose client may have gone away
		found, err = once()
	}
	return found.(activeCount), err //nolint:forcetypeassert // counted above
}

func (c *activeCounts) known(ref model.Ref, now time.Time) (activeCount, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	hit, ok := c.at[ref.IntegrationID]
	return hit, ok && now.Sub(hit.read) < activeCountAge
}

func (c *activeCounts) remember(ref model.Ref, count activeCount) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.at == nil || len(c.at) > maxRemembered {
		c.at = map[string]activeCount{}
	}
	c.at[ref.IntegrationID] = count
}
