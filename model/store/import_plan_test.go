package store_test

import (
	"fmt"
	"strings"
	"testing"

	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
)

// staged is what an import has read of 100 groups of 400 people, each of 4,000 people in ten groups.
func staged(t *testing.T, s *store.Store) (ref model.Ref, people, groups []string) {
	t.Helper()
	ref = storetest.Ref(t, s)
	storetest.InTx(t, s, func(tx *store.Tx) error {
		link := model.ImportLink{OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID}
		if err := tx.InsertImportLink(&link); err != nil {
			return err
		}
		for n := range 100 {
			groups = append(groups, fmt.Sprintf("group%03d", n))
		}
		tx.AddImportGroups(ref, link.ID, true, groups)
		read, err := tx.ImportGroupsOf(ref, link.ID)
		if err != nil || len(read) != len(groups) {
			return fmt.Errorf("%d groups are read by the link: %w", len(read), err)
		}
		for n, g := range read {
			groups[n] = g.GroupID
		}
		for n := range 4000 {
			people = append(people, fmt.Sprintf("person%05d", n))
			var joined []model.ImportMember
			for m := range 10 {
				joined = append(joined, model.ImportMember{GroupID: groups[(n+m*7)%len(groups)], Member: people[n]})
			}
			tx.StageMembers(ref, 1, 1, joined, nil)
		}
		return nil
	})
	return ref, people, groups
}

// TestImportPlansUseIndexes: what an import asks for page by page costs what the page costs, whatever PostgreSQL knows of the tables.
func TestImportPlansUseIndexes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ref, people, groups := staged(t, s)
		emails := make([]string, 250)
		for i := range emails {
			emails[i] = fmt.Sprintf("person%05d@contoso.com", i)
		}
		cases := map[string]struct {
			ask  func(tx *store.Tx) error
			want string // by which the table is searched
		}{
			"ImportedGroups": {
				func(tx *store.Tx) error { _, err := tx.ImportedGroups(ref, 1, people[1000:1250]); return err }, "import_members_member",
			},
			"KnownAfter": {func(tx *store.Tx) error {
				_, err := tx.KnownAfter(ref, store.ImportScope{GroupIDs: groups}, people[1000], 250)
				return err
			}, "import_members_member"},
			"NestedGroups": {func(tx *store.Tx) error { _, _, err := tx.NestedGroups(ref); return err }, "memberships_member"},
			"FindByKeys": {func(tx *store.Tx) error {
				f, err := tx.NewFacts(ref.OrganizationID, emails[:1])
				if err != nil {
					return err
				}
				return tx.FindByKeys(ref.OrganizationID, emails, f)
			}, "accounts_email"},
		}
		check := func(t *testing.T) {
			for name, c := range cases {
				for _, generic := range []bool{false, true} {
					plan := strings.Join(store.ExplainForTest(t, s, generic, c.ask), ", ")
					for _, whole := range []string{"Seq Scan import_members", "Seq Scan memberships", "Seq Scan accounts", "SCAN m,", "SCAN accounts"} {
						if strings.Contains(plan, whole) {
							t.Errorf("%s, generic=%v: a whole table is read: %s", name, generic, plan)
						}
					}
					if !strings.Contains(plan, c.want) {
						t.Errorf("%s, generic=%v: %s, want %s in it", name, generic, plan, c.want)
					}
				}
			}
		}
		check(t)
		if err := s.AnalyzeImport(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Run("analyzed", check)
	})
}

// TestImportsAreReadInPages: a page of those who are known is the next ones, of the groups in scope and of the mirror.
func TestImportsAreReadInPages(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ref, people, groups := staged(t, s)
		storetest.Users(t, s, ref, 3) // ext-user000000 and on come before person00000
		r := s.Read(t.Context())
		var known []string
		for after := ""; ; {
			page, err := r.KnownAfter(ref, store.ImportScope{GroupIDs: groups[:3]}, after, 100)
			if err != nil {
				t.Fatal(err)
			}
			if known = append(known, page...); len(page) < 100 {
				break
			}
			after = page[99]
		}
		want := []string{"ext-user000000", "ext-user000001", "ext-user000002"}
		for n, id := range people {
			for m := range 10 {
				if (n+m*7)%len(groups) < 3 {
					want = append(want, id)
					break
				}
			}
		}
		if strings.Join(known, " ") != strings.Join(want, " ") {
			t.Errorf("%d are known, want %d: %.200q", len(known), len(want), known)
		}
		in, err := r.ImportedGroups(ref, 1, []string{people[7], people[7], "nobody"})
		if err != nil || len(in) != 1 || len(in[people[7]]) != 10 {
			t.Errorf("groups %v, %v", in, err)
		}
	})
}
