package store

import (
	"time"

	"usher/model"
)

// PersonFilter narrows the directory users of an organization for somebody who looks for people.
type PersonFilter struct {
	Integration string // "" for every one
	Unlinked    bool   // those without an account
	InScope     *bool  // of the unlinked: whom the rules keep out, or who could not be linked
	Guests      bool   // B2B guests, by their user name
	Hybrid      bool   // whose master is an Active Directory
	Search      string // part of userName, e-mail or display name, without case
}

// PeopleOfMirrorAfter gives a page of directory users in the order of integrations and ids, behind the cursor of the page before:
// integration and id of its last row, with a slash between them. It costs what the page costs: each of the filters has an index,
// and where more is asked than that answers, a page looks at a bounded number of people and may hold fewer than limit.
func (r *Reader) PeopleOfMirrorAfter(organizationID string, f PersonFilter, after string, limit int) ([]model.DirectoryUser, string, error) {
	integrations, err := r.Integrations(organizationID)
	if err != nil {
		return nil, "", err
	}
	from, id, err := mirrorCursor(after)
	if err != nil {
		return nil, "", err
	}
	list := []model.DirectoryUser{}
	for _, i := range integrations {
		if f.Integration != "" && i.ID != f.Integration || i.ID < from {
			continue
		}
		behind := firstID
		if i.ID == from {
			behind = id
		}
		page, floor, err := r.peopleOfIntegration(i.Ref(), f, behind, limit+1-len(list))
		if err != nil {
			return nil, "", err
		}
		if list = append(list, page...); len(list) > limit {
			last := list[limit-1]
			return list[:limit], last.IntegrationID + "/" + last.ID, nil
		}
		if floor != "" {
			return list, i.ID + "/" + floor, nil
		}
	}
	return list, "", nil
}

func mirrorCursor(after string) (integration, id string, err error) {
	if after == "" {
		return "", firstID, nil
	}
	if len(after) != 73 || after[36] != '/' || !ValidID(after[:36]) || !ValidID(after[37:]) {
		return "", "", model.FieldErrorf(model.Invalid, "after", "is not a cursor of this list")
	}
	return after[:36], after[37:], nil
}

// peopleOfIntegration also gives the id of the last person looked at, where there may be more behind.
func (r *Reader) peopleOfIntegration(ref model.Ref, f PersonFilter, after string, limit int) (list []model.DirectoryUser, floor string, err error) {
	index, where := "directory_users_page", "integration_id = ? AND id > ?"
	args := []any{ref.IntegrationID, after}
	switch {
	case f.Unlinked:
		index, where = "directory_users_unlinked", where+" AND account_id IS NULL"
	case f.Guests:
		index, where = "directory_users_guests", where+" AND "+guests
	case f.Hybrid:
		index, where = "directory_users_hybrid", where+" AND "+r.hybrid()
	}
	if f.InScope != nil || f.Search != "" {
		if floor, err = r.floor("directory_users", index, where, args); err != nil {
			return nil, "", err
		}
		if floor != "" {
			where, args = where+" AND id <= ?", append(args, floor)
		}
	}
	if f.InScope != nil {
		where += " AND " + r.inScope(*f.InScope)
	}
	if f.Search != "" {
		condition, values := r.searched(f.Search)
		where, args = where+" AND "+condition, append(args, values...)
	}
	err = r.query(statement{
		sql: "SELECT " + userColumns + " FROM directory_users" + r.indexedBy(index) + " WHERE " + where +
			" AND " + r.beside("organization_id") + " ORDER BY id LIMIT ?",
		args: append(args, ref.OrganizationID, limit),
		scan: func(row scanner) error { return scanAppend(row, &list, scanUser) },
	})
	return list, floor, translate(err)
}

// guests are B2B guests, by the form of their user name; the index says the same.
const guests = "user_name_key LIKE '%#ext#%'"

// hybrid are those whose master is an Active Directory, as the index says it.
func (r *Reader) hybrid() string {
	if r.s.dialect == postgres {
		return "hybrid"
	}
	return `json_extract(document, '$."urn:ietf:params:scim:schemas:extension:usher:2.0:User".onPremisesSyncEnabled') IN (1, 'true', 'True')`
}

// searched gives a condition on people whose names contain the text, with the values to bind.
func (r *Reader) searched(text string) (string, []any) {
	like := "%" + escapeLike(model.Fold(text)) + "%"
	return "(email_key LIKE ? ESCAPE '!' OR user_name_key LIKE ? ESCAPE '!' OR " + r.fold("display_name") + " LIKE ? ESCAPE '!')", []any{like, like, like}
}

// mirrorWhere gives a condition on accounts with a guest or a hybrid among their directory users, with the values to bind.
func (r *Reader) mirrorWhere(organizationID string, f AccountFilter) (string, []any) {
	where, args := "account_id = accounts.id AND organization_id = ?", []any{organizationID}
	if f.Integration != "" {
		integration := f.Integration
		if !ValidID(integration) {
			integration = firstID
		}
		where, args = where+" AND integration_id = ?", append(args, integration)
	}
	if f.Guests {
		where += " AND " + guests
	}
	if f.Hybrid {
		where += " AND " + r.hybrid()
	}
	if f.Search != "" {
		condition, values := r.searched(f.Search)
		where, args = where+" AND "+condition, append(args, values...)
	}
	return "EXISTS (SELECT 1 FROM directory_users WHERE " + where + ")", args
}

// inScope asks the explanation that the rules left.
func (r *Reader) inScope(want bool) string {
	switch {
	case r.s.dialect == postgres && want:
		return "(explanation->>'in_scope')::boolean"
	case r.s.dialect == postgres:
		return "NOT (explanation->>'in_scope')::boolean"
	case want:
		return "json_extract(explanation, '$.in_scope')"
	}
	return "NOT json_extract(explanation, '$.in_scope')"
}

// OrganizationNumbers are how much an organization has. Counting stops at a bound, so that it never takes long.
type OrganizationNumbers struct {
	Accounts, Active, Directory, Groups, Unlinked int
	Bound                                         int // what a number that equals it means is "so many or more"
}

// countBound is how far is counted for a page.
const countBound = 20_000

// Numbers counts what an organization has.
func (r *Reader) Numbers(organizationID string) (OrganizationNumbers, error) {
	n := OrganizationNumbers{Bound: countBound}
	bounded := func(into *int, from string, args ...any) statement {
		return statement{
			sql:  "SELECT count(*) FROM (SELECT 1 FROM " + from + " LIMIT ?) few",
			args: append(args, countBound),
			scan: func(row scanner) error { return row.Scan(into) },
		}
	}
	integrations := "(SELECT id FROM integrations WHERE organization_id = ?)"
	err := r.query(
		bounded(&n.Accounts, "accounts WHERE organization_id = ?", organizationID),
		bounded(&n.Directory, "directory_users WHERE integration_id IN "+integrations, organizationID),
		bounded(&n.Groups, "directory_groups WHERE integration_id IN "+integrations, organizationID),
		bounded(&n.Unlinked, "directory_users WHERE account_id IS NULL AND integration_id IN "+integrations, organizationID),
	)
	return n, translate(err)
}

// LastSCIMRequest gives when a client of the integration last asked for something, and how that ended. found is false where
// the request log has nothing.
func (r *Reader) LastSCIMRequest(ref model.Ref) (q model.SCIMRequest, found bool, err error) {
	if !ValidID(ref.IntegrationID) {
		return q, false, nil
	}
	err = r.query(statement{
		sql:  "SELECT " + scimColumns + " FROM scim_requests WHERE organization_id = ? AND integration_id = ? ORDER BY id DESC LIMIT 1",
		args: []any{ref.OrganizationID, ref.IntegrationID},
		scan: func(row scanner) error { found = true; return scanSCIMRequest(row, &q) },
	})
	return q, found, translate(err)
}

// RequestPoint is one request for a chart: when, and whether it was refused or failed.
type RequestPoint struct {
	At    time.Time
	Wrong bool
}

// SCIMRequestPoints gives the newest requests of an integration since a time, of which at most limit.
func (r *Reader) SCIMRequestPoints(ref model.Ref, since time.Time, limit int) ([]RequestPoint, error) {
	var list []RequestPoint
	if !ValidID(ref.IntegrationID) {
		return list, nil
	}
	err := r.query(statement{
		sql:  "SELECT occurred_at, status FROM scim_requests WHERE organization_id = ? AND integration_id = ? AND id >= ? ORDER BY id DESC LIMIT ?",
		args: []any{ref.OrganizationID, ref.IntegrationID, earliestID(since), limit},
		scan: func(row scanner) error {
			var p RequestPoint
			var status int
			err := row.Scan(&p.At, &status)
			p.At, p.Wrong = p.At.UTC(), status >= 400 && status != 404
			list = append(list, p)
			return err
		},
	})
	return list, translate(err)
}

// ChangeTimes gives when the newest changes of an organization happened, of which at most limit.
func (r *Reader) ChangeTimes(organizationID string, limit int) ([]time.Time, error) {
	var list []time.Time
	err := r.query(statement{
		sql:  "SELECT occurred_at FROM changes WHERE organization_id = ? AND position IS NOT NULL ORDER BY position DESC LIMIT ?",
		args: []any{organizationID, limit},
		scan: func(row scanner) error {
			var at time.Time
			err := row.Scan(&at)
			list = append(list, at.UTC())
			return err
		},
	})
	return list, translate(err)
}

// CalendarHealth is how the calendars of an integration are getting on.
type CalendarHealth struct {
	Mailboxes, Failing, Calendars, Unsubscribed int
	OldestWaiting                               *time.Time // since when the first calendar waits to be read; nil where none waits
}

// CalendarHealth counts the calendars of an integration, each number up to CalendarHealthBound.
func (r *Reader) CalendarHealth(ref model.Ref) (CalendarHealth, error) {
	var h CalendarHealth
	if !ValidID(ref.IntegrationID) {
		return h, nil
	}
	of := " WHERE organization_id = ? AND integration_id = ? AND enabled"
	few := func(from string, into *int) statement {
		return statement{
			sql:  "SELECT count(*) FROM (SELECT 1 FROM " + from + " LIMIT ?) few",
			args: []any{ref.OrganizationID, ref.IntegrationID, CalendarHealthBound},
			scan: func(row scanner) error { return row.Scan(into) },
		}
	}
	err := r.query(
		few("mailboxes"+of, &h.Mailboxes),
		few("mailboxes"+r.indexedBy("mailboxes_blocked")+of+" AND state = 'blocked'", &h.Failing),
		few("calendars"+of, &h.Calendars),
		few("calendars"+r.indexedBy("calendars_unsubscribed")+of+" AND sub_state = 'failed'", &h.Unsubscribed),
		statement{
			sql: "SELECT sync_changed_at FROM calendars" + r.indexedBy("calendars_changed") + of +
				" AND sync_changed_at IS NOT NULL ORDER BY sync_changed_at LIMIT 1",
			args: []any{ref.OrganizationID, ref.IntegrationID}, scan: func(row scanner) error { return row.Scan(&h.OldestWaiting) },
		})
	inUTC(h.OldestWaiting)
	return h, translate(err)
}

// CalendarHealthBound is how far CalendarHealth counts: a number that equals it means so many or more.
const CalendarHealthBound = 5_000
