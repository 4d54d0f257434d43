package graph

import (
	"context"

	"github.com/google/uuid"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/subscribedskus"
	sdkusers "github.com/microsoftgraph/msgraph-sdk-go/users"

	"usher/model/entra"
	"usher/model/outlook"
)

// SKUs gives the products that the tenant has subscribed to. Graph has no pages of them.
func (c *Client) SKUs(ctx context.Context) ([]entra.SKU, error) {
	info, err := subscribedskus.NewSubscribedSkusRequestBuilderInternal(map[string]string{}, c.adapter).ToGetRequestInformation(ctx, nil)
	page, err := fetch[models.SubscribedSkuCollectionResponseable](ctx, c, call{operation: "subscribedSkus.list", safe: true, units: 3}, info, err,
		models.CreateSubscribedSkuCollectionResponseFromDiscriminatorValue)
	if err != nil {
		return nil, err
	}
	var list []entra.SKU
	for _, found := range page.GetValue() {
		if found != nil && found.GetSkuId() != nil {
			list = append(list, sku(found))
		}
	}
	return list, nil
}

func sku(m models.SubscribedSkuable) entra.SKU {
	result := entra.SKU{
		ID: m.GetSkuId().String(), PartNumber: value(m.GetSkuPartNumber()), AppliesTo: value(m.GetAppliesTo()),
		Status: value(m.GetCapabilityStatus()), Consumed: int(value(m.GetConsumedUnits())),
	}
	if units := m.GetPrepaidUnits(); units != nil {
		result.Enabled, result.Warning = int(value(units.GetEnabled())), int(value(units.GetWarning()))
		result.Suspended = int(value(units.GetSuspended()))
	}
	for _, plan := range m.GetServicePlans() {
		if plan != nil && plan.GetServicePlanId() != nil {
			result.Plans = append(result.Plans, entra.Plan{ID: plan.GetServicePlanId().String(), Name: value(plan.GetServicePlanName())})
		}
	}
	return result
}

// Licences gives what a user has, one entry for each way that it comes: directly, and by each group.
func (c *Client) Licences(ctx context.Context, userID string) ([]entra.Licence, error) {
	if unnamed(userID) {
		return nil, missing("a user")
	}
	info, err := c.users().ByUserId(userID).ToGetRequestInformation(ctx, &sdkusers.UserItemRequestBuilderGetRequestConfiguration{
		QueryParameters: &sdkusers.UserItemRequestBuilderGetQueryParameters{Select: []string{"id", "licenseAssignmentStates"}},
	})
	found, err := fetch[models.Userable](ctx, c, call{operation: "users.licences", safe: true, units: 1}, info, err, models.CreateUserFromDiscriminatorValue)
	if err != nil {
		return nil, err
	}
	if value(found.GetId()) == "" {
		return nil, &outlook.Error{Kind: outlook.NoUser, Code: codeUnread, Message: "the answer is no user"}
	}
	var list []entra.Licence
	for _, state := range found.GetLicenseAssignmentStates() {
		if state == nil || state.GetSkuId() == nil {
			continue
		}
		list = append(list, entra.Licence{
			SKUID: state.GetSkuId().String(), DisabledPlans: texts(state.GetDisabledPlans()), Group: value(state.GetAssignedByGroup()),
			State: value(state.GetState()), Error: value(state.GetError()), UpdatedAt: moved(state.GetLastUpdatedDateTime()),
		})
	}
	return list, nil
}

func texts(ids []uuid.UUID) []string {
	var list []string
	for _, id := range ids {
		list = append(list, id.String())
	}
	return list
}

// AssignLicences gives a user products and takes others away, at once. Both lists are always sent: Graph wants empty ones too.
func (c *Client) AssignLicences(ctx context.Context, userID string, add []entra.Licence, remove []string) error {
	if unnamed(userID) {
		return missing("a user")
	}
	added := make([]models.AssignedLicenseable, 0, len(add))
	for _, licence := range add {
		id, err := uuid.Parse(licence.SKUID)
		if err != nil {
			return badValue("a product is named by a GUID")
		}
		disabled, err := guids(licence.DisabledPlans)
		if err != nil {
			return err
		}
		one := models.NewAssignedLicense()
		one.SetSkuId(&id)
		one.SetDisabledPlans(disabled)
		added = append(added, one)
	}
	removed, err := guids(remove)
	if err != nil {
		return err
	}
	body := sdkusers.NewItemAssignLicensePostRequestBody()
	body.SetAddLicenses(added)
	body.SetRemoveLicenses(removed)
	info, err := c.users().ByUserId(userID).AssignLicense().ToPostRequestInformation(ctx, body, nil)
	return c.done(ctx, call{operation: "users.assign_licences", units: 1}, info, err)
}

func guids(texts []string) ([]uuid.UUID, error) {
	list := make([]uuid.UUID, 0, len(texts))
	for _, text := range texts {
		id, err := uuid.Parse(text)
		if err != nil {
			return nil, badValue("products and plans are named by GUIDs")
		}
		list = append(list, id)
	}
	return list, nil
}
