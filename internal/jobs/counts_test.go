package jobs_test

import (
	"testing"
	"time"

	"usher/model/store"
	"usher/model/store/storetest"
)

func TestCounts(t *testing.T) {
	t.Parallel()
	each(t, well, func(f *fixture) {
		if list, err := f.queue.Counts(f.Context()); err != nil || len(list) != 0 {
			f.Fatal(list, err)
		}
		storetest.InTx(f, f.store, func(tx *store.Tx) error {
			for range 2 {
				if err := tx.Enqueue(errand{Name: "later", At: time.Now().Add(time.Hour)}); err != nil {
					return err
				}
			}
			return nil
		})
		list, err := f.queue.Counts(f.Context())
		if err != nil || len(list) != 1 || list[0].Count != 2 || list[0].State != "scheduled" || list[0].Kind != (errand{}).Kind() || list[0].LastError != "" {
			f.Fatal(list, err)
		}
	})
}

func TestCountsTellTheLastError(t *testing.T) {
	t.Parallel()
	each(t, failsOnce(errBoom), func(f *fixture) {
		f.start()
		f.enqueue("broken")
		f.begins("broken")
		f.begins("broken")
		f.settles("completed")
		list, err := f.queue.Counts(f.Context())
		if err != nil || len(list) != 1 || list[0].LastError != errBoom.Error() {
			f.Fatal(list, err)
		}
	})
}
