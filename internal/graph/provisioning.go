package graph

import (
	"context"
	"encoding/json"
	"strings"

	abstractions "github.com/microsoft/kiota-abstractions-go"

	"usher/model/entra"
	"usher/model/outlook"
)

// Applications and the synchronization API are spoken to in JSON of our own. The SDK's builders have no PUT for a job's schema, which
// is the only method that the service knows, and its models lose what they do not know of one; with the few properties that are read
// here, its packages for applications and service principals would be carried for their addresses alone.

// path is an address below the root with its steps by name, each of which is escaped.
type path struct {
	template string
	steps    map[string]string
}

// principal is an address below a service principal.
func principal(id, rest string, more ...string) path {
	p := path{template: "/servicePrincipals/{sp}" + rest, steps: map[string]string{"sp": id}}
	for i := 0; i+1 < len(more); i += 2 {
		p.steps[more[i]] = more[i+1]
	}
	return p
}

// job is an address below a provisioning job.
func job(servicePrincipal, id, rest string) path {
	return principal(servicePrincipal, "/synchronization/jobs/{job}"+rest, "job", id)
}

// request writes a request; a nil body is none. An address that lacks a step would lead to all things of the kind.
func (c *Client) request(method abstractions.HttpMethod, p path, body any) (*abstractions.RequestInformation, error) {
	for _, step := range p.steps {
		if unnamed(step) {
			return nil, missing("an id")
		}
	}
	info := abstractions.NewRequestInformationWithMethodAndUrlTemplateAndPathParameters(method, "{+baseurl}"+p.template, p.steps)
	info.Headers.TryAdd("Accept", "application/json")
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, badValue("the body is no JSON")
		}
		info.SetStreamContentAndContentType(text, "application/json")
	}
	return info, nil
}

// ask sends a request and reads its JSON.
func ask[T any](ctx context.Context, c *Client, call call, method abstractions.HttpMethod, p path, body any) (T, error) {
	info, err := c.request(method, p, body)
	if err != nil {
		var none T
		return none, err
	}
	return readJSON[T](ctx, c, call, info, nil)
}

// tell sends a request of whose answer the status alone is wanted.
func (c *Client) tell(ctx context.Context, call call, method abstractions.HttpMethod, p path, body any) error {
	info, err := c.request(method, p, body)
	if err != nil {
		return err
	}
	return c.done(ctx, call, info, nil)
}

// listed reads a list to its end.
func listed[T any](ctx context.Context, c *Client, call call, p path) ([]T, error) {
	call.safe = true
	var list []T
	next := ""
	for range mostPages {
		info, err := c.request(abstractions.GET, p, nil)
		if err != nil {
			return nil, err
		}
		if err := c.follow(info, next); err != nil {
			return nil, err
		}
		page, err := readJSON[pageJSON[T]](ctx, c, call, info, nil)
		if err != nil {
			return nil, err
		}
		list = append(list, page.Value...)
		if next, err = c.link(&page.Next); err != nil || next == "" {
			return list, err
		}
	}
	return nil, unreadable("the list does not end")
}

type applicationJSON struct {
	ID          string `json:"id"`
	AppID       string `json:"appId"`
	DisplayName string `json:"displayName"`
}

type servicePrincipalJSON struct {
	applicationJSON
	Roles []struct {
		ID          string   `json:"id"`
		DisplayName string   `json:"displayName"`
		Enabled     bool     `json:"isEnabled"`
		For         []string `json:"allowedMemberTypes"`
	} `json:"appRoles"`
}

// platformRole is the role that the platform gives every gallery application for itself.
const platformRole = "msiam_access"

func (s servicePrincipalJSON) servicePrincipal() entra.ServicePrincipal {
	result := entra.ServicePrincipal{ID: s.ID, AppID: s.AppID, DisplayName: s.DisplayName}
	for _, r := range s.Roles {
		role := entra.AppRole{ID: r.ID, Name: r.DisplayName, Enabled: r.Enabled, Platform: r.DisplayName == platformRole}
		for _, who := range r.For {
			role.ForUsers = role.ForUsers || strings.EqualFold(who, "User")
		}
		result.Roles = append(result.Roles, role)
	}
	return result
}

// principalFields is what is read of a service principal.
const principalFields = "?$select=id,appId,displayName,appRoles"

// Instantiate makes an application from a gallery template. It is never repeated, because a second one would come of it.
func (c *Client) Instantiate(ctx context.Context, templateID, displayName string) (entra.Application, error) {
	type made struct {
		Application      applicationJSON `json:"application"`
		ServicePrincipal applicationJSON `json:"servicePrincipal"`
	}
	got, err := ask[made](ctx, c, call{operation: "applicationTemplates.instantiate", units: 1}, abstractions.POST,
		path{"/applicationTemplates/{template}/instantiate", map[string]string{"template": templateID}}, map[string]string{"displayName": displayName})
	if err == nil && (got.Application.ID == "" || got.ServicePrincipal.ID == "") {
		err = unreadable("the answer lacks the application or its service principal")
	}
	return entra.Application{
		ObjectID: got.Application.ID, AppID: got.Application.AppID, ServicePrincipalID: got.ServicePrincipal.ID, DisplayName: got.Application.DisplayName,
	}, err
}

// ApplicationsNamed finds the applications of exactly that display name, each with its service principal where that is found.
func (c *Client) ApplicationsNamed(ctx context.Context, displayName string) ([]entra.Application, error) {
	if displayName == "" {
		return nil, missing("a name")
	}
	list, err := listed[applicationJSON](ctx, c, call{operation: "applications.find", units: 1},
		path{"/applications?$select=id,appId,displayName&$filter=displayName%20eq%20{name}", map[string]string{"name": quote(displayName)}})
	if err != nil {
		return nil, err
	}
	found := make([]entra.Application, 0, len(list))
	for _, a := range list {
		if a.DisplayName != displayName { // Graph compares without case
			continue
		}
		p, err := c.ServicePrincipalOf(ctx, a.AppID)
		if err != nil && outlook.KindOf(err) != outlook.NotFound {
			return nil, err
		}
		found = append(found, entra.Application{ObjectID: a.ID, AppID: a.AppID, ServicePrincipalID: p.ID, DisplayName: a.DisplayName})
	}
	return found, nil
}

// ServicePrincipal reads a service principal by object id. NotFound may mean that it is too new.
func (c *Client) ServicePrincipal(ctx context.Context, id string) (entra.ServicePrincipal, error) {
	got, err := ask[servicePrincipalJSON](ctx, c, call{operation: "servicePrincipals.get", safe: true, units: 1}, abstractions.GET,
		principal(id, principalFields), nil)
	if err == nil && got.ID == "" {
		err = &outlook.Error{Kind: outlook.NotFound, Code: codeUnread, Message: "the answer is no service principal"}
	}
	return got.servicePrincipal(), err
}

// ServicePrincipalOf finds the service principal of an application by its client id.
func (c *Client) ServicePrincipalOf(ctx context.Context, appID string) (entra.ServicePrincipal, error) {
	list, err := listed[servicePrincipalJSON](ctx, c, call{operation: "servicePrincipals.find", units: 1},
		path{"/servicePrincipals" + principalFields + "&$filter=appId%20eq%20{app}", map[string]string{"app": quote(appID)}})
	if err == nil && len(list) == 0 {
		err = &outlook.Error{Kind: outlook.NotFound, Code: codeUnread, Message: "the application has no service principal in the tenant"}
	}
	if err != nil {
		return entra.ServicePrincipal{}, err
	}
	return list[0].servicePrincipal(), nil
}

// Assign gives a group or user a role of the application.
func (c *Client) Assign(ctx context.Context, servicePrincipal, principalID, role string) error {
	return c.tell(ctx, call{operation: "servicePrincipals.assign", units: 1}, abstractions.POST, principal(servicePrincipal, "/appRoleAssignedTo"),
		map[string]string{"principalId": principalID, "resourceId": servicePrincipal, "appRoleId": role})
}

// DeleteServicePrincipal deletes a service principal, and with it all that was granted to it.
func (c *Client) DeleteServicePrincipal(ctx context.Context, id string) error {
	return c.tell(ctx, call{operation: "servicePrincipals.delete", safe: true, units: 1}, abstractions.DELETE, principal(id, ""), nil)
}

// DeleteApplication deletes an application by its object id.
func (c *Client) DeleteApplication(ctx context.Context, objectID string) error {
	return c.tell(ctx, call{operation: "applications.delete", safe: true, units: 1}, abstractions.DELETE,
		path{"/applications/{application}", map[string]string{"application": objectID}}, nil)
}

// grantJSON is an oAuth2PermissionGrant or an appRoleAssignment.
type grantJSON struct {
	ID         string `json:"id"`
	ResourceID string `json:"resourceId"`
	Scope      string `json:"scope"`
	Role       string `json:"appRoleId"`
}

// Grants lists what the administrator has granted a service principal: in the name of users, and to itself.
func (c *Client) Grants(ctx context.Context, servicePrincipal string) ([]entra.Grant, error) {
	delegated, err := listed[grantJSON](ctx, c, call{operation: "servicePrincipals.grants", units: 2}, principal(servicePrincipal, "/oauth2PermissionGrants"))
	if err != nil {
		return nil, err
	}
	roles, err := listed[grantJSON](ctx, c, call{operation: "servicePrincipals.grants", units: 2}, principal(servicePrincipal, "/appRoleAssignments"))
	if err != nil {
		return nil, err
	}
	var list []entra.Grant
	for _, g := range delegated {
		list = append(list, entra.Grant{ID: g.ID, Delegated: true, ResourceID: g.ResourceID, Name: strings.TrimSpace(g.Scope)})
	}
	for _, g := range roles {
		list = append(list, entra.Grant{ID: g.ID, ResourceID: g.ResourceID, Name: g.Role})
	}
	return list, nil
}

// DeleteGrant takes back what was granted. A role is taken back at the resource that it is of.
func (c *Client) DeleteGrant(ctx context.Context, servicePrincipal string, grant entra.Grant) error {
	p := principal(grant.ResourceID, "/appRoleAssignedTo/{grant}", "grant", grant.ID)
	if grant.Delegated {
		p = path{"/oauth2PermissionGrants/{grant}", map[string]string{"grant": grant.ID}}
	} else if grant.ResourceID == "" {
		p = principal(servicePrincipal, "/appRoleAssignments/{grant}", "grant", grant.ID)
	}
	return c.tell(ctx, call{operation: "servicePrincipals.delete_grant", safe: true, units: 1}, abstractions.DELETE, p, nil)
}
