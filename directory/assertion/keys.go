package assertion

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/sync/singleflight"
)

// How keys are fetched and kept.
const (
	fetchWithin  = 5 * time.Second
	maxKeySet    = 256 << 10        // bytes
	maxKeys      = 100              // of one issuer
	maxIssuers   = 1000             // whose keys are kept
	refetchAfter = 24 * time.Hour   // even if every key that is asked for is known
	keepAtMost   = 72 * time.Hour   // while the issuer does not answer
	fetchFloor   = 30 * time.Second // between two fetches of one issuer, however many unknown keys are named
)

// RetryAfter is when it is worth to come back after ErrKeys.
const RetryAfter = fetchFloor

// Keys fetches and keeps the keys of issuers. It is safe for concurrent use.
type Keys struct {
	client *http.Client
	now    func() time.Time
	flight singleflight.Group

	mu   sync.Mutex
	sets map[string]keySet // by URL
}

type keySet struct {
	keys    []jose.JSONWebKey
	fetched time.Time // when the keys came
	tried   time.Time // when they were last asked for
	err     error     // what became of that
}

// NewKeys makes an empty store of keys. transport is http.DefaultTransport where it is nil; now is the clock.
func NewKeys(transport http.RoundTripper, now func() time.Time) *Keys {
	return &Keys{
		now: now, sets: map[string]keySet{},
		client: &http.Client{
			Transport: transport, Timeout: fetchWithin,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// CheckURL says why keys cannot be fetched from a URL: it must be https, or http on this machine.
func CheckURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return errors.New("must be an absolute URL without user and fragment")
	}
	if u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname()) {
		return nil
	}
	return errors.New("must begin with https://")
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// find gives the keys with the id. Keys that are not known are fetched, but not again within fetchFloor.
func (k *Keys) find(ctx context.Context, from, id string) ([]jose.JSONWebKey, error) {
	k.mu.Lock()
	set, now := k.sets[from], k.now()
	k.mu.Unlock()
	found := set.with(id)
	if len(found) > 0 && now.Before(set.fetched.Add(refetchAfter)) {
		return found, nil
	}
	if !set.tried.IsZero() && now.Before(set.tried.Add(fetchFloor)) {
		if len(found) == 0 && set.err != nil {
			return nil, set.err
		}
		return found, nil
	}
	set, err := k.refresh(ctx, from)
	if err != nil {
		return nil, err
	}
	if found = set.with(id); len(found) == 0 && set.err != nil {
		return nil, set.err
	}
	return found, nil
}

func (s keySet) with(id string) []jose.JSONWebKey {
	return (&jose.JSONWebKeySet{Keys: s.keys}).Key(id)
}

// refresh fetches a set once for all who wait for it. It goes on when the one who asked first has gone. What was known stays
// for keepAtMost where the issuer does not answer.
func (k *Keys) refresh(ctx context.Context, from string) (keySet, error) {
	done := k.flight.DoChan(from, func() (any, error) {
		keys, err := k.fetch(context.WithoutCancel(ctx), from)
		k.mu.Lock()
		defer k.mu.Unlock()
		set := k.sets[from]
		set.tried, set.err = k.now(), err
		switch {
		case err == nil:
			set.keys, set.fetched = keys, set.tried
		case !set.tried.Before(set.fetched.Add(keepAtMost)):
			set.keys = nil
		}
		if _, known := k.sets[from]; !known && len(k.sets) >= maxIssuers {
			k.sets = map[string]keySet{}
		}
		k.sets[from] = set
		return set, nil
	})
	select {
	case <-ctx.Done():
		return keySet{}, ctx.Err()
	case result := <-done:
		set, _ := result.Val.(keySet)
		return set, nil
	}
}

// fetch reads a set of keys; whatever goes wrong wraps ErrKeys. Keys of kinds that nobody here knows are passed over.
func (k *Keys) fetch(ctx context.Context, from string) ([]jose.JSONWebKey, error) {
	if err := CheckURL(from); err != nil {
		return nil, fmt.Errorf("%w from %s: the URL %w", ErrKeys, from, err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, fmt.Errorf("%w from %s: %w", ErrKeys, from, err)
	}
	request.Header.Set("Accept", "application/json")
	response, err := k.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeys, err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%w from %s: status %d", ErrKeys, from, response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxKeySet+1))
	if err != nil {
		return nil, fmt.Errorf("%w from %s: %w", ErrKeys, from, err)
	}
	if len(body) > maxKeySet {
		return nil, fmt.Errorf("%w from %s: more than %d bytes", ErrKeys, from, maxKeySet)
	}
	return parseKeys(from, body)
}

func parseKeys(from string, body []byte) ([]jose.JSONWebKey, error) {
	var set struct{ Keys []json.RawMessage }
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, fmt.Errorf("%w from %s: no JSON Web Key Set", ErrKeys, from)
	}
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("%w from %s: more than %d keys", ErrKeys, from, maxKeys)
	}
	var keys []jose.JSONWebKey
	for _, raw := range set.Keys {
		var key jose.JSONWebKey
		if json.Unmarshal(raw, &key) == nil && key.IsPublic() && key.Valid() {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%w from %s: no key that is understood", ErrKeys, from)
	}
	return keys, nil
}
