package store

import (
	"strings"

	"usher/model"
)

// DirectoryUsersNamed gives the directory users of an integration that have the externalId, first, and the userName.
func (r *Reader) DirectoryUsersNamed(ref model.Ref, name string) ([]model.DirectoryUser, error) {
	if name == "" || !ValidID(ref.IntegrationID) {
		return nil, nil
	}
	var users []model.DirectoryUser
	from := "SELECT " + userColumns + " FROM directory_users WHERE integration_id = ? AND " + r.beside("organization_id") + " AND "
	by := func(condition string, args ...any) statement {
		return statement{
			sql: from + condition + " ORDER BY id LIMIT 2", args: append([]any{ref.IntegrationID, ref.OrganizationID}, args...),
			scan: func(row scanner) error { return scanAppend(row, &users, scanUser) },
		}
	}
	err := r.query(by("external_id IN (?, ?) AND external_id <> ''", name, strings.ToLower(name)), by("user_name_key = ?", model.Fold(name)))
	return users, translate(err)
}

// WritingFeedsAfter gives a page of the organizations with an integration that has a switch of write-back on, in the order of ids, and
// how far the reader of the given name has come in the feed of each.
func (r *Reader) WritingFeedsAfter(name, after string, limit int) ([]FeedReader, error) {
	after, err := cursor(after)
	if err != nil {
		return nil, err
	}
	var list []FeedReader
	err = r.query(statement{
		sql: `SELECT o.id, f.position FROM organizations o LEFT JOIN feed_readers f ON f.organization_id = o.id AND f.name = ?
 WHERE o.id > ? AND EXISTS (SELECT 1 FROM integrations i WHERE i.organization_id = o.id AND NOT i.read_only
 AND CAST(i.write_back AS text) LIKE '%true%') ORDER BY o.id LIMIT ?`,
		args: []any{name, after, limit},
		scan: func(row scanner) error {
			return scanAppend(row, &list, func(row scanner, f *FeedReader) error { return row.Scan(&f.OrganizationID, &f.Position) })
		},
	})
	return list, translate(err)
}
