package directory

import (
	"context"
	"errors"
	"time"

	"usher/model"
	"usher/model/store"
)

// RetireEmployees is the job that ends employments whose last day has come.
type RetireEmployees struct{}

// Kind names the job.
func (RetireEmployees) Kind() string { return "directory.retire_employees" }

// retirePage is how many employees are read at once.
const retirePage = 200

// Retire archives the employees of every organization whose resignation date has come, each in a transaction of its own,
// and settles their accounts. It goes on after a failure and reports it in the end.
func (s *Service) Retire(ctx context.Context, _ RetireEmployees) error {
	ctx = WithActor(ctx, "resignation date")
	for {
		due, err := s.Store.Read(ctx).DueEmployees(s.Now().UTC().Format(time.DateOnly), retirePage)
		if err != nil {
			return err
		}
		var failures []error
		for i := range due {
			if err := s.retire(ctx, due[i].OrganizationID, due[i].ExternalID); err != nil {
				failures = append(failures, err)
			}
		}
		if len(failures) > 0 || len(due) < retirePage || ctx.Err() != nil {
			return errors.Join(append(failures, ctx.Err())...)
		}
	}
}

// retire looks again: the date may have been moved since the employee was found.
func (s *Service) retire(ctx context.Context, organizationID, externalID string) error {
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		w, e, err := s.lockEmployee(ctx, tx, organizationID, externalID)
		if err != nil {
			return err
		}
		e.State = EmployeeState(e, s.Now())
		_, err = w.put(e)
		return err
	})
	if model.KindOf(err) == model.NotFound && err != nil {
		return nil // deleted meanwhile
	}
	return err
}
