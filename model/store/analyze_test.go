package store_test

import (
	"slices"
	"testing"

	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
)

// TestNewTablesAreAnalyzed: once some hundred people have been pushed, PostgreSQL knows the tables that have become large, and only
// those; without that it plans each search by userName anew.
func TestNewTablesAreAnalyzed(t *testing.T) {
	t.Parallel()
	s := storetest.OpenPostgres(t)
	ref, _ := directoryOf(t, s, 600)
	tell := func(n int) {
		t.Helper()
		storetest.InTx(t, s, func(tx *store.Tx) error {
			for range n {
				if err := tx.Tell(model.Change{OrganizationID: ref.OrganizationID, Type: model.DirectoryUserCreated}, nil); err != nil {
					return err
				}
			}
			return nil
		})
	}
	tell(999)
	if known := store.AnalyzedForTest(t, s); len(known) != 0 {
		t.Errorf("%v were analyzed too soon", known)
	}
	tell(1)
	if known := store.AnalyzedForTest(t, s); !slices.Equal(known, []string{"directory_users"}) {
		t.Errorf("%v were analyzed", known)
	}
}
