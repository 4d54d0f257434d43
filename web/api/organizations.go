package api

import (
	"context"
	"net/http"

	"usher/model"
)

// OrganizationInput is a new organization.
type OrganizationInput struct {
	Slug string `json:"slug" doc:"Its name in URLs and headers: lower-case letters, digits and hyphens."`
	Name string `json:"name,omitempty" doc:"The slug, where it is absent."`
}

// OrganizationPatch changes an organization; what is absent stays.
type OrganizationPatch struct {
	Slug *string `json:"slug,omitempty"`
	Name *string `json:"name,omitempty"`
}

func (a *API) organizations() {
	const path, one = "/organizations", "/organizations/{id}"
	o := operation{tag: tagOrganizations, right: model.RightAll, installation: true}
	register(a, o.with(http.MethodGet, path, "List organizations"), a.listOrganizations)
	register(a, o.with(http.MethodPost, path, "Create an organization").answering(http.StatusCreated).refusing(), a.createOrganization)
	register(a, o.with(http.MethodGet, one, "Read an organization"), a.readOrganization)
	register(a, o.with(http.MethodPatch, one, "Change an organization").refusing(), a.changeOrganization)
	register(a, o.with(http.MethodDelete, one, "Delete an organization with everything in it").answering(http.StatusNoContent).refusing(), a.deleteOrganization)
}

func (a *API) listOrganizations(ctx context.Context, in *struct{ PageInput }) (*answer[page[model.Organization]], error) {
	return paged(in.PageInput, a.store.Read(ctx).OrganizationsAfter, func(o model.Organization) string { return o.ID }, itself)
}

func (a *API) createOrganization(ctx context.Context, in *struct{ Body OrganizationInput }) (*answer[model.Organization], error) {
	return answered(a.svc.CreateOrganization(ctx, in.Body.Slug, in.Body.Name))
}

func (a *API) readOrganization(ctx context.Context, in *IDInput) (*answer[model.Organization], error) {
	return answered(a.store.Read(ctx).Organization(in.ID))
}

func (a *API) changeOrganization(ctx context.Context, in *struct {
	IDInput
	Body OrganizationPatch
},
) (*answer[model.Organization], error) {
	found, err := a.store.Read(ctx).Organization(in.ID)
	if err != nil {
		return nil, err
	}
	return answered(a.svc.ChangeOrganization(ctx, found.ID, func(o *model.Organization) error {
		if in.Body.Slug != nil {
			o.Slug = *in.Body.Slug
		}
		if in.Body.Name != nil {
			o.Name = *in.Body.Name
		}
		return nil
	}))
}

func (a *API) deleteOrganization(ctx context.Context, in *IDInput) (*nothing, error) {
	found, err := a.store.Read(ctx).Organization(in.ID)
	if err != nil {
		return nil, err
	}
	return done(a.svc.DeleteOrganization(ctx, found.ID))
}
