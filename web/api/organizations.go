package api

import (
	"context"
	"net/http"

	"usher/model"
)

// OrganizationInput is a new organization.
type OrganizationInput struct {
	Slug string `json:"slug" maxLength:"100" doc:"Its name in URLs and headers: lower-case letters, digits and hyphens."`
	Name string `json:"name" maxLength:"200"`
}

// OrganizationPatch changes an organization; what is absent stays.
type OrganizationPatch struct {
	Slug *string `json:"slug,omitempty" maxLength:"100"`
	Name *string `json:"name,omitempty" maxLength:"200"`
}

type organizationPath struct {
	ID string `path:"id" doc:"Id of the organization."`
}

func (a *API) organizations() {
	const path, one = "/organizations", "/organizations/{id}"
	o := operation{tag: tagOrganizations, right: model.RightAll, installation: true, conflicts: true}
	register(a, o.with(http.MethodGet, path, "List organizations"), a.listOrganizations)
	register(a, o.with(http.MethodPost, path, "Create an organization").answering(http.StatusCreated), a.createOrganization)
	register(a, o.with(http.MethodGet, one, "Read an organization"), a.readOrganization)
	register(a, o.with(http.MethodPatch, one, "Change an organization"), a.changeOrganization)
	register(a, o.with(http.MethodDelete, one, "Delete an organization with everything in it"), a.deleteOrganization)
}

func (a *API) listOrganizations(ctx context.Context, in *struct{ PageInput }) (*answer[page[model.Organization]], error) {
	return paged(in.PageInput, a.store.Read(ctx).OrganizationsAfter, func(o model.Organization) string { return o.ID }, itself)
}

func (a *API) createOrganization(ctx context.Context, in *struct{ Body OrganizationInput }) (*answer[model.Organization], error) {
	return answered(a.svc.CreateOrganization(ctx, in.Body.Slug, in.Body.Name))
}

func (a *API) readOrganization(ctx context.Context, in *struct{ organizationID }) (*answer[model.Organization], error) {
	return answered(a.organization(ctx, in.ID))
}
