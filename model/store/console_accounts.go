package store

import (
	"strings"
	"unicode/utf8"

	"usher/model"
)

// peopleScan is how many accounts are looked at for one page where no index leads to those that are wanted.
const peopleScan = 10_000

// PeopleAfter gives a page of accounts with their links in the order of ids, for somebody who looks through them. next is the id
// behind which the next page begins, "" where there is none. A page may hold fewer accounts than limit although there are more,
// because it looks at a bounded number of them where it searches in names or for a role.
func (r *Reader) PeopleAfter(organizationID string, f AccountFilter, after string, limit int) (list []model.Account, next string, err error) {
	if after == "" {
		after = firstID
	}
	if !ValidID(after) {
		return nil, "", model.FieldErrorf(model.Invalid, "after", "is not a cursor of this list")
	}
	rest := f
	rest.Integration = "" // asked for account by account, so that a page is all that is looked for
	where, args := r.accountWhere(organizationID, rest)
	index := ""
	switch {
	case f.Status == model.AccountDeactivated || f.Status == model.AccountArchived:
		index, where = r.indexedBy("accounts_put_away"), where+" AND status <> 'active'"
	case f.Origin == model.OriginManual:
		index, where = r.indexedBy("accounts_manual"), where+" AND origin = 'manual'"
	default:
		index = r.indexedBy("accounts_organization")
	}
	where, args = where+" AND id > ?", append(args, after)
	if f.Integration != "" {
		if !ValidID(f.Integration) {
			return nil, "", nil
		}
		where += " AND EXISTS (SELECT 1 FROM directory_users u WHERE u.account_id = accounts.id AND u.integration_id = ? AND u.account_id IS NOT NULL)"
		args = append(args, f.Integration)
	}
	floor := ""
	if f.Search != "" || f.Role != "" || f.Integration != "" {
		if floor, err = r.peopleFloor(organizationID, after); err != nil {
			return nil, "", err
		}
		if floor != "" {
			where, args = where+" AND id <= ?", append(args, floor)
		}
	}
	err = r.query(statement{
		sql:  "SELECT " + accountColumns + " FROM accounts" + index + " WHERE " + where + " ORDER BY id LIMIT ?",
		args: append(args, limit+1),
		scan: func(row scanner) error { return scanAppend(row, &list, scanAccount) },
	})
	if next = floor; len(list) > limit {
		list, next = list[:limit], list[limit-1].ID
	}
	if err == nil {
		err = r.fillLinks(organizationID, list)
	}
	return list, next, translate(err)
}

// peopleFloor gives the id of the last account that a page looks at, "" where there are not that many.
func (r *Reader) peopleFloor(organizationID, after string) (string, error) {
	floor := ""
	err := r.query(statement{
		sql:  "SELECT id FROM accounts" + r.indexedBy("accounts_organization") + " WHERE organization_id = ? AND id > ? ORDER BY id LIMIT 1 OFFSET ?",
		args: []any{organizationID, after, peopleScan},
		scan: func(row scanner) error { return row.Scan(&floor) },
	})
	return floor, translate(err)
}

// PeopleNamed gives accounts whose e-mail or userName begins with the text, without case, by the indexes of both. Where the database
// orders texts by the rules of a language it may leave some out, which PeopleAfter finds.
func (r *Reader) PeopleNamed(organizationID, text string, limit int) ([]model.Account, error) {
	from := model.Fold(text)
	to, ok := behind(from)
	if !ok {
		return nil, nil
	}
	var list []model.Account
	seen := map[string]bool{}
	for _, by := range []struct{ column, index, indexed string }{
		{"email_key", "accounts_email", "email_key <> ''"}, {"user_name_key", "accounts_user_name", "user_name_key <> email_key"},
	} {
		var found []model.Account
		err := r.query(statement{
			sql: "SELECT " + accountColumns + " FROM accounts" + r.indexedBy(by.index) + " WHERE " + by.column + " >= ? AND " + by.column + " < ? AND " +
				by.indexed + " AND " + r.beside("organization_id") + " ORDER BY " + by.column + " LIMIT ?",
			args: []any{from, to, organizationID, limit},
			scan: func(row scanner) error { return scanAppend(row, &found, scanAccount) },
		})
		if err != nil {
			return nil, translate(err)
		}
		for _, a := range found {
			if !seen[a.ID] && len(list) < limit {
				seen[a.ID] = true
				list = append(list, a)
			}
		}
	}
	return list, translate(r.fillLinks(organizationID, list))
}

// behind gives the least text that comes behind every one that begins with the prefix.
func behind(prefix string) (string, bool) {
	last, size := utf8.DecodeLastRuneInString(prefix)
	if prefix == "" || last == utf8.RuneError || last >= utf8.MaxRune || strings.ContainsRune(prefix, 0) {
		return "", false
	}
	next := last + 1
	if next == 0xD800 { // surrogates are no characters
		next = 0xE000
	}
	return prefix[:len(prefix)-size] + string(next), true
}
