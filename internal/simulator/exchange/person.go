package exchange

import (
	"slices"
	"strings"
	"time"

	"usher/model/outlook"
)

// Person is somebody who uses Outlook: nothing of what they do is in the request journal, and no fault meets it. Failures are
// *outlook.Error.
type Person struct {
	tenant *Tenant
	user   *user
}

// As gives somebody by object id, user principal name or address; a name that nobody has is a panic.
func (t *Tenant) As(ref string) Person {
	t.mu.Lock()
	defer t.mu.Unlock()
	return Person{t, t.must(ref)}
}

// Outside gives an organizer whose mailbox is not in the tenant: only the copies of those whom they invite are.
func (t *Tenant) Outside(organizer outlook.Address) Person {
	t.mu.Lock()
	defer t.mu.Unlock()
	u := &user{id: t.guid(), name: organizer.Name, mail: organizer.Email, upn: organizer.Email, enabled: true}
	u.box = t.newMailbox(u)
	return Person{t, u}
}

// Create makes an event in a calendar; "" is the default one. The zone may be tzone://Microsoft/Custom.
func (p Person) Create(calendarID string, d outlook.Draft) (outlook.Event, error) {
	p.tenant.mu.Lock()
	defer p.tenant.mu.Unlock()
	c, err := p.user.box.calendar(calendarID)
	if err != nil {
		return outlook.Event{}, err
	}
	it, err := p.tenant.create(c, d)
	if err != nil {
		return outlook.Event{}, err
	}
	return it.shown(), nil
}

// Change changes an event, a series or one occurrence.
func (p Person) Change(id string, d outlook.Draft) (outlook.Event, error) {
	p.tenant.mu.Lock()
	defer p.tenant.mu.Unlock()
	it, slot, err := p.user.box.itemIn(nil, id)
	if err != nil {
		return outlook.Event{}, err
	}
	return p.tenant.change(it, slot, d)
}

// ChangeFollowing changes an occurrence and all that come after it: the series ends before it, a new one begins with it. What
// the new series holds of exceptions is lost, as in Outlook.
func (p Person) ChangeFollowing(id string, d outlook.Draft) (outlook.Event, error) {
	p.tenant.mu.Lock()
	defer p.tenant.mu.Unlock()
	it, slot, err := p.user.box.itemIn(nil, id)
	if err != nil {
		return outlook.Event{}, err
	}
	if slot == nil || !it.event.IsOrganizer {
		return outlook.Event{}, invalid("Only the organizer's occurrence of a series has others that follow it.")
	}
	rest, ended, first := split(it.event, *slot)
	if first {
		return p.tenant.change(it, nil, d)
	}
	over := it.event
	next := outlook.Draft{
		Subject: &over.Subject, Body: &over.Body, Start: &rest.Start, End: &rest.End, AllDay: &over.AllDay, Location: &over.Location,
		Attendees: &over.Attendees, ShowAs: &over.ShowAs, Sensitivity: &over.Sensitivity, Recurrence: rest.Recurrence,
	}
	laid := merge(next, d)
	if d.Recurrence != nil {
		laid.Recurrence = d.Recurrence
	}
	if d.Start != nil && d.Recurrence == nil {
		laid.Recurrence.Range.StartDate, _, _ = strings.Cut(d.Start.DateTime, "T")
	}
	created, err := p.tenant.create(it.cal, laid)
	if err != nil {
		return outlook.Event{}, err
	}
	if err := p.tenant.update(it, outlook.Draft{Recurrence: &ended}); err != nil {
		return outlook.Event{}, err
	}
	return created.shown(), nil
}

// split gives the second half of a series, with start, end and recurrence, and the recurrence of the first; first says that
// there is no first half.
func split(e outlook.Event, at recurring) (rest outlook.Event, ended outlook.Recurrence, first bool) {
	it := item{event: e}
	begun := it.slots(outlook.Window{To: at.slot.Start}, maxInstances)
	ended, second := *e.Recurrence, *e.Recurrence
	date, _, _ := strings.Cut(at.slot.Wall, "T")
	day, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return rest, ended, true // the pattern's own text is a date
	}
	ended.Range.Type, ended.Range.EndDate, ended.Range.NumberOfOccurrences = outlook.EndDate, day.AddDate(0, 0, -1).Format(time.DateOnly), 0
	second.Range.StartDate = date
	if second.Range.Type == outlook.Numbered {
		second.Range.NumberOfOccurrences -= len(begun)
	}
	rest = outlook.Event{
		Start: shift(e.Start, at.slot.Start, e.AllDay), End: shift(e.End, at.slot.End, e.AllDay), Recurrence: &second,
	}
	return rest, ended, len(begun) == 0
}

// Move puts an event or a series into another calendar of the same mailbox.
func (p Person) Move(id, calendarID string) error {
	p.tenant.mu.Lock()
	defer p.tenant.mu.Unlock()
	it, slot, err := p.user.box.itemIn(nil, id)
	if err != nil {
		return err
	}
	if slot != nil {
		return invalid("An occurrence cannot leave its series.")
	}
	c, err := p.user.box.calendar(calendarID)
	if err != nil {
		return err
	}
	if c.box != p.user.box {
		return invalid("The calendar is in another mailbox.")
	}
	p.tenant.move(it, c)
	return nil
}

// MoveAnew puts an event or a series into another calendar of the same mailbox as clients do that make it there once more and take
// the old one away: it has another id and its old iCalUId. The mark of who made it, an extended property, stays or is lost; the
// transaction id, of the item that was deleted, is gone. Nobody is told by mail. Its new form is answered.
func (p Person) MoveAnew(id, calendarID string, keepMark bool) (outlook.Event, error) {
	return p.again(id, calendarID, func(it *item) {
		if !keepMark {
			it.event.Origin = ""
		}
	}, true)
}

// Copy makes an event or a series once more in another calendar of the same mailbox, with its iCalUId and its mark, and leaves the old
// one where it is.
func (p Person) Copy(id, calendarID string) (outlook.Event, error) {
	return p.again(id, calendarID, func(*item) {}, false)
}

func (p Person) again(id, calendarID string, change func(*item), instead bool) (outlook.Event, error) {
	p.tenant.mu.Lock()
	defer p.tenant.mu.Unlock()
	it, slot, err := p.user.box.itemIn(nil, id)
	if err != nil {
		return outlook.Event{}, err
	}
	c, err := p.user.box.calendar(calendarID)
	if err != nil {
		return outlook.Event{}, err
	}
	if slot != nil || c.box != p.user.box || c == it.cal {
		return outlook.Event{}, invalid("A single event or a series goes into another calendar of its mailbox.")
	}
	made := p.tenant.remade(it, c)
	change(made)
	if instead {
		p.tenant.unlink(it)
	}
	return made.shown(), nil
}

// Answer accepts or declines an invitation, to the whole or to one occurrence. What is declined leaves the calendar.
func (p Person) Answer(id string, response outlook.Response, comment string) error {
	return p.reply(id, reply{response: response, comment: comment})
}

// Propose declines an invitation, or accepts it tentatively, and proposes another time, which the organizer's list of attendees shows.
func (p Person) Propose(id string, response outlook.Response, proposed outlook.Span) error {
	if err := checkZones(outlook.Draft{Start: &proposed.Start, End: &proposed.End}); err != nil {
		return err
	}
	from, to := at(proposed.Start, false), at(proposed.End, false)
	if response == outlook.ResponseAccepted || from.IsZero() || to.Before(from) {
		return invalid("Another time is proposed with tentativelyAccepted or declined, from a start to an end.")
	}
	return p.reply(id, reply{response: response, proposed: outlook.Span{Start: instant(from), End: instant(to)}})
}

func (p Person) reply(id string, answer reply) error {
	p.tenant.mu.Lock()
	defer p.tenant.mu.Unlock()
	it, slot, err := p.user.box.itemIn(nil, id)
	if err != nil {
		return err
	}
	if it.event.IsOrganizer || !slices.Contains([]outlook.Response{outlook.ResponseAccepted, outlook.ResponseTentative, outlook.ResponseDeclined}, answer.response) {
		return invalid("The organizer cannot answer, and an answer is accepted, tentativelyAccepted or declined.")
	}
	p.tenant.respond(it, slot, answer)
	return nil
}

// Cancel calls a meeting, or one occurrence, off.
func (p Person) Cancel(id, comment string) error {
	p.tenant.mu.Lock()
	defer p.tenant.mu.Unlock()
	it, slot, err := p.user.box.itemIn(nil, id)
	if err != nil {
		return err
	}
	if !it.event.IsOrganizer {
		return notOrganizer()
	}
	p.tenant.drop(it, slot, comment)
	return nil
}

// Delete deletes an event, a series or one occurrence. The organizer's attendees are told; an attendee's copy goes alone.
func (p Person) Delete(id string) error {
	p.tenant.mu.Lock()
	defer p.tenant.mu.Unlock()
	it, slot, err := p.user.box.itemIn(nil, id)
	if err != nil {
		return err
	}
	p.tenant.drop(it, slot, "")
	return nil
}

// Touch saves an event as it is, as Exchange does by itself now and then: it has another change key afterwards.
func (p Person) Touch(id string) error {
	p.tenant.mu.Lock()
	defer p.tenant.mu.Unlock()
	it, _, err := p.user.box.itemIn(nil, id)
	if err != nil {
		return err
	}
	p.tenant.touch(it, updated)
	it.whole = it.seq
	return nil
}

// Resanitize saves an event with its body rewritten, as Exchange does by itself. Nobody is told by mail, and an online meeting stays one.
func (p Person) Resanitize(id string, rewrite func(outlook.Body) outlook.Body) error {
	p.tenant.mu.Lock()
	defer p.tenant.mu.Unlock()
	it, _, err := p.user.box.itemIn(nil, id)
	if err != nil {
		return err
	}
	it.event.Body = rewrite(document(it.event.Body))
	p.tenant.touch(it, updated)
	it.whole = it.seq
	return nil
}

// Event reads an event, a series or an occurrence.
func (p Person) Event(id string) (outlook.Event, error) {
	p.tenant.mu.Lock()
	defer p.tenant.mu.Unlock()
	it, slot, err := p.user.box.itemIn(nil, id)
	if err != nil {
		return outlook.Event{}, err
	}
	return it.read(slot), nil
}

// View gives all that takes place in a calendar within the window, by its start: the truth that a reader has to arrive at.
func (p Person) View(calendarID string, w outlook.Window) ([]outlook.Event, error) {
	p.tenant.mu.Lock()
	defer p.tenant.mu.Unlock()
	c, err := p.user.box.calendar(calendarID)
	if err != nil {
		return nil, err
	}
	var events []outlook.Event
	for _, found := range place(c.sorted(), w) {
		events = append(events, found.item.read(found.slot))
	}
	return events, nil
}

// Series gives the singles and the masters of a calendar, the oldest change first.
func (p Person) Series(calendarID string) ([]outlook.Event, error) {
	p.tenant.mu.Lock()
	defer p.tenant.mu.Unlock()
	c, err := p.user.box.calendar(calendarID)
	if err != nil {
		return nil, err
	}
	var events []outlook.Event
	for _, it := range c.sorted() {
		events = append(events, it.shown())
	}
	return events, nil
}
