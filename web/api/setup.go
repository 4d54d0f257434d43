package api

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"usher/directory"
	"usher/model"
)

// SetupInput asks for what to type into Entra.
type SetupInput struct {
	IDInput
	Format string `query:"format" enum:"json,powershell,terraform" doc:"json by default. The others are texts that do it, and ask for the token."`
}

// SetupView is how the provisioning of an integration in Entra stands.
type SetupView struct {
	model.Setup
}

// StartSetupInput asks for provisioning to be set up in Entra.
type StartSetupInput struct {
	IDInput
	OnceInput
	Body SetupOrder
}

// SetupOrder is what is decided about a set-up; all of it may be left out.
type SetupOrder struct {
	DisplayName        string                 `json:"display_name,omitempty" maxLength:"200" doc:"Of the enterprise application; the integration's name by default. A mark is added by which Usher finds it again."`
	Groups             *[]model.GroupSelector `json:"groups,omitempty" doc:"Whose members are provisioned; those of the group mappings by default. A name is looked for in Entra."`
	Everyone           bool                   `json:"everyone,omitempty" doc:"The whole tenant, instead of those who are assigned."`
	ServicePrincipalID string                 `json:"service_principal_id,omitempty" maxLength:"100" doc:"Object id of an enterprise application that is there already. It is never deleted. By default a new one is made."`
	NotifyEmail        string                 `json:"notify_email,omitempty" maxLength:"320" doc:"Whom Entra writes to when it puts the job into quarantine."`
	DeleteLimit        int                    `json:"delete_limit,omitempty" minimum:"0" maximum:"1000000" doc:"More deletions than that in one cycle wait for somebody; 0 for no limit."`
	Hold               bool                   `json:"hold,omitempty" doc:"Do not start the job."`
	TokenExpiresAt     *time.Time             `json:"token_expires_at,omitempty" doc:"When the SCIM token ends that Entra gets; never by default."`
}

// RotateInput asks for a new token in Entra and here.
type RotateInput struct {
	IDInput
	OnceInput
	Body RotateOrder
}

// RotateOrder is what is decided about a rotation; all of it may be left out.
type RotateOrder struct {
	OverlapHours int        `json:"overlap_hours,omitempty" minimum:"0" maximum:"720" doc:"For how many hours the former token goes on working; 24 by default."`
	ExpiresAt    *time.Time `json:"expires_at,omitempty" doc:"When the new token ends; never by default."`
}

// RestartInput restarts the provisioning job.
type RestartInput struct {
	IDInput
	OnceInput
	Body RestartOrder
}

// RestartOrder says what a restart forgets.
type RestartOrder struct {
	Scope string `json:"scope,omitempty" maxLength:"100" doc:"Full by default; or a list of Watermark, Escrows, QuarantineState, ForceDeletes. ForceDeletes carries out deletions that were held."`
}

// ActInput names an integration whose provisioning is acted on.
type ActInput struct {
	IDInput
	OnceInput
}

// SignInView is where an administrator of the tenant signs in.
type SignInView struct {
	URL string `json:"url" doc:"A page of Entra; good for one use within an hour. It leads back to /graph/consent."`
}

func (a *API) setup() {
	const guide, at = "/integrations/{id}/setup", "/integrations/{id}/setup/provisioning"
	o := operation{tag: tagIntegrations, right: model.RightManageIntegrations, conflicts: true}
	schema := a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[directory.SetupGuide](), true, "")
	read := o.needing(model.RightRead)
	texts := read.with(http.MethodGet, guide, "Say what to type into Entra").
		says("Tenant URL, token, attribute mappings, scoping, and which permissions each feature takes. As PowerShell or Terraform it is a text that does it, and asks for the token: no answer has a secret.")
	texts.responses = map[string]*huma.Response{"200": {
		Description: "The set-up by hand.",
		Content: map[string]*huma.MediaType{
			"application/json": {Schema: schema}, "text/plain": {Schema: &huma.Schema{Type: huma.TypeString}},
		},
	}}
	register(a, texts, a.readSetup)
	register(a, o.with(http.MethodPost, guide+"/sign-in", "Say where an administrator signs in once").
		says("Provisioning is then set up in their name, with permissions that end with the set-up, within the hour at the latest."), a.signIn)
	register(a, read.with(http.MethodGet, at, "Read how provisioning in Entra stands").
		says("Steps of the set-up, and what Entra said of its job when it was asked last: state, quarantine, last cycle. Entra is asked every 20 minutes."), a.readProvisioning)
	register(a, o.with(http.MethodPost, at, "Set up provisioning in Entra").answering(http.StatusAccepted).
		says("Makes the enterprise application with its job, token, mappings and groups, and starts it, step by step. One that failed goes on; one that succeeded is brought up to what is asked for now."), a.startSetup)
	register(a, o.with(http.MethodDelete, at, "Undo the set-up of provisioning in Entra").answering(http.StatusAccepted).
		says("Also one that is half done. What was there before stays."), a.undoSetup)
	register(a, o.with(http.MethodPost, at+"/check", "Ask Entra how provisioning is getting on"), a.checkProvisioning)
	register(a, o.with(http.MethodPost, at+"/start", "Start the provisioning job"), a.steer(directory.JobStart))
	register(a, o.with(http.MethodPost, at+"/pause", "Pause the provisioning job").says("A cycle that is under way is finished."), a.steer(directory.JobPause))
	register(a, o.with(http.MethodPost, at+"/restart", "Restart the provisioning job").says("Also ends a quarantine."), a.restartProvisioning)
	register(a, o.with(http.MethodPost, at+"/rotate-token", "Replace the SCIM token, in Entra and here").answering(http.StatusAccepted).
		says("The new one is tried by Entra before it is stored there."), a.rotateProvisioning)
	register(a, o.with(http.MethodGet, "/integrations/{id}/removal", "Say what removing the integration takes away, or what became of it").needing(model.RightRead).
		says("Before the removal: what would go. During and 30 days after it: what is done, and what has to be deleted by hand, and how."), a.readRemoval)
	register(a, operation{tag: tagIntegrations, right: model.RightRead}.with(http.MethodGet, "/removals", "List integrations that were removed lately"), a.listRemovals)
}

func (a *API) readSetup(ctx context.Context, in *SetupInput) (*huma.StreamResponse, error) {
	kind, body := "application/json", []byte(nil)
	if in.Format == "" || in.Format == "json" {
		g, err := a.svc.SetupGuide(ctx, a.refOf(ctx, in.ID), a.publicURL)
		if err != nil {
			return nil, err
		}
		if body, err = json.Marshal(g); err != nil {
			return nil, err
		}
	} else {
		text, err := a.svc.SetupExport(ctx, a.refOf(ctx, in.ID), a.publicURL, in.Format)
		if err != nil {
			return nil, err
		}
		kind, body = "text/plain; charset=utf-8", []byte(text)
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		hc.SetHeader("Content-Type", kind)
		hc.SetStatus(http.StatusOK)
		_, _ = hc.BodyWriter().Write(body) // the client is gone where this fails
	}}, nil
}

func (a *API) signIn(ctx context.Context, in *IDInput) (*answer[SignInView], error) {
	url, err := a.svc.SignInURL(ctx, a.refOf(ctx, in.ID), a.publicURL)
	return answered(SignInView{url}, err)
}

func (a *API) readProvisioning(ctx context.Context, in *IDInput) (*answer[SetupView], error) {
	return shownSetup(a.svc.Setup(ctx, a.refOf(ctx, in.ID)))
}

func shownSetup(row model.Setup, err error) (*answer[SetupView], error) {
	if err != nil {
		return nil, graphFailure(err)
	}
	return answered(SetupView{row}, nil)
}

// acted does something to the provisioning of an integration, once.
func (a *API) acted(ctx context.Context, in OnceInput, what, id string, body any, do func(model.Ref) (model.Setup, error)) (*answer[SetupView], error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	return once(ctx, a, in, what+" "+id, raw, func() (SetupView, error) {
		row, err := do(a.refOf(ctx, id))
		if err != nil {
			return SetupView{}, graphFailure(err)
		}
		return SetupView{row}, nil
	})
}

func (a *API) startSetup(ctx context.Context, in *StartSetupInput) (*answer[SetupView], error) {
	b := in.Body
	order := directory.SetupRequest{
		DisplayName: b.DisplayName, Everyone: b.Everyone, ServicePrincipalID: b.ServicePrincipalID, NotifyEmail: b.NotifyEmail,
		DeleteLimit: b.DeleteLimit, Hold: b.Hold, TokenExpiresAt: b.TokenExpiresAt,
	}
	if b.Groups != nil {
		order.Groups = append([]model.GroupSelector{}, *b.Groups...)
	}
	return a.acted(ctx, in.OnceInput, "set up", in.ID, b, func(ref model.Ref) (model.Setup, error) {
		return a.svc.StartSetup(ctx, ref, order, a.publicURL)
	})
}

func (a *API) undoSetup(ctx context.Context, in *IDInput) (*answer[SetupView], error) {
	return shownSetup(a.svc.UndoSetup(ctx, a.refOf(ctx, in.ID)))
}

func (a *API) checkProvisioning(ctx context.Context, in *IDInput) (*answer[SetupView], error) {
	return shownSetup(a.svc.RefreshSetup(ctx, a.refOf(ctx, in.ID)))
}

func (a *API) steer(action string) func(context.Context, *ActInput) (*answer[SetupView], error) {
	return func(ctx context.Context, in *ActInput) (*answer[SetupView], error) {
		return a.acted(ctx, in.OnceInput, action, in.ID, nil, func(ref model.Ref) (model.Setup, error) {
			return a.svc.SteerJob(ctx, ref, action, "")
		})
	}
}

func (a *API) restartProvisioning(ctx context.Context, in *RestartInput) (*answer[SetupView], error) {
	return a.acted(ctx, in.OnceInput, directory.JobRestart, in.ID, in.Body, func(ref model.Ref) (model.Setup, error) {
		return a.svc.SteerJob(ctx, ref, directory.JobRestart, in.Body.Scope)
	})
}

func (a *API) rotateProvisioning(ctx context.Context, in *RotateInput) (*answer[SetupView], error) {
	return a.acted(ctx, in.OnceInput, "rotate", in.ID, in.Body, func(ref model.Ref) (model.Setup, error) {
		return a.svc.RotateSetupToken(ctx, ref, in.Body.OverlapHours, in.Body.ExpiresAt)
	})
}

func (a *API) readRemoval(ctx context.Context, in *IDInput) (*answer[model.Removal], error) {
	return answered(a.svc.Removal(ctx, a.refOf(ctx, in.ID)))
}

func (a *API) listRemovals(ctx context.Context, in *struct{ PageInput }) (*answer[page[model.Removal]], error) {
	read := func(after string, limit int) ([]model.Removal, error) {
		return a.svc.Removals(ctx, org(ctx), after, limit)
	}
	return paged(in.PageInput, read, func(r model.Removal) string { return r.IntegrationID }, itself)
}
