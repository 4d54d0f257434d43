package calendarbridge

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"

	"usher/model"
	"usher/model/outlook"
	"usher/model/store"
)

// EndSubscriptions ends the subscriptions of an integration whose calendars were deleted, as when an account was put away.
type EndSubscriptions struct {
	OrganizationID string `json:"organization_id"`
	IntegrationID  string `json:"integration_id"`
}

// Kind names the job.
func (EndSubscriptions) Kind() string { return "calendar.end_subscriptions" }

// Outward says that the job waits for Microsoft 365.
func (EndSubscriptions) Outward() bool { return true }

// The bounds of ending subscriptions: how many together, and how many at once.
const (
	endPage   = 200
	endAtOnce = 8
)

// endDeleted enqueues a job for each integration that has subscriptions whose calendars were deleted.
func (s *Service) endDeleted(ctx context.Context) error {
	list, err := s.Store.Read(ctx).IntegrationsWithEnded(discoverPage)
	if err != nil || len(list) == 0 {
		return err
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		for _, ref := range list {
			if err := tx.Enqueue(EndSubscriptions{OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID}); err != nil {
				return err
			}
		}
		return nil
	})
}

// EndSubscriptions works the job. Where the tenant refuses the integration altogether they are forgotten: they end by themselves, or
// CompareSubscriptions ends them once it can.
func (s *Service) EndSubscriptions(ctx context.Context, job EndSubscriptions) error {
	ref := model.Ref{OrganizationID: job.OrganizationID, IntegrationID: job.IntegrationID}
	api, err := s.Connect(ctx, ref)
	if err == nil {
		_, err = s.endAll(ctx, api, ref)
	}
	switch kind := outlook.KindOf(err); {
	case err == nil || model.KindOf(err) == model.NotFound: // whoever removes the integration ends them
		return nil
	case kind == outlook.BadCredentials || model.KindOf(err) == model.Refused:
		if _, failed := s.forgetLeft(ctx, ref); failed != nil {
			return failed
		}
	default:
	}
	return s.later(ctx, "end subscriptions", ref, err)
}

// endAll ends what is noted of an integration, and says how many Microsoft 365 refused to end. An error says that none can be ended
// at present.
func (s *Service) endAll(ctx context.Context, api Calendars, ref model.Ref) (refused int, err error) {
	for {
		ids, err := s.Store.Read(ctx).EndedSubscriptions(ref, endPage)
		if err != nil || len(ids) == 0 {
			return refused, err
		}
		done, not, err := endThose(ctx, api, ids)
		refused += not
		if len(done) > 0 {
			forget := func(tx *store.Tx) error { tx.ForgetEnded(ref, done); return nil }
			if err := s.Store.InTx(context.WithoutCancel(ctx), forget); err != nil {
				return refused, err
			}
		}
		if err != nil {
			return refused, err
		}
	}
}

// endThose ends subscriptions, several at once. It gives those that need no more of it, and how many of these were refused.
func endThose(ctx context.Context, api Calendars, ids []string) (done []string, refused int, err error) {
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(endAtOnce)
	for _, id := range ids {
		group.Go(func() error {
			err := api.Unsubscribe(ctx, id)
			mu.Lock()
			defer mu.Unlock()
			switch outlook.KindOf(err) {
			case outlook.Throttled, outlook.BadCredentials, outlook.Unavailable:
				return err
			default:
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				refused++
			}
			done = append(done, id)
			return nil
		})
	}
	err = group.Wait()
	return done, refused, err
}

// EndThese ends subscriptions by their ids, of an integration of which nothing is stored any more, and says how many Microsoft 365
// refused to end. An error says that none can be ended at present.
func EndThese(ctx context.Context, api Calendars, ids []string) (refused int, err error) {
	_, refused, err = endThose(ctx, api, ids)
	return refused, err
}

// EndRemoved ends the subscriptions that an integration leaves behind which is being removed, with the credentials that it had, and
// says how many Microsoft 365 refused to end. An error says that none can be ended at present. Where it says that the tenant refuses
// the integration altogether, they are forgotten: they end by themselves within a week, and what they tell until then is ignored.
func (s *Service) EndRemoved(ctx context.Context, ref model.Ref) (refused int, err error) {
	api, err := s.Connect(ctx, ref)
	if err == nil {
		refused, err = s.endAll(ctx, api, ref)
	}
	if outlook.KindOf(err) != outlook.BadCredentials && (err == nil || model.KindOf(err) != model.Refused) {
		return refused, err
	}
	left, failed := s.forgetLeft(ctx, ref)
	if failed != nil {
		return refused, failed
	}
	if left == 0 {
		return refused, nil // there was nothing to be ended
	}
	return refused + left, err
}

// forgetLeft forgets what nobody can end any more, and counts it.
func (s *Service) forgetLeft(ctx context.Context, ref model.Ref) (left int, err error) {
	for {
		ids, err := s.Store.Read(ctx).EndedSubscriptions(ref, endPage)
		if err != nil || len(ids) == 0 {
			return left, err
		}
		left += len(ids)
		if err := s.Store.InTx(ctx, func(tx *store.Tx) error { tx.ForgetEnded(ref, ids); return nil }); err != nil {
			return left, err
		}
	}
}
