package directory

import (
	"context"
	"hash/fnv"
	"time"

	"usher/model"
	"usher/model/store"
)

// StartImports is the job that asks for the imports that are due. It is periodic, every minute or so.
type StartImports struct {
	// Every is how long after an import the next one is due.
	Every time.Duration `json:"every"`
	// After is the integration behind which the job goes on.
	After string `json:"after,omitempty"`
}

// Kind names the job.
func (StartImports) Kind() string { return "directory.start_imports" }

// importsAtOnce is how many integrations one job looks at.
const importsAtOnce = 200

// ScheduleImports asks for an import of every integration of ingress graph whose last one was asked for that long ago. Integrations
// take their turns a little apart from one another, so that they do not all come at once. An integration that cannot import, because
// no group is chosen or it has no credentials, is passed over.
func (s *Service) ScheduleImports(ctx context.Context, job StartImports) error {
	now := s.Now()
	list, err := s.Store.Read(ctx).ImportsDue(now.Add(-job.Every), job.After, importsAtOnce)
	if err != nil {
		return err
	}
	for _, i := range list {
		if err := s.startDueImport(ctx, i, job.Every); err != nil {
			return err
		}
	}
	if len(list) < importsAtOnce {
		return nil
	}
	job.After = list[len(list)-1].ID
	return s.Store.InTx(ctx, func(tx *store.Tx) error { return tx.Enqueue(job) })
}

func (s *Service) startDueImport(ctx context.Context, i model.Integration, every time.Duration) error {
	ref := i.Ref()
	last, err := s.Store.Read(ctx).RunsBefore(ref.OrganizationID, store.RunFilter{Integration: i.ID, Kind: model.RunImport}, "", 1)
	if err != nil || len(last) > 0 && s.Now().Sub(last[0].CreatedAt) < every+apart(i.ID, every) {
		return err
	}
	if _, err := s.GraphAccess(ctx, ref); model.KindOf(err) == model.Refused {
		return nil
	}
	_, err = s.StartRun(WithActor(ctx, "schedule"), ref, model.RunImport)
	switch model.KindOf(err) {
	case model.Refused, model.NotFound, model.Conflict:
		return nil
	default:
		return err
	}
}

// apart gives by how much an integration's imports are further apart: up to a tenth.
func apart(id string, every time.Duration) time.Duration {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id))
	return every / 10 * time.Duration(h.Sum32()%1000) / 1000
}
