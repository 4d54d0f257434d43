package store

import (
	"database/sql"
	"encoding/json"
	"strconv"
	"strings"

	"usher/model"
)

const decisionColumns = `run_id, subject_id, organization_id, email, name, action, rank, changes, reason, state, note, digest, user_version,
 account_id, account_version, was, applied_version`

func scanDecision(r scanner, d *model.RunDecision) error {
	var changes []byte
	var was sql.NullString
	err := r.Scan(&d.RunID, &d.SubjectID, &d.OrganizationID, &d.Email, &d.Name, &d.Action, &d.Rank, &changes, &d.Reason, &d.State, &d.Note,
		&d.Digest, &d.UserVersion, &d.AccountID, &d.AccountVersion, &was, &d.AppliedVersion)
	if err == nil && was.Valid {
		err = json.Unmarshal([]byte(was.String), &d.Was)
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(changes, &d.Changes)
}

// PutRunDecisions stores decisions of a run: a page of its plan, or what became of one. A decision on the same subject is
// replaced, so that a page that is worked again after a crash counts once; what stood before the run first changed the
// person is kept for good.
func (tx *Tx) PutRunDecisions(list []model.RunDecision) error {
	for i := range list {
		d := &list[i]
		changes, err := json.Marshal(d.Changes)
		if err != nil {
			return err
		}
		var was any
		if d.Was != nil {
			raw, err := json.Marshal(d.Was)
			if err != nil {
				return err
			}
			was = string(raw)
		}
		state := d.State
		if state == "" {
			state = model.DecisionPlanned
		}
		tx.buffer(statement{
			sql: "INSERT INTO run_decisions (" + decisionColumns + `) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
 ON CONFLICT (organization_id, run_id, subject_id) DO UPDATE SET email = excluded.email, name = excluded.name, action = excluded.action,
 rank = excluded.rank, changes = excluded.changes, reason = excluded.reason, state = excluded.state, note = excluded.note,
 digest = excluded.digest, user_version = excluded.user_version, account_version = excluded.account_version,
 account_id = COALESCE(excluded.account_id, run_decisions.account_id), was = COALESCE(run_decisions.was, excluded.was),
 applied_version = CASE WHEN excluded.applied_version > 0 THEN excluded.applied_version ELSE run_decisions.applied_version END`,
			args: []any{
				d.RunID, d.SubjectID, d.OrganizationID, d.Email, d.Name, string(d.Action), d.Action.Rank(), string(changes), d.Reason,
				string(state), d.Note, d.Digest, d.UserVersion, d.AccountID, d.AccountVersion, was, d.AppliedVersion,
			},
		})
	}
	return nil
}

// DecisionCursor gives the place of a decision in RunDecisionsAfter.
func DecisionCursor(d model.RunDecision) string { return strconv.Itoa(d.Rank) + "." + d.SubjectID }

// RunDecisionsAfter gives a page of a run's plan: deactivations first, then as Action.Rank orders them, each in the order of
// subjects. after is the DecisionCursor of the last one seen, "" at the start.
func (r *Reader) RunDecisionsAfter(organizationID, runID string, action model.Action, after string, limit int) ([]model.RunDecision, error) {
	rank, subject, err := decisionPlace(after)
	if err != nil || !ValidID(runID) {
		return []model.RunDecision{}, err
	}
	where, args := "", []any{organizationID, runID, rank, subject}
	if action != "" {
		where, args = " AND rank = ? AND action = ?", append(args, action.Rank(), string(action))
	}
	return r.decisions("organization_id = ? AND run_id = ? AND (rank, subject_id) > (?, ?)"+where+" ORDER BY rank, subject_id LIMIT ?", append(args, limit))
}

func decisionPlace(after string) (rank int, subject string, err error) {
	if after == "" {
		return 0, firstID, nil
	}
	text, subject, _ := strings.Cut(after, ".")
	rank, err = strconv.Atoi(text)
	if err != nil || rank < 0 || rank > 100 || !ValidID(subject) {
		return 0, "", model.FieldErrorf(model.Invalid, "after", "is not a cursor of this list")
	}
	return rank, subject, nil
}

func (r *Reader) decisions(where string, args []any) ([]model.RunDecision, error) {
	list := []model.RunDecision{}
	err := r.query(statement{
		sql: "SELECT " + decisionColumns + " FROM run_decisions WHERE " + where, args: args,
		scan: func(row scanner) error { return scanAppend(row, &list, scanDecision) },
	})
	return list, translate(err)
}

// RunDecisionsOf gives what a run's plan says about some subjects.
func (r *Reader) RunDecisionsOf(organizationID, runID string, subjects []string) ([]model.RunDecision, error) {
	subjects = validIDs(subjects)
	if len(subjects) == 0 || !ValidID(runID) {
		return nil, nil
	}
	return r.decisions("organization_id = ? AND run_id = ? AND subject_id"+r.anyOf("uuid", subjects), []any{organizationID, runID, r.list(subjects)})
}

// PlannedAfter gives a page of the decisions of a run that are still to be applied, in the order of subjects; those that give no
// account are left out.
func (r *Reader) PlannedAfter(organizationID, runID, after string, limit int) ([]model.RunDecision, error) {
	return r.decisionsAfter("state = 'planned' AND action <> 'skip'", organizationID, runID, after, limit)
}

// UndoableAfter gives a page of the decisions that a run applied, in the order of subjects, with what stood before.
func (r *Reader) UndoableAfter(organizationID, runID, after string, limit int) ([]model.RunDecision, error) {
	return r.decisionsAfter("was IS NOT NULL", organizationID, runID, after, limit)
}

func (r *Reader) decisionsAfter(which, organizationID, runID, after string, limit int) ([]model.RunDecision, error) {
	if after == "" {
		after = firstID
	}
	if !ValidID(runID) || !ValidID(after) {
		return nil, nil
	}
	return r.decisions("organization_id = ? AND run_id = ? AND subject_id > ? AND "+which+" ORDER BY subject_id LIMIT ?",
		[]any{organizationID, runID, after, limit})
}

// CountPlanned counts the decisions of a run that are still to be applied.
func (r *Reader) CountPlanned(organizationID, runID string) (int, error) {
	return r.countDecisions("state = 'planned' AND action <> 'skip'", organizationID, runID)
}

// CountUndoable counts the people that a run changed.
func (r *Reader) CountUndoable(organizationID, runID string) (int, error) {
	return r.countDecisions("was IS NOT NULL", organizationID, runID)
}

// CountLeft counts the people whom a run left as they are for one of the reasons.
func (r *Reader) CountLeft(organizationID, runID string, notes []string) (int, error) {
	return r.countDecisions("state = 'left' AND note"+r.anyOf("text", notes), organizationID, runID, r.list(notes))
}

func (r *Reader) countDecisions(which, organizationID, runID string, args ...any) (int, error) {
	if !ValidID(runID) {
		return 0, nil
	}
	var n int
	err := r.query(statement{
		sql: "SELECT count(*) FROM run_decisions WHERE organization_id = ? AND run_id = ? AND " + which, args: append([]any{organizationID, runID}, args...),
		scan: func(row scanner) error { return row.Scan(&n) },
	})
	return n, translate(err)
}

// MovedDecisions gives decisions that are still to be applied to people whose rows are not those any more that the plan was
// made from, in the order of subjects.
func (r *Reader) MovedDecisions(organizationID, runID string, limit int) ([]model.RunDecision, error) {
	if !ValidID(runID) {
		return nil, nil
	}
	columns := "d." + strings.ReplaceAll(decisionColumns, ", ", ", d.")
	columns = strings.ReplaceAll(columns, ",\n ", ",\n d.")
	list := []model.RunDecision{}
	err := r.query(statement{
		sql: "SELECT " + columns + ` FROM run_decisions d
 LEFT JOIN directory_users u ON u.id = d.subject_id AND u.organization_id = d.organization_id
 LEFT JOIN accounts a ON a.id = d.account_id AND a.organization_id = d.organization_id
 WHERE d.organization_id = ? AND d.run_id = ? AND d.state = 'planned' AND d.action <> 'skip'
 AND (COALESCE(u.version, 0) <> d.user_version OR COALESCE(a.version, 0) <> d.account_version) ORDER BY d.subject_id LIMIT ?`,
		args: []any{organizationID, runID, limit},
		scan: func(row scanner) error { return scanAppend(row, &list, scanDecision) },
	})
	return list, translate(err)
}
