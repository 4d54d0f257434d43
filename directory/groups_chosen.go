package directory

import (
	"cmp"
	"slices"

	"usher/model"
	"usher/model/store"
)

// groupToRead is a group of the tenant that an import reads with its members, and why.
type groupToRead struct {
	ExternalID string // object id in Entra; "" where only a name is known that no group was found by, and Unfound says why
	Name       string // as the settings have it; "" where they name the id alone
	Chosen     bool   // its members are in scope
	Mapped     bool   // its members get what a mapping gives, but are not in scope by that
	List       bool   // it is a distribution list: its members are counted, and are not in scope by that
	Unfound    string // why a group named by name has no id: there is none, or there are several
}

// groupsToRead gives the groups that an import of the integration reads, each once, in the order of their ids; those without an
// id come first. Names are as lookUpGroups last found them, so an import calls that before a round; it reads nothing of the
// tenant itself. A transaction gives its Reader.
func (s *Service) groupsToRead(r *store.Reader, ref model.Ref) ([]groupToRead, error) {
	settings, err := r.Settings(ref.OrganizationID)
	if err != nil {
		return nil, err
	}
	entry, ok := settings.Integrations[ref.IntegrationID]
	if !ok {
		return nil, model.Errorf(model.NotFound, "integration %s not found", ref.IntegrationID)
	}
	names, err := r.GroupNames(ref)
	if err != nil {
		return nil, err
	}
	lists, err := r.ListsOf(ref)
	if err != nil {
		return nil, err
	}
	c := newGroupCollection(names)
	for _, selector := range entry.ChosenGroups {
		c.add(selector).Chosen = true
	}
	for i := range entry.GroupMappings {
		c.add(entry.GroupMappings[i].Group).Mapped = true
	}
	for i := range lists {
		c.add(model.GroupSelector{ExternalID: lists[i].ExternalID, DisplayName: lists[i].DisplayName}).List = true
	}
	return c.sorted(), nil
}

// groupCollection brings together what the settings say of one group in several places.
type groupCollection struct {
	names map[string]model.GroupName // by name key
	byKey map[string]*groupToRead    // by object id, or by folded name where there is no id
}

func newGroupCollection(names []model.GroupName) *groupCollection {
	c := &groupCollection{names: map[string]model.GroupName{}, byKey: map[string]*groupToRead{}}
	for _, n := range names {
		c.names[n.NameKey] = n
	}
	return c
}

// add gives the group that the selector names.
func (c *groupCollection) add(selector model.GroupSelector) *groupToRead {
	found := groupToRead{ExternalID: selector.ExternalID, Name: selector.DisplayName}
	key := "id:" + found.ExternalID
	if found.ExternalID == "" {
		name := c.names[model.Fold(selector.DisplayName)]
		found.ExternalID, found.Unfound = name.ExternalID, name.Unfound(selector.DisplayName)
		key = "id:" + found.ExternalID
		if found.ExternalID == "" {
			key = "name:" + model.Fold(selector.DisplayName)
		}
	}
	if g := c.byKey[key]; g != nil {
		g.Name = cmp.Or(g.Name, found.Name)
		return g
	}
	c.byKey[key] = &found
	return &found
}

func (c *groupCollection) sorted() []groupToRead {
	list := make([]groupToRead, 0, len(c.byKey))
	for _, g := range c.byKey {
		list = append(list, *g)
	}
	slices.SortFunc(list, func(a, b groupToRead) int {
		return cmp.Or(cmp.Compare(a.ExternalID, b.ExternalID), cmp.Compare(model.Fold(a.Name), model.Fold(b.Name)))
	})
	return list
}
