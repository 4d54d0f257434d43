package storetest

import (
	"errors"
	"reflect"

	"usher/model"
	"usher/model/store"
)

// addImport adds what an import has read: of a round that has ended and of one that is under way.
func (w *world) addImport(tx *store.Tx, name string) error {
	w.importState = model.ImportState{OrganizationID: w.org, IntegrationID: w.ref.IntegrationID, Stage: model.ImportUsers, MadeFor: name}
	w.importLink = model.ImportLink{OrganizationID: w.org, IntegrationID: w.ref.IntegrationID, Link: name}
	everyone := store.ImportScope{Everyone: true}
	if err := errors.Join(tx.PutImportState(&w.importState), tx.InsertImportLink(&w.importLink)); err != nil {
		return err
	}
	tx.AddImportGroups(w.ref, w.importLink.ID, true, []string{w.group.ExternalID})
	tx.StageMembers(w.ref, 1, 1, []model.ImportMember{
		{GroupID: w.group.ID, Member: w.user.ID}, {GroupID: w.group.ID, Member: name + " group", Nested: true},
	}, nil)
	document := model.NewDocument(map[string]any{"userName": name + "@fabrikam.com"})
	if err := tx.StageUsers(w.ref, 1, everyone, []model.ImportUser{{ObjectID: w.user.ExternalID, Document: &document, UserNameKey: name}}); err != nil {
		return err
	}
	tx.SettleUsers(w.ref, everyone)
	tx.SettleMembers(w.ref, 1)
	tx.StageMembers(w.ref, 1, 1, []model.ImportMember{{GroupID: w.group.ID, Member: w.account.ID}}, nil)
	for _, u := range []model.ImportUser{{ObjectID: w.user.ID, Document: &document, UserNameKey: name}, {ObjectID: w.user.ID, Gone: model.ImportRecycled}} {
		if err := tx.StageUsers(w.ref, 1, everyone, []model.ImportUser{u}); err != nil {
			return err
		}
	}
	return nil
}

// importArguments is arguments for the types of imports.
func importArguments(in reflect.Type, w *world) []reflect.Value {
	switch in {
	case reflect.TypeFor[store.ImportScope]():
		return []reflect.Value{reflect.ValueOf(store.ImportScope{GroupIDs: []string{w.group.ID}})}
	case reflect.TypeFor[bool]():
		return []reflect.Value{reflect.ValueOf(false), reflect.ValueOf(true)}
	case reflect.TypeFor[[]model.ImportMember]():
		return []reflect.Value{reflect.ValueOf([]model.ImportMember{{GroupID: w.group.ID, Member: w.user.ID}})}
	case reflect.TypeFor[[]model.ImportUser]():
		return []reflect.Value{reflect.ValueOf([]model.ImportUser{{ObjectID: w.user.ID, Gone: model.ImportDeleted}, {ObjectID: w.user.ExternalID}})}
	case reflect.TypeFor[[]model.ImportGroup]():
		return []reflect.Value{reflect.ValueOf([]model.ImportGroup{{ObjectID: w.group.ExternalID, GroupID: w.group.ID, NewName: "changed"}})}
	case reflect.TypeFor[[]store.Membership]():
		return []reflect.Value{reflect.ValueOf([]store.Membership{{GroupID: w.group.ID, Member: model.Member{ID: w.user.ID, Type: model.MemberUser}}})}
	case reflect.TypeFor[[]store.UserNameTaker]():
		return []reflect.Value{reflect.ValueOf([]store.UserNameTaker{{UserNameKey: w.user.UserNameKey, UserID: w.account.ID}})}
	}
	return []reflect.Value{reflect.Zero(in)}
}
