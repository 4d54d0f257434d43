package graph

import (
	"context"
	"slices"
	"strings"

	"github.com/microsoftgraph/msgraph-sdk-go/directoryobjects"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
	sdk "github.com/microsoftgraph/msgraph-sdk-go/organization"

	"usher/model/entra"
)

// Organization gives the tenant's name and verified domains; User.Read.All is enough for it, where /domains takes a permission
// of its own.
func (c *Client) Organization(ctx context.Context) (entra.Organization, error) {
	info, err := sdk.NewOrganizationRequestBuilderInternal(map[string]string{}, c.adapter).ToGetRequestInformation(ctx,
		&sdk.OrganizationRequestBuilderGetRequestConfiguration{QueryParameters: &sdk.OrganizationRequestBuilderGetQueryParameters{
			Select: []string{"id", "displayName", "verifiedDomains", "onPremisesSyncEnabled"},
		}})
	page, err := fetch[models.OrganizationCollectionResponseable](ctx, c, call{operation: "organization.get", safe: true, units: 1}, info, err,
		models.CreateOrganizationCollectionResponseFromDiscriminatorValue)
	if err != nil {
		return entra.Organization{}, err
	}
	for _, found := range page.GetValue() { // there is one
		if found != nil && value(found.GetId()) != "" {
			return organization(found), nil
		}
	}
	return entra.Organization{}, unreadable("the answer is no organization")
}

func organization(m models.Organizationable) entra.Organization {
	result := entra.Organization{ID: value(m.GetId()), DisplayName: value(m.GetDisplayName()), OnPremisesSync: value(m.GetOnPremisesSyncEnabled())}
	for _, d := range m.GetVerifiedDomains() {
		if d != nil && value(d.GetName()) != "" {
			result.Domains = append(result.Domains, entra.Domain{
				Name: value(d.GetName()), IsDefault: value(d.GetIsDefault()), Initial: value(d.GetIsInitial()),
				Federated: strings.EqualFold(value(d.GetTypeEscaped()), "Federated"),
			})
		}
	}
	return result
}

// Extensions lists the directory extensions of users. It takes Directory.Read.All.
func (c *Client) Extensions(ctx context.Context) ([]entra.Extension, error) {
	info, err := directoryobjects.NewGetAvailableExtensionPropertiesRequestBuilderInternal(map[string]string{}, c.adapter).
		ToPostRequestInformation(ctx, directoryobjects.NewGetAvailableExtensionPropertiesPostRequestBody(), nil)
	page, err := fetch[directoryobjects.GetAvailableExtensionPropertiesPostResponseable](ctx, c,
		call{operation: "directoryObjects.extensions", safe: true, units: 1}, info, err,
		directoryobjects.CreateGetAvailableExtensionPropertiesPostResponseFromDiscriminatorValue)
	if err != nil {
		return nil, err
	}
	var list []entra.Extension
	for _, found := range page.GetValue() {
		if found == nil || checkExtensions([]string{value(found.GetName())}) != nil || !slices.Contains(found.GetTargetObjects(), "User") {
			continue
		}
		list = append(list, entra.Extension{
			Name: value(found.GetName()), DataType: value(found.GetDataType()), Application: value(found.GetAppDisplayName()),
			MultiValued: value(found.GetIsMultiValued()),
		})
	}
	return list, nil
}
