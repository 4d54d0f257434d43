package directory

import (
	"context"
	"time"

	"usher/model"
)

// SCIMRequest reads one line of the request log of an integration, with what was sent and answered.
func (s *Service) SCIMRequest(ctx context.Context, ref model.Ref, id string) (model.SCIMRequest, model.SCIMExchange, error) {
	row, err := s.Store.Read(ctx).SCIMRequest(ref, id)
	if err != nil {
		return row, model.SCIMExchange{}, err
	}
	exchange, err := newPacker().unpack(row.Exchange)
	return row, exchange, err
}

// TrimSCIMLog is the job that deletes what the request log has kept for its days, and what it has of integrations that are
// gone.
type TrimSCIMLog struct {
	Days int `json:"days"`
}

// Kind names the job.
func (TrimSCIMLog) Kind() string { return "directory.trim_scim_log" }

// trimPage is how many lines are deleted in one transaction.
const trimPage = 1000

// TrimSCIMLog deletes in small transactions, integration by integration. What it does not get to within the time that a job
// has, the next one does.
func (s *Service) TrimSCIMLog(ctx context.Context, job TrimSCIMLog) error {
	before := s.Now().Add(-time.Duration(max(1, job.Days)) * 24 * time.Hour)
	var after model.Ref
	for ctx.Err() == nil {
		worked, more, err := s.Store.TrimSCIMLog(ctx, after, before, trimPage)
		if err != nil && ctx.Err() == nil {
			return err
		}
		if err == nil && worked.IntegrationID == "" {
			return nil
		}
		if err == nil && !more {
			after = worked
		}
	}
	return nil
}
