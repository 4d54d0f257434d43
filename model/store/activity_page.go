package store

import "usher/model"

// activityScan is how many lines of the log are looked at for one page where no index leads to those that are wanted.
const activityScan = 10_000

// ActivityPage is ActivitiesBefore at a bounded cost: a page looks at so many lines, and may hold fewer than limit although there are
// more. next is the id behind which the next page begins, "" where there is none.
func (r *Reader) ActivityPage(organizationID string, f ActivityFilter, before string, limit int) (list []model.Activity, next string, err error) {
	if f != (ActivityFilter{SubjectID: f.SubjectID, From: f.From, To: f.To}) {
		if f.floor, err = r.activityFloor(organizationID, before); err != nil {
			return nil, "", err
		}
	}
	list, err = r.ActivitiesBefore(organizationID, f, before, limit+1)
	if len(list) > limit {
		return list[:limit], list[limit-1].ID, err
	}
	return list, f.floor, err
}

// activityFloor gives the id of the last line that a page looks at, "" where there are not that many.
func (r *Reader) activityFloor(organizationID, before string) (string, error) {
	where, args := "organization_id = ?", []any{organizationID}
	if before != "" {
		if !ValidID(before) {
			return "", model.FieldErrorf(model.Invalid, "after", "is not a cursor of this list")
		}
		where, args = where+" AND id < ?", append(args, before)
	}
	floor := ""
	err := r.query(statement{
		sql:  "SELECT id FROM activities WHERE " + where + " ORDER BY id DESC LIMIT 1 OFFSET ?",
		args: append(args, activityScan-1),
		scan: func(row scanner) error { return row.Scan(&floor) },
	})
	return floor, translate(err)
}
