package entraid

import (
	"context"
	"slices"
	"strings"

	"usher/model/entra"
	"usher/model/outlook"
)

// The permissions for applications. Of its own, an application needs less.
func readApps() []string {
	return []string{"Application.Read.All", "Application.ReadWrite.All", "Application.ReadWrite.OwnedBy", "Directory.Read.All", "Directory.ReadWrite.All"}
}

func writeApps() []string {
	return []string{"Application.ReadWrite.All", "Application.ReadWrite.OwnedBy", "Directory.ReadWrite.All"}
}

// mayChange refuses to whoever may only change what is its own. The caller holds the lock.
func (s *Session) mayChange(owner string, all ...string) error {
	roles := s.actor.Roles
	if s.current {
		roles = s.directory.grantedTo(strings.ToLower(s.actor.App))
	}
	for _, name := range all {
		if slices.Contains(roles, name) {
			return nil
		}
	}
	if owner != "" && strings.EqualFold(owner, s.actor.App) && slices.Contains(roles, "Application.ReadWrite.OwnedBy") {
		return nil
	}
	return Denied()
}

// app carries out a request about applications, under the directory's lock.
func (s *Session) app(ctx context.Context, what call, work func(d *Directory) error) error {
	return s.do(ctx, what, func() error {
		s.directory.mu.Lock()
		defer s.directory.mu.Unlock()
		return work(s.directory)
	})
}

// Instantiate makes an application from a gallery template (Graph: POST /applicationTemplates/{id}/instantiate).
func (s *Session) Instantiate(ctx context.Context, templateID, name string) (entra.Application, error) {
	var made entra.Application
	err := s.app(ctx, call{method: "Instantiate", target: name, needs: writeApps(), write: true}, func(d *Directory) error {
		if !strings.EqualFold(templateID, NonGallery) {
			return notFound(templateID)
		}
		if name == "" {
			return Invalid("A value is required for property 'displayName' of resource 'ApplicationTemplate'.")
		}
		app := &application{objectID: d.guid(), appID: d.guid(), name: name, owner: s.actor.App}
		d.register(app)
		made = d.instance(app)
		return nil
	})
	return made, err
}

// Application reads an application by object id or client id (Graph: GET /applications/{id}).
func (s *Session) Application(ctx context.Context, ref string) (entra.Application, error) {
	var found entra.Application
	err := s.app(ctx, call{method: "Application", target: ref, needs: readApps()}, func(d *Directory) error {
		for _, app := range d.apps.applications {
			if (strings.EqualFold(app.objectID, ref) || strings.EqualFold(app.appID, ref)) && d.replicated(app.objectID) {
				found = entra.Application{ObjectID: app.objectID, AppID: app.appID, DisplayName: app.name}
				return nil
			}
		}
		return notFound(ref)
	})
	return found, err
}

// Applications lists those that are wanted, the oldest first (Graph: GET /applications). Of one whose service principal cannot be
// found, ServicePrincipalID is empty; Graph tells that elsewhere.
func (s *Session) Applications(ctx context.Context, wanted func(entra.Application) bool) ([]entra.Application, error) {
	var list []entra.Application
	err := s.app(ctx, call{method: "Applications", needs: readApps()}, func(d *Directory) error {
		for _, app := range d.apps.registered {
			one := entra.Application{ObjectID: app.objectID, AppID: app.appID, DisplayName: app.name}
			if d.apps.applications[app.objectID] == nil || !d.replicated(app.objectID) || wanted != nil && !wanted(one) {
				continue
			}
			for _, id := range d.apps.order {
				if d.apps.principals[id].appID == app.appID && d.replicated(id) {
					one.ServicePrincipalID = id
				}
			}
			list = append(list, one)
		}
		return nil
	})
	return list, err
}

// DeleteApplication deletes an application; its service principal stays (Graph: DELETE /applications/{id}).
func (s *Session) DeleteApplication(ctx context.Context, objectID string) error {
	return s.app(ctx, call{method: "DeleteApplication", target: objectID, needs: writeApps(), write: true}, func(d *Directory) error {
		app := d.apps.applications[strings.ToLower(objectID)]
		if app == nil {
			return notFound(objectID)
		}
		if err := s.mayChange(app.owner, "Application.ReadWrite.All", "Directory.ReadWrite.All"); err != nil {
			return err
		}
		delete(d.apps.applications, app.objectID)
		return nil
	})
}

// ServicePrincipal reads a service principal by object id (Graph: GET /servicePrincipals/{id}).
func (s *Session) ServicePrincipal(ctx context.Context, id string) (entra.ServicePrincipal, error) {
	var found entra.ServicePrincipal
	err := s.app(ctx, call{method: "ServicePrincipal", target: id, needs: readApps()}, func(d *Directory) error {
		sp, err := d.principal(id)
		if err != nil {
			return err
		}
		found = sp.shown()
		return nil
	})
	return found, err
}

// ServicePrincipals lists those that are wanted (Graph: GET /servicePrincipals).
func (s *Session) ServicePrincipals(ctx context.Context, wanted func(entra.ServicePrincipal) bool) ([]entra.ServicePrincipal, error) {
	var list []entra.ServicePrincipal
	err := s.app(ctx, call{method: "ServicePrincipals", needs: readApps()}, func(d *Directory) error {
		for _, id := range d.apps.order {
			if sp := d.apps.principals[id]; d.replicated(id) && (wanted == nil || wanted(sp.shown())) {
				list = append(list, sp.shown())
			}
		}
		return nil
	})
	return list, err
}

// DeleteServicePrincipal deletes a service principal with its jobs and all that was granted to it (Graph: DELETE
// /servicePrincipals/{id}). An application may delete its own.
func (s *Session) DeleteServicePrincipal(ctx context.Context, id string) error {
	return s.app(ctx, call{method: "DeleteServicePrincipal", target: id, needs: writeApps(), write: true}, func(d *Directory) error {
		sp, err := d.principal(id)
		if err != nil {
			return err
		}
		if err := s.mayChange(sp.owner, "Application.ReadWrite.All", "Directory.ReadWrite.All"); err != nil {
			return err
		}
		delete(d.apps.principals, sp.id)
		d.apps.order = slices.DeleteFunc(d.apps.order, func(other string) bool { return other == sp.id })
		d.apps.removed[sp.appID] = true
		return nil
	})
}

// Assign gives a group or user a role of an application (Graph: POST /servicePrincipals/{id}/appRoleAssignedTo).
func (s *Session) Assign(ctx context.Context, servicePrincipal, principalID, role string) (Assignment, error) {
	var made Assignment
	what := call{method: "Assign", target: principalID, needs: []string{"AppRoleAssignment.ReadWrite.All"}, write: true}
	err := s.app(ctx, what, func(d *Directory) error {
		sp, err := d.principal(servicePrincipal)
		if err != nil {
			return err
		}
		made = Assignment{ID: d.guid(), PrincipalID: strings.ToLower(principalID), RoleID: strings.ToLower(role), PrincipalType: "User"}
		g, isGroup := d.tenant.Group(made.PrincipalID)
		u, isUser := d.tenant.User(made.PrincipalID)
		switch {
		case isGroup && !g.SecurityEnabled:
			return Invalid("Not a valid reference update: only security groups can be assigned.")
		case isGroup:
			made.PrincipalType, made.PrincipalName = "Group", g.DisplayName
		case isUser && !u.Deleted():
			made.PrincipalName = u.DisplayName
		default:
			return notFound(principalID)
		}
		if !slices.ContainsFunc(sp.roles, func(r entra.AppRole) bool { return r.ID == made.RoleID && r.Enabled && r.ForUsers }) {
			return Invalid("Permission being assigned was not found on application '%s'.", sp.appID)
		}
		if slices.ContainsFunc(sp.assigned, func(a Assignment) bool { return a.PrincipalID == made.PrincipalID && a.RoleID == made.RoleID }) {
			e := Invalid("Permission being assigned already exists on the object")
			e.Kind = outlook.Duplicate
			return e
		}
		sp.assigned = append(sp.assigned, made)
		for _, j := range sp.jobs {
			if j.provisioner != nil {
				j.provisioner.Assign(made.PrincipalID)
			}
		}
		return nil
	})
	return made, err
}

// Assignments lists who has a role of an application (Graph: GET /servicePrincipals/{id}/appRoleAssignedTo).
func (s *Session) Assignments(ctx context.Context, servicePrincipal string) ([]Assignment, error) {
	var list []Assignment
	err := s.app(ctx, call{method: "Assignments", target: servicePrincipal, needs: readApps()}, func(d *Directory) error {
		sp, err := d.principal(servicePrincipal)
		if err == nil {
			list = slices.Clone(sp.assigned)
		}
		return err
	})
	return list, err
}

// Grants lists what was granted to a service principal: to itself, and in the name of users (Graph: GET
// /servicePrincipals/{id}/appRoleAssignments and oauth2PermissionGrants).
func (s *Session) Grants(ctx context.Context, servicePrincipal string) ([]entra.Grant, error) {
	var list []entra.Grant
	err := s.app(ctx, call{method: "Grants", target: servicePrincipal, needs: readApps()}, func(d *Directory) error {
		sp, err := d.principal(servicePrincipal)
		if err != nil {
			return err
		}
		list = append(list, sp.scopes...)
		for _, name := range d.grantedTo(sp.appID) {
			if id, known := roleIDs()[name]; known {
				list = append(list, entra.Grant{ID: grantID(sp.id, id), ResourceID: d.apps.order[0], Name: id})
			}
		}
		return nil
	})
	return list, err
}

// grantedTo gives the permissions of an application. The caller holds the lock.
func (d *Directory) grantedTo(appID string) []string {
	if list, said := d.granted[appID]; said {
		return list
	}
	if list, said := d.granted[""]; said {
		return list
	}
	return AllPermissions()
}

func grantID(servicePrincipal, role string) string {
	return strings.ReplaceAll(servicePrincipal[:13]+role[:13], "-", "")
}

// Revoke takes back what was granted, or an assignment of a user or group (Graph: DELETE
// /servicePrincipals/{id}/appRoleAssignedTo/{id}, /servicePrincipals/{id}/appRoleAssignments/{id} and /oauth2PermissionGrants/{id}).
func (s *Session) Revoke(ctx context.Context, grantOrAssignment string) error {
	needs := []string{"AppRoleAssignment.ReadWrite.All", "DelegatedPermissionGrant.ReadWrite.All", "Directory.ReadWrite.All"}
	return s.app(ctx, call{method: "Revoke", target: grantOrAssignment, needs: needs, write: true}, func(d *Directory) error {
		for _, id := range d.apps.order {
			if d.revoke(d.apps.principals[id], grantOrAssignment) {
				return nil
			}
		}
		return notFound(grantOrAssignment)
	})
}

// revoke takes something away from a service principal, and says whether it was there. The caller holds the lock.
func (d *Directory) revoke(sp *principal, id string) bool {
	if at := slices.IndexFunc(sp.scopes, func(g entra.Grant) bool { return g.ID == id }); at >= 0 {
		sp.scopes = slices.Delete(sp.scopes, at, at+1)
		return true
	}
	if at := slices.IndexFunc(sp.assigned, func(a Assignment) bool { return a.ID == id }); at >= 0 {
		for _, j := range sp.jobs {
			if j.provisioner != nil {
				j.provisioner.Unassign(sp.assigned[at].PrincipalID)
			}
		}
		sp.assigned = slices.Delete(sp.assigned, at, at+1)
		return true
	}
	granted := d.grantedTo(sp.appID)
	at := slices.IndexFunc(granted, func(name string) bool { return roleIDs()[name] != "" && grantID(sp.id, roleIDs()[name]) == id })
	if at < 0 {
		return false
	}
	d.granted[sp.appID] = slices.Delete(slices.Clone(granted), at, at+1)
	return true
}
