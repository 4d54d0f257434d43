package directory_test

import (
	"fmt"
	"slices"
	"testing"

	"usher/directory"
	"usher/model"
	"usher/model/store"
)

const adaID = "11111111-2222-4333-8444-555555555555"

// follows lets write-back read the feed, and gives the operations that it asked for, oldest first.
func (w *world) follows() []model.Operation {
	w.Helper()
	before := len(w.operations())
	w.ok(w.svc.FollowAccounts(w.ctx, directory.FollowAccounts{}))
	return w.operations()[before:]
}

func (w *world) operations() []model.Operation {
	w.Helper()
	list, err := w.store.Read(w.ctx).OperationsBefore(w.org, store.OperationFilter{}, "", 500)
	w.ok(err)
	slices.Reverse(list)
	return list
}

// hired makes the account of an employee by hand.
func (w *world) hired(email string) model.Account {
	w.Helper()
	w.employee(model.Employee{ExternalID: "e-" + email, Email: email, GivenName: "Ada", FamilyName: "Lovelace", JobTitle: "Analyst", Department: "R&D"})
	a, err := w.svc.CreateAccount(w.ctx, w.org, model.Account{Email: email})
	w.ok(err)
	return a
}

// TestInHouseAccountsAreMadeInEntra follows new accounts: of an employee it makes a user, of an external person it does not.
func TestInHouseAccountsAreMadeInEntra(t *testing.T) {
	each(t, func(w *world) {
		f := w.tenant()
		if list := w.follows(); len(list) != 0 {
			w.Fatalf("%+v", list)
		}
		a := w.hired(ada)
		_, err := w.svc.CreateAccount(w.ctx, w.org, model.Account{Email: "guest@contoso.com"})
		w.ok(err)
		list := w.follows()
		if len(list) != 1 || list[0].Kind != model.OperationCreateUser || !list[0].Automatic || *list[0].AccountID != a.ID || list[0].Actor != "write-back" {
			w.Fatalf("%+v", list)
		}
		o := w.operate(list[0])
		u := f.users[o.UserID]
		if o.State != model.OperationSucceeded || u.UserPrincipalName != ada || u.GivenName != "Ada" || u.JobTitle != "Analyst" || u.Department != "R&D" || len(f.password) < 20 {
			w.Fatalf("%+v %+v", o.Error, u)
		}
		w.nowhere(f.password)
		_, err = w.svc.ChangeAccount(w.ctx, w.org, a.ID, func(a *model.Account) error { a.Language = "da"; return nil })
		w.ok(err)
		if list := w.follows(); len(list) != 0 {
			w.Fatalf("the user is made again: %+v", list)
		}
		// The user comes back from Entra: no change of the account, and nothing to be written.
		w.user(ada, map[string]any{"externalId": o.UserID, "name": map[string]any{"givenName": "Ada", "familyName": "Lovelace"}})
		if got := w.account(ada); got.ID != a.ID || len(got.Links) != 1 {
			w.Fatalf("%+v", got)
		}
		calls := len(f.calls)
		for _, o := range w.follows() {
			w.operate(o)
		}
		if len(f.calls) != calls {
			w.Fatalf("an echo was written: %v", f.calls)
		}
	})
}

// TestFeedIsLeftAloneWhereNobodyReads: changes get their positions when somebody asks for them, or after some minutes.
func TestFeedIsLeftAloneWhereNobodyReads(t *testing.T) {
	each(t, func(w *world) {
		w.user(ada)
		last := func() int64 {
			w.Helper()
			list, err := w.store.Read(w.ctx).ChangesBefore(w.org, nil, 0, 1)
			w.ok(err)
			if len(list) == 0 {
				return 0
			}
			return *list[0].Position
		}
		w.ok(w.svc.FollowAccounts(w.ctx, directory.FollowAccounts{}))
		if n := last(); n != 0 {
			w.Fatalf("positions up to %d were given, and nobody follows", n)
		}
		w.ok(w.svc.NumberFeed(w.ctx, directory.NumberFeed{}))
		n := last()
		if n == 0 {
			w.Fatal("no positions were given")
		}
		w.tenant()
		w.user("grace@contoso.com")
		if w.ok(w.svc.FollowAccounts(w.ctx, directory.FollowAccounts{})); last() <= n {
			w.Fatal("somebody follows, and no positions were given")
		}
	})
}

// TestEmployeesFlowOut changes an employee, and what Entra said of a person, in turn: the first goes to Entra, the second does not.
func TestEmployeesFlowOut(t *testing.T) {
	each(t, func(w *world) {
		f := w.tenant()
		f.users[adaID] = &entraUser{ID: adaID, UserPrincipalName: ada, GivenName: "Ada", Surname: "Byron", AccountEnabled: true}
		w.ok(w.svc.FollowAccounts(w.ctx, directory.FollowAccounts{}))
		u := w.user(ada, map[string]any{"externalId": adaID, "title": "Analyst", "name": map[string]any{"givenName": "Ada", "familyName": "Byron"}})
		if list := w.follows(); len(list) != 0 {
			w.Fatalf("what came from Entra is sent back: %+v", list)
		}
		w.patch(u, map[string]any{"title": "Chief analyst"})
		if list := w.follows(); len(list) != 0 {
			w.Fatalf("what came from Entra is sent back: %+v", list)
		}
		w.employee(model.Employee{ExternalID: "1", Email: ada, GivenName: "Ada", FamilyName: "Lovelace"})
		list := w.follows()
		if len(list) != 1 || list[0].Kind != model.OperationUpdateUser || list[0].UserID != adaID {
			w.Fatalf("%+v", list)
		}
		if got := fmt.Sprint(list[0].Request.Profile); got != "map[displayName:Ada Lovelace surname:Lovelace]" && got != "map[surname:Lovelace]" {
			w.Fatal(got)
		}
		if o := w.operate(list[0]); o.State != model.OperationSucceeded || f.users[adaID].Surname != "Lovelace" {
			w.Fatalf("%+v", o.Error)
		}
		_, err := w.svc.ChangeIntegration(w.ctx, w.ref, func(i *model.Integration) error { i.WriteBack.ByHandOnly = true; return nil }, nil)
		w.ok(err)
		w.employee(model.Employee{ExternalID: "1", Email: ada, GivenName: "Augusta", FamilyName: "Lovelace"})
		if list := w.follows(); len(list) != 0 {
			w.Fatalf("%+v", list)
		}
	})
}

// TestDeletedAccountsAreGuarded deletes accounts for good: their users follow, but not more in an hour than the guard lets through.
func TestDeletedAccountsAreGuarded(t *testing.T) {
	each(t, func(w *world) {
		f := w.tenant()
		_, err := w.svc.ChangeIntegration(w.ctx, w.ref, func(i *model.Integration) error { i.Guard = model.Guard{Minimum: 2}; return nil }, nil)
		w.ok(err)
		w.drain()
		w.ok(w.svc.FollowAccounts(w.ctx, directory.FollowAccounts{}))
		for i := range 4 {
			id, email := fmt.Sprintf("11111111-2222-4333-8444-55555555555%d", i), fmt.Sprintf("leaver%d@contoso.com", i)
			f.users[id] = &entraUser{ID: id, UserPrincipalName: email}
			w.user(email, map[string]any{"externalId": id})
			a := w.account(email)
			for _, step := range []func() error{
				func() error { _, err := w.svc.DeactivateAccount(w.ctx, w.org, a.ID); return err },
				func() error { _, err := w.svc.ArchiveAccount(w.ctx, w.org, a.ID); return err },
				func() error { return w.svc.DeleteAccount(w.ctx, w.org, a.ID) },
			} {
				w.ok(step())
			}
		}
		done, held := 0, 0
		for _, o := range w.follows() {
			switch o = w.operation(o.ID); {
			case o.Kind != model.OperationDeleteUser || !o.Automatic:
				w.Fatalf("%+v", o)
			case o.Error != nil && o.Error.Code == "guard":
				held++
			default:
				w.operate(o)
				done++
			}
		}
		if done != 2 || held != 2 || len(f.users) != 2 || len(f.deleted) != 2 {
			w.Fatalf("%d done, %d held; %d users left", done, held, len(f.users))
		}
	})
}
