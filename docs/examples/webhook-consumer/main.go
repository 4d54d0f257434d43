// Command webhook-consumer is an application that takes Usher's webhooks: it checks the signature, keeps out what it has seen, keeps
// each subject's order, and answers before it works. Run it with WEBHOOK_SECRET=whsec_… and point an endpoint at it.
package main

import (
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"os"
	"sync"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// message is the part of a webhook that this application reads (docs/reference/webhooks.md has the whole).
type message struct {
	ID       string          `json:"id"`
	Type     string          `json:"type"`
	Sequence *int64          `json:"sequence"` // rises with every change; null in a test
	Data     json.RawMessage `json:"data"`
	Subject  struct {
		Type string `json:"type"`
		ID   string `json:"id"`
	} `json:"subject"`
}

// consumer takes messages. A real one would keep seen and last in its database, in the transaction that does the work.
type consumer struct {
	verifier *standardwebhooks.Webhook
	work     func(message)

	mu   sync.Mutex
	seen map[string]bool
	last map[string]int64 // of each subject
}

func newConsumer(secret string, work func(message)) (*consumer, error) {
	verifier, err := standardwebhooks.NewWebhook(secret)
	return &consumer{verifier: verifier, work: work, seen: map[string]bool{}, last: map[string]int64{}}, err
}

// maxBody is more than any message has.
const maxBody = 1 << 20

// ServeHTTP answers 204 to what it has taken, now or before, and 401 to what is not signed with the secret.
func (c *consumer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "cannot read the body", http.StatusBadRequest)
		return
	}
	if err := c.verifier.Verify(body, r.Header); err != nil {
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	var m message
	if err := json.Unmarshal(body, &m); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c.take(m)
	w.WriteHeader(http.StatusNoContent)
}

// take works a message once, and leaves out what is older than what it knows of the subject: a range that was told again.
func (c *consumer) take(m message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	subject := m.Subject.Type + ":" + m.Subject.ID
	if c.seen[m.ID] || m.Sequence != nil && *m.Sequence < c.last[subject] {
		return
	}
	c.seen[m.ID] = true
	if m.Sequence != nil {
		c.last[subject] = *m.Sequence
	}
	c.work(m)
}

func main() {
	c, err := newConsumer(os.Getenv("WEBHOOK_SECRET"), func(m message) {
		log.Printf("%s of %s %s: %s", m.Type, m.Subject.Type, m.Subject.ID, m.Data)
	})
	if err != nil {
		log.Fatal("WEBHOOK_SECRET: ", err)
	}
	server := &http.Server{Addr: "127.0.0.1:9090", Handler: c, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second}
	log.Print("waiting for webhooks at http://", server.Addr)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
}
