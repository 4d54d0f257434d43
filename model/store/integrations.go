package store

import (
	"time"

	"usher/model"
)

// usedEvery is how exact the time of last use of a key or token is kept.
const usedEvery = time.Minute

// Integration reads one integration.
func (r *Reader) Integration(ref model.Ref) (model.Integration, error) {
	if !ValidID(ref.IntegrationID) {
		return model.Integration{}, notFound("integration", ref.IntegrationID)
	}
	return one[model.Integration](r, "integration", ref.IntegrationID, "organization_id = ? AND id = ?", ref.OrganizationID, ref.IntegrationID)
}

// Integrations reads all of an organization's integrations, in the order of ids.
func (r *Reader) Integrations(organizationID string) ([]model.Integration, error) {
	db, err := r.orm()
	if err != nil {
		return nil, translate(err)
	}
	list := []model.Integration{}
	return list, translate(db.Where("organization_id = ?", organizationID).Order("id").Find(&list).Error)
}

// IntegrationsAfter gives a page of an organization's integrations in the order of ids.
func (r *Reader) IntegrationsAfter(organizationID, after string, limit int) ([]model.Integration, error) {
	return page[model.Integration](r, after, limit, "organization_id = ?", organizationID)
}

// InsertIntegration stores a new integration; ID and times are set here.
func (tx *Tx) InsertIntegration(i *model.Integration) error {
	i.ID, i.CreatedAt, i.UpdatedAt, i.AlertedAt = NewID(), tx.now, tx.now, time.Unix(0, 0).UTC()
	return tx.insert(i)
}

// UpdateIntegration writes every setting of an integration.
func (tx *Tx) UpdateIntegration(i *model.Integration) error {
	i.UpdatedAt = tx.now
	return tx.update(i, "integration", i.ID, []string{
		"name", "tenant_id", "role_sync", "default_role", "scope", "nested_groups", "require_group", "read_only",
		"write_back", "calendar_sync", "priority", "guard", "graph", "owner", "updated_at",
	}, "organization_id = ? AND id = ?", i.OrganizationID, i.ID)
}

// ClaimAlert notes that a mass deactivation is reported now, and says whether that is due: not again within the period.
func (tx *Tx) ClaimAlert(ref model.Ref, period time.Duration) (bool, error) {
	claimed := false
	err := tx.query(statement{
		sql:      "UPDATE integrations SET alerted_at = ? WHERE organization_id = ? AND id = ? AND alerted_at < ?",
		args:     []any{tx.now, ref.OrganizationID, ref.IntegrationID, tx.now.Add(-period)},
		affected: func(n int64) error { claimed = n == 1; return nil },
	})
	return claimed, translate(err)
}

// DeleteIntegration removes an integration with its mirror, links, runs, tokens and secrets. Accounts stay.
func (tx *Tx) DeleteIntegration(ref model.Ref) error {
	mirror := []any{ref.OrganizationID, ref.IntegrationID}
	tx.buffer(
		statement{sql: "DELETE FROM memberships WHERE organization_id = ? AND integration_id = ?", args: mirror},
		statement{sql: "DELETE FROM pending_members WHERE organization_id = ? AND integration_id = ?", args: mirror},
		statement{sql: "DELETE FROM import_members WHERE organization_id = ? AND integration_id = ?", args: mirror},
		statement{sql: "DELETE FROM import_users WHERE organization_id = ? AND integration_id = ?", args: mirror},
		statement{sql: "DELETE FROM directory_users WHERE organization_id = ? AND integration_id = ?", args: mirror},
		statement{sql: "DELETE FROM directory_groups WHERE organization_id = ? AND integration_id = ?", args: mirror},
		statement{
			sql: "DELETE FROM integrations WHERE organization_id = ? AND id = ?", args: mirror,
			affected: exactlyOne("integration", ref.IntegrationID),
		})
	return translate(tx.send())
}

// PutSecret seals away a secret of an integration under a name.
func (tx *Tx) PutSecret(s *model.SealedSecret) error {
	tx.buffer(
		statement{
			sql:  "DELETE FROM sealed_secrets WHERE organization_id = ? AND integration_id = ? AND name = ?",
			args: []any{s.OrganizationID, s.IntegrationID, s.Name},
		})
	s.ID, s.UpdatedAt = NewID(), tx.now
	return tx.insert(s)
}

// DeleteSecret forgets a secret.
func (tx *Tx) DeleteSecret(ref model.Ref, name string) {
	tx.buffer(statement{
		sql:  "DELETE FROM sealed_secrets WHERE organization_id = ? AND integration_id = ? AND name = ?",
		args: []any{ref.OrganizationID, ref.IntegrationID, name},
	})
}

// Secret reads a sealed secret.
func (r *Reader) Secret(ref model.Ref, name string) (model.SealedSecret, error) {
	return one[model.SealedSecret](r, "secret", name, "organization_id = ? AND integration_id = ? AND name = ?",
		ref.OrganizationID, ref.IntegrationID, name)
}

// SecretsAfter gives a page of all sealed secrets of the installation, for sealing them under a new key.
func (r *Reader) SecretsAfter(after string, limit int) ([]model.SealedSecret, error) {
	return page[model.SealedSecret](r, after, limit, "1 = 1")
}
