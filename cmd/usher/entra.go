package main

import (
	"context"
	"fmt"
	"time"

	"usher/directory"
	"usher/internal/app"
	"usher/model"
	"usher/model/store"
)

type entraCmd struct {
	Users      entraUsersCmd      `cmd:"" help:"Create, change, off-board, delete and restore users in Entra."`
	Groups     entraGroupsCmd     `cmd:"" help:"Put users into groups of Entra, and take them out."`
	Licences   entraLicencesCmd   `cmd:"" help:"Give users licences, and take them away."`
	Operations entraOperationsCmd `cmd:"" help:"List what was done in Entra, show it, cancel what has not begun."`
}

type entraUsersCmd struct {
	Create   entraUserCreate   `cmd:"" help:"Create a user."`
	Update   entraUserUpdate   `cmd:"" help:"Change a user."`
	Offboard entraUserOffboard `cmd:"" help:"Off-board a person: account, sign-in, sessions, groups and licences."`
	Delete   entraUserDelete   `cmd:"" help:"Delete a user, who can be restored for 30 days."`
	Restore  entraUserRestore  `cmd:"" help:"Restore a deleted user."`
}

// inTenant names an integration.
type inTenant struct {
	scope
	Integration string `arg:"" help:"Id of the integration."`
}

// begin asks for an operation, which a server works, and prints it.
func (c inTenant) begin(ctx context.Context, con console, s *settings, ask func(context.Context, *directory.Service, model.Ref) (model.Operation, error)) error {
	return c.within(ctx, s, func(ctx context.Context, a *app.App, o model.Organization) error {
		op, err := ask(ctx, a.Service, model.Ref{OrganizationID: o.ID, IntegrationID: c.Integration})
		if err != nil {
			return err
		}
		return c.showOperation(con, op)
	})
}

// showOperation prints an operation with its steps.
func (sc scope) showOperation(con console, o model.Operation) error {
	problem := ""
	if o.Error != nil {
		problem = o.Error.Code + ": " + o.Error.Detail
	}
	rows := [][]string{{o.ID, string(o.Kind), string(o.State), who(o), problem}}
	for _, step := range o.Steps {
		name := step.Name
		if name == "" {
			name = step.Target
		}
		rows = append(rows, []string{"", "- " + string(step.Action), string(step.State), name, step.Outcome})
	}
	return sc.print(con.out, o, []string{"OPERATION", "KIND", "STATE", "OF", "OUTCOME"}, rows)
}

func who(o model.Operation) string {
	if o.UserName != "" {
		return o.UserName
	}
	return o.UserID
}

type entraUserCreate struct {
	inTenant
	UserPrincipalName string            `arg:"" help:"Such as ada@contoso.com, in a verified domain."`
	DisplayName       string            `required:"" help:"Name that is shown."`
	GivenName         string            `help:"Given name."`
	FamilyName        string            `help:"Family name."`
	UsageLocation     string            `help:"Country of two letters; needed for licences."`
	Set               map[string]string `help:"Other properties by Graph's names, such as jobTitle=Analyst."`
	Groups            []string          `help:"Object ids of groups, comma separated."`
	Licences          []string          `help:"Ids of products, comma separated."`
	PasswordStdin     bool              `name:"password-stdin" help:"Read the first password from standard input; without it one is made that nobody learns."`
}

// Run asks for a user.
func (c entraUserCreate) Run(ctx context.Context, con console, s *settings) error {
	in := directory.NewEntraUser{
		UserPrincipalName: c.UserPrincipalName, Groups: c.Groups, Licences: c.Licences, Profile: map[string]string{
			"displayName": c.DisplayName, "givenName": c.GivenName, "surname": c.FamilyName, "usageLocation": c.UsageLocation,
		},
	}
	for name, value := range c.Set {
		in.Profile[name] = value
	}
	if c.PasswordStdin {
		var err error
		if in.Password, err = readPassword(con); err != nil {
			return err
		}
	}
	return c.begin(ctx, con, s, func(ctx context.Context, svc *directory.Service, ref model.Ref) (model.Operation, error) {
		return svc.CreateEntraUser(ctx, ref, in)
	})
}

// oneUser names a user of a tenant.
type oneUser struct {
	inTenant
	User string `arg:"" help:"Object id or user principal name."`
}

type entraUserUpdate struct {
	oneUser
	Set     map[string]string `help:"Properties by Graph's names, such as jobTitle=Analyst; nothing behind the = takes one away."`
	Manager *string           `help:"Object id of the manager; empty takes the manager away."`
	Enabled *bool             `negatable:"" help:"Whether the user may sign in."`
}

// Run asks for a change.
func (c entraUserUpdate) Run(ctx context.Context, con console, s *settings) error {
	return c.begin(ctx, con, s, func(ctx context.Context, svc *directory.Service, ref model.Ref) (model.Operation, error) {
		return svc.UpdateEntraUser(ctx, ref, c.User, directory.EntraUserChange{Profile: c.Set, ManagerID: c.Manager, Enabled: c.Enabled})
	})
}

type entraUserOffboard struct {
	oneUser
	At             time.Time `help:"When to begin, such as 2026-12-31T17:00:00Z; at once where it is left out."`
	RevokeSessions bool      `negatable:"" default:"true" help:"End all sign-ins."`
	RemoveGroups   bool      `negatable:"" default:"true" help:"Take the user out of every group."`
	RemoveLicences bool      `negatable:"" default:"true" help:"Take away every licence that was assigned to the user."`
	Delete         bool      `help:"Delete the user at last."`
	DryRun         bool      `help:"Say what would be done, and do nothing."`
}

// Run asks that a person leave.
func (c entraUserOffboard) Run(ctx context.Context, con console, s *settings) error {
	in := directory.Offboarding{OffboardPlan: model.OffboardPlan{
		RevokeSessions: c.RevokeSessions, RemoveGroups: c.RemoveGroups, RemoveLicences: c.RemoveLicences, Delete: c.Delete,
	}}
	if !c.At.IsZero() {
		in.At = &c.At
	}
	return c.begin(ctx, con, s, func(ctx context.Context, svc *directory.Service, ref model.Ref) (model.Operation, error) {
		if c.DryRun {
			return svc.PreviewOffboarding(ctx, ref, c.User, in)
		}
		return svc.OffboardEntraUser(ctx, ref, c.User, in)
	})
}

type entraUserDelete struct{ oneUser }

// Run asks for a deletion.
func (c entraUserDelete) Run(ctx context.Context, con console, s *settings) error {
	return c.begin(ctx, con, s, func(ctx context.Context, svc *directory.Service, ref model.Ref) (model.Operation, error) {
		return svc.DeleteEntraUser(ctx, ref, c.User)
	})
}

type entraUserRestore struct {
	oneUser
	Enable bool `help:"Also let the user sign in again."`
}

// Run asks for a user back.
func (c entraUserRestore) Run(ctx context.Context, con console, s *settings) error {
	return c.begin(ctx, con, s, func(ctx context.Context, svc *directory.Service, ref model.Ref) (model.Operation, error) {
		return svc.RestoreEntraUser(ctx, ref, c.User, c.Enable)
	})
}

type entraGroupsCmd struct {
	Add    entraGroupAdd    `cmd:"" help:"Put a user into a group."`
	Remove entraGroupRemove `cmd:"" help:"Take a user out of a group."`
}

// oneMember names a user and a group.
type oneMember struct {
	inTenant
	Group string `arg:"" help:"Object id of the group."`
	User  string `arg:"" help:"Object id or user principal name of the user."`
}

type entraGroupAdd struct{ oneMember }

// Run asks for a member.
func (c entraGroupAdd) Run(ctx context.Context, con console, s *settings) error {
	return c.begin(ctx, con, s, func(ctx context.Context, svc *directory.Service, ref model.Ref) (model.Operation, error) {
		return svc.AddEntraMember(ctx, ref, c.Group, c.User)
	})
}

type entraGroupRemove struct{ oneMember }

// Run asks for a member to go.
func (c entraGroupRemove) Run(ctx context.Context, con console, s *settings) error {
	return c.begin(ctx, con, s, func(ctx context.Context, svc *directory.Service, ref model.Ref) (model.Operation, error) {
		return svc.RemoveEntraMember(ctx, ref, c.Group, c.User)
	})
}

type entraLicencesCmd struct {
	Add    entraLicenceAdd    `cmd:"" help:"Give a user a licence."`
	Remove entraLicenceRemove `cmd:"" help:"Take a licence from a user."`
}

// oneLicence names a user and a product.
type oneLicence struct {
	oneUser
	SKU string `arg:"" name:"sku" help:"Id (skuId) of the product."`
}

type entraLicenceAdd struct{ oneLicence }

// Run asks for a licence.
func (c entraLicenceAdd) Run(ctx context.Context, con console, s *settings) error {
	return c.begin(ctx, con, s, func(ctx context.Context, svc *directory.Service, ref model.Ref) (model.Operation, error) {
		return svc.AddEntraLicence(ctx, ref, c.User, c.SKU)
	})
}

type entraLicenceRemove struct{ oneLicence }

// Run asks for a licence to go.
func (c entraLicenceRemove) Run(ctx context.Context, con console, s *settings) error {
	return c.begin(ctx, con, s, func(ctx context.Context, svc *directory.Service, ref model.Ref) (model.Operation, error) {
		return svc.RemoveEntraLicence(ctx, ref, c.User, c.SKU)
	})
}

type entraOperationsCmd struct {
	List   entraOperationList   `cmd:"" help:"List operations, newest first."`
	Show   entraOperationShow   `cmd:"" help:"Show an operation with its steps."`
	Cancel entraOperationCancel `cmd:"" help:"Cancel an operation that has not begun."`
}

type entraOperationList struct {
	scope
	Integration string `help:"Id of an integration."`
	User        string `help:"Object id of a user."`
	State       string `help:"Only those in this state." enum:",scheduled,queued,running,succeeded,failed,cancelled" default:""`
}

// Run lists operations.
func (c entraOperationList) Run(ctx context.Context, con console, s *settings) error {
	return listed(ctx, c.scope, con, s, []string{"OPERATION", "KIND", "STATE", "OF", "ASKED", "ENDED", "ERROR"},
		func(ctx context.Context, a *app.App, o model.Organization) ([]model.Operation, error) {
			f := store.OperationFilter{Integration: c.Integration, User: c.User, State: model.OperationState(c.State)}
			return a.Store.Read(ctx).OperationsBefore(o.ID, f, "", listMax)
		},
		func(o model.Operation) []string {
			code := ""
			if o.Error != nil {
				code = o.Error.Code
			}
			return []string{o.ID, string(o.Kind), string(o.State), who(o), when(&o.CreatedAt), when(o.FinishedAt), code}
		})
}

// oneOperation names an operation.
type oneOperation struct {
	scope
	ID string `arg:"" help:"Id of the operation."`
}

type entraOperationShow struct{ oneOperation }

// Run shows an operation.
func (c entraOperationShow) Run(ctx context.Context, con console, s *settings) error {
	return c.within(ctx, s, func(ctx context.Context, a *app.App, o model.Organization) error {
		op, err := a.Service.Operation(ctx, o.ID, c.ID)
		if err != nil {
			return err
		}
		return c.showOperation(con, op)
	})
}

type entraOperationCancel struct{ oneOperation }

// Run cancels an operation.
func (c entraOperationCancel) Run(ctx context.Context, con console, s *settings) error {
	return c.within(ctx, s, func(ctx context.Context, a *app.App, o model.Organization) error {
		if _, err := a.Service.CancelOperation(ctx, o.ID, c.ID); err != nil {
			return err
		}
		_, err := fmt.Fprintln(con.out, "cancelled", c.ID)
		return err
	})
}
