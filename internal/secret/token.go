package secret

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"strings"
)

// The prefixes of tokens, by which secret scanners know them.
const (
	PrefixSCIM   = "usher_scim_"   // bearer token of an integration
	PrefixAPI    = "usher_api_"    // key of the management API
	PrefixClient = "usher_secret_" // secret of a SCIM client
	PrefixAccess = "usher_oauth_"  // access token that a SCIM client was given

	PrefixSession = "usher_session_" // cookie of a signed-in operator
	PrefixLink    = "usher_link_"    // link that works once, for an operator
)

// The parts of a token that are neither its id nor its checksum, in bytes: what is random, and the mark that says who made
// it.
const (
	randomBytes = 24
	markBytes   = 8
)

// NewToken gives a token for the row with the id (a UUID): prefix, id in hexadecimal, 192 random bits with a mark of 64 bits,
// checksum. The id part is how the row is found; the checksum tells a mistyped token from a wrong one, and the mark tells one
// that this installation made from one that somebody made up, both without asking the database.
func (r *Keyring) NewToken(prefix, id string) string {
	raw := make([]byte, randomBytes, randomBytes+markBytes)
	_, _ = rand.Read(raw) // never fails
	head := prefix + strings.ReplaceAll(id, "-", "") + "_"
	body := head + base64.RawURLEncoding.EncodeToString(append(raw, mark(r.keys[0], head, raw)...))
	return body + checksum(body)
}

func mark(k key, head string, random []byte) []byte {
	mac := hmac.New(sha256.New, k.mark)
	mac.Write([]byte(head))
	mac.Write(random)
	return mac.Sum(nil)[:markBytes]
}

// Made says whether a token with the prefix was made with a key of the ring. It says nothing about whether the token was
// revoked or has expired.
func (r *Keyring) Made(prefix, token string) bool {
	if _, ok := TokenID(prefix, token); !ok {
		return false
	}
	body := token[:len(token)-checksumLength]
	cut := len(prefix) + 2*16 + 1
	raw, err := base64.RawURLEncoding.DecodeString(body[cut:])
	if err != nil || len(raw) != randomBytes+markBytes {
		return false
	}
	for _, k := range r.keys {
		if hmac.Equal(raw[randomBytes:], mark(k, body[:cut], raw[:randomBytes])) {
			return true
		}
	}
	return false
}

// checksumLength is the length of the checksum in hexadecimal digits.
const checksumLength = 8

func checksum(body string) string {
	return fmt.Sprintf("%0*x", checksumLength, crc32.ChecksumIEEE([]byte(body)))
}

// TokenID gives the id of the row that a token belongs to, and whether the token has the form of one with the prefix.
// It says nothing about whether the token is right.
func TokenID(prefix, token string) (string, bool) {
	rest, ok := strings.CutPrefix(token, prefix)
	if !ok || len(token) <= checksumLength {
		return "", false
	}
	body := token[:len(token)-checksumLength]
	if checksum(body) != token[len(body):] {
		return "", false
	}
	id, _, ok := strings.Cut(rest, "_")
	raw, err := hex.DecodeString(id)
	if !ok || err != nil || len(raw) != 16 {
		return "", false
	}
	return dashed(raw), true
}

// idMark is how much of a marked id is the mark, in bytes.
const idMark = 4

// MarkID gives an id (a UUID) the mark of the ring in its last bytes, so that somebody who makes ids up is told without asking
// the database. What is no UUID stays as it is.
func (r *Keyring) MarkID(id string) string {
	raw, err := hex.DecodeString(strings.ReplaceAll(id, "-", ""))
	if err != nil || len(raw) != 16 {
		return id
	}
	copy(raw[16-idMark:], mark(r.keys[0], "id", raw[:16-idMark]))
	return dashed(raw)
}

// MadeID says whether an id was marked with a key of the ring. One in four billion of the made-up ones seems so.
func (r *Keyring) MadeID(id string) bool {
	raw, err := hex.DecodeString(strings.ReplaceAll(id, "-", ""))
	if err != nil || len(raw) != 16 {
		return false
	}
	for _, k := range r.keys {
		if hmac.Equal(raw[16-idMark:], mark(k, "id", raw[:16-idMark])[:idMark]) {
			return true
		}
	}
	return false
}
