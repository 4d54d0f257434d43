package simulator

import (
	"cmp"
	"slices"
	"time"
)

// Row is a user with the serial number that lists go by: it stays, and grows in order of creation.
type Row struct {
	User
	Serial uint64
}

// Deleted says whether the user is among the deleted items.
func (u User) Deleted() bool { return !u.DeletedAt.IsZero() }

// chunk is how many users are looked at between two that somebody may change.
const chunk = 256

// Walk gives users in order of creation: those after the serial number that are wanted, at most so many. more says that there
// are others behind. wanted is called without the tenant's lock.
func (t *Tenant) Walk(after uint64, limit int, wanted func(User) bool) (rows []Row, more bool) {
	buffer := make([]Row, 0, chunk)
	for {
		buffer = t.rowsAfter(after, buffer[:0])
		for _, row := range buffer {
			if after = row.Serial; wanted != nil && !wanted(row.User) {
				continue
			}
			if len(rows) == limit {
				return rows, true
			}
			rows = append(rows, row)
		}
		if len(buffer) < chunk {
			return rows, false
		}
	}
}

// rowsAfter fills the buffer with the next users.
func (t *Tenant) rowsAfter(after uint64, buffer []Row) []Row {
	t.mu.RLock()
	defer t.mu.RUnlock()
	start, _ := slices.BinarySearchFunc(t.order, after+1, func(p *person, n uint64) int { return cmp.Compare(p.serial, n) })
	for _, p := range t.order[start:min(start+chunk, len(t.order))] {
		buffer = append(buffer, Row{p.User, p.serial})
	}
	return buffer
}

// GroupRow is a group with its serial number.
type GroupRow struct {
	Group
	Serial uint64
}

// WalkGroups gives groups in order of creation, as Walk gives users.
func (t *Tenant) WalkGroups(after uint64, limit int, wanted func(Group) bool) (rows []GroupRow, more bool) {
	for _, row := range t.groupsAfter(after) {
		if wanted != nil && !wanted(row.Group) {
			continue
		}
		if len(rows) == limit {
			return rows, true
		}
		rows = append(rows, row)
	}
	return rows, false
}

func (t *Tenant) groupsAfter(after uint64) []GroupRow {
	t.mu.RLock()
	defer t.mu.RUnlock()
	start, _ := slices.BinarySearchFunc(t.groupOrder, after+1, func(id string, n uint64) int { return cmp.Compare(t.groups[id].serial, n) })
	rows := make([]GroupRow, 0, len(t.groupOrder)-start)
	for _, id := range t.groupOrder[start:] {
		rows = append(rows, GroupRow{t.groups[id].Group, t.groups[id].serial})
	}
	return rows
}

// MemberRow is a direct member of a group: a user, or a group where User is empty.
type MemberRow struct {
	ID     string
	Serial uint64 // of the membership
	User   User
	Group  Group
}

// WalkMembers gives the direct members of a group in the order in which they joined. Soft-deleted users are among them.
func (t *Tenant) WalkMembers(groupID string, after uint64, limit int) (rows []MemberRow, more bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	g, ok := t.groups[groupID]
	if !ok {
		return nil, false
	}
	start, _ := slices.BinarySearchFunc(g.members, after+1, func(m membership, n uint64) int { return cmp.Compare(m.serial, n) })
	for _, m := range g.members[start:] {
		if m.id == "" {
			continue
		}
		if len(rows) == limit {
			return rows, true
		}
		row := MemberRow{ID: m.id, Serial: m.serial}
		if p, isUser := t.people[m.id]; isUser {
			row.User = p.User
		} else if inner, isGroup := t.groups[m.id]; isGroup {
			row.Group = inner.Group
		}
		rows = append(rows, row)
	}
	return rows, false
}

// Transitive lists the object ids of all members of a group, those of the groups within it included, each once. Soft-deleted
// users are left out.
func (t *Tenant) Transitive(groupID string) []string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	seen := map[string]bool{groupID: true}
	var out []string
	for queue := []string{groupID}; len(queue) > 0; queue = queue[1:] {
		g, ok := t.groups[queue[0]]
		if !ok {
			continue
		}
		for _, id := range g.ids() {
			if seen[id] {
				continue
			}
			seen[id] = true
			if p, isUser := t.people[id]; isUser && p.Deleted() {
				continue
			}
			out = append(out, id)
			if _, isGroup := t.groups[id]; isGroup {
				queue = append(queue, id)
			}
		}
	}
	return out
}

// HeldBy lists the object ids of the groups that hold a user or group directly.
func (t *Tenant) HeldBy(id string) []string {
	if _, isUser := t.User(id); isUser {
		return t.MemberOf(id)
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	var out []string
	for _, group := range t.groupOrder {
		if _, present := t.groups[group].position[id]; present {
			out = append(out, group)
		}
	}
	return out
}

// Step is a change with what it changed of a user.
type Step struct {
	Change
	What   Properties
	Former string // object id of the manager before, where another one was set
}

// Steps gives the history between two sequence numbers, the first one left out: at most so many steps, oldest first.
func (t *Tenant) Steps(after, upTo uint64, limit int) []Step {
	t.mu.RLock()
	defer t.mu.RUnlock()
	var out []Step
	for _, r := range t.since(after) {
		if r.Sequence > upTo || len(out) == limit {
			break
		}
		out = append(out, Step{r.Change, r.what, r.former})
	}
	return out
}

// SequenceAt is the number of the latest change that had happened by then.
func (t *Tenant) SequenceAt(at time.Time) uint64 {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, r := range slices.Backward(t.history) {
		if !r.At.After(at) {
			return r.Sequence
		}
	}
	return t.sequence - uint64(len(t.history))
}

// Recall notes a membership as if it had just changed, although it has not.
func (t *Tenant) Recall(groupID, memberID string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.touch(MemberChanged, groupID, memberID)
}
