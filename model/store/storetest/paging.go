package storetest

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"usher/model"
	"usher/model/store"
)

func pagingCases() []testCase {
	return []testCase{
		{"many users and accounts are paged completely, in order, at constant memory", pageMany},
		{"a cursor of another list is Invalid", foreignCursors},
		{"a page by filter knows its total", pageByFilter},
		{"a search of the log looks at a part of it, and comes to its end", pageTheLog},
	}
}

const (
	manyRows = 100_000
	pageRows = 500
	// slowRows are enough where the race detector watches every step of SQLite, which is Go here; `make test` pages manyRows of
	// PostgreSQL.
	slowRows = 20_000
	// pagingMemory bounds what paging keeps: half of what all rows together would take, as other cases run beside this one.
	pagingMemory = 64 << 20
)

func pageMany(t *testing.T, s suite) {
	ref := Ref(t, s.Store)
	org := ref.OrganizationID
	rows := manyRows
	if raceDetector && !s.postgres() {
		rows = slowRows
	}
	fill(t, s, ref, rows)
	r := s.Read(t.Context())
	for name, page := range map[string]func(after string) ([]string, error){
		"directory users": func(after string) ([]string, error) {
			list, err := r.DirectoryUsersAfter(ref, after, pageRows)
			ids := make([]string, len(list))
			for i := range list {
				ids[i] = list[i].ID
			}
			return ids, err
		},
		"accounts": func(after string) ([]string, error) {
			list, err := r.AccountsAfter(org, store.AccountFilter{}, after, pageRows)
			ids := make([]string, len(list))
			for i := range list {
				ids[i] = list[i].ID
			}
			return ids, err
		},
	} {
		seen, after, start, most := 0, "", heap(), uint64(0)
		for {
			ids, err := page(after)
			if err != nil {
				t.Fatal(err)
			}
			if len(ids) == 0 {
				break
			}
			for _, id := range ids {
				if id <= after {
					t.Fatalf("%s: %s behind %s", name, id, after)
				}
				after = id
			}
			if seen += len(ids); seen%(pageRows*20) == 0 {
				most = max(most, heap())
			}
		}
		if seen != rows {
			t.Errorf("%s: %d of %d rows", name, seen, rows)
		}
		if most > start+pagingMemory {
			t.Errorf("%s: the heap grew from %d to %d bytes", name, start, most)
		}
	}
}

// heap gives the bytes of living objects. Cases run in parallel, so that the bound on its growth is generous.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// fill makes many users and accounts out of one of each, within the database: storing them one by one would take longer than
// all other cases together.
func fill(t *testing.T, s suite, ref model.Ref, rows int) {
	t.Helper()
	a := Account(t, s.Store, ref.OrganizationID, "first@contoso.com")
	u := NewUser(ref, a.Email)
	u.AccountID = &a.ID
	InTx(t, s.Store, func(tx *store.Tx) error { return tx.InsertDirectoryUser(u) })
	copies(t, s, rows, "accounts", map[string]string{"email_key": "'a' || n"})
	copies(t, s, rows, "directory_users", map[string]string{"user_name_key": "'u' || n", "account_id": "NULL"})
}

// copies repeats the one row of a table until there are as many as wanted, each with an id of its own.
func copies(t *testing.T, s suite, rows int, table string, change map[string]string) {
	t.Helper()
	change["id"] = "lower(substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-4' || substr(h, 14, 3) || '-8' || substr(h, 18, 3) || '-' || substr(h, 21, 12))"
	random := "hex(randomblob(16))"
	if s.postgres() {
		change["id"], random = "gen_random_uuid()", "0"
	}
	names := slices.DeleteFunc(columns(t, s)[table], func(name string) bool { return name == generatedColumn })
	values := make([]string, len(names))
	for i, name := range names {
		if values[i] = change[name]; values[i] == "" {
			values[i] = name
		}
	}
	_, err := s.DB().ExecContext(t.Context(), fmt.Sprintf(`INSERT INTO %s (%s)
		WITH RECURSIVE many (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM many WHERE n < %d)
		SELECT %s FROM %s CROSS JOIN (SELECT n, %s AS h FROM many) AS x`,
		table, strings.Join(names, ", "), rows, strings.Join(values, ", "), table, random))
	if err != nil {
		t.Fatal(err)
	}
}

func foreignCursors(t *testing.T, s suite) {
	ref := Ref(t, s.Store)
	r := s.Read(t.Context())
	for name, read := range map[string]func(after string) error{
		"DirectoryUsersAfter":  func(after string) error { _, err := r.DirectoryUsersAfter(ref, after, 1); return err },
		"DirectoryGroupsAfter": func(after string) error { _, err := r.DirectoryGroupsAfter(ref, after, 1); return err },
		"AccountsAfter": func(after string) error {
			_, err := r.AccountsAfter(ref.OrganizationID, store.AccountFilter{}, after, 1)
			return err
		},
		"ActivitiesBefore": func(after string) error {
			_, err := r.ActivitiesBefore(ref.OrganizationID, store.ActivityFilter{}, after, 1)
			return err
		},
		"ActivityPage": func(after string) error {
			_, _, err := r.ActivityPage(ref.OrganizationID, store.ActivityFilter{Search: "x"}, after, 1)
			return err
		},
		"RunsBefore": func(after string) error {
			_, err := r.RunsBefore(ref.OrganizationID, store.RunFilter{}, after, 1)
			return err
		},
		"IntegrationsAfter": func(after string) error { _, err := r.IntegrationsAfter(ref.OrganizationID, after, 1); return err },
	} {
		for _, after := range []string{"7", "' OR 1=1", "ZZZZZZZZ-0000-0000-0000-000000000000"} {
			if err := read(after); model.KindOf(err) != model.Invalid {
				t.Errorf("%s behind %q: %v, want Invalid", name, after, err)
			}
		}
	}
}

func pageByFilter(t *testing.T, s suite) {
	ref := Ref(t, s.Store)
	Users(t, s.Store, ref, 25)
	odd := model.Compare{Path: model.AttributePath{Name: "userName"}, Op: model.OpContains, Value: "5@"} // 5 and 15
	for _, c := range []struct {
		q           model.ResourceQuery
		rows, total int
	}{
		{model.ResourceQuery{StartIndex: 1, Count: 10}, 10, 25},
		{model.ResourceQuery{StartIndex: 21, Count: 10}, 5, 25},
		{model.ResourceQuery{StartIndex: 26, Count: 10}, 0, 25},
		{model.ResourceQuery{StartIndex: 900, Count: 10}, 0, 25},
		{model.ResourceQuery{StartIndex: 0, Count: 0}, 0, 25},
		{model.ResourceQuery{StartIndex: -3, Count: 25}, 25, 25},
		{model.ResourceQuery{StartIndex: 1, Count: 1, Filter: odd}, 1, 2},
		{model.ResourceQuery{StartIndex: 2, Count: 9, Filter: odd}, 1, 2},
		{model.ResourceQuery{Count: 0, Filter: odd}, 0, 2},
	} {
		users, total, err := s.Read(t.Context()).Users(ref, c.q)
		if err != nil || len(users) != c.rows || total != c.total {
			t.Errorf("%+v gives %d of %d, %v, want %d of %d", c.q, len(users), total, err, c.rows, c.total)
		}
	}
}

// pageTheLog looks for the oldest line of a log that is longer than a page looks at.
func pageTheLog(t *testing.T, s suite) {
	org := Org(t, s.Store)
	InTx(t, s.Store, func(tx *store.Tx) error {
		for i := range 12_000 {
			summary := "changed"
			if i == 0 {
				summary = "the first of all"
			}
			if err := tx.Log(model.Activity{OrganizationID: org, Actor: "ada", Action: "account.updated", Summary: summary}, nil); err != nil {
				return err
			}
		}
		return nil
	})
	r, pages := s.Read(t.Context()), []int{}
	for after := ""; len(pages) == 0 || after != ""; {
		list, next, err := r.ActivityPage(org, store.ActivityFilter{Search: "FIRST of"}, after, 10)
		if err != nil {
			t.Fatal(err)
		}
		pages, after = append(pages, len(list)), next
	}
	if !slices.Equal(pages, []int{0, 1}) {
		t.Errorf("pages of %v lines, want none and then one", pages)
	}
	list, next, err := r.ActivityPage(org, store.ActivityFilter{}, "", 10)
	if err != nil || len(list) != 10 || next != list[9].ID {
		t.Errorf("without a filter %d lines, next %q, %v", len(list), next, err)
	}
}
