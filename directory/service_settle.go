package directory

import (
	"context"
	"reflect"
	"slices"
	"strings"

	"usher/model"
	"usher/model/store"
)

// settlement settles some people of one integration in one transaction: it turns facts into a Person, asks the rules, and
// stores what they say.
type settlement struct {
	svc   *Service
	ctx   context.Context
	tx    *store.Tx
	ref   model.Ref
	rules *Rules
	facts *store.Facts
	by    *string // the integration in whose name things are told; nil where an employee is the cause

	// gone says why directory users are being deleted, by id.
	gone map[string]string
	// keep, where set, writes the row of a directory user that a run has settled, and tells of it. Without it a row is written
	// where its account or explanation changed.
	keep func(u *model.DirectoryUser, d *Decision) error
	// was, where it is made, gets the account that each person had before, by directory user.
	was map[string]model.Account

	looked      map[string]bool             // keys that facts were completed with
	holders     map[string]string           // accounts of employees that were looked up, by external id
	byKey       map[string][]*model.Account // candidates by e-mail and userName key
	deactivated int
	nestings    map[string]*nesting // how groups are nested, by integration, where that counts
}

func (s *Service) settlement(ctx context.Context, tx *store.Tx, ref model.Ref, facts *store.Facts) (*settlement, error) {
	rules, err := s.rules(tx, ref.OrganizationID, facts.SettingsVersion)
	if err != nil {
		return nil, err
	}
	if _, err := rules.integration(ref); err != nil {
		return nil, err
	}
	return newSettlement(s, ctx, tx, ref, rules, facts), nil
}

func newSettlement(s *Service, ctx context.Context, tx *store.Tx, ref model.Ref, rules *Rules, facts *store.Facts) *settlement {
	w := &settlement{
		svc: s, ctx: ctx, tx: tx, ref: ref, rules: rules, facts: facts, by: &ref.IntegrationID, looked: map[string]bool{},
		holders: map[string]string{}, byKey: map[string][]*model.Account{},
	}
	w.indexCandidates()
	return w
}

// lockFacts reads and locks users for settling; those without an account have their candidates looked up at once.
func (s *Service) lockFacts(ctx context.Context, tx *store.Tx, ref model.Ref, ids []string) (*settlement, error) {
	facts, err := tx.LockFacts(ref, ids)
	if err != nil {
		return nil, err
	}
	w, err := s.settlement(ctx, tx, ref, facts)
	if err != nil {
		return nil, err
	}
	return w, w.lookAll()
}

// lookAll has the candidates of everyone without an account looked up at once.
func (w *settlement) lookAll() error {
	var keys []string
	for i := range w.facts.Users {
		keys = append(keys, w.unknownKeys(&w.facts.Users[i])...)
	}
	return w.look(keys)
}

// decide asks the rules, once more where they would give an e-mail that nobody had looked for.
func (w *settlement) decide(p Person) (Decision, error) {
	d := w.rules.Decide(p)
	if d.Account == nil || d.Account.Email == "" {
		return d, nil
	}
	key := model.Fold(d.Account.Email)
	if w.looked[key] || (p.Account != nil && p.Account.EmailKey == key) {
		return d, nil
	}
	if err := w.look([]string{key}); err != nil {
		return d, err
	}
	for k, holder := range w.takenEmails([]string{key}, p.Account) {
		p.TakenEmails[k] = holder
	}
	return w.rules.Decide(p), nil
}

// settle decides about one directory user and stores everything but the user's own row, which the caller writes: u gets
// its account and its explanation. It says what was decided.
func (w *settlement) settle(u *model.DirectoryUser, gone string) (Decision, error) {
	p, err := w.person(u, gone)
	if err != nil {
		return Decision{}, err
	}
	if w.was != nil && p.Account != nil {
		w.was[u.ID] = *p.Account
	}
	d, err := w.decide(p)
	if err != nil {
		return d, err
	}
	if err := w.storeAccount(&p, &d); err != nil {
		return d, err
	}
	if len(d.Explanations) > 0 {
		u.Explanation = d.Explanations[0]
	}
	if d.Account != nil && (d.Link || u.AccountID != nil) && gone == "" {
		u.AccountID = &d.Account.ID
	}
	w.remember(u, &d)
	return d, w.storeExplanations(&p, &d, 1)
}

// storeAccount writes the account as it was decided, and tells what changed of it.
func (w *settlement) storeAccount(p *Person, d *Decision) error {
	if d.Account == nil {
		return nil
	}
	d.Account.OrganizationID = w.ref.OrganizationID
	d.Account.Links = linksOf(p, d)
	if p.Account == nil {
		if err := w.tx.InsertAccount(d.Account); err != nil {
			return err
		}
		return w.tell(model.AccountCreated, d.Account, d.Changes)
	}
	if len(d.Changes) == 0 {
		return nil
	}
	if err := w.tx.UpdateAccount(d.Account); err != nil {
		return err
	}
	return w.tellChanges(d.Account, d.Changes)
}

// storeExplanations writes what the rules said about the person's directory users, from the given one on.
func (w *settlement) storeExplanations(p *Person, d *Decision, from int) error {
	for i := from; i < len(p.Sources) && i < len(d.Explanations); i++ {
		other := p.Sources[i].User
		if reflect.DeepEqual(other.Explanation, d.Explanations[i]) {
			continue
		}
		other.Explanation = d.Explanations[i]
		if err := w.tx.SettleDirectoryUser(&other); err != nil {
			return err
		}
	}
	return nil
}

// linksOf gives the links that the account has once the decision is stored.
func linksOf(p *Person, d *Decision) []model.Link {
	links := make([]model.Link, 0, len(p.Sources))
	for i := range p.Sources {
		u := &p.Sources[i].User
		if p.Sources[i].Gone == "" && (u.AccountID != nil || i == 0 && d.Link) {
			links = append(links, model.Link{IntegrationID: u.IntegrationID, DirectoryUserID: u.ID, ExternalID: u.ExternalID})
		}
	}
	slices.SortFunc(links, func(a, b model.Link) int { return strings.Compare(a.DirectoryUserID, b.DirectoryUserID) })
	return links
}

// settleUnchanged settles users whose mirror row did not change, or is written by keep; rows are written where the rules now say
// otherwise. It gives the decisions that did something.
func (w *settlement) settleUnchanged(users []model.DirectoryUser) ([]settled, error) {
	var done []settled
	for i := range users {
		u := users[i]
		d, err := w.settle(&u, w.gone[u.ID])
		if err != nil {
			return nil, err
		}
		if err := w.keepRow(&users[i], &u, &d); err != nil {
			return nil, err
		}
		if d.Action != model.ActionNone && d.Action != model.ActionSkip {
			done = append(done, settled{u, d})
		}
	}
	return done, nil
}

func (w *settlement) keepRow(before, u *model.DirectoryUser, d *Decision) error {
	if w.keep != nil {
		return w.keep(u, d)
	}
	linked := (before.AccountID == nil) != (u.AccountID == nil)
	if !linked && reflect.DeepEqual(before.Explanation, u.Explanation) {
		return nil
	}
	return w.tx.SettleDirectoryUser(u)
}

// settled is a directory user with what was decided about it.
type settled struct {
	user     model.DirectoryUser
	decision Decision
}
