package directory_test

import (
	"strings"
	"testing"

	"usher/directory"
	"usher/model"
)

func TestServiceCatalogueKeysAndNames(t *testing.T) {
	each(t, func(w *world) {
		r, err := w.svc.PutRole(w.ctx, w.org, model.Role{Key: "New-employee.2"})
		w.ok(err)
		if r.Name != "New-employee.2" || r.OrganizationID != w.org {
			w.Fatalf("%+v", r)
		}
		for _, key := range []string{"", "-a", "a b", "ä", "a/b", strings.Repeat("x", 65)} {
			_, err := w.svc.PutModule(w.ctx, w.org, model.Module{Key: key})
			w.refused(err, model.Invalid, "key", "is not a key")
		}
		_, err = w.svc.PutRole(w.ctx, w.org, model.Role{Key: "new-Employee.2"})
		w.refused(err, model.Conflict, "key", "differ in case")
		_, err = w.svc.PutDepartment(w.ctx, w.org, model.Department{Key: "x", Name: strings.Repeat("x", 201)})
		w.refused(err, model.Invalid, "name", "at most")
		_, err = w.svc.PutCustomField(w.ctx, w.org, model.CustomField{Key: "x", Type: "blob"})
		w.refused(err, model.Invalid, "type", "blob")
		for want, put := range map[string]func() error{
			"role.updated": func() error {
				_, err := w.svc.PutRole(w.ctx, w.org, model.Role{Key: "New-employee.2", Name: "New"})
				return err
			},
			"custom_field.created": func() error {
				_, err := w.svc.PutCustomField(w.ctx, w.org, model.CustomField{Key: "badge"})
				return err
			},
		} {
			w.wrote(w.during(func() { w.ok(put()) }), "", want)
			w.wrote(w.during(func() { w.ok(put()) }), "", "")
		}
	})
}

// TestServiceCatalogueKeepsWhatIsUsed deletes every kind of entry while something refers to it, and then without.
func TestServiceCatalogueKeepsWhatIsUsed(t *testing.T) {
	each(t, func(w *world) {
		w.roles("hr", "guest", "held")
		sites(w)
		_, err := w.svc.PutDepartment(w.ctx, w.org, model.Department{Key: "sales", Name: "Sales"})
		w.ok(err)
		_, err = w.svc.PutCustomField(w.ctx, w.org, model.CustomField{Key: "badge"})
		w.ok(err)
		_, err = w.svc.ChangeIntegration(w.ctx, w.ref, func(i *model.Integration) error { i.DefaultRole = "guest"; return nil }, nil)
		w.ok(err)
		_, err = w.svc.ChangeGroupMappings(w.ctx, w.ref, []model.GroupMapping{{
			Group: model.GroupSelector{DisplayName: "HR"}, Role: "hr", Department: "sales", Site: "denmark",
			Permissions: []model.ModulePermission{{Module: "wiki", Level: model.LevelAdmin}},
		}}, directory.Replacing[model.GroupMapping]())

		w.ok(err)
		_, err = w.svc.ChangeFieldMappings(w.ctx, w.ref, []model.FieldMapping{{Source: "nickName", Target: "custom_fields.badge"}}, directory.Replacing[model.FieldMapping]())
		w.ok(err)
		a, err := w.svc.CreateAccount(w.ctx, w.org, model.Account{
			Email: ada, Roles: []string{"held"}, Department: "Sales", CustomFields: map[string]any{"badge": "7"},
			ByHand: []model.Permission{{Site: "aarhus", Module: "wiki", Level: model.LevelMember}},
		})
		w.ok(err)
		if a.Department != "sales" {
			w.Fatalf("%+v", a)
		}
		remove := map[string]func() error{
			"role hr":    func() error { return w.svc.DeleteRole(w.ctx, w.org, "hr") },
			"role guest": func() error { return w.svc.DeleteRole(w.ctx, w.org, "guest") },
			"role held":  func() error { return w.svc.DeleteRole(w.ctx, w.org, "held") },
			"department": func() error { return w.svc.DeleteDepartment(w.ctx, w.org, "sales") },
			"denmark":    func() error { return w.svc.DeleteSite(w.ctx, w.org, "denmark") },
			"aarhus":     func() error { return w.svc.DeleteSite(w.ctx, w.org, "aarhus") },
			"module":     func() error { return w.svc.DeleteModule(w.ctx, w.org, "wiki") },
			"field":      func() error { return w.svc.DeleteCustomField(w.ctx, w.org, "badge") },
		}
		check := func(want map[string]string) {
			w.Helper()
			for what, words := range want {
				w.refused(remove[what](), model.Refused, "", words)
			}
		}
		check(map[string]string{
			"role hr": "mapping of group HR in integration Contoso", "role guest": "default role of integration Contoso", "role held": "account ada@contoso.com",
			"department": "mapping of group HR", "denmark": "mapping of group HR", "aarhus": "account ada@contoso.com has permissions at it",
			"module": "mapping of group HR", "field": "field mapping of integration Contoso",
		})
		w.mapped()
		_, err = w.svc.ChangeFieldMappings(w.ctx, w.ref, nil, directory.Replacing[model.FieldMapping]())
		w.ok(err)
		check(map[string]string{
			"department": "account ada@contoso.com is in it", "denmark": "parent of site aarhus", "module": "account ada@contoso.com", "field": "account ada@contoso.com",
		})
		_, err = w.svc.PutCustomField(w.ctx, w.org, model.CustomField{Key: "badge", Type: model.FieldNumber})
		w.refused(err, model.Refused, "type", "account ada@contoso.com has a value")
		_, err = w.svc.ChangeAccount(w.ctx, w.org, a.ID, func(a *model.Account) error {
			a.Department, a.CustomFields, a.ByHand = "", nil, nil
			return nil
		})
		w.ok(err)
		_, err = w.svc.PutCustomField(w.ctx, w.org, model.CustomField{Key: "badge", Type: model.FieldNumber})
		w.ok(err)
		for _, what := range []string{"role hr", "department", "aarhus", "module", "field"} {
			w.ok(remove[what]())
			w.refused(remove[what](), model.NotFound, "", "not found")
		}
	})
}

func TestServiceAdministratorMark(t *testing.T) {
	each(t, func(w *world) {
		w.roles("admin", "admin-two", "guest")
		_, err := w.svc.PutRole(w.ctx, w.org, model.Role{Key: "admin-two"}) // nobody holds it
		w.ok(err)
		a, err := w.svc.CreateAccount(w.ctx, w.org, model.Account{Email: ada, Roles: []string{"admin"}})
		w.ok(err)
		_, err = w.svc.PutRole(w.ctx, w.org, model.Role{Key: "admin"})
		w.refused(err, model.Refused, "administrator", "last administrators hold role admin")
		w.roles("admin-two")
		_, err = w.svc.SetRoles(w.ctx, w.org, a.ID, []string{"admin", "admin-two"})
		w.ok(err)
		_, err = w.svc.PutRole(w.ctx, w.org, model.Role{Key: "admin"})
		w.ok(err)
		_, err = w.svc.ChangeIntegration(w.ctx, w.ref, func(i *model.Integration) error { i.DefaultRole = "guest"; return nil }, nil)
		w.ok(err)
		_, err = w.svc.PutRole(w.ctx, w.org, model.Role{Key: "guest", Administrator: true})
		w.refused(err, model.Refused, "administrator", "default role")
	})
}

func TestServiceSiteTree(t *testing.T) {
	each(t, func(w *world) {
		sites(w)
		for words, site := range map[string]model.Site{
			"does not exist":         {Key: "x", Parent: "mars"},
			"cannot be below itself": {Key: "denmark", Parent: "copenhagen"},
			"site y cannot be below": {Key: "y", Parent: "y"},
		} {
			_, err := w.svc.PutSite(w.ctx, w.org, site)
			w.refused(err, model.Invalid, "parent", words)
		}
		_, err := w.svc.ChangeGroupMappings(w.ctx, w.ref, []model.GroupMapping{{
			Group: model.GroupSelector{DisplayName: "HR"}, Site: "aarhus", Permissions: []model.ModulePermission{{Module: "wiki", Level: model.LevelAdmin}},
		}}, directory.Replacing[model.GroupMapping]())

		w.ok(err)
		_, err = w.svc.PutSite(w.ctx, w.org, model.Site{Key: "aarhus", Parent: "denmark"})
		w.refused(err, model.Refused, "parent", "mapping of group HR")
	})
}

func TestServiceCatalogueReevaluatesWhomItConcerns(t *testing.T) {
	each(t, func(w *world) {
		w.user(ada, map[string]any{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": map[string]any{"department": "Sales"}})
		if a := w.account(ada); a.Department != "Sales" {
			w.Fatalf("%+v", a)
		}
		_, err := w.svc.PutDepartment(w.ctx, w.org, model.Department{Key: "s1", Name: "Sales"})
		w.ok(err)
		if run := w.run(); run.Kind != model.RunReevaluation || run.State != model.RunQueued || run.Reason != "department s1 was created" {
			w.Fatalf("%+v", run)
		}
		w.drain()
		before := w.run()
		_, err = w.svc.PutModule(w.ctx, w.org, model.Module{Key: "wiki"})
		w.ok(err)
		if run := w.run(); run.ID != before.ID {
			w.Fatal("a module that nothing refers to has everyone decided about again")
		}
		w.user("grace@contoso.com", map[string]any{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": map[string]any{"department": "Sales"}})
		if a := w.account("grace@contoso.com"); a.Department != "s1" {
			w.Fatalf("%+v", a)
		}
	})
}
