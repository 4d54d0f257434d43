package store

import (
	"encoding/json"

	"usher/model"
)

// Run reads one run.
func (r *Reader) Run(organizationID, id string) (model.Run, error) {
	if !ValidID(id) {
		return model.Run{}, notFound("run", id)
	}
	return one[model.Run](r, "run", id, "organization_id = ? AND id = ?", organizationID, id)
}

// LockRun reads one run and keeps other writers of it out until the transaction ends.
func (tx *Tx) LockRun(organizationID, id string) (model.Run, error) {
	if !ValidID(id) {
		return model.Run{}, notFound("run", id)
	}
	found := false
	err := tx.query(statement{
		sql:  "SELECT id FROM runs WHERE organization_id = ? AND id = ?" + tx.forUpdate(),
		args: []any{organizationID, id},
		scan: func(row scanner) error { found = true; var id string; return row.Scan(&id) },
	})
	if err != nil || !found {
		if err == nil {
			err = notFound("run", id)
		}
		return model.Run{}, translate(err)
	}
	return tx.Run(organizationID, id)
}

// RunFilter narrows a list of runs.
type RunFilter struct {
	Integration string
	Kind        model.RunKind
	State       model.RunState
}

// RunsBefore gives a page of runs, newest first, of those older than the one with the id before.
func (r *Reader) RunsBefore(organizationID string, f RunFilter, before string, limit int) ([]model.Run, error) {
	db, err := r.orm()
	if err != nil {
		return nil, translate(err)
	}
	db = db.Where("organization_id = ?", organizationID)
	if f.Integration != "" {
		if !ValidID(f.Integration) {
			return []model.Run{}, nil
		}
		db = db.Where("integration_id = ?", f.Integration)
	}
	if f.Kind != "" {
		db = db.Where("kind = ?", f.Kind)
	}
	if f.State != "" {
		db = db.Where("state = ?", f.State)
	}
	if before != "" {
		if !ValidID(before) {
			return nil, model.FieldErrorf(model.Invalid, "after", "is not a cursor of this list")
		}
		db = db.Where("id < ?", before)
	}
	list := []model.Run{}
	return list, translate(db.Order("id DESC").Limit(limit).Find(&list).Error)
}

// OpenRuns gives the runs of an integration that have not ended, oldest first.
func (r *Reader) OpenRuns(ref model.Ref) ([]model.Run, error) {
	db, err := r.orm()
	if err != nil {
		return nil, translate(err)
	}
	list := []model.Run{}
	err = db.Where("organization_id = ? AND integration_id = ? AND state IN ?", ref.OrganizationID, ref.IntegrationID,
		[]model.RunState{model.RunQueued, model.RunRunning, model.RunHeld}).Order("id").Find(&list).Error
	return list, translate(err)
}

// InsertRun stores a new run; ID and times are set here.
func (tx *Tx) InsertRun(run *model.Run) error {
	run.ID, run.CreatedAt, run.UpdatedAt = NewID(), tx.now, tx.now
	if run.Counts == nil {
		run.Counts = map[model.Action]int{}
	}
	return tx.insert(run)
}

// UpdateRun writes where a run stands.
func (tx *Tx) UpdateRun(run *model.Run) error {
	run.UpdatedAt = tx.now
	return tx.update(run, "run", run.ID, []string{
		"state", "phase", "progress", "counts", "cursor", "approved", "cancel_requested", "error", "started_at", "finished_at",
		"updated_at",
	}, "organization_id = ? AND id = ?", run.OrganizationID, run.ID)
}

// PutRunDecisions stores a page of a run's plan; a decision on the same subject is replaced, so that a page that is
// worked again after a crash counts once.
func (tx *Tx) PutRunDecisions(list []model.RunDecision) error {
	for _, d := range list {
		changes, err := json.Marshal(d.Changes)
		if err != nil {
			return err
		}
		tx.buffer(statement{
			sql: `INSERT INTO run_decisions (run_id, subject_id, organization_id, email, name, action, changes, reason)
 VALUES (?,?,?,?,?,?,?,?) ON CONFLICT (organization_id, run_id, subject_id) DO UPDATE SET email = excluded.email,
 name = excluded.name, action = excluded.action, changes = excluded.changes, reason = excluded.reason`,
			args: []any{d.RunID, d.SubjectID, d.OrganizationID, d.Email, d.Name, string(d.Action), string(changes), d.Reason},
		})
	}
	return nil
}

// RunDecisionsAfter gives a page of a run's plan in the order of subjects.
func (r *Reader) RunDecisionsAfter(organizationID, runID string, action model.Action, after string, limit int) ([]model.RunDecision, error) {
	if after == "" {
		after = firstID
	}
	if !ValidID(after) {
		return nil, model.FieldErrorf(model.Invalid, "after", "is not a cursor of this list")
	}
	db, err := r.orm()
	if err != nil {
		return nil, translate(err)
	}
	db = db.Where("organization_id = ? AND run_id = ? AND subject_id > ?", organizationID, runID, after)
	if action != "" {
		db = db.Where("action = ?", action)
	}
	list := []model.RunDecision{}
	return list, translate(db.Order("subject_id").Limit(limit).Find(&list).Error)
}
