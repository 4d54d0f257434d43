package directory

import (
	"context"

	"usher/model"
)

// How an integration proves to Entra who it is.
const (
	GraphAuthSecret          = "secret"
	GraphAuthCertificate     = "certificate"
	GraphAuthFederated       = "federated"        // by a token of the platform that Usher runs on
	GraphAuthManagedIdentity = "managed_identity" // by the identity of the machine in Azure
)

// GraphAccess is what an integration reaches Microsoft Graph with. It holds secrets, and must not be logged.
type GraphAccess struct {
	Integration    model.Integration
	Auth           string // one of the GraphAuth constants
	ClientSecret   string
	CertificatePEM string // certificate and private key
}

// GraphAccess opens the integration's secrets. It is Refused, with what to do, where something is missing.
func (s *Service) GraphAccess(ctx context.Context, ref model.Ref) (GraphAccess, error) {
	read := s.Store.Read(ctx)
	i, err := read.Integration(ref)
	if model.KindOf(err) == model.NotFound && err != nil {
		return s.graphAccessOfRemoved(ctx, ref)
	}
	if err != nil {
		return GraphAccess{}, err
	}
	access := GraphAccess{Integration: i, Auth: graphAuth(i.Graph)}
	switch {
	case i.TenantID == "":
		return access, model.FieldErrorf(model.Refused, "tenant_id", "integration %s does not say which tenant it belongs to", i.Name)
	case i.Graph.ClientID == "" && access.Auth != GraphAuthManagedIdentity:
		return access, model.FieldErrorf(model.Refused, "graph.client_id", "integration %s has no application (client) id for Microsoft Graph", i.Name)
	}
	var name string
	var into *string
	switch access.Auth {
	case GraphAuthSecret:
		name, into = SecretClientSecret, &access.ClientSecret
	case GraphAuthCertificate:
		name, into = SecretCertificatePEM, &access.CertificatePEM
	default:
		return access, nil
	}
	sealed, err := read.Secret(ref, name)
	if model.KindOf(err) == model.NotFound && err != nil {
		return access, model.FieldErrorf(model.Refused, "graph."+name, "integration %s has neither a client secret nor a certificate for Microsoft Graph", i.Name)
	}
	if err == nil {
		*into, err = s.Keys.Open(sealed.KeyID, sealed.Sealed, i.ID+"/"+name)
	}
	return access, err
}

// graphAccessOfRemoved gives what an integration is reached with that is being removed, so that what it has in Microsoft 365 can go.
func (s *Service) graphAccessOfRemoved(ctx context.Context, ref model.Ref) (GraphAccess, error) {
	i, kept, err := s.removedIntegration(ctx, ref)
	if err != nil {
		return GraphAccess{}, err
	}
	return accessOfRemoved(i, kept)
}

func accessOfRemoved(i model.Integration, kept removalAccess) (GraphAccess, error) {
	access := GraphAccess{Integration: i, Auth: graphAuth(i.Graph), ClientSecret: kept.ClientSecret, CertificatePEM: kept.CertificatePEM}
	if i.TenantID == "" || i.Graph.ClientID == "" && access.Auth != GraphAuthManagedIdentity ||
		access.Auth == GraphAuthSecret && kept.ClientSecret == "" || access.Auth == GraphAuthCertificate && kept.CertificatePEM == "" {
		return access, model.Errorf(model.Refused, "integration %s had no credentials for Microsoft Graph", i.Name)
	}
	return access, nil
}

func graphAuth(g model.GraphSettings) string {
	switch {
	case g.Auth != "":
		return g.Auth
	case g.HasCertificate:
		return GraphAuthCertificate
	}
	return GraphAuthSecret
}
