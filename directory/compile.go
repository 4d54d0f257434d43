package directory

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"usher/model"
)

// Rules are the settings of one organization, compiled: patterns, expressions and paths are parsed, mappings are found
// by group. Rules are immutable and safe for concurrent use.
type Rules struct {
	settings    *model.Settings
	now         func() time.Time
	byID        map[string]*compiled // by integration
	targets     []string             // account fields that any rule fills, in the order of decisions
	departments map[string]string    // folded key or name to key
}

// compiled is one integration with its lists, ready to be asked.
type compiled struct {
	integration model.Integration
	rank        int // order among the organization's integrations: priority, then id
	chosen      groupIndex
	selectors   []model.GroupSelector // the chosen groups
	mapped      groupIndex
	mappings    []groupRule
	exclusions  []exclusion
	fields      []*fieldRule    // by index of Rules.targets; nil where the integration says nothing
	manageable  map[string]bool // roles that the mappings can give
	defaultRole string          // "" where there is none that may be given
}

// groupIndex finds positions in a list of group selectors by the group's id or folded name.
type groupIndex struct {
	byID, byName map[string][]int
}

func newGroupIndex(selectors []model.GroupSelector) groupIndex {
	ix := groupIndex{byID: map[string][]int{}, byName: map[string][]int{}}
	for i, s := range selectors {
		switch {
		case s.ExternalID != "":
			ix.byID[s.ExternalID] = append(ix.byID[s.ExternalID], i)
		case s.DisplayName != "":
			key := model.Fold(s.DisplayName)
			ix.byName[key] = append(ix.byName[key], i)
		}
	}
	return ix
}

// find calls yield with every position whose selector matches the group (model.GroupSelector.Matches).
func (ix groupIndex) find(g model.GroupRef, yield func(int)) {
	if g.ExternalID != "" {
		for _, i := range ix.byID[g.ExternalID] {
			yield(i)
		}
	}
	if len(ix.byName) > 0 {
		for _, i := range ix.byName[model.Fold(g.DisplayName)] {
			yield(i)
		}
	}
}

// holds says whether any selector matches the group.
func (ix groupIndex) holds(g model.GroupRef) bool {
	found := false
	ix.find(g, func(int) { found = true })
	return found
}

// Compile prepares the settings for decisions. It fails where a pattern, a path or an expression cannot be read, which
// the validation of lists rules out; a mapping to something the catalogue no longer has is no failure but a Problem in
// the explanation of everyone it concerns. now tells on which day a resignation takes effect.
func Compile(settings *model.Settings, now func() time.Time) (*Rules, error) {
	r := &Rules{
		settings: settings, now: now, byID: map[string]*compiled{}, targets: allTargets(settings),
		departments: departmentIndex(settings),
	}
	ordered := slices.SortedFunc(maps.Values(settings.Integrations), func(a, b model.IntegrationSettings) int {
		return cmp.Or(cmp.Compare(a.Integration.Priority, b.Integration.Priority),
			strings.Compare(a.Integration.ID, b.Integration.ID))
	})
	sites := inheritance(settings.Sites)
	for rank, is := range ordered {
		c, err := r.compileIntegration(&is, sites)
		if err != nil {
			return nil, fmt.Errorf("compile the rules of integration %s: %w", is.Integration.ID, err)
		}
		c.rank = rank
		r.byID[is.Integration.ID] = c
	}
	return r, nil
}

func (r *Rules) compileIntegration(is *model.IntegrationSettings, sites map[string][]string) (*compiled, error) {
	c := &compiled{
		integration: is.Integration, chosen: newGroupIndex(is.ChosenGroups), selectors: is.ChosenGroups,
		manageable: map[string]bool{},
	}
	groups := make([]model.GroupSelector, len(is.GroupMappings))
	for i := range is.GroupMappings {
		groups[i] = is.GroupMappings[i].Group
		rule := compileMapping(r.settings, &is.GroupMappings[i], sites)
		c.mappings = append(c.mappings, rule)
		if rule.role != "" {
			c.manageable[rule.role] = true
		}
	}
	c.mapped = newGroupIndex(groups)
	if role, ok := r.settings.Roles[is.Integration.DefaultRole]; ok && !role.Administrator {
		c.defaultRole = role.Key
	}
	for i, e := range is.Exclusions {
		compiledExclusion, err := compileExclusion(e)
		if err != nil {
			return nil, fmt.Errorf("exclusions[%d]: %w", i, err)
		}
		c.exclusions = append(c.exclusions, compiledExclusion)
	}
	fields, err := compileFields(r.settings, is.FieldMappings)
	if err != nil {
		return nil, err
	}
	c.fields = make([]*fieldRule, len(r.targets))
	for i, target := range r.targets {
		c.fields[i] = fields[target]
	}
	return c, nil
}

// GroupMatters says whether membership of the group can change any decision of the integration: it is mapped, or
// chosen where choosing counts. A membership that does not matter needs no evaluation. Roles that a group gave in the
// past and no longer gives are not considered: changing the mappings re-evaluates everyone by itself.
func (r *Rules) GroupMatters(integrationID string, g model.GroupRef) bool {
	c := r.byID[integrationID]
	if c == nil {
		return false
	}
	return c.mapped.holds(g) || c.choosesGroups() && c.chosen.holds(g)
}

// choosesGroups says whether membership of a chosen group decides who is in scope.
func (c *compiled) choosesGroups() bool {
	return c.integration.Ingress == model.IngressGraph && c.integration.Scope != model.ScopeEveryone
}

// departmentIndex finds a department by its key or its name, both without case. A key goes before a name.
func departmentIndex(s *model.Settings) map[string]string {
	index := make(map[string]string, 2*len(s.Departments))
	for _, key := range slices.Sorted(maps.Keys(s.Departments)) {
		name := model.Fold(s.Departments[key].Name)
		if _, taken := index[name]; !taken && name != "" {
			index[name] = key
		}
	}
	for _, key := range slices.Sorted(maps.Keys(s.Departments)) {
		index[model.Fold(key)] = key
	}
	return index
}
