package store

import (
	"time"

	"usher/model"
)

// manyAlarms bounds what an organization is told of one kind of alarm.
const manyAlarms = 100

// FailingWebhookEndpoints gives endpoints of an organization that fail, or that Usher has stopped calling, the longest first.
func (r *Reader) FailingWebhookEndpoints(organizationID string) ([]model.WebhookEndpoint, error) {
	db, err := r.orm()
	if err != nil {
		return nil, translate(err)
	}
	list := []model.WebhookEndpoint{}
	err = db.Where("organization_id = ? AND (state = 'disabled' OR state = 'active' AND failing_since IS NOT NULL)", organizationID).
		Order("failing_since, id").Limit(manyAlarms).Find(&list).Error
	return list, translate(err)
}

// EndingAPIKeys gives keys of an organization that end between two times, the first one first.
func (r *Reader) EndingAPIKeys(organizationID string, from, to time.Time) ([]model.APIKey, error) {
	db, err := r.orm()
	if err != nil {
		return nil, translate(err)
	}
	list := []model.APIKey{}
	err = db.Where("organization_id = ? AND expires_at > ? AND expires_at <= ?", organizationID, from.UTC(), to.UTC()).
		Order("expires_at, id").Limit(manyAlarms).Find(&list).Error
	return list, translate(err)
}

// manySecrets is how many sealed secrets of an organization are looked at.
const manySecrets = 1000

// SecretsOf gives the sealed secrets of an organization's integrations, the oldest first.
func (r *Reader) SecretsOf(organizationID string) ([]model.SealedSecret, error) {
	db, err := r.orm()
	if err != nil {
		return nil, translate(err)
	}
	list := []model.SealedSecret{}
	err = db.Where(ofOrganization, organizationID).Order("updated_at, id").Limit(manySecrets).Find(&list).Error
	return list, translate(err)
}
