package scim_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"usher/model"
	"usher/scim/filter"
)

type memory struct {
	mu      sync.Mutex
	seq     int
	users   []*model.DirectoryUser
	groups  []*model.DirectoryGroup
	members map[string]map[string]bool
}

func newMemory() *memory { return &memory{members: map[string]map[string]bool{}} }

func (m *memory) SCIMToken(_ context.Context, integration, token string) (model.Ref, error) {
	if token != "secret" || integration != "int1" {
		return model.Ref{}, model.Errorf(model.Unauthorized, "nope")
	}
	return model.Ref{OrganizationID: "o", IntegrationID: "int1"}, nil
}
func (m *memory) now() time.Time {
	m.seq++
	return time.Date(2026, 11, 21, 9, 0, m.seq, 0, time.UTC)
}
func str(v any) string { s, _ := v.(string); return s }

func (m *memory) CreateUser(_ context.Context, ref model.Ref, u model.DirectoryUser) (model.DirectoryUser, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a := u.Document.Attributes()
	u.UserName = str(a["userName"])
	u.UserNameKey = model.Fold(u.UserName)
	for _, o := range m.users {
		if o.UserNameKey == u.UserNameKey {
			return u, model.FieldErrorf(model.Conflict, "userName", "%q is taken", u.UserName)
		}
	}
	u.ID = uuid.NewString()
	u.Version = 1
	u.CreatedAt = m.now()
	u.UpdatedAt = u.CreatedAt
	m.users = append(m.users, &u)
	return u, nil
}
func (m *memory) ChangeUser(_ context.Context, ref model.Ref, id string, edit func(*model.DirectoryUser) error) (model.DirectoryUser, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, o := range m.users {
		if o.ID == id {
			n := *o
			if err := edit(&n); err != nil {
				return n, err
			}
			if n.Document.Equal(&o.Document) {
				return *o, nil
			}
			key := model.Fold(str(n.Document.Attributes()["userName"]))
			for _, x := range m.users {
				if x != o && x.UserNameKey == key {
					return n, model.FieldErrorf(model.Conflict, "userName", "%q is taken", key)
				}
			}
			n.UserNameKey = key
			n.Version++
			n.UpdatedAt = m.now()
			*o = n
			return n, nil
		}
	}
	return model.DirectoryUser{}, model.Errorf(model.NotFound, "there is no user %s", id)
}
func (m *memory) DeleteUser(_ context.Context, ref model.Ref, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, o := range m.users {
		if o.ID == id {
			m.users = append(m.users[:i:i], m.users[i+1:]...)
			for _, set := range m.members {
				delete(set, id)
			}
			return nil
		}
	}
	return model.Errorf(model.NotFound, "there is no user %s", id)
}
func (m *memory) User(_ context.Context, ref model.Ref, id string) (model.DirectoryUser, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, o := range m.users {
		if o.ID == id {
			return *o, nil
		}
	}
	return model.DirectoryUser{}, model.Errorf(model.NotFound, "there is no user %s", id)
}
func page[T any](list []T, q model.ResourceQuery) []T {
	lo := min(len(list), q.StartIndex-1)
	hi := min(len(list), lo+q.Count)
	return list[lo:hi]
}
func (m *memory) Users(_ context.Context, ref model.Ref, q model.ResourceQuery) ([]model.DirectoryUser, int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []model.DirectoryUser
	for _, o := range m.users {
		if q.Filter == nil || m.eval(q.Filter, o.ID, o.Document.Attributes(), o.CreatedAt, o.UpdatedAt) {
			out = append(out, *o)
		}
	}
	return page(out, q), len(out), nil
}
func (m *memory) CreateGroup(_ context.Context, ref model.Ref, g model.DirectoryGroup, members []string) (model.DirectoryGroup, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	g.DisplayNameKey = model.Fold(str(g.Document.Attributes()["displayName"]))
	for _, o := range m.groups {
		if o.DisplayNameKey == g.DisplayNameKey {
			return g, model.FieldErrorf(model.Conflict, "displayName", "%q is taken", g.DisplayNameKey)
		}
	}
	g.ID = uuid.NewString()
	g.Version = 1
	g.CreatedAt = m.now()
	g.UpdatedAt = g.CreatedAt
	m.members[g.ID] = map[string]bool{}
	m.groups = append(m.groups, &g)
	for _, id := range members {
		m.members[g.ID][id] = true
	}
	return g, nil
}
func (m *memory) ChangeGroup(_ context.Context, ref model.Ref, id string, edit func(*model.DirectoryGroup) ([]model.MemberOp, error)) (model.DirectoryGroup, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, o := range m.groups {
		if o.ID == id {
			n := *o
			ops, err := edit(&n)
			if err != nil {
				return n, err
			}
			for _, op := range ops {
				set := m.members[id]
				if op.Kind == model.MembersReplace {
					set = map[string]bool{}
					m.members[id] = set
				}
				for _, mid := range op.IDs {
					if op.Kind == model.MembersRemove {
						delete(set, mid)
					} else {
						set[mid] = true
					}
				}
			}
			n.DisplayNameKey = model.Fold(str(n.Document.Attributes()["displayName"]))
			n.Version++
			n.UpdatedAt = m.now()
			*o = n
			return n, nil
		}
	}
	return model.DirectoryGroup{}, model.Errorf(model.NotFound, "there is no group %s", id)
}
func (m *memory) DeleteGroup(_ context.Context, ref model.Ref, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, o := range m.groups {
		if o.ID == id {
			m.groups = append(m.groups[:i:i], m.groups[i+1:]...)
			return nil
		}
	}
	return model.Errorf(model.NotFound, "there is no group %s", id)
}
func (m *memory) Group(_ context.Context, ref model.Ref, id string) (model.DirectoryGroup, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, o := range m.groups {
		if o.ID == id {
			return *o, nil
		}
	}
	return model.DirectoryGroup{}, model.Errorf(model.NotFound, "there is no group %s", id)
}
func (m *memory) Groups(_ context.Context, ref model.Ref, q model.ResourceQuery) ([]model.DirectoryGroup, int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []model.DirectoryGroup
	for _, o := range m.groups {
		if q.Filter == nil || m.eval(q.Filter, o.ID, o.Document.Attributes(), o.CreatedAt, o.UpdatedAt) {
			out = append(out, *o)
		}
	}
	return page(out, q), len(out), nil
}
func (m *memory) Members(_ context.Context, ref model.Ref, ids []string) (map[string][]model.Member, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[string][]model.Member{}
	for _, g := range ids {
		for id := range m.members[g] {
			mem := model.Member{ID: id, Type: model.MemberUser}
			for _, u := range m.users {
				if u.ID == id {
					mem.Display = str(u.Document.Attributes()["displayName"])
				}
			}
			out[g] = append(out[g], mem)
		}
		sort.Slice(out[g], func(i, j int) bool { return out[g][i].ID < out[g][j].ID })
	}
	return out, nil
}
func (m *memory) GroupsOf(_ context.Context, ref model.Ref, ids []string) (map[string][]model.GroupRef, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[string][]model.GroupRef{}
	for _, u := range ids {
		for _, g := range m.groups {
			if m.members[g.ID][u] {
				out[u] = append(out[u], model.GroupRef{ID: g.ID, DisplayName: str(g.Document.Attributes()["displayName"])})
			}
		}
	}
	return out, nil
}

func (m *memory) eval(f model.Filter, id string, doc map[string]any, created, updated time.Time) bool {
	switch f := f.(type) {
	case model.And:
		return m.eval(f.Left, id, doc, created, updated) && m.eval(f.Right, id, doc, created, updated)
	case model.Or:
		return m.eval(f.Left, id, doc, created, updated) || m.eval(f.Right, id, doc, created, updated)
	case model.Not:
		return !m.eval(f.Inner, id, doc, created, updated)
	case model.ValuePath:
		list, _ := doc[f.Path.Name].([]any)
		for _, e := range list {
			if em, ok := e.(map[string]any); ok && m.eval(f.Inner, id, em, created, updated) {
				return true
			}
		}
		return false
	case model.Compare:
		var vals []any
		switch f.Path.Name {
		case "id":
			vals = []any{id}
		case "meta.created":
			vals = []any{created.Format(time.RFC3339Nano)}
		case "meta.lastModified":
			vals = []any{updated.Format(time.RFC3339Nano)}
		case "members":
			for x := range m.members[id] {
				vals = append(vals, x)
			}
		default:
			at := doc
			if f.Path.Schema != "" {
				at, _ = doc[f.Path.Schema].(map[string]any)
			}
			v := at[f.Path.Name]
			if l, ok := v.([]any); ok {
				vals = l
			} else if v != nil {
				vals = []any{v}
			}
			if f.Path.Sub != "" {
				var subs []any
				for _, v := range vals {
					if em, ok := v.(map[string]any); ok && em[f.Path.Sub] != nil {
						subs = append(subs, em[f.Path.Sub])
					}
				}
				vals = subs
			}
		}
		if f.Value == nil {
			switch f.Op {
			case model.OpPresent, model.OpNotEqual:
				return len(vals) > 0
			}
			return len(vals) == 0
		}
		if f.Op == model.OpNotEqual {
			c := f
			c.Op = model.OpEqual
			return !m.eval(c, id, doc, created, updated)
		}
		for _, v := range vals {
			if cmp(f, v) {
				return true
			}
		}
	}
	return false
}

func cmp(f model.Compare, v any) bool {
	if b, ok := f.Value.(bool); ok {
		return v == b
	}
	if t, ok := f.Value.(time.Time); ok {
		x, err := filter.ParseTime(fmt.Sprint(v))
		if err != nil {
			return false
		}
		c := x.Compare(t)
		return ord(f.Op, c)
	}
	if n, ok := f.Value.(json.Number); ok {
		a, _ := n.Float64()
		bn, _ := v.(json.Number)
		b, _ := bn.Float64()
		switch {
		case b < a:
			return ord(f.Op, -1)
		case b > a:
			return ord(f.Op, 1)
		}
		return ord(f.Op, 0)
	}
	a, b := str(v), str(f.Value)
	if !f.Path.CaseExact {
		a, b = model.Fold(a), model.Fold(b)
	}
	switch f.Op {
	case model.OpContains:
		return strings.Contains(a, b)
	case model.OpStartsWith:
		return strings.HasPrefix(a, b)
	case model.OpEndsWith:
		return strings.HasSuffix(a, b)
	}
	return ord(f.Op, strings.Compare(a, b))
}
func ord(op model.CompareOp, c int) bool {
	switch op {
	case model.OpEqual:
		return c == 0
	case model.OpGreater:
		return c > 0
	case model.OpGreaterOrEqual:
		return c >= 0
	case model.OpLess:
		return c < 0
	case model.OpLessOrEqual:
		return c <= 0
	}
	return false
}
