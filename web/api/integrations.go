package api

import (
	"context"
	"net/http"

	"usher/directory"
	"usher/model"
)

// IntegrationView is an integration as it is shown: without its secrets.
type IntegrationView struct {
	model.Integration
	SCIM *SCIMEndpoint `json:"scim,omitempty" doc:"Where Entra pushes to; only with ingress scim."`
}

// SCIMEndpoint is where a SCIM client reaches an integration.
type SCIMEndpoint struct {
	BaseURL  string `json:"base_url" doc:"The Tenant URL to enter in Entra."`
	TokenURL string `json:"token_url" doc:"The Token Endpoint to enter in Entra, for SCIM clients."`
}

// IntegrationDetail is an integration with what an administrator should see to.
type IntegrationDetail struct {
	IntegrationView
	Warnings []model.Warning `json:"warnings" doc:"Tokens and secrets that end within 30 days, or have ended within the last 30; the most urgent first."`
}

func (a *API) showIntegration(i model.Integration) IntegrationView {
	v := IntegrationView{Integration: i}
	if i.Ingress == model.IngressSCIM {
		v.SCIM = &SCIMEndpoint{a.publicURL + "/scim/v2/" + i.ID, a.tokenURL()}
	}
	return v
}

// ref names an integration of the caller's organization that exists.
func (a *API) ref(ctx context.Context, id string) (model.Ref, error) {
	i, err := a.store.Read(ctx).Integration(model.Ref{OrganizationID: org(ctx), IntegrationID: id})
	return i.Ref(), err
}

func (a *API) integrations() {
	const path, one = "/integrations", "/integrations/{id}"
	o := operation{tag: tagIntegrations, right: model.RightManageIntegrations}
	register(a, o.with(http.MethodGet, path, "List integrations").needing(model.RightRead), a.listIntegrations)
	register(a, o.with(http.MethodPost, path, "Create an integration").answering(http.StatusCreated).refusing(), a.createIntegration)
	register(a, o.with(http.MethodGet, one, "Read an integration").needing(model.RightRead), a.readIntegration)
	register(a, o.with(http.MethodPatch, one, "Change an integration").refusing().
		says("What is absent stays as it is, within objects too; null sets a setting to its default and forgets a secret."), a.changeIntegration)
	register(a, o.with(http.MethodDelete, one, "Remove an integration").answering(http.StatusNoContent).
		needing(model.RightRemoveIntegrations).
		says("Its mirror goes with it, at once. Accounts stay as they are, no longer synced; adding it again links them by e-mail. What it has in Microsoft 365 and Entra is taken away by and by: "+
			"`GET /integrations/{id}/removal` says how far that is, and what has to be done by hand."), a.deleteIntegration)
}

func (a *API) listIntegrations(ctx context.Context, in *struct{ PageInput }) (*answer[page[IntegrationView]], error) {
	read := func(after string, limit int) ([]model.Integration, error) {
		return a.store.Read(ctx).IntegrationsAfter(org(ctx), after, limit)
	}
	return paged(in.PageInput, read, func(i model.Integration) string { return i.ID }, a.showIntegration)
}

func (a *API) createIntegration(ctx context.Context, in *struct{ Body IntegrationInput }) (*answer[IntegrationView], error) {
	i := directory.DefaultIntegration(in.Body.Name, in.Body.Ingress)
	in.Body.IntegrationSettings.into(&i)
	i, err := a.svc.CreateIntegration(ctx, org(ctx), i, in.Body.secrets())
	return answered(a.showIntegration(i), err)
}

func (a *API) readIntegration(ctx context.Context, in *IDInput) (*answer[IntegrationDetail], error) {
	i, err := a.store.Read(ctx).Integration(model.Ref{OrganizationID: org(ctx), IntegrationID: in.ID})
	if err != nil {
		return nil, err
	}
	list, err := a.svc.Warnings(ctx, i.Ref())
	return answered(IntegrationDetail{a.showIntegration(i), list}, err)
}

func (a *API) changeIntegration(ctx context.Context, in *struct {
	IDInput
	Body IntegrationPatch
},
) (*answer[IntegrationView], error) {
	ref := model.Ref{OrganizationID: org(ctx), IntegrationID: in.ID}
	i, err := a.svc.ChangeIntegration(ctx, ref, func(i *model.Integration) error {
		if in.Body.Name != nil {
			i.Name = *in.Body.Name
		}
		in.Body.IntegrationSettings.into(i)
		return nil
	}, in.Body.secrets())
	return answered(a.showIntegration(i), err)
}

// RemoveInput names an integration that is removed.
type RemoveInput struct {
	IDInput
	KeepInEntra bool `query:"keep_in_entra" doc:"Leave what Usher set up in Entra, and the consent."`
}

// removed says where it can be read how far a removal is.
type removed struct {
	Location string `header:"Location" doc:"Where the removal can be read."`
}

func (a *API) deleteIntegration(ctx context.Context, in *RemoveInput) (*removed, error) {
	if _, err := a.svc.RemoveIntegration(ctx, a.refOf(ctx, in.ID), in.KeepInEntra); err != nil {
		return nil, err
	}
	return &removed{a.publicURL + Base + "/integrations/" + in.ID + "/removal"}, nil
}
