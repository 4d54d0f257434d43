package main

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"usher/internal/secret"
	"usher/internal/webhook"
	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
)

// TestConsumer has Usher's own dispatcher tell the example of changes, and of a range of them again.
func TestConsumer(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		keys, err := secret.Parse(secret.NewKey())
		if err != nil {
			t.Fatal(err)
		}
		worked := make(chan string, 10)
		text, org := secret.NewWebhook(), storetest.Org(t, s)
		c, err := newConsumer(text, func(m message) { worked <- m.Type + string(m.Data) })
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(c)
		defer server.Close()
		from, until := int64(0), int64(1)
		e := model.WebhookEndpoint{OrganizationID: org, URL: server.URL, State: model.WebhookActive}
		again := e
		again.ReplayPosition, again.ReplayUntil = &from, &until
		storetest.InTx(t, s, func(tx *store.Tx) error {
			for _, endpoint := range []*model.WebhookEndpoint{&e, &again} { // both tell the same application
				if err := tx.InsertWebhookEndpoint(endpoint); err != nil {
					return err
				}
				row := model.WebhookSecret{ID: store.NewID(), OrganizationID: org, EndpointID: endpoint.ID}
				row.KeyID, row.Sealed = keys.Seal(text, secret.WebhookUse(endpoint.ID, row.ID))
				if err := tx.InsertWebhookSecret(&row); err != nil {
					return err
				}
			}
			for _, data := range []string{"one", "two"} {
				if err := tx.Tell(model.Change{OrganizationID: org, Type: model.AccountUpdated, SubjectType: "account", SubjectID: "ada"}, data); err != nil {
					return err
				}
			}
			return nil
		})
		d := webhook.New(webhook.Options{Store: s, Keys: keys, Guard: webhook.Guard{Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}})
		go d.Run(t.Context())
		var got []string
		for len(got) < 2 {
			select {
			case what := <-worked:
				got = append(got, what)
			case <-time.After(time.Minute):
				t.Fatalf("only %q came", got)
			}
		}
		if want := []string{`account.updated"one"`, `account.updated"two"`}; !slices.Equal(got, want) {
			t.Errorf("worked %q, want %q", got, want)
		}
	})
}

func TestConsumerRefusesForgeries(t *testing.T) {
	c, err := newConsumer(secret.NewWebhook(), func(message) { t.Error("a forged message was worked") })
	if err != nil {
		t.Fatal(err)
	}
	for name, header := range map[string]http.Header{
		"no signature":  {},
		"a made-up one": {"Webhook-Id": {"chg_1"}, "Webhook-Timestamp": {"1764000000"}, "Webhook-Signature": {"v1,AAAA"}},
	} {
		req := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"id":"chg_1"}`))
		req.Header = header
		answer := httptest.NewRecorder()
		if c.ServeHTTP(answer, req); answer.Code != http.StatusUnauthorized {
			t.Errorf("%s: answered %d", name, answer.Code)
		}
	}
}
