package calendarbridge

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"usher/model"
	"usher/model/outlook"
	"usher/model/store"
)

// The lives of subscriptions: what is asked for, what is asked for where that is too long, and what is taken for granted
// where the answer's end makes no sense.
const (
	longLife  = 10_065 * time.Minute
	shortLife = 4_215 * time.Minute
	leastLife = 40 * time.Minute
	// claimTime is for how long a subscription that is being made or renewed is left to the worker that does it.
	claimTime        = 10 * time.Minute
	subscribePage    = 200
	subscribeAtOnce  = 8
	unreachableWait  = 15 * time.Minute
	refusedWait      = 24 * time.Hour
	subscriptionWait = time.Minute
)

// EnsureSubscriptions works the job: subscriptions that are wanted are made, those past half their life are renewed.
func (s *Service) EnsureSubscriptions(ctx context.Context, _ EnsureSubscriptions) error {
	after, until := "", s.now().Add(workTime)
	for {
		list, err := s.Store.Read(ctx).SubscriptionsDue(s.now(), after, subscribePage)
		if err != nil {
			return err
		}
		renewals := map[model.Ref][]model.Calendar{}
		var group errgroup.Group
		group.SetLimit(subscribeAtOnce)
		for i := range list {
			cal := list[i]
			switch sub := cal.Subscription; {
			case sub.State == model.SubscriptionActive:
				renewals[cal.Ref()] = append(renewals[cal.Ref()], cal)
			case sub.RenewAt == nil || !sub.RenewAt.After(s.now()):
				group.Go(func() error { return s.subscribe(ctx, cal) })
			}
		}
		err = group.Wait()
		for ref, calendars := range renewals {
			err = errors.Join(err, s.renewAll(ctx, ref, calendars))
		}
		if err != nil || len(list) < subscribePage || s.now().After(until) {
			return err
		}
		after = list[len(list)-1].ID
	}
}

// SubscribeCalendar works the job.
func (s *Service) SubscribeCalendar(ctx context.Context, job SubscribeCalendar) error {
	cal, err := s.Store.Read(ctx).Calendar(job.OrganizationID, job.CalendarID)
	if err != nil {
		return ignoreMissing(err)
	}
	return s.subscribe(ctx, cal)
}

// claim takes the making of a subscription for itself, with a new client state, and says whether it is still wanted. The
// hash is stored before Microsoft 365 is asked, as it may notify before it answers.
func (s *Service) claim(ctx context.Context, id model.Calendar) (cal model.Calendar, mailbox model.Mailbox, state string, err error) {
	state = rand.Text() + rand.Text()
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		if cal, err = tx.LockCalendar(id.OrganizationID, id.ID); err != nil {
			return err
		}
		sub := &cal.Subscription
		if mailbox, err = tx.Mailbox(cal.Ref(), cal.MailboxID); err != nil {
			return err
		}
		if !cal.Enabled || sub.State == model.SubscriptionActive || sub.State == model.SubscriptionNone || sub.RenewAt != nil && sub.RenewAt.After(tx.Now()) {
			state = ""
			return nil
		}
		at := tx.Now().Add(claimTime)
		if mailbox.State != model.MailboxActive || !mailbox.Enabled {
			state, at = "", tx.Now().Add(s.Periods.Poll)
		} else {
			sub.SecretHash = s.Keys.Hash(state)
		}
		sub.RenewAt = &at
		return tx.SaveSubscription(&cal)
	})
	return cal, mailbox, state, err
}

// subscribe makes one subscription.
func (s *Service) subscribe(ctx context.Context, due model.Calendar) error {
	cal, mailbox, state, err := s.claim(ctx, due)
	if err != nil || state == "" {
		return ignoreMissing(err)
	}
	api, err := s.Connect(ctx, cal.Ref())
	if err != nil {
		return s.notSubscribed(ctx, cal, mailbox, err)
	}
	wanted := outlook.NewSubscription{
		Calendar: refOf(mailbox, cal), NotificationURL: s.urlOf(NotificationPath, cal.ID), LifecycleURL: s.urlOf(LifecyclePath, cal.ID),
		ClientState: state, ExpiresAt: s.now().Add(longLife),
	}
	got, err := api.Subscribe(ctx, wanted)
	if outlook.KindOf(err) == outlook.TooLong {
		wanted.ExpiresAt = s.now().Add(shortLife)
		got, err = api.Subscribe(ctx, wanted)
	}
	if outlook.KindOf(err) == outlook.Duplicate {
		if err = s.unsubscribeOld(ctx, api, cal); err == nil {
			got, err = api.Subscribe(ctx, wanted)
		}
	}
	if err != nil {
		return s.notSubscribed(ctx, cal, mailbox, err)
	}
	kept, err := s.subscribed(ctx, cal, state, got)
	if err == nil && !kept { // the calendar was switched off meanwhile
		err = ignoreRefused(api.Unsubscribe(ctx, got.ID))
	}
	return err
}

// ignoreRefused leaves a subscription that cannot be ended to the next comparison, or to its own end.
func ignoreRefused(err error) error {
	if _, ok := errors.AsType[*outlook.Error](err); ok {
		return nil
	}
	return err
}

func (s *Service) urlOf(path, calendarID string) string {
	return s.PublicURL + path + "?cal=" + url.QueryEscape(calendarID)
}

// calendarKey gives the calendar that a notification URL of ours is of.
func (s *Service) calendarKey(notificationURL string) (id string, ours bool) {
	rest, ours := strings.CutPrefix(notificationURL, s.PublicURL+NotificationPath)
	if !ours || rest != "" && rest[0] != '?' {
		return "", false
	}
	query, err := url.ParseQuery(strings.TrimPrefix(rest, "?"))
	if err != nil {
		return "", true
	}
	return query.Get("cal"), true
}

// unsubscribeOld ends the subscriptions of a calendar that Graph has and nobody knows the client state of any more.
func (s *Service) unsubscribeOld(ctx context.Context, api Calendars, cal model.Calendar) error {
	return eachSubscription(ctx, api, func(sub outlook.Subscription) error {
		if id, ours := s.calendarKey(sub.NotificationURL); !ours || id != cal.ID {
			return nil
		}
		return api.Unsubscribe(ctx, sub.ID)
	})
}

// subscribed notes a subscription, and says whether anybody wants it still. The calendar is read once more: what changed before
// the subscription began was not told.
func (s *Service) subscribed(ctx context.Context, cal model.Calendar, state string, got outlook.Subscription) (kept bool, err error) {
	s.Observe(EventSubscribed, 1)
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		kept = false
		now, err := tx.LockCalendar(cal.OrganizationID, cal.ID)
		if err != nil {
			return ignoreMissing(err)
		}
		if !now.Enabled || now.Subscription.State == model.SubscriptionNone {
			return nil
		}
		kept = true
		sub := &now.Subscription
		*sub = model.CalendarSubscription{
			State: model.SubscriptionActive, GraphID: got.ID, SecretHash: s.Keys.Hash(state), NotifiedAt: sub.NotifiedAt,
		}
		s.live(sub, got.ExpiresAt)
		if err := tx.SaveSubscription(&now); err != nil {
			return err
		}
		return s.markDirty(tx, cal.ID)
	})
	return kept, err
}

// live notes until when a subscription lives and when it is renewed: at half of what is left, a little earlier or later, so
// that not all are renewed at once.
func (s *Service) live(sub *model.CalendarSubscription, expires time.Time) {
	now := s.now()
	left := max(expires.Sub(now), leastLife)
	sub.ExpiresAt, sub.RenewAt, sub.TouchedAt = &expires, s.in(around(left/2)), &now
	sub.State, sub.Failures, sub.Detail = model.SubscriptionActive, 0, ""
}

func (s *Service) markDirty(tx *store.Tx, ids ...string) error {
	queued, err := tx.MarkDirty(ids)
	if err != nil {
		return err
	}
	return enqueueAll(tx, syncJobs(queued))
}

// notSubscribed notes why a calendar is polled, and when the next attempt is.
func (s *Service) notSubscribed(ctx context.Context, cal model.Calendar, mailbox model.Mailbox, err error) error {
	if ctx.Err() != nil {
		return err
	}
	s.Observe(EventNotSubscribed, 1)
	s.Log.WarnContext(ctx, "a calendar could not be subscribed to; it is polled", "calendar", cal.ID, "mailbox", mailbox.Address, "err", err)
	e, ok := errors.AsType[*outlook.Error](err)
	if !ok {
		e = &outlook.Error{Kind: outlook.Other, Message: err.Error()}
	}
	if e.Kind == outlook.NoMailbox || e.Kind == outlook.NoUser {
		return s.park(ctx, mailbox, e)
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		now, err := tx.LockCalendar(cal.OrganizationID, cal.ID)
		if err != nil {
			return ignoreMissing(err)
		}
		sub := &now.Subscription
		sub.Failures++
		sub.State, sub.Detail = model.SubscriptionFailed, refusal(e)
		wait := backoff(sub.Failures, subscriptionWait)
		switch e.Kind {
		case outlook.Forbidden, outlook.Quota:
			sub.Unsupported, wait = e.Kind == outlook.Forbidden, around(refusedWait)
		case outlook.ValidationFailed, outlook.BadCredentials:
			wait = around(unreachableWait)
		case outlook.Throttled:
			wait = max(e.After, throttledWait)
		case outlook.NotFound:
			wait = around(longestWait)
		default:
		}
		sub.RenewAt = s.in(wait)
		return tx.SaveSubscription(&now)
	})
}

// refusal says why a calendar is polled.
func refusal(e *outlook.Error) string {
	switch e.Kind {
	case outlook.ValidationFailed:
		return "Microsoft 365 did not reach this installation's public URL; the calendar is polled"
	case outlook.Forbidden:
		return "Microsoft 365 does not allow subscriptions to this mailbox; the calendar is polled"
	case outlook.Quota:
		return "the mailbox has as many subscriptions as Microsoft 365 allows; the calendar is polled"
	default:
		return fmt.Sprintf("%s; the calendar is polled", sentence(e))
	}
}
