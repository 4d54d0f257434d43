package directory

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"usher/model"
	"usher/model/outlook"
	"usher/model/store"
)

// EndLeft is the job that ends subscriptions of an organization that was deleted. Nothing of the organization is left to be read, so
// the job carries everything: how the integration reached Microsoft Graph, with its credentials sealed, and what is to be ended.
type EndLeft struct {
	OrganizationID string            `json:"organization_id"`
	Organization   string            `json:"organization"` // slug
	Integration    model.Integration `json:"integration"`
	KeyID          string            `json:"key_id"`
	Access         []byte            `json:"access"`
	Subscriptions  []string          `json:"subscriptions"`
	Since          time.Time         `json:"since"`
}

// Kind names the job.
func (EndLeft) Kind() string { return "directory.end_left" }

// Outward says that the job waits for Microsoft Graph.
func (EndLeft) Outward() bool { return true }

const (
	// leftAtOnce is how many subscriptions one job ends.
	leftAtOnce = 500
	// leftRetry is how long Microsoft Graph is left alone where it said nothing else.
	leftRetry = time.Minute
)

// leaveSubscriptions enqueues what ends the subscriptions of an organization, in the transaction that deletes it.
func (s *Service) leaveSubscriptions(tx *store.Tx, o model.Organization) error {
	left, err := tx.LeftSubscriptions(o.ID)
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(left)) {
		r, err := s.leftAccess(tx, model.Ref{OrganizationID: o.ID, IntegrationID: id})
		if model.KindOf(err) == model.NotFound && err != nil {
			s.Log.Warn("subscriptions are left to their end, as their integration is not known any more", "organization", o.Slug, "integration", id, "subscriptions", len(left[id]))
			continue
		}
		if err != nil {
			return err
		}
		for part := range slices.Chunk(left[id], leftAtOnce) {
			err := tx.Enqueue(EndLeft{
				OrganizationID: o.ID, Organization: o.Slug, Integration: r.Plan.Integration, KeyID: r.KeyID, Access: r.Access, Subscriptions: part, Since: tx.Now(),
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// leftAccess gives an integration with its credentials sealed, also one that is being removed already.
func (s *Service) leftAccess(tx *store.Tx, ref model.Ref) (model.Removal, error) {
	i, err := tx.Integration(ref)
	if model.KindOf(err) == model.NotFound && err != nil {
		return tx.Removal(ref)
	}
	if err != nil {
		return model.Removal{}, err
	}
	r := model.Removal{IntegrationID: i.ID, OrganizationID: i.OrganizationID, Name: i.Name, Plan: model.RemovalPlan{Integration: i}}
	return r, s.sealAccess(tx, &r, &model.Setup{})
}

// EndLeft works the job. Ending a subscription again does no harm, so that it begins anew after each failure. What cannot be ended is
// logged, as the organization has no log any more; it ends by itself within a week, and what it tells until then is ignored.
func (s *Service) EndLeft(ctx context.Context, job EndLeft) error {
	refused, err := s.endLeft(ctx, job)
	log := s.Log.With("organization", job.Organization, "integration", job.Integration.Name)
	switch {
	case err == nil && refused == 0:
		log.InfoContext(ctx, "the subscriptions of a deleted organization are ended", "subscriptions", len(job.Subscriptions))
		return nil
	case err == nil:
		log.WarnContext(ctx, "Microsoft 365 refused to end subscriptions of a deleted organization; they end by themselves within a week", "subscriptions", refused)
		return nil
	case ctx.Err() != nil:
		return err
	}
	kind := outlook.KindOf(err)
	if waits := kind == outlook.Throttled || kind == outlook.Unavailable; waits && s.Now().Before(job.Since.Add(removalPatience)) {
		after := leftRetry
		if e, ok := errors.AsType[*outlook.Error](err); ok {
			after = max(after, e.After)
		}
		return &model.Throttled{After: after}
	}
	if !isGraph(err) && model.KindOf(err) != model.Refused {
		return err // the queue tries again
	}
	log.WarnContext(ctx, "subscriptions of a deleted organization cannot be ended; they end by themselves within a week", "subscriptions", len(job.Subscriptions), "err", err)
	return nil
}

func (s *Service) endLeft(ctx context.Context, job EndLeft) (refused int, err error) {
	if s.EndTheirs == nil {
		return 0, model.Errorf(model.Refused, "this process has no access to Microsoft Graph")
	}
	i := job.Integration
	i.OrganizationID = job.OrganizationID // which its JSON leaves out
	r := model.Removal{IntegrationID: i.ID, OrganizationID: i.OrganizationID, Name: i.Name, KeyID: job.KeyID, Access: job.Access}
	kept, err := s.openAccess(&r)
	if err != nil {
		return 0, err
	}
	access, err := accessOfRemoved(i, kept)
	if err != nil {
		return 0, err
	}
	return s.EndTheirs(ctx, access, job.Subscriptions)
}
