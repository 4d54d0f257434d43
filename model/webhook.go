package model

import (
	"slices"
	"strings"
	"time"
)

// WebhookState says whether an endpoint is told of changes.
type WebhookState string

// The states of an endpoint. Changes that happen meanwhile are told when it is active again, as far as they are kept.
const (
	WebhookActive   WebhookState = "active"
	WebhookPaused   WebhookState = "paused"   // by an administrator
	WebhookDisabled WebhookState = "disabled" // by Usher: it answered 410, has failed for days, or its integration is gone; Reason says which
)

// WebhookIntegrationRemoved is the Reason of an endpoint whose only integration was removed. One that has it and is active is told of
// what happened until then, and is disabled behind that.
const WebhookIntegrationRemoved = "the integration was removed"

// WebhookEndpoint is a URL of an application that is told of changes (Standard Webhooks).
type WebhookEndpoint struct {
	ID             string       `json:"id" gorm:"primaryKey"`
	OrganizationID string       `json:"-"`
	URL            string       `json:"url" gorm:"column:url"`
	Description    string       `json:"description"`
	Types          []string     `json:"types" gorm:"serializer:json"` // of changes, account.* for all of a kind; none means all
	IntegrationID  *string      `json:"integration_id"`               // only changes of this integration
	State          WebhookState `json:"state"`
	Reason         string       `json:"reason"` // why it is disabled, or will be
	Position       int64        `json:"position"`
	// ReplayPosition and ReplayUntil are there while a range of the feed is told again.
	ReplayPosition *int64     `json:"replay_position"`
	ReplayUntil    *int64     `json:"replay_until"`
	Lease          string     `json:"-"`
	LeasedUntil    *time.Time `json:"-"`
	NextAt         *time.Time `json:"next_attempt_at"` // of the first delivery that waits
	FailingSince   *time.Time `json:"failing_since"`
	LastSuccessAt  *time.Time `json:"last_success_at"`
	LastError      string     `json:"last_error"`
	CreatedAt      time.Time  `json:"created_at"`
	UpdatedAt      time.Time  `json:"updated_at"`
}

// Wants says whether the endpoint is told of a change.
func (e WebhookEndpoint) Wants(c Change) bool {
	if e.IntegrationID != nil && (c.IntegrationID == nil || *c.IntegrationID != *e.IntegrationID) {
		return false
	}
	return len(e.Types) == 0 || slices.ContainsFunc(e.Types, func(t string) bool {
		prefix, all := strings.CutSuffix(t, "*")
		return t == string(c.Type) || all && strings.HasPrefix(string(c.Type), prefix)
	})
}

// WebhookSecret is what an endpoint's messages are signed with, sealed. While one is replaced two are live.
type WebhookSecret struct {
	ID             string `gorm:"primaryKey"`
	OrganizationID string
	EndpointID     string
	KeyID          string
	Sealed         []byte
	EndsAt         *time.Time // of one that has been replaced
	CreatedAt      time.Time
}

// DeliveryState says what became of a message.
type DeliveryState string

// The states of a delivery.
const (
	DeliveryPending   DeliveryState = "pending" // it is tried again, or waits behind an earlier one of its subject
	DeliveryDelivered DeliveryState = "delivered"
	DeliveryFailed    DeliveryState = "failed" // it is not tried again by itself
)

// DeliveryKind says why a message was sent.
type DeliveryKind string

// What makes messages.
const (
	DeliveryOfChange DeliveryKind = "change"
	DeliveryReplay   DeliveryKind = "replay"
	DeliveryTest     DeliveryKind = "test"
)

// WebhookDelivery is one message to one endpoint. What it says is in the change of its Position.
type WebhookDelivery struct {
	ID             string           `json:"id" gorm:"primaryKey"`
	OrganizationID string           `json:"-"`
	EndpointID     string           `json:"endpoint_id"`
	MessageID      string           `json:"message_id"` // webhook-id: the same for every attempt and every endpoint
	Position       *int64           `json:"sequence"`   // null for a test
	Type           ChangeType       `json:"type"`
	Subject        string           `json:"subject"` // type:id
	Kind           DeliveryKind     `json:"kind"`
	State          DeliveryState    `json:"state"`
	NextAt         *time.Time       `json:"next_attempt_at"`
	Attempts       []WebhookAttempt `json:"attempts" gorm:"serializer:json"` // the last ones, oldest first
	CreatedAt      time.Time        `json:"created_at"`
	UpdatedAt      time.Time        `json:"updated_at"`
}

// WebhookAttempt is one request of a delivery, and its answer.
type WebhookAttempt struct {
	Number   int       `json:"number"`
	At       time.Time `json:"at"`
	Status   int       `json:"status"`             // of HTTP; 0 where no answer came
	Duration int64     `json:"duration_ms"`        //
	Error    string    `json:"error,omitempty"`    // in a sentence
	Response string    `json:"response,omitempty"` // the beginning of the answer's body
}

// What is told of endpoints themselves: that one is not called any more, and, in a message that an administrator sends to see
// whether an endpoint works, that nothing has happened.
const (
	WebhookWasDisabled ChangeType = "webhook_endpoint.disabled"
	WebhookTest        ChangeType = "webhook_endpoint.test"
)
