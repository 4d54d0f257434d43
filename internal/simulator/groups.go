package simulator

import (
	"errors"
	"fmt"
	"slices"
)

// Names of the groups of every tenant, beside one per department.
const (
	GroupAllEmployees = "All Employees"
	GroupManagers     = "Managers"          // everyone with a report
	GroupHeadquarters = "Headquarters"      // nested: holds the groups HR, Finance and Legal
	GroupCopenhagen   = "Copenhagen Office" // dynamic: user.city -eq "Copenhagen"
	GroupNewsletter   = "Newsletter"        // mail-enabled distribution list
	GroupPartners     = "External Partners" // the guests
	GroupAurora       = "Project Aurora"    // empty
)

// ErrDynamic says that a group computes its members by a rule and takes none by hand.
var ErrDynamic = errors.New("a dynamic group takes no members by hand")

// Group is a group of the tenant, its fields named as in Microsoft Graph (resource type "group").
type Group struct {
	ID              string // object id, a UUID
	DisplayName     string
	Description     string
	Mail            string // with MailEnabled
	MailEnabled     bool
	SecurityEnabled bool
	GroupTypes      []string // "DynamicMembership", "Unified", or none
	MembershipRule  string   // with DynamicMembership

	MailNickname         string // made of the name where empty
	Visibility           string // "Public", "Private", "HiddenMembership", or empty
	OnPremisesSync       bool   // Active Directory is the master
	RoleAssignable       bool
	ManagementRestricted bool // in a restricted administrative unit
}

// groupRecord is a group and its direct members, in the order in which they joined, and findable.
type groupRecord struct {
	Group
	serial   uint64
	members  []membership
	gone     int            // memberships that have ended and still have their place in the list
	position map[string]int // by object id of the member
	rule     func(User) bool
	licences []Licence // that members inherit
}

// membership is one direct member; an empty id is a place that nobody has any more.
type membership struct {
	id     string
	serial uint64
}

// formGroups creates the groups of a fresh tenant.
func (t *Tenant) formGroups(staff []string) {
	all := t.form(Group{DisplayName: GroupAllEmployees, Description: "Everyone on the payroll", SecurityEnabled: true})
	managers := t.form(Group{DisplayName: GroupManagers, Description: "Everyone with reports", SecurityEnabled: true})
	departments := map[string]*groupRecord{}
	for _, name := range Departments() {
		departments[name] = t.form(Group{DisplayName: name, Description: "Department " + name, SecurityEnabled: true})
	}
	headquarters := t.form(Group{DisplayName: GroupHeadquarters, Description: "Departments at headquarters", SecurityEnabled: true})
	dynamic := t.form(Group{
		DisplayName: GroupCopenhagen, Description: "Everyone in Copenhagen", SecurityEnabled: true,
		GroupTypes: []string{"DynamicMembership"}, MembershipRule: `user.city -eq "Copenhagen"`,
	})
	dynamic.rule = func(u User) bool { return u.Address != nil && u.Address.City == "Copenhagen" }
	newsletter := t.form(Group{
		DisplayName: GroupNewsletter, Description: "Company newsletter", MailEnabled: true, Mail: "newsletter@" + t.domain,
	})
	partners := t.form(Group{DisplayName: GroupPartners, Description: "Guests of Fabrikam", SecurityEnabled: true})
	t.form(Group{DisplayName: GroupAurora, Description: "A project that has not started", SecurityEnabled: true})

	for i, id := range staff {
		p := t.people[id]
		t.join(all, id)
		t.join(departments[p.Department], id)
		if boss := p.ManagerID; boss != "" {
			t.join(managers, boss)
		}
		if p.Mail != "" && i%3 == 0 {
			t.join(newsletter, id)
		}
	}
	for _, name := range []string{"HR", "Finance", "Legal"} {
		t.join(headquarters, departments[name].ID)
	}
	for _, p := range t.order {
		if p.UserType == "Guest" {
			t.join(partners, p.ID)
		}
		t.applyRules(p)
	}
}

// form stores a group. A group without an id is given the one of its place in a fresh tenant.
func (t *Tenant) form(g Group) *groupRecord {
	if g.ID == "" {
		g.ID = objectID(t.random(groupStream, uint64(len(t.groupOrder))))
	}
	record := &groupRecord{Group: g, serial: t.next(), position: map[string]int{}}
	t.groups[g.ID] = record
	t.groupOrder = append(t.groupOrder, g.ID)
	return record
}

// join adds a direct member unless it is there. The caller holds the lock.
func (t *Tenant) join(g *groupRecord, member string) {
	if _, present := g.position[member]; present {
		return
	}
	if p, ok := t.people[member]; ok {
		member = p.ID // one text for all groups
	}
	g.position[member] = len(g.members)
	g.members = append(g.members, membership{member, t.next()})
	if p, ok := t.people[member]; ok {
		p.groups = append(p.groups, g)
	}
	t.touch(MemberChanged, g.ID, member)
}

// leave removes a direct member where there is one. The caller holds the lock.
func (t *Tenant) leave(g *groupRecord, member string) {
	if !g.drop(member) {
		return
	}
	if p, ok := t.people[member]; ok {
		p.groups = slices.DeleteFunc(p.groups, func(other *groupRecord) bool { return other == g })
	}
	t.touch(MemberChanged, g.ID, member)
}

// drop takes a member out. The others keep their order, and their places until half of the list is empty.
func (g *groupRecord) drop(member string) bool {
	at, present := g.position[member]
	if !present {
		return false
	}
	delete(g.position, member)
	g.members[at].id = ""
	if g.gone++; g.gone*2 < len(g.members) {
		return true
	}
	g.members, g.gone = slices.DeleteFunc(g.members, func(m membership) bool { return m.id == "" }), 0
	for i, m := range g.members {
		g.position[m.id] = i
	}
	return true
}

// ids lists the direct members.
func (g *groupRecord) ids() []string {
	ids := make([]string, 0, len(g.position))
	for _, m := range g.members {
		if m.id != "" {
			ids = append(ids, m.id)
		}
	}
	return ids
}

// applyRules lets every dynamic group take or release a person. The caller holds the lock.
func (t *Tenant) applyRules(p *person) {
	for _, id := range t.groupOrder {
		switch g := t.groups[id]; {
		case g.rule == nil:
		case g.rule(p.User):
			t.join(g, p.ID)
		default:
			t.leave(g, p.ID)
		}
	}
}

// Group gives the group of that object id.
func (t *Tenant) Group(id string) (Group, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	g, ok := t.groups[id]
	if !ok {
		return Group{}, false
	}
	return g.Group, true
}

// GroupNamed gives the first group of that display name.
func (t *Tenant) GroupNamed(displayName string) (Group, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, id := range t.groupOrder {
		if g := t.groups[id]; g.DisplayName == displayName {
			return g.Group, true
		}
	}
	return Group{}, false
}

// GroupIDs lists the object ids of all groups in order of creation.
func (t *Tenant) GroupIDs() []string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return slices.Clone(t.groupOrder)
}

// Members lists the object ids of a group's direct members: users, soft-deleted ones included, and groups.
func (t *Tenant) Members(groupID string) []string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if g, ok := t.groups[groupID]; ok {
		return g.ids()
	}
	return nil
}

// IsMember reports whether the object is a direct member of the group.
func (t *Tenant) IsMember(groupID, memberID string) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	g, ok := t.groups[groupID]
	if !ok {
		return false
	}
	_, present := g.position[memberID]
	return present
}

// MemberOf lists the object ids of the groups that hold a user directly.
func (t *Tenant) MemberOf(userID string) []string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	p, ok := t.people[userID]
	if !ok {
		return nil
	}
	ids := make([]string, 0, len(p.groups))
	for _, g := range p.groups {
		ids = append(ids, g.ID)
	}
	return ids
}

// AddGroup creates an empty group. A blank ID is minted; a group with mail is mail-enabled, any other a security group.
func (t *Tenant) AddGroup(g Group) (Group, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if g.DisplayName == "" {
		return Group{}, errors.New("a group needs a display name")
	}
	if g.ID == "" {
		g.ID = t.mint()
	}
	if _, taken := t.groups[g.ID]; taken {
		return Group{}, fmt.Errorf("group %s exists", g.ID)
	}
	g.MailEnabled = g.MailEnabled || g.Mail != ""
	g.SecurityEnabled = g.SecurityEnabled || !g.MailEnabled
	t.form(g)
	t.touch(GroupChanged, g.ID, "")
	return g, nil
}

// RenameGroup changes a group's display name.
func (t *Tenant) RenameGroup(id, displayName string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	g, err := t.group(id)
	if err != nil {
		return err
	}
	g.DisplayName = displayName
	t.touch(GroupChanged, id, "")
	return nil
}

// DeleteGroup deletes a group for good. Its members leave it first.
func (t *Tenant) DeleteGroup(id string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	g, err := t.group(id)
	if err != nil {
		return err
	}
	for _, member := range slices.Backward(g.ids()) {
		t.leave(g, member)
	}
	for _, other := range t.groupOrder { // in order: the sequence of changes is part of what is deterministic
		t.leave(t.groups[other], id)
	}
	delete(t.groups, id)
	t.groupOrder = slices.DeleteFunc(t.groupOrder, func(other string) bool { return other == id })
	t.touch(GroupChanged, id, "")
	return nil
}

// AddMember adds a user or a group as a direct member. Adding one that is there changes nothing.
func (t *Tenant) AddMember(groupID, memberID string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	g, err := t.assigned(groupID)
	if err != nil {
		return err
	}
	_, isUser := t.people[memberID]
	_, isGroup := t.groups[memberID]
	if !isUser && !isGroup || memberID == groupID {
		return fmt.Errorf("member %s: %w", memberID, ErrNotFound)
	}
	t.join(g, memberID)
	return nil
}

// RemoveMember removes a direct member. Removing one that is not there changes nothing.
func (t *Tenant) RemoveMember(groupID, memberID string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	g, err := t.assigned(groupID)
	if err != nil {
		return err
	}
	t.leave(g, memberID)
	return nil
}

// assigned finds a group whose members are added and removed by hand. The caller holds the lock.
func (t *Tenant) assigned(id string) (*groupRecord, error) {
	g, err := t.group(id)
	if err == nil && g.rule != nil {
		return nil, fmt.Errorf("group %s: %w", g.DisplayName, ErrDynamic)
	}
	return g, err
}

// group finds a group for a mutation. The caller holds the lock.
func (t *Tenant) group(id string) (*groupRecord, error) {
	g, ok := t.groups[id]
	if !ok {
		return nil, fmt.Errorf("group %s: %w", id, ErrNotFound)
	}
	return g, nil
}
