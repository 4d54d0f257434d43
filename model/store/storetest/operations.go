package storetest

import (
	"reflect"

	"usher/model"
	"usher/model/store"
)

// addOperation adds an operation with a step, which has the run's id as what it is about.
func (w *world) addOperation(tx *store.Tx, name string) error {
	at := tx.Now()
	w.step = model.OperationStep{Position: 1, Action: model.StepCheck, State: model.StepPending, Outcome: name}
	w.operation = model.Operation{
		OrganizationID: w.org, IntegrationID: w.ref.IntegrationID, Kind: model.OperationDeleteUser, State: model.OperationQueued, Open: true,
		Subject: w.run.ID, UserID: w.user.ID, UserName: name, AccountID: &w.account.ID, Automatic: true, Actor: name, KeyID: name,
		Sealed: []byte(name), SealedUntil: &at, Steps: []model.OperationStep{w.step},
	}
	_, err := tx.InsertOperation(&w.operation)
	return err
}

// operationArguments is arguments for the types of operations.
func operationArguments(in reflect.Type, w *world) ([]reflect.Value, bool) {
	switch in {
	case reflect.TypeFor[model.OperationKind]():
		return []reflect.Value{reflect.ValueOf(w.operation.Kind)}, true
	case reflect.TypeFor[*model.OperationStep]():
		step := w.step
		step.Outcome = "changed"
		return []reflect.Value{reflect.ValueOf(&step)}, true
	}
	return nil, false
}
