package store

import (
	"time"

	"usher/model"
)

// Photo reads the picture of an account; NotFound where there is none, or no such account.
func (r *Reader) Photo(organizationID, accountID string) (model.AccountPhoto, error) {
	if !ValidID(accountID) {
		return model.AccountPhoto{}, notFound("account", accountID)
	}
	var list []model.AccountPhoto
	err := r.query(statement{
		sql: `SELECT p.account_id, p.organization_id, p.integration_id, p.etag, p.content_type, p.bytes, p.looked_at, p.changed_at
 FROM account_photos p JOIN accounts a ON a.id = p.account_id AND a.organization_id = p.organization_id
 WHERE p.organization_id = ? AND p.account_id = ? AND p.content_type <> '' AND a.employee_id IS NULL`,
		args: []any{organizationID, accountID},
		scan: func(row scanner) error {
			return scanAppend(row, &list, func(r scanner, p *model.AccountPhoto) error {
				err := r.Scan(&p.AccountID, &p.OrganizationID, &p.IntegrationID, &p.ETag, &p.ContentType, &p.Bytes, &p.LookedAt, &p.ChangedAt)
				inUTC(&p.LookedAt, &p.ChangedAt)
				return err
			})
		},
	})
	if err == nil && len(list) == 0 {
		err = model.Errorf(model.NotFound, "account %s has no photo", accountID)
	}
	if err != nil {
		return model.AccountPhoto{}, translate(err)
	}
	return list[0], nil
}

// PhotosDue gives some of the integration's directory users behind the user after, in the order of ids, whose account has no
// employee and is not archived, and whose picture was not looked for since the time given. An account whose picture another integration gave is left out.
func (r *Reader) PhotosDue(ref model.Ref, since time.Time, after string, limit int) ([]model.PhotoSubject, error) {
	after, err := cursor(after)
	if err != nil {
		return nil, err
	}
	var due []model.PhotoSubject
	if !ValidID(ref.IntegrationID) {
		return nil, nil
	}
	err = r.query(statement{
		sql: `SELECT u.id, u.external_id, u.user_name, a.id, coalesce(p.etag, '') FROM directory_users u
 JOIN accounts a ON a.id = u.account_id LEFT JOIN account_photos p ON p.account_id = a.id
 WHERE u.integration_id = ? AND u.organization_id = ? AND u.id > ? AND a.organization_id = ? AND a.employee_id IS NULL AND a.status <> 'archived'
 AND (p.account_id IS NULL OR p.looked_at < ? AND (p.integration_id = u.integration_id OR p.content_type = ''))
 ORDER BY u.id LIMIT ?`,
		args: []any{ref.IntegrationID, ref.OrganizationID, after, ref.OrganizationID, since, limit},
		scan: func(row scanner) error {
			return scanAppend(row, &due, func(r scanner, s *model.PhotoSubject) error {
				return r.Scan(&s.DirectoryUserID, &s.ExternalID, &s.UserName, &s.AccountID, &s.ETag)
			})
		},
	})
	return due, translate(err)
}

// PhotoTag reads the tag of the picture that is stored of an account, "" without one; found says whether it was ever looked for.
func (tx *Tx) PhotoTag(a *model.Account) (tag string, found bool, err error) {
	err = tx.query(statement{
		sql:  "SELECT CASE WHEN content_type = '' THEN '' ELSE etag END FROM account_photos WHERE organization_id = ? AND account_id = ?",
		args: []any{a.OrganizationID, a.ID},
		scan: func(row scanner) error { found = true; return row.Scan(&tag) },
	})
	return tag, found, translate(err)
}

// PutPhoto stores the picture of an account that is locked, in place of the one before, or that there is none; times are set here.
func (tx *Tx) PutPhoto(p *model.AccountPhoto) {
	p.LookedAt, p.ChangedAt = tx.now, tx.now
	tx.buffer(statement{
		sql: `INSERT INTO account_photos (account_id, organization_id, integration_id, etag, content_type, bytes, looked_at, changed_at)
 SELECT a.id, a.organization_id, ` + tx.typed("uuid") + ", " + tx.typed("text") + ", " + tx.typed("text") + ", " + tx.typed("bytea") + ", " +
			tx.typed("timestamptz") + ", " + tx.typed("timestamptz") + ` FROM accounts a WHERE a.organization_id = ? AND a.id = ?
 ON CONFLICT (account_id) DO UPDATE SET integration_id = excluded.integration_id, etag = excluded.etag,
 content_type = excluded.content_type, bytes = excluded.bytes, looked_at = excluded.looked_at, changed_at = excluded.changed_at`,
		args: []any{p.IntegrationID, p.ETag, p.ContentType, p.Bytes, p.LookedAt, p.ChangedAt, p.OrganizationID, p.AccountID},
	})
}

// PhotoLookedAt notes that the picture of an account is still the same.
func (tx *Tx) PhotoLookedAt(a *model.Account) {
	tx.buffer(statement{
		sql:  "UPDATE account_photos SET looked_at = ? WHERE organization_id = ? AND account_id = ?",
		args: []any{tx.now, a.OrganizationID, a.ID},
	})
}

// DeletePhoto forgets the picture of an account.
func (tx *Tx) DeletePhoto(a *model.Account) { tx.buffer(withoutPhoto(a)) }

func withoutPhoto(a *model.Account) statement {
	return statement{
		sql:  "DELETE FROM account_photos WHERE organization_id = ? AND account_id = ?",
		args: []any{a.OrganizationID, a.ID},
	}
}
