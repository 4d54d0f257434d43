package storetest

import (
	"time"

	"usher/model"
	"usher/model/store"
)

// addLists adds a distribution list, somebody with a picture, and what a name was found to mean.
func (w *world) addLists(tx *store.Tx, name string) error {
	w.list = model.List{
		OrganizationID: w.org, IntegrationID: w.ref.IntegrationID, ExternalID: w.group.ExternalID, DisplayName: name, Email: name,
		Kind: model.ListMicrosoft365, State: model.ListReady, Members: 1, Fingerprint: name,
	}
	tx.InsertList(&w.list)
	w.portrait = NewAccount(w.org, name+"-portrait@contoso.com")
	user := NewUser(w.ref, name+"-portrait@contoso.com")
	if err := tx.InsertAccount(w.portrait); err != nil {
		return err
	}
	user.AccountID = &w.portrait.ID
	if err := tx.InsertDirectoryUser(user); err != nil {
		return err
	}
	w.photo = model.AccountPhoto{
		AccountID: w.portrait.ID, OrganizationID: w.org, IntegrationID: w.ref.IntegrationID, ETag: name, ContentType: "image/png", Bytes: []byte(name),
	}
	tx.PutPhoto(&w.photo)
	w.groupName = model.GroupName{NameKey: name, ExternalID: w.group.ExternalID, Found: 1, LookedAt: time.Unix(1, 0).UTC()}
	tx.PutGroupName(w.ref, w.groupName)
	return nil
}
