package app_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"usher/internal/app"
	"usher/internal/pgtest"
	"usher/model"
	"usher/model/store"
)

// hurried makes a server that waits a second for its clients, for at most 64 of them.
func hurried(cfg *app.Config) {
	app.Hurry(cfg, time.Second)
	cfg.MaxConnections = 64
}

// TestSlowClients: whoever sends or takes a byte now and then loses the connection, and holds nothing of the database meanwhile.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	attack(t, "sqlite:"+filepath.Join(t.TempDir(), "usher.db"), hurried, func(g *target) {
		var wg sync.WaitGroup
		for name, request := range map[string]string{
			"nothing":        "",
			"a slow method":  "P",
			"slow headers":   "GET {base}/Users HTTP/1.1\n{auth}\nX-Slow: ",
			"a slow body":    "POST {base}/Users HTTP/1.1\n{auth}\nContent-Length: 100000\n\n{",
			"a slow chunk":   "POST {base}/Users HTTP/1.1\n{auth}\nTransfer-Encoding: chunked\n\n10000\n{",
			"a slow bulk":    "POST {base}/Bulk HTTP/1.1\n{auth}\nContent-Length: 8000000\n\n{",
			"a stranger":     "POST {base}/Users HTTP/1.1\nHost: usher\nContent-Length: 100000\n\n{",
			"a slow login":   "POST /oauth2/token HTTP/1.1\nHost: usher\nContent-Type: application/x-www-form-urlencoded\nContent-Length: 60000\n\ng",
			"the slow API":   "POST /api/v1/integrations HTTP/1.1\nHost: usher\nContent-Length: 100000\n\n{",
			"a slow nothing": "GET {base}/nowhere HTTP/1.1\n{auth}\nContent-Length: 100000\n\n{",
		} {
			wg.Go(func() { g.drip(name, g.with(request)) })
		}
		for range 10 { // meanwhile
			if n := g.app.Store.DB().Stats().InUse; n > 1 {
				g.t.Errorf("%d connections to the database are in use", n)
			}
			g.normal()
		}
		wg.Wait()
	})
}

// drip sends the beginning, and then a byte every 100 milliseconds until the server gives up, which must be soon.
func (g *target) drip(name, begin string) {
	conn, err := net.Dial("tcp", g.addr)
	if err != nil {
		g.t.Error(err)
		return
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, begin); err != nil {
		g.t.Error(err)
		return
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(io.Discard, conn) // until the server closes
	}()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for range 80 {
		select {
		case <-ended:
			return
		case <-tick.C:
			_, _ = conn.Write([]byte("a"))
		}
	}
	g.t.Errorf("%s: after 8 seconds the client still has its connection", name)
}

// TestSlowReaders: whoever asks for large answers and does not take them loses the connection.
func TestSlowReaders(t *testing.T) {
	t.Parallel()
	attack(t, "sqlite:"+filepath.Join(t.TempDir(), "usher.db"), hurried, func(g *target) {
		big := strings.Repeat("x", 60_000)
		for i := range 10 {
			body := fmt.Sprintf(`{"userName":"u%d@contoso.com","urn:x:y":{%s"z":1}}`, i, strings.Repeat(`"A%d":"`+big+`",`, 10))
			body = strings.ReplaceAll(body, `"A%d"`, `"A"`)
			for n := range 10 {
				body = strings.Replace(body, `"A"`, fmt.Sprintf(`"a%d"`, n), 1)
			}
			if status, answer := g.send(g.t.Context(), http.MethodPost, "/Users", body); status != http.StatusCreated {
				g.t.Fatalf("%d %.300s", status, answer)
			}
		}
		conn, err := net.Dial("tcp", g.addr)
		if err != nil {
			g.t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		const requests = 20
		if _, err := io.WriteString(conn, strings.Repeat(g.with("GET {base}/Users?count=500 HTTP/1.1\n{auth}\n\n"), requests)); err != nil {
			g.t.Fatal(err)
		}
		eventually(g.t, "the server gave the connection up", func() bool {
			_, err := conn.Write([]byte("\r\n")) // between requests it is nothing
			return err != nil
		})
		n, _ := io.Copy(io.Discard, conn)
		if n > requests*3<<20 {
			g.t.Errorf("%d bytes were sent to a client that took none", n)
		}
	})
}

// TestConnectionFlood opens many more connections than are let in, some of which send a little: a client with a request is
// answered all the same.
func TestConnectionFlood(t *testing.T) {
	t.Parallel()
	attack(t, "sqlite:"+filepath.Join(t.TempDir(), "usher.db"), func(cfg *app.Config) { cfg.MaxConnections = 64 }, func(g *target) {
		var conns []net.Conn
		defer func() {
			for _, conn := range conns {
				_ = conn.Close()
			}
		}()
		for i := range 2000 {
			conn, err := net.DialTimeout("tcp", g.addr, 5*time.Second)
			if err != nil {
				g.t.Fatal(err)
			}
			conns = append(conns, conn)
			_, _ = io.WriteString(conn, []string{"", "GET", g.with("GET {base}/Users HTTP/1.1\n{auth}\nX: "), "\r\n"}[i%4])
			if i%100 == 99 {
				g.normal()
			}
		}
	})
}

// TestFloodOfStrangers: attempts with a wrong token are refused, and then slowed down; whoever has a right one does not notice.
func TestFloodOfStrangers(t *testing.T) {
	t.Parallel()
	attack(t, "sqlite:"+filepath.Join(t.TempDir(), "usher.db"), nil, func(g *target) {
		var refused, slowed atomic.Int64
		var wg sync.WaitGroup
		stranger := *g
		stranger.token = strings.Repeat("x", 40)
		for range 16 {
			wg.Go(func() {
				for range 60 {
					switch status, body := stranger.send(g.t.Context(), http.MethodGet, "/Users", ""); status {
					case http.StatusUnauthorized:
						refused.Add(1)
					case http.StatusTooManyRequests:
						slowed.Add(1)
					default:
						g.t.Errorf("%d %s", status, body)
					}
				}
			})
		}
		for range 20 {
			g.normal()
		}
		wg.Wait()
		if refused.Load() == 0 || slowed.Load() == 0 {
			g.t.Errorf("%d attempts were refused and %d slowed down, want some of both", refused.Load(), slowed.Load())
		}
	})
}

// TestCancelled: of requests that their clients give up midway, each was done whole or not at all, and no connection to the
// database is lost by them.
func TestCancelled(t *testing.T) {
	t.Parallel()
	for _, db := range []string{"sqlite", "postgres"} {
		t.Run(db, func(t *testing.T) {
			t.Parallel()
			databaseURL := "sqlite:" + filepath.Join(t.TempDir(), "usher.db")
			if db == "postgres" {
				databaseURL = pgtest.Database(t)
			}
			attack(t, databaseURL, nil, func(g *target) {
				var wg sync.WaitGroup
				for w := range 8 {
					wg.Go(func() {
						for n := range 25 {
							ctx, cancel := context.WithTimeout(g.t.Context(), time.Duration(n)*time.Millisecond)
							g.send(ctx, http.MethodPost, "/Users", fmt.Sprintf(`{"userName":"u%d-%d@contoso.com"}`, w, n))
							cancel()
						}
					})
				}
				wg.Wait()
				g.whole()
			})
		})
	}
}

// whole wants as many users as entries of their creation and of that of their accounts.
func (g *target) whole() {
	g.t.Helper()
	eventually(g.t, "what was begun has ended", func() bool { return g.app.Store.DB().Stats().InUse == 0 })
	users, err := g.app.Store.Read(g.t.Context()).CountDirectoryUsers(g.ref)
	if err != nil {
		g.t.Fatal(err)
	}
	changes, _, err := g.app.Store.Changes(g.t.Context(), g.ref.OrganizationID, store.ChangeQuery{Limit: 1000})
	if err != nil {
		g.t.Fatal(err)
	}
	count := map[model.ChangeType]int{}
	for _, c := range changes {
		count[c.Type]++
	}
	if count[model.DirectoryUserCreated] != users || count[model.AccountCreated] != users {
		g.t.Errorf("%d users, %d entries of their creation and %d of their accounts'", users, count[model.DirectoryUserCreated], count[model.AccountCreated])
	}
}

// TestManyAtOnce: changes of one user by many clients at once are all made.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	attack(t, pgtest.Database(t), nil, func(g *target) {
		_, raw := g.send(g.t.Context(), http.MethodPost, "/Users", `{"userName":"ada@contoso.com"}`)
		id := idOf(g.t, raw)
		var wg sync.WaitGroup
		for w := range 128 {
			wg.Go(func() {
				body := fmt.Sprintf(`{"Operations":[{"op":"Add","path":"emails[type eq \"t%d\"].value","value":"e%d@contoso.com"}]}`, w, w)
				if status, answer := g.send(g.t.Context(), http.MethodPatch, "/Users/"+id, body); status != http.StatusOK {
					g.t.Errorf("%d %s", status, answer)
				}
			})
		}
		wg.Wait()
		_, raw = g.send(g.t.Context(), http.MethodGet, "/Users/"+id, "")
		if n := strings.Count(string(raw), `"e`) - strings.Count(string(raw), `"emails"`); n != 128 {
			g.t.Errorf("%d of 128 changes were made: %s", n, raw)
		}
		var ids []string
		for range 20_000 {
			ids = append(ids, `{"value":"`+store.NewID()+`"}`)
		}
		status, answer := g.send(g.t.Context(), http.MethodPost, "/Groups", `{"displayName":"g","members":[`+strings.Join(ids, ",")+`]}`)
		if status != http.StatusCreated && (status < 400 || status > 499) {
			g.t.Errorf("20,000 members: %d %.300s", status, answer)
		}
	})
}
