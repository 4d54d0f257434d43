package calendarbridge

import (
	"context"

	"usher/model"
	"usher/model/outlook"
	"usher/model/store"
)

// comparePage is how many of our subscriptions are read together.
const comparePage = 500

// maxSubscriptionPages bounds the list of Graph's subscriptions.
const maxSubscriptionPages = 5000

// eachSubscription goes through Graph's list.
func eachSubscription(ctx context.Context, api Calendars, fn func(outlook.Subscription) error) error {
	for next, pages := "", 0; pages < maxSubscriptionPages; pages++ {
		page, err := api.Subscriptions(ctx, next)
		if err != nil {
			return err
		}
		for _, sub := range page.Subscriptions {
			if err := fn(sub); err != nil {
				return err
			}
		}
		if next = page.Next; next == "" {
			break
		}
	}
	return nil
}

// CompareSubscriptions works the job: what we take for subscribed and Graph does not list is made anew, and what Graph lists
// with a URL of ours and nobody knows is ended. Subscriptions die without a word.
func (s *Service) CompareSubscriptions(ctx context.Context, job CompareSubscriptions) error {
	if job.IntegrationID == "" {
		return s.eachIntegration(ctx, func(tx *store.Tx, i model.Integration) error {
			if !i.CalendarSync {
				return nil
			}
			return tx.Enqueue(CompareSubscriptions{OrganizationID: i.OrganizationID, IntegrationID: i.ID})
		})
	}
	ref := model.Ref{OrganizationID: job.OrganizationID, IntegrationID: job.IntegrationID}
	api, err := s.Connect(ctx, ref)
	if err != nil {
		return s.later(ctx, "compare subscriptions", ref, err)
	}
	began := s.now()
	listed := map[string]string{} // calendar by subscription, of ours
	err = eachSubscription(ctx, api, func(sub outlook.Subscription) error {
		if id, ours := s.calendarKey(sub.NotificationURL); ours {
			listed[sub.ID] = id
		}
		return nil
	})
	if err != nil {
		return s.later(ctx, "compare subscriptions", ref, err)
	}
	known := map[string]bool{}
	for after := ""; ; {
		list, err := s.Store.Read(ctx).SubscribedAfter(ref, after, comparePage)
		if err != nil {
			return err
		}
		for i := range list {
			sub := &list[i].Subscription
			known[sub.GraphID] = true
			if _, ok := listed[sub.GraphID]; ok || sub.State != model.SubscriptionActive || sub.TouchedAt != nil && sub.TouchedAt.After(began) {
				continue
			}
			if err := s.vanished(ctx, list[i]); err != nil {
				return err
			}
		}
		if len(list) < comparePage {
			break
		}
		after = list[len(list)-1].ID
	}
	return s.endStrays(ctx, api, ref, listed, known)
}

// vanished has a subscription made anew that Graph does not have any more.
func (s *Service) vanished(ctx context.Context, was model.Calendar) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		cal, err := tx.LockCalendar(was.OrganizationID, was.ID)
		if err != nil {
			return ignoreMissing(err)
		}
		sub := &cal.Subscription
		if sub.State != model.SubscriptionActive || sub.GraphID != was.Subscription.GraphID {
			return nil
		}
		sub.State, sub.GraphID, sub.RenewAt, sub.Detail = model.SubscriptionPending, "", nil, "Microsoft 365 did not list the subscription any more"
		if err := tx.SaveSubscription(&cal); err != nil {
			return err
		}
		if err := s.markDirty(tx, cal.ID); err != nil {
			return err
		}
		return tx.Enqueue(EnsureSubscriptions{})
	})
}

// endStrays ends subscriptions with our URL that no calendar knows, of any organization: several may use one application of one
// tenant, and each of them is listed the subscriptions of all. One that is being made is left alone: its answer may not
// be stored yet.
func (s *Service) endStrays(ctx context.Context, api Calendars, ref model.Ref, listed map[string]string, known map[string]bool) error {
	for id, calendar := range listed {
		if known[id] {
			continue
		}
		cal, err := s.Store.Read(ctx).CalendarByID(calendar)
		switch {
		case err != nil && model.KindOf(err) != model.NotFound:
			return err
		case err == nil && cal.Subscription.GraphID == id:
			continue // it was stored meanwhile
		case err == nil && cal.Subscription.State != model.SubscriptionActive && cal.Subscription.RenewAt != nil && cal.Subscription.RenewAt.After(s.now()) && cal.Enabled:
			continue
		}
		s.Observe(EventStray, 1)
		s.Log.InfoContext(ctx, "a subscription of ours that nobody knows is ended", "subscription", id, "calendar", calendar)
		if err := api.Unsubscribe(ctx, id); err != nil {
			return s.later(ctx, "end a stray subscription", ref, err)
		}
	}
	return nil
}
