package storetest

import (
	"errors"
	"slices"
	"testing"

	"usher/model"
	"usher/model/store"
)

func memberNameCases() []testCase {
	return []testCase{
		{"a member has its name, however it came", namesOfMembers},
		{"a member that is renamed is renamed in its groups", renamedMembers},
		{"a user renamed while it is being added has its new name", userRenamedMeanwhile},
		{"a group renamed while it is being added has its new name", groupRenamedMeanwhile},
		{"whoever adds a user and then locks it gets along with who renames it", renamedWhileLocked},
	}
}

// memberNames gives what the members of a group are called, and wants every way of reading them to agree.
func memberNames(t *testing.T, s suite, ref model.Ref, group string) []string {
	t.Helper()
	list, err := s.Read(t.Context()).Members(ref, []string{group}, 0)
	page, err2 := s.Read(t.Context()).MembersAfter(ref, group, "", 100)
	_, beside, err3 := s.Read(t.Context()).GroupWithMembers(ref, group, 100)
	if err := errors.Join(err, err2, err3); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(list[group], page) || !slices.Equal(page, beside) {
		t.Errorf("members %v, by pages %v, with the group %v", list[group], page, beside)
	}
	names := []string{}
	for _, m := range page {
		names = append(names, m.Display)
	}
	slices.Sort(names)
	return names
}

func namesOfMembers(t *testing.T, s suite) {
	ref := Ref(t, s.Store)
	ada, bob, eve := User(t, s.Store, ref, "ada@contoso.com"), User(t, s.Store, ref, "bob@contoso.com"), User(t, s.Store, ref, "eve@contoso.com")
	inner := Group(t, s.Store, ref, "Inner")
	g := Group(t, s.Store, ref, "Sales", ada.ID, inner.ID)
	InTx(t, s.Store, func(tx *store.Tx) error {
		tx.AddMemberships(ref, []store.Membership{{GroupID: g.ID, Member: model.Member{ID: bob.ID, Type: model.MemberUser, Display: "bob"}}})
		_, err := tx.Admit(ref, model.Member{ID: eve.ID, Type: model.MemberUser, Display: "eve"}, []store.Awaiting{{Group: *g}})
		return err
	})
	if got, want := memberNames(t, s, ref, g.ID), []string{"Inner", "ada", "bob", "eve"}; !slices.Equal(got, want) {
		t.Errorf("names %q, want %q", got, want)
	}
}

func renamedMembers(t *testing.T, s suite) {
	ref := Ref(t, s.Store)
	ada, inner := User(t, s.Store, ref, "ada@contoso.com"), Group(t, s.Store, ref, "Inner")
	one, other := Group(t, s.Store, ref, "One", ada.ID, inner.ID), Group(t, s.Store, ref, "Other", ada.ID)
	Group(t, s.Store, ref, "Third")
	for _, name := range []string{"Ada Lovelace", "Ada Lovelace", ""} {
		InTx(t, s.Store, renameUser(ref, ada, name))
		InTx(t, s.Store, renameGroup(ref, inner, name))
		if got := memberNames(t, s, ref, one.ID); !slices.Equal(got, []string{name, name}) {
			t.Errorf("names %q, want twice %q", got, name)
		}
		if got := memberNames(t, s, ref, other.ID); !slices.Equal(got, []string{name}) {
			t.Errorf("names %q, want %q", got, name)
		}
	}
}

// renameUser locks a user and gives it a name. What it writes is sent.
func renameUser(ref model.Ref, u *model.DirectoryUser, name string) func(*store.Tx) error {
	return func(tx *store.Tx) error {
		f, err := tx.LockFacts(ref, []string{u.ID})
		if err != nil {
			return err
		}
		locked := f.Users[0]
		locked.DisplayName = name
		err = tx.UpdateDirectoryUser(&locked)
		_, err2 := tx.DirectoryUser(ref, u.ID)
		return errors.Join(err, err2)
	}
}

func renameGroup(ref model.Ref, g *model.DirectoryGroup, name string) func(*store.Tx) error {
	return func(tx *store.Tx) error {
		locked, _, err := tx.LockGroup(ref, g.ID, nil)
		if err != nil {
			return err
		}
		locked.DisplayName, locked.DisplayNameKey = name, model.Fold(name)
		err = tx.UpdateDirectoryGroup(&locked)
		_, err2 := tx.DirectoryGroup(ref, g.ID)
		return errors.Join(err, err2)
	}
}

func add(ref model.Ref, group, member string) func(*store.Tx) error {
	return func(tx *store.Tx) error {
		_, _, err := tx.AddMembers(ref, group, []string{member})
		return err
	}
}

// overlap runs two transactions, the second from within the first, which goes on with then when the other is done or waits for it. On
// SQLite they follow each other.
func overlap(t *testing.T, s suite, first, second func(*store.Tx) error, then ...func(*store.Tx) error) {
	t.Helper()
	var done <-chan error
	InTx(t, s.Store, func(tx *store.Tx) error {
		err := first(tx)
		if done == nil {
			done = entered(t, s, second)
		}
		for s.postgres() && len(done) == 0 && count(t, s, waiting) == 0 && t.Context().Err() == nil {
			continue
		}
		for _, more := range then {
			err = errors.Join(err, more(tx))
		}
		return err
	})
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// waiting counts those who wait for the lock of a row.
const waiting = `SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
 WHERE a.datname = current_database() AND NOT l.granted AND l.locktype IN ('transactionid', 'tuple')`

// renamedMeanwhile has a member added to a group and renamed at once, either first.
func renamedMeanwhile(t *testing.T, s suite, ref model.Ref, member func(name string) (id string, rename func(*store.Tx) error)) {
	t.Helper()
	for _, name := range []string{"Added First", "Renamed First"} {
		id, rename := member(name)
		g := Group(t, s.Store, ref, "Group of "+name)
		if name == "Added First" {
			overlap(t, s, add(ref, g.ID, id), rename)
		} else {
			overlap(t, s, rename, add(ref, g.ID, id))
		}
		if got := memberNames(t, s, ref, g.ID); !slices.Equal(got, []string{name}) {
			t.Errorf("names %q, want %q", got, name)
		}
	}
}

func userRenamedMeanwhile(t *testing.T, s suite) {
	ref := Ref(t, s.Store)
	renamedMeanwhile(t, s, ref, func(name string) (string, func(*store.Tx) error) {
		u := User(t, s.Store, ref, model.Fold(name)+"@contoso.com")
		return u.ID, renameUser(ref, u, name)
	})
}

func groupRenamedMeanwhile(t *testing.T, s suite) {
	ref := Ref(t, s.Store)
	renamedMeanwhile(t, s, ref, func(name string) (string, func(*store.Tx) error) {
		g := Group(t, s.Store, ref, "Inner of "+name)
		return g.ID, renameGroup(ref, g, name)
	})
}

// renamedWhileLocked has two wait for each other: PostgreSQL refuses one, which is run again.
func renamedWhileLocked(t *testing.T, s suite) {
	ref := Ref(t, s.Store)
	u, g := User(t, s.Store, ref, "ada@contoso.com"), Group(t, s.Store, ref, "Sales")
	overlap(t, s, add(ref, g.ID, u.ID), renameUser(ref, u, "Ada Lovelace"), func(tx *store.Tx) error {
		_, err := tx.LockFacts(ref, []string{u.ID})
		return err
	})
	if got := memberNames(t, s, ref, g.ID); !slices.Equal(got, []string{"Ada Lovelace"}) {
		t.Errorf("names %q", got)
	}
}
