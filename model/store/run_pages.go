package store

import (
	"time"

	"usher/model"
)

// StaleRuns gives the runs of every organization that are queued or running and have not been written since.
func (r *Reader) StaleRuns(since time.Time) ([]model.Run, error) {
	db, err := r.orm()
	if err != nil {
		return nil, translate(err)
	}
	list := []model.Run{}
	err = db.Where("state IN ? AND updated_at < ?", []model.RunState{model.RunQueued, model.RunRunning}, since).Order("id").Find(&list).Error
	return list, translate(err)
}

// DirectoryUserIDsAfter gives a page of the ids of an integration's users, in their order.
func (r *Reader) DirectoryUserIDsAfter(ref model.Ref, after string, limit int) ([]string, error) {
	if after == "" {
		after = firstID
	}
	if !ValidID(after) {
		return nil, model.FieldErrorf(model.Invalid, "after", "is not a cursor of this list")
	}
	var ids []string
	err := r.query(statement{
		sql:  "SELECT id FROM directory_users WHERE organization_id = ? AND integration_id = ? AND id > ? ORDER BY id LIMIT ?",
		args: []any{ref.OrganizationID, ref.IntegrationID, after, limit},
		scan: func(row scanner) error {
			return scanAppend(row, &ids, func(s scanner, id *string) error { return s.Scan(id) })
		},
	})
	return ids, translate(err)
}
