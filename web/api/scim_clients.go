package api

import (
	"context"
	"net/http"
	"time"

	"usher/model"
)

// SCIMClientInput is a new client.
type SCIMClientInput struct {
	Name         string     `json:"name" minLength:"1" maxLength:"200"`
	ExpiresAt    *time.Time `json:"expires_at,omitempty" doc:"When its first secret stops working; never without it. One to three years are usual."`
	TokenMinutes int        `json:"token_minutes,omitempty" minimum:"60" maximum:"360" default:"60" doc:"How long an access token is good for."`
}

// SCIMSecretInput is one more secret of a client.
type SCIMSecretInput struct {
	ExpiresAt *time.Time `json:"expires_at,omitempty" doc:"When it stops working; never without it."`
}

// SCIMClientView is a client as it is shown: without its secrets' texts.
type SCIMClientView struct {
	model.SCIMClient
	TokenURL string `json:"token_url" doc:"The Token Endpoint to enter in Entra."`
}

// NewSCIMClient is a client with the text of its first secret, which is shown this once.
type NewSCIMClient struct {
	SCIMClientView
	ClientSecret string `json:"client_secret" doc:"The Client Secret to enter in Entra. It cannot be shown again."`
}

// NewSCIMClientSecret is a secret with its text, which is shown this once.
type NewSCIMClientSecret struct {
	model.SCIMClientSecret
	ClientSecret string `json:"client_secret" doc:"The Client Secret to enter in Entra. It cannot be shown again."`
}

// SCIMClientRef names a client of an integration.
type SCIMClientRef struct {
	IDInput
	ClientID string `path:"client_id" maxLength:"100" doc:"Of the client."`
}

func (in SCIMClientRef) ref(ctx context.Context) model.Ref {
	return model.Ref{OrganizationID: org(ctx), IntegrationID: in.ID}
}

// tokenURL is where SCIM clients get access tokens.
func (a *API) tokenURL() string { return a.publicURL + "/oauth2/token" }

func (a *API) showClient(c model.SCIMClient) SCIMClientView {
	for i := range c.Secrets {
		c.Secrets[i].State = model.StateOf(c.Secrets[i].ExpiresAt, a.svc.Now())
	}
	return SCIMClientView{c, a.tokenURL()}
}

func (a *API) scimClients() {
	const path = "/integrations/{id}/scim-clients"
	const one, secrets = path + "/{client_id}", path + "/{client_id}/secrets"
	o := operation{tag: tagIntegrations, right: model.RightManageIntegrations}
	register(a, o.with(http.MethodGet, path, "List the SCIM clients of an integration").needing(model.RightRead), a.listSCIMClients)
	register(a, o.with(http.MethodPost, path, "Create a SCIM client").answering(http.StatusCreated).refusing().
		says("A client gets access tokens at `/oauth2/token` (OAuth 2.0 client credentials), with its id and secret."), a.createSCIMClient)
	register(a, o.with(http.MethodGet, one, "Read a SCIM client").needing(model.RightRead), a.readSCIMClient)
	register(a, o.with(http.MethodDelete, one, "Delete a SCIM client").answering(http.StatusNoContent).
		says("Its access tokens are refused at once, by other replicas within ten seconds."), a.deleteSCIMClient)
	register(a, o.with(http.MethodPost, secrets, "Add a secret to a SCIM client").answering(http.StatusCreated).refusing().
		says("Two secrets work at once, so that one can be replaced without a gap; a third is refused until one is deleted."), a.createSCIMSecret)
	register(a, o.with(http.MethodDelete, secrets+"/{secret_id}", "Delete a secret of a SCIM client").answering(http.StatusNoContent).
		says("Access tokens that were given for it are refused at once, by other replicas within ten seconds."), a.deleteSCIMSecret)
}

func (a *API) listSCIMClients(ctx context.Context, in *struct {
	IDInput
	PageInput
},
) (*answer[page[SCIMClientView]], error) {
	ref, err := a.ref(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	read := func(after string, limit int) ([]model.SCIMClient, error) {
		return a.store.Read(ctx).SCIMClientsAfter(ref, after, limit)
	}
	return paged(in.PageInput, read, func(c model.SCIMClient) string { return c.ID }, a.showClient)
}

func (a *API) createSCIMClient(ctx context.Context, in *struct {
	IDInput
	Body SCIMClientInput
},
) (*answer[NewSCIMClient], error) {
	ref := model.Ref{OrganizationID: org(ctx), IntegrationID: in.ID}
	c, text, err := a.svc.CreateSCIMClient(ctx, ref, in.Body.Name, in.Body.TokenMinutes, in.Body.ExpiresAt)
	return answered(NewSCIMClient{a.showClient(c), text}, err)
}

func (a *API) readSCIMClient(ctx context.Context, in *SCIMClientRef) (*answer[SCIMClientView], error) {
	c, err := a.store.Read(ctx).SCIMClient(in.ref(ctx), in.ClientID)
	return answered(a.showClient(c), err)
}

func (a *API) deleteSCIMClient(ctx context.Context, in *SCIMClientRef) (*nothing, error) {
	return done(a.svc.DeleteSCIMClient(ctx, in.ref(ctx), in.ClientID))
}

func (a *API) createSCIMSecret(ctx context.Context, in *struct {
	SCIMClientRef
	Body SCIMSecretInput
},
) (*answer[NewSCIMClientSecret], error) {
	row, text, err := a.svc.CreateSCIMClientSecret(ctx, in.ref(ctx), in.ClientID, in.Body.ExpiresAt)
	return answered(NewSCIMClientSecret{row, text}, err)
}

func (a *API) deleteSCIMSecret(ctx context.Context, in *struct {
	SCIMClientRef
	SecretID string `path:"secret_id" maxLength:"100"`
},
) (*nothing, error) {
	return done(a.svc.DeleteSCIMClientSecret(ctx, in.ref(ctx), in.ClientID, in.SecretID))
}
