package directory

import (
	"context"
	"time"

	"usher/model"
	"usher/model/store"
)

// TrimJournals is the job that deletes what is old of what only ever grows: the activity log, operations in Entra that have ended, runs
// that have, and Idempotency-Keys.
type TrimJournals struct {
	ActivityDays int `json:"activity_days"` // how long the activity log is kept
}

// Kind names the job.
func (TrimJournals) Kind() string { return "directory.trim_journals" }

const (
	// operationsKept is how long operations and their steps are kept behind their end: the evidence of an off-boarding can be read as long.
	operationsKept = 90 * 24 * time.Hour
	// runsKept is how long runs are kept behind their end, as long as their plans.
	runsKept = planKept
	// journalPage is how many rows one transaction deletes.
	journalPage = 1000
	// trimJournalsFor is how long one job works at it.
	trimJournalsFor = 20 * time.Second
)

// TrimJournals deletes in small transactions. Where there is more to delete than one job has time for it gives *model.Throttled.
func (s *Service) TrimJournals(ctx context.Context, job TrimJournals) error {
	started := s.Now()
	for _, page := range []func(tx *store.Tx) (more bool, err error){
		func(tx *store.Tx) (bool, error) {
			return full(tx.PruneOperations(started.Add(-operationsKept), journalPage))
		},
		func(tx *store.Tx) (bool, error) { return full(tx.PruneRuns(started.Add(-runsKept), journalPage)) },
		func(tx *store.Tx) (bool, error) { return full(tx.PruneOnce(journalPage)) },
		trimActivities(started.AddDate(0, 0, -max(1, job.ActivityDays))),
	} {
		for more := true; more; {
			if s.Now().Sub(started) >= trimJournalsFor {
				return &model.Throttled{}
			}
			err := s.Store.InTx(ctx, func(tx *store.Tx) (err error) { more, err = page(tx); return err })
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func full(n int, err error) (bool, error) { return n >= journalPage, err }

// trimActivities goes from one organization to the next.
func trimActivities(before time.Time) func(tx *store.Tx) (bool, error) {
	done := ""
	return func(tx *store.Tx) (bool, error) {
		organization, more, err := tx.PruneActivities(done, before, journalPage)
		if err == nil && !more && organization != "" {
			done = organization
		}
		return organization != "", err
	}
}
