package directory

import (
	"context"
	"fmt"
	"slices"

	"usher/model"
	"usher/model/store"
)

// Group reads one directory group without its members.
func (s *Service) Group(ctx context.Context, ref model.Ref, id string) (model.DirectoryGroup, error) {
	return s.Store.Read(ctx).DirectoryGroup(ref, id)
}

// GroupWithMembers reads one directory group and its members, in the order of their ids: at most so many.
func (s *Service) GroupWithMembers(ctx context.Context, ref model.Ref, id string, most int) (model.DirectoryGroup, []model.Member, error) {
	return s.Store.Read(ctx).GroupWithMembers(ref, id, most)
}

// Groups reads a page of the directory groups that a filter matches, and how many match in all.
func (s *Service) Groups(ctx context.Context, ref model.Ref, q model.ResourceQuery) ([]model.DirectoryGroup, int, error) {
	return s.Store.Read(ctx).Groups(ref, q)
}

// Members reads the members of each group, in the order of the ids of groups and then of members: at most so many in all,
// where most is not 0.
func (s *Service) Members(ctx context.Context, ref model.Ref, groupIDs []string, most int) (map[string][]model.Member, error) {
	return s.Store.Read(ctx).Members(ref, groupIDs, most)
}

// CountMembers counts the members of each group.
func (s *Service) CountMembers(ctx context.Context, ref model.Ref, groupIDs []string) (map[string]int, error) {
	return s.Store.Read(ctx).CountMembers(ref, groupIDs)
}

// GroupsOf reads the groups that each user is a direct member of: at most so many in all, where most is not 0.
func (s *Service) GroupsOf(ctx context.Context, ref model.Ref, userIDs []string, most int) (map[string][]model.GroupRef, error) {
	return s.Store.Read(ctx).GroupsOf(ref, userIDs, most)
}

// CountGroupsOf counts the groups that each user is a direct member of.
func (s *Service) CountGroupsOf(ctx context.Context, ref model.Ref, userIDs []string) (map[string]int, error) {
	return s.Store.Read(ctx).CountGroupsOf(ref, userIDs)
}

// settleAtOnce is how many people one request settles in its own transaction; what concerns more is left to a run.
const settleAtOnce = 20000

// settlePage is how many people of one request are read and settled together: enough to spare round trips, few enough that
// several such requests at once stay small in memory.
const settlePage = 100

// CreateGroup stores a new directory group, of which Document alone is read, with members. A taken displayName is a
// Conflict. Members that are no user or group of the integration are remembered until they arrive.
func (s *Service) CreateGroup(ctx context.Context, ref model.Ref, in model.DirectoryGroup, members []string) (model.DirectoryGroup, error) {
	var out model.DirectoryGroup
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		g := model.DirectoryGroup{OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID, Document: in.Document}
		if err := IndexGroup(&g); err != nil {
			return err
		}
		who := store.Newcomer{ExternalID: g.ExternalID}
		rules, awaited, err := s.holdRules(tx, ref, who)
		if err != nil {
			return err
		}
		if err := tx.InsertDirectoryGroup(&g); err != nil {
			return err
		}
		e := groupEdit{svc: s, ctx: ctx, tx: tx, ref: ref, rules: rules, group: &g}
		if err := e.tell(model.DirectoryGroupCreated); err != nil {
			return err
		}
		if len(members) > 0 {
			if err := e.apply([]model.MemberOp{{Kind: model.MembersAdd, IDs: members}}); err != nil {
				return err
			}
		}
		if g.PendingMembers > 0 {
			tx.StorePendingMembers(&g)
		}
		if err := e.finish("directory_group.created", "group "+g.DisplayName+" arrived", false); err != nil {
			return err
		}
		out = g
		if !awaited {
			return nil
		}
		return s.admitGroup(ctx, tx, &g, who)
	})
	return out, err
}

// holdRules holds the settings for a group that arrives, and gives the rules, if the integration is still there, and
// whether groups may await it.
func (s *Service) holdRules(tx *store.Tx, ref model.Ref, who store.Newcomer) (*Rules, bool, error) {
	version, awaited, err := tx.HoldArrival(ref, who)
	if err != nil {
		return nil, false, err
	}
	rules, err := s.rulesOf(tx, ref, version)
	return rules, awaited, err
}

// lockGroup is holdRules together with the group, locked, and the first of the steps that are going to be taken.
func (s *Service) lockGroup(tx *store.Tx, ref model.Ref, id string, steps []model.MemberOp) (model.DirectoryGroup, *Rules, error) {
	g, version, err := tx.LockGroup(ref, id, steps)
	if err != nil {
		return g, nil, err
	}
	rules, err := s.rulesOf(tx, ref, version)
	return g, rules, err
}

func (s *Service) rulesOf(tx *store.Tx, ref model.Ref, version int64) (*Rules, error) {
	rules, err := s.rules(tx, ref.OrganizationID, version)
	if err != nil {
		return nil, err
	}
	_, err = rules.integration(ref)
	return rules, err
}

// ChangeGroup runs edit on the group inside the transaction, with its row locked; edit may replace Document, and gives the
// steps by which the members change. Without an effective change nothing is written.
func (s *Service) ChangeGroup(ctx context.Context, ref model.Ref, id string, edit func(*model.DirectoryGroup) ([]model.MemberOp, error)) (model.DirectoryGroup, error) {
	return s.changeGroup(ctx, ref, func(tx *store.Tx) (model.DirectoryGroup, *Rules, error) { return s.lockGroup(tx, ref, id, nil) }, edit)
}

// ChangeMembers is ChangeGroup for steps that are known before the group is, which spares a round trip. check sees the
// group inside the transaction; its error changes nothing and is given back as it is. brief says that check looks at no more than
// the group's names, and that nobody looks at its Document: that often spares another one.
func (s *Service) ChangeMembers(ctx context.Context, ref model.Ref, id string, steps []model.MemberOp, brief bool, check func(*model.DirectoryGroup) error) (model.DirectoryGroup, error) {
	lock := s.lockGroup
	if brief {
		lock = s.guessGroup
	}
	return s.changeGroup(ctx, ref, func(tx *store.Tx) (model.DirectoryGroup, *Rules, error) { return lock(tx, ref, id, steps) },
		func(g *model.DirectoryGroup) ([]model.MemberOp, error) { return steps, check(g) })
}

// groupLock reads a group that is going to be changed, and gives the rules.
type groupLock func(*store.Tx) (model.DirectoryGroup, *Rules, error)

// guessGroup is lockGroup, without asking where the store may guess.
func (s *Service) guessGroup(tx *store.Tx, ref model.Ref, id string, steps []model.MemberOp) (model.DirectoryGroup, *Rules, error) {
	g, version, ok := tx.GuessGroup(ref, id, steps)
	if !ok {
		return s.lockGroup(tx, ref, id, steps)
	}
	rules, err := s.rulesOf(tx, ref, version)
	return g, rules, err
}

func (s *Service) changeGroup(ctx context.Context, ref model.Ref, lock groupLock, edit func(*model.DirectoryGroup) ([]model.MemberOp, error)) (model.DirectoryGroup, error) {
	var out model.DirectoryGroup
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		before, rules, err := lock(tx)
		if err != nil {
			return err
		}
		g := before
		ops, err := edit(&g)
		if err != nil {
			return err
		}
		e := groupEdit{svc: s, ctx: ctx, tx: tx, ref: ref, rules: rules, group: &g}
		changed := !g.Document.Equal(&before.Document)
		if changed {
			if err := IndexGroup(&g); err != nil {
				return err
			}
		}
		if err := e.apply(ops); err != nil {
			return err
		}
		out = g
		if err := e.store(&before, changed, &out); err != nil || out.ExternalID == before.ExternalID {
			return err
		}
		who := store.Newcomer{ExternalID: out.ExternalID}
		if awaited, err := tx.HoldRenamed(ref, who); err != nil || !awaited {
			return err
		}
		return s.admitGroup(ctx, tx, &out, who)
	})
	return out, err
}

// DeleteGroup removes a directory group; its members are settled, by a run where they are very many. check is that of
// DeleteUser.
func (s *Service) DeleteGroup(ctx context.Context, ref model.Ref, id string, check func(*model.DirectoryGroup) error) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		tx.LockGroupsOf(ref, id)
		g, rules, err := s.lockGroup(tx, ref, id, nil)
		if err != nil {
			return err
		}
		if check != nil {
			if err := check(&g); err != nil {
				return err
			}
		}
		e := groupEdit{svc: s, ctx: ctx, tx: tx, ref: ref, rules: rules, group: &g}
		if rules.GroupMatters(ref.IntegrationID, refOf(&g)) {
			if err := e.concernAll(); err != nil {
				return err
			}
		}
		tx.DeleteDirectoryGroup(&g)
		if err := e.tell(model.DirectoryGroupDeleted); err != nil {
			return err
		}
		if err := e.missing(true, len(e.concerned)); err != nil {
			return err
		}
		return e.finish("directory_group.deleted", "group "+g.DisplayName+" was deleted", true)
	})
}

func refOf(g *model.DirectoryGroup) model.GroupRef {
	return model.GroupRef{ID: g.ID, ExternalID: g.ExternalID, DisplayName: g.DisplayName}
}

// groupEdit is one change of a group and its members within a transaction.
type groupEdit struct {
	svc   *Service
	ctx   context.Context
	tx    *store.Tx
	ref   model.Ref
	rules *Rules
	group *model.DirectoryGroup

	added, removed []model.Member
	concerned      []string // users whose groups changed, where that matters
	tooMany        bool     // more are concerned than one transaction settles

	remembered []string // members that are not known yet
	forgotten  int      // of those remembered before
	passedOver int      // beyond what is remembered
	emptied    int      // members that it had, where all of them were taken at once
}

// apply takes the steps in order and keeps what they did in sum.
func (e *groupEdit) apply(ops []model.MemberOp) error {
	added, removed := map[string]model.Member{}, map[string]model.Member{}
	note := func(list []model.Member, into, against map[string]model.Member) {
		for _, m := range list {
			if _, ok := against[m.ID]; ok {
				delete(against, m.ID)
			} else {
				into[m.ID] = m
			}
		}
	}
	for _, op := range ops {
		var plus, minus []model.Member
		err := checkMembers(op.IDs)
		if err == nil {
			switch op.Kind {
			case model.MembersAdd:
				plus, err = e.add(op.IDs)
			case model.MembersRemove:
				minus, err = e.remove(op.IDs)
			case model.MembersReplace:
				plus, minus, err = e.replace(op.IDs)
			}
		}
		if err != nil {
			return err
		}
		note(minus, removed, added)
		note(plus, added, removed)
		if op.Kind == model.MembersReplace && len(op.IDs) == 0 {
			e.emptied = len(minus)
		}
	}
	e.added, e.removed = sortedMembers(added), sortedMembers(removed)
	if e.rules.GroupMatters(e.ref.IntegrationID, refOf(e.group)) {
		e.concern(e.added)
		e.concern(e.removed)
	}
	return nil
}

func sortedMembers(set map[string]model.Member) []model.Member {
	list := make([]model.Member, 0, len(set))
	for _, m := range set {
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b model.Member) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return list
}

func (e *groupEdit) concern(members []model.Member) {
	for _, m := range members {
		if m.Type == model.MemberUser {
			e.concerned = append(e.concerned, m.ID)
		}
	}
}

// concernAll notes that the group itself changed for every member.
func (e *groupEdit) concernAll() error {
	after := ""
	for len(e.concerned) <= settleAtOnce {
		ids, err := e.tx.UserMembersAfter(e.ref, e.group.ID, after, settlePage)
		if err != nil {
			return err
		}
		e.concerned = append(e.concerned, ids...)
		if len(ids) < settlePage {
			return nil
		}
		after = ids[len(ids)-1]
	}
	e.tooMany = true
	return nil
}

// store writes the group, and settles whom the change concerns.
func (e *groupEdit) store(before *model.DirectoryGroup, changed bool, out *model.DirectoryGroup) error {
	e.group = out
	members := len(e.added)+len(e.removed) > 0
	if !changed && !members {
		return e.storePending()
	}
	summary := ""
	if changed {
		was, is := refOf(before), refOf(out)
		matters := e.rules.GroupMatters(e.ref.IntegrationID, was) || e.rules.GroupMatters(e.ref.IntegrationID, is)
		if was != is && matters {
			if err := e.concernAll(); err != nil {
				return err
			}
		}
		if err := e.tx.UpdateDirectoryGroup(out); err != nil {
			return err
		}
		if err := e.tell(model.DirectoryGroupUpdated); err != nil {
			return err
		}
		summary = "group " + out.DisplayName + " changed"
		if before.DisplayName != out.DisplayName {
			summary = fmt.Sprintf("group %s was renamed to %s", before.DisplayName, out.DisplayName)
		}
	} else {
		e.tx.TouchDirectoryGroup(out)
	}
	if e.emptied > 0 && len(e.added) == 0 {
		if err := e.missing(false, e.emptied); err != nil {
			return err
		}
	}
	return e.finish("directory_group.updated", summary, true)
}

// settle lets the rules decide about everyone concerned, a page at a time.
func (e *groupEdit) settle(alarm bool) error {
	slices.Sort(e.concerned)
	e.concerned = slices.Compact(e.concerned)
	for ids := range slices.Chunk(e.concerned, settlePage) {
		w, err := e.svc.lockFacts(e.ctx, e.tx, e.ref, ids)
		if err != nil {
			return err
		}
		done, err := w.settleUnchanged(w.facts.Users)
		if err != nil {
			return err
		}
		for i := range done {
			if err := w.logDecision(&done[i].user, &done[i].decision, ""); err != nil {
				return err
			}
		}
		if alarm {
			if err := w.alarm(); err != nil {
				return err
			}
		}
	}
	return nil
}
