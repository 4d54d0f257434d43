package entraid_test

import (
	"slices"
	"testing"
	"time"

	"usher/internal/simulator"
	"usher/internal/simulator/entraid"
	"usher/internal/simulator/exchange"
	"usher/model/entra"
	"usher/model/outlook"
)

func newcomer() entra.NewUser {
	return entra.NewUser{
		UserPrincipalName: "ada.byron@contoso.example", MailNickname: "ada.byron", Password: "Correct-Horse-1", Enabled: true,
		UserChange: entra.UserChange{Set: map[string]string{"displayName": "Ada Byron", "usageLocation": "DK", "extensionAttribute3": "x"}},
	}
}

func TestCreateUser(t *testing.T) {
	w := newWorld(t, nil)
	w.directory.AddDomain(entra.Domain{Name: "federated.example", Federated: true})
	for _, test := range []struct {
		name   string
		change func(*entra.NewUser)
		kind   outlook.Kind
	}{
		{"without display name", func(u *entra.NewUser) { delete(u.Set, "displayName") }, outlook.Invalid},
		{"the name is taken", func(u *entra.NewUser) { u.UserPrincipalName = "ADA.lovelace@contoso.example" }, outlook.Duplicate},
		{"the address is taken", func(u *entra.NewUser) { u.Set["mail"] = "ada.lovelace@contoso.example" }, outlook.AddressTaken},
		{"the address of a group", func(u *entra.NewUser) { u.Set["mail"] = "Newsletter@contoso.example" }, outlook.AddressTaken},
		{"an unverified domain", func(u *entra.NewUser) { u.UserPrincipalName = "ada@fabrikam.example" }, outlook.BadDomain},
		{"a federated domain", func(u *entra.NewUser) { u.UserPrincipalName = "ada@federated.example" }, outlook.Invalid},
		{"accents in the name", func(u *entra.NewUser) { u.UserPrincipalName = "ångela@contoso.example" }, outlook.Invalid},
		{"a weak password", func(u *entra.NewUser) { u.Password = "password" }, outlook.PasswordPolicy},
		{"an alias with a space", func(u *entra.NewUser) { u.MailNickname = "ada byron" }, outlook.Invalid},
		{"a long employee number", func(u *entra.NewUser) { u.Set["employeeId"] = "12345678901234567" }, outlook.Invalid},
		{"a country in full", func(u *entra.NewUser) { u.Set["usageLocation"] = "Denmark" }, outlook.Invalid},
		{"two phones", func(u *entra.NewUser) { u.BusinessPhones = &[]string{"1", "2"} }, outlook.Invalid},
		{"a property that is read-only", func(u *entra.NewUser) { u.Set["proxyAddresses"] = "x" }, outlook.Invalid},
		{"a property that is none", func(u *entra.NewUser) { u.Set["shoeSize"] = "43" }, outlook.Invalid},
	} {
		u := newcomer()
		test.change(&u)
		_, err := w.CreateUser(t.Context(), u)
		t.Log(test.name)
		w.fails(err, test.kind, "Request_BadRequest")
	}
	if n := len(w.tenant.UserIDs()); n != 40 {
		t.Errorf("%d users: a refusal changes nothing", n)
	}
	_, delta := w.users("")
	grace := w.named("Grace Hopper").ID
	u := newcomer()
	u.ManagerID = &grace
	made, err := w.CreateUser(t.Context(), u)
	w.ok(err)
	got, err := w.TenantUser(t.Context(), "ADA.BYRON@contoso.example", nil)
	w.ok(err)
	if got.ID != made.ID || got.ManagerID != grace || got.ExtensionAttributes["extensionAttribute3"] != "x" || !got.AccountEnabled {
		t.Errorf("%+v", got)
	}
	if list, _ := w.users(delta); !slices.Contains(idsOf(list), made.ID) {
		t.Errorf("delta %+v", list)
	}
}

func TestLostAnswersAndReplication(t *testing.T) {
	w := newWorld(t, nil)
	w.directory.SetFaults(entraid.Faults{LostAnswer: 1, Replication: time.Minute})
	_, err := w.CreateUser(t.Context(), newcomer())
	w.fails(err, outlook.Unavailable, "")
	made := w.named("ada.byron@contoso.example")
	_, err = w.TenantUser(t.Context(), made.ID, nil)
	w.fails(err, outlook.NoUser, "Request_ResourceNotFound")
	w.clock.pass(time.Minute)
	_, err = w.TenantUser(t.Context(), made.ID, nil)
	w.ok(err)
	w.directory.SetFaults(entraid.Faults{Throttle: 1, ThrottleAfter: 7 * time.Second})
	_, err = w.SKUs(t.Context())
	w.fails(err, outlook.Throttled, "TooManyRequests")
}

func TestWhoMayNotBeChanged(t *testing.T) {
	w := newWorld(t, nil)
	hybrid, admin, plain := w.named("Grace Hopper"), w.named("Alan Turing"), w.named("Ada Lovelace")
	w.ok(w.tenant.Edit(hybrid.ID, func(u *simulator.User) error { u.OnPremisesSync = true; return nil }))
	w.directory.SetAdministrator(admin.ID, true)
	off := false
	disable := entra.UserChange{Enabled: &off}
	ctx := t.Context()
	w.fails(w.UpdateUser(ctx, hybrid.ID, disable), outlook.Hybrid, "Request_BadRequest")
	w.fails(w.DeleteUser(ctx, hybrid.ID), outlook.Hybrid, "")
	w.ok(w.UpdateUser(ctx, hybrid.ID, entra.UserChange{Set: map[string]string{"usageLocation": "DK"}}))
	w.ok(w.RevokeSessions(ctx, hybrid.ID))
	w.fails(w.UpdateUser(ctx, admin.ID, disable), outlook.Forbidden, "Authorization_RequestDenied")
	w.fails(w.RevokeSessions(ctx, admin.ID), outlook.Forbidden, "")
	w.fails(w.DeleteUser(ctx, admin.ID), outlook.Forbidden, "")
	w.ok(w.UpdateUser(ctx, admin.ID, entra.UserChange{Set: map[string]string{"jobTitle": "Professor"}}))

	w.directory.Grant("usher", "User.Read.All", "User.EnableDisableAccount.All")
	w.ok(w.UpdateUser(ctx, plain.ID, disable))
	w.fails(w.UpdateUser(ctx, plain.ID, entra.UserChange{Set: map[string]string{"jobTitle": "x"}}), outlook.Forbidden, "")
	w.directory.Grant("usher", "User.Read.All", "User.ReadWrite.All")
	err := w.directory.As(entraid.Actor{Roles: []string{"User.ReadWrite.All"}}).UpdateUser(ctx, plain.ID, entraid.Values{"passwordProfile": map[string]any{"password": "Correct-Horse-1"}})
	w.fails(err, outlook.Forbidden, "")
	w.directory.RevokeConsent(true)
	_, err = w.TenantUser(ctx, plain.ID, nil)
	w.fails(err, outlook.BadCredentials, "")
}

func TestDeletedItems(t *testing.T) {
	w := newWorld(t, nil)
	ada, ctx := w.named("Ada Lovelace"), t.Context()
	groups := w.tenant.MemberOf(ada.ID)
	w.ok(w.DeleteUser(ctx, ada.ID))
	w.fails(w.DeleteUser(ctx, ada.ID), outlook.NoUser, "Request_ResourceNotFound")
	page, err := w.DeletedUsers(ctx, "")
	w.ok(err)
	if len(page.Users) != 1 || page.Users[0].ID != ada.ID || page.Users[0].DeletedAt.IsZero() || page.Users[0].UserPrincipalName == ada.UserPrincipalName {
		t.Errorf("%+v", page)
	}
	byID, err := w.UsersByID(ctx, []string{ada.ID, w.named("Grace Hopper").ID, "nobody"}, nil)
	w.ok(err)
	if len(byID) != 1 {
		t.Errorf("by id: %+v", byID)
	}
	u := newcomer()
	u.UserPrincipalName = ada.UserPrincipalName
	taken, err := w.CreateUser(ctx, u)
	w.ok(err)
	_, err = w.RestoreUser(ctx, ada.ID)
	w.fails(err, outlook.Duplicate, "Request_BadRequest")
	w.ok(w.DeleteUser(ctx, taken.ID))
	back, err := w.RestoreUser(ctx, ada.ID)
	w.ok(err)
	if back.UserPrincipalName != ada.UserPrincipalName || !slices.Equal(w.tenant.MemberOf(ada.ID), groups) {
		t.Errorf("%+v of %v", back, w.tenant.MemberOf(ada.ID))
	}
	_, err = w.RestoreUser(ctx, ada.ID)
	w.fails(err, outlook.NoUser, "")
}

func TestMembersThatCannotBeChanged(t *testing.T) {
	w := newWorld(t, nil)
	ada, ctx := w.named("Ada Lovelace").ID, t.Context()
	make := func(g simulator.Group) string {
		made, err := w.tenant.AddGroup(g)
		w.ok(err)
		return made.ID
	}
	hr := w.group("HR").ID
	for _, test := range []struct {
		name, group, who string
		kind             outlook.Kind
	}{
		{"a dynamic group", w.group(simulator.GroupCopenhagen).ID, ada, outlook.Forbidden},
		{"a distribution list", w.group(simulator.GroupNewsletter).ID, ada, outlook.Unwritable},
		{"a mail-enabled security group", make(simulator.Group{DisplayName: "m", Mail: "m@contoso.example", SecurityEnabled: true}), ada, outlook.Unwritable},
		{"a synchronised group", make(simulator.Group{DisplayName: "s", OnPremisesSync: true}), ada, outlook.Hybrid},
		{"a role-assignable group", make(simulator.Group{DisplayName: "r", RoleAssignable: true}), ada, outlook.Forbidden},
		{"a group of a restricted unit", make(simulator.Group{DisplayName: "u", ManagementRestricted: true}), ada, outlook.Forbidden},
		{"no group", "nothing", ada, outlook.NotFound},
		{"nobody", hr, "nobody", outlook.NoUser},
		{"a group in a Microsoft 365 group", make(simulator.Group{DisplayName: "t", Mail: "t@contoso.example", GroupTypes: []string{"Unified"}}), hr, outlook.Invalid},
	} {
		t.Log(test.name)
		w.fails(w.AddMember(ctx, test.group, test.who), test.kind, "")
	}
	w.ok(w.AddMember(ctx, hr, ada))
	w.fails(w.AddMember(ctx, hr, ada), outlook.Duplicate, "Request_BadRequest")
	w.ok(w.RemoveMember(ctx, hr, ada))
	w.fails(w.RemoveMember(ctx, hr, ada), outlook.NotFound, "Request_ResourceNotFound")
	unified, err := w.tenant.AddGroup(simulator.Group{DisplayName: "Team", Mail: "team@contoso.example", GroupTypes: []string{"Unified"}})
	w.ok(err)
	w.ok(w.AddMember(ctx, unified.ID, ada))
}

func TestLicences(t *testing.T) {
	w := newWorld(t, nil)
	ctx, ada := t.Context(), w.named("Ada Lovelace")
	byPart := map[string]string{}
	skus, err := w.SKUs(ctx)
	w.ok(err)
	for _, sku := range skus {
		byPart[sku.PartNumber] = sku.ID
	}
	give := func(part string, plans ...string) []entra.Licence {
		return []entra.Licence{{SKUID: byPart[part], DisabledPlans: plans}}
	}
	if skus[0].Consumed == 0 || skus[0].Free() != skus[0].Enabled-skus[0].Consumed {
		t.Errorf("%+v", skus[0])
	}
	w.ok(w.tenant.SetAttribute(ada.ID, "usageLocation", ""))
	w.fails(w.AssignLicences(ctx, ada.ID, give(simulator.SKUFlow), nil), outlook.BadLocation, "Request_BadRequest")
	w.ok(w.tenant.SetAttribute(ada.ID, "usageLocation", "DK"))
	w.fails(w.AssignLicences(ctx, ada.ID, give(simulator.SKUOld), nil), outlook.NoSeats, "")
	w.fails(w.AssignLicences(ctx, ada.ID, give(simulator.SKUCompany), nil), outlook.NoSeats, "")
	w.fails(w.AssignLicences(ctx, ada.ID, give(simulator.SKURival), nil), outlook.PlanConflict, "")
	w.fails(w.AssignLicences(ctx, ada.ID, give("nothing"), nil), outlook.Invalid, "")
	w.fails(w.AssignLicences(ctx, ada.ID, give(simulator.SKUFlow, "no plan"), nil), outlook.Invalid, "")
	w.fails(w.AssignLicences(ctx, ada.ID, nil, []string{byPart[simulator.SKUFlow]}), outlook.NotFound, "")
	for _, name := range []string{"Grace Hopper", "Alan Turing"} {
		w.ok(w.AssignLicences(ctx, w.named(name).ID, give(simulator.SKUPowerBI), nil))
	}
	w.fails(w.AssignLicences(ctx, ada.ID, give(simulator.SKUPowerBI), nil), outlook.NoSeats, "")
	w.ok(w.AssignLicences(ctx, w.named("Grace Hopper").ID, give(simulator.SKUPowerBI, "70d33638-9c74-4d01-bfd3-562de28bd4ba"), nil))
	w.ok(w.AssignLicences(ctx, ada.ID, give(simulator.SKURival), []string{byPart[simulator.SKUOffice]}))

	hr, hedy := w.group("HR"), w.named("Hedy Lamarr")
	w.ok(w.tenant.SetGroupLicences(hr.ID, byPart[simulator.SKUFlow]))
	held, err := w.Licences(ctx, hedy.ID)
	w.ok(err)
	if len(held) != 2 || held[0].Group != "" || held[1].Group != hr.ID || held[1].State != "Active" {
		t.Errorf("%+v", held)
	}
	w.fails(w.AssignLicences(ctx, hedy.ID, nil, []string{byPart[simulator.SKUFlow]}), outlook.InheritedLicence, "")
	g, err := w.Group(ctx, hr.ID)
	w.ok(err)
	if !g.HasLicences {
		t.Error("the group has licences")
	}
}

func TestMailboxesFollowTheDirectory(t *testing.T) {
	var mail *exchange.Tenant
	w := newWorld(t, func(o *entraid.Options) {
		mail = exchange.New(exchange.Options{Seed: 1, Domain: "contoso.example", Now: o.Now})
		o.Mailboxes = mail
	})
	client, ctx := mail.Client("usher"), t.Context()
	w.directory.SyncMailboxes()
	if ada, err := client.User(ctx, w.named("Ada Lovelace").ID); err != nil || ada.Mail != "ada.lovelace@contoso.example" {
		t.Fatalf("%+v, %v", ada, err)
	}
	made, err := w.CreateUser(ctx, newcomer())
	w.ok(err)
	w.directory.SyncMailboxes()
	_, err = client.Calendars(ctx, made.ID)
	w.fails(err, outlook.NoUser, "")
	office := w.tenant.SKUs()[0].ID
	w.ok(w.AssignLicences(ctx, made.ID, []entra.Licence{{SKUID: office}}, nil))
	w.directory.SyncMailboxes()
	calendars, err := client.Calendars(ctx, made.ID)
	w.ok(err)
	if got := w.named("Ada Byron"); len(calendars) != 1 || got.Mail != "ada.byron@contoso.example" {
		t.Errorf("%+v of %+v", calendars, got)
	}
	_, err = w.tenant.Rename(made.ID, "Ada", "King")
	w.ok(err)
	off := false
	w.ok(w.UpdateUser(ctx, made.ID, entra.UserChange{Enabled: &off}))
	w.directory.SyncMailboxes()
	if got, err := client.User(ctx, "ada.king@contoso.example"); err != nil || got.AccountEnabled || got.DisplayName != "Ada King" {
		t.Errorf("%+v, %v", got, err)
	}
	w.ok(w.AssignLicences(ctx, made.ID, nil, []string{office}))
	w.directory.SyncMailboxes()
	_, err = client.Calendars(ctx, made.ID)
	w.fails(err, outlook.NoMailbox, "")
	w.ok(w.DeleteUser(ctx, made.ID))
	w.directory.SyncMailboxes()
	_, err = client.User(ctx, made.ID)
	w.fails(err, outlook.NoUser, "")
}

func TestFindingPeopleAndGroups(t *testing.T) {
	w := newWorld(t, func(o *entraid.Options) { o.PageSize = 2 })
	ctx := t.Context()
	names := func(text string) (out []string) {
		for next := ""; ; {
			page, err := w.FindUsers(ctx, text, next)
			w.ok(err)
			for _, u := range page.Users {
				out = append(out, u.DisplayName)
			}
			if next = page.Next; next == "" {
				return out
			}
		}
	}
	if got := names("ADA"); len(got) != 1 || got[0] != "Ada Lovelace" {
		t.Errorf("%v", got)
	}
	if got := names("love"); len(got) != 1 {
		t.Errorf("by surname: %v", got)
	}
	if got := names(""); len(got) != 40 {
		t.Errorf("all: %d", len(got))
	}
	for _, test := range []struct {
		search entra.GroupSearch
		want   int
	}{
		{entra.GroupSearch{Text: "part exter"}, 1},
		{entra.GroupSearch{Text: "artners"}, 0},
		{entra.GroupSearch{Name: "hr"}, 1},
		{entra.GroupSearch{MailEnabled: true}, 1},
		{entra.GroupSearch{Name: "HR", MailEnabled: true}, 0},
	} {
		page, err := w.FindGroups(ctx, test.search, "")
		w.ok(err)
		if len(page.Groups) != test.want {
			t.Errorf("%+v: %+v", test.search, page)
		}
	}
}

func TestExtensionsAndPhotos(t *testing.T) {
	w := newWorld(t, nil)
	ctx, ada := t.Context(), w.named("Ada Lovelace")
	e := w.directory.DefineExtension("11111111-2222-4333-8444-555555555555", "shoeSize", "Integer", "HR system")
	w.ok(w.directory.SetExtension(ada.ID, e.Name, "43"))
	list, err := w.Extensions(ctx)
	w.ok(err)
	if len(list) != 1 || list[0].Name != "extension_11111111222243338444555555555555_shoeSize" {
		t.Errorf("%+v", list)
	}
	got, err := w.TenantUser(ctx, ada.ID, []string{e.Name})
	w.ok(err)
	if got.Extensions[e.Name] != "43" {
		t.Errorf("%+v", got.Extensions)
	}
	_, delta := w.users("")
	w.ok(w.directory.SetExtension(ada.ID, e.Name, "44"))
	if told, _ := w.users(delta); len(told) != 0 {
		t.Errorf("nobody asked for the extension: %+v", told)
	}
	page, err := w.UsersDelta(ctx, "", []string{e.Name})
	w.ok(err)
	w.ok(w.directory.SetExtension(ada.ID, e.Name, "45"))
	told, _ := w.users(page.Delta)
	if len(told) != 1 || told[0].Extensions[e.Name] != "45" {
		t.Errorf("%+v", told)
	}

	_, err = w.Photo(ctx, ada.ID, "")
	w.fails(err, outlook.NotFound, "ImageNotFound")
	w.directory.SetPhoto(ada.ID, []byte("picture"), "image/jpeg")
	p, err := w.Photo(ctx, ada.ID, "")
	w.ok(err)
	if again, err := w.Photo(ctx, ada.ID, p.ETag); err != nil || !again.NotModified || again.Bytes != nil {
		t.Errorf("%+v, %v", again, err)
	}
	w.directory.SetPhoto(ada.ID, []byte("another"), "image/jpeg")
	if again, err := w.Photo(ctx, ada.ID, p.ETag); err != nil || again.NotModified || again.ETag == p.ETag {
		t.Errorf("%+v, %v", again, err)
	}
}
