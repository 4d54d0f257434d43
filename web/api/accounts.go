package api

import (
	"context"
	"net/http"

	"usher/directory"
	"usher/model"
	"usher/model/store"
)

// AccountInput is an account that is made by hand.
type AccountInput struct {
	Email        string            `json:"email"`
	UserName     string            `json:"user_name,omitempty" doc:"The e-mail, where it is absent."`
	DisplayName  string            `json:"display_name,omitempty"`
	GivenName    string            `json:"given_name,omitempty"`
	FamilyName   string            `json:"family_name,omitempty"`
	Department   string            `json:"department,omitempty" doc:"Key of a department."`
	JobTitle     string            `json:"job_title,omitempty"`
	Language     string            `json:"language,omitempty" example:"da"`
	TimeZone     string            `json:"time_zone,omitempty" example:"Europe/Copenhagen"`
	Currency     string            `json:"currency,omitempty" example:"DKK"`
	Roles        []string          `json:"roles,omitempty" doc:"Keys of roles."`
	Permissions  []PermissionInput `json:"permissions,omitempty"`
	CustomFields map[string]any    `json:"custom_fields,omitempty"`
}

// PermissionInput is a level in a module at a site, given by hand.
type PermissionInput struct {
	Site   string      `json:"site"`
	Module string      `json:"module"`
	Level  model.Level `json:"level" enum:"member,manager,admin"`
}

func permissions(list []PermissionInput) []model.Permission {
	out := make([]model.Permission, len(list))
	for i, p := range list {
		out[i] = model.Permission{Site: p.Site, Module: p.Module, Level: p.Level}
	}
	return out
}

// AccountPatch changes an account; what is absent stays, null clears.
type AccountPatch struct {
	Email        optional[string]            `json:"email,omitempty"`
	UserName     optional[string]            `json:"user_name,omitempty"`
	DisplayName  optional[string]            `json:"display_name,omitempty"`
	GivenName    optional[string]            `json:"given_name,omitempty"`
	FamilyName   optional[string]            `json:"family_name,omitempty"`
	Department   optional[string]            `json:"department,omitempty"`
	JobTitle     optional[string]            `json:"job_title,omitempty"`
	Language     optional[string]            `json:"language,omitempty"`
	TimeZone     optional[string]            `json:"time_zone,omitempty"`
	Currency     optional[string]            `json:"currency,omitempty"`
	Permissions  optional[[]PermissionInput] `json:"permissions,omitempty" doc:"Those given by hand, as a whole; what mappings give comes on top."`
	CustomFields optional[map[string]any]    `json:"custom_fields,omitempty" doc:"Only the keys that are present change; null clears one."`
}

func (p AccountPatch) into(a *model.Account) {
	for _, field := range []struct {
		sent   optional[string]
		target *string
	}{
		{p.Email, &a.Email},
		{p.UserName, &a.UserName},
		{p.DisplayName, &a.DisplayName},
		{p.GivenName, &a.GivenName},
		{p.FamilyName, &a.FamilyName},
		{p.Department, &a.Department},
		{p.JobTitle, &a.JobTitle},
		{p.Language, &a.Language},
		{p.TimeZone, &a.TimeZone},
		{p.Currency, &a.Currency},
	} {
		field.sent.into(field.target, "")
	}
	if p.Permissions.set {
		a.ByHand = permissions(p.Permissions.value)
	}
	if p.CustomFields.null {
		a.CustomFields = nil
	}
	for key, value := range p.CustomFields.value {
		if a.CustomFields == nil {
			a.CustomFields = map[string]any{}
		}
		a.CustomFields[key] = value
	}
}

// AccountsInput narrows the list of accounts.
type AccountsInput struct {
	PageInput
	Email       string              `query:"email" doc:"Exact, without case."`
	Status      model.AccountStatus `query:"status" enum:"active,deactivated,archived"`
	Role        string              `query:"role" doc:"Key of a role that they hold."`
	Integration string              `query:"integration" doc:"Id of an integration that they are linked to."`
	Origin      model.Origin        `query:"origin" enum:"directory,manual"`
	Unlinked    bool                `query:"unlinked" doc:"Only those that no directory user is linked to."`
	Q           string              `query:"q" doc:"Part of e-mail, user name or display name, without case."`
}

func (a *API) accounts() {
	const path, one = "/accounts", "/accounts/{id}"
	o := operation{tag: tagAccounts, right: model.RightManageAccounts}
	register(a, o.with(http.MethodGet, path, "List accounts").needing(model.RightRead), a.listAccounts)
	register(a, o.with(http.MethodPost, path, "Create an account by hand").answering(http.StatusCreated).refusing().
		says("For external users: the sync leaves it alone until a directory user with its e-mail appears."), a.createAccount)
	register(a, o.with(http.MethodGet, one, "Read an account").needing(model.RightRead), a.readAccount)
	register(a, o.with(http.MethodPatch, one, "Change an account").refusing(), a.changeAccount)
	register(a, o.with(http.MethodDelete, one, "Delete an archived account").answering(http.StatusNoContent).refusing(), a.deleteAccount)
	register(a, o.with(http.MethodGet, one+"/explanation", "Explain an account").needing(model.RightRead).
		says("Why it is as it is: for every linked directory user what the rules said, with every reason."), a.explainAccount)
}

func (a *API) listAccounts(ctx context.Context, in *AccountsInput) (*answer[page[model.Account]], error) {
	filter := store.AccountFilter{
		Email: in.Email, Status: in.Status, Role: in.Role, Integration: in.Integration, Search: in.Q, Unlinked: in.Unlinked, Origin: in.Origin,
	}
	read := func(after string, limit int) ([]model.Account, error) {
		return a.store.Read(ctx).AccountsAfter(org(ctx), filter, after, limit)
	}
	return paged(in.PageInput, read, func(a model.Account) string { return a.ID }, itself)
}

func (a *API) createAccount(ctx context.Context, in *struct{ Body AccountInput }) (*answer[model.Account], error) {
	b := in.Body
	return answered(a.svc.CreateAccount(ctx, org(ctx), model.Account{
		Email: b.Email, UserName: b.UserName, DisplayName: b.DisplayName, GivenName: b.GivenName, FamilyName: b.FamilyName,
		Department: b.Department, JobTitle: b.JobTitle, Language: b.Language, TimeZone: b.TimeZone, Currency: b.Currency,
		Roles: b.Roles, ByHand: permissions(b.Permissions), CustomFields: b.CustomFields,
	}))
}

func (a *API) readAccount(ctx context.Context, in *IDInput) (*answer[model.Account], error) {
	return answered(a.store.Read(ctx).Account(org(ctx), in.ID))
}

func (a *API) changeAccount(ctx context.Context, in *struct {
	IDInput
	Body AccountPatch
},
) (*answer[model.Account], error) {
	return answered(a.svc.ChangeAccount(ctx, org(ctx), in.ID, func(account *model.Account) error {
		in.Body.into(account)
		return nil
	}))
}

func (a *API) deleteAccount(ctx context.Context, in *IDInput) (*nothing, error) {
	return done(a.svc.DeleteAccount(ctx, org(ctx), in.ID))
}

func (a *API) explainAccount(ctx context.Context, in *IDInput) (*answer[directory.AccountExplanation], error) {
	return answered(a.svc.Explain(ctx, org(ctx), in.ID))
}
