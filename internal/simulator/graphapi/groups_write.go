package graphapi

import (
	"context"
	"net/http"

	"usher/internal/simulator/entraid"
	"usher/model/entra"
)

// addMember answers POST /groups/{id}/members/$ref.
func (s *Server) addMember(ctx context.Context, c *call) (answer, error) {
	id, err := c.reference()
	if err != nil {
		return answer{}, err
	}
	return noContent(s.as(c).AddMembers(ctx, c.vars["group"], id))
}

// bindMembers answers PATCH /groups/{id}, of which members@odata.bind alone is held.
func (s *Server) bindMembers(ctx context.Context, c *call) (answer, error) {
	v, err := c.values()
	if err != nil {
		return answer{}, err
	}
	list, _ := v["members@odata.bind"].([]any)
	if len(v) != 1 || len(list) == 0 {
		return answer{}, notHeld("changes of groups but for members@odata.bind")
	}
	ids := make([]string, 0, len(list))
	for _, one := range list {
		address, _ := one.(string)
		ids = append(ids, lastSegment(address))
	}
	return noContent(s.as(c).AddMembers(ctx, c.vars["group"], ids...))
}

// removeMember answers DELETE /groups/{id}/members/{member}/$ref.
func (s *Server) removeMember(ctx context.Context, c *call) (answer, error) {
	return noContent(s.as(c).RemoveMember(ctx, c.vars["group"], c.vars["member"]))
}

// deleteMember answers DELETE /groups/{id}/members/{member}: without /$ref it is the user who is deleted (Microsoft: remove
// member, caution).
func (s *Server) deleteMember(ctx context.Context, c *call) (answer, error) {
	return noContent(s.as(c).DeleteUser(ctx, c.vars["member"]))
}

// products answers GET /subscribedSkus.
func (s *Server) products(ctx context.Context, c *call) (answer, error) {
	skus, err := s.as(c).SKUs(ctx)
	if err != nil {
		return answer{}, err
	}
	values := make([]object, 0, len(skus))
	for _, sku := range skus {
		values = append(values, object{
			"id": s.opts.TenantID + "_" + sku.ID, "skuId": sku.ID, "skuPartNumber": sku.PartNumber, "appliesTo": sku.AppliesTo,
			"capabilityStatus": sku.Status, "consumedUnits": sku.Consumed, "accountId": s.opts.TenantID, "accountName": "contoso",
			"prepaidUnits": object{"enabled": sku.Enabled, "warning": sku.Warning, "suspended": sku.Suspended, "lockedOut": 0},
			"servicePlans": plans(sku, sku.AppliesTo), "subscriptionIds": []string{sku.ID},
		})
	}
	return jsonAnswer(http.StatusOK, s.collection(c, "subscribedSkus", values, ""))
}

func plans(sku entra.SKU, appliesTo string) []object {
	list := make([]object, 0, len(sku.Plans))
	for _, plan := range sku.Plans {
		list = append(list, object{
			"servicePlanId": plan.ID, "servicePlanName": plan.Name, "provisioningStatus": "Success", "appliesTo": appliesTo,
		})
	}
	return list
}

// licenceDetails answers GET /users/{id}/licenseDetails.
func (s *Server) licenceDetails(ctx context.Context, c *call) (answer, error) {
	held, err := s.as(c).Licences(ctx, c.vars["user"])
	if err != nil {
		return answer{}, err
	}
	values, seen := []object{}, map[string]bool{}
	for _, sku := range s.opts.Directory.Tenant().SKUs() {
		for _, l := range held {
			if l.SKUID == sku.ID && !seen[sku.ID] {
				seen[sku.ID] = true
				one := entra.SKU{ID: sku.ID}
				for _, plan := range sku.Plans {
					one.Plans = append(one.Plans, entra.Plan(plan))
				}
				values = append(values, object{"id": sku.ID, "skuId": sku.ID, "skuPartNumber": sku.PartNumber, "servicePlans": plans(one, "User")})
			}
		}
	}
	return jsonAnswer(http.StatusOK, s.collection(c, "users('"+c.vars["user"]+"')/licenseDetails", values, ""))
}

// assignLicence answers POST /users/{id}/assignLicense, which wants both lists.
func (s *Server) assignLicence(ctx context.Context, c *call) (answer, error) {
	fields, err := c.fields("assignLicense", "addLicenses", "removeLicenses")
	if err != nil {
		return answer{}, err
	}
	r := &reader{fields: fields}
	if !r.has("addLicenses") || !r.has("removeLicenses") {
		return answer{}, entraid.Invalid("A value is required for the parameters 'addLicenses' and 'removeLicenses'.")
	}
	var remove []string
	r.read("removeLicenses", "Collection(Edm.Guid)", &remove)
	var add []entra.Licence
	for _, one := range r.objects("addLicenses", "assignedLicense", "skuId", "disabledPlans") {
		l := entra.Licence{SKUID: one.text("skuId")}
		one.read("disabledPlans", "Collection(Edm.Guid)", &l.DisabledPlans)
		r.fail(one.err)
		add = append(add, l)
	}
	if r.err != nil {
		return answer{}, r.err
	}
	if err := s.as(c).AssignLicences(ctx, c.vars["user"], add, remove); err != nil {
		return answer{}, err
	}
	u, ok := s.opts.Directory.Tenant().User(c.vars["user"])
	if !ok {
		u, _ = s.opts.Directory.Tenant().UserCalled(c.vars["user"])
	}
	return jsonAnswer(http.StatusOK, s.renderPerson(u, append(userDefaults(), "assignedLicenses")))
}
