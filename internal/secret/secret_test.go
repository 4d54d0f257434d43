package secret_test

import (
	"errors"
	"strings"
	"testing"

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
	token := secret.NewToken(secret.PrefixSCIM, id)
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
