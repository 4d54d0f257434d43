package app

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"usher/directory"
	"usher/internal/graph"
	"usher/model"
)

// doors keeps one door to Microsoft Graph per integration, so that its token, its limits and its connections are shared. A door
// is made anew when the settings or secrets it was made of have changed. It is safe for concurrent use.
type doors struct {
	svc     *directory.Service
	cfg     *Config
	log     *slog.Logger
	observe func(graph.Observation)

	mu   sync.Mutex
	open map[string]door // by integration
}

type door struct {
	client *graph.Client
	of     [sha256.Size]byte
}

// maxDoors bounds the doors that are kept open in an installation with very many integrations.
const maxDoors = 5000

// connect gives the door of an integration. It is Refused, with what to do, where settings are missing.
func (d *doors) connect(ctx context.Context, ref model.Ref) (*graph.Client, error) {
	access, err := d.svc.GraphAccess(ctx, ref)
	if err != nil {
		return nil, err
	}
	of, err := fingerprint(access)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if known, ok := d.open[ref.IntegrationID]; ok && known.of == of {
		return known.client, nil
	}
	client, err := graph.New(d.options(access))
	if err != nil {
		return nil, err
	}
	if d.open == nil || len(d.open) >= maxDoors {
		d.open = map[string]door{}
	}
	d.open[ref.IntegrationID] = door{client, of}
	return client, nil
}

// fingerprint tells whether a door would be the same.
func fingerprint(a directory.GraphAccess) ([sha256.Size]byte, error) {
	raw, err := json.Marshal([]any{a.Integration.TenantID, a.Integration.Graph, a.Auth, a.ClientSecret, a.CertificatePEM})
	return sha256.Sum256(raw), err
}

func (d *doors) options(a directory.GraphAccess) graph.Options {
	opt := graph.Options{
		TenantID: a.Integration.TenantID, ClientID: a.Integration.Graph.ClientID, Cloud: graph.Cloud(a.Integration.Graph.Cloud),
		GraphURL: d.cfg.GraphURL, LoginURL: d.cfg.LoginURL, RootCAs: d.cfg.LoginCA, Logger: d.log, Observe: d.observe,
	}
	switch a.Auth {
	case directory.GraphAuthSecret:
		opt.Credential.ClientSecret = a.ClientSecret
	case directory.GraphAuthCertificate:
		opt.Credential.CertificatePEM = []byte(a.CertificatePEM)
	case directory.GraphAuthFederated:
		opt.Credential.TokenFile = os.Getenv("AZURE_FEDERATED_TOKEN_FILE")
	case directory.GraphAuthManagedIdentity:
		opt.Credential.ManagedIdentity = true
	}
	return opt
}

// Permissions gives the application permissions that the integration's token has.
func (d *doors) Permissions(ctx context.Context, ref model.Ref) ([]string, error) {
	client, err := d.connect(ctx, ref)
	if err != nil {
		return nil, fmt.Errorf("permissions: %w", err)
	}
	return client.Permissions(ctx)
}
