package store

import (
	"time"

	"usher/model"
)

const mailboxColumns = `id, organization_id, integration_id, account_id, room_id, graph_user_id, address, state, detail, enabled,
 tried_at, retry_at, created_at, updated_at`

func scanMailbox(r scanner, m *model.Mailbox) error {
	err := r.Scan(&m.ID, &m.OrganizationID, &m.IntegrationID, &m.AccountID, &m.RoomID, &m.GraphUserID, &m.Address, &m.State, &m.Detail,
		&m.Enabled, &m.TriedAt, &m.RetryAt, &m.CreatedAt, &m.UpdatedAt)
	inUTC(m.TriedAt, m.RetryAt, &m.CreatedAt, &m.UpdatedAt)
	return err
}

// inUTC moves times that were read, where there are any.
func inUTC(times ...*time.Time) {
	for _, t := range times {
		if t != nil {
			*t = t.UTC()
		}
	}
}

// exact gives a time as both databases keep it; nil stays nil.
func exact(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	utc := t.UTC().Truncate(time.Microsecond)
	return &utc
}

// mailboxes reads those that a condition names.
func (r *Reader) mailboxes(where string, args ...any) ([]model.Mailbox, error) {
	list := []model.Mailbox{}
	err := r.query(statement{
		sql: "SELECT " + mailboxColumns + " FROM mailboxes WHERE " + where, args: args,
		scan: func(row scanner) error { return scanAppend(row, &list, scanMailbox) },
	})
	return list, translate(err)
}

// first gives the one row that was asked for by id.
func first[T any](list []T, err error, what, id string) (T, error) {
	var none T
	switch {
	case err != nil:
		return none, err
	case len(list) == 0:
		return none, notFound(what, id)
	}
	return list[0], nil
}

// cursor checks where a page of things in the order of ids begins.
func cursor(after string) (string, error) {
	if after == "" {
		return firstID, nil
	}
	if !ValidID(after) {
		return "", model.FieldErrorf(model.Invalid, "after", "is not a cursor of this list")
	}
	return after, nil
}

// behind gives the conditions under which a few rows, which another index finds, are taken behind an id and in the order of
// ids: in a form that offers no index of ids, which would lead through all rows there are.
func (r *Reader) behind() (condition, order string) {
	if r.s.dialect == postgres {
		return "(id > ?) IS TRUE", ` ORDER BY id::text COLLATE "C"`
	}
	return "+id > ?", " ORDER BY +id"
}

// Mailbox reads one mailbox of an integration.
func (r *Reader) Mailbox(ref model.Ref, id string) (model.Mailbox, error) {
	if !ValidID(id) || !ValidID(ref.IntegrationID) {
		return model.Mailbox{}, notFound("mailbox", id)
	}
	list, err := r.mailboxes("organization_id = ? AND integration_id = ? AND id = ?", ref.OrganizationID, ref.IntegrationID, id)
	return first(list, err, "mailbox", id)
}

// MailboxByID reads one mailbox of any integration of the organization.
func (r *Reader) MailboxByID(organizationID, id string) (model.Mailbox, error) {
	if !ValidID(id) {
		return model.Mailbox{}, notFound("mailbox", id)
	}
	list, err := r.mailboxes("organization_id = ? AND id = ?", organizationID, id)
	return first(list, err, "mailbox", id)
}

// MailboxOf reads the mailbox of an account or of a room, whichever is not "".
func (r *Reader) MailboxOf(ref model.Ref, accountID, roomID string) (m model.Mailbox, found bool, err error) {
	column, owner := "account_id", accountID
	if accountID == "" {
		column, owner = "room_id", roomID
	}
	if !ValidID(owner) || !ValidID(ref.IntegrationID) {
		return model.Mailbox{}, false, nil
	}
	list, err := r.mailboxes(column+" = ? AND integration_id = ? AND "+r.beside("organization_id"), owner, ref.IntegrationID, ref.OrganizationID)
	if err != nil || len(list) == 0 {
		return model.Mailbox{}, false, err
	}
	return list[0], true, nil
}

// MailboxesAfter gives a page of an integration's mailboxes in the order of ids.
func (r *Reader) MailboxesAfter(ref model.Ref, after string, limit int) ([]model.Mailbox, error) {
	after, err := cursor(after)
	if err != nil || !ValidID(ref.IntegrationID) {
		return []model.Mailbox{}, err
	}
	return r.mailboxes("organization_id = ? AND integration_id = ? AND id > ? ORDER BY id LIMIT ?", ref.OrganizationID, ref.IntegrationID, after, limit)
}

// MailboxesDue gives, in the order of ids, mailboxes of the integration that have not been looked for yet, or are to be looked
// for again now.
func (r *Reader) MailboxesDue(ref model.Ref, now time.Time, after string, limit int) ([]model.Mailbox, error) {
	after, err := cursor(after)
	if err != nil || !ValidID(ref.IntegrationID) {
		return []model.Mailbox{}, err
	}
	behind, order := r.behind()
	return r.mailboxes("((integration_id = ? AND state = 'pending') OR (integration_id = ? AND retry_at IS NOT NULL AND retry_at <= ?)) AND "+
		r.beside("organization_id")+" AND "+behind+order+" LIMIT ?",
		ref.IntegrationID, ref.IntegrationID, now.UTC(), ref.OrganizationID, after, limit)
}

// MailboxCandidate is an account that is linked to a directory user of an integration, with what a mailbox is found by.
type MailboxCandidate struct {
	AccountID         string
	Email             string // of the account
	UserName          string // of the account
	Status            model.AccountStatus
	ExternalID        string
	DirectoryUserName string
	DirectoryEmail    string
	Active            bool // in the directory
}

const candidateColumns = "a.id, a.email, a.user_name, a.status, u.external_id, u.user_name, u.email, u.active"

func scanCandidate(row scanner, c *MailboxCandidate) error {
	return row.Scan(&c.AccountID, &c.Email, &c.UserName, &c.Status, &c.ExternalID, &c.DirectoryUserName, &c.DirectoryEmail, &c.Active)
}

// MailboxCandidatesAfter gives a page of the accounts that are linked to the integration, in the order of their ids.
func (r *Reader) MailboxCandidatesAfter(ref model.Ref, afterAccountID string, limit int) ([]MailboxCandidate, error) {
	list := []MailboxCandidate{}
	after, err := cursor(afterAccountID)
	if err != nil || !ValidID(ref.IntegrationID) {
		return list, err
	}
	err = r.query(statement{
		sql: `SELECT ` + candidateColumns + `
 FROM accounts a JOIN directory_users u ON u.account_id = a.id AND u.integration_id = ? AND u.organization_id = a.organization_id
 WHERE a.organization_id = ? AND a.id > ? ORDER BY a.id LIMIT ?`,
		args: []any{ref.IntegrationID, ref.OrganizationID, after, limit},
		scan: func(row scanner) error {
			return scanAppend(row, &list, scanCandidate)
		},
	})
	return list, translate(err)
}

// InsertMailbox stores a new mailbox of an account or a room of the organization, which stays until the transaction ends; ID
// and times are set here. Where another transaction was first, this one runs again.
func (tx *Tx) InsertMailbox(m *model.Mailbox) error {
	if (m.AccountID == nil) == (m.RoomID == nil) {
		return model.Errorf(model.Invalid, "a mailbox is of an account or of a room")
	}
	if m.AccountID != nil {
		if err := tx.holdAccount(m.OrganizationID, *m.AccountID); err != nil {
			return err
		}
	}
	m.ID, m.CreatedAt, m.UpdatedAt = NewID(), tx.now, tx.now
	m.TriedAt, m.RetryAt = exact(m.TriedAt), exact(m.RetryAt)
	return tx.insert(m)
}

// holdAccount keeps an account from being deleted until the transaction ends.
func (tx *Tx) holdAccount(organizationID, id string) error {
	if !ValidID(id) {
		return notFound("account", id)
	}
	lock, there := "", false
	if tx.s.dialect == postgres {
		lock = " FOR KEY SHARE"
	}
	err := tx.query(statement{
		sql: "SELECT 1 FROM accounts WHERE organization_id = ? AND id = ?" + lock, args: []any{organizationID, id},
		scan: func(row scanner) error { var n int; there = true; return row.Scan(&n) },
	})
	if err == nil && !there {
		err = notFound("account", id)
	}
	return translate(err)
}

// UpdateMailbox writes where the mailbox is and how it stands.
func (tx *Tx) UpdateMailbox(m *model.Mailbox) error {
	m.UpdatedAt, m.TriedAt, m.RetryAt = tx.now, exact(m.TriedAt), exact(m.RetryAt)
	return tx.update(m, "mailbox", m.ID, []string{
		"graph_user_id", "address", "state", "detail", "enabled", "tried_at", "retry_at", "updated_at",
	}, "organization_id = ? AND integration_id = ? AND id = ?", m.OrganizationID, m.IntegrationID, m.ID)
}

// DeleteMailbox removes a mailbox with its calendars, their events and writes. It gives the calendars, so that the change can
// be told.
func (tx *Tx) DeleteMailbox(ref model.Ref, id string) ([]model.Calendar, error) {
	list, err := tx.CalendarsOf(ref, id)
	if err != nil {
		return nil, err
	}
	return list, remove[model.Mailbox](tx, "mailbox", id, "organization_id = ? AND integration_id = ? AND id = ?",
		ref.OrganizationID, ref.IntegrationID, id)
}

// DeleteMailboxesOf removes the mailboxes of an account with all that is in them. It gives the calendars, so that the change can
// be told.
func (tx *Tx) DeleteMailboxesOf(a *model.Account) ([]model.Calendar, error) {
	_, order := tx.behind()
	list, err := tx.calendars("account_id = ? AND "+tx.beside("organization_id")+order, a.ID, a.OrganizationID)
	tx.buffer(tx.withoutMailbox(a))
	return list, err
}

func (tx *Tx) withoutMailbox(a *model.Account) statement {
	return statement{
		sql:  "DELETE FROM mailboxes WHERE account_id = ? AND " + tx.beside("organization_id"),
		args: []any{a.ID, a.OrganizationID},
	}
}
