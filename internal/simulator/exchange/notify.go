package exchange

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"time"
)

// changeType says what has happened to an event.
type changeType string

const (
	created changeType = "created"
	updated changeType = "updated"
	deleted changeType = "deleted"
)

// Graph's delivery, as documented: a first call may take 3 s, a repeated one 10 s; the repeats end after 4 h.
const (
	firstAllowance = 3 * time.Second
	retryAllowance = 10 * time.Second
	firstRetry     = 30 * time.Second
	lastRetry      = 4 * time.Hour
	// batch is how many notifications go out in one call.
	batch = 100
	// reminding is how often a subscription's application is asked to reauthorize it.
	reminding = 15 * time.Minute
)

// notification is one of the values of a call, as Graph writes it.
type notification struct {
	SubscriptionID string        `json:"subscriptionId"`
	ExpiresAt      string        `json:"subscriptionExpirationDateTime"`
	ChangeType     string        `json:"changeType,omitempty"`
	Resource       string        `json:"resource,omitempty"`
	ResourceData   *resourceData `json:"resourceData,omitempty"`
	LifecycleEvent string        `json:"lifecycleEvent,omitempty"`
	ClientState    string        `json:"clientState"`
	TenantID       string        `json:"tenantId"`
}

type resourceData struct {
	Type string `json:"@odata.type"`
	OID  string `json:"@odata.id"`
	ETag string `json:"@odata.etag"`
	ID   string `json:"id"`
}

// delivery is a notification on its way.
type delivery struct {
	due, since time.Time
	attempt    int
	url        string
	sub        *subscription
	value      notification
}

// notify queues what subscriptions have to be told of a change.
func (t *Tenant) notify(it *item, kind changeType) {
	now, f := t.now(), t.faults
	for _, s := range t.subscriptions {
		if s.cal != it.cal || s.mute || !s.expires.After(now) {
			continue
		}
		end := t.endpoint(s.url)
		due := now.Add(t.options.NotificationDelay)
		switch {
		case end.dropUntil.After(now):
			t.lifecycle(s, "missed")
			continue
		case end.slowUntil.After(now):
			due = due.Add(slowDelay)
		}
		if t.chance(f.Missing) {
			if f.TellMissed {
				t.lifecycle(s, "missed")
			}
			continue
		}
		if t.chance(f.Late) {
			due = due.Add(t.upTo(orDefault(f.LateBy, 3*time.Minute)))
		}
		if t.chance(f.Reorder) {
			due = due.Add(t.upTo(5 * time.Second))
		}
		value := t.value(s, it, kind)
		t.queue(s, s.url, due, value)
		if t.chance(f.Duplicate) {
			for range 1 + t.random.IntN(3) {
				t.queue(s, s.url, due.Add(t.upTo(30*time.Second)), value)
			}
		}
		if t.chance(f.Spurious) {
			t.queue(s, s.url, due.Add(t.upTo(5*time.Second)), t.value(s, it, updated))
		}
	}
}

func (t *Tenant) upTo(limit time.Duration) time.Duration {
	return time.Duration(t.random.Int64N(int64(limit)))
}

func (t *Tenant) value(s *subscription, it *item, kind changeType) notification {
	resource := "Users/" + it.cal.box.owner.id + "/Events/" + it.id
	return notification{
		SubscriptionID: s.id, ExpiresAt: s.expires.Format("2006-01-02T15:04:05.0000000+00:00"), ChangeType: string(kind), Resource: resource,
		ResourceData: &resourceData{"#Microsoft.Graph.Event", resource, `W/"` + it.key + `"`, it.id},
		ClientState:  s.state, TenantID: t.options.ID,
	}
}

// lifecycle queues an event about a subscription itself.
func (t *Tenant) lifecycle(s *subscription, event string) {
	if s.lifecycle == "" {
		return
	}
	t.queue(s, s.lifecycle, t.now().Add(t.options.NotificationDelay), notification{
		SubscriptionID: s.id, ExpiresAt: s.expires.Format("2006-01-02T15:04:05.0000000Z"), LifecycleEvent: event, ClientState: s.state, TenantID: t.options.ID,
	})
}

func (t *Tenant) queue(s *subscription, to string, due time.Time, value notification) {
	t.deliveries = append(t.deliveries, &delivery{due: due, since: due, url: to, sub: s, value: value})
}

// remind asks for the reauthorization of those whose token has ended.
func (t *Tenant) remind() {
	now := t.now()
	for _, s := range t.subscriptions {
		if t.unauthorized(s) && now.Sub(s.reminded) >= reminding {
			s.reminded = now
			t.lifecycle(s, "reauthorizationRequired")
		}
	}
}

func (t *Tenant) unauthorized(s *subscription) bool {
	return t.options.TokenLifetime > 0 && t.now().Sub(s.authorized) >= t.options.TokenLifetime
}

// deliverDue sends what is due, and says how many notifications that were.
func (t *Tenant) deliverDue(ctx context.Context) int {
	count := 0
	for ctx.Err() == nil {
		t.mu.Lock()
		list := t.nextCall()
		var body []byte
		allowance := firstAllowance
		if len(list) > 0 {
			body = t.body(list)
			if list[0].attempt > 0 {
				allowance = retryAllowance
			}
		}
		began := t.now()
		t.mu.Unlock()
		if len(list) == 0 {
			break
		}
		count += len(list)
		ok := false
		if t.options.Deliver != nil {
			limited, cancel := context.WithTimeout(ctx, allowance)
			status, _, err := t.options.Deliver(limited, list[0].url, body, "")
			cancel()
			ok = err == nil && status >= 200 && status < 300
		}
		t.mu.Lock()
		took := t.now().Sub(began)
		t.endpoint(list[0].url).answered(t.now(), took)
		if !ok || took > allowance {
			t.again(list)
		}
		t.mu.Unlock()
	}
	return count
}

// nextCall takes the notifications of the next call out of the queue.
func (t *Tenant) nextCall() []*delivery {
	now := t.now()
	slices.SortStableFunc(t.deliveries, func(a, b *delivery) int { return a.due.Compare(b.due) })
	mixed := t.chance(t.faults.Mixed)
	var list, rest []*delivery
	for _, d := range t.deliveries {
		switch {
		case d.due.After(now):
			rest = append(rest, d)
		case d.value.LifecycleEvent == "" && t.unauthorized(d.sub): // held back, for as long as it would be tried
			if d.due = now.Add(time.Minute); now.Sub(d.since) < lastRetry {
				rest = append(rest, d)
			}
		case len(list) == 0 || len(list) < batch && d.attempt == list[0].attempt && sameURL(d.url, list[0].url, mixed):
			list = append(list, d)
		default:
			rest = append(rest, d)
		}
	}
	t.deliveries = rest
	return list
}

// sameURL tells whether two notifications go to one URL, its query aside where they are mixed.
func sameURL(a, b string, mixed bool) bool {
	if a == b || !mixed {
		return a == b
	}
	first, err1 := url.Parse(a)
	second, err2 := url.Parse(b)
	return err1 == nil && err2 == nil && first.Host == second.Host && first.Path == second.Path
}

// body writes a call.
func (t *Tenant) body(list []*delivery) []byte {
	values := make([]notification, 0, len(list)+2)
	for _, d := range list {
		values = append(values, d.value)
	}
	if t.chance(t.faults.Mixed) {
		unknown, forged := list[0].value, list[0].value
		unknown.SubscriptionID, forged.ClientState = t.guid(), t.guid()
		values = append([]notification{unknown}, append(values, forged)...)
	}
	text, err := json.Marshal(map[string]any{"value": values})
	if err != nil {
		panic("exchange: a notification that cannot be written: " + err.Error())
	}
	return text
}

// again queues what did not arrive, with a longer wait each time; what has waited for too long is missed.
func (t *Tenant) again(list []*delivery) {
	now := t.now()
	for _, d := range list {
		end := d.since.Add(lastRetry)
		if !now.Before(end) {
			if d.value.LifecycleEvent == "" {
				t.lifecycle(d.sub, "missed")
			}
			continue
		}
		d.due = now.Add(firstRetry << min(d.attempt, 20))
		if d.due.After(end) {
			d.due = end
		}
		d.attempt++
		t.deliveries = append(t.deliveries, d)
	}
}
