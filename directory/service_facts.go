package directory

import (
	"maps"
	"slices"

	"usher/model"
)

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
	return w.lookHolders(missing)
}

// unknownKeys gives the keys by which a directory user's account and employee must be looked for: none for one that is
// linked to an account with its own e-mail, which is nearly everyone in nearly every page of a run.
func (w *settlement) unknownKeys(u *model.DirectoryUser) []string {
	if u.AccountID != nil {
		if a := w.facts.Accounts[*u.AccountID]; a != nil && a.EmailKey == model.Fold(LoginEmail(*u)) {
			return nil
		}
	}
	return LinkKeys(*u)
}

// lookedUp notes keys that the facts were read with.
func (w *settlement) lookedUp(keys []string) error {
	for _, key := range keys {
		w.looked[key] = true
	}
	return w.lookHolders(keys)
}

// lookHolders finds out whose the employees with one of the keys are: an account whose e-mail is another one may be linked
// to them.
func (w *settlement) lookHolders(keys []string) error {
	var ids []string
	for _, key := range keys {
		for _, e := range w.facts.ByKey[key] {
			ids = append(ids, e.ExternalID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	holders, err := w.tx.EmployeeHolders(w.ref.OrganizationID, ids)
	if err == nil {
		maps.Copy(w.holders, holders)
	}
	return err
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
	groups, err := w.groupsOf(u)
	if err != nil {
		return Person{}, err
	}
	p := Person{Sources: []Source{{User: *u, Groups: groups, Gone: gone}}}
	keys := LinkKeys(*u)
	if err := w.look(w.unknownKeys(u)); err != nil {
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
			if other.ID == u.ID {
				continue
			}
			if groups, err = w.groupsOf(&other); err != nil {
				return p, err
			}
			p.Sources = append(p.Sources, Source{User: other, Groups: groups})
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
	if w.holders[externalID] != "" {
		return true
	}
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
