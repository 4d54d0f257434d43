package api

import (
	"context"
	"net/http"

	"usher/model"
)

// DirectoryGroupsInput narrows the list of directory groups.
type DirectoryGroupsInput struct {
	IDInput
	PageInput
	Q           string `query:"q" doc:"Part of the display name, without case."`
	DisplayName string `query:"display_name" doc:"Exact, without case."`
	ExternalID  string `query:"external_id" doc:"Exact: Entra's object id."`
}

// GroupIDInput names a directory group.
type GroupIDInput struct {
	IDInput
	GID string `path:"gid" maxLength:"100" doc:"Id of the directory group."`
}

func (a *API) directoryGroups() {
	const path = "/integrations/{id}/directory-groups"
	o := operation{tag: tagDirectory, right: model.RightRead}
	register(a, o.with(http.MethodGet, path, "List directory groups"), a.listDirectoryGroups)
	register(a, o.with(http.MethodGet, path+"/{gid}", "Read a directory group"), a.readDirectoryGroup)
	register(a, o.with(http.MethodGet, path+"/{gid}/members", "List the members of a directory group").
		says("Users, and groups where Entra nests them."), a.listMembers)
	register(a, o.with(http.MethodGet, path+"/{gid}/pending-members", "List the members of a directory group that are not known yet").
		says("What a client sent as members before there was a user or group of that name, in the order of the values. Whoever arrives under the name becomes a member."),
		a.listPendingMembers)
}

func (a *API) listDirectoryGroups(ctx context.Context, in *DirectoryGroupsInput) (*answer[page[model.DirectoryGroup]], error) {
	ref, err := a.ref(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	filter := allOf(
		equals(in.DisplayName, text("displayName", "")), exactly(in.ExternalID, text("externalId", "")),
		anyContains(in.Q, text("displayName", "")),
	)
	read := func(after string, limit int) ([]model.DirectoryGroup, error) {
		if filter == nil {
			return a.store.Read(ctx).DirectoryGroupsAfter(ref, after, limit)
		}
		groups, _, err := a.svc.Groups(ctx, ref, model.ResourceQuery{Filter: behind(filter, after), StartIndex: 1, Count: limit})
		return groups, err
	}
	return paged(in.PageInput, read, func(g model.DirectoryGroup) string { return g.ID }, itself)
}

func (a *API) readDirectoryGroup(ctx context.Context, in *GroupIDInput) (*answer[model.DirectoryGroup], error) {
	return answered(a.svc.Group(ctx, model.Ref{OrganizationID: org(ctx), IntegrationID: in.ID}, in.GID))
}

func (a *API) listMembers(ctx context.Context, in *struct {
	GroupIDInput
	PageInput
},
) (*answer[page[model.Member]], error) {
	ref := model.Ref{OrganizationID: org(ctx), IntegrationID: in.ID}
	if _, err := a.svc.Group(ctx, ref, in.GID); err != nil {
		return nil, err
	}
	read := func(after string, limit int) ([]model.Member, error) {
		return a.store.Read(ctx).MembersAfter(ref, in.GID, after, limit)
	}
	return paged(in.PageInput, read, func(m model.Member) string { return m.ID }, itself)
}

func (a *API) listPendingMembers(ctx context.Context, in *struct {
	GroupIDInput
	PageInput
},
) (*answer[page[model.PendingMember]], error) {
	ref := model.Ref{OrganizationID: org(ctx), IntegrationID: in.ID}
	if _, err := a.svc.Group(ctx, ref, in.GID); err != nil {
		return nil, err
	}
	read := func(after string, limit int) ([]model.PendingMember, error) {
		return a.store.Read(ctx).PendingMembersAfter(ref, in.GID, after, limit)
	}
	return paged(in.PageInput, read, func(m model.PendingMember) string { return m.Value }, itself)
}
