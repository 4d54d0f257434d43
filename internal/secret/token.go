package secret

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"strings"
)

// The prefixes of tokens, by which secret scanners know them.
const (
	PrefixSCIM = "usher_scim_"
	PrefixAPI  = "usher_api_"
)

// secretBytes is the entropy of a token.
const secretBytes = 32

// NewToken gives a token for the row with the id (a UUID): prefix, id in hexadecimal, 256 random bits, checksum. The id
// part is how the row is found; the checksum tells a mistyped token from a wrong one without asking the database.
func NewToken(prefix, id string) string {
	raw := make([]byte, secretBytes)
	_, _ = rand.Read(raw) // never fails
	body := prefix + strings.ReplaceAll(id, "-", "") + "_" + base64.RawURLEncoding.EncodeToString(raw)
	return body + checksum(body)
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
	return fmt.Sprintf("%x-%x-%x-%x-%x", raw[:4], raw[4:6], raw[6:8], raw[8:10], raw[10:]), true
}
