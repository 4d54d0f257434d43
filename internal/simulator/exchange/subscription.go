package exchange

import (
	"context"
	"slices"
	"strings"
	"time"

	"usher/model/outlook"
)

// The lives of subscriptions, as documented.
const (
	minLifetime = 45 * time.Minute
	// apart is how far a reauthorization and a renewal have to be from one another; Graph loses the subscription otherwise.
	apart = 10 * time.Minute
	// validationTime is what a URL may take to answer a validation call.
	validationTime = 10 * time.Second
)

// subscription is an application's wish to be told of the changes of a calendar.
type subscription struct {
	id, app               string
	cal                   *calendar
	resource              string
	url, lifecycle, state string
	expires, authorized   time.Time
	renewed, reauthorized time.Time
	reminded              time.Time
	mute                  bool
}

func (s *subscription) shown() outlook.Subscription {
	return outlook.Subscription{ID: s.id, Resource: s.resource, NotificationURL: s.url, ExpiresAt: s.expires}
}

// Subscribe asks to be told of changes. Both URLs are called before it is answered, without the tenant's lock: the application
// may ask for other things meanwhile.
func (c *Client) Subscribe(ctx context.Context, n outlook.NewSubscription) (outlook.Subscription, error) {
	if err := ctx.Err(); err != nil {
		return outlook.Subscription{}, err
	}
	what := call{method: "Subscribe", mailbox: n.Calendar.Mailbox, target: n.NotificationURL, needs: []string{"Calendars.Read"}}
	t := c.tenant
	var s *subscription
	t.mu.Lock()
	err := t.allow(what)
	if err == nil {
		s, err = t.newSubscription(c.app, n)
	}
	t.mu.Unlock()
	if err == nil {
		err = t.validate(ctx, n.NotificationURL, n.LifecycleURL)
	}

	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil {
		err = t.admit(s)
	}
	if err = t.record(c.app, what, err); err != nil {
		return outlook.Subscription{}, err
	}
	t.subscriptions = append(t.subscriptions, s)
	return s.shown(), nil
}

// newSubscription checks what is asked for.
func (t *Tenant) newSubscription(app string, n outlook.NewSubscription) (*subscription, error) {
	b, err := t.reach(n.Calendar.Mailbox)
	if err != nil {
		return nil, err
	}
	cal, err := b.calendar(n.Calendar.Calendar)
	if err != nil {
		return nil, err
	}
	if t.faults.RefuseSubscription != nil {
		refused := *t.faults.RefuseSubscription
		return nil, &refused
	}
	if n.NotificationURL == "" || len(n.ClientState) > 128 {
		return nil, failure(outlook.Invalid, 400, "InvalidRequest", "notificationUrl is required, and clientState has at most 128 characters.")
	}
	now := t.now()
	s := &subscription{
		id: t.guid(), app: app, cal: cal, resource: "users/" + n.Calendar.Mailbox + "/events", url: n.NotificationURL, lifecycle: n.LifecycleURL,
		state: n.ClientState, authorized: now, mute: t.chance(t.faults.Mute),
	}
	if n.Calendar.Calendar != "" {
		s.resource = "users/" + n.Calendar.Mailbox + "/calendars/" + n.Calendar.Calendar + "/events"
	}
	if s.expires, err = t.life(n.ExpiresAt); err != nil {
		return nil, err
	}
	return s, t.admit(s)
}

// life gives the end that a subscription really gets.
func (t *Tenant) life(wanted time.Time) (time.Time, error) {
	now := t.now()
	switch {
	case !wanted.After(now):
		return time.Time{}, failure(outlook.Invalid, 400, "InvalidRequest", "Subscription expiration must be in the future.")
	case wanted.Sub(now) > t.options.MaxLifetime:
		return time.Time{}, tooLong()
	case t.faults.ShortenTo > 0 && wanted.Sub(now) > t.faults.ShortenTo:
		wanted = now.Add(t.faults.ShortenTo)
	}
	if wanted.Sub(now) < minLifetime {
		wanted = now.Add(minLifetime)
	}
	return wanted.UTC(), nil
}

// admit refuses a second subscription of the same things, and one too many.
func (t *Tenant) admit(s *subscription) error {
	t.expire()
	count := 0
	for _, other := range t.subscriptions {
		if other.app == s.app && other.cal == s.cal && strings.EqualFold(other.resource, s.resource) {
			return failure(outlook.Duplicate, 409, "ExtensionError", "Subscription Id %s already exists for the requested combination", other.id)
		}
		if other.cal.box == s.cal.box {
			count++
		}
	}
	if count >= t.options.SubscriptionQuota {
		return failure(outlook.Quota, 403, "ExtensionError", "The number of subscriptions of the mailbox has reached its limit of %d.", t.options.SubscriptionQuota)
	}
	return nil
}

// validate calls each URL with a token of its own, which it has to answer as it is.
func (t *Tenant) validate(ctx context.Context, urls ...string) error {
	for _, url := range urls {
		if url == "" {
			continue
		}
		if t.options.Deliver == nil {
			return validationFailed("Nothing can be reached.")
		}
		t.mu.Lock()
		token := "Validation: Testing client application reachability for subscription Request-Id: " + t.guid() + " a+b%20c"
		began := t.now()
		t.mu.Unlock()
		limited, cancel := context.WithTimeout(ctx, validationTime)
		status, answer, err := t.options.Deliver(limited, url, nil, token)
		cancel()
		switch {
		case err != nil || t.now().Sub(began) > validationTime:
			return validationFailed("Subscription validation request timed out.")
		case status != 200:
			return validationFailed("Notification endpoint must respond with 200 OK to validation request.")
		case answer != token:
			return validationFailed("Notification endpoint must respond with the validation token.")
		}
	}
	return nil
}

// Renew moves the ends of subscriptions, each for itself, in the order they are given.
func (c *Client) Renew(ctx context.Context, list []outlook.Renewal) ([]outlook.Renewed, error) {
	out := make([]outlook.Renewed, 0, len(list))
	for _, r := range list {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		result := outlook.Renewed{ID: r.ID}
		url := ""
		result.Err = c.do(ctx, call{method: "Renew", target: r.ID, needs: []string{"Calendars.Read"}}, func(t *Tenant) error {
			s, err := t.subscription(c.app, r.ID)
			if err != nil {
				return err
			}
			expires, err := t.life(r.ExpiresAt)
			if err != nil {
				return err
			}
			now := t.now()
			if t.chance(t.faults.Vanish) || !s.reauthorized.IsZero() && now.Sub(s.reauthorized) < apart {
				t.take(s) // what it answers is a subscription that is no more
			}
			s.expires, s.authorized, s.renewed = expires, now, now
			result.ExpiresAt = expires
			if t.faults.ValidateRenewals {
				url = s.url
			}
			return nil
		})
		if url != "" && result.Err == nil {
			result.Err = c.tenant.validate(ctx, url)
		}
		out = append(out, result)
	}
	return out, nil
}

// Reauthorize lets a subscription live on after its token has ended, without a later end.
func (c *Client) Reauthorize(ctx context.Context, id string) error {
	return c.do(ctx, call{method: "Reauthorize", target: id, needs: []string{"Calendars.Read"}}, func(t *Tenant) error {
		s, err := t.subscription(c.app, id)
		if err != nil {
			return err
		}
		now := t.now()
		if !s.renewed.IsZero() && now.Sub(s.renewed) < apart {
			t.take(s)
		}
		s.authorized, s.reauthorized = now, now
		return nil
	})
}

// Unsubscribe ends a subscription; one that is gone already is no failure.
func (c *Client) Unsubscribe(ctx context.Context, id string) error {
	return c.do(ctx, call{method: "Unsubscribe", target: id, needs: []string{"Calendars.Read"}}, func(t *Tenant) error {
		if s, err := t.subscription(c.app, id); err == nil {
			t.take(s)
		}
		return nil
	})
}

// Subscriptions gives a page of all subscriptions of this application in the tenant.
func (c *Client) Subscriptions(ctx context.Context, next string) (outlook.SubscriptionPage, error) {
	var page outlook.SubscriptionPage
	err := c.do(ctx, call{method: "Subscriptions", target: next, needs: []string{"Calendars.Read"}}, func(t *Tenant) error {
		t.expire()
		var own []*subscription
		for _, s := range t.subscriptions {
			if s.app == c.app {
				own = append(own, s)
			}
		}
		from, to, following, err := t.bounds(next, len(own))
		if err != nil {
			return err
		}
		for _, s := range own[from:to] {
			page.Subscriptions = append(page.Subscriptions, s.shown())
		}
		page.Next = following
		return nil
	})
	return page, err
}

// subscription finds a subscription of an application.
func (t *Tenant) subscription(app, id string) (*subscription, error) {
	t.expire()
	for _, s := range t.subscriptions {
		if strings.EqualFold(s.id, id) && s.app == app {
			return s, nil
		}
	}
	return nil, noSubscription(id)
}

func (t *Tenant) take(s *subscription) {
	t.subscriptions = slices.DeleteFunc(t.subscriptions, func(other *subscription) bool { return other == s })
}

// expire takes away what has come to its end, without a word.
func (t *Tenant) expire() {
	now := t.now()
	t.subscriptions = slices.DeleteFunc(t.subscriptions, func(s *subscription) bool { return !s.expires.After(now) })
}

func (t *Tenant) dropSubscriptions(u *user) {
	t.subscriptions = slices.DeleteFunc(t.subscriptions, func(s *subscription) bool { return s.cal.box.owner == u })
}

// RemoveSubscription takes a subscription away, as Graph does by itself; the lifecycle event subscriptionRemoved tells of it,
// or nothing does.
func (t *Tenant) RemoveSubscription(id string, tell bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.subscriptions {
		if s.id == id {
			t.take(s)
			if tell {
				t.lifecycle(s, "subscriptionRemoved")
			}
			return
		}
	}
}

// Lifecycle sends a lifecycle event of each live subscription: reauthorizationRequired, missed or subscriptionRemoved.
func (t *Tenant) Lifecycle(event string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.subscriptions {
		t.lifecycle(s, event)
	}
}
