package graphapi

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"usher/model/outlook"
)

func subscriptionProperties() []string {
	return []string{
		"id", "resource", "applicationId", "changeType", "clientState", "notificationUrl", "notificationQueryOptions",
		"notificationContentType", "lifecycleNotificationUrl", "expirationDateTime", "creatorId", "includeResourceData",
		"latestSupportedTlsVersion", "encryptionCertificate", "encryptionCertificateId", "notificationUrlAppId",
	}
}

// renderSubscription is a subscription as Graph tells it; what the tenant does not keep is null.
func (c *call) renderSubscription(sub outlook.Subscription) object {
	o := object{}
	for _, name := range subscriptionProperties() {
		o[name] = nil
	}
	o["id"], o["resource"], o["applicationId"] = sub.ID, sub.Resource, c.claims.AppID
	o["changeType"], o["notificationUrl"] = "created,updated,deleted", sub.NotificationURL
	o["expirationDateTime"], o["creatorId"] = stamp(sub.ExpiresAt), c.claims.ObjectID
	o["latestSupportedTlsVersion"] = "v1_2"
	return o
}

func (s *Server) subscriptionAnswer(c *call, status int, o object) (answer, error) {
	o["@odata.context"] = s.GraphURL + "/" + c.version + "/$metadata#subscriptions/$entity"
	return jsonAnswer(status, o)
}

// subscribe reads a subscription; the tenant calls the URLs before this answers.
func (s *Server) subscribe(ctx context.Context, c *call) (answer, error) {
	fields, err := c.fields("subscription", subscriptionProperties()...)
	if err != nil {
		return answer{}, err
	}
	r := &reader{fields: fields}
	asked := outlook.NewSubscription{
		NotificationURL: r.text("notificationUrl"), LifecycleURL: r.text("lifecycleNotificationUrl"),
		ClientState: r.text("clientState"), ExpiresAt: r.instant("expirationDateTime"),
	}
	if asked.Calendar, err = resource(r.text("resource")); err != nil {
		r.fail(err)
	}
	r.join(&reader{err: changeTypes(r.text("changeType"))})
	rich := r.flag("includeResourceData")
	switch {
	case r.err != nil:
		return answer{}, r.err
	case asked.NotificationURL == "" || asked.ExpiresAt.IsZero():
		return answer{}, refuse(400, "ValidationError", "notificationUrl and expirationDateTime are required.")
	case len([]rune(asked.ClientState)) > 128:
		return answer{}, refuse(400, "ValidationError", "clientState must not be longer than 128 characters.")
	case rich != nil && *rich:
		return answer{}, notHeld("notifications with resource data")
	}
	made, err := s.world.Subscribe(ctx, asked)
	if err != nil {
		return answer{}, err
	}
	o := c.renderSubscription(made)
	o["clientState"], o["lifecycleNotificationUrl"] = orNull(asked.ClientState), orNull(asked.LifecycleURL)
	return s.subscriptionAnswer(c, http.StatusCreated, o)
}

// resource reads users/{id}/events or users/{id}/calendars/{id}/events.
func resource(text string) (outlook.CalendarRef, error) {
	parts := strings.Split(strings.Trim(text, "/"), "/")
	for i, part := range parts {
		if plain, err := url.PathUnescape(part); err == nil {
			parts[i] = plain
		}
	}
	static := func(at int, name string) bool { return strings.EqualFold(parts[at], name) }
	switch {
	case len(parts) == 3 && static(0, "users") && static(2, "events"):
		return outlook.CalendarRef{Mailbox: parts[1]}, nil
	case len(parts) == 5 && static(0, "users") && static(2, "calendars") && static(4, "events"):
		return outlook.CalendarRef{Mailbox: parts[1], Calendar: parts[3]}, nil
	}
	return outlook.CalendarRef{}, refuse(400, "InvalidRequest", "The value '"+text+"' of parameter 'Resource' is not supported.")
}

// changeTypes refuses what Graph does not know, and what the tenant cannot: to be told of some changes only.
func changeTypes(text string) error {
	known := []string{"created", "deleted", "updated"}
	var asked []string
	for one := range strings.SplitSeq(text, ",") {
		one = strings.ToLower(strings.TrimSpace(one))
		if !slices.Contains(known, one) {
			return refuse(400, "ValidationError", "The value '"+text+"' of changeType is invalid.")
		}
		asked = append(asked, one)
	}
	slices.Sort(asked)
	if !slices.Equal(slices.Compact(asked), known) {
		return notHeld("subscriptions to some types of changes only")
	}
	return nil
}

func (r *reader) instant(name string) time.Time {
	text := r.text(name)
	if text == "" {
		return time.Time{}
	}
	at, err := instant(name, text)
	if err != nil {
		r.fail(err)
	}
	return at
}

func (s *Server) subscriptions(ctx context.Context, c *call) (answer, error) {
	next := ""
	if token := c.query.Get("$skiptoken"); token != "" {
		link, _, ok := s.open(token)
		if !ok {
			return answer{}, badRequest("The skip token is invalid.")
		}
		next = link
	}
	p, err := s.world.Subscriptions(ctx, next)
	if err != nil {
		return answer{}, err
	}
	values := make([]object, 0, len(p.Subscriptions))
	for _, one := range p.Subscriptions {
		values = append(values, c.renderSubscription(one))
	}
	link := ""
	if p.Next != "" {
		link = s.link(c, url.Values(maps.Clone(c.query)), "$skiptoken", linkToken(p.Next))
	}
	return jsonAnswer(http.StatusOK, s.collection(c, "subscriptions", values, link))
}

func (s *Server) subscription(ctx context.Context, c *call) (answer, error) {
	for next := ""; ; {
		p, err := s.world.Subscriptions(ctx, next)
		if err != nil {
			return answer{}, err
		}
		for _, one := range p.Subscriptions {
			if one.ID == c.vars["subscription"] {
				return s.subscriptionAnswer(c, http.StatusOK, c.renderSubscription(one))
			}
		}
		if next = p.Next; next == "" {
			return answer{}, noSubscription()
		}
	}
}

func noSubscription() *outlook.Error {
	return &outlook.Error{Kind: outlook.NotFound, Code: "ResourceNotFound", Message: "The object was not found."}
}

// orGone names the missing thing: a subscription.
func orGone(err error) error {
	if outlook.KindOf(err) == outlook.NotFound {
		return noSubscription()
	}
	return err
}

func (s *Server) renew(ctx context.Context, c *call) (answer, error) {
	fields, err := c.fields("subscription", subscriptionProperties()...)
	if err != nil {
		return answer{}, err
	}
	r := &reader{fields: fields}
	until := r.instant("expirationDateTime")
	switch {
	case r.err != nil:
		return answer{}, r.err
	case r.has("notificationUrl") || r.has("encryptionCertificate"):
		return answer{}, notHeld("changes of a subscription other than of its end")
	case until.IsZero():
		return answer{}, refuse(400, "ValidationError", "expirationDateTime is required.")
	}
	list, err := s.world.Renew(ctx, []outlook.Renewal{{ID: c.vars["subscription"], ExpiresAt: until}})
	if err == nil && len(list) == 1 {
		err = list[0].Err
	}
	if err != nil {
		return answer{}, orGone(err)
	}
	o := c.renderSubscription(outlook.Subscription{ID: list[0].ID, ExpiresAt: list[0].ExpiresAt})
	o["resource"], o["notificationUrl"] = nil, nil
	return s.subscriptionAnswer(c, http.StatusOK, o)
}

func (s *Server) reauthorize(ctx context.Context, c *call) (answer, error) {
	return newAnswer(http.StatusNoContent), orGone(s.world.Reauthorize(ctx, c.vars["subscription"]))
}

// unsubscribe answers 404 to what is gone, as Graph does, though the tenant takes it for no failure.
func (s *Server) unsubscribe(ctx context.Context, c *call) (answer, error) {
	if _, err := s.subscription(ctx, c); err != nil {
		return answer{}, err
	}
	return newAnswer(http.StatusNoContent), orGone(s.world.Unsubscribe(ctx, c.vars["subscription"]))
}
