package entraid

import (
	"context"
	"slices"
	"strings"
	"unicode"

	"usher/internal/simulator"
	"usher/model/entra"
)

// Client is what Graph offers one application of the tenant, in the words of model/entra: directory.Tenant and
// directory.Provisioning. Failures are *outlook.Error with Graph's codes, save those of the context. It is safe for concurrent
// use.
type Client struct{ session *Session }

// Client gives what an application may do, under its id, with what it has been granted by then.
func (d *Directory) Client(app string) *Client {
	return &Client{&Session{directory: d, actor: Actor{App: app}, current: true}}
}

// latest begins a delta with what will change from now on.
const latest = "latest"

func round(text string) Round {
	if text == latest {
		return Round{Latest: true}
	}
	return Round{Link: text}
}

// tracked are the properties of a user that a typed delta selects.
func tracked(extensions []string) []string {
	return append([]string{
		"accountEnabled", "businessPhones", "city", "companyName", "country", "department", "displayName", "employeeId", "employeeType",
		"faxNumber", "givenName", "jobTitle", "mail", "mailNickname", "mobilePhone", "officeLocation", "onPremisesExtensionAttributes",
		"onPremisesSyncEnabled", "otherMails", "postalCode", "preferredLanguage", "proxyAddresses", "state", "streetAddress", "surname",
		"usageLocation", "userPrincipalName", "userType", "manager",
	}, extensions...)
}

// Permissions gives the application permissions that the administrator has granted.
func (c *Client) Permissions(ctx context.Context) ([]string, error) {
	var granted []string
	err := c.session.do(ctx, call{method: "Permissions"}, func() error {
		granted, _ = c.session.directory.Permissions(c.session.actor.App)
		return nil
	})
	return granted, err
}

// UsersDelta gives a page of what changed of users.
func (c *Client) UsersDelta(ctx context.Context, link string, extensions []string) (entra.UserPage, error) {
	r := round(link)
	if r.Link == "" {
		r.Select = tracked(extensions)
	}
	page, err := c.session.UsersDelta(ctx, r)
	if err != nil {
		return entra.UserPage{}, err
	}
	out := entra.UserPage{Next: page.Next, Delta: page.Delta}
	for _, entry := range page.Entries {
		if entry.Removed != entra.Kept {
			out.Users = append(out.Users, entra.User{ID: entry.User.ID, Removed: entry.Removed})
			continue
		}
		u := userOf(entry.User, page.Select)
		if u.ManagerUntold = !entry.Manager; u.ManagerUntold {
			u.ManagerID = ""
		}
		out.Users = append(out.Users, u)
	}
	return out, nil
}

// GroupsDelta gives a page of what changed of groups and their direct members.
func (c *Client) GroupsDelta(ctx context.Context, ids []string, link string) (entra.GroupPage, error) {
	r := round(link)
	if r.Link == "" {
		r.IDs = ids
	}
	page, err := c.session.GroupsDelta(ctx, r)
	if err != nil {
		return entra.GroupPage{}, err
	}
	out := entra.GroupPage{Next: page.Next, Delta: page.Delta}
	for _, entry := range page.Entries {
		g := entra.Group{ID: entry.Group.ID, Removed: entry.Removed}
		if entry.Removed == entra.Kept {
			g = groupOf(entry.Group)
			g.Members = entry.Members
		}
		out.Groups = append(out.Groups, g)
	}
	return out, nil
}

// TenantUser finds somebody by object id or user principal name.
func (c *Client) TenantUser(ctx context.Context, ref string, extensions []string) (entra.User, error) {
	u, err := c.session.User(ctx, ref)
	if err != nil {
		return entra.User{}, err
	}
	return userOf(u, extensions), nil
}

// UsersByID reads users by object id, any number of them.
func (c *Client) UsersByID(ctx context.Context, ids, extensions []string) ([]entra.User, error) {
	var out []entra.User
	for part := range slices.Chunk(ids, maxByID) {
		users, _, err := c.session.ByID(ctx, part)
		if err != nil {
			return nil, err
		}
		for _, u := range users {
			out = append(out, userOf(u, extensions))
		}
	}
	return out, nil
}

// FindUsers gives a page of users whose name, user name or address begins with the text.
func (c *Client) FindUsers(ctx context.Context, text, next string) (entra.UserPage, error) {
	list := List[simulator.User]{Next: next}
	if text != "" {
		list.Wanted = func(u simulator.User) bool {
			for _, value := range []string{u.DisplayName, u.GivenName, u.Surname, u.UserPrincipalName, u.Mail} {
				if hasPrefix(value, text) {
					return true
				}
			}
			return false
		}
	}
	return c.users(ctx, false, list)
}

// DeletedUsers gives a page of the users that can be restored.
func (c *Client) DeletedUsers(ctx context.Context, next string) (entra.UserPage, error) {
	return c.users(ctx, true, List[simulator.User]{Next: next})
}

func (c *Client) users(ctx context.Context, deleted bool, list List[simulator.User]) (entra.UserPage, error) {
	users, next, err := c.session.Users(ctx, deleted, list)
	page := entra.UserPage{Next: next}
	for _, u := range users {
		page.Users = append(page.Users, userOf(u, nil))
	}
	return page, err
}

// FindGroups gives a page of groups.
func (c *Client) FindGroups(ctx context.Context, search entra.GroupSearch, next string) (entra.GroupPage, error) {
	words := Words(search.Text)
	groups, following, err := c.session.Groups(ctx, List[simulator.Group]{Next: next, Wanted: func(g simulator.Group) bool {
		return (search.Name == "" || strings.EqualFold(g.DisplayName, search.Name)) && (!search.MailEnabled || g.MailEnabled) &&
			!slices.ContainsFunc(words, func(word string) bool { return !HasWord(g.DisplayName, word) })
	}})
	page := entra.GroupPage{Next: following}
	for _, g := range groups {
		page.Groups = append(page.Groups, c.group(g))
	}
	return page, err
}

// Group reads one group by object id.
func (c *Client) Group(ctx context.Context, id string) (entra.Group, error) {
	g, err := c.session.Group(ctx, id)
	if err != nil {
		return entra.Group{}, err
	}
	return c.group(g), nil
}

func (c *Client) group(g simulator.Group) entra.Group {
	out := groupOf(g)
	out.HasLicences = len(c.session.directory.tenant.GroupLicences(g.ID)) > 0
	return out
}

// Members gives a page of the direct members of a group.
func (c *Client) Members(ctx context.Context, groupID, next string) (entra.MemberPage, error) {
	rows, following, err := c.session.Members(ctx, groupID, next, 0)
	page := entra.MemberPage{Next: following}
	for _, row := range rows {
		page.Members = append(page.Members, entra.Member{ID: row.ID, Type: MemberType(row)})
	}
	return page, err
}

// GroupsOf gives the groups that a user is a direct member of.
func (c *Client) GroupsOf(ctx context.Context, userID string) ([]entra.Group, error) {
	groups, err := c.session.GroupsOf(ctx, userID)
	var out []entra.Group
	for _, g := range groups {
		out = append(out, c.group(g))
	}
	return out, err
}

func hasPrefix(value, text string) bool {
	return strings.HasPrefix(strings.ToLower(value), strings.ToLower(text))
}

// HasWord says whether one of the words of a text begins with another one, as $search has it.
func HasWord(text, begins string) bool {
	return slices.ContainsFunc(Words(text), func(word string) bool { return hasPrefix(word, begins) })
}

// Words gives the words of a text, without what is between them.
func Words(text string) []string {
	return strings.FieldsFunc(text, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) })
}
