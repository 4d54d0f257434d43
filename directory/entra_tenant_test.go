package directory_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"

	"usher/directory"
	"usher/model"
	entraid "usher/model/entra"
	"usher/model/outlook"
)

// reading is a tenant in memory that can be read. It gives small pages, and an empty one between any two.
type reading struct {
	directory.Tenant // what is not here must not be called

	mu         sync.Mutex
	users      []entraid.User
	deleted    []entraid.User
	groups     []entraid.Group
	members    map[string][]entraid.Member
	memberOf   map[string][]entraid.Group
	skus       []entraid.SKU
	licences   map[string][]entraid.Licence
	extensions []entraid.Extension
	photos     map[string]entraid.Photo
	page       int   // size of a page; 2 where it is 0
	fail       error // what every call answers
	calls      map[string]int
}

// object makes an object id.
func object(n int) string {
	return "5f9e1b1c-3d6a-4b52-9e0a-0000000000" + strconv.Itoa(10+n)
}

// pulls gives an integration that pulls from a tenant in memory.
func (w *world) pulls(change ...func(*model.Integration)) (model.Ref, *reading) {
	w.Helper()
	t := &reading{members: map[string][]entraid.Member{}, memberOf: map[string][]entraid.Group{}, licences: map[string][]entraid.Licence{}, photos: map[string]entraid.Photo{}, calls: map[string]int{}}
	w.svc.Tenants = func(context.Context, model.Ref) (directory.Tenant, error) { return t, nil }
	graph := func(i *model.Integration) { i.Ingress, i.TenantID = model.IngressGraph, object(99)[:36] }
	return w.integration("Pulling", model.RoleSyncReconcile, append([]func(*model.Integration){graph}, change...)...), t
}

func (t *reading) called(name string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.calls[name]++
	return t.fail
}

// sheet gives the page of list that a link leads to, and the link of the next one.
func sheet[T any](t *reading, list []T, link string) ([]T, string) {
	size := t.page
	if size == 0 {
		size = 2
	}
	text, empty := strings.CutSuffix(link, "-")
	at, _ := strconv.Atoi(text)
	if empty {
		return nil, text
	}
	list = list[at:]
	if len(list) <= size {
		return list, ""
	}
	return list[:size], strconv.Itoa(at+size) + "-"
}

func missing() error {
	return &outlook.Error{Kind: outlook.NotFound, Status: 404, Code: "Request_ResourceNotFound", RequestID: "r1"}
}

func (t *reading) FindUsers(_ context.Context, text, next string) (entraid.UserPage, error) {
	err := t.called("FindUsers")
	var found []entraid.User
	for _, u := range t.users {
		if strings.HasPrefix(strings.ToLower(u.UserPrincipalName), strings.ToLower(text)) {
			found = append(found, u)
		}
	}
	list, link := sheet(t, found, next)
	return entraid.UserPage{Users: list, Next: link}, err
}

func (t *reading) DeletedUsers(_ context.Context, next string) (entraid.UserPage, error) {
	list, link := sheet(t, t.deleted, next)
	return entraid.UserPage{Users: list, Next: link}, t.called("DeletedUsers")
}

func (t *reading) TenantUser(_ context.Context, ref string, _ []string) (entraid.User, error) {
	if err := t.called("TenantUser"); err != nil {
		return entraid.User{}, err
	}
	for _, u := range t.users {
		if u.ID == ref || u.UserPrincipalName == ref {
			return u, nil
		}
	}
	return entraid.User{}, missing()
}

func (t *reading) UsersByID(_ context.Context, ids, _ []string) ([]entraid.User, error) {
	var found []entraid.User
	for _, u := range t.users {
		if slices.Contains(ids, u.ID) {
			found = append(found, u)
		}
	}
	return found, t.called("UsersByID")
}

func (t *reading) FindGroups(_ context.Context, search entraid.GroupSearch, next string) (entraid.GroupPage, error) {
	err := t.called("FindGroups")
	var found []entraid.Group
	for _, g := range t.groups {
		if strings.HasPrefix(strings.ToLower(g.DisplayName), strings.ToLower(search.Text)) &&
			(search.Name == "" || strings.EqualFold(search.Name, g.DisplayName)) && (g.MailEnabled || !search.MailEnabled) {
			found = append(found, g)
		}
	}
	list, link := sheet(t, found, next)
	return entraid.GroupPage{Groups: list, Next: link}, err
}

func (t *reading) Group(_ context.Context, id string) (entraid.Group, error) {
	if err := t.called("Group"); err != nil {
		return entraid.Group{}, err
	}
	for _, g := range t.groups {
		if g.ID == id {
			return g, nil
		}
	}
	return entraid.Group{}, missing()
}

func (t *reading) Members(_ context.Context, id, next string) (entraid.MemberPage, error) {
	list, link := sheet(t, t.members[id], next)
	return entraid.MemberPage{Members: list, Next: link}, t.called("Members")
}

func (t *reading) GroupsOf(_ context.Context, id string) ([]entraid.Group, error) {
	return t.memberOf[id], t.called("GroupsOf")
}

func (t *reading) SKUs(context.Context) ([]entraid.SKU, error) { return t.skus, t.called("SKUs") }

func (t *reading) Licences(_ context.Context, id string) ([]entraid.Licence, error) {
	return t.licences[id], t.called("Licences")
}

func (t *reading) Extensions(context.Context) ([]entraid.Extension, error) {
	return slices.Clone(t.extensions), t.called("Extensions")
}

func (t *reading) Photo(_ context.Context, id, etag string) (entraid.Photo, error) {
	if err := t.called("Photo"); err != nil {
		return entraid.Photo{}, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	p, ok := t.photos[id]
	switch {
	case !ok:
		return p, missing()
	case etag != "" && etag == p.ETag:
		return entraid.Photo{NotModified: true, ETag: etag}, nil
	}
	return p, nil
}

// Groups of Contoso, one of each kind and two of one name.
func contosoGroups() []entraid.Group {
	return []entraid.Group{
		{ID: object(1), DisplayName: "HR", SecurityEnabled: true},
		{ID: object(2), DisplayName: "Sales", MailEnabled: true, Mail: "sales@contoso.com", Types: []string{"Unified"}, Description: "Nordic"},
		{ID: object(3), DisplayName: "sales", SecurityEnabled: true, MailEnabled: true, Mail: "sales2@contoso.com"},
		{ID: object(4), DisplayName: "Sales", SecurityEnabled: true},
		{ID: object(5), DisplayName: "Everybody", MailEnabled: true, Mail: "all@contoso.com"},
		{ID: object(6), DisplayName: "Engineers, all", SecurityEnabled: true, Types: []string{"DynamicMembership"}, MembershipRule: "user.department -eq \"Engineering\""},
		{ID: object(7), DisplayName: "Berlin", SecurityEnabled: true, OnPremisesSync: true},
	}
}
