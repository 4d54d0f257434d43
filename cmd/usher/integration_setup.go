package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"usher/directory"
	"usher/internal/app"
	"usher/model"
)

type integrationSetup struct {
	scope
	ID          string   `arg:"" help:"Id of the integration."`
	Format      string   `help:"text: what to type into Entra; powershell, terraform: a text that does it." enum:"text,powershell,terraform" default:"text"`
	Install     bool     `name:"run" help:"Set up provisioning in Entra, and wait until that is done."`
	SignIn      bool     `help:"Before that, have an administrator of the tenant sign in once: the address is printed, and the server must be running."`
	Group       []string `help:"With --run: object id or name of a group whose members are provisioned; those of the group mappings where left out."`
	Everyone    bool     `help:"With --run: the whole tenant."`
	NotifyEmail string   `help:"With --run: whom Entra writes to about a quarantine."`
	Hold        bool     `help:"With --run: do not start the job."`
	Status      bool     `help:"Ask Entra how provisioning is getting on."`
	Undo        bool     `help:"Take away again what a set-up has made in Entra."`
	RotateToken bool     `help:"Replace the SCIM token, in Entra and here."`
}

// Run says what to type into Entra, or does it.
func (c integrationSetup) Run(ctx context.Context, con console, s *settings) error {
	return c.within(ctx, s, func(ctx context.Context, a *app.App, o model.Organization) error {
		ref := model.Ref{OrganizationID: o.ID, IntegrationID: c.ID}
		switch {
		case c.Install:
			return c.install(ctx, con, a, ref)
		case c.Undo:
			_, err := a.Service.UndoSetup(ctx, ref)
			return c.follow(ctx, con, a, ref, err)
		case c.RotateToken:
			_, err := a.Service.RotateSetupToken(ctx, ref, 0, nil)
			return c.follow(ctx, con, a, ref, err)
		case c.Status:
			row, err := a.Service.RefreshSetup(ctx, ref)
			if err != nil {
				return err
			}
			return c.showTask(con, row)
		case c.Format != "text":
			text, err := a.Service.SetupExport(ctx, ref, publicBase(a), c.Format)
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(con.out, text)
			return err
		}
		guide, err := a.Service.SetupGuide(ctx, ref, publicBase(a))
		if err != nil {
			return err
		}
		return c.showGuide(con, guide)
	})
}

func (c integrationSetup) install(ctx context.Context, con console, a *app.App, ref model.Ref) error {
	if c.SignIn {
		if err := c.waitForSignIn(ctx, con, a, ref); err != nil {
			return err
		}
	}
	in := directory.SetupRequest{Everyone: c.Everyone, NotifyEmail: c.NotifyEmail, Hold: c.Hold}
	for _, g := range c.Group {
		selector := model.GroupSelector{DisplayName: g}
		if directory.IsObjectID(g) {
			selector = model.GroupSelector{ExternalID: g}
		}
		in.Groups = append(in.Groups, selector)
	}
	_, err := a.Service.StartSetup(ctx, ref, in, publicBase(a))
	return c.follow(ctx, con, a, ref, err)
}

// signInLook is how often it is looked whether somebody has signed in.
const signInLook = 2 * time.Second

func (c integrationSetup) waitForSignIn(ctx context.Context, con console, a *app.App, ref model.Ref) error {
	url, err := a.Service.SignInURL(ctx, ref, publicBase(a))
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(con.err, "An administrator of the tenant has to sign in here, within the hour:\n\n%s\n\nwaiting …\n", url)
	for {
		row, err := a.Service.Setup(ctx, ref)
		switch {
		case err != nil:
			return err
		case row.SignIn.AccessUntil != nil:
			_, _ = fmt.Fprintf(con.err, "%s signed in\n", row.SignIn.By)
			return nil
		case row.SignIn.AskedUntil == nil || time.Now().After(*row.SignIn.AskedUntil):
			return errors.New("nobody signed in; begin again")
		}
		if err := pause(ctx, signInLook); err != nil {
			return err
		}
	}
}

// pause waits, unless the command is told to stop.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// follow does the task in this process, unless a server does, and tells of its steps as they end.
func (c integrationSetup) follow(ctx context.Context, con console, a *app.App, ref model.Ref, err error) error {
	if err != nil {
		return err
	}
	told := map[string]bool{}
	for {
		failed := a.Service.SetUp(ctx, directory.SetUp{OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID})
		wait, later := errors.AsType[*model.Throttled](failed)
		if failed != nil && !later {
			return failed
		}
		row, err := a.Service.Setup(ctx, ref)
		if err != nil {
			return err
		}
		tellSteps(con.err, row.Steps, told)
		if row.State == model.TaskFailed {
			return errors.New(row.Error)
		}
		if !row.State.Open() {
			return c.showTask(con, row)
		}
		after := signInLook
		if later {
			after = wait.After
		}
		if err := pause(ctx, after); err != nil {
			return err
		}
	}
}

// tellSteps prints the steps that have ended and were not printed yet.
func tellSteps(out io.Writer, steps []model.TaskStep, told map[string]bool) {
	for _, step := range steps {
		if step.State != model.StepPending && !told[step.Name] {
			told[step.Name] = true
			_, _ = fmt.Fprintf(out, "%-8s %s: %s\n", step.State, step.Name, step.Detail)
		}
	}
}

func (c integrationSetup) showTask(con console, row model.Setup) error {
	says := "never asked"
	switch {
	case row.JobError != "":
		says = row.JobError
	case row.Job != nil:
		says = row.Job.Says
	}
	return c.print(con.out, row, []string{"TASK", "STATE", "APPLICATION", "JOB", "ENTRA SAYS"},
		[][]string{{string(row.Task), string(row.State), row.Entra.DisplayName, row.Entra.JobID, says}})
}

func (c integrationSetup) showGuide(con console, g directory.SetupGuide) error {
	if c.Output == "json" {
		return c.print(con.out, g, nil, nil)
	}
	var b strings.Builder
	if p := g.Provisioning; p != nil {
		fmt.Fprintf(&b, "Tenant URL    %s\nSecret Token  %s   (%d live)\n\n", p.TenantURL, p.Token.Shell, p.Token.Live)
		for n, step := range p.Steps {
			fmt.Fprintf(&b, "%d. %s\n", n+1, step)
		}
		b.WriteString("\nAttribute mappings to change or add:\n")
		for _, row := range p.Mappings.Users {
			if row.Do != "keep" {
				fmt.Fprintf(&b, "  %-6s %s <- %s   %s\n", row.Do, row.SCIM, row.Entra, row.Note)
			}
		}
		for _, source := range p.Mappings.Unknown {
			fmt.Fprintf(&b, "  choose a source yourself for %s\n", source)
		}
		for _, line := range append(p.Scoping, p.Problems...) {
			fmt.Fprintf(&b, "- %s\n", line)
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "Redirect URI of the application registration: %s\nPermissions of Microsoft Graph:\n", g.Graph.RedirectURI)
	for _, f := range g.Graph.Features {
		for _, need := range f.Needs {
			mark := "off"
			if f.On {
				mark = "on"
			}
			fmt.Fprintf(&b, "  %-3s %-20s %-34s %s\n", mark, f.Name, need.Permission, need.Purpose)
		}
	}
	_, err := io.WriteString(con.out, b.String())
	return err
}
