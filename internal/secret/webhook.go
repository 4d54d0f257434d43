package secret

import (
	"crypto/rand"
	"encoding/base64"
)

// NewWebhook makes a secret that messages to an endpoint are signed with, in the form of Standard Webhooks: whsec_ and 32 bytes in
// base64.
func NewWebhook() string {
	var key [32]byte
	_, _ = rand.Read(key[:]) // never fails
	return "whsec_" + base64.StdEncoding.EncodeToString(key[:])
}

// WebhookUse is what the secret of an endpoint is sealed for.
func WebhookUse(endpointID, secretID string) string { return "webhook/" + endpointID + "/" + secretID }
