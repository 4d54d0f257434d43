package directory_test

import (
	"strings"
	"testing"

	"usher/internal/secret"
	"usher/model"
	"usher/model/store"
)

func TestServiceEnsureDefaultUnderRaces(t *testing.T) {
	each(t, func(w *world) {
		var fns []func() error
		for range 8 {
			fns = append(fns, func() error { return w.svc.EnsureDefault(w.ctx) })
		}
		for _, err := range together(fns...) {
			w.ok(err)
		}
		o, err := w.store.Read(w.ctx).Organization(model.DefaultOrganization)
		w.ok(err)
		_, err = w.svc.ChangeOrganization(w.ctx, o.ID, func(o *model.Organization) error { o.Slug = "other"; return nil })
		w.refused(err, model.Refused, "slug", "keeps its slug")
		w.refused(w.svc.DeleteOrganization(w.ctx, o.ID), model.Refused, "", "cannot be deleted")
	})
}

func TestServiceOrganizations(t *testing.T) {
	each(t, func(w *world) {
		for _, slug := range []string{"", "Upper", "a b", "-a", "a-", strings.Repeat("x", 64), store.NewID()} {
			_, err := w.svc.CreateOrganization(w.ctx, slug, "Name")
			w.refused(err, model.Invalid, "slug", "not a slug")
		}
		_, err := w.svc.CreateOrganization(w.ctx, "contoso", "")
		w.refused(err, model.Conflict, "slug", "another organization")
		o, err := w.svc.CreateOrganization(w.ctx, "fabrikam", "")
		w.ok(err)
		if o.Name != "fabrikam" {
			w.Fatalf("%+v", o)
		}
		changed, err := w.svc.ChangeOrganization(w.ctx, o.ID, func(o *model.Organization) error {
			o.ID, o.Name, o.SettingsVersion = "x", "Fabrikam", 99
			return nil
		})
		w.ok(err)
		if changed.ID != o.ID || changed.Name != "Fabrikam" {
			w.Fatalf("%+v", changed)
		}
		_, err = w.svc.ChangeOrganization(w.ctx, o.ID, func(o *model.Organization) error { o.Slug = "contoso"; return nil })
		w.refused(err, model.Conflict, "slug", "another organization")
		_, err = w.svc.ChangeOrganization(w.ctx, store.NewID(), func(*model.Organization) error { return nil })
		w.refused(err, model.NotFound, "", "not found")
	})
}

func TestServiceDeletedOrganizationTakesEverythingWithIt(t *testing.T) {
	each(t, func(w *world) {
		keep := must(w, w.svc.CreateOrganization)(w.ctx, "fabrikam", "").ID
		w.roles("hr")
		u := w.user(ada)
		w.group("HR", u)
		_, token, err := w.svc.CreateSCIMToken(w.ctx, w.ref, "entra", nil)
		w.ok(err)
		_, err = w.svc.SCIMToken(w.ctx, w.ref.IntegrationID, token)
		w.ok(err)
		w.sync()
		w.ok(w.svc.DeleteOrganization(w.ctx, w.org))
		_, err = w.svc.SCIMToken(w.ctx, w.ref.IntegrationID, token)
		w.refused(err, model.Unauthorized, "", "revoked") // for the log; the client hears the same of every token
		_, err = w.push(w.ref, "grace@contoso.com")
		w.refused(err, model.NotFound, "", "not found")
		for _, table := range []string{
			"integrations", "directory_users", "directory_groups", "memberships", "accounts", "changes", "activities", "roles", "scim_tokens", "runs",
		} {
			var n int
			w.ok(w.store.DB().QueryRowContext(w.ctx, "SELECT count(*) FROM "+table+" WHERE organization_id = '"+w.org+"'").Scan(&n))
			if n != 0 {
				w.Fatalf("%d rows of %s are left", n, table)
			}
		}
		if _, err := w.store.Read(w.ctx).Organization(keep); err != nil {
			w.Fatal(err)
		}
		w.refused(w.svc.DeleteOrganization(w.ctx, w.org), model.NotFound, "", "not found")
	})
}

func TestServiceOperators(t *testing.T) {
	each(t, func(w *world) {
		all := []model.Right{model.RightAll}
		const password = "correct horse battery"
		for _, c := range []struct {
			field, email, password string
			rights                 []model.Right
		}{
			{"email", "ada", password, all},
			{"password", ada, "elevenchars", all},
			{"password", ada, strings.Repeat("x", 1001), all},
			{"rights", ada, password, nil},
			{"rights", ada, password, []model.Right{"fly"}},
		} {
			_, err := w.svc.CreateOperator(w.ctx, w.org, c.email, "Ada", c.password, c.rights)
			w.refused(err, model.Invalid, c.field, "")
		}
		o, err := w.svc.CreateOperator(w.ctx, w.org, "Ada@contoso.com", "Ada", password, all)
		w.ok(err)
		if !secret.PasswordMatches(password, o.PasswordHash) {
			w.Fatal("the password does not match")
		}
		_, err = w.svc.CreateOperator(w.ctx, w.org, ada, "Ada", password, all)
		w.refused(err, model.Conflict, "email", "another operator")
		w.refused(w.svc.SetOperatorPassword(w.ctx, w.org, ada, "short"), model.Invalid, "password", "12")
		e := w.during(func() { w.ok(w.svc.SetOperatorPassword(w.ctx, w.org, ada, "another long password")) })
		w.wrote(e, "", "operator.password_changed")
		o, err = w.store.Read(w.ctx).OperatorByEmail(w.org, ada)
		w.ok(err)
		if !secret.PasswordMatches("another long password", o.PasswordHash) || o.Name != "Ada" {
			w.Fatalf("%+v", o)
		}
		w.ok(w.svc.DeleteOperator(w.ctx, w.org, "ADA@contoso.com"))
		w.refused(w.svc.DeleteOperator(w.ctx, w.org, ada), model.NotFound, "", "operator")
		for _, a := range w.log() {
			if strings.Contains(string(a.Data)+a.Summary, "argon2") || strings.Contains(string(a.Data)+a.Summary, "password\":") {
				w.Fatalf("the log shows a secret: %+v", a)
			}
		}
	})
}
