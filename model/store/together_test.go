package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
)

// arrive gives a function that pushes a user about whom the store guesses that nobody has their keys.
func (r *riders) arrive(name string) func() error {
	return func() error {
		return r.InTx(r.Context(), func(tx *store.Tx) error {
			u := storetest.NewUser(r.ref, name)
			facts, err := tx.ArrivalFacts(r.ref, store.Newcomer{ExternalID: u.ExternalID, UserNameKey: u.UserNameKey}, []string{u.EmailKey})
			if err != nil {
				return err
			}
			a := storetest.NewAccount(r.ref.OrganizationID, name)
			switch {
			case len(facts.Candidates) == 0:
				if err := tx.InsertAccount(a); err != nil {
					return err
				}
				u.AccountID = &a.ID
			case len(facts.Others) == 0:
				u.AccountID = &facts.Candidates[0].ID
			}
			return tx.InsertDirectoryUser(u)
		})
	}
}

// settled has the store know the settings, without which it guesses nothing.
func (r *riders) settled() {
	storetest.InTx(r, r.Store, func(tx *store.Tx) error {
		version, err := tx.HoldSettings(r.ref.OrganizationID)
		if err == nil {
			_, err = store.CachedSettings(tx, r.ref.OrganizationID, version, func(*model.Settings) (int, error) { return 0, nil })
		}
		return err
	})
}

func TestArrivalsTravelTogether(t *testing.T) {
	t.Parallel()
	r := newRiders(t, 1)
	r.settled()
	r.ok(store.TogetherForTest(t, r.Store, r.arrive("ada@contoso.com"), r.arrive("grace@contoso.com"), r.arrive("alan@contoso.com")))
	if n := r.transactions("directory_users WHERE user_name <> 'user0@contoso.com'"); n != 1 {
		t.Errorf("%d transactions, want one", n)
	}
}

// TestArrivalsThatAreNotAllNew: a userName that is taken, by a fellow too, and an account that is there, are found by those whom it
// concerns.
func TestArrivalsThatAreNotAllNew(t *testing.T) {
	t.Parallel()
	r := newRiders(t, 1)
	r.settled()
	there := storetest.Account(t, r.Store, r.ref.OrganizationID, "grace@contoso.com")
	errs := store.TogetherForTest(t, r.Store, r.arrive("ada@contoso.com"), r.arrive("user0@contoso.com"), r.arrive("grace@contoso.com"), r.arrive("ada@contoso.com"))
	r.ok([]error{errs[2]})
	if (errs[0] == nil) == (errs[3] == nil) || !strings.Contains(fmt.Sprint(errs[1], errs[0], errs[3]), "userName") || errs[1] == nil {
		t.Errorf("errors %v", errs)
	}
	var names []string
	users, err := r.Read(t.Context()).DirectoryUsersAfter(r.ref, "", 10)
	for _, u := range users {
		names = append(names, u.UserName)
		if u.UserName == "grace@contoso.com" && *u.AccountID != there.ID {
			t.Error("grace is not linked to the account that was there")
		}
	}
	slices.Sort(names)
	if err != nil || !slices.Equal(names, []string{"ada@contoso.com", "grace@contoso.com", "user0@contoso.com"}) {
		t.Errorf("users %v, %v", names, err)
	}
}

// TestReadsTravelTogether: each gets its own rows, also beside one that finds nothing, and one whose row cannot be taken.
func TestReadsTravelTogether(t *testing.T) {
	t.Parallel()
	r := newRiders(t, 3)
	read := func(id, want string) func() error {
		return func() error {
			u, err := r.Read(r.Context()).DirectoryUser(r.ref, id)
			if err == nil && u.UserName != want {
				err = fmt.Errorf("%s instead of %s", u.UserName, want)
			}
			return err
		}
	}
	broken := errors.New("this row cannot be taken")
	errs := store.TogetherForTest(t, r.Store, read(r.list[0].ID, "user0@contoso.com"), read(store.NewID(), ""),
		func() error {
			return store.QuickForTest(r.Read(t.Context()), "SELECT 1", func() error { return broken })
		},
		read(r.list[1].ID, "user1@contoso.com"))
	if errors.Join(errs[0], errs[3]) != nil || model.KindOf(errs[1]) != model.NotFound || !errors.Is(errs[2], broken) {
		t.Errorf("errors %v", errs)
	}
}

// TestReadThatFailsInCompany: the others are read by themselves.
func TestReadThatFailsInCompany(t *testing.T) {
	t.Parallel()
	r := newRiders(t, 3)
	var got atomic.Int64
	read := func(query string) func() error {
		return func() error {
			return store.QuickForTest(r.Read(t.Context()), query, func() error { got.Add(1); return nil })
		}
	}
	errs := store.TogetherForTest(t, r.Store, read("SELECT 1"), read("SELECT 1/0"), read("SELECT 2"), read("SELECT 3"))
	if errors.Join(errs[0], errs[2], errs[3]) != nil || errs[1] == nil || got.Load() != 3 {
		t.Errorf("errors %v, %d rows", errs, got.Load())
	}
}
