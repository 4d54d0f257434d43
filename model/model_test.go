package model_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"usher/model"
)

func TestFold(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]string{
		{"Ada@Contoso.com", "ada@contoso.com"}, {"ÅSA", "åsa"}, {"", ""}, {"ı", "ı"},
	} {
		if got := model.Fold(pair[0]); got != pair[1] {
			t.Errorf("Fold(%q) = %q, want %q", pair[0], got, pair[1])
		}
	}
}

func TestFoldJoinsTheThreeSigmas(t *testing.T) {
	t.Parallel()
	if a, b, c := model.Fold("ΣΊΣΥΦΟΣ"), model.Fold("σίσυφος"), model.Fold("σίσυφοσ"); a != b || b != c {
		t.Errorf("one name has the keys %q, %q and %q", a, b, c)
	}
}

// TestFoldIsAKey: what strings.EqualFold calls equal has one key, and a key is its own key.
func TestFoldIsAKey(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.String().Draw(t, "a")
		swapped := strings.Map(func(r rune) rune {
			if rapid.Bool().Draw(t, "swap") {
				return unicode.SimpleFold(r)
			}
			return r
		}, a)
		if model.Fold(a) != model.Fold(swapped) {
			t.Fatalf("%q and %q differ in case alone and have the keys %q and %q", a, swapped, model.Fold(a), model.Fold(swapped))
		}
		if key := model.Fold(a); model.Fold(key) != key || !strings.EqualFold(a, key) {
			t.Fatalf("%q has the key %q, whose key is %q", a, key, model.Fold(key))
		}
	})
}

func TestDocumentKeepsWhatItRead(t *testing.T) {
	t.Parallel()
	const text = `{"big":12345678901234567890,"price":1.10,"name":{"givenName":"Ada"},"x":null}`
	d, err := model.ParseDocument([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if raw, err := d.Raw(); err != nil || string(raw) != text {
		t.Errorf("read %s, gives %s, %v", text, raw, err)
	}
	fresh := model.NewDocument(d.Attributes())
	raw, err := fresh.Raw()
	if err != nil || !strings.Contains(string(raw), "12345678901234567890") || !strings.Contains(string(raw), "1.10") {
		t.Errorf("numbers changed: %s, %v", raw, err)
	}
	if !d.Equal(&fresh) {
		t.Error("a document differs from its own attributes")
	}
	other := model.NewDocument(map[string]any{"x": "y"})
	if d.Equal(&other) {
		t.Error("different documents are equal")
	}
}

func TestDocumentRefusesWhatIsNoObject(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"[]", "1", `"a"`, "{", `{"a":`} {
		if _, err := model.ParseDocument([]byte(text)); err == nil {
			t.Errorf("%s was taken for a document", text)
		}
	}
}

func TestDocumentInAndOutOfAColumn(t *testing.T) {
	t.Parallel()
	var d model.Document
	for _, src := range []any{[]byte(`{"a":1}`), `{"a":1}`} {
		if err := d.Scan(src); err != nil {
			t.Fatal(err)
		}
		if v, err := d.Value(); err != nil || v != `{"a":1}` {
			t.Errorf("from %T: %v, %v", src, v, err)
		}
	}
	if err := d.Scan(1); err == nil {
		t.Error("a number was scanned as a document")
	}
	if err := d.Scan(nil); err != nil {
		t.Fatal(err)
	}
	if raw, err := json.Marshal(d); err != nil || string(raw) != "{}" {
		t.Errorf("the empty document is %s, %v", raw, err)
	}
}

func TestGuardLimit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ minimum, percent, active, want int }{
		{10, 5, 0, 10}, {10, 5, 199, 10}, {10, 5, 200, 10}, {10, 5, 1000, 50}, {0, 0, 1000, 0}, {0, 100, 7, 7},
	} {
		if got := (model.Guard{Minimum: c.minimum, Percent: c.percent}).Limit(c.active); got != c.want {
			t.Errorf("at least %d or %d %% of %d: %d, want %d", c.minimum, c.percent, c.active, got, c.want)
		}
	}
}

// TestGuardNeeds: what Needs gives is the least of which Limit lets so many pass.
func TestGuardNeeds(t *testing.T) {
	t.Parallel()
	for _, g := range []model.Guard{{Minimum: 10, Percent: 5}, {Minimum: 0, Percent: 100}, {Minimum: 3, Percent: 0}, {Minimum: 0, Percent: 7}, {Minimum: 1, Percent: 33}} {
		for n := range 60 {
			need, never := g.Needs(n)
			for active := range 1300 {
				if got, want := !never && active >= need, n <= g.Limit(active); got != want {
					t.Fatalf("%+v, %d deactivations, %d active: %v, want %v", g, n, active, got, want)
				}
			}
		}
	}
}

func TestKindOfFindsAWrappedError(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("read: %w", model.FieldErrorf(model.Conflict, "userName", "another user has this userName"))
	if model.KindOf(err) != model.Conflict || model.KindOf(errors.New("x")) != model.Internal || model.KindOf(nil) != model.Internal {
		t.Error("the kind is not found")
	}
	if got := err.Error(); got != "read: userName: another user has this userName" {
		t.Error(got)
	}
}

func TestSelectorPrefersTheID(t *testing.T) {
	t.Parallel()
	byName := model.GroupSelector{DisplayName: "HR"}
	both := model.GroupSelector{ExternalID: "x", DisplayName: "HR"}
	if !byName.Matches("y", "hr") || byName.Matches("y", "Sales") || both.Matches("y", "HR") || !both.Matches("x", "renamed") {
		t.Error("a selector matches the wrong group")
	}
	if (model.GroupSelector{}).Matches("", "") {
		t.Error("an empty selector matches")
	}
}
