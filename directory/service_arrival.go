package directory

import (
	"context"
	"slices"
	"strings"

	"usher/model"
	"usher/model/store"
)

// newcomer is what groups may await a user as.
func newcomer(u *model.DirectoryUser) store.Newcomer {
	return store.Newcomer{ExternalID: u.ExternalID, UserNameKey: u.UserNameKey}
}

// expected gives the groups that await the user, and adds them to its groups, so that the rules decide about it as about a
// member.
func (w *settlement) expected(u *model.DirectoryUser) ([]store.Awaiting, error) {
	awaiting, err := w.tx.Awaiting(w.ref, newcomer(u), u.ID)
	if err != nil || len(awaiting) == 0 {
		return nil, err
	}
	groups := slices.Clone(w.facts.Groups[u.ID])
	for i := range awaiting {
		ref := refOf(&awaiting[i].Group)
		if !slices.ContainsFunc(groups, func(g model.GroupRef) bool { return g.ID == ref.ID }) {
			groups = append(groups, ref)
		}
	}
	slices.SortFunc(groups, func(a, b model.GroupRef) int { return strings.Compare(a.ID, b.ID) })
	w.facts.Groups[u.ID] = groups
	return awaiting, nil
}

// renamed is expected for a user that is there and got another externalId or userName.
func (w *settlement) renamed(before, u *model.DirectoryUser) ([]store.Awaiting, error) {
	if u.ExternalID == before.ExternalID && u.UserNameKey == before.UserNameKey {
		return nil, nil
	}
	if awaited, err := w.tx.HoldRenamed(w.ref, newcomer(u)); err != nil || !awaited {
		return nil, err
	}
	return w.expected(u)
}

// admitUser makes a user that is stored and settled a member of the groups that awaited it.
func (w *settlement) admitUser(u *model.DirectoryUser, awaiting []store.Awaiting) error {
	return w.svc.admit(w.ctx, w.tx, w.ref, model.Member{ID: u.ID, Type: model.MemberUser, Display: u.DisplayName}, u.Name(), awaiting)
}

// admitGroup makes a group a member of the groups that awaited it. That changes nobody's roles: the rules look at direct
// memberships alone.
func (s *Service) admitGroup(ctx context.Context, tx *store.Tx, g *model.DirectoryGroup, who store.Newcomer) error {
	awaiting, err := tx.Awaiting(g.Ref(), who, g.ID)
	if err != nil {
		return err
	}
	return s.admit(ctx, tx, g.Ref(), model.Member{ID: g.ID, Type: model.MemberGroup, Display: g.DisplayName}, g.DisplayName, awaiting)
}

// admit tells of every group that a newcomer became a member of.
func (s *Service) admit(ctx context.Context, tx *store.Tx, ref model.Ref, who model.Member, name string, awaiting []store.Awaiting) error {
	groups, err := tx.Admit(ref, who, awaiting)
	if err != nil {
		return err
	}
	for i := range groups {
		e := groupEdit{svc: s, ctx: ctx, tx: tx, ref: ref, group: &groups[i]}
		if err := e.tellMembers(model.MembershipAdded, []model.Member{who}); err != nil {
			return err
		}
		if err := e.log("directory_group.updated", name+", whom group "+groups[i].DisplayName+" awaited, is a member of it now"); err != nil {
			return err
		}
	}
	return nil
}
