package graphapi

import (
	"context"
	"strings"

	"usher/model/outlook"
)

// directoryRoutes are those of people, groups and applications. Who may is the directory's affair.
func directoryRoutes() []route {
	var list []route
	add := func(method, pattern string, serve func(*Server, context.Context, *call) (answer, error)) {
		list = append(list, route{method, split(pattern), nil, outlook.Error{}, serve})
	}
	add("GET", "users", (*Server).listPeople)
	add("GET", "users/delta", (*Server).peopleDelta)
	add("GET", "users/$count", (*Server).countPeople)
	add("GET", "users/{user}", (*Server).aPerson)
	add("GET", "users/{user}/memberOf", (*Server).memberOf)
	add("GET", "users/{user}/memberOf/group", (*Server).memberOf)
	add("POST", "users/{user}/getMemberGroups", (*Server).memberGroups)
	add("POST", "users", (*Server).createPerson)
	add("PATCH", "users/{user}", (*Server).updatePerson)
	add("DELETE", "users/{user}", (*Server).deletePerson)
	add("GET", "users/{user}/manager", (*Server).manager)
	add("PUT", "users/{user}/manager/$ref", (*Server).setManager)
	add("DELETE", "users/{user}/manager/$ref", (*Server).setManager)
	add("POST", "users/{user}/revokeSignInSessions", (*Server).revokeSessions)
	add("GET", "users/{user}/photo", (*Server).photo)
	add("GET", "users/{user}/photo/$value", (*Server).photoValue)
	add("GET", "users/{user}/photos/{size}/$value", (*Server).photoValue)
	add("GET", "users/{user}/licenseDetails", (*Server).licenceDetails)
	add("POST", "users/{user}/assignLicense", (*Server).assignLicence)
	add("GET", "directory/deletedItems/user", (*Server).listPeople)
	add("GET", "directory/deletedItems/{item}", (*Server).deletedPerson)
	add("POST", "directory/deletedItems/{item}/restore", (*Server).restorePerson)
	add("DELETE", "directory/deletedItems/{item}", (*Server).purgePerson)
	add("GET", "subscribedSkus", (*Server).products)
	add("GET", "organization", (*Server).organization)
	add("GET", "domains", (*Server).domains)
	add("POST", "directoryObjects/getAvailableExtensionProperties", (*Server).extensions)

	add("GET", "groups", (*Server).listGroups)
	add("GET", "groups/delta", (*Server).groupsDelta)
	add("GET", "groups/{group}", (*Server).aGroup)
	add("PATCH", "groups/{group}", (*Server).bindMembers)
	add("GET", "groups/{group}/members", (*Server).directMembers)
	add("POST", "groups/{group}/members/$ref", (*Server).addMember)
	add("DELETE", "groups/{group}/members/{member}/$ref", (*Server).removeMember)
	add("DELETE", "groups/{group}/members/{member}", (*Server).deleteMember)
	for _, relation := range []string{"members", "transitiveMembers"} {
		add("GET", "groups/{group}/"+relation+"/$count", (*Server).countTransitive)
		serve := (*Server).directMembers
		if relation == "transitiveMembers" {
			serve = (*Server).transitiveMembers
			add("GET", "groups/{group}/"+relation, serve)
		}
		add("GET", "groups/{group}/"+relation+"/user", serve)
		add("GET", "groups/{group}/"+relation+"/group", serve)
	}
	for _, collection := range []string{"directoryObjects", "users", "groups"} {
		add("POST", collection+"/getByIds", (*Server).byID)
	}
	applicationRoutes(add)
	return list
}

// directory says whether a route is one of the directory, which counts no requests of a mailbox.
func (r route) directory() bool { return len(r.roles) == 0 && r.denied == (outlook.Error{}) }

// identity says whether a route counts against the limits of the directory. Pictures are Outlook's.
func (r route) identity() bool {
	return r.directory() && r.pattern[0] != "$batch" && (len(r.pattern) < 3 || !strings.HasPrefix(r.pattern[2], "photo"))
}

// applicationRoutes are those of applications and the synchronization API.
func applicationRoutes(add func(method, pattern string, serve func(*Server, context.Context, *call) (answer, error))) {
	add("POST", "applicationTemplates/{template}/instantiate", (*Server).instantiate)
	add("GET", "applications", (*Server).applications)
	add("GET", "applications/{application}", (*Server).application)
	add("DELETE", "applications/{application}", (*Server).deleteApplication)
	add("GET", "applications/{application}/extensionProperties", (*Server).applicationExtensions)
	add("GET", "servicePrincipals", (*Server).principals)
	add("DELETE", "oauth2PermissionGrants/{grant}", (*Server).revokeGrant)

	sp := "servicePrincipals/{principal}"
	add("GET", sp, (*Server).principal)
	add("DELETE", sp, (*Server).deletePrincipal)
	add("GET", sp+"/appRoleAssignedTo", (*Server).assignments)
	add("POST", sp+"/appRoleAssignedTo", (*Server).assign)
	add("DELETE", sp+"/appRoleAssignedTo/{grant}", (*Server).revokeGrant)
	add("GET", sp+"/appRoleAssignments", (*Server).grants)
	add("DELETE", sp+"/appRoleAssignments/{grant}", (*Server).revokeGrant)
	add("GET", sp+"/oauth2PermissionGrants", (*Server).grants)

	sync := sp + "/synchronization"
	add("GET", sync+"/templates", (*Server).syncTemplates)
	add("GET", sync+"/secrets", (*Server).syncSecrets)
	add("PUT", sync+"/secrets", (*Server).syncSecrets)
	add("GET", sync+"/jobs", (*Server).syncJobs)
	add("POST", sync+"/jobs", (*Server).createSyncJob)
	add("GET", sync+"/jobs/{job}", (*Server).syncJob)
	add("DELETE", sync+"/jobs/{job}", (*Server).actOnJob)
	for _, action := range []string{"start", "pause", "restart"} {
		add("POST", sync+"/jobs/{job}/"+action, (*Server).actOnJob)
	}
	add("POST", sync+"/jobs/validateCredentials", (*Server).validateCredentials)
	add("POST", sync+"/jobs/{job}/validateCredentials", (*Server).validateCredentials)
	add("POST", sync+"/jobs/{job}/provisionOnDemand", (*Server).onDemand)
	for _, method := range []string{"GET", "PUT", "PATCH"} {
		add(method, sync+"/jobs/{job}/schema", (*Server).syncSchema)
	}
}
