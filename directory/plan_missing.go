package directory

import (
	"context"
	"slices"
	"strings"

	"usher/model"
	"usher/model/store"
)

// missingGroups gives the mapped and chosen groups that the mirror has and the tenant, as it was read, has not, or has without
// members where the mirror has some. Once the import is applied the mirror is as the tenant, so that each is told of once.
func (m importSource) missingGroups(_ context.Context, tx *store.Tx) ([]model.MissingGroup, error) {
	wanted, err := m.svc.groupsToRead(&tx.Reader, m.ref)
	if err != nil {
		return nil, err
	}
	mirror, err := m.mirrorGroups(tx)
	if err != nil {
		return nil, err
	}
	staged, err := tx.ImportGroups(m.ref)
	if err != nil {
		return nil, err
	}
	var list []model.MissingGroup
	var ids []string
	for _, g := range wanted {
		if !g.Chosen && !g.Mapped {
			continue
		}
		id, gone, found := lost(g, staged, mirror)
		if !found {
			continue
		}
		use := "mapped"
		if g.Chosen {
			use = "chosen"
		}
		is := mirror[id]
		list = append(list, model.MissingGroup{ExternalID: is.ExternalID, DisplayName: is.DisplayName, Use: use, Gone: gone})
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	members, err := tx.CountMembers(m.ref, ids)
	if err != nil {
		return nil, err
	}
	kept := list[:0]
	for i, g := range list {
		if g.Members = members[ids[i]]; g.Gone || g.Members > 0 {
			kept = append(kept, g)
		}
	}
	return kept, nil
}

// lost finds the group of the mirror that the settings name and the tenant has lost, or has without members.
func lost(wanted groupToRead, staged []model.ImportGroup, mirror map[string]model.DirectoryGroup) (id string, gone, found bool) {
	if wanted.ExternalID == "" { // no group has that name any more; the mirror may know one that had
		for id, g := range mirror {
			if strings.EqualFold(model.Fold(g.DisplayName), model.Fold(wanted.Name)) {
				return id, true, true
			}
		}
		return "", false, false
	}
	i := slices.IndexFunc(staged, func(g model.ImportGroup) bool { return g.ObjectID == wanted.ExternalID })
	if i < 0 {
		return "", false, false
	}
	g := &staged[i]
	if _, there := mirror[g.GroupID]; !there {
		return "", false, false
	}
	return g.GroupID, g.Gone != "", g.Gone != "" || g.Members == 0
}
