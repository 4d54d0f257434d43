package store

import (
	"context"

	"usher/model"
)

// FeedEnd gives every committed entry of the change feeds its position, and the last one there is.
func (s *Store) FeedEnd(ctx context.Context) (int64, error) {
	if err := s.position(ctx); err != nil {
		return 0, translate(err)
	}
	var last int64
	err := s.Read(ctx).query(statement{
		sql: "SELECT last_position FROM feed_state", scan: func(row scanner) error { return row.Scan(&last) },
	})
	return last, translate(err)
}

// FeedReader is how far somebody within the installation has read the change feed of an organization.
type FeedReader struct {
	OrganizationID string
	Position       *int64 // nil before the first time
}

// CalendarFeedsAfter gives a page of the organizations that have an integration with calendars, in the order of ids, and how far
// the reader of the given name has come in the feed of each.
func (r *Reader) CalendarFeedsAfter(name, after string, limit int) ([]FeedReader, error) {
	after, err := cursor(after)
	if err != nil {
		return nil, err
	}
	var list []FeedReader
	err = r.query(statement{
		sql: `SELECT o.id, f.position FROM organizations o LEFT JOIN feed_readers f ON f.organization_id = o.id AND f.name = ?
 WHERE o.id > ? AND EXISTS (SELECT 1 FROM integrations i WHERE i.organization_id = o.id AND i.calendar_sync) ORDER BY o.id LIMIT ?`,
		args: []any{name, after, limit},
		scan: func(row scanner) error {
			return scanAppend(row, &list, func(row scanner, f *FeedReader) error { return row.Scan(&f.OrganizationID, &f.Position) })
		},
	})
	return list, translate(err)
}

// SetFeedReader notes how far a reader has come; it never goes back.
func (tx *Tx) SetFeedReader(organizationID, name string, position int64) {
	tx.buffer(statement{
		sql: `INSERT INTO feed_readers (organization_id, name, position) VALUES (?,?,?) ON CONFLICT (organization_id, name)
 DO UPDATE SET position = excluded.position WHERE feed_readers.position < excluded.position`,
		args: []any{organizationID, name, position},
	})
}

// MailboxCandidates gives those of the accounts that are linked to the integration, by their ids.
func (r *Reader) MailboxCandidates(ref model.Ref, accountIDs []string) (map[string]MailboxCandidate, error) {
	byID := map[string]MailboxCandidate{}
	accountIDs = validIDs(accountIDs)
	if len(accountIDs) == 0 || !ValidID(ref.IntegrationID) {
		return byID, nil
	}
	var list []MailboxCandidate
	err := r.query(statement{
		sql: `SELECT ` + candidateColumns + ` FROM accounts a
 JOIN directory_users u ON u.account_id = a.id AND u.integration_id = ? AND u.organization_id = a.organization_id
 WHERE a.id` + r.anyOf("uuid", accountIDs) + ` AND a.organization_id = ?`,
		args: []any{ref.IntegrationID, r.list(accountIDs), ref.OrganizationID},
		scan: func(row scanner) error { return scanAppend(row, &list, scanCandidate) },
	})
	for _, c := range list {
		byID[c.AccountID] = c
	}
	return byID, translate(err)
}

// MailboxesOfAccounts gives the mailboxes that accounts have in the integration, by the accounts' ids.
func (r *Reader) MailboxesOfAccounts(ref model.Ref, accountIDs []string) (map[string]model.Mailbox, error) {
	byID := map[string]model.Mailbox{}
	accountIDs = validIDs(accountIDs)
	if len(accountIDs) == 0 || !ValidID(ref.IntegrationID) {
		return byID, nil
	}
	list, err := r.mailboxes("account_id"+r.anyOf("uuid", accountIDs)+" AND integration_id = ? AND "+r.beside("organization_id"),
		r.list(accountIDs), ref.IntegrationID, ref.OrganizationID)
	for i := range list {
		byID[*list[i].AccountID] = list[i]
	}
	return byID, err
}
