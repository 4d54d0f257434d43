package directory

import (
	"context"
	"strings"

	"usher/model"
	"usher/model/store"
)

func (w *settlement) tellChanges(a *model.Account, changes []model.FieldChange) error {
	if len(byChangeType(a, changes)[deactivatedKind]) > 0 {
		w.deactivated++
	}
	return w.svc.tellAccountChanges(w.ctx, w.tx, w.by, a, changes)
}

// tellAccountChanges tells of an account that changed, in one change per type. One that got an employee has no picture of Entra's
// any more.
func (s *Service) tellAccountChanges(ctx context.Context, tx *store.Tx, integrationID *string, a *model.Account, changes []model.FieldChange) error {
	dropPhoto(tx, a, changes)
	for kind, part := range byChangeType(a, changes) {
		if len(part) == 0 {
			continue
		}
		if err := s.tellAccount(ctx, tx, integrationID, kindOrder[kind], a, part); err != nil {
			return err
		}
	}
	return nil
}

// kindOrder is the order in which one settlement tells of an account.
var kindOrder = [...]model.ChangeType{
	model.AccountUpdated, model.AccountRolesChanged, model.AccountPermissionsChanged, model.AccountWasDeactivated,
	model.AccountReactivated, model.AccountWasArchived,
}

// deactivatedKind is the index of deactivations in kindOrder.
const deactivatedKind = 3

// byChangeType sorts the changes of an account by the change type that tells of them, in kindOrder.
func byChangeType(a *model.Account, changes []model.FieldChange) [len(kindOrder)][]model.FieldChange {
	var parts [len(kindOrder)][]model.FieldChange
	for _, c := range changes {
		kind := 0
		switch c.Field {
		case "roles":
			kind = 1
		case "permissions":
			kind = 2
		case "status":
			kind = map[model.AccountStatus]int{model.AccountDeactivated: deactivatedKind, model.AccountActive: 4, model.AccountArchived: 5}[a.Status]
		}
		parts[kind] = append(parts[kind], c)
	}
	return parts
}

// accountData is what a change of an account carries: the account as it is now, and what changed of it.
type accountData struct {
	Account *model.Account      `json:"account"`
	Changes []model.FieldChange `json:"changes"`
}

func (w *settlement) tell(kind model.ChangeType, a *model.Account, changes []model.FieldChange) error {
	return w.svc.tellAccount(w.ctx, w.tx, w.by, kind, a, changes)
}

func (s *Service) tellAccount(ctx context.Context, tx *store.Tx, integrationID *string, kind model.ChangeType, a *model.Account, changes []model.FieldChange) error {
	return tx.Tell(model.Change{
		OrganizationID: a.OrganizationID, Type: kind, IntegrationID: integrationID, SubjectType: "account", SubjectID: a.ID,
		Actor: ActorOf(ctx),
	}, accountData{a, changes})
}

// logDecision writes the line of the administrator's log for a decision that did something.
func (w *settlement) logDecision(u *model.DirectoryUser, d *Decision, because string) error {
	if d.Account == nil {
		return nil
	}
	return w.tx.Log(model.Activity{
		OrganizationID: w.ref.OrganizationID, IntegrationID: &w.ref.IntegrationID, Actor: ActorOf(w.ctx),
		Action: "account." + pastTense(d.Action), SubjectType: "account", SubjectID: d.Account.ID, Subject: d.Account.Name(),
		Summary: sentence(because, d),
	}, map[string]any{"directory_user_id": u.ID, "changes": d.Changes})
}

func pastTense(a model.Action) string {
	switch a {
	case model.ActionCreate:
		return "created"
	case model.ActionLink:
		return "linked"
	case model.ActionDeactivate:
		return "deactivated"
	case model.ActionReactivate:
		return "reactivated"
	case model.ActionSkip:
		return "skipped"
	case model.ActionUpdate, model.ActionNone:
	}
	return "updated"
}

// sentence says what a decision did and why, for a reader of the log.
func sentence(because string, d *Decision) string {
	parts := []string{}
	if because != "" {
		parts = append(parts, because)
	}
	if d.Reason != "" {
		parts = append(parts, d.Reason)
	}
	for _, c := range d.Changes {
		if c.Reason != "" && c.Field != "status" && (c.Field == "roles" || c.Field == "permissions" || len(d.Changes) <= 3) {
			parts = append(parts, c.Field+": "+c.Reason)
		}
	}
	return strings.Join(parts, "; ")
}
