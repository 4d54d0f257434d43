package calendarbridge

import (
	"context"

	"usher/model"
	"usher/model/store"
)

// SyncNow asks for a round of a calendar although nothing was notified.
func (s *Service) SyncNow(ctx context.Context, organizationID, id string) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		cal, err := tx.LockCalendar(organizationID, id)
		if err != nil {
			return err
		}
		if !cal.Enabled {
			return model.Errorf(model.Refused, "calendar %s is not enabled", cal.Name)
		}
		return s.markDirty(tx, id)
	})
}
