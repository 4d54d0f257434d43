package store_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
)

// TestFoldIsOne: both databases fold every character of Unicode as model.Fold does, alone and within a word, whatever their
// locale. A new version of Unicode that this test fails with needs a migration that replaces usher_fold.
func TestFoldIsOne(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		word := ""
		check := func() {
			t.Helper()
			var got string
			query := "SELECT usher_fold(?)"
			if s.Dialect() == "postgres" {
				query = "SELECT usher_fold($1)"
			}
			if err := s.DB().QueryRowContext(t.Context(), query, word).Scan(&got); err != nil {
				t.Fatalf("%+q: %v", word, err)
			}
			if want := model.Fold(word); got != want {
				t.Errorf("%.200q\n folds to %.200q\n want     %.200q", word, got, want)
			}
			word = ""
		}
		var b strings.Builder
		for r := rune(1); r <= utf8.MaxRune; r++ {
			if !utf8.ValidRune(r) {
				continue
			}
			if b.WriteRune(r); b.Len() > 1<<14 || r == 0x7f || r == 0xff || r == 0x17f { // so that each of its tables is used alone
				word = b.String()
				b.Reset()
				check()
			}
		}
		word = b.String()
		check()
		for _, w := range []string{
			"", "Ada", "STRASSE", "Straße", "ẞ", "İstanbul", "ıI", "\u212A", "ΟΔΥΣΣΕΥΣ", "οδυσσεύς", "Σσς", "µΜμ", "Ǆ ǅ ǆ", "ÅÅå", "ſ", "ÉVA", "日本", "🙂 A",
			"A\u0301", "ŸÿŸ", "þÞ×÷",
		} {
			word = w
			check()
		}
	})
}
