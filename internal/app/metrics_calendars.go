package app

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"usher/model"
	"usher/model/store"
)

// statsTime bounds how long a reading of the metrics waits for the database.
const statsTime = 5 * time.Second

// calendarStats are the numbers of the calendar bridge that the database knows. They are those of the whole installation, and read
// whenever the metrics are: each replica says the same.
type calendarStats struct {
	store *store.Store
	now   func() time.Time
	log   *slog.Logger

	subscriptions, expiry, dirty, mailboxes *prometheus.Desc
}

func newCalendarStats(st *store.Store, now func() time.Time, log *slog.Logger) *calendarStats {
	return &calendarStats{
		store: st, now: now, log: log,
		subscriptions: prometheus.NewDesc("usher_calendar_subscriptions", "Enabled calendars by the state of their subscription.", []string{"state"}, nil),
		expiry: prometheus.NewDesc("usher_calendar_subscription_expiry_seconds",
			"Time until the first active subscription ends; absent where there is none.", nil, nil),
		dirty:     prometheus.NewDesc("usher_calendars_dirty", "Calendars of which something was told that is not worked off yet.", nil, nil),
		mailboxes: prometheus.NewDesc("usher_mailboxes", "Mailboxes by their state.", []string{"state"}, nil),
	}
}

// Describe gives the metrics there are.
func (c *calendarStats) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.subscriptions, c.expiry, c.dirty, c.mailboxes} {
		ch <- d
	}
}

// Collect reads them. Where the database does not answer they are absent, and the others are read all the same.
func (c *calendarStats) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), statsTime)
	defer cancel()
	stats, err := c.store.Read(ctx).CalendarStats()
	if err != nil {
		c.log.WarnContext(ctx, "the calendars could not be counted", "err", err)
		return
	}
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	for _, state := range []model.SubscriptionState{model.SubscriptionPending, model.SubscriptionActive, model.SubscriptionFailed} {
		gauge(c.subscriptions, float64(stats.Subscriptions[state]), string(state))
	}
	for _, state := range []model.MailboxState{model.MailboxPending, model.MailboxActive, model.MailboxMissing, model.MailboxBlocked, model.MailboxOff} {
		gauge(c.mailboxes, float64(stats.Mailboxes[state]), string(state))
	}
	gauge(c.dirty, float64(stats.Dirty))
	if stats.Expiry != nil {
		gauge(c.expiry, stats.Expiry.Sub(c.now()).Seconds())
	}
}
