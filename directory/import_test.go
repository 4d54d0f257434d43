package directory_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"usher/directory"
	"usher/model"
	graph "usher/model/entra"
	"usher/model/store"
)

// importing is a world with an integration that imports from a pretend tenant.
type importing struct {
	*world
	tenant *pretend
}

func eachImporting(t *testing.T, test func(w *importing)) {
	t.Helper()
	each(t, func(w *world) {
		i := &importing{w, newPretend()}
		w.svc.Tenants = func(context.Context, model.Ref) (directory.Tenant, error) { return i.tenant, nil }
		w.ref = w.integration("Contoso Graph", model.RoleSyncReconcile, func(g *model.Integration) { g.Ingress = model.IngressGraph })
		test(i)
	})
}

func (w *importing) choose(ids ...string) {
	w.Helper()
	var list []model.GroupSelector
	for _, id := range ids {
		list = append(list, model.GroupSelector{ExternalID: id})
	}
	_, err := w.svc.ChangeChosenGroups(w.ctx, w.ref, list, directory.Replacing[model.GroupSelector]())
	w.ok(err)
}

// runImport imports and works everything that is enqueued; it gives the run.
func (w *importing) runImport() model.Run {
	w.Helper()
	w.clock.move(time.Minute)
	run, err := w.svc.StartRun(w.ctx, w.ref, model.RunImport)
	w.ok(err)
	w.drain()
	run, err = w.store.Read(w.ctx).Run(w.org, run.ID)
	w.ok(err)
	return run
}

func (w *importing) imported() model.Run {
	w.Helper()
	run := w.runImport()
	if run.State != model.RunSucceeded {
		w.Fatalf("the import is %s in phase %s: %s %v", run.State, run.Phase, run.Error, run.Counts)
	}
	return run
}

// mirrored reads all users of the mirror, by object id.
func (w *importing) mirrored() map[string]model.DirectoryUser {
	w.Helper()
	list, err := w.store.Read(w.ctx).DirectoryUsersAfter(w.ref, "", 1000)
	w.ok(err)
	users := map[string]model.DirectoryUser{}
	for _, u := range list {
		users[u.ExternalID] = u
	}
	return users
}

func (w *importing) integrationSetting(change func(*model.Integration)) {
	w.Helper()
	_, err := w.svc.ChangeIntegration(w.ctx, w.ref, func(i *model.Integration) error { change(i); return nil }, nil)
	w.ok(err)
}

func TestImportTakesTheMembersOfChosenGroups(t *testing.T) {
	t.Parallel()
	eachImporting(t, func(w *importing) {
		ada, grace := w.tenant.person("ada"), w.tenant.person("grace")
		w.tenant.person("nobody")
		hr := w.tenant.group("HR", ada)
		mapped := w.tenant.group("Engineers", ada, grace)
		w.roles("engineer")
		_, err := w.svc.ChangeGroupMappings(w.ctx, w.ref, []model.GroupMapping{{Group: model.GroupSelector{ExternalID: mapped}, Role: "engineer"}}, directory.Replacing[model.GroupMapping]())
		w.ok(err)
		w.choose(hr)
		run := w.imported()
		if run.Counts[model.ActionCreate] != 1 || len(w.mirrored()) != 1 {
			t.Fatalf("imported %v, mirror %v", run.Counts, w.mirrored())
		}
		w.hasRoles("ada@contoso.com", "engineer")
		w.noAccount("grace@contoso.com")

		again := w.imported()
		if again.Progress.Done != 0 || len(again.Counts) != 0 {
			t.Fatalf("an import without change looked at somebody: %+v", again)
		}
		w.tenant.join(hr, grace)
		w.imported()
		w.hasRoles("grace@contoso.com", "engineer") // known to be an engineer since before

		w.tenant.leave(hr, ada)
		w.imported()
		w.hasStatus("ada@contoso.com", model.AccountDeactivated)
		if why := w.mirrored()[ada].Explanation.Scope; why != "not a member of a chosen group" {
			t.Fatalf("explained: %s", why)
		}
		w.tenant.change(ada, func(u *graph.User) { u.Mail, u.UserPrincipalName = "ada.l@contoso.com", "ada.l@contoso.com" })
		w.tenant.join(hr, ada)
		w.imported()
		w.hasStatus("ada.l@contoso.com", model.AccountActive)
		if n := len(w.accounts(store.AccountFilter{})); n != 2 {
			t.Fatalf("%d accounts for two people", n)
		}
	})
}

func TestImportNeedsChosenGroups(t *testing.T) {
	t.Parallel()
	eachImporting(t, func(w *importing) {
		w.tenant.person("ada")
		_, err := w.svc.StartRun(w.ctx, w.ref, model.RunImport)
		w.refused(err, model.Refused, "chosen-groups", "no group is chosen")
		w.integrationSetting(func(i *model.Integration) { i.Scope = model.ScopeEveryone })
		w.imported()
		w.hasStatus("ada@contoso.com", model.AccountActive)
		w.tenant.remove(objectID("user", 1))
		w.imported()
		w.hasStatus("ada@contoso.com", model.AccountDeactivated)
		if u := w.mirrored()[objectID("user", 1)]; !strings.HasSuffix(u.UserName, "ada@contoso.com") || len(u.UserName) != 32+len("ada@contoso.com") ||
			u.Explanation.Scope != "deleted in Entra" {
			t.Fatalf("the mirror has %s, explained %s", u.UserName, u.Explanation.Scope)
		}
		w.tenant.restore(objectID("user", 1), false)
		w.imported()
		w.hasStatus("ada@contoso.com", model.AccountActive)
		w.tenant.remove(objectID("user", 1))
		w.tenant.purge(objectID("user", 1))
		w.imported()
		if len(w.mirrored()) != 0 {
			t.Fatalf("the mirror has %v", w.mirrored())
		}
		w.hasStatus("ada@contoso.com", model.AccountDeactivated)
	})
}

func TestImportNestsGroups(t *testing.T) {
	t.Parallel()
	eachImporting(t, func(w *importing) {
		ada, grace := w.tenant.person("ada"), w.tenant.person("grace")
		denmark := w.tenant.group("Denmark", ada)
		payroll := w.tenant.group("Payroll", grace, denmark)
		hr := w.tenant.group("HR", payroll)
		w.tenant.join(denmark, hr) // a circle
		w.roles("hr")
		_, err := w.svc.ChangeGroupMappings(w.ctx, w.ref, []model.GroupMapping{{Group: model.GroupSelector{DisplayName: "HR"}, Role: "hr"}}, directory.Replacing[model.GroupMapping]())
		w.ok(err)
		w.choose(hr)
		w.imported()
		if len(w.mirrored()) != 0 {
			t.Fatalf("members of nested groups were imported without nested_groups: %v", w.mirrored())
		}
		w.integrationSetting(func(i *model.Integration) { i.NestedGroups = true })
		w.imported()
		w.hasRoles("ada@contoso.com", "hr")
		w.hasRoles("grace@contoso.com", "hr")
		u := w.mirrored()[ada]
		if u.Explanation.Scope != "a member of chosen group HR through Payroll, Denmark" || len(u.Explanation.Grants) != 1 ||
			u.Explanation.Grants[0].Group != "HR through Payroll, Denmark" {
			t.Fatalf("explained %+v", u.Explanation)
		}
		w.tenant.leave(payroll, denmark)
		w.imported()
		w.hasStatus("ada@contoso.com", model.AccountDeactivated)
		w.hasStatus("grace@contoso.com", model.AccountActive)
		w.tenant.rename(payroll, "Wages")
		w.imported()
		if got := w.mirrored()[grace].Explanation.Scope; got != "a member of chosen group HR through Wages" {
			t.Fatalf("explained %s", got)
		}
		groups, err := w.store.Read(w.ctx).DirectoryGroupsAfter(w.ref, "", 10)
		w.ok(err)
		var names []string
		for _, g := range groups {
			names = append(names, g.DisplayName)
		}
		slices.Sort(names)
		if !slices.Equal(names, []string{"HR", "Wages"}) {
			t.Fatalf("the mirror has the groups %v", names)
		}
	})
}

func (w *importing) accountsAll() []model.Account {
	w.Helper()
	return w.accounts(store.AccountFilter{})
}

func importsOf(ref model.Ref) store.RunFilter {
	return store.RunFilter{Integration: ref.IntegrationID, Kind: model.RunImport}
}
