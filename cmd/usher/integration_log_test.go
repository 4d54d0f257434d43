package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"usher/model"
)

// screen is what a command prints while it runs.
type screen struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// server runs Usher on the database and gives a function that sends a SCIM request and sees it answered, and the id of an
// integration.
func server(t *testing.T, db string) (ask func(path string), integration string) {
	t.Helper()
	integration, url, token := serving(t, db)
	return func(path string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
	}, integration
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick, began := time.NewTicker(20*time.Millisecond), time.Now()
	defer tick.Stop()
	for !ok() {
		if <-tick.C; time.Since(began) > time.Minute {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

func TestIntegrationLog(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "usher.db")
	ask, id := server(t, db)
	ask("/Users?filter=userName+eq+%22ada@contoso.com%22")
	ask("/Users/nobody%1b%5B31m")
	log := func(args ...string) []string {
		t.Helper()
		out := strings.TrimSpace(must(t, db, "", append([]string{"integration", "log", id}, args...)...))
		if out == "" {
			return nil
		}
		return strings.Split(out, "\n")
	}
	until(t, "both lines are written", func() bool { return len(log()) == 2 })
	lines := log()
	if !strings.HasSuffix(lines[0], "look for a user by userName ada@contoso.com (found none)") || !strings.Contains(lines[0], "  200  ") {
		t.Errorf("the first line is %q", lines[0])
	}
	if !strings.Contains(lines[1], "  404  ") || !strings.Contains(lines[1], "read user nobody") || !strings.Contains(lines[1], "-> not found (existence): ") ||
		strings.ContainsRune(lines[1], 0x1b) {
		t.Errorf("the second line is %q", lines[1])
	}
	for args, want := range map[string]int{"--errors": 1, "--limit=1": 1, "--subject=ada@contoso.com": 1, "--search=LOOK": 1, "--since=1h": 2, "--since=1ns": 0} {
		if n := len(log(args)); n != want {
			t.Errorf("%s prints %d lines, want %d", args, n, want)
		}
	}
	var r model.SCIMRequest
	if err := json.Unmarshal([]byte(log("--json", "--errors")[0]), &r); err != nil || r.Status != 404 || r.Result != model.SCIMNotFound {
		t.Errorf("as JSON: %+v, %v", r, err)
	}
	if code, _, text := usher(t, db, "", "integration", "log", "0199a000-0000-7000-8000-00000000000a"); code != exitFailed || !strings.Contains(text, "not found") {
		t.Errorf("of no integration: status %d, %s", code, text)
	}
	if code, _, _ := usher(t, db, "", "integration", "log", id, "--limit", "501"); code == 0 {
		t.Error("more lines than can be listed were asked for")
	}
}

func TestIntegrationLogFollows(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "usher.db")
	ask, id := server(t, db)
	ask("/Users")
	until(t, "the first line is written", func() bool { return must(t, db, "", "integration", "log", id) != "" })
	ctx, stop := context.WithCancel(t.Context())
	out, done := &screen{}, make(chan int, 1)
	go func() {
		args := []string{"integration", "log", id, "--follow", "--database-url", "sqlite:" + db}
		done <- run(ctx, args, console{out, out, strings.NewReader("")})
	}()
	until(t, "what was there is printed", func() bool { return strings.Contains(out.String(), "list users") })
	ask("/Groups")
	until(t, "what comes is printed", func() bool { return strings.Contains(out.String(), "list groups") })
	stop()
	if code := <-done; code != 0 {
		t.Errorf("status %d", code)
	}
	if n := strings.Count(out.String(), "\n"); n != 2 {
		t.Errorf("%d lines were printed, want each once:\n%s", n, out)
	}
}
