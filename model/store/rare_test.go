package store_test

import (
	"testing"

	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
)

// TestRareWritesAreOfTheirTransaction: a statement that travels alone is not a transaction of its own. What was buffered before it
// goes when it fails, and what is behind it is not there without it.
func TestRareWritesAreOfTheirTransaction(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const insert = "INSERT INTO organizations (id, slug, name, settings_version, created_at, updated_at) VALUES (?, ?, ?, 1, ?, ?)"
		first, second := store.NewID(), store.NewID()
		err := s.InTx(t.Context(), func(tx *store.Tx) error {
			store.BufferForTest(tx, false, insert, first, "first", "First", tx.Now(), tx.Now())
			store.BufferForTest(tx, true, insert, first, "again", "The same id", tx.Now(), tx.Now())
			store.BufferForTest(tx, false, insert, second, "second", "Second", tx.Now(), tx.Now())
			return nil
		})
		if err == nil {
			t.Fatal("the same id was taken twice")
		}
		for _, id := range []string{first, second} {
			if o, err := s.Read(t.Context()).Organization(id); model.KindOf(err) != model.NotFound {
				t.Errorf("%+v, %v: it stayed although the transaction failed", o, err)
			}
		}
	})
}
