package directory

import (
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"usher/model"
	"usher/model/store"
)

// activeCounts remembers for a minute how many active accounts an integration has, so that the guard of pushes does not
// count them for every leaver. Leavers who come at once wait for one count of a hundred thousand people, not each for its own.
type activeCounts struct {
	counting singleflight.Group
	mu       sync.Mutex
	at       map[string]activeCount
}

type activeCount struct {
	n    int
	read time.Time
}

// activeCountAge is how old a remembered count may be.
const activeCountAge = time.Minute

func (c *activeCounts) of(tx *store.Tx, ref model.Ref) (int, error) {
	if n, ok := c.known(ref, tx.Now()); ok {
		return n, nil
	}
	var ours error
	n, err, _ := c.counting.Do(ref.IntegrationID, func() (any, error) {
		n, err := tx.CountActiveAccounts(ref)
		if err == nil {
			c.remember(ref, activeCount{n, tx.Now()})
		}
		ours = err
		return n, err
	})
	if err != nil && ours == nil { // of another one, whose client may have gone away
		return tx.CountActiveAccounts(ref)
	}
	return n.(int), err //nolint:forcetypeassert // counted above
}

func (c *activeCounts) known(ref model.Ref, now time.Time) (int, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	hit, ok := c.at[ref.IntegrationID]
	return hit.n, ok && now.Sub(hit.read) < activeCountAge
}

func (c *activeCounts) remember(ref model.Ref, count activeCount) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.at == nil || len(c.at) > maxRemembered {
		c.at = map[string]activeCount{}
	}
	c.at[ref.IntegrationID] = count
}
