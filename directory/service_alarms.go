package directory

import (
	"context"

	"usher/model"
	"usher/model/store"
)

// The longest names of an alarm and of what happened, in bytes.
const (
	maxAlarm      = 200
	maxOccurrence = 200
)

// AcknowledgeAlarm stores that whoever acts has seen an alarm of the organization, with a line of the log that tells of it by
// its title. It is of that occurrence alone: when the same happens anew, the alarm is told of again.
func (s *Service) AcknowledgeAlarm(ctx context.Context, organizationID, alarm, occurrence, title string) error {
	if alarm == "" || len(alarm) > maxAlarm || len(occurrence) > maxOccurrence {
		return model.FieldErrorf(model.Invalid, "alarm", "is not the name of an alarm")
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		if _, err := tx.HoldSettings(organizationID); err != nil {
			return err
		}
		a := model.Acknowledgement{OrganizationID: organizationID, Alarm: alarm, Occurrence: occurrence, Actor: ActorOf(ctx)}
		if err := tx.PutAcknowledgement(&a); err != nil {
			return err
		}
		return s.logSetting(ctx, tx, organizationID, nil, "alarm.acknowledged", "alarm", alarm, title, "acknowledged: "+title, map[string]any{"occurrence": occurrence})
	})
}
