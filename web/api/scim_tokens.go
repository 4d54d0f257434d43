package api

import (
	"context"
	"net/http"
	"time"

	"usher/model"
)

// SCIMTokenInput is a new token.
type SCIMTokenInput struct {
	Name      string     `json:"name" minLength:"1" maxLength:"200"`
	ExpiresAt *time.Time `json:"expires_at,omitempty" doc:"When it stops working; never without it."`
}

// NewSCIMToken is a token with its text, which is shown this once.
type NewSCIMToken struct {
	model.SCIMToken
	Token string `json:"token" doc:"The Secret Token to enter in Entra. It cannot be shown again."`
}

func (a *API) scimTokens() {
	const path = "/integrations/{id}/scim-tokens"
	o := operation{tag: tagIntegrations, right: model.RightManageIntegrations}
	register(a, o.with(http.MethodGet, path, "List the SCIM tokens of an integration").needing(model.RightRead), a.listSCIMTokens)
	register(a, o.with(http.MethodPost, path, "Create a SCIM token").answering(http.StatusCreated).refusing().
		says("Several tokens work at once, so that one can be replaced without a gap. Before one expires, the integration warns of it."), a.createSCIMToken)
	register(a, o.with(http.MethodDelete, path+"/{token_id}", "Revoke a SCIM token").answering(http.StatusNoContent), a.deleteSCIMToken)
}

func (a *API) listSCIMTokens(ctx context.Context, in *struct {
	IDInput
	PageInput
},
) (*answer[page[model.SCIMToken]], error) {
	ref, err := a.ref(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	read := func(after string, limit int) ([]model.SCIMToken, error) {
		return a.store.Read(ctx).SCIMTokensAfter(ref, after, limit)
	}
	return paged(in.PageInput, read, func(t model.SCIMToken) string { return t.ID }, func(t model.SCIMToken) model.SCIMToken {
		t.State = model.StateOf(t.ExpiresAt, a.svc.Now())
		return t
	})
}

func (a *API) createSCIMToken(ctx context.Context, in *struct {
	IDInput
	Body SCIMTokenInput
},
) (*answer[NewSCIMToken], error) {
	ref := model.Ref{OrganizationID: org(ctx), IntegrationID: in.ID}
	row, text, err := a.svc.CreateSCIMToken(ctx, ref, in.Body.Name, in.Body.ExpiresAt)
	return answered(NewSCIMToken{row, text}, err)
}

func (a *API) deleteSCIMToken(ctx context.Context, in *struct {
	IDInput
	TokenID string `path:"token_id" maxLength:"100"`
},
) (*nothing, error) {
	ref := model.Ref{OrganizationID: org(ctx), IntegrationID: in.ID}
	return done(a.svc.DeleteSCIMToken(ctx, ref, in.TokenID))
}
