package main

import (
	"context"
	"errors"
	"fmt"

	"usher/directory"
	"usher/internal/app"
	"usher/model"
)

type integrationRemove struct {
	scope
	ID          string `arg:"" help:"Id of the integration."`
	Yes         bool   `help:"Remove without asking."`
	KeepInEntra bool   `help:"Leave what Usher set up in Entra, and the consent."`
}

// Run removes an integration, and tells what is left in Entra.
func (c integrationRemove) Run(ctx context.Context, con console, s *settings) error {
	return c.within(ctx, s, func(ctx context.Context, a *app.App, o model.Organization) error {
		ref := model.Ref{OrganizationID: o.ID, IntegrationID: c.ID}
		plan, err := a.Service.Removal(ctx, ref)
		if err != nil {
			return err
		}
		what := fmt.Sprintf("integration %s with %s directory users; accounts stay as they are", plan.Name, directory.Removed(&plan, "directory_users"))
		if plan.State == model.TaskNone {
			if !c.Yes {
				for _, step := range plan.Steps {
					_, _ = fmt.Fprintf(con.err, "%s: %s\n", step.Name, step.Detail)
				}
				return fmt.Errorf("this would remove %s: add --yes to do it", what)
			}
			if _, err := a.Service.RemoveIntegration(ctx, ref, c.KeepInEntra); err != nil {
				return err
			}
		}
		return c.follow(ctx, con, a, ref, what)
	})
}

// follow does what is left of the removal in this process, unless a server does.
func (c integrationRemove) follow(ctx context.Context, con console, a *app.App, ref model.Ref, what string) error {
	told := map[string]bool{}
	for {
		failed := a.Service.EndIntegration(ctx, directory.EndIntegration{OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID})
		wait, later := errors.AsType[*model.Throttled](failed)
		if failed != nil && !later {
			return failed
		}
		r, err := a.Service.Removal(ctx, ref)
		if err != nil {
			return err
		}
		tellSteps(con.err, r.Steps, told)
		if r.EndedAt != nil {
			return c.show(con, r, what)
		}
		after := signInLook
		if later {
			after = wait.After
		}
		if err := pause(ctx, after); err != nil {
			return fmt.Errorf("%w; the integration is removed, and a server goes on with the rest", err)
		}
	}
}

func (c integrationRemove) show(con console, r model.Removal, what string) error {
	if c.Output == "json" {
		return c.print(con.out, r, nil, nil)
	}
	if _, err := fmt.Fprintln(con.out, "removed", what); err != nil {
		return err
	}
	for _, l := range r.Left {
		if _, err := fmt.Fprintf(con.out, "\nleft: %s\n  why: %s\n  %s\n%s\n", l.What, l.Why, l.Portal, l.PowerShell); err != nil {
			return err
		}
	}
	return nil
}
