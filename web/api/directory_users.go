package api

import (
	"context"
	"net/http"

	"usher/model"
)

// DirectoryUsersInput narrows the list of directory users.
type DirectoryUsersInput struct {
	IDInput
	PageInput
	Q          string `query:"q" doc:"Part of user name, display name or an e-mail, without case."`
	UserName   string `query:"user_name" doc:"Exact, without case."`
	ExternalID string `query:"external_id" doc:"Exact: Entra's object id."`
	Email      string `query:"email" doc:"Exact, without case; any of the addresses."`
}

func (a *API) directoryUsers() {
	const path = "/integrations/{id}/directory-users"
	o := operation{tag: tagDirectory, right: model.RightRead}
	register(a, o.with(http.MethodGet, path, "List directory users"), a.listDirectoryUsers)
	register(a, o.with(http.MethodGet, path+"/{uid}", "Read a directory user"), a.readDirectoryUser)
}

func (a *API) listDirectoryUsers(ctx context.Context, in *DirectoryUsersInput) (*answer[page[model.DirectoryUser]], error) {
	ref, err := a.ref(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	filter := allOf(
		equals(in.UserName, text("userName", "")), exactly(in.ExternalID, text("externalId", "")),
		equals(in.Email, text("emails", "value")),
		anyContains(in.Q, text("userName", ""), text("displayName", ""), text("emails", "value")),
	)
	read := func(after string, limit int) ([]model.DirectoryUser, error) {
		if filter == nil {
			return a.store.Read(ctx).DirectoryUsersAfter(ref, after, limit)
		}
		users, _, err := a.svc.Users(ctx, ref, model.ResourceQuery{Filter: behind(filter, after), StartIndex: 1, Count: limit, Explained: true})
		return users, err
	}
	return paged(in.PageInput, read, func(u model.DirectoryUser) string { return u.ID }, itself)
}

func (a *API) readDirectoryUser(ctx context.Context, in *struct {
	IDInput
	UID string `path:"uid" maxLength:"100" doc:"Id of the directory user."`
},
) (*answer[model.DirectoryUser], error) {
	return answered(a.svc.User(ctx, model.Ref{OrganizationID: org(ctx), IntegrationID: in.ID}, in.UID))
}
