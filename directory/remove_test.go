package directory_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"usher/directory"
	"usher/internal/secret"
	"usher/model"
	entraid "usher/model/entra"
	"usher/model/outlook"
	"usher/model/store/storetest"
)

const plantedSecret = "hunter2-hunter2-hunter2"

// removable is an integration with an application of its own and provisioning that Usher set up.
func (w *setupWorld) removable(name string, change ...func(*model.Integration)) model.Ref {
	w.Helper()
	w.entra.apps, w.entra.deleted, w.entra.calls, w.entra.faultAt = nil, nil, nil, nil
	w.entra.shared = map[string]string{"app-own": "sp-own"}
	ref := w.integration(name, model.RoleSyncReconcile)
	_, err := w.svc.ChangeIntegration(w.ctx, ref, func(i *model.Integration) error {
		i.TenantID, i.Graph.ClientID = tenantA, "app-own"
		return nil
	}, map[string]string{directory.SecretClientSecret: plantedSecret})
	w.ok(err)
	w.asks(ref, hr())
	w.setUp(ref)
	for _, edit := range change {
		w.change(ref, edit)
	}
	w.entra.calls = nil
	return ref
}

// ended works the removal to its end.
func (w *setupWorld) ended(ref model.Ref) model.Removal {
	w.Helper()
	w.works(func(ctx context.Context) error {
		return w.svc.EndIntegration(ctx, directory.EndIntegration{OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID})
	})
	return w.removal(ref)
}

func (w *setupWorld) removal(ref model.Ref) model.Removal {
	w.Helper()
	r, err := w.svc.Removal(w.ctx, ref)
	w.ok(err)
	return r
}

// TestRemoval takes everything away, here and in Entra, also where the process dies or an answer is lost at any call.
func TestRemoval(t *testing.T) {
	eachSetup(t, func(w *setupWorld) {
		ended := 0
		opt := w.svc.Options
		opt.EndSubscriptions = func(ctx context.Context, ref model.Ref) (int, error) {
			if access, err := w.svc.GraphAccess(ctx, ref); err != nil || access.ClientSecret != plantedSecret {
				return 0, errors.Join(err, errors.New("it cannot be reached any more"))
			}
			ended++
			return 0, nil
		}
		w.svc = directory.New(opt)
		for _, what := range []setupFault{noFault, crashBefore, crashAfter, lostAnswer, throttled} {
			for at, reached := 0, true; reached; at++ {
				ref := w.removable(fmt.Sprint(what, at))
				ended, reached = 0, false
				w.entra.faultAt = func(n int, _ string) setupFault {
					if reached = reached || n == at && what != noFault; n == at {
						return what
					}
					return noFault
				}
				e := w.during(func() {
					_, err := w.svc.RemoveIntegration(w.ctx, ref, false)
					w.ok(err)
				})
				w.wrote(e, "integration.removed", "integration.removed")
				if _, err := w.store.Read(w.ctx).Integration(ref); model.KindOf(err) != model.NotFound {
					t.Fatalf("it is there still: %v", err)
				}
				r := w.ended(ref)
				if r.State != model.TaskSucceeded || r.EndedAt == nil || len(r.Left) != 0 || len(r.Access) != 0 || ended == 0 {
					t.Fatalf("%s at %d: %+v", what, at, r)
				}
				if len(w.entra.alive()) != 0 || len(w.entra.shared) != 0 {
					t.Fatalf("%s at %d: %d applications, own %v; %v", what, at, len(w.entra.alive()), w.entra.shared, w.entra.calls)
				}
				if _, err := w.svc.GraphAccess(w.ctx, ref); err == nil {
					t.Fatal("its credentials can be read")
				}
			}
		}
		if strings.Contains(w.everything(), plantedSecret) {
			t.Error("a secret stands in the database")
		}
	})
}

// TestRemovalLeavesNothing looks into every table that has integrations: what is left of one is its history alone.
func TestRemovalLeavesNothing(t *testing.T) {
	eachSetup(t, func(w *setupWorld) {
		ref := w.removable("goes")
		w.roles = nil
		w.world.roles("hr")
		_, err := w.svc.ChangeGroupMappings(w.ctx, ref, []model.GroupMapping{{Group: model.GroupSelector{DisplayName: "HR"}, Role: "hr"}}, directory.Replacing[model.GroupMapping]())
		w.ok(err)
		u := w.userIn(ref, ada)
		w.groupIn(ref, "HR", u)
		w.ok(w.store.AppendSCIMRequests(w.ctx, []model.SCIMRequest{storetest.NewRequest(ref, "create user ada@contoso.com")}))
		account := w.account(ada).ID
		plan := w.removal(ref)
		if plan.State != model.TaskNone || plan.Removed["directory_users"] != 1 || plan.Removed["links"] != 1 || len(plan.Steps) != 6 {
			t.Fatalf("%+v", plan)
		}
		_, err = w.svc.RemoveIntegration(w.ctx, ref, false)
		w.ok(err)
		w.ended(ref)
		for table, n := range w.tablesWith(ref) {
			if n > 0 && !slices.Contains([]string{"changes", "activities", "account_photos"}, table) {
				t.Errorf("%d rows are left in %s", n, table)
			}
		}
		w.hasStatus(ada, model.AccountActive)

		// Added again, it links by e-mail.
		again := w.integration("comes back", model.RoleSyncReconcile)
		if u := w.userIn(again, strings.ToUpper(ada)); u.AccountID == nil || *u.AccountID != account {
			t.Errorf("linked to %v, want %s", u.AccountID, account)
		}
		list, err := w.svc.Removals(w.ctx, w.org, "", 10)
		if err != nil || len(list) != 1 || list[0].IntegrationID != ref.IntegrationID {
			t.Errorf("%+v, %v", list, err)
		}
		w.clock.move(31 * 24 * time.Hour)
		w.ok(w.svc.WatchSetups(w.ctx, directory.WatchSetups{}))
		if _, err := w.svc.Removal(w.ctx, ref); model.KindOf(err) != model.NotFound {
			t.Errorf("it is remembered after a month: %v", err)
		}
	})
}

// tablesWith counts what each table with integrations has of one.
func (w *world) tablesWith(ref model.Ref) map[string]int {
	w.Helper()
	query := "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND c.name = 'integration_id'"
	if w.store.Dialect() == "postgres" {
		query = "SELECT table_name FROM information_schema.columns WHERE table_schema = current_schema() AND column_name = 'integration_id'"
	}
	counts := map[string]int{}
	for _, table := range w.column(query) {
		n := 0
		w.ok(w.store.DB().QueryRowContext(w.ctx, "SELECT count(*) FROM "+table+" WHERE integration_id = '"+ref.IntegrationID+"'").Scan(&n))
		counts[table] = n
	}
	if len(counts) < 10 {
		w.Fatalf("only %d tables have integrations", len(counts))
	}
	return counts
}

// TestRemovalLeft tells what could not be taken away, and how it is done by hand.
func TestRemovalLeft(t *testing.T) {
	grants := []entraid.Grant{{ID: "1", Name: "role"}, {ID: "2", Delegated: true}}
	for name, tt := range map[string]struct {
		change func(*model.Integration)
		keep   bool
		refuse map[string]error
		left   string // the beginnings of what is left, in order
		why    string
		alive  int
		own    bool
		grants int
	}{
		"may not":          {refuse: map[string]error{"PauseJob": noRight(), "DeleteServicePrincipal": noRight(), "Grants": noRight()}, left: "enterprise application, the application app-own", why: "Insufficient privileges", alive: 1, own: true, grants: 2},
		"may revoke alone": {refuse: map[string]error{"DeleteServicePrincipal": noRight()}, left: "enterprise application", why: "Insufficient", alive: 1, own: true},
		"reads only":       {change: func(i *model.Integration) { i.ReadOnly = true }, left: "enterprise application, the application app-own", why: "only read", alive: 1, own: true, grants: 2},
		"is kept":          {keep: true, left: "enterprise application, the application app-own", why: "asked to stay", alive: 1, own: true, grants: 2},
		"consent is gone": {refuse: map[string]error{
			"PauseJob": provisioningError(outlook.BadCredentials, 400, "AADSTS7000229", ""), "ServicePrincipalOf": provisioningError(outlook.BadCredentials, 400, "AADSTS7000229", ""),
		}, left: "enterprise application, the application app-own", why: "AADSTS7000229", alive: 1, own: true, grants: 2},
	} {
		t.Run(name, func(t *testing.T) {
			eachSetup(t, func(w *setupWorld) {
				change := tt.change
				if change == nil {
					change = func(*model.Integration) {}
				}
				ref := w.removable(name, change)
				w.entra.grants = slices.Clone(grants)
				for call, err := range tt.refuse {
					w.entra.refuse[call] = err
				}
				_, err := w.svc.RemoveIntegration(w.ctx, ref, tt.keep)
				w.ok(err)
				var r model.Removal
				e := w.during(func() { r = w.ended(ref) })
				w.wrote(e, "", "integration.removal_finished")
				var left []string
				for _, l := range r.Left {
					words, _, _ := strings.Cut(l.What+" Contoso", " in tenant")
					words, _, _ = strings.Cut(words, " "+name)
					left = append(left, words)
					if !strings.Contains(l.Why, tt.why) || !strings.HasPrefix(l.Portal, "https://entra.microsoft.com/") || !strings.Contains(l.PowerShell, "Connect-MgGraph") {
						t.Errorf("%+v", l)
					}
				}
				if got := strings.Join(left, ", "); got != tt.left || len(w.entra.alive()) != tt.alive || (len(w.entra.shared) == 1) != tt.own || len(w.entra.grants) != tt.grants {
					t.Errorf("left %q, %d applications, own %v, %d grants; %v", got, len(w.entra.alive()), w.entra.shared, len(w.entra.grants), w.entra.calls)
				}
				if r.State != model.TaskSucceeded || len(r.Access) != 0 || !strings.Contains(e.activity[0].Summary, "by hand") {
					t.Errorf("%s %q", r.State, e.activity[0].Summary)
				}
			})
		})
	}
}

// TestRemovalOfOneOfTwo keeps the consent that another integration needs, of another organization even.
func TestRemovalOfOneOfTwo(t *testing.T) {
	eachSetup(t, func(w *setupWorld) {
		ref := w.removable("one")
		other := *w.world
		other.org = must(w.world, w.svc.CreateOrganization)(w.ctx, "fabrikam", "Fabrikam").ID
		other.integration("Fabrikam", model.RoleSyncReconcile, func(i *model.Integration) { i.TenantID, i.Graph.ClientID = strings.ToUpper(tenantA), "APP-own" })
		_, err := w.svc.RemoveIntegration(w.ctx, ref, false)
		w.ok(err)
		r := w.ended(ref)
		if len(w.entra.shared) != 1 || len(r.Left) != 0 || len(w.entra.alive()) != 0 {
			t.Errorf("own %v, left %+v", w.entra.shared, r.Left)
		}
	})
}

// TestRemovalWaits for Graph, a day at the most, and is sealed anew with a new key meanwhile.
func TestRemovalWaits(t *testing.T) {
	eachSetup(t, func(w *setupWorld) {
		ref := w.removable("waits")
		w.entra.refuse["PauseJob"] = provisioningError(outlook.Unavailable, 503, "ServiceUnavailable", "")
		_, err := w.svc.RemoveIntegration(w.ctx, ref, false)
		w.ok(err)
		if _, err := w.once(func(ctx context.Context) error {
			return w.svc.EndIntegration(ctx, directory.EndIntegration{OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID})
		}); err == nil {
			t.Fatal("it did not wait")
		}
		opt := w.svc.Options
		if opt.Keys, err = secret.Parse(secret.NewKey()); err != nil {
			t.Fatal(err)
		}
		if _, err := directory.New(opt).Reseal(w.ctx); err == nil {
			t.Error("a removal was sealed anew without its key")
		}
		w.clock.move(time.Hour)
		w.ok(w.svc.WatchSetups(w.ctx, directory.WatchSetups{}))
		if !w.enqueued("directory.end_integration", ref) {
			t.Error("nobody goes on with it")
		}
		r := w.ended(ref) // the clock is moved while it waits
		if len(r.Left) != 1 || !strings.Contains(r.Left[0].Why, "ServiceUnavailable") || r.EndedAt.Before(r.CreatedAt.Add(24*time.Hour)) {
			t.Errorf("%+v", r)
		}
	})
}
