package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"usher/model"
	"usher/model/store"
)

func pendingCases() []testCase {
	return []testCase{
		{"whoever arrives while its name is being remembered sees it, whichever comes first", arrivalMeetsRemembering},
		{"whoever is renamed while its name is being remembered sees it, whichever comes first", renamingMeetsRemembering},
		{"a transaction that finds doors closed twice holds all of them", doorsAddUp},
		{"a newcomer joins the groups that await it, and they forget it", admission},
		{"names are found by externalId, else by userName, and never where two have them", names},
		{"what is remembered is kept, taken away and paged per group", remembered},
	}
}

// remember is what a request does that names a member who may not be there: it remembers the value unless it means somebody.
func remember(ref model.Ref, group, value string, found *model.Member) func(*store.Tx) error {
	return func(tx *store.Tx) error {
		g, _, err := tx.LockGroup(ref, group, nil)
		if err != nil {
			return err
		}
		sought, err := tx.SeekMembers(&g, []string{value})
		if err != nil {
			return err
		}
		if m, ok := sought.Named[value]; ok {
			*found = m
			return nil
		}
		tx.RememberMembers(&g, []string{value})
		tx.StorePendingMembers(&g)
		_, err = tx.Members(ref, []string{group}, 0) // sends it
		return err
	}
}

// meet runs two transactions, the second from within the first, and wants it to wait for the first.
func meet(t *testing.T, s suite, first, second func(*store.Tx) error) {
	t.Helper()
	var done <-chan error
	InTx(t, s.Store, func(tx *store.Tx) error {
		err := first(tx)
		if done = entered(t, s, second); s.postgres() {
			waits(t, s, done)
		}
		return err
	})
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func arrivalMeetsRemembering(t *testing.T, s suite) {
	ref := Ref(t, s.Store)
	g := Group(t, s.Store, ref, "Sales")
	for i, value := range []string{"ext-new0@contoso.com", "NEW1@contoso.com"} { // by externalId, by userName
		for _, arrivesFirst := range []bool{true, false} {
			mail := fmt.Sprintf("new%d@contoso.com", i)
			u := NewUser(ref, mail)
			u.ExternalID = "ext-" + mail
			var found model.Member
			awaited := false
			arrive := func(tx *store.Tx) error {
				f, err := tx.ArrivalFacts(ref, store.Newcomer{ExternalID: u.ExternalID, UserNameKey: u.UserNameKey}, []string{mail})
				if err != nil {
					return err
				}
				awaited = f.Awaited
				err = tx.InsertDirectoryUser(u)
				_, err2 := tx.DirectoryUser(ref, u.ID) // sends it
				return errors.Join(err, err2)
			}
			if arrivesFirst {
				meet(t, s, arrive, remember(ref, g.ID, value, &found))
			} else {
				meet(t, s, remember(ref, g.ID, value, &found), arrive)
			}
			if arrivesFirst && found.ID != u.ID || !arrivesFirst && !awaited {
				t.Errorf("%s, the arrival first %v: found %v, awaited %v", value, arrivesFirst, found, awaited)
			}
			InTx(t, s.Store, func(tx *store.Tx) error { return tx.DeleteDirectoryUser(u) })
		}
	}
}

func renamingMeetsRemembering(t *testing.T, s suite) {
	ref := Ref(t, s.Store)
	g := Group(t, s.Store, ref, "Sales")
	for i, renamedFirst := range []bool{true, false} {
		u := User(t, s.Store, ref, fmt.Sprintf("ada%d@contoso.com", i))
		u.ExternalID = fmt.Sprintf("new-%d", i)
		var found model.Member
		awaited := false
		rename := func(tx *store.Tx) (err error) {
			if _, err := tx.LockFacts(ref, []string{u.ID}); err != nil {
				return err
			}
			if awaited, err = tx.HoldRenamed(ref, store.Newcomer{ExternalID: u.ExternalID, UserNameKey: u.UserNameKey}); err != nil {
				return err
			}
			err = tx.UpdateDirectoryUser(u)
			_, err2 := tx.DirectoryUser(ref, u.ID) // sends it
			return errors.Join(err, err2)
		}
		if renamedFirst {
			meet(t, s, rename, remember(ref, g.ID, u.ExternalID, &found))
		} else {
			meet(t, s, remember(ref, g.ID, u.ExternalID, &found), rename)
		}
		if renamedFirst && found.ID != u.ID || !renamedFirst && !awaited {
			t.Errorf("the renaming first %v: found %v, awaited %v", renamedFirst, found, awaited)
		}
	}
}

func doorsAddUp(t *testing.T, s suite) {
	ref := Ref(t, s.Store)
	g := Group(t, s.Store, ref, "Sales")
	runs := 0
	both := func(tx *store.Tx) error {
		runs++
		g, _, err := tx.LockGroup(ref, g.ID, nil)
		if err != nil {
			return err
		}
		for _, value := range []string{"first", "second"} {
			if _, err := tx.SeekMembers(&g, []string{value}); err != nil {
				return err
			}
		}
		return nil
	}
	meet(t, s, func(tx *store.Tx) error {
		_, err := tx.ArrivalFacts(ref, store.Newcomer{ExternalID: "first", UserNameKey: "second"}, []string{"second"})
		return err
	}, both)
	if s.postgres() && runs > 3 {
		t.Errorf("the transaction ran %d times", runs)
	}
}

func admission(t *testing.T, s suite) {
	ref := Ref(t, s.Store)
	var groups []*model.DirectoryGroup
	for _, name := range []string{"A", "B", "C"} {
		groups = append(groups, Group(t, s.Store, ref, name))
	}
	var nobody model.Member
	InTx(t, s.Store, remember(ref, groups[0].ID, "ext-new@contoso.com", &nobody))
	InTx(t, s.Store, remember(ref, groups[0].ID, "new@contoso.com", &nobody))
	InTx(t, s.Store, remember(ref, groups[1].ID, "ext-new@contoso.com", &nobody))
	InTx(t, s.Store, remember(ref, groups[1].ID, "EXT-NEW@contoso.com", &nobody)) // somebody else's
	u := User(t, s.Store, ref, "new@contoso.com")
	InTx(t, s.Store, func(tx *store.Tx) error {
		_, _, err := tx.AddMembers(ref, groups[1].ID, []string{u.ID})
		return err
	})
	InTx(t, s.Store, func(tx *store.Tx) error {
		awaiting, err := tx.Awaiting(ref, store.Newcomer{ExternalID: "ext-new@contoso.com", UserNameKey: u.UserNameKey}, u.ID)
		if err != nil {
			return err
		}
		if len(awaiting) != 2 || len(awaiting[0].Values) != 2 || len(awaiting[1].Values) != 1 {
			t.Fatalf("awaiting %+v", awaiting)
		}
		joined, err := tx.Admit(ref, model.Member{ID: u.ID, Type: model.MemberUser}, awaiting)
		if len(joined) != 1 || joined[0].ID != groups[0].ID {
			t.Errorf("joined %+v, want A alone: it is in B already", joined)
		}
		return err
	})
	for i, want := range []struct{ version, pending, members int }{{2, 0, 1}, {1, 1, 1}, {1, 0, 0}} {
		g, err := s.Read(t.Context()).DirectoryGroup(ref, groups[i].ID)
		rest, err2 := s.Read(t.Context()).PendingMembersAfter(ref, g.ID, "", 10)
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		if got := memberIDs(t, s, ref, g.ID); len(got) != want.members || int(g.Version) != want.version || g.PendingMembers != want.pending || len(rest) != want.pending {
			t.Errorf("group %s: version %d, %d pending %v, members %v", g.DisplayName, g.Version, g.PendingMembers, rest, got)
		}
	}
}

func names(t *testing.T, s suite) {
	ref := Ref(t, s.Store)
	other := Integration(t, s.Store, ref.OrganizationID).Ref()
	ada, bob := NewUser(ref, "ada@contoso.com"), NewUser(ref, "bob@contoso.com")
	twin, foreign := NewUser(ref, "twin@contoso.com"), NewUser(other, "foreign@contoso.com")
	sales := NewGroup(ref, "Sales")
	ada.ExternalID, bob.ExternalID, twin.ExternalID, foreign.ExternalID, sales.ExternalID = "a", "ada@contoso.com", "t", "f", "t"
	InTx(t, s.Store, func(tx *store.Tx) error {
		return errors.Join(tx.InsertDirectoryUser(ada), tx.InsertDirectoryUser(bob), tx.InsertDirectoryUser(twin), tx.InsertDirectoryUser(foreign),
			tx.InsertDirectoryGroup(sales))
	})
	got, err := s.Read(t.Context()).MembersNamed(ref, []string{"a", "A", "ada@contoso.com", "TWIN@contoso.com", "t", "f", "foreign@contoso.com", "", ada.ID})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"a": ada.ID, "ada@contoso.com": bob.ID, "TWIN@contoso.com": twin.ID}
	if len(got) != len(want) {
		t.Errorf("named %v, want %v", got, want)
	}
	for value, id := range want {
		if got[value].ID != id || got[value].Type != model.MemberUser {
			t.Errorf("%q is %v, want %s", value, got[value], id)
		}
	}
}

func remembered(t *testing.T, s suite) {
	ref := Ref(t, s.Store)
	g, other := Group(t, s.Store, ref, "Sales"), Group(t, s.Store, ref, "Other")
	values := []string{"Z", "a", "b", "c", "ä"}
	InTx(t, s.Store, func(tx *store.Tx) error {
		tx.RememberMembers(g, values)
		tx.RememberMembers(other, values)
		tx.StorePendingMembers(other)
		sought, err := tx.SeekMembers(g, []string{"a", "x"})
		if len(sought.Named) != 0 || !sought.Remembered["a"] || sought.Remembered["x"] || sought.Total != len(values) {
			t.Errorf("sought %+v", sought) // the total is that of groups as they are stored
		}
		n, err2 := tx.ForgetMembers(g, []string{"a", "x"})
		m, err3 := tx.ForgetOtherMembers(g, []string{"b", "Z", "ä"})
		if n != 1 || m != 1 || g.PendingMembers != 3 {
			t.Errorf("forgot %d and %d, %d are left", n, m, g.PendingMembers)
		}
		tx.StorePendingMembers(g)
		return errors.Join(err, err2, err3)
	})
	page := func(group, after string, limit int) (list []string) {
		all, err := s.Read(t.Context()).PendingMembersAfter(ref, group, after, limit)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range all {
			list = append(list, m.Value)
		}
		return list
	}
	if first, rest := page(g.ID, "", 2), page(g.ID, "b", 2); !slices.Equal(first, []string{"Z", "b"}) || !slices.Equal(rest, []string{"ä"}) {
		t.Errorf("pages %q, %q", first, rest)
	}
	if got, err := s.Read(t.Context()).DirectoryGroup(ref, g.ID); err != nil || got.PendingMembers != 3 || got.Version != 1 {
		t.Errorf("group %+v, %v", got, err)
	}
	InTx(t, s.Store, func(tx *store.Tx) error { tx.DeleteDirectoryGroup(g); return nil })
	InTx(t, s.Store, func(tx *store.Tx) error { // with none of them left it takes those of no other group
		_, err := tx.ForgetOtherMembers(other, nil)
		return err
	})
	if n := count(t, s, "SELECT count(*) FROM pending_members"); n != 0 {
		t.Errorf("%d remembered members remain", n)
	}
}
