package console_test

import (
	"context"
	"strings"

	"usher/directory"
	"usher/internal/simulator"
	"usher/internal/simulator/entraid"
	"usher/model"
)

// town is a pretend tenant that an integration reaches over Graph.
type town struct {
	people *simulator.Tenant
	graph  *entraid.Directory
	ref    model.Ref
	ada    simulator.User
}

// graphApp is the application that reaches the pretend tenant.
const graphApp = "usher"

// tenant gives a pretend tenant and an integration that may read and write it; Ada has an account.
func (f *fixture) tenant() *town {
	f.Helper()
	t := &town{people: simulator.NewTenant(simulator.Options{Seed: 2, People: 24, Domain: "contoso.example"})}
	t.graph = entraid.New(entraid.Options{Tenant: t.people, Seed: 2})
	t.graph.Grant(graphApp, "User.ReadWrite.All", "Group.ReadWrite.All", "Directory.ReadWrite.All", "Organization.Read.All", "User.RevokeSessions.All", "User.EnableDisableAccount.All", "LicenseAssignment.ReadWrite.All")
	f.svc.Tenants = func(context.Context, model.Ref) (directory.Tenant, error) { return t.graph.Client(graphApp), nil }
	i := directory.DefaultIntegration("Tenant", model.IngressSCIM)
	i.WriteBack = model.WriteBack{Create: true, Update: true, Delete: true, ByHandOnly: true}
	i, err := f.svc.CreateIntegration(f.Context(), f.org.ID, i, nil)
	f.ok(err)
	t.ref = i.Ref()
	t.ada, _ = t.people.UserNamed("Ada Lovelace")
	f.push(i, t.ada.UserPrincipalName, "Ada Lovelace", map[string]any{"externalId": t.ada.ID})
	return t
}

// work works the operation whose page is at the path.
func (f *fixture) work(path string) {
	f.Helper()
	f.ok(f.svc.WorkOperation(f.Context(), directory.WorkOperation{OrganizationID: f.org.ID, OperationID: path[strings.LastIndex(path, "/")+1:]}))
}
