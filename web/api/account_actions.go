package api

import (
	"context"
	"net/http"

	"usher/directory"
	"usher/model"
)

// RolesInput is all roles of an account.
type RolesInput struct {
	Roles []string `json:"roles" doc:"Keys of roles."`
}

// BulkInput asks for an action on many accounts.
type BulkInput struct {
	Action string          `json:"action" enum:"deactivate,reactivate,archive,delete"`
	Filter BulkFilterInput `json:"filter" doc:"Which accounts; everything that is set must hold, and something must be set."`
	DryRun bool            `json:"dry_run,omitempty" doc:"Changes nothing and says what would be done."`
}

// BulkFilterInput says which accounts a bulk action concerns.
type BulkFilterInput struct {
	Status            string   `json:"status,omitempty" enum:"active,deactivated,archived"`
	Role              string   `json:"role,omitempty"`
	Integration       string   `json:"integration,omitempty"`
	Q                 string   `json:"q,omitempty" doc:"Part of e-mail, user name or display name, without case."`
	EmailNotInDomains []string `json:"email_not_in_domains,omitempty" example:"[\"contoso.com\"]"`
	EmailInDomains    []string `json:"email_in_domains,omitempty"`
	Unlinked          *bool    `json:"unlinked,omitempty" doc:"Linked to no directory user, or to some."`
	Origin            string   `json:"origin,omitempty" enum:"directory,manual"`
}

func (a *API) accountActions() {
	o := operation{tag: tagAccounts, right: model.RightManageAccounts, conflicts: true}
	register(a, o.with(http.MethodPut, "/accounts/{id}/roles", "Set the roles of an account").
		says("The last administrator cannot lose that role."), a.setRoles)
	for _, action := range []struct {
		name, summary, doc string
		do                 func(ctx context.Context, organizationID, id string) (model.Account, error)
	}{
		{"deactivate", "Deactivate an account", "No sync brings it back.", a.svc.DeactivateAccount},
		{"reactivate", "Reactivate an account", "Of an archived account, too.", a.svc.ReactivateAccount},
		{"archive", "Archive a deactivated account", "No sync touches it any more.", a.svc.ArchiveAccount},
	} {
		register(a, o.with(http.MethodPost, "/accounts/{id}/"+action.name, action.summary).says(action.doc),
			func(ctx context.Context, in *IDInput) (*answer[model.Account], error) {
				return answered(action.do(ctx, org(ctx), in.ID))
			})
	}
	register(a, o.with(http.MethodPost, "/accounts/bulk", "Act on many accounts").
		says("Accounts that the action is refused for are skipped, with the reason."), a.bulkAccounts)
}

func (a *API) setRoles(ctx context.Context, in *struct {
	IDInput
	Body RolesInput
},
) (*answer[model.Account], error) {
	return answered(a.svc.SetRoles(ctx, org(ctx), in.ID, in.Body.Roles))
}

func (a *API) bulkAccounts(ctx context.Context, in *struct{ Body BulkInput }) (*answer[directory.BulkResult], error) {
	f := in.Body.Filter
	return answered(a.svc.BulkAccounts(ctx, org(ctx), in.Body.Action, directory.BulkFilter{
		Status: f.Status, Role: f.Role, Integration: f.Integration, Q: f.Q, EmailNotInDomains: f.EmailNotInDomains,
		EmailInDomains: f.EmailInDomains, Unlinked: f.Unlinked, Origin: f.Origin,
	}, in.Body.DryRun))
}
