package directory

import (
	"sync"
	"time"

	"usher/model"
)

// tokenCache remembers for a short time which tokens are right, and which of those that were once ours are not, so that
// neither an honest client nor a flood of revoked tokens reads the database for every request. A revoked token is refused at
// once by the process that revoked it, and within tokenAge by others; a new one works at once everywhere.
type tokenCache struct {
	mu         sync.Mutex
	known      map[string]knownToken // by the hash of the token
	denied     map[string]deniedToken
	clients    map[string]knownClient // by id, with their federations
	generation int                    // rises with every revocation
}

type knownToken struct {
	caller  model.SCIMCaller
	until   time.Time
	expires *time.Time
}

type deniedToken struct {
	why   model.Denial
	until time.Time
}

type knownClient struct {
	client model.SCIMClient
	until  time.Time
}

// tokenAge is how long a token is remembered.
const tokenAge = 10 * time.Second

// remembered is what the cache says of a token.
type remembered struct {
	knownToken
	why        model.Denial // why it is denied; "" where it is not
	ok         bool         // caller or why can be relied on
	seen       bool         // it was right some time ago
	generation int
}

func (c *tokenCache) get(hash string, now time.Time) remembered {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := remembered{generation: c.generation}
	if k, ok := c.known[hash]; ok {
		r.knownToken, r.seen = k, true
		r.ok = now.Before(k.until)
		if r.ok && k.expires != nil && !now.Before(*k.expires) {
			r.why = model.DeniedExpired
		}
		return r
	}
	if d, ok := c.denied[hash]; ok && now.Before(d.until) {
		r.why, r.ok = d.why, true
	}
	return r
}

// put remembers a token that is right, unless one was revoked since the generation, which may have been this one.
func (c *tokenCache) put(hash string, k knownToken, generation int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if generation != c.generation {
		return
	}
	if c.known == nil || len(c.known) >= maxRemembered {
		c.known = map[string]knownToken{}
	}
	c.known[hash] = k
}

// deny remembers a token that is not right any more.
func (c *tokenCache) deny(hash string, why model.Denial, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.denied == nil || len(c.denied) >= maxRemembered {
		c.denied = map[string]deniedToken{}
	}
	delete(c.known, hash)
	c.denied[hash] = deniedToken{why, until}
}

// forget is called when something was revoked.
func (c *tokenCache) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known, c.denied, c.clients = nil, nil, nil
	c.generation++
}

func (c *tokenCache) client(id string, now time.Time) (client model.SCIMClient, ok bool, generation int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, ok := c.clients[id]
	return k.client, ok && now.Before(k.until), c.generation
}

func (c *tokenCache) putClient(client model.SCIMClient, until time.Time, generation int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if generation != c.generation {
		return
	}
	if c.clients == nil || len(c.clients) >= maxRemembered {
		c.clients = map[string]knownClient{}
	}
	c.clients[client.ID] = knownClient{client, until}
}
