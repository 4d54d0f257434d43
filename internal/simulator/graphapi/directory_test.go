package graphapi

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"usher/internal/simulator"
	"usher/internal/simulator/entraid"
)

// town is a directory behind a server.
type town struct {
	*client
	directory *entraid.Directory
	tenant    *simulator.Tenant
}

func startTown(t *testing.T, change func(*entraid.Options), more ...func(*Options)) *town {
	t.Helper()
	people := simulator.NewTenant(simulator.Options{Seed: 7, People: 40})
	o := entraid.Options{Tenant: people, ID: tenantID, Seed: 7}
	if change != nil {
		change(&o)
	}
	d := entraid.New(o)
	c := start(t, &tenant{}, func(o *Options) {
		o.Directory, o.Calendars = d, nil
		for _, one := range more {
			one(o)
		}
	})
	return &town{c, d, people}
}

func (w *town) named(t *testing.T, name string) simulator.User {
	t.Helper()
	u, ok := w.tenant.UserNamed(name)
	if !ok {
		t.Fatalf("nobody is called %s", name)
	}
	return u
}

func (w *town) group(t *testing.T, name string) simulator.Group {
	t.Helper()
	g, ok := w.tenant.GroupNamed(name)
	if !ok {
		t.Fatalf("no group is called %s", name)
	}
	return g
}

// values are what a page lists, as one property of each.
func (r reply) values(property string) []string {
	list, _ := r.json["value"].([]any)
	var out []string
	for _, one := range list {
		o, _ := one.(map[string]any)
		out = append(out, fmt.Sprint(o[property]))
	}
	return out
}

func query(pairs ...string) string {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return "?" + v.Encode()
}

func TestListsOfPeople(t *testing.T) {
	w := startTown(t, nil)
	eventual := []string{"ConsistencyLevel", "eventual"}
	for _, test := range []struct {
		name, path string
		headers    []string
		want       string // names, or a code of a failure
	}{
		{"eq in any case", query("$filter", "displayName eq 'ada lovelace'"), nil, "Ada Lovelace"},
		{"apostrophe", query("$filter", "surname eq 'O''Hara'"), nil, ""},
		{"startswith", query("$filter", "startswith(displayName,'Ada') or startswith(mail,'grace.h')"), nil, "Ada Lovelace,Grace Hopper"},
		{"and", query("$filter", "department eq 'Finance' and startswith(displayName,'Kath')"), nil, "Katherine Johnson"},
		{"brackets", query("$filter", "(startswith(displayName,'Ada') or startswith(displayName,'Grace')) and accountEnabled eq true"), nil, "Ada Lovelace,Grace Hopper"},
		{"in", query("$filter", "mail in ('ada.lovelace@contoso.example','nobody@contoso.example')"), nil, "Ada Lovelace"},
		{"any", query("$filter", "proxyAddresses/any(p:p eq 'smtp:ada.lovelace@contoso.example')"), nil, "Ada Lovelace"},
		{"any of objects", query("$filter", "assignedLicenses/any(l:l/skuId eq '18181a46-0d4e-45cd-891e-60aabd171b4e')"), nil, ""},
		{"ne is advanced", query("$filter", "userType ne 'Member'"), nil, "Request_UnsupportedQuery"},
		{"ne, asked for as it must be", query("$filter", "userType ne 'Member'", "$count", "true"), eventual, "Annie"},
		{"not and endsWith", query("$filter", "endsWith(mail,'fabrikam.com')", "$count", "true"), eventual, "Annie"},
		{"search", query("$search", `"displayName:hop"`), eventual, "Grace Hopper"},
		{"search without the header", query("$search", `"displayName:hop"`), nil, "Request_UnsupportedQuery"},
		{"search or", query("$search", `"displayName:hop" OR "mail:ada"`), eventual, "Ada Lovelace,Grace Hopper"},
		{"sixteen in an in", query("$filter", "id in ('1'"+strings.Repeat(",'1'", 15)+")"), nil, "Request_UnsupportedQuery"},
		{"an unknown property", query("$filter", "shoeSize eq '43'"), nil, "Request_UnsupportedQuery"},
		{"no filter at all", query("$filter", "displayName eq"), nil, "Request_BadRequest"},
		{"a thousand on a page", query("$top", "1000"), nil, "Request_UnsupportedQuery"},
		{"skip", query("$skip", "5"), nil, "Request_BadRequest"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := w.do(t, "GET", "/users"+test.path, "", test.headers...)
			if strings.HasPrefix(test.want, "Request_") {
				got.want(t, 400, test.want)
				return
			}
			names := strings.Join(got.values("displayName"), ",")
			if test.want == "Annie" {
				if names == "" || !strings.Contains(names, "(Fabrikam)") || strings.Contains(names, "Ada") {
					t.Errorf("guests are %s", names)
				}
			} else if got.status != 200 || names != test.want {
				t.Errorf("%d: %s, want %s", got.status, names, test.want)
			}
		})
	}
}

func TestPagesOfPeople(t *testing.T) {
	w := startTown(t, func(o *entraid.Options) { o.PageSize = 7 })
	seen := map[string]bool{}
	next := "/users?$select=id"
	for pages := 0; next != "" && pages < 20; pages++ {
		got := w.do(t, "GET", next, "")
		for _, id := range got.values("id") {
			if seen[id] {
				t.Errorf("%s came twice", id)
			}
			seen[id] = true
		}
		next, _ = got.json["@odata.nextLink"].(string)
	}
	if len(seen) != 40 {
		t.Errorf("there are %d people", len(seen))
	}
	got := w.do(t, "GET", "/users?$orderby=displayName&$top=2&$select=displayName", "")
	if names := got.values("displayName"); len(names) != 2 || names[0] != "Ada Lovelace" {
		t.Errorf("in order: %v", names)
	}
	got = w.do(t, "GET", "/users?$count=true&$top=1", "", "ConsistencyLevel", "eventual")
	if got.json["@odata.count"] != float64(40) {
		t.Errorf("count: %s", got.raw)
	}
	if got = w.do(t, "GET", "/users/$count", "", "ConsistencyLevel", "eventual"); got.raw != "40" {
		t.Errorf("$count: %s", got.raw)
	}
}

func TestUsersDeltaOverHTTP(t *testing.T) {
	w := startTown(t, nil)
	ada, grace := w.named(t, "Ada Lovelace"), w.named(t, "Grace Hopper")
	link := "/users/delta?$select=displayName,jobTitle,manager,accountEnabled"
	var delta string
	n := 0
	for delta == "" {
		got := w.do(t, "GET", link, "", "Prefer", "odata.maxpagesize=7")
		if got.status != 200 {
			t.Fatal(got.raw)
		}
		n += len(got.values("id"))
		if len(got.values("id")) > 7 {
			t.Errorf("a page of %d", len(got.values("id")))
		}
		link, _ = got.json["@odata.nextLink"].(string)
		delta, _ = got.json["@odata.deltaLink"].(string)
		if (link == "") == (delta == "") {
			t.Fatalf("links: %s", got.raw)
		}
	}
	if n != 40 {
		t.Errorf("%d people", n)
	}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	next := func() reply {
		t.Helper()
		got := w.do(t, "GET", delta, "")
		delta, _ = got.json["@odata.deltaLink"].(string)
		return got
	}
	check(w.tenant.SetAttribute(ada.ID, "city", "London"))
	if got := next(); len(got.values("id")) != 0 {
		t.Errorf("an unselected property tells: %s", got.raw)
	}
	check(w.tenant.SetAttribute(ada.ID, "jobTitle", ""))
	got := next()
	if title, there := got.at("value", "0").(map[string]any)["jobTitle"]; !there || title != nil || got.at("value", "0", "manager@delta") != nil {
		t.Errorf("cleared: %s", got.raw)
	}
	check(w.tenant.SetManager(grace.ID, ""))
	if got = next(); got.at("value", "0", "manager@delta", "0", "@removed", "reason") != "deleted" || got.at("value", "0", "manager@delta", "0", "id") != ada.ID {
		t.Errorf("without manager: %s", got.raw)
	}
	check(w.tenant.SoftDelete(grace.ID))
	if got = next(); got.at("value", "0", "@removed", "reason") != "changed" || len(got.at("value", "0").(map[string]any)) != 2 {
		t.Errorf("soft-deleted: %s", got.raw)
	}
	check(w.tenant.Restore(grace.ID))
	if got = next(); len(got.values("id")) != 0 {
		t.Errorf("a restore must not be told under $select: %s", got.raw)
	}
	check(w.tenant.HardDelete(grace.ID))
	if got = next(); got.at("value", "0", "@removed", "reason") != "deleted" {
		t.Errorf("gone: %s", got.raw)
	}
	w.directory.ExpireLinks()
	got = w.do(t, "GET", delta, "")
	got.want(t, 410, "SyncStateNotFound")
	if where := got.header.Get("Location"); !strings.HasSuffix(where, "/users/delta?$deltatoken=") {
		t.Errorf("Location %s", where)
	}
	if got = w.do(t, "GET", "/users/delta?$deltatoken=latest", ""); len(got.values("id")) != 0 || got.json["@odata.deltaLink"] == nil {
		t.Errorf("latest: %s", got.raw)
	}
	w.do(t, "GET", "/users/delta?$top=5", "").want(t, 400, "Request_UnsupportedQuery")
	w.do(t, "GET", "/users/delta?$skiptoken=made-up", "").want(t, 400, "Request_BadRequest")
}

func TestMembersOverHTTP(t *testing.T) {
	w := startTown(t, nil)
	hq, hr := w.group(t, simulator.GroupHeadquarters), w.group(t, "HR")
	got := w.do(t, "GET", "/groups/"+hq.ID+"/members?$select=id,displayName", "")
	if got.status != 200 || got.at("value", "0", "@odata.type") != "#microsoft.graph.group" || got.at("value", "0", "id") != hr.ID {
		t.Errorf("members: %s", got.raw)
	}
	cast := "/groups/" + hq.ID + "/transitiveMembers/microsoft.graph.user"
	w.do(t, "GET", cast, "").want(t, 400, "Request_UnsupportedQuery")
	got = w.do(t, "GET", cast+"?$count=true&$top=3&$select=id", "", "ConsistencyLevel", "eventual")
	total, _ := got.json["@odata.count"].(float64)
	if got.status != 200 || len(got.values("id")) != 3 || total < 4 || got.json["@odata.nextLink"] == nil {
		t.Errorf("transitive: %s", got.raw)
	}
	got = w.do(t, "GET", "/groups/"+hq.ID+"/transitiveMembers/$count", "", "ConsistencyLevel", "eventual")
	if got.raw != fmt.Sprint(int(total)+3) {
		t.Errorf("count %s of %v people and three groups", got.raw, total)
	}
	got = w.do(t, "GET", "/groups/delta"+query("$select", "displayName,members", "$filter", "id eq '"+hr.ID+"'"), "")
	if len(got.values("id")) != 1 || got.at("value", "0", "members@delta", "0", "@odata.type") != "#microsoft.graph.user" {
		t.Errorf("delta: %s", got.raw)
	}
	w.do(t, "GET", "/groups/"+tenantID, "").want(t, 404, "Request_ResourceNotFound")
	got = w.do(t, "GET", "/users/"+w.named(t, "Hedy Lamarr").ID+"/memberOf?$select=displayName", "")
	if names := strings.Join(got.values("displayName"), ","); !strings.Contains(names, "HR") || !strings.Contains(names, simulator.GroupManagers) {
		t.Errorf("groups of Hedy: %s", names)
	}
}

func TestDirectoryPermissions(t *testing.T) {
	w := startTown(t, nil)
	w.directory.Grant("", "GroupMember.Read.All")
	w.token = w.signIn(t)
	w.do(t, "GET", "/users", "").want(t, 403, "Authorization_RequestDenied")
	got := w.do(t, "GET", "/groups/"+w.group(t, "HR").ID+"/members", "")
	if got.status != 200 || got.at("value", "0", "displayName") != nil || got.at("value", "0", "id") == nil {
		t.Errorf("limited: %s", got.raw)
	}
}

// Mailboxes and directory may be behind one server: roles of both are in the token, and who is known to the mailboxes alone is found.
func TestMailboxesBesideTheDirectory(t *testing.T) {
	w := startTown(t, nil, func(o *Options) { o.Calendars = &tenant{roles: []string{"Calendars.ReadWrite"}} })
	got := w.do(t, "GET", "/users/"+adaID, "")
	if got.status != 200 || got.json["displayName"] != "Ada Lovelace" {
		t.Errorf("of the mailboxes: %s", got.raw)
	}
	if got = w.do(t, "GET", "/users/"+w.named(t, "Grace Hopper").ID, ""); got.status != 200 {
		t.Errorf("of the directory: %s", got.raw)
	}
	if got = w.do(t, "GET", "/users/"+adaID+"/calendars", ""); got.status != 200 {
		t.Errorf("calendars: %s", got.raw)
	}
	batch := `{"requests":[{"id":"1","method":"GET","url":"/users?$top=1"},{"id":"2","method":"GET","url":"/groups/delta"}]}`
	got = w.do(t, "POST", "/$batch", batch)
	for i := range 2 {
		if got.at("responses", fmt.Sprint(i), "status") != float64(200) {
			t.Errorf("batch: %s", got.raw)
		}
	}
}
