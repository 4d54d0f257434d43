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

	looked      map[string]bool             // keys that facts were completed with
	byKey       map[string][]*model.Account // candidates by e-mail and userName key
	deactivated int
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
		byKey: map[string][]*model.Account{},
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
	var keys []string
	for i := range facts.Users {
		if facts.Users[i].AccountID == nil {
			keys = append(keys, LinkKeys(facts.Users[i])...)
		}
	}
	return w, w.look(keys)
}

// look completes the facts with the accounts and employees that have one of the keys.
func (w *settlement) look(keys []string) error {
	var missing []string
	for _, key := range keys {
		if key != "" && !w.looked[key] {
			w.looked[key] = true
			missing = append(missing, key)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	from := len(w.facts.Candidates)
	if err := w.tx.FindByKeys(w.ref.OrganizationID, missing, w.facts); err != nil {
		return err
	}
	for i := from; i < len(w.facts.Candidates); i++ {
		w.addCandidate(w.facts.Candidates[i].ID)
	}
	return nil
}

func (w *settlement) indexCandidates() {
	for i := range w.facts.Candidates {
		w.addCandidate(w.facts.Candidates[i].ID)
	}
	for id := range w.facts.Accounts {
		w.addCandidate(id)
	}
}

func (w *settlement) addCandidate(id string) {
	a := w.facts.Accounts[id]
	for _, key := range []string{a.EmailKey, a.UserNameKey} {
		if key != "" && !slices.Contains(w.byKey[key], a) {
			w.byKey[key] = append(w.byKey[key], a)
		}
	}
}

// person gathers what the rules may look at for one directory user. gone is why it is being deleted, or "".
func (w *settlement) person(u *model.DirectoryUser, gone string) (Person, error) {
	p := Person{Sources: []Source{{User: *u, Groups: w.facts.Groups[u.ID], Gone: gone}}}
	keys := LinkKeys(*u)
	if err := w.look(keys); err != nil {
		return p, err
	}
	if u.AccountID != nil {
		p.Account = w.facts.Accounts[*u.AccountID]
	} else if gone == "" {
		var account *model.Account
		account, p.LinkRule, p.LinkProblem = Link(*u, w.candidates(u, keys))
		if account != nil {
			p.Account = w.facts.Accounts[account.ID]
		}
	}
	if p.Account != nil {
		for _, other := range w.facts.Others[p.Account.ID] {
			if other.ID != u.ID {
				p.Sources = append(p.Sources, Source{User: other, Groups: w.facts.Groups[other.ID]})
			}
		}
	}
	p.Employee = w.employee(p.Account, keys)
	p.TakenEmails = w.takenEmails(keys, p.Account)
	return p, nil
}

func (w *settlement) candidates(u *model.DirectoryUser, keys []string) []Candidate {
	var list []Candidate
	seen := map[string]bool{}
	for _, key := range keys {
		for _, a := range w.byKey[key] {
			if seen[a.ID] {
				continue
			}
			seen[a.ID] = true
			c := Candidate{Account: *a}
			for _, other := range w.facts.Others[a.ID] {
				if other.IntegrationID == u.IntegrationID && other.ID != u.ID {
					c.TakenBy = other.Name()
				}
			}
			list = append(list, c)
		}
	}
	return list
}

// employee gives the one linked to the account, else one with the person's e-mail that is linked to no other account.
func (w *settlement) employee(a *model.Account, keys []string) *model.Employee {
	if a != nil && a.EmployeeID != nil {
		for i := range w.facts.Employees {
			if w.facts.Employees[i].ExternalID == *a.EmployeeID {
				return &w.facts.Employees[i]
			}
		}
		return nil
	}
	for _, key := range keys {
		for i, e := range w.facts.ByKey[key] {
			if !w.employeeTaken(e.ExternalID) {
				return &w.facts.ByKey[key][i]
			}
		}
	}
	return nil
}

func (w *settlement) employeeTaken(externalID string) bool {
	for _, a := range w.facts.Accounts {
		if a.EmployeeID != nil && *a.EmployeeID == externalID {
			return true
		}
	}
	return false
}

func (w *settlement) takenEmails(keys []string, own *model.Account) map[string]string {
	taken := map[string]string{}
	for _, key := range keys {
		for _, a := range w.byKey[key] {
			if a.EmailKey == key && (own == nil || a.ID != own.ID) {
				taken[key] = a.Name()
			}
		}
	}
	return taken
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

func (w *settlement) tellChanges(a *model.Account, changes []model.FieldChange) error {
	if len(byChangeType(a, changes)[deactivatedKind]) > 0 {
		w.deactivated++
	}
	return w.svc.tellAccountChanges(w.ctx, w.tx, w.by, a, changes)
}

// tellAccountChanges tells of an account that changed, in one change per type.
func (s *Service) tellAccountChanges(ctx context.Context, tx *store.Tx, integrationID *string, a *model.Account, changes []model.FieldChange) error {
	for kind, part := range byChangeType(a, changes) {
		if len(part) == 0 {
			continue
		}
		if err := s.tellAccount(ctx, tx, integrationID, kindOrder[kind], a, part); err != nil {
			return err
		}
	}
	return nil
}

// kindOrder is the order in which one settlement tells of an account.
var kindOrder = [...]model.ChangeType{
	model.AccountUpdated, model.AccountRolesChanged, model.AccountPermissionsChanged, model.AccountWasDeactivated,
	model.AccountReactivated, model.AccountWasArchived,
}

// deactivatedKind is the index of deactivations in kindOrder.
const deactivatedKind = 3

// byChangeType sorts the changes of an account by the change type that tells of them, in kindOrder.
func byChangeType(a *model.Account, changes []model.FieldChange) [len(kindOrder)][]model.FieldChange {
	var parts [len(kindOrder)][]model.FieldChange
	for _, c := range changes {
		kind := 0
		switch c.Field {
		case "roles":
			kind = 1
		case "permissions":
			kind = 2
		case "status":
			kind = map[model.AccountStatus]int{model.AccountDeactivated: deactivatedKind, model.AccountActive: 4, model.AccountArchived: 5}[a.Status]
		}
		parts[kind] = append(parts[kind], c)
	}
	return parts
}

// accountData is what a change of an account carries: the account as it is now, and what changed of it.
type accountData struct {
	Account *model.Account      `json:"account"`
	Changes []model.FieldChange `json:"changes"`
}

func (w *settlement) tell(kind model.ChangeType, a *model.Account, changes []model.FieldChange) error {
	return w.svc.tellAccount(w.ctx, w.tx, w.by, kind, a, changes)
}

func (s *Service) tellAccount(ctx context.Context, tx *store.Tx, integrationID *string, kind model.ChangeType, a *model.Account, changes []model.FieldChange) error {
	return tx.Tell(model.Change{
		OrganizationID: a.OrganizationID, Type: kind, IntegrationID: integrationID, SubjectType: "account", SubjectID: a.ID,
		Actor: ActorOf(ctx),
	}, accountData{a, changes})
}

// remember keeps the facts true for the people that are settled after this one in the same transaction.
func (w *settlement) remember(u *model.DirectoryUser, d *Decision) {
	if d.Account == nil {
		return
	}
	if old := w.facts.Accounts[d.Account.ID]; old != nil {
		*old = *d.Account
	} else {
		w.facts.Accounts[d.Account.ID] = d.Account
	}
	w.addCandidate(d.Account.ID)
	if u.AccountID == nil {
		return
	}
	others := w.facts.Others[d.Account.ID]
	i := slices.IndexFunc(others, func(o model.DirectoryUser) bool { return o.ID == u.ID })
	if i < 0 {
		w.facts.Others[d.Account.ID] = append(others, *u)
	} else {
		others[i] = *u
	}
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

// linksOf gives the links of an account to its directory users.
func linksOf(users []model.DirectoryUser) []model.Link {
	links := make([]model.Link, 0, len(users))
	for i := range users {
		links = append(links, model.Link{
			IntegrationID: users[i].IntegrationID, DirectoryUserID: users[i].ID, ExternalID: users[i].ExternalID,
		})
	}
	return links
}

// settleUnchanged settles users whose mirror row did not change; rows are written where the rules now say otherwise. It
// gives the decisions that did something.
func (w *settlement) settleUnchanged(users []model.DirectoryUser) ([]settled, error) {
	var done []settled
	for i := range users {
		u := users[i]
		d, err := w.settle(&u, "")
		if err != nil {
			return nil, err
		}
		linked := (users[i].AccountID == nil) != (u.AccountID == nil)
		if linked || !reflect.DeepEqual(users[i].Explanation, u.Explanation) {
			if err := w.tx.SettleDirectoryUser(&u); err != nil {
				return nil, err
			}
		}
		if d.Action != model.ActionNone && d.Action != model.ActionSkip {
			done = append(done, settled{u, d})
		}
	}
	return done, nil
}

// settled is a directory user with what was decided about it.
type settled struct {
	user     model.DirectoryUser
	decision Decision
}

// logDecision writes the line of the administrator's log for a decision that did something.
func (w *settlement) logDecision(u *model.DirectoryUser, d *Decision, because string) error {
	if d.Account == nil {
		return nil
	}
	return w.tx.Log(model.Activity{
		OrganizationID: w.ref.OrganizationID, IntegrationID: &w.ref.IntegrationID, Actor: ActorOf(w.ctx),
		Action: "account." + pastTense(d.Action), SubjectType: "account", SubjectID: d.Account.ID, Subject: d.Account.Name(),
		Summary: sentence(because, d),
	}, map[string]any{"directory_user_id": u.ID, "changes": d.Changes})
}

func pastTense(a model.Action) string {
	switch a {
	case model.ActionCreate:
		return "created"
	case model.ActionLink:
		return "linked"
	case model.ActionDeactivate:
		return "deactivated"
	case model.ActionReactivate:
		return "reactivated"
	case model.ActionSkip:
		return "skipped"
	case model.ActionUpdate, model.ActionNone:
	}
	return "updated"
}

// sentence says what a decision did and why, for a reader of the log.
func sentence(because string, d *Decision) string {
	parts := []string{}
	if because != "" {
		parts = append(parts, because)
	}
	if d.Reason != "" {
		parts = append(parts, d.Reason)
	}
	for _, c := range d.Changes {
		if c.Reason != "" && c.Field != "status" && (c.Field == "roles" || c.Field == "permissions" || len(d.Changes) <= 3) {
			parts = append(parts, c.Field+": "+c.Reason)
		}
	}
	return strings.Join(parts, "; ")
}
