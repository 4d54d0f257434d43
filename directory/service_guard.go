package directory

import (
	"fmt"
	"reflect"
	"time"

	"usher/model"
)

// alarmPeriod is the time within which deactivations by pushes are counted together, and the shortest between alarms.
const alarmPeriod = time.Hour

// alarm raises the alarm when the pushes of the last hour have deactivated more accounts than the guard lets a run
// deactivate. A push cannot be held: it is applied, and the alarm says so.
func (w *settlement) alarm() error {
	if w.deactivated == 0 {
		return nil
	}
	integration, err := w.rules.integration(w.ref)
	if err != nil {
		return err
	}
	guard := integration.Integration.Guard
	active, err := w.svc.active.of(w.tx, w.ref)
	if err != nil {
		return err
	}
	limit := guard.Limit(active)
	n, err := w.tx.CountPushedDeactivations(w.ref, w.tx.Now().Add(-alarmPeriod), limit+1)
	if err != nil || n <= limit {
		return err
	}
	due, err := w.tx.ClaimAlert(w.ref, alarmPeriod)
	if err != nil || !due {
		return err
	}
	w.svc.Observe(EventMassDeactivation, 1)
	return w.raise(n, limit, active)
}

func (w *settlement) raise(n, limit, active int) error {
	err := w.tx.Tell(model.Change{
		OrganizationID: w.ref.OrganizationID, Type: model.IntegrationMassDeactivate, IntegrationID: &w.ref.IntegrationID,
		SubjectType: "integration", SubjectID: w.ref.IntegrationID, Actor: ActorOf(w.ctx),
	}, map[string]any{"deactivated": n, "limit": limit, "active": active, "within": alarmPeriod.String()})
	if err != nil {
		return err
	}
	return w.tx.Log(model.Activity{
		OrganizationID: w.ref.OrganizationID, IntegrationID: &w.ref.IntegrationID, Actor: ActorOf(w.ctx),
		Action: string(model.IntegrationMassDeactivate), SubjectType: "integration", SubjectID: w.ref.IntegrationID,
		Summary: fmt.Sprintf("pushes deactivated more than %d accounts within an hour; a run would have been held", limit),
	}, nil)
}

func equalJSON(a, b any) bool { return reflect.DeepEqual(a, b) }
