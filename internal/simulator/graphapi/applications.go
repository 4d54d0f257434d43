package graphapi

import (
	"context"
	"net/http"
	"strings"

	"usher/internal/simulator/entraid"
	"usher/model/entra"
)

// instantiate answers POST /applicationTemplates/{id}/instantiate.
func (s *Server) instantiate(ctx context.Context, c *call) (answer, error) {
	fields, err := c.fields("instantiate", "displayName", "serviceManagementReference")
	if err != nil {
		return answer{}, err
	}
	r := &reader{fields: fields}
	name := r.text("displayName")
	if r.err != nil {
		return answer{}, r.err
	}
	made, err := s.as(c).Instantiate(ctx, c.vars["template"], name)
	if err != nil {
		return answer{}, err
	}
	sp := entra.ServicePrincipal{ID: made.ServicePrincipalID, AppID: made.AppID, DisplayName: made.DisplayName}
	return jsonAnswer(http.StatusCreated, object{
		"@odata.context": s.GraphURL + "/" + c.version + "/$metadata#microsoft.graph.applicationServicePrincipal",
		"application":    renderApplication(made), "servicePrincipal": renderPrincipal(sp),
	})
}

func renderApplication(a entra.Application) object {
	return object{
		"id": a.ObjectID, "appId": a.AppID, "displayName": a.DisplayName, "applicationTemplateId": entraid.NonGallery,
		"signInAudience": "AzureADMyOrg", "deletedDateTime": nil,
	}
}

func renderPrincipal(sp entra.ServicePrincipal) object {
	roles := make([]object, 0, len(sp.Roles))
	for _, r := range sp.Roles {
		who := []string{"Application"}
		if r.ForUsers {
			who = []string{"User"}
		}
		roles = append(roles, object{
			"id": r.ID, "displayName": r.Name, "description": r.Name, "isEnabled": r.Enabled, "allowedMemberTypes": who, "origin": "Application",
			"value": roleValue(r),
		})
	}
	return object{
		"id": sp.ID, "appId": sp.AppID, "displayName": sp.DisplayName, "appDisplayName": sp.DisplayName, "accountEnabled": true,
		"servicePrincipalType": "Application", "appRoles": roles, "appRoleAssignmentRequired": true,
		"servicePrincipalNames": []string{sp.AppID}, "tags": []string{"WindowsAzureActiveDirectoryIntegratedApp"},
	}
}

func roleValue(r entra.AppRole) any {
	if r.ForUsers {
		return nil
	}
	return r.Name
}

func principalProperties() []string {
	return []string{
		"id", "appId", "displayName", "appDisplayName", "accountEnabled", "servicePrincipalType", "appRoles", "appRoleAssignmentRequired",
		"servicePrincipalNames", "tags",
	}
}

// applications answers GET /applications.
func (s *Server) applications(ctx context.Context, c *call) (answer, error) {
	q, err := c.readQuery("application", []string{"id", "appId", "displayName", "applicationTemplateId", "signInAudience"}, []string{"displayName"})
	if err != nil {
		return answer{}, err
	}
	list, err := s.as(c).Applications(ctx, func(a entra.Application) bool {
		o := renderApplication(a)
		return q.match == nil || q.match(func(name string) (any, bool) { return o[name], true })
	})
	if err != nil {
		return answer{}, err
	}
	values := make([]object, 0, len(list))
	for _, a := range list {
		values = append(values, project(renderApplication(a), q.names))
	}
	return jsonAnswer(http.StatusOK, s.collection(c, "applications", values, ""))
}

// application answers GET /applications/{id}.
func (s *Server) application(ctx context.Context, c *call) (answer, error) {
	app, err := s.as(c).Application(ctx, c.vars["application"])
	if err != nil {
		return answer{}, err
	}
	return jsonAnswer(http.StatusOK, renderApplication(app))
}

func (s *Server) deleteApplication(ctx context.Context, c *call) (answer, error) {
	return noContent(s.as(c).DeleteApplication(ctx, c.vars["application"]))
}

// principals answers GET /servicePrincipals.
func (s *Server) principals(ctx context.Context, c *call) (answer, error) {
	q, err := c.readQuery("servicePrincipal", principalProperties(), []string{"displayName"})
	if err != nil {
		return answer{}, err
	}
	list, err := s.as(c).ServicePrincipals(ctx, func(sp entra.ServicePrincipal) bool {
		o := renderPrincipal(sp)
		return q.match == nil || q.match(func(name string) (any, bool) { return o[name], true })
	})
	if err != nil {
		return answer{}, err
	}
	values := make([]object, 0, len(list))
	for _, sp := range list {
		values = append(values, project(renderPrincipal(sp), q.names))
	}
	return jsonAnswer(http.StatusOK, s.collection(c, "servicePrincipals", values, ""))
}

// principal answers GET /servicePrincipals/{id}.
func (s *Server) principal(ctx context.Context, c *call) (answer, error) {
	names, err := c.selected("servicePrincipal", principalProperties()...)
	if err != nil {
		return answer{}, err
	}
	sp, err := s.as(c).ServicePrincipal(ctx, c.vars["principal"])
	if err != nil {
		return answer{}, err
	}
	return jsonAnswer(http.StatusOK, project(renderPrincipal(sp), names))
}

func (s *Server) deletePrincipal(ctx context.Context, c *call) (answer, error) {
	return noContent(s.as(c).DeleteServicePrincipal(ctx, c.vars["principal"]))
}

// assign answers POST /servicePrincipals/{id}/appRoleAssignedTo.
func (s *Server) assign(ctx context.Context, c *call) (answer, error) {
	fields, err := c.fields("appRoleAssignment", "principalId", "resourceId", "appRoleId")
	if err != nil {
		return answer{}, err
	}
	r := &reader{fields: fields}
	who, resource, role := r.text("principalId"), r.text("resourceId"), r.text("appRoleId")
	switch {
	case r.err != nil:
		return answer{}, r.err
	case who == "" || role == "" || !strings.EqualFold(resource, c.vars["principal"]):
		return answer{}, entraid.Invalid("One or more properties are invalid: principalId, resourceId and appRoleId are required.")
	}
	made, err := s.as(c).Assign(ctx, resource, who, role)
	if err != nil {
		return answer{}, err
	}
	return jsonAnswer(http.StatusCreated, renderAssignment(made, resource))
}

func renderAssignment(a entraid.Assignment, resource string) object {
	return object{
		"id": a.ID, "principalId": a.PrincipalID, "principalType": a.PrincipalType, "principalDisplayName": a.PrincipalName,
		"resourceId": resource, "appRoleId": a.RoleID, "deletedDateTime": nil,
	}
}

// assignments answers GET /servicePrincipals/{id}/appRoleAssignedTo.
func (s *Server) assignments(ctx context.Context, c *call) (answer, error) {
	list, err := s.as(c).Assignments(ctx, c.vars["principal"])
	if err != nil {
		return answer{}, err
	}
	values := make([]object, 0, len(list))
	for _, a := range list {
		values = append(values, renderAssignment(a, c.vars["principal"]))
	}
	return jsonAnswer(http.StatusOK, s.collection(c, "appRoleAssignments", values, ""))
}

// grants answers GET /servicePrincipals/{id}/appRoleAssignments and oauth2PermissionGrants.
func (s *Server) grants(ctx context.Context, c *call) (answer, error) {
	list, err := s.as(c).Grants(ctx, c.vars["principal"])
	if err != nil {
		return answer{}, err
	}
	delegated := strings.EqualFold(c.segments[2], "oauth2PermissionGrants")
	values := []object{}
	for _, g := range list {
		switch {
		case g.Delegated != delegated:
		case delegated:
			values = append(values, object{
				"id": g.ID, "clientId": c.vars["principal"], "consentType": "AllPrincipals", "principalId": nil, "resourceId": g.ResourceID, "scope": g.Name,
			})
		default:
			values = append(values, object{
				"id": g.ID, "principalId": c.vars["principal"], "principalType": "ServicePrincipal", "resourceId": g.ResourceID,
				"resourceDisplayName": "Microsoft Graph", "appRoleId": g.Name,
			})
		}
	}
	return jsonAnswer(http.StatusOK, s.collection(c, "grants", values, ""))
}

// revokeGrant answers DELETE …/appRoleAssignedTo/{id}, …/appRoleAssignments/{id} and /oauth2PermissionGrants/{id}.
func (s *Server) revokeGrant(ctx context.Context, c *call) (answer, error) {
	return noContent(s.as(c).Revoke(ctx, c.vars["grant"]))
}
