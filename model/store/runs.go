package store

import "usher/model"

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

// LockRuns keeps others from queueing runs of the integration until the transaction ends.
func (tx *Tx) LockRuns(ref model.Ref) error { return tx.alone("runs:" + ref.IntegrationID) }

// InsertRun stores a new run; ID and times are set here.
func (tx *Tx) InsertRun(run *model.Run) error {
	run.ID, run.CreatedAt, run.UpdatedAt = NewID(), tx.now, tx.now
	fillRun(run)
	return tx.insert(run)
}

// fillRun makes absent counts empty.
func fillRun(run *model.Run) {
	if run.Counts == nil {
		run.Counts = map[model.Action]int{}
	}
	if run.Applied == nil {
		run.Applied = map[model.Action]int{}
	}
	if run.Phases == nil {
		run.Phases = map[model.RunPhase]model.Progress{}
	}
}

// UpdateRun writes where a run stands.
func (tx *Tx) UpdateRun(run *model.Run) error {
	run.UpdatedAt = tx.now
	fillRun(run)
	if run.StartedAt != nil {
		run.Phases[run.Phase] = run.Progress
	}
	return tx.update(run, "run", run.ID, []string{
		"state", "phase", "progress", "phases", "counts", "applied", "left_alone", "deactivated", "guard", "held_because", "chain", "hash",
		"expires_at", "settings_version", "partial", "cursor", "approved", "cancel_requested", "error", "started_at", "finished_at", "updated_at",
	}, "organization_id = ? AND id = ?", run.OrganizationID, run.ID)
}
