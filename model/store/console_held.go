package store

import (
	"strings"

	"usher/model"
)

// manyHeld is how many held runs are looked at: an integration has one at a time.
const manyHeld = 100

// HeldRuns gives the runs of an organization whose plans wait for somebody, the newest first, at most a hundred.
func (r *Reader) HeldRuns(organizationID string) ([]model.Run, error) {
	db, err := r.orm()
	if err != nil {
		return nil, translate(err)
	}
	list := []model.Run{}
	err = db.Where("organization_id = ? AND state = 'held'", organizationID).Order("id DESC").Limit(manyHeld).Find(&list).Error
	return list, translate(err)
}

// PeopleHeldAfter gives a page of what held plans would do to people, run by run from the newest, deactivations first, behind the
// cursor of the page before. Integration and Search of the filter narrow it. With Search a page looks at a bounded number of
// people and may hold fewer than limit although there are more.
func (r *Reader) PeopleHeldAfter(organizationID string, f PersonFilter, after string, limit int) (list []model.RunDecision, next string, err error) {
	runs, err := r.HeldRuns(organizationID)
	if err != nil {
		return nil, "", err
	}
	from, place, _ := strings.Cut(after, "/")
	if after != "" && (!ValidID(from) || place == "") {
		return nil, "", model.FieldErrorf(model.Invalid, "after", "is not a cursor of this list")
	}
	for _, run := range runs {
		if f.Integration != "" && run.IntegrationID != f.Integration || from != "" && run.ID > from {
			continue
		}
		behind := ""
		if run.ID == from {
			behind = place
		}
		page, floor, err := r.heldOfRun(organizationID, run.ID, f.Search, behind, limit+1-len(list))
		if err != nil {
			return nil, "", err
		}
		if list = append(list, page...); len(list) > limit {
			last := list[limit-1]
			return list[:limit], last.RunID + "/" + DecisionCursor(last), nil
		}
		if floor != "" {
			return list, run.ID + "/" + floor, nil
		}
	}
	return list, "", nil
}

// heldOfRun also gives the cursor of the last person looked at, where there may be more behind.
func (r *Reader) heldOfRun(organizationID, runID, search, after string, limit int) (list []model.RunDecision, floor string, err error) {
	rank, subject, err := decisionPlace(after)
	if err != nil {
		return nil, "", err
	}
	where := "organization_id = ? AND run_id = ? AND (rank, subject_id) > (?, ?) AND rank < ?"
	args := []any{organizationID, runID, rank, subject, model.ActionSkip.Rank()}
	if search != "" {
		var last model.RunDecision
		err := r.query(statement{
			sql:  "SELECT rank, subject_id FROM run_decisions" + r.indexedBy("run_decisions_ranked") + " WHERE " + where + " ORDER BY rank, subject_id LIMIT 1 OFFSET ?",
			args: append(args, peopleScan),
			scan: func(row scanner) error { return row.Scan(&last.Rank, &last.SubjectID) },
		})
		if err != nil {
			return nil, "", translate(err)
		}
		if last.SubjectID != "" {
			floor = DecisionCursor(last)
			where, args = where+" AND (rank, subject_id) <= (?, ?)", append(args, last.Rank, last.SubjectID)
		}
		like := "%" + escapeLike(model.Fold(search)) + "%"
		where += " AND (" + r.fold("email") + " LIKE ? ESCAPE '!' OR " + r.fold("name") + " LIKE ? ESCAPE '!')"
		args = append(args, like, like)
	}
	list, err = r.decisions(where+" ORDER BY rank, subject_id LIMIT ?", append(args, limit))
	return list, floor, err
}
