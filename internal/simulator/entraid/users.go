package entraid

import (
	"context"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"usher/internal/simulator"
	"usher/model/outlook"
)

// List says which part of a list is asked for. The zero value is its first page.
type List[T any] struct {
	Wanted func(T) bool // nil wants everything
	Next   string       // of the page before
	Size   int          // 0 leaves it to the directory
}

// maxPage is how many objects a page of a list has at most.
const maxPage = 999

func (d *Directory) pageSize(asked int) int {
	if asked <= 0 {
		return d.options.PageSize
	}
	return min(asked, maxPage)
}

// skip reads what leads to the next page of a list.
func skip(next string) (uint64, error) {
	if next == "" {
		return 0, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(next)
	after, bad := strconv.ParseUint(strings.TrimPrefix(string(raw), "after "), 10, 64)
	if err != nil || bad != nil {
		return 0, failure(outlook.Invalid, 400, "Directory_ExpiredPageToken", "The specified page token value has expired or is not valid.")
	}
	return after, nil
}

func skipTo(after uint64, more bool) string {
	if !more {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString([]byte("after " + strconv.FormatUint(after, 10)))
}

// find gives a user who is not deleted, by object id or user principal name.
func (d *Directory) find(ref string) (simulator.User, error) {
	u, ok := d.tenant.User(strings.ToLower(ref))
	if !ok {
		u, ok = d.tenant.UserCalled(ref)
	}
	if !ok || u.Deleted() || !d.seen(u.ID) {
		return simulator.User{}, noUser(ref)
	}
	return u, nil
}

// User finds somebody by object id or user principal name (Graph: GET /users/{id}).
func (s *Session) User(ctx context.Context, ref string) (simulator.User, error) {
	var found simulator.User
	err := s.do(ctx, call{method: "User", target: ref, needs: readBasics()}, func() (err error) {
		found, err = s.directory.find(ref)
		return err
	})
	return found, err
}

// Users gives a page of users, or of the deleted ones, in order of creation (Graph: GET /users, GET
// /directory/deletedItems/microsoft.graph.user).
func (s *Session) Users(ctx context.Context, deleted bool, list List[simulator.User]) (users []simulator.User, next string, err error) {
	what := call{method: "Users", needs: readBasics()}
	if deleted {
		what = call{method: "DeletedUsers", needs: append(readUsers(), "User.DeleteRestore.All")}
	}
	err = s.do(ctx, what, func() error {
		after, err := skip(list.Next)
		if err != nil {
			return err
		}
		rows, more := s.directory.tenant.Walk(after, s.directory.pageSize(list.Size), func(u simulator.User) bool {
			return u.Deleted() == deleted && (list.Wanted == nil || list.Wanted(u))
		})
		for _, row := range rows {
			users, after = append(users, row.User), row.Serial
		}
		next = skipTo(after, more)
		return nil
	})
	return users, next, err
}

// CountUsers counts the users that are wanted (Graph: $count=true).
func (s *Session) CountUsers(ctx context.Context, deleted bool, wanted func(simulator.User) bool) (int, error) {
	n := 0
	err := s.do(ctx, call{method: "CountUsers", needs: readBasics()}, func() error {
		s.directory.tenant.Walk(0, 0, func(u simulator.User) bool {
			if u.Deleted() == deleted && (wanted == nil || wanted(u)) {
				n++
			}
			return false
		})
		return nil
	})
	return n, err
}

// maxByID is how many ids one call takes.
const maxByID = 1000

// ByID reads users and groups by object id; those who are not there are left out (Graph: POST /directoryObjects/getByIds).
func (s *Session) ByID(ctx context.Context, ids []string) (users []simulator.User, groups []simulator.Group, err error) {
	err = s.do(ctx, call{method: "ByID", needs: append(readBasics(), readGroups()...)}, func() error {
		if len(ids) > maxByID {
			return Invalid("Too many object identifiers specified. Request must specify between 1 and %d ids.", maxByID)
		}
		for _, id := range ids {
			id = strings.ToLower(id)
			if u, ok := s.directory.tenant.User(id); ok && !u.Deleted() && s.directory.seen(id) {
				users = append(users, u)
			} else if g, ok := s.directory.tenant.Group(id); ok {
				groups = append(groups, g)
			}
		}
		return nil
	})
	return users, groups, err
}

// GroupsOf gives the groups that a user is a direct member of (Graph: GET /users/{id}/memberOf).
func (s *Session) GroupsOf(ctx context.Context, ref string) ([]simulator.Group, error) {
	var groups []simulator.Group
	err := s.do(ctx, call{method: "GroupsOf", target: ref, needs: append(readUsers(), readGroups()...)}, func() error {
		u, err := s.directory.find(ref)
		if err != nil {
			return err
		}
		groups = s.directory.groupsByID(s.directory.tenant.MemberOf(u.ID))
		return nil
	})
	return groups, err
}

// TransitiveGroupsOf gives the groups that a user is a member of, those that hold such groups included, as ids.
func (s *Session) TransitiveGroupsOf(ctx context.Context, ref string) ([]string, error) {
	var ids []string
	err := s.do(ctx, call{method: "TransitiveGroupsOf", target: ref, needs: append(readUsers(), readGroups()...)}, func() error {
		u, err := s.directory.find(ref)
		if err != nil {
			return err
		}
		for queue := s.directory.tenant.HeldBy(u.ID); len(queue) > 0; queue = queue[1:] {
			if !slices.Contains(ids, queue[0]) {
				ids = append(ids, queue[0])
				queue = append(queue, s.directory.tenant.HeldBy(queue[0])...)
			}
		}
		return nil
	})
	return ids, err
}

func (d *Directory) groupsByID(ids []string) []simulator.Group {
	groups := make([]simulator.Group, 0, len(ids))
	for _, id := range ids {
		if g, ok := d.tenant.Group(id); ok {
			groups = append(groups, g)
		}
	}
	return groups
}
