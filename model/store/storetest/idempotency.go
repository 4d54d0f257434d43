package storetest

import (
	"encoding/json"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"usher/model"
	"usher/model/store"
)

func idempotencyCases() []testCase {
	return []testCase{
		{"what was asked with a key is done once, and answered as then", askedOnce},
		{"of many who ask at once one is let through", askedAtOnce},
	}
}

func askedOnce(t *testing.T, s suite) {
	now := someday()
	s2 := OpenWith(t, store.Options{URL: s.url, Now: func() time.Time { return now }})
	org, other := Org(t, s2), Org(t, s2)
	begin := func(org, key, fingerprint string, want model.Kind, answer string) {
		t.Helper()
		got, done, err := s2.BeginOnce(t.Context(), org, key, fingerprint)
		if model.KindOf(err) != want || done != (answer != "") || string(got) != answer {
			t.Errorf("%s: %q, %v, %v; want %q", key, got, done, err, answer)
		}
	}
	const let = model.Internal // no failure
	begin(org, "k", "a", let, "")
	begin(org, "k", "a", model.Conflict, "")
	begin(org, "K", "a", let, "")
	begin(other, "k", "a", let, "")
	if err := s2.ForgetOnce(t.Context(), org, "k"); err != nil {
		t.Fatal(err)
	}
	begin(org, "k", "b", let, "")
	answer := json.RawMessage(`{"id": "Ünïcödé"}`)
	if err := s2.EndOnce(t.Context(), org, "k", answer); err != nil {
		t.Fatal(err)
	}
	if err := s2.ForgetOnce(t.Context(), org, "k"); err != nil {
		t.Fatal(err)
	}
	begin(org, "k", "b", let, string(answer))
	begin(org, "k", "a", model.Invalid, "")
	begin(other, "k", "a", model.Conflict, "")
	now = now.Add(24*time.Hour - time.Second)
	begin(org, "k", "b", let, string(answer))
	now = now.Add(time.Second)
	begin(org, "k", "a", let, "")
}

func askedAtOnce(t *testing.T, s suite) {
	org := Org(t, s.Store)
	var let atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			switch _, done, err := s.BeginOnce(t.Context(), org, "key", "x"); {
			case err == nil && !done:
				let.Add(1)
			case model.KindOf(err) != model.Conflict:
				t.Errorf("%v, %v", done, err)
			}
		})
	}
	wg.Wait()
	if let.Load() != 1 {
		t.Errorf("%d were let through", let.Load())
	}
}
