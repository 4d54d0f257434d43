package secret

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// Access is what an access token says: which client it was given to, for which of the client's credentials, and from when to
// when it is good. The token holds it in the open and proves it with a key of the ring, so that nothing is stored for it.
type Access struct {
	ClientID, CredentialID string    // UUIDs
	Issued, Expires        time.Time // UTC, whole seconds
}

// The layout of an access token behind its prefix, in bytes: the key's id, the two ids, the two times, the proof.
const (
	accessKey     = 8
	accessPayload = accessKey + 16 + 16 + 8 + 8
	accessProof   = sha256.Size
)

// NewAccessToken gives the token that says a. It fails where an id is no UUID.
func (r *Keyring) NewAccessToken(a Access) (string, error) {
	k := r.keys[0]
	raw := make([]byte, 0, accessPayload+accessProof)
	for _, id := range []string{k.id, a.ClientID, a.CredentialID} {
		b, err := hex.DecodeString(strings.ReplaceAll(id, "-", ""))
		if err != nil || len(b) != 16 && len(b) != accessKey {
			return "", fmt.Errorf("access token: %q is no id", id)
		}
		raw = append(raw, b...)
	}
	raw = binary.BigEndian.AppendUint64(raw, uint64(a.Issued.Unix()))  //nolint:gosec // after 1970
	raw = binary.BigEndian.AppendUint64(raw, uint64(a.Expires.Unix())) //nolint:gosec // after 1970
	if len(raw) != accessPayload {
		return "", fmt.Errorf("access token: %q and %q are not both ids", a.ClientID, a.CredentialID)
	}
	return PrefixAccess + base64.RawURLEncoding.EncodeToString(append(raw, proof(k, raw)...)), nil
}

func proof(k key, payload []byte) []byte {
	mac := hmac.New(sha256.New, k.access)
	mac.Write([]byte(PrefixAccess))
	mac.Write(payload)
	return mac.Sum(nil)
}

// Access gives what an access token says, and whether a key of the ring proves it. Whether it has expired, and whether its
// client and credential are still there, is for the caller to see.
func (r *Keyring) Access(token string) (Access, bool) {
	text, ok := strings.CutPrefix(token, PrefixAccess)
	if !ok || len(text) != base64.RawURLEncoding.EncodedLen(accessPayload+accessProof) {
		return Access{}, false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return Access{}, false
	}
	id := hex.EncodeToString(raw[:accessKey])
	for _, k := range r.keys {
		if k.id == id && hmac.Equal(proof(k, raw[:accessPayload]), raw[accessPayload:]) {
			at := func(from int) time.Time {
				return time.Unix(int64(binary.BigEndian.Uint64(raw[from:])), 0).UTC() //nolint:gosec // made from an int64
			}
			return Access{dashed(raw[8:24]), dashed(raw[24:40]), at(40), at(48)}, true
		}
	}
	return Access{}, false
}

// dashed gives 16 bytes as a UUID.
func dashed(raw []byte) string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", raw[:4], raw[4:6], raw[6:8], raw[8:10], raw[10:])
}
