package api

import (
	"context"
	"net/http"
	"strconv"

	"usher/internal/webhook"
	"usher/model"
	"usher/model/store"
)

// WebhookInput is a new endpoint.
type WebhookInput struct {
	URL           string   `json:"url" minLength:"1" maxLength:"2000" doc:"Where messages are posted to; https." example:"https://app.contoso.com/webhooks"`
	Description   string   `json:"description,omitempty" maxLength:"200"`
	Types         []string `json:"types,omitempty" maxItems:"100" doc:"Types of changes; account.* is all of a kind, and none is everything." example:"[\"account.*\"]"`
	IntegrationID *string  `json:"integration_id,omitempty" maxLength:"100" doc:"Only changes of this integration."`
}

// WebhookPatch is what of an endpoint is to be changed. What is absent stays as it is.
type WebhookPatch struct {
	URL           optional[string]             `json:"url,omitzero"`
	Description   optional[string]             `json:"description,omitzero"`
	Types         optional[[]string]           `json:"types,omitzero" doc:"Types of changes; none is everything."`
	IntegrationID optional[string]             `json:"integration_id,omitzero" doc:"Only changes of this integration; null is of all."`
	State         optional[model.WebhookState] `json:"state,omitzero" enum:"active,paused" doc:"One that becomes active again is told of everything that it missed."`
}

// NewWebhook is an endpoint with its secret, which is shown this once.
type NewWebhook struct {
	model.WebhookEndpoint
	Secret string `json:"secret" doc:"What messages are signed with (Standard Webhooks). It cannot be shown again."`
}

// NewWebhookSecret is a secret that is shown this once.
type NewWebhookSecret struct {
	Secret string `json:"secret" doc:"Messages are signed with it, and for 24 hours with the one before too."`
}

// DeliveriesInput asks for deliveries.
type DeliveriesInput struct {
	IDInput
	PageInput
	State string `query:"state" enum:"pending,delivered,failed"`
	Type  string `query:"type" maxLength:"100" doc:"A type of changes."`
}

// DeliveryRef names a delivery of an endpoint.
type DeliveryRef struct {
	IDInput
	DeliveryID string `path:"delivery_id" maxLength:"100" doc:"Of the delivery."`
}

// DeliveryView is a delivery with the body of its request.
type DeliveryView struct {
	model.WebhookDelivery
	Body *webhook.Message `json:"body" doc:"What was sent; null where the change is older than the feed is kept."`
}

// ReplayInput is a range of the feed.
type ReplayInput struct {
	IDInput
	Body struct {
		From string `json:"from" pattern:"^[0-9]{1,18}$" doc:"The first change's place in the feed (its id)."`
		To   string `json:"to,omitempty" pattern:"^[0-9]{1,18}$" doc:"The last one's; the end of the feed without it."`
	}
}

func (a *API) webhooks() {
	const path, one = "/webhook-endpoints", "/webhook-endpoints/{id}"
	o := operation{tag: tagFeed, right: model.RightManageIntegrations, conflicts: true}
	register(a, o.with(http.MethodGet, path, "List webhook endpoints").needing(model.RightRead), a.listWebhooks)
	register(a, o.with(http.MethodPost, path, "Create a webhook endpoint").answering(http.StatusCreated).
		says("It is told of what changes from now on, at least once and in order for each subject, signed as Standard Webhooks asks for."), a.createWebhook)
	register(a, o.with(http.MethodGet, one, "Read a webhook endpoint").needing(model.RightRead), a.readWebhook)
	register(a, o.with(http.MethodPatch, one, "Change, pause or resume a webhook endpoint"), a.changeWebhook)
	register(a, o.with(http.MethodDelete, one, "Delete a webhook endpoint").answering(http.StatusNoContent), a.deleteWebhook)
	register(a, o.with(http.MethodPost, one+"/rotate-secret", "Replace the secret of a webhook endpoint").
		says("Both secrets are signed with for 24 hours."), a.rotateWebhook)
	register(a, o.with(http.MethodPost, one+"/test", "Send a test message").answering(http.StatusAccepted).
		says("Answers the delivery, whose attempt can be read a moment later."), a.testWebhook)
	register(a, o.with(http.MethodPost, one+"/replay", "Tell a range of the change feed again").answering(http.StatusAccepted), a.replayWebhook)
	register(a, o.with(http.MethodGet, one+"/deliveries", "List deliveries, the newest first").needing(model.RightRead), a.listDeliveries)
	register(a, o.with(http.MethodGet, one+"/deliveries/{delivery_id}", "Read a delivery with its body").needing(model.RightRead), a.readDelivery)
	register(a, o.with(http.MethodPost, one+"/deliveries/{delivery_id}/resend", "Send a message again").answering(http.StatusAccepted), a.resendDelivery)
}

func (a *API) listWebhooks(ctx context.Context, in *struct{ PageInput }) (*answer[page[model.WebhookEndpoint]], error) {
	read := func(after string, limit int) ([]model.WebhookEndpoint, error) {
		return a.store.Read(ctx).WebhookEndpointsAfter(org(ctx), after, limit)
	}
	return paged(in.PageInput, read, func(e model.WebhookEndpoint) string { return e.ID }, itself)
}

func (a *API) createWebhook(ctx context.Context, in *struct{ Body WebhookInput }) (*answer[NewWebhook], error) {
	e, text, err := a.svc.CreateWebhookEndpoint(ctx, model.WebhookEndpoint{
		OrganizationID: org(ctx), URL: in.Body.URL, Description: in.Body.Description, Types: present(in.Body.Types), IntegrationID: in.Body.IntegrationID,
	})
	return answered(NewWebhook{e, text}, err)
}

func (a *API) readWebhook(ctx context.Context, in *IDInput) (*answer[model.WebhookEndpoint], error) {
	return answered(a.store.Read(ctx).WebhookEndpoint(org(ctx), in.ID))
}

func (a *API) changeWebhook(ctx context.Context, in *struct {
	IDInput
	Body WebhookPatch
},
) (*answer[model.WebhookEndpoint], error) {
	return answered(a.svc.ChangeWebhookEndpoint(ctx, org(ctx), in.ID, func(e *model.WebhookEndpoint) {
		b := in.Body
		b.URL.into(&e.URL, "")
		b.Description.into(&e.Description, "")
		b.Types.into(&e.Types, []string{})
		b.State.into(&e.State, model.WebhookActive)
		switch {
		case b.IntegrationID.null:
			e.IntegrationID = nil
		case b.IntegrationID.set:
			e.IntegrationID = &b.IntegrationID.value
		}
	}))
}

func (a *API) deleteWebhook(ctx context.Context, in *IDInput) (*nothing, error) {
	return done(a.svc.DeleteWebhookEndpoint(ctx, org(ctx), in.ID))
}

func (a *API) rotateWebhook(ctx context.Context, in *IDInput) (*answer[NewWebhookSecret], error) {
	text, err := a.svc.RotateWebhookSecret(ctx, org(ctx), in.ID)
	return answered(NewWebhookSecret{text}, err)
}

func (a *API) testWebhook(ctx context.Context, in *IDInput) (*answer[model.WebhookDelivery], error) {
	return answered(a.svc.TestWebhookEndpoint(ctx, org(ctx), in.ID))
}

func (a *API) replayWebhook(ctx context.Context, in *ReplayInput) (*answer[model.WebhookEndpoint], error) {
	from, err := strconv.ParseInt(in.Body.From, 10, 64)
	if err != nil {
		return nil, model.FieldErrorf(model.Invalid, "from", "is not a place in the feed")
	}
	to := int64(1<<63 - 1)
	if in.Body.To != "" {
		if to, err = strconv.ParseInt(in.Body.To, 10, 64); err != nil {
			return nil, model.FieldErrorf(model.Invalid, "to", "is not a place in the feed")
		}
	}
	return answered(a.svc.ReplayWebhooks(ctx, org(ctx), in.ID, from, to))
}

func (a *API) listDeliveries(ctx context.Context, in *DeliveriesInput) (*answer[page[model.WebhookDelivery]], error) {
	if _, err := a.store.Read(ctx).WebhookEndpoint(org(ctx), in.ID); err != nil {
		return nil, err
	}
	filter := store.DeliveryFilter{State: model.DeliveryState(in.State), Type: model.ChangeType(in.Type)}
	read := func(before string, limit int) ([]model.WebhookDelivery, error) {
		return a.store.Read(ctx).WebhookDeliveriesBefore(org(ctx), in.ID, filter, before, limit)
	}
	return paged(in.PageInput, read, func(d model.WebhookDelivery) string { return d.ID }, itself)
}

func (a *API) readDelivery(ctx context.Context, in *DeliveryRef) (*answer[DeliveryView], error) {
	read := a.store.Read(ctx)
	d, err := read.WebhookDelivery(org(ctx), in.ID, in.DeliveryID)
	if err != nil {
		return nil, err
	}
	body, err := webhook.Body(read, d)
	return answered(DeliveryView{d, body}, err)
}

func (a *API) resendDelivery(ctx context.Context, in *DeliveryRef) (*answer[model.WebhookDelivery], error) {
	return answered(a.svc.ResendWebhook(ctx, org(ctx), in.ID, in.DeliveryID))
}
