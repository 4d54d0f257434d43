package store

import (
	"time"

	"usher/model"
)

const ofOrganization = "organization_id = ?"

// WebhookEndpoint reads an endpoint.
func (r *Reader) WebhookEndpoint(organizationID, id string) (model.WebhookEndpoint, error) {
	if !ValidID(id) {
		return model.WebhookEndpoint{}, notFound("webhook endpoint", id)
	}
	return one[model.WebhookEndpoint](r, "webhook endpoint", id, ofOrganization+" AND id = ?", organizationID, id)
}

// WebhookEndpointsAfter gives a page of an organization's endpoints in the order of ids.
func (r *Reader) WebhookEndpointsAfter(organizationID, after string, limit int) ([]model.WebhookEndpoint, error) {
	return page[model.WebhookEndpoint](r, after, limit, ofOrganization, organizationID)
}

// CountWebhookEndpoints says how many endpoints the organization has.
func (r *Reader) CountWebhookEndpoints(organizationID string) (int, error) {
	db, err := r.orm()
	if err != nil {
		return 0, translate(err)
	}
	var n int64
	err = db.Model(&model.WebhookEndpoint{}).Where(ofOrganization, organizationID).Count(&n).Error
	return int(n), translate(err)
}

// LockWebhookEndpoint reads an endpoint and keeps other writers of it out until the transaction ends.
func (tx *Tx) LockWebhookEndpoint(organizationID, id string) (model.WebhookEndpoint, error) {
	if !ValidID(id) {
		return model.WebhookEndpoint{}, notFound("webhook endpoint", id)
	}
	err := tx.query(statement{
		sql:  "SELECT id FROM webhook_endpoints WHERE " + ofOrganization + " AND id = ?" + tx.forUpdate(),
		args: []any{organizationID, id}, scan: func(row scanner) error { return row.Scan(new(string)) },
	})
	if err != nil {
		return model.WebhookEndpoint{}, translate(err)
	}
	return tx.WebhookEndpoint(organizationID, id)
}

// InsertWebhookEndpoint stores a new endpoint; it gets its id and times.
func (tx *Tx) InsertWebhookEndpoint(e *model.WebhookEndpoint) error {
	e.ID, e.CreatedAt, e.UpdatedAt = NewID(), tx.now, tx.now
	e.Types = append([]string{}, e.Types...) // never null
	return tx.insert(e)
}

// UpdateWebhookEndpoint writes what an administrator can change, and where the endpoint stands.
func (tx *Tx) UpdateWebhookEndpoint(e *model.WebhookEndpoint) error {
	e.UpdatedAt = tx.now
	e.Types = append([]string{}, e.Types...)
	return tx.update(e, "webhook endpoint", e.ID, []string{
		"url", "description", "types", "integration_id", "state", "reason", "replay_position", "replay_until", "next_at",
		"failing_since", "last_error", "updated_at",
	}, ofOrganization+" AND id = ?", e.OrganizationID, e.ID)
}

// DeleteWebhookEndpoint removes an endpoint with its secrets and deliveries.
func (tx *Tx) DeleteWebhookEndpoint(organizationID, id string) error {
	return remove[model.WebhookEndpoint](tx, "webhook endpoint", id, ofOrganization+" AND id = ?", organizationID, id)
}

// WebhookSecrets gives an endpoint's secrets that are live, the newest first.
func (r *Reader) WebhookSecrets(organizationID, endpointID string, now time.Time) ([]model.WebhookSecret, error) {
	db, err := r.orm()
	if err != nil {
		return nil, translate(err)
	}
	var list []model.WebhookSecret
	err = db.Where(ofOrganization+" AND endpoint_id = ? AND (ends_at IS NULL OR ends_at > ?)", organizationID, endpointID, now.UTC()).
		Order("id DESC").Find(&list).Error
	return list, translate(err)
}

// WebhookSecretsAfter gives a page of all secrets of the installation in the order of ids, to be sealed anew.
func (r *Reader) WebhookSecretsAfter(after string, limit int) ([]model.WebhookSecret, error) {
	return page[model.WebhookSecret](r, after, limit, "1 = 1")
}

// InsertWebhookSecret stores a new secret; its ID is set by the caller, because it is sealed with it.
func (tx *Tx) InsertWebhookSecret(s *model.WebhookSecret) error {
	s.CreatedAt = tx.now
	return tx.insert(s)
}

// EndWebhookSecrets lets an endpoint's secrets but one live until a time; what has ended before now is deleted.
func (tx *Tx) EndWebhookSecrets(organizationID, endpointID, but string, until time.Time) {
	tx.buffer(statement{
		sql: "UPDATE webhook_secrets SET ends_at = ? WHERE " + ofOrganization +
			" AND endpoint_id = ? AND id <> ? AND (ends_at IS NULL OR ends_at > ?)",
		args: []any{exact(&until), organizationID, endpointID, but, exact(&until)},
	})
	tx.buffer(statement{
		sql:  "DELETE FROM webhook_secrets WHERE " + ofOrganization + " AND endpoint_id = ? AND ends_at <= ?",
		args: []any{organizationID, endpointID, tx.now},
	})
}

// ResealWebhookSecret stores a secret that was sealed with another key.
func (tx *Tx) ResealWebhookSecret(s *model.WebhookSecret) error {
	return tx.update(s, "webhook secret", s.ID, []string{"key_id", "sealed"}, ofOrganization+" AND id = ?", s.OrganizationID, s.ID)
}

// AnyActiveWebhook says whether any endpoint of the installation is to be told of changes.
func (r *Reader) AnyActiveWebhook() (some bool, err error) {
	err = r.query(statement{
		sql:  "SELECT EXISTS (SELECT 1 FROM webhook_endpoints WHERE state = 'active')",
		scan: func(row scanner) error { return row.Scan(&some) },
	})
	return some, translate(err)
}

// WebhookEndpointsDue gives endpoints, of whatever organizations, that have something to be told, or are to be disabled behind what they
// were told, and that no worker has: those that have waited longest first.
func (r *Reader) WebhookEndpointsDue(now time.Time, limit int) ([]model.WebhookEndpoint, error) {
	db, err := r.orm()
	if err != nil {
		return nil, translate(err)
	}
	var list []model.WebhookEndpoint
	now = now.UTC()
	err = db.Where(`state = 'active' AND (leased_until IS NULL OR leased_until <= ?) AND (next_at <= ? OR replay_position IS NOT NULL
 OR next_at IS NULL AND reason <> '' OR EXISTS (SELECT 1 FROM changes c WHERE c.organization_id = webhook_endpoints.organization_id AND c.position > webhook_endpoints.position))`,
		now, now).Order("leased_until IS NOT NULL, leased_until, id").Limit(limit).Find(&list).Error
	return list, translate(err)
}

// LeaseWebhookEndpoint gives an endpoint to one worker until a time; ok is false where another has it, or it is not active.
func (tx *Tx) LeaseWebhookEndpoint(organizationID, id, lease string, until time.Time) (ok bool, err error) {
	err = tx.query(statement{
		sql: "UPDATE webhook_endpoints SET leased_until = ?, lease = ? WHERE " + ofOrganization +
			" AND id = ? AND state = 'active' AND (leased_until IS NULL OR leased_until <= ? OR lease = ?)",
		args:     []any{exact(&until), lease, organizationID, id, tx.now, lease},
		affected: func(n int64) error { ok = n == 1; return nil },
	})
	return ok, translate(err)
}

// RenewWebhookLeases keeps every endpoint that the worker has until a later time. One whose time was over before stays lost.
func (tx *Tx) RenewWebhookLeases(lease string, until time.Time) {
	tx.buffer(statement{
		sql:  "UPDATE webhook_endpoints SET leased_until = ? WHERE lease = ? AND leased_until > ? AND leased_until < ?",
		args: []any{exact(&until), lease, tx.now, exact(&until)},
	})
}

// ReleaseWebhookEndpoint gives an endpoint back, if the worker has it.
func (tx *Tx) ReleaseWebhookEndpoint(organizationID, id, lease string) error {
	tx.buffer(statement{
		sql:  "UPDATE webhook_endpoints SET leased_until = ? WHERE " + ofOrganization + " AND id = ? AND lease = ?",
		args: []any{tx.now, organizationID, id, lease},
	})
	return nil
}

// WebhooksOfIntegration locks and gives the endpoints, whatever their state, that are told of changes of the integration alone.
func (tx *Tx) WebhooksOfIntegration(ref model.Ref) ([]model.WebhookEndpoint, error) {
	err := tx.query(statement{
		sql:  "SELECT id FROM webhook_endpoints WHERE " + ofIntegration + " ORDER BY id" + tx.forUpdate(),
		args: []any{ref.OrganizationID, ref.IntegrationID}, scan: func(row scanner) error { return row.Scan(new(string)) },
	})
	if err != nil {
		return nil, translate(err)
	}
	db, err := tx.orm()
	if err != nil {
		return nil, translate(err)
	}
	var list []model.WebhookEndpoint
	err = db.Where(ofIntegration, ref.OrganizationID, ref.IntegrationID).Order("id").Find(&list).Error
	return list, translate(err)
}
