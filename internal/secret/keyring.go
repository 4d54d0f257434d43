// Package secret owns the installation's keys and everything done with them: tokens that are stored as keyed hashes, and
// secrets that are stored sealed, and passwords. It imports nothing of Usher.
package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// KeySize is the length of a key in bytes.
const KeySize = 32

// Keyring holds the keys of an installation. The first one hashes and seals; the others still open what they sealed and
// still know the tokens that they hashed. It is immutable and safe for concurrent use.
type Keyring struct{ keys []key }

type key struct {
	id     string // the first bytes of a hash of the key; tells which key sealed
	token  []byte // HMAC key of token hashes
	mark   []byte // HMAC key of the marks within tokens
	access []byte // HMAC key of access tokens
	seal   cipher.AEAD
}

// NewKey gives a new random key in the form that Parse takes.
func NewKey() string {
	raw := make([]byte, KeySize)
	_, _ = rand.Read(raw) // never fails
	return base64.StdEncoding.EncodeToString(raw)
}

// Parse reads keys of 32 bytes in base64, comma separated; the first one seals.
func Parse(text string) (*Keyring, error) {
	ring := &Keyring{}
	for i, part := range strings.Split(text, ",") {
		raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(part))
		if err != nil || len(raw) != KeySize {
			return nil, fmt.Errorf("key %d is not 32 bytes in base64", i+1)
		}
		k, err := derive(raw)
		if err != nil {
			return nil, err
		}
		ring.keys = append(ring.keys, k)
	}
	return ring, nil
}

// derive makes keys for separate purposes from one, so that none of them tells anything of another.
func derive(raw []byte) (key, error) {
	purpose := func(info string) ([]byte, error) { return hkdf.Key(sha256.New, raw, nil, info, KeySize) }
	token, err := purpose("usher token hash 1")
	if err != nil {
		return key{}, err
	}
	sealing, err := purpose("usher sealing 1")
	if err != nil {
		return key{}, err
	}
	block, err := aes.NewCipher(sealing)
	if err != nil {
		return key{}, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return key{}, err
	}
	marking, err := purpose("usher token mark 1")
	if err != nil {
		return key{}, err
	}
	access, err := purpose("usher access token 1")
	if err != nil {
		return key{}, err
	}
	id, err := purpose("usher key id 1")
	return key{hex.EncodeToString(id[:8]), token, marking, access, aead}, err
}

// KeyID names the key that seals now.
func (r *Keyring) KeyID() string { return r.keys[0].id }

// Hash gives the keyed hash of a token, led by the id of the key that made it.
func (r *Keyring) Hash(token string) string { return hash(r.keys[0], token) }

func hash(k key, token string) string {
	mac := hmac.New(sha256.New, k.token)
	mac.Write([]byte(token))
	return k.id + ":" + hex.EncodeToString(mac.Sum(nil))
}

// Matches says in constant time whether the token has the stored hash, made with any key of the ring.
func (r *Keyring) Matches(token, stored string) bool {
	id, _, _ := strings.Cut(stored, ":")
	for _, k := range r.keys {
		if k.id == id {
			return hmac.Equal([]byte(hash(k, token)), []byte(stored))
		}
	}
	return false
}

// ErrUnknownKey says that something was sealed with a key that is not in the ring.
var ErrUnknownKey = errors.New("sealed with a key that is not configured")

// Seal encrypts plain text with AES-256-GCM. what is bound to it: the same bytes do not open as something else.
func (r *Keyring) Seal(plain, what string) (keyID string, sealed []byte) {
	k := r.keys[0]
	return k.id, k.seal.Seal(nil, nil, []byte(plain), []byte(what))
}

// Open decrypts what Seal made.
func (r *Keyring) Open(keyID string, sealed []byte, what string) (string, error) {
	for _, k := range r.keys {
		if k.id != keyID {
			continue
		}
		plain, err := k.seal.Open(nil, nil, sealed, []byte(what))
		if err != nil {
			return "", fmt.Errorf("open sealed secret: %w", err)
		}
		return string(plain), nil
	}
	return "", ErrUnknownKey
}
