package directory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"usher/model"
	"usher/model/store"
)

// removalAccess is what a removal goes on reaching Microsoft Graph with, sealed until it has ended.
type removalAccess struct {
	ClientSecret   string    `json:"client_secret,omitempty"`
	CertificatePEM string    `json:"certificate_pem,omitempty"`
	AccessToken    string    `json:"access_token,omitempty"` // of an administrator who had signed in
	AccessUntil    time.Time `json:"access_until,omitzero"`
}

// removalUse is what the access of a removal is sealed for.
func removalUse(ref model.Ref) string { return ref.IntegrationID + "/removal" }

// removalCounted is how far is counted what a removal would take; what there is more of is "at least" so much.
const removalCounted = 10_000

// removalKept is for how long it can be read what became of an integration that was removed.
const removalKept = 30 * 24 * time.Hour

// DeleteIntegration removes an integration with its mirror and links, at once. Accounts stay as they are, no longer synced. What it has
// in Microsoft 365 and Entra is taken away by a job; see RemoveIntegration.
func (s *Service) DeleteIntegration(ctx context.Context, ref model.Ref) error {
	_, err := s.RemoveIntegration(ctx, ref, false)
	return err
}

// RemoveIntegration removes an integration at once, and has a job end its subscriptions, take away what Usher set up in Entra, and
// revoke the consent, as far as that is permitted; with keep what is in Entra stays. Removal says how far that is.
func (s *Service) RemoveIntegration(ctx context.Context, ref model.Ref, keep bool) (model.Removal, error) {
	defer s.tokens.forget()
	var out model.Removal
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		_, entry, err := s.lockSettings(tx, ref)
		if err != nil {
			return err
		}
		if err := tx.ChangeSettings(ref.OrganizationID); err != nil {
			return err
		}
		i := entry.Integration
		if out, err = s.newRemoval(ctx, tx, i, keep); err != nil {
			return err
		}
		if err := s.removeLists(ctx, tx, ref); err != nil {
			return err
		}
		if err := tx.DeleteIntegration(ref); err != nil {
			return err
		}
		if err := tx.InsertRemoval(&out); err != nil {
			return err
		}
		if err := s.endWebhooks(ctx, tx, ref); err != nil {
			return err
		}
		if err := s.tellIntegration(ctx, tx, model.IntegrationRemoved, &i, map[string]any{"name": i.Name}); err != nil {
			return err
		}
		err = s.logSetting(ctx, tx, ref.OrganizationID, &ref.IntegrationID, "integration.removed", "integration", ref.IntegrationID, i.Name,
			"integration "+i.Name+" was removed with its mirror; accounts stay as they are", map[string]any{"removed": out.Removed})
		if err != nil {
			return err
		}
		return tx.Enqueue(EndIntegration{OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID})
	})
	return out, err
}

// newRemoval notes what will be needed of an integration that is about to go.
func (s *Service) newRemoval(ctx context.Context, tx *store.Tx, i model.Integration, keep bool) (model.Removal, error) {
	counts, _, err := tx.IntegrationCounts(i.Ref(), 0)
	if err != nil {
		return model.Removal{}, err
	}
	setup, err := tx.Setup(i.Ref())
	if err != nil && model.KindOf(err) != model.NotFound {
		return model.Removal{}, err
	}
	r := model.Removal{
		IntegrationID: i.ID, OrganizationID: i.OrganizationID, Name: i.Name, TenantID: i.TenantID, State: model.TaskQueued, Actor: ActorOf(ctx),
		Removed: counts, Plan: model.RemovalPlan{Integration: i, Entra: setup.Entra, Adopted: setup.Options.Adopted != "", Keep: keep},
		Steps: removalSteps(),
	}
	now := tx.Now()
	r.Steps[0].State, r.Steps[0].Ended, r.Steps[0].Detail = model.StepDone, &now, RemovedWords(&r)
	return r, s.sealAccess(tx, &r, &setup)
}

func removalSteps() []model.TaskStep {
	list := []model.TaskStep{{Name: "mirror", State: model.StepPending}}
	for _, step := range removalPlan() {
		list = append(list, model.TaskStep{Name: step.name, State: model.StepPending})
	}
	return list
}

// sealAccess keeps the credentials of the integration for the time of its removal.
func (s *Service) sealAccess(tx *store.Tx, r *model.Removal, setup *model.Setup) error {
	var access removalAccess
	for name, into := range map[string]*string{SecretClientSecret: &access.ClientSecret, SecretCertificatePEM: &access.CertificatePEM} {
		sealed, err := tx.Secret(r.Ref(), name)
		if model.KindOf(err) == model.NotFound && err != nil {
			continue
		}
		if err == nil {
			*into, err = s.Keys.Open(sealed.KeyID, sealed.Sealed, r.IntegrationID+"/"+name)
		}
		if err != nil {
			return err
		}
	}
	if setup.IntegrationID != "" {
		token, err := s.setupAccess(&tx.Reader, setup)
		if err != nil {
			return err
		}
		if token != "" {
			access.AccessToken, access.AccessUntil = token, *setup.SignIn.AccessUntil
		}
	}
	plain, err := json.Marshal(access)
	if err != nil {
		return err
	}
	r.KeyID, r.Access = s.Keys.Seal(string(plain), removalUse(r.Ref()))
	return nil
}

// openAccess reads the credentials of an integration that is being removed; it is Refused once they are gone.
func (s *Service) openAccess(r *model.Removal) (access removalAccess, err error) {
	if len(r.Access) == 0 {
		return access, model.Errorf(model.Refused, "the credentials of integration %s are deleted", r.Name)
	}
	plain, err := s.Keys.Open(r.KeyID, r.Access, removalUse(r.Ref()))
	if err != nil {
		return access, err
	}
	return access, json.Unmarshal([]byte(plain), &access)
}

// removedIntegration gives an integration that is being removed, as it was, and its credentials.
func (s *Service) removedIntegration(ctx context.Context, ref model.Ref) (model.Integration, removalAccess, error) {
	r, err := s.Store.Read(ctx).Removal(ref)
	if err != nil {
		return model.Integration{}, removalAccess{}, err
	}
	i := r.Plan.Integration
	i.OrganizationID = r.OrganizationID // which its JSON leaves out
	access, err := s.openAccess(&r)
	return i, access, err
}

// Removal says what became, or becomes, of an integration that is removed, and of one that is there what would.
func (s *Service) Removal(ctx context.Context, ref model.Ref) (model.Removal, error) {
	read := s.Store.Read(ctx)
	i, err := read.Integration(ref)
	if err != nil {
		if model.KindOf(err) != model.NotFound {
			return model.Removal{}, err
		}
		return read.Removal(ref)
	}
	counts, atLeast, err := read.IntegrationCounts(ref, removalCounted)
	if err != nil {
		return model.Removal{}, err
	}
	setup, err := s.Setup(ctx, ref)
	if err != nil {
		return model.Removal{}, err
	}
	r := model.Removal{
		IntegrationID: i.ID, OrganizationID: i.OrganizationID, Name: i.Name, TenantID: i.TenantID, State: model.TaskNone, Removed: counts,
		AtLeast: atLeast, Left: []model.Leftover{}, Steps: removalSteps(), Plan: model.RemovalPlan{Integration: i, Entra: setup.Entra, Adopted: setup.Options.Adopted != ""},
	}
	r.Steps[0].Detail = RemovedWords(&r)
	shared, err := read.IntegrationsOfApp(i.TenantID, i.Graph.ClientID)
	for n := range r.Steps[1:] {
		r.Steps[n+1].Detail = willDo(&r, r.Steps[n+1].Name, shared > 1)
	}
	return r, err
}

// willDo says beforehand what a step of a removal will do.
func willDo(r *model.Removal, step string, shared bool) string {
	i, e := r.Plan.Integration, r.Plan.Entra
	switch step {
	case "subscriptions":
		return fmt.Sprintf("%s subscriptions for changes of calendars will be ended", Removed(r, "subscriptions"))
	case "provisioning":
		switch {
		case e.ServicePrincipal == "" && e.Tries == 0:
			return "nothing: Usher has set up no provisioning"
		case i.ReadOnly:
			return "nothing: the integration only reads; you will be told what to delete by hand"
		case r.Plan.Adopted:
			return "the job that Usher made will be deleted, or paused where it was there before; application " + e.DisplayName + " stays"
		}
		return "the job and application " + e.DisplayName + " will be deleted"
	case "consent":
		switch {
		case i.Graph.ClientID == "":
			return "nothing: the integration has no application"
		case shared:
			return "nothing: another integration reaches the tenant as the same application"
		case i.ReadOnly:
			return "nothing: the integration only reads; you will be told what to delete by hand"
		}
		return "the application will be taken out of the tenant, and its permissions with it, where it is allowed to do that itself"
	case "request_log":
		return "the log of its SCIM requests will be deleted"
	}
	return "its credentials will be deleted"
}

// Removals gives a page of the removals of an organization, also of those that ended within the last 30 days.
func (s *Service) Removals(ctx context.Context, organizationID, after string, limit int) ([]model.Removal, error) {
	return s.Store.Read(ctx).RemovalsAfter(organizationID, after, limit)
}

// watchRemovals goes on with removals that nobody works, and forgets old ones.
func (s *Service) watchRemovals(ctx context.Context) error {
	for after := ""; ; {
		list, err := s.Store.Read(ctx).OpenRemovals(after, watchPage)
		if err != nil {
			return err
		}
		var jobs []store.Job
		for i := range list {
			if s.Now().After(list[i].UpdatedAt.Add(watchStale)) {
				jobs = append(jobs, EndIntegration{OrganizationID: list[i].OrganizationID, IntegrationID: list[i].IntegrationID})
			}
		}
		err = s.Store.InTx(ctx, func(tx *store.Tx) error {
			tx.TrimRemovals(s.Now().Add(-removalKept))
			return tx.EnqueueAll(jobs)
		})
		if err != nil || len(list) < watchPage {
			return err
		}
		after = list[len(list)-1].IntegrationID
	}
}

// resealRemovals seals the credentials of removals under the first key of the ring, and says how many it did.
func (s *Service) resealRemovals(ctx context.Context) (done int, err error) {
	for after := ""; ; {
		list, err := s.Store.Read(ctx).OpenRemovals(after, secretPage)
		if err != nil {
			return done, err
		}
		for i := range list {
			sealed, err := s.resealRemoval(ctx, list[i].Ref())
			if err != nil {
				return done, err
			}
			done += sealed
		}
		if len(list) < secretPage {
			return done, nil
		}
		after = list[len(list)-1].IntegrationID
	}
}

func (s *Service) resealRemoval(ctx context.Context, ref model.Ref) (sealed int, err error) {
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		sealed = 0
		r, err := tx.LockRemoval(ref)
		if err != nil || len(r.Access) == 0 || r.KeyID == s.Keys.KeyID() {
			return unlessRemoved(err)
		}
		plain, err := s.Keys.Open(r.KeyID, r.Access, removalUse(ref))
		if err != nil {
			return errors.Join(err, model.Errorf(model.Internal, "removal of integration %s", ref.IntegrationID))
		}
		r.KeyID, r.Access = s.Keys.Seal(plain, removalUse(ref))
		sealed = 1
		return tx.SaveRemoval(&r)
	})
	return sealed, err
}
