package exchange

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"usher/model/outlook"
)

// MailKind says what a mail about a meeting is.
type MailKind string

// The kinds of mails.
const (
	Invitation   MailKind = "invitation"
	Update       MailKind = "update"
	Cancellation MailKind = "cancellation"
	Answer       MailKind = "answer"
)

// Mail is a message about a meeting that Exchange has sent.
type Mail struct {
	At         time.Time
	Kind       MailKind
	From, To   string // addresses
	ICalUID    string
	Occurrence string // the wall time of the occurrence that it is about; "" where it is about the whole
	Subject    string
	ChangeKey  string // of the organizer's copy
	Response   outlook.Response
	Comment    string
}

// Mails gives the mails about meetings that were sent so far, the oldest first.
func (t *Tenant) Mails() []Mail {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.mails.list()
}

func (t *Tenant) mail(kind MailKind, it *item, r *recurring, to, comment string) {
	m := Mail{
		At: t.now(), Kind: kind, From: it.event.Organizer.Email, To: to, ICalUID: it.event.ICalUID, Subject: it.event.Subject, ChangeKey: it.key, Comment: comment,
	}
	if r != nil {
		m.Occurrence = r.slot.Wall
	}
	t.mails.add(m, t.options.JournalLimit)
}

// invited gives an attendee who has not answered.
func invited(a outlook.Attendee) outlook.Attendee {
	a.Response, a.At, a.Proposed = outlook.ResponseNone, time.Time{}, outlook.Span{}
	a.Name = cmp.Or(a.Name, a.Email)
	a.Type = cmp.Or(a.Type, outlook.Required)
	return a
}

// keepAnswers gives those who were there before the answers they have given.
func keepAnswers(before, after []outlook.Attendee) []outlook.Attendee {
	out := make([]outlook.Attendee, 0, len(after))
	for _, a := range after {
		kept := invited(a)
		if i := indexOf(before, a.Email); i >= 0 {
			kept.Response, kept.At, kept.Proposed = before[i].Response, before[i].At, before[i].Proposed
		}
		out = append(out, kept)
	}
	return out
}

func indexOf(list []outlook.Attendee, email string) int {
	return slices.IndexFunc(list, func(a outlook.Attendee) bool { return strings.EqualFold(a.Email, email) })
}

// tell writes to the attendees of a meeting, or of one occurrence, what has become of it, and changes their copies.
func (t *Tenant) tell(it *item, r *recurring, before []outlook.Attendee, d outlook.Draft) {
	after := it.event.Attendees
	if r != nil {
		after = it.shownAs(it.shown(), *r).Attendees
	}
	for _, a := range before {
		if indexOf(after, a.Email) < 0 {
			t.mail(Cancellation, it, r, a.Email, "")
			t.callOffCopy(it, r, a.Email)
		}
	}
	for _, a := range after {
		switch {
		case indexOf(before, a.Email) < 0:
			t.mail(Invitation, it, r, a.Email, "")
		case !told(d):
			continue
		default:
			t.mail(Update, it, r, a.Email, "")
			t.mailExceptions(it, r, a.Email)
		}
		t.putCopy(it, r, a.Email, d)
	}
}

// mailExceptions imitates that Exchange writes once more for each exception of a series that has changed.
func (t *Tenant) mailExceptions(it *item, r *recurring, to string) {
	if r != nil {
		return
	}
	for _, p := range it.sortedParts() {
		if !p.deleted {
			t.mail(Update, it, &recurring{p.slot, p}, to, "")
		}
	}
}

// sortedParts gives the parts in the order of their slots.
func (it *item) sortedParts() []*part {
	return slices.SortedFunc(maps.Values(it.parts), func(a, b *part) int { return strings.Compare(a.slot.Wall, b.slot.Wall) })
}

// callOff tells the attendees that a meeting, or one occurrence, does not take place.
func (t *Tenant) callOff(it *item, r *recurring, attendees []outlook.Attendee, comment string) {
	for _, a := range attendees {
		t.mail(Cancellation, it, r, a.Email, comment)
		t.callOffCopy(it, r, a.Email)
	}
}

// copyOf gives the copy of a meeting in somebody's mailbox; nil where there is none, or no mailbox.
func (t *Tenant) copyOf(it *item, email string) (*mailbox, *item) {
	u := t.find(email)
	if u == nil || u.deleted || u.hosting != Hosted || u.box == it.cal.box {
		return nil, nil
	}
	for _, other := range t.uids[it.event.ICalUID] {
		if other.cal.box == u.box {
			return u.box, other
		}
	}
	return u.box, nil
}

// putCopy makes the copy of an attendee, or brings it up to date.
func (t *Tenant) putCopy(it *item, r *recurring, email string, d outlook.Draft) {
	box, existing := t.copyOf(it, email)
	if box == nil {
		return
	}
	switch {
	case existing == nil:
		t.newCopy(it, r, box)
	case r == nil:
		t.refreshCopy(it, existing, d)
	case existing.event.Recurrence == nil:
		existing.event = stripped(it.shownAs(it.shown(), *r), box)
		t.touch(existing, updated)
	default:
		p := t.part(existing, recurring{slot: r.slot})
		d.Attendees, d.ShowAs, d.Sensitivity = nil, nil, nil
		p.patch = merge(p.patch, d)
		if moves(d) {
			p.response = outlook.NotResponded
		}
		p.deleted, p.calledOff = false, false
		t.touch(existing, updated)
		p.key, p.seq = t.changeKey(), existing.seq
	}
	if box.owner.room != nil && box.owner.room.auto {
		pending := answer{at: t.now().Add(t.options.RoomDelay), room: box.owner.room, uid: it.event.ICalUID}
		if r != nil {
			pending.wall = r.slot.Wall
		}
		t.answers = append(t.answers, pending)
	}
}

// newCopy puts a meeting into an attendee's calendar. Who is invited to one occurrence has a single event.
func (t *Tenant) newCopy(it *item, r *recurring, box *mailbox) {
	c := &item{id: t.itemID(), cal: box.calendars[0], created: t.now(), parts: map[string]*part{}, told: map[string]bool{}, custom: it.custom}
	if r != nil {
		c.event = stripped(it.shownAs(it.shown(), *r), box)
	} else {
		c.event = stripped(it.event, box)
		for wall, p := range it.parts {
			c.parts[wall] = copied(c, p)
		}
	}
	t.link(c)
	t.touch(c, created)
	c.whole = c.seq
}

// copied gives the part of an attendee's copy.
func copied(c *item, p *part) *part {
	q := &part{slot: p.slot, id: c.occurrenceID(p.slot), key: p.key, deleted: p.deleted, patch: p.patch}
	q.patch.ShowAs, q.patch.Sensitivity, q.patch.Attendees = nil, nil, nil
	return q
}

// stripped gives an event as an attendee who has not answered has it.
func stripped(e outlook.Event, box *mailbox) outlook.Event {
	e.ID, e.ChangeKey, e.SeriesMasterID, e.Type, e.OriginalStart = "", "", "", "", time.Time{}
	e.TransactionID, e.Origin, e.IsOrganizer, e.IsCancelled = "", "", false, false
	e.Response, e.ShowAs = outlook.NotResponded, "tentative"
	if box.owner.room != nil {
		e.Attendees = slices.Clone(e.Attendees)
		return e
	}
	attendees := make([]outlook.Attendee, 0, len(e.Attendees))
	for _, a := range e.Attendees {
		attendees = append(attendees, invited(a)) // who has answered what is known to the organizer
	}
	e.Attendees = attendees
	return e
}

// refreshCopy brings an attendee's copy up to date; the answer stays unless the meeting has moved.
func (t *Tenant) refreshCopy(it, c *item, d outlook.Draft) {
	old := c.event
	c.event = stripped(it.event, c.cal.box)
	c.event.Categories, c.event.Sensitivity = old.Categories, old.Sensitivity
	if !moves(d) {
		c.event.Response, c.event.ShowAs = old.Response, old.ShowAs
	}
	if old.IsCancelled {
		c.event.Response, c.event.ShowAs = outlook.NotResponded, "tentative"
	}
	if old.Recurrence != nil && !sameSlots(old, c.event) {
		t.retire(c, t.tick())
	}
	c.trim()
	t.touch(c, updated)
	c.whole = c.seq
}

// callOffCopy shows a meeting in an attendee's calendar as cancelled; a room's mailbox takes it out.
func (t *Tenant) callOffCopy(it *item, r *recurring, email string) {
	box, c := t.copyOf(it, email)
	if c == nil {
		return
	}
	if r != nil && c.event.Recurrence != nil {
		p := t.part(c, recurring{slot: r.slot})
		p.calledOff, p.deleted = true, box.owner.room != nil
		t.touch(c, updated)
		p.key, p.seq = t.changeKey(), c.seq
		return
	}
	if box.owner.room != nil {
		t.unlink(c)
		return
	}
	c.event.IsCancelled, c.event.ShowAs, c.event.Subject = true, "free", calledOff(c.event.Subject)
	t.touch(c, updated)
	c.whole = c.seq
}
