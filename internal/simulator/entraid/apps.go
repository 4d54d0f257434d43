package entraid

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"usher/internal/simulator"
	"usher/model/entra"
)

// GraphAppID is the client id of Microsoft Graph in every tenant.
const GraphAppID = "00000003-0000-0000-c000-000000000000"

// NonGallery is the id of the template that applications of one's own are made from.
const NonGallery = "8adf8e6e-67b2-4cf2-a259-e3dc5476c621"

// apps is what the tenant knows of applications. It is guarded by the directory's lock.
type apps struct {
	applications map[string]*application // by object id
	registered   []*application          // as they came, those that were deleted included
	principals   map[string]*principal   // by object id
	order        []string                // object ids of principals as they came
	removed      map[string]bool         // client ids whose service principal was deleted
	onDemand     []time.Time             // when the last provisioning on demand was
	mapped       map[*simulator.Provisioner]string
}

type application struct {
	objectID, appID, name, owner string
}

// principal is a service principal: an application's instance in the tenant.
type principal struct {
	id, appID, name, owner string
	roles                  []entra.AppRole
	assigned               []Assignment
	scopes                 []entra.Grant // in the name of users
	secrets                []entra.Secret
	jobs                   []*job
}

// Assignment is a user or group that has a role of an application.
type Assignment struct {
	ID, PrincipalID, PrincipalType, PrincipalName, RoleID string
}

// job is a provisioning job.
type job struct {
	id, template string
	schema       json.RawMessage
	state        string // Active, Disabled or Paused
	ran          bool
	due          time.Time
	restart      string // the scope of a restart that is waiting
	running      bool
	provisioner  *simulator.Provisioner
	last, lastOK *entra.JobExecution
	steady       time.Time
	failures     int
	quarantine   *entra.Quarantine
}

func (d *Directory) newApps() apps {
	a := apps{applications: map[string]*application{}, principals: map[string]*principal{}, removed: map[string]bool{}, mapped: map[*simulator.Provisioner]string{}}
	graph := &principal{id: d.guid(), appID: GraphAppID, name: "Microsoft Graph"}
	for _, name := range slices.Sorted(maps.Keys(roleIDs())) {
		graph.roles = append(graph.roles, entra.AppRole{ID: roleIDs()[name], Name: name, Enabled: true})
	}
	a.principals[graph.id], a.order = graph, []string{graph.id}
	return a
}

// roleIDs are the ids of Graph's application permissions (Microsoft: permissions reference).
func roleIDs() map[string]string {
	return map[string]string{
		"User.Read.All": "df021288-bdef-4463-88db-98f22de89214", "User.ReadBasic.All": "97235f07-e226-4f63-ace3-39588e11d3a1",
		"GroupMember.Read.All": "98830695-27a2-44f7-8c18-0c3ebc9698f6", "Member.Read.Hidden": "658aa5d8-239f-45c4-aa12-864f4fc7e490",
		"ProfilePhoto.Read.All": "e24d31aa-e1ab-4c80-85fe-23018690335d", "Domain.Read.All": "dbb9058a-0e50-45d7-ae91-66909b5d4664",
		"Place.Read.All": "913b9306-0ce1-42b8-9137-6a7df690a760", "User.ReadWrite.All": "741f803b-c850-494e-b5df-cde7c675a1ca",
		"User.DeleteRestore.All": "eccc023d-eccf-4e7b-9683-8813ab36cecc", "User.EnableDisableAccount.All": "3011c876-62b7-4ada-afa2-506cbbecc68c",
		"User-PasswordProfile.ReadWrite.All": "cc117bb9-00cf-4eb8-b580-ea2a878fe8f7", "User-Phone.ReadWrite.All": "86ceff06-c822-49ff-989a-d912845ffe69",
		"User-Mail.ReadWrite.All": "280d0935-0796-47d1-8d26-273470a3f17a", "User.RevokeSessions.All": "77f3a031-c388-4f99-b373-dc68676a979e",
		"GroupMember.ReadWrite.All": "dbaae8cf-10b5-4b86-a4a1-f871c94c6695", "RoleManagement.ReadWrite.Directory": "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8",
		"LicenseAssignment.Read.All": "e2f98668-2877-4f38-a2f4-8202e0717aa1", "LicenseAssignment.ReadWrite.All": "5facf0c1-8979-4e95-abcf-ff3d079771c0",
		"User.Invite.All": "09850681-111b-4a89-9bed-3f2cae46d706", "Application.ReadWrite.OwnedBy": "18a4783c-866b-4cc7-a460-3d5e5662c884",
		"Synchronization.ReadWrite.All": "9b50c33d-700f-43b1-b2eb-87e89b703581", "AppRoleAssignment.ReadWrite.All": "06b708a9-e830-4db3-a914-8e69da51d44f",
		"ProvisioningLog.Read.All": "091937d3-3e38-47a1-8649-b2f99d3035f1", "DelegatedPermissionGrant.ReadWrite.All": "8e8e4742-1d95-4f68-9d56-6ee75648c72a",
		"Calendars.Read": "798ee544-9d2d-430c-a058-570e29e34338", "Calendars.ReadWrite": "ef54d2bf-783f-4e0f-bca1-3210c0444d99",
		"Directory.Read.All": "7ab1d382-f21e-4acd-a863-ba3e13f7da61", "Application.ReadWrite.All": "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9",
	}
}

// uninstalled says whether the service principal of an application was deleted.
func (a *apps) uninstalled(appID string) bool { return a.removed[strings.ToLower(appID)] }

// Install puts an application of somebody's own, such as the one that Usher signs in as, into the tenant, with what it has been
// granted. Its service principal can be found and deleted from then on.
func (d *Directory) Install(appID, name string) entra.Application {
	d.mu.Lock()
	defer d.mu.Unlock()
	app := &application{objectID: d.guid(), appID: strings.ToLower(appID), name: name}
	d.register(app)
	delete(d.apps.removed, app.appID)
	return d.instance(app)
}

func (d *Directory) register(app *application) {
	d.apps.applications[app.objectID] = app
	d.apps.registered = append(d.apps.registered, app)
}

// instance makes the service principal of an application. The caller holds the lock.
func (d *Directory) instance(app *application) entra.Application {
	sp := &principal{id: d.guid(), appID: app.appID, name: app.name, owner: app.owner}
	sp.roles = []entra.AppRole{
		{ID: "18d14569-c3bd-439b-9a66-3a2aee01d14f", Name: "User", Enabled: true, ForUsers: true},
		{ID: "b9632174-c057-4f7e-951b-be3adc52bfe6", Name: "msiam_access", Enabled: true, ForUsers: true, Platform: true},
	}
	d.apps.principals[sp.id] = sp
	d.apps.order = append(d.apps.order, sp.id)
	d.made(sp.id)
	d.made(app.objectID)
	return entra.Application{ObjectID: app.objectID, AppID: app.appID, ServicePrincipalID: sp.id, DisplayName: app.name}
}

// GrantScopes notes what an administrator has granted to an application in the name of users.
func (d *Directory) GrantScopes(servicePrincipal string, scopes ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if sp := d.apps.principals[servicePrincipal]; sp != nil {
		sp.scopes = append(sp.scopes, entra.Grant{ID: d.guid(), Delegated: true, ResourceID: d.apps.order[0], Name: strings.Join(scopes, " ")})
	}
}

// principal finds a service principal that has been replicated. The caller holds the lock.
func (d *Directory) principal(id string) (*principal, error) {
	sp := d.apps.principals[strings.ToLower(id)]
	if sp == nil || !d.replicated(sp.id) {
		return nil, notFound(id)
	}
	return sp, nil
}

func (sp *principal) shown() entra.ServicePrincipal {
	return entra.ServicePrincipal{ID: sp.id, AppID: sp.appID, DisplayName: sp.name, Roles: slices.Clone(sp.roles)}
}
