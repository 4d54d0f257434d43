package exchange

import (
	"slices"
	"strings"
	"time"

	"usher/model/outlook"
)

// answer is a room's, to be given when its time has come.
type answer struct {
	at   time.Time
	room *room
	uid  string
	wall string // of an occurrence; "" for the whole
}

// examined is how many occurrences of a series a room looks at, from now on.
const examined = 200

// answerRooms lets the rooms answer whose time has come, and says how many did.
func (t *Tenant) answerRooms() int {
	now := t.now()
	var due []answer
	t.answers = slices.DeleteFunc(t.answers, func(a answer) bool {
		if a.at.After(now) {
			return false
		}
		due = append(due, a)
		return true
	})
	for _, a := range due {
		t.answerRoom(a)
	}
	return len(due)
}

func (t *Tenant) answerRoom(a answer) {
	box := a.room.user.box
	i := slices.IndexFunc(t.uids[a.uid], func(it *item) bool { return it.cal.box == box })
	if i < 0 {
		return // it was called off meanwhile
	}
	c := t.uids[a.uid][i]
	var r *recurring
	if a.wall != "" && c.event.Recurrence != nil {
		p := c.parts[a.wall]
		if p == nil || p.deleted {
			return
		}
		r = &recurring{p.slot, p}
	}
	if t.occupied(c, r) {
		t.respond(c, r, reply{response: outlook.ResponseDeclined})
		return
	}
	// Exchange's defaults: AddOrganizerToSubject and DeleteSubject, DeleteComments.
	c.event.Subject, c.event.Body = c.event.Organizer.Name, outlook.Body{ContentType: "html"}
	if r != nil {
		r.part.patch.Subject, r.part.patch.Body = nil, nil
	}
	t.respond(c, r, reply{response: outlook.ResponseAccepted})
}

// occupied tells whether something that the room has promised overlaps.
func (t *Tenant) occupied(c *item, r *recurring) bool {
	wanted := []outlook.Window{}
	switch {
	case r != nil:
		wanted = append(wanted, c.when(*r))
	case c.event.Recurrence == nil:
		wanted = append(wanted, c.span())
	default:
		slots := c.slots(outlook.Window{From: t.now()}, examined)
		for _, slot := range slots {
			wanted = append(wanted, outlook.Window{From: slot.Start, To: slot.End})
		}
	}
	if len(wanted) == 0 {
		return false
	}
	whole := outlook.Window{From: wanted[0].From, To: wanted[len(wanted)-1].To}
	for _, other := range c.cal.items {
		if other == c {
			continue
		}
		for _, taken := range other.taken(whole) {
			if slices.ContainsFunc(wanted, func(w outlook.Window) bool { return taken.From.Before(w.To) && w.From.Before(taken.To) }) {
				return true
			}
		}
	}
	return false
}

// taken gives the times of an item that its owner has promised.
func (it *item) taken(w outlook.Window) []outlook.Window {
	promised := func(response outlook.Response, cancelled bool) bool {
		return !cancelled && (response == outlook.ResponseAccepted || response == outlook.ResponseOrganizer)
	}
	if it.event.ShowAs == "free" {
		return nil
	}
	if it.event.Recurrence == nil {
		if span := it.span(); promised(it.event.Response, it.event.IsCancelled) && touches(span.From, span.To, w) {
			return []outlook.Window{span}
		}
		return nil
	}
	var out []outlook.Window
	for _, r := range it.instances(w) {
		response, cancelled := it.event.Response, it.event.IsCancelled
		if r.part != nil {
			cancelled = cancelled || r.part.calledOff
			if r.part.response != "" {
				response = r.part.response
			}
		}
		if promised(response, cancelled) {
			out = append(out, it.when(r))
		}
	}
	return out
}

// reply is what somebody answers to an invitation.
type reply struct {
	response outlook.Response
	proposed outlook.Span // another time, where one is proposed
	comment  string
}

// respond gives the answer of an attendee: on the copy, which goes away with a refusal, and in the organizer's list.
func (t *Tenant) respond(c *item, r *recurring, answer reply) {
	response := answer.response
	owner := c.cal.box.owner
	organizer := t.organizers(c.event.ICalUID)
	m := Mail{At: t.now(), Kind: Answer, From: owner.mail, To: c.event.Organizer.Email, ICalUID: c.event.ICalUID, Subject: c.event.Subject, Response: response, Comment: answer.comment}
	if r != nil {
		m.Occurrence = r.slot.Wall
	}
	t.mails.add(m, t.options.JournalLimit)
	switch {
	case response == outlook.ResponseDeclined && r == nil:
		t.unlink(c)
	case r == nil:
		c.event.Response = response
		c.event.ShowAs = shownAfter(response, organizer)
		t.touch(c, updated)
		c.whole = c.seq
	default:
		p := t.part(c, *r)
		p.response, p.deleted = response, response == outlook.ResponseDeclined
		showAs := shownAfter(response, organizer)
		p.patch.ShowAs = &showAs
		t.touch(c, updated)
		p.key, p.seq = t.changeKey(), c.seq
	}
	if organizer != nil {
		t.track(organizer, r, owner.mail, answer)
	}
}

// shownAfter gives what an answer makes of an attendee's time.
func shownAfter(response outlook.Response, organizer *item) string {
	switch {
	case response == outlook.ResponseTentative:
		return "tentative"
	case organizer == nil:
		return "busy"
	}
	return organizer.event.ShowAs
}

// organizers gives the organizer's copy of a meeting; nil where it is not in the tenant.
func (t *Tenant) organizers(uid string) *item {
	for _, it := range t.uids[uid] {
		if it.event.IsOrganizer {
			return it
		}
	}
	return nil
}

// track notes an answer in the organizer's list of attendees.
func (t *Tenant) track(it *item, r *recurring, email string, answer reply) {
	if r == nil || it.event.Recurrence == nil {
		it.event.Attendees = answered(it.event.Attendees, email, answer, t.now())
		for _, p := range it.parts {
			if p.patch.Attendees != nil {
				list := answered(*p.patch.Attendees, email, answer, t.now())
				p.patch.Attendees = &list
			}
		}
		t.touch(it, updated)
		it.whole = it.seq
		return
	}
	if p := it.parts[r.slot.Wall]; p != nil && p.deleted {
		return
	}
	own := recurring{r.slot, it.parts[r.slot.Wall]}
	list := answered(it.shownAs(it.shown(), own).Attendees, email, answer, t.now())
	p := t.part(it, own)
	p.patch.Attendees = &list
	t.touch(it, updated)
	p.key, p.seq = t.changeKey(), it.seq
}

func answered(list []outlook.Attendee, email string, answer reply, at time.Time) []outlook.Attendee {
	list = slices.Clone(list)
	for i := range list {
		if strings.EqualFold(list[i].Email, email) {
			list[i].Response, list[i].At, list[i].Proposed = answer.response, at, answer.proposed
		}
	}
	return list
}
