package directory_test

import (
	"strings"
	"testing"
	"time"

	"usher/directory"
	"usher/model"
)

func TestServicePushedUserGetsAnAccount(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("ada@contoso.com", map[string]any{
			"name": map[string]any{"givenName": "Ada", "familyName": "Lovelace"}, "title": "Analyst",
			"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": map[string]any{"department": "Research"},
		})
		a := w.account("ADA@contoso.com")
		if a.Origin != model.OriginDirectory || a.Status != model.AccountActive || a.UserName != "ada@contoso.com" ||
			a.GivenName != "Ada" || a.FamilyName != "Lovelace" || a.JobTitle != "Analyst" || a.Department != "Research" {
			w.Fatalf("%+v", a)
		}
		want := model.Link{IntegrationID: w.ref.IntegrationID, DirectoryUserID: u.ID, ExternalID: "object-ada"}
		if len(a.Links) != 1 || a.Links[0] != want {
			w.Fatalf("links %+v", a.Links)
		}
		if got := w.mirror(u); got.AccountID == nil || *got.AccountID != a.ID || !got.Explanation.InScope || got.Version != 1 {
			w.Fatalf("%+v", got)
		}
	})
}

func TestServiceLinksToAnAccountMadeByHand(t *testing.T) {
	each(t, func(w *world) {
		byHand, err := w.svc.CreateAccount(w.ctx, w.org, model.Account{Email: "Ada@Contoso.com", DisplayName: "Countess"})
		w.ok(err)
		u := w.user("ada.lovelace@contoso.com", map[string]any{
			"emails": []any{map[string]any{"type": "work", "value": "ada@contoso.com"}},
		})
		if a := w.account("ada@contoso.com"); a.ID != byHand.ID || a.Origin != model.OriginManual || len(a.Links) != 1 {
			w.Fatalf("%+v", a)
		}
		if why := w.mirror(u).Explanation.Link; !strings.Contains(why, "login e-mail equals") {
			w.Fatal(why)
		}
	})
}

func TestServiceSecondUserOfOnePersonIsReportedNotApplied(t *testing.T) {
	each(t, func(w *world) {
		first := w.user("ada@contoso.com")
		second := w.user("ada.l@contoso.com", map[string]any{"emails": []any{map[string]any{"type": "work", "value": "ada@contoso.com"}}})
		if got := w.mirror(second); got.AccountID != nil || len(got.Explanation.Problems) != 1 ||
			!strings.Contains(got.Explanation.Problems[0].Detail, "linked to directory user ada") {
			w.Fatalf("%+v", got.Explanation)
		}
		w.ok(w.svc.DeleteUser(w.ctx, w.ref, first.ID, nil))
		w.hasStatus("ada@contoso.com", model.AccountDeactivated)
		w.patch(second, map[string]any{"title": "Analyst"})
		if got := w.mirror(second); got.AccountID == nil || *got.AccountID != w.account("ada@contoso.com").ID {
			w.Fatal("the second user does not take over when the first is gone")
		}
		w.hasStatus("ada@contoso.com", model.AccountActive)
	})
}

func TestServiceExclusions(t *testing.T) {
	each(t, func(w *world) {
		bot := w.user("print-bot@contoso.com")
		w.user("ada@contoso.com")
		w.hasStatus("print-bot@contoso.com", model.AccountActive)
		_, err := w.svc.ChangeExclusions(w.ctx, w.ref, []model.Exclusion{{Pattern: "*-BOT@*"}}, directory.Replacing[model.Exclusion]())
		w.ok(err)
		w.drain()
		w.hasStatus("print-bot@contoso.com", model.AccountDeactivated)
		w.hasStatus("ada@contoso.com", model.AccountActive)
		w.user("scan-bot@contoso.com")
		w.noAccount("scan-bot@contoso.com")
		if why := w.mirror(bot).Explanation.Scope; why != "excluded by pattern *-BOT@*" {
			w.Fatal(why)
		}
		_, err = w.svc.ChangeExclusions(w.ctx, w.ref, nil, directory.Replacing[model.Exclusion]())
		w.ok(err)
		w.drain()
		w.hasStatus("print-bot@contoso.com", model.AccountActive)
		w.hasStatus("scan-bot@contoso.com", model.AccountActive)
	})
}

func TestServiceGuestsAndTombstones(t *testing.T) {
	each(t, func(w *world) {
		w.user("grace_fabrikam.com#EXT#@contoso.onmicrosoft.com", map[string]any{"emails": nil})
		if a := w.account("grace@fabrikam.com"); a.UserName != "grace@fabrikam.com" {
			w.Fatalf("%+v", a)
		}
		u := w.user("ada@contoso.com")
		tombstone := strings.Repeat("0f", 16) + "ada@contoso.com"
		w.patch(u, map[string]any{"userName": tombstone, "active": false})
		if got := w.mirror(u).UserName; got != tombstone {
			w.Fatal(got)
		}
		if a := w.account("ada@contoso.com"); a.UserName != "ada@contoso.com" || a.Status != model.AccountDeactivated {
			w.Fatalf("%+v", a)
		}
	})
}

func TestServiceTwoIntegrationsKeepOnePerson(t *testing.T) {
	each(t, func(w *world) {
		other := w.integration("Fabrikam", model.RoleSyncReconcile, func(i *model.Integration) { i.Priority++ })
		first := w.user("ada@contoso.com", map[string]any{"title": "Analyst"})
		second := w.userIn(other, "ada@contoso.com", map[string]any{"title": "Consultant"})
		a := w.account("ada@contoso.com")
		if len(a.Links) != 2 || a.JobTitle != "Analyst" {
			w.Fatalf("%+v", a)
		}
		w.patch(first, map[string]any{"active": false})
		if a := w.account("ada@contoso.com"); a.Status != model.AccountActive || a.JobTitle != "Consultant" {
			w.Fatalf("%+v", a) // who is out of scope gives nothing, so that the next in priority does
		}
		w.patch(second, map[string]any{"active": false})
		w.hasStatus("ada@contoso.com", model.AccountDeactivated)
		w.patch(first, map[string]any{"active": true})
		w.hasStatus("ada@contoso.com", model.AccountActive)
	})
}

func TestServiceLeaverAndReturner(t *testing.T) {
	for name, step := range map[string]struct {
		leave, back func(*world, model.DirectoryUser)
	}{
		"disabled": {
			func(w *world, u model.DirectoryUser) { w.patch(u, map[string]any{"active": false}) },
			func(w *world, u model.DirectoryUser) { w.patch(u, map[string]any{"active": true}) },
		},
		"deleted": {
			func(w *world, u model.DirectoryUser) { w.ok(w.svc.DeleteUser(w.ctx, w.ref, u.ID, nil)) },
			func(w *world, _ model.DirectoryUser) { w.user("ada@contoso.com") },
		},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(w *world) {
				w.roles("hr")
				w.mapped("HR=hr")
				u := w.user("ada@contoso.com")
				w.group("HR", u)
				id := w.account("ada@contoso.com").ID
				step.leave(w, u)
				w.hasStatus("ada@contoso.com", model.AccountDeactivated)
				w.hasRoles("ada@contoso.com", "hr")
				step.back(w, u)
				if a := w.account("ada@contoso.com"); a.ID != id || a.Status != model.AccountActive || len(a.Links) != 1 {
					w.Fatalf("%+v", a)
				}
			})
		})
	}
}

func TestServiceOperatorsDeactivationStays(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("ada@contoso.com")
		id := w.account("ada@contoso.com").ID
		_, err := w.svc.DeactivateAccount(w.ctx, w.org, id)
		w.ok(err)
		w.patch(u, map[string]any{"active": false})
		w.patch(u, map[string]any{"active": true, "title": "Analyst"})
		if a := w.account("ada@contoso.com"); a.Status != model.AccountDeactivated || a.JobTitle != "Analyst" {
			w.Fatalf("%+v", a)
		}
		_, err = w.svc.ReactivateAccount(w.ctx, w.org, id)
		w.ok(err)
		w.patch(u, map[string]any{"title": "Poet"})
		w.hasStatus("ada@contoso.com", model.AccountActive)
		w.patch(u, map[string]any{"active": false})
		w.hasStatus("ada@contoso.com", model.AccountDeactivated)
	})
}

func TestServiceOperatorConfirmsADeactivationOfTheSync(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("ada@contoso.com")
		w.patch(u, map[string]any{"active": false})
		e := w.during(func() {
			for range 2 {
				_, err := w.svc.DeactivateAccount(w.ctx, w.org, w.account("ada@contoso.com").ID)
				w.ok(err)
			}
		})
		w.wrote(e, "", "account.updated")
		w.patch(u, map[string]any{"active": true})
		w.hasStatus("ada@contoso.com", model.AccountDeactivated)
	})
}

func TestServiceReactivatedOutOfScopeStaysUntilTheNextEvent(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("ada@contoso.com")
		w.patch(u, map[string]any{"active": false})
		_, err := w.svc.ReactivateAccount(w.ctx, w.org, w.account("ada@contoso.com").ID)
		w.ok(err)
		w.patch(u, map[string]any{"title": "Poet"})
		w.hasStatus("ada@contoso.com", model.AccountActive)
		w.patch(u, map[string]any{"active": true})
		w.patch(u, map[string]any{"active": false})
		w.hasStatus("ada@contoso.com", model.AccountDeactivated)
	})
}

func TestServiceRequireGroup(t *testing.T) {
	each(t, func(w *world) {
		w.roles("hr")
		w.mapped("HR=hr")
		_, err := w.svc.ChangeIntegration(w.ctx, w.ref, func(i *model.Integration) error { i.RequireGroup = true; return nil }, nil)
		w.ok(err)
		u := w.user("ada@contoso.com")
		w.noAccount("ada@contoso.com")
		g := w.group("HR", u)
		w.hasRoles("ada@contoso.com", "hr")
		w.members(g, model.MembersRemove, u)
		w.hasStatus("ada@contoso.com", model.AccountDeactivated)
		w.members(g, model.MembersAdd, u)
		w.hasStatus("ada@contoso.com", model.AccountActive)
		w.ok(w.svc.DeleteGroup(w.ctx, w.ref, g.ID, nil))
		w.hasStatus("ada@contoso.com", model.AccountDeactivated)
	})
}

func TestServiceArchivedAccountIsNoSyncsBusiness(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("ada@contoso.com")
		id := w.account("ada@contoso.com").ID
		_, err := w.svc.ArchiveAccount(w.ctx, w.org, id)
		w.refused(err, model.Refused, "", "is active")
		w.refused(w.svc.DeleteAccount(w.ctx, w.org, id), model.Refused, "", "only an archived account")
		_, err = w.svc.DeactivateAccount(w.ctx, w.org, id)
		w.ok(err)
		_, err = w.svc.ArchiveAccount(w.ctx, w.org, id)
		w.ok(err)
		w.patch(u, map[string]any{"title": "Poet"})
		if a := w.account("ada@contoso.com"); a.Status != model.AccountArchived || a.JobTitle != "" {
			w.Fatalf("%+v", a)
		}
		_, err = w.svc.DeactivateAccount(w.ctx, w.org, id)
		w.refused(err, model.Refused, "", "is archived")
		w.ok(w.svc.DeleteAccount(w.ctx, w.org, id))
		w.noAccount("ada@contoso.com")
		if got := w.mirror(u); got.AccountID != nil {
			w.Fatal("the mirror still points to the account")
		}
	})
}

func TestServiceRemovedIntegrationLeavesItsAccounts(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada@contoso.com")
		id := w.account("ada@contoso.com").ID
		w.ok(w.svc.DeleteIntegration(w.ctx, w.ref))
		if a := w.account("ada@contoso.com"); a.ID != id || a.Status != model.AccountActive || len(a.Links) != 0 {
			w.Fatalf("%+v", a)
		}
		_, err := w.push(w.ref, "grace@contoso.com")
		w.refused(err, model.NotFound, "", "integration")
		again := w.integration("Contoso again", model.RoleSyncReconcile)
		w.userIn(again, "ada@contoso.com")
		if a := w.account("ada@contoso.com"); a.ID != id || len(a.Links) != 1 {
			w.Fatalf("%+v", a)
		}
	})
}

func TestServiceMarksTimeInUTC(t *testing.T) {
	each(t, func(w *world) {
		w.clock.move(90 * time.Minute)
		w.user("ada@contoso.com")
		if a := w.account("ada@contoso.com"); !a.CreatedAt.Equal(w.clock.Now()) || a.CreatedAt.Location() != time.UTC {
			w.Fatal(a.CreatedAt)
		}
	})
}
