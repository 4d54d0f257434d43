package app_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"usher/model"
	"usher/model/store"
)

// mostMemory is what the server may ever have resident, in KiB, whatever is done to it.
const mostMemory = 150 << 10

// TestMemory floods a server in a process of its own with all that is large at once, and wants its memory to stay bounded and
// every answer to be one that a client can act on.
func TestMemory(t *testing.T) {
	t.Parallel()
	database := filepath.Join(t.TempDir(), "usher.db")
	c := newChild(t, "sqlite:"+database)
	c.env = append(c.env, "USHER_SCIM_RATE=0")
	c.start()
	id, base, token := c.integration()
	c.flood("1,000 bodies of 1 MiB", 1000, func(i int) (*http.Request, error) {
		return c.request(http.MethodPost, base+"/Users", token, io.MultiReader(
			strings.NewReader(fmt.Sprintf(`{"userName":"big%d@contoso.com"`, i)), bytes.NewReader(largeTail())))
	})
	c.flood("150 bodies of 1 MiB, chunked and of tiny objects", 150, func(i int) (*http.Request, error) {
		return c.request(http.MethodPost, base+"/Users", token, io.MultiReader(
			strings.NewReader(fmt.Sprintf(`{"userName":"odd%d@contoso.com"`, i)), bytes.NewReader(tinyTail())))
	})
	zipped := zipped(t, `{"userName":"zip@contoso.com"`+string(largeTail()))
	c.flood("150 bodies of 1 MiB in a few bytes", 150, func(int) (*http.Request, error) {
		req, err := c.request(http.MethodPost, base+"/Users", token, strings.NewReader(zipped))
		if err == nil {
			req.Header.Set("Content-Encoding", "gzip")
		}
		return req, err
	})
	c.flood("60 pages of large users", 60, func(int) (*http.Request, error) {
		return c.request(http.MethodGet, base+"/Users?count=500", token, nil)
	})
	group := everybody(t, database, id, 50_000)
	c.flood("30 times 50,000 members", 30, func(i int) (*http.Request, error) {
		return c.request(http.MethodGet, base+[]string{"/Groups/" + group, "/Groups?count=500", "/Groups/" + group + "?attributes=members"}[i%3], token, nil)
	})
	c.flood("normal requests", 256, func(int) (*http.Request, error) {
		return c.request(http.MethodGet, base+"/Users?filter=userName+eq+%22nobody%22", token, nil)
	})
}

// largeTail is the rest of a user of almost 1 MiB, of long strings.
func largeTail() []byte {
	var b bytes.Buffer
	for i := range 17 {
		fmt.Fprintf(&b, `,"urn:x:%d":{"a":"%s"}`, i, strings.Repeat("x", 60_000))
	}
	return append(b.Bytes(), '}')
}

// tinyTail is one of as many values as a body may have.
func tinyTail() []byte {
	return []byte(`,"urn:x:y":{"a":[` + strings.Repeat(`{"bb":1},`, 45_000) + `{}],"b":"` + strings.Repeat("x", 60_000) + `"}}`)
}

func (c *child) request(method, path, token string, body io.Reader) (*http.Request, error) {
	req, err := http.NewRequestWithContext(c.t.Context(), method, "http://"+c.addr+path, body)
	if err == nil {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return req, err
}

// flood sends all requests at once, each over a connection of its own, and wants each answered, none with a failure of the server,
// and the memory bounded.
func (c *child) flood(what string, n int, request func(i int) (*http.Request, error)) {
	c.t.Helper()
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 0, DisableKeepAlives: true}, Timeout: time.Minute}
	var mu sync.Mutex
	answers := map[int]int{}
	begin := time.Now()
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			req, err := request(i)
			if err != nil {
				c.t.Error(err)
				return
			}
			status := 0
			if res, err := client.Do(req); err == nil {
				status = res.StatusCode
				if status == http.StatusTooManyRequests && res.Header.Get("Retry-After") == "" {
					c.t.Errorf("%s: 429 without Retry-After", what)
				}
				if _, err := io.Copy(io.Discard, res.Body); err != nil {
					status = 0
				}
				_ = res.Body.Close()
			}
			mu.Lock()
			defer mu.Unlock()
			answers[status]++
		})
	}
	wg.Wait()
	peak := c.peak()
	c.t.Logf("%s: answers %v in %s, at most %d MiB resident until now", what, answers, time.Since(begin).Round(time.Millisecond), peak>>10)
	if peak > mostMemory {
		c.t.Errorf("%s: %d MiB were resident, want at most %d", what, peak>>10, mostMemory>>10)
	}
	done := 0
	for status, n := range answers {
		if status >= 500 {
			c.t.Errorf("%s: %d requests were answered %d", what, n, status)
		}
		if status == 200 || status == 201 || status == 409 {
			done += n
		}
	}
	if done == 0 {
		c.t.Errorf("%s: none was done: %v", what, answers)
	}
}

// peak gives the most that the process ever had resident, in KiB.
func (c *child) peak() int {
	c.t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	if err != nil {
		c.t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "VmHWM:" {
			n, err := strconv.Atoi(fields[1])
			if err != nil {
				c.t.Fatal(err)
			}
			return n
		}
	}
	c.t.Fatal("the system does not tell VmHWM")
	return 0
}

// everybody makes a group of n users, straight in the database of the server, and gives its id.
func everybody(t *testing.T, database, integration string, n int) string {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{URL: "sqlite:" + database})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	org, err := s.Read(t.Context()).Organization(model.DefaultOrganization)
	if err != nil {
		t.Fatal(err)
	}
	g := model.DirectoryGroup{OrganizationID: org.ID, IntegrationID: integration, DisplayName: "Everybody", DisplayNameKey: model.Fold("Everybody")}
	g.Document = model.NewDocument(map[string]any{"displayName": g.DisplayName})
	first := model.DirectoryUser{
		OrganizationID: org.ID, IntegrationID: integration, UserName: "m@contoso.com", UserNameKey: "m@contoso.com", DisplayName: "Member of Everybody",
		Document: model.NewDocument(map[string]any{"userName": "m@contoso.com"}),
	}
	err = s.InTx(t.Context(), func(tx *store.Tx) error {
		if err := tx.InsertDirectoryGroup(&g); err != nil {
			return err
		}
		return tx.InsertDirectoryUser(&first)
	})
	if err != nil {
		t.Fatal(err)
	}
	const others = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) `
	const id = `printf('%08x-0000-7000-8000-000000000000', i)`
	for _, text := range []string{
		`INSERT INTO directory_users (id, organization_id, integration_id, user_name, user_name_key, external_id, email, email_key, display_name,
 active, document, version, explanation, created_at, updated_at) ` + others + `SELECT ` + id + `, organization_id, integration_id, i || user_name,
 i || user_name_key, external_id, email, email_key, display_name, active, document, version, explanation, created_at, updated_at
 FROM n CROSS JOIN directory_users WHERE user_name = 'm@contoso.com'`,
		`INSERT INTO memberships (group_id, member_id, organization_id, integration_id, member_type, display) ` + others + `SELECT g.id, ` + id + `,
 g.organization_id, g.integration_id, 'User', 'm' FROM n CROSS JOIN directory_groups g WHERE g.display_name = 'Everybody'`,
	} {
		if _, err := s.DB().ExecContext(t.Context(), text, n); err != nil {
			t.Fatal(err)
		}
	}
	return g.ID
}
