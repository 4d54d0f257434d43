package simulator

import (
	"context"
	"fmt"
	"slices"
	"sync"
)

// plan is the work of one cycle.
type plan struct {
	users  []string // object ids
	groups []*groupWork
	index  map[string]*groupWork
	tried  map[string]struct{} // object ids of all of them
	upTo   uint64              // watermark once the cycle has finished
	seen   int                 // reassignments that the plan has taken up
}

// groupWork is a group of a plan.
type groupWork struct {
	id      string
	all     bool     // compare all members, not only those touched
	touched []string // object ids of members that joined or left
	ready   bool     // the group stands at the target: members may be sent
}

func (l *plan) addUser(id string) {
	if _, planned := l.tried[id]; !planned {
		l.tried[id] = struct{}{}
		l.users = append(l.users, id)
	}
}

func (l *plan) addGroup(id string, all bool, touched ...string) {
	g, planned := l.index[id]
	if !planned {
		g = &groupWork{id: id}
		l.index[id], l.tried[id] = g, struct{}{}
		l.groups = append(l.groups, g)
	}
	g.all = g.all || all
	g.touched = append(g.touched, touched...)
}

// cycle runs an initial or incremental cycle. The caller holds p.running.
func (p *Provisioner) cycle(ctx context.Context, kind string, full bool) (*Report, error) {
	r, ctx, cancel := p.begin(ctx, kind, p.dialect)
	defer cancel(nil)
	switch state := p.quarantine.state(p.now()); {
	case state == StateDisabled:
		return p.end(r), ErrDisabled
	case state == StateQuarantined && p.now().Before(p.quarantine.NextAttempt):
		return p.end(r), fmt.Errorf("%w: next attempt at %s", ErrQuarantined, p.quarantine.NextAttempt.UTC().Format("2006-01-02 15:04:05Z"))
	}
	work := p.plan(full)
	references := p.syncUsers(ctx, r, work.users)
	p.each(ctx, len(work.groups), func(i int) { work.groups[i].ready = p.provisionGroup(ctx, r, work.groups[i].id) })
	p.syncManagers(ctx, r, references)
	p.syncMembers(ctx, r, work.groups)
	return p.finish(ctx, r, work)
}

// finish moves the watermark after a cycle that ran to its end, and decides on quarantine.
func (p *Provisioner) finish(ctx context.Context, r *run, work *plan) (*Report, error) {
	if r.critical != nil {
		p.quarantine.enter("EncounteredQuarantineException", r.critical.Error(), p.now())
		return p.end(r), fmt.Errorf("%w: %w", ErrQuarantined, r.critical)
	}
	if err := ctx.Err(); err != nil {
		return p.end(r), err
	}
	p.settle(work.tried)
	p.started, p.watermark = true, work.upTo
	p.state.Lock()
	p.reassigned = p.reassigned[work.seen:]
	p.state.Unlock()
	escrows, references, _ := p.escrowCounts()
	if reason := p.options.Thresholds.exceeded(r.events, r.failures, escrows, references); reason != "" {
		p.quarantine.enter(reason, fmt.Sprintf("%d of %d failed, %d waiting for a retry", r.failures, r.events, escrows), p.now())
		return p.end(r), fmt.Errorf("%w: %s", ErrQuarantined, reason)
	}
	p.quarantine = Quarantine{}
	return p.end(r), nil
}

// plan decides what a cycle looks at.
func (p *Provisioner) plan(full bool) *plan {
	work := &plan{index: map[string]*groupWork{}, tried: map[string]struct{}{}}
	reassigned := p.takeReassigned(work)
	if full {
		work.upTo = p.tenant.Sequence()
		p.planEverything(work)
		return work
	}
	var changes []Change
	changes, work.upTo = p.tenant.Changes(p.watermark)
	for _, change := range changes {
		p.planChange(work, change)
	}
	for _, id := range reassigned {
		p.planReassigned(work, id)
	}
	p.planRetries(work)
	return work
}

func (p *Provisioner) takeReassigned(work *plan) []string {
	p.state.Lock()
	defer p.state.Unlock()
	work.seen = len(p.reassigned)
	return slices.Clone(p.reassigned)
}

// planEverything takes all that is in scope, then all that is linked and not in scope any more.
func (p *Provisioner) planEverything(work *plan) {
	if p.options.Scope == ScopeAll {
		for _, id := range p.tenant.UserIDs() {
			work.addUser(id)
		}
	}
	for _, id := range p.tenant.GroupIDs() {
		if !p.groupInScope(id) {
			continue
		}
		work.addGroup(id, true)
		for _, member := range p.tenant.Members(id) {
			if _, isUser := p.tenant.User(member); isUser {
				work.addUser(member)
			}
		}
	}
	p.state.Lock()
	defer p.state.Unlock()
	var rest []string
	for id := range p.assigned {
		if _, isUser := p.tenant.User(id); isUser {
			rest = append(rest, id)
		}
	}
	var groups []string
	for id, l := range p.links {
		if l.kind == kindUser {
			rest = append(rest, id)
		} else {
			groups = append(groups, id)
		}
	}
	slices.Sort(rest)
	slices.Sort(groups)
	for _, id := range rest {
		work.addUser(id)
	}
	for _, id := range groups {
		work.addGroup(id, true)
	}
}

// planChange takes a change of the tenant if it concerns the scope.
func (p *Provisioner) planChange(work *plan, change Change) {
	switch change.Kind {
	case UserChanged:
		if p.concernsUser(change.ID) {
			work.addUser(change.ID)
		}
	case GroupChanged:
		if l, linked := p.link(change.ID); linked || p.groupInScope(change.ID) {
			work.addGroup(change.ID, l.targetID == "")
		}
	case MemberChanged:
		l, linked := p.link(change.ID)
		if linked || p.groupInScope(change.ID) {
			work.addGroup(change.ID, !linked || !l.managed, change.Member)
		}
		p.planScope(work, change.Member)
	}
}

// concernsUser reports whether a user is in scope or has been.
func (p *Provisioner) concernsUser(id string) bool {
	_, linked := p.link(id)
	return linked || p.userInScope(id)
}

// planScope takes a user whose own data did not change only if it came into scope or left it.
func (p *Provisioner) planScope(work *plan, id string) {
	l, linked := p.link(id)
	if linked && l.kind != kindUser {
		return
	}
	if p.userInScope(id) != (linked && l.managed) {
		work.addUser(id)
	}
}

// planReassigned takes an object that was assigned or unassigned and, of a group, whoever is or was in it.
func (p *Provisioner) planReassigned(work *plan, id string) {
	_, isUser := p.tenant.User(id)
	if l, linked := p.link(id); isUser || linked && l.kind == kindUser { // who may be gone for good
		p.planScope(work, id)
		return
	}
	work.addGroup(id, true)
	for _, member := range p.tenant.Members(id) {
		p.planScope(work, member)
	}
	was := make([]string, 0)
	for member := range p.sentTo(id) {
		was = append(was, member)
	}
	slices.Sort(was)
	for _, member := range was {
		p.planScope(work, member)
	}
}

// planRetries takes the escrowed objects that are due.
func (p *Provisioner) planRetries(work *plan) {
	p.state.Lock()
	defer p.state.Unlock()
	var due []string
	for id, e := range p.escrows {
		if _, planned := work.tried[id]; planned || !e.due.After(p.now()) {
			due = append(due, id)
		}
	}
	slices.Sort(due)
	for _, id := range due {
		e := p.escrows[id]
		if e.kind == kindUser {
			work.addUser(id)
			continue
		}
		members := make([]string, 0, len(e.members))
		for member := range e.members {
			members = append(members, member)
		}
		slices.Sort(members)
		_, linked := p.links[id]
		work.addGroup(id, e.all || !linked, members...)
	}
}

// userInScope reports whether a user exists and is in scope.
func (p *Provisioner) userInScope(id string) bool {
	if _, exists := p.tenant.User(id); !exists {
		return false
	}
	if p.options.Scope == ScopeAll {
		return true
	}
	groups := p.tenant.MemberOf(id)
	p.state.Lock()
	defer p.state.Unlock()
	return p.assigned[id] || slices.ContainsFunc(groups, func(group string) bool { return p.assigned[group] })
}

// groupInScope reports whether a group exists and is in scope.
func (p *Provisioner) groupInScope(id string) bool {
	if _, exists := p.tenant.Group(id); !exists {
		return false
	}
	if p.options.Scope == ScopeAll {
		return true
	}
	p.state.Lock()
	defer p.state.Unlock()
	return p.assigned[id]
}

// each runs fn for 0..n-1 with the configured number of requests in flight, until the context ends.
func (p *Provisioner) each(ctx context.Context, n int, fn func(int)) {
	var workers sync.WaitGroup
	next := make(chan int)
	for range min(p.options.Concurrency, n) {
		workers.Go(func() {
			for i := range next {
				if ctx.Err() == nil {
					fn(i)
				}
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	workers.Wait()
}
