package simulator_test

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"usher/internal/simulator"
)

// noon is the fixed time of the tests.
func noon() time.Time { return time.Date(2026, time.November, 21, 12, 0, 0, 0, time.UTC) }

func newTenant(people int) *simulator.Tenant {
	return simulator.NewTenant(simulator.Options{Seed: 7, People: people, Domain: "contoso.example", Now: noon})
}

// user and group give an object that the test knows to be there.
func user(t testing.TB, tenant *simulator.Tenant, name string) simulator.User {
	t.Helper()
	u, ok := tenant.UserNamed(name)
	if !ok {
		t.Fatalf("no user %s", name)
	}
	return u
}

func group(t testing.TB, tenant *simulator.Tenant, name string) simulator.Group {
	t.Helper()
	g, ok := tenant.GroupNamed(name)
	if !ok {
		t.Fatalf("no group %s", name)
	}
	return g
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// snapshot is everything a tenant shows.
func snapshot(tenant *simulator.Tenant) string {
	var b strings.Builder
	for _, id := range tenant.UserIDs() {
		u, _ := tenant.User(id)
		address, extension := simulator.Address{}, simulator.ExtensionAttributes{}
		if u.Address != nil {
			address = *u.Address
		}
		if u.Extension != nil {
			extension = *u.Extension
		}
		u.Address, u.Extension = nil, nil
		fmt.Fprintf(&b, "%+v %v %v %v\n", u, address, extension, tenant.MemberOf(id))
	}
	for _, id := range tenant.GroupIDs() {
		g, _ := tenant.Group(id)
		fmt.Fprintf(&b, "%+v %v\n", g, tenant.Members(id))
	}
	return b.String()
}

func TestTenantIsDeterministic(t *testing.T) {
	first, second := snapshot(newTenant(500)), snapshot(newTenant(500))
	if first != second {
		t.Error("the same options gave two different tenants")
	}
	other := snapshot(simulator.NewTenant(simulator.Options{Seed: 8, People: 500, Domain: "contoso.example"}))
	if first == other {
		t.Error("another seed gave the same tenant")
	}
	small, large := newTenant(20), newTenant(2000)
	for _, name := range []string{"Ada Lovelace", "Grace Hopper", "No reply"} {
		if user(t, small, name).ID != user(t, large, name).ID {
			t.Errorf("%s has another id in a larger tenant", name)
		}
	}
}

func TestTenantHoldsEveryKind(t *testing.T) {
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	for _, people := range []int{1, 20, 57, 1000} {
		t.Run(fmt.Sprint(people), func(t *testing.T) {
			tenant := newTenant(people)
			ids := tenant.UserIDs()
			if len(ids) != max(people, 20) {
				t.Errorf("%d users, want %d", len(ids), max(people, 20))
			}
			counts, names := map[string]int{}, map[string]bool{}
			for _, id := range ids {
				u, _ := tenant.User(id)
				if !uuid.MatchString(id) {
					t.Fatalf("%q is no version 4 UUID", id)
				}
				if key := strings.ToLower(u.UserPrincipalName); names[key] || !regexp.MustCompile(`^[a-z0-9._#EXT@-]+$`).MatchString(u.UserPrincipalName) {
					t.Errorf("user name %q is taken or odd", u.UserPrincipalName)
				} else {
					names[key] = true
				}
				tally(counts, u)
			}
			for _, kind := range []string{"guest", "disabled", "no mail", "managed", "extension", "non-ascii", "phone", "mobile", "root"} {
				if counts[kind] == 0 {
					t.Errorf("no %s", kind)
				}
			}
			for _, name := range append(simulator.Departments(), simulator.GroupManagers, simulator.GroupCopenhagen, simulator.GroupNewsletter, simulator.GroupPartners) {
				if len(tenant.Members(group(t, tenant, name).ID)) == 0 {
					t.Errorf("group %s is empty", name)
				}
			}
			if n := len(tenant.Members(group(t, tenant, simulator.GroupAurora).ID)); n != 0 {
				t.Errorf("%s has %d members", simulator.GroupAurora, n)
			}
			headquarters := tenant.Members(group(t, tenant, simulator.GroupHeadquarters).ID)
			if len(headquarters) != 3 || headquarters[0] != group(t, tenant, "HR").ID {
				t.Errorf("%s holds %v", simulator.GroupHeadquarters, headquarters)
			}
		})
	}
}

func tally(counts map[string]int, u simulator.User) {
	for kind, holds := range map[string]bool{
		"guest":     u.UserType == "Guest" && regexp.MustCompile(`^.+_fabrikam\.com#EXT#@contoso\.onmicrosoft\.com$`).MatchString(u.UserPrincipalName),
		"disabled":  !u.AccountEnabled,
		"no mail":   u.Mail == "" && u.Surname != "",
		"managed":   u.ManagerID != "",
		"root":      u.ManagerID == "" && u.DisplayName == "Ada Lovelace",
		"extension": u.Attribute("extensionAttribute1") != "",
		"non-ascii": strings.ContainsAny(u.DisplayName, "öÁŁø"),
		"phone":     u.BusinessPhone != "",
		"mobile":    u.MobilePhone != "",
	} {
		if holds {
			counts[kind]++
		}
	}
}

func TestManagersFormATree(t *testing.T) {
	tenant := newTenant(3000)
	for _, id := range tenant.UserIDs() {
		steps := 0
		for u, _ := tenant.User(id); u.ManagerID != ""; u, _ = tenant.User(u.ManagerID) {
			if steps++; steps > 20 {
				t.Fatalf("%s has no end of managers", id)
			}
		}
	}
}

func TestLargeTenant(t *testing.T) {
	tenant := newTenant(100_000)
	if n := len(tenant.UserIDs()); n != 100_000 {
		t.Errorf("%d users", n)
	}
	if n := len(tenant.Members(group(t, tenant, simulator.GroupAllEmployees).ID)); n < 90_000 {
		t.Errorf("only %d employees", n)
	}
}

func TestLifecycle(t *testing.T) {
	tenant := newTenant(20)
	ada := user(t, tenant, "Ada Lovelace")
	must(t, tenant.SoftDelete(ada.ID))
	gone, _ := tenant.User(ada.ID)
	if want := strings.ReplaceAll(ada.ID, "-", "") + "ada.lovelace@contoso.example"; gone.UserPrincipalName != want || !gone.SoftDeleted() {
		t.Errorf("deleted user is called %s, want %s", gone.UserPrincipalName, want)
	}
	if err := tenant.SoftDelete(ada.ID); err == nil {
		t.Error("deleted twice")
	}
	twin, err := tenant.Hire(simulator.User{GivenName: "Ada", Surname: "Lovelace"})
	must(t, err)
	if twin.UserPrincipalName != "ada.lovelace@contoso.example" {
		t.Errorf("the name is free again, but the new hire is %s", twin.UserPrincipalName)
	}
	if err := tenant.Restore(ada.ID); !errors.Is(err, simulator.ErrTaken) {
		t.Errorf("restored onto a taken name: %v", err)
	}
	must(t, tenant.HardDelete(twin.ID))
	must(t, tenant.Restore(ada.ID))
	if back, _ := tenant.User(ada.ID); !reflect.DeepEqual(back, ada) {
		t.Errorf("restored %+v, was %+v", back, ada)
	}
	renamed, err := tenant.Rename(ada.ID, "Ada", "Byron")
	must(t, err)
	if renamed.UserPrincipalName != "ada.byron@contoso.example" || renamed.Mail != renamed.UserPrincipalName || renamed.DisplayName != "Ada Byron" {
		t.Errorf("renamed to %+v", renamed)
	}
	must(t, tenant.HardDelete(ada.ID))
	if _, there := tenant.User(ada.ID); there || tenant.IsMember(group(t, tenant, simulator.GroupAllEmployees).ID, ada.ID) {
		t.Error("a hard-deleted user is still there")
	}
	if grace := user(t, tenant, "Grace Hopper"); grace.ManagerID != "" {
		t.Error("Grace still reports to someone who is gone")
	}
	if err := tenant.Disable(ada.ID); !errors.Is(err, simulator.ErrNotFound) {
		t.Errorf("disabling someone who is gone: %v", err)
	}
}

func TestAttributes(t *testing.T) {
	tenant := newTenant(20)
	ada, grace := user(t, tenant, "Ada Lovelace"), user(t, tenant, "Grace Hopper")
	for _, name := range []string{"jobTitle", "department", "city", "mail", "extensionAttribute15", "mobile", "usageLocation", "displayName"} {
		before := grace.Attribute(name)
		must(t, tenant.SetAttribute(ada.ID, name, "x"+name))
		now, _ := tenant.User(ada.ID)
		if got := now.Attribute(name); got != "x"+name {
			t.Errorf("%s is %q", name, got)
		}
		if other, _ := tenant.User(grace.ID); other.Attribute(name) != before {
			t.Errorf("Grace's %s changed with Ada's", name)
		}
	}
	if err := tenant.SetAttribute(ada.ID, "extensionAttribute16", "x"); err == nil {
		t.Error("an unknown attribute was set")
	}
	guest, _ := tenant.User(tenant.Members(group(t, tenant, simulator.GroupPartners).ID)[0])
	if got := guest.Attribute("userPrincipalName"); got != guest.Mail {
		t.Errorf("a guest's userPrincipalName is mapped as %s, want %s", got, guest.Mail)
	}
	if got := guest.Attribute("originalUserPrincipalName"); got != guest.UserPrincipalName {
		t.Errorf("originalUserPrincipalName is %s", got)
	}
}

func TestDynamicGroupFollowsItsRule(t *testing.T) {
	tenant := newTenant(20)
	offices := group(t, tenant, simulator.GroupCopenhagen)
	grace := user(t, tenant, "Grace Hopper")
	for _, city := range []string{"Copenhagen", "London", "Copenhagen"} {
		must(t, tenant.SetAttribute(grace.ID, "city", city))
		if got := tenant.IsMember(offices.ID, grace.ID); got != (city == "Copenhagen") {
			t.Errorf("in %s: member %v", city, got)
		}
	}
	if err := tenant.RemoveMember(offices.ID, grace.ID); !errors.Is(err, simulator.ErrDynamic) {
		t.Errorf("removed by hand: %v", err)
	}
}

func TestChangesAreASequence(t *testing.T) {
	tenant := newTenant(20)
	if changes, next := tenant.Changes(0); len(changes) != 0 || next != 0 {
		t.Fatalf("a fresh tenant has %d changes", len(changes))
	}
	ada, hr := user(t, tenant, "Ada Lovelace"), group(t, tenant, "HR")
	must(t, tenant.SetAttribute(ada.ID, "jobTitle", "Countess"))
	must(t, tenant.AddMember(hr.ID, ada.ID))
	must(t, tenant.AddMember(hr.ID, ada.ID)) // nothing new
	must(t, tenant.RenameGroup(hr.ID, "People"))
	changes, next := tenant.Changes(0)
	want := []simulator.Change{
		{Sequence: 1, Kind: simulator.UserChanged, ID: ada.ID, At: noon()},
		{Sequence: 2, Kind: simulator.MemberChanged, ID: hr.ID, Member: ada.ID, At: noon()},
		{Sequence: 3, Kind: simulator.GroupChanged, ID: hr.ID, At: noon()},
	}
	if !reflect.DeepEqual(changes, want) || next != 3 {
		t.Errorf("changes %+v, next %d", changes, next)
	}
	if later, _ := tenant.Changes(2); !reflect.DeepEqual(later, want[2:]) {
		t.Errorf("after 2: %+v", later)
	}
}

func TestTenantIsSafeForConcurrentUse(t *testing.T) {
	tenant := newTenant(40)
	all, ids := group(t, tenant, simulator.GroupAurora), tenant.UserIDs()
	var workers sync.WaitGroup
	for i, id := range ids {
		workers.Go(func() {
			if err := errors.Join(tenant.AddMember(all.ID, id), tenant.SetAttribute(id, "extensionAttribute2", fmt.Sprint(i))); err != nil {
				t.Error(err)
			}
			tenant.Members(all.ID)
		})
	}
	workers.Wait()
	if n := len(tenant.Members(all.ID)); n != len(ids) {
		t.Errorf("%d members of %d", n, len(ids))
	}
}
