package model

import (
	"encoding/json"
	"time"
)

// IdempotentRequest is a request that carried an Idempotency-Key. One that is not Done is being worked on, or broke off so that
// nobody knows how far it came.
type IdempotentRequest struct {
	OrganizationID string `gorm:"primaryKey"`
	Key            string `gorm:"primaryKey"`
	Fingerprint    string // of what was asked
	Done           bool
	Answer         json.RawMessage
	CreatedAt      time.Time
}
