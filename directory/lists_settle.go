package directory

import (
	"context"

	"usher/model"
	"usher/model/store"
)

// settleLists brings the distribution lists up to date with what an import has read and stored in the mirror, and tells what
// changed of them. The import calls it in the transaction that ends it, when people have their accounts. Members are counted of
// the lists that are, or contain, one of the groups whose object ids are given: nil stands for every list, and none for those that
// no import has counted yet. A list has the name of its group, and goes with it.
func (s *Service) settleLists(ctx context.Context, tx *store.Tx, ref model.Ref, changed []string) error {
	w, err := s.listEdit(ctx, tx, ref)
	if err != nil || len(w.lists) == 0 {
		return err
	}
	mirrored, err := w.mirrored()
	if err != nil {
		return err
	}
	gone, err := w.gone()
	if err != nil {
		return err
	}
	around, err := tx.GroupsAround(ref, changed)
	if err != nil {
		return err
	}
	for i := range w.lists {
		l := &w.lists[i]
		g, ok := mirrored[l.ExternalID]
		switch {
		case gone[l.ExternalID] != "":
			err = w.remove(l, "its group is "+gone[l.ExternalID])
		case ok:
			err = w.settle(l, &g, changed == nil || around[l.ExternalID] || l.State == model.ListPending)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// gone says why groups that were read do not count any more, by object id.
func (w *listEdit) gone() (map[string]string, error) {
	groups, err := w.tx.ImportGroups(w.ref)
	why := map[string]string{}
	for i := range groups {
		why[groups[i].ObjectID] = groups[i].Gone
	}
	return why, err
}

// mirrored gives the groups of the mirror that are lists, by object id.
func (w *listEdit) mirrored() (map[string]model.DirectoryGroup, error) {
	ids := make([]string, len(w.lists))
	for i := range w.lists {
		ids[i] = w.lists[i].ExternalID
	}
	groups, err := w.tx.GroupsByExternalID(w.ref, ids)
	byID := make(map[string]model.DirectoryGroup, len(groups))
	for i := range groups {
		byID[groups[i].ExternalID] = groups[i]
	}
	return byID, err
}

// settle brings one list up to date with its group.
func (w *listEdit) settle(l *model.List, g *model.DirectoryGroup, count bool) error {
	before := *l
	l.DisplayName, l.State = g.DisplayName, model.ListReady
	if count {
		var err error
		if l.Members, l.WithoutAccount, l.Fingerprint, err = w.tx.TallyList(*g); err != nil {
			return err
		}
	}
	if attrs, err := g.Document.Parse(); err == nil {
		if mail, ok := lookup(attrs, "mail"); ok && textOf(mail) != "" {
			l.Email = textOf(mail)
		}
	}
	changes := listDifferences(&before, l)
	if len(changes) == 0 {
		return nil
	}
	w.tx.UpdateList(l)
	if err := w.tell(model.ListUpdated, l, changes); err != nil {
		return err
	}
	if before.DisplayName == l.DisplayName {
		return nil
	}
	return w.log(l, "list.renamed", "list "+before.DisplayName+" is called "+l.DisplayName+" now")
}

// listDifferences lists what differs between two states of a list. Members stand among them where others are in it, even if they
// are as many as before.
func listDifferences(before, after *model.List) []model.FieldChange {
	var list []model.FieldChange
	for _, f := range []struct {
		field   string
		was, is any
		differs bool
	}{
		{"display_name", before.DisplayName, after.DisplayName, false},
		{"email", before.Email, after.Email, false},
		{"state", before.State, after.State, false},
		{"members", before.Members, after.Members, before.Fingerprint != after.Fingerprint && before.State == model.ListReady},
		{"without_account", before.WithoutAccount, after.WithoutAccount, false},
	} {
		if f.differs || f.was != f.is {
			list = append(list, model.FieldChange{Field: f.field, Before: f.was, After: f.is})
		}
	}
	return list
}
