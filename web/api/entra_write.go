package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"usher/directory"
	"usher/model"
)

// EntraProfileInput are properties of a user in Entra. What is absent stays as it is; an empty text or null takes a value away.
type EntraProfileInput struct {
	DisplayName       optional[string] `json:"display_name,omitempty" doc:"Required of a new user."`
	GivenName         optional[string] `json:"given_name,omitempty"`
	FamilyName        optional[string] `json:"family_name,omitempty"`
	Mail              optional[string] `json:"mail,omitempty" doc:"In a verified domain of the tenant. Of a user with a mailbox Exchange is its master."`
	MailNickname      optional[string] `json:"mail_nickname,omitempty" doc:"What is before the @ of the user principal name, where it is absent in a new user."`
	JobTitle          optional[string] `json:"job_title,omitempty"`
	Department        optional[string] `json:"department,omitempty"`
	CompanyName       optional[string] `json:"company_name,omitempty"`
	EmployeeID        optional[string] `json:"employee_id,omitempty" doc:"At most 16 characters."`
	OfficeLocation    optional[string] `json:"office_location,omitempty"`
	UsageLocation     optional[string] `json:"usage_location,omitempty" doc:"A country of two letters (ISO 3166-1), without which nobody has a licence."`
	PreferredLanguage optional[string] `json:"preferred_language,omitempty"`
	StreetAddress     optional[string] `json:"street_address,omitempty"`
	City              optional[string] `json:"city,omitempty"`
	State             optional[string] `json:"state,omitempty"`
	PostalCode        optional[string] `json:"postal_code,omitempty"`
	Country           optional[string] `json:"country,omitempty"`
	MobilePhone       optional[string] `json:"mobile_phone,omitempty"`
	ManagerID         optional[string] `json:"manager_id,omitempty" doc:"Object id of the manager; null takes the manager away."`
	AccountEnabled    optional[bool]   `json:"account_enabled,omitempty" doc:"Whether the user may sign in."`
}

// profile gives what was sent by Graph's names.
func (in EntraProfileInput) profile() map[string]string {
	all := map[string]string{}
	for name, sent := range map[string]optional[string]{
		"displayName": in.DisplayName, "givenName": in.GivenName, "surname": in.FamilyName, "mail": in.Mail, "mailNickname": in.MailNickname,
		"jobTitle": in.JobTitle, "department": in.Department, "companyName": in.CompanyName, "employeeId": in.EmployeeID,
		"officeLocation": in.OfficeLocation, "usageLocation": in.UsageLocation, "preferredLanguage": in.PreferredLanguage,
		"streetAddress": in.StreetAddress, "city": in.City, "state": in.State, "postalCode": in.PostalCode, "country": in.Country,
		"mobilePhone": in.MobilePhone,
	} {
		if sent.set {
			all[name] = sent.value
		}
	}
	return all
}

// EntraNewUserInput is a new user of Entra.
type EntraNewUserInput struct {
	UserPrincipalName string   `json:"user_principal_name" maxLength:"200" doc:"In a verified domain of the tenant." example:"ada@contoso.com"`
	Password          string   `json:"password,omitempty" maxLength:"256" writeOnly:"true" doc:"The first password, which the user must change. It goes to Entra and is kept nowhere. Without it one is made that nobody learns."`
	Groups            []string `json:"groups,omitempty" maxItems:"50" doc:"Object ids of the groups to put the user into."`
	Licences          []string `json:"licences,omitempty" maxItems:"50" doc:"Ids (skuId) of the products to give to the user; usage_location is needed then."`
	EntraProfileInput
}

// EntraUserPatch changes a user of Entra.
type EntraUserPatch struct {
	UserPrincipalName optional[string] `json:"user_principal_name,omitempty"`
	EntraProfileInput
}

// OffboardInput says what of a person who leaves is taken away.
type OffboardInput struct {
	At             time.Time `json:"at,omitzero" doc:"When to begin; at once where it is absent. Until then it can be cancelled."`
	RevokeSessions *bool     `json:"revoke_sessions,omitempty" doc:"End all sign-ins; true where it is absent."`
	RemoveGroups   *bool     `json:"remove_groups,omitempty" doc:"Take the user out of every group; true where it is absent."`
	RemoveLicences *bool     `json:"remove_licences,omitempty" doc:"Take every licence that was assigned to the user; true where it is absent. With its licence a mailbox goes after 30 days."`
	Delete         bool      `json:"delete,omitempty" doc:"Delete the user at last, who can be restored for 30 days."`
	DryRun         bool      `json:"dry_run,omitempty" doc:"Say what would be done, with status 200, and do nothing."`
}

func (in OffboardInput) plan() directory.Offboarding {
	on := func(given *bool) bool { return given == nil || *given }
	out := directory.Offboarding{OffboardPlan: model.OffboardPlan{
		RevokeSessions: on(in.RevokeSessions), RemoveGroups: on(in.RemoveGroups), RemoveLicences: on(in.RemoveLicences), Delete: in.Delete,
	}}
	if !in.At.IsZero() {
		out.At = &in.At
	}
	return out
}

// NewEntraUserInput asks for a user.
type NewEntraUserInput struct {
	IDInput
	OnceInput
	Body EntraNewUserInput
}

// EntraPersonInput names a user of Entra.
type EntraPersonInput struct {
	IDInput
	User string `path:"uid" maxLength:"200" doc:"Object id or user principal name in Entra."`
	OnceInput
}

// ChangedEntraUserInput asks for a change of a user.
type ChangedEntraUserInput struct {
	EntraPersonInput
	Body    EntraUserPatch
	RawBody []byte
}

// DeletedEntraUserInput names a user.
type DeletedEntraUserInput struct{ EntraPersonInput }

// OffboardedInput asks that a person leave.
type OffboardedInput struct {
	EntraPersonInput
	Body *OffboardInput
}

// RestoreInput says what comes back with a user.
type RestoreInput struct {
	Enable bool `json:"enable,omitempty" doc:"Also let the user sign in again."`
}

// RestoredInput asks for a deleted user back.
type RestoredInput struct {
	EntraPersonInput
	Body *RestoreInput
}

// EntraMemberInput names a member of a group.
type EntraMemberInput struct {
	IDInput
	Group string `path:"gid" maxLength:"100" doc:"Object id of the group in Entra."`
	User  string `path:"uid" maxLength:"200" doc:"Object id or user principal name in Entra."`
	OnceInput
}

// EntraLicenceInput names a licence of a user.
type EntraLicenceInput struct {
	EntraPersonInput
	SKU string `path:"sku" maxLength:"100" doc:"Id (skuId) of the product."`
}

// started is the answer to whatever begins an operation.
type started struct {
	Status int
	Body   model.Operation
}

func (a *API) entraWrites() {
	const users, one = "/integrations/{id}/entra/users", "/integrations/{id}/entra/users/{uid}"
	o := operation{tag: tagEntra, right: model.RightManageEntra, conflicts: true, status: http.StatusAccepted}
	follow := "Answers at once with the operation; follow it at /operations/{id}."
	register(a, o.with(http.MethodPost, users, "Create a user in Entra").
		says(follow+" The password must be changed at the first sign-in."), a.createEntraUser)
	register(a, o.with(http.MethodPatch, one, "Change a user in Entra").says(follow), a.changeEntraUser)
	register(a, o.with(http.MethodDelete, one, "Delete a user in Entra").
		says(follow+" The user can be restored for 30 days."), a.deleteEntraUser)
	register(a, o.with(http.MethodPost, one+"/offboard", "Off-board a person").
		says(follow+" The linked account is deactivated at once, or when the time has come, before Entra is asked for anything. Then the user "+
			"is disabled, sessions are revoked, groups and licences taken away, and at last, if that was asked for, the user is deleted."), a.offboardEntraUser)
	register(a, o.with(http.MethodPost, one+"/restore", "Restore a deleted user of Entra").says(follow), a.restoreEntraUser)
	const member, licence = "/integrations/{id}/entra/groups/{gid}/members/{uid}", one + "/licences/{sku}"
	register(a, o.with(http.MethodPut, member, "Put a user into a group of Entra").says(follow), a.entraMember("add", a.svc.AddEntraMember))
	register(a, o.with(http.MethodDelete, member, "Take a user out of a group of Entra").says(follow), a.entraMember("remove", a.svc.RemoveEntraMember))
	register(a, o.with(http.MethodPut, licence, "Give a user a licence").says(follow), a.entraLicence("add", a.svc.AddEntraLicence))
	register(a, o.with(http.MethodDelete, licence, "Take a licence from a user").says(follow), a.entraLicence("remove", a.svc.RemoveEntraLicence))
}

// operationBegun gives the answer to a request that began an operation, or that was made before with the same Idempotency-Key.
func (a *API) operationBegun(ctx context.Context, in OnceInput, what string, body []byte, do func() (model.Operation, error)) (*started, error) {
	out, err := once(ctx, a, in, what, body, do)
	if err != nil {
		return nil, err
	}
	return &started{Status: http.StatusAccepted, Body: out.Body}, nil
}

func (a *API) createEntraUser(ctx context.Context, in *NewEntraUserInput) (*started, error) {
	ref, err := a.ref(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return a.operationBegun(ctx, in.OnceInput, "create Entra user in "+in.ID, a.withoutPassword(in.Body), func() (model.Operation, error) {
		user := directory.NewEntraUser{
			UserPrincipalName: in.Body.UserPrincipalName, Password: in.Body.Password, Profile: in.Body.profile(), Enabled: given(in.Body.AccountEnabled),
			ManagerID: given(in.Body.ManagerID), Groups: in.Body.Groups, Licences: in.Body.Licences,
		}
		return a.svc.CreateEntraUser(ctx, ref, user)
	})
}

// withoutPassword gives a body by which a request is known again, in which the password stands as a keyed hash: what is remembered of
// requests must not serve to guess it.
func (a *API) withoutPassword(in EntraNewUserInput) []byte {
	if in.Password != "" {
		in.Password = a.svc.Keys.Hash(in.Password)
	}
	return asJSON([]any{in.UserPrincipalName, in.Password, in.Groups, in.Licences, in.profile(), given(in.ManagerID), given(in.AccountEnabled)})
}

// asJSON gives what tells two requests apart, of types that always marshal.
func asJSON(v any) []byte {
	raw, _ := json.Marshal(v)
	return raw
}

func (a *API) changeEntraUser(ctx context.Context, in *ChangedEntraUserInput) (*started, error) {
	ref, err := a.ref(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return a.operationBegun(ctx, in.OnceInput, "change Entra user "+in.User+" in "+in.ID, in.RawBody, func() (model.Operation, error) {
		change := directory.EntraUserChange{Profile: in.Body.profile(), ManagerID: given(in.Body.ManagerID), Enabled: given(in.Body.AccountEnabled)}
		if in.Body.AccountEnabled.null {
			return model.Operation{}, model.FieldErrorf(model.Invalid, "account_enabled", "is true or false")
		}
		if name := in.Body.UserPrincipalName; name.set {
			change.Profile["userPrincipalName"] = name.value
		}
		return a.svc.UpdateEntraUser(ctx, ref, in.User, change)
	})
}

func (a *API) deleteEntraUser(ctx context.Context, in *DeletedEntraUserInput) (*started, error) {
	ref, err := a.ref(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return a.operationBegun(ctx, in.OnceInput, "delete Entra user "+in.User+" in "+in.ID, nil, func() (model.Operation, error) {
		return a.svc.DeleteEntraUser(ctx, ref, in.User)
	})
}

func (a *API) offboardEntraUser(ctx context.Context, in *OffboardedInput) (*started, error) {
	ref, err := a.ref(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if in.Body == nil {
		in.Body = &OffboardInput{}
	}
	if in.Body.DryRun {
		o, err := a.svc.PreviewOffboarding(ctx, ref, in.User, in.Body.plan())
		if err != nil {
			return nil, err
		}
		return &started{Status: http.StatusOK, Body: o}, nil
	}
	return a.operationBegun(ctx, in.OnceInput, "off-board "+in.User+" in "+in.ID, asJSON(in.Body), func() (model.Operation, error) {
		return a.svc.OffboardEntraUser(ctx, ref, in.User, in.Body.plan())
	})
}

func (a *API) restoreEntraUser(ctx context.Context, in *RestoredInput) (*started, error) {
	ref, err := a.ref(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return a.operationBegun(ctx, in.OnceInput, "restore "+in.User+" in "+in.ID, asJSON(in.Body), func() (model.Operation, error) {
		return a.svc.RestoreEntraUser(ctx, ref, in.User, in.Body != nil && in.Body.Enable)
	})
}

func (a *API) entraMember(what string, do func(ctx context.Context, ref model.Ref, group, user string) (model.Operation, error)) func(context.Context, *EntraMemberInput) (*started, error) {
	return func(ctx context.Context, in *EntraMemberInput) (*started, error) {
		ref, err := a.ref(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		return a.operationBegun(ctx, in.OnceInput, what+" member "+in.User+" of "+in.Group+" in "+in.ID, nil, func() (model.Operation, error) {
			return do(ctx, ref, in.Group, in.User)
		})
	}
}

func (a *API) entraLicence(what string, do func(ctx context.Context, ref model.Ref, user, sku string) (model.Operation, error)) func(context.Context, *EntraLicenceInput) (*started, error) {
	return func(ctx context.Context, in *EntraLicenceInput) (*started, error) {
		ref, err := a.ref(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		return a.operationBegun(ctx, in.OnceInput, what+" licence "+in.SKU+" of "+in.User+" in "+in.ID, nil, func() (model.Operation, error) {
			return do(ctx, ref, in.User, in.SKU)
		})
	}
}
