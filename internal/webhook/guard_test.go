package webhook

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"usher/model/store"
	"usher/model/store/storetest"
)

func TestGuard(t *testing.T) {
	g := Guard{Allowed: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}}
	for address, want := range map[string]bool{
		"8.8.8.8": true, "20.190.128.1": true, "2603:1030::1": true, "10.1.2.3": true, "::ffff:10.1.2.3": true,
		"10.2.0.1": false, "127.0.0.1": false, "::1": false, "::ffff:127.0.0.1": false, "0.0.0.0": false, "::": false, "169.254.169.254": false,
		"fe80::1": false, "fe80::1%eth0": false, "fd00::1": false, "172.16.0.1": false, "192.168.1.1": false, "100.64.0.1": false, "224.0.0.1": false, "ff02::1": false,
		"255.255.255.255": false, "198.18.0.1": false, "203.0.113.9": false, "64:ff9b::7f00:1": false, "2002:7f00:1::": false, "240.0.0.1": false, "0.1.2.3": false,
		"2001:db8::1": false,
	} {
		if err := g.Check(netip.MustParseAddr(address)); (err == nil) != want {
			t.Errorf("%s: %v", address, err)
		}
	}
	if g.Check(netip.Addr{}) == nil {
		t.Error("no address at all passes")
	}
}

// TestThePrivateIsNotCalled sends to a server of this machine, which nobody has allowed: by its address and by a name.
func TestThePrivateIsNotCalled(t *testing.T) {
	called := false
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	defer server.Close()
	for _, url := range []string{server.URL, strings.Replace(server.URL, "127.0.0.1", "localhost", 1)} {
		s := sender{client: NewClient(Guard{}), url: url, now: time.Now}
		if a := s.send(t.Context(), "m", []byte("{}"), 1); called || !strings.Contains(a.Error, "USHER_WEBHOOK_ALLOW") {
			t.Errorf("%s: called %v, %q", url, called, a.Error)
		}
	}
}

func TestAnswers(t *testing.T) {
	allowed := Guard{Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	var elsewhere bool
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"a redirect": {func(w http.ResponseWriter, r *http.Request) {
			elsewhere = elsewhere || r.URL.Path == "/elsewhere"
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}, "redirects are not followed"},
		"an endless answer": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusTeapot)
			for range 1000 {
				if _, err := w.Write(make([]byte, 4096)); err != nil {
					return
				}
			}
		}, "418"},
		"no answer": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "could not be reached"},
		"rubbish":   {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500); _, _ = w.Write([]byte("a\x00\xffb")) }, "500"},
	} {
		server := httptest.NewServer(c.answer)
		s := sender{client: NewClient(allowed), url: server.URL + "/?token=hidden", now: time.Now}
		a := s.send(t.Context(), "m", []byte("{}"), 1)
		if !strings.Contains(a.Error, c.want) || strings.Contains(a.Error, "hidden") || len(a.Response) > excerptBytes || strings.ContainsRune(a.Response, 0) {
			t.Errorf("%s: %q, answer of %d bytes", name, a.Error, len(a.Response))
		}
		server.Close()
	}
	if elsewhere {
		t.Error("a redirect was followed")
	}
}

// TestVectors holds the documented examples (docs/reference/webhooks.md) against what is sent.
func TestVectors(t *testing.T) {
	const text, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", `{"test": 2432232314}`
	got, err := sign([]string{text}, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(body))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; err != nil || got != want {
		t.Errorf("signed %q, %v; want %q", got, err, want)
	}
}

func TestMessage(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		e, _ := w.endpoint(w.app.URL)
		w.happens("a1")
		w.work(e)
		var keys map[string]json.RawMessage
		if err := json.Unmarshal(w.app.got[0].body, &keys); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"id", "type", "timestamp", "data", "subject", "sequence", "integration_id", "actor", "run_id"} {
			if _, ok := keys[key]; !ok {
				t.Errorf("the message has no %s: %s", key, w.app.got[0].body)
			}
		}
		if body, err := Body(s.Read(t.Context()), w.deliveries(e)[0]); err != nil || body == nil || body.ID != w.app.got[0].ID {
			t.Errorf("what was sent is shown as %v, %v", body, err)
		}
	})
}
