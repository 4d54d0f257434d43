package graph

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"

	abstractions "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoftgraph/msgraph-sdk-go/groups"
	sdkusers "github.com/microsoftgraph/msgraph-sdk-go/users"

	"usher/model/entra"
	"usher/model/outlook"
)

// groupFields is everything that is read of groups: whether Graph can change the members is told by most of it. The slice is the
// caller's own.
func groupFields() []string {
	return []string{
		"id", "displayName", "description", "mail", "mailNickname", "groupTypes", "mailEnabled", "securityEnabled", "membershipRule",
		"isAssignableToRole", "onPremisesSyncEnabled", "isManagementRestricted", "visibility",
	}
}

// licensedFields asks for the licences of groups as well.
func licensedFields() []string { return append(groupFields(), "assignedLicenses") }

// groups gives the SDK's builder of requests below /groups.
func (c *Client) groups() *groups.GroupsRequestBuilder {
	return groups.NewGroupsRequestBuilderInternal(map[string]string{}, c.adapter)
}

// mostInDelta is how many objects a delta may be filtered by (Graph: delta of groups, $filter).
const mostInDelta = 50

// GroupsDelta gives a page of what changed of groups and their members: of at most 50 by object id, or of all where none is named.
func (c *Client) GroupsDelta(ctx context.Context, ids []string, link string) (entra.GroupPage, error) {
	filter, err := filterByID(ids)
	if err != nil {
		return entra.GroupPage{}, err
	}
	page, err := deltaPage(ctx, c, call{operation: "groups.delta", units: 1}, link, func() (*abstractions.RequestInformation, error) {
		return c.groups().Delta().ToGetRequestInformation(ctx, &groups.DeltaRequestBuilderGetRequestConfiguration{
			QueryParameters: &groups.DeltaRequestBuilderGetQueryParameters{Select: append(groupFields(), "members"), Filter: filter},
		})
	})
	if err != nil {
		return entra.GroupPage{}, err
	}
	list, err := readGroups(page.Value)
	return entra.GroupPage{Groups: list, Next: page.Next, Delta: page.Delta}, err
}

// filterByID names objects as a delta takes them; nil is all of them.
func filterByID(ids []string) (*string, error) {
	if len(ids) > mostInDelta {
		return nil, badValue(fmt.Sprintf("a delta can be of %d objects, not of %d", mostInDelta, len(ids)))
	}
	if len(ids) == 0 {
		return nil, nil
	}
	parts := make([]string, 0, len(ids))
	for _, id := range ids {
		if id == "" {
			return nil, missing("a group")
		}
		parts = append(parts, "id eq "+quote(id))
	}
	joined := strings.Join(parts, " or ")
	return &joined, nil
}

// readGroups reads the groups that have an id.
func readGroups(texts []json.RawMessage) ([]entra.Group, error) {
	list := make([]entra.Group, 0, len(texts))
	for _, text := range texts {
		g, err := readGroup(text)
		if err != nil {
			return nil, err
		}
		if g.ID != "" {
			list = append(list, g)
		}
	}
	return list, nil
}

// groupPage reads a page of a list of groups.
func (c *Client) groupPage(ctx context.Context, call call, next string, build builder) (entra.GroupPage, error) {
	call.safe = true
	info, err := build()
	if err := c.follow(info, next); err != nil {
		return entra.GroupPage{}, err
	}
	page, err := readJSON[pageJSON[json.RawMessage]](ctx, c, call, info, err)
	if err != nil {
		return entra.GroupPage{}, err
	}
	var result entra.GroupPage
	if result.Groups, err = readGroups(page.Value); err == nil {
		result.Next, err = c.link(&page.Next)
	}
	return result, err
}

// FindGroups gives a page of groups. A search for words reads an index, which is a little behind (Graph: advanced queries).
func (c *Client) FindGroups(ctx context.Context, search entra.GroupSearch, next string) (entra.GroupPage, error) {
	top := c.shown()
	query := &groups.GroupsRequestBuilderGetQueryParameters{Select: groupFields(), Top: &top}
	var filters []string
	if search.Name != "" {
		filters = append(filters, "displayName eq "+quote(search.Name))
	}
	if search.MailEnabled {
		filters = append(filters, "mailEnabled eq true")
	}
	if len(filters) > 0 {
		joined := strings.Join(filters, " and ")
		query.Filter = &joined
	}
	words := searchFor("displayName", search.Text)
	if words != "" {
		count := true
		query.Search, query.Count = &words, &count
	}
	return c.groupPage(ctx, call{operation: "groups.find", units: 1, eventual: words != ""}, next, func() (*abstractions.RequestInformation, error) {
		return c.groups().ToGetRequestInformation(ctx, &groups.GroupsRequestBuilderGetRequestConfiguration{QueryParameters: query})
	})
}

// searchFor writes a $search that wants every word of a text at the beginning of a word of the property. What is between words is
// left out, as Graph does with the property.
func searchFor(property, text string) string {
	words := strings.FieldsFunc(text, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) })
	for i, word := range words {
		words[i] = `"` + property + ":" + word + `"`
	}
	return strings.Join(words, " AND ")
}

// Group reads one group by object id.
func (c *Client) Group(ctx context.Context, id string) (entra.Group, error) {
	if unnamed(id) {
		return entra.Group{}, missing("a group")
	}
	info, err := c.groups().ByGroupId(id).ToGetRequestInformation(ctx, &groups.GroupItemRequestBuilderGetRequestConfiguration{
		QueryParameters: &groups.GroupItemRequestBuilderGetQueryParameters{Select: licensedFields()},
	})
	text, err := c.fetchBytes(ctx, call{operation: "groups.get", safe: true, units: 1}, info, err)
	if err != nil {
		return entra.Group{}, err
	}
	g, err := readGroup(text)
	if err == nil && g.ID == "" {
		return entra.Group{}, &outlook.Error{Kind: outlook.NotFound, Code: codeUnread, Message: "the answer is no group"}
	}
	return g, err
}

// Members gives a page of the direct members of a group.
func (c *Client) Members(ctx context.Context, groupID, next string) (entra.MemberPage, error) {
	if unnamed(groupID) {
		return entra.MemberPage{}, missing("a group")
	}
	top := int32(c.listSize)
	info, err := c.groups().ByGroupId(groupID).Members().ToGetRequestInformation(ctx, &groups.ItemMembersRequestBuilderGetRequestConfiguration{
		QueryParameters: &groups.ItemMembersRequestBuilderGetQueryParameters{Select: []string{"id"}, Top: &top},
	})
	if err := c.follow(info, next); err != nil {
		return entra.MemberPage{}, err
	}
	page, err := readJSON[pageJSON[memberJSON]](ctx, c, call{operation: opMembers, safe: true, units: 2}, info, err)
	if err != nil {
		return entra.MemberPage{}, err
	}
	result := entra.MemberPage{Members: members(page.Value)}
	result.Next, err = c.link(&page.Next)
	return result, err
}

// GroupsOf gives the groups that a user is a direct member of. Without a cast, which would read an index that is behind what has
// just been written: what else the user belongs to, such as roles and administrative units, is left out here.
func (c *Client) GroupsOf(ctx context.Context, userID string) ([]entra.Group, error) {
	if unnamed(userID) {
		return nil, missing("a user")
	}
	top := int32(c.listSize)
	var list []entra.Group
	next := ""
	for range mostPages {
		info, err := c.users().ByUserId(userID).MemberOf().ToGetRequestInformation(ctx, &sdkusers.ItemMemberOfRequestBuilderGetRequestConfiguration{
			QueryParameters: &sdkusers.ItemMemberOfRequestBuilderGetQueryParameters{Select: licensedFields(), Top: &top},
		})
		if err := c.follow(info, next); err != nil {
			return nil, err
		}
		page, err := readJSON[pageJSON[groupJSON]](ctx, c, call{operation: "users.groups", safe: true, units: 1}, info, err)
		if err != nil {
			return nil, err
		}
		for _, g := range page.Value {
			if g.ID != "" && strings.EqualFold(g.Type, "#microsoft.graph.group") {
				list = append(list, g.group())
			}
		}
		if next, err = c.link(&page.Next); err != nil || next == "" {
			return list, err
		}
	}
	return nil, unreadable("the list of groups does not end")
}
