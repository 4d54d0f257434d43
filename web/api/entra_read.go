package api

import (
	"context"
	"net/http"

	"usher/directory"
	"usher/model"
)

// LiveInput asks for a page of what the tenant of an integration holds.
type LiveInput struct {
	IDInput
	Limit int    `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"How many entries to answer with; there may be fewer before the last page."`
	After string `query:"after" maxLength:"8000" doc:"The cursor that the page before gave as next; good for the same search alone."`
}

// EntraUsersInput searches the users of a tenant.
type EntraUsersInput struct {
	LiveInput
	Q       string `query:"q" maxLength:"256" doc:"What the name, the user name or the address begins with."`
	Deleted bool   `query:"deleted" doc:"Those that were deleted and can be restored, all of them."`
}

// EntraGroupsInput searches the groups of a tenant.
type EntraGroupsInput struct {
	LiveInput
	Q string `query:"q" maxLength:"256" doc:"Words that begin words of the display name, without case."`
}

// EntraUserInput names a user of a tenant.
type EntraUserInput struct {
	IDInput
	UID string `path:"uid" maxLength:"256" doc:"Object id or user principal name."`
}

// EntraGroupInput names a group of a tenant.
type EntraGroupInput struct {
	GID string `path:"gid" maxLength:"100" doc:"Object id of the group."`
}

func (a *API) entraReads() {
	const users, groups = "/integrations/{id}/entra/users", "/integrations/{id}/entra/groups"
	o := operation{tag: tagEntra, right: model.RightRead}
	get := func(path, summary, doc string) operation {
		return o.with(http.MethodGet, path, summary).says(doc).asking()
	}
	register(a, get(users, "Search the users of the tenant", "Each with the directory user and the account that it has here."), a.listEntraUsers)
	register(a, get(users+"/{uid}", "Read a user of the tenant", ""), a.readEntraUser)
	register(a, get(users+"/{uid}/groups", "List the groups of a user of the tenant", "Those that the user is a direct member of."), a.listEntraUserGroups)
	register(a, get(users+"/{uid}/licences", "List the licences of a user of the tenant",
		"Once for each way in which one came: assigned to the user, or by a group."), a.listEntraUserLicences)
	register(a, get(groups, "Search the groups of the tenant", "Each with whether its members can be changed, and the reason if not."), a.listEntraGroups)
	register(a, get(groups+"/{gid}", "Read a group of the tenant", ""), a.readEntraGroup)
	register(a, get(groups+"/{gid}/members", "List the direct members of a group of the tenant", ""), a.listEntraGroupMembers)
	register(a, get("/integrations/{id}/entra/licences", "List the products of the tenant", "With the seats that are used and free."), a.listEntraLicences)
	o.tag = tagRules
	register(a, get("/integrations/{id}/directory-extensions", "List the attributes beyond the common ones that can be mapped",
		"extensionAttribute1 to extensionAttribute15, and the directory extensions that applications of the tenant have defined."), a.listDirectoryExtensions)
}

func (a *API) refOf(ctx context.Context, id string) model.Ref {
	return model.Ref{OrganizationID: org(ctx), IntegrationID: id}
}

// livePage shows a page of what a tenant holds.
func livePage[T any](p directory.LivePage[T], err error) (*answer[page[T]], error) {
	out := page[T]{Data: present(p.Data)}
	if p.Next != "" {
		out.Next = &p.Next
	}
	return answered(out, err)
}

// whole shows a list that has one page.
func whole[T any](list []T, err error) (*answer[page[T]], error) {
	return answered(page[T]{Data: present(list)}, err)
}

func (a *API) listEntraUsers(ctx context.Context, in *EntraUsersInput) (*answer[page[directory.EntraUser]], error) {
	return livePage(a.svc.EntraUsers(ctx, a.refOf(ctx, in.ID), in.Q, in.Deleted, in.After, in.Limit))
}

func (a *API) readEntraUser(ctx context.Context, in *EntraUserInput) (*answer[directory.EntraUser], error) {
	return answered(a.svc.EntraUser(ctx, a.refOf(ctx, in.ID), in.UID))
}

func (a *API) listEntraUserGroups(ctx context.Context, in *EntraUserInput) (*answer[page[directory.EntraGroup]], error) {
	return whole(a.svc.EntraUserGroups(ctx, a.refOf(ctx, in.ID), in.UID))
}

func (a *API) listEntraUserLicences(ctx context.Context, in *EntraUserInput) (*answer[page[directory.EntraLicence]], error) {
	return whole(a.svc.EntraUserLicences(ctx, a.refOf(ctx, in.ID), in.UID))
}

func (a *API) listEntraGroups(ctx context.Context, in *EntraGroupsInput) (*answer[page[directory.EntraGroup]], error) {
	return livePage(a.svc.EntraGroups(ctx, a.refOf(ctx, in.ID), in.Q, in.After, in.Limit))
}

func (a *API) readEntraGroup(ctx context.Context, in *struct {
	IDInput
	EntraGroupInput
},
) (*answer[directory.EntraGroup], error) {
	return answered(a.svc.EntraGroup(ctx, a.refOf(ctx, in.ID), in.GID))
}

func (a *API) listEntraGroupMembers(ctx context.Context, in *struct {
	LiveInput
	EntraGroupInput
},
) (*answer[page[directory.EntraMember]], error) {
	return livePage(a.svc.EntraGroupMembers(ctx, a.refOf(ctx, in.ID), in.GID, in.After, in.Limit))
}

func (a *API) listEntraLicences(ctx context.Context, in *IDInput) (*answer[page[directory.EntraProduct]], error) {
	return whole(a.svc.EntraLicences(ctx, a.refOf(ctx, in.ID)))
}

func (a *API) listDirectoryExtensions(ctx context.Context, in *IDInput) (*answer[page[directory.DirectoryExtension]], error) {
	return whole(a.svc.DirectoryExtensions(ctx, a.refOf(ctx, in.ID)))
}
