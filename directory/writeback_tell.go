package directory

import (
	"context"
	"strings"

	"usher/model"
	"usher/model/store"
)

// Events for Observe, of operations in Entra.
const (
	EventOperationSucceeded = "operation_succeeded"
	EventOperationFailed    = "operation_failed"
	EventOperationCancelled = "operation_cancelled"
	EventOperationWaited    = "operation_waited" // Entra could not be reached, or asked to wait
)

func observed(state model.OperationState) string {
	switch state {
	case model.OperationSucceeded:
		return EventOperationSucceeded
	case model.OperationCancelled:
		return EventOperationCancelled
	default:
		return EventOperationFailed
	}
}

// operationData is what a change of an operation carries.
type operationData struct {
	Operation *model.Operation `json:"operation"`
}

// tellOperation tells of an operation that has ended, in the feed and in the log.
func (s *Service) tellOperation(ctx context.Context, tx *store.Tx, o *model.Operation) error {
	verb, summary := string(o.State), endedSentence(o)
	kind := model.OperationHasSucceeded
	switch o.State {
	case model.OperationSucceeded:
	case model.OperationFailed:
		kind = model.OperationHasFailed
	default:
		return s.logOperation(ctx, tx, o, verb, summary)
	}
	err := tx.Tell(model.Change{
		OrganizationID: o.OrganizationID, Type: kind, IntegrationID: &o.IntegrationID, SubjectType: "operation", SubjectID: o.ID, Actor: o.Actor,
	}, operationData{o})
	if err != nil {
		return err
	}
	return s.logOperation(ctx, tx, o, verb, summary)
}

func (s *Service) logOperation(ctx context.Context, tx *store.Tx, o *model.Operation, verb, summary string) error {
	return tx.Log(model.Activity{
		OrganizationID: o.OrganizationID, IntegrationID: &o.IntegrationID, Actor: ActorOf(ctx), Action: "operation." + verb, SubjectType: "operation",
		SubjectID: o.ID, Subject: whoOf(o), Summary: summary,
	}, map[string]any{"kind": o.Kind, "user_id": o.UserID, "account_id": o.AccountID})
}

// whoOf names whom an operation is about, as well as it is known.
func whoOf(o *model.Operation) string {
	if o.UserName != "" {
		return o.UserName
	}
	return o.UserID
}

// whatOf says what an operation does, for a sentence.
func whatOf(o *model.Operation) string {
	who := whoOf(o)
	switch o.Kind {
	case model.OperationCreateUser:
		return "create user " + who + " in Entra"
	case model.OperationUpdateUser:
		return "change user " + who + " in Entra"
	case model.OperationDeleteUser:
		return "delete user " + who + " in Entra"
	case model.OperationRestoreUser:
		return "restore user " + who + " in Entra"
	case model.OperationOffboardUser:
		return "off-board user " + who
	case model.OperationAddMember:
		return "put user " + who + " into group " + targets(o, o.Request.Groups)
	case model.OperationRemoveMember:
		return "take user " + who + " out of group " + targets(o, o.Request.Groups)
	case model.OperationAddLicence:
		return "give user " + who + " licence " + targets(o, o.Request.Licences)
	case model.OperationRemoveLicence:
		return "take licence " + targets(o, o.Request.Licences) + " from user " + who
	}
	return string(o.Kind)
}

// targets names groups or licences as well as their names are known by now.
func targets(o *model.Operation, ids []string) string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = id
		for _, s := range o.Steps {
			if s.Target == id && s.Name != "" {
				names[i] = s.Name
			}
		}
	}
	return strings.Join(names, ", ")
}

func askedSentence(o *model.Operation) string {
	text := "asked to " + whatOf(o)
	if o.Automatic {
		text = "an account changed: " + whatOf(o)
	}
	if o.At != nil {
		text += " on " + o.At.UTC().Format("2006-01-02 15:04 MST")
	}
	return text
}

func endedSentence(o *model.Operation) string {
	switch {
	case o.State == model.OperationSucceeded:
		return "done: " + whatOf(o)
	case o.Error != nil:
		return string(o.State) + ": " + whatOf(o) + ": " + o.Error.Detail
	}
	return string(o.State) + ": " + whatOf(o)
}
