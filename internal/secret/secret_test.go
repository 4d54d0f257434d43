package secret_test

import (
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
	"testing"
	"time"

	"usher/internal/secret"
)

func ring(t *testing.T, keys ...string) *secret.Keyring {
	t.Helper()
	r, err := secret.Parse(strings.Join(keys, ","))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestParseRefusesWhatIsNoKey(t *testing.T) {
	for _, text := range []string{"", "short", "AAAA", secret.NewKey() + ",", "!" + secret.NewKey()[1:]} {
		if _, err := secret.Parse(text); err == nil {
			t.Errorf("%q was taken for a key", text)
		}
	}
}

func TestSealOpensWithAnOldKeyAfterRotation(t *testing.T) {
	before, after := secret.NewKey(), secret.NewKey()
	id, sealed := ring(t, before).Seal("hunter2", "integration 1")
	if strings.Contains(string(sealed), "hunter2") {
		t.Fatal("the plain text is in what was sealed")
	}
	if got, err := ring(t, after, before).Open(id, sealed, "integration 1"); err != nil || got != "hunter2" {
		t.Fatalf("open after rotation: %q, %v", got, err)
	}
	if _, err := ring(t, after).Open(id, sealed, "integration 1"); !errors.Is(err, secret.ErrUnknownKey) {
		t.Fatalf("open without the key: %v", err)
	}
	if _, err := ring(t, before).Open(id, sealed, "integration 2"); err == nil {
		t.Fatal("opened as another integration's secret")
	}
}

func TestTokens(t *testing.T) {
	const id = "01890a5d-ac96-774b-bcce-b302099a8057"
	r := ring(t, secret.NewKey())
	token := r.NewToken(secret.PrefixSCIM, id)
	if got, ok := secret.TokenID(secret.PrefixSCIM, token); !ok || got != id {
		t.Fatalf("id of token: %q, %v", got, ok)
	}
	for name, wrong := range map[string]string{
		"empty": "", "other prefix": strings.Replace(token, "scim", "api", 1), "cut": token[:len(token)-1],
		"changed": strings.Replace(token, "_0", "_1", 1), "prefix alone": secret.PrefixSCIM,
	} {
		if _, ok := secret.TokenID(secret.PrefixSCIM, wrong); ok {
			t.Errorf("%s token has an id", name)
		}
	}
	hash := r.Hash(token)
	if !r.Matches(token, hash) || r.Matches(token+"x", hash) || ring(t, secret.NewKey()).Matches(token, hash) {
		t.Fatal("the hash does not tell the right token from a wrong one")
	}
	if strings.Contains(hash, token[len(token)-20:]) {
		t.Fatal("the hash shows the token")
	}
}

// TestMadeTellsOurTokensFromMadeUpOnes: a made-up token may have the right form and checksum; without a key of the ring
// nobody makes the mark.
func TestMadeTellsOurTokensFromMadeUpOnes(t *testing.T) {
	const id = "01890a5d-ac96-774b-bcce-b302099a8057"
	before, after := secret.NewKey(), secret.NewKey()
	token := ring(t, before).NewToken(secret.PrefixSCIM, id)
	for name, c := range map[string]struct {
		ring   *secret.Keyring
		prefix string
		token  string
		want   bool
	}{
		"ours":                    {ring(t, before), secret.PrefixSCIM, token, true},
		"ours, after a rotation":  {ring(t, after, before), secret.PrefixSCIM, token, true},
		"of a key that is gone":   {ring(t, after), secret.PrefixSCIM, token, false},
		"for another purpose":     {ring(t, before), secret.PrefixAPI, token, false},
		"of somebody else's ring": {ring(t, before), secret.PrefixSCIM, ring(t, after).NewToken(secret.PrefixSCIM, id), false},
		"a short one":             {ring(t, before), secret.PrefixSCIM, "usher_scim_", false},
		"the mark of another id": {ring(t, before), secret.PrefixSCIM, func() string {
			body := strings.Replace(token, "01890a5d", "01890a5e", 1)
			body = body[:len(body)-8]
			return fmt.Sprintf("%s%08x", body, crc32.ChecksumIEEE([]byte(body)))
		}(), false},
	} {
		if got := c.ring.Made(c.prefix, c.token); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestMarkedIDs(t *testing.T) {
	const id = "01890a5d-ac96-774b-bcce-b302099a8057"
	before, after := secret.NewKey(), secret.NewKey()
	marked := ring(t, before).MarkID(id)
	if len(marked) != len(id) || marked[:24] != id[:24] || marked == id {
		t.Fatalf("%s became %s", id, marked)
	}
	for name, c := range map[string]struct {
		ring *secret.Keyring
		id   string
		want bool
	}{
		"ours": {ring(t, before), marked, true}, "ours, after a rotation": {ring(t, after, before), marked, true},
		"of a key that is gone": {ring(t, after), marked, false}, "made up": {ring(t, before), id, false}, "no id": {ring(t, before), "x", false},
	} {
		if got := c.ring.MadeID(c.id); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if got := ring(t, before).MarkID("x"); got != "x" {
		t.Errorf("x became %q", got)
	}
}

func TestAccessTokens(t *testing.T) {
	issued := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	access := secret.Access{
		ClientID: "01890a5d-ac96-774b-bcce-b302099a8057", CredentialID: "01890a5d-ac96-774b-bcce-b302099a8058", Issued: issued,
		Expires: issued.Add(time.Hour),
	}
	before, after := secret.NewKey(), secret.NewKey()
	token, err := ring(t, before).NewAccessToken(access)
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]*secret.Keyring{"same key": ring(t, before), "after a rotation": ring(t, after, before)} {
		if got, ok := r.Access(token); !ok || got != access {
			t.Errorf("%s: %+v, %v", name, got, ok)
		}
	}
	if _, ok := ring(t, after).Access(token); ok {
		t.Error("a key that is gone still proves a token")
	}
	for i := range token {
		changed := []byte(token)
		changed[i] ^= 1
		if got, ok := ring(t, before).Access(string(changed)); ok {
			t.Errorf("a token changed at %d is taken: %+v", i, got)
		}
	}
	for _, wrong := range []string{"", secret.PrefixAccess, token[:len(token)-4], token + "AAAA", ring(t, before).NewToken(secret.PrefixSCIM, access.ClientID)} {
		if _, ok := ring(t, before).Access(wrong); ok {
			t.Errorf("%q is taken", wrong)
		}
	}
	if _, err := ring(t, before).NewAccessToken(secret.Access{ClientID: "x"}); err == nil {
		t.Error("an id that is none is taken")
	}
}

func TestPasswords(t *testing.T) {
	hash := secret.HashPassword("correct horse")
	if !secret.PasswordMatches("correct horse", hash) || secret.PasswordMatches("wrong horse", hash) {
		t.Fatal("the hash does not tell the right password from a wrong one")
	}
	for _, broken := range []string{"", "$argon2id$", "$argon2id$v=19$m=1,t=1,p=1$$", "$2a$10$abc"} {
		if secret.PasswordMatches("", broken) {
			t.Errorf("hash %q matches", broken)
		}
	}
}

// FuzzTokens: what is made up is never taken for ours, and nothing panics.
func FuzzTokens(f *testing.F) {
	r, err := secret.Parse(secret.NewKey())
	if err != nil {
		f.Fatal(err)
	}
	other, err := secret.Parse(secret.NewKey())
	if err != nil {
		f.Fatal(err)
	}
	const id = "01890a5d-ac96-774b-bcce-b302099a8057"
	access, err := other.NewAccessToken(secret.Access{ClientID: id, CredentialID: id})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(other.NewToken(secret.PrefixSCIM, id))
	f.Add(access)
	f.Fuzz(func(t *testing.T, token string) {
		if _, ok := r.Access(token); ok || r.Made(secret.PrefixSCIM, token) {
			t.Fatalf("%q is taken for ours", token)
		}
	})
}
