package store

import (
	"time"

	"usher/model"
)

// maxAcknowledgements bounds how many an organization is asked for; what is not among them is told of again.
const maxAcknowledgements = 1000

// acknowledgedFor is how long an acknowledgement is kept at most: what then still is the case is told of again.
const acknowledgedFor = 365 * 24 * time.Hour

// Acknowledgements gives the alarms that operators of the organization have acknowledged, the newest first, at most a thousand.
func (r *Reader) Acknowledgements(organizationID string) ([]model.Acknowledgement, error) {
	db, err := r.orm()
	if err != nil {
		return nil, translate(err)
	}
	list := []model.Acknowledgement{}
	err = db.Where(ofOrganization, organizationID).Order("at DESC, alarm").Limit(maxAcknowledgements).Find(&list).Error
	for i := range list {
		list[i].At = list[i].At.UTC()
	}
	return list, translate(err)
}

// PutAcknowledgement stores that an alarm was acknowledged now, instead of what was known of it; those that are a year old go.
func (tx *Tx) PutAcknowledgement(a *model.Acknowledgement) error {
	a.At = tx.now
	tx.buffer(
		statement{
			sql:  "DELETE FROM acknowledgements WHERE organization_id = ? AND (alarm = ? OR at < ?)",
			args: []any{a.OrganizationID, a.Alarm, tx.now.Add(-acknowledgedFor)},
		},
		statement{
			sql:  "INSERT INTO acknowledgements (organization_id, alarm, occurrence, actor, at) VALUES (?,?,?,?,?)",
			args: []any{a.OrganizationID, a.Alarm, a.Occurrence, a.Actor, a.At},
		})
	return nil
}
