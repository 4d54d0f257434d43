package app_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"usher/calendarbridge"
	"usher/internal/app"
	"usher/internal/secret"
	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
)

// BenchmarkNotifications has Microsoft 365 tell of changes in 2,000 calendars, one in each request, over so many connections that
// are kept open. No job waits for any of the calendars when it begins, and none is worked meanwhile.
func BenchmarkNotifications(b *testing.B) {
	const calendars, notifications = 2000, 10_000 // the latter in each turn
	base, st, requests := notified(b, calendars)
	for _, connections := range []int{1, 32, 256} {
		b.Run(fmt.Sprintf("%d connections", connections), func(b *testing.B) {
			for _, text := range []string{"UPDATE calendars SET sync_queued = false", "DELETE FROM river_job WHERE kind = 'calendar.sync'"} {
				if _, err := st.DB().ExecContext(b.Context(), text); err != nil {
					b.Fatal(err)
				}
			}
			b.ResetTimer()
			began := time.Now()
			latencies := tell(b, base, requests, connections, notifications*b.N)
			took := time.Since(began)
			b.StopTimer()
			var jobs int
			if err := st.DB().QueryRowContext(b.Context(), "SELECT count(*) FROM river_job WHERE kind = 'calendar.sync'").Scan(&jobs); err != nil {
				b.Fatal(err)
			}
			if jobs != calendars {
				b.Errorf("%d jobs for %d calendars", jobs, calendars)
			}
			b.ReportMetric(float64(notifications*b.N)/took.Seconds(), "notifications/s")
			b.ReportMetric(milliseconds(latencies[len(latencies)/2]), "p50-ms")
			b.ReportMetric(milliseconds(latencies[len(latencies)*99/100]), "p99-ms")
		})
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// notified runs a server on PostgreSQL with subscribed calendars, and gives the notification of each.
func notified(b *testing.B, calendars int) (address string, st *store.Store, requests [][]byte) {
	b.Helper()
	cfg := app.Defaults()
	cfg.DatabaseURL, cfg.SecretKey, cfg.Listen, cfg.Migrate, cfg.NoWorkers = storetest.PostgresURL(b), secret.NewKey(), "127.0.0.1:0", true, true
	a, err := app.New(b.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	run, stop := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(run) }()
	b.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			b.Error(err)
		}
		_ = a.Close()
	})
	address = strings.TrimPrefix(a.URL(), "http://")
	ref := storetest.Ref(b, a.Store)
	storetest.InTx(b, a.Store, func(tx *store.Tx) error {
		requests = requests[:0]
		for i := range calendars {
			c, err := subscribedCalendar(tx, ref, i, a.Service.Keys.Hash(stateOf(i)))
			if err != nil {
				return err
			}
			requests = append(requests, notification(b, address, c, stateOf(i)))
		}
		return nil
	})
	return address, a.Store, requests
}

func stateOf(i int) string { return fmt.Sprintf("%052d", i) }

func subscribedCalendar(tx *store.Tx, ref model.Ref, i int, hash string) (*model.Calendar, error) {
	account := storetest.NewAccount(ref.OrganizationID, fmt.Sprintf("user%06d@contoso.com", i))
	if err := tx.InsertAccount(account); err != nil {
		return nil, err
	}
	m := model.Mailbox{
		OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID, AccountID: &account.ID, Address: account.Email,
		GraphUserID: "graph-" + account.Email, State: model.MailboxActive, Enabled: true,
	}
	if err := tx.InsertMailbox(&m); err != nil {
		return nil, err
	}
	c := storetest.NewCalendar(m, "calendar-"+account.Email)
	end := tx.Now().Add(100 * time.Hour)
	c.Subscription = model.CalendarSubscription{State: model.SubscriptionActive, GraphID: store.NewID(), SecretHash: hash, ExpiresAt: &end, RenewAt: &end}
	return c, tx.InsertCalendar(c)
}

// notification gives a request as Microsoft 365 sends it.
func notification(b *testing.B, address string, c *model.Calendar, state string) []byte {
	b.Helper()
	event := "Users/6a1f3c1e-6a2c-4c55-93d1-0d1a6ba1a2f4/Events/AAMkADllMWMwNDkwLWEwNDktNDc3NS1hM2ZmLTBlZTQ3MzVlZWZkNABGAAAAAAD"
	body, err := json.Marshal(map[string]any{"value": []any{map[string]any{
		"subscriptionId": c.Subscription.GraphID, "clientState": state, "changeType": "updated", "tenantId": "84bd8158-6d4d-4958-8b9f-9d6445542f95",
		"subscriptionExpirationDateTime": "2026-11-29T04:30:28.2257768+00:00", "resource": event,
		"resourceData": map[string]any{"@odata.type": "#Microsoft.Graph.Event", "@odata.id": event, "@odata.etag": `W/"DwAAABYAAABt"`, "id": event},
	}}})
	if err != nil {
		b.Fatal(err)
	}
	var raw bytes.Buffer
	fmt.Fprintf(&raw, "POST %s?cal=%s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		calendarbridge.NotificationPath, c.ID, address, len(body), body)
	return raw.Bytes()
}

// tell sends n requests over connections, one calendar after the other, and gives how long each took, the shortest first. It is
// a lean client, as it shares the machine with the server.
func tell(b *testing.B, address string, requests [][]byte, connections, n int) []time.Duration {
	b.Helper()
	latencies := make([]time.Duration, n)
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(connections, n) {
		group.Go(func() {
			conn, err := net.Dial("tcp", address)
			if err != nil {
				b.Error(err)
				return
			}
			defer func() { _ = conn.Close() }()
			answers := bufio.NewReader(conn)
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				began := time.Now()
				if _, err := conn.Write(requests[i%int64(len(requests))]); err != nil {
					b.Error(err)
					return
				}
				if status, err := statusOf(answers); err != nil || status != http.StatusAccepted {
					b.Errorf("answered %d, %v", status, err)
					return
				}
				latencies[i] = time.Since(began)
			}
		})
	}
	group.Wait()
	slices.Sort(latencies)
	return latencies
}

func statusOf(from *bufio.Reader) (status int, err error) {
	got, err := http.ReadResponse(from, nil)
	if err != nil {
		return 0, err
	}
	return got.StatusCode, got.Body.Close()
}
