package calendarbridge

import (
	"context"
	"fmt"
	"sync"
	"time"

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

// The bounds of ending subscriptions: how many together, how many at once, and for how long somebody who removes an integration
// waits.
const (
	endPage   = 200
	endAtOnce = 8
	endTime   = 20 * time.Second
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

// EndIntegration has remove delete an integration, and then ends the subscriptions that it leaves behind, with the credentials that
// it had: nobody has them afterwards. Where remove fails nothing is ended. What cannot be ended within a bounded time is told in the
// activity log; it ends by itself within a week, and what it tells until then is ignored.
func (s *Service) EndIntegration(ctx context.Context, actor string, ref model.Ref, remove func(context.Context) error) error {
	integration, err := s.Store.Read(ctx).Integration(ref)
	if err != nil {
		return err
	}
	api, unreachable := s.Connect(ctx, ref)
	if err := remove(ctx); err != nil {
		return err
	}
	kept := context.WithoutCancel(ctx) // whoever asked may have gone: the integration is gone all the same
	limited, cancel := context.WithTimeout(kept, endTime)
	defer cancel()
	refused := 0
	if unreachable == nil {
		refused, unreachable = s.endAll(limited, api, ref)
	}
	left, err := s.forgetLeft(kept, ref)
	if err == nil && refused+left > 0 {
		err = s.tellLeft(kept, actor, integration, refused+left, unreachable)
	}
	if err != nil {
		s.Log.WarnContext(ctx, "what an integration left at Microsoft 365 is not known", "integration", ref.IntegrationID, "err", err)
	}
	return nil
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

func (s *Service) tellLeft(ctx context.Context, actor string, i model.Integration, n int, why error) error {
	reason := "Microsoft 365 refused"
	if why != nil {
		reason = s.clean.line(why.Error())
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		return tx.Log(model.Activity{
			OrganizationID: i.OrganizationID, IntegrationID: &i.ID, Actor: actor, Action: "integration.subscriptions_left",
			SubjectType: "integration", SubjectID: i.ID, Subject: i.Name,
			Summary: fmt.Sprintf("%d subscriptions of the integration could not be ended: %s; they end by themselves within a week", n, reason),
		}, map[string]any{"subscriptions": n})
	})
}
