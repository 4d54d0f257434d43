package store

import (
	"time"

	"usher/model"
)

// Operator reads an operator by id.
func (r *Reader) Operator(organizationID, id string) (model.Operator, error) {
	if !ValidID(id) {
		return model.Operator{}, notFound("operator", id)
	}
	return one[model.Operator](r, "operator", id, "organization_id = ? AND id = ?", organizationID, id)
}

// OperatorByEntra reads an operator by the object id that Entra knows it by.
func (r *Reader) OperatorByEntra(organizationID, objectID string) (model.Operator, error) {
	return one[model.Operator](r, "operator", objectID, "organization_id = ? AND entra_object_id <> '' AND entra_object_id = ?", organizationID, objectID)
}

// LockOperators keeps other writers of the organization's operators out until the transaction ends, and reads them all: there
// are few.
func (tx *Tx) LockOperators(organizationID string) ([]model.Operator, error) {
	if !ValidID(organizationID) {
		return nil, notFound("organization", organizationID)
	}
	found := false
	err := tx.query(statement{ // the organization's row, so that a first operator meets another one, too
		sql:  "SELECT id FROM organizations WHERE id = ?" + tx.forUpdate(),
		args: []any{organizationID},
		scan: func(row scanner) error { found = true; var id string; return row.Scan(&id) },
	})
	if err == nil && !found {
		err = notFound("organization", organizationID)
	}
	if err != nil {
		return nil, translate(err)
	}
	return tx.OperatorsAfter(organizationID, "", maxOperators)
}

// maxOperators is how many operators are looked at where all of them count.
const maxOperators = 10_000

// CountOperators counts the operators of an organization.
func (r *Reader) CountOperators(organizationID string) (int, error) {
	var n int
	err := r.query(statement{
		sql:  "SELECT count(*) FROM operators WHERE organization_id = ?",
		args: []any{organizationID},
		scan: func(row scanner) error { return row.Scan(&n) },
	})
	return n, translate(err)
}

// OperatorSession reads a session by its id, whatever organization it belongs to: the session is what tells.
func (r *Reader) OperatorSession(id string) (model.OperatorSession, error) {
	return one[model.OperatorSession](r, "session", id, "id = ?", id)
}

// OperatorSessions gives the sessions of an operator, newest first, of which at most limit.
func (r *Reader) OperatorSessions(organizationID, operatorID string, limit int) ([]model.OperatorSession, error) {
	list := []model.OperatorSession{}
	if !ValidID(operatorID) {
		return list, nil
	}
	db, err := r.orm()
	if err != nil {
		return nil, translate(err)
	}
	err = db.Where("organization_id = ? AND operator_id = ?", organizationID, operatorID).Order("id DESC").Limit(limit).Find(&list).Error
	return list, translate(err)
}

// InsertOperatorSession stores a new session; the caller sets its ID, which the cookie carries.
func (tx *Tx) InsertOperatorSession(o *model.OperatorSession) error {
	o.CreatedAt, o.SeenAt = tx.now, tx.now
	return tx.insert(o)
}

// UseOperatorSession notes that a session was used, at most once a minute.
func (tx *Tx) UseOperatorSession(id string) {
	tx.buffer(statement{
		sql:  "UPDATE operator_sessions SET seen_at = ? WHERE id = ? AND seen_at < ?",
		args: []any{tx.now, id, tx.now.Add(-usedEvery)},
	})
}

// DeleteOperatorSession ends one session of an operator.
func (tx *Tx) DeleteOperatorSession(organizationID, operatorID, id string) error {
	return remove[model.OperatorSession](tx, "session", id, "organization_id = ? AND operator_id = ? AND id = ?", organizationID, operatorID, id)
}

// DeleteOperatorSessions ends the sessions of an operator, all but the one with the id apart.
func (tx *Tx) DeleteOperatorSessions(organizationID, operatorID, apart string) {
	if apart == "" {
		apart = firstID
	}
	tx.buffer(statement{
		sql:  "DELETE FROM operator_sessions WHERE organization_id = ? AND operator_id = ? AND id <> ?",
		args: []any{organizationID, operatorID, apart},
	})
}

// DeleteEndedSessions removes the sessions and links of the installation that nobody can use any more.
func (tx *Tx) DeleteEndedSessions(before time.Time) {
	tx.buffer(
		statement{sql: "DELETE FROM operator_sessions WHERE expires_at < ?", args: []any{before.UTC()}},
		statement{sql: "DELETE FROM operator_links WHERE expires_at < ?", args: []any{before.UTC()}},
	)
}

// OperatorLink reads a link by its id, whatever organization it belongs to.
func (r *Reader) OperatorLink(id string) (model.OperatorLink, error) {
	return one[model.OperatorLink](r, "link", id, "id = ?", id)
}

// InsertOperatorLink stores a new link; the caller sets its ID, which the link carries.
func (tx *Tx) InsertOperatorLink(l *model.OperatorLink) error {
	l.CreatedAt = tx.now
	return tx.insert(l)
}

// DeleteOperatorLink uses a link up. Of two who use it at once the second finds nothing.
func (tx *Tx) DeleteOperatorLink(organizationID, id string) error {
	return remove[model.OperatorLink](tx, "link", id, "organization_id = ? AND id = ?", organizationID, id)
}

// DeleteOperatorLinks removes the links of an operator, those for the first one where operatorID is "".
func (tx *Tx) DeleteOperatorLinks(organizationID, operatorID string) {
	if operatorID == "" {
		tx.buffer(statement{
			sql:  "DELETE FROM operator_links WHERE organization_id = ? AND operator_id IS NULL",
			args: []any{organizationID},
		})
		return
	}
	tx.buffer(statement{
		sql:  "DELETE FROM operator_links WHERE organization_id = ? AND operator_id = ?",
		args: []any{organizationID, operatorID},
	})
}
