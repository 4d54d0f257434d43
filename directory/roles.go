package directory

import (
	"maps"
	"slices"
	"strings"

	"usher/model"
)

// roleSet is a set of role keys.
type roleSet map[string]bool

func newRoleSet(keys []string) roleSet {
	set := make(roleSet, len(keys))
	for _, key := range keys {
		set[key] = true
	}
	return set
}

func (set roleSet) sorted() []string {
	keys := make([]string, 0, len(set))
	for key := range set {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func (set roleSet) holds(other roleSet) bool {
	for key := range other {
		if !set[key] {
			return false
		}
	}
	return true
}

// roleGrants lists the roles that the matched mappings give, each with its group, sorted by role and group.
func roleGrants(matches []match) []model.Grant {
	var grants []model.Grant
	for _, m := range matches {
		if m.rule.role != "" {
			grants = append(grants, model.Grant{Role: m.rule.role, GroupID: m.group.ID, Group: m.group.Name()})
		}
	}
	slices.SortFunc(grants, compareGrants)
	return slices.Compact(grants)
}

func compareGrants(a, b model.Grant) int {
	if c := strings.Compare(a.Role, b.Role); c != 0 {
		return c
	}
	if c := strings.Compare(a.Group, b.Group); c != 0 {
		return c
	}
	return strings.Compare(a.GroupID, b.GroupID)
}

// settleRoles makes the account's roles what the modes of the integrations ask for, and says why they are so.
func (s *settling) settleRoles() {
	before := newRoleSet(s.before.Roles)
	mapped := s.mappedRoles(func(*view) bool { return true })
	switch {
	case s.creating:
		s.rolesOfNewAccount(mapped)
		return
	case s.administrator(before) != "":
		s.roleNote("role " + s.administrator(before) + " is an administrator role: no sync changes the roles of an administrator")
		return
	case s.employeeLinked:
		s.roleNote("employee " + s.person.Employee.ExternalID + " is linked: no sync changes the roles")
		return
	}
	roles := maps.Clone(before)
	var reasons []string
	reasons = append(reasons, s.replaceRemapped(roles)...)
	reasons = append(reasons, s.firstRoles(roles)...)
	reasons = append(reasons, s.reconcile(roles, mapped)...)
	reasons = append(reasons, s.mirror(roles, mapped)...)
	if !maps.Equal(roles, before) {
		s.account.Roles = roles.sorted()
		s.change("roles", roleList(s.before.Roles), s.account.Roles, joinReasons(reasons))
	}
	s.explainRoles(roles, mapped)
}

// mappedRoles is the union of what the groups of the sources in scope give.
func (s *settling) mappedRoles(take func(*view) bool) roleSet {
	mapped := roleSet{}
	for _, v := range s.inScope {
		if take(v) {
			for i := range v.grants {
				mapped[v.grants[i].Role] = true
			}
		}
	}
	return mapped
}

// administrator names a role of the set that the catalogue marks administrator, "" if there is none.
func (s *settling) administrator(roles roleSet) string {
	for _, key := range roles.sorted() {
		if s.rules.settings.Roles[key].Administrator {
			return key
		}
	}
	return ""
}

// rolesOfNewAccount gives what the groups give, in every mode, or else the default role.
func (s *settling) rolesOfNewAccount(mapped roleSet) {
	var reasons []string
	for _, key := range mapped.sorted() {
		reasons = append(reasons, s.givenBy(key))
	}
	if len(mapped) == 0 {
		for _, v := range s.inScope {
			if role := v.compiled.defaultRole; role != "" {
				mapped[role] = true
				reasons = append(reasons, "no group gives a role: "+role+" is the default role")
				break
			}
		}
	}
	s.account.Roles = mapped.sorted()
	if len(mapped) > 0 {
		s.change("roles", []string{}, s.account.Roles, joinReasons(reasons))
	}
	if s.employeeLinked {
		s.roleNote("employee " + s.person.Employee.ExternalID + " is linked: no sync changes the roles")
		return
	}
	s.explainRoles(mapped, s.mappedRoles(func(*view) bool { return true }))
}

// replaceRemapped carries a change of a mapping over to those who have the role it gave: where a group gave A when the
// rules were last asked, still holds the person, now gives B instead, and no other group gives A, A becomes B.
func (s *settling) replaceRemapped(roles roleSet) []string {
	var reasons []string
	given := s.mappedRoles(func(*view) bool { return true })
	for _, v := range s.inScope {
		if v.compiled.integration.RoleSync == model.RoleSyncInitial {
			continue
		}
		for _, old := range v.source.User.Explanation.Grants {
			if !roles[old.Role] || given[old.Role] {
				continue
			}
			instead := v.newGrants(old.GroupID)
			if len(instead) == 0 {
				continue
			}
			delete(roles, old.Role)
			for _, role := range instead {
				roles[role] = true
			}
			reasons = append(reasons, "the mapping of group "+old.Group+" gives "+strings.Join(instead, ", ")+
				" instead of "+old.Role+" now")
		}
	}
	return reasons
}

// newGrants gives the roles that the group gives now and did not give before.
func (v *view) newGrants(groupID string) []string {
	var roles []string
	for i := range v.grants {
		g := v.grants[i]
		gaveBefore := func(old model.Grant) bool { return old.GroupID == groupID && old.Role == g.Role }
		if g.GroupID == groupID && !slices.ContainsFunc(v.source.User.Explanation.Grants, gaveBefore) {
			roles = append(roles, g.Role)
		}
	}
	return roles
}

// firstRoles lets the first groups that give roles count as those that a new account came with, where the mode is initial:
// Entra pushes a person first and the groups afterwards. It does so once, and only for an account that a directory made and
// that holds nothing but the default role.
func (s *settling) firstRoles(roles roleSet) []string {
	wanted := s.mappedRoles(func(v *view) bool { return v.mode() == model.RoleSyncInitial })
	if len(wanted) == 0 || s.before.Origin != model.OriginDirectory {
		return nil
	}
	for _, v := range s.views {
		if len(v.source.User.Explanation.Grants) > 0 {
			return nil
		}
	}
	for role := range roles {
		if !s.isDefaultRole(role) {
			return nil
		}
	}
	clear(roles)
	var reasons []string
	for _, key := range wanted.sorted() {
		roles[key] = true
		reasons = append(reasons, s.givenBy(key))
	}
	return reasons
}

// reconcile leaves the roles alone while they hold every mapped one; otherwise they become exactly the mapped ones.
// What another integration's groups give as well stays.
func (s *settling) reconcile(roles, mapped roleSet) []string {
	wanted := s.mappedRoles(func(v *view) bool { return v.mode() == model.RoleSyncReconcile })
	if roles.holds(wanted) {
		return nil
	}
	var reasons []string
	for _, key := range wanted.sorted() {
		if !roles[key] {
			roles[key] = true
			reasons = append(reasons, s.givenBy(key))
		}
	}
	for _, key := range roles.sorted() {
		if !mapped[key] {
			delete(roles, key)
			reasons = append(reasons, "no group gives role "+key+", and reconcile makes the roles exactly the mapped ones")
		}
	}
	return reasons
}

// mirror makes the roles that an integration's mappings can give, or gave last time, follow its groups exactly. All
// other roles stay, and so does what another integration's groups give. A source that is out of scope while another
// one keeps the account gives nothing.
func (s *settling) mirror(roles, mapped roleSet) []string {
	var reasons []string
	for _, v := range s.views {
		if v.compiled == nil || v.mode() != model.RoleSyncMirror || !v.linked && !v.verdict.in {
			continue
		}
		managed := maps.Clone(v.compiled.manageable)
		for _, old := range v.source.User.Explanation.Grants {
			managed[old.Role] = true
		}
		for _, key := range roles.sorted() {
			if managed[key] && !mapped[key] {
				delete(roles, key)
				reasons = append(reasons, "no group gives role "+key+" any more")
			}
		}
		if !v.verdict.in {
			continue
		}
		for i := range v.grants {
			if key := v.grants[i].Role; !roles[key] {
				roles[key] = true
				reasons = append(reasons, s.givenBy(key))
			}
		}
	}
	return reasons
}

func (v *view) mode() model.RoleSync { return v.compiled.integration.RoleSync }

// givenBy names the groups that give a role: "group HR gives role hr".
func (s *settling) givenBy(role string) string {
	var groups []string
	for _, v := range s.inScope {
		for i := range v.grants {
			if v.grants[i].Role == role && !slices.Contains(groups, v.grants[i].Group) {
				groups = append(groups, v.grants[i].Group)
			}
		}
	}
	switch len(groups) {
	case 0:
		return "role " + role + " is given by no group"
	case 1:
		return "group " + groups[0] + " gives role " + role
	}
	return "groups " + strings.Join(groups, ", ") + " give role " + role
}

func roleList(roles []string) []string {
	if roles == nil {
		return []string{}
	}
	return roles
}
