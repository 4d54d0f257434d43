package api

import (
	"context"
	"net/http"

	"usher/model"
)

// SCIMFederationInput is trust in an issuer.
type SCIMFederationInput struct {
	TenantID string `json:"tenant_id,omitempty" maxLength:"100" doc:"Directory (tenant) id in Entra; or else issuer."`
	Cloud    string `json:"cloud,omitempty" enum:"global,usgov,dod,china" doc:"Where the tenant is; the integration's cloud without it."`
	Issuer   string `json:"issuer,omitempty" maxLength:"1000" doc:"The iss of its assertions, exactly; or else tenant_id."`
	Subject  string `json:"subject" minLength:"1" maxLength:"500" doc:"The sub of its assertions, exactly: in Entra the object id of the enterprise application."`
	Audience string `json:"audience" minLength:"1" maxLength:"500" doc:"The aud of its assertions: in Entra the application id that they are made for."`
	JWKSURL  string `json:"jwks_url,omitempty" maxLength:"1000" doc:"Where its keys are; of a tenant they are found without it."`
}

// SCIMFederationView is trust in an issuer, with where the client gets its tokens.
type SCIMFederationView struct {
	model.SCIMClientFederation
	TokenURL string `json:"token_url" doc:"The Token Endpoint of this client alone, which needs no client_id beside the assertion."`
}

func (a *API) showFederation(f model.SCIMClientFederation) SCIMFederationView {
	return SCIMFederationView{f, a.tokenURL() + "/" + f.ClientID}
}

func (a *API) scimFederations() {
	const path = "/integrations/{id}/scim-clients/{client_id}/federations"
	o := operation{tag: tagIntegrations, right: model.RightManageIntegrations}
	register(a, o.with(http.MethodGet, path, "List the issuers that a SCIM client trusts").needing(model.RightRead), a.listSCIMFederations)
	register(a, o.with(http.MethodPost, path, "Trust an issuer to vouch for a SCIM client").answering(http.StatusCreated).refusing().
		says("Workload identity federation (RFC 7523): whoever shows an assertion of the issuer with this subject and audience gets the "+
			"client's access tokens, without any secret."), a.createSCIMFederation)
	register(a, o.with(http.MethodDelete, path+"/{federation_id}", "Stop trusting an issuer").answering(http.StatusNoContent).
		says("Access tokens that were given for it are refused at once, by other replicas within ten seconds."), a.deleteSCIMFederation)
}

// listSCIMFederations answers with all of them: a client has a few at most.
func (a *API) listSCIMFederations(ctx context.Context, in *SCIMClientRef) (*answer[page[SCIMFederationView]], error) {
	c, err := a.store.Read(ctx).SCIMClient(in.ref(ctx), in.ClientID)
	if err != nil {
		return nil, err
	}
	out := page[SCIMFederationView]{Data: []SCIMFederationView{}}
	for _, f := range c.Federations {
		out.Data = append(out.Data, a.showFederation(f))
	}
	return &answer[page[SCIMFederationView]]{out}, nil
}

func (a *API) createSCIMFederation(ctx context.Context, in *struct {
	SCIMClientRef
	Body SCIMFederationInput
},
) (*answer[SCIMFederationView], error) {
	f, err := a.svc.CreateSCIMFederation(ctx, in.ref(ctx), in.ClientID, model.SCIMClientFederation{
		TenantID: in.Body.TenantID, Cloud: in.Body.Cloud, Issuer: in.Body.Issuer, Subject: in.Body.Subject, Audience: in.Body.Audience,
		JWKSURL: in.Body.JWKSURL,
	})
	return answered(a.showFederation(f), err)
}

func (a *API) deleteSCIMFederation(ctx context.Context, in *struct {
	SCIMClientRef
	FederationID string `path:"federation_id" maxLength:"100"`
},
) (*nothing, error) {
	return done(a.svc.DeleteSCIMFederation(ctx, in.ref(ctx), in.ClientID, in.FederationID))
}
