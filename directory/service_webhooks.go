package directory

import (
	"context"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"usher/internal/secret"
	"usher/model"
	"usher/model/store"
)

// The bounds of webhook endpoints.
const (
	maxWebhookEndpoints = 50 // of an organization
	maxWebhookURL       = 2000
	maxWebhookTypes     = 100
	// WebhookOverlap is how long the old secret is signed with beside the new one.
	WebhookOverlap = 24 * time.Hour
)

// CreateWebhookEndpoint makes an endpoint with its first secret, whose text is shown this once. It is told of what changes from now
// on.
func (s *Service) CreateWebhookEndpoint(ctx context.Context, in model.WebhookEndpoint) (model.WebhookEndpoint, string, error) {
	if err := s.checkWebhook(&in); err != nil {
		return in, "", err
	}
	end, err := s.Store.FeedEnd(ctx)
	if err != nil {
		return in, "", err
	}
	in.State, in.Position = model.WebhookActive, end
	var text string
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		if _, err := tx.HoldSettings(in.OrganizationID); err != nil { // so that its integration stays
			return err
		}
		if n, err := tx.CountWebhookEndpoints(in.OrganizationID); err != nil || n >= maxWebhookEndpoints {
			return orElse(err, model.Errorf(model.Refused, "there are %d endpoints already; delete one that is not used", n))
		}
		if err := webhookIntegration(tx, &in); err != nil {
			return err
		}
		if err := tx.InsertWebhookEndpoint(&in); err != nil {
			return err
		}
		if text, err = s.newWebhookSecret(tx, in); err != nil {
			return err
		}
		return s.logWebhook(ctx, tx, &in, "created", nil)
	})
	return in, text, err
}

func (s *Service) newWebhookSecret(tx *store.Tx, e model.WebhookEndpoint) (string, error) {
	text := secret.NewWebhook()
	row := model.WebhookSecret{ID: store.NewID(), OrganizationID: e.OrganizationID, EndpointID: e.ID}
	row.KeyID, row.Sealed = s.Keys.Seal(text, secret.WebhookUse(e.ID, row.ID))
	if err := tx.InsertWebhookSecret(&row); err != nil {
		return "", err
	}
	tx.EndWebhookSecrets(e.OrganizationID, e.ID, row.ID, tx.Now().Add(WebhookOverlap))
	return text, nil
}

// ChangeWebhookEndpoint changes what edit sets of an endpoint: URL, description, types, integration, and whether it is active. One that
// becomes active again is told of everything that it missed.
func (s *Service) ChangeWebhookEndpoint(ctx context.Context, organizationID, id string, edit func(*model.WebhookEndpoint)) (model.WebhookEndpoint, error) {
	var e model.WebhookEndpoint
	err := s.Store.InTx(ctx, func(tx *store.Tx) (err error) {
		if _, err := tx.HoldSettings(organizationID); err != nil { // so that its integration stays
			return err
		}
		if e, err = tx.LockWebhookEndpoint(organizationID, id); err != nil {
			return err
		}
		before := e
		before.Types = slices.Clone(e.Types)
		edit(&e)
		if reflect.DeepEqual(shownWebhook(before), shownWebhook(e)) {
			return nil
		}
		if err := s.checkWebhookChange(tx, &before, &e); err != nil {
			return err
		}
		if e.State == model.WebhookActive && before.State != model.WebhookActive {
			now := tx.Now()
			e.Reason, e.FailingSince, e.LastError, e.NextAt = "", nil, "", &now
		}
		if err := tx.UpdateWebhookEndpoint(&e); err != nil {
			return err
		}
		return s.logWebhook(ctx, tx, &e, "changed", map[string]any{"before": shownWebhook(before), "after": shownWebhook(e)})
	})
	return e, err
}

// checkWebhookChange refuses what an endpoint cannot become. That of an integration that was removed can be edited, but it is made
// active for another one, or for all.
func (s *Service) checkWebhookChange(tx *store.Tx, before, e *model.WebhookEndpoint) error {
	if e.State != before.State && e.State != model.WebhookActive && e.State != model.WebhookPaused {
		return model.FieldErrorf(model.Invalid, "state", "is active or paused")
	}
	if err := s.checkWebhook(e); err != nil {
		return err
	}
	same := reflect.DeepEqual(e.IntegrationID, before.IntegrationID)
	if !same && e.State == model.WebhookActive {
		e.Reason = "" // it goes on
	}
	if same && (e.State == model.WebhookDisabled || before.State == model.WebhookActive) {
		return nil
	}
	return webhookIntegration(tx, e)
}

func shownWebhook(e model.WebhookEndpoint) map[string]any {
	return map[string]any{"url": e.URL, "description": e.Description, "types": e.Types, "integration_id": e.IntegrationID, "state": e.State}
}

// DeleteWebhookEndpoint removes an endpoint with all that was noted of its deliveries.
func (s *Service) DeleteWebhookEndpoint(ctx context.Context, organizationID, id string) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		e, err := tx.LockWebhookEndpoint(organizationID, id)
		if err != nil {
			return err
		}
		if err := tx.DeleteWebhookEndpoint(organizationID, id); err != nil {
			return err
		}
		return s.logWebhook(ctx, tx, &e, "deleted", nil)
	})
}

// RotateWebhookSecret gives an endpoint another secret, whose text is shown this once. Messages are signed with the old one too for
// WebhookOverlap.
func (s *Service) RotateWebhookSecret(ctx context.Context, organizationID, id string) (string, error) {
	var text string
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		e, err := tx.LockWebhookEndpoint(organizationID, id)
		if err != nil {
			return err
		}
		live, err := tx.WebhookSecrets(organizationID, id, tx.Now())
		if err != nil {
			return err
		}
		if len(live) > 1 {
			return model.Errorf(model.Conflict, "the secret was replaced less than %s ago, and two are live; wait until %s",
				WebhookOverlap, live[len(live)-1].EndsAt.UTC().Format(time.RFC3339))
		}
		if text, err = s.newWebhookSecret(tx, e); err != nil {
			return err
		}
		return s.logWebhook(ctx, tx, &e, "secret_rotated", nil)
	})
	return text, err
}

// TestWebhookEndpoint sends an endpoint a message that says that nothing has happened, and gives its delivery.
func (s *Service) TestWebhookEndpoint(ctx context.Context, organizationID, id string) (model.WebhookDelivery, error) {
	var d model.WebhookDelivery
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		e, err := tx.LockWebhookEndpoint(organizationID, id)
		if err != nil {
			return err
		}
		if e.State != model.WebhookActive {
			return model.FieldErrorf(model.Conflict, "state", "the endpoint is %s; make it active first", e.State)
		}
		now := tx.Now()
		d = model.WebhookDelivery{
			ID: store.NewID(), OrganizationID: organizationID, EndpointID: id, Type: model.WebhookTest, Kind: model.DeliveryTest,
			State: model.DeliveryPending, NextAt: &now, Attempts: []model.WebhookAttempt{},
		}
		d.MessageID, d.Subject = "test_"+d.ID, "test:"+d.ID
		list := []model.WebhookDelivery{d}
		if err := tx.InsertWebhookDeliveries(list); err != nil {
			return err
		}
		d, e.NextAt = list[0], &now
		return tx.UpdateWebhookEndpoint(&e)
	})
	return d, err
}

// ResendWebhook has a delivery tried again at once, whatever became of it before.
func (s *Service) ResendWebhook(ctx context.Context, organizationID, endpointID, id string) (model.WebhookDelivery, error) {
	var d model.WebhookDelivery
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		e, err := tx.LockWebhookEndpoint(organizationID, endpointID)
		if err != nil {
			return err
		}
		if d, err = tx.WebhookDelivery(organizationID, endpointID, id); err != nil {
			return err
		}
		if e.State != model.WebhookActive {
			return model.FieldErrorf(model.Conflict, "state", "the endpoint is %s; make it active first", e.State)
		}
		now := tx.Now()
		d.State, d.NextAt, e.NextAt = model.DeliveryPending, &now, &now
		if err := tx.UpdateWebhookDelivery(&d); err != nil {
			return err
		}
		return tx.UpdateWebhookEndpoint(&e)
	})
	return d, err
}

// ReplayWebhooks has an endpoint told again of the changes of a range of the feed, both ends included, as far as they are kept.
func (s *Service) ReplayWebhooks(ctx context.Context, organizationID, id string, from, to int64) (model.WebhookEndpoint, error) {
	end, err := s.Store.FeedEnd(ctx)
	if err != nil {
		return model.WebhookEndpoint{}, err
	}
	var e model.WebhookEndpoint
	err = s.Store.InTx(ctx, func(tx *store.Tx) (err error) {
		if e, err = tx.LockWebhookEndpoint(organizationID, id); err != nil {
			return err
		}
		pruned, err := tx.PrunedChanges()
		switch {
		case err != nil:
			return err
		case to < from:
			return model.FieldErrorf(model.Invalid, "to", "comes before from")
		case from <= pruned:
			return model.FieldErrorf(model.Invalid, "from", "changes up to %d are not kept any more", pruned)
		case from > end:
			return model.FieldErrorf(model.Invalid, "from", "the feed ends at %d", end)
		case e.ReplayPosition != nil:
			return model.Errorf(model.Conflict, "a range is being told again already, up to %d", *e.ReplayUntil)
		}
		behind, until := from-1, min(to, end)
		e.ReplayPosition, e.ReplayUntil = &behind, &until
		if err := tx.UpdateWebhookEndpoint(&e); err != nil {
			return err
		}
		return s.logWebhook(ctx, tx, &e, "replayed", map[string]any{"from": from, "to": until})
	})
	return e, err
}

func (s *Service) logWebhook(ctx context.Context, tx *store.Tx, e *model.WebhookEndpoint, what string, data any) error {
	words := map[string]string{"secret_rotated": "got another secret", "replayed": "is told again of a range of changes"}[what]
	if words == "" {
		words = "was " + what
	}
	return s.logSetting(ctx, tx, e.OrganizationID, e.IntegrationID, "webhook_endpoint."+what, "webhook_endpoint", e.ID, e.URL,
		"webhook endpoint "+e.URL+" "+words, data)
}

func webhookIntegration(tx *store.Tx, e *model.WebhookEndpoint) error {
	if e.IntegrationID == nil {
		return nil
	}
	_, err := tx.Integration(model.Ref{OrganizationID: e.OrganizationID, IntegrationID: *e.IntegrationID})
	if model.KindOf(err) == model.NotFound && err != nil {
		return model.FieldErrorf(model.Invalid, "integration_id", "there is no integration %s", *e.IntegrationID)
	}
	return err
}

// checkWebhook checks what an administrator has entered. Whether the address may be called is known when it is dialled; an address
// that is written out is checked now.
func (s *Service) checkWebhook(e *model.WebhookEndpoint) error {
	u, err := url.Parse(e.URL)
	switch {
	case len(e.URL) > maxWebhookURL:
		return model.FieldErrorf(model.Invalid, "url", "has more than %d characters", maxWebhookURL)
	case err != nil || u.Host == "" || u.Hostname() == "":
		return model.FieldErrorf(model.Invalid, "url", "is not a URL such as https://app.contoso.com/webhooks")
	case u.Scheme != "https" && (u.Scheme != "http" || !s.PlainWebhooks):
		return model.FieldErrorf(model.Invalid, "url", "must begin with https://")
	case u.User != nil || u.Fragment != "":
		return model.FieldErrorf(model.Invalid, "url", "must have neither a user name nor a fragment; messages are signed")
	}
	if a, err := netip.ParseAddr(u.Hostname()); err == nil && s.CheckWebhookAddress != nil {
		if err := s.CheckWebhookAddress(a); err != nil {
			return model.FieldErrorf(model.Invalid, "url", "%s", err)
		}
	}
	if err := checkText("description", e.Description, maxTitle); err != nil {
		return err
	}
	if len(e.Types) > maxWebhookTypes {
		return model.FieldErrorf(model.Invalid, "types", "are more than %d", maxWebhookTypes)
	}
	for _, t := range e.Types {
		if !knownChangeType(t) {
			return model.FieldErrorf(model.Invalid, "types", "%q is neither a type of change nor all of a kind, such as account.*", cut(t, 100))
		}
	}
	return nil
}

func knownChangeType(t string) bool {
	kind, all := strings.CutSuffix(t, ".*")
	return slices.ContainsFunc(model.ChangeTypes(), func(known model.ChangeType) bool {
		return string(known) == t || all && strings.HasPrefix(string(known), kind+".")
	})
}
