package directory

import (
	"slices"
	"strings"

	"usher/model"
)

// groupRule is one group mapping, checked against the catalogue.
type groupRule struct {
	role        string // "" where it gives none, or none that may be given
	permissions []sitePermission
	problems    []model.Problem
	defaults    []groupDefault
}

// sitePermission is a permission with the site whose mapping gives it, "" where that is the site itself.
type sitePermission struct {
	model.Permission
	from string
}

// groupDefault fills a field of the account the first time.
type groupDefault struct {
	target, value string
}

// compileMapping keeps of a mapping what the catalogue still has, and makes problems of the rest.
func compileMapping(s *model.Settings, m *model.GroupMapping, sites map[string][]string) groupRule {
	rule := groupRule{}
	trouble := func(field, detail string) {
		rule.problems = append(rule.problems, model.Problem{Field: field, Detail: "mapping of group " + m.Group.String() + ": " + detail})
	}
	if m.Role != "" {
		role, ok := s.Roles[m.Role]
		switch {
		case !ok:
			trouble("roles", "role "+m.Role+" does not exist")
		case role.Administrator && !m.AllowAdministrator:
			trouble("roles", "role "+m.Role+" is an administrator role, which the mapping does not allow")
		default:
			rule.role = m.Role
		}
	}
	if m.Department != "" {
		if _, ok := s.Departments[m.Department]; !ok {
			trouble(targetDepartment, "department "+m.Department+" does not exist")
		} else {
			rule.defaults = append(rule.defaults, groupDefault{targetDepartment, m.Department})
		}
	}
	for _, d := range [...]groupDefault{{targetLanguage, m.Language}, {targetTimeZone, m.TimeZone}, {targetCurrency, m.Currency}} {
		if d.value != "" {
			rule.defaults = append(rule.defaults, d)
		}
	}
	rule.permissions = compilePermissions(s, m, sites, trouble)
	return rule
}

// compilePermissions spreads the levels of a mapping over its site and the sites that inherit from it.
func compilePermissions(s *model.Settings, m *model.GroupMapping, sites map[string][]string, trouble func(field, detail string)) []sitePermission {
	if m.Site == "" || len(m.Permissions) == 0 {
		return nil
	}
	site, ok := s.Sites[m.Site]
	switch {
	case !ok:
		trouble("permissions", "site "+m.Site+" does not exist")
		return nil
	case inherits(s.Sites, site):
		trouble("permissions", "site "+m.Site+" inherits from its parent "+site.Parent)
		return nil
	}
	var given []sitePermission
	for _, p := range m.Permissions {
		if _, ok := s.Modules[p.Module]; !ok {
			trouble("permissions", "module "+p.Module+" does not exist")
			continue
		}
		if p.Level.Rank() == 0 {
			trouble("permissions", "level "+string(p.Level)+" does not exist")
			continue
		}
		given = append(given, sitePermission{Permission: model.Permission{Site: m.Site, Module: p.Module, Level: p.Level}})
		for _, child := range sites[m.Site] {
			given = append(given, sitePermission{model.Permission{Site: child, Module: p.Module, Level: p.Level}, m.Site})
		}
	}
	return given
}

// match is a mapping that concerns a directory user, with the group that makes it so.
type match struct {
	index int // in the integration's list
	rule  *groupRule
	group *model.GroupRef
}

// match finds the mappings of the groups, in the order of the integration's list.
func (c *compiled) match(groups []model.GroupRef) []match {
	if len(c.mappings) == 0 {
		return nil
	}
	var found []match
	for i := range groups {
		c.mapped.find(groups[i], func(n int) {
			found = append(found, match{n, &c.mappings[n], &groups[i]})
		})
	}
	slices.SortStableFunc(found, func(a, b match) int {
		if a.index != b.index {
			return a.index - b.index
		}
		return strings.Compare(a.group.ID, b.group.ID)
	})
	return found
}
