package directory_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"usher/model"
	"usher/model/store"
)

// together runs the functions at once and gives their errors in order.
func together(fns ...func() error) []error {
	errs := make([]error, len(fns))
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i, fn := range fns {
		wg.Go(func() {
			<-start
			errs[i] = fn()
		})
	}
	close(start)
	wg.Wait()
	return errs
}

// TestServiceParallelMembershipsLoseNothing lets 200 requests at once each add one member to a group, and then 200 each
// remove one and add another.
func TestServiceParallelMembershipsLoseNothing(t *testing.T) {
	each(t, func(w *world) {
		const n = 200
		w.roles("hr")
		w.mapped("HR=hr")
		var users []model.DirectoryUser
		for i := range 2 * n {
			users = append(users, w.user(fmt.Sprintf("person%03d@contoso.com", i)))
		}
		g := w.group("HR")
		one := func(kind model.MemberOpKind, u model.DirectoryUser) func() error {
			return func() error {
				_, err := w.svc.ChangeGroup(w.ctx, g.Ref(), g.ID, func(*model.DirectoryGroup) ([]model.MemberOp, error) {
					return []model.MemberOp{{Kind: kind, IDs: []string{u.ID}}}, nil
				})
				return err
			}
		}
		var adds, moves []func() error
		for i := range n {
			adds = append(adds, one(model.MembersAdd, users[i]))
		}
		for i := range n / 2 {
			moves = append(moves, one(model.MembersRemove, users[i]), one(model.MembersAdd, users[n+i]))
		}
		for round, step := range []struct {
			fns  []func() error
			want []model.DirectoryUser
		}{{adds, users[:n]}, {moves, users[n/2 : n+n/2]}} {
			e := w.during(func() {
				for _, err := range together(step.fns...) {
					w.ok(err)
				}
			})
			members, err := w.svc.Members(w.ctx, w.ref, []string{g.ID}, 0)
			w.ok(err)
			var got []string
			for _, m := range members[g.ID] {
				got = append(got, m.ID)
			}
			want := ids(step.want)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				w.Fatalf("round %d: %d members, want %d", round, len(got), len(want))
			}
			told := 0
			for _, c := range e.changes {
				if c.Type == model.MembershipAdded || c.Type == model.MembershipRemoved {
					told++
				}
			}
			if told != n {
				w.Fatalf("round %d: %d changes of memberships were told, want %d", round, told, n)
			}
			group, err := w.svc.Group(w.ctx, w.ref, g.ID)
			w.ok(err)
			if group.Version != int64(1+n*(round+1)) {
				w.Fatalf("round %d: version %d", round, group.Version)
			}
		}
		if holders := w.accounts(store.AccountFilter{Role: "hr"}); len(holders) != n+n/2 { // reconcile takes no role away
			w.Fatalf("%d accounts hold the role", len(holders))
		}
	})
}

func TestServiceParallelEditsOfOneUserLoseNothing(t *testing.T) {
	each(t, func(w *world) {
		u := w.user(ada)
		var fns []func() error
		for i := range 50 {
			fns = append(fns, func() error {
				_, err := w.svc.ChangeUser(w.ctx, w.ref, u.ID, func(u *model.DirectoryUser) error {
					attrs := map[string]any{}
					for key, value := range u.Document.Attributes() {
						attrs[key] = value
					}
					attrs[fmt.Sprintf("x%02d", i)] = "set"
					u.Document = model.NewDocument(attrs)
					return nil
				})
				return err
			})
		}
		for _, err := range together(fns...) {
			w.ok(err)
		}
		got := w.mirror(u)
		for i := range 50 {
			if got.Document.Attributes()[fmt.Sprintf("x%02d", i)] != "set" {
				w.Fatalf("edit %d is lost", i)
			}
		}
		if got.Version != 51 {
			w.Fatalf("version %d", got.Version)
		}
	})
}

func TestServiceTwoCreatorsOfOneUser(t *testing.T) {
	each(t, func(w *world) {
		var fns []func() error
		for i := range 10 {
			fns = append(fns, func() error {
				_, err := w.push(w.ref, ada, map[string]any{"externalId": fmt.Sprint(i)})
				return err
			})
		}
		made := 0
		for _, err := range together(fns...) {
			if err == nil {
				made++
				continue
			}
			w.refused(err, model.Conflict, "userName", "another user has this userName")
		}
		if made != 1 || len(w.accounts(store.AccountFilter{})) != 1 {
			w.Fatalf("%d users were made, with %d accounts", made, len(w.accounts(store.AccountFilter{})))
		}
	})
}

func TestServiceOnePersonArrivesTwiceAtOnce(t *testing.T) {
	each(t, func(w *world) {
		for round := range 5 {
			var fns []func() error
			for i := range 4 {
				ref := w.integration(fmt.Sprintf("Tenant %d.%d", round, i), model.RoleSyncReconcile)
				fns = append(fns, func() error { _, err := w.push(ref, fmt.Sprintf("person%d@contoso.com", round)); return err })
			}
			for _, err := range together(fns...) {
				w.ok(err)
			}
			if a := w.account(fmt.Sprintf("person%d@contoso.com", round)); len(a.Links) != 4 {
				w.Fatalf("links %+v", a.Links)
			}
		}
	})
}

func TestServicePersonAndEmployeeArriveAtOnce(t *testing.T) {
	each(t, func(w *world) {
		for i := range 10 {
			email := fmt.Sprintf("person%d@contoso.com", i)
			for _, err := range together(
				func() error { _, err := w.push(w.ref, email); return err },
				func() error {
					_, _, err := w.svc.PutEmployee(w.ctx, w.org, model.Employee{ExternalID: email, Email: email, JobTitle: "Analyst"})
					return err
				},
			) {
				w.ok(err)
			}
			if a := w.account(email); a.EmployeeID == nil || a.JobTitle != "Analyst" {
				w.Fatalf("round %d: the employee is not linked: %+v", i, a)
			}
		}
	})
}

// TestServiceTheLastAdministratorStays takes the role from every administrator at once, each in another way; most often from
// two, because the two last ones are what matters.
func TestServiceTheLastAdministratorStays(t *testing.T) {
	each(t, func(w *world) {
		for round := range 25 {
			administrators := 2
			if round == 0 {
				administrators = 8
			}
			w.org = must(w, w.svc.CreateOrganization)(w.ctx, fmt.Sprintf("round-%d", round), "").ID
			w.roles("administrator", "hr")
			var fns []func() error
			for i := range administrators {
				a, err := w.svc.CreateAccount(w.ctx, w.org, model.Account{
					Email: fmt.Sprintf("admin%d@contoso.com", i), Roles: []string{"administrator"},
				})
				w.ok(err)
				if i%2 == 0 {
					fns = append(fns, func() error { _, err := w.svc.SetRoles(w.ctx, w.org, a.ID, []string{"hr"}); return err })
					continue
				}
				_, err = w.svc.DeactivateAccount(w.ctx, w.org, a.ID)
				w.ok(err)
				fns = append(fns, func() error { _, err := w.svc.ArchiveAccount(w.ctx, w.org, a.ID); return err })
			}
			refused := 0
			for _, err := range together(fns...) {
				if err != nil {
					w.refused(err, model.Refused, "", "the last administrator")
					refused++
				}
			}
			left := slices.DeleteFunc(w.accounts(store.AccountFilter{Role: "administrator"}), func(a model.Account) bool {
				return a.Status == model.AccountArchived
			})
			if len(left) != 1 || refused != 1 {
				w.Fatalf("round %d: %d administrators are left, %d requests were refused", round, len(left), refused)
			}
		}
	})
}

func TestServiceTheLastAdministratorStaysWhileRolesLoseTheirMark(t *testing.T) {
	each(t, func(w *world) {
		w.roles("admin-one", "admin-two")
		for _, role := range []string{"admin-one", "admin-two"} {
			_, err := w.svc.CreateAccount(w.ctx, w.org, model.Account{Email: role + "@contoso.com", Roles: []string{role}})
			w.ok(err)
		}
		failed := 0
		for _, err := range together(
			func() error { _, err := w.svc.PutRole(w.ctx, w.org, model.Role{Key: "admin-one"}); return err },
			func() error {
				_, err := w.svc.SetRoles(w.ctx, w.org, w.account("admin-two@contoso.com").ID, nil)
				return err
			},
		) {
			if model.KindOf(err) == model.Refused {
				failed++
			}
		}
		if failed != 1 {
			w.Fatalf("%d of two were refused", failed)
		}
	})
}

// TestServiceQueuesOneRun lets twelve operators ask for the same at once.
func TestServiceQueuesOneRun(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada@contoso.com")
		for range 10 {
			ids := make([]string, 12)
			ask := make([]func() error, len(ids))
			for i := range ids {
				ask[i] = func() error {
					run, err := w.svc.StartRun(w.ctx, w.ref, model.RunReevaluation)
					ids[i] = run.ID
					return err
				}
			}
			for _, err := range together(ask...) {
				w.ok(err)
			}
			if slices.Sort(ids); len(slices.Compact(ids)) != 1 {
				w.Fatalf("runs %q were queued", ids)
			}
			_, err := w.svc.CancelRun(w.ctx, w.org, ids[0])
			w.ok(err)
		}
	})
}
