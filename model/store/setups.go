package store

import (
	"time"

	"gorm.io/gorm/clause"

	"usher/model"
)

// setupColumns are what somebody who works a set-up writes.
func setupColumns() []string {
	return []string{
		"task", "state", "options", "steps", "error", "actor", "entra", "token_id", "job", "job_at", "job_error", "sign_in", "sign_in_id", "stored",
		"quarantine_told", "attempts", "lease", "leased", "updated_at",
	}
}

// Setup reads the set-up of an integration; NotFound where nobody has asked for one.
func (r *Reader) Setup(ref model.Ref) (model.Setup, error) {
	if !ValidID(ref.IntegrationID) {
		return model.Setup{}, notFound("set-up of integration", ref.IntegrationID)
	}
	return one[model.Setup](r, "set-up of integration", ref.IntegrationID, ofIntegration, ref.OrganizationID, ref.IntegrationID)
}

// LockSetup reads the set-up of an integration, which is made where there is none, and keeps other writers of it out until the
// transaction ends.
func (tx *Tx) LockSetup(ref model.Ref) (model.Setup, error) {
	if _, err := tx.Integration(ref); err != nil {
		return model.Setup{}, err
	}
	now := tx.now
	fresh := model.Setup{
		OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID, State: model.TaskNone, Steps: []model.TaskStep{},
		Options: model.SetupOptions{Groups: []string{}}, CreatedAt: now, UpdatedAt: now,
	}
	db, err := tx.orm()
	if err != nil {
		return fresh, err
	}
	if err := db.Clauses(clause.OnConflict{DoNothing: true}).Create(&fresh).Error; err != nil {
		return fresh, translate(err)
	}
	err = tx.query(statement{
		sql: "SELECT integration_id FROM setups WHERE " + ofIntegration + tx.forUpdate(), args: []any{ref.OrganizationID, ref.IntegrationID},
		scan: func(row scanner) error { return row.Scan(new(string)) },
	})
	if err != nil {
		return fresh, translate(err)
	}
	return tx.Setup(ref)
}

// SaveSetup writes a set-up that is locked.
func (tx *Tx) SaveSetup(s *model.Setup) error {
	s.UpdatedAt = tx.now
	if s.Steps == nil {
		s.Steps = []model.TaskStep{}
	}
	return tx.update(s, "set-up of integration", s.IntegrationID, setupColumns(), ofIntegration, s.OrganizationID, s.IntegrationID)
}

// SetupsAfter gives a page of the set-ups of every organization that have a job to be watched or a task that is open, in the order
// of integrations.
func (r *Reader) SetupsAfter(after string, limit int) ([]model.Setup, error) {
	db, err := r.orm()
	if err != nil {
		return nil, translate(err)
	}
	list := []model.Setup{}
	err = db.Where("integration_id > ?", orLeast(after)).Order("integration_id").Limit(limit).Find(&list).Error
	return list, translate(err)
}

// EndSCIMToken has a token end at a time, unless it ends before. Nobody is warned of that end: it was asked for.
func (tx *Tx) EndSCIMToken(ref model.Ref, id string, at time.Time) error {
	if !ValidID(id) {
		return notFound("token", id)
	}
	return translate(tx.query(statement{
		sql:  "UPDATE scim_tokens SET expires_at = ?, warned_days = 0 WHERE " + ofIntegration + " AND id = ? AND (expires_at IS NULL OR expires_at > ?)",
		args: []any{at.UTC(), ref.OrganizationID, ref.IntegrationID, id, at.UTC()},
	}))
}

// Removals

// removalColumns are what somebody who works a removal writes.
func removalColumns() []string {
	return []string{"state", "removed", "steps", "leftovers", "key_id", "access", "attempts", "lease", "leased", "updated_at", "ended_at"}
}

// InsertRemoval notes that an integration is being removed; times are set here.
func (tx *Tx) InsertRemoval(r *model.Removal) error {
	r.CreatedAt, r.UpdatedAt = tx.now, tx.now
	wholeRemoval(r)
	return tx.insert(r)
}

func wholeRemoval(r *model.Removal) {
	if r.Removed == nil {
		r.Removed = map[string]int{}
	}
	if r.Steps == nil {
		r.Steps = []model.TaskStep{}
	}
	if r.Left == nil {
		r.Left = []model.Leftover{}
	}
	if r.Access == nil {
		r.Access = []byte{}
	}
}

// Removal reads the removal of an integration that is gone.
func (r *Reader) Removal(ref model.Ref) (model.Removal, error) {
	if !ValidID(ref.IntegrationID) {
		return model.Removal{}, notFound("integration", ref.IntegrationID)
	}
	return one[model.Removal](r, "integration", ref.IntegrationID, "organization_id = ? AND id = ?", ref.OrganizationID, ref.IntegrationID)
}

// LockRemoval reads a removal and keeps other writers of it out until the transaction ends.
func (tx *Tx) LockRemoval(ref model.Ref) (model.Removal, error) {
	if !ValidID(ref.IntegrationID) {
		return model.Removal{}, notFound("integration", ref.IntegrationID)
	}
	err := tx.query(statement{
		sql: "SELECT id FROM removals WHERE organization_id = ? AND id = ?" + tx.forUpdate(), args: []any{ref.OrganizationID, ref.IntegrationID},
		scan: func(row scanner) error { return row.Scan(new(string)) },
	})
	if err != nil {
		return model.Removal{}, translate(err)
	}
	return tx.Removal(ref)
}

// SaveRemoval writes a removal that is locked.
func (tx *Tx) SaveRemoval(r *model.Removal) error {
	r.UpdatedAt = tx.now
	wholeRemoval(r)
	return tx.update(r, "integration", r.IntegrationID, removalColumns(), "organization_id = ? AND id = ?", r.OrganizationID, r.IntegrationID)
}

// RemovalsAfter gives a page of an organization's removals in the order of ids.
func (r *Reader) RemovalsAfter(organizationID, after string, limit int) ([]model.Removal, error) {
	return page[model.Removal](r, after, limit, "organization_id = ?", organizationID)
}

// OpenRemovals gives a page of the removals of every organization that have not ended.
func (r *Reader) OpenRemovals(after string, limit int) ([]model.Removal, error) {
	return page[model.Removal](r, after, limit, "ended_at IS NULL")
}

// TrimRemovals forgets the removals that ended before a time.
func (tx *Tx) TrimRemovals(before time.Time) {
	tx.buffer(statement{sql: "DELETE FROM removals WHERE ended_at IS NOT NULL AND ended_at < ?", args: []any{before.UTC()}})
}

// DeleteSCIMLog deletes some of the request log of an integration, and says whether there may be more.
func (tx *Tx) DeleteSCIMLog(ref model.Ref, limit int) (more bool, err error) {
	if !ValidID(ref.IntegrationID) {
		return false, nil
	}
	for _, table := range scimLogTables() {
		err := tx.query(statement{
			sql:      "DELETE FROM " + table + " WHERE " + ofIntegration + " AND id IN (SELECT id FROM " + table + " WHERE " + ofIntegration + " ORDER BY id LIMIT ?)",
			args:     []any{ref.OrganizationID, ref.IntegrationID, ref.OrganizationID, ref.IntegrationID, limit},
			affected: func(n int64) error { more = more || int(n) >= limit; return nil },
		})
		if err != nil {
			return false, translate(err)
		}
	}
	return more, nil
}

// IntegrationsOfApp counts the integrations of the whole installation, whatever their organization, that reach a tenant as the same
// application.
func (r *Reader) IntegrationsOfApp(tenantID, clientID string) (int, error) {
	field := "json_extract(graph, '$.client_id')"
	if r.s.dialect == postgres {
		field = "graph ->> 'client_id'"
	}
	n := 0
	err := r.query(statement{
		sql: "SELECT count(*) FROM integrations WHERE lower(tenant_id) = lower(?) AND lower(" + field + ") = lower(?)", args: []any{tenantID, clientID},
		scan: func(row scanner) error { return row.Scan(&n) },
	})
	return n, translate(err)
}
