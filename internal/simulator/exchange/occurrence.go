package exchange

import (
	"maps"
	"slices"
	"strings"
	"time"

	"usher/model/outlook"
)

// updateOccurrence changes one occurrence, which makes it an exception.
func (t *Tenant) updateOccurrence(it *item, r recurring, d outlook.Draft) error {
	if d.Recurrence != nil || d.NoRecurrence {
		return invalid("The recurrence of an occurrence cannot be set.")
	}
	before := it.shownAs(it.shown(), r)
	after := before
	apply(&after, d)
	if !before.IsOrganizer {
		d.Attendees = nil
	} else if d.Attendees != nil {
		answered := keepAnswers(before.Attendees, after.Attendees)
		d.Attendees = &answered
		after.Attendees = answered
	}
	if err := check(after); err != nil {
		return err
	}
	if d.Start != nil || d.End != nil || d.AllDay != nil {
		if it.crosses(r, at(after.Start, after.AllDay), at(after.End, after.AllDay)) {
			return crossing()
		}
		d.Start, d.End = &after.Start, &after.End
	}
	p := t.part(it, r)
	p.patch = merge(p.patch, d)
	t.touch(it, updated)
	p.key, p.seq = t.changeKey(), it.seq
	if before.IsOrganizer {
		t.tell(it, &recurring{r.slot, p}, before.Attendees, d)
	}
	return nil
}

// part gives the record of what is special about an occurrence, and makes it where there is none.
func (t *Tenant) part(it *item, r recurring) *part {
	p := it.parts[r.slot.Wall]
	if p == nil {
		p = &part{slot: r.slot, id: it.occurrenceID(r.slot), key: t.changeKey()}
		it.parts[r.slot.Wall] = p
	}
	return p
}

// crosses tells whether an occurrence would come to lie on, or beyond, the day of a neighbour.
func (it *item) crosses(r recurring, from, to time.Time) bool {
	day := func(at time.Time) time.Time { return at.Truncate(24 * time.Hour) }
	// A neighbour of a yearly series with the largest interval is too far away to be met.
	window := outlook.Window{From: r.slot.Start.AddDate(-2, 0, 0), To: r.slot.Start.AddDate(2, 0, 0)}
	for _, other := range it.instances(window) {
		there := it.when(other)
		switch strings.Compare(other.slot.Wall, r.slot.Wall) {
		case -1:
			if !day(from).After(day(there.From)) && day(from) != day(r.slot.Start) || from.Before(there.To) {
				return true
			}
		case 1:
			if !day(from).Before(day(there.From)) && day(from) != day(r.slot.Start) || to.After(there.From) {
				return true
			}
		}
	}
	return false
}

// removeOccurrence takes one occurrence out of the series, or of a copy of it.
func (t *Tenant) removeOccurrence(it *item, r recurring, comment string) {
	attendees := it.shownAs(it.shown(), r).Attendees
	p := t.part(it, r)
	p.deleted = true
	t.touch(it, updated)
	p.seq = it.seq
	if it.event.IsOrganizer {
		t.callOff(it, &recurring{r.slot, p}, attendees, comment)
	}
}

// remove deletes a single event or a series; of the organizer's the attendees are told that it is called off.
func (t *Tenant) remove(it *item, comment string) {
	t.unlink(it)
	if it.event.IsOrganizer && len(it.event.Attendees) > 0 {
		t.callOff(it, nil, it.event.Attendees, comment)
	}
}

// remade makes an item once more, in another calendar: what it holds is the same, its ids are not.
func (t *Tenant) remade(it *item, to *calendar) *item {
	c := &item{id: t.itemID(), cal: to, created: t.now(), parts: map[string]*part{}, told: map[string]bool{}, custom: it.custom, event: it.event}
	c.event.TransactionID = ""
	for wall, p := range it.parts {
		q := *p
		q.id = c.occurrenceID(p.slot)
		c.parts[wall] = &q
	}
	t.link(c)
	t.touch(c, created)
	c.whole = c.seq
	return c
}

// move puts an item into another calendar of its mailbox; its id stays.
func (t *Tenant) move(it *item, to *calendar) {
	if it.cal == to {
		return
	}
	seq := t.tick()
	it.cal.bury(seq, it.id)
	it.cal.bury(seq, slices.Sorted(maps.Keys(it.told))...)
	t.notify(it, deleted)
	delete(it.cal.items, it.id)
	it.cal = to
	to.items[it.id] = it
	t.touch(it, created)
	it.whole = it.seq
}
