package api

import (
	"context"
	"errors"
	"net/http"

	"usher/directory"
	"usher/model"
	"usher/model/outlook"
)

// Graph is the door to Microsoft Graph, as far as the API looks through it itself.
type Graph interface {
	// Permissions gives the application permissions that the integration's token has.
	Permissions(ctx context.Context, ref model.Ref) ([]string, error)
}

// ConsentView is where an administrator of the tenant grants permissions.
type ConsentView struct {
	URL string `json:"url" doc:"A page of Entra; good for an hour. It leads back to /graph/consent."`
}

// PermissionsView says which permissions of Microsoft Graph the integration needs and has.
type PermissionsView struct {
	Permissions []directory.PermissionCheck `json:"permissions" doc:"For each feature that is switched on, the permissions that it takes."`
	Complete    bool                        `json:"complete" doc:"Nothing is missing."`
	Features    []directory.FeatureCheck    `json:"features" doc:"What every feature lacks, also those that are off."`
	Consent     string                      `json:"consent,omitempty" doc:"Where an administrator grants what is missing, once it is assigned to the application in Entra."`
}

func (a *API) graphAccess() {
	o := operation{tag: tagIntegrations, right: model.RightManageIntegrations}
	register(a, o.with(http.MethodGet, "/integrations/{id}/consent", "Say where an administrator grants the permissions").refusing().
		says("Entra shows the administrator every application permission that the application registration asks for, and sends them back to Usher."),
		a.readConsent)
	register(a, o.with(http.MethodGet, "/integrations/{id}/permissions", "Compare the permissions that are needed with those that are granted").
		needing(model.RightRead).refusing().
		says("Asks Entra for a token and reads its roles. A mailbox may still be out of reach: Exchange can limit an application to some mailboxes."),
		a.readPermissions)
}

func (a *API) readConsent(ctx context.Context, in *IDInput) (*answer[ConsentView], error) {
	url, err := a.svc.ConsentURL(ctx, model.Ref{OrganizationID: org(ctx), IntegrationID: in.ID}, a.publicURL)
	return answered(ConsentView{url}, err)
}

func (a *API) readPermissions(ctx context.Context, in *IDInput) (*answer[PermissionsView], error) {
	ref := model.Ref{OrganizationID: org(ctx), IntegrationID: in.ID}
	entry, err := a.svc.Lists(ctx, ref)
	if err != nil {
		return nil, err
	}
	needs := directory.NeedsOf(entry)
	view := PermissionsView{Permissions: []directory.PermissionCheck{}, Complete: true, Features: []directory.FeatureCheck{}}
	if len(needs) == 0 {
		return answered(view, nil)
	}
	if a.graph == nil {
		return nil, model.Errorf(model.Refused, "this server does not speak to Microsoft Graph")
	}
	roles, err := a.graph.Permissions(ctx, ref)
	if err != nil {
		return nil, graphFailure(err)
	}
	view.Permissions, view.Features = directory.Preflight(needs, roles), directory.CheckFeatures(entry, roles)
	for _, g := range view.Permissions {
		view.Complete = view.Complete && g.Granted
	}
	if !view.Complete {
		if view.Consent, err = a.svc.ConsentURL(ctx, ref, a.publicURL); err != nil && model.KindOf(err) != model.Refused {
			return nil, err
		}
	}
	return answered(view, nil)
}

// graphFailure tells what Graph or its sign-in service said. It is the tenant's answer, and no failure of this server.
func graphFailure(err error) error {
	if e, ok := errors.AsType[*outlook.Error](err); ok {
		return model.Errorf(model.Refused, "Microsoft Graph: %s", e.Error())
	}
	return err
}
