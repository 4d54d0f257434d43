package entraid

import (
	"context"
	"strings"

	"usher/model/entra"
	"usher/model/outlook"
)

// Organization gives the tenant's name and verified domains.
func (c *Client) Organization(ctx context.Context) (entra.Organization, error) {
	return c.session.Organization(ctx)
}

// Extensions lists the directory extensions that can be mapped.
func (c *Client) Extensions(ctx context.Context) ([]entra.Extension, error) {
	return c.session.Extensions(ctx)
}

// Photo reads a person's picture, unless it still has the tag.
func (c *Client) Photo(ctx context.Context, userID, etag string) (entra.Photo, error) {
	p, err := c.session.Photo(ctx, userID)
	if err == nil && etag != "" && p.ETag == etag {
		return entra.Photo{ETag: etag, NotModified: true}, nil
	}
	return p, err
}

// SKUs gives the products that the tenant has subscribed to.
func (c *Client) SKUs(ctx context.Context) ([]entra.SKU, error) { return c.session.SKUs(ctx) }

// Licences gives what a user has.
func (c *Client) Licences(ctx context.Context, userID string) ([]entra.Licence, error) {
	return c.session.Licences(ctx, userID)
}

// AssignLicences gives a user products and takes others away.
func (c *Client) AssignLicences(ctx context.Context, userID string, add []entra.Licence, remove []string) error {
	return c.session.AssignLicences(ctx, userID, add, remove)
}

// valuesOf says in JSON's types what a change sets.
func valuesOf(change entra.UserChange) Values {
	v := Values{}
	attributes := map[string]any{}
	for name, text := range change.Set {
		var value any = text
		if text == "" {
			value = nil
		}
		if strings.HasPrefix(name, "extensionAttribute") {
			attributes[name] = value
		} else {
			v[name] = value
		}
	}
	if len(attributes) > 0 {
		v["onPremisesExtensionAttributes"] = attributes
	}
	if change.BusinessPhones != nil {
		list := []any{}
		for _, phone := range *change.BusinessPhones {
			list = append(list, phone)
		}
		v["businessPhones"] = list
	}
	if change.Enabled != nil {
		v["accountEnabled"] = *change.Enabled
	}
	return v
}

// CreateUser makes a user, who must change the password at the first sign-in.
func (c *Client) CreateUser(ctx context.Context, u entra.NewUser) (entra.User, error) {
	v := valuesOf(u.UserChange)
	v["userPrincipalName"], v["mailNickname"], v["accountEnabled"] = u.UserPrincipalName, u.MailNickname, u.Enabled
	v["passwordProfile"] = map[string]any{"password": u.Password, "forceChangePasswordNextSignIn": true}
	made, err := c.session.CreateUser(ctx, v)
	if err != nil {
		return entra.User{}, err
	}
	out := userOf(made, nil)
	if u.ManagerID != nil && *u.ManagerID != "" {
		err = c.session.SetManager(ctx, made.ID, *u.ManagerID)
	}
	return out, err
}

// UpdateUser changes a user.
func (c *Client) UpdateUser(ctx context.Context, id string, change entra.UserChange) error {
	if v := valuesOf(change); len(v) > 0 {
		if err := c.session.UpdateUser(ctx, id, v); err != nil {
			return err
		}
	}
	if change.ManagerID == nil {
		return nil
	}
	err := c.session.SetManager(ctx, id, *change.ManagerID)
	if *change.ManagerID == "" && outlook.KindOf(err) == outlook.NotFound {
		return nil // there was none
	}
	return err
}

// DeleteUser puts a user among the deleted items.
func (c *Client) DeleteUser(ctx context.Context, id string) error {
	return c.session.DeleteUser(ctx, id)
}

// RestoreUser takes a user out of the deleted items.
func (c *Client) RestoreUser(ctx context.Context, id string) (entra.User, error) {
	u, err := c.session.RestoreUser(ctx, id)
	if err != nil {
		return entra.User{}, err
	}
	return userOf(u, nil), nil
}

// RevokeSessions ends a user's sign-ins everywhere.
func (c *Client) RevokeSessions(ctx context.Context, id string) error {
	return c.session.RevokeSessions(ctx, id)
}

// AddMember puts a user into a group.
func (c *Client) AddMember(ctx context.Context, groupID, userID string) error {
	return c.session.AddMembers(ctx, groupID, userID)
}

// RemoveMember takes a user out of a group.
func (c *Client) RemoveMember(ctx context.Context, groupID, userID string) error {
	return c.session.RemoveMember(ctx, groupID, userID)
}
