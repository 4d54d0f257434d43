package calendarbridge

import (
	"context"
	"time"

	"usher/model"
	"usher/model/store"
)

// The lifecycle events of Microsoft Graph.
const (
	lifecycleMissed      = "missed"
	lifecycleRemoved     = "subscriptionRemoved"
	lifecycleReauthorize = "reauthorizationRequired"
)

// touchGap is how long a subscription is left alone after it was renewed: two renewals or reauthorizations within ten minutes
// can leave it in a state that Microsoft does not describe.
const touchGap = 10 * time.Minute

// storeMarks notes in one transaction everything that a batch of notifications told, with the jobs that look.
func (s *Service) storeMarks(ctx context.Context, marks []mark) error {
	coalesced := 0
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		ids := make([]string, 0, len(marks))
		var lifecycle []mark
		for _, m := range marks {
			if m.lifecycle != lifecycleReauthorize {
				ids = append(ids, m.calendarID)
			}
			if m.lifecycle != "" {
				lifecycle = append(lifecycle, m)
			}
		}
		queued, err := tx.MarkNotified(ids)
		if err != nil {
			return err
		}
		coalesced = len(ids) - len(queued)
		if err := enqueueAll(tx, syncJobs(queued)); err != nil {
			return err
		}
		return s.storeLifecycle(tx, lifecycle)
	})
	if err == nil {
		s.Observe(EventCoalesced, coalesced)
	}
	return err
}

func (s *Service) storeLifecycle(tx *store.Tx, marks []mark) error {
	renew := false
	done := map[mark]bool{}
	for _, m := range marks {
		if done[m] {
			continue
		}
		done[m] = true
		cal, err := tx.CalendarByID(m.calendarID)
		if err != nil {
			if model.KindOf(err) == model.NotFound {
				continue
			}
			return err
		}
		changed := s.onLifecycle(tx.Now(), &cal, m)
		if changed {
			renew = true
			if err := tx.SaveSubscription(&cal); err != nil {
				return err
			}
		}
		if cal.Enabled && m.lifecycle != lifecycleReauthorize {
			job := SyncCalendar{OrganizationID: cal.OrganizationID, CalendarID: cal.ID, Full: true, At: tx.Now()}
			if err := tx.Enqueue(job); err != nil {
				return err
			}
		}
	}
	if renew {
		return tx.Enqueue(EnsureSubscriptions{})
	}
	return nil
}

// onLifecycle changes the subscription as a lifecycle event demands, and says whether it did. What is told of an earlier
// subscription is no news.
func (s *Service) onLifecycle(now time.Time, cal *model.Calendar, m mark) bool {
	sub := &cal.Subscription
	if sub.State != model.SubscriptionActive || m.subscriptionID != "" && sub.GraphID != m.subscriptionID {
		return false
	}
	switch m.lifecycle {
	case lifecycleRemoved:
		sub.State, sub.GraphID, sub.RenewAt, sub.Detail = model.SubscriptionPending, "", nil, "Microsoft 365 has removed the subscription"
		return true
	case lifecycleReauthorize:
		at := now
		if sub.TouchedAt != nil && sub.TouchedAt.Add(touchGap).After(now) {
			at = sub.TouchedAt.Add(touchGap)
		}
		sub.RenewAt = &at
		return true
	}
	return false // missed, and whatever may come: the calendar is read anew
}
