package exchange

import (
	"html"
	"maps"
	"slices"
	"strings"

	"usher/internal/timezone"
	"usher/model/outlook"
)

// create makes an event in a calendar, whose owner becomes its organizer.
func (t *Tenant) create(c *calendar, d outlook.Draft) (*item, error) {
	if known := c.box.transactions[d.TransactionID]; d.TransactionID != "" && known != nil && c.box.items[known.id] == known {
		return known, nil
	}
	if d.Start == nil || d.End == nil {
		return nil, invalid("The event has no start or no end.")
	}
	it := &item{id: t.itemID(), cal: c, created: t.now(), parts: map[string]*part{}, told: map[string]bool{}}
	d = t.known(it, d)
	owner := c.box.owner.address()
	it.event = outlook.Event{
		ICalUID: t.icalUID(), TransactionID: d.TransactionID, ShowAs: "busy", Sensitivity: "normal", Importance: "normal",
		IsOrganizer: true, Organizer: owner, Response: outlook.ResponseOrganizer, Body: outlook.Body{ContentType: "html"},
	}
	apply(&it.event, d)
	for i := range it.event.Attendees {
		it.event.Attendees[i] = invited(it.event.Attendees[i])
	}
	if err := check(it.event); err != nil {
		return nil, err
	}
	if err := checkSeries(&it.event); err != nil {
		return nil, err
	}
	if d.OnlineMeeting != nil && *d.OnlineMeeting {
		t.meetOnline(&it.event)
	}
	if d.TransactionID != "" {
		c.box.transactions[d.TransactionID] = it
	}
	t.link(it)
	t.touch(it, created)
	it.whole = it.seq
	t.tell(it, nil, nil, d)
	return it, nil
}

// known takes a zone that nobody knows out of what a person writes; Exchange keeps the offsets, here those of the tenant's zone.
// What an application writes has been refused before.
func (t *Tenant) known(it *item, d outlook.Draft) outlook.Draft {
	for _, m := range []**outlook.Moment{&d.Start, &d.End} {
		if *m != nil && (*m).TimeZone == custom {
			it.custom = true
			*m = &outlook.Moment{DateTime: (*m).DateTime, TimeZone: t.options.Zone}
		}
	}
	return d
}

// meetOnline gives an event its meeting, once.
func (t *Tenant) meetOnline(e *outlook.Event) {
	e.OnlineMeeting, e.OnlineMeetingURL = true, "https://teams.microsoft.com/l/meetup-join/19%3ameeting_"+t.guid()+"%40thread.v2/0"
	if e.Body.Content == "" {
		e.Body.Content = " " // of nothing there would be no document
	}
	written := document(e.Body).Content
	end := strings.LastIndex(written, "</body>")
	if end < 0 {
		end = len(written)
	}
	e.Body = outlook.Body{ContentType: "html", Content: written[:end] + invitation(e.OnlineMeetingURL) + written[end:]}
}

// invitation is the block by which an event is an online meeting, as Exchange writes it into the body.
func invitation(link string) string {
	const line = "________________________________________________________________________________"
	return "<br>\r\n<div style=\"width:100%\"><span style=\"white-space:nowrap\">" + line + "</span></div>\r\n" +
		"<div class=\"me-email-text\" lang=\"en-US\"><div><span>Microsoft Teams meeting</span></div>\r\n" +
		"<div><a class=\"me-email-headline\" href=\"" + html.EscapeString(link) + "\" target=\"_blank\">Join the meeting now</a></div></div>\r\n"
}

// link puts an item where it belongs.
func (t *Tenant) link(it *item) {
	it.cal.items[it.id], it.cal.box.items[it.id] = it, it
	t.uids[it.event.ICalUID] = append(t.uids[it.event.ICalUID], it)
}

// unlink takes an item out of its mailbox.
func (t *Tenant) unlink(it *item) {
	delete(it.cal.items, it.id)
	delete(it.cal.box.items, it.id)
	t.uids[it.event.ICalUID] = slices.DeleteFunc(t.uids[it.event.ICalUID], func(other *item) bool { return other == it })
	if len(t.uids[it.event.ICalUID]) == 0 {
		delete(t.uids, it.event.ICalUID)
	}
	seq := t.tick()
	it.cal.bury(seq, it.id)
	t.retire(it, seq)
	t.notify(it, deleted)
}

// retire takes back the ids of a series' occurrences, and what was special about them.
func (t *Tenant) retire(it *item, seq int64) {
	ids := slices.Sorted(maps.Keys(it.told))
	it.cal.bury(seq, ids...)
	for _, id := range ids {
		delete(it.cal.box.occurrences, id)
	}
	it.gen++
	it.told, it.parts = map[string]bool{}, map[string]*part{}
}

// touch notes that an item has changed.
func (t *Tenant) touch(it *item, kind changeType) {
	it.seq, it.key, it.updated = t.tick(), t.changeKey(), t.now()
	t.notify(it, kind)
}

// update changes a single event or a whole series.
func (t *Tenant) update(it *item, d outlook.Draft) error {
	d = t.known(it, d)
	before := it.event
	e := before
	e.Attendees = slices.Clone(e.Attendees)
	if e.Recurrence != nil {
		r := *e.Recurrence
		e.Recurrence = &r
	}
	apply(&e, d)
	if !before.IsOrganizer {
		e.Attendees, d.Attendees = before.Attendees, nil
	} else if d.Attendees != nil {
		e.Attendees = keepAnswers(before.Attendees, e.Attendees)
	}
	if err := check(e); err != nil {
		return err
	}
	if e.Recurrence != nil && moves(d) {
		if d.Recurrence == nil && d.Start != nil {
			e.Recurrence.Range.StartDate, _, _ = strings.Cut(seriesWall(e), "T")
		}
		if err := checkSeries(&e); err != nil {
			return err
		}
	}
	t.online(before, &e, d)
	repatterned := before.Recurrence != nil && !sameSlots(before, e)
	if repatterned || before.Recurrence != nil && e.Recurrence == nil {
		t.retire(it, t.tick())
	}
	if before.IsOrganizer && moves(d) {
		for i := range e.Attendees {
			e.Attendees[i] = invited(e.Attendees[i])
		}
	}
	it.event = e
	it.trim()
	t.touch(it, updated)
	it.whole = it.seq
	if it.event.IsOrganizer {
		t.tell(it, nil, before.Attendees, d)
	}
	return nil
}

// online makes a meeting where one is wished for, and unmakes it where its invitation is taken out of the body. Graph ignores the
// flag once there is a meeting.
func (t *Tenant) online(before outlook.Event, e *outlook.Event, d outlook.Draft) {
	switch {
	case d.OnlineMeeting != nil && *d.OnlineMeeting && !before.OnlineMeeting:
		t.meetOnline(e)
	case d.Body != nil && before.OnlineMeeting && !invites(d.Body.Content, before.OnlineMeetingURL):
		e.OnlineMeeting, e.OnlineMeetingURL = false, ""
	}
}

// invites says whether a body still has the invitation to a meeting.
func invites(body, link string) bool {
	_, block, ok := strings.Cut(body, "class=\"me-email-text\"")
	return ok && strings.Contains(block, html.EscapeString(link))
}

// seriesWall gives the start in the zone in which the series repeats.
func seriesWall(e outlook.Event) string {
	if e.AllDay || e.Recurrence.Range.TimeZone == "" {
		return e.Start.DateTime
	}
	loc, err := timezone.Load(e.Recurrence.Range.TimeZone)
	if err != nil {
		return e.Start.DateTime
	}
	return timezone.Wall(at(e.Start, false), loc)
}

// sameSlots tells whether the occurrences of a series keep their places, apart from where it ends.
func sameSlots(a, b outlook.Event) bool {
	if b.Recurrence == nil || a.AllDay != b.AllDay || seriesWall(a) != seriesWall(b) || at(a.Start, a.AllDay) != at(b.Start, b.AllDay) || at(a.End, a.AllDay) != at(b.End, b.AllDay) {
		return false
	}
	p, q := a.Recurrence.Pattern, b.Recurrence.Pattern
	return p.Type == q.Type && p.Interval == q.Interval && p.DayOfMonth == q.DayOfMonth && p.Month == q.Month && p.Index == q.Index &&
		p.FirstDayOfWeek == q.FirstDayOfWeek && slices.Equal(p.DaysOfWeek, q.DaysOfWeek) && a.Recurrence.Range.StartDate == b.Recurrence.Range.StartDate
}

// trim forgets exceptions of days that the series has no more; nothing tells of them.
func (it *item) trim() {
	if it.event.Recurrence == nil {
		return
	}
	for wall, p := range it.parts {
		if (&item{event: it.event}).occurrence(occurrenceRef{slot: p.slot}) == nil {
			delete(it.parts, wall)
		}
	}
}
