package exchange

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"time"

	"usher/model/outlook"
)

// position is where a list of events goes on.
type position struct {
	From  time.Time `json:"f"`
	To    time.Time `json:"t"`
	Start time.Time `json:"s"` // of the last one that was given
	ID    string    `json:"i"`
}

// View gives a page of the singles, occurrences and exceptions that touch the window, by their start.
func (c *Client) View(ctx context.Context, cal outlook.CalendarRef, window outlook.Window, next string) (outlook.EventPage, error) {
	var page outlook.EventPage
	err := c.do(ctx, call{method: "View", mailbox: cal.Mailbox, target: next, needs: canRead()}, func(t *Tenant) error {
		b, err := t.reach(cal.Mailbox)
		if err != nil {
			return err
		}
		folder, err := b.calendar(cal.Calendar)
		if err != nil {
			return err
		}
		page, err = t.page(folder.sorted(), window, next)
		return err
	})
	return page, err
}

// Instances gives a page of the occurrences and exceptions of a series that touch the window, by their start.
func (c *Client) Instances(ctx context.Context, cal outlook.CalendarRef, id string, window outlook.Window, next string) (outlook.EventPage, error) {
	var page outlook.EventPage
	err := c.do(ctx, call{method: "Instances", mailbox: cal.Mailbox, target: id, needs: canRead()}, func(t *Tenant) error {
		it, slot, err := t.item(cal, id)
		if err != nil {
			return err
		}
		if slot != nil || it.event.Recurrence == nil {
			return failure(outlook.Invalid, 400, "ErrorInvalidRequest", "Instances are of the master of a series alone.")
		}
		page, err = t.page([]*item{it}, window, next)
		return err
	})
	return page, err
}

// placed is something that takes place.
type placed struct {
	start time.Time
	id    string
	item  *item
	slot  *recurring
}

// place gives what takes place in a window, in order.
func place(items []*item, w outlook.Window) []placed {
	var list []placed
	for _, it := range items {
		if it.event.Recurrence == nil {
			if span := it.span(); touches(span.From, span.To, w) {
				list = append(list, placed{span.From, it.id, it, nil})
			}
			continue
		}
		for _, r := range it.instances(w) {
			list = append(list, placed{it.when(r).From, it.occurrenceID(r.slot), it, &r})
		}
	}
	slices.SortFunc(list, func(a, b placed) int { return cmp.Or(a.start.Compare(b.start), cmp.Compare(a.id, b.id)) })
	return list
}

func (t *Tenant) page(items []*item, w outlook.Window, next string) (outlook.EventPage, error) {
	at := position{From: w.From.UTC(), To: w.To.UTC()}
	if next != "" {
		raw, err := base64.RawURLEncoding.DecodeString(next)
		if err != nil || json.Unmarshal(raw, &at) != nil {
			return outlook.EventPage{}, failure(outlook.Invalid, 400, "BadRequest", "The skip token is not valid.")
		}
	}
	if !at.From.Before(at.To) {
		return outlook.EventPage{}, failure(outlook.Invalid, 400, "ErrorInvalidParameter", "The end of the window is not after its start.")
	}
	var page outlook.EventPage
	series := map[string]outlook.Event{}
	for _, p := range place(items, outlook.Window{From: at.From, To: at.To}) {
		if next != "" && cmp.Or(p.start.Compare(at.Start), cmp.Compare(p.id, at.ID)) <= 0 {
			continue
		}
		if len(page.Events) == t.options.PageSize {
			text, err := json.Marshal(at)
			if err != nil {
				return outlook.EventPage{}, err
			}
			page.Next = base64.RawURLEncoding.EncodeToString(text)
			break
		}
		at.Start, at.ID = p.start, p.id
		if p.slot == nil {
			page.Events = append(page.Events, p.item.shown())
			continue
		}
		master, ok := series[p.item.id]
		if !ok {
			master = p.item.shown()
			series[p.item.id] = master
		}
		page.Events = append(page.Events, p.item.shownAs(master, *p.slot))
	}
	return page, nil
}
