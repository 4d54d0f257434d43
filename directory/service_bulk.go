package directory

import (
	"context"
	"slices"
	"strings"

	"usher/model"
	"usher/model/store"
)

// The actions of BulkAccounts.
const (
	bulkDeactivate = "deactivate"
	bulkReactivate = "reactivate"
	bulkArchive    = "archive"
	bulkDelete     = "delete"
)

// BulkFilter says which accounts a bulk action concerns: those that everything set is true of.
type BulkFilter struct {
	Status            string   `json:"status,omitempty"`
	Role              string   `json:"role,omitempty"`
	Integration       string   `json:"integration,omitempty"` // linked to a directory user of it
	Q                 string   `json:"q,omitempty"`           // part of e-mail, userName or display name, without case
	EmailNotInDomains []string `json:"email_not_in_domains,omitempty"`
	EmailInDomains    []string `json:"email_in_domains,omitempty"`
	Unlinked          *bool    `json:"unlinked,omitempty"` // linked to no directory user, or to some
	Origin            string   `json:"origin,omitempty"`
	Guests            bool     `json:"guests,omitempty"`   // linked to a B2B guest; integration and q are then asked of the guest
	Hybrid            bool     `json:"hybrid,omitempty"`   // linked to somebody whose master is an Active Directory; likewise
	Accounts          []string `json:"accounts,omitempty"` // one of these, by id
}

// BulkResult is what a bulk action did, or would do.
type BulkResult struct {
	Matched int `json:"matched"`
	Changed int `json:"changed"`
	// Unchanged counts those that were as wanted already.
	Unchanged int `json:"unchanged"`
	Refused   int `json:"refused"`
	// Skipped and Accounts name the first of those refused and changed.
	Skipped  []BulkSkip    `json:"skipped"`
	Accounts []BulkAccount `json:"accounts"`
	DryRun   bool          `json:"dry_run"`
}

// BulkAccount is an account that a bulk action changed.
type BulkAccount struct {
	AccountID string `json:"account_id"`
	Email     string `json:"email"`
}

// BulkSkip is an account that a bulk action left alone, and why.
type BulkSkip struct {
	AccountID string `json:"account_id"`
	Email     string `json:"email"`
	Reason    string `json:"reason"`
}

// maxBulkListed is how many accounts a result names of each sort.
const maxBulkListed = 500

// bulkPage is how many accounts one transaction of a bulk action changes.
const bulkPage = 200

// BulkAccounts does one of deactivate, reactivate, archive and delete to every account that the filter matches, in pages
// of one transaction each; accounts that the action is refused for are skipped with the reason. A filter that narrows
// nothing is Invalid. A dry run changes nothing and tells what would be done.
func (s *Service) BulkAccounts(ctx context.Context, organizationID, action string, f BulkFilter, dryRun bool) (BulkResult, error) {
	none := BulkResult{Skipped: []BulkSkip{}, Accounts: []BulkAccount{}, DryRun: dryRun}
	if !slices.Contains([]string{bulkDeactivate, bulkReactivate, bulkArchive, bulkDelete}, action) {
		return none, model.FieldErrorf(model.Invalid, "action", "%q is not one of deactivate, reactivate, archive, delete", action)
	}
	filter, err := f.forStore()
	if err != nil {
		return none, err
	}
	total, after, gone := none, "", 0
	for {
		var page bulkWork
		err := s.Store.InTx(ctx, func(tx *store.Tx) error {
			page = bulkWork{action: action, dry: dryRun, gone: gone, result: BulkResult{Skipped: []BulkSkip{}, Accounts: []BulkAccount{}}}
			return page.run(ctx, s, tx, organizationID, filter, after)
		})
		if err != nil {
			return total, err
		}
		total.add(&page.result)
		if page.result.Matched < bulkPage {
			return total, nil
		}
		after, gone = page.last, page.gone
	}
}

func (r *BulkResult) add(page *BulkResult) {
	r.Matched += page.Matched
	r.Changed += page.Changed
	r.Unchanged += page.Unchanged
	r.Refused += page.Refused
	r.Skipped = append(r.Skipped, page.Skipped[:min(len(page.Skipped), maxBulkListed-len(r.Skipped))]...)
	r.Accounts = append(r.Accounts, page.Accounts[:min(len(page.Accounts), maxBulkListed-len(r.Accounts))]...)
}

// forStore checks the filter and turns it into the store's.
func (f BulkFilter) forStore() (store.BulkFilter, error) {
	out := store.BulkFilter{AccountFilter: store.AccountFilter{
		Status: model.AccountStatus(f.Status), Role: f.Role, Integration: f.Integration, Search: f.Q, Origin: model.Origin(f.Origin),
		Guests: f.Guests, Hybrid: f.Hybrid,
	}}
	statuses := []model.AccountStatus{"", model.AccountActive, model.AccountDeactivated, model.AccountArchived}
	switch {
	case !slices.Contains(statuses, out.Status):
		return out, model.FieldErrorf(model.Invalid, "filter.status", "%q is not one of active, deactivated, archived", f.Status)
	case !slices.Contains([]model.Origin{"", model.OriginDirectory, model.OriginManual}, out.Origin):
		return out, model.FieldErrorf(model.Invalid, "filter.origin", "%q is not one of directory, manual", f.Origin)
	}
	if f.Unlinked != nil {
		out.Unlinked, out.Linked = *f.Unlinked, !*f.Unlinked
	}
	var err error
	if out.InDomains, err = domains("filter.email_in_domains", f.EmailInDomains); err != nil {
		return out, err
	}
	if out.NotInDomains, err = domains("filter.email_not_in_domains", f.EmailNotInDomains); err != nil {
		return out, err
	}
	if len(f.Accounts) > maxBulkAccounts {
		return out, model.FieldErrorf(model.Invalid, "filter.accounts", "has at most %d accounts", maxBulkAccounts)
	}
	out.IDs = f.Accounts
	narrows := len(out.IDs) > 0 || out.AccountFilter != (store.AccountFilter{}) || out.Linked || len(out.InDomains)+len(out.NotInDomains) > 0
	if !narrows {
		return out, model.FieldErrorf(model.Invalid, "filter", "the filter is empty: it would concern every account")
	}
	return out, nil
}

// maxBulkAccounts bounds the list of accounts of a filter.
const maxBulkAccounts = 1000

// maxDomains bounds the lists of domains of a filter.
const maxDomains = 200

func domains(field string, list []string) ([]string, error) {
	if len(list) > maxDomains {
		return nil, model.FieldErrorf(model.Invalid, field, "has at most %d domains", maxDomains)
	}
	var keys []string
	for i, text := range list {
		key := model.Fold(strings.TrimPrefix(strings.TrimSpace(text), "@"))
		if key == "" || strings.ContainsAny(key, "@ ") || hasControl(key) || len(key) > maxNameLength {
			return nil, model.FieldErrorf(model.Invalid, field+entryName(i), "%q is not a domain such as contoso.com", text)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// bulkWork is one page of a bulk action.
type bulkWork struct {
	action string
	dry    bool
	gone   int // administrators that a dry run would have done without
	last   string
	result BulkResult
}

func (w *bulkWork) run(ctx context.Context, s *Service, tx *store.Tx, organizationID string, f store.BulkFilter, after string) error {
	e, err := s.accountEdit(ctx, tx, organizationID, nil)
	if err != nil {
		return err
	}
	if _, known := e.rules.settings.Roles[f.Role]; f.Role != "" && !known {
		return model.FieldErrorf(model.Invalid, "filter.role", "role %q does not exist", f.Role)
	}
	if _, known := e.rules.settings.Integrations[f.Integration]; f.Integration != "" && !known {
		return model.FieldErrorf(model.Invalid, "filter.integration", "integration %q does not exist", f.Integration)
	}
	if w.action == bulkArchive || w.action == bulkDelete { // in the order that single edits lock in
		if _, err := tx.CountRoleHolders(organizationID, e.rules.administratorRoles(), ""); err != nil {
			return err
		}
	}
	accounts, err := tx.LockAccountsAfter(organizationID, f, after, bulkPage)
	if err != nil {
		return err
	}
	w.result.Matched = len(accounts)
	for i := range accounts {
		w.last = accounts[i].ID
		if err := w.one(e, &accounts[i]); err != nil {
			return err
		}
	}
	return nil
}

// one does the action to one account; a refusal is noted and no error.
func (w *bulkWork) one(e *accountEdit, before *model.Account) error {
	changed, err := w.do(e, before)
	if model.KindOf(err) == model.Refused {
		w.result.Refused++
		if len(w.result.Skipped) < maxBulkListed {
			w.result.Skipped = append(w.result.Skipped, BulkSkip{before.ID, before.Email, err.Error()})
		}
		return nil
	}
	switch {
	case err != nil:
		return err
	case !changed:
		w.result.Unchanged++
		return nil
	}
	w.result.Changed++
	if len(w.result.Accounts) < maxBulkListed {
		w.result.Accounts = append(w.result.Accounts, BulkAccount{before.ID, before.Email})
	}
	return nil
}

func (w *bulkWork) do(e *accountEdit, before *model.Account) (changed bool, err error) {
	if w.action == bulkDelete {
		if w.dry {
			return true, w.tryDelete(e, before)
		}
		return true, e.delete(before)
	}
	a := copyAccount(*before)
	summary, err := e.act(w.action, &a)
	if err != nil {
		return false, err
	}
	changed = a.Status != before.Status || a.StatusCause != before.StatusCause
	if w.dry && changed && a.Status == model.AccountArchived {
		return true, w.tryArchive(e, before)
	}
	if w.dry || !changed {
		return changed, nil
	}
	return true, e.store(before, &a, summary+" (in bulk)")
}

// tryDelete refuses what a deletion would refuse.
func (w *bulkWork) tryDelete(e *accountEdit, a *model.Account) error {
	if a.Status != model.AccountArchived {
		return model.Errorf(model.Refused, "account %s is %s; only an archived account can be deleted", a.Name(), a.Status)
	}
	if !e.isAdministrator(a.Roles) {
		return nil
	}
	return e.keepAdministrator(a)
}

// tryArchive refuses what archiving would refuse, when those before it had been archived.
func (w *bulkWork) tryArchive(e *accountEdit, a *model.Account) error {
	if !e.isAdministrator(a.Roles) {
		return nil
	}
	others, err := e.tx.CountRoleHolders(e.organizationID, e.rules.administratorRoles(), a.ID)
	if err != nil {
		return err
	}
	if others-w.gone <= 0 {
		return model.Errorf(model.Refused, "account %s is the last administrator: give another account the role first", a.Name())
	}
	w.gone++
	return nil
}
