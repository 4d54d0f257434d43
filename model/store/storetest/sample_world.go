package storetest

import (
	"errors"
	"testing"

	"usher/model"
	"usher/model/store"
)

// world is one organization with at least one row in every table that an organization has rows in.
type world struct {
	org         string
	ref         model.Ref
	user        *model.DirectoryUser
	group       *model.DirectoryGroup
	account     *model.Account
	employee    model.Employee
	run         model.Run
	key         model.APIKey
	token       model.SCIMToken
	operator    model.Operator
	secret      model.SealedSecret
	integration model.Integration
	decision    model.RunDecision

	acknowledged model.Acknowledgement

	client       model.SCIMClient
	clientSecret model.SCIMClientSecret
	federation   model.SCIMClientFederation
	request      model.SCIMRequest

	room     model.Room
	mailbox  model.Mailbox
	calendar model.Calendar
	event    model.Event
	twin     model.Event // the room's copy of it
	write    model.EventWrite

	list      model.List
	photo     model.AccountPhoto
	portrait  *model.Account // whose picture it is; the first account has an employee
	groupName model.GroupName

	importState model.ImportState
	importLink  model.ImportLink

	operation model.Operation
	step      model.OperationStep

	setup   model.Setup
	removal model.Removal

	version model.FieldMappingVersion

	session model.OperatorSession
	link    model.OperatorLink

	endpoint      model.WebhookEndpoint
	webhookSecret model.WebhookSecret
	delivery      model.WebhookDelivery
}

// credential is the token as what a warning is about.
func (w *world) credential() model.Credential {
	return model.Credential{Kind: model.CredentialToken, ID: w.token.ID, Name: w.token.Name, ExpiresAt: *w.token.ExpiresAt, Ref: w.ref}
}

// addClient adds a SCIM client with a secret and a federation.
func (w *world) addClient(tx *store.Tx, name string) error {
	org, integration, at := w.org, w.ref.IntegrationID, tx.Now()
	w.client = model.SCIMClient{ID: store.NewID(), OrganizationID: org, IntegrationID: integration, Name: name, TokenMinutes: 60, CreatedAt: at}
	if err := tx.InsertSCIMClient(&w.client); err != nil {
		return err
	}
	w.clientSecret = model.SCIMClientSecret{
		ID: store.NewID(), OrganizationID: org, IntegrationID: integration, ClientID: w.client.ID, Hash: name, ExpiresAt: &at, CreatedAt: at,
	}
	w.federation = model.SCIMClientFederation{
		OrganizationID: org, IntegrationID: integration, ClientID: w.client.ID, Issuer: "https://login.contoso.com", Subject: name, Audience: name,
	}
	return errors.Join(tx.InsertSCIMClientSecret(&w.clientSecret), tx.InsertSCIMClientFederation(&w.federation))
}

// newWorld fills an organization; everything in it that is not an id begins with name, which also stands for the person.
func newWorld(t *testing.T, s *store.Store, name string) *world {
	t.Helper()
	w := &world{org: Org(t, s)}
	w.integration = Integration(t, s, w.org, func(i *model.Integration) { i.Name, i.Owner = name, name })
	w.ref = w.integration.Ref()
	mail := name + "@contoso.com"
	w.employee = model.Employee{OrganizationID: w.org, ExternalID: name, Email: mail, State: model.EmployeeActive}
	due := "2020-01-01"
	w.employee.ResignationDate = &due
	w.account = NewAccount(w.org, mail)
	w.account.EmployeeID, w.account.Roles = &w.employee.ExternalID, []string{name}
	w.user, w.group = NewUser(w.ref, mail), NewGroup(w.ref, name)
	InTx(t, s, func(tx *store.Tx) error {
		tx.PutEmployee(&w.employee)
		if err := tx.InsertAccount(w.account); err != nil {
			return err
		}
		w.user.AccountID = &w.account.ID
		if err := errors.Join(tx.InsertDirectoryUser(w.user), tx.InsertDirectoryGroup(w.group)); err != nil {
			return err
		}
		_, _, err := tx.AddMembers(w.ref, w.group.ID, []string{w.user.ID})
		tx.RememberMembers(w.group, []string{name + " to come"})
		tx.StorePendingMembers(w.group)
		return errors.Join(err, w.addSettings(tx, name), w.addVersions(tx, name), w.addRest(tx, name), w.addOperation(tx, name), w.addImport(tx, name), w.addLists(tx, name),
			w.addOperators(tx, name), w.addWebhooks(tx, name))
	})
	w.addRequests(t, s, name)
	w.addCalendar(t, s, name)
	w.addSetup(t, s, name)
	if _, _, err := s.Changes(t.Context(), w.org, store.ChangeQuery{Limit: 1}); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) addSettings(tx *store.Tx, name string) error {
	at := tx.Now()
	tx.SetFeedReader(w.org, name, 1)
	return errors.Join(
		tx.ChangeSettings(w.org),
		store.PutEntry(tx, &model.Role{OrganizationID: w.org, Key: name, Name: name, UpdatedAt: at}),
		store.PutEntry(tx, &model.Department{OrganizationID: w.org, Key: name, Name: name, UpdatedAt: at}),
		store.PutEntry(tx, &model.Site{OrganizationID: w.org, Key: name, Name: name, UpdatedAt: at}),
		store.PutEntry(tx, &model.Module{OrganizationID: w.org, Key: name, Name: name, UpdatedAt: at}),
		store.PutEntry(tx, &model.CustomField{OrganizationID: w.org, Key: name, Name: name, Type: model.FieldText, UpdatedAt: at}),
		tx.PutList(w.ref, store.ListRoomGroups, []model.RoomGroup{{ExternalID: w.user.ID}}),
		tx.PutList(w.ref, store.ListExclusions, []model.Exclusion{{Pattern: name}}))
}

// endedDecisions are one that was applied and one that was not.
func (w *world) endedDecisions() []model.RunDecision {
	applied, left := w.decision, w.decision
	applied.SubjectID, applied.State, applied.Was = store.NewID(), model.DecisionApplied, &model.AccountState{}
	left.SubjectID, left.State, left.Note = store.NewID(), model.DecisionLeft, w.employee.Email
	return []model.RunDecision{applied, left}
}

func (w *world) addRest(tx *store.Tx, name string) error {
	at := tx.Now()
	w.run = model.Run{
		OrganizationID: w.org, IntegrationID: w.ref.IntegrationID, Kind: model.RunPreview, State: model.RunQueued, Phase: model.PhasePlan,
		Reason: name, Actor: name,
	}
	w.key = model.APIKey{ID: store.NewID(), OrganizationID: w.org, Name: name, Rights: []model.Right{model.RightRead}, ExpiresAt: &at, CreatedAt: at}
	w.token = model.SCIMToken{
		ID: store.NewID(), OrganizationID: w.org, IntegrationID: w.ref.IntegrationID, Name: name, ExpiresAt: &at, CreatedAt: at,
	}
	w.operator = model.Operator{OrganizationID: w.org, Email: name + "@contoso.com", Rights: []model.Right{model.RightRead}, EntraObjectID: name}
	w.secret = model.SealedSecret{OrganizationID: w.org, IntegrationID: w.ref.IntegrationID, Name: "client_secret", Sealed: []byte(name)}
	err := errors.Join(
		tx.InsertRun(&w.run), tx.InsertAPIKey(&w.key), tx.InsertSCIMToken(&w.token), tx.InsertOperator(&w.operator), tx.PutSecret(&w.secret),
		w.addClient(tx, name))
	w.decision = model.RunDecision{
		RunID: w.run.ID, SubjectID: w.user.ID, OrganizationID: w.org, Email: name, Name: name, Action: model.ActionCreate, Reason: name,
	}
	held := model.Run{
		OrganizationID: w.org, IntegrationID: w.ref.IntegrationID, Kind: model.RunUndo, State: model.RunHeld, Phase: model.PhasePlan, UndoOf: &w.run.ID,
		Reason: name, Actor: name,
	}
	err = errors.Join(err, tx.InsertRun(&held))
	waiting := w.decision
	waiting.RunID = held.ID
	return errors.Join(err,
		w.acknowledge(tx, name),
		tx.PutRunDecisions(append([]model.RunDecision{w.decision, waiting}, w.endedDecisions()...)),
		tx.Tell(model.Change{
			OrganizationID: w.org, IntegrationID: &w.ref.IntegrationID, Type: model.AccountWasDeactivated, SubjectID: w.account.ID,
		}, name),
		tx.Log(model.Activity{OrganizationID: w.org, IntegrationID: &w.ref.IntegrationID, Actor: name, Subject: name, Summary: name}, nil))
}

// acknowledge adds an alarm that somebody has seen.
func (w *world) acknowledge(tx *store.Tx, name string) error {
	w.acknowledged = model.Acknowledgement{OrganizationID: w.org, Alarm: "account:" + w.account.ID, Occurrence: name, Actor: name}
	return tx.PutAcknowledgement(&w.acknowledged)
}
