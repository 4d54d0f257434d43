package webhook

import (
	"context"
	"slices"
	"time"

	"usher/model"
	"usher/model/store"
)

// save stores what became of the items, and how far the endpoint has been told.
func (s *step) save(ctx context.Context, items []*item) error {
	now := s.d.Now().UTC()
	for _, i := range items {
		s.settle(i, now)
		if i.known {
			s.again = append(s.again, i.delivery)
		} else {
			s.made = append(s.made, i.delivery)
		}
	}
	switch {
	case s.success:
		s.progress.FailingSince, s.progress.Hurry = nil, s.e.FailingSince != nil
	case s.progress.FailingSince == nil && s.failures > 0:
		s.progress.FailingSince = &now
	}
	reason := ""
	switch {
	case s.gone:
		reason = "the endpoint answered 410 Gone"
	case s.progress.FailingSince != nil && now.Sub(*s.progress.FailingSince) >= disableAfter:
		reason = "no message was taken for " + disableAfter.String() + ": " + s.progress.LastError
	case s.ending() && !slices.ContainsFunc(items, func(i *item) bool { return i.delivery.State == model.DeliveryPending }):
		reason = s.e.Reason
	}
	return s.d.Store.InTx(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		if err := tx.InsertWebhookDeliveries(s.made); err != nil {
			return err
		}
		for i := range s.again {
			if err := tx.UpdateWebhookDelivery(&s.again[i]); err != nil {
				return err
			}
		}
		s.progress.Until = tx.Now().Add(leaseFor)
		if err := tx.SaveWebhookProgress(s.e, s.tenure.lease, s.progress); err != nil || reason == "" {
			return err
		}
		return s.disable(tx, reason)
	})
}

// ending says whether the endpoint is to be disabled when it has been told of everything: its integration was removed.
func (s *step) ending() bool {
	return s.e.Reason != "" && s.told && s.progress.ReplayPosition == nil
}

// settle says what follows from the last attempt. What was not tried, because something before it was not taken or the time was
// over, waits.
func (s *step) settle(i *item, now time.Time) {
	d := &i.delivery
	if !i.tried {
		d.State = model.DeliveryPending
		if d.NextAt == nil {
			d.NextAt = &now
		}
		return
	}
	last := d.Attempts[len(d.Attempts)-1]
	if last.Error == "" {
		d.State, d.NextAt = model.DeliveryDelivered, nil
		return
	}
	after, ok := pause(last.Number)
	if !ok || d.Kind == model.DeliveryTest {
		d.State, d.NextAt = model.DeliveryFailed, nil
		return
	}
	next := now.Add(after)
	d.State, d.NextAt = model.DeliveryPending, &next
}

// disable ends the calls to an endpoint, and tells so.
func (s *step) disable(tx *store.Tx, reason string) error {
	e, err := tx.LockWebhookEndpoint(s.e.OrganizationID, s.e.ID)
	if err != nil {
		return err
	}
	e.State, e.Reason = model.WebhookDisabled, reason
	if err := tx.UpdateWebhookEndpoint(&e); err != nil {
		return err
	}
	data := map[string]string{"url": e.URL, "reason": reason}
	if err := tx.Tell(model.Change{
		OrganizationID: e.OrganizationID, Type: model.WebhookWasDisabled, SubjectType: "webhook_endpoint", SubjectID: e.ID, Actor: "system",
	}, data); err != nil {
		return err
	}
	return tx.Log(model.Activity{
		OrganizationID: e.OrganizationID, Actor: "system", Action: "webhook_endpoint.disabled", SubjectType: "webhook_endpoint", SubjectID: e.ID,
		Subject: e.URL, Summary: "webhook endpoint " + e.URL + " is not called any more: " + reason,
	}, data)
}
