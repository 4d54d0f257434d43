package store

import (
	"encoding/json"
	"strings"
	"time"

	"usher/model"
)

// Log appends a line to the administrator's log. data may be nil.
func (tx *Tx) Log(a model.Activity, data any) error {
	raw := []byte("null")
	if data != nil {
		var err error
		if raw, err = json.Marshal(data); err != nil {
			return err
		}
	}
	tx.log.add(NewID(), a.OrganizationID, a.IntegrationID, a.Actor, a.Action, a.SubjectType, a.SubjectID, a.Subject, a.Summary, string(raw))
	return nil
}

// ActivityFilter narrows the log; the zero value is all of the organization.
type ActivityFilter struct {
	Integration string
	Actor       string
	Subject     string // id or exact name of the subject
	SubjectID   string // id alone, which has an index
	From, To    time.Time
	Search      string // part of the summary or the subject, without case

	floor string // the id of the oldest line that is looked at
}

// ActivitiesBefore gives a page of the log, newest first, of lines older than the one with the id before.
func (r *Reader) ActivitiesBefore(organizationID string, f ActivityFilter, before string, limit int) ([]model.Activity, error) {
	where, args := []string{"organization_id = ?"}, []any{organizationID}
	add := func(condition string, values ...any) {
		where = append(where, condition)
		args = append(args, values...)
	}
	if before != "" {
		if !ValidID(before) {
			return nil, model.FieldErrorf(model.Invalid, "after", "is not a cursor of this list")
		}
		add("id < ?", before)
	}
	if f.floor != "" {
		add("id >= ?", f.floor)
	}
	if f.Integration != "" {
		if !ValidID(f.Integration) {
			return []model.Activity{}, nil
		}
		add("integration_id = ?", f.Integration)
	}
	if f.Actor != "" {
		add("actor = ?", f.Actor)
	}
	if f.Subject != "" {
		add("(subject_id = ? OR subject = ?)", f.Subject, f.Subject)
	}
	if f.SubjectID != "" {
		add("subject_id = ?", f.SubjectID)
	}
	if !f.From.IsZero() {
		add("occurred_at >= ?", f.From.UTC())
	}
	if !f.To.IsZero() {
		add("occurred_at < ?", f.To.UTC())
	}
	if f.Search != "" {
		like := "%" + escapeLike(model.Fold(f.Search)) + "%"
		add("("+r.fold("summary")+" LIKE ? ESCAPE '!' OR "+r.fold("subject")+" LIKE ? ESCAPE '!')", like, like)
	}
	var list []model.Activity
	err := r.query(statement{
		sql: `SELECT id, organization_id, integration_id, occurred_at, actor, action, subject_type, subject_id, subject, summary, data
 FROM activities WHERE ` + strings.Join(where, " AND ") + ` ORDER BY id DESC LIMIT ?`,
		args: append(args, limit),
		scan: func(row scanner) error { return scanAppend(row, &list, scanActivity) },
	})
	return list, translate(err)
}

func scanActivity(r scanner, a *model.Activity) error {
	var data []byte
	err := r.Scan(&a.ID, &a.OrganizationID, &a.IntegrationID, &a.OccurredAt, &a.Actor, &a.Action, &a.SubjectType, &a.SubjectID,
		&a.Subject, &a.Summary, &data)
	a.OccurredAt, a.Data = a.OccurredAt.UTC(), data
	return err
}

// fold gives an expression that is text without case, as model.Fold has it on SQLite, and as near as the database's
// locale comes to it on PostgreSQL. Keys that must match exactly are columns that were folded here.
func (r *Reader) fold(expression string) string {
	if r.s.dialect == postgres {
		return "lower(" + expression + ")"
	}
	return "usher_fold(" + expression + ")"
}

// escapeLike escapes the wildcards of LIKE for ESCAPE '!'.
func escapeLike(s string) string {
	return strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(s)
}
