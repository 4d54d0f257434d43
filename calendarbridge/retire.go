package calendarbridge

import (
	"context"
	"math"

	"usher/model"
	"usher/model/outlook"
	"usher/model/store"
)

// EndMailbox works the job. The mailbox is off first, so that nothing new comes of it.
func (s *Service) EndMailbox(ctx context.Context, job EndMailbox) error {
	ref := model.Ref{OrganizationID: job.OrganizationID, IntegrationID: job.IntegrationID}
	var list []model.Calendar
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		m, err := tx.Mailbox(ref, job.MailboxID)
		if err != nil {
			return err
		}
		if m.State != model.MailboxOff {
			m.State, m.Detail, m.RetryAt = model.MailboxOff, job.Reason, nil
			if err := tx.UpdateMailbox(&m); err != nil {
				return err
			}
			if err := logMailbox(tx, &m, "mailbox.off", "The mailbox is not synchronized any more: "+job.Reason); err != nil {
				return err
			}
		}
		list, err = tx.CalendarsOf(ref, job.MailboxID)
		return err
	})
	if err != nil {
		return ignoreMissing(err)
	}
	for i := range list {
		if err := s.endCalendar(ctx, list[i], job.Reason); err != nil {
			return err
		}
	}
	if !job.Remove {
		return nil
	}
	return ignoreMissing(s.Store.InTx(ctx, func(tx *store.Tx) error {
		gone, err := tx.DeleteMailbox(ref, job.MailboxID)
		if err != nil {
			return err
		}
		for i := range gone {
			if err := tellCalendar(tx, actorBridge, model.CalendarRemoved, &gone[i], job.Reason); err != nil {
				return err
			}
		}
		return nil
	}))
}

// EndCalendar works the job, unless the calendar was switched on again.
func (s *Service) EndCalendar(ctx context.Context, job EndCalendar) error {
	cal, err := s.Store.Read(ctx).Calendar(job.OrganizationID, job.CalendarID)
	if err != nil || cal.Enabled {
		return ignoreMissing(err)
	}
	return s.endCalendar(ctx, cal, orElse(job.Reason, reasonSwitch))
}

// endCalendar ends a calendar's subscription and takes its Outlook events out of the application. What the application made
// stays. Microsoft 365 is asked to end the subscription; where it cannot be reached, the subscription ends by itself.
func (s *Service) endCalendar(ctx context.Context, cal model.Calendar, reason string) error {
	return s.withCalendar(ctx, cal.OrganizationID, cal.ID, func(w *work) error {
		id, err := w.unwanted()
		if err != nil {
			return ignoreMissing(err)
		}
		if id != "" {
			if err = w.connect(); err == nil {
				err = w.api.Unsubscribe(ctx, id)
			}
			if outlook.KindOf(err) == outlook.Throttled {
				return s.later(ctx, "end a subscription", w.cal.Ref(), err)
			}
			if err != nil {
				w.Log.InfoContext(ctx, "a subscription was not ended; it ends by itself", "calendar", w.cal.ID, "err", err)
			}
		}
		if err := w.forgetEvents(reason); err != nil {
			return lost(err)
		}
		w.restart()
		y := &w.cal.Sync
		y.SweptAt, y.NextAt, y.AgainAfter, y.Failures, y.Error, y.Clean = nil, nil, nil, 0, "", y.Dirty
		return lost(w.Store.InTx(ctx, func(tx *store.Tx) error {
			now, err := tx.LockCalendar(w.cal.OrganizationID, w.cal.ID)
			if err != nil {
				return ignoreMissing(err)
			}
			now.Subscription = model.CalendarSubscription{State: model.SubscriptionNone}
			if err := tx.SaveSubscription(&now); err != nil {
				return err
			}
			return tx.SaveSync(&w.cal, w.lease)
		}))
	})
}

// unwanted notes that no subscription is wanted, so that one which is being made just now is not kept, and gives the id of the one
// that there is.
func (w *work) unwanted() (id string, err error) {
	err = w.Store.InTx(w.ctx, func(tx *store.Tx) error {
		now, err := tx.LockCalendar(w.cal.OrganizationID, w.cal.ID)
		if err != nil {
			return err
		}
		id = now.Subscription.GraphID
		now.Subscription.State = model.SubscriptionNone
		return tx.SaveSubscription(&now)
	})
	return id, err
}

// forgetEvents takes a calendar's Outlook events out of the application, page by page.
func (w *work) forgetEvents(reason string) error {
	now := w.now()
	for after := ""; ; {
		list, err := w.Store.Read(w.ctx).EventsUnseen(w.cal, math.MaxInt64, now.Add(-farAway), now.Add(farAway), after, sweepPage)
		if err != nil {
			return err
		}
		var outlooks []model.Event
		for i := range list {
			if list[i].Origin == model.OriginOutlook {
				outlooks = append(outlooks, list[i])
			}
		}
		if err := w.inTx(func(tx *store.Tx) error { return w.remove(tx, outlooks, actorBridge, reason) }); err != nil {
			return err
		}
		if len(list) < sweepPage {
			return nil
		}
		after = list[len(list)-1].ID
	}
}

// SwitchCalendar enables or disables a calendar. A disabled one ends its subscription, and its Outlook events leave the
// application. Actor says who did it.
func (s *Service) SwitchCalendar(ctx context.Context, actor, organizationID, id string, enabled bool) (cal model.Calendar, err error) {
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		if cal, err = tx.LockCalendar(organizationID, id); err != nil {
			return err
		}
		if cal.Enabled == enabled {
			return nil
		}
		cal.Enabled = enabled
		if err := tx.UpdateCalendar(&cal); err != nil {
			return err
		}
		if err := tellCalendar(tx, actor, model.CalendarUpdated, &cal, "switched by hand"); err != nil {
			return err
		}
		if !enabled {
			return tx.Enqueue(EndCalendar{OrganizationID: organizationID, CalendarID: id, Reason: reasonSwitch})
		}
		sub := &cal.Subscription
		sub.State, sub.RenewAt, sub.Failures = model.SubscriptionPending, nil, 0
		if err := tx.SaveSubscription(&cal); err != nil {
			return err
		}
		if err := tx.Enqueue(SubscribeCalendar{OrganizationID: organizationID, CalendarID: id}); err != nil {
			return err
		}
		return s.markDirty(tx, cal.ID)
	})
	return cal, err
}

// SwitchMailbox enables or disables all calendars of an account or a room at once.
func (s *Service) SwitchMailbox(ctx context.Context, actor, organizationID, id string, enabled bool) (m model.Mailbox, err error) {
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		if m, err = tx.MailboxByID(organizationID, id); err != nil {
			return err
		}
		if m.Enabled == enabled {
			return nil
		}
		m.Enabled = enabled
		if err := tx.Log(model.Activity{
			OrganizationID: m.OrganizationID, IntegrationID: &m.IntegrationID, Actor: actor, Action: "mailbox.switched", SubjectType: "mailbox",
			SubjectID: m.ID, Subject: m.Address, Summary: "The calendars of the mailbox were switched " + onOff(enabled),
		}, nil); err != nil {
			return err
		}
		if enabled {
			return lookFor(tx, &m)
		}
		if err := tx.UpdateMailbox(&m); err != nil {
			return err
		}
		return tx.Enqueue(EndMailbox{
			OrganizationID: m.OrganizationID, IntegrationID: m.IntegrationID, MailboxID: m.ID, Reason: "switched off by " + actor,
		})
	})
	return m, err
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}
