package graph

import (
	"context"
	"strings"

	"github.com/microsoftgraph/msgraph-sdk-go/groups"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
	sdkusers "github.com/microsoftgraph/msgraph-sdk-go/users"

	"usher/model/outlook"
)

// userFields is what is read of users; accountEnabled comes only when it is asked for. The slice is the caller's own.
func userFields() []string {
	return []string{"id", "userPrincipalName", "mail", "displayName", "accountEnabled"}
}

// User finds somebody by object id, user principal name or SMTP address. An address that two have is nobody's.
func (c *Client) User(ctx context.Context, ref string) (outlook.User, error) {
	if unnamed(ref) {
		return outlook.User{}, missing("a user")
	}
	info, err := c.users().ByUserId(ref).ToGetRequestInformation(ctx, &sdkusers.UserItemRequestBuilderGetRequestConfiguration{
		QueryParameters: &sdkusers.UserItemRequestBuilderGetQueryParameters{Select: userFields()},
	})
	found, err := fetch[models.Userable](ctx, c, call{operation: opUser, safe: true}, info, err, models.CreateUserFromDiscriminatorValue)
	if err == nil && value(found.GetId()) == "" { // a name such as $count leads elsewhere
		return outlook.User{}, &outlook.Error{Kind: outlook.NoUser, Code: codeUnread, Message: "the answer is no user"}
	}
	if err == nil {
		return user(found), nil
	}
	if outlook.KindOf(err) != outlook.NoUser || !strings.Contains(ref, "@") {
		return outlook.User{}, err
	}
	return c.userByMail(ctx, ref, err)
}

// userByMail looks for the SMTP address of somebody whose principal name is another. Without one it gives the error that was
// had before.
func (c *Client) userByMail(ctx context.Context, mail string, absent error) (outlook.User, error) {
	filter := "mail eq " + quote(mail)
	info, err := c.users().ToGetRequestInformation(ctx, &sdkusers.UsersRequestBuilderGetRequestConfiguration{
		QueryParameters: &sdkusers.UsersRequestBuilderGetQueryParameters{Filter: &filter, Select: userFields()},
	})
	page, err := fetch[models.UserCollectionResponseable](ctx, c, call{operation: "users.find", safe: true}, info, err,
		models.CreateUserCollectionResponseFromDiscriminatorValue)
	if err != nil {
		return outlook.User{}, err
	}
	var found []outlook.User
	for _, candidate := range page.GetValue() {
		if candidate != nil && value(candidate.GetId()) != "" {
			found = append(found, user(candidate))
		}
	}
	switch len(found) {
	case 0:
		return outlook.User{}, absent
	case 1:
		return found[0], nil
	}
	return outlook.User{}, &outlook.Error{Kind: outlook.NoUser, Code: codeAmbiguous, Message: "several users of the tenant have this address"}
}

func user(u models.Userable) outlook.User {
	return outlook.User{
		ID:                value(u.GetId()),
		UserPrincipalName: value(u.GetUserPrincipalName()),
		Mail:              value(u.GetMail()),
		DisplayName:       value(u.GetDisplayName()),
		AccountEnabled:    value(u.GetAccountEnabled()),
	}
}

// GroupMembers gives a page of the users who are direct members of a group; members of other types are left out, so that a page
// may be empty and still have a next one.
func (c *Client) GroupMembers(ctx context.Context, group, next string) (outlook.UserPage, error) {
	if unnamed(group) {
		return outlook.UserPage{}, missing("a group")
	}
	top := int32(500)
	info, err := c.groups().ByGroupId(group).Members().
		ToGetRequestInformation(ctx, &groups.ItemMembersRequestBuilderGetRequestConfiguration{
			QueryParameters: &groups.ItemMembersRequestBuilderGetQueryParameters{Select: userFields(), Top: &top},
		})
	if err := c.follow(info, next); err != nil {
		return outlook.UserPage{}, err
	}
	page, err := fetch[models.DirectoryObjectCollectionResponseable](ctx, c, call{operation: opMembers, safe: true}, info, err,
		models.CreateDirectoryObjectCollectionResponseFromDiscriminatorValue)
	if err != nil {
		return outlook.UserPage{}, err
	}
	var result outlook.UserPage
	for _, member := range page.GetValue() {
		if person, ok := member.(models.Userable); ok && value(person.GetId()) != "" {
			result.Users = append(result.Users, user(person))
		}
	}
	result.Next, err = c.link(page.GetOdataNextLink())
	return result, err
}
