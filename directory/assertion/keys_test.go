package assertion_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"usher/directory/assertion"
)

// TestKeysAreFetchedSeldom: once for many assertions and many who wait, again for an unknown key, but not before the floor.
func TestKeysAreFetchedSeldom(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	good := p.sign(jose.RS256, p.rsa, "rsa", p.claims())
	fetches := func(want int) {
		t.Helper()
		if p.mu.Lock(); p.fetches != want {
			t.Errorf("the keys were fetched %d times, want %d", p.fetches, want)
		}
		p.mu.Unlock()
	}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { p.expect("good", good, p.trust(), "") })
	}
	wg.Wait()
	fetches(1)

	next, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	rolled := p.sign(jose.RS256, next, "next", p.claims())
	p.change(func() { p.set = append(p.set, jose.JSONWebKey{Key: &next.PublicKey, KeyID: "next"}) })
	for range 10 {
		p.expect("a key that is not known yet", rolled, p.trust(), "proves its signature")
	}
	fetches(1)
	p.change(func() { p.now = p.now.Add(31 * time.Second) })
	p.expect("the new key", rolled, p.trust(), "")
	fetches(2)
	p.expect("the old key", good, p.trust(), "")
	fetches(2)
}

// TestAnIssuerThatDoesNotAnswer: what is known goes on being taken for a while, what is not known is nobody's refusal.
func TestAnIssuerThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	long := func() string {
		claims := p.claims()
		claims["exp"] = p.clock().Add(time.Hour).Unix()
		return p.sign(jose.RS256, p.rsa, "rsa", claims)
	}
	down := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }
	p.change(func() { p.answer = down })
	for range 3 {
		if err := p.keys.Verify(t.Context(), long(), p.trust()); !errors.Is(err, assertion.ErrKeys) {
			t.Errorf("without keys: %v", err)
		}
	}
	p.change(func() { p.answer, p.now = nil, p.now.Add(time.Minute) })
	p.expect("when it answers again", long(), p.trust(), "")
	p.change(func() { p.answer, p.now = down, p.now.Add(25*time.Hour) })
	p.expect("with the keys of yesterday", long(), p.trust(), "")
	p.change(func() { p.now = p.now.Add(72 * time.Hour) })
	if err := p.keys.Verify(t.Context(), long(), p.trust()); !errors.Is(err, assertion.ErrKeys) {
		t.Errorf("with keys that are too old: %v", err)
	}
}

// TestWhatIssuersMayAnswer shows the bounds of an answer.
func TestWhatIssuersMayAnswer(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{
		"not JSON":     func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
		"no keys":      func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"keys":[]}`)) },
		"keys unknown": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"keys":[{"kty":"XX"}]}`)) },
		"secret keys": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"keys":[{"kty":"oct","k":"AAAA"}]}`))
		},
		"too many keys": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"keys":[{}` + strings.Repeat(",{}", 100) + `]}`))
		},
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/elsewhere" {
				panic("followed")
			}
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t)
			p.change(func() { p.answer = answer })
			if err := p.keys.Verify(t.Context(), p.sign(jose.RS256, p.rsa, "rsa", p.claims()), p.trust()); !errors.Is(err, assertion.ErrKeys) {
				t.Errorf("%v", err)
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			if p.fetches != 1 {
				t.Errorf("%d fetches", p.fetches)
			}
		})
	}
}

// TestAnAnswerHasAnEnd: good keys with more behind them than anybody needs are not read to the end.
func TestAnAnswerHasAnEnd(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	for blanks, want := range map[int]bool{0: true, 300 << 10: false} {
		p.keys = assertion.NewKeys(nil, p.clock)
		p.change(func() {
			p.answer = func(w http.ResponseWriter, _ *http.Request) {
				_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: p.set})
				_, _ = w.Write([]byte(strings.Repeat(" ", blanks)))
			}
		})
		err := p.keys.Verify(t.Context(), p.sign(jose.RS256, p.rsa, "rsa", p.claims()), p.trust())
		if (err == nil) != want {
			t.Errorf("%d bytes behind the keys: %v", blanks, err)
		}
	}
}

func TestCheckURL(t *testing.T) {
	t.Parallel()
	for url, good := range map[string]bool{
		"https://login.microsoftonline.com/x/discovery/v2.0/keys": true, "http://127.0.0.1:9000/keys": true, "http://localhost/keys": true,
		"http://[::1]:1/keys": true, "http://login.contoso.com/keys": false, "http://127.0.0.1.contoso.com/": false, "ftp://127.0.0.1/": false,
		"https://": false, "keys": false, "": false, "https://user@contoso.com/": false, "https://contoso.com/#x": false, "file:///etc/passwd": false,
	} {
		if err := assertion.CheckURL(url); (err == nil) != good {
			t.Errorf("%q: %v", url, err)
		}
	}
}
