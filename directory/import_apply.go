package directory

import (
	"cmp"
	"context"
	"reflect"
	"slices"

	"usher/model"
	"usher/model/store"
)

// importPerson is what an import brings of one person.
type importPerson struct {
	before *model.DirectoryUser // nil for somebody new
	staged model.ImportUser
}

// work gives a page of people as the tenant has them. With apply their memberships are stored, and their rows when they are settled.
func (m importSource) work(ctx context.Context, tx *store.Tx, keys []string, apply bool) (*settlement, error) {
	facts, err := tx.LockFacts(m.ref, keys)
	if err != nil {
		return nil, err
	}
	w, err := m.svc.settlement(ctx, tx, m.ref, facts)
	if err != nil {
		return nil, err
	}
	staged, err := tx.ImportUsers(m.ref, keys)
	if err != nil {
		return nil, err
	}
	p := &importPeople{importSource: m, tx: tx, w: w, arriving: map[string]*importPerson{}}
	if err := p.bring(staged); err != nil {
		return nil, err
	}
	if err := p.join(apply); err != nil {
		return nil, err
	}
	if apply {
		w.keep = p.keep
		tx.FreeUserNames(m.ref, p.newNames())
		tx.DeleteImportUsers(m.ref, keys)
	}
	var unknown []string
	for i := range facts.Users {
		unknown = append(unknown, w.unknownKeys(&facts.Users[i])...)
	}
	return w, w.look(unknown)
}

// importPeople is a page of people.
type importPeople struct {
	importSource
	tx       *store.Tx
	w        *settlement
	arriving map[string]*importPerson // by id in the mirror
}

// bring makes the people in the facts what the tenant has, and adds those who are new.
func (p *importPeople) bring(staged []model.ImportUser) error {
	facts := p.w.facts
	for i := range staged {
		p.arriving[staged[i].UserID] = &importPerson{staged: staged[i]}
	}
	var people []model.DirectoryUser
	for i := range facts.Users {
		u := facts.Users[i]
		a := p.arriving[u.ID]
		if a == nil {
			continue // another worker was faster
		}
		before := u
		a.before = &before
		if err := p.change(&u, &a.staged); err != nil {
			return err
		}
		people = append(people, u)
	}
	for _, s := range staged {
		if p.arriving[s.UserID].before != nil || s.Document == nil {
			continue
		}
		u := model.DirectoryUser{
			ID: s.UserID, OrganizationID: p.ref.OrganizationID, IntegrationID: p.ref.IntegrationID, Document: *s.Document,
		}
		if err := Index(&u); err != nil {
			return err
		}
		people = append(people, u)
	}
	slices.SortFunc(people, func(a, b model.DirectoryUser) int { return cmp.Compare(a.ID, b.ID) })
	facts.Users = people
	p.refresh()
	return p.distinguish()
}

// change makes a directory user what was read of it.
func (p *importPeople) change(u *model.DirectoryUser, s *model.ImportUser) error {
	switch {
	case s.Gone == model.ImportDeleted:
		if p.w.gone == nil {
			p.w.gone = map[string]string{}
		}
		p.w.gone[u.ID] = "deleted in Entra"
		return nil
	case s.Gone == model.ImportRecycled:
		u.Document = recycledDocument(u)
	case s.Document != nil:
		u.Document = *s.Document
	default:
		return nil
	}
	return Index(u)
}

// refresh has everything that the facts say of the people say the same.
func (p *importPeople) refresh() {
	for i := range p.w.facts.Users {
		u := &p.w.facts.Users[i]
		if u.AccountID == nil {
			continue
		}
		others := p.w.facts.Others[*u.AccountID]
		for n := range others {
			if others[n].ID == u.ID {
				others[n] = *u
			}
		}
	}
}

// distinguish lets only the first of several people of a page have a user name that all of them claim: the tenant has given it to
// one of them, and tells of the others later.
func (p *importPeople) distinguish() error {
	taken := map[string]bool{}
	for i := range p.w.facts.Users {
		u := &p.w.facts.Users[i]
		if p.w.gone[u.ID] != "" {
			continue
		}
		if taken[u.UserNameKey] {
			u.UserNameKey = "~" + u.ID
		}
		taken[u.UserNameKey] = true
	}
	return nil
}

// join gives the people the groups that the tenant has them in.
func (p *importPeople) join(apply bool) error {
	ids := make([]string, 0, len(p.w.facts.Users))
	for i := range p.w.facts.Users {
		ids = append(ids, p.w.facts.Users[i].ExternalID)
	}
	state, err := p.tx.ImportState(p.ref)
	if err != nil {
		return err
	}
	joined, err := p.tx.ImportedGroups(p.ref, state.Ended(), ids)
	if err != nil {
		return err
	}
	known, err := p.nesting(apply)
	if err != nil {
		return err
	}
	p.w.nestings = map[string]*nesting{p.ref.IntegrationID: known}
	var added, removed []store.Membership
	for i := range p.w.facts.Users {
		u := &p.w.facts.Users[i]
		had, has := p.w.facts.Groups[u.ID], known.of(joined[u.ExternalID])
		if p.w.gone[u.ID] != "" {
			continue // its memberships go with it
		}
		p.w.facts.Groups[u.ID] = has
		member := model.Member{ID: u.ID, Type: model.MemberUser, Display: u.DisplayName}
		added = append(added, memberships(has, had, member)...)
		removed = append(removed, memberships(had, has, member)...)
	}
	if !apply {
		return nil
	}
	return p.storeMemberships(known, added, removed)
}

// nesting gives the groups: those of the mirror when they have been brought up to date, else as they were read.
func (m importSource) nestingOf(tx *store.Tx, applied bool) (*nesting, error) {
	if applied {
		return mirrorNesting(&tx.Reader, m.ref)
	}
	groups, err := tx.ImportGroups(m.ref)
	if err != nil {
		return nil, err
	}
	edges, err := tx.ImportEdges(m.ref)
	if err != nil {
		return nil, err
	}
	state, err := tx.ImportState(m.ref)
	if err != nil {
		return nil, err
	}
	return importNesting(groups, edges, state.Ended(), false), nil
}

func (p *importPeople) nesting(apply bool) (*nesting, error) { return p.nestingOf(p.tx, apply) }

// memberships gives a membership of each group that is in one list and not in the other.
func memberships(in, notIn []model.GroupRef, member model.Member) []store.Membership {
	var list []store.Membership
	for _, g := range in {
		if !slices.ContainsFunc(notIn, func(other model.GroupRef) bool { return other.ID == g.ID }) {
			list = append(list, store.Membership{GroupID: g.ID, Member: member})
		}
	}
	return list
}

func (m importSource) tellMemberships(ctx context.Context, tx *store.Tx, groups map[string]model.GroupRef, kind model.ChangeType, list []store.Membership) error {
	subjects, data := make([]string, len(list)), make([]any, len(list))
	for i := range list {
		g, ok := groups[list[i].GroupID]
		if !ok {
			g = model.GroupRef{ID: list[i].GroupID}
		}
		subjects[i], data[i] = g.ID, groupData{Group: g, Member: toldMember(list[i].Member)}
	}
	return tx.TellMany(model.Change{
		OrganizationID: m.ref.OrganizationID, Type: kind, IntegrationID: &m.ref.IntegrationID, SubjectType: "directory_group", Actor: ActorOf(ctx),
	}, subjects, data)
}

func (p *importPeople) storeMemberships(known *nesting, added, removed []store.Membership) error {
	p.tx.RemoveMemberships(p.ref, removed)
	p.tx.AddMemberships(p.ref, added)
	if err := p.tellMemberships(p.w.ctx, p.tx, known.groups, model.MembershipAdded, added); err != nil {
		return err
	}
	return p.tellMemberships(p.w.ctx, p.tx, known.groups, model.MembershipRemoved, removed)
}

// newNames gives the user names that the people are about to have and do not have yet.
func (p *importPeople) newNames() []store.UserNameTaker {
	var list []store.UserNameTaker
	for i := range p.w.facts.Users {
		u := &p.w.facts.Users[i]
		if a := p.arriving[u.ID]; p.w.gone[u.ID] == "" && (a.before == nil || a.before.UserNameKey != u.UserNameKey) {
			list = append(list, store.UserNameTaker{UserNameKey: u.UserNameKey, UserID: u.ID})
		}
	}
	return list
}

// keep writes the row of somebody who is settled, and tells of it.
func (p *importPeople) keep(u *model.DirectoryUser, _ *Decision) error {
	a := p.arriving[u.ID]
	switch {
	case p.w.gone[u.ID] != "":
		if err := p.tx.DeleteDirectoryUser(u); err != nil {
			return err
		}
		return p.w.tellUser(model.DirectoryUserDeleted, u, nil)
	case a.before == nil:
		if err := p.tx.InsertDirectoryUser(u); err != nil {
			return err
		}
		return p.w.tellUser(model.DirectoryUserCreated, u, nil)
	case u.Document.Equal(&a.before.Document) && u.UserNameKey == a.before.UserNameKey:
		if reflect.DeepEqual(a.before.Explanation, u.Explanation) && sameAccount(a.before, u) {
			return nil
		}
		return p.tx.SettleDirectoryUser(u)
	}
	if err := p.tx.UpdateDirectoryUser(u); err != nil {
		return err
	}
	changed := changedAttributes(a.before.Document.Attributes(), u.Document.Attributes())
	return p.w.tellUser(model.DirectoryUserUpdated, u, changed)
}

func sameAccount(a, b *model.DirectoryUser) bool {
	if a.AccountID == nil || b.AccountID == nil {
		return a.AccountID == b.AccountID
	}
	return *a.AccountID == *b.AccountID
}
