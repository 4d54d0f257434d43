package storetest

import (
	"errors"
	"reflect"

	"usher/model"
	"usher/model/store"
)

// addWebhooks adds an endpoint that is told of one integration's changes, with a secret and a message that waits.
func (w *world) addWebhooks(tx *store.Tx, name string) error {
	w.endpoint = model.WebhookEndpoint{
		OrganizationID: w.org, URL: "https://" + name + ".contoso.com", Description: name, IntegrationID: &w.ref.IntegrationID,
		State: model.WebhookActive,
	}
	if err := tx.InsertWebhookEndpoint(&w.endpoint); err != nil {
		return err
	}
	w.webhookSecret = model.WebhookSecret{ID: store.NewID(), OrganizationID: w.org, EndpointID: w.endpoint.ID, KeyID: name, Sealed: []byte(name)}
	list := []model.WebhookDelivery{newDelivery(w.endpoint, name)}
	err := errors.Join(tx.InsertWebhookSecret(&w.webhookSecret), tx.InsertWebhookDeliveries(list))
	w.delivery = list[0]
	return err
}

// newDelivery gives a message of a change of the subject that waits, and is not stored yet.
func newDelivery(e model.WebhookEndpoint, subject string) model.WebhookDelivery {
	return model.WebhookDelivery{
		OrganizationID: e.OrganizationID, EndpointID: e.ID, MessageID: "msg_" + subject, Type: model.AccountUpdated, Subject: subject,
		Kind: model.DeliveryOfChange, State: model.DeliveryPending,
	}
}

// webhookArguments is arguments for the types of webhooks.
func webhookArguments(in reflect.Type, org string, w *world) ([]reflect.Value, bool) {
	if in != reflect.TypeFor[[]model.WebhookDelivery]() {
		return nil, false
	}
	v := w.delivery
	v.ID, v.OrganizationID = "", org
	return []reflect.Value{reflect.ValueOf([]model.WebhookDelivery{v})}, true
}
