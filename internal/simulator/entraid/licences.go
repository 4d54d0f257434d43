package entraid

import (
	"context"
	"errors"
	"strings"

	"usher/internal/simulator"
	"usher/model/entra"
	"usher/model/outlook"
)

// SKUs gives the products of the tenant with their seats (Graph: GET /subscribedSkus).
func (s *Session) SKUs(ctx context.Context) ([]entra.SKU, error) {
	var out []entra.SKU
	err := s.do(ctx, call{method: "SKUs", needs: readLicences()}, func() error {
		consumed := s.directory.tenant.Consumed()
		for _, sku := range s.directory.tenant.SKUs() {
			one := entra.SKU{
				ID: sku.ID, PartNumber: sku.PartNumber, AppliesTo: sku.AppliesTo, Status: sku.Status, Enabled: sku.Enabled,
				Warning: sku.Warning, Suspended: sku.Suspended, Consumed: consumed[sku.ID],
			}
			for _, plan := range sku.Plans {
				one.Plans = append(one.Plans, entra.Plan(plan))
			}
			out = append(out, one)
		}
		return nil
	})
	return out, err
}

// Licences gives what a user has (Graph: user.licenseAssignmentStates, GET /users/{id}/licenseDetails).
func (s *Session) Licences(ctx context.Context, ref string) ([]entra.Licence, error) {
	var out []entra.Licence
	err := s.do(ctx, call{method: "Licences", target: ref, needs: append(readUsers(), readLicences()...)}, func() error {
		u, err := s.directory.find(ref)
		if err != nil {
			return err
		}
		for _, h := range s.directory.tenant.Holdings(u.ID) {
			one := entra.Licence{SKUID: h.SKUID, DisabledPlans: h.DisabledPlans, Group: h.Group, State: "Active", Error: "None", UpdatedAt: h.At}
			if h.Error != "" {
				one.State, one.Error = "Error", h.Error
			}
			out = append(out, one)
		}
		return nil
	})
	return out, err
}

// AssignLicences gives a user products and takes others away, all or nothing (Graph: POST /users/{id}/assignLicense).
func (s *Session) AssignLicences(ctx context.Context, ref string, add []entra.Licence, remove []string) error {
	return s.do(ctx, call{method: "AssignLicences", target: ref, needs: writeLicences(), write: true}, func() error {
		u, err := s.directory.find(ref)
		if err != nil {
			return err
		}
		list := make([]simulator.Licence, 0, len(add))
		for _, l := range add {
			list = append(list, simulator.Licence{SKUID: strings.ToLower(l.SKUID), DisabledPlans: l.DisabledPlans})
		}
		return licenceFailure(s.directory.tenant.AssignLicences(u.ID, list, remove))
	})
}

// licenceFailure says it in Graph's words.
func licenceFailure(err error) error {
	if err == nil {
		return nil
	}
	id, _, _ := strings.Cut(err.Error(), ":")
	e := Invalid("License %s does not correspond to a valid company License.", id)
	switch {
	case errors.Is(err, simulator.ErrNoLocation):
		e = Invalid("License assignment cannot be done for user with invalid usage location.")
		e.Kind = outlook.BadLocation
	case errors.Is(err, simulator.ErrNoSeat):
		e = Invalid("Subscription with SKU %s does not have any available licenses.", id)
		e.Kind = outlook.NoSeats
	case errors.Is(err, simulator.ErrInherited):
		e = Invalid("User license is inherited from a group membership and it cannot be removed directly from the user.")
		e.Kind = outlook.InheritedLicence
	case errors.Is(err, simulator.ErrNoLicence):
		e = Invalid("User does not have a corresponding license.")
		e.Kind = outlook.NotFound
	case errors.Is(err, simulator.ErrExclusive):
		e = Invalid("License assignment failed because service plans of %s are mutually exclusive with those of another license.", id)
		e.Kind = outlook.PlanConflict
	case errors.Is(err, simulator.ErrNoPlan):
		e = Invalid("The service plan %s is not part of the license.", id)
	}
	return e
}
