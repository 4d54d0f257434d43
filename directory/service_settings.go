package directory

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"usher/model"
	"usher/model/store"
)

// lockSettings takes the lock that changes of settings hold, and reads the settings and those of the integration. Whatever
// then writes calls ChangeSettings first.
func (s *Service) lockSettings(tx *store.Tx, ref model.Ref) (*model.Settings, model.IntegrationSettings, error) {
	if err := tx.LockPeople(ref.OrganizationID); err != nil {
		return nil, model.IntegrationSettings{}, err
	}
	settings, err := tx.Settings(ref.OrganizationID)
	if err != nil {
		return nil, model.IntegrationSettings{}, err
	}
	entry, ok := settings.Integrations[ref.IntegrationID]
	if !ok {
		return nil, entry, model.Errorf(model.NotFound, "integration %s not found", ref.IntegrationID)
	}
	return settings, entry, nil
}

func sameJSON(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

func (s *Service) logSetting(ctx context.Context, tx *store.Tx, organizationID string, integrationID *string, action, kind, id, name, summary string, data any) error {
	return tx.Log(model.Activity{
		OrganizationID: organizationID, IntegrationID: integrationID, Actor: ActorOf(ctx), Action: action, SubjectType: kind,
		SubjectID: id, Subject: name, Summary: summary,
	}, data)
}

// CreateIntegration stores a new integration as it is given, DefaultIntegration with what was chosen, and its Graph
// secrets sealed. Only the fields that can be set are read of in.
func (s *Service) CreateIntegration(ctx context.Context, organizationID string, in model.Integration, secrets map[string]string) (model.Integration, error) {
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.ChangeSettings(organizationID); err != nil {
			return err
		}
		settings, err := tx.Settings(organizationID)
		if err != nil {
			return err
		}
		in.OrganizationID, in.Owner = organizationID, ActorOf(ctx)
		in.Name = strings.TrimSpace(in.Name)
		noteSecrets(&in, secrets)
		if err := ValidateIntegration(settings, in); err != nil {
			return err
		}
		if err := CheckGraphSecrets(secrets); err != nil {
			return err
		}
		if err := tx.InsertIntegration(&in); err != nil {
			return err
		}
		if err := errors.Join(s.putSecrets(tx, &in, secrets), s.IntegrationSaved(tx, in)); err != nil {
			return err
		}
		if err := s.tellIntegration(ctx, tx, model.IntegrationCreated, &in, map[string]any{"integration": in}); err != nil {
			return err
		}
		return s.logSetting(ctx, tx, organizationID, &in.ID, "integration.created", "integration", in.ID, in.Name,
			"integration "+in.Name+" was created", nil)
	})
	return in, err
}

// The names of an integration's secrets.
const (
	SecretClientSecret   = "client_secret"
	SecretCertificatePEM = "certificate_pem"
)

// noteSecrets keeps in the settings which secrets there are.
func noteSecrets(i *model.Integration, secrets map[string]string) {
	if plain, ok := secrets[SecretClientSecret]; ok {
		i.Graph.HasSecret = plain != ""
	}
	if plain, ok := secrets[SecretCertificatePEM]; ok {
		i.Graph.HasCertificate = plain != ""
	}
}

// checkIntegrationEdit checks an edit, and takes back what cannot be edited.
func checkIntegrationEdit(settings *model.Settings, before, i *model.Integration) error {
	i.ID, i.OrganizationID, i.CreatedAt, i.AlertedAt = before.ID, before.OrganizationID, before.CreatedAt, before.AlertedAt
	i.Graph.HasSecret, i.Graph.HasCertificate = before.Graph.HasSecret, before.Graph.HasCertificate
	i.Name = strings.TrimSpace(i.Name)
	if i.Ingress != before.Ingress {
		return model.FieldErrorf(model.Refused, "ingress", "the ingress of an integration cannot change; make another integration")
	}
	return ValidateIntegration(settings, *i)
}

func (s *Service) tellIntegration(ctx context.Context, tx *store.Tx, kind model.ChangeType, i *model.Integration, data any) error {
	return tx.Tell(model.Change{
		OrganizationID: i.OrganizationID, Type: kind, IntegrationID: &i.ID, SubjectType: "integration", SubjectID: i.ID,
		Actor: ActorOf(ctx),
	}, data)
}

// putSecrets seals the secrets that are given; an empty one is forgotten.
func (s *Service) putSecrets(tx *store.Tx, i *model.Integration, secrets map[string]string) error {
	for name, plain := range secrets {
		if plain == "" {
			tx.DeleteSecret(i.Ref(), name)
			continue
		}
		keyID, sealed := s.Keys.Seal(plain, i.ID+"/"+name)
		err := tx.PutSecret(&model.SealedSecret{
			OrganizationID: i.OrganizationID, IntegrationID: i.ID, Name: name, KeyID: keyID, Sealed: sealed,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// ChangeIntegration runs edit on the integration and stores it, with the secrets given. People are re-evaluated where a
// setting changed that the rules read.
func (s *Service) ChangeIntegration(ctx context.Context, ref model.Ref, edit func(*model.Integration) error, secrets map[string]string) (model.Integration, error) {
	var out model.Integration
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		settings, entry, err := s.lockSettings(tx, ref)
		if err != nil {
			return err
		}
		out, err = s.changeIntegration(ctx, tx, settings, entry.Integration, edit, secrets)
		return err
	})
	return out, err
}

// changeIntegration is ChangeIntegration in a transaction that holds the settings.
func (s *Service) changeIntegration(ctx context.Context, tx *store.Tx, settings *model.Settings, before model.Integration, edit func(*model.Integration) error,
	secrets map[string]string,
) (model.Integration, error) {
	out, ref := before, before.Ref()
	if err := edit(&out); err != nil {
		return out, err
	}
	if err := checkIntegrationEdit(settings, &before, &out); err != nil {
		return out, err
	}
	if err := CheckGraphSecrets(secrets); err != nil {
		return out, err
	}
	noteSecrets(&out, secrets)
	if sameJSON(before, out) && len(secrets) == 0 {
		return out, nil
	}
	if err := tx.ChangeSettings(ref.OrganizationID); err != nil {
		return out, err
	}
	if err := tx.UpdateIntegration(&out); err != nil {
		return out, err
	}
	if err := errors.Join(s.putSecrets(tx, &out, secrets), s.IntegrationSaved(tx, out)); err != nil {
		return out, err
	}
	if err := s.tellIntegration(ctx, tx, model.IntegrationUpdated, &out, map[string]any{"integration": out}); err != nil {
		return out, err
	}
	summary := "settings of integration " + out.Name + " changed"
	err := s.logSetting(ctx, tx, ref.OrganizationID, &ref.IntegrationID, "integration.updated", "integration", out.ID, out.Name, summary,
		map[string]any{"before": before, "after": out})
	if err != nil || !rulesRead(before, out) {
		return out, err
	}
	return out, s.requestReevaluation(ctx, tx, ref, summary)
}

// rulesRead says whether a setting differs that the rules read.
func rulesRead(a, b model.Integration) bool {
	return a.RoleSync != b.RoleSync || a.DefaultRole != b.DefaultRole || a.Scope != b.Scope || a.NestedGroups != b.NestedGroups ||
		a.RequireGroup != b.RequireGroup || a.Priority != b.Priority
}

// DefaultIntegration gives an integration of which nothing is said but its name and its way in: roles are reconciled, and
// a run may deactivate 10 accounts or 5 % of them, whichever is more, without being held. It is the one place of defaults.
func DefaultIntegration(name string, ingress model.Ingress) model.Integration {
	return model.Integration{
		Name: name, Ingress: ingress, RoleSync: model.RoleSyncReconcile, Scope: model.ScopeGroups, Priority: 100,
		Guard: model.Guard{Minimum: 10, Percent: 5}, Graph: model.GraphSettings{Cloud: "global"},
	}
}
