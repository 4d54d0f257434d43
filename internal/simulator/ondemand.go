package simulator

import (
	"context"
	"fmt"
)

// maxOnDemandMembers is how many members of a group one on-demand call takes.
const maxOnDemandMembers = 5

// OnDemand provisions one user, or one group with at most five members, at once: it tests the connection, reads the
// object, checks the scope, matches and acts. Without memberIDs a group takes its first five. It works in quarantine,
// always speaks the legacy dialect, and does not restore soft-deleted users. An object that fails is escrowed as in a cycle.
func (p *Provisioner) OnDemand(ctx context.Context, objectID string, memberIDs ...string) (*Report, error) {
	if len(memberIDs) > maxOnDemandMembers {
		return nil, fmt.Errorf("on demand takes at most %d members, not %d", maxOnDemandMembers, len(memberIDs))
	}
	p.running.Lock()
	defer p.running.Unlock()
	r, ctx, cancel := p.begin(ctx, "on demand", Legacy)
	defer cancel(nil)
	user, isUser := p.tenant.User(objectID)
	_, isGroup := p.tenant.Group(objectID)
	if !isUser && !isGroup {
		return p.end(r), fmt.Errorf("object %s: %w", objectID, ErrNotFound)
	}
	kind := kindUser
	if isGroup {
		kind = kindGroup
	}
	if failure := p.probe(ctx, r, kind); failure != nil {
		return p.end(r), failure
	}
	switch {
	case isGroup:
		p.groupOnDemand(ctx, r, objectID, memberIDs)
	case !user.DeletedAt.IsZero():
		p.skip(r, subject{objectID, user.DisplayName, kindUser}, CodeSourceDisabled, "on demand does not act on soft-deleted users")
	default:
		if found := p.provisionUser(ctx, r, objectID); found != nil {
			p.syncManager(ctx, r, *found)
		}
	}
	if r.critical != nil {
		return p.end(r), r.critical
	}
	if isUser { // a group may have other members waiting
		p.settle(map[string]struct{}{objectID: {}})
	}
	return p.end(r), ctx.Err()
}

// groupOnDemand provisions a group and the chosen members. Members that are not provisioned are left out, and said so.
func (p *Provisioner) groupOnDemand(ctx context.Context, r *run, id string, memberIDs []string) {
	if len(memberIDs) == 0 {
		memberIDs = p.tenant.Members(id)
		memberIDs = memberIDs[:min(len(memberIDs), maxOnDemandMembers)]
	}
	work := &groupWork{id: id, touched: memberIDs}
	for _, member := range memberIDs {
		if _, linked := p.link(member); !linked {
			user, _ := p.tenant.User(member)
			p.skip(r, subject{member, user.DisplayName, kindUser}, CodeReferenceNotInSync, "the member is not provisioned")
		}
	}
	if work.ready = p.provisionGroup(ctx, r, id); work.ready {
		p.syncMembers(ctx, r, []*groupWork{work})
	}
}
