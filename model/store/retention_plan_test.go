package store_test

import (
	"fmt"
	"strings"
	"testing"

	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
)

// TestRetentionPlansUseIndexes: what is old is found without a look at what is not.
func TestRetentionPlansUseIndexes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ref := storetest.Ref(t, s)
		storetest.InTx(t, s, func(tx *store.Tx) error {
			for n := range 1500 {
				at := tx.Now()
				o := model.Operation{
					OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID, Kind: model.OperationDeleteUser,
					State: model.OperationSucceeded, Subject: fmt.Sprint(n), FinishedAt: &at,
				}
				if _, err := tx.InsertOperation(&o); err != nil {
					return err
				}
				run := model.Run{
					OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID, Kind: model.RunImport, State: model.RunSucceeded, FinishedAt: &at,
				}
				if err := tx.InsertRun(&run); err != nil {
					return err
				}
			}
			return nil
		})
		if _, err := s.DB().ExecContext(t.Context(), "ANALYZE"); err != nil {
			t.Fatal(err)
		}
		for index, prune := range map[string]func(tx *store.Tx) (int, error){
			"operations_ended": func(tx *store.Tx) (int, error) { return tx.PruneOperations(s.Now().AddDate(0, 0, -90), 100) },
			"runs_ended":       func(tx *store.Tx) (int, error) { return tx.PruneRuns(s.Now().AddDate(0, 0, -90), 100) },
		} {
			plan := strings.Join(store.ExplainForTest(t, s, false, func(tx *store.Tx) error { _, err := prune(tx); return err }), ", ")
			if !strings.Contains(plan, index) {
				t.Errorf("not by %s: %s", index, plan)
			}
		}
	})
}

// TestCountsOfAnIntegrationReadNoWholeTable: somebody who is asked whether to remove it waits for the answer.
func TestCountsOfAnIntegrationReadNoWholeTable(t *testing.T) {
	t.Parallel()
	s := storetest.OpenPostgres(t)
	ref, _, _ := large(t, s)
	if _, err := s.DB().ExecContext(t.Context(), "VACUUM ANALYZE"); err != nil {
		t.Fatal(err)
	}
	for _, generic := range []bool{false, true} {
		plan := strings.Join(store.ExplainForTest(t, s, generic, func(tx *store.Tx) error {
			_, _, err := tx.IntegrationCounts(ref, 1000)
			return err
		}), ", ")
		for _, table := range []string{"memberships", "directory_users"} {
			if strings.Contains(plan, "Seq Scan "+table) {
				t.Errorf("generic=%v: all of %s is read: %s", generic, table, plan)
			}
		}
	}
}
