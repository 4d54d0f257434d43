package graph_test

import (
	"context"
	"testing"

	"usher/internal/graph"
	"usher/model/entra"
	"usher/model/outlook"
)

const board = "2e5807ce-58f3-4a94-9b37-ffff2e085957"

func TestGroupsDelta(t *testing.T) {
	run(t, []story{
		{
			name: "of two groups",
			call: func(ctx context.Context, c *graph.Client) (any, error) {
				return groups(c.GroupsDelta(ctx, []string{"g1", "g2"}, ""))
			},
			method: "GET", path: "/v1.0/groups/delta()", query: team + ",members&$filter=id eq 'g1' or id eq 'g2'", prefer: bulk,
			answer: ok(`{"@odata.nextLink":"{graph}/v1.0/groups/delta?$skiptoken=a","value":[
				{"id":"g1","displayName":"Board","groupTypes":["Unified"],"mailEnabled":true,"securityEnabled":false,"mail":"board@contoso.com","members@delta":[
					{"@odata.type":"#microsoft.graph.user","id":"u1"},{"@odata.type":"#microsoft.graph.group","id":"n1"},
					{"@odata.type":"#microsoft.graph.orgContact","id":"c1"},{"@odata.type":"#microsoft.graph.device","id":"d1"},{"@odata.type":"#microsoft.graph.user"},
					{"@odata.type":"#microsoft.graph.user","id":"u2","@removed":{"reason":"deleted"}}]},
				{"id":"g1","members@delta":[{"@odata.type":"#microsoft.graph.user","id":"u3"}]},
				{"id":"g2","@removed":{"reason":"deleted"}},null]}`),
			want: entra.GroupPage{Next: "/groups/delta?$skiptoken=a", Groups: []entra.Group{
				{ID: "g1", DisplayName: "Board", Types: []string{"Unified"}, MailEnabled: true, Mail: "board@contoso.com", Members: []entra.Member{
					{ID: "u1", Type: entra.MemberUser},
					{ID: "n1", Type: entra.MemberGroup},
					{ID: "c1", Type: entra.MemberContact},
					{ID: "d1", Type: entra.MemberOther},
					{ID: "u2", Type: entra.MemberUser, Removed: true},
				}},
				{ID: "g1", Members: []entra.Member{{ID: "u3", Type: entra.MemberUser}}},
				{ID: "g2", Removed: entra.Deleted},
			}},
		},
		{
			name: "of all groups, from now on",
			call: func(ctx context.Context, c *graph.Client) (any, error) {
				return groups(c.GroupsDelta(ctx, nil, "latest"))
			},
			method: "GET", path: "/v1.0/groups/delta()", query: team + ",members&$deltatoken=latest", prefer: bulk,
			answer: ok(`{"@odata.deltaLink":"{graph}/v1.0/groups/delta?$deltatoken=b","value":[]}`),
			want:   entra.GroupPage{Delta: "/groups/delta?$deltatoken=b", Groups: []entra.Group{}},
		},
	})
}

func TestReadingGroups(t *testing.T) {
	find := func(search entra.GroupSearch) func(context.Context, *graph.Client) (any, error) {
		return func(ctx context.Context, c *graph.Client) (any, error) { return groups(c.FindGroups(ctx, search, "")) }
	}
	none, empty := entra.GroupPage{Groups: []entra.Group{}}, ok(`{"value":[]}`)
	run(t, []story{
		{
			name: "one", call: func(ctx context.Context, c *graph.Client) (any, error) { return c.Group(ctx, board) },
			method: "GET", path: "/v1.0/groups/" + board, query: team + ",assignedLicenses",
			answer: ok(`{"id":"` + board + `","displayName":"Board","groupTypes":["DynamicMembership"],"membershipRule":"user.department -eq \"Board\"","securityEnabled":true,
				"isAssignableToRole":true,"onPremisesSyncEnabled":true,"isManagementRestricted":true,"visibility":"HiddenMembership","description":"d","mailNickname":"board",
				"assignedLicenses":[{"skuId":"x"}]}`),
			want: entra.Group{
				ID: board, DisplayName: "Board", Types: []string{"DynamicMembership"}, MembershipRule: `user.department -eq "Board"`, SecurityEnabled: true,
				RoleAssignable: true, OnPremisesSync: true, ManagementRestricted: true, Visibility: "HiddenMembership", Description: "d", MailNickname: "board", HasLicences: true,
			},
		},
		{
			name: "all", call: find(entra.GroupSearch{}), method: "GET", path: "/v1.0/groups", query: team + "&$top=100",
			answer: ok(`{"@odata.nextLink":"{graph}/v1.0/groups?$skiptoken=a","value":[{"id":"g","displayName":"G"}]}`),
			want:   entra.GroupPage{Groups: []entra.Group{{ID: "g", DisplayName: "G"}}, Next: "/groups?$skiptoken=a"},
		},
		{
			name: "by name", call: find(entra.GroupSearch{Name: "Ada's"}), method: "GET", path: "/v1.0/groups",
			query: team + "&$top=100&$filter=displayName eq 'Ada''s'", answer: empty, want: none,
		},
		{
			name: "by words", call: find(entra.GroupSearch{Text: ` north-"sea\ `, MailEnabled: true}), method: "GET", path: "/v1.0/groups",
			query:  team + `&$top=100&$count=true&$filter=mailEnabled eq true&$search="displayName:north" AND "displayName:sea"`,
			answer: empty, want: none,
		},
		{
			name: "members", call: func(ctx context.Context, c *graph.Client) (any, error) { return c.Members(ctx, board, "") },
			method: "GET", path: "/v1.0/groups/" + board + "/members", query: "$select=id&$top=999",
			answer: ok(`{"value":[{"@odata.type":"#microsoft.graph.user","id":"u1"},{"@odata.type":"#microsoft.graph.servicePrincipal","id":"s1"},null]}`),
			want:   entra.MemberPage{Members: []entra.Member{{ID: "u1", Type: entra.MemberUser}, {ID: "s1", Type: entra.MemberOther}}},
		},
		{
			name: "of somebody", call: func(ctx context.Context, c *graph.Client) (any, error) { return c.GroupsOf(ctx, ada) },
			method: "GET", path: "/v1.0/users/" + ada + "/memberOf", query: team + ",assignedLicenses&$top=999",
			answer: ok(`{"value":[{"@odata.type":"#microsoft.graph.directoryRole","id":"r"},{"@odata.type":"#microsoft.graph.group","id":"g","assignedLicenses":[]}]}`),
			want:   []entra.Group{{ID: "g"}},
		},
	})
}

// TestAdvancedQueries: a search goes to the index, on its next pages too; nothing else does.
func TestAdvancedQueries(t *testing.T) {
	w := newWorld(t, ok(`{"@odata.nextLink":"{graph}/v1.0/groups?$skiptoken=a","value":[]}`), ok(`{"value":[]}`), ok(`{"value":[]}`))
	c := w.client()
	page, err := c.FindGroups(t.Context(), entra.GroupSearch{Text: "north"}, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.FindGroups(t.Context(), entra.GroupSearch{Text: "north"}, page.Next); err != nil {
		t.Fatal(err)
	}
	if _, err := c.FindGroups(t.Context(), entra.GroupSearch{Name: "North"}, ""); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"eventual", "eventual", ""} {
		if got := w.asked(3)[i].Header.Get("ConsistencyLevel"); got != want {
			t.Errorf("request %d has ConsistencyLevel %q, want %q", i, got, want)
		}
	}
}

func TestNoGroup(t *testing.T) {
	gone := refusal(404, "Request_ResourceNotFound", "Resource '"+board+"' does not exist or one of its queried reference-property objects are not present.")
	for name, try := range map[string]func(context.Context, *graph.Client) error{
		"Group":        func(ctx context.Context, c *graph.Client) error { _, err := c.Group(ctx, board); return err },
		"Members":      func(ctx context.Context, c *graph.Client) error { _, err := c.Members(ctx, board, ""); return err },
		"AddMember":    func(ctx context.Context, c *graph.Client) error { return c.AddMember(ctx, board, ada) },
		"RemoveMember": func(ctx context.Context, c *graph.Client) error { return c.RemoveMember(ctx, board, ada) },
	} {
		t.Run(name, func(t *testing.T) { checkKind(t, try(t.Context(), newWorld(t, gone).client()), outlook.NotFound) })
	}
	w := newWorld(t, refusal(404, "Request_ResourceNotFound", "Resource '"+ada+"' does not exist or one of its queried reference-property objects are not present."))
	checkKind(t, w.client().AddMember(t.Context(), board, ada), outlook.NoUser)
}
