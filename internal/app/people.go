package app

import (
	"context"
	"fmt"
	"net"

	"usher/calendarbridge"
	"usher/directory"
	"usher/internal/graph"
	"usher/model"
	"usher/model/entra"
)

// What people are read from and written to is what the directory asks for.
var (
	_ directory.Tenant       = (*graph.Client)(nil)
	_ directory.Provisioning = (*graph.Client)(nil)
)

// tenant gives the Entra tenant of an integration, as its credentials reach it.
func (d *doors) tenant(ctx context.Context, ref model.Ref) (directory.Tenant, error) {
	client, err := d.connect(ctx, ref)
	if err != nil {
		return nil, fmt.Errorf("tenant: %w", err)
	}
	return client, nil
}

// tenant is where the service finds the tenant of an integration; the doors are made after it.
func (a *App) tenant(ctx context.Context, ref model.Ref) (directory.Tenant, error) {
	return a.doors.tenant(ctx, ref)
}

// provisioning gives the synchronization API of an integration's tenant: in the name of the administrator whose access token is given,
// or as the integration's application where none is. A token ends soon, so that its door is not kept.
func (d *doors) provisioning(ctx context.Context, ref model.Ref, accessToken string) (directory.Provisioning, error) {
	if accessToken == "" {
		client, err := d.connect(ctx, ref)
		if err != nil {
			return nil, fmt.Errorf("provisioning: %w", err)
		}
		return client, nil
	}
	access, err := d.svc.GraphAccess(ctx, ref) // also of an integration that is being removed
	if err != nil {
		return nil, err
	}
	i := access.Integration
	client, err := graph.New(graph.Options{
		TenantID: i.TenantID, Credential: graph.Credential{AccessToken: accessToken}, Cloud: graph.Cloud(i.Graph.Cloud),
		GraphURL: d.cfg.GraphURL, LoginURL: d.cfg.LoginURL, RootCAs: d.cfg.LoginCA, Logger: d.log, Observe: d.observe,
	})
	if err != nil {
		return nil, fmt.Errorf("provisioning: %w", err)
	}
	return client, nil
}

// provisioning is what the service sets provisioning up with; the doors are made after it.
func (a *App) provisioning(ctx context.Context, ref model.Ref, accessToken string) (directory.Provisioning, error) {
	return a.doors.provisioning(ctx, ref, accessToken)
}

// redeem trades the code of an administrator's sign-in for a token, as the integration's application.
func (a *App) redeem(ctx context.Context, ref model.Ref, code directory.SignInCode) (directory.SignedIn, error) {
	access, err := a.Service.GraphAccess(ctx, ref)
	if err != nil {
		return directory.SignedIn{}, err
	}
	got, err := graph.Redeem(ctx, a.doors.options(access), graph.AuthCode(code))
	return directory.SignedIn(got), err
}

// endSubscriptions ends what a removed integration leaves of subscriptions; the bridge is made after the service.
func (a *App) endSubscriptions(ctx context.Context, ref model.Ref) (int, error) {
	return a.Calendars.EndRemoved(ctx, ref)
}

// endTheirs ends subscriptions of a deleted organization; no door is kept for what is gone.
func (a *App) endTheirs(ctx context.Context, access directory.GraphAccess, subscriptions []string) (int, error) {
	client, err := graph.New(a.doors.options(access))
	if err != nil {
		return 0, fmt.Errorf("subscriptions of a deleted organization: %w", err)
	}
	return calendarbridge.EndThese(ctx, client, subscriptions)
}

// urgent is the context of everything that HTTP asks for: somebody waits for it.
func urgent(net.Listener) context.Context {
	return entra.WithPriority(context.Background(), entra.High)
}

// background works a job with less urgent requests to Microsoft Graph than those that somebody waits for.
func background[A any](run func(context.Context, A) error) func(context.Context, A) error {
	return func(ctx context.Context, job A) error { return run(entra.WithPriority(ctx, entra.Low), job) }
}
