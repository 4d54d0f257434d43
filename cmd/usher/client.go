package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"usher/internal/app"
	"usher/model"
	"usher/scim"
)

type clientCmd struct {
	Create       clientCreate       `cmd:"" help:"Create a SCIM client; its secret is shown this once."`
	List         clientList         `cmd:"" help:"List the SCIM clients of an integration."`
	Delete       clientDelete       `cmd:"" help:"Delete a SCIM client; its access tokens are refused from then on."`
	AddSecret    clientAddSecret    `cmd:"" help:"Add a secret to a SCIM client, to replace another one; it is shown this once."`
	DeleteSecret clientDeleteSecret `cmd:"" help:"Delete a secret of a SCIM client."`
	Trust        clientTrust        `cmd:"" help:"Trust an issuer to vouch for a SCIM client (workload identity federation)."`
	Distrust     clientDistrust     `cmd:"" help:"Stop trusting an issuer."`
}

// oneClient names a client.
type oneClient struct {
	scope
	Integration string `arg:"" help:"Id of the integration."`
	Client      string `arg:"" help:"Id of the client."`
}

func (c oneClient) ref(o model.Organization) model.Ref {
	return model.Ref{OrganizationID: o.ID, IntegrationID: c.Integration}
}

// publicBase gives the base of the URLs that are handed out.
func publicBase(a *app.App) string {
	if a.Config.PublicURL != "" {
		return a.Config.PublicURL
	}
	return "http://" + a.Config.Listen
}

type clientCreate struct {
	scope
	Integration  string        `arg:"" help:"Id of the integration."`
	Name         string        `help:"What the client is." default:"Entra"`
	ExpiresIn    time.Duration `help:"How long its first secret is good for, such as 8760h; without end where left out."`
	TokenMinutes int           `help:"How long an access token is good for: 60 to 360." default:"60"`
}

// Run creates a client.
func (c clientCreate) Run(ctx context.Context, con console, s *settings) error {
	return c.within(ctx, s, func(ctx context.Context, a *app.App, o model.Organization) error {
		ref := model.Ref{OrganizationID: o.ID, IntegrationID: c.Integration}
		client, text, err := a.Service.CreateSCIMClient(ctx, ref, c.Name, c.TokenMinutes, in(c.ExpiresIn))
		if err != nil {
			return err
		}
		tokenURL := publicBase(a) + scim.TokenPath
		return c.print(con.out, map[string]any{
			"client_id": client.ID, "client_secret": text, "token_url": tokenURL, "expires_at": client.Secrets[0].ExpiresAt, "token_minutes": client.TokenMinutes,
		}, []string{"CLIENT ID", "CLIENT SECRET", "TOKEN ENDPOINT"}, [][]string{{client.ID, text, tokenURL}})
	})
}

type clientList struct {
	scope
	Integration string `arg:"" help:"Id of the integration."`
}

// Run lists clients with the ends of their secrets, without the secrets' texts.
func (c clientList) Run(ctx context.Context, con console, s *settings) error {
	return listed(ctx, c.scope, con, s, []string{"CLIENT ID", "NAME", "MINUTES", "LAST USED", "SECRETS", "TRUSTS"},
		func(ctx context.Context, a *app.App, o model.Organization) ([]model.SCIMClient, error) {
			return a.Store.Read(ctx).SCIMClientsAfter(model.Ref{OrganizationID: o.ID, IntegrationID: c.Integration}, "", listMax)
		},
		func(client model.SCIMClient) []string {
			var secrets, trusts []string
			for _, secret := range client.Secrets {
				secrets = append(secrets, secret.ID+" until "+when(secret.ExpiresAt))
			}
			for _, f := range client.Federations {
				trusts = append(trusts, f.ID+" "+f.TenantID+f.Issuer)
			}
			return []string{
				client.ID, client.Name, strconv.Itoa(client.TokenMinutes), when(client.LastUsedAt), strings.Join(secrets, ", "), strings.Join(trusts, ", "),
			}
		})
}

type clientDelete struct{ oneClient }

// Run deletes a client.
func (c clientDelete) Run(ctx context.Context, con console, s *settings) error {
	return c.within(ctx, s, func(ctx context.Context, a *app.App, o model.Organization) error {
		if err := a.Service.DeleteSCIMClient(ctx, c.ref(o), c.Client); err != nil {
			return err
		}
		_, err := fmt.Fprintln(con.out, "deleted", c.Client)
		return err
	})
}

type clientAddSecret struct {
	oneClient
	ExpiresIn time.Duration `help:"How long it is good for, such as 8760h; without end where left out."`
}

// Run adds a secret.
func (c clientAddSecret) Run(ctx context.Context, con console, s *settings) error {
	return c.within(ctx, s, func(ctx context.Context, a *app.App, o model.Organization) error {
		row, text, err := a.Service.CreateSCIMClientSecret(ctx, c.ref(o), c.Client, in(c.ExpiresIn))
		if err != nil {
			return err
		}
		return c.print(con.out, map[string]any{"id": row.ID, "client_secret": text, "expires_at": row.ExpiresAt},
			[]string{"ID", "CLIENT SECRET"}, [][]string{{row.ID, text}})
	})
}

type clientDeleteSecret struct {
	oneClient
	ID string `arg:"" help:"Id of the secret."`
}

// Run deletes a secret.
func (c clientDeleteSecret) Run(ctx context.Context, con console, s *settings) error {
	return c.within(ctx, s, func(ctx context.Context, a *app.App, o model.Organization) error {
		if err := a.Service.DeleteSCIMClientSecret(ctx, c.ref(o), c.Client, c.ID); err != nil {
			return err
		}
		_, err := fmt.Fprintln(con.out, "deleted", c.ID)
		return err
	})
}

type clientTrust struct {
	oneClient
	TenantID string `name:"tenant-id" help:"Directory (tenant) id in Entra; or else --issuer."`
	Cloud    string `help:"global, usgov, dod or china; the integration's where left out."`
	Issuer   string `help:"The iss of its assertions; or else --tenant-id."`
	Subject  string `required:"" help:"The sub of its assertions: in Entra the object id of the enterprise application."`
	Audience string `required:"" help:"The aud of its assertions: in Entra the application id that they are made for."`
	JWKSURL  string `name:"jwks-url" help:"Where the issuer's keys are; of a tenant they are found without it."`
}

// Run adds a federation.
func (c clientTrust) Run(ctx context.Context, con console, s *settings) error {
	return c.within(ctx, s, func(ctx context.Context, a *app.App, o model.Organization) error {
		f, err := a.Service.CreateSCIMFederation(ctx, c.ref(o), c.Client, model.SCIMClientFederation{
			TenantID: c.TenantID, Cloud: c.Cloud, Issuer: c.Issuer, Subject: c.Subject, Audience: c.Audience, JWKSURL: c.JWKSURL,
		})
		if err != nil {
			return err
		}
		tokenURL := publicBase(a) + scim.TokenPath + "/" + c.Client
		return c.print(con.out, map[string]any{"id": f.ID, "token_url": tokenURL},
			[]string{"ID", "TOKEN ENDPOINT"}, [][]string{{f.ID, tokenURL}})
	})
}

type clientDistrust struct {
	oneClient
	ID string `arg:"" help:"Id of the federation."`
}

// Run ends a federation.
func (c clientDistrust) Run(ctx context.Context, con console, s *settings) error {
	return c.within(ctx, s, func(ctx context.Context, a *app.App, o model.Organization) error {
		if err := a.Service.DeleteSCIMFederation(ctx, c.ref(o), c.Client, c.ID); err != nil {
			return err
		}
		_, err := fmt.Fprintln(con.out, "deleted", c.ID)
		return err
	})
}
