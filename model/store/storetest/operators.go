package storetest

import (
	"errors"

	"usher/model"
	"usher/model/store"
)

// addOperators lets the world's operator sign in, and gives it a link that works once.
func (w *world) addOperators(tx *store.Tx, name string) error {
	ends := tx.Now().AddDate(0, 0, 1)
	w.session = model.OperatorSession{
		ID: store.NewID(), OrganizationID: w.org, OperatorID: w.operator.ID, Hash: name, Method: model.SignInPassword, UserAgent: name,
		RemoteAddress: name, ExpiresAt: ends,
	}
	w.link = model.OperatorLink{
		ID: store.NewID(), OrganizationID: w.org, OperatorID: &w.operator.ID, Purpose: model.LinkPassword, Hash: name, ExpiresAt: ends,
	}
	return errors.Join(tx.InsertOperatorSession(&w.session), tx.InsertOperatorLink(&w.link))
}
