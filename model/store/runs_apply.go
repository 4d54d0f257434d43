package store

import (
	"time"

	"usher/model"
)

// ChooseDecisions keeps of the decisions of a run that are still to be applied those on the subjects, and leaves all others as
// they are, for the reason in the note. It says how many there were that give or change something.
func (tx *Tx) ChooseDecisions(organizationID, runID string, subjects []string, note string) (int, error) {
	subjects = validIDs(subjects)
	if !ValidID(runID) {
		return 0, nil
	}
	left := 0
	err := tx.query(statement{
		sql: `UPDATE run_decisions SET state = 'left', note = ? WHERE organization_id = ? AND run_id = ? AND state = 'planned'
 AND action <> 'skip' AND NOT subject_id` + tx.anyOf("uuid", subjects),
		args:     []any{note, organizationID, runID, tx.list(subjects)},
		affected: func(n int64) error { left = int(n); return nil },
	})
	return left, translate(err)
}

// LeaveDecisions leaves the subjects as they are, as far as the run's decisions on them are still to be applied, and says how
// many there were.
func (tx *Tx) LeaveDecisions(organizationID, runID string, subjects []string, note string) (int, error) {
	subjects = validIDs(subjects)
	if len(subjects) == 0 || !ValidID(runID) {
		return 0, nil
	}
	left := 0
	err := tx.query(statement{
		sql: "UPDATE run_decisions SET state = 'left', note = ? WHERE organization_id = ? AND run_id = ? AND state = 'planned' AND subject_id" +
			tx.anyOf("uuid", subjects),
		args:     []any{note, organizationID, runID, tx.list(subjects)},
		affected: func(n int64) error { left = int(n); return nil },
	})
	return left, translate(err)
}

// LeaveRest leaves everyone as they are whose decision a run has not applied, but those that give no account, and says how many
// there were.
func (tx *Tx) LeaveRest(organizationID, runID, note string) (int, error) {
	if !ValidID(runID) {
		return 0, nil
	}
	left := 0
	err := tx.query(statement{
		sql: `UPDATE run_decisions SET state = 'left', note = ? WHERE organization_id = ? AND run_id = ? AND state = 'planned'
 AND action <> 'skip'`,
		args:     []any{note, organizationID, runID},
		affected: func(n int64) error { left = int(n); return nil },
	})
	return left, translate(err)
}

// DropPlan forgets the plan of a run but for what it has applied.
func (tx *Tx) DropPlan(organizationID, runID string) error {
	if !ValidID(runID) {
		return nil
	}
	return translate(tx.query(statement{
		sql:  "DELETE FROM run_decisions WHERE organization_id = ? AND run_id = ? AND was IS NULL",
		args: []any{organizationID, runID},
	}))
}

// UndoOf gives the run that takes back the given one: the newest that has not been cancelled or failed. ok is false where there
// is none.
func (r *Reader) UndoOf(organizationID, runID string) (run model.Run, ok bool, err error) {
	if !ValidID(runID) {
		return run, false, nil
	}
	db, err := r.orm()
	if err != nil {
		return run, false, translate(err)
	}
	var list []model.Run
	err = db.Where("organization_id = ? AND undo_of = ? AND state NOT IN ?", organizationID, runID,
		[]model.RunState{model.RunCancelled, model.RunFailed}).Order("id DESC").Limit(1).Find(&list).Error
	if err != nil || len(list) == 0 {
		return run, false, translate(err)
	}
	return list[0], true, nil
}

// ExpiredRuns gives held runs of every organization whose plans have expired.
func (r *Reader) ExpiredRuns(now time.Time, limit int) ([]model.Run, error) {
	db, err := r.orm()
	if err != nil {
		return nil, translate(err)
	}
	list := []model.Run{}
	err = db.Where("state = ? AND expires_at <= ?", model.RunHeld, now).Order("id").Limit(limit).Find(&list).Error
	return list, translate(err)
}

// PruneDecisions forgets decisions of runs of every organization that ended before, and of previews that expired: at most so many.
// It says how many went. The runs themselves stay.
func (tx *Tx) PruneDecisions(before time.Time, limit int) (int, error) {
	gone := 0
	err := tx.query(statement{
		sql: `DELETE FROM run_decisions WHERE (organization_id, run_id, subject_id) IN (
 SELECT d.organization_id, d.run_id, d.subject_id FROM runs r JOIN run_decisions d ON d.organization_id = r.organization_id AND d.run_id = r.id
 WHERE r.finished_at < ? OR (r.kind = 'preview' AND r.finished_at IS NOT NULL AND r.expires_at < ?) LIMIT ?)`,
		args:     []any{before.UTC(), tx.now, limit},
		affected: func(n int64) error { gone = int(n); return nil },
	})
	return gone, translate(err)
}
