package store

import (
	"strings"
	"unicode/utf8"

	"usher/model"
)

// peopleScan is how many people are looked at for one page where no index leads to those that are wanted.
const peopleScan = 4_000

// PeopleAfter gives a page of accounts with their links in the order of ids, for somebody who looks through them. next is the id
// behind which the next page begins, "" where there is none. A page may hold fewer accounts than limit although there are more,
// because it looks at a bounded number of them where more is asked than an index answers, such as a part of a name or a role.
func (r *Reader) PeopleAfter(organizationID string, f AccountFilter, after string, limit int) (list []model.Account, next string, err error) {
	if after == "" {
		after = firstID
	}
	if !ValidID(after) {
		return nil, "", model.FieldErrorf(model.Invalid, "after", "is not a cursor of this list")
	}
	if f.Integration != "" && !ValidID(f.Integration) {
		return nil, "", nil
	}
	by := r.peopleBy(organizationID, f, after)
	rest := f
	if !f.Guests && !f.Hybrid {
		rest.Integration = "" // asked for account by account, so that a page is all that is looked for
	}
	where, args := r.accountWhere(organizationID, rest)
	where, args = where+by.indexed+" AND id > ?", append(args, after)
	if f.Integration != rest.Integration {
		where += " AND EXISTS (SELECT 1 FROM directory_users u WHERE u.account_id = accounts.id AND u.integration_id = ? AND u.account_id IS NOT NULL)"
		args = append(args, f.Integration)
	}
	floor := ""
	if by.more {
		if floor, err = r.floor("accounts", by.index, by.where, by.args); err != nil {
			return nil, "", err
		}
		if floor != "" {
			where, args = where+" AND id <= ?", append(args, floor)
		}
	}
	err = r.query(statement{
		sql:  "SELECT " + accountColumns + " FROM accounts" + r.indexedBy(by.index) + " WHERE " + where + " ORDER BY id LIMIT ?",
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

// peopleBy is how a page of accounts is looked for: the index, what it holds, and whether more is asked than it answers.
type peopleBy struct {
	index, indexed string
	where          string // what the index answers, behind the cursor
	args           []any
	more           bool
}

func (r *Reader) peopleBy(organizationID string, f AccountFilter, after string) peopleBy {
	by := peopleBy{index: "accounts_organization", where: "organization_id = ? AND id > ?", args: []any{organizationID, after}}
	answered := AccountFilter{}
	switch {
	case f.Status == model.AccountDeactivated || f.Status == model.AccountArchived:
		by.index, by.indexed = "accounts_put_away", " AND status <> 'active'"
		by.where, by.args = by.where+" AND status = ?"+by.indexed, append(by.args, string(f.Status))
		answered.Status = f.Status
	case f.Origin == model.OriginManual:
		by.index, by.indexed = "accounts_manual", " AND origin = 'manual'"
		by.where += by.indexed
		answered.Origin = f.Origin
	}
	by.more = f != answered
	return by
}

// floor gives the id of the last row that a page looks at, "" where there are not that many.
func (r *Reader) floor(table, index, where string, args []any) (string, error) {
	floor := ""
	err := r.query(statement{
		sql:  "SELECT id FROM " + table + r.indexedBy(index) + " WHERE " + where + " ORDER BY id LIMIT 1 OFFSET ?",
		args: append(args, peopleScan),
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

// Owners gives what people call accounts and rooms of an organization, by id: the display name, or the e-mail where there is none.
func (r *Reader) Owners(organizationID string, accountIDs, roomIDs []string) (map[string]string, error) {
	names := map[string]string{}
	var list []statement
	for table, ids := range map[string][]string{"accounts": validIDs(accountIDs), "rooms": validIDs(roomIDs)} {
		if len(ids) == 0 {
			continue
		}
		list = append(list, statement{
			sql:  "SELECT id, CASE WHEN display_name <> '' THEN display_name ELSE email END FROM " + table + " WHERE " + r.beside("organization_id") + " AND id" + r.anyOf("uuid", ids),
			args: []any{organizationID, r.list(ids)},
			scan: func(row scanner) error {
				var id, name string
				err := row.Scan(&id, &name)
				names[id] = name
				return err
			},
		})
	}
	if len(list) == 0 {
		return names, nil
	}
	return names, translate(r.query(list...))
}
