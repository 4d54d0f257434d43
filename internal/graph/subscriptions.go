package graph

import (
	"context"
	"time"

	"github.com/microsoftgraph/msgraph-sdk-go/models"
	sdk "github.com/microsoftgraph/msgraph-sdk-go/subscriptions"

	"usher/model/outlook"
)

// shortLife is how long a subscription may live where Graph finds the time asked for too long: 15 minutes less than the 4,230
// that were the limit before, and still are in some clouds.
const shortLife = 4215 * time.Minute

// subscriptions gives the SDK's builder of requests below /subscriptions.
func (c *Client) subscriptions() *sdk.SubscriptionsRequestBuilder {
	return sdk.NewSubscriptionsRequestBuilderInternal(map[string]string{}, c.adapter)
}

// Subscribe asks to be told of changes. Graph calls both URLs before it answers. It passes the gate of the mailbox, so that a
// notification URL that is slow to answer delays no other mailbox.
func (c *Client) Subscribe(ctx context.Context, s outlook.NewSubscription) (outlook.Subscription, error) {
	switch {
	case unnamed(s.Calendar.Mailbox):
		return outlook.Subscription{}, missing("a mailbox")
	case s.NotificationURL == "":
		return outlook.Subscription{}, missing("a notification URL")
	case len(s.ClientState) > 128:
		return outlook.Subscription{}, badValue("the client state has more than 128 characters")
	}
	made, err := c.subscribe(ctx, s, s.ExpiresAt)
	if outlook.KindOf(err) == outlook.TooLong {
		return c.subscribe(ctx, s, c.now().Add(shortLife))
	}
	return made, err
}

func (c *Client) subscribe(ctx context.Context, s outlook.NewSubscription, until time.Time) (outlook.Subscription, error) {
	changes, resource, end, tls := "created,updated,deleted", resourceOf(s.Calendar), until.UTC().Truncate(time.Second), "v1_2"
	body := models.NewSubscription()
	body.SetChangeType(&changes)
	body.SetResource(&resource)
	body.SetNotificationUrl(&s.NotificationURL)
	body.SetExpirationDateTime(&end)
	body.SetLatestSupportedTlsVersion(&tls)
	if s.LifecycleURL != "" {
		body.SetLifecycleNotificationUrl(&s.LifecycleURL)
	}
	if s.ClientState != "" {
		body.SetClientState(&s.ClientState)
	}
	info, err := c.subscriptions().ToPostRequestInformation(ctx, body, nil)
	made, err := fetch[models.Subscriptionable](ctx, c,
		call{operation: opSubscribe, mailbox: s.Calendar.Mailbox, prefer: []string{preferImmutable}}, info, err,
		models.CreateSubscriptionFromDiscriminatorValue)
	if err != nil {
		return outlook.Subscription{}, err
	}
	result := subscription(made)
	if result.ID == "" || result.ExpiresAt.IsZero() {
		return outlook.Subscription{}, unreadable("the answer is a subscription without id or end")
	}
	return result, nil
}

// resourceOf is the path of what is watched: of the default calendar without its id, because the documented path has none.
func resourceOf(cal outlook.CalendarRef) string {
	if cal.Calendar == "" {
		return "users/" + cal.Mailbox + "/events"
	}
	return "users/" + cal.Mailbox + "/calendars/" + cal.Calendar + "/events"
}

func subscription(m models.Subscriptionable) outlook.Subscription {
	return outlook.Subscription{
		ID:              value(m.GetId()),
		Resource:        value(m.GetResource()),
		NotificationURL: value(m.GetNotificationUrl()),
		ExpiresAt:       moved(m.GetExpirationDateTime()),
	}
}

// Reauthorize lets a subscription live on after its token has ended, without a later end.
func (c *Client) Reauthorize(ctx context.Context, id string) error {
	if unnamed(id) {
		return missing("a subscription")
	}
	info, err := c.subscriptions().BySubscriptionId(id).Reauthorize().ToPostRequestInformation(ctx, nil)
	return c.push(ctx, call{operation: "subscriptions.reauthorize", safe: true}, info, err)
}

// Unsubscribe ends a subscription; one that is gone already is no failure.
func (c *Client) Unsubscribe(ctx context.Context, id string) error {
	if unnamed(id) {
		return missing("a subscription")
	}
	info, err := c.subscriptions().BySubscriptionId(id).ToDeleteRequestInformation(ctx, nil)
	err = c.push(ctx, call{operation: "subscriptions.delete", safe: true}, info, err)
	if outlook.KindOf(err) == outlook.NotFound {
		return nil
	}
	return err
}

// Subscriptions gives a page of all subscriptions of this application in the tenant.
func (c *Client) Subscriptions(ctx context.Context, next string) (outlook.SubscriptionPage, error) {
	info, err := c.subscriptions().ToGetRequestInformation(ctx, nil)
	if err := c.follow(info, next); err != nil {
		return outlook.SubscriptionPage{}, err
	}
	page, err := fetch[models.SubscriptionCollectionResponseable](ctx, c, call{operation: "subscriptions.list", safe: true}, info, err,
		models.CreateSubscriptionCollectionResponseFromDiscriminatorValue)
	if err != nil {
		return outlook.SubscriptionPage{}, err
	}
	var result outlook.SubscriptionPage
	for _, found := range page.GetValue() {
		if found != nil && value(found.GetId()) != "" {
			result.Subscriptions = append(result.Subscriptions, subscription(found))
		}
	}
	result.Next, err = c.link(page.GetOdataNextLink())
	return result, err
}
