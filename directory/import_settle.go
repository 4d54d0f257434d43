package directory

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"usher/model"
	"usher/model/store"
)

// settle lets the round count: it finds out whom the run has to look at. It is one transaction, so that what was read counts as a
// whole or not at all.
func (r *importRound) settle(ctx context.Context) (bool, error) {
	err := r.store(ctx, 0, func(tx *store.Tx, state *model.ImportState) error {
		view, err := r.view(&tx.Reader)
		if err != nil {
			return err
		}
		if state.UsersMode != model.ImportChanges {
			tx.SweepUsers(r.ref, state.UsersMark)
			state.FullAt = new(tx.Now())
		}
		tx.SettleUsers(r.ref, r.scopeOf(view))
		mirror, err := mirrorNesting(&tx.Reader, r.ref)
		if err != nil {
			return err
		}
		dropped := droppedGroups(view, r.settings.Integration.NestedGroups)
		anew, err := r.anew(tx, view)
		if err != nil {
			return err
		}
		tx.Concern(r.ref, state.Round, r.touched(view), r.changedGroups(view, mirror, dropped), anew)
		tx.DeleteImportGroups(r.ref, dropped)
		tx.DeleteImportLinks(r.ref)
		tx.SettleMembers(r.ref, state.Round)
		state.Stage, state.Cursor, state.Reach = model.ImportIdle, "", condensed(view.reach)
		state.FinishedAt = new(tx.Now())
		return nil
	})
	if err == nil && r.run.Progress.Done > 1000 {
		err = r.svc.Store.AnalyzeImport(ctx) // all that was incoming has come
	}
	return err == nil, err
}

// droppedGroups gives the ids of groups that the settings no longer name, and that are nested in none that they name.
func droppedGroups(view importView, nested bool) []string {
	var within []string
	if nested {
		within = view.nesting.within(rootsOf(view))
	}
	var dropped []string
	for i := range view.groups {
		g := &view.groups[i]
		if _, found := slices.BinarySearch(within, g.GroupID); !g.Root && !found {
			dropped = append(dropped, g.GroupID)
		}
	}
	return dropped
}

// changedGroups gives the ids of groups whose members are concerned although they stayed members: the group is not in the mirror as
// it was read, or the groups that it is nested in are not.
func (r *importRound) changedGroups(view importView, mirror *nesting, dropped []string) []string {
	now := view.nesting
	signature := func(n *nesting, id string) string {
		g, ok := n.groups[id]
		if !ok {
			return ""
		}
		if !r.settings.Integration.NestedGroups {
			return g.DisplayName
		}
		text := ""
		for _, outer := range n.above([]model.GroupRef{g}) {
			text += outer.ID + " " + outer.Name() + "\n"
		}
		return text
	}
	seen := map[string]bool{}
	var changed []string
	look := func(id string) {
		if !seen[id] && (signature(now, id) != signature(mirror, id) || slices.Contains(dropped, id)) {
			changed = append(changed, id)
		}
		seen[id] = true
	}
	for id := range now.groups {
		look(id)
	}
	for id := range mirror.groups {
		look(id)
	}
	slices.Sort(changed)
	return changed
}

// anew gives the ids of the groups that the round has read from the beginning: of those it is not told who has left.
func (r *importRound) anew(tx *store.Tx, view importView) ([]string, error) {
	links, err := tx.ImportLinks(r.ref)
	if err != nil {
		return nil, err
	}
	begun := map[string]bool{}
	for i := range links {
		begun[links[i].ID] = links[i].Mark > 0
	}
	var ids []string
	for i := range view.groups {
		if begun[view.groups[i].LinkID] {
			ids = append(ids, view.groups[i].GroupID)
		}
	}
	return ids, nil
}

// touched gives the ids of the groups of which the round has read members.
func (r *importRound) touched(view importView) []string {
	var ids []string
	for i := range view.groups {
		if view.groups[i].Touched == r.state.Round {
			ids = append(ids, view.groups[i].GroupID)
		}
	}
	return ids
}

// condensed makes one short text of many.
func condensed(list []string) string {
	list = slices.Clone(list)
	slices.Sort(list)
	sum := sha256.Sum256([]byte(strings.Join(list, " ")))
	return hex.EncodeToString(sum[:])
}

// distinct gives each text once, in order.
func distinct(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}
