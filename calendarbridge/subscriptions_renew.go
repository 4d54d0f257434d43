package calendarbridge

import (
	"context"
	"errors"
	"slices"
	"time"

	"usher/model"
	"usher/model/outlook"
	"usher/model/store"
)

// renewAtOnce is how many subscriptions one call renews: as many as fit Graph's batches.
const renewAtOnce = 20

// renewAll renews subscriptions of one integration.
func (s *Service) renewAll(ctx context.Context, ref model.Ref, list []model.Calendar) error {
	api, err := s.Connect(ctx, ref)
	if err != nil {
		s.Log.WarnContext(ctx, "subscriptions are not renewed: the tenant is not reached", "integration", ref.IntegrationID, "err", err)
		return nil // they are due again in a minute
	}
	for part := range slices.Chunk(list, renewAtOnce) {
		if err := s.renew(ctx, api, part); err != nil {
			return err
		}
	}
	return nil
}

// renew moves the ends of a few subscriptions, each for itself.
func (s *Service) renew(ctx context.Context, api Calendars, due []model.Calendar) error {
	var list []model.Calendar
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		list = list[:0]
		for i := range due {
			cal, err := tx.LockCalendar(due[i].OrganizationID, due[i].ID)
			if err != nil {
				if model.KindOf(err) == model.NotFound {
					continue
				}
				return err
			}
			sub, now := &cal.Subscription, tx.Now()
			if sub.State != model.SubscriptionActive || sub.RenewAt == nil || sub.RenewAt.After(now) || !cal.Enabled ||
				sub.TouchedAt != nil && sub.TouchedAt.Add(touchGap).After(now) {
				continue
			}
			at := now.Add(claimTime)
			sub.RenewAt = &at
			if err := tx.SaveSubscription(&cal); err != nil {
				return err
			}
			list = append(list, cal)
		}
		return nil
	})
	if err != nil || len(list) == 0 {
		return err
	}
	results := s.askRenew(ctx, api, list)
	if ctx.Err() != nil {
		return ctx.Err() // they are due again when the claims end
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		for i := range list {
			if err := s.renewed(tx, list[i], results[list[i].Subscription.GraphID]); err != nil {
				return err
			}
		}
		return nil
	})
}

// askRenew asks for the longest life; those to whom that is too long get a shorter one.
func (s *Service) askRenew(ctx context.Context, api Calendars, list []model.Calendar) map[string]outlook.Renewed {
	results := map[string]outlook.Renewed{}
	ids := make([]string, 0, len(list))
	for i := range list {
		ids = append(ids, list[i].Subscription.GraphID)
	}
	for _, life := range []time.Duration{longLife, shortLife} {
		var ask []outlook.Renewal
		for _, id := range ids {
			if r, ok := results[id]; !ok || outlook.KindOf(r.Err) == outlook.TooLong {
				ask = append(ask, outlook.Renewal{ID: id, ExpiresAt: s.now().Add(life)})
			}
		}
		if len(ask) == 0 {
			break
		}
		got, err := api.Renew(ctx, ask)
		if err != nil {
			for _, a := range ask {
				results[a.ID] = outlook.Renewed{ID: a.ID, Err: err}
			}
			break
		}
		for _, r := range got {
			results[r.ID] = r
		}
	}
	return results
}

// renewed notes what became of a renewal.
func (s *Service) renewed(tx *store.Tx, was model.Calendar, got outlook.Renewed) error {
	cal, err := tx.LockCalendar(was.OrganizationID, was.ID)
	if err != nil {
		return ignoreMissing(err)
	}
	sub := &cal.Subscription
	if sub.State != model.SubscriptionActive || sub.GraphID != was.Subscription.GraphID {
		return nil
	}
	if got.ID == "" && got.Err == nil {
		got.Err = &outlook.Error{Kind: outlook.Unavailable, Code: "NoAnswer", Message: "the renewal has no answer"}
	}
	switch e, _ := errors.AsType[*outlook.Error](got.Err); {
	case got.Err == nil:
		s.Observe(EventRenewed, 1)
		s.live(sub, got.ExpiresAt)
	case outlook.KindOf(got.Err) == outlook.NotFound || sub.ExpiresAt != nil && !sub.ExpiresAt.After(tx.Now()):
		sub.State, sub.GraphID, sub.RenewAt, sub.Detail = model.SubscriptionPending, "", nil, "the subscription was gone when it was to be renewed"
		if err := s.markDirty(tx, cal.ID); err != nil {
			return err
		}
	default:
		sub.Failures++
		sub.Detail = "it could not be renewed: " + got.Err.Error()
		wait := backoff(sub.Failures, subscriptionWait)
		if e != nil && e.Kind == outlook.Throttled {
			wait = max(e.After, throttledWait)
		}
		if sub.ExpiresAt != nil { // with time for another attempt or two
			wait = max(min(wait, sub.ExpiresAt.Sub(tx.Now())/3), throttledWait)
		}
		at := tx.Now().Add(wait)
		sub.RenewAt = &at
	}
	return tx.SaveSubscription(&cal)
}
