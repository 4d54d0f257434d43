package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"usher/model"
	"usher/model/store"
)

func memberCases() []testCase {
	return []testCase{
		{"200 members added and 200 removed at once, none lost", manyAtOnce},
		{"adding a member twice adds it once, and tells so", addIsIdempotent},
		{"replacing the members keeps exactly the named ones", keepMembers},
		{"a group is a member of a group", nestedGroups},
		{"what is no user or group of the integration becomes no member", strangers},
		{"deleting a user or a group takes its memberships along", deletionTakesMemberships},
		{"members are counted, all or some", countMembers},
		{"a member added while it is being deleted leaves no orphan", addWhileDeleting},
	}
}

func memberIDs(t *testing.T, s suite, ref model.Ref, group string) []string {
	t.Helper()
	members, err := s.Read(t.Context()).Members(ref, []string{group}, 0)
	if err != nil {
		t.Fatal(err)
	}
	return idsOf(members[group])
}

func idsOf(members []model.Member) []string {
	ids := []string{}
	for _, m := range members {
		ids = append(ids, m.ID)
	}
	slices.Sort(ids)
	return ids
}

func manyAtOnce(t *testing.T, s suite) {
	const n = 200
	ref := Ref(t, s.Store)
	ids := Users(t, s.Store, ref, 2*n)
	g := Group(t, s.Store, ref, "Everybody", ids[n:]...)
	together(2*n, func(i int) {
		err := s.InTx(t.Context(), func(tx *store.Tx) error {
			locked, _, err := tx.LockGroup(ref, g.ID, nil)
			if err != nil {
				return err
			}
			var changed []model.Member
			if i < n {
				changed, _, err = tx.AddMembers(ref, g.ID, ids[i:i+1])
			} else {
				changed, err = tx.RemoveMembers(g.ID, ids[i:i+1])
			}
			if err == nil && len(changed) != 1 {
				err = fmt.Errorf("%d members changed", len(changed))
			}
			tx.TouchDirectoryGroup(&locked)
			return err
		})
		if err != nil {
			t.Errorf("writer %d: %v", i, err)
		}
	})
	if got := memberIDs(t, s, ref, g.ID); !slices.Equal(got, ids[:n]) {
		t.Errorf("%d members, want the %d added ones", len(got), n)
	}
	if got, err := s.Read(t.Context()).DirectoryGroup(ref, g.ID); err != nil || got.Version != 2*n+1 {
		t.Errorf("version %d after %d changes, %v", got.Version, 2*n, err)
	}
}

func addIsIdempotent(t *testing.T, s suite) {
	ref := Ref(t, s.Store)
	ids := Users(t, s.Store, ref, 2)
	g := Group(t, s.Store, ref, "Sales", ids[0])
	InTx(t, s.Store, func(tx *store.Tx) error {
		added, _, err := tx.AddMembers(ref, g.ID, []string{ids[0], ids[1], ids[1]})
		if got := idsOf(added); !slices.Equal(got, ids[1:]) {
			t.Errorf("added %v, want %v", got, ids[1:])
		}
		removed, err2 := tx.RemoveMembers(g.ID, []string{ids[0], store.NewID(), "7"})
		if got := idsOf(removed); !slices.Equal(got, ids[:1]) {
			t.Errorf("removed %v, want %v", got, ids[:1])
		}
		return errors.Join(err, err2)
	})
	if got := memberIDs(t, s, ref, g.ID); !slices.Equal(got, ids[1:]) {
		t.Errorf("members %v, want %v", got, ids[1:])
	}
}

func keepMembers(t *testing.T, s suite) {
	ref := Ref(t, s.Store)
	ids := Users(t, s.Store, ref, 4)
	g := Group(t, s.Store, ref, "Sales", ids[:3]...)
	other := Group(t, s.Store, ref, "Other", ids...)
	for _, want := range [][]string{ids[1:], ids[:2], {}} {
		InTx(t, s.Store, func(tx *store.Tx) error {
			before, err := tx.Members(ref, []string{g.ID}, 0)
			if err != nil {
				return err
			}
			removed, err := tx.KeepMembers(g.ID, want)
			if err != nil {
				return err
			}
			for _, id := range idsOf(before[g.ID]) {
				if slices.Contains(want, id) == slices.Contains(idsOf(removed), id) {
					t.Errorf("keep %v of %v removed %v", want, before, removed)
				}
			}
			_, _, err = tx.AddMembers(ref, g.ID, want)
			return err
		})
		if got := memberIDs(t, s, ref, g.ID); !slices.Equal(got, want) {
			t.Errorf("members %v, want %v", got, want)
		}
	}
	if got := memberIDs(t, s, ref, other.ID); !slices.Equal(got, ids) {
		t.Errorf("another group's members became %v", got)
	}
}

func nestedGroups(t *testing.T, s suite) {
	ref := Ref(t, s.Store)
	ids := Users(t, s.Store, ref, 1)
	inner := Group(t, s.Store, ref, "Inner", ids...)
	outer := Group(t, s.Store, ref, "Outer", inner.ID, ids[0])
	members, err := s.Read(t.Context()).MembersAfter(ref, outer.ID, "", 10)
	want := []model.Member{{ID: ids[0], Type: model.MemberUser, Display: "user000000"}, {ID: inner.ID, Type: model.MemberGroup, Display: "Inner"}}
	if err != nil || !slices.Equal(members, want) {
		t.Errorf("members %+v, %v, want %+v", members, err, want)
	}
	users, err := s.Read(t.Context()).UserMembersAfter(ref, outer.ID, "", 10)
	if err != nil || !slices.Equal(users, ids) {
		t.Errorf("user members %v, %v, want %v", users, err, ids)
	}
	groups, err := s.Read(t.Context()).GroupsOf(ref, []string{ids[0], inner.ID}, 0)
	if err != nil || len(groups[ids[0]]) != 2 || len(groups[inner.ID]) != 1 || groups[inner.ID][0].DisplayName != "Outer" {
		t.Errorf("groups %v, %v", groups, err)
	}
	InTx(t, s.Store, func(tx *store.Tx) error {
		added, _, err := tx.AddMembers(ref, outer.ID, []string{outer.ID})
		if len(added) != 0 {
			t.Errorf("a group became its own member")
		}
		return err
	})
}

func strangers(t *testing.T, s suite) {
	org := Org(t, s.Store)
	ref, other := Integration(t, s.Store, org).Ref(), Integration(t, s.Store, org).Ref()
	mine, theirs := User(t, s.Store, ref, "ada@contoso.com"), User(t, s.Store, other, "bob@contoso.com")
	g := Group(t, s.Store, ref, "Sales")
	InTx(t, s.Store, func(tx *store.Tx) error {
		added, _, err := tx.AddMembers(ref, g.ID, []string{theirs.ID, store.NewID(), "7", mine.ID})
		if got := idsOf(added); !slices.Equal(got, []string{mine.ID}) {
			t.Errorf("added %v, want %s alone", got, mine.ID)
		}
		foreign, _, err2 := tx.AddMembers(other, g.ID, []string{theirs.ID})
		if len(foreign) != 0 {
			t.Errorf("a group of another integration took %v", foreign)
		}
		return errors.Join(err, err2)
	})
}

func deletionTakesMemberships(t *testing.T, s suite) {
	ref := Ref(t, s.Store)
	ids := Users(t, s.Store, ref, 2)
	inner := Group(t, s.Store, ref, "Inner", ids...)
	outer := Group(t, s.Store, ref, "Outer", inner.ID, ids[0])
	InTx(t, s.Store, func(tx *store.Tx) error {
		return tx.DeleteDirectoryUser(&model.DirectoryUser{ID: ids[0], OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID})
	})
	if got := memberIDs(t, s, ref, inner.ID); !slices.Equal(got, ids[1:]) {
		t.Errorf("members of the inner group %v, want %v", got, ids[1:])
	}
	InTx(t, s.Store, func(tx *store.Tx) error { tx.DeleteDirectoryGroup(inner); return nil })
	if got := memberIDs(t, s, ref, outer.ID); len(got) != 0 {
		t.Errorf("members of the outer group %v, want none", got)
	}
	if n := count(t, s, "SELECT count(*) FROM memberships"); n != 0 {
		t.Errorf("%d memberships remain", n)
	}
}

func countMembers(t *testing.T, s suite) {
	ref := Ref(t, s.Store)
	var ids []string
	for _, name := range []string{"ada@contoso.com", "grace@contoso.com", "alan@contoso.com"} {
		ids = append(ids, User(t, s.Store, ref, name).ID)
	}
	small, large, none := Group(t, s.Store, ref, "Small", ids[:1]...).ID, Group(t, s.Store, ref, "Large", ids...).ID, Group(t, s.Store, ref, "None").ID
	asked := []string{small, large, none, "no id"}
	r := s.Read(t.Context())
	all, err := r.CountMembers(ref, asked)
	some, err2 := r.CountSomeMembers(ref, asked, 2)
	if err != nil || err2 != nil || all[small] != 1 || all[large] != 3 || all[none] != 0 || some[small] != 1 || some[large] != 2 || some[none] != 0 {
		t.Errorf("all %v, %v; at most two %v, %v", all, err, some, err2)
	}
}

func addWhileDeleting(t *testing.T, s suite) {
	const n = 40
	ref := Ref(t, s.Store)
	ids := Users(t, s.Store, ref, n)
	g := Group(t, s.Store, ref, "Sales")
	together(2*n, func(i int) {
		u := model.DirectoryUser{ID: ids[i/2], OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID}
		err := s.InTx(t.Context(), func(tx *store.Tx) error {
			if i%2 == 0 {
				return tx.DeleteDirectoryUser(&u)
			}
			_, _, err := tx.AddMembers(ref, g.ID, []string{u.ID})
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
	if n := count(t, s, "SELECT count(*) FROM memberships"); n != 0 {
		t.Errorf("%d memberships of deleted users remain", n)
	}
}

// count runs a query that gives one number.
func count(t *testing.T, s suite, query string) int {
	t.Helper()
	var n int
	if err := s.DB().QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}
