package directory_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"usher/directory"
	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
)

// TestServiceArrivalsThatAreNotNew pushes people about whom the store guesses wrongly that there is nothing to be read: each
// comes after somebody of whom the guess was right, and long after a wrong one.
func TestServiceArrivalsThatAreNotNew(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		fresh := func(name string) {
			w.clock.move(time.Hour)
			w.user(name)
			w.user("more-" + name)
		}
		w.roles("hr")

		fresh("first@contoso.com")
		made, err := w.svc.CreateAccount(w.ctx, w.org, model.Account{Email: "ada@contoso.com"})
		w.ok(err)
		fresh("second@contoso.com")
		if u := w.user("ada@contoso.com"); u.AccountID == nil || *u.AccountID != made.ID {
			w.Fatalf("linked to %v, want the account %s made by hand", u.AccountID, made.ID)
		}

		fresh("third@contoso.com")
		_, _, err = w.svc.PutEmployee(w.ctx, w.org, model.Employee{ExternalID: "7", Email: "grace@contoso.com", JobTitle: "Admiral"})
		w.ok(err)
		fresh("fourth@contoso.com")
		w.user("grace@contoso.com")
		if a := w.account("grace@contoso.com"); a.JobTitle != "Admiral" || a.EmployeeID == nil {
			w.Fatalf("account %+v, want the employee's profile", a)
		}

		fresh("fifth@contoso.com")
		g := w.group("HR")
		w.mapped("HR=hr")
		_, err = w.svc.ChangeGroup(w.ctx, g.Ref(), g.ID, func(*model.DirectoryGroup) ([]model.MemberOp, error) {
			return []model.MemberOp{{Kind: model.MembersAdd, IDs: []string{"object-alan"}}}, nil
		})
		w.ok(err)
		fresh("sixth@contoso.com")
		w.user("alan@contoso.com")
		w.hasRoles("alan@contoso.com", "hr")

		fresh("awaited@contoso.com")
		_, err = w.svc.ChangeGroup(w.ctx, g.Ref(), g.ID, func(*model.DirectoryGroup) ([]model.MemberOp, error) {
			return []model.MemberOp{{Kind: model.MembersAdd, IDs: []string{"object-Payroll"}}}, nil
		})
		w.ok(err)
		fresh("payroll@contoso.com")
		payroll := w.group("Payroll")
		if members, err := w.svc.Members(w.ctx, g.Ref(), []string{g.ID}, 0); err != nil || !slices.ContainsFunc(members[g.ID], func(m model.Member) bool { return m.ID == payroll.ID }) {
			w.Fatalf("members of HR are %v, %v: want the group that it awaited among them", members, err)
		}

		fresh("seventh@contoso.com")
		_, err = w.push(w.ref, "SEVENTH@contoso.com")
		w.refused(err, model.Conflict, "userName", "another user")
		if n := len(w.accounts(store.AccountFilter{Email: "seventh@contoso.com"})); n != 1 {
			w.Fatalf("%d accounts after a refused arrival, want 1", n)
		}
	})
}

// TestServiceArrivalUnderSettingsOfAnotherReplica pushes people through one replica while the other changes the rules: the
// first holds the rules compiled, and must notice.
func TestServiceArrivalUnderSettingsOfAnotherReplica(t *testing.T) {
	t.Parallel()
	eachURL(t, func(w *world, url string) {
		other := directory.New(directory.Options{
			Store: storetest.OpenWith(t, store.Options{URL: url, Now: w.clock.Now}), Keys: w.svc.Keys, Now: w.clock.Now,
		})
		w.user("before@contoso.com")
		w.user("primed@contoso.com")
		_, err := other.ChangeExclusions(w.ctx, w.ref, []model.Exclusion{{Pattern: "svc-*"}}, directory.Replacing[model.Exclusion]())
		w.ok(err)
		w.user("svc-backup@contoso.com")
		w.noAccount("svc-backup@contoso.com")

		w.clock.move(time.Hour)
		w.user("after@contoso.com")
		_, err = other.ChangeIntegration(w.ctx, w.ref, func(i *model.Integration) error { i.RequireGroup = true; return nil }, nil)
		w.ok(err)
		w.user("groupless@contoso.com")
		w.noAccount("groupless@contoso.com")

		w.clock.move(time.Hour)
		w.user("last@contoso.com")
		w.ok(other.DeleteIntegration(w.ctx, w.ref))
		if _, err := w.push(w.ref, "late@contoso.com"); !isNotFound(err) {
			w.Fatalf("a push into a removed integration: %v", err)
		}

		w.clock.move(time.Hour)
		doc := model.NewDocument(map[string]any{"displayName": "Late", "externalId": "object-Late"})
		if _, err := w.svc.CreateGroup(w.ctx, w.ref, model.DirectoryGroup{Document: doc}, nil); !isNotFound(err) {
			w.Fatalf("a group into a removed integration: %v", err)
		}
	})
}

func isNotFound(err error) bool {
	e, ok := errors.AsType[*model.Error](err)
	return ok && e.Kind == model.NotFound
}
