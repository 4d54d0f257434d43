// Package tenanttest holds the promises of directory.Tenant and directory.Provisioning: what the directory relies on of Microsoft
// Entra ID, whoever stands behind the interfaces. The pretend tenant must keep them, and so must the door to Microsoft Graph when it
// speaks to the pretend tenant over HTTP, so that neither can drift from what the other one expects.
//
// It imports directory, model/entra, model/outlook and the standard library, and is for tests alone.
//
//	func TestTenant(t *testing.T) { tenanttest.Run(t, newWorld) }
package tenanttest

import (
	"slices"
	"testing"
	"time"

	"usher/directory"
	"usher/model/entra"
	"usher/model/outlook"
)

// World is a tenant that one case has for itself. Its lists have pages of a few items only, so that there are several pages.
type World struct {
	Tenant       directory.Tenant
	Provisioning directory.Provisioning
	Admin        Admin // somebody who works in the tenant without the application
	Now          func() time.Time

	Domain        string     // verified, the default, and users of it sign in with Entra
	People        []string   // object ids of everybody who is not deleted; more than a page
	Ada, Grace    entra.User // plain users of the cloud, with mail; Grace is Ada's manager, and Ada has no direct licence but Product's
	Guest         entra.User // from elsewhere
	Hybrid        string     // object id of a user whose master is Active Directory
	Administrator string     // object id of a user with a role that protects against applications

	Team        string   // object id of a security group that Graph can change, of which Ada is a member and Grace is not
	Members     []string // of Team, by object id; more than a page
	Nested      string   // object id of a group that is a member of Team
	Mail        string   // object id of a Microsoft 365 group
	List        string   // object id of a distribution list, which Graph cannot change
	Dynamic     string   // object id of a group whose rule decides its members
	TeamWord    string   // begins a word of Team's name, and of no more than a page of groups'
	Product     string   // SKU with free seats, which Ada has
	Free        string   // SKU with free seats, which neither Ada nor Grace has
	Full        string   // SKU without free seats, which neither has
	Extension   string   // a directory extension of users, of type String
	Template    string   // the gallery's template for provisioning
	RoleOf      string   // the name of the role that users are assigned to
	Permissions []string // some of those that were granted
}

// Admin is what happens in the tenant by other hands.
type Admin interface {
	Hire(givenName, surname string) (id string)
	// Edit sets a property by its name in entra.UserChange, or a directory extension.
	Edit(id, property, text string)
	Disable(id string)
	Delete(id string)
	Restore(id string)
	// Purge deletes for good.
	Purge(id string)
	Manager(id, manager string)
	Join(group, member string)
	Leave(group, member string)
	RenameGroup(group, name string)
	DeleteGroup(group string)
	LicenseGroup(group, sku string)
	Photo(id string, picture []byte)
	// ExpireLinks ends all delta links.
	ExpireLinks()
	// Step makes happen what is due, such as cycles of provisioning.
	Step()
}

// promise is one case.
type promise struct {
	name string
	test func(t *testing.T, w World)
}

// Run tries every promise of directory.Tenant on a world of its own.
func Run(t *testing.T, make func(t *testing.T) World) {
	t.Helper()
	try(t, make, people(), userDeltas(), groups(), groupDeltas(), writes(), members(), licences())
}

// RunProvisioning tries every promise of directory.Provisioning on a world of its own.
func RunProvisioning(t *testing.T, make func(t *testing.T) World) {
	t.Helper()
	try(t, make, applications(), jobs())
}

func try(t *testing.T, make func(t *testing.T) World, lists ...[]promise) {
	t.Helper()
	for _, list := range lists {
		for _, p := range list {
			t.Run(p.name, func(t *testing.T) { p.test(t, make(t)) })
		}
	}
}

// nobody is an object id that no tenant has.
const nobody = "7d0a1111-2222-4333-8444-555566667777"

// mostPages ends lists that do not end.
const mostPages = 500

// must gives the value, or ends the case.
func must[T any](t *testing.T) func(value T, err error) T {
	t.Helper()
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// done ends the case where something failed.
func done(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantKind(t *testing.T, err error, want ...outlook.Kind) {
	t.Helper()
	if err == nil || !slices.Contains(want, outlook.KindOf(err)) {
		t.Errorf("got error %v of kind %d, want kind %v", err, outlook.KindOf(err), want)
	}
}

// same compares lists of ids in any order.
func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	got, want = slices.Clone(got), slices.Clone(want)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %d, want %d\n%v\n%v", what, len(got), len(want), got, want)
	}
}

func ptr[T any](v T) *T { return &v }

// read gives a user as the tenant has it.
func (w World) read(t *testing.T, id string) entra.User {
	t.Helper()
	return must[entra.User](t)(w.Tenant.TenantUser(t.Context(), id, nil))
}
