package exchange

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"usher/model/outlook"
)

// mailbox is what somebody has in Exchange.
type mailbox struct {
	owner        *user
	calendars    []*calendar // the first one is the default
	items        map[string]*item
	occurrences  map[string]occurrenceRef
	transactions map[string]*item
	epoch        int // of delta links; those of an older one lead nowhere
	blocked      bool
}

// calendar is a folder of events, or a mount of somebody else's.
type calendar struct {
	id, name, color string
	box             *mailbox
	canEdit         bool
	mount           *calendar
	items           map[string]*item
	gone            []tombstone
	forgotten       int64 // removals up to this change are known no more
}

// tombstone is an id that a delta has to tell as removed.
type tombstone struct {
	id  string
	seq int64
}

func (t *Tenant) newMailbox(u *user) *mailbox {
	b := &mailbox{owner: u, items: map[string]*item{}, occurrences: map[string]occurrenceRef{}, transactions: map[string]*item{}}
	t.newCalendar(b, "Calendar")
	return b
}

func (t *Tenant) newCalendar(b *mailbox, name string) *calendar {
	c := &calendar{id: t.itemID(), name: name, color: "auto", box: b, canEdit: true, items: map[string]*item{}}
	b.calendars = append(b.calendars, c)
	return c
}

// forget takes what a mailbox holds out of the tenant.
func (t *Tenant) forget(b *mailbox) {
	for _, id := range slices.Sorted(maps.Keys(b.items)) {
		t.unlink(b.items[id])
	}
}

// calendar finds a calendar by its id; "" is the default one.
func (b *mailbox) calendar(id string) (*calendar, error) {
	for i, c := range b.calendars {
		if c.id == id || id == "" && i == 0 {
			if c.mount != nil {
				return c.mount, nil
			}
			return c, nil
		}
	}
	return nil, itemNotFound()
}

func (c *calendar) shown() outlook.Calendar {
	owner := c.box.owner
	if c.mount != nil {
		owner = c.mount.box.owner
	}
	return outlook.Calendar{ID: c.id, Name: c.name, Color: c.color, IsDefault: c == c.box.calendars[0], CanEdit: c.canEdit, Owner: owner.address()}
}

// bury notes that an id is gone from a calendar.
func (c *calendar) bury(seq int64, ids ...string) {
	for _, id := range ids {
		c.gone = append(c.gone, tombstone{id, seq})
	}
	if len(c.gone) > maxGone {
		half := len(c.gone) / 2
		c.forgotten = c.gone[half].seq
		c.gone = slices.Clone(c.gone[half+1:])
	}
}

// itemIn finds what an id names: a single event, a series, or an occurrence of one. With a calendar it has to lie there.
func (b *mailbox) itemIn(c *calendar, id string) (*item, *recurring, error) {
	var slot *recurring
	it := b.items[id]
	if it == nil {
		ref, ok := b.occurrences[id]
		if !ok || b.items[ref.item.id] != ref.item {
			return nil, nil, itemNotFound()
		}
		it = ref.item
		if slot = it.occurrence(ref); slot == nil {
			return nil, nil, itemNotFound()
		}
	}
	if c != nil && it.cal != c {
		return nil, nil, itemNotFound()
	}
	return it, slot, nil
}

// sorted gives the items of a calendar, the oldest change first.
func (c *calendar) sorted() []*item {
	return slices.SortedFunc(maps.Values(c.items), func(a, b *item) int { return cmp.Compare(a.seq, b.seq) })
}

// AddCalendar gives a mailbox another calendar; its id is answered.
func (t *Tenant) AddCalendar(ref, name string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.newCalendar(t.must(ref).box, name).id
}

// ShareCalendar mounts a calendar of a mailbox in somebody else's, under another id, which is answered; with edit its events
// may be changed there. "" is the default calendar.
func (t *Tenant) ShareCalendar(owner, id, with string, edit bool) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	target, err := t.must(owner).box.calendar(id)
	if err != nil {
		return "", err
	}
	c := t.newCalendar(t.must(with).box, target.box.owner.name)
	c.mount, c.canEdit = target, edit
	return c.id, nil
}

// RenameCalendar gives a calendar another name.
func (t *Tenant) RenameCalendar(ref, id, name string) error {
	return t.changeCalendar(ref, id, func(c *calendar) { c.name = name })
}

// SetCanEdit takes the right to change a calendar away, or gives it back.
func (t *Tenant) SetCanEdit(ref, id string, edit bool) error {
	return t.changeCalendar(ref, id, func(c *calendar) { c.canEdit = edit })
}

// RenewCalendarID gives a calendar another id, as Exchange was seen to do; its events stay.
func (t *Tenant) RenewCalendarID(ref, id string) (string, error) {
	var renewed string
	err := t.changeCalendar(ref, id, func(c *calendar) {
		c.id = t.itemID()
		renewed = c.id
	})
	return renewed, err
}

// SetDefaultCalendar makes another calendar the default one.
func (t *Tenant) SetDefaultCalendar(ref, id string) error {
	return t.changeCalendar(ref, id, func(c *calendar) {
		i := slices.Index(c.box.calendars, c)
		c.box.calendars[0], c.box.calendars[i] = c, c.box.calendars[0]
	})
}

// DeleteCalendar deletes a calendar with its events; the default one cannot be deleted.
func (t *Tenant) DeleteCalendar(ref, id string) error {
	if id == "" {
		return invalid("The default calendar cannot be deleted.")
	}
	return t.changeCalendar(ref, id, func(c *calendar) {
		for _, key := range slices.Sorted(maps.Keys(c.items)) {
			t.unlink(c.items[key])
		}
		c.box.calendars = slices.DeleteFunc(c.box.calendars, func(other *calendar) bool { return other == c })
		t.subscriptions = slices.DeleteFunc(t.subscriptions, func(s *subscription) bool { return s.cal == c })
	})
}

func (t *Tenant) changeCalendar(ref, id string, change func(*calendar)) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.must(ref).box
	for i, c := range b.calendars {
		if c.id == id || id == "" && i == 0 {
			change(c)
			return nil
		}
	}
	return itemNotFound()
}

// ExpireDeltaLinks makes every delta link of a mailbox that was given so far lead nowhere.
func (t *Tenant) ExpireDeltaLinks(ref string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.must(ref).box.epoch++
}

// instant formats a time as Graph does.
func instant(at time.Time) outlook.Moment {
	return outlook.Moment{DateTime: at.UTC().Format("2006-01-02T15:04:05.0000000"), TimeZone: "UTC"}
}
