package exchange

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"usher/model/outlook"
)

// Client is what Graph offers one application of the tenant: calendarbridge.Calendars. Failures are *outlook.Error with Graph's
// codes, save those of the context. It is safe for concurrent use.
type Client struct {
	tenant *Tenant
	app    string
}

// call is what is known of a request before it is carried out.
type call struct {
	method, mailbox, target string
	needs                   []string // permissions, one of which has to be granted
	write                   bool
}

// canRead gives the permissions that let an application read calendars.
func canRead() []string { return []string{"Calendars.Read", "Calendars.ReadWrite"} }

// canWrite gives those that let it change them.
func canWrite() []string { return []string{"Calendars.ReadWrite"} }

// do carries out a request, under the tenant's lock.
func (c *Client) do(ctx context.Context, what call, work func(t *Tenant) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t := c.tenant
	t.mu.Lock()
	err := t.allow(what)
	if err == nil {
		err = work(t)
	}
	early := false
	if err == nil && what.write {
		early = t.chance(t.faults.Early)
		if t.chance(t.faults.LostAnswer) {
			err = unavailable(504)
		}
	}
	err = t.record(c.app, what, err)
	t.mu.Unlock()
	if early {
		t.deliverDue(ctx)
	}
	return err
}

// allow gives the failure of a request that is not carried out.
func (t *Tenant) allow(what call) error {
	if t.revoked {
		return badCredentials()
	}
	if len(what.needs) > 0 && !slices.ContainsFunc(what.needs, func(p string) bool { return slices.Contains(t.permissions, p) }) {
		if what.mailbox == "" {
			return directoryDenied()
		}
		return accessDenied()
	}
	return t.refusal(what.mailbox)
}

// record notes a request in the journal and gives its failure a request id.
func (t *Tenant) record(app string, what call, err error) error {
	entry := Request{At: t.now(), App: app, Method: what.method, Mailbox: what.mailbox, Target: what.target}
	if e, ok := errors.AsType[*outlook.Error](err); ok {
		answered := *e
		answered.RequestID = t.guid()
		err = &answered
		entry.Err = answered.Error()
	}
	t.requests.add(entry, t.options.JournalLimit)
	return err
}

// User finds somebody by object id, user principal name or SMTP address.
func (c *Client) User(ctx context.Context, ref string) (outlook.User, error) {
	var found outlook.User
	err := c.do(ctx, call{method: "User", target: ref, needs: []string{"User.Read.All"}}, func(t *Tenant) error {
		u := t.find(ref)
		if u == nil || u.deleted {
			return noUser(ref)
		}
		found = u.shown()
		return nil
	})
	return found, err
}

// GroupMembers gives a page of the users who are members of a group, by its object id.
func (c *Client) GroupMembers(ctx context.Context, groupID, next string) (outlook.UserPage, error) {
	var page outlook.UserPage
	err := c.do(ctx, call{method: "GroupMembers", target: groupID, needs: []string{"GroupMember.Read.All", "User.Read.All"}}, func(t *Tenant) error {
		g := t.groups[strings.ToLower(groupID)]
		if g == nil {
			return failure(outlook.NotFound, 404, "Request_ResourceNotFound",
				"Resource '%s' does not exist or one of its queried reference-property objects are not present.", groupID)
		}
		members := slices.DeleteFunc(slices.Clone(g.members), func(u *user) bool { return u.deleted })
		from, to, following, err := t.bounds(next, len(members))
		if err != nil {
			return err
		}
		for _, u := range members[from:to] {
			page.Users = append(page.Users, u.shown())
		}
		page.Next = following
		return nil
	})
	return page, err
}

// bounds gives the borders of the page of a list that begins at next, and what leads to the one after it.
func (t *Tenant) bounds(next string, length int) (from, to int, following string, err error) {
	if next != "" {
		if from, err = strconv.Atoi(next); err != nil || from < 0 {
			return 0, 0, "", failure(outlook.Invalid, 400, "BadRequest", "The skip token is not valid.")
		}
	}
	from = min(from, length)
	to = min(from+t.options.PageSize, length)
	if to < length {
		following = strconv.Itoa(to)
	}
	return from, to, following, nil
}

// Calendars gives every calendar of a mailbox, shared ones included.
func (c *Client) Calendars(ctx context.Context, mailbox string) ([]outlook.Calendar, error) {
	var list []outlook.Calendar
	err := c.do(ctx, call{method: "Calendars", mailbox: mailbox, needs: canRead()}, func(t *Tenant) error {
		b, err := t.reach(mailbox)
		if err != nil {
			return err
		}
		for _, c := range b.calendars {
			list = append(list, c.shown())
		}
		return nil
	})
	return list, err
}

// Event reads one event.
func (c *Client) Event(ctx context.Context, cal outlook.CalendarRef, id string) (outlook.Event, error) {
	var e outlook.Event
	err := c.do(ctx, call{method: "Event", mailbox: cal.Mailbox, target: id, needs: canRead()}, func(t *Tenant) error {
		if t.chance(t.faults.ReadConflict) {
			return staleKey()
		}
		it, slot, err := t.item(cal, id)
		if err != nil {
			return err
		}
		e = it.read(slot)
		return nil
	})
	return e, err
}

// read gives an item, or an occurrence of it.
func (it *item) read(slot *recurring) outlook.Event {
	if slot == nil {
		return it.shown()
	}
	return it.shownAs(it.shown(), *slot)
}

// item finds what an id names in a mailbox.
func (t *Tenant) item(cal outlook.CalendarRef, id string) (*item, *recurring, error) {
	b, err := t.reach(cal.Mailbox)
	if err != nil {
		return nil, nil, err
	}
	if cal.Calendar != "" {
		c, err := b.calendar(cal.Calendar)
		if err != nil {
			return nil, nil, err
		}
		b = c.box // of a mount, the owner's
		return b.itemIn(c, id)
	}
	return b.itemIn(nil, id)
}

// Master reads a series with its cancelled occurrences and its exceptions.
func (c *Client) Master(ctx context.Context, cal outlook.CalendarRef, id string) (outlook.Event, error) {
	var e outlook.Event
	err := c.do(ctx, call{method: "Master", mailbox: cal.Mailbox, target: id, needs: canRead()}, func(t *Tenant) error {
		it, slot, err := t.item(cal, id)
		if err != nil {
			return err
		}
		e = it.read(slot)
		if slot != nil || e.Recurrence == nil {
			return nil
		}
		series := e
		for _, p := range it.sortedParts() {
			if p.deleted {
				e.CancelledOccurrences = append(e.CancelledOccurrences, "OID."+it.id+"."+p.slot.Wall[:len("2006-01-02")])
				continue
			}
			e.ExceptionOccurrences = append(e.ExceptionOccurrences, it.shownAs(series, recurring{p.slot, p}))
		}
		return nil
	})
	return e, err
}

// FindEvents gives the events of the calendar that have the mark of Draft.Origin, or the iCalUId; one of both is empty.
func (c *Client) FindEvents(ctx context.Context, cal outlook.CalendarRef, origin, icalUID string) ([]outlook.Event, error) {
	var list []outlook.Event
	err := c.do(ctx, call{method: "FindEvents", mailbox: cal.Mailbox, target: origin + icalUID, needs: canRead()}, func(t *Tenant) error {
		b, err := t.reach(cal.Mailbox)
		if err != nil {
			return err
		}
		folder, err := b.calendar(cal.Calendar)
		if err != nil {
			return err
		}
		for _, it := range folder.sorted() {
			if origin != "" && it.event.Origin == origin || origin == "" && icalUID != "" && it.event.ICalUID == icalUID {
				list = append(list, it.shown())
			}
		}
		return nil
	})
	return list, err
}

// Rooms gives a page of the tenant's rooms.
func (c *Client) Rooms(ctx context.Context, next string) (outlook.RoomPage, error) {
	var page outlook.RoomPage
	err := c.do(ctx, call{method: "Rooms", needs: []string{"Place.Read.All"}}, func(t *Tenant) error {
		from, to, following, err := t.bounds(next, len(t.rooms))
		if err != nil {
			return err
		}
		for _, r := range t.rooms[from:to] {
			page.Rooms = append(page.Rooms, r.place)
		}
		page.Next = following
		return nil
	})
	return page, err
}

// Permissions gives the application permissions that the administrator has granted.
func (c *Client) Permissions(ctx context.Context) ([]string, error) {
	var list []string
	err := c.do(ctx, call{method: "Permissions"}, func(t *Tenant) error {
		list = slices.Clone(t.permissions)
		return nil
	})
	return list, err
}
