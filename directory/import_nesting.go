package directory

import (
	"cmp"
	"slices"
	"strings"

	"usher/model"
	"usher/model/store"
)

// nesting is which groups of an integration are members of which. It is as large as the groups are many, however many people
// they have.
type nesting struct {
	groups map[string]model.GroupRef // by id
	outer  map[string][]string       // by group: the groups that it is a direct member of
	inner  map[string][]string       // by group: the groups that are direct members of it
}

func newNesting(groups map[string]model.GroupRef) *nesting {
	return &nesting{groups: groups, outer: map[string][]string{}, inner: map[string][]string{}}
}

// nest notes that one group is a member of another one, where both are known.
func (n *nesting) nest(outer, inner string) {
	_, known := n.groups[outer]
	if _, ok := n.groups[inner]; !ok || !known || outer == inner {
		return
	}
	n.outer[inner] = append(n.outer[inner], outer)
	n.inner[outer] = append(n.inner[outer], inner)
}

// within gives the groups and everything that is nested in them, in the order of ids.
func (n *nesting) within(ids []string) []string {
	found := map[string]bool{}
	queue := slices.Clone(ids)
	for len(queue) > 0 {
		id := queue[0]
		queue = queue[1:]
		if found[id] {
			continue
		}
		found[id] = true
		queue = append(queue, n.inner[id]...)
	}
	list := make([]string, 0, len(found))
	for id := range found {
		list = append(list, id)
	}
	slices.Sort(list)
	return list
}

// above is within the other way: it adds to the groups that somebody is a direct member of those that these are nested in, each
// with the shortest way to it, in the order of ids.
func (n *nesting) above(direct []model.GroupRef) []model.GroupRef {
	if len(n.outer) == 0 {
		return direct
	}
	all := slices.Clone(direct)
	found := make(map[string]bool, len(direct))
	for _, g := range direct {
		found[g.ID] = true
	}
	type step struct{ id, through string }
	var wave []step
	for _, g := range direct {
		wave = append(wave, step{g.ID, g.DisplayName})
	}
	for len(wave) > 0 {
		var next []step
		for _, s := range wave {
			for _, id := range n.outer[s.id] {
				if !found[id] {
					next = append(next, step{id, s.through})
				}
			}
		}
		// Of several ways that are as short, the first by name.
		slices.SortFunc(next, func(a, b step) int { return cmp.Or(strings.Compare(a.id, b.id), strings.Compare(a.through, b.through)) })
		next = slices.CompactFunc(next, func(a, b step) bool { return a.id == b.id })
		wave = nil
		for _, s := range next {
			g := n.groups[s.id]
			g.Through = s.through
			found[s.id] = true
			all = append(all, g)
			wave = append(wave, step{s.id, g.DisplayName + ", " + s.through})
		}
	}
	slices.SortFunc(all, func(a, b model.GroupRef) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// of gives the groups with the ids, without those that are not known, in the order of ids.
func (n *nesting) of(ids []string) []model.GroupRef {
	list := make([]model.GroupRef, 0, len(ids))
	for _, id := range ids {
		if g, ok := n.groups[id]; ok {
			list = append(list, g)
		}
	}
	slices.SortFunc(list, func(a, b model.GroupRef) int { return strings.Compare(a.ID, b.ID) })
	return list
}

// nests says whether members of a nested group count as members of the outer one.
func nests(i model.Integration) bool { return i.Ingress == model.IngressGraph && i.NestedGroups }

// mirrorNesting reads the groups of the mirror, and how they are nested.
func mirrorNesting(r *store.Reader, ref model.Ref) (*nesting, error) {
	edges, groups, err := r.NestedGroups(ref)
	if err != nil {
		return nil, err
	}
	n := newNesting(groups)
	for _, e := range edges {
		n.nest(e.GroupID, e.Member)
	}
	return n, nil
}

// importNesting gives the groups that are read and how they are nested: as of the end of a round, or with incoming as they will be at the
// end of the one under way.
func importNesting(groups []model.ImportGroup, edges []store.ImportEdge, ended int64, incoming bool) *nesting {
	refs, byObject := make(map[string]model.GroupRef, len(groups)), make(map[string]string, len(groups))
	for i := range groups {
		g := &groups[i]
		name, gone := g.DisplayName, g.Gone
		if incoming {
			name, gone = g.NewName, g.NewGone
		}
		byObject[g.ObjectID] = g.GroupID
		if gone == "" && name != "" {
			refs[g.GroupID] = model.GroupRef{ID: g.GroupID, ExternalID: g.ObjectID, DisplayName: name}
		}
	}
	n := newNesting(refs)
	for _, e := range edges {
		if incoming && !e.Leaving || !incoming && e.Round <= ended {
			n.nest(e.GroupID, byObject[e.Member])
		}
	}
	return n
}

// groupsOf gives the groups of a directory user: where its integration nests groups, with those that they are nested in.
func (w *settlement) groupsOf(u *model.DirectoryUser) ([]model.GroupRef, error) {
	direct := w.facts.Groups[u.ID]
	i, ok := w.rules.settings.Integrations[u.IntegrationID]
	if !ok || !nests(i.Integration) || len(direct) == 0 {
		return direct, nil
	}
	n := w.nestings[u.IntegrationID]
	if n == nil {
		var err error
		if n, err = mirrorNesting(&w.tx.Reader, u.Ref()); err != nil {
			return nil, err
		}
		if w.nestings == nil {
			w.nestings = map[string]*nesting{}
		}
		w.nestings[u.IntegrationID] = n
	}
	return n.above(direct), nil
}
