package storetest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"usher/model"
	"usher/model/store"
)

func conflictCases() []testCase {
	return []testCase{
		{"a taken unique key is a Conflict that names the field", uniqueKeys},
		{"two create one account, one wins, and the other finds it", twoCreators},
		{"two link one account, one wins, and the other sees the link", twoLinkers},
		{"a race that a read within the transaction meets is run again too", raceMetByRead},
		{"writers of one account in opposite order both commit", deadlocks},
		{"writers of one row lose no update", lostUpdates},
		{"who locks a person keeps others from their account", lockedAccounts},
	}
}

func uniqueKeys(t *testing.T, s suite) {
	ref := Ref(t, s.Store)
	org := ref.OrganizationID
	slug := model.Organization{Slug: "fabrikam", Name: "Fabrikam"}
	operator := model.Operator{OrganizationID: org, Email: "Ada@contoso.com", Rights: []model.Right{model.RightAll}}
	linked := Account(t, s.Store, org, "linked@contoso.com")
	employee := "7"
	for _, c := range []struct {
		field  string
		insert func(tx *store.Tx) error
	}{
		{"slug", func(tx *store.Tx) error { o := slug; return tx.InsertOrganization(&o) }},
		{"email", func(tx *store.Tx) error { o := operator; return tx.InsertOperator(&o) }},
		{"userName", func(tx *store.Tx) error { return tx.InsertDirectoryUser(NewUser(ref, "ÅDA@contoso.com")) }},
		{"displayName", func(tx *store.Tx) error { return tx.InsertDirectoryGroup(NewGroup(ref, "Sales")) }},
		{"email", func(tx *store.Tx) error { return tx.InsertAccount(NewAccount(org, "ada@contoso.com")) }},
		{"employee_id", func(tx *store.Tx) error {
			a := NewAccount(org, "")
			a.EmployeeID = &employee
			return tx.InsertAccount(a)
		}},
		{"account_id", func(tx *store.Tx) error {
			u := NewUser(ref, store.NewID()+"@contoso.com")
			u.AccountID = &linked.ID
			return tx.InsertDirectoryUser(u)
		}},
	} {
		InTx(t, s.Store, c.insert)
		err := s.InTx(t.Context(), c.insert)
		told, ok := errors.AsType[*model.Error](err)
		if !ok || told.Kind != model.Conflict || told.Field != c.field {
			t.Errorf("second %s: %v, want a Conflict that names it", c.field, err)
			continue
		}
		for _, leak := range []string{"SQL", "constraint", "UNIQUE", "_key", "duplicate"} {
			if strings.Contains(fmt.Sprintf("%v %+v", err, err), leak) {
				t.Errorf("second %s: %v tells of the database", c.field, err)
			}
		}
	}
	InTx(t, s.Store, func(tx *store.Tx) error { // without a key there is nothing to be unique
		return errors.Join(tx.InsertAccount(NewAccount(org, "")), tx.InsertAccount(NewAccount(org, "")))
	})
}

// together runs fn in n goroutines.
func together(n int, fn func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { fn(i) })
	}
	wg.Wait()
}

// barrier lets n goroutines pass when all have arrived.
func barrier(n int) func() {
	var wg sync.WaitGroup
	wg.Add(n)
	return func() {
		wg.Done()
		wg.Wait()
	}
}

func twoCreators(t *testing.T, s suite) {
	org := Org(t, s.Store)
	race(t, s, func(tx *store.Tx, meet func()) (string, error) {
		f, err := tx.NewFacts(org, []string{"ada@contoso.com"})
		if err != nil {
			return "", err
		}
		meet()
		if len(f.Candidates) > 0 {
			return "found", nil
		}
		return "made", tx.InsertAccount(NewAccount(org, "ada@contoso.com"))
	}, "found", "made")
}

// race runs fn twice at once, both of which have read when they write, and compares what they say, in any order. SQLite has
// one writer, so that its two follow each other.
func race(t *testing.T, s suite, fn func(tx *store.Tx, meet func()) (string, error), want ...string) {
	t.Helper()
	meet := func() {}
	if s.postgres() {
		meet = barrier(2)
	}
	var once [2]sync.Once
	said := [2]string{}
	together(2, func(i int) {
		err := s.InTx(t.Context(), func(tx *store.Tx) (err error) {
			said[i], err = fn(tx, func() { once[i].Do(meet) })
			return err
		})
		if err != nil {
			t.Errorf("racer %d: %v", i, err)
		}
	})
	if said != [2]string{want[0], want[1]} && said != [2]string{want[1], want[0]} {
		t.Errorf("the racers say %q, want %q", said, want)
	}
}

func twoLinkers(t *testing.T, s suite) {
	ref := Ref(t, s.Store)
	account := Account(t, s.Store, ref.OrganizationID, "ada@contoso.com")
	users := Users(t, s.Store, ref, 2)
	next := make(chan string, 2)
	next <- users[0]
	next <- users[1]
	race(t, s, func(tx *store.Tx, meet func()) (string, error) {
		r, err := tx.Account(ref.OrganizationID, account.ID) // not locked, as if both had looked before either wrote
		if err != nil {
			return "", err
		}
		meet()
		if len(r.Links) > 0 {
			return "linked already", nil
		}
		u, err := tx.DirectoryUser(ref, <-next)
		if err != nil {
			return "", err
		}
		u.AccountID = &account.ID
		return "linked", tx.SettleDirectoryUser(&u)
	}, "linked", "linked already")
}

func raceMetByRead(t *testing.T, s suite) {
	org := Org(t, s.Store)
	race(t, s, func(tx *store.Tx, meet func()) (string, error) {
		list, err := tx.AccountsAfter(org, store.AccountFilter{Email: "ada@contoso.com"}, "", 1)
		if err != nil {
			return "", err
		}
		meet()
		if len(list) > 0 {
			return "found", nil
		}
		if err := tx.InsertAccount(NewAccount(org, "ada@contoso.com")); err != nil {
			return "", err
		}
		_, err = tx.AccountsAfter(org, store.AccountFilter{}, "", 1) // sends the insert, and meets the conflict
		return "made", err
	}, "found", "made")
}

func deadlocks(t *testing.T, s suite) {
	org := Org(t, s.Store)
	a, b := Account(t, s.Store, org, "ada@contoso.com"), Account(t, s.Store, org, "bob@contoso.com")
	order := make(chan [2]string, 2)
	order <- [2]string{a.ID, b.ID}
	order <- [2]string{b.ID, a.ID}
	race(t, s, func(tx *store.Tx, meet func()) (string, error) {
		var ids [2]string
		select {
		case ids = <-order:
		default: // the loser's second attempt
			ids = [2]string{a.ID, b.ID}
		}
		for i, id := range ids {
			got, err := tx.LockAccount(org, id)
			if err != nil {
				return "", err
			}
			if i == 0 {
				meet()
			}
			got.JobTitle += "x"
			if err := tx.UpdateAccount(&got); err != nil {
				return "", err
			}
		}
		return "done", nil
	}, "done", "done")
	for _, id := range []string{a.ID, b.ID} {
		if got, err := s.Read(t.Context()).Account(org, id); err != nil || got.JobTitle != "xx" || got.Version != 3 {
			t.Errorf("account %+v, %v: want both writers' marks", got, err)
		}
	}
}

func lostUpdates(t *testing.T, s suite) {
	const writers = 40
	ref := Ref(t, s.Store)
	u := User(t, s.Store, ref, "ada@contoso.com")
	together(writers, func(int) {
		err := s.InTx(t.Context(), func(tx *store.Tx) error {
			f, err := tx.LockFacts(ref, []string{u.ID})
			if err != nil {
				return err
			}
			f.Users[0].DisplayName += "x"
			return tx.UpdateDirectoryUser(&f.Users[0])
		})
		if err != nil {
			t.Error(err)
		}
	})
	got, err := s.Read(t.Context()).DirectoryUser(ref, u.ID)
	if err != nil || got.DisplayName != u.DisplayName+strings.Repeat("x", writers) || got.Version != writers+1 {
		t.Errorf("after %d writers: %q at version %d, %v", writers, got.DisplayName, got.Version, err)
	}
}

// lockedAccounts raises an account's version through the person and by itself, in turn.
func lockedAccounts(t *testing.T, s suite) {
	const each = 15
	ref := Ref(t, s.Store)
	a, u := Account(t, s.Store, ref.OrganizationID, "ada@contoso.com"), NewUser(ref, "ada@contoso.com")
	u.AccountID = &a.ID
	InTx(t, s.Store, func(tx *store.Tx) error { return tx.InsertDirectoryUser(u) })
	errs := make([]error, 2*each)
	together(len(errs), func(i int) {
		errs[i] = s.InTx(t.Context(), func(tx *store.Tx) error {
			if i%2 == 0 {
				locked, err := tx.LockAccount(ref.OrganizationID, a.ID)
				return errors.Join(err, tx.UpdateAccount(&locked))
			}
			f, err := tx.LockFacts(ref, []string{u.ID})
			if err != nil || len(f.Users) != 1 || f.Accounts[a.ID] == nil || *f.Users[0].AccountID != a.ID {
				return fmt.Errorf("%+v, %w", f, err)
			}
			return tx.UpdateAccount(f.Accounts[a.ID])
		})
	})
	got, err := s.Read(t.Context()).Account(ref.OrganizationID, a.ID)
	if err := errors.Join(append(errs, err)...); err != nil {
		t.Fatal(err)
	}
	if got.Version != a.Version+2*each {
		t.Errorf("%d of %d updates were lost", a.Version+2*each-got.Version, 2*each)
	}
}
