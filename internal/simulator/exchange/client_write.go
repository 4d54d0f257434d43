package exchange

import (
	"context"

	"usher/internal/timezone"
	"usher/model/outlook"
)

// CreateEvent makes an event; invitations go to its attendees at once. A second one with the transaction id of the first
// gives the first.
func (c *Client) CreateEvent(ctx context.Context, cal outlook.CalendarRef, draft outlook.Draft) (outlook.Event, error) {
	var e outlook.Event
	err := c.do(ctx, call{method: "CreateEvent", mailbox: cal.Mailbox, target: draft.TransactionID, needs: canWrite(), write: true}, func(t *Tenant) error {
		b, err := t.reach(cal.Mailbox)
		if err != nil {
			return err
		}
		folder, err := b.calendar(cal.Calendar)
		if err != nil {
			return err
		}
		if err := checkZones(draft); err != nil {
			return err
		}
		it, err := t.create(folder, draft)
		if err != nil {
			return err
		}
		e = it.shown()
		return nil
	})
	return unlessFailed(e, err)
}

// checkZones refuses zones that no application may write.
func checkZones(d outlook.Draft) error {
	zones := []string{}
	for _, m := range []*outlook.Moment{d.Start, d.End} {
		if m != nil {
			zones = append(zones, m.TimeZone)
		}
	}
	if d.Recurrence != nil && d.Recurrence.Range.TimeZone != "" {
		zones = append(zones, d.Recurrence.Range.TimeZone)
	}
	for _, zone := range zones {
		if _, err := timezone.Load(zone); err != nil {
			return badZone(zone)
		}
	}
	return nil
}

// unlessFailed gives nothing beside a failure: who has lost an answer has not seen the event either.
func unlessFailed(e outlook.Event, err error) (outlook.Event, error) {
	if err != nil {
		return outlook.Event{}, err
	}
	return e, nil
}

// UpdateEvent changes an event, or one occurrence of a series, if it still has the change key; "" changes it anyway.
func (c *Client) UpdateEvent(ctx context.Context, cal outlook.CalendarRef, id string, draft outlook.Draft, changeKey string) (outlook.Event, error) {
	var e outlook.Event
	err := c.do(ctx, call{method: "UpdateEvent", mailbox: cal.Mailbox, target: id, needs: canWrite(), write: true}, func(t *Tenant) error {
		it, slot, err := t.item(cal, id)
		if err != nil {
			return err
		}
		if err := t.current(it, slot, changeKey); err != nil {
			return err
		}
		if err := checkZones(draft); err != nil {
			return err
		}
		e, err = t.change(it, slot, draft)
		return err
	})
	return unlessFailed(e, err)
}

// current refuses a change key that is not the item's.
func (t *Tenant) current(it *item, slot *recurring, changeKey string) error {
	if changeKey == "" {
		return nil
	}
	key := it.key
	if slot != nil && slot.part != nil {
		key = slot.part.key
	}
	if changeKey != key || t.chance(t.faults.Conflict) {
		return staleKey()
	}
	return nil
}

// change changes an item or an occurrence, and gives it as it is then.
func (t *Tenant) change(it *item, slot *recurring, draft outlook.Draft) (outlook.Event, error) {
	if slot == nil {
		if err := t.update(it, draft); err != nil {
			return outlook.Event{}, err
		}
		return it.shown(), nil
	}
	if err := t.updateOccurrence(it, *slot, draft); err != nil {
		return outlook.Event{}, err
	}
	slot.part = it.parts[slot.slot.Wall]
	return it.read(slot), nil
}

// CancelEvent calls a meeting off, and tells its attendees; the organizer's copy alone.
func (c *Client) CancelEvent(ctx context.Context, cal outlook.CalendarRef, id, comment string) error {
	return c.do(ctx, call{method: "CancelEvent", mailbox: cal.Mailbox, target: id, needs: canWrite(), write: true}, func(t *Tenant) error {
		it, slot, err := t.item(cal, id)
		if err != nil {
			return err
		}
		if !it.event.IsOrganizer {
			return notOrganizer()
		}
		t.drop(it, slot, comment)
		return nil
	})
}

// drop takes an item or an occurrence away.
func (t *Tenant) drop(it *item, slot *recurring, comment string) {
	if slot != nil {
		t.removeOccurrence(it, *slot, comment)
		return
	}
	t.remove(it, comment)
}

// DeleteEvent moves an event to the deleted items, if it still has the change key; "" deletes it anyway. The organizer's copy
// takes the meeting with it; an attendee's goes alone.
func (c *Client) DeleteEvent(ctx context.Context, cal outlook.CalendarRef, id, changeKey string) error {
	return c.do(ctx, call{method: "DeleteEvent", mailbox: cal.Mailbox, target: id, needs: canWrite(), write: true}, func(t *Tenant) error {
		it, slot, err := t.item(cal, id)
		if err != nil {
			return err
		}
		if err := t.current(it, slot, changeKey); err != nil {
			return err
		}
		t.drop(it, slot, "")
		return nil
	})
}
