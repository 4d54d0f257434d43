package simulator

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// provisionGroup brings a group in line, without its members, and reports whether members may follow.
func (p *Provisioner) provisionGroup(ctx context.Context, r *run, id string) bool {
	r.handled()
	group, exists := p.tenant.Group(id)
	known, linked := p.link(id)
	s := subject{id, group.DisplayName, kindGroup}
	if !exists {
		s.name = known.name
	}
	if !exists || !p.groupInScope(id) {
		p.removeGroup(ctx, r, s, known, linked)
		return false
	}
	want := groupAttributes(group)
	resource, failure := p.locate(ctx, r, s, known, linked, !linked || known.returned, want)
	if failure != nil {
		p.fail(r, s, ActionUpdate, failure, false, nil)
		return false
	}
	if resource == nil {
		return p.create(ctx, r, s, groupBody(want)) != nil
	}
	return p.update(ctx, r, s, resource, want)
}

// removeGroup deletes a group that is gone or left the scope: groups have no soft delete.
func (p *Provisioner) removeGroup(ctx context.Context, r *run, s subject, known link, linked bool) {
	_, exists := p.tenant.Group(s.id)
	if exists && linked && known.managed && p.options.SkipOutOfScopeDeletions {
		p.mark(s.id, false)
		p.skip(r, s, CodeNotEntitled, "left the scope; SkipOutOfScopeDeletions is on")
		return
	}
	p.removeGone(ctx, r, s, known, linked)
}

// syncManagers sends the managers that differ, each in a PATCH of its own.
func (p *Provisioner) syncManagers(ctx context.Context, r *run, users []reference) {
	p.each(ctx, len(users), func(i int) { p.syncManager(ctx, r, users[i]) })
}

func (p *Provisioner) syncManager(ctx context.Context, r *run, u reference) {
	user, exists := p.tenant.User(u.subject.id)
	if !exists {
		return
	}
	wanted := ""
	if user.ManagerID != "" {
		manager, linked := p.link(user.ManagerID)
		switch {
		case linked:
			wanted = manager.targetID
		case p.escrowed(user.ManagerID):
			r.handled()
			p.fail(r, u.subject, ActionUpdate, &Failure{Code: CodeUnresolved, Detail: "the manager waits for a retry"}, true, nil)
			return
		default:
			return // out of scope: left as it is until the reference changes or the job restarts
		}
	}
	if wanted == u.manager {
		return
	}
	r.handled()
	words := "Set manager of " + u.subject.name
	if wanted == "" {
		words = "Remove manager of " + u.subject.name
	}
	if f := p.patch(ctx, r, u.subject, u.targetID, words, r.dialect.manager(u.manager, wanted)); f != nil {
		p.fail(r, u.subject, ActionUpdate, f, true, nil)
		return
	}
	p.logReference(r, u.subject, Modified{"manager", u.manager, wanted}, func(c *Counts) {
		if wanted == "" {
			c.ManagersRemoved++
		} else {
			c.ManagersSet++
		}
	})
}

// memberBatch is one PATCH of members.
type memberBatch struct {
	group    subject
	targetID string
	add      bool
	ids      []string // object ids
	targets  []string // their SCIM ids, in the same order
}

// syncMembers sends who joined and who left, after all users and groups stand.
func (p *Provisioner) syncMembers(ctx context.Context, r *run, groups []*groupWork) {
	var batches []memberBatch
	for _, g := range groups {
		if ctx.Err() != nil {
			return
		}
		if g.ready {
			batches = append(batches, p.memberBatches(r, g)...)
		} else {
			p.keepTouched(g)
		}
	}
	p.each(ctx, len(batches), func(i int) { p.sendMembers(ctx, r, batches[i]) })
}

// keepTouched adds to the escrow of a group that failed the members that were to follow.
func (p *Provisioner) keepTouched(g *groupWork) {
	p.state.Lock()
	defer p.state.Unlock()
	if e, ok := p.escrows[g.id]; ok {
		e.all = e.all || g.all
		for _, id := range g.touched {
			e.members[id] = struct{}{}
		}
	}
}

// memberBatches compares the members of a group with what was sent before.
func (p *Provisioner) memberBatches(r *run, g *groupWork) []memberBatch {
	group, _ := p.tenant.Group(g.id)
	known, linked := p.link(g.id)
	if !linked {
		return nil
	}
	joining := memberBatch{group: subject{g.id, group.DisplayName, kindGroup}, targetID: known.targetID, add: true}
	leaving := joining
	leaving.add = false
	sent := p.sentTo(g.id)
	var waiting []string
	for _, id := range p.candidates(g, sent) {
		certain, perhaps := sent[id]
		member, resolved := p.link(id)
		switch wanted := p.tenant.IsMember(g.id, id); {
		case wanted && certain, !wanted && !perhaps:
		case resolved && wanted:
			joining.ids, joining.targets = append(joining.ids, id), append(joining.targets, member.targetID)
		case resolved:
			leaving.ids, leaving.targets = append(leaving.ids, id), append(leaving.targets, member.targetID)
		case wanted && p.escrowed(id):
			waiting = append(waiting, id)
		}
	}
	if len(waiting) > 0 {
		r.handled()
		p.fail(r, joining.group, ActionUpdate, &Failure{Code: CodeUnresolved, Detail: fmt.Sprintf("%d members wait for a retry", len(waiting))}, true, waiting)
	}
	return append(joining.split(p.options.MembersPerPatch), leaving.split(p.options.MembersPerPatch)...)
}

// candidates lists the members to compare: those touched or, for a whole group, those it has and those it had.
func (p *Provisioner) candidates(g *groupWork, sent map[string]bool) []string {
	list := g.touched
	if g.all {
		list = p.tenant.Members(g.id)
		var gone []string
		for id := range sent {
			if !p.tenant.IsMember(g.id, id) {
				gone = append(gone, id)
			}
		}
		slices.Sort(gone)
		list = append(list, gone...)
	}
	once := make(map[string]struct{}, len(list))
	return slices.DeleteFunc(slices.Clone(list), func(id string) bool {
		_, seen := once[id]
		once[id] = struct{}{}
		return seen
	})
}

// split cuts a batch into requests.
func (b memberBatch) split(size int) []memberBatch {
	var out []memberBatch
	for start := 0; start < len(b.ids); start += size {
		end := min(start+size, len(b.ids))
		part := b
		part.ids, part.targets = b.ids[start:end], b.targets[start:end]
		out = append(out, part)
	}
	return out
}

func (p *Provisioner) sendMembers(ctx context.Context, r *run, b memberBatch) {
	r.handled()
	words := fmt.Sprintf("Add %s to %s", p.names(b.ids), b.group.name)
	if !b.add {
		words = fmt.Sprintf("Remove %s from %s", p.names(b.ids), b.group.name)
	}
	if f := p.patch(ctx, r, b.group, b.targetID, words, r.dialect.members(b.add, b.targets)); f != nil {
		p.doubtMembers(b.group.id, b.ids)
		p.fail(r, b.group, ActionUpdate, f, true, b.ids)
		return
	}
	p.noteMembers(b.group.id, b.ids, b.add)
	modified := Modified{Name: "members", New: p.names(b.ids)}
	if !b.add {
		modified = Modified{Name: "members", Old: p.names(b.ids)}
	}
	p.logReference(r, b.group, modified, func(c *Counts) {
		if b.add {
			c.MembersAdded += len(b.ids)
		} else {
			c.MembersRemoved += len(b.ids)
		}
	})
}

// logReference records a reference that was sent. It counts as such, not as an updated object.
func (p *Provisioner) logReference(r *run, s subject, modified Modified, count func(*Counts)) {
	p.record(r, s, Entry{Action: ActionUpdate, Outcome: OutcomeSuccess, Modified: []Modified{modified}})
	r.count(count)
}

// namesShown is how many members a sentence names before it only counts the rest.
const namesShown = 5

// names lists members for a reader.
func (p *Provisioner) names(ids []string) string {
	shown := make([]string, 0, namesShown)
	for _, id := range ids[:min(len(ids), namesShown)] {
		known, _ := p.link(id)
		shown = append(shown, known.name)
	}
	out := strings.Join(shown, ", ")
	if rest := len(ids) - len(shown); rest > 0 {
		out += fmt.Sprintf(" and %d more", rest)
	}
	return out
}
