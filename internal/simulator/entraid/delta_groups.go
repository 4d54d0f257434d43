package entraid

import (
	"context"
	"slices"

	"usher/internal/simulator"
	"usher/model/entra"
)

// GroupEntry is what a delta tells of a group: what it is, and a slice of who joined and left. Of one that is removed there is
// the id alone.
type GroupEntry struct {
	Group   simulator.Group
	Removed entra.Removal
	Members []entra.Member
}

// GroupDelta is a page of a delta; Select is what its round was begun with.
type GroupDelta struct {
	Entries     []GroupEntry
	Select      []string
	Next, Delta string
}

// GroupsDelta gives a page of what changed of groups and their direct members (Graph: GET /groups/delta). Members are told
// where nothing or "members" is selected.
func (s *Session) GroupsDelta(ctx context.Context, r Round) (GroupDelta, error) {
	var page GroupDelta
	err := s.do(ctx, call{method: "GroupsDelta", needs: append(readGroups(), "Group.ReadBasic.All")}, func() error {
		d := s.directory
		l, err := d.open("g", r)
		if err != nil {
			return err
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		page.Select = l.Select
		if d.blank(&l) {
			page.Next, page.Delta = d.onward(l, true)
			return nil
		}
		b := groupPage{directory: d, link: &l, members: l.Select == nil || slices.Contains(l.Select, "members"), at: map[string]int{}}
		more := false
		if l.First {
			more = b.first()
		} else {
			more = b.changed()
		}
		phantom := GroupEntry{Group: simulator.Group{ID: d.guid()}, Removed: entra.Deleted}
		page.Entries = spoil(d, b.entries, phantom)
		page.Next, page.Delta = d.onward(l, more)
		return nil
	})
	return page, err
}

// groupPage is a page in the making.
type groupPage struct {
	directory *Directory
	link      *link
	members   bool // they are told
	entries   []GroupEntry
	at        map[string]int // entries by the id of the group
	told      int            // members on the page
}

func (b *groupPage) wanted(id string) bool {
	return len(b.link.IDs) == 0 || slices.Contains(b.link.IDs, id)
}

func (b *groupPage) full() bool {
	return len(b.entries) >= b.directory.size(b.link) || b.told >= b.directory.options.MembersPerPage
}

// first fills a page of the first round.
func (b *groupPage) first() (more bool) {
	d, l := b.directory, b.link
	groupsLeft := true
	for !b.full() {
		const openAtOnce = 3
		var group simulator.Group
		var after uint64
		switch {
		case len(l.Open) > 0 && (!d.faults.SplitGroups || len(l.Open) >= openAtOnce || !groupsLeft):
			found, exists := d.tenant.Group(l.Open[0].ID)
			after = l.Open[0].After
			l.Open = l.Open[1:]
			if !exists {
				continue
			}
			group = found
		default:
			rows, _ := d.tenant.WalkGroups(l.Position, 1, func(g simulator.Group) bool { return b.wanted(g.ID) })
			if len(rows) == 0 {
				if len(l.Open) == 0 {
					return false
				}
				groupsLeft = false
				continue
			}
			group, l.Position = rows[0].Group, rows[0].Serial
		}
		b.slice(group, after)
	}
	return true
}

// slice tells a group with as many members as there is room for, and keeps it open where there are more.
func (b *groupPage) slice(group simulator.Group, after uint64) {
	d, l := b.directory, b.link
	entry := GroupEntry{Group: group}
	if b.members {
		size := d.options.MembersPerPage - b.told
		if d.faults.SplitGroups {
			size = min(size, 1+d.random.IntN(4))
		}
		rows, more := d.tenant.WalkMembers(group.ID, after, size)
		for _, row := range rows {
			after = row.Serial
			if d.chance(d.faults.LateMembers) {
				d.tenant.Recall(group.ID, row.ID)
				continue
			}
			entry.Members = append(entry.Members, entra.Member{ID: row.ID, Type: MemberType(row)})
		}
		b.told += len(rows)
		if more {
			l.Open = append(l.Open, opening{group.ID, after})
		}
	}
	b.entries = append(b.entries, entry)
}

// changed fills a page of what changed since.
func (b *groupPage) changed() (more bool) {
	d, l := b.directory, b.link
	for {
		steps := d.tenant.Steps(l.Position, l.UpTo, maxSteps)
		for _, step := range steps {
			if step.Kind != simulator.UserChanged && b.wanted(step.ID) {
				if b.full() {
					return true
				}
				b.tell(step)
			}
			l.Position = step.Sequence
		}
		if len(steps) < maxSteps {
			return false
		}
	}
}

// tell adds one step of the history, as things stand now.
func (b *groupPage) tell(step simulator.Step) {
	d := b.directory
	group, exists := d.tenant.Group(step.ID)
	if step.Kind == simulator.MemberChanged && (!b.members || !exists) {
		return // of a group that is gone its end tells everything
	}
	at, there := b.at[step.ID]
	if !there || d.faults.SplitGroups {
		at = len(b.entries)
		entry := GroupEntry{Group: group}
		if !exists {
			entry = GroupEntry{Group: simulator.Group{ID: step.ID}, Removed: entra.Deleted}
		}
		b.entries, b.at[step.ID] = append(b.entries, entry), at
	}
	if step.Kind != simulator.MemberChanged {
		return
	}
	entry := &b.entries[at]
	if slices.ContainsFunc(entry.Members, func(m entra.Member) bool { return m.ID == step.Member }) {
		return
	}
	if d.chance(d.faults.LateMembers) {
		d.tenant.Recall(step.ID, step.Member)
		return
	}
	member := entra.Member{ID: step.Member, Type: entra.MemberUser, Removed: !d.tenant.IsMember(step.ID, step.Member)}
	if _, isGroup := d.tenant.Group(step.Member); isGroup {
		member.Type = entra.MemberGroup
	}
	entry.Members = append(entry.Members, member)
	b.told++
}
