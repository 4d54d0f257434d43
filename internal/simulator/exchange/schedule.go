package exchange

import (
	"cmp"
	"context"
	"slices"

	"usher/model/outlook"
)

// maxSchedules is how many addresses one question may be about.
const maxSchedules = 20

// Schedules says when up to 20 addresses are busy, asked in the name of a mailbox.
func (c *Client) Schedules(ctx context.Context, mailbox string, addresses []string, window outlook.Window) ([]outlook.Schedule, error) {
	var list []outlook.Schedule
	err := c.do(ctx, call{method: "Schedules", mailbox: mailbox, needs: canRead()}, func(t *Tenant) error {
		if _, err := t.reach(mailbox); err != nil {
			return err
		}
		if len(addresses) == 0 || len(addresses) > maxSchedules {
			return failure(outlook.Invalid, 400, "ErrorInvalidParameter", "A request is about 1 to %d schedules.", maxSchedules)
		}
		if !window.From.Before(window.To) {
			return failure(outlook.Invalid, 400, "ErrorInvalidTimeInterval", "The end time is not after the start time.")
		}
		for _, address := range addresses {
			list = append(list, t.schedule(address, window))
		}
		return nil
	})
	return list, err
}

func (t *Tenant) schedule(address string, w outlook.Window) outlook.Schedule {
	s := outlook.Schedule{Address: address}
	u := t.find(address)
	if u == nil || u.deleted || u.hosting != Hosted {
		s.Err = failure(outlook.NoMailbox, 0, "ErrorMailRecipientNotFound", "Unable to resolve e-mail address %s to an Active Directory object.", address)
		return s
	}
	for _, p := range place(u.box.calendars[0].sorted(), w) {
		e := p.item.read(p.slot)
		if e.IsCancelled || e.ShowAs == "free" || e.ShowAs == "unknown" {
			continue
		}
		span := p.item.span()
		if p.slot != nil {
			span = p.item.when(*p.slot)
		}
		s.Busy = append(s.Busy, outlook.Busy{Window: span, Status: e.ShowAs})
	}
	slices.SortStableFunc(s.Busy, func(a, b outlook.Busy) int {
		return cmp.Or(a.From.Compare(b.From), a.To.Compare(b.To))
	})
	return s
}
