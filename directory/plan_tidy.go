package directory

import (
	"context"
	"errors"
	"time"

	"usher/model"
	"usher/model/store"
)

// TidyRuns is the job that ends held runs whose plans have expired, and forgets old plans.
type TidyRuns struct{}

// Kind names the job.
func (TidyRuns) Kind() string { return "directory.tidy_runs" }

const (
	// planKept is how long decisions are kept behind the end of their run: so long it can be undone.
	planKept = 90 * 24 * time.Hour
	// tidyPage is how many rows one transaction deletes.
	tidyPage = 5000
)

// Tidy does it, in pages.
func (s *Service) Tidy(ctx context.Context, _ TidyRuns) error {
	for {
		due, err := s.Store.Read(ctx).ExpiredRuns(s.Now().UTC(), runPage)
		if err != nil {
			return err
		}
		var failures []error
		for i := range due {
			failures = append(failures, s.expire(ctx, due[i].OrganizationID, due[i].ID))
		}
		if err := errors.Join(append(failures, ctx.Err())...); err != nil {
			return err
		}
		if len(due) < runPage {
			break
		}
	}
	for n := tidyPage; n == tidyPage && ctx.Err() == nil; {
		err := s.Store.InTx(ctx, func(tx *store.Tx) (err error) {
			n, err = tx.PruneDecisions(tx.Now().Add(-planKept), tidyPage)
			return err
		})
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (s *Service) expire(ctx context.Context, organizationID, id string) error {
	_, err := s.editRun(ctx, organizationID, id, func(tx *store.Tx, run *model.Run) error {
		if run.State != model.RunHeld || run.ExpiresAt == nil || s.Now().Before(*run.ExpiresAt) {
			return nil // an operator was faster
		}
		run.Error = "the plan expired before an operator applied or discarded it"
		return s.endRun(ctx, tx, run, model.RunCancelled)
	})
	if err != nil && model.KindOf(err) == model.NotFound {
		return nil // its integration was removed
	}
	return err
}
