package directory_test

import (
	"slices"
	"strings"
	"testing"

	"usher/directory"
	"usher/model"
)

// staffed is a world with the catalogue of RULES.md §3: groups Employee and HR give roles employee and hr.
func staffed(w *world, mode model.RoleSync) {
	w.roles("employee", "hr", "manager", "new-employee", "guest", "administrator")
	_, err := w.svc.ChangeIntegration(w.ctx, w.ref, func(i *model.Integration) error { i.RoleSync = mode; return nil }, nil)
	w.ok(err)
	w.mapped("Employee=employee", "HR=hr")
}

func (w *world) giveRoles(email string, roles ...string) {
	w.Helper()
	_, err := w.svc.SetRoles(w.ctx, w.org, w.account(email).ID, roles)
	w.ok(err)
}

// sync has everyone decided about again.
func (w *world) sync() {
	w.Helper()
	_, err := w.svc.StartRun(w.ctx, w.ref, model.RunReevaluation)
	w.ok(err)
	w.drain()
}

const ada = "ada@contoso.com"

// TestServiceWorkedCases are the worked cases of RULES.md §3, through pushes.
func TestServiceWorkedCases(t *testing.T) {
	for _, c := range []struct {
		name   string
		mode   model.RoleSync
		before []string
		event  func(w *world, u model.DirectoryUser, employee, hr model.DirectoryGroup)
		after  []string
	}{
		{
			"2: mapped roles are held", model.RoleSyncReconcile,
			[]string{"employee", "hr", "manager"},
			func(w *world, _ model.DirectoryUser, _, _ model.DirectoryGroup) { w.sync() },
			[]string{"employee", "hr", "manager"},
		},
		{
			"3: removed from a group", model.RoleSyncReconcile,
			[]string{"employee", "hr", "manager"},
			func(w *world, u model.DirectoryUser, _, hr model.DirectoryGroup) {
				w.members(hr, model.MembersRemove, u)
			},
			[]string{"employee", "hr", "manager"},
		},
		{
			"4: roles taken away in the application", model.RoleSyncReconcile,
			[]string{"manager"},
			func(w *world, _ model.DirectoryUser, _, _ model.DirectoryGroup) { w.sync() },
			[]string{"employee", "hr"},
		},
		{
			"5: the mapping of a group changes", model.RoleSyncReconcile,
			[]string{"employee", "hr", "manager"},
			func(w *world, _ model.DirectoryUser, _, _ model.DirectoryGroup) {
				w.mapped("Employee=new-employee", "HR=hr")
			},
			[]string{"hr", "manager", "new-employee"},
		},
		{
			"6: case 3 in mirror", model.RoleSyncMirror,
			[]string{"employee", "hr", "manager"},
			func(w *world, u model.DirectoryUser, _, hr model.DirectoryGroup) {
				w.members(hr, model.MembersRemove, u)
			},
			[]string{"employee", "manager"},
		},
		{
			"7: an administrator", model.RoleSyncReconcile,
			[]string{"administrator", "manager"},
			func(w *world, _ model.DirectoryUser, _, _ model.DirectoryGroup) { w.sync() },
			[]string{"administrator", "manager"},
		},
		{
			"a removed mapping leaves its role", model.RoleSyncReconcile,
			[]string{"employee", "hr"},
			func(w *world, _ model.DirectoryUser, _, _ model.DirectoryGroup) { w.mapped("Employee=employee") },
			[]string{"employee", "hr"},
		},
		{
			"a removed mapping takes its role in mirror", model.RoleSyncMirror,
			[]string{"employee", "hr", "manager"},
			func(w *world, _ model.DirectoryUser, _, _ model.DirectoryGroup) { w.mapped("Employee=employee") },
			[]string{"employee", "manager"},
		},
		{
			"a deleted group takes its role in mirror", model.RoleSyncMirror,
			[]string{"employee", "hr", "manager"},
			func(w *world, _ model.DirectoryUser, _, hr model.DirectoryGroup) {
				w.ok(w.svc.DeleteGroup(w.ctx, w.ref, hr.ID, nil))
			},
			[]string{"employee", "manager"},
		},
		{
			"a group renamed away takes its role in mirror", model.RoleSyncMirror,
			[]string{"employee", "hr", "manager"},
			func(w *world, _ model.DirectoryUser, _, hr model.DirectoryGroup) { w.rename(hr, "People") },
			[]string{"employee", "manager"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			each(t, func(w *world) {
				staffed(w, c.mode)
				u := w.user(ada)
				employee, hr := w.group("Employee", u), w.group("HR", u)
				w.giveRoles(ada, c.before...)
				c.event(w, w.mirror(u), employee, hr)
				w.hasRoles(ada, c.after...)
				again := w.during(w.sync)
				if got := again.types(); !slices.Equal(got, []string{"run.started", "run.finished"}) {
					w.Fatalf("deciding again changed something: %v", got)
				}
				w.hasRoles(ada, c.after...)
			})
		})
	}
}

func (w *world) rename(g model.DirectoryGroup, name string) {
	w.Helper()
	_, err := w.svc.ChangeGroup(w.ctx, g.Ref(), g.ID, func(g *model.DirectoryGroup) ([]model.MemberOp, error) {
		g.Document = model.NewDocument(map[string]any{"displayName": name, "externalId": g.ExternalID})
		return nil, nil
	})
	w.ok(err)
}

// TestServiceCaseRay is worked case 1.
func TestServiceCaseRay(t *testing.T) {
	each(t, func(w *world) {
		staffed(w, model.RoleSyncReconcile)
		u := w.user(ada, map[string]any{"title": "Analyst"})
		employee := w.group("Employee", u)
		w.group("HR", u)
		w.giveRoles(ada, "employee", "hr", "manager")
		_, created, err := w.svc.PutEmployee(w.ctx, w.org, model.Employee{ExternalID: "1815", Email: "ADA@contoso.com", JobTitle: "Countess"})
		w.ok(err)
		if !created {
			w.Fatal("the employee is not new")
		}
		w.giveRoles(ada, "manager")
		w.patch(u, map[string]any{"title": "Poet"})
		w.members(employee, model.MembersRemove, u)
		w.mapped("Employee=new-employee", "HR=hr")
		w.hasRoles(ada, "manager")
		if a := w.account(ada); a.JobTitle != "Countess" || a.EmployeeID == nil || *a.EmployeeID != "1815" {
			w.Fatalf("%+v", a)
		}
		w.patch(u, map[string]any{"active": false})
		w.hasStatus(ada, model.AccountDeactivated)
	})
}

// TestServiceCaseInitial is worked case 8: roles are set when the account is made, and never again.
func TestServiceCaseInitial(t *testing.T) {
	each(t, func(w *world) {
		staffed(w, model.RoleSyncInitial)
		_, err := w.svc.ChangeIntegration(w.ctx, w.ref, func(i *model.Integration) error { i.RequireGroup = true; return nil }, nil)
		w.ok(err)
		w.drain()
		u := w.user(ada)
		employee, hr := w.group("Employee"), w.group("HR")
		w.members(hr, model.MembersAdd, u)
		w.hasRoles(ada, "hr")
		w.members(employee, model.MembersAdd, u)
		w.mapped("Employee=employee", "HR=new-employee")
		w.hasRoles(ada, "hr")
	})
}

// TestServiceCaseGuest is worked case 9: no mapped group gives the default role.
func TestServiceCaseGuest(t *testing.T) {
	each(t, func(w *world) {
		staffed(w, model.RoleSyncReconcile)
		_, err := w.svc.ChangeIntegration(w.ctx, w.ref, func(i *model.Integration) error { i.DefaultRole = "guest"; return nil }, nil)
		w.ok(err)
		u := w.user(ada)
		w.hasRoles(ada, "guest")
		w.group("HR", u)
		w.hasRoles(ada, "hr")
	})
}

func TestServiceNoSyncGivesAnAdministratorRoleByItself(t *testing.T) {
	each(t, func(w *world) {
		staffed(w, model.RoleSyncReconcile)
		mapping := model.GroupMapping{Group: model.GroupSelector{DisplayName: "Bosses"}, Role: "administrator"}
		_, err := w.svc.ChangeGroupMappings(w.ctx, w.ref, []model.GroupMapping{mapping}, directory.Replacing[model.GroupMapping]())
		w.ok(err)
		u := w.user(ada)
		w.group("Bosses", u)
		w.hasRoles(ada)
		mapping.AllowAdministrator = true
		_, err = w.svc.ChangeGroupMappings(w.ctx, w.ref, []model.GroupMapping{mapping}, directory.Replacing[model.GroupMapping]())
		w.ok(err)
		w.drain()
		w.hasRoles(ada, "administrator")
		w.mapped("Bosses=hr")
		w.hasRoles(ada, "administrator")
	})
}

func TestServicePermissionsFollowTheGroups(t *testing.T) {
	each(t, func(w *world) {
		sites(w)
		at := func(site string, level model.Level) model.GroupMapping {
			return model.GroupMapping{
				Group: model.GroupSelector{DisplayName: string(level)}, Site: site, Permissions: []model.ModulePermission{{Module: "wiki", Level: level}},
			}
		}
		_, err := w.svc.ChangeGroupMappings(w.ctx, w.ref, []model.GroupMapping{at("copenhagen", model.LevelAdmin)}, directory.Replacing[model.GroupMapping]())
		w.refused(err, model.Conflict, "[0].site", "denmark")
		_, err = w.svc.ChangeGroupMappings(w.ctx, w.ref, []model.GroupMapping{at("denmark", model.LevelMember), at("denmark", model.LevelManager)}, directory.Replacing[model.GroupMapping]())
		w.ok(err)
		u := w.user(ada)
		w.group("member", u)
		manager := w.group("manager", u)
		w.hasPermissions(ada, "copenhagen/wiki/manager denmark/wiki/manager")
		_, err = w.svc.ChangeAccount(w.ctx, w.org, w.account(ada).ID, func(a *model.Account) error {
			a.ByHand = []model.Permission{{Site: "denmark", Module: "wiki", Level: model.LevelAdmin}, {Site: "aarhus", Module: "wiki", Level: model.LevelMember}}
			return nil
		})
		w.ok(err)
		w.hasPermissions(ada, "aarhus/wiki/member copenhagen/wiki/manager denmark/wiki/admin")
		w.members(manager, model.MembersRemove, u)
		w.hasPermissions(ada, "aarhus/wiki/member copenhagen/wiki/member denmark/wiki/admin")
		_, err = w.svc.PutSite(w.ctx, w.org, model.Site{Key: "copenhagen", Parent: "denmark", Override: true})
		w.ok(err)
		w.drain()
		w.hasPermissions(ada, "aarhus/wiki/member denmark/wiki/admin")
		_, err = w.svc.ChangeAccount(w.ctx, w.org, w.account(ada).ID, func(a *model.Account) error { a.ByHand = nil; return nil })
		w.ok(err)
		w.hasPermissions(ada, "denmark/wiki/member")
	})
}

// sites puts Denmark with Copenhagen, which inherits, and Aarhus, which overrides, and the module wiki into the catalogue.
func sites(w *world) {
	w.Helper()
	for _, s := range []model.Site{{Key: "denmark"}, {Key: "copenhagen", Parent: "denmark"}, {Key: "aarhus", Parent: "denmark", Override: true}} {
		_, err := w.svc.PutSite(w.ctx, w.org, s)
		w.ok(err)
	}
	_, err := w.svc.PutModule(w.ctx, w.org, model.Module{Key: "wiki"})
	w.ok(err)
}

func (w *world) hasPermissions(email, want string) {
	w.Helper()
	var got []string
	for _, p := range w.account(email).Permissions {
		got = append(got, p.Site+"/"+p.Module+"/"+string(p.Level))
	}
	if text := strings.Join(got, " "); text != want {
		w.Fatalf("account %s has permissions %q, want %q", email, text, want)
	}
}
