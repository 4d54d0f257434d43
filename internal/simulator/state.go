package simulator

import (
	"maps"
	"time"
)

// objectKind tells users from groups.
type objectKind string

const (
	kindUser  objectKind = "User"
	kindGroup objectKind = "Group"
)

// collection is the endpoint of the kind.
func (k objectKind) collection() string { return "/" + string(k) + "s" }

// link is what the job remembers of an object that it has provisioned.
type link struct {
	targetID string
	name     string // display name, for objects that are gone from the tenant
	kind     objectKind
	managed  bool            // false once disabled out of scope: nothing is sent any more
	returned bool            // was soft-deleted or out of scope: match by filter again when it comes back
	sent     map[string]bool // of a group: object ids of the members at the target; false after a failed PATCH: perhaps
}

// escrow is an object that failed and waits for its retry.
type escrow struct {
	kind      objectKind
	attempts  int
	due       time.Time
	code      Code
	reference bool                // only a manager or members failed
	members   map[string]struct{} // object ids of the members to try again
	all       bool                // of a group that failed before its members were compared
}

// link gives a copy of what is remembered of an object.
func (p *Provisioner) link(id string) (link, bool) {
	p.state.Lock()
	defer p.state.Unlock()
	l, ok := p.links[id]
	if !ok {
		return link{}, false
	}
	return *l, true
}

// remember links an object to its resource at the target.
func (p *Provisioner) remember(s subject, targetID string) {
	p.state.Lock()
	defer p.state.Unlock()
	l, ok := p.links[s.id]
	if !ok || l.targetID != targetID {
		if ok { // another resource than before: the groups at the target do not hold it
			p.leaveSent(s.id)
			delete(p.owners, ownerKey{s.kind, l.targetID})
		}
		l = &link{targetID: targetID, kind: s.kind}
		if s.kind == kindGroup {
			l.sent = map[string]bool{}
			if !ok {
				p.groupLinks = append(p.groupLinks, s.id)
			}
		}
		p.links[s.id] = l
		p.owners[ownerKey{s.kind, targetID}] = s.id
	}
	l.name, l.managed, l.returned = s.name, true, false
}

// ownerKey names a resource of the target.
type ownerKey struct {
	kind     objectKind
	targetID string
}

// owner is the object that is linked to a resource of the target, "" when none is.
func (p *Provisioner) owner(kind objectKind, targetID string) string {
	p.state.Lock()
	defer p.state.Unlock()
	return p.owners[ownerKey{kind, targetID}]
}

// mark notes that an object must be matched again when it returns, and whether the job still manages it.
func (p *Provisioner) mark(id string, managed bool) {
	p.state.Lock()
	defer p.state.Unlock()
	if l, ok := p.links[id]; ok {
		l.managed, l.returned = managed, true
	}
}

// forget drops the link of an object that is gone, also as a member of groups.
func (p *Provisioner) forget(id string) {
	p.state.Lock()
	defer p.state.Unlock()
	if l, ok := p.links[id]; ok {
		delete(p.owners, ownerKey{l.kind, l.targetID})
	}
	delete(p.links, id)
	delete(p.escrows, id)
	p.leaveSent(id)
}

// leaveSent takes an object out of the members that groups have at the target. The caller holds the lock.
func (p *Provisioner) leaveSent(id string) {
	for _, group := range p.groupLinks {
		if l, ok := p.links[group]; ok {
			delete(l.sent, id)
		}
	}
}

// noteMembers records what a group has at the target now that a PATCH succeeded.
func (p *Provisioner) noteMembers(group string, members []string, present bool) {
	p.state.Lock()
	defer p.state.Unlock()
	l, ok := p.links[group]
	if !ok {
		return
	}
	for _, id := range members {
		if present {
			l.sent[id] = true
		} else {
			delete(l.sent, id)
		}
	}
}

// doubtMembers records that a PATCH failed, perhaps after it took effect: the next one is sent whatever it asks for.
func (p *Provisioner) doubtMembers(group string, members []string) {
	p.state.Lock()
	defer p.state.Unlock()
	if l, ok := p.links[group]; ok {
		for _, id := range members {
			l.sent[id] = false
		}
	}
}

// sentTo copies the object ids of a group's members at the target.
func (p *Provisioner) sentTo(group string) map[string]bool {
	p.state.Lock()
	defer p.state.Unlock()
	if l, ok := p.links[group]; ok {
		return maps.Clone(l.sent)
	}
	return nil
}

// escrowed reports whether an object itself (not only a reference of it) waits for a retry.
func (p *Provisioner) escrowed(id string) bool {
	p.state.Lock()
	defer p.state.Unlock()
	e, ok := p.escrows[id]
	return ok && !e.reference
}

// escrow keeps an object for a later try.
func (p *Provisioner) escrow(id string, kind objectKind, code Code, reference bool, members []string) {
	p.state.Lock()
	defer p.state.Unlock()
	e, ok := p.escrows[id]
	if !ok {
		e = &escrow{kind: kind, members: map[string]struct{}{}, reference: true}
		p.escrows[id] = e
	}
	if _, again := p.failedNow[id]; !again { // several failures of one cycle are one step of back-off
		e.attempts++
		e.reference = true
		p.failedNow[id] = struct{}{}
	}
	e.code, e.due = code, p.now().Add(retryAfter(e.attempts))
	e.reference = e.reference && reference
	for _, member := range members {
		e.members[member] = struct{}{}
	}
}

// settle ends the escrows of the objects that a finished cycle tried without a failure.
func (p *Provisioner) settle(tried map[string]struct{}) {
	p.state.Lock()
	defer p.state.Unlock()
	for id := range tried {
		if _, failed := p.failedNow[id]; !failed {
			delete(p.escrows, id)
		}
	}
}

// escrowCounts counts the waiting objects, and those of them that only lack a reference, and finds the next due time.
func (p *Provisioner) escrowCounts() (all, references int, next time.Time) {
	p.state.Lock()
	defer p.state.Unlock()
	for _, e := range p.escrows {
		all++
		if e.reference {
			references++
		}
		if next.IsZero() || e.due.Before(next) {
			next = e.due
		}
	}
	return all, references, next
}
