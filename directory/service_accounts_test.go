package directory_test

import (
	"fmt"
	"strings"
	"testing"

	"usher/directory"
	"usher/model"
	"usher/model/store"
)

func TestServiceCreateAccountChecksWhatIsSent(t *testing.T) {
	each(t, func(w *world) {
		w.roles("hr")
		sites(w)
		for key, kind := range map[string]model.FieldType{"badge": model.FieldText, "floor": model.FieldNumber, "start": model.FieldDate} {
			_, err := w.svc.PutCustomField(w.ctx, w.org, model.CustomField{Key: key, Type: kind})
			w.ok(err)
		}
		w.user("taken@contoso.com")
		long := strings.Repeat("x", 2000)
		for _, c := range []struct {
			field string
			kind  model.Kind
			words string
			in    model.Account
		}{
			{"email", model.Invalid, "required", model.Account{DisplayName: "Ada"}},
			{"email", model.Invalid, "not an e-mail", model.Account{Email: "ada"}},
			{"email", model.Invalid, "not an e-mail", model.Account{Email: "a\x00da@contoso.com"}},
			{"email", model.Conflict, "taken", model.Account{Email: "TAKEN@contoso.com"}},
			{"display_name", model.Invalid, "at most", model.Account{DisplayName: long}},
			{"given_name", model.Invalid, "not text", model.Account{GivenName: "A\x00"}},
			{"language", model.Invalid, "language", model.Account{Language: "klingonish"}},
			{"time_zone", model.Invalid, "time zone", model.Account{TimeZone: "Europe/Atlantis"}},
			{"currency", model.Invalid, "currency", model.Account{Currency: "GOLD"}},
			{"roles[1]", model.Invalid, "nope", model.Account{Roles: []string{"hr", "nope"}}},
			{"permissions[0].site", model.Invalid, "mars", model.Account{ByHand: []model.Permission{{Site: "mars", Module: "wiki", Level: "admin"}}}},
			{"permissions[0].module", model.Invalid, "forum", model.Account{Permissions: []model.Permission{{Site: "denmark", Module: "forum", Level: "admin"}}}},
			{"permissions[0].level", model.Invalid, "king", model.Account{ByHand: []model.Permission{{Site: "denmark", Module: "wiki", Level: "king"}}}},
			{"custom_fields.shoe", model.Invalid, "does not exist", model.Account{CustomFields: map[string]any{"shoe": "43"}}},
			{"custom_fields.floor", model.Invalid, "number", model.Account{CustomFields: map[string]any{"floor": "third"}}},
			{"custom_fields.badge", model.Invalid, "text", model.Account{CustomFields: map[string]any{"badge": 7.0}}},
			{"custom_fields.start", model.Invalid, "date", model.Account{CustomFields: map[string]any{"start": "2026-02-30"}}},
		} {
			if c.in.Email == "" && c.field != "email" {
				c.in.Email = ada
			}
			e := w.during(func() {
				_, err := w.svc.CreateAccount(w.ctx, w.org, c.in)
				w.refused(err, c.kind, c.field, c.words)
			})
			w.wrote(e, "", "")
		}
		_, err := w.svc.CreateAccount(w.ctx, w.org, model.Account{
			Email: " " + ada, Roles: []string{"hr", "hr"}, Language: "da", TimeZone: "Europe/Copenhagen", Currency: "dkk",
			ByHand:       []model.Permission{{Site: "denmark", Module: "wiki", Level: "member"}, {Site: "denmark", Module: "wiki", Level: "admin"}},
			CustomFields: map[string]any{"badge": "7", "floor": 3, "start": "2026-11-21"},
		})
		w.ok(err)
		a := w.account(ada)
		if a.Origin != model.OriginManual || a.UserName != ada || len(a.Roles) != 1 || a.Currency != "DKK" ||
			a.CustomFields["floor"] != 3.0 || len(a.Permissions) != 1 || a.Permissions[0].Level != model.LevelAdmin {
			w.Fatalf("%+v", a)
		}
	})
}

func TestServiceChangeAccount(t *testing.T) {
	each(t, func(w *world) {
		w.roles("hr")
		w.user("taken@contoso.com")
		a, err := w.svc.CreateAccount(w.ctx, w.org, model.Account{Email: ada, Roles: []string{"hr"}})
		w.ok(err)
		change := func(edit func(*model.Account)) error {
			_, err := w.svc.ChangeAccount(w.ctx, w.org, a.ID, func(a *model.Account) error { edit(a); return nil })
			return err
		}
		e := w.during(func() {
			w.ok(change(func(a *model.Account) {
				a.GivenName, a.JobTitle = "Ada", "Poet"
				a.ID, a.OrganizationID, a.Status, a.Roles, a.Origin = "x", "y", model.AccountArchived, nil, model.OriginDirectory
				a.Permissions = []model.Permission{{Site: "mars", Module: "wiki", Level: "admin"}}
			}))
		})
		w.wrote(e, "account.updated", "account.updated")
		if got := w.account(ada); got.ID != a.ID || got.GivenName != "Ada" || got.Status != model.AccountActive ||
			len(got.Roles) != 1 || got.Origin != model.OriginManual || len(got.Permissions) != 0 {
			w.Fatalf("%+v", got)
		}
		w.wrote(w.during(func() { w.ok(change(func(*model.Account) {})) }), "", "")
		w.refused(change(func(a *model.Account) { a.Email = "Taken@contoso.com" }), model.Conflict, "email", "taken")
		w.refused(change(func(a *model.Account) { a.Email = "" }), model.Invalid, "email", "required")
		w.refused(change(func(a *model.Account) { a.UserName = "" }), model.Invalid, "user_name", "required")
		w.ok(change(func(a *model.Account) { a.JobTitle = "" }))
		if got := w.account(ada); got.JobTitle != "" {
			w.Fatal("a cleared field does not stay cleared")
		}
		_, _, err = w.svc.PutEmployee(w.ctx, w.org, model.Employee{ExternalID: "1", Email: "countess@contoso.com", JobTitle: "Countess"})
		w.ok(err)
		w.ok(change(func(a *model.Account) { a.Email = "countess@contoso.com" }))
		if got := w.account("countess@contoso.com"); got.EmployeeID == nil || got.JobTitle != "Countess" {
			w.Fatalf("%+v", got)
		}
		w.refused(change(func(a *model.Account) { a.JobTitle = "Poet" }), model.Refused, "job_title", "employee 1 owns")
		w.ok(change(func(a *model.Account) { a.Language = "da" }))
	})
}

func TestServiceSetRolesChecksThem(t *testing.T) {
	each(t, func(w *world) {
		w.roles("hr", "administrator")
		a, err := w.svc.CreateAccount(w.ctx, w.org, model.Account{Email: ada, Roles: []string{"administrator"}})
		w.ok(err)
		_, err = w.svc.SetRoles(w.ctx, w.org, a.ID, []string{"hr", "king"})
		w.refused(err, model.Invalid, "roles[1]", "king")
		for _, roles := range [][]string{nil, {"hr"}} {
			_, err = w.svc.SetRoles(w.ctx, w.org, a.ID, roles)
			w.refused(err, model.Refused, "", "the last administrator")
		}
		_, err = w.svc.DeactivateAccount(w.ctx, w.org, a.ID)
		w.ok(err)
		_, err = w.svc.ArchiveAccount(w.ctx, w.org, a.ID)
		w.refused(err, model.Refused, "", "the last administrator")
		_, err = w.svc.CreateAccount(w.ctx, w.org, model.Account{Email: "grace@contoso.com", Roles: []string{"administrator"}})
		w.ok(err)
		_, err = w.svc.SetRoles(w.ctx, w.org, a.ID, nil)
		w.ok(err)
	})
}

func TestServiceBulk(t *testing.T) {
	each(t, func(w *world) {
		w.roles("administrator")
		for i := range 250 {
			domain := []string{"contoso.com", "fabrikam.com", "evil-contoso.com"}[i%3]
			_, err := w.svc.CreateAccount(w.ctx, w.org, model.Account{Email: fmt.Sprintf("person%03d@%s", i, domain)})
			w.ok(err)
		}
		w.user("linked@fabrikam.com")
		boss, err := w.svc.CreateAccount(w.ctx, w.org, model.Account{Email: "boss@evil-contoso.com", Roles: []string{"administrator"}})
		w.ok(err)
		outside := directory.BulkFilter{EmailNotInDomains: []string{"@Contoso.com"}}
		bulk := func(action string, f directory.BulkFilter, dry bool) directory.BulkResult {
			w.Helper()
			r, err := w.svc.BulkAccounts(w.ctx, w.org, action, f, dry)
			w.ok(err)
			return r
		}
		var r directory.BulkResult
		e := w.during(func() { r = bulk("deactivate", outside, true) })
		w.wrote(e, "", "")
		if r.Matched != 168 || r.Changed != 168 || len(r.Accounts) != 168 || !r.DryRun {
			w.Fatalf("%+v", r)
		}
		e = w.during(func() { r = bulk("deactivate", outside, false) })
		if r.Matched != 168 || r.Changed != 168 || len(e.changes) != 168 || len(e.activity) != 168 {
			w.Fatalf("%+v", r)
		}
		if n := len(w.accounts(store.AccountFilter{Status: model.AccountActive})); n != 84 {
			w.Fatalf("%d are active", n)
		}
		if r = bulk("deactivate", outside, false); r.Changed != 0 || r.Unchanged != 168 {
			w.Fatalf("%+v", r)
		}
		no := false
		if r = bulk("reactivate", directory.BulkFilter{EmailInDomains: []string{"fabrikam.com"}, Unlinked: &no}, false); r.Changed != 1 {
			w.Fatalf("%+v", r)
		}
		r = bulk("archive", directory.BulkFilter{EmailInDomains: []string{"evil-contoso.com", "contoso.com"}}, false)
		if r.Changed != 83 || r.Refused != 85 || len(r.Skipped) != 85 {
			w.Fatalf("%d changed, %d refused", r.Changed, r.Refused)
		}
		if last := r.Skipped[len(r.Skipped)-1]; last.AccountID != boss.ID || !strings.Contains(last.Reason, "last administrator") {
			w.Fatalf("%+v", last)
		}
		archived := directory.BulkFilter{Status: "archived"}
		if r = bulk("delete", archived, true); r.Changed != 83 {
			w.Fatalf("%+v", r)
		}
		if r = bulk("delete", archived, false); r.Changed != 83 || len(w.accounts(store.AccountFilter{})) != 252-83 {
			w.Fatalf("%+v", r)
		}
	})
}

func TestServiceBulkDryRunSeesTheLastAdministrator(t *testing.T) {
	each(t, func(w *world) {
		w.roles("administrator")
		for i := range 3 {
			a, err := w.svc.CreateAccount(w.ctx, w.org, model.Account{Email: fmt.Sprintf("admin%d@contoso.com", i), Roles: []string{"administrator"}})
			w.ok(err)
			_, err = w.svc.DeactivateAccount(w.ctx, w.org, a.ID)
			w.ok(err)
		}
		f := directory.BulkFilter{Role: "administrator"}
		for _, dry := range []bool{true, false} {
			r, err := w.svc.BulkAccounts(w.ctx, w.org, "archive", f, dry)
			w.ok(err)
			if r.Matched != 3 || r.Changed != 2 || r.Refused != 1 {
				w.Fatalf("dry %v: %+v", dry, r)
			}
		}
	})
}

func TestServiceBulkRefusesWhatIsTooWide(t *testing.T) {
	each(t, func(w *world) {
		for _, c := range []struct {
			action, field string
			f             directory.BulkFilter
		}{
			{"explode", "action", directory.BulkFilter{Q: "x"}},
			{"deactivate", "filter", directory.BulkFilter{}},
			{"deactivate", "filter.status", directory.BulkFilter{Status: "asleep"}},
			{"deactivate", "filter.origin", directory.BulkFilter{Origin: "heaven"}},
			{"deactivate", "filter.role", directory.BulkFilter{Role: "king"}},
			{"deactivate", "filter.integration", directory.BulkFilter{Integration: "nope"}},
			{"deactivate", "filter.email_not_in_domains[0]", directory.BulkFilter{EmailNotInDomains: []string{" "}}},
			{"deactivate", "filter.email_in_domains[1]", directory.BulkFilter{EmailInDomains: []string{"a.com", "x@b.com"}}},
		} {
			_, err := w.svc.BulkAccounts(w.ctx, w.org, c.action, c.f, false)
			w.refused(err, model.Invalid, c.field, "")
		}
	})
}

func TestServiceExplain(t *testing.T) {
	each(t, func(w *world) {
		staffed(w, model.RoleSyncReconcile)
		sites(w)
		_, err := w.svc.ChangeGroupMappings(w.ctx, w.ref, []model.GroupMapping{
			{Group: model.GroupSelector{DisplayName: "HR"}, Role: "hr", Site: "denmark", Permissions: []model.ModulePermission{{Module: "wiki", Level: model.LevelMember}}},
		}, directory.Replacing[model.GroupMapping]())

		w.ok(err)
		u := w.user(ada, map[string]any{"title": "Poet"})
		g := w.group("HR", u)
		w.giveRoles(ada, "hr", "manager")
		_, err = w.svc.ChangeAccount(w.ctx, w.org, w.account(ada).ID, func(a *model.Account) error {
			a.ByHand = []model.Permission{{Site: "aarhus", Module: "wiki", Level: model.LevelAdmin}}
			a.Currency = "DKK"
			return nil
		})
		w.ok(err)
		x, err := w.svc.Explain(w.ctx, w.org, w.account(ada).ID)
		w.ok(err)
		if len(x.Roles) != 2 || len(x.Links) != 1 || len(x.Permissions) != 3 {
			w.Fatalf("%+v", x)
		}
		want := directory.Reason{Source: directory.ReasonGroup, IntegrationID: w.ref.IntegrationID, Integration: "Contoso", GroupID: g.ID, Group: "HR", Text: "group HR gives role hr"}
		if hr := x.Roles[0]; hr.Role != "hr" || len(hr.Reasons) != 1 || hr.Reasons[0] != want {
			w.Fatalf("%+v", hr)
		}
		if m := x.Roles[1]; m.Role != "manager" || m.Reasons[0].Source != directory.ReasonHand {
			w.Fatalf("%+v", m)
		}
		if p := x.Permissions[0]; p.Site != "aarhus" || p.Reasons[0].Source != directory.ReasonHand {
			w.Fatalf("%+v", p)
		}
		if p := x.Permissions[1]; p.Site != "copenhagen" || p.Reasons[0].Text != "group HR gives member in wiki at copenhagen, which inherits from denmark" {
			w.Fatalf("%+v", p)
		}
		fields := map[string]string{}
		for _, f := range x.Fields {
			fields[f.Field] = f.Reasons[0].Text
		}
		if fields["job_title"] != "attribute title gives job_title" || fields["currency"] != "given by hand" {
			w.Fatalf("%v", fields)
		}
		if x.Status.Cause != "sync" || x.Status.Reason != "Contoso: provisioned by Entra and active" {
			w.Fatalf("%+v", x.Status)
		}
		w.sync()
		if x, err = w.svc.Explain(w.ctx, w.org, x.Account.ID); err != nil || !strings.Contains(x.Roles[1].Reasons[0].Text, "reconcile keeps it") {
			w.Fatalf("%+v, %v", x.Roles[1], err)
		}
	})
}

func TestServiceExplainsTheStatus(t *testing.T) {
	each(t, func(w *world) {
		why := func(email string) string {
			w.Helper()
			x, err := w.svc.Explain(w.ctx, w.org, w.account(email).ID)
			w.ok(err)
			return x.Status.Reason
		}
		u := w.user(ada)
		w.patch(u, map[string]any{"active": false})
		if got := why(ada); got != "Contoso: disabled in Entra" {
			w.Fatal(got)
		}
		_, err := w.svc.DeactivateAccount(w.ctx, w.org, w.account(ada).ID)
		w.ok(err)
		if got := why(ada); got != "an operator deactivated the account" {
			w.Fatal(got)
		}
		_, err = w.svc.CreateAccount(w.ctx, w.org, model.Account{Email: "grace@contoso.com"})
		w.ok(err)
		if got := why("grace@contoso.com"); got != "the account was made by hand" {
			w.Fatal(got)
		}
		date := "2026-11-20"
		_, _, err = w.svc.PutEmployee(w.ctx, w.org, model.Employee{ExternalID: "7", Email: "grace@contoso.com", ResignationDate: &date})
		w.ok(err)
		if got := why("grace@contoso.com"); got != "employee 7 left on 2026-11-20" {
			w.Fatal(got)
		}
	})
}
