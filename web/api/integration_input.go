package api

import (
	"usher/directory"
	"usher/model"
)

// IntegrationInput is a new integration.
type IntegrationInput struct {
	Name    string        `json:"name"`
	Ingress model.Ingress `json:"ingress" enum:"scim,graph" doc:"How people come: Entra pushes them over SCIM, or Usher pulls them over Microsoft Graph. It cannot be changed."`
	IntegrationSettings
}

// IntegrationPatch changes an integration; what is absent stays.
type IntegrationPatch struct {
	Name *string `json:"name,omitempty"`
	IntegrationSettings
}

// IntegrationSettings are the settings that have a default.
type IntegrationSettings struct {
	TenantID     optional[string]         `json:"tenant_id,omitempty"`
	RoleSync     optional[model.RoleSync] `json:"role_sync,omitempty" enum:"initial,reconcile,mirror"`
	DefaultRole  optional[string]         `json:"default_role,omitempty" doc:"Key of the role of an account that no mapping gives one."`
	Scope        optional[model.Scope]    `json:"scope,omitempty" enum:"groups,everyone"`
	NestedGroups optional[bool]           `json:"nested_groups,omitempty"`
	RequireGroup optional[bool]           `json:"require_group,omitempty"`
	ReadOnly     optional[bool]           `json:"read_only,omitempty"`
	WriteBack    optional[WriteBackInput] `json:"write_back,omitempty"`
	CalendarSync optional[bool]           `json:"calendar_sync,omitempty"`
	Priority     optional[int]            `json:"priority,omitempty" doc:"The smallest goes first where integrations disagree."`
	Guard        optional[GuardInput]     `json:"guard,omitempty"`
	Graph        optional[GraphInput]     `json:"graph,omitempty"`
}

// WriteBackInput are the switches of writing to Entra.
type WriteBackInput struct {
	Create optional[bool] `json:"create,omitempty"`
	Update optional[bool] `json:"update,omitempty"`
	Delete optional[bool] `json:"delete,omitempty"`
	// ByHandOnly is the exception to what follows by itself.
	ByHandOnly optional[bool] `json:"by_hand_only,omitempty" doc:"Administrators may do what the switches allow, but nothing follows from changes of accounts by itself."`
}

// GuardInput bounds how many accounts a run may deactivate without being held.
type GuardInput struct {
	Minimum optional[int] `json:"minimum,omitempty"`
	Percent optional[int] `json:"percent,omitempty"`
}

// GraphInput says how Microsoft Graph is reached. The secrets are written, never read.
type GraphInput struct {
	ClientID       optional[string] `json:"client_id,omitempty" maxLength:"200"`
	ClientSecret   optional[string] `json:"client_secret,omitempty" maxLength:"4000" writeOnly:"true"`
	CertificatePEM optional[string] `json:"certificate_pem,omitempty" maxLength:"100000" writeOnly:"true"`
	Cloud          optional[string] `json:"cloud,omitempty" enum:"global,usgov,dod,china"`
	Auth           optional[string] `json:"auth,omitempty" enum:"secret,certificate,federated,managed_identity" doc:"How Usher proves who it is. Without it, by the certificate where there is one, else by the secret. federated takes the token that the platform puts into the file AZURE_FEDERATED_TOKEN_FILE names."`
}

// into sets what was sent; null is the default.
func (s IntegrationSettings) into(i *model.Integration) {
	d := directory.DefaultIntegration(i.Name, i.Ingress)
	s.TenantID.into(&i.TenantID, d.TenantID)
	s.RoleSync.into(&i.RoleSync, d.RoleSync)
	s.DefaultRole.into(&i.DefaultRole, d.DefaultRole)
	s.Scope.into(&i.Scope, d.Scope)
	s.NestedGroups.into(&i.NestedGroups, d.NestedGroups)
	s.RequireGroup.into(&i.RequireGroup, d.RequireGroup)
	s.ReadOnly.into(&i.ReadOnly, d.ReadOnly)
	s.CalendarSync.into(&i.CalendarSync, d.CalendarSync)
	s.Priority.into(&i.Priority, d.Priority)
	s.intoObjects(i, d)
}

func (s IntegrationSettings) intoObjects(i *model.Integration, d model.Integration) {
	if s.WriteBack.null {
		i.WriteBack = d.WriteBack
	}
	w := s.WriteBack.value
	w.Create.into(&i.WriteBack.Create, d.WriteBack.Create)
	w.Update.into(&i.WriteBack.Update, d.WriteBack.Update)
	w.Delete.into(&i.WriteBack.Delete, d.WriteBack.Delete)
	w.ByHandOnly.into(&i.WriteBack.ByHandOnly, d.WriteBack.ByHandOnly)
	if s.Guard.null {
		i.Guard = d.Guard
	}
	s.Guard.value.Minimum.into(&i.Guard.Minimum, d.Guard.Minimum)
	s.Guard.value.Percent.into(&i.Guard.Percent, d.Guard.Percent)
	if s.Graph.null {
		i.Graph = d.Graph
	}
	s.Graph.value.ClientID.into(&i.Graph.ClientID, d.Graph.ClientID)
	s.Graph.value.Cloud.into(&i.Graph.Cloud, d.Graph.Cloud)
	s.Graph.value.Auth.into(&i.Graph.Auth, d.Graph.Auth)
}

// secrets gives the secrets that were sent; an empty one is to be forgotten.
func (s IntegrationSettings) secrets() map[string]string {
	secrets := map[string]string{}
	if s.Graph.null {
		return map[string]string{directory.SecretClientSecret: "", directory.SecretCertificatePEM: ""}
	}
	for name, sent := range map[string]optional[string]{
		directory.SecretClientSecret: s.Graph.value.ClientSecret, directory.SecretCertificatePEM: s.Graph.value.CertificatePEM,
	} {
		if sent.set {
			secrets[name] = sent.value
		}
	}
	return secrets
}
