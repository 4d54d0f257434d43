package directory

import (
	"fmt"
	"testing"
	"time"

	"usher/model"
)

// TestTokenCacheForgetsWhatIsBeingRead: a request that read its token before it was revoked must not have it remembered after.
func TestTokenCacheForgetsWhatIsBeingRead(t *testing.T) {
	t.Parallel()
	var c tokenCache
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	known := knownToken{until: now.Add(tokenAge)}
	before := c.get("x", now)
	_, _, generation := c.client("c", now)
	c.forget()
	c.put("x", known, before.generation)
	c.putClient(model.SCIMClient{ID: "c"}, known.until, generation)
	if c.get("x", now).ok {
		t.Error("a token that was revoked meanwhile is remembered")
	}
	if _, ok, _ := c.client("c", now); ok {
		t.Error("a client that was deleted meanwhile is remembered")
	}
	c.put("x", known, c.get("x", now).generation)
	if !c.get("x", now).ok || c.get("x", now.Add(tokenAge)).ok || !c.get("x", now.Add(tokenAge)).seen {
		t.Error("a right token is remembered for its time, and known to have been right after it")
	}
}

// TestTokenCacheIsBounded: neither right tokens, nor revoked ones, nor clients take more than their share of memory.
func TestTokenCacheIsBounded(t *testing.T) {
	t.Parallel()
	var c tokenCache
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for i := range maxRemembered + 10 {
		name := fmt.Sprint(i)
		c.put("k"+name, knownToken{until: now}, 0)
		c.deny("d"+name, model.DeniedRevoked, now)
		c.putClient(model.SCIMClient{ID: name}, now, 0)
	}
	if max(len(c.known), len(c.denied), len(c.clients)) > maxRemembered {
		t.Errorf("%d tokens, %d denied, %d clients", len(c.known), len(c.denied), len(c.clients))
	}
}
