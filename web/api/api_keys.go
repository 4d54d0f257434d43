package api

import (
	"context"
	"net/http"
	"time"

	"usher/model"
)

// APIKeyInput is a new key.
type APIKeyInput struct {
	Name      string        `json:"name" minLength:"1" maxLength:"200" doc:"Who uses it; stands in the activity of what it does."`
	Rights    []model.Right `json:"rights" minItems:"1" maxItems:"20" enum:"all,read,accounts,settings,integrations,remove_integrations,runs,api_keys,entra,calendars"`
	ExpiresAt *time.Time    `json:"expires_at,omitempty" doc:"When it stops working; never without it."`
}

// NewAPIKey is a key with its text, which is shown this once.
type NewAPIKey struct {
	model.APIKey
	Key string `json:"key" doc:"The key itself. It cannot be shown again."`
}

func (a *API) apiKeys() {
	o := operation{tag: tagKeys, right: model.RightManageKeys}
	register(a, o.with(http.MethodGet, "/api-keys", "List API keys").needing(model.RightRead), a.listAPIKeys)
	register(a, o.with(http.MethodPost, "/api-keys", "Create an API key").answering(http.StatusCreated).
		says("A key gives only rights that it has itself."), a.createAPIKey)
	register(a, o.with(http.MethodDelete, "/api-keys/{id}", "Revoke an API key").answering(http.StatusNoContent), a.deleteAPIKey)
}

func (a *API) listAPIKeys(ctx context.Context, in *struct{ PageInput }) (*answer[page[model.APIKey]], error) {
	read := func(after string, limit int) ([]model.APIKey, error) {
		return a.store.Read(ctx).APIKeysAfter(org(ctx), after, limit)
	}
	return paged(in.PageInput, read, func(k model.APIKey) string { return k.ID }, itself)
}

func (a *API) createAPIKey(ctx context.Context, in *struct{ Body APIKeyInput }) (*answer[NewAPIKey], error) {
	for _, right := range in.Body.Rights {
		if !caller(ctx).has(right) {
			return nil, model.FieldErrorf(model.Forbidden, "rights", "the key that calls does not have the right %q itself", right)
		}
	}
	row, text, err := a.svc.CreateAPIKey(ctx, org(ctx), in.Body.Name, in.Body.Rights, in.Body.ExpiresAt)
	return answered(NewAPIKey{row, text}, err)
}

func (a *API) deleteAPIKey(ctx context.Context, in *IDInput) (*nothing, error) {
	return done(a.svc.DeleteAPIKey(ctx, org(ctx), in.ID))
}
