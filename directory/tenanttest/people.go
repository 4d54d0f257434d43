package tenanttest

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"usher/model/entra"
	"usher/model/outlook"
)

func people() []promise {
	return []promise{
		{"the permissions are those that were granted", permissions},
		{"the tenant tells its name and domains", organization},
		{"directory extensions are listed, and read by name", extensions},
		{"somebody is found by id and user principal name", somebody},
		{"nobody is NoUser", noUser},
		{"a guest is one", guest},
		{"users are read by id, any number of them", byID},
		{"users are listed in pages", allUsers},
		{"users are found by how their names begin", byName},
		{"a deleted user is among the deleted ones alone", deleted},
		{"a picture is read once", photo},
	}
}

func permissions(t *testing.T, w World) {
	got := must[[]string](t)(w.Tenant.Permissions(t.Context()))
	for _, want := range w.Permissions {
		if !slices.Contains(got, want) {
			t.Errorf("%s is missing in %v", want, got)
		}
	}
}

func organization(t *testing.T, w World) {
	got := must[entra.Organization](t)(w.Tenant.Organization(t.Context()))
	if got.ID == "" || got.DisplayName == "" {
		t.Errorf("got %+v", got)
	}
	var defaults, initial int
	for _, d := range got.Domains {
		if d.IsDefault {
			defaults++
		}
		if d.Initial {
			initial++
		}
	}
	at := slices.IndexFunc(got.Domains, func(d entra.Domain) bool { return d.Name == w.Domain })
	if at < 0 || got.Domains[at].Federated || defaults != 1 || initial != 1 {
		t.Errorf("domains %+v, want %s among them", got.Domains, w.Domain)
	}
}

func extensions(t *testing.T, w World) {
	list := must[[]entra.Extension](t)(w.Tenant.Extensions(t.Context()))
	at := slices.IndexFunc(list, func(e entra.Extension) bool { return e.Name == w.Extension })
	if at < 0 || list[at].DataType != "String" || list[at].Application == "" || list[at].MultiValued {
		t.Fatalf("extensions %+v", list)
	}
	w.Admin.Edit(w.Ada.ID, w.Extension, "4711")
	w.Admin.Edit(w.Ada.ID, "extensionAttribute15", "blue")
	got := must[entra.User](t)(w.Tenant.TenantUser(t.Context(), w.Ada.ID, []string{w.Extension}))
	if got.Extensions[w.Extension] != "4711" || got.ExtensionAttributes["extensionAttribute15"] != "blue" {
		t.Errorf("got %+v and %+v", got.Extensions, got.ExtensionAttributes)
	}
	if got := w.read(t, w.Ada.ID); len(got.Extensions) != 0 {
		t.Errorf("they came unasked: %+v", got.Extensions)
	}
}

func somebody(t *testing.T, w World) {
	for _, ref := range []string{w.Ada.ID, w.Ada.UserPrincipalName, strings.ToUpper(w.Ada.UserPrincipalName)} {
		got, err := w.Tenant.TenantUser(t.Context(), ref, nil)
		if err != nil || got.ID != w.Ada.ID || got.UserPrincipalName != w.Ada.UserPrincipalName || got.DisplayName != w.Ada.DisplayName ||
			got.GivenName != w.Ada.GivenName || got.Surname != w.Ada.Surname || got.Mail != w.Ada.Mail || !got.AccountEnabled || got.UserType != "Member" {
			t.Errorf("%s: %+v, %v", ref, got, err)
		}
		if got.ManagerID != w.Grace.ID || got.ManagerUntold || got.Removed != entra.Kept || !got.DeletedAt.IsZero() {
			t.Errorf("%s: %+v", ref, got)
		}
	}
	if got := w.read(t, w.Hybrid); !got.OnPremisesSync {
		t.Errorf("of Active Directory: %+v", got)
	}
}

func noUser(t *testing.T, w World) {
	for _, ref := range []string{nobody, "nobody@" + w.Domain} {
		_, err := w.Tenant.TenantUser(t.Context(), ref, nil)
		wantKind(t, err, outlook.NoUser)
	}
	_, err := w.Tenant.GroupsOf(t.Context(), nobody)
	wantKind(t, err, outlook.NoUser)
	_, err = w.Tenant.Licences(t.Context(), nobody)
	wantKind(t, err, outlook.NoUser)
}

func guest(t *testing.T, w World) {
	got := w.read(t, w.Guest.ID)
	if got.UserType != "Guest" || !strings.Contains(got.UserPrincipalName, "#EXT#@") {
		t.Errorf("got %+v", got)
	}
	byName, err := w.Tenant.TenantUser(t.Context(), got.UserPrincipalName, nil)
	if err != nil || byName.ID != got.ID {
		t.Errorf("by user principal name: %+v, %v", byName, err)
	}
}

func byID(t *testing.T, w World) {
	wanted := append([]string{nobody}, w.People...)
	got := must[[]entra.User](t)(w.Tenant.UsersByID(t.Context(), wanted, []string{w.Extension}))
	ids := make([]string, 0, len(got))
	for _, u := range got {
		ids = append(ids, u.ID)
		if u.ID == w.Ada.ID && u.ManagerID != w.Grace.ID {
			t.Errorf("Ada's manager is %q", u.ManagerID)
		}
	}
	same(t, "users by id", ids, w.People)
	if none := must[[]entra.User](t)(w.Tenant.UsersByID(t.Context(), nil, nil)); len(none) != 0 {
		t.Errorf("got %+v", none)
	}
}

// walk goes through pages of users; it wants several of them.
func walk(t *testing.T, read func(ctx context.Context, next string) (entra.UserPage, error)) (list []entra.User, pages int) {
	t.Helper()
	next := ""
	for range mostPages {
		page := must[entra.UserPage](t)(read(t.Context(), next))
		list = append(list, page.Users...)
		pages++
		if next = page.Next; next == "" {
			return list, pages
		}
	}
	t.Fatal("the pages have no end")
	return nil, 0
}

func allUsers(t *testing.T, w World) {
	list, pages := walk(t, func(ctx context.Context, next string) (entra.UserPage, error) {
		return w.Tenant.FindUsers(ctx, "", next)
	})
	ids := make([]string, 0, len(list))
	for _, u := range list {
		ids = append(ids, u.ID)
	}
	same(t, "users", ids, w.People)
	if pages < 2 {
		t.Errorf("they came on %d pages", pages)
	}
}

func byName(t *testing.T, w World) {
	id := w.Admin.Hire("Ildikó", "O'Hara")
	for _, text := range []string{"Ildikó", "ildik", "O'Ha", "o'hara"} {
		list, _ := walk(t, func(ctx context.Context, next string) (entra.UserPage, error) {
			return w.Tenant.FindUsers(ctx, text, next)
		})
		if !slices.ContainsFunc(list, func(u entra.User) bool { return u.ID == id }) {
			t.Errorf("%s: %+v", text, list)
		}
	}
	for _, text := range []string{"dikó", "Hara", "zzzz", "' or true"} {
		list, _ := walk(t, func(ctx context.Context, next string) (entra.UserPage, error) {
			return w.Tenant.FindUsers(ctx, text, next)
		})
		if len(list) != 0 {
			t.Errorf("%s: %+v", text, list)
		}
	}
	list, _ := walk(t, func(ctx context.Context, next string) (entra.UserPage, error) {
		return w.Tenant.FindUsers(ctx, w.Ada.Mail, next)
	})
	if len(list) != 1 || list[0].ID != w.Ada.ID {
		t.Errorf("by address: %+v", list)
	}
}

func deleted(t *testing.T, w World) {
	id := w.Admin.Hire("Leaver", "Byron")
	w.Admin.Delete(id)
	_, err := w.Tenant.TenantUser(t.Context(), id, nil)
	wantKind(t, err, outlook.NoUser)
	if got := must[[]entra.User](t)(w.Tenant.UsersByID(t.Context(), []string{id, w.Ada.ID}, nil)); len(got) != 1 || got[0].ID != w.Ada.ID {
		t.Errorf("by id: %+v", got)
	}
	in := func() []entra.User {
		list, _ := walk(t, w.Tenant.DeletedUsers)
		return slices.DeleteFunc(list, func(u entra.User) bool { return u.ID != id })
	}
	if list := in(); len(list) != 1 || list[0].DeletedAt.IsZero() {
		t.Errorf("among the deleted ones: %+v", list)
	}
	w.Admin.Purge(id)
	if list := in(); len(list) != 0 {
		t.Errorf("purged, and still there: %+v", list)
	}
}

func photo(t *testing.T, w World) {
	_, err := w.Tenant.Photo(t.Context(), w.Ada.ID, "")
	wantKind(t, err, outlook.NotFound)
	_, err = w.Tenant.Photo(t.Context(), nobody, "")
	wantKind(t, err, outlook.NoUser, outlook.NotFound)
	first := []byte("\xff\xd8\xff\xe0\x00\x10JFIF first")
	w.Admin.Photo(w.Ada.ID, first)
	got := must[entra.Photo](t)(w.Tenant.Photo(t.Context(), w.Ada.ID, ""))
	if !bytes.Equal(got.Bytes, first) || got.ContentType != "image/jpeg" || got.ETag == "" || got.NotModified {
		t.Errorf("got %+v", got)
	}
	again := must[entra.Photo](t)(w.Tenant.Photo(t.Context(), w.Ada.ID, got.ETag))
	if !again.NotModified || len(again.Bytes) != 0 {
		t.Errorf("the second time: %+v", again)
	}
	w.Admin.Photo(w.Ada.ID, append(first, " second"...))
	if other := must[entra.Photo](t)(w.Tenant.Photo(t.Context(), w.Ada.ID, got.ETag)); other.NotModified || other.ETag == got.ETag {
		t.Errorf("a new one: %+v", other)
	}
}
