package app_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"usher/directory"
	"usher/directory/tenanttest"
	"usher/internal/graph"
	"usher/internal/simulator"
	"usher/internal/simulator/entraid"
	"usher/internal/simulator/graphapi"
	"usher/model/entra"
)

var (
	_ directory.Tenant       = (*entraid.Client)(nil)
	_ directory.Provisioning = (*entraid.Client)(nil)
)

// TestTenantOfTheSimulator tries what the directory relies on with the pretend tenant itself.
func TestTenantOfTheSimulator(t *testing.T) {
	t.Parallel()
	tenanttest.Run(t, func(t *testing.T) tenanttest.World {
		town := newTown(t)
		return town.world(town.directory.Client(wireClientID))
	})
}

// TestProvisioningOfTheSimulator tries what Entra's provisioning is set up with, with the pretend tenant itself.
func TestProvisioningOfTheSimulator(t *testing.T) {
	t.Parallel()
	tenanttest.RunProvisioning(t, func(t *testing.T) tenanttest.World {
		town := newTown(t)
		return town.world(town.directory.Client(wireClientID))
	})
}

// TestProvisioningOverHTTP tries it over HTTP.
func TestProvisioningOverHTTP(t *testing.T) {
	t.Parallel()
	tenanttest.RunProvisioning(t, func(t *testing.T) tenanttest.World {
		town := newTown(t)
		return town.world(town.door(t))
	})
}

// TestTenantOverHTTP tries it with the door to Microsoft Graph, which speaks to the pretend Microsoft over HTTP.
func TestTenantOverHTTP(t *testing.T) {
	t.Parallel()
	tenanttest.Run(t, func(t *testing.T) tenanttest.World {
		town := newTown(t)
		return town.world(town.door(t))
	})
}

// town is a pretend tenant with the people that the promises speak of, and a clock of its own.
type town struct {
	*simulator.Tenant
	t         *testing.T
	directory *entraid.Directory

	mu  sync.Mutex
	now time.Time
}

func newTown(t *testing.T) *town {
	t.Helper()
	w := &town{t: t, now: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)}
	w.Tenant = simulator.NewTenant(simulator.Options{Seed: 3, People: 24, Domain: "contoso.example", Now: w.clock})
	w.directory = entraid.New(entraid.Options{Tenant: w.Tenant, Seed: 3, Now: w.clock, PageSize: 7, MembersPerPage: 5})
	return w
}

// clock goes on with every look at it, so that nothing happens at the same moment.
func (w *town) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(time.Millisecond)
	return w.now
}

// door starts the pretend Microsoft, and gives the door to it.
func (w *town) door(t *testing.T) *graph.Client {
	t.Helper()
	server, err := graphapi.Start(t.Context(), graphapi.Options{
		Directory: w.directory, TenantID: w.directory.ID(),
		Apps: []graphapi.App{{ID: wireClientID, Secrets: []graphapi.Secret{{Value: wireSecret}}}},
	})
	w.must(err)
	t.Cleanup(func() { _ = server.Close() })
	client, err := graph.New(graph.Options{
		TenantID: w.directory.ID(), ClientID: wireClientID, Credential: graph.Credential{ClientSecret: wireSecret},
		GraphURL: server.GraphURL + "/v1.0", LoginURL: server.LoginURL, RootCAs: server.RootCAs, Retries: -1, ListSize: 7,
	})
	w.must(err)
	return client
}

func (w *town) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// world adds what the promises speak of, and the application's way to it.
func (w *town) world(door interface {
	directory.Tenant
	directory.Provisioning
},
) tenanttest.World {
	ada, grace := w.hire("Augusta", "Byron"), w.hire("Grace", "Brewster")
	hybrid, administrator := w.hire("Charles", "Babbage"), w.hire("Mary", "Fairfax")
	w.must(w.Edit(hybrid.ID, func(u *simulator.User) error { u.OnPremisesSync = true; return nil }))
	w.directory.SetAdministrator(administrator.ID, true)
	w.must(w.Tenant.SetManager(ada.ID, grace.ID))
	product, free, full := w.sku(simulator.SKUOffice), w.sku(simulator.SKUFlow), w.sku(simulator.SKUPowerBI)
	w.must(w.AssignLicences(ada.ID, []simulator.Licence{{SKUID: product.ID}}, nil))
	full.Enabled = w.Consumed()[full.ID]
	w.SetSKU(full)
	nested, team := w.group(simulator.Group{DisplayName: "Analytical Engine"}), w.group(simulator.Group{DisplayName: "Difference Engineers' (North)"})
	members := append([]string{ada.ID, nested.ID}, w.present()[:13]...)
	for _, id := range members {
		w.must(w.Tenant.AddMember(team.ID, id))
	}
	dynamic, _ := w.GroupNamed(simulator.GroupCopenhagen)
	world := tenanttest.World{
		Tenant: door, Provisioning: door, Admin: porter{w}, Now: w.clock, Domain: w.Domain(), People: w.present(),
		Ada: person(ada), Grace: person(grace), Guest: person(w.guest()), Hybrid: hybrid.ID, Administrator: administrator.ID,
		Team: team.ID, Members: members, Nested: nested.ID, Dynamic: dynamic.ID, TeamWord: "Differ",
		Mail:    w.group(simulator.Group{DisplayName: "Poets", Mail: "poets@contoso.example", GroupTypes: []string{"Unified"}}).ID,
		List:    w.group(simulator.Group{DisplayName: "Everybody at all", Mail: "all@contoso.example"}).ID,
		Product: product.ID, Free: free.ID, Full: full.ID, Template: "8adf8e6e-67b2-4cf2-a259-e3dc5476c621",
		Extension:   w.directory.DefineExtension("9d98a5df-1580-4a2d-9c39-0f6a5f1b2c3d", "CostCentre", "String", "Payroll").Name,
		Permissions: []string{"User.Read.All", "GroupMember.Read.All"},
	}
	return world
}

func (w *town) hire(given, family string) simulator.User {
	w.t.Helper()
	u, err := w.Hire(simulator.User{GivenName: given, Surname: family, UsageLocation: "GB", JobTitle: "Analyst"})
	w.must(err)
	return u
}

func (w *town) group(g simulator.Group) simulator.Group {
	w.t.Helper()
	made, err := w.AddGroup(g)
	w.must(err)
	return made
}

func (w *town) sku(part string) simulator.SKU {
	list := w.SKUs()
	return list[slices.IndexFunc(list, func(s simulator.SKU) bool { return s.PartNumber == part })]
}

// present are those who are not deleted.
func (w *town) present() []string {
	return slices.DeleteFunc(w.UserIDs(), func(id string) bool {
		u, ok := w.User(id)
		return !ok || u.Deleted()
	})
}

func (w *town) guest() simulator.User {
	for _, id := range w.present() {
		if u, _ := w.User(id); u.UserType == "Guest" {
			return u
		}
	}
	w.t.Fatal("the tenant has no guest")
	return simulator.User{}
}

func person(u simulator.User) entra.User {
	return entra.User{
		ID: u.ID, UserPrincipalName: u.UserPrincipalName, Mail: u.Mail, DisplayName: u.DisplayName, GivenName: u.GivenName, Surname: u.Surname, UserType: u.UserType,
	}
}

// porter is who works in the tenant by hand.
type porter struct{ *town }

func (p porter) Hire(given, family string) string { return p.hire(given, family).ID }

func (p porter) Edit(id, property, text string) {
	if len(property) > 10 && property[:10] == "extension_" {
		p.must(p.directory.SetExtension(id, property, text))
		return
	}
	p.must(p.SetAttribute(id, property, text))
}

func (p porter) Disable(id string)             { p.must(p.Tenant.Disable(id)) }
func (p porter) Delete(id string)              { p.must(p.SoftDelete(id)) }
func (p porter) Restore(id string)             { p.must(p.Tenant.Restore(id)) }
func (p porter) Purge(id string)               { p.must(p.HardDelete(id)) }
func (p porter) Manager(id, manager string)    { p.must(p.SetManager(id, manager)) }
func (p porter) Join(group, member string)     { p.must(p.AddMember(group, member)) }
func (p porter) Leave(group, member string)    { p.must(p.RemoveMember(group, member)) }
func (p porter) RenameGroup(group, to string)  { p.must(p.Tenant.RenameGroup(group, to)) }
func (p porter) DeleteGroup(group string)      { p.must(p.Tenant.DeleteGroup(group)) }
func (p porter) LicenseGroup(group, id string) { p.must(p.SetGroupLicences(group, id)) }
func (p porter) Photo(id string, text []byte)  { p.directory.SetPhoto(id, text, "image/jpeg") }
func (p porter) ExpireLinks()                  { p.directory.ExpireLinks() }
func (p porter) Step()                         {}
