package directory_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"

	"usher/directory"
	graph "usher/model/entra"
	"usher/model/outlook"
)

// pretend is a tenant in memory whose deltas have the oddities that Microsoft documents. Everything that happens in it gets a number,
// and a link is the number up to which it has told.
type pretend struct {
	directory.Tenant // what no import calls

	mu      sync.Mutex
	n       int
	users   map[string]*pretendUser
	groups  map[string]*pretendGroup
	page    int        // objects on a page
	oldest  int        // links from before lead nowhere
	rand    *rand.Rand // where set, deltas repeat, split, shuffle and have empty pages
	failing func(call string) error
	calls   map[string]int
}

type pretendUser struct {
	graph.User
	at     int // when it changed last
	bin    bool
	purged bool
}

type pretendGroup struct {
	graph.Group
	at      int
	gone    bool
	members map[string]*pretendMember
}

type pretendMember struct {
	kind graph.MemberType
	at   int
	left bool
}

func newPretend() *pretend {
	return &pretend{users: map[string]*pretendUser{}, groups: map[string]*pretendGroup{}, page: 3, calls: map[string]int{}}
}

// objectID makes ids that look like Entra's.
func objectID(kind string, n int) string {
	return fmt.Sprintf("%08x-0000-4000-8000-%012x", map[string]int{"user": 1, "group": 2}[kind], n)
}

func (p *pretend) edit(fn func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n++
	fn()
}

// person puts somebody into the tenant and gives the object id.
func (p *pretend) person(name string, change ...func(*graph.User)) string {
	var id string
	p.edit(func() {
		id = objectID("user", len(p.users)+1)
		u := &pretendUser{User: graph.User{
			ID: id, UserPrincipalName: name + "@contoso.com", Mail: name + "@contoso.com", DisplayName: name, UserType: "Member", AccountEnabled: true,
		}, at: p.n}
		for _, c := range change {
			c(&u.User)
		}
		p.users[id] = u
	})
	return id
}

func (p *pretend) change(id string, change func(*graph.User)) {
	p.edit(func() { change(&p.users[id].User); p.users[id].at = p.n })
}

func (p *pretend) remove(id string) {
	p.edit(func() { p.users[id].bin, p.users[id].at = true, p.n })
}

func (p *pretend) purge(id string) {
	p.edit(func() {
		u := p.users[id]
		u.bin, u.purged, u.at = false, true, p.n
		for _, g := range p.groups {
			delete(g.members, id) // nobody tells of it
		}
	})
}

// restore brings somebody back; where it is silent, no delta tells.
func (p *pretend) restore(id string, silent bool) {
	p.edit(func() {
		p.users[id].bin = false
		if !silent {
			p.users[id].at = p.n
		} else {
			p.users[id].at = 0
		}
	})
}

func (p *pretend) group(name string, members ...string) string {
	var id string
	p.edit(func() {
		id = objectID("group", len(p.groups)+1)
		p.groups[id] = &pretendGroup{
			Group: graph.Group{ID: id, DisplayName: name, SecurityEnabled: true}, at: p.n, members: map[string]*pretendMember{},
		}
	})
	for _, m := range members {
		p.join(id, m)
	}
	return id
}

func (p *pretend) rename(id, name string) {
	p.edit(func() { p.groups[id].DisplayName, p.groups[id].at = name, p.n })
}

func (p *pretend) removeGroup(id string, gone bool) {
	p.edit(func() { p.groups[id].gone, p.groups[id].at = gone, p.n })
}

func (p *pretend) join(group, member string) {
	p.edit(func() {
		kind := graph.MemberUser
		if p.groups[member] != nil {
			kind = graph.MemberGroup
		}
		p.groups[group].members[member] = &pretendMember{kind: kind, at: p.n}
	})
}

func (p *pretend) leave(group, member string) {
	p.edit(func() {
		if m := p.groups[group].members[member]; m != nil {
			m.left, m.at = true, p.n
		}
	})
}

// forget makes every link that was given so far lead nowhere.
func (p *pretend) forget() { p.edit(func() { p.oldest = p.n }) }

func (p *pretend) call(name string) error {
	p.calls[name]++
	if p.failing != nil {
		return p.failing(name)
	}
	return nil
}

// A link is <kind>|<from>|<to>|<offset>: what happened behind from, up to to, from the page at offset on.
func (p *pretend) link(link, kind string) (from, to, offset int, err error) {
	if link == "" {
		return 0, p.n, 0, nil
	}
	parts := strings.Split(link, "|")
	if len(parts) != 4 || parts[0] != kind {
		return 0, 0, 0, &outlook.Error{Kind: outlook.Invalid, Status: 400, Code: "BadLink"}
	}
	parts[3], _, _ = strings.Cut(parts[3], "+")
	numbers := make([]int, 3)
	for i := range numbers {
		numbers[i], _ = strconv.Atoi(parts[i+1])
	}
	from, to, offset = numbers[0], numbers[1], numbers[2]
	if to == 0 {
		to = p.n
	}
	if from < p.oldest && from > 0 || to < p.oldest {
		return 0, 0, 0, &outlook.Error{Kind: outlook.SyncLost, Status: 410, Code: "syncStateNotFound"}
	}
	return from, to, offset, nil
}

// paged gives the page of count things at the offset, and where it leads.
func (p *pretend) paged(kind string, from, to, offset, count int) (begin, end int, next, delta string) {
	begin = min(offset, count)
	end = min(begin+p.page, count)
	if p.rand != nil && p.rand.IntN(4) == 0 {
		end = begin // an empty page that leads on, once
		if p.rand.IntN(2) == 0 && begin < count {
			return begin, end, fmt.Sprintf("%s|%d|%d|%d+%d", kind, from, to, begin, p.rand.Int()), ""
		}
		end = min(begin+1, count)
	}
	if end < count {
		return begin, end, fmt.Sprintf("%s|%d|%d|%d", kind, from, to, end), ""
	}
	return begin, end, "", fmt.Sprintf("%s|%d|0|0", kind, to)
}

func (p *pretend) UsersDelta(_ context.Context, link string, extensions []string) (graph.UserPage, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.call("UsersDelta"); err != nil {
		return graph.UserPage{}, err
	}
	if link == directory.LinkLatest {
		return graph.UserPage{Delta: fmt.Sprintf("users|%d|0|0", max(p.n, 1))}, nil
	}
	from, to, offset, err := p.link(link, "users")
	if err != nil {
		return graph.UserPage{}, err
	}
	var changed []*pretendUser
	for _, id := range slices.Sorted(maps.Keys(p.users)) {
		if u := p.users[id]; u.at > from || from == 0 {
			changed = append(changed, u)
		}
	}
	begin, end, next, delta := p.paged("users", from, to, offset, len(changed))
	page := graph.UserPage{Next: next, Delta: delta}
	for _, u := range changed[begin:end] {
		page.Users = append(page.Users, told(u, extensions, from > 0)...)
	}
	if p.rand != nil && begin < end && p.rand.IntN(3) == 0 {
		page.Users = append(page.Users, told(changed[p.rand.IntN(end)], extensions, from > 0)...)
	}
	return page, nil
}

// told is what a delta says of a user; from the beginning, only of those who are there.
func told(u *pretendUser, extensions []string, removed bool) []graph.User {
	switch {
	case u.bin && removed:
		return []graph.User{{ID: u.ID, Removed: graph.Changed}}
	case u.purged && removed:
		return []graph.User{{ID: u.ID, Removed: graph.Deleted}}
	case u.bin || u.purged:
		return nil
	}
	return []graph.User{read(u, extensions)}
}

func read(u *pretendUser, extensions []string) graph.User {
	out := u.User
	out.Extensions = map[string]string{}
	for _, name := range extensions {
		if v, ok := u.Extensions[name]; ok {
			out.Extensions[name] = v
		}
	}
	return out
}

func (p *pretend) GroupsDelta(_ context.Context, ids []string, link string) (graph.GroupPage, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.call("GroupsDelta"); err != nil {
		return graph.GroupPage{}, err
	}
	if len(ids) > 50 {
		return graph.GroupPage{}, &outlook.Error{Kind: outlook.Invalid, Status: 400, Code: "TooManyIDs"}
	}
	from, to, offset, err := p.link(link, "groups")
	if err != nil {
		return graph.GroupPage{}, err
	}
	// One thing of a page is a group with one member, or without.
	var things []graph.Group
	for _, id := range slices.Sorted(slices.Values(ids)) {
		g := p.groups[id]
		if g == nil {
			continue
		}
		if g.gone {
			if from > 0 && g.at > from {
				things = append(things, graph.Group{ID: id, Removed: graph.Deleted})
			}
			continue
		}
		if g.at > from {
			things = append(things, g.Group)
		}
		for _, m := range slices.Sorted(maps.Keys(g.members)) {
			is := g.members[m]
			if is.at <= from || is.left && from == 0 {
				continue
			}
			thing := g.Group
			thing.Members = []graph.Member{{ID: m, Type: is.kind, Removed: is.left}}
			things = append(things, thing)
		}
	}
	begin, end, next, delta := p.paged("groups", from, to, offset, len(things))
	page := graph.GroupPage{Next: next, Delta: delta, Groups: slices.Clone(things[begin:end])}
	if p.rand != nil {
		p.rand.Shuffle(len(page.Groups), func(i, k int) { page.Groups[i], page.Groups[k] = page.Groups[k], page.Groups[i] })
		if begin < end && p.rand.IntN(3) == 0 {
			page.Groups = append(page.Groups, things[begin])
		}
	}
	return page, nil
}

func (p *pretend) UsersByID(_ context.Context, ids, extensions []string) ([]graph.User, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.call("UsersByID"); err != nil {
		return nil, err
	}
	var list []graph.User
	for _, id := range ids {
		if u := p.users[id]; u != nil && !u.bin && !u.purged {
			list = append(list, read(u, extensions))
		}
	}
	return list, nil
}

func (p *pretend) DeletedUsers(_ context.Context, next string) (graph.UserPage, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.call("DeletedUsers"); err != nil {
		return graph.UserPage{}, err
	}
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(p.users)) {
		if p.users[id].bin && id > next {
			ids = append(ids, id)
		}
	}
	var page graph.UserPage
	for i, id := range ids {
		if i == p.page {
			page.Next = ids[i-1]
			break
		}
		page.Users = append(page.Users, p.users[id].User)
	}
	return page, nil
}

func (p *pretend) FindGroups(_ context.Context, search graph.GroupSearch, _ string) (graph.GroupPage, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.call("FindGroups"); err != nil {
		return graph.GroupPage{}, err
	}
	var page graph.GroupPage
	for _, g := range p.groups {
		if !g.gone && (search.Name == "" || strings.EqualFold(g.DisplayName, search.Name)) {
			page.Groups = append(page.Groups, g.Group)
		}
	}
	slices.SortFunc(page.Groups, func(a, b graph.Group) int { return cmp.Compare(a.ID, b.ID) })
	return page, nil
}

func (p *pretend) Group(_ context.Context, id string) (graph.Group, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.call("Group"); err != nil {
		return graph.Group{}, err
	}
	if g := p.groups[id]; g != nil && !g.gone {
		return g.Group, nil
	}
	return graph.Group{}, &outlook.Error{Kind: outlook.NotFound, Status: 404, Code: "Request_ResourceNotFound"}
}
