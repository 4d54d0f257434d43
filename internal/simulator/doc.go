// Package simulator is the outside world of the demonstration and of the end-to-end tests: a pretend Microsoft Entra
// tenant and Entra's provisioning service, which talks to a SCIM 2.0 server as the real one does.
//
// It owns the deterministic tenant, the provisioning cycles and their journal. It imports the standard library and no
// other package of Usher: what it knows of the server under test, it learns over HTTP.
//
// # The tenant
//
//	tenant := simulator.NewTenant(simulator.Options{Seed: 1, People: 40, Domain: "contoso.example"})
//	ada, _ := tenant.UserNamed("Ada Lovelace")
//	hr, _ := tenant.GroupNamed("HR")
//	err := tenant.AddMember(hr.ID, ada.ID)
//	ada, err = tenant.Rename(ada.ID, "Ada", "Byron")
//
// The same options give the same object ids, names, groups and managers; a larger tenant keeps the people of a smaller
// one under the same ids. [Options.People] counts every user object: employees (the last ones disabled), guests and
// service accounts. Always present are Ada Lovelace (the root of the manager tree), Grace Hopper, Alan Turing,
// Katherine Johnson, Hedy Lamarr (head of HR), Charles Babbage, Mary Somerville, Kurt Gödel, Emmy Noether, Ángela Ruiz
// Robles, Jan Łukasiewicz, George Boole (cloud-only, no mail), Søren Kierkegaard and Dorothy Vaughan.
// The groups have the names of the Group… constants; the department groups have the names of [Departments].
//
// [User] and [Group] are named as in Microsoft Graph, and [Tenant.Changes] is the change sequence behind a delta query,
// so that the same tenant can be served over Graph; internal/simulator/entraid does that. [Options.Groups] and
// [Options.Memberships] make it large: 100,000 people in 500 groups with a million memberships take about 150 MB and two seconds.
// The tenant has products (see the SKU… constants), and every employee with mail the first of them.
//
// # The provisioning service
//
//	service, err := simulator.NewProvisioner(simulator.ProvisionerOptions{
//		Tenant: tenant, TenantURL: "https://usher.contoso.example/scim/v2/i1?aadOptscim062020", Token: token,
//		Scope: simulator.ScopeAssigned, Assigned: []string{hr.ID},
//	})
//	_, err = service.TestConnection(ctx)        // filters by a random id, as the portal's button does
//	report, err := service.InitialCycle(ctx)    // everything in scope: match, create or update, then references
//	report, err = service.IncrementalCycle(ctx) // only what changed since, and objects due for a retry
//	report, err = service.OnDemand(ctx, ada.ID) // one object at once, always in the legacy dialect
//	report, err = service.Restart(ctx, true)    // forgets watermark, escrows and (true) links, then an initial cycle
//	service.Journal().WriteTo(os.Stdout)
//
// Every method answers a [Report], also beside an error. The error is for the job as a whole (quarantined, disabled,
// cancelled); failures of single objects stand in the report, are escrowed, and are tried again by a later cycle.
// Nothing sleeps: cycles run when called, and back-off and quarantine compare due times with [ProvisionerOptions.Now].
//
// The order of an object's requests is Entra's: GET with a filter on the matching attribute (or GET by the cached id)
// with excludedAttributes=members for groups, then POST, or PATCH of the attributes that differ, or DELETE. Users come
// first, then groups, then managers, then members.
//
// What it imitates, with its limits:
//   - An attribute that is empty in the source is skipped, never cleared at the target.
//   - Disabled, soft-deleted and unassigned people are PATCHed active=false. A soft delete brings the renamed userName
//     with it. A hard delete is a DELETE, unless the person was unassigned before: such people are unmanaged.
//   - A person who returns is matched again by filter; when the filter finds nothing (the target still carries the
//     tombstone name), the cached id is used before a new one is created.
//   - A manager or member that is out of scope when its reference is sent is left out, and not filled in before the
//     next restart, or before the reference itself changes. One that failed is escrowed and tried again.
//   - A group that leaves the scope is DELETEd: groups have no soft delete.
//   - Retries after 40 minutes, then doubling up to a day. The real curve is unpublished.
package simulator
