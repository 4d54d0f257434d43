package entraid

import (
	"context"
	"slices"

	"usher/internal/simulator"
	"usher/model/entra"
)

// UserEntry is what a delta tells of a user. Of one who is removed there is the id alone.
type UserEntry struct {
	User    simulator.User
	Removed entra.Removal
	Manager bool   // something is told of the manager: there is another one than before
	Former  string // object id of the manager before, where there was one
	First   bool   // of a first round: what the user does not have is not there, otherwise it is null
}

// UserDelta is a page of a delta; Select is what its round was begun with.
type UserDelta struct {
	Entries     []UserEntry
	Select      []string
	Next, Delta string
}

// UsersDelta gives a page of what changed of users (Graph: GET /users/delta).
func (s *Session) UsersDelta(ctx context.Context, r Round) (UserDelta, error) {
	var page UserDelta
	err := s.do(ctx, call{method: "UsersDelta", needs: readUsers()}, func() error {
		d := s.directory
		l, err := d.open("u", r)
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
		more := false
		if l.First {
			page.Entries, more = d.firstUsers(&l)
		} else {
			page.Entries, more = d.changedUsers(&l)
		}
		page.Entries = spoil(d, page.Entries, UserEntry{User: simulator.User{ID: d.guid()}, Removed: entra.Deleted})
		page.Next, page.Delta = d.onward(l, more)
		return nil
	})
	return page, err
}

func (d *Directory) size(l *link) int {
	if l.Size > 0 {
		return l.Size
	}
	return d.options.PageSize
}

// firstUsers gives a page of everyone. The caller holds the lock.
func (d *Directory) firstUsers(l *link) ([]UserEntry, bool) {
	rows, more := d.tenant.Walk(l.Position, d.size(l), func(u simulator.User) bool {
		if len(l.IDs) > 0 && !slices.Contains(l.IDs, u.ID) {
			return false
		}
		return !u.Deleted() || d.chance(d.faults.RemovedAtFirst)
	})
	out := make([]UserEntry, 0, len(rows))
	for _, row := range rows {
		entry := present(row.User)
		entry.First, entry.Manager = true, row.ManagerID != ""
		out = append(out, entry)
		l.Position = row.Serial
	}
	return out, more
}

// present is a user as things stand.
func present(u simulator.User) UserEntry {
	if u.Deleted() {
		return UserEntry{User: simulator.User{ID: u.ID}, Removed: entra.Changed}
	}
	return UserEntry{User: u}
}

// maxSteps is how much of the history is looked at in one go.
const maxSteps = 1000

// changedUsers gives a page of those who changed since. The caller holds the lock.
func (d *Directory) changedUsers(l *link) ([]UserEntry, bool) {
	var out []UserEntry
	tracked := d.tracked(l)
	for {
		steps := d.tenant.Steps(l.Position, l.UpTo, maxSteps)
		for _, step := range steps {
			if step.Kind == simulator.UserChanged && step.What&tracked != 0 && (len(l.IDs) == 0 || slices.Contains(l.IDs, step.ID)) {
				if len(out) == d.size(l) {
					return out, true
				}
				out = append(out, d.userNow(step))
			}
			l.Position = step.Sequence
		}
		if len(steps) < maxSteps {
			return out, false
		}
	}
}

// tracked says which changes a delta tells. The caller holds the lock.
func (d *Directory) tracked(l *link) simulator.Properties {
	switch {
	case l.Select == nil:
		return ^simulator.Properties(0)
	case d.faults.TellRestores:
		return simulator.PropertiesOf(l.Select...) | simulator.Created | simulator.SoftDeleted | simulator.Restored
	}
	return simulator.PropertiesOf(l.Select...) | simulator.Created | simulator.SoftDeleted
}

// userNow tells a step of the history, as things stand now.
func (d *Directory) userNow(step simulator.Step) UserEntry {
	u, exists := d.tenant.User(step.ID)
	if !exists {
		return UserEntry{User: simulator.User{ID: step.ID}, Removed: entra.Deleted}
	}
	entry := present(u)
	entry.Manager = step.What&(simulator.PropertiesOf("manager")|simulator.Created|simulator.Restored) != 0
	entry.Former = step.Former
	return entry
}

// spoil adds to a page what the faults ask for. The caller holds the lock.
func spoil[T any](d *Directory, entries []T, phantom T) []T {
	if len(entries) > 0 && d.chance(d.faults.Repeat) {
		entries = append(entries, entries[d.random.IntN(len(entries))])
	}
	if d.chance(d.faults.Phantom) {
		entries = append(entries, phantom)
	}
	if d.faults.Shuffle {
		d.random.Shuffle(len(entries), func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
	}
	return entries
}
