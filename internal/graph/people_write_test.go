package graph_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"usher/internal/graph"
	"usher/model/entra"
	"usher/model/outlook"
)

const (
	password = "xWwvJ]6NMw+bWH-d"
	e3       = "05e9a617-0261-4cee-bb44-138d3ef5d965"
	e5       = "06ebc4ee-1bb5-47dd-8120-11324bc54e06"
	plan     = "11b0131d-43c8-4bbb-b2c8-e80f9a50834a"
)

func newGrace() entra.NewUser {
	return entra.NewUser{
		UserChange: entra.UserChange{
			Set:            map[string]string{"displayName": "Grace Hopper", "usageLocation": "US", "jobTitle": "", "extensionAttribute7": "u"},
			BusinessPhones: &[]string{"+1 555 0101"},
		},
		UserPrincipalName: "grace@contoso.com", MailNickname: "grace", Password: password, Enabled: true,
	}
}

func TestWritingPeople(t *testing.T) {
	done := answer{status: 204}
	change := func(c entra.UserChange) func(context.Context, *graph.Client) (any, error) {
		return func(ctx context.Context, client *graph.Client) (any, error) {
			return nil, client.UpdateUser(ctx, ada, c)
		}
	}
	run(t, []story{
		{
			name:   "a new user",
			call:   func(ctx context.Context, c *graph.Client) (any, error) { return c.CreateUser(ctx, newGrace()) },
			method: "POST", path: "/v1.0/users", answer: answer{status: 201, body: `{"id":"g","userPrincipalName":"grace@contoso.com"}`},
			body: `{"@odata.type":"#microsoft.graph.user","accountEnabled":true,"displayName":"Grace Hopper","mailNickname":"grace","userPrincipalName":"grace@contoso.com","usageLocation":"US",
				"businessPhones":["+1 555 0101"],"onPremisesExtensionAttributes":{"extensionAttribute7":"u"},
				"passwordProfile":{"forceChangePasswordNextSignIn":true,"password":"` + password + `"}}`,
			want: entra.User{ID: "g", UserPrincipalName: "grace@contoso.com", AccountEnabled: true},
		},
		{
			name: "changes, some of which clear",
			call: change(entra.UserChange{
				Set:            map[string]string{"mobilePhone": "", "department": "Navy", "extensionAttribute1": "", "extensionAttribute15": "x"},
				BusinessPhones: &[]string{}, Enabled: pointer(false),
			}),
			method: "PATCH", path: "/v1.0/users/" + ada, answer: done,
			body: `{"@odata.type":"#microsoft.graph.user","mobilePhone":null,"department":"Navy","businessPhones":[],"accountEnabled":false,"onPremisesExtensionAttributes":{"extensionAttribute1":null,"extensionAttribute15":"x"}}`,
		},
		{
			name: "a manager alone", call: change(entra.UserChange{ManagerID: pointer(charles)}), method: "PUT", path: "/v1.0/users/" + ada + "/manager/$ref",
			answer: done, body: `{"@odata.id":"{graph}/v1.0/users/` + charles + `"}`,
		},
		{
			name: "no manager", call: change(entra.UserChange{ManagerID: pointer("")}), method: "DELETE", path: "/v1.0/users/" + ada + "/manager/$ref", answer: done,
		},
		{
			name: "no manager, where there is none", call: change(entra.UserChange{ManagerID: pointer("")}), method: "DELETE", path: "/v1.0/users/" + ada + "/manager/$ref",
			answer: refusal(404, "Request_ResourceNotFound", "Resource 'manager' does not exist or one of its queried reference-property objects are not present."),
		},
		{
			name:   "a deletion",
			call:   func(ctx context.Context, c *graph.Client) (any, error) { return nil, c.DeleteUser(ctx, ada) },
			method: "DELETE", path: "/v1.0/users/" + ada, answer: done,
		},
		{
			name:   "a restoration",
			call:   func(ctx context.Context, c *graph.Client) (any, error) { return c.RestoreUser(ctx, ada) },
			method: "POST", path: "/v1.0/directory/deletedItems/" + ada + "/restore", answer: ok(`{"@odata.type":"#microsoft.graph.user","id":"` + ada + `","displayName":"Ada Lovelace"}`),
			want: entra.User{ID: ada, DisplayName: "Ada Lovelace", AccountEnabled: true},
		},
		{
			name:   "the end of all sessions",
			call:   func(ctx context.Context, c *graph.Client) (any, error) { return nil, c.RevokeSessions(ctx, ada) },
			method: "POST", path: "/v1.0/users/" + ada + "/revokeSignInSessions", answer: ok(`{"value":true}`),
		},
		{
			name:   "a member",
			call:   func(ctx context.Context, c *graph.Client) (any, error) { return nil, c.AddMember(ctx, board, ada) },
			method: "POST", path: "/v1.0/groups/" + board + "/members/$ref", answer: done, body: `{"@odata.id":"{graph}/v1.0/directoryObjects/` + ada + `"}`,
		},
		{
			name:   "a member less",
			call:   func(ctx context.Context, c *graph.Client) (any, error) { return nil, c.RemoveMember(ctx, board, ada) },
			method: "DELETE", path: "/v1.0/groups/" + board + "/members/" + ada + "/$ref", answer: done,
		},
		{
			name: "licences",
			call: func(ctx context.Context, c *graph.Client) (any, error) {
				return nil, c.AssignLicences(ctx, ada, []entra.Licence{{SKUID: e3, DisabledPlans: []string{plan}}, {SKUID: e5}}, nil)
			},
			method: "POST", path: "/v1.0/users/" + ada + "/assignLicense", answer: ok(`{"id":"` + ada + `"}`),
			body: `{"addLicenses":[{"skuId":"` + e3 + `","disabledPlans":["` + plan + `"]},{"skuId":"` + e5 + `","disabledPlans":[]}],"removeLicenses":[]}`,
		},
		{
			name: "licences taken away",
			call: func(ctx context.Context, c *graph.Client) (any, error) {
				return nil, c.AssignLicences(ctx, ada, nil, []string{e3})
			},
			method: "POST", path: "/v1.0/users/" + ada + "/assignLicense", answer: ok(`{}`), body: `{"addLicenses":[],"removeLicenses":["` + e3 + `"]}`,
		},
	})
}

// TestAMemberIsNeverDeleted: whoever is called what, the address ends in $ref, because without it Graph deletes the user.
func TestAMemberIsNeverDeleted(t *testing.T) {
	for _, id := range []string{ada, "a/b", "a?b", "a#b", "$ref", "%24ref", " "} {
		w := newWorld(t, answer{status: 204})
		if err := w.client().RemoveMember(t.Context(), board, id); err != nil {
			t.Error(err)
		}
		if r := w.asked(1)[0]; !strings.HasSuffix(r.Path, "/$ref") || strings.Count(r.Path, "/") != 6 || r.Query != "" {
			t.Errorf("%q is deleted at %s?%s", id, r.Path, r.Query)
		}
	}
}

// TestANewUserWithManager: the manager is told once the user is there, and where that is refused the user is not lost.
func TestANewUserWithManager(t *testing.T) {
	in := newGrace()
	in.ManagerID = pointer(charles)
	w := newWorld(t, answer{status: 201, body: `{"id":"g"}`}, answer{status: 204})
	got, err := w.client().CreateUser(t.Context(), in)
	if err != nil || got.ID != "g" || got.ManagerID != charles {
		t.Errorf("%+v, %v", got, err)
	}
	if r := w.asked(2)[1]; r.Method != "PUT" || r.Path != "/v1.0/users/g/manager/$ref" {
		t.Errorf("asked %s %s", r.Method, r.Path)
	}
	w = newWorld(t, answer{status: 201, body: `{"id":"g"}`}, refusal(404, "Request_ResourceNotFound", "Resource '"+charles+"' does not exist."))
	got, err = w.client().CreateUser(t.Context(), in)
	checkKind(t, err, outlook.NotFound)
	if got.ID != "g" {
		t.Errorf("the user is lost: %+v", got)
	}
}

// TestThePasswordGoesToGraphAlone: it is in the request, and in nothing that is told or kept.
func TestThePasswordGoesToGraphAlone(t *testing.T) {
	w := newWorld(t, refusal(400, "Request_BadRequest", "The specified password does not comply with password complexity requirements. Please provide a different password."))
	_, err := w.client().CreateUser(t.Context(), newGrace())
	checkKind(t, err, outlook.PasswordPolicy)
	if !strings.Contains(w.asked(1)[0].Body, password) {
		t.Error("it did not get there")
	}
	if strings.Contains(err.Error(), password) || strings.Contains(w.log.String(), password) {
		t.Errorf("it is told: %v\n%s", err, w.log)
	}
}

func TestWhatCannotBeSet(t *testing.T) {
	c := newWorld(t).client()
	for _, name := range []string{"passwordProfile", "id", "extensionAttribute0", "extensionAttribute16", "extensionAttribute", "extensionAttribute1x", "onPremisesExtensionAttributes", "DisplayName"} {
		checkKind(t, c.UpdateUser(t.Context(), ada, entra.UserChange{Set: map[string]string{name: "x"}}), outlook.Invalid)
	}
	in := newGrace()
	in.Password = ""
	_, err := c.CreateUser(t.Context(), in)
	checkKind(t, err, outlook.Invalid)
	checkKind(t, c.AssignLicences(t.Context(), ada, []entra.Licence{{SKUID: "SPE_E3"}}, nil), outlook.Invalid)
	checkKind(t, c.AssignLicences(t.Context(), ada, nil, []string{"SPE_E3"}), outlook.Invalid)
	if err := c.UpdateUser(t.Context(), ada, entra.UserChange{}); err != nil {
		t.Errorf("nothing to change: %v", err)
	}
}

func TestLicencesAndTenant(t *testing.T) {
	run(t, []story{
		{
			name:   "products",
			call:   func(ctx context.Context, c *graph.Client) (any, error) { return c.SKUs(ctx) },
			method: "GET", path: "/v1.0/subscribedSkus",
			answer: ok(`{"value":[{"id":"t_` + e3 + `","skuId":"` + e3 + `","skuPartNumber":"SPE_E3","appliesTo":"User","capabilityStatus":"Warning","consumedUnits":14,
				"prepaidUnits":{"enabled":10,"warning":5,"suspended":2,"lockedOut":0},"servicePlans":[{"servicePlanId":"` + plan + `","servicePlanName":"TEAMS1"}]},{"id":"none"},null]}`),
			want: []entra.SKU{{
				ID: e3, PartNumber: "SPE_E3", AppliesTo: "User", Status: "Warning", Enabled: 10, Warning: 5, Suspended: 2, Consumed: 14, Plans: []entra.Plan{{ID: plan, Name: "TEAMS1"}},
			}},
		},
		{
			name:   "somebody's licences",
			call:   func(ctx context.Context, c *graph.Client) (any, error) { return c.Licences(ctx, ada) },
			method: "GET", path: "/v1.0/users/" + ada, query: "$select=id,licenseAssignmentStates",
			answer: ok(`{"id":"` + ada + `","licenseAssignmentStates":[{"skuId":"` + e3 + `","disabledPlans":["` + plan + `"],"assignedByGroup":null,"state":"Active","error":"None","lastUpdatedDateTime":"2026-11-01T00:00:00Z"},
				{"skuId":"` + e5 + `","disabledPlans":[],"assignedByGroup":"` + board + `","state":"Error","error":"CountViolation"}]}`),
			want: []entra.Licence{
				{SKUID: e3, DisabledPlans: []string{plan}, State: "Active", Error: "None", UpdatedAt: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)},
				{SKUID: e5, Group: board, State: "Error", Error: "CountViolation"},
			},
		},
		{
			name:   "the tenant",
			call:   func(ctx context.Context, c *graph.Client) (any, error) { return c.Organization(ctx) },
			method: "GET", path: "/v1.0/organization", query: "$select=id,displayName,verifiedDomains,onPremisesSyncEnabled",
			answer: ok(`{"value":[{"id":"` + tenant + `","displayName":"Contoso","onPremisesSyncEnabled":true,"verifiedDomains":[
				{"capabilities":"Email","isDefault":true,"isInitial":false,"name":"contoso.com","type":"Managed"},
				{"isDefault":false,"isInitial":true,"name":"contoso.onmicrosoft.com","type":"Managed"},{"name":"old.contoso.com","type":"Federated"}]}]}`),
			want: entra.Organization{ID: tenant, DisplayName: "Contoso", OnPremisesSync: true, Domains: []entra.Domain{
				{Name: "contoso.com", IsDefault: true}, {Name: "contoso.onmicrosoft.com", Initial: true}, {Name: "old.contoso.com", Federated: true},
			}},
		},
		{
			name:   "directory extensions of users",
			call:   func(ctx context.Context, c *graph.Client) (any, error) { return c.Extensions(ctx) },
			method: "POST", path: "/v1.0/directoryObjects/getAvailableExtensionProperties", body: `{}`,
			answer: ok(`{"value":[{"name":"` + costs + `","appDisplayName":"HR","dataType":"String","isMultiValued":false,"targetObjects":["User"]},
				{"name":"extension_9d98_Tags","dataType":"String","isMultiValued":true,"targetObjects":["User","Group"]},{"name":"extension_9d98_Room","dataType":"String","targetObjects":["Device"]}]}`),
			want: []entra.Extension{{Name: costs, DataType: "String", Application: "HR"}, {Name: "extension_9d98_Tags", DataType: "String", MultiValued: true}},
		},
	})
}
