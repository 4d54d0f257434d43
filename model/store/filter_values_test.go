package store_test

import (
	"testing"

	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
)

// TestNumbersSort: SQLite compares numbers of any size exactly, as PostgreSQL does.
func TestNumbersSort(t *testing.T) {
	t.Parallel()
	s := storetest.OpenSQLite(t)
	ascending := []string{
		"-1e999", "-1e300", "-12345678901234567890.5", "-12345678901234567890.4", "-55", "-5.5", "-5.49", "-5", "-0.1e-20", "0", "0.1e-20", "0.05",
		"0.5", "5", "5.49", "5.5", "9007199254740992", "9007199254740993", "12345678901234567890.5", "1e300", "1e999",
	}
	for i, a := range ascending {
		for j, b := range ascending {
			var less, equal bool
			err := s.DB().QueryRowContext(t.Context(), "SELECT usher_number(?1) < usher_number(?2), usher_number(?1) = usher_number(?2)", a, b).Scan(&less, &equal)
			if err != nil || less != (i < j) || equal != (i == j) {
				t.Errorf("%s and %s: less %v, equal %v, %v", a, b, less, equal, err)
			}
		}
	}
	for a, b := range map[string]string{"-0": "0.00", "1e2": "100.0", "0.50": "5e-1", "-5.5": "-55E-1"} {
		var equal bool
		if err := s.DB().QueryRowContext(t.Context(), "SELECT usher_number(?) = usher_number(?)", a, b).Scan(&equal); err != nil || !equal {
			t.Errorf("%s does not equal %s: %v", a, b, err)
		}
	}
}

// TestTimesAreRead: both databases read the same texts as the same times, and take the same for none.
func TestTimesAreRead(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for text, want := range map[string]string{
			"2026-03-01T01:00:00+01:00": "2026-03-01T00:00:00Z", "2026-03-01": "2026-03-01T00:00:00Z", "2026-03-01Z": "2026-03-01T00:00:00Z",
			"2026-02-28-14:00": "2026-02-28T14:00:00Z", "2026-03-01T00:00": "2026-03-01T00:00:00Z", "2026-03-01T10:30+10:30": "2026-03-01T00:00:00Z",
			"2026-03-01T00:00:00": "2026-03-01T00:00:00Z", "2026-03-01T00:00:00.0000009999999999Z": "2026-03-01T00:00:00Z",
			"2024-02-29T00:00:00.5Z": "2024-02-29T00:00:00.500Z", "0001-01-01": "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z": "9999-12-31T23:59:59.999999Z",
			"2025-02-29": "", "2026-02-30": "", "2026-04-31": "", "2026-13-01": "", "0000-01-01": "", "2026-1-1": "", "2026-03-01T24:00:00Z": "",
			"2026-03-01T00:00:00+15:00": "", "2026-03-01 00:00:00Z": "", "2026-03-01T00": "", "20260301": "", "now": "", "2026-03-01\n": "",
		} {
			query := "SELECT coalesce(usher_time(?1) = usher_time(?2), usher_time(?1) IS NULL AND ?2 = '')"
			if s.Dialect() == "postgres" {
				query = "SELECT coalesce(usher_time($1) = usher_time($2), usher_time($1) IS NULL AND $2 = '')"
			}
			var same bool
			if err := s.DB().QueryRowContext(t.Context(), query, text, want).Scan(&same); err != nil || !same {
				t.Errorf("%q is not read as %q: %v", text, want, err)
			}
		}
	})
}

// TestCaseOfOtherAlphabets: the two characters beyond ASCII that fold to ASCII are found by it, and find it.
func TestCaseOfOtherAlphabets(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ref := storetest.Ref(t, s)
		for _, name := range []string{"\u212Ae\u017Fwick", "Keswick", "İstanbul", "ΟΔΥΣΣΕΥΣ"} {
			u := storetest.NewUser(ref, store.NewID())
			u.Document = model.NewDocument(map[string]any{"userName": u.UserName, "title": name})
			storetest.InTx(t, s, func(tx *store.Tx) error { return tx.InsertDirectoryUser(u) })
		}
		for _, c := range []struct {
			op    model.CompareOp
			value string
			want  int
		}{
			{"eq", "KESWICK", 2},
			{"eq", "\u212Ae\u017Fwick", 2},
			{"co", "s", 3},
			{"sw", "k", 2},
			{"ew", "swicK", 2},
			{"ne", "keswick", 2},
			{"eq", "istanbul", 0},
			{"eq", "İSTANBUL", 1},
			{"eq", "οδυσσευς", 1},
			{"ew", "υσ", 1},
			{"co", "σσ", 1},
		} {
			_, total, err := s.Read(t.Context()).Users(ref, model.ResourceQuery{Count: 10, Filter: cmp(path("title"), c.op, c.value)})
			if err != nil || total != c.want {
				t.Errorf("title %s %q finds %d, %v, want %d", c.op, c.value, total, err, c.want)
			}
		}
	})
}

// TestNumbersFollow: when a user changes or goes, what it is found by does.
func TestNumbersFollow(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ref := storetest.Ref(t, s)
		u := storetest.User(t, s, ref, "ada@contoso.com")
		other := storetest.User(t, s, ref, "bob@contoso.com")
		finds := func(value string, want int) {
			t.Helper()
			_, total, err := s.Read(t.Context()).Users(ref, model.ResourceQuery{Count: 10, Filter: cmp(path("emails", "value"), "eq", value)})
			if err != nil || total != want {
				t.Errorf("%s is found %d times, %v, want %d", value, total, err, want)
			}
		}
		finds("ADA@contoso.com", 1)
		u.Document = model.NewDocument(map[string]any{"userName": u.UserName, "emails": []any{
			map[string]any{"value": "lovelace@contoso.com"}, map[string]any{"value": "countess@contoso.com"},
		}})
		storetest.InTx(t, s, func(tx *store.Tx) error {
			if _, err := tx.LockFacts(ref, []string{u.ID}); err != nil {
				return err
			}
			return tx.UpdateDirectoryUser(u)
		})
		finds("ada@contoso.com", 0)
		finds("lovelace@contoso.com", 1)
		finds("COUNTESS@contoso.com", 1)
		storetest.InTx(t, s, func(tx *store.Tx) error { return tx.DeleteDirectoryUser(u) })
		finds("countess@contoso.com", 0)
		storetest.InTx(t, s, func(tx *store.Tx) error { return tx.DeleteDirectoryUser(other) })
		if s.Dialect() == "sqlite" {
			left := 0
			if err := s.DB().QueryRowContext(t.Context(), "SELECT count(*) FROM directory_user_keys").Scan(&left); err != nil || left > 0 {
				t.Errorf("%d numbers are left behind, %v", left, err)
			}
		}
	})
}
