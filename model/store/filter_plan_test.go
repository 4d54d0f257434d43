package store_test

import (
	"fmt"
	"strings"
	"testing"

	"usher/model"
	"usher/model/store"
	"usher/model/store/storetest"
)

// directoryOf is an integration with n users as Entra pushes them: the attributes of its default mapping, 50 departments, a
// custom attribute, and one in a hundred with two work addresses. They are in groups of 50.
func directoryOf(tb testing.TB, s *store.Store, n int) (model.Ref, []string) {
	tb.Helper()
	ref := storetest.Ref(tb, s)
	var ids []string
	storetest.InTx(tb, s, func(tx *store.Tx) error {
		ids = ids[:0]
		for i := range n {
			if err := tx.InsertDirectoryUser(person(ref, i, &ids)); err != nil {
				return err
			}
		}
		for i := 0; i+50 <= n; i += 50 {
			g := storetest.NewGroup(ref, fmt.Sprintf("Group %05d", i/50))
			if err := tx.InsertDirectoryGroup(g); err != nil {
				return err
			}
			if _, _, err := tx.AddMembers(ref, g.ID, ids[i:i+50]); err != nil {
				return err
			}
		}
		return nil
	})
	return ref, ids
}

// person gives the user of a number, and adds its id to ids; its manager is the first user.
func person(ref model.Ref, i int, ids *[]string) *model.DirectoryUser {
	given := []string{"Ada", "Grace", "Alan", "Barbara", "Edsger"}[i%5]
	family := []string{"Lovelace", "Hopper", "Turing", "Liskov", "Dijkstra", "Knuth", "Zürn"}[i/5%7]
	u := storetest.NewUser(ref, fmt.Sprintf("u%07d@contoso.com", i))
	u.ID = store.NewID()
	*ids = append(*ids, u.ID)
	u.DisplayName = fmt.Sprintf("%s %s %d", given, family, i)
	emails := []any{map[string]any{"type": "work", "value": u.UserName, "primary": true}}
	if i%100 == 7 {
		emails = append(emails, map[string]any{"type": "work", "value": fmt.Sprintf("second%07d@contoso.com", i)})
	}
	u.Document = model.NewDocument(map[string]any{
		"schemas":  []any{"urn:ietf:params:scim:schemas:core:2.0:User", enterprise},
		"userName": u.UserName, "externalId": u.ExternalID, "displayName": u.DisplayName, "active": true, "emails": emails,
		"title": []string{"Engineer", "Senior Engineer", "Accountant", "Analyst"}[i%4], "preferredLanguage": "en-US",
		"name": map[string]any{"formatted": given + " " + family, "givenName": given, "familyName": family},
		"phoneNumbers": []any{
			map[string]any{"type": "work", "value": fmt.Sprintf("+1 425 555 %05d", i)}, map[string]any{"type": "mobile", "value": fmt.Sprintf("+1 206 555 %05d", i)},
		},
		"addresses": []any{map[string]any{
			"type": "work", "formatted": fmt.Sprintf("%d Main Street, Seattle", i%900), "streetAddress": fmt.Sprintf("%d Main Street", i%900),
			"locality": "Seattle", "region": "WA", "postalCode": "98000", "country": "US",
		}},
		enterprise: map[string]any{
			"employeeNumber": fmt.Sprint(100000 + i), "department": fmt.Sprintf("Dept %02d", i%50), "costCenter": "CC1", "division": "D",
			"manager": map[string]any{"value": (*ids)[0]},
		},
		extension: map[string]any{"badge": fmt.Sprintf("B-%d", i)},
	})
	return u
}

// indexedForms are the filters that an index answers, with the index of PostgreSQL that does, about the user of number i.
func indexedForms(ids []string, i int) []struct {
	name, index string
	filter      model.Filter
} {
	eq := func(p model.AttributePath, value any) model.Filter { return cmp(p, "eq", value) }
	ent := func(name string, sub ...string) model.AttributePath {
		return model.AttributePath{Schema: enterprise, Name: name, Sub: strings.Join(sub, "")}
	}
	mail := fmt.Sprintf("u%07d@contoso.com", i)
	phones := model.AttributePath{Name: "phoneNumbers", MultiValued: true}
	return []struct {
		name, index string
		filter      model.Filter
	}{
		{"id", "directory_users_pkey", eq(path("id"), ids[i])},
		{"userName", "directory_users_user_name", eq(path("userName"), strings.ToUpper(mail))},
		{"externalId", "directory_users_external_id", eq(path("externalId"), fmt.Sprintf("ext-u%07d", i))},
		{"work address", "directory_users_match", email(model.And{Left: eq(path("type"), "work"), Right: eq(path("value"), mail)})},
		{"second work address", "directory_users_match", email(model.And{
			Left: eq(path("type"), "work"), Right: eq(path("value"), fmt.Sprintf("SECOND%07d@contoso.com", i)),
		})},
		{"any address", "directory_users_match", eq(path("emails", "value"), mail)},
		{"telephone", "directory_users_match", model.ValuePath{Path: phones, Inner: model.And{
			Left: eq(path("type"), "mobile"), Right: eq(path("value"), fmt.Sprintf("+1 206 555 %05d", i)),
		}}},
		{"displayName", "directory_users_match", eq(path("displayName"), fmt.Sprintf("ALAN Hopper %d", i))},
		{"employeeNumber", "directory_users_match", eq(ent("employeeNumber"), fmt.Sprint(100000+i))},
		{"custom attribute", "directory_users_match", eq(model.AttributePath{Schema: extension, Name: "badge"}, fmt.Sprintf("b-%d", i))},
		{"one of two", "directory_users_match", model.Or{Left: eq(path("emails", "value"), mail), Right: eq(path("userName"), "nobody")}},
		{"reference: manager", "directory_users_pkey", model.And{Left: eq(path("id"), ids[i]), Right: eq(ent("manager", "value"), ids[0])}},
		{"department and more", "directory_users_match", model.And{
			Left: eq(ent("department"), fmt.Sprintf("dept %02d", i%50)),
			Right: model.And{
				Left:  model.Or{Left: cmp(path("title"), "co", "Engineer"), Right: cmp(path("name", "familyName"), "sw", "Hop")},
				Right: eq(path("active"), true),
			},
		}},
	}
}

// TestIndexedFilters: at 20,000 users every form finds whom it should by its index, with and without statistics, and whether
// PostgreSQL plans for these parameters or for any.
func TestIndexedFilters(t *testing.T) {
	t.Parallel()
	s := storetest.OpenPostgres(t)
	// What PostgreSQL gathers by itself in the middle of the filling is of neither case.
	if _, err := s.DB().ExecContext(t.Context(), "ALTER TABLE directory_users SET (autovacuum_enabled = false)"); err != nil {
		t.Fatal(err)
	}
	ref, ids := directoryOf(t, s, 100)
	for _, form := range indexedForms(ids, 7) { // a plan that is kept may be made for a table that is nearly empty
		plan := strings.Join(store.FilterPlanForTest(t, s, true, ref, "directory_users", form.filter), ", ")
		if !strings.Contains(plan, form.index) {
			t.Errorf("%s, nearly empty: %s, want %s in it", form.name, plan, form.index)
		}
	}
	ref, ids = directoryOf(t, s, 20000)
	for _, analyzed := range []bool{false, true} {
		if analyzed {
			vacuum(t, s)
		}
		for _, form := range indexedForms(ids, 707) {
			for _, generic := range []bool{false, true} {
				plan := strings.Join(store.FilterPlanForTest(t, s, generic, ref, "directory_users", form.filter), ", ")
				if !strings.Contains(plan, form.index) || strings.Contains(plan, "Seq Scan directory_users") {
					t.Errorf("%s, analyzed %v, generic %v: %s, want %s in it", form.name, analyzed, generic, plan, form.index)
				}
			}
			mustFind(t, s, ref, form.filter, ids[707])
		}
		pages := store.ExplainForTest(t, s, true, func(tx *store.Tx) error {
			_, _, err := tx.Users(ref, model.ResourceQuery{StartIndex: 19000, Count: 100})
			return err
		})
		if plan := strings.Join(pages, ", "); strings.Contains(plan, "Seq Scan directory_users") || analyzed && !strings.Contains(plan, "Index Only Scan") {
			t.Errorf("a page by number, analyzed %v: %s", analyzed, plan)
		}
	}
}

// vacuum gathers statistics, and marks what everybody sees: again, where somebody, such as PostgreSQL's own gathering of
// statistics, was looking from before the rows came.
func vacuum(t *testing.T, s *store.Store) {
	t.Helper()
	seen := false
	for try := 0; try < 200 && !seen; try++ {
		if _, err := s.DB().ExecContext(t.Context(), "VACUUM ANALYZE directory_users"); err != nil {
			t.Fatal(err)
		}
		query := "SELECT relallvisible > relpages * 0.9 FROM pg_class WHERE oid = 'directory_users'::regclass"
		if err := s.DB().QueryRowContext(t.Context(), query).Scan(&seen); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.DB().ExecContext(t.Context(), "VACUUM ANALYZE"); err != nil || !seen {
		t.Fatalf("not everybody is seen by everybody: %v", err)
	}
}

// TestSQLiteIndexedFilters is the same on SQLite.
func TestSQLiteIndexedFilters(t *testing.T) {
	t.Parallel()
	s := storetest.OpenSQLite(t)
	ref, ids := directoryOf(t, s, 20000)
	for _, form := range indexedForms(ids, 707) {
		index := form.index
		switch index {
		case "directory_users_match":
			index = "directory_user_keys"
		case "directory_users_pkey":
			index = "sqlite_autoindex_directory_users_1"
		}
		plan := strings.Join(store.FilterPlanForTest(t, s, false, ref, "directory_users", form.filter), ", ")
		if !strings.Contains(plan, index) && !strings.Contains(plan, "SEARCH "+index) || strings.Contains(plan, "directory_users_page") ||
			strings.Contains(plan, "SCAN directory_users") {
			t.Errorf("%s: %s, want %s in it", form.name, plan, index)
		}
		mustFind(t, s, ref, form.filter, ids[707])
	}
}

func mustFind(t *testing.T, s *store.Store, ref model.Ref, f model.Filter, id string) {
	t.Helper()
	users, total, err := s.Read(t.Context()).Users(ref, model.ResourceQuery{Filter: f, Count: 500})
	for _, u := range users {
		if u.ID == id && total == len(users) {
			return
		}
	}
	t.Errorf("%#v finds %d of %d, %v, and not %s", f, len(users), total, err, id)
}

// TestUsersWithoutNumbers: who was written before there were numbers is found as everybody is.
func TestUsersWithoutNumbers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ref, ids := directoryOf(t, s, 10)
		stranger, _ := directoryOf(t, s, 10)
		storetest.InTx(t, s, func(tx *store.Tx) error {
			return store.ExecForTest(&tx.Reader, "UPDATE directory_users SET match_keys = NULL")
		})
		for _, form := range indexedForms(ids, 7) {
			mustFind(t, s, ref, form.filter, ids[7])
			if users, _, err := s.Read(t.Context()).Users(stranger, model.ResourceQuery{Filter: form.filter, Count: 500}); err != nil ||
				len(users) > 0 && users[0].IntegrationID != stranger.IntegrationID {
				t.Errorf("%s: another integration's %v, %v", form.name, users, err)
			}
		}
	})
}

// TestRareFiltersAreForgotten: however many filters are asked, the statements that PostgreSQL keeps prepared stay few.
func TestRareFiltersAreForgotten(t *testing.T) {
	t.Parallel()
	s := storetest.OpenWith(t, store.Options{URL: storetest.PostgresURL(t), MaxConns: 1})
	ref, ids := directoryOf(t, s, 10)
	kept := func() (n int) {
		t.Helper()
		if err := s.DB().QueryRowContext(t.Context(), "SELECT count(*) FROM pg_prepared_statements").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, form := range indexedForms(ids, 7) {
		mustFind(t, s, ref, form.filter, ids[7])
	}
	before := kept()
	for i := range 50 {
		q := model.ResourceQuery{Count: i + 1, Filter: cmp(model.AttributePath{Schema: extension, Name: fmt.Sprintf("badge%d", i)}, "eq", "x")}
		if i%2 == 0 {
			q.Sort = &model.Sort{Path: model.AttributePath{Schema: extension, Name: fmt.Sprintf("badge%d", i)}}
		}
		if _, _, err := s.Read(t.Context()).Users(ref, q); err != nil {
			t.Fatal(err)
		}
	}
	if after := kept(); after > before {
		t.Errorf("%d statements are kept prepared, %d before", after, before)
	}
	jit := ""
	if err := s.DB().QueryRowContext(t.Context(), "SHOW jit").Scan(&jit); err != nil || jit != "off" {
		t.Errorf("jit is %q, %v", jit, err)
	}
}
