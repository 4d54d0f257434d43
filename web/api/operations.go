package api

import (
	"context"
	"net/http"

	"usher/model"
	"usher/model/store"
)

// OperationsInput narrows the list of operations.
type OperationsInput struct {
	PageInput
	Integration string               `query:"integration" doc:"Id of an integration."`
	Account     string               `query:"account" doc:"Id of the account that they concern."`
	User        string               `query:"user" maxLength:"100" doc:"Object id in Entra of the user that they concern."`
	Kind        model.OperationKind  `query:"kind" enum:"create_user,update_user,delete_user,restore_user,offboard_user,add_member,remove_member,add_licence,remove_licence"`
	State       model.OperationState `query:"state" enum:"scheduled,queued,running,succeeded,failed,cancelled"`
}

func (a *API) operations() {
	read, write := operation{tag: tagEntra, right: model.RightRead}, operation{tag: tagEntra, right: model.RightManageEntra, conflicts: true}
	register(a, read.with(http.MethodGet, "/operations", "List what was done in Entra, newest first").
		says("Without the steps, which each operation has."), a.listOperations)
	register(a, read.with(http.MethodGet, "/operations/{id}", "Read an operation with its steps"), a.readOperation)
	register(a, write.with(http.MethodPost, "/operations/{id}/cancel", "Cancel an operation that has not begun"),
		func(ctx context.Context, in *IDInput) (*answer[model.Operation], error) {
			return answered(a.svc.CancelOperation(ctx, org(ctx), in.ID))
		})
}

func (a *API) listOperations(ctx context.Context, in *OperationsInput) (*answer[page[model.Operation]], error) {
	f := store.OperationFilter{Integration: in.Integration, Account: in.Account, User: in.User, Kind: in.Kind, State: in.State}
	read := func(after string, limit int) ([]model.Operation, error) {
		return a.store.Read(ctx).OperationsBefore(org(ctx), f, after, limit)
	}
	return paged(in.PageInput, read, func(o model.Operation) string { return o.ID }, itself)
}

func (a *API) readOperation(ctx context.Context, in *IDInput) (*answer[model.Operation], error) {
	return answered(a.svc.Operation(ctx, org(ctx), in.ID))
}
