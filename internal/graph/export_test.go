package graph

import (
	"context"
	"net/http"
	"time"

	kiotajson "github.com/microsoft/kiota-serialization-json-go"
	"github.com/microsoftgraph/msgraph-sdk-go/models"

	"usher/model/outlook"
)

// OriginProperty is the name of the mark in every mailbox.
const OriginProperty = originProperty

// SetSleep replaces the waiting, takes the chance out of its length, and lets the rate go by the client's clock.
func (c *Client) SetSleep(sleep func(context.Context, time.Duration) error) {
	c.pipeline.sleep, c.pipeline.monotonic, c.pipeline.jitter = sleep, c.now, func() float64 { return 0 }
}

// Boxes tells how many mailboxes the gate remembers.
func (c *Client) Boxes() int {
	c.pipeline.gate.mu.Lock()
	defer c.pipeline.gate.mu.Unlock()
	return len(c.pipeline.gate.boxes)
}

// PauseMailbox keeps requests from a mailbox until a time.
func (c *Client) PauseMailbox(mailbox string, until time.Time) {
	c.pipeline.gate.pause(mailbox, until, c.now())
}

// Carry sends a request through the pipeline alone, without what the client checks before.
func (c *Client) Carry(ctx context.Context, address string) error {
	request, err := http.NewRequestWithContext(context.WithValue(ctx, callKey{}, call{operation: "test"}), http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	response, err := c.pipeline.RoundTrip(request)
	if err != nil {
		return err
	}
	return response.Body.Close()
}

// Failure translates an answer that is an error.
func Failure(operation string, status int, header http.Header, body []byte, now time.Time) *outlook.Error {
	return failure(call{operation: operation}, status, header, body, now)
}

// DirectoryFailure translates an answer of the directory that is an error.
func DirectoryFailure(operation string, status int, body []byte, now time.Time) *outlook.Error {
	return failure(call{operation: operation, units: 1}, status, http.Header{}, body, now)
}

// DecodeEvent reads an event from JSON.
func DecodeEvent(body []byte) (outlook.Event, error) {
	var result outlook.Event
	err := caught(func() error {
		node, err := kiotajson.NewJsonParseNode(body)
		if err != nil {
			return err
		}
		parsed, err := node.GetObjectValue(models.CreateEventFromDiscriminatorValue)
		if err != nil {
			return err
		}
		m, ok := parsed.(models.Eventable)
		if !ok {
			return unreadable("no event")
		}
		result = event(m)
		return nil
	})
	return result, err
}

// Delay is the wait after a number of attempts.
func Delay(after time.Duration, attempts int, jitter float64) time.Duration {
	return delay(after, attempts, jitter)
}

// Addresses gives the root, the authority and the scope that options come to, and whether the authority is Microsoft's.
func Addresses(o Options) (root, login, scope string, microsoft bool, err error) {
	a, err := o.addresses()
	if err != nil {
		return "", "", "", false, err
	}
	return a.graph.String(), a.login, a.scope, a.microsoft, nil
}
