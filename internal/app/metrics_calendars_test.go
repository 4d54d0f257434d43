package app

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
)

func TestCalendarStats(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		now := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
		c := newCalendarStats(s, func() time.Time { return now }, slog.New(slog.DiscardHandler))
		if got := testutil.CollectAndCount(c, "usher_calendar_subscription_expiry_seconds"); got != 0 {
			t.Errorf("an end of no subscription: %d", got)
		}
		ref := storetest.Integration(t, s, storetest.Org(t, s)).Ref()
		expires := now.Add(time.Hour)
		ada := storetest.Calendar(t, s, ref, "ada@contoso.com", func(c *model.Calendar) {
			c.Subscription = model.CalendarSubscription{State: model.SubscriptionActive, ExpiresAt: &expires}
		})
		storetest.Calendar(t, s, ref, "grace@contoso.com", func(c *model.Calendar) { c.Subscription.State = model.SubscriptionFailed })
		storetest.InTx(t, s, func(tx *store.Tx) error { _, err := tx.MarkDirty([]string{ada.ID}); return err })
		want := `
# HELP usher_calendar_subscription_expiry_seconds Time until the first active subscription ends; absent where there is none.
# TYPE usher_calendar_subscription_expiry_seconds gauge
usher_calendar_subscription_expiry_seconds 3600
# HELP usher_calendar_subscriptions Enabled calendars by the state of their subscription.
# TYPE usher_calendar_subscriptions gauge
usher_calendar_subscriptions{state="active"} 1
usher_calendar_subscriptions{state="failed"} 1
usher_calendar_subscriptions{state="pending"} 0
# HELP usher_calendars_dirty Calendars of which something was told that is not worked off yet.
# TYPE usher_calendars_dirty gauge
usher_calendars_dirty 1
`
		if err := testutil.CollectAndCompare(c, strings.NewReader(want), "usher_calendar_subscription_expiry_seconds", "usher_calendar_subscriptions", "usher_calendars_dirty"); err != nil {
			t.Error(err)
		}
		if n := testutil.CollectAndCount(c, "usher_mailboxes"); n != 5 {
			t.Errorf("%d states of mailboxes", n)
		}
	})
}
