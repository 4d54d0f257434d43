package directory

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"usher/model"
	"usher/model/entra"
	"usher/model/outlook"
)

// EntraProduct is a product that the tenant has subscribed to, with its seats.
type EntraProduct struct {
	SKUID      string   `json:"sku_id"`
	PartNumber string   `json:"part_number" doc:"Microsoft's name for it, such as SPE_E3."`
	AppliesTo  string   `json:"applies_to" doc:"User or Company."`
	Status     string   `json:"status" doc:"Enabled, Warning, Suspended, Deleted or LockedOut."`
	Assignable bool     `json:"assignable"`
	Reason     string   `json:"reason,omitempty" doc:"Why it cannot be given to anybody now."`
	Seats      int      `json:"seats" doc:"That can be used: enabled ones, and those of a subscription that has ended and can still be used."`
	Enabled    int      `json:"enabled"`
	Warning    int      `json:"warning"`
	Suspended  int      `json:"suspended"`
	Used       int      `json:"used"`
	Free       int      `json:"free"`
	Plans      []string `json:"plans" doc:"Names of the services within it."`
}

// EntraLicences gives the products of the tenant, in the order of their names.
func (s *Service) EntraLicences(ctx context.Context, ref model.Ref) ([]EntraProduct, error) {
	tenant, err := s.reader(ctx, ref)
	if err != nil {
		return nil, err
	}
	list, err := tenant.SKUs(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]EntraProduct, len(list))
	for i := range list {
		k := &list[i]
		reason := notAssignable(k)
		out[i] = EntraProduct{
			SKUID: k.ID, PartNumber: k.PartNumber, AppliesTo: k.AppliesTo, Status: k.Status, Assignable: reason == "", Reason: reason,
			Seats: k.Enabled + k.Warning, Enabled: k.Enabled, Warning: k.Warning, Suspended: k.Suspended, Used: k.Consumed, Free: k.Free(),
			Plans: make([]string, len(k.Plans)),
		}
		for n, p := range k.Plans {
			out[i].Plans[n] = p.Name
		}
	}
	slices.SortFunc(out, func(a, b EntraProduct) int {
		return cmp.Or(cmp.Compare(a.PartNumber, b.PartNumber), cmp.Compare(a.SKUID, b.SKUID))
	})
	return out, nil
}

// notAssignable says why a product cannot be given to anybody; "" where it can.
func notAssignable(k *entra.SKU) string {
	switch {
	case !strings.EqualFold(k.AppliesTo, "User"):
		return "it is for the whole tenant and cannot be assigned"
	case !strings.EqualFold(k.Status, "Enabled") && !strings.EqualFold(k.Status, "Warning"):
		return "its subscription is " + strings.ToLower(k.Status)
	case k.Free() == 0:
		return "all seats are used"
	}
	return ""
}

// EntraLicence is a product that a user has, once for each way in which it came.
type EntraLicence struct {
	SKUID         string     `json:"sku_id"`
	PartNumber    string     `json:"part_number"`
	Direct        bool       `json:"direct" doc:"Assigned to the user, and so it can be taken away; otherwise it comes from a group."`
	GroupID       *string    `json:"group_id" doc:"Object id of the group that it comes from."`
	GroupName     string     `json:"group_name,omitempty"`
	State         string     `json:"state" doc:"Active, ActiveWithError, Disabled or Error."`
	Error         string     `json:"error,omitempty" doc:"Microsoft's word for what is wrong, such as CountViolation."`
	Advice        string     `json:"advice,omitempty" doc:"What to do about it."`
	DisabledPlans []string   `json:"disabled_plans"`
	UpdatedAt     *time.Time `json:"updated_at"`
}

// EntraUserLicences gives the products that a user has, whether assigned to the user or by a group.
func (s *Service) EntraUserLicences(ctx context.Context, ref model.Ref, uid string) ([]EntraLicence, error) {
	tenant, u, err := s.entraUser(ctx, ref, uid)
	if err != nil {
		return nil, err
	}
	list, err := tenant.Licences(ctx, u.ID)
	if err != nil {
		return nil, err
	}
	skus, err := tenant.SKUs(ctx)
	if err != nil {
		return nil, err
	}
	parts := map[string]string{}
	for i := range skus {
		parts[strings.ToLower(skus[i].ID)] = skus[i].PartNumber
	}
	groups, err := groupNames(ctx, tenant, list)
	if err != nil {
		return nil, err
	}
	out := make([]EntraLicence, len(list))
	for i := range list {
		l := &list[i]
		out[i] = EntraLicence{
			SKUID: l.SKUID, PartNumber: parts[strings.ToLower(l.SKUID)], Direct: l.Group == "", State: l.State, DisabledPlans: l.DisabledPlans,
			UpdatedAt: timeOrNil(l.UpdatedAt), GroupName: groups[l.Group],
		}
		if l.DisabledPlans == nil {
			out[i].DisabledPlans = []string{}
		}
		if l.Group != "" {
			out[i].GroupID = &l.Group
		}
		if l.Error != "" && !strings.EqualFold(l.Error, "None") {
			out[i].Error, out[i].Advice = l.Error, licenceAdvice(l.Error)
		}
	}
	return out, nil
}

// groupNames gives the names of the groups that licences come from; one that is gone has none.
func groupNames(ctx context.Context, tenant TenantReader, list []entra.Licence) (map[string]string, error) {
	names := map[string]string{}
	for i := range list {
		id := list[i].Group
		if _, known := names[id]; known || id == "" || len(names) >= maxGroupCandidates {
			continue
		}
		g, err := tenant.Group(ctx, id)
		if err != nil && outlook.KindOf(err) != outlook.NotFound {
			return nil, err
		}
		names[id] = g.DisplayName
	}
	return names, nil
}

// licenceAdvice says what to do about an error of a licence (Entra, resolve group licence assignment problems).
func licenceAdvice(code string) string {
	switch strings.ToLower(code) {
	case "countviolation":
		return "there are not enough seats: buy some, or take the product from somebody"
	case "mutuallyexclusiveviolation":
		return "it has a service that cannot go with one that the user has already: disable one of the two plans"
	case "dependencyviolation":
		return "a service in it needs another one that the user does not have: assign that product, or enable its plan"
	case "prohibitedinusagelocationviolation":
		return "a service in it is not offered in the user's country: correct usage_location, or disable the plan"
	case "uniquenessviolation":
		return "the user has the same service from another product"
	}
	return "look at the user's licences in the Entra admin centre, which shows the reason"
}
