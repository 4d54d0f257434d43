package directory

import (
	"context"

	"usher/model"
	"usher/model/store"
)

// endWebhooks ends the endpoints that are told of nothing but an integration that is being removed. One that is active is told of what
// happened until then, the removal included, and disabled behind that, by who tells it; one that is paused is disabled now.
func (s *Service) endWebhooks(ctx context.Context, tx *store.Tx, ref model.Ref) error {
	list, err := tx.WebhooksOfIntegration(ref)
	if err != nil {
		return err
	}
	for i := range list {
		e := &list[i]
		if e.State == model.WebhookDisabled {
			continue // for a reason of its own
		}
		e.Reason = model.WebhookIntegrationRemoved
		if e.State == model.WebhookPaused {
			e.State = model.WebhookDisabled
			if err := s.tellWebhookDisabled(ctx, tx, e); err != nil {
				return err
			}
		}
		if err := tx.UpdateWebhookEndpoint(e); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) tellWebhookDisabled(ctx context.Context, tx *store.Tx, e *model.WebhookEndpoint) error {
	data := map[string]string{"url": e.URL, "reason": e.Reason}
	if err := tx.Tell(model.Change{
		OrganizationID: e.OrganizationID, Type: model.WebhookWasDisabled, SubjectType: "webhook_endpoint", SubjectID: e.ID, Actor: ActorOf(ctx),
	}, data); err != nil {
		return err
	}
	return s.logSetting(ctx, tx, e.OrganizationID, e.IntegrationID, "webhook_endpoint.disabled", "webhook_endpoint", e.ID, e.URL,
		"webhook endpoint "+e.URL+" is not called any more: "+e.Reason, data)
}
