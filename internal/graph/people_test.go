package graph_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"usher/internal/graph"
	"usher/model/entra"
	"usher/model/outlook"
)

const (
	person  = "$select=id,userPrincipalName,mail,mailNickname,otherMails,proxyAddresses,userType,accountEnabled,onPremisesSyncEnabled,displayName,givenName,surname,jobTitle,department,companyName,employeeId,employeeType,officeLocation,usageLocation,preferredLanguage,streetAddress,city,state,postalCode,country,mobilePhone,faxNumber,businessPhones,onPremisesExtensionAttributes,createdDateTime"
	team    = "$select=id,displayName,description,mail,mailNickname,groupTypes,mailEnabled,securityEnabled,membershipRule,isAssignableToRole,onPremisesSyncEnabled,isManagementRestricted,visibility"
	charles = "5bde3e51-d13b-4db1-9948-fe4b109d11a7"
	costs   = "extension_9d98asdfl15980a_CostCentre"
	bulk    = "odata.maxpagesize=999"
)

// grace is a user as Graph documents one, with what is there now and then.
const graceJSON = `{"@odata.id":"https://graph.microsoft.com/v2/x/directoryObjects/g/Microsoft.DirectoryServices.User","id":"g","userPrincipalName":"grace@contoso.com",
	"mail":"grace@contoso.com","mailNickname":"grace","otherMails":["g@home.example"],"proxyAddresses":["SMTP:grace@contoso.com"],"userType":"Member",
	"accountEnabled":true,"onPremisesSyncEnabled":null,"displayName":"Grace Hopper","givenName":"Grace","surname":"Hopper","jobTitle":"Admiral",
	"department":"Navy","companyName":"Contoso","employeeId":"7","employeeType":"Employee","officeLocation":"18/2111","usageLocation":"US",
	"preferredLanguage":"en-US","streetAddress":"1 Pier","city":"Arlington","state":"VA","postalCode":"22201","country":"United States",
	"mobilePhone":"+1 555 0100","faxNumber":null,"businessPhones":["+1 555 0101"],"createdDateTime":"2019-03-02T10:00:00Z",
	"onPremisesExtensionAttributes":{"extensionAttribute1":"blue","extensionAttribute2":null},
	"` + costs + `":"4711","extension_9d98_Shift":3,"extension_9d98_Remote":true,"extension_9d98_Tags":["a","b"],"extension_9d98_None":null,
	"manager@delta":[{"@odata.type":"#microsoft.graph.user","id":"old","@removed":{"reason":"deleted"}},{"@odata.type":"#microsoft.graph.user","id":"m"}]}`

func grace() entra.User {
	return entra.User{
		ID: "g", UserPrincipalName: "grace@contoso.com", Mail: "grace@contoso.com", MailNickname: "grace", OtherMails: []string{"g@home.example"},
		ProxyAddresses: []string{"SMTP:grace@contoso.com"}, UserType: "Member", AccountEnabled: true, DisplayName: "Grace Hopper", GivenName: "Grace",
		Surname: "Hopper", JobTitle: "Admiral", Department: "Navy", CompanyName: "Contoso", EmployeeID: "7", EmployeeType: "Employee",
		OfficeLocation: "18/2111", UsageLocation: "US", PreferredLanguage: "en-US", StreetAddress: "1 Pier", City: "Arlington", State: "VA",
		PostalCode: "22201", Country: "United States", MobilePhone: "+1 555 0100", BusinessPhones: []string{"+1 555 0101"}, ManagerID: "m",
		CreatedAt: time.Date(2019, 3, 2, 10, 0, 0, 0, time.UTC), ExtensionAttributes: map[string]string{"extensionAttribute1": "blue"},
		Extensions: map[string]string{costs: "4711", "extension_9d98_Shift": "3", "extension_9d98_Remote": "true", "extension_9d98_Tags": "a;b"},
	}
}

// users and groups take the server's address out of the links.
func users(page entra.UserPage, err error) (any, error) {
	page.Next, page.Delta = relative(page.Next), relative(page.Delta)
	return page, err
}

func groups(page entra.GroupPage, err error) (any, error) {
	page.Next, page.Delta = relative(page.Next), relative(page.Delta)
	return page, err
}

func relative(link string) string {
	if _, path, found := strings.Cut(link, "/v1.0"); found {
		return path
	}
	return link
}

func TestUsersDelta(t *testing.T) {
	run(t, []story{
		{
			name: "from the beginning, with extensions",
			call: func(ctx context.Context, c *graph.Client) (any, error) {
				return users(c.UsersDelta(ctx, "", []string{costs}))
			},
			method: "GET", path: "/v1.0/users/delta()", query: person + "," + costs + ",manager", prefer: bulk,
			answer: ok(`{"@odata.nextLink":"{graph}/v1.0/users/delta?$skiptoken=a","value":[` + graceJSON + `,null,{"displayName":"no id"},
				{"id":"x","@removed":{"reason":"changed"}},{"id":"y","@removed":{"reason":"deleted"}},{"id":"z","accountEnabled":false},{"id":"w","manager@delta":[]}]}`),
			want: entra.UserPage{Next: "/users/delta?$skiptoken=a", Users: []entra.User{
				grace(), {ID: "x", Removed: entra.Changed}, {ID: "y", Removed: entra.Deleted}, {ID: "z", ManagerUntold: true}, {ID: "w", AccountEnabled: true},
			}},
		},
		{
			name: "from now on",
			call: func(ctx context.Context, c *graph.Client) (any, error) {
				return users(c.UsersDelta(ctx, "latest", nil))
			},
			method: "GET", path: "/v1.0/users/delta()", query: person + ",manager&$deltatoken=latest", prefer: bulk,
			answer: ok(`{"@odata.deltaLink":"{graph}/v1.0/users/delta?$deltatoken=b","value":[]}`),
			want:   entra.UserPage{Delta: "/users/delta?$deltatoken=b", Users: []entra.User{}},
		},
	})
}

// TestDeltaLinks: the whole link is followed, with what every page needs, and one that leads nowhere begins a full round.
func TestDeltaLinks(t *testing.T) {
	w := newWorld(t, ok(`{"@odata.deltaLink":"{graph}/v1.0/users/delta?$deltatoken=c","value":[]}`), ok(`{"value":[]}`),
		with(refusal(410, "SyncStateNotFound", "The sync state generation is not found."), "Location", "{graph}/v1.0/users/delta?$deltatoken="),
		refusal(400, "resyncRequired", ""), refusal(404, "syncStateNotFound", ""), refusal(400, "Directory_ExpiredPageToken", ""),
		refusal(400, "Request_BadRequest", "Badly formed token."))
	c := w.client()
	link := w.graph.URL + "/v1.0/users/delta?$deltatoken=b%2Bc"
	if _, err := c.UsersDelta(t.Context(), link, nil); err != nil {
		t.Fatal(err)
	}
	r := w.asked(1)[0]
	if r.Path != "/v1.0/users/delta" || r.Query != "$deltatoken=b%2Bc" || r.Header.Get("Prefer") != bulk {
		t.Errorf("asked %s?%s, Prefer %s", r.Path, r.Query, r.Header.Get("Prefer"))
	}
	_, err := c.UsersDelta(t.Context(), link, nil) // neither a next page nor a next round: the round did not end
	checkKind(t, err, outlook.Unavailable)
	for range 5 {
		_, err := c.GroupsDelta(t.Context(), nil, w.graph.URL+"/v1.0/groups/delta?$deltatoken=b")
		checkKind(t, err, outlook.SyncLost)
	}
	_, err = c.UsersDelta(t.Context(), "https://evil.example/v1.0/users/delta?$deltatoken=b", nil)
	checkKind(t, err, outlook.SyncLost)
	w.asked(7)
}

// TestPagesThatCannotBeUsed: what is not as documented is told instead of being taken for somebody's data.
func TestPagesThatCannotBeUsed(t *testing.T) {
	for name, body := range map[string]string{
		"enabled a text": `{"@odata.deltaLink":"{graph}/v1.0/x","value":[{"id":"a","accountEnabled":"yes"}]}`,
		"a name a list":  `{"@odata.deltaLink":"{graph}/v1.0/x","value":[{"id":"a","displayName":["x"]}]}`,
		"no list":        `{"@odata.deltaLink":"{graph}/v1.0/x","value":{"id":"a"}}`,
		"a list":         `[]`,
		"nothing":        ``,
		"a foreign link": `{"@odata.nextLink":"https://evil.example/v1.0/x","value":[]}`,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, ok(body))
			_, err := w.client().UsersDelta(t.Context(), "", nil)
			checkKind(t, err, outlook.Unavailable)
		})
	}
	t.Run("too large, asked again for less", func(t *testing.T) {
		w := newWorld(t, ok(`{"padding":"`+strings.Repeat("x", 2000)+`"}`), ok(`{"@odata.deltaLink":"{graph}/v1.0/x","value":[{"id":"a"}]}`))
		options := w.options()
		options.MaxAnswer = 1000
		page, err := w.clientOf(options).UsersDelta(t.Context(), "", nil)
		if err != nil || len(page.Users) != 1 {
			t.Fatalf("%+v, %v", page, err)
		}
		if got := w.asked(2)[1].Header.Get("Prefer"); got != "odata.maxpagesize=100" {
			t.Error(got)
		}
	})
}

func TestReadingPeople(t *testing.T) {
	someone := grace()
	plain := strings.Replace(graceJSON, `"manager@delta":[{"@odata.type":"#microsoft.graph.user","id":"old","@removed":{"reason":"deleted"}},{"@odata.type":"#microsoft.graph.user","id":"m"}]`,
		`"manager":{"@odata.type":"#microsoft.graph.user","id":"m"}`, 1)
	find := func(text string) string {
		var parts []string
		for _, property := range []string{"displayName", "givenName", "surname", "userPrincipalName", "mail"} {
			parts = append(parts, fmt.Sprintf("startswith(%s,'%s')", property, text))
		}
		return strings.Join(parts, " or ")
	}
	run(t, []story{
		{
			name: "somebody",
			call: func(ctx context.Context, c *graph.Client) (any, error) {
				return c.TenantUser(ctx, "grace@contoso.com", []string{costs})
			},
			method: "GET", path: "/v1.0/users/grace%40contoso.com", query: person + "," + costs + "&$expand=manager($select=id)", answer: ok(plain), want: someone,
		},
		{
			name: "several, one of them gone",
			call: func(ctx context.Context, c *graph.Client) (any, error) {
				return c.UsersByID(ctx, []string{"g", "gone"}, nil)
			},
			method: "GET", path: "/v1.0/users", query: person + "&$expand=manager($select=id)&$top=15&$filter=id in ('g','gone')",
			answer: ok(`{"value":[` + plain + `]}`), want: []entra.User{someone},
		},
		{
			name:   "those whose name begins so",
			call:   func(ctx context.Context, c *graph.Client) (any, error) { return users(c.FindUsers(ctx, "o'h", "")) },
			method: "GET", path: "/v1.0/users", query: person + "&$top=100&$filter=" + find("o''h"),
			answer: ok(`{"@odata.nextLink":"{graph}/v1.0/users?$skiptoken=a","value":[{"id":"a","accountEnabled":true}]}`),
			want:   entra.UserPage{Users: []entra.User{{ID: "a", AccountEnabled: true}}, Next: "/users?$skiptoken=a"},
		},
		{
			name:   "all of them",
			call:   func(ctx context.Context, c *graph.Client) (any, error) { return users(c.FindUsers(ctx, "", "")) },
			method: "GET", path: "/v1.0/users", query: person + "&$top=100", answer: ok(`{"value":[]}`), want: entra.UserPage{Users: []entra.User{}},
		},
		{
			name:   "the deleted ones",
			call:   func(ctx context.Context, c *graph.Client) (any, error) { return users(c.DeletedUsers(ctx, "")) },
			method: "GET", path: "/v1.0/directory/deletedItems/microsoft.graph.user", query: person + ",deletedDateTime&$top=999",
			answer: ok(`{"value":[{"id":"a","accountEnabled":false,"deletedDateTime":"2026-11-01T00:00:00Z"}]}`),
			want:   entra.UserPage{Users: []entra.User{{ID: "a", DeletedAt: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}}},
		},
	})
}

// TestManyByID: filters take 15 ids; the answers come back in the order of the ids' filters.
func TestManyByID(t *testing.T) {
	var ids []string
	for i := range 31 {
		ids = append(ids, fmt.Sprintf("%08d-0000-4000-8000-000000000000", i))
	}
	w := newWorld(t, ok(`{"value":[{"id":"a"}]}`), ok(`{"value":[{"id":"a"}]}`), ok(`{"value":[{"id":"a"}]}`))
	list, err := w.client().UsersByID(t.Context(), ids, nil)
	if err != nil || len(list) != 3 {
		t.Fatalf("%v, %v", list, err)
	}
	named := 0
	for _, r := range w.asked(3) {
		named += strings.Count(r.Query, "-0000-4000-8000-")
	}
	if named != len(ids) {
		t.Errorf("%d ids were asked for, want %d", named, len(ids))
	}
	none, err := newWorld(t).client().UsersByID(t.Context(), nil, nil)
	if err != nil || len(none) != 0 {
		t.Errorf("%v, %v", none, err)
	}
}

func TestPhoto(t *testing.T) {
	about := ok(`{"@odata.mediaContentType":"image/jpeg","@odata.mediaEtag":"\"BA09D118\"","id":"240x240","width":240,"height":240}`)
	picture := with(ok("\xff\xd8\xff\xe0 no JSON"), "Content-Type", "image/jpeg")
	read := func(etag string, answers ...answer) (entra.Photo, []request, error) {
		w := newWorld(t, answers...)
		photo, err := w.client().Photo(t.Context(), ada, etag)
		return photo, w.asked(len(answers)), err
	}
	photo, requests, err := read("", about, picture)
	want := entra.Photo{Bytes: []byte("\xff\xd8\xff\xe0 no JSON"), ContentType: "image/jpeg", ETag: `"BA09D118"`}
	if err != nil || !reflect.DeepEqual(photo, want) {
		t.Errorf("%+v, %v", photo, err)
	}
	if requests[0].Path != "/v1.0/users/"+ada+"/photo" || requests[1].Path != "/v1.0/users/"+ada+"/photo/$value" {
		t.Errorf("asked %s and %s", requests[0].Path, requests[1].Path)
	}
	if photo, _, err := read(`"BA09D118"`, about); err != nil || !photo.NotModified || photo.Bytes != nil {
		t.Errorf("the same one: %+v, %v", photo, err)
	}
	if photo, _, err := read(`"other"`, about, picture); err != nil || photo.NotModified || len(photo.Bytes) == 0 {
		t.Errorf("another one: %+v, %v", photo, err)
	}
	for name, none := range map[string]answer{
		"none": refusal(404, "ImageNotFound", ""), "no mailbox": refusal(404, "MailboxNotEnabledForRESTAPI", ""), "a placeholder": ok(`{"id":"1x1"}`),
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := read("", none)
			checkKind(t, err, outlook.NotFound)
		})
	}
	_, _, err = read("", refusal(404, "Request_ResourceNotFound", ""))
	checkKind(t, err, outlook.NoUser)
}

func TestNobody(t *testing.T) {
	for name, try := range map[string]func(context.Context, *graph.Client) error{
		"TenantUser": func(ctx context.Context, c *graph.Client) error {
			_, err := c.TenantUser(ctx, charles, nil)
			return err
		},
		"GroupsOf": func(ctx context.Context, c *graph.Client) error { _, err := c.GroupsOf(ctx, charles); return err },
		"Licences": func(ctx context.Context, c *graph.Client) error { _, err := c.Licences(ctx, charles); return err },
		"UpdateUser": func(ctx context.Context, c *graph.Client) error {
			return c.UpdateUser(ctx, charles, entra.UserChange{Enabled: pointer(false)})
		},
		"DeleteUser":     func(ctx context.Context, c *graph.Client) error { return c.DeleteUser(ctx, charles) },
		"RestoreUser":    func(ctx context.Context, c *graph.Client) error { _, err := c.RestoreUser(ctx, charles); return err },
		"RevokeSessions": func(ctx context.Context, c *graph.Client) error { return c.RevokeSessions(ctx, charles) },
		"AssignLicences": func(ctx context.Context, c *graph.Client) error { return c.AssignLicences(ctx, charles, nil, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, refusal(404, "Request_ResourceNotFound", "Resource '"+charles+"' does not exist or one of its queried reference-property objects are not present."))
			checkKind(t, try(t.Context(), w.client()), outlook.NoUser)
		})
	}
	w := newWorld(t, ok(`{"value":[]}`))
	_, err := w.client().TenantUser(t.Context(), "delta", nil)
	checkKind(t, err, outlook.NoUser)
}

// TestNoID: without an id, or with one that leads elsewhere, nothing is sent.
func TestNoID(t *testing.T) {
	c := newWorld(t).client()
	for _, id := range []string{"", ".", ".."} {
		_, user := c.TenantUser(t.Context(), id, nil)
		_, group := c.Group(t.Context(), id)
		_, members := c.Members(t.Context(), id, "")
		_, of := c.GroupsOf(t.Context(), id)
		_, licences := c.Licences(t.Context(), id)
		_, photo := c.Photo(t.Context(), id, "")
		_, restored := c.RestoreUser(t.Context(), id)
		_, principal := c.ServicePrincipal(t.Context(), id)
		_, job := c.Job(t.Context(), "sp", id)
		for i, err := range []error{
			user, group, members, of, licences, photo, restored, principal, job, c.DeleteUser(t.Context(), id), c.RevokeSessions(t.Context(), id),
			c.UpdateUser(t.Context(), id, entra.UserChange{Enabled: pointer(true)}), c.UpdateUser(t.Context(), ada, entra.UserChange{ManagerID: pointer("..")}),
			c.AddMember(t.Context(), id, ada), c.AddMember(t.Context(), "g", id), c.RemoveMember(t.Context(), id, ada), c.RemoveMember(t.Context(), "g", id),
			c.AssignLicences(t.Context(), id, nil, nil), c.DeleteApplication(t.Context(), id), c.DeleteServicePrincipal(t.Context(), id),
			c.DeleteJob(t.Context(), "sp", id), c.DeleteJob(t.Context(), id, "j"), c.DeleteGrant(t.Context(), "sp", entra.Grant{ID: id}),
		} {
			if err == nil || outlook.KindOf(err) != outlook.Invalid {
				if id == "" && i == 12 {
					continue // takes the manager away
				}
				t.Errorf("%q, %d: %v", id, i, err)
			}
		}
	}
	_, err := c.UsersByID(t.Context(), []string{ada, ""}, nil)
	checkKind(t, err, outlook.Invalid)
	_, err = c.GroupsDelta(t.Context(), make([]string, 51), "")
	checkKind(t, err, outlook.Invalid)
	for _, extension := range []string{"displayName", "extension_a,manager", "extension_a&$top=1"} {
		_, err = c.UsersDelta(t.Context(), "", []string{extension})
		checkKind(t, err, outlook.Invalid)
	}
	if failed, _ := errors.AsType[*outlook.Error](err); failed == nil || failed.Status != 0 {
		t.Errorf("%v", err)
	}
}
