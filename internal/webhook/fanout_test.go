package webhook

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"usher/internal/secret"
	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
)

// BenchmarkFanOut tells 20 endpoints of b.N changes of 1,000 accounts: `go test -run ^$ -bench FanOut -benchtime 10000x ./internal/webhook`.
// deliveries/s is what counts.
func BenchmarkFanOut(b *testing.B) {
	for name, open := range map[string]func(testing.TB) *store.Store{"sqlite": storetest.OpenSQLite, "postgres": storetest.OpenPostgres} {
		b.Run(name, func(b *testing.B) { fanOut(b, open(b)) })
	}
}

const benchEndpoints = 20

func fanOut(b *testing.B, s *store.Store) {
	b.Helper()
	var got atomic.Int64
	done := make(chan struct{})
	want := int64(b.N) * benchEndpoints
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
		if got.Add(1) == want {
			close(done)
		}
	}))
	defer app.Close()
	keys, err := secret.Parse(secret.NewKey())
	if err != nil {
		b.Fatal(err)
	}
	org := storetest.Org(b, s)
	storetest.InTx(b, s, func(tx *store.Tx) error {
		for range benchEndpoints {
			e := model.WebhookEndpoint{OrganizationID: org, URL: app.URL, State: model.WebhookActive}
			if err := tx.InsertWebhookEndpoint(&e); err != nil {
				return err
			}
			row := model.WebhookSecret{ID: store.NewID(), OrganizationID: org, EndpointID: e.ID}
			row.KeyID, row.Sealed = keys.Seal(secret.NewWebhook(), secret.WebhookUse(e.ID, row.ID))
			if err := tx.InsertWebhookSecret(&row); err != nil {
				return err
			}
		}
		return nil
	})
	const page = 500
	for at := 0; at < b.N; at += page {
		storetest.InTx(b, s, func(tx *store.Tx) error {
			for n := at; n < min(b.N, at+page); n++ {
				change := model.Change{OrganizationID: org, Type: model.AccountUpdated, SubjectType: "account", SubjectID: fmt.Sprint(n % 1000), Actor: "entra"}
				if err := tx.Tell(change, map[string]any{"field": "title", "before": "Engineer", "after": "Chief Engineer"}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	d := New(Options{Store: s, Keys: keys, Guard: Guard{Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}})
	ctx, stop := context.WithCancel(b.Context())
	ended := make(chan struct{})
	b.ResetTimer()
	begun := time.Now()
	go func() { defer close(ended); d.Run(ctx) }()
	<-done
	b.ReportMetric(float64(want)/time.Since(begun).Seconds(), "deliveries/s")
	b.StopTimer()
	stop()
	<-ended
}
