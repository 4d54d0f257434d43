package directory_test

import (
	"fmt"
	"testing"
	"time"

	"usher/directory"
	"usher/model"
	"usher/model/store"
)

// TestJournalsAreTrimmed: the evidence of an off-boarding is there for 90 days, the activity log for as long as is set, and what is left
// behind goes in small transactions.
func TestJournalsAreTrimmed(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.clock.move(time.Since(w.svc.Now())) // ids of lines have the machine's time
		ref := w.integration("Contoso", model.RoleSyncReconcile)
		const operations = 1200 // more than a page
		w.ok(w.store.InTx(w.ctx, func(tx *store.Tx) error {
			for n := range operations {
				at := tx.Now()
				o := model.Operation{
					OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID, Kind: model.OperationOffboardUser, State: model.OperationSucceeded,
					Subject: fmt.Sprint(n), FinishedAt: &at, Steps: []model.OperationStep{{Action: model.StepDisable, State: model.StepDone}},
				}
				if _, err := tx.InsertOperation(&o); err != nil {
					return err
				}
			}
			return nil
		}))
		_, _, err := w.store.BeginOnce(w.ctx, w.org, "key", "print")
		w.ok(err)
		rows := func(table string) (n int) {
			t.Helper()
			w.ok(w.store.DB().QueryRowContext(w.ctx, "SELECT count(*) FROM "+table).Scan(&n))
			return n
		}
		lines := rows("activities")
		trimmed := func(days int) {
			t.Helper()
			w.ok(w.svc.TrimJournals(w.ctx, directory.TrimJournals{ActivityDays: days}))
		}
		trimmed(1)
		if rows("operations") != operations || rows("operation_steps") != operations || rows("activities") != lines || lines == 0 || rows("idempotent_requests") != 1 {
			t.Fatal("what is young was deleted")
		}
		w.clock.move(89 * 24 * time.Hour)
		trimmed(100)
		if rows("operations") != operations || rows("activities") != lines {
			t.Errorf("%d operations and %d of %d lines are left after 89 days", rows("operations"), rows("activities"), lines)
		}
		w.clock.move(2 * 24 * time.Hour)
		trimmed(90)
		if rows("operations") != 0 || rows("operation_steps") != 0 || rows("activities") != 0 {
			t.Errorf("%d operations, %d steps and %d lines are left after 91 days", rows("operations"), rows("operation_steps"), rows("activities"))
		}
		if rows("idempotent_requests") != 0 {
			t.Error("a key is remembered for months")
		}
	})
}
