package directory

import (
	"fmt"
	"testing"

	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
)

// TestGuardCountsNoMoreThanItNeeds: whether deactivations may pass is known without a count of everybody, until they may not.
func TestGuardCountsNoMoreThanItNeeds(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ref := storetest.Ref(t, s)
		storetest.InTx(t, s, func(tx *store.Tx) error {
			for i := range 300 {
				email := fmt.Sprintf("person%03d@contoso.com", i)
				a, u := storetest.NewAccount(ref.OrganizationID, email), storetest.NewUser(ref, email)
				if err := tx.InsertAccount(a); err != nil {
					return err
				}
				u.AccountID = &a.ID
				if err := tx.InsertDirectoryUser(u); err != nil {
					return err
				}
			}
			return nil
		})
		half, never := model.Guard{Minimum: 1, Percent: 50}, model.Guard{Minimum: 1}
		var counts activeCounts
		for _, c := range []struct {
			guard         model.Guard
			deactivations int
			active        int
			all           bool
		}{
			{half, 1, 1, false},
			{half, 10, 64, false},
			{half, 32, 64, false},
			{half, 33, 256, false},
			{half, 150, 300, false},
			{half, 151, 300, true},
			{half, 20, 300, false},
			{never, 2, 300, true},
		} {
			storetest.InTx(t, s, func(tx *store.Tx) error {
				active, all, err := counts.enough(tx, ref, c.guard, c.deactivations)
				if err == nil && (active != c.active || all != c.all) {
					t.Errorf("%+v, %d deactivations: %d %v, want %d %v", c.guard, c.deactivations, active, all, c.active, c.all)
				}
				return err
			})
		}
	})
}
