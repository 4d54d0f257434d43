package store_test

import (
	"fmt"
	"strings"
	"testing"

	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
)

// large is a mirror of 20,000 users, half of them linked and employees, in 1,000 groups of 60 and one of everybody.
func large(t *testing.T, s *store.Store) (model.Ref, []string, *model.DirectoryGroup) {
	t.Helper()
	const users, groups = 20000, 1000
	ref := storetest.Ref(t, s)
	ids := storetest.Users(t, s, ref, users)
	storetest.InTx(t, s, func(tx *store.Tx) error {
		for i, id := range ids[:users/2] {
			a := storetest.NewAccount(ref.OrganizationID, fmt.Sprintf("user%06d@contoso.com", i))
			e := model.Employee{OrganizationID: ref.OrganizationID, ExternalID: id, Email: a.Email, State: model.EmployeeActive}
			tx.PutEmployee(&e)
			a.EmployeeID = &e.ExternalID
			if err := tx.InsertAccount(a); err != nil {
				return err
			}
			u := &model.DirectoryUser{ID: id, OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID, AccountID: &a.ID}
			if err := tx.SettleDirectoryUser(u); err != nil {
				return err
			}
		}
		return nil
	})
	everybody := storetest.Group(t, s, ref, "Everybody", ids...)
	storetest.InTx(t, s, func(tx *store.Tx) error {
		for i := range groups {
			g := storetest.NewGroup(ref, fmt.Sprintf("Group %04d", i))
			if err := tx.InsertDirectoryGroup(g); err != nil {
				return err
			}
			if _, _, err := tx.AddMembers(ref, g.ID, ids[i*19:i*19+60]); err != nil {
				return err
			}
			if i%50 > 0 {
				continue
			}
			awaited := make([]string, 1000)
			for n := range awaited {
				awaited[n] = fmt.Sprintf("awaited-%d", i*10+n)
			}
			tx.RememberMembers(g, awaited)
			tx.StorePendingMembers(g)
		}
		return nil
	})
	return ref, ids, everybody
}

// TestPlansUseIndexes: at 20,000 users nothing that a request does reads a whole table, with and without statistics, and
// whether PostgreSQL plans for these parameters or for any.
func TestPlansUseIndexes(t *testing.T) {
	t.Parallel()
	s := storetest.OpenPostgres(t)
	cases := planCases(t, s)
	check := func(t *testing.T, generic bool) {
		for _, c := range cases {
			nodes := c.plan(t, generic)
			plan := strings.Join(nodes, ", ")
			for _, table := range []string{"directory_users", "directory_groups", "memberships", "accounts", "employees", "pending_members"} {
				few := table == "employees" && strings.HasSuffix(c.name, "of 100") // of 5,000: reading all of them is a fair plan
				if strings.Contains(plan, "Seq Scan "+table) && !few {
					t.Errorf("%s, generic=%v: a whole table is read: %s", c.name, generic, plan)
				}
			}
			// Without statistics PostgreSQL takes the same index by way of a bitmap.
			if !strings.Contains(strings.ReplaceAll(plan, "Bitmap Heap Scan", "Index Scan"), c.want) {
				t.Errorf("%s, generic=%v: %s, want %q in it", c.name, generic, plan, c.want)
			}
		}
	}
	for _, analyzed := range []bool{false, true} {
		if analyzed {
			if _, err := s.DB().ExecContext(t.Context(), "VACUUM ANALYZE"); err != nil {
				t.Fatal(err)
			}
		}
		t.Run(fmt.Sprintf("analyzed=%v", analyzed), func(t *testing.T) {
			check(t, false)
			check(t, true)
		})
	}
}

// TestSQLitePlansUseIndexes is the same on SQLite: every table but the lists that are bound is searched by an index, beyond
// the integration.
func TestSQLitePlansUseIndexes(t *testing.T) {
	t.Parallel()
	s := storetest.OpenSQLite(t)
	for _, c := range planCases(t, s) {
		for _, line := range c.plan(t, false) {
			if strings.Contains(line, " integrations ") || strings.Contains(line, "directory_users_unmatched") {
				continue // an organization has few, and they are counted in the index; of users without numbers there are few
			}
			whole := strings.HasPrefix(line, "SCAN ") && !strings.Contains(line, "VIRTUAL TABLE") && !strings.Contains(line, "CONSTANT") &&
				line != "SCAN hit" && line != "SCAN page" && line != "SCAN place" // which hold what an index found
			if strings.Contains(line, "SEARCH integrations ") {
				continue // of which an organization has few
			}
			if whole || strings.HasSuffix(line, "(integration_id=?)") || strings.HasSuffix(line, "(organization_id=?)") {
				t.Errorf("%s: much is read: %s", c.name, line)
			}
		}
	}
}

// planCase is something that a request does, with what its plan must show on PostgreSQL.
type planCase struct {
	name string
	plan func(t *testing.T, generic bool) []string
	want string
}

func planCases(t *testing.T, s *store.Store) []planCase {
	t.Helper()
	ref, ids, everybody := large(t, s)
	var account string
	if u, err := s.Read(t.Context()).DirectoryUser(ref, ids[7]); err != nil || u.AccountID == nil {
		t.Fatal(u, err)
	} else {
		account = *u.AccountID
	}
	awaits := &model.DirectoryGroup{ID: everybody.ID, OrganizationID: ref.OrganizationID, IntegrationID: ref.IntegrationID, PendingMembers: 1}
	eq := func(name, value string) model.Filter {
		return model.Compare{Path: model.AttributePath{Name: name}, Op: model.OpEqual, Value: value}
	}
	tx := func(fn func(*store.Tx) error) func(*testing.T, bool) []string {
		return func(t *testing.T, generic bool) []string { return store.ExplainForTest(t, s, generic, fn) }
	}
	filter := func(table string, f model.Filter) func(*testing.T, bool) []string {
		return func(t *testing.T, generic bool) []string {
			return store.FilterPlanForTest(t, s, generic, ref, table, f)
		}
	}
	mail := "user000007@contoso.com"
	return []planCase{
		{"userName eq", filter("directory_users", eq("userName", mail)), "Index Scan directory_users"},
		{"externalId eq", filter("directory_users", eq("externalId", "ext-user000007")), "Index Scan directory_users"},
		{"id eq", filter("directory_users", eq("id", ids[7])), "Index Scan directory_users"},
		{"work e-mail eq", filter("directory_users", model.ValuePath{
			Path:  model.AttributePath{Name: "emails", MultiValued: true},
			Inner: model.And{Left: eq("type", "work"), Right: eq("value", mail)},
		}), "Index Scan directory_users"},
		{"group displayName eq", filter("directory_groups", eq("displayName", "Group 0007")), "Index Scan directory_groups"},
		{"group externalId eq", filter("directory_groups", eq("externalId", "ext-Group 0007")), "Index Scan directory_groups"},
		{"members eq", filter("directory_groups", eq("members", ids[7])), "memberships"},
		{"LockFacts", tx(func(tx *store.Tx) error { _, err := tx.LockFacts(ref, ids[7:8]); return err }), "Index Scan directory_users"},
		{"LockFacts of 100", tx(func(tx *store.Tx) error { _, err := tx.LockFacts(ref, ids[:100]); return err }), "directory_users"},
		{"NewFacts", tx(func(tx *store.Tx) error {
			_, err := tx.NewFacts(ref.OrganizationID, []string{mail})
			return err
		}), "Index Scan accounts"},
		{"ArrivalFacts", tx(func(tx *store.Tx) error {
			_, err := tx.ArrivalFacts(ref, store.Newcomer{ExternalID: "awaited-77", UserNameKey: mail}, []string{mail})
			return err
		}), "pending_members_value"},
		{"Awaiting", tx(func(tx *store.Tx) error {
			_, err := tx.Awaiting(ref, store.Newcomer{ExternalID: "awaited-77", UserNameKey: mail}, ids[7])
			return err
		}), "pending_members_value"},
		{"SeekMembers", tx(func(tx *store.Tx) error {
			_, err := tx.SeekMembers(awaits, []string{"ext-user000007", "Nobody"})
			return err
		}), "directory_groups_pending"},
		{"MembersNamed", tx(func(tx *store.Tx) error { _, err := tx.MembersNamed(ref, []string{"ext-user000007"}); return err }), "directory_users_external_id"},
		{"PendingMembersAfter", tx(func(tx *store.Tx) error { _, err := tx.PendingMembersAfter(ref, everybody.ID, "a", 100); return err }), "pending_members"},
		{"AccountsAfter by e-mail", tx(func(tx *store.Tx) error {
			_, err := tx.AccountsAfter(ref.OrganizationID, store.AccountFilter{Email: mail}, "", 100)
			return err
		}), "Index Scan accounts"},
		{"Account", tx(func(tx *store.Tx) error { _, err := tx.Account(ref.OrganizationID, account); return err }), "Index Scan accounts"},
		{"AccountsForEmployee", tx(func(tx *store.Tx) error {
			_, err := tx.AccountsForEmployee(&model.Employee{OrganizationID: ref.OrganizationID, ExternalID: "e", Email: mail})
			return err
		}), "accounts"},
		{"AddMembers", tx(func(tx *store.Tx) error { _, _, err := tx.AddMembers(ref, everybody.ID, ids[7:8]); return err }), "directory_users"},
		{"RemoveMembers", tx(func(tx *store.Tx) error { _, err := tx.RemoveMembers(everybody.ID, ids[7:8]); return err }), "memberships"},
		{"PeopleOfGroups", tx(func(tx *store.Tx) error { _, err := tx.PeopleOfGroups(ref, []string{everybody.ID}, 100); return err }), "memberships"},
		{"GroupsOf", tx(func(tx *store.Tx) error { _, err := tx.GroupsOf(ref, ids[7:8], 0); return err }), "memberships"},
		{"UpdateDirectoryUser", tx(func(tx *store.Tx) error {
			u, err := tx.DirectoryUser(ref, ids[7])
			if err == nil {
				err = tx.UpdateDirectoryUser(&u)
			}
			return err
		}), "directory_users"},
		{"LockGroupsOf", tx(func(tx *store.Tx) error {
			tx.LockGroupsOf(ref, ids[7])
			_, err := tx.DirectoryUser(ref, ids[7])
			return err
		}), "memberships"},
		{"DeleteDirectoryUser", tx(func(tx *store.Tx) error {
			u, err := tx.DirectoryUser(ref, ids[7])
			if err == nil {
				err = tx.DeleteDirectoryUser(&u)
			}
			return err
		}), "memberships"},
		{"DirectoryUsersAfter", tx(func(tx *store.Tx) error { _, err := tx.DirectoryUsersAfter(ref, ids[7], 100); return err }), "directory_users"},
		{"MembersAfter", tx(func(tx *store.Tx) error { _, err := tx.MembersAfter(ref, everybody.ID, ids[7], 100); return err }), "memberships"},
	}
}
