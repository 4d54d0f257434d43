package store

import (
	"time"

	"usher/model"
)

func exactSubscription(u *model.CalendarSubscription) {
	u.ExpiresAt, u.RenewAt, u.TouchedAt, u.NotifiedAt = exact(u.ExpiresAt), exact(u.RenewAt), exact(u.TouchedAt), exact(u.NotifiedAt)
}

// SaveSubscription writes all of a calendar's subscription.
func (tx *Tx) SaveSubscription(c *model.Calendar) error {
	exactSubscription(&c.Subscription)
	return tx.update(c, "calendar", c.ID, []string{
		"sub_state", "sub_graph_id", "sub_secret_hash", "sub_expires_at", "sub_renew_at", "sub_touched_at", "sub_notified_at", "sub_failures",
		"sub_detail", "sub_unsupported",
	}, "organization_id = ? AND integration_id = ? AND id = ?", c.OrganizationID, c.IntegrationID, c.ID)
}

// SubscriptionsDue gives, in the order of ids, enabled calendars of every organization that are to be subscribed to, or whose
// subscription is to be renewed or tried again.
func (r *Reader) SubscriptionsDue(now time.Time, after string, limit int) ([]model.Calendar, error) {
	after, err := cursor(after)
	if err != nil {
		return nil, err
	}
	behind, order := r.behind()
	now = now.UTC()
	const index, subscribing = "calendars_subscribing", "enabled AND sub_state <> 'none' AND sub_state = "
	due := r.dueBy([]dueCalendars{
		{index, subscribing + "'pending'"}, {index, subscribing + "'active' AND sub_renew_at <= ?"}, {index, subscribing + "'failed' AND sub_renew_at <= ?"},
	})
	return r.calendars(due+" AND "+behind+order+" LIMIT ?", now, now, after, limit)
}

// SubscribedAfter gives a page of the integration's calendars that have a subscription, in the order of ids.
func (r *Reader) SubscribedAfter(ref model.Ref, after string, limit int) ([]model.Calendar, error) {
	after, err := cursor(after)
	if err != nil || !ValidID(ref.IntegrationID) {
		return []model.Calendar{}, err
	}
	// In a form that does not offer the index of subscriptions, which has no order of use.
	return r.calendars("organization_id = ? AND integration_id = ? AND id > ? AND length(sub_graph_id) > 0 ORDER BY id LIMIT ?",
		ref.OrganizationID, ref.IntegrationID, after, limit)
}

// CalendarBySubscription reads the calendar, of whatever organization, that a subscription is of: for lifecycle notifications,
// which know no more.
func (r *Reader) CalendarBySubscription(graphID string) (model.Calendar, error) {
	if graphID == "" {
		return model.Calendar{}, notFound("subscription", graphID)
	}
	list, err := r.calendars("sub_graph_id = ? AND sub_graph_id <> '' LIMIT 1", graphID)
	return first(list, err, "subscription", graphID)
}
