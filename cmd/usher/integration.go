package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"usher/directory"
	"usher/internal/app"
	"usher/model"
	"usher/scim"
)

type organizationCmd struct {
	List   organizationList   `cmd:"" help:"List organizations."`
	Create organizationCreate `cmd:"" help:"Create an organization."`
}

type organizationList struct{ scope }

// Run lists the organizations.
func (c organizationList) Run(ctx context.Context, con console, s *settings) error {
	return listed(ctx, c.scope, con, s, []string{"ID", "SLUG", "NAME"},
		func(ctx context.Context, a *app.App, _ model.Organization) ([]model.Organization, error) {
			return a.Store.Read(ctx).OrganizationsAfter("", listMax)
		},
		func(o model.Organization) []string { return []string{o.ID, o.Slug, o.Name} })
}

type organizationCreate struct {
	scope
	Slug string `arg:"" help:"Short name, lower case."`
	Name string `help:"Name; the slug where left out."`
}

// Run creates an organization.
func (c organizationCreate) Run(ctx context.Context, con console, s *settings) error {
	return c.within(ctx, s, func(ctx context.Context, a *app.App, _ model.Organization) error {
		name := c.Name
		if name == "" {
			name = c.Slug
		}
		o, err := a.Service.CreateOrganization(ctx, c.Slug, name)
		if err != nil {
			return err
		}
		return c.print(con.out, o, []string{"ID", "SLUG", "NAME"}, [][]string{{o.ID, o.Slug, o.Name}})
	})
}

type integrationCmd struct {
	List   integrationList   `cmd:"" help:"List integrations."`
	Create integrationCreate `cmd:"" help:"Create an integration."`
	Show   integrationShow   `cmd:"" help:"Show an integration and what to enter in Entra."`
	Remove integrationRemove `cmd:"" help:"Remove an integration with its mirror; accounts stay."`
	Setup  integrationSetup  `cmd:"" help:"Say what to type into Entra, export it, or set up provisioning there."`
	Log    integrationLog    `cmd:"" help:"Print what SCIM clients asked for and were answered."`
}

type integrationList struct{ scope }

// Run lists the integrations.
func (c integrationList) Run(ctx context.Context, con console, s *settings) error {
	return c.within(ctx, s, func(ctx context.Context, a *app.App, o model.Organization) error {
		list, err := a.Store.Read(ctx).IntegrationsAfter(o.ID, "", listMax)
		if err != nil {
			return err
		}
		var rows [][]string
		for _, i := range list {
			users, err := a.Store.Read(ctx).CountDirectoryUsers(i.Ref())
			if err != nil {
				return err
			}
			rows = append(rows, []string{i.ID, i.Name, string(i.Ingress), string(i.RoleSync), strconv.Itoa(users)})
		}
		return c.print(con.out, list, []string{"ID", "NAME", "INGRESS", "ROLE SYNC", "USERS"}, rows)
	})
}

type integrationCreate struct {
	scope
	Name        string `arg:"" help:"Name, such as the tenant's."`
	Ingress     string `help:"scim: Entra pushes; graph: Usher pulls." enum:"scim,graph" default:"scim"`
	RoleSync    string `help:"initial, reconcile or mirror." enum:"initial,reconcile,mirror" default:"reconcile"`
	DefaultRole string `help:"Role of an account that no mapping gives one."`
	TenantID    string `name:"tenant-id" help:"Directory (tenant) id in Entra."`
}

// Run creates an integration.
func (c integrationCreate) Run(ctx context.Context, con console, s *settings) error {
	return c.within(ctx, s, func(ctx context.Context, a *app.App, o model.Organization) error {
		in := directory.DefaultIntegration(c.Name, model.Ingress(c.Ingress))
		in.RoleSync, in.DefaultRole, in.TenantID = model.RoleSync(c.RoleSync), c.DefaultRole, c.TenantID
		i, err := a.Service.CreateIntegration(ctx, o.ID, in, nil)
		if err != nil {
			return err
		}
		return c.show(con, a, i)
	})
}

type integrationShow struct {
	scope
	ID string `arg:"" help:"Id of the integration."`
}

// Run shows one integration.
func (c integrationShow) Run(ctx context.Context, con console, s *settings) error {
	return c.within(ctx, s, func(ctx context.Context, a *app.App, o model.Organization) error {
		i, err := a.Store.Read(ctx).Integration(model.Ref{OrganizationID: o.ID, IntegrationID: c.ID})
		if err != nil {
			return err
		}
		return c.show(con, a, i)
	})
}

func (sc scope) show(con console, a *app.App, i model.Integration) error {
	base := publicBase(a)
	tenantURL := base + "/scim/v2/" + i.ID
	return sc.print(con.out, map[string]any{
		"integration": i, "id": i.ID, "scim": map[string]string{"base_url": tenantURL, "token_url": base + scim.TokenPath},
	},
		[]string{"ID", "NAME", "INGRESS", "TENANT URL"}, [][]string{{i.ID, i.Name, string(i.Ingress), tenantURL}})
}

type tokenCmd struct {
	Create tokenCreate `cmd:"" help:"Create a token; it is shown this once."`
	List   tokenList   `cmd:"" help:"List the tokens of an integration."`
	Revoke tokenRevoke `cmd:"" help:"Revoke a token."`
}

type tokenCreate struct {
	scope
	Integration string        `arg:"" help:"Id of the integration."`
	Name        string        `help:"What the token is for." default:"Entra"`
	ExpiresIn   time.Duration `help:"How long it is good for, such as 8760h; without end where left out."`
}

// Run creates a token.
func (c tokenCreate) Run(ctx context.Context, con console, s *settings) error {
	return c.within(ctx, s, func(ctx context.Context, a *app.App, o model.Organization) error {
		row, text, err := a.Service.CreateSCIMToken(ctx, model.Ref{OrganizationID: o.ID, IntegrationID: c.Integration}, c.Name, in(c.ExpiresIn))
		if err != nil {
			return err
		}
		return c.print(con.out, map[string]any{"id": row.ID, "token": text, "expires_at": row.ExpiresAt},
			[]string{"ID", "TOKEN"}, [][]string{{row.ID, text}})
	})
}

func in(d time.Duration) *time.Time {
	if d == 0 {
		return nil
	}
	at := time.Now().Add(d)
	return &at
}

type tokenList struct {
	scope
	Integration string `arg:"" help:"Id of the integration."`
}

// Run lists tokens, without their texts.
func (c tokenList) Run(ctx context.Context, con console, s *settings) error {
	return listed(ctx, c.scope, con, s, []string{"ID", "NAME", "CREATED", "LAST USED", "EXPIRES"},
		func(ctx context.Context, a *app.App, o model.Organization) ([]model.SCIMToken, error) {
			return a.Store.Read(ctx).SCIMTokensAfter(model.Ref{OrganizationID: o.ID, IntegrationID: c.Integration}, "", listMax)
		},
		func(t model.SCIMToken) []string {
			return []string{t.ID, t.Name, when(&t.CreatedAt), when(t.LastUsedAt), when(t.ExpiresAt)}
		})
}

func when(at *time.Time) string {
	if at == nil {
		return "-"
	}
	return at.UTC().Format(time.RFC3339)
}

type tokenRevoke struct {
	scope
	Integration string `arg:"" help:"Id of the integration."`
	ID          string `arg:"" help:"Id of the token."`
}

// Run revokes a token.
func (c tokenRevoke) Run(ctx context.Context, con console, s *settings) error {
	return c.within(ctx, s, func(ctx context.Context, a *app.App, o model.Organization) error {
		err := a.Service.DeleteSCIMToken(ctx, model.Ref{OrganizationID: o.ID, IntegrationID: c.Integration}, c.ID)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(con.out, "revoked", c.ID)
		return err
	})
}
