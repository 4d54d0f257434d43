package graph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	abstractions "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoftgraph/msgraph-sdk-go/directory"
	sdkusers "github.com/microsoftgraph/msgraph-sdk-go/users"
	"golang.org/x/sync/errgroup"

	"usher/model/entra"
	"usher/model/outlook"
)

// linkLatest begins a delta with what will change from now on.
const linkLatest = "latest"

// personFields is everything that is read of people, and the directory extensions with it. The slice is the caller's own.
func personFields(extensions []string) []string {
	return append([]string{
		"id", "userPrincipalName", "mail", "mailNickname", "otherMails", "proxyAddresses", "userType", "accountEnabled",
		"onPremisesSyncEnabled", "displayName", "givenName", "surname", "jobTitle", "department", "companyName", "employeeId",
		"employeeType", "officeLocation", "usageLocation", "preferredLanguage", "streetAddress", "city", "state", "postalCode",
		"country", "mobilePhone", "faxNumber", "businessPhones", "onPremisesExtensionAttributes", "createdDateTime",
	}, extensions...)
}

// expandManager asks for the manager, of whom the id is wanted.
const expandManager = "manager($select=id)"

// checkExtensions refuses names that would change what else is asked for.
func checkExtensions(names []string) error {
	for _, name := range names {
		if !strings.HasPrefix(name, extensionPrefix) || strings.IndexFunc(name, func(r rune) bool {
			return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
		}) >= 0 {
			return badValue(fmt.Sprintf("%q is not the name of a directory extension", shorten(name, 100)))
		}
	}
	return nil
}

// UsersDelta gives a page of what changed of users. Of the manager Graph tells when it changed, as User.ManagerUntold says.
func (c *Client) UsersDelta(ctx context.Context, link string, extensions []string) (entra.UserPage, error) {
	if err := checkExtensions(extensions); err != nil {
		return entra.UserPage{}, err
	}
	page, err := deltaPage(ctx, c, call{operation: "users.delta", units: 1}, link, func() (*abstractions.RequestInformation, error) {
		return c.users().Delta().ToGetRequestInformation(ctx, &sdkusers.DeltaRequestBuilderGetRequestConfiguration{
			QueryParameters: &sdkusers.DeltaRequestBuilderGetQueryParameters{Select: append(personFields(extensions), "manager")},
		})
	})
	if err != nil {
		return entra.UserPage{}, err
	}
	result := entra.UserPage{Next: page.Next, Delta: page.Delta, Users: make([]entra.User, 0, len(page.Value))}
	for _, text := range page.Value {
		u, err := readUser(text, true)
		if err != nil {
			return entra.UserPage{}, err
		}
		if u.ID != "" {
			result.Users = append(result.Users, u)
		}
	}
	return result, nil
}

// deltaPage reads a page of a delta of the directory. A link that is not this Graph's is as lost as one that Graph has forgotten.
func deltaPage(ctx context.Context, c *Client, call call, link string, build builder) (page pageJSON[json.RawMessage], err error) {
	call.safe = true
	for _, size := range []int{c.listSize, min(c.listSize, shownPage)} { // smaller where a page was too large to read
		info, built := build()
		if link == linkLatest && info != nil {
			latest(info)
		} else if c.follow(info, link) != nil {
			return page, &outlook.Error{Kind: outlook.SyncLost, Code: codeForeign, Message: "the link does not lead to this Graph"}
		}
		call.prefer = []string{"odata.maxpagesize=" + strconv.Itoa(size)}
		page, err = readJSON[pageJSON[json.RawMessage]](ctx, c, call, info, built)
		if failed, ok := errors.AsType[*outlook.Error](err); !ok || failed.Code != codeTooLarge {
			break
		}
	}
	if err != nil {
		return page, err
	}
	if page.Next, err = c.link(&page.Next); err != nil {
		return page, err
	}
	if page.Next != "" {
		page.Delta = ""
		return page, nil
	}
	if page.Delta, err = c.link(&page.Delta); err == nil && page.Delta == "" {
		err = unreadable("the page leads neither to a next one nor to the next round")
	}
	return page, err
}

// latest asks for nothing but the link to what will change. The SDK has no parameter for it.
func latest(info *abstractions.RequestInformation) {
	info.UrlTemplate = strings.Replace(info.UrlTemplate, "{?", "{?%24deltatoken,", 1)
	info.QueryParameters["%24deltatoken"] = linkLatest
}

// readJSON sends a request whose answer is read without the SDK's models.
func readJSON[T any](ctx context.Context, c *Client, call call, info *abstractions.RequestInformation, err error) (T, error) {
	var result T
	body, err := c.fetchBytes(ctx, call, info, err)
	if err != nil {
		return result, err
	}
	if json.Unmarshal(body, &result) != nil {
		return result, unreadable("the answer is not what Graph documents")
	}
	return result, nil
}

// TenantUser finds somebody by object id or user principal name.
func (c *Client) TenantUser(ctx context.Context, ref string, extensions []string) (entra.User, error) {
	if unnamed(ref) {
		return entra.User{}, missing("a user")
	}
	if err := checkExtensions(extensions); err != nil {
		return entra.User{}, err
	}
	info, err := c.users().ByUserId(ref).ToGetRequestInformation(ctx, &sdkusers.UserItemRequestBuilderGetRequestConfiguration{
		QueryParameters: &sdkusers.UserItemRequestBuilderGetQueryParameters{Select: personFields(extensions), Expand: []string{expandManager}},
	})
	text, err := c.fetchBytes(ctx, call{operation: opUser, safe: true, units: 2}, info, err)
	if err != nil {
		return entra.User{}, err
	}
	u, err := readUser(text, false)
	if err == nil && u.ID == "" { // a name such as $count leads elsewhere
		return entra.User{}, &outlook.Error{Kind: outlook.NoUser, Code: codeUnread, Message: "the answer is no user"}
	}
	return u, err
}

// mostInFilter is how many ids a filter may name (Graph: advanced queries, limits of the operator in).
const mostInFilter = 15

// atOnce is how many of the requests for one list are on their way together.
const atOnce = 4

// UsersByID reads users by object id; those who are not there are left out. A short list of users filtered by 15 ids costs one
// resource unit; in a batch of 20 every read counts for itself and costs two. The round trips are almost as few.
func (c *Client) UsersByID(ctx context.Context, ids, extensions []string) ([]entra.User, error) {
	if err := checkExtensions(extensions); err != nil {
		return nil, err
	}
	parts := make([][]entra.User, (len(ids)+mostInFilter-1)/mostInFilter)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i := range parts {
		group.Go(func() (err error) {
			parts[i], err = c.usersWith(ctx, ids[i*mostInFilter:min((i+1)*mostInFilter, len(ids))], extensions)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	list := make([]entra.User, 0, len(ids))
	for _, part := range parts {
		list = append(list, part...)
	}
	return list, nil
}

// usersWith reads as many users as one filter may name.
func (c *Client) usersWith(ctx context.Context, ids, extensions []string) ([]entra.User, error) {
	quoted := make([]string, 0, len(ids))
	for _, id := range ids {
		if id == "" {
			return nil, missing("a user")
		}
		quoted = append(quoted, quote(id))
	}
	filter, top := "id in ("+strings.Join(quoted, ",")+")", int32(mostInFilter)
	var list []entra.User
	for next := ""; ; {
		page, err := c.userPage(ctx, call{operation: "users.by_id", units: 1}, next, func() (*abstractions.RequestInformation, error) {
			return c.users().ToGetRequestInformation(ctx, &sdkusers.UsersRequestBuilderGetRequestConfiguration{
				QueryParameters: &sdkusers.UsersRequestBuilderGetQueryParameters{
					Filter: &filter, Select: personFields(extensions), Expand: []string{expandManager}, Top: &top,
				},
			})
		})
		if err != nil {
			return nil, err
		}
		list = append(list, page.Users...)
		if next = page.Next; next == "" {
			return list, nil
		}
		if len(list) > len(ids) {
			return nil, unreadable("the list of users does not end")
		}
	}
}

// userPage reads a page of a list of users.
func (c *Client) userPage(ctx context.Context, call call, next string, build builder) (entra.UserPage, error) {
	call.safe = true
	info, err := build()
	if err := c.follow(info, next); err != nil {
		return entra.UserPage{}, err
	}
	page, err := readJSON[pageJSON[json.RawMessage]](ctx, c, call, info, err)
	if err != nil {
		return entra.UserPage{}, err
	}
	result := entra.UserPage{Users: make([]entra.User, 0, len(page.Value))}
	for _, text := range page.Value {
		u, err := readUser(text, false)
		if err != nil {
			return entra.UserPage{}, err
		}
		if u.ID != "" {
			result.Users = append(result.Users, u)
		}
	}
	result.Next, err = c.link(&page.Next)
	return result, err
}

// FindUsers gives a page of users whose names, user name or address begin with the text; "" gives all. Managers are not read.
func (c *Client) FindUsers(ctx context.Context, text, next string) (entra.UserPage, error) {
	var filter *string
	if text != "" {
		var parts []string
		for _, property := range []string{"displayName", "givenName", "surname", "userPrincipalName", "mail"} {
			parts = append(parts, "startswith("+property+","+quote(text)+")")
		}
		joined := strings.Join(parts, " or ")
		filter = &joined
	}
	top := c.shown()
	return c.userPage(ctx, call{operation: "users.find", units: 1}, next, func() (*abstractions.RequestInformation, error) {
		return c.users().ToGetRequestInformation(ctx, &sdkusers.UsersRequestBuilderGetRequestConfiguration{
			QueryParameters: &sdkusers.UsersRequestBuilderGetQueryParameters{Filter: filter, Select: personFields(nil), Top: &top},
		})
	})
}

// shownPage is the size of the pages that somebody looks at; those of lists that are read to their end are as large as can be.
const shownPage = 100

func (c *Client) shown() int32 { return int32(min(c.listSize, shownPage)) }

// DeletedUsers gives a page of the users that can be restored.
func (c *Client) DeletedUsers(ctx context.Context, next string) (entra.UserPage, error) {
	top := int32(c.listSize)
	return c.userPage(ctx, call{operation: "users.deleted", units: 1}, next, func() (*abstractions.RequestInformation, error) {
		info, err := directory.NewDirectoryRequestBuilderInternal(map[string]string{}, c.adapter).DeletedItems().GraphUser().
			ToGetRequestInformation(ctx, &directory.DeletedItemsGraphUserRequestBuilderGetRequestConfiguration{
				QueryParameters: &directory.DeletedItemsGraphUserRequestBuilderGetQueryParameters{
					Select: append(personFields(nil), "deletedDateTime"), Top: &top,
				},
			})
		return castInFull(info), err
	})
}

// castInFull gives a cast its documented name; the SDK's templates have a shorter one.
func castInFull(info *abstractions.RequestInformation) *abstractions.RequestInformation {
	if info != nil {
		info.UrlTemplate = strings.Replace(info.UrlTemplate, "/graph.", "/microsoft.graph.", 1)
	}
	return info
}
