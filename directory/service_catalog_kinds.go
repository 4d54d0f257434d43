package directory

import (
	"context"
	"maps"
	"slices"

	"usher/model"
	"usher/model/store"
)

// PutRole stores a role; without a name the key is it. Taking the mark administrator from a role is Refused where that
// would leave no administrator, and marking the default role of an integration is too.
func (s *Service) PutRole(ctx context.Context, organizationID string, r model.Role) (model.Role, error) {
	return putEntry(ctx, s, organizationID, r, roleEntries())
}

// DeleteRole removes a role that no mapping, integration or account refers to; otherwise it is Refused.
func (s *Service) DeleteRole(ctx context.Context, organizationID, key string) error {
	return deleteEntry(ctx, s, organizationID, key, roleEntries())
}

func roleEntries() entryKind[model.Role] {
	return entryKind[model.Role]{
		what: "role",
		all:  func(s *model.Settings) map[string]model.Role { return s.Roles },
		head: func(r *model.Role) entryHead { return entryHead{&r.OrganizationID, &r.Key, &r.Name, &r.UpdatedAt} },
		check: func(v *catalogueEdit, before, after *model.Role) error {
			if before == nil || before.Administrator == after.Administrator {
				return nil
			}
			if user := v.defaultOf(after.Key); after.Administrator && user != "" {
				return model.FieldErrorf(model.Refused, "administrator", "role %s cannot be an administrator role: %s", after.Key, user)
			}
			return v.keepAdministrators(after.Key)
		},
		concerns: func(before, after *model.Role) bool {
			return before == nil || after == nil || before.Administrator != after.Administrator
		},
		user: func(v *catalogueEdit, key string) (string, error) {
			if by := v.mappedBy(func(m *model.GroupMapping) bool { return m.Role == key }); by != "" {
				return by + " gives it", nil
			}
			if by := v.defaultOf(key); by != "" {
				return by, nil
			}
			return v.heldBy(store.HoldsRole, key, "holds it")
		},
	}
}

// keepAdministrators refuses to do without the administrators by one role when there are no others.
func (v *catalogueEdit) keepAdministrators(role string) error {
	if !v.settings.Roles[role].Administrator {
		return nil
	}
	holders, err := v.tx.CountRoleHolders(v.organizationID, []string{role}, "")
	if err != nil || holders == 0 {
		return err
	}
	var others []string
	for key, r := range v.settings.Roles {
		if r.Administrator && key != role {
			others = append(others, key)
		}
	}
	slices.Sort(others)
	if left, err := v.tx.CountRoleHolders(v.organizationID, others, ""); err != nil || left > 0 {
		return err
	}
	return model.FieldErrorf(model.Refused, "administrator",
		"the last administrators hold role %s: give an account another administrator role first", role)
}

// PutDepartment stores a department; without a name the key is it.
func (s *Service) PutDepartment(ctx context.Context, organizationID string, d model.Department) (model.Department, error) {
	return putEntry(ctx, s, organizationID, d, departmentEntries())
}

// DeleteDepartment removes a department that no mapping or account refers to; otherwise it is Refused.
func (s *Service) DeleteDepartment(ctx context.Context, organizationID, key string) error {
	return deleteEntry(ctx, s, organizationID, key, departmentEntries())
}

func departmentEntries() entryKind[model.Department] {
	return entryKind[model.Department]{
		what: "department",
		all:  func(s *model.Settings) map[string]model.Department { return s.Departments },
		head: func(d *model.Department) entryHead {
			return entryHead{&d.OrganizationID, &d.Key, &d.Name, &d.UpdatedAt}
		},
		concerns: func(*model.Department, *model.Department) bool { return true }, // people are put in by its name
		user: func(v *catalogueEdit, key string) (string, error) {
			if by := v.mappedBy(func(m *model.GroupMapping) bool { return m.Department == key }); by != "" {
				return by + " gives it", nil
			}
			return v.heldBy(store.HoldsDepartment, key, "is in it")
		},
	}
}

// PutSite stores a site; without a name the key is it. The parent must exist and be no site below this one. A site with
// group mappings of its own cannot begin to inherit.
func (s *Service) PutSite(ctx context.Context, organizationID string, site model.Site) (model.Site, error) {
	return putEntry(ctx, s, organizationID, site, siteEntries())
}

// DeleteSite removes a site that no mapping, child site or account refers to; otherwise it is Refused.
func (s *Service) DeleteSite(ctx context.Context, organizationID, key string) error {
	return deleteEntry(ctx, s, organizationID, key, siteEntries())
}

func siteEntries() entryKind[model.Site] {
	return entryKind[model.Site]{
		what:  "site",
		all:   func(s *model.Settings) map[string]model.Site { return s.Sites },
		head:  func(s *model.Site) entryHead { return entryHead{&s.OrganizationID, &s.Key, &s.Name, &s.UpdatedAt} },
		check: func(v *catalogueEdit, _, after *model.Site) error { return v.checkSite(after) },
		concerns: func(before, after *model.Site) bool {
			return before == nil || after == nil || before.Parent != after.Parent || before.Override != after.Override
		},
		user: func(v *catalogueEdit, key string) (string, error) {
			if by := v.mappedBy(func(m *model.GroupMapping) bool { return m.Site == key }); by != "" {
				return by + " is at it", nil
			}
			for _, child := range slices.Sorted(maps.Keys(v.settings.Sites)) {
				if v.settings.Sites[child].Parent == key {
					return "it is the parent of site " + child, nil
				}
			}
			return v.heldBy(store.HoldsSite, key, "has permissions at it")
		},
	}
}

func (v *catalogueEdit) checkSite(site *model.Site) error {
	if site.Parent == "" {
		return nil
	}
	if _, ok := v.settings.Sites[site.Parent]; !ok && site.Parent != site.Key {
		return model.FieldErrorf(model.Invalid, "parent", "site %q does not exist", site.Parent)
	}
	seen := map[string]bool{}
	for key := site.Parent; key != "" && !seen[key]; key = v.settings.Sites[key].Parent {
		if key == site.Key {
			return model.FieldErrorf(model.Invalid, "parent", "site %s cannot be below itself", site.Key)
		}
		seen[key] = true
	}
	if !site.Inherits() {
		return nil
	}
	if by := v.mappedBy(func(m *model.GroupMapping) bool { return m.Site == site.Key }); by != "" {
		return model.FieldErrorf(model.Refused, "parent", "%s is at site %s, which would inherit from %s instead: remove it, or let %s override",
			by, site.Key, site.Parent, site.Key)
	}
	return nil
}

// PutModule stores a module; without a name the key is it.
func (s *Service) PutModule(ctx context.Context, organizationID string, m model.Module) (model.Module, error) {
	return putEntry(ctx, s, organizationID, m, moduleEntries())
}

// DeleteModule removes a module that no mapping or account refers to; otherwise it is Refused.
func (s *Service) DeleteModule(ctx context.Context, organizationID, key string) error {
	return deleteEntry(ctx, s, organizationID, key, moduleEntries())
}

func moduleEntries() entryKind[model.Module] {
	return entryKind[model.Module]{
		what:     "module",
		all:      func(s *model.Settings) map[string]model.Module { return s.Modules },
		head:     func(m *model.Module) entryHead { return entryHead{&m.OrganizationID, &m.Key, &m.Name, &m.UpdatedAt} },
		concerns: func(*model.Module, *model.Module) bool { return false }, // a mapping names only modules that exist
		user: func(v *catalogueEdit, key string) (string, error) {
			gives := func(m *model.GroupMapping) bool {
				return slices.ContainsFunc(m.Permissions, func(p model.ModulePermission) bool { return p.Module == key })
			}
			if by := v.mappedBy(gives); by != "" {
				return by + " gives permissions in it", nil
			}
			return v.heldBy(store.HoldsModule, key, "has permissions in it")
		},
	}
}

// PutCustomField stores a custom field; without a name the key is it, and without a type it is text. The type cannot change
// while an account has a value of the field.
func (s *Service) PutCustomField(ctx context.Context, organizationID string, f model.CustomField) (model.CustomField, error) {
	if f.Type == "" {
		f.Type = model.FieldText
	}
	if !slices.Contains([]model.FieldType{model.FieldText, model.FieldNumber, model.FieldDate}, f.Type) {
		return f, model.FieldErrorf(model.Invalid, "type", "%q is not one of text, number, date", f.Type)
	}
	return putEntry(ctx, s, organizationID, f, customFieldEntries())
}

// DeleteCustomField removes a custom field that no field mapping fills and no account has a value of; otherwise it is
// Refused.
func (s *Service) DeleteCustomField(ctx context.Context, organizationID, key string) error {
	return deleteEntry(ctx, s, organizationID, key, customFieldEntries())
}

func customFieldEntries() entryKind[model.CustomField] {
	return entryKind[model.CustomField]{
		what: "custom field",
		all:  func(s *model.Settings) map[string]model.CustomField { return s.CustomFields },
		head: func(f *model.CustomField) entryHead {
			return entryHead{&f.OrganizationID, &f.Key, &f.Name, &f.UpdatedAt}
		},
		check: func(v *catalogueEdit, before, after *model.CustomField) error {
			if before == nil || before.Type == after.Type {
				return nil
			}
			by, err := v.heldBy(store.HoldsCustomField, after.Key, "has a value of it")
			if err != nil || by == "" {
				return err
			}
			return model.FieldErrorf(model.Refused, "type", "custom field %s is a %s and cannot become a %s: %s", after.Key, before.Type, after.Type, by)
		},
		concerns: func(before, after *model.CustomField) bool {
			return before != nil && after != nil && before.Type != after.Type
		},
		user: func(v *catalogueEdit, key string) (string, error) {
			for _, id := range slices.Sorted(maps.Keys(v.settings.Integrations)) {
				entry := v.settings.Integrations[id]
				for _, m := range entry.FieldMappings {
					if m.Target == customPrefix+key {
						return "a field mapping of integration " + entry.Integration.Name + " fills it", nil
					}
				}
			}
			return v.heldBy(store.HoldsCustomField, key, "has a value of it")
		},
	}
}
