package directory

import (
	"cmp"
	"context"
	"slices"

	"usher/model"
	"usher/model/entra"
	"usher/model/outlook"
	"usher/model/store"
)

// chooseGroups brings the groups that are read in line with what the settings name. Groups that they no longer name go when the
// round ends, unless they are nested in another one.
func (r *importRound) chooseGroups(tx *store.Tx, state *model.ImportState) error {
	wanted, err := r.svc.groupsToRead(&tx.Reader, r.ref)
	if err != nil {
		return err
	}
	roots := map[string]bool{}
	for _, g := range wanted {
		if g.ExternalID != "" {
			roots[g.ExternalID] = true
		}
	}
	groups, err := tx.ImportGroups(r.ref)
	if err != nil {
		return err
	}
	var changed []model.ImportGroup
	for _, g := range groups {
		if g.Root != roots[g.ObjectID] {
			g.Root = roots[g.ObjectID]
			changed = append(changed, g)
		}
		delete(roots, g.ObjectID)
	}
	tx.UpdateImportGroups(changed)
	added := make([]string, 0, len(roots))
	for id := range roots {
		added = append(added, id)
	}
	return r.addGroups(tx, state, true, added)
}

// addGroups has more groups read, from the beginning.
func (r *importRound) addGroups(tx *store.Tx, state *model.ImportState, root bool, ids []string) error {
	slices.Sort(ids)
	for part := range slices.Chunk(ids, groupsPerLink) {
		state.Mark++
		link := model.ImportLink{OrganizationID: r.ref.OrganizationID, IntegrationID: r.ref.IntegrationID, Mark: state.Mark}
		if err := tx.InsertImportLink(&link); err != nil {
			return err
		}
		tx.AddImportGroups(r.ref, link.ID, root, part)
	}
	return nil
}

// groups reads a page of the first delta that the round has not read to the end. When there is none left, it looks for nested groups
// that are not read yet.
func (r *importRound) groups(ctx context.Context) error {
	read := r.svc.Store.Read(ctx)
	links, err := read.ImportLinks(r.ref)
	if err != nil {
		return err
	}
	for i := range links {
		if links[i].Ended == r.state.Round {
			continue
		}
		groups, err := read.ImportGroupsOf(r.ref, links[i].ID)
		if err != nil {
			return err
		}
		return r.groupPage(ctx, &links[i], groups)
	}
	view, err := r.view(read)
	if err != nil {
		return err
	}
	return r.nest(ctx, view)
}

func (r *importRound) groupPage(ctx context.Context, link *model.ImportLink, groups []model.ImportGroup) error {
	page := groupsRead{round: r, link: *link, byObject: map[string]*model.ImportGroup{}}
	var ids []string
	for i := range groups {
		ids = append(ids, groups[i].ObjectID)
		page.byObject[groups[i].ObjectID] = &groups[i]
	}
	if len(ids) == 0 {
		return r.store(ctx, 0, func(tx *store.Tx, _ *model.ImportState) error {
			link.Ended = r.state.Round
			return tx.UpdateImportLink(link)
		})
	}
	from := cmp.Or(link.Next, link.Link)
	got, err := r.tenant.GroupsDelta(ctx, ids, from)
	if outlook.KindOf(err) == outlook.SyncLost && from != "" {
		return r.store(ctx, 0, func(tx *store.Tx, state *model.ImportState) error { return restart(tx, link, state) })
	}
	if err != nil {
		return err
	}
	over, err := ended(got.Next, got.Delta, from)
	if err != nil {
		return err
	}
	return r.store(ctx, page.take(got.Groups), func(tx *store.Tx, state *model.ImportState) error {
		return page.store(tx, state, got, over)
	})
}

// restart has a delta read from the beginning, under a new mark: what was read before does not say who is still there.
func restart(tx *store.Tx, link *model.ImportLink, state *model.ImportState) error {
	state.Mark++
	link.Link, link.Next, link.Mark = "", "", state.Mark
	return tx.UpdateImportLink(link)
}

// groupsRead is a page of a delta of groups.
type groupsRead struct {
	round    *importRound
	link     model.ImportLink
	byObject map[string]*model.ImportGroup
	changed  map[string]bool // by object id
	members  map[model.ImportMember]bool
	returned bool // a group is back that was gone
}

// take makes of a page what it says in the end: a group may come more than once, and somebody may have joined and left. It says how
// much came.
func (p *groupsRead) take(groups []entra.Group) int {
	p.changed, p.members = map[string]bool{}, map[model.ImportMember]bool{}
	n := 0
	for i := range groups {
		g := &groups[i]
		known := p.byObject[g.ID]
		if known == nil {
			continue
		}
		n++
		p.changed[g.ID] = true
		if g.Removed != entra.Kept {
			known.NewGone = "deleted in Entra"
			continue
		}
		if known.NewGone != "" {
			p.returned = true
		}
		known.NewName, known.NewGone, known.Seen = groupName(g), "", p.link.Mark
		for _, m := range g.Members {
			if m.ID == "" || m.Type != entra.MemberUser && m.Type != entra.MemberGroup {
				continue
			}
			known.Touched = p.round.state.Round
			p.members[model.ImportMember{GroupID: known.GroupID, Member: clean(m.ID), Nested: m.Type == entra.MemberGroup}] = !m.Removed
			n++
		}
	}
	return n
}

func groupName(g *entra.Group) string {
	name := cmp.Or(clean(g.DisplayName), clean(g.ID))
	if cut := []rune(name); len(cut) > maxNameLength {
		name = string(cut[:maxNameLength])
	}
	return name
}

func (p *groupsRead) store(tx *store.Tx, state *model.ImportState, got entra.GroupPage, over bool) error {
	link, ref := p.link, p.round.ref
	var joined, left []model.ImportMember
	for m, there := range p.members {
		if there {
			joined = append(joined, m)
		} else {
			left = append(left, m)
		}
	}
	inOrder(joined)
	inOrder(left)
	for part := range slices.Chunk(joined, membersAtOnce) {
		tx.StageMembers(ref, state.Round, link.Mark, part, nil)
	}
	for part := range slices.Chunk(left, membersAtOnce) {
		tx.StageMembers(ref, state.Round, link.Mark, nil, part)
	}
	if p.returned && link.Mark == 0 {
		// What happened to its members meanwhile is not told.
		if err := p.update(tx); err != nil {
			return err
		}
		return restart(tx, &link, state)
	}
	link.Next = got.Next
	if over {
		now := tx.Now()
		p.sweep(tx)
		link.Link, link.Next, link.LinkedAt, link.Ended = got.Delta, "", &now, state.Round
	}
	if err := p.update(tx); err != nil {
		return err
	}
	return tx.UpdateImportLink(&link)
}

// membersAtOnce is how many members one statement stores.
const membersAtOnce = 1000

func inOrder(list []model.ImportMember) {
	slices.SortFunc(list, func(a, b model.ImportMember) int {
		return cmp.Or(cmp.Compare(a.GroupID, b.GroupID), cmp.Compare(a.Member, b.Member))
	})
}

func (p *groupsRead) update(tx *store.Tx) error {
	list := make([]model.ImportGroup, 0, len(p.changed))
	for id := range p.changed {
		list = append(list, *p.byObject[id])
	}
	slices.SortFunc(list, func(a, b model.ImportGroup) int { return cmp.Compare(a.ObjectID, b.ObjectID) })
	tx.UpdateImportGroups(list)
	return nil
}

// sweep ends a reading from the beginning: groups and members that it has not found are not there.
func (p *groupsRead) sweep(tx *store.Tx) {
	if p.link.Mark == 0 {
		return
	}
	var ids []string
	for id, g := range p.byObject {
		ids = append(ids, g.GroupID)
		g.Touched, p.changed[id] = p.round.state.Round, true
		if g.Seen != p.link.Mark && g.NewGone == "" {
			g.NewGone = "not found in Entra"
		}
	}
	tx.SweepMembers(p.round.ref, p.round.state.Round, ids, p.link.Mark)
}

// nest has nested groups read that are not read yet. When there are none, it goes on to users.
func (r *importRound) nest(ctx context.Context, view importView) error {
	missing := r.nestedToRead(view)
	return r.store(ctx, 0, func(tx *store.Tx, state *model.ImportState) error {
		if len(missing) > 0 {
			return r.addGroups(tx, state, false, missing)
		}
		state.Stage, state.Cursor = model.ImportUsers, ""
		return nil
	})
}

// nestedToRead gives the object ids of groups that are nested in groups that count, and are not read yet.
func (r *importRound) nestedToRead(view importView) []string {
	if !r.settings.Integration.NestedGroups {
		return nil
	}
	read, within := map[string]bool{}, map[string]bool{}
	for i := range view.groups {
		read[view.groups[i].ObjectID] = true
	}
	for _, id := range view.nesting.within(rootsOf(view)) {
		within[id] = true
	}
	var missing []string
	for _, e := range view.edges {
		if !e.Leaving && within[e.GroupID] && !read[e.Member] {
			read[e.Member] = true
			missing = append(missing, e.Member)
		}
	}
	return missing
}

// rootsOf gives the ids of the groups that the settings name and that are there.
func rootsOf(view importView) []string {
	var roots []string
	for i := range view.groups {
		if _, there := view.nesting.groups[view.groups[i].GroupID]; there && view.groups[i].Root {
			roots = append(roots, view.groups[i].GroupID)
		}
	}
	return roots
}
