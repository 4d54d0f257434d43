package directory

import (
	"context"

	"usher/model"
	"usher/model/store"
)

// importSource is what an import brings from the tenant of an integration (docs/reference/import.md). Reading fills tables of its
// own, which the next run looks at; the mirror changes when a run is applied, and never otherwise.
type importSource struct {
	svc *Service
	run *model.Run
	ref model.Ref
}

func newImportSource(s *Service, run *model.Run) runSource {
	return importSource{svc: s, run: run, ref: model.Ref{OrganizationID: run.OrganizationID, IntegrationID: run.IntegrationID}}
}

func (m importSource) total(tx *store.Tx) (int, error) { return tx.CountImportUsers(m.ref) }

func (m importSource) after(tx *store.Tx, cursor string, limit int) ([]string, error) {
	return tx.ImportUsersAfter(m.ref, cursor, limit)
}

// before brings the groups of the mirror up to date, when it comes to applying. Who is a member of them follows person by person.
func (m importSource) before(ctx context.Context, tx *store.Tx, phase model.RunPhase) error {
	if phase != model.PhaseApply {
		return nil
	}
	return m.bringGroups(ctx, tx)
}

// done takes groups out of the mirror that are gone, and brings distribution lists up to date. Where nobody was looked at, nobody's
// memberships have changed.
func (m importSource) done(ctx context.Context, tx *store.Tx) error {
	if err := m.dropGroups(ctx, tx); err != nil {
		return err
	}
	var changed []string
	if m.run.Progress.Total == 0 {
		changed = []string{}
	}
	return m.svc.settleLists(ctx, tx, m.ref, changed)
}

// discarded forgets what was read, so that the next import reads everything. A run that ended while it was reading leaves what it
// has read for the next one, which goes on from there; one that ended while it was being applied leaves the rest.
func (m importSource) discarded(_ context.Context, tx *store.Tx) error {
	if m.run.Phase == model.PhasePlan {
		tx.DiscardImport(m.ref)
	}
	return nil
}

// checkImport refuses an import that has nobody to import.
func checkImport(s *model.IntegrationSettings) error {
	i := s.Integration
	switch {
	case i.Ingress != model.IngressGraph:
		return model.Errorf(model.Refused, "integration %s has ingress scim: Entra pushes its people, so there is nothing to import", i.Name)
	case i.Scope != model.ScopeEveryone && len(s.ChosenGroups) == 0:
		return model.FieldErrorf(model.Refused, "chosen-groups",
			"no group is chosen for integration %s, so there is nobody to import: choose groups, or set scope to everyone to import the whole tenant", i.Name)
	}
	return nil
}
