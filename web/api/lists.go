package api

import (
	"context"
	"net/http"

	"usher/directory"
	"usher/model"
	"usher/model/store"
)

// ListsInput narrows the distribution lists.
type ListsInput struct {
	PageInput
	Integration string `query:"integration" doc:"Id of an integration."`
	Q           string `query:"q" maxLength:"256" doc:"Part of the name or the address, without case."`
}

func (a *API) lists() {
	const path = "/integrations/{id}/lists"
	o := operation{tag: tagLists, right: model.RightRead}
	register(a, o.with(http.MethodGet, path, "Read the groups that are lists"), a.readLists)
	put := o.with(http.MethodPut, path, "Replace the groups that are lists").needing(model.RightManageSettings).
		says("Microsoft 365 groups and mail-enabled groups, by object id or display name. The next import reads their members; who is a " +
			"member of a list alone is counted and gets no account. The version is that of which groups are lists: an import leaves it.").asking().refusing().matching()
	put.maxBody = maxListBody
	register(a, put, a.putLists)
	register(a, o.with(http.MethodPost, path+"/bulk", "Add the lists that a file names").needing(model.RightManageSettings).
		says(fileDoc).takingCSV().asking(), a.addLists)
	register(a, o.with(http.MethodGet, "/lists", "List distribution lists"), a.listLists)
	register(a, o.with(http.MethodGet, "/lists/{id}", "Read a distribution list"), a.readList)
	register(a, o.with(http.MethodGet, "/lists/{id}/members", "List the members of a distribution list").
		says("Those who have an account, members of nested groups included, in the order of their account's id."), a.listListMembers)
}

func (a *API) readLists(ctx context.Context, in *IDInput) (*wholeList[model.List], error) {
	list, err := a.svc.DistributionLists(ctx, a.refOf(ctx, in.ID))
	return versioned(list, directory.ChosenLists(list), err)
}

func (a *API) putLists(ctx context.Context, in *WholeListInput[GroupSelectorInput]) (*wholeList[model.List], error) {
	sent := make([]model.GroupSelector, len(in.Body))
	for i, g := range in.Body {
		sent[i] = g.model()
	}
	list, err := a.svc.ChangeDistributionLists(ctx, a.refOf(ctx, in.ID), sent, replacing[model.GroupSelector](in))
	return versioned(list, directory.ChosenLists(list), err)
}

func (a *API) addLists(ctx context.Context, in *GroupFileInput) (*answer[directory.GroupFile], error) {
	out, err := a.svc.AddDistributionLists(ctx, a.refOf(ctx, in.ID), in.file, in.DryRun)
	return fromFile(&in.CSVInput, out, err)
}

func (a *API) listLists(ctx context.Context, in *ListsInput) (*answer[page[model.List]], error) {
	read := func(after string, limit int) ([]model.List, error) {
		return a.store.Read(ctx).ListsAfter(org(ctx), store.ListFilter{Integration: in.Integration, Q: in.Q}, after, limit)
	}
	return paged(in.PageInput, read, func(l model.List) string { return l.ID }, itself)
}

func (a *API) readList(ctx context.Context, in *IDInput) (*answer[model.List], error) {
	return answered(a.store.Read(ctx).List(org(ctx), in.ID))
}

func (a *API) listListMembers(ctx context.Context, in *struct {
	IDInput
	PageInput
},
) (*answer[page[store.ListMember]], error) {
	read := func(after string, limit int) ([]store.ListMember, error) {
		return a.svc.ListMembers(ctx, org(ctx), in.ID, after, limit)
	}
	return paged(in.PageInput, read, func(m store.ListMember) string { return m.AccountID }, itself)
}
