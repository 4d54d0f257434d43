package directory

import (
	"strconv"

	"usher/model"
)

// ValidateGroupMappings checks the whole list of an integration's group mappings against the catalogue. Every error is
// a *model.Error whose Field is a path into the list ([3].permissions[0].level). It is Invalid, or Conflict where the
// mapping is at a site that inherits from its parent: then the parent is the place to configure, and the error names
// it. A mapping to an administrator role without allow_administrator is accepted, but never gives the role.
func ValidateGroupMappings(s *model.Settings, _ string, list []model.GroupMapping) error {
	if err := tooMany(len(list)); err != nil {
		return err
	}
	byGroup := map[model.GroupSelector][]int{}
	for i := range list {
		m := &list[i]
		if err := checkSelector(m.Group); err != nil {
			return prefixed(within(err, "group"), "", i)
		}
		if err := checkMapping(s, m); err != nil {
			return prefixed(err, "", i)
		}
		key := selectorKey(m.Group)
		for _, other := range byGroup[key] {
			if sameMapping(list[other], *m) {
				return entryError(model.Invalid, entryName(i), "", "is the same as [%d]", other)
			}
		}
		byGroup[key] = append(byGroup[key], i)
	}
	return nil
}

// checkMapping checks what a mapping gives. Its errors have fields relative to the mapping.
func checkMapping(s *model.Settings, m *model.GroupMapping) error {
	if m.Role != "" {
		if _, ok := s.Roles[m.Role]; !ok {
			return model.FieldErrorf(model.Invalid, "role", "role %s does not exist", m.Role)
		}
	}
	if m.Department != "" {
		if _, ok := s.Departments[m.Department]; !ok {
			return model.FieldErrorf(model.Invalid, "department", "department %s does not exist", m.Department)
		}
	}
	switch {
	case m.Language != "" && !isLanguage(m.Language):
		return model.FieldErrorf(model.Invalid, "language", "%q is not a language tag (BCP 47) such as da or en-GB", m.Language)
	case m.TimeZone != "" && !isTimeZone(m.TimeZone):
		return model.FieldErrorf(model.Invalid, "time_zone", "%q is not a time zone of the IANA database such as Europe/Copenhagen", m.TimeZone)
	case m.Currency != "" && !isCurrency(m.Currency):
		return model.FieldErrorf(model.Invalid, "currency", "%q is not a currency code (ISO 4217) such as DKK", m.Currency)
	}
	return checkSite(s, m)
}

func checkSite(s *model.Settings, m *model.GroupMapping) error {
	if m.Site == "" {
		if len(m.Permissions) > 0 {
			return model.FieldErrorf(model.Invalid, "site", "permissions need a site")
		}
		return nil
	}
	site, ok := s.Sites[m.Site]
	if !ok {
		return model.FieldErrorf(model.Invalid, "site", "site %s does not exist", m.Site)
	}
	if inherits(s.Sites, site) {
		root := configuredSite(s.Sites, site)
		return model.FieldErrorf(model.Conflict, "site", "site %s inherits its mappings from its parent %s: configure %s, or let %s override",
			m.Site, site.Parent, root, m.Site)
	}
	seen := map[string]bool{}
	for i, p := range m.Permissions {
		entry := "permissions[" + strconv.Itoa(i) + "]"
		switch {
		case !hasModule(s, p.Module):
			return entryError(model.Invalid, entry, "module", "module %q does not exist", p.Module)
		case p.Level.Rank() == 0:
			return entryError(model.Invalid, entry, "level", "level %q is not one of member, manager, admin", p.Level)
		case seen[p.Module]:
			return entryError(model.Invalid, entry, "module", "module %s has a level already", p.Module)
		}
		seen[p.Module] = true
	}
	return nil
}

func hasModule(s *model.Settings, key string) bool {
	_, ok := s.Modules[key]
	return ok
}

// configuredSite follows the inheritance up to the site whose mappings count.
func configuredSite(sites map[string]model.Site, site model.Site) string {
	seen := map[string]bool{}
	for inherits(sites, site) && !seen[site.Key] {
		seen[site.Key] = true
		site = sites[site.Parent]
	}
	return site.Key
}
