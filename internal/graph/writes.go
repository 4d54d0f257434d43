package graph

import (
	"context"

	sdkusers "github.com/microsoftgraph/msgraph-sdk-go/users"

	"usher/model/outlook"
)

// CreateEvent makes an event; invitations go to its attendees at once. A second one with the transaction id of the first gives
// the first, which is why only those with a transaction id are repeated after a failure.
func (c *Client) CreateEvent(ctx context.Context, cal outlook.CalendarRef, draft outlook.Draft) (outlook.Event, error) {
	if unnamed(cal.Mailbox) {
		return outlook.Event{}, missing("a mailbox")
	}
	body, err := written(draft, true)
	if err != nil {
		return outlook.Event{}, err
	}
	info, err := c.users().ByUserId(cal.Mailbox).Events().ToPostRequestInformation(ctx, body, nil)
	created, err := c.one(ctx, call{
		operation: "events.create", mailbox: cal.Mailbox, safe: draft.TransactionID != "", prefer: readPrefer(),
	}, inCalendar(info, cal), err)
	return marked(created, draft, err)
}

// UpdateEvent changes an event, or one occurrence of a series, if it still has the change key; "" changes it anyway. It is not
// repeated: a change that was carried out before its answer was lost would then be in conflict with itself.
func (c *Client) UpdateEvent(ctx context.Context, cal outlook.CalendarRef, id string, draft outlook.Draft, changeKey string) (outlook.Event, error) {
	if err := checkEvent(cal, id); err != nil {
		return outlook.Event{}, err
	}
	body, err := written(draft, false)
	if err != nil {
		return outlook.Event{}, err
	}
	info, err := c.users().ByUserId(cal.Mailbox).Events().ByEventId(id).ToPatchRequestInformation(ctx, body, nil)
	updated, err := c.one(ctx, call{
		operation: "events.update", mailbox: cal.Mailbox, prefer: readPrefer(), ifMatch: changeKey,
	}, inCalendar(info, cal), err)
	return marked(updated, draft, err)
}

// marked adds the mark, which no answer to a write has in it.
func marked(e outlook.Event, draft outlook.Draft, err error) (outlook.Event, error) {
	if err == nil && e.Origin == "" {
		e.Origin = draft.Origin
	}
	return e, err
}

// CancelEvent calls a meeting off, and tells its attendees; the organizer's copy alone.
func (c *Client) CancelEvent(ctx context.Context, cal outlook.CalendarRef, id, comment string) error {
	if err := checkEvent(cal, id); err != nil {
		return err
	}
	body := sdkusers.NewItemEventsItemCancelPostRequestBody()
	if comment != "" {
		body.SetComment(&comment)
	}
	info, err := c.users().ByUserId(cal.Mailbox).Events().ByEventId(id).Cancel().ToPostRequestInformation(ctx, body, nil)
	return c.push(ctx, call{operation: opCancel, mailbox: cal.Mailbox, prefer: []string{preferImmutable}}, inCalendar(info, cal), err)
}

// DeleteEvent moves an event to the deleted items, if it still has the change key; "" deletes it anyway. A repetition of one that
// was carried out finds nothing: NotFound.
func (c *Client) DeleteEvent(ctx context.Context, cal outlook.CalendarRef, id, changeKey string) error {
	if err := checkEvent(cal, id); err != nil {
		return err
	}
	info, err := c.users().ByUserId(cal.Mailbox).Events().ByEventId(id).ToDeleteRequestInformation(ctx, nil)
	return c.push(ctx, call{
		operation: "events.delete", mailbox: cal.Mailbox, safe: true, prefer: []string{preferImmutable}, ifMatch: changeKey,
	}, inCalendar(info, cal), err)
}
