package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"usher/directory"
	"usher/internal/app"
	"usher/model"
)

// The bounds of asking Microsoft 365: for how long each integration, and all of them, and how many at once.
const (
	askTime    = 10 * time.Second
	askAllTime = 30 * time.Second
	askAtOnce  = 8
	askPage    = 100
)

// graphAccess tells, of every integration that reads Microsoft 365, whether its credentials work and what permissions are missing.
func graphAccess(ctx context.Context, a *app.App) []finding {
	list, err := graphIntegrations(ctx, a)
	if err != nil {
		return []finding{{"Microsoft Graph", err.Error(), "", true}}
	}
	ctx, cancel := context.WithTimeout(ctx, askAllTime)
	defer cancel()
	findings := make([]finding, len(list))
	var group errgroup.Group
	group.SetLimit(askAtOnce)
	for i := range list {
		group.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, askTime)
			defer cancel()
			roles, err := a.Permissions(ctx, list[i].Integration.Ref())
			findings[i] = judgeAccess(list[i], roles, err)
			return nil
		})
	}
	_ = group.Wait() // none of them fails
	return findings
}

// graphIntegrations gives the integrations of all organizations that need permissions of Microsoft Graph, with their lists.
func graphIntegrations(ctx context.Context, a *app.App) ([]model.IntegrationSettings, error) {
	var list []model.IntegrationSettings
	for after := ""; ; {
		organizations, err := a.Store.Read(ctx).OrganizationsAfter(after, askPage)
		if err != nil {
			return nil, err
		}
		for _, o := range organizations {
			after = o.ID
			integrations, err := a.Store.Read(ctx).Integrations(o.ID)
			if err != nil {
				return nil, err
			}
			for _, i := range integrations {
				entry, err := a.Service.Lists(ctx, i.Ref())
				if err != nil {
					return nil, err
				}
				if len(directory.NeedsOf(entry)) > 0 {
					list = append(list, entry)
				}
			}
		}
		if len(organizations) < askPage {
			return list, nil
		}
	}
}

// judgeAccess says what the roles of a token, or the failure to get one, mean for an integration. Rooms can do without their
// permission: the members of chosen groups are rooms as well.
func judgeAccess(entry model.IntegrationSettings, roles []string, err error) finding {
	what := "Microsoft Graph of integration " + entry.Integration.Name
	if err != nil {
		return finding{what, err.Error(), "check the tenant, the client id and the secret or certificate: docs/how-to/connect-calendars.md", true}
	}
	var missing []string
	bad := false
	for _, p := range directory.Preflight(directory.NeedsOf(entry), roles) {
		if !p.Granted {
			missing = append(missing, fmt.Sprintf("%s (%s: %s)", p.Permission, p.Feature, p.Purpose))
			bad = bad || p.Feature != "rooms"
		}
	}
	if len(missing) > 0 {
		return finding{what, "not granted: " + strings.Join(missing, ", "), "have an administrator of the tenant grant it: docs/how-to/connect-calendars.md", bad}
	}
	return finding{what: what, state: "its credentials work and every permission is granted"}
}
