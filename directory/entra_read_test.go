package directory_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"usher/directory"
	"usher/model"
	entraid "usher/model/entra"
	"usher/model/outlook"
)

// person makes a user of a tenant whose mirror would be the one that world.userIn makes of the name.
func person(n int, upn string) entraid.User {
	return entraid.User{ID: object(n), UserPrincipalName: upn, DisplayName: upn, Mail: upn, AccountEnabled: true, UserType: "Member", CreatedAt: time.Unix(1e9, 0)}
}

// mirrored pushes somebody under the object id that the tenant has for the person.
func (w *world) mirrored(ref model.Ref, u entraid.User) model.DirectoryUser {
	w.Helper()
	return w.userIn(ref, u.UserPrincipalName, map[string]any{"externalId": u.ID})
}

func TestEntraUsers(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		ref, tenant := w.pulls(func(i *model.Integration) { i.Scope = model.ScopeEveryone })
		for i, name := range []string{"ada@contoso.com", "adam@contoso.com", "grace@contoso.com", "adele@contoso.com", "alan@contoso.com"} {
			tenant.users = append(tenant.users, person(10+i, name))
		}
		tenant.deleted = []entraid.User{{ID: object(30), UserPrincipalName: "5f9e1b1c3d6a4b529e0a000000000040gone@contoso.com", DeletedAt: time.Unix(2e9, 0)}}
		ada := w.mirrored(ref, tenant.users[0])

		list := func(q string, limit int) (all []string) {
			w.Helper()
			for after := ""; ; {
				page, err := w.svc.EntraUsers(w.ctx, ref, q, false, after, limit)
				w.ok(err)
				if len(page.Data) > limit {
					t.Fatalf("%d entries of %d", len(page.Data), limit)
				}
				for _, u := range page.Data {
					name, _, _ := strings.Cut(u.UserPrincipalName, "@")
					all = append(all, name)
					if known := u.ID == tenant.users[0].ID; known != (u.AccountID != nil) || known && (*u.DirectoryUserID != ada.ID || *u.AccountID != *ada.AccountID) {
						t.Fatalf("%+v", u)
					}
				}
				if after = page.Next; after == "" {
					return all
				}
			}
		}
		for _, size := range []int{1, 2, 3, 100} {
			tenant.page = size
			for _, limit := range []int{1, 2, 3, 4, 5, 500} {
				if got := list("", limit); !slices.Equal(got, []string{"ada", "adam", "grace", "adele", "alan"}) {
					t.Fatalf("pages of %d by %d: %v", size, limit, got)
				}
			}
		}
		if got := list("AD", 2); !slices.Equal(got, []string{"ada", "adam", "adele"}) {
			t.Fatalf("found %v", got)
		}
		gone, err := w.svc.EntraUsers(w.ctx, ref, "", true, "", 10)
		if err != nil || len(gone.Data) != 1 || gone.Data[0].DeletedAt == nil || gone.Data[0].CreatedAt != nil {
			t.Fatalf("%+v, %v", gone, err)
		}
		_, err = w.svc.EntraUsers(w.ctx, ref, "ada", true, "", 10)
		w.refused(err, model.Invalid, "q", "cannot be searched")

		u, err := w.svc.EntraUser(w.ctx, ref, strings.ToUpper(object(10)))
		if err != nil || u.AccountID == nil || u.Email != "ada@contoso.com" || !u.Enabled {
			t.Fatalf("%+v, %v", u, err)
		}
		_, err = w.svc.EntraUser(w.ctx, ref, "nobody@contoso.com")
		w.refused(err, model.NotFound, "", "nobody@contoso.com is not in Entra")
		_, err = w.svc.EntraUser(w.ctx, ref, "a/b@contoso.com")
		w.refused(err, model.Invalid, "uid", "neither an object id")
	})
}

// TestEntraCursors: a cursor is good for the list and the search that gave it, and for no other address.
func TestEntraCursors(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		ref, tenant := w.pulls()
		tenant.users, tenant.groups = []entraid.User{person(10, "ada@contoso.com"), person(11, "adam@contoso.com")}, contosoGroups()
		page, err := w.svc.EntraUsers(w.ctx, ref, "ad", false, "", 1)
		w.ok(err)
		other, _ := w.pulls()
		w.svc.Tenants = nil
		_, tenant = w.pulls()
		tenant.users = []entraid.User{person(10, "ada@contoso.com"), person(11, "adam@contoso.com")}
		if next, err := w.svc.EntraUsers(w.ctx, ref, "ad", false, page.Next, 1); err != nil || len(next.Data) != 1 || next.Data[0].ID != object(11) {
			t.Fatalf("%+v, %v", next, err)
		}
		calls := tenant.calls["FindUsers"]
		for name, try := range map[string]func() error{
			"another search":      func() error { _, err := w.svc.EntraUsers(w.ctx, ref, "", false, page.Next, 1); return err },
			"another list":        func() error { _, err := w.svc.EntraGroups(w.ctx, ref, "ad", page.Next, 1); return err },
			"another integration": func() error { _, err := w.svc.EntraUsers(w.ctx, other, "ad", false, page.Next, 1); return err },
			"an address": func() error {
				_, err := w.svc.EntraUsers(w.ctx, ref, "ad", false, "https://evil.example/", 1)
				return err
			},
			"a changed one": func() error {
				_, err := w.svc.EntraUsers(w.ctx, ref, "ad", false, page.Next[:len(page.Next)-4]+"AAAA", 1)
				return err
			},
		} {
			t.Log(name)
			w.refused(try(), model.Invalid, "after", "not a cursor of this list")
		}
		if tenant.calls["FindUsers"] != calls {
			t.Fatal("the tenant was asked with a cursor that is none")
		}
	})
}

func TestEntraGroups(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		ref, tenant := w.pulls()
		tenant.groups = append(contosoGroups(),
			entraid.Group{ID: object(8), DisplayName: "Admins", SecurityEnabled: true, RoleAssignable: true},
			entraid.Group{ID: object(9), DisplayName: "Board", SecurityEnabled: true, ManagementRestricted: true})
		page, err := w.svc.EntraGroups(w.ctx, ref, "", "", 100)
		w.ok(err)
		want := []string{"", "", "mail-enabled security group", "", "distribution group", "by the group's rule", "synchronised from Active Directory", "RoleManagement.ReadWrite.Directory", "administrative unit"}
		if len(page.Data) != len(want) {
			t.Fatalf("%d groups", len(page.Data))
		}
		for i, g := range page.Data {
			if g.MembershipWritable != (want[i] == "") || !strings.Contains(g.Reason, want[i]) || want[i] == "" && g.Reason != "" {
				t.Errorf("%s: writable %v, %q", g.DisplayName, g.MembershipWritable, g.Reason)
			}
		}
		_, err = w.svc.ChangeIntegration(w.ctx, ref, func(i *model.Integration) error { i.ReadOnly = true; return nil }, nil)
		w.ok(err)
		if g, err := w.svc.EntraGroup(w.ctx, ref, object(1)); err != nil || g.MembershipWritable || !strings.Contains(g.Reason, "only reads") || g.Kind != directory.KindSecurity {
			t.Fatalf("%+v, %v", g, err)
		}
		for _, id := range []string{object(80), "HR", "../users"} {
			_, err = w.svc.EntraGroup(w.ctx, ref, id)
			w.refused(err, model.NotFound, "", "is not in Entra")
		}

		tenant.users = []entraid.User{person(10, "ada@contoso.com")}
		ada := w.mirrored(ref, tenant.users[0])
		tenant.members[object(1)] = []entraid.Member{
			{ID: object(10), Type: entraid.MemberUser}, {ID: object(2), Type: entraid.MemberGroup}, {ID: object(50), Type: entraid.MemberUser},
		}
		members, err := w.svc.EntraGroupMembers(w.ctx, ref, object(1), "", 10)
		if err != nil || len(members.Data) != 3 || members.Data[0].UserPrincipalName != "ada@contoso.com" || *members.Data[0].DirectoryUserID != ada.ID ||
			members.Data[1].Type != entraid.MemberGroup || members.Data[2].DisplayName != "" {
			t.Fatalf("%+v, %v", members, err)
		}
		tenant.memberOf[object(10)] = tenant.groups[:2]
		groups, err := w.svc.EntraUserGroups(w.ctx, ref, "ada@contoso.com")
		if err != nil || len(groups) != 2 || groups[1].Email != "sales@contoso.com" {
			t.Fatalf("%+v, %v", groups, err)
		}
		tenant.fail = &outlook.Error{Kind: outlook.Throttled, Status: 429, After: time.Minute}
		if _, err := w.svc.EntraGroups(w.ctx, ref, "", "", 1); outlook.KindOf(err) != outlook.Throttled {
			t.Fatalf("%v, want what Graph said", err)
		}
	})
}

func TestEntraLicences(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		ref, tenant := w.pulls()
		tenant.groups, tenant.users = contosoGroups(), []entraid.User{person(10, "ada@contoso.com")}
		tenant.skus = []entraid.SKU{
			{ID: object(61), PartNumber: "SPE_E5", AppliesTo: "User", Status: "Enabled", Enabled: 10, Consumed: 10},
			{ID: object(60), PartNumber: "SPE_E3", AppliesTo: "User", Status: "Warning", Warning: 5, Consumed: 2, Plans: []entraid.Plan{{ID: "p", Name: "EXCHANGE_S_ENTERPRISE"}}},
			{ID: object(62), PartNumber: "TENANT", AppliesTo: "Company", Status: "Enabled", Enabled: 1},
			{ID: object(63), PartNumber: "VISIO", AppliesTo: "User", Status: "Suspended", Suspended: 3},
		}
		products := must2(w, w.svc.EntraLicences)(w.ctx, ref)
		want := []string{"", "all seats are used", "for the whole tenant", "subscription is suspended"}
		for i, p := range products {
			if p.Assignable != (want[i] == "") || !strings.Contains(p.Reason, want[i]) {
				t.Errorf("%s: %v, %q", p.PartNumber, p.Assignable, p.Reason)
			}
		}
		if p := products[0]; p.PartNumber != "SPE_E3" || p.Seats != 5 || p.Used != 2 || p.Free != 3 || !slices.Equal(p.Plans, []string{"EXCHANGE_S_ENTERPRISE"}) {
			t.Fatalf("%+v", p)
		}

		tenant.licences[object(10)] = []entraid.Licence{
			{SKUID: object(60), State: "Active", DisabledPlans: []string{"p"}},
			{SKUID: object(61), State: "Error", Error: "CountViolation", Group: object(2)},
			{SKUID: object(62), State: "Active", Error: "None", Group: object(80)},
		}
		got := must(w, w.svc.EntraUserLicences)(w.ctx, ref, "ada@contoso.com")
		if l := got[0]; !l.Direct || l.PartNumber != "SPE_E3" || l.GroupID != nil || !slices.Equal(l.DisabledPlans, []string{"p"}) {
			t.Fatalf("%+v", l)
		}
		if l := got[1]; l.Direct || *l.GroupID != object(2) || l.GroupName != "Sales" || l.Error != "CountViolation" || !strings.Contains(l.Advice, "not enough seats") {
			t.Fatalf("%+v", l)
		}
		if l := got[2]; l.Direct || l.GroupName != "" || l.Error != "" || l.Advice != "" || l.DisabledPlans == nil {
			t.Fatalf("%+v", l)
		}
	})
}

func TestDirectoryExtensions(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		ref, tenant := w.pulls()
		const app = "extension_0123456789abcdef0123456789abcdef_"
		tenant.extensions = []entraid.Extension{
			{Name: app + "tags", DataType: "String", Application: "HR", MultiValued: true},
			{Name: app + "cost_centre", DataType: "String", Application: "HR"},
			{Name: app + "badge", DataType: "Binary", Application: "Doors"},
		}
		must(w, put(w.svc.ChangeFieldMappings))(w.ctx, ref, []model.FieldMapping{{Source: "extensionAttribute7", Target: "job_title", Mode: model.FieldAlways}})
		list := must2(w, w.svc.DirectoryExtensions)(w.ctx, ref)
		if len(list) != 18 || list[0].Source != "extensionAttribute1" || list[14].Source != "extensionAttribute15" || !slices.Equal(list[6].Targets, []string{"job_title"}) {
			t.Fatalf("%+v", list)
		}
		for i, want := range []directory.DirectoryExtension{
			{Source: app + "badge", Name: "badge", Reason: "it is binary"},
			{Source: app + "cost_centre", Name: "cost_centre", Mappable: true},
			{Source: app + "tags", Name: "tags", Reason: "it has several values"},
		} {
			if got := list[15+i]; got.Source != want.Source || got.Name != want.Name || got.Mappable != want.Mappable || got.Reason != want.Reason {
				t.Errorf("%+v, want %+v", got, want)
			}
		}
	})
}
