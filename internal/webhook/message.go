package webhook

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"usher/model"
	"usher/model/store"
)

// Message is the body of a webhook, in the form that Standard Webhooks proposes: what happened, when, and to what.
type Message struct {
	ID            string           `json:"id"` // the webhook-id: of the change, whatever endpoint it is told to and however often
	Type          model.ChangeType `json:"type"`
	Timestamp     time.Time        `json:"timestamp"` // when it happened
	Data          json.RawMessage  `json:"data"`      // what changed, as in the change feed
	Subject       Subject          `json:"subject"`
	Sequence      *int64           `json:"sequence"` // its place in the change feed; null in a test
	IntegrationID *string          `json:"integration_id"`
	Actor         string           `json:"actor"`
	RunID         *string          `json:"run_id"` // of the run that did it
}

// Subject is what a change is about.
type Subject struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

// MessageID names the message of a change.
func MessageID(position int64) string { return "chg_" + strconv.FormatInt(position, 10) }

// Of gives the message of a change that has a position.
func Of(c model.Change) Message {
	m := Message{
		ID: MessageID(*c.Position), Type: c.Type, Timestamp: c.OccurredAt, Data: c.Data, Subject: Subject{c.SubjectType, c.SubjectID},
		Sequence: c.Position, IntegrationID: c.IntegrationID, Actor: c.Actor,
	}
	if run, ok := strings.CutPrefix(c.Actor, "run:"); ok {
		m.RunID = &run
	}
	return m
}

// test gives the message of a delivery that an administrator asked for.
func test(d model.WebhookDelivery) Message {
	data, _ := json.Marshal(map[string]string{"endpoint_id": d.EndpointID, "note": "This message was sent to try the endpoint; nothing has happened."})
	return Message{
		ID: d.MessageID, Type: d.Type, Timestamp: d.CreatedAt, Data: data, Subject: Subject{"webhook_endpoint", d.EndpointID}, Actor: "usher",
	}
}

// subjectOf names what a change is about, so that deliveries of one subject keep their order.
func subjectOf(c model.Change) string { return c.SubjectType + ":" + c.SubjectID }

// Body gives the message of a delivery, nil where its change is not kept any more.
func Body(read *store.Reader, d model.WebhookDelivery) (*Message, error) {
	if d.Kind == model.DeliveryTest || d.Position == nil {
		m := test(d)
		return &m, nil
	}
	found, err := read.ChangesAt(d.OrganizationID, *d.Position, *d.Position, 1)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	m := Of(found[0])
	return &m, nil
}
