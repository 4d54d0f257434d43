package store_test

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
)

// riders are users with an account each, whose edits travel together.
type riders struct {
	*testing.T
	*store.Store
	url  string
	ref  model.Ref
	list []*model.DirectoryUser
	runs []atomic.Int64 // how often each edit was run
}

func newRiders(t *testing.T, n int) *riders {
	t.Helper()
	url := storetest.PostgresURL(t)
	s := storetest.OpenURL(t, url)
	r := &riders{T: t, Store: s, url: url, ref: storetest.Ref(t, s), runs: make([]atomic.Int64, n)}
	for i := range n {
		u := storetest.NewUser(r.ref, fmt.Sprintf("user%d@contoso.com", i))
		u.AccountID = &storetest.Account(t, s, r.ref.OrganizationID, u.Email).ID
		storetest.InTx(t, s, func(tx *store.Tx) error { return tx.InsertDirectoryUser(u) })
		r.list = append(r.list, u)
	}
	return r
}

// edit gives a function that names user i "edited" and tells of it, after what else it does.
func (r *riders) edit(i int, besides func(*store.Tx, *model.DirectoryUser) error) func() error {
	return func() error {
		return r.InTx(r.Context(), func(tx *store.Tx) error {
			r.runs[i].Add(1)
			facts, err := tx.LockFacts(r.ref, []string{r.list[i].ID})
			if err != nil {
				return err
			}
			if len(facts.Users) != 1 || len(facts.Accounts) != 1 {
				return fmt.Errorf("%d users and %d accounts were locked", len(facts.Users), len(facts.Accounts))
			}
			u := facts.Users[0]
			u.DisplayName = "edited"
			if besides != nil {
				if err := besides(tx, &u); err != nil {
					return err
				}
			}
			if err := tx.UpdateDirectoryUser(&u); err != nil {
				return err
			}
			return tx.Tell(model.Change{OrganizationID: r.ref.OrganizationID, Type: model.DirectoryUserUpdated, SubjectID: u.ID}, nil)
		})
	}
}

// ride runs an edit of each user; those that besides names do something else too. It gives the errors.
func (r *riders) ride(besides map[int]func(*store.Tx, *model.DirectoryUser) error) []error {
	r.Helper()
	fns := make([]func() error, len(r.list))
	for i := range fns {
		fns[i] = r.edit(i, besides[i])
	}
	return store.TogetherForTest(r, r.Store, fns...)
}

// edited wants exactly these users to be edited and told of once, and gives how many transactions wrote them.
func (r *riders) edited(want ...int) int {
	r.Helper()
	changes, _, err := r.Changes(r.Context(), r.ref.OrganizationID, store.ChangeQuery{Limit: 1000})
	if err != nil {
		r.Fatal(err)
	}
	told := map[string]int{}
	for _, c := range changes {
		told[c.SubjectID]++
	}
	for i, before := range r.list {
		u, err := r.Read(r.Context()).DirectoryUser(r.ref, before.ID)
		if err != nil {
			r.Fatal(err)
		}
		edited := u.DisplayName == "edited" && u.Version == 2 && told[u.ID] == 1
		untouched := u.DisplayName == before.DisplayName && u.Version == 1 && told[u.ID] == 0
		if wanted := slices.Contains(want, i); wanted && !edited || !wanted && !untouched {
			r.Errorf("user %d: edited should be %v: named %q, version %d, told %d times", i, wanted, u.DisplayName, u.Version, told[u.ID])
		}
	}
	return r.transactions("directory_users WHERE display_name = 'edited'")
}

// transactions counts who wrote rows of a table.
func (r *riders) transactions(from string) (n int) {
	r.Helper()
	if err := r.DB().QueryRowContext(r.Context(), "SELECT count(DISTINCT xmin::text) FROM "+from).Scan(&n); err != nil {
		r.Fatal(err)
	}
	return n
}

// rerun wants the edits of these users to have been run twice, and the others once.
func (r *riders) rerun(twice ...int) {
	r.Helper()
	for i := range r.runs {
		want := int64(1)
		if slices.Contains(twice, i) {
			want = 2
		}
		if n := r.runs[i].Load(); n != want {
			r.Errorf("the edit of user %d was run %d times, want %d", i, n, want)
		}
	}
}

func (r *riders) ok(errs []error) {
	r.Helper()
	if err := errors.Join(errs...); err != nil {
		r.Error(err)
	}
}

func TestEditsTravelTogether(t *testing.T) {
	t.Parallel()
	r := newRiders(t, 5)
	r.ok(r.ride(nil))
	if n := r.edited(0, 1, 2, 3, 4); n != 1 {
		t.Errorf("%d transactions, want one", n)
	}
	r.rerun()
}

// TestRiderThatFails leaves the others alone, whatever it had written.
func TestRiderThatFails(t *testing.T) {
	t.Parallel()
	refused := model.Errorf(model.Invalid, "the edit is refused")
	r := newRiders(t, 4)
	errs := r.ride(map[int]func(*store.Tx, *model.DirectoryUser) error{
		1: func(tx *store.Tx, u *model.DirectoryUser) error {
			return errors.Join(tx.UpdateDirectoryUser(u), refused)
		},
		2: func(*store.Tx, *model.DirectoryUser) error { panic("an edit that panics") },
	})
	if !errors.Is(errs[1], refused) || errs[2] == nil || errors.Join(errs[0], errs[3]) != nil {
		t.Errorf("errors %v", errs)
	}
	if n := r.edited(0, 3); n != 1 {
		t.Errorf("%d transactions, want one", n)
	}
	r.rerun()
}

// TestRiderThatMustGoAlone: who reads rides on, and who locks, has jobs or reads what it wrote is run again for itself.
func TestRiderThatMustGoAlone(t *testing.T) {
	t.Parallel()
	r := newRiders(t, 6)
	r.ok(r.ride(map[int]func(*store.Tx, *model.DirectoryUser) error{
		1: func(tx *store.Tx, _ *model.DirectoryUser) error {
			n, err := tx.CountDirectoryUsers(r.ref)
			if err == nil && n != 6 {
				err = fmt.Errorf("%d users", n)
			}
			return err
		},
		2: func(tx *store.Tx, _ *model.DirectoryUser) error {
			return tx.LockPeople(r.ref.OrganizationID)
		},
		3: func(tx *store.Tx, _ *model.DirectoryUser) error { return tx.Enqueue(rideJob{}) },
		4: func(tx *store.Tx, _ *model.DirectoryUser) error {
			if err := tx.Log(model.Activity{OrganizationID: r.ref.OrganizationID, Action: "account.updated"}, nil); err != nil {
				return err
			}
			_, err := tx.CountDirectoryUsers(r.ref)
			return err
		},
	}))
	if n := r.edited(0, 1, 2, 3, 4, 5); n != 4 {
		t.Errorf("%d transactions, want one of three users and three of one", n)
	}
	r.rerun(2, 3, 4)
	if jobs := storetest.Jobs(t, r.Store); len(jobs) != 1 {
		t.Errorf("%d jobs, want one", len(jobs))
	}
}

type rideJob struct{}

func (rideJob) Kind() string { return "store.ride" }

// TestRideWhoseCommitFails: where one cannot be written all are written by themselves, and only that one is not.
func TestRideWhoseCommitFails(t *testing.T) {
	t.Parallel()
	r := newRiders(t, 4)
	errs := r.ride(map[int]func(*store.Tx, *model.DirectoryUser) error{
		2: func(_ *store.Tx, u *model.DirectoryUser) error {
			u.UserName, u.UserNameKey = r.list[0].UserName, r.list[0].UserNameKey
			return nil
		},
	})
	refused, _ := errors.AsType[*model.Error](errs[2])
	if refused == nil || refused.Kind != model.Conflict || refused.Field != "userName" {
		t.Errorf("the user with a taken userName: %v", errs[2])
	}
	r.ok(slices.Delete(errs, 2, 3))
	if n := r.edited(0, 1, 3); n != 3 {
		t.Errorf("%d transactions, want three", n)
	}
	r.rerun(0, 1, 2, 3)
}

// TestRideIsImpatient: a row that somebody holds keeps its own user waiting, and not those who would have travelled along: not
// until the ride is given up.
func TestRideIsImpatient(t *testing.T) {
	t.Parallel()
	r := newRiders(t, 4)
	holder := storetest.OpenURL(t, r.url)
	var early atomic.Int64
	done := make(chan []error, 1)
	storetest.InTx(t, holder, func(tx *store.Tx) error {
		if _, err := tx.LockFacts(r.ref, []string{r.list[3].ID}); err != nil {
			return err
		}
		fns := make([]func() error, len(r.list))
		for i := range fns {
			fns[i] = func() error {
				err := r.edit(i, nil)()
				early.Add(1)
				return err
			}
		}
		go func() { done <- store.TogetherForTest(t, r.Store, fns...) }()
		for until := time.Now().Add(5 * time.Second); early.Load() < 3; time.Sleep(time.Millisecond) {
			if time.Now().After(until) {
				return errors.New("the others wait for the locked row")
			}
		}
		return nil
	})
	r.ok(<-done)
	r.edited(0, 1, 2, 3)
}

// TestRideWhoseConnectionDies is begun again by each.
func TestRideWhoseConnectionDies(t *testing.T) {
	t.Parallel()
	r := newRiders(t, 4)
	r.ok(r.ride(map[int]func(*store.Tx, *model.DirectoryUser) error{
		1: func(*store.Tx, *model.DirectoryUser) error {
			if r.runs[1].Load() > 1 {
				return nil
			}
			_, err := r.DB().ExecContext(r.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"+
				" WHERE datname = current_database() AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'")
			return err
		},
	}))
	r.edited(0, 1, 2, 3)
}

// TestRideThatPanics leaves nobody behind: whoever commits for all may fall, and the others go by themselves.
func TestRideThatPanics(t *testing.T) {
	t.Parallel()
	r := newRiders(t, 4)
	errs := r.ride(map[int]func(*store.Tx, *model.DirectoryUser) error{
		1: func(tx *store.Tx, _ *model.DirectoryUser) error {
			store.AnswerForTest(tx, func() error { panic("an answer that cannot be taken") })
			return nil
		},
	})
	fallen := 0
	for _, err := range errs {
		if err != nil {
			fallen++
		}
	}
	if errs[1] == nil || fallen > 2 { // who brought the panic, and who committed for all
		t.Errorf("errors %v", errs)
	}
	if n := r.DB().Stats().InUse; n != 0 {
		t.Errorf("%d connections are still taken", n)
	}
}

// TestRideOfWhichNobodyKnows: where the answer to the commit is lost, nobody is told that it was done, and nobody does it again.
func TestRideOfWhichNobodyKnows(t *testing.T) {
	t.Parallel()
	r := newRiders(t, 3)
	broken := errors.New("the connection broke")
	errs := r.ride(map[int]func(*store.Tx, *model.DirectoryUser) error{
		1: func(tx *store.Tx, _ *model.DirectoryUser) error {
			store.AnswerForTest(tx, func() error { return broken })
			return nil
		},
	})
	for i, err := range errs {
		if !errors.Is(err, broken) {
			t.Errorf("user %d: %v", i, err)
		}
	}
	r.edited(0, 1, 2)
	r.rerun()
}
