package directory

import (
	"context"

	"usher/model/entra"
)

// Tenant is one Entra tenant, as an integration's credentials reach it. Failures that Graph tells are *outlook.Error. Whoever
// gives pages takes the Next of the last page, "" for the first. It is safe for concurrent use, and keeps to the tenant's
// limits by itself.
type Tenant interface {
	TenantReader
	TenantWriter
}

// TenantReader reads.
type TenantReader interface {
	// Permissions gives the application permissions that the administrator has granted (the roles of the token).
	Permissions(ctx context.Context) ([]string, error)
	// Organization gives the tenant's name and verified domains.
	Organization(ctx context.Context) (entra.Organization, error)
	// Extensions lists the directory extensions that can be mapped.
	Extensions(ctx context.Context) ([]entra.Extension, error)

	// UsersDelta gives a page of what changed of users. Link "" begins with all of them, LinkLatest with what will change from
	// now on. extensions are names of directory extensions to read with them; a link keeps those it was begun with. SyncLost
	// says that the link leads nowhere any more.
	UsersDelta(ctx context.Context, link string, extensions []string) (entra.UserPage, error)
	// GroupsDelta gives a page of what changed of groups and their direct members: of at most 50 groups by id, or of all where
	// none is named. Links as those of UsersDelta.
	GroupsDelta(ctx context.Context, ids []string, link string) (entra.GroupPage, error)

	// TenantUser finds somebody by object id or user principal name; NoUser says that there is none.
	TenantUser(ctx context.Context, ref string, extensions []string) (entra.User, error)
	// UsersByID reads users by object id, any number of them; those who are not there are left out.
	UsersByID(ctx context.Context, ids, extensions []string) ([]entra.User, error)
	// FindUsers gives a page of users whose name, user name or address begins with the text; "" gives all.
	FindUsers(ctx context.Context, text, next string) (entra.UserPage, error)
	// DeletedUsers gives a page of the users that can be restored.
	DeletedUsers(ctx context.Context, next string) (entra.UserPage, error)
	// Photo reads a person's picture, unless it still has the tag. NotFound says that there is none.
	Photo(ctx context.Context, userID, etag string) (entra.Photo, error)

	// FindGroups gives a page of groups.
	FindGroups(ctx context.Context, search entra.GroupSearch, next string) (entra.GroupPage, error)
	// Group reads one group by object id.
	Group(ctx context.Context, id string) (entra.Group, error)
	// Members gives a page of the direct members of a group.
	Members(ctx context.Context, groupID, next string) (entra.MemberPage, error)
	// GroupsOf gives the groups that a user is a direct member of.
	GroupsOf(ctx context.Context, userID string) ([]entra.Group, error)

	// SKUs gives the products that the tenant has subscribed to, with their seats.
	SKUs(ctx context.Context) ([]entra.SKU, error)
	// Licences gives what a user has, whether assigned to the user or by a group.
	Licences(ctx context.Context, userID string) ([]entra.Licence, error)
}

// LinkLatest begins a delta with what will change from now on.
const LinkLatest = "latest"

// TenantWriter writes. A method that answers Unavailable may have been carried out.
type TenantWriter interface {
	// CreateUser makes a user, who must change the password at the first sign-in. Duplicate says that the user principal name is
	// taken.
	CreateUser(ctx context.Context, u entra.NewUser) (entra.User, error)
	// UpdateUser changes a user.
	UpdateUser(ctx context.Context, id string, change entra.UserChange) error
	// DeleteUser puts a user among the deleted items.
	DeleteUser(ctx context.Context, id string) error
	// RestoreUser takes a user out of the deleted items.
	RestoreUser(ctx context.Context, id string) (entra.User, error)
	// RevokeSessions ends a user's sign-ins everywhere.
	RevokeSessions(ctx context.Context, id string) error
	// AddMember puts a user into a group; Duplicate says that it was there already.
	AddMember(ctx context.Context, groupID, userID string) error
	// RemoveMember takes a user out of a group; NotFound says that it was not there.
	RemoveMember(ctx context.Context, groupID, userID string) error
	// AssignLicences gives a user products and takes others away, at once.
	AssignLicences(ctx context.Context, userID string, add []entra.Licence, remove []string) error
}

// Provisioning is the part of a tenant that Entra's own provisioning of an application is set up with (Graph: applications,
// servicePrincipals and the synchronization API), as an administrator's sign-in or an application's permissions reach it.
type Provisioning interface {
	// Instantiate makes an application from a gallery template. Its service principal may not be found for a while.
	Instantiate(ctx context.Context, templateID, displayName string) (entra.Application, error)
	// ApplicationsNamed finds the applications of exactly that display name; of one whose service principal is not found (yet),
	// ServicePrincipalID is empty. An application may be missing for a while after it was made.
	ApplicationsNamed(ctx context.Context, displayName string) ([]entra.Application, error)
	ServicePrincipal(ctx context.Context, id string) (entra.ServicePrincipal, error)
	// ServicePrincipalOf finds the service principal of an application by its client id.
	ServicePrincipalOf(ctx context.Context, appID string) (entra.ServicePrincipal, error)
	// Templates gives the ids of the synchronization templates of a service principal.
	Templates(ctx context.Context, servicePrincipal string) ([]string, error)
	Jobs(ctx context.Context, servicePrincipal string) ([]entra.Job, error)
	CreateJob(ctx context.Context, servicePrincipal, templateID string) (entra.Job, error)
	Job(ctx context.Context, servicePrincipal, job string) (entra.Job, error)
	// ValidateCredentials has Entra call the endpoint with the credentials.
	ValidateCredentials(ctx context.Context, servicePrincipal, job string, secrets []entra.Secret) error
	// PutSecrets replaces all stored credentials.
	PutSecrets(ctx context.Context, servicePrincipal string, secrets []entra.Secret) error
	JobSchema(ctx context.Context, servicePrincipal, job string) (entra.Schema, error)
	// PutJobSchema replaces the mappings as a whole.
	PutJobSchema(ctx context.Context, servicePrincipal, job string, schema entra.Schema) error
	// Assign gives a group or user a role of the application; Duplicate says that it has it.
	Assign(ctx context.Context, servicePrincipal, principal, role string) error
	StartJob(ctx context.Context, servicePrincipal, job string) error
	PauseJob(ctx context.Context, servicePrincipal, job string) error
	// RestartJob begins anew: scope is Full, or of Watermark, Escrows, QuarantineState, ForceDeletes.
	RestartJob(ctx context.Context, servicePrincipal, job, scope string) error
	DeleteJob(ctx context.Context, servicePrincipal, job string) error
	DeleteServicePrincipal(ctx context.Context, id string) error
	DeleteApplication(ctx context.Context, objectID string) error
	// Grants lists what the administrator has granted a service principal.
	Grants(ctx context.Context, servicePrincipal string) ([]entra.Grant, error)
	DeleteGrant(ctx context.Context, servicePrincipal string, grant entra.Grant) error
}
