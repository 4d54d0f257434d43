package directory

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"usher/model"
)

// inherits says whether the site takes its mappings from a parent that exists.
func inherits(sites map[string]model.Site, site model.Site) bool {
	_, ok := sites[site.Parent]
	return ok && site.Inherits()
}

// inheritance gives, for each site, the sites below it that inherit its mappings, directly or through others, sorted.
// A circle of parents, which the catalogue refuses, ends where it closes.
func inheritance(sites map[string]model.Site) map[string][]string {
	heirs := map[string][]string{}
	for _, key := range slices.Sorted(maps.Keys(sites)) {
		seen := map[string]bool{key: true}
		for site := sites[key]; inherits(sites, site) && !seen[site.Parent]; site = sites[site.Parent] {
			seen[site.Parent] = true
			heirs[site.Parent] = append(heirs[site.Parent], key)
		}
	}
	return heirs
}

// place is where a permission is held.
type place struct{ site, module string }

// effective merges permissions: per site and module the highest level, sorted by site and module.
func effective(byHand []model.Permission, grants []model.PermissionGrant) []model.Permission {
	highest := make(map[place]model.Level, len(byHand)+len(grants))
	raise := func(p model.Permission) {
		at := place{p.Site, p.Module}
		if p.Level.Rank() > highest[at].Rank() {
			highest[at] = p.Level
		}
	}
	for _, p := range byHand {
		raise(p)
	}
	for i := range grants {
		raise(grants[i].Permission)
	}
	merged := make([]model.Permission, 0, len(highest))
	for at, level := range highest {
		merged = append(merged, model.Permission{Site: at.site, Module: at.module, Level: level})
	}
	sortPermissions(merged)
	return merged
}

func sortPermissions(list []model.Permission) {
	slices.SortFunc(list, func(a, b model.Permission) int {
		return cmp.Or(strings.Compare(a.Site, b.Site), strings.Compare(a.Module, b.Module), strings.Compare(string(a.Level), string(b.Level)))
	})
}

// permissionGrants lists what the matched mappings give, each with its group, sorted.
func permissionGrants(matches []match) []model.PermissionGrant {
	var grants []model.PermissionGrant
	for _, m := range matches {
		for _, p := range m.rule.permissions {
			grants = append(grants, model.PermissionGrant{
				Permission: p.Permission, GroupID: m.group.ID, Group: m.group.Name(), From: p.from,
			})
		}
	}
	slices.SortFunc(grants, func(a, b model.PermissionGrant) int {
		return cmp.Or(strings.Compare(a.Site, b.Site), strings.Compare(a.Module, b.Module),
			cmp.Compare(b.Level.Rank(), a.Level.Rank()), strings.Compare(a.Group, b.Group),
			strings.Compare(a.GroupID, b.GroupID), strings.Compare(a.From, b.From))
	})
	return slices.Compact(grants)
}

// settlePermissions makes the account's permissions what is given by hand and what the groups of every source in scope
// give, whatever the mode of role synchronization. A linked employee keeps what the account has.
func (s *settling) settlePermissions() {
	if s.employeeOwns() {
		return
	}
	var grants []model.PermissionGrant
	for _, v := range s.inScope {
		grants = append(grants, v.permissions...)
	}
	merged := effective(s.account.ByHand, grants)
	before := slices.Clone(s.before.Permissions)
	sortPermissions(before)
	if slices.Equal(before, merged) {
		return
	}
	s.account.Permissions = merged
	s.change("permissions", permissionList(s.before.Permissions), merged, permissionReason(before, merged, grants))
}

func permissionList(list []model.Permission) []model.Permission {
	if list == nil {
		return []model.Permission{}
	}
	return list
}

// permissionReason names the group behind each permission that is new or higher, and what is gone.
func permissionReason(before, after []model.Permission, grants []model.PermissionGrant) string {
	var parts []string
	for _, p := range after {
		if slices.Contains(before, p) {
			continue
		}
		giver := "given by hand: "
		for i := range grants {
			if grants[i].Permission == p {
				giver = "group " + grants[i].Group + " gives "
				break
			}
		}
		parts = append(parts, giver+string(p.Level)+" in "+p.Module+" at "+p.Site)
	}
	for _, p := range before {
		if !slices.ContainsFunc(after, func(q model.Permission) bool { return q.Site == p.Site && q.Module == p.Module }) {
			parts = append(parts, "no group gives "+p.Module+" at "+p.Site+" any more")
		}
	}
	return joinReasons(parts)
}

// maxReasons is how many reasons one sentence names; a person in a hundred groups gets a readable one.
const maxReasons = 8

func joinReasons(parts []string) string {
	if len(parts) > maxReasons {
		parts = append(slices.Clone(parts[:maxReasons]), "and more")
	}
	return strings.Join(parts, "; ")
}
