package entraid

import (
	"context"
	"slices"
	"strings"

	"usher/internal/simulator"
)

func (d *Directory) findGroup(id string) (simulator.Group, error) {
	g, ok := d.tenant.Group(strings.ToLower(id))
	if !ok {
		return simulator.Group{}, notFound(id)
	}
	return g, nil
}

// Group reads a group by object id (Graph: GET /groups/{id}).
func (s *Session) Group(ctx context.Context, id string) (simulator.Group, error) {
	var found simulator.Group
	err := s.do(ctx, call{method: "Group", target: id, needs: append(readGroups(), "Group.ReadBasic.All")}, func() (err error) {
		found, err = s.directory.findGroup(id)
		return err
	})
	return found, err
}

// Groups gives a page of groups in order of creation (Graph: GET /groups).
func (s *Session) Groups(ctx context.Context, list List[simulator.Group]) (groups []simulator.Group, next string, err error) {
	err = s.do(ctx, call{method: "Groups", needs: append(readGroups(), "Group.ReadBasic.All")}, func() error {
		after, err := skip(list.Next)
		if err != nil {
			return err
		}
		rows, more := s.directory.tenant.WalkGroups(after, s.directory.pageSize(list.Size), list.Wanted)
		for _, row := range rows {
			groups, after = append(groups, row.Group), row.Serial
		}
		next = skipTo(after, more)
		return nil
	})
	return groups, next, err
}

// CountGroups counts the groups that are wanted (Graph: $count=true).
func (s *Session) CountGroups(ctx context.Context, wanted func(simulator.Group) bool) (int, error) {
	n := 0
	err := s.do(ctx, call{method: "CountGroups", needs: append(readGroups(), "Group.ReadBasic.All")}, func() error {
		s.directory.tenant.WalkGroups(0, 0, func(g simulator.Group) bool {
			if wanted == nil || wanted(g) {
				n++
			}
			return false
		})
		return nil
	})
	return n, err
}

// Members gives a page of the direct members of a group in the order in which they joined (Graph: GET /groups/{id}/members).
func (s *Session) Members(ctx context.Context, groupID, next string, size int) (rows []simulator.MemberRow, following string, err error) {
	err = s.do(ctx, call{method: "Members", target: groupID, needs: readGroups()}, func() error {
		g, err := s.directory.findGroup(groupID)
		if err != nil {
			return err
		}
		if err := s.hidden(g); err != nil {
			return err
		}
		after, err := skip(next)
		if err != nil {
			return err
		}
		var more bool
		rows, more = s.directory.tenant.WalkMembers(g.ID, after, s.directory.pageSize(size))
		if len(rows) > 0 {
			after = rows[len(rows)-1].Serial
		}
		following = skipTo(after, more)
		rows = s.directory.withoutGhosts(rows)
		return nil
	})
	return rows, following, err
}

// withoutGhosts leaves out users who are among the deleted items, or all about them but the id.
func (d *Directory) withoutGhosts(rows []simulator.MemberRow) []simulator.MemberRow {
	d.mu.Lock()
	told := d.faults.GhostMembers
	d.mu.Unlock()
	for i, row := range rows {
		if row.User.Deleted() {
			rows[i].User = simulator.User{ID: row.ID}
		}
	}
	return slices.DeleteFunc(rows, func(row simulator.MemberRow) bool { return !told && row.User.ID != "" && row.User.DisplayName == "" })
}

// Transitive gives the object ids of all members of a group, those of the groups within it included (Graph: GET
// /groups/{id}/transitiveMembers).
func (s *Session) Transitive(ctx context.Context, groupID string) ([]string, error) {
	var ids []string
	err := s.do(ctx, call{method: "Transitive", target: groupID, needs: readGroups()}, func() error {
		g, err := s.directory.findGroup(groupID)
		if err != nil {
			return err
		}
		if err := s.hidden(g); err != nil {
			return err
		}
		ids = s.directory.tenant.Transitive(g.ID)
		return nil
	})
	return ids, err
}

// hidden refuses to tell the members of a group that hides them.
func (s *Session) hidden(g simulator.Group) error {
	if g.Visibility == "HiddenMembership" && !s.may("Member.Read.Hidden") {
		return Denied()
	}
	return nil
}
