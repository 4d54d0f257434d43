package directory

import (
	"context"
	"io"
	"slices"

	"usher/model"
	"usher/model/entra"
	"usher/model/store"
)

// maxLists bounds the distribution lists of an integration.
const maxLists = 1_000

// DistributionLists gives the distribution lists of an integration.
func (s *Service) DistributionLists(ctx context.Context, ref model.Ref) ([]model.List, error) {
	read := s.Store.Read(ctx)
	if _, err := read.Integration(ref); err != nil {
		return nil, err
	}
	return read.ListsOf(ref)
}

// ChosenLists gives the groups that are lists as they are chosen. Its version is that of the choice.
func ChosenLists(lists []model.List) []model.GroupSelector {
	chosen := make([]model.GroupSelector, len(lists))
	for i := range lists {
		chosen[i] = model.GroupSelector{ExternalID: lists[i].ExternalID}
	}
	return chosen
}

// ChangeDistributionLists edits which groups are the distribution lists of an integration, and gives the lists as they are then. edit
// has them by object id alone. A group of sent that is no list yet is looked for in Entra before: one that is not there, has no
// address, or is not the only one of its name (*AmbiguousGroup) is Invalid. A new list is pending until an import has read its members.
func (s *Service) ChangeDistributionLists(ctx context.Context, ref model.Ref, sent []model.GroupSelector, edit ListEdit[model.GroupSelector]) ([]model.List, error) {
	if len(sent) > maxLists {
		return nil, model.Errorf(model.TooLarge, "an integration has at most %d lists", maxLists)
	}
	if err := ValidateChosenGroups(sent); err != nil {
		return nil, err
	}
	known, err := s.DistributionLists(ctx, ref)
	if err != nil {
		return nil, err
	}
	groups, found, err := s.lookUpLists(ctx, ref, sent, known)
	if err != nil {
		return nil, err
	}
	var lists []model.List
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		w, err := s.listEdit(ctx, tx, ref)
		if err != nil {
			return err
		}
		after, err := edit(ChosenLists(w.lists), found)
		if err != nil {
			return err
		}
		if err := w.become(after, groups); err != nil {
			return err
		}
		lists, err = tx.ListsOf(ref)
		return err
	})
	if err != nil {
		return nil, err
	}
	return lists, nil
}

// become makes the lists those that are named: groups has those that may be new.
func (w *listEdit) become(after []model.GroupSelector, groups []entra.Group) error {
	if err := ValidateChosenGroups(after); err != nil {
		return err
	}
	stay := map[string]bool{}
	for _, g := range after {
		stay[g.ExternalID] = true
	}
	var kept []model.List
	for i := range w.lists {
		if l := &w.lists[i]; stay[l.ExternalID] {
			delete(stay, l.ExternalID)
			kept = append(kept, *l)
		} else if err := w.remove(l, "it is no longer chosen as a list"); err != nil {
			return err
		}
	}
	w.lists = kept
	fresh := slices.DeleteFunc(slices.Clone(groups), func(g entra.Group) bool { return !stay[g.ID] })
	if len(fresh) < len(stay) {
		return model.Errorf(model.Conflict, "somebody else has taken a group out of the lists meanwhile: look again, and repeat the change")
	}
	return w.add(fresh)
}

// lookUpLists gives what the list names by object id, and the groups that are no lists yet, which it finds.
func (s *Service) lookUpLists(ctx context.Context, ref model.Ref, list []model.GroupSelector, known []model.List) ([]entra.Group, []model.GroupSelector, error) {
	named, isList := map[string]bool{}, map[string]bool{}
	for i := range known {
		isList[known[i].ExternalID] = true
	}
	found := make([]model.GroupSelector, len(list))
	var unknown []model.GroupSelector
	var places []int
	for i, g := range list {
		if g.ExternalID = objectID(g.ExternalID); isList[g.ExternalID] {
			named[g.ExternalID], found[i].ExternalID = true, g.ExternalID
			continue
		}
		unknown, places = append(unknown, g), append(places, i)
	}
	if len(unknown) == 0 {
		return nil, found, nil
	}
	tenant, err := s.listsTenant(ctx, ref)
	if err != nil {
		return nil, nil, err
	}
	answers, err := groupSearch{tenant: tenant, lists: true}.all(ctx, unknown)
	if err != nil {
		return nil, nil, err
	}
	var groups []entra.Group
	for n, i := range places {
		if err := answers[n].entry(i); err != nil {
			return nil, nil, err
		}
		g := answers[n].group
		if named[g.ID] {
			return nil, nil, entryError(model.Invalid, entryName(i), "", "group %q stands in the list already", g.DisplayName)
		}
		named[g.ID], found[i].ExternalID = true, g.ID
		groups = append(groups, g)
	}
	return groups, found, nil
}

// listsTenant is reader for an integration whose imports read lists.
func (s *Service) listsTenant(ctx context.Context, ref model.Ref) (TenantReader, error) {
	entry, err := s.Lists(ctx, ref)
	if err != nil {
		return nil, err
	}
	if entry.Integration.Ingress != model.IngressGraph {
		return nil, notImported(entry.Integration, "importing lists")
	}
	return s.reader(ctx, ref)
}

// AddDistributionLists adds the lists that a file names: one display name, or object id, a line. What it cannot tell is in
// Problems, and the rest is added all the same; dry changes nothing.
func (s *Service) AddDistributionLists(ctx context.Context, ref model.Ref, file io.Reader, dry bool) (GroupFile, error) {
	if _, err := s.listsTenant(ctx, ref); err != nil {
		return GroupFile{}, err
	}
	out, groups, err := s.readGroups(ctx, ref, file, true)
	if err != nil || len(groups) == 0 {
		return out, err
	}
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		w, err := s.listEdit(ctx, tx, ref)
		if err != nil {
			return err
		}
		out.Added = []GroupCandidate{}
		isList := map[string]bool{}
		for i := range w.lists {
			isList[w.lists[i].ExternalID] = true
		}
		var fresh []entra.Group
		for i := range groups {
			if !isList[groups[i].ID] {
				fresh, out.Added = append(fresh, groups[i]), append(out.Added, candidateOf(&groups[i]))
			}
		}
		out.Unchanged = len(groups) - len(fresh)
		if dry {
			return nil
		}
		return w.add(fresh)
	})
	return out, err
}

// listEdit is a change of the distribution lists of an integration.
type listEdit struct {
	svc   *Service
	ctx   context.Context
	tx    *store.Tx
	ref   model.Ref
	name  string // of the integration
	lists []model.List
}

// listEdit begins a change, and keeps others from making one.
func (s *Service) listEdit(ctx context.Context, tx *store.Tx, ref model.Ref) (*listEdit, error) {
	if err := tx.LockLists(ref); err != nil {
		return nil, err
	}
	i, err := tx.Integration(ref)
	if err != nil {
		return nil, err
	}
	lists, err := tx.ListsOf(ref)
	return &listEdit{svc: s, ctx: ctx, tx: tx, ref: ref, name: i.Name, lists: lists}, err
}

// add makes lists of groups that are none.
func (w *listEdit) add(groups []entra.Group) error {
	known := map[string]bool{}
	for i := range w.lists {
		known[w.lists[i].ExternalID] = true
	}
	added := 0
	for i := range groups {
		g := &groups[i]
		if known[g.ID] {
			continue // another request was first
		}
		if len(w.lists)+added >= maxLists {
			return model.Errorf(model.TooLarge, "an integration has at most %d lists", maxLists)
		}
		known[g.ID] = true
		l := model.List{
			OrganizationID: w.ref.OrganizationID, IntegrationID: w.ref.IntegrationID, ExternalID: g.ID, DisplayName: g.DisplayName, Email: g.Mail,
			Kind: model.ListKind(groupKind(g)), State: model.ListPending,
		}
		w.tx.InsertList(&l)
		added++
		if err := w.tell(model.ListCreated, &l, []model.FieldChange{}); err != nil {
			return err
		}
		if err := w.log(&l, "list.created", "list "+l.DisplayName+" was added; the next import reads its members"); err != nil {
			return err
		}
	}
	return nil
}

func (w *listEdit) remove(l *model.List, why string) error {
	w.tx.DeleteList(l)
	if err := w.tell(model.ListDeleted, l, []model.FieldChange{}); err != nil {
		return err
	}
	return w.log(l, "list.deleted", "list "+l.DisplayName+" was removed: "+why)
}

func (w *listEdit) tell(kind model.ChangeType, l *model.List, changes []model.FieldChange) error {
	return w.tx.Tell(model.Change{
		OrganizationID: w.ref.OrganizationID, Type: kind, IntegrationID: &w.ref.IntegrationID, SubjectType: "list", SubjectID: l.ID,
		Actor: ActorOf(w.ctx),
	}, listData{l, changes})
}

// listData is what a change of a list carries: the list as it is now, and what changed of it.
type listData struct {
	List    *model.List         `json:"list"`
	Changes []model.FieldChange `json:"changes"`
}

func (w *listEdit) log(l *model.List, action, summary string) error {
	return w.svc.logSetting(w.ctx, w.tx, w.ref.OrganizationID, &w.ref.IntegrationID, action, "list", l.ID, l.DisplayName, summary,
		map[string]any{"external_id": l.ExternalID, "email": l.Email, "kind": l.Kind})
}

// removeLists tells that the lists of an integration go with it; the rows go with the integration's.
func (s *Service) removeLists(ctx context.Context, tx *store.Tx, ref model.Ref) error {
	w, err := s.listEdit(ctx, tx, ref)
	if err != nil {
		return err
	}
	for i := range w.lists {
		if err := w.remove(&w.lists[i], "integration "+w.name+" was removed"); err != nil {
			return err
		}
	}
	return nil
}

// ListMembers gives a page of the accounts that are members of a distribution list, in the order of their ids. A list that no
// import has read yet has none.
func (s *Service) ListMembers(ctx context.Context, organizationID, id, after string, limit int) ([]store.ListMember, error) {
	read := s.Store.Read(ctx)
	l, err := read.List(organizationID, id)
	if err != nil {
		return nil, err
	}
	groups, err := read.GroupsByExternalID(model.Ref{OrganizationID: l.OrganizationID, IntegrationID: l.IntegrationID}, []string{l.ExternalID})
	if err != nil {
		return nil, err
	}
	groups = append(groups, model.DirectoryGroup{})
	return read.ListMembersAfter(groups[0], after, limit)
}
