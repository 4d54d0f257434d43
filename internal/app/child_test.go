package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"usher/internal/pgtest"
	"usher/internal/secret"
)

// binary builds the program once for all tests of this process.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "usher-app-test-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "usher")
	out, err := exec.Command("go", "build", "-o", path, "usher/cmd/usher").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := binary(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// child is a server in a process of its own, which can be killed.
type child struct {
	t    *testing.T
	env  []string
	addr string
	key  string
	cmd  *exec.Cmd
	log  *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// databases runs the test on either database, each in a subtest of its own.
func databases(t *testing.T, run func(t *testing.T, url string)) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		run(t, "sqlite:"+filepath.Join(t.TempDir(), "usher.db"))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		run(t, pgtest.Database(t))
	})
}

func newChild(t *testing.T, databaseURL string) *child {
	t.Helper()
	c := &child{t: t, addr: freeAddr(t), key: "admin-key-of-the-test", log: &lockedBuffer{}}
	c.env = append(os.Environ(), "USHER_DATABASE_URL="+databaseURL, "USHER_SECRET_KEY="+secret.NewKey(),
		"USHER_ADMIN_API_KEY="+c.key, "USHER_LISTEN="+c.addr, "USHER_LOG_LEVEL=warn")
	t.Cleanup(func() {
		c.kill()
		if t.Failed() {
			t.Logf("log of the server:\n%s", c.log)
		}
	})
	return c
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func (c *child) start() {
	c.t.Helper()
	path, err := binary()
	if err != nil {
		c.t.Fatal(err)
	}
	c.cmd = exec.Command(path, "serve", "--migrate")
	c.cmd.Env, c.cmd.Stderr, c.cmd.Stdout = c.env, c.log, c.log
	if err := c.cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.eventually("the server is ready", func() bool {
		res, err := http.Get("http://" + c.addr + "/readyz")
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
}

// kill ends the process as a power cut would.
func (c *child) kill() {
	if c.cmd != nil && c.cmd.Process != nil {
		_ = c.cmd.Process.Kill()
		_ = c.cmd.Wait()
		c.cmd = nil
	}
}

// terminate stops the process as an operator does, and waits for its end.
func (c *child) terminate() {
	c.t.Helper()
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		c.t.Fatal(err)
	}
	if err := c.cmd.Wait(); err != nil {
		c.t.Errorf("the server did not stop in order: %v", err)
	}
	c.cmd = nil
}

// eventually polls until ok holds, and fails after a minute.
func (c *child) eventually(what string, ok func() bool) {
	c.t.Helper()
	eventually(c.t, what, ok)
}

// send sends one request and gives status and body; status 0 means that no answer came.
func (c *child) send(ctx context.Context, method, path, token string, body any, header ...string) (int, []byte) {
	var reader io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			c.t.Error(err)
			return 0, nil
		}
		reader = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+c.addr+path, reader)
	if err != nil {
		c.t.Error(err)
		return 0, nil
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
		if strings.HasPrefix(path, "/scim/") {
			req.Header.Set("Content-Type", "application/scim+json; charset=utf-8")
		}
	}
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, nil // the answer was cut off
	}
	return res.StatusCode, raw
}

// api calls the management API and must succeed.
func (c *child) api(method, path string, body, out any) {
	c.t.Helper()
	status, raw := c.send(c.t.Context(), method, "/api/v1"+path, c.key, body)
	if status < 200 || status > 299 {
		c.t.Fatalf("%s %s answered %d: %s", method, path, status, raw)
	}
	if out != nil {
		if err := json.Unmarshal(raw, out); err != nil {
			c.t.Fatal(errors.Join(err, errors.New(string(raw))))
		}
	}
}

// integration makes an integration with a token, and gives its SCIM path and the token.
func (c *child) integration() (id, base, token string) {
	c.t.Helper()
	var made struct{ ID string }
	c.api(http.MethodPost, "/integrations", map[string]any{"name": "Contoso", "ingress": "scim"}, &made)
	var tok struct{ Token string }
	c.api(http.MethodPost, "/integrations/"+made.ID+"/scim-tokens", map[string]any{"name": "Entra"}, &tok)
	return made.ID, "/scim/v2/" + made.ID, tok.Token
}

type feedEntry struct {
	ID, Type string
	Subject  struct{ Type, ID string }
	Data     json.RawMessage
}

// feed reads the whole change feed.
func (c *child) feed() []feedEntry {
	c.t.Helper()
	var all []feedEntry
	after := ""
	for {
		var page struct {
			Data []feedEntry
			Next *string
		}
		c.api(http.MethodGet, "/changes?limit=500&after="+after, nil, &page)
		all = append(all, page.Data...)
		if len(page.Data) == 0 || page.Next == nil || *page.Next == after {
			return all
		}
		after = *page.Next
	}
}
