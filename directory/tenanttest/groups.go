package tenanttest

import (
	"context"
	"slices"
	"strings"
	"testing"

	"usher/model/entra"
	"usher/model/outlook"
)

func groups() []promise {
	return []promise{
		{"a group tells whether it can be changed", kindsOfGroups},
		{"an unknown group is NotFound", unknownGroup},
		{"groups are found by name, by words and by what they are", findGroups},
		{"the members of a group come in pages", membersInPages},
		{"somebody's groups are the direct ones", groupsOf},
	}
}

func kindsOfGroups(t *testing.T, w World) {
	for id, want := range map[string]func(entra.Group) bool{
		w.Team: func(g entra.Group) bool { return g.SecurityEnabled && !g.MailEnabled && len(g.Types) == 0 },
		w.Mail: func(g entra.Group) bool { return g.MailEnabled && slices.Contains(g.Types, "Unified") && g.Mail != "" },
		w.List: func(g entra.Group) bool { return g.MailEnabled && !g.SecurityEnabled && len(g.Types) == 0 },
		w.Dynamic: func(g entra.Group) bool {
			return slices.Contains(g.Types, "DynamicMembership") && g.MembershipRule != ""
		},
	} {
		g, err := w.Tenant.Group(t.Context(), id)
		if err != nil || g.ID != id || g.DisplayName == "" || !want(g) {
			t.Errorf("%+v, %v", g, err)
		}
	}
	w.Admin.LicenseGroup(w.Team, w.Free)
	if g := must[entra.Group](t)(w.Tenant.Group(t.Context(), w.Team)); !g.HasLicences {
		t.Errorf("with licences: %+v", g)
	}
}

func unknownGroup(t *testing.T, w World) {
	_, err := w.Tenant.Group(t.Context(), nobody)
	wantKind(t, err, outlook.NotFound)
	_, err = w.Tenant.Members(t.Context(), nobody, "")
	wantKind(t, err, outlook.NotFound)
	wantKind(t, w.Tenant.AddMember(t.Context(), nobody, w.Ada.ID), outlook.NotFound)
	wantKind(t, w.Tenant.RemoveMember(t.Context(), nobody, w.Ada.ID), outlook.NotFound)
}

func findGroups(t *testing.T, w World) {
	team := must[entra.Group](t)(w.Tenant.Group(t.Context(), w.Team))
	for name, search := range map[string]entra.GroupSearch{
		"by name": {Name: strings.ToUpper(team.DisplayName)}, "by a word": {Text: strings.ToLower(w.TeamWord)}, "by all words": {Text: team.DisplayName},
	} {
		if got := w.allGroups(t, search); !slices.Contains(got, w.Team) {
			t.Errorf("%s: %v", name, got)
		}
	}
	for name, search := range map[string]entra.GroupSearch{
		"by half a name": {Name: team.DisplayName[:len(team.DisplayName)-1]}, "by a word more": {Text: team.DisplayName + " zzzz"},
		"by the middle of a word": {Text: w.TeamWord[1:]}, "hostile words": {Text: `" OR "displayName:a`}, "a hostile name": {Name: "' or displayName ne '"},
	} {
		if got := w.allGroups(t, search); slices.Contains(got, w.Team) {
			t.Errorf("%s: %v", name, got)
		}
	}
	mail := w.findGroups(t, entra.GroupSearch{MailEnabled: true})
	for _, g := range mail {
		if !g.MailEnabled {
			t.Errorf("without an address: %+v", g)
		}
	}
	if ids := w.allGroups(t, entra.GroupSearch{MailEnabled: true}); !slices.Contains(ids, w.Mail) || !slices.Contains(ids, w.List) {
		t.Errorf("with an address: %v", ids)
	}
}

// membersOf gives the members of a group, and on how many pages they came.
func (w World) membersOf(t *testing.T, group string) (ids []string, kinds map[string]entra.MemberType, pages int) {
	t.Helper()
	kinds, next := map[string]entra.MemberType{}, ""
	for range mostPages {
		page := must[entra.MemberPage](t)(w.Tenant.Members(t.Context(), group, next))
		for _, m := range page.Members {
			ids, kinds[m.ID] = append(ids, m.ID), m.Type
		}
		pages++
		if next = page.Next; next == "" {
			return ids, kinds, pages
		}
	}
	t.Fatal("the pages have no end")
	return nil, nil, 0
}

func membersInPages(t *testing.T, w World) {
	ids, kinds, pages := w.membersOf(t, w.Team)
	same(t, "members", ids, w.Members)
	if pages < 2 || kinds[w.Ada.ID] != entra.MemberUser || kinds[w.Nested] != entra.MemberGroup {
		t.Errorf("on %d pages: %v", pages, kinds)
	}
}

func groupsOf(t *testing.T, w World) {
	has := func() bool {
		list := must[[]entra.Group](t)(w.Tenant.GroupsOf(t.Context(), w.Ada.ID))
		at := slices.IndexFunc(list, func(g entra.Group) bool { return g.ID == w.Team })
		if at >= 0 && (!list[at].SecurityEnabled || list[at].DisplayName == "") {
			t.Errorf("got %+v", list[at])
		}
		return at >= 0
	}
	if !has() {
		t.Error("Ada's group is missing")
	}
	w.Admin.Leave(w.Team, w.Ada.ID)
	if has() {
		t.Error("Ada has left")
	}
}

func members() []promise {
	return []promise{
		{"a member is added once", addMember},
		{"a member is removed, and is still a user", removeMember},
		{"groups that Graph does not change refuse", unwritable},
	}
}

func addMember(t *testing.T, w World) {
	done(t, w.Tenant.AddMember(t.Context(), w.Team, w.Grace.ID))
	ids, _, _ := w.membersOf(t, w.Team)
	same(t, "members", ids, append(slices.Clone(w.Members), w.Grace.ID))
	wantKind(t, w.Tenant.AddMember(t.Context(), w.Team, w.Grace.ID), outlook.Duplicate)
	wantKind(t, w.Tenant.AddMember(t.Context(), w.Team, nobody), outlook.NoUser)
}

func removeMember(t *testing.T, w World) {
	done(t, w.Tenant.RemoveMember(t.Context(), w.Team, w.Ada.ID))
	wantKind(t, w.Tenant.RemoveMember(t.Context(), w.Team, w.Ada.ID), outlook.NotFound)
	wantKind(t, w.Tenant.RemoveMember(t.Context(), w.Team, nobody), outlook.NotFound)
	if got := w.read(t, w.Ada.ID); got.ID != w.Ada.ID || !got.AccountEnabled {
		t.Errorf("Ada: %+v", got)
	}
	ids, _, _ := w.membersOf(t, w.Team)
	same(t, "members", ids, slices.DeleteFunc(slices.Clone(w.Members), func(id string) bool { return id == w.Ada.ID }))
}

func unwritable(t *testing.T, w World) {
	for name, group := range map[string]string{"a distribution list": w.List, "a dynamic group": w.Dynamic} {
		if err := w.Tenant.AddMember(t.Context(), group, w.Ada.ID); outlook.KindOf(err) != outlook.Unwritable && outlook.KindOf(err) != outlook.Forbidden {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func writes() []promise {
	return []promise{
		{"a user is made, and can be read", createUser},
		{"a user is made with a manager", createManaged},
		{"a user principal name is given once", duplicateUser},
		{"what the tenant does not allow says why", refusedUsers},
		{"a user is changed, and cleared", updateUser},
		{"a user's phones and attributes are changed", updatePhones},
		{"a manager comes and goes", updateManager},
		{"a user is disabled and enabled", enableUser},
		{"a user is deleted and restored", deleteUser},
		{"sessions are ended", revoke},
		{"Active Directory's users refuse", hybrid},
		{"administrators are protected", administrator},
	}
}

// newUser is somebody who can be made.
func (w World) newUser() entra.NewUser {
	const name = "babbage"
	return entra.NewUser{
		UserChange:        entra.UserChange{Set: map[string]string{"displayName": "New " + name, "givenName": "New", "surname": name, "usageLocation": "GB", "department": "Engines", "jobTitle": ""}},
		UserPrincipalName: name + "@" + w.Domain, MailNickname: name, Password: "xWwvJ]6NMw+bWH-d", Enabled: true,
	}
}

func createUser(t *testing.T, w World) {
	made := must[entra.User](t)(w.Tenant.CreateUser(t.Context(), w.newUser()))
	for _, got := range []entra.User{made, w.read(t, made.ID)} {
		if got.ID == "" || got.UserPrincipalName != "babbage@"+w.Domain || got.DisplayName != "New babbage" || !got.AccountEnabled {
			t.Errorf("got %+v", got)
		}
	}
	if got := w.read(t, made.ID); got.UsageLocation != "GB" || got.Department != "Engines" || got.GivenName != "New" || got.JobTitle != "" || got.UserType != "Member" || got.ManagerID != "" {
		t.Errorf("got %+v", got)
	}
}

func createManaged(t *testing.T, w World) {
	in := w.newUser()
	in.ManagerID, in.Enabled, in.BusinessPhones = ptr(w.Grace.ID), false, &[]string{"+44 20 7946 0000"}
	in.Set["extensionAttribute3"] = "three"
	made := must[entra.User](t)(w.Tenant.CreateUser(t.Context(), in))
	got := w.read(t, made.ID)
	if got.ManagerID != w.Grace.ID || got.AccountEnabled || !slices.Equal(got.BusinessPhones, []string{"+44 20 7946 0000"}) || got.ExtensionAttributes["extensionAttribute3"] != "three" {
		t.Errorf("got %+v", got)
	}
}

func duplicateUser(t *testing.T, w World) {
	in := w.newUser()
	in.UserPrincipalName = strings.ToUpper(w.Ada.UserPrincipalName)
	_, err := w.Tenant.CreateUser(t.Context(), in)
	wantKind(t, err, outlook.Duplicate)
	wantKind(t, w.Tenant.UpdateUser(t.Context(), w.Grace.ID, entra.UserChange{Set: map[string]string{"userPrincipalName": w.Ada.UserPrincipalName}}), outlook.Duplicate)
}

func refusedUsers(t *testing.T, w World) {
	for _, c := range []struct {
		want outlook.Kind
		edit func(*entra.NewUser)
	}{
		{outlook.BadDomain, func(u *entra.NewUser) { u.UserPrincipalName = "babbage@elsewhere.example" }},
		{outlook.PasswordPolicy, func(u *entra.NewUser) { u.Password = "abc" }},
		{outlook.AddressTaken, func(u *entra.NewUser) { u.Set["mail"] = w.Ada.Mail }},
		{outlook.Invalid, func(u *entra.NewUser) { u.UserPrincipalName = "bäbbage@" + w.Domain }},
	} {
		in := w.newUser()
		c.edit(&in)
		_, err := w.Tenant.CreateUser(t.Context(), in)
		wantKind(t, err, c.want)
	}
	_, err := w.Tenant.TenantUser(t.Context(), "babbage@"+w.Domain, nil)
	wantKind(t, err, outlook.NoUser)
}

func updateUser(t *testing.T, w World) {
	done(t, w.Tenant.UpdateUser(t.Context(), w.Ada.ID, entra.UserChange{Set: map[string]string{"jobTitle": "Countess", "city": "London", "displayName": "Ada King"}}))
	if got := w.read(t, w.Ada.ID); got.JobTitle != "Countess" || got.City != "London" || got.DisplayName != "Ada King" || got.Surname != w.Ada.Surname {
		t.Errorf("got %+v", got)
	}
	done(t, w.Tenant.UpdateUser(t.Context(), w.Ada.ID, entra.UserChange{Set: map[string]string{"jobTitle": "", "city": "Ockham"}}))
	if got := w.read(t, w.Ada.ID); got.JobTitle != "" || got.City != "Ockham" || got.DisplayName != "Ada King" || got.ManagerID != w.Grace.ID {
		t.Errorf("cleared: %+v", got)
	}
	wantKind(t, w.Tenant.UpdateUser(t.Context(), nobody, entra.UserChange{Set: map[string]string{"city": "Ockham"}}), outlook.NoUser)
}

func updatePhones(t *testing.T, w World) {
	change := func(mobile, attribute string, phones ...string) entra.User {
		done(t, w.Tenant.UpdateUser(t.Context(), w.Ada.ID, entra.UserChange{
			Set: map[string]string{"mobilePhone": mobile, "extensionAttribute1": attribute}, BusinessPhones: &phones,
		}))
		return w.read(t, w.Ada.ID)
	}
	if got := change("+44 1", "one", "+44 2"); got.MobilePhone != "+44 1" || got.ExtensionAttributes["extensionAttribute1"] != "one" || !slices.Equal(got.BusinessPhones, []string{"+44 2"}) {
		t.Errorf("got %+v", got)
	}
	if got := change("", ""); got.MobilePhone != "" || got.ExtensionAttributes["extensionAttribute1"] != "" || len(got.BusinessPhones) != 0 {
		t.Errorf("cleared: %+v", got)
	}
}

func updateManager(t *testing.T, w World) {
	for _, manager := range []string{w.Guest.ID, "", "", w.Grace.ID} { // to take away what is not there is no failure
		done(t, w.Tenant.UpdateUser(t.Context(), w.Ada.ID, entra.UserChange{ManagerID: ptr(manager)}))
		if got := w.read(t, w.Ada.ID); got.ManagerID != manager {
			t.Errorf("got %q, want %q", got.ManagerID, manager)
		}
	}
	wantKind(t, w.Tenant.UpdateUser(t.Context(), w.Ada.ID, entra.UserChange{ManagerID: ptr(nobody)}), outlook.NotFound)
}

func enableUser(t *testing.T, w World) {
	for _, enabled := range []bool{false, false, true} {
		done(t, w.Tenant.UpdateUser(t.Context(), w.Ada.ID, entra.UserChange{Enabled: ptr(enabled)}))
		if got := w.read(t, w.Ada.ID); got.AccountEnabled != enabled {
			t.Errorf("got %+v", got)
		}
	}
}

func deleteUser(t *testing.T, w World) {
	done(t, w.Tenant.DeleteUser(t.Context(), w.Ada.ID))
	_, err := w.Tenant.TenantUser(t.Context(), w.Ada.ID, nil)
	wantKind(t, err, outlook.NoUser)
	wantKind(t, w.Tenant.DeleteUser(t.Context(), w.Ada.ID), outlook.NoUser)
	back := must[entra.User](t)(w.Tenant.RestoreUser(t.Context(), w.Ada.ID))
	if back.ID != w.Ada.ID {
		t.Errorf("restored: %+v", back)
	}
	if got := w.read(t, w.Ada.ID); got.UserPrincipalName != w.Ada.UserPrincipalName || !got.DeletedAt.IsZero() {
		t.Errorf("restored: %+v", got)
	}
	_, err = w.Tenant.RestoreUser(t.Context(), w.Ada.ID)
	wantKind(t, err, outlook.NoUser)
	ids, _, _ := w.membersOf(t, w.Team)
	same(t, "members", ids, w.Members)
}

func revoke(t *testing.T, w World) {
	done(t, w.Tenant.RevokeSessions(t.Context(), w.Ada.ID))
	wantKind(t, w.Tenant.RevokeSessions(t.Context(), nobody), outlook.NoUser)
}

func hybrid(t *testing.T, w World) {
	for name, err := range map[string]error{
		"a property": w.Tenant.UpdateUser(t.Context(), w.Hybrid, entra.UserChange{Set: map[string]string{"department": "Engines"}}),
		"disabled":   w.Tenant.UpdateUser(t.Context(), w.Hybrid, entra.UserChange{Enabled: ptr(false)}),
		"a manager":  w.Tenant.UpdateUser(t.Context(), w.Hybrid, entra.UserChange{ManagerID: ptr(w.Grace.ID)}),
	} {
		t.Run(name, func(t *testing.T) { wantKind(t, err, outlook.Hybrid) })
	}
	done(t, w.Tenant.RevokeSessions(t.Context(), w.Hybrid))
}

func administrator(t *testing.T, w World) {
	for name, try := range map[string]func(context.Context) error{
		"disabled": func(ctx context.Context) error {
			return w.Tenant.UpdateUser(ctx, w.Administrator, entra.UserChange{Enabled: ptr(false)})
		},
		"deleted": func(ctx context.Context) error { return w.Tenant.DeleteUser(ctx, w.Administrator) },
		"another number": func(ctx context.Context) error {
			return w.Tenant.UpdateUser(ctx, w.Administrator, entra.UserChange{Set: map[string]string{"mobilePhone": "+44 1"}})
		},
	} {
		t.Run(name, func(t *testing.T) { wantKind(t, try(t.Context()), outlook.Forbidden) })
	}
	if got := w.read(t, w.Administrator); !got.AccountEnabled {
		t.Errorf("got %+v", got)
	}
}
