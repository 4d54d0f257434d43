package app_test

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"usher/internal/app"
	"usher/internal/secret"
	pretend "usher/internal/simulator/exchange"
	"usher/internal/simulator/graphapi"
	"usher/model/outlook"
	"usher/model/store"
)

// office is a pretend tenant with mailboxes and rooms, and one or more servers on one database that keep its calendars. The
// servers are processes of their own, which can be killed. Their clock is the true one: what lets time pass is [office.pass].
type office struct {
	t       *testing.T
	random  *rand.Rand
	mail    *pretend.Tenant
	graph   *graphapi.Server
	traffic *traffic
	at      []*child
	steer   *app.App // the same database, from this process: it serves nothing and works nothing
	org     string
	people  []outlook.User
	second  map[string]string // another calendar of each person, by object id
	folders []folder
	offset  atomic.Int64 // by how much the tenant's clock is ahead
	turn    atomic.Int64
}

// folder is one calendar, seen from both sides.
type folder struct {
	id    string // the application's
	owner string // address of the mailbox
	graph string // Graph's id; "" is the default calendar
	room  bool
}

func (f folder) String() string { return f.owner + "/" + f.graph }

// traffic stands between Graph and the tenant, and notes which calendars were asked by two at once. Everything that it counts is
// done under the lease of its calendar alone.
type traffic struct {
	mailboxes

	mu    sync.Mutex
	busy  map[outlook.CalendarRef]int
	twice []string
}

// mailboxes are graphapi.Calendars under a name that is not one of its methods.
type mailboxes interface{ graphapi.Calendars }

// held counts a request to a calendar for as long as it takes, and makes it take a moment, so that another would meet it.
func (c *traffic) held(ctx context.Context, cal outlook.CalendarRef, what string) (over func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.busy[cal]++; c.busy[cal] > 1 {
		c.twice = append(c.twice, what+" "+cal.Mailbox+"/"+cal.Calendar)
	}
	return func() {
		moment := time.NewTimer(5 * time.Millisecond)
		defer moment.Stop()
		select {
		case <-moment.C:
		case <-ctx.Done(): // whoever asked is dead
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.busy[cal]--
	}
}

func (c *traffic) overlaps() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.twice
}

func (c *traffic) Delta(ctx context.Context, cal outlook.CalendarRef, window outlook.Window, link string) (outlook.DeltaPage, error) {
	defer c.held(ctx, cal, "delta")()
	return c.mailboxes.Delta(ctx, cal, window, link)
}

func (c *traffic) CreateEvent(ctx context.Context, cal outlook.CalendarRef, draft outlook.Draft) (outlook.Event, error) {
	defer c.held(ctx, cal, "create")()
	return c.mailboxes.CreateEvent(ctx, cal, draft)
}

func (c *traffic) UpdateEvent(ctx context.Context, cal outlook.CalendarRef, id string, draft outlook.Draft, key string) (outlook.Event, error) {
	defer c.held(ctx, cal, "update")()
	return c.mailboxes.UpdateEvent(ctx, cal, id, draft, key)
}

func (c *traffic) CancelEvent(ctx context.Context, cal outlook.CalendarRef, id, comment string) error {
	defer c.held(ctx, cal, "cancel")()
	return c.mailboxes.CancelEvent(ctx, cal, id, comment)
}

func (c *traffic) DeleteEvent(ctx context.Context, cal outlook.CalendarRef, id, key string) error {
	defer c.held(ctx, cal, "delete")()
	return c.mailboxes.DeleteEvent(ctx, cal, id, key)
}

// newOffice opens an office with so many servers, and waits until every calendar was read once.
func newOffice(t *testing.T, databaseURL string, seed uint64, servers int) *office {
	t.Helper()
	o := &office{t: t, random: rand.New(rand.NewPCG(seed, 5)), second: map[string]string{}}
	o.mail = pretend.New(pretend.Options{Seed: seed, Now: o.now, Deliver: o.deliver(), PageSize: 9, RoomDelay: 20 * time.Millisecond})
	o.traffic = &traffic{mailboxes: o.mail.Client(wireClientID), busy: map[outlook.CalendarRef]int{}}
	var err error
	o.graph, err = graphapi.Start(t.Context(), graphapi.Options{
		Calendars: o.traffic, TenantID: o.mail.ID(), MailboxConcurrency: 4,
		Apps: []graphapi.App{{ID: wireClientID, Secrets: []graphapi.Secret{{Value: wireSecret}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.graph.Close() })
	key, ca := secret.NewKey(), authority(o.t, o.graph)
	for range servers {
		c := newChild(t, databaseURL)
		c.env = append(c.env, "USHER_SECRET_KEY="+key, "USHER_PUBLIC_URL=http://usher.contoso.example", "USHER_GRAPH_URL="+o.graph.GraphURL+"/v1.0",
			"USHER_LOGIN_URL="+o.graph.LoginURL, "SSL_CERT_FILE="+ca)
		o.at = append(o.at, c)
	}
	o.start()
	cfg := app.Defaults()
	cfg.DatabaseURL, cfg.SecretKey, cfg.NoHTTP = databaseURL, key, true
	if o.steer, err = app.New(t.Context(), cfg, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.steer.Close() })
	t.Cleanup(o.mail.Run(t.Context(), 20*time.Millisecond))
	o.moveIn()
	return o
}

func (o *office) now() time.Time { return time.Now().Add(time.Duration(o.offset.Load())) }

// deliver brings notifications to the servers in turn, as whatever balances load between them would.
func (o *office) deliver() pretend.Deliver {
	send := pretend.OverHTTP(&http.Client{Timeout: 5 * time.Second})
	return func(ctx context.Context, to string, body []byte, token string) (int, string, error) {
		target, err := url.Parse(to)
		if err != nil {
			return 0, "", err
		}
		target.Host = o.at[o.turn.Add(1)%int64(len(o.at))].addr
		return send(ctx, target.String(), body, token)
	}
}

// authority writes the certificate of the sign-in service to a file, for the servers to trust.
func authority(t *testing.T, server *graphapi.Server) string {
	t.Helper()
	conn, err := tls.Dial("tcp", strings.TrimPrefix(server.LoginURL, "https://"), &tls.Config{RootCAs: server.RootCAs, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	var text []byte
	for _, c := range conn.ConnectionState().PeerCertificates {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	name := filepath.Join(t.TempDir(), "authority.pem")
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// moveIn gives some people and two rooms mailboxes, has them found, and switches every calendar on.
func (o *office) moveIn() {
	o.t.Helper()
	c := o.at[0]
	id, base, token := c.integration()
	for _, name := range []string{"Ada Lovelace", "Grace Hopper", "Alan Turing"} {
		user := o.mail.AddUser(pretend.NewUser{Name: name})
		o.people, o.second[user.ID] = append(o.people, user), o.mail.AddCalendar(user.ID, "Projects")
		if status, raw := c.send(o.t.Context(), http.MethodPost, base+"/Users", token, scimUser(user.UserPrincipalName)); status != http.StatusCreated {
			o.t.Fatalf("%s: %d %s", name, status, raw)
		}
	}
	for _, name := range []string{"Aquarium", "Engine"} {
		o.mail.AddRoom(pretend.NewRoom{Name: name, Capacity: 6})
	}
	c.api(http.MethodPatch, "/integrations/"+id, map[string]any{
		"tenant_id": o.mail.ID(), "calendar_sync": true, "read_only": false, "graph": map[string]any{"client_id": wireClientID, "client_secret": wireSecret},
	}, nil)
	o.org = o.organization()
	c.eventually("all calendars are found", func() bool { o.folders = o.find(id); return len(o.folders) == 2*len(o.people)+2 })
	for _, f := range o.folders {
		c.api(http.MethodPatch, "/calendars/"+f.id, map[string]any{"enabled": true}, nil)
	}
	c.eventually("all calendars are subscribed to and read", func() bool {
		o.pass(time.Minute)
		o.look()
		return len(o.troubles()) == 0
	})
}

func (o *office) organization() string {
	o.t.Helper()
	org, err := o.steer.Store.Read(o.t.Context()).Organization("default")
	if err != nil {
		o.t.Fatal(err)
	}
	return org.ID
}

// find lists the calendars of the application, and says which of the tenant's each is.
func (o *office) find(integration string) []folder {
	o.t.Helper()
	var mailboxes struct {
		Data []struct {
			ID, Address string
			RoomID      *string `json:"room_id"`
		}
	}
	var calendars struct {
		Data []struct {
			ID        string
			MailboxID string `json:"mailbox_id"`
			IsDefault bool   `json:"is_default"`
		}
	}
	o.at[0].api(http.MethodGet, "/mailboxes?limit=100&integration="+integration, nil, &mailboxes)
	o.at[0].api(http.MethodGet, "/calendars?limit=100", nil, &calendars)
	var out []folder
	for _, m := range mailboxes.Data {
		for _, c := range calendars.Data {
			if c.MailboxID != m.ID {
				continue
			}
			f := folder{id: c.ID, owner: m.Address, room: m.RoomID != nil}
			for _, u := range o.people {
				if !c.IsDefault && strings.EqualFold(u.UserPrincipalName, m.Address) {
					f.graph = o.second[u.ID]
				}
			}
			out = append(out, f)
		}
	}
	return out
}

// start starts the servers that do not run.
func (o *office) start() {
	o.t.Helper()
	for _, c := range o.at {
		if c.cmd == nil {
			c.start()
		}
	}
}

// killAll ends all servers as a power cut would, and lets time pass until their leases and their places in the queue are free.
func (o *office) killAll() {
	o.t.Helper()
	for _, c := range o.at {
		c.kill()
	}
	const dead = 6 * time.Minute
	o.pass(dead)
	o.shift(dead, "calendars", "sync_leased")
	o.shift(dead, "river_job", "attempted_at")
	o.exec("DELETE FROM river_leader")
}

// pass lets time pass: what was put off to a later time comes that much sooner. What runs keeps its lease.
func (o *office) pass(d time.Duration) {
	o.t.Helper()
	o.offset.Add(int64(d))
	o.shift(d, "calendars", "sync_next_at", "sync_again_after", "sync_changed_at", "sub_renew_at", "sub_touched_at", "sub_expires_at")
	o.shift(d, "mailboxes", "retry_at")
	o.shift(d, "event_writes", "next_at", "created_at", "updated_at")
	o.exec("UPDATE river_job SET scheduled_at = " + o.earlier("scheduled_at", d, "") + " WHERE state IN ('scheduled', 'retryable')")
	o.promote()
}

// promote makes jobs available whose time has come, as River's own scheduler does every few seconds.
func (o *office) promote() {
	o.t.Helper()
	o.exec("UPDATE river_job SET state = 'available' WHERE state IN ('scheduled', 'retryable') AND scheduled_at <= " + o.present())
}

func (o *office) sqlite() bool { return o.steer.Store.Dialect() == "sqlite" }

func (o *office) shift(d time.Duration, table string, columns ...string) {
	o.t.Helper()
	suffix := "+00:00" // as the store writes times; River writes them without
	if strings.HasPrefix(table, "river_") {
		suffix = ""
	}
	set := make([]string, len(columns))
	for i, column := range columns {
		set[i] = column + " = " + o.earlier(column, d, suffix)
	}
	o.exec("UPDATE " + table + " SET " + strings.Join(set, ", "))
}

func (o *office) earlier(column string, d time.Duration, suffix string) string {
	if o.sqlite() {
		return fmt.Sprintf("strftime('%%Y-%%m-%%d %%H:%%M:%%f', %s, '-%d seconds') || '%s'", column, int(d.Seconds()), suffix)
	}
	return fmt.Sprintf("%s - interval '%d seconds'", column, int(d.Seconds()))
}

// present is the time as River writes it.
func (o *office) present() string {
	if o.sqlite() {
		return "strftime('%Y-%m-%d %H:%M:%f', 'now')"
	}
	return "now()"
}

func (o *office) exec(statement string) {
	o.t.Helper()
	const tries = 20 // it touches rows in any order, so that PostgreSQL may give way to a server
	for n := 1; ; n++ {
		_, err := o.steer.Store.DB().ExecContext(o.t.Context(), statement)
		if err == nil {
			return
		}
		if n == tries || !strings.Contains(err.Error(), "deadlock") {
			o.t.Fatalf("%s: %v", statement, err)
		}
	}
}

// enqueue has jobs worked by whichever server comes first.
func (o *office) enqueue(list ...store.Job) {
	o.t.Helper()
	err := o.steer.Store.InTx(o.t.Context(), func(tx *store.Tx) error {
		for _, job := range list {
			if err := tx.Enqueue(job); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		o.t.Fatal(err)
	}
}

// idle says whether no job is worked or due, and no notification is on its way.
func (o *office) idle() bool {
	o.t.Helper()
	n := 0
	query := "SELECT count(*) FROM river_job WHERE state IN ('available', 'running') OR state IN ('scheduled', 'retryable') AND scheduled_at <= " + o.present()
	if err := o.steer.Store.DB().QueryRowContext(o.t.Context(), query).Scan(&n); err != nil {
		o.t.Fatal(err)
	}
	at, waiting := o.mail.NextDue()
	return n == 0 && (!waiting || at.After(o.now()))
}
