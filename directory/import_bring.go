package directory

import (
	"context"
	"slices"
	"strings"

	"usher/model"
	"usher/model/store"
)

// groupSchema is the schema of a group (RFC 7643 §4.2).
const groupSchema = "urn:ietf:params:scim:schemas:core:2.0:Group"

// bringGroups makes the groups of the mirror those that were read: new ones, renamed ones, and which is a member of which. Groups that
// are gone stay until nobody is a member of them any more.
func (m importSource) bringGroups(ctx context.Context, tx *store.Tx) error {
	if _, err := tx.HoldSettings(m.ref.OrganizationID); err != nil {
		return err
	}
	read, err := tx.ImportGroups(m.ref)
	if err != nil {
		return err
	}
	mirror, err := m.mirrorGroups(tx)
	if err != nil {
		return err
	}
	b := bringing{importSource: m, ctx: ctx, tx: tx, mirror: mirror, taken: map[string]string{}}
	for _, g := range mirror {
		b.taken[g.DisplayNameKey] = g.ID
	}
	var changed []model.ImportGroup
	var renamed []string
	for i := range read {
		g := &read[i]
		is, there := mirror[g.GroupID]
		if g.Gone != "" || g.DisplayName == "" || there && is.DisplayName == g.DisplayName {
			continue
		}
		changed = append(changed, *g)
		if there {
			renamed = append(renamed, g.GroupID)
			delete(b.taken, is.DisplayNameKey)
		}
	}
	tx.FreeGroupNames(m.ref, renamed)
	for i := range changed {
		if err := b.bring(&changed[i]); err != nil {
			return err
		}
	}
	return b.nest()
}

// bringing brings groups into the mirror.
type bringing struct {
	importSource
	ctx    context.Context
	tx     *store.Tx
	mirror map[string]model.DirectoryGroup // by id
	taken  map[string]string               // by key: the group that has the name
}

func (m importSource) mirrorGroups(tx *store.Tx) (map[string]model.DirectoryGroup, error) {
	groups := map[string]model.DirectoryGroup{}
	after := ""
	for {
		page, err := tx.DirectoryGroupsAfter(m.ref, after, settlePage)
		if err != nil {
			return nil, err
		}
		for i := range page {
			groups[page[i].ID] = page[i]
			after = page[i].ID
		}
		if len(page) < settlePage {
			return groups, nil
		}
	}
}

// bring makes one group what was read of it. Entra lets several groups have one name; in the mirror the first of them can be found by
// it.
func (b *bringing) bring(read *model.ImportGroup) error {
	g, there := b.mirror[read.GroupID]
	if !there {
		g = model.DirectoryGroup{ID: read.GroupID, OrganizationID: b.ref.OrganizationID, IntegrationID: b.ref.IntegrationID}
	}
	was := g.DisplayName
	g.Document = model.NewDocument(map[string]any{
		"schemas": []any{groupSchema}, "displayName": read.DisplayName, "externalId": read.ObjectID,
	})
	if err := IndexGroup(&g); err != nil {
		return err
	}
	if holder := b.taken[g.DisplayNameKey]; holder != "" && holder != g.ID {
		g.DisplayNameKey = "~" + g.ID
	}
	b.taken[g.DisplayNameKey] = g.ID
	b.mirror[g.ID] = g
	e := groupEdit{svc: b.svc, ctx: b.ctx, tx: b.tx, ref: b.ref, group: &g}
	if !there {
		if err := b.tx.InsertDirectoryGroup(&g); err != nil {
			return err
		}
		if err := e.tell(model.DirectoryGroupCreated); err != nil {
			return err
		}
		return e.log("directory_group.created", "group "+g.DisplayName+" was imported")
	}
	if err := b.tx.UpdateDirectoryGroup(&g); err != nil {
		return err
	}
	if err := e.tell(model.DirectoryGroupUpdated); err != nil {
		return err
	}
	return e.log("directory_group.updated", "group "+was+" was renamed to "+g.DisplayName)
}

// nest stores which groups are members of which.
func (b *bringing) nest() error {
	is, err := b.nestingOf(b.tx, true)
	if err != nil {
		return err
	}
	read, err := b.nestingOf(b.tx, false)
	if err != nil {
		return err
	}
	var added, removed []store.Membership
	for id := range is.groups {
		member := model.Member{ID: id, Type: model.MemberGroup, Display: is.groups[id].DisplayName}
		had, has := is.of(is.outer[id]), is.of(read.outer[id])
		added = append(added, memberships(has, had, member)...)
		removed = append(removed, memberships(had, has, member)...)
	}
	inOrderOfGroups(added)
	inOrderOfGroups(removed)
	b.tx.RemoveMemberships(b.ref, removed)
	b.tx.AddMemberships(b.ref, added)
	if err := b.tellMemberships(b.ctx, b.tx, is.groups, model.MembershipAdded, added); err != nil {
		return err
	}
	return b.tellMemberships(b.ctx, b.tx, is.groups, model.MembershipRemoved, removed)
}

func inOrderOfGroups(list []store.Membership) {
	slices.SortFunc(list, func(a, b store.Membership) int { return strings.Compare(a.GroupID+a.Member.ID, b.GroupID+b.Member.ID) })
}

// dropGroups takes groups out of the mirror that are gone or are not read any more, once nobody is a member of them.
func (m importSource) dropGroups(ctx context.Context, tx *store.Tx) error {
	read, err := tx.ImportGroups(m.ref)
	if err != nil {
		return err
	}
	if len(read) == 0 {
		return nil // what was read was thrown away meanwhile
	}
	kept := map[string]bool{}
	for i := range read {
		kept[read[i].GroupID] = read[i].Gone == ""
	}
	mirror, err := m.mirrorGroups(tx)
	if err != nil {
		return err
	}
	var gone []string
	for id := range mirror {
		if !kept[id] {
			gone = append(gone, id)
		}
	}
	slices.Sort(gone)
	members, err := tx.CountMembers(m.ref, gone)
	if err != nil {
		return err
	}
	for _, id := range gone {
		if members[id] > 0 {
			continue
		}
		g := mirror[id]
		tx.DeleteDirectoryGroup(&g)
		e := groupEdit{svc: m.svc, ctx: ctx, tx: tx, ref: m.ref, group: &g}
		if err := e.tell(model.DirectoryGroupDeleted); err != nil {
			return err
		}
		if err := e.log("directory_group.deleted", "group "+g.DisplayName+" is not imported any more"); err != nil {
			return err
		}
	}
	return nil
}
